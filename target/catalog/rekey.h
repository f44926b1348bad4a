/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing the key. First a file with both keys, then the transaction, then a file with the new
 * one alone: the database says under which key it is, and at each moment the file has that one.
 */
#ifndef CATALOG_REKEY_H
#define CATALOG_REKEY_H

#include "catalog/keys.h"
#include "catalog/tx.h"

/* At start: finds the key that the database is under, makes one where nothing is kept yet, and
 * finishes a change that was interrupted. Fills tx->ring. 0 or -errno with *why filled. */
int rekey_start(struct catalog_tx *tx, const struct keys *keys, struct catalog_error *why);

/* Carries out a request of catalog_rekey() and sets how it ended. */
void rekey_carry_out(struct catalog_tx *tx, const struct keys *keys, struct catalog_request *r);

#endif
