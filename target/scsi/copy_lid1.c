/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EXTENDED COPY(LID1) (SPC-4 6.4): the parameter list, and what it makes of a copy. Everything is
 * checked before the first byte is copied.
 */
#include <stdlib.h>
#include <string.h>

#include "scsi/copy.h"
#include "scsi/map.h"
#include "scsi/reply.h"
#include "scsi/sbc.h"

#define HEADER      16u
#define CSCD_LEN    32u
#define CSCD_ID     0xe4 /* identification descriptor */
#define BLOCKS      0x02 /* block device to block device */
#define BYTES       0x0a /* … with offsets in bytes */
#define THIS_UNIT   0xffff
#define NAA         3
#define NO_LIST_ID  3u /* LIST ID USAGE (SPC-4 table 105) */
#define HOLD        0u

struct header {
	uint8_t id, usage;
	uint32_t cscds, segments; /* bytes */
};

/* The units that the descriptors name. */
struct cscds {
	struct itl *itl[COPY_CSCDS];
	unsigned n;
};

/* --- the header ----------------------------------------------------------------------- */

static bool header_read(struct scsi_task *t, struct header *h)
{
	struct rd r = list_cursor(t);
	uint32_t data;

	h->id = rd_u8(&r);
	h->usage = rd_u8(&r) >> 3 & 3;
	h->cscds = rd_be16(&r);
	rd_be32(&r);
	h->segments = rd_be32(&r);
	data = rd_be32(&r);
	if (!rd_ok(&r) || h->cscds > r.left || h->segments > r.left - h->cscds)
		return task_list_too_short(t), false;
	if (h->cscds + h->segments > COPY_LIST_MAX) /* both are no longer than the list */
		return task_list_too_short(t), false;
	if (data)
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INLINE_DATA_LENGTH_EXCEEDED), false;
	if (h->usage == NO_LIST_ID && h->id)
		return task_bad_list(t, 0, -1), false;
	return true;
}

/* --- CSCD descriptors (SPC-4 6.4.5) ---------------------------------------------------- */

static bool is_named(const struct lu *lu, const uint8_t *id, unsigned len)
{
	return len == (lu->naa[0] >> 4 == 6 ? 16u : 8u) && !memcmp(lu->naa, id, len);
}

/* Only what stands in the LUN map of the nexus that asks can be named, and by its NAA alone: there
 * is no room for the vendor's designator of VPD 83h. */
static struct itl *resolve(const struct nexus *n, const uint8_t *d)
{
	const struct lun_entry *e;
	unsigned count = lun_map_entries(n->map, &e), len = d[7], type = d[5] & 0x0f;

	if (type != NAA || (d[4] & 0x0f) != 1 || d[5] & 0x30) /* not of a logical unit */
		return NULL;
	for (unsigned i = 0; i < count; i++)
		if (is_named(e[i].lu, d + 8, len))
			return n->itls[i];
	return NULL;
}

static bool cscd_read(struct scsi_task *t, unsigned at, struct itl **out)
{
	const uint8_t *d = (const uint8_t *)t->buf + at;
	uint32_t block = be24(d + 29);
	struct itl *itl;

	if (d[0] != CSCD_ID)
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_UNSUPPORTED_TARGET_DESCRIPTOR),
		       false;
	if (d[1] & 0x20) /* NUL, obsolete: not what somebody means who copies */
		return task_bad_list(t, at + 1, 5), false;
	itl = resolve(t->nexus, d);
	if (!itl)
		return copy_refused(t, ASC_UNREACHABLE_COPY_TARGET, 0), false;
	if ((d[1] & 0x1f) != 0 || itl->lu->model->device_type != 0)
		return copy_refused(t, ASC_INCORRECT_COPY_TARGET_TYPE, 0), false;
	if (block && block != itl->lu->block_size)
		return task_bad_list(t, at + 29, -1), false;
	*out = itl;
	return true;
}

static bool cscds_read(struct scsi_task *t, const struct header *h, struct cscds *c)
{
	c->n = h->cscds / CSCD_LEN;
	if (h->cscds % CSCD_LEN)
		return task_list_too_short(t), false;
	if (c->n > COPY_CSCDS)
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_TOO_MANY_TARGET_DESCRIPTORS), false;
	for (unsigned i = 0; i < c->n; i++)
		if (!cscd_read(t, HEADER + i * CSCD_LEN, &c->itl[i]))
			return false;
	return true;
}

/* --- segment descriptors (SPC-4 6.4.6) -------------------------------------------------- */

static unsigned segment_len(uint8_t type)
{
	return type == BLOCKS ? 28 : type == BYTES ? 32 : 0;
}

