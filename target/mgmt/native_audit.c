/* SPDX-License-Identifier: BSD-2-Clause */
/* GET /v1/audit, POST /v1/rekey. */
#include "mgmt/native_audit.h"

#include <errno.h>
#include <event2/http.h>
#include <stdlib.h>

#include "mgmt/native_json.h"

/* --- the audit ------------------------------------------------------------------------------ */

struct listing {
	struct call *call;
	json_t *entries;
};

/* What is kept as JSON is told as JSON. */
static json_t *detail_of(const struct catalog_audit *a)
{
	json_t *detail = json_loads(a->detail, 0, NULL);

	return detail ? detail : json_object();
}

static void add_entry(void *arg, const struct catalog_audit *a)
{
	struct listing *l = arg;
	struct object o = object_begin();

	object_put(&o, "id", json_integer(a->id));
	object_put(&o, "time", json_integer(a->time));
	object_put(&o, "who", json_of_text(a->who));
	object_put(&o, "what", json_of_text(a->what));
	object_put(&o, "object", json_of_text(a->object));
	object_put(&o, "detail", detail_of(a));
	object_put(&o, "result", json_of_text(a->result));
	json_array_append_new(l->entries, object_end(&o));
}

static void reply_audit(void *arg, int err)
{
	struct listing *l = arg;

	if (err) {
		json_decref(l->entries);
		call_refuse(l->call, HTTP_INTERNAL, "not_stored", "the catalog cannot be read");
	} else {
		call_reply(l->call, HTTP_OK, json_pack("{s:o}", "audit", l->entries));
	}
	free(l);
}

/* A number from 1 to max; true and *out unchanged when it is not given. */
static bool read_number(const char *text, int64_t max, int64_t *out)
{
	char *end;
	long long n;

	if (!text)
		return true;
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno || *end || n < 1 || n > max)
		return false;
	*out = n;
	return true;
}

void native_get_audit(struct call *c)
{
	struct catalog_audit_query q = { .object = call_query(c, "object") };
	int64_t limit = 0;
	struct listing *l;

	if (!read_number(call_query(c, "limit"), NATIVE_AUDIT_MAX, &limit)) {
		call_refuse(c, HTTP_BADREQUEST, "bad_limit", "limit is a number from 1 to %d",
			NATIVE_AUDIT_MAX);
		return;
	}
	if (!read_number(call_query(c, "before"), INT64_MAX, &q.before)) {
		call_refuse(c, HTTP_BADREQUEST, "bad_before", "before is the id of an entry");
		return;
	}
	l = calloc(1, sizeof(*l));
	if (!l) {
		call_no_memory(c);
		return;
	}
	q.limit = (uint32_t)limit;
	*l = (struct listing){ .call = c, .entries = json_array() };
	registry_audit(native_of(c)->registry, &q, add_entry, reply_audit, l);
}

/* --- another key ---------------------------------------------------------------------------- */

static void reply_rekeyed(void *arg, const struct registry_outcome *outcome)
{
	struct call *c = arg;

	if (outcome->result == REGISTRY_DONE)
		call_reply(c, HTTP_OK, json_object());
	else if (outcome->err == -EKEYREJECTED)
		call_refuse(c, 409, "no_new_key", "%s", outcome->text);
	else
		call_refuse(c, HTTP_INTERNAL, "not_stored", "%s", outcome->text);
}

void native_post_rekey(struct call *c)
{
	registry_rekey(native_of(c)->registry, call_who(c), reply_rekeyed, c);
}
