/* SPDX-License-Identifier: BSD-2-Clause */
/* What the settings of a file say together: uniqueness, references, one setting against another. */
#ifndef CONFIG_VALIDATE_H
#define CONFIG_VALIDATE_H

#include "config/config.h"
#include "config/faults.h"

/*
 * Checks what parse_input() has filled, also after it found faults, and completes what follows from
 * other settings: socket, user of a credential, unit of a LUN. 0, -EINVAL with faults added, or
 * -ENOMEM.
 */
int validate_config(struct config *cfg, struct faults *faults);

#endif
