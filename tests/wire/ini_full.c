/* SPDX-License-Identifier: BSD-2-Clause */
/* The initiator of the wire tests: commands and their data, and the other requests (wire.h). */
#include "wire.h"

#include <stdlib.h>

/* --- requests ------------------------------------------------------------------------------- */

static struct pdu request(struct ini *i, uint8_t opcode, unsigned flags)
{
	struct pdu p = { .bhs = { opcode, (uint8_t)flags } };

	put_be32(p.bhs + 16, i->next_itt++);
	put_be32(p.bhs + 24, i->cmdsn++);
	put_be32(p.bhs + 28, i->expstatsn);
	return p;
}

void pdu_make_immediate(struct ini *i, struct pdu *p)
{
	p->bhs[0] |= BHS_IMMEDIATE;
	i->cmdsn--;
}

struct pdu pdu_scsi(
	struct ini *i, unsigned flags, const uint8_t *cdb, size_t cdb_len, uint32_t expect)
{
	struct pdu p = request(i, OP_SCSI_CMD, flags);

	put_be32(p.bhs + 20, expect);
	memcpy(p.bhs + 32, cdb, cdb_len);
	return p;
}

struct pdu pdu_data_out(struct ini *i, uint32_t itt, uint32_t ttt, uint32_t datasn, uint32_t offset,
	const void *data, uint32_t len, bool final)
{
	struct pdu p = { .bhs = { OP_DATA_OUT, final ? BHS_FINAL : 0 }, .data = data, .len = len };

	put_be32(p.bhs + 16, itt);
	put_be32(p.bhs + 20, ttt);
	put_be32(p.bhs + 28, i->expstatsn);
	put_be32(p.bhs + 36, datasn);
	put_be32(p.bhs + 40, offset);
	return p;
}

struct pdu pdu_nop(struct ini *i, const void *data, uint32_t len)
{
	struct pdu p = request(i, OP_NOP_OUT, BHS_FINAL);

	put_be32(p.bhs + 20, TAG_NONE);
	p.data = data;
	p.len = len;
	return p;
}

struct pdu pdu_text(struct ini *i, const char *keys)
{
	struct pdu p = request(i, OP_TEXT_REQ, BHS_FINAL);

	put_be32(p.bhs + 20, TAG_NONE);
	ini_put_keys(i, &p, keys);
	return p;
}

struct pdu pdu_tmf(struct ini *i, uint8_t function, uint32_t rtt, uint32_t refcmdsn)
{
	struct pdu p = request(i, OP_TMF_REQ, BHS_FINAL | function);

	put_be32(p.bhs + 20, rtt);
	put_be32(p.bhs + 32, refcmdsn);
	pdu_make_immediate(i, &p);
	return p;
}

struct pdu pdu_logout(struct ini *i, uint8_t reason, uint16_t cid)
{
	struct pdu p = request(i, OP_LOGOUT_REQ, BHS_FINAL | reason);

	put_be16(p.bhs + 20, cid);
	return p;
}

/* --- CDBs ----------------------------------------------------------------------------------- */

struct cdb cdb_test_unit_ready(void)
{
	return (struct cdb){ .len = 6 };
}

struct cdb cdb_inquiry(uint16_t alloc)
{
	return (struct cdb){ { 0x12, 0, 0, (uint8_t)(alloc >> 8), (uint8_t)alloc }, 6 };
}

struct cdb cdb_report_luns(uint32_t alloc)
{
	struct cdb c = { { 0xa0 }, 12 };

	put_be32(c.b + 6, alloc);
	return c;
}

static struct cdb cdb_10(uint8_t opcode, uint32_t lba, uint16_t blocks)
{
	struct cdb c = { { opcode }, 10 };

	put_be32(c.b + 2, lba);
	put_be16(c.b + 7, blocks);
	return c;
}

struct cdb cdb_read(uint32_t lba, uint16_t blocks)
{
	return cdb_10(0x28, lba, blocks);
}

struct cdb cdb_write(uint32_t lba, uint16_t blocks)
{
	return cdb_10(0x2a, lba, blocks);
}

/* --- commands: sending ---------------------------------------------------------------------- */

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Data-Out PDUs for [offset, offset+len), the last one final. */
static void send_data(
	struct ini *i, const struct command *c, uint32_t ttt, uint32_t offset, uint32_t len)
{
	uint32_t datasn = 0, end = offset + len;

	while (offset < end) {
		uint32_t n = smaller(i->max_send, end - offset);
		struct pdu p = pdu_data_out(i, c->itt, ttt, datasn++, offset,
			(const uint8_t *)c->out + offset, n, offset + n == end);

		put_be64(p.bhs + 8, c->lun);
		ini_send(i, &p);
		offset += n;
	}
}

