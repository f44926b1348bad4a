/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The key in force, from the first start to the change of it. Sealed values are rewritten by
 * the database itself, through a function of ours, in one statement for each table.
 */
#include "catalog/rekey.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "catalog/refuse.h"

/* --- every sealed value --------------------------------------------------------------------- */

/* The arguments are those of struct seal_place, and the value. */
enum { ARG_TABLE, ARG_COLUMN, ARG_ROW, ARG_VALUE = ARG_ROW + 3, ARGS };

#define RESEAL(column) \
	column " = reseal('credential', '" column "', scope_kind, scope, initiator, " column ")"

// clang-format off
static const char reseal_all[] =
	"UPDATE credential SET "
	RESEAL("in_secret") ", "
	RESEAL("old_secret") ", "
	RESEAL("old_out_secret") ", "
	RESEAL("out_secret");
// clang-format on

static const char any_sealed[] =
	"SELECT EXISTS (SELECT 1 FROM credential WHERE"
	" in_secret IS NOT NULL OR old_secret IS NOT NULL OR old_out_secret IS NOT NULL"
	" OR out_secret IS NOT NULL)";

static const char *argument(sqlite3_value **args, int which)
{
	const char *text = (const char *)sqlite3_value_text(args[which]);

	return text ? text : "";
}

/* The value under the first key of the ring; sets *out, which the caller frees. */
static int reseal_value(const struct seal_ring *ring, const struct seal_place *place,
	const void *sealed, size_t len, uint8_t **out)
{
	size_t room = len > SEAL_OVERHEAD ? len : SEAL_OVERHEAD, n = 0;
	uint8_t *plain = malloc(room), *anew = malloc(room);
	int err = plain && anew ? unseal(ring, place, sealed, len, plain, &n) : -ENOMEM;

	if (!err)
		err = seal(&ring->keys[0], place, plain, n, anew);
	if (plain)
		OPENSSL_cleanse(plain, room);
	free(plain);
	if (err) {
		free(anew);
		return err;
	}
	*out = anew;
	return 0;
}

static void reseal(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	const struct seal_ring *ring = sqlite3_user_data(ctx);
	struct seal_place place = {
		.table = argument(args, ARG_TABLE),
		.column = argument(args, ARG_COLUMN),
		.row = { argument(args, ARG_ROW), argument(args, ARG_ROW + 1),
			argument(args, ARG_ROW + 2) },
	};
	const void *sealed = sqlite3_value_blob(args[ARG_VALUE]);
	int len = sqlite3_value_bytes(args[ARG_VALUE]);
	uint8_t *anew = NULL;

	(void)n;
	if (sqlite3_value_type(args[ARG_VALUE]) == SQLITE_NULL)
		return;
	if (reseal_value(ring, &place, sealed, (size_t)len, &anew))
		sqlite3_result_error(ctx, "a stored secret cannot be decrypted", -1);
	else
		sqlite3_result_blob(ctx, anew, len, free);
}

static int reseal_tables(struct db *db, struct seal_ring *ring)
{
	int rc = sqlite3_create_function_v2(db_handle(db), "reseal", ARGS,
		SQLITE_UTF8 | SQLITE_DIRECTONLY, ring, reseal, NULL, NULL, NULL);
	int err = rc == SQLITE_OK ? db_exec(db, reseal_all) : -ENOMEM;

	sqlite3_create_function_v2(
		db_handle(db), "reseal", ARGS, SQLITE_UTF8, NULL, NULL, NULL, NULL, NULL);
	return err;
}

/* --- the key that the database is under ----------------------------------------------------- */

static int read_id(struct db *db, uint8_t id[static SEAL_ID_SIZE])
{
	struct query q = db_query(db, "SELECT id FROM secret_key");
	bool found = false;
	size_t len;

	if (db_row(&q)) {
		const void *bytes = db_get_blob(&q, &len);

		found = len == SEAL_ID_SIZE;
		if (found)
			memcpy(id, bytes, len);
	}
	return db_end(&q) ? q.err : found ? 0 : -ENOENT;
}

