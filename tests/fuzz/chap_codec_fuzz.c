/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoders of CHAP's values on any text. The first byte is the size of the destination, the
 * rest the text. What was decoded must come out again when it is written and read once more.
 */
#include "chap/codec.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool true_or_crash)
{
	if (!true_or_crash)
		abort();
}

static void fuzz_binary(const char *text, size_t room)
{
	uint8_t *out = malloc(room), *again = malloc(room);
	char *hex = malloc(CODEC_HEX_SIZE(room));
	size_t len, len2;

	require(out && again && hex);
	if (codec_binary(text, out, room, &len) == CODEC_OK) {
		require(len > 0 && len <= room);
		codec_hex(out, len, hex);
		require(codec_binary(hex, again, room, &len2) == CODEC_OK);
		require(len2 == len && memcmp(out, again, len) == 0);
	}
	free(out);
	free(again);
	free(hex);
}

static void fuzz_numbers(const char *text)
{
	chap_alg_set set = 0,
		     known = chap_alg_bit(5) | chap_alg_bit(6) | chap_alg_bit(7) | chap_alg_bit(8);
	uint32_t value;
	uint8_t id;

	if (codec_number(text, 1000, &value) == CODEC_OK)
		require(value <= 1000 && value == strtoul(text, NULL, 0));
	if (codec_identifier(text, &id) == CODEC_OK)
		require(id == strtoul(text, NULL, 0));
	if (codec_alg_list(text, &set) == CODEC_OK)
		require((set & ~known) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room = size > 0 ? (size_t)data[0] + 1 : 1;
	char *text = calloc(1, size + 1);

	require(text);
	if (size > 1)
		memcpy(text, data + 1, size - 1);
	fuzz_binary(text, room);
	fuzz_numbers(text);
	free(text);
	return 0;
}
