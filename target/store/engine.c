/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine: which loop has which ring, and what becomes of a piece that the
 * kernel did only in part. A loop whose ring cannot be made uses the pool.
 */
#include "store/engine.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/uring.h"

/* More loops than any machine has processors for; those beyond use the pool. */
enum { SEATS = 256 };

/* A loop takes a seat by setting `loop` and is the only one that looks at `ring` then. */
struct seat {
	_Atomic(struct loop *) loop;
	struct uring *ring; /* NULL: there is none to be had */
};

struct store_engine {
	struct work_pool *pool;
	bool uring;
	struct seat seat[SEATS];
};

static void transfer_ended(struct transfer *t, int res);

/* --- seats ----------------------------------------------------------------------------------- */

static void seat_furnish(struct seat *s, struct loop *loop)
{
	int err = uring_create(loop, transfer_ended, &s->ring);

	if (!err)
		return;
	s->ring = NULL;
	log_msg(LOG_WARNING, "no io_uring for this thread (%s); its file I/O uses the pool",
		strerror(-err));
}

/* The loop's seat, or NULL. The loops are few and sit in front: this looks at one or two. */
static struct seat *seat_of(struct store_engine *e, const struct loop *loop)
{
	for (size_t i = 0; i < SEATS; i++)
		if (atomic_load_explicit(&e->seat[i].loop, memory_order_relaxed) == loop)
			return &e->seat[i];
	return NULL;
}

static struct seat *seat_take(struct store_engine *e, struct loop *loop)
{
	for (size_t i = 0; i < SEATS; i++) {
		struct loop *is = NULL;

		if (atomic_compare_exchange_strong(&e->seat[i].loop, &is, loop)) {
			seat_furnish(&e->seat[i], loop);
			return &e->seat[i];
		}
	}
	return NULL;
}

static struct uring *ring_of(struct store_engine *e, struct loop *loop)
{
	struct seat *s;

	if (!e->uring)
		return NULL;
	s = seat_of(e, loop);
	if (!s)
		s = seat_take(e, loop);
	return s ? s->ring : NULL;
}

static void seat_leave(struct seat *s)
{
	uring_free(s->ring);
	s->ring = NULL;
	atomic_store_explicit(&s->loop, NULL, memory_order_release);
}

void store_engine_detach(struct store_engine *e, struct loop *loop)
{
	struct seat *s = seat_of(e, loop);

	if (s)
		seat_leave(s);
}

/* --- transfers ------------------------------------------------------------------------------- */

static ssize_t transfer_piece(struct transfer *t)
{
	int cnt;
	const struct iovec *iov = xfer_next(&t->x, &cnt);
	ssize_t n;

	if (t->write)
		n = pwritev2(t->fd, iov, cnt, (off_t)t->x.off, t->sync ? RWF_DSYNC : 0);
	else
		n = preadv(t->fd, iov, cnt, (off_t)t->x.off);
	return n < 0 ? -errno : n;
}

static void transfer_run(struct work *w)
{
	struct transfer *t = container_of(w, struct transfer, work);

	while (!xfer_over(&t->x, t->write, transfer_piece(t), &t->err))
		;
}

static void transfer_ran(struct work *w)
{
	struct transfer *t = container_of(w, struct transfer, work);

	t->done(t, t->err);
}

static void transfer_by_pool(struct transfer *t, struct loop *loop)
{
	t->work = (struct work){
		.run = transfer_run, .done = transfer_ran, .home = loop, .lane = t->lane
	};
	work_submit(t->engine->pool, &t->work);
}

/* A ring's result. Kernels have given up with EAGAIN where they should have waited; a thread
 * that blocks does not. */
static void transfer_ended(struct transfer *t, int res)
{
	if (res == -EAGAIN)
		transfer_by_pool(t, t->loop);
	else if (xfer_over(&t->x, t->write, res, &t->err))
		t->done(t, t->err);
	else
		uring_queue(ring_of(t->engine, t->loop), t);
}

void transfer_start(struct store_engine *e, struct transfer *t, struct loop *loop)
{
	struct uring *ring = ring_of(e, loop);

	t->engine = e;
	t->loop = loop;
	if (ring)
		uring_queue(ring, t);
	else
		transfer_by_pool(t, loop);
}

/* --- the engine ------------------------------------------------------------------------------ */

int store_engine_create(
	struct work_pool *pool, enum store_engine_want want, struct store_engine **out)
{
	int err = want == STORE_ENGINE_THREADS ? -ENOSYS : uring_probe();
	struct store_engine *e;

	if (err && want == STORE_ENGINE_URING)
		return err;
	if (err && want == STORE_ENGINE_AUTO)
		log_msg(LOG_NOTICE, "io_uring cannot be used here (%s); file I/O uses threads",
			strerror(-err));
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->pool = pool;
	e->uring = !err;
	*out = e;
	return 0;
}

void store_engine_free(struct store_engine *e)
{
	for (size_t i = 0; e && i < SEATS; i++)
		seat_leave(&e->seat[i]);
	free(e);
}

const char *store_engine_name(const struct store_engine *e)
{
	return e->uring ? "io_uring" : "threads";
}

struct work_pool *store_engine_pool(struct store_engine *e)
{
	return e->pool;
}
