/* SPDX-License-Identifier: BSD-2-Clause */
/* The distance between two words: see near.h. */
#include "base/near.h"

#include <ctype.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#define LONGEST 40

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

static int plain(char c)
{
	return c == '-' ? '_' : tolower((unsigned char)c);
}

/* One row of the table of distances between all beginnings is enough at a time. */
unsigned near_distance(const char *word, const char *meant)
{
	unsigned row[LONGEST + 1];
	size_t len = strlen(meant);

	if (len > LONGEST || strlen(word) > LONGEST)
		return UINT_MAX;
	for (unsigned j = 0; j <= len; j++)
		row[j] = j;
	for (unsigned i = 1; word[i - 1]; i++) {
		unsigned corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			unsigned next = corner + (plain(word[i - 1]) != plain(meant[j - 1]));

			corner = row[j];
			row[j] = least(next, row[j] + 1, row[j - 1] + 1);
		}
	}
	return row[len];
}

bool near_enough(unsigned distance, const char *meant)
{
	return distance <= 1 + strlen(meant) / 4;
}
