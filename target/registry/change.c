/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of credentials. Each goes this way, and the next begins when it has arrived:
 *
 *   plan      its maker says what is to be done (plan.h)
 *   catalog   one transaction with the rows and their audit entries
 *   reactors  the new table is published; connections that have to go are closed
 *   done      the maker is told
 *
 * What can be refused is refused in the plan. A transaction that fails has changed nothing. After
 * it there is no way back, and none is needed: what is left takes memory alone, and is tried again
 * until there is some.
 *
 * Another configuration may come into force while a change is with the catalog. Then the table is
 * built anew, from the new file and the rows stored by now.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "registry/credentials.h"
#include "registry/plan.h"
#include "registry/registry_private.h"
#include "registry/stored.h"

#define AGAIN_MS    200
#define GRACES_MAX  256  /* old secrets that one change ends */
#define GRACE_LOOK  3600 /* seconds: the clock may be set meanwhile */
#define RETRY_GRACE 60   /* seconds, when they could not be ended */
#define WHO_SYSTEM  "countersignd"

struct change {
	struct list link;
	struct registry_change what;
	char *who, *verb;
	struct registry_plan plan;
	const struct table *base; /* in force when it was planned */
	const struct table *in_force, *stored;
	const char **targets; /* that the change reaches; borrowed from rows */
	size_t n_targets;
	bool svms;
	unsigned closed;
	struct catalog_request request;
};

/* --- what is written down about a change ---------------------------------------------------- */

/* What a row says, but for its secrets. NULL when memory is out. */
static char *describe(const struct plan_step *step)
{
	const struct credential_spec *row = &step->row->spec;
	json_t *j = json_pack("{s:s, s:s}", "scope", credential_scope_text(row->scope), "initiator",
		row->initiator);
	int err = !j;
	char *text = NULL;

	if (!step->removes && !err) {
		err |= json_object_set_new(j, "type", json_string(credential_type_text(row->type)));
		if (row->type == CREDENTIAL_CHAP)
			err |= json_object_set_new(
				j, "mutual", json_boolean(row->out_secret.bytes));
		if (row->old_secret.bytes)
			err |= json_object_set_new(j, "grace_until", json_integer(row->old_until));
		if (*row->source_text)
			err |= json_object_set_new(j, "addresses", json_string(row->source_text));
	}
	if (!err)
		text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	return text;
}

static const char *verb_of(const struct change *c, const struct plan_step *step)
{
	if (c->verb)
		return c->verb;
	return step->removes ? "delete credential" : "set credential";
}

static void log_step(const struct change *c, const struct plan_step *step)
{
	const struct credential_spec *row = &step->row->spec;
	struct log_quoted who, initiator;

	log_msg(LOG_NOTICE, "%s: %s of initiator %s by %s",
		*row->scope_name ? row->scope_name : "discovery", verb_of(c, step),
		log_quote(row->initiator, strlen(row->initiator), &initiator),
		log_quote(c->who, strlen(c->who), &who));
	if (!step->removes && table_secret_uses(c->in_force, row->in_secret) > 1)
		log_msg(LOG_WARNING,
			"%s: initiator %s proves itself by a secret that others have, too",
			*row->scope_name ? row->scope_name : "discovery", initiator.text);
}

/* --- the catalog ---------------------------------------------------------------------------- */

static int store_step(const struct change *c, const struct plan_step *step, struct catalog_tx *tx)
{
	const struct credential_spec *row = &step->row->spec;
	const struct catalog_audit audit = {
		.who = c->who,
		.what = verb_of(c, step),
		.object = *row->scope_name ? row->scope_name : "discovery",
		.detail = step->detail,
		.result = "done",
	};
	int err = step->removes ? stored_remove(tx, row) : stored_put(tx, row);

	return err ? err : catalog_audit_add(tx, &audit);
}

