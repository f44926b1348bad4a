/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole exchange, driven by bytes: a first byte that chooses the row and the policy, then any
 * number of requests. A request is lines of a key's letter and a value, ended by an empty line. Some
 * values are made here, since no fuzzer guesses a digest: "R!" is the right response, "R?" one with
 * the target's secret, "C!" the target's own challenge.
 *
 * However the bytes come, nobody may be proved without the right response, and no challenge be
 * answered before.
 */
#include "chap/exchange.h"

#include <stdlib.h>
#include <string.h>

#define IN_SECRET  "initiator-111111"
#define OUT_SECRET "target---2222222"
#define INITIATOR  "iqn.2026-11.com.example:host1"
#define TARGET     "iqn.2026-11.com.example:locked"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool true_or_crash)
{
	if (!true_or_crash)
		abort();
}

static struct secret_view text(const char *s)
{
	return (struct secret_view){ (const uint8_t *)s, strlen(s) };
}

/* What outlives an input, made by the first one. */
static struct fixture {
	struct chap_digests *digests;
	struct challenge_memory *memory;
	const struct credential *rows[4]; /* none, one-way, mutual, with user names */
} fix;

static void fixture_make(void)
{
	struct credential_spec spec = {
		.scope_name = TARGET, .initiator = INITIATOR, .in_secret = text(IN_SECRET)
	};

	if (fix.digests)
		return;
	fix.digests = chap_digests_new();
	fix.memory = challenge_memory_new(4, 64);
	fix.rows[1] = credential_new(&spec);
	spec.out_secret = text(OUT_SECRET);
	fix.rows[2] = credential_new(&spec);
	spec.in_user = "Alice";
	spec.out_user = "Bob";
	fix.rows[3] = credential_new(&spec);
	require(fix.digests && fix.memory && fix.rows[1] && fix.rows[2] && fix.rows[3]);
}

/* One login as the fuzzer plays it. */
struct game {
	struct exchange x;
	struct exchange_reply reply;
	bool right;  /* the request has the right response in it, and was not changed since */
	bool mutual; /* and a challenge */
	char made[64][CODEC_HEX_SIZE(CHAP_DIGEST_MAX)];
	unsigned used;
};

/* The response that the initiator would compute, as the exchange's own fields allow. */
static const char *respond(struct game *g, const char *secret)
{
	char *hex = g->made[g->used++ % 64];
	uint8_t digest[CHAP_DIGEST_MAX];

	require(chap_digest(fix.digests, g->x.alg, g->x.challenge.id, text(secret),
		g->x.challenge.bytes, g->x.challenge.len, digest));
	codec_hex(digest, chap_alg_size(g->x.alg), hex);
	return hex;
}

static const char *reflect(struct game *g)
{
	char *hex = g->made[g->used++ % 64];

	codec_hex(g->x.challenge.bytes, g->x.challenge.len, hex);
	return hex;
}

/* Takes one line of a request; its value stays where it is. */
static void take(struct game *g, struct exchange_keys *keys, char *line)
{
	char name[] = "CHAP_?";
	const char *value = line + 1;
	bool waiting = g->x.state == EXCHANGE_AWAITS_RESPONSE;

	name[5] = line[0];
	if (line[0] == 'R' && waiting && strcmp(value, "!") == 0) {
		value = respond(g, IN_SECRET);
		g->right = true;
	} else if (line[0] == 'R' && waiting && strcmp(value, "?") == 0) {
		value = respond(g, OUT_SECRET);
	} else if (line[0] == 'C' && waiting && strcmp(value, "!") == 0) {
		value = reflect(g);
	}
	g->mutual |= line[0] == 'C';
	exchange_take(keys, name, value);
}

static void step(struct game *g, const struct exchange_keys *keys)
{
	bool before = exchange_proved(&g->x);
	enum exchange_result result = exchange_step(&g->x, keys, &g->reply);
	enum exchange_outcome outcome = exchange_result_outcome(result);

	require(outcome == EXCHANGE_GOES_ON || (g->reply.count == 0 && !exchange_proved(&g->x)));
	require(outcome != EXCHANGE_OURS);
	if (result == EXCHANGE_PROVED && !before) {
		require(g->right && g->x.config.row && exchange_proved(&g->x));
		require(g->reply.count == (g->mutual ? 2u : 0u));
	}
	for (unsigned i = 0; i < g->reply.count; i++)
		require(strlen(g->reply.pair[i].key) == 6 && *g->reply.pair[i].value);
	g->right = g->mutual = false;
}

static void play(struct game *g, char *script)
{
	struct exchange_keys keys = { 0 };

	for (char *line; (line = strsep(&script, "\n"));) {
		if (*line) {
			take(g, &keys, line);
			continue;
		}
		step(g, &keys);
		keys = (struct exchange_keys){ 0 };
	}
	step(g, &keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *script = calloc(1, size + 1);
	struct game g = { 0 };
	uint8_t choice = size > 0 ? data[0] : 0;
	struct exchange_config config;

	require(script);
	fixture_make();
	config = (struct exchange_config){
		.digests = fix.digests,
		.prefs = &chap_prefs_default,
		.memory = fix.memory,
		.row = fix.rows[choice & 3],
		.initiator_name = INITIATOR,
		.target_name = TARGET,
		.require_mutual = choice & 4,
		.refuse_weak_out = choice & 8,
	};
	if (size > 1)
		memcpy(script, data + 1, size - 1);
	exchange_init(&g.x, &config);
	play(&g, script);
	exchange_end(&g.x);
	require(challenge_outstanding(fix.memory) == 0);
	free(script);
	return 0;
}
