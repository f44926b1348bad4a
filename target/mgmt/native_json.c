/* SPDX-License-Identifier: BSD-2-Clause */
/* Building JSON. */
#include "mgmt/native_json.h"

#include <stdlib.h>
#include <string.h>

struct object object_begin(void)
{
	return (struct object){ .j = json_object() };
}

void object_put(struct object *o, const char *name, json_t *value)
{
	if (json_object_set_new(o->j, name, value))
		o->failed = true;
}

json_t *object_end(struct object *o)
{
	if (!o->failed)
		return o->j;
	json_decref(o->j);
	return NULL;
}

json_t *json_of_text(const char *text)
{
	json_t *j;
	char *clean;

	if (!text)
		return json_null();
	j = json_string(text);
	if (j)
		return j;
	clean = strdup(text);
	for (char *p = clean; p && *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	j = clean ? json_string(clean) : NULL;
	free(clean);
	return j;
}

json_t *json_of_number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

const char *json_stranger(const json_t *object, const char *const names[])
{
	json_t *value;
	const char *name;

	json_object_foreach((json_t *)object, name, value)
	{
		const char *const *n = names;

		while (*n && strcmp(*n, name) != 0)
			n++;
		if (!*n)
			return name;
	}
	return NULL;
}
