/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One wipe of one unit at a time, on the loop of the command that began it. It outlives that
 * command, its nexus and resets (SBC-4 4.11.2): it holds the unit, and ends early only when it is
 * the last who does, since then the unit is being taken away, or when the server ends.
 *
 * Where the unit has a keeper, it is noted there before the first slice of it, and until the last is
 * on the medium: one that is cut off by a crash has failed.
 *
 * Overwriting is slow by intent: it takes turns with whatever else the machine does, at PACE bytes
 * a second, which is about what a disk of that size would need.
 */
#include "scsi/wipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "scsi/guard.h"
#include "scsi/reply.h"
#include "scsi/sbc.h"

#define PACE        ((uint64_t)128 << 20)
#define WRITE_SLICE ((uint64_t)1 << 20)
#define ERASE_SLICE ((uint64_t)256 << 20)
#define TICK_MS     10u

struct wipe {
	struct lu *lu;          /* referenced */
	struct scsi_task *task; /* waits for the end; NULL: nobody does */
	struct wipe_plan plan;
	unsigned pass;
	uint64_t off, size;
	bool begun;       /* slices are written */
	uint64_t began;   /* loop_now() then */
	uint64_t written; /* bytes, over all passes */
	struct store_io io;
	struct iovec iov;
	struct lu_keep keep;
	struct loop_timer timer;
	uint8_t *slice; /* of the pattern, WRITE_SLICE bytes; overwriting only */
};

static void wipe_free(struct wipe *w)
{
	if (!w)
		return;
	free(w->slice);
	free(w);
}

/* Who waits for it, if anybody still does, waits no more. */
static struct scsi_task *release_task(struct wipe *w)
{
	struct scsi_task *t = w->task;

	w->task = NULL;
	if (t)
		t->more = NULL;
	return t;
}

/* --- what is kept -------------------------------------------------------------------- */

/* What is to be said of the unit until it has succeeded. */
static enum lu_wiped failure(const struct wipe *w)
{
	if (w->plan.kind == WIPE_FORMAT)
		return LU_FORMAT_FAILED;
	return w->plan.may_exit ? LU_WIPE_FAILED_AUSE : LU_WIPE_FAILED;
}

static void keep(struct wipe *w, enum lu_wiped is, void (*done)(struct lu_keep *k, int err))
{
	struct lu_wipe_keeper *keeper = w->lu->wipe_keeper;

	w->keep = (struct lu_keep){ .loop = w->timer.loop, .done = done };
	keeper->keep(keeper, &w->keep, w->lu->naa, store_medium(w->lu->store), is);
}

/* --- the end ------------------------------------------------------------------------- */

/* The gates open again. Under the lock. */
static void settle(struct lu *lu)
{
	lu->wiping = WIPING_NOT;
	lu_update_gates(lu);
	pthread_cond_broadcast(&lu->settled);
}

static void tell_failure(const struct lu *lu, int err)
{
	if (err == -ECANCELED)
		log_msg(LOG_WARNING, "wiping a disk (%s) was cut off", lu->serial);
	else
		log_msg(LOG_ERR, "wiping a disk (%s) failed: %s", lu->serial, strerror(-err));
}

/* After a failure the gates stay closed but for what helps (SBC-4 4.11.4, 5.6). */
static void wipe_end(struct wipe *w, int err)
{
	struct scsi_task *t = release_task(w);
	struct lu *lu = w->lu;

	if (err)
		tell_failure(lu, err);
	pthread_mutex_lock(&lu->lock);
	lu->wiped = err ? failure(w) : LU_WIPED;
	settle(lu);
	pthread_mutex_unlock(&lu->lock);
	loop_timer_clear(&w->timer);
	wipe_free(w);
	if (t)
		task_go_on(t, err);
	lu_unref(lu);
}

/* --- slices -------------------------------------------------------------------------- */

static uint64_t slice_len(const struct wipe *w)
{
	uint64_t max = w->slice ? WRITE_SLICE : ERASE_SLICE, left = w->size - w->off;

	return left < max ? left : max;
}

static void invert_slice(struct wipe *w)
{
	for (uint64_t i = 0; i < WRITE_SLICE; i++)
		w->slice[i] = (uint8_t)~w->slice[i];
}

/* Off to the next slice, pass, or the end, which may be elsewhere by now. False: that was the
 * last. */
static bool advance(struct wipe *w)
{
	w->off += slice_len(w);
	w->size = sbc_bytes(w->lu, lu_blocks(w->lu));
	if (w->off < w->size)
		return true;
	w->off = 0;
	if (++w->pass >= w->plan.passes)
		return false;
	if (w->plan.invert)
		invert_slice(w);
	return true;
}

