/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules of persistent reservations, one service action after the other.
 */
#include "scsi/pr.h"

#include <stdlib.h>
#include <string.h>

/* --- registrants --------------------------------------------------------------------- */

void pr_init(struct pr *pr)
{
	*pr = (struct pr){ 0 };
}

void pr_clear(struct pr *pr)
{
	for (unsigned i = 0; i < pr->n; i++)
		free(pr->regs[i].initiator);
	free(pr->regs);
	pr_init(pr);
}

bool pr_type_valid(uint8_t type)
{
	return type == 1 || type == 3 || (type >= 5 && type <= 8);
}

/* Else exclusive access. */
static bool is_write_exclusive(uint8_t type)
{
	return type == PR_WRITE_EXCLUSIVE || type == PR_WRITE_EXCLUSIVE_REGISTRANTS ||
	       type == PR_WRITE_EXCLUSIVE_ALL;
}

static bool is_for_all(uint8_t type)
{
	return type == PR_WRITE_EXCLUSIVE_ALL || type == PR_EXCLUSIVE_ACCESS_ALL;
}

/* Every registrant has access, and hears when that ends. */
static bool for_registrants(uint8_t type)
{
	return type >= PR_WRITE_EXCLUSIVE_REGISTRANTS;
}

bool pr_is(const struct pr_reg *reg, const struct pr_nexus *n)
{
	return (!reg->port || !n->port || reg->port == n->port) &&
	       !strcmp(reg->initiator, n->initiator);
}

static struct pr_reg *find(const struct pr *pr, const struct pr_nexus *n)
{
	for (unsigned i = 0; i < pr->n; i++)
		if (pr_is(&pr->regs[i], n))
			return &pr->regs[i];
	return NULL;
}

const struct pr_reg *pr_find(const struct pr *pr, const struct pr_nexus *n)
{
	return find(pr, n);
}

bool pr_holds(const struct pr *pr, const struct pr_reg *reg)
{
	return pr->type && reg && (reg->holder || is_for_all(pr->type));
}

static bool has_access(const struct pr *pr, const struct pr_nexus *n)
{
	const struct pr_reg *reg = find(pr, n);

	return !pr->type || pr_holds(pr, reg) || (reg && for_registrants(pr->type));
}

bool pr_may_write(const struct pr *pr, const struct pr_nexus *n)
{
	return has_access(pr, n);
}

bool pr_may_read(const struct pr *pr, const struct pr_nexus *n)
{
	return is_write_exclusive(pr->type) || has_access(pr, n);
}

static bool make_room(struct pr *pr, unsigned more)
{
	struct pr_reg *regs;
	unsigned room = pr->room ? pr->room : 4;

	if (more > PR_REGS_MAX - pr->n)
		return false;
	while (room < pr->n + more)
		room *= 2;
	if (room == pr->room)
		return true;
	regs = realloc(pr->regs, room * sizeof(*regs));
	if (!regs)
		return false;
	pr->regs = regs;
	pr->room = room;
	return true;
}

/* There is room. */
static bool add(struct pr *pr, const struct pr_nexus *n, uint64_t key)
{
	char *name = strdup(n->initiator);

	if (!name)
		return false;
	pr->regs[pr->n++] = (struct pr_reg){ .initiator = name, .port = n->port, .key = key };
	return true;
}

static void drop(struct pr *pr, struct pr_reg *reg)
{
	free(reg->initiator);
	*reg = pr->regs[--pr->n];
}

bool pr_restore(struct pr *pr, const struct pr_reg *reg)
{
	struct pr_nexus n = { reg->initiator, reg->port };

	if (find(pr, &n) || !make_room(pr, 1) || !add(pr, &n, reg->key))
		return false;
	pr->regs[pr->n - 1].holder = reg->holder;
	return true;
}

bool pr_copy(struct pr *pr, const struct pr *from)
{
	struct pr copy;

	pr_init(&copy);
	for (unsigned i = 0; i < from->n; i++) {
		if (!pr_restore(&copy, &from->regs[i])) {
			pr_clear(&copy);
			return false;
		}
	}
	copy.generation = from->generation;
	copy.type = from->type;
	copy.aptpl = from->aptpl;
	pr_clear(pr);
	*pr = copy;
	return true;
}

static void tell(const struct pr_ear *ear, const struct pr_reg *who, enum pr_event what)
{
	ear->tell(ear->arg, who, what);
}

