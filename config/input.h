/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration file and all that it includes as one text for libconfig, with the strings
 * taken out: each stands in the text as "NUMBER;" and is looked up afterwards. So libconfig
 * opens no file (its own @include ends the process on a directory), and sees no secret (its
 * scratch memory is freed unwiped). Long numbers get an L, without which it cuts them to 32 bits.
 */
#ifndef CONFIG_INPUT_H
#define CONFIG_INPUT_H

#include "config/blob.h"
#include "config/faults.h"

struct input_span {
	size_t first; /* line of the whole text */
	int line;     /* the same line in the file */
	size_t file;
};

/* Begins as { 0 }. */
struct input {
	struct blob whole;   /* what libconfig is to read */
	struct blob strings; /* their values, each ended by a NUL */
	size_t *starts;      /* of each string in it */
	size_t n_starts;
	char **files; /* the file itself and its includes */
	size_t n_files;
	struct input_span *spans; /* by first line */
	size_t n_spans;
	size_t lines; /* complete lines so far */
};

/*
 * Reads a file. 0, -EINVAL with a fault added, or -ENOMEM; input_free is due in every case.
 * Includes are relative to the file that names them.
 */
int input_load(struct input *in, const char *path, struct faults *faults);

/* The same from memory; includes are relative to dir, and faults when that is NULL. */
int input_load_string(struct input *in, const char *name, const char *string, const char *dir,
	struct faults *faults);

/* File and line of a line (from 1) of the whole text. The file lives as long as in. */
const char *input_where(const struct input *in, size_t whole_line, int *line);

/*
 * The value of a string setting as libconfig gives it: "3;" or, for adjacent strings, "3;4;".
 * Appends to *out, which is terminated in any case; false when out of memory.
 */
bool input_string(const struct input *in, const char *reference, struct blob *out);

/* Wipes and frees. */
void input_free(struct input *in);

/* The directory of a path, "." for a bare name; the caller frees it. NULL: out of memory. */
char *path_directory(const char *path);

/*
 * A path of a file seen from dir, without "." and empty parts; the caller frees it. ".." stays,
 * because what it means is known to the file system alone. NULL: out of memory.
 */
char *path_from(const char *dir, const char *path);

#endif
