/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Target port groups and their access states (ALUA, SPC-5 5.18). They change by the administrator's
 * will alone: implicitly, in the standard's words; no initiator sets them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scsi/nexus.h"
#include "scsi/op.h"
#include "scsi/reply.h"

/* --- the unit's table ---------------------------------------------------------------- */

static void free_groups(struct lu_port_group *g, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		free((struct lu_port *)(uintptr_t)g[i].ports);
	free(g);
}

void ports_free(struct lu *lu)
{
	free_groups(lu->groups, lu->ngroups);
}

/* The ports and their names, in one piece of memory. */
static struct lu_port *copy_ports(const struct lu_port *from, unsigned n)
{
	size_t names = 0;
	struct lu_port *ports;
	char *text;

	for (unsigned i = 0; i < n; i++)
		names += strlen(from[i].target) + 1;
	ports = malloc(n * sizeof(*ports) + names + 1);
	if (!ports)
		return NULL;
	text = (char *)(ports + n);
	for (unsigned i = 0; i < n; i++) {
		size_t len = strlen(from[i].target) + 1;

		ports[i].id = from[i].id;
		ports[i].target = memcpy(text, from[i].target, len);
		text += len;
	}
	return ports;
}

static struct lu_port_group *copy_groups(const struct lu_port_group *from, unsigned n)
{
	struct lu_port_group *g = calloc(n ? n : 1, sizeof(*g));

	for (unsigned i = 0; g && i < n; i++) {
		g[i] = from[i];
		g[i].ports = copy_ports(from[i].ports, from[i].nports);
		if (g[i].ports)
			continue;
		free_groups(g, i);
		return NULL;
	}
	return g;
}

bool ports_have(const struct lu *lu, uint16_t port)
{
	for (unsigned i = 0; i < lu->ngroups; i++)
		for (unsigned k = 0; k < lu->groups[i].nports; k++)
			if (lu->groups[i].ports[k].id == port)
				return true;
	return false;
}

enum lu_access ports_access(const struct lu *lu, const struct nexus *n)
{
	for (unsigned i = 0; i < lu->ngroups; i++)
		if (lu->groups[i].group == n->tpgt)
			return lu->groups[i].access;
	return LU_ACTIVE_OPTIMIZED;
}

static bool same_access(const struct lu *lu, const struct lu_port_group *g, unsigned n)
{
	if (n != lu->ngroups)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (g[i].group != lu->groups[i].group || g[i].access != lu->groups[i].access)
			return false;
	return true;
}

int lu_set_port_groups(struct lu *lu, const struct lu_port_group *groups, unsigned n)
{
	struct lu_port_group *g = copy_groups(groups, n), *old;
	unsigned nold;

	if (!g)
		return -ENOMEM;
	pthread_mutex_lock(&lu->lock);
	if (lu->ngroups && !same_access(lu, g, n))
		lu_attention(lu, NULL, UA_ACCESS_STATE_CHANGED);
	old = lu->groups;
	nold = lu->ngroups;
	lu->groups = g;
	lu->ngroups = n;
	lu_update_gates(lu);
	pthread_mutex_unlock(&lu->lock);
	free_groups(old, nold);
	return 0;
}

void lu_set_access(struct lu *lu, uint16_t group, enum lu_access access)
{
	pthread_mutex_lock(&lu->lock);
	for (unsigned i = 0; i < lu->ngroups; i++) {
		if (lu->groups[i].group != group || lu->groups[i].access == access)
			continue;
		lu->groups[i].access = access;
		lu_attention(lu, NULL, UA_ACCESS_STATE_CHANGED);
		lu_update_gates(lu);
	}
	pthread_mutex_unlock(&lu->lock);
}

/* --- REPORT TARGET PORT GROUPS (SPC-5 6.37) -------------------------------------------- */

#define EXTENDED_HEADER  0x20
#define STATES_SUPPORTED 0x0f /* unavailable, standby, both active ones; there is no transition */
#define BY_ADMINISTRATOR 0x02 /* STATUS CODE: altered by implicit behaviour */
#define PORTS_TOLD       255u /* TARGET PORT COUNT is one byte */

static void wr_group(struct wr *w, const struct lu_port_group *g)
{
	unsigned n = g->nports < PORTS_TOLD ? g->nports : PORTS_TOLD;

	wr_u8(w, (uint8_t)g->access);
	wr_u8(w, STATES_SUPPORTED);
	wr_be16(w, g->group);
	wr_u8(w, 0);
	wr_u8(w, BY_ADMINISTRATOR);
	wr_u8(w, 0);
	wr_u8(w, (uint8_t)n);
	for (unsigned i = 0; i < n; i++)
		wr_be32(w, g->ports[i].id);
}

/* Where nobody has said anything there is the group of the port that was asked. */
static void wr_groups(struct wr *w, const struct itl *itl, bool extended)
{
	const struct lu *lu = itl->lu;
	const struct lu_port port = { itl->nexus->rel_port, itl->nexus->target };
	const struct lu_port_group own = { .group = itl->nexus->tpgt,
		.access = LU_ACTIVE_OPTIMIZED,
		.ports = &port,
		.nports = 1 };

	wr_be32(w, 0);
	if (extended)
		wr_be32(w, 0x10000000); /* format 001b; no transition takes time */
	for (unsigned i = 0; i < lu->ngroups; i++)
		wr_group(w, &lu->groups[i]);
	if (!lu->ngroups)
		wr_group(w, &own);
}

enum scsi_next ports_report(struct scsi_task *t)
{
	struct lu *lu = t->itl->lu;
	uint8_t format = t->cdb[1] & 0xe0;
	struct wr w = { 0 };
	bool ok;

	if (format && format != EXTENDED_HEADER)
		return task_bad_cdb(t, 1, 7);
	pthread_mutex_lock(&lu->lock);
	wr_groups(&w, t->itl, format); /* counts */
	ok = reply_open(t, &w, w.len);
	if (ok)
		wr_groups(&w, t->itl, format);
	pthread_mutex_unlock(&lu->lock);
	if (!ok)
		return SCSI_DONE;
	put_be32(w.buf, (uint32_t)(w.len - 4));
	return reply_close(t, &w, be32(t->cdb + 6));
}
