/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A Unix socket under a name. It is bound under a temporary one, given its mode and renamed into
 * place, so that there is never a moment at which it has the wrong mode or is not there.
 */
#include "mgmt/door.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unixname.h"

struct door {
	char *path;
	int fd;
	dev_t dev;
	ino_t ino;
};

static int refuse(struct door_error *why, int err, const char *path, const char *what)
{
	snprintf(why->text, sizeof(why->text), "management socket %s: %s", path, what);
	return err;
}

static int refuse_errno(struct door_error *why, int err, const char *path)
{
	return refuse(why, err, path, strerror(-err));
}

/* Whether somebody takes connections there. */
static bool answers(const char *path)
{
	struct unixname name;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes = true; /* in doubt: better to refuse than to take over */

	if (fd >= 0 && !unixname_open(path, &name)) {
		yes = !connect(fd, (const struct sockaddr *)&name.addr, sizeof(name.addr)) ||
		      errno == EAGAIN || errno == EACCES;
		unixname_close(&name);
	}
	if (fd >= 0)
		close(fd);
	return yes;
}

static int check_place(const char *path, struct door_error *why)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : refuse_errno(why, -errno, path);
	if (!S_ISSOCK(st.st_mode))
		return refuse(why, -EEXIST, path, "there is a file of this name that is no socket");
	if (answers(path))
		return refuse(why, -EADDRINUSE, path, "another server answers on it");
	return 0;
}

static int bind_at(int fd, const char *path)
{
	struct unixname name;
	int err = unixname_open(path, &name);

	if (!err && bind(fd, (const struct sockaddr *)&name.addr, sizeof(name.addr)))
		err = -errno;
	unixname_close(&name);
	return err;
}

/* Binds under the temporary name and moves into place. */
static int put_in_place(struct door *d, const char *temp, mode_t mode)
{
	struct stat st;
	int err;

	unlink(temp);
	err = bind_at(d->fd, temp);
	if (err)
		return err;
	if (chmod(temp, mode) || listen(d->fd, SOMAXCONN) || lstat(temp, &st) ||
		rename(temp, d->path)) {
		err = -errno;
		unlink(temp);
		return err;
	}
	d->dev = st.st_dev;
	d->ino = st.st_ino;
	return 0;
}

static void door_free(struct door *d)
{
	if (d && d->fd >= 0)
		close(d->fd);
	if (d)
		free(d->path);
	free(d);
}

static int listen_at(struct door *d, mode_t mode)
{
	char *temp;
	int err;

	if (asprintf(&temp, "%s.new", d->path) < 0)
		return -ENOMEM;
	d->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	err = d->fd < 0 ? -errno : put_in_place(d, temp, mode);
	free(temp);
	return err;
}

int door_open(const char *path, mode_t mode, struct door **out, struct door_error *why)
{
	struct door *d = NULL;
	int err = check_place(path, why);

	if (err)
		return err;
	d = calloc(1, sizeof(*d));
	if (!d || !(d->path = strdup(path))) {
		free(d);
		return refuse_errno(why, -ENOMEM, path);
	}
	err = listen_at(d, mode);
	if (err) {
		door_free(d);
		return refuse_errno(why, err, path);
	}
	*out = d;
	return 0;
}

bool door_in_place(const struct door *d)
{
	struct stat st;

	return !lstat(d->path, &st) && st.st_dev == d->dev && st.st_ino == d->ino;
}

void door_close(struct door *d)
{
	if (d && door_in_place(d))
		unlink(d->path);
	door_free(d);
}

int door_fd(const struct door *d)
{
	return d->fd;
}

const char *door_path(const struct door *d)
{
	return d->path;
}

int door_set_mode(struct door *d, mode_t mode)
{
	return chmod(d->path, mode) ? -errno : 0;
}

bool door_peer(int fd, uid_t *uid, pid_t *pid)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) || len != sizeof(who))
		return false;
	*uid = who.uid;
	*pid = who.pid;
	return true;
}
