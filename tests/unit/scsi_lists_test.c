/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every command of a disk that takes a parameter list, or data whose length its CDB tells: with each
 * length in it set to whatever could be short, long, overlapping or wrapping, with the list cut
 * anywhere, in the CDB or on its way. Each is run twice, with different rubbish where nothing came:
 * what did not come must have no influence, and what was refused must not have changed a block.
 */
#include "tests/unit/scsi_copy_support.h"

#define BLOCKS   256
#define LIST_MAX 600
#define BLOCK    512

enum { FIELDS = 8, CDB = 1, LIST = 0 };

/* A number in the CDB or in the list. */
struct field {
	bool in_cdb;
	uint16_t at;
	uint8_t width; /* bytes */
};

struct list_case {
	const char *name;
	uint8_t cdb[16];
	struct field len; /* of the list, in the CDB; width 0: it tells no bytes */
	struct field fields[FIELDS];
	uint32_t n; /* how long the list is */
	uint8_t list[64];
	void (*fill)(struct disks *d, uint8_t *list); /* what else is in it */
	bool whole;                                   /* a part of it is never enough */
};

/* --- lists ----------------------------------------------------------------------------- */

static void fill_blocks(struct disks *d, uint8_t *list)
{
	(void)d;
	rig_fill(list, BLOCK, 5);
}

/* The verify half is what is there. */
static void fill_compare(struct disks *d, uint8_t *list)
{
	(void)d;
	rig_fill(list, BLOCK, 1);
	rig_fill(list + BLOCK, 64, 2);
}

static void fill_there(struct disks *d, uint8_t *list)
{
	(void)d;
	rig_fill(list, BLOCK, 1);
}

static const char other_port[] = "iqn.2026-11.com.example:host2,i,0x00023d000001";

/* A TransportID of format 01b: 4 bytes, and the name (SPC-5 7.6.4.6). */
static void put_transport_id(uint8_t *p)
{
	p[0] = 0x45;
	p[3] = 48;
	memcpy(p + 4, other_port, sizeof(other_port));
}

static void fill_others(struct disks *d, uint8_t *list)
{
	(void)d;
	put_transport_id(list + 28);
}

static void fill_move(struct disks *d, uint8_t *list)
{
	static const uint8_t key[24] = { [15] = 0xa };

	put_transport_id(list + 24);
	assert_good(ON(d, 0, 0, key, 24, 0x5f, 0, 0, 0, 0, BE4(24), 0));
	assert_good(
		ON(d, 0, 0, ((const uint8_t[24]){ [7] = 0xa }), 24, 0x5f, 1, 1, 0, 0, BE4(24), 0));
}

static void fill_copy(struct disks *d, uint8_t *list)
{
	static const uint8_t head[8] = { 0xe4, 0, 0, 0, 1, 3, 0, 16 };

	(void)d;
	for (unsigned i = 0; i < 2; i++) {
		memcpy(list + 16 + 32 * i, head, sizeof(head));
		memcpy(list + 24 + 32 * i, naas[i], 16);
		list[16 + 32 * i + 30] = BLOCK >> 8;
	}
	memcpy(list + 80,
		((const uint8_t[]){
			0x02, 0, BE2(24), BE2(0), BE2(1), 0, 0, BE2(4), BE8(0), BE8(8) }),
		28);
}

static void fill_token(struct disks *d, uint8_t *list)
{
	const uint8_t populate[32] = { 0, 30, [14] = 0, 16, BE8(0), BE4(4) };

	assert_good(ON(d, 0, 0, populate, 32, 0x83, 0x10, 0, 0, 0, 0, BE4(7), BE4(32), 0, 0));
	assert_good(ON(d, 0, 0, NULL, 1024, 0x84, 0x07, BE4(7), 0, 0, 0, 0, BE4(1024), 0, 0));
	memcpy(list + 16, rig_in + 38, 512);
	put_be16(list + 534, 16);
	put_be64(list + 536, 16);
	put_be32(list + 544, 4);
}

