/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last reference of a lu may be dropped by a reactor, which must not wait for a flush. So a
 * backing keeps a reference of its own on the store: what ends on the reactor is memory alone. The
 * lu says that it is gone, the main loop hears it, and the pool closes the store.
 */
#include "registry/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/naa.h"

/* --- backings ------------------------------------------------------------------------------- */

static void backing_close(struct work *w)
{
	store_close(container_of(w, struct backing, work)->store);
}

static void closing_over(struct units_env *env)
{
	struct list *l;

	if (--env->closing)
		return;
	while ((l = list_pop(&env->waiting))) {
		struct units_wait *wait = container_of(l, struct units_wait, link);

		wait->run(wait);
	}
}

static void backing_closed(struct work *w)
{
	struct backing *b = container_of(w, struct backing, work);
	struct units_env *env = b->env;

	free(b->path);
	free(b);
	closing_over(env);
}

/* One unit less: with the last one it is closed. NULL is fine. */
static void backing_put(struct backing *b)
{
	if (!b || --b->users)
		return;
	if (b->library) {
		served_library_release(b->library);
		free(b);
		return;
	}
	b->env->closing++;
	b->work = (struct work){
		.run = backing_close,
		.done = backing_closed,
		.home = b->env->loop,
	};
	if (!b->env->in_place) {
		work_submit(b->env->pool, &b->work);
		return;
	}
	backing_close(&b->work);
	backing_closed(&b->work);
}

static void store_cfg_of(
	const struct units_env *env, const struct config_lun *row, struct store_cfg *out)
{
	*out = (struct store_cfg){
		.kind = row->store == CONFIG_STORE_FILE ? "file" : "ram",
		.path = row->path,
		.size = row->size,
		.block_size = row->block_size,
		.create = row->create,
		.read_only = row->read_only && row->store == CONFIG_STORE_FILE,
		.engine = env->engine,
	};
}

int backing_open(struct units_env *env, const struct config_lun *row, struct backing **out,
	struct store_error *why)
{
	struct backing *b = calloc(1, sizeof(*b));
	struct store_cfg cfg;
	struct stat st;
	bool there;
	int err;

	if (!b || (row->path && !(b->path = strdup(row->path)))) {
		free(b);
		snprintf(why->text, sizeof(why->text), "out of memory");
		return -ENOMEM;
	}
	store_cfg_of(env, row, &cfg);
	there = !row->path || !stat(row->path, &st) || errno != ENOENT;
	err = store_open(&cfg, &b->store, why);
	if (err) {
		free(b->path);
		free(b);
		return err;
	}
	b->env = env;
	b->made = !there;
	*out = b;
	return 0;
}

int backing_hold(struct units_env *env, const struct libraries *libraries,
	const struct config_lun *row, struct backing **out)
{
	struct backing *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->env = env;
	b->library = libraries_find(libraries, row->library);
	b->device = row->device;
	served_library_hold(b->library);
	*out = b;
	return 0;
}

void backing_unmake(const struct backing *b)
{
	struct stat st;

	if (b->made && !stat(b->path, &st) && st.st_blocks == 0)
		unlink(b->path);
}

/* --- traits --------------------------------------------------------------------------------- */

static void set_text(struct unit_traits *t, const char *vendor, const char *product,
	const char *revision, const char *serial)
{
	snprintf(t->vendor, sizeof(t->vendor), "%s", vendor ? vendor : "");
	snprintf(t->product, sizeof(t->product), "%s", product ? product : "");
	snprintf(t->revision, sizeof(t->revision), "%s", revision ? revision : "");
	snprintf(t->serial, sizeof(t->serial), "%s", serial);
}

static int device_traits(const struct units_env *env, const struct served_library *library,
	unsigned device, struct unit_traits *t)
{
	struct served_device d;

	memset(t, 0, sizeof(*t));
	served_library_device(library, device, &d);
	set_text(t, d.vendor, d.product, d.revision, d.serial);
	return naa_of_place(env->identity, d.place, t->naa) ? 0 : -ENOMEM;
}

static int disk_traits(const struct units_env *env, const struct config_target *target,
	const struct config_lun *row, struct unit_traits *t)
{
	struct naa_text naa;
	char place[320];
	const char *digits;

	memset(t, 0, sizeof(*t));
	snprintf(place, sizeof(place), "%s\n%" PRIu32 "\n", target->name, row->lun);
	if (row->naa)
		naa_read(row->naa, t->naa);
	else if (!naa_of_place(env->identity, place, t->naa))
		return -ENOMEM;
	t->block_size = row->block_size;
	t->physical_block_size = row->physical_block_size;
	t->read_only = row->read_only;
	t->removable = row->removable;
	t->thin = row->thin;
	t->write_through = !row->write_cache;
	t->long_cdbs = row->long_cdbs;
	/* The end of the identifier differs from unit to unit; 16 digits is what hosts show whole. */
	digits = naa_text(t->naa, &naa);
	set_text(t, row->vendor, row->product, row->revision,
		row->serial ? row->serial : digits + (strlen(digits) - 16));
	return 0;
}

bool unit_traits_same(const struct unit_traits *a, const struct unit_traits *b)
{
	return !memcmp(a->naa, b->naa, sizeof(a->naa)) && a->block_size == b->block_size &&
	       a->physical_block_size == b->physical_block_size && a->read_only == b->read_only &&
	       a->removable == b->removable && a->thin == b->thin &&
	       a->write_through == b->write_through && a->long_cdbs == b->long_cdbs &&
	       !strcmp(a->vendor, b->vendor) && !strcmp(a->product, b->product) &&
	       !strcmp(a->revision, b->revision) && !strcmp(a->serial, b->serial);
}

