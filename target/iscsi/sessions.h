/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of sessions, for all reactors: TSIHs, and the rule that an initiator
 * port has one session with a target portal group (RFC 7143 4.4.3.1, ISID rule).
 *
 * Behind a mutex; touched by logins, logouts and management, never by commands.
 */
#ifndef ISCSI_SESSIONS_H
#define ISCSI_SESSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct reactor;
struct sessions;

/* One session's entry, embedded in it. The names belong to the session and do not change. */
struct session_entry {
	const char *initiator; /* normalised */
	const char *target;    /* normalised; NULL: a discovery session, which has no nexus and
	                               may be there any number of times */
	uint64_t isid;
	uint16_t group;             /* target portal group tag */
	uint16_t tsih;              /* given by sessions_add(); 0: not in the table */
	struct reactor *reactor;    /* where the session lives */
	struct session_entry *next; /* private, as is: */
	struct list beside;         /* those of its target, or discovery sessions */
};

/* Any number of sessions up to 65535, discovery_max (at least 1) of them for discovery. NULL when
 * memory is out. */
struct sessions *sessions_new(unsigned discovery_max);
void sessions_free(struct sessions *t); /* must be empty; NULL is fine */

enum sessions_result { SESSIONS_OK, SESSIONS_TAKEN, SESSIONS_FULL };

/* Discovery sessions at a time, at the most; they do not count among max_sessions, since anybody
 * may have one. For the same reason the oldest makes way for a new one. */
#define SESSIONS_DISCOVERY_MAX 1024u

/* Enters a session and gives it a TSIH. TAKEN: the same initiator port has a session there (or
 * there are as many discovery sessions as there may be); *reactor and *tsih tell which is to be
 * ended before this one is entered again, as in reinstatement. FULL: max_sessions (of all) or
 * target_max (of the entry's target; 0: no limit) are reached, or no TSIH is free. */
enum sessions_result sessions_add(struct sessions *t, struct session_entry *e,
	uint32_t max_sessions, uint32_t target_max, struct reactor **reactor, uint16_t *tsih);
void sessions_remove(struct sessions *t, struct session_entry *e);

/* The entry of a TSIH, or NULL. What it points at may only be touched on the thread of the reactor
 * that it lives on: this is for that thread. */
struct session_entry *sessions_own(struct sessions *t, uint16_t tsih, const struct reactor *r);

/* Where the session of this TSIH lives, if it is this initiator port's with this target; else NULL.
 * For a connection that wants to join it. */
struct reactor *sessions_find(struct sessions *t, uint16_t tsih, const struct session_entry *like);

/* Of one target, by its normalised name. */
unsigned sessions_of_target(struct sessions *t, const char *target);

#endif
