/* SPDX-License-Identifier: BSD-2-Clause */
/* ACA and QErr (SAM-5 5.9, SPC-5 7.5.9): not supported, and said so where a host asks. */
#include "tests/unit/scsi_support.h"

static const uint8_t blocks[1024];

static void aca_is_refused_in_the_control_byte_of_every_length(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_bad_cdb(RUN(r, 0, NULL, 0, 0x00, 0, 0, 0, 0, 0x04), 5);
	assert_bad_cdb(RUN(r, 0, NULL, 512, 0x28, 0, BE4(0), 0, BE2(1), 0x04), 9);
	assert_bad_cdb(RUN(r, 0, NULL, 512, 0xa8, 0, BE4(0), BE4(1), 0, 0x04), 11);
	assert_bad_cdb(RUN(r, 0, NULL, 512, 0x88, 0, BE8(0), BE4(1), 0, 0x04), 15);
	assert_bad_cdb(RUN(r, 0, blocks, 512, 0x8a, 0, BE8(0), BE4(1), 0, 0x04), 15);
	assert_bad_cdb(RUN(r, 0, blocks, 1024, 0x89, 0, BE8(0), 0, 0, 0, 1, 0, 0x04), 15);
	rig_free(r);
}

static void inquiry_says_that_there_is_no_aca(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_good(RUN(r, 0, NULL, 36, 0x12, 0, 0, BE2(36), 0));
	assert_int_equal(rig_in[3] & 0x20, 0); /* NORMACA */
	rig_free(r);
}

/* 00b: other commands go on when one ends with CHECK CONDITION. */
static void qerr_is_0_and_cannot_be_changed(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_good(RUN(r, 0, NULL, 16, 0x1a, 8, 0x0a, 0, 16, 0));
	assert_int_equal(rig_in[4 + 3] & 0x06, 0);
	assert_good(RUN(r, 0, NULL, 16, 0x1a, 8, 0x4a, 0, 16, 0));
	assert_int_equal(rig_in[4 + 3] & 0x06, 0);
	for (uint8_t qerr = 1; qerr < 4; qerr++) {
		const uint8_t list[16] = { 0, 0, 0, 0, 0x0a, 0x0a, 0x02,
			(uint8_t)(0x10 | qerr << 1), 0, 0x40, 0, 0, 0xff, 0xff };

		assert_int_equal(
			RUN(r, 0, list, 16, 0x15, 0x10, 0, 0, 16, 0).status, SCSI_CHECK_CONDITION);
	}
	assert_good(RUN(r, 0, NULL, 16, 0x1a, 8, 0x0a, 0, 16, 0));
	assert_int_equal(rig_in[4 + 3] & 0x06, 0);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aca_is_refused_in_the_control_byte_of_every_length),
		cmocka_unit_test(inquiry_says_that_there_is_no_aca),
		cmocka_unit_test(qerr_is_0_and_cannot_be_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
