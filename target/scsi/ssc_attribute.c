/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * READ ATTRIBUTE and WRITE ATTRIBUTE (SPC-5 6.19, 6.49): the memory in the cartridge. It can be
 * read, too, when the tape has been unloaded and is held.
 */
#include <stdlib.h>

#include "scsi/ssc.h"
#include "vtl/mam.h"

enum { VALUES, LIST, VOLUMES, PARTITIONS, SUPPORTED = 5 };

/* All attributes that there can be: those of a host fill the memory at most. */
#define ATTRIBUTES_MAX (MAM_BYTES_MAX + 4096u)
#define LIST_MAX       65536u

#define READ_ONLY      0x80

static void wr_attribute(struct wr *w, const struct cartridge_attribute *a)
{
	wr_be16(w, a->id);
	wr_u8(w, (uint8_t)((a->read_only ? READ_ONLY : 0) | a->format));
	wr_be16(w, a->len);
	wr_bytes(w, a->value, a->len);
}

/* Each that there is, from the first that is asked for. */
static void wr_attributes(struct wr *w, struct cartridge *c, const struct tape_job *j)
{
	struct cartridge_attribute a;
	uint32_t next = (uint32_t)j->object;

	wr_be32(w, 0);
	while (next <= UINT16_MAX &&
		cartridge_attribute_next(c, j->partition, (uint16_t)next, &a) == CARTRIDGE_OK) {
		if (j->code == VALUES)
			wr_attribute(w, &a);
		else
			wr_be16(w, a.id);
		if (j->code == VALUES && a.id == MAM_CHANGE_REFERENCE)
			cartridge_change_told(c);
		next = a.id + 1u;
	}
	put_be32(w->buf, (uint32_t)(w->len - 4));
}

static void wr_supported(struct wr *w)
{
	const struct mam_row *row;

	wr_be32(w, 0);
	for (uint32_t next = 0; next <= UINT16_MAX; next = row->id + 1u) {
		row = mam_row_from((uint16_t)next);
		if (!row)
			break;
		wr_be16(w, row->id);
	}
	put_be32(w->buf, (uint32_t)(w->len - 4));
}

/* The first and how many there are. */
static void wr_count(struct wr *w, unsigned n)
{
	wr_be16(w, 2);
	wr_u8(w, 0);
	wr_u8(w, (uint8_t)n);
}

/* The cartridge that is held will do. */
static struct cartridge *memory(struct scsi_task *t, const struct tape_job *j)
{
	struct cartridge *c = drive_memory(tape_of(t)->drive);
	struct sense s;

	if (c && tape_same_mount(t, j))
		return c;
	s = lu_absence(t->itl->lu);
	task_check(t, s.key, s.asc);
	return NULL;
}

/* FIRST ATTRIBUTE IDENTIFIER is that of one there is: who asks for it takes the next one for it. */
static bool first_is_there(const struct cartridge *c, const struct tape_job *j)
{
	struct cartridge_attribute a;

	return cartridge_attribute_get(c, j->partition, (uint16_t)j->object, &a) == CARTRIDGE_OK;
}

/* The answer has been opened on the loop. */
static void read_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	struct wr w = wr_of(t->buf, ATTRIBUTES_MAX);

	c = memory(t, j);
	if (!c)
		return;
	if (j->partition >= cartridge_info(c)->partitions) {
		task_bad_cdb(t, 7, -1);
		return;
	}
	if ((j->code == VALUES || j->code == LIST) && !first_is_there(c, j)) {
		task_bad_cdb(t, 8, -1);
		return;
	}
	switch (j->code) {
	case VOLUMES: wr_count(&w, 1); break;
	case PARTITIONS: wr_count(&w, cartridge_info(c)->partitions); break;
	case SUPPORTED: wr_supported(&w); break;
	default: wr_attributes(&w, c, j); break;
	}
	reply_close(t, &w, be32(t->cdb + 10));
}

/* READ ATTRIBUTE (SPC-5 6.19). */
static enum scsi_next read_attribute(struct scsi_task *t)
{
	struct tape_job *j = tape_job(t);
	struct wr w;

	if (!j)
		return SCSI_DONE;
	j->code = t->cdb[1] & 0x1f;
	j->partition = t->cdb[7];
	j->object = be16(t->cdb + 8);
	j->without = true;
	if (j->code > PARTITIONS && j->code != SUPPORTED)
		return task_bad_cdb(t, 1, 4);
	if (t->cdb[5]) /* LOGICAL VOLUME NUMBER */
		return task_bad_cdb(t, 5, -1);
	if (!reply_open(t, &w, ATTRIBUTES_MAX))
		return SCSI_DONE;
	return tape_submit(t, read_run);
}

/* --- WRITE ATTRIBUTE ------------------------------------------------------------------------ */