/* For REQUEST SENSE: of 65,536. */
static void note_progress(struct wipe *w)
{
	double share =
		((double)w->pass + (double)w->off / (double)w->size) / (double)w->plan.passes;

	atomic_store_explicit(&w->lu->progress, (unsigned)(share * 65535.0), memory_order_relaxed);
}

/* How much may be written by now. */
static bool ahead_of_pace(const struct wipe *w)
{
	double seconds = (double)(loop_now(w->timer.loop) - w->began) / 1e9;

	return w->slice && (double)w->written > seconds * (double)PACE;
}

static void slice_done(struct store_io *io, int err);

static int slice_submit(struct wipe *w)
{
	static const enum store_op ops[] = {
		[WIPE_ERASE] = STORE_DISCARD,
		[WIPE_OVERWRITE] = STORE_WRITE,
		[WIPE_FORMAT] = STORE_ZERO,
	};
	uint64_t len = slice_len(w);

	w->iov = (struct iovec){ w->slice, len };
	w->io.op = w->plan.kind == WIPE_FORMAT && w->lu->has & LU_THIN ? STORE_DISCARD
								       : ops[w->plan.kind];
	w->io.flags = 0;
	w->io.off = w->off;
	w->io.len = len;
	w->io.iov = &w->iov;
	w->io.iovcnt = 1;
	w->io.loop = w->timer.loop;
	w->io.done = slice_done;
	w->written += len;
	return store_submit(w->lu->store, &w->io);
}

/* Nobody else has the unit any more, or the server ends. */
static bool abandoned(const struct wipe *w)
{
	struct lu *lu = w->lu;
	bool ends;

	pthread_mutex_lock(&lu->lock);
	ends = lu->succeeded;
	pthread_mutex_unlock(&lu->lock);
	return ends || atomic_load(&lu->refs) == 1;
}

static void forgotten(struct lu_keep *k, int err)
{
	wipe_end(container_of(k, struct wipe, keep), err);
}

/* All is on the medium. */
static void wiped(struct wipe *w, int err)
{
	if (err || !w->lu->wipe_keeper)
		wipe_end(w, err);
	else
		keep(w, LU_WIPED, forgotten);
}

static void wipe_finish(struct wipe *w);

/* Goes on until a slice takes time, or the pace says to wait. */
static void wipe_run(struct wipe *w)
{
	if (!w->size) {
		wiped(w, 0);
		return;
	}
	note_progress(w);
	for (unsigned i = 0; i < 8; i++) {
		int err;

		if (abandoned(w)) {
			wipe_end(w, -ECANCELED);
			return;
		}
		if (ahead_of_pace(w))
			break;
		err = slice_submit(w);
		if (err == STORE_PENDING)
			return;
		if (err) {
			wipe_end(w, err);
			return;
		}
		if (!advance(w)) {
			wipe_finish(w);
			return;
		}
	}
	loop_timer_set(&w->timer, ahead_of_pace(w) ? TICK_MS : 0);
}

static void slice_done(struct store_io *io, int err)
{
	struct wipe *w = container_of(io, struct wipe, io);

	if (err)
		wipe_end(w, err);
	else if (!advance(w))
		wipe_finish(w);
	else
		wipe_run(w);
}

static void tick(struct loop_timer *timer)
{
	wipe_run(container_of(timer, struct wipe, timer));
}

/* The last slice is written; what was written must also be on the medium. */
static void flush_done(struct store_io *io, int err)
{
	wiped(container_of(io, struct wipe, io), err);
}

static void wipe_finish(struct wipe *w)
{
	int err;

	w->io.op = STORE_FLUSH;
	w->io.off = w->io.len = 0;
	w->io.done = flush_done;
	err = store_submit(w->lu->store, &w->io);
	if (err != STORE_PENDING)
		wiped(w, err);
}

/* --- the beginning ------------------------------------------------------------------- */

static enum scsi_next sanitized(struct scsi_task *t, int err)
{
	return err ? task_check(t, SENSE_MEDIUM_ERROR, ASC_SANITIZE_FAILED) : task_good(t);
}

static enum scsi_next formatted(struct scsi_task *t, int err)
{
	return err ? task_check(t, SENSE_MEDIUM_ERROR, ASC_FORMAT_FAILED) : task_good(t);
}

static void start(struct wipe *w)
{
	w->began = loop_now(w->timer.loop);
	loop_timer_set(&w->timer, 0);
}

/* Nothing has begun, and the unit is as it was: also if the one before failed. */
static void give_up(struct wipe *w)
{
	struct lu *lu = w->lu;

	pthread_mutex_lock(&lu->lock);
	settle(lu);
	pthread_mutex_unlock(&lu->lock);
	wipe_free(w);
	lu_unref(lu);
}

