/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the credential table that the configuration file declares. */
#ifndef REGISTRY_CREDENTIALS_H
#define REGISTRY_CREDENTIALS_H

#include "registry.h"

/*
 * Makes the table that follows `old`: without the rows of `before` (NULL: none), with those of
 * `after`, and with everything that others than the file have put there. 0 and *out with one
 * reference, or -errno with faults added.
 */
int credentials_replace(const struct table *old, const struct config *before,
	const struct config *after, const struct table **out, struct faults *faults);

/* Whether a login that `before` let in could be one that `after` refuses: a row is gone or another
 * one now, or CHAP was turned on. */
bool credentials_tightened(const struct config_target *before, const struct config_target *after);

#endif
