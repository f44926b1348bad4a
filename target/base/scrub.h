/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is overwritten before it is given back: for what may hold secrets, and for libraries that
 * copy and free it where we do not see it. No secret stays behind in freed memory then, and so in none
 * that a core dump would show.
 */
#ifndef BASE_SCRUB_H
#define BASE_SCRUB_H

#include <stddef.h>

/* As free() and realloc(), of blocks of malloc() and its like. */
void scrub_free(void *p);
void *scrub_realloc(void *p, size_t size);

#endif
