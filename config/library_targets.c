/* SPDX-License-Identifier: BSD-2-Clause */
/* The targets through which the devices of libraries are reached: see made.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/made.h"
#include "config/object.h"
#include "config/places.h"
#include "config/settings.h"

#define ISCSI_NAME_SIZE 224

static const struct section *section_of(const struct section *in, const char *name)
{
	return setting_find(in, name)->section;
}

static const struct section *targets_section(void)
{
	return section_of(&all_settings, "targets");
}

/* --- one target ----------------------------------------------------------------------------- */

/* The devices from `first` on, 0 being the changer, at the LUNs from 0 on. */
static bool fill_luns(
	struct config_target *t, const struct config_library *lib, uint32_t first, uint32_t n)
{
	t->luns = calloc(n, sizeof(*t->luns));
	if (!t->luns)
		return false;
	t->n_luns = n;
	for (uint32_t i = 0; i < n; i++)
		t->luns[i] = (struct config_lun){
			.lun = i,
			.unit = &t->luns[i],
			.type = first + i ? CONFIG_LUN_DRIVE : CONFIG_LUN_CHANGER,
			.library = lib,
			.device = first + i,
		};
	return true;
}

/* A fault in a copy is one of what it is a copy of. */
static bool copy_place(struct config *cfg, const struct config_credential *from,
	const struct config_credential *to)
{
	struct config_where where;

	return !places_find(cfg->places, from, &where) ||
	       places_add(cfg->places, to, sizeof(*to), where.file, where.line);
}

static bool copy_credentials(
	struct config *cfg, struct config_target *t, const struct config_library *lib)
{
	const struct section *section = section_of(targets_section(), "credentials");

	if (lib->n_credentials)
		t->credentials = calloc(lib->n_credentials, sizeof(*t->credentials));
	for (size_t i = 0; t->credentials && i < lib->n_credentials; i++) {
		t->n_credentials++;
		if (!object_copy(
			    section, &t->credentials[i], (void *)(uintptr_t)&lib->credentials[i]) ||
			!copy_place(cfg, &lib->credentials[i], &t->credentials[i]))
			return false;
	}
	return t->credentials || !lib->n_credentials;
}

static bool copy_groups(struct config_target *t, const struct config_library *lib)
{
	if (!lib->n_portal_groups)
		return true;
	t->portal_groups = calloc(lib->n_portal_groups, sizeof(*t->portal_groups));
	if (!t->portal_groups)
		return false;
	t->n_portal_groups = lib->n_portal_groups;
	for (size_t i = 0; i < lib->n_portal_groups; i++)
		t->portal_groups[i] = lib->portal_groups[i];
	return true;
}

static bool is_there(const struct config *cfg, const char *name)
{
	for (size_t i = 0; i < cfg->n_targets; i++)
		if (!strcmp(cfg->targets[i].name, name))
			return true;
	return false;
}

/* There is room in the array. */
static bool make_target(struct config *cfg, const struct config_library *lib, const char *name,
	uint32_t first, uint32_t n)
{
	struct config_target t = { .made = true, .auth = lib->auth };

	if (is_there(cfg, name))
		return true;
	t.name = strdup(name);
	if (!t.name || !copy_groups(&t, lib) || !copy_credentials(cfg, &t, lib) ||
		!fill_luns(&t, lib, first, n)) {
		object_clear(targets_section(), &t);
		return false;
	}
	cfg->targets[cfg->n_targets++] = t;
	return true;
}

/* --- all of them ---------------------------------------------------------------------------- */

static bool make_each(struct config *cfg, const struct config_library *lib)
{
	char name[ISCSI_NAME_SIZE];

	snprintf(name, sizeof(name), "%s-mediachanger", lib->target_prefix);
	if (!make_target(cfg, lib, name, 0, 1))
		return false;
	for (uint32_t d = 1; d <= lib->drives; d++) {
		snprintf(name, sizeof(name), "%s-tapedrive-%02u", lib->target_prefix, d);
		if (!make_target(cfg, lib, name, d, 1))
			return false;
	}
	return true;
}

static size_t targets_of_libraries(const struct config *cfg)
{
	size_t n = 0;

	for (size_t i = 0; i < cfg->n_libraries; i++)
		n += 1 + cfg->libraries[i].drives;
	return n;
}

bool config_make_library_targets(struct config *cfg)
{
	bool ok = !cfg->n_libraries || config_make_room(cfg, targets_of_libraries(cfg));

	for (size_t i = 0; ok && i < cfg->n_libraries; i++) {
		const struct config_library *lib = &cfg->libraries[i];

		ok = lib->layout == CONFIG_LAYOUT_TARGETS
			     ? make_each(cfg, lib)
			     : make_target(cfg, lib, lib->target, 0, 1 + lib->drives);
	}
	places_sort(cfg->places);
	return ok;
}
