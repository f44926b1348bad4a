/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Edits of the credential table. An edit is a snapshot that nobody else has yet. Each change is
 * judged first, then all the memory it needs is reserved, and then it is made, which cannot fail.
 */
#include "chap/table_edit.h"

#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "chap/table_private.h"

struct table_edit {
	struct table table;
};

#define AS_TEXT(id, text) [id] = (text),

const char *table_fault_text(enum table_fault fault)
{
	static const char *const texts[] = { TABLE_FAULTS(AS_TEXT) };

	return fault < sizeof(texts) / sizeof(texts[0]) ? texts[fault] : "unknown fault";
}

static bool random_key(struct siphash_key *key)
{
	return RAND_priv_bytes(key->bytes, sizeof(key->bytes)) == 1;
}

static void inherit(struct table *t, const struct table *base)
{
	t->count = base->count;
	t->row_key = base->row_key;
	t->scope_key = base->scope_key;
	t->secret_key = base->secret_key;
	map_share(&t->rows, &base->rows);
	map_share(&t->tallies, &base->tallies);
}

enum table_fault table_edit_begin(const struct table *base, struct table_edit **out)
{
	struct table_edit *e = OPENSSL_zalloc(sizeof(*e));

	if (!e)
		return TABLE_NO_MEMORY;
	atomic_init(&e->table.refs, 1);
	if (base) {
		inherit(&e->table, base);
	} else if (!random_key(&e->table.row_key) || !random_key(&e->table.scope_key) ||
		   !random_key(&e->table.secret_key)) {
		table_edit_abandon(e);
		return TABLE_NO_RANDOM;
	}
	*out = e;
	return TABLE_OK;
}

const struct table *table_edit_commit(struct table_edit *e)
{
	return &e->table;
}

void table_edit_abandon(struct table_edit *e)
{
	if (e)
		table_unref(&e->table);
}

const struct credential *table_edit_find(const struct table_edit *e, enum credential_scope scope,
	const char *scope_name, const char *initiator)
{
	return table_find(&e->table, scope, scope_name, initiator);
}

static bool given(const char *text)
{
	return text && *text;
}

static bool fits(const char *name)
{
	return !name || strnlen(name, CREDENTIAL_NAME_MAX + 1) <= CREDENTIAL_NAME_MAX;
}

static bool sound(struct secret_view s)
{
	return !s.bytes || (s.len > 0 && s.len <= SECRET_MAX);
}

static bool for_anyone(const struct credential_spec *s)
{
	return strcasecmp(s->initiator, CREDENTIAL_DEFAULT) == 0;
}

static enum table_fault check_sources(const struct credential_spec *s)
{
	if (s->source_count > CREDENTIAL_SOURCES_MAX)
		return TABLE_BAD_SOURCES;
	for (size_t i = 0; i < s->source_count; i++) {
		if (source_range_check(&s->sources[i]) != SOURCE_OK)
			return TABLE_BAD_SOURCES;
	}
	if (s->source_count > 0 && s->scope == CREDENTIAL_OF_SVM && for_anyone(s))
		return TABLE_DEFAULT_SOURCES;
	return TABLE_OK;
}

/* Does a secret of a that proves an initiator prove a target in b? */
static bool crosses(const struct credential_spec *a, const struct credential_spec *b)
{
	return secret_equal(a->in_secret, b->out_secret) ||
	       secret_equal(a->old_secret, b->out_secret) ||
	       secret_equal(a->in_secret, b->old_out_secret) ||
	       secret_equal(a->old_secret, b->old_out_secret);
}

