/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * To the archive and back: ARCHIVE, RETRIEVE.
 *
 * A cartridge that is on its way is in no element, and its state says where it goes. A carrier
 * moves its files in the background, which takes long where the archive is another file system;
 * other requests go on meanwhile. When the files are there, SETTLE makes that known. After a crash
 * the way is gone on with from the state alone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "vtl/library_private.h"

/* --- carriers ---------------------------------------------------------------------- */

/* Whoever asked for the way back learns how that went. */
static void settle_over(struct library_request *r)
{
	struct library_carrier *c = container_of(r, struct library_carrier, settle);
	struct library *l = c->l;
	struct list *e;

	while ((e = list_pop(&c->cancellers)))
		library_answer(container_of(e, struct library_request, link), r->result, r->err);
	free(c);
	l->carriers--;
	library_pump(l);
}

static void carry_run(struct work *w)
{
	struct library_carrier *c = container_of(w, struct library_carrier, work);
	struct library *l = c->l;
	bool archiving = c->place.kind == CATALOG_IN_VAULT;

	c->err = shelf_carry(archiving ? l->path : l->archive, archiving ? l->archive : l->path,
		c->barcode, &c->way);
}

/* Memory is the library's alone; so it is put in front, also of one that takes no more. */
static void carried(struct work *w)
{
	struct library_carrier *c = container_of(w, struct library_carrier, work);
	struct library *l = c->l;

	c->settle = (struct library_request){
		.op = LIBRARY_SETTLE,
		.barcode = c->barcode,
		.done = settle_over,
		.home = l->loop,
	};
	list_init(&c->settle.link);
	pthread_mutex_lock(&l->lock);
	list_push_front(&l->queue, &c->settle.link);
	pthread_mutex_unlock(&l->lock);
	library_pump(l);
}

static struct library_carrier *carrier_new(
	struct library *l, const char *barcode, struct catalog_place place)
{
	struct library_carrier *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->l = l;
	c->place = place;
	list_init(&c->link);
	list_init(&c->cancellers);
	strcpy(c->barcode, barcode);
	c->work = (struct work){ .run = carry_run, .done = carried, .home = l->loop };
	return c;
}

static void reserve(struct library *l, struct catalog_place place, bool on)
{
	struct inventory_element *e = inventory_element(&l->inv, place);

	if (!e)
		return;
	pthread_mutex_lock(&l->lock);
	e->reserved = on;
	pthread_mutex_unlock(&l->lock);
}

static void carrier_start(struct library_carrier *c)
{
	struct library *l = c->l;

	l->carriers++;
	list_push(&l->ways, &c->link);
	atomic_store(&c->way.stop, l->closing);
	inventory_find(&l->inv, c->barcode)->under_way = true;
	work_submit(l->pool, &c->work);
}

static struct library_carrier *find_carrier(const struct library *l, const char *barcode)
{
	list_for_each(it, &l->ways) {
		struct library_carrier *c = container_of(it, struct library_carrier, link);

		if (!strcmp(c->barcode, barcode))
			return c;
	}
	return NULL;
}

unsigned int library_progress(const struct library *l, const char *barcode)
{
	const struct library_carrier *c = find_carrier(l, barcode);
	uint64_t copied = c ? atomic_load(&c->way.copied) : 0;
	uint64_t total = c ? atomic_load(&c->way.total) : 0;

	/* What stands there in the end is more where the file system knows no holes. */
	return copied < total ? (unsigned int)(100 * copied / total) : copied ? 99 : 0;
}

void library_stop_ways(struct library *l)
{
	list_for_each(it, &l->ways)
		atomic_store(&container_of(it, struct library_carrier, link)->way.stop, true);
}

/* --- ARCHIVE, RETRIEVE ------------------------------------------------------------- */

static void way_begun(struct library *l, int err)
{
	struct library_job *job = &l->job;
	struct library_carrier *c = job->carrier;

	job->carrier = NULL;
	if (err) {
		reserve(l, c->place, false);
		free(c);
	} else {
		if (job->left != CATALOG_IN_VAULT && !job->r->host)
			library_notify(l, job->left);
		carrier_start(c);
	}
	library_end(l, library_result_of(err), err);
}

static void begin_way(struct library *l, const struct catalog_tape *row, struct catalog_place place)
{
	struct library_job *job = &l->job;

	job->change = LIBRARY_CHANGED_ROW;
	if (!library_prepare(l, row))
		return;
	job->carrier = carrier_new(l, row->barcode, place);
	if (!job->carrier) {
		library_end(l, LIBRARY_NO_MEMORY, -ENOMEM);
		return;
	}
	reserve(l, place, true);
	library_commit(l, way_begun);
}

