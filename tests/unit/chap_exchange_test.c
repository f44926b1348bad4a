/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exchange, played from the initiator's side: right ones, wrong ones, and those that try to
 * have the target do their sums. Each test logs in from scratch.
 */
#include "chap/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "chap_faults.h"

#define INITIATOR  "iqn.2026-11.com.example:host1"
#define TARGET     "iqn.2026-11.com.example:locked"
#define IN_SECRET  "initiator-111111"
#define OUT_SECRET "target---2222222"
#define OLD_SECRET "initiator-000000"
#define NOW        1800000000

static struct secret_view text(const char *s)
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

static int setup(void **state)
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

static int teardown(void **state)
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

static void begin_with(struct login *l, struct world *w, const struct credential *row)
{
	*l = (struct login){ .w = w };
	w->config.row = row;
	exchange_init(&l->x, &w->config);
	w->config.row = NULL;
}

static void begin(struct login *l, struct world *w)
{
	struct credential *row = credential_new(&w->spec);

	assert_non_null(row);
	begin_with(l, w, row);
	credential_unref(row); /* the exchange has its own reference */
}

static void key(struct login *l, const char *name, const char *value)
{
	assert_true(exchange_take(&l->keys, name, value));
}

static enum exchange_result step(struct login *l)
{
	enum exchange_result result = exchange_step(&l->x, &l->keys, &l->reply);

	l->keys = (struct exchange_keys){ 0 };
	if (exchange_result_outcome(result) != EXCHANGE_GOES_ON)
		assert_int_equal(l->reply.count, 0);
	return result;
}

static void end(struct login *l)
{
	static const struct exchange nothing;

	exchange_end(&l->x);
	assert_memory_equal(&l->x, &nothing, sizeof(nothing));
}

/* The value of a key in the reply; the test fails if it is not the nth. */
static const char *replied(const struct login *l, unsigned n, const char *name)
{
	assert_true(n < l->reply.count);
	assert_string_equal(l->reply.pair[n].key, name);
	return l->reply.pair[n].value;
}

/* Sends the list, and reads the challenge as an initiator would. */
static void offer(struct login *l, const char *list)
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
static const char *response(struct login *l, const char *secret)
{
	uint8_t digest[CHAP_DIGEST_MAX];

	assert_true(chap_digest(
		l->w->digests, l->alg, (uint8_t)l->id, text(secret), l->challenge, l->len, digest));
	codec_hex(digest, chap_alg_size(l->alg), l->r);
	return l->r;
}

static void prove(struct login *l, const char *name, const char *secret)
{
	key(l, "CHAP_N", name);
	key(l, "CHAP_R", response(l, secret));
}

static void challenge(struct login *l, const char *id, const char *c)
{
	key(l, "CHAP_I", id);
	key(l, "CHAP_C", c);
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

/* Right logins. */

static void the_right_secret_proves_the_initiator_with_every_algorithm(void **state)
{
	struct login l;

	for (size_t i = 0; i < 4; i++) {
		begin(&l, *state);
		offer(&l, algorithms[i].list);
		assert_int_equal(l.alg, 5 + i);
		assert_false(exchange_proved(&l.x));
		prove(&l, INITIATOR, IN_SECRET);
		assert_int_equal(step(&l), EXCHANGE_PROVED);
		assert_int_equal(l.reply.count, 0);
		assert_true(exchange_proved(&l.x));
		assert_false(exchange_was_mutual(&l.x));
		end(&l);
	}
}

static void the_target_proves_itself_when_asked_with_every_algorithm(void **state)
{
	struct login l;

	for (size_t i = 0; i < 4; i++) {
		begin(&l, *state);
		offer(&l, algorithms[i].list);
		prove(&l, INITIATOR, IN_SECRET);
		challenge(&l, THEIR_ID, THEIR_CHALLENGE);
		assert_int_equal(step(&l), EXCHANGE_PROVED);
		assert_int_equal(l.reply.count, 2);
		assert_string_equal(replied(&l, 0, "CHAP_N"), TARGET);
		assert_string_equal(replied(&l, 1, "CHAP_R"), algorithms[i].answer);
		assert_true(exchange_was_mutual(&l.x));
		end(&l);
	}
}

static void the_strongest_algorithm_is_chosen_in_any_order_of_the_list(void **state)
{
	static const char *const lists[] = { "8,7,6,5", "5,6,7,8", "6,8,5,7", "0x5,0x8",
		"9,8,65535" };
	struct login l;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		begin(&l, *state);
		offer(&l, lists[i]);
		assert_int_equal(l.alg, 8);
		assert_int_equal(l.len, 32);
		end(&l);
	}
}

