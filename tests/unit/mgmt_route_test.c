/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths taken apart, and the routes that they find. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt/route.h"

static struct route_path path;
static struct route_match found;

static void the_root_has_no_segments(void **state)
{
	(void)state;
	assert_true(route_split("/", &path));
	assert_int_equal(path.n, 0);
}

static void segments_are_decoded_after_they_are_parted(void **state)
{
	(void)state;
	assert_true(route_split("/v1/targets/iqn.x%3Aa%2Fb+c", &path));
	assert_int_equal(path.n, 3);
	assert_string_equal(path.segment[0], "v1");
	assert_string_equal(path.segment[1], "targets");
	assert_string_equal(path.segment[2], "iqn.x:a/b+c");
}

static void dots_are_names_like_any_other(void **state)
{
	(void)state;
	assert_true(route_split("/v1/../%2e%2E", &path));
	assert_string_equal(path.segment[1], "..");
	assert_string_equal(path.segment[2], "..");
}

static void what_no_route_could_have_is_refused(void **state)
{
	static const char *const bad[] = { "", "v1", "*", "//", "/v1/", "/v1//", "/v1///x",
		"/v1/x//y", "/%", "/%4", "/%4", "/%zz", "/a%00b", "/%g0" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (route_split(bad[i], &path))
			fail_msg("\"%s\" was taken", bad[i]);
}

static void a_second_slash_behind_the_first_segment_is_passed_over(void **state)
{
	(void)state;
	assert_true(route_split("/api//svm/svms", &path));
	assert_int_equal(path.n, 3);
	assert_string_equal(path.segment[1], "svm");
}

static void a_path_has_a_longest_length(void **state)
{
	char text[ROUTE_PATH_MAX + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[0] = '/';
	text[ROUTE_PATH_MAX - 1] = '\0';
	assert_true(route_split(text, &path));
	assert_int_equal(strlen(path.segment[0]), ROUTE_PATH_MAX - 2);
	text[ROUTE_PATH_MAX - 1] = 'x';
	text[ROUTE_PATH_MAX] = '\0';
	assert_false(route_split(text, &path));
}

static void a_path_has_a_largest_number_of_segments(void **state)
{
	char text[2 * ROUTE_SEGMENTS + 3];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? 'x' : '/';
	text[sizeof(text) - 1] = '\0';
	assert_false(route_split(text, &path));
	text[2 * ROUTE_SEGMENTS] = '\0';
	assert_true(route_split(text, &path));
	assert_int_equal(path.n, ROUTE_SEGMENTS);
}

// clang-format off
static const struct route routes[] = {
	{ ROUTE_POST,   "/",               0, NULL },
	{ ROUTE_GET,    "/v1/things",      0, NULL },
	{ ROUTE_POST,   "/v1/things",      0, NULL },
	{ ROUTE_GET,    "/v1/things/{a}",  0, NULL },
	{ ROUTE_DELETE, "/v1/things/{a}",  0, NULL },
	{ ROUTE_GET,    "/v1/{a}/of/{b}",  0, NULL },
};
// clang-format on

static void find(enum route_method method, const char *text)
{
	assert_true(route_split(text, &path));
	route_find(routes, sizeof(routes) / sizeof(routes[0]), method, &path, &found);
}

static void a_route_is_found_by_path_and_method(void **state)
{
	(void)state;
	find(ROUTE_POST, "/v1/things");
	assert_ptr_equal(found.route, &routes[2]);
	find(ROUTE_POST, "/");
	assert_ptr_equal(found.route, &routes[0]);
}

static void arguments_come_in_the_order_of_the_pattern(void **state)
{
	(void)state;
	find(ROUTE_GET, "/v1/one/of/many%20things");
	assert_ptr_equal(found.route, &routes[5]);
	assert_string_equal(found.argument[0], "one");
	assert_string_equal(found.argument[1], "many things");
}

static void a_path_without_the_method_tells_which_there_are(void **state)
{
	char allow[ROUTE_ALLOW_MAX];

	(void)state;
	find(ROUTE_PUT, "/v1/things/x");
	assert_null(found.route);
	assert_int_equal(found.methods, ROUTE_GET | ROUTE_DELETE);
	route_allow(found.methods, allow);
	assert_string_equal(allow, "GET, DELETE");
}

static void all_methods_fit_into_an_allow_header(void **state)
{
	char allow[ROUTE_ALLOW_MAX];

	(void)state;
	route_allow(31, allow);
	assert_string_equal(allow, "GET, POST, PUT, PATCH, DELETE");
}

static void a_path_that_is_shorter_longer_or_other_is_not_found(void **state)
{
	static const char *const others[] = { "/v1", "/v1/thing", "/v1/thingss", "/v1/things/a/b",
		"/V1/things", "/v1/one/of", "/v1/one/off/x" };

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		find(ROUTE_GET, others[i]);
		if (found.methods)
			fail_msg("\"%s\" was found", others[i]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_root_has_no_segments),
		cmocka_unit_test(segments_are_decoded_after_they_are_parted),
		cmocka_unit_test(dots_are_names_like_any_other),
		cmocka_unit_test(what_no_route_could_have_is_refused),
		cmocka_unit_test(a_second_slash_behind_the_first_segment_is_passed_over),
		cmocka_unit_test(a_path_has_a_longest_length),
		cmocka_unit_test(a_path_has_a_largest_number_of_segments),
		cmocka_unit_test(a_route_is_found_by_path_and_method),
		cmocka_unit_test(arguments_come_in_the_order_of_the_pattern),
		cmocka_unit_test(a_path_without_the_method_tells_which_there_are),
		cmocka_unit_test(all_methods_fit_into_an_allow_header),
		cmocka_unit_test(a_path_that_is_shorter_longer_or_other_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
