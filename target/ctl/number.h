/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers and sizes as people type them. */
#ifndef CTL_NUMBER_H
#define CTL_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Reads decimal digits; where units are allowed, also with K, M, G or T (powers of 1024) behind
 * them. False for anything else, and for what does not fit into 63 bits. */
bool number_read(const char *text, bool units, int64_t *out);

#endif
