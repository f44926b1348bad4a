/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signatures of real clients (tests/unit/data/aws: requests as they went over the wire), and what
 * becomes of them when anything is changed. Every request was made with the same key and, but for
 * the published one of 2012, at the same second.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt/sigv4.h"

#define SECRET      "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define NOON        INT64_C(1718452800) /* 2024-06-15T12:00:00Z */
#define DAY_OF_2012 INT64_C(1347235200) /* 2012-09-10T00:00:00Z */

static const char *const must[] = { "host", "x-amz-date", "x-amz-target" };

/* A request taken apart, in memory of its own. */
struct sample {
	char text[4096];
	struct sigv4_header headers[32];
	struct sigv4_request r;
	struct sigv4_claim claim;
	struct sigv4_why why;
};

/* Cuts off the line that *at begins with. */
static char *line(char **at)
{
	char *begin = *at, *end = strstr(begin, "\r\n");

	assert_non_null(end);
	*end = '\0';
	*at = end + 2;
	return begin;
}

static void take_apart(struct sample *s, size_t len)
{
	char *at = s->text, *first = line(&at), *row;

	s->r = (struct sigv4_request){ .headers = s->headers };
	s->r.method = strtok(first, " ");
	s->r.target = strtok(NULL, " ");
	while (*(row = line(&at))) {
		char *colon = strchr(row, ':');

		*colon = '\0';
		s->headers[s->r.n_headers++] =
			(struct sigv4_header){ row, colon + 1 + strspn(colon + 1, " ") };
	}
	s->r.body = (const uint8_t *)at;
	s->r.body_len = len - (size_t)(at - s->text);
}

static void load(struct sample *s, const char *name)
{
	char path[256];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "tests/unit/data/aws/%s.http", name);
	f = fopen(path, "rb");
	assert_non_null(f);
	len = fread(s->text, 1, sizeof(s->text) - 1, f);
	fclose(f);
	s->text[len] = '\0';
	take_apart(s, len);
}

static const char **header(struct sample *s, const char *name)
{
	for (size_t i = 0; i < s->r.n_headers; i++)
		if (!strcasecmp(s->headers[i].name, name))
			return &s->headers[i].value;
	fail_msg("no header %s", name);
	return NULL;
}

static void add_header(struct sample *s, const char *name, const char *value)
{
	s->headers[s->r.n_headers++] = (struct sigv4_header){ name, value };
}

static enum sigv4_fault judge_at(struct sample *s, int64_t now, const char *secret)
{
	const struct sigv4_rule rule = {
		.secret = secret,
		.region = "us-east-1",
		.service = "storagegateway",
		.must = must,
		.n_must = 3,
		.now = now,
	};
	enum sigv4_fault fault = sigv4_read(&s->r, &s->claim, &s->why);

	return fault ? fault : sigv4_check(&s->r, &s->claim, &rule, &s->why);
}

static enum sigv4_fault judge(struct sample *s)
{
	return judge_at(s, NOON, SECRET);
}

/* A sample with another Authorization header. An @ in it stands for all digits of the right
 * signature but the last, which is 8. */
static enum sigv4_fault judge_with(const char *pattern)
{
	static const char digits[] =
		"48fbf235c63ef0ea514b44f7b074da54cf6a13f7256053682808b0a0f3c33d8";
	const char *at = strchr(pattern, '@');
	int before = at ? (int)(at - pattern) : (int)strlen(pattern);
	char text[1024];
	struct sample s;

	load(&s, "list-cli");
	snprintf(text, sizeof(text), "%.*s%s%s", before, pattern, at ? digits : "",
		at ? at + 1 : "");
	*header(&s, "authorization") = text;
	return judge(&s);
}

/* --- what real clients send ----------------------------------------------------------------- */

static const char *const samples[] = { "update-cli", "describe-cli", "delete-cli", "list-cli",
	"update-boto3", "update-boto3-new", "list-token", "update-js", "update-2012" };

static void every_captured_request_is_right_at_its_time(void **state)
{
	struct sample s;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		load(&s, samples[i]);
		if (judge(&s))
			fail_msg("%s: %s", samples[i], s.why.text);
		assert_string_equal(s.claim.key, "AKIAIOSFODNN7EXAMPLE");
	}
}

static void the_published_example_of_2012_is_right_at_its_time(void **state)
{
	struct sample s;

	(void)state;
	load(&s, "list-2012");
	assert_int_equal(judge_at(&s, DAY_OF_2012, SECRET), SIGV4_OK);
}

static void one_flipped_bit_of_the_body_is_a_mismatch(void **state)
{
	struct sample s;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		load(&s, samples[i]);
		for (size_t at = 0; at < s.r.body_len; at++) {
			uint8_t *byte = (uint8_t *)(uintptr_t)&s.r.body[at];

			*byte ^= 1;
			assert_int_equal(judge(&s), SIGV4_MISMATCH);
			*byte ^= 1;
		}
	}
}

