/* SPDX-License-Identifier: BSD-2-Clause */
/* Tape libraries, drives and cartridges of a running server. */
#ifndef CTL_TAPES_H
#define CTL_TAPES_H

#include "ctl/command.h"

extern const struct command_option tapes_create_options[];
extern const struct command_option tapes_retrieve_options[];

enum exit_status tapes_libraries(const struct session *s, char **args, int n);
enum exit_status tapes_library_status(const struct session *s, char **args, int n);
enum exit_status tapes_library_import(const struct session *s, char **args, int n);
enum exit_status tapes_library_export(const struct session *s, char **args, int n);
enum exit_status tapes_library_changer(const struct session *s, char **args, int n);

enum exit_status tapes_drives(const struct session *s, char **args, int n);
enum exit_status tapes_drive_status(const struct session *s, char **args, int n);
enum exit_status tapes_drive_load(const struct session *s, char **args, int n);
enum exit_status tapes_drive_unload(const struct session *s, char **args, int n);
enum exit_status tapes_drive_stats(const struct session *s, char **args, int n);

enum exit_status tapes_list(const struct session *s, char **args, int n);
enum exit_status tapes_show(const struct session *s, char **args, int n);
enum exit_status tapes_create(const struct session *s, char **args, int n);
enum exit_status tapes_delete(const struct session *s, char **args, int n);
enum exit_status tapes_load(const struct session *s, char **args, int n);
enum exit_status tapes_unload(const struct session *s, char **args, int n);
enum exit_status tapes_move(const struct session *s, char **args, int n);
enum exit_status tapes_archive(const struct session *s, char **args, int n);
enum exit_status tapes_retrieve(const struct session *s, char **args, int n);
enum exit_status tapes_cancel(const struct session *s, char **args, int n);
enum exit_status tapes_pool(const struct session *s, char **args, int n);
enum exit_status tapes_protect(const struct session *s, char **args, int n);

#endif
