/* SPDX-License-Identifier: BSD-2-Clause */
/* What all reactors share: each of these is safe for any thread. */
#ifndef ISCSI_SHARED_H
#define ISCSI_SHARED_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/log_rate.h"

struct challenge_memory;
struct chap_digests;
struct guard;
struct iscsi_server;
struct loop;
struct sessions;

/* Lines of the log about those who come and go, and who are easily many: at once, and every second
 * from then on. */
#define LINES_OF_ALL 10000, 50

struct shared {
	struct iscsi_server *server;
	struct sessions *sessions;
	struct guard *guard;
	struct challenge_memory *challenges;
	struct chap_digests *digests;
	struct log_rate lines;                           /* of the log, about who comes and goes */
	unsigned descriptors;                            /* that this process may have */
	_Atomic unsigned strangers;                      /* below this for anybody's sessions */
	size_t bufs_limit;                               /* bytes of data buffers of a reactor */
	void (*loop_ends)(void *arg, struct loop *loop); /* see server.h */
	void *arg;
};

#endif
