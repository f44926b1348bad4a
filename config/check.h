/* SPDX-License-Identifier: BSD-2-Clause */
/* What the checks over a whole configuration share: saying where, and finding what is there twice. */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "config/config.h"
#include "config/faults.h"

struct check {
	const struct config *cfg;
	struct faults *faults;
	bool faulty;
	bool out_of_memory;
};

/* A fault at the line that sets this member. */
void check_fault(struct check *c, const void *member, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Whether the file sets a member at all; the second for lists, whose members are pointers. */
#define check_given(c, member)      check_is_given(c, member, sizeof(*(member)))
#define check_given_list(c, member) check_is_given(c, member, sizeof(void *))
bool check_is_given(const struct check *c, const void *member, size_t size);

/* " (FILE:LINE)" of a member, for a fault elsewhere that concerns it too. */
struct check_place {
	char text[300];
};
const char *check_other(const struct check *c, const void *member, struct check_place *place);

/* A fault where bind() would refuse a listener, b, because of another, a; true: it is one. `what` is
 * b's, as "portal". Nothing where an address is missing, or was refused. */
struct check_listener {
	char *const *address;
	uint32_t port;
};
bool check_listeners(
	struct check *c, const char *what, struct check_listener a, struct check_listener b);

/* Texts that are to be unique, or to be found. Begins as { 0 }; the texts are borrowed. */
struct check_index {
	struct check_entry {
		const char *first, *second; /* the key: never NULL */
		const void *member;         /* the setting that gives it */
		const void *object;         /* what is found by it */
		size_t serial;
	} * v;
	size_t n, room;
};

/* Does nothing if first is NULL: a setting that is missing, or was refused. */
void check_index_add(struct check *c, struct check_index *index, const char *first,
	const char *second, const void *member, const void *object);

/* Sorts it, after which entries can be found; a fault for every entry but the first of those with
 * one key: "WHAT is used twice". */
void check_unique(struct check *c, struct check_index *index, const char *what);

/* The object, NULL if the key is not there. */
const void *check_index_find(
	const struct check_index *index, const char *first, const char *second);
void check_index_free(struct check_index *index);

/* The parts of validate_config(). */
void check_portals(struct check *c);     /* and the portal groups that others name */
void check_units(struct check *c);       /* targets, LUNs, libraries, tapes, pools */
void check_credentials(struct check *c); /* every credential list, and the chap section */
void check_management(struct check *c);

#endif
