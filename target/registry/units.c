/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of units, one of each configuration. A set has an entry for each row that declares a unit;
 * what stays the same goes from one set to the next.
 */
#include "registry/units.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/value.h"
#include "registry/fault.h"
#include "registry/unit.h"

struct entry {
	const struct config_target *target;
	const struct config_lun *row;
	struct unit *unit;
	uint64_t old_size; /* the store was enlarged for this set; 0: it was not */
};

struct units {
	struct units_env *env;
	const struct config *cfg;
	const struct libraries *libraries;
	struct entry *v; /* sorted by row, as rows lie in memory */
	size_t n;
	struct entry **by_place; /* by target and LUN */
	struct entry **by_path;  /* file stores only */
	size_t n_paths;
	struct ways ways;
};

void units_env_init(struct units_env *env)
{
	list_init(&env->leaving);
	list_init(&env->waiting);
	env->closing = 0;
}

void units_when_closed(struct units_env *env, struct units_wait *w)
{
	if (env->closing)
		list_push(&env->waiting, &w->link);
	else
		w->run(w);
}

/* --- finding -------------------------------------------------------------------------------- */

static int compare_pointers(const void *a, const void *b)
{
	return a < b ? -1 : a > b;
}

static int by_row(const void *a, const void *b)
{
	return compare_pointers(((const struct entry *)a)->row, ((const struct entry *)b)->row);
}

static int by_place(const void *a, const void *b)
{
	const struct entry *x = *(const struct entry *const *)a;
	const struct entry *y = *(const struct entry *const *)b;
	int order = strcmp(x->target->name, y->target->name);

	return order ? order : x->row->lun < y->row->lun ? -1 : x->row->lun > y->row->lun;
}

static int by_path(const void *a, const void *b)
{
	const struct entry *x = *(const struct entry *const *)a;
	const struct entry *y = *(const struct entry *const *)b;

	return strcmp(x->row->path, y->row->path);
}

static struct entry *search(struct entry **v, size_t n, const struct entry *like,
	int (*order)(const void *, const void *))
{
	struct entry **found = n ? bsearch(&like, v, n, sizeof(struct entry *), order) : NULL;

	return found ? *found : NULL;
}

/* The unit of `old` that had the data of this entry: the same path, the same place in memory, or a
 * device at the same place. */
static struct entry *find_old(struct units *old, const struct entry *e)
{
	struct entry *found;

	if (!old)
		return NULL;
	if (e->row->store == CONFIG_STORE_FILE)
		return search(old->by_path, old->n_paths, e, by_path);
	found = search(old->by_place, old->n, e, by_place);
	return found && found->row->store == CONFIG_STORE_RAM ? found : NULL;
}

/* Whether what is behind a unit can stand behind a row. */
static bool suits(const struct units *set, const struct unit *u, const struct config_lun *row)
{
	const struct backing *b = u->backing;

	if (row->library)
		return b->library == libraries_find(set->libraries, row->library) &&
		       b->device == row->device;
	return b->store && u->traits.block_size == row->block_size &&
	       (row->store == CONFIG_STORE_RAM || row->read_only || !store_read_only(b->store));
}

/* A file that a session has not let go of yet, though the configuration had. */
static struct unit *find_leaving(const struct units_env *env, const struct config_lun *row)
{
	if (row->store != CONFIG_STORE_FILE)
		return NULL;
	list_for_each(l, &env->leaving) {
		struct unit *u = container_of(l, struct unit, leaving);

		if (u->backing->path && !strcmp(u->backing->path, row->path) &&
			!store_astray(u->backing->store))
			return u;
	}
	return NULL;
}

/* --- preparing a set ------------------------------------------------------------------------ */

static int refuse_row(const struct units *u, const struct entry *e, int err, const char *text,
	struct faults *faults)
{
	const void *member = e->row->library ? (const void *)e->row->library
			     : e->row->path  ? (const void *)&e->row->path
					     : &e->row->size;

	return registry_fault(faults, u->cfg, member, err, "LUN %" PRIu32 " of %s: %s", e->row->lun,
		e->target->name, text);
}

static int enlarge(const struct units *u, struct entry *e, struct faults *faults)
{
	struct store *st = e->unit->backing->store;
	uint64_t size = st ? store_size(st) : 0;
	uint64_t want = !st ? 0 : e->row->size ? e->row->size : store_room(st);
	int err;

	if (want <= size)
		return 0;
	err = store_resize(st, want);
	if (err)
		return refuse_row(u, e, err, strerror(-err), faults);
	e->old_size = size;
	return 0;
}

