/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Units and stores of the configuration.
 *
 *   set ──▶ entry ──▶ unit ──▶ lu (scsi/)          entry   a declaring row of one configuration
 *                      └────▶ backing ──▶ store    unit    lives while a set or a nexus has it
 *                                    or library    backing lives while a unit has it
 *
 * The last reference of a lu may be dropped by a reactor, which must not wait for a flush. So a
 * backing keeps a reference of its own on the store: what ends on the reactor is memory alone. The
 * lu says that it is gone, the main loop hears it, and the pool closes the store.
 */
#include "registry_units.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "config/value.h"
#include "registry_fault.h"

struct backing {
	struct units_env *env;
	struct store *store; /* NULL: it is a device of a library, which is held */
	struct served_library *library;
	unsigned device;
	char *path;     /* of a file store; or NULL */
	unsigned users; /* units */
	bool made;      /* the file was made for it, and has not been in use yet */
	struct work work;
};

/* What a nexus can see of a unit: two units that are equal in this, over the same store, are one. */
struct traits {
	uint8_t naa[16];
	uint32_t block_size, physical_block_size;
	bool read_only, removable, thin, write_through, long_cdbs;
	char vendor[9], product[17], revision[5], serial[37];
};

struct unit {
	struct units_env *env;
	struct list leaving; /* in env->leaving when sets is 0 */
	struct backing *backing;
	struct traits traits;
	struct lu *lu;
	unsigned sets; /* that have it; the lu's reference is theirs together */
	struct loop_msg gone;
};

struct entry {
	const struct config_target *target;
	const struct config_lun *row;
	struct unit *unit;
	uint64_t old_size; /* the store was enlarged for this set; 0: it was not */
};

