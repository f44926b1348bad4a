/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tape library: its making, what can be seen of it, and the order of requests.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtl/library_private.h"
#include "vtl/media.h"

const char *library_result_text(enum library_result r)
{
#define AS_TEXT(id, text) [id] = (text),
	static const char *const texts[] = { LIBRARY_RESULTS(AS_TEXT) };
#undef AS_TEXT

	return (size_t)r < sizeof(texts) / sizeof(texts[0]) ? texts[r] : "unknown result";
}

enum library_result library_result_of(int err)
{
	switch (err) {
	case 0: return LIBRARY_OK;
	case -ENOSPC:
	case -EDQUOT: return LIBRARY_NO_SPACE;
	case -ENOMEM: return LIBRARY_NO_MEMORY;
	case -EEXIST: return LIBRARY_EXISTS;
	default: return LIBRARY_FAILED;
	}
}

/* --- making one -------------------------------------------------------------------- */

static bool copy_drives(struct library *l, const struct library_cfg *cfg)
{
	l->drives = calloc(cfg->ndrives, sizeof(struct drive *));
	if (!l->drives)
		return false;
	memcpy(l->drives, cfg->drives, cfg->ndrives * sizeof(struct drive *));
	l->ndrives = cfg->ndrives;
	return true;
}

static void library_free(struct library *l)
{
	assert(list_empty(&l->queue) && list_empty(&l->listeners));
	inventory_free(&l->inv);
	free(l->drives);
	free(l->name);
	free(l->path);
	free(l->archive);
	pthread_mutex_destroy(&l->lock);
	pthread_mutex_destroy(&l->listeners_lock);
	free(l);
}

static bool cfg_valid(const struct library_cfg *cfg)
{
	return changer_model(cfg->model) && cfg->ndrives && cfg->ndrives <= LIBRARY_DRIVES_MAX &&
	       cfg->slots && cfg->slots <= LIBRARY_SLOTS_MAX &&
	       cfg->mail_slots <= LIBRARY_SLOTS_MAX && media_generation(cfg->generation);
}

static void kicked(struct loop_msg *m)
{
	struct library *l = container_of(m, struct library, kick);

	pthread_mutex_lock(&l->lock);
	l->kicked = false;
	pthread_mutex_unlock(&l->lock);
	library_pump(l);
}

int library_create(const struct library_cfg *cfg, struct library **out)
{
	struct library *l;
	int err;

	if (!cfg_valid(cfg))
		return -EINVAL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	list_init(&l->queue);
	list_init(&l->listeners);
	list_init(&l->ways);
	pthread_mutex_init(&l->lock, NULL);
	pthread_mutex_init(&l->listeners_lock, NULL);
	l->kick.run = kicked;
	l->model = changer_model(cfg->model);
	l->generation = cfg->generation;
	l->catalog = cfg->catalog;
	l->pool = cfg->pool;
	l->loop = cfg->loop;
	l->exported = cfg->exported;
	l->arg = cfg->arg;
	err = inventory_init(&l->inv, l->model, cfg->ndrives, cfg->slots, cfg->mail_slots);
	l->name = strdup(cfg->name);
	l->path = strdup(cfg->path);
	l->archive = strdup(cfg->archive);
	if (!err && (!l->name || !l->path || !l->archive || !copy_drives(l, cfg)))
		err = -ENOMEM;
	if (err)
		library_free(l);
	else
		*out = l;
	return err;
}

/* --- looking ----------------------------------------------------------------------- */

const char *library_name(const struct library *l)
{
	return l->name;
}

const struct changer_model *library_model(const struct library *l)
{
	return l->model;
}

/* The elements never change, only what is in them: no lock here and in the next two. */
struct library_range library_range(const struct library *l, enum catalog_place_kind kind)
{
	const struct inventory_range *r = &l->inv.range[kind];

	return (struct library_range){ r->first, r->count };
}

bool library_address(const struct library *l, struct catalog_place place, uint16_t *address)
{
	return inventory_address(&l->inv, place, address);
}

bool library_place(const struct library *l, uint16_t address, struct catalog_place *place)
{
	return inventory_place(&l->inv, address, place);
}

