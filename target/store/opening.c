/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps of an opening, each of which may refuse: find or make the file, lock it,
 * settle its size. What was made is removed again when a later step fails.
 */
#include "store/opening.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/log.h"
#include "store/kind.h"

enum { LOCK_TRIES = 50 };

/* A file under construction, with what there is to say about it. */
struct opening {
	const struct store_cfg *cfg;
	struct store_error *why;
	int fd;
	bool device, made; /* made: by us, just now */
	uint64_t size;     /* found, then decided */
};

static int refuse_open(const struct opening *o, int err)
{
	const struct store_cfg *cfg = o->cfg;

	switch (err) {
	case -ENOENT:
		if (cfg->create && !cfg->read_only)
			return store_refuse(o->why, err,
				"%s: the directory does not exist; make it first", cfg->path);
		return store_refuse(o->why, err,
			"%s: no such file; make it first, or say create = true with a size",
			cfg->path);
	case -EACCES:
	case -EPERM:
		return store_refuse(o->why, err,
			"%s: no permission for uid %u to open it%s; change its owner or mode%s",
			cfg->path, geteuid(), cfg->read_only ? "" : " for writing",
			cfg->read_only ? "" : ", or say read_only = true");
	case -EROFS:
		return store_refuse(o->why, err,
			"%s: on a read-only file system; say read_only = true", cfg->path);
	case -EBUSY:
		return store_refuse(o->why, err,
			"%s: the device is in use (mounted, or part of another device)", cfg->path);
	default: return store_refuse(o->why, err, "%s: %s", cfg->path, strerror(-err));
	}
}

static const char *type_text(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR: return "a directory";
	case S_IFCHR: return "a character device";
	case S_IFIFO: return "a pipe";
	default: return "a socket";
	}
}

static int refuse_type(const struct opening *o, mode_t mode)
{
	return store_refuse(o->why, S_ISDIR(mode) ? -EISDIR : -EINVAL,
		"%s: is %s; a file or a block device is wanted", o->cfg->path, type_text(mode));
}

/* Looks before opening: a pipe would keep open() waiting, and a device that is mounted is refused
 * by O_EXCL. -ENOENT is left for the caller. */
static int open_existing(struct opening *o)
{
	int flags = o->cfg->read_only ? O_RDONLY : O_RDWR;
	struct stat s;

	if (stat(o->cfg->path, &s))
		return -errno;
	if (!S_ISREG(s.st_mode) && !S_ISBLK(s.st_mode))
		return refuse_type(o, s.st_mode);
	o->device = S_ISBLK(s.st_mode);
	if (o->device && !o->cfg->read_only)
		flags |= O_EXCL;
	o->fd = open(o->cfg->path, flags | O_CLOEXEC | O_NOCTTY);
	return o->fd < 0 ? -errno : 0;
}