/* Who has done it by a registration through every port is told as well: at the other ports. */
static void tell_all_but(
	const struct pr *pr, const struct pr_reg *but, enum pr_event what, const struct pr_ear *ear)
{
	for (unsigned i = 0; i < pr->n; i++)
		if (&pr->regs[i] != but || !but->port)
			tell(ear, &pr->regs[i], what);
}

static void end_reservation(struct pr *pr)
{
	pr->type = PR_NONE;
	for (unsigned i = 0; i < pr->n; i++)
		pr->regs[i].holder = false;
}

/* --- REGISTER (SPC-5 5.14.7) ----------------------------------------------------------- */

/* Unregistering (SPC-5 5.14.11.3): a reservation ends with its holder, one of all registrants with
 * the last of them. */
static void unregister(struct pr *pr, struct pr_reg *reg, const struct pr_ear *ear)
{
	bool ends = pr->type && (is_for_all(pr->type) ? pr->n == 1 : reg->holder);
	bool told = for_registrants(pr->type);

	drop(pr, reg);
	if (!ends)
		return;
	end_reservation(pr);
	if (told)
		tell_all_but(pr, NULL, PR_RESERVATION_RELEASED, ear);
}

/* A registration through every port takes the place of those through one. */
static void spread(struct pr *pr, struct pr_reg *wide)
{
	unsigned at = (unsigned)(wide - pr->regs);

	pr->regs[at].port = 0;
	for (unsigned i = pr->n; i-- > 0;) {
		if (i == at || strcmp(pr->regs[i].initiator, pr->regs[at].initiator))
			continue;
		pr->regs[at].holder |= pr->regs[i].holder;
		if (at == pr->n - 1) {
			struct pr_reg last = pr->regs[at];

			pr->regs[at] = pr->regs[i];
			pr->regs[i] = last;
			at = i;
			i = pr->n - 1;
		}
		drop(pr, &pr->regs[i]);
	}
}

/* Where every port counts, also at another one. */
static bool registered(const struct pr *pr, struct pr_nexus n, bool all_ports)
{
	if (all_ports)
		n.port = 0;
	return find(pr, &n);
}

/* The nexus itself and those of SPEC_I_PT, all or none. They may be named twice, but are not there
 * already (table 67 of SPC-4). */
static enum pr_end register_new(
	struct pr *pr, const struct pr_nexus *n, const struct pr_request *req)
{
	unsigned before = pr->n;

	for (unsigned i = 0; i < req->nmore; i++)
		if (registered(pr, req->more[i], req->all_ports))
			return PR_REGISTERED;
	if (!make_room(pr, req->nmore + 1) || !add(pr, n, req->next))
		return PR_NO_ROOM;
	for (unsigned i = 0; i < req->nmore; i++) {
		if (find(pr, &req->more[i]) || add(pr, &req->more[i], req->next))
			continue;
		while (pr->n > before)
			drop(pr, &pr->regs[pr->n - 1]);
		return PR_NO_ROOM;
	}
	return PR_DONE;
}

enum pr_end pr_register(struct pr *pr, const struct pr_nexus *n, const struct pr_request *req,
	const struct pr_ear *ear)
{
	struct pr_reg *reg = find(pr, n);
	enum pr_end end = PR_DONE;

	if (!req->anyhow && req->key != (reg ? reg->key : 0))
		return PR_CONFLICT;
	if (!reg && !req->next)
		return PR_DONE;
	if (!req->next)
		unregister(pr, reg, ear);
	else if (reg)
		reg->key = req->next;
	else
		end = register_new(pr, n, req);
	if (end != PR_DONE)
		return end;
	if (req->next && req->all_ports) {
		spread(pr, find(pr, n));
		for (unsigned i = 0; i < req->nmore; i++)
			spread(pr, find(pr, &req->more[i]));
	}
	pr->generation++;
	return PR_DONE;
}

/* --- RESERVE, RELEASE, CLEAR (SPC-5 5.14.9, 5.14.11) ----------------------------------- */

/* The registrant that the nexus is, if it says the right key. */
static struct pr_reg *proven(const struct pr *pr, const struct pr_nexus *n, uint64_t key)
{
	struct pr_reg *reg = find(pr, n);

	return reg && reg->key == key ? reg : NULL;
}

enum pr_end pr_reserve(struct pr *pr, const struct pr_nexus *n, uint64_t key, uint8_t type)
{
	struct pr_reg *reg = proven(pr, n, key);

	if (!reg)
		return PR_CONFLICT;
	if (pr->type) /* asking again for what one has is no error */
		return pr_holds(pr, reg) && pr->type == type ? PR_DONE : PR_CONFLICT;
	pr->type = type;
	reg->holder = !is_for_all(type);
	return PR_DONE;
}

