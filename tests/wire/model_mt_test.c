/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random commands of eight sessions with digests, each in a region of its own, beside a copy of
 * the region in memory: what is read, compared and verified must be what the copy says.
 * MODEL_SECONDS=n goes on for so long (5 s) with each store and block size; SEED=n begins elsewhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "real_disk.h"
#include "wire.h"

enum { SESSIONS = 8, REGION = 96, MOST = 24, BLOCK_MAX = 4096 };
enum { GOOD = 0, CHECK = 2, MISCOMPARE = 0xe };
enum kind { READ, WRITE, ATOMIC, OR, SAME, NOTHING, UNMAP, VERIFY, COMPARE, KINDS };

struct lane {
	struct ini ini;
	struct command cmd;
	enum kind kind;
	uint32_t at, n; /* in its region */
	bool differs;   /* VERIFY and COMPARE AND WRITE are to say so */
	uint8_t copy[REGION * BLOCK_MAX];
	uint8_t out[2 * MOST * BLOCK_MAX], in[MOST * BLOCK_MAX];
};

struct run {
	struct lane lane[SESSIONS];
	uint32_t block;
	bool memory; /* which alone has WRITE ATOMIC */
	unsigned seed, random;
};

static uint32_t roll(struct run *r, uint32_t below)
{
	r->random = r->random * 1664525u + 1013904223u;
	return (r->random >> 8) % below;
}

/* --- what a command is, and what it makes of the copy ---------------------------------- */

static struct cdb cdb16(uint8_t op, uint8_t flags, uint64_t lba, uint32_t blocks)
{
	struct cdb c = { .b = { op, flags }, .len = 16 };

	put_be64(c.b + 2, lba);
	put_be32(c.b + 10, blocks);
	return c;
}

static void send_out(struct lane *l, struct cdb cdb, uint32_t len)
{
	uint32_t now = len < l->ini.first_burst ? len : l->ini.first_burst;

	now = now < l->ini.max_send ? now : l->ini.max_send;
	l->cmd = (struct command){ .cdb = cdb,
		.write = len,
		.out = l->out,
		.expect = len,
		.immediate_len = l->ini.immediate_data ? now : 0 };
	command_send(&l->ini, &l->cmd);
}

static void send_unmap(struct lane *l, uint64_t lba)
{
	struct cdb c = { .b = { 0x42 }, .len = 10 };

	put_be16(c.b + 7, 24);
	memset(l->out, 0, 24);
	put_be16(l->out, 22);
	put_be16(l->out + 2, 16);
	put_be64(l->out + 8, lba);
	put_be32(l->out + 16, l->n);
	send_out(l, c, 24);
}

/* The data that are there, or with one byte another. */
static void put_expected(struct run *r, struct lane *l, const uint8_t *here, uint32_t len)
{
	memcpy(l->out, here, len);
	l->differs = roll(r, 3) == 0;
	if (l->differs)
		l->out[roll(r, len)] ^= (uint8_t)(1 + roll(r, 255));
}

static struct cdb compare_and_write(uint64_t lba, uint32_t n)
{
	struct cdb c = cdb16(0x89, 0, lba, 0);

	c.b[13] = (uint8_t)n;
	return c;
}

static struct cdb write_atomic(uint64_t lba, uint32_t n)
{
	struct cdb c = cdb16(0x9c, 0, lba, 0);

	put_be16(c.b + 12, (uint16_t)n);
	return c;
}

static void submit(struct run *r, unsigned k)
{
	struct lane *l = &r->lane[k];
	const uint8_t *here;
	uint64_t lba;
	uint32_t len;

	l->kind = (enum kind)roll(r, KINDS);
	l->n = 1 + roll(r, MOST);
	l->at = roll(r, REGION - l->n + 1);
	len = l->n * r->block;
	lba = (uint64_t)k * REGION + l->at;
	here = l->copy + l->at * r->block;
	fill(l->out, 2 * len, roll(r, 1u << 20));
	switch (l->kind) {
	case READ:
		l->cmd = (struct command){
			.cdb = cdb16(0x88, 0, lba, l->n), .read = true, .in = l->in, .expect = len
		};
		command_send(&l->ini, &l->cmd);
		break;
	case WRITE: send_out(l, cdb16(0x8a, roll(r, 8) ? 0 : 8, lba, l->n), len); break;
	case ATOMIC:
		send_out(l, r->memory ? write_atomic(lba, l->n) : cdb16(0x8a, 0, lba, l->n), len);
		break;
	case OR: send_out(l, cdb16(0x8b, 0, lba, l->n), len); break;
	case SAME: send_out(l, cdb16(0x93, 0, lba, l->n), r->block); break;
	case NOTHING: send_out(l, cdb16(0x93, roll(r, 2) ? 0x01 : 0x09, lba, l->n), 0); break;
	case UNMAP: send_unmap(l, lba); break;
	case VERIFY:
		put_expected(r, l, here, len);
		send_out(l, cdb16(0x8f, 0x02, lba, l->n), len);
		break;
	default:
		put_expected(r, l, here, len);
		send_out(l, compare_and_write(lba, l->n), 2 * len);
		break;
	}
}

