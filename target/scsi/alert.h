/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TapeAlert flags of drives and changers (SSC-4 4.2.21, SMC-3 annex A): what is wrong, for whoever
 * reads log page 2Eh. A flag that is up is told once to each I_T nexus, and once more when it is
 * raised anew; a nexus that comes later learns of it, too.
 */
#ifndef SCSI_ALERT_H
#define SCSI_ALERT_H

#include <stdint.h>

#include "base/bytes.h"
#include "scsi/unit.h"

#define ALERT_FLAGS     64
#define ALERT_PAGE      0x2e

/* Flag 1 is the highest bit, as in log page 12h. */
#define ALERT_BIT(flag) (UINT64_C(1) << (ALERT_FLAGS - (flag)))

/* Any thread, without the unit's lock. Raises a flag (1…64), and gives all that are up. */
uint64_t alert_raise(struct lu *lu, unsigned flag);
/* Takes down those of a mask of bits. */
void alert_clear(struct lu *lu, uint64_t flags);

/* Those that are up; of them, those that the nexus has not been told; and that it has been now. */
uint64_t alert_flags(struct lu *lu);
uint64_t alert_untold(struct itl *itl);
void alert_told(struct itl *itl, uint64_t flags);

/* The parameters of log page 2Eh. */
void alert_page(struct wr *w, uint64_t flags);

#endif