static int open_new(struct opening *o)
{
	if (!o->cfg->size)
		return store_refuse(o->why, -EINVAL,
			"%s: does not exist; give the size to make it with", o->cfg->path);
	o->fd = open(o->cfg->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
	if (o->fd < 0)
		return -errno;
	o->made = true;
	return 0;
}

static int open_path(struct opening *o)
{
	int err;

	o->why->text[0] = '\0';
	err = open_existing(o);
	if (err == -ENOENT && o->cfg->create && !o->cfg->read_only)
		err = open_new(o);
	if (err && !o->why->text[0])
		return refuse_open(o, err);
	return err;
}

/* A lock of the open file (OFD), so that a second opening conflicts in the same process too, and
 * that closing any other descriptor of the file does not drop it. Readers may be several. */
static int try_lock(const struct opening *o)
{
	struct flock l = { .l_type = o->cfg->read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET };

	if (!fcntl(o->fd, F_OFD_SETLK, &l))
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

/* A server that was killed keeps its lock until the kernel has finished what its io_uring had
 * under way, a little after the process is gone: whoever starts the next one at once waits. */
static int lock_file(struct opening *o)
{
	static const struct timespec moment = { .tv_nsec = 10 * 1000 * 1000 };
	int err = try_lock(o);

	for (int i = 0; err == -EAGAIN && i < LOCK_TRIES; i++) {
		nanosleep(&moment, NULL);
		err = try_lock(o);
	}
	if (err == -EAGAIN)
		return store_refuse(o->why, -EBUSY,
			"%s: already open%s, here or in another program", o->cfg->path,
			o->cfg->read_only ? " for writing" : "");
	if (err)
		log_msg(LOG_WARNING, "%s: cannot be locked (%s); let nothing else open it",
			o->cfg->path, strerror(-err));
	return 0;
}

int opening_size(int fd, bool device, uint64_t *size)
{
	struct stat s;

	if (device)
		return ioctl(fd, BLKGETSIZE64, size) ? -errno : 0;
	if (fstat(fd, &s))
		return -errno;
	*size = (uint64_t)s.st_size;
	return 0;
}

static int find_size(struct opening *o)
{
	int err = opening_size(o->fd, o->device, &o->size);

	if (err)
		return store_refuse(o->why, err, "%s: its size cannot be found: %s", o->cfg->path,
			strerror(-err));
	return 0;
}

/* Gives a new file its size. An empty one counts as new: an earlier attempt may have been cut
 * off between making it and this. */
static int extend_new(struct opening *o)
{
	struct store_size_text t;
	int err = 0;

	if (ftruncate(o->fd, (off_t)o->cfg->size) || fsync(o->fd))
		err = -errno;
	if (!err && o->made)
		err = dir_sync_parent(o->cfg->path);
	if (err)
		return store_refuse(o->why, err, "%s: cannot be made %s large: %s", o->cfg->path,
			store_size_print(o->cfg->size, &t), strerror(-err));
	o->size = o->cfg->size;
	/* Told, since it may be a file system that is not mounted where an old file was expected. */
	log_msg(LOG_NOTICE, "%s: %s; it is made, %s large and without data", o->cfg->path,
		o->made ? "there was none" : "was empty", store_size_print(o->size, &t));
	return 0;
}

/* Settles between what was found and what was asked for. A larger file is never cut: the store
 * ends where the configuration says, and what lies behind is left alone. */
static int settle_size(struct opening *o)
{
	const struct store_cfg *cfg = o->cfg;
	struct store_size_text found, want;

	store_size_print(o->size, &found);
	store_size_print(cfg->size, &want);
	if (!o->size)
		return store_refuse(o->why, -EINVAL,
			"%s: is empty; give its size, with create = true", cfg->path);
	if (!cfg->size && o->size % cfg->block_size)
		return store_refuse(o->why, -EINVAL,
			"%s: its %llu bytes are not a multiple of the block size %u; "
			"set size = %llu or enlarge it",
			cfg->path, (unsigned long long)o->size, cfg->block_size,
			(unsigned long long)(o->size - o->size % cfg->block_size));
	if (o->size < cfg->size)
		return store_refuse(o->why, -EINVAL,
			"%s: is too small, %s where size says %s; enlarge it or lower the size",
			cfg->path, found.text, want.text);
	if (cfg->size && o->size > cfg->size) {
		log_msg(LOG_WARNING,
			"%s: is %s large, more than the size %s; what lies behind is not used",
			cfg->path, found.text, want.text);
		o->size = cfg->size;
	}
	return 0;
}

static int prepare_file(struct opening *o)
{
	int err = lock_file(o);

	if (err) {
		o->made = false; /* somebody has found it already, and it is theirs now */
		return err;
	}
	err = find_size(o);
	if (!err && !o->size && !o->device && o->cfg->create && o->cfg->size && !o->cfg->read_only)
		err = extend_new(o);
	if (!err)
		err = settle_size(o);
	return err;
}

/* The name may have gone over to another file meanwhile. */
static int open_again(struct opening *o, int *out)
{
	int fd = open(o->cfg->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	struct stat first, again;

	if (fd < 0)
		return refuse_open(o, -errno);
	if (fstat(o->fd, &first) || fstat(fd, &again) || first.st_dev != again.st_dev ||
		first.st_ino != again.st_ino) {
		close(fd);
		o->made = false; /* what has the name now is theirs */
		return store_refuse(
			o->why, -ESTALE, "%s: has been replaced while it was opened", o->cfg->path);
	}
	*out = fd;
	return 0;
}

int opening_run(const struct store_cfg *cfg, struct opened *out, struct store_error *why)
{
	struct opening o = { .cfg = cfg, .why = why, .fd = -1 };
	int err, sync_fd = -1;

	if (!cfg->path || !*cfg->path)
		return store_refuse(why, -EINVAL, "a file store needs a path");
	err = open_path(&o);
	if (!err)
		err = prepare_file(&o);
	if (!err && !cfg->read_only)
		err = open_again(&o, &sync_fd);
	if (err && o.made)
		unlink(cfg->path);
	if (err && o.fd >= 0)
		close(o.fd);
	if (!err)
		*out = (struct opened){
			.fd = o.fd, .sync_fd = sync_fd, .device = o.device, .size = o.size
		};
	return err;
}
