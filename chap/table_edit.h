/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing the credential table: a new snapshot out of an old one, or out of nothing.
 *
 * Every dialect and the configuration file come through here, so this is where the rules for rows
 * are kept, first of all that no secret ever serves both directions.
 */
#ifndef CHAP_TABLE_EDIT_H
#define CHAP_TABLE_EDIT_H

#include "chap/table.h"

#define TABLE_FAULTS(X) \
	X(TABLE_OK, "done") \
	X(TABLE_NO_MEMORY, "out of memory") \
	X(TABLE_NO_RANDOM, "the random number generator failed") \
	X(TABLE_NOT_FOUND, "there is no such row") \
	X(TABLE_BAD_NAME, "a name is missing or longer than 255 bytes") \
	X(TABLE_BAD_SECRET, "a secret is empty or longer than 512 bytes") \
	X(TABLE_SECRET_MISSING, "CHAP needs a secret for the initiator") \
	X(TABLE_SECRET_UNUSED, "a user or secret makes no sense without CHAP") \
	X(TABLE_USER_UNUSED, "a user for the target makes no sense without its secret") \
	X(TABLE_USER_MISSING, "a row for any initiator needs the user name to expect") \
	X(TABLE_OUT_USER_MISSING, \
		"discovery has no target name to answer with: a target user is needed") \
	X(TABLE_BAD_SOURCES, "an address range is malformed, or there are too many") \
	X(TABLE_DEFAULT_SOURCES, "the default row of an SVM takes no addresses") \
	X(TABLE_SAME_SECRET, "the initiator's and the target's secret are the same") \
	X(TABLE_IN_USED_OUT, "the initiator's secret already proves a target elsewhere") \
	X(TABLE_OUT_USED_IN, "the target's secret already proves an initiator elsewhere")

#define TABLE_AS_ENUM(id, text) id,
enum table_fault { TABLE_FAULTS(TABLE_AS_ENUM) };

/* A sentence for the administrator; never NULL, never quotes a secret. */
const char *table_fault_text(enum table_fault fault);

/* A change being made; one thread at a time. */
struct table_edit;

/* Begins with the rows of base, or with none if it is NULL; base is unharmed and may be
 * unreferenced meanwhile. *out is set only on TABLE_OK; end it by commit or abandon.
 * Faults: NO_MEMORY, NO_RANDOM. */
enum table_fault table_edit_begin(const struct table *base, struct table_edit **out);

/*
 * Adds a row, or replaces the one with the same scope and initiator. Either all of it is done or,
 * on any fault, nothing. The whole table is held to this rule (RFC 7143 9.2.1): no secret proves
 * an initiator in one place and a target in another. For IN_USED_OUT and OUT_USED_IN *other is a
 * row that stands in the way, valid until the next call on this edit; otherwise NULL. other itself
 * may be NULL.
 */
enum table_fault table_edit_put(
	struct table_edit *e, const struct credential_spec *spec, const struct credential **other);

/* The same with a row that another table has: both have it from then on. */
enum table_fault table_edit_share(
	struct table_edit *e, const struct credential *row, const struct credential **other);

/* Faults: NOT_FOUND, NO_MEMORY. */
enum table_fault table_edit_remove(struct table_edit *e, enum credential_scope scope,
	const char *scope_name, const char *initiator);

/* The row as the edit has it now, or NULL; valid until the next call on this edit. */
const struct credential *table_edit_find(const struct table_edit *e, enum credential_scope scope,
	const char *scope_name, const char *initiator);

/* Turns the edit into a snapshot with one reference, the caller's. Cannot fail; e is gone. */
const struct table *table_edit_commit(struct table_edit *e);

/* Forgets the edit. NULL is fine. */
void table_edit_abandon(struct table_edit *e);

#endif
