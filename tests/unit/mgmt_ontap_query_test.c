/* SPDX-License-Identifier: BSD-2-Clause */
/* The query language of the ONTAP REST API, on five records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt/ontap_query_private.h"

static const char *const keys[] = { "a", "b", "c", "d", "e" };
static const char *const texts[] = {
	"{'id':'a', 'type':'none', 'size':9,  'who':{'user':'Anna'}}",
	("{'id':'b', 'type':'chap', 'size':10, 'who':{'user':'bob'}, "
	 "'net':[{'ip':'10.0.0.9'},{'ip':'10.0.0.200'}]}"),
	"{'id':'c', 'type':'chap', 'size':100, 'net':[{'ip':'10.0.1.1'}]}",
	"{'id':'d', 'type':'deny', 'size':7,  'who':{'user':'a|b*'}}",
	"{'id':'e', 'type':'none', 'size':10}",
};

// clang-format off
static const struct query_leaf leaves[] = {
	{ "id",       true,  true },
	{ "type",     false, true },
	{ "size",     false, false },
	{ "who.user", false, false },
	{ "net.ip",   false, false },
};
// clang-format on
static const struct query_shape shape = { leaves, 5, 0 };
static struct query_fault why;

static const char *key(void *arg, size_t i)
{
	(void)arg;
	return keys[i];
}

static json_t *record(void *arg, size_t i)
{
	char text[256];

	(void)arg;
	snprintf(text, sizeof(text), "%s", texts[i]);
	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	return json_loads(text, 0, NULL);
}

static const struct query_source source = { .n = 5, .key = key, .record = record };

/* The second, however often. */
static const char *same_key(void *arg, size_t i)
{
	(void)i;
	return key(arg, 1);
}

static json_t *same_record(void *arg, size_t i)
{
	(void)i;
	return record(arg, 1);
}

static struct query *parse(const char *text)
{
	struct query *q = NULL;

	if (!query_parse(text, &shape, QUERY_FIELDS | QUERY_COLLECTION | QUERY_RECORDS, &q, &why))
		fail_msg("\"%s\": %s", text, why.text);
	return q;
}

/* The ids of a page, and what comes behind them; "bc" and "max_records=2&start=c". */
static const char *ids(const char *text, char next[static 128])
{
	static char out[8];
	struct query *q = parse(text);
	struct query_page page;
	size_t n = 0;

	assert_true(query_run(q, &source, &page));
	for (; n < json_array_size(page.records); n++)
		out[n] = json_string_value(
			json_object_get(json_array_get(page.records, n), "id"))[0];
	out[n] = '\0';
	snprintf(next, 128, "%s", page.next ? page.next : "");
	json_decref(page.records);
	free(page.next);
	query_free(q);
	return out;
}

static void finds(const char *text, const char *want)
{
	char next[128];

	assert_string_equal(ids(text, next), want);
	assert_string_equal(next, "");
}

static void refuses(const char *text, const char *code, const char *target)
{
	struct query *q = NULL;

	if (query_parse(text, &shape, QUERY_FIELDS | QUERY_COLLECTION | QUERY_RECORDS, &q, &why))
		fail_msg("\"%s\" was taken", text);
	assert_string_equal(why.code, code);
	assert_string_equal(why.target, target);
}