/* On the catalog's thread. */
static int store(struct catalog_request *request, struct catalog_tx *tx)
{
	const struct change *c = container_of(request, struct change, request);
	int err = 0;

	for (size_t i = 0; !err && i < c->plan.n; i++)
		err = store_step(c, &c->plan.steps[i], tx);
	return err;
}

/* --- the way of a change -------------------------------------------------------------------- */

static void walk(struct registry *r);

static void change_free(struct change *c)
{
	plan_end(&c->plan);
	table_unref(c->base);
	table_unref(c->in_force);
	table_unref(c->stored);
	free(c->targets);
	free(c->who);
	free(c->verb);
	free(c);
}

static const char *result_text(enum registry_result result)
{
	static const char *const texts[] = {
#define AS_TEXT(id, text) [id] = (text),
		REGISTRY_RESULTS(AS_TEXT)
#undef AS_TEXT
	};

	return texts[result];
}

/* Tells the maker how it ended. c is gone. */
static void finish(struct change *c)
{
	const struct registry_plan *p = &c->plan;

	c->what.done(c->what.arg, &(struct registry_outcome){
					  .result = p->result,
					  .fault = p->fault,
					  .closed = c->closed,
					  .err = c->request.err,
					  .text = *p->text ? p->text : result_text(p->result),
				  });
	change_free(c);
}

static void set_graces_timer(struct registry *r)
{
	int64_t left = r->changes.next_end - grace_now();

	if (r->changes.next_end == INT64_MAX || r->changes.stopped)
		return;
	if (left < 0)
		left = 0;
	loop_timer_set(
		&r->changes.graces, (uint32_t)(left < GRACE_LOOK ? left : GRACE_LOOK) * 1000 + 1);
}

static void note_grace(struct registry *r, const struct credential_spec *row)
{
	int64_t end;

	grace_see(&r->changes.seen, row);
	if (!row->old_secret.bytes)
		return;
	end = grace_now() + grace_left(&r->changes.seen, row);
	if (end < r->changes.next_end)
		r->changes.next_end = end;
}

static void note_graces(struct registry *r, const struct change *c)
{
	for (size_t i = 0; i < c->plan.n; i++) {
		const struct credential_spec *row = &c->plan.steps[i].row->spec;

		if (c->plan.steps[i].removes)
			grace_forget(&r->changes.seen, row);
		else
			note_grace(r, row);
	}
	set_graces_timer(r);
}

static void on_in_force(void *arg)
{
	struct registry *r = arg;
	struct change *c = r->changes.now;

	r->changes.now = NULL;
	for (size_t i = 0; i < c->plan.n; i++)
		log_step(c, &c->plan.steps[i]);
	note_graces(r, c);
	finish(c);
	walk(r);
}

/* The table that the change has made, or one made anew where the world has changed meanwhile. */
static int table_for(struct registry *r, const struct change *c, const struct table **out)
{
	struct faults faults = { 0 };
	int err = 0;

	if (r->now.credentials == c->base)
		*out = table_ref(c->in_force);
	else
		err = credentials_build(r->stored, r->now.cfg, NULL, NULL, out, &faults);
	faults_free(&faults);
	return err;
}

static int publish(struct registry *r, struct change *c)
{
	const struct reach reach = {
		.targets = c->targets,
		.n = c->what.keep ? 0 : c->n_targets,
		.forbidden = c->svms && !c->what.keep,
	};
	const struct table *t = NULL;
	int err = table_for(r, c, &t);

	if (!err)
		err = registry_publish_credentials(r, t, &reach, &c->closed, on_in_force, r);
	table_unref(t);
	return err;
}

/* What is on the disk has to come into force. */
static void insist(struct registry *r)
{
	if (!r->server) {
		on_in_force(r); /* nobody is left to see it */
		return;
	}
	if (publish(r, r->changes.now)) {
		log_msg(LOG_ERR, "out of memory: credentials that have been changed are not in "
				 "force yet");
		loop_timer_set(&r->changes.again, AGAIN_MS);
	}
}

