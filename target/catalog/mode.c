/* SPDX-License-Identifier: BSD-2-Clause */
/* Saved mode pages: a row for each. */
#include "catalog/mode.h"

#include "catalog/tx.h"

static int forget(struct catalog_tx *tx, const uint8_t unit[static CATALOG_UNIT_SIZE])
{
	struct query q = db_query(tx->db, "DELETE FROM mode_page WHERE unit = ?");

	db_bind_blob(&q, unit, CATALOG_UNIT_SIZE);
	return db_run(&q);
}

static int put_page(struct catalog_tx *tx, const uint8_t unit[static CATALOG_UNIT_SIZE],
	const struct catalog_mode_page *p)
{
	struct query q = db_query(tx->db, "INSERT INTO mode_page (unit, page, subpage, mask, value)"
					  " VALUES (?, ?, ?, ?, ?)");

	db_bind_blob(&q, unit, CATALOG_UNIT_SIZE);
	db_bind_int(&q, p->page);
	db_bind_int(&q, p->subpage);
	db_bind_blob(&q, p->mask, p->len);
	db_bind_blob(&q, p->value, p->len);
	return db_run(&q);
}

int catalog_mode_put(struct catalog_tx *tx, const uint8_t unit[static CATALOG_UNIT_SIZE],
	const struct catalog_mode_page *pages, size_t n)
{
	int err = tx_enter(tx);

	if (err)
		return err;
	err = forget(tx, unit);
	for (size_t i = 0; !err && i < n; i++)
		err = put_page(tx, unit, &pages[i]);
	return tx_leave(tx, err);
}

int catalog_mode_load(struct catalog_tx *tx,
	int (*row)(const uint8_t *unit, const struct catalog_mode_page *page, void *arg), void *arg)
{
	struct query q = db_query(tx->db, "SELECT unit, page, subpage, mask, value FROM mode_page"
					  " ORDER BY unit, page, subpage");
	int err = 0, end;

	while (!err && db_row(&q)) {
		size_t size, masked;
		const uint8_t *unit = db_get_blob(&q, &size);
		struct catalog_mode_page p = { .page = (uint8_t)db_get_int(&q) };

		p.subpage = (uint8_t)db_get_int(&q);
		p.mask = db_get_blob(&q, &masked);
		p.value = db_get_blob(&q, &p.len);
		/* The rest can only be where the database has been tampered with. */
		if (unit && size == CATALOG_UNIT_SIZE && p.mask && p.value && masked == p.len)
			err = row(unit, &p, arg);
	}
	end = db_end(&q);
	return err ? err : end;
}
