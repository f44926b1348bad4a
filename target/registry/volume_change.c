/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of volumes. One goes this way, and the next begins when it has arrived:
 *
 *	check    what can be refused is refused (volume_op.c)
 *	note     of a new file, that it may be nobody's: in the catalog, before there is one
 *	file     it is made or made longer, on the disk before anything speaks of it
 *	row      in the catalog, with its audit entry and what else belongs to it; the note goes
 *	erase    a disk that is to keep nothing
 *	apply    a configuration with the new list of volumes takes the road of a reload
 *	remove   the file of a deleted volume, which has had a note since its row went, and what
 *	         initiators have saved of its mode pages
 *
 * Killed before the row is written, a change has not been, and the next start removes the file by
 * its note. Killed behind, the next start serves it. Where the configuration cannot be applied, for
 * want of memory or descriptors, the row is put back as it was.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "catalog/volume.h"
#include "config/load.h"
#include "config/made.h"
#include "registry/volume_op.h"
#include "registry/volumes_private.h"

/* --- the end of a change -------------------------------------------------------------------- */

static void walk(struct registry *r);

static const char *result_text(enum registry_volume_result result)
{
	static const char *const texts[] = {
#define AS_TEXT(id, text) [id] = (text),
		REGISTRY_VOLUME_RESULTS(AS_TEXT)
#undef AS_TEXT
	};

	return texts[result];
}

static void op_free(struct volume_op *op)
{
	free(op->id);
	free(op->pool);
	free(op->disk);
	free(op->target);
	free(op->gateway);
	free(op->portal);
	free(op->who);
	free(op->path);
	free(op);
}

/* Tells the maker. op is gone. */
static void finish(struct volume_op *op, enum registry_volume_result result)
{
	char *path = volume_path(op->r->now.cfg, &op->is);
	struct registry_volume v = volume_view(&op->is, path);
	struct registry_volume_outcome o = { .result = result,
		.volume = result ? NULL : &v,
		.text = *op->text ? op->text : result_text(result) };

	op->what.done(op->what.arg, &o);
	free(path);
	op_free(op);
}

static void arrive(struct volume_op *op, enum registry_volume_result result)
{
	struct registry *r = op->r;

	r->volumes->now = NULL;
	finish(op, result);
	walk(r);
}

/* --- stages --------------------------------------------------------------------------------- */

/* A server that has ended its catalog stores nothing any more. */
static void submit(struct volume_op *op,
	int (*run)(struct catalog_request *r, struct catalog_tx *tx),
	void (*done)(struct catalog_request *request))
{
	op->request = (struct catalog_request){ .run = run, .done = done, .home = op->r->loop };
	if (op->r->catalog) {
		catalog_submit(op->r->catalog, &op->request);
		return;
	}
	op->request.err = -ESHUTDOWN;
	done(&op->request);
}

static void work(struct volume_op *op, enum volume_file_verb verb, void (*done)(struct work *w))
{
	op->file = (struct volume_file_work){ .work = { .done = done, .home = op->r->loop },
		.verb = verb,
		.path = op->path,
		.size = op->is.size };
	volume_file_submit(op->r->pool, &op->file);
}

static struct volume_op *op_of(struct catalog_request *request)
{
	return container_of(request, struct volume_op, request);
}

static struct volume_op *op_of_file(struct work *w)
{
	return container_of(container_of(w, struct volume_file_work, work), struct volume_op, file);
}

static void say_file_error(struct volume_op *op)
{
	snprintf(op->text, sizeof(op->text), "%s: %s", op->path, strerror(-op->file.err));
}

/* --- no file any more ----------------------------------------------------------------------- */

static int forget(struct catalog_request *request, struct catalog_tx *tx)
{
	const struct volume_op *op = op_of(request);
	int err = volume_forget_file(tx, &op->is);

	return err ? err : volume_forget_kept(op->r, tx, &op->is);
}

static void on_forgotten(struct catalog_request *request)
{
	struct volume_op *op = op_of(request);

	arrive(op, op->result);
}

static void on_removed(struct work *w)
{
	struct volume_op *op = op_of_file(w);

	if (op->file.err) {
		log_msg(LOG_WARNING, "volume %s is gone, but %s is not: %s", op->is.id, op->path,
			strerror(-op->file.err));
		arrive(op, op->result);
		return;
	}
	submit(op, forget, on_forgotten);
}

/* Removes a file that has a note, and then the note. A server that ends leaves both to the next. */
static void remove_file(struct volume_op *op, enum registry_volume_result result)
{
	op->result = result;
	if (op->path && op->r->catalog)
		work(op, VOLUME_FILE_REMOVE, on_removed);
	else
		arrive(op, result);
}

/* --- the catalog ---------------------------------------------------------------------------- */

static const char *const verbs[] = {
	[VOLUME_CREATE] = "create volume",
	[VOLUME_RESIZE] = "resize volume",
	[VOLUME_ATTACH] = "attach volume",
	[VOLUME_DETACH] = "detach volume",
	[VOLUME_DELETE] = "delete volume",
};

