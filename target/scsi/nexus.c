/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * I_T nexuses and their I_T_L nexuses. Everything here runs on the loop of the nexus, but for
 * holding it. A nexus is held by itself while it is open and by every message on its way to it;
 * with the last hold it is closed, on its loop.
 */
#include "scsi/nexus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "scsi/copy.h"
#include "scsi/map.h"

/* --- LUN fields (SAM-5 4.7.7): single level, peripheral device or flat space addressing --- */

static int lun_decode(uint64_t field)
{
	unsigned first = (unsigned)(field >> 48);

	if (field & UINT64_C(0xffffffffffff))
		return -1;
	if (first <= 0xff) /* method 00b, bus 0 */
		return (int)first;
	if (first >> 14 == 1) /* method 01b */
		return (int)(first & 0x3fff);
	return -1;
}

uint64_t lun_encode(uint32_t lun)
{
	return (uint64_t)(lun <= 0xff ? lun : 0x4000 | lun) << 48;
}

struct itl *nexus_itl(const struct nexus *n, uint64_t field)
{
	int lun, i;

	if (!field)
		return n->lun0;
	lun = lun_decode(field);
	i = lun < 0 || !n->map ? -1 : lun_map_find(n->map, (uint32_t)lun);
	return i < 0 ? NULL : n->itls[i];
}

struct lu *nexus_lu(const struct nexus *n, uint64_t lun)
{
	struct itl *itl = nexus_itl(n, lun);

	return itl ? itl->lu : NULL;
}

/* --- buffers ------------------------------------------------------------------------------- */

/* What costs less is never refused: a command for each place in the window. */
#define ALWAYS 4096u

void *nexus_buffer(struct nexus *n, size_t len, enum scsi_status *status)
{
	void *buf = NULL;

	*status = SCSI_BUSY;
	if (len > ALWAYS && n->buffered && n->buffered + len > NEXUS_BUFFERS)
		*status = SCSI_TASK_SET_FULL;
	else if (len <= ALWAYS || !n->bufs_limit || bufs_in_use(n->bufs) + len <= n->bufs_limit)
		buf = bufs_get(n->bufs, len);
	if (buf)
		n->buffered += len;
	return buf;
}

void nexus_buffer_put(struct nexus *n, void *buf, size_t len)
{
	n->buffered -= len;
	bufs_put(n->bufs, buf, len);
}

/* --- names --------------------------------------------------------------------------------- */

struct pr_nexus nexus_identity(const struct nexus *n, struct port_name *name)
{
	const uint8_t *id = n->isid;

	snprintf(name->text, sizeof(name->text), "%.223s,i,0x%02x%02x%02x%02x%02x%02x",
		n->initiator, id[0], id[1], id[2], id[3], id[4], id[5]);
	return (struct pr_nexus){ name->text, n->rel_port };
}

/* --- I_T_L nexuses ------------------------------------------------------------------- */

static struct itl *itl_create(struct nexus *n, const struct lun_entry *e)
{
	struct itl *itl = calloc(1, sizeof(*itl));

	if (!itl)
		return NULL;
	itl->nexus = n;
	itl->lu = e->lu;
	itl->lun = e->lun;
	list_init(&itl->in_lu);
	list_init(&itl->queue);
	list_init(&itl->copies);
	list_init(&itl->enders);
	atomic_init(&itl->gate, UINT64_C(1) << UA_POWER_ON);
	return itl;
}

static void itl_join(struct itl *itl)
{
	pthread_mutex_lock(&itl->lu->lock);
	list_push(&itl->lu->itls, &itl->in_lu);
	lu_update_gates(itl->lu);
	pthread_mutex_unlock(&itl->lu->lock);
	itl->joined = true;
}

/* NULL is fine, and one that never joined. One that is pinned goes later. */
static void itl_free(struct itl *itl)
{
	if (!itl)
		return;
	copy_forget(itl);
	itl->orphan = itl->pins;
	if (itl->orphan)
		return;
	if (itl->joined) {
		pthread_mutex_lock(&itl->lu->lock);
		list_del(&itl->in_lu);
		lu_nexus_left(itl->lu, itl);
		pthread_mutex_unlock(&itl->lu->lock);
	}
	free(itl);
}

void itl_pin(struct itl *itl)
{
	itl->pins++;
	lu_ref(itl->lu);
}

void itl_unpin(struct itl *itl)
{
	struct lu *lu = itl->lu;

	itl->pins--;
	if (!itl->pins)
		function_copies_ended(itl);
	if (!itl->pins && itl->orphan)
		itl_free(itl);
	lu_unref(lu);
}

void itl_attention(struct itl *itl, enum ua ua)
{
	atomic_fetch_or_explicit(&itl->gate, UINT64_C(1) << ua, memory_order_release);
}

#define AS_CODE(name, asc) [name] = asc,
static const uint16_t attention_codes[UA_COUNT] = { UNIT_ATTENTIONS(AS_CODE) };
#undef AS_CODE

static void clear_attention(struct itl *itl, enum ua ua)
{
	atomic_fetch_and_explicit(&itl->gate, ~(UINT64_C(1) << ua), memory_order_acq_rel);
}

void nexus_luns_told(const struct nexus *n)
{
	const struct lun_entry *e;
	unsigned count = n->map ? lun_map_entries(n->map, &e) : 0;

	for (unsigned i = 0; i < count; i++)
		clear_attention(n->itls[i], UA_LUNS_CHANGED);
}

