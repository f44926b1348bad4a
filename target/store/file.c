/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file store: a sparse file or a block device, through the page cache.
 *
 * A read asks the page cache first, in place, without waiting (RWF_NOWAIT); only
 * what is not there goes to the engine. Writes are tried the same way where the
 * file system has it (XFS, btrfs; not ext4). Everything else goes to the pool.
 *
 * What is acknowledged without FUA may be in the page cache only, as in a disk with
 * a volatile write cache; STORE_FLUSH and STORE_FUA make it durable.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/engine.h"
#include "store/flush.h"
#include "store/kind.h"
#include "store/space.h"

struct file {
	struct store store;
	int fd;
	bool device;
	char *path;                    /* for the log */
	_Atomic bool no_nowait_read;   /* the file system has said that it cannot */
	_Atomic bool no_nowait_write;
	struct store_engine *engine;   /* borrowed */
	struct flush flush;
};

/* What a request keeps in its private room: a transfer, or work on the space. */
struct file_io {
	union {
		struct transfer transfer;
		struct {
			struct work work;
			int err;
		};
	};
	struct file *file;
};
_Static_assert(sizeof(struct file_io) <= STORE_IO_PRIVATE, "a transfer fits into a request");

static struct file *file_of(struct store *st)
{
	return (struct file *)st;
}

static struct file_io *private_of(struct store_io *io)
{
	return (struct file_io *)(void *)io->priv;
}

static struct store_io *io_of(struct file_io *fio)
{
	return container_of((unsigned char *)fio, struct store_io, priv);
}

/* --- opening ------------------------------------------------------------------------------ */

/* A file under construction, with what there is to say about it. */
struct opening {
	const struct store_cfg *cfg;
	struct store_error *why;
	int fd;
	bool device, made;         /* made: by us, just now */
	uint64_t size;             /* found, then decided */
};

static int refuse_open(const struct opening *o, int err)
{
	const struct store_cfg *cfg = o->cfg;

	switch (err) {
	case -ENOENT:
		return store_refuse(o->why, err, cfg->create ?
				    "%s: the directory does not exist; make it first" :
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
				    "%s: the device is in use (mounted, or part of another device)",
				    cfg->path);
	default:
		return store_refuse(o->why, err, "%s: %s", cfg->path, strerror(-err));
	}
}

static int refuse_type(const struct opening *o, mode_t mode)
{
	return store_refuse(o->why, S_ISDIR(mode) ? -EISDIR : -EINVAL,
			    "%s: is %s; a file or a block device is wanted", o->cfg->path,
			    S_ISDIR(mode) ? "a directory" : S_ISCHR(mode) ? "a character device" :
			    S_ISFIFO(mode) ? "a pipe" : "a socket");
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
		return store_refuse(o->why, -EINVAL, "%s: does not exist; give the size to make it with",
				    o->cfg->path);
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
static int lock_file(struct opening *o)
{
	struct flock l = { .l_type = o->cfg->read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET };

	if (!fcntl(o->fd, F_OFD_SETLK, &l))
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return store_refuse(o->why, -EBUSY, "%s: already open%s, here or in another program",
				    o->cfg->path, o->cfg->read_only ? " for writing" : "");
	log_msg(LOG_WARNING, "%s: cannot be locked (%s); see to it that nothing else opens it",
		o->cfg->path, strerror(errno));
	return 0;
}

static int size_of(int fd, bool device, uint64_t *size)
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
	int err = size_of(o->fd, o->device, &o->size);

	return err ? store_refuse(o->why, err, "%s: its size cannot be found: %s", o->cfg->path,
				  strerror(-err)) : 0;
}

