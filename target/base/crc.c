/* SPDX-License-Identifier: BSD-2-Clause */
/* ISA-L's CRC32C, cut into the lengths that it takes. */
#include "base/crc.h"

#include <isa-l/crc.h>
#include <limits.h>

uint32_t crc_add(uint32_t crc, const void *p, size_t len)
{
	/* ISA-L only reads, and counts in int. */
	unsigned char *at = (unsigned char *)(uintptr_t)p;

	while (len) {
		int n = len < INT_MAX ? (int)len : INT_MAX;

		crc = crc32_iscsi(at, n, crc);
		at += n;
		len -= (size_t)n;
	}
	return crc;
}
