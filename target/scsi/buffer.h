/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What READ BUFFER and WRITE BUFFER keep of a unit: buffer.c; the commands are buffer_ops of op.h.
 */
#ifndef SCSI_BUFFER_H
#define SCSI_BUFFER_H

#include "scsi/unit.h"

/* With the last reference of the unit. */
void buffer_free(struct lu *lu);

#endif
