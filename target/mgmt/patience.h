/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Patience with those who guess passwords. The guard (net/guard.h) holds back refusals, and a right
 * proof is answered at once: whoever hangs up when no answer comes at once knows that his guess was
 * wrong, and has not waited. So when somebody at an address has done that, what comes from there
 * waits for a while before it is looked at, right or wrong, and hanging up tells nothing.
 *
 * That would also slow, or keep out in a crowd, those who are right. So whatever was right from the
 * same address before does not wait: whoever works there goes on as ever, and addresses at which
 * nobody hangs up notice nothing.
 *
 * Of fixed size, and forgetful where two share a place. On the thread of the management loop.
 */
#ifndef MGMT_PATIENCE_H
#define MGMT_PATIENCE_H

#include <stdint.h>

#include "net/addr.h"
#include "net/guard.h"

#define PATIENCE_WAIT_MS   GUARD_DELAY_MAX
#define PATIENCE_FORGET_NS (60 * UINT64_C(1000000000))

struct patience;

/* NULL: out of memory or randomness. */
struct patience *patience_new(void);
void patience_free(struct patience *p); /* NULL is fine */

/* Somebody at this address has hung up while a refusal was held back. */
void patience_hung_up(struct patience *p, const struct addr *peer, uint64_t now_ns);

/* This proof, as it was sent, was right. */
void patience_proved(struct patience *p, const struct addr *peer, const char *proof);

/* The milliseconds for which it waits before it is looked at; 0: it does not. */
uint32_t patience_wait(
	struct patience *p, const struct addr *peer, const char *proof, uint64_t now_ns);

#endif
