/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exchange, as three questions in a fixed order: is the request well-formed (which depends on
 * the peer's own input alone), is the initiator proved (which costs the same whatever the answer),
 * and may we prove ourselves (which is asked of nobody else).
 */
#include "chap/exchange.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#define AS_TEXT(id, outcome, text)    [id] = (text),
#define AS_OUTCOME(id, outcome, text) [id] = (outcome),

const char *exchange_result_text(enum exchange_result result)
{
	static const char *const texts[] = { EXCHANGE_RESULTS(AS_TEXT) };

	return result < sizeof(texts) / sizeof(texts[0]) ? texts[result] : "unknown result";
}

enum exchange_outcome exchange_result_outcome(enum exchange_result result)
{
	static const uint8_t outcomes[] = { EXCHANGE_RESULTS(AS_OUTCOME) };

	return result < sizeof(outcomes) ? outcomes[result] : EXCHANGE_REFUSE;
}

bool exchange_take(struct exchange_keys *keys, const char *key, const char *value)
{
	const struct {
		const char *key;
		const char **slot;
	} known[] = {
		{ "CHAP_A", &keys->a },
		{ "CHAP_I", &keys->i },
		{ "CHAP_C", &keys->c },
		{ "CHAP_N", &keys->n },
		{ "CHAP_R", &keys->r },
	};

	if (key[0] != 'C')
		return false;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(key, known[i].key) != 0)
			continue;
		if (*known[i].slot)
			keys->repeated = true;
		*known[i].slot = value;
		return true;
	}
	return false;
}

static void reply_add(struct exchange_reply *reply, const char *key, const char *value)
{
	reply->pair[reply->count++] = (struct exchange_pair){ key, value };
}

void exchange_init(struct exchange *x, const struct exchange_config *config)
{
	*x = (struct exchange){ .state = EXCHANGE_AWAITS_LIST, .config = *config };
	credential_ref(config->row);
}

bool exchange_proved(const struct exchange *x)
{
	return x->state == EXCHANGE_SUCCEEDED;
}

bool exchange_was_mutual(const struct exchange *x)
{
	return exchange_proved(x) && x->mutual;
}

/* Would the secret that was proved under one row be taken under the other? */
static bool proves_under(const struct exchange *x, const struct credential *row, int64_t now)
{
	const struct credential_spec *was = &x->config.row->spec, *is = &row->spec;
	struct secret_view proved = x->by_old ? was->old_secret : was->in_secret;

	return strcmp(was->in_user, is->in_user) == 0 &&
	       (secret_equal(proved, is->in_secret) ||
		       (now < is->old_until && secret_equal(proved, is->old_secret)));
}

bool exchange_take_row(struct exchange *x, const struct credential *row, int64_t now)
{
	if (x->state == EXCHANGE_SUCCEEDED)
		return row && proves_under(x, row, now);
	credential_ref(row);
	credential_unref(x->config.row);
	x->config.row = row;
	return true;
}

void exchange_end(struct exchange *x)
{
	challenge_end(x->config.memory, &x->challenge);
	credential_unref(x->config.row);
	OPENSSL_cleanse(x, sizeof(*x));
}

/* The first step: choose an algorithm, and challenge. */

static enum exchange_result issue(struct exchange *x)
{
	switch (challenge_issue(x->config.memory, x->alg, &x->challenge)) {
	case CHALLENGE_OK: return EXCHANGE_CONTINUE;
	case CHALLENGE_FULL: return EXCHANGE_TOO_MANY;
	default: return EXCHANGE_NO_RANDOM;
	}
}

static enum exchange_result offer(
	struct exchange *x, const struct exchange_keys *keys, struct exchange_reply *reply)
{
	const struct exchange_config *config = &x->config;
	enum exchange_result result;
	chap_alg_set offered;

