/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The credential table: who may log in to what, and how they prove it.
 *
 * A struct table is an immutable snapshot. Any number of threads may read one without a lock while
 * it is referenced. chap/table_edit.h makes new snapshots out of old ones; they share all that did
 * not change. A lookup costs the same in a table of ten rows and in one of 100,000.
 *
 * Names of scopes and initiators are compared in lower case (ASCII), as iSCSI names are normalised
 * (RFC 3722); the table keeps the lower-case form. User names are compared as they are.
 *
 * Wherever a table is asked for here, NULL is a table without rows.
 */
#ifndef CHAP_TABLE_H
#define CHAP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chap/credential.h"

struct table;

/* One more reference; gives t. Any thread. */
const struct table *table_ref(const struct table *t);

/* Gives one reference back; the last one frees what no other snapshot shares. Any thread,
 * but prefer one that may take its time: the last snapshot frees every row. */
void table_unref(const struct table *t);

/* Rows. */
size_t table_count(const struct table *t);

/* The row with exactly this key, or NULL. Valid while t is referenced. */
const struct credential *table_find(const struct table *t, enum credential_scope scope,
	const char *scope_name, const char *initiator);

/* Calls fn for every row, in no particular order, until it returns false. */
void table_each(
	const struct table *t, bool (*fn)(const struct credential *c, void *arg), void *arg);

/* Does the target have a CHAP row, so that nobody gets in without proof? (`closed` below) */
bool table_closed(const struct table *t, const char *target);

/* How often this secret proves an initiator in the table, old secrets included. A secret of several
 * initiators tells none from another. */
unsigned table_secret_uses(const struct table *t, struct secret_view secret);

enum table_verdict {
	TABLE_FORBIDDEN, /* refuse: iSCSI login status 0x0202 */
	TABLE_NO_SECRET, /* CHAP is required and there is no secret to prove: 0x0201. To give away
			  * nothing, run the exchange without a row, which fails at its end. */
	TABLE_OPEN,      /* no authentication */
	TABLE_CHAP,      /* CHAP with the row */
};

struct table_answer {
	enum table_verdict verdict;
	const struct credential *row; /* TABLE_CHAP only; valid while the table is referenced */
	uint8_t rule;                 /* 1..7: which of the rules below decided, for the log */
};

/*
 * Who may log in to `target`, which belongs to `svm` (NULL or "": to none), as `initiator` from
 * `source`? With E = row(SVM, initiator); A = row(target, initiator), or else row(target, default);
 * D = row(SVM, default); closed = `requires_chap`, or the target has at least one CHAP row:
 *
 *	1  E or A denies                                        -> forbidden
 *	2  E or A has addresses, and source is not among them   -> forbidden
 *	3  A is CHAP                                            -> CHAP with A
 *	4  E is CHAP                                            -> CHAP with E
 *	5  closed                                               -> no secret
 *	6  E or A is "none"                                     -> open
 *	7  D denies -> forbidden; is CHAP -> CHAP with D; is "none" or absent -> open
 *
 * The narrower scope wins for secrets (3 before 4), a prohibition or address list is never passed
 * by (1, 2), and once CHAP is on for a target nobody gets in without a secret of their own or of
 * the target's default row (5 before 6 and 7).
 * An initiator that calls itself "default" has no row of its own.
 */
struct table_answer table_resolve(const struct table *t, const char *target, const char *svm,
	const char *initiator, const struct source *source, bool requires_chap);

/* The same for a discovery session: A is a row of CREDENTIAL_OF_DISCOVERY, and there is no SVM. */
struct table_answer table_resolve_discovery(const struct table *t, const char *initiator,
	const struct source *source, bool requires_chap);

#endif
