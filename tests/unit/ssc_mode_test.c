/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a tape drive says of itself: INQUIRY, vital product data, block limits, densities, and mode
 * parameters as Linux' st driver, mt and LTFS ask for them.
 */
#include "tests/unit/ssc_support.h"

#include "scsi/unit.h"

/* --- INQUIRY ---------------------------------------------------------------------------- */

static void the_drive_is_an_ibm_ult3580_td5(void **state)
{
	struct tape_rig *rig = tape_rig_new(*state, 5);
	struct result res = TAPE(rig, NULL, 96, 0x12, 0, 0, 0, 96, 0);

	assert_good(res);
	assert_int_equal(res.in[0], 0x01); /* sequential access */
	assert_int_equal(res.in[1], 0x80); /* removable */
	assert_memory_equal(res.in + 8, "IBM     ULT3580-TD5     ", 24);
	assert_int_equal(be16(res.in + 58 + 6), 0x0520); /* SSC-4 */
	tape_rig_free(rig);
}

static void the_vital_product_data_are_those_of_a_tape(void **state)
{
	const uint8_t list[] = { 0x01, 0x00, 0, 10, 0x00, 0x80, 0x83, 0x86, 0x87, 0x88, 0xb0, 0xb1,
		0xb3, 0xb5 };
	struct tape_rig *rig = tape_rig_new(*state, 5);
	struct result res = TAPE(rig, NULL, 255, 0x12, 1, 0x00, 0, 255, 0);

	assert_int_equal(res.in_len, sizeof(list));
	assert_memory_equal(res.in, list, sizeof(list));
	res = TAPE(rig, NULL, 255, 0x12, 1, 0x80, 0, 255, 0);
	assert_memory_equal(res.in, "\x01\x80\0\x0a" "1068000001", 14);
	res = TAPE(rig, NULL, 255, 0x12, 1, 0xb0, 0, 255, 0);
	assert_memory_equal(res.in, "\x01\xb0\0\x02\x01\0", 6);
	res = TAPE(rig, NULL, 255, 0x12, 1, 0xb1, 0, 255, 0);
	assert_memory_equal(res.in, "\x01\xb1\0\x0a" "1068000001", 14);
	res = TAPE(rig, NULL, 255, 0x12, 1, 0xb5, 0, 255, 0);
	assert_memory_equal(res.in, "\x01\xb5\0\x0c\0\0\0\0\3\1\4\xc0\3\2\4\xc0", 16);
	assert_int_equal(TAPE(rig, NULL, 255, 0x12, 1, 0x86, 0, 255, 0).in[4], 0x08);
	assert_int_equal(TAPE(rig, NULL, 96, 0x12, 0, 0, 0, 96, 0).in[5] & 1, 1); /* PROTECT */
	tape_rig_free(rig);
}

static void blocks_are_1_byte_to_8_mib_long(void **state)
{
	struct tape_rig *rig = tape_rig_new(*state, 5);
	struct result res = TAPE(rig, NULL, 6, 0x05, 0, 0, 0, 0, 0);

	assert_int_equal(res.in_len, 6);
	assert_memory_equal(res.in, "\0\x80\0\0\0\x01", 6);
	res = TAPE(rig, NULL, 20, 0x05, 1, 0, 0, 0, 0);
	assert_int_equal(res.in_len, 20);
	assert_int_equal(be64(res.in + 12), INT64_MAX);
	tape_rig_free(rig);
}

static void densities_are_those_that_the_drive_takes(void **state)
{
	struct tape_rig *rig = tape_rig_new(*state, 5);
	struct result res = TAPE(rig, NULL, 512, 0x44, 0, 0, 0, 0, 0, 0, 2, 0, 0);

	assert_int_equal(res.in_len, 4 + 3 * 52);
	assert_int_equal(be16(res.in), 2 + 3 * 52);
	assert_memory_equal(res.in + 4, "\x44\x44\0", 3);           /* LTO-3: is read */
	assert_memory_equal(res.in + 56, "\x46\x46\x80", 3);        /* LTO-4: is written */
	assert_memory_equal(res.in + 108, "\x58\x58\xa0", 3);       /* LTO-5: is its own */
	assert_memory_equal(res.in + 108 + 16, "LTO-CVE U-516   Ultrium 5/16T       ", 36);
	assert_int_equal(be32(res.in + 108 + 12), 1500000);
	tape_rig_free(rig);
}

