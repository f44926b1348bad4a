/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the unit knows: REPORT SUPPORTED OPERATION CODES and TASK MANAGEMENT FUNCTIONS, read from
 * the rows that commands are dispatched by.
 */
#include "scsi/op.h"
#include "scsi/reply.h"

/* REPORTING OPTIONS (SPC-5 table 316). */
enum { ALL_COMMANDS, BY_CODE, BY_SERVICE, BY_EITHER };

/* SUPPORT (SPC-5 table 320). */
enum { NOT_SUPPORTED = 1, AS_STANDARD = 3 };

#define RCTD         0x80
#define TIMEOUTS_LEN 12

static bool has(const struct lu *lu, const struct scsi_op *op)
{
	return op->name && !(op->needs & ~lu->has);
}

/* What is recommended; 0: nothing. */
static uint32_t recommended(const struct lu *lu, uint8_t code)
{
	const struct op_timeout *t = lu->model->timeouts;

	if (!t)
		return 0;
	while (t->code && t->code != code)
		t++;
	return t->seconds;
}

/* Command timeouts descriptor (SPC-5 6.35.4): no time is promised, which would be the nominal one. */
static void wr_timeouts(struct wr *w, const struct lu *lu, uint8_t code)
{
	wr_be16(w, TIMEOUTS_LEN - 2);
	wr_zero(w, 6);
	wr_be32(w, recommended(lu, code));
}

static void wr_command(struct wr *w, const struct lu *lu, const struct scsi_op *op, bool timeouts)
{
	bool service = op->service != NO_SERVICE;

	wr_u8(w, op->code);
	wr_u8(w, 0);
	wr_be16(w, service ? (uint16_t)op->service : 0);
	wr_u8(w, 0);
	wr_u8(w, (uint8_t)(timeouts << 1 | service)); /* CTDP, SERVACTV */
	wr_be16(w, (uint16_t)op_cdb_len(op->code));
	if (timeouts)
		wr_timeouts(w, lu, op->code);
}

/* The all_commands format: a row may be reached by its operation code, or stands behind one that
 * is and tells service actions apart. */
static enum scsi_next report_all(struct scsi_task *t, bool timeouts, uint32_t alloc)
{
	const struct lu *lu = t->itl->lu;
	struct wr w;

	if (!reply_open(t, &w, 16384))
		return SCSI_DONE;
	wr_be32(&w, 0);
	for (unsigned code = 0; code < 256; code++) {
		for (const struct scsi_op *op = lu->ops[code]; op->name && op->code == code; op++)
			if (has(lu, op))
				wr_command(&w, lu, op, timeouts);
	}
	put_be32(w.buf, (uint32_t)(w.len - 4));
	return reply_close(t, &w, alloc);
}

/* The one_command format; op is NULL for what the unit does not know. */
static enum scsi_next report_one(
	struct scsi_task *t, const struct scsi_op *op, bool timeouts, uint32_t alloc)
{
	struct wr w;

	if (!reply_open(t, &w, 4 + SCSI_CDB_MAX + TIMEOUTS_LEN))
		return SCSI_DONE;
	timeouts = timeouts && op;
	wr_u8(&w, 0);
	wr_u8(&w, (uint8_t)(timeouts << 7 | (op ? AS_STANDARD : NOT_SUPPORTED)));
	wr_be16(&w, (uint16_t)(op ? op_cdb_len(op->code) : 0));
	if (op)
		wr_bytes(&w, op->usage, op_cdb_len(op->code));
	if (timeouts)
		wr_timeouts(&w, t->itl->lu, op->code);
	return reply_close(t, &w, alloc);
}

static const struct scsi_op *known(const struct scsi_op *op)
{
	return op->name ? op : NULL;
}

/* REPORT SUPPORTED OPERATION CODES (SPC-5 6.35). A service action must be named where the command
 * has them, and only there, unless either is asked for. */
static enum scsi_next report_opcodes(struct scsi_task *t)
{
	const struct lu *lu = t->itl->lu;
	bool timeouts = t->cdb[2] & RCTD;
	unsigned option = t->cdb[2] & 0x07;
	uint16_t service = be16(t->cdb + 4);
	uint32_t alloc = be32(t->cdb + 6);
	const struct scsi_op *op = lu->ops[t->cdb[3]];
	bool services = op->service != NO_SERVICE;

	if (option == ALL_COMMANDS)
		return report_all(t, timeouts, alloc);
	if (option > BY_EITHER || (op->name && option == (services ? BY_CODE : BY_SERVICE)))
		return task_bad_cdb(t, 2, 2);
	if (services)
		return report_one(t, known(op_service(lu, op, service)), timeouts, alloc);
	if (option == BY_EITHER && service)
		return report_one(t, NULL, timeouts, alloc);
	return report_one(t, known(op), timeouts, alloc);
}

/* REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-5 6.36): ABORT TASK, ABORT TASK SET, CLEAR TASK
 * SET, LOGICAL UNIT RESET; TARGET RESET is not SAM-5's any more, and iSCSI has it. */
static enum scsi_next report_functions(struct scsi_task *t)
{
	static const uint8_t data[16] = { 0xda, 0, 0, 0x0c };

	return reply_bytes(t, data, t->cdb[2] & 0x80 ? 16 : 4, be32(t->cdb + 6));
}

// clang-format off
const struct scsi_op opcodes_ops[] = {
	{ 0xa3, 0x0a, .name = "REPORT TARGET PORT GROUPS", .start = ports_report, .stops = STOPS_UA,
	  .usage = { 0xa3, 0xea, 0, 0, 0, 0, FF4, 0, 0x04 } },
	{ 0xa3, 0x0c, .name = "REPORT SUPPORTED OPERATION CODES", .start = report_opcodes,
	  .stops = STOPS_LOOK & ~GATE_UNAVAILABLE,
	  .usage = { 0xa3, 0x0c, 0x87, FF4, FF2, 0xff, 0, 0x04 } },
	{ 0xa3, 0x0d, .name = "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS",
	  .start = report_functions, .stops = STOPS_LOOK,
	  .usage = { 0xa3, 0x0d, 0x80, 0, 0, 0, FF4, 0, 0x04 } },
	{ .name = NULL },
};
// clang-format on
