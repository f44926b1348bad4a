/* SPDX-License-Identifier: BSD-2-Clause */
/* Text forms of CHAP's values: what is read, what is refused, and that nothing is written past. */
#include "chap/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Decodes into a heap block of exactly `size` bytes, so that ASan sees the first byte too many. */
static enum codec_fault decode(const char *text, size_t size, uint8_t *out, size_t *len)
{
	uint8_t *exact = malloc(size ? size : 1);
	enum codec_fault fault;

	assert_non_null(exact);
	*len = 9999;
	fault = codec_binary(text, exact, size, len);
	if (fault == CODEC_OK)
		memcpy(out, exact, *len);
	free(exact);
	return fault;
}

static void assert_decodes(const char *text, size_t size, const char *want, size_t want_len)
{
	uint8_t out[2048];
	size_t len;

	assert_int_equal(decode(text, size, out, &len), CODEC_OK);
	assert_int_equal(len, want_len);
	assert_memory_equal(out, want, want_len);
}

static void assert_refused(const char *text, size_t size, enum codec_fault want)
{
	uint8_t out[2048];
	size_t len;

	assert_int_equal(decode(text, size, out, &len), want);
}

static void bytes_are_written_as_lower_case_hex(void **state)
{
	char out[CODEC_HEX_SIZE(4)];

	(void)state;
	codec_hex((const uint8_t *)"\x00\x9f\xAB\xff", 4, out);
	assert_string_equal(out, "0x009fabff");
	codec_hex(NULL, 0, out);
	assert_string_equal(out, "0x");
}

static void hex_is_read_in_either_case(void **state)
{
	(void)state;
	assert_decodes("0x009fABff", 4, "\x00\x9f\xab\xff", 4);
	assert_decodes("0X0aBcDeF1", 4, "\x0a\xbc\xde\xf1", 4);
	assert_decodes("0x7f", 100, "\x7f", 1);
}

static void base64_is_read_with_each_padding(void **state)
{
	(void)state;
	/* RFC 4648 section 10. */
	assert_decodes("0bZg==", 1, "f", 1);
	assert_decodes("0bZm8=", 2, "fo", 2);
	assert_decodes("0bZm9v", 3, "foo", 3);
	assert_decodes("0BZm9vYg==", 4, "foob", 4);
	assert_decodes("0bZm9vYmE=", 5, "fooba", 5);
	assert_decodes("0bZm9vYmFy", 6, "foobar", 6);
	/* base64.b64encode(bytes.fromhex("fbeffe00103e3f")) */
	assert_decodes("0b++/+ABA+Pw==", 7, "\xfb\xef\xfe\x00\x10\x3e\x3f", 7);
}

static void hex_that_would_overflow_is_refused_before_decoding(void **state)
{
	(void)state;
	assert_refused("0x0011", 1, CODEC_TOO_LONG);
	assert_refused("0xzzzz", 1, CODEC_TOO_LONG); /* the length counts before the digits */
	assert_decodes("0x0011", 2, "\x00\x11", 2);
}

static void base64_that_would_overflow_is_refused_before_decoding(void **state)
{
	char text[2 + 128 + 1] = "0b";

	(void)state;
	/* 127 characters and a pad stand for 95 bytes, where 32 are expected. */
	memset(text + 2, 'A', 127);
	text[129] = '=';
	assert_refused(text, 32, CODEC_TOO_LONG);
	assert_refused(text, 94, CODEC_TOO_LONG);
	assert_refused("0bZm8=", 1, CODEC_TOO_LONG);
	assert_refused("0bZg==", 0, CODEC_TOO_LONG);
}

static void the_longest_value_of_1024_bytes_is_read_both_ways(void **state)
{
	char hex[2 + 2 * 1025 + 1] = "0x", base64[2 + 1368 + 1] = "0b";
	static const char zeros[1024];

	(void)state;
	memset(hex + 2, '0', 2048);
	memset(base64 + 2, 'A', 1366);
	memcpy(base64 + 2 + 1366, "==", 3);
	assert_decodes(hex, CODEC_BINARY_MAX, zeros, 1024);
	assert_decodes(base64, CODEC_BINARY_MAX, zeros, 1024);
	memcpy(hex + 2 + 2048, "00", 3);
	base64[2 + 1366] = 'A';
	assert_refused(hex, CODEC_BINARY_MAX, CODEC_TOO_LONG);
	assert_refused(base64, CODEC_BINARY_MAX, CODEC_TOO_LONG);
}

static void an_odd_number_of_hex_digits_is_refused(void **state)
{
	(void)state;
	assert_refused("0x1", 16, CODEC_ODD_DIGITS);
	assert_refused("0x123", 16, CODEC_ODD_DIGITS);
}

