/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of the gateway and of what it has. Pure. */
#ifndef MGMT_AWS_ARN_H
#define MGMT_AWS_ARN_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "mgmt/aws_error.h"

#define AWS_ARN_MAX 500 /* characters; ours are shorter */

/* arn:aws:storagegateway:REGION:ACCOUNT:gateway/sgw-12A3456B */
struct aws_arn {
	char text[AWS_ARN_MAX + 1];
};
struct aws_arn aws_gateway_arn(const struct config_aws *gateway);
/* …/target/iqn.2026-11.com.example:disk */
struct aws_arn aws_target_arn(const struct config_aws *gateway, const char *target);
/* …/volume/vol-0123456789ABCDEF0 */
struct aws_arn aws_volume_arn(const struct config_aws *gateway, const char *volume);

/* arn:aws:storagegateway:REGION:ACCOUNT:tape/TEST38A29D */
struct aws_arn aws_tape_arn(const struct config_aws *gateway, const char *barcode);

/* "vol-" and 17 upper-case hex digits: of a LUN, always the same. */
#define AWS_VOLUME_ID_SIZE 22
void aws_volume_id(const struct config_aws *gateway, const char *target, uint32_t lun,
	char out[static AWS_VOLUME_ID_SIZE]);

/*
 * What an ARN names. The gateway in it may be told by its id or, as of old, by its name. AWS_OK, and
 * *out points into the text; or
 *	AWS_GATEWAY_NOT_FOUND   another account, region or gateway
 *	AWS_TARGET_INVALID, AWS_VOLUME_ID_INVALID   no ARN of a target, of a volume
 */
enum aws_code aws_arn_is_gateway(const struct config_aws *gateway, const char *arn);
enum aws_code aws_arn_target(const struct config_aws *gateway, const char *arn, const char **out);
/* AWS_NO_TAPE: no ARN of a tape, or of another account or region. */
enum aws_code aws_arn_tape(const struct config_aws *gateway, const char *arn, const char **out);
enum aws_code aws_arn_volume(const struct config_aws *gateway, const char *arn, const char **out);

#endif
