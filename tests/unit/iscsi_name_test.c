/* SPDX-License-Identifier: BSD-2-Clause */
/* iSCSI names: RFC 7143 4.2.7 and the profile of RFC 3722. */
#include "iscsi/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Parses from a block of exactly that many bytes, so that ASan sees the first one too many. */
static bool parse(const char *text, size_t len, struct iscsi_name *out)
{
	char *exact = malloc(len ? len : 1);

	assert_non_null(exact);
	memcpy(exact, text, len);
	bool ok = name_parse(exact, len, out);
	free(exact);
	return ok;
}

static void assert_name(const char *text, const char *normal)
{
	struct iscsi_name name;

	assert_true(parse(text, strlen(text), &name));
	assert_string_equal(name.text, normal);
}

static void assert_no_name(const char *text)
{
	struct iscsi_name name = { "untouched" };

	assert_false(parse(text, strlen(text), &name));
	assert_string_equal(name.text, "untouched");
}

static void an_iqn_of_date_and_domain_is_a_name(void **state)
{
	(void)state;
	assert_name("iqn.2001-04.com.example", "iqn.2001-04.com.example");
}

static void what_follows_the_colon_of_an_iqn_is_free(void **state)
{
	(void)state;
	assert_name("iqn.2001-04.com.example:storage:diskarrays-sn-a8675309",
		"iqn.2001-04.com.example:storage:diskarrays-sn-a8675309");
	assert_name("iqn.2001-04.com.example:a..b", "iqn.2001-04.com.example:a..b");
	assert_name("iqn.2001-04.com.example:", "iqn.2001-04.com.example:");
}

static void upper_case_becomes_lower_case(void **state)
{
	(void)state;
	assert_name("IQN.1991-05.com.Microsoft:HOST-1", "iqn.1991-05.com.microsoft:host-1");
	assert_name("eui.02004567A425678D", "eui.02004567a425678d");
}

static void an_eui_has_16_hexadecimal_digits(void **state)
{
	(void)state;
	assert_name("eui.02004567a425678d", "eui.02004567a425678d");
	assert_no_name("eui.02004567a425678");
	assert_no_name("eui.02004567a425678d0");
	assert_no_name("eui.02004567a425678g");
}

static void a_naa_has_16_or_32_hexadecimal_digits(void **state)
{
	(void)state;
	assert_name("naa.52004567BA64678D", "naa.52004567ba64678d");
	assert_name("naa.62004567ba64678d0123456789abcdef", "naa.62004567ba64678d0123456789abcdef");
	assert_no_name("naa.52004567ba64678d0");
	assert_no_name("naa.62004567ba64678d0123456789abcdef0");
}

static void other_types_are_refused(void **state)
{
	(void)state;
	assert_no_name("");
	assert_no_name("iqn");
	assert_no_name("iqn.");
	assert_no_name("eui.");
	assert_no_name("naa.");
	assert_no_name("wwn.02004567a425678d");
	assert_no_name("iqn-2001-04.com.example");
}

static void the_date_of_an_iqn_is_year_and_month(void **state)
{
	(void)state;
	assert_no_name("iqn.2001-00.com.example");
	assert_no_name("iqn.2001-13.com.example");
	assert_no_name("iqn.2001-4.com.example");
	assert_no_name("iqn.201-04.com.example");
	assert_no_name("iqn.2001.04.com.example");
	assert_no_name("iqn.2001-04com.example");
	assert_no_name("iqn.20");
	assert_name("iqn.2001-12.com.example", "iqn.2001-12.com.example");
}

static void the_domain_of_an_iqn_has_no_empty_label(void **state)
{
	(void)state;
	assert_no_name("iqn.2001-04.");
	assert_no_name("iqn.2001-04.:disk");
	assert_no_name("iqn.2001-04..example");
	assert_no_name("iqn.2001-04.com..example");
	assert_no_name("iqn.2001-04.com.:disk");
}

static void the_underscore_of_a_windows_host_is_taken(void **state)
{
	(void)state;
	assert_name("iqn.1991-05.com.microsoft:MY_HOST", "iqn.1991-05.com.microsoft:my_host");
}

