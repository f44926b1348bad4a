/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making, opening, formatting and removing cartridges: what happens to the directory.
 *
 * Partition k is the file "p" with k behind it. That of partition 0 is never replaced, and the lock
 * is on it.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/log.h"
#include "vtl/cartridge_private.h"
#include "vtl/recover.h"

#define FILE_FLAGS (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

static const char *const files[CARTRIDGE_PARTITIONS] = { "p0", "p1", "p2", "p3" };

/* -- Identity -- */

static int new_log_ids(struct identity *id)
{
	for (unsigned int k = 0; k < id->partitions; k++) {
		uint8_t random[4];

		if (RAND_bytes(random, sizeof(random)) != 1)
			return -EIO;
		memcpy(&id->partition[k].log_id, random, sizeof(random));
	}
	return 0;
}

static int new_identity(const struct cartridge_cfg *cfg, struct identity *id)
{
	size_t len = strlen(cfg->barcode);

	*id = (struct identity){
		.media = cfg->media, .worm = cfg->worm, .cleaning = cfg->cleaning,
		.capacity = cfg->capacity ? cfg->capacity : cfg->media->capacity,
		.created = (int64_t)time(NULL), .partitions = 1,
	};
	if (!len || len >= sizeof(id->barcode) || id->capacity < CARTRIDGE_CAPACITY_MIN ||
		id->capacity > INT64_MAX / 2 || (cfg->worm && !cfg->media->worm_suffix))
		return -EINVAL;
	memcpy(id->barcode, cfg->barcode, len);
	for (size_t i = 0; i < len; i++)
		if (cfg->barcode[i] <= ' ' || cfg->barcode[i] > '~')
			return -EINVAL;
	id->partition[0].capacity = id->capacity;
	if (RAND_bytes(id->id, sizeof(id->id)) != 1)
		return -EIO;
	/* As good as unique: 40 of the random bits. */
	snprintf(id->serial, sizeof(id->serial), "%02X%02X%02X%02X%02X", id->id[0], id->id[1],
		id->id[2], id->id[3], id->id[4]);
	return new_log_ids(id);
}

/* -- Making -- */

/* A file that is new, whatever was there: never that of partition 0 once it has a lock. */
static int make_partition(int dir, const struct identity *id, unsigned int k)
{
	unlinkat(dir, files[k], 0);
	int fd = openat(dir, files[k], O_RDWR | O_CREAT | O_EXCL | FILE_FLAGS, 0600);

	if (fd < 0)
		return -errno;
	int err = reel_blank(fd, id, k);
	close(fd);
	return err;
}

/* Puts a blank cartridge into an empty directory. */
static int fill(const char *path, const struct identity *id)
{
	struct label *l = calloc(1, sizeof(*l));
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = dir < 0 ? -errno : l ? make_partition(dir, id, 0) : -ENOMEM;

	if (!err) {
		l->identity = *id;
		err = label_save(dir, l);
	}
	if (dir >= 0)
		close(dir);
	free(l);
	return err;
}

