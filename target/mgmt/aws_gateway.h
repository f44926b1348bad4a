/* SPDX-License-Identifier: BSD-2-Clause */
/* The gateway that a request names. */
#ifndef MGMT_AWS_GATEWAY_H
#define MGMT_AWS_GATEWAY_H

#include "mgmt/aws_request.h"

/* Whether the request's GatewayARN, where there is one, is ours. If not, it has been refused. */
bool aws_is_gateway(struct aws_request *q);

#endif
