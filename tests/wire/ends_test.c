/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ends while something else is in the middle of it: commands while their data come, logins
 * while the server changes, connections while they are answered. Each of these was a bug.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

#define NAMES NAMES_TO(OPEN)

/* --- logins --------------------------------------------------------------------------------- */

static void an_initiator_that_leaves_at_its_last_login_response_leaves_nothing(void **state)
{
	struct wire *w = *state;

	for (int k = 0; k < 5; k++) {
		struct ini i;
		struct pdu p;

		ini_open(&i, w);
		p = pdu_login(&i, OP | TO_FFP, "InitiatorName=" HOST "\nSessionType=Discovery\n");
		ini_send(&i, &p);
		ini_close(&i);
	}
	wire_expect_idle(w);
}

/* A login waits for the old session of its initiator port to end; so many bytes of a longer NOP-Out come
 * with it. */
static void expect_closed_by_half_a_request(struct wire *w, size_t half)
{
	struct ini old, i;
	struct pdu p;
	uint8_t bytes[1024] = { 0 };
	size_t n;

	ini_begin(&old, w, "");
	ini_open(&i, w);
	p = pdu_login(&i, OP | TO_FFP, NAMES);
	memcpy(bytes, p.bhs, BHS_SIZE);
	put_be24(bytes + 5, p.len);
	memcpy(bytes + BHS_SIZE, p.data, p.len);
	n = BHS_SIZE + ((p.len + 3) & ~3u);
	bytes[n] = BHS_IMMEDIATE;
	bytes[n + 1] = BHS_FINAL;
	put_be24(bytes + n + 5, 100);
	put_be32(bytes + n + 20, TAG_NONE);
	ini_send_bytes(&i, bytes, n + half, false);
	ini_expect_closed_at_last(&i);
	ini_close(&old);
	ini_close(&i);
	wire_expect_idle(w);
}

static void half_a_request_behind_a_login_that_waits_closes_the_connection(void **state)
{
	expect_closed_by_half_a_request(*state, BHS_SIZE + 8);
}

static void half_a_header_behind_a_login_that_waits_closes_the_connection(void **state)
{
	expect_closed_by_half_a_request(*state, BHS_SIZE - 8);
}

static void a_secret_that_was_replaced_before_the_login_began_is_refused(void **state)
{
	/* The connection was there before the change, and had not said yet who it is. */
	struct wire *w = *state;
	struct chap old = chap_host1();
	struct ini i;

	ini_open(&i, w);
	wire_sleep_ms(50);
	w->row[0].in_secret = (struct secret_view){ (const uint8_t *)"another-secret-99", 17 };
	wire_publish(w);
	assert_int_equal(wire_close(w, LOCKED, 0), 0);
	assert_int_equal(chap_login(&i, &old, LOCKED, ""), LOGIN_AUTH_FAILED);
	wire_expect_sessions(w, 0);
	ini_close(&i);
}

static void a_unit_that_was_removed_during_a_login_is_not_there_behind_it(void **state)
{
	struct wire *w = *state;
	struct lun_map *none, *old = w->target[0].luns;
	struct cdb ready = cdb_test_unit_ready();
	struct ini i;
	struct pdu p;

	ini_open(&i, w);
	assert_int_equal(login(&i, OP, NAMES), LOGIN_SUCCESS);
	assert_int_equal(lun_map_create(NULL, 0, &none), 0);
	w->target[0].luns = none;
	wire_publish(w);
	lun_map_unref(old);
	assert_int_equal(login(&i, OP | TO_FFP, ""), LOGIN_SUCCESS);
	p = pdu_scsi(&i, BHS_FINAL, ready.b, ready.len, 0);
	ini_send(&i, &p);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(i.bhs[3], SCSI_CHECK_CONDITION);
	assert_int_equal(be16(i.data + 2 + 12), 0x2500); /* LOGICAL UNIT NOT SUPPORTED */
	ini_close(&i);
}

/* --- discovery ------------------------------------------------------------------------------ */

static void a_scsi_command_ahead_of_its_turn_does_no_harm_in_a_discovery_session(void **state)
{
	struct cdb inquiry = cdb_inquiry(96);
	struct ini i;
	struct pdu p;

	ini_open(&i, *state);
	ini_login_discovery(&i);
	i.cmdsn++;
	p = pdu_scsi(&i, BHS_FINAL | CMD_READ, inquiry.b, inquiry.len, 96);
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_PROTOCOL_ERROR);
	i.cmdsn -= 2;
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_text_request_that_is_not_final_is_not_answered_finally(void **state)
{
	struct ini i;
	struct pdu p;

	ini_open(&i, *state);
	ini_login_discovery(&i);
	p = pdu_text(&i, "SendTargets=All\n");
	p.bhs[1] = 0;
	ini_send(&i, &p);
	ini_recv(&i, OP_TEXT_RSP);
	assert_int_equal(i.bhs[1] & TEXT_FINAL, 0);
	assert_int_not_equal(be32(i.bhs + 20), TAG_NONE);
	ini_close(&i);
}

