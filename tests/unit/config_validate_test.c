/* SPDX-License-Identifier: BSD-2-Clause */
/* What settings say together: each kind of contradiction, and what is completed from others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config_support.h"

#define IQN       "iqn.2026-11.com.example:"
#define RAM(lun)  "{ lun = " #lun "; store = \"ram\"; size = \"1M\"; }"
#define TARGET(x) BASE "targets = ( { name = \"" IQN "a\";\n" x " } );\n"
#define LUNS(x)   TARGET("luns = (\n" x " );")
#define ROWS(x)   TARGET("credentials = (\n" x " );")
#define LIBRARY(x) \
	BASE "libraries = ( { name = \"l\"; path = \"/l\"; target_prefix = \"" IQN "l\";\n" x \
	     " } );\n"

/* ---- portals -------------------------------------------------------------------------------- */

#define PORTALS(x) "state_dir = \"/s\"; portals = (\n" x " );\n"

static void a_list_of_portals_must_not_be_empty(void **state)
{
	(void)state;
	assert_faults(PORTALS(""),
		"1: portals: the list is empty; say where to listen, as in portals = "
		"( { address = \"0.0.0.0\"; } );\n");
}

static void a_portal_may_be_there_only_once_however_it_is_written(void **state)
{
	(void)state;
	assert_faults(PORTALS("{ address = \"127.0.0.1\"; }, { address = \"::1\"; },\n"
			      "{ address = \"127.0.0.1\"; port = 3260; },\n"
			      "{ address = \"0:0::1\"; group = 2; }"),
		"3: portal 127.0.0.1 port 3260 is used twice: first in test.conf:2\n"
		"4: portal ::1 port 3260 is used twice: first in test.conf:2\n");
}

static void a_wildcard_overlaps_other_portals_of_its_family_and_port(void **state)
{
	(void)state;
	assert_faults(PORTALS("{ address = \"127.0.0.1\"; },\n{ address = \"0.0.0.0\"; }"),
		"3: portal 0.0.0.0 overlaps 127.0.0.1 (test.conf:2) on port 3260; keep the one for "
		"all addresses or name each address\n");
}

static void portals_of_other_families_and_ports_do_not_overlap(void **state)
{
	struct config *cfg = loaded(PORTALS("{ address = \"0.0.0.0\"; }, { address = \"::\"; },\n"
					    "{ address = \"127.0.0.1\"; port = 3261; }"));

	(void)state;
	assert_int_equal(cfg->n_portals, 3);
	config_free(cfg);
}

static void a_portal_group_must_exist_and_be_named_once(void **state)
{
	(void)state;
	assert_faults(TARGET("portal_groups = [ 1,\n 7, 1 ];"),
		"4: portal_groups: no portal has group 7\n"
		"4: portal_groups: 1 is there twice\n");
	assert_faults(
		LIBRARY("portal_groups = [ 2 ];"), "3: portal_groups: no portal has group 2\n");
}

/* ---- numbers -------------------------------------------------------------------------------- */

static void the_first_burst_is_never_above_the_longest(void **state)
{
	(void)state;
	assert_faults(BASE
		"iscsi = { max_burst_length = \"64K\";\n first_burst_length = 65537; };\n",
		"3: first_burst_length: it is above max_burst_length, 65536; make "
		"it that or less\n");
}

static void one_address_cannot_have_more_half_open_logins_than_all(void **state)
{
	(void)state;
	assert_faults(BASE "limits = { max_half_open = 10;\n max_half_open_per_address = 11; };\n",
		"3: max_half_open_per_address: it is above max_half_open, 10; make "
		"it that or less\n");
}

static void a_lower_limit_for_all_alone_is_taken(void **state)
{
	struct config *cfg = loaded(BASE "limits = { max_half_open = 10; };\n");

	(void)state;
	assert_int_equal(cfg->limits.max_half_open, 10);
	config_free(cfg);
}

static void the_algorithms_are_at_least_one_and_none_twice(void **state)
{
	(void)state;
	assert_faults(BASE "chap = { algorithms = [ ]; };\n",
		"2: algorithms: the list is empty; leave it out for all of them\n");
	assert_faults(BASE "chap = { algorithms = [ \"MD5\",\n \"MD5\" ]; };\n",
		"3: algorithms: one of them is there twice\n");
}