static int write_id(struct db *db, const uint8_t id[static SEAL_ID_SIZE])
{
	struct query q = db_query(db, "INSERT OR REPLACE INTO secret_key VALUES (1, ?)");

	db_bind_blob(&q, id, SEAL_ID_SIZE);
	return db_run(&q);
}

/* In a transaction: everything goes under the first key of the ring. */
static int change(struct db *db, struct seal_ring *ring)
{
	int err = reseal_tables(db, ring);

	return err ? err : write_id(db, ring->keys[0].id);
}

/* --- at start ------------------------------------------------------------------------------- */

static int make_key(const struct keys *keys, struct seal_ring *ring, struct catalog_error *why)
{
	ring->n = 1;
	if (seal_key_generate(&ring->keys[0]))
		return refuse(why, -EIO, "the random number generator failed");
	return keys_write(keys, ring, why);
}

/* The second key has had its time. */
static void drop_old(struct catalog_tx *tx, const struct keys *keys)
{
	struct catalog_error why;

	OPENSSL_cleanse(&tx->ring.keys[1], sizeof(tx->ring.keys[1]));
	tx->ring.n = 1;
	if (!keys->ours)
		log_msg(LOG_NOTICE,
			"%s: all stored secrets are under the first key; the second "
			"may be taken out",
			keys->path);
	else if (keys_write(keys, &tx->ring, &why))
		log_msg(LOG_WARNING, "%s; the old key is left in it", why.text);
}

/* Nothing is encrypted yet, so any key will do. A key of ours is made with the first catalog, so that
 * beside a new one it is what is left of a catalog that somebody has removed or emptied. */
static int adopt(
	struct catalog_tx *tx, const struct keys *keys, bool fresh, struct catalog_error *why)
{
	int err = keys_read(keys, &tx->ring, why);

	if (!err && fresh && keys->ours)
		log_msg(LOG_WARNING,
			"%s: the catalog beside this key is new and empty: credentials, volumes "
			"and tapes that were made while a server ran are not known any more; "
			"bring it back from a backup",
			keys->path);
	if (err == -ENOKEY && keys->ours)
		err = make_key(keys, &tx->ring, why);
	if (err)
		return err;
	err = write_id(tx->db, tx->ring.keys[0].id);
	if (err)
		return refuse_db(why, err, tx->db);
	if (tx->ring.n > 1)
		drop_old(tx, keys);
	return 0;
}

/* What is under the old key is to leave the disk before the old key does. */
static void settle(struct catalog_tx *tx, const struct keys *keys)
{
	tx->stale_secrets = db_checkpoint(tx->db) != 0;
	drop_old(tx, keys);
}

static void swap_keys(struct seal_ring *ring)
{
	struct seal_key first = ring->keys[0];

	ring->keys[0] = ring->keys[1];
	ring->keys[1] = first;
	OPENSSL_cleanse(&first, sizeof(first));
}

/* A change of the key that did not get as far as its transaction. When it fails again the server
 * serves with the old key. */
static void finish(struct catalog_tx *tx, const struct keys *keys)
{
	int err = db_exec(tx->db, "BEGIN IMMEDIATE");

	if (!err)
		err = change(tx->db, &tx->ring);
	if (!err)
		err = db_exec(tx->db, "COMMIT");
	if (err) {
		log_msg(LOG_WARNING, "%s: secrets stay under the second key: %s", keys->path,
			db_why(tx->db));
		if (db_in_transaction(tx->db))
			sqlite3_exec(db_handle(tx->db), "ROLLBACK", NULL, NULL, NULL);
		db_forgive(tx->db);
		swap_keys(&tx->ring);
		return;
	}
	log_msg(LOG_NOTICE, "%s: stored secrets have a new key", keys->path);
	settle(tx, keys);
}