static bool state_is(const struct inventory_tape *t, const char *state)
{
	return !strcmp(t->row.state, state);
}

/* One that has left already, and whose way was given up, may be asked for again. */
static enum library_result may_leave(
	struct library *l, const struct library_request *r, const struct inventory_tape *t)
{
	if (!t)
		return LIBRARY_NO_TAPE;
	if (t->row.place.kind == CATALOG_IN_VAULT)
		return state_is(t, LIBRARY_STATE_ARCHIVING) && !t->under_way ? LIBRARY_OK
									     : LIBRARY_ARCHIVED;
	if (t->row.place.kind == CATALOG_IN_DRIVE)
		return LIBRARY_IN_DRIVE;
	if (!r->host && library_locked(l, t->row.place.kind))
		return LIBRARY_LOCKED;
	return LIBRARY_OK;
}

void library_archive(struct library *l)
{
	const struct library_request *r = l->job.r;
	const struct inventory_tape *t = inventory_find(&l->inv, r->barcode);
	enum library_result refused = may_leave(l, r, t);
	struct catalog_tape row;

	if (refused) {
		library_end(l, refused, 0);
		return;
	}
	row = t->row;
	if (row.place.kind != CATALOG_IN_VAULT)
		row.source = row.place;
	row.place = (struct catalog_place){ .kind = CATALOG_IN_VAULT };
	row.state = LIBRARY_STATE_ARCHIVING;
	row.retrieved_to = "";
	l->job.left = t->row.place.kind;
	begin_way(l, &row, row.place);
}

/* One whose way back was given up, as no slot was free, may be asked for again. */
static enum library_result may_return(
	struct library *l, struct library_request *r, const struct inventory_tape *t)
{
	enum library_result result;

	if (!t)
		return LIBRARY_NO_TAPE;
	if (t->under_way)
		return LIBRARY_ARCHIVED;
	if (!state_is(t, LIBRARY_STATE_ARCHIVED) && !state_is(t, LIBRARY_STATE_RETRIEVING))
		return LIBRARY_NOT_ARCHIVED;
	result = library_choose(l, r, &r->place);
	if (!result && !r->host && library_locked(l, r->place.kind))
		result = LIBRARY_LOCKED;
	return result;
}

void library_retrieve(struct library *l)
{
	struct library_request *r = l->job.r;
	const struct inventory_tape *t = inventory_find(&l->inv, r->barcode);
	enum library_result refused = may_return(l, r, t);
	struct catalog_tape row;

	if (refused) {
		library_end(l, refused, 0);
		return;
	}
	row = t->row;
	row.state = LIBRARY_STATE_RETRIEVING;
	row.retrieved_to = r->retrieved_to;
	row.write_protect = row.write_protect || r->write_protect;
	l->job.left = CATALOG_IN_VAULT;
	begin_way(l, &row, r->place);
}

/* --- CANCEL ------------------------------------------------------------------------ */

void library_cancel(struct library *l)
{
	struct library_request *r = l->job.r;
	struct library_carrier *c = find_carrier(l, r->barcode);

	if (!c) {
		bool there = inventory_find(&l->inv, r->barcode);

		library_end(l, there ? LIBRARY_SETTLED : LIBRARY_NO_TAPE, 0);
		return;
	}
	atomic_store(&c->way.stop, true);
	list_push(&c->cancellers, &r->link);
	library_set_aside(l);
}

/* --- SETTLE ------------------------------------------------------------------------ */

static void settled(struct library *l, int err)
{
	struct library_carrier *next = l->job.carrier;

	l->job.carrier = NULL;
	if (next && err) {
		reserve(l, next->place, false);
		free(next);
	} else if (next) {
		carrier_start(next);
	}
	if (!err && l->job.left != CATALOG_IN_VAULT)
		library_notify(l, l->job.left);
	if (err)
		log_msg(LOG_ERR,
			"library %s: what became of the way of cartridge %s cannot be remembered: "
			"ask for it again, or start anew",
			l->name, l->job.r->barcode);
	library_end(l, err ? library_result_of(err) : l->job.result, err);
}

/* Where one that had left an element finds room: there, or anywhere. */
static enum library_result choose_home(
	struct library *l, const struct catalog_tape *row, struct catalog_place *place)
{
	const struct inventory_element *e = inventory_element(&l->inv, row->source);
	struct library_request any = { .where = LIBRARY_ANYWHERE };

	if (!e || e->tape || e->reserved)
		return library_choose(l, &any, place);
	*place = row->source;
	return LIBRARY_OK;
}

/* The files are where they were: so is the cartridge, or it stays on its way until the next
 * start. */
