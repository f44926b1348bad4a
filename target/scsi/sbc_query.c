/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a host may ask about blocks, or recommend, without transferring them: READ CAPACITY,
 * PRE-FETCH, READ DEFECT DATA, GET LBA STATUS.
 */
#include <stdlib.h>

#include "base/list.h"
#include "base/work.h"
#include "scsi/op.h"
#include "scsi/sbc.h"

/* --- READ CAPACITY ------------------------------------------------------------------- */

/* READ CAPACITY(10) (SBC-4 5.22). */
static enum scsi_next read_capacity10(struct scsi_task *t)
{
	const struct lu *lu = t->itl->lu;
	uint64_t last = lu_blocks(lu) - 1;
	uint8_t data[8];

	put_be32(data, last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
	put_be32(data + 4, lu->block_size);
	return reply_bytes(t, data, sizeof(data), sizeof(data));
}

/* READ CAPACITY(16) (SBC-4 5.23). Unmapped blocks read as zeros: LBPRZ. */
static enum scsi_next read_capacity16(struct scsi_task *t)
{
	const struct lu *lu = t->itl->lu;
	uint8_t data[32] = { 0 };

	put_be64(data, lu_blocks(lu) - 1);
	put_be32(data + 8, lu->block_size);
	data[13] = (uint8_t)lu->physical_exponent;
	if (lu->has & LU_THIN)
		data[14] = 0x80 | 0x40;
	return reply_bytes(t, data, sizeof(data), be32(t->cdb + 10));
}

/* --- PRE-FETCH (SBC-4 5.15, 5.16) ------------------------------------------------------ */

/* The cache is the system's; it reads ahead by itself, and the hint has no effect. */
static enum scsi_next prefetch(struct scsi_task *t)
{
	if (!sbc_in_range(t->itl->lu, cdb_lba(t->cdb), cdb_blocks(t->cdb)))
		return task_lba_out_of_range(t);
	return task_good(t);
}

/* --- READ DEFECT DATA (SBC-4 5.24, 5.25) ----------------------------------------------- */

/* There are no defects, in whichever list and format. */
static enum scsi_next read_defects10(struct scsi_task *t)
{
	uint8_t data[4] = { 0, t->cdb[2] & 0x1f };

	return reply_bytes(t, data, sizeof(data), be16(t->cdb + 7));
}

static enum scsi_next read_defects12(struct scsi_task *t)
{
	uint8_t data[8] = { 0, t->cdb[1] & 0x1f };

	return reply_bytes(t, data, sizeof(data), be32(t->cdb + 6));
}

/* --- GET LBA STATUS (SBC-4 5.7) -------------------------------------------------------- */

#define EXTENTS_MAX 256u
#define LOOKS_MAX   4096u /* questions to the store for one command */

enum { MAPPED = 0, DEALLOCATED = 1 };

struct extent {
	uint64_t lba, blocks;
	bool mapped;
};

/* The question on its way through a thread that may block. */
struct status {
	struct work work;
	struct scsi_task *task;
	uint64_t off, end;
	unsigned want, n;
	int err;
	struct extent e[EXTENTS_MAX];
};

/* Adds a stretch, to the one before it if that is alike. False: there are enough. */
static bool add_extent(struct status *s, uint64_t lba, uint64_t blocks, bool mapped)
{
	struct extent *last = s->n ? &s->e[s->n - 1] : NULL;

	if (last && last->mapped == mapped && last->blocks + blocks <= UINT32_MAX) {
		last->blocks += blocks;
		return true;
	}
	if (s->n == s->want)
		return false;
	s->e[s->n++] = (struct extent){ lba, blocks, mapped };
	return true;
}

/* The length of a stretch in whole blocks, of which a descriptor can tell 2^32 - 1: a block of which a
 * part is mapped is mapped. */
static uint64_t whole_blocks(const struct lu *lu, uint64_t len, bool *mapped)
{
	uint64_t mask = lu->block_size - 1, blocks;

	*mapped = *mapped || len <= mask;
	blocks = (*mapped ? len + mask : len) >> lu->block_shift;
	return blocks < UINT32_MAX ? blocks : UINT32_MAX;
}

/* Any thread, or in place. */
static void look(struct status *s)
{
	const struct lu *lu = s->task->itl->lu;

	for (unsigned i = 0; i < LOOKS_MAX && s->off < s->end; i++) {
		uint64_t len = 0, lba = s->off >> lu->block_shift, blocks;
		bool mapped = true;

		s->err = store_extent(lu->store, s->off, &len, &mapped);
		if (s->err)
			return;
		blocks = whole_blocks(lu, len, &mapped);
		if (blocks > (s->end - s->off) >> lu->block_shift)
			blocks = (s->end - s->off) >> lu->block_shift;
		if (!add_extent(s, lba, blocks, mapped))
			break;
		s->off += sbc_bytes(lu, blocks);
	}
}

static void look_in_thread(struct work *w)
{
	look(container_of(w, struct status, work));
}

static enum scsi_next tell(struct scsi_task *t, int err)
{
	const struct status *s = t->more;
	struct wr w;

