/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The credential rows. A secret is sealed on its way in and opened on its way out, always into
 * memory of ours that is wiped before the call ends.
 */
#include "catalog/credential.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>

#include "catalog/refuse.h"
#include "catalog/tx.h"

enum { IN_SECRET, OLD_SECRET, OLD_OUT_SECRET, OUT_SECRET, SECRETS };

static const char *const columns[SECRETS] = { "in_secret", "old_secret", "old_out_secret",
	"out_secret" };

static const char put_sql[] =
	"INSERT INTO credential (scope_kind, scope, initiator, type, in_user, in_secret,"
	" old_secret, old_out_secret, old_until, out_user, out_secret, sources, origin,"
	" written_by, created, changed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	" ON CONFLICT (scope_kind, scope, initiator) DO UPDATE SET"
	" type = excluded.type, in_user = excluded.in_user, in_secret = excluded.in_secret,"
	" old_secret = excluded.old_secret, old_out_secret = excluded.old_out_secret,"
	" old_until = excluded.old_until,"
	" out_user = excluded.out_user, out_secret = excluded.out_secret,"
	" sources = excluded.sources, origin = excluded.origin,"
	" written_by = excluded.written_by, changed = excluded.changed";

static const char load_sql[] =
	"SELECT scope_kind, scope, initiator, type, in_user, in_secret, old_secret, old_out_secret,"
	" old_until, out_user, out_secret, sources, origin, written_by, created, changed"
	" FROM credential ORDER BY scope_kind, scope, initiator";

/* The place of one secret; `kind` has room for the scope's number. */
static struct seal_place place_of(const struct catalog_credential *c, int which, char kind[4])
{
	snprintf(kind, 4, "%u", (unsigned)c->scope % 100);
	return (struct seal_place){
		.table = "credential",
		.row = { kind, c->scope_name ? c->scope_name : "",
			c->initiator ? c->initiator : "" },
		.column = columns[which],
	};
}

/* --- writing -------------------------------------------------------------------------------- */

struct sealed {
	uint8_t bytes[CATALOG_SECRET_MAX + SEAL_OVERHEAD];
	size_t len; /* 0: there is none */
};

static int seal_one(struct catalog_tx *tx, const struct catalog_credential *c, int which,
	const struct catalog_secret *secret, struct sealed *out)
{
	char kind[4];
	struct seal_place place = place_of(c, which, kind);
	int err;

	out->len = 0;
	if (!secret->bytes)
		return 0;
	if (secret->len > CATALOG_SECRET_MAX)
		return -EINVAL;
	out->len = secret->len + SEAL_OVERHEAD;
	err = seal(&tx->ring.keys[0], &place, secret->bytes, secret->len, out->bytes);
	if (err)
		refuse(tx->why, err, "a secret cannot be encrypted: OpenSSL failed");
	return err;
}

static void bind_sealed(struct query *q, const struct sealed *s)
{
	db_bind_blob(q, s->len ? s->bytes : NULL, s->len);
}

static int put_row(struct db *db, const struct catalog_credential *c, const struct sealed *s)
{
	struct query q = db_query(db, put_sql);

	db_bind_int(&q, c->scope);
	db_bind_text(&q, c->scope_name);
	db_bind_text(&q, c->initiator);
	db_bind_int(&q, c->type);
	db_bind_text(&q, c->in_user);
	bind_sealed(&q, &s[IN_SECRET]);
	bind_sealed(&q, &s[OLD_SECRET]);
	bind_sealed(&q, &s[OLD_OUT_SECRET]);
	db_bind_int(&q, c->old_until);
	db_bind_text(&q, c->out_user);
	bind_sealed(&q, &s[OUT_SECRET]);
	db_bind_text(&q, c->sources);
	db_bind_int(&q, c->origin);
	db_bind_text(&q, c->written_by);
	db_bind_int(&q, c->created);
	db_bind_int(&q, c->changed);
	return db_run(&q);
}

