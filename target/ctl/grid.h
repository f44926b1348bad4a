/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output for people: aligned columns, sizes and times in words. What comes from the server may come
 * from an initiator in the end, so nothing is printed that a terminal would obey.
 */
#ifndef CTL_GRID_H
#define CTL_GRID_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct grid;

/* A grid whose columns have these titles, ended by NULL, at least one; a title that begins with '>' (which is
 * not printed) is of a column that stands to the right. NULL when memory is out. */
struct grid *grid_new(const char *const *titles);
/* The next cell of the present row; rows begin by themselves. Copied; NULL is "-". */
void grid_add(struct grid *g, const char *text);
/* Prints titles and rows, or `nothing` if there is no row. False when memory was out meanwhile. */
bool grid_print(const struct grid *g, const char *nothing, FILE *to);
void grid_free(struct grid *g); /* NULL is fine */

/* Room for one of the texts below; each gives out->text. */
struct grid_text {
	char text[32];
};

/* "0", "512 bytes", "4.0 KiB", "1.5 GiB": powers of 1024. */
const char *grid_size(uint64_t bytes, struct grid_text *out);
/* "45 s", "3 min 5 s", "2 h 10 min", "12 d 3 h". */
const char *grid_time(uint64_t ms, struct grid_text *out);
const char *grid_number(uint64_t n, struct grid_text *out);

/* Prints text with '?' for every control character and every byte that is not UTF-8. */
void grid_puts(const char *text, FILE *to);

#endif
