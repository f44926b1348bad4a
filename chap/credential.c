/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows: each is one block of memory, the struct first and then all that it points to. */
#include "chap/credential.h"

#include <string.h>

#include <openssl/crypto.h>

const char *credential_scope_text(enum credential_scope scope)
{
	switch (scope) {
	case CREDENTIAL_OF_TARGET: return "target";
	case CREDENTIAL_OF_SVM: return "svm";
	case CREDENTIAL_OF_DISCOVERY: return "discovery";
	}
	return "unknown";
}

const char *credential_type_text(enum credential_type type)
{
	switch (type) {
	case CREDENTIAL_CHAP: return "chap";
	case CREDENTIAL_NONE: return "none";
	case CREDENTIAL_DENY: return "deny";
	}
	return "unknown";
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* Copies len bytes to *at and moves it on. */
static const void *store(uint8_t **at, const void *from, size_t len)
{
	void *to = *at;

	if (len > 0)
		memcpy(to, from, len);
	*at += len;
	return to;
}

static const char *store_text(uint8_t **at, const char *text)
{
	return store(at, or_empty(text), strlen(or_empty(text)) + 1);
}

static const char *store_name(uint8_t **at, const char *name)
{
	char *start = (char *)*at;

	store_text(at, name);
	for (char *p = start; *p; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
	return start;
}

static struct secret_view store_secret(uint8_t **at, struct secret_view s)
{
	if (!s.bytes)
		return s;
	return (struct secret_view){ store(at, s.bytes, s.len), s.len };
}

static size_t size_of(const struct credential_spec *s)
{
	const char *const texts[] = { s->scope_name, s->initiator, s->in_user, s->out_user,
		s->source_text, s->written_by };
	size_t size = sizeof(struct credential) + s->source_count * sizeof(*s->sources) +
		      s->in_secret.len + s->old_secret.len + s->out_secret.len +
		      s->old_out_secret.len;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		size += strlen(or_empty(texts[i])) + 1;
	return size;
}

struct credential *credential_new(const struct credential_spec *spec)
{
	size_t size = size_of(spec);
	struct credential *c = OPENSSL_malloc(size);
	uint8_t *at;

	if (!c)
		return NULL;
	at = (uint8_t *)(c + 1);
	atomic_init(&c->refs, 1);
	c->size = (uint32_t)size;
	c->spec = *spec;
	/* The ranges consist of bytes alone, so nothing here needs alignment. */
	c->spec.sources = store(&at, spec->sources, spec->source_count * sizeof(*spec->sources));
	c->spec.in_secret = store_secret(&at, spec->in_secret);
	c->spec.old_secret = store_secret(&at, spec->old_secret);
	c->spec.old_out_secret = store_secret(&at, spec->old_out_secret);
	c->spec.out_secret = store_secret(&at, spec->out_secret);
	c->spec.scope_name = store_name(&at, spec->scope_name);
	c->spec.initiator = store_name(&at, spec->initiator);
	c->spec.in_user = store_text(&at, spec->in_user);
	c->spec.out_user = store_text(&at, spec->out_user);
	c->spec.source_text = store_text(&at, spec->source_text);
	c->spec.written_by = store_text(&at, spec->written_by);
	return c;
}

/* A const row is one that nobody changes; its counter is not part of what it says. */
static atomic_uint *refs_of(const struct credential *c)
{
	return &((struct credential *)c)->refs;
}

const struct credential *credential_ref(const struct credential *c)
{
	if (c)
		atomic_fetch_add_explicit(refs_of(c), 1, memory_order_relaxed);
	return c;
}

void credential_unref(const struct credential *c)
{
	if (c && atomic_fetch_sub_explicit(refs_of(c), 1, memory_order_acq_rel) == 1)
		OPENSSL_clear_free((struct credential *)c, c->size);
}
