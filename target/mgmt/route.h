/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which function answers which request: paths taken apart, and tables of routes. Pure; knows no
 * HTTP library.
 */
#ifndef MGMT_ROUTE_H
#define MGMT_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

/* --- paths ---------------------------------------------------------------------------------- */

#define ROUTE_PATH_MAX 2048 /* bytes of a path as it came */
#define ROUTE_SEGMENTS 12

/* The segments of a path, NUL-terminated and decoded one by one, so that a %2F is part of a name
 * and not a separator. "/" has none. */
struct route_path {
	unsigned n;
	const char *segment[ROUTE_SEGMENTS];
	char text[ROUTE_PATH_MAX];
};

/* Takes apart the path of a request target (RFC 3986 3.3), without its query. False for what no
 * route of ours could have: no leading slash, an empty segment, too long, a broken escape or an
 * escaped NUL; *out has the segments before that then. A second slash behind the first segment, as
 * in "/api//svm/svms", makes no empty one. */
bool route_split(const char *path, struct route_path *out);

/* --- tables --------------------------------------------------------------------------------- */

enum route_method {
	ROUTE_GET = 1,
	ROUTE_POST = 2,
	ROUTE_PUT = 4,
	ROUTE_PATCH = 8,
	ROUTE_DELETE = 16,
};

/* What holds for a route before its function is called. */
enum route_policy {
	ROUTE_CHANGES = 1,    /* changes something: not for callers that may only read */
	ROUTE_WANTS_JSON = 2, /* the body must be a JSON object */
};

struct call;

struct route {
	enum route_method method;
	const char *pattern; /* "/v1/targets/{name}": a segment in braces is an argument */
	unsigned policy;
	void (*run)(struct call *c);
};

#define ROUTE_ARGUMENTS 4

struct route_match {
	const struct route *route;             /* NULL: none has both path and method */
	unsigned methods;                      /* of all routes with this path; 0: none */
	const char *argument[ROUTE_ARGUMENTS]; /* borrowed from the path */
};

/* The first of n rows that has the path and the method; what is borrowed is so from path. */
void route_find(const struct route *routes, size_t n, enum route_method method,
	const struct route_path *path, struct route_match *out);

/* The value of an Allow header (RFC 9110 10.2.1) for a set of methods. */
#define ROUTE_ALLOW_MAX 40
void route_allow(unsigned methods, char out[static ROUTE_ALLOW_MAX]);

#endif
