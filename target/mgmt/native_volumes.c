/* SPDX-License-Identifier: BSD-2-Clause */
/* /v1/volumes. */
#include "mgmt/native_volumes.h"

#include <event2/http.h>
#include <string.h>

#include "mgmt/native_body.h"
#include "mgmt/native_json.h"
#include "registry/volumes.h"

#define N(v) (sizeof(v) / sizeof((v)[0]))

static json_t *volume_json(const struct registry_volume *v)
{
	const char *state = !v->attached ? "detached" : v->trouble ? "offline" : "available";
	struct object o = object_begin();

	object_put(&o, "id", json_of_text(v->id));
	object_put(&o, "pool", json_of_text(v->pool));
	object_put(&o, "disk", json_of_text(v->disk));
	object_put(&o, "portal", json_of_text(v->portal));
	object_put(&o, "path", json_of_text(v->path));
	object_put(&o, "target", json_of_text(v->target));
	object_put(&o, "lun", json_of_number(v->lun));
	object_put(&o, "size", json_of_number(v->size));
	object_put(&o, "block_size", json_of_number(v->block_size));
	object_put(&o, "state", json_of_text(state));
	object_put(&o, "trouble", json_of_text(v->trouble));
	object_put(&o, "created", json_integer(v->created));
	return object_end(&o);
}

/* --- looking -------------------------------------------------------------------------------- */

static void add_volume(void *arg, const struct registry_volume *v)
{
	json_array_append_new(arg, volume_json(v));
}

void native_get_volumes(struct call *c)
{
	json_t *list = json_array();

	registry_volumes(native_of(c)->registry, add_volume, list);
	call_reply(c, HTTP_OK, json_pack("{s:o}", "volumes", list));
}

struct search {
	const char *id;
	json_t *found;
};

static void look(void *arg, const struct registry_volume *v)
{
	struct search *s = arg;

	if (!strcmp(v->id, s->id))
		s->found = volume_json(v);
}

void native_get_volume(struct call *c)
{
	struct search s = { .id = call_argument(c, 0) };

	registry_volumes(native_of(c)->registry, look, &s);
	if (s.found)
		call_reply(c, HTTP_OK, s.found);
	else
		call_refuse(c, HTTP_NOTFOUND, "no_such_volume", "there is no volume %s", s.id);
}

/* --- changing ------------------------------------------------------------------------------- */

static const struct {
	int status;
	const char *code;
} refusals[] = {
	[VOLUME_NOT_FOUND] = { 404, "no_such_volume" },
	[VOLUME_NO_POOL] = { 422, "no_such_pool" },
	[VOLUME_NO_DISK] = { 422, "no_such_disk" },
	[VOLUME_DISK_TAKEN] = { 409, "disk_taken" },
	[VOLUME_ON_DISK] = { 409, "on_disk" },
	[VOLUME_NO_PORTAL] = { 422, "no_such_portal" },
	[VOLUME_TOO_MANY] = { 409, "too_many" },
	[VOLUME_TARGET_TAKEN] = { 409, "target_taken" },
	[VOLUME_BAD_TARGET] = { 400, "bad_target" },
	[VOLUME_BAD_SIZE] = { 400, "bad_size" },
	[VOLUME_BAD_BLOCK] = { 400, "bad_block_size" },
	[VOLUME_SHRINKS] = { 409, "shrinks" },
	[VOLUME_NO_ROOM] = { 409, "no_room" },
	[VOLUME_DECLARED] = { 409, "declared" },
	[VOLUME_LUN_TAKEN] = { 409, "lun_taken" },
	[VOLUME_ATTACHED] = { 409, "attached" },
	[VOLUME_DETACHED] = { 409, "detached" },
	[VOLUME_IN_USE] = { 409, "in_use" },
	[VOLUME_NOT_MADE] = { 500, "not_made" },
	[VOLUME_NOT_STORED] = { 500, "not_stored" },
	[VOLUME_NOT_SERVED] = { 500, "not_served" },
	[VOLUME_NO_MEMORY] = { 500, "no_memory" },
	[VOLUME_STOPPING] = { 503, "stopping" },
};

