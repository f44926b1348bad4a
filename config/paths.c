/* SPDX-License-Identifier: BSD-2-Clause */
/* What cannot be right on this machine: see paths.h. It only looks. */
#include "config/paths.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/check.h"
#include "config/input.h"
#include "config/value.h"

/* One key; or, while keys are being changed, the new one and the old one behind it. */
#define KEY_SIZE 32

/* One of the files behind units, for finding one file under two names. */
struct backing {
	dev_t device;
	ino_t inode;
	const struct config_lun *lun;
};

struct backings {
	struct backing *v;
	size_t n;
};

static bool may(const char *path, int how)
{
	return !faccessat(AT_FDCWD, path, how, AT_EACCESS);
}

static bool is_inside(const char *path, const char *directory)
{
	size_t len = directory ? strlen(directory) : 0;

	return len && !strncmp(path, directory, len) && path[len] == '/';
}

/* The server makes these directories itself, so what is to be in them need not be there yet. */
static bool is_inside_ours(const struct config *cfg, const char *path)
{
	if (is_inside(path, cfg->state_dir))
		return true;
	for (size_t i = 0; i < cfg->n_libraries; i++)
		if (is_inside(path, cfg->libraries[i].path))
			return true;
	for (size_t i = 0; i < cfg->n_pools; i++)
		if (is_inside(path, cfg->pools[i].path))
			return true;
	return false;
}

/* may() has said no: in errno is why. */
static void check_denied(
	struct check *c, const void *member, const char *what, const char *to_do, const char *path)
{
	if (errno == EACCES || errno == EPERM)
		check_fault(c, member, "%s: no permission to %s %s", what, to_do, path);
	else
		check_fault(c, member, "%s: impossible to %s %s: %s", what, to_do, path,
			strerror(errno));
}

/* Whether there is, or will be, a directory for what is at a path. */
static bool has_directory(const struct check *c, const char *path)
{
	char *directory = path_directory(path);
	bool is = is_inside_ours(c->cfg, path) || (directory && !access(directory, F_OK));

	free(directory);
	return is;
}

/* Whether something could be made at a path where nothing is. */
static void check_makable(struct check *c, const void *member, const char *what, const char *path)
{
	char *directory = path_directory(path);
	struct stat st;

	if (!directory)
		c->out_of_memory = true;
	else if (stat(directory, &st)) {
		if (errno != ENOENT || !is_inside_ours(c->cfg, path))
			check_fault(c, member, "%s: the directory %s: %s", what, directory,
				strerror(errno));
	} else if (!S_ISDIR(st.st_mode)) {
		check_fault(c, member, "%s: %s is not a directory", what, directory);
	} else if (!may(directory, W_OK | X_OK)) {
		check_denied(c, member, what, "make it in", directory);
	}
	free(directory);
}

/* A directory of ours: there and writable, or makable. */
static void check_directory(struct check *c, const void *member, const char *what, const char *path)
{
	struct stat st;

	if (!path)
		return;
	if (stat(path, &st)) {
		if (errno == ENOENT)
			check_makable(c, member, what, path);
		else
			check_fault(c, member, "%s: %s: %s", what, path, strerror(errno));
	} else if (!S_ISDIR(st.st_mode)) {
		check_fault(c, member, "%s: %s is not a directory", what, path);
	} else if (!may(path, R_OK | W_OK | X_OK)) {
		check_denied(c, member, what, "use the directory", path);
	}
}

static void check_readable(struct check *c, const void *member, const char *what, const char *path)
{
	struct stat st;

	if (!path)
		return;
	if (stat(path, &st))
		check_fault(c, member, "%s: %s: %s", what, path, strerror(errno));
	else if (S_ISDIR(st.st_mode))
		check_fault(c, member, "%s: %s is a directory", what, path);
	else if (!may(path, R_OK))
		check_denied(c, member, what, "read", path);
}

static void check_key_file(struct check *c)
{
	const struct config *cfg = c->cfg;
	struct stat st;

	if (!cfg->key_file)
		return;
	check_readable(c, &cfg->key_file, "key_file", cfg->key_file);
	if (stat(cfg->key_file, &st) || S_ISDIR(st.st_mode))
		return;
	if (st.st_mode & 077)
		check_fault(c, &cfg->key_file,
			"key_file: %s can be read or written by others (mode "
			"%04o); chmod 600 it",
			cfg->key_file, (unsigned)st.st_mode & 07777);
	if (S_ISREG(st.st_mode) && st.st_size != KEY_SIZE && st.st_size != 2 * KEY_SIZE)
		check_fault(c, &cfg->key_file,
			"key_file: %s has %lld bytes; a key has %d, a new and an old one %d",
			cfg->key_file, (long long)st.st_size, KEY_SIZE, 2 * KEY_SIZE);
}

/* ---- stores --------------------------------------------------------------------------------- */

/* Of a file or block device; 0 or -errno. A sandbox may forbid a device that its mode would allow. */
static int store_size(const char *path, const struct stat *st, uint64_t *size)
{
	off_t end;
	int fd;

	*size = (uint64_t)st->st_size;
	if (S_ISREG(st->st_mode))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	end = lseek(fd, 0, SEEK_END);
	close(fd);
	*size = end < 0 ? 0 : (uint64_t)end;
	return 0;
}

