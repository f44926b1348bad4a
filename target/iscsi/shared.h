/* SPDX-License-Identifier: BSD-2-Clause */
/* What all reactors share: each of these is safe for any thread. */
#ifndef ISCSI_SHARED_H
#define ISCSI_SHARED_H

#include <stddef.h>

struct challenge_memory;
struct chap_digests;
struct guard;
struct iscsi_server;
struct loop;
struct sessions;

struct shared {
	struct iscsi_server *server;
	struct sessions *sessions;
	struct guard *guard;
	struct challenge_memory *challenges;
	struct chap_digests *digests;
	size_t bufs_limit;                                 /* bytes of data buffers of a reactor */
	void (*loop_ends)(void *arg, struct loop *loop);   /* see server.h */
	void *arg;
};

#endif
