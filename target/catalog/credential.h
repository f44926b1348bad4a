/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Credentials that were made through an API, as they are kept: one row for a scope and an
 * initiator. The rules for rows are not ours; what is put here has been judged.
 */
#ifndef CATALOG_CREDENTIAL_H
#define CATALOG_CREDENTIAL_H

#include "catalog/catalog.h"

#define CATALOG_SECRET_MAX 512 /* bytes */

/* The values are those of the database, here and below. */
enum catalog_scope {
	CATALOG_OF_TARGET = 0,
	CATALOG_OF_SVM = 1,
	CATALOG_OF_DISCOVERY = 2,
};

enum catalog_credential_type {
	CATALOG_CHAP = 0,
	CATALOG_NONE = 1,
	CATALOG_DENY = 2,
};

enum catalog_origin {
	CATALOG_FROM_NATIVE = 1,
	CATALOG_FROM_AWS = 2,
	CATALOG_FROM_ONTAP = 3,
};

/* A secret in clear, somewhere else. NULL bytes: none. */
struct catalog_secret {
	const uint8_t *bytes;
	size_t len;
};

/* Text may be NULL when given, which means ""; when loaded it never is. */
struct catalog_credential {
	enum catalog_scope scope;
	const char *scope_name; /* target, SVM, or "" for discovery */
	const char *initiator;
	enum catalog_credential_type type;
	const char *in_user;
	struct catalog_secret in_secret;  /* proves the initiator */
	struct catalog_secret old_secret; /* also taken until old_until */
	struct catalog_secret old_out_secret;
	int64_t old_until; /* seconds since 1970, as all times in the catalog */
	const char *out_user;
	struct catalog_secret out_secret; /* proves the target */
	const char *sources;              /* address ranges, in the words of who wrote them */
	enum catalog_origin origin;
	const char *written_by;
	int64_t created, changed;
};

/* All below: inside a request's run(). */

/* Adds the row, or replaces the one with its scope and initiator, of which `created` stays. Borrows
 * *c for the call. 0 or -errno; -EINVAL for a secret longer than CATALOG_SECRET_MAX. */
int catalog_credential_put(struct catalog_tx *tx, const struct catalog_credential *c);

/* 0, -ENOENT when there is no such row, or -errno. */
int catalog_credential_remove(struct catalog_tx *tx, enum catalog_scope scope,
	const char *scope_name, const char *initiator);

/* Calls row() for every row, in the order of scope and initiator, until it gives another value than
 * 0, which is then what this gives. What it is shown, secrets in clear, is gone when it returns.
 * -EBADMSG: a secret was tampered with. */
int catalog_credential_load(struct catalog_tx *tx,
	int (*row)(const struct catalog_credential *c, void *arg), void *arg);

#endif
