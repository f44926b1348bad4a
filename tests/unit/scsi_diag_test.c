/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LOG SENSE of disks (SPC-5 6.8, 7.3), which have nothing to tell but that.
 */
#include "tests/unit/scsi_support.h"

#define LOG_SENSE(page, pointer) 0x4d, 0, 0x40 | (page), 0, 0, BE2(pointer), BE2(512), 0

static struct rig *rig;

static int setup(void **state)
{
	rig = rig_create((struct rig_cfg){ .long_cdbs = true });
	*state = rig;
	return 0;
}

static void the_pages_are_listed_in_their_order(void **state)
{
	(void)state;
	assert_good(RUN(rig, 0, NULL, 512, LOG_SENSE(0, 0)));
	assert_memory_equal(rig_in, ((uint8_t[]){ 0, 0, 0, 3, 0x00, 0x10, 0x2f }), 7);
	assert_good(RUN(rig, 0, NULL, 512, 0x4d, 0, 0x40, 0xff, 0, 0, 0, 2, 0, 0));
	assert_memory_equal(rig_in,
		((uint8_t[]){ 0x40, 0xff, 0, 8, 0, 0, 0, 0xff, 0x10, 0, 0x2f, 0 }), 12);
}

static void no_exception_is_reported(void **state)
{
	(void)state;
	assert_int_equal(RUN(rig, 0, NULL, 512, LOG_SENSE(0x2f, 0)).in_len, 12);
	assert_memory_equal(rig_in, ((uint8_t[]){ 0x2f, 0, 0, 8, 0, 0, 3, 4, 0, 0, 0xff, 0 }), 12);
}

static void twenty_self_tests_were_not_made(void **state)
{
	(void)state;
	assert_int_equal(RUN(rig, 0, NULL, 512, LOG_SENSE(0x10, 0)).in_len, 4 + 20 * 20);
	assert_int_equal(RUN(rig, 0, NULL, 512, LOG_SENSE(0x10, 20)).in_len, 4 + 20);
	assert_memory_equal(rig_in, ((uint8_t[]){ 0x10, 0, 0, 20, 0, 20, 3, 16, 0, 0 }), 10);
}

static void what_log_sense_cannot_do_is_refused(void **state)
{
	(void)state;
	assert_bad_cdb(RUN(rig, 0, NULL, 512, LOG_SENSE(0x0d, 0)), 2);
	assert_bad_cdb(RUN(rig, 0, NULL, 512, LOG_SENSE(0x10, 21)), 5);
	assert_bad_cdb(RUN(rig, 0, NULL, 512, 0x4d, 0x01, 0x50, 0, 0, 0, 0, 2, 0, 0), 1); /* SP */
	assert_bad_cdb(RUN(rig, 0, NULL, 512, 0x4d, 0x02, 0x50, 0, 0, 0, 0, 2, 0, 0), 1); /* PPC */
	assert_bad_cdb(RUN(rig, 0, NULL, 512, 0x4d, 0, 0x50, 1, 0, 0, 0, 2, 0, 0), 3);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(the_pages_are_listed_in_their_order),
		T(no_exception_is_reported),
		T(twenty_self_tests_were_not_made),
		T(what_log_sense_cannot_do_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
