/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RESERVE and RELEASE of SPC-2: the unit belongs to one nexus until that releases it, is lost, or
 * the unit is reset. Hosts that know persistent reservations do not use them; ESXi's VMFS does
 * where COMPARE AND WRITE is switched off. Where somebody is registered for persistent ones they
 * conflict: CRH is 0 (SPC-5 5.14.3).
 */
#include "scsi/op.h"
#include "scsi/reply.h"

/* Third-party, extent and long-identifier reservations (SPC-2 7.21.2) are not supported: their
 * bits must be zero. */
static bool asks_for_more(const struct scsi_task *t)
{
	return t->cdb[1] & (t->cdb[0] < 0x20 ? 0x1f : 0x1b);
}

/* RESERVE(6), RESERVE(10) (SPC-2 7.20, 7.21). */
static enum scsi_next reserve(struct scsi_task *t)
{
	struct lu *lu = t->itl->lu;

	if (asks_for_more(t))
		return task_bad_cdb(t, 1, 4);
	pthread_mutex_lock(&lu->lock);
	if (!lu->reserved && !lu->pr.n) {
		lu->reserved = t->itl;
		lu_update_gates(lu);
	}
	task_status(t, lu->reserved == t->itl ? SCSI_GOOD : SCSI_RESERVATION_CONFLICT);
	pthread_mutex_unlock(&lu->lock);
	return SCSI_DONE;
}

/* RELEASE(6), RELEASE(10) (SPC-2 7.16, 7.17): of what is not reserved, or by another, no error. */
static enum scsi_next release(struct scsi_task *t)
{
	struct lu *lu = t->itl->lu;

	if (asks_for_more(t))
		return task_bad_cdb(t, 1, 4);
	pthread_mutex_lock(&lu->lock);
	task_status(t, lu->pr.n ? SCSI_RESERVATION_CONFLICT : SCSI_GOOD);
	if (lu->reserved == t->itl) {
		lu->reserved = NULL;
		lu_update_gates(lu);
	}
	pthread_mutex_unlock(&lu->lock);
	return SCSI_DONE;
}

// clang-format off
const struct scsi_op reserve_ops[] = {
	{ 0x16, NO_SERVICE, .name = "RESERVE(6)", .start = reserve,
	  .stops = STOPS_UA, .usage = { 0x16, 0, 0, 0, 0, 0x04 } },
	{ 0x17, NO_SERVICE, .name = "RELEASE(6)", .start = release,
	  .stops = STOPS_UA, .usage = { 0x17, 0, 0, 0, 0, 0x04 } },
	{ 0x56, NO_SERVICE, .name = "RESERVE(10)", .start = reserve,
	  .stops = STOPS_UA, .usage = { 0x56, 0, 0, 0, 0, 0, 0, 0, 0, 0x04 } },
	{ 0x57, NO_SERVICE, .name = "RELEASE(10)", .start = release,
	  .stops = STOPS_UA, .usage = { 0x57, 0, 0, 0, 0, 0, 0, 0, 0, 0x04 } },
	{ .name = NULL },
};
// clang-format on
