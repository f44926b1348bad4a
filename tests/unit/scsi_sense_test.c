/* SPDX-License-Identifier: BSD-2-Clause */
/* The two formats of sense data, byte by byte (SPC-5 4.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scsi/sense.h"

static uint8_t buf[SENSE_MAX];

static void fixed_format_has_18_bytes(void **state)
{
	struct sense s = { .key = SENSE_ILLEGAL_REQUEST, .asc = 0x2400, .sks = { 0xcf, 0, 1 } };
	static const uint8_t want[18] = { 0x70, 0, 0x05, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x24, 0, 0,
		0xcf, 0, 1 };

	(void)state;
	assert_int_equal(sense_encode(&s, false, buf), 18);
	assert_memory_equal(buf, want, 18);
}

static void fixed_format_holds_information_of_32_bits(void **state)
{
	struct sense s = {
		.key = SENSE_MISCOMPARE, .asc = 0x1d00, .info_valid = true, .info = 0x1234
	};

	(void)state;
	sense_encode(&s, false, buf);
	assert_int_equal(buf[0], 0xf0);
	assert_memory_equal(buf + 3, ((const uint8_t[]){ 0, 0, 0x12, 0x34 }), 4);
}

static void fixed_format_leaves_out_information_that_does_not_fit(void **state)
{
	struct sense s = {
		.key = SENSE_MEDIUM_ERROR, .info_valid = true, .info = UINT64_C(1) << 32
	};

	(void)state;
	sense_encode(&s, false, buf);
	assert_int_equal(buf[0], 0x70);
	assert_memory_equal(buf + 3, ((const uint8_t[]){ 0, 0, 0, 0 }), 4);
}

static void fixed_format_holds_a_negative_residual(void **state)
{
	struct sense s = {
		.key = SENSE_NO_SENSE, .ili = true, .info_valid = true, .info = (uint64_t)-2
	};

	(void)state;
	sense_encode(&s, false, buf);
	assert_int_equal(buf[0], 0xf0);
	assert_int_equal(buf[2], 0x20);
	assert_memory_equal(buf + 3, ((const uint8_t[]){ 0xff, 0xff, 0xff, 0xfe }), 4);
}

static void descriptor_format_without_descriptors_has_8_bytes(void **state)
{
	struct sense s = { .key = SENSE_UNIT_ATTENTION, .asc = 0x2900 };

	(void)state;
	assert_int_equal(sense_encode(&s, true, buf), 8);
	assert_memory_equal(buf, ((const uint8_t[]){ 0x72, 6, 0x29, 0, 0, 0, 0, 0 }), 8);
}

static void descriptor_format_lists_what_there_is(void **state)
{
	struct sense s = { .key = SENSE_MEDIUM_ERROR,
		.asc = 0x1100,
		.info_valid = true,
		.info = 0x0102030405060708,
		.command_info = 9,
		.sks = { 0x80, 1, 2 },
		.eom = true };
	static const uint8_t want[] = { 0x72, 3, 0x11, 0, 0, 0, 0, 36, 0, 0x0a, 0x80, 0, 1, 2, 3, 4,
		5, 6, 7, 8, 1, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 2, 6, 0, 0, 0x80, 1, 2, 0, 4, 2,
		0, 0x40 };

	(void)state;
	assert_int_equal(sense_encode(&s, true, buf), sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixed_format_has_18_bytes),
		cmocka_unit_test(fixed_format_holds_information_of_32_bits),
		cmocka_unit_test(fixed_format_leaves_out_information_that_does_not_fit),
		cmocka_unit_test(fixed_format_holds_a_negative_residual),
		cmocka_unit_test(descriptor_format_without_descriptors_has_8_bytes),
		cmocka_unit_test(descriptor_format_lists_what_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
