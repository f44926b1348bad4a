/* SPDX-License-Identifier: BSD-2-Clause */
/* Digests: CRC32C over the parts of a PDU, in the byte order of the wire. */
#include "iscsi/crc.h"

#include "base/bytes.h"

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
	put_le32(digest, crc_end(crc));
}

bool crc_matches(const uint8_t digest[static 4], uint32_t crc)
{
	return le32(digest) == crc_end(crc);
}