static void the_configured_order_decides_over_strength(void **state)
{
	struct world *w = *state;
	struct login l;

	w->prefs = (struct chap_prefs){ 0 };
	chap_prefs_add(&w->prefs, 6);
	chap_prefs_add(&w->prefs, 7);
	begin(&l, w);
	offer(&l, "8,7,6,5");
	assert_int_equal(l.alg, 6);
	end(&l);
}

static void user_names_of_the_row_replace_the_names_of_both_sides(void **state)
{
	struct world *w = *state;
	struct login l;

	w->spec.in_user = "Alice";
	w->spec.out_user = "Bob";
	begin(&l, w);
	offer(&l, "7");
	prove(&l, "Alice", IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	assert_string_equal(replied(&l, 0, "CHAP_N"), "Bob");
	end(&l);
}

static void a_response_may_come_in_base64_or_upper_case(void **state)
{
	struct login l;
	char *p;

	begin(&l, *state);
	offer(&l, "5");
	prove(&l, INITIATOR, IN_SECRET);
	for (p = l.r + 1; *p; p++)
		*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
	challenge(&l, "0xC8", "0BEBESExQVFhcYGRobHB0eHw==");
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	assert_string_equal(replied(&l, 1, "CHAP_R"), algorithms[0].answer);
	end(&l);
}

static void a_challenge_of_1_and_of_1024_bytes_is_answered(void **state)
{
	char longest[CODEC_HEX_SIZE(1024)] = "0x";
	struct login l;

	memset(longest + 2, 'a', 2048);
	begin(&l, *state);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, "0", "0x00");
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	end(&l);
	begin(&l, *state);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, "255", longest);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	end(&l);
}

static void requests_without_chap_keys_change_nothing(void **state)
{
	struct login l;

	begin(&l, *state);
	assert_int_equal(step(&l), EXCHANGE_CONTINUE);
	assert_int_equal(l.reply.count, 0);
	offer(&l, "7");
	assert_int_equal(step(&l), EXCHANGE_CONTINUE);
	assert_int_equal(l.reply.count, 0);
	prove(&l, INITIATOR, IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	assert_int_equal(l.reply.count, 0);
	assert_true(exchange_proved(&l.x));
	end(&l);
}

static void only_the_five_keys_of_chap_are_taken(void **state)
{
	struct exchange_keys keys = { 0 };

	(void)state;
	assert_false(exchange_take(&keys, "CHAP_B", "1"));
	assert_false(exchange_take(&keys, "chap_a", "1"));
	assert_false(exchange_take(&keys, "CHAP_", "1"));
	assert_false(exchange_take(&keys, "CHAP_AA", "1"));
	assert_false(exchange_take(&keys, "AuthMethod", "CHAP"));
	assert_true(exchange_take(&keys, "CHAP_A", "1"));
	assert_string_equal(keys.a, "1");
	assert_null(keys.i);
	assert_false(keys.repeated);
}

/* Grace of an old secret. */

static void the_old_secret_is_right_until_its_time(void **state)
{
	struct world *w = *state;
	struct login l;

	w->spec.old_secret = text(OLD_SECRET);
	w->spec.old_until = NOW + 1;
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, OLD_SECRET);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	end(&l);
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	end(&l);
}

static void the_old_secret_is_wrong_from_its_time_on(void **state)
{
	struct world *w = *state;
	struct login l;

	w->spec.old_secret = text(OLD_SECRET);
	w->spec.old_until = NOW;
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, OLD_SECRET);
	assert_int_equal(step(&l), EXCHANGE_WRONG_SECRET);
	end(&l);
}

