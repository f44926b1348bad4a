/* SPDX-License-Identifier: BSD-2-Clause */
/* A wire's first disk over a store of its own, with threads or io_uring for its I/O. */
#ifndef TESTS_WIRE_REAL_DISK_H
#define TESTS_WIRE_REAL_DISK_H

#include "base/work.h"
#include "store/engine.h"
#include "wire.h"

struct real_disk {
	struct work_pool *pool;
	struct store_engine *engine;
	char folder[32];
};

/* Makes the disk and gives it to the wire, which is not started yet: kind "ram", or "file", which
 * has no name any more. */
void real_disk_begin(struct real_disk *d, struct wire *w, const char *kind, uint64_t size,
	uint32_t block, enum store_engine_want want);
/* Ends the wire, too: the disk goes before those who serve it. The test needs no teardown. */
void real_disk_end(struct real_disk *d, void **state);

#endif
