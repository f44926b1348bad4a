/* SPDX-License-Identifier: BSD-2-Clause */
/* What a change of credentials consists of: see registry/plan.h. */
#include "registry/plan.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/sources.h"

/* --- beginning and end ---------------------------------------------------------------------- */

enum table_fault plan_begin(
	struct registry *r, enum credential_origin origin, const char *who, struct registry_plan *p)
{
	enum table_fault fault;

	*p = (struct registry_plan){ .r = r, .origin = origin, .who = who };
	fault = table_edit_begin(r->now.credentials, &p->in_force);
	return fault ? fault : table_edit_begin(r->stored, &p->stored);
}

void plan_end(struct registry_plan *p)
{
	table_edit_abandon(p->in_force);
	table_edit_abandon(p->stored);
	for (size_t i = 0; i < p->n; i++) {
		credential_unref(p->steps[i].row);
		free(p->steps[i].detail);
	}
	free(p->steps);
	*p = (struct registry_plan){ 0 };
}

/* --- refusals ------------------------------------------------------------------------------- */

enum registry_result plan_refuse(
	struct registry_plan *p, enum registry_result result, const char *fmt, ...)
{
	va_list ap;

	p->result = result;
	va_start(ap, fmt);
	vsnprintf(p->text, sizeof(p->text), fmt, ap);
	va_end(ap);
	return result;
}

enum registry_result plan_refuse_fault(
	struct registry_plan *p, enum table_fault fault, const struct credential *other)
{
	const char *text = table_fault_text(fault);

	if (fault == TABLE_NO_MEMORY || fault == TABLE_NO_RANDOM)
		return plan_refuse(p, REGISTRY_NO_MEMORY, "%s", text);
	p->fault = fault;
	if (!other)
		return plan_refuse(p, REGISTRY_FAULTY, "%s", text);
	return plan_refuse(p, REGISTRY_FAULTY, "%s: %s, initiator %s", text,
		*other->spec.scope_name ? other->spec.scope_name : "discovery",
		other->spec.initiator);
}

static enum registry_result refuse_declared(
	struct registry_plan *p, const struct credential_spec *row)
{
	return plan_refuse(p, REGISTRY_DECLARED,
		"the credential of %s for %s is declared in the configuration file %s; "
		"change it there, and reload",
		row->initiator, *row->scope_name ? row->scope_name : "discovery", row->written_by);
}

static void lower(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; n < size - 1 && from[n]; n++)
		to[n] = (char)(from[n] >= 'A' && from[n] <= 'Z' ? from[n] - 'A' + 'a' : from[n]);
	to[n] = '\0';
}

static bool has_target(const struct registry *r, const char *name)
{
	char normal[CREDENTIAL_NAME_MAX + 1];

	lower(normal, sizeof(normal), name);
	return target_set_find(r->now.targets, normal);
}

static bool has_scope(const struct registry *r, const struct credential_spec *row)
{
	const char *name = row->scope_name ? row->scope_name : "";

	switch (row->scope) {
	case CREDENTIAL_OF_TARGET: return has_target(r, name);
	case CREDENTIAL_OF_SVM: return registry_has_svm(r, name);
	default: return true;
	}
}

/* Takes over the reference of row, also where there is no memory. */
static enum registry_result add_step(
	struct registry_plan *p, const struct credential *row, bool removes)
{
	struct plan_step *grown = p->steps;

	/* At 1, 2, 4, 8 … steps the room is full. */
	if (!(p->n & (p->n - 1)))
		grown = reallocarray(p->steps, p->n ? 2 * p->n : 1, sizeof(*grown));
	if (!grown) {
		credential_unref(row);
		return plan_refuse_fault(p, TABLE_NO_MEMORY, NULL);
	}
	p->steps = grown;
	p->steps[p->n++] = (struct plan_step){ .row = row, .removes = removes };
	return REGISTRY_DONE;
}

enum registry_result plan_put_row(
	struct registry_plan *p, const struct credential_spec *row, bool displaced)
{
	struct table_edit *first = displaced ? p->stored : p->in_force;
	const struct credential *other = NULL, *made = NULL;
	enum table_fault fault = table_edit_put(first, row, &other);

	if (!fault)
		made = table_edit_find(first, row->scope, row->scope_name, row->initiator);
	if (!fault && !displaced)
		fault = table_edit_share(p->stored, made, &other);
	if (fault)
		return plan_refuse_fault(p, fault, other);
	return add_step(p, credential_ref(made), false);
}

const struct credential *registry_plan_find(const struct registry_plan *p,
	enum credential_scope scope, const char *scope_name, const char *initiator)
{
	return table_edit_find(p->in_force, scope, scope_name, initiator);
}

/* UTF-8, as all that is told in JSON. */
static bool is_text(const char *name)
{
	json_t *j = name ? json_string(name) : NULL;

	json_decref(j);
	return j;
}

static bool is_declared(const struct credential *row)
{
	return row && row->spec.origin == CREDENTIAL_FROM_CONFIG;
}

enum registry_result registry_plan_put(struct registry_plan *p, const struct credential_spec *row)
{
	struct credential_spec spec = *row;
	struct source_range *ranges = NULL;
	const struct credential *was;
	int err = 0;

	if (p->result)
		return p->result;
	if (!is_text(row->initiator))
		return plan_refuse_fault(p, TABLE_BAD_NAME, NULL);
	if (!has_scope(p->r, row))
		return plan_refuse(p, REGISTRY_NO_SCOPE, "there is no %s %s",
			row->scope == CREDENTIAL_OF_SVM ? "SVM" : "target",
			row->scope_name ? row->scope_name : "");
	was = registry_plan_find(p, row->scope, row->scope_name, row->initiator);
	if (is_declared(was))
		return refuse_declared(p, &was->spec);
	spec.origin = p->origin;
	spec.written_by = p->who;
	if (row->source_text)
		err = sources_parse(row->source_text, &ranges, &spec.source_count);
	if (err)
		return plan_refuse_fault(
			p, err == -ENOMEM ? TABLE_NO_MEMORY : TABLE_BAD_SOURCES, NULL);
	if (ranges)
		spec.sources = ranges;
	plan_put_row(p, &spec, false);
	free(ranges);
	return p->result;
}

enum registry_result registry_plan_remove(struct registry_plan *p, enum credential_scope scope,
	const char *scope_name, const char *initiator)
{
	const struct credential *in_force, *row;
	enum table_fault fault;

	if (p->result)
		return p->result;
	in_force = registry_plan_find(p, scope, scope_name, initiator);
	if (is_declared(in_force))
		return refuse_declared(p, &in_force->spec);
	row = credential_ref(table_edit_find(p->stored, scope, scope_name, initiator));
	if (!row)
		return plan_refuse(p, REGISTRY_NO_ROW, "there is no credential of %s for %s",
			initiator, scope_name && *scope_name ? scope_name : "discovery");
	fault = table_edit_remove(p->stored, scope, scope_name, initiator);
	if (!fault && in_force)
		fault = table_edit_remove(p->in_force, scope, scope_name, initiator);
	if (fault) {
		credential_unref(row);
		return plan_refuse_fault(p, fault, NULL);
	}
	return add_step(p, row, true);
}