/* Where the request named what is wrong, so does the refusal. */
static void refuse(struct call *c, const struct registry_volume_outcome *o)
{
	int status = refusals[o->result].status;
	const char *code = refusals[o->result].code;
	const char *name;

	switch (o->result) {
	case VOLUME_NOT_FOUND:
		call_refuse(c, status, code, "there is no volume %s", call_argument(c, 0));
		return;
	case VOLUME_NO_POOL: name = body_text(c, "pool"); break;
	case VOLUME_BAD_TARGET: name = body_text(c, "target"); break;
	default: name = NULL;
	}
	call_refuse(c, status, code, "%s%s%s", name ? name : "", name ? ": " : "", o->text);
}

static void reply_outcome(struct call *c, int status, const struct registry_volume_outcome *o)
{
	if (!o->result)
		call_reply(c, status, volume_json(o->volume));
	else
		refuse(c, o);
}

static void reply_created(void *arg, const struct registry_volume_outcome *o)
{
	reply_outcome(arg, 201, o);
}

static void reply_changed(void *arg, const struct registry_volume_outcome *o)
{
	reply_outcome(arg, HTTP_OK, o);
}

static void change(struct call *c, struct registry_volume_change *what)
{
	if (what->verb != VOLUME_CREATE)
		what->id = call_argument(c, 0);
	what->who = call_who(c);
	what->done = what->verb == VOLUME_CREATE ? reply_created : reply_changed;
	what->arg = c;
	registry_volume_change(native_of(c)->registry, what);
}

/* A number that cannot be one of what is counted is as good as 0. */
static uint64_t positive(const struct call *c, const char *name)
{
	json_int_t n = body_number(c, name);

	return n > 0 ? (uint64_t)n : 0;
}

static int64_t lun_of(const struct call *c)
{
	json_int_t n = body_number(c, "lun");

	if (!body_get(c, "lun"))
		return VOLUME_ANY_LUN;
	return n < 0 ? VOLUME_LUN_MAX + 1 : n;
}

void native_create_volume(struct call *c)
{
	static const struct body_member members[] = { { "target", BODY_TEXT },
		{ "size", BODY_NUMBER }, { "pool", BODY_TEXT }, { "lun", BODY_NUMBER },
		{ "block_size", BODY_NUMBER } };
	uint64_t block = 0;

	if (!body_check(c, members, N(members)) || !body_needs(c, "target") ||
		!body_needs(c, "size"))
		return;
	if (body_get(c, "block_size"))
		block = positive(c, "block_size") <= 4096 ? positive(c, "block_size") : 1;
	if (body_get(c, "block_size") && !block)
		block = 1; /* no block size, and refused as such */
	change(c, &(struct registry_volume_change){ .verb = VOLUME_CREATE,
			  .pool = body_text(c, "pool"),
			  .target = body_text(c, "target"),
			  .lun = lun_of(c),
			  .size = positive(c, "size"),
			  .block_size = (uint32_t)block });
}

void native_resize_volume(struct call *c)
{
	static const struct body_member members[] = { { "size", BODY_NUMBER } };

	if (body_check(c, members, N(members)) && body_needs(c, "size"))
		change(c, &(struct registry_volume_change){ .verb = VOLUME_RESIZE,
				  .size = positive(c, "size") });
}

void native_attach_volume(struct call *c)
{
	static const struct body_member members[] = {
		{ "target", BODY_TEXT }, { "lun", BODY_NUMBER } };

	if (body_check(c, members, N(members)))
		change(c, &(struct registry_volume_change){ .verb = VOLUME_ATTACH,
				  .target = body_text(c, "target"),
				  .lun = lun_of(c) });
}

void native_detach_volume(struct call *c)
{
	static const struct body_member members[] = { { "force", BODY_BOOL } };

	if (body_check(c, members, N(members)))
		change(c, &(struct registry_volume_change){ .verb = VOLUME_DETACH,
				  .force = body_true(c, "force") });
}

void native_delete_volume(struct call *c)
{
	const char *force = call_query(c, "force");

	change(c, &(struct registry_volume_change){ .verb = VOLUME_DELETE,
			  .force = force && !strcmp(force, "true") });
}
