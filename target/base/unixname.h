/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of Unix sockets. The kernel takes 107 bytes for one (unix(7)), which a path below a home
 * directory soon exceeds; through a descriptor of its directory any path has a short name.
 */
#ifndef BASE_UNIXNAME_H
#define BASE_UNIXNAME_H

#include <sys/un.h>

/* What the last part of a path may have, so that it fits behind any descriptor. */
#define UNIXNAME_LAST_MAX 80

struct unixname {
	struct sockaddr_un addr; /* for bind(2) and connect(2), while it is open */
	int dir;                 /* the directory, or -1 where the path fits as it is */
};

/*
 * The name of the socket at `path`, absolute or not. Where the path is too long its directory has
 * to be there, and /proc mounted. 0, or -errno: -ENAMETOOLONG if the last part alone is too long.
 * May block on a file system. unixname_close() when it has been used; after an error, too, if one
 * likes.
 */
int unixname_open(const char *path, struct unixname *out);
void unixname_close(struct unixname *n);

#endif