/* ---- targets and LUNs ----------------------------------------------------------------------- */

static void a_target_name_may_be_there_only_once(void **state)
{
	(void)state;
	assert_faults(BASE "targets = (\n{ name = \"" IQN "a\"; },\n{ name = \"" IQN "a\"; },\n"
			   "{ name = \"" IQN "a\"; } );\n",
		"4: target name \"" IQN "a\" is used twice: first in test.conf:3\n"
		"5: target name \"" IQN "a\" is used twice: first in test.conf:3\n");
}

static void a_lun_may_be_there_only_once_in_a_target(void **state)
{
	(void)state;
	assert_faults(LUNS(RAM(3) ", " RAM(1) ",\n" RAM(3)),
		"5: lun: 3 is used twice in this target: first in test.conf:4\n");
}

static void two_targets_may_have_the_same_lun(void **state)
{
	struct config *cfg = loaded(BASE "targets = ( { name = \"" IQN "a\"; luns = ( " RAM(
		0) " ); },\n"
		   "{ name = \"" IQN "b\"; luns = ( " RAM(0) " ); } );\n");

	(void)state;
	assert_int_equal(cfg->n_targets, 2);
	config_free(cfg);
}

static void a_file_store_needs_a_path_and_a_ram_store_a_size(void **state)
{
	(void)state;
	assert_faults(LUNS("{ lun = 0; size = \"1M\"; },\n{ lun = 1; store = \"ram\"; }"),
		"4: path is missing: which file or block device holds the data?\n"
		"5: size is missing: a RAM store needs one, as in size = \"512M\"\n");
}

static void a_ram_store_has_neither_path_nor_create(void **state)
{
	(void)state;
	assert_faults(LUNS("{ lun = 0; store = \"ram\"; size = \"1M\";\n path = \"a\";\n create = "
			   "true; }"),
		"5: path: a RAM store has none; use store = \"file\" or leave it out\n"
		"6: create: a RAM store is always made; leave it out\n");
}

static void a_file_that_is_to_be_made_needs_a_size(void **state)
{
	(void)state;
	assert_faults(LUNS("{ lun = 0; path = \"a\";\n create = true; }"),
		"5: create: size is missing; how large is the file to be?\n");
}

static void a_physical_block_is_a_power_of_two_and_no_smaller_than_a_logical_one(void **state)
{
	(void)state;
	assert_faults(LUNS("{ lun = 0; store = \"ram\"; size = \"1M\"; physical_block_size = 4000; }"),
		"4: physical_block_size: 4000 is not possible; it can be 512, 1024, 2048 and so on to "
		"65536, but not less than block_size, 512\n");
	assert_faults(LUNS("{ lun = 0; store = \"ram\"; size = \"1M\"; block_size = 4096;\n"
			   "physical_block_size = 512; }"),
		"5: physical_block_size: 512 is not possible; it can be 512, 1024, 2048 and so on to "
		"65536, but not less than block_size, 4096\n");
}

static void a_size_is_a_multiple_of_the_block_size(void **state)
{
	(void)state;
	assert_faults(LUNS("{ lun = 0; store = \"ram\";\n size = 1048577; },\n"
			   "{ lun = 1; store = \"ram\"; block_size = 4096;\n size = 4608; }"),
		"5: size: 1048577 is not a multiple of the block size, 512; the next "
		"that is: 1049088\n"
		"7: size: 4608 is not a multiple of the block size, 4096; the next that is: 8K\n");
}

static void a_block_has_512_or_4096_bytes(void **state)
{
	(void)state;
	assert_faults(LUNS("{ lun = 0; store = \"ram\"; size = \"1M\"; block_size = 1024; }"),
		"4: block_size: 1024 is no block size; it can be 512 or 4096\n");
}

static void no_two_units_are_in_one_file(void **state)
{
	(void)state;
	assert_faults(LUNS("{ lun = 0; path = \"/d/a\"; },\n{ lun = 1; path = \"/d/./a\"; }"),
		"5: path \"/d/a\" is used twice: first in test.conf:4\n");
}

static void no_unit_is_in_a_directory_of_ours(void **state)
{
	(void)state;
	assert_faults("portals = ( { address = \"::1\"; } ); targets = ( { name = \"" IQN
		      "a\"; luns = (\n"
		      "{ lun = 0; path = \"/s\"; } ); } );\nstate_dir = \"/s\";\n",
		"3: path \"/s\" is used twice: first in test.conf:2\n");
}