/* The key of the recorded fingerprint is to be found. */
static int take_up(struct catalog_tx *tx, const struct keys *keys,
	const uint8_t id[static SEAL_ID_SIZE], struct catalog_error *why)
{
	const struct seal_key *present;
	int err = keys_read(keys, &tx->ring, why);

	if (err == -ENOKEY)
		return refuse(why, err,
			"%s: the key that stored secrets are encrypted with is not "
			"there; bring it back from a backup",
			keys->path);
	if (err)
		return err;
	present = seal_ring_find(&tx->ring, id);
	if (!present)
		return refuse(why, -EKEYREJECTED,
			"%s: stored secrets are encrypted with another key; bring that one back, "
			"or put it behind this one in the same file (64 bytes) and they "
			"are encrypted anew",
			keys->path);
	if (present != &tx->ring.keys[0])
		finish(tx, keys);
	else if (tx->ring.n > 1)
		drop_old(tx, keys);
	return 0;
}

int rekey_start(struct catalog_tx *tx, const struct keys *keys, struct catalog_error *why)
{
	uint8_t id[SEAL_ID_SIZE];
	int64_t sealed = 0;
	int err = read_id(tx->db, id);

	if (!err)
		err = db_exec_int(tx->db, any_sealed, &sealed);
	if (!err && sealed)
		return take_up(tx, keys, id, why);
	if (!err || err == -ENOENT)
		return adopt(tx, keys, err == -ENOENT, why);
	return refuse_db(why, err, tx->db);
}

/* --- while running -------------------------------------------------------------------------- */

/* A change that failed may still turn out to have reached the disk after the next crash, so its key
 * stays in the file, and is the one that the next change takes. */
static int next_of_ours(const struct catalog_tx *tx, const struct keys *keys,
	struct seal_ring *next, struct catalog_error *why)
{
	next->n = 2;
	next->keys[1] = tx->ring.keys[0];
	if (tx->ring.n > 1)
		next->keys[0] = tx->ring.keys[1];
	else if (seal_key_generate(&next->keys[0]))
		return refuse(why, -EIO, "the random number generator failed");
	return keys_write(keys, next, why);
}

static int next_of_theirs(const struct catalog_tx *tx, const struct keys *keys,
	struct seal_ring *next, struct catalog_error *why)
{
	const uint8_t *present = tx->ring.keys[0].id;
	int err = keys_read(keys, next, why);

	if (err)
		return err;
	if (!memcmp(next->keys[0].id, present, SEAL_ID_SIZE))
		return refuse(why, -EKEYREJECTED,
			"%s: this is the key in force; put a new one in "
			"front of it (64 bytes)",
			keys->path);
	if (!seal_ring_find(next, present))
		return refuse(why, -EKEYREJECTED,
			"%s: the key in force is not in it; it is to stay "
			"behind the new one (64 bytes) until this is done",
			keys->path);
	return 0;
}

static int change_with(struct catalog_tx *tx, struct seal_ring *next, struct catalog_request *r)
{
	int err = tx_begin(tx, r);

	if (err)
		return err;
	err = r->run ? tx_attempt(tx, r) : 0;
	if (!err) {
		err = change(tx->db, next);
		if (err)
			refuse_db(&r->why, err, tx->db);
	}
	return tx_finish(tx, r, err);
}

/* Whatever becomes of the transaction, both keys are at hand and in the file. */
static int change_to(struct catalog_tx *tx, const struct keys *keys, struct seal_ring *next,
	struct catalog_request *r)
{
	int err = change_with(tx, next, r);

	tx->ring = *next;
	if (err)
		swap_keys(&tx->ring);
	else
		settle(tx, keys);
	return err;
}

void rekey_carry_out(struct catalog_tx *tx, const struct keys *keys, struct catalog_request *r)
{
	struct seal_ring next = { .n = 0 };

	r->why.text[0] = '\0';
	db_forgive(tx->db);
	r->err = keys->ours ? next_of_ours(tx, keys, &next, &r->why)
			    : next_of_theirs(tx, keys, &next, &r->why);
	if (!r->err)
		r->err = change_to(tx, keys, &next, r);
	seal_ring_wipe(&next);
	if (r->err)
		log_msg(LOG_ERR, "the stored secrets keep their key: %s", r->why.text);
}
