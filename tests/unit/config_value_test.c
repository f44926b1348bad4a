/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes, modes, iSCSI names and addresses as texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/value.h"

static void assert_takes(value_check *check, const char *given, const char *normal)
{
	char *text = strdup(given);
	struct why why = { .no_memory = false };

	if (!check(&text, &why))
		fail_msg("%s: %s", given, why.text);
	assert_string_equal(text, normal);
	free(text);
}

static void assert_refuses(value_check *check, const char *given, const char *because_of)
{
	char *text = strdup(given);
	struct why why = { .no_memory = false };

	if (check(&text, &why))
		fail_msg("\"%s\" was taken", given);
	if (!strstr(why.text, because_of))
		fail_msg("\"%s\" was refused with \"%s\"", given, why.text);
	assert_string_equal(text, given);
	free(text);
}

static void a_size_is_a_number_and_a_power_of_1024(void **state)
{
	static const struct {
		const char *text;
		uint64_t size;
	} cases[] = {
		{ "0", 0 },
		{ "512", 512 },
		{ "1K", 1024 },
		{ "1k", 1024 },
		{ "512M", 536870912 },
		{ "3G", 3221225472 },
		{ "2T", 2199023255552 },
		{ "9223372036854775807", INT64_MAX },
	};
	uint64_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(value_size(cases[i].text, &size));
		assert_true(size == cases[i].size);
	}
}

static void what_is_no_size_or_too_large_is_refused(void **state)
{
	static const char *const texts[] = { "", "K", "-1", "+1", " 1", "1 K", "1KB", "1.5G", "1P",
		"0x10", "9223372036854775808", "8388608T", "99999999999999999999K" };
	uint64_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (value_size(texts[i], &size))
			fail_msg("\"%s\" was taken", texts[i]);
}

static void a_size_is_said_in_its_shortest_form(void **state)
{
	char text[VALUE_SIZE_TEXT];

	(void)state;
	assert_string_equal(value_size_text(0, text), "0");
	assert_string_equal(value_size_text(1000, text), "1000");
	assert_string_equal(value_size_text(1536, text), "1536");
	assert_string_equal(value_size_text(536870912, text), "512M");
	assert_string_equal(value_size_text(UINT64_C(1) << 63, text), "8388608T");
}

static void a_mode_is_three_octal_digits_with_or_without_a_zero(void **state)
{
	static const char *const wrong[] = { "", "60", "0888", "1660", "00660", "rw-" };
	uint32_t mode;

	(void)state;
	assert_true(value_mode("0660", &mode));
	assert_int_equal(mode, 0660);
	assert_true(value_mode("600", &mode));
	assert_int_equal(mode, 0600);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(value_mode(wrong[i], &mode));
}

static void iscsi_names_of_all_three_types_are_taken(void **state)
{
	(void)state;
	assert_takes(value_target_name, "iqn.2001-04.com.example:storage:diskarrays-sn-a8675309",
		"iqn.2001-04.com.example:storage:diskarrays-sn-a8675309");
	assert_takes(value_target_name, "iqn.2001-12.com.example", "iqn.2001-12.com.example");
	assert_takes(value_target_name, "eui.02004567a425678d", "eui.02004567a425678d");
	assert_takes(value_target_name, "naa.52004567ba64678d", "naa.52004567ba64678d");
	assert_takes(value_target_name, "naa.62004567ba64678d0123456789abcdef",
		"naa.62004567ba64678d0123456789abcdef");
}

static void an_upper_case_name_is_refused_with_the_lower_case_one(void **state)
{
	(void)state;
	assert_refuses(value_target_name, "iqn.2026-11.com.Example:Disk",
		"iSCSI names are lower case; write \"iqn.2026-11.com.example:disk\"");
	assert_refuses(value_target_name, "eui.02004567A425678D", "write \"eui.02004567a425678d\"");
}

