/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LOG SENSE of a media changer: the pages that there are, and TapeAlert.
 */
#include "scsi/smc.h"

#define TAPE_ALERT       0x2e
#define TAPE_ALERT_FLAGS 64

static void log_supported(struct wr *w)
{
	wr_bytes(w, (const uint8_t[]){ 0x00, TAPE_ALERT }, 2);
}

static void log_supported_subpages(struct wr *w)
{
	wr_bytes(w, (const uint8_t[]){ 0x00, 0, 0x00, 0xff, TAPE_ALERT, 0 }, 6);
}

/* TapeAlert (SMC-3 7.2.2): a parameter of one byte for each flag. Nothing in this library wears,
 * sticks or opens: no flag is ever set. */
static void log_tape_alert(struct wr *w)
{
	for (uint8_t flag = 1; flag <= TAPE_ALERT_FLAGS; flag++)
		wr_bytes(w, (const uint8_t[]){ 0, flag, 0x03, 1, 0 }, 5);
}

/* LOG SENSE (SPC-5 6.8). */
static enum scsi_next log_sense(struct scsi_task *t)
{
	uint8_t code = t->cdb[2] & 0x3f, subpage = t->cdb[3];

	if (t->cdb[1] & 0x01) /* SP: nothing can be saved */
		return task_bad_cdb(t, 1, 0);
	if (!code && subpage == 0xff)
		return reply_log_page(t, code, subpage, log_supported_subpages);
	if (subpage)
		return task_bad_cdb(t, 3, -1);
	switch (code) {
	case 0x00: return reply_log_page(t, code, 0, log_supported);
	case TAPE_ALERT: return reply_log_page(t, code, 0, log_tape_alert);
	default: return task_bad_cdb(t, 2, 5);
	}
}

// clang-format off
const struct scsi_op smc_log_ops[] = {
	{ 0x4d, NO_SERVICE, .name = "LOG SENSE", .start = log_sense,
	  .stops = STOPS_UA, .usage = { 0x4d, 0x01, FF2, 0, FF4, 0x04 } },
	{ .name = NULL },
};
// clang-format on