/* How many there are, each whole and of a type that we have. */
static bool segments_count(struct scsi_task *t, const struct header *h, unsigned *n)
{
	unsigned at = HEADER + h->cscds, left = h->segments;

	for (*n = 0; left; (*n)++) {
		const uint8_t *d = (const uint8_t *)t->buf + at;
		unsigned len = segment_len(d[0]);

		if (*n == COPY_SEGMENTS)
			return task_check(
				       t, SENSE_ILLEGAL_REQUEST, ASC_TOO_MANY_SEGMENT_DESCRIPTORS),
			       false;
		if (!len)
			return task_check(t, SENSE_ILLEGAL_REQUEST,
				       ASC_UNSUPPORTED_SEGMENT_DESCRIPTOR),
			       false;
		if (left < len)
			return task_list_too_short(t), false;
		if (be16(d + 2) != len - 4)
			return task_bad_list(t, at + 2, -1), false;
		at += len;
		left -= len;
	}
	return true;
}

static struct itl *unit_of(struct scsi_task *t, const struct cscds *c, uint16_t index)
{
	if (index == THIS_UNIT)
		return t->itl;
	return index < c->n ? c->itl[index] : NULL;
}

/* A range in bytes of what an LBA and an offset say. False: it is not in the unit. */
static bool range_of(
	const struct lu *lu, uint64_t lba, uint32_t offset, uint64_t len, uint64_t *off)
{
	uint64_t blocks = lu_blocks(lu);

	if (lba > blocks)
		return false;
	*off = sbc_bytes(lu, lba) + offset;
	return *off <= sbc_bytes(lu, blocks) && len <= sbc_bytes(lu, blocks) - *off;
}

/* NUMBER OF BLOCKS is in blocks of the source, or with DC of the destination. */
static uint64_t length_of(const uint8_t *d, const struct copy_run *run)
{
	if (d[0] == BYTES)
		return be32(d + 8);
	return (uint64_t)be16(d + 10) * (d[1] & 2 ? run->to : run->from)->lu->block_size;
}

static bool whole_blocks(const struct copy_run *run)
{
	uint64_t all = run->from_off | run->to_off | run->len;

	return !(all & (run->from->lu->block_size - 1)) && !(all & (run->to->lu->block_size - 1));
}

static bool segment_read(
	struct scsi_task *t, const struct cscds *c, unsigned at, struct copy_run *run)
{
	const uint8_t *d = (const uint8_t *)t->buf + at;
	bool bytes = d[0] == BYTES;

	run->from = unit_of(t, c, be16(d + 4));
	run->to = unit_of(t, c, be16(d + 6));
	if (!run->from || !run->to)
		return copy_refused(t, ASC_UNREACHABLE_COPY_TARGET, run->segment), false;
	run->len = length_of(d, run);
	if (run->len > COPY_SEGMENT_MAX)
		return task_bad_list(t, at + (bytes ? 8 : 10), -1), false;
	if (!range_of(run->from->lu, be64(d + 12), bytes ? be16(d + 28) : 0, run->len,
		    &run->from_off) ||
		!range_of(run->to->lu, be64(d + 20), bytes ? be16(d + 30) : 0, run->len,
			&run->to_off))
		return copy_refused(t, ASC_COPY_TARGET_NOT_REACHABLE, run->segment), false;
	if (!whole_blocks(run))
		return copy_refused(t, ASC_UNEXPECTED_INEXACT_SEGMENT, run->segment), false;
	return true;
}

static bool segments_read(
	struct scsi_task *t, const struct header *h, const struct cscds *c, struct copy *copy)
{
	unsigned at = HEADER + h->cscds;

	for (unsigned i = 0; i < copy->n; i++) {
		copy->runs[i].segment = (uint16_t)i;
		if (!segment_read(t, c, at, &copy->runs[i]))
			return false;
		at += segment_len(((const uint8_t *)t->buf)[at]);
	}
	return true;
}

/* --- the command ----------------------------------------------------------------------- */

enum scsi_next copy_lid1_data(struct scsi_task *t)
{
	struct cscds cscds;
	struct copy *copy;
	struct header h;
	unsigned n;

	if (!header_read(t, &h) || !cscds_read(t, &h, &cscds) || !segments_count(t, &h, &n))
		return SCSI_DONE;
	if (h.usage != NO_LIST_ID && copy_id_busy(t, h.id, true))
		return SCSI_DONE;
	copy = copy_create(t, h.id, n);
	if (!copy)
		return SCSI_DONE;
	copy->keep = h.usage == HOLD;
	copy->third = true;
	copy->block_size = 1;
	if (segments_read(t, &h, &cscds, copy))
		return copy_begin(copy, true);
	copy_free(copy);
	return SCSI_DONE;
}

enum scsi_next copy_lid1(struct scsi_task *t)
{
	uint32_t len = be32(t->cdb + 10);

	if (!len)
		return task_good(t);
	if (len > HEADER + COPY_LIST_MAX)
		return task_list_too_short(t);
	return list_wanted(t, len);
}
