/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests that came ahead of their CmdSN: with several connections in a session,
 * what was sent first may arrive last (RFC 7143 4.2.2.1). They are kept whole, with
 * their data, until their turn.
 */
#ifndef ISCSI_EARLY_H
#define ISCSI_EARLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "iscsi/wire.h"

struct conn;
struct session;

struct early {
	struct list link; /* in session->early, by CmdSN */
	struct conn *c;   /* held */
	bool aborted;     /* nothing is done when its turn comes */
	uint32_t cmdsn;
	uint32_t ahs_len, data_len;
	size_t size;       /* of all of it: what it counts for */
	struct list outs;  /* of a WRITE: Data-Out PDUs that came for it, struct early too */
	uint32_t outs_len; /* and the bytes in them */
	uint8_t bhs[BHS_SIZE];
	uint8_t bytes[]; /* AHS, then data */
};

/* Room for the PDU whose header the connection has just received (c->bhs); its data are to be put
 * at bytes + ahs_len, counting data_len up. NULL: out of memory, or of what all sessions may have
 * of it. */
struct early *early_new(struct conn *c, const uint8_t *ahs, uint32_t ahs_len, uint32_t data_len);

/* It has come whole: into the list. A second one with the same CmdSN is dropped. */
void early_keep(struct session *s, struct early *e);

/* The SCSI command of this task tag that waits, or NULL. */
struct early *early_find(struct session *s, const struct conn *c, uint32_t itt);
/* A Data-Out PDU for it. False: more than `max` bytes would come together. */
bool early_add(struct early *e, struct early *out, uint32_t max);

/* Whether the request whose turn it is now is in the list, aborted perhaps. */
bool early_has_turn(const struct session *s);
/* That request, out of the list, or NULL. The caller ends it. */
struct early *early_next(struct session *s);
void early_end(struct early *e);

/* A request ahead of its turn, come or still on its way, was aborted before it began: its turn will
 * pass without it. `c` is the connection that says so. False: it is not the one with this task tag,
 * or out of memory. */
bool early_abort(struct session *s, struct conn *c, uint32_t cmdsn, uint32_t itt);

/* Drops those of one connection. */
void early_drop(struct session *s, const struct conn *c);

#endif
