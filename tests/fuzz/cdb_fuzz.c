/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any CDBs with any data, one after the other, at two disks: one whose store is memory, one whose
 * store only takes requests. Each input is a list of commands:
 *
 *   flags (bit 0: which disk, 1: which nexus, 2 and 3: direction, 4: a LUN that is not there,
 *          5: abort while it waits, 6 and 7: task attribute)
 *   expected length / 64, length of the data that follow, 2 bytes each, big-endian
 *   CDB, 16 bytes
 *   the rest of the CDB, another 16 bytes, if it is one of variable length
 *   data
 *
 * Where WRITE USING TOKEN has a token that begins with a T, it shows the token that was told last:
 * no input could guess one.
 *
 * Reservations are kept by somebody who answers late, and at times that he cannot. At the end a unit
 * made from what is kept must tell the same of its registrants as the one that there was.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/fault.h"
#include "tests/fuzz/host.h"

#define DISKS   2
#define NEXUSES 2
#define BLOCKS  256

#define KEPT_MAX 64

/* What is kept of a disk's reservations. */
struct note {
	struct lu_reservation r;
	struct lu_registrant regs[KEPT_MAX];
	char names[KEPT_MAX][256];
	bool off; /* something could not be kept: it is not what the unit has */
};

struct world {
	struct lu_keeper keeper;
	struct lu_mode_keeper mode_keeper;
	struct lu_wipe_keeper wipe_keeper;
	unsigned asked; /* how often */
	struct note note[DISKS];
	struct loop *loop;
	struct bufs *bufs;
	struct lu *lu[DISKS];
	struct lun_map *map;
	struct nexus nexus[NEXUSES];
	unsigned gone; /* disks */
	uint8_t token[512];
};

static void gone(void *arg)
{
	((struct world *)arg)->gone++;
}

/* --- who keeps reservations ----------------------------------------------------------------- */

static void write_down(struct note *n, const struct lu_reservation *r)
{
	n->r = *r;
	n->r.registrants = n->regs;
	for (unsigned i = 0; i < r->n; i++) {
		n->regs[i] = r->registrants[i];
		n->regs[i].initiator = n->names[i];
		strncpy(n->names[i], r->registrants[i].initiator, sizeof(n->names[i]) - 1);
	}
}

static void say_so(struct loop_msg *m)
{
	struct lu_keep *k = container_of(m, struct lu_keep, msg);

	k->done(k, k->err);
}

static void keep(struct lu_keeper *kr, struct lu_keep *k, const uint8_t naa[16],
	const struct lu_reservation *r)
{
	struct world *w = container_of(kr, struct world, keeper);
	struct note *n = &w->note[naa[15]];

	k->err = ++w->asked % 16 == 0 || r->n > KEPT_MAX ? -EIO : 0;
	n->off |= k->err;
	if (!k->err)
		write_down(n, r);
	k->msg.run = say_so;
	loop_post(k->loop, &k->msg);
}

static void keep_modes(struct lu_mode_keeper *kr, struct lu_keep *k, const uint8_t naa[16],
	const struct lu_saved *s)
{
	struct world *w = container_of(kr, struct world, mode_keeper);

	assert(naa[15] < DISKS && s->n <= LU_SAVED_PAGES);
	for (unsigned i = 0; i < s->n; i++)
		assert(s->pages[i].len > 2 && s->pages[i].len <= LU_MODE_PAGE_SIZE);
	k->err = ++w->asked % 16 == 0 ? -EIO : 0;
	k->msg.run = say_so;
	loop_post(k->loop, &k->msg);
}

static void keep_wipe(struct lu_wipe_keeper *kr, struct lu_keep *k, const uint8_t naa[static 16],
	uint64_t medium, enum lu_wiped is)
{
	struct world *w = container_of(kr, struct world, wipe_keeper);

	assert(naa[15] < DISKS && !medium && is <= LU_FORMAT_FAILED);
	k->err = ++w->asked % 16 == 0 ? -EIO : 0;
	k->msg.run = say_so;
	loop_post(k->loop, &k->msg);
}

/* --- disks and those who reach them --------------------------------------------------------- */

static struct lu *disk(struct world *w, uint8_t i, const struct lu_reservation *kept)
{
	struct store_cfg sc = { .kind = "ram", .size = BLOCKS * 512, .block_size = 512 };
	struct disk_cfg dc = { .block_size = 512,
		.thin = true,
		.removable = true,
		.long_cdbs = true,
		.naa = { 0x60, [15] = i },
		.keeper = &w->keeper,
		.mode_keeper = &w->mode_keeper,
		.wipe_keeper = &w->wipe_keeper,
		.kept = kept,
		.gone = gone,
		.arg = w };
	struct store_error why;
	struct store *st;
	struct lu *lu;

	must(store_open(&sc, &st, &why));
	dc.store = st;
	if (i)
		must(fault_wrap(st, &dc.store));
	must(disk_create(&dc, &lu));
	return lu;
}

static void world_open(struct world *w)
{
	struct lun_entry e[DISKS];

	memset(w, 0, sizeof(*w));
	w->keeper.keep = keep;
	w->mode_keeper.keep = keep_modes;
	w->wipe_keeper.keep = keep_wipe;
	must(loop_create(0, &w->loop));
	must(bufs_create(NULL, 1 << 20, &w->bufs));
	for (uint32_t i = 0; i < DISKS; i++) {
		w->lu[i] = disk(w, (uint8_t)i, NULL);
		e[i] = (struct lun_entry){ i, w->lu[i] };
	}
	must(lun_map_create(e, DISKS, &w->map));
	for (unsigned i = 0; i < NEXUSES; i++)
		host_open(&w->nexus[i], i, (uint16_t)(1 + i), w->loop, w->bufs, w->map);
}