static void describe(
	const struct library *l, struct catalog_place place, struct library_element *out)
{
	const struct inventory_range *r = &l->inv.range[place.kind];
	const struct inventory_element *e = &r->element[place.number];
	const struct inventory_tape *t = e->tape;

	out->address = (uint16_t)(r->first + place.number);
	out->place = place;
	out->drive = place.kind == CATALOG_IN_DRIVE ? l->drives[place.number] : NULL;
	out->full = t;
	out->kept = !t && e->reserved;
	if (!t)
		return;
	out->imported = t->imported;
	out->sourced = inventory_address(&l->inv, t->row.source, &out->source);
	out->cleaning = t->row.cleaning;
	out->worm = t->row.worm;
	out->write_protect = t->row.write_protect;
	out->generation = t->row.medium;
	strcpy(out->barcode, t->row.barcode);
}

bool library_element(struct library *l, uint16_t address, struct library_element *out)
{
	struct catalog_place place;

	if (!inventory_place(&l->inv, address, &place))
		return false;
	*out = (struct library_element){ .full = false };
	pthread_mutex_lock(&l->lock);
	describe(l, place, out);
	pthread_mutex_unlock(&l->lock);
	return true;
}

size_t library_elements(struct library *l, enum catalog_place_kind kind, uint16_t first, size_t max,
	void (*fn)(const struct library_element *e, void *arg), void *arg)
{
	struct library_element e = { .full = false };
	size_t n = 0;

	pthread_mutex_lock(&l->lock);
	for (unsigned int k = 0; k < INVENTORY_KINDS - 1; k++) {
		enum catalog_place_kind now = l->inv.order[k];
		const struct inventory_range *r = &l->inv.range[now];

		if (kind != CATALOG_IN_VAULT && kind != now)
			continue;
		for (uint32_t i = first > r->first ? (uint32_t)(first - r->first) : 0;
			i < r->count && n < max; i++, n++) {
			describe(l, (struct catalog_place){ now, i }, &e);
			fn(&e, arg);
		}
	}
	pthread_mutex_unlock(&l->lock);
	return n;
}

void library_tapes(
	struct library *l, bool (*fn)(const struct catalog_tape *t, void *arg), void *arg)
{
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->inv.n; i++)
		if (!fn(&l->inv.tapes[i]->row, arg))
			break;
	pthread_mutex_unlock(&l->lock);
}

bool library_tape(struct library *l, const char *barcode,
	void (*fn)(const struct catalog_tape *t, void *arg), void *arg)
{
	const struct inventory_tape *t;

	pthread_mutex_lock(&l->lock);
	t = inventory_find(&l->inv, barcode);
	if (t && fn)
		fn(&t->row, arg);
	pthread_mutex_unlock(&l->lock);
	return t;
}

const char *library_shelf(const struct library *l, const struct catalog_tape *row)
{
	bool archived = !strcmp(row->state, LIBRARY_STATE_ARCHIVED) ||
			!strcmp(row->state, LIBRARY_STATE_RETRIEVING);

	return archived ? l->archive : l->path;
}

bool library_loaded(struct library *l)
{
	bool loaded;

	pthread_mutex_lock(&l->lock);
	loaded = l->loaded;
	pthread_mutex_unlock(&l->lock);
	return loaded;
}

void library_status(struct library *l, struct library_status *out)
{
	*out = (struct library_status){ .locked = library_locked(l, CATALOG_IN_MAIL_SLOT) };
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->inv.n; i++)
		if (l->inv.tapes[i]->row.place.kind == CATALOG_IN_VAULT)
			out->archived++;
		else
			out->tapes++;
	for (size_t i = 0; i < l->inv.n; i++)
		out->missing += l->inv.tapes[i]->missing;
	out->moves = l->moves;
	out->failures = l->failures;
	out->generation = l->generation_number;
	out->loading = !l->loaded;
	pthread_mutex_unlock(&l->lock);
}

/* --- being told -------------------------------------------------------------------- */

void library_listen(struct library *l, struct library_listener *ls)
{
	pthread_mutex_lock(&l->listeners_lock);
	list_push(&l->listeners, &ls->link);
	pthread_mutex_unlock(&l->listeners_lock);
}

