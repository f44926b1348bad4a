/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The target's side of one CHAP exchange (RFC 1994, RFC 7143 12.1.3), one-way or mutual.
 *
 *	initiator                              target
 *	CHAP_A=8,7,6,5                 ->
 *	                               <-      CHAP_A=8 CHAP_I=… CHAP_C=…
 *	CHAP_N=… CHAP_R=…              ->
 *	  [CHAP_I=… CHAP_C=…]                  the initiator is proved, or refused
 *	                               <-      [CHAP_N=… CHAP_R=…]
 *
 * Values go in and come out as the text of the keys. The caller collects the CHAP keys of one login
 * request, calls exchange_step() when the request is complete (no C bit), and sends what it says:
 *
 *	struct exchange_keys keys = { 0 };
 *	for each key=value of the request
 *		if (exchange_take(&keys, key, value))
 *			continue;
 *		...
 *	result = exchange_step(&conn->chap, &keys, &reply);
 *	if (result != EXCHANGE_CONTINUE && result != EXCHANGE_PROVED)
 *		log exchange_result_text(result), refuse the login;
 *	for (i = 0; i < reply.count; i++)
 *		append reply.pair[i].key=reply.pair[i].value;
 *
 * What the peer can see is the same for every cause of failure; the cause is for the log. A row
 * that does not exist, another name and another secret cost the same digests. The initiator's
 * challenge is never answered, nor hashed with our secret, before its response was right.
 */
#ifndef CHAP_EXCHANGE_H
#define CHAP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chap/challenge.h"
#include "chap/codec.h"
#include "chap/digest.h"
#include "chap/table.h"

/* What a result means for the connection. */
enum exchange_outcome {
	EXCHANGE_GOES_ON, /* no failure */
	EXCHANGE_REFUSE,  /* authentication failure, login status 0x0201 */
	EXCHANGE_CLOSE,   /* the same, and RFC 7143 9.2.1 demands that the connection be closed */
	EXCHANGE_OURS,    /* not the peer's fault: a target error, login status 0x03xx */
};

#define EXCHANGE_RESULTS(X) \
	X(EXCHANGE_CONTINUE, EXCHANGE_GOES_ON, "authentication goes on") \
	X(EXCHANGE_PROVED, EXCHANGE_GOES_ON, "the initiator is authenticated") \
	X(EXCHANGE_NO_ALGORITHM, EXCHANGE_REFUSE, "no CHAP algorithm in common") \
	X(EXCHANGE_KEY_MISSING, EXCHANGE_REFUSE, "a CHAP key is missing") \
	X(EXCHANGE_KEY_REPEATED, EXCHANGE_REFUSE, "a CHAP key came twice") \
	X(EXCHANGE_KEY_UNEXPECTED, EXCHANGE_REFUSE, "a CHAP key out of order") \
	X(EXCHANGE_BAD_LIST, EXCHANGE_REFUSE, "malformed CHAP_A") \
	X(EXCHANGE_BAD_RESPONSE, EXCHANGE_REFUSE, "malformed CHAP_R or wrong length") \
	X(EXCHANGE_BAD_IDENTIFIER, EXCHANGE_REFUSE, "malformed CHAP_I") \
	X(EXCHANGE_BAD_CHALLENGE, EXCHANGE_REFUSE, "malformed CHAP_C") \
	X(EXCHANGE_REFLECTED, EXCHANGE_CLOSE, "reflected challenge: CHAP_C is one of ours") \
	X(EXCHANGE_UNKNOWN_USER, EXCHANGE_REFUSE, "no credential for this initiator") \
	X(EXCHANGE_WRONG_NAME, EXCHANGE_REFUSE, "wrong CHAP name") \
	X(EXCHANGE_WRONG_SECRET, EXCHANGE_REFUSE, "wrong secret") \
	X(EXCHANGE_SECRETS_SWAPPED, EXCHANGE_CLOSE, "answered with the target's secret") \
	X(EXCHANGE_SAME_SECRET, EXCHANGE_CLOSE, "one secret is set for both directions") \
	X(EXCHANGE_NOT_MUTUAL, EXCHANGE_REFUSE, "the initiator did not ask for mutual CHAP") \
	X(EXCHANGE_NO_TARGET_SECRET, EXCHANGE_REFUSE, "mutual CHAP asked, no target secret") \
	X(EXCHANGE_TARGET_SECRET_WEAK, EXCHANGE_REFUSE, "the target's secret is too short") \
	X(EXCHANGE_OVER, EXCHANGE_REFUSE, "a CHAP key after the end of the exchange") \
	X(EXCHANGE_TOO_MANY, EXCHANGE_OURS, "too many logins under way") \
	X(EXCHANGE_NO_RANDOM, EXCHANGE_OURS, "the random number generator failed") \
	X(EXCHANGE_NO_DIGEST, EXCHANGE_OURS, "the digest algorithm failed")

