/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file store: a sparse file or a block device, through the page cache.
 *
 * A read asks the page cache first, in place, without waiting (RWF_NOWAIT); only
 * what is not there goes to the engine. Writes are tried the same way where the
 * file system has it (XFS, btrfs; not ext4). All else that may wait goes there too,
 * or to the pool.
 *
 * What is acknowledged without FUA may be in the page cache only, as in a disk with
 * a volatile write cache; STORE_FLUSH and STORE_FUA make it durable.
 *
 * The kernel tells each opening of a file once that writing back has failed. Writes with STORE_FUA
 * have an opening of their own, so that none of them is told in the place of a flush.
 *
 * A read that must not be a mixture (STORE_WHOLE) is looked at again when somebody wrote there in
 * the meantime, a few times; what is written without pause is left to the caller.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/engine.h"
#include "store/flush.h"
#include "store/kind.h"
#include "store/opening.h"
#include "store/space.h"
#include "store/writing.h"

enum { READ_TRIES = 4 }; /* of a block that others write at the same time */

#define QUIET_NS UINT64_C(60000000000) /* between two lines of the log about what failed */

struct file {
	struct store store;
	int fd;
	int sync_fd; /* for STORE_FUA; -1: read-only */
	bool device;
	char *path;                  /* for the log */
	_Atomic bool no_nowait_read; /* the file system has said that it cannot */
	_Atomic bool no_nowait_write;
	struct store_engine *engine; /* borrowed */
	struct work_lane lane;
	_Atomic uint64_t quiet_until; /* the log was told of a failure, and is not until then */
	struct flush flush;
	struct writing writing;
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
	struct writing_seen seen; /* a READ: before it began */
	unsigned tries;
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

/* --- reading and writing ------------------------------------------------------------------ */

static ssize_t piece_now(struct transfer *t)
{
	int cnt;
	const struct iovec *iov = xfer_next(&t->x, &cnt);

	if (t->write)
		return pwritev2(t->fd, iov, cnt, (off_t)t->x.off, RWF_NOWAIT);
	return preadv2(t->fd, iov, cnt, (off_t)t->x.off, RWF_NOWAIT);
}

/* As much as can be had without waiting; true when that is all. What fails is left to the
 * engine, whose answer counts. */
static bool transfer_now(struct transfer *t, _Atomic bool *cannot)
{
	while (t->x.left) {
		ssize_t n = piece_now(t);

		if (n < 0 && (errno == EOPNOTSUPP || errno == ENOSYS))
			atomic_store_explicit(cannot, true, memory_order_relaxed);
		if (n <= 0)
			return false;
		xfer_advance(&t->x, (size_t)n);
	}
	return true;
}

static bool no_room(const struct file *f, int err)
{
	return !f->device && (err == -ENOSPC || err == -EDQUOT || err == -EFBIG);
}

/* The initiator is told by sense data; whoever can do something about it, by this. */
static void tell_failure(struct file *f, const struct store_io *io, int err)
{
	uint64_t now = loop_now(io->loop), until = atomic_load(&f->quiet_until);

	if (now < until || !atomic_compare_exchange_strong(&f->quiet_until, &until, now + QUIET_NS))
		return;
	log_msg(LOG_ERR, "%s: %s at byte %llu failed: %s", f->path,
		io->op == STORE_READ ? "reading" : "writing", (unsigned long long)io->off,
		err == -ENODATA ? "something else has cut the file short" : strerror(-err));
}

/* Begins, from the first byte. In place, as far as that goes: true when it has ended so. */
static bool transfer_begin(struct file_io *fio)
{
	const struct store_io *io = io_of(fio);
	struct file *f = fio->file;
	struct transfer *t = &fio->transfer;
	_Atomic bool *cannot = t->write ? &f->no_nowait_write : &f->no_nowait_read;

	t->x = (struct xfer){ .iov = io->iov, .cnt = io->iovcnt, .off = io->off, .left = io->len };
	if (io->flags & STORE_WHOLE)
		fio->seen = writing_look(&f->writing, io->off, io->len);
	return !t->sync && !atomic_load_explicit(cannot, memory_order_relaxed) &&
	       transfer_now(t, cannot);
}

/* What has been read may be a mixture. */
static bool torn(const struct file_io *fio)
{
	const struct store_io *io = io_of((struct file_io *)fio);

	return io->flags & STORE_WHOLE &&
	       !writing_none(&fio->file->writing, io->off, io->len, fio->seen);
}

static bool another_try(struct file_io *fio)
{
	return ++fio->tries < READ_TRIES;
}

/* The engine has ended a transfer. False: it has begun anew. */
static bool transfer_over(struct file_io *fio, int *err)
{
	struct store_io *io = io_of(fio);
	struct transfer *t = &fio->transfer;

	if (t->write)
		writing_end(&fio->file->writing, io->off, io->len);
	while (!t->write && !*err && torn(fio)) {
		if (!another_try(fio)) {
			*err = -ESTALE;
		} else if (!transfer_begin(fio)) {
			transfer_start(fio->file->engine, t, io->loop);
			return false;
		}
	}
	return true;
}

/* That a disk has failed to flush its own cache is told to one sync alone, whichever opening that came
 * through. */
static void transfer_done(struct transfer *t, int err)
{
	struct file_io *fio = container_of(t, struct file_io, transfer);
	struct store_io *io = io_of(fio);

	if (err && t->sync && !no_room(fio->file, err))
		flush_fail(&fio->file->flush, err);
	if (err)
		tell_failure(fio->file, io, err);
	if (transfer_over(fio, &err))
		io->done(io, err);
}

static struct file_io *transfer_of(struct file *f, struct store_io *io)
{
	struct file_io *fio = private_of(io);
	struct transfer *t = &fio->transfer;

