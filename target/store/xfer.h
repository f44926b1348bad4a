/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cursor over a scatter list: what is left of a transfer after some bytes of it
 * are done. The list itself is borrowed and never changed: where an entry was cut,
 * its rest goes as a piece of its own.
 */
#ifndef STORE_XFER_H
#define STORE_XFER_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct xfer {
	const struct iovec *iov; /* the first entry with something left */
	size_t skip;             /* bytes of it that are done */
	struct iovec rest;       /* what xfer_next() gives for an entry that was cut */
	uint64_t off, left;      /* bytes: where the rest lies in the store, how much it is */
	int cnt;                 /* entries from iov on */
};

/* The next piece, as preadv() takes it: at most IOV_MAX entries. Valid until xfer_advance(). */
static inline const struct iovec *xfer_next(struct xfer *x, int *cnt)
{
	if (!x->skip) {
		*cnt = x->cnt < IOV_MAX ? x->cnt : IOV_MAX;
		return x->iov;
	}
	x->rest.iov_base = (char *)x->iov->iov_base + x->skip;
	x->rest.iov_len = x->iov->iov_len - x->skip;
	*cnt = 1;
	return &x->rest;
}

/* n bytes, at most what xfer_next() gave, are done. */
static inline void xfer_advance(struct xfer *x, size_t n)
{
	x->off += n;
	x->left -= n;
	n += x->skip;
	while (x->cnt && n >= x->iov->iov_len) {
		n -= x->iov->iov_len;
		x->iov++;
		x->cnt--;
	}
	x->skip = n;
}

/* Takes one result of a read or a write into account: bytes, or -errno. True when the transfer is
 * over, with *err. A store is never larger than its file was, holes included: a read that meets the
 * end (-ENODATA) asks for data that somebody else has cut off. */
static inline bool xfer_over(struct xfer *x, bool write, ssize_t res, int *err)
{
	*err = 0;
	if (res == -EINTR)
		return false;
	if (res > 0) {
		xfer_advance(x, (size_t)res);
		return !x->left;
	}
	if (res < 0)
		*err = (int)res;
	else /* took nothing and said nothing: would go on for ever */
		*err = write ? -EIO : -ENODATA;
	return true;
}

#endif
