/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * INQUIRY, for the table of primary commands, and what it shares.
 */
#ifndef SCSI_INQUIRY_H
#define SCSI_INQUIRY_H

#include "scsi/task.h"

enum scsi_next inquiry_start(struct scsi_task *t);

/* REPORT LUNS (SPC-5 6.33), which needs no unit. */
enum scsi_next report_luns(struct scsi_task *t);

#endif
