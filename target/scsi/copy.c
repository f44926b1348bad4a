/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of a copy, piece by piece: gates, ranges, and the stores' own copying where there is such
 * a thing; and the list of those that run or whose results are kept.
 */
#include "scsi/copy.h"

#include <errno.h>
#include <stdlib.h>

#include "scsi/guard.h"
#include "scsi/nexus.h"
#include "scsi/reply.h"
#include "scsi/sbc.h"

#define PIECE ((uint32_t)1 << 20)  /* read and written */
#define LEAP  ((uint32_t)16 << 20) /* copied by the stores, where that blocks nobody */
#define TURN  8u                   /* pieces in one go; then others have their turn */

enum { OVER = 2 }; /* beside 0, STORE_PENDING and -errno */

enum step { NEXT, COPY, COPY_NOW, READ, READ_NOW, WRITE, WRITE_NOW, ZERO, ZERO_NOW, PUT, FLUSH };

static struct copy *copy_of(struct scsi_task *side)
{
	return container_of(side, struct copy, side);
}

static struct copy_run *run_of(struct copy *c)
{
	return &c->runs[c->at];
}

enum scsi_next copy_refused(struct scsi_task *t, uint16_t asc, unsigned segment)
{
	task_check(t, SENSE_COPY_ABORTED, asc);
	t->sense.command_info = segment;
	return SCSI_DONE;
}

/* --- the list ------------------------------------------------------------------------- */

static bool is_lid1(const struct copy *c)
{
	return c->service == 0x00;
}

struct copy *copy_find(struct itl *itl, uint32_t id, bool lid1)
{
	list_for_each(it, &itl->copies) {
		struct copy *c = container_of(it, struct copy, in_itl);

		if (c->id == id && is_lid1(c) == lid1 && (c->keep || c->state == COPY_RUNS))
			return c;
	}
	return NULL;
}

bool copy_id_busy(struct scsi_task *t, uint32_t id, bool lid1)
{
	struct copy *c = copy_find(t->itl, id, lid1);

	if (!c || c->state != COPY_RUNS)
		return false;
	task_check(t, SENSE_ILLEGAL_REQUEST, ASC_OPERATION_IN_PROGRESS);
	return true;
}

static void leave_list(struct copy *c)
{
	if (!c->itl)
		return;
	list_del(&c->in_itl);
	c->itl = NULL;
}

void copy_free(struct copy *c)
{
	if (!c)
		return;
	leave_list(c);
	free(c->token);
	free(c);
}

void copy_forget(struct itl *itl)
{
	list_for_each_safe(it, &itl->copies) {
		struct copy *c = container_of(it, struct copy, in_itl);

		if (c->state != COPY_RUNS) {
			copy_free(c);
			continue;
		}
		c->stop = true;
		leave_list(c);
	}
}

/* A result takes the place of an older one of that name, and of the oldest where there are many. */
static void join_list(struct copy *c, struct itl *itl)
{
	struct copy *old = copy_find(itl, c->id, is_lid1(c)), *oldest = NULL;
	unsigned kept = 0;

	if (old && old->state != COPY_RUNS && c->keep)
		copy_free(old);
	list_for_each(it, &itl->copies) {
		struct copy *k = container_of(it, struct copy, in_itl);

		if (k->state == COPY_RUNS)
			continue;
		oldest = oldest ? oldest : k;
		kept++;
	}
	if (kept >= COPY_KEPT)
		copy_free(oldest);
	c->itl = itl;
	list_push(&itl->copies, &c->in_itl);
}

static unsigned running(const struct itl *itl)
{
	unsigned n = 0;

	list_for_each(it, &itl->copies)
		n += container_of(it, struct copy, in_itl)->state == COPY_RUNS;
	return n;
}

struct copy *copy_create(struct scsi_task *t, uint32_t id, unsigned n)
{
	struct copy *c = NULL;

	if (running(t->itl) < COPY_RUNNING)
		c = calloc(1, sizeof(*c) + n * sizeof(c->runs[0]));
	if (!c) {
		task_status(t, SCSI_BUSY);
		return NULL;
	}
	c->service = t->cdb[1] & 0x1f;
	c->id = id;
	c->keep = true;
	c->task = t;
	c->block_size = t->itl->lu->block_size;
	c->n = n;
	return c;
}

