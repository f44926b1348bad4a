/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cartridges, looked at as directories, by whoever may read them and without a server: one that lies
 * in a drive is in use and is left alone.
 */
#ifndef CTL_CARTRIDGES_H
#define CTL_CARTRIDGES_H

#include "ctl/command.h"

extern const struct command_option cartridges_export_options[];
extern const struct command_option cartridges_import_options[];

enum exit_status cartridges_verify(const struct session *s, char **args, int n);
enum exit_status cartridges_dump(const struct session *s, char **args, int n);
enum exit_status cartridges_export(const struct session *s, char **args, int n);
enum exit_status cartridges_import(const struct session *s, char **args, int n);

#endif
