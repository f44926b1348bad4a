/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guard at a door, that of the targets or that of management: how many connections
 * may stand there that have not logged in (all, and from one address), and how long an
 * address that has failed before waits for its next refusal.
 *
 * A right login is never delayed, whatever happened before; so whoever hangs up while a refusal is
 * held back guesses as fast as he connects. Secrets of 96 bits bear that; passwords and tokens are
 * looked after by mgmt/patience.h. Nor is a right login kept out by those who stand at the door
 * and never log in: where there is no room, the newcomer takes the place of the oldest from the
 * address that has the most there; or, where all have as few as its own, of the oldest of all.
 * Any thread.
 */
#ifndef NET_GUARD_H
#define NET_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "net/addr.h"

struct guard;

enum guard_verdict { GUARD_OK, GUARD_TOO_MANY, GUARD_TOO_MANY_FROM_ADDRESS };

/* NULL: out of memory. */
struct guard *guard_new(uint32_t max_half_open, uint32_t max_per_address);
void guard_free(struct guard *g); /* NULL is fine */
void guard_limits(struct guard *g, uint32_t max_half_open, uint32_t max_per_address);

/* A connection has been accepted. OK counts it until guard_leave(), and may have called another one
 * out to make room. */
enum guard_verdict guard_admit(struct guard *g, const struct addr *peer);
/* It has gone, or has logged in, without ever having had a ticket. */
void guard_leave(struct guard *g, const struct addr *peer);

/* Where the connections of one thread are called out. */
struct guard_desk {
	struct list called; /* tickets; the guard's */
	bool told;          /* the same */
	/* Some are called out: has the thread ask for them by guard_called(), and returns at once.
	 * Any thread; it may not turn to the guard from here. */
	void (*tell)(struct guard_desk *d);
};

/* A connection that stands at the door; embedded in it, and its own but for `desk` and `peer`. */
struct guard_ticket {
	struct list link, of_address;
	struct guard_desk *desk; /* of the thread that the connection is on */
	const struct addr *peer;
	uint64_t since; /* monotonic, in ns */
	bool out;
};

#define GUARD_GRACE_NS UINT64_C(1000000000) /* in which only a crowd makes way */

void guard_desk_init(struct guard_desk *d, void (*tell)(struct guard_desk *d));
/* A connection that was admitted can be called out from now on. */
void guard_enter(struct guard *g, struct guard_ticket *t, uint64_t now_ns);
/* It has logged in, or it has gone: its ticket is void, at the desk too. Twice is harmless. */
void guard_exit(struct guard *g, struct guard_ticket *t);
/* Of those that have been called out, the next to be closed; NULL: no more. The desk's thread. */
struct guard_ticket *guard_called(struct guard *g, struct guard_desk *d);

/* An authentication has failed: gives the milliseconds for which the answer is to be held back, 0
 * for the first ones, doubling up to GUARD_DELAY_MAX. They are forgotten after a quiet minute, and
 * not sooner: who has a secret of his own may be guessing those of others. */
#define GUARD_DELAY_MAX 4000u
uint32_t guard_failed(struct guard *g, const struct addr *peer, uint64_t now_ns);

/* Connections that are admitted and have not left. */
uint32_t guard_half_open(struct guard *g);

#endif
