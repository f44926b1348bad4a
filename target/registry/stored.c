/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * To the catalog and back. Its numbers are those of a database and stay what they are, whatever
 * becomes of the enumerations of the program; so each is translated by a table.
 */
#include "registry/stored.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "catalog/credential.h"
#include "registry/fault.h"
#include "registry/sources.h"

#define N(v) (sizeof(v) / sizeof((v)[0]))

static const uint8_t scopes[] = {
	[CREDENTIAL_OF_TARGET] = CATALOG_OF_TARGET,
	[CREDENTIAL_OF_SVM] = CATALOG_OF_SVM,
	[CREDENTIAL_OF_DISCOVERY] = CATALOG_OF_DISCOVERY,
};
static const uint8_t types[] = {
	[CREDENTIAL_CHAP] = CATALOG_CHAP,
	[CREDENTIAL_NONE] = CATALOG_NONE,
	[CREDENTIAL_DENY] = CATALOG_DENY,
};
/* What the configuration declares is not in the catalog. */
static const uint8_t origins[] = {
	[CREDENTIAL_FROM_CONFIG] = 0,
	[CREDENTIAL_FROM_NATIVE] = CATALOG_FROM_NATIVE,
	[CREDENTIAL_FROM_AWS] = CATALOG_FROM_AWS,
	[CREDENTIAL_FROM_ONTAP] = CATALOG_FROM_ONTAP,
};

/* Where in a table a number of the catalog stands; the length of the table: nowhere. */
static unsigned find(const uint8_t *table, unsigned n, unsigned value)
{
	for (unsigned i = 0; i < n; i++)
		if (table[i] == value)
			return i;
	return n;
}

static struct catalog_secret to_catalog(struct secret_view s)
{
	return (struct catalog_secret){ .bytes = s.bytes, .len = s.len };
}

static struct secret_view from_catalog(struct catalog_secret s)
{
	return (struct secret_view){ .bytes = s.bytes, .len = s.len };
}

/* --- writing -------------------------------------------------------------------------------- */

int stored_put(struct catalog_tx *tx, const struct credential_spec *row)
{
	const int64_t now = (int64_t)time(NULL);
	const struct catalog_credential c = {
		.scope = (enum catalog_scope)scopes[row->scope],
		.scope_name = row->scope_name,
		.initiator = row->initiator,
		.type = (enum catalog_credential_type)types[row->type],
		.in_user = row->in_user,
		.in_secret = to_catalog(row->in_secret),
		.old_secret = to_catalog(row->old_secret),
		.old_out_secret = to_catalog(row->old_out_secret),
		.old_until = row->old_until,
		.out_user = row->out_user,
		.out_secret = to_catalog(row->out_secret),
		.sources = row->source_text,
		.origin = (enum catalog_origin)origins[row->origin],
		.written_by = row->written_by,
		.created = now, /* of a row that is there already the old one stays */
		.changed = now,
	};

	return catalog_credential_put(tx, &c);
}

int stored_remove(struct catalog_tx *tx, const struct credential_spec *row)
{
	int err = catalog_credential_remove(
		tx, (enum catalog_scope)scopes[row->scope], row->scope_name, row->initiator);

	return err == -ENOENT ? 0 : err;
}

/* --- reading -------------------------------------------------------------------------------- */

struct loading {
	struct table_edit *edit;
	char what_is_wrong[256];
};

static enum table_fault put_ranges(
	struct loading *l, struct credential_spec *row, struct source_range **ranges)
{
	int err = sources_parse(row->source_text, ranges, &row->source_count);

	if (err)
		return err == -ENOMEM ? TABLE_NO_MEMORY : TABLE_BAD_SOURCES;
	row->sources = *ranges;
	return table_edit_put(l->edit, row, NULL);
}

/* A row that makes no sense is not passed over: it could be the one that keeps somebody out. */
static int load_row(const struct catalog_credential *c, void *arg)
{
	struct loading *l = arg;
	struct source_range *ranges = NULL;
	unsigned scope = find(scopes, N(scopes), c->scope), type = find(types, N(types), c->type),
		 origin = find(origins, N(origins), c->origin);
	struct credential_spec row = {
		.scope = (enum credential_scope)scope,
		.scope_name = c->scope_name,
		.initiator = c->initiator,
		.type = (enum credential_type)type,
		.in_user = c->in_user,
		.in_secret = from_catalog(c->in_secret),
		.old_secret = from_catalog(c->old_secret),
		.old_out_secret = from_catalog(c->old_out_secret),
		.old_until = c->old_until,
		.out_user = c->out_user,
		.out_secret = from_catalog(c->out_secret),
		.source_text = c->sources,
		.origin = (enum credential_origin)origin,
		.written_by = c->written_by,
	};
	enum table_fault fault = TABLE_BAD_NAME;

	if (scope < N(scopes) && type < N(types) && origin < N(origins))
		fault = put_ranges(l, &row, &ranges);
	free(ranges);
	if (fault)
		snprintf(l->what_is_wrong, sizeof(l->what_is_wrong),
			"the catalog's credential of initiator \"%.80s\" for \"%.80s\": %s",
			c->initiator, c->scope_name, table_fault_text(fault));
	return fault ? registry_fault_errno(fault) : 0;
}

static int load_all(struct catalog_tx *tx, void *arg)
{
	return catalog_credential_load(tx, load_row, arg);
}

int stored_load(struct catalog *c, const struct table **out, struct catalog_error *why)
{
	struct loading l = { 0 };
	enum table_fault fault = table_edit_begin(NULL, &l.edit);
	int err;

	if (fault) {
		snprintf(why->text, sizeof(why->text), "%s", table_fault_text(fault));
		return registry_fault_errno(fault);
	}
	err = catalog_run(c, load_all, &l, why);
	if (err) {
		table_edit_abandon(l.edit);
		if (*l.what_is_wrong)
			snprintf(why->text, sizeof(why->text), "%s", l.what_is_wrong);
		return err;
	}
	*out = table_edit_commit(l.edit);
	return 0;
}
