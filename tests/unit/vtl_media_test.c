/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Generations and barcodes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vtl/barcode.h"
#include "vtl/cartridge.h"
#include "vtl/media.h"

static void lto5_is_as_its_drive_tells(void **state)
{
	const struct media *m = media_generation(5);

	(void)state;
	assert_non_null(m);
	assert_string_equal(m->name, "LTO-5");
	assert_string_equal(m->density_name, "U-516");
	assert_int_equal(m->density, 0x58);
	assert_int_equal(m->medium_type, 0x58);
	assert_int_equal(m->worm_medium_type, 0x5c);
	assert_int_equal(m->capacity, 1500000000000u);
	assert_int_equal(m->bits_per_mm, 15142);
	assert_int_equal(m->tracks, 1280);
	assert_int_equal(m->partitions, 2);
}

static void rows_are_whole_and_in_order(void **state)
{
	unsigned int before = 0, rows = 0;

	(void)state;
	for (const struct media *m = NULL; (m = media_next(m)); rows++) {
		assert_true(m->generation > before);
		before = m->generation;
		assert_ptr_equal(media_generation(m->generation), m);
		assert_true(strlen(m->density_name) <= 8);
		assert_true(strlen(m->description) <= 20);
		assert_true(m->partitions <= CARTRIDGE_PARTITIONS);
	}
	assert_int_equal(rows, 7);
	assert_null(media_generation(2));
	assert_null(media_generation(10));
}

static void suffix_of_a_barcode_tells_the_medium(void **state)
{
	bool worm;

	(void)state;
	assert_ptr_equal(media_suffix("L5", &worm), media_generation(5));
	assert_false(worm);
	assert_ptr_equal(media_suffix("LV", &worm), media_generation(5));
	assert_true(worm);
	assert_ptr_equal(media_suffix("L9", &worm), media_generation(9));
	assert_null(media_suffix("L2", &worm));
	assert_null(media_suffix("", &worm));
}

/* Rows are drives 5 to 9, columns media 3 to 9: r reads, w reads and writes. */
static void drives_take_the_media_that_real_ones_take(void **state)
{
	static const char *const table[] = {
		"rww....",
		".rww...",
		"..rww..",
		"....ww.",
		".....ww",
	};

	(void)state;
	for (unsigned int drive = 5; drive <= 9; drive++) {
		for (unsigned int medium = 3; medium <= 9; medium++) {
			char want = table[drive - 5][medium - 3];
			const struct media *m = media_generation(medium);

			assert_int_equal(media_reads(drive, m), want != '.');
			assert_int_equal(media_writes(drive, m), want == 'w');
		}
	}
}

static void early_warning_leaves_most_of_a_small_partition(void **state)
{
	const struct media *m = media_generation(5);

	(void)state;
	assert_int_equal(media_early_warning(m, m->capacity), m->early_warning);
	assert_int_equal(media_early_warning(m, (uint64_t)1 << 30), 16 << 20);
}

static void barcodes_are_upper_case_letters_and_digits(void **state)
{
	(void)state;
	assert_true(barcode_valid("TEST01L5"));
	assert_true(barcode_valid("AMZNC8A26D"));
	assert_true(barcode_valid("12345"));
	assert_true(barcode_valid("1234567890ABCDEF"));
	assert_false(barcode_valid("1234"));
	assert_false(barcode_valid("1234567890ABCDEFG"));
	assert_false(barcode_valid("test01L5"));
	assert_false(barcode_valid("TEST 1L5"));
	assert_false(barcode_valid("../../X"));
	assert_false(barcode_valid("TEST\xc3\x84L5"));
	assert_false(barcode_valid(""));
}

static void prefixes_are_one_to_four_letters(void **state)
{
	(void)state;
	assert_true(barcode_prefix_valid("A"));
	assert_true(barcode_prefix_valid("AMZN"));
	assert_false(barcode_prefix_valid(""));
	assert_false(barcode_prefix_valid("AMZNX"));
	assert_false(barcode_prefix_valid("AM1"));
	assert_false(barcode_prefix_valid("am"));
}

/* management-api.md 6.2: first byte XOR last byte is A5h, as in TEST38A29D. */
static void generated_barcodes_carry_their_check(void **state)
{
	char barcode[BARCODE_SIZE];
	unsigned int first, middle, last;

	(void)state;
	for (uint32_t n = 0; n < BARCODE_NUMBERS; n++) {
		assert_true(barcode_generate("TEST", n, barcode));
		assert_true(barcode_valid(barcode));
		assert_int_equal(strlen(barcode), 10);
		assert_int_equal(sscanf(barcode, "TEST%2x%2x%2x", &first, &middle, &last), 3);
		assert_int_equal(first ^ last, 0xa5);
	}
	assert_true(barcode_generate("TEST", 0x138, barcode));
	assert_string_equal(barcode, "TEST38A29D");
}

static void each_number_gives_another_barcode(void **state)
{
	static bool seen[BARCODE_NUMBERS];
	char barcode[BARCODE_SIZE];

	(void)state;
	for (uint32_t n = 0; n < BARCODE_NUMBERS; n++) {
		assert_true(barcode_generate("A", n, barcode));
		barcode[5] = '\0';
		unsigned long key = strtoul(barcode + 1, NULL, 16);
		assert_false(seen[key]);
		seen[key] = true;
	}
}

static void generator_refuses_what_it_cannot_make(void **state)
{
	char barcode[BARCODE_SIZE];

	(void)state;
	assert_false(barcode_generate("TEST", BARCODE_NUMBERS, barcode));
	assert_false(barcode_generate("", 0, barcode));
	assert_false(barcode_generate("LONGER", 0, barcode));
	assert_true(barcode_random("AM", barcode));
	assert_true(barcode_valid(barcode));
	assert_false(barcode_random("am", barcode));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lto5_is_as_its_drive_tells),
		cmocka_unit_test(rows_are_whole_and_in_order),
		cmocka_unit_test(suffix_of_a_barcode_tells_the_medium),
		cmocka_unit_test(drives_take_the_media_that_real_ones_take),
		cmocka_unit_test(early_warning_leaves_most_of_a_small_partition),
		cmocka_unit_test(barcodes_are_upper_case_letters_and_digits),
		cmocka_unit_test(prefixes_are_one_to_four_letters),
		cmocka_unit_test(generated_barcodes_carry_their_check),
		cmocka_unit_test(each_number_gives_another_barcode),
		cmocka_unit_test(generator_refuses_what_it_cannot_make),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
