/* SPDX-License-Identifier: BSD-2-Clause */
/* The medium as a whole: capacity, flushing, loading and ejecting. */
#include <errno.h>

#include "tests/unit/scsi_support.h"

#define START_STOP(bits) 0x1b, 0, 0, 0, bits, 0
#define STOP             START_STOP(0)
#define START            START_STOP(1)
#define EJECT            START_STOP(2)
#define LOAD             START_STOP(3)
#define PREVENT(v)       0x1e, 0, 0, 0, v, 0
#define SYNC10(lba, n)   0x35, 0, BE4(lba), 0, BE2(n), 0

static uint8_t data[4096];

static void capacity_is_the_last_block(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 4096 });

	(void)state;
	assert_int_equal(RUN(r, 0, NULL, 8, 0x25, 0, BE4(0), 0, 0, 0, 0).in_len, 8);
	assert_memory_equal(rig_in, ((const uint8_t[]){ BE4(4095), BE4(512) }), 8);
	assert_int_equal(RUN(r, 0, NULL, 32, 0x9e, 0x10, BE8(0), BE4(32), 0, 0).in_len, 32);
	assert_memory_equal(rig_in, ((const uint8_t[]){ BE8(4095), BE4(512), 0, 0, 0xc0, 0 }), 16);
	rig_free(r);
}

static void capacity_16_is_cut_to_the_allocation_length(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	for (uint32_t n = 0; n < 16; n++)
		assert_int_equal(RUN(r, 0, NULL, 32, 0x9e, 0x10, BE8(0), BE4(n), 0, 0).in_len, n);
	rig_free(r);
}

static void a_physical_block_is_told(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .physical = 4096 });

	(void)state;
	assert_good(RUN(r, 0, NULL, 32, 0x9e, 0x10, BE8(0), BE4(32), 0, 0));
	assert_int_equal(rig_in[13], 3);
	rig_free(r);
}

static void synchronize_cache_flushes_the_store(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });

	(void)state;
	fault_set(r->store, &(struct fault_cfg){ .ops = 1u << STORE_FLUSH, .delay_ms = 1 });
	assert_good(RUN(r, 0, NULL, 0, SYNC10(0, 0)));
	assert_good(RUN(r, 0, NULL, 0, 0x91, 0x02, BE8(0), BE4(1), 0, 0));
	assert_int_equal(fault_seen(r->store), 2);
	fault_set(r->store, &(struct fault_cfg){ .nth = 1, .err = -EIO });
	assert_check(RUN(r, 0, NULL, 0, SYNC10(0, 0)), SENSE_MEDIUM_ERROR, 0x0c00);
	assert_check(RUN(r, 0, NULL, 0, SYNC10(4096, 1)), SENSE_ILLEGAL_REQUEST, 0x2100);
	rig_free(r);
}

static void fua_makes_a_write_durable(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });
	struct scsi_task t;

	(void)state;
	rig_task(&t, &r->nexus[0], 0, (const uint8_t[]){ 0x2a, 0x08, BE4(0), 0, BE2(1), 0 }, 10,
		SCSI_DIR_OUT, 512);
	assert_good(rig_finish(&t, data));
	assert_int_equal(t.io.flags, STORE_FUA);
	rig_free(r);
}

static void an_ejected_medium_is_not_present(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .removable = true });

	(void)state;
	assert_good(RUN(r, 0, NULL, 0, EJECT));
	assert_check(RUN(r, 0, NULL, 0, TUR), SENSE_NOT_READY, 0x3a00);
	assert_check(RUN(r, 0, NULL, 512, READ10(0, 1)), SENSE_NOT_READY, 0x3a00);
	assert_check(RUN(r, 1, data, 512, WRITE10(0, 1)), SENSE_NOT_READY, 0x3a00);
	assert_check(RUN(r, 0, NULL, 8, 0x25, 0, BE4(0), 0, 0, 0, 0), SENSE_NOT_READY, 0x3a00);
	assert_check(
		RUN(r, 0, NULL, 15, 0x9e, 0x10, BE8(0), BE4(15), 0, 0), SENSE_NOT_READY, 0x3a00);
	assert_check(RUN(r, 0, NULL, 0, SYNC10(0, 1)), SENSE_NOT_READY, 0x3a00);
	assert_good(RUN(r, 0, NULL, 96, 0x12, 0, 0, BE2(96), 0));
	assert_good(RUN(r, 0, NULL, 0, EJECT));
	rig_free(r);
}

static void a_loaded_medium_is_there_and_told_to_the_others(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .removable = true });

	(void)state;
	assert_good(RUN(r, 0, NULL, 0, EJECT));
	assert_good(RUN(r, 0, NULL, 0, LOAD));
	assert_good(RUN(r, 0, NULL, 0, TUR));
	assert_check(RUN(r, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	assert_good(RUN(r, 1, NULL, 0, TUR));
	rig_free(r);
}

static void stopping_does_not_eject(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .removable = true });

	(void)state;
	assert_good(RUN(r, 0, NULL, 0, STOP));
	assert_good(RUN(r, 0, NULL, 0, TUR));
	assert_good(RUN(r, 0, NULL, 0, START));
	for (unsigned power = 1; power < 16; power++)
		assert_good(RUN(r, 0, NULL, 0, START_STOP((uint8_t)(power << 4 | 2))));
	assert_good(RUN(r, 0, NULL, 0, TUR));
	rig_free(r);
}

