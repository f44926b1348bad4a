/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rig with more disks: LUN 0 the rig's own, LUN 1 another one that both nexuses see, and one
 * behind LUN 2 that the second nexus alone sees.
 */
#ifndef TESTS_SCSI_COPY_SUPPORT_H
#define TESTS_SCSI_COPY_SUPPORT_H

#include "tests/unit/scsi_support.h"

#define COPY_DISKS 3

struct disks {
	struct rig *r;
	struct lu *lu[COPY_DISKS];
	struct store *store[COPY_DISKS];
	struct lun_map *map[RIG_NEXUSES];
	unsigned gone;
};

static void disks_gone(void *arg)
{
	((struct disks *)arg)->gone++;
}

static const uint8_t naas[COPY_DISKS][16] = {
	{ 0x60, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
	{ 0x60, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16 },
	{ 0x60, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17 },
};

static uint64_t lun_field(unsigned lun)
{
	return (uint64_t)lun << 48;
}

static struct result run_on(struct disks *d, unsigned nexus, unsigned lun, const uint8_t *cdb,
	size_t len, const void *out, uint32_t expect)
{
	return rig_run(&d->r->nexus[nexus], lun_field(lun), cdb, len, out, expect);
}

#define ON(d, i, lun, out, expect, ...) \
	run_on(d, i, lun, (const uint8_t[]){ __VA_ARGS__ }, \
		sizeof((const uint8_t[]){ __VA_ARGS__ }), out, expect)

static uint8_t data[1 << 20];

/* Writes n blocks of `data` to LUN 0. */
static inline void fill(struct disks *d, uint32_t lba, uint16_t n)
{
	rig_fill(data, (size_t)n * 512, 3);
	assert_good(ON(d, 0, 0, data, (uint32_t)n * 512, WRITE10(lba, n)));
}

/* They are what is there. */
static inline void assert_blocks(struct disks *d, unsigned lun, uint32_t lba, uint16_t n)
{
	assert_good(ON(d, 1, lun, NULL, (uint32_t)n * 512, READ10(lba, n)));
	assert_memory_equal(rig_in, data, (size_t)n * 512);
}

static inline struct disks *disks_create(struct rig_cfg cfg)
{
	struct disks *d = calloc(1, sizeof(*d));
	struct lun_entry e[COPY_DISKS];

	assert_non_null(d);
	d->r = rig_create(cfg);
	d->lu[0] = d->r->lu;
	d->store[0] = d->r->store;
	for (unsigned i = 1; i < COPY_DISKS; i++) {
		struct disk_cfg dc = { .block_size = cfg.block_size ? cfg.block_size : 512,
			.thin = !cfg.thick,
			.read_only = cfg.read_only,
			.gone = disks_gone,
			.arg = d };

		memcpy(dc.naa, naas[i], 16);
		dc.store = d->store[i] = rig_store(&cfg);
		assert_int_equal(disk_create(&dc, &d->lu[i]), 0);
	}
	for (unsigned i = 0; i < COPY_DISKS; i++)
		e[i] = (struct lun_entry){ i, d->lu[i] };
	for (unsigned i = 0; i < RIG_NEXUSES; i++) {
		assert_int_equal(lun_map_create(e, 2 + i, &d->map[i]), 0);
		assert_int_equal(nexus_remap(&d->r->nexus[i], d->map[i]), 0);
		for (unsigned lun = 0; lun < 2 + i; lun++)
			while (ON(d, i, lun, NULL, 0, TUR).status)
				;
	}
	return d;
}

static inline void disks_free(struct disks *d)
{
	for (unsigned i = 0; i < RIG_NEXUSES; i++) {
		if (d->r->nexus[i].initiator)
			rig_nexus_close(d->r, i);
		lun_map_unref(d->map[i]);
	}
	for (unsigned i = 1; i < COPY_DISKS; i++)
		lu_unref(d->lu[i]);
	assert_int_equal(d->gone, COPY_DISKS - 1);
	rig_free(d->r);
	free(d);
}

#endif
