/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One script for each version of the database: the n-th turns version n-1 into n, and never
 * changes once released. What a column means is said in the header of its kind of row.
 * Text is never NULL; times are seconds since 1970, 0 for never.
 */
#include "catalog/schema.h"

#include <errno.h>
#include <stdio.h>

#include "catalog/refuse.h"

#define APPLICATION_ID 0x43536967 /* "CSig": what file(1) and we know the database by */

static const char version_1[] =
	/* Under which key secrets are: its fingerprint. */
	"CREATE TABLE secret_key ("
	"	one INTEGER PRIMARY KEY CHECK (one = 1),"
	"	id BLOB NOT NULL"
	") STRICT;"

	"CREATE TABLE credential ("
	"	scope_kind INTEGER NOT NULL CHECK (scope_kind BETWEEN 0 AND 2),"
	"	scope TEXT NOT NULL,"
	"	initiator TEXT NOT NULL,"
	"	type INTEGER NOT NULL CHECK (type BETWEEN 0 AND 2),"
	"	in_user TEXT NOT NULL,"
	"	in_secret BLOB," /* sealed, as the other three */
	"	old_secret BLOB,"
	"	old_out_secret BLOB,"
	"	old_until INTEGER NOT NULL,"
	"	out_user TEXT NOT NULL,"
	"	out_secret BLOB,"
	"	sources TEXT NOT NULL,"
	"	origin INTEGER NOT NULL CHECK (origin BETWEEN 1 AND 3),"
	"	written_by TEXT NOT NULL,"
	"	created INTEGER NOT NULL,"
	"	changed INTEGER NOT NULL,"
	"	PRIMARY KEY (scope_kind, scope, initiator)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE audit ("
	"	id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"	time INTEGER NOT NULL,"
	"	who TEXT NOT NULL,"
	"	what TEXT NOT NULL,"
	"	object TEXT NOT NULL,"
	"	detail TEXT NOT NULL,"
	"	result TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX audit_object ON audit (object);"

	"CREATE TABLE reservation ("
	"	unit BLOB PRIMARY KEY CHECK (length(unit) = 16),"
	"	generation INTEGER NOT NULL,"
	"	type INTEGER NOT NULL,"
	"	scope INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE registrant ("
	"	unit BLOB NOT NULL REFERENCES reservation ON DELETE CASCADE,"
	"	initiator TEXT NOT NULL,"
	"	port INTEGER NOT NULL,"
	"	key BLOB NOT NULL CHECK (length(key) = 8),"
	"	holder INTEGER NOT NULL,"
	"	PRIMARY KEY (unit, initiator, port)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE volume ("
	"	id TEXT PRIMARY KEY,"
	"	gateway TEXT NOT NULL,"
	"	kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 1),"
	"	pool TEXT NOT NULL,"
	"	file TEXT NOT NULL,"
	"	disk TEXT NOT NULL,"
	"	size INTEGER NOT NULL,"
	"	block_size INTEGER NOT NULL,"
	"	target TEXT NOT NULL,"
	"	lun INTEGER NOT NULL,"
	"	portal TEXT NOT NULL,"
	"	attached INTEGER NOT NULL,"
	"	read_only INTEGER NOT NULL,"
	"	preserved INTEGER NOT NULL,"
	"	created INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE UNIQUE INDEX volume_file ON volume (pool, file) WHERE kind = 0;"
	"CREATE UNIQUE INDEX volume_target ON volume (target, lun) WHERE attached;"
	"CREATE TABLE disk ("
	"	gateway TEXT NOT NULL,"
	"	id TEXT NOT NULL,"
	"	use TEXT NOT NULL,"
	"	volume TEXT REFERENCES volume ON DELETE CASCADE," /* NULL: serves otherwise */
	"	PRIMARY KEY (gateway, id)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX disk_volume ON disk (volume);"

	"CREATE TABLE tag ("
	"	resource TEXT NOT NULL,"
	"	key TEXT NOT NULL,"
	"	value TEXT NOT NULL,"
	"	PRIMARY KEY (resource, key)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE token ("
	"	scope TEXT NOT NULL,"
	"	token TEXT NOT NULL,"
	"	hash BLOB NOT NULL CHECK (length(hash) = 32),"
	"	answer TEXT NOT NULL,"
	"	expires INTEGER NOT NULL,"
	"	PRIMARY KEY (scope, token)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX token_expires ON token (expires);"

	/* Barcodes outlive their cartridges. */
	"CREATE TABLE barcode ("
	"	barcode TEXT PRIMARY KEY,"
	"	used INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE tape ("
	"	barcode TEXT PRIMARY KEY REFERENCES barcode,"
	"	library TEXT NOT NULL,"
	"	place_kind INTEGER NOT NULL CHECK (place_kind BETWEEN 0 AND 4),"
	"	place INTEGER NOT NULL,"
	"	source_kind INTEGER NOT NULL,"
	"	source INTEGER NOT NULL,"
	"	medium INTEGER NOT NULL,"
	"	cleaning INTEGER NOT NULL,"
	"	worm INTEGER NOT NULL,"
	"	write_protect INTEGER NOT NULL,"
	"	size INTEGER NOT NULL,"
	"	used INTEGER NOT NULL,"
	"	state TEXT NOT NULL,"
	"	pool TEXT NOT NULL,"
	"	retrieved_to TEXT NOT NULL,"
	"	created INTEGER NOT NULL,"
	"	pool_entered INTEGER NOT NULL,"
	"	retention_start INTEGER NOT NULL,"
	"	archived INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE UNIQUE INDEX tape_place ON tape (library, place_kind, place) WHERE place_kind > 0;"

	"CREATE TABLE setting ("
	"	name TEXT PRIMARY KEY,"
	"	value TEXT NOT NULL"
	") STRICT, WITHOUT ROWID;";

