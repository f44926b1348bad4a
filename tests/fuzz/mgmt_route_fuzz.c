/* SPDX-License-Identifier: BSD-2-Clause */
/* Any path, at a table with every kind of pattern: what is found must be what was asked for. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// clang-format off
static const struct route routes[] = {
	{ ROUTE_POST,   "/",              0, NULL },
	{ ROUTE_GET,    "/v1/a",          0, NULL },
	{ ROUTE_DELETE, "/v1/a/{x}",      0, NULL },
	{ ROUTE_GET,    "/v1/{x}/b/{y}",  0, NULL },
	{ ROUTE_GET,    "/{a}/{b}/{c}/{d}", 0, NULL },
};
// clang-format on

static void check(const struct route_path *path, const struct route_match *m)
{
	for (unsigned i = 0; i < path->n; i++)
		if (!*path->segment[i] || path->segment[i] < path->text ||
			path->segment[i] >= path->text + sizeof(path->text))
			abort();
	if (m->route && !(m->methods & m->route->method))
		abort();
	for (unsigned i = 0; i < ROUTE_ARGUMENTS; i++)
		if (m->argument[i] && !*m->argument[i])
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct route_path path;
	struct route_match m;
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (route_split(text, &path)) {
		for (unsigned method = ROUTE_GET; method <= ROUTE_DELETE; method *= 2) {
			route_find(routes, sizeof(routes) / sizeof(routes[0]),
				(enum route_method)method, &path, &m);
			check(&path, &m);
		}
	}
	free(text);
	return 0;
}
