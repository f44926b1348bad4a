/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sharing: while one fdatasync() runs, further flushes gather. A flush may only be
 * served by a sync that begins after it came, since writes that ended shortly
 * before it need not be covered by one that is under way. So those that gathered
 * wait for the next, led by the first of them.
 *
 * Failure: when write-back fails, Linux marks the pages clean, tells the error to
 * one fsync() per open file, and answers 0 to the next, although the data are lost.
 * Which acknowledged writes those were nobody can say any more, and other
 * initiators, whose flush comes later, would be told that their data are safe. So
 * the first failure is kept, and every flush fails from then on, until the store is
 * opened anew: reads and writes go on, but nothing is called durable that may not be.
 */
#include "store/flush.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

_Static_assert(sizeof(struct flush_io) <= STORE_IO_PRIVATE, "a flush fits into a request");

void flush_init(struct flush *f, int fd, const char *name, struct work_pool *pool)
{
	pthread_mutex_init(&f->lock, NULL);
	list_init(&f->waiting);
	f->busy = false;
	atomic_init(&f->failed, 0);
	f->fd = fd;
	f->name = name;
	f->pool = pool;
}

void flush_destroy(struct flush *f)
{
	pthread_mutex_destroy(&f->lock);
}

void flush_fail(struct flush *f, int err)
{
	int none = 0;

	if (atomic_compare_exchange_strong(&f->failed, &none, err))
		log_msg(LOG_ERR,
			"%s: writing back failed (%s): acknowledged data may be lost; "
			"every flush fails until it is opened anew",
			f->name, strerror(-err));
}

int flush_now(struct flush *f)
{
	int r;

	do {
		r = fdatasync(f->fd);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		flush_fail(f, -errno);
	return atomic_load(&f->failed);
}

static struct flush_io *flush_of(struct list *l)
{
	return container_of(l, struct flush_io, link);
}

static void flush_run(struct work *w);
static void flush_ran(struct work *w);

static void lead(struct flush_io *fi)
{
	fi->work = (struct work){ .run = flush_run, .done = flush_ran, .home = fi->io->loop };
	work_submit(fi->flush->pool, &fi->work);
}

/* On the leader's loop. */
static void flush_ran(struct work *w)
{
	struct flush_io *fi = container_of(w, struct flush_io, work);

	fi->io->done(fi->io, fi->err);
}

/* On the loop of one that was served. */
static void flush_served(struct loop_msg *m)
{
	struct flush_io *fi = container_of(m, struct flush_io, msg);

	fi->io->done(fi->io, fi->err);
}

/* The next leader, if any waits; otherwise nobody leads. It stays in the list of those waiting:
 * until its sync begins, others may still join. */
static struct flush_io *next_leader(struct flush *f)
{
	struct flush_io *next = NULL;

	pthread_mutex_lock(&f->lock);
	if (list_empty(&f->waiting))
		f->busy = false;
	else
		next = flush_of(f->waiting.next);
	pthread_mutex_unlock(&f->lock);
	return next;
}

/* On a pool thread: serves all that wait. The leader is told last, by the pool, so that the
 * store is in use until this returns. */
static void flush_run(struct work *w)
{
	struct flush_io *leader = container_of(w, struct flush_io, work), *next;
	struct flush *f = leader->flush;
	struct list served, *l;
	int err;

	list_init(&served);
	pthread_mutex_lock(&f->lock);
	list_splice(&served, &f->waiting);
	pthread_mutex_unlock(&f->lock);
	err = flush_now(f);
	next = next_leader(f);
	while ((l = list_pop(&served))) {
		flush_of(l)->err = err;
		if (flush_of(l) != leader)
			loop_post(flush_of(l)->io->loop, &flush_of(l)->msg);
	}
	if (next)
		lead(next);
}

void flush_start(struct flush *f, struct store_io *io)
{
	struct flush_io *fi = (struct flush_io *)(void *)io->priv;
	bool leads;

	*fi = (struct flush_io){ .msg.run = flush_served, .flush = f, .io = io };
	pthread_mutex_lock(&f->lock);
	list_push(&f->waiting, &fi->link);
	leads = !f->busy;
	f->busy = true;
	pthread_mutex_unlock(&f->lock);
	if (leads)
		lead(fi);
}
