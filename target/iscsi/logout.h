/* SPDX-License-Identifier: BSD-2-Clause */
/* Logout (RFC 7143 11.14, 11.15): of a session, or of one of its connections. */
#ifndef ISCSI_LOGOUT_H
#define ISCSI_LOGOUT_H

#include <stdbool.h>

#include "iscsi/pdu.h"

struct conn;
struct session;

/* A Logout Request whose turn has come. What logs out falls silent and its commands end; the answer
 * follows when they have, or when that takes too long. NULL, or why the request is a protocol
 * error. */
const char *logout_request(struct conn *c, const struct logout_req *p);

/* Whether one of the whole session has not been answered: nobody joins it any more. */
bool logout_waits(const struct session *s);

/* Task management or a command of the session has ended: perhaps a logout has waited for it. */
void logout_turn(struct session *s);

#endif
