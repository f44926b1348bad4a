/* SPDX-License-Identifier: BSD-2-Clause */
/* Constraints of members: which bodies pass, and what is said of those that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt/aws_input.h"

// clang-format off
static const struct aws_member members[] = {
	{ "Name",   AWS_TEXT,   AWS_REQUIRED,  2, 8,    &aws_iqn_pattern },
	{ "Secret", AWS_TEXT,   AWS_SENSITIVE, 1, 4,    NULL },
	{ "Limit",  AWS_NUMBER, 0,             1, 1000, NULL },
	{ "Flag",   AWS_BOOL,   0,             0, 0,    NULL },
	{ "ARNs",   AWS_TEXTS,  0,             3, 5,    NULL },
	{ "Tags",   AWS_TAGS,   0,             0, 0,    NULL },
};
// clang-format on
#define N (sizeof(members) / sizeof(members[0]))

static json_t *parse(const char *text)
{
	json_t *body = json_loads(text, 0, NULL);

	assert_non_null(body);
	return body;
}

static bool has_types(const char *text)
{
	json_t *body = parse(text);
	bool good = aws_input_types(members, N, body);

	json_decref(body);
	return good;
}

/* What is said of a body; "" where nothing is wrong. */
static const char *judge(const char *text, char said[static AWS_INPUT_TEXT])
{
	json_t *body = parse(text), *shown;
	bool good;

	said[0] = '\0';
	assert_true(aws_input_types(members, N, body));
	good = aws_input_check(members, N, body, said);
	assert_int_equal(good, !*said);
	shown = json_string(said);
	assert_non_null(shown);
	json_decref(shown);
	json_decref(body);
	return said;
}

static void assert_said(const char *body, const char *text)
{
	char said[AWS_INPUT_TEXT];

	assert_string_equal(judge(body, said), text);
}

#define ONE "1 validation error detected: "

static void a_body_within_all_constraints_passes(void **state)
{
	(void)state;
	assert_said("{\"Name\":\"iqn.x:1\",\"Secret\":\"s\",\"Limit\":1000,\"Flag\":false,"
		    "\"ARNs\":[\"abc\",\"abcde\"],\"Tags\":[{\"Key\":\"k\",\"Value\":\"\"}]}",
		"");
}

static void null_is_as_absent(void **state)
{
	(void)state;
	assert_said(
		"{\"Name\":\"ab\",\"Secret\":null,\"Limit\":null,\"ARNs\":null,\"Tags\":null}", "");
	assert_said("{\"Name\":null}",
		ONE "Value null at 'name' failed to satisfy constraint: Member must not be null");
}

static void members_that_no_table_has_are_ignored(void **state)
{
	(void)state;
	assert_said("{\"Name\":\"ab\",\"name\":1,\"More\":{\"x\":[]}}", "");
}

