/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads, stores and cursors of base/bytes.h: byte order, and what happens at the
 * end of the buffer.
 */
#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void loads_take_the_first_byte_as_the_highest(void **state)
{
	static const uint8_t p[] = { 0x81, 2, 3, 4, 5, 6, 7, 8 };

	(void)state;
	assert_int_equal(be16(p), 0x8102);
	assert_int_equal(be24(p), 0x810203);
	assert_int_equal(be32(p), 0x81020304);
	assert_true(be64(p) == UINT64_C(0x8102030405060708));
}

static void stores_are_read_back_by_loads(void **state)
{
	uint8_t p[9] = { [8] = 0xee };

	(void)state;
	put_be16(p, 0xfffe);
	assert_int_equal(be16(p), 0xfffe);
	put_be24(p, 0xabcdef);
	assert_int_equal(be24(p), 0xabcdef);
	put_be32(p, 0x89abcdef);
	assert_int_equal(be32(p), 0x89abcdef);
	put_be64(p, UINT64_C(0xfedcba9876543210));
	assert_true(be64(p) == UINT64_C(0xfedcba9876543210));
	assert_int_equal(p[8], 0xee);
}

static void a_store_of_24_bits_drops_what_does_not_fit(void **state)
{
	uint8_t p[4] = { [3] = 0xee };

	(void)state;
	put_be24(p, 0x12345678);
	assert_memory_equal(p, "\x34\x56\x78\xee", 4);
}

static void a_reading_cursor_gives_fields_in_order(void **state)
{
	static const uint8_t p[] = { 1, 0, 2, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 5, 'x',
		'y' };
	struct rd r = rd_of(p, sizeof(p));

	(void)state;
	assert_int_equal(rd_u8(&r), 1);
	assert_int_equal(rd_be16(&r), 2);
	assert_int_equal(rd_be24(&r), 3);
	assert_int_equal(rd_be32(&r), 4);
	assert_true(rd_be64(&r) == 5);
	assert_memory_equal(rd_bytes(&r, 2), "xy", 2);
	assert_true(rd_ok(&r));
	assert_int_equal(r.left, 0);
}

static void a_reading_cursor_stays_bad_after_the_first_read_past_the_end(void **state)
{
	static const uint8_t p[] = { 1, 2, 3 };
	struct rd r = rd_of(p, sizeof(p));

	(void)state;
	assert_int_equal(rd_be32(&r), 0);
	assert_false(rd_ok(&r));
	assert_int_equal(rd_u8(&r), 0);
	assert_null(rd_bytes(&r, 0));
	assert_int_equal(r.left, 3);
}

static void a_reading_cursor_can_take_nothing_from_nothing(void **state)
{
	struct rd r = rd_of(NULL, 0);

	(void)state;
	rd_bytes(&r, 0);
	assert_true(rd_ok(&r));
	rd_u8(&r);
	assert_false(rd_ok(&r));
}

static void a_writing_cursor_puts_fields_in_order(void **state)
{
	static const uint8_t want[] = { 1, 0, 2, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0,
		'z' };
	uint8_t buf[sizeof(want)];
	struct wr w = wr_of(buf, sizeof(buf));

	(void)state;
	wr_u8(&w, 1);
	wr_be16(&w, 2);
	wr_be24(&w, 3);
	wr_be32(&w, 4);
	wr_be64(&w, 5);
	wr_zero(&w, 2);
	wr_bytes(&w, "z", 1);
	assert_true(wr_fits(&w));
	assert_int_equal(w.len, sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
}

static void a_writing_cursor_stops_at_its_end_and_counts_on(void **state)
{
	uint8_t buf[4] = { 0, 0, 0, 0xee };
	struct wr w = wr_of(buf, 3);

	(void)state;
	wr_be16(&w, 0x0102);
	wr_be32(&w, 0x03040506);
	wr_zero(&w, 10);
	wr_be64(&w, 7);
	assert_false(wr_fits(&w));
	assert_int_equal(w.len, 2 + 4 + 10 + 8);
	assert_memory_equal(buf, "\x01\x02\x03\xee", 4);
}

static void a_writing_cursor_of_no_bytes_only_counts(void **state)
{
	struct wr w = wr_of(NULL, 0);

	(void)state;
	wr_be32(&w, 1);
	wr_zero(&w, 4);
	assert_int_equal(w.len, 8);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_take_the_first_byte_as_the_highest),
		cmocka_unit_test(stores_are_read_back_by_loads),
		cmocka_unit_test(a_store_of_24_bits_drops_what_does_not_fit),
		cmocka_unit_test(a_reading_cursor_gives_fields_in_order),
		cmocka_unit_test(a_reading_cursor_stays_bad_after_the_first_read_past_the_end),
		cmocka_unit_test(a_reading_cursor_can_take_nothing_from_nothing),
		cmocka_unit_test(a_writing_cursor_puts_fields_in_order),
		cmocka_unit_test(a_writing_cursor_stops_at_its_end_and_counts_on),
		cmocka_unit_test(a_writing_cursor_of_no_bytes_only_counts),
	};

	return cmocka_run_group_tests_name("base/bytes", tests, NULL, NULL);
}
