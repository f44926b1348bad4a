/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop as other threads see it: no message is lost, overtaken or left lying
 * while the loop sleeps. To be run under ThreadSanitizer as well.
 */
#include "base/loop.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define POSTERS 4
#define NOTES   20000

struct note {
	struct loop_msg msg;
	struct inbox *inbox;
	int poster, number;
};

/* What the loop's thread has got so far. */
struct inbox {
	struct loop *loop;
	int last[POSTERS]; /* the number of the last note of each poster */
	int disorder;
	int total;
};

struct poster {
	pthread_t thread;
	struct inbox *inbox;
	int number;
};

static void note_run(struct loop_msg *m)
{
	struct note *n = container_of(m, struct note, msg);
	struct inbox *in = n->inbox;

	if (n->number != in->last[n->poster] + 1)
		in->disorder++;
	in->last[n->poster] = n->number;
	in->total++;
	free(n);
}

static void *post_all(void *arg)
{
	struct poster *p = arg;

	for (int i = 1; i <= NOTES; i++) {
		struct note *n = malloc(sizeof(*n));

		*n = (struct note){ { .run = note_run }, p->inbox, p->number, i };
		loop_post(p->inbox->loop, &n->msg);
	}
	return NULL;
}

static void *run_loop(void *arg)
{
	loop_run(arg);
	return NULL;
}

static struct loop *new_loop(uint64_t poll_ns)
{
	struct loop *loop;

	assert_int_equal(loop_create(poll_ns, &loop), 0);
	return loop;
}

static void all_posters_are_heard_in_their_order(uint64_t poll_ns)
{
	struct inbox in = { .loop = new_loop(poll_ns) };
	struct poster posters[POSTERS];
	pthread_t runner;

	pthread_create(&runner, NULL, run_loop, in.loop);
	for (int i = 0; i < POSTERS; i++) {
		posters[i] = (struct poster){ .inbox = &in, .number = i };
		pthread_create(&posters[i].thread, NULL, post_all, &posters[i]);
	}
	for (int i = 0; i < POSTERS; i++)
		pthread_join(posters[i].thread, NULL);
	loop_stop(in.loop);
	pthread_join(runner, NULL);
	assert_int_equal(in.total, POSTERS * NOTES);
	assert_int_equal(in.disorder, 0);
	loop_free(in.loop);
}

static void four_posters_are_heard_in_their_order_by_a_loop_that_sleeps(void **state)
{
	(void)state;
	all_posters_are_heard_in_their_order(0);
}

static void four_posters_are_heard_in_their_order_by_a_loop_that_polls(void **state)
{
	(void)state;
	all_posters_are_heard_in_their_order(100000);
}

/* A ball between two loops: each return is one sleep and one wake-up on either side, so that a
 * single wake-up that is lost ends the game (and the test, by its deadline). */
struct ball {
	struct loop_msg msg;
	struct loop *to, *from;
	int left;
};

static void hit(struct loop_msg *m)
{
	struct ball *b = container_of(m, struct ball, msg);
	struct loop *to = b->from;

	if (b->left-- == 0) {
		loop_stop(b->to);
		loop_stop(b->from);
		return;
	}
	b->from = b->to;
	b->to = to;
	loop_post(to, m);
}

static void no_wake_up_is_lost(uint64_t poll_ns)
{
	struct loop *a = new_loop(poll_ns), *b = new_loop(poll_ns);
	struct ball ball = { { .run = hit }, a, b, 20000 };
	pthread_t ta, tb;

	alarm(60);
	pthread_create(&ta, NULL, run_loop, a);
	pthread_create(&tb, NULL, run_loop, b);
	loop_post(a, &ball.msg);
	pthread_join(ta, NULL);
	pthread_join(tb, NULL);
	alarm(0);
	assert_int_equal(ball.left, -1);
	loop_free(a);
	loop_free(b);
}

static void no_wake_up_is_lost_between_loops_that_sleep(void **state)
{
	(void)state;
	no_wake_up_is_lost(0);
}

static void no_wake_up_is_lost_between_loops_that_poll(void **state)
{
	(void)state;
	no_wake_up_is_lost(20000);
}

static bool always_works(struct loop_watch *w, unsigned conditions)
{
	(void)w;
	(void)conditions;
	return true;
}

static void a_busy_watch_does_not_hold_up_a_stop_from_outside(void **state)
{
	struct loop *loop = new_loop(1000000);
	struct timespec pause = { .tv_nsec = 20000000 };
	struct loop_watch w;
	int fd = eventfd(1, EFD_NONBLOCK);
	pthread_t t;

	(void)state;
	alarm(60);
	assert_int_equal(loop_watch(loop, &w, fd, LOOP_READ, always_works), 0);
	pthread_create(&t, NULL, run_loop, loop);
	nanosleep(&pause, NULL);
	loop_stop(loop);
	assert_int_equal(pthread_join(t, NULL), 0);
	alarm(0);
	loop_unwatch(&w);
	close(fd);
	loop_free(loop);
}

struct last_word {
	struct loop_msg msg;
	struct loop *loop;
	bool heard;
};

static void hear(struct loop_msg *m)
{
	container_of(m, struct last_word, msg)->heard = true;
}

static void *say_it(void *arg)
{
	struct last_word *w = arg;

	loop_post(w->loop, &w->msg);
	return NULL;
}

/* The message was all that the loop lived for: nothing else keeps its end from the poster. */
static void a_loop_that_ends_on_a_message_outlives_its_poster(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++) {
		struct last_word w = { .msg.run = hear, .loop = new_loop(i % 2 ? 50000 : 0) };
		pthread_t t;

		pthread_create(&t, NULL, say_it, &w);
		while (!w.heard)
			loop_step(w.loop);
		loop_free(w.loop);
		assert_int_equal(pthread_join(t, NULL), 0);
	}
}

static void add_one(void *arg)
{
	++*(int *)arg;
}

static void a_call_is_over_when_it_returns(void **state)
{
	int n = 0;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct loop *loop = new_loop(i ? 50000 : 0);
		pthread_t t;

		pthread_create(&t, NULL, run_loop, loop);
		for (int k = 0; k < 1000; k++) {
			n = k;
			loop_call(loop, add_one, &n);
			assert_int_equal(n, k + 1);
		}
		loop_stop(loop);
		pthread_join(t, NULL);
		loop_free(loop);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(four_posters_are_heard_in_their_order_by_a_loop_that_sleeps),
		cmocka_unit_test(four_posters_are_heard_in_their_order_by_a_loop_that_polls),
		cmocka_unit_test(no_wake_up_is_lost_between_loops_that_sleep),
		cmocka_unit_test(no_wake_up_is_lost_between_loops_that_poll),
		cmocka_unit_test(a_busy_watch_does_not_hold_up_a_stop_from_outside),
		cmocka_unit_test(a_loop_that_ends_on_a_message_outlives_its_poster),
		cmocka_unit_test(a_call_is_over_when_it_returns),
	};

	return cmocka_run_group_tests_name("base/loop, threads", tests, NULL, NULL);
}
