/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of volumes: from the catalog, and into each configuration that is to be served. How it
 * changes is in volume_change.c.
 */
#include "registry/volumes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "catalog/volume.h"
#include "config/made.h"
#include "net/addr.h"
#include "registry/naa.h"
#include "registry/volume_file.h"
#include "registry/volumes_private.h"

#define NOTE "volume-file/" /* what the names of notes begin with in the catalog */

/* --- the list ------------------------------------------------------------------------------- */

int volumes_create(struct volumes **out)
{
	struct volumes *vs = calloc(1, sizeof(*vs));

	if (!vs)
		return -ENOMEM;
	list_init(&vs->queue);
	*out = vs;
	return 0;
}

struct volume *volumes_find(struct volumes *vs, const char *id)
{
	for (size_t i = 0; id && i < vs->n; i++)
		if (!strcmp(vs->v[i].id, id))
			return &vs->v[i];
	return NULL;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct volume *)a)->id, ((const struct volume *)b)->id);
}

bool volumes_make_room(struct volumes *vs)
{
	struct volume *grown = reallocarray(vs->v, vs->n + 1, sizeof(*grown));

	if (grown)
		vs->v = grown;
	return grown;
}

void volumes_put(struct volumes *vs, const struct volume *v)
{
	struct volume *at = volumes_find(vs, v->id);

	if (!at)
		at = &vs->v[vs->n++];
	*at = *v;
	qsort(vs->v, vs->n, sizeof(*vs->v), by_id);
}

void volumes_take_out(struct volumes *vs, const char *id)
{
	struct volume *at = volumes_find(vs, id);

	if (!at)
		return;
	memmove(at, at + 1, (size_t)(vs->v + --vs->n - at) * sizeof(*at));
}

static int load_row(const struct catalog_volume *c, void *arg)
{
	struct volumes *vs = arg;
	struct volume v = { .size = c->size,
		.block_size = c->block_size,
		.lun = c->lun,
		.attached = c->attached,
		.preserved = c->preserved,
		.created = c->created };

	if (!volumes_make_room(vs))
		return -ENOMEM;
	snprintf(v.id, sizeof(v.id), "%s", c->id);
	snprintf(v.file, sizeof(v.file), "%s", c->file);
	snprintf(v.pool, sizeof(v.pool), "%s", c->pool);
	snprintf(v.disk, sizeof(v.disk), "%s", c->disk);
	snprintf(v.gateway, sizeof(v.gateway), "%s", c->gateway);
	snprintf(v.target, sizeof(v.target), "%s", c->target);
	snprintf(v.portal, sizeof(v.portal), "%s", c->portal);
	volumes_put(vs, &v);
	return 0;
}

static int load_all(struct catalog_tx *tx, void *arg)
{
	return catalog_volume_load(tx, load_row, arg);
}

/* --- files that are nobody's ---------------------------------------------------------------- */

struct note {
	char name[sizeof(NOTE) + VOLUME_ID_SIZE];
};

static struct note note_of(const char *id)
{
	struct note n;

	snprintf(n.name, sizeof(n.name), NOTE "%s", id);
	return n;
}

int volume_note_file(struct catalog_tx *tx, const struct volume *v)
{
	return catalog_setting_put(tx, note_of(v->id).name, v->pool);
}

int volume_forget_file(struct catalog_tx *tx, const struct volume *v)
{
	return catalog_setting_remove(tx, note_of(v->id).name);
}

int volume_forget_kept(const struct registry *r, struct catalog_tx *tx, const struct volume *v)
{
	uint8_t naa[16];
	int err;

	if (!volume_naa(r, v, naa))
		return -ENOMEM;
	err = modes_forget_stored(tx, naa);
	return err ? err : wipes_forget_stored(tx, naa);
}

struct notes {
	struct registry *r;
	struct volume *v; /* those whose files are to be removed */
	size_t n;
};

static int load_note(const char *name, const char *value, void *arg)
{
	struct notes *notes = arg;
	struct volume *grown = reallocarray(notes->v, notes->n + 1, sizeof(*grown)), *v;

	if (!grown)
		return -ENOMEM;
	notes->v = grown;
	v = &grown[notes->n];
	*v = (struct volume){ 0 };
	snprintf(v->id, sizeof(v->id), "%s", name + strlen(NOTE));
	snprintf(v->file, sizeof(v->file), "%.31s.img", v->id);
	snprintf(v->pool, sizeof(v->pool), "%s", value);
	if (!volumes_find(notes->r->volumes, v->id))
		notes->n++;
	return 0;
}

