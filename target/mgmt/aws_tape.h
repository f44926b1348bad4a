/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tape operations of the Storage Gateway API have in common. */
#ifndef MGMT_AWS_TAPE_H
#define MGMT_AWS_TAPE_H

#include "mgmt/aws_arn.h"
#include "mgmt/aws_request.h"
#include "registry/tapes.h"

#define AWS_TAPES_MAX 1500 /* in a library, by the published quota */

/* The library that the tape operations mean; NULL: the configuration has none. Borrowed. */
const char *aws_library(const struct aws_request *q);

/* Whether it is the gateway's, and the gateway has a library; if not, the request is answered. */
bool aws_is_tape_gateway(struct aws_request *q);

/*
 * The cartridge that the request's TapeARN names. False: the request has been answered.
 */
enum aws_tape_where {
	AWS_TAPE_ANYWHERE,
	AWS_TAPE_IN_LIBRARY, /* as DescribeTapes shows it */
	AWS_TAPE_IN_ARCHIVE, /* as DescribeTapeArchives does, and not retrieved */
};
struct aws_tape_named {
	char barcode[REGISTRY_BARCODE_SIZE];
	char state[16], pool[101];
	bool in_transit, in_drive, retrieved;
};
bool aws_tape_of_request(
	struct aws_request *q, enum aws_tape_where where, struct aws_tape_named *out);

/* Whether the ARN is that of a cartridge that there is. */
bool aws_tape_by_arn(const struct aws_request *q, const char *arn);

/* Refuses with what fits to a change that was not made. */
void aws_refuse_tape(struct aws_request *q, const struct registry_tape_outcome *o);

/* Whether a request has a pool that is one, and what it is; NULL: it has another. */
const char *aws_pool_of_request(const struct aws_request *q);

#endif
