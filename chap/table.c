/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the credential table: lookups, and the rules for who may log in. */
#include "chap/table.h"

#include <string.h>

#include <openssl/crypto.h>

#include "chap/table_private.h"

const struct table *table_ref(const struct table *t)
{
	if (t)
		atomic_fetch_add_explicit(&((struct table *)t)->refs, 1, memory_order_relaxed);
	return t;
}

void table_unref(const struct table *t)
{
	struct table *own = (struct table *)t;

	if (!own || atomic_fetch_sub_explicit(&own->refs, 1, memory_order_acq_rel) != 1)
		return;
	map_clear(&own->rows);
	map_clear(&own->tallies);
	OPENSSL_clear_free(own, sizeof(*own));
}

size_t table_count(const struct table *t)
{
	return t ? t->count : 0;
}

void table_each(const struct table *t, bool (*fn)(const struct credential *c, void *arg), void *arg)
{
	for (size_t i = 0; t && i < MAP_SHARDS; i++) {
		const struct map_shard *s = t->rows.shard[i];

		for (uint32_t k = 0; s && k < s->count; k++) {
			if (!fn(s->entry[k].row, arg))
				return;
		}
	}
}

/* Scope, scope name and initiator side by side, each name ended by its NUL. */
struct key {
	size_t len;
	uint8_t bytes[1 + 2 * (CREDENTIAL_NAME_MAX + 1)];
};

static bool key_add(struct key *k, const char *name)
{
	size_t len = name ? strlen(name) : 0;

	if (len > CREDENTIAL_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		k->bytes[k->len++] = (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	k->bytes[k->len++] = 0;
	return true;
}

/* Discovery is one scope without a name, the others have one. */
static bool key_begin(struct key *k, enum credential_scope scope, const char *scope_name)
{
	bool named = scope_name && *scope_name;

	k->bytes[0] = (uint8_t)scope;
	k->len = 1;
	return named == (scope != CREDENTIAL_OF_DISCOVERY) && key_add(k, scope_name);
}

bool table_row_tag(const struct table *t, enum credential_scope scope, const char *scope_name,
	const char *initiator, struct siphash_tag *tag)
{
	struct key k;

	if (!initiator || !*initiator || !key_begin(&k, scope, scope_name) ||
		!key_add(&k, initiator))
		return false;
	*tag = siphash(&t->row_key, k.bytes, k.len);
	return true;
}

bool table_scope_tag(const struct table *t, enum credential_scope scope, const char *scope_name,
	struct siphash_tag *tag)
{
	struct key k;

	if (!key_begin(&k, scope, scope_name))
		return false;
	*tag = siphash(&t->scope_key, k.bytes, k.len);
	return true;
}

const struct credential *table_find(const struct table *t, enum credential_scope scope,
	const char *scope_name, const char *initiator)
{
	struct siphash_tag tag;
	const struct map_entry *e;

	if (!t || !table_row_tag(t, scope, scope_name, initiator, &tag))
		return NULL;
	e = map_find(&t->rows, tag);
	return e ? e->row : NULL;
}

static bool closed(const struct table *t, enum credential_scope scope, const char *scope_name)
{
	struct siphash_tag tag;

	return t && table_scope_tag(t, scope, scope_name, &tag) && map_find(&t->tallies, tag);
}

bool table_closed(const struct table *t, const char *target)
{
	return closed(t, CREDENTIAL_OF_TARGET, target);
}

unsigned table_secret_uses(const struct table *t, struct secret_view secret)
{
	const struct map_entry *e = NULL;

	if (t && secret.bytes)
		e = map_find(&t->tallies, siphash(&t->secret_key, secret.bytes, secret.len));
	return e ? e->in : 0;
}

static bool is(const struct credential *c, enum credential_type type)
{
	return c && c->spec.type == type;
}

static bool admits(const struct credential *c, const struct source *source)
{
	if (!c || c->spec.source_count == 0)
		return true;
	for (size_t i = 0; i < c->spec.source_count; i++) {
		if (source_in_range(source, &c->spec.sources[i]))
			return true;
	}
	return false;
}

/* The rules of table.h, in their order. Any row may be NULL. */
static struct table_answer decide(const struct credential *e, const struct credential *a,
	const struct credential *d, bool closed, const struct source *source)
{
	if (is(e, CREDENTIAL_DENY) || is(a, CREDENTIAL_DENY))
		return (struct table_answer){ TABLE_FORBIDDEN, NULL, 1 };
	if (!admits(e, source) || !admits(a, source))
		return (struct table_answer){ TABLE_FORBIDDEN, NULL, 2 };
	if (is(a, CREDENTIAL_CHAP))
		return (struct table_answer){ TABLE_CHAP, a, 3 };
	if (is(e, CREDENTIAL_CHAP))
		return (struct table_answer){ TABLE_CHAP, e, 4 };
	if (closed)
		return (struct table_answer){ TABLE_NO_SECRET, NULL, 5 };
	if (e || a)
		return (struct table_answer){ TABLE_OPEN, NULL, 6 };
	if (is(d, CREDENTIAL_DENY))
		return (struct table_answer){ TABLE_FORBIDDEN, NULL, 7 };
	if (is(d, CREDENTIAL_CHAP))
		return (struct table_answer){ TABLE_CHAP, d, 7 };
	return (struct table_answer){ TABLE_OPEN, NULL, 7 };
}

/* The row of this very initiator. A peer that calls itself "default" is not what the default row
 * is for, though it may of course use that row as everybody does. */
static const struct credential *row_of(const struct table *t, enum credential_scope scope,
	const char *scope_name, const char *initiator)
{
	const struct credential *c = table_find(t, scope, scope_name, initiator);

	return c && strcmp(c->spec.initiator, CREDENTIAL_DEFAULT) == 0 ? NULL : c;
}

static const struct credential *row_or_default(const struct table *t, enum credential_scope scope,
	const char *scope_name, const char *initiator)
{
	const struct credential *c = row_of(t, scope, scope_name, initiator);

	return c ? c : table_find(t, scope, scope_name, CREDENTIAL_DEFAULT);
}

struct table_answer table_resolve(const struct table *t, const char *target, const char *svm,
	const char *initiator, const struct source *source, bool requires_chap)
{
	return decide(row_of(t, CREDENTIAL_OF_SVM, svm, initiator),
		row_or_default(t, CREDENTIAL_OF_TARGET, target, initiator),
		table_find(t, CREDENTIAL_OF_SVM, svm, CREDENTIAL_DEFAULT),
		requires_chap || table_closed(t, target), source);
}

struct table_answer table_resolve_discovery(const struct table *t, const char *initiator,
	const struct source *source, bool requires_chap)
{
	return decide(NULL, row_or_default(t, CREDENTIAL_OF_DISCOVERY, NULL, initiator), NULL,
		requires_chap || closed(t, CREDENTIAL_OF_DISCOVERY, NULL), source);
}