/* A port through which a unit is reached. */
struct way {
	const struct config_lun *row; /* that declares the unit */
	const char *target;
	struct target_port port;
};
struct ways {
	const struct way *v;
	size_t n;
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
	struct way *ways; /* by row, group and identifier */
	size_t n_ways;
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

/* --- backings ------------------------------------------------------------------------------- */

static void backing_close(struct work *w)
{
	store_close(container_of(w, struct backing, work)->store);
}

static void backing_closed(struct work *w)
{
	struct backing *b = container_of(w, struct backing, work);
	struct units_env *env = b->env;
	struct list *l;

	free(b->path);
	free(b);
	if (--env->closing)
		return;
	while ((l = list_pop(&env->waiting))) {
		struct units_wait *wait = container_of(l, struct units_wait, link);

		wait->run(wait);
	}
}

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

static int backing_open(struct units_env *env, const struct config_lun *row, struct backing **out,
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

static int backing_hold(struct units_env *env, const struct libraries *libraries,
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

/* Nobody has been served from it, so there is nothing in it. */
static void backing_unmake(const struct backing *b)
{
	struct stat st;

	if (b->made && !stat(b->path, &st) && st.st_blocks == 0)
		unlink(b->path);
}

/* --- traits --------------------------------------------------------------------------------- */

/* An administratively assigned company identifier (IEEE 802c: the second digit is 2), as these
 * identifiers are made here and not bought. */
static const uint8_t company[3] = { 0x02, 0x43, 0x53 };

/* NAA 6h (SPC-5 7.7.6.6.5): one digit, the company in six, and 25 digits of a hash over what makes
 * the unit this one: whose it is, and its place. */
static int derive_naa(const struct units_env *env, const char *place, uint8_t naa[static 16])
{
	uint8_t hash[EVP_MAX_MD_SIZE] = { 0 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
		  EVP_DigestUpdate(ctx, env->identity, sizeof(env->identity)) &&
		  EVP_DigestUpdate(ctx, place, strlen(place)) &&
		  EVP_DigestFinal_ex(ctx, hash, NULL);

	EVP_MD_CTX_free(ctx);
	memcpy(naa, hash, 16);
	naa[0] = (uint8_t)(0x60 | company[0] >> 4);
	naa[1] = (uint8_t)(company[0] << 4 | company[1] >> 4);
	naa[2] = (uint8_t)(company[1] << 4 | company[2] >> 4);
	naa[3] = (uint8_t)(company[2] << 4 | (hash[3] & 0x0f));
	return ok ? 0 : -EIO;
}

/* The configuration has checked that these are 16 or 32 lower-case hex digits. */
static void read_naa(const char *text, uint8_t naa[static 16])
{
	memset(naa, 0, 16);
	for (size_t i = 0; i < 32 && text[i]; i++) {
		int digit = text[i] <= '9' ? text[i] - '0' : text[i] - 'a' + 10;

		naa[i / 2] = (uint8_t)(naa[i / 2] | digit << (i % 2 ? 0 : 4));
	}
}

static void print_naa(const uint8_t naa[static 16], char out[static 33])
{
	size_t len = naa[0] >> 4 == 6 ? 16 : 8;

	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", naa[i]);
}

static void set_text(struct traits *t, const char *vendor, const char *product,
	const char *revision, const char *serial)
{
	snprintf(t->vendor, sizeof(t->vendor), "%s", vendor ? vendor : "");
	snprintf(t->product, sizeof(t->product), "%s", product ? product : "");
	snprintf(t->revision, sizeof(t->revision), "%s", revision ? revision : "");
	snprintf(t->serial, sizeof(t->serial), "%s", serial);
}

static int device_traits(
	const struct units_env *env, const struct served_library *library, unsigned device,
	struct traits *t)
{
	struct served_device d;

	memset(t, 0, sizeof(*t));
	served_library_device(library, device, &d);
	set_text(t, d.vendor, d.product, d.revision, d.serial);
	return derive_naa(env, d.place, t->naa);
}

static int disk_traits(const struct units_env *env, const struct config_target *target,
	const struct config_lun *row, struct traits *t)
{
	char naa[33], place[320];
	int err = 0;

	memset(t, 0, sizeof(*t));
	snprintf(place, sizeof(place), "%s\n%" PRIu32 "\n", target->name, row->lun);
	if (row->naa)
		read_naa(row->naa, t->naa);
	else
		err = derive_naa(env, place, t->naa);
	t->block_size = row->block_size;
	t->physical_block_size = row->physical_block_size;
	t->read_only = row->read_only;
	t->removable = row->removable;
	t->thin = row->thin;
	t->write_through = !row->write_cache;
	t->long_cdbs = row->long_cdbs;
	/* The end of the identifier differs from unit to unit; 16 digits is what hosts show whole. */
	print_naa(t->naa, naa);
	set_text(t, row->vendor, row->product, row->revision,
		row->serial ? row->serial : naa + (strlen(naa) - 16));
	return err;
}

static bool same_traits(const struct traits *a, const struct traits *b)
{
	return !memcmp(a->naa, b->naa, sizeof(a->naa)) && a->block_size == b->block_size &&
	       a->physical_block_size == b->physical_block_size && a->read_only == b->read_only &&
	       a->removable == b->removable && a->thin == b->thin &&
	       a->write_through == b->write_through && a->long_cdbs == b->long_cdbs &&
	       !strcmp(a->vendor, b->vendor) && !strcmp(a->product, b->product) &&
	       !strcmp(a->revision, b->revision) && !strcmp(a->serial, b->serial);
}

static int traits_of(const struct units *u, const struct config_target *target,
	const struct config_lun *row, struct traits *t)
{
	if (!row->library)
		return disk_traits(u->env, target, row, t);
	return device_traits(u->env, libraries_find(u->libraries, row->library), row->device, t);
}

/* --- ways to a unit ------------------------------------------------------------------------- */

static int by_way(const void *a, const void *b)
{
	const struct way *x = a, *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	if (x->port.group != y->port.group)
		return x->port.group - y->port.group;
	return x->port.id - y->port.id;
}

/* Of a target with the same unit at two LUNs there are two ways through the same port: one goes. */
static void sort_ways(struct units *u)
{
	size_t n = 0;

	if (u->n_ways)
		qsort(u->ways, u->n_ways, sizeof(*u->ways), by_way);
	for (size_t i = 0; i < u->n_ways; i++)
		if (!n || by_way(&u->ways[n - 1], &u->ways[i]))
			u->ways[n++] = u->ways[i];
	u->n_ways = n;
}

static bool add_ways(struct units *u, const struct config_target *t)
{
	unsigned n;
	uint16_t *groups = target_groups(u->cfg, t, &n);
	struct way *v =
		groups ? reallocarray(u->ways, u->n_ways + n * t->n_luns + 1, sizeof(*v)) : NULL;

	if (v)
		u->ways = v;
	for (unsigned i = 0; v && i < n; i++) {
		uint16_t id = target_ports_find(u->env->target_ports, t->name, groups[i]);

		for (size_t k = 0; k < t->n_luns; k++)
			v[u->n_ways++] =
				(struct way){ t->luns[k].unit, t->name, { groups[i], id } };
	}
	free(groups);
	return v;
}

static bool list_ways(struct units *u)
{
	for (size_t i = 0; i < u->cfg->n_targets; i++)
		if (!add_ways(u, &u->cfg->targets[i]))
			return false;
	sort_ways(u);
	return true;
}

/* Those to one unit. */
static struct ways ways_to(const struct units *u, const struct config_lun *row)
{
	size_t from = 0, end = u->n_ways;
	struct ways ways;

	while (from < end) {
		size_t middle = from + (end - from) / 2;

		if (u->ways[middle].row < row)
			from = middle + 1;
		else
			end = middle;
	}
	ways = (struct ways){ u->ways + from, 0 };
	while (from + ways.n < u->n_ways && ways.v[ways.n].row == row)
		ways.n++;
	return ways;
}

/* Tells the unit of them. */
static int set_groups(const struct units_env *env, struct lu *lu, const struct ways *ways)
{
	struct lu_port_group *groups = calloc(ways->n + 1, sizeof(*groups));
	struct lu_port *ports = calloc(ways->n + 1, sizeof(*ports));
	unsigned n = 0;
	int err = -ENOMEM;

	for (size_t i = 0; groups && ports && i < ways->n; i++) {
		const struct way *w = &ways->v[i];

		if (!n || groups[n - 1].group != w->port.group)
			groups[n++] = (struct lu_port_group){ .group = w->port.group,
				.access = access_states_of(env->access, w->port.group),
				.ports = &ports[i] };
		ports[i] = (struct lu_port){ w->port.id, w->target };
		groups[n - 1].nports++;
	}
	if (groups && ports)
		err = lu_set_port_groups(lu, groups, n);
	free(groups);
	free(ports);
	return err;
}

/* --- units ---------------------------------------------------------------------------------- */

/* On the main loop: neither a set nor a nexus has the unit any more. */
static void unit_gone(struct loop_msg *m)
{
	struct unit *u = container_of(m, struct unit, gone);

	list_del(&u->leaving);
	backing_put(u->backing);
	free(u);
}

/* On whatever thread dropped the last reference. */
static void on_lu_gone(void *arg)
{
	struct unit *u = arg;

	u->gone.run = unit_gone;
	loop_post(u->env->loop, &u->gone);
}

static void unit_put(struct unit *u)
{
	if (!u || --u->sets)
		return;
	list_push(&u->env->leaving, &u->leaving);
	lu_unref(u->lu); /* on_lu_gone() follows, now or later */
}

/* What is kept of the unit's reservations: with one reference, or NULL and 0 for nothing. */
static int find_kept(const struct units_env *env, const uint8_t naa[static 16],
	const struct ways *ways, const struct reservation **out)
{
	const struct reservation *kept = reservations_find(env->reservations, naa);
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

static int disk_unit(const struct backing *b, const struct traits *t, const struct device_cfg *how,
	struct lu **out)
{
	struct modes *modes = b->env->modes;
	struct lu_saved saved;
	struct disk_cfg cfg = {
		.store = b->store,
		.block_size = t->block_size,
		.physical_block_size = t->physical_block_size,
		.read_only = t->read_only,
		.removable = t->removable,
		.thin = t->thin,
		.pool = b->env->pool,
		.write_through = t->write_through,
		.long_cdbs = t->long_cdbs,
		.vendor = t->vendor,
		.product = t->product,
		.revision = t->revision,
		.serial = t->serial,
		.keeper = how->keeper,
		.kept = how->kept,
		.mode_keeper = modes ? modes_keeper(modes) : NULL,
		.saved = modes && modes_find(modes, how->naa, &saved) ? &saved : NULL,
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
	const struct units_env *env, const struct backing *b, struct unit *u, const struct ways *ways)
{
	const struct reservation *kept = NULL;
	struct device_cfg cfg = { .gone = on_lu_gone, .arg = u };
	int err = 0;

	memcpy(cfg.naa, u->traits.naa, sizeof(cfg.naa));
	if (env->reservations) {
		err = find_kept(env, cfg.naa, ways, &kept);
		cfg.keeper = reservations_keeper(env->reservations);
		cfg.kept = kept ? &kept->is : NULL;
	}
	if (!err && b->library)
		err = served_library_unit(b->library, b->device, &cfg, &u->lu);
	else if (!err)
		err = disk_unit(b, &u->traits, &cfg, &u->lu);
	reservation_unref(kept);
	return err;
}

/* Takes over the caller's hold on the backing, also when it fails. */
static int unit_create(struct units_env *env, struct backing *b, const struct traits *t,
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
	       (row->store == CONFIG_STORE_RAM ||
		       store_read_only(u->backing->store) == row->read_only);
}

/* A file that a session has not let go of yet, though the configuration had. */
static struct unit *find_leaving(const struct units_env *env, const struct config_lun *row)
{
	if (row->store != CONFIG_STORE_FILE)
		return NULL;
	list_for_each(l, &env->leaving) {
		struct unit *u = container_of(l, struct unit, leaving);

		if (u->backing->path && !strcmp(u->backing->path, row->path))
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

static int new_unit(struct units *u, struct entry *e, struct backing *b, const struct traits *t,
	struct faults *faults)
{
	struct ways ways = ways_to(u, e->row);
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
		err = set_groups(u->env, e->unit->lu, &ways);
	return err ? refuse_row(u, e, err, strerror(-err), faults) : 0;
}

static int prepare_entry(struct units *u, struct units *old, struct entry *e, struct faults *faults)
{
	struct entry *old_entry = find_old(old, e);
	struct unit *was = old_entry ? old_entry->unit : find_leaving(u->env, e->row);
	struct traits t;
	int err = traits_of(u, e->target, e->row, &t);

	if (err)
		return refuse_row(u, e, err, "no identity could be derived for it", faults);
	if (was && !suits(u, was, e->row))
		was = NULL;
	if (was && was->sets && same_traits(&was->traits, &t)) {
		e->unit = was;
		e->unit->sets++;
		return 0;
	}
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
	if (u->v && u->by_place && u->by_path && list_ways(u)) {
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
	struct ways ways = ways_to(u, e->row);

	if (set_groups(u->env, e->unit->lu, &ways))
		log_msg(LOG_ERR,
			"LUN %" PRIu32 " of %s: out of memory: what it tells of its ports is not "
			"up to date",
			e->row->lun, e->target->name);
}

static void say_grown(
	const struct entry *e, void (*say)(void *arg, const char *line), void *arg)
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

void units_commit(struct units *u, void (*say)(void *arg, const char *line), void *arg)
{
	for (size_t i = 0; i < u->n; i++) {
		struct entry *e = &u->v[i];

		const struct store *st = e->unit->backing->store;

		e->unit->backing->made = false;
		if (e->old_size && !e->row->size)
			say_grown(e, say, arg);
		e->old_size = 0;
		shrink(e);
		if (st && lu_size(e->unit->lu) != store_size(st))
			lu_resized(e->unit->lu);
		tell_ways(u, e);
	}
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
	free(u->ways);
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
