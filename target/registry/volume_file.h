/* SPDX-License-Identifier: BSD-2-Clause */
/* What is done to the file or disk of a volume that nobody uses yet, or any more: on a thread of
 * the pool, as each of these may take long. */
#ifndef REGISTRY_VOLUME_FILE_H
#define REGISTRY_VOLUME_FILE_H

#include <stdint.h>

#include "base/work.h"

enum volume_file_verb {
	VOLUME_FILE_MAKE,   /* a sparse file of `size`, 0600, that was not there before; and its
	                     * directory, 0700, if that is missing and the one above is not */
	VOLUME_FILE_GROW,   /* to `size`; a file that is as large already stays as it is */
	VOLUME_FILE_ERASE,  /* all zeros from the start to `size` */
	VOLUME_FILE_REMOVE, /* one that is not there is removed already */
};

struct volume_file_work {
	struct work work; /* .home and .done are the caller's to set */
	enum volume_file_verb verb;
	const char *path; /* borrowed until done */
	uint64_t size;
	/* 0: it is so, and on stable storage; or -errno, and what was to be made is not there. */
	int err;
};

/* Any thread; work.done() comes once. */
void volume_file_submit(struct work_pool *pool, struct volume_file_work *w);
/* The same for a thread that may wait. */
int volume_file_do(enum volume_file_verb verb, const char *path, uint64_t size);

#endif
