/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two encodings of sense data (SPC-5 4.4.2, 4.4.3).
 */
#include "scsi/sense.h"

#include <string.h>

#include "base/bytes.h"

static uint8_t stream_bits(const struct sense *s)
{
	return (uint8_t)(s->filemark << 7 | s->eom << 6 | s->ili << 5);
}

/* The INFORMATION field has 32 bits: a larger number is not valid there; a residual of a tape may
 * be negative. */
static bool fits_fixed(uint64_t info)
{
	return info <= UINT32_MAX || info >= (uint64_t)INT32_MIN;
}

static size_t encode_fixed(const struct sense *s, uint8_t *buf)
{
	bool valid = s->info_valid && fits_fixed(s->info);

	memset(buf, 0, 18);
	buf[0] = (uint8_t)(0x70 | s->deferred | valid << 7);
	buf[2] = (uint8_t)(s->key | stream_bits(s));
	if (valid)
		put_be32(buf + 3, (uint32_t)s->info);
	buf[7] = 18 - 8;
	put_be32(buf + 8, s->command_info);
	put_be16(buf + 12, s->asc);
	memcpy(buf + 15, s->sks, sizeof(s->sks));
	return 18;
}

/* Descriptors: type, additional length, then as the type says (SPC-5 table 29). */
static void wr_information(struct wr *w, uint64_t info)
{
	wr_bytes(w, (const uint8_t[]){ 0x00, 0x0a, 0x80, 0 }, 4);
	wr_be64(w, info);
}

static void wr_command_info(struct wr *w, uint64_t info)
{
	wr_bytes(w, (const uint8_t[]){ 0x01, 0x0a, 0, 0 }, 4);
	wr_be64(w, info);
}

static void wr_key_specific(struct wr *w, const uint8_t sks[static 3])
{
	wr_bytes(w, (const uint8_t[]){ 0x02, 0x06, 0, 0, sks[0], sks[1], sks[2], 0 }, 8);
}

static size_t encode_descriptor(const struct sense *s, uint8_t *buf)
{
	struct wr w = wr_of(buf, SENSE_MAX);

	wr_u8(&w, 0x72 | s->deferred);
	wr_u8(&w, s->key);
	wr_be16(&w, s->asc);
	wr_zero(&w, 4);
	if (s->info_valid)
		wr_information(&w, s->info);
	if (s->command_info)
		wr_command_info(&w, s->command_info);
	if (s->sks[0] & 0x80)
		wr_key_specific(&w, s->sks);
	if (stream_bits(s))
		wr_bytes(&w, (const uint8_t[]){ 0x04, 0x02, 0, stream_bits(s) }, 4);
	buf[7] = (uint8_t)(w.len - 8);
	return w.len;
}

size_t sense_encode(const struct sense *s, bool descriptor, uint8_t *buf)
{
	return descriptor ? encode_descriptor(s, buf) : encode_fixed(s, buf);
}
