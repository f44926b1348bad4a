/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guard at a door, that of the targets or that of management: how many connections
 * may stand there that have not logged in (all, and from one address), and how long an
 * address that has failed before waits for its next refusal.
 *
 * A right login is never delayed, whatever happened before, and what one address does
 * costs no other address anything but its share of the overall limit. Any thread.
 */
#ifndef NET_GUARD_H
#define NET_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"

struct guard;

enum guard_verdict { GUARD_OK, GUARD_TOO_MANY, GUARD_TOO_MANY_FROM_ADDRESS };

/* NULL: out of memory. */
struct guard *guard_new(uint32_t max_half_open, uint32_t max_per_address);
void guard_free(struct guard *g);          /* NULL is fine */
void guard_limits(struct guard *g, uint32_t max_half_open, uint32_t max_per_address);

/* A connection has been accepted. OK counts it until guard_leave(). */
enum guard_verdict guard_admit(struct guard *g, const struct addr *peer);
/* It has logged in, or it has gone. */
void guard_leave(struct guard *g, const struct addr *peer);

/* An authentication has failed: gives the milliseconds for which the answer is to be held back, 0
 * for the first ones, doubling up to GUARD_DELAY_MAX. They are forgotten after a quiet minute. */
#define GUARD_DELAY_MAX 4000u
uint32_t guard_failed(struct guard *g, const struct addr *peer, uint64_t now_ns);
/* One has succeeded: what this address failed before is forgotten. */
void guard_proved(struct guard *g, const struct addr *peer);

/* Connections that are admitted and have not left. */
uint32_t guard_half_open(struct guard *g);

#endif
