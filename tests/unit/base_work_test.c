/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The work pool: every job is done once, on another thread, and told at home. To
 * be run under ThreadSanitizer as well.
 */
#include "base/work.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* What the jobs of a test share. */
struct site {
	struct loop *loop;
	struct work_pool *pool;
	pthread_t home;
	int done, wanted; /* on the home thread */
	int told_elsewhere;
	atomic_int now, most; /* jobs at work at once */
	pthread_mutex_t gate;
	int pause_ms;
};

struct job {
	struct work work;
	struct site *site;
	pthread_t ran_on;
	int runs;
};

static void job_run(struct work *w)
{
	struct job *j = container_of(w, struct job, work);
	struct site *s = j->site;
	int now = atomic_fetch_add(&s->now, 1) + 1;
	int most = atomic_load(&s->most);

	while (now > most && !atomic_compare_exchange_weak(&s->most, &most, now))
		;
	if (s->pause_ms) {
		struct timespec t = { .tv_nsec = s->pause_ms * 1000000L };

		nanosleep(&t, NULL);
	}
	j->runs++;
	j->ran_on = pthread_self();
	atomic_fetch_sub(&s->now, 1);
}

static void job_done(struct work *w)
{
	struct job *j = container_of(w, struct job, work);

	if (!pthread_equal(pthread_self(), j->site->home))
		j->site->told_elsewhere++;
	if (++j->site->done == j->site->wanted)
		loop_stop(j->site->loop);
}

static void site_open(struct site *s, unsigned threads)
{
	*s = (struct site){ .home = pthread_self() };
	assert_int_equal(loop_create(0, &s->loop), 0);
	assert_int_equal(work_pool_create(threads, &s->pool), 0);
}

static void site_close(struct site *s)
{
	work_pool_free(s->pool);
	loop_free(s->loop);
}

static void submit_in(struct site *s, struct work_lane *lane, struct job *jobs, int n)
{
	s->wanted += n;
	for (int i = 0; i < n; i++) {
		jobs[i] = (struct job){ .work = { job_run, job_done, s->loop, .lane = lane },
			.site = s };
		list_init(&jobs[i].work.link);
		work_submit(s->pool, &jobs[i].work);
	}
}

static void submit(struct site *s, struct job *jobs, int n)
{
	submit_in(s, NULL, jobs, n);
}

static void a_job_runs_elsewhere_and_is_told_at_home(void **state)
{
	struct site s;
	struct job j;

	(void)state;
	site_open(&s, 1);
	submit(&s, &j, 1);
	loop_run(s.loop);
	assert_int_equal(j.runs, 1);
	assert_false(pthread_equal(j.ran_on, pthread_self()));
	assert_int_equal(s.told_elsewhere, 0);
	site_close(&s);
}

