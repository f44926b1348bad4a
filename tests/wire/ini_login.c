/* SPDX-License-Identifier: BSD-2-Clause */
/* The initiator of the wire tests: logins, and CHAP by OpenSSL alone (wire.h). */
#include "wire.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

/* --- keys ----------------------------------------------------------------------------------- */

static const char *find(const char *keys, uint32_t len, const char *key, unsigned *count)
{
	size_t n = strlen(key);
	const char *found = NULL;

	for (const char *p = keys; keys && p < keys + len; p += strlen(p) + 1) {
		if (strncmp(p, key, n) != 0 || p[n] != '=')
			continue;
		if (!found)
			found = p + n + 1;
		++*count;
	}
	return found;
}

const char *answer(const struct ini *i, const char *key)
{
	unsigned count = 0;

	return find(i->keys, i->keys_len, key, &count);
}

unsigned answers(const struct ini *i, const char *key)
{
	unsigned count = 0;

	find(i->keys, i->keys_len, key, &count);
	return count;
}

/* What we declare binds the target from its next PDU on. */
static void take_declaration(struct ini *i, uint32_t len)
{
	unsigned count = 0;
	const char *ours = find(i->sent, len, "MaxRecvDataSegmentLength", &count);

	if (ours)
		i->max_recv = (uint32_t)strtoul(ours, NULL, 0);
}

/* --- requests and answers ------------------------------------------------------------------- */

struct pdu pdu_login(struct ini *i, unsigned flags, const char *keys)
{
	struct pdu p = { .bhs = { BHS_IMMEDIATE | OP_LOGIN_REQ, (uint8_t)flags } };

	memcpy(p.bhs + 8, i->isid, 6);
	put_be16(p.bhs + 14, i->tsih);
	put_be32(p.bhs + 16, i->next_itt);
	put_be16(p.bhs + 20, i->cid);
	put_be32(p.bhs + 24, i->cmdsn);
	put_be32(p.bhs + 28, i->expstatsn);
	ini_put_keys(i, &p, keys);
	take_declaration(i, p.len);
	return p;
}

static void number(const struct ini *i, const char *key, uint32_t *value)
{
	const char *text = answer(i, key);

	if (text && *text >= '0' && *text <= '9')
		*value = (uint32_t)strtoul(text, NULL, 0);
}

static void yes_or_no(const struct ini *i, const char *key, bool *value)
{
	const char *text = answer(i, key);

	if (text && (strcmp(text, "Yes") == 0 || strcmp(text, "No") == 0))
		*value = *text == 'Y';
}

static void digest(const struct ini *i, const char *key, bool *value)
{
	const char *text = answer(i, key);

	if (text)
		*value = strcmp(text, "CRC32C") == 0;
}

/* What the target has answered is in force, and what we declared. */
static void take_answers(struct ini *i)
{
	number(i, "MaxRecvDataSegmentLength", &i->max_send);
	number(i, "MaxBurstLength", &i->max_burst);
	number(i, "FirstBurstLength", &i->first_burst);
	number(i, "MaxOutstandingR2T", &i->max_r2t);
	yes_or_no(i, "InitialR2T", &i->initial_r2t);
	yes_or_no(i, "ImmediateData", &i->immediate_data);
	digest(i, "HeaderDigest", &i->header_digest);
	digest(i, "DataDigest", &i->data_digest);
	if (i->first_burst > i->max_burst)
		i->first_burst = i->max_burst;
}

/* 11.13: what every Login Response has in common with its request. */
static void check_login_response(const struct ini *i)
{
	bool final = (i->bhs[1] & 0x83) == TO_FFP && be16(i->bhs + 36) == 0;

	assert_int_equal(i->bhs[2], 0);
	assert_int_equal(i->bhs[3], 0);
	assert_memory_equal(i->bhs + 8, i->isid, 6);
	assert_int_equal(be32(i->bhs + 16), i->next_itt);
	if (be16(i->bhs + 36))
		return;
	assert_false((i->bhs[1] & 0xc0) == 0xc0);
	assert_int_equal(be32(i->bhs + 28), i->cmdsn);
	if (final)
		assert_int_not_equal(be16(i->bhs + 14), 0);
	else
		assert_int_equal(be16(i->bhs + 14), i->tsih);
}

unsigned login_flags(const struct ini *i)
{
	return i->bhs[1];
}

/* 6.2: while C is set, the target is asked for the rest by empty requests. */
unsigned login_answer(struct ini *i)
{
	i->keys_len = 0;
	ini_recv(i, OP_LOGIN_RSP);
	check_login_response(i);
	ini_gather(i);
	while (i->bhs[1] & CONT) {
		struct pdu p = pdu_login(i, i->bhs[1] & OP, "");

		assert_int_equal(i->bhs[1] & 0x80, 0);
		ini_send(i, &p);
		ini_recv(i, OP_LOGIN_RSP);
		check_login_response(i);
		ini_gather(i);
	}
	if (be16(i->bhs + 36))
		return be16(i->bhs + 36);
	take_answers(i);
	if ((i->bhs[1] & 0x83) == TO_FFP) {
		i->tsih = be16(i->bhs + 14);
		i->full = true;
		i->next_itt++;
	}
	return LOGIN_SUCCESS;
}

unsigned login(struct ini *i, unsigned flags, const char *keys)
{
	struct pdu p = pdu_login(i, flags, keys);

	ini_send(i, &p);
	return login_answer(i);
}

static void say_who(const struct ini *i, const char *target, char *out, size_t size)
{
	if (target)
		snprintf(out, size, "InitiatorName=%s\nTargetName=%s\nSessionType=Normal\n",
			i->name, target);
	else
		snprintf(out, size, "InitiatorName=%s\nSessionType=Discovery\n", i->name);
}

