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

struct sense {
	uint8_t key;  /* enum sense_key */
	uint16_t asc; /* additional sense code << 8 | qualifier */
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