	fio->file = f;
	fio->tries = 0;
	t->lane = &f->lane;
	t->write = io->op == STORE_WRITE;
	t->sync = t->write && io->flags & STORE_FUA;
	t->fd = t->sync ? f->sync_fd : f->fd;
	t->done = transfer_done;
	return fio;
}

static int file_read(struct file *f, struct store_io *io)
{
	struct file_io *fio = transfer_of(f, io);

	while (transfer_begin(fio)) {
		if (!torn(fio))
			return 0;
		if (!another_try(fio))
			return -ESTALE;
	}
	transfer_start(f->engine, &fio->transfer, io->loop);
	return STORE_PENDING;
}

static int file_write(struct file *f, struct store_io *io)
{
	struct file_io *fio = transfer_of(f, io);

	writing_begin(&f->writing, io->off, io->len);
	if (transfer_begin(fio)) {
		writing_end(&f->writing, io->off, io->len);
		return 0;
	}
	transfer_start(f->engine, &fio->transfer, io->loop);
	return STORE_PENDING;
}

/* --- space -------------------------------------------------------------------------------- */

static void space_run(struct work *w)
{
	struct file_io *fio = container_of(w, struct file_io, work);
	const struct store_io *io = io_of(fio);
	int fd = fio->file->fd;

	if (io->op == STORE_COPY)
		fio->err = space_copy(file_of(io->from)->fd, io->from_off, fd, io->off, io->len,
			io->flags & STORE_HOLES && fio->file->store.thin);
	else if (io->op == STORE_ZERO || !fio->file->store.thin)
		fio->err = space_zero(fd, io->off, io->len);
	else
		fio->err = space_discard(fd, io->off, io->len);
}

static void space_ran(struct work *w)
{
	struct file_io *fio = container_of(w, struct file_io, work);
	struct store_io *io = io_of(fio);

	writing_end(&fio->file->writing, io->off, io->len);
	io->done(io, fio->err);
}

static int file_space(struct file *f, struct store_io *io)
{
	struct file_io *fio = private_of(io);

	fio->file = f;
	writing_begin(&f->writing, io->off, io->len);
	fio->work = (struct work){
		.run = space_run, .done = space_ran, .home = io->loop, .lane = &f->lane
	};
	work_submit(store_engine_pool(f->engine), &fio->work);
	return STORE_PENDING;
}

static int file_submit(struct store *st, struct store_io *io)
{
	struct file *f = file_of(st);

	switch (io->op) {
	case STORE_READ: return file_read(f, io);
	case STORE_WRITE: return file_write(f, io);
	case STORE_FLUSH: flush_start(&f->flush, io); return STORE_PENDING;
	case STORE_DISCARD:
	case STORE_ZERO:
	case STORE_COPY: return file_space(f, io);
	}
	return -EINVAL;
}

/* A file grows when it must; nothing is ever cut off, so that a slip of the pen in the
 * configuration costs no data: growing again shows them again. A device is as large as it is. */
static int file_resize(struct store *st, uint64_t size)
{
	struct file *f = file_of(st);
	uint64_t have;
	int err = opening_size(f->fd, f->device, &have);

	if (err)
		return err;
	if (size > have && (st->read_only || f->device))
		return -ENOSPC;
	if (size > have && ftruncate(f->fd, (off_t)size))
		return -errno;
	if (size > have && (err = flush_now(&f->flush)))
		return err;
	atomic_store(&st->size, size);
	return 0;
}

static uint64_t file_room(struct store *st)
{
	const struct file *f = file_of(st);
	uint64_t have;

	return opening_size(f->fd, f->device, &have) ? 0 : have;
}

static bool file_astray(struct store *st)
{
	const struct file *f = file_of(st);
	struct stat open, named;

	if (fstat(f->fd, &open))
		return false;
	if (stat(f->path, &named))
		return errno == ENOENT;
	return f->device ? named.st_rdev != open.st_rdev
			 : named.st_dev != open.st_dev || named.st_ino != open.st_ino;
}

static int file_extent(struct store *st, uint64_t off, uint64_t *len, bool *mapped)
{
	return space_extent(file_of(st)->fd, off, store_size(st), st->block_size, len, mapped);
}

/* --- opening and closing ------------------------------------------------------------------ */

/* Reading a disk is nothing that the file's access time need tell: a twentieth of a warm read.
 * Only the owner may say so; for others it stays as it is. */
static void forget_access_time(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, flags | O_NOATIME);
}

