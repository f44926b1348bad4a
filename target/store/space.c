/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fallocate() does all of it, on files and (since Linux 4.9) on block devices,
 * where PUNCH_HOLE succeeds only if the device promises zeros afterwards; the
 * ioctl BLKDISCARD promises nothing and is not used. What a file system does not
 * know falls back to the next best, at the end to writing zeros.
 */
#include "store/space.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { ZEROS = 64 * 1024 };

static int allocate(int fd, int mode, uint64_t off, uint64_t len)
{
	int r;

	do {
		r = fallocate(fd, mode, (off_t)off, (off_t)len);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

static int write_zeros(int fd, uint64_t off, uint64_t len)
{
	static const char zeros[ZEROS];

	while (len) {
		ssize_t n = pwrite(fd, zeros, len < ZEROS ? len : ZEROS, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		off += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

/* "I do not know how", as against "I tried and failed". */
static bool unknown(int err)
{
	return err == -EOPNOTSUPP || err == -ENOSYS || err == -EINVAL;
}

int space_discard(int fd, uint64_t off, uint64_t len)
{
	int err = allocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, len);

	return unknown(err) ? space_zero(fd, off, len) : err;
}

int space_zero(int fd, uint64_t off, uint64_t len)
{
	int err = allocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, off, len);

	return unknown(err) ? write_zeros(fd, off, len) : err;
}

/* A partition's queue is its disk's. */
static bool device_discards(dev_t dev)
{
	static const char *const where[] = { "", "../" };
	unsigned long long max = 0;
	char path[96];

	for (size_t i = 0; !max && i < sizeof(where) / sizeof(where[0]); i++) {
		FILE *f;

		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%squeue/discard_max_bytes",
			major(dev), minor(dev), where[i]);
		f = fopen(path, "re");
		if (f && fscanf(f, "%llu", &max) != 1)
			max = 0;
		if (f)
			fclose(f);
	}
	return max;
}

bool space_thin(int fd)
{
	struct stat s;

	if (fstat(fd, &s))
		return false;
	if (S_ISBLK(s.st_mode))
		return device_discards(s.st_rdev);
	/* A hole beyond the end changes nothing, and says whether holes can be made. */
	return !allocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (uint64_t)s.st_size, 4096);
}

/* Where data begin, or end, from off on; end where neither does before it. */
static int seek(int fd, uint64_t off, int whence, uint64_t end, uint64_t *at)
{
	off_t r = lseek(fd, (off_t)off, whence);

	if (r < 0 && errno != ENXIO)
		return -errno;
	*at = r < 0 || (uint64_t)r > end ? end : (uint64_t)r;
	return 0;
}

/* The file system's blocks may be smaller than ours: one of ours that holds any data is mapped. */
int space_extent(int fd, uint64_t off, uint64_t end, uint32_t block, uint64_t *len, bool *mapped)
{
	uint64_t at = off, mask = block - 1;
	int err = seek(fd, off, SEEK_DATA, end, &at);

	*mapped = true;
	*len = end - off;
	if (err)
		return unknown(err) ? 0 : err;
	at &= ~mask;
	if (at > off) {
		*mapped = false;
	} else {
		/* The first block holds data, though perhaps not from its first byte on. */
		err = seek(fd, off + block - 1, SEEK_HOLE, end, &at);
		at = (at + mask) & ~mask;
	}
	*len = at - off;
	return err;
}

/* The data of a stretch without holes. */
static int copy_data(int from, uint64_t from_off, int fd, uint64_t off, uint64_t len)
{
	off_t in = (off_t)from_off, out = (off_t)off;

	while (len) {
		ssize_t n = copy_file_range(from, &in, fd, &out, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return unknown(-errno) || errno == EXDEV || errno == ETXTBSY ? -EOPNOTSUPP
										 : -errno;
		if (!n) /* behind the end of the file: not for the kernel to say */
			return -EOPNOTSUPP;
		len -= (uint64_t)n;
	}
	return 0;
}

int space_copy(int from, uint64_t from_off, int fd, uint64_t off, uint64_t len, bool holes)
{
	uint64_t end = from_off + len;
	off_t size = lseek(from, 0, SEEK_END);
	int err = size < 0 ? -errno : (uint64_t)size < end ? -ENODATA : 0;

	while (!err && from_off < end) {
		uint64_t n;
		bool mapped;

		err = space_extent(from, from_off, end, 512, &n, &mapped);
		if (err)
			break;
		if (mapped)
			err = copy_data(from, from_off, fd, off, n);
		else
			err = holes ? space_discard(fd, off, n) : space_zero(fd, off, n);
		from_off += n;
		off += n;
	}
	return err;
}
