/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of a task: found by LUN and operation code, kept out by the gate or let in, and its
 * end. What commands do on the way stands with them; what they share is in reply.c.
 */
#include "scsi/task.h"

#include <stdlib.h>
#include <string.h>

#include "scsi/guard.h"
#include "scsi/op.h"
#include "scsi/order.h"
#include "scsi/reply.h"
#include "scsi/unit.h"

#define CONTROL_NACA 0x04

/* Where the CONTROL byte of a CDB is, by the group of its operation code (SPC-5 4.2.5.1). */
static const uint8_t control_at[8] = { 5, 9, 9, 1, 15, 11, 5, 5 };

static inline bool asks_for_aca(const struct scsi_task *t)
{
	return t->cdb[control_at[t->cdb[0] >> 5]] & CONTROL_NACA;
}

/* NOT READY, with how far it is (SPC-5 4.4.2.4.4). */
static enum scsi_next task_in_progress(struct scsi_task *t, uint16_t asc)
{
	task_check(t, SENSE_NOT_READY, asc);
	sense_progress(
		&t->sense, atomic_load_explicit(&t->itl->lu->progress, memory_order_relaxed));
	return SCSI_DONE;
}

/* A unit attention comes before everything else, a reservation before what the unit itself has
 * to say (SAM-5 5.3.3, 5.14.1). */
static enum scsi_next refuse_at_gate(struct scsi_task *t, uint64_t stops)
{
	uint16_t asc = stops & GATE_UA ? itl_take_attention(t->itl) : 0;

	if (asc)
		return task_check(t, SENSE_UNIT_ATTENTION, asc);
	if (stops & GATE_UNAVAILABLE)
		return task_check(t, SENSE_NOT_READY, ASC_PORT_UNAVAILABLE);
	if (stops & (GATE_RESERVED | GATE_NO_READ | GATE_NO_WRITE))
		return task_status(t, SCSI_RESERVATION_CONFLICT);
	if (stops & GATE_STANDBY)
		return task_check(t, SENSE_NOT_READY, ASC_PORT_STANDBY);
	if (stops & GATE_WIPES)
		return task_in_progress(
			t, stops & GATE_FORMAT ? ASC_FORMAT_IN_PROGRESS : ASC_SANITIZE_IN_PROGRESS);
	if (stops & GATE_WIPE_FAILED)
		return task_check(t, SENSE_MEDIUM_ERROR, ASC_SANITIZE_FAILED);
	if (stops & GATE_CORRUPT)
		return task_check(t, SENSE_MEDIUM_ERROR, ASC_MEDIUM_FORMAT_CORRUPTED);
	if (stops & GATE_NO_MEDIUM) {
		struct sense s = lu_absence(t->itl->lu);

		return task_check(t, s.key, s.asc);
	}
	return task_check(t, SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED);
}

bool task_stopped(struct scsi_task *t, uint64_t stops)
{
	stops &= atomic_load_explicit(&t->itl->gate, memory_order_acquire) & GATE_CONDITIONS;
	if (!stops)
		return false;
	refuse_at_gate(t, stops);
	return true;
}

/* True when a bit is set that no field of the command has. */
static bool reserved_bit_set(struct scsi_task *t)
{
	for (unsigned i = 1; i < op_cdb_len(t->cdb[0]); i++) {
		unsigned used =
			t->op->usage[i] | (i == 1 && t->op->service != NO_SERVICE ? 0x1f : 0);
		unsigned odd = t->cdb[i] & ~used & 0xff;

		if (odd) {
			task_bad_cdb(t, i, 31 - __builtin_clz(odd));
			return true;
		}
	}
	return false;
}

/* Commands that do not pass at once. */
static enum scsi_next start_slowly(struct scsi_task *t, uint64_t stops)
{
	if (stops)
		return refuse_at_gate(t, stops);
	/* ACA is not supported (SAM-5 5.9.1): NORMACA is 0 in the INQUIRY data. */
	if (asks_for_aca(t))
		return task_bad_cdb(t, control_at[t->cdb[0] >> 5], 2);
	if (t->op->strict && reserved_bit_set(t))
		return SCSI_DONE;
	return order_concerns(t) ? order_begin(t) : order_start(t);
}

enum scsi_next scsi_task_start(struct scsi_task *t)
{
	struct itl *itl = nexus_itl(t->nexus, t->lun);
	const struct scsi_op *op;
	uint64_t stops;

	t->status = SCSI_GOOD;
	t->in_live = false;
	t->out_unit = 0;
	t->in.len = t->out.len = 0;
	t->in.cnt = t->out.cnt = 0;
	t->aborted = t->busy = false;
	t->guard = GUARD_NONE;
	t->counted = t->queued = false;
	t->itl = itl;
	t->op = NULL;
	t->buf = NULL;
	t->more = NULL;
	if (!itl)
		return missing_start(t);
	op = itl->lu->ops[t->cdb[0]];
	if (op->service != NO_SERVICE)
		op = op_service(itl->lu, op, op_service_of(t->cdb));
	t->op = op;
	stops = atomic_load_explicit(&itl->gate, memory_order_acquire) & op->stops;
	if (__builtin_expect(stops || op->strict || asks_for_aca(t) || order_concerns(t), 0))
		return start_slowly(t, stops);
	return order_start(t);
}

enum scsi_next scsi_task_data(struct scsi_task *t, uint32_t got)
{
	enum scsi_next next;

	t->got = got;
	if (__builtin_expect(t->queued, 0))
		return order_data(t);
	next = task_stopped(t, t->op->stops & GATE_AGAIN) ? SCSI_DONE : t->op->data(t);
	if (next == SCSI_DONE)
		task_over(t);
	return next;
}

bool scsi_task_abort(struct scsi_task *t)
{
	t->aborted = true;
	if (t->itl)
		t->itl->aborts++;
	if (t->busy && t->queued) {
		order_leave(t);
		t->busy = false;
	}
	if (t->busy && (t->op->cancel ? t->op->cancel(t) : guard_cancel(t)))
		t->busy = false;
	return !t->busy;
}

bool scsi_task_is_secret(const struct scsi_task *t)
{
	return t->op && t->op->secret;
}

void scsi_task_release(struct scsi_task *t)
{
	task_over(t);
	if (t->buf && scsi_task_is_secret(t))
		explicit_bzero(t->buf, t->buf_len);
	if (t->buf)
		nexus_buffer_put(t->nexus, t->buf, t->buf_len);
	t->buf = NULL;
	free(t->more);
	t->more = NULL;
}

size_t scsi_task_sense(const struct scsi_task *t, uint8_t *buf)
{
	bool descriptor =
		t->itl && atomic_load_explicit(&t->itl->lu->descriptor_sense, memory_order_relaxed);

	return sense_encode(&t->sense, descriptor, buf);
}