static int load_notes(struct catalog_tx *tx, void *arg)
{
	return catalog_setting_load(tx, NOTE, load_note, arg);
}

static int forget_notes(struct catalog_tx *tx, void *arg)
{
	const struct notes *notes = arg;
	int err = 0;

	for (size_t i = 0; !err && i < notes->n; i++) {
		if (!*notes->v[i].id)
			continue;
		err = volume_forget_file(tx, &notes->v[i]);
		if (!err)
			err = volume_forget_kept(notes->r, tx, &notes->v[i]);
	}
	return err;
}

/* A note whose file cannot be removed now stays for the next start. */
static void remove_noted(const struct config *cfg, struct volume *v)
{
	char *path = volume_path(cfg, v);
	int err = path ? volume_file_do(VOLUME_FILE_REMOVE, path, 0) : -ENOENT;

	if (err) {
		log_msg(LOG_WARNING, "volume %s is gone, but its file in the pool %s is not: %s",
			v->id, v->pool, path ? strerror(-err) : "there is no such pool any more");
		*v->id = '\0';
	}
	free(path);
}

static int tidy(struct registry *r, const struct config *cfg, struct catalog_error *why)
{
	struct notes notes = { .r = r };
	int err = catalog_run(r->catalog, load_notes, &notes, why);

	for (size_t i = 0; !err && i < notes.n; i++)
		remove_noted(cfg, &notes.v[i]);
	if (!err && notes.n)
		err = catalog_run(r->catalog, forget_notes, &notes, why);
	free(notes.v);
	return err;
}

int volumes_load(struct registry *r, const struct config *cfg, struct catalog_error *why)
{
	int err;

	r->volumes->n = 0;
	err = catalog_run(r->catalog, load_all, r->volumes, why);
	return err ? err : tidy(r, cfg, why);
}

/* --- places --------------------------------------------------------------------------------- */

const struct config_pool *volumes_pool(const struct config *cfg, const char *name)
{
	for (size_t i = 0; cfg && i < cfg->n_pools; i++)
		if (!name || !strcmp(cfg->pools[i].name, name))
			return &cfg->pools[i];
	return NULL;
}

const char *volumes_disk(const struct config *cfg, const char *id)
{
	const struct config_aws *aws = cfg ? &cfg->management.aws : NULL;

	for (size_t i = 0; aws && i < aws->n_disks; i++)
		if (!strcmp(aws->disks[i].id, id))
			return aws->disks[i].path;
	return NULL;
}

char *volume_path(const struct config *cfg, const struct volume *v)
{
	const struct config_pool *pool = *v->disk ? NULL : volumes_pool(cfg, v->pool);
	const char *disk = *v->disk ? volumes_disk(cfg, v->disk) : NULL;
	char *path = NULL;

	if (disk)
		return strdup(disk);
	if (!pool || asprintf(&path, "%s/%s", pool->path, v->file) < 0)
		return NULL;
	return path;
}

static bool is_offered(const struct config *cfg, const struct volume *v)
{
	return *v->disk ? (bool)volumes_disk(cfg, v->disk) : (bool)volumes_pool(cfg, v->pool);
}

static bool is_portal(const struct config_portal *p, const struct addr *at)
{
	struct addr a;

	if (addr_parse(&a, p->address, 0))
		return false;
	return addr_is_wildcard(&a) ? a.sa.sa_family == at->sa.sa_family : addr_same_host(&a, at);
}

/* The groups of the portals at an address, as many as there is room for; how many. */
static size_t groups_at(const struct config *cfg, const char *address, uint32_t *groups)
{
	struct addr at;
	size_t n = 0;

	if (addr_parse(&at, address, 0))
		return 0;
	for (size_t i = 0; i < cfg->n_portals; i++)
		if (is_portal(&cfg->portals[i], &at))
			groups[n++] = cfg->portals[i].group;
	return n;
}

bool volumes_has_portal(const struct config *cfg, const char *address)
{
	struct addr at;

	for (size_t i = 0; !addr_parse(&at, address, 0) && i < cfg->n_portals; i++)
		if (is_portal(&cfg->portals[i], &at))
			return true;
	return false;
}

bool volume_naa(const struct registry *r, const struct volume *v, uint8_t naa[static 16])
{
	return naa_of_volume(r->env.identity, v->id, naa);
}

