/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A unit may hand over the next change before the last one is durable, so what is in memory is
 * always what was handed over last.
 */
#include "registry/reservations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "catalog/reservation.h"

/* --- what is kept of a unit ----------------------------------------------------------------- */

static void take(struct lu_registrant *to, const struct lu_registrant *from, char **text)
{
	size_t len = strlen(from->initiator) + 1;

	*to = *from;
	to->initiator = memcpy(*text, from->initiator, len);
	*text += len;
}

/* A copy, registrants and names in one piece of memory; NULL: there is none. */
static struct reservation *copy(const uint8_t naa[static 16], const struct lu_reservation *r)
{
	struct reservation *c;
	struct lu_registrant *regs;
	size_t size = sizeof(*c) + r->n * sizeof(*regs);
	char *text;

	for (unsigned i = 0; i < r->n; i++)
		size += strlen(r->registrants[i].initiator) + 1;
	c = calloc(1, size);
	if (!c)
		return NULL;
	regs = (void *)(c + 1);
	text = (void *)(regs + r->n);
	for (unsigned i = 0; i < r->n; i++)
		take(&regs[i], &r->registrants[i], &text);
	c->is = *r;
	c->is.registrants = regs;
	kept_init(&c->kept, naa, !r->n);
	return c;
}

void reservation_unref(const struct reservation *r)
{
	kept_unref(r ? &r->kept : NULL);
}

/* Adds what a registrant through a group is now to those of `to`, which has room. The reservation
 * goes to the first of them, where it is one's alone. */
static void add_by_port(struct lu_reservation *to, struct lu_registrant *regs,
	const struct lu_registrant *from, const struct target_port *ports, unsigned n)
{
	bool holder = from->holder;

	for (unsigned i = 0; i < n; i++) {
		if (ports[i].group != from->port)
			continue;
		regs[to->n] = *from;
		regs[to->n].port = ports[i].id;
		regs[to->n++].holder = holder;
		holder = false;
	}
	if (!from->port)
		regs[to->n++] = *from;
}

const struct reservation *reservation_by_port(
	const struct reservation *kept, const struct target_port *ports, unsigned n)
{
	struct lu_registrant *regs = calloc((size_t)kept->is.n * (n + 1) + 1, sizeof(*regs));
	struct lu_reservation is = kept->is;
	struct reservation *c = NULL;

	is.registrants = regs;
	is.n = 0;
	for (unsigned i = 0; regs && i < kept->is.n; i++)
		add_by_port(&is, regs, &kept->is.registrants[i], ports, n);
	if (regs)
		c = copy(kept->kept.naa, &is);
	free(regs);
	return c;
}

const struct reservation *reservations_find(struct reservations *r, const uint8_t naa[static 16])
{
	const struct kept *k = kept_set_find(&r->set, naa);

	return k ? container_of(k, const struct reservation, kept) : NULL;
}

/* --- to the catalog ------------------------------------------------------------------------- */

static int store(struct catalog_tx *tx, const struct kept *k)
{
	const struct lu_reservation *is = &container_of(k, const struct reservation, kept)->is;
	struct catalog_registrant *rows = calloc(is->n + 1, sizeof(*rows));
	struct catalog_reservation row = { .generation = is->generation,
		.type = is->type,
		.scope = is->scope,
		.registrants = rows,
		.n_registrants = is->n };
	int err;

	if (!rows)
		return -ENOMEM;
	for (unsigned i = 0; i < is->n; i++) {
		const struct lu_registrant *reg = &is->registrants[i];

		rows[i] = (struct catalog_registrant){
			.initiator = reg->initiator, .port = reg->port, .holder = reg->holder
		};
		put_be64(rows[i].key, reg->key);
	}
	memcpy(row.unit, k->naa, sizeof(row.unit));
	err = catalog_reservation_put(tx, &row);
	free(rows);
	return err;
}

static void keep(struct lu_keeper *keeper, struct lu_keep *asked, const uint8_t naa[static 16],
	const struct lu_reservation *is)
{
	struct reservations *r = container_of(keeper, struct reservations, keeper);
	struct reservation *what = copy(naa, is);

	kept_set_hand_over(&r->set, what ? &what->kept : NULL, asked);
}

struct lu_keeper *reservations_keeper(struct reservations *r)
{
	return kept_set_loaded(&r->set) ? &r->keeper : NULL;
}

/* --- from the catalog ----------------------------------------------------------------------- */

static int load_row(const struct catalog_reservation *row, void *arg)
{
	struct lu_registrant *regs = calloc(row->n_registrants + 1, sizeof(*regs));
	struct lu_reservation is = { .generation = row->generation,
		.type = row->type,
		.scope = row->scope,
		.registrants = regs,
		.n = (unsigned)row->n_registrants };
	struct reservation *c = NULL;

	for (unsigned i = 0; regs && i < is.n; i++) {
		const struct catalog_registrant *from = &row->registrants[i];

		regs[i] = (struct lu_registrant){ .initiator = from->initiator,
			.port = from->port,
			.holder = from->holder,
			.key = be64(from->key) };
	}
	if (regs)
		c = copy(row->unit, &is);
	if (c) {
		c->by_group = row->by_group;
		kept_set_put(arg, &c->kept);
	}
	reservation_unref(c);
	free(regs);
	return c ? 0 : -ENOMEM;
}

static int load(struct kept_set *s, struct catalog_tx *tx)
{
	return catalog_reservation_load(tx, load_row, s);
}

static const struct kept_kind kind = { .load = load, .store = store, .at_once = true };

int reservations_load(struct reservations *r, struct catalog *c, struct catalog_error *why)
{
	r->keeper.keep = keep;
	return kept_set_load(&r->set, &kind, c, why);
}
