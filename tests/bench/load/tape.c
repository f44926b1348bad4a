/* SPDX-License-Identifier: BSD-2-Clause */
/* Tapes and libraries (tape.h): SSC-4 and SMC-3 as far as it takes. */
#include "tests/bench/load/tape.h"

#include <stdlib.h>
#include <string.h>

#include "tests/bench/load/clock.h"
#include "tests/bench/load/die.h"

#define SEGMENT  (1u << 20) /* what login() declares as MaxRecvDataSegmentLength */
#define PATTERNS 16u        /* different blocks; the number of a block stands in its first bytes */

/* --- one command at a time ------------------------------------------------------------------- */

struct exchange {
	const uint8_t *out; /* or NULL */
	uint8_t *in;        /* or NULL; SEGMENT more than `len` bytes */
	uint32_t len;       /* of either */
	uint32_t got;
};

static void data_out(struct link *l, const struct exchange *x, const uint8_t *r2t)
{
	uint32_t off = be32(r2t + 40), end = off + be32(r2t + 44), ttt = be32(r2t + 20);

	for (uint32_t sn = 0, n; off < end; off += n) {
		uint8_t bhs[BHS_SIZE] = { OP_DATA_OUT };

		n = end - off < l->max_send ? end - off : l->max_send;
		bhs[1] = off + n == end ? BHS_FINAL : 0;
		put_be32(bhs + 16, be32(r2t + 16));
		put_be32(bhs + 20, ttt);
		put_be32(bhs + 36, sn++);
		put_be32(bhs + 40, off);
		link_send(l, bhs, x->out + off, n);
	}
}

/* What goes without being asked for: immediate data alone. */
static uint32_t unasked(const struct link *l, const struct exchange *x)
{
	uint32_t n = l->immediate && x->out ? x->len : 0;

	n = n < l->first_burst ? n : l->first_burst;
	return n < l->max_send ? n : l->max_send;
}

static void issue(struct link *l, uint8_t lun, const uint8_t *cdb, const struct exchange *x)
{
	uint8_t bhs[BHS_SIZE] = { OP_SCSI_CMD, BHS_FINAL | 1 };

	if (x->len)
		bhs[1] |= x->out ? CMD_WRITE : CMD_READ;
	bhs[9] = lun;
	put_be32(bhs + 16, 0x1000);
	put_be32(bhs + 20, x->len);
	put_be32(bhs + 24, l->cmdsn++);
	memcpy(bhs + 32, cdb, 16);
	link_send(l, bhs, x->out, unasked(l, x));
}

/* Gives the status. */
static uint8_t run(struct link *l, uint8_t lun, const uint8_t cdb[static 16], struct exchange *x)
{
	uint8_t bhs[BHS_SIZE], sense[1024];

	issue(l, lun, cdb, x);
	for (;;) {
		uint32_t room = x->in ? x->len + SEGMENT - x->got : sizeof(sense);

		uint32_t n = link_recv(l, bhs, x->in ? x->in + x->got : sense, room);

		switch (bhs[0] & BHS_OPCODE) {
		case OP_DATA_IN:
			x->got += n;
			if (!(bhs[1] & DATA_IN_STATUS))
				break;
			link_status(l, bhs);
			return bhs[3];
		case OP_R2T: data_out(l, x, bhs); break;
		case OP_SCSI_RSP: link_status(l, bhs); return bhs[3];
		default: die("opcode %02x in answer to a command", bhs[0]);
		}
	}
}

static void must(struct link *l, uint8_t lun, const uint8_t cdb[static 16], struct exchange *x,
	const char *what)
{
	uint8_t status = run(l, lun, cdb, x);

	if (status)
		die("%s ended with status %02x", what, status);
}

#define ATTENTIONS 8

static void wait_until_ready(struct link *l, uint8_t lun)
{
	static const uint8_t test_unit_ready[16];
	struct exchange x = { 0 };

	for (int i = 0; i < ATTENTIONS; i++) {
		if (!run(l, lun, test_unit_ready, &x))
			return;
	}
	die("LUN %u is not ready", lun);
}

/* --- a tape ---------------------------------------------------------------------------------- */

/* DCE of mode page 0Fh. */
static void compression_off(struct link *l, uint8_t lun)
{
	static const uint8_t mode_sense[16] = { 0x1a, 0x08, 0x0f, 0, 4 + 16 };
	static const uint8_t mode_select[16] = { 0x15, 0x10, 0, 0, 4 + 16 };
	static uint8_t list[4 + 16 + SEGMENT];
	struct exchange x = { .in = list, .len = 4 + 16 };

	must(l, lun, mode_sense, &x, "MODE SENSE");
	if (x.got != 4 + 16 || (list[4] & 0x3f) != 0x0f)
		die("there is no mode page 0Fh");
	list[0] = list[1] = 0;
	list[4] &= 0x3f;
	list[4 + 2] &= 0x7f;
	x = (struct exchange){ .out = list, .len = 4 + 16 };
	must(l, lun, mode_select, &x, "MODE SELECT");
}

