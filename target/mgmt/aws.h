/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Storage Gateway dialect (JSON 1.1): POST / with the operation in X-Amz-Target, in either of
 * its versions 2012-06-30 and 2013-06-30, and AWS Signature Version 4 as the proof. The server is
 * one gateway; its targets' LUNs are the volumes, and those that are made by it are in the registry's
 * list of volumes.
 *
 * An operation that is not implemented answers UnknownOperationException.
 */
#ifndef MGMT_AWS_H
#define MGMT_AWS_H

#include <stdint.h>

#include "mgmt/call.h"
#include "registry/registry.h"

/* What its functions work on: the context of its calls. Who the gateway is and which keys there are
 * is looked up in the configuration in force, at every call; without a section management.aws
 * there is nothing at this path. */
struct aws {
	struct loop *loop;
	struct registry *registry;
	int64_t (*now)(void);      /* seconds since 1970; NULL: the system's clock */
	struct config_aws gateway; /* private: see aws_gateway() */
};

extern const struct dialect aws_dialect;

#endif
