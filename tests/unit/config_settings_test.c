/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of settings against itself and against its manual page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/settings.h"

#define SECTIONS_MAX 40

struct sections {
	const struct section *v[SECTIONS_MAX];
	size_t n;
};

/* Every section once, the outermost first. */
static void gather(struct sections *all, const struct section *section)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i] == section)
			return;
	assert_true(all->n < SECTIONS_MAX);
	all->v[all->n++] = section;
	for (size_t i = 0; i < section->n_rows; i++)
		if (section->rows[i].section)
			gather(all, section->rows[i].section);
}

/* "SECTION KEY: DESCRIPTION.\n" for every row, as the table has them. */
static char *table_text(void)
{
	struct sections all = { .n = 0 };
	char *text = NULL, description[SETTING_DESCRIPTION];
	size_t len;
	FILE *out = open_memstream(&text, &len);

	gather(&all, &all_settings);
	for (size_t s = 0; s < all.n; s++)
		for (size_t i = 0; i < all.v[s]->n_rows; i++)
			fprintf(out, "%s %s: %s.\n", *all.v[s]->name ? all.v[s]->name : "Global",
				all.v[s]->rows[i].name,
				setting_describe(&all.v[s]->rows[i], description));
	fclose(out);
	return text;
}

/* The same from the manual page: .Ss SECTION, .It Ic KEY, and the line after that. */
static char *manual_text(void)
{
	FILE *in = fopen("man/countersign.conf.5", "r");
	char *text = NULL, section[80] = "", line[1024];
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		char key[80];

		sscanf(line, ".Ss %79s", section);
		if (sscanf(line, ".It Ic %79s", key) != 1)
			continue;
		assert_non_null(fgets(line, sizeof(line), in));
		fprintf(out, "%s %s: %s", section, key, line);
	}
	fclose(in);
	fclose(out);
	return text;
}

static int by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Fails with the lines of one text that are not in the other. */
static void assert_lines_in(const char *text, const char *other, const char *complaint)
{
	char *copy = strdup(text), *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *at = strstr(other, line);
		size_t len = strlen(line);

		while (at && !((at == other || at[-1] == '\n') && at[len] == '\n'))
			at = strstr(at + 1, line);
		if (!at)
			fail_msg("%s: %s", complaint, line);
	}
	free(copy);
}

static void the_manual_page_describes_every_setting_and_no_other(void **state)
{
	char *table = table_text();
	char *manual = manual_text();

	(void)state;
	assert_true(strlen(table) > 1000);
	assert_lines_in(table, manual, "not, or not so, in man/countersign.conf.5");
	assert_lines_in(manual, table, "in man/countersign.conf.5 only");
	free(table);
	free(manual);
}

static void no_section_has_a_key_twice(void **state)
{
	struct sections all = { .n = 0 };

	(void)state;
	gather(&all, &all_settings);
	for (size_t s = 0; s < all.n; s++) {
		const char *names[64] = { NULL };
		size_t n = all.v[s]->n_rows;

		assert_in_range(n, 1, 64);
		for (size_t i = 0; i < n; i++)
			names[i] = all.v[s]->rows[i].name;
		qsort(names, n, sizeof(names[0]), by_line);
		for (size_t i = 1; i < n; i++)
			assert_string_not_equal(names[i - 1], names[i]);
	}
}

static void every_row_has_what_its_type_needs(void **state)
{
	struct sections all = { .n = 0 };

	(void)state;
	gather(&all, &all_settings);
	for (size_t s = 0; s < all.n; s++) {
		for (size_t i = 0; i < all.v[s]->n_rows; i++) {
			const struct setting *row = &all.v[s]->rows[i];
			bool group = row->type == SETTING_GROUP || row->type == SETTING_GROUPS;
			bool text = row->type == SETTING_TEXT || row->type == SETTING_PATH ||
				    row->type == SETTING_PASSWORD;

			assert_true(row->offset < all.v[s]->size);
			assert_true(row->help && *row->help);
			assert_true(group == (row->section != NULL));
			assert_true((row->type == SETTING_CHOICE) == (row->choices != NULL));
			assert_true(!text || row->form);
			assert_true(row->min <= row->max);
			assert_false(row->fallback && (row->flags & SETTING_REQUIRED));
		}
	}
}

static void a_key_is_found_by_its_name_alone(void **state)
{
	(void)state;
	assert_string_equal(setting_find(&all_settings, "reactors")->name, "reactors");
	assert_null(setting_find(&all_settings, "reactor"));
	assert_null(setting_find(&all_settings, ""));
}

static void a_misspelt_key_is_near_the_right_one(void **state)
{
	static const char *const cases[][2] = {
		{ "statedir", "state_dir" },
		{ "state-dir", "state_dir" },
		{ "StateDir", "state_dir" },
		{ "potrals", "portals" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(setting_nearest(&all_settings, cases[i][0])->name, cases[i][1]);
	assert_null(setting_nearest(&all_settings, "colour"));
	assert_null(setting_nearest(&all_settings, ""));
	assert_null(setting_nearest(
		&all_settings, "a_name_that_is_much_longer_than_any_setting_that_there_could_be"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_manual_page_describes_every_setting_and_no_other),
		cmocka_unit_test(no_section_has_a_key_twice),
		cmocka_unit_test(every_row_has_what_its_type_needs),
		cmocka_unit_test(a_key_is_found_by_its_name_alone),
		cmocka_unit_test(a_misspelt_key_is_near_the_right_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