/* Takes all that a cartridge consists of out of its directory, and then that. */
static int clear(const char *path)
{
	static const char *const others[] = { "label.new", "label" };
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	for (unsigned int k = CARTRIDGE_PARTITIONS; k--;)
		unlinkat(dir, files[k], 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		unlinkat(dir, others[i], 0);
	close(dir);
	return rmdir(path) ? -errno : 0;
}

int cartridge_create(const char *path, const struct cartridge_cfg *cfg)
{
	struct identity id;
	struct stat st;
	char *draft = NULL;
	int err = new_identity(cfg, &id);

	if (err)
		return err;
	if (!lstat(path, &st))
		return -EEXIST;
	if (asprintf(&draft, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	if (!mkdtemp(draft)) {
		err = -errno;
		goto out;
	}
	err = fill(draft, &id);
	if (!err)
		err = dir_rename(draft, path);
	if (err)
		clear(draft);
	else
		err = dir_sync_parent(path);
out:
	free(draft);
	return err;
}

/* -- Opening -- */

static void set_info(struct cartridge *c, bool write_protect)
{
	const struct identity *id = &c->label.identity;

	c->info = (struct cartridge_info){
		.media = id->media,
		.capacity = id->capacity,
		.usable = id->limit ? id->limit : id->capacity,
		.created = id->created,
		.worm = id->worm,
		.cleaning = id->cleaning,
		.write_protect = write_protect,
		.partitions = id->partitions,
	};
	memcpy(c->info.barcode, id->barcode, sizeof(id->barcode));
	memcpy(c->info.serial, id->serial, sizeof(id->serial));
	for (unsigned int k = 0; k < id->partitions; k++)
		c->info.partition_capacity[k] = id->partition[k].capacity;
}

/* A partition's file, a regular one: the descriptor, or -errno. */
static int open_file(const struct cartridge *c, unsigned int k)
{
	int fd = openat(c->dir, files[k], (c->read_only ? O_RDONLY : O_RDWR) | FILE_FLAGS);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == ENXIO || errno == EISDIR ?
			       -EBADMSG : -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EBADMSG;
	}
	return fd;
}

/* Partition 0 and its lock, for writing if that is possible. */
static int open_first(struct cartridge *c)
{
	int fd = open_file(c, 0);

	if (!c->read_only && (fd == -EACCES || fd == -EROFS || fd == -EPERM)) {
		c->read_only = true;
		fd = open_file(c, 0);
	}
	if (fd < 0)
		return fd;
	c->reel[0].fd = fd;
	if (flock(fd, (c->read_only ? LOCK_SH : LOCK_EX) | LOCK_NB))
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return 0;
}

static int read_header(int fd, struct identity *id, unsigned int *partition)
{
	uint8_t block[FORMAT_BLOCK];
	ssize_t n = pread(fd, block, sizeof(block), 0);

	if (n < 0)
		return -errno;
	return n == sizeof(block) ? header_decode(block, id, partition) : -EBADMSG;
}

/* The label or, when that is damaged or gone, what partition 0 has of it. */
static int load_label(struct cartridge *c)
{
	unsigned int partition;
	int err = label_load(c->dir, &c->label);

	if (err != -EBADMSG && err != -ENOENT)
		return err;
	c->label = (struct label){ .changes = (uint32_t)time(NULL) }; /* more than it ever was */
	err = read_header(c->reel[0].fd, &c->label.identity, &partition);
	if (!err && partition != 0)
		err = -EBADMSG;
	if (err)
		return err;
	c->label_dirty = true;
	log_msg(LOG_WARNING,
		"cartridge %s: the label is damaged; counters and attributes are lost",
		c->label.identity.barcode);
	return 0;
}

/* Whether a partition's file belongs to this cartridge as it is now formatted. A header that cannot
 * be read is no reason to give up the data: the label has all that it says. */
static int check_header(const struct cartridge *c, int fd, unsigned int k)
{
	const struct identity *mine = &c->label.identity;
	struct identity id;
	unsigned int partition;
	int err = read_header(fd, &id, &partition);

	if (err == -EBADMSG) {
		log_msg(LOG_WARNING, "cartridge %s, partition %u: the header is damaged",
			mine->barcode, k);
		return 0;
	}
	if (err)
		return err;
	return partition == k && id.formats == mine->formats &&
	       !memcmp(id.id, mine->id, sizeof(id.id)) ? 0 : -EBADMSG;
}

static int open_reel(struct cartridge *c, unsigned int k)
{
	int fd = k ? open_file(c, k) : c->reel[0].fd;
	int err = fd < 0 ? fd : 0;

	c->reel[k] = (struct reel){
		.fd = fd, .writable = !c->read_only, .partition = k,
		.name = c->label.identity.barcode,
		.log_id = c->label.identity.partition[k].log_id,
	};
	if (!err)
		err = check_header(c, fd, k);
	if (!err)
		err = recover_tail(&c->reel[k]);
	if (err)
		log_msg(LOG_WARNING, "cartridge %s, partition %u: cannot open %s: %s",
			c->label.identity.barcode, k, files[k], strerror(-err));
	return err;
}

static int open_reels(struct cartridge *c)
{
	int err = 0;

	for (unsigned int k = 0; !err && k < c->label.identity.partitions; k++)
		err = open_reel(c, k);
	return err;
}

/* Another drive has it now. */
static void count_load(struct cartridge *c, const char *drive)
{
	struct label *l = &c->label;

	memmove(l->drive[1], l->drive[0], sizeof(l->drive) - sizeof(l->drive[0]));
	snprintf(l->drive[0], sizeof(l->drive[0]), "%s", drive);
	l->last = (struct cartridge_counters){ .loads = 0 };
	c->counts_load = true;
	cartridge_count(c, &(struct cartridge_counters){ .loads = 1 });
}

/* Makes the partitions that the label tells, all of them blank. What of this a crash has
 * interrupted is done again at the next opening. */
static int make_partitions(struct cartridge *c)
{
	struct identity *id = &c->label.identity;
	int err = reel_blank(c->reel[0].fd, id, 0);

	for (unsigned int k = 1; k < CARTRIDGE_PARTITIONS; k++) {
		if (err)
			return err;
		if (k < id->partitions)
			err = make_partition(c->dir, id, k);
		else if (unlinkat(c->dir, files[k], 0) && errno != ENOENT)
			err = -errno;
	}
	if (!err && fsync(c->dir))
		err = -errno;
	if (err)
		return err;
	mam_forget_partitions(&c->label.mam);
	id->formatting = false;
	return label_save(c->dir, &c->label);
}

static void close_reels(struct cartridge *c)
{
	for (unsigned int k = 0; k < CARTRIDGE_PARTITIONS; k++) {
		if (c->reel[k].fd >= 0)
			close(c->reel[k].fd);
		c->reel[k].fd = -1;
	}
}

static void release(struct cartridge *c)
{
	close_reels(c);
	if (c->dir >= 0)
		close(c->dir);
	payload_free(c->payload);
	free(c);
}

static int load_all(struct cartridge *c, const char *path, const struct cartridge_opening *how)
{
	c->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->dir < 0)
		return errno == ENOTDIR ? -EBADMSG : -errno;
	int err = open_first(c);
	if (!err)
		err = load_label(c);
	if (!err && c->label.identity.formatting)
		err = c->read_only ? -EBADMSG : make_partitions(c);
	if (!err)
		err = open_reels(c);
	if (err)
		return err;
	set_info(c, how->write_protect || c->read_only);
	return cartridge_go(c, 0, 0) == CARTRIDGE_OK ? 0 : -EIO;
}

int cartridge_open(const char *path, const struct cartridge_opening *how, struct cartridge **out)
{
	struct cartridge *c = calloc(1, sizeof(*c));
	int err = -ENOMEM;

	if (!c)
		return err;
	c->dir = -1;
	c->read_only = how->read_only;
	c->change_told = true;
	for (unsigned int k = 0; k < CARTRIDGE_PARTITIONS; k++)
		c->reel[k].fd = -1;
	c->payload = payload_new();
	if (c->payload)
		err = load_all(c, path, how);
	if (err) {
		release(c);
		return err;
	}
	if (how->drive)
		count_load(c, how->drive);
	*out = c;
	return 0;
}

enum cartridge_result cartridge_attributes_save(struct cartridge *c)
{
	if (c->read_only)
		return CARTRIDGE_PROTECTED;
	if (c->counts_load)
		c->label.last = c->load;
	int err = label_save(c->dir, &c->label);
	c->label_dirty = c->label_dirty && err;
	c->change_unsaved = c->change_unsaved && err;
	return cartridge_result_of(err);
}

int cartridge_close(struct cartridge *c)
{
	int err = 0;

	if (!c)
		return 0;
	for (unsigned int k = 0; k < c->info.partitions; k++) {
		int e = c->read_only ? 0 : reel_sync(&c->reel[k]);

		if (!e && !c->read_only)
			e = reel_release(&c->reel[k]);
		if (!err)
			err = e;
	}
	/* What a host has set was saved when it did that. */
	if (c->label_dirty && !c->read_only && cartridge_attributes_save(c) != CARTRIDGE_OK)
		log_msg(LOG_WARNING, "cartridge %s: the counters of this load cannot be saved",
			c->info.barcode);
	release(c);
	return err;
}

/* Whether it is a cartridge that nobody has open. */
static int check_free(const char *path)
{
	struct cartridge *c;
	int err = cartridge_open(path, &(struct cartridge_opening){ .read_only = true }, &c);

	if (err)
		return err;
	err = flock(c->reel[0].fd, LOCK_EX | LOCK_NB) ? -EBUSY : 0;
	release(c);
	return err;
}

int cartridge_remove(const char *path)
{
	int err = check_free(path);

	if (!err)
		err = clear(path);
	return err ? err : dir_sync_parent(path);
}

/* -- Formatting -- */

static enum cartridge_result check_format(
	const struct cartridge *c, uint64_t left, const uint64_t *capacity, unsigned int n)
{
	if (c->info.write_protect)
		return CARTRIDGE_PROTECTED;
	if (!n || n > c->info.media->partitions || c->info.cleaning)
		return CARTRIDGE_INVALID;
	for (unsigned int k = 0; k < n; k++) {
		if (capacity[k] < CARTRIDGE_CAPACITY_MIN || capacity[k] > left)
			return CARTRIDGE_INVALID;
		left -= capacity[k];
	}
	for (unsigned int k = 0; c->info.worm && k < c->info.partitions; k++)
		if (c->reel[k].tail.objects)
			return CARTRIDGE_WORM;
	return CARTRIDGE_OK;
}

/* All partitions but the first are closed, and all are opened anew. */
static int remake(struct cartridge *c)
{
	int first = c->reel[0].fd;

	c->reel[0].fd = -1;
	close_reels(c);
	c->reel[0].fd = first;
	int err = make_partitions(c);
	return err ? err : open_reels(c);
}

/* A cartridge that was formatted by half has no data, and takes none until it is opened anew. */
static void disable(struct cartridge *c, int err)
{
	for (unsigned int k = 0; k < CARTRIDGE_PARTITIONS; k++) {
		tail_start(&c->reel[k].tail, 0);
		c->reel[k].failed = err;
	}
}

/* The label first, and durable: from then on there are no data. */
static int format(struct cartridge *c, const struct identity *id)
{
	struct identity before = c->label.identity;

	c->label.identity = *id;
	c->label.changes++;
	int err = label_save(c->dir, &c->label);
	if (err) {
		c->label.identity = before;
		return err;
	}
	err = remake(c);
	if (err)
		disable(c, err);
	set_info(c, false);
	c->partition = 0;
	c->at = (struct place){ 0, LOG_START, 0 };
	return err;
}

/* Partitions that have `limit` together. */
static enum cartridge_result format_within(
	struct cartridge *c, uint64_t limit, const uint64_t *capacity, unsigned int n)
{
	struct identity id = c->label.identity;
	enum cartridge_result res = check_format(c, limit, capacity, n);

	if (res != CARTRIDGE_OK)
		return res;
	id.limit = limit < id.capacity ? limit : 0;
	id.partitions = n;
	id.formats++;
	id.formatting = true;
	for (unsigned int k = 0; k < n; k++)
		id.partition[k].capacity = capacity[k];
	int err = new_log_ids(&id);
	return cartridge_result_of(err ? err : format(c, &id));
}

enum cartridge_result cartridge_format(
	struct cartridge *c, const uint64_t *capacity, unsigned int n)
{
	return format_within(c, c->info.usable, capacity, n);
}

enum cartridge_result cartridge_set_capacity(struct cartridge *c, uint64_t capacity)
{
	if (capacity > c->info.capacity)
		return CARTRIDGE_INVALID;
	return format_within(c, capacity, &capacity, 1);
}
