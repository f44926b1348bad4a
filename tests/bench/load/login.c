/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logins (login.h). The text of a request is put together as the keys come to mind, one text per
 * PDU, and answers are looked up by key: a target that says C=1 is beyond us.
 */
#include "tests/bench/load/login.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chap/codec.h"
#include "tests/bench/load/die.h"

#define TEXT_MAX 2048

struct talk {
	struct link *l;
	const struct login_kit *kit;
	uint32_t id;
	uint32_t out_len, in_len;
	char out[TEXT_MAX], in[8192 + 1];
};

static void say(struct talk *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct talk *t, const char *fmt, ...)
{
	size_t room = sizeof(t->out) - t->out_len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->out + t->out_len, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room)
		die("the text of a login is too long");
	t->out_len += (uint32_t)n + 1;
}

/* The value of a key in the last answer, or NULL. */
static const char *heard(const struct talk *t, const char *key)
{
	size_t len = strlen(key);

	for (const char *p = t->in; p < t->in + t->in_len; p += strlen(p) + 1) {
		if (strncmp(p, key, len) == 0 && p[len] == '=')
			return p + len + 1;
	}
	return NULL;
}

static const char *must_hear(const struct talk *t, const char *key)
{
	const char *value = heard(t, key);

	if (!value)
		die("the target did not say %s", key);
	return value;
}

/* One Login Request and its response. */
static void exchange(struct talk *t, unsigned stage, unsigned next)
{
	struct link *l = t->l;
	uint8_t bhs[BHS_SIZE] = { BHS_IMMEDIATE | OP_LOGIN_REQ };

	bhs[1] = (uint8_t)(stage << 2 | (next != stage ? LOGIN_TRANSIT | next : 0));
	bhs[8] = 0x80; /* a random ISID: 24 bits and 16 bits */
	put_be24(bhs + 9, 0x112200 + (t->id >> 16));
	put_be16(bhs + 12, (uint16_t)t->id);
	put_be16(bhs + 14, l->tsih);
	put_be32(bhs + 16, 1);
	put_be32(bhs + 24, l->cmdsn);
	link_send(l, bhs, t->out, t->out_len);
	t->out_len = 0;
	t->in_len = link_recv(l, bhs, t->in, sizeof(t->in) - 1);
	t->in[t->in_len] = '\0';
	if ((bhs[0] & BHS_OPCODE) != OP_LOGIN_RSP)
		die("opcode %02x in login", bhs[0]);
	if (bhs[36])
		die("login refused: %02x%02x", bhs[36], bhs[37]);
	if (next != stage && !(bhs[1] & LOGIN_TRANSIT))
		die("the target stays in stage %u of the login", stage);
	l->tsih = be16(bhs + 14);
	link_status(l, bhs);
}

/* --- security -------------------------------------------------------------------------------- */

#define CHALLENGE 16

static void introduce(struct talk *t)
{
	const struct plan *p = t->kit->plan;

	say(t, "InitiatorName=iqn.2026-11.com.example:iload-%d-%u", (int)getpid(), t->id);
	say(t, "SessionType=%s", p->target ? "Normal" : "Discovery");
	if (p->target)
		say(t, "TargetName=%s", p->target);
	say(t, "AuthMethod=%s", p->algorithm ? "CHAP" : "None");
}

static size_t digest(const struct talk *t, uint8_t id, const char *secret, const uint8_t *challenge,
	size_t len, uint8_t *out)
{
	const struct plan *p = t->kit->plan;
	struct secret_view s = { (const uint8_t *)secret, strlen(secret) };

	if (!chap_digest(t->kit->digests, p->algorithm, id, s, challenge, len, out))
		die("OpenSSL has no %s", chap_alg_name(p->algorithm));
	return chap_alg_size(p->algorithm);
}

static void say_binary(struct talk *t, const char *key, const uint8_t *p, size_t len)
{
	char hex[CODEC_HEX_SIZE(CHAP_DIGEST_MAX)];

	codec_hex(p, len, hex);
	say(t, "%s=%s", key, hex);
}

static size_t hear_binary(const struct talk *t, const char *key, uint8_t *out, size_t size)
{
	size_t len;

	if (codec_binary(must_hear(t, key), out, size, &len) != CODEC_OK)
		die("%s is not a binary value", key);
	return len;
}

/* Our response to the target's challenge. */
static void prove(struct talk *t)
{
	uint8_t challenge[CODEC_BINARY_MAX], response[CHAP_DIGEST_MAX];
	uint8_t id = (uint8_t)strtoul(must_hear(t, "CHAP_I"), NULL, 0);
	size_t len = hear_binary(t, "CHAP_C", challenge, sizeof(challenge));

	len = digest(t, id, t->kit->plan->secret, challenge, len, response);
	say(t, "CHAP_N=%s", t->kit->plan->user);
	say_binary(t, "CHAP_R", response, len);
}

