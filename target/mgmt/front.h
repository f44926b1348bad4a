/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Management listeners on the network, plain or with TLS. Here nobody is known by where he comes
 * from: each dialect asks for its own proof.
 */
#ifndef MGMT_FRONT_H
#define MGMT_FRONT_H

#include "base/loop.h"
#include "config/config.h"
#include "config/faults.h"
#include "mgmt/http.h"

/* All of them. */
struct front;

/* Opens what cfg->management.http lists, each as `base` says but for its own part. Listeners of `old`
 * (NULL: none) that stay as they are go over to the new front when it is committed; nothing of `old`
 * changes before. 0, or -errno with faults added. */
int front_open(const struct http_cfg *base, const struct config *cfg, struct front *old,
	struct front **out, struct faults *faults);
/* Takes over what stays from `old`, and closes the rest of it. */
void front_commit(struct front *f, struct front *old);
/* NULL is fine. */
void front_close(struct front *f);

#endif
