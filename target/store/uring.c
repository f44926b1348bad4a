/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring of one loop. Submissions are gathered while the loop goes over its
 * connections and handed over a few at a time, the last at the end of the round.
 *
 * Few at a time, both ways: where the disk and the initiator each wait for a whole
 * batch of the other, they take turns, and one of them is always idle.
 *
 * The loop watches the ring's own descriptor, which is readable while completions
 * wait: no eventfd, so nothing to drain, and while the loop polls, looking for
 * completions is a read of shared memory without a system call.
 */
#include "store/uring.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>

enum {
	SQ_ENTRIES = 256,
	/* Never more in the kernel than its completion ring holds, so that it cannot overflow. */
	CQ_ENTRIES = 2048,
	SUBMIT_MIN = 4, /* ... or an eighth of what is running */
	REAP_MIN = 8,   /* ... or a quarter */
	REAP_MAX = 64,
	RETRY_MS = 1,
};

struct uring {
	struct io_uring ring;
	struct loop_watch watch;
	struct loop_defer submit;
	struct loop_timer retry;
	struct list waiting; /* transfers without a place in the ring */
	unsigned queued;     /* in the submission ring */
	unsigned running;    /* in the kernel */
	unsigned reads;      /* begun and not ended */
	void (*ended)(struct transfer *t, int res);
};

/* The better first: no interrupts of a running thread for completions (Linux 5.19), and plain.
 * DEFER_TASKRUN would be the best of all, but such a ring does not wake who polls its descriptor
 * before somebody has entered it. */
static const unsigned setups[] = {
	IORING_SETUP_CQSIZE | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
	IORING_SETUP_CQSIZE,
};

static int ring_open(struct io_uring *ring, unsigned sq, unsigned cq)
{
	int err = -EINVAL;

	for (size_t i = 0; err == -EINVAL && i < sizeof(setups) / sizeof(setups[0]); i++) {
		struct io_uring_params p = { .flags = setups[i], .cq_entries = cq };

		err = io_uring_queue_init_params(sq, ring, &p);
	}
	return err;
}

int uring_probe(void)
{
	struct io_uring ring;
	int err = ring_open(&ring, 4, 8);

	if (!err)
		io_uring_queue_exit(&ring);
	return err;
}

static void prepare(struct uring *u, struct io_uring_sqe *sqe, struct transfer *t)
{
	int cnt;
	const struct iovec *iov = xfer_next(&t->x, &cnt);

	if (t->write)
		io_uring_prep_writev2(
			sqe, t->fd, iov, (unsigned)cnt, t->x.off, t->sync ? RWF_DSYNC : 0);
	else
		io_uring_prep_readv(sqe, t->fd, iov, (unsigned)cnt, t->x.off);
	io_uring_sqe_set_data(sqe, t);
	u->queued++;
}

/* A read is worth polling for. Not so a write: a thread of the kernel may have to do it, for which
 * there may be no processor but ours. */
static void read_begins(struct uring *u)
{
	if (!u->reads++)
		loop_await(u->watch.loop, true);
}

static void read_ends(struct uring *u)
{
	if (!--u->reads)
		loop_await(u->watch.loop, false);
}

/* Moves what waits into the ring, as far as there is room. */
static void fill(struct uring *u)
{
	while (!list_empty(&u->waiting) && u->queued + u->running < CQ_ENTRIES) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

		if (!sqe)
			return;
		prepare(u, sqe, container_of(list_pop(&u->waiting), struct transfer, link));
	}
}

/* Hands the ring over. False when the kernel takes no more now. */
static bool hand_over(struct uring *u)
{
	int n = io_uring_submit(&u->ring);

	if (n > 0) {
		u->queued -= (unsigned)n;
		u->running += (unsigned)n;
	}
	return n > 0 || n == -EINTR;
}

/* All that waits goes in, 256 at a time. Where the kernel refuses (no memory, mostly), the next
 * completion tries again; where there is none to come, a timer does. */
static void submit_all(struct uring *u)
{
	fill(u);
	while (u->queued) {
		if (!hand_over(u)) {
			if (!u->running)
				loop_timer_set(&u->retry, RETRY_MS);
			return;
		}
		fill(u);
	}
}

static void on_round_end(struct loop_defer *d)
{
	submit_all(container_of(d, struct uring, submit));
}

static void on_retry(struct loop_timer *t)
{
	submit_all(container_of(t, struct uring, retry));
}

static unsigned reap_batch(unsigned running)
{
	unsigned n = running / 4;

	return n < REAP_MIN ? REAP_MIN : n > REAP_MAX ? REAP_MAX : n;
}

static bool on_completions(struct loop_watch *w, unsigned conditions)
{
	struct uring *u = container_of(w, struct uring, watch);
	struct io_uring_cqe *cqe[REAP_MAX];
	unsigned n;

	(void)conditions;
	if (!u->running)
		return false;
	n = io_uring_peek_batch_cqe(&u->ring, cqe, reap_batch(u->running));
	for (unsigned i = 0; i < n; i++) {
		struct transfer *t = io_uring_cqe_get_data(cqe[i]);
		int res = cqe[i]->res;

		/* Given back first: ended() may queue, and the place counts as free then. */
		io_uring_cqe_seen(&u->ring, cqe[i]);
		u->running--;
		if (!t->write)
			read_ends(u);
		u->ended(t, res);
	}
	if (n && (u->queued || !list_empty(&u->waiting)))
		loop_defer(u->watch.loop, &u->submit);
	return n;
}

void uring_queue(struct uring *u, struct transfer *t)
{
	if (!t->write)
		read_begins(u);
	list_init(&t->link);
	list_push(&u->waiting, &t->link);
	fill(u);
	if (u->queued >= SUBMIT_MIN && u->queued >= u->running / 8)
		submit_all(u);
	else
		loop_defer(u->watch.loop, &u->submit);
}

int uring_create(struct loop *loop, void (*ended)(struct transfer *t, int res), struct uring **out)
{
	struct uring *u = calloc(1, sizeof(*u));
	int err;

	if (!u)
		return -ENOMEM;
	err = ring_open(&u->ring, SQ_ENTRIES, CQ_ENTRIES);
	if (err) {
		free(u);
		return err;
	}
	list_init(&u->waiting);
	loop_defer_init(&u->submit, on_round_end);
	loop_timer_init(loop, &u->retry, on_retry);
	u->ended = ended;
	err = loop_watch(loop, &u->watch, u->ring.ring_fd, LOOP_READ, on_completions);
	if (err)
		uring_free(u);
	else
		*out = u;
	return err;
}

void uring_free(struct uring *u)
{
	if (!u)
		return;
	loop_unwatch(&u->watch);
	loop_undefer(&u->submit);
	loop_timer_clear(&u->retry);
	io_uring_queue_exit(&u->ring);
	free(u);
}
