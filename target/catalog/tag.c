/* SPDX-License-Identifier: BSD-2-Clause */
/* Tags. */
#include "catalog/tag.h"

#include "catalog/tx.h"

int catalog_tag_put(struct catalog_tx *tx, const char *resource, const char *key, const char *value)
{
	struct query q = db_query(tx->db, "INSERT INTO tag (resource, key, value) VALUES (?, ?, ?)"
					  " ON CONFLICT DO UPDATE SET value = excluded.value");

	db_bind_text(&q, resource);
	db_bind_text(&q, key);
	db_bind_text(&q, value);
	return db_run(&q);
}

int catalog_tag_remove(struct catalog_tx *tx, const char *resource, const char *key)
{
	struct query q = db_query(tx->db, "DELETE FROM tag WHERE resource = ? AND key = ?");

	db_bind_text(&q, resource);
	db_bind_text(&q, key);
	return db_run(&q);
}

int catalog_tag_remove_all(struct catalog_tx *tx, const char *resource)
{
	struct query q = db_query(tx->db, "DELETE FROM tag WHERE resource = ?");

	db_bind_text(&q, resource);
	return db_run(&q);
}

#define COLUMNS "SELECT resource, key, value FROM tag"

int catalog_tag_load(struct catalog_tx *tx, const char *resource,
	int (*row)(const char *resource, const char *key, const char *value, void *arg), void *arg)
{
	static const char all[] = COLUMNS " ORDER BY resource, key";
	static const char of_one[] = COLUMNS " WHERE resource = ? ORDER BY key";
	struct query q = db_query(tx->db, resource ? of_one : all);
	int err = 0, end;

	if (resource)
		db_bind_text(&q, resource);
	while (!err && db_row(&q)) {
		const char *whose = db_get_text(&q), *key = db_get_text(&q);

		err = row(whose, key, db_get_text(&q), arg);
	}
	end = db_end(&q);
	return err ? err : end;
}
