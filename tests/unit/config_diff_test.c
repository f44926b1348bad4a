/* SPDX-License-Identifier: BSD-2-Clause */
/* What a reload would have to do: the list of changes between two configurations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/diff.h"
#include "config_support.h"

#define IQN        "iqn.2026-11.com.example:"
#define T(n, x)    "{ name = \"" IQN n "\"; " x " }"
#define TARGETS(x) BASE "targets = ( " x " );\n"
#define LUNS(x)    TARGETS(T("a", "luns = ( " x " );"))
#define L0         "{ lun = 0; store = \"ram\"; size = \"1M\"; }"
#define L1         "{ lun = 1; path = \"/d/1\"; size = \"1M\"; }"
#define ROWS(x)    "credentials = ( " x " );"
#define BOB        "{ user = \"bob\"; secret = \"bobs-secret-1\"; }"
#define ANN        "{ initiator = \"" IQN "ann\"; secret = \"anns-secret-1\"; }"

/* One line for a change: its text, and the name of what it is about. */
static void print_change(FILE *out, const struct config_change *c)
{
	fputs(config_change_text(c->kind), out);
	if (*c->setting)
		fprintf(out, ": %s", c->setting);
	if (c->old_portal || c->new_portal)
		fprintf(out, ": %s %u", (c->old_portal ? c->old_portal : c->new_portal)->address,
			(c->old_portal ? c->old_portal : c->new_portal)->port);
	if (c->old_target || c->new_target)
		fprintf(out, ": %s",
			(c->old_target ? c->old_target : c->new_target)->name + strlen(IQN));
	if (c->old_lun || c->new_lun)
		fprintf(out, " %u", (c->old_lun ? c->old_lun : c->new_lun)->lun);
	if (c->old_library || c->new_library)
		fprintf(out, ": %s", (c->old_library ? c->old_library : c->new_library)->name);
	fputs("\n", out);
}

static void assert_changes(const char *before, const char *after, const char *expected)
{
	struct config *old = loaded(before), *new = loaded(after);
	struct config_changes changes;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(config_diff(old, new, &changes), 0);
	for (size_t i = 0; i < changes.n; i++)
		print_change(out, &changes.v[i]);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
	config_changes_free(&changes);
	config_free(old);
	config_free(new);
}

static void a_file_does_not_differ_from_itself(void **state)
{
	static const char everything[] = BASE "reactors = 3; targets = ( " T("a",
		"luns = ( " L0 ", " L1
		" ); " ROWS(ANN ", " BOB)) " );\n"
					   "management = { aws = { gateway = \"sgw-12A3456B\"; "
					   "allow_unsigned = true; }; };\n"
					   "libraries = ( { name = \"l\"; path = \"/l\"; "
					   "target_prefix = \"" IQN "l\"; } );\n";

	(void)state;
	assert_changes(everything, everything, "");
}

static void the_order_of_things_in_the_file_is_no_difference(void **state)
{
	(void)state;
	assert_changes(
		TARGETS(T("a", ROWS(ANN ", " BOB) " luns = ( " L0 ", " L1 " );") ", " T("b", "")),
		TARGETS(T("b", "") ", " T("a", ROWS(BOB ", " ANN) " luns = ( " L1 ", " L0 " );")),
		"");
}

static void a_default_that_is_written_down_is_no_difference(void **state)
{
	(void)state;
	assert_changes(BASE,
		BASE "poll_us = 50; chap = { algorithms = [ \"SHA3-256\", \"SHA256\", \"SHA1\", "
		     "\"MD5\" ]; };",
		"");
}

static void settings_are_named_with_what_they_need(void **state)
{
	(void)state;
	assert_changes(BASE,
		"state_dir = \"/t\"; portals = ( { address = \"127.0.0.1\"; } ); reactors = 2;\n"
		"poll_us = 0; iscsi = { nop_interval = 5; data_digest = \"never\"; };\n"
		"chap = { algorithms = [ \"MD5\" ]; }; discovery = { auth = \"none\"; };\n"
		"management = { socket = \"/s/ctl.sock\"; http = ( { address = \"::1\"; "
		"port = 1; } );\n"
		"aws = { gateway = \"sgw-12A3456B\"; allow_unsigned = true; }; };\n"
		"pools = ( { name = \"p\"; path = \"/p\"; } );\n",
		"needs a restart: state_dir\n"
		"needs a restart: reactors\n"
		"setting changed: poll_us\n"
		"setting changed: iscsi.data_digest\n"
		"setting changed: iscsi.nop_interval\n"
		"setting changed: chap.algorithms\n"
		"setting changed: management.http\n"
		"setting changed: management.aws\n"
		"setting changed: pools\n");
}