// clang-format off
static const struct list_case cases[] = {
	{ "MODE SELECT(6)", { 0x15, 0x10, 0, 0, 16 }, { CDB, 4, 1 },
	  { { LIST, 0, 1 }, { LIST, 3, 1 }, { LIST, 5, 1 } },
	  16, { 0, 0, 0, 0, 0x0a, 0x0a, 0x06, 0x10, 0, 0x40, 0, 0, 0xff, 0xff }, NULL, false },
	{ "MODE SELECT(6), block descriptor", { 0x15, 0x10, 0, 0, 24 }, { CDB, 4, 1 },
	  { { LIST, 3, 1 }, { LIST, 4, 4 }, { LIST, 8, 4 }, { LIST, 13, 1 } },
	  24, { 0, 0, 0, 8, BE4(BLOCKS), BE4(BLOCK), 0x0a, 0x0a, 0x06, 0x10, 0, 0x40, 0, 0, 0xff,
		0xff }, NULL, false },
	{ "MODE SELECT(10)", { 0x55, 0x10, 0, 0, 0, 0, 0, BE2(52) }, { CDB, 7, 2 },
	  { { LIST, 0, 2 }, { LIST, 6, 2 }, { LIST, 9, 1 }, { LIST, 22, 2 } },
	  52, { [8] = 0x0a, 0x0a, 0x06, 0x10, 0, 0x40, 0, 0, 0xff, 0xff, [20] = 0x4a, 0x01, 0, 0x1c },
	  NULL, false },
	{ "MODE SELECT(10), long block descriptor", { 0x55, 0x10, 0, 0, 0, 0, 0, BE2(36) },
	  { CDB, 7, 2 }, { { LIST, 6, 2 }, { LIST, 8, 8 }, { LIST, 20, 4 }, { LIST, 25, 1 } },
	  36, { 0, 0, 0, 0, 1, 0, BE2(16), BE8(BLOCKS), BE4(0), BE4(BLOCK), 0x0a, 0x0a, 0x06, 0x10, 0,
		0x40, 0, 0, 0xff, 0xff }, NULL, false },
	{ "UNMAP", { 0x42, 0, 0, 0, 0, 0, 0, BE2(40) }, { CDB, 7, 2 },
	  { { LIST, 0, 2 }, { LIST, 2, 2 }, { LIST, 8, 8 }, { LIST, 16, 4 }, { LIST, 24, 8 },
	    { LIST, 32, 4 } },
	  40, { BE2(38), BE2(32), 0, 0, 0, 0, BE8(0), BE4(4), BE4(0), BE8(2), BE4(4), BE4(0) }, NULL, true },
	{ "PERSISTENT RESERVE OUT, REGISTER", { 0x5f, 0, 0, 0, 0, BE4(80) }, { CDB, 5, 4 },
	  { { LIST, 24, 4 }, { LIST, 30, 2 } },
	  80, { [15] = 0xa, [20] = 0x08, [27] = 52 }, fill_others, true },
	{ "PERSISTENT RESERVE OUT, REGISTER AND MOVE", { 0x5f, 7, 1, 0, 0, BE4(76) }, { CDB, 5, 4 },
	  { { LIST, 20, 4 }, { LIST, 26, 2 } },
	  76, { [7] = 0xa, [15] = 0xb, [19] = 1, [23] = 52 }, fill_move, true },
	{ "EXTENDED COPY", { 0x83, [10] = BE4(108) }, { CDB, 10, 4 },
	  { { LIST, 2, 2 }, { LIST, 8, 4 }, { LIST, 12, 4 }, { LIST, 23, 1 }, { LIST, 82, 2 },
	    { LIST, 90, 2 }, { LIST, 92, 8 }, { LIST, 100, 8 } },
	  108, { 1, 0, BE2(64), [8] = BE4(28) }, fill_copy, true },
	{ "POPULATE TOKEN", { 0x83, 0x10, [6] = BE4(1), BE4(48) }, { CDB, 10, 4 },
	  { { LIST, 0, 2 }, { LIST, 14, 2 }, { LIST, 16, 8 }, { LIST, 24, 4 }, { LIST, 32, 8 },
	    { LIST, 40, 4 } },
	  48, { BE2(46), [14] = BE2(32), BE8(0), BE4(4), BE4(0), BE8(8), BE4(4), BE4(0) }, NULL, true },
	{ "WRITE USING TOKEN", { 0x83, 0x11, [6] = BE4(2), BE4(552) }, { CDB, 10, 4 },
	  { { LIST, 0, 2 }, { LIST, 534, 2 }, { LIST, 8, 8 }, { LIST, 536, 8 }, { LIST, 544, 4 } },
	  552, { BE2(550) }, fill_token, true },
	{ "SANITIZE, OVERWRITE", { 0x48, 0x01, [7] = BE2(8) }, { CDB, 7, 2 },
	  { { LIST, 0, 1 }, { LIST, 2, 2 } }, 8, { 1, 0, BE2(4), 1, 2, 3, 4 }, NULL, true },
	{ "FORMAT UNIT", { 0x04, 0x10 }, { CDB, 0, 0 }, { { LIST, 2, 2 } }, 4, { 0 }, NULL, true },
	{ "FORMAT UNIT, long list", { 0x04, 0x30 }, { CDB, 0, 0 }, { { LIST, 4, 4 } }, 8, { 0 },
	  NULL, true },
	{ "COMPARE AND WRITE", { 0x89, [13] = 1 }, { CDB, 0, 0 }, { { CDB, 2, 8 }, { CDB, 13, 1 } },
	  2 * BLOCK, { 0 }, fill_compare, true },
	{ "ORWRITE", { 0x8b, [13] = 1 }, { CDB, 0, 0 }, { { CDB, 2, 8 }, { CDB, 10, 4 } },
	  BLOCK, { 0 }, fill_blocks, false },
	{ "WRITE(10)", { 0x2a, [8] = 1 }, { CDB, 0, 0 }, { { CDB, 2, 4 }, { CDB, 7, 2 } },
	  BLOCK, { 0 }, fill_blocks, false },
	{ "WRITE(16)", { 0x8a, [13] = 1 }, { CDB, 0, 0 }, { { CDB, 2, 8 }, { CDB, 10, 4 } },
	  BLOCK, { 0 }, fill_blocks, false },
	{ "WRITE ATOMIC(16)", { 0x9c, [13] = 1 }, { CDB, 0, 0 }, { { CDB, 2, 8 }, { CDB, 12, 2 } },
	  BLOCK, { 0 }, fill_blocks, false },
	{ "WRITE AND VERIFY(16)", { 0x8e, [13] = 1 }, { CDB, 0, 0 }, { { CDB, 2, 8 }, { CDB, 10, 4 } },
	  BLOCK, { 0 }, fill_blocks, false },
	{ "WRITE SAME(10)", { 0x41, [8] = 1 }, { CDB, 0, 0 }, { { CDB, 2, 4 }, { CDB, 7, 2 } },
	  BLOCK, { 0 }, fill_blocks, false },
	{ "WRITE SAME(16)", { 0x93, [13] = 1 }, { CDB, 0, 0 }, { { CDB, 2, 8 }, { CDB, 10, 4 } },
	  BLOCK, { 0 }, fill_blocks, false },
	{ "VERIFY(16), BYTCHK 01b", { 0x8f, 0x02, [13] = 1 }, { CDB, 0, 0 },
	  { { CDB, 2, 8 }, { CDB, 10, 4 } }, BLOCK, { 0 }, fill_there, false },
};
// clang-format on
#define CASES (sizeof(cases) / sizeof(cases[0]))

