/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every request is sent on as a request of our own, whose memory is ours: the inner
 * store may end it in place or later, we end the outer one when chance says so.
 */
#include "tests/fault.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "store/kind.h"

struct fault {
	struct store store;
	struct store *inner;
	pthread_mutex_t lock; /* of all that follows */
	struct fault_cfg cfg;
	uint64_t seen, failed, busy;
	uint64_t chance; /* state of the generator */
};

struct fault_io {
	struct fault *fault;
	struct store_io io; /* what the inner store sees */
	struct store_io *outer;
	struct loop_timer timer;
	struct loop_msg msg;
	struct iovec *iov; /* ours, for a torn write */
	uint32_t delay_ms;
	int err; /* to end with instead of the inner store's, when not 0 */
};

static struct fault *fault_of(struct store *st)
{
	return (struct fault *)st;
}

static void deliver(struct fault_io *fio)
{
	struct store_io *outer = fio->outer;
	struct fault *f = fio->fault;
	int err = fio->err;

	pthread_mutex_lock(&f->lock);
	f->busy--;
	pthread_mutex_unlock(&f->lock);
	loop_timer_clear(&fio->timer);
	free(fio->iov);
	free(fio);
	outer->done(outer, err);
}

static void on_timer(struct loop_timer *t)
{
	deliver(container_of(t, struct fault_io, timer));
}

static void on_message(struct loop_msg *m)
{
	deliver(container_of(m, struct fault_io, msg));
}

static void inner_done(struct store_io *io, int err)
{
	struct fault_io *fio = container_of(io, struct fault_io, io);

	if (!fio->err)
		fio->err = err;
	if (fio->delay_ms)
		loop_timer_set(&fio->timer, fio->delay_ms);
	else
		loop_post(io->loop, &fio->msg);
}

/* xorshift64* */
static uint64_t chance(struct fault *f)
{
	f->chance ^= f->chance >> 12;
	f->chance ^= f->chance << 25;
	f->chance ^= f->chance >> 27;
	return f->chance * 0x2545f4914f6cdd1d;
}

/* Decides about one request; true when it is to be torn. */
static bool decide(struct fault *f, enum store_op op, struct fault_io *fio)
{
	const struct fault_cfg *c = &f->cfg;
	bool counts, fails = false;

	pthread_mutex_lock(&f->lock);
	counts = !c->ops || c->ops & 1u << op;
	f->seen += counts;
	f->busy++;
	if (counts && c->nth && f->seen >= c->nth)
		fails = !c->count || f->seen - c->nth < c->count;
	f->failed += fails;
	if (fails)
		fio->err = c->err;
	if (c->delay_ms)
		fio->delay_ms = (uint32_t)(chance(f) >> 32) % (c->delay_ms + 1);
	fails = fails && c->torn && op == STORE_WRITE;
	pthread_mutex_unlock(&f->lock);
	return fails;
}

/* Leaves the first half of a write, or nothing of a single block. */
static int tear(struct fault_io *fio, uint32_t block)
{
	const struct iovec *iov = fio->io.iov;
	uint64_t want = fio->io.len / 2 / block * block;
	int n = 0;

	fio->iov = malloc((size_t)fio->io.iovcnt * sizeof(*iov));
	if (!fio->iov)
		return -ENOMEM;
	fio->io.len = want;
	for (; want; n++) {
		fio->iov[n] = iov[n];
		if (fio->iov[n].iov_len > want)
			fio->iov[n].iov_len = want;
		want -= fio->iov[n].iov_len;
	}
	fio->io.iov = fio->iov;
	fio->io.iovcnt = n;
	return 0;
}

static void start(struct fault *f, struct fault_io *fio, bool torn)
{
	int err = torn ? tear(fio, f->store.block_size) : fio->err;

	if (!err)
		err = store_submit(f->inner, &fio->io);
	if (err != STORE_PENDING)
		inner_done(&fio->io, err);
}

static int fault_submit(struct store *st, struct store_io *io)
{
	struct fault *f = fault_of(st);
	struct fault_io *fio;

	if (io->op == STORE_COPY) /* it would reach past us */
		return -EOPNOTSUPP;
	fio = calloc(1, sizeof(*fio));
	if (!fio)
		return -ENOMEM;
	fio->io = (struct store_io){ .op = io->op,
		.flags = io->flags,
		.off = io->off,
		.len = io->len,
		.iov = io->iov,
		.iovcnt = io->iovcnt,
		.loop = io->loop,
		.done = inner_done };
	fio->fault = f;
	fio->outer = io;
	fio->msg.run = on_message;
	loop_timer_init(io->loop, &fio->timer, on_timer);
	start(f, fio, decide(f, io->op, fio));
	return STORE_PENDING;
}

static int fault_resize(struct store *st, uint64_t size)
{
	int err = store_resize(fault_of(st)->inner, size);

	if (!err)
		atomic_store(&st->size, size);
	return err;
}

static uint64_t fault_room(struct store *st)
{
	return store_room(fault_of(st)->inner);
}

static bool fault_astray(struct store *st)
{
	return store_astray(fault_of(st)->inner);
}

static int fault_extent(struct store *st, uint64_t off, uint64_t *len, bool *mapped)
{
	return store_extent(fault_of(st)->inner, off, len, mapped);
}

static void fault_close(struct store *st)
{
	struct fault *f = fault_of(st);

	store_close(f->inner);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

static const struct store_kind store_fault = {
	.name = "fault",
	.close = fault_close,
	.submit = fault_submit,
	.resize = fault_resize,
	.room = fault_room,
	.astray = fault_astray,
	.extent = fault_extent,
};

int fault_wrap(struct store *inner, struct store **out)
{
	struct fault *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->store.kind = &store_fault;
	atomic_init(&f->store.size, store_size(inner));
	f->store.block_size = inner->block_size;
	f->store.read_only = inner->read_only;
	f->store.thin = inner->thin;
	f->inner = inner;
	f->chance = 1;
	pthread_mutex_init(&f->lock, NULL);
	*out = &f->store;
	return 0;
}

void fault_set(struct store *st, const struct fault_cfg *cfg)
{
	struct fault *f = fault_of(st);

	pthread_mutex_lock(&f->lock);
	f->cfg = *cfg;
	f->seen = f->failed = 0;
	f->chance = cfg->seed | 1;
	pthread_mutex_unlock(&f->lock);
}

static uint64_t fault_get(struct store *st, const uint64_t *counter)
{
	struct fault *f = fault_of(st);
	uint64_t n;

	pthread_mutex_lock(&f->lock);
	n = *counter;
	pthread_mutex_unlock(&f->lock);
	return n;
}

uint64_t fault_seen(struct store *st)
{
	return fault_get(st, &fault_of(st)->seen);
}

uint64_t fault_failed(struct store *st)
{
	return fault_get(st, &fault_of(st)->failed);
}

uint64_t fault_busy(struct store *st)
{
	return fault_get(st, &fault_of(st)->busy);
}
