/* SPDX-License-Identifier: BSD-2-Clause */
/* Cartridges. */
#include "catalog/tape.h"

#include <errno.h>

#include "catalog/tx.h"

/* --- barcodes ------------------------------------------------------------------------------- */

static int use_barcode(struct catalog_tx *tx, const struct catalog_tape *t)
{
	struct query q = db_query(tx->db, "INSERT INTO barcode (barcode, used) VALUES (?, ?)");

	db_bind_text(&q, t->barcode);
	db_bind_int(&q, t->created);
	return db_run(&q);
}

int catalog_tape_barcode_used(struct catalog_tx *tx, const char *barcode, bool *used)
{
	struct query q = db_query(tx->db, "SELECT 1 FROM barcode WHERE barcode = ?");
	bool found;
	int err;

	db_bind_text(&q, barcode);
	found = db_row(&q);
	err = db_end(&q);
	if (!err)
		*used = found;
	return err;
}

/* --- cartridges ----------------------------------------------------------------------------- */

/* All but the barcode, in the order of both statements below. */
static void bind_tape(struct query *q, const struct catalog_tape *t)
{
	db_bind_text(q, t->library);
	db_bind_int(q, t->place.kind);
	db_bind_int(q, t->place.number);
	db_bind_int(q, t->source.kind);
	db_bind_int(q, t->source.number);
	db_bind_int(q, t->medium);
	db_bind_int(q, t->cleaning);
	db_bind_int(q, t->worm);
	db_bind_int(q, t->write_protect);
	db_bind_int(q, (int64_t)t->size);
	db_bind_int(q, (int64_t)t->used);
	db_bind_text(q, t->state);
	db_bind_text(q, t->pool);
	db_bind_text(q, t->retrieved_to);
	db_bind_int(q, t->created);
	db_bind_int(q, t->pool_entered);
	db_bind_int(q, t->retention_start);
	db_bind_int(q, t->archived);
	db_bind_text(q, t->barcode);
}

static int add_row(struct catalog_tx *tx, const struct catalog_tape *t)
{
	struct query q = db_query(tx->db,
		"INSERT INTO tape (library, place_kind, place, source_kind, source, medium,"
		" cleaning, worm, write_protect, size, used, state, pool, retrieved_to, created,"
		" pool_entered, retention_start, archived, barcode)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	bind_tape(&q, t);
	return db_run(&q);
}

int catalog_tape_add(struct catalog_tx *tx, const struct catalog_tape *t)
{
	int err = tx_enter(tx);

	if (err)
		return err;
	err = use_barcode(tx, t);
	if (!err)
		err = add_row(tx, t);
	return tx_leave(tx, err);
}

int catalog_tape_put(struct catalog_tx *tx, const struct catalog_tape *t)
{
	struct query q = db_query(tx->db,
		"UPDATE tape SET library = ?, place_kind = ?, place = ?, source_kind = ?,"
		" source = ?, medium = ?, cleaning = ?, worm = ?, write_protect = ?, size = ?,"
		" used = ?, state = ?, pool = ?, retrieved_to = ?, created = ?, pool_entered = ?,"
		" retention_start = ?, archived = ? WHERE barcode = ?");

	bind_tape(&q, t);
	return db_run_one(&q);
}

int catalog_tape_remove(struct catalog_tx *tx, const char *barcode)
{
	struct query q = db_query(tx->db, "DELETE FROM tape WHERE barcode = ?");

	db_bind_text(&q, barcode);
	return db_run_one(&q);
}

static void read_tape(struct query *q, struct catalog_tape *t)
{
	t->barcode = db_get_text(q);
	t->library = db_get_text(q);
	t->place.kind = (enum catalog_place_kind)db_get_int(q);
	t->place.number = (uint32_t)db_get_int(q);
	t->source.kind = (enum catalog_place_kind)db_get_int(q);
	t->source.number = (uint32_t)db_get_int(q);
	t->medium = (uint16_t)db_get_int(q);
	t->cleaning = db_get_int(q);
	t->worm = db_get_int(q);
	t->write_protect = db_get_int(q);
	t->size = (uint64_t)db_get_int(q);
	t->used = (uint64_t)db_get_int(q);
	t->state = db_get_text(q);
	t->pool = db_get_text(q);
	t->retrieved_to = db_get_text(q);
	t->created = db_get_int(q);
	t->pool_entered = db_get_int(q);
	t->retention_start = db_get_int(q);
	t->archived = db_get_int(q);
}

int catalog_tape_load(
	struct catalog_tx *tx, int (*row)(const struct catalog_tape *t, void *arg), void *arg)
{
	struct query q = db_query(tx->db,
		"SELECT barcode, library, place_kind, place, source_kind, source, medium, cleaning,"
		" worm, write_protect, size, used, state, pool, retrieved_to, created,"
		" pool_entered, retention_start, archived FROM tape ORDER BY barcode");
	struct catalog_tape t;
	int err = 0, end;

	while (!err && db_row(&q)) {
		read_tape(&q, &t);
		err = row(&t, arg);
	}
	end = db_end(&q);
	return err ? err : end;
}

/* --- moving --------------------------------------------------------------------------------- */

static int place_one(struct catalog_tx *tx, const struct catalog_tape_move *m)
{
	struct query q =
		db_query(tx->db, "UPDATE tape SET place_kind = ?, place = ?, source_kind = ?,"
				 " source = ? WHERE barcode = ?");

	db_bind_int(&q, m->place.kind);
	db_bind_int(&q, m->place.number);
	db_bind_int(&q, m->source.kind);
	db_bind_int(&q, m->source.number);
	db_bind_text(&q, m->barcode);
	return db_run_one(&q);
}

/* All leave their places before the first takes a new one; the vault has room for them meanwhile,
 * and outside the transaction nobody sees them there. */
int catalog_tape_move(struct catalog_tx *tx, const struct catalog_tape_move *moves, size_t n)
{
	int err = tx_enter(tx);

	if (err)
		return err;
	for (size_t i = 0; !err && i < n; i++)
		err = place_one(tx, &(struct catalog_tape_move){ .barcode = moves[i].barcode });
	for (size_t i = 0; !err && i < n; i++)
		err = place_one(tx, &moves[i]);
	return tx_leave(tx, err);
}
