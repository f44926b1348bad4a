/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of initiators by the rules of the ONTAP REST API. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt/ontap_name.h"

static char name[NAME_MAX_BYTES + 1];

static void expect(const char *text, enum name_fault fault)
{
	enum name_fault got = name_check(text, name);

	if (got != fault)
		fail_msg("\"%s\": %s, not %s", text, name_fault_code(got), name_fault_code(fault));
}

static void names_in_order_are_taken_as_they_are(void **state)
{
	(void)state;
	expect("iqn.1995-08.com.example:string", NAME_OK);
	assert_string_equal(name, "iqn.1995-08.com.example:string");
	expect("iqn.2026-11.com.example", NAME_OK);
	expect("iqn.2026-11.com.example:a:b", NAME_OK);
}

static void digits_of_an_eui_may_be_of_either_case(void **state)
{
	(void)state;
	expect("eui.0123456789ABCDef", NAME_OK);
	assert_string_equal(name, "eui.0123456789abcdef");
}

static void an_iqn_needs_something_behind_its_prefix(void **state)
{
	(void)state;
	expect("iqn.", NAME_NO_QUALIFIER);
	expect("iqn.1995-08", NAME_NO_QUALIFIER);
	expect("iqn.1995-08.", NAME_NO_QUALIFIER);
	expect("iqn.1995-08.:x", NAME_NO_QUALIFIER);
	expect("iqn.1995-08.com.example:", NAME_NO_QUALIFIER);
}

static void another_word_that_begins_as_iqn_is_a_bad_prefix(void **state)
{
	(void)state;
	expect("iqn", NAME_BAD_IQN);
	expect("iqn-1995-08.com.example", NAME_BAD_IQN);
	expect("IQN.1995-08.com.example:x", NAME_BAD_IQN);
}

static void a_date_is_a_year_and_a_month(void **state)
{
	static const char *const bad[] = { "iqn.95-08.com", "iqn.1995-8.com", "iqn.1995-00.com",
		"iqn.1995-13.com", "iqn.199508.com", "iqn.com.example", "iqn.1995-08x.com",
		"iqn.1995-080.com" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect(bad[i], NAME_BAD_DATE);
}

static void other_characters_are_refused_upper_case_among_them(void **state)
{
	(void)state;
	expect("iqn.1995-08.com.Example:x", NAME_BAD_CHARACTER);
	expect("iqn.1995-08.com.example:a_b", NAME_BAD_CHARACTER);
	expect("iqn.1995-08.com.example:\xc3\xa9", NAME_BAD_CHARACTER);
	expect("iqn.1995-08.com.example:a b", NAME_BAD_CHARACTER);
}

static void an_eui_has_sixteen_digits(void **state)
{
	(void)state;
	expect("eui.0123456789abcde", NAME_BAD_DIGITS);
	expect("eui.0123456789abcdef0", NAME_BAD_DIGITS);
	expect("eui.0123456789abcdeg", NAME_BAD_DIGITS);
	expect("eui.", NAME_BAD_DIGITS);
	expect("eui-0123456789abcdef", NAME_BAD_EUI);
	expect("eui", NAME_BAD_EUI);
}

static void what_is_neither_is_invalid(void **state)
{
	(void)state;
	expect("", NAME_INVALID);
	expect("naa.52004567ba64678d", NAME_INVALID);
	expect("host1", NAME_INVALID);
}

static void a_name_has_a_longest_length(void **state)
{
	char text[NAME_MAX_BYTES + 2] = "iqn.1995-08.";

	(void)state;
	memset(text + 12, 'x', NAME_MAX_BYTES - 12);
	expect(text, NAME_OK);
	text[NAME_MAX_BYTES] = 'x';
	expect(text, NAME_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_in_order_are_taken_as_they_are),
		cmocka_unit_test(digits_of_an_eui_may_be_of_either_case),
		cmocka_unit_test(an_iqn_needs_something_behind_its_prefix),
		cmocka_unit_test(another_word_that_begins_as_iqn_is_a_bad_prefix),
		cmocka_unit_test(a_date_is_a_year_and_a_month),
		cmocka_unit_test(other_characters_are_refused_upper_case_among_them),
		cmocka_unit_test(an_eui_has_sixteen_digits),
		cmocka_unit_test(what_is_neither_is_invalid),
		cmocka_unit_test(a_name_has_a_longest_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