static void no_unit_is_in_a_file_of_the_server(void **state)
{
	(void)state;
	assert_faults(LUNS("{ lun = 0; path = \"/s/catalog.db\"; },\n"
			   "{ lun = 1; path = \"/s/./key\"; },\n"
			   "{ lun = 2; path = \"/s/ctl.sock\"; },\n"
			   "{ lun = 3; path = \"/s/key/d.img\"; },\n"
			   "{ lun = 4; path = \"/srv/key\"; },\n"
			   "{ lun = 5; path = \"/k\"; }") "key_file = \"/k\";\n",
		"4: path: /s/catalog.db is the server's own; choose another name\n"
		"5: path: /s/key is the server's own; choose another name\n"
		"6: path: /s/ctl.sock is the server's own; choose another name\n"
		"9: path: /k is the server's own; choose another name\n");
}

static void serials_identifiers_and_names_of_units_are_unique(void **state)
{
	(void)state;
	assert_faults(
		LUNS("{ lun = 0; store = \"ram\"; size = \"1M\"; name = \"u\"; serial = \"S1\";\n"
		     "  naa = \"5000C50012345678\"; },\n"
		     "{ lun = 1; store = \"ram\"; size = \"1M\";\n"
		     "  name = \"u\";\n  serial = \"S1\";\n  naa = \"naa.5000c50012345678\"; }"),
		"7: luns: name \"u\" is used twice: first in test.conf:4\n"
		"8: serial \"S1\" is used twice: first in test.conf:4\n"
		"9: naa \"5000c50012345678\" is used twice: first in test.conf:5\n");
}

static void one_unit_can_be_shown_by_several_targets(void **state)
{
	struct config *cfg = loaded(BASE
		"targets = ( { name = \"" IQN "a\"; luns = ( { lun = 4; same_as = \"u\"; } ); },\n"
		"{ name = \"" IQN
		"b\"; luns = ( { lun = 0; name = \"u\"; path = \"/d/a\"; } ); } );\n");
	const struct config_lun *other = &cfg->targets[0].luns[0];
	const struct config_lun *unit = &cfg->targets[1].luns[0];

	(void)state;
	assert_ptr_equal(other->unit, unit);
	assert_ptr_equal(unit->unit, unit);
	assert_string_equal(other->unit->path, "/d/a");
	config_free(cfg);
}

static void a_lun_that_is_the_same_as_another_says_nothing_else(void **state)
{
	(void)state;
	assert_faults(LUNS("{ lun = 0; store = \"ram\"; size = \"1M\"; name = \"u\"; },\n"
			   "{ lun = 1; same_as = \"u\";\n size = \"1M\";\n read_only = true; },\n"
			   "{ lun = 2; same_as = \"v\"; }"),
		"6: size: it does not go with same_as; the LUN that is named \"u\" has it\n"
		"7: read_only: it does not go with same_as; the LUN that is named \"u\" has it\n"
		"8: same_as: no LUN has name = \"v\"\n");
}

static void the_type_of_a_redirection_needs_a_redirection(void **state)
{
	(void)state;
	assert_faults(TARGET("redirect_type = \"permanent\";"),
		"3: redirect_type: it does nothing without redirect\n");
}

static void a_redirection_has_a_port(void **state)
{
	struct config *cfg = loaded(TARGET("redirect = \"[2001:db8::2]\";"));

	(void)state;
	assert_string_equal(cfg->targets[0].redirect, "[2001:db8::2]:3260");
	assert_int_equal(cfg->targets[0].redirect_type, CONFIG_REDIRECT_TEMPORARY);
	config_free(cfg);
}

/* ---- credentials ---------------------------------------------------------------------------- */

#define HOST(n) "initiator = \"" IQN "h" #n "\"; "

static void the_user_of_a_credential_is_the_initiator_unless_given(void **state)
{
	struct config *cfg = loaded(
		ROWS("{ " HOST(1) "secret = \"123456789012\"; },\n"
				  "{ " HOST(2) "user = \"bob\"; secret = \"123456789013\"; }"));
	const struct config_credential *rows = cfg->targets[0].credentials;

	(void)state;
	assert_string_equal(rows[0].user, IQN "h1");
	assert_string_equal(rows[1].user, "bob");
	assert_null(rows[0].target_user);
	assert_null(rows[0].target_secret.bytes);
	assert_int_equal(rows[0].secret.len, 12);
	assert_memory_equal(rows[0].secret.bytes, "123456789012", 12);
	config_free(cfg);
}

