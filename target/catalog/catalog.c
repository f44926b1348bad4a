/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The catalog's thread and its queue. The thread takes what has gathered while it was busy and
 * hands it to the transactions together; when nothing has come for a while, it clears
 * the journal of secrets that are no longer.
 */
#include "catalog/catalog.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "catalog/opening.h"
#include "catalog/refuse.h"
#include "catalog/rekey.h"
#include "catalog/tx.h"

#define BATCH_MAX     64   /* requests that share a transaction */
#define JOURNAL_PAGES 1000 /* as long as the journal may become; SQLite's own measure */
#define SETTLE_MS     500  /* of silence, before the journal is cleared of old secrets */

struct catalog {
	struct catalog_tx tx; /* the thread's, as the next two */
	struct keys keys;
	bool checkpoint_failed;
	pthread_t thread;
	bool running; /* the opener's */
	pthread_mutex_t lock;
	pthread_cond_t more; /* a request was queued, or the catalog closes */
	struct list queue;
	bool closing;
};

/* --- the thread ----------------------------------------------------------------------------- */

static struct timespec in_ms(long ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += ms % 1000 * 1000000;
	t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

/* Sleeps until there is something to do: a request, the end, or old secrets in the journal and
 * silence. The lock is held. */
static void wait_for_more(struct catalog *c)
{
	struct timespec until = in_ms(SETTLE_MS);
	int err = 0;

	while (list_empty(&c->queue) && !c->closing && err != ETIMEDOUT)
		err = c->tx.stale_secrets ? pthread_cond_timedwait(&c->more, &c->lock, &until)
					  : pthread_cond_wait(&c->more, &c->lock);
}

static bool is_rekey(const struct list *link)
{
	return container_of(link, struct catalog_request, link)->rekey;
}

/* Requests for one transaction, in order; a change of the key stands alone. The lock is held. */
static void take_batch(struct catalog *c, struct list *batch)
{
	for (unsigned n = 0; n < BATCH_MAX && !list_empty(&c->queue); n++) {
		bool rekey = is_rekey(c->queue.next);

		if (rekey && n)
			return;
		list_push(batch, list_pop(&c->queue));
		if (rekey)
			return;
	}
}

static void tell_home(struct loop_msg *m)
{
	struct catalog_request *r = container_of(m, struct catalog_request, msg);

	r->done(r);
}

/* Requests of catalog_run() have no home: they are told here. */
static void tell(struct catalog_request *r)
{
	if (!r->home) {
		r->done(r);
		return;
	}
	r->msg.run = tell_home;
	loop_post(r->home, &r->msg);
}

static void carry_out(struct catalog *c, struct list *batch)
{
	struct list *link;

	if (is_rekey(batch->next))
		rekey_carry_out(
			&c->tx, &c->keys, container_of(batch->next, struct catalog_request, link));
	else
		tx_carry_out(&c->tx, batch);
	while ((link = list_pop(batch)))
		tell(container_of(link, struct catalog_request, link));
}

/* A reader may be in the way: then another time. */
static void checkpoint(struct catalog *c)
{
	int err = db_checkpoint(c->tx.db);

	if (!err)
		c->tx.stale_secrets = false;
	else if (err != -EBUSY && !c->checkpoint_failed)
		log_msg(LOG_WARNING, "the catalog's journal cannot be taken in: %s",
			db_why(c->tx.db));
	c->checkpoint_failed = err && err != -EBUSY;
}

static void *thread_main(void *arg)
{
	struct catalog *c = arg;
	struct list batch;
	bool closing = false;

	list_init(&batch);
	while (!closing) {
		pthread_mutex_lock(&c->lock);
		wait_for_more(c);
		take_batch(c, &batch);
		closing = c->closing && list_empty(&batch);
		pthread_mutex_unlock(&c->lock);
		if (!list_empty(&batch)) {
			carry_out(c, &batch);
			if (db_journal_pages(c->tx.db) >= JOURNAL_PAGES)
				checkpoint(c);
		} else if (c->tx.stale_secrets) {
			checkpoint(c);
		}
	}
	return NULL;
}

/* --- opening and closing -------------------------------------------------------------------- */

static void init_queue(struct catalog *c)
{
	pthread_condattr_t attr;

	list_init(&c->queue);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->more, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&c->lock, NULL);
}

