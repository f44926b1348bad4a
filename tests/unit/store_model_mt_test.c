/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random requests against a model in memory: every kind of store, both engines, both
 * block sizes, many requests at once, from one loop and from three. STORE_MODEL_OPS
 * sets how many requests a run makes.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support_store.h"
#include "tests/fault.h"

/* A lane is a part of the store with one request at a time, so that what it must hold is known;
 * lanes begin and end within pages, so that neighbours meet in one. */
enum { LANES = 8, LANE_BLOCKS = 37, REQUEST_BLOCKS = 16 };

struct lane {
	struct asked a;
	struct iovec iov[3];
	struct run *run;
	uint64_t off;     /* of the lane, in the store */
	uint64_t at, len; /* of the request, in the lane */
	uint8_t *buf, *model;
};

/* One loop's part of a run. */
struct run {
	struct rig rig;
	pthread_t thread;
	struct store *st;
	uint32_t block;
	uint64_t chance;
	unsigned left; /* requests to make */
	unsigned busy;
	struct lane lane[LANES];
	char failure[128]; /* the first, or empty */
};

static unsigned ops(void)
{
	const char *s = getenv("STORE_MODEL_OPS");

	return s ? (unsigned)strtoul(s, NULL, 10) : 3000;
}

static uint64_t roll(struct run *r, uint64_t below)
{
	r->chance ^= r->chance << 13;
	r->chance ^= r->chance >> 7;
	r->chance ^= r->chance << 17;
	return (r->chance >> 16) % below;
}

static void complain(struct lane *l, const char *what, int err)
{
	if (!l->run->failure[0])
		snprintf(l->run->failure, sizeof(l->run->failure),
			"%s: op %d at %llu, %llu bytes: %d", what, l->a.io.op,
			(unsigned long long)(l->off + l->at), (unsigned long long)l->len, err);
}

/* Compares, or does to the model what was done to the store. */
static void settle(struct lane *l, int err)
{
	uint8_t *model = l->model + l->at;

	if (err)
		complain(l, "failed", err);
	else if (l->a.io.op == STORE_READ && memcmp(l->buf, model, l->len))
		complain(l, "differs", 0);
	else if (l->a.io.op == STORE_WRITE)
		memcpy(model, l->buf, l->len);
	else if (l->a.io.op == STORE_DISCARD || l->a.io.op == STORE_ZERO)
		memset(model, 0, l->len);
}

static void on_done(struct store_io *io, int err)
{
	struct lane *l = container_of(io, struct lane, a.io);

	l->a.pending = false;
	l->run->busy--;
	settle(l, err);
}

/* The buffer in one, two or three parts, cut anywhere. */
static int cut(struct lane *l)
{
	uint64_t a = roll(l->run, l->len + 1), b = roll(l->run, l->len + 1);
	uint64_t first = a < b ? a : b, second = a < b ? b : a;

	l->iov[0] = (struct iovec){ l->buf, first };
	l->iov[1] = (struct iovec){ l->buf + first, second - first };
	l->iov[2] = (struct iovec){ l->buf + second, l->len - second };
	return 3;
}

static enum store_op choose(struct run *r)
{
	static const enum store_op of[16] = {
		STORE_READ,
		STORE_READ,
		STORE_READ,
		STORE_READ,
		STORE_READ,
		STORE_READ,
		STORE_WRITE,
		STORE_WRITE,
		STORE_WRITE,
		STORE_WRITE,
		STORE_WRITE,
		STORE_DISCARD,
		STORE_DISCARD,
		STORE_ZERO,
		STORE_ZERO,
		STORE_FLUSH,
	};

	return of[roll(r, 16)];
}

static void go(struct lane *l)
{
	struct run *r = l->run;
	uint64_t first = roll(r, LANE_BLOCKS), most = LANE_BLOCKS - first;
	int err;

	l->at = first * r->block;
	l->len = (1 + roll(r, most < REQUEST_BLOCKS ? most : REQUEST_BLOCKS)) * r->block;
	l->a.io = (struct store_io){ .op = choose(r),
		.off = l->off + l->at,
		.len = l->len,
		.iov = l->iov,
		.iovcnt = cut(l),
		.loop = r->rig.loop,
		.done = on_done };
	l->a.io.flags = roll(r, 50) ? 0 : STORE_FUA;
	if (l->a.io.op == STORE_WRITE)
		pattern(l->buf, l->len, (unsigned)roll(r, 1u << 30));
	else
		memset(l->buf, 0xee, l->len);
	err = store_submit(r->st, &l->a.io);
	l->a.pending = err == STORE_PENDING;
	r->busy += l->a.pending;
	if (!l->a.pending)
		settle(l, err);
	r->left--;
}

static void *run(void *arg)
{
	struct run *r = arg;

	while ((r->left && !r->failure[0]) || r->busy) {
		for (size_t i = 0; i < LANES; i++)
			if (!r->lane[i].a.pending && r->left && !r->failure[0])
				go(&r->lane[i]);
		loop_step(r->rig.loop);
	}
	return NULL;
}

