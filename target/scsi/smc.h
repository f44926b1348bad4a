/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the commands of a media changer share (SMC-3).
 */
#ifndef SCSI_SMC_H
#define SCSI_SMC_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/bytes.h"
#include "scsi/op.h"
#include "scsi/reply.h"
#include "scsi/unit.h"
#include "vtl/library.h"

/* ELEMENT TYPE CODE (SMC-3 table 10): the values of the catalog's places; 0 is all types. */
#define ELEMENT_TYPES_END       5

#define VOLUME_TAG_SIZE         36u /* bytes in element descriptors */
#define VOLUME_ID_SIZE          32  /* of them, the identifier, padded with spaces */
#define VOLUME_SEARCHES         16  /* nexuses of which the last SEND VOLUME TAG is remembered */

/* What a SEND VOLUME TAG has asked for. */
struct volume_search {
	const struct itl *itl; /* who; NULL: nobody */
	uint8_t action, type;
	uint16_t start;
	uint8_t pattern[VOLUME_ID_SIZE];
	uint64_t order; /* the highest is the last that was used */
};

struct changer {
	struct lu lu; /* first: it is freed as that */
	struct library *library;
	struct library_listener listener;
	_Atomic unsigned missing; /* cartridges of which TapeAlert has taken notice */

	/* Under lu.lock. */
	struct volume_search search[VOLUME_SEARCHES];
	uint64_t searches;
};

static inline struct changer *changer_of(const struct scsi_task *t)
{
	return container_of(t->itl->lu, struct changer, lu);
}

/* Whether the robot of that address is there: there is one, and 0 means it, too (SMC-3 6.6). */
static inline bool smc_transport_valid(const struct changer *c, uint16_t address)
{
	return !address || address == library_range(c->library, CATALOG_IN_TRANSPORT).first;
}

extern const struct scsi_op smc_ops[], smc_move_ops[], smc_status_ops[], smc_volume_ops[],
	smc_log_ops[];

/* What the end of a move means for the changer's TapeAlert flags. */
void smc_moved(struct lu *lu, enum library_result result, bool drives);

/* Asks the library, and ends the command as the answer says (smc_move.c). */
enum scsi_next smc_ask(struct scsi_task *t, struct library_request request);

/* Which elements a report is about, and how it is made. */
struct smc_report {
	enum catalog_place_kind type; /* CATALOG_IN_VAULT: all of them */
	uint16_t start;
	uint16_t max;
	bool volume_tags, device_ids;
	/* Optional: whether an element belongs into it. */
	bool (*wanted)(const struct library_element *e, const void *arg);
	const void *arg;
	uint8_t action; /* byte 4 of the header: SEND ACTION CODE, or 0 */
};

/* Ends a command with element status data (SMC-3 6.11.2), of which whole headers and descriptors
 * are told as far as the allocation length goes. */
enum scsi_next smc_report(struct scsi_task *t, const struct smc_report *r, uint32_t alloc);

#endif
