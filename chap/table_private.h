/* SPDX-License-Identifier: BSD-2-Clause */
/* What a snapshot is made of; for table.c, which reads it, and table_edit.c, which makes it. */
#ifndef CHAP_TABLE_PRIVATE_H
#define CHAP_TABLE_PRIVATE_H

#include "chap/map.h"
#include "chap/table.h"

struct table {
	atomic_uint refs;
	size_t count;
	struct siphash_key row_key;   /* for names; all three are random, and inherited by */
	struct siphash_key scope_key; /* the snapshots made from this one */
	struct siphash_key secret_key;
	struct map rows;
	struct map tallies; /* of secrets: rows that use it in and out; of scopes: CHAP rows, in */
};

/* The tag of a row; false if a name is too long, or is missing where there must be one. A name of
 * NULL is "". */
bool table_row_tag(const struct table *t, enum credential_scope scope, const char *scope_name,
	const char *initiator, struct siphash_tag *tag);

/* The tag of a scope in the tallies, under the same conditions. */
bool table_scope_tag(const struct table *t, enum credential_scope scope, const char *scope_name,
	struct siphash_tag *tag);

#endif
