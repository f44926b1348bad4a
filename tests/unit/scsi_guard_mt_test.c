/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * COMPARE AND WRITE against itself and against WRITE, from several loops: no update is lost. A
 * block holds two numbers: how often it was compared and written, and the last WRITE below that.
 */
#include <pthread.h>

#include "tests/skip.h"
#include "tests/unit/scsi_support.h"

#define COMPARERS 3
#define LBA       5

struct side {
	pthread_t thread;
	struct loop *loop;
	struct bufs *bufs;
	struct nexus nexus;
	unsigned rounds, updates, misses;
};

static struct side sides[COMPARERS + 1];
static const struct nexus_ops ops = { .abort_tasks = rig_abort_tasks };

/* Runs a command with data out or in; its status. */
static uint8_t run(struct side *s, const uint8_t *cdb, unsigned dir, uint8_t *data, uint32_t len)
{
	struct scsi_task t;
	enum scsi_next next;
	uint8_t status;

	rig_task(&t, &s->nexus, 0, cdb, 16, dir, len);
	next = scsi_task_start(&t);
	if (next == SCSI_WANT_DATA) {
		loop_step(s->loop); /* time passes before the data come */
		next = scsi_task_data(&t, rig_put(&t, data));
	}
	if (next == SCSI_PENDING)
		rig_wait(&t);
	status = t.status;
	if (status == SCSI_GOOD && dir == SCSI_DIR_IN)
		memcpy(data, t.in.iov[0].iov_base, len);
	scsi_task_release(&t);
	return status;
}

static void read_block(struct side *s, uint8_t *block)
{
	if (run(s, (const uint8_t[16]){ READ10(LBA, 1) }, SCSI_DIR_IN, block, 512) != SCSI_GOOD)
		abort();
}

/* Adds one to the first number until it has done so often enough. */
static void *compare_and_write(void *arg)
{
	struct side *s = arg;
	uint8_t data[1024];

	while (s->updates < s->rounds) {
		read_block(s, data);
		memcpy(data + 512, data, 512);
		put_be64(data + 512, be64(data) + 1);
		if (run(s, (const uint8_t[16]){ 0x89, 0, BE8(LBA), 0, 0, 0, 1, 0, 0 }, SCSI_DIR_OUT,
			    data, 1024) == SCSI_GOOD)
			s->updates++;
		else
			s->misses++;
	}
	return NULL;
}

/* Writes the second number, and looks whether it is there: whatever was compared and written
 * since must have seen it. The first number it sets to zero each time, and counts what was lost
 * by that. */
static void *write_over(void *arg)
{
	struct side *s = arg;
	uint8_t data[512] = { 0 };

	for (uint64_t n = 1; n <= s->rounds; n++) {
		put_be64(data, 0);
		put_be64(data + 8, n);
		if (run(s, (const uint8_t[16]){ WRITE10(LBA, 1) }, SCSI_DIR_OUT, data, 512) !=
			SCSI_GOOD)
			abort();
		read_block(s, data);
		if (be64(data + 8) != n)
			s->misses++;
	}
	return NULL;
}

static void start(struct side *s, struct lun_map *map, unsigned rounds, void *(*f)(void *))
{
	s->rounds = rounds;
	s->updates = s->misses = 0;
	assert_int_equal(loop_create(0, &s->loop), 0);
	assert_int_equal(bufs_create(NULL, 1 << 20, &s->bufs), 0);
	s->nexus = (struct nexus){ .loop = s->loop,
		.bufs = s->bufs,
		.ops = &ops,
		.initiator = "iqn.2026-11.com.example:host",
		.target = "iqn.2026-11.com.example:disk",
		.tpgt = 1,
		.rel_port = 1 };
	assert_int_equal(nexus_open(&s->nexus, map), 0);
	run(s, (const uint8_t[16]){ TUR }, 0, NULL, 0);
	assert_int_equal(pthread_create(&s->thread, NULL, f, s), 0);
}

static void join(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		pthread_join(sides[i].thread, NULL);
	for (unsigned i = 0; i < n; i++) {
		nexus_close(&sides[i].nexus, rig_nexus_closed);
		bufs_free(sides[i].bufs);
		loop_free(sides[i].loop);
	}
}

/* Through buffers each command takes its turns of the loop. */
static unsigned rounds_of(void **state)
{
	return *state ? 300 : 600;
}

static void no_compare_and_write_is_lost(void **state)
{
	unsigned rounds = rounds_of(state);
	struct rig *r = rig_create((struct rig_cfg){ .faulty = *state != NULL });
	uint8_t zeros[1024] = { 0 };

	/* So that the first READs do not look at blocks that are being written. */
	assert_good(RUN(r, 0, zeros, 1024, 0x89, 0, BE8(LBA), 0, 0, 0, 1, 0, 0));
	for (unsigned i = 0; i < COMPARERS; i++)
		start(&sides[i], r->map, rounds, compare_and_write);
	join(COMPARERS);
	assert_good(RUN(r, 0, NULL, 512, READ10(LBA, 1)));
	assert_int_equal(be64(rig_in), COMPARERS * rounds);
	rig_free(r);
}

/* READs beside WRITEs of the same block race by nature, whatever the disk: not under TSan. */
static void no_write_is_lost_under_compare_and_write(void **state)
{
	unsigned rounds = rounds_of(state);
	struct rig *r;

#ifdef __SANITIZE_THREAD__
	skip_as("a race by nature");
#endif
	r = rig_create((struct rig_cfg){ .faulty = *state != NULL });
	for (unsigned i = 0; i < COMPARERS; i++)
		start(&sides[i], r->map, rounds, compare_and_write);
	start(&sides[COMPARERS], r->map, rounds, write_over);
	join(COMPARERS + 1);
	assert_int_equal(sides[COMPARERS].misses, 0);
	rig_free(r);
}

static void *write_blindly(void *arg)
{
	struct side *s = arg;
	uint8_t data[512];

	for (unsigned i = 0; i < s->rounds; i++) {
		memset(data, (int)(i & 1), sizeof(data));
		if (run(s, (const uint8_t[16]){ WRITE10(LBA, 1) }, SCSI_DIR_OUT, data, 512) !=
			SCSI_GOOD)
			abort();
	}
	return NULL;
}

static void *compare_blindly(void *arg)
{
	struct side *s = arg;
	uint8_t data[1024];

	for (unsigned i = 0; i < s->rounds; i++) {
		memset(data, 0, 512);
		memset(data + 512, 2, 512);
		s->updates += run(s, (const uint8_t[16]){ 0x89, 0, BE8(LBA), 0, 0, 0, 1, 0, 0 },
				      SCSI_DIR_OUT, data, 1024) == SCSI_GOOD;
	}
	return NULL;
}

/* The first COMPARE AND WRITE comes in the middle of WRITEs that go straight into the medium. */
static void a_guard_that_goes_up_misses_no_writer(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		struct rig *r = rig_create((struct rig_cfg){ 0 });

		start(&sides[0], r->map, 40, write_blindly);
		start(&sides[1], r->map, 10, compare_blindly);
		join(2);
		assert_good(RUN(r, 0, NULL, 512, READ10(LBA, 1)));
		for (unsigned k = 1; k < 512; k++)
			assert_int_equal(rig_in[k], rig_in[0]);
		rig_free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_STORES(no_compare_and_write_is_lost),
		BOTH_STORES(no_write_is_lost_under_compare_and_write),
		cmocka_unit_test(a_guard_that_goes_up_misses_no_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
