/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The credential table in force: what the configuration file declares, and what was made through
 * an API. Where the two cannot both be, the file wins.
 */
#ifndef REGISTRY_CREDENTIALS_H
#define REGISTRY_CREDENTIALS_H

#include "registry/registry.h"

/* A row that was made through an API and that the file stands in the way of. */
struct displaced {
	const struct credential *row; /* of the stored table */
	const struct config_credential *by;
};

/*
 * Makes the table in force: the rows that the file declares, and of the stored ones (NULL: none)
 * those that go with them. Of a stored row with the scope and initiator of one of the file, or one
 * that has a secret of the file for the other direction, each() is told; it may be NULL.
 * 0 and *out with one reference, or -errno with faults added.
 */
int credentials_build(const struct table *stored, const struct config *cfg,
	void (*each)(void *arg, const struct displaced *d), void *arg, const struct table **out,
	struct faults *faults);

/* Whether a login that a target let in could be one that it refuses as it is in another configuration:
 * a row is gone or another one now, CHAP was turned on, or it is in another SVM. */
bool credentials_tightened(const struct config *was, const struct config_target *before,
	const struct config *is, const struct config_target *after);

#endif
