/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PERSISTENT RESERVE OUT (SPC-5 6.17): parameter lists, and what follows a change: unit attentions,
 * gates, what is kept over a restart, the tasks of those who were preempted.
 */
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "scsi/nexus.h"
#include "scsi/op.h"
#include "scsi/reply.h"
#include "scsi/transport_id.h"

enum service {
	REGISTER = 0,
	RESERVE = 1,
	RELEASE = 2,
	CLEAR = 3,
	PREEMPT = 4,
	PREEMPT_AND_ABORT = 5,
	REGISTER_ANYHOW = 6,
	REGISTER_AND_MOVE = 7,
};

enum { APTPL = 0x01, ALL_TG_PT = 0x04, SPEC_I_PT = 0x08 }; /* byte 20 of the basic list */
enum { UNREG = 0x02 };                                     /* byte 17 of REGISTER AND MOVE's */

#define BASIC_LEN  24u
#define LIST_MAX   65536u
#define OTHERS_MAX 256u

/* A command under way: its list in host order, and what it waits for. */
struct out {
	struct scsi_task *task;
	struct lu *lu;
	enum service service;
	uint64_t key, next; /* RESERVATION KEY, SERVICE ACTION RESERVATION KEY */
	uint8_t flags;
	bool unregister; /* UNREG */
	uint16_t port;   /* of REGISTER AND MOVE */
	struct port_name own;
	struct pr_nexus self;
	unsigned nothers;
	struct pr_nexus others[OTHERS_MAX]; /* of SPEC_I_PT; the first is REGISTER AND MOVE's */
	struct port_name names[OTHERS_MAX];
	struct lu_keep keep;
	struct lu_function_req abort;
	bool waits, ended; /* for abort */
	bool acted;        /* the state is another now */
};

/* --- what follows -------------------------------------------------------------------- */

static bool is_registrant(const struct itl *itl, const struct pr_reg *reg)
{
	struct port_name name;
	struct pr_nexus n = nexus_identity(itl->nexus, &name);

	return pr_is(reg, &n);
}

/* One registrant may be several nexuses here: it may come through every port, and have the unit at
 * two LUNs. */
static void tell_registrant(void *arg, const struct pr_reg *who, enum pr_event what)
{
	static const enum ua attention[] = {
		[PR_RESERVATION_PREEMPTED] = UA_RESERVATIONS_PREEMPTED,
		[PR_RESERVATION_RELEASED] = UA_RESERVATIONS_RELEASED,
		[PR_REGISTRATION_PREEMPTED] = UA_REGISTRATIONS_PREEMPTED,
	};
	const struct out *o = arg;

	list_for_each(it, &o->lu->itls) {
		struct itl *itl = container_of(it, struct itl, in_lu);

		if (itl->nexus == o->task->nexus || !is_registrant(itl, who))
			continue;
		itl_attention(itl, attention[what]);
		if (what != PR_REGISTRATION_PREEMPTED || o->service != PREEMPT_AND_ABORT)
			continue;
		itl->preempted = true;
		itl->prevents = false; /* the removal of the medium (SPC-3 6.13) */
	}
}

static enum scsi_next tasks_ended(struct scsi_task *t, int err)
{
	(void)err;
	return task_good(t);
}

static void aborted(struct lu_function_req *r)
{
	struct out *o = container_of(r, struct out, abort);

	o->ended = true;
	if (o->waits)
		task_go_on(o->task, 0);
}

static enum scsi_next abort_preempted(struct scsi_task *t, struct out *o)
{
	o->abort = (struct lu_function_req){
		.nexus = t->nexus, .lun = t->lun, .function = LU_PREEMPTED_TASKS, .done = aborted
	};
	lu_function(&o->abort);
	if (o->ended)
		return task_good(t);
	o->waits = true;
	t->then = tasks_ended;
	t->busy = true;
	return SCSI_PENDING;
}

