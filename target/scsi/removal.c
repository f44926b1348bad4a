/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PREVENT ALLOW MEDIUM REMOVAL: each I_T nexus prevents for itself, and the medium stays as long as
 * one of them does.
 */
#include "scsi/op.h"
#include "scsi/reply.h"

bool lu_prevented(const struct lu *lu)
{
	list_for_each(it, &lu->itls)
		if (container_of(it, struct itl, in_lu)->prevents)
			return true;
	return false;
}

/* PREVENT ALLOW MEDIUM REMOVAL (SBC-4 5.17): allowing is possible whoever has reserved the unit. */
static enum scsi_next prevent_allow(struct scsi_task *t)
{
	struct lu *lu = t->itl->lu;
	uint8_t prevent = t->cdb[4] & 0x03;

	if (prevent > 1) /* obsolete */
		return task_bad_cdb(t, 4, 1);
	if (prevent && task_stopped(t, GATE_RESERVED | GATE_NO_WRITE))
		return SCSI_DONE;
	pthread_mutex_lock(&lu->lock);
	t->itl->prevents = prevent;
	pthread_mutex_unlock(&lu->lock);
	return task_good(t);
}

// clang-format off
const struct scsi_op removal_ops[] = {
	{ 0x1e, NO_SERVICE, .needs = LU_REMOVABLE, .name = "PREVENT ALLOW MEDIUM REMOVAL",
	  .start = prevent_allow, .stops = STOPS_UA, .usage = { 0x1e, 0, 0, 0, 0x03, 0x04 } },
	{ .name = NULL },
};
// clang-format on
