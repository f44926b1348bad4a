/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data of commands, RFC 7143 4.2.5, 4.5, 11.3, 11.7, 11.8: immediate, unsolicited and solicited
 * data, how Data-In is cut, residuals, and what becomes of data that break the rules. Whatever way
 * they came, they are on the disk.
 */
#include "wire.h"

#include <errno.h>
#include <stdlib.h>

/* Disks of memory alone take and give their data in place, past every buffer. */
#define TEST_PLAIN(f) \
	{ \
#f " (in place)", f, wire_setup_plain, wire_teardown, NULL \
	}
#define TEST(f)           cmocka_unit_test_setup_teardown(f, wire_setup_started, wire_teardown)
#define TEST_UNSTARTED(f) cmocka_unit_test_setup_teardown(f, wire_setup, wire_teardown)

enum { MIB = 1 << 20 };

static uint8_t out[4 * MIB], in[4 * MIB];

/* Writes `len` bytes at block `lba`, so much of them immediate and unsolicited, reads them back and
 * compares. Gives the write. */
static struct command write_and_compare(
	struct ini *i, uint32_t lba, uint32_t len, uint32_t immediate, uint32_t unsolicited)
{
	struct command w = { .cdb = cdb_write(lba, (uint16_t)(len / WIRE_BLOCK)),
		.write = true,
		.out = out,
		.expect = len,
		.immediate_len = immediate,
		.unsolicited_len = unsolicited };
	struct command r = { .cdb = cdb_read(lba, (uint16_t)(len / WIRE_BLOCK)),
		.read = true,
		.in = in,
		.expect = len };

	fill(out, len, lba + len + immediate + unsolicited);
	command_run(i, &w);
	assert_int_equal(w.status, 0);
	assert_int_equal(w.flags, 0);
	memset(in, 0, len);
	command_run(i, &r);
	assert_int_equal(r.status, 0);
	assert_int_equal(r.got, len);
	assert_memory_equal(in, out, len);
	return w;
}

/* --- data to the target --------------------------------------------------------------------- */

static void immediate_data_need_no_r2t(void **state)
{
	struct ini i;

	ini_begin(&i, *state, "ImmediateData=Yes\nInitialR2T=Yes\n");
	unit_ready(&i);
	assert_int_equal(write_and_compare(&i, 0, 8192, 8192, 0).r2ts, 0);
	assert_int_equal(write_and_compare(&i, 7, 512, 512, 0).r2ts, 0);
	ini_close(&i);
}

static void the_rest_of_immediate_data_is_asked_for(void **state)
{
	struct ini i;

	ini_begin(&i, *state, "ImmediateData=Yes\nInitialR2T=Yes\nMaxBurstLength=262144\n");
	unit_ready(&i);
	assert_int_equal(write_and_compare(&i, 0, 65536, 4096, 0).r2ts, 1);
	assert_int_equal(write_and_compare(&i, 100, 65536, 100, 0).r2ts, 1); /* no whole block */
	ini_close(&i);
}

static void without_immediate_data_everything_is_asked_for(void **state)
{
	struct ini i;

	ini_begin(&i, *state, "ImmediateData=No\nInitialR2T=Yes\nMaxBurstLength=65536\n");
	unit_ready(&i);
	assert_int_equal(write_and_compare(&i, 0, 512, 0, 0).r2ts, 1);
	assert_int_equal(write_and_compare(&i, 0, 65536, 0, 0).r2ts, 1);
	assert_int_equal(write_and_compare(&i, 0, 65536 + 512, 0, 0).r2ts, 2);
	ini_close(&i);
}

static void unsolicited_data_need_no_r2t(void **state)
{
	struct ini i;

	ini_begin(&i, *state,
		"ImmediateData=No\nInitialR2T=No\nFirstBurstLength=65536\n"
		"MaxBurstLength=65536\n");
	unit_ready(&i);
	assert_int_equal(write_and_compare(&i, 0, 65536, 0, 65536).r2ts, 0);
	assert_int_equal(write_and_compare(&i, 200, 512, 0, 512).r2ts, 0);
	assert_int_equal(write_and_compare(&i, 0, 131072, 0, 65536).r2ts, 1);
	ini_close(&i);
}

static void immediate_and_unsolicited_data_share_the_first_burst(void **state)
{
	struct ini i;

	ini_begin(&i, *state,
		"ImmediateData=Yes\nInitialR2T=No\nFirstBurstLength=65536\n"
		"MaxBurstLength=131072\n");
	unit_ready(&i);
	assert_int_equal(write_and_compare(&i, 0, 65536, 8192, 65536 - 8192).r2ts, 0);
	assert_int_equal(write_and_compare(&i, 0, 65536 * 3, 512, 65536 - 512).r2ts, 1);
	assert_int_equal(write_and_compare(&i, 3, 65536 * 5, 8192, 65536 - 8192).r2ts, 2);
	ini_close(&i);
}

static void unsolicited_data_may_end_before_the_first_burst_is_full(void **state)
{
	struct ini i;

	ini_begin(&i, *state, "ImmediateData=Yes\nInitialR2T=No\nFirstBurstLength=65536\n");
	unit_ready(&i);
	assert_int_equal(write_and_compare(&i, 0, 65536, 512, 1024).r2ts, 1);
	ini_close(&i);
}

static void data_in_small_pieces_arrive_whole(void **state)
{
	struct wire *w = *state;
	struct ini i;

	w->policy.max_recv_data_segment_length = 512;
	wire_start(w);
	ini_begin(&i, w, "ImmediateData=Yes\nInitialR2T=No\n");
	unit_ready(&i);
	assert_int_equal(i.max_send, 512);
	write_and_compare(&i, 0, 65536, 512, 65536 - 512);
	write_and_compare(&i, 10, 300 * 512, 0, 0);
	ini_close(&i);
}

static void data_in_pieces_that_are_no_whole_blocks_arrive_whole(void **state)
{
	static const uint32_t sizes[] = { 513, 700, 1000, 1023, 3333, 8191 };
	struct ini i;

	ini_begin(&i, *state, "InitialR2T=No\n");
	unit_ready(&i);
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		i.max_send = sizes[k];
		write_and_compare(&i, 1, 65536, 0, 0);
		write_and_compare(&i, 1, 65536, sizes[k] / 2, 5000);
	}
	ini_close(&i);
}