/* SBC-4 5.34: what is stopped may be switched off. */
static void stopping_flushes_unless_it_is_told_not_to(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });

	(void)state;
	fault_set(r->store, &(struct fault_cfg){ .ops = 1u << STORE_FLUSH });
	assert_good(RUN(r, 0, NULL, 0, START));
	assert_good(RUN(r, 0, NULL, 0, START_STOP(4)));
	assert_int_equal(fault_seen(r->store), 0);
	assert_good(RUN(r, 0, NULL, 0, STOP));
	assert_int_equal(fault_seen(r->store), 1);
	assert_good(RUN(r, 0, NULL, 0, START_STOP(0x31))); /* STANDBY */
	assert_int_equal(fault_seen(r->store), 2);
	fault_set(r->store, &(struct fault_cfg){ .nth = 1, .err = -EIO });
	assert_check(RUN(r, 0, NULL, 0, STOP), SENSE_MEDIUM_ERROR, 0x0c00);
	rig_free(r);
}

static void a_fixed_disk_cannot_be_ejected(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_bad_cdb(RUN(r, 0, NULL, 0, EJECT), 4);
	assert_good(RUN(r, 0, NULL, 0, START));
	assert_good(RUN(r, 0, NULL, 0, STOP));
	assert_check(RUN(r, 0, NULL, 0, PREVENT(1)), SENSE_ILLEGAL_REQUEST, 0x2000);
	rig_free(r);
}

static void whoever_prevents_removal_prevents_it_for_all(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .removable = true });

	(void)state;
	assert_good(RUN(r, 0, NULL, 0, PREVENT(1)));
	assert_check(RUN(r, 0, NULL, 0, EJECT), SENSE_ILLEGAL_REQUEST, 0x5302);
	assert_check(RUN(r, 1, NULL, 0, EJECT), SENSE_ILLEGAL_REQUEST, 0x5302);
	assert_good(RUN(r, 1, NULL, 0, PREVENT(0)));
	assert_check(RUN(r, 1, NULL, 0, EJECT), SENSE_ILLEGAL_REQUEST, 0x5302);
	assert_good(RUN(r, 0, NULL, 0, PREVENT(0)));
	assert_good(RUN(r, 1, NULL, 0, EJECT));
	rig_free(r);
}

static void preventing_holds_the_tray_open_too(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .removable = true });

	(void)state;
	assert_good(RUN(r, 0, NULL, 0, EJECT));
	assert_good(RUN(r, 0, NULL, 0, PREVENT(1)));
	assert_check(RUN(r, 0, NULL, 0, LOAD), SENSE_ILLEGAL_REQUEST, 0x5302);
	assert_good(RUN(r, 0, NULL, 0, PREVENT(0)));
	assert_good(RUN(r, 0, NULL, 0, LOAD));
	rig_free(r);
}

static void a_nexus_that_is_lost_prevents_nothing(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .removable = true });

	(void)state;
	assert_good(RUN(r, 0, NULL, 0, PREVENT(1)));
	rig_nexus_close(r, 0);
	assert_good(RUN(r, 1, NULL, 0, EJECT));
	rig_free(r);
}

static void data_are_flushed_before_the_medium_leaves(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .removable = true, .faulty = true });

	(void)state;
	fault_set(r->store, &(struct fault_cfg){ .ops = 1u << STORE_FLUSH,
				    .nth = 1,
				    .count = 1,
				    .err = -EIO,
				    .delay_ms = 1 });
	assert_check(RUN(r, 0, NULL, 0, EJECT), SENSE_MEDIUM_ERROR, 0x0c00);
	assert_good(RUN(r, 0, NULL, 0, TUR));
	assert_good(RUN(r, 0, NULL, 0, EJECT));
	assert_check(RUN(r, 0, NULL, 0, TUR), SENSE_NOT_READY, 0x3a00);
	rig_free(r);
}

/* Each is refused, and the store stays the caller's. */
static void a_disk_that_cannot_be_is_refused(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	const struct disk_cfg bad[] = {
		{ .store = r->store, .block_size = 1024 },
		{ .store = r->store, .block_size = 4096, .physical_block_size = 512 },
		{ .store = r->store, .block_size = 512, .physical_block_size = 3000 },
		{ .store = r->store, .block_size = 512, .vendor = "NINE CHAR" },
		{ .store = r->store, .block_size = 512, .product = "tab\t" },
		{ .store = r->store,
			.block_size = 512,
			.serial = "0123456789012345678901234567890123456789012345678901234567890123"
				  "456" },
	};
	struct lu *lu = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(disk_create(&bad[i], &lu), -EINVAL);
	assert_null(lu);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capacity_is_the_last_block),
		cmocka_unit_test(capacity_16_is_cut_to_the_allocation_length),
		cmocka_unit_test(a_physical_block_is_told),
		cmocka_unit_test(synchronize_cache_flushes_the_store),
		cmocka_unit_test(fua_makes_a_write_durable),
		cmocka_unit_test(an_ejected_medium_is_not_present),
		cmocka_unit_test(a_loaded_medium_is_there_and_told_to_the_others),
		cmocka_unit_test(stopping_does_not_eject),
		cmocka_unit_test(stopping_flushes_unless_it_is_told_not_to),
		cmocka_unit_test(a_fixed_disk_cannot_be_ejected),
		cmocka_unit_test(whoever_prevents_removal_prevents_it_for_all),
		cmocka_unit_test(preventing_holds_the_tray_open_too),
		cmocka_unit_test(a_nexus_that_is_lost_prevents_nothing),
		cmocka_unit_test(data_are_flushed_before_the_medium_leaves),
		cmocka_unit_test(a_disk_that_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
