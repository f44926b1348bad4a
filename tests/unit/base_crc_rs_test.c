/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Reed-Solomon CRC: against its definition, and against the values that the IBM LTO SCSI
 * Reference prints for single bytes (annex "Reed-Solomon CRC"). There is no published value for
 * longer text: that of "123456789" was made from the printed table, a byte at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/crc_rs.h"

/* The product in GF(256) by x⁸ + x⁴ + x³ + x² + 1. */
static uint8_t times(uint8_t a, uint8_t b)
{
	uint8_t product = 0;

	for (; b; b >>= 1) {
		if (b & 1)
			product ^= a;
		a = (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1d : 0));
	}
	return product;
}

/* Division by x⁴ + α²⁰¹x³ + α²⁴⁶x² + α²⁰¹x + 1, a byte at a time. */
static uint32_t divided(const uint8_t *p, size_t len)
{
	static const uint8_t divisor[4] = { 0x38, 0xcf, 0x38, 0x01 };
	uint8_t rest[5] = { 0 };

	for (size_t i = 0; i < len; i++) {
		uint8_t lead = rest[0] ^ p[i];

		for (unsigned k = 0; k < 4; k++)
			rest[k] = rest[k + 1] ^ times(lead, divisor[k]);
	}
	return be32(rest);
}

static void the_powers_of_alpha_are_those_of_the_polynomial(void **state)
{
	uint8_t power = 1;

	(void)state;
	for (unsigned i = 1; i <= 246; i++) {
		power = times(power, 2);
		if (i == 201)
			assert_int_equal(power, 0x38);
	}
	assert_int_equal(power, 0xcf);
}

static void single_bytes_have_the_values_of_the_printed_table(void **state)
{
	static const struct { uint8_t byte; uint32_t crc; } rows[] = {
		{ 0x00, 0x00000000 }, { 0x01, 0x38cf3801 }, { 0x02, 0x70837002 },
		{ 0x03, 0x484c4803 }, { 0x10, 0xa76ca710 }, { 0x40, 0xa6ada640 },
		{ 0x61, 0xcdbacd61 }, { 0x80, 0x51475180 }, { 0xa5, 0xda4bdaa5 },
		{ 0xfe, 0x4ef04efe }, { 0xff, 0x763f76ff },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(crc_rs(0, &rows[i].byte, 1), rows[i].crc);
}

static void nine_digits_have_their_check_value(void **state)
{
	(void)state;
	assert_int_equal(crc_rs(0, "123456789", 9), 0x4b4f673a);
}

static void any_length_is_the_rest_of_a_division(void **state)
{
	uint8_t bytes[300];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 3);
	for (size_t len = 0; len <= sizeof(bytes); len++)
		assert_int_equal(crc_rs(0, bytes, len), divided(bytes, len));
}

static void parts_give_what_the_whole_gives(void **state)
{
	static const char whole[] = "123456789";

	(void)state;
	for (size_t at = 0; at <= 9; at++)
		assert_int_equal(crc_rs(crc_rs(0, whole, at), &whole[at], 9 - at), 0x4b4f673a);
}

static void with_its_checksum_behind_it_nothing_is_left(void **state)
{
	uint8_t bytes[20] = "sixteen bytes ...";

	(void)state;
	put_be32(bytes + 16, crc_rs(0, bytes, 16));
	assert_int_equal(crc_rs(0, bytes, 20), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_powers_of_alpha_are_those_of_the_polynomial),
		cmocka_unit_test(single_bytes_have_the_values_of_the_printed_table),
		cmocka_unit_test(nine_digits_have_their_check_value),
		cmocka_unit_test(any_length_is_the_rest_of_a_division),
		cmocka_unit_test(parts_give_what_the_whole_gives),
		cmocka_unit_test(with_its_checksum_behind_it_nothing_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
