/* SPDX-License-Identifier: BSD-2-Clause */
/* What one setting by itself may be, and what is said when it is something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/places.h"
#include "config_support.h"

static void a_setting_that_is_left_out_has_its_default(void **state)
{
	struct config *cfg = loaded(BASE);

	(void)state;
	assert_int_equal(cfg->poll_us, 50);
	assert_int_equal(cfg->log_level, CONFIG_LOG_INFO);
	assert_null(cfg->user);
	assert_int_equal(cfg->portals[0].port, 3260);
	assert_int_equal(cfg->portals[0].group, 1);
	assert_int_equal(cfg->iscsi.max_burst_length, 1048576);
	assert_int_equal(cfg->iscsi.first_burst_length, 262144);
	assert_true(cfg->iscsi.immediate_data);
	assert_false(cfg->iscsi.initial_r2t);
	assert_int_equal(cfg->limits.login_timeout, 15);
	assert_int_equal(cfg->chap.n_algorithms, 4);
	assert_int_equal(cfg->chap.algorithms[0], CONFIG_CHAP_SHA3_256);
	assert_int_equal(cfg->chap.algorithms[3], CONFIG_CHAP_MD5);
	assert_int_equal(cfg->discovery.auth, CONFIG_AUTH_NONE);
	assert_string_equal(cfg->management.socket, "/s/ctl.sock");
	assert_int_equal(cfg->management.socket_mode, 0600);
	assert_false(cfg->management.aws.enabled);
	assert_false(cfg->management.ontap.enabled);
	assert_int_equal(cfg->n_targets, 0);
	config_free(cfg);
}

static void a_setting_of_each_type_reaches_its_member(void **state)
{
	struct config *cfg =
		loaded(BASE "reactors = 4; user = \"storage\"; log_level = \"debug\";\n"
			    "iscsi = { max_burst_length = \"2M\"; initial_r2t = true; data_digest "
			    "= \"required\"; };\n"
			    "chap = { algorithms = [ \"SHA256\", \"MD5\" ]; };\n"
			    "management = { socket = \"/run/c.sock\"; socket_mode = \"0660\"; "
			    "socket_users = ( \"op\" ); };\n");

	(void)state;
	assert_int_equal(cfg->reactors, 4);
	assert_string_equal(cfg->user, "storage");
	assert_int_equal(cfg->log_level, CONFIG_LOG_DEBUG);
	assert_int_equal(cfg->iscsi.max_burst_length, 2097152);
	assert_true(cfg->iscsi.initial_r2t);
	assert_int_equal(cfg->iscsi.data_digest, CONFIG_DIGEST_REQUIRED);
	assert_int_equal(cfg->chap.n_algorithms, 2);
	assert_int_equal(cfg->chap.algorithms[0], CONFIG_CHAP_SHA256);
	assert_int_equal(cfg->chap.algorithms[1], CONFIG_CHAP_MD5);
	assert_string_equal(cfg->management.socket, "/run/c.sock");
	assert_int_equal(cfg->management.socket_mode, 0660);
	assert_int_equal(cfg->management.n_socket_users, 1);
	assert_string_equal(cfg->management.socket_users[0], "op");
	config_free(cfg);
}

static void a_size_may_be_a_number_or_text(void **state)
{
	struct config *cfg =
		loaded(BASE "targets = ( { name = \"iqn.2026-11.com.example:d\"; luns = (\n"
			    "{ lun = 0; store = \"ram\"; size = 1048576; },\n"
			    "{ lun = 1; store = \"ram\"; size = 8589934592; },\n"
			    "{ lun = 2; store = \"ram\"; size = 8589934592L; },\n"
			    "{ lun = 3; store = \"ram\"; size = \"3t\"; } ); } );\n");
	const struct config_lun *luns = cfg->targets[0].luns;

	(void)state;
	assert_true(luns[0].size == 1048576);
	assert_true(luns[1].size == UINT64_C(8589934592));
	assert_true(luns[2].size == UINT64_C(8589934592));
	assert_true(luns[3].size == UINT64_C(3) << 40);
	config_free(cfg);
}

static void one_text_is_a_list_of_one(void **state)
{
	struct config *cfg = loaded(BASE "chap = { algorithms = \"SHA1\"; };\n");

	(void)state;
	assert_int_equal(cfg->chap.n_algorithms, 1);
	assert_int_equal(cfg->chap.algorithms[0], CONFIG_CHAP_SHA1);
	config_free(cfg);
}

static void an_unknown_setting_is_named_with_what_was_meant(void **state)
{
	(void)state;
	assert_faults(BASE
		"reactor = 1;\nlog-level = \"info\";\niscsi = { MaxBurstLength = 512; };\n",
		"2: reactor is not a setting; did you mean reactors?\n"
		"3: log-level is not a setting; did you mean log_level?\n"
		"4: MaxBurstLength is not a setting; did you mean max_burst_length?\n");
}

static void an_unknown_setting_that_resembles_none_is_named_alone(void **state)
{
	(void)state;
	assert_faults(BASE "colour = \"red\";\nlimits = {\n  colour = 3;\n};\n",
		"2: colour is not a setting\n"
		"4: colour is not a setting of limits\n");
}

static void a_missing_setting_is_named_with_what_it_is(void **state)
{
	(void)state;
	assert_faults("targets = (\n  { luns = ( { store = \"ram\"; size = \"1M\"; } ); }\n);\n",
		"1: state_dir is missing: directory for what outlives a restart (path; "
		"required; needs a restart)\n"
		"1: portals is missing: where iSCSI is served (list of groups portals; required)\n"
		"2: name is missing: iSCSI name (iSCSI name; required)\n"
		"2: lun is missing: logical unit number (integer from 0 to 16383; required)\n");
}

static void a_number_out_of_range_is_refused_with_the_range(void **state)
{
	(void)state;
	assert_faults(BASE "reactors = -1;\npoll_us = 10001;\nlimits = {\n login_timeout = 0;\n"
			   " max_sessions = 99999999999; };\n",
		"2: reactors: -1 is out of range; it can be 0 to 1024\n"
		"3: poll_us: 10001 is out of range; it can be 0 to 10000\n"
		"5: login_timeout: 0 is out of range; it can be 1 to 600\n"
		"6: max_sessions: 99999999999 is out of range; it can be 1 to 65535\n");
}

static void the_ends_of_a_range_are_in_it(void **state)
{
	struct config *cfg =
		loaded(BASE "reactors = 0; poll_us = 10000; limits = { login_timeout = 1; "
			    "max_sessions = 65535; };\n");

	(void)state;
	assert_int_equal(cfg->poll_us, 10000);
	assert_int_equal(cfg->limits.login_timeout, 1);
	assert_int_equal(cfg->limits.max_sessions, 65535);
	config_free(cfg);
}

static void a_size_that_is_none_or_out_of_range_is_refused(void **state)
{
	(void)state;
	assert_faults(BASE "iscsi = {\n max_burst_length = \"1MB\";\n first_burst_length = 100;\n"
			   " max_recv_data_segment_length = \"16M\"; };\n",
		"3: max_burst_length: \"1MB\" is not a size; write a whole number and K, M, G or T, "
		"as in \"512M\"\n"
		"4: first_burst_length: it is out of range; it can be 512 to 16777215\n"
		"5: max_recv_data_segment_length: it is out of range; it can be 512 to 16777215\n");
}

static void a_value_of_the_wrong_type_is_refused_with_the_right_one(void **state)
{
	(void)state;
	assert_faults(BASE "reactors = \"two\";\npoll_us = 1.5;\nuser = 7;\nlog_level = true;\n"
			   "iscsi = {\n initial_r2t = 1;\n header_digest = { };\n"
			   " max_burst_length = ( 1 ); };\n",
		"2: reactors: this is text; right is: integer from 0 to 1024\n"
		"3: poll_us: this is a number with a point or exponent; right is: integer "
		"from 0 to 10000\n"
		"4: user: this is a number; right is: user of at most 64 characters, in quotes\n"
		"5: log_level: this is true or false; right is: error, warning, notice, info or "
		"debug, in quotes\n"
		"7: initial_r2t: this is a number; right is: true or false\n"
		"8: header_digest: this is a group, { ... }; right is: optional, never or "
		"required, in quotes\n"
		"9: max_burst_length: this is a list, ( ... ); right is: size from 512 to "
		"16777215, in quotes\n");
}

static void a_hexadecimal_number_is_refused_since_libconfig_cuts_it(void **state)
{
	(void)state;
	assert_faults(BASE "poll_us = 0x100000010;\n",
		"2: poll_us: this is a hexadecimal number; right is: integer from 0 to 10000\n");
}

static void a_list_of_groups_must_be_one(void **state)
{
	(void)state;
	assert_faults("state_dir = \"/s\";\nportals = { address = \"::1\"; };\n"
		      "targets = (\n 5 );\nchap = ( );\n",
		"2: portals: this is a list of groups; write portals = ( { ... }, { ... } );\n"
		"4: targets: only groups, { ... }, can be in this list\n"
		"5: chap: this is a group; write chap = { ... };\n");
}

static void an_unknown_choice_is_refused_with_the_choices(void **state)
{
	(void)state;
	assert_faults(BASE "log_level = \"loud\";\nchap = {\n algorithms = [ \"SHA256\",\n"
			   "   \"sha1\" ]; };\n",
		"2: log_level: \"loud\" is unknown; it can be error, warning, notice, "
		"info or debug\n"
		"5: algorithms: \"sha1\" is unknown; it can be SHA3-256, SHA256, SHA1 or MD5\n");
}

static void a_mode_that_is_none_is_refused(void **state)
{
	(void)state;
	assert_faults(BASE "management = {\n socket_mode = \"rw\"; };\n",
		"3: socket_mode: \"rw\" is not a mode; write permission bits in octal, "
		"as in \"0660\"\n");
}

static void text_that_is_too_long_or_empty_is_refused(void **state)
{
	(void)state;
	assert_faults(BASE
		"user = \"\";\ntargets = ( { name = \"iqn.2026-11.com.example:a\"; luns = (\n"
		"{ lun = 0; store = \"ram\"; size = \"1M\"; vendor = \"NINECHARS\"; } ); } );\n",
		"2: user: it is empty\n"
		"4: vendor: it has 9 characters; right is 1 to 8\n");
}

static void text_of_the_wrong_form_is_refused_with_the_reason(void **state)
{
	(void)state;
	assert_faults(BASE "user = \"a b\";\nmanagement = { aws = {\n gateway = \"sgw-12a3456b\";\n"
			   " account = \"11112222333x\";\n allow_unsigned = true; }; };\n",
		"2: user: \"a b\": ' ' cannot be part of it; letters, digits, '.', "
		"'_' and '-' can\n"
		"4: gateway: \"sgw-12a3456b\": a gateway is named sgw- and 8 or 17 upper-case "
		"hex digits, such as sgw-12A3456B\n"
		"5: account: \"11112222333x\": 'x' cannot be part of it; digits can\n");
}

static void a_fault_is_one_line_whatever_the_file_holds(void **state)
{
	(void)state;
	assert_faults(BASE "log_level = \"a\\nb\\x1b\";\n",
		"2: log_level: \"a?b?\" is unknown; it can be error, warning, notice, "
		"info or debug\n");
}

static void a_syntax_error_is_placed_in_its_line(void **state)
{
	(void)state;
	assert_faults("state_dir = \"/s\";\nportals = ( { address = \"::1\" };\n",
		"2: syntax error here or just before: a missing = or ;, a missing , between "
		"the parts of a list, or a bracket without its partner\n");
	assert_faults("portals = (\n",
		"1: syntax error here or just before: a missing = or ;, a missing , between the "
		"parts of a list, or a bracket without its partner\n");
}

static void a_setting_that_is_given_twice_is_refused(void **state)
{
	(void)state;
	assert_faults(BASE "reactors = 1;\nreactors = 1;\n",
		"3: this setting is given twice in the same group\n");
}

static void an_array_of_different_types_is_refused(void **state)
{
	(void)state;
	assert_faults(BASE "targets = ( { portal_groups = [ 1,\n true ]; } );\n",
		"3: an array, [ ... ], holds values of one type\n");
}

static void brackets_nested_without_end_are_refused(void **state)
{
	size_t depth = 100000, head = strlen("x = ");
	char *text = malloc(head + depth + 1);

	(void)state;
	assert_non_null(text);
	memcpy(text, "x = ", head);
	memset(text + head, '(', depth);
	text[head + depth] = '\0';
	assert_faults(text, "1: brackets are nested too deep\n");
	free(text);
}

static void faults_of_all_kinds_are_listed_in_the_order_of_lines(void **state)
{
	(void)state;
	assert_faults("targets = ( { name = \"disk\";\n"
		      "  luns = ( { lun = 0; } ); } );\n"
		      "state_dir = 1;\n"
		      "portals = ( { address = \"localhost\"; } );\n",
		"1: name: \"disk\": an iSCSI name begins with iqn., eui. or naa., as in "
		"iqn.2026-11.com.example:disk1\n"
		"2: path is missing: which file or block device holds the data?\n"
		"3: state_dir: this is a number; right is: path, in quotes\n"
		"4: address: \"localhost\": it is neither an IPv4 nor an IPv6 address (names are "
		"not looked up)\n");
}

static void a_path_is_seen_from_the_directory_of_the_file(void **state)
{
	struct directory d = directory_new();
	struct faults faults = { 0 };
	struct config *cfg;
	char *expected = with_directory(&d, "DIR/sub/state");

	(void)state;
	assert_int_equal(mkdir(in_directory(&d, "sub"), 0700), 0);
	make_text(&d, "sub/c.conf", 0600,
		"state_dir = \"./state//\"; key_file = \"/etc/key\"; portals = ( { address "
		"= \"::1\"; } );");
	assert_int_equal(config_load(in_directory(&d, "sub/c.conf"), &cfg, &faults), 0);
	assert_string_equal(cfg->state_dir, expected);
	assert_string_equal(cfg->key_file, "/etc/key");
	config_free(cfg);
	free(expected);
	directory_free(&d);
}

static void a_file_that_cannot_be_read_is_a_fault(void **state)
{
	struct faults faults = { 0 };
	struct config *cfg = NULL;
	char *text;

	(void)state;
	assert_int_equal(config_load("/nonexistent/c.conf", &cfg, &faults), -EINVAL);
	assert_int_equal(config_load("/", &cfg, &faults), -EINVAL);
	text = faults_text(&faults);
	assert_string_equal(text, "0: cannot be read: No such file or directory\n"
				  "0: cannot be read: Is a directory\n");
	assert_null(cfg);
	free(text);
	faults_free(&faults);
}

static void the_line_of_a_member_can_be_asked_for(void **state)
{
	struct config *cfg = loaded(BASE "targets = (\n"
					 "  { name = \"iqn.2026-11.com.example:a\";\n"
					 "    alias = \"a\"; } );\n");

	(void)state;
	assert_int_equal(config_where(cfg, &cfg->targets[0].alias).line, 4);
	assert_int_equal(config_where(cfg, &cfg->targets[0].redirect).line, 3);
	assert_int_equal(config_where(cfg, &cfg->targets).line, 2);
	assert_int_equal(config_where(cfg, &cfg->reactors).line, 1);
	assert_string_equal(config_where(cfg, &cfg->reactors).file, "test.conf");
	config_free(cfg);
}

static void nothing_is_freed_by_freeing_nothing(void **state)
{
	struct faults faults = { 0 };

	(void)state;
	config_free(NULL);
	faults_free(&faults);
	assert_null(faults.v);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_setting_that_is_left_out_has_its_default),
		cmocka_unit_test(a_setting_of_each_type_reaches_its_member),
		cmocka_unit_test(a_size_may_be_a_number_or_text),
		cmocka_unit_test(one_text_is_a_list_of_one),
		cmocka_unit_test(an_unknown_setting_is_named_with_what_was_meant),
		cmocka_unit_test(an_unknown_setting_that_resembles_none_is_named_alone),
		cmocka_unit_test(a_missing_setting_is_named_with_what_it_is),
		cmocka_unit_test(a_number_out_of_range_is_refused_with_the_range),
		cmocka_unit_test(the_ends_of_a_range_are_in_it),
		cmocka_unit_test(a_size_that_is_none_or_out_of_range_is_refused),
		cmocka_unit_test(a_value_of_the_wrong_type_is_refused_with_the_right_one),
		cmocka_unit_test(a_hexadecimal_number_is_refused_since_libconfig_cuts_it),
		cmocka_unit_test(a_list_of_groups_must_be_one),
		cmocka_unit_test(an_unknown_choice_is_refused_with_the_choices),
		cmocka_unit_test(a_mode_that_is_none_is_refused),
		cmocka_unit_test(text_that_is_too_long_or_empty_is_refused),
		cmocka_unit_test(text_of_the_wrong_form_is_refused_with_the_reason),
		cmocka_unit_test(a_fault_is_one_line_whatever_the_file_holds),
		cmocka_unit_test(a_syntax_error_is_placed_in_its_line),
		cmocka_unit_test(a_setting_that_is_given_twice_is_refused),
		cmocka_unit_test(an_array_of_different_types_is_refused),
		cmocka_unit_test(brackets_nested_without_end_are_refused),
		cmocka_unit_test(faults_of_all_kinds_are_listed_in_the_order_of_lines),
		cmocka_unit_test(a_path_is_seen_from_the_directory_of_the_file),
		cmocka_unit_test(a_file_that_cannot_be_read_is_a_fault),
		cmocka_unit_test(the_line_of_a_member_can_be_asked_for),
		cmocka_unit_test(nothing_is_freed_by_freeing_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
