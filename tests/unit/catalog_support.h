/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the catalog share: a scratch state directory, a catalog in it that can be
 * closed and opened again, and transactions written as one function.
 */
#ifndef TESTS_CATALOG_SUPPORT_H
#define TESTS_CATALOG_SUPPORT_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "catalog/catalog.h"

struct rig {
	char folder[32];
	char path[64];
	struct state_dir *dir;
	struct catalog *catalog;
	struct loop *loop;         /* of this thread; freed after the catalog is closed */
	struct catalog_config cfg; /* dir is filled in by rig_open() */
	struct catalog_error why;
};

/* Opens directory and catalog; what catalog_open() gave. */
static inline int rig_open(struct rig *rig)
{
	struct state_error why;
	int err = state_dir_open(rig->path, NULL, &rig->dir, &why);

	if (err)
		return err;
	rig->cfg.dir = rig->dir;
	err = catalog_open(&rig->cfg, &rig->catalog, &rig->why);
	if (err) {
		state_dir_close(rig->dir);
		rig->dir = NULL;
	}
	return err;
}

static inline void rig_close(struct rig *rig)
{
	catalog_close(rig->catalog);
	state_dir_close(rig->dir);
	rig->catalog = NULL;
	rig->dir = NULL;
}

static inline void rig_reopen(struct rig *rig)
{
	rig_close(rig);
	if (rig_open(rig))
		fail_msg("%s", rig->why.text);
}

/* Setup: a scratch folder, nothing opened. */
static inline int rig_begin(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	if (!rig)
		return -1;
	log_setup(LOG_TO_STDERR, -1); /* what is logged is told by `why`, too */
	strcpy(rig->folder, "/tmp/catalog-XXXXXX");
	if (!mkdtemp(rig->folder))
		return -1;
	snprintf(rig->path, sizeof(rig->path), "%s/state", rig->folder);
	*state = rig;
	return loop_create(0, &rig->loop);
}

/* Setup: the same with a new catalog. */
static inline int rig_begin_open(void **state)
{
	return rig_begin(state) || rig_open(*state);
}

static inline int rig_end(void **state)
{
	struct rig *rig = *state;
	char command[64];
	int rc;

	rig_close(rig);
	loop_free(rig->loop);
	snprintf(command, sizeof(command), "rm -rf %s", rig->folder);
	rc = system(command);
	free(rig);
	return rc;
}

/* The path of a file in the state directory; good until the next call. */
static inline const char *rig_file(const struct rig *rig, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", rig->path, name);
	return path;
}

/* A transaction now; what it gave. */
static inline int rig_run(struct rig *rig, int (*fn)(struct catalog_tx *tx, void *arg), void *arg)
{
	return catalog_run(rig->catalog, fn, arg, &rig->why);
}

struct rig_change {
	struct catalog_request request;
	struct loop *loop;
};

static inline void rig_changed(struct catalog_request *r)
{
	loop_stop(container_of(r, struct rig_change, request)->loop);
}

/* Changes the key now; what that gave. */
static inline int rig_rekey(
	struct rig *rig, int (*run)(struct catalog_request *r, struct catalog_tx *tx))
{
	struct rig_change c = { .loop = rig->loop,
		.request = { .run = run, .done = rig_changed, .home = rig->loop } };

	catalog_rekey(rig->catalog, &c.request);
	loop_run(rig->loop);
	rig->why = c.request.why;
	return c.request.err;
}

/* Looks into the closed (or shared) database as another program would; the first column of the
 * first row as a number, or -1. */
static inline int64_t rig_sql(struct rig *rig, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;
	int64_t n = -1;

	assert_int_equal(sqlite3_open(rig_file(rig, "catalog.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

/* Whether a file of the state directory holds these bytes anywhere; false when it is not there. */
static inline bool rig_file_holds(
	const struct rig *rig, const char *name, const void *bytes, size_t len)
{
	FILE *f = fopen(rig_file(rig, name), "r");
	struct stat st;
	char *all;
	size_t n;
	bool found;

	if (!f)
		return false;
	assert_int_equal(fstat(fileno(f), &st), 0);
	all = malloc((size_t)st.st_size + 1);
	assert_non_null(all);
	n = fread(all, 1, (size_t)st.st_size, f);
	found = memmem(all, n, bytes, len) != NULL;
	free(all);
	fclose(f);
	return found;
}

#endif
