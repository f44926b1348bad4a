/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state directory: what the server remembers from one start to the next.
 *
 *   lock       held by the running server, with its process id as text
 *   identity   32 hex digits made at the first start: whose units these are
 *
 * Everything else in it (catalog.db, key, certificates) belongs to the modules that
 * put it there. Whoever holds the lock may take it that no other server of ours
 * touches the directory.
 */
#ifndef CATALOG_STATE_DIR_H
#define CATALOG_STATE_DIR_H

#include <stdint.h>
#include <sys/types.h>

struct state_dir;

/* Why: a sentence that names the path and what would be right. */
struct state_error {
	char text[512];
};

/* To whom files are to belong that root makes before it becomes that user. */
struct state_owner {
	uid_t uid;
	gid_t gid;
};

/*
 * Opens the directory, making it (0700, but not its parents) where it is not there, and takes its
 * lock without waiting. `owner` may be NULL: files belong to the caller. 0 and *out, or -errno
 * with *why filled and nothing left behind; -EBUSY when another server has it. The caller ends it
 * with one of the two below. Blocks on the file system; main thread.
 *
 * The lock belongs to the open file: it survives fork(), and ends with the last descriptor.
 */
int state_dir_open(const char *path, const struct state_owner *owner, struct state_dir **out,
	struct state_error *why);
/* Gives the lock back; what is in the directory stays. NULL is fine. */
void state_dir_close(struct state_dir *s);
/* The same after a start that failed: removes what was not there before state_dir_open(), as far
 * as the caller's present privileges go. */
void state_dir_discard(struct state_dir *s);

/* As it was given. */
const char *state_dir_path(const struct state_dir *s);
/* A descriptor of the directory, for openat(); borrowed. */
int state_dir_fd(const struct state_dir *s);

#define STATE_IDENTITY_SIZE 16

/* Reads the identity, or draws one and puts it on stable storage before it is given. 0, or -errno
 * with *why filled: a damaged file is an error, as a new identity would be a new disk to every
 * initiator. */
int state_dir_identity(
	struct state_dir *s, uint8_t id[static STATE_IDENTITY_SIZE], struct state_error *why);

#endif