static void one_changed_character_of_a_signed_header_is_refused(void **state)
{
	struct sample s;

	(void)state;
	for (size_t at = 0;; at++) {
		char value[128];

		load(&s, "update-cli");
		snprintf(value, sizeof(value), "%s", *header(&s, "x-amz-target"));
		if (!value[at])
			break;
		value[at] ^= 1;
		*header(&s, "x-amz-target") = value;
		assert_int_equal(judge(&s), SIGV4_MISMATCH);
	}
}

static void one_changed_digit_of_the_signature_is_a_mismatch(void **state)
{
	(void)state;
	for (size_t at = 0; at < 64; at++) {
		struct sample s;
		char text[512];
		char *digit;

		load(&s, "list-cli");
		snprintf(text, sizeof(text), "%s", *header(&s, "authorization"));
		digit = strstr(text, "Signature=") + strlen("Signature=") + at;
		*digit = *digit == '0' ? '1' : '0';
		*header(&s, "authorization") = text;
		assert_int_equal(judge(&s), SIGV4_MISMATCH);
	}
}

static void another_method_or_path_or_query_is_a_mismatch(void **state)
{
	struct sample s;

	(void)state;
	load(&s, "list-cli");
	s.r.method = "GET";
	assert_int_equal(judge(&s), SIGV4_MISMATCH);
	load(&s, "list-cli");
	s.r.target = "/x";
	assert_int_equal(judge(&s), SIGV4_MISMATCH);
	s.r.target = "/?x=1";
	assert_int_equal(judge(&s), SIGV4_MISMATCH);
}

