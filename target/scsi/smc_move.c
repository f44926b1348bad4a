/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MOVE MEDIUM and EXCHANGE MEDIUM: asked of the library, which answers when the cartridge is where
 * it belongs and a drive that took it has loaded it.
 */
#include <stdlib.h>

#include "scsi/smc.h"

struct move {
	struct library_request request;
	struct scsi_task *task;
};

/* What a library's answer means to an initiator (SMC-3 6.6, SPC-5 annex F). */
static enum scsi_next answer(struct scsi_task *t, enum library_result result)
{
	switch (result) {
	case LIBRARY_OK: return task_good(t);
	case LIBRARY_NO_ELEMENT:
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INVALID_ELEMENT_ADDRESS);
	case LIBRARY_EMPTY: return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_MEDIUM_SOURCE_EMPTY);
	case LIBRARY_FULL: return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_MEDIUM_DESTINATION_FULL);
	case LIBRARY_KEPT: return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_MAGAZINE_NOT_ACCESSIBLE);
	case LIBRARY_PREVENTED:
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_MEDIUM_REMOVAL_PREVENTED);
	case LIBRARY_CLOSING: return task_check(t, SENSE_NOT_READY, ASC_BECOMING_READY);
	case LIBRARY_DRIVE_FAILED:
		return task_check(t, SENSE_HARDWARE_ERROR, ASC_LOAD_OR_EJECT_FAILED);
	case LIBRARY_NO_MEMORY: return task_status(t, SCSI_BUSY);
	default: return task_check(t, SENSE_HARDWARE_ERROR, ASC_INTERNAL_TARGET_FAILURE);
	}
}

static enum scsi_next moved(struct scsi_task *t, int err)
{
	const struct move *m = t->more;

	(void)err;
	return answer(t, m->request.result);
}

static void done(struct library_request *r)
{
	task_go_on(container_of(r, struct move, request)->task, 0);
}

/* A robot that has begun goes on, also when nobody waits for it any more. */
enum scsi_next smc_ask(struct scsi_task *t, struct library_request request)
{
	struct move *m = calloc(1, sizeof(*m));

	if (!m)
		return task_status(t, SCSI_BUSY);
	m->request = request;
	m->request.host = true;
	m->request.done = done;
	m->request.home = t->nexus->loop;
	m->task = t;
	t->more = m;
	t->then = moved;
	t->busy = true;
	library_submit(changer_of(t)->library, &m->request);
	return SCSI_PENDING;
}

static enum scsi_next invalid_element(struct scsi_task *t)
{
	return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INVALID_ELEMENT_ADDRESS);
}

/* MOVE MEDIUM (SMC-3 6.6). Media are not turned over. */
static enum scsi_next move_medium(struct scsi_task *t)
{
	if (t->cdb[10] & 0x01)
		return task_bad_cdb(t, 10, 0);
	if (!smc_transport_valid(changer_of(t), be16(t->cdb + 2)))
		return invalid_element(t);
	return smc_ask(
		t, (struct library_request){
			   .op = LIBRARY_MOVE, .from = be16(t->cdb + 4), .to = be16(t->cdb + 6) });
}

/* EXCHANGE MEDIUM (SMC-3 6.3). */
static enum scsi_next exchange_medium(struct scsi_task *t)
{
	if (t->cdb[10] & 0x03)
		return task_bad_cdb(t, 10, t->cdb[10] & 0x02 ? 1 : 0);
	if (!smc_transport_valid(changer_of(t), be16(t->cdb + 2)))
		return invalid_element(t);
	return smc_ask(t, (struct library_request){ .op = LIBRARY_EXCHANGE,
				  .from = be16(t->cdb + 4),
				  .to = be16(t->cdb + 6),
				  .then = be16(t->cdb + 8) });
}

// clang-format off
const struct scsi_op smc_move_ops[] = {
	{ 0xa5, NO_SERVICE, .name = "MOVE MEDIUM", .start = move_medium,
	  .stops = STOPS_CHANGE | STOPS_READY,
	  .usage = { 0xa5, 0, FF2, FF2, FF2, 0, 0, 0x01, 0x04 } },
	{ 0xa6, NO_SERVICE, .name = "EXCHANGE MEDIUM", .start = exchange_medium,
	  .stops = STOPS_CHANGE | STOPS_READY,
	  .usage = { 0xa6, 0, FF2, FF2, FF2, FF2, 0x03, 0x04 } },
	{ .name = NULL },
};
// clang-format on
