/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the process may do: the user that it becomes once its ports are bound, its limits, and
 * who may look into its memory.
 */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <sys/types.h>

struct privileges_user {
	char name[64];
	uid_t uid;
	gid_t gid;
};

/* Why: a sentence for the administrator. */
struct privileges_error {
	char text[192];
};

/* Looks up a user by name or number. 0, or -ENOENT with *why filled. */
int privileges_find(const char *user, struct privileges_user *out, struct privileges_error *why);

/* Becomes that user, with its groups, for good; makes sure that there is no way back. Only as
 * root, before any thread starts. 0, or -errno with *why filled: the caller must then exit. */
int privileges_become(const struct privileges_user *user, struct privileges_error *why);

/* As many descriptors as the system lets us have: each session and each file is one. */
void privileges_raise_limits(void);

/* No core dump and no debugger of the same user's: memory holds secrets. Before the first of them is
 * read, and once more after a change of user, which sets this anew. */
void privileges_hide_memory(void);

#endif
