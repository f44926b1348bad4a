/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transactions. A full disk or a failing one ends a transaction as a whole; what was in it
 * with others is then tried again alone, so that none fails for what another wanted.
 */
#include "catalog/tx.h"

#include <errno.h>

#include "base/log.h"
#include "catalog/refuse.h"

/* Says why in the request, where its function has not. */
static void explain(struct catalog_tx *tx, struct catalog_request *r)
{
	if (r->why.text[0])
		return;
	refuse_db(&r->why, db_failed(tx->db), tx->db);
}

/* A failure of the machine's, which concerns more than the request that met it. */
static void log_failure(const struct catalog_request *r)
{
	static const int grave[] = { -ENOSPC, -EIO, -EUCLEAN, -ENOMEM, -EBUSY, -EROFS, -EACCES,
		-ESTALE };

	for (size_t i = 0; i < sizeof(grave) / sizeof(grave[0]); i++)
		if (r->err == grave[i])
			log_msg(LOG_ERR, "%s", r->why.text);
}

static void roll_back(struct catalog_tx *tx)
{
	/* Nothing that could go wrong here leaves the transaction open and anything of it valid. */
	if (db_in_transaction(tx->db))
		sqlite3_exec(db_handle(tx->db), "ROLLBACK", NULL, NULL, NULL);
}

static int begin(struct catalog_tx *tx)
{
	int err = db_check_place(tx->db);

	return err ? err : db_exec(tx->db, "BEGIN IMMEDIATE");
}

int tx_begin(struct catalog_tx *tx, struct catalog_request *r)
{
	int err = begin(tx);

	if (err)
		explain(tx, r);
	return err;
}

int tx_finish(struct catalog_tx *tx, struct catalog_request *r, int err)
{
	if (!err) {
		err = db_exec(tx->db, "COMMIT");
		if (err)
			explain(tx, r);
	}
	if (err)
		roll_back(tx);
	return err;
}

int tx_enter(struct catalog_tx *tx)
{
	return db_exec(tx->db, "SAVEPOINT part");
}

int tx_leave(struct catalog_tx *tx, int err)
{
	int end = 0;

	if (!db_in_transaction(tx->db))
		return err ? err : -EIO; /* lost as a whole */
	if (err)
		end = db_exec(tx->db, "ROLLBACK TO part");
	if (!end)
		end = db_exec(tx->db, "RELEASE part");
	return err ? err : end;
}

int tx_attempt(struct catalog_tx *tx, struct catalog_request *r)
{
	int err;

	db_forgive(tx->db);
	r->why.text[0] = '\0';
	tx->why = &r->why;
	err = r->run(r, tx);
	if (!err)
		err = db_failed(tx->db); /* it did not look */
	if (err && err == db_failed(tx->db))
		explain(tx, r);
	return err;
}

static void carry_out_alone(struct catalog_tx *tx, struct catalog_request *r)
{
	r->why.text[0] = '\0';
	r->err = tx_begin(tx, r);
	if (!r->err)
		r->err = tx_finish(tx, r, tx_attempt(tx, r));
}

/* One request among others. False when the transaction is lost. */
static bool carry_out_among(struct catalog_tx *tx, struct catalog_request *r)
{
	if (db_exec(tx->db, "SAVEPOINT request"))
		return false;
	r->err = tx_attempt(tx, r);
	if (!db_in_transaction(tx->db))
		return false;
	if (r->err && db_exec(tx->db, "ROLLBACK TO request"))
		return false;
	return !db_exec(tx->db, "RELEASE request");
}

static bool carry_out_together(struct catalog_tx *tx, struct list *batch)
{
	bool kept = !begin(tx);

	list_for_each(it, batch) {
		if (!kept)
			break;
		kept = carry_out_among(tx, container_of(it, struct catalog_request, link));
	}
	kept = kept && !db_exec(tx->db, "COMMIT");
	if (!kept)
		roll_back(tx);
	return kept;
}

void tx_carry_out(struct catalog_tx *tx, struct list *batch)
{
	bool several = batch->next != batch->prev;
	bool together = several && carry_out_together(tx, batch);

	list_for_each(it, batch) {
		struct catalog_request *r = container_of(it, struct catalog_request, link);

		if (!together)
			carry_out_alone(tx, r);
		log_failure(r);
	}
}