static void a_name_of_223_characters_is_taken_and_of_224_refused(void **state)
{
	char name[225] = "iqn.2026-11.com.example:";

	(void)state;
	memset(name + strlen(name), 'x', 223 - strlen(name));
	assert_int_equal(strlen(name), 223);
	assert_takes(value_target_name, name, name);
	name[223] = 'x';
	assert_refuses(
		value_target_name, name, "it has 224 characters; an iSCSI name has at most 223");
}

static void malformed_names_are_refused(void **state)
{
	(void)state;
	assert_refuses(value_target_name, "disk1", "begins with iqn., eui. or naa.");
	assert_refuses(value_target_name, "iqn.", "the year and month");
	assert_refuses(value_target_name, "iqn.2026-11", "the year and month");
	assert_refuses(value_target_name, "iqn.2026-13.com.example", "the year and month");
	assert_refuses(value_target_name, "iqn.2026-00.com.example", "the year and month");
	assert_refuses(value_target_name, "iqn.26-11.com.example", "the year and month");
	assert_refuses(value_target_name, "iqn.2026-11:disk", "the year and month");
	assert_refuses(value_target_name, "iqn.2026-11.:disk", "your domain, reversed");
	assert_refuses(value_target_name, "iqn.2026-11.com.:disk", "your domain, reversed");
	assert_refuses(value_target_name, "iqn.2026-11.com.example:", "nothing follows the ':'");
	assert_refuses(value_target_name, "iqn.2026-11.com.example:a b", "' ' cannot be part");
	assert_refuses(value_target_name, "iqn.2026-11.com.example:\xc3\xa9", "byte 0xc3 cannot");
	assert_refuses(value_target_name, "eui.02004567a425678", "16 hex digits");
	assert_refuses(value_target_name, "eui.02004567a425678x", "16 hex digits");
	assert_refuses(value_target_name, "naa.52004567ba64678d0", "16 or 32 hex digits");
}

static void an_underscore_passes_in_the_names_of_initiators_alone(void **state)
{
	(void)state;
	assert_takes(value_initiator_name, "iqn.1991-05.com.microsoft:my_host",
		"iqn.1991-05.com.microsoft:my_host");
	assert_refuses(
		value_target_name, "iqn.1991-05.com.microsoft:my_host", "'_' cannot be part");
}

static void an_address_is_numeric_and_becomes_normal(void **state)
{
	(void)state;
	assert_takes(value_address, "127.0.0.1", "127.0.0.1");
	assert_takes(value_address, "::", "::");
	assert_takes(value_address, "2001:DB8:0:0::1", "2001:db8::1");
	assert_takes(value_address, "fe80::1%eth0", "fe80::1%eth0");
}

static void what_is_no_address_is_refused(void **state)
{
	(void)state;
	assert_refuses(value_address, "", "write \"0.0.0.0\"");
	assert_refuses(value_address, "*", "write \"0.0.0.0\"");
	assert_refuses(value_address, "[::1]", "without brackets");
	assert_refuses(value_address, "localhost", "names are not looked up");
	assert_refuses(value_address, "127.0.0.256", "neither an IPv4 nor an IPv6");
	assert_refuses(value_address, "127.1", "neither");
	assert_refuses(value_address, "fe80::1%", "neither");
	assert_refuses(value_address, "fe80::1%0123456789abcdef", "neither");
	assert_refuses(value_address, "127.0.0.1:3260", "port = 3260");
	assert_refuses(value_address, "127.0.0:3260", "neither");
	assert_refuses(value_address, "localhost:3260", "names are not looked up");
}

static void a_host_and_port_become_normal(void **state)
{
	(void)state;
	assert_takes(value_host_port, "san.example.com", "san.example.com:3260");
	assert_takes(value_host_port, "192.0.2.1:860", "192.0.2.1:860");
	assert_takes(value_host_port, "[2001:db8::1]", "[2001:db8::1]:3260");
	assert_takes(value_host_port, "[2001:db8::1]:65535", "[2001:db8::1]:65535");
}

