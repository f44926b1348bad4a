/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What only this folder does with nexuses.
 */
#ifndef SCSI_NEXUS_H
#define SCSI_NEXUS_H

#include <stdint.h>

#include "scsi/lu.h"
#include "scsi/unit.h"

/* The LUN field for a LUN (SAM-5 4.7.7). */
uint64_t lun_encode(uint32_t lun);

/* The name of the initiator port (RFC 7143 4.2.7.4: "iqn.…,i,0x" and the ISID in hex), and what
 * persistent reservations know a nexus by. */
struct port_name {
	char text[PR_NAME_MAX];
};
struct pr_nexus nexus_identity(const struct nexus *n, struct port_name *name);

/* The initiator knows that its LUNs have changed: no unit needs to say it any more. */
void nexus_luns_told(const struct nexus *n);

/* A copy works on the unit through this I_T_L nexus, which lives until it lets go, also when the
 * nexus loses the unit meanwhile (itl->orphan). On the nexus's loop. */
void itl_pin(struct itl *itl);
void itl_unpin(struct itl *itl);
/* The last pin is gone: what has waited for that goes on. */
void function_copies_ended(struct itl *itl);

/* A message is on its way to the nexus's loop: it will not be gone when it arrives. Held by any
 * thread that has found the nexus under a unit's lock, or by the nexus's own; let go on its
 * loop. */
void nexus_hold(struct nexus *n);
void nexus_unhold(struct nexus *n);

#endif