static void run_prepare(struct run *r, struct store *st, uint32_t block, unsigned number)
{
	size_t lane = (size_t)LANE_BLOCKS * block;

	*r = (struct run){ .st = st, .block = block, .chance = number + 12345, .left = ops() };
	assert_int_equal(loop_create(0, &r->rig.loop), 0);
	for (size_t i = 0; i < LANES; i++) {
		r->lane[i].run = r;
		r->lane[i].off = (number * LANES + i) * lane;
		r->lane[i].buf = malloc(lane);
		r->lane[i].model = calloc(1, lane);
		assert_true(r->lane[i].buf && r->lane[i].model);
	}
}

static void run_check(struct run *r)
{
	if (r->failure[0])
		fail_msg("%s", r->failure);
	for (size_t i = 0; i < LANES; i++) {
		size_t lane = (size_t)LANE_BLOCKS * r->block;

		memset(r->lane[i].buf, 0xee, lane);
		assert_int_equal(request(&r->rig, r->st, STORE_READ, r->lane[i].off, r->lane[i].buf,
					 lane, 0),
			0);
		assert_memory_equal(r->lane[i].buf, r->lane[i].model, lane);
	}
}

static void run_free(struct run *r)
{
	for (size_t i = 0; i < LANES; i++) {
		free(r->lane[i].buf);
		free(r->lane[i].model);
	}
	loop_free(r->rig.loop);
}

/* Runs on `loops` threads at once; takes the store, and the rig's pool and engine with it. */
static void model(struct rig *rig, struct store *st, uint32_t block, unsigned loops)
{
	struct run *r = calloc(loops, sizeof(*r));

	assert_non_null(r);
	assert_non_null(st);
	for (unsigned i = 0; i < loops; i++)
		run_prepare(&r[i], st, block, i);
	for (unsigned i = 1; i < loops; i++)
		assert_int_equal(pthread_create(&r[i].thread, NULL, run, &r[i]), 0);
	run(&r[0]);
	for (unsigned i = 1; i < loops; i++)
		assert_int_equal(pthread_join(r[i].thread, NULL), 0);
	for (unsigned i = 0; i < loops; i++)
		run_check(&r[i]);
	store_close(st);
	for (unsigned i = 0; i < loops; i++)
		store_engine_detach(rig->engine, r[i].rig.loop);
	/* A pool thread may still be on its way out of a loop. */
	work_pool_free(rig->pool);
	rig->pool = NULL;
	for (unsigned i = 0; i < loops; i++)
		run_free(&r[i]);
	free(r);
}

static struct store *open_kind(struct rig *rig, const char *kind, uint32_t block)
{
	return rig_open(rig, (struct store_cfg){ .kind = kind,
				     .path = rig_path(rig, "disk"),
				     .create = true,
				     .block_size = block,
				     .size = (uint64_t)3 * LANES * LANE_BLOCKS * block });
}

static void ram_of_512_agrees(void **state)
{
	model(*state, open_kind(*state, "ram", 512), 512, 1);
}

static void ram_of_4096_agrees(void **state)
{
	model(*state, open_kind(*state, "ram", 4096), 4096, 1);
}

static void ram_agrees_from_three_loops(void **state)
{
	model(*state, open_kind(*state, "ram", 512), 512, 3);
}

static void file_of_512_agrees(void **state)
{
	model(*state, open_kind(*state, "file", 512), 512, 1);
}

static void file_of_4096_agrees(void **state)
{
	model(*state, open_kind(*state, "file", 4096), 4096, 1);
}

static void file_agrees_from_three_loops(void **state)
{
	model(*state, open_kind(*state, "file", 512), 512, 3);
}

static void delayed_and_disordered_agrees_from_three_loops(void **state)
{
	struct store *st = open_kind(*state, "file", 512);

	assert_non_null(st);
	assert_int_equal(fault_wrap(st, &st), 0);
	fault_set(st, &(struct fault_cfg){ .delay_ms = 1, .seed = 7 });
	model(*state, st, 512, 3);
}

int main(void)
{
	const struct CMUnitTest uring[] = {
		cmocka_unit_test_setup_teardown(ram_of_512_agrees, rig_uring, rig_teardown),
		cmocka_unit_test_setup_teardown(ram_of_4096_agrees, rig_uring, rig_teardown),
		cmocka_unit_test_setup_teardown(
			ram_agrees_from_three_loops, rig_uring, rig_teardown),
		cmocka_unit_test_setup_teardown(file_of_512_agrees, rig_uring, rig_teardown),
		cmocka_unit_test_setup_teardown(file_of_4096_agrees, rig_uring, rig_teardown),
		cmocka_unit_test_setup_teardown(
			file_agrees_from_three_loops, rig_uring, rig_teardown),
		cmocka_unit_test_setup_teardown(
			delayed_and_disordered_agrees_from_three_loops, rig_uring, rig_teardown),
	};
	const struct CMUnitTest threads[] = {
		cmocka_unit_test_setup_teardown(file_of_512_agrees, rig_threads, rig_teardown),
		cmocka_unit_test_setup_teardown(file_of_4096_agrees, rig_threads, rig_teardown),
		cmocka_unit_test_setup_teardown(
			file_agrees_from_three_loops, rig_threads, rig_teardown),
	};
	int failed = cmocka_run_group_tests_name("io_uring", uring, NULL, NULL);

	return failed + cmocka_run_group_tests_name("threads", threads, NULL, NULL);
}
