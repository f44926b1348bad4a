/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which line of which file set which member of a struct config: kept by address, so that checks
 * and later messages can name the line without every struct carrying one for each of its members.
 */
#ifndef CONFIG_PLACES_H
#define CONFIG_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

struct config_places;

/* A place: file and line. */
struct config_where {
	const char *file; /* lives as long as cfg */
	int line;         /* 1 if the file as a whole is meant */
};

/* Where the file sets this member of cfg: its own line, or that of the group it would be in. */
struct config_where config_where(const struct config *cfg, const void *member);

/* --- for config/ itself --------------------------------------------------------------------- */

/* NULL when out of memory. */
struct config_places *places_new(void);
void places_free(struct config_places *places);

/* `size` bytes from member on come from there; a group before the members in it. False: no memory. */
bool places_add(
	struct config_places *places, const void *member, size_t size, const char *file, int line);

/* To be called once, after the last places_add. */
void places_sort(struct config_places *places);

/* What lay in the `size` bytes from `from` on lies at `to` now. */
void places_moved(struct config_places *places, uintptr_t from, size_t size, uintptr_t to);

/* The innermost addition that holds the address; false if there is none. */
bool places_find(
	const struct config_places *places, const void *member, struct config_where *where);

/* Whether the file sets exactly this member, be it to a value that was refused. */
bool places_given(const struct config_places *places, const void *member, size_t size);

#endif