/* It is durable, or nothing had to be kept. What is answered must be what is kept: INTERNAL TARGET
 * FAILURE if that could not be. */
static enum scsi_next changed(struct scsi_task *t, int err)
{
	struct out *o = t->more;

	if (err)
		return task_check(t, SENSE_HARDWARE_ERROR, ASC_INTERNAL_TARGET_FAILURE);
	return o->service == PREEMPT_AND_ABORT ? abort_preempted(t, o) : task_good(t);
}

static void kept(struct lu_keep *k, int err)
{
	task_go_on(container_of(k, struct out, keep)->task, err);
}

/* Hands the state over to be kept. Under the lock, so that changes are kept in the order in which
 * they were made. False: there is no memory for it. */
static bool hand_over(struct out *o)
{
	const struct pr *pr = &o->lu->pr;
	unsigned n = pr->aptpl ? pr->n : 0;
	struct lu_registrant *regs = calloc(n ? n : 1, sizeof(*regs));

	if (!regs)
		return false;
	for (unsigned i = 0; i < n; i++)
		regs[i] = (struct lu_registrant){ .initiator = pr->regs[i].initiator,
			.port = pr->regs[i].port,
			.holder = pr->regs[i].holder,
			.key = pr->regs[i].key };
	o->keep = (struct lu_keep){ .loop = o->task->nexus->loop, .done = kept };
	o->task->then = changed;
	o->task->busy = true;
	o->lu->keeper->keep(o->lu->keeper, &o->keep, o->lu->naa,
		&(struct lu_reservation){ pr->generation, pr->type, 0, regs, n });
	free(regs);
	return true;
}

/* --- the actions --------------------------------------------------------------------- */

static enum pr_end act(struct out *o, uint8_t type)
{
	struct pr_request req = { o->key, o->next, o->service == REGISTER_ANYHOW,
		o->flags & ALL_TG_PT, o->others, o->nothers };
	struct pr_ear ear = { tell_registrant, o };
	struct pr *pr = &o->lu->pr;

	switch (o->service) {
	case REGISTER:
	case REGISTER_ANYHOW: return pr_register(pr, &o->self, &req, &ear);
	case RESERVE: return pr_reserve(pr, &o->self, o->key, type);
	case RELEASE: return pr_release(pr, &o->self, o->key, type, &ear);
	case CLEAR: return pr_clear_all(pr, &o->self, o->key, &ear);
	case PREEMPT:
	case PREEMPT_AND_ABORT: return pr_preempt(pr, &o->self, o->key, o->next, type, &ear);
	case REGISTER_AND_MOVE:
		return pr_move(pr, &o->self, o->key, &o->others[0], o->next, o->unregister);
	}
	return PR_CONFLICT;
}

static enum scsi_next refusal(struct scsi_task *t, enum pr_end end)
{
	switch (end) {
	case PR_DONE: break;
	case PR_CONFLICT: return task_status(t, SCSI_RESERVATION_CONFLICT);
	case PR_BAD_KEY: return task_bad_list(t, 8, -1);
	case PR_REGISTERED: return task_bad_list(t, BASIC_LEN + 4, -1);
	case PR_NOT_RESERVED: return task_bad_cdb(t, 1, 4);
	case PR_BAD_RELEASE: return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INVALID_RELEASE);
	case PR_NO_ROOM:
		return task_check(
			t, SENSE_ILLEGAL_REQUEST, ASC_INSUFFICIENT_REGISTRATION_RESOURCES);
	}
	return task_good(t);
}

static bool sets_aptpl(enum service s)
{
	return s == REGISTER || s == REGISTER_ANYHOW || s == REGISTER_AND_MOVE;
}

/* What was kept must be replaced also when it is to be kept no more. */
static enum scsi_next change(struct scsi_task *t, struct out *o)
{
	struct pr *pr = &o->lu->pr;
	bool was_kept = pr->aptpl;
	enum pr_end end = act(o, t->cdb[2] & 0x0f);