/* Of the number of its inode, which a later file may have, and when that began. Devices have
 * nothing that stays with them. */
static uint64_t medium_of(int fd)
{
	struct statx s;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_INO | STATX_BTIME, &s) ||
		!S_ISREG(s.stx_mode))
		return 0;
	if (!(s.stx_mask & STATX_BTIME))
		return s.stx_ino;
	return s.stx_ino << 32 ^ (uint64_t)s.stx_btime.tv_sec << 20 ^ s.stx_btime.tv_nsec;
}

static void close_both(int fd, int sync_fd)
{
	if (sync_fd >= 0)
		close(sync_fd);
	close(fd);
}

static struct file *file_new(const struct store_cfg *cfg, const struct opened *o)
{
	struct file *f = calloc(1, sizeof(*f));

	if (!f || !(f->path = strdup(cfg->path))) {
		free(f);
		return NULL;
	}
	atomic_init(&f->store.size, o->size);
	f->store.block_size = cfg->block_size;
	f->store.read_only = cfg->read_only;
	f->store.thin = !cfg->read_only && space_thin(o->fd);
	f->store.medium = medium_of(o->fd);
	f->fd = o->fd;
	f->sync_fd = o->sync_fd;
	forget_access_time(f->fd);
	f->device = o->device;
	f->engine = cfg->engine;
	work_lane_init(&f->lane, STORE_LANE);
	flush_init(&f->flush, f->fd, f->path, store_engine_pool(f->engine));
	return f;
}

static int file_open(const struct store_cfg *cfg, struct store **out, struct store_error *why)
{
	struct opened o;
	struct file *f;
	int err;

	assert(cfg->engine);
	err = opening_run(cfg, &o, why);
	if (err)
		return err;
	f = file_new(cfg, &o);
	if (!f) {
		close_both(o.fd, o.sync_fd);
		return store_refuse(why, -ENOMEM, "%s: no memory", cfg->path);
	}
	*out = &f->store;
	return 0;
}

static void file_close(struct store *st)
{
	struct file *f = file_of(st);

	if (!st->read_only)
		flush_now(&f->flush); /* has logged what failed */
	flush_destroy(&f->flush);
	close_both(f->fd, f->sync_fd);
	free(f->path);
	free(f);
}

const struct store_kind store_file = {
	.name = "file",
	.open = file_open,
	.close = file_close,
	.submit = file_submit,
	.resize = file_resize,
	.room = file_room,
	.astray = file_astray,
	.extent = file_extent,
};