void library_unlisten(struct library *l, struct library_listener *ls)
{
	pthread_mutex_lock(&l->listeners_lock);
	list_del(&ls->link);
	pthread_mutex_unlock(&l->listeners_lock);
}

void library_notify(struct library *l, enum catalog_place_kind kind)
{
	library_tell(
		l, kind == CATALOG_IN_MAIL_SLOT ? LIBRARY_MAIL_CHANGED : LIBRARY_INVENTORY_CHANGED);
}

void library_tell(struct library *l, enum library_event event)
{
	pthread_mutex_lock(&l->listeners_lock);
	list_for_each(it, &l->listeners) {
		struct library_listener *ls = container_of(it, struct library_listener, link);

		ls->changed(ls, event);
	}
	pthread_mutex_unlock(&l->listeners_lock);
}

/* The same of moves, once they have been looked at: a library that is not in service has not. */
static void tell_moved(struct library *l, const struct library_job *job)
{
	enum library_op op = job->r->op;

	if ((op != LIBRARY_MOVE && op != LIBRARY_EXCHANGE) || job->result == LIBRARY_CLOSING)
		return;
	pthread_mutex_lock(&l->listeners_lock);
	list_for_each(it, &l->listeners) {
		struct library_listener *ls = container_of(it, struct library_listener, link);

		if (ls->moved)
			ls->moved(ls, job->result, job->nunload || job->nload);
	}
	pthread_mutex_unlock(&l->listeners_lock);
}

void library_miss(struct library *l, const char *barcode, bool missing)
{
	struct inventory_tape *t;

	pthread_mutex_lock(&l->lock);
	t = inventory_find(&l->inv, barcode);
	if (t)
		t->missing = missing;
	pthread_mutex_unlock(&l->lock);
}

bool library_locked(struct library *l, enum catalog_place_kind kind)
{
	bool locked = false;

	if (kind != CATALOG_IN_MAIL_SLOT)
		return false;
	pthread_mutex_lock(&l->listeners_lock);
	list_for_each(it, &l->listeners) {
		struct library_listener *ls = container_of(it, struct library_listener, link);

		locked = locked || ls->locked(ls);
	}
	pthread_mutex_unlock(&l->listeners_lock);
	return locked;
}

/* --- requests, one after the other ------------------------------------------------- */

static void tell(struct loop_msg *m)
{
	struct library_request *r = container_of(m, struct library_request, msg);

	r->done(r);
}

void library_answer(struct library_request *r, enum library_result result, int err)
{
	r->result = result;
	r->err = err;
	r->msg.run = tell;
	loop_post(r->home, &r->msg);
}

void library_submit(struct library *l, struct library_request *r)
{
	bool kick;

	list_init(&r->link);
	r->err = 0;
	r->why[0] = '\0';
	pthread_mutex_lock(&l->lock);
	r->result = l->closing ? LIBRARY_CLOSING : LIBRARY_OK;
	list_push(&l->queue, &r->link);
	kick = !l->kicked;
	l->kicked = true;
	pthread_mutex_unlock(&l->lock);
	if (kick)
		loop_post(l->loop, &l->kick);
}

static struct library_request *take(struct library *l)
{
	struct list *e;

	pthread_mutex_lock(&l->lock);
	e = list_pop(&l->queue);
	pthread_mutex_unlock(&l->lock);
	return e ? container_of(e, struct library_request, link) : NULL;
}

static bool barcode_given(const struct library_request *r)
{
	return r->op == LIBRARY_MOVE || r->op == LIBRARY_EXCHANGE || r->op == LIBRARY_LOOK ||
	       r->barcode;
}

