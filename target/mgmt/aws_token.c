/* SPDX-License-Identifier: BSD-2-Clause */
/* Client tokens: see aws_token.h. */
#include "mgmt/aws_token.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOKEN_SECONDS (7 * 86400)

/* The same whatever the order of the members, and however a text is escaped. */
static bool hash_request(const struct aws_request *q, uint8_t hash[static CATALOG_TOKEN_HASH])
{
	char *text = json_dumps(q->body, JSON_COMPACT | JSON_SORT_KEYS);
	bool ok = text && EVP_Digest(text, strlen(text), hash, NULL, EVP_sha256(), NULL) == 1;

	free(text);
	return ok;
}

bool aws_token_of(struct aws_token *t, const struct aws_request *q, const char *operation)
{
	*t = (struct aws_token){ .token = aws_member_text(q, "ClientToken") };
	snprintf(t->scope, sizeof(t->scope), "%s/%s", operation, aws_gateway(q)->gateway);
	return hash_request(q, t->hash);
}

void aws_token_free(struct aws_token *t)
{
	free(t->answer);
	t->answer = NULL;
}

int aws_token_find(struct aws_token *t, struct catalog_tx *tx)
{
	uint8_t hash[CATALOG_TOKEN_HASH];
	int err;

	aws_token_free(t);
	err = catalog_token_find(tx, t->scope, t->token, time(NULL), hash, &t->answer);
	t->repeats = !err && !memcmp(hash, t->hash, sizeof(hash));
	return err;
}

int aws_token_keep(const struct aws_token *t, struct catalog_tx *tx, const char *answer)
{
	int64_t now = time(NULL);
	struct catalog_token row = {
		.scope = t->scope,
		.token = t->token,
		.answer = answer,
		.expires = now + TOKEN_SECONDS,
	};
	int err = catalog_token_expire(tx, now);

	memcpy(row.hash, t->hash, sizeof(row.hash));
	return err ? err : catalog_token_add(tx, &row);
}

int aws_token_forget(const struct aws_token *t, struct catalog_tx *tx)
{
	return catalog_token_remove(tx, t->scope, t->token);
}
