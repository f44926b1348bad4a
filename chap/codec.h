/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text forms of CHAP's values (RFC 7143 6.1 and 12.1.3): binary as hex or base64, numbers,
 * and the list of algorithms.
 *
 * All of it reads what an unauthenticated peer sent. Every decoder takes a NUL-terminated string,
 * consumes all of it or refuses it, allocates nothing, and compares the size that the text stands
 * for with the destination before it decodes the first digit. CHAP_N is text and has no decoder:
 * a name that begins with "0x" is a name that begins with "0x".
 */
#ifndef CHAP_CODEC_H
#define CHAP_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "chap/digest.h"

#define CODEC_BINARY_MAX  1024 /* bytes that a binary key value may stand for: RFC 7143 6.1 */
#define CODEC_LIST_MAX    32   /* entries of a CHAP_A list; the registry has a dozen numbers */

/* Characters that codec_hex() writes for n bytes, NUL included. */
#define CODEC_HEX_SIZE(n) (2 + 2 * (n) + 1)

enum codec_fault {
	CODEC_OK,
	CODEC_NO_PREFIX, /* a binary value without 0x or 0b */
	CODEC_EMPTY,
	CODEC_TOO_LONG, /* for the destination, or more than the standard allows */
	CODEC_BAD_DIGIT,
	CODEC_ODD_DIGITS,  /* of hexadecimal */
	CODEC_BAD_PADDING, /* of base64 */
	CODEC_OUT_OF_RANGE,
};

/* Writes "0x" and 2n lower-case digits and a NUL; out has CODEC_HEX_SIZE(n) characters of room.
 * Hex and not base64 because libiscsi reads nothing else. */
void codec_hex(const uint8_t *in, size_t n, char *out);

/*
 * Decodes "0x"/"0X" and hex digits of either case, or "0b"/"0B" and base64 (RFC 4648 section 4:
 * padded, and the unused bits zero), into at most size bytes at out; *len tells how many.
 * An odd number of hex digits is refused: half a byte has no place in a binary value, and readers
 * that guess where it belongs disagree. A value of no bytes is refused too.
 * On a fault out and *len are untouched or hold a beginning of the value; use neither.
 */
enum codec_fault codec_binary(const char *text, uint8_t *out, size_t size, size_t *len);

/* A number as RFC 7143 6.1 writes them: "0", decimal without a leading zero, or "0x" and hex
 * digits. No sign, no blanks. *value is set only on CODEC_OK, and is then at most max. */
enum codec_fault codec_number(const char *text, uint32_t max, uint32_t *value);

/* CHAP_I: codec_number() in 0..255. */
enum codec_fault codec_identifier(const char *text, uint8_t *id);

/* CHAP_A: numbers separated by single commas, at most CODEC_LIST_MAX. *set gets those that we know;
 * others are valid and skipped, so the set may be empty. *set is set only on CODEC_OK. */
enum codec_fault codec_alg_list(const char *text, chap_alg_set *set);

#endif
