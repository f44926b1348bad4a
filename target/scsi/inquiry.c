/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * INQUIRY, and the few commands that a LUN answers behind which there is nothing.
 */
#include "scsi/inquiry.h"

#include <string.h>

#include "scsi/nexus.h"
#include "scsi/op.h"
#include "scsi/reply.h"
#include "scsi/vpd.h"

#define NO_DEVICE    0x7f /* PERIPHERAL QUALIFIER 011b, DEVICE TYPE 1Fh: not able to support one */
#define STANDARD_LEN 96
#define VERSION_SPC4 0x06

/* Bytes 0 to 7 of the standard data (SPC-5 6.7.2). */
static void wr_head(struct wr *w, uint8_t device, bool removable, uint8_t can)
{
	wr_u8(w, device);
	wr_u8(w, removable ? 0x80 : 0);
	wr_u8(w, VERSION_SPC4);
	wr_u8(w, 0x10 | 0x02); /* HISUP, response data format 2 */
	wr_u8(w, STANDARD_LEN - 5);
	wr_u8(w, can);
	wr_u8(w, 0x10);              /* MULTIP */
	wr_u8(w, 0x02);              /* CMDQUE */
}

static void wr_standard(struct wr *w, const struct lu *lu)
{
	uint8_t vendor[20] = { 0 };

	/* TPGS: implicit access states. 3PC, PROTECT */
	wr_head(w, lu->model->device_type, lu->has & LU_REMOVABLE,
		(uint8_t)(0x10 | (lu->ops[0x83]->name ? 0x08 : 0) | lu->model->protects));
	wr_bytes(w, lu->vendor, 8);
	wr_bytes(w, lu->product, 16);
	wr_bytes(w, lu->revision, 4);
	if (lu->model->inquiry)
		lu->model->inquiry(lu, vendor);
	wr_bytes(w, vendor, sizeof(vendor));
	wr_zero(w, 58 - 56);
	for (unsigned i = 0; i < 8; i++)
		wr_be16(w, lu->model->versions[i]);
	wr_zero(w, STANDARD_LEN - 74);
}

/* INQUIRY (SPC-5 6.7). */
enum scsi_next inquiry_start(struct scsi_task *t)
{
	uint16_t alloc = be16(t->cdb + 3);
	struct wr w;

	if (t->cdb[1] & 0x02) /* CMDDT, obsolete */
		return task_bad_cdb(t, 1, 1);
	if (!(t->cdb[1] & 0x01) && t->cdb[2])
		return task_bad_cdb(t, 2, -1);
	if (!reply_open(t, &w, VPD_MAX))
		return SCSI_DONE;
	if (!(t->cdb[1] & 0x01))
		wr_standard(&w, t->itl->lu);
	else if (!vpd_write(&w, t->itl, t->cdb[2]))
		return task_bad_cdb(t, 2, -1);
	return reply_close(t, &w, alloc);
}

/* --- no unit (SPC-5 5.11.2) ---------------------------------------------------------- */

static enum scsi_next missing_inquiry(struct scsi_task *t)
{
	struct wr w;

	if (t->cdb[1] & 0x03) /* there are no pages */
		return task_bad_cdb(t, 1, 0);
	if (t->cdb[2])
		return task_bad_cdb(t, 2, -1);
	if (!reply_open(t, &w, STANDARD_LEN))
		return SCSI_DONE;
	wr_head(&w, NO_DEVICE, false, 0);
	wr_zero(&w, STANDARD_LEN - 8);
	memset(w.buf + 8, ' ', 28);
	return reply_close(t, &w, be16(t->cdb + 3));
}

/* REQUEST SENSE says that there is no unit, in its data, and ends with GOOD. */
static enum scsi_next missing_sense(struct scsi_task *t)
{
	struct sense s = { .key = SENSE_ILLEGAL_REQUEST, .asc = ASC_LU_NOT_SUPPORTED };
	uint8_t buf[SENSE_MAX];

	return reply_bytes(t, buf, sense_encode(&s, t->cdb[1] & 1, buf), t->cdb[4]);
}

enum scsi_next missing_start(struct scsi_task *t)
{
	switch (t->cdb[0]) {
	case 0x03: return missing_sense(t);
	case 0x12: return missing_inquiry(t);
	case 0xa0: return report_luns(t);
	default: return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_LU_NOT_SUPPORTED);
	}
}
