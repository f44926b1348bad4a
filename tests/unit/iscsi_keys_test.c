/* SPDX-License-Identifier: BSD-2-Clause */
/* Text of Login and Text PDUs, RFC 7143 6.1: gathered, taken apart, written, sent in pieces. */
#include "iscsi/keys.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A literal with its embedded NULs, but without the one that the compiler adds. */
#define TEXT(s) (s), sizeof(s) - 1

/* The pairs of a text as "name=value;…", or "…!" where it is malformed. */
static const char *pairs(const char *text, size_t len)
{
	static char seen[2 * KEY_TEXT_MAX];
	struct key_buf b = { 0 };
	struct key_pair pair;
	enum key_step step;

	seen[0] = '\0';
	assert_int_equal(key_buf_add(&b, text, len), 0);
	struct key_reader r = key_reader_of(&b);
	while ((step = key_next(&r, &pair)) == KEY_STEP_PAIR) {
		assert_int_equal(strlen(pair.value), pair.value_len);
		strcat(strcat(strcat(strcat(seen, pair.name), "="), pair.value), ";");
	}
	if (step == KEY_STEP_BAD)
		strcat(seen, "!");
	key_buf_free(&b);
	return seen;
}

/* --- reading -------------------------------------------------------------------------------- */

static void pairs_are_separated_by_nul(void **state)
{
	(void)state;
	assert_string_equal(pairs(TEXT("InitialR2T=No\0ImmediateData=Yes\0")),
		"InitialR2T=No;ImmediateData=Yes;");
}

static void an_empty_text_has_no_pairs(void **state)
{
	(void)state;
	assert_string_equal(pairs(TEXT("")), "");
}

static void superfluous_nuls_are_skipped(void **state)
{
	(void)state;
	assert_string_equal(pairs(TEXT("\0\0A=1\0\0B=2\0\0\0")), "A=1;B=2;");
	assert_string_equal(pairs(TEXT("\0\0\0\0")), "");
}

static void the_last_pair_may_lack_its_nul(void **state)
{
	(void)state;
	assert_string_equal(
		pairs(TEXT("A=1\0SessionType=Discovery")), "A=1;SessionType=Discovery;");
}

static void a_value_may_be_empty(void **state)
{
	(void)state;
	assert_string_equal(pairs(TEXT("SendTargets=\0")), "SendTargets=;");
}

static void a_value_may_hold_equals_signs(void **state)
{
	(void)state;
	assert_string_equal(pairs(TEXT("CHAP_C=0bQUJDRA==\0")), "CHAP_C=0bQUJDRA==;");
}

static void a_pair_without_equals_sign_is_malformed(void **state)
{
	(void)state;
	assert_string_equal(pairs(TEXT("A=1\0InitialR2T\0B=2\0")), "A=1;!");
}

static void an_empty_name_is_malformed(void **state)
{
	(void)state;
	assert_string_equal(pairs(TEXT("=Yes\0")), "!");
}

#define FORTY "Abcdefghijklmnopqrstuvwxyzabcdefghijklmn"

static void a_name_has_at_most_63_characters(void **state)
{
	(void)state;
	assert_string_equal(pairs(TEXT(FORTY "12345678901234567890123=1\0")),
		FORTY "12345678901234567890123=1;");
	assert_string_equal(pairs(TEXT(FORTY "123456789012345678901234=1\0")), "!");
}

static void a_name_is_of_letters_digits_and_a_few_signs(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		char text[8] = "X?=1"; /* with room for the ';' that pairs() shows */
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool digit = c >= '0' && c <= '9';
		text[1] = (char)c;
		if (c == '=')
			continue;
		assert_string_equal(pairs(text, 4),
			letter || digit || strchr(".-+@_#", c) ? strcat(text, ";") : "!");
	}
}

