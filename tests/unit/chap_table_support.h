/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the credential table share: rows in a line each, and edits that must succeed. */
#ifndef TESTS_CHAP_TABLE_SUPPORT_H
#define TESTS_CHAP_TABLE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "chap/table.h"
#include "chap/table_edit.h"
#include "chap_faults.h"

#define T1 "iqn.2026-11.com.example:t1"
#define T2 "iqn.2026-11.com.example:t2"
#define I1 "iqn.2026-11.com.example:host1"
#define I2 "iqn.2026-11.com.example:host2"

static inline struct secret_view text(const char *s)
{
	return (struct secret_view){ (const uint8_t *)s, strlen(s) };
}

static inline struct source source(const char *s)
{
	struct source out = { 0 };

	assert_true(source_parse(s, &out));
	return out;
}

/* A CHAP row with a secret; the caller alters it as it needs. */
static inline struct credential_spec chap_row(
	enum credential_scope scope, const char *name, const char *initiator, const char *secret)
{
	return (struct credential_spec){
		.scope = scope,
		.scope_name = name,
		.initiator = initiator,
		.type = CREDENTIAL_CHAP,
		.in_user = strcmp(initiator, "default") == 0 ? "anyone" : NULL,
		.in_secret = text(secret),
	};
}

static inline struct credential_spec plain_row(enum credential_scope scope, const char *name,
	const char *initiator, enum credential_type type)
{
	return (struct credential_spec){
		.scope = scope, .scope_name = name, .initiator = initiator, .type = type
	};
}

static inline struct table_edit *edit_of(const struct table *base)
{
	struct table_edit *e = NULL;

	assert_int_equal(table_edit_begin(base, &e), TABLE_OK);
	assert_non_null(e);
	return e;
}

static inline void put(struct table_edit *e, struct credential_spec spec)
{
	const struct credential *other = (const void *)1;

	assert_int_equal(table_edit_put(e, &spec, &other), TABLE_OK);
	assert_null(other);
}

static inline void assert_conflict(struct table_edit *e, struct credential_spec spec,
	enum table_fault want, const char *scope_name, const char *initiator)
{
	const struct credential *other = NULL;

	assert_int_equal(table_edit_put(e, &spec, &other), want);
	assert_non_null(other);
	assert_string_equal(other->spec.scope_name, scope_name);
	assert_string_equal(other->spec.initiator, initiator);
}

static inline const struct table *snapshot(struct table_edit *e)
{
	return table_edit_commit(e);
}

struct world {
	struct table_edit *edit;
	bool requires_chap;
	const char *source;
};

static inline void row(struct world *w, struct credential_spec spec)
{
	if (!w->edit)
		w->edit = edit_of(NULL);
	put(w->edit, spec);
}

static inline struct credential_spec mutual_row(
	const char *target, const char *initiator, const char *in, const char *out)
{
	struct credential_spec s = chap_row(CREDENTIAL_OF_TARGET, target, initiator, in);

	s.out_secret = text(out);
	return s;
}

#endif
