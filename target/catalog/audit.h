/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who changed what, and when. An entry is added in the transaction of the change that it tells
 * of, so that there is none without the other. The oldest go when there are more than the
 * catalog is to keep.
 */
#ifndef CATALOG_AUDIT_H
#define CATALOG_AUDIT_H

#include "catalog/catalog.h"

/* Never a secret in any of it. Text may be NULL when given, which means "". */
struct catalog_audit {
	int64_t id;         /* set by the catalog: rises, and is never used twice */
	int64_t time;       /* seconds since 1970; 0 when given: now */
	const char *who;    /* "uid 0", "aws:AKIA…", "ontap:admin@192.0.2.1" */
	const char *what;   /* a verb and its noun: "put credential" */
	const char *object; /* what it was done to: a target, a volume, an initiator */
	const char *detail; /* JSON */
	const char *result; /* "done", or why not */
};

/* Inside a request's run(). 0 or -errno. */
int catalog_audit_add(struct catalog_tx *tx, const struct catalog_audit *a);

/* Which entries are wanted; all zero is the newest hundred. */
struct catalog_audit_query {
	int64_t before;     /* only those with an id below this; 0: from the newest */
	const char *object; /* only those with exactly this text; NULL: all */
	uint32_t limit;     /* at most so many; 0: 100 */
};

/* Inside a request's run(): calls row() for each entry, newest first, until it gives another value
 * than 0, which is then what this gives. The next page begins before the last id of this one. */
int catalog_audit_list(struct catalog_tx *tx, const struct catalog_audit_query *which,
	int (*row)(const struct catalog_audit *a, void *arg), void *arg);

#endif
