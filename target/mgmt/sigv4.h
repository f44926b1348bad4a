/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AWS Signature Version 4, the verifying side. Pure: knows no clock and no HTTP library, and keeps
 * nothing.
 *
 * It goes in two steps, since the secret has to be found in between:
 *
 *	sigv4_read()   what the Authorization header claims, if it claims anything that can be judged
 *	               (the caller looks up the access key)
 *	sigv4_check()  whether it is so
 *
 * A signature covers the method, the path and query, the headers that it names, and the body. There
 * is no nonce: whoever sees a request can send it again for SIGV4_SKEW seconds.
 */
#ifndef MGMT_SIGV4_H
#define MGMT_SIGV4_H

#include <stddef.h>
#include <stdint.h>

#define SIGV4_SKEW (15 * 60) /* seconds that the clocks may differ, either way */

struct sigv4_header {
	const char *name; /* in any case */
	const char *value;
};

/* A request as it came; all of it is borrowed. */
struct sigv4_request {
	const char *method; /* "POST" */
	const char *target; /* path and query, still encoded */
	const struct sigv4_header *headers;
	size_t n_headers;
	const uint8_t *body;
	size_t body_len;
};

/* A part of a header's value. */
struct sigv4_part {
	const char *at;
	size_t len;
};

#define SIGV4_KEY_MAX 128

/* What the request says of its signature. The parts point into the request's headers, and consist
 * of printable ASCII alone. */
struct sigv4_claim {
	char key[SIGV4_KEY_MAX + 1];                         /* the access key's id */
	struct sigv4_part date, region, service, terminator; /* the rest of the Credential */
	struct sigv4_part signed_headers; /* lower case, rising, ';' between them */
	struct sigv4_part signature;      /* 64 hex digits */
	const char *time;                 /* "20240615T120000Z" */
	int64_t seconds;                  /* the same, since 1970 */
};

/* In the order in which they are looked for. */
enum sigv4_fault {
	SIGV4_OK,
	SIGV4_MISSING,    /* there is no Authorization */
	SIGV4_INCOMPLETE, /* a part of it is missing or malformed */
	SIGV4_SCOPE,      /* signed for another day, region or service */
	SIGV4_EXPIRED,    /* signed too long ago, or in the future */
	SIGV4_UNSIGNED,   /* a header that must be signed is not */
	SIGV4_MISMATCH,   /* the signature is wrong */
	SIGV4_NO_MEMORY,
};

/* Why not, for the client: ASCII. */
struct sigv4_why {
	char text[320];
};

/* SIGV4_OK and *out, or SIGV4_MISSING or SIGV4_INCOMPLETE. */
enum sigv4_fault sigv4_read(
	const struct sigv4_request *r, struct sigv4_claim *out, struct sigv4_why *why);

struct sigv4_rule {
	const char *secret; /* of the access key that the claim names */
	const char *region, *service;
	/* Headers that must be signed, in lower case. A security token must be, where there is one. */
	const char *const *must;
	size_t n_must;
	int64_t now; /* seconds since 1970 */
};

/* Whether the claim of this request is true. The signatures are compared in constant time. */
enum sigv4_fault sigv4_check(const struct sigv4_request *r, const struct sigv4_claim *claim,
	const struct sigv4_rule *rule, struct sigv4_why *why);

#endif
