/* SPDX-License-Identifier: BSD-2-Clause */
/* Building the JSON of an answer: members one by one, and one look at the end; and what reading that
 * of a request takes beside jansson. */
#ifndef MGMT_NATIVE_JSON_H
#define MGMT_NATIVE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* An object under construction. When memory runs out on the way all of it is dropped. */
struct object {
	json_t *j;
	bool failed;
};

struct object object_begin(void);
/* Takes over the value; NULL is one for which there was no memory. */
void object_put(struct object *o, const char *name, json_t *value);
/* The finished object, the caller's; NULL when memory ran out. */
json_t *object_end(struct object *o);

/* Values. Text that is NULL is null; what a peer called itself need not be UTF-8, such bytes become
 * '?'. NULL when memory is out. */
json_t *json_of_text(const char *text);
json_t *json_of_number(uint64_t n);

/* The name of a member that is none of `names`, which end with NULL; NULL: all of them are. Borrowed
 * from the object; what is no object has no members. */
const char *json_stranger(const json_t *object, const char *const names[]);

#endif
