/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What there is to know of copies: how far they are, what came of them (SPC-4 6.15 to 6.18), the
 * limits, VPD 8Fh; and the rows of all these commands.
 */
#include <string.h>

#include "scsi/copy.h"
#include "scsi/reply.h"
#include "scsi/sbc.h"

enum { EXTENDED_COPY = 0x83, RECEIVE_COPY = 0x84 };

/* --- RECEIVE COPY STATUS(LID1) ---------------------------------------------------------- */

/* TRANSFER COUNT in units that hold it (SPC-4 table 187). */
static void wr_transferred(struct wr *w, uint64_t bytes)
{
	unsigned unit = 0;

	while (bytes > UINT32_MAX) {
		bytes >>= 10;
		unit++;
	}
	wr_u8(w, (uint8_t)unit);
	wr_be32(w, (uint32_t)bytes);
}

static enum scsi_next status_lid1(struct scsi_task *t)
{
	static const uint8_t codes[] = {
		[COPY_RUNS] = 0, [COPY_DONE] = 1, [COPY_FAILED] = 2, [COPY_ABORTED] = 2
	};
	const struct copy *c = copy_find(t->itl, t->cdb[2], true);
	struct wr w;

	if (!c)
		return task_bad_cdb(t, 2, -1);
	if (!reply_open(t, &w, 12))
		return SCSI_DONE;
	wr_be32(&w, 8);
	wr_u8(&w, codes[c->state]);
	wr_be16(&w, c->segments);
	wr_transferred(&w, c->bytes);
	return reply_close(t, &w, be32(t->cdb + 10));
}

/* RECEIVE COPY FAILURE DETAILS(LID1): nothing, where nothing failed. They are told once. */
static enum scsi_next failure_lid1(struct scsi_task *t)
{
	struct copy *c = copy_find(t->itl, t->cdb[2], true);
	uint8_t sense[SENSE_MAX];
	enum scsi_next next;
	size_t len = 0;
	struct wr w;

	if (!c || c->state == COPY_RUNS)
		return task_bad_cdb(t, 2, -1);
	if (!reply_open(t, &w, 60 + SENSE_MAX))
		return SCSI_DONE;
	if (c->status == SCSI_CHECK_CONDITION)
		len = sense_encode(&c->sense, false, sense);
	wr_be32(&w, c->status ? (uint32_t)(56 + len) : 0);
	if (c->status) {
		wr_zero(&w, 56 - 4);
		wr_u8(&w, c->status);
		wr_u8(&w, 0);
		wr_be16(&w, (uint16_t)len);
		wr_bytes(&w, sense, len);
	}
	next = reply_close(t, &w, be32(t->cdb + 10));
	copy_free(c);
	return next;
}

/* RECEIVE COPY OPERATING PARAMETERS. */
static enum scsi_next parameters(struct scsi_task *t)
{
	struct wr w;

	if (!reply_open(t, &w, 64))
		return SCSI_DONE;
	wr_be32(&w, 44 - 4 + 3);
	wr_u8(&w, 0x01); /* SNLID: a list identifier is not needed */
	wr_zero(&w, 3);
	wr_be16(&w, COPY_CSCDS);
	wr_be16(&w, COPY_SEGMENTS);
	wr_be32(&w, COPY_LIST_MAX);
	wr_be32(&w, COPY_SEGMENT_MAX);
	wr_be32(&w, 0); /* inline data */
	wr_be32(&w, 0); /* held data */
	wr_be32(&w, 0); /* stream devices */
	wr_zero(&w, 2);
	wr_be16(&w, COPY_RUNNING);
	wr_u8(&w, COPY_RUNNING);
	wr_u8(&w, 9); /* DATA SEGMENT GRANULARITY: 512 bytes */
	wr_zero(&w, 2 + 3);
	wr_bytes(&w, (const uint8_t[]){ 3, 0x02, 0x0a, 0xe4 }, 4);
	return reply_close(t, &w, be32(t->cdb + 10));
}

/* --- COPY OPERATION ABORT ---------------------------------------------------------------- */

/* Of a copy with a list identifier of four bytes; one of EXTENDED COPY(LID1) ends with its command.
 * What is in flight is waited for by that copy, not by us. */