static void the_density_of_the_medium_needs_one(void **state)
{
	struct tape_rig *rig = tape_rig_new(*state, 5);

	assert_check(TAPE(rig, NULL, 512, 0x44, 1, 0, 0, 0, 0, 0, 2, 0, 0), SENSE_NOT_READY,
		0x3a00);
	tape_rig_free(rig);
	rig = tape_rig_blank(state);
	struct result res = TAPE(rig, NULL, 512, 0x44, 1, 0, 0, 0, 0, 0, 2, 0, 0);
	assert_int_equal(res.in_len, 4 + 52);
	assert_int_equal(res.in[4], 0x58);
	tape_rig_free(rig);
}

static void medium_types_are_told_with_their_densities(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res = TAPE(rig, NULL, 512, 0x44, 3, 0, 0, 0, 0, 0, 2, 0, 0);

	assert_int_equal(res.in_len, 4 + 56);
	assert_memory_equal(res.in + 4, "\x58\0\0\x34\x01\x58", 6);
	tape_rig_free(rig);
}

/* --- MODE SENSE (SSC-4 8.3) ---------------------------------------------------------------- */

/* What st sends when a device is opened: page 0, 12 bytes. */
static void page_0_is_header_and_block_descriptor_alone(void **state)
{
	const uint8_t data[12] = { 11, 0x58, 0x10, 8, 0x58 };
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res = TAPE(rig, NULL, 12, 0x1a, 0, 0, 0, 12, 0);

	assert_good(res);
	assert_int_equal(res.in_len, 12);
	assert_memory_equal(res.in, data, 12);
	tape_rig_free(rig);
}

static void without_a_cartridge_there_is_no_density(void **state)
{
	const uint8_t data[12] = { 11, 0, 0x10, 8 };
	struct tape_rig *rig = tape_rig_new(*state, 5);

	assert_memory_equal(TAPE(rig, NULL, 12, 0x1a, 0, 0, 0, 12, 0).in, data, 12);
	tape_rig_free(rig);
}

static void the_block_descriptor_can_be_left_out(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res = TAPE(rig, NULL, 255, 0x1a, 0x08, 0x0f, 0, 255, 0);

	assert_int_equal(res.in_len, 4 + 16);
	assert_memory_equal(res.in + 4, "\x0f\x0e\xc0\x80\0\0\0\x01\0\0\0\x01", 12);
	tape_rig_free(rig);
}

static void all_pages_come_with_page_3f(void **state)
{
	const uint8_t codes[] = { 0x01, 0x02, 0x0a, 0x0f, 0x10, 0x11, 0x1c, 0x1d };
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res = TAPE(rig, NULL, 512, 0x5a, 0x08, 0x3f, 0, 0, 0, 0, 2, 0, 0);
	size_t at = 8;

	for (unsigned i = 0; i < sizeof(codes); i++) {
		assert_int_equal(res.in[at], codes[i]);
		at += 2u + res.in[at + 1];
	}
	assert_int_equal(at, res.in_len);
	tape_rig_free(rig);
}

static void a_drive_with_partitions_has_their_sizes_in_page_11(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res = TAPE(rig, NULL, 255, 0x1a, 0x08, 0x11, 0, 255, 0);

	assert_int_equal(res.in_len, 4 + 12);
	assert_memory_equal(res.in + 4, "\x11\x0a\x01\x00\x1c\x03\x06\0\0\x04\0\0", 12);
	tape_rig_free(rig);
}

static void page_11_counts_a_tape_of_full_size_in_gigabytes(void **state)
{
	struct tape_rig *rig = tape_rig_loaded(*state, (struct cartridge_cfg){
		.barcode = "TEST01L5", .media = media_generation(5) });
	struct result res = TAPE(rig, NULL, 255, 0x1a, 0x08, 0x11, 0, 255, 0);

	assert_int_equal(res.in[4 + 6], 9);
	assert_int_equal(be16(res.in + 4 + 8), 1500);
	tape_rig_free(rig);
}