static void nothing_is_read_after_a_malformed_pair(void **state)
{
	(void)state;
	struct key_buf b = { 0 };
	struct key_pair pair;
	assert_int_equal(key_buf_add(&b, TEXT("nonsense\0A=1\0")), 0);
	struct key_reader r = key_reader_of(&b);
	assert_int_equal(key_next(&r, &pair), KEY_STEP_BAD);
	assert_int_equal(key_next(&r, &pair), KEY_STEP_END);
	key_buf_free(&b);
}

/* --- gathering ------------------------------------------------------------------------------ */

static void a_pair_may_be_cut_anywhere_between_pdus(void **state)
{
	(void)state;
	static const char text[] = "InitialR2T=No\0ImmediateData=Yes";
	for (size_t cut = 0; cut <= sizeof(text); cut++) {
		struct key_buf b = { 0 };
		struct key_pair pair;
		assert_int_equal(key_buf_add(&b, text, cut), 0);
		assert_int_equal(key_buf_add(&b, text + cut, sizeof(text) - cut), 0);
		struct key_reader r = key_reader_of(&b);
		assert_int_equal(key_next(&r, &pair), KEY_STEP_PAIR);
		assert_string_equal(pair.name, "InitialR2T");
		assert_string_equal(pair.value, "No");
		assert_int_equal(key_next(&r, &pair), KEY_STEP_PAIR);
		assert_string_equal(pair.name, "ImmediateData");
		assert_string_equal(pair.value, "Yes");
		assert_int_equal(key_next(&r, &pair), KEY_STEP_END);
		key_buf_free(&b);
	}
}

static void a_buffer_holds_no_memory_before_it_is_needed(void **state)
{
	(void)state;
	struct key_buf b = { 0 };
	struct key_pair pair;
	assert_int_equal(key_buf_add(&b, "", 0), 0);
	assert_null(b.text);
	struct key_reader r = key_reader_of(&b);
	assert_int_equal(key_next(&r, &pair), KEY_STEP_END);
	key_buf_free(&b);
}

static void at_least_8192_bytes_are_taken_and_not_more_than_the_cap(void **state)
{
	(void)state;
	static char part[KEY_TEXT_MAX];
	struct key_buf b = { 0 };
	assert_true(KEY_TEXT_MAX >= 8192);
	memset(part, 'x', sizeof(part));
	assert_int_equal(key_buf_add(&b, part, KEY_TEXT_MAX - 1), 0);
	assert_int_equal(key_buf_add(&b, part, 2), -EMSGSIZE);
	assert_int_equal(b.len, KEY_TEXT_MAX - 1);
	assert_int_equal(key_buf_add(&b, part, 1), 0);
	assert_int_equal(key_buf_add(&b, part, 1), -EMSGSIZE);
	assert_int_equal(key_buf_add(&b, part, SIZE_MAX), -EMSGSIZE);
	key_buf_free(&b);
	assert_null(b.text);
}

static void a_full_buffer_is_read_to_its_end(void **state)
{
	(void)state;
	static char part[KEY_TEXT_MAX];
	struct key_buf b = { 0 };
	struct key_pair pair;
	memset(part, 'x', sizeof(part));
	memcpy(part, "A=", 2);
	assert_int_equal(key_buf_add(&b, part, sizeof(part)), 0);
	struct key_reader r = key_reader_of(&b);
	assert_int_equal(key_next(&r, &pair), KEY_STEP_PAIR);
	assert_int_equal(pair.value_len, KEY_TEXT_MAX - 2);
	assert_int_equal(key_next(&r, &pair), KEY_STEP_END);
	key_buf_free(&b);
}

/* --- writing -------------------------------------------------------------------------------- */

