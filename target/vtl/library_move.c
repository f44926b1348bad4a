/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving cartridges: MOVE and EXCHANGE. Drives that give one away unload first; if the catalog then
 * does not take the move down, they get it back. Drives that take one load last, when it is theirs
 * for good: one that cannot be read sits in its drive all the same.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtl/library_private.h"

/* --- what is to be moved ----------------------------------------------------------- */

/* An element that the robot reaches, and what is in it. */
static bool find(const struct library *l, uint16_t address, struct catalog_place *place,
	struct inventory_element **e)
{
	if (!inventory_place(&l->inv, address, place) || place->kind == CATALOG_IN_TRANSPORT)
		return false;
	*e = inventory_element(&l->inv, *place);
	return true;
}

static enum library_result vacancy(const struct inventory_element *e)
{
	return e->tape ? LIBRARY_FULL : e->reserved ? LIBRARY_KEPT : LIBRARY_OK;
}

static bool holds(const struct inventory_element *e, const char *barcode)
{
	return e->tape && !strcmp(e->tape->row.barcode, barcode);
}

static bool is_storage(enum catalog_place_kind kind)
{
	return kind == CATALOG_IN_SLOT || kind == CATALOG_IN_MAIL_SLOT;
}

static void add_move(struct library *l, const struct inventory_tape *t, struct catalog_place to)
{
	struct library_job *job = &l->job;
	struct catalog_place from = t->row.place;
	unsigned int move = (unsigned int)job->nmoves++;

	job->moves[move] = (struct catalog_tape_move){
		.barcode = t->row.barcode,
		.place = to,
		.source = is_storage(from.kind) ? from : t->row.source,
	};
	if (from.kind == CATALOG_IN_DRIVE)
		job->unload[job->nunload++] = (struct library_visit){ from.number, move, t };
	if (to.kind == CATALOG_IN_DRIVE)
		job->load[job->nload++] = (struct library_visit){ to.number, move, t };
	if (to.kind == CATALOG_IN_MAIL_SLOT && from.kind != CATALOG_IN_MAIL_SLOT)
		job->exported = true;
}

static enum library_result plan_move(struct library *l, const struct library_request *r)
{
	struct inventory_element *source, *target;
	struct catalog_place from, to;

	if (!find(l, r->from, &from, &source) || !find(l, r->to, &to, &target))
		return LIBRARY_NO_ELEMENT;
	if (!r->host && r->barcode && !holds(source, r->barcode))
		return LIBRARY_MOVED;
	if (!source->tape)
		return LIBRARY_EMPTY;
	if (vacancy(target))
		return vacancy(target);
	add_move(l, source->tape, to);
	return LIBRARY_OK;
}

/* The second destination may be the source, which is empty by then. */
static enum library_result plan_exchange(struct library *l, const struct library_request *r)
{
	struct inventory_element *source, *first, *second;
	struct catalog_place from, to, then;

	if (!find(l, r->from, &from, &source) || !find(l, r->to, &to, &first) ||
		!find(l, r->then, &then, &second))
		return LIBRARY_NO_ELEMENT;
	if (!source->tape || !first->tape)
		return LIBRARY_EMPTY;
	if (first == source)
		return LIBRARY_FULL;
	if (second != source && vacancy(second))
		return vacancy(second);
	add_move(l, source->tape, to);
	add_move(l, first->tape, then);
	return LIBRARY_OK;
}

/* --- drives ------------------------------------------------------------------------ */

static struct library *library_of_visit(struct drive_job *j)
{
	return container_of(container_of(j, struct library_job, visit), struct library, job);
}

static void visit(struct library *l, unsigned int drive,
	void (*run)(struct drive *d, struct drive_job *j), void (*done)(struct drive_job *j))
{
	l->job.visit_err = 0;
	l->job.visit = (struct drive_job){
		.run = run, .done = done, .home = l->loop, .visit = true
	};
	drive_submit(l->drives[drive], &l->job.visit);
}

static void load_next(struct library *l);
static void commit_moves(struct library *l);

/* On a thread of the drive. How much is on the cartridge is known best when nobody writes it. */
static void unload_run(struct drive *d, struct drive_job *j)
{
	struct library *l = library_of_visit(j);
	struct library_job *job = &l->job;
	const struct library_visit *v = &job->unload[job->unloaded];
	struct shelf_found found;

	job->visit_err = drive_eject(d);
	if (job->visit_err || shelf_look(l->path, v->tape->row.barcode, &found))
		return;
	job->used[v->move] = found.used;
	job->used_known[v->move] = true;
}

/* Drives that have unloaded already get their cartridges back, and so does the one that failed. */
static void put_back(struct library *l, enum library_result result, int err)
{
	struct library_job *job = &l->job;

	job->result = result;
	job->err = err;
	memcpy(job->load, job->unload, sizeof(job->load));
	job->nload = job->unloaded;
	job->loaded = 0;
	load_next(l);
}

static void unload_done(struct drive_job *j)
{
	struct library *l = library_of_visit(j);
	struct library_job *job = &l->job;
	int err = job->visit_err;

	if (err == -EPERM) {
		put_back(l, LIBRARY_PREVENTED, err);
		return;
	}
	job->unloaded++;
	if (err)
		put_back(l, LIBRARY_DRIVE_FAILED, err);
	else
		commit_moves(l);
}

