/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configuration files of any bytes: scanner, libconfig, table, checks. No file is opened. What
 * loads must equal itself; what does not must say why, in one line for each fault.
 *
 * libconfig 1.5 leaks a string that stands where its grammar has no place for one, which an
 * administrator pays with a few bytes for each bad file; that leak alone is not reported.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/diff.h"
#include "config/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

static void require(int holds)
{
	if (!holds)
		abort();
}

static void check_loaded(struct config *cfg)
{
	struct config_changes changes;

	require(cfg->state_dir && cfg->management.socket && cfg->n_portals);
	require(!config_diff(cfg, cfg, &changes));
	require(!changes.n);
	config_changes_free(&changes);
	config_free(cfg);
}

static void check_faults(const struct faults *faults)
{
	require(faults->n > 0);
	for (size_t i = 0; i < faults->n; i++) {
		require(*faults->v[i].text && !strchr(faults->v[i].text, '\n'));
		require(faults->v[i].line >= 1);
		require(!i || faults->v[i - 1].line <= faults->v[i].line);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct faults faults = { 0 };
	struct config *cfg = NULL;
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (config_load_string("fuzz", text, NULL, &cfg, &faults))
		check_faults(&faults);
	else
		check_loaded(cfg);
	faults_free(&faults);
	free(text);
	return 0;
}
