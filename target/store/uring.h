/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One loop's io_uring: transfers go in, are handed to the kernel once a round, and
 * their results come out on the same loop. All calls on the loop's thread.
 */
#ifndef STORE_URING_H
#define STORE_URING_H

#include "base/loop.h"
#include "store/engine.h"

struct uring;

/* Whether this kernel gives us a ring at all: 0 or -errno. Any thread. */
int uring_probe(void);

/* ended() gets each piece's result as the kernel gave it: bytes, or -errno. */
int uring_create(struct loop *loop, void (*ended)(struct transfer *t, int res), struct uring **out);
/* Nothing may be in flight. NULL is fine. */
void uring_free(struct uring *u);

/* Queues the next piece of t->x. Never fails; t->link is used while it waits for room. */
void uring_queue(struct uring *u, struct transfer *t);

#endif
