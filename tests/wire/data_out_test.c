/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data to the target, RFC 7143 4.2.5, 11.3, 11.7, 11.8: immediate, unsolicited and solicited. Whatever
 * way they came, they are on the disk. Data that break the rules are data_error_test.c's.
 */
#include "wire.h"

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

static void data_go_on_arriving_when_another_command_ends_amid_them(void **state)
{
	struct wire *w = *state;
	struct command c = { .cdb = cdb_write(0, 8), .write = true, .out = out, .expect = 4096 };
	struct command r = { .cdb = cdb_read(99, 1), .read = true, .in = in, .expect = WIRE_BLOCK };
	struct ini i;
	struct pdu p;

	ini_begin(&i, w, "");
	unit_ready(&i);
	fill(out, 4096, 78);
	command_send(&i, &c);
	ini_recv(&i, OP_R2T);
	p = pdu_data_out(&i, c.itt, be32(i.bhs + 20), 0, 0, out, 4096, true);
	put_be24(p.bhs + 5, 4096);
	fault_set(w->disk[0], &(struct fault_cfg){ .delay_ms = 60, .seed = 1 });
	command_send(&i, &r);
	ini_send_bytes(&i, p.bhs, sizeof(p.bhs), false);
	ini_send_bytes(&i, out, 1000, false);
	command_finish(&i, &r);
	ini_send_bytes(&i, out + 1000, 3096, false);
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
		TEST(data_go_on_arriving_when_another_command_ends_amid_them),
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
	};
	return cmocka_run_group_tests_name("data out", tests, NULL, NULL);
}
