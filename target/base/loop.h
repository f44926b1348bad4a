/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop of one thread: descriptors, timers, messages from other threads
 * and work deferred to the end of a round, over one libevent base.
 *
 * A loop polls when polling pays: after a watch has done work the loop goes on
 * asking it (and the kernel, without sleeping) for up to poll_ns, and sleeps then.
 * While a disk owes it something (loop_await()) it polls POLLING_PATIENCE times as
 * long. The time is adaptive: where polling keeps finding nothing, the loop stops
 * spending a processor on it, and tries again from time to time. With poll_ns 0
 * it sleeps whenever there is nothing to do.
 *
 * All calls are made on the loop's own thread, except loop_post() and loop_stop().
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct loop;

/* Makes a loop; poll_ns is cut to 1 ms. 0 or -errno; the caller frees *out with loop_free()
 * after loop_run() has returned. The thread that will call loop_run() may be another one, as
 * long as the hand-over is synchronised (thread creation is). */
int loop_create(uint64_t poll_ns, struct loop **out);
/* Runs the messages and the deferred work that are left, as these own memory, and frees. Every
 * watch and timer must be gone, and no other thread may still be inside loop_post(). NULL is
 * fine. */
void loop_free(struct loop *loop);

/* Runs until loop_stop(); what was posted before the stop is still delivered. May be called
 * again afterwards; a stop that came before the call ends it at once. */
void loop_run(struct loop *loop);
/* Any thread, and async-signal context is NOT allowed (use a signal event). */
void loop_stop(struct loop *loop);

/* One round without sleeping, for tests that drive a loop by hand; true when anything was done. */
bool loop_step(struct loop *loop);

/* Changes the polling time (reload). */
void loop_set_poll(struct loop *loop, uint64_t poll_ns);
/* Whether something is under way that is worth a longer wait than the next word of an initiator:
 * reads that a disk has been asked for. For the only one who knows; it holds until changed. */
void loop_await(struct loop *loop, bool something);

/* The monotonic clock in nanoseconds, read once a round (and after every sleep). */
uint64_t loop_now(const struct loop *loop);

/* The libevent base, for users of evhttp, evconnlistener and the like. */
struct event_base *loop_base(struct loop *loop);

/* --- descriptors ------------------------------------------------------------------- */

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop_watch;
/* Called with the conditions that hold (or may hold: LOOP_READ is also given while polling,
 * when nobody has asked the kernel; the callee finds EAGAIN and says so). Returns true when it
 * did work, which is what keeps a watch hot. May unwatch itself or any other watch, but the
 * memory of a watch must live until the end of the round: free it from a loop_defer(). */
typedef bool loop_ready(struct loop_watch *w, unsigned conditions);

struct loop_watch {
	struct loop *loop;
	loop_ready *ready;
	struct list hot;    /* private: among the watches that did work of late */
	uint64_t hot_until; /* private */
	unsigned want;      /* what it is watched for; changed by loop_rewatch() alone */
	int fd;
	bool never_hot; /* its ready() costs more than asking the kernel; set after loop_watch() */
	bool on;                         /* private: between loop_watch() and loop_unwatch() */
	struct event readable, writable; /* private: two, so that changing one is one epoll_ctl */
};

/* Starts watching fd (non-blocking) for `want`. 0 or -errno. The watch is the caller's memory. */
int loop_watch(struct loop *loop, struct loop_watch *w, int fd, unsigned want, loop_ready *ready);
/* Changes what is watched for; free when nothing changes. want may be 0. 0 or -errno. Harmless
 * on a watch that is unwatched. */
int loop_rewatch(struct loop_watch *w, unsigned want);
/* No call of w->ready after this returns; comes before close(fd). Harmless on a watch that is
 * zeroed or unwatched. */
void loop_unwatch(struct loop_watch *w);

/* --- deferred work ------------------------------------------------------------------ */

struct loop_defer {
	struct list link; /* private; list_init() it once, or use loop_defer_init() */
	void (*run)(struct loop_defer *d);
};

void loop_defer_init(struct loop_defer *d, void (*run)(struct loop_defer *d));
/* Runs d->run once at the end of this round, after every ready watch was called. Deferring
 * twice before it ran is once. d may free itself in run, or defer itself again: that is for the
 * next round, which then does not sleep. */
void loop_defer(struct loop *loop, struct loop_defer *d);
void loop_undefer(struct loop_defer *d);

/* --- timers ------------------------------------------------------------------------- */

struct loop_timer {
	struct loop *loop;
	void (*fire)(struct loop_timer *t);
	struct event ev; /* private */
};

void loop_timer_init(struct loop *loop, struct loop_timer *t, void (*fire)(struct loop_timer *t));
/* (Re)arms for one shot in ms milliseconds, give or take a tick of the kernel (4 ms). Timers of
 * the same length share one queue, so that ten thousand of them cost little. */
void loop_timer_set(struct loop_timer *t, uint32_t ms);
/* No fire after this returns. Harmless on a timer that is zeroed or not armed. */
void loop_timer_clear(struct loop_timer *t);

/* --- messages ------------------------------------------------------------------------ */

struct loop_msg {
	struct loop_msg *next; /* private */
	void (*run)(struct loop_msg *m);
};

/* Any thread. Runs m->run(m) on the loop's thread, in the order posted by one poster. The
 * message is the poster's memory and belongs to run() from then on. Never fails. */
void loop_post(struct loop *loop, struct loop_msg *m);

/* Any other thread: calls fn(arg) on the loop's thread, and returns when that has returned. The
 * loop must be running, and may never wait for the caller. */
void loop_call(struct loop *loop, void (*fn)(void *arg), void *arg);

#endif