	if (end != PR_DONE)
		return refusal(t, end);
	o->acted = true;
	if (sets_aptpl(o->service))
		pr->aptpl = o->flags & APTPL;
	lu_update_gates(o->lu);
	if (!pr->aptpl && !was_kept)
		return SCSI_DONE;
	if (hand_over(o))
		return SCSI_PENDING;
	o->acted = false;
	return task_check(t, SENSE_HARDWARE_ERROR, ASC_INTERNAL_TARGET_FAILURE);
}

/* --- parameter lists ----------------------------------------------------------------- */

/* Adds the initiator ports that a TransportID names to the others: one, or those of a device that
 * are here now (SPC-5 7.6.4.6). False: the task has its status. */
static bool add_named(struct scsi_task *t, struct out *o, struct rd *r, unsigned at)
{
	char *name = o->names[o->nothers].text;
	struct port_name device;
	bool port;

	if (!transport_id_read(r, name, &port))
		return task_bad_list(t, at, -1), false;
	if (port) {
		o->others[o->nothers++] = (struct pr_nexus){ name, o->self.port };
		return true;
	}
	memcpy(&device, name, sizeof(device));
	port = false;
	list_for_each(it, &o->lu->itls) {
		struct nexus *n = container_of(it, struct itl, in_lu)->nexus;

		if (strcmp(n->initiator, device.text) || o->nothers == OTHERS_MAX)
			continue;
		o->others[o->nothers] = nexus_identity(n, &o->names[o->nothers]);
		o->others[o->nothers++].port = o->self.port;
		port = true;
	}
	return port || (task_bad_list(t, at, -1), false);
}

/* What follows the basic list when SPEC_I_PT is set. */
static bool read_others(struct scsi_task *t, struct out *o, struct rd *r)
{
	uint32_t len = rd_be32(r);

	if (!rd_ok(r) || len != r->left)
		return task_list_too_short(t), false;
	while (r->left) {
		if (o->nothers == OTHERS_MAX)
			return task_check(t, SENSE_ILLEGAL_REQUEST,
				       ASC_INSUFFICIENT_REGISTRATION_RESOURCES),
			       false;
		if (!add_named(t, o, r, (unsigned)(t->got - r->left)))
			return false;
	}
	return true;
}

static bool read_flags(struct scsi_task *t, struct out *o)
{
	if (sets_aptpl(o->service) && o->flags & APTPL && !o->lu->keeper)
		return task_bad_list(t, o->service == REGISTER_AND_MOVE ? 17 : 20, 0), false;
	return true;
}

/* The basic list: 24 bytes, and others where REGISTER says so. */
static bool read_basic(struct scsi_task *t, struct out *o)
{
	const struct pr_reg *own = pr_find(&o->lu->pr, &o->self);
	struct rd r = list_cursor(t);

	o->key = rd_be64(&r);
	o->next = rd_be64(&r);
	rd_be32(&r);
	o->flags = rd_u8(&r);
	rd_bytes(&r, 3);
	if (!rd_ok(&r))
		return task_list_too_short(t), false;
	if (!read_flags(t, o))
		return false;
	if (!(o->flags & SPEC_I_PT))
		return !r.left || (task_list_too_short(t), false);
	if (o->service == REGISTER && own && own->key != o->key) /* a conflict, whatever follows */
		return true;
	if (o->service != REGISTER || own)
		return task_bad_list(t, 20, 3), false;
	return read_others(t, o, &r);
}

/* The port must be one that leads here, or that somebody is here through or registered for. */
static bool port_known(const struct lu *lu, uint16_t port)
{
	if (ports_have(lu, port))
		return true;
	list_for_each(it, &lu->itls)
		if (container_of(it, struct itl, in_lu)->nexus->rel_port == port)
			return true;
	for (unsigned i = 0; i < lu->pr.n; i++)
		if (lu->pr.regs[i].port == port)
			return true;
	return false;
}

