/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the key of the catalog comes from, and the file that it is in: 32 bytes, or 64 while one
 * key takes the place of another, the new one first.
 */
#ifndef CATALOG_KEYS_H
#define CATALOG_KEYS_H

#include "catalog/catalog.h"
#include "catalog/seal.h"

struct keys {
	int dir;    /* state_dir, for the key that is ours; borrowed */
	bool ours;  /* state_dir/key, which we make and replace */
	char *path; /* of the file, for reading it and for people */
};

/* Finds out where the key is (see catalog_open()). 0 or -ENOMEM; ended with keys_free(). */
int keys_find(struct keys *k, const struct catalog_config *cfg);
void keys_free(struct keys *k);

/* Reads the one or two keys. 0; -ENOKEY when there is no file, -EKEYREJECTED when it is not one of
 * keys, or -errno, with *why filled. */
int keys_read(const struct keys *k, struct seal_ring *ring, struct catalog_error *why);

/* Replaces state_dir/key by the keys of the ring: on stable storage when this returns 0, and at no
 * moment neither the old file nor the new one. -errno with *why filled. */
int keys_write(const struct keys *k, const struct seal_ring *ring, struct catalog_error *why);

#endif
