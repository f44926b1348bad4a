/* SPDX-License-Identifier: BSD-2-Clause */
/* Adding volumes to a configuration: see made.h. */
#include "config/made.h"

#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "config/object.h"
#include "config/places.h"
#include "config/settings.h"

static const struct section *targets_section(void)
{
	return setting_find(&all_settings, "targets")->section;
}

static const struct section *luns_section(void)
{
	return setting_find(targets_section(), "luns")->section;
}

/* --- copying -------------------------------------------------------------------------------- */

/* Where the declaring row of a LUN is in the copy: at the same place. */
static const struct config_lun *same_unit(
	const struct config *to, const struct config *from, const struct config_lun *unit)
{
	for (size_t i = 0; i < from->n_targets; i++) {
		const struct config_target *t = &from->targets[i];

		for (size_t j = 0; j < t->n_luns; j++)
			if (&t->luns[j] == unit)
				return &to->targets[i].luns[j];
	}
	return NULL;
}

static void link_units(struct config *to, const struct config *from)
{
	for (size_t i = 0; i < from->n_targets; i++)
		for (size_t j = 0; j < from->targets[i].n_luns; j++) {
			const struct config_lun *lun = &from->targets[i].luns[j];
			struct config_lun *copy = &to->targets[i].luns[j];

			copy->unit = lun->unit == lun ? copy : same_unit(to, from, lun->unit);
		}
}

static void drop_made(struct config *to, const struct config *from)
{
	for (size_t i = from->n_targets; i-- > 0 && from->targets[i].made;) {
		object_clear(targets_section(), &to->targets[i]);
		to->n_targets--;
	}
}

struct config *config_copy_declared(const struct config *cfg)
{
	struct config *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return NULL;
	copy->path = strdup(cfg->path);
	copy->places = places_new();
	/* Rows describe members that may be set, so they are no const; none is. */
	if (!copy->path || !copy->places ||
		!object_copy(&all_settings, copy, (void *)(uintptr_t)cfg)) {
		config_free(copy);
		return NULL;
	}
	link_units(copy, cfg);
	drop_made(copy, cfg);
	return copy;
}

/* --- adding --------------------------------------------------------------------------------- */

/* Of drives also those that the library has not yet. */
static bool declares_library_target(const struct config_library *l, const char *name)
{
	static const char drive[] = "-tapedrive-";
	size_t len = l->target_prefix ? strlen(l->target_prefix) : 0;

	if (l->target && !strcmp(l->target, name))
		return true;
	return len && !strncmp(name, l->target_prefix, len) &&
	       (!strcmp(name + len, "-mediachanger") ||
		       !strncmp(name + len, drive, sizeof(drive) - 1));
}

bool config_declares_target(const struct config *cfg, const char *name)
{
	for (size_t i = 0; i < cfg->n_targets; i++)
		if (!cfg->targets[i].made && !strcmp(cfg->targets[i].name, name))
			return true;
	for (size_t i = 0; i < cfg->n_libraries; i++)
		if (declares_library_target(&cfg->libraries[i], name))
			return true;
	return false;
}

bool config_declares_path(const struct config *cfg, const char *path)
{
	for (size_t i = 0; i < cfg->n_targets; i++) {
		const struct config_target *t = &cfg->targets[i];

		for (size_t j = 0; !t->made && j < t->n_luns; j++)
			if (t->luns[j].path && !strcmp(t->luns[j].path, path))
				return true;
	}
	return false;
}

static struct config_target *find_made(struct config *cfg, const char *name)
{
	for (size_t i = 0; i < cfg->n_targets; i++)
		if (cfg->targets[i].made && !strcmp(cfg->targets[i].name, name))
			return &cfg->targets[i];
	return NULL;
}

bool config_make_room(struct config *cfg, size_t more)
{
	size_t size = cfg->n_targets * sizeof(*cfg->targets);
	struct config_target *grown = calloc(cfg->n_targets + more, sizeof(*grown));

	if (!grown)
		return false;
	if (size)
		memcpy(grown, cfg->targets, size);
	places_moved(cfg->places, (uintptr_t)cfg->targets, size, (uintptr_t)grown);
	free(cfg->targets);
	cfg->targets = grown;
	return true;
}

static bool set_groups(struct config_target *t, const struct config_made *made)
{
	if (!made->n_groups)
		return true;
	t->portal_groups = malloc(made->n_groups * sizeof(*t->portal_groups));
	if (!t->portal_groups)
		return false;
	memcpy(t->portal_groups, made->groups, made->n_groups * sizeof(*t->portal_groups));
	t->n_portal_groups = made->n_groups;
	return true;
}

static struct config_target *make_target(struct config *cfg, const struct config_made *made)
{
	struct config_target t = { .made = true };
	bool ok = object_defaults(targets_section(), &t) && set_groups(&t, made) &&
		  config_make_room(cfg, 1);

	t.auth = CONFIG_AUTH_NONE;
	if (ok)
		t.name = strdup(made->target);
	if (!ok || !t.name) {
		object_clear(targets_section(), &t);
		return NULL;
	}
	cfg->targets[cfg->n_targets] = t;
	return &cfg->targets[cfg->n_targets++];
}

static bool fill_lun(struct config_lun *lun, const struct config_made *made)
{
	if (!object_defaults(luns_section(), lun))
		return false;
	lun->lun = made->lun;
	lun->type = CONFIG_LUN_DISK;
	lun->store = CONFIG_STORE_FILE;
	lun->size = made->size;
	lun->create = made->create;
	lun->block_size = made->block_size;
	lun->read_only = made->read_only;
	lun->path = strdup(made->path);
	lun->naa = strdup(made->naa);
	return lun->path && lun->naa;
}

bool config_make(struct config *cfg, const struct config_made *made)
{
	struct config_target *t = find_made(cfg, made->target);
	struct config_lun lun = { 0 }, *grown = NULL;

	if (!t)
		t = make_target(cfg, made);
	if (t && made->chap)
		t->auth = CONFIG_AUTH_CHAP;
	if (t && fill_lun(&lun, made))
		grown = reallocarray(t->luns, t->n_luns + 1, sizeof(*grown));
	if (!grown) {
		object_clear(luns_section(), &lun);
		return false;
	}
	t->luns = grown;
	grown[t->n_luns++] = lun;
	for (size_t i = 0; i < t->n_luns; i++)
		grown[i].unit = &grown[i];
	return true;
}
