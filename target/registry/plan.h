/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plan: what a change of credentials (change.c) consists of, on two edits, of the table in force
 * and of the rows that the catalog has. The rules for rows are held against both. What its maker
 * does with it is in registry/registry.h, as registry_plan_put(). Main thread.
 */
#ifndef REGISTRY_PLAN_H
#define REGISTRY_PLAN_H

#include "registry/registry_private.h"

/* One row of a change. */
struct plan_step {
	const struct credential *row; /* a reference: the new row, or the one to be removed */
	bool removes;
	char *detail; /* for the audit: set later, freed with the plan */
};

struct registry_plan {
	struct registry *r;
	enum credential_origin origin;
	const char *who;
	struct table_edit *in_force, *stored; /* NULL where they have been committed */
	struct plan_step *steps;
	size_t n;
	enum registry_result result; /* of the first call that was not REGISTRY_DONE */
	enum table_fault fault;
	char text[768]; /* what is wrong, for people */
};

/* `who` is borrowed. Whatever comes of it, plan_end() follows. */
enum table_fault plan_begin(struct registry *r, enum credential_origin origin, const char *who,
	struct registry_plan *p);
void plan_end(struct registry_plan *p);

/* Puts a row that is complete: among the stored ones, and into the table in force unless the
 * configuration file stands in its way there (`displaced`). */
enum registry_result plan_put_row(
	struct registry_plan *p, const struct credential_spec *row, bool displaced);

/* The plan cannot be, and why. They give what they set. */
enum registry_result plan_refuse(struct registry_plan *p, enum registry_result result,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* `other`: the row that stands in the way, or NULL. */
enum registry_result plan_refuse_fault(
	struct registry_plan *p, enum table_fault fault, const struct credential *other);

#endif
