/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams on which all has been said, and that the peer is about to close. Who closes first has
 * most of the work, and keeps the connection's last state for a minute (TIME-WAIT): so the peer is
 * left a moment to be that one. It need not take it: who waits for us to close sees that soon.
 */
#ifndef ISCSI_PARTING_H
#define ISCSI_PARTING_H

#include "base/loop.h"
#include "net/stream.h"

#define PARTING_MS  5 /* so long after the last one came all are closed, give or take a tick */
#define PARTING_MAX 8 /* streams at a time; for one more, the oldest is closed */

/* On one loop's thread; part of what owns the loop. */
struct parting {
	struct loop_timer timer;
	unsigned first, n;
	int fd[PARTING_MAX];
};

void parting_init(struct parting *p, struct loop *loop);
/* Takes over the descriptor of a stream that nobody watches any more, and closes it in a while. */
void parting_add(struct parting *p, struct stream *s);
/* Closes what is left, and stops the timer. Harmless where all is zero. */
void parting_end(struct parting *p);

#endif
