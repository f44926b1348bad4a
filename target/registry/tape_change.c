/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of cartridges by an operator: from barcodes and places to element addresses and requests
 * of the library, and back; and of the changer that a library shows.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "catalog/audit.h"
#include "config/load.h"
#include "config/made.h"
#include "registry/tape_reason.h"
#include "registry/tapes_private.h"

#define SETTLE_MS 20
#define TRIES_MAX 16 /* of places that were free, and are taken when the robot comes to it */

/* --- a change ------------------------------------------------------------------------------- */

struct op {
	struct registry *r;
	struct served_library *s;
	struct registry_tape_change what;
	char *barcode, *pool, *retrieved_to, *who;
	char detail[200];
	bool there;     /* nothing has to be moved */
	unsigned tries; /* to find a free place */
	struct library_request request;
};

static const char *const verbs[] = {
	[TAPE_CREATE] = "create tape",
	[TAPE_DELETE] = "delete tape",
	[TAPE_MOVE] = "move tape",
	[TAPE_UNLOAD] = "unload tape",
	[TAPE_ARCHIVE] = "archive tape",
	[TAPE_RETRIEVE] = "retrieve tape",
	[TAPE_PROTECT] = "protect tape",
	[TAPE_ASSIGN] = "assign tape",
	[TAPE_CANCEL] = "turn back tape",
	[TAPE_LOOK] = "look at tape",
};

static void op_free(struct op *op)
{
	if (!op)
		return;
	free(op->barcode);
	free(op->pool);
	free(op->retrieved_to);
	free(op->who);
	free(op);
}

const char *registry_tape_result_text(enum registry_tape_result result)
{
	static const char *const texts[] = {
#define AS_TEXT(id, text) [id] = (text),
		REGISTRY_TAPE_RESULTS(AS_TEXT)
#undef AS_TEXT
	};

	return texts[result];
}

static enum registry_tape_result result_of(enum library_result r)
{
	switch (r) {
	case LIBRARY_OK: return TAPE_DONE;
	case LIBRARY_NO_ELEMENT: return TAPE_NO_PLACE;
	case LIBRARY_EMPTY:
	case LIBRARY_NO_TAPE: return TAPE_NOT_FOUND;
	case LIBRARY_FULL:
	case LIBRARY_KEPT: return TAPE_PLACE_FULL;
	case LIBRARY_NO_ROOM: return TAPE_NO_ROOM;
	case LIBRARY_PREVENTED: return TAPE_PREVENTED;
	case LIBRARY_LOCKED: return TAPE_LOCKED;
	case LIBRARY_EXISTS: return TAPE_EXISTS;
	case LIBRARY_INVALID: return TAPE_INVALID;
	case LIBRARY_IN_DRIVE: return TAPE_IN_DRIVE;
	case LIBRARY_ARCHIVED: return TAPE_ARCHIVED;
	case LIBRARY_NOT_ARCHIVED: return TAPE_NOT_ARCHIVED;
	case LIBRARY_SETTLED: return TAPE_SETTLED;
	case LIBRARY_MOVED: return TAPE_MOVED;
	case LIBRARY_NO_SPACE: return TAPE_NO_SPACE;
	case LIBRARY_FAILED:
	case LIBRARY_DRIVE_FAILED: return TAPE_FAILED;
	case LIBRARY_NO_MEMORY: return TAPE_NO_MEMORY;
	case LIBRARY_CLOSING: return TAPE_STOPPING;
	}
	return TAPE_FAILED;
}

static const char *name_of(const struct served_library *s)
{
	return library_name(served_library_robot(s));
}

struct telling {
	const struct op *op;
	struct registry_tape_outcome outcome;
};

static void tell(void *arg, const struct registry_tape *tape)
{
	struct telling *t = arg;

	t->outcome.tape = tape;
	t->op->what.done(t->op->what.arg, &t->outcome);
}

