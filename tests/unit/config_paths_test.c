/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that the configuration names: secrets that are read, and what is checked on the machine. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "config/paths.h"
#include "config_support.h"
#include "tests/skip.h"

#define IQN "iqn.2026-11.com.example:"

/* Loads c.conf of the directory; "LINE: text" of all faults, which the caller frees. */
static char *load_faults(struct directory *d, struct config **cfg)
{
	struct faults faults = { 0 };
	char *text, *path = with_directory(d, "DIR/c.conf");

	*cfg = NULL;
	config_load(path, cfg, &faults);
	text = faults_text(&faults);
	faults_free(&faults);
	free(path);
	return text;
}

/* ---- secrets -------------------------------------------------------------------------------- */

#define SECRET_CONF \
	BASE "targets = ( { name = \"" IQN "a\"; credentials = (\n" \
	     "{ user = \"u\"; secret_file = \"secret\"; } ); } );\n"

/* The secret that a file of these bytes gives. */
static void assert_secret(const void *data, size_t len, const char *secret, size_t secret_len)
{
	struct directory d = directory_new();
	struct config *cfg;
	char *text;

	make_text(&d, "c.conf", 0600, SECRET_CONF);
	make_file(&d, "secret", 0600, data, len);
	text = load_faults(&d, &cfg);
	assert_string_equal(text, "");
	assert_int_equal(cfg->targets[0].credentials[0].secret.len, secret_len);
	assert_memory_equal(cfg->targets[0].credentials[0].secret.bytes, secret, secret_len);
	config_free(cfg);
	free(text);
	directory_free(&d);
}

static void a_secret_file_gives_its_bytes_but_for_one_newline(void **state)
{
	(void)state;
	assert_secret("secret-123456", 13, "secret-123456", 13);
	assert_secret("secret-123456\n", 14, "secret-123456", 13);
	assert_secret("secret-123456\r\n", 15, "secret-123456", 13);
	assert_secret("secret-123456\n\n", 15, "secret-123456\n", 14);
	assert_secret("secret\0\xff"
		      "12345",
		13,
		"secret\0\xff"
		"12345",
		13);
}

static void assert_secret_fault(mode_t mode, const char *data, const char *expected)
{
	struct directory d = directory_new();
	struct config *cfg;
	char *text, *named = with_directory(&d, expected);

	make_text(&d, "c.conf", 0600, SECRET_CONF);
	if (data)
		make_text(&d, "secret", mode, data);
	text = load_faults(&d, &cfg);
	assert_string_equal(text, named);
	assert_null(cfg);
	free(text);
	free(named);
	directory_free(&d);
}

static void a_secret_file_that_others_can_read_is_refused(void **state)
{
	(void)state;
	assert_secret_fault(0640, "secret-123456",
		"3: secret_file: DIR/secret can be read or written by "
		"others (mode 0640); chmod 600 it\n");
	assert_secret_fault(0602, "secret-123456",
		"3: secret_file: DIR/secret can be read or written by "
		"others (mode 0602); chmod 600 it\n");
}

static void a_secret_file_that_is_not_there_is_a_fault(void **state)
{
	(void)state;
	assert_secret_fault(0600, NULL, "3: secret_file: DIR/secret: No such file or directory\n");
}

static void a_secret_file_is_judged_as_a_secret(void **state)
{
	(void)state;
	assert_secret_fault(0600, "short\n",
		"3: secret_file: DIR/secret: the secret is too short: 12 bytes "
		"(96 bits) is the least; it has 5\n");
	assert_secret_fault(0600, "\n", "3: secret_file: DIR/secret: the secret is empty\n");
}

static void a_directory_is_no_secret_file(void **state)
{
	struct directory d = directory_new();
	struct config *cfg;
	char *text, *named = with_directory(&d, "3: secret_file: DIR/secret is a directory\n");

	(void)state;
	make_text(&d, "c.conf", 0600, SECRET_CONF);
	assert_int_equal(mkdir(in_directory(&d, "secret"), 0700), 0);
	text = load_faults(&d, &cfg);
	assert_string_equal(text, named);
	free(text);
	free(named);
	directory_free(&d);
}

static void a_password_file_must_hold_text(void **state)
{
	struct directory d = directory_new();
	struct config *cfg;
	char *text, *named = with_directory(
			    &d, "3: password_file: DIR/bad: there is a NUL character in it\n");

	(void)state;
	make_text(&d, "c.conf", 0600,
		BASE
		"management = { ontap = { users = ( { name = \"a\"; password_file = \"good\"; },\n"
		"{ name = \"b\"; password_file = \"bad\"; } ); }; };\n");
	make_text(&d, "good", 0600, "pass-word\n");
	make_file(&d, "bad", 0600, "pass\0word", 9);
	text = load_faults(&d, &cfg);
	assert_string_equal(text, named);
	free(text);
	free(named);
	directory_free(&d);
}