/* --- commands ------------------------------------------------------------------------------- */

static void a_command_with_an_unknown_additional_header_is_refused(void **state)
{
	static const uint8_t ahs[8] = { 0, 5, 0x3f, 0 };
	struct cdb ready = cdb_test_unit_ready();
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	p = pdu_scsi(&i, BHS_FINAL, ready.b, ready.len, 0);
	p.ahs = ahs;
	p.ahs_len = sizeof(ahs);
	ini_send(&i, &p);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(i.bhs[3], SCSI_CHECK_CONDITION);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_bidirectional_read_gets_no_more_than_there_is(void **state)
{
	/* The AHS asks for 64 KiB; the READ was of 512 bytes. */
	static const uint8_t ahs[8] = { 0, 5, 2, 0, 0, 1, 0, 0 };
	struct cdb read = cdb_read(0, 128);
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "MaxRecvDataSegmentLength=262144\n");
	unit_ready(&i);
	p = pdu_scsi(&i, BHS_FINAL | CMD_READ | CMD_WRITE, read.b, read.len, 512);
	p.ahs = ahs;
	p.ahs_len = sizeof(ahs);
	ini_send(&i, &p);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(i.bhs[3], SCSI_CHECK_CONDITION);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void data_of_a_command_that_was_reset_reach_no_other_command(void **state)
{
	/* a is in the middle of a PDU of its WRITE when b resets the unit; b's own WRITE comes next. */
	static uint8_t lost[8192], kept[7168], back[7168];
	struct wire *w = *state;
	struct cdb first = cdb_write(0, 16), second = cdb_write(100, 14);
	struct ini a, b;
	struct pdu p, q, d;

	memset(lost, 0xaa, sizeof(lost));
	memset(kept, 0x55, sizeof(kept));
	ini_begin(&a, w, "");
	unit_ready(&a);
	ini_open(&b, w);
	b.isid[5] = 9;
	ini_login(&b, OPEN, "");
	unit_ready(&b);
	p = pdu_scsi(&a, BHS_FINAL | CMD_WRITE, first.b, first.len, sizeof(lost));
	put_be24(p.bhs + 5, sizeof(lost));
	ini_send_bytes(&a, p.bhs, BHS_SIZE, false);
	ini_send_bytes(&a, lost, 1024, false);
	wire_sleep_ms(50);
	assert_int_equal(tmf(&b, TMF_LUN_RESET, TAG_NONE, 0), TMF_COMPLETE);
	unit_ready(&b);
	q = pdu_scsi(&b, BHS_FINAL | CMD_WRITE, second.b, second.len, sizeof(kept));
	ini_send(&b, &q);
	ini_recv(&b, OP_R2T);
	d = pdu_data_out(&b, pdu_itt(&q), be32(b.bhs + 20), 0, 0, kept, sizeof(kept), true);
	ini_send_bytes(&a, lost + 1024, sizeof(lost) - 1024, true);
	wire_sleep_ms(50);
	ini_send(&b, &d);
	ini_recv(&b, OP_SCSI_RSP);
	assert_int_equal(b.bhs[3], SCSI_GOOD);
	disk_read(&b, 100, 14, back);
	assert_memory_equal(back, kept, sizeof(kept));
	ini_close(&a);
	ini_close(&b);
}

/* Two PDUs as one piece of bytes, so that the target has read both before it can close. */
static size_t both(
	struct ini *i, const struct pdu *bad, const struct pdu *good, uint8_t *out, size_t max)
{
	int fd = i->fd, pair[2], size = 1 << 20;
	ssize_t n;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	i->fd = pair[0];
	i->broken_data_digest = true;
	ini_send(i, bad);
	ini_send(i, good);
	n = read(pair[1], out, max);
	assert_true(n > 0);
	i->fd = fd;
	close(pair[0]);
	close(pair[1]);
	return (size_t)n;
}

static void data_with_a_wrong_digest_are_not_written_with_those_behind_them(void **state)
{
	static uint8_t bad[8192], good[8192], back[16384], bytes[20000];
	struct wire *w = *state;
	struct cdb write = cdb_write(0, 32);
	struct ini i;
	struct pdu p, d0, d1;
	size_t n;

	memset(bad, 0x55, sizeof(bad));
	memset(good, 0xaa, sizeof(good));
	ini_begin(&i, w, "DataDigest=CRC32C\nInitialR2T=No\nImmediateData=No\n");
	unit_ready(&i);
	p = pdu_scsi(&i, CMD_WRITE, write.b, write.len, 16384);
	ini_send(&i, &p);
	d0 = pdu_data_out(&i, pdu_itt(&p), TAG_NONE, 0, 0, bad, sizeof(bad), false);
	d1 = pdu_data_out(&i, pdu_itt(&p), TAG_NONE, 1, 8192, good, sizeof(good), true);
	n = both(&i, &d0, &d1, bytes, sizeof(bytes));
	ini_send_bytes(&i, bytes, n, false);
	ini_expect_closed_at_last(&i);
	ini_close(&i);
	ini_begin(&i, w, "");
	unit_ready(&i);
	disk_read(&i, 0, 32, back);
	for (size_t k = 0; k < 8192; k++)
		assert_int_equal(back[k], 0);
	ini_close(&i);
}

static void a_unit_that_leaves_takes_no_more_commands(void **state)
{
	/* Reads are always outstanding, so that the session never has a moment without one. */
	struct wire *w = *state;
	struct lun_map *none, *old = w->target[0].luns;
	struct cdb read = cdb_read(0, 2048);
	unsigned refused = 0;
	struct ini i;
	struct pdu p;

	ini_begin(&i, w, "MaxRecvDataSegmentLength=262144\n");
	unit_ready(&i);
	for (int k = 0; k < 3; k++) {
		p = pdu_scsi(&i, BHS_FINAL | CMD_READ, read.b, read.len, 1 << 20);
		ini_send(&i, &p);
	}
	assert_int_equal(lun_map_create(NULL, 0, &none), 0);
	w->target[0].luns = none;
	wire_publish(w);
	lun_map_unref(old);
	for (int k = 0; k < 100 && refused < 10; k++) {
		if (!ini_recv_within(&i, 1000))
			break;
		if (i.bhs[0] == OP_SCSI_RSP)
			refused++;
		else if (!(i.bhs[0] == OP_DATA_IN && i.bhs[1] & DATA_IN_STATUS))
			continue;
		p = pdu_scsi(&i, BHS_FINAL | CMD_READ, read.b, read.len, 1 << 20);
		ini_send(&i, &p);
	}
	assert_int_equal(refused, 10);
	ini_close(&i);
}

static void a_command_that_runs_while_its_unsolicited_data_come_is_answered(void **state)
{
	static const uint8_t data[8192];
	struct wire *w = *state;
	struct cdb flush = { .b = { 0x35 }, .len = 10 };
	struct ini i;
	struct pdu p, d;

	ini_begin(&i, w, "InitialR2T=No\nImmediateData=No\n");
	unit_ready(&i);
	fault_set(w->disk[0], &(struct fault_cfg){ .delay_ms = 100, .seed = 3 });
	p = pdu_scsi(&i, CMD_WRITE, flush.b, flush.len, sizeof(data));
	ini_send(&i, &p);
	d = pdu_data_out(&i, pdu_itt(&p), TAG_NONE, 0, 0, data, sizeof(data), true);
	ini_send(&i, &d);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(i.bhs[3], SCSI_GOOD);
	ini_close(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_initiator_that_leaves_at_its_last_login_response_leaves_nothing),
		TEST(half_a_request_behind_a_login_that_waits_closes_the_connection),
		TEST(half_a_header_behind_a_login_that_waits_closes_the_connection),
		TEST(a_secret_that_was_replaced_before_the_login_began_is_refused),
		TEST(a_unit_that_was_removed_during_a_login_is_not_there_behind_it),
		TEST(a_scsi_command_ahead_of_its_turn_does_no_harm_in_a_discovery_session),
		TEST(a_text_request_that_is_not_final_is_not_answered_finally),
		TEST(a_command_with_an_unknown_additional_header_is_refused),
		TEST(a_bidirectional_read_gets_no_more_than_there_is),
		TEST(data_of_a_command_that_was_reset_reach_no_other_command),
		TEST(data_with_a_wrong_digest_are_not_written_with_those_behind_them),
		TEST_PLAIN(a_unit_that_leaves_takes_no_more_commands),
		TEST(a_command_that_runs_while_its_unsolicited_data_come_is_answered),
	};

	return cmocka_run_group_tests_name("ends", tests, NULL, NULL);
}
