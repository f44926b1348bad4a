/* SPDX-License-Identifier: BSD-2-Clause */
/* /v1/libraries and /v1/tapes. */
#include "mgmt/native_tapes.h"

#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/native_body.h"
#include "mgmt/native_json.h"
#include "registry/tapes.h"

#define N(v) (sizeof(v) / sizeof((v)[0]))

/* --- as JSON -------------------------------------------------------------------------------- */

static json_t *library_json(const struct registry_library *l)
{
	struct object o = object_begin();

	object_put(&o, "name", json_of_text(l->name));
	object_put(&o, "changer", json_of_text(l->changer));
	object_put(&o, "vendor", json_of_text(l->vendor));
	object_put(&o, "product", json_of_text(l->product));
	object_put(&o, "revision", json_of_text(l->revision));
	object_put(&o, "serial", json_of_text(l->serial));
	object_put(&o, "target", json_of_text(l->target));
	object_put(&o, "path", json_of_text(l->path));
	object_put(&o, "archive", json_of_text(l->archive));
	object_put(&o, "drives", json_of_number(l->drives));
	object_put(&o, "slots", json_of_number(l->slots));
	object_put(&o, "mail_slots", json_of_number(l->mail_slots));
	object_put(&o, "tapes", json_of_number(l->tapes));
	object_put(&o, "archived", json_of_number(l->archived));
	object_put(&o, "moves", json_of_number(l->moves));
	object_put(&o, "failures", json_of_number(l->failures));
	object_put(&o, "locked", json_boolean(l->locked));
	object_put(&o, "ready", json_boolean(l->ready));
	return object_end(&o);
}

static json_t *traffic_json(const struct registry_traffic *t)
{
	struct object o = object_begin();

	object_put(&o, "host_written", json_of_number(t->host_written));
	object_put(&o, "host_read", json_of_number(t->host_read));
	object_put(&o, "medium_written", json_of_number(t->medium_written));
	object_put(&o, "medium_read", json_of_number(t->medium_read));
	object_put(&o, "blocks_written", json_of_number(t->blocks_written));
	object_put(&o, "blocks_read", json_of_number(t->blocks_read));
	object_put(&o, "filemarks_written", json_of_number(t->filemarks_written));
	object_put(&o, "write_errors", json_of_number(t->write_errors));
	object_put(&o, "read_errors", json_of_number(t->read_errors));
	return object_end(&o);
}

static json_t *position_json(const struct registry_drive *d)
{
	struct object o = object_begin();

	object_put(&o, "partition", json_of_number(d->partition));
	object_put(&o, "object", json_of_number(d->object));
	object_put(&o, "file", json_of_number(d->file));
	object_put(&o, "used", json_of_number(d->used));
	object_put(&o, "capacity", json_of_number(d->capacity));
	return object_end(&o);
}

static json_t *drive_json(const struct registry_drive *d)
{
	bool loaded = !strcmp(d->state, "loaded");
	struct object o = object_begin();

	object_put(&o, "library", json_of_text(d->library));
	object_put(&o, "drive", json_of_number(d->number));
	object_put(&o, "target", json_of_text(d->target));
	object_put(&o, "lun", json_of_number(d->lun));
	object_put(&o, "vendor", json_of_text(d->vendor));
	object_put(&o, "product", json_of_text(d->product));
	object_put(&o, "revision", json_of_text(d->revision));
	object_put(&o, "serial", json_of_text(d->serial));
	object_put(&o, "state", json_of_text(d->state));
	object_put(&o, "barcode", json_of_text(d->barcode));
	object_put(&o, "write_protect", json_boolean(d->write_protect));
	object_put(&o, "prevented", json_boolean(d->prevented));
	object_put(&o, "compression", json_boolean(d->compression));
	object_put(&o, "loads", json_of_number(d->loads));
	object_put(&o, "position", loaded ? position_json(d) : json_null());
	object_put(&o, "load", loaded ? traffic_json(&d->load) : json_null());
	object_put(&o, "total", traffic_json(&d->total));
	return object_end(&o);
}

static json_t *place_json(const struct registry_place *p)
{
	struct object o = object_begin();

	object_put(&o, "kind", json_of_text(registry_place_text(p->kind)));
	object_put(&o, "number", p->number ? json_of_number(p->number) : json_null());
	return object_end(&o);
}

