/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file is made before SQLite opens it, for its mode: the journal beside it takes after it.
 * Nothing is written into a database before it is known to be ours, and none is ever
 * replaced by an empty one.
 */
#include "catalog/opening.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "catalog/refuse.h"
#include "catalog/schema.h"

#define FILE_NAME    "catalog.db"
#define JOURNAL_NAME "catalog.db-wal"

/* Puts the path in front of what is said. */
static int name(struct catalog_error *why, const char *path, int err)
{
	struct catalog_error said = *why;

	snprintf(why->text, sizeof(why->text), "%.*s: %.*s", 120, path,
		(int)(sizeof(why->text) - 123), said.text);
	return err;
}

/* --- the file ------------------------------------------------------------------------------- */

static int check_file(int fd, struct catalog_error *why)
{
	struct stat st;

	if (fstat(fd, &st))
		return refuse(why, -errno, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(why, -EUCLEAN, "this is not an ordinary file");
	if (st.st_mode & (S_IRWXG | S_IRWXO) && fchmod(fd, 0600))
		log_msg(LOG_WARNING, "%s: others than the server may read or write it", FILE_NAME);
	return 0;
}

/* The descriptor is closed before SQLite opens the file: closing one later would let go of all
 * its locks (fcntl(2)). */
static int make_file(int dir, struct catalog_error *why)
{
	int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	int fd = openat(dir, FILE_NAME, flags | O_CREAT | O_EXCL, 0600);
	bool made = fd >= 0;
	int err;

	if (fd < 0 && errno == EEXIST)
		fd = openat(dir, FILE_NAME, flags);
	if (fd < 0) {
		err = -errno;
		return refuse(why, err, "cannot be opened for writing: %s", strerror(-err));
	}
	err = check_file(fd, why);
	close(fd);
	if (!err && made && fsync(dir))
		return refuse(why, -errno, "%s", strerror(errno));
	return err;
}

/* The last user of a database removes its journal, unless it dies. */
static bool was_killed(int dir)
{
	return !faccessat(dir, JOURNAL_NAME, F_OK, AT_SYMLINK_NOFOLLOW);
}

/* --- the database --------------------------------------------------------------------------- */

static int refuse_damaged(struct db *db, int err, struct catalog_error *why)
{
	if (err == -EUCLEAN)
		return refuse(why, err, "the catalog is damaged (%s); bring it back from a backup",
			db_why(db));
	return refuse(why, err, "%s", db_why(db));
}

/* The answer is one row, "ok", or what is wrong. */
static int examine(struct db *db, struct catalog_error *why)
{
	struct query q = db_query(db, "PRAGMA quick_check(1)");
	char said[128] = "";
	int err;

	if (db_row(&q))
		snprintf(said, sizeof(said), "%s", db_get_text(&q));
	err = db_end(&q);
	if (err)
		return refuse_damaged(db, err, why);
	if (strcmp(said, "ok"))
		return refuse(why, -EUCLEAN,
			"the catalog is damaged (%s); bring it back from a backup", said);
	return 0;
}

static int use_journal(struct db *db, struct catalog_error *why)
{
	struct query q = db_query(db, "PRAGMA journal_mode = WAL");
	bool wal = db_row(&q) && !strcmp(db_get_text(&q), "wal");
	int err = db_end(&q);

	if (err)
		return refuse_damaged(db, err, why);
	if (!wal)
		return refuse(why, -ENOTSUP,
			"this file system cannot hold it: it has no shared memory maps");
	err = db_exec(db, "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
			  "PRAGMA foreign_keys = ON;");
	return err ? refuse_damaged(db, err, why) : 0;
}

static int prepare(struct db *db, bool killed, struct catalog_error *why)
{
	int err = schema_check(db, why);

	if (err == -EUCLEAN && db_failed(db))
		return refuse_damaged(db, err, why);
	if (!err && killed)
		err = examine(db, why);
	if (!err)
		err = use_journal(db, why);
	if (!err)
		err = schema_upgrade(db, why);
	return err;
}

int opening_db(const struct state_dir *dir, struct db **out, struct catalog_error *why)
{
	bool killed = was_killed(state_dir_fd(dir));
	struct db *db = NULL;
	char *path;
	int err;

	if (asprintf(&path, "%s/%s", state_dir_path(dir), FILE_NAME) < 0)
		return refuse(why, -ENOMEM, "out of memory");
	err = make_file(state_dir_fd(dir), why);
	if (!err)
		err = db_open(path, &db, why);
	if (!err)
		err = prepare(db, killed, why);
	if (err) {
		name(why, path, err);
		db_close(db);
	} else {
		*out = db;
	}
	free(path);
	return err;
}
