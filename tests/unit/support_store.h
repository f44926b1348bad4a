/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of stores share: a loop driven by hand, an engine, a directory for
 * files, and requests that are waited for.
 */
#ifndef TESTS_SUPPORT_STORE_H
#define TESTS_SUPPORT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/work.h"
#include "store/engine.h"
#include "store/store.h"

struct rig {
	struct loop *loop;
	struct work_pool *pool;
	struct store_engine *engine;
	char dir[64];           /* made for the test, removed after it */
	struct store_error why; /* of the last rig_open() that failed */
};

/* Setups for cmocka: which engine. One that wants io_uring gets threads where there is none. */
int rig_auto(void **state);
int rig_uring(void **state);
int rig_threads(void **state);
int rig_teardown(void **state);

/* The path of a name in the rig's directory; valid until the next call. */
const char *rig_path(struct rig *rig, const char *name);

/* Opens a store with the rig's engine; NULL, and rig->why, when that is refused. */
struct store *rig_open(struct rig *rig, struct store_cfg cfg);

/* A request, and how it ended. */
struct asked {
	struct store_io io;
	struct iovec iov;
	bool pending;
	int err;
};

/* Starts one and does not wait. buf has len bytes and stays until the end. */
void ask(struct rig *rig, struct store *st, struct asked *a, enum store_op op, uint64_t off,
	void *buf, size_t len, unsigned flags);
/* Drives the loop until it has ended; gives its err. */
int answer(struct rig *rig, struct asked *a);
/* Both. */
int request(struct rig *rig, struct store *st, enum store_op op, uint64_t off, void *buf,
	size_t len, unsigned flags);

/* Fills with bytes that tell their seed and place. */
void pattern(void *buf, size_t len, unsigned seed);
/* Whether all are zeros. */
bool zeros(const void *buf, size_t len);

#endif