static void a_large_write_arrives_whole(void **state)
{
	struct ini i;

	ini_begin(&i, *state,
		"InitialR2T=No\nMaxBurstLength=16776192\n"
		"FirstBurstLength=262144\nMaxOutstandingR2T=4\n");
	unit_ready(&i);
	write_and_compare(&i, 0, 4 * MIB, 262144, 0);
	write_and_compare(&i, 5, 2 * MIB, 0, 0);
	ini_close(&i);
}

static void data_that_drip_in_arrive_whole(void **state)
{
	struct command c = { .cdb = cdb_write(0, 8), .write = true, .out = out, .expect = 4096 };
	struct ini i;
	struct pdu p;
	uint8_t wire[48 + 4096];

	ini_begin(&i, *state, "");
	unit_ready(&i);
	fill(out, 4096, 77);
	command_send(&i, &c);
	ini_recv(&i, OP_R2T);
	p = pdu_data_out(&i, c.itt, be32(i.bhs + 20), 0, 0, out, 4096, true);
	memcpy(wire, p.bhs, 48);
	put_be24(wire + 5, 4096);
	memcpy(wire + 48, out, 4096);
	for (size_t at = 0; at < sizeof(wire); at += 37) {
		size_t n = sizeof(wire) - at < 37 ? sizeof(wire) - at : 37;

		ini_send_bytes(&i, wire + at, n, false);
		if (at % (37 * 8) == 0)
			wire_sleep_ms(1);
	}
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(i.bhs[3], 0);
	disk_read(&i, 0, 8, in);
	assert_memory_equal(in, out, 4096);
	ini_close(&i);
}

/* Sends a PDU as its header first, and then its data in pieces of `step` bytes, so that the target is
 * in the middle of the data segment whenever it looks. */
static void send_by_and_by(struct ini *i, const struct pdu *p, size_t step)
{
	uint8_t bhs[48];
	const uint8_t *data = p->data;

	memcpy(bhs, p->bhs, 48);
	put_be24(bhs + 5, p->len);
	ini_send_bytes(i, bhs, 48, false);
	for (size_t at = 0; at < p->len; at += step) {
		wire_sleep_ms(2);
		ini_send_bytes(i, data + at, p->len - at < step ? p->len - at : step, false);
	}
}

static void long_data_that_come_behind_their_header_arrive_whole(void **state)
{
	static const size_t steps[] = { 131072, 65536, 30000, 8191 };

	for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
		struct command c = {
			.cdb = cdb_write(3, 256), .write = true, .out = out, .expect = 131072
		};
		struct ini i;
		struct pdu p;

		ini_begin(&i, *state, "");
		unit_ready(&i);
		fill(out, 131072, (unsigned)k);
		command_send(&i, &c);
		ini_recv(&i, OP_R2T);
		p = pdu_data_out(&i, c.itt, be32(i.bhs + 20), 0, 0, out, 131072, true);
		send_by_and_by(&i, &p, steps[k]);
		ini_recv(&i, OP_SCSI_RSP);
		assert_int_equal(i.bhs[3], 0);
		memset(in, 0, 131072);
		disk_read(&i, 3, 256, in);
		assert_memory_equal(in, out, 131072);
		ini_close(&i);
	}
}

static void long_data_beyond_what_the_command_takes_are_dropped(void **state)
{
	/* 128 blocks are written, and twice as many bytes come unasked. */
	struct cdb wr = cdb_write(0, 128);
	uint8_t zeros[65536] = { 0 };
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "InitialR2T=No\nFirstBurstLength=262144\n");
	unit_ready(&i);
	fill(out, 131072, 3);
	p = pdu_scsi(&i, CMD_WRITE, wr.b, wr.len, 131072);
	ini_send(&i, &p);
	p = pdu_data_out(&i, pdu_itt(&p), TAG_NONE, 0, 0, out, 131072, true);
	send_by_and_by(&i, &p, 40000);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(i.bhs[3], 0);
	assert_int_equal(i.bhs[1] & RSP_UNDERFLOW, RSP_UNDERFLOW);
	assert_int_equal(be32(i.bhs + 44), 65536);
	disk_read(&i, 0, 256, in);
	assert_memory_equal(in, out, 65536);
	assert_memory_equal(in + 65536, zeros, 65536);
	ini_close(&i);
}

static void unsolicited_data_of_a_command_ahead_of_its_turn_wait_with_it(void **state)
{
	struct cdb wr = cdb_write(40, 4), tur = cdb_test_unit_ready();
	struct ini i;
	struct pdu first, second, data;

	ini_begin(&i, *state, "InitialR2T=No\n");
	unit_ready(&i);
	fill(out, 2048, 11);
	first = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);
	second = pdu_scsi(&i, CMD_WRITE, wr.b, wr.len, 2048);
	second.data = out;
	second.len = 512;
	ini_send(&i, &second);
	data = pdu_data_out(&i, pdu_itt(&second), TAG_NONE, 0, 512, out + 512, 512, false);
	ini_send(&i, &data);
	data = pdu_data_out(&i, pdu_itt(&second), TAG_NONE, 1, 1024, out + 1024, 1024, true);
	ini_send(&i, &data);
	ini_expect_silence(&i, 20);
	ini_send(&i, &first);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(be32(i.bhs + 16), pdu_itt(&first));
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(be32(i.bhs + 16), pdu_itt(&second));
	assert_int_equal(i.bhs[3], 0);
	disk_read(&i, 40, 4, in);
	assert_memory_equal(in, out, 2048);
	ini_close(&i);
}

static void the_rest_of_unsolicited_data_may_come_after_the_turn_of_their_command(void **state)
{
	struct cdb wr = cdb_write(50, 4), tur = cdb_test_unit_ready();
	struct ini i;
	struct pdu first, second, data;

	ini_begin(&i, *state, "InitialR2T=No\n");
	unit_ready(&i);
	fill(out, 2048, 12);
	first = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);
	second = pdu_scsi(&i, CMD_WRITE, wr.b, wr.len, 2048);
	ini_send(&i, &second);
	data = pdu_data_out(&i, pdu_itt(&second), TAG_NONE, 0, 0, out, 1024, false);
	ini_send(&i, &data);
	ini_send(&i, &first);
	data = pdu_data_out(&i, pdu_itt(&second), TAG_NONE, 1, 1024, out + 1024, 1024, true);
	ini_send(&i, &data);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(be32(i.bhs + 16), pdu_itt(&first));
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(i.bhs[3], 0);
	disk_read(&i, 50, 4, in);
	assert_memory_equal(in, out, 2048);
	ini_close(&i);
}

