/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The structs of a configuration as their table rows describe them: set a member, compare, free.
 * `object` is always a struct of the section, or of the section that the row is from.
 */
#ifndef CONFIG_OBJECT_H
#define CONFIG_OBJECT_H

#include "config/settings.h"

/* What the file gave for a setting, or for one element of a list. */
struct scalar {
	enum scalar_kind { SCALAR_BOOL, SCALAR_INT, SCALAR_TEXT, SCALAR_OTHER } kind;
	long long number;  /* BOOL and INT */
	const char *text;  /* TEXT */
	const char *other; /* what it is instead, as "a group" */
};

/*
 * Checks a value against its row and sets the member; with a list, element i of it. False: the
 * member is as it was, and why says what is wrong. Paths are seen from dir; files that hold a
 * secret are read, unless dir is NULL.
 */
bool object_set(const struct setting *row, void *object, size_t i, const struct scalar *value,
	const char *dir, struct why *why);

/* Makes room for n elements, all zero, in a list or list of groups; false: no memory. */
bool object_resize(const struct setting *row, void *object, size_t n);

/* Sets a member, or a whole inner group, to its default if it has one; false: no memory. */
bool object_default(const struct setting *row, void *object);
/* The same for all rows of a section. */
bool object_defaults(const struct section *section, void *object);

/* The address of a member, or of element i of a list. */
void *object_member(const struct setting *row, void *object, size_t i);
size_t object_member_size(const struct setting *row);

/* Whether one row, or all rows of a section, say the same of both objects. */
bool object_equal_row(const struct setting *row, const void *a, const void *b);
bool object_equal(const struct section *section, const void *a, const void *b);

/* Copies what the rows describe into an object that is all zero; false: no memory, and what is there
 * is to be cleared. */
bool object_copy(const struct section *section, void *to, void *from);

/* Wipes and frees what the members own; the object itself is the caller's. */
void object_clear(const struct section *section, void *object);

#endif
