/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exchange, played from the initiator's side. Each test logs in from scratch.
 */
#ifndef TESTS_CHAP_EXCHANGE_SUPPORT_H
#define TESTS_CHAP_EXCHANGE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "chap/exchange.h"
#include "chap_faults.h"

#define INITIATOR  "iqn.2026-11.com.example:host1"
#define TARGET     "iqn.2026-11.com.example:locked"
#define IN_SECRET  "initiator-111111"
#define OUT_SECRET "target---2222222"
#define OLD_SECRET "initiator-000000"
#define NOW        1800000000

static inline struct secret_view text(const char *s)
{
	return (struct secret_view){ (const uint8_t *)s, strlen(s) };
}

/* One target with everything in it that an exchange needs. */
struct world {
	struct chap_digests *digests;
	struct chap_prefs prefs;
	struct challenge_memory *memory;
	struct credential_spec spec; /* of the row; alter it before begin() */
	struct exchange_config config;
};

static inline int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->digests = chap_digests_new();
	w->prefs = chap_prefs_default;
	w->memory = challenge_memory_new(16, 16);
	w->spec = (struct credential_spec){
		.scope = CREDENTIAL_OF_TARGET,
		.scope_name = TARGET,
		.initiator = INITIATOR,
		.in_secret = text(IN_SECRET),
		.out_secret = text(OUT_SECRET),
	};
	w->config = (struct exchange_config){
		.digests = w->digests,
		.prefs = &w->prefs,
		.memory = w->memory,
		.initiator_name = INITIATOR,
		.target_name = TARGET,
		.now = NOW,
	};
	*state = w;
	return w->digests && w->memory ? 0 : -1;
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	faults_clear();
	assert_int_equal(challenge_outstanding(w->memory), 0);
	challenge_memory_free(w->memory);
	chap_digests_free(w->digests);
	free(w);
	return 0;
}

/* One login, both sides of it. */
struct login {
	struct world *w;
	struct exchange x;
	struct exchange_reply reply;
	struct exchange_keys keys;
	/* What the initiator knows of the target's challenge. */
	uint32_t alg, id;
	uint8_t challenge[CHALLENGE_MAX];
	size_t len;
	/* Room for the texts that it sends. */
	char r[CODEC_HEX_SIZE(CHAP_DIGEST_MAX)];
};

static inline void begin_with(struct login *l, struct world *w, const struct credential *row)
{
	*l = (struct login){ .w = w };
	w->config.row = row;
	exchange_init(&l->x, &w->config);
	w->config.row = NULL;
}

static inline void begin(struct login *l, struct world *w)
{
	struct credential *row = credential_new(&w->spec);

	assert_non_null(row);
	begin_with(l, w, row);
	credential_unref(row); /* the exchange has its own reference */
}

static inline void key(struct login *l, const char *name, const char *value)
{
	assert_true(exchange_take(&l->keys, name, value));
}

static inline enum exchange_result step(struct login *l)
{
	enum exchange_result result = exchange_step(&l->x, &l->keys, &l->reply);

	l->keys = (struct exchange_keys){ 0 };
	if (exchange_result_outcome(result) != EXCHANGE_GOES_ON)
		assert_int_equal(l->reply.count, 0);
	return result;
}

static inline void end(struct login *l)
{
	static const struct exchange nothing;

	exchange_end(&l->x);
	assert_memory_equal(&l->x, &nothing, sizeof(nothing));
}

/* The value of a key in the reply; the test fails if it is not the nth. */
static inline const char *replied(const struct login *l, unsigned n, const char *name)
{
	assert_true(n < l->reply.count);
	assert_string_equal(l->reply.pair[n].key, name);
	return l->reply.pair[n].value;
}

/* Sends the list, and reads the challenge as an initiator would. */
static inline void offer(struct login *l, const char *list)
{
	key(l, "CHAP_A", list);
	assert_int_equal(step(l), EXCHANGE_CONTINUE);
	assert_int_equal(l->reply.count, 3);
	assert_int_equal(codec_number(replied(l, 0, "CHAP_A"), 8, &l->alg), CODEC_OK);
	assert_int_equal(codec_number(replied(l, 1, "CHAP_I"), 255, &l->id), CODEC_OK);
	assert_int_equal(
		codec_binary(replied(l, 2, "CHAP_C"), l->challenge, CHALLENGE_MAX, &l->len),
		CODEC_OK);
}

/* The right response with this secret, as hex. */
static inline const char *response(struct login *l, const char *secret)
{
	uint8_t digest[CHAP_DIGEST_MAX];

	assert_true(chap_digest(
		l->w->digests, l->alg, (uint8_t)l->id, text(secret), l->challenge, l->len, digest));
	codec_hex(digest, chap_alg_size(l->alg), l->r);
	return l->r;
}

static inline void prove(struct login *l, const char *name, const char *secret)
{
	key(l, "CHAP_N", name);
	key(l, "CHAP_R", response(l, secret));
}

static inline void challenge(struct login *l, const char *id, const char *c)
{
	key(l, "CHAP_I", id);
	key(l, "CHAP_C", c);
}

/* A whole login with SHA-256, in which the target proves nothing: what the proof comes to. */
static inline enum exchange_result one_way(struct world *w, const char *name, const char *secret)
{
	enum exchange_result result;
	struct login l;

	begin(&l, w);
	offer(&l, "7");
	prove(&l, name, secret);
	result = step(&l);
	end(&l);
	return result;
}

/* A challenge of the initiator, and what the target must make of it with OUT_SECRET. Computed by
 *	/usr/bin/python3 -c 'import hashlib
 *	m = bytes([200]) + b"target---2222222" + bytes(range(0x10, 0x20))
 *	for n in ("md5", "sha1", "sha256", "sha3_256"): print(hashlib.new(n, m).hexdigest())' */
#define THEIR_ID        "200"
#define THEIR_CHALLENGE "0x101112131415161718191a1b1c1d1e1f"

static const struct {
	const char *list;
	const char *answer;
} algorithms[] = {
	{ "5", "0x3e4fad66e005a868a6548d69df4a2072" },
	{ "6", "0x88cb3b30a10f67a2051dded0ef613a34ede2dc92" },
	{ "7", "0x0e600cd70b8328685251010d93b0312a59fe4add34ea0fddbdf006523a6e6170" },
	{ "8", "0x130cba86fc52fa0f59ba88f2e391ab6b165713e2f0f87f75b1b10244a9467767" },
};

#define EXCHANGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
