/* SPDX-License-Identifier: BSD-2-Clause */
/* Credentials of the configuration file, as rows of the table. */
#include "registry_credentials.h"

#include <errno.h>
#include <string.h>

#include "registry_fault.h"

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

static int error_of(enum table_fault fault)
{
	return fault == TABLE_NO_MEMORY ? -ENOMEM : fault == TABLE_NO_RANDOM ? -EIO : -EINVAL;
}

/* What is wrong, and, where another row stands in the way, which. */
static int refuse_row(struct faults *faults, const struct config *cfg,
	const struct config_credential *row, enum table_fault fault, const struct credential *other)
{
	const char *text = table_fault_text(fault);

	if (!other)
		return registry_fault(faults, cfg, &row->secret, error_of(fault), "%s", text);
	return registry_fault(faults, cfg, &row->secret, error_of(fault), "%s: %s, initiator %s",
		text, *other->spec.scope_name ? other->spec.scope_name : "discovery",
		other->spec.initiator);
}

static int put_row(struct table_edit *edit, const struct config *cfg,
	const struct list_of_rows *list, const struct config_credential *row, struct faults *faults)
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
		.written_by = cfg->path,
	};
	const struct credential *other =
		table_edit_find(edit, list->scope, list->name, spec.initiator);
	enum table_fault fault;

	if (other && other->spec.origin == CREDENTIAL_FROM_CONFIG)
		return registry_fault(faults, cfg, &row->secret, -EINVAL,
			"there is a row for any "
			"initiator in this list already; say for which initiator "
			"this one is");
	fault = table_edit_put(edit, &spec, &other);
	return fault ? refuse_row(faults, cfg, row, fault, other) : 0;
}

static int put_list(struct table_edit *edit, const struct config *cfg, struct list_of_rows list,
	struct faults *faults)
{
	int err = 0;

	for (size_t i = 0; err != -ENOMEM && i < list.n; i++) {
		int failed = put_row(edit, cfg, &list, &list.v[i], faults);

		err = failed ? failed : err;
	}
	return err;
}

static int put_all(struct table_edit *edit, const struct config *cfg, struct faults *faults)
{
	int err = put_list(edit, cfg, of_discovery(&cfg->discovery), faults);

	for (size_t i = 0; err != -ENOMEM && i < cfg->n_targets; i++) {
		int failed = put_list(edit, cfg, of_target(&cfg->targets[i]), faults);

		err = failed ? failed : err;
	}
	return err;
}

static enum table_fault remove_list(struct table_edit *edit, struct list_of_rows list)
{
	enum table_fault fault = TABLE_OK;

	for (size_t i = 0; fault != TABLE_NO_MEMORY && i < list.n; i++)
		fault = table_edit_remove(edit, list.scope, list.name, initiator_of(&list.v[i]));
	return fault;
}

static enum table_fault remove_all(struct table_edit *edit, const struct config *cfg)
{
	enum table_fault fault = remove_list(edit, of_discovery(&cfg->discovery));

	for (size_t i = 0; fault != TABLE_NO_MEMORY && i < cfg->n_targets; i++)
		fault = remove_list(edit, of_target(&cfg->targets[i]));
	return fault;
}

int credentials_replace(const struct table *old, const struct config *before,
	const struct config *after, const struct table **out, struct faults *faults)
{
	struct table_edit *edit = NULL;
	enum table_fault fault = table_edit_begin(old, &edit);
	int err;

	if (!fault && before && remove_all(edit, before) == TABLE_NO_MEMORY)
		fault = TABLE_NO_MEMORY;
	if (fault) {
		table_edit_abandon(edit);
		return registry_fault(faults, after, NULL, error_of(fault), "credentials: %s",
			table_fault_text(fault));
	}
	err = put_all(edit, after, faults);
	if (err)
		table_edit_abandon(edit);
	else
		*out = table_edit_commit(edit);
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

bool credentials_tightened(const struct config_target *before, const struct config_target *after)
{
	if (needs_chap(after) && !needs_chap(before))
		return true;
	for (size_t i = 0; i < before->n_credentials; i++)
		if (!has_row(after, &before->credentials[i]))
			return true;
	return false;
}
