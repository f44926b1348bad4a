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

#include "mgmt/route.h"

struct call;

/* A way of speaking: its routes, and how it says no. */
struct dialect {
	const char *prefix;       /* the first segment of its paths: "v1" */
	const char *content_type; /* of what it answers */
	const struct route *routes;
	size_t n_routes;
	/* The body of a refusal: status is 4xx or 5xx, code a short word, message a sentence. NULL
	 * when memory is out. */
	json_t *(*refusal)(int status, const char *code, const char *message);
};

/* What the function works on, as given to http_open(). */
void *call_context(const struct call *c);
/* The i-th argument of the route's pattern, decoded; never NULL if the pattern has that many. */
const char *call_argument(const struct call *c, unsigned i);
/* The first value of a query parameter, decoded; NULL: absent. Borrowed for the call's life. */
const char *call_query(const struct call *c, const char *name);
/* The body of a route that wants JSON: an object. Borrowed for the call's life. */
const json_t *call_json(const struct call *c);
/* Who asks, for the log: "uid 0". */
const char *call_who(const struct call *c);

/* Answers. `body` is taken over; NULL stands for memory that ran out, and becomes a 500. */
void call_reply(struct call *c, int status, json_t *body);
/* Refuses, in the words of the dialect. */
void call_refuse(struct call *c, int status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
#endif
