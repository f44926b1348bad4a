/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of what is served: targets, LUNs, libraries, tapes, pools. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"
#include "config/object.h"
#include "config/settings.h"

#define ISCSI_NAME_MAX   223 /* RFC 7143 4.2.7.1 */
#define DEVICE_NAME_ROOM 13  /* of "-mediachanger" and "-tapedrive-01" */

struct indexes {
	struct check_index units; /* by name */
	struct check_index serials;
	struct check_index naas;
	struct check_index paths;   /* of files and directories that must not be shared */
	struct check_index targets; /* by iSCSI name */
};

/* ---- a LUN ---------------------------------------------------------------------------------- */

/* A second way to a unit says nothing about the unit. */
static void check_same_as(struct check *c, const struct config_lun *lun)
{
	const struct section *targets = setting_find(&all_settings, "targets")->section;
	const struct section *luns = setting_find(targets, "luns")->section;

	for (size_t i = 0; i < luns->n_rows; i++) {
		const struct setting *row = &luns->rows[i];
		const char *member = (const char *)lun + row->offset;

		if (row->offset == offsetof(struct config_lun, lun) ||
			row->offset == offsetof(struct config_lun, same_as))
			continue;
		if (check_is_given(c, member, object_member_size(row)))
			check_fault(c, member,
				"%s: it does not go with same_as; the LUN that is "
				"named \"%s\" has it",
				row->name, lun->same_as);
	}
}

static bool same_path(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

/* What the server itself keeps, in state_dir for the most part, where disks may be, too. */
static bool is_own_file(const struct config *cfg, const char *path)
{
	static const char *const names[] = { "catalog.db", "catalog.db-journal", "catalog.db-shm",
		"catalog.db-wal", "identity", "key", "lock", "tls-cert.pem", "tls-key.pem" };
	size_t len = cfg->state_dir ? strlen(cfg->state_dir) : 0;

	if (same_path(path, cfg->key_file) || same_path(path, cfg->management.socket))
		return true;
	if (!len || strncmp(path, cfg->state_dir, len) || path[len] != '/')
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(path + len + 1, names[i]))
			return true;
	return false;
}

static void check_store(struct check *c, const struct config_lun *lun)
{
	bool file = lun->store == CONFIG_STORE_FILE;
	bool sized = check_given(c, &lun->size);

	if (file && !check_given(c, &lun->path))
		check_fault(c, lun, "path is missing: which file or block device holds the data?");
	if (file && lun->path && is_own_file(c->cfg, lun->path))
		check_fault(c, &lun->path, "path: %s is the server's own; choose another name",
			lun->path);
	if (!file && check_given(c, &lun->path))
		check_fault(c, &lun->path,
			"path: a RAM store has none; use store = \"file\" or leave it out");
	if (!file && lun->create)
		check_fault(c, &lun->create, "create: a RAM store is always made; leave it out");
	if (!file && !sized)
		check_fault(
			c, lun, "size is missing: a RAM store needs one, as in size = \"512M\"");
	if (file && lun->create && !sized)
		check_fault(
			c, &lun->create, "create: size is missing; how large is the file to be?");
}

static void check_blocks(struct check *c, const struct config_lun *lun)
{
	char right[VALUE_SIZE_TEXT];

	if (lun->block_size != 512 && lun->block_size != 4096)
		check_fault(c, &lun->block_size,
			"block_size: %u is no block size; it can be 512 or 4096", lun->block_size);
	else if (lun->size % lun->block_size)
		check_fault(c, &lun->size,
			"size: %llu is not a multiple of the block size, %u; the next that is: %s",
			(unsigned long long)lun->size, lun->block_size,
			value_size_text(
				(lun->size / lun->block_size + 1) * lun->block_size, right));
	if (lun->physical_block_size & (lun->physical_block_size - 1) ||
		(lun->physical_block_size && lun->physical_block_size < lun->block_size))
		check_fault(c, &lun->physical_block_size,
			"physical_block_size: %u is not possible; it can be 512, 1024, 2048 and so on "
			"to 65536, but not less than block_size, %u",
			lun->physical_block_size, lun->block_size);
}

