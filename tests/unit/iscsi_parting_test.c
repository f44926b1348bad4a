/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams that the peer is to close first (iscsi/parting.h). */
#include "iscsi/parting.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A parting, and the peers of what was given to it. */
struct scene {
	struct loop *loop;
	struct parting parting;
	int peer[PARTING_MAX + 1];
};

static void scene_open(struct scene *s, int streams)
{
	assert_int_equal(loop_create(0, &s->loop), 0);
	parting_init(&s->parting, s->loop);
	for (int i = 0; i < streams; i++) {
		struct stream stream = { 0 };
		int fd[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
		stream.fd = fd[0];
		s->peer[i] = fd[1];
		parting_add(&s->parting, &stream);
		assert_int_equal(stream.fd, -1);
	}
}

static void scene_close(struct scene *s, int streams)
{
	parting_end(&s->parting);
	for (int i = 0; i < streams; i++)
		close(s->peer[i]);
	loop_free(s->loop);
}

static bool is_open(int peer)
{
	char c;

	return recv(peer, &c, 1, 0) < 0 && errno == EAGAIN;
}

static void stop_loop(struct loop_timer *t)
{
	loop_stop(t->loop);
}

static void run_for(struct loop *loop, uint32_t ms)
{
	struct loop_timer t;

	loop_timer_init(loop, &t, stop_loop);
	loop_timer_set(&t, ms);
	loop_run(loop);
	loop_timer_clear(&t);
}

static void a_stream_stays_open_for_a_moment_and_is_closed_then(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, 1);
	assert_true(is_open(s.peer[0]));
	run_for(s.loop, 100);
	assert_false(is_open(s.peer[0]));
	scene_close(&s, 1);
}

static void for_one_too_many_the_oldest_is_closed(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, PARTING_MAX + 1);
	assert_false(is_open(s.peer[0]));
	for (int i = 1; i <= PARTING_MAX; i++)
		assert_true(is_open(s.peer[i]));
	scene_close(&s, PARTING_MAX + 1);
}

static void what_is_left_is_closed_at_the_end(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, 2);
	parting_end(&s.parting);
	assert_false(is_open(s.peer[0]));
	assert_false(is_open(s.peer[1]));
	scene_close(&s, 2);
}

static void the_end_of_none_that_was_begun_is_harmless(void **state)
{
	struct parting p = { 0 };

	(void)state;
	parting_end(&p);
	assert_int_equal(p.n, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_stays_open_for_a_moment_and_is_closed_then),
		cmocka_unit_test(for_one_too_many_the_oldest_is_closed),
		cmocka_unit_test(what_is_left_is_closed_at_the_end),
		cmocka_unit_test(the_end_of_none_that_was_begun_is_harmless),
	};

	return cmocka_run_group_tests_name("net/parting", tests, NULL, NULL);
}
