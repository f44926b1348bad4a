/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cartridges come and go: ADD, REMOVE; and what is said about them changes: PROTECT, POOL.
 *
 * The files of a new cartridge are there before its row, those of one that goes are hidden before
 * its row goes and destroyed after it. So a crash in between leaves files that no row knows, never
 * a row without files.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "vtl/library_private.h"
#include "vtl/media.h"

/* --- ADD --------------------------------------------------------------------------- */

#define CLEANING_PREFIX "CLN"

/* What the barcode says of the medium, unless the request says it: the generation, WORM,
 * cleaning. */
static bool cartridge_wanted(
	const struct library *l, const struct library_request *r, struct cartridge_cfg *cfg)
{
	size_t len = strlen(r->barcode);
	bool worm = false;
	const struct media *said = media_suffix(r->barcode + (len > 2 ? len - 2 : 0), &worm);

	*cfg = (struct cartridge_cfg){
		.barcode = r->barcode,
		.media = r->add.generation ? media_generation(r->add.generation)
			 : said            ? said
					   : media_generation(l->generation),
		.capacity = r->add.size,
		.cleaning = r->add.cleaning ||
			    !strncmp(r->barcode, CLEANING_PREFIX, strlen(CLEANING_PREFIX)),
	};
	cfg->worm = !cfg->cleaning && (r->add.worm || (said && worm));
	return cfg->media;
}

/* On the pool. */
static void make_run(struct work *w)
{
	struct library *l = library_of_work(w);
	struct library_job *job = &l->job;
	const struct library_request *r = job->r;
	struct cartridge_cfg cfg;

	if (r->add.existing)
		job->work_err = shelf_look(l->path, r->barcode, &job->found);
	else if (cartridge_wanted(l, r, &cfg))
		job->work_err = shelf_make(l->path, &cfg, &job->found);
	else
		job->work_err = -EINVAL;
}

/* On the pool: the row was refused. */
static void unmake_run(struct work *w)
{
	struct library *l = library_of_work(w);
	char path[SHELF_PATH_MAX];

	if (shelf_path(l->path, l->job.r->barcode, path, sizeof(path)))
		cartridge_remove(path);
}

static void unmade(struct work *w)
{
	struct library *l = library_of_work(w);

	library_end(l, library_result_of(l->job.err), l->job.err);
}

/* Made as asked for, but perhaps not as meant. */
static void warn_of_generation(const struct library *l)
{
	const struct media *m = media_generation(l->job.found.generation);
	const char *barcode = l->job.r->barcode;

	if (m && !l->job.found.cleaning && !media_reads(l->generation, m))
		log_msg(LOG_WARNING,
			"library %s: no drive reads cartridge %s: it is %s, they are %s", l->name,
			barcode, m->name, media_generation(l->generation)->name);
}

static void added(struct library *l, int err)
{
	enum catalog_place_kind kind = l->job.r->place.kind;

	if (err && l->job.found.made) {
		l->job.err = err;
		library_work(l, unmake_run, unmade);
		return;
	}
	if (!err)
		warn_of_generation(l);
	if (!err && !l->job.r->host)
		library_notify(l, kind);
	library_end(l, library_result_of(err), err);
}

static void refuse_make(struct library *l, int err)
{
	struct library_request *r = l->job.r;

	if (err == -ENOENT || err == -EBADMSG)
		snprintf(r->why, sizeof(r->why), "%s/%s is no cartridge of that barcode", l->path,
			r->barcode);
	else if (err == -EEXIST)
		snprintf(r->why, sizeof(r->why), "there is another %s/%s already", l->path,
			r->barcode);
	library_end(l, err == -EINVAL ? LIBRARY_INVALID : library_result_of(err), err);
}

static void made(struct work *w)
{
	struct library *l = library_of_work(w);
	struct library_job *job = &l->job;
	struct library_request *r = job->r;
	int64_t now = (int64_t)time(NULL);

	if (job->work_err) {
		refuse_make(l, job->work_err);
		return;
	}
	job->change = LIBRARY_NEW_ROW;
	if (!library_prepare(l, &(struct catalog_tape){ .barcode = r->barcode,
					.library = l->name,
					.place = r->place,
					.source = { .kind = CATALOG_IN_VAULT },
					.medium = (uint16_t)job->found.generation,
					.cleaning = job->found.cleaning,
					.worm = job->found.worm,
					.write_protect = r->write_protect,
					.size = job->found.size,
					.used = job->found.used,
					.state = LIBRARY_STATE_AVAILABLE,
					.pool = r->pool,
					.created = now,
					.pool_entered = r->pool && *r->pool ? now : 0 }))
		return;
	job->next->imported = r->place.kind == CATALOG_IN_MAIL_SLOT;
	library_commit(l, added);
}