static void unsolicited_data_ahead_of_their_turn_are_bounded(void **state)
{
	struct cdb wr = cdb_write(40, 64);
	struct ini i;
	struct pdu p, data;

	ini_begin(&i, *state, "InitialR2T=No\nFirstBurstLength=2048\n");
	unit_ready(&i);
	i.cmdsn++;
	p = pdu_scsi(&i, CMD_WRITE, wr.b, wr.len, 32768);
	ini_send(&i, &p);
	for (uint32_t k = 0; k < 4; k++) {
		data = pdu_data_out(&i, pdu_itt(&p), TAG_NONE, k, k * 512, out, 512, false);
		ini_send(&i, &data);
	}
	data = pdu_data_out(&i, pdu_itt(&p), TAG_NONE, 4, 2048, out, 512, false);
	ini_send(&i, &data);
	ini_expect_reject(&i, &data, REJECT_PROTOCOL_ERROR);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void several_r2ts_are_outstanding_when_agreed(void **state)
{
	struct ini i;
	struct command c;

	ini_begin(&i, *state,
		"ImmediateData=No\nInitialR2T=Yes\nMaxBurstLength=8192\n"
		"MaxOutstandingR2T=4\n");
	assert_int_equal(i.max_r2t, 4);
	unit_ready(&i);
	c = write_and_compare(&i, 0, 10 * 8192, 0, 0);
	assert_int_equal(c.r2ts, 10);
	assert_int_equal(c.most_r2ts, 4);
	ini_close(&i);
}

static void one_r2t_at_a_time_is_outstanding_otherwise(void **state)
{
	struct ini i;
	struct command c;

	ini_begin(&i, *state, "ImmediateData=No\nInitialR2T=Yes\nMaxBurstLength=8192\n");
	unit_ready(&i);
	c = write_and_compare(&i, 0, 5 * 8192, 0, 0);
	assert_int_equal(c.r2ts, 5);
	assert_int_equal(c.most_r2ts, 1);
	ini_close(&i);
}

static void an_r2t_names_the_lun_and_numbers_of_its_command(void **state)
{
	struct command c = {
		.cdb = cdb_write(0, 1), .write = true, .out = out, .expect = WIRE_BLOCK
	};
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_send(&i, &c);
	ini_recv(&i, OP_R2T);
	assert_int_equal(be64(i.bhs + 8), 0);
	assert_int_equal(be32(i.bhs + 16), c.itt);
	assert_int_equal(be32(i.bhs + 36), 0);
	assert_int_equal(be32(i.bhs + 40), 0);
	assert_int_equal(be32(i.bhs + 44), WIRE_BLOCK);
	ini_close(&i);
}

/* A write of two bursts, and a read whose data the initiator does not take before it has answered the
 * R2T that stands before them; `first` of the bursts are sent meanwhile. */
static void write_beside_a_blocked_read(struct ini *i, uint32_t bursts)
{
	struct command w = { .cdb = cdb_write(4000, (uint16_t)(bursts * 16)),
		.write = true,
		.out = out,
		.expect = bursts * 8192 };
	struct command r = { .cdb = cdb_read(0, 1800), .read = true, .in = in, .expect = 921600 };
	uint8_t both[96];
	struct pdu p, q;

	fill(out, w.expect, bursts);
	p = pdu_scsi(i, BHS_FINAL | CMD_WRITE, w.cdb.b, w.cdb.len, w.expect);
	q = pdu_scsi(i, BHS_FINAL | CMD_READ, r.cdb.b, r.cdb.len, r.expect);
	w.itt = pdu_itt(&p);
	r.itt = pdu_itt(&q);
	memcpy(both, p.bhs, 48);
	memcpy(both + 48, q.bhs, 48);
	ini_send_bytes(i, both, sizeof(both), false);
	ini_recv(i, OP_R2T);
	p = pdu_data_out(i, w.itt, be32(i->bhs + 20), 0, 0, out, 8192, true);
	ini_send(i, &p);
	wire_sleep_ms(20);
	command_finish(i, &r);
	assert_int_equal(r.got, r.expect);
	for (uint32_t k = 1; k < bursts; k++) {
		ini_recv(i, OP_R2T);
		p = pdu_data_out(
			i, w.itt, be32(i->bhs + 20), 0, k * 8192, out + k * 8192, 8192, true);
		ini_send(i, &p);
	}
	ini_recv(i, OP_SCSI_RSP);
	assert_int_equal(be32(i->bhs + 16), w.itt);
	assert_int_equal(i->bhs[3], 0);
	disk_read(i, 4000, (uint16_t)(bursts * 16), in);
	assert_memory_equal(in, out, w.expect);
}

static void a_write_goes_on_beside_a_read_whose_data_are_not_taken(void **state)
{
	struct ini i;

	ini_begin(&i, *state,
		"ImmediateData=No\nMaxBurstLength=8192\n"
		"MaxRecvDataSegmentLength=262144\n");
	unit_ready(&i);
	for (int k = 0; k < 5; k++) {
		write_beside_a_blocked_read(&i, 1);
		write_beside_a_blocked_read(&i, 3);
	}
	ini_close(&i);
}

static void data_of_several_commands_may_be_mixed(void **state)
{
	struct command a = { .cdb = cdb_write(0, 4), .write = true, .out = out, .expect = 2048 };
	struct command b = {
		.cdb = cdb_write(4, 4), .write = true, .out = out + 2048, .expect = 2048
	};
	struct ini i;
	uint32_t ta, tb;
	struct pdu p;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	fill(out, 4096, 8);
	command_send(&i, &a);
	ini_recv(&i, OP_R2T);
	ta = be32(i.bhs + 20);
	command_send(&i, &b);
	ini_recv(&i, OP_R2T);
	tb = be32(i.bhs + 20);
	for (uint32_t k = 0; k < 4; k++) {
		p = pdu_data_out(&i, a.itt, ta, k, k * 512, out + k * 512, 512, k == 3);
		ini_send(&i, &p);
		p = pdu_data_out(&i, b.itt, tb, k, k * 512, out + 2048 + k * 512, 512, k == 3);
		ini_send(&i, &p);
	}
	ini_recv(&i, OP_SCSI_RSP);
	ini_recv(&i, OP_SCSI_RSP);
	disk_read(&i, 0, 8, in);
	assert_memory_equal(in, out, 4096);
	ini_close(&i);
}

static void the_lun_of_data_is_not_looked_at(void **state)
{
	/* Some initiators send another one than the command's. */
	struct command c = {
		.cdb = cdb_write(0, 1), .write = true, .out = out, .expect = WIRE_BLOCK
	};
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_send(&i, &c);
	ini_recv(&i, OP_R2T);
	p = pdu_data_out(&i, c.itt, be32(i.bhs + 20), 0, 0, out, WIRE_BLOCK, true);
	put_be64(p.bhs + 8, 0x00ff000000000000);
	ini_send(&i, &p);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(i.bhs[3], 0);
	ini_close(&i);
}

static void a_data_pdu_without_data_is_taken(void **state)
{
	struct command c = { .cdb = cdb_write(0, 2), .write = true, .out = out, .expect = 1024 };
	struct ini i;
	struct pdu p;
	uint32_t ttt;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	fill(out, 1024, 12);
	command_send(&i, &c);
	ini_recv(&i, OP_R2T);
	ttt = be32(i.bhs + 20);
	p = pdu_data_out(&i, c.itt, ttt, 0, 0, out, 1024, false);
	ini_send(&i, &p);
	p = pdu_data_out(&i, c.itt, ttt, 1, 1024, NULL, 0, true);
	ini_send(&i, &p);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(i.bhs[3], 0);
	disk_read(&i, 0, 2, in);
	assert_memory_equal(in, out, 1024);
	ini_close(&i);
}

/* --- data that break the rules -------------------------------------------------------------- */

/* A write of four blocks that waits for its R2T's data; gives the tag. */
static uint32_t waiting_write(struct ini *i, struct wire *w, struct command *c)
{
	*c = (struct command){ .cdb = cdb_write(0, 4), .write = true, .out = out, .expect = 2048 };
	ini_begin(i, w, "");
	unit_ready(i);
	command_send(i, c);
	ini_recv(i, OP_R2T);
	return be32(i->bhs + 20);
}

/* At error recovery level 0 what cannot be repaired ends the session; nothing of it is written as if it
 * were right. */
static void expect_protocol_error(struct ini *i, const struct pdu *p)
{
	ini_send(i, p);
	ini_expect_reject(i, p, REJECT_PROTOCOL_ERROR);
	ini_expect_closed(i);
	ini_close(i);
}

static void a_gap_in_the_data_is_a_protocol_error(void **state)
{
	struct command c;
	struct ini i;
	uint32_t ttt = waiting_write(&i, *state, &c);
	struct pdu p = pdu_data_out(&i, c.itt, ttt, 0, 512, out, 512, false);

	expect_protocol_error(&i, &p);
}

static void data_sent_again_are_a_protocol_error(void **state)
{
	struct command c;
	struct ini i;
	uint32_t ttt = waiting_write(&i, *state, &c);
	struct pdu p = pdu_data_out(&i, c.itt, ttt, 0, 0, out, 512, false);

	ini_send(&i, &p);
	put_be32(p.bhs + 36, 1);
	expect_protocol_error(&i, &p);
}

static void data_beyond_what_was_asked_for_are_a_protocol_error(void **state)
{
	struct command c;
	struct ini i;
	uint32_t ttt = waiting_write(&i, *state, &c);
	struct pdu p = pdu_data_out(&i, c.itt, ttt, 0, 0, out, 2560, true);

	expect_protocol_error(&i, &p);
}

static void a_sequence_that_ends_before_its_time_is_a_protocol_error(void **state)
{
	struct command c;
	struct ini i;
	uint32_t ttt = waiting_write(&i, *state, &c);
	struct pdu p = pdu_data_out(&i, c.itt, ttt, 0, 0, out, 512, true);

	expect_protocol_error(&i, &p);
}

static void a_transfer_tag_that_was_not_given_is_a_protocol_error(void **state)
{
	struct command c;
	struct ini i;
	uint32_t ttt = waiting_write(&i, *state, &c);
	struct pdu p = pdu_data_out(&i, c.itt, ttt ^ 0x10, 0, 0, out, 2048, true);

	expect_protocol_error(&i, &p);
}

static void unsolicited_data_where_none_were_agreed_are_a_protocol_error(void **state)
{
	struct command c;
	struct ini i;
	struct pdu p;

	waiting_write(&i, *state, &c);
	p = pdu_data_out(&i, c.itt, TAG_NONE, 0, 0, out, 512, true);
	expect_protocol_error(&i, &p);
}

static void data_beyond_2_to_the_32_are_refused(void **state)
{
	struct command c;
	struct ini i;
	uint32_t ttt = waiting_write(&i, *state, &c);
	struct pdu p = pdu_data_out(&i, c.itt, ttt, 0, 0xfffffe00, out, 1024, true);

	ini_send(&i, &p);
	ini_recv(&i, OP_REJECT);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void data_without_a_final_bit_at_the_end_are_a_protocol_error_when_more_come(void **state)
{
	struct command c;
	struct ini i;
	uint32_t ttt = waiting_write(&i, *state, &c);
	struct pdu p = pdu_data_out(&i, c.itt, ttt, 0, 0, out, 2048, false);

	ini_send(&i, &p);
	p = pdu_data_out(&i, c.itt, ttt, 1, 2048, out, 512, true);
	expect_protocol_error(&i, &p);
}

static void data_of_no_command_are_dropped(void **state)
{
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	p = pdu_data_out(&i, 0x4711, 0x1234, 0, 0, out, 8192, true);
	ini_send(&i, &p);
	unit_ready(&i);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_data_segment_beyond_the_declared_length_closes_the_connection(void **state)
{
	struct wire *w = *state;
	struct command c;
	struct ini i;
	uint32_t ttt;
	struct pdu p;

	w->policy.max_recv_data_segment_length = 512;
	wire_start(w);
	ttt = waiting_write(&i, w, &c);
	p = pdu_data_out(&i, c.itt, ttt, 0, 0, out, 1024, false);
	ini_send(&i, &p);
	ini_expect_closed(&i);
	ini_close(&i);
}

static void immediate_data_that_were_not_agreed_fail_the_command(void **state)
{
	struct command c = { .cdb = cdb_write(0, 1),
		.write = true,
		.out = out,
		.expect = WIRE_BLOCK,
		.immediate_len = WIRE_BLOCK };
	struct ini i;
	uint8_t before[WIRE_BLOCK];

	ini_begin(&i, *state, "ImmediateData=No\n");
	unit_ready(&i);
	disk_read(&i, 0, 1, before);
	fill(out, WIRE_BLOCK, 9);
	command_run(&i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.sense_key, 0xb);
	assert_int_equal(c.asc, 0x0c0c);
	disk_read(&i, 0, 1, in);
	assert_memory_equal(in, before, WIRE_BLOCK);
	ini_close(&i);
}

static void unsolicited_data_that_were_not_agreed_fail_the_command(void **state)
{
	struct command c = { .cdb = cdb_write(0, 2),
		.write = true,
		.out = out,
		.expect = 1024,
		.unsolicited_len = 1024 };
	struct ini i;

	ini_begin(&i, *state, "InitialR2T=Yes\n");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.asc, 0x0c0c);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void more_immediate_data_than_a_first_burst_fail_the_command(void **state)
{
	struct command c = { .cdb = cdb_write(0, 8),
		.write = true,
		.out = out,
		.expect = 4096,
		.immediate_len = 4096 };
	struct ini i;

	ini_begin(&i, *state, "FirstBurstLength=1024\n");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.asc, 0x0c0c);
	ini_close(&i);
}

static void more_unsolicited_data_than_a_first_burst_are_a_protocol_error(void **state)
{
	struct cdb wr = cdb_write(0, 8);
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "InitialR2T=No\nFirstBurstLength=1024\n");
	unit_ready(&i);
	p = pdu_scsi(&i, CMD_WRITE, wr.b, wr.len, 4096);
	ini_send(&i, &p);
	p = pdu_data_out(&i, pdu_itt(&p), TAG_NONE, 0, 0, out, 2048, true);
	expect_protocol_error(&i, &p);
}

static void a_write_that_is_cut_off_leaves_whole_blocks(void **state)
{
	struct wire *w = *state;
	struct command c;
	struct ini i;
	uint32_t ttt;
	struct pdu p;
	uint8_t zeros[2048] = { 0 };

	ttt = waiting_write(&i, w, &c);
	memset(out, 0xee, 2048);
	p = pdu_data_out(&i, c.itt, ttt, 0, 0, out, 700, false);
	ini_send(&i, &p);
	ini_expect_alive(&i);
	ini_close(&i);
	wire_expect_sessions(w, 0);
	ini_begin(&i, w, "");
	unit_ready(&i);
	disk_read(&i, 0, 4, in);
	/* The first block is the old or the new one; the others are the old ones. */
	assert_true(memcmp(in, zeros, 512) == 0 || memcmp(in, out, 512) == 0);
	assert_memory_equal(in + 512, zeros, 2048 - 512);
	ini_close(&i);
}

/* --- data that were lost, RFC 7143 7.9 and 7.8 b -------------------------------------------- */

/* The command fails in a way that has it sent again; the session goes on, and nothing was written. */
static void expect_spoiled(struct ini *i, uint32_t itt)
{
	static const uint8_t zeros[2048];

	ini_recv(i, OP_SCSI_RSP);
	assert_int_equal(be32(i->bhs + 16), itt);
	assert_int_equal(i->bhs[3], SCSI_CHECK_CONDITION);
	assert_int_equal(i->data[2 + 2], SENSE_ABORTED_COMMAND);
	assert_int_equal(be16(i->data + 2 + 12), 0x4705); /* PROTOCOL SERVICE CRC ERROR */
	disk_read(i, 0, 4, in);
	assert_memory_equal(in, zeros, sizeof(zeros));
}

static void a_wrong_datasn_fails_the_command(void **state)
{
	struct command c;
	struct ini i;
	uint32_t ttt = waiting_write(&i, *state, &c);
	struct pdu p;

	fill(out, 2048, 5);
	p = pdu_data_out(&i, c.itt, ttt, 27, 0, out, 2048, true);
	ini_send(&i, &p);
	expect_spoiled(&i, c.itt);
	ini_close(&i);
}

static void a_lost_pdu_fails_the_command_when_the_sequence_ends(void **state)
{
	struct command c;
	struct ini i;
	uint32_t ttt = waiting_write(&i, *state, &c);
	struct pdu p;

	fill(out, 2048, 6);
	p = pdu_data_out(&i, c.itt, ttt, 1, 512, out, 512, false);
	ini_send(&i, &p);
	unit_ready(&i); /* no answer comes before the last of the data */
	p = pdu_data_out(&i, c.itt, ttt, 2, 1024, out, 1024, true);
	ini_send(&i, &p);
	expect_spoiled(&i, c.itt);
	ini_close(&i);
}

static void a_lost_pdu_fails_the_command_when_every_r2t_is_answered(void **state)
{
	struct command c = { .cdb = cdb_write(0, 48), .write = true, .out = out, .expect = 24576 };
	struct ini i;
	struct pdu p;
	uint32_t ttt[2];

	ini_begin(&i, *state,
		"ImmediateData=No\nInitialR2T=Yes\nMaxBurstLength=8192\n"
		"MaxOutstandingR2T=2\n");
	unit_ready(&i);
	fill(out, 24576, 7);
	command_send(&i, &c);
	for (int n = 0; n < 2; n++) {
		ini_recv(&i, OP_R2T);
		ttt[n] = be32(i.bhs + 20);
	}
	p = pdu_data_out(&i, c.itt, ttt[0], 1, 0, out, 8192, true);
	ini_send(&i, &p);
	unit_ready(&i); /* no third R2T, and no answer while the second is open */
	p = pdu_data_out(&i, c.itt, ttt[1], 0, 8192, out, 8192, true);
	ini_send(&i, &p);
	expect_spoiled(&i, c.itt);
	ini_close(&i);
}

/* --- commands that fail before their data --------------------------------------------------- */

static void a_write_that_fails_at_once_waits_for_its_unsolicited_data(void **state)
{
	struct command c = { .cdb = cdb_write(WIRE_BLOCKS, 2),
		.write = true,
		.out = out,
		.expect = 1024,
		.immediate_len = 512,
		.unsolicited_len = 512 };
	struct ini i;

	ini_begin(&i, *state, "InitialR2T=No\n");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.sense_key, 5);
	assert_int_equal(c.asc, 0x2100);
	assert_int_equal(c.r2ts, 0);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_write_that_fails_at_once_is_not_answered_before_its_unsolicited_data(void **state)
{
	struct cdb wr = cdb_write(WIRE_BLOCKS, 2);
	struct ini i;
	struct pdu p, d;

	ini_begin(&i, *state, "InitialR2T=No\n");
	unit_ready(&i);
	p = pdu_scsi(&i, CMD_WRITE, wr.b, wr.len, 1024);
	ini_send(&i, &p);
	ini_expect_silence(&i, 30);
	d = pdu_data_out(&i, pdu_itt(&p), TAG_NONE, 0, 0, out, 512, false);
	ini_send(&i, &d);
	ini_expect_silence(&i, 30);
	d = pdu_data_out(&i, pdu_itt(&p), TAG_NONE, 1, 512, out, 512, true);
	ini_send(&i, &d);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(i.bhs[3], 2);
	ini_close(&i);
}

static void a_write_that_fails_in_the_store_tells_so(void **state)
{
	struct wire *w = *state;
	struct command c = { .cdb = cdb_write(0, 1),
		.write = true,
		.out = out,
		.expect = WIRE_BLOCK,
		.immediate_len = WIRE_BLOCK };
	struct ini i;

	ini_begin(&i, w, "");
	unit_ready(&i);
	fault_set(
		w->disk[0], &(struct fault_cfg){ .ops = 1u << STORE_WRITE, .nth = 1, .err = -EIO });
	command_run(&i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.sense_key, 3);
	fault_set(w->disk[0], &(struct fault_cfg){ 0 });
	disk_write(&i, 0, 1, out);
	ini_close(&i);
}

static void a_read_that_fails_in_the_store_tells_so(void **state)
{
	struct wire *w = *state;
	struct command c = { .cdb = cdb_read(0, 1), .read = true, .in = in, .expect = WIRE_BLOCK };
	struct ini i;

	ini_begin(&i, w, "");
	unit_ready(&i);
	fault_set(
		w->disk[0], &(struct fault_cfg){ .ops = 1u << STORE_READ, .nth = 1, .err = -EIO });
	command_run(&i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.sense_key, 3);
	ini_expect_alive(&i);
	ini_close(&i);
}

/* --- data to the initiator ------------------------------------------------------------------ */

static void status_comes_with_the_last_data(void **state)
{
	struct command c = { .cdb = cdb_read(0, 8), .read = true, .in = in, .expect = 4096 };
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_run(&i, &c);
	assert_true(c.collapsed);
	assert_int_equal(c.data_pdus, 1);
	assert_int_equal(c.flags, 0);
	ini_close(&i);
}

static void data_are_cut_to_what_the_initiator_takes(void **state)
{
	struct command c = { .cdb = cdb_read(0, 64), .read = true, .in = in, .expect = 32768 };
	struct ini i;

	ini_begin(&i, *state, "MaxRecvDataSegmentLength=1024\n");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.data_pdus, 32);
	assert_int_equal(c.got, 32768);
	ini_close(&i);
}

