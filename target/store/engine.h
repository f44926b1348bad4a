/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How I/O that may block is done: by io_uring where the kernel lets us, by the work
 * pool where it does not (an old kernel, a container's filter, no memory for a ring).
 * One engine per process; every loop gets a ring of its own when it first needs one,
 * so that nothing is shared between reactors.
 */
#ifndef STORE_ENGINE_H
#define STORE_ENGINE_H

#include <stdbool.h>

#include "base/list.h"
#include "base/loop.h"
#include "base/work.h"
#include "store/xfer.h"

struct store_engine;

enum store_engine_want { STORE_ENGINE_AUTO, STORE_ENGINE_URING, STORE_ENGINE_THREADS };

/* Makes the engine; main thread. AUTO takes io_uring where it works and logs why where it does
 * not; URING gives -errno instead. The pool is borrowed, must outlive the engine, and is used
 * in either case: discards and flushes go there always. */
int store_engine_create(
	struct work_pool *pool, enum store_engine_want want, struct store_engine **out);
/* No request may be in flight. Any thread, once no loop uses it. NULL is fine. */
void store_engine_free(struct store_engine *e);

/* "io_uring" or "threads", for people. Any thread. */
const char *store_engine_name(const struct store_engine *e);

/* Before a loop is freed: gives back what the engine keeps for it. On the loop's thread, or when
 * the loop does not run; no request of that loop may be in flight. Harmless when there is none. */
void store_engine_detach(struct store_engine *e, struct loop *loop);

/* --- for the files of this folder --------------------------------------------------------- */

/* One transfer between a scatter list and a descriptor, whole or failed. */
struct transfer {
	struct xfer x;
	union {
		struct work work; /* while a pool thread has it */
		struct list link; /* while it waits for a place in the ring */
	};
	struct store_engine *engine;
	struct work_lane *lane; /* of its store, where the pool does it */
	struct loop *loop;
	void (*done)(struct transfer *t, int err); /* on loop; err is 0 or -errno */
	int fd;
	bool write;
	bool sync; /* the write is durable when it ends */
	int err;   /* private */
};

/* Starts a transfer on `loop`, on its thread; the memory, and t->x.iov, are borrowed until
 * t->done, which is never called in place. The caller has set x, lane, fd, write, sync and done. A
 * read beyond the end of a file fails with -ENODATA. */
void transfer_start(struct store_engine *e, struct transfer *t, struct loop *loop);

/* The pool, for work that is no transfer. */
struct work_pool *store_engine_pool(struct store_engine *e);

/* Threads of the pool that one store may keep busy: when its disk hangs, others have theirs. */
#define STORE_LANE 16

#endif
