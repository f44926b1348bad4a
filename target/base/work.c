/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pool's threads. One is started when more jobs wait than threads idle, up to
 * the limit; one that has idled for IDLE_S ends. A thread that ends joins the one
 * that ended before it, so that at any time at most one is left to be joined, and
 * the pool's own end joins that one: nothing of a thread outlives the pool.
 */
#include "base/work.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#define IDLE_S 5

struct work_pool {
	pthread_mutex_t lock;
	pthread_cond_t more;  /* a job was queued, or the pool closes */
	pthread_cond_t ended; /* the last thread is about to end */
	struct list queue;
	unsigned queued;
	unsigned limit, running, idle;
	bool closing;
	bool has_dead;
	pthread_t dead; /* ended, not yet joined */
};

static void tell_home(struct loop_msg *m)
{
	struct work *w = container_of(m, struct work, msg);

	w->done(w);
}

/* The job has run. Gives the next of its lane, which takes its place there. */
static struct work *leave_lane(struct work_pool *pool, struct work_lane *lane)
{
	struct list *next;

	pthread_mutex_lock(&pool->lock);
	next = list_pop(&lane->waiting);
	if (!next)
		lane->running--;
	pthread_mutex_unlock(&pool->lock);
	return next ? container_of(next, struct work, link) : NULL;
}

/* A job and, where others of its lane had to wait for it, those. */
static void carry_out(struct work_pool *pool, struct work *w)
{
	while (w) {
		struct loop *home = w->home;
		struct work_lane *lane = w->lane;
		struct work *ran = w;

		w->run(w);
		w = lane ? leave_lane(pool, lane) : NULL;
		if (!home)
			continue;
		ran->msg.run = tell_home;
		loop_post(home, &ran->msg);
	}
}

/* Waits for a job; NULL when the thread is to end. The lock is held. */
static struct work *next_job(struct work_pool *pool)
{
	struct timespec until;
	int err = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_S;
	pool->idle++;
	while (pool->queued == 0 && !pool->closing && err != ETIMEDOUT)
		err = pthread_cond_timedwait(&pool->more, &pool->lock, &until);
	pool->idle--;
	if (pool->queued == 0)
		return NULL;
	pool->queued--;
	return container_of(list_pop(&pool->queue), struct work, link);
}

static void *thread_main(void *arg)
{
	struct work_pool *pool = arg;
	struct work *w;
	pthread_t before;
	bool has_before;

	pthread_mutex_lock(&pool->lock);
	while ((w = next_job(pool))) {
		pthread_mutex_unlock(&pool->lock);
		carry_out(pool, w);
		pthread_mutex_lock(&pool->lock);
	}
	before = pool->dead;
	has_before = pool->has_dead;
	pool->dead = pthread_self();
	pool->has_dead = true;
	if (--pool->running == 0)
		pthread_cond_signal(&pool->ended);
	pthread_mutex_unlock(&pool->lock);
	if (has_before)
		pthread_join(before, NULL);
	return NULL;
}

/* Starts a thread that takes no signals, which are the main thread's. The lock is held. */
static void start_thread(struct work_pool *pool)
{
	sigset_t all, before;
	pthread_t t;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&t, NULL, thread_main, pool) == 0) {
		pool->running++;
		pthread_setname_np(t, "work");
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int work_pool_create(unsigned threads, struct work_pool **out)
{
	struct work_pool *pool;
	pthread_condattr_t attr;

	if (threads < 1 || threads > 256)
		return -EINVAL;
	pool = calloc(1, sizeof(*pool));
	if (!pool)
		return -ENOMEM;
	pool->limit = threads;
	list_init(&pool->queue);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->more, &attr);
	pthread_condattr_destroy(&attr);
	pthread_cond_init(&pool->ended, NULL);
	pthread_mutex_init(&pool->lock, NULL);
	*out = pool;
	return 0;
}

void work_pool_free(struct work_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	pthread_cond_broadcast(&pool->more);
	while (pool->running > 0)
		pthread_cond_wait(&pool->ended, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
	if (pool->has_dead)
		pthread_join(pool->dead, NULL);
	assert(list_empty(&pool->queue));
	pthread_cond_destroy(&pool->ended);
	pthread_cond_destroy(&pool->more);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

/* Takes a job back from the queue when no thread is there to do it. The lock is held. */
static bool nobody_to_run(struct work_pool *pool, struct work *w)
{
	if (pool->running > 0)
		return false;
	list_del(&w->link);
	pool->queued--;
	return true;
}

void work_lane_init(struct work_lane *lane, unsigned limit)
{
	*lane = (struct work_lane){ .limit = limit };
	list_init(&lane->waiting);
}

/* False: it has to wait until another job of its lane is done. The lock is held. */
static bool enter_lane(struct work *w)
{
	struct work_lane *lane = w->lane;

	if (!lane)
		return true;
	if (lane->running == lane->limit) {
		list_push(&lane->waiting, &w->link);
		return false;
	}
	lane->running++;
	return true;
}

void work_submit(struct work_pool *pool, struct work *w)
{
	bool in_place;

	pthread_mutex_lock(&pool->lock);
	if (!enter_lane(w)) {
		pthread_mutex_unlock(&pool->lock);
		return;
	}
	list_push(&pool->queue, &w->link);
	pool->queued++;
	if (pool->queued > pool->idle && pool->running < pool->limit)
		start_thread(pool);
	pthread_cond_signal(&pool->more);
	in_place = nobody_to_run(pool, w);
	pthread_mutex_unlock(&pool->lock);
	if (in_place)
		carry_out(pool, w);
}