enum pr_end pr_release(struct pr *pr, const struct pr_nexus *n, uint64_t key, uint8_t type,
	const struct pr_ear *ear)
{
	struct pr_reg *reg = proven(pr, n, key);

	if (!reg)
		return PR_CONFLICT;
	if (!pr_holds(pr, reg))
		return PR_DONE;
	if (pr->type != type)
		return PR_BAD_RELEASE;
	end_reservation(pr);
	if (for_registrants(type))
		tell_all_but(pr, reg, PR_RESERVATION_RELEASED, ear);
	return PR_DONE;
}

enum pr_end pr_clear_all(
	struct pr *pr, const struct pr_nexus *n, uint64_t key, const struct pr_ear *ear)
{
	struct pr_reg *reg = proven(pr, n, key);
	uint32_t generation = pr->generation + 1;
	bool aptpl = pr->aptpl;

	if (!reg)
		return PR_CONFLICT;
	tell_all_but(pr, reg, PR_RESERVATION_PREEMPTED, ear);
	pr_clear(pr);
	pr->generation = generation;
	pr->aptpl = aptpl;
	return PR_DONE;
}

/* --- PREEMPT (SPC-5 5.14.11.4) --------------------------------------------------------- */

/* Removes who has the key, 0: everybody. The nexus that preempts may be kept. */
static void remove_key(struct pr *pr, const struct pr_nexus *self, bool keep_self, uint64_t key,
	const struct pr_ear *ear)
{
	for (unsigned i = 0; i < pr->n;) {
		struct pr_reg *reg = &pr->regs[i];
		bool own = pr_is(reg, self);

		if ((own && keep_self) || (key && reg->key != key)) {
			i++;
			continue;
		}
		if (!own || !reg->port)
			tell(ear, reg, PR_REGISTRATION_PREEMPTED);
		drop(pr, reg);
	}
	if (!pr->n)
		end_reservation(pr);
}

/* The reservation changes hands. Those who stay registered hear when it is of another type now. */
static void seize(struct pr *pr, const struct pr_nexus *n, uint8_t type, const struct pr_ear *ear)
{
	struct pr_reg *reg = find(pr, n);
	bool told = pr->type != type;

	end_reservation(pr);
	pr->type = type;
	reg->holder = !is_for_all(type);
	if (told)
		tell_all_but(pr, reg, PR_RESERVATION_RELEASED, ear);
}

static bool key_holds(const struct pr *pr, uint64_t key)
{
	for (unsigned i = 0; i < pr->n; i++)
		if (pr->regs[i].holder && pr->regs[i].key == key)
			return true;
	return false;
}

static bool key_there(const struct pr *pr, uint64_t key)
{
	for (unsigned i = 0; i < pr->n; i++)
		if (pr->regs[i].key == key)
			return true;
	return false;
}

enum pr_end pr_preempt(struct pr *pr, const struct pr_nexus *n, uint64_t key, uint64_t victim,
	uint8_t type, const struct pr_ear *ear)
{
	/* Of all registrants' reservation key 0 is the holder's. */
	bool seizes = pr->type && (is_for_all(pr->type) ? !victim : key_holds(pr, victim));

	if (!proven(pr, n, key))
		return PR_CONFLICT;
	if (!victim && !seizes)
		return PR_BAD_KEY;
	if (victim && !key_there(pr, victim))
		return PR_CONFLICT;
	remove_key(pr, n, seizes, victim, ear);
	if (seizes)
		seize(pr, n, type, ear);
	pr->generation++;
	return PR_DONE;
}

/* --- REGISTER AND MOVE (SPC-5 5.14.8) -------------------------------------------------- */

enum pr_end pr_move(struct pr *pr, const struct pr_nexus *n, uint64_t key,
	const struct pr_nexus *to, uint64_t next, bool leave)
{
	struct pr_reg *reg = proven(pr, n, key);

	if (find(pr, n) && !pr->type)
		return PR_NOT_RESERVED;
	if (!reg || is_for_all(pr->type) || !reg->holder)
		return PR_CONFLICT;
	if (!next || find(pr, to) == reg)
		return PR_BAD_KEY;
	if (!find(pr, to) && (!make_room(pr, 1) || !add(pr, to, next)))
		return PR_NO_ROOM;
	find(pr, n)->holder = false;
	reg = find(pr, to);
	reg->key = next;
	reg->holder = true;
	if (leave)
		drop(pr, find(pr, n));
	pr->generation++;
	return PR_DONE;
}