static void data_segments_of_odd_lengths_are_padded(void **state)
{
	struct command c = { .cdb = cdb_read(0, 64), .read = true, .in = in, .expect = 32768 };
	struct ini i;

	ini_begin(&i, *state, "MaxRecvDataSegmentLength=513\n");
	unit_ready(&i);
	fill(out, 32768, 1);
	disk_write(&i, 0, 64, out);
	command_run(&i, &c);
	assert_int_equal(c.data_pdus, (32768 + 512) / 513);
	assert_memory_equal(in, out, 32768);
	ini_close(&i);
}

static void every_burst_ends_with_a_final_bit(void **state)
{
	/* The harness fails when a burst is longer than MaxBurstLength. */
	static const char *const more[] = {
		"MaxRecvDataSegmentLength=1024\nMaxBurstLength=4096\n",
		"MaxRecvDataSegmentLength=65536\nMaxBurstLength=4096\n",
		"MaxRecvDataSegmentLength=1000\nMaxBurstLength=4096\n",
		"MaxRecvDataSegmentLength=3000\nMaxBurstLength=4000\n",
	};

	for (int k = 0; k < 4; k++) {
		struct command c = {
			.cdb = cdb_read(0, 64), .read = true, .in = in, .expect = 32768
		};
		struct ini i;

		ini_begin(&i, *state, more[k]);
		unit_ready(&i);
		fill(out, 32768, (unsigned)k);
		disk_write(&i, 0, 64, out);
		command_run(&i, &c);
		assert_int_equal(c.status, 0);
		assert_memory_equal(in, out, 32768);
		assert_true(c.data_pdus >= 8);
		ini_close(&i);
	}
}

