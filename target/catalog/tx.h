/* SPDX-License-Identifier: BSD-2-Clause */
/* What a transaction has at hand; only files of this folder include this. The catalog's thread. */
#ifndef CATALOG_TX_H
#define CATALOG_TX_H

#include "catalog/db.h"
#include "catalog/seal.h"

struct catalog_tx {
	struct db *db;
	struct seal_ring ring; /* the first key is the one to use */
	uint32_t audit_rows;
	struct catalog_error *why; /* of the request under way */
	bool stale_secrets; /* the journal may hold sealed values that are replaced or gone */
};

/*
 * Carries out a list of requests (linked by `link`, none a rekey) and sets how each ended: in one
 * transaction, each behind a savepoint; or, when that cannot be written, each in one of its own.
 */
void tx_carry_out(struct catalog_tx *tx, struct list *batch);

/* Runs the request's function in the transaction under way, and gives what it is to end with; says
 * why in the request. */
int tx_attempt(struct catalog_tx *tx, struct catalog_request *r);

/* A part of a transaction that is done whole or not at all, so that whoever asked for it may go on
 * after a refusal. Not one within another. tx_leave() gives err, or why it cannot be kept. */
int tx_enter(struct catalog_tx *tx);
int tx_leave(struct catalog_tx *tx, int err);

/* Begins a transaction, or ends it: by COMMIT, or when err is not 0 by ROLLBACK. 0 or what err was,
 * or -errno, with r->why filled. */
int tx_begin(struct catalog_tx *tx, struct catalog_request *r);
int tx_finish(struct catalog_tx *tx, struct catalog_request *r, int err);

#endif
