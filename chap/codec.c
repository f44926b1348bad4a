/* SPDX-License-Identifier: BSD-2-Clause */
/* Text to bytes and back, for values that anybody may have sent. */
#include "chap/codec.h"

#include <stdbool.h>
#include <string.h>

void codec_hex(const uint8_t *in, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	*out++ = '0';
	*out++ = 'x';
	for (size_t i = 0; i < n; i++) {
		*out++ = digits[in[i] >> 4];
		*out++ = digits[in[i] & 15];
	}
	*out = '\0';
}

/* The value of a digit, or -1. */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* n digits at text, nothing else; out has room for n / 2 bytes. */
static enum codec_fault hex_decode(const char *text, size_t n, uint8_t *out)
{
	for (size_t i = 0; i < n; i += 2) {
		int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			return CODEC_BAD_DIGIT;
		*out++ = (uint8_t)(high << 4 | low);
	}
	return CODEC_OK;
}

/* n characters at text, the padding not among them; out has room for n * 6 / 8 bytes. */
static enum codec_fault base64_decode(const char *text, size_t n, uint8_t *out)
{
	uint32_t bits = 0; /* the lowest `have` of them are not yet written */
	unsigned have = 0;

	for (size_t i = 0; i < n; i++) {
		int digit = base64_digit(text[i]);

		if (digit < 0)
			return CODEC_BAD_DIGIT;
		bits = (bits << 6 | (uint32_t)digit) & 0xfff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			*out++ = (uint8_t)(bits >> have);
		}
	}
	return bits & ((1u << have) - 1) ? CODEC_BAD_PADDING : CODEC_OK;
}

/* text is what follows the prefix. */
static enum codec_fault binary_from_hex(const char *text, uint8_t *out, size_t size, size_t *len)
{
	size_t n = strlen(text);

	if (n == 0)
		return CODEC_EMPTY;
	if (n % 2)
		return CODEC_ODD_DIGITS;
	if (n / 2 > size)
		return CODEC_TOO_LONG;
	*len = n / 2;
	return hex_decode(text, n, out);
}

static enum codec_fault binary_from_base64(const char *text, uint8_t *out, size_t size, size_t *len)
{
	size_t n = strlen(text), pad = 0;

	if (n == 0)
		return CODEC_EMPTY;
	if (n % 4)
		return CODEC_BAD_PADDING;
	while (pad < 2 && text[n - 1 - pad] == '=')
		pad++;
	if (n / 4 * 3 - pad > size)
		return CODEC_TOO_LONG;
	*len = n / 4 * 3 - pad;
	return base64_decode(text, n - pad, out);
}

/* Does text begin with '0' and this letter, in either case? */
static bool has_prefix(const char *text, char letter)
{
	return text[0] == '0' && (text[1] | 0x20) == letter;
}

enum codec_fault codec_binary(const char *text, uint8_t *out, size_t size, size_t *len)
{
	if (has_prefix(text, 'x'))
		return binary_from_hex(text + 2, out, size, len);
	if (has_prefix(text, 'b'))
		return binary_from_base64(text + 2, out, size, len);
	return *text ? CODEC_NO_PREFIX : CODEC_EMPTY;
}

/* Reads digits up to `end`; the value stays at or under max, so that it cannot wrap. */
static enum codec_fault number(const char *text, const char *end, uint32_t max, uint32_t *value)
{
	unsigned base = 10;
	uint64_t sum = 0;

	if (end - text > 2 && has_prefix(text, 'x')) {
		text += 2;
		base = 16;
	} else if (end - text > 1 && *text == '0') {
		return CODEC_BAD_DIGIT;
	}
	if (text == end)
		return CODEC_EMPTY;
	for (; text < end; text++) {
		int digit = hex_digit(*text);

		if (digit < 0 || (unsigned)digit >= base)
			return CODEC_BAD_DIGIT;
		sum = sum * base + (unsigned)digit;
		if (sum > max)
			return CODEC_OUT_OF_RANGE;
	}
	*value = (uint32_t)sum;
	return CODEC_OK;
}

enum codec_fault codec_number(const char *text, uint32_t max, uint32_t *value)
{
	return number(text, text + strlen(text), max, value);
}

enum codec_fault codec_identifier(const char *text, uint8_t *id)
{
	uint32_t value;
	enum codec_fault fault = codec_number(text, UINT8_MAX, &value);

	if (fault == CODEC_OK)
		*id = (uint8_t)value;
	return fault;
}

enum codec_fault codec_alg_list(const char *text, chap_alg_set *set)
{
	chap_alg_set known = 0;

	for (unsigned i = 0; i < CODEC_LIST_MAX; i++) {
		const char *end = strchrnul(text, ',');
		uint32_t alg;
		enum codec_fault fault = number(text, end, UINT16_MAX, &alg);

		if (fault != CODEC_OK)
			return fault;
		known |= chap_alg_bit(alg);
		if (*end == '\0') {
			*set = known;
			return CODEC_OK;
		}
		text = end + 1;
	}
	return CODEC_TOO_LONG;
}
