/* SPDX-License-Identifier: BSD-2-Clause */
/* The key's file. What is read of it is wiped wherever it does not go into the ring. */
#include "catalog/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "catalog/refuse.h"

#define KEY_FILE      "key"
#define KEY_TEMP      "key.new"
#define CREDENTIAL    "countersign-key"
#define FILE_SIZE_MAX (SEAL_KEYS * SEAL_KEY_SIZE)

static char *joined(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

int keys_find(struct keys *k, const struct catalog_config *cfg)
{
	*k = (struct keys){ .dir = state_dir_fd(cfg->dir) };
	if (cfg->key_file) {
		k->path = strdup(cfg->key_file);
		return k->path ? 0 : -ENOMEM;
	}
	if (cfg->credentials_dir) {
		k->path = joined(cfg->credentials_dir, CREDENTIAL);
		if (!k->path)
			return -ENOMEM;
		if (!access(k->path, F_OK))
			return 0;
		free(k->path);
	}
	k->ours = true;
	unlinkat(k->dir, KEY_TEMP, 0); /* a server that was killed while it wrote keys */
	k->path = joined(state_dir_path(cfg->dir), KEY_FILE);
	return k->path ? 0 : -ENOMEM;
}

void keys_free(struct keys *k)
{
	free(k->path);
	k->path = NULL;
}

/* --- reading -------------------------------------------------------------------------------- */

static int open_key(const struct keys *k)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

	if (k->ours)
		return openat(k->dir, KEY_FILE, flags | O_NOFOLLOW);
	return open(k->path, flags);
}

/* The file's bytes, at most one more than it may have. */
static ssize_t read_all(int fd, uint8_t bytes[static FILE_SIZE_MAX + 1])
{
	size_t have = 0;
	ssize_t n = 1;

	while (n > 0 && have <= FILE_SIZE_MAX) {
		n = read(fd, bytes + have, FILE_SIZE_MAX + 1 - have);
		have += n > 0 ? (size_t)n : 0;
	}
	return n < 0 ? -1 : (ssize_t)have;
}

static void warn_of_mode(const struct keys *k, int fd)
{
	struct stat st;

	if (!fstat(fd, &st) && st.st_mode & (S_IRWXG | S_IRWXO))
		log_msg(LOG_WARNING, "%s: others may read or write this key; chmod 600 is better",
			k->path);
}

static int split(const uint8_t *bytes, size_t len, struct seal_ring *ring)
{
	int err = 0;

	ring->n = 0;
	for (size_t i = 0; !err && i < len / SEAL_KEY_SIZE; i++) {
		err = seal_key_set(&ring->keys[i], bytes + i * SEAL_KEY_SIZE);
		ring->n++;
	}
	return err;
}

int keys_read(const struct keys *k, struct seal_ring *ring, struct catalog_error *why)
{
	uint8_t bytes[FILE_SIZE_MAX + 1];
	int fd = open_key(k), err;
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return refuse(why, -ENOKEY, "%s: the key that encrypts stored secrets is not there",
			k->path);
	if (fd < 0) {
		err = -errno;
		return refuse(why, err, "%s: the key cannot be read: %s", k->path, strerror(-err));
	}
	n = read_all(fd, bytes);
	err = n < 0 ? -errno : 0;
	if (err)
		refuse(why, err, "%s: the key cannot be read: %s", k->path, strerror(-err));
	else if (n != SEAL_KEY_SIZE && n != FILE_SIZE_MAX)
		err = refuse(why, -EKEYREJECTED,
			"%s: a key has %d bytes, and a new and an old one "
			"together %d; this file has %s%zd",
			k->path, SEAL_KEY_SIZE, FILE_SIZE_MAX,
			n > FILE_SIZE_MAX ? "more than " : "", n > FILE_SIZE_MAX ? n - 1 : n);
	else if (split(bytes, (size_t)n, ring))
		err = refuse(why, -EIO, "OpenSSL has no SHA-256");
	OPENSSL_cleanse(bytes, sizeof(bytes));
	if (!err)
		warn_of_mode(k, fd);
	close(fd);
	return err;
}

/* --- writing -------------------------------------------------------------------------------- */

static int write_temp(const struct keys *k, const uint8_t *bytes, size_t len)
{
	int fd, err = 0;

	if (unlinkat(k->dir, KEY_TEMP, 0) && errno != ENOENT)
		return -errno;
	fd = openat(k->dir, KEY_TEMP, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	errno = ENOSPC; /* what a short write means */
	if (write(fd, bytes, len) != (ssize_t)len || fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

int keys_write(const struct keys *k, const struct seal_ring *ring, struct catalog_error *why)
{
	uint8_t bytes[FILE_SIZE_MAX];
	int err;

	for (size_t i = 0; i < ring->n; i++)
		memcpy(bytes + i * SEAL_KEY_SIZE, ring->keys[i].bytes, SEAL_KEY_SIZE);
	err = write_temp(k, bytes, ring->n * SEAL_KEY_SIZE);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	if (!err && renameat(k->dir, KEY_TEMP, k->dir, KEY_FILE))
		err = -errno;
	if (err)
		unlinkat(k->dir, KEY_TEMP, 0);
	else if (fsync(k->dir))
		err = -errno;
	if (err)
		refuse(why, err, "%s: the key cannot be written: %s", k->path, strerror(-err));
	return err;
}
