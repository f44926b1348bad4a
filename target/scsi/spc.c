/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Primary commands that every unit knows.
 */
#include <string.h>

#include "scsi/inquiry.h"
#include "scsi/nexus.h"
#include "scsi/op.h"
#include "scsi/reply.h"

/* TEST UNIT READY (SPC-5 6.49): the gate has said all there is to say. */
static enum scsi_next test_unit_ready(struct scsi_task *t)
{
	return task_good(t);
}

/* What the unit has to say without having failed a command. */
static struct sense pending_sense(struct itl *itl)
{
	uint64_t gate = atomic_load_explicit(&itl->gate, memory_order_acquire);
	uint16_t asc = itl_take_attention(itl);

	if (asc)
		return (struct sense){ .key = SENSE_UNIT_ATTENTION, .asc = asc };
	if (gate & GATE_WIPES) {
		struct sense s = { .key = SENSE_NOT_READY,
			.asc = gate & GATE_FORMAT ? ASC_FORMAT_IN_PROGRESS
						  : ASC_SANITIZE_IN_PROGRESS };

		sense_progress(&s, atomic_load_explicit(&itl->lu->progress, memory_order_relaxed));
		return s;
	}
	if (gate & GATE_NO_MEDIUM)
		return lu_absence(itl->lu);
	return (struct sense){ .key = SENSE_NO_SENSE };
}

/* REQUEST SENSE (SPC-5 6.39): takes a unit attention, too. DESC asks for the format. */
static enum scsi_next request_sense(struct scsi_task *t)
{
	struct sense s = pending_sense(t->itl);
	uint8_t buf[SENSE_MAX];

	return reply_bytes(t, buf, sense_encode(&s, t->cdb[1] & 1, buf), t->cdb[4]);
}

/* --- REPORT LUNS --------------------------------------------------------------------- */

/* SELECT REPORT (SPC-5 table 311). There are no well-known units and no conglomerates here: some
 * selections are all the units, some none. */
static bool selects_any(uint8_t select)
{
	return select == 0x00 || select == 0x02 || select == 0x11;
}

static bool selects_nothing(uint8_t select)
{
	return select == 0x01 || select == 0x10 || select == 0x12;
}

enum scsi_next report_luns(struct scsi_task *t)
{
	const struct lun_entry *e;
	unsigned n = lun_map_entries(t->nexus->map, &e);
	uint32_t alloc = be32(t->cdb + 6);
	struct wr w;

	if (!selects_any(t->cdb[2]) && !selects_nothing(t->cdb[2]))
		return task_bad_cdb(t, 2, -1);
	if (selects_nothing(t->cdb[2]))
		n = 0;
	if (!reply_open(t, &w, 8 + (size_t)n * 8))
		return SCSI_DONE;
	wr_be32(&w, n * 8);
	wr_be32(&w, 0);
	for (unsigned i = 0; i < n; i++)
		wr_be64(&w, lun_encode(e[i].lun));
	nexus_luns_told(t->nexus);
	return reply_close(t, &w, alloc);
}

// clang-format off
const struct scsi_op spc_ops[] = {
	{ 0x00, NO_SERVICE, .name = "TEST UNIT READY", .start = test_unit_ready,
	  .stops = STOPS_QUERY | STOPS_READY, .usage = { 0x00, 0, 0, 0, 0, 0x04 } },
	{ 0x03, NO_SERVICE, .name = "REQUEST SENSE", .start = request_sense,
	  .stops = STOPS_FREE, .usage = { 0x03, 0x01, 0, 0, 0xff, 0x04 } },
	{ 0x12, NO_SERVICE, .name = "INQUIRY", .start = inquiry_start,
	  .stops = STOPS_FREE, .usage = { 0x12, 0x01, FF2, 0xff, 0x04 } },
	{ 0xa0, NO_SERVICE, .name = "REPORT LUNS", .start = report_luns,
	  .stops = STOPS_FREE, .usage = { 0xa0, 0, 0xff, 0, 0, 0, FF4, 0, 0x04 } },
	{ .name = NULL },
};
// clang-format on