void library_add(struct library *l)
{
	struct library_request *r = l->job.r;
	enum library_result result;

	if (!barcode_valid(r->barcode)) {
		library_end(l, LIBRARY_INVALID, 0);
		return;
	}
	if (inventory_find(&l->inv, r->barcode)) {
		library_end(l, LIBRARY_EXISTS, 0);
		return;
	}
	result = library_choose(l, r, &r->place);
	if (!result && !r->host && library_locked(l, r->place.kind))
		result = LIBRARY_LOCKED;
	if (result)
		library_end(l, result, 0);
	else
		library_work(l, make_run, made);
}

/* --- what is there already --------------------------------------------------------- */

/* The request's cartridge; NULL: the request has ended. */
static const struct inventory_tape *find(struct library *l, bool may_be_loaded)
{
	const struct inventory_tape *t = inventory_find(&l->inv, l->job.r->barcode);

	if (t && !t->under_way && (may_be_loaded || t->row.place.kind != CATALOG_IN_DRIVE))
		return t;
	library_end(l,
		!t             ? LIBRARY_NO_TAPE
		: t->under_way ? LIBRARY_ARCHIVED
			       : LIBRARY_IN_DRIVE,
		0);
	return NULL;
}

/* --- REMOVE ------------------------------------------------------------------------ */

static void hide_run(struct work *w)
{
	struct library *l = library_of_work(w);
	const struct catalog_tape *row = &l->job.next->row;

	l->job.work_err = shelf_hide(library_shelf(l, row), row->barcode);
}

static void show_run(struct work *w)
{
	struct library *l = library_of_work(w);
	const struct catalog_tape *row = &l->job.next->row;

	l->job.work_err = shelf_show(library_shelf(l, row), row->barcode);
}

static void destroy_run(struct work *w)
{
	struct library *l = library_of_work(w);
	const struct catalog_tape *row = &l->job.next->row;

	l->job.work_err = shelf_destroy(library_shelf(l, row), row->barcode);
}

static void shown(struct work *w)
{
	struct library *l = library_of_work(w);

	if (l->job.work_err)
		log_msg(LOG_ERR, "library %s: cartridge %s is hidden until the next start: %s",
			l->name, l->job.r->barcode, strerror(-l->job.work_err));
	library_end(l, library_result_of(l->job.err), l->job.err);
}

static void destroyed(struct work *w)
{
	struct library *l = library_of_work(w);
	enum catalog_place_kind kind = l->job.next->row.place.kind;

	if (l->job.work_err && l->job.work_err != -ENOENT)
		log_msg(LOG_WARNING, "library %s: what is left of cartridge %s stays in %s: %s",
			l->name, l->job.r->barcode, library_shelf(l, &l->job.next->row),
			strerror(-l->job.work_err));
	if (kind != CATALOG_IN_VAULT && !l->job.r->host)
		library_notify(l, kind);
	library_end(l, LIBRARY_OK, 0);
}

static void removed(struct library *l, int err)
{
	l->job.err = err;
	if (err)
		library_work(l, show_run, shown);
	else
		library_work(l, destroy_run, destroyed);
}

/* Files that are not there are gone as they should be. */
static void hidden(struct work *w)
{
	struct library *l = library_of_work(w);
	int err = l->job.work_err;

	if (err && err != -ENOENT)
		library_end(l, library_result_of(err), err);
	else
		library_commit(l, removed);
}

void library_remove(struct library *l)
{
	const struct inventory_tape *t = find(l, false);

	if (!t)
		return;
	if (!l->job.r->host && library_locked(l, t->row.place.kind)) {
		library_end(l, LIBRARY_LOCKED, 0);
		return;
	}
	l->job.change = LIBRARY_NO_ROW;
	if (library_prepare(l, &t->row))
		library_work(l, hide_run, hidden);
}

/* --- PROTECT, POOL ----------------------------------------------------------------- */

static void changed(struct library *l, int err)
{
	library_end(l, library_result_of(err), err);
}

static void change(
	struct library *l, const struct inventory_tape *t, const struct catalog_tape *row)
{
	l->job.change = LIBRARY_CHANGED_ROW;
	if (!library_prepare(l, row))
		return;
	l->job.next->imported = t->imported;
	library_commit(l, changed);
}

/* The tab of a cartridge that is in a drive is out of reach. */
void library_protect(struct library *l)
{
	const struct inventory_tape *t = find(l, false);
	struct catalog_tape row;

	if (!t)
		return;
	row = t->row;
	row.write_protect = l->job.r->write_protect;
	change(l, t, &row);
}

void library_assign(struct library *l)
{
	const struct inventory_tape *t = find(l, true);
	struct catalog_tape row;

	if (!t)
		return;
	row = t->row;
	row.pool = l->job.r->pool;
	row.pool_entered = *row.pool ? (int64_t)time(NULL) : 0;
	change(l, t, &row);
}