static void a_large_read_comes_whole(void **state)
{
	struct ini i;

	ini_begin(&i, *state, "MaxRecvDataSegmentLength=262144\nMaxBurstLength=16776192\n");
	unit_ready(&i);
	write_and_compare(&i, 0, 4 * MIB, 0, 0);
	ini_close(&i);
}

static void an_initiator_that_reads_slowly_gets_everything(void **state)
{
	struct ini i;
	struct command c[8];

	ini_begin(&i, *state, "MaxRecvDataSegmentLength=65536\nMaxBurstLength=262144\n");
	unit_ready(&i);
	fill(out, MIB, 4);
	disk_write(&i, 0, 2048, out);
	for (int k = 0; k < 8; k++) {
		c[k] = (struct command){
			.cdb = cdb_read(0, 2048), .read = true, .in = in, .expect = MIB
		};
		command_send(&i, &c[k]);
	}
	wire_sleep_ms(20);
	for (int k = 0; k < 8; k++) {
		memset(in, 0, MIB);
		command_finish(&i, &c[k]);
		assert_memory_equal(in, out, MIB);
	}
	ini_close(&i);
}

static void unwritten_blocks_read_as_zeros(void **state)
{
	uint8_t zeros[8 * WIRE_BLOCK] = { 0 };
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	memset(in, 0xff, sizeof(zeros));
	disk_read(&i, 4000, 8, in);
	assert_memory_equal(in, zeros, sizeof(zeros));
	ini_close(&i);
}