/* The one record that text finds, as it is shown. */
static void shows(const char *text, const char *want)
{
	struct query *q = parse(text);
	struct query_page page;
	char *got;

	assert_true(query_run(q, &source, &page));
	assert_int_equal(page.n, 1);
	got = json_dumps(json_array_get(page.records, 0), JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(got, want);
	free(got);
	json_decref(page.records);
	query_free(q);
}

static void without_a_query_there_are_all(void **state)
{
	(void)state;
	finds("", "abcde");
}

static void a_value_is_compared_whole_and_case_counts_where_it_does(void **state)
{
	(void)state;
	finds("type=chap", "bc");
	finds("type=CHAP", "bc");
	finds("type=cha", "");
	finds("who.user=Anna", "a");
	finds("who.user=anna", "");
}

static void alternatives_wildcards_and_negations_combine(void **state)
{
	(void)state;
	finds("type=none|deny", "ade");
	finds("type=%2A%65%2A", "ade");
	finds("type=c*p", "bc");
	finds("type=!chap", "ade");
	finds("type=!chap&size=10", "e");
	finds("id=a|e|d", "ade");
}

/* As where somebody names all the initiators that he means. */
static void a_long_list_of_alternatives_is_looked_at_to_its_end(void **state)
{
	char text[4000] = "id=", next[128];

	(void)state;
	while (strlen(text) < sizeof(text) - 100)
		strcat(text, "iqn.2026-11.com.example:somebody-else|");
	strcat(text, "|d|a|");
	assert_string_equal(ids(text, next), "ad");
}

static void numbers_and_addresses_are_compared_as_such(void **state)
{
	(void)state;
	finds("size=<10", "ad");
	finds("size=<=10", "abde");
	finds("size=>10", "c");
	finds("size=>=10", "bce");
	finds("size=9..10", "abe");
	finds("net.ip=10.0.0.10..10.0.0.255", "b");
	finds("net.ip=10.0.0.9", "b");
}

static void null_is_what_has_no_value(void **state)
{
	(void)state;
	finds("who.user=null", "ce");
	finds("who.user=!null", "abd");
}

static void quotes_take_the_meaning_from_operators(void **state)
{
	(void)state;
	finds("who.user=%22a|b*%22", "d");
}

static void by_default_members_that_identify_are_shown_and_those_filtered_by(void **state)
{
	(void)state;
	shows("id=b", "{\"id\":\"b\"}");
	shows("id=b&type=chap", "{\"id\":\"b\",\"type\":\"chap\"}");
}

static void fields_name_members_or_what_they_are_in(void **state)
{
	(void)state;
	shows("id=b&fields=who", "{\"id\":\"b\",\"who\":{\"user\":\"bob\"}}");
	shows("id=c&fields=net.ip,size",
		"{\"id\":\"c\",\"net\":[{\"ip\":\"10.0.1.1\"}],\"size\":100}");
	shows("id=c&fields=net.*&fields=size",
		"{\"id\":\"c\",\"net\":[{\"ip\":\"10.0.1.1\"}],\"size\":100}");
	shows("id=e&fields=%2A", "{\"id\":\"e\",\"size\":10,\"type\":\"none\"}");
}

static void pages_go_on_behind_the_last_key(void **state)
{
	char next[128];

	(void)state;
	assert_string_equal(ids("max_records=2&type=!deny", next), "ab");
	assert_string_equal(next, "max_records=2&type=!deny&start=b");
	assert_string_equal(ids(next, next), "ce");
	assert_string_equal(next, "");
}

static void an_order_holds_over_pages(void **state)
{
	char next[128];

	(void)state;
	finds("order_by=id desc", "edcba");
	finds("order_by=size,id%20desc", "daebc");
	finds("order_by=type+desc,id+asc", "aedbc");
	assert_string_equal(ids("order_by=size&max_records=3", next), "dab");
	assert_string_equal(ids(next, next), "ec");
	assert_string_equal(next, "");
}

/* Where a page ends is told by the values of its last record, and its key. */
static void with_an_order_a_page_goes_on_behind_what_the_last_one_ended_with(void **state)
{
	char next[128];

	(void)state;
	assert_string_equal(ids("order_by=size&max_records=3&id=!d", next), "abe");
	assert_string_equal(
		next, "order_by=size&max_records=3&id=!d&start=%5B%2210%22%2C%22e%22%5D");
	/* Meanwhile d has come, which stands before what was seen. */
	finds("order_by=size&max_records=3&start=%5B%2210%22%2C%22e%22%5D", "c");
	/* What was seen last has gone. */
	finds("order_by=size&max_records=3&id=!e&start=%5B%2210%22%2C%22e%22%5D", "c");
	finds("order_by=type+desc&id=!e&start=%5B%22none%22%2C%22e%22%5D", "dbc");
	/* Those without the member come last when it falls. */
	assert_string_equal(ids("order_by=who.user+desc&max_records=4", next), "bdac");
	assert_string_equal(ids(next, next), "e");
}

static void a_place_in_an_order_that_is_none_is_refused(void **state)
{
	(void)state;
	refuses("order_by=size&start=3", "262197", "start");
	refuses("start=%5B%229%22%5D&order_by=size", "262197", "start");
	refuses("order_by=size&start=%5B9,%22a%22%5D", "262197", "start");
}

/* Numbers among other texts, which as texts would come before the smallest and behind the largest. */
static void texts_of_all_kinds_have_one_order(void **state)
{
	static const char *const rising[] = { "", "9", "10", "9.9.9.9", "10.0.0.1", "::9", "::10",
		"007", "1a", "Anna", "bob" };

	(void)state;
	for (size_t i = 0; i < sizeof(rising) / sizeof(rising[0]); i++)
		for (size_t j = 0; j < sizeof(rising) / sizeof(rising[0]); j++)
			assert_int_equal((query_compare(rising[i], rising[j], false) > 0) -
						 (query_compare(rising[i], rising[j], false) < 0),
				(i > j) - (i < j));
}

static void the_number_alone_counts_beyond_a_page(void **state)
{
	struct query *q = parse("return_records=false&max_records=1&type=!deny");
	struct query_page page;

	(void)state;
	assert_true(query_run(q, &source, &page));
	assert_int_equal(page.n, 4);
	assert_int_equal(json_array_size(page.records), 0);
	assert_null(page.next);
	json_decref(page.records);
	query_free(q);
}

/* What a query that cannot go on finds is all there is, as it is changed in one go. */
static void without_fields_there_is_one_page(void **state)
{
	enum { MANY = 10001 };
	const struct query_source many = { .n = MANY, .key = same_key, .record = same_record };
	struct query_page page;
	struct query *q = NULL;

	(void)state;
	assert_true(query_parse("type=chap", &shape, QUERY_COLLECTION, &q, &why));
	assert_true(query_run(q, &many, &page));
	assert_int_equal(page.n, MANY);
	assert_null(page.next);
	json_decref(page.records);
	query_free(q);
}

static void one_plain_value_is_known_as_such(void **state)
{
	struct query *q = parse("id=iqn.x%3Aa&type=!chap");

	(void)state;
	assert_string_equal(query_exactly(q, "id"), "iqn.x:a");
	assert_null(query_exactly(q, "type"));
	assert_null(query_exactly(q, "size"));
	query_free(q);
}

static void what_is_unknown_or_has_no_sense_is_refused(void **state)
{
	(void)state;
	refuses("bogus=1", "262179", "bogus");
	refuses("who=x", "262179", "who");
	refuses("add_initiator_addresses=true", "262179", "add_initiator_addresses");
	refuses("fields=bogus", "262197", "fields");
	refuses("fields=ty", "262197", "fields");
	refuses("order_by=bogus", "262197", "order_by");
	refuses("order_by=id+sideways", "262197", "order_by");
	refuses("order_by=", "262197", "order_by");
	refuses("max_records=0", "262197", "max_records");
	refuses("max_records=x", "262197", "max_records");
	refuses("max_records=-1", "262197", "max_records");
	refuses("return_records=yes", "262197", "return_records");
	refuses("return_timeout=121", "262197", "return_timeout");
}

static void adding_and_removing_exclude_each_other(void **state)
{
	struct query *q = NULL;

	(void)state;
	assert_true(
		query_parse("remove_initiator_addresses=true", &shape, QUERY_ADDRESSES, &q, &why));
	assert_true(query_removes(q));
	assert_false(query_adds(q));
	query_free(q);
	assert_false(query_parse("add_initiator_addresses=true&remove_initiator_addresses=true",
		&shape, QUERY_ADDRESSES, &q, &why));
	assert_string_equal(why.code, "262186");
}

/* A change of what a query finds is one of all of it. */
static void what_is_changed_has_no_order_and_no_rest(void **state)
{
	static const char *const bad[] = { "type=chap&start=b", "type=chap&order_by=id" };
	struct query *q = NULL;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		if (query_parse(bad[i], &shape, QUERY_COLLECTION | QUERY_ADDRESSES, &q, &why))
			fail_msg("\"%s\" was taken", bad[i]);
		assert_string_equal(why.code, "262179");
	}
}

