/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The database handle. Durability is decided here: a write-ahead log, synchronised with every
 * commit, and deleted content overwritten.
 */
#include "catalog/db.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define STATEMENTS      64
#define BUSY_TIMEOUT_MS 5000

struct statement {
	const char *sql;
	sqlite3_stmt *stmt;
};

struct db {
	sqlite3 *handle;
	struct statement kept[STATEMENTS];
	size_t n_kept;
	int journal_pages;
	int failed;
	char why[sizeof(((struct catalog_error *)NULL)->text)];
};

/* --- errors --------------------------------------------------------------------------------- */

static bool is_no_space(int err)
{
	return err == ENOSPC || err == EDQUOT || err == EFBIG;
}

static int error_of_constraint(int extended)
{
	switch (extended) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID: return -EEXIST;
	default: return -EINVAL;
	}
}

/* `system` is the errno that SQLite has left: it does not always keep it itself. */
static int error_of(sqlite3 *handle, int rc, int system)
{
	switch (rc & 0xff) {
	case SQLITE_FULL: return -ENOSPC;
	case SQLITE_IOERR: return is_no_space(system) ? -ENOSPC : -EIO;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_SCHEMA:
	case SQLITE_ERROR: /* the schema is not what we made */ return -EUCLEAN;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return -EBUSY;
	case SQLITE_NOMEM: return -ENOMEM;
	case SQLITE_READONLY: return -EROFS;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH: return -EACCES;
	case SQLITE_CONSTRAINT: return error_of_constraint(sqlite3_extended_errcode(handle));
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG: return -EINVAL;
	default: return -EIO;
	}
}

static int fail(struct db *db, int rc)
{
	int err = error_of(db->handle, rc, errno);

	/* SQLite calls a full disk an I/O error where it finds it by a file that grows. */
	snprintf(db->why, sizeof(db->why), "%s",
		err == -ENOSPC ? sqlite3_errstr(SQLITE_FULL) : sqlite3_errmsg(db->handle));
	if (err != -EEXIST && err != -EINVAL)
		db->failed = err;
	return err;
}

int db_failed(const struct db *db)
{
	return db->failed;
}

const char *db_why(const struct db *db)
{
	return db->why;
}

void db_forgive(struct db *db)
{
	db->failed = 0;
	db->why[0] = '\0';
}

/* --- the handle ----------------------------------------------------------------------------- */

static int on_commit(void *arg, sqlite3 *handle, const char *name, int pages)
{
	struct db *db = arg;

	(void)handle;
	(void)name;
	db->journal_pages = pages;
	return SQLITE_OK;
}

/* What must hold before anything is read: a file of somebody else's making may be hostile. */
static int distrust(struct db *db)
{
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
	sqlite3_wal_hook(db->handle, on_commit, db); /* in place of automatic checkpoints */
	return db_exec(db, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
			   "PRAGMA temp_store = MEMORY;");
}

int db_open(const char *path, struct db **out, struct catalog_error *why)
{
	struct db *db = calloc(1, sizeof(*db));
	int rc, err = -ENOMEM;

	if (!db)
		goto out;
	rc = sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (!db->handle)
		goto out;
	sqlite3_extended_result_codes(db->handle, 1);
	err = rc == SQLITE_OK ? distrust(db) : fail(db, rc);
	if (err)
		goto out;
	*out = db;
	db = NULL;
out:
	if (err)
		snprintf(why->text, sizeof(why->text), "%s",
			db && db->why[0] ? db->why : "out of memory");
	db_close(db);
	return err;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < db->n_kept; i++)
		sqlite3_finalize(db->kept[i].stmt);
	if (sqlite3_close(db->handle) != SQLITE_OK)
		log_msg(LOG_ERR, "catalog: cannot be closed: %s", sqlite3_errmsg(db->handle));
	free(db);
}

sqlite3 *db_handle(struct db *db)
{
	return db->handle;
}

int db_exec(struct db *db, const char *sql)
{
	int rc;

	errno = 0;
	rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : fail(db, rc);
}

