/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A library takes up what the catalog has of it, and what a crash interrupted: rows, then files,
 * then drives and what was on its way.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtl/library_private.h"

struct library_load {
	struct library *l;
	void (*loaded)(void *arg, int err, const char *why);
	void *arg;
	struct catalog_request request;
	struct work work;
	struct inventory_tape **tapes; /* that were read */
	size_t n, room;
	size_t moved; /* from then on: those whose place is new; they are the inventory's by now */
};

static void finish(struct library_load *load, int err, const char *why)
{
	struct library *l = load->l;

	if (err) {
		pthread_mutex_lock(&l->lock);
		inventory_clear(&l->inv);
		pthread_mutex_unlock(&l->lock);
		log_msg(LOG_ERR, "library %s: cannot be loaded: %s: %s", l->name, strerror(-err),
			why);
	}
	for (size_t i = 0; i < load->n; i++)
		free(load->tapes[i]);
	free(load->tapes);
	l->busy = false;
	load->loaded(load->arg, err, why);
	free(load);
	library_pump(l);
}

/* --- rows -------------------------------------------------------------------------- */

static int keep_row(const struct catalog_tape *row, void *arg)
{
	struct library_load *load = arg;
	struct inventory_tape **tapes = load->tapes;

	if (strcmp(row->library, load->l->name) != 0 || !barcode_valid(row->barcode))
		return 0;
	if (load->n == load->room) {
		load->room = load->room ? load->room * 2 : 256;
		tapes = realloc(tapes, load->room * sizeof(*tapes));
		if (!tapes)
			return -ENOMEM;
		load->tapes = tapes;
	}
	tapes[load->n] = inventory_tape_new(row);
	if (!tapes[load->n])
		return -ENOMEM;
	load->n++;
	return 0;
}

/* May be called more than once: it begins anew. */
static int read_rows(struct catalog_request *r, struct catalog_tx *tx)
{
	struct library_load *load = container_of(r, struct library_load, request);

	while (load->n)
		free(load->tapes[--load->n]);
	return catalog_tape_load(tx, keep_row, load);
}

static int write_moved(struct catalog_request *r, struct catalog_tx *tx)
{
	struct library_load *load = container_of(r, struct library_load, request);
	int err = 0;

	for (size_t i = 0; !err && i < load->moved; i++)
		err = catalog_tape_put(tx, &load->tapes[i]->row);
	return err;
}

/* --- places ------------------------------------------------------------------------ */

/* A cartridge whose place is there no longer goes to a free one, or to the archive. */
static struct inventory_tape *rehoused(struct library *l, const struct inventory_tape *t)
{
	struct library_request any = { .where = LIBRARY_ANYWHERE };
	struct catalog_tape row = t->row;
	uint16_t address = 0;

	if (library_choose(l, &any, &row.place)) {
		row.place = (struct catalog_place){ .kind = CATALOG_IN_VAULT };
		row.state = LIBRARY_STATE_ARCHIVING;
		log_msg(LOG_WARNING, "library %s: no slot is left for cartridge %s: it is archived",
			l->name, row.barcode);
	} else {
		inventory_address(&l->inv, row.place, &address);
		log_msg(LOG_WARNING, "library %s: the place of cartridge %s is gone: it is at %u",
			l->name, row.barcode, address);
	}
	return inventory_tape_new(&row);
}

static bool fits(const struct library *l, const struct inventory_tape *t)
{
	return t->row.place.kind == CATALOG_IN_VAULT ||
	       (t->row.place.kind != CATALOG_IN_TRANSPORT &&
		       inventory_element(&l->inv, t->row.place));
}

/* Under the lock. The rows become the inventory's; those that had to move are listed. */
static int place_all(struct library_load *load)
{
	struct library *l = load->l;
	int err = inventory_reserve(&l->inv, load->n);
	size_t homeless = 0;

	for (size_t i = 0; !err && i < load->n; i++) {
		struct inventory_tape *t = load->tapes[i];

		load->tapes[i] = NULL;
		if (fits(l, t))
			inventory_put(&l->inv, t);
		else
			load->tapes[homeless++] = t;
	}
	for (; !err && load->moved < homeless; load->moved++) {
		struct inventory_tape *t = rehoused(l, load->tapes[load->moved]);

		if (!t) {
			err = -ENOMEM;
			break;
		}
		free(load->tapes[load->moved]);
		load->tapes[load->moved] = t;
		inventory_put(&l->inv, t);
	}
	if (!err)
		load->n = 0; /* all are the inventory's */
	else
		memset(load->tapes, 0, load->moved * sizeof(struct inventory_tape *));
	return err;
}

/* --- files ------------------------------------------------------------------------- */

static bool known(const char *barcode, void *arg)
{
	return inventory_find(&((struct library *)arg)->inv, barcode);
}

/* On the pool. */
static void settle_run(struct work *w)
{
	struct library *l = container_of(w, struct library_load, work)->l;

	shelf_settle(l->path, known, l);
	shelf_settle(l->archive, known, l);
	for (size_t i = 0; i < l->inv.n; i++)
		library_look_at(l, l->inv.tapes[i]);
}

static void files_settled(struct work *w)
{
	struct library_load *load = container_of(w, struct library_load, work);
	struct library *l = load->l;

	pthread_mutex_lock(&l->lock);
	l->loaded = true;
	l->generation_number++;
	pthread_mutex_unlock(&l->lock);
	library_tell(l, LIBRARY_LOADED);
	library_reload(l);
	library_resume(l);
	finish(load, 0, "");
}

/* --- the steps --------------------------------------------------------------------- */

static void settle_files(struct library_load *load)
{
	load->work = (struct work){
		.run = settle_run,
		.done = files_settled,
		.home = load->l->loop,
	};
	work_submit(load->l->pool, &load->work);
}

static void moved_written(struct catalog_request *r)
{
	struct library_load *load = container_of(r, struct library_load, request);

	if (r->err)
		finish(load, r->err, r->why.text);
	else
		settle_files(load);
}

static void submit(struct library_load *load,
	int (*run)(struct catalog_request *r, struct catalog_tx *tx),
	void (*done)(struct catalog_request *r))
{
	load->request = (struct catalog_request){ .run = run, .done = done, .home = load->l->loop };
	catalog_submit(load->l->catalog, &load->request);
}

static void rows_read(struct catalog_request *r)
{
	struct library_load *load = container_of(r, struct library_load, request);
	struct library *l = load->l;
	int err = r->err;

	if (!err) {
		pthread_mutex_lock(&l->lock);
		err = place_all(load);
		pthread_mutex_unlock(&l->lock);
	}
	if (err)
		finish(load, err, r->why.text);
	else if (load->moved)
		submit(load, write_moved, moved_written);
	else
		settle_files(load);
}

void library_load(struct library *l, void (*loaded)(void *arg, int err, const char *why), void *arg)
{
	struct library_load *load = calloc(1, sizeof(*load));

	if (!load) {
		loaded(arg, -ENOMEM, "");
		return;
	}
	load->l = l;
	load->loaded = loaded;
	load->arg = arg;
	l->busy = true;
	submit(load, read_rows, rows_read);
}