static void world_close(struct world *w)
{
	for (unsigned i = 0; i < NEXUSES; i++)
		host_close(&w->nexus[i]);
	lun_map_unref(w->map);
	for (unsigned i = 0; i < DISKS; i++)
		lu_unref(w->lu[i]);
	while (w->gone < DISKS) /* one that is being wiped takes a moment */
		loop_step(w->loop);
	bufs_free(w->bufs);
	loop_free(w->loop);
}

static void note_token(struct world *w, const struct scsi_task *t)
{
	if (t->cdb[0] == 0x84 && t->cdb[1] == 0x07 && t->in.cnt && t->in.iov[0].iov_len >= 38 + 512)
		memcpy(w->token, (const uint8_t *)t->in.iov[0].iov_base + 38, 512);
}

static void show_token(const struct world *w, const struct scsi_task *t, uint32_t got)
{
	uint8_t *list;

	if (t->cdb[0] != 0x83 || t->cdb[1] != 0x11 || got < 16 + 512)
		return;
	list = t->out.iov[0].iov_base;
	if (list[16] == 'T')
		memcpy(list + 16, w->token, 512);
}

#define VARIABLE_CDB 0x7f

static void one(struct world *w, const uint8_t head[static 21], const uint8_t *rest,
	const uint8_t *data, uint32_t len)
{
	struct scsi_task t;
	enum scsi_next next;

	memset(&t, 0xa5, sizeof(t));
	t.nexus = &w->nexus[head[0] >> 1 & 1];
	t.done = host_done;
	t.lun = (uint64_t)(head[0] & 0x10 ? 9 : head[0] & 1) << 48;
	memset(t.cdb, 0, sizeof(t.cdb));
	memcpy(t.cdb, head + 5, 16);
	if (rest)
		memcpy(t.cdb + 16, rest, 16);
	t.cdb_len = rest ? 32 : 16;
	t.attr = head[0] >> 6;
	t.dir = head[0] >> 2 & 3;
	t.expect = (uint32_t)be16(head + 1) * 64;
	next = scsi_task_start(&t);
	if (next == SCSI_WANT_DATA && head[0] & 0x20) {
		if (!scsi_task_abort(&t))
			abort();
		next = SCSI_DONE;
		t.status = SCSI_TASK_ABORTED;
		t.in.len = 0;
	}
	if (next == SCSI_WANT_DATA) {
		uint32_t got = host_give(&t, data, len);

		show_token(w, &t, got);
		next = scsi_task_data(&t, got);
	}
	host_take(&t, next);
	if (t.status == SCSI_CHECK_CONDITION)
		scsi_task_failed(&t);
	note_token(w, &t);
	scsi_task_release(&t);
}

/* --- what is kept --------------------------------------------------------------------------- */

/* PERSISTENT RESERVE IN through a nexus; how much it gave, 0: somebody has RESERVEd the unit. */
static uint32_t reserve_in(struct nexus *n, unsigned lun, uint8_t action, uint8_t out[static 8192])
{
	uint32_t len = 0;
	struct scsi_task t;

	do {
		memset(&t, 0, sizeof(t));
		t.nexus = n;
		t.done = host_done;
		t.lun = (uint64_t)lun << 48;
		memcpy(t.cdb, (const uint8_t[]){ 0x5e, action, 0, 0, 0, 0, 0, 0x20, 0, 0 }, 10);
		t.cdb_len = 10;
		t.dir = SCSI_DIR_IN;
		t.expect = 8192;
		if (scsi_task_start(&t) != SCSI_DONE)
			abort();
		len = t.status == SCSI_GOOD ? t.in.len : 0;
		if (len)
			memcpy(out, t.in.iov[0].iov_base, len);
		scsi_task_release(&t);
	} while (t.status == SCSI_CHECK_CONDITION); /* unit attentions */
	return len;
}

/* A unit that begins with what is kept has what the unit has that was kept. */
static void look_at_kept(struct world *w, unsigned i)
{
	static uint8_t is[8192], kept[8192];
	const struct note *note = &w->note[i];
	struct nexus n = w->nexus[0];
	struct lun_entry e = { 0, NULL };
	struct lun_map *map;
	uint32_t len;

	if (note->off || !reserve_in(&w->nexus[0], i, 2, is) || !(is[3] & 1))
		return;
	len = reserve_in(&w->nexus[0], i, 3, is);
	e.lu = disk(w, (uint8_t)i, &note->r);
	must(lun_map_create(&e, 1, &map));
	must(nexus_open(&n, map));
	if (reserve_in(&n, 0, 3, kept) != len || memcmp(is, kept, len) != 0)
		abort();
	host_close(&n);
	lun_map_unref(map);
	lu_unref(e.lu);
	w->gone--;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_of(data, size);
	struct world w;

	world_open(&w);
	while (r.left >= 21) {
		const uint8_t *head = rd_bytes(&r, 21);
		const uint8_t *rest = head[5] == VARIABLE_CDB ? rd_bytes(&r, 16) : NULL;
		uint32_t len = less(be16(head + 3), (uint32_t)r.left);

		one(&w, head, rest, rd_bytes(&r, len), len);
	}
	for (unsigned i = 0; i < DISKS; i++)
		look_at_kept(&w, i);
	world_close(&w);
	return 0;
}