/* The name of a new file is durable when its directory is. */
static int sync_directory(const char *path)
{
	char dir[PATH_MAX];
	int fd, err;

	if (strlen(path) >= sizeof(dir))
		return -ENAMETOOLONG;
	strcpy(dir, path);
	fd = open(dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = fsync(fd) ? -errno : 0;
	close(fd);
	return err;
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
		err = sync_directory(o->cfg->path);
	if (err)
		return store_refuse(o->why, err, "%s: cannot be made %s large: %s", o->cfg->path,
				    store_size_print(o->cfg->size, &t), strerror(-err));
	o->size = o->cfg->size;
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
		return store_refuse(o->why, -EINVAL, "%s: is empty; give its size, with create = true",
				    cfg->path);
	if (!cfg->size && o->size % cfg->block_size)
		return store_refuse(o->why, -EINVAL,
				    "%s: its %llu bytes are not a multiple of the block size %u; "
				    "set size = %llu or enlarge it", cfg->path,
				    (unsigned long long)o->size, cfg->block_size,
				    (unsigned long long)(o->size - o->size % cfg->block_size));
	if (o->size < cfg->size)
		return store_refuse(o->why, -EINVAL, "%s: is too small, %s where size says %s; "
				    "enlarge it, or set a smaller size",
				    cfg->path, found.text, want.text);
	if (cfg->size && o->size > cfg->size) {
		log_msg(LOG_WARNING, "%s: is %s large, more than the size %s that it is to have; "
			"what lies behind is not used", cfg->path, found.text, want.text);
		o->size = cfg->size;
	}
	return 0;
}

static int prepare_file(struct opening *o)
{
	int err = lock_file(o);

	if (!err)
		err = find_size(o);
	if (!err && !o->size && !o->device && o->cfg->create && o->cfg->size && !o->cfg->read_only)
		err = extend_new(o);
	if (!err)
		err = settle_size(o);
	return err;
}

static struct file *file_new(const struct opening *o)
{
	struct file *f = calloc(1, sizeof(*f));

	if (!f || !(f->path = strdup(o->cfg->path))) {
		free(f);
		return NULL;
	}
	atomic_init(&f->store.size, o->size);
	f->store.block_size = o->cfg->block_size;
	f->store.read_only = o->cfg->read_only;
	f->store.thin = !o->cfg->read_only && space_thin(o->fd);
	f->fd = o->fd;
	f->device = o->device;
	f->engine = o->cfg->engine;
	flush_init(&f->flush, f->fd, f->path, store_engine_pool(f->engine));
	return f;
}

static int file_open(const struct store_cfg *cfg, struct store **out, struct store_error *why)
{
	struct opening o = { .cfg = cfg, .why = why, .fd = -1 };
	struct file *f = NULL;
	int err;

	assert(cfg->engine);
	if (!cfg->path || !*cfg->path)
		return store_refuse(why, -EINVAL, "a file store needs a path");
	err = open_path(&o);
	if (!err)
		err = prepare_file(&o);
	if (!err && !(f = file_new(&o)))
		err = store_refuse(why, -ENOMEM, "%s: no memory", cfg->path);
	if (err && o.made)
		unlink(cfg->path);
	if (err && o.fd >= 0)
		close(o.fd);
	if (!err)
		*out = &f->store;
	return err;
}

static void file_close(struct store *st)
{
	struct file *f = file_of(st);

	if (!st->read_only)
		flush_now(&f->flush);      /* has logged what failed */
	flush_destroy(&f->flush);
	close(f->fd);
	free(f->path);
	free(f);
}

/* --- reading and writing ------------------------------------------------------------------ */

/* As much as can be had without waiting; true when that is all. What fails is left to the
 * engine, whose answer counts. */
static bool transfer_now(struct transfer *t, _Atomic bool *cannot)
{
	while (t->x.left) {
		int cnt;
		const struct iovec *iov = xfer_next(&t->x, &cnt);
		ssize_t n = t->write ?
			pwritev2(t->fd, iov, cnt, (off_t)t->x.off, RWF_NOWAIT) :
			preadv2(t->fd, iov, cnt, (off_t)t->x.off, RWF_NOWAIT);

		if (n < 0 && (errno == EOPNOTSUPP || errno == ENOSYS))
			atomic_store_explicit(cannot, true, memory_order_relaxed);
		if (n <= 0)
			return false;
		xfer_advance(&t->x, (size_t)n);
	}
	return true;
}

/* Running out of space is the write's own affair; anything else that a durable write meets may
 * be the failure of somebody else's data, told to it (see flush.c). */
static bool own_failure(const struct file *f, int err)
{
	return !f->device && (err == -ENOSPC || err == -EDQUOT || err == -EFBIG);
}

static void transfer_done(struct transfer *t, int err)
{
	struct file_io *fio = container_of(t, struct file_io, transfer);
	struct store_io *io = io_of(fio);

	if (err && t->sync && !own_failure(fio->file, err))
		flush_fail(&fio->file->flush, err);
	io->done(io, err);
}

static int file_transfer(struct file *f, struct store_io *io, _Atomic bool *cannot)
{
	struct file_io *fio = private_of(io);
	struct transfer *t = &fio->transfer;

	fio->file = f;
	t->x = (struct xfer){ .iov = io->iov, .cnt = io->iovcnt, .off = io->off, .left = io->len };
	t->fd = f->fd;
	t->write = io->op == STORE_WRITE;
	t->sync = t->write && io->flags & STORE_FUA;
	t->done = transfer_done;
	if (!t->sync && !atomic_load_explicit(cannot, memory_order_relaxed) &&
	    transfer_now(t, cannot))
		return 0;
	transfer_start(f->engine, t, io->loop);
	return STORE_PENDING;
}

/* --- space -------------------------------------------------------------------------------- */

static void space_run(struct work *w)
{
	struct file_io *fio = container_of(w, struct file_io, work);
	const struct store_io *io = io_of(fio);
	int fd = fio->file->fd;

	fio->err = io->op == STORE_ZERO || !fio->file->store.thin ?
		space_zero(fd, io->off, io->len) : space_discard(fd, io->off, io->len);
}

static void space_ran(struct work *w)
{
	struct file_io *fio = container_of(w, struct file_io, work);
	struct store_io *io = io_of(fio);

	io->done(io, fio->err);
}

static int file_space(struct file *f, struct store_io *io)
{
	struct file_io *fio = private_of(io);

	fio->file = f;
	fio->work = (struct work){ .run = space_run, .done = space_ran, .home = io->loop };
	work_submit(store_engine_pool(f->engine), &fio->work);
	return STORE_PENDING;
}

static int file_submit(struct store *st, struct store_io *io)
{
	struct file *f = file_of(st);

	switch (io->op) {
	case STORE_READ:
		return file_transfer(f, io, &f->no_nowait_read);
	case STORE_WRITE:
		return file_transfer(f, io, &f->no_nowait_write);
	case STORE_FLUSH:
		flush_start(&f->flush, io);
		return STORE_PENDING;
	case STORE_DISCARD:
	case STORE_ZERO:
		return file_space(f, io);
	}
	return -EINVAL;
}

/* --- the rest ----------------------------------------------------------------------------- */

/* A file grows when it must; nothing is ever cut off, so that a slip of the pen in the
 * configuration costs no data: growing again shows them again. A device is as large as it is. */
static int file_resize(struct store *st, uint64_t size)
{
	struct file *f = file_of(st);
	uint64_t have;
	int err = size_of(f->fd, f->device, &have);

	if (err)
		return err;
	if (size > have && (st->read_only || f->device))
		return -ENOSPC;
	if (size > have && (ftruncate(f->fd, (off_t)size) || fsync(f->fd)))
		return -errno;
	atomic_store(&st->size, size);
	return 0;
}

static int file_extent(struct store *st, uint64_t off, uint64_t *len, bool *mapped)
{
	return space_extent(file_of(st)->fd, off, store_size(st), st->block_size, len, mapped);
}

const struct store_kind store_file = {
	.name = "file",
	.open = file_open,
	.close = file_close,
	.submit = file_submit,
	.resize = file_resize,
	.extent = file_extent,
};