static void a_credential_needs_a_secret_and_somebody_whom_it_is_for(void **state)
{
	(void)state;
	assert_faults(ROWS("{ " HOST(1) "},\n{ secret = \"123456789012\"; }"),
		"4: secret is missing: what the initiator proves that it knows, 12 bytes or more "
		"(or secret_file)\n"
		"5: a credential needs initiator, user or both: who is it for?\n");
}

static void a_secret_under_12_bytes_is_refused_and_never_quoted(void **state)
{
	(void)state;
	assert_faults(ROWS("{ " HOST(1) "secret = \"12345678901\"; },\n"
					"{ " HOST(2) "secret = \"\"; }"),
		"4: secret: the secret is too short: 12 bytes (96 bits) is the least; it has 11\n"
		"5: secret: the secret is empty\n");
}

static void a_secret_over_512_bytes_is_refused(void **state)
{
	char secret[514], file[1024];

	(void)state;
	memset(secret, 'x', 513);
	secret[513] = '\0';
	snprintf(file, sizeof(file), ROWS("{ " HOST(1) "secret = \"%s\"; }"), secret);
	assert_faults(
		file, "4: secret: the secret is too long: 512 bytes is the most; it has 513\n");
}

static void an_initiator_may_have_only_one_row_in_a_list(void **state)
{
	(void)state;
	assert_faults(
		ROWS("{ " HOST(1) "secret = \"123456789012\"; },\n"
				  "{ " HOST(1) "user = \"x\"; secret = \"123456789013\"; },\n"
					       "{ user = \"y\"; secret = \"123456789012\"; },\n"
					       "{ user = \"z\"; secret = \"123456789014\"; }"),
		"5: credentials: initiator \"" IQN "h1\" is used twice: first in test.conf:4\n"
		"7: credentials: there is a row for any initiator already (test.conf:6); say for "
		"which initiator this one is\n");
}

static void a_user_of_one_initiator_may_be_the_user_of_any(void **state)
{
	struct config *cfg =
		loaded(ROWS("{ " HOST(1) "user = \"x\"; secret = \"123456789012\"; },\n"
					 "{ user = \"x\"; secret = \"123456789013\"; }"));

	(void)state;
	assert_int_equal(cfg->targets[0].n_credentials, 2);
	config_free(cfg);
}

static void both_directions_of_a_credential_must_differ(void **state)
{
	(void)state;
	assert_faults(
		ROWS("{ " HOST(
			1) "secret = \"123456789012\";\n target_secret = \"123456789012\"; }"),
		"5: target_secret: the same secret proves an initiator (test.conf:4); what one "
		"side proves itself with must never serve the other (RFC 7143 9.2.1)\n");
}

static void a_secret_serves_one_direction_in_the_whole_file(void **state)
{
	(void)state;
	assert_faults(BASE
		"discovery = { credentials = ( { user = \"d\"; secret = \"123456789012\"; } ); };\n"
		"libraries = ( { name = \"l\"; path = \"/l\"; target_prefix = \"" IQN "l\";\n"
		"credentials = ( { user = \"l\"; secret = \"123456789013\";\n"
		"target_secret = \"123456789012\"; } ); } );\n",
		"5: target_secret: the same secret proves an initiator (test.conf:2); what one "
		"side proves itself with must never serve the other (RFC 7143 9.2.1)\n");
}

static void one_secret_may_prove_a_target_to_several_initiators(void **state)
{
	struct config *cfg = loaded(ROWS("{ " HOST(
		1) "secret = \"123456789012\"; target_secret = \"abcdefghijkl\"; },\n"
		   "{ " HOST(2) "secret = \"123456789013\"; target_secret = \"abcdefghijkl\"; }"));

	(void)state;
	assert_int_equal(cfg->targets[0].credentials[1].target_secret.len, 12);
	config_free(cfg);
}

static void a_target_user_needs_a_target_secret(void **state)
{
	(void)state;
	assert_faults(ROWS("{ " HOST(1) "secret = \"123456789012\";\n target_user = \"t\"; }"),
		"5: target_user: it does nothing without target_secret\n");
}

