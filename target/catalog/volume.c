/* SPDX-License-Identifier: BSD-2-Clause */
/* Volumes and disks. A disk that is a volume's has a row that goes with the volume. */
#include "catalog/volume.h"

#include <errno.h>

#include "catalog/tx.h"

static const char volume_disk[] = "VOLUME";

/* All but the id, in the order of both statements below. */
static void bind_volume(struct query *q, const struct catalog_volume *v)
{
	db_bind_text(q, v->gateway);
	db_bind_int(q, v->kind);
	db_bind_text(q, v->pool);
	db_bind_text(q, v->file);
	db_bind_text(q, v->disk);
	db_bind_int(q, (int64_t)v->size);
	db_bind_int(q, v->block_size);
	db_bind_text(q, v->target);
	db_bind_int(q, v->lun);
	db_bind_text(q, v->portal);
	db_bind_int(q, v->attached);
	db_bind_int(q, v->read_only);
	db_bind_int(q, v->preserved);
	db_bind_int(q, v->created);
	db_bind_text(q, v->id);
}

static int take_disk(struct catalog_tx *tx, const struct catalog_volume *v)
{
	struct query q;

	if (v->kind != CATALOG_VOLUME_DISK)
		return 0;
	q = db_query(tx->db, "INSERT INTO disk (gateway, id, use, volume) VALUES (?, ?, ?, ?)");
	db_bind_text(&q, v->gateway);
	db_bind_text(&q, v->disk);
	db_bind_text(&q, volume_disk);
	db_bind_text(&q, v->id);
	return db_run(&q);
}

static int leave_disk(struct catalog_tx *tx, const char *id)
{
	struct query q = db_query(tx->db, "DELETE FROM disk WHERE volume = ?");

	db_bind_text(&q, id);
	return db_run(&q);
}

static int add_row(struct catalog_tx *tx, const struct catalog_volume *v)
{
	struct query q = db_query(tx->db, "INSERT INTO volume (gateway, kind, pool, file, disk, "
					  "size, block_size, target, lun,"
					  " portal, attached, read_only, preserved, created, id)"
					  " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	bind_volume(&q, v);
	return db_run(&q);
}

int catalog_volume_add(struct catalog_tx *tx, const struct catalog_volume *v)
{
	int err = tx_enter(tx);

	if (err)
		return err;
	err = add_row(tx, v);
	if (!err)
		err = take_disk(tx, v);
	return tx_leave(tx, err);
}

static int change_row(struct catalog_tx *tx, const struct catalog_volume *v)
{
	struct query q = db_query(tx->db,
		"UPDATE volume SET gateway = ?, kind = ?, pool = ?, file = ?, disk = ?, size = ?,"
		" block_size = ?, target = ?, lun = ?, portal = ?, attached = ?, read_only = ?,"
		" preserved = ?, created = ? WHERE id = ?");

	bind_volume(&q, v);
	return db_run_one(&q);
}

int catalog_volume_put(struct catalog_tx *tx, const struct catalog_volume *v)
{
	int err = tx_enter(tx);

	if (err)
		return err;
	err = change_row(tx, v);
	if (!err)
		err = leave_disk(tx, v->id);
	if (!err)
		err = take_disk(tx, v);
	return tx_leave(tx, err);
}

int catalog_volume_remove(struct catalog_tx *tx, const char *id)
{
	struct query q = db_query(tx->db, "DELETE FROM volume WHERE id = ?");

	db_bind_text(&q, id);
	return db_run_one(&q);
}

static void read_volume(struct query *q, struct catalog_volume *v)
{
	v->id = db_get_text(q);
	v->gateway = db_get_text(q);
	v->kind = (enum catalog_volume_kind)db_get_int(q);
	v->pool = db_get_text(q);
	v->file = db_get_text(q);
	v->disk = db_get_text(q);
	v->size = (uint64_t)db_get_int(q);
	v->block_size = (uint32_t)db_get_int(q);
	v->target = db_get_text(q);
	v->lun = (uint32_t)db_get_int(q);
	v->portal = db_get_text(q);
	v->attached = db_get_int(q);
	v->read_only = db_get_int(q);
	v->preserved = db_get_int(q);
	v->created = db_get_int(q);
}

int catalog_volume_load(
	struct catalog_tx *tx, int (*row)(const struct catalog_volume *v, void *arg), void *arg)
{
	struct query q = db_query(tx->db,
		"SELECT id, gateway, kind, pool, file, disk, size, block_size, target, lun, portal,"
		" attached, read_only, preserved, created FROM volume ORDER BY id");
	struct catalog_volume v;
	int err = 0, end;

	while (!err && db_row(&q)) {
		read_volume(&q, &v);
		err = row(&v, arg);
	}
	end = db_end(&q);
	return err ? err : end;
}

/* --- disks ---------------------------------------------------------------------------------- */

int catalog_disk_allocate(struct catalog_tx *tx, const struct catalog_disk *d)
{
	struct query q = db_query(
		tx->db, "INSERT INTO disk (gateway, id, use, volume) VALUES (?, ?, ?, NULL)");

	db_bind_text(&q, d->gateway);
	db_bind_text(&q, d->id);
	db_bind_text(&q, d->use);
	return db_run(&q);
}

int catalog_disk_load(
	struct catalog_tx *tx, int (*row)(const struct catalog_disk *d, void *arg), void *arg)
{
	struct query q = db_query(tx->db, "SELECT gateway, id, use FROM disk WHERE volume IS NULL"
					  " ORDER BY gateway, id");
	struct catalog_disk d;
	int err = 0, end;

	while (!err && db_row(&q)) {
		d.gateway = db_get_text(&q);
		d.id = db_get_text(&q);
		d.use = db_get_text(&q);
		err = row(&d, arg);
	}
	end = db_end(&q);
	return err ? err : end;
}
