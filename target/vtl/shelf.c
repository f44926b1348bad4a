/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directories of cartridges.
 */
#include "vtl/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/log.h"
#include "vtl/barcode.h"
#include "vtl/format.h"

#define HIDDEN   ".removed" /* behind the barcode, with a dot before it */
#define INCOMING ".incoming"

bool shelf_path(const char *dir, const char *barcode, char *buf, size_t size)
{
	int n = snprintf(buf, size, "%s/%s", dir, barcode);

	return n > 0 && (size_t)n < size;
}

static bool marked_path(const char *dir, const char *barcode, const char *mark, char *buf)
{
	int n = snprintf(buf, SHELF_PATH_MAX, "%s/.%s%s", dir, barcode, mark);

	return n > 0 && n < SHELF_PATH_MAX;
}

static bool is_there(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

/* --- at a glance ------------------------------------------------------------------- */

/* The header and the slots of a partition. */
static int read_head(
	const char *dir, const char *barcode, unsigned int partition, uint8_t head[LOG_START])
{
	char path[SHELF_PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s/p%u", dir, barcode, partition), fd;
	ssize_t got;

	if (n < 0 || n >= SHELF_PATH_MAX)
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	got = pread(fd, head, LOG_START, 0);
	n = got < 0 ? -errno : got < (ssize_t)LOG_START ? -EBADMSG : 0;
	close(fd);
	return n;
}

/* Where the log ends by the later of the slots. */
static int used_by_slots(const uint8_t *head, uint32_t log_id, uint64_t *used)
{
	uint64_t newest = 0, seq;
	struct tail tail;
	bool any = false;

	for (unsigned int i = 1; i <= SLOTS; i++) {
		if (!slot_decode(head + i * FORMAT_BLOCK, log_id, &tail, &seq) ||
			(any && seq < newest))
			continue;
		*used = tail.off - LOG_START;
		newest = seq;
		any = true;
	}
	return any ? 0 : -EBADMSG;
}

int shelf_used(const char *dir, const char *barcode, uint64_t *used)
{
	uint8_t head[LOG_START];
	uint64_t sum = 0, part = 0;
	struct identity id = { 0 };
	unsigned int which;
	int err = read_head(dir, barcode, 0, head);

	if (!err)
		err = header_decode(head, &id, &which);
	if (!err && (which || strcmp(id.barcode, barcode) != 0))
		err = -EBADMSG;
	for (unsigned int k = 0; !err && k < id.partitions; k++) {
		if (k)
			err = read_head(dir, barcode, k, head);
		if (!err)
			err = used_by_slots(head, id.partition[k].log_id, &part);
		if (!err)
			sum += part;
	}
	if (!err)
		*used = sum;
	return err;
}

/* --- making ------------------------------------------------------------------------ */

static uint64_t bytes_used(const struct cartridge *c)
{
	struct cartridge_usage u;
	uint64_t sum = 0;

	for (unsigned int k = 0; cartridge_usage(c, k, &u) == CARTRIDGE_OK; k++)
		sum += u.used;
	return sum;
}

static bool blank(const struct cartridge *c)
{
	struct cartridge_usage u;

	for (unsigned int k = 0; cartridge_usage(c, k, &u) == CARTRIDGE_OK; k++)
		if (u.objects)
			return false;
	return true;
}

/* Opens what is there to look at it. */
static int look_at(const char *dir, const char *barcode, struct cartridge **out)
{
	char path[SHELF_PATH_MAX];
	struct cartridge *c;
	int err;

	if (!shelf_path(dir, barcode, path, sizeof(path)))
		return -ENAMETOOLONG;
	err = cartridge_open(path, &(struct cartridge_opening){ .read_only = true }, &c);
	if (err)
		return err;
	if (strcmp(cartridge_info(c)->barcode, barcode) != 0) {
		cartridge_close(c);
		return -EBADMSG;
	}
	*out = c;
	return 0;
}

static void describe(const struct cartridge *c, struct shelf_found *out)
{
	const struct cartridge_info *info = cartridge_info(c);

	*out = (struct shelf_found){
		.generation = info->media->generation,
		.worm = info->worm,
		.cleaning = info->cleaning,
		.size = info->capacity,
		.used = bytes_used(c),
	};
}

int shelf_look(const char *dir, const char *barcode, struct shelf_found *out)
{
	struct cartridge *c;
	int err = look_at(dir, barcode, &c);

	if (err)
		return err;
	describe(c, out);
	cartridge_close(c);
	return 0;
}

/* One that was made and then forgotten, by a crash, is as good as a new one. */
static int take_up_blank(const char *dir, const struct cartridge_cfg *cfg, struct shelf_found *out)
{
	uint64_t size = cfg->capacity ? cfg->capacity : cfg->media->capacity;
	struct cartridge *c;
	int err = look_at(dir, cfg->barcode, &c);

	if (err)
		return err == -EBADMSG ? -EEXIST : err;
	describe(c, out);
	if (!blank(c) || out->worm != cfg->worm || out->cleaning != cfg->cleaning ||
		out->size != size || out->generation != cfg->media->generation)
		err = -EEXIST;
	cartridge_close(c);
	return err;
}

int shelf_make(const char *dir, const struct cartridge_cfg *cfg, struct shelf_found *out)
{
	char path[SHELF_PATH_MAX];
	int err;

	if (!shelf_path(dir, cfg->barcode, path, sizeof(path)))
		return -ENAMETOOLONG;
	err = cartridge_create(path, cfg);
	if (err == -EEXIST)
		return take_up_blank(dir, cfg, out);
	if (!err)
		err = shelf_look(dir, cfg->barcode, out);
	out->made = !err;
	return err;
}

/* --- removing ---------------------------------------------------------------------- */

/* From one directory to another, or the same: it lasts or, as far as that can be had, nothing has
 * happened. */
static int rename_for_good(const char *from, const char *source, const char *to, const char *target)
{
	int err = dir_rename(source, target);

	if (err)
		return err;
	err = dir_sync(to);
	if (!err && from != to)
		err = dir_sync(from);
	if (err)
		dir_rename(target, source);
	return err;
}

static int rename_marked(const char *dir, const char *barcode, bool hide)
{
	char path[SHELF_PATH_MAX], hidden[SHELF_PATH_MAX];

	if (!shelf_path(dir, barcode, path, sizeof(path)) ||
		!marked_path(dir, barcode, HIDDEN, hidden))
		return -ENAMETOOLONG;
	return rename_for_good(dir, hide ? path : hidden, dir, hide ? hidden : path);
}

int shelf_hide(const char *dir, const char *barcode)
{
	return rename_marked(dir, barcode, true);
}

int shelf_show(const char *dir, const char *barcode)
{
	return rename_marked(dir, barcode, false);
}

/* Removes a directory with the files in it, whatever state they are in. */
static int clear(const char *path)
{
	DIR *d = opendir(path);
	int err = 0;

	if (!d)
		return -errno;
	for (struct dirent *e; (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
			unlinkat(dirfd(d), e->d_name, 0))
			err = -errno;
	closedir(d);
	return err ? err : rmdir(path) ? -errno : 0;
}

int shelf_destroy(const char *dir, const char *barcode)
{
	char hidden[SHELF_PATH_MAX];
	int err;

	if (!marked_path(dir, barcode, HIDDEN, hidden))
		return -ENAMETOOLONG;
	err = clear(hidden);
	return err ? err : dir_sync(dir);
}

/* Whether a name is a barcode between a dot and the mark, and which. */
static bool marked(const char *name, const char *mark, char barcode[static BARCODE_SIZE])
{
	size_t len = strlen(name), end = strlen(mark);

	if (name[0] != '.' || len <= end + 1 || len - end - 1 > BARCODE_MAX ||
		strcmp(name + len - end, mark) != 0)
		return false;
	memcpy(barcode, name + 1, len - end - 1);
	barcode[len - end - 1] = '\0';
	return barcode_valid(barcode);
}

static bool is_cartridge(const char *dir, const char *barcode)
{
	char path[SHELF_PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s/p0", dir, barcode);

	return n > 0 && n < SHELF_PATH_MAX && is_there(path);
}

/* Whether it is called as cartridge_create() calls what is not whole yet. Somebody may have called
 * a copy the same way, so it is told of and stays. */
static bool is_draft(const char *dir, const char *name)
{
	const char *dot = strrchr(name, '.');
	char barcode[BARCODE_SIZE], path[SHELF_PATH_MAX];
	struct stat st;

	if (!dot || dot == name || dot - name > BARCODE_MAX || strlen(dot) != sizeof("XXXXXX"))
		return false;
	snprintf(barcode, sizeof(barcode), "%.*s", (int)(dot - name), name);
	return barcode_valid(barcode) && shelf_path(dir, name, path, sizeof(path)) &&
	       !lstat(path, &st) && S_ISDIR(st.st_mode);
}

static void settle_one(
	const char *dir, const char *name, bool (*kept)(const char *barcode, void *arg), void *arg)
{
	char barcode[BARCODE_SIZE], path[SHELF_PATH_MAX];
	int err = 0;

	if (marked(name, HIDDEN, barcode))
		err = kept(barcode, arg) ? shelf_show(dir, barcode) : shelf_destroy(dir, barcode);
	else if (marked(name, INCOMING, barcode) && marked_path(dir, barcode, INCOMING, path))
		err = clear(path);
	else if (barcode_valid(name) && !kept(name, arg) && is_cartridge(dir, name))
		log_msg(LOG_NOTICE,
			"%s/%s: a cartridge that the library does not have: \"countersignctl "
			"tape create --existing %s\" takes it up from the library's path; else "
			"remove it",
			dir, name, name);
	else if (is_draft(dir, name))
		log_msg(LOG_NOTICE,
			"%s/%s: nothing uses this directory, which is called like what is left "
			"where making a cartridge was cut short: it can be removed",
			dir, name);
	if (err)
		log_msg(LOG_WARNING, "%s/%s: cannot tidy up: %s", dir, name, strerror(-err));
}

void shelf_settle(const char *dir, bool (*kept)(const char *barcode, void *arg), void *arg)
{
	struct dirent **names;
	int n = scandir(dir, &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		settle_one(dir, names[i]->d_name, kept, arg);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* --- carrying ---------------------------------------------------------------------- */

#define PIECE ((size_t)8 << 20)

/* Copies [off, end), on which both descriptors are; what fails in the kernel is read and
 * written. */
static int copy_range(int in, int out, off_t off, off_t end, char *buf, struct shelf_way *way)
{
	while (off < end) {
		size_t want = (size_t)(end - off) < PIECE ? (size_t)(end - off) : PIECE;
		ssize_t got = pread(in, buf, want, off), put = 0;

		if (atomic_load(&way->stop))
			return -ECANCELED;
		if (got <= 0)
			return got ? -errno : 0; /* it has become shorter: nobody should write */
		for (ssize_t n; put < got; put += n) {
			n = pwrite(out, buf + put, (size_t)(got - put), off + put);
			if (n < 0)
				return -errno;
		}
		off += got;
		atomic_fetch_add(&way->copied, (uint64_t)got);
	}
	return 0;
}

/* Only the data: holes stay holes. */
static int copy_data(int in, int out, off_t size, char *buf, struct shelf_way *way)
{
	int err = ftruncate(out, size) ? -errno : 0;

	for (off_t off = 0; !err && off < size;) {
		off_t data = lseek(in, off, SEEK_DATA), end;

		if (data < 0 && errno == ENXIO) /* nothing but a hole follows */
			break;
		if (data < 0) /* the file system has no holes */
			data = off;
		end = lseek(in, data, SEEK_HOLE);
		if (end <= data)
			end = size;
		err = copy_range(in, out, data, end, buf, way);
		off = end;
	}
	return !err && fsync(out) ? -errno : err;
}

static int copy_file(int from, int to, const char *name, char *buf, struct shelf_way *way)
{
	int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), out = -1;
	struct stat st;
	int err = in < 0 || fstat(in, &st) ? -errno : 0;

	if (!err && !S_ISREG(st.st_mode))
		goto out; /* none of a cartridge */
	if (!err) {
		out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		err = out < 0 ? -errno : copy_data(in, out, st.st_size, buf, way);
	}
	if (out >= 0 && close(out) && !err)
		err = -errno;
out:
	if (in >= 0)
		close(in);
	return err;
}

/* The bytes of all files, but for holes. */
static uint64_t size_of(DIR *d)
{
	uint64_t sum = 0;
	struct stat st;

	for (struct dirent *e; (e = readdir(d));)
		if (!fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_blocks * 512;
	rewinddir(d);
	return sum;
}

static int copy_files(DIR *from, int to, struct shelf_way *way)
{
	char *buf = malloc(PIECE);
	int err = buf ? 0 : -ENOMEM;

	for (struct dirent *e; !err && (e = readdir(from));)
		if (e->d_name[0] != '.')
			err = copy_file(dirfd(from), to, e->d_name, buf, way);
	free(buf);
	return !err && fsync(to) ? -errno : err;
}

/* Copies a directory to a draft that nobody looks at. */
static int copy_tree(const char *from, const char *draft, struct shelf_way *way)
{
	DIR *d = opendir(from);
	int to = -1, err = d ? 0 : -errno;

	if (!err && is_there(draft))
		err = clear(draft);
	if (!err && mkdir(draft, 0700))
		err = -errno;
	if (!err) {
		atomic_store(&way->total, size_of(d));
		to = open(draft, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		err = to < 0 ? -errno : copy_files(d, to, way);
	}
	if (to >= 0)
		close(to);
	if (d)
		closedir(d);
	return err;
}

static int copy_over(const char *from, const char *to, const char *barcode, const char *source,
	const char *target, struct shelf_way *way)
{
	char draft[SHELF_PATH_MAX];
	int err;

	if (!marked_path(to, barcode, INCOMING, draft))
		return -ENAMETOOLONG;
	err = copy_tree(source, draft, way);
	if (!err)
		err = rename_for_good(to, draft, to, target);
	if (!err) {
		err = shelf_hide(from, barcode);
		if (err) /* the original is still used: the copy would grow old */
			dir_rename(target, draft);
	}
	if (err)
		clear(draft);
	else
		shelf_destroy(from, barcode); /* or later: shelf_settle() */
	return err;
}

/* Whether one is a copy of the other, and neither was used since: by a drive or a tool that would
 * have been counted. */
static bool same_content(const struct cartridge *a, const struct cartridge *b)
{
	struct cartridge_counters of_a, of_b;

	cartridge_counters(a, &of_a, NULL);
	cartridge_counters(b, &of_b, NULL);
	return !strcmp(cartridge_info(a)->serial, cartridge_info(b)->serial) &&
	       !memcmp(&of_a, &of_b, sizeof(of_a)) && bytes_used(a) == bytes_used(b);
}

/* Both are there, as a crash leaves them: of a cartridge and its copy, the first is left over. */
static int drop_left_over(const char *from, const char *to, const char *barcode)
{
	struct cartridge *a, *b;
	bool same;
	int err = look_at(from, barcode, &a);

	if (err)
		return err;
	err = look_at(to, barcode, &b);
	if (err) {
		cartridge_close(a);
		return err;
	}
	same = same_content(a, b);
	cartridge_close(a);
	cartridge_close(b);
	if (!same)
		return -EEXIST;
	err = dir_sync(to);
	if (!err)
		err = shelf_hide(from, barcode);
	return err ? err : shelf_destroy(from, barcode);
}

int shelf_carry(const char *from, const char *to, const char *barcode, struct shelf_way *way)
{
	char source[SHELF_PATH_MAX], target[SHELF_PATH_MAX];
	struct cartridge *held = NULL;
	int err;

	if (!shelf_path(from, barcode, source, sizeof(source)) ||
		!shelf_path(to, barcode, target, sizeof(target)))
		return -ENAMETOOLONG;
	if (is_there(target))
		return is_there(source) ? drop_left_over(from, to, barcode) : 0;
	/* Nobody else opens it meanwhile. A damaged one may be carried, too. */
	err = look_at(from, barcode, &held);
	if (err && err != -EBADMSG)
		return err;
	err = rename_for_good(from, source, to, target);
	if (err == -EXDEV)
		err = copy_over(from, to, barcode, source, target, way);
	cartridge_close(held);
	return err;
}
