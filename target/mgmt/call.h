/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request that is being answered. A route's function gets a struct call and answers it exactly
 * once, at once or later, by call_reply() or call_refuse(); it is gone then. A client that went
 * away meanwhile makes no difference to the function.
 *
 * Everything happens on the thread of the management loop.
 */
#ifndef MGMT_CALL_H
#define MGMT_CALL_H

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mgmt/route.h"

struct call;

/* A way of speaking: its routes, and how it says no. */
struct dialect {
	const char *prefix;       /* the first segment of its paths: "v1"; "" for the path "/" */
	const char *content_type; /* of what it answers */
	const struct route *routes;
	size_t n_routes;
	/* The body of a refusal: status is 4xx or 5xx, code a short word, message a sentence. NULL
	 * when memory is out. */
	json_t *(*refusal)(int status, const char *code, const char *message);
	/*
	 * On a listener of the network: whether the caller has proved who it is, asked when the whole
	 * request is there. True, and call_admit() has said who; or false, and the call has been
	 * refused, by call_deny() where a secret was wrong. NULL: not spoken on the network.
	 */
	bool (*admit)(struct call *c);
	bool lasting; /* the proof, Authorization, is the same every time: a password or a token */
};

/* What the dialect's functions work on, as given to http_open(). */
void *call_context(const struct call *c);
/* The i-th argument of the route's pattern, decoded; never NULL if the pattern has that many. */
const char *call_argument(const struct call *c, unsigned i);
/* The first value of a query parameter, decoded; NULL: absent. Borrowed for the call's life. */
const char *call_query(const struct call *c, const char *name);
/* The body of a route that wants JSON: an object. Borrowed for the call's life. */
const json_t *call_json(const struct call *c);
/* Who asks, for the log and the audit: "uid 0", "aws:AKIAIOSFODNN7EXAMPLE from 192.0.2.7". */
const char *call_who(const struct call *c);
/* Whether that is root or the server's own user, by the Unix socket: those who can read all that the
 * server keeps, secrets too, without it. */
bool call_is_owner(const struct call *c);
/* Whether the caller may look, but not change anything. */
bool call_is_read_only(const struct call *c);
/* The caller has proved to be `name`; for dialect->admit(). */
void call_admit(struct call *c, const char *name, bool read_only);

/* The request as it came, for those who sign or log it. */
const char *call_method(const struct call *c);               /* "POST" */
const char *call_target(const struct call *c);               /* path and query, still encoded */
const uint8_t *call_body(const struct call *c, size_t *len); /* never NULL; borrowed */
/* The first header of this name (any case), or NULL. */
const char *call_header(const struct call *c, const char *name);
/* Every header, in the order in which they came, until fn returns false. */
void call_headers(const struct call *c, bool (*fn)(void *arg, const char *name, const char *value),
	void *arg);
/* Whether it came over the Unix socket, or from this machine. */
bool call_is_local(const struct call *c);

/* Adds a header to the answer; before call_reply(). */
void call_answer_header(struct call *c, const char *name, const char *value);

/* Answers. `body` is taken over; NULL stands for memory that ran out, and becomes a 500. */
void call_reply(struct call *c, int status, json_t *body);
/* Answers that memory ran out: a 500. */
void call_no_memory(struct call *c);
/* Tells the log of a change that is refused: `what` it was (NULL: the call itself, if it would have
 * changed anything), who asked for it, and why not. `why` may quote what came. */
void call_note_refusal(const struct call *c, const char *what, const char *why);
/* Refuses, in the words of the dialect, and notes it. */
void call_refuse(struct call *c, int status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Answers one whose secret or signature was wrong. An address that fails again and again waits
 * longer and longer for it, and nobody else does, but where somebody hangs up meanwhile
 * (mgmt/patience.h). `body` is taken over. */
void call_deny(struct call *c, int status, json_t *body);

#endif
