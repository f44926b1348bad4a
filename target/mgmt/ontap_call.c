/* SPDX-License-Identifier: BSD-2-Clause */
/* What the resources of the ONTAP REST API have in common. */
#include "mgmt/ontap_call.h"

#include <event2/http.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/native_json.h"

/* --- refusals ------------------------------------------------------------------------------- */

bool ontap_fault(struct ontap_fault *why, int status, const char *code, const char *target,
	const char *fmt, ...)
{
	va_list ap;

	why->status = status;
	why->code = code;
	snprintf(why->target, sizeof(why->target), "%s", target ? target : "");
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return false;
}

json_t *ontap_error(const char *code, const char *target, const char *text)
{
	struct object o = object_begin();

	object_put(&o, "message", json_of_text(text));
	object_put(&o, "code", json_of_text(code));
	if (*target)
		object_put(&o, "target", json_of_text(target));
	return json_pack("{s:o}", "error", object_end(&o));
}

void ontap_refuse(struct call *c, const struct ontap_fault *why)
{
	if (why->status) {
		call_note_refusal(c, NULL, why->text);
		call_reply(c, why->status, ontap_error(why->code, why->target, why->text));
	} else {
		call_no_memory(c);
	}
}

/* --- queries -------------------------------------------------------------------------------- */

bool ontap_query(
	struct call *c, const struct query_shape *shape, unsigned takes, struct query **out)
{
	const char *mark = strchr(call_target(c), '?');
	struct ontap_fault fault = { 0 };
	struct query_fault why;

	if (query_parse(mark ? mark + 1 : NULL, shape, takes, out, &why))
		return true;
	if (why.code)
		ontap_fault(&fault, HTTP_BADREQUEST, why.code, why.target, "%s", why.text);
	ontap_refuse(c, &fault);
	return false;
}

/* --- links ---------------------------------------------------------------------------------- */

bool ontap_links(const struct call *c)
{
	const char *accept = call_header(c, "Accept");

	return !accept || strstr(accept, "hal+json") || strstr(accept, "*/*");
}

static bool add_link(json_t *links, const char *name, const char *href)
{
	return !json_object_set_new(links, name, json_pack("{s:o}", "href", json_of_text(href)));
}

bool ontap_link(json_t *object, const char *fmt, ...)
{
	json_t *links = json_object();
	char *href = NULL;
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	ok = vasprintf(&href, fmt, ap) >= 0;
	va_end(ap);
	ok = ok && links && add_link(links, "self", href);
	if (ok)
		ok = !json_object_set(object, "_links", links);
	json_decref(links);
	free(href);
	return ok;
}

/* --- envelopes ------------------------------------------------------------------------------ */

/* The target of the request behind "/api/". Ansible's na_ontap_rest_info takes "/api" off the link to the
 * next page and puts "/api/" before what is left: a link must not have what that makes of it. */
static const char *below_api(const struct call *c)
{
	static const char api[] = "/api/";
	const char *at = strstr(call_target(c), api);

	at = at ? at + sizeof(api) - 1 : "";
	return at + strspn(at, "/");
}

/* Where the rest is. Told also to those who want no links: they would not get it otherwise. */
static bool link_next(struct call *c, json_t *envelope, const char *next)
{
	json_t *links = json_object_get(envelope, "_links");
	const char *below = below_api(c);
	char *href = NULL;
	bool ok;

	if (!next)
		return true;
	if (!links) {
		links = json_object();
		if (json_object_set_new(envelope, "_links", links))
			return false;
	}
	ok = asprintf(&href, "/api/%.*s?%s", (int)strcspn(below, "?"), below, next) >= 0 &&
	     add_link(links, "next", href);
	free(href);
	return ok;
}

static bool link_records(json_t *records, bool (*link)(json_t *record))
{
	for (size_t i = 0; i < json_array_size(records); i++)
		if (!link(json_array_get(records, i)))
			return false;
	return true;
}

static json_t *envelope(struct call *c, const struct query *q, struct query_page *page,
	bool (*link)(json_t *record))
{
	json_t *j = json_pack("{s:I}", "num_records", (json_int_t)page->n);
	bool ok = j;

	if (ok && query_wants_records(q, true)) {
		ok = !json_object_set(j, "records", page->records);
		if (ok && ontap_links(c))
			ok = link_records(page->records, link) &&
			     ontap_link(j, "/api/%s", below_api(c));
		ok = ok && link_next(c, j, page->next);
	}
	if (ok)
		return j;
	json_decref(j);
	return NULL;
}

void ontap_reply_page(struct call *c, const struct query *q, const struct query_source *s,
	bool (*link)(json_t *record))
{
	struct query_page page;
	json_t *body = NULL;

	if (query_run(q, s, &page)) {
		body = envelope(c, q, &page, link);
		json_decref(page.records);
		free(page.next);
	}
	call_reply(c, HTTP_OK, body);
}

void ontap_reply_one(
	struct call *c, const struct query *q, json_t *record, bool (*link)(json_t *record))
{
	json_t *shown = record ? query_show(q, record) : NULL;

	if (shown && ontap_links(c) && !link(shown)) {
		json_decref(shown);
		shown = NULL;
	}
	json_decref(record);
	call_reply(c, HTTP_OK, shown);
}