static void characters_that_the_profile_prohibits_are_refused(void **state)
{
	(void)state;
	for (int c = 1; c < 0x80; c++) {
		char text[] = "iqn.2001-04.com.example:?";
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool digit = c >= '0' && c <= '9';
		struct iscsi_name name;
		text[24] = (char)c;
		assert_int_equal(parse(text, 25, &name),
			letter || digit || c == '-' || c == '.' || c == ':' || c == '_');
	}
}

static void a_nul_inside_is_refused(void **state)
{
	(void)state;
	static const char text[] = "iqn.2001-04.com.example:a\0b";
	struct iscsi_name name;
	assert_false(parse(text, sizeof(text) - 1, &name));
}

static void well_formed_utf8_is_kept(void **state)
{
	(void)state;
	assert_name("iqn.2001-04.com.example:caf\xc3\xa9", "iqn.2001-04.com.example:caf\xc3\xa9");
	assert_name("iqn.2001-04.com.example:\xe7\xa3\x81", "iqn.2001-04.com.example:\xe7\xa3\x81");
	assert_name("iqn.2001-04.com.example:\xf0\x9f\x92\xbe",
		"iqn.2001-04.com.example:\xf0\x9f\x92\xbe");
	assert_name("iqn.2001-04.com.example:\xf4\x8f\xbf\xbf",
		"iqn.2001-04.com.example:\xf4\x8f\xbf\xbf");
}

static void malformed_utf8_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"\x80",             /* continuation alone */
		"\xc3",             /* cut short */
		"\xc3(",            /* no continuation */
		"\xc0\xaf",         /* longer than needed, two bytes */
		"\xe0\x80\xaf",     /* … three */
		"\xf0\x80\x80\xaf", /* … four */
		"\xed\xa0\x80",     /* surrogate */
		"\xf4\x90\x80\x80", /* above U+10FFFF */
		"\xff",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64] = "iqn.2001-04.com.example:";
		strcat(text, bad[i]);
		assert_no_name(text);
	}
}

static void a_name_has_at_most_223_bytes(void **state)
{
	(void)state;
	char text[225] = "iqn.2001-04.com.example:";
	memset(text + 24, 'x', 200);
	struct iscsi_name name;
	assert_false(parse(text, 224, &name));
	assert_true(parse(text, 223, &name));
	assert_int_equal(strlen(name.text), 223);
}

static void names_that_differ_in_case_only_are_equal(void **state)
{
	(void)state;
	struct iscsi_name a, b, c;
	assert_true(name_parse("iqn.2001-04.com.example:A", 25, &a));
	assert_true(name_parse("IQN.2001-04.com.example:a", 25, &b));
	assert_true(name_parse("iqn.2001-04.com.example:b", 25, &c));
	assert_true(name_equal(&a, &b));
	assert_false(name_equal(&a, &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_iqn_of_date_and_domain_is_a_name),
		cmocka_unit_test(what_follows_the_colon_of_an_iqn_is_free),
		cmocka_unit_test(upper_case_becomes_lower_case),
		cmocka_unit_test(an_eui_has_16_hexadecimal_digits),
		cmocka_unit_test(a_naa_has_16_or_32_hexadecimal_digits),
		cmocka_unit_test(other_types_are_refused),
		cmocka_unit_test(the_date_of_an_iqn_is_year_and_month),
		cmocka_unit_test(the_domain_of_an_iqn_has_no_empty_label),
		cmocka_unit_test(the_underscore_of_a_windows_host_is_taken),
		cmocka_unit_test(characters_that_the_profile_prohibits_are_refused),
		cmocka_unit_test(a_nul_inside_is_refused),
		cmocka_unit_test(well_formed_utf8_is_kept),
		cmocka_unit_test(malformed_utf8_is_refused),
		cmocka_unit_test(a_name_has_at_most_223_bytes),
		cmocka_unit_test(names_that_differ_in_case_only_are_equal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
