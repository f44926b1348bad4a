/* SPDX-License-Identifier: BSD-2-Clause */
/* What differs between two configurations: see diff.h. */
#include "config/diff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/object.h"
#include "config/settings.h"

struct diff {
	const struct config *before, *after;
	struct config_changes changes;
	size_t room;
	bool out_of_memory;
};

static void add(struct diff *d, struct config_change change)
{
	struct config_changes *list = &d->changes;

	if (list->n == d->room) {
		size_t room = d->room ? d->room * 2 : 16;
		struct config_change *v = reallocarray(list->v, room, sizeof(*v));

		if (!v) {
			d->out_of_memory = true;
			return;
		}
		list->v = v;
		d->room = room;
	}
	list->v[list->n++] = change;
}

/* ---- matching ------------------------------------------------------------------------------- */

/* Structs in an order of their own, so that two lists can be walked side by side. */
typedef int compare(const void *a, const void *b);

struct sorted {
	const void **v;
	size_t n;
};

static int by_pointee(const void *pa, const void *pb, void *arg)
{
	return (*(compare *const *)arg)(*(const void *const *)pa, *(const void *const *)pb);
}

static struct sorted sort(struct diff *d, const void *v, size_t n, size_t size, compare *order)
{
	struct sorted s = { calloc(n + 1, sizeof(*s.v)), n };

	if (!s.v) {
		d->out_of_memory = true;
		s.n = 0;
		return s;
	}
	for (size_t i = 0; i < n; i++)
		s.v[i] = (const char *)v + i * size;
	qsort_r(s.v, n, sizeof(*s.v), by_pointee, &order);
	return s;
}

/* Called with what one side has and the other lacks as NULL, or with two that match. */
typedef void visit_pair(struct diff *d, const void *old, const void *new, void *arg);

static void walk(struct diff *d, const struct sorted *a, const struct sorted *b, compare *order,
	visit_pair *visit, void *arg)
{
	size_t i = 0, j = 0;

	while (i < a->n || j < b->n) {
		int side = i == a->n ? 1 : j == b->n ? -1 : order(a->v[i], b->v[j]);
		const void *old = side <= 0 ? a->v[i++] : NULL;
		const void *new = side >= 0 ? b->v[j++] : NULL;

		visit(d, old, new, arg);
	}
}

struct list {
	const void *v;
	size_t n;
};

static void match(struct diff *d, struct list old, struct list new, size_t size, compare *order,
	visit_pair *visit, void *arg)
{
	struct sorted a = sort(d, old.v, old.n, size, order);
	struct sorted b = sort(d, new.v, new.n, size, order);

	if (!d->out_of_memory)
		walk(d, &a, &b, order, visit, arg);
	free(a.v);
	free(b.v);
}

/* A section by the names that lead to it from the outermost. */
static const struct section *section_of(const char *outer, const char *inner)
{
	const struct section *section = setting_find(&all_settings, outer)->section;

	return inner ? setting_find(section, inner)->section : section;
}

/* All rows of a section but these. */
static bool equal_but(
	const struct section *section, const char *const *but, const void *a, const void *b)
{
	for (size_t i = 0; i < section->n_rows; i++) {
		const struct setting *row = &section->rows[i];
		bool skip = false;

		for (const char *const *name = but; *name; name++)
			skip = skip || !strcmp(row->name, *name);
		if (!skip && !object_equal_row(row, a, b))
			return false;
	}
	return true;
}

/* ---- credentials ---------------------------------------------------------------------------- */

static int by_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int by_initiator(const void *pa, const void *pb)
{
	const struct config_credential *a = pa, *b = pb;
	int order = by_text(a->initiator, b->initiator);

	return order ? order : by_text(a->user, b->user);
}

static void credential_differs(struct diff *d, const void *old, const void *new, void *arg)
{
	bool *differs = arg;

	(void)d;
	if (!old || !new || !object_equal(section_of("targets", "credentials"), old, new))
		*differs = true;
}

/* In whatever order the rows stand. */
static bool same_credentials(struct diff *d, const struct config_credential *old, size_t n_old,
	const struct config_credential *new, size_t n_new)
{
	bool differs = n_old != n_new;

	if (!differs)
		match(d, (struct list){ old, n_old }, (struct list){ new, n_new }, sizeof(*old),
			by_initiator, credential_differs, &differs);
	return !differs;
}

/* ---- LUNs ----------------------------------------------------------------------------------- */

static int by_lun(const void *pa, const void *pb)
{
	const struct config_lun *a = pa, *b = pb;

	return (a->lun > b->lun) - (a->lun < b->lun);
}

/* The target that declares a unit. */
static const struct config_target *home_of(const struct config *cfg, const struct config_lun *unit)
{
	for (size_t i = 0; i < cfg->n_targets; i++) {
		const struct config_target *t = &cfg->targets[i];

		if (t->n_luns && unit >= t->luns && unit < t->luns + t->n_luns)
			return t;
	}
	return NULL;
}