/* Only the loop of the nexus takes attentions out, so that what was seen is still there. */
uint16_t itl_take_attention(struct itl *itl)
{
	uint64_t pending = atomic_load_explicit(&itl->gate, memory_order_acquire) & GATE_UA;
	enum ua ua;

	if (!pending)
		return 0;
	ua = (enum ua)__builtin_ctzll(pending);
	if (ua == UA_LUNS_CHANGED)
		nexus_luns_told(itl->nexus);
	else
		clear_attention(itl, ua);
	/* A reset tells what the power-on would have told, and so on: the first of them is enough
	 * (SAM-5 5.14.1). */
	if (ua < UA_NEXUS_LOSS)
		for (unsigned less = ua + 1; less <= UA_NEXUS_LOSS; less++)
			clear_attention(itl, (enum ua)less);
	return attention_codes[ua];
}

/* --- opening, another map, closing ---------------------------------------------------- */

/* The I_T_L nexus that serves an entry of the next map already, or NULL. */
static struct itl *kept(const struct nexus *n, const struct lun_entry *e)
{
	int i = n->map ? lun_map_find(n->map, e->lun) : -1;

	return i >= 0 && n->itls[i]->lu == e->lu ? n->itls[i] : NULL;
}

static bool in_map(const struct lun_map *m, const struct itl *itl)
{
	const struct lun_entry *e;
	int i = m ? lun_map_find(m, itl->lun) : -1;

	lun_map_entries(m, &e);
	return i >= 0 && e[i].lu == itl->lu;
}

/* The array for the next map: what stays, and new ones that have not joined yet. */
static int next_itls(struct nexus *n, const struct lun_map *next, struct itl ***out)
{
	const struct lun_entry *e;
	unsigned count = lun_map_entries(next, &e);
	struct itl **itls = calloc(count ? count : 1, sizeof(struct itl *));

	if (!itls)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		itls[i] = kept(n, &e[i]);
		if (!itls[i])
			itls[i] = itl_create(n, &e[i]);
		if (!itls[i])
			goto undo;
	}
	*out = itls;
	return 0;
undo:
	for (unsigned i = 0; i < count; i++)
		if (itls[i] && !itls[i]->joined)
			itl_free(itls[i]);
	free(itls);
	return -ENOMEM;
}

/* Leaves every unit that the next map (NULL: none) does not have, and takes that map up. */
static void take_map(struct nexus *n, struct lun_map *next, struct itl **itls)
{
	struct lun_map *old = n->map;
	const struct lun_entry *e;
	unsigned count = old ? lun_map_entries(old, &e) : 0;

	for (unsigned i = 0; i < count; i++)
		if (!next || !in_map(next, n->itls[i]))
			itl_free(n->itls[i]);
	free(n->itls);
	n->itls = itls;
	n->map = next;
	n->lun0 = NULL;
	count = next ? lun_map_entries(next, &e) : 0;
	if (count && e[0].lun == 0)
		n->lun0 = itls[0];
	for (unsigned i = 0; i < count; i++)
		if (!itls[i]->joined)
			itl_join(itls[i]);
	lun_map_unref(old);
}

int nexus_open(struct nexus *n, struct lun_map *map)
{
	struct itl **itls;
	int err;

	n->map = NULL;
	n->itls = NULL;
	n->closed = NULL;
	err = next_itls(n, map, &itls);
	if (err)
		return err;
	atomic_init(&n->holds, 1);
	take_map(n, lun_map_ref(map), itls);
	return 0;
}

static bool same_luns(const struct lun_map *a, const struct lun_map *b)
{
	const struct lun_entry *x, *y;
	unsigned n = lun_map_entries(a, &x);

	if (n != lun_map_entries(b, &y))
		return false;
	for (unsigned i = 0; i < n; i++)
		if (x[i].lun != y[i].lun || x[i].lu != y[i].lu)
			return false;
	return true;
}

int nexus_remap(struct nexus *n, struct lun_map *map)
{
	const struct lun_entry *e;
	struct itl **itls;
	unsigned count;
	int err = next_itls(n, map, &itls);

	if (err)
		return err;
	count = lun_map_entries(map, &e);
	if (!same_luns(n->map, map))
		for (unsigned i = 0; i < count; i++)
			itl_attention(itls[i], UA_LUNS_CHANGED);
	take_map(n, lun_map_ref(map), itls);
	return 0;
}

bool nexus_loses(const struct nexus *n, const struct lun_map *next, const struct lu *lu)
{
	const struct lun_entry *e;
	unsigned count = lun_map_entries(n->map, &e);

	for (unsigned i = 0; i < count; i++)
		if (e[i].lu == lu && !in_map(next, n->itls[i]))
			return true;
	return false;
}

void nexus_hold(struct nexus *n)
{
	atomic_fetch_add_explicit(&n->holds, 1, memory_order_relaxed);
}

void nexus_unhold(struct nexus *n)
{
	if (atomic_fetch_sub_explicit(&n->holds, 1, memory_order_acq_rel) == 1)
		n->closed(n);
}

void nexus_close(struct nexus *n, void (*closed)(struct nexus *n))
{
	n->closed = closed;
	take_map(n, NULL, NULL);
	nexus_unhold(n);
}