	if (!keys->a || keys->n || keys->r || keys->i || keys->c)
		return EXCHANGE_KEY_UNEXPECTED;
	if (codec_alg_list(keys->a, &offered) != CODEC_OK)
		return EXCHANGE_BAD_LIST;
	x->alg = chap_prefs_pick(config->prefs, offered & chap_digests_usable(config->digests));
	if (x->alg == CHAP_ALG_NONE)
		return EXCHANGE_NO_ALGORITHM;
	result = issue(x);
	if (result != EXCHANGE_CONTINUE)
		return result;
	snprintf(reply->alg, sizeof(reply->alg), "%u", (unsigned)x->alg);
	snprintf(reply->id, sizeof(reply->id), "%u", x->challenge.id);
	codec_hex(x->challenge.bytes, x->challenge.len, reply->binary);
	reply_add(reply, "CHAP_A", reply->alg);
	reply_add(reply, "CHAP_I", reply->id);
	reply_add(reply, "CHAP_C", reply->binary);
	x->state = EXCHANGE_AWAITS_RESPONSE;
	return EXCHANGE_CONTINUE;
}

/* The second step. What the initiator sent, decoded: */
struct response {
	const char *name;
	uint8_t bytes[CHAP_DIGEST_MAX];
	bool mutual; /* it challenges us with id and challenge */
	uint8_t id;
	uint8_t challenge[CODEC_BINARY_MAX];
	size_t len;
};

static enum exchange_result decode_challenge(
	struct exchange *x, const struct exchange_keys *keys, struct response *in)
{
	in->mutual = true;
	if (codec_identifier(keys->i, &in->id) != CODEC_OK)
		return EXCHANGE_BAD_IDENTIFIER;
	if (codec_binary(keys->c, in->challenge, sizeof(in->challenge), &in->len) != CODEC_OK)
		return EXCHANGE_BAD_CHALLENGE;
	if (challenge_was_ours(x->config.memory, in->challenge, in->len))
		return EXCHANGE_REFLECTED;
	return EXCHANGE_CONTINUE;
}

static enum exchange_result decode(
	struct exchange *x, const struct exchange_keys *keys, struct response *in)
{
	size_t size = chap_alg_size(x->alg), len;

	if (keys->a)
		return EXCHANGE_KEY_UNEXPECTED;
	if (!keys->n || !keys->r || !keys->i != !keys->c)
		return EXCHANGE_KEY_MISSING;
	in->name = keys->n;
	if (codec_binary(keys->r, in->bytes, size, &len) != CODEC_OK || len != size)
		return EXCHANGE_BAD_RESPONSE;
	return keys->c ? decode_challenge(x, keys, in) : EXCHANGE_CONTINUE;
}

/* The secrets that a response may have been made with. */
enum candidate {
	CURRENT,
	OLD,
	OURS, /* the target's own: wrong, but worth telling apart */
	CANDIDATES,
};

static void candidates(const struct exchange *x, struct secret_view list[static CANDIDATES])
{
	const struct credential *row = x->config.row;

	memset(list, 0, CANDIDATES * sizeof(*list));
	if (!row)
		return;
	list[CURRENT] = row->spec.in_secret;
	if (x->config.now < row->spec.old_until)
		list[OLD] = row->spec.old_secret;
	list[OURS] = row->spec.out_secret;
}

/* Which of the candidates made the response? Every login costs one digest for each of them: where
 * there is no secret, one is computed with nobody's, and not looked at. */
static bool match(const struct exchange *x, const struct response *in,
	const struct secret_view list[static CANDIDATES], bool matched[static CANDIDATES])
{
	static const uint8_t nobodys[SECRET_GENERATED];
	uint8_t want[CHAP_DIGEST_MAX];
	bool ok = true;

	for (int i = 0; i < CANDIDATES; i++) {
		bool real = list[i].bytes;
		struct secret_view s =
			real ? list[i] : (struct secret_view){ nobodys, sizeof(nobodys) };

		ok &= chap_digest(x->config.digests, x->alg, x->challenge.id, s, x->challenge.bytes,
			x->challenge.len, want);
		matched[i] = real & (CRYPTO_memcmp(want, in->bytes, chap_alg_size(x->alg)) == 0);
	}
	OPENSSL_cleanse(want, sizeof(want));
	return ok;
}

/* User names are text and compared as such: neither decoded nor folded. */
static bool name_is_right(const struct exchange *x, const char *name)
{
	const struct credential *row = x->config.row;
	const char *want = row && *row->spec.in_user ? row->spec.in_user : x->config.initiator_name;

	return strcmp(name, want) == 0;
}

/* What an initiator that has proved itself is answered with: who has not heard of its new secret
 * yet, has not of ours. */
static struct secret_view ours(const struct exchange *x)
{
	const struct credential_spec *row = &x->config.row->spec;

