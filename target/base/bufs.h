/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page-aligned data buffers of one thread: power-of-two classes from 4 KiB to
 * 16 MiB, free ones kept for the next user up to a limit and given back to the
 * system when they have lain unused for a while. A buffer is taken and returned
 * on the same thread.
 */
#ifndef BASE_BUFS_H
#define BASE_BUFS_H

#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"

struct bufs;

#define BUFS_MAX     ((size_t)16 << 20)
#define BUFS_TRIM_MS 1000

/* `keep` is how many bytes of free buffers may be kept at most. Those that nobody needed for
 * BUFS_TRIM_MS go back to the system by a timer of the loop, which is armed only while any are
 * kept; loop may be NULL (tests: no trimming by time). 0 or -errno. */
int bufs_create(struct loop *loop, size_t keep, struct bufs **out);
/* Every buffer must have been returned (asserted). NULL is fine. */
void bufs_free(struct bufs *b);

/* A buffer of at least len bytes (1…BUFS_MAX), contents undefined, page-aligned; NULL when
 * memory is out. `bufs_put` needs the same len. */
void *bufs_get(struct bufs *b, size_t len);
void bufs_put(struct bufs *b, void *p, size_t len);

/* Bytes that are handed out, for limits. */
size_t bufs_in_use(const struct bufs *b);
/* Bytes of free buffers that are kept. */
size_t bufs_kept(const struct bufs *b);

#endif
