/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When old secrets end. A row says it by the clock on the wall, which somebody may set back. So what
 * was left of each grace when its row was first seen is counted on a clock that only runs forward,
 * too, as long as the process lives. Main thread.
 */
#ifndef REGISTRY_GRACE_H
#define REGISTRY_GRACE_H

#include <stdint.h>

#include "chap/credential.h"

struct grace;

/* Zeroed at first. */
struct graces_seen {
	struct grace *first;
};

/* A row as it is from now on: one without an old secret is forgotten, one whose grace is known already
 * keeps its time. Where there is no memory, the clock on the wall alone counts. */
void grace_see(struct graces_seen *seen, const struct credential_spec *row);
/* One that is gone. */
void grace_forget(struct graces_seen *seen, const struct credential_spec *row);
void grace_forget_all(struct graces_seen *seen);

/* Seconds that are left of a grace by the clock that says less; 0 when it is over. */
int64_t grace_left(const struct graces_seen *seen, const struct credential_spec *row);

/* That clock, in seconds: it goes on while the machine sleeps. */
int64_t grace_now(void);

#endif