int unit_traits_of(const struct units_env *env, const struct libraries *libraries,
	const struct config_target *target, const struct config_lun *row, struct unit_traits *t)
{
	if (!row->library)
		return disk_traits(env, target, row, t);
	return device_traits(env, libraries_find(libraries, row->library), row->device, t);
}

/* --- units ---------------------------------------------------------------------------------- */

static void unit_free(struct unit *u)
{
	list_del(&u->leaving);
	backing_put(u->backing);
	free(u);
}

static void unit_flushed(struct store_io *io, int err)
{
	struct unit *u = container_of(io, struct unit, flush);
	struct units_env *env = u->env;

	(void)err; /* the store has logged it, and tells every host that asks for a flush */
	unit_free(u);
	closing_over(env);
}

/* On the main loop: neither a set nor a nexus has the unit any more. Where another one has taken its
 * place, what hosts wrote through this one is flushed as it is when a store is closed: they may see
 * no write cache any more, and ask for no flush. */
static void unit_gone(struct loop_msg *m)
{
	struct unit *u = container_of(m, struct unit, gone);
	struct store *st = u->backing->store;

	u->flush =
		(struct store_io){ .op = STORE_FLUSH, .loop = u->env->loop, .done = unit_flushed };
	if (st && u->backing->users > 1 && store_submit(st, &u->flush) == STORE_PENDING)
		u->env->closing++;
	else
		unit_free(u);
}

/* On whatever thread dropped the last reference. */
static void on_lu_gone(void *arg)
{
	struct unit *u = arg;

	u->gone.run = unit_gone;
	loop_post(u->env->loop, &u->gone);
}

void unit_put(struct unit *u)
{
	if (!u || --u->sets)
		return;
	list_push(&u->env->leaving, &u->leaving);
	lu_unref(u->lu); /* on_lu_gone() follows, now or later */
}

/* What is kept of the unit's reservations: with one reference, or NULL and 0 for nothing. */
static int find_kept(struct units_env *env, const uint8_t naa[static 16], const struct ways *ways,
	const struct reservation **out)
{
	const struct reservation *kept = reservations_find(&env->reservations, naa);
	struct target_port *ports;

	*out = kept;
	if (!kept || !kept->by_group)
		return 0;
	ports = calloc(ways->n + 1, sizeof(*ports));
	for (size_t i = 0; ports && i < ways->n; i++)
		ports[i] = ways->v[i].port;
	*out = ports ? reservation_by_port(kept, ports, (unsigned)ways->n) : NULL;
	free(ports);
	reservation_unref(kept);
	return *out ? 0 : -ENOMEM;
}

static int disk_unit(const struct backing *b, const struct unit_traits *t,
	const struct device_cfg *how, struct lu **out)
{
	struct units_env *env = b->env;
	struct lu_saved saved;
	struct disk_cfg cfg = {
		.store = b->store,
		.block_size = t->block_size,
		.physical_block_size = t->physical_block_size,
		.read_only = t->read_only,
		.removable = t->removable,
		.thin = t->thin,
		.pool = env->pool,
		.write_through = t->write_through,
		.long_cdbs = t->long_cdbs,
		.vendor = t->vendor,
		.product = t->product,
		.revision = t->revision,
		.serial = t->serial,
		.keeper = how->keeper,
		.kept = how->kept,
		.mode_keeper = modes_keeper(&env->modes),
		.saved = modes_find(&env->modes, how->naa, &saved) ? &saved : NULL,
		.wipe_keeper = wipes_keeper(&env->wipes),
		.wiped = wipes_find(&env->wipes, how->naa, store_medium(b->store)),
		.gone = how->gone,
		.arg = how->arg,
	};
	int err;

	memcpy(cfg.naa, how->naa, sizeof(cfg.naa));
	store_ref(b->store);
	err = disk_create(&cfg, out);
	if (err)
		store_close(b->store);
	return err;
}

/* With the reservations that are kept of it. */
static int lu_create(
	struct units_env *env, const struct backing *b, struct unit *u, const struct ways *ways)
{
	const struct reservation *kept = NULL;
	struct device_cfg cfg = { .gone = on_lu_gone, .arg = u };
	int err;

	memcpy(cfg.naa, u->traits.naa, sizeof(cfg.naa));
	err = find_kept(env, cfg.naa, ways, &kept);
	cfg.keeper = reservations_keeper(&env->reservations);
	cfg.kept = kept ? &kept->is : NULL;
	if (!err && b->library)
		err = served_library_unit(b->library, b->device, &cfg, &u->lu);
	else if (!err)
		err = disk_unit(b, &u->traits, &cfg, &u->lu);
	reservation_unref(kept);
	return err;
}

int unit_create(struct units_env *env, struct backing *b, const struct unit_traits *t,
	const struct ways *ways, struct unit **out)
{
	struct unit *u = calloc(1, sizeof(*u));
	int err = -ENOMEM;

	if (!u)
		goto out;
	u->traits = *t;
	err = lu_create(env, b, u, ways);
	if (err)
		goto out;
	u->env = env;
	list_init(&u->leaving);
	u->backing = b;
	u->sets = 1;
	*out = u;
	u = NULL;
	b = NULL;
out:
	free(u);
	backing_put(b);
	return err;
}
