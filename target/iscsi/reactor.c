/* SPDX-License-Identifier: BSD-2-Clause */
/* Reactors (reactor.h): what a thread of the server is made of. */
#include "iscsi/reactor.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "iscsi/cmd.h"
#include "iscsi/conn.h"
#include "iscsi/shared.h"
#include "iscsi/tx.h"

/* Free data buffers that a reactor keeps for the next command. */
#define KEEP_BYTES ((size_t)8 << 20)

static void destroy(struct reactor *r)
{
	cmd_trim(r);
	parting_end(&r->parting);
	tx_batch_free(r->batch);
	free(r->input);
	bufs_free(r->bufs);
	loop_free(r->loop);
	directory_unref(r->dir);
	free(r);
}

static void make_way(struct loop_msg *m)
{
	struct reactor *r = container_of(m, struct reactor, making_way);
	struct guard_ticket *t;

	while ((t = guard_called(r->shared->guard, &r->desk)))
		conn_make_way(container_of(t, struct conn, ticket));
}

static void tell(struct guard_desk *d)
{
	struct reactor *r = container_of(d, struct reactor, desk);

	loop_post(r->loop, &r->making_way);
}

int reactor_create(struct shared *shared, unsigned index, uint64_t poll_ns, struct directory *dir,
		   struct reactor **out)
{
	struct reactor *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->shared = shared;
	r->index = index;
	r->dir = directory_ref(dir);
	list_init(&r->conns);
	list_init(&r->sessions);
	list_init(&r->spare);
	guard_desk_init(&r->desk, tell);
	r->making_way.run = make_way;
	if ((err = loop_create(poll_ns, &r->loop)) != 0 ||
	    (err = bufs_create(r->loop, KEEP_BYTES, &r->bufs)) != 0)
		goto fail;
	parting_init(&r->parting, r->loop);
	err = -ENOMEM;
	if (!(r->input = malloc(REACTOR_INPUT)) || !(r->batch = tx_batch_new()))
		goto fail;
	*out = r;
	return 0;
fail:
	destroy(r);
	return err;
}

static void *thread_main(void *arg)
{
	struct reactor *r = arg;

	loop_run(r->loop);
	if (r->shared->loop_ends)
		r->shared->loop_ends(r->shared->arg, r->loop);
	return NULL;
}

int reactor_start(struct reactor *r)
{
	sigset_t all, before;
	char name[16];
	int err;

	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&r->thread, NULL, thread_main, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		return -err;
	r->started = true;
	snprintf(name, sizeof(name), "reactor-%u", r->index);
	pthread_setname_np(r->thread, name);
	return 0;
}

void reactor_check_drained(struct reactor *r)
{
	if (r->drained && list_empty(&r->conns) && list_empty(&r->sessions))
		r->drained(r);
}

void reactor_free(struct reactor *r)
{
	if (!r)
		return;
	if (r->started) {
		loop_stop(r->loop);
		pthread_join(r->thread, NULL);
	}
	assert(list_empty(&r->conns) && list_empty(&r->sessions));
	destroy(r);
}
