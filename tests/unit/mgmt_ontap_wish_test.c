/* SPDX-License-Identifier: BSD-2-Clause */
/* Bodies of credentials of the ONTAP REST API, laid over rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt/ontap_wish.h"

#define HOST "iqn.1995-08.com.example:host1"

static json_t *body;
static struct wish wish;
static struct ontap_fault why;
static struct credential_spec row;

/* Quotes are written as ' here. */
static json_t *json(const char *text)
{
	char copy[512];
	json_t *j;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	j = json_loads(copy, JSON_DECODE_ANY, NULL);
	assert_non_null(j);
	return j;
}

/* --- rows to begin with --------------------------------------------------------------------- */

#define BYTES(text) \
	{ \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}

static const struct credential_spec chap_row = {
	.scope = CREDENTIAL_OF_SVM,
	.scope_name = "svm1",
	.initiator = HOST,
	.type = CREDENTIAL_CHAP,
	.in_user = "user1",
	.in_secret = BYTES("111111111111"),
	.old_secret = BYTES("000000000000"),
	.old_until = 1000,
	.out_user = "user2",
	.out_secret = BYTES("222222222222"),
	.source_text = "10.0.0.1-10.0.0.5, 10.1.0.0/16",
};
static const struct credential_spec open_row = {
	.scope = CREDENTIAL_OF_SVM,
	.scope_name = "svm1",
	.initiator = HOST,
	.type = CREDENTIAL_NONE,
	.in_user = "",
	.out_user = "",
	.source_text = "",
};

static int end(void **state)
{
	(void)state;
	wish_free(&wish);
	json_decref(body);
	body = NULL;
	return 0;
}

static bool change(const struct credential_spec *was, enum wish_mode mode, const char *text)
{
	wish_free(&wish);
	json_decref(body);
	body = json(text);
	why = (struct ontap_fault){ 0 };
	return wish_read_change(body, HOST, false, &wish, &why) &&
	       wish_apply(&wish, mode, was, &row, &why);
}

static void changes(const struct credential_spec *was, const char *text)
{
	if (!change(was, WISH_REPLACES, text))
		fail_msg("%s: %s %s", text, why.code, why.text);
}

static void refuses(const struct credential_spec *was, const char *text, const char *code)
{
	if (change(was, WISH_REPLACES, text))
		fail_msg("%s was taken", text);
	assert_string_equal(why.code, code);
	assert_int_equal(why.status, 400);
}

static void secret_is(struct secret_view s, const char *bytes, size_t len)
{
	assert_int_equal(s.len, len);
	assert_memory_equal(s.bytes, bytes, len);
}

/* --- tests ---------------------------------------------------------------------------------- */

static void an_empty_body_changes_nothing(void **state)
{
	(void)state;
	changes(&chap_row, "{}");
	assert_memory_equal(&row, &chap_row, sizeof(row));
}

static void a_null_password_keeps_the_stored_one_and_its_grace(void **state)
{
	(void)state;
	changes(&chap_row, "{'chap': {'inbound': {'user': 'user1', 'password': null}}}");
	secret_is(row.in_secret, "111111111111", 12);
	assert_int_equal(row.old_until, 1000);
}

static void a_new_password_ends_the_grace_of_the_one_before_it(void **state)
{
	(void)state;
	changes(&chap_row, "{'chap': {'inbound': {'password': '333333333333'}}}");
	secret_is(row.in_secret, "333333333333", 12);
	assert_string_equal(row.in_user, "user1");
	assert_null(row.old_secret.bytes);
	assert_int_equal(row.old_until, 0);
}

static void another_user_needs_a_password(void **state)
{
	(void)state;
	refuses(&chap_row, "{'chap': {'inbound': {'user': 'other'}}}", "5374149");
	refuses(&open_row, "{'authentication_type': 'chap', 'chap': {'inbound': {'user': 'u'}}}",
		"5374149");
	refuses(&open_row,
		"{'authentication_type': 'chap', 'chap': {'inbound': {'password': 'p'}}}",
		"5374149");
}

static void hex_digits_are_bytes(void **state)
{
	(void)state;
	changes(&chap_row, "{'chap': {'inbound': {'password': '0x00fFA0'}}}");
	secret_is(row.in_secret, "\x00\xff\xa0", 3);
	refuses(&chap_row, "{'chap': {'inbound': {'password': '0x'}}}", "5374145");
	refuses(&chap_row, "{'chap': {'inbound': {'password': '0X123'}}}", "5374145");
	refuses(&chap_row, "{'chap': {'inbound': {'password': '0xg0'}}}", "5374145");
}

static void equal_passwords_are_refused_however_they_are_written(void **state)
{
	(void)state;
	refuses(&chap_row, "{'chap': {'inbound': {'password': '222222222222'}}}", "5374147");
	refuses(&chap_row, "{'chap': {'outbound': {'password': '0x313131313131313131313131'}}}",
		"5374147");
}

