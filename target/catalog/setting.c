/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings. */
#include "catalog/setting.h"

#include "catalog/tx.h"

int catalog_setting_put(struct catalog_tx *tx, const char *name, const char *value)
{
	struct query q =
		db_query(tx->db, "INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)");

	db_bind_text(&q, name);
	db_bind_text(&q, value);
	return db_run(&q);
}

int catalog_setting_remove(struct catalog_tx *tx, const char *name)
{
	struct query q = db_query(tx->db, "DELETE FROM setting WHERE name = ?");

	db_bind_text(&q, name);
	return db_run(&q);
}

int catalog_setting_load(struct catalog_tx *tx, const char *prefix,
	int (*row)(const char *name, const char *value, void *arg), void *arg)
{
	struct query q = db_query(tx->db, "SELECT name, value FROM setting"
					  " WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name");
	int err = 0, end;

	db_bind_text(&q, prefix);
	while (!err && db_row(&q)) {
		const char *name = db_get_text(&q);

		err = row(name, db_get_text(&q), arg);
	}
	end = db_end(&q);
	return err ? err : end;
}