static void mutual_discovery_needs_a_target_user(void **state)
{
	(void)state;
	assert_faults(BASE
		"discovery = { credentials = ( { user = \"d\"; secret = \"123456789012\";\n"
		"target_secret = \"abcdefghijkl\"; } ); };\n",
		"3: target_user is missing: a discovery session has no target whose name could be "
		"used with target_secret\n");
}

static void discovery_with_chap_needs_credentials(void **state)
{
	(void)state;
	assert_faults(BASE "discovery = {\n auth = \"chap\"; };\n",
		"3: discovery: with auth = \"chap\" and no credentials nobody can "
		"discover anything\n");
}

static void a_target_with_chap_may_get_its_credentials_elsewhere(void **state)
{
	struct config *cfg = loaded(TARGET("auth = \"chap\";"));

	(void)state;
	assert_int_equal(cfg->targets[0].auth, CONFIG_AUTH_CHAP);
	config_free(cfg);
}

static void credentials_turn_chap_on(void **state)
{
	(void)state;
	assert_true(config_chap_needed(CONFIG_AUTH_CHAP, 0));
	assert_true(config_chap_needed(CONFIG_AUTH_NONE, 1));
	assert_false(config_chap_needed(CONFIG_AUTH_NONE, 0));
}

static void a_secret_and_a_secret_file_exclude_each_other(void **state)
{
	(void)state;
	assert_faults(ROWS("{ " HOST(1) "secret = \"123456789012\";\n secret_file = \"/x\"; }"),
		"5: secret_file: secret is given too; keep one of them\n");
}

static void a_string_without_file_access_reads_no_secret(void **state)
{
	(void)state;
	assert_faults(ROWS("{ " HOST(1) "secret_file = \"/etc/passwd\"; }"),
		"4: secret_file: files cannot be named here\n");
}

/* ---- libraries ------------------------------------------------------------------------------ */

static void a_library_has_drives_and_known_devices(void **state)
{
	(void)state;
	assert_faults(
		LIBRARY("drives = 0;\nchanger = \"L700\";\ndrive = \"LTO5\";\nlayout = \"one\";"),
		"3: drives: 0 is out of range; it can be 1 to 99\n"
		"4: changer: \"L700\" is unknown; it can be STK-L700, AWS-Gateway-VTL or "
		"IBM-03584L32-0402\n"
		"5: drive: \"LTO5\" is unknown; it can be IBM-ULT3580-TD5, IBM-ULT3580-TD6, "
		"IBM-ULT3580-TD7 or IBM-ULT3580-TD8\n"
		"6: layout: \"one\" is unknown; it can be targets or luns\n");
}

static void each_layout_has_its_own_kind_of_name(void **state)
{
	(void)state;
	assert_faults(BASE "libraries = (\n{ name = \"a\"; path = \"/a\"; },\n"
			   "{ name = \"b\"; path = \"/b\"; layout = \"luns\";\n"
			   " target_prefix = \"" IQN "b\"; } );\n",
		"3: target_prefix is missing: layout targets needs it, as in target_prefix = "
		"\"iqn.2026-11.com.example:vtl\"\n"
		"4: target is missing: layout luns needs it, as in target = "
		"\"iqn.2026-11.com.example:vtl\"\n"
		"5: target_prefix: layout luns has target instead\n");
}

static void a_prefix_leaves_room_for_the_names_of_devices(void **state)
{
	char prefix[224] = IQN, file[1024];

	(void)state;
	memset(prefix + strlen(prefix), 'x', 211 - strlen(prefix));
	snprintf(file, sizeof(file),
		BASE
		"libraries = ( { name = \"l\"; path = \"/l\";\n target_prefix = \"%s\"; } );\n",
		prefix);
	assert_faults(file,
		"3: target_prefix: it has 211 characters; more than 210 leave no room for "
		"-tapedrive-01\n");
}

static void the_devices_of_a_library_are_no_other_targets(void **state)
{
	(void)state;
	assert_faults(BASE "targets = ( { name = \"" IQN "l-tapedrive-02\"; } );\n"
			   "libraries = ( { name = \"l\"; path = \"/l\";\n"
			   " target_prefix = \"" IQN "l\"; drives = 2; } );\n",
		"4: target_prefix: it makes the target \"" IQN "l-tapedrive-02\", which is there "
		"already (test.conf:2)\n");
}

