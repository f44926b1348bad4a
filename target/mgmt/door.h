/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The management socket in the file system: who may come in by it is decided by its mode, and then
 * by the user at the other end (SO_PEERCRED, unix(7)).
 */
#ifndef MGMT_DOOR_H
#define MGMT_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Why: a sentence that names the path. */
struct door_error {
	char text[256];
};

struct door;

/*
 * Listens at `path` with permissions `mode`. A socket that a dead server left there is replaced;
 * one that somebody answers on, or a file that is no socket, is not. Whoever connects meets either
 * the old socket or the new one with its mode set. The path may be of any length, its last part
 * UNIXNAME_LAST_MAX bytes less four (base/unixname.h). 0, or -errno with *why filled.
 */
int door_open(const char *path, mode_t mode, struct door **out, struct door_error *why);
/* Stops listening and removes the socket, if it is still ours. NULL is fine. */
void door_close(struct door *d);

/* Non-blocking, borrowed. */
int door_fd(const struct door *d);
const char *door_path(const struct door *d);

/* Whether the socket is still in its place. */
bool door_in_place(const struct door *d);

/* Changes who may connect. 0 or -errno. */
int door_set_mode(struct door *d, mode_t mode);

/* The user at the other end of a connection. False if it cannot be known. */
bool door_peer(int fd, uid_t *uid, pid_t *pid);

#endif