/* --- running one ------------------------------------------------------------------------ */

/* A command as it is sent: the CDB, and so many bytes of the list. */
struct sent {
	uint8_t cdb[16], list[2 * BLOCK];
	uint32_t n, expect;
};

struct outcome {
	uint8_t status, key, sks[3];
	uint16_t asc;
};

static uint8_t before[2][64 * BLOCK];

static struct disks *fresh(void)
{
	struct disks *d = disks_create((struct rig_cfg){ .blocks = BLOCKS });

	for (unsigned lun = 0; lun < 2; lun++) {
		for (unsigned i = 0; i < 64; i++)
			rig_fill(before[lun] + i * BLOCK, BLOCK, (uint8_t)(lun + 1));
		assert_good(ON(d, 0, lun, before[lun], 64 * BLOCK, WRITE10(0, 64)));
	}
	return d;
}

static void assert_nothing_written(struct disks *d)
{
	for (unsigned lun = 0; lun < 2; lun++) {
		assert_good(ON(d, 0, lun, NULL, 64 * BLOCK, READ10(0, 64)));
		assert_memory_equal(rig_in, before[lun], 64 * BLOCK);
	}
}

static void spoil(struct sg *sg, uint8_t rubbish)
{
	for (int i = 0; i < sg->cnt; i++)
		memset(sg->iov[i].iov_base, rubbish, sg->iov[i].iov_len);
}

