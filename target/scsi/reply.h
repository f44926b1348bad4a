/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How commands end: data built whole and cut in one place, statuses, sense; how parameter
 * lists come in; and how a command in several steps goes through the store.
 */
#ifndef SCSI_REPLY_H
#define SCSI_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "scsi/task.h"

/* Ends. Each gives SCSI_DONE, so that a handler can return it. */
enum scsi_next task_good(struct scsi_task *t);
enum scsi_next task_status(struct scsi_task *t, enum scsi_status status);
/* CHECK CONDITION with ASC << 8 | ASCQ. No data is transferred. */
enum scsi_next task_check(struct scsi_task *t, enum sense_key key, uint16_t asc);
/* INVALID FIELD IN CDB, or IN PARAMETER LIST, that points at the field: its first byte and its
 * most significant bit, or no bit (-1) for a field of whole bytes (SPC-5 4.4.2.4.2). */
enum scsi_next task_bad_cdb(struct scsi_task *t, unsigned byte, int bit);
enum scsi_next task_bad_list(struct scsi_task *t, unsigned byte, int bit);
enum scsi_next task_list_too_short(struct scsi_task *t); /* PARAMETER LIST LENGTH ERROR */
enum scsi_next task_lba_out_of_range(struct scsi_task *t);
/* MISCOMPARE DURING VERIFY OPERATION, with the offset of the first byte that differs. */
enum scsi_next task_miscompare(struct scsi_task *t, uint64_t offset);
/* What -errno of a store means to an initiator. */
enum scsi_next task_store_error(struct scsi_task *t, int err);

/* A buffer of len bytes (1…BUFS_MAX) that lives until release; undefined contents. NULL: the
 * status is BUSY and the handler returns SCSI_DONE. One for each task. */
void *task_buf(struct scsi_task *t, size_t len);

/* Data-In is built in a zeroed buffer of at most `max` bytes through a cursor… */
bool reply_open(struct scsi_task *t, struct wr *w, size_t max);
/* …and cut to the allocation length (SPC-5 4.2.5.6). */
enum scsi_next reply_close(struct scsi_task *t, const struct wr *w, uint32_t alloc);
/* The same for data of a fixed length; cut to the allocation length. */
enum scsi_next reply_bytes(struct scsi_task *t, const void *data, size_t len, uint32_t alloc);

/* Asks for a parameter list of len bytes into a buffer of its own; the row's data handler then
 * finds t->got bytes at t->buf. */
enum scsi_next list_wanted(struct scsi_task *t, uint32_t len);
/* The list as far as it came. */
static inline struct rd list_cursor(const struct scsi_task *t)
{
	return rd_of(t->buf, t->got);
}

/* Submits t->io, of which op, flags, off, len, iov and iovcnt are set. Gives 0 or -errno when it
 * ended in place. STORE_PENDING: then(t, err) will be called on the task's loop unless the task
 * has been aborted; the handler returns SCSI_PENDING, and what then() returns ends the task. */
typedef enum scsi_next task_then(struct scsi_task *t, int err);
int task_submit(struct scsi_task *t, task_then *then);
/* The same for STORE_READ or STORE_WRITE of len bytes at t->iov[0]; with FUA where t->fua says
 * so. */
int task_transfer(
	struct scsi_task *t, enum store_op op, uint64_t off, uint32_t len, task_then *then);
/* Goes on with what one of them gave: what a handler returns. */
static inline enum scsi_next task_submitted(struct scsi_task *t, int err, task_then *then)
{
	return err == STORE_PENDING ? SCSI_PENDING : then(t, err);
}
/* Lets the loop do something else, and calls then(t, 0) afterwards. Returns SCSI_PENDING. */
enum scsi_next task_yield(struct scsi_task *t, task_then *then);
/* The task has ended: whoever waited for it goes on. Harmless when it has been called before. */
void task_over(struct scsi_task *t);
/* For what is in flight elsewhere: t->then is set, and t->busy. On the task's loop. */
void task_go_on(struct scsi_task *t, int err);
/* The two halves of it: to wait until another task wakes it, from any thread. No I/O of the task is
 * in flight. */
void task_sleep(struct scsi_task *t, task_then *then);
void task_wake(struct scsi_task *t);

/* True when a command whose row does not say so is kept out by these bits of the gate; the task
 * has its status then. For commands where it depends on a field of the CDB. */
bool task_stopped(struct scsi_task *t, uint64_t stops);

#endif