static enum table_fault check_chap(const struct credential_spec *s)
{
	if (!s->in_secret.bytes)
		return TABLE_SECRET_MISSING;
	if (!sound(s->in_secret) || !sound(s->old_secret) || !sound(s->out_secret) ||
		!sound(s->old_out_secret))
		return TABLE_BAD_SECRET;
	if (for_anyone(s) && !given(s->in_user))
		return TABLE_USER_MISSING;
	if (given(s->out_user) && !s->out_secret.bytes)
		return TABLE_USER_UNUSED;
	if (s->scope == CREDENTIAL_OF_DISCOVERY && s->out_secret.bytes && !given(s->out_user))
		return TABLE_OUT_USER_MISSING;
	if (crosses(s, s))
		return TABLE_SAME_SECRET;
	return TABLE_OK;
}

static enum table_fault check_plain(const struct credential_spec *s)
{
	if (s->in_secret.bytes || s->old_secret.bytes || s->out_secret.bytes ||
		s->old_out_secret.bytes || given(s->in_user) || given(s->out_user))
		return TABLE_SECRET_UNUSED;
	return TABLE_OK;
}

/* The rules that one row can be judged by alone; the names of scope and initiator are good. */
static enum table_fault check(const struct credential_spec *s)
{
	enum table_fault fault = check_sources(s);

	if (fault != TABLE_OK)
		return fault;
	if (!fits(s->in_user) || !fits(s->out_user) || !fits(s->written_by))
		return TABLE_BAD_NAME;
	return s->type == CREDENTIAL_CHAP ? check_chap(s) : check_plain(s);
}

/* What a row adds to the tallies. */
struct share {
	struct siphash_tag tag;
	uint32_t in, out;
};

struct shares {
	unsigned count;
	struct share share[5];
};

static void add_secret(struct shares *list, const struct table *t, struct secret_view s, bool in)
{
	if (!s.bytes)
		return;
	list->share[list->count++] = (struct share){
		.tag = siphash(&t->secret_key, s.bytes, s.len),
		.in = in,
		.out = !in,
	};
}

/* spec is NULL for no row at all; otherwise its names are good. */
static struct shares shares_of(const struct table *t, const struct credential_spec *spec)
{
	struct shares list = { 0 };

	if (!spec || spec->type != CREDENTIAL_CHAP)
		return list;
	add_secret(&list, t, spec->in_secret, true);
	add_secret(&list, t, spec->old_secret, true);
	add_secret(&list, t, spec->out_secret, false);
	add_secret(&list, t, spec->old_out_secret, false);
	list.share[list.count].in = 1;
	table_scope_tag(t, spec->scope, spec->scope_name, &list.share[list.count].tag);
	list.count++;
	return list;
}

/* How often rows other than the one with the shares `own` use this tag. */
static struct share used_by_others(
	const struct table *t, const struct shares *own, struct siphash_tag tag)
{
	const struct map_entry *e = map_find(&t->tallies, tag);
	struct share others = { .tag = tag };

	if (!e)
		return others;
	others.in = e->in;
	others.out = e->out;
	for (unsigned i = 0; i < own->count; i++) {
		if (siphash_equal(own->share[i].tag, tag)) {
			others.in -= own->share[i].in;
			others.out -= own->share[i].out;
		}
	}
	return others;
}

/* Scopes are only ever tallied `in`, so they never conflict. */
static enum table_fault check_directions(
	const struct table *t, const struct shares *before, const struct shares *after)
{
	for (unsigned i = 0; i < after->count; i++) {
		struct share others = used_by_others(t, before, after->share[i].tag);

		if (after->share[i].in && others.out)
			return TABLE_IN_USED_OUT;
		if (after->share[i].out && others.in)
			return TABLE_OUT_USED_IN;
	}
	return TABLE_OK;
}

/* Looks for a row that uses a secret of *spec the other way round. */
struct search {
	const struct credential_spec *spec;
	const struct credential *own; /* the row that *spec would replace */
	const struct credential *found;
};

static bool stands_in_the_way(const struct credential *c, void *arg)
{
	struct search *s = arg;

	if (c != s->own && (crosses(s->spec, &c->spec) || crosses(&c->spec, s->spec)))
		s->found = c;
	return !s->found;
}