/* A thread that takes no signals, which are the main thread's. */
static int start_thread(struct catalog *c, struct catalog_error *why)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&c->thread, NULL, thread_main, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		return refuse(
			why, -err, "the catalog's thread cannot be started: %s", strerror(err));
	pthread_setname_np(c->thread, "catalog");
	c->running = true;
	return 0;
}

int catalog_open(const struct catalog_config *cfg, struct catalog **out, struct catalog_error *why)
{
	struct catalog *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return refuse(why, -ENOMEM, "out of memory");
	init_queue(c);
	c->tx.audit_rows = cfg->audit_rows ? cfg->audit_rows : CATALOG_AUDIT_ROWS;
	err = keys_find(&c->keys, cfg);
	if (err)
		refuse(why, err, "out of memory");
	else
		err = opening_db(cfg->dir, &c->tx.db, why);
	if (!err)
		err = rekey_start(&c->tx, &c->keys, why);
	if (!err)
		err = start_thread(c, why);
	if (err) {
		catalog_close(c);
		return err;
	}
	*out = c;
	return 0;
}

void catalog_close(struct catalog *c)
{
	if (!c)
		return;
	if (c->running) {
		pthread_mutex_lock(&c->lock);
		c->closing = true;
		pthread_cond_signal(&c->more);
		pthread_mutex_unlock(&c->lock);
		pthread_join(c->thread, NULL);
	}
	assert(list_empty(&c->queue));
	db_close(c->tx.db);
	keys_free(&c->keys);
	seal_ring_wipe(&c->tx.ring);
	pthread_cond_destroy(&c->more);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* --- requests ------------------------------------------------------------------------------- */

static void enqueue(struct catalog *c, struct catalog_request *r)
{
	pthread_mutex_lock(&c->lock);
	list_push(&c->queue, &r->link);
	pthread_cond_signal(&c->more);
	pthread_mutex_unlock(&c->lock);
}

void catalog_submit(struct catalog *c, struct catalog_request *r)
{
	r->rekey = false;
	enqueue(c, r);
}

void catalog_rekey(struct catalog *c, struct catalog_request *r)
{
	r->rekey = true;
	enqueue(c, r);
}

struct waiting {
	struct catalog_request request;
	int (*fn)(struct catalog_tx *tx, void *arg);
	void *arg;
	sem_t ended;
};

static int waiting_run(struct catalog_request *r, struct catalog_tx *tx)
{
	struct waiting *w = container_of(r, struct waiting, request);

	return w->fn(tx, w->arg);
}

static void waiting_done(struct catalog_request *r)
{
	sem_post(&container_of(r, struct waiting, request)->ended);
}

int catalog_run(struct catalog *c, int (*fn)(struct catalog_tx *tx, void *arg), void *arg,
	struct catalog_error *why)
{
	struct waiting w = {
		.request = { .run = waiting_run, .done = waiting_done }, .fn = fn, .arg = arg
	};

	sem_init(&w.ended, 0, 0);
	catalog_submit(c, &w.request);
	while (sem_wait(&w.ended)) /* a signal */
		;
	sem_destroy(&w.ended);
	if (why)
		*why = w.request.why;
	return w.request.err;
}

bool catalog_changed_since(struct catalog_tx *tx, uint64_t *generation)
{
	int64_t now = 0;

	/* Counts the commits of other connections; it is not 0, and a failure of it is sticky. */
	if (db_exec_int(tx->db, "PRAGMA data_version", &now) || (uint64_t)now == *generation)
		return false;
	*generation = (uint64_t)now;
	return true;
}