void command_send(struct ini *i, struct command *c)
{
	unsigned flags = (c->read ? CMD_READ : 0u) | (c->write ? CMD_WRITE : 0u) | c->attr |
			 (c->unsolicited_len ? 0u : BHS_FINAL);
	struct pdu p = pdu_scsi(i, flags, c->cdb.b, c->cdb.len, c->expect);

	put_be64(p.bhs + 8, c->lun);
	if (c->immediate)
		pdu_make_immediate(i, &p);
	c->itt = pdu_itt(&p);
	p.data = c->out;
	p.len = c->immediate_len;
	ini_send(i, &p);
	if (c->unsolicited_len)
		send_data(i, c, TAG_NONE, c->immediate_len, c->unsolicited_len);
}

/* --- commands: to their end ----------------------------------------------------------------- */

enum { WAIT_MAX = 64 };

struct wait {
	uint32_t ttt, offset, len;
};

/* What a command has under way. */
struct progress {
	uint32_t asked;             /* end of the data that R2Ts have asked for */
	uint32_t in_burst;          /* Data-In bytes since the last F bit */
	struct wait wait[WAIT_MAX]; /* R2Ts that are not answered, from `first` on */
	unsigned first, waiting;
};

/* 11.8: R2TSN counts from 0; lengths keep to MaxBurstLength; with data in order offsets go up without a
 * gap; no more are outstanding than were agreed on. */
static void take_r2t(struct ini *i, struct command *c, struct progress *pr)
{
	uint32_t offset = be32(i->bhs + 40), len = be32(i->bhs + 44), ttt = be32(i->bhs + 20);

	assert_int_equal(be32(i->bhs + 36), c->r2ts);
	assert_int_not_equal(ttt, TAG_NONE);
	assert_int_equal(offset, pr->asked);
	assert_in_range(len, 1, i->max_burst);
	assert_true(len <= c->expect - offset);
	assert_true(pr->waiting < WAIT_MAX);
	pr->wait[(pr->first + pr->waiting++) % WAIT_MAX] = (struct wait){ ttt, offset, len };
	pr->asked += len;
	c->r2ts++;
	if (pr->waiting > c->most_r2ts)
		c->most_r2ts = pr->waiting;
	assert_true(pr->waiting <= i->max_r2t);
}

static void answer_r2t(struct ini *i, struct command *c, struct progress *pr)
{
	const struct wait *w = &pr->wait[pr->first];

	send_data(i, c, w->ttt, w->offset, w->len);
	pr->first = (pr->first + 1) % WAIT_MAX;
	pr->waiting--;
}

/* 11.7: DataSN counts from 0; data in order; F at the end of every burst, and none is longer than
 * MaxBurstLength. */
static void take_data_in(struct ini *i, struct command *c, struct progress *pr)
{
	assert_int_equal(be32(i->bhs + 36), c->data_pdus);
	assert_int_equal(be32(i->bhs + 40), c->got);
	assert_true(i->len <= c->expect - c->got);
	if (c->in)
		memcpy((uint8_t *)c->in + c->got, i->data, i->len);
	c->got += i->len;
	c->data_pdus++;
	pr->in_burst += i->len;
	assert_true(pr->in_burst <= i->max_burst);
	if (i->bhs[1] & DATA_IN_FINAL)
		pr->in_burst = 0;
	else
		assert_int_equal(i->bhs[1] & DATA_IN_STATUS, 0);
	if (i->bhs[1] & DATA_IN_STATUS) {
		c->collapsed = true;
		c->status = i->bhs[3];
		c->flags = i->bhs[1] & (DATA_IN_OVERFLOW | DATA_IN_UNDERFLOW);
		c->residual = be32(i->bhs + 44);
	}
}

static void take_sense(const struct ini *i, struct command *c)
{
	const uint8_t *s = i->data + 2;

	if (i->len < 2)
		return;
	c->sense_len = be16(i->data);
	assert_int_equal(c->sense_len, i->len - 2);
	if (c->sense_len >= 14 && (s[0] & 0x7f) == 0x70) {
		c->sense_key = s[2] & 0x0f;
		c->asc = be16(s + 12);
	} else if (c->sense_len >= 8) {
		c->sense_key = s[1] & 0x0f;
		c->asc = be16(s + 2);
	}
}

static void take_response(const struct ini *i, struct command *c)
{
	assert_int_equal(i->bhs[1] & BHS_FINAL, BHS_FINAL);
	assert_int_equal(i->bhs[2], RESPONSE_COMPLETED);
	assert_int_equal(be32(i->bhs + 36), c->data_pdus ? c->data_pdus : c->r2ts);
	c->status = i->bhs[3];
	c->flags = i->bhs[1] & 0x1e;
	c->residual = be32(i->bhs + 44);
	take_sense(i, c);
}