static void answers_are_written_with_their_nuls(void **state)
{
	(void)state;
	static const char want[] = "TargetAlias=disk 7\0MaxBurstLength=262144\0InitialR2T=No\0"
				   "ImmediateData=Yes";
	struct key_out o = key_out_of(1000);
	const char *piece;
	key_put(&o, "TargetAlias", "%s %d", "disk", 7);
	key_put_number(&o, "MaxBurstLength", 262144);
	key_put_bool(&o, "InitialR2T", false);
	key_put_bool(&o, "ImmediateData", true);
	assert_int_equal(o.err, 0);
	assert_int_equal(key_out_take(&o, 8192, &piece), sizeof(want));
	assert_memory_equal(piece, want, sizeof(want));
	assert_int_equal(key_out_left(&o), 0);
	key_out_free(&o);
}

static void an_empty_answer_has_no_piece(void **state)
{
	(void)state;
	struct key_out o = key_out_of(1000);
	const char *piece;
	assert_int_equal(key_out_take(&o, 8192, &piece), 0);
	assert_null(o.text);
	key_out_free(&o);
}

static void a_long_answer_is_sent_in_pieces_that_make_up_the_whole(void **state)
{
	(void)state;
	struct key_out o = key_out_of(100000);
	static char whole[100000];
	size_t total = 0, n, pieces = 0;
	const char *piece;
	for (unsigned i = 0; i < 1000; i++)
		key_put(&o, "TargetName", "iqn.2001-04.com.example:disk%u", i);
	while ((n = key_out_take(&o, 512, &piece))) {
		assert_true(n == 512 || !key_out_left(&o));
		memcpy(whole + total, piece, n);
		total += n;
		pieces++;
	}
	assert_int_equal(o.err, 0);
	assert_int_equal(total, o.len);
	assert_int_equal(pieces, (total + 511) / 512);
	assert_memory_equal(whole, o.text, total);
	assert_string_equal(
		whole + total - strlen("TargetName=iqn.2001-04.com.example:disk999") - 1,
		"TargetName=iqn.2001-04.com.example:disk999");
	key_out_free(&o);
}

static void an_answer_beyond_its_cap_is_an_error_that_sticks(void **state)
{
	(void)state;
	struct key_out o = key_out_of(10);
	key_put(&o, "Aaaa", "1234"); /* 10 bytes with '=' and NUL */
	assert_int_equal(o.err, 0);
	key_put(&o, "B", "%s", "");
	assert_int_equal(o.err, -EMSGSIZE);
	assert_int_equal(o.len, 10);
	key_out_free(&o);
	assert_int_equal(o.err, 0);
	key_put(&o, "Aaaaa", "1234");
	assert_int_equal(o.err, -EMSGSIZE);
	assert_int_equal(o.len, 0);
	key_put(&o, "B", "2");
	assert_int_equal(o.len, 0);
	key_out_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_are_separated_by_nul),
		cmocka_unit_test(an_empty_text_has_no_pairs),
		cmocka_unit_test(superfluous_nuls_are_skipped),
		cmocka_unit_test(the_last_pair_may_lack_its_nul),
		cmocka_unit_test(a_value_may_be_empty),
		cmocka_unit_test(a_value_may_hold_equals_signs),
		cmocka_unit_test(a_pair_without_equals_sign_is_malformed),
		cmocka_unit_test(an_empty_name_is_malformed),
		cmocka_unit_test(a_name_has_at_most_63_characters),
		cmocka_unit_test(a_name_is_of_letters_digits_and_a_few_signs),
		cmocka_unit_test(nothing_is_read_after_a_malformed_pair),
		cmocka_unit_test(a_pair_may_be_cut_anywhere_between_pdus),
		cmocka_unit_test(a_buffer_holds_no_memory_before_it_is_needed),
		cmocka_unit_test(at_least_8192_bytes_are_taken_and_not_more_than_the_cap),
		cmocka_unit_test(a_full_buffer_is_read_to_its_end),
		cmocka_unit_test(answers_are_written_with_their_nuls),
		cmocka_unit_test(an_empty_answer_has_no_piece),
		cmocka_unit_test(a_long_answer_is_sent_in_pieces_that_make_up_the_whole),
		cmocka_unit_test(an_answer_beyond_its_cap_is_an_error_that_sticks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