static struct catalog_volume row_of(const struct volume *v)
{
	return (struct catalog_volume){ .id = v->id,
		.gateway = v->gateway,
		.kind = *v->disk ? CATALOG_VOLUME_DISK : CATALOG_VOLUME_POOL,
		.pool = v->pool,
		.file = v->file,
		.disk = v->disk,
		.size = v->size,
		.block_size = v->block_size,
		.target = v->target,
		.lun = v->lun,
		.portal = v->portal,
		.attached = v->attached,
		.preserved = v->preserved,
		.created = v->created };
}

static int add_row(const struct volume_op *op, struct catalog_tx *tx, const struct volume *v)
{
	const struct catalog_volume row = row_of(v);
	int err = catalog_volume_add(tx, &row);

	return err || !volume_op_has_file(op) ? err : volume_forget_file(tx, v);
}

static int remove_row(const struct volume_op *op, struct catalog_tx *tx, const struct volume *v)
{
	int err = catalog_volume_remove(tx, v->id);

	return err || !volume_op_has_file(op) ? err : volume_note_file(tx, v);
}

static int write_row(const struct volume_op *op, struct catalog_tx *tx)
{
	const struct catalog_volume row = row_of(op->undo ? &op->was : &op->is);

	switch (op->what.verb) {
	case VOLUME_CREATE:
		return op->undo ? remove_row(op, tx, &op->is) : add_row(op, tx, &op->is);
	case VOLUME_DELETE:
		return op->undo ? add_row(op, tx, &op->was) : remove_row(op, tx, &op->is);
	default: return catalog_volume_put(tx, &row);
	}
}

static int add_audit(const struct volume_op *op, struct catalog_tx *tx)
{
	char detail[400];
	const struct catalog_audit audit = { .who = op->who,
		.what = verbs[op->what.verb],
		.object = op->is.id,
		.detail = detail,
		.result = op->undo ? "undone: it could not be served" : "done" };

	/* Names are of letters, digits and the like: nothing that JSON would have to escape. */
	snprintf(detail, sizeof(detail), "{\"target\":\"%s\",\"lun\":%u,\"size\":%llu}",
		op->is.target, op->is.lun, (unsigned long long)op->is.size);
	return catalog_audit_add(tx, &audit);
}

static int store(struct catalog_request *request, struct catalog_tx *tx)
{
	const struct volume_op *op = op_of(request);
	int err = write_row(op, tx);

	if (!err && op->what.also)
		err = op->what.also(op->what.arg, tx, op->is.id, op->undo);
	return err ? err : add_audit(op, tx);
}

/* --- into force ----------------------------------------------------------------------------- */

/* No session has the unit any more, so that none can save a page of it behind this. */
static void remove_rest(struct volume_op *op)
{
	uint8_t naa[16];

	if (volume_naa(op->r, &op->is, naa)) {
		modes_forget(&op->r->env.modes, naa);
		wipes_forget(&op->r->env.wipes, naa);
	}
	if (volume_op_has_file(op)) {
		remove_file(op, VOLUME_DONE);
		return;
	}
	op->result = VOLUME_DONE;
	submit(op, forget, on_forgotten);
}

static void on_in_force(void *arg)
{
	struct volume_op *op = arg;
	struct log_quoted who;

	log_msg(LOG_NOTICE, "%s %s (LUN %u of %s) by %s", verbs[op->what.verb], op->is.id,
		op->is.lun, op->is.target, log_quote(op->who, strlen(op->who), &who));
	if (op->what.verb == VOLUME_DELETE)
		remove_rest(op);
	else
		arrive(op, VOLUME_DONE);
}

static void take_in(struct volume_op *op, bool undo)
{
	struct volumes *vs = op->r->volumes;

	if (op->what.verb == (undo ? VOLUME_CREATE : VOLUME_DELETE))
		volumes_take_out(vs, op->is.id);
	else
		volumes_put(vs, undo ? &op->was : &op->is);
}

static void on_undone(struct catalog_request *request)
{
	struct volume_op *op = op_of(request);

	if (request->err)
		log_msg(LOG_ERR, "volume %s: %s: what could not be served is still in the catalog",
			op->is.id, request->why.text);
	if (!request->err && op->what.verb == VOLUME_CREATE && volume_op_has_file(op))
		remove_file(op, VOLUME_NOT_SERVED);
	else
		arrive(op, VOLUME_NOT_SERVED);
}

static void take_back(struct volume_op *op)
{
	take_in(op, true);
	op->undo = true;
	submit(op, store, on_undone);
}

/* The row is stored: there has to be a world with it. */
static int apply(struct volume_op *op)
{
	struct config *next = config_copy_declared(op->r->now.cfg);
	struct faults faults = { 0 };
	int err = next ? registry_apply_volumes(op->r, next, on_in_force, op, &faults) : -ENOMEM;

	if (err) {
		snprintf(op->text, sizeof(op->text), "%s",
			faults.n ? faults.v[0].text : strerror(-err));
		config_free(next);
	}
	faults_free(&faults);
	return err;
}