/* INTERNAL TARGET FAILURE. */
static enum scsi_next not_noted(struct scsi_task *t, int err)
{
	(void)err;
	return task_check(t, SENSE_HARDWARE_ERROR, ASC_INTERNAL_TARGET_FAILURE);
}

static void noted(struct lu_keep *k, int err)
{
	struct wipe *w = container_of(k, struct wipe, keep);
	struct scsi_task *t = err || w->plan.immediate ? release_task(w) : NULL;

	if (err)
		give_up(w);
	else
		start(w);
	if (t && err)
		t->then = not_noted;
	if (t)
		task_go_on(t, err);
}

/* Nobody writes any more, and the gates keep others out. The task waits, or has no more part in
 * it. */
static enum scsi_next begin(struct scsi_task *t, int err)
{
	struct wipe *w = t->more;

	(void)err;
	guard_drop(t);
	w->begun = true;
	t->then = w->plan.kind == WIPE_FORMAT ? formatted : sanitized;
	if (w->lu->wipe_keeper && w->size) {
		keep(w, failure(w), noted);
	} else {
		start(w);
		if (w->plan.immediate) {
			release_task(w);
			return task_good(t);
		}
	}
	t->busy = true;
	return SCSI_PENDING;
}

bool wipe_cancel(struct scsi_task *t)
{
	struct wipe *w = t->more;

	if (!w) /* it has not come to that yet */
		return false;
	release_task(w);
	if (w->begun)
		return true;
	give_up(w);
	return guard_cancel(t);
}

static struct wipe *wipe_create(struct scsi_task *t, const struct wipe_plan *plan)
{
	struct lu *lu = t->itl->lu;
	struct wipe *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->plan = *plan;
	w->task = t;
	w->size = plan->kind == WIPE_NOTHING ? 0 : sbc_bytes(lu, lu_blocks(lu));
	loop_timer_init(t->nexus->loop, &w->timer, tick);
	if (plan->kind == WIPE_OVERWRITE) {
		w->slice = malloc(WRITE_SLICE);
		if (!w->slice) {
			wipe_free(w);
			return NULL;
		}
		for (uint64_t i = 0; i < WRITE_SLICE; i += lu->block_size)
			memcpy(w->slice + i, plan->pattern, lu->block_size);
		if (plan->invert && plan->passes % 2 == 0)
			invert_slice(w);
	}
	return w;
}

/* Closes the gates to everybody else. False: somebody was faster. */
static bool claim(struct lu *lu, enum wipe_kind kind)
{
	bool won;

	pthread_mutex_lock(&lu->lock);
	won = lu->wiping == WIPING_NOT && !lu->succeeded;
	if (won) {
		lu->wiping = kind == WIPE_FORMAT ? WIPING_FORMAT : WIPING_SANITIZE;
		atomic_store_explicit(&lu->progress, 0, memory_order_relaxed);
		lu_update_gates(lu);
	}
	pthread_mutex_unlock(&lu->lock);
	return won;
}

/* A SANITIZE without AUSE has failed: there is no way out but one without AUSE that succeeds (SBC-4
 * 4.11.1). */
static bool is_restricted(struct lu *lu)
{
	bool is;

	pthread_mutex_lock(&lu->lock);
	is = lu->wiped == LU_WIPE_FAILED;
	pthread_mutex_unlock(&lu->lock);
	return is;
}

enum scsi_next wipe_begin(struct scsi_task *t, const struct wipe_plan *plan)
{
	struct lu *lu = t->itl->lu;
	struct wipe *w;

	if (task_stopped(t, GATE_WIPES))
		return SCSI_DONE;
	if (plan->may_exit && is_restricted(lu))
		return task_bad_cdb(t, 1, 5);
	w = wipe_create(t, plan);
	if (!w)
		return task_status(t, SCSI_BUSY);
	if (!claim(lu, plan->kind)) {
		wipe_free(w);
		return task_stopped(t, GATE_WIPES) ? SCSI_DONE : task_status(t, SCSI_BUSY);
	}
	w->lu = lu_ref(lu);
	t->more = w;
	if (!guard_alone(t, 0, UINT64_MAX, begin))
		return SCSI_PENDING;
	return begin(t, 0);
}

/* As a SANITIZE of nothing: no other one begins before it is kept that this one has been left. */
enum scsi_next wipe_leave(struct scsi_task *t)
{
	struct wipe_plan plan = { .kind = WIPE_NOTHING, .may_exit = true };

	if (task_stopped(t, GATE_WIPES))
		return SCSI_DONE;
	if (is_restricted(t->itl->lu))
		return task_bad_cdb(t, 1, 4);
	return atomic_load(&t->itl->gate) & GATE_WIPE_FAILED ? wipe_begin(t, &plan) : task_good(t);
}
