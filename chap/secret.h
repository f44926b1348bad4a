/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A CHAP secret: the bytes, the rules for them, and their end.
 *
 * Stands alone, so that the configuration can judge a secret without knowing the rest of CHAP.
 * A secret is bytes, not text: it may hold NUL, and its length is never taken from strlen().
 * Nothing here logs, and no fault text quotes a secret.
 */
#ifndef CHAP_SECRET_H
#define CHAP_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECRET_MAX       512 /* bytes; the longest that any management dialect accepts */
#define SECRET_STRONG    12  /* bytes; 96 bits, below which RFC 7143 9.2.1 wants IPsec */
#define SECRET_PORTABLE  16  /* bytes; Windows and the AWS API take no more */
#define SECRET_GENERATED 16  /* bytes made by secret_generate() */

/* A secret with room of its own, for parsing and generating. All zero is a valid empty one. */
struct secret {
	uint16_t len;
	uint8_t bytes[SECRET_MAX];
};

/* A secret that lies elsewhere, for as long as the maker of the view says. NULL bytes: none. */
struct secret_view {
	const uint8_t *bytes;
	size_t len;
};

/* Wipes what *s held, then copies len bytes. False if len > SECRET_MAX, and *s is then empty.
 * bytes must not lie inside *s; NULL is fine where len is 0. */
bool secret_set(struct secret *s, const void *bytes, size_t len);

/* Overwrites the whole of *s, in a way the compiler cannot leave out. NULL is fine. */
void secret_wipe(struct secret *s);

/* Borrows *s until it is changed or wiped. An empty secret gives an absent view: nothing may ever
 * be proved with it. */
struct secret_view secret_view(const struct secret *s);

/* Same length and same bytes. Takes time that depends on the lengths alone. Two absent secrets,
 * or an absent and a present one, are not equal. */
bool secret_equal(struct secret_view a, struct secret_view b);

/*
 * Makes a new secret of SECRET_GENERATED printable bytes with 96 bits of entropy, from OpenSSL's
 * private generator. Every byte is one of 64 that need no quoting in iscsid.conf, YAML, JSON or a
 * shell; there is no '0' among them, so that the text is never taken for a "0x" or "0b" constant.
 * False, and *s empty, when the generator fails: there is no weaker fallback.
 */
bool secret_generate(struct secret *s);

#define SECRET_FAULTS(X) \
	X(SECRET_OK, "the secret is acceptable") \
	X(SECRET_EMPTY, "the secret is empty") \
	X(SECRET_TOO_SHORT, "the secret is too short: 12 bytes (96 bits) is the least") \
	X(SECRET_NOT_PORTABLE, "the secret is too long: 16 bytes is the most that this API takes") \
	X(SECRET_TOO_LONG, "the secret is too long: 512 bytes is the most")

#define SECRET_AS_ENUM(id, text) id,
enum secret_fault { SECRET_FAULTS(SECRET_AS_ENUM) };

/* Which rules a secret is to meet. */
enum secret_rule {
	SECRET_RULE_ANY,      /* 1 to SECRET_MAX: where weak secrets are accepted with a warning */
	SECRET_RULE_STRONG,   /* SECRET_STRONG to SECRET_MAX: the normal rule */
	SECRET_RULE_PORTABLE, /* SECRET_STRONG to SECRET_PORTABLE: what every initiator takes */
};

/* Judges a secret by its length in bytes, which may be more than a struct secret can hold. */
enum secret_fault secret_check(size_t len, enum secret_rule rule);

/* A sentence for the administrator; never NULL. */
const char *secret_fault_text(enum secret_fault fault);

#endif