static void names_paths_and_prefixes_of_libraries_are_unique(void **state)
{
	(void)state;
	assert_faults(BASE
		"libraries = ( { name = \"l\"; path = \"/l\"; target_prefix = \"" IQN "l\"; },\n"
		"{ name = \"l\";\n path = \"/l\";\n target_prefix = \"" IQN "l\"; } );\n",
		"3: libraries: name \"l\" is used twice: first in test.conf:2\n"
		"4: path \"/l\" is used twice: first in test.conf:2\n"
		"5: target_prefix \"" IQN "l\" is used twice: first in test.conf:2\n");
}

static void a_barcode_is_in_the_file_only_once(void **state)
{
	(void)state;
	assert_faults(LIBRARY("tapes = ( { barcode = \"TEST01L5\"; size = \"1G\"; },\n"
			      "{ barcode = \"TEST01L5\"; size = \"1G\"; }, "
			      "{ barcode = \"test\"; size = 5; } );"),
		"4: barcode: it has 4 characters; right is 5 to 16\n"
		"4: size: it is out of range; it can be 1M to 64T\n"
		"4: tapes: barcode \"TEST01L5\" is used twice: first in test.conf:3\n");
}

static void a_library_holds_all_its_tapes(void **state)
{
	(void)state;
	assert_faults(LIBRARY("drives = 1; slots = 1;\n tapes = ( { barcode = \"AAAAA1\"; size = "
			      "\"1G\"; },"
			      "{ barcode = \"AAAAA2\"; size = \"1G\"; }, "
			      "{ barcode = \"AAAAA3\"; size = \"1G\"; } );"),
		"4: tapes: 3 are too many; 1 slots and 1 drives hold 2\n");
}

static void the_largest_library_has_an_address_for_every_element(void **state)
{
	struct config *cfg = loaded(LIBRARY("drives = 99; import_export = 32000; slots = 32000;"));
	const struct config_library *lib = &cfg->libraries[0];

	(void)state;
	assert_true(lib->drives + lib->import_export + lib->slots < 65000);
	config_free(cfg);
}

/* ---- pools and management ------------------------------------------------------------------- */

static void pools_have_names_and_paths_of_their_own(void **state)
{
	(void)state;
	assert_faults(BASE "pools = ( { name = \"p\"; path = \"/p\"; },\n{ name = \"p\";\n path = "
			   "\"/p\"; } );\n",
		"3: pools: name \"p\" is used twice: first in test.conf:2\n"
		"4: path \"/p\" is used twice: first in test.conf:2\n");
}

#define MANAGEMENT(x) BASE "management = {\n" x " };\n"
#define AWS(x)        MANAGEMENT("aws = { gateway = \"sgw-12A3456B\";\n" x " };")
#define KEY           "access_keys = ( { id = \"AKIAIOSFODNN7EXAMPLE\"; secret = \"0123456789abcdef\"; } );\n"

static void the_name_of_the_socket_fits_the_system(void **state)
{
	char deep[200], file[512];

	(void)state;
	memset(deep, 'd', 120);
	deep[0] = '/';
	deep[120] = '\0';
	snprintf(file, sizeof(file), MANAGEMENT("socket = \"%s\";"), deep);
	assert_faults(file,
		"3: socket: the name of the management socket has 119 characters in its last "
		"part; the system takes 76\n");
	strcat(deep, "/ctl.sock");
	snprintf(file, sizeof(file), MANAGEMENT("socket = \"%s\";"), deep);
	config_free(loaded(file));
}

static void a_certificate_needs_tls_and_a_key(void **state)
{
	(void)state;
	assert_faults(MANAGEMENT("http = ( { address = \"::1\"; port = 1;\n cert = \"/c\"; },\n"
				 "{ address = \"::1\"; port = 2; tls = true;\n key = \"/k\"; } );"),
		"4: cert: it does nothing without tls = true\n"
		"4: cert: key is missing: its private key\n"
		"6: key: cert is missing: the certificate that it belongs to\n");
}

static void a_listener_has_an_address_of_its_own(void **state)
{
	(void)state;
	assert_faults(MANAGEMENT("http = ( { address = \"::1\"; port = 1; }, { address = "
				 "\"127.0.0.1\"; port = 1; },\n"
				 "{ address = \"::1\"; port = 1; },\n"
				 "{ address = \"127.0.0.1\"; port = 3260; } );"),
		"4: http: ::1 port 1 is used twice: first in test.conf:3\n"
		"5: http: 127.0.0.1 port 3260 is used twice: first in test.conf:1\n");
}