static void a_password_from_a_file_is_text_without_its_newline(void **state)
{
	struct directory d = directory_new();
	struct config *cfg;
	char *text;

	(void)state;
	make_text(&d, "c.conf", 0600,
		BASE "management = { ontap = { users = ( { name = \"a\"; password_file = \"p\"; } "
		     "); }; };\n");
	make_text(&d, "p", 0400, "pass-word\n");
	text = load_faults(&d, &cfg);
	assert_string_equal(text, "");
	assert_string_equal(cfg->management.ontap.users[0].password, "pass-word");
	config_free(cfg);
	free(text);
	directory_free(&d);
}

/* ---- the machine ---------------------------------------------------------------------------- */

/* Loads `text`, which must be right in itself, and compares what the machine says of its paths. */
static void assert_path_faults(struct directory *d, const char *text, const char *expected)
{
	struct faults faults = { 0 };
	struct config *cfg = NULL;
	char *named = with_directory(d, expected), *got;
	int err = config_load_string("c.conf", text, d->path, &cfg, &faults);

	faults_print(&faults, stderr);
	assert_int_equal(err, 0);
	err = config_check_paths(cfg, &faults);
	got = faults_text(&faults);
	assert_string_equal(got, named);
	assert_int_equal(err, *expected ? -EINVAL : 0);
	free(got);
	free(named);
	faults_free(&faults);
	config_free(cfg);
}

#define HERE    "state_dir = \"state\"; portals = ( { address = \"127.0.0.1\"; } );\n"
#define LUNS(x) HERE "targets = ( { name = \"" IQN "a\"; luns = (\n" x " ); } );\n"

#define LIBRARY \
	"libraries = ( { name = \"l\"; path = \"state/l\"; target_prefix = \"" IQN "l\"; } );"

static void what_can_be_made_is_no_fault(void **state)
{
	struct directory d = directory_new();

	(void)state;
	assert_path_faults(&d,
		LUNS("{ lun = 0; path = \"state/d.img\"; size = \"1M\"; create = true; },\n"
		     "{ lun = 1; path = \"e.img\"; size = \"1M\"; create = true; }") LIBRARY,
		"");
	directory_free(&d);
}

static void a_state_dir_in_no_directory_is_a_fault(void **state)
{
	struct directory d = directory_new();

	(void)state;
	assert_path_faults(&d, "state_dir = \"no/state\"; portals = ( { address = \"::1\"; } );",
		"1: state_dir: the directory DIR/no: No such file or directory\n");
	directory_free(&d);
}

static void a_state_dir_that_is_a_file_is_a_fault(void **state)
{
	struct directory d = directory_new();

	(void)state;
	make_text(&d, "state", 0600, "");
	assert_path_faults(&d, HERE,
		"1: state_dir: DIR/state is not a directory\n"
		"1: socket: DIR/state is not a directory\n");
	directory_free(&d);
}

static void a_missing_file_that_is_not_to_be_made_is_a_fault(void **state)
{
	struct directory d = directory_new();

	(void)state;
	assert_path_faults(&d, LUNS("{ lun = 0;\n path = \"d.img\"; size = \"1M\"; }"),
		"4: path: DIR/d.img: No such file or directory; add size and create = true to "
		"have it made\n");
	assert_path_faults(&d, LUNS("{ lun = 0;\n path = \"no/d.img\"; size = \"1M\"; }"),
		"4: path: the directory DIR/no: No such file or directory\n");
	assert_path_faults(&d, LUNS("{ lun = 0;\n path = \"state/d.img\"; size = \"1M\"; }"),
		"4: path: DIR/state/d.img: No such file or directory; add size and create = true "
		"to have it made\n");
	assert_path_faults(&d, LUNS("{ lun = 0;\n path = \"/dev/no-such-disk\"; }"),
		"4: path: /dev/no-such-disk: No such file or directory\n");
	directory_free(&d);
}

static void a_file_to_be_made_in_no_directory_is_a_fault(void **state)
{
	struct directory d = directory_new();

	(void)state;
	assert_path_faults(&d,
		LUNS("{ lun = 0; path = \"no/d.img\"; size = \"1M\"; create = true; }"),
		"3: path: the directory DIR/no: No such file or directory\n");
	directory_free(&d);
}