static void another_secret_is_a_mismatch(void **state)
{
	struct sample s;

	(void)state;
	load(&s, "list-cli");
	assert_int_equal(
		judge_at(&s, NOON, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEZ"), SIGV4_MISMATCH);
	assert_int_equal(judge_at(&s, NOON, ""), SIGV4_MISMATCH);
}

static void a_second_header_of_a_signed_name_is_a_mismatch(void **state)
{
	struct sample s;

	(void)state;
	load(&s, "list-cli");
	add_header(&s, "x-amz-target", "StorageGateway_20130630.DeleteGateway");
	assert_int_equal(judge(&s), SIGV4_MISMATCH);
}

static void an_unsigned_header_may_be_anything(void **state)
{
	struct sample s;

	(void)state;
	load(&s, "list-cli");
	*header(&s, "user-agent") = "something else";
	add_header(&s, "X-Extra", "1");
	assert_int_equal(judge(&s), SIGV4_OK);
}

static void blanks_around_and_inside_a_value_count_once(void **state)
{
	struct sample s;

	(void)state;
	load(&s, "update-js");
	*header(&s, "amz-sdk-request") = " \t attempt=1; \t  max=3  ";
	assert_int_equal(judge(&s), SIGV4_OK);
	*header(&s, "amz-sdk-request") = "attempt=1;max=3";
	assert_int_equal(judge(&s), SIGV4_MISMATCH);
}

static void the_told_hash_of_the_body_must_be_right(void **state)
{
	struct sample s;

	(void)state;
	load(&s, "list-cli");
	add_header(&s, "X-Amz-Content-Sha256",
		"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
	assert_int_equal(judge(&s), SIGV4_OK);
	*header(&s, "x-amz-content-sha256") =
		"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8b";
	assert_int_equal(judge(&s), SIGV4_MISMATCH);
	*header(&s, "x-amz-content-sha256") = "UNSIGNED-PAYLOAD";
	assert_int_equal(judge(&s), SIGV4_MISMATCH);
}

/* --- time ----------------------------------------------------------------------------------- */

static void fifteen_minutes_either_way_are_in_time(void **state)
{
	struct sample s;

	(void)state;
	load(&s, "list-cli");
	assert_int_equal(judge_at(&s, NOON + 900, SECRET), SIGV4_OK);
	assert_int_equal(judge_at(&s, NOON - 900, SECRET), SIGV4_OK);
}

static void more_than_fifteen_minutes_either_way_are_not(void **state)
{
	struct sample s;

	(void)state;
	load(&s, "list-cli");
	assert_int_equal(judge_at(&s, NOON + 901, SECRET), SIGV4_EXPIRED);
	assert_int_equal(judge_at(&s, NOON - 901, SECRET), SIGV4_EXPIRED);
	assert_string_equal(s.why.text,
		"The request is past the expiration date or the request date (either with 15 "
		"minute padding), or the request date occurs more than 15 minutes in the future.");
}

static void a_date_that_is_none_is_incomplete(void **state)
{
	static const char *const dates[] = { "", "20240615", "20240615T120000", "20240615T120000z",
		"2024-06-15T12:00:00Z", "20240631T120000Z", "20240615T240000Z", "20240615T126000Z",
		"20240615T1200000Z", "Sat, 15 Jun 2024 12:00:00 GMT", "2024061xT120000Z" };
	struct sample s;

	(void)state;
	load(&s, "list-cli");
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		*header(&s, "x-amz-date") = dates[i];
		assert_int_equal(judge(&s), SIGV4_INCOMPLETE);
	}
}

static void a_date_that_is_not_there_or_there_twice_is_incomplete(void **state)
{
	struct sample s;

	(void)state;
	load(&s, "list-cli");
	add_header(&s, "x-amz-date", "20240615T120000Z");
	assert_int_equal(judge(&s), SIGV4_INCOMPLETE);
	load(&s, "list-cli");
	for (size_t i = 0; i < s.r.n_headers; i++)
		if (!strcasecmp(s.headers[i].name, "x-amz-date"))
			s.headers[i].name = "date";
	assert_int_equal(judge(&s), SIGV4_INCOMPLETE);
}

/* --- the Authorization header --------------------------------------------------------------- */

static void no_authorization_is_missing(void **state)
{
	struct sample s;

	(void)state;
	load(&s, "list-cli");
	for (size_t i = 0; i < s.r.n_headers; i++)
		if (!strcasecmp(s.headers[i].name, "authorization"))
			s.headers[i].name = "x-other";
	assert_int_equal(judge(&s), SIGV4_MISSING);
}

static void two_authorizations_are_incomplete(void **state)
{
	struct sample s;

	(void)state;
	load(&s, "list-cli");
	add_header(&s, "Authorization", *header(&s, "authorization"));
	assert_int_equal(judge(&s), SIGV4_INCOMPLETE);
}

#define CREDENTIAL "Credential=AKIAIOSFODNN7EXAMPLE/20240615/us-east-1/storagegateway/aws4_request"
#define HEADERS    "SignedHeaders=content-type;host;x-amz-date;x-amz-target"

static void order_and_blanks_of_the_parameters_do_not_matter(void **state)
{
	(void)state;
	assert_int_equal(
		judge_with("AWS4-HMAC-SHA256  Signature=@8," HEADERS " , " CREDENTIAL), SIGV4_OK);
}

static void a_parameter_that_is_missing_is_named(void **state)
{
	struct sample s;

	(void)state;
	load(&s, "list-cli");
	*header(&s, "authorization") =
		"AWS4-HMAC-SHA256 " CREDENTIAL ", Signature="
		"48fbf235c63ef0ea514b44f7b074da54cf6a13f7256053682808b0a0f3c33d88";
	assert_int_equal(judge(&s), SIGV4_INCOMPLETE);
	assert_string_equal(s.why.text, "Authorization header requires 'SignedHeaders' parameter.");
}

static void what_is_malformed_is_incomplete(void **state)
{
	static const char *const bad[] = {
		"",
		"Basic QUtJQTo=",
		"AWS4-HMAC-SHA512 " CREDENTIAL ", " HEADERS ", Signature=@8",
		"AWS4-HMAC-SHA256",
		"AWS4-HMAC-SHA256 " CREDENTIAL ", " HEADERS,
		"AWS4-HMAC-SHA256 " HEADERS ", Signature=@8",
		"AWS4-HMAC-SHA256 " CREDENTIAL ", " HEADERS ", Signature=@8, " HEADERS,
		"AWS4-HMAC-SHA256 " CREDENTIAL ", " HEADERS ", Signature=@8, More=1",
		"AWS4-HMAC-SHA256 " CREDENTIAL ", " HEADERS ", Signature=@",
		"AWS4-HMAC-SHA256 " CREDENTIAL ", " HEADERS ", Signature=@80",
		"AWS4-HMAC-SHA256 " CREDENTIAL ", " HEADERS ", Signature=@G",
		"AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=, Signature=@8",
		"AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=host;, Signature=@8",
		"AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=;host, Signature=@8",
		"AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=Host, Signature=@8",
		"AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=x-amz-date;host, Signature=@8",
		"AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=host;host, Signature=@8",
		"AWS4-HMAC-SHA256 Credential=, " HEADERS ", Signature=@8",
		"AWS4-HMAC-SHA256 "
		"Credential=/20240615/us-east-1/storagegateway/aws4_request, " HEADERS
		", Signature=@8",
		"AWS4-HMAC-SHA256 Credential=AKIA/us-east-1/storagegateway/aws4_request, " HEADERS
		", Signature=@8",
		"AWS4-HMAC-SHA256 "
		"Credential=AK\xff/20240615/us-east-1/storagegateway/aws4_request, " HEADERS
		", Signature=@8",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (judge_with(bad[i]) != SIGV4_INCOMPLETE)
			fail_msg("%s", bad[i]);
}

static void a_credential_for_something_else_is_out_of_scope(void **state)
{
	static const char *const bad[] = {
		"AKIAIOSFODNN7EXAMPLE/20240614/us-east-1/storagegateway/aws4_request",
		"AKIAIOSFODNN7EXAMPLE/2024061/us-east-1/storagegateway/aws4_request",
		"AKIAIOSFODNN7EXAMPLE/20240615/us-east-2/storagegateway/aws4_request",
		"AKIAIOSFODNN7EXAMPLE/20240615/us-east-1/s3/aws4_request",
		"AKIAIOSFODNN7EXAMPLE/20240615/us-east-1/storagegateway/aws3_request",
		"AKIAIOSFODNN7EXAMPLE/20240615//storagegateway/aws4_request",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[512];

		snprintf(text, sizeof(text),
			"AWS4-HMAC-SHA256 Credential=%s, " HEADERS ", Signature=@8", bad[i]);
		if (judge_with(text) != SIGV4_SCOPE)
			fail_msg("%s", bad[i]);
	}
}

static void the_printed_example_of_2012_is_out_of_scope(void **state)
{
	struct sample s;

	(void)state;
	load(&s, "list-2012");
	*header(&s, "x-amz-date") = "20120912T120000Z";
	*header(&s, "authorization") =
		"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20120425/us-east-1/"
		"storagegateway/aws4_request, SignedHeaders=content-type;host;x-amz-date;"
		"x-amz-target, Signature="
		"9cd5a3584d1d67d57e61f120f35102d6b3649066abdd4bf4bbcf05bd9f2f8fe2";
	assert_int_equal(judge_at(&s, 1347451200, SECRET), SIGV4_SCOPE);
}

static void what_must_be_signed_must_be_named(void **state)
{
	(void)state;
	assert_int_equal(judge_with("AWS4-HMAC-SHA256 " CREDENTIAL
				    ", SignedHeaders=host;x-amz-date, Signature=@8"),
		SIGV4_UNSIGNED);
	assert_int_equal(judge_with("AWS4-HMAC-SHA256 " CREDENTIAL
				    ", SignedHeaders=x-amz-date;x-amz-target, Signature=@8"),
		SIGV4_UNSIGNED);
}

static void a_token_that_is_not_signed_is_refused(void **state)
{
	struct sample s;

	(void)state;
	load(&s, "list-cli");
	add_header(&s, "X-Amz-Security-Token", "FwoGZXIvYXdzEXAMPLETOKEN==");
	assert_int_equal(judge(&s), SIGV4_UNSIGNED);
}

static void a_named_header_that_was_not_sent_is_a_mismatch(void **state)
{
	(void)state;
	assert_int_equal(judge_with("AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=content-type;"
				    "host;x-amz-date;x-amz-target;x-other, Signature=@8"),
		SIGV4_MISMATCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_captured_request_is_right_at_its_time),
		cmocka_unit_test(the_published_example_of_2012_is_right_at_its_time),
		cmocka_unit_test(one_flipped_bit_of_the_body_is_a_mismatch),
		cmocka_unit_test(one_changed_character_of_a_signed_header_is_refused),
		cmocka_unit_test(one_changed_digit_of_the_signature_is_a_mismatch),
		cmocka_unit_test(another_method_or_path_or_query_is_a_mismatch),
		cmocka_unit_test(another_secret_is_a_mismatch),
		cmocka_unit_test(a_second_header_of_a_signed_name_is_a_mismatch),
		cmocka_unit_test(an_unsigned_header_may_be_anything),
		cmocka_unit_test(blanks_around_and_inside_a_value_count_once),
		cmocka_unit_test(the_told_hash_of_the_body_must_be_right),
		cmocka_unit_test(fifteen_minutes_either_way_are_in_time),
		cmocka_unit_test(more_than_fifteen_minutes_either_way_are_not),
		cmocka_unit_test(a_date_that_is_none_is_incomplete),
		cmocka_unit_test(a_date_that_is_not_there_or_there_twice_is_incomplete),
		cmocka_unit_test(no_authorization_is_missing),
		cmocka_unit_test(two_authorizations_are_incomplete),
		cmocka_unit_test(order_and_blanks_of_the_parameters_do_not_matter),
		cmocka_unit_test(a_parameter_that_is_missing_is_named),
		cmocka_unit_test(what_is_malformed_is_incomplete),
		cmocka_unit_test(a_credential_for_something_else_is_out_of_scope),
		cmocka_unit_test(the_printed_example_of_2012_is_out_of_scope),
		cmocka_unit_test(what_must_be_signed_must_be_named),
		cmocka_unit_test(a_token_that_is_not_signed_is_refused),
		cmocka_unit_test(a_named_header_that_was_not_sent_is_a_mismatch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