static enum scsi_next abort_copy(struct scsi_task *t)
{
	struct copy *c = copy_find(t->itl, be32(t->cdb + 2), false);

	if (!c || c->state != COPY_RUNS)
		return task_bad_cdb(t, 2, -1);
	c->stop = true;
	return task_good(t);
}

// clang-format off
const struct scsi_op copy_ops[] = {
	{ EXTENDED_COPY, 0x00, .name = "EXTENDED COPY(LID1)", .start = copy_lid1,
	  .data = copy_lid1_data, .cancel = copy_cancel, .stops = STOPS_CHANGE,
	  .usage = { 0x83, 0x00, [10] = FF4, 0, 0x04 } },
	{ EXTENDED_COPY, 0x10, .name = "POPULATE TOKEN", .start = copy_populate,
	  .data = copy_populate_data, .stops = STOPS_READ,
	  .usage = { 0x83, 0x10, [6] = FF4, FF4, 0, 0x04 } },
	{ EXTENDED_COPY, 0x11, .name = "WRITE USING TOKEN", .start = copy_use,
	  .data = copy_use_data, .cancel = copy_cancel, .stops = STOPS_WRITE,
	  .usage = { 0x83, 0x11, [6] = FF4, FF4, 0, 0x04 } },
	{ EXTENDED_COPY, 0x1c, .name = "COPY OPERATION ABORT", .start = abort_copy,
	  .stops = STOPS_UA, .usage = { 0x83, 0x1c, FF4, [15] = 0x04 } },
	{ RECEIVE_COPY, 0x00, .name = "RECEIVE COPY STATUS(LID1)", .start = status_lid1,
	  .stops = STOPS_QUERY, .usage = { 0x84, 0x00, 0xff, [10] = FF4, 0, 0x04 } },
	{ RECEIVE_COPY, 0x03, .name = "RECEIVE COPY OPERATING PARAMETERS", .start = parameters,
	  .stops = STOPS_QUERY, .usage = { 0x84, 0x03, [10] = FF4, 0, 0x04 } },
	{ RECEIVE_COPY, 0x04, .name = "RECEIVE COPY FAILURE DETAILS(LID1)", .start = failure_lid1,
	  .stops = STOPS_QUERY, .usage = { 0x84, 0x04, 0xff, [10] = FF4, 0, 0x04 } },
	{ RECEIVE_COPY, 0x07, .name = "RECEIVE ROD TOKEN INFORMATION",
	  .start = copy_token_information, .stops = STOPS_QUERY,
	  .usage = { 0x84, 0x07, FF4, [10] = FF4, 0, 0x04 } },
	{ RECEIVE_COPY, 0x08, .name = "REPORT ALL ROD TOKENS", .start = copy_all_tokens,
	  .stops = STOPS_QUERY, .usage = { 0x84, 0x08, [10] = FF4, 0, 0x04 } },
	{ .name = NULL },
};
// clang-format on

/* --- VPD 8Fh (SPC-4 7.8.17) ---------------------------------------------------------------- */

/* A descriptor's header is written first, and filled in by its end, which pads. */
static size_t descriptor_begin(struct wr *w, uint16_t type)
{
	wr_be16(w, type);
	wr_be16(w, 0);
	return w->len;
}

static void descriptor_end(struct wr *w, size_t start)
{
	wr_zero(w, (4 - (w->len - start) % 4) % 4);
	if (wr_fits(w))
		put_be16(w->buf + start - 2, (uint16_t)(w->len - start));
}

/* The service actions of one operation code, from the rows themselves. */
static void wr_services(struct wr *w, uint8_t code)
{
	size_t count;

	wr_u8(w, code);
	count = w->len;
	wr_u8(w, 0);
	for (const struct scsi_op *op = copy_ops; op->name; op++) {
		if (op->code != code)
			continue;
		wr_u8(w, (uint8_t)op->service);
		w->buf[count]++;
	}
}

