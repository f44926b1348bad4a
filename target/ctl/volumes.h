/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands about volumes. */
#ifndef CTL_VOLUMES_H
#define CTL_VOLUMES_H

#include "ctl/command.h"

extern const struct command_option volume_create_options[], volume_attach_options[],
	volume_force_options[];

enum exit_status volume_list(const struct session *s, char **args, int n);
enum exit_status volume_create(const struct session *s, char **args, int n);
enum exit_status volume_resize(const struct session *s, char **args, int n);
enum exit_status volume_attach(const struct session *s, char **args, int n);
enum exit_status volume_detach(const struct session *s, char **args, int n);
enum exit_status volume_delete(const struct session *s, char **args, int n);

#endif
