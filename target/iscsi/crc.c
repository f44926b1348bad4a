/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Digests: ISA-L's CRC32C, cut into the lengths that it takes and put into iSCSI's byte order.
 */
#include "iscsi/crc.h"

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

uint32_t crc_add_iov(uint32_t crc, const struct iovec *iov, int cnt, size_t skip, size_t len)
{
	for (; cnt > 0 && len; iov++, cnt--) {
		if (skip >= iov->iov_len) {
			skip -= iov->iov_len;
			continue;
		}
		size_t n = iov->iov_len - skip;
		if (n > len)
			n = len;
		crc = crc_add(crc, (const uint8_t *)iov->iov_base + skip, n);
		skip = 0;
		len -= n;
	}
	return crc;
}

uint32_t crc_add_padding(uint32_t crc, size_t len)
{
	static const uint8_t zero[3];

	return crc_add(crc, zero, -len & 3);
}

void crc_store(uint8_t digest[static 4], uint32_t crc)
{
	crc = ~crc;
	for (int i = 0; i < 4; i++)
		digest[i] = (uint8_t)(crc >> 8 * i);
}

bool crc_matches(const uint8_t digest[static 4], uint32_t crc)
{
	uint32_t sent = (uint32_t)digest[3] << 24 | (uint32_t)digest[2] << 16 |
			(uint32_t)digest[1] << 8 | digest[0];

	return sent == ~crc;
}
