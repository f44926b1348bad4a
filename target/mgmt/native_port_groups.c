/* SPDX-License-Identifier: BSD-2-Clause */
/* /v1/port-groups. */
#include "mgmt/native_port_groups.h"

#include <event2/http.h>
#include <string.h>

#include "mgmt/native_body.h"
#include "mgmt/native_json.h"
#include "registry/access.h"

/* --- looking -------------------------------------------------------------------------------- */

/* The portals of one group. */
struct gathering {
	uint16_t group;
	json_t *portals;
};

static void add_portal(void *arg, const struct registry_portal *p)
{
	struct gathering *g = arg;

	if (p->group == g->group)
		json_array_append_new(g->portals, json_of_text(p->address));
}

static json_t *group_json(const struct registry *r, uint16_t group, const char *state)
{
	struct gathering g = { group, json_array() };
	struct object o = object_begin();

	registry_portals(r, add_portal, &g);
	object_put(&o, "group", json_of_number(group));
	object_put(&o, "state", json_of_text(state));
	object_put(&o, "portals", g.portals);
	return object_end(&o);
}

struct listing {
	const struct registry *registry;
	json_t *list;
};

static void add_group(void *arg, uint16_t group, const char *state)
{
	struct listing *l = arg;

	json_array_append_new(l->list, group_json(l->registry, group, state));
}

void native_get_port_groups(struct call *c)
{
	struct listing l = { native_of(c)->registry, json_array() };

	if (registry_port_groups(l.registry, add_group, &l)) {
		call_reply(c, HTTP_OK, json_pack("{s:o}", "port_groups", l.list));
		return;
	}
	json_decref(l.list);
	call_no_memory(c);
}

/* --- changing ------------------------------------------------------------------------------- */

static const struct {
	int status;
	const char *code;
} refusals[] = {
	[ACCESS_BAD_STATE] = { 400, "bad_state" },
	[ACCESS_NOT_STORED] = { 500, "not_stored" },
	[ACCESS_NO_MEMORY] = { 500, "no_memory" },
	[ACCESS_STOPPING] = { 503, "stopping" },
};

static void reply(void *arg, const struct registry_access_outcome *o)
{
	struct call *c = arg;

	if (!o->result)
		call_reply(c, HTTP_OK, group_json(native_of(c)->registry, o->group, o->state));
	else if (o->result == ACCESS_NO_GROUP)
		call_refuse(c, HTTP_NOTFOUND, "no_such_group",
			"there is no portal group %s: no portal of the configuration has it",
			call_argument(c, 0));
	else
		call_refuse(c, refusals[o->result].status, refusals[o->result].code, "%s", o->text);
}

/* What is no number is 0, which is no group's. */
static uint64_t group_of(const char *text)
{
	uint64_t n = 0;

	for (; *text >= '0' && *text <= '9' && n <= UINT16_MAX; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	return *text ? 0 : n;
}

void native_set_port_group(struct call *c)
{
	static const struct body_member members[] = { { "state", BODY_TEXT } };

	if (body_check(c, members, 1))
		registry_access_change(native_of(c)->registry,
			&(struct registry_access_change){ .group = group_of(call_argument(c, 0)),
				.state = body_text(c, "state"),
				.who = call_who(c),
				.done = reply,
				.arg = c });
}