static void start(struct library *l, struct library_request *r)
{
	static void (*const ops[])(struct library * l) = {
		[LIBRARY_MOVE] = library_move,
		[LIBRARY_EXCHANGE] = library_move,
		[LIBRARY_ADD] = library_add,
		[LIBRARY_REMOVE] = library_remove,
		[LIBRARY_ARCHIVE] = library_archive,
		[LIBRARY_RETRIEVE] = library_retrieve,
		[LIBRARY_CANCEL] = library_cancel,
		[LIBRARY_PROTECT] = library_protect,
		[LIBRARY_POOL] = library_assign,
		[LIBRARY_LOOK] = library_look,
		[LIBRARY_SETTLE] = library_settle,
	};

	l->busy = true;
	l->job = (struct library_job){ .r = r };
	if (!l->loaded || r->result)
		library_end(l, LIBRARY_CLOSING, 0);
	else if ((size_t)r->op >= sizeof(ops) / sizeof(ops[0]) || !barcode_given(r))
		library_end(l, LIBRARY_INVALID, 0);
	else
		ops[r->op](l);
}

/* Nothing is under way any more, and nobody wants anything. */
static bool may_go(struct library *l)
{
	bool kick;

	pthread_mutex_lock(&l->lock);
	kick = l->kicked;
	pthread_mutex_unlock(&l->lock);
	return l->closing && !l->busy && !l->carriers && !kick;
}

static void go(struct library *l)
{
	void (*closed)(void *arg) = l->closed;
	void *arg = l->closed_arg;

	library_free(l);
	closed(arg);
}

void library_pump(struct library *l)
{
	struct library_request *r;

	if (l->pumping)
		return;
	l->pumping = true;
	while (!l->busy && (r = take(l)))
		start(l, r);
	l->pumping = false;
	if (may_go(l))
		go(l);
}

static void log_failure(const struct library *l, const struct library_job *job)
{
	if (job->result == LIBRARY_FAILED || job->result == LIBRARY_NO_SPACE ||
		job->result == LIBRARY_DRIVE_FAILED)
		log_msg(LOG_ERR, "library %s: %s: %s%s%s", l->name,
			library_result_text(job->result), strerror(-job->err),
			job->r->why[0] ? ": " : "", job->r->why);
}

void library_end(struct library *l, enum library_result result, int err)
{
	struct library_job *job = &l->job;

	job->result = result;
	job->err = err;
	log_failure(l, job);
	tell_moved(l, job);
	free(job->next);
	job->next = NULL;
	l->busy = false;
	library_answer(job->r, result, err);
	library_pump(l);
}

void library_set_aside(struct library *l)
{
	l->busy = false;
	library_pump(l);
}

void library_close(struct library *l, void (*closed)(void *arg), void *arg)
{
	pthread_mutex_lock(&l->lock);
	l->closing = true;
	pthread_mutex_unlock(&l->lock);
	library_stop_ways(l);
	l->closed = closed;
	l->closed_arg = arg;
	library_pump(l);
}

/* --- steps that requests share ----------------------------------------------------- */

void library_work(struct library *l, void (*run)(struct work *w), void (*done)(struct work *w))
{
	l->job.work_err = 0;
	l->job.work.run = run;
	l->job.work.done = done;
	l->job.work.home = l->loop;
	work_submit(l->pool, &l->job.work);
}

enum library_result library_choose(
	struct library *l, const struct library_request *r, struct catalog_place *place)
{
	const struct inventory_element *e;

	switch (r->where) {
	case LIBRARY_ANYWHERE:
		if (inventory_vacant(&l->inv, CATALOG_IN_SLOT, place))
			return LIBRARY_OK;
		/* fall through */
	case LIBRARY_IN_MAIL:
		return inventory_vacant(&l->inv, CATALOG_IN_MAIL_SLOT, place) ? LIBRARY_OK
									      : LIBRARY_NO_ROOM;
	case LIBRARY_IN_SLOT:
		return inventory_vacant(&l->inv, CATALOG_IN_SLOT, place) ? LIBRARY_OK
									 : LIBRARY_NO_ROOM;
	case LIBRARY_AT: break;
	default: return LIBRARY_INVALID;
	}
	if (!inventory_place(&l->inv, r->to, place) ||
		(place->kind != CATALOG_IN_SLOT && place->kind != CATALOG_IN_MAIL_SLOT))
		return LIBRARY_NO_ELEMENT;
	e = inventory_element(&l->inv, *place);
	return e->tape ? LIBRARY_FULL : e->reserved ? LIBRARY_KEPT : LIBRARY_OK;
}

