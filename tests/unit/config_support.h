/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of config/ share: a configuration from a string, faults as one text, and a
 * directory of files that is gone after the test. To be included after cmocka.h.
 */
#ifndef TESTS_CONFIG_SUPPORT_H
#define TESTS_CONFIG_SUPPORT_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/load.h"

/* One line with all that a file must have, so that what a test adds begins in line 2. */
#define BASE "state_dir = \"/s\"; portals = ( { address = \"127.0.0.1\"; } );\n"

/* "LINE: text\n" of each fault; the caller frees it. */
static inline char *faults_text(const struct faults *faults)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	for (size_t i = 0; i < faults->n; i++)
		fprintf(out, "%d: %s\n", faults->v[i].line, faults->v[i].text);
	fclose(out);
	return text;
}

/* Loads a string that must be right, without access to files; the test frees it. */
static inline struct config *loaded(const char *string)
{
	struct config *cfg = NULL;
	struct faults faults = { 0 };
	int err = config_load_string("test.conf", string, NULL, &cfg, &faults);

	faults_print(&faults, stderr);
	faults_free(&faults);
	assert_int_equal(err, 0);
	assert_non_null(cfg);
	return cfg;
}

/* Loads a string that must be wrong, in just the way that is expected. */
static inline void assert_faults(const char *string, const char *expected)
{
	struct config *cfg = NULL;
	struct faults faults = { 0 };
	int err = config_load_string("test.conf", string, NULL, &cfg, &faults);
	char *text = faults_text(&faults);

	assert_string_equal(text, expected);
	assert_int_equal(err, -EINVAL);
	assert_null(cfg);
	free(text);
	faults_free(&faults);
}

/* ---- files ---------------------------------------------------------------------------------- */

struct directory {
	char path[64];
	char name[512]; /* of the file asked for last */
};

static inline struct directory directory_new(void)
{
	struct directory d = { .path = "/tmp/countersign-config-XXXXXX" };

	assert_non_null(mkdtemp(d.path));
	return d;
}

static inline const char *in_directory(struct directory *d, const char *name)
{
	snprintf(d->name, sizeof(d->name), "%s/%s", d->path, name);
	return d->name;
}

static inline void make_file(
	struct directory *d, const char *name, mode_t mode, const void *data, size_t len)
{
	int fd = open(in_directory(d, name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static inline void make_text(struct directory *d, const char *name, mode_t mode, const char *text)
{
	make_file(d, name, mode, text, strlen(text));
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void directory_free(struct directory *d)
{
	assert_int_equal(nftw(d->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* Every "DIR" becomes the directory, so that expected texts can name it; the caller frees it. */
static inline char *with_directory(const struct directory *d, const char *text)
{
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	assert_non_null(f);
	while (*text) {
		if (!strncmp(text, "DIR", 3)) {
			fputs(d->path, f);
			text += 3;
		} else {
			fputc(*text++, f);
		}
	}
	fclose(f);
	return out;
}

#endif
