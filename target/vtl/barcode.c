/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Barcodes. No <ctype.h>: what a letter is does not depend on a locale.
 */
#include "vtl/barcode.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

/* In all barcodes that the gateway is known to have made, the first of the three bytes XOR the last
 * is the one, and the middle is the other or its successor. */
#define CHECK  0xa5u
#define MIDDLE 0xa1u

static bool is_letter(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool barcode_valid(const char *text)
{
	size_t n = 0;

	while (is_letter(text[n]) || is_digit(text[n]))
		if (++n > BARCODE_MAX)
			return false;
	return !text[n] && n >= BARCODE_MIN;
}

bool barcode_prefix_valid(const char *text)
{
	size_t n = 0;

	while (is_letter(text[n]))
		if (++n > BARCODE_PREFIX_MAX)
			return false;
	return !text[n] && n >= BARCODE_PREFIX_MIN;
}

bool barcode_generate(const char *prefix, uint32_t number, char out[static BARCODE_SIZE])
{
	unsigned int first = number & 0xff;
	unsigned int middle = (MIDDLE + (number >> 8)) & 0xff;

	if (number >= BARCODE_NUMBERS || !barcode_prefix_valid(prefix))
		return false;
	snprintf(out, BARCODE_SIZE, "%s%02X%02X%02X", prefix, first, middle, first ^ CHECK);
	return true;
}

bool barcode_random(const char *prefix, char out[static BARCODE_SIZE])
{
	uint8_t number[2];

	return RAND_bytes(number, sizeof(number)) == 1 &&
	       barcode_generate(prefix, be16(number), out);
}