static void who_proves_itself_by_the_old_secret_is_answered_by_ours_of_then(void **state)
{
	struct world *w = *state;
	struct login l;

	w->spec.old_secret = text(OLD_SECRET);
	w->spec.old_out_secret = text("target---0000000");
	w->spec.old_until = NOW + 1;
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, OLD_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	/* As above, with that secret and sha256. */
	assert_string_equal(replied(&l, 1, "CHAP_R"),
		"0x8adf011cdbc8ca58360f4ef34acc07cf21e59b5343e21daed27cda813202d61c");
	end(&l);
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	assert_string_equal(replied(&l, 1, "CHAP_R"), algorithms[2].answer);
	end(&l);
}

/* Another row in the place of the one that an exchange began with. */

static bool take(struct login *l, struct world *w)
{
	struct credential *row = credential_new(&w->spec);
	bool goes_on = exchange_take_row(&l->x, row, NOW);

	credential_unref(row);
	return goes_on;
}

static void what_is_still_to_be_proved_is_judged_by_the_new_row(void **state)
{
	struct world *w = *state;
	struct login l;

	begin(&l, w);
	offer(&l, "7");
	w->spec.in_secret = text("initiator-333333");
	assert_true(take(&l, w));
	prove(&l, INITIATOR, "initiator-333333");
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	end(&l);
	begin(&l, w);
	offer(&l, "7");
	w->spec.in_secret = text(IN_SECRET);
	assert_true(take(&l, w));
	prove(&l, INITIATOR, "initiator-333333");
	assert_int_equal(step(&l), EXCHANGE_WRONG_SECRET);
	end(&l);
}

static void what_was_proved_holds_under_a_row_that_would_take_it(void **state)
{
	struct world *w = *state;
	struct login l;

	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	w->spec.out_secret = text("target---4444444");
	assert_true(take(&l, w));
	w->spec.old_secret = w->spec.in_secret;
	w->spec.in_secret = text("initiator-333333");
	w->spec.old_until = NOW + 1;
	assert_true(take(&l, w));
	assert_true(exchange_proved(&l.x));
	end(&l);
}

static void what_was_proved_does_not_hold_under_any_other_row(void **state)
{
	struct world *w = *state;
	struct credential_spec right = w->spec;
	struct login l;

	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	assert_false(exchange_take_row(&l.x, NULL, NOW));
	w->spec.in_user = "somebody-else";
	assert_false(take(&l, w));
	w->spec = right;
	w->spec.in_secret = text("initiator-333333");
	assert_false(take(&l, w));
	w->spec.old_secret = text(IN_SECRET);
	w->spec.old_until = NOW;
	assert_false(take(&l, w));
	end(&l);
}

static void what_the_old_secret_proved_ends_with_its_row(void **state)
{
	struct world *w = *state;
	struct login l;

	w->spec.old_secret = text(OLD_SECRET);
	w->spec.old_until = NOW + 1;
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, OLD_SECRET);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	assert_true(take(&l, w));
	w->spec.old_secret = (struct secret_view){ 0 };
	assert_false(take(&l, w));
	end(&l);
}

/* Wrong proofs. */

static void a_wrong_secret_is_refused_and_no_challenge_answered(void **state)
{
	struct login l;

	begin(&l, *state);
	offer(&l, "7");
	prove(&l, INITIATOR, "not-the-secret-1");
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_WRONG_SECRET);
	assert_false(exchange_proved(&l.x));
	assert_false(exchange_was_mutual(&l.x));
	end(&l);
}

static void a_wrong_name_is_refused_though_the_secret_is_right(void **state)
{
	static const char *const names[] = { "", "host1", "iqn.2026-11.com.example:host1 ",
		"IQN.2026-11.com.example:host1", TARGET };
	struct login l;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		begin(&l, *state);
		offer(&l, "7");
		prove(&l, names[i], IN_SECRET);
		assert_int_equal(step(&l), EXCHANGE_WRONG_NAME);
		end(&l);
	}
}

