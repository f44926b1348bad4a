/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The catalog: what the server has promised to remember, in state_dir/catalog.db.
 *
 * One thread of its own does all that touches the database. Others hand it requests, from
 * any loop, and learn on that loop how they ended: what has ended well is on stable storage.
 * Requests that come while a transaction is being written share the next one, and so its
 * fsync, but each succeeds or fails alone.
 *
 * What a request does is its own function, made of calls of the headers beside this one
 * (credential.h, audit.h, reservation.h, mode.h, volume.h, tag.h, token.h, tape.h, setting.h): all
 * of them together happen or none, an audit row with the change that it tells of. A single call
 * that fails has done nothing, so that run() may take another way after an -EEXIST or -ENOENT. The
 * functions that are called with each row of a table make no calls of the catalog themselves.
 *
 * Secrets are encrypted at rest (AES-256-GCM). The database never sees one in clear.
 */
#ifndef CATALOG_CATALOG_H
#define CATALOG_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/loop.h"
#include "catalog/state_dir.h"

struct catalog;
struct catalog_tx; /* a transaction under way: what run() is given, and good until it returns */

/* Why: a sentence for the administrator; no secret is ever in it. */
struct catalog_error {
	char text[320];
};

#define CATALOG_AUDIT_ROWS 100000

struct catalog_config {
	const struct state_dir *dir; /* whose lock we hold; borrowed until catalog_close() */
	const char *key_file;        /* the key, or NULL: see below */
	const char *credentials_dir; /* $CREDENTIALS_DIRECTORY, or NULL */
	uint32_t audit_rows;         /* how many are kept; 0: CATALOG_AUDIT_ROWS */
};

/*
 * Opens state_dir/catalog.db, making it (0600) where there is none, brings an older one up to
 * date, and starts the thread. After a crash the database is examined first. The key is
 *
 *	key_file, where it is given;
 *	credentials_dir/countersign-key, where that is a file (systemd's LoadCredential=);
 *	state_dir/key otherwise, which is made at the first start.
 *
 * A key is 32 bytes. A file of 64 is two keys, the one to use and the one that it replaces; secrets
 * that are still under the second are encrypted anew (see catalog_rekey()).
 *
 * 0 and *out, or -errno with *why filled and nothing destroyed:
 *	-EUCLEAN   the database is damaged, or is none of ours
 *	-ENOTSUP   a newer version of the server made it
 *	-EKEYREJECTED, -ENOKEY   the key is another than that of the secrets, or is not there
 *	others     as the system has it
 *
 * Blocks on the file system. Main thread, after the last fork() and change of user.
 */
int catalog_open(const struct catalog_config *cfg, struct catalog **out, struct catalog_error *why);

/* Carries out what is queued, ends the thread, closes. Each request's done() has been posted by
 * then, and its loop is to run, or be freed, after this. A loop that requests came from is freed
 * no sooner: the thread might still be telling it something. NULL is fine. Main thread. */
void catalog_close(struct catalog *c);

struct catalog_request {
	/*
	 * What is to be done, on the catalog's thread, in a transaction. 0, or -errno: then nothing
	 * of it has happened. It is called again, and begins anew, when a transaction that it
	 * shared could not be written; so it changes nothing but the catalog and *r, and starts
	 * from what *r was given. It must not wait for anything.
	 */
	int (*run)(struct catalog_request *r, struct catalog_tx *tx);
	/* On `home`, once; err and why say how it ended. */
	void (*done)(struct catalog_request *r);
	struct loop *home;
	int err;                  /* what run() gave, or -ENOSPC, -EIO… when it was not written */
	struct catalog_error why; /* where err is not 0; "" when run() refused without a word */
	struct list link;         /* private */
	struct loop_msg msg;      /* private */
	bool rekey;               /* private */
};

/* Any thread. The request is the caller's memory, and the catalog's until done() runs. Requests of
 * one thread are carried out in their order. Never fails. */
void catalog_submit(struct catalog *c, struct catalog_request *r);

/* The same for a thread that may wait: the main thread at start, where all is loaded. Gives what
 * fn gave, or why it was not written; `why` may be NULL. Never on a reactor, nor in a run(). */
int catalog_run(struct catalog *c, int (*fn)(struct catalog_tx *tx, void *arg), void *arg,
	struct catalog_error *why);

/*
 * Gives all secrets a new key, in one transaction, to which r->run adds what it has to say (an
 * audit row; it may be NULL). state_dir/key is replaced by a new random key. Where the key comes
 * from elsewhere, whoever rules that file puts the new key in front of the old one, and this call
 * takes it up: -EKEYREJECTED with a text when it finds none.
 *
 * Killed at any moment, the next start finds the key for what is in the catalog, and finishes.
 */
void catalog_rekey(struct catalog *c, struct catalog_request *r);

/*
 * For whoever keeps in memory what is in the catalog, as the catalog may have other writers one
 * day. True when somebody else than this server has written since the call that gave *generation;
 * then it is set anew, and what the caller loads in the same transaction is as of now. Begin
 * with 0, which is always true.
 */
bool catalog_changed_since(struct catalog_tx *tx, uint64_t *generation);

#endif