void copy_keep(struct copy *c)
{
	join_list(c, c->task->itl);
	c->task = NULL;
}

/* --- the end -------------------------------------------------------------------------- */

/* What the unit that failed has said, as it is told of a third party (SPC-4 5.16.7.4). */
static void tell_third_party(struct copy *c)
{
	struct scsi_task *s = &c->side;
	uint16_t asc = s->status == SCSI_CHECK_CONDITION && s->sense.key != SENSE_NOT_READY &&
				       s->sense.key != SENSE_ILLEGAL_REQUEST
			       ? ASC_THIRD_PARTY_DEVICE_FAILURE
			       : ASC_COPY_TARGET_NOT_REACHABLE;

	if (s->status != SCSI_BUSY && s->sense.key != SENSE_COPY_ABORTED)
		copy_refused(s, asc, c->at < c->n ? run_of(c)->segment : 0);
}

static void let_go(struct copy *c)
{
	for (unsigned i = 0; i < c->n; i++) {
		itl_unpin(c->runs[i].to);
		if (c->runs[i].from)
			itl_unpin(c->runs[i].from);
	}
	if (c->buf)
		bufs_put(c->side.nexus->bufs, c->buf, PIECE);
	c->buf = NULL;
}

/* Nothing is in flight. The task, if one waits, is told later by whoever called. */
static struct scsi_task *copy_end(struct copy *c)
{
	struct scsi_task *s = &c->side, *t = c->task;
	struct nexus *nexus = s->nexus;
	struct lu *lu = c->lu;

	task_over(s);
	if (s->status == SCSI_CHECK_CONDITION || s->status == SCSI_RESERVATION_CONFLICT)
		if (c->third)
			tell_third_party(c);
	c->status = s->status;
	c->sense = s->sense;
	c->state = c->stop ? COPY_ABORTED : c->status == SCSI_GOOD ? COPY_DONE : COPY_FAILED;
	c->task = NULL;
	let_go(c);
	if (t) {
		t->more = NULL;
		t->status = c->status;
		t->sense = c->sense;
	}
	if (!c->keep || !c->itl)
		copy_free(c);
	lu_unref(lu);
	nexus_unhold(nexus);
	return t;
}

static void side_done(struct scsi_task *s)
{
	struct scsi_task *t = copy_end(copy_of(s));

	if (t)
		task_go_on(t, 0);
}

static enum scsi_next told(struct scsi_task *t, int err)
{
	(void)t;
	(void)err;
	return SCSI_DONE;
}

bool copy_cancel(struct scsi_task *t)
{
	struct copy *c = t->more;

	if (!c)
		return false;
	c->stop = true;
	if (!guard_cancel(&c->side)) {
		c->side.aborted = true;
		return false;
	}
	c->side.busy = false;
	copy_end(c);
	return true;
}

/* --- steps ---------------------------------------------------------------------------- */

static enum scsi_next advance(struct scsi_task *s, int err);

/* A unit that it works on, or will, was reset, or its nexus was preempted there. */
static bool halted(const struct copy *c)
{
	for (unsigned i = c->at; i < c->n; i++)
		if (c->runs[i].to->halted || (c->runs[i].from && c->runs[i].from->halted))
			return true;
	return false;
}

/* Somebody wants it to end, or the units have gone. */
static bool called_off(struct copy *c)
{
	const struct copy_run *r = run_of(c);

	if (c->stop || halted(c)) {
		c->stop = true;
		task_check(&c->side, SENSE_COPY_ABORTED, ASC_NONE);
		return true;
	}
	if (!r->to->orphan && !(r->from && r->from->orphan))
		return false;
	copy_refused(&c->side, ASC_COPY_TARGET_NOT_REACHABLE, r->segment);
	return true;
}