static void a_name_is_compared_with_the_initiators_own_spelling(void **state)
{
	struct world *w = *state;
	struct login l;

	w->config.initiator_name = "iqn.2026-11.COM.Example:Host1";
	begin(&l, w);
	offer(&l, "7");
	prove(&l, "iqn.2026-11.COM.Example:Host1", IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	end(&l);
}

static void user_names_are_neither_folded_nor_decoded(void **state)
{
	static const char *const names[] = { "alice", "ALICE", "0x416c696365", "0bQWxpY2U=" };
	struct world *w = *state;
	struct login l;

	w->spec.in_user = "Alice";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		begin(&l, w);
		offer(&l, "7");
		prove(&l, names[i], IN_SECRET);
		assert_int_equal(step(&l), EXCHANGE_WRONG_NAME);
		end(&l);
	}
	w->spec.in_user = "0x416c696365";
	begin(&l, w);
	offer(&l, "7");
	prove(&l, "0x416c696365", IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	end(&l);
}

static void an_initiator_without_a_row_goes_the_whole_way_and_is_refused(void **state)
{
	struct login l;

	begin_with(&l, *state, NULL);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_UNKNOWN_USER);
	end(&l);
}

static void the_dummy_secret_of_sixteen_zeros_opens_nothing(void **state)
{
	static const uint8_t zeros[16];
	struct login l;
	uint8_t digest[CHAP_DIGEST_MAX];
	struct world *w = *state;

	for (int with_row = 0; with_row < 2; with_row++) {
		w->spec.in_secret = (struct secret_view){ 0 };
		w->spec.out_secret = (struct secret_view){ 0 };
		if (with_row)
			begin(&l, w);
		else
			begin_with(&l, w, NULL);
		offer(&l, "7");
		assert_true(chap_digest(w->digests, CHAP_SHA256, (uint8_t)l.id,
			(struct secret_view){ zeros, 16 }, l.challenge, l.len, digest));
		codec_hex(digest, 32, l.r);
		key(&l, "CHAP_N", INITIATOR);
		key(&l, "CHAP_R", l.r);
		assert_int_equal(
			step(&l), with_row ? EXCHANGE_WRONG_SECRET : EXCHANGE_UNKNOWN_USER);
		end(&l);
	}
}

static unsigned digests_of_a_login(
	struct world *w, bool with_row, const char *name, const char *secret)
{
	struct login l;
	unsigned n;

	if (with_row)
		begin(&l, w);
	else
		begin_with(&l, w, NULL);
	offer(&l, "7");
	prove(&l, name, secret);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	faults.digests = 0;
	assert_int_equal(exchange_result_outcome(step(&l)), EXCHANGE_REFUSE);
	n = faults.digests;
	end(&l);
	return n;
}

static void every_wrong_proof_costs_the_same_number_of_digests(void **state)
{
	struct world *w = *state;

	assert_int_equal(digests_of_a_login(w, true, INITIATOR, "not-the-secret-1"), 3);
	assert_int_equal(digests_of_a_login(w, true, "nobody", "not-the-secret-1"), 3);
	assert_int_equal(digests_of_a_login(w, true, "nobody", IN_SECRET), 3);
	assert_int_equal(digests_of_a_login(w, false, INITIATOR, IN_SECRET), 3);
	assert_int_equal(digests_of_a_login(w, false, "nobody", "not-the-secret-1"), 3);
	w->spec.out_secret = (struct secret_view){ 0 };
	assert_int_equal(digests_of_a_login(w, true, INITIATOR, "not-the-secret-1"), 3);
	w->spec.old_secret = text(OLD_SECRET);
	w->spec.old_until = NOW + 1;
	assert_int_equal(digests_of_a_login(w, true, INITIATOR, "not-the-secret-1"), 3);
}

static void a_response_to_another_challenge_or_identifier_is_wrong(void **state)
{
	struct login l, other;

	begin(&l, *state);
	begin(&other, *state);
	offer(&l, "7");
	offer(&other, "7");
	key(&l, "CHAP_N", INITIATOR);
	key(&l, "CHAP_R", response(&other, IN_SECRET));
	assert_int_equal(step(&l), EXCHANGE_WRONG_SECRET);
	other.id ^= 1;
	prove(&other, INITIATOR, IN_SECRET);
	assert_int_equal(step(&other), EXCHANGE_WRONG_SECRET);
	end(&l);
	end(&other);
}

/* Reflection. */

static void our_own_challenge_of_this_exchange_is_not_answered(void **state)
{
	char c[CODEC_HEX_SIZE(CHALLENGE_MAX)];
	struct login l;

	begin(&l, *state);
	offer(&l, "7");
	codec_hex(l.challenge, l.len, c);
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, c);
	assert_int_equal(step(&l), EXCHANGE_REFLECTED);
	assert_int_equal(exchange_result_outcome(EXCHANGE_REFLECTED), EXCHANGE_CLOSE);
	end(&l);
}

