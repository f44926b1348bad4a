/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random operations on a cartridge, beside a tape that is an array: results, residuals, positions
 * and data have to be equal all the way, also when the cartridge is closed or its process killed in
 * between. VTL_MODEL_SECONDS says how long (2), VTL_MODEL_SEED which sequence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "support_vtl.h"

#define MIB        VTL_MIB
#define OBJECTS    4000
#define PARTITIONS 2

struct object {
	size_t len; /* 0: a filemark */
	uint64_t seed;
	bool encrypted;
};

struct model {
	struct vtl *v;
	unsigned int rng;
	unsigned int partition;
	size_t at;
	size_t n[PARTITIONS];
	struct object tape[PARTITIONS][OBJECTS];
	uint64_t seed;
	struct cartridge_key key;
};

static unsigned int pick(struct model *m, unsigned int n)
{
	return (unsigned int)rand_r(&m->rng) % n;
}

static struct object *tape(struct model *m)
{
	return m->tape[m->partition];
}

static size_t *end(struct model *m)
{
	return &m->n[m->partition];
}

static bool is_mark(struct model *m, size_t i)
{
	return !tape(m)[i].len;
}

static uint64_t files_before(struct model *m, size_t at)
{
	uint64_t n = 0;

	for (size_t i = 0; i < at; i++)
		n += is_mark(m, i);
	return n;
}

static void check(struct model *m)
{
	struct cartridge_position p;

	cartridge_position(m->v->c, &p);
	assert_int_equal(p.partition, m->partition);
	assert_int_equal(p.object, m->at);
	assert_int_equal(p.file, files_before(m, m->at));
	assert_int_equal(p.bop, m->at == 0);
	assert_int_equal(p.eod, m->at == *end(m));
}

/* -- The tape's rules, step by step -- */

static enum cartridge_result model_space_blocks(struct model *m, int64_t count, uint64_t *residual)
{
	for (; count > 0; count--) {
		*residual = (uint64_t)count;
		if (m->at == *end(m))
			return CARTRIDGE_EOD;
		if (is_mark(m, m->at++))
			return CARTRIDGE_FILEMARK;
	}
	for (; count < 0; count++) {
		*residual = (uint64_t)-count;
		if (!m->at)
			return CARTRIDGE_BOP;
		if (is_mark(m, --m->at))
			return CARTRIDGE_FILEMARK;
	}
	*residual = 0;
	return CARTRIDGE_OK;
}

static enum cartridge_result model_space_filemarks(
	struct model *m, int64_t count, uint64_t *residual)
{
	while (count) {
		*residual = (uint64_t)(count < 0 ? -count : count);
		if (count > 0 && m->at == *end(m))
			return CARTRIDGE_EOD;
		if (count < 0 && !m->at)
			return CARTRIDGE_BOP;
		if (count > 0)
			count -= is_mark(m, m->at++);
		else
			count += is_mark(m, --m->at);
	}
	*residual = 0;
	return CARTRIDGE_OK;
}

static enum cartridge_result model_space_sequential(
	struct model *m, int64_t count, uint64_t *residual)
{
	int64_t run = 0, want = count < 0 ? -count : count;

	*residual = (uint64_t)want;
	while (run < want) {
		if (count > 0 && m->at == *end(m))
			return CARTRIDGE_EOD;
		if (count < 0 && !m->at)
			return CARTRIDGE_BOP;
		bool mark = count > 0 ? is_mark(m, m->at++) : is_mark(m, --m->at);
		run = mark ? run + 1 : 0;
	}
	*residual = 0;
	return CARTRIDGE_OK;
}

/* -- Operations -- */

static size_t some_length(struct model *m)
{
	switch (pick(m, 8)) {
	case 0: return 1 + pick(m, 8);
	case 1: return 60 + pick(m, 10);
	case 2: return 65536;
	case 3: return 1 + pick(m, 200000);
	default: return 1 + pick(m, 2000);
	}
}

static void op_write(struct model *m)
{
	size_t count = 1 + pick(m, pick(m, 10) ? 3 : 300), len = count > 3 ? 100 : some_length(m);
	struct cartridge_write_how how = { .compress = !pick(m, 3), .protected = pick(m, 2),
		.key = pick(m, 4) ? NULL : &m->key };
	uint8_t *buf = malloc(count * len);
	struct iovec iov[2] = { { buf, len / 2 }, { buf + len / 2, count * len - len / 2 } };
	size_t done;

	assert_non_null(buf);
	if (m->at + count > OBJECTS) {
		free(buf);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		tape(m)[m->at + i] = (struct object){ len, ++m->seed, how.key };
		vtl_fill(buf + i * len, len, m->seed);
	}
	assert_int_equal(cartridge_write(m->v->c, iov, 2, len, count, &how, &done), CARTRIDGE_OK);
	assert_int_equal(done, count);
	m->at += count;
	*end(m) = m->at;
	free(buf);
}

static void op_filemarks(struct model *m)
{
	uint64_t count = pick(m, pick(m, 20) ? 4 : 200), done;

	if (m->at + count > OBJECTS)
		return;
	assert_int_equal(cartridge_write_filemarks(m->v->c, count, &done), CARTRIDGE_OK);
	assert_int_equal(done, count);
	for (uint64_t i = 0; i < count; i++)
		tape(m)[m->at++] = (struct object){ .len = 0 };
	if (count)
		*end(m) = m->at;
}

