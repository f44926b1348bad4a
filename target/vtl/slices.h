/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data that are still to be taken from a scatter list. Pieces of no length do no harm.
 */
#ifndef VTL_SLICES_H
#define VTL_SLICES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct slices {
	const struct iovec *iov;
	int cnt;
	size_t skip; /* bytes of the first that are taken */
};

/* The next piece, of at most len bytes, taken from a list that is not at its end. */
static inline struct iovec slices_take(struct slices *s, size_t len)
{
	size_t n = s->iov->iov_len - s->skip;
	struct iovec piece = { s->iov->iov_base, n < len ? n : len };

	if (s->skip)
		piece.iov_base = (uint8_t *)piece.iov_base + s->skip;
	s->skip += piece.iov_len;
	if (s->skip == s->iov->iov_len) {
		s->iov++;
		s->cnt--;
		s->skip = 0;
	}
	return piece;
}

#endif