static const char version_2[] =
	/* Numbers of target ports. Before there were any, registrants had the portal group's. */
	"CREATE TABLE port ("
	"	target TEXT NOT NULL,"
	"	portal_group INTEGER NOT NULL,"
	"	id INTEGER NOT NULL UNIQUE CHECK (id BETWEEN 1 AND 65535),"
	"	PRIMARY KEY (target, portal_group)"
	") STRICT, WITHOUT ROWID;"
	"ALTER TABLE reservation ADD COLUMN by_group INTEGER NOT NULL DEFAULT 0;"
	"UPDATE reservation SET by_group = 1;";

static const char version_3[] =
	/* What initiators have saved of a unit's mode pages. */
	"CREATE TABLE mode_page ("
	"	unit BLOB NOT NULL CHECK (length(unit) = 16),"
	"	page INTEGER NOT NULL,"
	"	subpage INTEGER NOT NULL,"
	"	mask BLOB NOT NULL,"
	"	value BLOB NOT NULL CHECK (length(value) = length(mask)),"
	"	PRIMARY KEY (unit, page, subpage)"
	") STRICT, WITHOUT ROWID;";

static const char *const versions[] = { version_1, version_2, version_3 };

#define NEWEST ((int64_t)(sizeof(versions) / sizeof(versions[0])))

static int refuse_stranger(struct catalog_error *why)
{
	return refuse(why, -EUCLEAN, "this is a database, but not one of countersignd");
}

int schema_check(struct db *db, struct catalog_error *why)
{
	int64_t id, version, tables;
	int err = db_exec_int(db, "PRAGMA application_id", &id);

	if (!err)
		err = db_exec_int(db, "PRAGMA user_version", &version);
	if (!err)
		err = db_exec_int(db, "SELECT count(*) FROM sqlite_schema", &tables);
	if (err)
		return refuse(why, err, "%s", db_why(db));
	if (id != APPLICATION_ID && (id || version || tables))
		return refuse_stranger(why);
	if (version < 0)
		return refuse_stranger(why);
	if (version > NEWEST)
		return refuse(why, -ENOTSUP,
			"a newer countersignd made this (version %lld of the database; this server "
			"knows %lld); run that one, or bring back the catalog from a backup",
			(long long)version, (long long)NEWEST);
	return 0;
}

/* From the version before to `version`, all or nothing. */
static int step(struct db *db, int64_t version)
{
	char marks[96];
	int err = db_exec(db, "BEGIN IMMEDIATE");

	if (err)
		return err;
	snprintf(marks, sizeof(marks), "PRAGMA application_id = %d; PRAGMA user_version = %lld",
		APPLICATION_ID, (long long)version);
	err = db_exec(db, versions[version - 1]);
	if (!err)
		err = db_exec(db, marks);
	if (!err)
		err = db_exec(db, "COMMIT");
	if (err && db_in_transaction(db))
		sqlite3_exec(db_handle(db), "ROLLBACK", NULL, NULL, NULL);
	return err;
}

int schema_upgrade(struct db *db, struct catalog_error *why)
{
	int64_t version;
	int err = db_exec_int(db, "PRAGMA user_version", &version);

	while (!err && version < NEWEST)
		err = step(db, ++version);
	return err ? refuse(why, err, "%s", db_why(db)) : 0;
}
