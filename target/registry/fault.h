/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults that the registry finds, with the line of the configuration that they come from. */
#ifndef REGISTRY_FAULT_H
#define REGISTRY_FAULT_H

#include "chap/table_edit.h"
#include "config/config.h"
#include "config/faults.h"

/* Adds a fault at the place of `member` (NULL: the file as a whole), and gives err back, so that a
 * refusal is one statement. */
int registry_fault(struct faults *faults, const struct config *cfg, const void *member, int err,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* What a fault of the credential table is as -errno. */
int registry_fault_errno(enum table_fault fault);

#endif
