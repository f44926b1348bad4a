/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reed-Solomon CRC, four bytes at a step. The checksum of a byte is linear in its bits, so that a
 * table is made of the checksums of eight bytes that have one bit each.
 */
#include "base/crc_rs.h"

#include "base/bytes.h"

// clang-format off
#define IF(b, bit, c) ((b) & (bit) ? (c) : 0u)
#define ENTRY(b, c0, c1, c2, c3, c4, c5, c6, c7) \
	(IF(b, 0x01, c0) ^ IF(b, 0x02, c1) ^ IF(b, 0x04, c2) ^ IF(b, 0x08, c3) ^ \
	 IF(b, 0x10, c4) ^ IF(b, 0x20, c5) ^ IF(b, 0x40, c6) ^ IF(b, 0x80, c7))
#define ROW_4(b, ...) ENTRY((b), __VA_ARGS__), ENTRY((b) + 1, __VA_ARGS__), \
	ENTRY((b) + 2, __VA_ARGS__), ENTRY((b) + 3, __VA_ARGS__)
#define ROW_16(b, ...) ROW_4(b, __VA_ARGS__), ROW_4((b) + 4, __VA_ARGS__), \
	ROW_4((b) + 8, __VA_ARGS__), ROW_4((b) + 12, __VA_ARGS__)
#define ROW_64(b, ...) ROW_16(b, __VA_ARGS__), ROW_16((b) + 16, __VA_ARGS__), \
	ROW_16((b) + 32, __VA_ARGS__), ROW_16((b) + 48, __VA_ARGS__)
#define TABLE(...) { ROW_64(0, __VA_ARGS__), ROW_64(64, __VA_ARGS__), \
	ROW_64(128, __VA_ARGS__), ROW_64(192, __VA_ARGS__) }

/* Of a byte that 0, 1, 2, 3 bytes of zero follow. */
static const uint32_t table[4][256] = {
	TABLE(0x38cf3801, 0x70837002, 0xe01be004, 0xdd36dd08,
	      0xa76ca710, 0x53d85320, 0xa6ada640, 0x51475180),
	TABLE(0xe6ba2838, 0xd1695070, 0xbfd2a0e0, 0x63b95ddd,
	      0xc66fbaa7, 0x91de6953, 0x3fa1d2a6, 0x7e5fb951),
	TABLE(0x8e820ce6, 0x011918d1, 0x023230bf, 0x04646063,
	      0x08c8c0c6, 0x108d9d91, 0x2007273f, 0x400e4e7e),
	TABLE(0x9ee5fa8e, 0x21d7e901, 0x42b3cf02, 0x847b8304,
	      0x15f61b08, 0x2af13610, 0x54ff6c20, 0xa8e3d840),
};
// clang-format on

uint32_t crc_rs(uint32_t crc, const void *p, size_t len)
{
	const uint8_t *b = p;

	for (; len >= 4; len -= 4, b += 4) {
		crc ^= be32(b);
		crc = table[3][crc >> 24] ^ table[2][crc >> 16 & 0xff] ^ table[1][crc >> 8 & 0xff] ^
		      table[0][crc & 0xff];
	}
	for (; len; len--, b++)
		crc = crc << 8 ^ table[0][crc >> 24 ^ *b];
	return crc;
}
