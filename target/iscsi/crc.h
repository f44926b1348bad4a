/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC32C as iSCSI's digests have it (RFC 7143 13.1), which go out least significant byte first. A
 * digest over a PDU's parts is made by adding them in order:
 *
 *	uint32_t crc = crc_add(CRC_START, data, len);
 *	crc_store(digest, crc_add_padding(crc, len));
 *
 * Pure; any thread.
 */
#ifndef ISCSI_CRC_H
#define ISCSI_CRC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/crc.h"

/* As crc_add(), over a piece of a scatter list: len bytes from offset `skip` on. Gives less where
 * the list ends before that; the caller has checked that it does not. */
uint32_t crc_add_iov(uint32_t crc, const struct iovec *iov, int cnt, size_t skip, size_t len);

/* The zero bytes (none to three) that pad a data segment of len bytes: part of its digest. */
uint32_t crc_add_padding(uint32_t crc, size_t len);

/* The four bytes as they go on the wire, from a running value. */
void crc_store(uint8_t digest[static 4], uint32_t crc);

/* Whether these four bytes from the wire are right for what was added up. */
bool crc_matches(const uint8_t digest[static 4], uint32_t crc);

#endif