static void read_one(struct model *m)
{
	struct cartridge_block got;
	size_t size = pick(m, 5) ? 200001 : pick(m, 100);
	uint8_t *buf = malloc(size + 1), *want;
	enum cartridge_result res;

	assert_non_null(buf);
	res = cartridge_read(m->v->c, buf, size, &m->key, &got);
	if (m->at == *end(m)) {
		assert_int_equal(res, CARTRIDGE_EOD);
	} else if (is_mark(m, m->at)) {
		assert_int_equal(res, CARTRIDGE_FILEMARK);
		m->at++;
	} else {
		const struct object *o = &tape(m)[m->at++];

		assert_int_equal(res, CARTRIDGE_OK);
		assert_int_equal(got.length, o->len);
		assert_int_equal(got.encrypted, o->encrypted);
		want = malloc(o->len);
		assert_non_null(want);
		vtl_fill(want, o->len, o->seed);
		assert_memory_equal(buf, want, size < o->len ? size : o->len);
		free(want);
	}
	free(buf);
}

static void op_read(struct model *m)
{
	for (unsigned int n = 1 + pick(m, 20); n--;) {
		read_one(m);
		check(m);
	}
}

static void op_verify(struct model *m)
{
	struct cartridge_block got;
	enum cartridge_result res = cartridge_verify(m->v->c, &got);

	assert_int_equal(res, m->at == *end(m) ? CARTRIDGE_EOD :
		is_mark(m, m->at) ? CARTRIDGE_FILEMARK : CARTRIDGE_OK);
	m->at += res != CARTRIDGE_EOD;
}

static void op_space(struct model *m)
{
	static enum cartridge_result (*const real[])(struct cartridge *, int64_t, uint64_t *) = {
		cartridge_space_blocks, cartridge_space_filemarks,
		cartridge_space_sequential_filemarks };
	static enum cartridge_result (*const model[])(struct model *, int64_t, uint64_t *) = {
		model_space_blocks, model_space_filemarks, model_space_sequential };
	unsigned int which = pick(m, 3);
	int64_t count = (int64_t)pick(m, pick(m, 2) ? 5 : 600) * (pick(m, 2) ? 1 : -1);
	uint64_t want, residual;

	if (which == 2)
		count %= 4;
	enum cartridge_result res = model[which](m, count, &want);
	assert_int_equal(real[which](m->v->c, count, &residual), res);
	assert_int_equal(residual, want);
}

static void op_locate(struct model *m)
{
	unsigned int partition = pick(m, PARTITIONS);
	size_t to = pick(m, (unsigned int)m->n[partition] + 10);
	enum cartridge_result res = CARTRIDGE_OK;

	if (to > m->n[partition]) {
		to = m->n[partition];
		res = CARTRIDGE_EOD;
		assert_int_equal(cartridge_locate(m->v->c, partition, to + 1), res);
	} else {
		assert_int_equal(cartridge_locate(m->v->c, partition, to), res);
	}
	m->partition = partition;
	m->at = to;
}

static void op_locate_file(struct model *m)
{
	uint64_t files = files_before(m, *end(m)), to = pick(m, (unsigned int)files + 3);

	assert_int_equal(cartridge_locate_file(m->v->c, m->partition, to),
		to > files ? CARTRIDGE_EOD : CARTRIDGE_OK);
	m->at = 0;
	while (m->at < *end(m) && to)
		to -= is_mark(m, m->at++);
}

static void op_end(struct model *m)
{
	assert_int_equal(cartridge_locate_eod(m->v->c, m->partition), CARTRIDGE_OK);
	m->at = *end(m);
}

static void op_erase(struct model *m)
{
	assert_int_equal(cartridge_erase(m->v->c), CARTRIDGE_OK);
	*end(m) = m->at;
}

static void op_sync(struct model *m)
{
	vtl_sync(m->v);
}

static void op_reopen(struct model *m)
{
	if (pick(m, 2))
		vtl_close(m->v);
	else
		vtl_drop(m->v);
	vtl_open(m->v);
	m->partition = 0;
	m->at = 0;
}

static void op_format(struct model *m)
{
	const uint64_t capacity[PARTITIONS] = { 900 * MIB, 100 * MIB };

	if (pick(m, 5))
		return;
	assert_int_equal(cartridge_format(m->v->c, capacity, PARTITIONS), CARTRIDGE_OK);
	m->partition = 0;
	m->at = m->n[0] = m->n[1] = 0;
}

static unsigned long setting(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void cartridge_behaves_as_a_tape_does(void **state)
{
	static const struct {
		void (*run)(struct model *);
		unsigned int weight;
	} ops[] = { { op_write, 60 }, { op_filemarks, 15 }, { op_read, 40 }, { op_verify, 10 },
		{ op_space, 40 }, { op_locate, 12 }, { op_locate_file, 10 }, { op_end, 30 },
		{ op_erase, 1 }, { op_sync, 4 }, { op_reopen, 3 }, { op_format, 1 } };
	struct model *m = calloc(1, sizeof(*m));
	const uint64_t capacity[PARTITIONS] = { 900 * MIB, 100 * MIB };
	double until = now() + (double)setting("VTL_MODEL_SECONDS", 2);
	unsigned int total = 0;
	unsigned long steps = 0;

	assert_non_null(m);
	m->v = *state;
	m->rng = (unsigned int)setting("VTL_MODEL_SEED", (unsigned long)time(NULL));
	m->key = (struct cartridge_key){ .key = "secret", .ukad = "which", .ukad_len = 5 };
	print_message("VTL_MODEL_SEED=%u\n", m->rng);
	vtl_new(m->v, 1000 * MIB);
	assert_int_equal(cartridge_format(m->v->c, capacity, PARTITIONS), CARTRIDGE_OK);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		total += ops[i].weight;
	while (now() < until) {
		unsigned int dice = pick(m, total);
		size_t i = 0;

		while (dice >= ops[i].weight)
			dice -= ops[i++].weight;
		ops[i].run(m);
		check(m);
		steps++;
	}
	print_message("%lu operations\n", steps);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			cartridge_behaves_as_a_tape_does, vtl_setup, vtl_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
