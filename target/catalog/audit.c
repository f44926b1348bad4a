/* SPDX-License-Identifier: BSD-2-Clause */
/* The audit rows. */
#include "catalog/audit.h"

#include <time.h>

#include "catalog/tx.h"

#define LIMIT 100

/* As many go as there are too many: one, but for a start with a smaller bound. */
static int drop_oldest(struct catalog_tx *tx)
{
	struct query q = db_query(tx->db, "DELETE FROM audit WHERE id <= last_insert_rowid() - ?");

	db_bind_int(&q, tx->audit_rows);
	return db_run(&q);
}

int catalog_audit_add(struct catalog_tx *tx, const struct catalog_audit *a)
{
	struct query q =
		db_query(tx->db, "INSERT INTO audit (time, who, what, object, detail, result)"
				 " VALUES (?, ?, ?, ?, ?, ?)");
	int err;

	db_bind_int(&q, a->time ? a->time : (int64_t)time(NULL));
	db_bind_text(&q, a->who);
	db_bind_text(&q, a->what);
	db_bind_text(&q, a->object);
	db_bind_text(&q, a->detail);
	db_bind_text(&q, a->result);
	err = db_run(&q);
	return err ? err : drop_oldest(tx);
}

static void read_row(struct query *q, struct catalog_audit *a)
{
	a->id = db_get_int(q);
	a->time = db_get_int(q);
	a->who = db_get_text(q);
	a->what = db_get_text(q);
	a->object = db_get_text(q);
	a->detail = db_get_text(q);
	a->result = db_get_text(q);
}

#define COLUMNS "SELECT id, time, who, what, object, detail, result FROM audit WHERE id < ?"
#define NEWEST  " ORDER BY id DESC LIMIT ?"

int catalog_audit_list(struct catalog_tx *tx, const struct catalog_audit_query *which,
	int (*row)(const struct catalog_audit *a, void *arg), void *arg)
{
	static const char all[] = COLUMNS NEWEST, of_object[] = COLUMNS " AND object = ?" NEWEST;
	struct query q = db_query(tx->db, which->object ? of_object : all);
	struct catalog_audit a;
	int err = 0, end;

	db_bind_int(&q, which->before ? which->before : INT64_MAX);
	if (which->object)
		db_bind_text(&q, which->object);
	db_bind_int(&q, which->limit ? which->limit : LIMIT);
	while (!err && db_row(&q)) {
		read_row(&q, &a);
		err = row(&a, arg);
	}
	end = db_end(&q);
	return err ? err : end;
}