static void page_1d_says_whether_the_cartridge_is_worm(void **state)
{
	struct tape_rig *rig = tape_rig_loaded(*state, (struct cartridge_cfg){ .barcode = "TEST01LV",
		.media = media_generation(5), .capacity = TAPE_CAPACITY, .worm = true });
	struct result res = TAPE(rig, NULL, 255, 0x1a, 0x08, 0x1d, 0, 255, 0);

	assert_memory_equal(res.in, "\x23\x5c", 2);
	assert_memory_equal(res.in + 4, "\x1d\x1e\x01\0\x01\x02", 6);
	tape_rig_free(rig);
}

/* --- MODE SELECT --------------------------------------------------------------------------- */

static void a_block_length_is_taken_and_told_to_others(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_set_block(rig, 65536));
	assert_memory_equal(TAPE(rig, NULL, 12, 0x1a, 0, 0, 0, 12, 0).in + 9, "\x01\0\0", 3);
	assert_check(RUN(rig->r, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a01);
	tape_rig_free(rig);
}

static void a_block_length_over_8_mib_is_refused(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_set_block(rig, 8 << 20));
	assert_bad_list(tape_set_block(rig, (8 << 20) + 1), 9);
	tape_rig_free(rig);
}

static void the_density_may_be_the_cartridges_or_none(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	uint8_t list[12] = { 0, 0, 0x10, 8, 0x58 };

	assert_good(TAPE(rig, list, 12, 0x15, 0x10, 0, 0, 12, 0));
	list[4] = 0x7f;
	assert_good(TAPE(rig, list, 12, 0x15, 0x10, 0, 0, 12, 0));
	list[4] = 0x46;
	assert_bad_list(TAPE(rig, list, 12, 0x15, 0x10, 0, 0, 12, 0), 4);
	tape_rig_free(rig);
}

static void a_list_without_pages_need_not_be_in_page_format(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	const uint8_t list[12] = { 0, 0, 0x10, 8, [10] = 2 };

	assert_good(TAPE(rig, list, 12, 0x15, 0, 0, 0, 12, 0));
	tape_rig_free(rig);
}

static uint8_t device_compression(struct tape_rig *rig)
{
	return TAPE(rig, NULL, 255, 0x1a, 0x08, 0x10, 0, 255, 0).in[4 + 14];
}

static uint8_t page_compression(struct tape_rig *rig)
{
	return TAPE(rig, NULL, 255, 0x1a, 0x08, 0x0f, 0, 255, 0).in[4 + 2];
}

/* st's MTCOMPRESSION sends page 0Fh as it was, with DCE changed. */
static void compression_has_two_switches_that_follow_each_other(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	uint8_t page_0f[20] = { 0, 0, 0x10, 0, 0x0f, 0x0e, 0x40, 0x80, [11] = 1, [15] = 1 };
	uint8_t page_10[20] = { 0, 0, 0x10, 0, 0x10, 0x0e, [12] = 0x40, [14] = 0x18, [18] = 1 };

	assert_int_equal(device_compression(rig), 1);
	assert_good(TAPE(rig, page_0f, 20, 0x15, 0x10, 0, 0, 20, 0));
	assert_int_equal(device_compression(rig), 0);
	assert_int_equal(page_compression(rig), 0x40);
	assert_good(TAPE(rig, page_10, 20, 0x15, 0x10, 0, 0, 20, 0));
	assert_int_equal(page_compression(rig), 0xc0);
	page_10[18] = 0;
	assert_good(TAPE(rig, page_10, 20, 0x15, 0x10, 0, 0, 20, 0));
	assert_int_equal(page_compression(rig), 0x40);
	tape_rig_free(rig);
}

static void a_reset_puts_back_the_default_values(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_set_block(rig, 512));
	lu_reset(rig->r->lu);
	assert_memory_equal(TAPE(rig, NULL, 12, 0x1a, 0, 0, 0, 12, 0).in + 9, "\0\0\0", 3);
	tape_rig_free(rig);
}

