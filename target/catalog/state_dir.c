/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state directory. The lock file is never removed by a server that has served, so
 * that two starts at the same moment always meet at the same file; a start that failed
 * removes the one that it made, which is why a lock counts only while its file still
 * has its name.
 */
#include "catalog/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/dir.h"
#include "base/log.h"

#define LOCK_FILE     "lock"
#define IDENTITY_FILE "identity"
#define IDENTITY_TEMP "identity.new"
#define LOCK_TRIES    10

struct state_dir {
	char *path;
	int fd;
	int lock;
	struct state_owner owner;
	bool made, made_lock, made_identity; /* by us, since state_dir_open() */
};

__attribute__((format(printf, 3, 4))) static int refuse(
	struct state_error *why, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return err;
}

static int refuse_errno(struct state_error *why, const char *path, const char *what)
{
	int err = errno;

	return refuse(why, -err, "state_dir %s: %s: %s", path, what, strerror(err));
}

static bool foreign_owner(const struct state_dir *s)
{
	return geteuid() == 0 && s->owner.uid != 0;
}

/* --- the directory -------------------------------------------------------------------------- */

static int make_dir(struct state_dir *s, struct state_error *why)
{
	if (mkdir(s->path, 0700)) {
		if (errno == EEXIST)
			return 0;
		if (errno == ENOENT)
			return refuse(why, -ENOENT,
				"state_dir %s: the directory that it is to be made "
				"in does not exist",
				s->path);
		return refuse_errno(why, s->path, "cannot be made");
	}
	s->made = true;
	dir_sync_parent(s->path); /* where we may not open that, the system's own time will do */
	return 0;
}

static int check_dir(const struct state_dir *s, struct state_error *why)
{
	struct stat st;

	if (fstat(s->fd, &st))
		return refuse_errno(why, s->path, "cannot be examined");
	if (st.st_mode & S_IWOTH)
		return refuse(why, -EPERM,
			"state_dir %s: everybody may write to it; it is to be the "
			"server's alone (chmod 700)",
			s->path);
	if (st.st_mode & S_IWGRP)
		log_msg(LOG_WARNING, "state_dir %s: its group may write to it; chmod 700 is better",
			s->path);
	return 0;
}

static int open_dir(struct state_dir *s, struct state_error *why)
{
	int err = make_dir(s, why);

	if (err)
		return err;
	s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0)
		return refuse_errno(why, s->path, "cannot be opened");
	if (s->made && foreign_owner(s) && fchown(s->fd, s->owner.uid, s->owner.gid))
		return refuse_errno(why, s->path, "cannot be given to its user");
	return check_dir(s, why);
}

/* --- the lock ------------------------------------------------------------------------------- */

static int open_lock(struct state_dir *s, struct state_error *why)
{
	int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;

	s->lock = openat(s->fd, LOCK_FILE, flags | O_CREAT | O_EXCL, 0600);
	s->made_lock = s->lock >= 0;
	if (s->lock < 0 && errno == EEXIST)
		s->lock = openat(s->fd, LOCK_FILE, flags);
	if (s->lock < 0)
		return refuse_errno(why, s->path, "its file \"lock\" cannot be opened for writing");
	if (s->made_lock && foreign_owner(s) && fchown(s->lock, s->owner.uid, s->owner.gid))
		return refuse_errno(why, s->path, "its file \"lock\" cannot be given to its user");
	/* Root is about to write into a file of somebody else's directory. */
	if (fstat(s->lock, &st) || !S_ISREG(st.st_mode) || st.st_nlink > 1)
		return refuse(why, -EINVAL, "state_dir %s: its \"lock\" is not an ordinary file",
			s->path);
	return 0;
}

static int refuse_locked(const struct state_dir *s, struct state_error *why)
{
	char text[16] = "";
	ssize_t n = pread(s->lock, text, sizeof(text) - 1, 0);
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;

	if (pid > 0)
		return refuse(why, -EBUSY,
			"state_dir %s is in use by another countersignd, process %ld", s->path,
			pid);
	return refuse(why, -EBUSY, "state_dir %s is in use by another countersignd", s->path);
}

/* Whether the file that we have locked is still the one that the next server would lock. */
static bool lock_is_current(const struct state_dir *s)
{
	struct stat ours, there;

	return !fstat(s->lock, &ours) && !fstatat(s->fd, LOCK_FILE, &there, AT_SYMLINK_NOFOLLOW) &&
	       ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

static int try_lock(struct state_dir *s, struct state_error *why)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int err = open_lock(s, why);

	if (err)
		return err;
	if (fcntl(s->lock, F_OFD_SETLK, &whole)) {
		if (errno == EAGAIN || errno == EACCES)
			return refuse_locked(s, why);
		return refuse_errno(why, s->path, "its file \"lock\" cannot be locked");
	}
	return 0;
}

static int take_lock(struct state_dir *s, struct state_error *why)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		int err = try_lock(s, why);

		if (err) {
			/* Whoever has it has it by this name: it is not ours to remove. */
			s->made_lock = s->made_lock && err != -EBUSY;
			return err;
		}
		if (lock_is_current(s))
			return 0;
		close(s->lock);
		s->lock = -1;
	}
	return refuse(why, -EBUSY, "state_dir %s: its file \"lock\" comes and goes", s->path);
}

