/* SPDX-License-Identifier: BSD-2-Clause */
/* Client tokens. */
#include "catalog/token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/tx.h"

int catalog_token_add(struct catalog_tx *tx, const struct catalog_token *t)
{
	struct query q = db_query(tx->db, "INSERT INTO token (scope, token, hash, answer, expires)"
					  " VALUES (?, ?, ?, ?, ?)");

	db_bind_text(&q, t->scope);
	db_bind_text(&q, t->token);
	db_bind_blob(&q, t->hash, sizeof(t->hash));
	db_bind_text(&q, t->answer);
	db_bind_int(&q, t->expires);
	return db_run(&q);
}

static int read_row(struct query *q, uint8_t hash[static CATALOG_TOKEN_HASH], char **answer)
{
	size_t len;
	const void *bytes = db_get_blob(q, &len);

	if (!bytes || len != CATALOG_TOKEN_HASH)
		return -EUCLEAN;
	memcpy(hash, bytes, len);
	*answer = strdup(db_get_text(q));
	return *answer ? 0 : -ENOMEM;
}

int catalog_token_find(struct catalog_tx *tx, const char *scope, const char *token, int64_t now,
	uint8_t hash[static CATALOG_TOKEN_HASH], char **answer)
{
	struct query q = db_query(tx->db, "SELECT hash, answer FROM token"
					  " WHERE scope = ? AND token = ? AND expires > ?");
	int err = -ENOENT, end;

	db_bind_text(&q, scope);
	db_bind_text(&q, token);
	db_bind_int(&q, now);
	if (db_row(&q))
		err = read_row(&q, hash, answer);
	end = db_end(&q);
	return end ? end : err;
}

int catalog_token_remove(struct catalog_tx *tx, const char *scope, const char *token)
{
	struct query q = db_query(tx->db, "DELETE FROM token WHERE scope = ? AND token = ?");

	db_bind_text(&q, scope);
	db_bind_text(&q, token);
	return db_run(&q);
}

int catalog_token_expire(struct catalog_tx *tx, int64_t now)
{
	struct query q = db_query(tx->db, "DELETE FROM token WHERE expires <= ?");

	db_bind_int(&q, now);
	return db_run(&q);
}
