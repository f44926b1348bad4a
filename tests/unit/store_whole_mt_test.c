/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads of a file while another thread writes it: with STORE_WHOLE, a block is as it was before or
 * after a write.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support_store.h"

enum { BLOCK = 4096, BLOCKS = 8, READS = 20000 };

struct writer {
	struct store *st;
	pthread_t thread;
	atomic_bool stop;
	int err; /* the first */
};

/* Fills each block with its number, and with the next one in the next round. */
static void *write_on(void *arg)
{
	struct writer *w = arg;
	struct rig rig = { .loop = NULL };
	static uint8_t buf[BLOCK * BLOCKS];

	if (loop_create(0, &rig.loop))
		abort();
	for (uint8_t n = 0; !atomic_load(&w->stop) && !w->err; n++) {
		memset(buf, n, sizeof(buf));
		w->err = request(&rig, w->st, STORE_WRITE, 0, buf, sizeof(buf), 0);
	}
	return rig.loop;
}

static bool mixed(const uint8_t *block)
{
	return memcmp(block, block + 1, BLOCK - 1) != 0;
}

static void a_block_read_while_it_is_written_is_no_mixture(void **state)
{
	struct rig *rig = *state;
	struct writer w = { .st = rig_open(rig, (struct store_cfg){ .kind = "file",
					   .path = rig_path(rig, "disk"),
					   .size = BLOCK * BLOCKS,
					   .block_size = BLOCK,
					   .create = true,
					   .engine = rig->engine }) };
	static uint8_t buf[BLOCK * BLOCKS];
	unsigned torn = 0;
	void *loop;

	assert_non_null(w.st);
	assert_int_equal(0, pthread_create(&w.thread, NULL, write_on, &w));
	for (int i = 0; i < READS; i++) {
		unsigned at = (unsigned)i % BLOCKS;
		int err = request(
			rig, w.st, STORE_READ, at * BLOCK, buf, BLOCK, STORE_WHOLE);

		assert_true(err == 0 || err == -ESTALE);
		torn += !err && mixed(buf);
	}
	atomic_store(&w.stop, true);
	pthread_join(w.thread, &loop);
	store_engine_detach(rig->engine, loop);
	loop_free(loop);
	assert_int_equal(0, w.err);
	assert_int_equal(0, torn);
	assert_int_equal(0, request(rig, w.st, STORE_READ, 0, buf, BLOCK, STORE_WHOLE));
	store_close(w.st);
}

static void nobody_writes_and_a_block_is_had_at_once(void **state)
{
	struct rig *rig = *state;
	uint8_t buf[BLOCK];
	struct store *st = rig_open(rig, (struct store_cfg){ .kind = "file",
						 .path = rig_path(rig, "disk"),
						 .size = BLOCK,
						 .block_size = BLOCK,
						 .create = true,
						 .engine = rig->engine });

	assert_non_null(st);
	pattern(buf, sizeof(buf), 1);
	assert_int_equal(0, request(rig, st, STORE_WRITE, 0, buf, sizeof(buf), 0));
	assert_int_equal(0, request(rig, st, STORE_DISCARD, 0, NULL, sizeof(buf), 0));
	assert_int_equal(0, request(rig, st, STORE_READ, 0, buf, sizeof(buf), STORE_WHOLE));
	assert_true(zeros(buf, sizeof(buf)));
	store_close(st);
}

#define WITH_EACH_ENGINE(f) \
	cmocka_unit_test_setup_teardown(f, rig_uring, rig_teardown), \
		cmocka_unit_test_setup_teardown(f, rig_threads, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_EACH_ENGINE(a_block_read_while_it_is_written_is_no_mixture),
		WITH_EACH_ENGINE(nobody_writes_and_a_block_is_had_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