static void a_listener_for_all_addresses_leaves_its_port_to_no_other(void **state)
{
	(void)state;
	assert_faults(
		MANAGEMENT("http = (\n{ address = \"0.0.0.0\"; port = 3260; },\n"
			   "{ address = \"::\"; port = 3260; }, { address = \"::1\"; port = 1; "
			   "},\n{ address = \"::\"; port = 1; } );"),
		"4: http: 0.0.0.0 overlaps 127.0.0.1 (test.conf:1) on port 3260; keep the one for "
		"all addresses or name each address\n"
		"6: http: :: overlaps ::1 (test.conf:5) on port 1; keep the one for all addresses "
		"or name each address\n");
}

static void a_token_has_a_name_and_a_text(void **state)
{
	(void)state;
	assert_faults(MANAGEMENT("tokens = ( { name = \"a\"; },\n"
				 "{ name = \"a\"; token = \"short\"; } );"),
		"3: token is missing (or token_file)\n"
		"4: token: it has 5 characters; right is 16 to 512\n"
		"4: tokens: name \"a\" is used twice: first in test.conf:3\n");
}

static void the_gateway_interface_needs_a_key(void **state)
{
	(void)state;
	assert_faults(AWS(""), "3: aws: access_keys is missing; without a key nobody can call\n");
	assert_faults(AWS("access_keys = ( { id = \"AKIAIOSFODNN7EXAMPLE\"; } );"),
		"4: secret is missing: the secret access key (or secret_file)\n");
}

static void an_access_key_is_there_once(void **state)
{
	(void)state;
	assert_faults(AWS("access_keys = ( { id = \"AKIAIOSFODNN7EXAMPLE\"; secret = "
			  "\"0123456789abcdef\"; },\n"
			  "{ id = \"AKIAIOSFODNN7EXAMPLE\"; secret = \"0123456789abcdeg\"; } );"),
		"5: access_keys: id \"AKIAIOSFODNN7EXAMPLE\" is used twice: first "
		"in test.conf:4\n");
}

static void the_gateway_interface_names_what_is_there(void **state)
{
	(void)state;
	assert_faults(AWS(KEY "pool = \"p\";\nlibrary = \"l\";\nmax_tape_size = \"2G\";"),
		"5: pool: no pool has name = \"p\"\n"
		"6: library: no library has name = \"l\"\n"
		"7: min_tape_size is above max_tape_size\n");
}

static void disks_of_the_gateway_are_there_once(void **state)
{
	(void)state;
	assert_faults(AWS(KEY "disks = ( { id = \"d\"; path = \"/d\"; },\n{ id = \"d\";\n path = "
			      "\"/d\"; } );"),
		"6: disks: id \"d\" is used twice: first in test.conf:5\n"
		"7: disks: path \"/d\" is used twice: first in test.conf:5\n");
}

