/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session: one I_T nexus, its connections, its commands and their numbering
 * (RFC 7143 4.2.2). It lives on one reactor; its entry in the table of sessions is
 * what other threads may see of it.
 */
#ifndef ISCSI_SESSION_H
#define ISCSI_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/loop.h"
#include "iscsi/directory.h"
#include "iscsi/negotiate.h"
#include "iscsi/sessions.h"
#include "scsi/lu.h"

struct cmd;
struct conn;
struct reactor;

#define SESSION_HASH 32 /* chains of commands by ITT */

struct session {
	struct reactor *r;
	struct list link;           /* in reactor->sessions */
	struct session_entry entry; /* names, ISID, TSIH: in the table of sessions */
	struct nexus nexus;         /* normal sessions */
	bool discovery;
	bool closing;
	struct params params; /* session-wide ones; a connection has its own copy */
	struct list conns;    /* struct conn, by in_session */
	unsigned nconns;
	struct list cmds; /* struct cmd, by link, in the order of arrival */
	struct cmd *hash[SESSION_HASH];
	unsigned ncmds, immediate; /* commands alive; of them immediate ones */
	struct list aborts;        /* struct lu_abort that wait for commands to end */
	struct list tmfs;          /* struct tmf: task management under way */
	struct list early;         /* struct early: requests ahead of their CmdSN */
	struct list logouts;       /* struct logout: they wait for tasks to end */
	uint32_t exp_cmdsn, max_cmdsn;
	uint16_t next_id;       /* of the next command that waits for data */
	uint64_t born;          /* loop_now() */
	const char *auth;       /* "none", "CHAP", "mutual CHAP" */
	const char *algorithm;  /* or NULL */
	char *user;             /* CHAP_N, or NULL */
	char *alias;            /* the initiator's, or NULL */
	struct target_set *set; /* keeps `target` */
	const struct iscsi_target *target;
	struct lun_map *next_map; /* to be taken up when commands of lost units have ended */
	uint64_t commands, bytes_in, bytes_out;
	bool has_nexus; /* it reaches its target's units */
	bool losing;    /* … and is about to lose them */
	bool ended;     /* out of the table; waits for its nexus to close */
	struct loop_defer end;
	struct list waiters; /* logins that wait for its end (join.c) */
	struct list rejoins; /* logins that wait for a connection's commands to end */
	unsigned rejoining;  /* and those on their way back: it lives for them */
};

/* A session with nobody in it yet: not in the table, no nexus. `like` is copied, its names too. The
 * initiator's first CmdSN is cmdsn; `depth` commands may be outstanding. NULL: out of memory. */
struct session *session_new(
	struct reactor *r, const struct session_entry *like, uint32_t cmdsn, uint32_t depth);
/* Joins it to the target's units; the set stays referenced. False: out of memory. */
bool session_open(struct session *s, struct target_set *set, const struct iscsi_target *target);
/* Ends a session that no connection has joined. */
void session_abandon(struct session *s);

/* Command numbering, RFC 7143 4.2.2.1: whose turn it is, who is to be kept until then (early.h),
 * and who is out of the window or was here before, and is dropped without an answer. */
enum cmdsn_verdict { CMDSN_NOW, CMDSN_EARLY, CMDSN_IGNORE };
enum cmdsn_verdict session_cmdsn(struct session *s, uint32_t cmdsn, bool immediate);

/* A request has had its turn: the window moves on by one. */
void session_turn(struct session *s);
/* A non-immediate command takes a place in the window, and gives it back with its answer. */
void session_place_taken(struct session *s);
void session_place_free(struct session *s);

struct cmd *session_find(const struct session *s, uint32_t itt);
void session_hash(struct session *s, struct cmd *cmd);
void session_unhash(struct session *s, struct cmd *cmd);
/* A command has ended for good; called by cmd.c. */
void session_cmd_ended(struct session *s);

/* Adds a connection that has logged in; the session's reactor is the connection's. */
void session_join(struct session *s, struct conn *c);
/* A connection has gone: its commands are aborted; without connections (or at error recovery level
 * 0 after a failure) the session ends. */
void session_leave(struct session *s, struct conn *c, bool failed);

/* Another directory is in force: the session ends with its target, or takes up its new LUN map. */
void session_take_directory(struct session *s, struct directory *d);

/* Whether the unit behind a LUN is about to leave the session: no new command may reach it. */
bool session_is_leaving(const struct session *s, uint64_t lun);

/* The initiator is about to be told that the session is logged out: it must find then that what it
 * had reserved is free. Nothing joins the session any more, and requests that still come are
 * dropped. While commands have not ended, the nexus is kept until they have. */
void session_logging_out(struct session *s);
/* Closes all connections, aborts all commands, and ends. */
void session_close(struct session *s, int priority, const char *why);
/* Something that a closing session may have waited for is over. It is freed after the round at the
 * earliest. */
void session_try_end(struct session *s);

#endif