/* One attribute of the list under the cursor. False: the list is at its end, or is no list. */
static bool next_attribute(struct rd *r, struct cartridge_attribute *a, const uint8_t **value)
{
	if (!r->left)
		return false;
	a->id = rd_be16(r);
	a->format = rd_u8(r) & 0x03;
	a->len = rd_be16(r);
	*value = rd_bytes(r, a->len);
	return rd_ok(r);
}

/* Nothing is changed where something in the list is wrong. Byte where that begins, or 0. */
static unsigned first_fault(struct rd r, size_t len)
{
	struct cartridge_attribute a;
	const uint8_t *value;
	unsigned at = (unsigned)(len - r.left);

	for (; next_attribute(&r, &a, &value); at = (unsigned)(len - r.left)) {
		const struct mam_row *row = mam_row(a.id);

		if (!mam_of_host(a.id) || !row || (a.len && !mam_fits(a.id, a.format, a.len)))
			return at;
	}
	return 0;
}

static bool set(struct scsi_task *t, struct cartridge *c, unsigned partition, unsigned at,
	const struct cartridge_attribute *a, const uint8_t *value)
{
	switch (cartridge_attribute_set(c, partition, a->id, a->format, value, a->len)) {
	case CARTRIDGE_OK: return true;
	case CARTRIDGE_FULL:
		task_check(t, SENSE_ILLEGAL_REQUEST, ASC_AUXILIARY_MEMORY_FULL);
		return false;
	default: task_bad_list(t, at, -1); return false;
	}
}

/* All of them, durably. False: the task has its status. */
static bool set_each(struct scsi_task *t, struct tape_job *j, struct cartridge *c, struct rd r)
{
	struct cartridge_attribute a;
	const uint8_t *value;
	unsigned at = 4;
	enum cartridge_result res;

	for (; next_attribute(&r, &a, &value); at = (unsigned)(t->got - r.left))
		if (!set(t, c, j->partition, at, &a, value))
			return false;
	res = cartridge_attributes_save(c);
	tape_failed(t, res, true);
	return res == CARTRIDGE_OK;
}

/* All of them or none. */
static void set_all(struct scsi_task *t, struct tape_job *j, struct cartridge *c, struct rd r)
{
	struct mam *before = cartridge_attributes_copy(c);

	if (!before)
		task_status(t, SCSI_BUSY);
	else if (!set_each(t, j, c, r))
		cartridge_attributes_restore(c, before);
	free(before);
}

static void write_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	struct rd r = list_cursor(t), check;
	struct cartridge_attribute a;
	const uint8_t *value;
	unsigned fault;

	c = memory(t, j);
	if (!c)
		return;
	if (j->partition >= cartridge_info(c)->partitions) {
		task_bad_cdb(t, 7, -1);
		return;
	}
	rd_be32(&r); /* PARAMETER DATA LENGTH: as long as the list is */
	check = r;
	while (next_attribute(&check, &a, &value))
		;
	if (!rd_ok(&check)) {
		task_list_too_short(t);
		return;
	}
	fault = first_fault(r, t->got);
	if (fault)
		task_bad_list(t, fault, -1);
	else
		set_all(t, j, c, r);
}

static enum scsi_next write_data(struct scsi_task *t)
{
	return tape_submit(t, write_run);
}

/* WRITE ATTRIBUTE (SPC-5 6.49): durable with its status, whatever WTC says. */
static enum scsi_next write_attribute(struct scsi_task *t)
{
	struct tape_job *j = tape_job(t);
	uint32_t len = be32(t->cdb + 10);

	if (!j)
		return SCSI_DONE;
	j->partition = t->cdb[7];
	j->without = true;
	if (t->cdb[5])
		return task_bad_cdb(t, 5, -1);
	if (!len)
		return task_good(t);
	if (len > LIST_MAX)
		return task_bad_cdb(t, 10, -1);
	return list_wanted(t, len);
}

// clang-format off
const struct scsi_op ssc_attribute_ops[] = {
	{ 0x8c, NO_SERVICE, .name = "READ ATTRIBUTE", .start = read_attribute,
	  .cancel = tape_cancel, .stops = STOPS_LOOK,
	  .usage = { 0x8c, 0x1f, 0, 0, 0, 0xff, 0, 0xff, FF2, FF4, 0x01, 0x04 } },
	{ 0x8d, NO_SERVICE, .name = "WRITE ATTRIBUTE", .start = write_attribute,
	  .data = write_data, .cancel = tape_cancel, .stops = STOPS_CHANGE,
	  .usage = { 0x8d, 0x01, 0, 0, 0, 0xff, 0, 0xff, 0, 0, FF4, 0, 0x04 } },
	{ .name = NULL },
};
// clang-format on
