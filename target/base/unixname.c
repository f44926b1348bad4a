/* SPDX-License-Identifier: BSD-2-Clause */
/* Short names of Unix sockets. */
#include "base/unixname.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/dir.h"

static int through_directory(const char *path, struct unixname *out)
{
	const char *last = strrchr(path, '/');
	char *parent;

	last = last ? last + 1 : path;
	if (strlen(last) > UNIXNAME_LAST_MAX)
		return -ENAMETOOLONG;
	parent = dir_parent(path);
	if (!parent)
		return -ENOMEM;
	out->dir = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(parent);
	if (out->dir < 0)
		return -errno;
	snprintf(out->addr.sun_path, sizeof(out->addr.sun_path), "/proc/self/fd/%d/%.*s", out->dir,
		UNIXNAME_LAST_MAX, last);
	return 0;
}

int unixname_open(const char *path, struct unixname *out)
{
	size_t len = strlen(path);

	*out = (struct unixname){ .addr.sun_family = AF_UNIX, .dir = -1 };
	if (len >= sizeof(out->addr.sun_path))
		return through_directory(path, out);
	memcpy(out->addr.sun_path, path, len);
	return 0;
}

void unixname_close(struct unixname *n)
{
	if (n->dir >= 0)
		close(n->dir);
	n->dir = -1;
}
