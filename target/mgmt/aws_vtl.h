/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices of the tape library: the medium changer and the drives. */
#ifndef MGMT_AWS_VTL_H
#define MGMT_AWS_VTL_H

#include "mgmt/aws_arn.h"

/* …/device/AMZN_SGW-12A3456B_TAPEDRIVE_00001 */
struct aws_arn aws_drive_arn(const struct config_aws *gateway, unsigned number);

#endif
