/* SPDX-License-Identifier: BSD-2-Clause */
/* The native API, version 1: what countersignctl speaks. */
#ifndef MGMT_NATIVE_H
#define MGMT_NATIVE_H

#include "mgmt/call.h"
#include "mgmt/mgmt.h"

/* What its functions work on: the context of its calls. */
struct native {
	struct registry *registry;
	struct mgmt_host host;
};

static inline struct native *native_of(const struct call *c)
{
	return call_context(c);
}

extern const struct dialect native_dialect;

#endif