/* --- serving -------------------------------------------------------------------------------- */

static bool in_trouble(struct volume *v, const char *text)
{
	if (strcmp(v->trouble, text) != 0)
		log_msg(LOG_ERR, "volume %s is not served: %s", v->id, text);
	snprintf(v->trouble, sizeof(v->trouble), "%s", text);
	return true;
}

/* What stands in the way of a volume. A file that is not there is never made anew: its file system
 * may not be mounted, and hosts would see an empty disk. */
static bool has_trouble(const struct config *cfg, struct volume *v, const char *path)
{
	struct stat st;

	if (!is_offered(cfg, v))
		return in_trouble(v, *v->disk ? "the configuration file has its disk no more"
					      : "the configuration file has its pool no more");
	if (*v->portal && !volumes_has_portal(cfg, v->portal))
		return in_trouble(v, "the configuration file has no portal at its address");
	if (config_declares_target(cfg, v->target))
		return in_trouble(v, "the configuration file declares its target");
	if (config_declares_path(cfg, path))
		return in_trouble(v, "the configuration file declares a LUN on its file");
	if (stat(path, &st) || !(S_ISREG(st.st_mode) || (*v->disk && S_ISBLK(st.st_mode))))
		return in_trouble(v, *v->disk ? "its disk is not there" : "its file is not there");
	*v->trouble = '\0';
	return false;
}

static bool asks_for_chap(const struct config *cfg, const struct volume *v)
{
	const struct config_pool *pool = *v->disk ? NULL : volumes_pool(cfg, v->pool);

	return pool && pool->auth == CONFIG_AUTH_CHAP;
}

static int add_one(struct registry *r, struct config *cfg, struct volume *v, const char *path)
{
	uint32_t *groups = calloc(cfg->n_portals + 1, sizeof(*groups));
	uint8_t naa[16];
	struct naa_text text;
	const struct config_made made = { .target = v->target,
		.lun = v->lun,
		.path = path,
		.naa = text.text,
		.size = v->size,
		.block_size = v->block_size,
		.chap = asks_for_chap(cfg, v),
		.create = !*v->disk,
		.groups = groups,
		.n_groups = groups ? groups_at(cfg, v->portal, groups) : 0 };
	int err = groups && volume_naa(r, v, naa) ? 0 : -ENOMEM;

	if (!err)
		naa_text(naa, &text);
	if (!err && !config_make(cfg, &made))
		err = -ENOMEM;
	free(groups);
	return err;
}

int volumes_add(struct registry *r, struct config *cfg)
{
	int err = 0;

	for (size_t i = 0; !err && i < r->volumes->n; i++) {
		struct volume *v = &r->volumes->v[i];
		char *path = volume_path(cfg, v);

		*v->trouble = v->attached ? *v->trouble : '\0';
		if (!path && is_offered(cfg, v))
			err = -ENOMEM;
		else if (v->attached && !has_trouble(cfg, v, path))
			err = add_one(r, cfg, v, path);
		free(path);
	}
	return err;
}

/* --- looking -------------------------------------------------------------------------------- */

struct registry_volume volume_view(const struct volume *v, const char *path)
{
	return (struct registry_volume){ .id = v->id,
		.pool = *v->disk ? NULL : v->pool,
		.disk = *v->disk ? v->disk : NULL,
		.gateway = v->gateway,
		.portal = *v->portal ? v->portal : NULL,
		.path = path,
		.target = v->target,
		.lun = v->lun,
		.size = v->size,
		.block_size = v->block_size,
		.attached = v->attached,
		.preserved = v->preserved,
		.trouble = *v->trouble ? v->trouble : NULL,
		.created = v->created };
}

void registry_volumes(const struct registry *r,
	void (*each)(void *arg, const struct registry_volume *volume), void *arg)
{
	for (size_t i = 0; i < r->volumes->n; i++) {
		char *path = volume_path(r->now.cfg, &r->volumes->v[i]);
		struct registry_volume v = volume_view(&r->volumes->v[i], path);

		each(arg, &v);
		free(path);
	}
}

/* --- the end -------------------------------------------------------------------------------- */

void volumes_stop(struct registry *r)
{
	r->volumes->stopped = true;
	volume_changes_stop(r);
}

void volumes_free(struct registry *r)
{
	volume_changes_end(r);
	free(r->volumes->v);
	free(r->volumes);
	r->volumes = NULL;
}
