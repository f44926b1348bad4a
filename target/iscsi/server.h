/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The iSCSI server: reactor threads, the connections on them, and the table of
 * sessions. It is given accepted sockets and snapshots of the directory; it knows
 * nothing of listeners, configuration files or management.
 *
 * Every call is made by the main thread unless it says otherwise, and every callback
 * comes on the loop that was given (the main thread's). Calls that give an int give 0, or
 * -ENOMEM when they could not begin; their callback does not come then.
 */
#ifndef ISCSI_SERVER_H
#define ISCSI_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/loop.h"
#include "iscsi/directory.h"

struct iscsi_server;
struct stream;

struct iscsi_server_cfg {
	struct loop *main_loop; /* where callbacks come */
	unsigned reactors;      /* 1…256 */
	uint64_t poll_ns;       /* see loop.h */
	uint32_t max_half_open; /* connections that have not logged in: all (and never more
	                                 than a quarter of the descriptors there may be), */
	uint32_t max_half_open_per_address; /* and from one address */
	/* Told on each reactor's thread when it has done its last work, before its loop goes:
	 * whoever keeps something for a loop gives it back (store_engine_detach()). Or NULL. */
	void (*loop_ends)(void *arg, struct loop *loop);
	void *arg;
};

/* Makes reactors and starts their threads. `dir` is the first snapshot (a reference is taken).
 * 0 and *out, or -errno. */
int iscsi_server_create(
	const struct iscsi_server_cfg *cfg, struct directory *dir, struct iscsi_server **out);

/* Takes a connected stream socket (TCP, or a socketpair in tests; non-blocking or not), which is
 * the server's from now on. `group` is the tag of the portal it came through. Any thread. Refuses
 * (closes) it with a log line where a limit is reached. */
void iscsi_server_accept(struct iscsi_server *s, int fd, uint16_t group);
/* The same with a stream that is set up. On a reactor's thread it may stay with that reactor, which
 * spares a hand-over. */
void iscsi_server_take(struct iscsi_server *s, const struct stream *stream, uint16_t group);

/* The loop of a reactor, `i` counted round: for listeners. Runs from create to free. Any thread. */
struct loop *iscsi_server_loop(const struct iscsi_server *s, unsigned i);

/* From here on logins see `dir` (a reference is taken); sessions of targets that are no longer in
 * it are closed, the others take up their target's LUN map with the unit attentions that belong to
 * it. `done` is called when every reactor has taken it up and no running login holds an older one
 * (NULL: nobody asks). What was refused by the new snapshot is refused from done() on. */
int iscsi_server_publish(
	struct iscsi_server *s, struct directory *dir, void (*done)(void *arg), void *arg);

/* Changes of the running policy that do not come with a snapshot. */
void iscsi_server_set_poll(struct iscsi_server *s, uint64_t poll_ns);
void iscsi_server_set_limits(
	struct iscsi_server *s, uint32_t max_half_open, uint32_t max_half_open_per_address);

/* --- sessions, for those who manage --------------------------------------------------------- */

struct session_info {
	uint16_t tsih;
	bool discovery;
	const char *target; /* NULL for a discovery session */
	const char *initiator;
	const char *alias; /* the initiator's, or NULL */
	uint8_t isid[6];
	uint16_t tpgt;
	unsigned reactor;
	unsigned connections;
	const char *peer; /* "192.0.2.7:51234" of its first connection */
	const char *local;
	const char *auth;      /* "none", "CHAP", "mutual CHAP" */
	const char *algorithm; /* "SHA3-256" …, or NULL */
	const char *user;      /* CHAP_N, or NULL */
	bool header_digest, data_digest;
	uint64_t age_ms, idle_ms;
	uint64_t commands, bytes_in, bytes_out; /* in: from the initiator */
};

/* Gives every session, then `end`. The strings live for the call of `each`. */
int iscsi_server_sessions(struct iscsi_server *s,
	void (*each)(void *arg, const struct session_info *info), void (*end)(void *arg),
	void *arg);

struct iscsi_counters {
	unsigned reactors;
	uint64_t connections, sessions, half_open; /* now */
	uint64_t logins, logins_refused;           /* since the start */
	uint64_t commands, bytes_in, bytes_out;
};
/* Any thread; figures of other threads may be a moment old. */
void iscsi_server_counters(const struct iscsi_server *s, struct iscsi_counters *out);

/* Closes all connections of one target (`target` non-NULL), and logins to it that are under way; or
 * of one session (`tsih`, target NULL). `why` goes to the log. done(arg, n) (NULL: nobody asks)
 * tells how many connections there were, once they are closed. Any thread. */
int iscsi_server_close(struct iscsi_server *s, const char *target, uint16_t tsih, const char *why,
	void (*done)(void *arg, unsigned n), void *arg);

/* Closes the connections that could not be made any more, because the directory in force forbids
 * their initiator or the address that they come from; in every other respect as above. Connections
 * that only would have to prove themselves otherwise stay. */
int iscsi_server_close_forbidden(
	struct iscsi_server *s, const char *why, void (*done)(void *arg, unsigned n), void *arg);

/* How many sessions a target has. Any thread. */
unsigned iscsi_server_target_sessions(const struct iscsi_server *s, const char *target);

/* Stops: accepts nothing more, asks every session to log out (Async Message 1), waits for that up
 * to grace_ms and for every task to end, closes the rest; then done(arg). iscsi_server_free()
 * afterwards ends the threads. Called again with a grace of 0 it closes the rest now: the first
 * call's done comes the sooner, and the second's (which may be NULL) before it. */
int iscsi_server_stop(
	struct iscsi_server *s, uint32_t grace_ms, void (*done)(void *arg), void *arg);
void iscsi_server_free(struct iscsi_server *s);

#endif
