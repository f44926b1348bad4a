/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of LTO generations: figures as the drives' SCSI references give them.
 */
#include "vtl/media.h"

#include <string.h>

#define GB  1000000000u
#define GIB ((uint64_t)1 << 30)

/* A partition warns at this fraction of its capacity, where that is less than the generation's. */
#define WARN_FRACTION 64

// clang-format off
static const struct media table[] = {
	{ 3, "LTO-3", "Ultrium 3/16T", "U-316", "L3", "LT", 0x44, 0x38, 0x3c,
	   9638,  704, 127,  680, 1,   400ull * GB, 2 * GIB,  4096 },
	{ 4, "LTO-4", "Ultrium 4/16T", "U-416", "L4", "LU", 0x46, 0x48, 0x4c,
	  12725,  896, 127,  820, 1,   800ull * GB, 2 * GIB,  8192 },
	{ 5, "LTO-5", "Ultrium 5/16T", "U-516", "L5", "LV", 0x58, 0x58, 0x5c,
	  15142, 1280, 127,  846, 2,  1500ull * GB, 2 * GIB,  8192 },
	{ 6, "LTO-6", "Ultrium 6/16T", "U-616", "L6", "LW", 0x5a, 0x68, 0x6c,
	  15142, 2176, 127,  846, 4,  2500ull * GB, 4 * GIB, 16384 },
	{ 7, "LTO-7", "Ultrium 7/32T", "U-732", "L7", "LX", 0x5c, 0x78, 0x7c,
	  19107, 3584, 127,  960, 4,  6000ull * GB, 4 * GIB, 16384 },
	{ 8, "LTO-8", "Ultrium 8/32T", "U-832", "L8", "LY", 0x5e, 0x88, 0x8c,
	  20669, 6656, 127,  960, 4, 12000ull * GB, 8 * GIB, 16384 },
	{ 9, "LTO-9", "Ultrium 9/32T", "U-932", "L9", "LZ", 0x60, 0x98, 0x9c,
	  21456, 8960, 127, 1035, 4, 18000ull * GB, 8 * GIB, 32768 },
};
// clang-format on

#define ROWS (sizeof(table) / sizeof(table[0]))

const struct media *media_next(const struct media *m)
{
	if (!m)
		return table;
	return m + 1 < table + ROWS ? m + 1 : NULL;
}

const struct media *media_generation(unsigned int generation)
{
	for (const struct media *m = NULL; (m = media_next(m));)
		if (m->generation == generation)
			return m;
	return NULL;
}

const struct media *media_suffix(const char *suffix, bool *worm)
{
	for (const struct media *m = NULL; (m = media_next(m));) {
		*worm = !strcmp(m->worm_suffix, suffix);
		if (*worm || !strcmp(m->suffix, suffix))
			return m;
	}
	return NULL;
}

/* Up to the seventh generation a drive read two generations back; from the eighth on, one. */
bool media_reads(unsigned int drive, const struct media *m)
{
	unsigned int back = drive < 8 ? 2 : 1;

	return m->generation <= drive && drive - m->generation <= back;
}

bool media_writes(unsigned int drive, const struct media *m)
{
	return m->generation <= drive && drive - m->generation <= 1;
}

uint64_t media_early_warning(const struct media *m, uint64_t capacity)
{
	uint64_t part = capacity / WARN_FRACTION;

	return part < m->early_warning ? part : m->early_warning;
}