static void every_kind_insists_on_its_json_type(void **state)
{
	static const char *const bad[] = { "{\"Name\":1}", "{\"Name\":[\"ab\"]}",
		"{\"Limit\":\"1\"}", "{\"Limit\":1.0}", "{\"Limit\":true}", "{\"Flag\":0}",
		"{\"Flag\":\"true\"}", "{\"ARNs\":\"abc\"}", "{\"ARNs\":[1]}", "{\"ARNs\":[null]}",
		"{\"Tags\":{}}", "{\"Tags\":[\"k\"]}", "{\"Tags\":[{\"Key\":1}]}" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (has_types(bad[i]))
			fail_msg("%s", bad[i]);
}

static void lengths_are_counted_in_characters(void **state)
{
	(void)state;
	assert_said("{\"Name\":\"ab\",\"Secret\":\"\\u00e9\\u20ac\\ud83d\\ude00x\"}", "");
	assert_said("{\"Name\":\"ab\",\"Secret\":\"\\u00e9\\u20ac\\ud83d\\ude00xy\"}",
		ONE "Value at 'secret' failed to satisfy constraint: Member must have length less "
		    "than or equal to 4");
}

static void a_secret_is_never_told(void **state)
{
	char said[AWS_INPUT_TEXT];

	(void)state;
	assert_null(strstr(judge("{\"Name\":\"ab\",\"Secret\":\"hidden\"}", said), "hidden"));
}

static void the_pattern_is_told_as_it_was_published(void **state)
{
	(void)state;
	assert_said("{\"Name\":\"A_B\"}",
		ONE "Value 'A_B' at 'name' failed to satisfy constraint: Member must satisfy "
		    "regular expression pattern: [0-9a-z:.-]+");
}

static void all_that_is_wrong_is_told_at_once(void **state)
{
	(void)state;
	assert_said("{\"Name\":\"A\",\"Limit\":0}",
		"3 validation errors detected: Value 'A' at 'name' failed to satisfy constraint: "
		"Member must have length greater than or equal to 2; Value 'A' at 'name' failed to "
		"satisfy constraint: Member must satisfy regular expression pattern: [0-9a-z:.-]+; "
		"Value '0' at 'limit' failed to satisfy constraint: Member must have value greater "
		"than or equal to 1");
}

static void numbers_have_a_least_and_a_most(void **state)
{
	(void)state;
	assert_said("{\"Name\":\"ab\",\"Limit\":1001}",
		ONE "Value '1001' at 'limit' failed to satisfy constraint: Member must have value "
		    "less than or equal to 1000");
	assert_said("{\"Name\":\"ab\",\"Limit\":-9223372036854775808}",
		ONE "Value '-9223372036854775808' at 'limit' failed to satisfy constraint: Member "
		    "must have value greater than or equal to 1");
}

static void each_text_of_a_list_is_held_to_the_constraint(void **state)
{
	(void)state;
	assert_said("{\"Name\":\"ab\",\"ARNs\":[\"abc\",\"ab\"]}",
		ONE "Value 'ab' at 'aRNs' failed to satisfy constraint: Member must satisfy "
		    "constraint: [Member must have length less than or equal to 5, Member must "
		    "have length greater than or equal to 3]");
}

static void tags_are_told_by_their_place(void **state)
{
	(void)state;
	assert_said("{\"Name\":\"ab\",\"Tags\":[{\"Key\":\"k\",\"Value\":\"\"},{\"Key\":\"k\"}]}",
		ONE "Value null at 'tags.2.member.value' failed to satisfy constraint: Member must "
		    "not be null");
}

static void a_tag_key_may_have_letters_of_any_script(void **state)
{
	(void)state;
	assert_true(aws_tag_key_pattern.matches("\xd0\xba\xd0\xbb 1_.:/=+-@"));
	assert_false(aws_tag_key_pattern.matches("a*"));
	assert_false(aws_tag_key_pattern.matches("a\tb"));
	assert_false(aws_tag_key_pattern.matches("a\xc2\x85"));
}

static void a_gateway_name_is_printable_and_not_blank(void **state)
{
	(void)state;
	assert_true(aws_gateway_name_pattern.matches("my gateway-1"));
	assert_false(aws_gateway_name_pattern.matches("  "));
	assert_false(aws_gateway_name_pattern.matches("a/b"));
	assert_false(aws_gateway_name_pattern.matches("a\nb"));
}

static void a_kms_key_is_an_alias_or_an_arn(void **state)
{
	(void)state;
	assert_true(aws_kms_key_pattern.matches("alias/my-key"));
	assert_true(aws_kms_key_pattern.matches("arn:aws-cn:kms:cn-north-1:111122223333:key/1-2"));
	assert_true(aws_kms_key_pattern.matches("arn:aws:kms:us-east-1:111122223333:alias/x"));
	assert_false(aws_kms_key_pattern.matches("alias/"));
	assert_false(aws_kms_key_pattern.matches("alias/my key"));
	assert_false(aws_kms_key_pattern.matches("arn:aws:kms:us-east-1::key/1"));
	assert_false(aws_kms_key_pattern.matches("arn:aws:s3:us-east-1:111122223333:key/1"));
	assert_false(aws_kms_key_pattern.matches("xalias/my-key"));
}

static void a_tape_arn_has_a_barcode_and_no_gateway(void **state)
{
#define TAPE "arn:aws:storagegateway:us-east-1:111122223333:tape/"
	(void)state;
	assert_true(aws_tape_arn_pattern.matches(TAPE "TEST38A29D"));
	assert_true(aws_tape_arn_pattern.matches(TAPE "ABCDEFGH12345678"));
	assert_false(aws_tape_arn_pattern.matches(TAPE "ABCDEFGH123456789"));
	assert_false(aws_tape_arn_pattern.matches(TAPE "TEST"));
	assert_false(aws_tape_arn_pattern.matches(TAPE "test38a29d"));
	assert_false(aws_tape_arn_pattern.matches(TAPE "TEST38A29D\n"));
	assert_false(aws_tape_arn_pattern.matches("arn:awsx:storagegateway:a:1:tape/TEST38A29D"));
	assert_false(aws_tape_arn_pattern.matches("arn:aws:storagegateway:a::tape/TEST38A29D"));
}

/* Cut in the middle of a character it would be no UTF-8, and so no answer. */
static void a_long_value_is_cut_between_characters(void **state)
{
	char body[4096] = "{\"Name\":\"", said[AWS_INPUT_TEXT];

	(void)state;
	for (int shift = 0; shift < 4; shift++) {
		size_t len = strlen("{\"Name\":\"");

		memset(body + len, 'x', (size_t)shift);
		len += (size_t)shift;
		for (int i = 0; i < 600; i++, len += 4)
			memcpy(body + len, "\xf0\x9f\x98\x80", 4);
		strcpy(body + len, "\"}");
		assert_non_null(strstr(judge(body, said), "less than or equal to 8"));
	}
}

static void more_errors_than_there_is_room_for_are_counted(void **state)
{
	char body[8192] = "{\"Name\":\"ab\",\"Tags\":[", said[AWS_INPUT_TEXT];

	(void)state;
	for (int i = 0; i < 500; i++)
		strcat(body, i ? ",{}" : "{}");
	strcat(body, "]}");
	assert_non_null(strstr(judge(body, said), "1000 validation errors detected: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_within_all_constraints_passes),
		cmocka_unit_test(null_is_as_absent),
		cmocka_unit_test(members_that_no_table_has_are_ignored),
		cmocka_unit_test(every_kind_insists_on_its_json_type),
		cmocka_unit_test(lengths_are_counted_in_characters),
		cmocka_unit_test(a_secret_is_never_told),
		cmocka_unit_test(the_pattern_is_told_as_it_was_published),
		cmocka_unit_test(all_that_is_wrong_is_told_at_once),
		cmocka_unit_test(numbers_have_a_least_and_a_most),
		cmocka_unit_test(each_text_of_a_list_is_held_to_the_constraint),
		cmocka_unit_test(tags_are_told_by_their_place),
		cmocka_unit_test(a_tag_key_may_have_letters_of_any_script),
		cmocka_unit_test(a_gateway_name_is_printable_and_not_blank),
		cmocka_unit_test(a_kms_key_is_an_alias_or_an_arn),
		cmocka_unit_test(a_tape_arn_has_a_barcode_and_no_gateway),
		cmocka_unit_test(a_long_value_is_cut_between_characters),
		cmocka_unit_test(more_errors_than_there_is_room_for_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