static bool is_under_way(const struct registry_tape *t)
{
	return !strcmp(t->state, "ARCHIVING") || !strcmp(t->state, "RETRIEVING");
}

static json_t *tape_json(const struct registry_tape *t)
{
	struct object o = object_begin();

	object_put(&o, "barcode", json_of_text(t->barcode));
	object_put(&o, "library", json_of_text(t->library));
	object_put(&o, "place", place_json(&t->place));
	object_put(&o, "address", t->address ? json_of_number(t->address) : json_null());
	object_put(&o, "medium", json_of_text(t->medium));
	object_put(&o, "readable", json_boolean(t->readable));
	object_put(&o, "worm", json_boolean(t->worm));
	object_put(&o, "cleaning", json_boolean(t->cleaning));
	object_put(&o, "write_protect", json_boolean(t->write_protect));
	object_put(&o, "size", json_of_number(t->size));
	object_put(&o, "used", json_of_number(t->used));
	object_put(&o, "state", json_of_text(t->state));
	object_put(&o, "progress", is_under_way(t) ? json_of_number(t->progress) : json_null());
	object_put(&o, "pool", json_of_text(*t->pool ? t->pool : NULL));
	object_put(&o, "created", json_integer(t->created));
	object_put(&o, "archived", t->archived ? json_integer(t->archived) : json_null());
	return object_end(&o);
}

/* --- looking -------------------------------------------------------------------------------- */

static void add_library(void *arg, const struct registry_library *l)
{
	json_array_append_new(arg, library_json(l));
}

static void add_drive(void *arg, const struct registry_drive *d)
{
	json_array_append_new(arg, drive_json(d));
}

static void add_tape(void *arg, const struct registry_tape *t)
{
	json_array_append_new(arg, tape_json(t));
}

static void refuse_library(struct call *c, const char *name)
{
	call_refuse(c, HTTP_NOTFOUND, "no_such_library", "there is no library %s", name);
}

static void refuse_tape(struct call *c, const char *barcode)
{
	call_refuse(c, HTTP_NOTFOUND, "no_such_tape", "there is no cartridge %s", barcode);
}

void native_get_libraries(struct call *c)
{
	json_t *list = json_array();

	registry_libraries(native_of(c)->registry, add_library, list);
	call_reply(c, HTTP_OK, json_pack("{s:o}", "libraries", list));
}

struct search {
	const char *name;
	unsigned long number;
	json_t *found;
};

static void look_at_library(void *arg, const struct registry_library *l)
{
	struct search *s = arg;

	if (!strcmp(l->name, s->name))
		s->found = library_json(l);
}

void native_get_library(struct call *c)
{
	struct search s = { .name = call_argument(c, 0) };

	registry_libraries(native_of(c)->registry, look_at_library, &s);
	if (s.found)
		call_reply(c, HTTP_OK, s.found);
	else
		refuse_library(c, s.name);
}

/* The answer to a list of what a library has: false means that there is no such library. */
static void reply_list(struct call *c, bool found, const char *what, json_t *list)
{
	if (found) {
		call_reply(c, HTTP_OK, json_pack("{s:o}", what, list));
		return;
	}
	json_decref(list);
	refuse_library(c, call_argument(c, 0));
}

void native_get_drives(struct call *c)
{
	json_t *list = json_array();
	bool found = registry_drives(native_of(c)->registry, call_argument(c, 0), add_drive, list);

	reply_list(c, found, "drives", list);
}

void native_get_all_drives(struct call *c)
{
	json_t *list = json_array();

	registry_drives(native_of(c)->registry, NULL, add_drive, list);
	call_reply(c, HTTP_OK, json_pack("{s:o}", "drives", list));
}

static void look_at_drive(void *arg, const struct registry_drive *d)
{
	struct search *s = arg;

	if (d->number == s->number)
		s->found = drive_json(d);
}

void native_get_drive(struct call *c)
{
	const char *number = call_argument(c, 1);
	struct search s = { .name = call_argument(c, 0) };

	if (strspn(number, "0123456789") == strlen(number))
		s.number = strtoul(number, NULL, 10);
	if (!registry_drives(native_of(c)->registry, s.name, look_at_drive, &s))
		refuse_library(c, s.name);
	else if (s.found)
		call_reply(c, HTTP_OK, s.found);
	else
		call_refuse(c, HTTP_NOTFOUND, "no_such_drive", "library %s has no drive %s", s.name,
			number);
}