/* Tells the maker; op is gone. `text`: a sentence where somebody knows more, or "". */
static void finish(struct op *op, enum registry_tape_result result, const char *text)
{
	struct telling t = { op, { .result = result, .text = text } };
	char reason[TAPE_REASON_SIZE];

	if (result && !*text) {
		tape_reason(op->r, &op->what, op->s ? name_of(op->s) : NULL, result, reason);
		t.outcome.text = reason;
	}
	if (result || !registry_tape(op->r, op->barcode, tell, &t))
		tell(&t, NULL);
	op_free(op);
}

static void say_done(const struct op *op)
{
	struct log_quoted who;

	log_msg(LOG_NOTICE, "%s %s, by %s", verbs[op->what.verb], op->barcode,
		log_quote(op->who, strlen(op->who), &who));
}

/* The audit entry, in the transaction of the change. */
static int write_down(
	struct library_request *request, struct catalog_tx *tx, const struct catalog_tape *row)
{
	const struct op *op = container_of(request, struct op, request);
	const struct catalog_audit audit = { .who = op->who,
		.what = verbs[op->what.verb],
		.object = op->barcode,
		.detail = op->detail,
		.result = "done" };

	int err = op->what.also ? op->what.also(op->what.arg, tx) : 0;

	(void)row;
	return err ? err : catalog_audit_add(tx, &audit);
}

/* --- from places to addresses --------------------------------------------------------------- */

struct free_element {
	uint16_t address;
	bool found;
};

static void take_free(const struct library_element *e, void *arg)
{
	struct free_element *f = arg;

	if (f->found || e->full || e->kept)
		return;
	f->found = true;
	f->address = e->address;
}

static enum registry_tape_result choose(
	struct library *robot, const struct registry_place *place, uint16_t *address)
{
	struct catalog_place wanted = { tapes_kind_of(place->kind), place->number - 1 };
	struct free_element f = { 0 };

	if (wanted.kind == CATALOG_IN_VAULT || wanted.kind == CATALOG_IN_TRANSPORT)
		return TAPE_NO_PLACE;
	if (place->number)
		return library_address(robot, wanted, address) ? TAPE_DONE : TAPE_NO_PLACE;
	library_elements(robot, wanted.kind, 0, SIZE_MAX, take_free, &f);
	*address = f.address;
	return f.found ? TAPE_DONE : TAPE_NO_ROOM;
}

/* Back to where it came from last, where that is free. */
static enum registry_tape_result choose_home(
	struct library *robot, const struct catalog_place *source, uint16_t *address)
{
	static const struct registry_place any = { .kind = REGISTRY_IN_SLOT };
	struct library_element e;

	if (source->kind != CATALOG_IN_VAULT && library_address(robot, *source, address) &&
		library_element(robot, *address, &e) && !e.full && !e.kept)
		return TAPE_DONE;
	return choose(robot, &any, address);
}

static bool is_there(const struct registry_place *wanted, struct catalog_place place)
{
	return tapes_kind_of(wanted->kind) == place.kind &&
	       (!wanted->number || wanted->number == place.number + 1);
}

static enum registry_tape_result plan_move(struct op *op)
{
	struct library *robot = served_library_robot(op->s);
	struct library_request *q = &op->request;
	struct tape_copy copy;

	if (!library_tape(robot, op->barcode, tape_copy_take, &copy))
		return TAPE_NOT_FOUND;
	if (copy.row.place.kind == CATALOG_IN_VAULT)
		return TAPE_ARCHIVED;
	if (!library_address(robot, copy.row.place, &q->from))
		return TAPE_NO_PLACE;
	q->op = LIBRARY_MOVE;
	if (op->what.verb == TAPE_MOVE) {
		op->there = is_there(&op->what.place, copy.row.place);
		return op->there ? TAPE_DONE : choose(robot, &op->what.place, &q->to);
	}
	if (copy.row.place.kind != CATALOG_IN_DRIVE)
		return TAPE_NOT_LOADED;
	return choose_home(robot, &copy.row.source, &q->to);
}