static void filters_are_for_collections(void **state)
{
	struct query *q = NULL;

	(void)state;
	assert_false(query_parse("id=a", &shape, QUERY_FIELDS, &q, &why));
	assert_string_equal(why.code, "262179");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_query_there_are_all),
		cmocka_unit_test(a_value_is_compared_whole_and_case_counts_where_it_does),
		cmocka_unit_test(alternatives_wildcards_and_negations_combine),
		cmocka_unit_test(a_long_list_of_alternatives_is_looked_at_to_its_end),
		cmocka_unit_test(numbers_and_addresses_are_compared_as_such),
		cmocka_unit_test(null_is_what_has_no_value),
		cmocka_unit_test(quotes_take_the_meaning_from_operators),
		cmocka_unit_test(by_default_members_that_identify_are_shown_and_those_filtered_by),
		cmocka_unit_test(fields_name_members_or_what_they_are_in),
		cmocka_unit_test(pages_go_on_behind_the_last_key),
		cmocka_unit_test(an_order_holds_over_pages),
		cmocka_unit_test(with_an_order_a_page_goes_on_behind_what_the_last_one_ended_with),
		cmocka_unit_test(a_place_in_an_order_that_is_none_is_refused),
		cmocka_unit_test(texts_of_all_kinds_have_one_order),
		cmocka_unit_test(the_number_alone_counts_beyond_a_page),
		cmocka_unit_test(without_fields_there_is_one_page),
		cmocka_unit_test(one_plain_value_is_known_as_such),
		cmocka_unit_test(what_is_unknown_or_has_no_sense_is_refused),
		cmocka_unit_test(adding_and_removing_exclude_each_other),
		cmocka_unit_test(what_is_changed_has_no_order_and_no_rest),
		cmocka_unit_test(filters_are_for_collections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