void native_get_library_tapes(struct call *c)
{
	json_t *list = json_array();
	bool found = registry_tapes(native_of(c)->registry, call_argument(c, 0), add_tape, list);

	reply_list(c, found, "tapes", list);
}

void native_get_tapes(struct call *c)
{
	json_t *list = json_array();

	registry_tapes(native_of(c)->registry, NULL, add_tape, list);
	call_reply(c, HTTP_OK, json_pack("{s:o}", "tapes", list));
}

static void reply_tape(void *arg, const struct registry_tape *t)
{
	call_reply(arg, HTTP_OK, tape_json(t));
}

void native_get_tape(struct call *c)
{
	const char *barcode = call_argument(c, 0);

	if (!registry_tape(native_of(c)->registry, barcode, reply_tape, c))
		refuse_tape(c, barcode);
}

/* --- changing ------------------------------------------------------------------------------- */

static const struct {
	int status;
	const char *code;
} refusals[] = {
	[TAPE_NO_LIBRARY] = { 404, "no_such_library" },
	[TAPE_NOT_FOUND] = { 404, "no_such_tape" },
	[TAPE_NO_PLACE] = { 422, "no_such_place" },
	[TAPE_EXISTS] = { 409, "exists" },
	[TAPE_INVALID] = { 400, "invalid" },
	[TAPE_PLACE_FULL] = { 409, "place_taken" },
	[TAPE_NO_ROOM] = { 409, "no_room" },
	[TAPE_PREVENTED] = { 409, "prevented" },
	[TAPE_LOCKED] = { 409, "locked" },
	[TAPE_IN_DRIVE] = { 409, "in_drive" },
	[TAPE_NOT_LOADED] = { 409, "not_loaded" },
	[TAPE_ARCHIVED] = { 409, "archived" },
	[TAPE_NOT_ARCHIVED] = { 409, "not_archived" },
	[TAPE_SETTLED] = { 409, "not_on_its_way" },
	[TAPE_MOVED] = { 409, "moved" },
	[TAPE_NO_SPACE] = { 507, "no_space" },
	[TAPE_FAILED] = { 500, "failed" },
	[TAPE_NO_MEMORY] = { 500, "no_memory" },
	[TAPE_STOPPING] = { 503, "stopping" },
};

static void reply_outcome(struct call *c, int status, const struct registry_tape_outcome *o)
{
	if (o->result)
		call_refuse(c, refusals[o->result].status, refusals[o->result].code, "%s", o->text);
	else
		call_reply(c, status, o->tape ? tape_json(o->tape) : json_object());
}

static void reply_created(void *arg, const struct registry_tape_outcome *o)
{
	reply_outcome(arg, 201, o);
}

static void reply_changed(void *arg, const struct registry_tape_outcome *o)
{
	reply_outcome(arg, HTTP_OK, o);
}

static void change(struct call *c, struct registry_tape_change *what)
{
	if (what->verb != TAPE_CREATE)
		what->barcode = call_argument(c, 0);
	what->who = call_who(c);
	what->done = what->verb == TAPE_CREATE ? reply_created : reply_changed;
	what->arg = c;
	registry_tape_change(native_of(c)->registry, what);
}

/* A place in a body: "to" and "number". False: the call has been refused. */
static bool place_of(struct call *c, const char *fallback, struct registry_place *out)
{
	const char *to = body_text(c, "to") ? body_text(c, "to") : fallback;
	json_int_t number = body_number(c, "number");

	for (int kind = REGISTRY_IN_SLOT; to && kind <= REGISTRY_IN_DRIVE; kind++) {
		*out = (struct registry_place){ .kind = (enum registry_place_kind)kind,
			.number = number < 0 || number > 65535 ? 65536 : (unsigned)number };
		if (!strcmp(to, registry_place_text(out->kind)))
			return true;
	}
	call_refuse(c, 400, "bad_place",
		"a cartridge goes to a \"slot\", a \"mail slot\" or a \"drive\"");
	return false;
}

