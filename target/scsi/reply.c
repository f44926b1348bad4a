/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all commands share: statuses and sense, replies, parameter lists, and I/O in steps.
 */
#include "scsi/reply.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/list.h"
#include "scsi/guard.h"
#include "scsi/op.h"
#include "scsi/order.h"
#include "scsi/unit.h"

enum scsi_next task_good(struct scsi_task *t)
{
	return task_status(t, SCSI_GOOD);
}

enum scsi_next task_status(struct scsi_task *t, enum scsi_status status)
{
	t->status = (uint8_t)status;
	return SCSI_DONE;
}

enum scsi_next task_check(struct scsi_task *t, enum sense_key key, uint16_t asc)
{
	t->sense = (struct sense){ .key = (uint8_t)key, .asc = asc };
	t->in.len = 0;
	t->in.cnt = 0;
	return task_status(t, SCSI_CHECK_CONDITION);
}

/* The FIELD POINTER of the sense-key specific data: SKSV, C/D, BPV (SPC-5 4.4.2.4.2). */
static enum scsi_next bad_field(
	struct scsi_task *t, uint16_t asc, uint8_t cd, unsigned byte, int bit)
{
	task_check(t, SENSE_ILLEGAL_REQUEST, asc);
	t->sense.sks[0] = (uint8_t)(0x80 | cd | (bit < 0 ? 0 : 0x08 | bit));
	put_be16(t->sense.sks + 1, (uint16_t)byte);
	return SCSI_DONE;
}

enum scsi_next task_bad_cdb(struct scsi_task *t, unsigned byte, int bit)
{
	return bad_field(t, ASC_INVALID_FIELD_IN_CDB, 0x40, byte, bit);
}

enum scsi_next task_bad_list(struct scsi_task *t, unsigned byte, int bit)
{
	return bad_field(t, ASC_INVALID_FIELD_IN_PARAMETER_LIST, 0, byte, bit);
}

enum scsi_next task_list_too_short(struct scsi_task *t)
{
	return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH_ERROR);
}

enum scsi_next task_lba_out_of_range(struct scsi_task *t)
{
	return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
}

enum scsi_next task_miscompare(struct scsi_task *t, uint64_t offset)
{
	task_check(t, SENSE_MISCOMPARE, ASC_MISCOMPARE_DURING_VERIFY);
	t->sense.info_valid = true;
	t->sense.info = offset;
	return SCSI_DONE;
}

enum scsi_next task_store_error(struct scsi_task *t, int err)
{
	bool reading = t->io.op == STORE_READ;

	switch (err) {
	case -ENOMEM:
	case -EAGAIN: return task_status(t, SCSI_BUSY);
	case -ENOSPC:
	case -EFBIG:
	case -EDQUOT: /* SPACE ALLOCATION FAILED WRITE PROTECT (SBC-4 4.7.3.6) */
		return task_check(t, SENSE_DATA_PROTECT, ASC_SPACE_ALLOCATION_FAILED);
	case -EROFS:
	case -EPERM: return task_check(t, SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED);
	case -EINVAL: /* the unit shrank meanwhile */ return task_lba_out_of_range(t);
	case -EIO:
	case -EILSEQ:
	case -ENODATA:
		return task_check(t, SENSE_MEDIUM_ERROR,
			reading ? ASC_UNRECOVERED_READ_ERROR : ASC_WRITE_ERROR);
	default: return task_check(t, SENSE_HARDWARE_ERROR, ASC_INTERNAL_TARGET_FAILURE);
	}
}

void *task_buf(struct scsi_task *t, size_t len)
{
	enum scsi_status full;

	assert(!t->buf && len <= BUFS_MAX);
	t->buf = nexus_buffer(t->nexus, len, &full);
	t->buf_len = (uint32_t)len;
	if (!t->buf)
		task_status(t, full);
	return t->buf;
}

bool reply_open(struct scsi_task *t, struct wr *w, size_t max)
{
	if (!task_buf(t, max))
		return false;
	memset(t->buf, 0, max);
	*w = wr_of(t->buf, max);
	return true;
}

enum scsi_next reply_close(struct scsi_task *t, const struct wr *w, uint32_t alloc)
{
	size_t len = w->len < alloc ? w->len : alloc;

	assert(wr_fits(w));
	t->iov[0] = (struct iovec){ t->buf, len };
	t->in = (struct sg){ t->iov, len ? 1 : 0, (uint32_t)len };
	return task_good(t);
}

enum scsi_next reply_bytes(struct scsi_task *t, const void *data, size_t len, uint32_t alloc)
{
	struct wr w;

	if (!reply_open(t, &w, len))
		return SCSI_DONE;
	wr_bytes(&w, data, len);
	return reply_close(t, &w, alloc);
}

enum scsi_next list_wanted(struct scsi_task *t, uint32_t len)
{
	if (!task_buf(t, len))
		return SCSI_DONE;
	t->iov[0] = (struct iovec){ t->buf, len };
	t->out = (struct sg){ t->iov, 1, len };
	return SCSI_WANT_DATA;
}

void task_over(struct scsi_task *t)
{
	if (t->guard)
		guard_drop(t);
	if (t->counted || t->queued)
		order_leave(t);
}

/* What was in flight has ended; an aborted task goes no further. */
void task_go_on(struct scsi_task *t, int err)
{
	t->busy = false;
	if (!t->aborted && t->then(t, err) != SCSI_DONE)
		return;
	task_over(t);
	t->done(t);
}

static void io_done(struct store_io *io, int err)
{
	task_go_on(container_of(io, struct scsi_task, io), err);
}

int task_submit(struct scsi_task *t, task_then *then)
{
	int err;

	t->then = then;
	t->io.loop = t->nexus->loop;
	t->io.done = io_done;
	err = store_submit(t->itl->lu->store, &t->io);
	t->busy = err == STORE_PENDING;
	return err;
}

int task_transfer(
	struct scsi_task *t, enum store_op op, uint64_t off, uint32_t len, task_then *then)
{
	t->io.op = op;
	t->io.flags = op == STORE_WRITE && t->fua ? STORE_FUA : 0;
	t->io.off = off;
	t->io.len = len;
	t->io.iov = t->iov;
	t->io.iovcnt = 1;
	return task_submit(t, then);
}

static enum scsi_next refused(struct scsi_task *t, int err)
{
	(void)t;
	(void)err;
	return SCSI_DONE;
}

/* While nothing is in flight, the store's part of t->io is free for the message. */
struct yield {
	struct loop_msg msg;
	struct scsi_task *task;
};
_Static_assert(sizeof(struct yield) <= STORE_IO_PRIVATE, "a message fits into an idle request");

/* A task that waited for a range may find the unit in another state. */
static void yield_over(struct loop_msg *m)
{
	struct scsi_task *t = container_of(m, struct yield, msg)->task;

	if (!t->aborted && t->guard == GUARD_HELD && task_stopped(t, t->op->stops & GATE_AGAIN))
		t->then = refused;
	task_go_on(t, 0);
}

static struct yield *yield_of(struct scsi_task *t)
{
	return (struct yield *)(void *)t->io.priv;
}

void task_sleep(struct scsi_task *t, task_then *then)
{
	*yield_of(t) = (struct yield){ .msg.run = yield_over, .task = t };
	t->then = then;
	t->busy = true;
}

void task_wake(struct scsi_task *t)
{
	loop_post(t->nexus->loop, &yield_of(t)->msg);
}

enum scsi_next task_yield(struct scsi_task *t, task_then *then)
{
	task_sleep(t, then);
	task_wake(t);
	return SCSI_PENDING;
}