struct pair {
	const struct config_target *old, *new;
};

/* A file is known by its path, memory by where it was declared. */
static bool same_store(const struct diff *d, const struct pair *targets,
	const struct config_lun *old, const struct config_lun *new)
{
	const struct config_target *a = targets->old, *b = targets->new;

	if (old->unit->store != new->unit->store || old->unit->block_size != new->unit->block_size)
		return false;
	if (old->unit->store == CONFIG_STORE_FILE)
		return !by_text(old->unit->path, new->unit->path);
	if (old->unit != old)
		a = home_of(d->before, old->unit);
	if (new->unit != new)
		b = home_of(d->after, new->unit);
	return !strcmp(a->name, b->name) && old->unit->lun == new->unit->lun;
}

static bool same_attributes(const struct config_lun *old, const struct config_lun *new)
{
	static const char *const but[] = { "lun", "name", "same_as", "store", "path", "size",
		"create", NULL };

	return equal_but(section_of("targets", "luns"), but, old, new);
}

static void diff_lun(struct diff *d, const void *old, const void *new, void *arg)
{
	const struct config_lun *a = old, *b = new;
	const struct pair *targets = arg;
	struct config_change change = {
		.old_target = targets->old, .new_target = targets->new, .old_lun = a, .new_lun = b
	};

	if (!b)
		change.kind = CONFIG_LUN_REMOVED;
	else if (!a)
		change.kind = CONFIG_LUN_ADDED;
	else if (!same_store(d, targets, a, b))
		change.kind = CONFIG_LUN_REPLACED;
	else if (!same_attributes(a->unit, b->unit))
		change.kind = CONFIG_LUN_CHANGED;
	else if (a->unit->size != b->unit->size)
		change.kind = CONFIG_LUN_RESIZED;
	else
		return;
	add(d, change);
}

/* ---- targets -------------------------------------------------------------------------------- */

static int by_target_name(const void *pa, const void *pb)
{
	return strcmp(
		((const struct config_target *)pa)->name, ((const struct config_target *)pb)->name);
}

static void diff_inside_target(
	struct diff *d, const struct config_target *old, const struct config_target *new)
{
	static const char *const but[] = { "luns", "credentials", NULL };
	struct config_change change = { .old_target = old, .new_target = new };
	struct pair pair = { old, new };

	if (!equal_but(section_of("targets", NULL), but, old, new) ||
		!config_same_svm(d->before, old, d->after, new)) {
		change.kind = CONFIG_TARGET_CHANGED;
		add(d, change);
	}
	if (!same_credentials(d, old->credentials, old->n_credentials, new->credentials,
		    new->n_credentials)) {
		change.kind = CONFIG_CREDENTIALS;
		add(d, change);
	}
	match(d, (struct list){ old->luns, old->n_luns }, (struct list){ new->luns, new->n_luns },
		sizeof(*old->luns), by_lun, diff_lun, &pair);
}

static void diff_target(struct diff *d, const void *old, const void *new, void *arg)
{
	(void)arg;
	if (!new)
		add(d, (struct config_change){ .kind = CONFIG_TARGET_REMOVED, .old_target = old });
	else if (!old)
		add(d, (struct config_change){ .kind = CONFIG_TARGET_ADDED, .new_target = new });
	else
		diff_inside_target(d, old, new);
}

/* ---- libraries and portals ------------------------------------------------------------------ */

static int by_library_name(const void *pa, const void *pb)
{
	return strcmp(((const struct config_library *)pa)->name,
		((const struct config_library *)pb)->name);
}

static void diff_inside_library(
	struct diff *d, const struct config_library *old, const struct config_library *new)
{
	static const char *const but[] = { "credentials", "tapes", NULL };
	const struct section *section = section_of("libraries", NULL);
	struct config_change change = { .old_library = old, .new_library = new };

	if (!equal_but(section, but, old, new)) {
		change.kind = CONFIG_LIBRARY_CHANGED;
		add(d, change);
	}
	if (!same_credentials(d, old->credentials, old->n_credentials, new->credentials,
		    new->n_credentials)) {
		change.kind = CONFIG_CREDENTIALS;
		add(d, change);
	}
	if (!object_equal_row(setting_find(section, "tapes"), old, new)) {
		change.kind = CONFIG_TAPES;
		add(d, change);
	}
}

static void diff_library(struct diff *d, const void *old, const void *new, void *arg)
{
	(void)arg;
	if (!new)
		add(d, (struct config_change){
			       .kind = CONFIG_LIBRARY_REMOVED, .old_library = old });
	else if (!old)
		add(d, (struct config_change){ .kind = CONFIG_LIBRARY_ADDED, .new_library = new });
	else
		diff_inside_library(d, old, new);
}