/* The list of REGISTER AND MOVE (SPC-5 6.17.4). */
static bool read_move(struct scsi_task *t, struct out *o)
{
	struct rd r = list_cursor(t);
	uint8_t bits;
	uint32_t len;
	bool port;

	o->key = rd_be64(&r);
	o->next = rd_be64(&r);
	rd_u8(&r);
	bits = rd_u8(&r);
	o->port = rd_be16(&r);
	len = rd_be32(&r);
	if (!rd_ok(&r) || len != r.left)
		return task_list_too_short(t), false;
	o->flags = bits & APTPL;
	o->unregister = bits & UNREG;
	if (!read_flags(t, o))
		return false;
	if (!transport_id_read(&r, o->names[0].text, &port) || !port || r.left)
		return task_bad_list(t, 24, -1), false;
	o->others[0] = (struct pr_nexus){ o->names[0].text, o->port };
	if (!strcmp(o->names[0].text, o->own.text))
		return task_bad_list(t, 24, -1), false;
	return port_known(o->lu, o->port) || (task_bad_list(t, 18, -1), false);
}

static enum scsi_next out_locked(struct scsi_task *t, struct out *o)
{
	if (o->lu->succeeded)
		return task_status(t, SCSI_BUSY);
	if (o->lu->reserved) /* RESERVE and this exclude each other */
		return task_status(t, SCSI_RESERVATION_CONFLICT);
	if (!(o->service == REGISTER_AND_MOVE ? read_move(t, o) : read_basic(t, o)))
		return SCSI_DONE;
	return change(t, o);
}

static enum scsi_next pr_out_data(struct scsi_task *t)
{
	struct lu *lu = t->itl->lu;
	struct out *o = calloc(1, sizeof(*o));
	enum scsi_next next;

	if (!o)
		return task_status(t, SCSI_BUSY);
	t->more = o;
	o->task = t;
	o->lu = lu;
	o->service = t->cdb[1] & 0x1f;
	o->self = nexus_identity(t->nexus, &o->own);
	pthread_mutex_lock(&lu->lock);
	next = out_locked(t, o);
	pthread_mutex_unlock(&lu->lock);
	return next == SCSI_DONE && o->acted ? changed(t, 0) : next;
}

static enum scsi_next pr_out(struct scsi_task *t)
{
	uint32_t len = be32(t->cdb + 5);

	if (len < BASIC_LEN || len > LIST_MAX)
		return task_list_too_short(t);
	return list_wanted(t, len);
}

/* Those that name a reservation: SCOPE 0 is the logical unit. */
static enum scsi_next pr_out_typed(struct scsi_task *t)
{
	if (t->cdb[2] & 0xf0)
		return task_bad_cdb(t, 2, 7);
	if (!pr_type_valid(t->cdb[2]))
		return task_bad_cdb(t, 2, 3);
	return pr_out(t);
}

// clang-format off
#define PR_OUT(sa, n, f) \
	{ 0x5f, sa, .name = "PERSISTENT RESERVE OUT, " n, .start = f, .data = pr_out_data, \
	  .stops = STOPS_QUERY, .usage = { 0x5f, sa, 0xff, 0, 0, FF4, 0x04 } }

const struct scsi_op pr_out_ops[] = {
	PR_OUT(REGISTER, "REGISTER", pr_out),
	PR_OUT(RESERVE, "RESERVE", pr_out_typed),
	PR_OUT(RELEASE, "RELEASE", pr_out_typed),
	PR_OUT(CLEAR, "CLEAR", pr_out),
	PR_OUT(PREEMPT, "PREEMPT", pr_out_typed),
	PR_OUT(PREEMPT_AND_ABORT, "PREEMPT AND ABORT", pr_out_typed),
	PR_OUT(REGISTER_ANYHOW, "REGISTER AND IGNORE EXISTING KEY", pr_out),
	PR_OUT(REGISTER_AND_MOVE, "REGISTER AND MOVE", pr_out),
	{ .name = NULL },
};
// clang-format on
