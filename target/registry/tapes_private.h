/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cartridges, for tapes.c, which shows them, and tape_change.c, which changes them.
 */
#ifndef REGISTRY_TAPES_PRIVATE_H
#define REGISTRY_TAPES_PRIVATE_H

#include "registry/registry_private.h"
#include "registry/tapes.h"

/* What a library's kinds of places are to the catalog. */
enum catalog_place_kind tapes_kind_of(enum registry_place_kind kind);

/* The library that has a cartridge; NULL: none has. */
struct served_library *tapes_library_of(const struct registry *r, const char *barcode);

/* A cartridge's row, copied out of the library's lock, with text of its own. */
struct tape_copy {
	struct catalog_tape row;
	char barcode[BARCODE_SIZE], library[80], state[32], pool[LIBRARY_POOL_SIZE];
	char to[512]; /* longer than any ARN */
};
/* For library_tape(); arg is a struct tape_copy. */
void tape_copy_take(const struct catalog_tape *t, void *arg);

#endif