#define EXCHANGE_AS_ENUM(id, outcome, text) id,
enum exchange_result { EXCHANGE_RESULTS(EXCHANGE_AS_ENUM) };

/* For the log alone, never for the peer; never NULL, never quotes a value. */
const char *exchange_result_text(enum exchange_result result);
enum exchange_outcome exchange_result_outcome(enum exchange_result result);

/* The CHAP keys of one request; all zero before the first. Borrows the values. */
struct exchange_keys {
	const char *a, *i, *c, *n, *r;
	bool repeated;
};

/* True, and remembered, if key is one of CHAP_A, CHAP_I, CHAP_C, CHAP_N, CHAP_R. value must stay
 * until exchange_step(). Both are NUL-terminated; value is the text as received. */
bool exchange_take(struct exchange_keys *keys, const char *key, const char *value);

/* Keys to send, in this order. The values lie in the struct itself, in the row, or in the borrowed
 * names: use them before exchange_end(), and do not copy the struct. Nothing in it is secret. */
struct exchange_reply {
	unsigned count;
	struct exchange_pair {
		const char *key;
		const char *value;
	} pair[3];
	char alg[4];
	char id[4];
	char binary[CODEC_HEX_SIZE(CHAP_DIGEST_MAX)];
};

/* What an exchange needs to know. Everything is borrowed until exchange_end(), save for the row. */
struct exchange_config {
	const struct chap_digests *digests;
	const struct chap_prefs *prefs;
	struct challenge_memory *memory;

	/* From table_resolve(); exchange_init() takes a reference. NULL where no row fits: the
	 * exchange then runs as any other, and fails as one with a wrong secret does. */
	const struct credential *row;

	/* InitiatorName as it was received: the CHAP_N to expect where the row names no user. It is
	 * compared byte by byte, as every CHAP_N is. RFC 7143 4.2.7 has iSCSI names normalised to
	 * lower case by those who send them; an initiator that does not is taken at its word as
	 * long as it spells its name the same way in both keys. */
	const char *initiator_name;

	const char *target_name; /* the CHAP_N to send where the row names no user */
	int64_t now;             /* seconds since 1970: ends the grace of an old secret */
	bool require_mutual;     /* an initiator that does not ask us for proof is refused */
	bool refuse_weak_out;    /* never answer with a secret under SECRET_STRONG bytes */
};

enum exchange_state {
	EXCHANGE_IDLE, /* all zero: not begun, or ended */
	EXCHANGE_AWAITS_LIST,
	EXCHANGE_AWAITS_RESPONSE,
	EXCHANGE_SUCCEEDED,
	EXCHANGE_FAILED,
};

/* Some 150 bytes, to be embedded where the login lives. Fields are exchange.c's alone. */
struct exchange {
	enum exchange_state state;
	enum chap_alg alg;
	bool mutual;
	bool by_old; /* proved by the row's old secret */
	struct challenge challenge;
	struct exchange_config config;
};

/* Begins; *x is all zero or ended. Cannot fail. The row is used as it is now: whoever publishes a
 * change of credentials tells the logins that are under way (exchange_take_row()), or closes them. */
void exchange_init(struct exchange *x, const struct exchange_config *config);

/*
 * Takes the CHAP keys of one complete request and makes the keys of the answer: reply->count is 0
 * unless the result is EXCHANGE_CONTINUE or EXCHANGE_PROVED. Any thread, one at a time.
 *
 * Peers also send requests without any CHAP key, which the login's own limits count. They change
 * nothing, and get EXCHANGE_CONTINUE before the proof and EXCHANGE_PROVED after it. Once there was
 * a proof or a failure, any further CHAP key is a failure.
 */
enum exchange_result exchange_step(
	struct exchange *x, const struct exchange_keys *keys, struct exchange_reply *reply);

/*
 * Another row has taken the place of the one that the exchange began with. True: it goes on with
 * that row, by which all that is still to be proved is judged. False: what was proved already would
 * not be taken any more, by the row (NULL: none) or at this time.
 */
bool exchange_take_row(struct exchange *x, const struct credential *row, int64_t now);

/* Is the initiator proved? True from EXCHANGE_PROVED on until a failure or exchange_end(). */
bool exchange_proved(const struct exchange *x);

/* Did we also answer the initiator's challenge? */
bool exchange_was_mutual(const struct exchange *x);

/* Ends it in any state, as it must once it was begun: drops the row, gives the challenge back to
 * the memory, wipes. Idempotent; an all-zero exchange is fine. */
void exchange_end(struct exchange *x);

#endif
