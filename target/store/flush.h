/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a descriptor's writes durable for many callers at once: flushes that wait
 * at the same time share one fdatasync(), and a failure is never forgotten.
 */
#ifndef STORE_FLUSH_H
#define STORE_FLUSH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/list.h"
#include "base/work.h"
#include "store/store.h"

/* One store's flushes. */
struct flush {
	pthread_mutex_t lock;
	struct list waiting; /* under lock: flushes that the next fdatasync() will serve */
	bool busy;           /* under lock: a flush leads, in the pool or on its way */
	_Atomic int failed;  /* -errno of the first failure, for good */
	int fd;
	const char *name;       /* borrowed, for the log */
	struct work_pool *pool; /* borrowed */
};

/* Lives in the request's private room. */
struct flush_io {
	struct work work;    /* for the one that leads */
	struct loop_msg msg; /* for those that it serves */
	struct list link;
	struct flush *flush;
	struct store_io *io;
	int err;
};

void flush_init(struct flush *f, int fd, const char *name, struct work_pool *pool);
/* Nothing may be in flight. */
void flush_destroy(struct flush *f);

/* Starts one; io->done is called on io->loop. Every write that ended before this call is
 * durable when it ends with 0. Any loop. */
void flush_start(struct flush *f, struct store_io *io);

/* Remembers a failure seen elsewhere, by a write that was to be durable. Any thread. */
void flush_fail(struct flush *f, int err);

/* Syncs in place, for the end: 0 or -errno, also of a failure that is remembered. */
int flush_now(struct flush *f);

#endif
