/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a login: the connection becomes the first of a new session, or one more
 * of an old one (RFC 7143 6.3.1, 6.3.5, and 4.4.3 for the rules of ISID and TSIH).
 * Both may take another reactor: an old session of the same initiator port has to end
 * first, and a session may live elsewhere, whither the connection then moves.
 */
#ifndef ISCSI_JOIN_H
#define ISCSI_JOIN_H

struct conn;
struct login;
struct session;

/* The login has agreed on everything and wants the full feature phase. */
void join_begin(struct conn *c);

/* The login ends without it. */
void join_abandon(struct login *l);

/* The session is gone: those who wait for that are told. Called by session.c. */
void join_session_gone(struct session *s);

/* Connections or commands of the session have ended: logins with the CID of one may go on. */
void join_try_again(struct session *s);

#endif