static void apply(struct run *r, struct lane *l)
{
	uint8_t *here = l->copy + l->at * r->block;
	uint32_t len = l->n * r->block;

	switch (l->kind) {
	case WRITE:
	case ATOMIC: memcpy(here, l->out, len); break;
	case OR:
		for (uint32_t i = 0; i < len; i++)
			here[i] |= l->out[i];
		break;
	case SAME:
		for (uint32_t i = 0; i < l->n; i++)
			memcpy(here + i * r->block, l->out, r->block);
		break;
	case NOTHING:
	case UNMAP: memset(here, 0, len); break;
	case COMPARE:
		if (!l->differs)
			memcpy(here, l->out + len, len);
		break;
	default: break;
	}
}

static void finish(struct run *r, struct lane *l)
{
	bool compares = l->kind == VERIFY || l->kind == COMPARE;
	bool wrong;

	command_finish(&l->ini, &l->cmd);
	wrong = l->cmd.status != (compares && l->differs ? CHECK : GOOD) ||
		(l->cmd.status == CHECK && l->cmd.sense_key != MISCOMPARE) ||
		(l->kind == READ && memcmp(l->in, l->copy + l->at * r->block, l->n * r->block));
	if (wrong)
		fail_msg("seed %u: kind %d of blocks %u+%u: status %u, sense %x/%04x", r->seed,
			l->kind, l->at, l->n, l->cmd.status, l->cmd.sense_key, l->cmd.asc);
	apply(r, l);
}

/* --- the run ----------------------------------------------------------------------------- */

static unsigned setting(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 0) : otherwise;
}

static void agrees(struct wire *w, uint32_t block, bool memory)
{
	struct run *r = calloc(1, sizeof(*r));
	time_t end = time(NULL) + setting("MODEL_SECONDS", 5);
	unsigned rounds = 0;

	assert_non_null(r);
	r->block = block;
	r->memory = memory;
	r->seed = r->random = setting("SEED", 20261121);
	w->cfg.reactors = 4;
	wire_start(w);
	for (unsigned k = 0; k < SESSIONS; k++) {
		ini_open(&r->lane[k].ini, w);
		put_be16(r->lane[k].ini.isid + 4, (uint16_t)k);
		ini_login(&r->lane[k].ini, OPEN, "HeaderDigest=CRC32C\nDataDigest=CRC32C\n");
		assert_string_equal(answer(&r->lane[k].ini, "HeaderDigest"), "CRC32C");
		assert_string_equal(answer(&r->lane[k].ini, "DataDigest"), "CRC32C");
		unit_ready(&r->lane[k].ini);
	}
	while (rounds++ < 200 || time(NULL) < end) {
		for (unsigned k = 0; k < SESSIONS; k++)
			submit(r, k);
		for (unsigned k = 0; k < SESSIONS; k++)
			finish(r, &r->lane[k]);
	}
	for (unsigned k = 0; k < SESSIONS; k++) {
		logout(&r->lane[k].ini);
		ini_close(&r->lane[k].ini);
	}
	free(r);
}

static void run(void **state, const char *kind, uint32_t block)
{
	struct real_disk disk;

	real_disk_begin(
		&disk, *state, kind, (uint64_t)REGION * SESSIONS * block, block, STORE_ENGINE_AUTO);
	agrees(*state, block, !strcmp(kind, "ram"));
	real_disk_end(&disk, state);
}

static void memory_of_512_agrees(void **state)
{
	run(state, "ram", 512);
}

static void memory_of_4096_agrees(void **state)
{
	run(state, "ram", 4096);
}

static void a_file_of_512_agrees(void **state)
{
	run(state, "file", 512);
}

static void a_file_of_4096_agrees(void **state)
{
	run(state, "file", 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(memory_of_512_agrees, wire_setup),
		cmocka_unit_test_setup(memory_of_4096_agrees, wire_setup),
		cmocka_unit_test_setup(a_file_of_512_agrees, wire_setup),
		cmocka_unit_test_setup(a_file_of_4096_agrees, wire_setup),
	};
	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
