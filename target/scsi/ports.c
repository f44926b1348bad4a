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
		free((uint16_t *)(uintptr_t)g[i].ports);
	free(g);
}

void ports_free(struct lu *lu)
{
	free_groups(lu->groups, lu->ngroups);
}

static struct lu_port_group *copy_groups(const struct lu_port_group *from, unsigned n)
{
	struct lu_port_group *g = calloc(n ? n : 1, sizeof(*g));

	for (unsigned i = 0; g && i < n; i++) {
		size_t len = from[i].nports * sizeof(uint16_t);
		uint16_t *ports = malloc(len ? len : 1);

		if (!ports) {
			free_groups(g, i);
			return NULL;
		}
		if (len)
			memcpy(ports, from[i].ports, len);
		g[i] = from[i];
		g[i].ports = ports;
	}
	return g;
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

/* --- REPORT TARGET PORT GROUPS (SPC-5 6.37) -------------------------------------------- */

#define EXTENDED_HEADER  0x20
#define STATES_SUPPORTED 0x8f /* offline, unavailable, standby, both active ones */
#define BY_ADMINISTRATOR 0x02 /* STATUS CODE: altered by implicit behaviour */

static void wr_group(struct wr *w, const struct lu_port_group *g)
{
	wr_u8(w, (uint8_t)g->access);
	wr_u8(w, STATES_SUPPORTED);
	wr_be16(w, g->group);
	wr_u8(w, 0);
	wr_u8(w, BY_ADMINISTRATOR);
	wr_u8(w, 0);
	wr_u8(w, (uint8_t)g->nports);
	for (unsigned i = 0; i < g->nports; i++)
		wr_be32(w, g->ports[i]);
}

/* Where nobody has said anything there is the group of the port that was asked. */
static void wr_groups(struct wr *w, const struct itl *itl, bool extended)
{
	const struct lu *lu = itl->lu;
	const struct lu_port_group own = { .group = itl->nexus->tpgt,
		.access = LU_ACTIVE_OPTIMIZED,
		.ports = &itl->nexus->rel_port,
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
