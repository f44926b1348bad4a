/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection: from accept to the last byte. It owns the socket, takes PDUs in and
 * sends them out, and knows its phase; what PDUs mean is said by login.c and full.c.
 *
 * A connection is closed by conn_close(), at any depth of any callback: it is marked
 * and unwatched at once, and freed after the round, once no command needs it.
 */
#ifndef ISCSI_CONN_H
#define ISCSI_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/log_rate.h"
#include "base/loop.h"
#include "iscsi/framer.h"
#include "iscsi/tx.h"
#include "net/guard.h"
#include "net/stream.h"

struct cmd;
struct early;
struct login;
struct reactor;
struct request;
struct session;
struct text;

/* RFC 7143 8.1.3, the states of a target's connection that has a socket. */
#define CONN_PHASES(X) \
	X(CONN_LOGIN, "login")             /* S4 */ \
	X(CONN_FULL, "full feature phase") /* S5 */ \
	X(CONN_LOGOUT, "logout")           /* S6 */ \
	X(CONN_CLOSING, "closing")         /* S8 */

#define CONN_AS_ENUM(id, text) id,
enum conn_phase { CONN_PHASES(CONN_AS_ENUM) };

/* Where the data segment of the PDU that is being received goes. */
struct sink {
	enum { SINK_NOTHING, SINK_GATHER, SINK_COMMAND, SINK_EARLY } kind;
	uint8_t *buf;        /* GATHER, EARLY: `len` bytes of the data have come */
	uint32_t size, len;  /* size: of a buffer from the reactor's; 0: it is another's */
	struct early *early; /* EARLY: the request that is being kept */
	struct cmd *cmd;     /* COMMAND: the data are this one's; also with GATHER, where they must
	                        be verified before they may touch the medium */
};

struct conn {
	struct reactor *r;
	struct session *s;   /* NULL until it has logged in */
	struct login *login; /* NULL once it has */
	struct stream stream;
	struct loop_watch watch;
	struct loop_timer timer; /* login deadline; later: silence, and pings */
	struct loop_defer flush, reap;
	struct list link; /* in reactor->conns */
	struct list in_session;
	struct framer framer;
	struct sink sink;
	struct sink *aside; /* that of a PDU in the making while another is replayed */
	struct tx tx;
	enum conn_phase phase;
	bool header_digest, data_digest;
	struct guard_ticket ticket; /* while it is half-open */
	bool failed;                /* it ended without a logout */
	bool said_all;              /* logged out: the initiator may close it first */
	bool doomed;                /* see conn_doom() */
	bool in_login;              /* the PDU being received began in the login phase */
	bool long_data;             /* the last data segment was a long one */
	uint16_t cid, group;
	uint32_t statsn;         /* of the next response */
	uint32_t max_send;       /* the initiator's MaxRecvDataSegmentLength */
	unsigned held;           /* commands and messages that point here */
	uint64_t heard;          /* loop_now() of the last byte received */
	uint64_t ping_sent;      /* loop_now() of an unanswered ping; 0: none */
	uint64_t ping_confirmed; /* bytes that the peer's host had confirmed then */
	uint32_t ping_tag;
	struct log_rate lines;         /* of the log, about it */
	uint8_t bhs[BHS_SIZE];         /* of the PDU that is being received */
	const struct request *request; /* and what it is (full.c) */
	struct text *text;             /* a text negotiation under way, or NULL */
};

/* Takes over the stream of an accepted connection that the guard has let in, on the reactor's
 * thread. False: out of memory or descriptors; stream and the guard's count are the caller's. */
bool conn_open(struct reactor *r, const struct stream *stream, uint16_t group);

/* Closes, with a log line. `why` is a phrase: "logged out", "closing: out of memory". */
void conn_close(struct conn *c, int priority, const char *why, ...)
	__attribute__((format(printf, 3, 4)));

/* It closes once its last word, which the caller queues, is out, or is not taken in time. Nothing
 * more is read. */
void conn_doom(struct conn *c);

/* A command or a message needs the memory of the connection. */
void conn_hold(struct conn *c);
void conn_release(struct conn *c);

/* Out of its reactor (on that reactor's thread), and into another (on the other's thread), within
 * login: nothing may be queued or held. */
void conn_detach(struct conn *c);
bool conn_attach(struct conn *c, struct reactor *r);

/* A command has ended: no data are poured into it any more. */
void conn_forget(struct conn *c, const struct cmd *cmd);

/* It does not count among the half-open ones any more. */
void conn_admitted(struct conn *c);
/* It is to make way for another one. */
void conn_make_way(struct conn *c);

/* The login has succeeded: digests, lengths and phase are set by the login; from here on silence is
 * watched. */
void conn_full_feature(struct conn *c);

/* The whole data segment of the PDU being received will be gathered and given to the end of the
 * PDU. False: out of memory, and the connection was closed. */
bool conn_gather(struct conn *c);

/* One line: "PEER INITIATOR: …". */
void conn_log(struct conn *c, int priority, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
