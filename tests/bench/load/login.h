/* SPDX-License-Identifier: BSD-2-Clause */
/* Logins to the full feature phase, with or without CHAP, and logouts. */
#ifndef BENCH_LOGIN_H
#define BENCH_LOGIN_H

#include "tests/bench/load/link.h"

/* OpenSSL's digests, or NULL; made once, used by every thread. */
struct login_kit {
	const struct plan *plan;
	struct chap_digests *digests;
};

/* Connects and logs in to plan->target (NULL: a discovery session) as initiator number `id`. */
void login(const struct login_kit *kit, struct link *l, uint32_t id);

/* Logs out of the session and closes the connection. */
void logout(struct link *l);

#endif