static void check_lun(struct check *c, struct indexes *in, struct config_lun *lun)
{
	if (lun->same_as) {
		check_same_as(c, lun);
		return;
	}
	lun->unit = lun;
	check_store(c, lun);
	check_blocks(c, lun);
	check_index_add(c, &in->units, lun->name, "", &lun->name, lun);
	check_index_add(c, &in->serials, lun->serial, "", &lun->serial, lun);
	check_index_add(c, &in->naas, lun->naa, "", &lun->naa, lun);
	if (lun->store == CONFIG_STORE_FILE)
		check_index_add(c, &in->paths, lun->path, "", &lun->path, lun);
}

static void resolve_units(struct check *c, const struct indexes *in)
{
	for (size_t t = 0; t < c->cfg->n_targets; t++) {
		struct config_target *target = &c->cfg->targets[t];

		for (size_t i = 0; i < target->n_luns; i++) {
			struct config_lun *lun = &target->luns[i];

			if (lun->same_as)
				lun->unit = check_index_find(&in->units, lun->same_as, "");
			if (lun->same_as && !lun->unit)
				check_fault(c, &lun->same_as, "same_as: no LUN has name = \"%s\"",
					lun->same_as);
		}
	}
}

/* ---- a target ------------------------------------------------------------------------------- */

struct numbered {
	const struct config_lun *row;
};

static int by_lun(const void *pa, const void *pb)
{
	const struct config_lun *a = ((const struct numbered *)pa)->row;
	const struct config_lun *b = ((const struct numbered *)pb)->row;

	if (a->lun != b->lun)
		return a->lun < b->lun ? -1 : 1;
	return (a > b) - (a < b);
}

static void check_lun_numbers(struct check *c, const struct config_target *target)
{
	struct numbered *sorted = calloc(target->n_luns + 1, sizeof(*sorted));
	struct check_place place = { "" };

	if (!sorted) {
		c->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < target->n_luns; i++)
		sorted[i].row = &target->luns[i];
	qsort(sorted, target->n_luns, sizeof(*sorted), by_lun);
	for (size_t i = 1; i < target->n_luns; i++) {
		const struct config_lun *a = sorted[i - 1].row, *b = sorted[i].row;

		if (a->lun == b->lun && check_given(c, &b->lun))
			check_fault(c, &b->lun, "lun: %u is used twice in this target: first in %s",
				b->lun, check_other(c, &a->lun, &place));
	}
	free(sorted);
}

static void check_target(struct check *c, struct indexes *in, struct config_target *target)
{
	check_index_add(c, &in->targets, target->name, "", &target->name, target);
	for (size_t i = 0; i < target->n_luns; i++)
		check_lun(c, in, &target->luns[i]);
	check_lun_numbers(c, target);
	if (!target->redirect && check_given(c, &target->redirect_type) &&
		!check_given(c, &target->redirect))
		check_fault(c, &target->redirect_type,
			"redirect_type: it does nothing without redirect");
}

/* ---- a library ------------------------------------------------------------------------------ */

static void check_layout(struct check *c, struct indexes *in, const struct config_library *lib)
{
	bool targets = lib->layout == CONFIG_LAYOUT_TARGETS;
	char *const *right = targets ? &lib->target_prefix : &lib->target;
	char *const *wrong = targets ? &lib->target : &lib->target_prefix;
	const char *right_name = targets ? "target_prefix" : "target";

	if (!check_given(c, right))
		check_fault(c, lib,
			"%s is missing: layout %s needs it, as in %s = "
			"\"iqn.2026-11.com.example:vtl\"",
			right_name, targets ? "targets" : "luns", right_name);
	if (check_given(c, wrong))
		check_fault(c, wrong, "%s: layout %s has %s instead",
			targets ? "target" : "target_prefix", targets ? "targets" : "luns",
			right_name);
	if (targets && *right && strlen(*right) + DEVICE_NAME_ROOM > ISCSI_NAME_MAX)
		check_fault(c, right,
			"target_prefix: it has %zu characters; more than %d leave no room "
			"for -tapedrive-01",
			strlen(*right), ISCSI_NAME_MAX - DEVICE_NAME_ROOM);
	if (!targets)
		check_index_add(c, &in->targets, *right, "", right, lib);
}

/* That every element has an address (16 bits, SMC-3) follows from the largest numbers of each. */
static void check_tapes(struct check *c, const struct config_library *lib)
{
	if (lib->n_tapes > (size_t)lib->slots + lib->drives)
		check_fault(c, &lib->tapes,
			"tapes: %zu are too many; %u slots and %u drives hold %u", lib->n_tapes,
			lib->slots, lib->drives, lib->slots + lib->drives);
}