/* Whether the initiator may read here and write there itself, now. */
static bool allowed(struct copy *c)
{
	const struct copy_run *r = run_of(c);

	c->side.itl = r->to;
	if (task_stopped(&c->side, STOPS_WRITE))
		return false;
	c->side.itl = r->from;
	return !r->from || !task_stopped(&c->side, STOPS_READ);
}

static bool backwards(const struct copy_run *r)
{
	return r->from && r->from->lu->store == r->to->lu->store && r->to_off > r->from_off &&
	       r->to_off - r->from_off < r->len;
}

static bool overlapping(const struct copy_run *r)
{
	return r->from->lu->store == r->to->lu->store &&
	       (backwards(r) || (r->to_off <= r->from_off && r->from_off - r->to_off < r->len));
}

/* Whether the next piece goes through the buffer. */
static bool reads(const struct copy *c, const struct copy_run *r)
{
	return r->from && (c->slow || guard_up(r->from));
}

/* The buffer holds no more; and memory is copied in place, so that less of it is done at a time. */
static uint32_t piece_max(const struct copy_run *r, bool read)
{
	struct iovec any;

	if (read || !r->from || store_map(r->to->lu->store, 0, SBC_PAGE, &any, 1))
		return PIECE;
	return LEAP;
}

static int step_next(struct copy *c)
{
	struct copy_run *r = run_of(c);
	uint64_t left, n;
	bool read;

	guard_drop(&c->side);
	if (c->at == c->n)
		return OVER;
	if (called_off(c) || !allowed(c))
		return OVER;
	c->slow = c->slow || (r->from && overlapping(r));
	read = reads(c, r);
	left = r->len - c->done;
	n = piece_max(r, read);
	c->len = (uint32_t)(left < n ? left : n);
	n = backwards(r) ? left - c->len : c->done;
	c->from_off = r->from_off + n;
	c->to_off = r->to_off + n;
	if (!c->len)
		c->step = FLUSH;
	else if (!r->from)
		c->step = ZERO;
	else
		c->step = read ? READ : COPY;
	return 0;
}

static int take_to(struct copy *c, enum step then)
{
	guard_drop(&c->side);
	c->step = then;
	c->side.itl = run_of(c)->to;
	return guard_write(&c->side, c->to_off, c->len, advance) ? 0 : STORE_PENDING;
}

static int submit(struct copy *c, enum store_op op, unsigned flags, uint64_t off, enum step then)
{
	struct scsi_task *s = &c->side;

	c->doing = c->step;
	c->step = then;
	s->iov[0] = (struct iovec){ c->buf, c->len };
	s->io.op = op;
	s->io.flags = flags;
	s->io.off = off;
	s->io.len = op == STORE_FLUSH ? 0 : c->len;
	s->io.iov = s->iov;
	s->io.iovcnt = 1;
	return task_submit(s, advance);
}

static int step_copy_now(struct copy *c)
{
	struct copy_run *r = run_of(c);
	unsigned flags = r->to->lu->has & LU_THIN ? STORE_HOLES : 0;

	c->side.io.from = r->from->lu->store;
	c->side.io.from_off = c->from_off;
	return submit(c, STORE_COPY, flags, c->to_off, PUT);
}

static int step_read(struct copy *c)
{
	if (!c->buf)
		c->buf = bufs_get(c->side.nexus->bufs, PIECE);
	if (!c->buf)
		return -ENOMEM;
	c->step = READ_NOW;
	c->side.itl = run_of(c)->from;
	return guard_read(&c->side, c->from_off, c->len, advance) ? 0 : STORE_PENDING;
}

/* The first try is beside those who write; where they write without pause the range is ours. */
static int step_read_now(struct copy *c)
{
	bool alone = c->side.guard == GUARD_HELD && c->side.alone;

	return submit(c, STORE_READ, alone ? 0 : STORE_WHOLE, c->from_off, WRITE);
}

static int read_alone(struct copy *c)
{
	guard_drop(&c->side);
	c->step = READ_NOW;
	return guard_alone(&c->side, c->from_off, c->len, advance) ? 0 : STORE_PENDING;
}