static int new_unit(struct units *u, struct entry *e, struct backing *b,
	const struct unit_traits *t, struct faults *faults)
{
	struct ways ways = ways_to(&u->ways, e->row);
	struct store_error store_why = { .text = "out of memory" };
	int err = 0;

	if (!b && e->row->library)
		err = backing_hold(u->env, u->libraries, e->row, &b);
	else if (!b)
		err = backing_open(u->env, e->row, &b, &store_why);
	if (err)
		return refuse_row(u, e, err, store_why.text, faults);
	b->users++;
	err = unit_create(u->env, b, t, &ways, &e->unit);
	if (!err)
		err = ways_tell(&ways, e->unit->lu, u->env->access);
	return err ? refuse_row(u, e, err, strerror(-err), faults) : 0;
}

static int prepare_entry(struct units *u, struct units *old, struct entry *e, struct faults *faults)
{
	struct entry *old_entry = find_old(old, e);
	struct unit *was = old_entry ? old_entry->unit : find_leaving(u->env, e->row);
	struct unit_traits t;
	int err = unit_traits_of(u->env, u->libraries, e->target, e->row, &t);

	if (err)
		return refuse_row(u, e, err, "no identity could be derived for it", faults);
	if (was && !suits(u, was, e->row)) {
		if (old_entry && e->row->path) /* which holds the file */
			return refuse_row(u, e, -EBUSY,
				"block_size, and read_only where the file was opened so, do not "
				"change while it is in use: take the LUN out, reload, and put it "
				"back, or restart",
				faults);
		was = NULL;
	}
	if (was && was->sets && unit_traits_same(&was->traits, &t)) {
		e->unit = was;
		e->unit->sets++;
		return 0;
	}
	/* It would go on under what is written by then. */
	if (was && was->sets && lu_wiping(was->lu))
		return refuse_row(u, e, -EBUSY,
			"it is being sanitized or formatted, and changes when that is over",
			faults);
	return new_unit(u, e, was ? was->backing : NULL, &t, faults);
}

static size_t count_rows(const struct config *cfg, bool (*counts)(const struct config_lun *))
{
	size_t n = 0;

	for (size_t i = 0; i < cfg->n_targets; i++)
		for (size_t j = 0; j < cfg->targets[i].n_luns; j++)
			n += counts(&cfg->targets[i].luns[j]);
	return n;
}

static bool declares(const struct config_lun *row)
{
	return row->unit == row;
}

static bool is_file(const struct config_lun *row)
{
	return declares(row) && row->store == CONFIG_STORE_FILE;
}

static void list_entries(struct units *u)
{
	for (size_t i = 0; i < u->cfg->n_targets; i++) {
		const struct config_target *t = &u->cfg->targets[i];

		for (size_t j = 0; j < t->n_luns; j++)
			if (declares(&t->luns[j]))
				u->v[u->n++] = (struct entry){ .target = t, .row = &t->luns[j] };
	}
	qsort(u->v, u->n, sizeof(*u->v), by_row);
	for (size_t i = 0; i < u->n; i++) {
		u->by_place[i] = &u->v[i];
		if (is_file(u->v[i].row))
			u->by_path[u->n_paths++] = &u->v[i];
	}
	qsort(u->by_place, u->n, sizeof(struct entry *), by_place);
	qsort(u->by_path, u->n_paths, sizeof(struct entry *), by_path);
}

static struct units *units_new(
	struct units_env *env, const struct config *cfg, const struct libraries *libraries)
{
	struct units *u = calloc(1, sizeof(*u));
	size_t rows = count_rows(cfg, declares);

	if (!u)
		return NULL;
	u->env = env;
	u->cfg = cfg;
	u->libraries = libraries;
	u->v = calloc(rows + 1, sizeof(*u->v));
	u->by_place = calloc(rows + 1, sizeof(struct entry *));
	u->by_path = calloc(count_rows(cfg, is_file) + 1, sizeof(struct entry *));
	if (u->v && u->by_place && u->by_path && ways_list(&u->ways, cfg, env->target_ports)) {
		list_entries(u);
		return u;
	}
	units_free(u);
	return NULL;
}

int units_prepare(struct units_env *env, const struct config *cfg,
	const struct libraries *libraries, struct units *old, struct units **out,
	struct faults *faults)
{
	struct units *u = units_new(env, cfg, libraries);
	int err = 0;

	if (!u)
		return registry_fault(faults, cfg, NULL, -ENOMEM, "out of memory");
	for (size_t i = 0; err != -ENOMEM && i < u->n; i++) {
		int failed = prepare_entry(u, old, &u->v[i], faults);

		err = failed ? failed : err;
	}
	if (err)
		units_abandon(u);
	else
		*out = u;
	return err;
}

int units_enlarge(struct units *u, struct faults *faults)
{
	int err = 0;

	for (size_t i = 0; i < u->n; i++) {
		int failed = enlarge(u, &u->v[i], faults);

		err = failed ? failed : err;
	}
	return err;
}