/* Where a cartridge comes that is in no element yet. */
static enum registry_tape_result plan_arrival(struct op *op)
{
	const struct registry_place *place = &op->what.place;
	struct library_request *q = &op->request;

	q->where = place->kind == REGISTRY_IN_MAIL_SLOT ? LIBRARY_IN_MAIL : LIBRARY_IN_SLOT;
	if (place->kind != REGISTRY_IN_SLOT && place->kind != REGISTRY_IN_MAIL_SLOT)
		return TAPE_NO_PLACE;
	if (!place->number)
		return TAPE_DONE;
	q->where = LIBRARY_AT;
	return choose(served_library_robot(op->s), place, &q->to);
}

static enum registry_tape_result plan_create(struct op *op)
{
	const struct registry_tape_change *what = &op->what;
	struct library_request *q = &op->request;

	if (tapes_library_of(op->r, op->barcode))
		return TAPE_EXISTS;
	q->op = LIBRARY_ADD;
	q->add.size = what->size;
	q->add.generation = what->generation;
	q->add.worm = what->worm;
	q->add.cleaning = what->cleaning;
	q->add.existing = what->existing;
	return plan_arrival(op);
}

/* Back from the way that it is on: in a mail slot it only waits for it to begin. */
static enum registry_tape_result plan_return(struct op *op)
{
	struct library *robot = served_library_robot(op->s);
	struct library_request *q = &op->request;
	struct tape_copy copy;

	if (!library_tape(robot, op->barcode, tape_copy_take, &copy))
		return TAPE_NOT_FOUND;
	if (copy.row.place.kind == CATALOG_IN_MAIL_SLOT && *copy.row.pool) {
		q->op = LIBRARY_MOVE;
		return library_address(robot, copy.row.place, &q->from)
			       ? choose_home(robot, &copy.row.source, &q->to)
			       : TAPE_NO_PLACE;
	}
	q->op = LIBRARY_CANCEL;
	return TAPE_DONE;
}

static enum registry_tape_result plan(struct op *op)
{
	struct library_request *q = &op->request;

	if (strlen(op->pool) >= LIBRARY_POOL_SIZE)
		return TAPE_INVALID;
	switch (op->what.verb) {
	case TAPE_CREATE: return plan_create(op);
	case TAPE_MOVE:
	case TAPE_UNLOAD: return plan_move(op);
	case TAPE_RETRIEVE: q->op = LIBRARY_RETRIEVE; return plan_arrival(op);
	case TAPE_DELETE: q->op = LIBRARY_REMOVE; return TAPE_DONE;
	case TAPE_ARCHIVE: q->op = LIBRARY_ARCHIVE; return TAPE_DONE;
	case TAPE_PROTECT: q->op = LIBRARY_PROTECT; return TAPE_DONE;
	case TAPE_CANCEL: return plan_return(op);
	case TAPE_LOOK: q->op = LIBRARY_LOOK; return TAPE_DONE;
	default: q->op = LIBRARY_POOL; return TAPE_DONE;
	}
}

/* --- the end of a change -------------------------------------------------------------------- */

/* Any place would have done, and a host was faster. */
static bool may_try_again(struct op *op)
{
	enum library_result result = op->request.result;

	return (result == LIBRARY_FULL || result == LIBRARY_KEPT) && !op->what.place.number &&
	       ++op->tries < TRIES_MAX;
}

static void on_done(struct library_request *request)
{
	struct op *op = container_of(request, struct op, request);
	struct served_library *s = op->s;
	enum registry_tape_result result = result_of(request->result);

	if (may_try_again(op)) {
		result = plan(op);
		if (!result && !op->there) {
			library_submit(served_library_robot(s), request);
			return;
		}
	} else if (!result) {
		say_done(op);
		served_library_mail_changed(s);
	}
	finish(op, result, request->why);
	served_library_release(s);
}

