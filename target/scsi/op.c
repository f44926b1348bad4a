/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From operation codes to rows.
 */
#include "scsi/op.h"

#include "scsi/reply.h"

static enum scsi_next unknown_start(struct scsi_task *t)
{
	return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPERATION_CODE);
}

static enum scsi_next unknown_service_start(struct scsi_task *t)
{
	return t->cdb[0] == VARIABLE_CDB ? task_bad_cdb(t, 8, -1) : task_bad_cdb(t, 1, 4);
}

static const struct scsi_op unknown = {
	.service = NO_SERVICE,
	.start = unknown_start,
	.stops = STOPS_UA,
};
static const struct scsi_op unknown_service = {
	.service = NO_SERVICE,
	.start = unknown_service_start,
	.stops = STOPS_UA,
};

unsigned op_cdb_len(uint8_t code)
{
	static const uint8_t len[8] = { 6, 10, 10, 32, 16, 12, 6, 6 };

	return code == OP_INITIALIZE_RANGE ? 10 : len[code >> 5];
}

void op_table(const struct lu_model *model, uint32_t has, const struct scsi_op *table[256])
{
	for (unsigned i = 0; i < 256; i++)
		table[i] = &unknown;
	for (const struct scsi_op *const *list = model->ops; *list; list++)
		for (const struct scsi_op *op = *list; op->name; op++)
			if (table[op->code] == &unknown && !(op->needs & ~has))
				table[op->code] = op;
}

const struct scsi_op *op_service(const struct lu *lu, const struct scsi_op *op, uint16_t service)
{
	uint8_t code = op->code;
	int wanted = service;

	for (; op->name && op->code == code; op++)
		if (op->service == wanted && !(op->needs & ~lu->has))
			return op;
	return &unknown_service;
}
