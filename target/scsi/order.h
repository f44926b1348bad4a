/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Task attributes (SAM-5 8.9): an ORDERED task begins when all before it have ended, and those
 * after it begin when it has ended. What counts is the order within one nexus, on its one loop: of
 * tasks of two nexuses that are under way at once nobody can say which came first.
 *
 * As long as no ORDERED task is there, this costs a count of the tasks that did not end in place.
 */
#ifndef SCSI_ORDER_H
#define SCSI_ORDER_H

#include "scsi/op.h"
#include "scsi/unit.h"

/* The way of a task that is ordered, or behind one that is. */
enum scsi_next order_begin(struct scsi_task *t);

/* The data of a task have come that is not allowed to go on yet. */
enum scsi_next order_data(struct scsi_task *t);

/* A task has ended, or is given up. */
void order_leave(struct scsi_task *t);

/* Begins a task whose attribute stands in nobody's way. */
static inline enum scsi_next order_start(struct scsi_task *t)
{
	enum scsi_next next = t->op->start(t);

	t->counted = next != SCSI_DONE;
	t->itl->active += t->counted;
	return next;
}

static inline bool order_concerns(const struct scsi_task *t)
{
	return t->itl->ordered || t->attr >= TASK_ORDERED;
}

#endif
