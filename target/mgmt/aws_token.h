/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Client tokens: a request that makes something and is sent again with the same token gets the
 * answer of the first, and makes nothing more. What was answered is kept in the catalog for a week,
 * with a digest of the request, as another request must not come with the token.
 */
#ifndef MGMT_AWS_TOKEN_H
#define MGMT_AWS_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "mgmt/aws_request.h"
#include "registry/registry.h"

struct aws_token {
	const char *token; /* NULL: the request has none; borrowed from it */
	char scope[64];    /* the operation and the gateway, among whose tokens it is */
	uint8_t hash[CATALOG_TOKEN_HASH];
	char *answer; /* that was kept with it; NULL: none was found */
	bool repeats; /* that was the answer to this same request */
};

/* The token of a request, which has to live longer. False: there is no memory for it. */
bool aws_token_of(struct aws_token *t, const struct aws_request *q, const char *operation);
/* Frees the answer; harmless where there is none. */
void aws_token_free(struct aws_token *t);

/* On the catalog's thread, inside a request's run(). */

/* Looks for it, and sets answer and repeats. 0, -ENOENT or -errno. */
int aws_token_find(struct aws_token *t, struct catalog_tx *tx);
/* 0, -EEXIST when another has kept one meanwhile, or -errno. */
int aws_token_keep(const struct aws_token *t, struct catalog_tx *tx, const char *answer);
int aws_token_forget(const struct aws_token *t, struct catalog_tx *tx);

#endif