static enum library_result stay(
	struct library *l, const struct library_carrier *c, struct catalog_tape *row)
{
	enum library_result result;

	if (c->place.kind != CATALOG_IN_VAULT) {
		row->state = LIBRARY_STATE_ARCHIVED;
		row->retrieved_to = "";
		return LIBRARY_OK;
	}
	result = choose_home(l, row, &row->place);
	if (!result)
		row->state = LIBRARY_STATE_AVAILABLE;
	return result;
}

static void arrive(const struct library_carrier *c, struct catalog_tape *row)
{
	if (c->place.kind == CATALOG_IN_VAULT) {
		row->state = LIBRARY_STATE_ARCHIVED;
		row->archived = (int64_t)time(NULL);
	} else {
		row->state = *row->retrieved_to ? LIBRARY_STATE_RETRIEVED : LIBRARY_STATE_AVAILABLE;
		row->place = c->place;
	}
}

/* The files have arrived, and are to go back: another carrier takes them. */
static enum library_result turn_back(
	struct library *l, const struct library_carrier *c, struct catalog_tape *row)
{
	struct catalog_place place = { .kind = CATALOG_IN_VAULT };
	enum library_result result = LIBRARY_OK;

	if (c->place.kind == CATALOG_IN_VAULT) {
		row->state = LIBRARY_STATE_RETRIEVING;
		row->retrieved_to = "";
		result = choose_home(l, row, &place);
	} else {
		row->state = LIBRARY_STATE_ARCHIVING;
	}
	if (result)
		return result;
	l->job.carrier = carrier_new(l, c->barcode, place);
	if (!l->job.carrier)
		return LIBRARY_NO_MEMORY;
	reserve(l, place, true);
	return LIBRARY_OK;
}

static void log_way(const struct library *l, const struct library_carrier *c)
{
	bool archiving = c->place.kind == CATALOG_IN_VAULT;

	if (c->err != -ECANCELED)
		log_msg(LOG_ERR, "library %s: cartridge %s cannot be %s %s: %s", l->name,
			c->barcode, archiving ? "archived in" : "retrieved from", l->archive,
			strerror(-c->err));
}

/* What became of the way. One that cannot go back is where it was going to. */
static enum library_result resolve(
	struct library *l, const struct library_carrier *c, struct catalog_tape *row)
{
	const struct catalog_tape before = *row;
	enum library_result result = LIBRARY_OK;

	if (c->err) {
		log_way(l, c);
		return stay(l, c, row);
	}
	if (!list_empty(&c->cancellers))
		result = turn_back(l, c, row);
	if (result)
		*row = before;
	if (!l->job.carrier)
		arrive(c, row);
	return result;
}

void library_settle(struct library *l)
{
	struct library_carrier *c = container_of(l->job.r, struct library_carrier, settle);
	struct inventory_tape *t = inventory_find(&l->inv, c->barcode);
	struct catalog_tape row = t->row;

	list_del(&c->link);
	t->under_way = false;
	reserve(l, c->place, false);
	if (c->err == -ECANCELED && list_empty(&c->cancellers)) { /* the next start goes on */
		library_end(l, LIBRARY_OK, 0);
		return;
	}
	l->job.result = resolve(l, c, &row);
	l->job.change = LIBRARY_CHANGED_ROW;
	l->job.others = &c->cancellers;
	l->job.left = row.place.kind;
	l->job.next = inventory_tape_new(&row);
	if (!l->job.next) {
		settled(l, -ENOMEM);
		return;
	}
	l->job.next->imported = row.place.kind == CATALOG_IN_MAIL_SLOT;
	library_commit(l, settled);
}

/* --- after a start ----------------------------------------------------------------- */

static void resume(struct library *l, const struct inventory_tape *t)
{
	struct catalog_place place = { .kind = CATALOG_IN_VAULT };
	struct library_request any = { .where = LIBRARY_ANYWHERE };
	struct library_carrier *c;

	if (state_is(t, LIBRARY_STATE_RETRIEVING) && library_choose(l, &any, &place)) {
		log_msg(LOG_WARNING, "library %s: no slot is free for cartridge %s", l->name,
			t->row.barcode);
		return;
	}
	c = carrier_new(l, t->row.barcode, place);
	if (!c)
		return;
	reserve(l, place, true);
	carrier_start(c);
}

void library_resume(struct library *l)
{
	for (size_t i = 0; i < l->inv.n; i++) {
		const struct inventory_tape *t = l->inv.tapes[i];

		if (t->row.place.kind == CATALOG_IN_VAULT &&
			(state_is(t, LIBRARY_STATE_ARCHIVING) ||
				state_is(t, LIBRARY_STATE_RETRIEVING)))
			resume(l, t);
	}
}
