/* SPDX-License-Identifier: BSD-2-Clause */
/* Digests against the vectors of RFC 3720 B.4 (RFC 7143 A.4), as the bytes that go on the wire. */
#include "iscsi/crc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_digest(const void *data, size_t len, const uint8_t want[static 4])
{
	uint8_t digest[4];

	crc_store(digest, crc_add(CRC_START, data, len));
	assert_memory_equal(digest, want, 4);
	assert_true(crc_matches(want, crc_add(CRC_START, data, len)));
}

static void digest_of_32_zero_bytes(void **state)
{
	(void)state;
	uint8_t data[32] = { 0 };
	assert_digest(data, 32, (const uint8_t[]){ 0xaa, 0x36, 0x91, 0x8a });
}

static void digest_of_32_bytes_of_ones(void **state)
{
	(void)state;
	uint8_t data[32];
	memset(data, 0xff, 32);
	assert_digest(data, 32, (const uint8_t[]){ 0x43, 0xab, 0xa8, 0x62 });
}

static void digest_of_32_rising_bytes(void **state)
{
	(void)state;
	uint8_t data[32];
	for (int i = 0; i < 32; i++)
		data[i] = (uint8_t)i;
	assert_digest(data, 32, (const uint8_t[]){ 0x4e, 0x79, 0xdd, 0x46 });
}

static void digest_of_32_falling_bytes(void **state)
{
	(void)state;
	uint8_t data[32];
	for (int i = 0; i < 32; i++)
		data[i] = (uint8_t)(31 - i);
	assert_digest(data, 32, (const uint8_t[]){ 0x5c, 0xdb, 0x3f, 0x11 });
}

/* The SCSI Read (10) command PDU of the RFC. */
/* clang-format off */
static const uint8_t read10[48] = {
	0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
	0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18,
	0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};
/* clang-format on */
static const uint8_t read10_digest[4] = { 0x56, 0x3a, 0x96, 0xd9 };

static void digest_of_a_read_command(void **state)
{
	(void)state;
	assert_digest(read10, sizeof(read10), read10_digest);
}

static void digest_does_not_depend_on_where_the_data_are_cut(void **state)
{
	(void)state;
	for (size_t cut = 0; cut <= sizeof(read10); cut++) {
		uint32_t crc = crc_add(CRC_START, read10, cut);
		crc = crc_add(crc, read10 + cut, sizeof(read10) - cut);
		assert_true(crc_matches(read10_digest, crc));
	}
}

static void digest_over_a_scatter_list_is_that_of_the_whole(void **state)
{
	(void)state;
	uint8_t copy[48];
	memcpy(copy, read10, 48);
	struct iovec iov[] = { { copy, 5 }, { copy + 5, 0 }, { copy + 5, 20 }, { copy + 25, 23 } };
	assert_true(crc_matches(read10_digest, crc_add_iov(CRC_START, iov, 4, 0, 48)));
}

static void digest_over_a_piece_of_a_scatter_list_is_that_of_the_piece(void **state)
{
	(void)state;
	uint8_t copy[48];
	memcpy(copy, read10, 48);
	struct iovec iov[] = { { copy, 5 }, { copy + 5, 20 }, { copy + 25, 23 } };
	for (size_t skip = 0; skip <= 48; skip++) {
		for (size_t len = 0; len <= 48 - skip; len++)
			assert_int_equal(crc_add_iov(CRC_START, iov, 3, skip, len),
				crc_add(CRC_START, read10 + skip, len));
	}
}

static void padding_counts_as_zero_bytes_up_to_whole_words(void **state)
{
	(void)state;
	static const uint8_t data[8] = { 'a', 'b', 'c', 'd', 'e', 0, 0, 0 };
	uint32_t crc = crc_add_padding(crc_add(CRC_START, data, 5), 5);
	assert_int_equal(crc, crc_add(CRC_START, data, 8));
}

static void a_length_of_whole_words_has_no_padding(void **state)
{
	(void)state;
	assert_int_equal(crc_add_padding(0x12345678, 4096), 0x12345678);
	assert_int_equal(crc_add_padding(0x12345678, 0), 0x12345678);
}

static void one_wrong_bit_in_a_digest_is_seen(void **state)
{
	(void)state;
	for (int bit = 0; bit < 32; bit++) {
		uint8_t wrong[4];
		memcpy(wrong, read10_digest, 4);
		wrong[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(crc_matches(wrong, crc_add(CRC_START, read10, 48)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digest_of_32_zero_bytes),
		cmocka_unit_test(digest_of_32_bytes_of_ones),
		cmocka_unit_test(digest_of_32_rising_bytes),
		cmocka_unit_test(digest_of_32_falling_bytes),
		cmocka_unit_test(digest_of_a_read_command),
		cmocka_unit_test(digest_does_not_depend_on_where_the_data_are_cut),
		cmocka_unit_test(digest_over_a_scatter_list_is_that_of_the_whole),
		cmocka_unit_test(digest_over_a_piece_of_a_scatter_list_is_that_of_the_piece),
		cmocka_unit_test(padding_counts_as_zero_bytes_up_to_whole_words),
		cmocka_unit_test(a_length_of_whole_words_has_no_padding),
		cmocka_unit_test(one_wrong_bit_in_a_digest_is_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
