/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Task management over all loops. The tasks of the nexus that asks are ended in place, before
 * anything that comes after the request; those of others by a message to their loop. Whoever ends
 * the last of them resets the units and sends the answer on its way.
 *
 * A copy works on units whose tasks it is not, and perhaps in the background, when it is nobody's
 * task. Resets, and PREEMPT AND ABORT, end every copy that works on the unit as well, and wait for
 * what it has in flight: nothing of it reaches the medium after the answer.
 */
#include <stdlib.h>

#include "base/list.h"
#include "scsi/lu.h"
#include "scsi/nexus.h"
#include "scsi/unit.h"

struct lu_function_all {
	_Atomic unsigned left; /* parts that have not ended, and 1 for the start */
	struct lu_function_req *req;
	enum lu_function function;
	struct lun_map *map; /* keeps the units alive */
	struct lu *one;      /* the unit; NULL: all of the map */
	struct loop_msg end;
};

static bool resets(enum lu_function f)
{
	return f == LU_RESET || f == LU_TARGET_RESET;
}

static bool ends_copies(enum lu_function f)
{
	return resets(f) || f == LU_PREEMPTED_TASKS;
}

/* --- the end ------------------------------------------------------------------------- */

static void answer(struct loop_msg *m)
{
	struct lu_function_all *all = container_of(m, struct lu_function_all, end);
	struct lu_function_req *req = all->req;
	struct nexus *n = req->nexus;

	lun_map_unref(all->map);
	free(all);
	req->done(req);
	nexus_unhold(n);
}

static void reset_units(struct lu_function_all *all)
{
	const struct lun_entry *e;
	unsigned n = lun_map_entries(all->map, &e);

	for (unsigned i = 0; i < n; i++)
		if (!all->one || all->one == e[i].lu)
			lu_reset(e[i].lu);
}

/* True: it was the last one, and what is left is the answer. */
static bool was_last(struct lu_function_all *all)
{
	if (atomic_fetch_sub_explicit(&all->left, 1, memory_order_acq_rel) != 1)
		return false;
	if (resets(all->function))
		reset_units(all);
	return true;
}

static void part_ended(struct lu_function_all *all)
{
	if (was_last(all))
		loop_post(all->req->nexus->loop, &all->end);
}

/* --- one I_T_L nexus ----------------------------------------------------------------- */

/* Also one that its nexus has lost, while copies still work on it. On the loop of the nexus, without
 * which it does not go. */
static struct itl *joined(struct lu_abort *a)
{
	struct itl *found = NULL;

	pthread_mutex_lock(&a->lu->lock);
	list_for_each(it, &a->lu->itls) {
		struct itl *itl = container_of(it, struct itl, in_lu);

		if (itl->nexus == a->nexus && itl->lun == a->lun)
			found = itl;
	}
	pthread_mutex_unlock(&a->lu->lock);
	return found;
}

static void part_done(struct lu_abort *a)
{
	struct lu_function_all *all = a->all;

	free(a);
	part_ended(all);
}

void lu_abort_done(struct lu_abort *a)
{
	struct itl *itl = ends_copies(a->all->function) ? joined(a) : NULL;

	if (!itl || !itl->pins) {
		part_done(a);
		return;
	}
	itl->halted = true;
	list_push(&itl->enders, &a->link);
}

void function_copies_ended(struct itl *itl)
{
	struct list *l;

	itl->halted = false;
	while ((l = list_pop(&itl->enders)))
		part_done(container_of(l, struct lu_abort, link));
}

bool lu_abort_concerns(const struct lu_abort *a, uint64_t lun)
{
	const struct itl *itl = nexus_itl(a->nexus, lun);

	return itl && itl->lu == a->lu && itl->lun == a->lun;
}

/* What the initiator of ended tasks is told (SAM-5 table 44 and 6.3): of a reset always, of tasks
 * that another one cleared only where their own status does not say so. */
static void tell(struct itl *itl, const struct nexus *who, enum lu_function f, bool told, bool any)
{
	if (f == LU_RESET)
		itl_attention(itl, UA_LU_RESET);
	else if (f == LU_TARGET_RESET)
		itl_attention(itl, UA_TARGET_RESET);
	else if (f == LU_CLEAR_TASK_SET && any && !told && itl->nexus != who)
		itl_attention(itl, UA_COMMANDS_CLEARED);
}

/* On the loop of a->nexus. The transport gives `a` back, perhaps before it returns; then `all` may
 * be gone, too. */