static void a_challenge_of_a_parallel_login_is_not_answered(void **state)
{
	char c[CODEC_HEX_SIZE(CHALLENGE_MAX)];
	struct login victim, l;

	begin(&victim, *state);
	begin(&l, *state);
	offer(&victim, "7");
	offer(&l, "5");
	codec_hex(victim.challenge, victim.len, c);
	prove(&l, INITIATOR, "not-the-secret-1");
	challenge(&l, THEIR_ID, c);
	assert_int_equal(step(&l), EXCHANGE_REFLECTED);
	end(&l);
	end(&victim);
}

static void a_challenge_of_an_earlier_login_is_not_answered(void **state)
{
	char c[CODEC_HEX_SIZE(CHALLENGE_MAX)];
	struct login l;

	begin(&l, *state);
	offer(&l, "7");
	codec_hex(l.challenge, l.len, c);
	prove(&l, INITIATOR, IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	end(&l);
	begin(&l, *state);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, c);
	assert_int_equal(step(&l), EXCHANGE_REFLECTED);
	end(&l);
}

static void a_challenge_whose_login_was_dropped_is_not_answered(void **state)
{
	char c[CODEC_HEX_SIZE(CHALLENGE_MAX)];
	struct login l;

	begin(&l, *state);
	offer(&l, "8");
	codec_hex(l.challenge, l.len, c);
	end(&l);
	begin(&l, *state);
	offer(&l, "8");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, c);
	assert_int_equal(step(&l), EXCHANGE_REFLECTED);
	end(&l);
}

/* One secret in both directions. */

static void the_targets_secret_from_the_initiator_closes_the_connection(void **state)
{
	struct login l;

	begin(&l, *state);
	offer(&l, "7");
	prove(&l, INITIATOR, OUT_SECRET);
	assert_int_equal(step(&l), EXCHANGE_SECRETS_SWAPPED);
	assert_int_equal(exchange_result_outcome(EXCHANGE_SECRETS_SWAPPED), EXCHANGE_CLOSE);
	end(&l);
}

static void a_row_with_one_secret_both_ways_lets_nobody_in(void **state)
{
	struct world *w = *state;
	struct login l;

	w->spec.out_secret = text(IN_SECRET);
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_SAME_SECRET);
	end(&l);
	w->spec.out_secret = text(OLD_SECRET);
	w->spec.old_secret = text(OLD_SECRET);
	w->spec.old_until = NOW + 1;
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_SAME_SECRET);
	end(&l);
}

/* Mutual or not. */

static void mutual_chap_without_a_target_secret_fails(void **state)
{
	struct world *w = *state;
	struct login l;

	w->spec.out_secret = (struct secret_view){ 0 };
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_NO_TARGET_SECRET);
	assert_false(exchange_proved(&l.x));
	end(&l);
}

static void one_way_is_refused_where_mutual_is_required(void **state)
{
	struct world *w = *state;
	struct login l;

	w->config.require_mutual = true;
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_NOT_MUTUAL);
	assert_false(exchange_proved(&l.x));
	end(&l);
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	end(&l);
}

static void a_weak_target_secret_is_used_unless_policy_forbids(void **state)
{
	struct world *w = *state;
	struct login l;

	w->spec.out_secret = text("11-bytes-it");
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	end(&l);
	w->config.refuse_weak_out = true;
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_TARGET_SECRET_WEAK);
	end(&l);
	w->spec.out_secret = text("12-bytes-it-");
	begin(&l, w);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	end(&l);
}

/* Requests that are not what the step asks for. */

static void a_list_without_anything_for_us_is_refused(void **state)
{
	struct login l;

	begin(&l, *state);
	key(&l, "CHAP_A", "4,9,128");
	assert_int_equal(step(&l), EXCHANGE_NO_ALGORITHM);
	end(&l);
}

static void an_algorithm_that_openssl_refuses_is_not_chosen(void **state)
{
	struct world *w = *state;
	struct login l;

	chap_digests_free(w->digests);
	faults.no_digest = "SHA3-256";
	w->digests = chap_digests_new();
	w->config.digests = w->digests;
	faults_clear();
	begin(&l, w);
	offer(&l, "8,7");
	assert_int_equal(l.alg, 7);
	end(&l);
	begin(&l, w);
	key(&l, "CHAP_A", "8");
	assert_int_equal(step(&l), EXCHANGE_NO_ALGORITHM);
	end(&l);
}