/* --- residual counts: 11.4.5 ---------------------------------------------------------------- */

static void a_read_of_less_than_expected_is_an_underflow(void **state)
{
	struct command c = { .cdb = cdb_read(0, 1), .read = true, .in = in, .expect = 1024 };
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.status, 0);
	assert_int_equal(c.got, 512);
	assert_int_equal(c.flags, RSP_UNDERFLOW);
	assert_int_equal(c.residual, 512);
	ini_close(&i);
}

static void a_read_of_more_than_expected_is_an_overflow(void **state)
{
	struct command c = { .cdb = cdb_read(0, 4), .read = true, .in = in, .expect = 700 };
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.got, 700);
	assert_int_equal(c.flags, RSP_OVERFLOW);
	assert_int_equal(c.residual, 2048 - 700);
	ini_close(&i);
}

static void a_read_into_nothing_is_an_overflow(void **state)
{
	struct command c = { .cdb = cdb_read(0, 1), .read = true, .in = in, .expect = 0 };
	struct command d = { .cdb = cdb_read(0, 1) };
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.got, 0);
	assert_int_equal(c.flags, RSP_OVERFLOW);
	assert_int_equal(c.residual, 512);
	command_run(&i, &d);
	assert_int_equal(d.got, 0);
	assert_int_equal(d.flags, RSP_OVERFLOW);
	assert_int_equal(d.residual, 512);
	ini_close(&i);
}