/* This walks the whole table, but only to tell of a fault. */
static const struct credential *find_conflict(
	const struct table *t, const struct credential_spec *spec, const struct credential *own)
{
	struct search s = { .spec = spec, .own = own };

	table_each(t, stands_in_the_way, &s);
	return s.found;
}

static bool reserve(struct table *t, struct siphash_tag row, const struct shares *before,
	const struct shares *after)
{
	bool ok = map_reserve(&t->rows, row, 1);

	/* Any of these may fall into one shard, so each makes room for all. */
	for (unsigned i = 0; ok && i < before->count; i++)
		ok = map_reserve(&t->tallies, before->share[i].tag, after->count);
	for (unsigned i = 0; ok && i < after->count; i++)
		ok = map_reserve(&t->tallies, after->share[i].tag, after->count);
	return ok;
}

static void retally(struct table *t, const struct shares *before, const struct shares *after)
{
	for (unsigned i = 0; i < after->count; i++) {
		struct map_entry *e = map_put(&t->tallies, after->share[i].tag);

		e->in += after->share[i].in;
		e->out += after->share[i].out;
	}
	for (unsigned i = 0; i < before->count; i++) {
		struct map_entry *e = map_put(&t->tallies, before->share[i].tag);

		e->in -= before->share[i].in;
		e->out -= before->share[i].out;
		if (e->in == 0 && e->out == 0)
			map_remove(&t->tallies, e->tag);
	}
}

/* A row of its own, or the one that is shared. */
static const struct credential *row_for(
	const struct credential_spec *spec, const struct credential *shared)
{
	return shared ? credential_ref(shared) : credential_new(spec);
}

/* Puts a row made from the spec, or where `shared` is not NULL, that one, which the spec is of. */
static enum table_fault put(struct table_edit *e, const struct credential_spec *spec,
	const struct credential *shared, const struct credential **other)
{
	struct table *t = &e->table;
	const struct map_entry *found;
	const struct credential *old, *row;
	struct siphash_tag tag;
	struct shares before, after;
	enum table_fault fault;

	if (other)
		*other = NULL;
	if (!table_row_tag(t, spec->scope, spec->scope_name, spec->initiator, &tag))
		return TABLE_BAD_NAME;
	fault = check(spec);
	if (fault != TABLE_OK)
		return fault;
	found = map_find(&t->rows, tag);
	old = found ? found->row : NULL;
	before = shares_of(t, old ? &old->spec : NULL);
	after = shares_of(t, spec);
	fault = check_directions(t, &before, &after);
	if (fault != TABLE_OK) {
		if (other)
			*other = find_conflict(t, spec, old);
		return fault;
	}
	row = row_for(spec, shared);
	if (!row || !reserve(t, tag, &before, &after)) {
		credential_unref(row);
		return TABLE_NO_MEMORY;
	}
	retally(t, &before, &after);
	t->count += !old;
	credential_unref(old);
	map_put(&t->rows, tag)->row = row;
	return TABLE_OK;
}

enum table_fault table_edit_put(
	struct table_edit *e, const struct credential_spec *spec, const struct credential **other)
{
	return put(e, spec, NULL, other);
}

enum table_fault table_edit_share(
	struct table_edit *e, const struct credential *row, const struct credential **other)
{
	return put(e, &row->spec, row, other);
}

enum table_fault table_edit_remove(struct table_edit *e, enum credential_scope scope,
	const char *scope_name, const char *initiator)
{
	struct table *t = &e->table;
	const struct map_entry *found;
	struct shares before, after = { 0 };
	struct siphash_tag tag;

	if (!table_row_tag(t, scope, scope_name, initiator, &tag))
		return TABLE_NOT_FOUND;
	found = map_find(&t->rows, tag);
	if (!found)
		return TABLE_NOT_FOUND;
	before = shares_of(t, &found->row->spec);
	if (!reserve(t, tag, &before, &after))
		return TABLE_NO_MEMORY;
	retally(t, &before, &after);
	t->count--;
	map_remove(&t->rows, tag);
	return TABLE_OK;
}