	return x->by_old && row->old_out_secret.bytes ? row->old_out_secret : row->out_secret;
}

static enum exchange_result prove(struct exchange *x, const struct response *in)
{
	struct secret_view list[CANDIDATES];
	bool matched[CANDIDATES], named = name_is_right(x, in->name);

	candidates(x, list);
	if (!match(x, in, list, matched))
		return EXCHANGE_NO_DIGEST;
	if (!x->config.row)
		return EXCHANGE_UNKNOWN_USER;
	if (!named)
		return EXCHANGE_WRONG_NAME;
	if (!matched[CURRENT] && !matched[OLD])
		return matched[OURS] ? EXCHANGE_SECRETS_SWAPPED : EXCHANGE_WRONG_SECRET;
	/* The table keeps such rows out; this is for those that came by another way. */
	x->by_old = !matched[CURRENT];
	if (secret_equal(list[CURRENT], ours(x)) || secret_equal(list[OLD], ours(x)))
		return EXCHANGE_SAME_SECRET;
	return EXCHANGE_PROVED;
}

/* The initiator is proved, and now may have an answer to its own challenge. */
static enum exchange_result answer(
	struct exchange *x, const struct response *in, struct exchange_reply *reply)
{
	const struct exchange_config *config = &x->config;
	const struct credential_spec *row = &config->row->spec;
	uint8_t digest[CHAP_DIGEST_MAX];

	if (!in->mutual)
		return config->require_mutual ? EXCHANGE_NOT_MUTUAL : EXCHANGE_PROVED;
	if (!ours(x).bytes)
		return EXCHANGE_NO_TARGET_SECRET;
	if (config->refuse_weak_out && ours(x).len < SECRET_STRONG)
		return EXCHANGE_TARGET_SECRET_WEAK;
	if (!chap_digest(config->digests, x->alg, in->id, ours(x), in->challenge, in->len, digest))
		return EXCHANGE_NO_DIGEST;
	codec_hex(digest, chap_alg_size(x->alg), reply->binary);
	reply_add(reply, "CHAP_N", *row->out_user ? row->out_user : config->target_name);
	reply_add(reply, "CHAP_R", reply->binary);
	x->mutual = true;
	return EXCHANGE_PROVED;
}

static enum exchange_result respond(
	struct exchange *x, const struct exchange_keys *keys, struct exchange_reply *reply)
{
	struct response in = { 0 };
	enum exchange_result result = decode(x, keys, &in);

	if (result == EXCHANGE_CONTINUE)
		result = prove(x, &in);
	if (result == EXCHANGE_PROVED)
		result = answer(x, &in, reply);
	if (result == EXCHANGE_PROVED)
		x->state = EXCHANGE_SUCCEEDED;
	return result;
}

static bool no_keys(const struct exchange_keys *keys)
{
	return !keys->a && !keys->i && !keys->c && !keys->n && !keys->r;
}

static enum exchange_result without_keys(const struct exchange *x)
{
	switch (x->state) {
	case EXCHANGE_AWAITS_LIST:
	case EXCHANGE_AWAITS_RESPONSE: return EXCHANGE_CONTINUE;
	case EXCHANGE_SUCCEEDED: return EXCHANGE_PROVED;
	default: return EXCHANGE_OVER;
	}
}

static enum exchange_result with_keys(
	struct exchange *x, const struct exchange_keys *keys, struct exchange_reply *reply)
{
	if (keys->repeated)
		return EXCHANGE_KEY_REPEATED;
	switch (x->state) {
	case EXCHANGE_AWAITS_LIST: return offer(x, keys, reply);
	case EXCHANGE_AWAITS_RESPONSE: return respond(x, keys, reply);
	default: return EXCHANGE_OVER;
	}
}

enum exchange_result exchange_step(
	struct exchange *x, const struct exchange_keys *keys, struct exchange_reply *reply)
{
	enum exchange_result result;

	reply->count = 0;
	if (no_keys(keys))
		return without_keys(x);
	result = with_keys(x, keys, reply);
	if (exchange_result_outcome(result) != EXCHANGE_GOES_ON)
		x->state = EXCHANGE_FAILED;
	if (x->state != EXCHANGE_AWAITS_RESPONSE)
		challenge_end(x->config.memory, &x->challenge);
	return result;
}
