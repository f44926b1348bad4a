/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses that an initiator may come from, as the ONTAP REST API has them (ranges and masks), and
 * as a row of the table keeps them: text, in which they stay what they were given as. Pure.
 */
#ifndef MGMT_ONTAP_ADDRESS_H
#define MGMT_ONTAP_ADDRESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "registry/registry.h"

struct address {
	bool mask;
	unsigned bits;             /* of a mask */
	struct source first, last; /* of a mask the first alone */
};

struct address_list {
	struct address *v;
	size_t n;
	bool ranges, masks; /* which were given, be it as an empty list */
};

struct address_fault {
	const char *code; /* NULL: memory is out */
	char text[160];
	char target[64];
};

/* Reads an initiator_address; null is two empty lists. *out is the caller's to free in any case. */
bool address_read(const json_t *j, struct address_list *out, struct address_fault *why);
/* Reads the source_text of a row; what is none of ours there is passed over. False: no memory. */
bool address_parse(const char *text, struct address_list *out);
void address_free(struct address_list *list);

/* What a row's source_text becomes: the caller's to free. NULL: memory is out. */
char *address_text(const struct address_list *list);
/* The initiator_address to tell; an empty object for an empty list. NULL: memory is out. */
json_t *address_json(const struct address_list *list);

/* Each changes *list by what was given; false: memory is out. */
bool address_replace(struct address_list *list, const struct address_list *given); /* by kind */
bool address_add(struct address_list *list, const struct address_list *given);
void address_remove(struct address_list *list, const struct address_list *given);

#endif
