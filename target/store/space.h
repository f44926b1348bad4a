/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The space behind a descriptor, of a file or a block device: giving it back,
 * zeroing it, asking what is there. All of these may block.
 */
#ifndef STORE_SPACE_H
#define STORE_SPACE_H

#include <stdbool.h>
#include <stdint.h>

/* [off, off+len) reads as zeros afterwards; space is given back where the file system or the
 * device can, otherwise zeros are written. 0 or -errno. */
int space_discard(int fd, uint64_t off, uint64_t len);

/* The same, but the space stays taken where that can be had. */
int space_zero(int fd, uint64_t off, uint64_t len);

/* [from_off, from_off+len) of another descriptor, or of the same, to [off, off+len): the kernel
 * does it, by sharing the space where the file system can. Holes become holes, or zeros whose space
 * is kept where `holes` is false. 0, -EOPNOTSUPP when it cannot between these two, or -errno. */
int space_copy(int from, uint64_t from_off, int fd, uint64_t off, uint64_t len, bool holes);

/* Whether space_discard() gives space back. For a block device by what it says of itself. */
bool space_thin(int fd);

/* From off (below end): *len bytes, in whole blocks, all mapped or all holes. Where nobody can
 * say, everything is mapped. 0 or -errno. */
int space_extent(int fd, uint64_t off, uint64_t end, uint32_t block, uint64_t *len, bool *mapped);

#endif
