/* SPDX-License-Identifier: BSD-2-Clause */
/* Relative target port identifiers. */
#include "catalog/port.h"

#include "catalog/tx.h"

int catalog_port_add(struct catalog_tx *tx, const struct catalog_port *p)
{
	struct query q =
		db_query(tx->db, "INSERT INTO port (target, portal_group, id) VALUES (?, ?, ?)");

	db_bind_text(&q, p->target);
	db_bind_int(&q, p->group);
	db_bind_int(&q, p->id);
	return db_run(&q);
}

int catalog_port_remove(struct catalog_tx *tx, uint16_t id)
{
	struct query q = db_query(tx->db, "DELETE FROM port WHERE id = ?");

	db_bind_int(&q, id);
	return db_run(&q);
}

int catalog_port_load(
	struct catalog_tx *tx, int (*row)(const struct catalog_port *p, void *arg), void *arg)
{
	struct query q = db_query(
		tx->db, "SELECT target, portal_group, id FROM port ORDER BY target, portal_group");
	int err = 0, end;

	while (!err && db_row(&q)) {
		struct catalog_port p = { .target = db_get_text(&q) };

		p.group = (uint16_t)db_get_int(&q);
		p.id = (uint16_t)db_get_int(&q);
		err = row(&p, arg);
	}
	end = db_end(&q);
	return err ? err : end;
}