static void part_begin(struct lu_abort *a)
{
	struct nexus *n = a->nexus;
	const struct nexus *who = a->all->req->nexus;
	enum lu_function f = a->all->function;
	struct itl *itl = joined(a);
	uint64_t lun = lun_encode(a->lun);
	bool told = a->tell;
	uint32_t aborts;

	if (!itl || itl->orphan) { /* closed, or has lost the unit: no tasks are left */
		lu_abort_done(a);
		return;
	}
	aborts = itl->aborts;
	n->ops->abort_tasks(n, a);
	if (nexus_itl(n, lun) == itl)
		tell(itl, who, f, told, itl->aborts != aborts);
}

static void part_arrived(struct loop_msg *m)
{
	struct lu_abort *a = container_of(m, struct lu_abort, msg);
	struct nexus *n = a->nexus;

	part_begin(a);
	nexus_unhold(n);
}

/* --- the start ----------------------------------------------------------------------- */

static bool concerns(const struct itl *itl, const struct lu_function_req *r)
{
	if (r->function == LU_PREEMPTED_TASKS)
		return itl->preempted;
	return r->function != LU_ABORT_TASK_SET || itl->nexus == r->nexus;
}

/* One part for each nexus of the unit that the function concerns, held, onto a chain. */
static void collect(struct lu_function_all *all, struct lu *lu, struct lu_abort **chain)
{
	struct lu_function_req *r = all->req;

	pthread_mutex_lock(&lu->lock);
	list_for_each(it, &lu->itls) {
		struct itl *itl = container_of(it, struct itl, in_lu);
		struct lu_abort *a = concerns(itl, r) ? malloc(sizeof(*a)) : NULL;

		if (!a) {
			r->failed |= concerns(itl, r);
			itl->preempted = false;
			continue;
		}
		itl->preempted = false;
		*a = (struct lu_abort){ .msg.run = part_arrived,
			.nexus = itl->nexus,
			.lu = lu,
			.lun = itl->lun,
			.tell = itl->nexus != r->nexus && atomic_load(&lu->tas),
			.after_check = r->after_check,
			.next = *chain,
			.all = all };
		*chain = a;
		nexus_hold(itl->nexus);
		atomic_fetch_add_explicit(&all->left, 1, memory_order_relaxed);
	}
	pthread_mutex_unlock(&lu->lock);
}

static void send_out(struct lu_abort *chain, const struct nexus *self)
{
	while (chain) {
		struct lu_abort *a = chain;

		chain = a->next;
		if (a->nexus == self)
			part_arrived(&a->msg);
		else
			loop_post(a->nexus->loop, &a->msg);
	}
}

static struct lu_function_all *all_create(struct lu_function_req *r, struct lu *one)
{
	struct lu_function_all *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	atomic_init(&all->left, 1);
	all->req = r;
	all->function = r->function;
	all->map = lun_map_ref(r->nexus->map);
	all->one = one;
	all->end.run = answer;
	nexus_hold(r->nexus);
	return all;
}

void lu_function(struct lu_function_req *r)
{
	struct lu *one = r->function == LU_TARGET_RESET ? NULL : nexus_lu(r->nexus, r->lun);
	struct lu_abort *chain = NULL;
	struct lu_function_all *all;
	const struct lun_entry *e;
	unsigned n;

	r->failed = false;
	r->no_lun = !one && r->function != LU_TARGET_RESET;
	all = r->no_lun ? NULL : all_create(r, one);
	if (!all) {
		r->failed = !r->no_lun;
		r->done(r);
		return;
	}
	n = lun_map_entries(all->map, &e);
	for (unsigned i = 0; i < n; i++)
		if (!one || e[i].lu == one)
			collect(all, e[i].lu, &chain);
	send_out(chain, r->nexus);
	if (was_last(all)) /* in place: before the answer to anything that came after it */
		answer(&all->end);
}

/* --- QErr ---------------------------------------------------------------------------- */

static void queue_ended(struct lu_function_req *r)
{
	free(r);
}

void scsi_task_failed(struct scsi_task *t)
{
	uint8_t qerr = t->itl ? atomic_load_explicit(&t->itl->lu->qerr, memory_order_relaxed)
			      : QERR_NOTHING;
	struct lu_function_req *r;

	if (qerr == QERR_NOTHING)
		return;
	r = malloc(sizeof(*r));
	if (!r)
		return;
	*r = (struct lu_function_req){ .nexus = t->nexus,
		.lun = t->lun,
		.function = qerr == QERR_ALL ? LU_CLEAR_TASK_SET : LU_ABORT_TASK_SET,
		.after_check = true,
		.done = queue_ended };
	lu_function(r);
}