static void the_ontap_interface_needs_users_with_passwords(void **state)
{
	(void)state;
	assert_faults(MANAGEMENT("ontap = { };"),
		"3: ontap: users is missing; without one nobody can call\n");
	assert_faults(
		MANAGEMENT("ontap = { users = ( { name = \"a:b\"; password = \"12345678\"; },\n"
			   "{ name = \"c\"; },\n{ name = \"c\"; password = \"short\"; } ); };"),
		"3: name: ':' cannot be part of it (RFC 7617)\n"
		"4: password is missing (or password_file)\n"
		"5: password: it has 5 characters; right is 8 to 512\n"
		"5: users: name \"c\" is used twice: first in test.conf:4\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_of_portals_must_not_be_empty),
		cmocka_unit_test(a_portal_may_be_there_only_once_however_it_is_written),
		cmocka_unit_test(a_wildcard_overlaps_other_portals_of_its_family_and_port),
		cmocka_unit_test(portals_of_other_families_and_ports_do_not_overlap),
		cmocka_unit_test(a_portal_group_must_exist_and_be_named_once),
		cmocka_unit_test(the_first_burst_is_never_above_the_longest),
		cmocka_unit_test(one_address_cannot_have_more_half_open_logins_than_all),
		cmocka_unit_test(a_lower_limit_for_all_alone_is_taken),
		cmocka_unit_test(the_algorithms_are_at_least_one_and_none_twice),
		cmocka_unit_test(a_target_name_may_be_there_only_once),
		cmocka_unit_test(a_lun_may_be_there_only_once_in_a_target),
		cmocka_unit_test(two_targets_may_have_the_same_lun),
		cmocka_unit_test(a_file_store_needs_a_path_and_a_ram_store_a_size),
		cmocka_unit_test(a_ram_store_has_neither_path_nor_create),
		cmocka_unit_test(a_file_that_is_to_be_made_needs_a_size),
		cmocka_unit_test(
			a_physical_block_is_a_power_of_two_and_no_smaller_than_a_logical_one),
		cmocka_unit_test(a_size_is_a_multiple_of_the_block_size),
		cmocka_unit_test(a_block_has_512_or_4096_bytes),
		cmocka_unit_test(no_two_units_are_in_one_file),
		cmocka_unit_test(no_unit_is_in_a_directory_of_ours),
		cmocka_unit_test(no_unit_is_in_a_file_of_the_server),
		cmocka_unit_test(serials_identifiers_and_names_of_units_are_unique),
		cmocka_unit_test(one_unit_can_be_shown_by_several_targets),
		cmocka_unit_test(a_lun_that_is_the_same_as_another_says_nothing_else),
		cmocka_unit_test(the_type_of_a_redirection_needs_a_redirection),
		cmocka_unit_test(a_redirection_has_a_port),
		cmocka_unit_test(the_user_of_a_credential_is_the_initiator_unless_given),
		cmocka_unit_test(a_credential_needs_a_secret_and_somebody_whom_it_is_for),
		cmocka_unit_test(a_secret_under_12_bytes_is_refused_and_never_quoted),
		cmocka_unit_test(a_secret_over_512_bytes_is_refused),
		cmocka_unit_test(an_initiator_may_have_only_one_row_in_a_list),
		cmocka_unit_test(a_user_of_one_initiator_may_be_the_user_of_any),
		cmocka_unit_test(both_directions_of_a_credential_must_differ),
		cmocka_unit_test(a_secret_serves_one_direction_in_the_whole_file),
		cmocka_unit_test(one_secret_may_prove_a_target_to_several_initiators),
		cmocka_unit_test(a_target_user_needs_a_target_secret),
		cmocka_unit_test(mutual_discovery_needs_a_target_user),
		cmocka_unit_test(discovery_with_chap_needs_credentials),
		cmocka_unit_test(a_target_with_chap_may_get_its_credentials_elsewhere),
		cmocka_unit_test(credentials_turn_chap_on),
		cmocka_unit_test(a_secret_and_a_secret_file_exclude_each_other),
		cmocka_unit_test(a_string_without_file_access_reads_no_secret),
		cmocka_unit_test(a_library_has_drives_and_known_devices),
		cmocka_unit_test(each_layout_has_its_own_kind_of_name),
		cmocka_unit_test(a_prefix_leaves_room_for_the_names_of_devices),
		cmocka_unit_test(the_devices_of_a_library_are_no_other_targets),
		cmocka_unit_test(names_paths_and_prefixes_of_libraries_are_unique),
		cmocka_unit_test(a_barcode_is_in_the_file_only_once),
		cmocka_unit_test(a_library_holds_all_its_tapes),
		cmocka_unit_test(the_largest_library_has_an_address_for_every_element),
		cmocka_unit_test(pools_have_names_and_paths_of_their_own),
		cmocka_unit_test(the_name_of_the_socket_fits_the_system),
		cmocka_unit_test(a_certificate_needs_tls_and_a_key),
		cmocka_unit_test(a_listener_has_an_address_of_its_own),
		cmocka_unit_test(a_listener_for_all_addresses_leaves_its_port_to_no_other),
		cmocka_unit_test(a_token_has_a_name_and_a_text),
		cmocka_unit_test(the_gateway_interface_needs_a_key),
		cmocka_unit_test(an_access_key_is_there_once),
		cmocka_unit_test(the_gateway_interface_names_what_is_there),
		cmocka_unit_test(disks_of_the_gateway_are_there_once),
		cmocka_unit_test(the_ontap_interface_needs_users_with_passwords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
