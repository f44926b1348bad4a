/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store interface: an array of bytes behind a logical unit, asynchronous.
 *
 * A store is opened by the main thread and then used by any number of loops at
 * once; every request belongs to the loop that submitted it and ends there. What
 * stands behind (memory, a file, a block device, later a network) is known to
 * one row in the table of kinds and nowhere else.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/loop.h"
#include "base/work.h"

struct store;
struct store_engine;   /* how blocking I/O is done: io_uring or threads; see engine.h */

/* What a store is to be opened with. Strings are borrowed for the call. */
struct store_cfg {
	const char *kind;              /* "ram", "file" */
	const char *path;              /* file: absolute, or relative to the working directory */
	uint64_t size;                 /* bytes; 0 = as large as the file or device is */
	uint32_t block_size;           /* 512 or 4096: no request is smaller or less aligned */
	bool create;                   /* file: make it, sparse, 0600, where it does not exist */
	bool read_only;
	struct store_engine *engine;   /* borrowed; must outlive the store. ram: may be NULL, and then
	                                * no huge pages are made */
};

/* Why an open failed: errno, and a sentence that names the path and what would be right. */
struct store_error {
	int err;                       /* negative errno */
	char text[512];
};

/* Opens a store. 0 and *out, or -errno with *why filled. The caller closes *out. A file or
 * device that is open for writing elsewhere (advisory lock) is refused with -EBUSY. */
int store_open(const struct store_cfg *cfg, struct store **out, struct store_error *why);
/* One more reference, for a second unit over the same store; gives st. Any thread. */
struct store *store_ref(struct store *st);
/* Gives a reference back. With the last one no request may be in flight, and what a file still has
 * unwritten is flushed, which may block. NULL is fine. Any thread. */
void store_close(struct store *st);

/* Facts that do not change while it is open, except by store_resize(). */
uint64_t store_size(const struct store *st);       /* bytes; any thread */
bool store_read_only(const struct store *st);
bool store_thin(const struct store *st);           /* STORE_DISCARD gives space back */
const char *store_kind(const struct store *st);
/* What tells a file from another one that has taken its place, also after a restart; 0: nothing
 * does. */
uint64_t store_medium(const struct store *st);

/* Grows or shrinks; main thread; may block. New bytes read as zeros, except where a file or a
 * device goes on behind the end of the store: then they are what lies there, also what a shrink
 * has left. 0, or -ENOSPC (a device's end, or a ram store's reserved room), or -errno. Requests
 * that come later and reach beyond a new, smaller end fail with -EINVAL; those under way end
 * well. */
int store_resize(struct store *st, uint64_t size);

/* How large it could be without anything being made larger: whole blocks of the file or device
 * behind it, which others may have grown since. Main thread; may block. 0: that cannot be told, as
 * there is nothing behind it. */
uint64_t store_room(struct store *st);

/* Whether the path that it was opened by leads to something else by now, or nowhere: what is
 * written will be gone when it is closed. Main thread; may block. */
bool store_astray(struct store *st);

enum store_op {
	STORE_READ,      /* fill iov from [off, off+len) */
	STORE_WRITE,     /* iov to [off, off+len); with STORE_FUA durable before it ends */
	STORE_FLUSH,     /* every write that ended before is durable; off and len do not count */
	STORE_DISCARD,   /* [off, off+len) may be given back and reads as zeros afterwards */
	STORE_ZERO,      /* [off, off+len) reads as zeros; space stays taken where it can */
	STORE_COPY,      /* [from_off, from_off+len) of `from` to [off, off+len), without anybody
	                  * looking at the bytes. -EOPNOTSUPP: the two stores cannot, or not these
	                  * ranges; what is there is undefined, and the caller reads and writes */
};

enum {
	STORE_FUA = 1,
	STORE_WHOLE = 2, /* a READ: no block is a mixture of before and after a write of it. -ESTALE:
	                  * it was written again and again; keep the writers away and read anew */
	STORE_HOLES = 4, /* a COPY: what reads as zeros may be given back, as by a DISCARD */
};

/* Room for what a store needs to keep of a request. */
#define STORE_IO_PRIVATE 192

struct store_io {
	enum store_op op;
	unsigned flags;
	uint64_t off, len;             /* bytes, multiples of the block size */
	const struct iovec *iov;       /* READ and WRITE: sums up to len; borrowed until the end */
	int iovcnt;
	struct store *from;            /* COPY: lives until the end; may be the same store, but then
	                                * the ranges do not overlap */
	uint64_t from_off;             /* COPY: a multiple of the block size of both */
	struct loop *loop;             /* where done() runs */
	void (*done)(struct store_io *io, int err); /* err is 0 or -errno; never called in place */
	_Alignas(16) unsigned char priv[STORE_IO_PRIVATE];
};

enum { STORE_PENDING = 1 };

/* Starts a request, on io->loop's thread. Gives 0 or -errno when it ended in place (done() is
 * then NOT called), or STORE_PENDING when done() will be called, once, from io->loop. Short
 * reads and writes do not come back: a request ends whole or with an error. A request outside
 * the store is -EINVAL; no space is -ENOSPC; a write to a read-only store -EROFS. */
int store_submit(struct store *st, struct store_io *io);

/* Direct access, where a store is memory: fills iov (at most max entries) with the place of
 * [off, off+len) and returns the count, or 0 where there is no such thing (callers must then
 * use store_submit). Readable and writable at once by anybody, until the store is closed; what lies
 * behind a new, smaller end is lost when it grows again. Any thread. */
int store_map(struct store *st, uint64_t off, uint64_t len, struct iovec *iov, int max);
/* What was mapped at [off, off+len) will be read in a moment: it may be on its way until then. */
void store_soon(struct store *st, uint64_t off, uint64_t len);

/* One extent of GET LBA STATUS: from `off`, *len bytes are all mapped (true) or all holes.
 * Gives the state of the first byte, *len > 0. May block: only from a work thread, or where
 * store_map() works. 0 or -errno. */
int store_extent(struct store *st, uint64_t off, uint64_t *len, bool *mapped);

#endif