int catalog_credential_put(struct catalog_tx *tx, const struct catalog_credential *c)
{
	struct sealed sealed[SECRETS];
	int err = seal_one(tx, c, IN_SECRET, &c->in_secret, &sealed[IN_SECRET]);

	if (!err)
		err = seal_one(tx, c, OLD_SECRET, &c->old_secret, &sealed[OLD_SECRET]);
	if (!err)
		err = seal_one(tx, c, OLD_OUT_SECRET, &c->old_out_secret, &sealed[OLD_OUT_SECRET]);
	if (!err)
		err = seal_one(tx, c, OUT_SECRET, &c->out_secret, &sealed[OUT_SECRET]);
	if (err)
		return err;
	tx->stale_secrets = true;
	return put_row(tx->db, c, sealed);
}

int catalog_credential_remove(struct catalog_tx *tx, enum catalog_scope scope,
	const char *scope_name, const char *initiator)
{
	struct query q = db_query(tx->db,
		"DELETE FROM credential WHERE scope_kind = ? AND scope = ? AND initiator = ?");

	db_bind_int(&q, scope);
	db_bind_text(&q, scope_name);
	db_bind_text(&q, initiator);
	tx->stale_secrets = true;
	return db_run_one(&q);
}

/* --- reading -------------------------------------------------------------------------------- */

/* The secrets of one row, in clear. */
struct opened {
	uint8_t bytes[SECRETS][CATALOG_SECRET_MAX];
};

static int open_one(const struct catalog_tx *tx, const struct catalog_credential *c, int which,
	struct query *q, uint8_t plain[static CATALOG_SECRET_MAX], struct catalog_secret *out)
{
	char kind[4];
	struct seal_place place = place_of(c, which, kind);
	size_t len;
	const void *sealed = db_get_blob(q, &len);
	int err;

	*out = (struct catalog_secret){ .bytes = NULL };
	if (!sealed)
		return 0;
	if (len > CATALOG_SECRET_MAX + SEAL_OVERHEAD)
		return -EBADMSG;
	err = unseal(&tx->ring, &place, sealed, len, plain, &out->len);
	if (!err)
		out->bytes = plain;
	return err == -ENOKEY ? -EBADMSG : err;
}

static int read_row(const struct catalog_tx *tx, struct query *q, struct opened *o,
	struct catalog_credential *c)
{
	int in, old, old_out, out;

	c->scope = (enum catalog_scope)db_get_int(q);
	c->scope_name = db_get_text(q);
	c->initiator = db_get_text(q);
	c->type = (enum catalog_credential_type)db_get_int(q);
	c->in_user = db_get_text(q);
	in = open_one(tx, c, IN_SECRET, q, o->bytes[IN_SECRET], &c->in_secret);
	old = open_one(tx, c, OLD_SECRET, q, o->bytes[OLD_SECRET], &c->old_secret);
	old_out = open_one(tx, c, OLD_OUT_SECRET, q, o->bytes[OLD_OUT_SECRET], &c->old_out_secret);
	c->old_until = db_get_int(q);
	c->out_user = db_get_text(q);
	out = open_one(tx, c, OUT_SECRET, q, o->bytes[OUT_SECRET], &c->out_secret);
	c->sources = db_get_text(q);
	c->origin = (enum catalog_origin)db_get_int(q);
	c->written_by = db_get_text(q);
	c->created = db_get_int(q);
	c->changed = db_get_int(q);
	return in ? in : old ? old : old_out ? old_out : out;
}

int catalog_credential_load(
	struct catalog_tx *tx, int (*row)(const struct catalog_credential *c, void *arg), void *arg)
{
	struct query q = db_query(tx->db, load_sql);
	struct catalog_credential c;
	struct opened opened;
	int err = 0, end;

	while (!err && db_row(&q)) {
		err = read_row(tx, &q, &opened, &c);
		if (err)
			refuse(tx->why, err,
				"a secret of initiator \"%.100s\" for \"%.100s\" was altered in "
				"the catalog; bring it back from a backup",
				c.initiator, c.scope_name);
		else
			err = row(&c, arg);
	}
	OPENSSL_cleanse(&opened, sizeof(opened));
	end = db_end(&q);
	return err ? err : end;
}
