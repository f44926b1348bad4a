/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a file to a struct config, or to every fault that the file has.
 *
 * This knows nothing of the machine that it runs on: the same file gives the same result everywhere,
 * but for the secret files that it names. config/paths.h looks at the machine.
 */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/config.h"
#include "config/faults.h"

/*
 * Reads and checks the file, its includes and its secret files. 0, and *out is the caller's to
 * config_free; or -EINVAL, and *faults has grown by every fault found, in the order of the lines;
 * or -ENOMEM. On failure *out is untouched. Blocks on file reads; any thread.
 */
int config_load(const char *path, struct config **out, struct faults *faults);

/*
 * The same from a string, called `name` in the faults. Relative paths and includes are relative to
 * dir. With dir NULL no file is opened: @include and the *_file settings are faults.
 */
int config_load_string(const char *name, const char *text, const char *dir, struct config **out,
	struct faults *faults);

/* Wipes the secrets, frees all. NULL is fine. */
void config_free(struct config *cfg);

#endif