static void put_in_force(struct volume_op *op)
{
	if (op->r->volumes->stopped)
		on_in_force(op); /* nobody is left to see it; the next start serves it */
	else if (apply(op))
		take_back(op);
}

static void on_erased(struct work *w)
{
	struct volume_op *op = op_of_file(w);

	if (!op->file.err) {
		put_in_force(op);
		return;
	}
	say_file_error(op);
	take_back(op);
}

static void refuse_row(struct volume_op *op, int err)
{
	enum registry_volume_result result = VOLUME_NOT_STORED;

	if (err == -EEXIST && op->what.verb == VOLUME_CREATE && !volume_op_has_file(op))
		result = VOLUME_DISK_TAKEN;
	else
		snprintf(op->text, sizeof(op->text), "%s", op->request.why.text);
	if (op->what.verb == VOLUME_CREATE && volume_op_has_file(op))
		remove_file(op, result);
	else
		arrive(op, result);
}

static void on_stored(struct catalog_request *request)
{
	struct volume_op *op = op_of(request);

	if (request->err) {
		refuse_row(op, request->err);
		return;
	}
	op->stored = true;
	take_in(op, false);
	if (op->what.verb == VOLUME_CREATE && !volume_op_has_file(op) && !op->is.preserved)
		work(op, VOLUME_FILE_ERASE, on_erased);
	else
		put_in_force(op);
}

/* --- the file ------------------------------------------------------------------------------- */

static void on_file(struct work *w)
{
	struct volume_op *op = op_of_file(w);

	if (!op->file.err) {
		submit(op, store, on_stored);
		return;
	}
	say_file_error(op);
	if (op->what.verb == VOLUME_CREATE) {
		op->result = VOLUME_NOT_MADE;
		submit(op, forget, on_forgotten);
	} else {
		arrive(op, VOLUME_NOT_MADE);
	}
}

static int note(struct catalog_request *request, struct catalog_tx *tx)
{
	return volume_note_file(tx, &op_of(request)->is);
}

static void on_noted(struct catalog_request *request)
{
	struct volume_op *op = op_of(request);

	if (!request->err) {
		work(op, VOLUME_FILE_MAKE, on_file);
		return;
	}
	snprintf(op->text, sizeof(op->text), "%s", request->why.text);
	arrive(op, VOLUME_NOT_STORED);
}

/* --- one after the other -------------------------------------------------------------------- */

static void begin(struct volume_op *op)
{
	enum registry_volume_result result =
		op->r->volumes->stopped ? VOLUME_STOPPING : volume_op_check(op);

	op->path = volume_path(op->r->now.cfg, &op->is);
	if (!result && op->what.verb <= VOLUME_RESIZE && !op->path)
		result = VOLUME_NO_MEMORY;
	if (result)
		arrive(op, result);
	else if (op->what.verb == VOLUME_CREATE && volume_op_has_file(op))
		submit(op, note, on_noted);
	else if (op->what.verb == VOLUME_RESIZE)
		work(op, VOLUME_FILE_GROW, on_file);
	else
		submit(op, store, on_stored);
}

static void walk(struct registry *r)
{
	struct volumes *vs = r->volumes;

	if (vs->running)
		return;
	vs->running = true;
	while (!vs->now && !list_empty(&vs->queue)) {
		struct list *first = vs->queue.next;

		list_del(first);
		vs->now = container_of(first, struct volume_op, link);
		begin(vs->now);
	}
	vs->running = false;
}

static bool copy(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to;
}

static bool copy_texts(struct volume_op *op, const struct registry_volume_change *what)
{
	return copy(&op->id, what->id) && copy(&op->pool, what->pool) &&
	       copy(&op->disk, what->disk) && copy(&op->target, what->target) &&
	       copy(&op->gateway, what->gateway) && copy(&op->portal, what->portal) &&
	       copy(&op->who, what->who);
}

void registry_volume_change(struct registry *r, const struct registry_volume_change *what)
{
	struct volume_op *op = calloc(1, sizeof(*op));
	struct registry_volume_outcome failed = { .result = VOLUME_NO_MEMORY,
		.text = result_text(VOLUME_NO_MEMORY) };

	if (!op || !copy_texts(op, what)) {
		if (op)
			op_free(op);
		what->done(what->arg, &failed);
		return;
	}
	op->r = r;
	op->what = *what;
	list_push(&r->volumes->queue, &op->link);
	walk(r);
}

/* --- the end -------------------------------------------------------------------------------- */

void volume_changes_stop(struct registry *r)
{
	walk(r);
}

void volume_changes_end(struct registry *r)
{
	struct volume_op *op = r->volumes->now;

	if (op)
		finish(op, op->stored && !op->undo ? VOLUME_DONE : VOLUME_STOPPING);
}
