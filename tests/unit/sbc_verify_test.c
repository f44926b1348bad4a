/* SPDX-License-Identifier: BSD-2-Clause */
/* VERIFY: with the data, with one block, with none; where it says that they differ. */
#include <errno.h>

#include "tests/unit/scsi_support.h"

#define VERIFY10(bytchk, lba, n) 0x2f, (bytchk) << 1, BE4(lba), 0, BE2(n), 0
#define VERIFY12(bytchk, lba, n) 0xaf, (bytchk) << 1, BE4(lba), BE4(n), 0, 0
#define VERIFY16(bytchk, lba, n) 0x8f, (bytchk) << 1, BE8(lba), BE4(n), 0, 0

static uint8_t data[8 << 20];

static void assert_miscompare(struct result res, uint64_t offset)
{
	assert_check(res, SENSE_MISCOMPARE, 0x1d00);
	assert_true(res.sense.info_valid);
	assert_int_equal(res.sense.info, offset);
}

static void what_is_there_compares_equal(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 32768, .faulty = *state != NULL });

	rig_fill(data, sizeof(data), 5);
	assert_good(RUN(r, 0, data, sizeof(data), WRITE16(100, 16384)));
	assert_good(RUN(r, 0, data, sizeof(data), VERIFY16(1, 100, 16384)));
	assert_good(RUN(r, 0, data, 512 * 100, VERIFY10(1, 100, 100)));
	assert_good(RUN(r, 0, data, 512 * 100, VERIFY12(1, 100, 100)));
	rig_free(r);
}

static void the_first_byte_that_differs_is_told(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 32768, .faulty = *state != NULL });

	rig_fill(data, sizeof(data), 5);
	assert_good(RUN(r, 0, data, sizeof(data), WRITE16(0, 16384)));
	data[5000003] ^= 1;
	data[5000009] ^= 1;
	assert_miscompare(RUN(r, 0, data, sizeof(data), VERIFY16(1, 0, 16384)), 5000003);
	rig_free(r);
}

static void one_block_is_compared_with_all(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 32768, .faulty = *state != NULL });

	rig_fill(data, 512, 5);
	assert_good(RUN(r, 0, data, 512, 0x93, 0, BE8(0), BE4(32768), 0, 0));
	assert_good(RUN(r, 0, data, 512, VERIFY16(3, 0, 32768)));
	memset(data + 512, 'x', 512);
	assert_good(RUN(r, 0, data + 512, 512, WRITE10(30000, 1)));
	assert_miscompare(RUN(r, 0, data, 512, VERIFY16(3, 0, 32768)), 30000 * 512);
	rig_free(r);
}

static void without_comparing_every_block_is_read(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 32768, .faulty = true });

	(void)state;
	fault_set(r->store, &(struct fault_cfg){ .ops = 1u << STORE_READ });
	assert_good(RUN(r, 0, NULL, 0, VERIFY16(0, 0, 32768)));
	assert_int_equal(fault_seen(r->store), 16);
	fault_set(r->store, &(struct fault_cfg){ .nth = 16, .err = -EIO });
	assert_check(RUN(r, 0, NULL, 0, VERIFY16(0, 0, 32768)), SENSE_MEDIUM_ERROR, 0x1100);
	rig_free(r);
}

static void verify_waits_for_a_slow_store(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 32768, .faulty = true });

	(void)state;
	rig_fill(data, sizeof(data), 5);
	assert_good(RUN(r, 0, data, sizeof(data), WRITE16(0, 16384)));
	data[8000000] ^= 1;
	fault_set(r->store, &(struct fault_cfg){ .delay_ms = 1 });
	assert_miscompare(RUN(r, 0, data, sizeof(data), VERIFY16(1, 0, 16384)), 8000000);
	rig_free(r);
}

static void memory_is_always_readable(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_int_equal(RUN(r, 0, NULL, 0, VERIFY10(0, 0, 4096)).first, SCSI_DONE);
	rig_free(r);
}

static void no_blocks_are_equal_where_there_are_blocks(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 4096 });

	(void)state;
	assert_good(RUN(r, 0, NULL, 0, VERIFY10(1, 0, 0)));
	assert_check(RUN(r, 0, NULL, 0, VERIFY10(1, 4097, 0)), SENSE_ILLEGAL_REQUEST, 0x2100);
	assert_check(RUN(r, 0, data, 1024, VERIFY10(1, 4095, 2)), SENSE_ILLEGAL_REQUEST, 0x2100);
	assert_check(RUN(r, 0, NULL, 0, VERIFY16(1, UINT64_MAX, 0)), SENSE_ILLEGAL_REQUEST, 0x2100);
	rig_free(r);
}

static void fields_that_are_not_there_are_refused(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 65536 });

	(void)state;
	assert_bad_cdb(RUN(r, 0, data, 512, VERIFY10(2, 0, 1)), 1);
	assert_bad_cdb(RUN(r, 0, data, 512, 0x2f, 0x22, BE4(0), 0, BE2(1), 0), 1);
	assert_bad_cdb(RUN(r, 0, data, sizeof(data), VERIFY16(1, 0, 16385)), 10);
	rig_free(r);
}

static void fewer_blocks_than_announced_are_compared(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = *state != NULL });
	struct result res;

	memset(data, 0, 512);
	memset(data + 512, 'x', 512);
	res = RUN(r, 0, data, 512, VERIFY10(1, 0, 2));
	assert_good(res);
	assert_int_equal(res.out_len, 1024);
	assert_check(RUN(r, 0, data, 200, VERIFY10(1, 0, 1)), SENSE_ILLEGAL_REQUEST, 0x0e03);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_STORES(what_is_there_compares_equal),
		BOTH_STORES(the_first_byte_that_differs_is_told),
		BOTH_STORES(one_block_is_compared_with_all),
		cmocka_unit_test(without_comparing_every_block_is_read),
		cmocka_unit_test(verify_waits_for_a_slow_store),
		cmocka_unit_test(memory_is_always_readable),
		cmocka_unit_test(no_blocks_are_equal_where_there_are_blocks),
		cmocka_unit_test(fields_that_are_not_there_are_refused),
		BOTH_STORES(fewer_blocks_than_announced_are_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
