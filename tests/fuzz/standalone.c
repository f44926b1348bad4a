/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A main() for fuzz targets without libFuzzer: runs every file named on the command line, and
 * every file in every directory named there, through the target once. With it a corpus is
 * replayed under any compiler and sanitizer, and one crashing input can be looked at in gdb.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What a *_fuzz.c file defines: may do anything with DATA but keep it, and returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Optional in a *_fuzz.c file: called once before the first input. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

static int fail(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return -1;
}

/* Runs one file; 0, or -1 with a message when it cannot be read. */
static int run_file(const char *path, size_t size)
{
	int err = -1;
	/* Exactly as large as the input, so that the sanitizer sees one byte too many. */
	uint8_t *data = malloc(size ? size : 1);
	FILE *f = fopen(path, "rb");
	if (!data || !f || fread(data, 1, size, f) != size) {
		fail(path);
		goto out;
	}
	LLVMFuzzerTestOneInput(data, size);
	err = 0;
out:
	if (f)
		fclose(f);
	free(data);
	return err;
}

/* Runs PATH, or the files in it; adds them to COUNT; 0, or -1 when something cannot be read. */
static int run_path(const char *path, size_t *count)
{
	struct stat st;
	if (stat(path, &st))
		return fail(path);
	if (S_ISREG(st.st_mode)) {
		++*count;
		return run_file(path, (size_t)st.st_size);
	}
	DIR *dir = opendir(path);
	if (!dir)
		return fail(path);
	int err = 0;
	for (struct dirent *e; !err && (e = readdir(dir));) {
		char *sub;
		if (e->d_name[0] == '.')
			continue;
		if (asprintf(&sub, "%s/%s", path, e->d_name) < 0) {
			err = -1;
			break;
		}
		err = run_path(sub, count);
		free(sub);
	}
	closedir(dir);
	return err;
}

int main(int argc, char **argv)
{
	size_t count = 0;
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		if (run_path(argv[i], &count))
			return 1;
	}
	printf("%zu inputs replayed\n", count);
	return count ? 0 : 1;
}