/* --- the beginning of a change -------------------------------------------------------------- */

/* With NULL, the only one. */
static struct served_library *named(const struct registry *r, const char *name)
{
	const struct config *cfg = r->now.cfg;

	if (!cfg || (!name && cfg->n_libraries != 1))
		return NULL;
	return name ? libraries_named(r->now.libraries, name)
		    : libraries_find(r->now.libraries, cfg->libraries);
}

static enum registry_tape_result find_library(struct op *op, const char *name)
{
	if (op->what.verb == TAPE_CREATE)
		op->s = named(op->r, name);
	else
		op->s = tapes_library_of(op->r, op->barcode);
	if (op->s)
		return TAPE_DONE;
	return op->what.verb == TAPE_CREATE ? TAPE_NO_LIBRARY : TAPE_NOT_FOUND;
}

static bool copy_text(char **to, const char *from)
{
	*to = strdup(from ? from : "");
	return *to;
}

static struct op *op_new(struct registry *r, const struct registry_tape_change *what)
{
	struct op *op = calloc(1, sizeof(*op));

	if (!op)
		return NULL;
	op->r = r;
	op->what = *what;
	if (copy_text(&op->barcode, what->barcode) && copy_text(&op->pool, what->pool) &&
		copy_text(&op->retrieved_to, what->retrieved_to) &&
		copy_text(&op->who, what->who)) {
		op->what.barcode = op->barcode;
		op->what.pool = op->pool;
		return op;
	}
	op_free(op);
	return NULL;
}

static void describe(struct op *op)
{
	const struct registry_place *p = &op->what.place;
	int n;

	switch (op->what.verb) {
	case TAPE_CREATE:
		snprintf(op->detail, sizeof(op->detail), "{\"size\":%llu}",
			(unsigned long long)op->what.size);
		break;
	case TAPE_MOVE:
		n = snprintf(op->detail, sizeof(op->detail), "{\"to\":\"%s\"",
			registry_place_text(p->kind));
		snprintf(op->detail + n, sizeof(op->detail) - (size_t)n,
			p->number ? ",\"number\":%u}" : "}", p->number);
		break;
	case TAPE_PROTECT:
		snprintf(op->detail, sizeof(op->detail), "{\"write_protect\":%s}",
			op->what.write_protect ? "true" : "false");
		break;
	default: break;
	}
}

void registry_tape_change(struct registry *r, const struct registry_tape_change *what)
{
	struct op *op = op_new(r, what);
	enum registry_tape_result result;

	if (!op) {
		what->done(what->arg, &(struct registry_tape_outcome){ .result = TAPE_NO_MEMORY,
					      .text = registry_tape_result_text(TAPE_NO_MEMORY) });
		return;
	}
	op->request = (struct library_request){
		.barcode = op->barcode,
		.write_protect = what->write_protect,
		.pool = op->pool,
		.retrieved_to = op->retrieved_to,
		.also = write_down,
		.done = on_done,
		.home = r->loop,
	};
	result = find_library(op, what->library);
	if (!result)
		result = plan(op);
	if (result || op->there) {
		finish(op, result, "");
		return;
	}
	describe(op);
	served_library_hold(op->s);
	library_submit(served_library_robot(op->s), &op->request);
}

/* --- another changer ------------------------------------------------------------------------ */

struct changer_op {
	struct registry *r;
	struct registry_changer_change what;
	char *library, *changer, *who;
	struct catalog_request request;
	struct loop_timer timer;
};

static void changer_op_free(struct changer_op *op)
{
	if (!op)
		return;
	loop_timer_clear(&op->timer);
	free(op->library);
	free(op->changer);
	free(op->who);
	free(op);
}