bool library_prepare(struct library *l, const struct catalog_tape *row)
{
	l->job.next = inventory_tape_new(row);
	if (!l->job.next)
		library_end(l, LIBRARY_NO_MEMORY, -ENOMEM);
	return l->job.next;
}

/* --- the transaction --------------------------------------------------------------- */

static struct library *library_of_commit(struct catalog_request *c)
{
	return container_of(container_of(c, struct library_job, commit), struct library, job);
}

/* The row of a cartridge that moves, as it will be. */
static struct catalog_tape moved_row(
	const struct inventory *inv, const struct library_job *job, size_t i)
{
	struct catalog_tape row = inventory_find(inv, job->moves[i].barcode)->row;

	row.place = job->moves[i].place;
	row.source = job->moves[i].source;
	if (job->used_known[i])
		row.used = job->used[i];
	return row;
}

static int move_rows(
	const struct library_job *job, const struct inventory *inv, struct catalog_tx *tx)
{
	int err = catalog_tape_move(tx, job->moves, job->nmoves);

	for (size_t i = 0; !err && i < job->nmoves; i++) {
		struct catalog_tape row;

		if (!job->used_known[i])
			continue;
		row = moved_row(inv, job, i);
		err = catalog_tape_put(tx, &row);
	}
	return err;
}

static int change_rows(const struct library *l, struct catalog_tx *tx)
{
	const struct library_job *job = &l->job;

	if (job->nmoves)
		return move_rows(job, &l->inv, tx);
	switch (job->change) {
	case LIBRARY_NEW_ROW: return catalog_tape_add(tx, &job->next->row);
	case LIBRARY_NO_ROW: return catalog_tape_remove(tx, job->next->row.barcode);
	default: return catalog_tape_put(tx, &job->next->row);
	}
}

static int also(
	const struct library_job *job, struct catalog_tx *tx, const struct catalog_tape *row)
{
	int err = job->r->also ? job->r->also(job->r, tx, row) : 0;

	if (err || !job->others)
		return err;
	list_for_each(it, job->others) {
		struct library_request *r = container_of(it, struct library_request, link);

		err = err || !r->also ? err : r->also(r, tx, row);
	}
	return err;
}

static int commit_run(struct catalog_request *c, struct catalog_tx *tx)
{
	struct library *l = library_of_commit(c);
	const struct library_job *job = &l->job;
	int err = change_rows(l, tx);
	struct catalog_tape row;

	if (err)
		return err;
	if (!job->nmoves)
		return also(job, tx, job->change == LIBRARY_NO_ROW ? NULL : &job->next->row);
	row = moved_row(&l->inv, job, 0);
	return also(job, tx, &row);
}

/* What is durable becomes true in memory. */
static void apply(struct library *l)
{
	struct library_job *job = &l->job;

	pthread_mutex_lock(&l->lock);
	if (job->nmoves) {
		inventory_move(&l->inv, job->moves, job->nmoves);
		for (size_t i = 0; i < job->nmoves; i++)
			if (job->used_known[i])
				inventory_find(&l->inv, job->moves[i].barcode)->row.used =
					job->used[i];
		l->moves += job->nmoves;
	} else if (job->change == LIBRARY_NO_ROW) {
		inventory_remove(&l->inv, job->next->row.barcode);
	} else {
		inventory_put(&l->inv, job->next);
		job->next = NULL;
	}
	l->generation_number++;
	pthread_mutex_unlock(&l->lock);
}

static void committed(struct catalog_request *c)
{
	struct library *l = library_of_commit(c);

	if (c->err)
		snprintf(l->job.r->why, sizeof(l->job.r->why), "%s", c->why.text);
	else
		apply(l);
	l->job.committed(l, c->err);
}

void library_commit(struct library *l, void (*then)(struct library *l, int err))
{
	struct library_job *job = &l->job;
	int err;

	pthread_mutex_lock(&l->lock);
	err = job->nmoves ? 0 : inventory_reserve(&l->inv, 1);
	pthread_mutex_unlock(&l->lock);
	if (err) {
		then(l, err);
		return;
	}
	job->committed = then;
	job->commit = (struct catalog_request){
		.run = commit_run,
		.done = committed,
		.home = l->loop,
	};
	catalog_submit(l->catalog, &job->commit);
}