static void a_malformed_list_is_refused(void **state)
{
	static const char *const lists[] = { "", "5,", "MD5", "5 ", "0x", "05" };
	struct login l;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		begin(&l, *state);
		key(&l, "CHAP_A", lists[i]);
		assert_int_equal(step(&l), EXCHANGE_BAD_LIST);
		end(&l);
	}
}

static void a_first_step_with_other_keys_is_refused(void **state)
{
	static const char *const names[] = { "CHAP_N", "CHAP_R", "CHAP_I", "CHAP_C" };
	struct login l;

	for (int with_list = 0; with_list < 2; with_list++) {
		for (size_t i = 0; i < 4; i++) {
			begin(&l, *state);
			if (with_list)
				key(&l, "CHAP_A", "5");
			key(&l, names[i], "0x00");
			assert_int_equal(step(&l), EXCHANGE_KEY_UNEXPECTED);
			end(&l);
		}
	}
}

static void a_second_list_is_refused(void **state)
{
	struct login l;

	begin(&l, *state);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	key(&l, "CHAP_A", "5");
	assert_int_equal(step(&l), EXCHANGE_KEY_UNEXPECTED);
	end(&l);
}

static void half_a_response_or_half_a_challenge_is_refused(void **state)
{
	struct login l;

	for (unsigned keys = 1; keys < 16; keys++) {
		bool n = keys & 1, r = keys & 2, i = keys & 4, c = keys & 8;

		if (n && r && i == c)
			continue;
		begin(&l, *state);
		offer(&l, "7");
		if (n)
			key(&l, "CHAP_N", INITIATOR);
		if (r)
			key(&l, "CHAP_R", response(&l, IN_SECRET));
		if (i)
			key(&l, "CHAP_I", THEIR_ID);
		if (c)
			key(&l, "CHAP_C", THEIR_CHALLENGE);
		assert_int_equal(step(&l), EXCHANGE_KEY_MISSING);
		end(&l);
	}
}

static void a_repeated_key_is_refused_even_if_it_says_the_same(void **state)
{
	struct login l;

	begin(&l, *state);
	key(&l, "CHAP_A", "7");
	key(&l, "CHAP_A", "7");
	assert_int_equal(step(&l), EXCHANGE_KEY_REPEATED);
	end(&l);
	begin(&l, *state);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	key(&l, "CHAP_N", INITIATOR);
	assert_int_equal(step(&l), EXCHANGE_KEY_REPEATED);
	end(&l);
}

static void a_response_of_another_length_or_form_is_refused(void **state)
{
	static const char *const bad[] = { "", "0x", "0x00", "0x0", "text", "0bAAAA",
		"0x000102030405060708090a0b0c0d0e",     /* 15 bytes */
		"0x000102030405060708090a0b0c0d0e0f10", /* 17 */
		"0x000102030405060708090a0b0c0d0e0g",   /* 16 with a bad digit */
		"0bAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
	struct login l;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(&l, *state);
		offer(&l, "5");
		key(&l, "CHAP_N", INITIATOR);
		key(&l, "CHAP_R", bad[i]);
		assert_int_equal(step(&l), EXCHANGE_BAD_RESPONSE);
		end(&l);
	}
}

static void a_malformed_identifier_is_refused(void **state)
{
	static const char *const bad[] = { "", "256", "-1", "0x100", "1 ", "a" };
	struct login l;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(&l, *state);
		offer(&l, "7");
		prove(&l, INITIATOR, IN_SECRET);
		challenge(&l, bad[i], THEIR_CHALLENGE);
		assert_int_equal(step(&l), EXCHANGE_BAD_IDENTIFIER);
		end(&l);
	}
}

static void a_malformed_or_oversize_challenge_is_refused(void **state)
{
	char oversize[CODEC_HEX_SIZE(1025)] = "0x";
	const char *const bad[] = { "", "0x", "0x1", "00ff", "0b", "0bA", oversize };
	struct login l;

	memset(oversize + 2, '0', 2050);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(&l, *state);
		offer(&l, "7");
		prove(&l, INITIATOR, IN_SECRET);
		challenge(&l, THEIR_ID, bad[i]);
		assert_int_equal(step(&l), EXCHANGE_BAD_CHALLENGE);
		end(&l);
	}
}

