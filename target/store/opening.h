/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening the file or block device behind a file store: with what a refusal has to
 * say, so that who reads it knows which file it is and what would be right.
 */
#ifndef STORE_OPENING_H
#define STORE_OPENING_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

struct opened {
	int fd;        /* the caller closes it; locked until then */
	int sync_fd;   /* the same, opened once more to write; likewise. -1: cfg is read-only */
	bool device;   /* a block device, not a file */
	uint64_t size; /* of the store: what cfg says, or all there is */
};

/* Opens, makes where cfg says so, locks, settles the size. May block for half a second where
 * the file is locked. 0 and *out, or -errno with *why filled. */
int opening_run(const struct store_cfg *cfg, struct opened *out, struct store_error *why);

/* How large the file or device is now. 0 or -errno. */
int opening_size(int fd, bool device, uint64_t *size);

#endif
