/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk without a transport: a RAM store (plain, or behind the fault store, which has no
 * store_map() and may end requests late), two nexuses on one loop, and commands that are run to
 * their end.
 */
#ifndef TESTS_SCSI_SUPPORT_H
#define TESTS_SCSI_SUPPORT_H

#include <stdlib.h>
#include <string.h>

#include "scsi/lu.h"
#include "scsi_result.h"
#include "store/store.h"
#include "tests/fault.h"

#define RIG_NEXUSES 2

struct rig {
	struct loop *loop;
	struct bufs *bufs;
	struct store *store; /* the unit's; what fault_set() takes where there is one */
	struct lu *lu;
	struct lun_map *map;
	struct nexus nexus[RIG_NEXUSES];
	bool lu_gone;
};

struct rig_cfg {
	uint32_t block_size; /* 0: 512 */
	uint32_t physical;   /* 0: block_size */
	uint64_t blocks;     /* 0: 4096 */
	bool faulty;         /* behind the fault store */
	bool thick, removable, read_only, write_through, long_cdbs;
	bool short_naa; /* NAA 3h: 8 bytes */
	struct lu_keeper *keeper;
	const struct lu_reservation *kept;
	struct lu_mode_keeper *mode_keeper;
	const struct lu_saved *saved;
	struct lu_wipe_keeper *wipe_keeper;
	enum lu_wiped wiped;
	struct work_pool *pool;
	struct store *store; /* given away; NULL: one as said above */
};

static uint8_t rig_in[16 << 20]; /* the last command's Data-In */

static void rig_abort_tasks(struct nexus *n, struct lu_abort *a)
{
	(void)n;
	lu_abort_done(a);
}

static const struct nexus_ops rig_ops = { .abort_tasks = rig_abort_tasks };

static void rig_lu_gone(void *arg)
{
	((struct rig *)arg)->lu_gone = true;
}

static void rig_nexus_open(struct rig *r, unsigned i)
{
	static const char *const names[RIG_NEXUSES] = { "iqn.2026-11.com.example:host1",
		"iqn.2026-11.com.example:host2" };

	r->nexus[i] = (struct nexus){ .loop = r->loop,
		.bufs = r->bufs,
		.ops = &rig_ops,
		.initiator = names[i],
		.isid = { 0, 2, 0x3d, 0, 0, (uint8_t)i },
		.target = "iqn.2026-11.com.example:disk",
		.tpgt = 1,
		.rel_port = 1 };
	assert_int_equal(nexus_open(&r->nexus[i], r->map), 0);
}

static inline void rig_nexus_closed(struct nexus *n)
{
	n->initiator = NULL;
}

static inline void rig_nexus_close(struct rig *r, unsigned i)
{
	nexus_close(&r->nexus[i], rig_nexus_closed);
	assert_null(r->nexus[i].initiator);
}

static struct store *rig_store(const struct rig_cfg *cfg)
{
	uint32_t bs = cfg->block_size ? cfg->block_size : 512;
	struct store_cfg sc = {
		.kind = "ram", .size = (cfg->blocks ? cfg->blocks : 4096) * bs, .block_size = bs
	};
	struct store_error why;
	struct store *st, *out;

	assert_int_equal(store_open(&sc, &st, &why), 0);
	if (!cfg->faulty)
		return st;
	assert_int_equal(fault_wrap(st, &out), 0);
	return out;
}

/* LUN 0 is the disk. Both nexuses are open; their first unit attention is still to come. */
static struct rig *rig_create_quietly(struct rig_cfg cfg)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct disk_cfg dc = { .block_size = cfg.block_size ? cfg.block_size : 512,
		.physical_block_size = cfg.physical,
		.thin = !cfg.thick,
		.removable = cfg.removable,
		.read_only = cfg.read_only,
		.naa = { 0x60, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
		.gone = rig_lu_gone,
		.arg = r };
	struct lun_entry e = { .lun = 0 };

	assert_non_null(r);
	dc.write_through = cfg.write_through;
	dc.long_cdbs = cfg.long_cdbs;
	dc.keeper = cfg.keeper;
	dc.kept = cfg.kept;
	dc.mode_keeper = cfg.mode_keeper;
	dc.saved = cfg.saved;
	dc.wipe_keeper = cfg.wipe_keeper;
	dc.wiped = cfg.wiped;
	dc.pool = cfg.pool;
	if (cfg.short_naa) {
		dc.naa[0] = 0x30;
		memset(dc.naa + 8, 0, 8);
	}
	assert_int_equal(loop_create(0, &r->loop), 0);
	assert_int_equal(bufs_create(r->loop, 1 << 20, &r->bufs), 0);
	dc.store = r->store = cfg.store ? cfg.store : rig_store(&cfg);
	assert_int_equal(disk_create(&dc, &r->lu), 0);
	e.lu = r->lu;
	assert_int_equal(lun_map_create(&e, 1, &r->map), 0);
	for (unsigned i = 0; i < RIG_NEXUSES; i++)
		rig_nexus_open(r, i);
	return r;
}

static inline void rig_free(struct rig *r)
{
	for (unsigned i = 0; i < RIG_NEXUSES; i++)
		if (r->nexus[i].initiator)
			rig_nexus_close(r, i);
	lun_map_unref(r->map);
	lu_unref(r->lu);
	assert_true(r->lu_gone);
	assert_int_equal(bufs_in_use(r->bufs), 0);
	bufs_free(r->bufs);
	loop_free(r->loop);
	free(r);
}

/* For cmocka: *state is a rig. */
static inline int rig_teardown(void **state)
{
	rig_free(*state);
	return 0;
}

