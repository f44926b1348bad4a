/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Client tokens: what was answered to a request that its sender may repeat, so that the repetition
 * is answered alike and not done twice. The answer is kept in the transaction of what was done.
 */
#ifndef CATALOG_TOKEN_H
#define CATALOG_TOKEN_H

#include "catalog/catalog.h"

#define CATALOG_TOKEN_HASH 32

struct catalog_token {
	const char *scope; /* among whose tokens: the operation, the gateway */
	const char *token;
	uint8_t hash[CATALOG_TOKEN_HASH]; /* of the request, to tell a repetition from another */
	const char *answer;               /* in the words of whoever keeps it */
	int64_t expires;                  /* seconds since 1970; gone from that second on */
};

/* All: inside a request's run(). */

/* 0, -EEXIST when the scope has this token (expired or not), or -errno. */
int catalog_token_add(struct catalog_tx *tx, const struct catalog_token *t);
/* Finds one that has not expired at `now`: hash into *hash, and the answer into *answer, which the
 * caller frees. 0, -ENOENT or -errno. */
int catalog_token_find(struct catalog_tx *tx, const char *scope, const char *token, int64_t now,
	uint8_t hash[static CATALOG_TOKEN_HASH], char **answer);
/* 0 also when there is none. */
int catalog_token_remove(struct catalog_tx *tx, const char *scope, const char *token);
/* Removes those that have expired at `now`. 0 or -errno. */
int catalog_token_expire(struct catalog_tx *tx, int64_t now);

#endif