static void load_run(struct drive *d, struct drive_job *j)
{
	struct library *l = library_of_visit(j);
	struct library_job *job = &l->job;
	const struct inventory_tape *t = job->load[job->loaded].tape;
	char path[SHELF_PATH_MAX];

	if (shelf_path(l->path, t->row.barcode, path, sizeof(path)))
		job->visit_err = drive_insert(d, path, t->row.write_protect);
	else
		job->visit_err = -ENAMETOOLONG;
}

/* What cannot be read is the drive's to tell its hosts. */
static void load_done(struct drive_job *j)
{
	struct library *l = library_of_visit(j);
	const struct library_visit *v = &l->job.load[l->job.loaded++];

	library_miss(l, v->tape->row.barcode, l->job.visit_err == -ENOENT);
	if (l->job.visit_err)
		log_msg(LOG_WARNING, "library %s: drive %u cannot read cartridge %s: %s", l->name,
			v->drive + 1, v->tape->row.barcode, strerror(-l->job.visit_err));
	load_next(l);
}

/* --- the steps --------------------------------------------------------------------- */

static void count_failure(struct library *l)
{
	pthread_mutex_lock(&l->lock);
	l->failures++;
	pthread_mutex_unlock(&l->lock);
}

static void tell_of_moves(struct library *l)
{
	const struct library_job *job = &l->job;
	bool mail = false;

	if (!job->r->host) {
		for (size_t i = 0; i < job->nmoves; i++)
			mail = mail || job->moves[i].place.kind == CATALOG_IN_MAIL_SLOT ||
			       job->moves[i].source.kind == CATALOG_IN_MAIL_SLOT;
		library_notify(l, mail ? CATALOG_IN_MAIL_SLOT : CATALOG_IN_SLOT);
		return;
	}
	for (size_t i = 0; job->exported && l->exported && i < job->nmoves; i++)
		if (job->moves[i].place.kind == CATALOG_IN_MAIL_SLOT)
			l->exported(l->arg, job->moves[i].barcode);
}

static void load_next(struct library *l)
{
	struct library_job *job = &l->job;

	if (job->loaded < job->nload) {
		visit(l, job->load[job->loaded].drive, load_run, load_done);
		return;
	}
	if (job->result)
		count_failure(l);
	else
		tell_of_moves(l);
	library_end(l, job->result, job->err);
}

static void moves_committed(struct library *l, int err)
{
	if (err)
		put_back(l, library_result_of(err), err);
	else
		load_next(l);
}

/* Unloads what is to be unloaded, then commits. */
static void commit_moves(struct library *l)
{
	struct library_job *job = &l->job;

	if (job->unloaded < job->nunload)
		visit(l, job->unload[job->unloaded].drive, unload_run, unload_done);
	else
		library_commit(l, moves_committed);
}

void library_move(struct library *l)
{
	const struct library_request *r = l->job.r;
	enum library_result result =
		r->op == LIBRARY_EXCHANGE ? plan_exchange(l, r) : plan_move(l, r);

	if (result)
		library_end(l, result, 0);
	else
		commit_moves(l);
}

/* --- after a start ----------------------------------------------------------------- */

/* A drive that takes up what it held before. Requests wait for it in the drive's own queue. */
struct reload {
	struct library *l;
	struct drive_job visit;
	char barcode[BARCODE_SIZE];
	char path[SHELF_PATH_MAX];
	bool write_protect;
	int err;
};

static void reload_run(struct drive *d, struct drive_job *j)
{
	struct reload *r = container_of(j, struct reload, visit);

	r->err = drive_insert(d, r->path, r->write_protect);
}

static void reload_done(struct drive_job *j)
{
	struct reload *r = container_of(j, struct reload, visit);
	struct library *l = r->l;

	if (r->err)
		log_msg(LOG_WARNING, "library %s: a drive cannot read cartridge %s: %s", l->name,
			r->barcode, strerror(-r->err));
	free(r);
	l->carriers--;
	library_pump(l);
}

static void reload_one(struct library *l, unsigned int drive, const struct catalog_tape *row)
{
	struct reload *r = calloc(1, sizeof(*r));

	if (!r || !shelf_path(l->path, row->barcode, r->path, sizeof(r->path))) {
		log_msg(LOG_ERR, "library %s: drive %u stays unloaded: %s", l->name, drive + 1,
			strerror(r ? ENAMETOOLONG : ENOMEM));
		free(r);
		return;
	}
	r->l = l;
	strcpy(r->barcode, row->barcode);
	r->write_protect = row->write_protect;
	r->visit = (struct drive_job){
		.run = reload_run, .done = reload_done, .home = l->loop, .visit = true
	};
	l->carriers++;
	drive_submit(l->drives[drive], &r->visit);
}

void library_reload(struct library *l)
{
	for (unsigned int i = 0; i < l->ndrives; i++) {
		const struct inventory_tape *t = l->inv.range[CATALOG_IN_DRIVE].element[i].tape;

		if (t)
			reload_one(l, i, &t->row);
	}
}