static void an_empty_outbound_is_taken_away_and_an_absent_one_stays(void **state)
{
	(void)state;
	changes(&chap_row, "{'chap': {'inbound': {}}}");
	secret_is(row.out_secret, "222222222222", 12);
	changes(&chap_row, "{'chap': {'outbound': {}}}");
	assert_null(row.out_secret.bytes);
	assert_string_equal(row.out_user, "");
	changes(&chap_row, "{'chap': {'outbound': null}}");
	assert_null(row.out_secret.bytes);
}

static void without_chap_all_that_is_chap_goes(void **state)
{
	(void)state;
	changes(&chap_row, "{'authentication_type': 'Deny'}");
	assert_int_equal(row.type, CREDENTIAL_DENY);
	assert_string_equal(row.in_user, "");
	assert_null(row.in_secret.bytes);
	assert_null(row.out_secret.bytes);
	assert_null(row.old_secret.bytes);
	assert_string_equal(row.source_text, chap_row.source_text);
	refuses(&chap_row, "{'authentication_type': 'none', 'chap': {'inbound': {'user': 'u'}}}",
		"5374900");
	refuses(&open_row, "{'chap': {'outbound': {'user': 'u'}}}", "5374900");
}

static void ranges_and_masks_are_replaced_each_by_itself(void **state)
{
	(void)state;
	changes(&chap_row, "{'initiator_address': {'ranges': [{'start': '::1', 'end': '::2'}]}}");
	assert_string_equal(row.source_text, "10.1.0.0/16, ::1-::2");
	changes(&chap_row, "{'initiator_address': {'masks': []}}");
	assert_string_equal(row.source_text, "10.0.0.1-10.0.0.5");
	changes(&chap_row, "{'initiator_address': null}");
	assert_string_equal(row.source_text, "");
}

static void adding_twice_is_adding_once(void **state)
{
	const char *text = "{'initiator_address': {'ranges': [{'start': '10.0.0.1', 'end': "
			   "'10.0.0.5'}], 'masks': [{'address': '10.2.0.0', 'netmask': 16}]}}";

	(void)state;
	assert_true(change(&chap_row, WISH_ADDS, text));
	assert_string_equal(row.source_text, "10.0.0.1-10.0.0.5, 10.1.0.0/16, 10.2.0.0/16");
	assert_true(change(&chap_row, WISH_REMOVES, text));
	assert_string_equal(row.source_text, "10.1.0.0/16");
}

static void lengths_are_counted_in_characters(void **state)
{
	char text[512] = "{'chap': {'inbound': {'password': 'x', 'user': '";
	size_t n = strlen(text);

	(void)state;
	for (size_t i = 0; i < 128; i++, n += 2)
		memcpy(text + n, "\xc3\xa9", 2);
	strcpy(text + n, "'}}}");
	changes(&chap_row, text);
	strcpy(text + n, "x'}}}");
	refuses(&chap_row, text, "262185");
}

static void what_cannot_be_changed_is_said_so(void **state)
{
	(void)state;
	refuses(&chap_row, "{'svm': {'name': 1}}", "262185");
	refuses(&chap_row, "{'initiator': 'x'}", "262196");
	refuses(&chap_row, "{'chap': {'inbound': {'secret': 'x'}}}", "262179");
	refuses(&chap_row, "{'chap': {'sideways': {}}}", "262179");
	refuses(&chap_row, "{'chap': 7}", "262185");
}

static void a_strict_server_wants_96_bits(void **state)
{
	(void)state;
	body = json("{'chap': {'inbound': {'password': '12345678901'}}}");
	assert_false(wish_read_change(body, HOST, true, &wish, &why));
	assert_string_equal(why.code, "2");
}

static void no_refusal_quotes_a_password(void **state)
{
	(void)state;
	refuses(&chap_row, "{'chap': {'inbound': {'password': '0xcanary'}}}", "5374145");
	assert_null(strstr(why.text, "canary"));
	refuses(&chap_row, "{'chap': {'inbound': {'password': ['canary']}}}", "262185");
	assert_null(strstr(why.text, "canary"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, end)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_body_changes_nothing),
		TEST(a_null_password_keeps_the_stored_one_and_its_grace),
		TEST(a_new_password_ends_the_grace_of_the_one_before_it),
		TEST(another_user_needs_a_password),
		TEST(hex_digits_are_bytes),
		TEST(equal_passwords_are_refused_however_they_are_written),
		TEST(an_empty_outbound_is_taken_away_and_an_absent_one_stays),
		TEST(without_chap_all_that_is_chap_goes),
		TEST(ranges_and_masks_are_replaced_each_by_itself),
		TEST(adding_twice_is_adding_once),
		TEST(lengths_are_counted_in_characters),
		TEST(what_cannot_be_changed_is_said_so),
		TEST(a_strict_server_wants_96_bits),
		TEST(no_refusal_quotes_a_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