/* --- commands ------------------------------------------------------------------------ */

static void rig_done(struct scsi_task *t)
{
	t->done = NULL; /* seen by rig_wait() */
}

static void rig_wait(struct scsi_task *t)
{
	while (t->done)
		loop_step(t->nexus->loop);
}

/* A task as a transport would hand it in; whatever is not filled is rubbish. */
static void rig_task(struct scsi_task *t, struct nexus *n, uint64_t lun, const uint8_t *cdb,
	size_t len, unsigned dir, uint32_t expect)
{
	memset(t, 0xa5, sizeof(*t));
	t->nexus = n;
	t->done = rig_done;
	t->lun = lun;
	memset(t->cdb, 0, sizeof(t->cdb));
	memcpy(t->cdb, cdb, len);
	t->cdb_len = (uint8_t)len;
	t->attr = TASK_SIMPLE;
	t->dir = (uint8_t)dir;
	t->expect = expect;
}

static uint32_t rig_sg_len(const struct sg *sg)
{
	size_t n = 0;

	for (int i = 0; i < sg->cnt; i++)
		n += sg->iov[i].iov_len;
	return (uint32_t)n;
}

/* Puts the initiator's data where the task wants them. */
static inline uint32_t rig_put(struct scsi_task *t, const uint8_t *data)
{
	uint32_t want = t->expect < t->out.len ? t->expect : t->out.len, at = 0;

	if (t->out_unit)
		assert_int_equal(want % t->out_unit, 0);
	assert_true(rig_sg_len(&t->out) >= want);
	for (int i = 0; i < t->out.cnt && at < want; i++) {
		size_t n = t->out.iov[i].iov_len;

		n = n < want - at ? n : want - at;
		memcpy(t->out.iov[i].iov_base, data + at, n);
		at += (uint32_t)n;
	}
	return at;
}

static inline uint32_t rig_get(const struct scsi_task *t)
{
	uint32_t want = t->expect < t->in.len ? t->expect : t->in.len, at = 0;

	assert_true(rig_sg_len(&t->in) >= want);
	for (int i = 0; i < t->in.cnt && at < want; i++) {
		size_t n = t->in.iov[i].iov_len;

		n = n < want - at ? n : want - at;
		memcpy(rig_in + at, t->in.iov[i].iov_base, n);
		at += (uint32_t)n;
	}
	return at;
}

/* Runs a task that has been set up, to its end. */
static inline struct result rig_finish(struct scsi_task *t, const void *data)
{
	struct result res = { .first = scsi_task_start(t) };
	enum scsi_next next = res.first;

	if (next == SCSI_WANT_DATA)
		next = scsi_task_data(t, rig_put(t, data));
	if (next == SCSI_PENDING)
		rig_wait(t);
	else
		assert_int_equal(next, SCSI_DONE);
	res.status = t->status;
	res.in_live = t->in_live;
	res.out_unit = t->out_unit;
	res.in_len = t->in.len;
	res.out_len = t->out.len;
	if (t->status == SCSI_CHECK_CONDITION)
		res.sense = t->sense;
	res.in = rig_in;
	res.in_got = rig_get(t);
	scsi_task_release(t);
	return res;
}

static inline struct result rig_run(struct nexus *n, uint64_t lun, const uint8_t *cdb, size_t len,
	const void *data, uint32_t expect)
{
	struct scsi_task t;

	rig_task(&t, n, lun, cdb, len, data ? SCSI_DIR_OUT : expect ? SCSI_DIR_IN : 0, expect);
	return rig_finish(&t, data);
}

/* A CDB on the page: RUN(r, 0, NULL, 0, 0x00, 0, 0, 0, 0, 0) runs TEST UNIT READY through nexus 0;
 * data that are not NULL go out, else up to `expect` bytes come in. */
#define RUN(r, i, out, expect, ...) \
	rig_run(&(r)->nexus[i], 0, (const uint8_t[]){ __VA_ARGS__ }, \
		sizeof((const uint8_t[]){ __VA_ARGS__ }), out, expect)

#define BE2(v)          (uint8_t)((v) >> 8), (uint8_t)(v)
#define BE4(v)          BE2((uint32_t)(v) >> 16), BE2((uint32_t)(v))
#define BE8(v)          BE4((uint64_t)(v) >> 32), BE4((uint64_t)(v))

#define TUR             0x00, 0, 0, 0, 0, 0
#define READ10(lba, n)  0x28, 0, BE4(lba), 0, BE2(n), 0
#define WRITE10(lba, n) 0x2a, 0, BE4(lba), 0, BE2(n), 0
#define READ16(lba, n)  0x88, 0, BE8(lba), BE4(n), 0, 0
#define WRITE16(lba, n) 0x8a, 0, BE8(lba), BE4(n), 0, 0

/* As above, with the attentions of the first contact told. */
static inline struct rig *rig_create(struct rig_cfg cfg)
{
	struct rig *r = rig_create_quietly(cfg);

	for (unsigned i = 0; i < RIG_NEXUSES; i++)
		assert_check(RUN(r, i, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2900);
	return r;
}

/* Blocks that differ from each other and from zeros. */
static inline void rig_fill(uint8_t *p, size_t len, uint8_t seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(seed + i + i / 512 * 7);
}

/* A test twice: where the store is memory, which *state says by NULL, and where it is not. */
#define BOTH_STORES(f) \
	{ #f " (mapped)", f, NULL, NULL, NULL }, \
	{ \
#f " (buffered)", f, NULL, NULL, (void *)1 \
	}

#endif
