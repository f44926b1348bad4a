/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logical block protection (SSC-4 4.2.29): between the host and the drive each block has its
 * checksum behind it, which counts as part of its length. On the tape every block has one anyway.
 */
#include <string.h>

#include "base/crc.h"
#include "base/crc_rs.h"
#include "scsi/ssc.h"
#include "vtl/format.h"

/* CRC32C goes least significant byte first, the other one most. */
static void guard_of(
	enum tape_guard method, const uint8_t *block, size_t len, uint8_t out[static TAPE_GUARD])
{
	if (method == TAPE_GUARD_RS)
		put_be32(out, crc_rs(0, block, len));
	else
		put_le32(out, crc_end(crc_add(CRC_START, block, len)));
}

/* One block after the other, as their guards stand in between. */
enum cartridge_result tape_write_guarded(struct cartridge *c, enum tape_guard method,
	const uint8_t *buf, size_t len, size_t count, const struct cartridge_write_how *how,
	size_t *done, bool *wrong)
{
	enum cartridge_result r = CARTRIDGE_OK;

	*wrong = false;
	for (*done = 0; *done < count && r == CARTRIDGE_OK; buf += len) {
		struct iovec iov = { (void *)(uintptr_t)buf, len - TAPE_GUARD };
		uint8_t guard[TAPE_GUARD];
		size_t one;

		guard_of(method, buf, iov.iov_len, guard);
		*wrong = memcmp(guard, buf + iov.iov_len, TAPE_GUARD) != 0;
		if (*wrong)
			break;
		r = cartridge_write(c, &iov, 1, iov.iov_len, 1, how, &one);
		*done += one;
	}
	return r;
}

void tape_add_guard(enum tape_guard method, uint8_t *block, size_t len, size_t room)
{
	uint8_t guard[TAPE_GUARD];
	size_t n = room > len ? room - len : 0;

	if (!n)
		return;
	guard_of(method, block, len, guard);
	memcpy(block + len, guard, n < TAPE_GUARD ? n : TAPE_GUARD);
}
