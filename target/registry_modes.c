/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * To the catalog and back. A unit hands over one change at a time; what is in memory follows when
 * the catalog has it, before the unit learns.
 */
#include "registry_modes.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/mode.h"

struct modes {
	struct lu_mode_keeper keeper;
	pthread_mutex_t lock;
	struct catalog *catalog; /* NULL: it is closed */
	struct list kept;
};

/* What one unit has saved. */
struct kept {
	struct list link;
	uint8_t naa[16];
	struct lu_saved is;
};

/* One hand-over on its way to the catalog. */
struct keeping {
	struct catalog_request request;
	struct modes *modes;
	struct kept *what;
	struct lu_keep *asked;
};

/* --- what is kept of a unit ----------------------------------------------------------------- */

static struct kept *kept_new(const uint8_t naa[static 16], const struct lu_saved *is)
{
	struct kept *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	list_init(&k->link);
	memcpy(k->naa, naa, sizeof(k->naa));
	k->is = *is;
	return k;
}

/* Under the lock, or before anybody else is there; so are the next two. */
static struct kept *find(const struct modes *m, const uint8_t naa[static 16])
{
	list_for_each(it, &m->kept) {
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
	free(k);
}

/* In the place of what was there; k is given away. */
static void put(struct modes *m, struct kept *k)
{
	forget(find(m, k->naa));
	if (k->is.n)
		list_push(&m->kept, &k->link);
	else
		free(k);
}

bool modes_find(struct modes *m, const uint8_t naa[static 16], struct lu_saved *out)
{
	const struct kept *k;

	pthread_mutex_lock(&m->lock);
	k = find(m, naa);
	if (k)
		*out = k->is;
	pthread_mutex_unlock(&m->lock);
	return k;
}

void modes_forget(struct modes *m, const uint8_t naa[static 16])
{
	pthread_mutex_lock(&m->lock);
	forget(find(m, naa));
	pthread_mutex_unlock(&m->lock);
}

/* --- to the catalog ------------------------------------------------------------------------- */

int modes_forget_stored(struct catalog_tx *tx, const uint8_t naa[static 16])
{
	return catalog_mode_put(tx, naa, NULL, 0);
}

/* On the catalog's thread, perhaps more than once. */
static int write_down(struct catalog_request *request, struct catalog_tx *tx)
{
	const struct kept *what = container_of(request, struct keeping, request)->what;
	struct catalog_mode_page rows[LU_SAVED_PAGES];

	for (unsigned i = 0; i < what->is.n; i++) {
		const struct lu_saved_page *p = &what->is.pages[i];

		rows[i] = (struct catalog_mode_page){ .page = p->code,
			.subpage = p->subpage,
			.mask = p->mask,
			.value = p->value,
			.len = p->len };
	}
	return catalog_mode_put(tx, what->naa, rows, what->is.n);
}

static void written_down(struct catalog_request *request)
{
	struct keeping *k = container_of(request, struct keeping, request);
	struct lu_keep *asked = k->asked;
	int err = request->err;

	if (err) {
		free(k->what);
	} else {
		pthread_mutex_lock(&k->modes->lock);
		put(k->modes, k->what);
		pthread_mutex_unlock(&k->modes->lock);
	}
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

static struct keeping *keeping_new(struct modes *m, struct lu_keep *asked,
	const uint8_t naa[static 16], const struct lu_saved *is)
{
	struct keeping *k = calloc(1, sizeof(*k));
	struct kept *what = kept_new(naa, is);

	if (!k || !what) {
		free(k);
		free(what);
		return NULL;
	}
	*k = (struct keeping){
		.request = { .run = write_down, .done = written_down, .home = asked->loop },
		.modes = m,
		.what = what,
		.asked = asked,
	};
	return k;
}

/* False: the catalog is closed. */
static bool hand_over(struct modes *m, struct keeping *k)
{
	bool open;

	pthread_mutex_lock(&m->lock);
	open = m->catalog;
	if (open)
		catalog_submit(m->catalog, &k->request);
	pthread_mutex_unlock(&m->lock);
	return open;
}

static void keep(struct lu_mode_keeper *keeper, struct lu_keep *asked, const uint8_t naa[static 16],
	const struct lu_saved *is)
{
	struct modes *m = container_of(keeper, struct modes, keeper);
	struct keeping *k = keeping_new(m, asked, naa, is);

	if (!k) {
		refuse(asked, -ENOMEM);
	} else if (!hand_over(m, k)) {
		free(k->what);
		free(k);
		refuse(asked, -ESHUTDOWN);
	}
}

struct lu_mode_keeper *modes_keeper(struct modes *m)
{
	return &m->keeper;
}

/* --- from the catalog ----------------------------------------------------------------------- */

/* What is there of a unit so far; NULL: no memory. */
static struct kept *gathered(struct modes *m, const uint8_t naa[static 16])
{
	struct kept *k = find(m, naa);

	if (k)
		return k;
	k = kept_new(naa, &(struct lu_saved){ .n = 0 });
	if (k)
		list_push(&m->kept, &k->link);
	return k;
}

/* Pages that no unit can have are of a newer server, or somebody has written in the database. */
static int load_row(const uint8_t *unit, const struct catalog_mode_page *row, void *arg)
{
	struct kept *k = gathered(arg, unit);
	struct lu_saved_page *p;

	if (!k)
		return -ENOMEM;
	if (row->len > LU_MODE_PAGE_SIZE || k->is.n == LU_SAVED_PAGES)
		return 0;
	p = &k->is.pages[k->is.n++];
	p->code = row->page;
	p->subpage = row->subpage;
	p->len = (uint8_t)row->len;
	memcpy(p->mask, row->mask, row->len);
	memcpy(p->value, row->value, row->len);
	return 0;
}

static int load_all(struct catalog_tx *tx, void *arg)
{
	return catalog_mode_load(tx, load_row, arg);
}

int modes_load(struct catalog *c, struct modes **out, struct catalog_error *why)
{
	struct modes *m = calloc(1, sizeof(*m));
	int err;

	if (!m) {
		*why = (struct catalog_error){ "out of memory" };
		return -ENOMEM;
	}
	m->keeper.keep = keep;
	pthread_mutex_init(&m->lock, NULL);
	m->catalog = c;
	list_init(&m->kept);
	err = catalog_run(c, load_all, m, why);
	if (err)
		modes_free(m);
	else
		*out = m;
	return err;
}

void modes_stop(struct modes *m)
{
	if (!m)
		return;
	pthread_mutex_lock(&m->lock);
	m->catalog = NULL;
	pthread_mutex_unlock(&m->lock);
}

void modes_free(struct modes *m)
{
	if (!m)
		return;
	while (!list_empty(&m->kept))
		forget(container_of(m->kept.next, struct kept, link));
	pthread_mutex_destroy(&m->lock);
	free(m);
}
