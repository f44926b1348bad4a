/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copying to memory that nobody looks at soon, such as a block of a large store. An
 * ordinary copy reads each line of the destination into the cache, only to overwrite
 * it, and drives out what is needed there.
 */
#ifndef BASE_COLD_H
#define BASE_COLD_H

#include <stddef.h>

/* As memcpy(), also in what other threads see: all of it before anything that this thread writes
 * afterwards. From COLD_MIN bytes on it goes past the cache, where the processor can do that. */
void cold_copy(void *to, const void *from, size_t n);

/* Less than this is better copied through the cache. */
#define COLD_MIN ((size_t)2048)

#endif
