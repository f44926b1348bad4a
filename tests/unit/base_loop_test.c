/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop as its own thread sees it: who is called, how often, in what order, and that
 * nothing runs when nothing happens.
 */
#include "base/loop.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop_support.h"

#define MS UINT64_C(1000000)

/* One end of a socketpair, watched; it reads what comes and counts. */
struct end {
	struct loop_watch watch;
	struct loop_defer defer;
	int peer;         /* the test writes here */
	int calls, empty; /* of ready(), and those that found nothing */
	/* The rounds of the first and the last of these. */
	uint64_t vain_from, vain_to;
	unsigned last;      /* conditions of the last call */
	struct end *victim; /* unwatched in ready() */
	struct loop *stops; /* stopped in ready() */
};

static bool end_ready(struct loop_watch *w, unsigned conditions)
{
	struct end *e = container_of(w, struct end, watch);
	char buf[64];

	e->calls++;
	e->last = conditions;
	if (e->victim)
		loop_unwatch(&e->victim->watch);
	if (e->stops)
		loop_stop(e->stops);
	if (conditions == LOOP_WRITE || recv(w->fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		return true;
	if (!e->empty++)
		e->vain_from = loop_now(w->loop);
	e->vain_to = loop_now(w->loop);
	return false;
}

static void end_open(struct end *e, struct loop *loop)
{
	int fd[2];

	*e = (struct end){ 0 };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	e->peer = fd[1];
	assert_int_equal(loop_watch(loop, &e->watch, fd[0], LOOP_READ, end_ready), 0);
}

static void end_close(struct end *e)
{
	loop_unwatch(&e->watch);
	close(e->watch.fd);
	close(e->peer);
}

static void ping(struct end *e)
{
	assert_int_equal(write(e->peer, "x", 1), 1);
}

static struct loop *new_loop(uint64_t poll_ns)
{
	struct loop *loop;

	assert_int_equal(loop_create(poll_ns, &loop), 0);
	return loop;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static long sleeps(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_nvcsw;
}

/* --- descriptors -------------------------------------------------------------------- */

static void a_readable_descriptor_is_told_once_for_each_round_with_input(void **state)
{
	struct loop *loop = new_loop(0);
	struct end e;

	(void)state;
	end_open(&e, loop);
	assert_false(loop_step(loop));
	ping(&e);
	assert_true(loop_step(loop));
	assert_int_equal(e.calls, 1);
	assert_int_equal(e.last, LOOP_READ);
	assert_false(loop_step(loop));
	assert_int_equal(e.calls, 1);
	end_close(&e);
	loop_free(loop);
}

static void what_is_watched_for_can_be_changed_at_any_time(void **state)
{
	struct loop *loop = new_loop(0);
	struct end e;

	(void)state;
	end_open(&e, loop);
	ping(&e);
	assert_int_equal(loop_rewatch(&e.watch, LOOP_WRITE), 0);
	loop_step(loop);
	assert_int_equal(e.last, LOOP_WRITE);
	assert_int_equal(loop_rewatch(&e.watch, 0), 0);
	assert_false(loop_step(loop));
	assert_int_equal(e.calls, 1);
	assert_int_equal(loop_rewatch(&e.watch, LOOP_READ), 0);
	loop_step(loop);
	assert_int_equal(e.last, LOOP_READ);
	end_close(&e);
	loop_free(loop);
}

static void a_peer_that_is_gone_is_told_as_readable(void **state)
{
	struct loop *loop = new_loop(0);
	struct end e;

	(void)state;
	end_open(&e, loop);
	shutdown(e.peer, SHUT_RDWR);
	loop_step(loop);
	assert_int_equal(e.calls, 1);
	assert_int_equal(e.last, LOOP_READ);
	end_close(&e);
	loop_free(loop);
}

static void a_descriptor_that_cannot_be_watched_is_refused(void **state)
{
	struct loop *loop = new_loop(0);
	struct loop_watch w;

	(void)state;
	assert_int_equal(loop_watch(loop, &w, 9999, LOOP_READ, end_ready), -EBADF);
	loop_unwatch(&w);
	loop_free(loop);
}

static void unwatching_what_was_never_watched_is_harmless(void **state)
{
	struct loop_watch w = { 0 };

	(void)state;
	loop_unwatch(&w);
	assert_int_equal(loop_rewatch(&w, LOOP_READ), 0);
}

static void nobody_is_called_after_another_ready_watch_unwatched_it(void **state)
{
	struct loop *loop = new_loop(0);
	struct end a, b;

	(void)state;
	end_open(&a, loop);
	end_open(&b, loop);
	a.victim = &b;
	b.victim = &a;
	ping(&a);
	ping(&b);
	loop_step(loop);
	loop_step(loop);
	assert_int_equal(a.calls + b.calls, 1);
	end_close(&a);
	end_close(&b);
	loop_free(loop);
}

/* Unwatches `second` in the third call, when both are hot and asked one after the other. */
struct cutter {
	struct end first, second;
};

static bool cut_when_hot(struct loop_watch *w, unsigned conditions)
{
	struct cutter *c = container_of(w, struct cutter, first.watch);

	(void)conditions;
	if (++c->first.calls < 3)
		return true;
	loop_unwatch(&c->second.watch);
	c->second.calls = 0;
	loop_stop(w->loop);
	return false;
}

static bool always_works(struct loop_watch *w, unsigned conditions)
{
	struct end *e = container_of(w, struct end, watch);

	(void)conditions;
	e->calls++;
	return true;
}

static void nobody_is_called_after_another_polled_watch_unwatched_it(void **state)
{
	struct loop *loop = new_loop(MS);
	struct cutter c;

	(void)state;
	end_open(&c.first, loop);
	end_open(&c.second, loop);
	c.first.watch.ready = cut_when_hot;
	c.second.watch.ready = always_works;
	ping(&c.first);
	ping(&c.second);
	loop_run(loop);
	assert_true(c.first.calls >= 3);
	assert_int_equal(c.second.calls, 0);
	run_for(loop, 10);
	assert_int_equal(c.second.calls, 0);
	end_close(&c.first);
	end_close(&c.second);
	loop_free(loop);
}

static void free_end(struct loop_defer *d)
{
	struct end *e = container_of(d, struct end, defer);

	end_close(e);
	free(e);
}

static bool end_itself(struct loop_watch *w, unsigned conditions)
{
	struct end *e = container_of(w, struct end, watch);

	(void)conditions;
	loop_unwatch(w);
	loop_defer(w->loop, &e->defer);
	return true;
}

static void a_watch_can_end_itself_and_be_freed_at_the_end_of_the_round(void **state)
{
	struct loop *loop = new_loop(MS);
	struct end *e = malloc(sizeof(*e));

	(void)state;
	assert_non_null(e);
	end_open(e, loop);
	loop_defer_init(&e->defer, free_end);
	e->watch.ready = end_itself;
	ping(e);
	assert_true(loop_step(loop));
	run_for(loop, 10);
	loop_free(loop);
}

/* --- fairness ------------------------------------------------------------------------ */

static void a_busy_watch_does_not_starve_a_timer(void **state)
{
	struct loop *loop = new_loop(MS);
	struct end busy;

	(void)state;
	end_open(&busy, loop);
	busy.watch.ready = always_works;
	ping(&busy);
	run_for(loop, 20);
	assert_true(busy.calls > 100);
	end_close(&busy);
	loop_free(loop);
}

static void a_busy_watch_does_not_starve_another_descriptor(void **state)
{
	struct loop *loop = new_loop(MS);
	struct end busy, other;

	(void)state;
	end_open(&busy, loop);
	end_open(&other, loop);
	busy.watch.ready = always_works;
	ping(&busy);
	run_for(loop, 5);
	assert_int_equal(other.calls, 0);
	ping(&other);
	other.stops = loop;
	loop_run(loop);
	assert_int_equal(other.calls, 1);
	end_close(&busy);
	end_close(&other);
	loop_free(loop);
}

static void many_busy_watches_are_all_served(void **state)
{
	struct loop *loop = new_loop(MS);
	struct end busy[20];

	(void)state;
	for (int i = 0; i < 20; i++) {
		end_open(&busy[i], loop);
		busy[i].watch.ready = always_works;
		ping(&busy[i]);
	}
	run_for(loop, 20);
	for (int i = 0; i < 20; i++) {
		assert_true(busy[i].calls > 10);
		end_close(&busy[i]);
	}
	loop_free(loop);
}

/* --- polling and sleeping -------------------------------------------------------------- */

static void an_idle_loop_sleeps(void **state)
{
	struct loop *loop = new_loop(MS);
	uint64_t cpu = cpu_ns();
	long n = sleeps();
	struct end e;

	(void)state;
	end_open(&e, loop);
	run_for(loop, 200);
	assert_in_range(sleeps() - n, 1, 5);
	assert_true(cpu_ns() - cpu < 5 * MS);
	end_close(&e);
	loop_free(loop);
}

static void after_work_a_loop_polls_for_a_while_and_then_sleeps(void **state)
{
	struct loop *loop = new_loop(10 * MS); /* cut to 1 ms */
	struct end e;
	uint64_t cpu = cpu_ns();

	(void)state;
	end_open(&e, loop);
	ping(&e);
	run_for(loop, 100);
	assert_true(e.empty > 10);
	assert_true(cpu_ns() - cpu < 20 * MS);
	e.empty = 0;
	run_for(loop, 20);
	assert_int_equal(e.empty, 0);
	end_close(&e);
	loop_free(loop);
}

static void a_loop_that_may_not_poll_never_calls_in_vain(void **state)
{
	struct loop *loop = new_loop(0);
	struct end e;

	(void)state;
	end_open(&e, loop);
	ping(&e);
	run_for(loop, 20);
	assert_int_equal(e.calls, 1);
	assert_int_equal(e.empty, 0);
	end_close(&e);
	loop_free(loop);
}

static void a_watch_that_does_not_want_input_is_not_polled(void **state)
{
	struct loop *loop = new_loop(MS);
	struct end e;

	(void)state;
	end_open(&e, loop);
	ping(&e);
	loop_step(loop);
	loop_rewatch(&e.watch, 0);
	run_for(loop, 20);
	assert_int_equal(e.calls, 1);
	end_close(&e);
	loop_free(loop);
}

/* The longest polling after one of several pings. A busy machine may cut it short, but makes it
 * no longer: a round that begins after the window is none of it. */
static uint64_t longest_polling(struct loop *loop, struct end *e, uint64_t poll_ns)
{
	uint64_t longest = 0;

	for (int i = 0; i < 20; i++) {
		e->empty = 0;
		loop_set_poll(loop, poll_ns); /* it has learned nothing yet */
		ping(e);
		run_for(loop, 5);
		if (e->empty && e->vain_to - e->vain_from > longest)
			longest = e->vain_to - e->vain_from;
	}
	return longest;
}

static void a_loop_that_awaits_a_disk_polls_longer(void **state)
{
	struct loop *loop = new_loop(MS / 4);
	struct end e;

	(void)state;
	end_open(&e, loop);
	assert_true(longest_polling(loop, &e, MS / 4) < MS / 4);
	loop_await(loop, true);
	assert_in_range(longest_polling(loop, &e, MS / 4), MS / 2, MS);
	loop_await(loop, false);
	assert_true(longest_polling(loop, &e, MS / 4) < MS / 4);
	end_close(&e);
	loop_free(loop);
}

static void a_watch_that_is_never_hot_is_called_only_where_the_kernel_tells_to(void **state)
{
	struct loop *loop = new_loop(MS);
	struct end e;

	(void)state;
	end_open(&e, loop);
	e.watch.never_hot = true;
	ping(&e);
	run_for(loop, 20);
	assert_int_equal(e.calls, 1);
	assert_int_equal(e.empty, 0);
	end_close(&e);
	loop_free(loop);
}

/* Another thread that sends to an end every few milliseconds: longer than a polling window. */
struct metronome {
	struct end end;
	struct loop *loop;
	int beats;
};

static void *beat(void *arg)
{
	struct metronome *m = arg;
	struct timespec pause = { .tv_nsec = 5 * (long)MS };

	for (int i = 0; i < m->beats; i++) {
		nanosleep(&pause, NULL);
		ping(&m->end);
	}
	nanosleep(&pause, NULL);
	loop_stop(m->loop);
	return NULL;
}

/* Runs the loop for some beats; gives how many calls found nothing. */
static int calls_in_vain(struct metronome *m, int beats)
{
	pthread_t t;

	m->beats = beats;
	m->end.empty = 0;
	assert_int_equal(pthread_create(&t, NULL, beat, m), 0);
	loop_run(m->loop);
	pthread_join(t, NULL);
	return m->end.empty;
}

static void polling_that_never_pays_is_given_up(void **state)
{
	struct metronome m = { .loop = new_loop(MS / 2) };

	(void)state;
	end_open(&m.end, m.loop);
	assert_true(calls_in_vain(&m, 12) > 0);
	/* On a busy machine the loop may stand still in a window until the next beat, which pays. */
	for (int tries = 0; calls_in_vain(&m, 12) > 0; tries++)
		assert_in_range(tries, 0, 50);
	end_close(&m.end);
	loop_free(m.loop);
}

static void a_new_polling_time_holds_at_once(void **state)
{
	struct loop *loop = new_loop(MS);
	struct end e;

	(void)state;
	end_open(&e, loop);
	loop_set_poll(loop, 0);
	ping(&e);
	run_for(loop, 10);
	assert_int_equal(e.empty, 0);
	loop_set_poll(loop, MS);
	ping(&e);
	run_for(loop, 10);
	assert_true(e.empty > 0);
	end_close(&e);
	loop_free(loop);
}

/* --- deferred work --------------------------------------------------------------------- */

struct job {
	struct loop_defer defer;
	struct loop *loop;
	int runs, again;
	struct job *other; /* undeferred in run */
	struct end *end;   /* must have been called before */
};

static void job_run(struct loop_defer *d)
{
	struct job *j = container_of(d, struct job, defer);

	j->runs++;
	if (j->again-- > 0)
		loop_defer(j->loop, d);
	if (j->other)
		loop_undefer(&j->other->defer);
	if (j->end)
		assert_int_equal(j->end->calls, 1);
}

static void what_is_deferred_twice_runs_once(void **state)
{
	struct loop *loop = new_loop(0);
	struct job j = { .loop = loop };

	(void)state;
	loop_defer_init(&j.defer, job_run);
	loop_defer(loop, &j.defer);
	loop_defer(loop, &j.defer);
	assert_int_equal(j.runs, 0);
	assert_true(loop_step(loop));
	assert_false(loop_step(loop));
	assert_int_equal(j.runs, 1);
	loop_free(loop);
}

static void deferred_work_runs_after_the_watches_of_its_round(void **state)
{
	struct loop *loop = new_loop(0);
	struct end e;
	struct job j = { .loop = loop, .end = &e };

	(void)state;
	end_open(&e, loop);
	loop_defer_init(&j.defer, job_run);
	loop_defer(loop, &j.defer);
	ping(&e);
	loop_step(loop);
	assert_int_equal(j.runs, 1);
	end_close(&e);
	loop_free(loop);
}

static void work_that_defers_itself_runs_once_a_round(void **state)
{
	struct loop *loop = new_loop(0);
	struct job j = { .loop = loop, .again = 1000000 };

	(void)state;
	loop_defer_init(&j.defer, job_run);
	loop_defer(loop, &j.defer);
	loop_step(loop);
	assert_int_equal(j.runs, 1);
	loop_step(loop);
	assert_int_equal(j.runs, 2);
	loop_undefer(&j.defer);
	loop_step(loop);
	assert_int_equal(j.runs, 2);
	loop_free(loop);
}

static void a_loop_with_deferred_work_does_not_sleep(void **state)
{
	struct loop *loop = new_loop(0);
	struct job j = { .loop = loop, .again = 1000000000 };

	(void)state;
	loop_defer_init(&j.defer, job_run);
	loop_defer(loop, &j.defer);
	run_for(loop, 10);
	assert_true(j.runs > 1000);
	loop_undefer(&j.defer);
	loop_free(loop);
}

static void deferred_work_can_be_cancelled_by_other_deferred_work(void **state)
{
	struct loop *loop = new_loop(0);
	struct job a = { .loop = loop }, b = { .loop = loop };

	(void)state;
	loop_defer_init(&a.defer, job_run);
	loop_defer_init(&b.defer, job_run);
	a.other = &b;
	loop_defer(loop, &a.defer);
	loop_defer(loop, &b.defer);
	loop_step(loop);
	loop_step(loop);
	assert_int_equal(a.runs, 1);
	assert_int_equal(b.runs, 0);
	loop_free(loop);
}

/* --- timers ----------------------------------------------------------------------------- */

struct alarm {
	struct loop_timer timer;
	uint64_t at;
	int fired;
};

static void alarm_fire(struct loop_timer *t)
{
	struct alarm *a = container_of(t, struct alarm, timer);

	a->fired++;
	a->at = loop_now(t->loop);
}

static void a_timer_fires_once_in_its_time(void **state)
{
	struct loop *loop = new_loop(0);
	struct alarm a = { 0 };
	uint64_t began = loop_now(loop);

	(void)state;
	loop_timer_init(loop, &a.timer, alarm_fire);
	loop_timer_set(&a.timer, 50);
	run_for(loop, 120);
	assert_int_equal(a.fired, 1);
	assert_in_range(a.at - began, 45 * MS, 115 * MS);
	loop_free(loop);
}

static void a_timer_that_is_cleared_never_fires(void **state)
{
	struct loop *loop = new_loop(0);
	struct alarm a = { 0 };

	(void)state;
	loop_timer_clear(&a.timer);
	loop_timer_init(loop, &a.timer, alarm_fire);
	loop_timer_set(&a.timer, 5);
	loop_timer_clear(&a.timer);
	run_for(loop, 20);
	assert_int_equal(a.fired, 0);
	loop_free(loop);
}

static void a_timer_that_is_set_again_fires_at_the_later_time_alone(void **state)
{
	struct loop *loop = new_loop(0);
	struct alarm a = { 0 };

	(void)state;
	loop_timer_init(loop, &a.timer, alarm_fire);
	loop_timer_set(&a.timer, 5);
	loop_timer_set(&a.timer, 60);
	run_for(loop, 30);
	assert_int_equal(a.fired, 0);
	run_for(loop, 60);
	assert_int_equal(a.fired, 1);
	loop_free(loop);
}

static void timers_of_any_number_of_lengths_fire(void **state)
{
	struct loop *loop = new_loop(0);
	struct alarm a[100] = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		loop_timer_init(loop, &a[i].timer, alarm_fire);
		loop_timer_set(&a[i].timer, i);
	}
	run_for(loop, 150);
	for (int i = 0; i < 100; i++)
		assert_int_equal(a[i].fired, 1);
	loop_free(loop);
}

/* --- messages ---------------------------------------------------------------------------- */

struct note {
	struct loop_msg msg;
	int number;
	int *last; /* the number of the note before */
};

static void note_run(struct loop_msg *m)
{
	struct note *n = container_of(m, struct note, msg);

	assert_int_equal(n->number, *n->last + 1);
	*n->last = n->number;
	free(n);
}

static void post_notes(struct loop *loop, int count, int *last)
{
	for (int i = 1; i <= count; i++) {
		struct note *n = malloc(sizeof(*n));

		assert_non_null(n);
		*n = (struct note){ .msg.run = note_run, .number = i, .last = last };
		loop_post(loop, &n->msg);
	}
}

static void messages_run_in_the_order_posted(void **state)
{
	struct loop *loop = new_loop(0);
	int last = 0;

	(void)state;
	post_notes(loop, 5, &last);
	assert_int_equal(last, 0);
	assert_true(loop_step(loop));
	assert_int_equal(last, 5);
	assert_false(loop_step(loop));
	loop_free(loop);
}

static void what_was_posted_before_a_stop_is_delivered(void **state)
{
	struct loop *loop = new_loop(0);
	int last = 0;

	(void)state;
	post_notes(loop, 3, &last);
	loop_stop(loop);
	loop_run(loop);
	assert_int_equal(last, 3);
	loop_free(loop);
}

static void what_is_left_when_a_loop_is_freed_still_runs(void **state)
{
	struct loop *loop = new_loop(0);
	struct job j = { .loop = loop };
	int last = 0;

	(void)state;
	loop_defer_init(&j.defer, job_run);
	loop_defer(loop, &j.defer);
	post_notes(loop, 3, &last);
	loop_free(loop);
	assert_int_equal(last, 3);
	assert_int_equal(j.runs, 1);
}

/* Posts itself again whenever it runs. */
struct echo {
	struct loop_msg msg;
	struct loop *loop;
	int runs;
};

static void echo_run(struct loop_msg *m)
{
	struct echo *e = container_of(m, struct echo, msg);

	e->runs++;
	loop_post(e->loop, m);
}

static void a_message_that_posts_itself_for_ever_does_not_hold_up_a_stop(void **state)
{
	struct loop *loop = new_loop(0);
	struct echo e = { .msg.run = echo_run, .loop = loop };

	(void)state;
	loop_post(loop, &e.msg);
	run_for(loop, 10);
	assert_true(e.runs > 100);
	loop_free(loop);
}

static void the_end_of_no_loop_is_harmless(void **state)
{
	(void)state;
	loop_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_readable_descriptor_is_told_once_for_each_round_with_input),
		cmocka_unit_test(what_is_watched_for_can_be_changed_at_any_time),
		cmocka_unit_test(a_peer_that_is_gone_is_told_as_readable),
		cmocka_unit_test(a_descriptor_that_cannot_be_watched_is_refused),
		cmocka_unit_test(unwatching_what_was_never_watched_is_harmless),
		cmocka_unit_test(nobody_is_called_after_another_ready_watch_unwatched_it),
		cmocka_unit_test(nobody_is_called_after_another_polled_watch_unwatched_it),
		cmocka_unit_test(a_watch_can_end_itself_and_be_freed_at_the_end_of_the_round),
		cmocka_unit_test(a_busy_watch_does_not_starve_a_timer),
		cmocka_unit_test(a_busy_watch_does_not_starve_another_descriptor),
		cmocka_unit_test(many_busy_watches_are_all_served),
		cmocka_unit_test(an_idle_loop_sleeps),
		cmocka_unit_test(after_work_a_loop_polls_for_a_while_and_then_sleeps),
		cmocka_unit_test(a_loop_that_may_not_poll_never_calls_in_vain),
		cmocka_unit_test(a_loop_that_awaits_a_disk_polls_longer),
		cmocka_unit_test(a_watch_that_does_not_want_input_is_not_polled),
		cmocka_unit_test(a_watch_that_is_never_hot_is_called_only_where_the_kernel_tells_to),
		cmocka_unit_test(polling_that_never_pays_is_given_up),
		cmocka_unit_test(a_new_polling_time_holds_at_once),
		cmocka_unit_test(what_is_deferred_twice_runs_once),
		cmocka_unit_test(deferred_work_runs_after_the_watches_of_its_round),
		cmocka_unit_test(work_that_defers_itself_runs_once_a_round),
		cmocka_unit_test(a_loop_with_deferred_work_does_not_sleep),
		cmocka_unit_test(deferred_work_can_be_cancelled_by_other_deferred_work),
		cmocka_unit_test(a_timer_fires_once_in_its_time),
		cmocka_unit_test(a_timer_that_is_cleared_never_fires),
		cmocka_unit_test(a_timer_that_is_set_again_fires_at_the_later_time_alone),
		cmocka_unit_test(timers_of_any_number_of_lengths_fire),
		cmocka_unit_test(messages_run_in_the_order_posted),
		cmocka_unit_test(what_was_posted_before_a_stop_is_delivered),
		cmocka_unit_test(what_is_left_when_a_loop_is_freed_still_runs),
		cmocka_unit_test(a_message_that_posts_itself_for_ever_does_not_hold_up_a_stop),
		cmocka_unit_test(the_end_of_no_loop_is_harmless),
	};

	return cmocka_run_group_tests_name("base/loop", tests, NULL, NULL);
}
