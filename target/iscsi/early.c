/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests ahead of their turn (early.h). */
#include "iscsi/early.h"

#include <stdlib.h>
#include <string.h>

#include "base/bufs.h"
#include "base/bytes.h"
#include "iscsi/conn.h"
#include "iscsi/reactor.h"
#include "iscsi/session.h"
#include "iscsi/shared.h"

/* The element before which cmdsn belongs; *same tells whether it is there already. */
static struct list *place(struct session *s, uint32_t cmdsn, bool *same)
{
	*same = false;
	list_for_each(l, &s->early) {
		int32_t d = (int32_t)(cmdsn - container_of(l, struct early, link)->cmdsn);

		*same = d == 0;
		if (d <= 0)
			return l;
	}
	return &s->early;
}

static bool has_room(const struct reactor *r, size_t size)
{
	return bufs_in_use(r->bufs) + r->early_bytes + size <= r->shared->bufs_limit;
}

struct early *early_new(struct conn *c, const uint8_t *ahs, uint32_t ahs_len, uint32_t data_len)
{
	size_t size = sizeof(struct early) + ahs_len + data_len;
	struct early *e = has_room(c->r, size) ? malloc(size) : NULL;

	if (!e)
		return NULL;
	c->r->early_bytes += size;
	e->size = size;
	list_init(&e->link);
	list_init(&e->outs);
	e->outs_len = 0;
	e->c = c;
	e->aborted = false;
	e->cmdsn = be32(c->bhs + 24);
	e->ahs_len = ahs_len;
	e->data_len = 0;
	memcpy(e->bhs, c->bhs, BHS_SIZE);
	if (ahs_len)
		memcpy(e->bytes, ahs, ahs_len);
	conn_hold(c);
	return e;
}

void early_keep(struct session *s, struct early *e)
{
	bool same;
	struct list *before = place(s, e->cmdsn, &same);

	if (same || (int32_t)(e->cmdsn - s->exp_cmdsn) < 0)
		early_end(e);
	else
		list_push(before, &e->link);
}

bool early_abort(struct session *s, struct conn *c, uint32_t cmdsn, uint32_t itt)
{
	bool same;
	struct list *at = place(s, cmdsn, &same);
	struct early *e;

	if (same) {
		e = container_of(at, struct early, link);
		if (be32(e->bhs + 16) != itt)
			return false;
		e->aborted = true;
		return true;
	}
	if (!(e = calloc(1, sizeof(*e))))
		return false;
	list_init(&e->outs);
	e->c = c;
	e->cmdsn = cmdsn;
	e->aborted = true;
	put_be32(e->bhs + 16, itt);
	conn_hold(c);
	list_push(at, &e->link);
	return true;
}

struct early *early_find(struct session *s, const struct conn *c, uint32_t itt)
{
	list_for_each(l, &s->early) {
		struct early *e = container_of(l, struct early, link);

		if (e->c == c && (e->bhs[0] & BHS_OPCODE) == OP_SCSI_CMD &&
			be32(e->bhs + 16) == itt)
			return e;
	}
	return NULL;
}

bool early_add(struct early *e, struct early *out, uint32_t max)
{
	if (out->data_len > max - e->outs_len)
		return false;
	e->outs_len += out->data_len;
	list_push(&e->outs, &out->link);
	return true;
}

bool early_has_turn(const struct session *s)
{
	return !list_empty(&s->early) &&
	       container_of(s->early.next, struct early, link)->cmdsn == s->exp_cmdsn;
}

struct early *early_next(struct session *s)
{
	while (early_has_turn(s)) {
		struct early *e = container_of(list_pop(&s->early), struct early, link);

		session_turn(s);
		if (!e->aborted)
			return e;
		early_end(e);
	}
	return NULL;
}

void early_end(struct early *e)
{
	struct conn *c = e->c;
	struct list *l;

	while ((l = list_pop(&e->outs)))
		early_end(container_of(l, struct early, link));
	c->r->early_bytes -= e->size;
	explicit_bzero(e->bytes, e->ahs_len + e->data_len); /* it may be a key */
	free(e);
	conn_release(c);
}

void early_drop(struct session *s, const struct conn *c)
{
	list_for_each_safe(l, &s->early) {
		struct early *e = container_of(l, struct early, link);

		if (e->c != c)
			continue;
		list_del(l);
		early_end(e);
	}
}
