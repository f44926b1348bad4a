/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths and route tables. */
#include "mgmt/route.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

/* Decodes one segment to *to and moves both on; false for a broken escape or a NUL. */
static bool decode_segment(const char **from, char **to)
{
	const char *p = *from;

	for (; *p && *p != '/'; p++) {
		char c = *p;

		if (c == '%') {
			int high = hex_digit(p[1]);
			int low = high < 0 ? -1 : hex_digit(p[2]);

			if (low < 0 || (high | low) == 0)
				return false;
			c = (char)(high << 4 | low);
			p += 2;
		}
		*(*to)++ = c;
	}
	*(*to)++ = '\0';
	*from = p;
	return true;
}

bool route_split(const char *path, struct route_path *out)
{
	char *to = out->text;

	out->n = 0;
	if (path[0] != '/' || strlen(path) >= sizeof(out->text))
		return false;
	if (!path[1])
		return true;
	while (*path == '/') {
		const char *start = to;

		path++;
		/* Ansible's na_ontap_rest_info asks for "/api//…" when it goes on to another page. */
		if (out->n == 1 && *path == '/')
			path++;
		if (out->n == ROUTE_SEGMENTS || !decode_segment(&path, &to) || !*start)
			return false;
		out->segment[out->n++] = start;
	}
	return true;
}

/* Compares one path with one pattern, and takes the arguments. */
static bool fits(const char *pattern, const struct route_path *path, const char **argument)
{
	unsigned args = 0;

	if (!strcmp(pattern, "/"))
		return path->n == 0;
	for (unsigned i = 0; i < path->n; i++) {
		size_t len;

		if (*pattern++ != '/')
			return false;
		len = strcspn(pattern, "/");
		if (*pattern == '{')
			argument[args++] = path->segment[i];
		else if (strlen(path->segment[i]) != len || memcmp(pattern, path->segment[i], len))
			return false;
		pattern += len;
	}
	return !*pattern;
}

void route_find(const struct route *routes, size_t n, enum route_method method,
	const struct route_path *path, struct route_match *out)
{
	*out = (struct route_match){ 0 };
	for (size_t i = 0; i < n; i++) {
		const char *argument[ROUTE_ARGUMENTS] = { NULL };

		if (!fits(routes[i].pattern, path, argument))
			continue;
		out->methods |= routes[i].method;
		if (routes[i].method != method || out->route)
			continue;
		out->route = &routes[i];
		memcpy(out->argument, argument, sizeof(argument));
	}
}

void route_allow(unsigned methods, char out[static ROUTE_ALLOW_MAX])
{
	static const char *const name[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };
	size_t len = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		if (methods & 1u << i)
			len += (size_t)snprintf(
				out + len, ROUTE_ALLOW_MAX - len, "%s%s", len ? ", " : "", name[i]);
}
