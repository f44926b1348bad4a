/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pool of threads for work that blocks (a page-cache miss, fsync, SQLite): a job
 * runs on some thread of the pool, and its end is told on the loop that asked.
 */
#ifndef BASE_WORK_H
#define BASE_WORK_H

#include "base/list.h"
#include "base/loop.h"

struct work_pool;

/* Jobs that may all wait for the same thing, a disk that hangs for example: at most `limit` of them
 * run at a time, so that threads are left for others. It is the submitter's memory, and lives until
 * done() of the last of its jobs runs. */
struct work_lane {
	unsigned limit;
	unsigned running; /* private, as what follows: under the pool's lock */
	struct list waiting;
};

struct work {
	void (*run)(struct work *w);  /* on a pool thread */
	void (*done)(struct work *w); /* on `home`, once, after run returned */
	struct loop *home;            /* NULL: nobody is told, and run() may free the work */
	struct work_lane *lane;       /* NULL: none; a job of a lane has a home */
	struct list link;    /* private */
	struct loop_msg msg; /* private */
};

/* Makes a pool that starts threads as they are needed, at most `threads` (1…256), and lets
 * idle ones end. 0 or -errno. */
int work_pool_create(unsigned threads, struct work_pool **out);
/* Waits for queued work to finish, then ends the threads. NULL is fine. */
void work_pool_free(struct work_pool *pool);

/* A lane of which at most `limit` jobs run at a time. Any thread. */
void work_lane_init(struct work_lane *lane, unsigned limit);

/* Any thread. The work belongs to the pool until done() runs, or run() where none is told. Where no
 * thread can be started and none runs, run() is called in place (slow is better than lost). */
void work_submit(struct work_pool *pool, struct work *w);

#endif