static void a_file_that_is_too_small_is_a_fault_unless_it_is_to_be_extended(void **state)
{
	struct directory d = directory_new();

	(void)state;
	make_text(&d, "d.img", 0600, "");
	assert_int_equal(truncate(in_directory(&d, "d.img"), 524288), 0);
	assert_path_faults(&d, LUNS("{ lun = 0; path = \"d.img\";\n size = \"1M\"; }"),
		"4: size: DIR/d.img has only 512K, not 1M; add create = true to have it "
		"extended\n");
	assert_path_faults(
		&d, LUNS("{ lun = 0; path = \"d.img\"; size = \"1M\"; create = true; }"), "");
	assert_path_faults(&d, LUNS("{ lun = 0; path = \"d.img\"; size = \"512K\"; }"), "");
	assert_path_faults(&d, LUNS("{ lun = 0; path = \"d.img\"; }"), "");
	directory_free(&d);
}

static void a_file_without_a_size_given_has_whole_blocks(void **state)
{
	struct directory d = directory_new();

	(void)state;
	make_text(&d, "d.img", 0600, "12345");
	make_text(&d, "e.img", 0600, "");
	assert_path_faults(&d,
		LUNS("{ lun = 0; path = \"d.img\"; },\n{ lun = 1; path = \"e.img\"; }"),
		"3: path: DIR/d.img has 5 bytes, which is no multiple of the block size, 512\n"
		"4: path: DIR/e.img has 0 bytes, which is no multiple of the block size, 512\n");
	directory_free(&d);
}

/* Root's own machine may keep it from a device: a container, or a service without DeviceAllow. */
static void a_device_that_cannot_be_opened_says_why(void **state)
{
	struct directory d = directory_new();
	const char *path = in_directory(&d, "device");
	char expected[160];

	(void)state;
	if (mknod(path, S_IFBLK | 0600, makedev(0, 0xfffff))) {
		directory_free(&d);
		skip_as("takes root");
	}
	assert_int_equal(open(path, O_RDONLY | O_CLOEXEC), -1);
	snprintf(expected, sizeof(expected), "3: path: DIR/device: %s%s\n", strerror(errno),
		errno == EPERM ? "; a service needs DeviceAllow for it" : "");
	assert_path_faults(&d, LUNS("{ lun = 0; path = \"device\"; }"), expected);
	directory_free(&d);
}

static void a_store_is_a_file_or_block_device(void **state)
{
	struct directory d = directory_new();

	(void)state;
	assert_int_equal(mkdir(in_directory(&d, "dir"), 0700), 0);
	assert_path_faults(&d,
		LUNS("{ lun = 0; path = \"dir\"; },\n{ lun = 1; path = \"/dev/null\"; }"),
		"3: path: DIR/dir is neither a file nor a block device\n"
		"4: path: /dev/null is neither a file nor a block device\n");
	directory_free(&d);
}

static void one_file_under_two_names_is_a_fault(void **state)
{
	struct directory d = directory_new();
	char first[sizeof(d.name)];

	(void)state;
	make_text(&d, "d.img", 0600, "");
	assert_int_equal(truncate(in_directory(&d, "d.img"), 4096), 0);
	snprintf(first, sizeof(first), "%s", d.name);
	assert_int_equal(symlink(first, in_directory(&d, "e.img")), 0);
	assert_path_faults(&d,
		LUNS("{ lun = 0; path = \"d.img\"; },\n{ lun = 1; path = \"e.img\"; }"),
		"4: path: DIR/e.img is the same file as DIR/d.img (c.conf:3)\n");
	directory_free(&d);
}

static void a_file_without_permission_is_a_fault(void **state)
{
	uid_t user = geteuid();
	struct directory d;

	(void)state;
	if (!user) /* root may do everything */
		assert_int_equal(seteuid(65534), 0);
	d = directory_new();
	make_text(&d, "d.img", 0400, "");
	assert_path_faults(&d,
		LUNS("{ lun = 0; path = \"d.img\"; size = \"4K\"; create = true; },\n"
		     "{ lun = 1; path = \"/e.img\"; size = \"4K\"; create = true; }"),
		"3: path: no permission to read and write DIR/d.img\n"
		"4: path: no permission to make it in /\n");
	directory_free(&d);
	assert_int_equal(seteuid(user), 0);
}

