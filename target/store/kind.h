/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a kind of store gives to store.c: one row of functions, and the common part
 * that its own struct begins with. Only the files of this folder include this, and the store that
 * fails for tests.
 */
#ifndef STORE_KIND_H
#define STORE_KIND_H

#include <stdatomic.h>

#include "store/store.h"

struct store_kind;

/* The first member of every kind's own struct. Set by open, except kind
 * and shared, which begins as 0. */
struct store {
	const struct store_kind *kind;
	_Atomic uint64_t size; /* changed by resize alone */
	uint32_t block_size;
	bool read_only;
	bool thin;
	uint64_t medium;
	atomic_int shared; /* references beyond the first: see store_ref() */
};

struct store_kind {
	const char *name;
	/* cfg has been checked: block_size is 512 or 4096, size a multiple of it. 0 and *out,
	 * or -errno with *why filled. */
	int (*open)(const struct store_cfg *cfg, struct store **out, struct store_error *why);
	void (*close)(struct store *st);
	/* The request has been checked: inside the store, aligned, not empty (FLUSH apart), and
	 * changing nothing where the store is read-only. COPY: from a store of the same kind. */
	int (*submit)(struct store *st, struct store_io *io);
	/* The rest as in store.h, with the range checked. room, astray, map and soon may be NULL. */
	int (*resize)(struct store *st, uint64_t size);
	uint64_t (*room)(struct store *st);
	bool (*astray)(struct store *st);
	int (*map)(struct store *st, uint64_t off, uint64_t len, struct iovec *iov, int max);
	void (*soon)(struct store *st, uint64_t off, uint64_t len);
	int (*extent)(struct store *st, uint64_t off, uint64_t *len, bool *mapped);
};

extern const struct store_kind store_ram;
extern const struct store_kind store_file;

/* Fills *why and gives err back, so that a refusal is one statement. */
int store_refuse(struct store_error *why, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Sizes that files and mappings take. */
#define STORE_SIZE_MAX ((uint64_t)INT64_MAX)

/* A size for people: "512M" where it is a whole number of such, else in bytes. */
struct store_size_text {
	char text[24];
};
const char *store_size_print(uint64_t size, struct store_size_text *t);

#endif