static void what_is_no_host_and_port_is_refused(void **state)
{
	static const char *const wrong[] = { "", ":3260", "a:", "a:0", "a:65536", "a:1x",
		"a:000001", "2001:db8::1", "[::1", "[::1]x", "[::1]:", "[a]:1", "a b", "-a",
		"a:1:2" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_refuses(value_host_port, wrong[i], "\"host:port\"");
}

static void an_naa_identifier_loses_its_prefix_and_capitals(void **state)
{
	(void)state;
	assert_takes(value_naa, "naa.5000C50012345678", "5000c50012345678");
	assert_takes(
		value_naa, "6001405abcdef0123456789abcdef012", "6001405abcdef0123456789abcdef012");
	assert_refuses(value_naa, "6000c50012345678", "begin with 2, 3 or 5");
	assert_refuses(value_naa, "5000c5001234567", "16 hex digits");
	assert_refuses(value_naa, "5000c5001234567g", "16 hex digits");
	assert_refuses(value_naa, "5001405abcdef0123456789abcdef012", "32 that begin with 6");
}

static void utf8_is_well_formed_or_not(void **state)
{
	static const char *const good[] = { "", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
		"\xed\x9f\xbf", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = { "\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf",
		"\xed\xa0\x80", "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "a\xff" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_takes(value_user_text, good[i], good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refuses(value_user_text, bad[i], "not valid UTF-8");
}

static void a_user_name_is_text_without_control_characters(void **state)
{
	(void)state;
	assert_takes(value_user_text, "Zo\xc3\xab of: (10 %)", "Zo\xc3\xab of: (10 %)");
	assert_refuses(value_user_text, "a\nb", "control character");
	assert_refuses(value_user_text, "a\xff", "not valid UTF-8");
}

static void ascii_text_is_printable(void **state)
{
	(void)state;
	assert_takes(value_ascii, "My disk ~!", "My disk ~!");
	assert_refuses(value_ascii, "a\tb", "printable ASCII");
	assert_refuses(value_ascii, "\xc3\xa9", "printable ASCII");
}

static void a_barcode_is_capitals_and_digits(void **state)
{
	(void)state;
	assert_takes(value_barcode, "TEST01L5", "TEST01L5");
	assert_refuses(
		value_barcode, "test01L5", "'t' cannot be part of it; A to Z and 0 to 9 can");
}

static void a_gateway_id_has_8_or_17_digits(void **state)
{
	(void)state;
	assert_takes(value_gateway, "sgw-12A3456B", "sgw-12A3456B");
	assert_takes(value_gateway, "sgw-0123456789ABCDEF0", "sgw-0123456789ABCDEF0");
	assert_refuses(value_gateway, "sgw-12A3456", "8 or 17");
	assert_refuses(value_gateway, "gw--12A3456B", "sgw-");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_size_is_a_number_and_a_power_of_1024),
		cmocka_unit_test(what_is_no_size_or_too_large_is_refused),
		cmocka_unit_test(a_size_is_said_in_its_shortest_form),
		cmocka_unit_test(a_mode_is_three_octal_digits_with_or_without_a_zero),
		cmocka_unit_test(iscsi_names_of_all_three_types_are_taken),
		cmocka_unit_test(an_upper_case_name_is_refused_with_the_lower_case_one),
		cmocka_unit_test(a_name_of_223_characters_is_taken_and_of_224_refused),
		cmocka_unit_test(malformed_names_are_refused),
		cmocka_unit_test(an_underscore_passes_in_the_names_of_initiators_alone),
		cmocka_unit_test(an_address_is_numeric_and_becomes_normal),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_host_and_port_become_normal),
		cmocka_unit_test(what_is_no_host_and_port_is_refused),
		cmocka_unit_test(an_naa_identifier_loses_its_prefix_and_capitals),
		cmocka_unit_test(utf8_is_well_formed_or_not),
		cmocka_unit_test(a_user_name_is_text_without_control_characters),
		cmocka_unit_test(ascii_text_is_printable),
		cmocka_unit_test(a_barcode_is_capitals_and_digits),
		cmocka_unit_test(a_gateway_id_has_8_or_17_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