static void a_write_of_more_than_the_command_takes_is_an_underflow(void **state)
{
	struct command c = { .cdb = cdb_write(0, 1),
		.write = true,
		.out = out,
		.expect = 1024,
		.immediate_len = 1024 };
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	fill(out, 1024, 6);
	command_run(&i, &c);
	assert_int_equal(c.status, 0);
	assert_int_equal(c.flags, RSP_UNDERFLOW);
	assert_int_equal(c.residual, 512);
	disk_read(&i, 0, 2, in);
	assert_memory_equal(in, out, 512);
	memset(out, 0, 512);
	assert_memory_equal(in + 512, out, 512);
	ini_close(&i);
}

static void only_what_the_command_takes_is_asked_for(void **state)
{
	struct command c = { .cdb = cdb_write(0, 1), .write = true, .out = out, .expect = 4096 };
	struct ini i;

	ini_begin(&i, *state, "ImmediateData=No\n");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.status, 0);
	assert_int_equal(c.r2ts, 1);
	assert_int_equal(c.flags, RSP_UNDERFLOW);
	assert_int_equal(c.residual, 4096 - 512);
	ini_close(&i);
}

static void a_write_of_less_than_the_command_takes_is_an_overflow(void **state)
{
	struct command c = { .cdb = cdb_write(0, 4),
		.write = true,
		.out = out,
		.expect = 1024,
		.immediate_len = 1024 };
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.flags, RSP_OVERFLOW);
	assert_int_equal(c.residual, 1024);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_command_that_fails_has_moved_nothing(void **state)
{
	struct command c = {
		.cdb = cdb_read(WIRE_BLOCKS, 2), .read = true, .in = in, .expect = 1024
	};
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.got, 0);
	assert_int_equal(c.flags, RSP_UNDERFLOW);
	assert_int_equal(c.residual, 1024);
	ini_close(&i);
}

static void a_command_without_data_has_no_residual(void **state)
{
	struct command c = { .cdb = cdb_test_unit_ready() };
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.flags, 0);
	assert_int_equal(c.residual, 0);
	ini_close(&i);
}