static void check_library(struct check *c, struct indexes *in, const struct config_library *lib)
{
	check_layout(c, in, lib);
	check_tapes(c, lib);
	check_index_add(c, &in->paths, lib->path, "", &lib->path, lib);
	check_index_add(c, &in->paths, lib->archive, "", &lib->archive, lib);
	check_index_add(c, &in->serials, lib->serial, "", &lib->serial, lib);
}

static void check_library_names(struct check *c)
{
	const struct config *cfg = c->cfg;
	struct check_index names = { 0 }, barcodes = { 0 };

	for (size_t i = 0; i < cfg->n_libraries; i++) {
		const struct config_library *lib = &cfg->libraries[i];

		check_index_add(c, &names, lib->name, "", &lib->name, lib);
		for (size_t t = 0; t < lib->n_tapes; t++)
			check_index_add(c, &barcodes, lib->tapes[t].barcode, "",
				&lib->tapes[t].barcode, lib);
	}
	check_unique(c, &names, "libraries: name");
	check_unique(c, &barcodes, "tapes: barcode");
	check_index_free(&names);
	check_index_free(&barcodes);
}

/* The name that a library makes for one of its devices. */
static void check_device_name(struct check *c, const struct indexes *in,
	const struct config_library *lib, const char *suffix)
{
	char name[ISCSI_NAME_MAX + 1];
	const struct config_target *target;
	struct check_place place = { "" };

	if (snprintf(name, sizeof(name), "%s-%s", lib->target_prefix, suffix) >= (int)sizeof(name))
		return;
	target = check_index_find(&in->targets, name, "");
	if (target)
		check_fault(c, &lib->target_prefix,
			"target_prefix: it makes the target \"%s\", which "
			"is there already (%s)",
			name, check_other(c, target, &place));
}

static void check_device_names(struct check *c, const struct indexes *in)
{
	struct check_index prefixes = { 0 };

	for (size_t i = 0; i < c->cfg->n_libraries; i++) {
		const struct config_library *lib = &c->cfg->libraries[i];
		char suffix[32];

		if (!lib->target_prefix || lib->layout != CONFIG_LAYOUT_TARGETS)
			continue;
		check_index_add(c, &prefixes, lib->target_prefix, "", &lib->target_prefix, lib);
		check_device_name(c, in, lib, "mediachanger");
		for (uint32_t d = 1; d <= lib->drives; d++) {
			snprintf(suffix, sizeof(suffix), "tapedrive-%02u", d);
			check_device_name(c, in, lib, suffix);
		}
	}
	check_unique(c, &prefixes, "target_prefix");
	check_index_free(&prefixes);
}

/* ---- all ------------------------------------------------------------------------------------ */

static void check_pools(struct check *c, struct indexes *in)
{
	struct check_index names = { 0 };

	for (size_t i = 0; i < c->cfg->n_pools; i++) {
		const struct config_pool *pool = &c->cfg->pools[i];

		check_index_add(c, &names, pool->name, "", &pool->name, pool);
		check_index_add(c, &in->paths, pool->path, "", &pool->path, pool);
	}
	check_unique(c, &names, "pools: name");
	check_index_free(&names);
}

static void check_indexes(struct check *c, struct indexes *in)
{
	check_unique(c, &in->units, "luns: name");
	check_unique(c, &in->serials, "serial");
	check_unique(c, &in->naas, "naa");
	check_unique(c, &in->paths, "path");
	check_unique(c, &in->targets, "target name");
}

void check_units(struct check *c)
{
	const struct config *cfg = c->cfg;
	struct indexes in = { 0 };

	for (size_t i = 0; i < cfg->n_targets; i++)
		check_target(c, &in, &cfg->targets[i]);
	for (size_t i = 0; i < cfg->n_libraries; i++)
		check_library(c, &in, &cfg->libraries[i]);
	check_pools(c, &in);
	check_index_add(c, &in.paths, cfg->state_dir, "", &cfg->state_dir, cfg);
	check_indexes(c, &in);
	resolve_units(c, &in);
	check_device_names(c, &in);
	check_library_names(c);
	check_index_free(&in.units);
	check_index_free(&in.serials);
	check_index_free(&in.naas);
	check_index_free(&in.paths);
	check_index_free(&in.targets);
}
