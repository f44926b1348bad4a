/* SPDX-License-Identifier: BSD-2-Clause */
/* The files in examples/, and one whose keys are the public interface, load as they stand. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config_support.h"

static char *read_whole(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = malloc(65536);
	size_t len;

	assert_non_null(in);
	assert_non_null(text);
	len = fread(text, 1, 65535, in);
	assert_in_range(len, 1, 65534);
	text[len] = '\0';
	fclose(in);
	return text;
}

/* Every secret_file = "NAME" of the text is made, each with a secret of its own. */
static void make_secrets(struct directory *d, const char *text)
{
	static const char key[] = "secret_file = \"";

	for (const char *at = strstr(text, key); at; at = strstr(at + 1, key)) {
		char name[100], secret[140];

		assert_int_equal(sscanf(at + strlen(key), "%99[^\"]", name), 1);
		snprintf(secret, sizeof(secret), "secret of %s\n", name);
		make_text(d, name, 0600, secret);
	}
}

static struct config *load_copy(const char *path)
{
	struct directory d = directory_new();
	struct faults faults = { 0 };
	struct config *cfg = NULL;
	char *text = read_whole(path);

	make_secrets(&d, text);
	make_text(&d, "c.conf", 0600, text);
	config_load(in_directory(&d, "c.conf"), &cfg, &faults);
	faults_print(&faults, stderr);
	if (!cfg)
		fail_msg("%s does not load", path);
	free(text);
	faults_free(&faults);
	directory_free(&d);
	return cfg;
}

static void every_example_loads(void **state)
{
	DIR *dir = opendir("examples");
	const struct dirent *e;
	unsigned n = 0;

	(void)state;
	assert_non_null(dir);
	while ((e = readdir(dir))) {
		const char *dot = strrchr(e->d_name, '.');
		char path[300];

		if (!dot || strcmp(dot, ".conf"))
			continue;
		snprintf(path, sizeof(path), "examples/%s", e->d_name);
		config_free(load_copy(path));
		n++;
	}
	closedir(dir);
	assert_true(n >= 5);
}

static void the_demonstration_has_disks_and_tapes_under_mutual_chap(void **state)
{
	struct config *cfg = load_copy("examples/demo.conf");

	(void)state;
	assert_int_equal(cfg->n_targets, 1);
	assert_int_equal(cfg->targets[0].n_luns, 2);
	assert_int_equal(cfg->n_libraries, 1);
	assert_true(config_chap_needed(cfg->targets[0].auth, cfg->targets[0].n_credentials));
	for (size_t i = 0; i < cfg->targets[0].n_credentials; i++)
		assert_non_null(cfg->targets[0].credentials[i].target_secret.bytes);
	config_free(cfg);
}

static void the_public_interface_loads_as_it_stands(void **state)
{
	struct faults faults = { 0 };
	struct config *cfg = NULL;
	const struct config_target *locked;
	const struct config_library *luns;

	(void)state;
	assert_int_equal(config_load("tests/unit/data/acceptance.conf", &cfg, &faults), 0);
	assert_int_equal(faults.n, 0);
	assert_string_equal(cfg->state_dir, "tests/unit/data/acceptance-state");
	assert_string_equal(cfg->management.socket, "tests/unit/data/acceptance-state/ctl.sock");
	assert_int_equal(cfg->reactors, 1);
	assert_int_equal(cfg->portals[0].port, 3270);
	assert_int_equal(cfg->management.n_http, 2);
	assert_true(cfg->management.http[1].tls);
	assert_true(cfg->management.aws.enabled);
	assert_string_equal(cfg->management.aws.access_keys[0].secret,
		"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
	assert_true(cfg->management.ontap.enabled);
	assert_string_equal(cfg->management.ontap.users[0].password, "netapp1!example");
	assert_int_equal(cfg->n_targets, 3);
	assert_int_equal(cfg->targets[0].auth, CONFIG_AUTH_NONE);
	assert_true(cfg->targets[0].luns[0].size == 512 << 20);
	assert_true(cfg->targets[0].luns[1].create);
	locked = &cfg->targets[1];
	assert_int_equal(locked->auth, CONFIG_AUTH_CHAP);
	assert_string_equal(locked->credentials[0].user, "iqn.2026-11.com.example:host1");
	assert_memory_equal(locked->credentials[0].target_secret.bytes, "target---2222222", 16);
	assert_int_equal(cfg->targets[2].n_credentials, 0);
	assert_int_equal(cfg->n_libraries, 2);
	assert_int_equal(cfg->libraries[0].layout, CONFIG_LAYOUT_TARGETS);
	assert_int_equal(cfg->libraries[0].changer, CONFIG_CHANGER_STK_L700);
	assert_int_equal(cfg->libraries[0].n_tapes, 2);
	luns = &cfg->libraries[1];
	assert_int_equal(luns->layout, CONFIG_LAYOUT_LUNS);
	assert_string_equal(luns->target, "iqn.2026-11.com.example:vtl1");
	assert_int_equal(luns->slots, 8);
	assert_string_equal(luns->tapes[3].barcode, "TAPE04L5");
	config_free(cfg);
}

/* A load that takes the square of the number of targets would take minutes here. */
static void ten_thousand_targets_load_in_a_moment(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct config *cfg;

	(void)state;
	fputs(BASE "targets = (\n", out);
	for (unsigned t = 0; t < 10000; t++) {
		fprintf(out,
			"%s{ name = \"iqn.2026-11.com.example:t%u\"; luns = ( { lun = 0; store = "
			"\"ram\"; "
			"size = \"1M\"; } ); credentials = (\n",
			t ? "," : "", t);
		for (unsigned i = 0; i < 10; i++)
			fprintf(out,
				"%s{ initiator = \"iqn.2026-11.com.example:h%u-%u\"; secret = "
				"\"in-secret-%u-%u\"; target_secret = \"out-secret-%u-%u\"; }\n",
				i ? "," : "", t, i, t, i, t, i);
		fputs("); }\n", out);
	}
	fputs(");\n", out);
	fclose(out);
	cfg = loaded(text);
	assert_int_equal(cfg->n_targets, 10000);
	assert_string_equal(
		cfg->targets[9999].credentials[9].initiator, "iqn.2026-11.com.example:h9999-9");
	config_free(cfg);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_example_loads),
		cmocka_unit_test(the_demonstration_has_disks_and_tapes_under_mutual_chap),
		cmocka_unit_test(the_public_interface_loads_as_it_stands),
		cmocka_unit_test(ten_thousand_targets_load_in_a_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