/* After the end. */

static void a_failed_exchange_does_not_take_the_right_answer_any_more(void **state)
{
	struct login l;

	begin(&l, *state);
	offer(&l, "7");
	prove(&l, INITIATOR, "not-the-secret-1");
	assert_int_equal(step(&l), EXCHANGE_WRONG_SECRET);
	prove(&l, INITIATOR, IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_OVER);
	assert_int_equal(step(&l), EXCHANGE_OVER);
	assert_false(exchange_proved(&l.x));
	end(&l);
}

static void a_proved_exchange_fails_when_it_is_asked_again(void **state)
{
	struct login l;

	begin(&l, *state);
	offer(&l, "7");
	prove(&l, INITIATOR, IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	prove(&l, INITIATOR, IN_SECRET);
	challenge(&l, THEIR_ID, THEIR_CHALLENGE);
	assert_int_equal(step(&l), EXCHANGE_OVER);
	assert_false(exchange_proved(&l.x));
	end(&l);
}

static void an_exchange_that_was_never_begun_takes_nothing_and_may_be_ended(void **state)
{
	struct login l = { .w = *state };

	assert_int_equal(step(&l), EXCHANGE_OVER);
	key(&l, "CHAP_A", "7");
	assert_int_equal(step(&l), EXCHANGE_OVER);
	end(&l);
	end(&l);
}

static void a_challenge_is_outstanding_until_the_proof_or_the_end(void **state)
{
	struct world *w = *state;
	struct login l;

	begin(&l, w);
	offer(&l, "7");
	assert_int_equal(challenge_outstanding(w->memory), 1);
	prove(&l, INITIATOR, IN_SECRET);
	assert_int_equal(step(&l), EXCHANGE_PROVED);
	assert_int_equal(challenge_outstanding(w->memory), 0);
	end(&l);
	begin(&l, w);
	offer(&l, "7");
	end(&l);
	assert_int_equal(challenge_outstanding(w->memory), 0);
}

/* Our own failures. */

static void without_randomness_there_is_no_challenge(void **state)
{
	struct login l;

	begin(&l, *state);
	key(&l, "CHAP_A", "7");
	faults.no_random = true;
	assert_int_equal(step(&l), EXCHANGE_NO_RANDOM);
	faults_clear();
	assert_int_equal(exchange_result_outcome(EXCHANGE_NO_RANDOM), EXCHANGE_OURS);
	end(&l);
}

static void too_many_logins_under_way_are_refused(void **state)
{
	struct login many[16], l;

	for (int i = 0; i < 16; i++) {
		begin(&many[i], *state);
		offer(&many[i], "7");
	}
	begin(&l, *state);
	key(&l, "CHAP_A", "7");
	assert_int_equal(step(&l), EXCHANGE_TOO_MANY);
	assert_int_equal(exchange_result_outcome(EXCHANGE_TOO_MANY), EXCHANGE_OURS);
	for (int i = 0; i < 16; i++)
		end(&many[i]);
	end(&l);
}

static void a_digest_that_breaks_lets_nobody_in(void **state)
{
	struct login l;

	/* Three to judge the response, the fourth to answer. */
	for (unsigned n = 1; n <= 4; n++) {
		begin(&l, *state);
		offer(&l, "7");
		prove(&l, INITIATOR, IN_SECRET);
		challenge(&l, THEIR_ID, THEIR_CHALLENGE);
		faults.broken_digest = n;
		assert_int_equal(step(&l), EXCHANGE_NO_DIGEST);
		assert_false(exchange_proved(&l.x));
		end(&l);
	}
}

static void memory_that_runs_out_anywhere_lets_nobody_in(void **state)
{
	enum exchange_result result;
	unsigned n = 0;
	struct login l;

	do {
		begin(&l, *state);
		offer(&l, "7");
		prove(&l, INITIATOR, IN_SECRET);
		challenge(&l, THEIR_ID, THEIR_CHALLENGE);
		faults.no_memory = ++n;
		result = step(&l);
		faults_clear();
		assert_true(result == EXCHANGE_PROVED || result == EXCHANGE_NO_DIGEST);
		assert_int_equal(exchange_proved(&l.x), result == EXCHANGE_PROVED);
		end(&l);
	} while (result != EXCHANGE_PROVED && n < 100);
	assert_true(n > 4 && n < 100);
}

static void results_have_texts_for_the_log_and_outcomes_for_the_wire(void **state)
{
	(void)state;
	assert_string_equal(exchange_result_text(EXCHANGE_WRONG_SECRET), "wrong secret");
	assert_string_equal(exchange_result_text((enum exchange_result)99), "unknown result");
	assert_int_equal(exchange_result_outcome(EXCHANGE_WRONG_SECRET), EXCHANGE_REFUSE);
	assert_int_equal(exchange_result_outcome((enum exchange_result)99), EXCHANGE_REFUSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_right_secret_proves_the_initiator_with_every_algorithm, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			the_target_proves_itself_when_asked_with_every_algorithm, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_strongest_algorithm_is_chosen_in_any_order_of_the_list, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			the_configured_order_decides_over_strength, setup, teardown),
		cmocka_unit_test_setup_teardown(
			user_names_of_the_row_replace_the_names_of_both_sides, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_response_may_come_in_base64_or_upper_case, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_challenge_of_1_and_of_1024_bytes_is_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(
			requests_without_chap_keys_change_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			only_the_five_keys_of_chap_are_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_old_secret_is_right_until_its_time, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_old_secret_is_wrong_from_its_time_on, setup, teardown),
		cmocka_unit_test_setup_teardown(
			who_proves_itself_by_the_old_secret_is_answered_by_ours_of_then, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			what_is_still_to_be_proved_is_judged_by_the_new_row, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_was_proved_holds_under_a_row_that_would_take_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_was_proved_does_not_hold_under_any_other_row, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_the_old_secret_proved_ends_with_its_row, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_wrong_secret_is_refused_and_no_challenge_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_wrong_name_is_refused_though_the_secret_is_right, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_name_is_compared_with_the_initiators_own_spelling, setup, teardown),
		cmocka_unit_test_setup_teardown(
			user_names_are_neither_folded_nor_decoded, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_initiator_without_a_row_goes_the_whole_way_and_is_refused, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			the_dummy_secret_of_sixteen_zeros_opens_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			every_wrong_proof_costs_the_same_number_of_digests, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_response_to_another_challenge_or_identifier_is_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(
			our_own_challenge_of_this_exchange_is_not_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_challenge_of_a_parallel_login_is_not_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_challenge_of_an_earlier_login_is_not_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_challenge_whose_login_was_dropped_is_not_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_targets_secret_from_the_initiator_closes_the_connection, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_row_with_one_secret_both_ways_lets_nobody_in, setup, teardown),
		cmocka_unit_test_setup_teardown(
			mutual_chap_without_a_target_secret_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_way_is_refused_where_mutual_is_required, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_weak_target_secret_is_used_unless_policy_forbids, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_list_without_anything_for_us_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_algorithm_that_openssl_refuses_is_not_chosen, setup, teardown),
		cmocka_unit_test_setup_teardown(a_malformed_list_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_first_step_with_other_keys_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_second_list_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			half_a_response_or_half_a_challenge_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_repeated_key_is_refused_even_if_it_says_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_response_of_another_length_or_form_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_malformed_identifier_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_malformed_or_oversize_challenge_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_failed_exchange_does_not_take_the_right_answer_any_more, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_proved_exchange_fails_when_it_is_asked_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_exchange_that_was_never_begun_takes_nothing_and_may_be_ended, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_challenge_is_outstanding_until_the_proof_or_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(
			without_randomness_there_is_no_challenge, setup, teardown),
		cmocka_unit_test_setup_teardown(
			too_many_logins_under_way_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_digest_that_breaks_lets_nobody_in, setup, teardown),
		cmocka_unit_test_setup_teardown(
			memory_that_runs_out_anywhere_lets_nobody_in, setup, teardown),
		cmocka_unit_test_setup_teardown(
			results_have_texts_for_the_log_and_outcomes_for_the_wire, setup, teardown),
	};

	faults_install();
	return cmocka_run_group_tests_name("chap/exchange", tests, NULL, NULL);
}