static void swp_of_page_10_protects(void **state)
{
	uint8_t list[20] = { 0, 0, 0x10, 0, 0x10, 0x0e, [12] = 0x40, [14] = 0x1c, [18] = 1 };
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(TAPE(rig, list, 20, 0x15, 0x10, 0, 0, 20, 0));
	assert_check(TAPE(rig, tape_data, 512, TAPE_WRITE(512)), SENSE_DATA_PROTECT, 0x2700);
	list[14] = 0x18;
	assert_good(TAPE(rig, list, 20, 0x15, 0x10, 0, 0, 20, 0));
	assert_good(TAPE(rig, tape_data, 512, TAPE_WRITE(512)));
	tape_rig_free(rig);
}

/* PEWS counts in 10^6 bytes; the early warning of this cartridge is at 64 KiB. */
static void the_programmable_early_warning_is_told_once(void **state)
{
	uint8_t list[36] = { 0, 0, 0x10, 0, 0x50, 0x01, 0, 0x1c, [9] = 0x02, [11] = 1 };
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;
	unsigned n = 0;
	uint32_t x = 1;

	assert_good(TAPE(rig, list, 36, 0x15, 0x10, 0, 0, 36, 0));
	do {
		for (unsigned i = 0; i < 65536; i++)
			tape_data[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
		res = TAPE(rig, tape_data, 65536, TAPE_WRITE(65536));
		n++;
	} while (!res.status);
	assert_tape(res, SENSE_NO_SENSE, 0x0007, 0);
	assert_bits(res, EOM);
	assert_true(n > 40 && n < 60);
	assert_good(TAPE(rig, tape_data, 65536, TAPE_WRITE(65536)));
	res = TAPE(rig, NULL, 20, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	assert_int_equal(res.in[0], 0x01); /* BPEW */
	tape_rig_free(rig);
}

/* Some hosts take the recommended timeouts for their own: see tape_timeouts. */
static void commands_are_listed_with_the_time_that_they_may_take(void **state)
{
	struct tape_rig *rig = tape_rig_new(*state, 5);
	struct result res = TAPE(rig, NULL, 8192, 0xa3, 0x0c, 0x80, 0, 0, 0, BE4(8192), 0, 0);
	unsigned erase = 0, ready = 0;

	assert_good(res);
	assert_int_equal(be32(res.in) % 20, 0);
	for (uint32_t at = 4; at < res.in_len; at += 20) {
		assert_memory_equal(res.in + at + 8, "\0\x0a\0\0\0\0\0\0", 8);
		assert_true(be32(res.in + at + 16) >= 60);
		erase += res.in[at] == 0x93 && be32(res.in + at + 16) == 16380;
		ready += res.in[at] == 0x00 && be32(res.in + at + 16) == 60;
	}
	assert_int_equal(erase, 1);
	assert_int_equal(ready, 1);
	res = TAPE(rig, NULL, 64, 0xa3, 0x0c, 0x81, 0x01, 0, 0, BE4(64), 0, 0);
	assert_good(res);
	assert_int_equal(res.in_len, 4 + 6 + 12);
	assert_int_equal(be32(res.in + 18), 600);
	tape_rig_free(rig);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, vtl_setup, vtl_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_drive_is_an_ibm_ult3580_td5),
		TEST(the_vital_product_data_are_those_of_a_tape),
		TEST(blocks_are_1_byte_to_8_mib_long),
		TEST(densities_are_those_that_the_drive_takes),
		TEST(the_density_of_the_medium_needs_one),
		TEST(medium_types_are_told_with_their_densities),
		TEST(page_0_is_header_and_block_descriptor_alone),
		TEST(without_a_cartridge_there_is_no_density),
		TEST(the_block_descriptor_can_be_left_out),
		TEST(all_pages_come_with_page_3f),
		TEST(a_drive_with_partitions_has_their_sizes_in_page_11),
		TEST(page_11_counts_a_tape_of_full_size_in_gigabytes),
		TEST(page_1d_says_whether_the_cartridge_is_worm),
		TEST(a_block_length_is_taken_and_told_to_others),
		TEST(a_block_length_over_8_mib_is_refused),
		TEST(the_density_may_be_the_cartridges_or_none),
		TEST(a_list_without_pages_need_not_be_in_page_format),
		TEST(compression_has_two_switches_that_follow_each_other),
		TEST(a_reset_puts_back_the_default_values),
		TEST(swp_of_page_10_protects),
		TEST(the_programmable_early_warning_is_told_once),
		TEST(commands_are_listed_with_the_time_that_they_may_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
