/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sense data (SPC-5 4.4): kept as facts, encoded as fixed or descriptor format
 * when it leaves.
 */
#ifndef SCSI_SENSE_H
#define SCSI_SENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sense_key {
	SENSE_NO_SENSE = 0x0,
	SENSE_RECOVERED_ERROR = 0x1,
	SENSE_NOT_READY = 0x2,
	SENSE_MEDIUM_ERROR = 0x3,
	SENSE_HARDWARE_ERROR = 0x4,
	SENSE_ILLEGAL_REQUEST = 0x5,
	SENSE_UNIT_ATTENTION = 0x6,
	SENSE_DATA_PROTECT = 0x7,
	SENSE_BLANK_CHECK = 0x8,
	SENSE_COPY_ABORTED = 0xa,
	SENSE_ABORTED_COMMAND = 0xb,
	SENSE_VOLUME_OVERFLOW = 0xd,
	SENSE_MISCOMPARE = 0xe,
	SENSE_COMPLETED = 0xf,
};

/* Additional sense codes, with their qualifiers (SPC-5 annex F.2), but for those of unit attentions
 * (scsi/unit.h): the names are the standard's, made shorter. */
enum sense_asc {
	ASC_NONE = 0x0000,
	ASC_FILEMARK = 0x0001,
	ASC_END_OF_PARTITION = 0x0002,
	ASC_BEGINNING_OF_PARTITION = 0x0004,
	ASC_END_OF_DATA = 0x0005,
	ASC_EARLY_WARNING = 0x0007,
	ASC_OPERATION_IN_PROGRESS = 0x0016,
	ASC_BECOMING_READY = 0x0401,
	ASC_FORMAT_IN_PROGRESS = 0x0404,
	ASC_PORT_STANDBY = 0x040b,
	ASC_PORT_UNAVAILABLE = 0x040c,
	ASC_SANITIZE_IN_PROGRESS = 0x041b,
	ASC_UNREACHABLE_COPY_TARGET = 0x0804,
	ASC_WRITE_ERROR = 0x0c00,
	ASC_UNEXPECTED_UNSOLICITED_DATA = 0x0c0c,
	ASC_THIRD_PARTY_DEVICE_FAILURE = 0x0d01,
	ASC_COPY_TARGET_NOT_REACHABLE = 0x0d02,
	ASC_INCORRECT_COPY_TARGET_TYPE = 0x0d03,
	ASC_INVALID_FIELD_IN_COMMAND_IU = 0x0e03,
	ASC_BLOCK_GUARD_CHECK_FAILED = 0x1001,
	ASC_UNRECOVERED_READ_ERROR = 0x1100,
	ASC_PARAMETER_LIST_LENGTH_ERROR = 0x1a00,
	ASC_MISCOMPARE_DURING_VERIFY = 0x1d00,
	ASC_INVALID_OPERATION_CODE = 0x2000,
	ASC_LBA_OUT_OF_RANGE = 0x2100,
	ASC_INVALID_ELEMENT_ADDRESS = 0x2101,
	ASC_UNSUPPORTED_TOKEN_TYPE = 0x2301,
	ASC_TOKEN_UNKNOWN = 0x2304,
	ASC_TOKEN_REVOKED = 0x2306,
	ASC_INVALID_TOKEN_LENGTH = 0x230a,
	ASC_INVALID_FIELD_IN_CDB = 0x2400,
	ASC_LU_NOT_SUPPORTED = 0x2500,
	ASC_INVALID_FIELD_IN_PARAMETER_LIST = 0x2600,
	ASC_INVALID_RELEASE = 0x2604,
	ASC_TOO_MANY_TARGET_DESCRIPTORS = 0x2606,
	ASC_UNSUPPORTED_TARGET_DESCRIPTOR = 0x2607,
	ASC_TOO_MANY_SEGMENT_DESCRIPTORS = 0x2608,
	ASC_UNSUPPORTED_SEGMENT_DESCRIPTOR = 0x2609,
	ASC_UNEXPECTED_INEXACT_SEGMENT = 0x260a,
	ASC_INLINE_DATA_LENGTH_EXCEEDED = 0x260b,
	ASC_WRITE_PROTECTED = 0x2700,
	ASC_SPACE_ALLOCATION_FAILED = 0x2707,
	ASC_COMMAND_SEQUENCE_ERROR = 0x2c00,
	ASC_INCOMPATIBLE_MEDIUM = 0x3000,
	ASC_CLEANING_CARTRIDGE_INSTALLED = 0x3003,
	ASC_WORM_OVERWRITE_ATTEMPTED = 0x300c,
	ASC_MEDIUM_FORMAT_CORRUPTED = 0x3100,
	ASC_SANITIZE_FAILED = 0x3103,
	ASC_SAVING_NOT_SUPPORTED = 0x3900,
	ASC_MEDIUM_NOT_PRESENT = 0x3a00,
	ASC_MEDIUM_NOT_PRESENT_MAM_ACCESSIBLE = 0x3a04,
	ASC_SEQUENTIAL_POSITIONING_ERROR = 0x3b00,
	ASC_POSITION_PAST_BEGINNING = 0x3b0c,
	ASC_MEDIUM_DESTINATION_FULL = 0x3b0d,
	ASC_MEDIUM_SOURCE_EMPTY = 0x3b0e,
	ASC_MAGAZINE_NOT_ACCESSIBLE = 0x3b11,
	ASC_ECHO_BUFFER_OVERWRITTEN = 0x3f0f,
	ASC_INTERNAL_TARGET_FAILURE = 0x4400,
	ASC_INVALID_MESSAGE = 0x4900,
	ASC_WRITE_APPEND_POSITION_ERROR = 0x5001,
	ASC_LOAD_OR_EJECT_FAILED = 0x5300,
	ASC_MEDIUM_REMOVAL_PREVENTED = 0x5302,
	ASC_INSUFFICIENT_REGISTRATION_RESOURCES = 0x5504,
	ASC_AUXILIARY_MEMORY_FULL = 0x5506,
	ASC_INSUFFICIENT_TOKEN_RESOURCES = 0x550d,
	ASC_UNABLE_TO_DECRYPT = 0x7401,
	ASC_UNENCRYPTED_DATA = 0x7402,
	ASC_INCORRECT_KEY = 0x7403,
};

struct sense {
	uint8_t key;  /* enum sense_key */
	uint16_t asc; /* enum sense_asc, or that of a unit attention */
	bool deferred; /* of an earlier command, whose status was GOOD (SPC-5 4.4.7) */
	bool info_valid;
	bool filemark, eom, ili; /* SSC */
	uint64_t info;  /* INFORMATION; in fixed format its low 32 bits, VALID only if it fits
	                            (SSC: a residual may be negative, two's complement) */
	uint8_t sks[3]; /* sense-key specific, valid when bit 7 of the first byte is set */
	uint32_t command_info; /* COMMAND-SPECIFIC INFORMATION */
};

/* The PROGRESS INDICATION of something that takes long: of 65,536. */
static inline void sense_progress(struct sense *s, unsigned progress)
{
	s->sks[0] = 0x80;
	s->sks[1] = (uint8_t)(progress >> 8);
	s->sks[2] = (uint8_t)progress;
}

/* Longest encoding that sense_encode() makes. */
#define SENSE_MAX 64

/* Encodes into buf (at least SENSE_MAX bytes): response code 70h or 71h fixed (18 bytes) or 72h, 73h
 * descriptor (8 bytes and descriptors). Gives the length. */
size_t sense_encode(const struct sense *s, bool descriptor, uint8_t *buf);

#endif
