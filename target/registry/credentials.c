/* SPDX-License-Identifier: BSD-2-Clause */
/* Credentials of the configuration file, as rows of the table. */
#include "registry/credentials.h"

#include <errno.h>
#include <string.h>

#include "registry/fault.h"

/* One list of the file: of a target, or of discovery. */
struct list_of_rows {
	enum credential_scope scope;
	const char *name;
	const struct config_credential *v;
	size_t n;
};

static struct list_of_rows of_target(const struct config_target *t)
{
	return (struct list_of_rows){ CREDENTIAL_OF_TARGET, t->name, t->credentials,
		t->n_credentials };
}

static struct list_of_rows of_discovery(const struct config_discovery *d)
{
	return (struct list_of_rows){ CREDENTIAL_OF_DISCOVERY, "", d->credentials,
		d->n_credentials };
}

static const char *initiator_of(const struct config_credential *row)
{
	return row->initiator ? row->initiator : CREDENTIAL_DEFAULT;
}

/* What is wrong, and, where another row stands in the way, which. */
static int refuse_row(struct faults *faults, const struct config *cfg,
	const struct config_credential *row, enum table_fault fault, const struct credential *other)
{
	const char *text = table_fault_text(fault);

	if (!other)
		return registry_fault(
			faults, cfg, &row->secret, registry_fault_errno(fault), "%s", text);
	return registry_fault(faults, cfg, &row->secret, registry_fault_errno(fault),
		"%s: %s, initiator %s", text,
		*other->spec.scope_name ? other->spec.scope_name : "discovery",
		other->spec.initiator);
}

/* A table under construction. */
struct building {
	struct table_edit *edit;
	const struct config *cfg;
	void (*each)(void *arg, const struct displaced *d);
	void *arg;
	struct faults *faults;
};

static bool is_stored(const struct credential *c)
{
	return c && c->spec.origin != CREDENTIAL_FROM_CONFIG;
}

static void tell_displaced(
	const struct building *b, const struct credential *row, const struct config_credential *by)
{
	if (b->each)
		b->each(b->arg, &(struct displaced){ .row = row, .by = by });
}

/* Puts a row of the file. What stands in its way is removed, if it is none of the file. */
static enum table_fault put_before_stored(struct building *b, const struct credential_spec *spec,
	const struct config_credential *row, const struct credential **other)
{
	enum table_fault fault = table_edit_put(b->edit, spec, other);

	while (fault && is_stored(*other)) {
		const struct credential *away = credential_ref(*other);
		enum table_fault gone = table_edit_remove(
			b->edit, away->spec.scope, away->spec.scope_name, away->spec.initiator);

		tell_displaced(b, away, row);
		credential_unref(away);
		*other = NULL;
		fault = gone ? gone : table_edit_put(b->edit, spec, other);
	}
	return fault;
}

static int put_row(
	struct building *b, const struct list_of_rows *list, const struct config_credential *row)
{
	struct credential_spec spec = {
		.scope = list->scope,
		.scope_name = list->name,
		.initiator = initiator_of(row),
		.type = CREDENTIAL_CHAP,
		.in_user = row->user,
		.in_secret = row->secret,
		.out_user = row->target_user,
		.out_secret = row->target_secret,
		.origin = CREDENTIAL_FROM_CONFIG,
		.written_by = b->cfg->path,
	};
	const struct credential *other =
		table_edit_find(b->edit, list->scope, list->name, spec.initiator);
	enum table_fault fault;

	if (is_stored(other))
		tell_displaced(b, other, row);
	fault = put_before_stored(b, &spec, row, &other);
	return fault ? refuse_row(b->faults, b->cfg, row, fault, other) : 0;
}

static int put_list(struct building *b, struct list_of_rows list)
{
	int err = 0;

	for (size_t i = 0; err != -ENOMEM && i < list.n; i++) {
		int failed = put_row(b, &list, &list.v[i]);

		err = failed ? failed : err;
	}
	return err;
}

static int put_all(struct building *b)
{
	int err = put_list(b, of_discovery(&b->cfg->discovery));

	for (size_t i = 0; err != -ENOMEM && i < b->cfg->n_targets; i++) {
		int failed = put_list(b, of_target(&b->cfg->targets[i]));

		err = failed ? failed : err;
	}
	return err;
}

int credentials_build(const struct table *stored, const struct config *cfg,
	void (*each)(void *arg, const struct displaced *d), void *arg, const struct table **out,
	struct faults *faults)
{
	struct building b = { .cfg = cfg, .each = each, .arg = arg, .faults = faults };
	enum table_fault fault = table_edit_begin(stored, &b.edit);
	int err;

	if (fault)
		return registry_fault(faults, cfg, NULL, registry_fault_errno(fault),
			"credentials: %s", table_fault_text(fault));
	err = put_all(&b);
	if (err)
		table_edit_abandon(b.edit);
	else
		*out = table_edit_commit(b.edit);
	return err;
}

/* --- what changed --------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_secret(struct secret_view a, struct secret_view b)
{
	return (!a.bytes && !b.bytes) || secret_equal(a, b);
}

static bool same_row(const struct config_credential *a, const struct config_credential *b)
{
	return same_text(a->initiator, b->initiator) && same_text(a->user, b->user) &&
	       same_text(a->target_user, b->target_user) && same_secret(a->secret, b->secret) &&
	       same_secret(a->target_secret, b->target_secret);
}

static bool has_row(const struct config_target *t, const struct config_credential *row)
{
	for (size_t i = 0; i < t->n_credentials; i++)
		if (same_row(&t->credentials[i], row))
			return true;
	return false;
}

static bool needs_chap(const struct config_target *t)
{
	return config_chap_needed(t->auth, t->n_credentials);
}

bool credentials_tightened(const struct config *was, const struct config_target *before,
	const struct config *is, const struct config_target *after)
{
	if (needs_chap(after) && !needs_chap(before))
		return true;
	if (!config_same_svm(was, before, is, after))
		return true; /* other rows hold for it */
	for (size_t i = 0; i < before->n_credentials; i++)
		if (!has_row(after, &before->credentials[i]))
			return true;
	return false;
}
