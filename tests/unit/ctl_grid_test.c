/* SPDX-License-Identifier: BSD-2-Clause */
/* What countersignctl prints for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ctl/grid.h"

static void sizes_are_powers_of_1024_with_one_digit(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ 512, "512 bytes" },
		{ 1023, "1023 bytes" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 1048524, "1023.9 KiB" },
		{ 1048575, "1.0 MiB" },
		{ 1 << 20, "1.0 MiB" },
		{ UINT64_C(5) << 40, "5.0 TiB" },
		{ UINT64_MAX, "16.0 EiB" },
	};
	struct grid_text t;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(grid_size(rows[i].bytes, &t), rows[i].text);
}

static void times_have_two_units(void **state)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} rows[] = {
		{ 0, "0 s" },
		{ 59999, "59 s" },
		{ 60000, "1 min 0 s" },
		{ 3599999, "59 min 59 s" },
		{ 3600000, "1 h 0 min" },
		{ 90000000, "1 d 1 h" },
	};
	struct grid_text t;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(grid_time(rows[i].ms, &t), rows[i].text);
}

/* What the grid with these cells prints. */
static void assert_prints(const char *const *cells, const char *expected)
{
	static const char *const titles[] = { "NAME", ">N", "LAST", NULL };
	struct grid *g = grid_new(titles);
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	for (; *cells; cells++)
		grid_add(g, *cells);
	assert_true(grid_print(g, "nothing", to));
	fclose(to);
	assert_string_equal(text, expected);
	free(text);
	grid_free(g);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
	(void)state;
	assert_prints((const char *const[]){ "a", "1", "x", "longer", "1000", "", NULL },
		"NAME       N  LAST\n"
		"a          1  x\n"
		"longer  1000  \n");
}

static void an_empty_grid_says_so(void **state)
{
	(void)state;
	assert_prints((const char *const[]){ NULL }, "nothing\n");
}

static void what_a_terminal_would_obey_is_not_printed(void **state)
{
	(void)state;
	assert_prints((const char *const[]){ "\x1b[2J", "\n",
			      "\xc2\x9b"
			      "1m\xff",
			      NULL },
		"NAME  N  LAST\n"
		"?[2J  ?  ??1m?\n");
}

static void characters_count_not_bytes(void **state)
{
	(void)state;
	assert_prints(
		(const char *const[]){ "\xc3\xa4\xc3\xb6", "1", "x", "abcde", "2", "y", NULL },
		"NAME   N  LAST\n"
		"\xc3\xa4\xc3\xb6     1  x\n"
		"abcde  2  y\n");
}

static void an_absent_cell_is_a_dash(void **state)
{
	static const char *const titles[] = { "A", NULL };
	struct grid *g = grid_new(titles);
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	(void)state;
	grid_add(g, NULL);
	assert_true(grid_print(g, "nothing", to));
	fclose(to);
	assert_string_equal(text, "A\n-\n");
	free(text);
	grid_free(g);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_powers_of_1024_with_one_digit),
		cmocka_unit_test(times_have_two_units),
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(an_empty_grid_says_so),
		cmocka_unit_test(what_a_terminal_would_obey_is_not_printed),
		cmocka_unit_test(characters_count_not_bytes),
		cmocka_unit_test(an_absent_cell_is_a_dash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