static void check_store_size(struct check *c, const struct config_lun *lun, uint64_t have)
{
	char is[VALUE_SIZE_TEXT], should[VALUE_SIZE_TEXT];

	if (lun->size > have && !lun->create)
		check_fault(c, &lun->size,
			"size: %s has only %s, not %s; add create = true to have it extended",
			lun->path, value_size_text(have, is), value_size_text(lun->size, should));
	else if (!lun->size && (!have || have % lun->block_size))
		check_fault(c, &lun->path,
			"path: %s has %llu bytes, which is no multiple of the block size, %u",
			lun->path, (unsigned long long)have, lun->block_size);
}

/* Where it is to be made, or could not be, what it would be in matters. */
static void check_missing(struct check *c, const struct config_lun *lun, int err)
{
	bool device = is_inside(lun->path, "/dev");

	if (err == ENOENT && (lun->create || (!device && !has_directory(c, lun->path))))
		check_makable(c, &lun->path, "path", lun->path);
	else
		check_fault(c, &lun->path, "path: %s: %s%s", lun->path, strerror(err),
			err == ENOENT && !device ? "; add size and create = true to have it made"
						 : "");
}

static void check_store(struct check *c, const struct config_lun *lun, struct backings *backings)
{
	struct stat st;
	uint64_t size;
	int err;

	if (stat(lun->path, &st)) {
		check_missing(c, lun, errno);
		return;
	}
	backings->v[backings->n++] = (struct backing){ st.st_dev, st.st_ino, lun };
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		check_fault(
			c, &lun->path, "path: %s is neither a file nor a block device", lun->path);
	else if (!may(lun->path, lun->read_only ? R_OK : R_OK | W_OK))
		check_denied(c, &lun->path, "path", lun->read_only ? "read" : "read and write",
			lun->path);
	else if ((err = store_size(lun->path, &st, &size)))
		check_fault(c, &lun->path, "path: %s: %s%s", lun->path, strerror(-err),
			err == -EPERM ? "; a service needs DeviceAllow for it" : "");
	else
		check_store_size(c, lun, size);
}

static int by_file(const void *pa, const void *pb)
{
	const struct backing *a = pa, *b = pb;

	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	return (a->lun > b->lun) - (a->lun < b->lun);
}

/* Links and mounts give one file two names, which the file with the settings does not show. */
static void check_shared(struct check *c, struct backings *backings)
{
	struct check_place place = { "" };

	if (backings->n)
		qsort(backings->v, backings->n, sizeof(*backings->v), by_file);
	for (size_t i = 1; i < backings->n; i++) {
		const struct backing *a = &backings->v[i - 1], *b = &backings->v[i];

		if (a->device == b->device && a->inode == b->inode)
			check_fault(c, &b->lun->path, "path: %s is the same file as %s (%s)",
				b->lun->path, a->lun->path, check_other(c, &a->lun->path, &place));
	}
}

static void check_stores(struct check *c)
{
	const struct config *cfg = c->cfg;
	struct backings backings = { 0 };
	size_t n = 0;

	for (size_t t = 0; t < cfg->n_targets; t++)
		n += cfg->targets[t].n_luns;
	backings.v = calloc(n + 1, sizeof(*backings.v));
	if (!backings.v) {
		c->out_of_memory = true;
		return;
	}
	for (size_t t = 0; t < cfg->n_targets; t++) {
		const struct config_target *target = &cfg->targets[t];

		for (size_t i = 0; i < target->n_luns; i++)
			if (target->luns[i].path)
				check_store(c, &target->luns[i], &backings);
	}
	check_shared(c, &backings);
	free(backings.v);
}

/* ---- the rest ------------------------------------------------------------------------------- */

static void check_user(struct check *c, const void *member, const char *what, const char *name)
{
	struct passwd pw, *found = NULL;
	char room[4096];

	if (!name || isdigit((unsigned char)name[0]))
		return;
	if (!getpwnam_r(name, &pw, room, sizeof(room), &found) && !found)
		check_fault(c, member, "%s: there is no user %s", what, name);
}

static void check_management_paths(struct check *c)
{
	const struct config_management *m = &c->cfg->management;

	check_makable(c, &m->socket, "socket", m->socket);
	for (size_t i = 0; i < m->n_socket_users; i++)
		check_user(c, &m->socket_users[i], "socket_users", m->socket_users[i]);
	for (size_t i = 0; i < m->n_http; i++) {
		check_readable(c, &m->http[i].cert, "cert", m->http[i].cert);
		check_readable(c, &m->http[i].key, "key", m->http[i].key);
	}
	for (size_t i = 0; i < m->aws.n_disks; i++)
		check_readable(c, &m->aws.disks[i].path, "path", m->aws.disks[i].path);
}

int config_check_paths(const struct config *cfg, struct faults *faults)
{
	struct check c = { .cfg = cfg, .faults = faults };

	check_directory(&c, &cfg->state_dir, "state_dir", cfg->state_dir);
	check_key_file(&c);
	check_user(&c, &cfg->user, "user", cfg->user);
	check_stores(&c);
	for (size_t i = 0; i < cfg->n_libraries; i++) {
		check_directory(&c, &cfg->libraries[i].path, "path", cfg->libraries[i].path);
		check_directory(
			&c, &cfg->libraries[i].archive, "archive", cfg->libraries[i].archive);
	}
	for (size_t i = 0; i < cfg->n_pools; i++)
		check_directory(&c, &cfg->pools[i].path, "path", cfg->pools[i].path);
	check_management_paths(&c);
	faults_sort(faults, cfg->path);
	if (c.out_of_memory || faults->out_of_memory)
		return -ENOMEM;
	return c.faulty ? -EINVAL : 0;
}
