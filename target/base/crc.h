/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC32C (Castagnoli), as iSCSI's digests and a cartridge's files have it: begun with CRC_START,
 * fed with the parts in order, and complemented at the end. Pure; any thread.
 *
 *	uint32_t sum = crc_end(crc_add(crc_add(CRC_START, head, sizeof(head)), body, len));
 */
#ifndef BASE_CRC_H
#define BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

#define CRC_START 0xffffffffu

/* The running value after len more bytes. */
uint32_t crc_add(uint32_t crc, const void *p, size_t len);

/* The checksum, from a running value. */
static inline uint32_t crc_end(uint32_t crc)
{
	return ~crc;
}

#endif
