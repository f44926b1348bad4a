/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * To the catalog and back. A unit hands over under its own lock, and all units under that of the
 * set: so requests reach the catalog in the order of the changes.
 */
#include "registry/kept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One hand-over on its way to the catalog. */
struct keeping {
	struct catalog_request request;
	struct kept_set *set;
	struct kept *what;
	struct lu_keep *asked;
};

/* --- one thing that is kept ----------------------------------------------------------------- */

void kept_init(struct kept *k, const uint8_t naa[static 16], bool nothing)
{
	memcpy(k->naa, naa, sizeof(k->naa));
	k->nothing = nothing;
	atomic_init(&k->refs, 1);
	list_init(&k->link);
}

static struct kept *ref(struct kept *k)
{
	atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
	return k;
}

void kept_unref(const struct kept *kept)
{
	struct kept *k = (struct kept *)(uintptr_t)kept;

	if (k && atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) == 1)
		free(k);
}

/* --- all of them, in memory ----------------------------------------------------------------- */

/* Under the lock; so are the next two. */
static struct kept *find(const struct kept_set *s, const uint8_t naa[static 16])
{
	list_for_each(it, &s->all) {
		struct kept *k = container_of(it, struct kept, link);

		if (!memcmp(k->naa, naa, sizeof(k->naa)))
			return k;
	}
	return NULL;
}

static void forget(struct kept *k)
{
	if (!k)
		return;
	list_del(&k->link);
	kept_unref(k);
}

static void put(struct kept_set *s, struct kept *k)
{
	forget(find(s, k->naa));
	if (!k->nothing)
		list_push(&s->all, &ref(k)->link);
}

struct kept *kept_set_find(struct kept_set *s, const uint8_t naa[static 16])
{
	struct kept *k;

	if (!kept_set_loaded(s))
		return NULL;
	pthread_mutex_lock(&s->lock);
	k = find(s, naa);
	if (k)
		ref(k);
	pthread_mutex_unlock(&s->lock);
	return k;
}

void kept_set_put(struct kept_set *s, struct kept *k)
{
	pthread_mutex_lock(&s->lock);
	put(s, k);
	pthread_mutex_unlock(&s->lock);
}

void kept_set_forget(struct kept_set *s, const uint8_t naa[static 16])
{
	if (!kept_set_loaded(s))
		return;
	pthread_mutex_lock(&s->lock);
	forget(find(s, naa));
	pthread_mutex_unlock(&s->lock);
}

/* --- to the catalog ------------------------------------------------------------------------- */

/* On the catalog's thread, perhaps more than once. */
static int write_down(struct catalog_request *request, struct catalog_tx *tx)
{
	const struct keeping *k = container_of(request, struct keeping, request);

	return k->set->kind->store(tx, k->what);
}

static void written_down(struct catalog_request *request)
{
	struct keeping *k = container_of(request, struct keeping, request);
	struct lu_keep *asked = k->asked;
	int err = request->err;

	if (!err && !k->set->kind->at_once)
		kept_set_put(k->set, k->what);
	kept_unref(k->what);
	free(k);
	asked->done(asked, err);
}

static void say_failed(struct loop_msg *m)
{
	struct lu_keep *asked = container_of(m, struct lu_keep, msg);

	asked->done(asked, asked->err);
}

static void refuse(struct lu_keep *asked, int err)
{
	asked->err = err;
	asked->msg.run = say_failed;
	loop_post(asked->loop, &asked->msg);
}

/* False: the catalog is closed. */
static bool submit(struct kept_set *s, struct keeping *k)
{
	bool open;

	pthread_mutex_lock(&s->lock);
	open = s->catalog;
	if (open) {
		if (s->kind->at_once)
			put(s, k->what);
		catalog_submit(s->catalog, &k->request);
	}
	pthread_mutex_unlock(&s->lock);
	return open;
}

void kept_set_hand_over(struct kept_set *s, struct kept *what, struct lu_keep *asked)
{
	struct keeping *k = what ? calloc(1, sizeof(*k)) : NULL;

	if (!k) {
		kept_unref(what);
		refuse(asked, -ENOMEM);
		return;
	}
	*k = (struct keeping){
		.request = { .run = write_down, .done = written_down, .home = asked->loop },
		.set = s,
		.what = what,
		.asked = asked,
	};
	if (submit(s, k))
		return;
	kept_unref(what);
	free(k);
	refuse(asked, -ESHUTDOWN);
}

/* --- from the catalog, and the end ---------------------------------------------------------- */

static int load_all(struct catalog_tx *tx, void *arg)
{
	struct kept_set *s = arg;

	return s->kind->load(s, tx);
}

int kept_set_load(struct kept_set *s, const struct kept_kind *kind, struct catalog *c,
	struct catalog_error *why)
{
	int err;

	s->kind = kind;
	pthread_mutex_init(&s->lock, NULL);
	s->catalog = c;
	list_init(&s->all);
	err = catalog_run(c, load_all, s, why);
	if (err)
		kept_set_end(s);
	return err;
}

bool kept_set_loaded(const struct kept_set *s)
{
	return s->kind;
}

void kept_set_stop(struct kept_set *s)
{
	if (!kept_set_loaded(s))
		return;
	pthread_mutex_lock(&s->lock);
	s->catalog = NULL;
	pthread_mutex_unlock(&s->lock);
}

void kept_set_end(struct kept_set *s)
{
	if (!kept_set_loaded(s))
		return;
	while (!list_empty(&s->all))
		forget(container_of(s->all.next, struct kept, link));
	pthread_mutex_destroy(&s->lock);
	s->kind = NULL;
}
