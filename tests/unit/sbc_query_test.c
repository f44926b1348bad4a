/* SPDX-License-Identifier: BSD-2-Clause */
/* PRE-FETCH, READ DEFECT DATA, GET LBA STATUS. */
#include <stdio.h>
#include <unistd.h>

#include "base/work.h"
#include "store/engine.h"
#include "tests/unit/scsi_support.h"

#define GET_LBA_STATUS(lba, alloc)     0x9e, 0x12, BE8(lba), BE4(alloc), 0, 0
#define WRITE_SAME_ZERO(flags, lba, n) 0x93, (flags) | 1, BE8(lba), BE4(n), 0, 0

static uint8_t data[64 * 512];

static void prefetching_is_a_hint_within_the_disk(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 4096 });

	(void)state;
	assert_good(RUN(r, 0, NULL, 0, 0x34, 2, BE4(0), 0, BE2(1), 0));
	assert_good(RUN(r, 0, NULL, 0, 0x90, 0, BE8(4000), BE4(0), 0, 0));
	assert_check(RUN(r, 0, NULL, 0, 0x34, 0, BE4(4095), 0, BE2(2), 0), SENSE_ILLEGAL_REQUEST,
		0x2100);
	assert_check(RUN(r, 0, NULL, 0, 0x90, 0, BE8(UINT64_MAX), BE4(1), 0, 0),
		SENSE_ILLEGAL_REQUEST, 0x2100);
	rig_free(r);
}

static void there_are_no_defects(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_int_equal(RUN(r, 0, NULL, 32, 0x37, 0, 0x18, 0, 0, 0, 0, BE2(32), 0).in_len, 4);
	assert_memory_equal(rig_in, ((const uint8_t[]){ 0, 0x18, 0, 0 }), 4);
	assert_int_equal(RUN(r, 0, NULL, 32, 0xb7, 0x08, 0, 0, 0, 0, BE4(32), 0, 0).in_len, 8);
	assert_memory_equal(rig_in, ((const uint8_t[]){ 0, 0x08, 0, 0, 0, 0, 0, 0 }), 8);
	rig_free(r);
}

/* 16 pages of 8 blocks: 0 and 1 are written, of them 1 is unmapped again, 4 and 5 are written. */
static void write_some(struct rig *r)
{
	memset(data, 'x', sizeof(data));
	assert_good(RUN(r, 0, data, 16 * 512, WRITE10(0, 16)));
	assert_good(RUN(r, 0, data, 16 * 512, WRITE10(32, 16)));
	assert_good(RUN(r, 0, NULL, 0, WRITE_SAME_ZERO(8, 8, 8)));
}

static void stretches_are_told_in_their_order(void **state)
{
	static const struct {
		uint64_t lba;
		uint32_t blocks;
		uint8_t state;
	} want[] = { { 0, 8, 0 }, { 8, 24, 1 }, { 32, 16, 0 }, { 48, 4048, 1 } };
	struct work_pool *pool = NULL;
	struct rig *r;

	if (*state)
		assert_int_equal(work_pool_create(1, &pool), 0);
	r = rig_create((struct rig_cfg){ .blocks = 4096, .pool = pool });
	write_some(r);
	assert_int_equal(RUN(r, 0, NULL, 1024, GET_LBA_STATUS(0, 1024)).in_len, 8 + 4 * 16);
	assert_int_equal(be32(rig_in), 4 + 4 * 16);
	for (unsigned i = 0; i < 4; i++) {
		const uint8_t *d = rig_in + 8 + i * 16;

		assert_int_equal(be64(d), want[i].lba);
		assert_int_equal(be32(d + 8), want[i].blocks);
		assert_int_equal(d[12], want[i].state);
	}
	work_pool_free(pool); /* no thread of it may be waking the loop any more */
	rig_free(r);
}

static void one_stretch_begins_at_the_block_asked_for(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 4096 });

	(void)state;
	write_some(r);
	assert_int_equal(RUN(r, 0, NULL, 24, GET_LBA_STATUS(35, 24)).in_len, 24);
	assert_memory_equal(
		rig_in, ((const uint8_t[]){ BE4(20), BE4(0), BE8(35), BE4(13), 0, 0, 0, 0 }), 24);
	assert_int_equal(RUN(r, 0, NULL, 24, GET_LBA_STATUS(4095, 10)).in_len, 10);
	assert_check(RUN(r, 0, NULL, 24, GET_LBA_STATUS(4096, 24)), SENSE_ILLEGAL_REQUEST, 0x2100);
	rig_free(r);
}

/* NUMBER OF LOGICAL BLOCKS has 32 bits. */
static void a_hole_longer_than_a_descriptor_can_say_has_several(void **state)
{
	const uint64_t all = UINT64_C(5) << 30;
	char dir[] = "/tmp/query-XXXXXX", path[64];
	struct store_cfg sc = {
		.kind = "file", .path = path, .size = all * 512, .block_size = 512, .create = true
	};
	struct store_error why;
	struct work_pool *pool;
	struct store *store;
	struct rig *r;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/disk", dir);
	assert_int_equal(work_pool_create(1, &pool), 0);
	assert_int_equal(store_engine_create(pool, STORE_ENGINE_THREADS, &sc.engine), 0);
	assert_int_equal(store_open(&sc, &store, &why), 0);
	r = rig_create((struct rig_cfg){ .store = store });
	assert_int_equal(RUN(r, 0, NULL, 64, GET_LBA_STATUS(0, 64)).in_len, 8 + 2 * 16);
	assert_int_equal(be32(rig_in + 16), UINT32_MAX);
	assert_int_equal(be64(rig_in + 24), UINT32_MAX);
	assert_int_equal(be32(rig_in + 32), all - UINT32_MAX);
	rig_free(r);
	store_engine_free(sc.engine);
	work_pool_free(pool);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(prefetching_is_a_hint_within_the_disk),
		T(there_are_no_defects),
		{ "stretches_are_told_in_their_order (in place)", stretches_are_told_in_their_order,
			NULL, NULL, NULL },
		{ "stretches_are_told_in_their_order (by a thread)",
			stretches_are_told_in_their_order, NULL, NULL, (void *)1 },
		T(one_stretch_begins_at_the_block_asked_for),
		T(a_hole_longer_than_a_descriptor_can_say_has_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