static void wr_commands(struct wr *w)
{
	size_t at = descriptor_begin(w, 0x0001), list = w->len;

	wr_u8(w, 0);
	wr_services(w, EXTENDED_COPY);
	wr_services(w, RECEIVE_COPY);
	w->buf[list] = (uint8_t)(w->len - list - 1);
	descriptor_end(w, at);
}

static void wr_parameter_data(struct wr *w)
{
	size_t at = descriptor_begin(w, 0x0004);

	wr_zero(w, 4);
	wr_be16(w, COPY_CSCDS);
	wr_be16(w, COPY_SEGMENTS);
	wr_be32(w, COPY_LIST_MAX);
	wr_be32(w, 0); /* inline data */
	wr_zero(w, 12);
	descriptor_end(w, at);
}

static void wr_descriptors(struct wr *w)
{
	size_t at = descriptor_begin(w, 0x0008);

	wr_bytes(w, (const uint8_t[]){ 3, 0x02, 0x0a, 0xe4 }, 4);
	descriptor_end(w, at);
	at = descriptor_begin(w, 0x000c); /* CSCD descriptor IDs: the unit that is asked */
	wr_be16(w, 2);
	wr_be16(w, 0xffff);
	descriptor_end(w, at);
}

static void wr_operations(struct wr *w)
{
	size_t at = descriptor_begin(w, 0x8001);

	wr_be32(w, COPY_RUNNING);
	wr_be32(w, COPY_RUNNING);
	wr_be32(w, COPY_SEGMENT_MAX);
	wr_u8(w, 9);
	wr_u8(w, 0);
	wr_zero(w, 18);
	descriptor_end(w, at);
}

/* Block device ROD token limits, which Windows looks for first: SBC-4 6.6.8. */
static void wr_token_limits(struct wr *w, const struct lu *lu)
{
	size_t at = descriptor_begin(w, 0x0000);

	wr_zero(w, 6);
	wr_be16(w, COPY_RANGES);
	wr_be32(w, COPY_TIMEOUT_MAX);
	wr_be32(w, COPY_TIMEOUT);
	wr_be64(w, COPY_TOKEN_MAX >> lu->block_shift);
	wr_be64(w, COPY_TOKEN_OPTIMAL >> lu->block_shift);
	descriptor_end(w, at);
}

static void wr_token_features(struct wr *w, const struct lu *lu)
{
	size_t at = descriptor_begin(w, 0x0106);

	wr_u8(w, 0); /* REMOTE TOKENS: none */
	wr_zero(w, 11);
	wr_be32(w, 1);
	wr_be32(w, UINT32_MAX); /* in use, a token lives on */
	wr_be32(w, COPY_TIMEOUT_MAX);
	wr_zero(w, 18);
	wr_be16(w, 48); /* block device features follow */
	wr_be16(w, 0);
	wr_be16(w, 44);
	wr_zero(w, 2);
	wr_be16(w, (uint16_t)(SBC_PAGE >> lu->block_shift)); /* granularity */
	wr_be64(w, COPY_TOKEN_MAX);
	wr_be64(w, COPY_TOKEN_OPTIMAL);
	wr_be64(w, COPY_TOKEN_MAX); /* to a token, from a token */
	wr_be64(w, COPY_TOKEN_OPTIMAL);
	wr_zero(w, 8);
	descriptor_end(w, at);
}

/* A ROD type that tokens have. */
static void wr_token_type(struct wr *w, uint32_t type, uint8_t flags)
{
	wr_be32(w, type);
	wr_u8(w, flags);
	wr_zero(w, 64 - 5);
}

static void wr_token_types(struct wr *w)
{
	size_t at = descriptor_begin(w, 0x0108);

	wr_be16(w, 0);
	wr_be16(w, 2 * 64);
	wr_token_type(w, UINT32_C(0x00010000), 0x03); /* upon reference: made here, taken here */
	wr_token_type(w, UINT32_C(0xffff0001), 0x02); /* zeros: taken */
	descriptor_end(w, at);
}

void vpd_third_party_copy(struct wr *w, const struct itl *itl)
{
	wr_token_limits(w, itl->lu);
	wr_commands(w);
	wr_parameter_data(w);
	wr_descriptors(w);
	wr_token_features(w, itl->lu);
	wr_token_types(w);
	wr_operations(w);
}