static void an_answer_cut_by_its_allocation_length_is_an_underflow(void **state)
{
	struct command c = { .cdb = cdb_inquiry(8), .read = true, .in = in, .expect = 255 };
	struct ini i;

	ini_begin(&i, *state, "");
	command_run(&i, &c);
	assert_int_equal(c.status, 0);
	assert_int_equal(c.got, 8);
	assert_int_equal(c.flags, RSP_UNDERFLOW);
	assert_int_equal(c.residual, 247);
	ini_close(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(immediate_data_need_no_r2t),
		TEST(the_rest_of_immediate_data_is_asked_for),
		TEST(without_immediate_data_everything_is_asked_for),
		TEST(unsolicited_data_need_no_r2t),
		TEST(immediate_and_unsolicited_data_share_the_first_burst),
		TEST(unsolicited_data_may_end_before_the_first_burst_is_full),
		TEST_UNSTARTED(data_in_small_pieces_arrive_whole),
		TEST(data_in_pieces_that_are_no_whole_blocks_arrive_whole),
		TEST(a_large_write_arrives_whole),
		TEST(data_that_drip_in_arrive_whole),
		TEST(long_data_that_come_behind_their_header_arrive_whole),
		TEST(long_data_beyond_what_the_command_takes_are_dropped),
		TEST(unsolicited_data_of_a_command_ahead_of_its_turn_wait_with_it),
		TEST(the_rest_of_unsolicited_data_may_come_after_the_turn_of_their_command),
		TEST(unsolicited_data_ahead_of_their_turn_are_bounded),
		TEST(several_r2ts_are_outstanding_when_agreed),
		TEST(one_r2t_at_a_time_is_outstanding_otherwise),
		TEST(an_r2t_names_the_lun_and_numbers_of_its_command),
		TEST(a_write_goes_on_beside_a_read_whose_data_are_not_taken),
		TEST(data_of_several_commands_may_be_mixed),
		TEST(the_lun_of_data_is_not_looked_at),
		TEST(a_data_pdu_without_data_is_taken),
		TEST(a_gap_in_the_data_is_a_protocol_error),
		TEST(data_sent_again_are_a_protocol_error),
		TEST(data_beyond_what_was_asked_for_are_a_protocol_error),
		TEST(a_sequence_that_ends_before_its_time_is_a_protocol_error),
		TEST(a_transfer_tag_that_was_not_given_is_a_protocol_error),
		TEST(unsolicited_data_where_none_were_agreed_are_a_protocol_error),
		TEST(data_beyond_2_to_the_32_are_refused),
		TEST(data_without_a_final_bit_at_the_end_are_a_protocol_error_when_more_come),
		TEST(data_of_no_command_are_dropped),
		TEST_UNSTARTED(a_data_segment_beyond_the_declared_length_closes_the_connection),
		TEST(immediate_data_that_were_not_agreed_fail_the_command),
		TEST(unsolicited_data_that_were_not_agreed_fail_the_command),
		TEST(more_immediate_data_than_a_first_burst_fail_the_command),
		TEST(more_unsolicited_data_than_a_first_burst_are_a_protocol_error),
		TEST(a_write_that_is_cut_off_leaves_whole_blocks),
		TEST(a_wrong_datasn_fails_the_command),
		TEST(a_lost_pdu_fails_the_command_when_the_sequence_ends),
		TEST(a_lost_pdu_fails_the_command_when_every_r2t_is_answered),
		TEST(a_write_that_fails_at_once_waits_for_its_unsolicited_data),
		TEST(a_write_that_fails_at_once_is_not_answered_before_its_unsolicited_data),
		TEST(a_write_that_fails_in_the_store_tells_so),
		TEST(a_read_that_fails_in_the_store_tells_so),
		TEST(status_comes_with_the_last_data),
		TEST(data_are_cut_to_what_the_initiator_takes),
		TEST(data_segments_of_odd_lengths_are_padded),
		TEST(every_burst_ends_with_a_final_bit),
		TEST(a_large_read_comes_whole),
		TEST(an_initiator_that_reads_slowly_gets_everything),
		TEST(unwritten_blocks_read_as_zeros),
		TEST(a_read_of_less_than_expected_is_an_underflow),
		TEST(a_read_of_more_than_expected_is_an_overflow),
		TEST(a_read_into_nothing_is_an_overflow),
		TEST(a_write_of_more_than_the_command_takes_is_an_underflow),
		TEST(only_what_the_command_takes_is_asked_for),
		TEST(a_write_of_less_than_the_command_takes_is_an_overflow),
		TEST(a_command_that_fails_has_moved_nothing),
		TEST(a_command_without_data_has_no_residual),
		TEST(an_answer_cut_by_its_allocation_length_is_an_underflow),
		TEST_PLAIN(immediate_data_need_no_r2t),
		TEST_PLAIN(the_rest_of_immediate_data_is_asked_for),
		TEST_PLAIN(without_immediate_data_everything_is_asked_for),
		TEST_PLAIN(unsolicited_data_need_no_r2t),
		TEST_PLAIN(immediate_and_unsolicited_data_share_the_first_burst),
		TEST_PLAIN(unsolicited_data_may_end_before_the_first_burst_is_full),
		TEST_PLAIN(data_in_pieces_that_are_no_whole_blocks_arrive_whole),
		TEST_PLAIN(a_large_write_arrives_whole),
		TEST_PLAIN(data_that_drip_in_arrive_whole),
		TEST_PLAIN(long_data_that_come_behind_their_header_arrive_whole),
		TEST_PLAIN(long_data_beyond_what_the_command_takes_are_dropped),
		TEST_PLAIN(unsolicited_data_of_a_command_ahead_of_its_turn_wait_with_it),
		TEST_PLAIN(the_rest_of_unsolicited_data_may_come_after_the_turn_of_their_command),
		TEST_PLAIN(unsolicited_data_ahead_of_their_turn_are_bounded),
		TEST_PLAIN(several_r2ts_are_outstanding_when_agreed),
		TEST_PLAIN(one_r2t_at_a_time_is_outstanding_otherwise),
		TEST_PLAIN(an_r2t_names_the_lun_and_numbers_of_its_command),
		TEST_PLAIN(a_write_goes_on_beside_a_read_whose_data_are_not_taken),
		TEST_PLAIN(data_of_several_commands_may_be_mixed),
		TEST_PLAIN(the_lun_of_data_is_not_looked_at),
		TEST_PLAIN(a_data_pdu_without_data_is_taken),
		TEST_PLAIN(a_gap_in_the_data_is_a_protocol_error),
		TEST_PLAIN(data_sent_again_are_a_protocol_error),
		TEST_PLAIN(data_beyond_what_was_asked_for_are_a_protocol_error),
		TEST_PLAIN(a_sequence_that_ends_before_its_time_is_a_protocol_error),
		TEST_PLAIN(a_transfer_tag_that_was_not_given_is_a_protocol_error),
		TEST_PLAIN(unsolicited_data_where_none_were_agreed_are_a_protocol_error),
		TEST_PLAIN(data_beyond_2_to_the_32_are_refused),
		TEST_PLAIN(data_without_a_final_bit_at_the_end_are_a_protocol_error_when_more_come),
		TEST_PLAIN(data_of_no_command_are_dropped),
		TEST_PLAIN(immediate_data_that_were_not_agreed_fail_the_command),
		TEST_PLAIN(unsolicited_data_that_were_not_agreed_fail_the_command),
		TEST_PLAIN(more_immediate_data_than_a_first_burst_fail_the_command),
		TEST_PLAIN(more_unsolicited_data_than_a_first_burst_are_a_protocol_error),
		TEST_PLAIN(a_write_that_is_cut_off_leaves_whole_blocks),
		TEST_PLAIN(a_wrong_datasn_fails_the_command),
		TEST_PLAIN(a_lost_pdu_fails_the_command_when_the_sequence_ends),
		TEST_PLAIN(a_lost_pdu_fails_the_command_when_every_r2t_is_answered),
		TEST_PLAIN(a_write_that_fails_at_once_waits_for_its_unsolicited_data),
		TEST_PLAIN(a_write_that_fails_at_once_is_not_answered_before_its_unsolicited_data),
		TEST_PLAIN(status_comes_with_the_last_data),
		TEST_PLAIN(data_are_cut_to_what_the_initiator_takes),
		TEST_PLAIN(data_segments_of_odd_lengths_are_padded),
		TEST_PLAIN(every_burst_ends_with_a_final_bit),
		TEST_PLAIN(a_large_read_comes_whole),
		TEST_PLAIN(an_initiator_that_reads_slowly_gets_everything),
		TEST_PLAIN(unwritten_blocks_read_as_zeros),
		TEST_PLAIN(a_read_of_less_than_expected_is_an_underflow),
		TEST_PLAIN(a_read_of_more_than_expected_is_an_overflow),
		TEST_PLAIN(a_read_into_nothing_is_an_overflow),
		TEST_PLAIN(a_write_of_more_than_the_command_takes_is_an_underflow),
		TEST_PLAIN(only_what_the_command_takes_is_asked_for),
		TEST_PLAIN(a_write_of_less_than_the_command_takes_is_an_overflow),
		TEST_PLAIN(a_command_that_fails_has_moved_nothing),
		TEST_PLAIN(a_command_without_data_has_no_residual),
		TEST_PLAIN(an_answer_cut_by_its_allocation_length_is_an_underflow),
	};
	return cmocka_run_group_tests_name("data", tests, NULL, NULL);
}
