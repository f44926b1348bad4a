/* SPDX-License-Identifier: BSD-2-Clause */
/* Bodies of requests. */
#include "mgmt/native_body.h"

#include <stdio.h>
#include <string.h>

#include <event2/http.h>

static const struct body_member *find(const struct body_member *members, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(members[i].name, name))
			return &members[i];
	return NULL;
}

static bool is_list_of_text(const json_t *j)
{
	for (size_t i = 0; i < json_array_size(j); i++)
		if (!json_is_string(json_array_get(j, i)))
			return false;
	return json_is_array(j);
}

static bool is(const json_t *j, enum body_kind kind)
{
	switch (kind) {
	case BODY_TEXT: return json_is_string(j);
	case BODY_BOOL: return json_is_boolean(j);
	case BODY_NUMBER: return json_is_integer(j);
	default: return is_list_of_text(j);
	}
}

static const char *word(enum body_kind kind)
{
	switch (kind) {
	case BODY_TEXT: return "text";
	case BODY_BOOL: return "true or false";
	case BODY_NUMBER: return "a whole number";
	default: return "a list of texts";
	}
}

static void refuse_unknown(struct call *c, const struct body_member *members, size_t n)
{
	char known[256];
	size_t len = 0;

	for (size_t i = 0; i < n && len < sizeof(known); i++)
		len += (size_t)snprintf(
			known + len, sizeof(known) - len, "%s%s", i ? ", " : "", members[i].name);
	call_refuse(c, HTTP_BADREQUEST, "unknown_member",
		"the body has a member that this call does not know; it knows %s", known);
}

bool body_check(struct call *c, const struct body_member *members, size_t n)
{
	/* Iterating takes an object that could be changed; this one is not. */
	json_t *body = (json_t *)call_json(c), *value;
	const char *name;

	json_object_foreach(body, name, value)
	{
		const struct body_member *m = find(members, n, name);

		if (!m) {
			refuse_unknown(c, members, n);
			return false;
		}
		if (!json_is_null(value) && !is(value, m->kind)) {
			call_refuse(c, HTTP_BADREQUEST, "bad_member", "%s must be %s", m->name,
				word(m->kind));
			return false;
		}
	}
	return true;
}

const json_t *body_get(const struct call *c, const char *name)
{
	const json_t *j = json_object_get(call_json(c), name);

	return json_is_null(j) ? NULL : j;
}

bool body_needs(struct call *c, const char *name)
{
	if (body_get(c, name))
		return true;
	call_refuse(c, HTTP_BADREQUEST, "bad_member", "%s is missing", name);
	return false;
}

const char *body_text(const struct call *c, const char *name)
{
	return json_string_value(body_get(c, name));
}

bool body_true(const struct call *c, const char *name)
{
	return json_is_true(body_get(c, name));
}

json_int_t body_number(const struct call *c, const char *name)
{
	return json_integer_value(body_get(c, name));
}