static void a_value_without_bytes_is_refused(void **state)
{
	(void)state;
	assert_refused("", 16, CODEC_EMPTY);
	assert_refused("0x", 16, CODEC_EMPTY);
	assert_refused("0B", 16, CODEC_EMPTY);
}

static void a_value_without_prefix_is_refused(void **state)
{
	(void)state;
	assert_refused("0", 16, CODEC_NO_PREFIX);
	assert_refused("00ff", 16, CODEC_NO_PREFIX);
	assert_refused("x00ff", 16, CODEC_NO_PREFIX);
	assert_refused(" 0x00ff", 16, CODEC_NO_PREFIX);
	assert_refused("1x00", 16, CODEC_NO_PREFIX);
}

static void hex_with_anything_else_in_it_is_refused(void **state)
{
	static const char *const bad[] = { "0x0g", "0xg0", "0x0 ", "0x 0", "0x0x00", "0x-1", "0x+1",
		"0x00\n0", "0x0/", "0x0:", "0x0@", "0x0G", "0x0`", "0x\xc3\xa9" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(bad[i], 16, CODEC_BAD_DIGIT);
}

static void base64_with_anything_else_in_it_is_refused(void **state)
{
	static const char *const bad[] = { "0bZg= ", "0bZ m9", "0bZm9\n", "0bZm-_", "0b=Zm9",
		"0bZ===", "0b====", "0bZg==Zg==", "0bZm=v", "0bAA.A", "0bAA:A", "0bAA@A", "0bAA[A",
		"0bAA`A", "0bAA{A", "0bAA\xc3\xa9" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(bad[i], 16, CODEC_BAD_DIGIT);
}

static void base64_without_its_padding_is_refused(void **state)
{
	(void)state;
	assert_refused("0bZg", 16, CODEC_BAD_PADDING);
	assert_refused("0bZg=", 16, CODEC_BAD_PADDING);
	assert_refused("0bZm8", 16, CODEC_BAD_PADDING);
	assert_refused("0bZm9vZ", 16, CODEC_BAD_PADDING);
	assert_refused("0b=", 16, CODEC_BAD_PADDING);
}

static void base64_with_bits_that_belong_to_no_byte_is_refused(void **state)
{
	(void)state;
	assert_refused("0bZh==", 16, CODEC_BAD_PADDING);
	assert_refused("0bZm9=", 16, CODEC_BAD_PADDING);
	assert_refused("0bZ/==", 16, CODEC_BAD_PADDING);
}

static void every_byte_survives_writing_and_reading(void **state)
{
	uint8_t in[256], out[256];
	char text[CODEC_HEX_SIZE(256)];
	size_t len;

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		in[i] = (uint8_t)i;
	codec_hex(in, sizeof(in), text);
	assert_int_equal(codec_binary(text, out, sizeof(out), &len), CODEC_OK);
	assert_int_equal(len, sizeof(in));
	assert_memory_equal(in, out, sizeof(in));
}

static void assert_number(const char *text, uint32_t max, uint32_t want)
{
	uint32_t value = ~want;

	assert_int_equal(codec_number(text, max, &value), CODEC_OK);
	assert_int_equal(value, want);
}

static void assert_no_number(const char *text, uint32_t max, enum codec_fault want)
{
	uint32_t value = 4711;

	assert_int_equal(codec_number(text, max, &value), want);
	assert_int_equal(value, 4711);
}

static void numbers_are_read_in_decimal_and_hex_up_to_their_limit(void **state)
{
	(void)state;
	assert_number("0", 255, 0);
	assert_number("9", 255, 9);
	assert_number("255", 255, 255);
	assert_number("0x0", 255, 0);
	assert_number("0xfF", 255, 255);
	assert_number("0X0000000000000000000000001f", 255, 31);
	assert_number("4294967295", UINT32_MAX, UINT32_MAX);
	assert_number("0xffffffff", UINT32_MAX, UINT32_MAX);
}

static void numbers_above_their_limit_are_refused_however_long(void **state)
{
	(void)state;
	assert_no_number("256", 255, CODEC_OUT_OF_RANGE);
	assert_no_number("0x100", 255, CODEC_OUT_OF_RANGE);
	assert_no_number("4294967296", UINT32_MAX, CODEC_OUT_OF_RANGE);
	assert_no_number("18446744073709551616", UINT32_MAX, CODEC_OUT_OF_RANGE);
	assert_no_number("0x10000000000000001", UINT32_MAX, CODEC_OUT_OF_RANGE);
	assert_no_number("1", 0, CODEC_OUT_OF_RANGE);
}

static void numbers_with_anything_else_in_them_are_refused(void **state)
{
	static const char *const bad[] = { "00", "07", "-1", "+1", " 1", "1 ", "1a", "a", "0x",
		"0xg", "0b1", "1.0", "1,2", "0x1 ", "x1", "1\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_no_number(bad[i], 255, CODEC_BAD_DIGIT);
	assert_no_number("", 255, CODEC_EMPTY);
}

static void an_identifier_is_a_number_up_to_255(void **state)
{
	uint8_t id = 1;

	(void)state;
	assert_int_equal(codec_identifier("0xff", &id), CODEC_OK);
	assert_int_equal(id, 255);
	assert_int_equal(codec_identifier("256", &id), CODEC_OUT_OF_RANGE);
	assert_int_equal(codec_identifier("-1", &id), CODEC_BAD_DIGIT);
	assert_int_equal(id, 255);
}

static void assert_list(const char *text, chap_alg_set want)
{
	chap_alg_set set = ~want;

	assert_int_equal(codec_alg_list(text, &set), CODEC_OK);
	assert_int_equal(set, want);
}

static void a_list_gives_the_algorithms_that_we_know(void **state)
{
	chap_alg_set all = chap_alg_bit(5) | chap_alg_bit(6) | chap_alg_bit(7) | chap_alg_bit(8);

	(void)state;
	assert_list("5", chap_alg_bit(5));
	assert_list("8,7,6,5", all);
	assert_list("5,6,7,8", all);
	assert_list("0x8,0x05", chap_alg_bit(8) | chap_alg_bit(5));
	assert_list("9,65535,5,128,37", chap_alg_bit(5));
	assert_list("4", 0);
	assert_list("5,5", chap_alg_bit(5));
}

static void a_malformed_list_is_refused_whole(void **state)
{
	static const struct {
		const char *text;
		enum codec_fault fault;
	} bad[] = {
		{ "", CODEC_EMPTY },
		{ ",", CODEC_EMPTY },
		{ "5,", CODEC_EMPTY },
		{ ",5", CODEC_EMPTY },
		{ "5,,6", CODEC_EMPTY },
		{ "5, 6", CODEC_BAD_DIGIT },
		{ "5;6", CODEC_BAD_DIGIT },
		{ "MD5", CODEC_BAD_DIGIT },
		{ "5,0x", CODEC_BAD_DIGIT },
		{ "05", CODEC_BAD_DIGIT },
		{ "5,65536", CODEC_OUT_OF_RANGE },
		{ "0,x5", CODEC_BAD_DIGIT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		chap_alg_set set = 4711;

		assert_int_equal(codec_alg_list(bad[i].text, &set), bad[i].fault);
		assert_int_equal(set, 4711);
	}
}

static void a_list_of_32_entries_is_read_and_one_of_33_refused(void **state)
{
	char text[2 * 33 + 1] = "5";
	chap_alg_set set;

	(void)state;
	for (size_t i = 1; i < 32; i++)
		memcpy(text + 2 * i - 1, ",6", 3);
	assert_list(text, chap_alg_bit(5) | chap_alg_bit(6));
	memcpy(text + 2 * 32 - 1, ",7", 3);
	assert_int_equal(codec_alg_list(text, &set), CODEC_TOO_LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_written_as_lower_case_hex),
		cmocka_unit_test(hex_is_read_in_either_case),
		cmocka_unit_test(base64_is_read_with_each_padding),
		cmocka_unit_test(hex_that_would_overflow_is_refused_before_decoding),
		cmocka_unit_test(base64_that_would_overflow_is_refused_before_decoding),
		cmocka_unit_test(the_longest_value_of_1024_bytes_is_read_both_ways),
		cmocka_unit_test(an_odd_number_of_hex_digits_is_refused),
		cmocka_unit_test(a_value_without_bytes_is_refused),
		cmocka_unit_test(a_value_without_prefix_is_refused),
		cmocka_unit_test(hex_with_anything_else_in_it_is_refused),
		cmocka_unit_test(base64_with_anything_else_in_it_is_refused),
		cmocka_unit_test(base64_without_its_padding_is_refused),
		cmocka_unit_test(base64_with_bits_that_belong_to_no_byte_is_refused),
		cmocka_unit_test(every_byte_survives_writing_and_reading),
		cmocka_unit_test(numbers_are_read_in_decimal_and_hex_up_to_their_limit),
		cmocka_unit_test(numbers_above_their_limit_are_refused_however_long),
		cmocka_unit_test(numbers_with_anything_else_in_them_are_refused),
		cmocka_unit_test(an_identifier_is_a_number_up_to_255),
		cmocka_unit_test(a_list_gives_the_algorithms_that_we_know),
		cmocka_unit_test(a_malformed_list_is_refused_whole),
		cmocka_unit_test(a_list_of_32_entries_is_read_and_one_of_33_refused),
	};

	return cmocka_run_group_tests_name("chap/codec", tests, NULL, NULL);
}
