/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * To the catalog and back. A unit hands over under its own lock, and all units under the one of
 * this file: so requests reach the catalog in the order of the changes, and what is in memory is
 * always what was handed over last.
 */
#include "registry_reservations.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "catalog/reservation.h"

struct reservations {
	struct lu_keeper keeper;
	pthread_mutex_t lock;
	struct catalog *catalog; /* NULL: it is closed */
	struct list kept;
};

/* One hand-over on its way to the catalog. */
struct keeping {
	struct catalog_request request;
	struct catalog_registrant *rows; /* as the catalog wants them; names are those of `what` */
	struct reservation *what;
	struct lu_keep *asked;
};

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
	memcpy(c->naa, naa, sizeof(c->naa));
	list_init(&c->link);
	atomic_init(&c->refs, 1);
	return c;
}

static struct reservation *ref(struct reservation *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void reservation_unref(const struct reservation *kept)
{
	struct reservation *c = (struct reservation *)(uintptr_t)kept;

	if (c && atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1)
		free(c);
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
		c = copy(kept->naa, &is);
	free(regs);
	return c;
}

/* Under the lock, or before anybody else is there; so are the next two. */
static struct reservation *find(const struct reservations *r, const uint8_t naa[static 16])
{
	list_for_each(it, &r->kept) {
		struct reservation *c = container_of(it, struct reservation, link);

		if (!memcmp(c->naa, naa, sizeof(c->naa)))
			return c;
	}
	return NULL;
}

static void forget(struct reservation *c)
{
	if (!c)
		return;
	list_del(&c->link);
	reservation_unref(c);
}

/* In the place of what was there. */
static void put(struct reservations *r, struct reservation *c)
{
	forget(find(r, c->naa));
	if (c->is.n)
		list_push(&r->kept, &ref(c)->link);
}

const struct reservation *reservations_find(struct reservations *r, const uint8_t naa[static 16])
{
	struct reservation *c;

	pthread_mutex_lock(&r->lock);
	c = find(r, naa);
	if (c)
		ref(c);
	pthread_mutex_unlock(&r->lock);
	return c;
}

/* --- to the catalog ------------------------------------------------------------------------- */

/* On the catalog's thread, perhaps more than once. */
static int write_down(struct catalog_request *request, struct catalog_tx *tx)
{
	const struct keeping *k = container_of(request, struct keeping, request);
	const struct lu_reservation *is = &k->what->is;
	struct catalog_reservation row = { .generation = is->generation,
		.type = is->type,
		.scope = is->scope,
		.registrants = k->rows,
		.n_registrants = is->n };

	memcpy(row.unit, k->what->naa, sizeof(row.unit));
	return catalog_reservation_put(tx, &row);
}

static void keeping_free(struct keeping *k)
{
	if (!k)
		return;
	reservation_unref(k->what);
	free(k->rows);
	free(k);
}

static void written_down(struct catalog_request *request)
{
	struct keeping *k = container_of(request, struct keeping, request);
	struct lu_keep *asked = k->asked;
	int err = k->request.err;

	keeping_free(k);
	asked->done(asked, err);
}

static struct keeping *keeping_new(
	struct lu_keep *asked, const uint8_t naa[static 16], const struct lu_reservation *is)
{
	struct keeping *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->asked = asked;
	k->what = copy(naa, is);
	k->rows = calloc(is->n + 1, sizeof(*k->rows));
	if (!k->what || !k->rows) {
		keeping_free(k);
		return NULL;
	}
	for (unsigned i = 0; i < is->n; i++) {
		const struct lu_registrant *reg = &k->what->is.registrants[i];

		k->rows[i] = (struct catalog_registrant){
			.initiator = reg->initiator, .port = reg->port, .holder = reg->holder
		};
		put_be64(k->rows[i].key, reg->key);
	}
	k->request = (struct catalog_request){
		.run = write_down, .done = written_down, .home = asked->loop
	};
	return k;
}

static void say_failed(struct loop_msg *m)
{
	struct lu_keep *asked = container_of(m, struct lu_keep, msg);

	asked->done(asked, asked->err);
}

static void refuse(struct lu_keep *asked, int err)
{
	asked->err = err;
	asked->msg.run = say_failed;
	loop_post(asked->loop, &asked->msg);
}

/* False: the catalog is closed. */
static bool hand_over(struct reservations *r, struct keeping *k)
{
	bool open;

	pthread_mutex_lock(&r->lock);
	open = r->catalog;
	if (open) {
		put(r, k->what);
		catalog_submit(r->catalog, &k->request);
	}
	pthread_mutex_unlock(&r->lock);
	return open;
}

static void keep(struct lu_keeper *keeper, struct lu_keep *asked, const uint8_t naa[static 16],
	const struct lu_reservation *is)
{
	struct reservations *r = container_of(keeper, struct reservations, keeper);
	struct keeping *k = keeping_new(asked, naa, is);

	if (!k) {
		refuse(asked, -ENOMEM);
	} else if (!hand_over(r, k)) {
		keeping_free(k);
		refuse(asked, -ESHUTDOWN);
	}
}

struct lu_keeper *reservations_keeper(struct reservations *r)
{
	return &r->keeper;
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
		put(arg, c);
	}
	reservation_unref(c);
	free(regs);
	return c ? 0 : -ENOMEM;
}

static int load_all(struct catalog_tx *tx, void *arg)
{
	return catalog_reservation_load(tx, load_row, arg);
}

int reservations_load(struct catalog *c, struct reservations **out, struct catalog_error *why)
{
	struct reservations *r = calloc(1, sizeof(*r));
	int err;

	if (!r) {
		*why = (struct catalog_error){ "out of memory" };
		return -ENOMEM;
	}
	r->keeper.keep = keep;
	pthread_mutex_init(&r->lock, NULL);
	r->catalog = c;
	list_init(&r->kept);
	err = catalog_run(c, load_all, r, why);
	if (err)
		reservations_free(r);
	else
		*out = r;
	return err;
}

void reservations_stop(struct reservations *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->catalog = NULL;
	pthread_mutex_unlock(&r->lock);
}

void reservations_free(struct reservations *r)
{
	if (!r)
		return;
	while (!list_empty(&r->kept))
		forget(container_of(r->kept.next, struct reservation, link));
	pthread_mutex_destroy(&r->lock);
	free(r);
}
