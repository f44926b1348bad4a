/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The members of a request's body, by a table. What a body may not be is refused here, in words that
 * name members by the table and never by the body, which may hold a secret in any place.
 */
#ifndef MGMT_NATIVE_BODY_H
#define MGMT_NATIVE_BODY_H

#include "mgmt/call.h"

enum body_kind { BODY_TEXT, BODY_BOOL, BODY_NUMBER, BODY_LIST_OF_TEXT };

struct body_member {
	const char *name;
	enum body_kind kind;
};

/* Whether the body of c has members of this table alone, each of its kind; null is as if it were
 * not there. If not, the call has been refused. */
bool body_check(struct call *c, const struct body_member *members, size_t n);

/* Whether the body has this member. If not, the call has been refused. */
bool body_needs(struct call *c, const char *name);

/* A member of a body that was checked; NULL: it is not there. */
const json_t *body_get(const struct call *c, const char *name);
/* NULL: not there. */
const char *body_text(const struct call *c, const char *name);
bool body_true(const struct call *c, const char *name);
/* 0: not there. */
json_int_t body_number(const struct call *c, const char *name);

#endif