static void a_portal_comes_goes_or_changes(void **state)
{
	(void)state;
	assert_changes("state_dir = \"/s\"; portals = ( { address = \"127.0.0.1\"; }, { address = "
		       "\"::1\"; },\n"
		       "{ address = \"127.0.0.2\"; } );",
		"state_dir = \"/s\"; portals = ( { address = \"::1\"; group = 2; },\n"
		"{ address = \"127.0.0.1\"; port = 3261; }, { address = \"127.0.0.2\"; } );",
		"portal removed: 127.0.0.1 3260\n"
		"portal added: 127.0.0.1 3261\n"
		"portal changed: ::1 3260\n");
}

static void a_target_comes_goes_or_changes(void **state)
{
	(void)state;
	assert_changes(TARGETS(T("a", "") ", " T("b", "luns = ( " L0 " );") ", " T("c", "")),
		TARGETS(T("c", "alias = \"x\";") ", " T("d", "luns = ( " L1 " );") ", " T("a", "")),
		"target removed: b\n"
		"target changed: c\n"
		"target added: d\n");
}

static void a_lun_comes_or_goes(void **state)
{
	(void)state;
	assert_changes(LUNS(L0), LUNS(L1), "LUN removed: a 0\nLUN added: a 1\n");
}

static void what_goes_is_listed_before_what_comes(void **state)
{
	(void)state;
	assert_changes(TARGETS(T("a", "luns = ( " L1 " );") ", " T("b", "")),
		TARGETS(T("a", "") ", " T("b", "luns = ( " L1 " );")),
		"LUN removed: a 1\nLUN added: b 1\n");
}

static void another_size_alone_is_a_resize(void **state)
{
	(void)state;
	assert_changes(LUNS(L1), LUNS("{ lun = 1; path = \"/d/1\"; size = \"2M\"; }"),
		"LUN resized: a 1\n");
	assert_changes(LUNS(L0), LUNS("{ lun = 0; store = \"ram\"; size = \"2M\"; }"),
		"LUN resized: a 0\n");
}

static void another_attribute_is_a_change_with_or_without_a_resize(void **state)
{
	(void)state;
	assert_changes(LUNS(L1),
		LUNS("{ lun = 1; path = \"/d/1\"; size = \"2M\"; read_only = true; }"),
		"LUN changed: a 1\n");
	assert_changes(LUNS(L1),
		LUNS("{ lun = 1; path = \"/d/1\"; size = \"1M\"; serial = \"x\"; }"),
		"LUN changed: a 1\n");
}

static void create_and_name_change_nothing_that_is_served(void **state)
{
	(void)state;
	assert_changes(LUNS(L1),
		LUNS("{ lun = 1; path = \"/d/1\"; size = \"1M\"; create = true; name = \"u\"; }"),
		"");
}

static void another_store_or_block_size_replaces_a_lun(void **state)
{
	(void)state;
	assert_changes(LUNS(L1), LUNS("{ lun = 1; path = \"/d/2\"; size = \"1M\"; }"),
		"LUN replaced: a 1\n");
	assert_changes(LUNS(L1), LUNS("{ lun = 1; store = \"ram\"; size = \"1M\"; }"),
		"LUN replaced: a 1\n");
	assert_changes(LUNS(L1),
		LUNS("{ lun = 1; path = \"/d/1\"; size = \"1M\"; block_size = 4096; }"),
		"LUN replaced: a 1\n");
}

#define UNIT(n, size) "{ lun = 0; name = \"" n "\"; store = \"ram\"; size = \"" size "\"; }"
#define SHOWN(lun, n) "{ lun = " lun "; same_as = \"" n "\"; }"
#define PAIR(a, b)    TARGETS(T("a", "luns = ( " a " );") ", " T("b", "luns = ( " b " );"))

static void a_unit_that_is_resized_is_so_wherever_it_is_shown(void **state)
{
	(void)state;
	assert_changes(PAIR(UNIT("u", "1M"), SHOWN("7", "u")),
		PAIR(UNIT("u", "2M"), SHOWN("7", "u")), "LUN resized: a 0\nLUN resized: b 7\n");
}

static void memory_that_is_declared_elsewhere_is_other_memory(void **state)
{
	(void)state;
	assert_changes(PAIR(UNIT("u", "1M"), SHOWN("0", "u")),
		PAIR(SHOWN("0", "u"), UNIT("u", "1M")), "LUN replaced: a 0\nLUN replaced: b 0\n");
}

static void a_file_is_the_same_wherever_it_is_declared(void **state)
{
	(void)state;
	assert_changes(PAIR("{ lun = 0; name = \"u\"; path = \"/d\"; }", SHOWN("0", "u")),
		PAIR(SHOWN("0", "v"), "{ lun = 0; name = \"v\"; path = \"/d\"; }"), "");
}

