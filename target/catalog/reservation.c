/* SPDX-License-Identifier: BSD-2-Clause */
/* Persistent reservations: a row for the unit, and one for each registrant. */
#include "catalog/reservation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/tx.h"

/* The registrants go with it. */
static int forget(struct catalog_tx *tx, const struct catalog_reservation *r)
{
	struct query q = db_query(tx->db, "DELETE FROM reservation WHERE unit = ?");

	db_bind_blob(&q, r->unit, sizeof(r->unit));
	return db_run(&q);
}

static int put_unit(struct catalog_tx *tx, const struct catalog_reservation *r)
{
	struct query q = db_query(tx->db, "INSERT INTO reservation (unit, generation, type, scope)"
					  " VALUES (?, ?, ?, ?)");

	db_bind_blob(&q, r->unit, sizeof(r->unit));
	db_bind_int(&q, r->generation);
	db_bind_int(&q, r->type);
	db_bind_int(&q, r->scope);
	return db_run(&q);
}

static int put_registrant(struct catalog_tx *tx, const uint8_t unit[static CATALOG_UNIT_SIZE],
	const struct catalog_registrant *g)
{
	struct query q =
		db_query(tx->db, "INSERT INTO registrant (unit, initiator, port, key, holder)"
				 " VALUES (?, ?, ?, ?, ?)");

	db_bind_blob(&q, unit, CATALOG_UNIT_SIZE);
	db_bind_text(&q, g->initiator);
	db_bind_int(&q, g->port);
	db_bind_blob(&q, g->key, sizeof(g->key));
	db_bind_int(&q, g->holder);
	return db_run(&q);
}

int catalog_reservation_put(struct catalog_tx *tx, const struct catalog_reservation *r)
{
	int err = tx_enter(tx);

	if (err)
		return err;
	err = forget(tx, r);
	if (!err && r->n_registrants)
		err = put_unit(tx, r);
	for (size_t i = 0; !err && i < r->n_registrants; i++)
		err = put_registrant(tx, r->unit, &r->registrants[i]);
	return tx_leave(tx, err);
}

/* --- reading -------------------------------------------------------------------------------- */

/* The unit that is being gathered, row by row. */
struct gathering {
	struct catalog_reservation r;
	struct catalog_registrant *v; /* their names are ours */
	size_t n, room;
};

static void empty(struct gathering *g)
{
	for (size_t i = 0; i < g->n; i++)
		free((char *)g->v[i].initiator);
	g->n = 0;
}

static int add(struct gathering *g, const struct catalog_registrant *one)
{
	struct catalog_registrant *v = g->v;

	if (g->n == g->room) {
		v = realloc(v, (g->room ? 2 * g->room : 8) * sizeof(*v));
		if (!v)
			return -ENOMEM;
		g->v = v;
		g->room = g->room ? 2 * g->room : 8;
	}
	v[g->n] = *one;
	v[g->n].initiator = strdup(one->initiator);
	return v[g->n].initiator ? (g->n++, 0) : -ENOMEM;
}

/* A blob of a known size; all zeros where the database has been tampered with. */
static void get_bytes(struct query *q, uint8_t *out, size_t size)
{
	size_t len;
	const void *bytes = db_get_blob(q, &len);

	memset(out, 0, size);
	if (bytes && len == size)
		memcpy(out, bytes, size);
}

static void read_row(struct query *q, struct catalog_reservation *r, struct catalog_registrant *one)
{
	get_bytes(q, r->unit, sizeof(r->unit));
	r->generation = (uint32_t)db_get_int(q);
	r->type = (uint8_t)db_get_int(q);
	r->scope = (uint8_t)db_get_int(q);
	r->by_group = db_get_int(q);
	one->initiator = db_get_text(q);
	one->port = (uint16_t)db_get_int(q);
	get_bytes(q, one->key, sizeof(one->key));
	one->holder = db_get_int(q);
}

static int show(
	struct gathering *g, int (*row)(const struct catalog_reservation *r, void *arg), void *arg)
{
	int err;

	if (!g->n)
		return 0;
	g->r.registrants = g->v;
	g->r.n_registrants = g->n;
	err = row(&g->r, arg);
	empty(g);
	return err;
}

static const char load_sql[] =
	"SELECT unit, generation, type, scope, by_group, initiator, port, key, holder"
	" FROM reservation JOIN registrant USING (unit) ORDER BY unit, initiator, port";

int catalog_reservation_load(struct catalog_tx *tx,
	int (*row)(const struct catalog_reservation *r, void *arg), void *arg)
{
	struct query q = db_query(tx->db, load_sql);
	struct gathering g = { .n = 0 };
	int err = 0, end;

	while (!err && db_row(&q)) {
		struct catalog_reservation r = { .n_registrants = 0 };
		struct catalog_registrant one;

		read_row(&q, &r, &one);
		if (g.n && memcmp(r.unit, g.r.unit, sizeof(r.unit)))
			err = show(&g, row, arg);
		g.r = r;
		if (!err)
			err = add(&g, &one);
	}
	end = db_end(&q);
	if (!err && !end)
		err = show(&g, row, arg);
	empty(&g);
	free(g.v);
	return err ? err : end;
}
