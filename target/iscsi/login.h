/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The login phase of a connection (RFC 7143 section 6, 11.12, 11.13): who the
 * initiator is, whether it may come in, and what the two sides agree on.
 *
 * A login goes on within one snapshot of the directory and one deadline. It holds what
 * is needed for it alone; with the full feature phase it is gone.
 */
#ifndef ISCSI_LOGIN_H
#define ISCSI_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

struct addr;
struct conn;
struct directory;
struct login;
struct reactor;

/* Longest data segment of a Login Request: the default of MaxRecvDataSegmentLength (13.12). */
#define LOGIN_DATA_MAX 8192u

/* For a connection on this reactor; sees the reactor's present directory. NULL: out of memory. */
struct login *login_new(struct reactor *r);
void login_free(struct login *l);            /* NULL is fine */

/* A header has come (c->bhs); and the PDU has come whole. */
void login_begin(struct conn *c);
void login_end(struct conn *c);

/* The data segment of a Login Request is longer than it may be. */
void login_too_long(struct conn *c);

/* The initiator's and the target's name, as far as they are known; else "". */
const char *login_initiator(const struct login *l);
const char *login_target(const struct login *l);

/* Whether this directory forbids such a login, however it may prove itself. A target that it does
 * not know is none of this function's business. */
bool login_forbidden(const struct directory *d, const char *target, const char *initiator,
		     const struct addr *from);

/* Whether the target has answered the initiator's challenge: one who leaves then may not have liked
 * the answer. */
bool login_gave_proof(const struct login *l);

/* Another directory is in force now. False: what this login relies on (its target, its credential)
 * is not in it, and it must not go on. A credential that has another in its place is no loss as
 * long as what the login has proved would be taken with that one, too. */
bool login_still_valid(struct conn *c, const struct directory *now);
/* The same; and a login that has not said yet who it is goes on with the new directory. */
bool login_take_directory(struct conn *c, struct directory *now);

#endif
