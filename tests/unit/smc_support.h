/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A media changer without a transport: the unit over the library of library_support.h, and nexuses
 * on its loop.
 */
#ifndef TESTS_SMC_SUPPORT_H
#define TESTS_SMC_SUPPORT_H

#include "library_support.h"
#include "scsi/lu.h"
#include "scsi_result.h"

#define SMC_HOSTS 2

struct smc {
	struct shop *shop; /* first: shop_…() of tests that have a struct smc */
	struct bufs *bufs;
	struct lu *lu;
	struct lun_map *map;
	struct nexus host[SMC_HOSTS];
	bool gone;
};

static inline void smc_abort_tasks(struct nexus *n, struct lu_abort *a)
{
	(void)n;
	lu_abort_done(a);
}

static const struct nexus_ops smc_nexus_ops = { .abort_tasks = smc_abort_tasks };

static inline void smc_gone(void *arg)
{
	*(bool *)arg = true;
}

static inline void smc_nexus(
	struct nexus *n, struct loop *loop, struct bufs *bufs, struct lun_map *map, unsigned i)
{
	static const char *const names[] = { "iqn.2026-11.com.example:host1",
		"iqn.2026-11.com.example:host2", "iqn.2026-11.com.example:host3",
		"iqn.2026-11.com.example:host4", "iqn.2026-11.com.example:host5",
		"iqn.2026-11.com.example:host6", "iqn.2026-11.com.example:host7",
		"iqn.2026-11.com.example:host8" };

	*n = (struct nexus){ .loop = loop,
		.bufs = bufs,
		.ops = &smc_nexus_ops,
		.initiator = names[i],
		.isid = { 0, 2, 0x3d, 0, 0, (uint8_t)i },
		.target = "iqn.2026-11.com.example:vtl0-mediachanger",
		.tpgt = 1,
		.rel_port = 1 };
	assert_int_equal(nexus_open(n, map), 0);
}

static inline void smc_open(struct smc *m, struct changer_cfg cfg)
{
	struct lun_entry e = { .lun = 0 };

	cfg.library = m->shop->l;
	cfg.gone = smc_gone;
	cfg.arg = &m->gone;
	assert_int_equal(changer_create(&cfg, &m->lu), 0);
	e.lu = m->lu;
	assert_int_equal(lun_map_create(&e, 1, &m->map), 0);
	for (unsigned i = 0; i < SMC_HOSTS; i++)
		smc_nexus(&m->host[i], m->shop->rig.loop, m->bufs, m->map, i);
}

static inline void smc_nexus_closed(struct nexus *n)
{
	n->initiator = NULL;
}

static inline void smc_close(struct smc *m)
{
	for (unsigned i = 0; i < SMC_HOSTS; i++) {
		nexus_close(&m->host[i], smc_nexus_closed);
		while (m->host[i].initiator)
			loop_step(m->shop->rig.loop);
	}
	lun_map_unref(m->map);
	lu_unref(m->lu);
	assert_true(m->gone);
	m->gone = false;
}

static const struct changer_cfg smc_cfg = {
	.serial = "LIB0001",
	.naa = { 0x60, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
};

static inline int smc_begin_quietly(void **state)
{
	struct smc *m = calloc(1, sizeof(*m));

	if (!m || shop_begin((void **)&m->shop) ||
		bufs_create(m->shop->rig.loop, 1 << 20, &m->bufs))
		return -1;
	smc_open(m, smc_cfg);
	*state = m;
	return 0;
}

static inline int smc_end(void **state)
{
	struct smc *m = *state;
	void *shop = m->shop;

	smc_close(m);
	assert_int_equal(bufs_in_use(m->bufs), 0);
	bufs_free(m->bufs);
	free(m);
	return shop_end(&shop);
}

/* Another shape of the library: the cfg of the shop has been changed. */
static inline void smc_restart(struct smc *m)
{
	smc_close(m);
	shop_restart(m->shop);
	smc_open(m, smc_cfg);
}

/* --- commands ---------------------------------------------------------------------- */

static uint8_t smc_in[8 << 20]; /* the last command's Data-In */

static inline void smc_done(struct scsi_task *t)
{
	t->done = NULL;
}

static inline void smc_task(struct scsi_task *t, struct nexus *n, const uint8_t *cdb, size_t len,
	const void *out, uint32_t expect)
{
	memset(t, 0xa5, sizeof(*t));
	t->nexus = n;
	t->done = smc_done;
	t->lun = 0;
	memset(t->cdb, 0, sizeof(t->cdb));
	memcpy(t->cdb, cdb, len);
	t->cdb_len = (uint8_t)len;
	t->attr = TASK_SIMPLE;
	t->dir = out ? SCSI_DIR_OUT : expect ? SCSI_DIR_IN : 0;
	t->expect = expect;
}

/* Runs a command to its end; its data go to `in`, where that is not NULL. */
static inline struct result smc_run_into(struct nexus *n, const uint8_t *cdb, size_t len,
	const void *out, uint32_t expect, uint8_t *in)
{
	struct result res = { .status = 0xff };
	struct scsi_task t;
	enum scsi_next next;
	uint32_t at = 0;

	smc_task(&t, n, cdb, len, out, expect);
	next = scsi_task_start(&t);
	if (next == SCSI_WANT_DATA && out) {
		assert_true(t.out.len <= expect && t.out.cnt == 1);
		memcpy(t.out.iov[0].iov_base, out, t.out.len);
		next = scsi_task_data(&t, t.out.len);
	}
	assert_int_not_equal(next, SCSI_WANT_DATA);
	if (next == SCSI_PENDING)
		while (t.done)
			loop_step(n->loop);
	res.status = t.status;
	if (t.status == SCSI_CHECK_CONDITION)
		res.sense = t.sense;
	res.in_len = t.in.len;
	for (int i = 0; in && i < t.in.cnt && at < expect; i++) {
		memcpy(in + at, t.in.iov[i].iov_base, t.in.iov[i].iov_len);
		at += (uint32_t)t.in.iov[i].iov_len;
	}
	scsi_task_release(&t);
	return res;
}

/* A CDB on the page, through host i; data that are not NULL go out, else up to `expect` bytes come
 * in, to smc_in. */
#define RUN(m, i, out, expect, ...) \
	smc_run_into(&(m)->host[i], (const uint8_t[]){ __VA_ARGS__ }, \
		sizeof((const uint8_t[]){ __VA_ARGS__ }), out, expect, smc_in)

#define BE2(v)                               (uint8_t)((v) >> 8), (uint8_t)(v)
#define BE3(v)                               (uint8_t)((v) >> 16), BE2(v)
#define TUR                                  0x00, 0, 0, 0, 0, 0
#define MOVE(from, to)                       0xa5, 0, 0, 0, BE2(from), BE2(to), 0, 0, 0, 0
#define EXCHANGE(a, b, c)                    0xa6, 0, 0, 0, BE2(a), BE2(b), BE2(c), 0, 0
#define VOLTAG                               0x10
#define DVCID                                0x01
#define CURDATA                              0x02
#define STATUS(bits, start, n, flags, alloc) 0xb8, bits, BE2(start), BE2(n), flags, BE3(alloc), 0, 0

/* With the attentions of the first contact told. */
static inline int smc_begin(void **state)
{
	struct smc *m;

	if (smc_begin_quietly(state))
		return -1;
	m = *state;
	for (unsigned i = 0; i < SMC_HOSTS; i++)
		assert_check(RUN(m, i, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2900);
	return 0;
}

#endif