static int by_address(const void *pa, const void *pb)
{
	const struct config_portal *a = pa, *b = pb;
	int order = strcmp(a->address, b->address);

	return order ? order : (a->port > b->port) - (a->port < b->port);
}

static void diff_portal(struct diff *d, const void *old, const void *new, void *arg)
{
	struct config_change change = { .old_portal = old, .new_portal = new };

	(void)arg;
	if (!new)
		change.kind = CONFIG_PORTAL_REMOVED;
	else if (!old)
		change.kind = CONFIG_PORTAL_ADDED;
	else if (!object_equal(section_of("portals", NULL), old, new))
		change.kind = CONFIG_PORTAL_CHANGED;
	else
		return;
	add(d, change);
}

/* ---- everything else ------------------------------------------------------------------------ */

static bool has_kinds_of_its_own(const char *name)
{
	static const char *const names[] = { "portals", "targets", "libraries",
		"discovery.credentials" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static void diff_settings(
	struct diff *d, const struct section *section, const void *old, const void *new)
{
	for (size_t i = 0; i < section->n_rows; i++) {
		const struct setting *row = &section->rows[i];
		bool restart = row->flags & SETTING_RESTART;
		struct config_change change = {
			.kind = restart ? CONFIG_RESTART : CONFIG_SETTING,
		};

		snprintf(change.setting, sizeof(change.setting), "%s%s%s", section->name,
			*section->name ? "." : "", row->name);
		if (setting_is_file_form(row) || has_kinds_of_its_own(change.setting) ||
			object_equal_row(row, old, new))
			continue;
		if (row->type == SETTING_GROUP && !(row->flags & SETTING_PRESENCE))
			diff_settings(d, row->section, (const char *)old + row->offset,
				(const char *)new + row->offset);
		else
			add(d, change);
	}
}

/* Keeps the order of changes of one kind, which qsort() would not. */
static void sort_by_kind(struct diff *d)
{
	struct config_changes *list = &d->changes;
	struct config_change *sorted = calloc(list->n + 1, sizeof(*sorted));
	size_t n = 0;

	if (!sorted) {
		d->out_of_memory = true;
		return;
	}
	for (unsigned kind = 0; kind <= CONFIG_LIBRARY_ADDED; kind++)
		for (size_t i = 0; i < list->n; i++)
			if (list->v[i].kind == kind)
				sorted[n++] = list->v[i];
	free(list->v);
	list->v = sorted;
}

#define ALL(cfg, member) ((struct list){ (cfg)->member, (cfg)->n_##member })

int config_diff(const struct config *before, const struct config *after, struct config_changes *out)
{
	struct diff d = { .before = before, .after = after };
	const struct config_discovery *old = &before->discovery, *new = &after->discovery;

	diff_settings(&d, &all_settings, before, after);
	if (!same_credentials(
		    &d, old->credentials, old->n_credentials, new->credentials, new->n_credentials))
		add(&d, (struct config_change){ .kind = CONFIG_CREDENTIALS });
	match(&d, ALL(before, portals), ALL(after, portals), sizeof(struct config_portal),
		by_address, diff_portal, NULL);
	match(&d, ALL(before, targets), ALL(after, targets), sizeof(struct config_target),
		by_target_name, diff_target, NULL);
	match(&d, ALL(before, libraries), ALL(after, libraries), sizeof(struct config_library),
		by_library_name, diff_library, NULL);
	sort_by_kind(&d);
	if (d.out_of_memory) {
		config_changes_free(&d.changes);
		return -ENOMEM;
	}
	*out = d.changes;
	return 0;
}

void config_changes_free(struct config_changes *changes)
{
	free(changes->v);
	*changes = (struct config_changes){ 0 };
}

const char *config_change_text(enum config_change_kind kind)
{
	static const char *const texts[] = {
		[CONFIG_LUN_REMOVED] = "LUN removed",
		[CONFIG_TARGET_REMOVED] = "target removed",
		[CONFIG_LIBRARY_REMOVED] = "library removed",
		[CONFIG_PORTAL_REMOVED] = "portal removed",
		[CONFIG_RESTART] = "needs a restart",
		[CONFIG_SETTING] = "setting changed",
		[CONFIG_PORTAL_ADDED] = "portal added",
		[CONFIG_PORTAL_CHANGED] = "portal changed",
		[CONFIG_CREDENTIALS] = "credentials changed",
		[CONFIG_TARGET_CHANGED] = "target changed",
		[CONFIG_TARGET_ADDED] = "target added",
		[CONFIG_LUN_ADDED] = "LUN added",
		[CONFIG_LUN_RESIZED] = "LUN resized",
		[CONFIG_LUN_CHANGED] = "LUN changed",
		[CONFIG_LUN_REPLACED] = "LUN replaced",
		[CONFIG_LIBRARY_CHANGED] = "library changed",
		[CONFIG_TAPES] = "tapes changed",
		[CONFIG_LIBRARY_ADDED] = "library added",
	};

	return texts[kind];
}