int db_exec_int(struct db *db, const char *sql, int64_t *value)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);
	int err = 0;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*value = sqlite3_column_int64(stmt, 0);
	else
		err = fail(db, rc == SQLITE_DONE ? SQLITE_ERROR : rc);
	sqlite3_finalize(stmt);
	return err;
}

int db_check_place(struct db *db)
{
	int moved = 0;

	sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
	if (!moved)
		return 0;
	snprintf(db->why, sizeof(db->why),
		"its file was moved, removed or replaced; stop the server and bring it back");
	return db->failed = -ESTALE;
}

bool db_in_transaction(const struct db *db)
{
	return !sqlite3_get_autocommit(db->handle);
}

int db_journal_pages(const struct db *db)
{
	return db->journal_pages;
}

int db_checkpoint(struct db *db)
{
	int rc;

	sqlite3_busy_timeout(db->handle, 0);
	rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
	if (rc != SQLITE_OK)
		return fail(db, rc);
	db->journal_pages = 0;
	return 0;
}

/* --- statements ----------------------------------------------------------------------------- */

/* The place of a statement: where it is kept, or where it could be. Finite, as the statements are
 * those of this folder's source. */
static struct statement *place_of(struct db *db, const char *sql)
{
	for (size_t i = 0; i < db->n_kept; i++)
		if (db->kept[i].sql == sql)
			return &db->kept[i];
	if (db->n_kept == STATEMENTS) {
		sqlite3_finalize(db->kept[0].stmt);
		db->kept[0] = db->kept[--db->n_kept];
	}
	return &db->kept[db->n_kept];
}

struct query db_query(struct db *db, const char *sql)
{
	struct statement *s = place_of(db, sql);
	int rc;

	if (s == &db->kept[db->n_kept]) {
		*s = (struct statement){ .sql = sql };
		rc = sqlite3_prepare_v3(
			db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->stmt, NULL);
		if (rc != SQLITE_OK)
			return (struct query){ .db = db, .err = fail(db, rc) };
		db->n_kept++;
	}
	return (struct query){ .db = db, .stmt = s->stmt };
}

static void note(struct query *q, int rc)
{
	if (rc != SQLITE_OK && !q->err)
		q->err = fail(q->db, rc);
}

void db_bind_int(struct query *q, int64_t v)
{
	if (!q->err)
		note(q, sqlite3_bind_int64(q->stmt, ++q->next, v));
}

void db_bind_text(struct query *q, const char *text)
{
	if (!q->err)
		note(q, sqlite3_bind_text(q->stmt, ++q->next, text ? text : "", -1, SQLITE_STATIC));
}

void db_bind_blob(struct query *q, const void *bytes, size_t len)
{
	if (!q->err)
		note(q, sqlite3_bind_blob64(q->stmt, ++q->next, bytes, len, SQLITE_STATIC));
}

bool db_row(struct query *q)
{
	int rc;

	if (q->err)
		return false;
	q->next = 0;
	errno = 0;
	rc = sqlite3_step(q->stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		note(q, rc);
	return rc == SQLITE_ROW;
}

int64_t db_get_int(struct query *q)
{
	return sqlite3_column_int64(q->stmt, q->next++);
}

const char *db_get_text(struct query *q)
{
	const unsigned char *text = sqlite3_column_text(q->stmt, q->next++);

	return text ? (const char *)text : "";
}

const void *db_get_blob(struct query *q, size_t *len)
{
	const void *bytes = sqlite3_column_blob(q->stmt, q->next);

	*len = (size_t)sqlite3_column_bytes(q->stmt, q->next++);
	return bytes;
}

int db_end(struct query *q)
{
	if (q->stmt) {
		sqlite3_reset(q->stmt);
		sqlite3_clear_bindings(q->stmt);
	}
	return q->err;
}

int db_run(struct query *q)
{
	db_row(q);
	return db_end(q);
}

int db_run_one(struct query *q)
{
	int err = db_run(q);

	return err || sqlite3_changes64(q->db->handle) ? err : -ENOENT;
}