static void rewind_tape(struct link *l, uint8_t lun)
{
	static const uint8_t rewind[16] = { 0x01 };

	must(l, lun, rewind, &(struct exchange){ 0 }, "REWIND");
}

/* Bytes that no compressor makes smaller. */
static uint8_t *patterns_new(uint32_t bytes)
{
	uint64_t r = UINT64_C(0x9e3779b97f4a7c15);
	uint8_t *p = malloc((size_t)PATTERNS * bytes);

	if (!p)
		die_errno("memory");
	for (size_t i = 0; i + 8 <= (size_t)PATTERNS * bytes; i += 8) {
		r ^= r << 13;
		r ^= r >> 7;
		r ^= r << 17;
		memcpy(p + i, &r, 8);
	}
	return p;
}

static const uint8_t *pattern(uint8_t *patterns, uint32_t bytes, uint64_t number)
{
	uint8_t *p = patterns + number % PATTERNS * bytes;

	put_be64(p, number);
	return p;
}

static uint64_t write_blocks(struct link *l, const struct plan *p, uint8_t *patterns,
	struct tape_result *out)
{
	static const uint8_t filemark[16] = { 0x10, 0, 0, 0, 1 };
	uint64_t start = now(), end = start + (uint64_t)(p->seconds * 1e9);
	uint8_t cdb[16] = { 0x0a };

	put_be24(cdb + 2, p->bytes);
	for (uint64_t t = start; t < end;) {
		struct exchange x = { .out = pattern(patterns, p->bytes, out->blocks),
			.len = p->bytes };
		uint64_t then;

		must(l, p->lun, cdb, &x, "WRITE");
		then = now();
		histogram_add(&out->latency, then - t);
		t = then;
		out->blocks++;
	}
	must(l, p->lun, filemark, &(struct exchange){ 0 }, "WRITE FILEMARKS");
	return now() - start;
}

static uint64_t read_blocks(
	struct link *l, const struct plan *p, uint8_t *patterns, uint64_t blocks)
{
	uint8_t *buf = malloc((size_t)p->bytes + SEGMENT);
	uint64_t start = now();
	uint8_t cdb[16] = { 0x08 };

	if (!buf)
		die_errno("memory");
	put_be24(cdb + 2, p->bytes);
	for (uint64_t i = 0; i < blocks; i++) {
		struct exchange x = { .in = buf, .len = p->bytes };

		must(l, p->lun, cdb, &x, "READ");
		if (x.got != p->bytes || memcmp(buf, pattern(patterns, p->bytes, i), p->bytes) != 0)
			die("block %llu is not what was written", (unsigned long long)i);
	}
	free(buf);
	return now() - start;
}

void tape(const struct login_kit *kit, struct tape_result *out)
{
	const struct plan *p = kit->plan;
	uint8_t *patterns = patterns_new(p->bytes);
	struct link l;

	*out = (struct tape_result){ 0 };
	login(kit, &l, 0);
	wait_until_ready(&l, p->lun);
	compression_off(&l, p->lun);
	rewind_tape(&l, p->lun);
	out->write_seconds = (double)write_blocks(&l, p, patterns, out) * 1e-9;
	rewind_tape(&l, p->lun);
	out->read_seconds = (double)read_blocks(&l, p, patterns, out->blocks) * 1e-9;
	rewind_tape(&l, p->lun);
	logout(&l);
	free(patterns);
}

/* --- a library ------------------------------------------------------------------------------- */

#define STATUS_MAX (4u << 20)

void elements(const struct login_kit *kit, struct elements_result *out)
{
	static const uint8_t all[16] = { 0xb8, 0x10, 0, 0, 0xff, 0xff, 0, STATUS_MAX >> 16 };
	const struct plan *p = kit->plan;
	uint64_t end = now() + (uint64_t)(p->seconds * 1e9), t;
	struct exchange x = { .len = STATUS_MAX };
	struct link l;

	*out = (struct elements_result){ 0 };
	x.in = malloc(STATUS_MAX + SEGMENT);
	if (!x.in)
		die_errno("memory");
	login(kit, &l, 0);
	wait_until_ready(&l, p->lun);
	do {
		x.got = 0;
		t = now();
		must(&l, p->lun, all, &x, "READ ELEMENT STATUS");
		histogram_add(&out->latency, now() - t);
	} while (now() < end);
	if (x.got < 8 || be24(x.in + 5) + 8 != x.got)
		die("the element status is not whole");
	out->elements = be16(x.in + 2);
	out->bytes = x.got;
	logout(&l);
	free(x.in);
}