static void on_again(struct loop_timer *t)
{
	insist(container_of(t, struct registry, changes.again));
}

static void on_stored(struct catalog_request *request)
{
	struct change *c = container_of(request, struct change, request);
	struct registry *r = c->plan.r;

	if (request->err) {
		r->changes.now = NULL;
		plan_refuse(&c->plan, REGISTRY_NOT_STORED, "%s", request->why.text);
		finish(c);
		walk(r);
		return;
	}
	table_unref(r->stored);
	r->stored = c->stored;
	c->stored = NULL;
	insist(r);
}

static bool has_name(const struct change *c, const char *name)
{
	for (size_t i = 0; i < c->n_targets; i++)
		if (!strcmp(c->targets[i], name))
			return true;
	return false;
}

/* What the change reaches, and what is to be said of it. */
static bool prepare(struct change *c)
{
	struct registry_plan *p = &c->plan;

	c->targets = calloc(p->n, sizeof(*c->targets));
	for (size_t i = 0; c->targets && i < p->n; i++) {
		const struct credential_spec *row = &p->steps[i].row->spec;

		p->steps[i].detail = describe(&p->steps[i]);
		if (!p->steps[i].detail)
			return false;
		c->svms |= row->scope == CREDENTIAL_OF_SVM;
		if (row->scope == CREDENTIAL_OF_TARGET && !has_name(c, row->scope_name))
			c->targets[c->n_targets++] = row->scope_name;
	}
	return c->targets;
}

static void make_plan(struct registry *r, struct change *c)
{
	struct registry_plan *p = &c->plan;
	enum table_fault fault = plan_begin(r, c->what.origin, c->who, p);

	if (fault)
		plan_refuse_fault(p, fault, NULL);
	else if ((!c->what.plan(c->what.arg, p) || !p->n) && !p->result)
		p->result = REGISTRY_DECLINED;
	if (!p->result && !prepare(c))
		plan_refuse_fault(p, TABLE_NO_MEMORY, NULL);
}

/* True when the change is on its way; otherwise it is to be finished. */
static bool begin(struct registry *r, struct change *c)
{
	if (r->changes.stopped || !r->catalog)
		c->plan.result = REGISTRY_STOPPING;
	else
		make_plan(r, c);
	if (c->plan.result)
		return false;
	c->base = table_ref(r->now.credentials);
	c->in_force = table_edit_commit(c->plan.in_force);
	c->stored = table_edit_commit(c->plan.stored);
	c->plan.in_force = NULL;
	c->plan.stored = NULL;
	c->request = (struct catalog_request){
		.run = store,
		.done = on_stored,
		.home = r->loop,
	};
	r->changes.now = c;
	catalog_submit(r->catalog, &c->request);
	return true;
}

/* Begins what waits, unless something is on its way. Those who are told may ask for more. */
static void walk(struct registry *r)
{
	struct list *link;

	if (r->changes.running)
		return;
	r->changes.running = true;
	while (!r->changes.now && (link = list_pop(&r->changes.queue))) {
		struct change *c = container_of(link, struct change, link);

		if (!begin(r, c))
			finish(c);
	}
	r->changes.running = false;
}

void registry_change(struct registry *r, const struct registry_change *change)
{
	struct change *c = calloc(1, sizeof(*c));

	if (c) {
		list_init(&c->link);
		c->what = *change;
		c->who = strdup(change->who);
		c->verb = change->what ? strdup(change->what) : NULL;
	}
	if (!c || !c->who || (change->what && !c->verb)) {
		if (c)
			change_free(c);
		change->done(change->arg, &(struct registry_outcome){
						  .result = REGISTRY_NO_MEMORY,
						  .text = result_text(REGISTRY_NO_MEMORY),
					  });
		return;
	}
	list_push(&r->changes.queue, &c->link);
	walk(r);
}

