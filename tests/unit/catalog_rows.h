/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the catalog's rows share: rows are shown as text, a line each, so that a test
 * can say what all of them are.
 */
#ifndef TESTS_CATALOG_ROWS_H
#define TESTS_CATALOG_ROWS_H

#include "catalog/credential.h"
#include "catalog_support.h"

/* What load() shows, as one text. */
static char shown[4096];

__attribute__((format(printf, 1, 2))) static inline void show(const char *fmt, ...)
{
	size_t have = strlen(shown);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(shown + have, sizeof(shown) - have, fmt, ap);
	va_end(ap);
}

static inline void assert_shown(
	struct rig *rig, int (*load)(struct catalog_tx *tx, void *arg), const char *text)
{
	shown[0] = '\0';
	assert_int_equal(rig_run(rig, load, NULL), 0);
	assert_string_equal(shown, text);
}

static inline void show_secret(const char *name, const struct catalog_secret *s)
{
	if (s->bytes)
		show(" %s=%.*s", name, (int)s->len, (const char *)s->bytes);
}

static inline int show_credential(const struct catalog_credential *c, void *arg)
{
	(void)arg;
	show("%d %s %s %d", (int)c->scope, c->scope_name, c->initiator, (int)c->type);
	show_secret("in", &c->in_secret);
	show_secret("old", &c->old_secret);
	show_secret("oldout", &c->old_out_secret);
	show_secret("out", &c->out_secret);
	show(" %s|%s|%s|%d|%s|%ld,%ld,%ld\n", c->in_user, c->out_user, c->sources, (int)c->origin,
		c->written_by, (long)c->old_until, (long)c->created, (long)c->changed);
	return 0;
}

static inline int load_credentials(struct catalog_tx *tx, void *arg)
{
	return catalog_credential_load(tx, show_credential, arg);
}

#define ROW_TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin_open, rig_end)

#endif