static void expect_full(struct ini *i, const char *target, const char *more)
{
	char keys[4096];

	say_who(i, target, keys, sizeof(keys));
	strncat(keys, more, sizeof(keys) - strlen(keys) - 1);
	unsigned status = login(i, OP | TO_FFP, keys);
	if (status != LOGIN_SUCCESS)
		fail_msg("login refused: 0x%04x", status);
	assert_int_equal(login_flags(i), OP | TO_FFP);
}

void ini_login(struct ini *i, const char *target, const char *more)
{
	expect_full(i, target, more);
}

void ini_login_discovery(struct ini *i)
{
	expect_full(i, NULL, "");
	i->discovery = true;
}

void ini_begin(struct ini *i, struct wire *w, const char *more)
{
	ini_open(i, w);
	ini_login(i, OPEN, more);
}

/* --- CHAP ----------------------------------------------------------------------------------- */

size_t chap_hash(unsigned alg, uint8_t id, const char *secret, const uint8_t *challenge, size_t len,
	uint8_t out[static 64])
{
	static const char *const names[] = {
		[5] = "MD5", [6] = "SHA1", [7] = "SHA256", [8] = "SHA3-256"
	};
	EVP_MD *md = EVP_MD_fetch(NULL, names[alg], NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned n = 0;

	assert_non_null(md);
	assert_non_null(ctx);
	EVP_DigestInit_ex2(ctx, md, NULL);
	EVP_DigestUpdate(ctx, &id, 1);
	EVP_DigestUpdate(ctx, secret, strlen(secret));
	EVP_DigestUpdate(ctx, challenge, len);
	EVP_DigestFinal_ex(ctx, out, &n);
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(md);
	return n;
}

char *to_hex(const uint8_t *p, size_t n, char *out)
{
	strcpy(out, "0x");
	for (size_t k = 0; k < n; k++)
		sprintf(out + 2 + 2 * k, "%02x", p[k]);
	return out;
}

static size_t from_hex(const char *text, uint8_t *out, size_t size)
{
	size_t n = strlen(text) / 2 - 1;

	assert_true(strncmp(text, "0x", 2) == 0);
	assert_int_equal(strlen(text) % 2, 0);
	assert_in_range(n, 1, size);
	for (size_t k = 0; k < n; k++) {
		char byte[3] = { text[2 + 2 * k], text[3 + 2 * k], '\0' };

		out[k] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return n;
}

struct chap chap_host1(void)
{
	struct chap c = {
		.algs = "5",
		.name = HOST,
		.secret = SECRET,
		.target_name = LOCKED,
		.target_secret = TARGET_SECRET,
		.our_id = 77,
		.our_len = 16,
	};

	assert_int_equal(RAND_bytes(c.ours, sizeof(c.ours)), 1);
	return c;
}

void chap_take_challenge(struct ini *i, struct chap *c)
{
	assert_non_null(answer(i, "CHAP_A"));
	assert_non_null(answer(i, "CHAP_I"));
	assert_non_null(answer(i, "CHAP_C"));
	c->alg = (unsigned)strtoul(answer(i, "CHAP_A"), NULL, 10);
	assert_in_range(c->alg, 5, 8);
	c->id = (uint8_t)strtoul(answer(i, "CHAP_I"), NULL, 0);
	c->len = from_hex(answer(i, "CHAP_C"), c->challenge, sizeof(c->challenge));
}

void chap_begin(struct ini *i, struct chap *c, const char *target)
{
	char keys[1024];

	say_who(i, target, keys, sizeof(keys) - 20);
	strcat(keys, "AuthMethod=CHAP\n");
	assert_int_equal(login(i, SEC, keys), LOGIN_SUCCESS);
	assert_answer(i, "AuthMethod", "CHAP");
	snprintf(keys, sizeof(keys), "CHAP_A=%s\n", c->algs);
	assert_int_equal(login(i, SEC, keys), LOGIN_SUCCESS);
	chap_take_challenge(i, c);
}

const char *chap_response(struct chap *c)
{
	uint8_t digest_bytes[64];
	char hex[160];
	size_t n = chap_hash(c->alg, c->id, c->secret, c->challenge, c->len, digest_bytes);
	int at = snprintf(c->text, sizeof(c->text), "CHAP_N=%s\nCHAP_R=%s\n", c->name,
		to_hex(digest_bytes, n, hex));

	if (c->target_name)
		snprintf(c->text + at, sizeof(c->text) - (size_t)at, "CHAP_I=%u\nCHAP_C=%s\n",
			c->our_id, to_hex(c->ours, c->our_len, hex));
	return c->text;
}

bool chap_proves_target(const struct ini *i, const struct chap *c)
{
	uint8_t want[64];
	char hex[160];
	size_t n = chap_hash(c->alg, c->our_id, c->target_secret, c->ours, c->our_len, want);

	return answer(i, "CHAP_N") && strcmp(answer(i, "CHAP_N"), c->target_name) == 0 &&
	       answer(i, "CHAP_R") && strcmp(answer(i, "CHAP_R"), to_hex(want, n, hex)) == 0;
}

unsigned chap_login(struct ini *i, struct chap *c, const char *target, const char *more)
{
	unsigned status;

	chap_begin(i, c, target);
	status = login(i, SEC | TO_OP, chap_response(c));
	if (status)
		return status;
	assert_int_equal(login_flags(i), SEC | TO_OP);
	if (c->target_name)
		assert_true(chap_proves_target(i, c));
	return login(i, OP | TO_FFP, more);
}