static void a_thousand_jobs_are_each_done_once(void **state)
{
	static struct job jobs[1000];
	struct site s;

	(void)state;
	site_open(&s, 8);
	submit(&s, jobs, 1000);
	loop_run(s.loop);
	assert_int_equal(s.done, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(jobs[i].runs, 1);
	assert_int_equal(s.told_elsewhere, 0);
	site_close(&s);
}

static void jobs_run_side_by_side_up_to_the_limit(void **state)
{
	struct job jobs[20];
	struct site s;

	(void)state;
	site_open(&s, 4);
	s.pause_ms = 30;
	submit(&s, jobs, 20);
	loop_run(s.loop);
	assert_int_equal(atomic_load(&s.most), 4);
	site_close(&s);
}

static void a_lane_keeps_no_more_threads_than_it_may(void **state)
{
	struct work_lane lane;
	struct job jobs[20];
	struct site s;

	(void)state;
	site_open(&s, 8);
	work_lane_init(&lane, 2);
	s.pause_ms = 10;
	submit_in(&s, &lane, jobs, 20);
	loop_run(s.loop);
	assert_int_equal(atomic_load(&s.most), 2);
	for (int i = 0; i < 20; i++)
		assert_int_equal(jobs[i].runs, 1);
	site_close(&s);
}

/* The first lane waits for a lock that the main thread holds until the other job is done. */
static void block(struct work *w)
{
	struct job *j = container_of(w, struct job, work);

	pthread_mutex_lock(&j->site->gate);
	pthread_mutex_unlock(&j->site->gate);
}

static void a_lane_that_hangs_holds_up_no_other(void **state)
{
	struct work_lane hangs, other;
	struct job stuck[20], lone;
	struct site s;

	(void)state;
	site_open(&s, 4);
	work_lane_init(&hangs, 3);
	work_lane_init(&other, 3);
	pthread_mutex_init(&s.gate, NULL);
	pthread_mutex_lock(&s.gate);
	for (int i = 0; i < 20; i++) {
		stuck[i] = (struct job){ .work = { block, job_done, s.loop, .lane = &hangs },
			.site = &s };
		work_submit(s.pool, &stuck[i].work);
	}
	submit_in(&s, &other, &lone, 1);
	loop_run(s.loop);
	assert_int_equal(lone.runs, 1);
	s.wanted += 20;
	pthread_mutex_unlock(&s.gate);
	loop_run(s.loop);
	assert_int_equal(s.done, 21);
	site_close(&s);
	pthread_mutex_destroy(&s.gate);
}

static void one_job_at_a_time_needs_one_thread(void **state)
{
	struct job jobs[50];
	struct site s;

	(void)state;
	site_open(&s, 8);
	for (int i = 0; i < 50; i++) {
		struct timespec t = { .tv_nsec = 1000000 };

		submit(&s, &jobs[i], 1);
		loop_run(s.loop);
		nanosleep(&t, NULL);
		assert_true(pthread_equal(jobs[i].ran_on, jobs[0].ran_on));
	}
	site_close(&s);
}

static void freeing_a_pool_waits_for_what_is_queued(void **state)
{
	struct job jobs[10];
	struct site s;

	(void)state;
	site_open(&s, 2);
	s.pause_ms = 5;
	submit(&s, jobs, 10);
	work_pool_free(s.pool);
	for (int i = 0; i < 10; i++)
		assert_int_equal(jobs[i].runs, 1);
	assert_int_equal(s.done, 0);
	loop_free(s.loop);
	assert_int_equal(s.done, 10);
}

struct lone {
	struct work work;
	atomic_int *runs;
};

static void run_lone(struct work *w)
{
	struct lone *l = container_of(w, struct lone, work);

	atomic_fetch_add(l->runs, 1);
	free(l);
}

static void a_job_without_a_home_may_free_itself(void **state)
{
	struct work_pool *pool;
	atomic_int runs = 0;

	(void)state;
	assert_int_equal(work_pool_create(2, &pool), 0);
	for (int i = 0; i < 10; i++) {
		struct lone *l = calloc(1, sizeof(*l));

		assert_non_null(l);
		l->work.run = run_lone;
		l->runs = &runs;
		work_submit(pool, &l->work);
	}
	work_pool_free(pool);
	assert_int_equal(runs, 10);
}

static void jobs_of_several_homes_each_find_theirs(void **state)
{
	struct job here[100], there[100];
	struct site a, b;

	(void)state;
	site_open(&a, 4);
	b = (struct site){ .home = a.home, .pool = a.pool };
	assert_int_equal(loop_create(0, &b.loop), 0);
	for (int i = 0; i < 100; i++) {
		submit(&a, &here[i], 1);
		submit(&b, &there[i], 1);
	}
	loop_run(a.loop);
	assert_int_equal(a.done, 100);
	assert_int_equal(b.done, 0);
	loop_run(b.loop);
	assert_int_equal(b.done, 100);
	site_close(&a);
	loop_free(b.loop);
}

/* In a process that may start no thread (root is not bound by the limit, so it must not be
 * root). Gives 0 where the job ran in place and was told at home all the same. */
static int work_without_threads(void)
{
	struct rlimit none = { 0, 0 };
	struct site s;
	struct job j;
	bool in_place;

	if (setrlimit(RLIMIT_NPROC, &none) != 0 || (geteuid() == 0 && setuid(65534) != 0))
		return 2;
	site_open(&s, 4);
	submit(&s, &j, 1);
	in_place = j.runs == 1 && pthread_equal(j.ran_on, s.home) && s.done == 0;
	loop_run(s.loop);
	in_place = in_place && s.done == 1;
	site_close(&s);
	return in_place ? 0 : 1;
}

static void without_any_thread_a_job_runs_in_place(void **state)
{
	pid_t child = fork();
	int status = -1;

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(work_without_threads());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_pool_has_1_to_256_threads(void **state)
{
	struct work_pool *pool;

	(void)state;
	assert_int_equal(work_pool_create(0, &pool), -EINVAL);
	assert_int_equal(work_pool_create(257, &pool), -EINVAL);
	assert_int_equal(work_pool_create(256, &pool), 0);
	work_pool_free(pool);
	work_pool_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_any_thread_a_job_runs_in_place), /* forks: first */
		cmocka_unit_test(a_job_runs_elsewhere_and_is_told_at_home),
		cmocka_unit_test(a_thousand_jobs_are_each_done_once),
		cmocka_unit_test(jobs_run_side_by_side_up_to_the_limit),
		cmocka_unit_test(a_lane_keeps_no_more_threads_than_it_may),
		cmocka_unit_test(a_lane_that_hangs_holds_up_no_other),
		cmocka_unit_test(one_job_at_a_time_needs_one_thread),
		cmocka_unit_test(freeing_a_pool_waits_for_what_is_queued),
		cmocka_unit_test(a_job_without_a_home_may_free_itself),
		cmocka_unit_test(jobs_of_several_homes_each_find_theirs),
		cmocka_unit_test(a_pool_has_1_to_256_threads),
	};

	return cmocka_run_group_tests_name("base/work", tests, NULL, NULL);
}