/* --- the end of old secrets ----------------------------------------------------------------- */

/* Old secrets whose time is over, as they are found in the stored rows. */
struct graces {
	struct registry *r;
	const struct credential *row[GRACES_MAX]; /* references */
	size_t n;
	int64_t next_end; /* of those that are left */
};

static bool look_at(const struct credential *c, void *arg)
{
	struct graces *g = arg;
	int64_t left, end;

	if (!c->spec.old_secret.bytes)
		return true;
	left = grace_left(&g->r->changes.seen, &c->spec);
	end = grace_now() + left;
	if (!left && g->n < GRACES_MAX)
		g->row[g->n++] = credential_ref(c);
	else if (end < g->next_end)
		g->next_end = end;
	return true;
}

/* The rows without their old secrets: as they were otherwise, also in who has written them. */
static bool plan_ends(void *arg, struct registry_plan *p)
{
	const struct graces *g = arg;

	for (size_t i = 0; i < g->n && !p->result; i++) {
		struct credential_spec row = g->row[i]->spec;
		const char *scope = row.scope_name, *initiator = row.initiator;

		if (table_edit_find(p->stored, row.scope, scope, initiator) != g->row[i])
			continue;
		row.old_secret = row.old_out_secret = (struct secret_view){ 0 };
		row.old_until = 0;
		plan_put_row(
			p, &row, registry_plan_find(p, row.scope, scope, initiator) != g->row[i]);
	}
	return true;
}

static void on_ended(void *arg, const struct registry_outcome *outcome)
{
	struct graces *g = arg;
	struct registry *r = g->r;
	int64_t retry = grace_now() + RETRY_GRACE;
	bool again = outcome->result != REGISTRY_DONE && outcome->result != REGISTRY_DECLINED;

	if (again)
		log_msg(LOG_WARNING,
			"old secrets cannot be removed, though they are not taken any more: %s",
			outcome->text);
	if (again && r->changes.next_end > retry)
		r->changes.next_end = retry;
	set_graces_timer(r);
	for (size_t i = 0; i < g->n; i++)
		credential_unref(g->row[i]);
	free(g);
}

/* Also an hour after the last look, and then perhaps for nothing. */
static void on_graces(struct loop_timer *t)
{
	struct registry *r = container_of(t, struct registry, changes.graces);
	struct graces *g = calloc(1, sizeof(*g));

	if (!g) {
		loop_timer_set(&r->changes.graces, AGAIN_MS);
		return;
	}
	g->r = r;
	g->next_end = INT64_MAX;
	table_each(r->stored, look_at, g);
	r->changes.next_end = g->next_end;
	if (!g->n) {
		free(g);
		set_graces_timer(r);
		return;
	}
	registry_change(r, &(struct registry_change){
				   .who = WHO_SYSTEM,
				   .what = "end grace",
				   .keep = true,
				   .plan = plan_ends,
				   .done = on_ended,
				   .arg = g,
			   });
}

/* --- beginning and end ---------------------------------------------------------------------- */

void changes_init(struct registry *r)
{
	list_init(&r->changes.queue);
	loop_timer_init(r->loop, &r->changes.again, on_again);
	loop_timer_init(r->loop, &r->changes.graces, on_graces);
	r->changes.next_end = INT64_MAX;
}

static bool note_stored(const struct credential *c, void *arg)
{
	note_grace(arg, &c->spec);
	return true;
}

void changes_start(struct registry *r)
{
	table_each(r->stored, note_stored, r);
	set_graces_timer(r);
}

void changes_stop(struct registry *r)
{
	r->changes.stopped = true;
	loop_timer_clear(&r->changes.graces);
	walk(r);
}

void changes_end(struct registry *r)
{
	loop_timer_clear(&r->changes.again);
	if (r->changes.now)
		on_in_force(r);
	grace_forget_all(&r->changes.seen);
}