/* For people, and for the message of a second server; nothing depends on it. */
static void sign_lock(const struct state_dir *s)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(s->lock, 0) || pwrite(s->lock, text, (size_t)n, 0) != n)
		log_msg(LOG_WARNING, "state_dir %s: the process id cannot be noted: %s", s->path,
			strerror(errno));
}

int state_dir_open(const char *path, const struct state_owner *owner, struct state_dir **out,
	struct state_error *why)
{
	struct state_dir *s = calloc(1, sizeof(*s));
	int err = -ENOMEM;

	if (!s)
		return refuse(why, err, "out of memory");
	s->fd = s->lock = -1;
	s->owner = owner ? *owner : (struct state_owner){ .uid = geteuid(), .gid = getegid() };
	s->path = strdup(path);
	err = s->path ? open_dir(s, why) : refuse(why, -ENOMEM, "out of memory");
	if (!err)
		err = take_lock(s, why);
	if (err) {
		state_dir_discard(s);
		return err;
	}
	sign_lock(s);
	*out = s;
	return 0;
}

void state_dir_close(struct state_dir *s)
{
	if (!s)
		return;
	if (s->lock >= 0)
		close(s->lock);
	if (s->fd >= 0)
		close(s->fd);
	free(s->path);
	free(s);
}

/* With what the catalog may have begun to keep there. */
static void remove_dir(const struct state_dir *s)
{
	static const char *const begun[] = { "catalog.db", "catalog.db-wal", "catalog.db-shm",
		"key" };

	for (size_t i = 0; i < sizeof(begun) / sizeof(begun[0]); i++)
		unlinkat(s->fd, begun[i], 0);
	rmdir(s->path);
}

void state_dir_discard(struct state_dir *s)
{
	if (s && s->made_identity)
		unlinkat(s->fd, IDENTITY_FILE, 0);
	if (s && s->made_lock)
		unlinkat(s->fd, LOCK_FILE, 0);
	if (s && s->made)
		remove_dir(s);
	state_dir_close(s);
}

const char *state_dir_path(const struct state_dir *s)
{
	return s->path;
}

int state_dir_fd(const struct state_dir *s)
{
	return s->fd;
}

/* --- the identity --------------------------------------------------------------------------- */

static bool decode(const char *text, size_t len, uint8_t id[static STATE_IDENTITY_SIZE])
{
	if (len != 2 * STATE_IDENTITY_SIZE + 1 || text[len - 1] != '\n')
		return false;
	for (size_t i = 0; i < STATE_IDENTITY_SIZE; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		id[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int read_identity(
	const struct state_dir *s, uint8_t id[static STATE_IDENTITY_SIZE], struct state_error *why)
{
	char text[2 * STATE_IDENTITY_SIZE + 2];
	int fd = openat(s->fd, IDENTITY_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0)
		return refuse_errno(why, s->path, "its file \"identity\" cannot be read");
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n < 0)
		return refuse_errno(why, s->path, "its file \"identity\" cannot be read");
	if (!decode(text, (size_t)n, id))
		return refuse(why, -EINVAL,
			"state_dir %s: its file \"identity\" is damaged; bring it "
			"back from a backup, or remove it and every unit without naa and serial "
			"of its own becomes another disk to its initiators",
			s->path);
	return 0;
}

static int write_temp(const struct state_dir *s, const char *text, size_t len)
{
	int fd = openat(
		s->fd, IDENTITY_TEMP, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int err = 0;

	if (fd < 0)
		return -errno;
	errno = ENOSPC; /* what a short write means */
	if (write(fd, text, len) != (ssize_t)len || fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

static int make_identity(
	struct state_dir *s, uint8_t id[static STATE_IDENTITY_SIZE], struct state_error *why)
{
	char text[2 * STATE_IDENTITY_SIZE + 2];
	int err;

	if (RAND_bytes(id, STATE_IDENTITY_SIZE) != 1)
		return refuse(why, -EIO, "the random number generator failed");
	for (size_t i = 0; i < STATE_IDENTITY_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", id[i]);
	text[2 * STATE_IDENTITY_SIZE] = '\n';
	err = write_temp(s, text, 2 * STATE_IDENTITY_SIZE + 1);
	if (!err && renameat(s->fd, IDENTITY_TEMP, s->fd, IDENTITY_FILE))
		err = -errno;
	if (err) {
		unlinkat(s->fd, IDENTITY_TEMP, 0);
		errno = -err;
		return refuse_errno(why, s->path, "its file \"identity\" cannot be made");
	}
	s->made_identity = true;
	return fsync(s->fd) ? refuse_errno(why, s->path, "cannot be synchronised") : 0;
}

int state_dir_identity(
	struct state_dir *s, uint8_t id[static STATE_IDENTITY_SIZE], struct state_error *why)
{
	int err = read_identity(s, id, why);

	return err == -ENOENT ? make_identity(s, id, why) : err;
}
