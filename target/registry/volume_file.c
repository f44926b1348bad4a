/* SPDX-License-Identifier: BSD-2-Clause */
/* Files and disks of volumes: see registry/volume_file.h. */
#include "registry/volume_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "registry/volumes.h"

#define ZEROS_SIZE (1u << 20)

/* A pool's directory is made with its first volume, if only the last part of it is missing. */
static int make_directory_of(const char *path)
{
	char *dir = dir_parent(path);
	int err = !dir ? -ENOMEM : mkdir(dir, 0700) ? -errno : dir_sync_parent(dir);

	free(dir);
	return err == -EEXIST ? 0 : err;
}

static int open_new(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? -errno : fd;
}

static int make(const char *path, uint64_t size)
{
	int fd = open_new(path), err;

	if (fd == -ENOENT && !make_directory_of(path))
		fd = open_new(path);
	if (fd < 0)
		return fd;
	err = ftruncate(fd, (off_t)size) || fsync(fd) ? -errno : dir_sync_parent(path);
	close(fd);
	if (err)
		unlink(path);
	return err;
}

static int grow(const char *path, uint64_t size)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;
	int err = fd < 0 || fstat(fd, &st) ? -errno : 0;

	if (!err && (uint64_t)st.st_size < size && (ftruncate(fd, (off_t)size) || fsync(fd)))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

static int write_zeros(int fd, uint64_t size)
{
	uint8_t *zeros = calloc(1, ZEROS_SIZE);
	int err = zeros ? 0 : -ENOMEM;

	for (uint64_t at = 0; !err && at < size;) {
		uint64_t left = size - at;
		ssize_t n = pwrite(fd, zeros, left < ZEROS_SIZE ? left : ZEROS_SIZE, (off_t)at);

		if (n > 0)
			at += (uint64_t)n;
		else if (n == 0 || errno != EINTR)
			err = n ? -errno : -EIO;
	}
	free(zeros);
	return err;
}

/* By giving the space back where that makes zeros, or by whatever else does. */
static int erase(const char *path, uint64_t size)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)size) &&
		fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0, (off_t)size))
		err = write_zeros(fd, size);
	if (!err && fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

static int destroy(const char *path)
{
	if (unlink(path))
		return errno == ENOENT ? 0 : -errno;
	return dir_sync_parent(path);
}

int volume_file_do(enum volume_file_verb verb, const char *path, uint64_t size)
{
	switch (verb) {
	case VOLUME_FILE_MAKE: return make(path, size);
	case VOLUME_FILE_GROW: return grow(path, size);
	case VOLUME_FILE_ERASE: return erase(path, size);
	default: return destroy(path);
	}
}

static void run(struct work *work)
{
	struct volume_file_work *w = container_of(work, struct volume_file_work, work);

	w->err = volume_file_do(w->verb, w->path, w->size);
}

void volume_file_submit(struct work_pool *pool, struct volume_file_work *w)
{
	w->work.run = run;
	work_submit(pool, &w->work);
}

bool registry_disk_size(const char *path, uint64_t *size)
{
	struct stat st;
	bool found = false;
	int fd;

	if (stat(path, &st))
		return false;
	if (S_ISREG(st.st_mode)) {
		*size = (uint64_t)st.st_size;
		return true;
	}
	fd = S_ISBLK(st.st_mode) ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	if (fd >= 0) {
		found = !ioctl(fd, BLKGETSIZE64, size);
		close(fd);
	}
	return found;
}