void native_create_tape(struct call *c)
{
	static const struct body_member members[] = { { "barcode", BODY_TEXT },
		{ "size", BODY_NUMBER }, { "generation", BODY_NUMBER }, { "worm", BODY_BOOL },
		{ "cleaning", BODY_BOOL }, { "existing", BODY_BOOL }, { "pool", BODY_TEXT },
		{ "to", BODY_TEXT }, { "number", BODY_NUMBER } };
	struct registry_tape_change what = { .verb = TAPE_CREATE };
	json_int_t size, generation;

	if (!body_check(c, members, N(members)) || !place_of(c, "slot", &what.place))
		return;
	size = body_number(c, "size");
	generation = body_number(c, "generation");
	if (size < 0 || generation < 0 || generation > 255) {
		call_refuse(c, 400, "invalid", "size and generation are positive numbers");
		return;
	}
	what.library = call_argument(c, 0);
	what.barcode = body_text(c, "barcode");
	what.size = (uint64_t)size;
	what.generation = (unsigned)generation;
	what.worm = body_true(c, "worm");
	what.cleaning = body_true(c, "cleaning");
	what.existing = body_true(c, "existing");
	what.pool = body_text(c, "pool");
	change(c, &what);
}

void native_change_tape(struct call *c)
{
	static const struct body_member members[] = { { "write_protect", BODY_BOOL },
		{ "pool", BODY_TEXT } };
	bool protect, pool;

	if (!body_check(c, members, N(members)))
		return;
	protect = body_get(c, "write_protect");
	pool = body_get(c, "pool");
	if (protect == pool)
		call_refuse(c, 400, "bad_body", "give either write_protect or pool");
	else if (protect)
		change(c, &(struct registry_tape_change){ .verb = TAPE_PROTECT,
				  .write_protect = body_true(c, "write_protect") });
	else
		change(c, &(struct registry_tape_change){
				  .verb = TAPE_ASSIGN, .pool = body_text(c, "pool") });
}

void native_delete_tape(struct call *c)
{
	change(c, &(struct registry_tape_change){ .verb = TAPE_DELETE });
}

void native_move_tape(struct call *c)
{
	static const struct body_member members[] = { { "to", BODY_TEXT },
		{ "number", BODY_NUMBER } };
	struct registry_tape_change what = { .verb = TAPE_MOVE };

	if (body_check(c, members, N(members)) && place_of(c, NULL, &what.place))
		change(c, &what);
}

void native_unload_tape(struct call *c)
{
	change(c, &(struct registry_tape_change){ .verb = TAPE_UNLOAD });
}

void native_archive_tape(struct call *c)
{
	change(c, &(struct registry_tape_change){ .verb = TAPE_ARCHIVE });
}

void native_retrieve_tape(struct call *c)
{
	static const struct body_member members[] = { { "write_protect", BODY_BOOL },
		{ "to", BODY_TEXT }, { "number", BODY_NUMBER } };
	struct registry_tape_change what = { .verb = TAPE_RETRIEVE };

	if (!body_check(c, members, N(members)) || !place_of(c, "slot", &what.place))
		return;
	what.write_protect = body_true(c, "write_protect");
	change(c, &what);
}

void native_cancel_tape(struct call *c)
{
	change(c, &(struct registry_tape_change){ .verb = TAPE_CANCEL });
}

void native_look_at_tape(struct call *c)
{
	change(c, &(struct registry_tape_change){ .verb = TAPE_LOOK });
}

/* --- another changer ------------------------------------------------------------------------ */

static void reply_library(void *arg, enum registry_tape_result result, const char *text)
{
	struct call *c = arg;

	if (result)
		call_refuse(c, refusals[result].status, refusals[result].code, "%s", text);
	else
		native_get_library(c);
}

void native_change_library(struct call *c)
{
	static const struct body_member members[] = { { "changer", BODY_TEXT } };

	if (!body_check(c, members, N(members)))
		return;
	if (!body_text(c, "changer"))
		call_refuse(c, 400, "bad_body", "give the changer");
	else
		registry_changer_change(native_of(c)->registry,
			&(struct registry_changer_change){ .library = call_argument(c, 0),
				.changer = body_text(c, "changer"),
				.who = call_who(c),
				.done = reply_library,
				.arg = c });
}