static void credentials_differ_by_row_not_by_order(void **state)
{
	(void)state;
	assert_changes(TARGETS(T("a", ROWS(BOB))), TARGETS(T("a", ROWS(BOB ", " ANN))),
		"credentials changed: a\n");
	assert_changes(TARGETS(T("a", ROWS(BOB))),
		TARGETS(T("a", ROWS("{ user = \"bob\"; secret = \"bobs-secret-2\"; }"))),
		"credentials changed: a\n");
	assert_changes(TARGETS(T("a", ROWS(BOB))),
		TARGETS(T("a", ROWS("{ user = \"bob\"; secret = \"bobs-secret-1\"; target_secret = "
				    "\"the-answer-is\"; }"))),
		"credentials changed: a\n");
}

static void credentials_of_discovery_change_without_a_target(void **state)
{
	(void)state;
	assert_changes(BASE "discovery = { " ROWS(BOB) " };", BASE, "credentials changed\n");
}

#define LIBRARY(x) \
	BASE "libraries = ( { name = \"l\"; path = \"/l\"; " \
	     "target_prefix = \"" IQN "l\"; " x " } );"
#define TAPE(n) "{ barcode = \"" n "\"; size = \"1G\"; }"

static void a_library_comes_goes_or_changes(void **state)
{
	(void)state;
	assert_changes(BASE, LIBRARY(""), "library added: l\n");
	assert_changes(LIBRARY(""), BASE, "library removed: l\n");
	assert_changes(LIBRARY(""), LIBRARY("drives = 3;"), "library changed: l\n");
	assert_changes(LIBRARY(""), LIBRARY(ROWS(BOB)), "credentials changed: l\n");
	assert_changes(LIBRARY("tapes = ( " TAPE("AAAAA1") " );"),
		LIBRARY("tapes = ( " TAPE("AAAAA1") ", " TAPE("AAAAA2") " );"),
		"tapes changed: l\n");
}

static void a_change_points_into_both_configurations(void **state)
{
	struct config *old = loaded(LUNS(L0));
	struct config *new = loaded(LUNS("{ lun = 0; store = \"ram\"; size = \"4M\"; }"));
	struct config_changes changes;

	(void)state;
	assert_int_equal(config_diff(old, new, &changes), 0);
	assert_int_equal(changes.n, 1);
	assert_int_equal(changes.v[0].kind, CONFIG_LUN_RESIZED);
	assert_ptr_equal(changes.v[0].old_target, &old->targets[0]);
	assert_ptr_equal(changes.v[0].new_target, &new->targets[0]);
	assert_ptr_equal(changes.v[0].old_lun, &old->targets[0].luns[0]);
	assert_ptr_equal(changes.v[0].new_lun, &new->targets[0].luns[0]);
	config_changes_free(&changes);
	config_free(old);
	config_free(new);
}

static void targets_that_name_no_svm_go_with_the_one_of_all(void **state)
{
	static const char before[] = TARGETS(T("a", "") ", " T("b", "svm = \"s\";"));
	static const char after[] = TARGETS(T("a", "") ", " T("b", "svm = \"s\";"))
		"management = { ontap = { svm = \"t\"; users = ( { name = \"u\"; "
		"password = \"password-1\"; } ); }; };\n";

	(void)state;
	assert_changes(before, after, "setting changed: management.ontap\ntarget changed: a\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_does_not_differ_from_itself),
		cmocka_unit_test(the_order_of_things_in_the_file_is_no_difference),
		cmocka_unit_test(a_default_that_is_written_down_is_no_difference),
		cmocka_unit_test(settings_are_named_with_what_they_need),
		cmocka_unit_test(a_portal_comes_goes_or_changes),
		cmocka_unit_test(a_target_comes_goes_or_changes),
		cmocka_unit_test(a_lun_comes_or_goes),
		cmocka_unit_test(what_goes_is_listed_before_what_comes),
		cmocka_unit_test(another_size_alone_is_a_resize),
		cmocka_unit_test(another_attribute_is_a_change_with_or_without_a_resize),
		cmocka_unit_test(create_and_name_change_nothing_that_is_served),
		cmocka_unit_test(another_store_or_block_size_replaces_a_lun),
		cmocka_unit_test(a_unit_that_is_resized_is_so_wherever_it_is_shown),
		cmocka_unit_test(memory_that_is_declared_elsewhere_is_other_memory),
		cmocka_unit_test(a_file_is_the_same_wherever_it_is_declared),
		cmocka_unit_test(credentials_differ_by_row_not_by_order),
		cmocka_unit_test(credentials_of_discovery_change_without_a_target),
		cmocka_unit_test(a_library_comes_goes_or_changes),
		cmocka_unit_test(a_change_points_into_both_configurations),
		cmocka_unit_test(targets_that_name_no_svm_go_with_the_one_of_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