static void check_target(const struct talk *t, uint8_t id, const uint8_t *challenge)
{
	const struct plan *p = t->kit->plan;
	uint8_t want[CHAP_DIGEST_MAX], got[CHAP_DIGEST_MAX];
	size_t len = digest(t, id, p->target_secret, challenge, CHALLENGE, want);

	if (strcmp(must_hear(t, "CHAP_N"), p->target_user) != 0)
		die("the target calls itself \"%s\"", heard(t, "CHAP_N"));
	if (hear_binary(t, "CHAP_R", got, sizeof(got)) != len || memcmp(got, want, len) != 0)
		die("the target does not know its secret");
}

static void chap(struct talk *t)
{
	bool mutual = t->kit->plan->target_user;
	uint8_t challenge[CHALLENGE], id = (uint8_t)t->id;

	exchange(t, STAGE_SECURITY, STAGE_SECURITY);
	say(t, "CHAP_A=%d", (int)t->kit->plan->algorithm);
	exchange(t, STAGE_SECURITY, STAGE_SECURITY);
	prove(t);
	if (mutual) {
		if (getentropy(challenge, sizeof(challenge)) != 0)
			die_errno("getentropy");
		say(t, "CHAP_I=%u", id);
		say_binary(t, "CHAP_C", challenge, sizeof(challenge));
	}
	exchange(t, STAGE_SECURITY, STAGE_OPERATIONAL);
	if (mutual)
		check_target(t, id, challenge);
}

/* --- parameters ------------------------------------------------------------------------------ */

static void propose(struct talk *t)
{
	const char *digests = t->kit->plan->digests ? "CRC32C" : "None";

	say(t, "HeaderDigest=%s", digests);
	say(t, "DataDigest=%s", digests);
	say(t, "MaxRecvDataSegmentLength=1048576");
	say(t, "DefaultTime2Wait=2");
	say(t, "DefaultTime2Retain=0");
	say(t, "ErrorRecoveryLevel=0");
	if (!t->kit->plan->target)
		return;
	say(t, "InitialR2T=No");
	say(t, "ImmediateData=Yes");
	say(t, "MaxBurstLength=1048576");
	say(t, "FirstBurstLength=262144");
	say(t, "MaxOutstandingR2T=4");
	say(t, "MaxConnections=1");
	say(t, "DataPDUInOrder=Yes");
	say(t, "DataSequenceInOrder=Yes");
}

static uint32_t number(const struct talk *t, const char *key, uint32_t otherwise)
{
	const char *value = heard(t, key);

	return value ? (uint32_t)strtoul(value, NULL, 0) : otherwise;
}

static bool yes(const struct talk *t, const char *key, bool otherwise)
{
	const char *value = heard(t, key);

	return value ? strcmp(value, "Yes") == 0 : otherwise;
}

static void accept_parameters(const struct talk *t)
{
	struct link *l = t->l;
	bool digests = t->kit->plan->digests;

	l->max_send = number(t, "MaxRecvDataSegmentLength", l->max_send);
	l->first_burst = number(t, "FirstBurstLength", 262144);
	l->immediate = yes(t, "ImmediateData", l->immediate);
	l->initial_r2t = yes(t, "InitialR2T", l->initial_r2t);
	if (digests && (strcmp(must_hear(t, "HeaderDigest"), "CRC32C") != 0 ||
			       strcmp(must_hear(t, "DataDigest"), "CRC32C") != 0))
		die("the target does no digests");
	l->header_digest = l->data_digest = digests;
}

void login(const struct login_kit *kit, struct link *l, uint32_t id)
{
	struct talk t = { .l = l, .kit = kit, .id = id };

	link_open(l, kit->plan);
	introduce(&t);
	if (kit->plan->algorithm)
		chap(&t);
	else
		exchange(&t, STAGE_SECURITY, STAGE_OPERATIONAL);
	l->max_send = number(&t, "MaxRecvDataSegmentLength", l->max_send);
	propose(&t);
	exchange(&t, STAGE_OPERATIONAL, STAGE_FULL_FEATURE);
	accept_parameters(&t);
}

void logout(struct link *l)
{
	uint8_t bhs[BHS_SIZE] = { BHS_IMMEDIATE | OP_LOGOUT_REQ, BHS_FINAL | LOGOUT_SESSION };

	put_be32(bhs + 16, 2);
	put_be32(bhs + 24, l->cmdsn);
	link_send(l, bhs, NULL, 0);
	link_recv(l, bhs, NULL, 0);
	if ((bhs[0] & BHS_OPCODE) != OP_LOGOUT_RSP || bhs[2])
		die("the target does not let us log out");
	link_close(l);
}