static uint32_t put_some(struct scsi_task *t, const struct sent *s)
{
	uint32_t n = s->n < t->out.len ? s->n : t->out.len;

	n = n < t->expect ? n : t->expect;
	if (t->out_unit)
		n -= n % t->out_unit;
	for (uint32_t at = 0, i = 0; at < n; i++) {
		uint32_t part = (uint32_t)t->out.iov[i].iov_len;

		part = part < n - at ? part : n - at;
		memcpy(t->out.iov[i].iov_base, s->list + at, part);
		at += part;
	}
	return n;
}

/* What became of it. Blocks that are written in place have nowhere to keep rubbish. */
static struct outcome send_to(struct disks *d, const struct sent *s, uint8_t rubbish)
{
	struct outcome o = { 0 };
	struct scsi_task t;
	enum scsi_next next;

	rig_task(&t, &d->r->nexus[0], 0, s->cdb, sizeof(s->cdb), SCSI_DIR_OUT, s->expect);
	next = scsi_task_start(&t);
	if (next == SCSI_WANT_DATA) {
		if (!t.out_unit)
			spoil(&t.out, rubbish);
		next = scsi_task_data(&t, put_some(&t, s));
	}
	if (next == SCSI_PENDING)
		rig_wait(&t);
	o.status = t.status;
	if (t.status == SCSI_CHECK_CONDITION) {
		o.key = t.sense.key;
		o.asc = t.sense.asc;
		memcpy(o.sks, t.sense.sks, sizeof(o.sks));
	}
	scsi_task_release(&t);
	return o;
}

static struct outcome run_fresh(const struct list_case *c, struct sent s, uint8_t rubbish)
{
	struct disks *d = fresh();
	uint8_t filled[2 * BLOCK] = { 0 };
	struct outcome o;

	/* What fill() puts there anew, for tokens differ; but not over what was changed. */
	if (c->fill == fill_token) {
		fill_token(d, filled);
		memcpy(s.list + 16, filled + 16, 512);
	} else if (c->fill) {
		c->fill(d, filled);
	}
	o = send_to(d, &s, rubbish);
	if (o.status != SCSI_GOOD)
		assert_nothing_written(d);
	disks_free(d);
	return o;
}

static struct sent whole(const struct list_case *c)
{
	struct sent s = { .n = c->n, .expect = c->n };
	struct disks *d = fresh();

	memcpy(s.cdb, c->cdb, sizeof(s.cdb));
	memcpy(s.list, c->list, sizeof(c->list));
	if (c->fill)
		c->fill(d, s.list);
	disks_free(d);
	return s;
}

/* The command is carried out, or refused for what was sent. */
static struct outcome run(const struct list_case *c, const struct sent *s)
{
	struct outcome o = run_fresh(c, *s, 0), again = run_fresh(c, *s, 0xff);

	if (memcmp(&o, &again, sizeof(o)))
		fail_msg("%s: what did not come has made a difference", c->name);
	if (o.status != SCSI_GOOD && o.status != SCSI_RESERVATION_CONFLICT &&
		!(o.status == SCSI_CHECK_CONDITION &&
			(o.key == SENSE_ILLEGAL_REQUEST || o.key == SENSE_COPY_ABORTED ||
				o.key == SENSE_MISCOMPARE)))
		fail_msg("%s: status %x, sense %x/%04x", c->name, o.status, o.key, o.asc);
	return o;
}

