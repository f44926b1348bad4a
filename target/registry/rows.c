/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking at credentials: rows of a scope, names, SVMs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "iscsi/name.h"
#include "registry/registry_private.h"

/* Rows of a table that are being picked out. */
struct picking {
	struct registry_rows *rows;
	bool all;
	enum credential_scope scope;
	const char *scope_name;
	bool failed;
};

static bool pick(const struct credential *c, void *arg)
{
	struct picking *p = arg;
	struct registry_rows *rows = p->rows;
	const struct credential **grown = rows->row;

	if (!p->all && (c->spec.scope != p->scope || strcasecmp(c->spec.scope_name, p->scope_name)))
		return true;
	if (!(rows->n & (rows->n - 1)))
		grown = reallocarray(rows->row, rows->n ? 2 * rows->n : 1, sizeof(*grown));
	p->failed = !grown;
	if (!grown)
		return false;
	rows->row = grown;
	rows->row[rows->n++] = c;
	return true;
}

static int by_place(const void *a, const void *b)
{
	const struct credential_spec *x = &(*(const struct credential *const *)a)->spec,
				     *y = &(*(const struct credential *const *)b)->spec;
	int order = (x->scope > y->scope) - (x->scope < y->scope);

	if (!order)
		order = strcmp(x->scope_name, y->scope_name);
	return order ? order : strcmp(x->initiator, y->initiator);
}

static int pick_rows(const struct registry *r, struct picking *p, struct registry_rows *out)
{
	*out = (struct registry_rows){ .table = table_ref(r->now.credentials) };
	p->rows = out;
	table_each(out->table, pick, p);
	if (p->failed) {
		registry_rows_end(out);
		return -ENOMEM;
	}
	if (out->n)
		qsort(out->row, out->n, sizeof(*out->row), by_place);
	return 0;
}

int registry_rows_of(const struct registry *r, enum credential_scope scope, const char *scope_name,
	struct registry_rows *out)
{
	return pick_rows(r, &(struct picking){ .scope = scope, .scope_name = scope_name }, out);
}

int registry_rows_all(const struct registry *r, struct registry_rows *out)
{
	return pick_rows(r, &(struct picking){ .all = true }, out);
}

void registry_rows_end(struct registry_rows *rows)
{
	free(rows->row);
	table_unref(rows->table);
	*rows = (struct registry_rows){ 0 };
}

bool registry_initiator_name(const char *text, char name[static REGISTRY_NAME_SIZE])
{
	struct iscsi_name normal;

	if (!name_parse(text, strlen(text), &normal))
		return false;
	memcpy(name, normal.text, sizeof(normal.text));
	return true;
}

/* --- SVMs ----------------------------------------------------------------------------------- */

const char *registry_svm_of(const struct registry *r, const char *target)
{
	const struct iscsi_target *t = target_set_find(r->now.targets, target);

	return t ? t->svm : NULL;
}

bool registry_has_svm(const struct registry *r, const char *svm)
{
	return config_has_svm(r->now.cfg, svm);
}

void registry_svms(const struct registry *r, void (*each)(void *arg, const char *svm), void *arg)
{
	config_svms(r->now.cfg, each, arg);
}
