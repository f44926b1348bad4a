/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From text to struct config: syntax by libconfig, which nothing else here knows, and each setting
 * by its row. What settings say together is judged afterwards, by validate.c.
 */
#ifndef CONFIG_PARSE_H
#define CONFIG_PARSE_H

#include "config/config.h"
#include "config/faults.h"
#include "config/input.h"

/*
 * Fills *cfg, which is all zero but for places, with what the text says and with defaults. Paths
 * are seen from dir; with NULL no file is opened. 0; -EINVAL with faults added, where members that
 * a fault names have their defaults and required ones may be missing; -EBADMSG with a fault added
 * if the syntax is so wrong that nothing could be read; -ENOMEM.
 */
int parse_input(const struct input *in, const char *dir, struct config *cfg, struct faults *faults);

#endif
