/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LTO generations: what a drive says of a medium, and which drive takes which.
 */
#ifndef VTL_MEDIA_H
#define VTL_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct media {
	unsigned int generation;    /* 3 … 9 */
	const char *name;           /* "LTO-5" */
	const char *description;    /* "Ultrium 5/16T": at most 20 bytes */
	const char *density_name;   /* "U-516": at most 8 bytes */
	const char *suffix;         /* of a barcode: "L5" */
	const char *worm_suffix;    /* "LV" */
	uint8_t density;            /* primary density code */
	uint8_t medium_type;        /* MODE SENSE, data cartridge */
	uint8_t worm_medium_type;
	uint32_t bits_per_mm;
	uint16_t tracks;
	uint16_t width;             /* tenths of a millimetre */
	uint16_t length;            /* metres */
	unsigned int partitions;    /* at most */
	uint64_t capacity;          /* native, bytes */
	uint64_t early_warning;     /* bytes before the end; see media_early_warning() */
	uint32_t mam;               /* bytes of medium auxiliary memory */
};

/* The row of a generation, by number, or by a barcode's suffix ("L5", or "LT" and then *worm is
 * true); NULL when there is none. Borrowed for good. */
const struct media *media_generation(unsigned int generation);
const struct media *media_suffix(const char *suffix, bool *worm);

/* All rows, in the order of their generation: a walk from NULL to NULL. */
const struct media *media_next(const struct media *m);

/* Whether a drive of this generation reads, or writes, a medium of that one. */
bool media_reads(unsigned int drive, const struct media *m);
bool media_writes(unsigned int drive, const struct media *m);

/* Bytes before the end of a partition of this capacity at which a drive begins to warn: the
 * generation's, or less where the partition is small. */
uint64_t media_early_warning(const struct media *m, uint64_t capacity);

#endif
