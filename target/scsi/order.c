/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queue of an I_T_L nexus: empty unless there is an ORDERED task. All of it on one loop.
 */
#include "scsi/order.h"

#include "base/list.h"
#include "scsi/guard.h"
#include "scsi/reply.h"

static bool may_begin(const struct itl *itl, const struct scsi_task *t)
{
	return t->attr == TASK_ORDERED ? !itl->active : !itl->barrier;
}

static void admit(struct itl *itl, struct scsi_task *t)
{
	list_del(&t->in_order);
	t->queued = false;
	t->counted = true;
	itl->active++;
	itl->barrier = t->attr == TASK_ORDERED;
}

/* Lets in whoever is first and may begin. One that has not got its data yet goes on when they
 * come. */
static void advance(struct itl *itl)
{
	while (!list_empty(&itl->queue)) {
		struct scsi_task *t = container_of(itl->queue.next, struct scsi_task, in_order);

		if (!may_begin(itl, t))
			return;
		admit(itl, t);
		if (t->busy)
			task_wake(t);
	}
}

void order_leave(struct scsi_task *t)
{
	struct itl *itl = t->itl;

	if (t->queued)
		list_del(&t->in_order);
	else if (t->counted)
		itl->active--;
	else
		return;
	if (t->attr == TASK_ORDERED) {
		itl->ordered--;
		if (t->counted)
			itl->barrier = false;
	}
	t->queued = t->counted = false;
	advance(itl);
}

/* While it waited, the unit may have come into another state. */
static enum scsi_next go_on_late(struct scsi_task *t, int err)
{
	(void)err;
	return task_stopped(t, t->op->stops & GATE_AGAIN) ? SCSI_DONE : t->op->data(t);
}

/* Nobody sends data to a command that begins late: that there are none is said at once. */
static enum scsi_next begin_late(struct scsi_task *t, int err)
{
	enum scsi_next next;

	(void)err;
	next = task_stopped(t, t->op->stops & GATE_AGAIN) ? SCSI_DONE : t->op->start(t);
	if (next != SCSI_WANT_DATA)
		return next;
	t->got = 0;
	return t->op->data(t);
}

enum scsi_next order_data(struct scsi_task *t)
{
	task_sleep(t, go_on_late);
	return SCSI_PENDING;
}

/* The data have to be asked for before the turn comes: the handler takes them into a buffer, and
 * does nothing else yet. */
static enum scsi_next ask_first(struct scsi_task *t)
{
	enum scsi_next next = t->op->start(t);

	if (next == SCSI_WANT_DATA)
		advance(t->itl);
	else if (next == SCSI_DONE)
		order_leave(t);
	else
		admit(t->itl, t);
	return next;
}

static enum scsi_next wait_or_begin(struct scsi_task *t)
{
	enum scsi_next next;

	advance(t->itl);
	if (t->queued) {
		task_sleep(t, begin_late);
		return SCSI_PENDING;
	}
	next = t->op->start(t);
	if (next == SCSI_DONE)
		order_leave(t);
	return next;
}

enum scsi_next order_begin(struct scsi_task *t)
{
	struct itl *itl = t->itl;

	if (t->attr >= TASK_ACA) /* there is none: INVALID MESSAGE ERROR */
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INVALID_MESSAGE);
	if (t->attr == TASK_HEAD_OF_QUEUE)
		return order_start(t);
	itl->ordered += t->attr == TASK_ORDERED;
	t->queued = true;
	list_push(&itl->queue, &t->in_order);
	return t->op->data && t->dir & SCSI_DIR_OUT && t->expect ? ask_first(t) : wait_or_begin(t);
}