/* How long to wait for another PDU before an R2T is answered: more of them are expected, or might come
 * against the rule, or there cannot be any. */
static unsigned patience(const struct ini *i, const struct command *c, const struct progress *pr)
{
	if (!pr->waiting)
		return WIRE_LIMIT_MS;
	if (pr->asked == c->expect)
		return 0;
	return pr->waiting < i->max_r2t ? 50 : 1;
}

void command_finish(struct ini *i, struct command *c)
{
	struct progress pr = { .asked = c->immediate_len + c->unsolicited_len };

	for (;;) {
		if (!ini_recv_within(i, patience(i, c, &pr))) {
			if (!pr.waiting)
				fail_msg("no answer to the command");
			answer_r2t(i, c, &pr);
			continue;
		}
		assert_int_equal(be32(i->bhs + 16), c->itt);
		switch (i->bhs[0]) {
		case OP_R2T: take_r2t(i, c, &pr); break;
		case OP_DATA_IN:
			take_data_in(i, c, &pr);
			if (c->collapsed)
				return;
			break;
		case OP_SCSI_RSP: take_response(i, c); return;
		default: fail_msg("opcode 0x%02x instead of an answer to a command", i->bhs[0]);
		}
	}
}

void command_run(struct ini *i, struct command *c)
{
	command_send(i, c);
	command_finish(i, c);
}

/* --- shortest forms ------------------------------------------------------------------------- */

void disk_read(struct ini *i, uint32_t lba, uint16_t blocks, void *in)
{
	struct command c = {
		.cdb = cdb_read(lba, blocks), .read = true, .in = in, .expect = blocks * WIRE_BLOCK
	};

	command_run(i, &c);
	assert_int_equal(c.status, 0);
	assert_int_equal(c.got, c.expect);
}

void disk_write(struct ini *i, uint32_t lba, uint16_t blocks, const void *out)
{
	struct command c = { .cdb = cdb_write(lba, blocks),
		.write = true,
		.out = out,
		.expect = blocks * WIRE_BLOCK };

	if (i->immediate_data)
		c.immediate_len = smaller(smaller(c.expect, i->first_burst), i->max_send);
	command_run(i, &c);
	assert_int_equal(c.status, 0);
}

void unit_ready(struct ini *i)
{
	struct command c = { .cdb = cdb_test_unit_ready() };

	command_run(i, &c);
	while (c.status == 2 && c.sense_key == 6) {
		c = (struct command){ .cdb = cdb_test_unit_ready() };
		command_run(i, &c);
	}
	assert_int_equal(c.status, 0);
}

void expect_unit_attention(struct ini *i, uint16_t asc)
{
	struct command c = { .cdb = cdb_test_unit_ready() };

	command_run(i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.sense_key, 6);
	assert_int_equal(c.asc, asc);
}

/* --- text, task management, logout ---------------------------------------------------------- */

/* 11.11: F, and a TTT of none, with the last; before that a TTT that the next request bears. */
void text(struct ini *i, const char *keys)
{
	struct pdu p = pdu_text(i, keys);
	uint32_t itt = pdu_itt(&p);

	i->keys_len = 0;
	for (;;) {
		bool final;

		ini_send(i, &p);
		ini_recv(i, OP_TEXT_RSP);
		assert_int_equal(be32(i->bhs + 16), itt);
		ini_gather(i);
		final = i->bhs[1] & TEXT_FINAL;
		assert_int_equal(final, be32(i->bhs + 20) == TAG_NONE);
		assert_false(final && i->bhs[1] & TEXT_CONTINUE);
		if (final)
			return;
		p = pdu_text(i, "");
		put_be32(p.bhs + 16, itt);
		memcpy(p.bhs + 20, i->bhs + 20, 4);
		memcpy(p.bhs + 8, i->bhs + 8, 8);
	}
}

uint8_t tmf(struct ini *i, uint8_t function, uint32_t rtt, uint32_t refcmdsn)
{
	struct pdu p = pdu_tmf(i, function, rtt, refcmdsn);

	ini_send(i, &p);
	ini_recv(i, OP_TMF_RSP);
	assert_int_equal(be32(i->bhs + 16), pdu_itt(&p));
	return i->bhs[2];
}

void logout(struct ini *i)
{
	struct pdu p = pdu_logout(i, LOGOUT_SESSION, 0);

	ini_send(i, &p);
	ini_recv(i, OP_LOGOUT_RSP);
	assert_int_equal(be32(i->bhs + 16), pdu_itt(&p));
	assert_int_equal(i->bhs[2], LOGOUT_DONE);
	ini_expect_closed(i);
}
