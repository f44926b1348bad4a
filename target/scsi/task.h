/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A SCSI command on its way through a logical unit, as the transport sees it.
 *
 * The life of a task, all of it on the loop of its nexus:
 *
 *   transport fills the first part ── scsi_task_start() ──┬─▶ SCSI_DONE      status, sense, `in`
 *                                                         ├─▶ SCSI_WANT_DATA `out` is where it goes
 *                                                         └─▶ SCSI_PENDING   done() comes later
 *   all Data-Out has arrived ──────── scsi_task_data() ───┬─▶ SCSI_DONE
 *                                                         └─▶ SCSI_PENDING
 *   the response has left, or nobody wants it any more ── scsi_task_release()
 *
 * What ends in place is told by the return value and done() is not called, so that
 * a READ from memory costs no callback and no recursion. Residual counts and the
 * cut to the initiator's buffer are the transport's: `in.len` is what the command
 * has to give, `out.len` what it wants.
 */
#ifndef SCSI_TASK_H
#define SCSI_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/list.h"
#include "scsi/sense.h"
#include "store/store.h"

struct nexus;
struct itl;
struct scsi_op;

#define SCSI_CDB_MAX 32 /* longer ones (AHS) are refused by the transport */

enum task_attr { /* SAM-5 8.9; the numbers are iSCSI's ATTR (RFC 7143 11.3.1) */
	TASK_UNTAGGED = 0,
	TASK_SIMPLE = 1,
	TASK_ORDERED = 2,
	TASK_HEAD_OF_QUEUE = 3,
	TASK_ACA = 4,
};

enum scsi_status { /* SAM-5 5.3.1 */
	SCSI_GOOD = 0x00,
	SCSI_CHECK_CONDITION = 0x02,
	SCSI_CONDITION_MET = 0x04,
	SCSI_BUSY = 0x08,
	SCSI_RESERVATION_CONFLICT = 0x18,
	SCSI_TASK_SET_FULL = 0x28,
	SCSI_ACA_ACTIVE = 0x30,
	SCSI_TASK_ABORTED = 0x40,
};

/* A scatter list: cnt entries that sum up to len bytes. */
struct sg {
	struct iovec *iov;
	int cnt;
	uint32_t len;
};

enum scsi_next { SCSI_DONE, SCSI_WANT_DATA, SCSI_PENDING };

#define SCSI_TASK_IOV 4

struct scsi_task {
	/* Filled by the transport before scsi_task_start(), left alone until release. Nothing else
	 * has to be cleared: scsi_task_start() sets whatever is read later. */
	struct nexus *nexus;
	void (*done)(struct scsi_task *t); /* ends a SCSI_PENDING, once, on the nexus's loop */
	uint64_t lun;                      /* the eight bytes of the LUN field, as a number */
	uint8_t cdb[SCSI_CDB_MAX];         /* zero-filled behind cdb_len */
	uint8_t cdb_len;
	uint8_t attr;    /* enum task_attr */
	uint8_t dir;     /* what the initiator expects: SCSI_DIR_* bits */
	uint32_t expect; /* … and how much: the Expected Data Transfer Length */

	/* Answers, valid as the return values say. in.len and out.len are what the command had
	 * to give and wanted to have, whatever the initiator expected: residual counts come from
	 * them, also with CHECK CONDITION. Their iov have room for min(len, expect) bytes at
	 * least, and no more is put there or taken from there. */
	uint8_t status;    /* enum scsi_status */
	bool in_live;      /* `in` is memory that others may write meanwhile */
	uint32_t out_unit; /* 0, or: `out` is the medium itself, to be written in whole multiples of
	                      this many bytes alone, and only with data that has been verified */
	struct sg in, out;
	struct sense sense; /* valid with SCSI_CHECK_CONDITION: see scsi_task_sense() */

	/* The unit's own. */
	bool aborted;             /* nobody waits for the answer any more */
	bool busy;                /* something is in flight: done() is still to come */
	uint8_t guard;            /* enum guard_state */
	bool alone;               /* its range is nobody else's */
	bool counted;             /* in itl->active */
	bool queued;              /* in itl->queue: not its turn yet */
	uint32_t got;             /* Data-Out that came, at most out.len */
	struct itl *itl;          /* NULL: no such logical unit */
	const struct scsi_op *op; /* NULL: likewise */
	void *buf;                /* from nexus->bufs; returned by release */
	uint32_t buf_len;
	bool fua;
	uint64_t off, left; /* bytes of the medium that are still to do */
	struct iovec iov[SCSI_TASK_IOV];
	enum scsi_next (*then)(struct scsi_task *t, int err); /* what follows the I/O in flight */
	void *more;           /* from malloc(): state of a command in several steps */
	struct list in_order; /* itl->queue */
	struct list in_guard; /* among the ranges of the unit, or waiting for one */
	uint64_t guard_off, guard_len;
	struct store_io io;
};

enum { SCSI_DIR_IN = 1, SCSI_DIR_OUT = 2 };

/* Decodes and begins. Every refusal is a status (with sense), never an error of its own. */
enum scsi_next scsi_task_start(struct scsi_task *t);

/* `got` bytes (at most t->out.len) have been put into t->out in order; fewer than out.len only
 * when the initiator said it had fewer. The command goes on. */
enum scsi_next scsi_task_data(struct scsi_task *t, uint32_t got);

/* The task has ended with CHECK CONDITION, and the transport is about to send that: other tasks may
 * end with it, by the unit's QErr (SPC-5 7.5.9; SAM-5 5.6). They are ended as by task management,
 * those of this nexus before this returns. */
void scsi_task_failed(struct scsi_task *t);

/* Nobody will send an answer. True: nothing is in flight, release it now. False: done() is
 * still to come, release it then. Waiting Data-Out needs no more of it. */
bool scsi_task_abort(struct scsi_task *t);

/* Gives back what the task holds. `in`, `out` and sense are gone afterwards. Not while
 * SCSI_PENDING. Exactly once for every task that was started, and before its nexus is closed or
 * loses the unit. */
void scsi_task_release(struct scsi_task *t);

/* Whether its data are to be wiped from memory wherever they passed: a key of a tape drive. */
bool scsi_task_is_secret(const struct scsi_task *t);

/* The sense data of a task that ended with CHECK CONDITION, in the format that the unit's D_SENSE
 * asks for, into SENSE_MAX bytes. Gives the length. */
size_t scsi_task_sense(const struct scsi_task *t, uint8_t *buf);

#endif
