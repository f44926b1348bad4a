/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/load/stamp.h"

#include "base/bytes.h"

#define WORD       8
#define PLACE_BITS 12

/* The word that stands at byte `at` of the blocks from lba on. */
static uint64_t word_at(uint64_t lba, uint64_t at, uint32_t block_size)
{
	return (lba + at / block_size) << PLACE_BITS | at % block_size / WORD;
}

void stamp(uint8_t *p, size_t len, uint64_t lba, uint32_t block_size)
{
	for (size_t at = 0; at < len; at += WORD)
		put_be64(p + at, word_at(lba, at, block_size));
}

bool stamp_holds(const uint8_t *p, size_t len, uint64_t lba, uint32_t off, uint32_t block_size)
{
	uint64_t at = off;

	for (size_t n; len; p += n, at += n, len -= n) {
		uint8_t word[WORD];

		put_be64(word, word_at(lba, at - at % WORD, block_size));
		n = WORD - at % WORD;
		if (n > len)
			n = len;
		if (memcmp(p, word + at % WORD, n) != 0)
			return false;
	}
	return true;
}
