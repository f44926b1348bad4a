/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reactor: one thread, one loop, and the connections and sessions that live on it.
 * Everything here is touched by that thread alone, except where it says otherwise.
 */
#ifndef ISCSI_REACTOR_H
#define ISCSI_REACTOR_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/bufs.h"
#include "base/list.h"
#include "base/loop.h"
#include "iscsi/directory.h"
#include "iscsi/parting.h"
#include "net/guard.h"

struct shared;
struct tx_batch;

/* Received bytes of all connections of a reactor pass through one buffer, which stays in the
 * cache. What belongs into a long data segment goes past it (conn.c). */
#define REACTOR_INPUT ((size_t)256 << 10)

struct reactor {
	struct shared *shared; /* what all reactors share */
	unsigned index;
	struct loop *loop;
	struct bufs *bufs;
	struct directory *dir; /* the snapshot that new logins see */
	uint8_t *input;        /* REACTOR_INPUT bytes */
	bool secret;           /* there is something in it that is to be wiped */
	struct tx_batch *batch;
	struct list conns;    /* every connection: struct conn, by `link` */
	struct list sessions; /* every session: struct session, by `link` */
	struct list spare;    /* commands for reuse: struct cmd, by `link` */
	unsigned nspare;
	struct parting parting; /* connections that are logged out */
	size_t early_bytes;     /* of requests that are kept until their turn (early.h) */
	pthread_t thread;
	bool started, stopping; /* stopping: no new sessions */

	struct loop_timer grace; /* while stopping: how long sessions may take to log out */
	void (*drained)(struct reactor *r); /* while stopping: everything here has ended */
	void *drained_arg;

	struct guard_desk desk;     /* half-open connections that are to make way … */
	struct loop_msg making_way; /* … of which it is told by this */

	_Atomic unsigned assigned; /* connections here and on their way here; any thread */
	/* Written by this thread, read by any. */
	_Atomic uint64_t connections, nsessions, commands, bytes_in, bytes_out;
	_Atomic uint64_t logins, refused;
};

/* Counting without a locked instruction: there is one writer. */
static inline void count(_Atomic uint64_t *c, uint64_t by)
{
	atomic_store_explicit(
		c, atomic_load_explicit(c, memory_order_relaxed) + by, memory_order_relaxed);
}

/* Main thread; 0 or -errno. The directory is referenced; the thread begins with reactor_start(). */
int reactor_create(struct shared *shared, unsigned index, uint64_t poll_ns, struct directory *dir,
	struct reactor **out);
int reactor_start(struct reactor *r);
/* A connection or session has ended; perhaps the last one of a reactor that is stopping. */
void reactor_check_drained(struct reactor *r);
/* Ends the thread (everything on it must have ended) and frees it. NULL is fine. */
void reactor_free(struct reactor *r);

#endif