/* --- numbers ---------------------------------------------------------------------------- */

static uint64_t get(const uint8_t *p, unsigned width)
{
	uint64_t v = 0;

	while (width--)
		v = v << 8 | *p++;
	return v;
}

static void set(uint8_t *p, unsigned width, uint64_t v)
{
	while (width--)
		*p++ = (uint8_t)(v >> 8 * width);
}

static uint8_t *place(struct sent *s, const struct field *f)
{
	return (f->in_cdb ? s->cdb : s->list) + f->at;
}

/* Small, around the right one, and all that wraps when a little is added to it. */
static unsigned values(uint64_t right, unsigned width, uint64_t out[static 24])
{
	uint64_t max = UINT64_MAX >> (64 - 8 * width);
	const uint64_t all[] = { 0, 1, 2, 3, right - 1, right + 1, right + 8, right + 16, right * 2,
		max / 2, max / 2 + 1, max, max - 1, max - 7, max - 15, max - right, max - right + 1,
		max - 511, (max >> 9) + 1, BLOCKS - 1, BLOCKS, BLOCKS + 1 };
	unsigned n = sizeof(all) / sizeof(all[0]);

	for (unsigned i = 0; i < n; i++)
		out[i] = all[i] & max;
	return n;
}

static void every_list_is_taken_as_it_should_be(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CASES; i++) {
		struct sent s = whole(&cases[i]);
		struct outcome o = run(&cases[i], &s);

		if (o.status != SCSI_GOOD)
			fail_msg("%s: status %x, sense %x/%04x, %02x%02x%02x", cases[i].name,
				o.status, o.key, o.asc, o.sks[0], o.sks[1], o.sks[2]);
	}
}

static void lengths_that_lie_do_no_harm(void **state)
{
	uint64_t v[24];

	(void)state;
	for (unsigned i = 0; i < CASES; i++) {
		const struct sent right = whole(&cases[i]);

		for (const struct field *f = cases[i].fields; f->width; f++) {
			struct sent s = right;
			unsigned n = values(get(place(&s, f), f->width), f->width, v);

			for (unsigned k = 0; k < n; k++) {
				set(place(&s, f), f->width, v[k]);
				run(&cases[i], &s);
			}
		}
	}
}

/* All of them, up to where a long list is like another. */
static uint32_t next_length(uint32_t n)
{
	return n < 128 ? n + 1 : n + 13;
}

/* A part of the list has come. */
static void run_part(const struct list_case *c, const struct sent *s)
{
	if (run(c, s).status == SCSI_GOOD && c->whole)
		fail_msg("%s: carried out with %u of %u bytes", c->name, s->n, c->n);
}

static void a_cdb_that_announces_another_length_is_believed(void **state)
{
	uint64_t v[24];

	(void)state;
	for (unsigned i = 0; i < CASES; i++) {
		const struct field *f = &cases[i].len;
		struct sent s = whole(&cases[i]);
		unsigned n;

		if (!f->width)
			continue;
		n = values(cases[i].n, f->width, v);
		for (unsigned k = 0; k < n; k++) {
			set(place(&s, f), f->width, v[k]);
			run(&cases[i], &s);
		}
		for (uint32_t len = 1; len < cases[i].n; len = next_length(len)) {
			set(place(&s, f), f->width, len);
			s.n = s.expect = len;
			run_part(&cases[i], &s);
		}
	}
}

/* The CDB says how long it is, and less comes: the initiator expects to send less, or sends less
 * than it had said. */
static void a_list_that_ends_early_is_not_enough(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CASES; i++) {
		struct sent s = whole(&cases[i]);

		for (s.n = 0; s.n < cases[i].n; s.n = next_length(s.n)) {
			s.expect = cases[i].n;
			run_part(&cases[i], &s);
			s.expect = s.n;
			run_part(&cases[i], &s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_list_is_taken_as_it_should_be),
		cmocka_unit_test(lengths_that_lie_do_no_harm),
		cmocka_unit_test(a_cdb_that_announces_another_length_is_believed),
		cmocka_unit_test(a_list_that_ends_early_is_not_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