static int step_write_now(struct copy *c)
{
	bool hole = run_of(c)->to->lu->has & LU_THIN && sbc_all_zero(c->buf, c->len);

	return submit(c, hole ? STORE_DISCARD : STORE_WRITE, 0, c->to_off, PUT);
}

static int step_zero_now(struct copy *c)
{
	bool thin = run_of(c)->to->lu->has & LU_THIN;

	return submit(c, thin ? STORE_DISCARD : STORE_ZERO, 0, c->to_off, PUT);
}

static int step_put(struct copy *c)
{
	c->done += c->len;
	c->bytes += c->len;
	c->step = c->done == run_of(c)->len ? FLUSH : NEXT;
	return 0;
}

/* The end of a run; with WCE off it is on the medium now. */
static int step_flush(struct copy *c)
{
	struct lu *lu = run_of(c)->to->lu;

	guard_drop(&c->side);
	c->side.itl = run_of(c)->to;
	c->segments = (uint16_t)(run_of(c)->segment + 1);
	c->at++;
	c->done = 0;
	c->step = NEXT;
	c->slow = false;
	return sbc_write_through(lu) ? submit(c, STORE_FLUSH, 0, 0, NEXT) : 0;
}

static int take_step(struct copy *c)
{
	switch ((enum step)c->step) {
	case NEXT: return step_next(c);
	case COPY: return take_to(c, COPY_NOW);
	case COPY_NOW: return step_copy_now(c);
	case READ: return step_read(c);
	case READ_NOW: return step_read_now(c);
	case WRITE: return take_to(c, WRITE_NOW);
	case WRITE_NOW: return step_write_now(c);
	case ZERO: return take_to(c, ZERO_NOW);
	case ZERO_NOW: return step_zero_now(c);
	case PUT: return step_put(c);
	case FLUSH: return step_flush(c);
	}
	return -EINVAL;
}

/* What was in flight has failed. */
static int failed(struct copy *c, int err)
{
	if (c->doing == READ_NOW && err == -ESTALE)
		return read_alone(c);
	if (c->doing == COPY_NOW && err == -EOPNOTSUPP) {
		c->slow = true;
		c->step = NEXT;
		return 0;
	}
	task_store_error(&c->side, err);
	return OVER;
}

/* On and on, until something takes time. */
static enum scsi_next advance(struct scsi_task *s, int err)
{
	struct copy *c = copy_of(s);
	unsigned pieces = 0;

	for (;;) {
		int r = err ? failed(c, err) : take_step(c);

		if (r == STORE_PENDING)
			return SCSI_PENDING;
		if (r == OVER)
			return SCSI_DONE;
		err = r;
		if (!err && c->step == NEXT && ++pieces == TURN)
			return task_yield(s, advance);
	}
}

/* --- the beginning -------------------------------------------------------------------- */

/* What a copy's side has to be asked for while it waits for a range: see task_yield(). */
static const struct scsi_op side_op = { .service = NO_SERVICE, .stops = STOPS_WRITE };

static void side_init(struct copy *c, struct nexus *nexus)
{
	c->side = (struct scsi_task){ .nexus = nexus,
		.done = side_done,
		.status = SCSI_GOOD,
		.op = &side_op,
		.guard = GUARD_NONE };
}

static void hold(struct copy *c, struct scsi_task *t)
{
	for (unsigned i = 0; i < c->n; i++) {
		itl_pin(c->runs[i].to);
		if (c->runs[i].from)
			itl_pin(c->runs[i].from);
	}
	c->lu = lu_ref(t->itl->lu);
	nexus_hold(t->nexus);
}

enum scsi_next copy_begin(struct copy *c, bool wait)
{
	struct scsi_task *t = c->task;
	enum scsi_next next;

	side_init(c, t->nexus);
	hold(c, t);
	join_list(c, t->itl);
	if (!wait) {
		c->task = NULL;
		task_sleep(&c->side, advance);
		task_wake(&c->side);
		return task_good(t);
	}
	next = advance(&c->side, 0);
	if (next == SCSI_DONE) {
		copy_end(c);
		return SCSI_DONE;
	}
	t->more = c;
	t->then = told;
	t->busy = true;
	return SCSI_PENDING;
}
