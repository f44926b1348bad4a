/* SPDX-License-Identifier: BSD-2-Clause */
/* Volumes: every disk of every target is one, and so is a volume that is attached to none now. */
#ifndef MGMT_AWS_VOLUME_H
#define MGMT_AWS_VOLUME_H

#include "mgmt/aws_arn.h"
#include "mgmt/portal.h"
#include "mgmt/aws_request.h"

struct aws_volume {
	char id[AWS_VOLUME_ID_SIZE];
	char *target;
	char *path; /* of the file or device; NULL: none */
	char *disk; /* id of the disk that it was made on; NULL: none */
	uint32_t lun;
	uint64_t size;
	bool chap; /* nobody gets in without it */
	struct portal_at portal;
	/* Of those that were made through an API; of the configuration's, as if attached. */
	bool made, attached, preserved;
	bool trouble; /* attached, and yet not served */
	int64_t created;
};

/* What the service puts in front of the TargetName that it is given. */
#define AWS_TARGET_PREFIX "iqn.1997-05.com.amazon:"

/* Whether the gateway's volumes are of the kind that the service calls cached: files in a pool, and
 * not disks. */
bool aws_is_cached(const struct aws_request *q);

/* All volumes, in the order of their ids, which is that of their ARNs. */
struct aws_volumes {
	struct aws_volume *v;
	size_t n;
	bool failed; /* memory ran out, and there are none */
};
struct aws_volumes aws_volumes_begin(const struct aws_request *q);
void aws_volumes_end(struct aws_volumes *vs);

/* The one that an ARN names: *code says why there is none. */
const struct aws_volume *aws_volume_find(const struct aws_request *q, const struct aws_volumes *vs,
	const char *arn, enum aws_code *code);

#endif