	if (err || s->err)
		return task_store_error(t, err ? err : s->err);
	if (!reply_open(t, &w, 8 + EXTENTS_MAX * 16))
		return SCSI_DONE;
	wr_be32(&w, 4 + s->n * 16);
	wr_be32(&w, 0);
	for (unsigned i = 0; i < s->n; i++) {
		wr_be64(&w, s->e[i].lba);
		wr_be32(&w, (uint32_t)s->e[i].blocks);
		wr_u8(&w, s->e[i].mapped ? MAPPED : DEALLOCATED);
		wr_zero(&w, 3);
	}
	return reply_close(t, &w, be32(t->cdb + 10));
}

static void looked(struct work *w)
{
	task_go_on(container_of(w, struct status, work)->task, 0);
}

/* As many descriptors as are asked for, one at least. */
static unsigned descriptors(uint32_t alloc)
{
	unsigned n = alloc < 24 ? 1 : (alloc - 8) / 16;

	return n < EXTENTS_MAX ? n : EXTENTS_MAX;
}

static enum scsi_next get_lba_status(struct scsi_task *t)
{
	struct lu *lu = t->itl->lu;
	uint64_t lba = be64(t->cdb + 2);
	struct status *s;

	if (!sbc_in_range(lu, lba, 1))
		return task_lba_out_of_range(t);
	s = t->more = calloc(1, sizeof(*s));
	if (!s)
		return task_status(t, SCSI_BUSY);
	s->task = t;
	s->off = sbc_bytes(lu, lba);
	s->end = sbc_bytes(lu, lu_blocks(lu));
	s->want = descriptors(be32(t->cdb + 10));
	if (!lu->pool) {
		look(s);
		return tell(t, 0);
	}
	s->work = (struct work){
		.run = look_in_thread, .done = looked, .home = t->nexus->loop, .lane = &lu->lane
	};
	t->then = tell;
	t->busy = true;
	work_submit(lu->pool, &s->work);
	return SCSI_PENDING;
}

// clang-format off
const struct scsi_op sbc_query_ops[] = {
	{ 0x25, NO_SERVICE, .name = "READ CAPACITY(10)", .start = read_capacity10,
	  .stops = STOPS_UA | STOPS_READY, .usage = { 0x25, [9] = 0x04 } },
	{ 0x34, NO_SERVICE, .name = "PRE-FETCH(10)", .start = prefetch, .stops = STOPS_READ,
	  .usage = { 0x34, 0x02, FF4, 0, FF2, 0x04 } },
	{ 0x37, NO_SERVICE, .name = "READ DEFECT DATA(10)", .start = read_defects10,
	  .stops = STOPS_READ, .usage = { 0x37, 0, 0x1f, 0, 0, 0, 0, FF2, 0x04 } },
	{ 0x90, NO_SERVICE, .name = "PRE-FETCH(16)", .start = prefetch, .stops = STOPS_READ,
	  .usage = { 0x90, 0x02, FF4, FF4, FF4, 0, 0x04 } },
	{ 0x9e, 0x10, .name = "READ CAPACITY(16)", .start = read_capacity16,
	  .stops = STOPS_UA | STOPS_READY, .usage = { 0x9e, 0x10, [10] = FF4, 0, 0x04 } },
	{ 0x9e, 0x12, .name = "GET LBA STATUS", .start = get_lba_status, .stops = STOPS_READ,
	  .usage = { 0x9e, 0x12, FF4, FF4, FF4, 0, 0x04 } },
	{ 0xb7, NO_SERVICE, .name = "READ DEFECT DATA(12)", .start = read_defects12,
	  .stops = STOPS_READ, .usage = { 0xb7, 0x1f, 0, 0, 0, 0, FF4, 0, 0x04 } },
	{ .name = NULL },
};

// clang-format on
