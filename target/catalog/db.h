/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SQLite as the catalog uses it; only files of this folder include this. A statement is a sticky
 * cursor: bind, step and read freely, and ask once, at its end, whether all went well.
 *
 * One thread at a time. Statements are prepared once and kept.
 */
#ifndef CATALOG_DB_H
#define CATALOG_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/catalog.h"

struct db;

/* Opens the file, which is there already. 0 or -errno with *why filled. */
int db_open(const char *path, struct db **out, struct catalog_error *why);
/* NULL is fine. The last one to close a database leaves no journal behind. */
void db_close(struct db *db);

/* For what the calls here do not know. Borrowed. */
sqlite3 *db_handle(struct db *db);

/* The worst that has happened since db_forgive(): -ENOSPC, -EIO, -EUCLEAN, -ENOMEM, -EBUSY… but
 * none of what a caller can have brought about (-EEXIST, -EINVAL); 0: nothing. */
int db_failed(const struct db *db);
/* What SQLite said about the last thing that went wrong, or "". */
const char *db_why(const struct db *db);
void db_forgive(struct db *db);

/* Runs one or more statements that give no rows. 0 or -errno. */
int db_exec(struct db *db, const char *sql);
/* A pragma that gives one number, or the like. 0 or -errno. */
int db_exec_int(struct db *db, const char *sql, int64_t *value);
/* 0, or -ESTALE where the file no longer stands under its name: what is committed would be gone with
 * the server. */
int db_check_place(struct db *db);
bool db_in_transaction(const struct db *db);

/* How long the journal is, in pages, as of the last commit. */
int db_journal_pages(const struct db *db);
/* Brings all that is in the journal into the database and empties it, so that nothing older than
 * the present state is in either. Does not wait for other readers. 0, -EBUSY or -errno. */
int db_checkpoint(struct db *db);

struct query {
	struct db *db;
	sqlite3_stmt *stmt; /* NULL: could not be prepared */
	int next;           /* the parameter to bind, or the column to read */
	int err;            /* sticky */
};

/* Begins. `sql` is a constant: the statement is found again by its address. One and the same may
 * not begin anew before db_end(). */
struct query db_query(struct db *db, const char *sql);

/* The next parameter. What is given stays until db_end(). */
void db_bind_int(struct query *q, int64_t v);
void db_bind_text(struct query *q, const char *text);              /* NULL is as "" */
void db_bind_blob(struct query *q, const void *bytes, size_t len); /* NULL bytes: NULL */

/* Steps; true when there is a row, of which the db_get functions then give one column each. */
bool db_row(struct query *q);
int64_t db_get_int(struct query *q);
const char *db_get_text(struct query *q);              /* never NULL; good until the next step */
const void *db_get_blob(struct query *q, size_t *len); /* NULL: none; likewise */

/* Ends. 0 or -errno: -EEXIST for a row that there can be once only. */
int db_end(struct query *q);
/* For a statement that gives no rows: steps and ends. */
int db_run(struct query *q);
/* The same, with -ENOENT when it concerned no row. */
int db_run_one(struct query *q);

#endif
