/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes challenges, and remembers those that this process has made.
 *
 * RFC 7143 9.2.1: a peer that sends back one of our own challenges wants us to compute its answer
 * for it. It may do so on another connection than the one that got the challenge, so there is one
 * memory for all connections and threads.
 *
 * What is kept is a keyed 128-bit hash of each challenge, in memory of fixed size. A challenge is
 * outstanding from challenge_issue() to challenge_end() and cannot be pushed out meanwhile, however
 * many connections are opened: a full memory refuses the newcomer instead. Ended ones are kept too,
 * the latest ones, as many as there is room for. They can no longer win anything, since their
 * exchange is over; they are remembered because the RFC asks for it.
 */
#ifndef CHAP_CHALLENGE_H
#define CHAP_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chap/digest.h"

#define CHALLENGE_MIN    16 /* bytes of the shortest challenge that we issue */
#define CHALLENGE_MAX    CHAP_DIGEST_MAX
#define CHALLENGE_SLOTS  (1u << 24) /* outstanding and recent ones together, at the most */
#define CHALLENGE_RECENT 65536      /* a good number of ended challenges to remember: 2.5 MiB */

struct challenge_memory;

/* One that was issued. All zero is "none". */
struct challenge {
	uint32_t slot; /* of the memory; 0: none, or ended */
	uint8_t id;    /* CHAP_I, random */
	uint8_t len;
	uint8_t bytes[CHALLENGE_MAX];
};

enum challenge_result {
	CHALLENGE_OK,
	CHALLENGE_NO_RANDOM, /* the generator failed, or repeated itself: nobody may log in */
	CHALLENGE_FULL,      /* as many exchanges under way as were allowed */
};

/* Room for `outstanding` challenges at a time (at least 1; the limit on half-open logins) and, when
 * all of those are in use, still for the `recent` last ended ones; CHALLENGE_SLOTS in all.
 * Allocates everything it will ever need. NULL when memory or randomness is short. Caller frees. */
struct challenge_memory *challenge_memory_new(uint32_t outstanding, uint32_t recent);

/* NULL is fine. No thread may be using it. */
void challenge_memory_free(struct challenge_memory *m);

/* A new challenge of the algorithm's digest length, and CHALLENGE_MIN bytes at the least, with a
 * random identifier, from OpenSSL's generator. *out is "none" unless CHALLENGE_OK; otherwise it is
 * to be given to challenge_end() in the end. Any thread. */
enum challenge_result challenge_issue(
	struct challenge_memory *m, enum chap_alg alg, struct challenge *out);

/* The exchange is over: *c is remembered as a recent one, wiped, and becomes "none". Giving it
 * "none" is fine. Any thread. */
void challenge_end(struct challenge_memory *m, struct challenge *c);

/* Is this one of ours, outstanding or recent? Any thread; a challenge that another thread issued is
 * seen as soon as that thread's challenge_issue() has returned. */
bool challenge_was_ours(struct challenge_memory *m, const uint8_t *bytes, size_t len);

/* How many are outstanding now; for status output and tests. Any thread. */
uint32_t challenge_outstanding(struct challenge_memory *m);

#endif
