/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration held against the machine that it is for. */
#ifndef CONFIG_PATHS_H
#define CONFIG_PATHS_H

#include "config/config.h"
#include "config/faults.h"

/*
 * What cannot be right on this machine: a file that is missing (without create) or smaller than
 * its size, no permission, a path in a directory that is not there, a certificate that cannot be
 * read. Opens nothing for writing and makes nothing. 0, -EINVAL with faults added, -ENOMEM.
 * As a service that starts as root and becomes another user: call it as that user.
 */
int config_check_paths(const struct config *cfg, struct faults *faults);

#endif