static void changer_over(struct changer_op *op, enum registry_tape_result result, const char *text)
{
	op->what.done(
		op->what.arg, result, text && *text ? text : registry_tape_result_text(result));
	changer_op_free(op);
}

/* The new library takes up its cartridges when the old one has let go of them. */
static void on_changer_timer(struct loop_timer *t)
{
	struct changer_op *op = container_of(t, struct changer_op, timer);
	struct log_quoted who;

	if (op->r->now.cfg && !libraries_settled(&op->r->tape)) {
		loop_timer_set(t, SETTLE_MS);
		return;
	}
	log_msg(LOG_NOTICE, "library %s has changer %s, by %s", op->library, op->changer,
		log_quote(op->who, strlen(op->who), &who));
	changer_over(op, TAPE_DONE, NULL);
}

static void on_changer_served(void *arg)
{
	struct changer_op *op = arg;

	on_changer_timer(&op->timer);
}

/* It is stored; where it cannot be served now it will be after the next start. */
static void on_changer_stored(struct catalog_request *request)
{
	struct changer_op *op = container_of(request, struct changer_op, request);
	struct registry *r = op->r;
	struct faults faults = { 0 };
	struct config *next;
	int err;

	if (request->err || !r->now.cfg) {
		changer_over(op, request->err ? TAPE_FAILED : TAPE_STOPPING, request->why.text);
		return;
	}
	next = config_copy_declared(r->now.cfg);
	err = next && changer_choices_set(&r->tape.choices, op->library, op->changer)
		      ? registry_apply_volumes(r, next, on_changer_served, op, &faults)
		      : -ENOMEM;
	if (err) {
		config_free(next);
		changer_over(op, TAPE_FAILED, faults.n ? faults.v[0].text : NULL);
	}
	faults_free(&faults);
}

static int store_changer(struct catalog_request *request, struct catalog_tx *tx)
{
	const struct changer_op *op = container_of(request, struct changer_op, request);
	const struct catalog_audit audit = {
		.who = op->who, .what = "change changer", .object = op->library, .result = "done"
	};
	int err = changer_choice_store(tx, op->library, op->changer);

	return err ? err : catalog_audit_add(tx, &audit);
}

static enum registry_tape_result check_changer(
	const struct registry *r, const struct registry_changer_change *what)
{
	if (!r->now.cfg || !r->catalog)
		return TAPE_STOPPING;
	if (!what->library || !libraries_named(r->now.libraries, what->library))
		return TAPE_NO_LIBRARY;
	return changer_model_named(what->changer) ? TAPE_DONE : TAPE_INVALID;
}

static void refuse_changer(
	const struct registry_changer_change *what, enum registry_tape_result result)
{
	char text[TAPE_REASON_SIZE];

	snprintf(text, sizeof(text), "%s", registry_tape_result_text(result));
	if (result == TAPE_NO_LIBRARY && what->library)
		snprintf(text, sizeof(text), "there is no library %s", what->library);
	else if (result == TAPE_INVALID)
		snprintf(text, sizeof(text),
			"a changer is STK-L700, AWS-Gateway-VTL or IBM-03584L32-0402");
	what->done(what->arg, result, text);
}

void registry_changer_change(struct registry *r, const struct registry_changer_change *what)
{
	struct changer_op *op = calloc(1, sizeof(*op));
	enum registry_tape_result result = check_changer(r, what);

	if (op) {
		op->r = r;
		op->what = *what;
		loop_timer_init(r->loop, &op->timer, on_changer_timer);
	}
	if (!op || !copy_text(&op->library, what->library) ||
		!copy_text(&op->changer, what->changer) || !copy_text(&op->who, what->who))
		result = TAPE_NO_MEMORY;
	if (result) {
		refuse_changer(what, result);
		changer_op_free(op);
		return;
	}
	op->request = (struct catalog_request){
		.run = store_changer, .done = on_changer_stored, .home = r->loop
	};
	catalog_submit(r->catalog, &op->request);
}