void units_abandon(struct units *u)
{
	for (size_t i = 0; u && i < u->n; i++) {
		struct entry *e = &u->v[i];

		if (!e->unit)
			continue;
		if (e->old_size && store_resize(e->unit->backing->store, e->old_size))
			log_msg(LOG_WARNING, "LUN %" PRIu32 " of %s: its store stays enlarged",
				e->row->lun, e->target->name);
		if (e->unit->sets == 1)
			backing_unmake(e->unit->backing);
	}
	units_free(u);
}

/* The unit of another set with this identity, or NULL. */
static struct unit *find_naa(const struct units *u, const uint8_t naa[static 16])
{
	for (size_t i = 0; i < u->n; i++)
		if (!memcmp(u->v[i].unit->traits.naa, naa, 16))
			return u->v[i].unit;
	return NULL;
}

int units_succeed(struct units *u, struct units *old)
{
	int err = 0;

	for (size_t i = 0; !err && i < u->n; i++) {
		struct unit *is = u->v[i].unit;
		struct unit *was = is->sets == 1 ? find_naa(old, is->traits.naa) : NULL;

		if (was)
			err = lu_succeed(is->lu, was->lu);
	}
	return err;
}

void units_stay(struct units *old)
{
	for (size_t i = 0; i < old->n; i++)
		lu_stay(old->v[i].unit->lu);
}

static void shrink(struct entry *e)
{
	struct store *st = e->unit->backing->store;
	int err;

	if (!st || !e->row->size || e->row->size >= store_size(st))
		return;
	err = store_resize(st, e->row->size);
	if (err)
		log_msg(LOG_ERR, "LUN %" PRIu32 " of %s: cannot be made smaller: %s", e->row->lun,
			e->target->name, strerror(-err));
}

static void tell_ways(const struct units *u, const struct entry *e)
{
	struct ways ways = ways_to(&u->ways, e->row);

	if (ways_tell(&ways, e->unit->lu, u->env->access))
		log_msg(LOG_ERR,
			"LUN %" PRIu32 " of %s: out of memory: what it tells of its ports is not "
			"up to date",
			e->row->lun, e->target->name);
}

static void say_grown(const struct entry *e, void (*say)(void *arg, const char *line), void *arg)
{
	char before[VALUE_SIZE_TEXT], after[VALUE_SIZE_TEXT], text[512];
	uint64_t size = store_size(e->unit->backing->store);

	snprintf(text, sizeof(text), "LUN grown: %" PRIu32 " of %s, from %s to %s, as %s has",
		e->row->lun, e->target->name, value_size_text(e->old_size, before),
		value_size_text(size, after), e->row->path);
	log_msg(LOG_NOTICE, "reload: %s", text);
	if (say)
		say(arg, text);
}

/* A restored backup, say, that was moved to where the old file is still in use. */
static void say_astray(const struct entry *e, void (*say)(void *arg, const char *line), void *arg)
{
	char text[512];

	snprintf(text, sizeof(text),
		"LUN %" PRIu32 " of %s: %s is not the file in use any more: it was replaced or "
		"removed, and what hosts write goes to the old one and is lost with the next "
		"restart; take the LUN out, reload, and put it back, to use what is there now",
		e->row->lun, e->target->name, e->row->path);
	log_msg(LOG_WARNING, "reload: %s", text);
	if (say)
		say(arg, text);
}

void units_commit(struct units *u, void (*say)(void *arg, const char *line), void *arg)
{
	for (size_t i = 0; i < u->n; i++) {
		struct entry *e = &u->v[i];

		struct store *st = e->unit->backing->store;

		e->unit->backing->made = false;
		if (e->old_size && !e->row->size)
			say_grown(e, say, arg);
		if (st && store_astray(st))
			say_astray(e, say, arg);
		e->old_size = 0;
		shrink(e);
		if (st && lu_size(e->unit->lu) != store_size(st))
			lu_resized(e->unit->lu);
		tell_ways(u, e);
	}
}

void units_end_wiping(struct units *u)
{
	for (size_t i = 0; u && i < u->n; i++)
		lu_end_wiping(u->v[i].unit->lu);
}

void units_set_access(struct units *u, uint16_t group, enum lu_access access)
{
	for (size_t i = 0; i < u->n; i++)
		lu_set_access(u->v[i].unit->lu, group, access);
}

void units_free(struct units *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->n; i++)
		unit_put(u->v[i].unit);
	free(u->v);
	free(u->by_place);
	free(u->by_path);
	ways_free(&u->ways);
	free(u);
}

struct lu *units_find(const struct units *u, const struct config_lun *row)
{
	struct entry like = { .row = row->unit };
	const struct entry *found = bsearch(&like, u->v, u->n, sizeof(*u->v), by_row);

	assert(found);
	return found->unit->lu;
}

size_t units_count(const struct units *u)
{
	return u->n;
}