static void a_key_file_may_hold_the_new_key_before_the_old_one(void **state)
{
	struct directory d = directory_new();

	(void)state;
	make_text(&d, "key", 0600,
		"new key: 0123456789abcdef0123456old key: 0123456789abcdef0123456");
	assert_path_faults(&d, HERE "key_file = \"key\";", "");
	directory_free(&d);
}

static void a_key_file_is_private_and_has_32_bytes(void **state)
{
	struct directory d = directory_new();

	(void)state;
	make_text(&d, "key", 0644, "0123456789");
	assert_path_faults(&d, HERE "key_file = \"key\";",
		"2: key_file: DIR/key can be read or written by others (mode 0644); chmod 600 it\n"
		"2: key_file: DIR/key has 10 bytes; a key has 32, a new and an old one 64\n");
	assert_path_faults(&d, HERE "key_file = \"none\";",
		"2: key_file: DIR/none: No such file or directory\n");
	directory_free(&d);
}

static void users_exist(void **state)
{
	struct directory d = directory_new();

	(void)state;
	assert_path_faults(&d,
		HERE "user = \"no-such-user-here\";\n"
		     "management = { socket_users = [ \"root\", \"0\", \"nobody-at-all\" ]; };",
		"2: user: there is no user no-such-user-here\n"
		"3: socket_users: there is no user nobody-at-all\n");
	directory_free(&d);
}

static void certificates_and_disks_can_be_read(void **state)
{
	struct directory d = directory_new();

	(void)state;
	assert_path_faults(&d,
		HERE "management = {\n http = ( { address = \"::1\"; port = 1; tls = true;\n"
		     " cert = \"cert\"; key = \".\"; } );\n aws = { gateway = \"sgw-12A3456B\";\n"
		     " allow_unsigned = true; disks = ( { id = \"d\"; path = \"disk\"; } ); }; };",
		"4: cert: DIR/cert: No such file or directory\n"
		"4: key: DIR is a directory\n"
		"6: path: DIR/disk: No such file or directory\n");
	directory_free(&d);
}

static void directories_of_libraries_and_pools_can_be_used_or_made(void **state)
{
	struct directory d = directory_new();

	(void)state;
	make_text(&d, "file", 0600, "");
	assert_path_faults(&d,
		HERE "libraries = ( { name = \"l\"; target_prefix = \"" IQN "l\";\n"
		     " path = \"l\";\n archive = \"l/a\"; },\n"
		     "{ name = \"m\"; target_prefix = \"" IQN "m\";\n path = \"file\";\n"
		     " archive = \"no/a\"; } );\npools = ( { name = \"p\"; path = \"file/p\"; } );",
		"6: path: DIR/file is not a directory\n"
		"7: archive: the directory DIR/no: No such file or directory\n"
		"8: path: DIR/file/p: Not a directory\n");
	directory_free(&d);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_file_gives_its_bytes_but_for_one_newline),
		cmocka_unit_test(a_secret_file_that_others_can_read_is_refused),
		cmocka_unit_test(a_secret_file_that_is_not_there_is_a_fault),
		cmocka_unit_test(a_secret_file_is_judged_as_a_secret),
		cmocka_unit_test(a_directory_is_no_secret_file),
		cmocka_unit_test(a_password_file_must_hold_text),
		cmocka_unit_test(a_password_from_a_file_is_text_without_its_newline),
		cmocka_unit_test(what_can_be_made_is_no_fault),
		cmocka_unit_test(a_state_dir_in_no_directory_is_a_fault),
		cmocka_unit_test(a_state_dir_that_is_a_file_is_a_fault),
		cmocka_unit_test(a_missing_file_that_is_not_to_be_made_is_a_fault),
		cmocka_unit_test(a_file_to_be_made_in_no_directory_is_a_fault),
		cmocka_unit_test(a_file_that_is_too_small_is_a_fault_unless_it_is_to_be_extended),
		cmocka_unit_test(a_file_without_a_size_given_has_whole_blocks),
		cmocka_unit_test(a_device_that_cannot_be_opened_says_why),
		cmocka_unit_test(a_store_is_a_file_or_block_device),
		cmocka_unit_test(one_file_under_two_names_is_a_fault),
		cmocka_unit_test(a_file_without_permission_is_a_fault),
		cmocka_unit_test(a_key_file_may_hold_the_new_key_before_the_old_one),
		cmocka_unit_test(a_key_file_is_private_and_has_32_bytes),
		cmocka_unit_test(users_exist),
		cmocka_unit_test(certificates_and_disks_can_be_read),
		cmocka_unit_test(directories_of_libraries_and_pools_can_be_used_or_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
