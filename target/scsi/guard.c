/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges of the medium: who has them, who waits.
 */
#include "scsi/guard.h"

#include "base/list.h"
#include "scsi/op.h"

#define UP_NS (UINT64_C(10) * 1000 * 1000 * 1000) /* how long the guard stays up unused */

static struct scsi_task *task_of(struct list *l)
{
	return container_of(l, struct scsi_task, in_guard);
}

static bool conflict(const struct scsi_task *a, const struct scsi_task *b)
{
	if (!a->alone && !b->alone)
		return false;
	return a->guard_off < b->guard_off ? b->guard_off - a->guard_off < a->guard_len
					   : a->guard_off - b->guard_off < b->guard_len;
}

/* No writer is left on the free road. Once that is so, none comes as long as the guard is up. */
static bool drained(struct lu *lu)
{
	if (lu->drained)
		return true;
	list_for_each(it, &lu->itls)
		if (atomic_load(&container_of(it, struct itl, in_lu)->writes))
			return false;
	lu->drained = true;
	return true;
}

/* Nothing in the way: neither those that have ranges, nor those that have waited longer. */
static bool runnable(struct lu *lu, const struct scsi_task *t)
{
	if (!t->alone && !lu->alone)
		return true;
	if (t->alone && !drained(lu))
		return false;
	list_for_each(it, &lu->ranges)
		if (conflict(t, task_of(it)))
			return false;
	list_for_each(it, &lu->waiting) {
		if (task_of(it) == t)
			return true;
		if (conflict(t, task_of(it)))
			return false;
	}
	return true;
}

static void wake(struct lu *lu)
{
	list_for_each_safe(it, &lu->waiting) {
		struct scsi_task *t = task_of(it);

		if (!runnable(lu, t))
			continue;
		list_del(&t->in_guard);
		list_push(&lu->ranges, &t->in_guard);
		t->guard = GUARD_HELD;
		task_wake(t);
	}
}

static void raise_guard(struct lu *lu, uint64_t now)
{
	lu->guard_until = now + UP_NS;
	if (lu->guarded)
		return;
	lu->guarded = true;
	lu_update_gates(lu);
}

static void lower_guard(struct lu *lu, uint64_t now)
{
	if (!lu->guarded || now < lu->guard_until || !list_empty(&lu->ranges) ||
		!list_empty(&lu->waiting))
		return;
	lu->guarded = lu->drained = false;
	lu_update_gates(lu);
}

/* Takes the range or queues for it. One who has it looks at the gate once more if a wipe has closed
 * that meanwhile: task_wake() leads there. */
static bool take(struct scsi_task *t, uint64_t off, uint64_t len, bool alone, task_then *then)
{
	struct lu *lu = t->itl->lu;
	bool now, late;

	t->guard_off = off;
	t->guard_len = len;
	t->alone = alone;
	pthread_mutex_lock(&lu->lock);
	if (alone)
		raise_guard(lu, loop_now(t->nexus->loop));
	now = runnable(lu, t);
	lu->alone += alone;
	t->guard = now ? GUARD_HELD : GUARD_WAITS;
	list_push(now ? &lu->ranges : &lu->waiting, &t->in_guard);
	late = now && atomic_load(&t->itl->gate) & t->op->stops & GATE_WIPES;
	if (!now || late)
		task_sleep(t, then);
	if (late)
		task_wake(t);
	pthread_mutex_unlock(&lu->lock);
	return now && !late;
}

bool guard_write(struct scsi_task *t, uint64_t off, uint64_t len, task_then *then)
{
	return guard_free(t) || take(t, off, len, false, then);
}

bool guard_read(struct scsi_task *t, uint64_t off, uint64_t len, task_then *then)
{
	return !guard_up(t->itl) || take(t, off, len, false, then);
}

bool guard_alone(struct scsi_task *t, uint64_t off, uint64_t len, task_then *then)
{
	return take(t, off, len, true, then);
}

/* The last free writer of this nexus has ended, and somebody may be waiting for that. */
static void leave_free_road(struct scsi_task *t)
{
	struct lu *lu = t->itl->lu;

	t->guard = GUARD_NONE;
	if (atomic_fetch_sub(&t->itl->writes, 1) != 1 || !(atomic_load(&t->itl->gate) & GATE_GUARD))
		return;
	pthread_mutex_lock(&lu->lock);
	wake(lu);
	pthread_mutex_unlock(&lu->lock);
}

static void give_back(struct lu *lu, struct scsi_task *t)
{
	list_del(&t->in_guard);
	lu->alone -= t->alone;
	t->guard = GUARD_NONE;
	wake(lu);
	lower_guard(lu, loop_now(t->nexus->loop));
}

void guard_drop(struct scsi_task *t)
{
	struct lu *lu;

	if (t->guard == GUARD_FREE)
		leave_free_road(t);
	if (t->guard == GUARD_NONE)
		return;
	lu = t->itl->lu;
	pthread_mutex_lock(&lu->lock);
	give_back(lu, t);
	pthread_mutex_unlock(&lu->lock);
}

bool guard_cancel(struct scsi_task *t)
{
	struct lu *lu = t->itl->lu;
	bool waited;

	pthread_mutex_lock(&lu->lock);
	waited = t->guard == GUARD_WAITS;
	if (waited)
		give_back(lu, t);
	pthread_mutex_unlock(&lu->lock);
	return waited;
}
