/* SPDX-License-Identifier: BSD-2-Clause */
/* Task management (RFC 7143 11.5, 11.6; SAM-5 clause 7). */
#ifndef ISCSI_TMF_H
#define ISCSI_TMF_H

#include <stdbool.h>

#include "iscsi/pdu.h"

struct conn;
struct session;

/* A Task Management Function Request whose turn has come. It is answered once every task that it
 * concerns has ended. */
void tmf_request(struct conn *c, const struct tmf_req *p);

/* A command of the session has ended: perhaps the one that a request waits for. */
void tmf_cmd_ended(struct session *s);

/* ExpCmdSN has moved: perhaps a request has waited for commands that were sent before it. */
void tmf_turn(struct session *s);

/* Whether there is a request that has begun and has not been answered. */
bool tmf_under_way(const struct session *s);

/* The connection leaves the session: its requests that have not begun are forgotten. */
void tmf_drop(struct session *s, const struct conn *c);

#endif
