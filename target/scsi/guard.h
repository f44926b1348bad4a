/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands that read and then write a range as one (COMPARE AND WRITE and its like), against
 * everything else that changes the medium, without a lock on the ordinary way of a WRITE.
 *
 * As long as nobody uses such commands, writers are on the free road: each counts itself in its
 * I_T_L nexus, which only its own loop does, and looks at the gate. The first command that wants
 * a range to itself raises the guard: it sets GATE_GUARD in all gates, and waits until the free
 * writers that were under way have ended. From then on everybody takes ranges, under the unit's
 * lock, in the order in which they came. When nobody has wanted a range to himself for a while,
 * the guard is lowered.
 *
 * Why no writer is missed: it adds to itl->writes and then reads the gate; the raiser writes the
 * gate and then reads itl->writes; all four are sequentially consistent, so that at least one of
 * the two sees the other (C17 7.17.3). The writer that sees the guard steps back and takes a
 * range; the raiser that sees a writer waits for it.
 *
 * A wipe keeps others out by the gate, and takes all of the medium only until the last writer that
 * had passed it has ended. Who comes for a range later has passed before, and looks once more.
 *
 * READs are free in the same way but do not count themselves: only while the guard is up do they
 * see ranges as a whole or not at all. One that was already leaving from the store's own memory
 * when the guard went up may be torn, as it may be by any WRITE at the same time; a READ of a file
 * is no mixture of a block's old and new bytes (STORE_WHOLE), and where a block is written without
 * pause takes the range to itself.
 */
#ifndef SCSI_GUARD_H
#define SCSI_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "scsi/reply.h"
#include "scsi/unit.h"

enum guard_state {
	GUARD_NONE,
	GUARD_FREE,  /* counted in itl->writes */
	GUARD_WAITS, /* in lu->waiting */
	GUARD_HELD,  /* in lu->ranges */
};

/* True while ranges are taken. Free READs ask this. */
static inline bool guard_up(const struct itl *itl)
{
	return atomic_load_explicit(&itl->gate, memory_order_acquire) & GATE_GUARD;
}

/* Gives back what the task has, in whatever way; harmless when it has nothing. */
void guard_drop(struct scsi_task *t);

/* True: the task is on the free road, and may write where and when it wants until guard_drop(). */
static inline bool guard_free(struct scsi_task *t)
{
	if (__builtin_expect(guard_up(t->itl), 0))
		return false;
	atomic_fetch_add(&t->itl->writes, 1);
	t->guard = GUARD_FREE;
	if (__builtin_expect(!(atomic_load(&t->itl->gate) & (GATE_GUARD | GATE_WIPES)), 1))
		return true;
	guard_drop(t);
	return false;
}

/* A task takes one range at most. True: it has it. False: it waits; then(t, 0) will be called, and
 * the handler returns SCSI_PENDING. What ends the task gives the range back. */
bool guard_write(struct scsi_task *t, uint64_t off, uint64_t len, task_then *then);
bool guard_read(struct scsi_task *t, uint64_t off, uint64_t len, task_then *then);
bool guard_alone(struct scsi_task *t, uint64_t off, uint64_t len, task_then *then);

/* For an abort: true when the task was waiting, and waits no more. */
bool guard_cancel(struct scsi_task *t);

#endif
