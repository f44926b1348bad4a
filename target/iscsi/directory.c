/* SPDX-License-Identifier: BSD-2-Clause */
/* The directory: immutable snapshots of targets, portals and policy (directory.h). */
#include "iscsi/directory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct iscsi_policy iscsi_policy_default = {
	.chap = { .count = 4, .alg = { CHAP_SHA3_256, CHAP_SHA256, CHAP_SHA1, CHAP_MD5 } },
	.login_timeout_ms = 15000,
	.logout_timeout_ms = 10000,
	.max_sessions = 16384,
	.max_recv_data_segment_length = 262144,
	.max_burst_length = 1048576,
	.first_burst_length = 262144,
	.max_outstanding_r2t = 4,
	.max_connections = 1,
	.initial_r2t = false,
	.immediate_data = true,
	.header_digest = DIGEST_OPTIONAL,
	.data_digest = DIGEST_OPTIONAL,
	.time2wait = 2,
	.time2retain = 0,
	.ping_interval_ms = 30000,
	.ping_timeout_ms = 30000,
	.queue_depth = 128,
};

/* --- targets: an array, and a hash of indices by name ---------------------------------- */

struct target_set {
	_Atomic unsigned refs;
	unsigned n, mask;            /* mask: size of the hash less one, a power of two */
	struct iscsi_target *targets;
	uint32_t *slot;              /* index + 1; 0 is empty */
};

static uint32_t name_hash(const char *name)
{
	uint32_t h = 2166136261u;    /* FNV-1a: the names come from the administrator */

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h;
}

static unsigned slot_of(const struct target_set *s, const char *name)
{
	unsigned i = name_hash(name) & s->mask;

	while (s->slot[i] && strcmp(s->targets[s->slot[i] - 1].name, name) != 0)
		i = (i + 1) & s->mask;
	return i;
}

static void target_clear(struct iscsi_target *t)
{
	free((char *)(uintptr_t)t->name);
	free((char *)(uintptr_t)t->alias);
	free((char *)(uintptr_t)t->svm);
	free((char *)(uintptr_t)t->redirect_to);
	free((uint16_t *)(uintptr_t)t->groups);
	free((struct target_port *)(uintptr_t)t->ports);
	lun_map_unref(t->luns);
}

static void target_set_free(struct target_set *s)
{
	for (unsigned i = 0; i < s->n; i++)
		target_clear(&s->targets[i]);
	free(s->targets);
	free(s->slot);
	free(s);
}

static bool copy_text(const char **to, const char *from)
{
	if (from && !(*to = strdup(from)))
		return false;
	return true;
}

/* False: no memory. NULL stays NULL where there is nothing to copy. */
static bool copy_array(const void *from, size_t bytes, void **to)
{
	*to = bytes ? malloc(bytes) : NULL;
	if (*to)
		memcpy(*to, from, bytes);
	return *to || !bytes;
}

static bool target_copy(struct iscsi_target *to, const struct iscsi_target *from)
{
	void *groups, *ports;
	bool ok;

	*to = *from;
	to->name = to->alias = to->svm = to->redirect_to = NULL;
	to->luns = lun_map_ref(from->luns);
	ok = copy_array(from->groups, from->ngroups * sizeof(*from->groups), &groups);
	ok &= copy_array(from->ports, from->nports * sizeof(*from->ports), &ports);
	to->groups = groups;
	to->ports = ports;
	return ok && copy_text(&to->name, from->name) && copy_text(&to->alias, from->alias) &&
	       copy_text(&to->svm, from->svm) && copy_text(&to->redirect_to, from->redirect_to);
}

int target_set_create(const struct iscsi_target *targets, unsigned n, struct target_set **out)
{
	struct target_set *s = calloc(1, sizeof(*s));
	unsigned size = 16;
	int err = -ENOMEM;

	if (!s)
		return err;
	while (size < 2 * n)
		size *= 2;
	s->refs = 1;
	s->mask = size - 1;
	s->targets = calloc(n ? n : 1, sizeof(*s->targets));
	s->slot = calloc(size, sizeof(*s->slot));
	if (!s->targets || !s->slot)
		goto fail;
	for (unsigned i = 0; i < n; i++) {
		unsigned at;

		s->n = i + 1;   /* what target_set_free() clears, half-copied ones too */
		if (!target_copy(&s->targets[i], &targets[i]))
			goto fail;
		at = slot_of(s, s->targets[i].name);
		if (s->slot[at]) {
			err = -EEXIST;
			goto fail;
		}
		s->slot[at] = i + 1;
	}
	*out = s;
	return 0;
fail:
	target_set_free(s);
	return err;
}

struct target_set *target_set_ref(struct target_set *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void target_set_unref(struct target_set *s)
{
	if (s && atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1)
		target_set_free(s);
}

const struct iscsi_target *target_set_find(const struct target_set *s, const char *name)
{
	uint32_t i = s->slot[slot_of(s, name)];

	return i ? &s->targets[i - 1] : NULL;
}

unsigned target_set_count(const struct target_set *s)
{
	return s->n;
}

const struct iscsi_target *target_set_at(const struct target_set *s, unsigned i)
{
	return &s->targets[i];
}

bool target_in_group(const struct iscsi_target *t, uint16_t group)
{
	for (unsigned i = 0; i < t->ngroups; i++)
		if (t->groups[i] == group)
			return true;
	return t->ngroups == 0;
}

uint16_t target_port_id(const struct iscsi_target *t, uint16_t group)
{
	for (unsigned i = 0; i < t->nports; i++)
		if (t->ports[i].group == group)
			return t->ports[i].id;
	return group;
}

/* --- the snapshot ------------------------------------------------------------------------ */

static void directory_free(struct directory *d)
{
	for (unsigned i = 0; i < d->nportals; i++)
		free((char *)(uintptr_t)d->portals[i].address);
	free((struct iscsi_portal *)(uintptr_t)d->portals);
	table_unref(d->credentials);
	target_set_unref(d->targets);
	free(d);
}

struct directory *directory_create(struct target_set *targets, const struct table *credentials,
				   const struct iscsi_portal *portals, unsigned nportals,
				   const struct iscsi_policy *policy)
{
	struct directory *d = calloc(1, sizeof(*d));
	struct iscsi_portal *p = calloc(nportals ? nportals : 1, sizeof(*p));

	if (!d || !p) {
		free(d);
		free(p);
		return NULL;
	}
	d->refs = 1;
	d->targets = target_set_ref(targets);
	d->credentials = credentials ? table_ref(credentials) : NULL;
	d->portals = p;
	d->policy = *policy;
	for (unsigned i = 0; i < nportals; i++) {
		p[i] = portals[i];
		p[i].address = NULL;
		d->nportals = i + 1;
		if (!copy_text(&p[i].address, portals[i].address)) {
			directory_free(d);
			return NULL;
		}
	}
	return d;
}

struct directory *directory_ref(struct directory *d)
{
	atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
	return d;
}

void directory_unref(struct directory *d)
{
	if (d && atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) == 1)
		directory_free(d);
}
