/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several loops with nexuses to one unit: resets, commands, changes of the unit and nexuses that
 * come and go, all at once. Under ThreadSanitizer this shows that what they share is guarded.
 */
#include <pthread.h>
#include <semaphore.h>

#include "tests/unit/scsi_support.h"

#define LOOPS  3
#define ROUNDS 400

struct side {
	struct loop_msg msg;
	pthread_t thread;
	struct loop *loop;
	struct bufs *bufs;
	struct nexus nexus;
	struct lu_function_req req;
	struct lun_map *map;
	unsigned i, round;
	bool open, asked;
	unsigned resets, attentions;
	sem_t finished;
};

static struct side sides[LOOPS];
static const uint8_t block[512];

static void abort_none(struct nexus *n, struct lu_abort *a)
{
	(void)n;
	lu_abort_done(a);
}

static const struct nexus_ops ops = { .abort_tasks = abort_none };

static void open_nexus(struct side *s)
{
	s->nexus = (struct nexus){ .loop = s->loop,
		.bufs = s->bufs,
		.ops = &ops,
		.initiator = "iqn.2026-11.com.example:host",
		.isid = { (uint8_t)s->i },
		.target = "iqn.2026-11.com.example:disk",
		.tpgt = 1,
		.rel_port = 1 };
	assert_int_equal(nexus_open(&s->nexus, s->map), 0);
	s->open = true;
}

static void step(struct loop_msg *m);

static void next_round(struct side *s)
{
	s->msg.run = step;
	loop_post(s->loop, &s->msg);
}

static void function_done(struct lu_function_req *r)
{
	struct side *s = container_of(r, struct side, req);

	assert_false(r->failed);
	s->resets++;
	next_round(s);
}

static void nexus_closed(struct nexus *n)
{
	struct side *s = container_of(n, struct side, nexus);

	s->open = false;
	if (s->round < ROUNDS)
		next_round(s);
	else
		sem_post(&s->finished);
}

static void some_commands(struct side *s)
{
	struct nexus *n = &s->nexus;
	struct result res[] = {
		rig_run(n, 0, (const uint8_t[]){ WRITE10(s->i, 1) }, 10, block, 512),
		rig_run(n, 0, (const uint8_t[]){ 0x16, 0, 0, 0, 0, 0 }, 6, NULL, 0),
		rig_run(n, 0, (const uint8_t[]){ 0x17, 0, 0, 0, 0, 0 }, 6, NULL, 0),
		rig_run(n, 0, (const uint8_t[]){ 0x15, 0x10, 0, 0, 16, 0 }, 6,
			(const uint8_t[]){ 0, 0, 0, 0, 0x0a, 0x0a, (uint8_t)(2 | s->round % 2 << 2),
				0x10, 0, 0x40, 0, 0, 0xff, 0xff, 0, 0 },
			16),
	};

	for (size_t i = 0; i < sizeof(res) / sizeof(res[0]); i++) {
		if (res[i].status != SCSI_CHECK_CONDITION)
			continue;
		assert_int_equal(res[i].sense.key, SENSE_UNIT_ATTENTION);
		s->attentions++;
	}
}

/* One of a few things, by the number of the round. */
static void step(struct loop_msg *m)
{
	struct side *s = container_of(m, struct side, msg);

	s->round++;
	if (!s->open)
		open_nexus(s);
	some_commands(s);
	if (s->round >= ROUNDS || s->round % 16 == s->i) {
		nexus_close(&s->nexus, nexus_closed);
	} else if (s->round % 4 == 0) {
		s->req = (struct lu_function_req){ .nexus = &s->nexus,
			.function = s->round % 8 ? LU_RESET : LU_TARGET_RESET,
			.done = function_done };
		lu_function(&s->req);
	} else {
		next_round(s);
	}
}

static void *run(void *arg)
{
	loop_run(((struct side *)arg)->loop);
	return NULL;
}

static void start(struct side *s, unsigned i, struct lun_map *map)
{
	*s = (struct side){ .i = i, .map = map };
	assert_int_equal(loop_create(0, &s->loop), 0);
	assert_int_equal(bufs_create(NULL, 1 << 20, &s->bufs), 0);
	assert_int_equal(sem_init(&s->finished, 0, 0), 0);
	next_round(s);
	assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
}

static void stop(struct side *s)
{
	sem_wait(&s->finished);
	loop_stop(s->loop);
	pthread_join(s->thread, NULL);
}

/* Only when no thread is left that may still be waking the loop. */
static void end(struct side *s)
{
	bufs_free(s->bufs);
	loop_free(s->loop);
	sem_destroy(&s->finished);
}

static void resets_commands_and_nexuses_from_three_loops_agree(void **state)
{
	struct store_cfg sc = { .kind = "ram", .size = 1 << 20, .block_size = 512 };
	struct disk_cfg dc = { .block_size = 512, .thin = true };
	struct store_error why;
	struct lun_entry e = { 0 };
	struct lun_map *map;
	struct lu *lu;

	(void)state;
	assert_int_equal(store_open(&sc, &dc.store, &why), 0);
	assert_int_equal(disk_create(&dc, &lu), 0);
	e.lu = lu;
	assert_int_equal(lun_map_create(&e, 1, &map), 0);
	for (unsigned i = 0; i < LOOPS; i++)
		start(&sides[i], i, map);
	for (unsigned i = 1; i < 100; i++) {
		assert_int_equal(store_resize(dc.store, (1 << 20) + i % 3 * 4096), 0);
		lu_resized(lu);
	}
	for (unsigned i = 0; i < LOOPS; i++) {
		stop(&sides[i]);
		assert_true(sides[i].resets > ROUNDS / 8);
		assert_true(sides[i].attentions > sides[i].resets / 2);
	}
	for (unsigned i = 0; i < LOOPS; i++)
		end(&sides[i]);
	lun_map_unref(map);
	lu_unref(lu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resets_commands_and_nexuses_from_three_loops_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
