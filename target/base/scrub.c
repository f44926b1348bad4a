/* SPDX-License-Identifier: BSD-2-Clause */
/* The C library's allocator, and a look at how large a block is before it goes. */
#include "base/scrub.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void scrub_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

/* A block that grew elsewhere would leave its contents behind. */
void *scrub_realloc(void *p, size_t size)
{
	size_t had = p ? malloc_usable_size(p) : 0;
	void *grown;

	if (size && size <= had)
		return p;
	grown = size ? malloc(size) : NULL;
	if (size && !grown)
		return NULL;
	if (grown && p)
		memcpy(grown, p, had);
	scrub_free(p);
	return grown;
}
