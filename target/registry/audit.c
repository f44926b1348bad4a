/* SPDX-License-Identifier: BSD-2-Clause */
/* What the catalog does that is no change of credentials: telling the audit, and another key. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "registry/registry_private.h"

/* --- the audit ------------------------------------------------------------------------------ */

/* An entry on its way from the catalog's thread; its text stands behind it. */
struct entry {
	struct list link;
	struct catalog_audit audit;
	char text[];
};

struct listing {
	struct catalog_request request;
	struct catalog_audit_query query;
	struct list entries;
	void (*each)(void *arg, const struct catalog_audit *entry);
	void (*end)(void *arg, int err);
	void *arg;
};

static const char *keep(char **at, const char *text)
{
	char *copy = *at;

	*at = stpcpy(copy, text) + 1;
	return copy;
}

static size_t text_size(const struct catalog_audit *a)
{
	return strlen(a->who) + strlen(a->what) + strlen(a->object) + strlen(a->detail) +
	       strlen(a->result) + 5;
}

/* The entry with its text at *at, which moves behind it. */
static struct catalog_audit copy_of(const struct catalog_audit *a, char **at)
{
	return (struct catalog_audit){
		.id = a->id,
		.time = a->time,
		.who = keep(at, a->who),
		.what = keep(at, a->what),
		.object = keep(at, a->object),
		.detail = keep(at, a->detail),
		.result = keep(at, a->result),
	};
}

static int take_entry(const struct catalog_audit *a, void *arg)
{
	struct listing *l = arg;
	struct entry *e = malloc(sizeof(*e) + text_size(a));
	char *at;

	if (!e)
		return -ENOMEM;
	at = e->text;
	e->audit = copy_of(a, &at);
	list_init(&e->link);
	list_push(&l->entries, &e->link);
	return 0;
}

static void drop_entries(struct listing *l)
{
	struct list *link;

	while ((link = list_pop(&l->entries)))
		free(container_of(link, struct entry, link));
}

/* On the catalog's thread. */
static int list_audit(struct catalog_request *request, struct catalog_tx *tx)
{
	struct listing *l = container_of(request, struct listing, request);

	drop_entries(l); /* of an attempt before this one */
	return catalog_audit_list(tx, &l->query, take_entry, l);
}

static void tell_audit(struct catalog_request *request)
{
	struct listing *l = container_of(request, struct listing, request);

	if (!request->err)
		list_for_each(it, &l->entries)
			l->each(l->arg, &container_of(it, struct entry, link)->audit);
	drop_entries(l);
	l->end(l->arg, request->err);
	free(l);
}

void registry_audit(struct registry *r, const struct catalog_audit_query *q,
	void (*each)(void *arg, const struct catalog_audit *entry), void (*end)(void *arg, int err),
	void *arg)
{
	struct listing *l = r->catalog ? calloc(1, sizeof(*l)) : NULL;

	if (!l) {
		end(arg, -ENOMEM);
		return;
	}
	*l = (struct listing){ .query = *q, .each = each, .end = end, .arg = arg };
	l->request = (struct catalog_request){
		.run = list_audit,
		.done = tell_audit,
		.home = r->loop,
	};
	list_init(&l->entries);
	catalog_submit(r->catalog, &l->request);
}

/* --- a note --------------------------------------------------------------------------------- */

struct note {
	struct catalog_request request;
	struct catalog_audit audit; /* its text stands behind the note */
	void (*end)(void *arg, int err);
	void *arg;
	char text[];
};

static int add_note(struct catalog_request *request, struct catalog_tx *tx)
{
	return catalog_audit_add(tx, &container_of(request, struct note, request)->audit);
}

static void tell_noted(struct catalog_request *request)
{
	struct note *n = container_of(request, struct note, request);

	n->end(n->arg, request->err);
	free(n);
}

void registry_note(struct registry *r, const struct catalog_audit *entry,
	void (*end)(void *arg, int err), void *arg)
{
	struct note *n = r->catalog ? malloc(sizeof(*n) + text_size(entry)) : NULL;
	char *at;

	if (!n) {
		end(arg, -ENOMEM);
		return;
	}
	at = n->text;
	*n = (struct note){ .end = end, .arg = arg };
	n->audit = copy_of(entry, &at);
	n->request = (struct catalog_request){
		.run = add_note,
		.done = tell_noted,
		.home = r->loop,
	};
	catalog_submit(r->catalog, &n->request);
}

/* --- another key ---------------------------------------------------------------------------- */

struct rekeying {
	struct catalog_request request;
	void (*done)(void *arg, const struct registry_outcome *outcome);
	void *arg;
	char who[];
};

static int audit_rekey(struct catalog_request *request, struct catalog_tx *tx)
{
	const struct rekeying *k = container_of(request, struct rekeying, request);

	return catalog_audit_add(tx, &(const struct catalog_audit){
					     .who = k->who,
					     .what = "change key",
					     .detail = "{}",
					     .result = "done",
				     });
}

static void tell_rekeyed(struct catalog_request *request)
{
	struct rekeying *k = container_of(request, struct rekeying, request);
	struct registry_outcome outcome = { .result = REGISTRY_DONE, .text = "done" };
	struct log_quoted who;

	if (request->err) {
		outcome.result = REGISTRY_NOT_STORED;
		outcome.err = request->err;
		outcome.text = request->why.text;
	} else {
		log_msg(LOG_NOTICE, "all stored secrets are under a new key, by %s",
			log_quote(k->who, strlen(k->who), &who));
	}
	k->done(k->arg, &outcome);
	free(k);
}

void registry_rekey(struct registry *r, const char *who,
	void (*done)(void *arg, const struct registry_outcome *outcome), void *arg)
{
	struct rekeying *k = r->catalog ? calloc(1, sizeof(*k) + strlen(who) + 1) : NULL;

	if (!k) {
		done(arg, &(struct registry_outcome){
				  .result = REGISTRY_NO_MEMORY, .text = "out of memory" });
		return;
	}
	k->request = (struct catalog_request){
		.run = audit_rekey,
		.done = tell_rekeyed,
		.home = r->loop,
	};
	k->done = done;
	k->arg = arg;
	strcpy(k->who, who);
	catalog_rekey(r->catalog, &k->request);
}
