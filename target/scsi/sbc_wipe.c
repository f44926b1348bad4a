/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SANITIZE and FORMAT UNIT: what their CDBs and lists ask for.
 */
#include "scsi/op.h"
#include "scsi/sbc.h"
#include "scsi/wipe.h"

/* --- SANITIZE (SBC-4 5.32) -------------------------------------------------------------- */

enum { OVERWRITE = 0x01, BLOCK_ERASE = 0x02, CRYPTO_ERASE = 0x03, EXIT_FAILURE_MODE = 0x1f };
enum { IMMED = 0x80, AUSE = 0x20 };

static uint16_t list_len(const struct scsi_task *t)
{
	return be16(t->cdb + 7);
}

/* OVERWRITE's list: INVERT and OVERWRITE COUNT, the length of the pattern, the pattern. The pattern
 * is repeated up to the end of each block. */
static enum scsi_next overwrite_data(struct scsi_task *t)
{
	uint32_t bs = t->itl->lu->block_size;
	struct rd r = list_cursor(t);
	uint8_t flags = rd_u8(&r), block[4096];
	struct wipe_plan plan = { .kind = WIPE_OVERWRITE,
		.immediate = t->cdb[1] & IMMED,
		.may_exit = t->cdb[1] & AUSE,
		.passes = flags & 0x1f,
		.invert = flags & 0x80,
		.pattern = block };
	uint16_t len;

	rd_u8(&r);
	len = rd_be16(&r);
	if (!rd_ok(&r) || t->got < t->out.len)
		return task_list_too_short(t);
	if (!plan.passes)
		return task_bad_list(t, 0, 4);
	if (!len || len > bs || len != r.left)
		return task_bad_list(t, 2, -1);
	for (uint32_t i = 0; i < bs; i++)
		block[i] = r.p[i % len];
	return wipe_begin(t, &plan);
}

static enum scsi_next overwrite(struct scsi_task *t)
{
	if (list_len(t) < 5 || list_len(t) > t->itl->lu->block_size + 4)
		return task_bad_cdb(t, 7, -1);
	return list_wanted(t, list_len(t));
}

/* CRYPTO ERASE too: a unit without keys reaches the same, data that nobody reads any more, by
 * letting go of every block. */
static enum scsi_next erase(struct scsi_task *t)
{
	struct wipe_plan plan = { .kind = WIPE_ERASE,
		.immediate = t->cdb[1] & IMMED,
		.may_exit = t->cdb[1] & AUSE,
		.passes = 1 };

	return list_len(t) ? task_bad_cdb(t, 7, -1) : wipe_begin(t, &plan);
}

/* Out of the state that a SANITIZE left which failed, if that allowed it. */
static enum scsi_next exit_failure_mode(struct scsi_task *t)
{
	return list_len(t) ? task_bad_cdb(t, 7, -1) : wipe_leave(t);
}

/* --- FORMAT UNIT (SBC-4 5.6) ------------------------------------------------------------ */

enum { FMTDATA = 0x10, CMPLST = 0x08, LONGLIST = 0x20 };
enum { FMT_IMMED = 0x02, FMT_IP = 0x08 };

static enum scsi_next format(struct scsi_task *t, bool immediate)
{
	struct wipe_plan plan = { .kind = WIPE_FORMAT, .immediate = immediate, .passes = 1 };

	return wipe_begin(t, &plan);
}

/* The header alone: no protection information, no initialization pattern, no defects. */
static enum scsi_next format_data(struct scsi_task *t)
{
	struct rd r = list_cursor(t);
	bool is_long = t->cdb[1] & LONGLIST;
	uint8_t protection = rd_u8(&r), flags = rd_u8(&r);
	uint32_t defects;

	if (is_long)
		rd_be16(&r);
	defects = is_long ? rd_be32(&r) : rd_be16(&r);
	if (!rd_ok(&r))
		return task_list_too_short(t);
	if (protection & 0x07)
		return task_bad_list(t, 0, 2);
	if (flags & FMT_IP)
		return task_bad_list(t, 1, 3);
	if (defects)
		return task_bad_list(t, is_long ? 4 : 2, -1);
	return format(t, flags & FMT_IMMED);
}

static enum scsi_next format_unit(struct scsi_task *t)
{
	if (t->cdb[1] & 0xc0) /* FMTPINFO */
		return task_bad_cdb(t, 1, 7);
	if (!(t->cdb[1] & FMTDATA))
		return t->cdb[1] & (LONGLIST | CMPLST | 0x07) ? task_bad_cdb(t, 1, 5)
							      : format(t, false);
	return list_wanted(t, t->cdb[1] & LONGLIST ? 8 : 4);
}

// clang-format off
#define WIPES (STOPS_CHANGE | GATE_STANDBY | GATE_NO_MEDIUM | GATE_PROTECTED)
#define SANITIZE(sa, n, f, ...) \
	{ 0x48, sa, .strict = true, .name = "SANITIZE, " n, .start = f, .cancel = wipe_cancel, \
	  .stops = WIPES, .usage = { 0x48, 0xa0 | sa, [7] = FF2, 0x04 }, __VA_ARGS__ }

const struct scsi_op sbc_wipe_ops[] = {
	{ 0x04, NO_SERVICE, .name = "FORMAT UNIT", .start = format_unit, .data = format_data,
	  .cancel = wipe_cancel, .stops = WIPES | GATE_WIPE_FAILED, .usage = { 0x04, 0x38, 0, 0, 0, 0x04 } },
	SANITIZE(OVERWRITE, "OVERWRITE", overwrite, .data = overwrite_data),
	SANITIZE(BLOCK_ERASE, "BLOCK ERASE", erase, .needs = LU_THIN),
	SANITIZE(CRYPTO_ERASE, "CRYPTOGRAPHIC ERASE", erase, .needs = LU_THIN),
	SANITIZE(EXIT_FAILURE_MODE, "EXIT FAILURE MODE", exit_failure_mode),
	{ .name = NULL },
};
// clang-format on
