/* SPDX-License-Identifier: BSD-2-Clause */
/* How the Storage Gateway API says no. Clients branch on these names, and some on the texts. */
#ifndef MGMT_AWS_ERROR_H
#define MGMT_AWS_ERROR_H

#include <jansson.h>

// clang-format off
/* Operation error codes, as far as we have a use for them, with the published texts. */
#define AWS_CODES(X) \
	X(AWS_OK,                     "",                       "") \
	X(AWS_GATEWAY_NOT_FOUND,      "GatewayNotFound",        "The specified gateway was not found.") \
	X(AWS_GATEWAY_NOT_CONNECTED,  "GatewayNotConnected",    "The specified gateway is not connected.") \
	X(AWS_GATEWAY_BUSY,           "GatewayProxyNetworkConnectionBusy", \
		"The specified gateway proxy network connection is busy.") \
	X(AWS_GATEWAY_ERROR,          "GatewayInternalError",   "A gateway internal error occurred.") \
	X(AWS_ACTIVATION_KEY_INVALID, "ActivationKeyInvalid",   "The specified activation key is invalid.") \
	X(AWS_REGION_INVALID,         "RegionInvalid",          "The specified region is invalid.") \
	X(AWS_INTERNAL_ERROR,         "InternalError",          "An internal error occurred.") \
	X(AWS_INVALID_PARAMETERS,     "InvalidParameters",      "The specified request contains invalid parameters.") \
	X(AWS_INITIATOR_INVALID,      "InitiatorInvalid",       "The specified initiator is invalid.") \
	X(AWS_INITIATOR_NOT_FOUND,    "InitiatorNotFound",      "The specified initiator was not found.") \
	X(AWS_TARGET_INVALID,         "TargetInvalid",          "The specified target is invalid.") \
	X(AWS_TARGET_NOT_FOUND,       "TargetNotFound",         "The specified target was not found.") \
	X(AWS_VOLUME_NOT_FOUND,       "VolumeNotFound",         "The specified volume was not found.") \
	X(AWS_VOLUME_ID_INVALID,      "VolumeIdInvalid",        "The specified volume is invalid.") \
	X(AWS_VOLUME_IN_USE,          "VolumeInUse",            "The specified volume is already in use.") \
	X(AWS_VOLUME_NOT_READY,       "VolumeNotReady",         "The specified volume is not ready.") \
	X(AWS_TOO_MANY_VOLUMES,       "MaximumVolumeCountExceeded", "The maximum volume count was exceeded.") \
	X(AWS_TARGET_EXISTS,          "TargetAlreadyExists",    "The specified target already exists.") \
	X(AWS_NO_DISK,                "DiskDoesNotExist",       "The specified disk does not exist.") \
	X(AWS_DISK_ALLOCATED,         "DiskAlreadyAllocated",   "The specified disk is already allocated.") \
	X(AWS_DISK_NOT_ALIGNED,       "DiskSizeNotGigAligned",  "The specified disk is not gigabyte-aligned.") \
	X(AWS_NO_DISKS,               "NoDisksAvailable",       "There are no disks available.") \
	X(AWS_NO_ROOM,                "LocalStorageLimitExceeded", "The local storage limit was exceeded.") \
	X(AWS_STORAGE_FAILURE,        "StorageFailure",         "A gateway storage failure occurred.") \
	X(AWS_NETWORK_CHANGED,        "NetworkConfigurationChanged", \
		"The gateway network configuration has changed.") \
	X(AWS_NO_TAPE,                "TapeCartridgeNotFound",  "The specified tape cartridge was not found.") \
	X(AWS_TOO_MANY_TAPES,         "MaximumTapeCartridgeCountExceeded", \
		"The maximum tape cartridge count was exceeded.") \
	X(AWS_NOT_SUPPORTED,          "NotSupported",           "The specified operation is not supported.") \
	X(AWS_SERVICE_UNAVAILABLE,    "ServiceUnavailable",     "The service is unavailable.") \
	X(AWS_WRONG_GATEWAY_TYPE,     "UnsupportedOperationForGatewayType", \
		"The specified operation is not valid for the type of the gateway.")
// clang-format on

#define AWS_AS_ENUM(id, code, text) id,
enum aws_code { AWS_CODES(AWS_AS_ENUM) };

/* The status that goes with a code: 400, 500 or 503. */
int aws_code_status(enum aws_code code);
/* The exception that goes with it: "InvalidGatewayRequestException" … */
const char *aws_code_exception(enum aws_code code);
const char *aws_code_text(enum aws_code code);

/* The body of an error without a code, or (`code` not AWS_OK) with one. NULL when memory is out. */
json_t *aws_error(const char *exception, const char *message, enum aws_code code);

#endif
