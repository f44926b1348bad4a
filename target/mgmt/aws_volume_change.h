/* SPDX-License-Identifier: BSD-2-Clause */
/* What creating, attaching and deleting a volume have in common. */
#ifndef MGMT_AWS_VOLUME_CHANGE_H
#define MGMT_AWS_VOLUME_CHANGE_H

#include "mgmt/aws_request.h"
#include "registry/volumes.h"

/* The target that a TargetName stands for. */
struct aws_target_text {
	char text[256];
};
struct aws_target_text aws_target_of(const char *name);

/* Whether the request's NetworkInterfaceId is an address of this machine; *code and the blame, if not. */
bool aws_is_interface(struct aws_request *q, enum aws_code *code);

/* Refuses with what fits to a change that was not made. */
void aws_refuse_volume(struct aws_request *q, const struct registry_volume_outcome *o);

#endif
