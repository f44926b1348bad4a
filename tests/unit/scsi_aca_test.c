/* SPDX-License-Identifier: BSD-2-Clause */
/* ACA (SAM-5 5.9), which is not supported, and said so where a host asks; QErr's values (SPC-5 7.5.9). */
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

static struct result select_qerr(struct rig *r, uint8_t qerr)
{
	const uint8_t list[16] = { 0, 0, 0, 0, 0x0a, 0x0a, 0x02, (uint8_t)(0x10 | qerr << 1), 0,
		0x40, 0, 0, 0xff, 0xff };

	return RUN(r, 0, list, 16, 0x15, 0x10, 0, 0, 16, 0);
}

/* PC: 0 current, 1 changeable, 2 default. */
static unsigned sensed_qerr(struct rig *r, uint8_t pc)
{
	assert_good(RUN(r, 0, NULL, 16, 0x1a, 8, (uint8_t)(pc << 6 | 0x0a), 0, 16, 0));
	return rig_in[4 + 3] >> 1 & 0x03;
}

static void qerr_is_0_and_may_be_01b_or_11b(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_int_equal(sensed_qerr(r, 0), 0);
	assert_int_equal(sensed_qerr(r, 1), 3);
	assert_good(select_qerr(r, 1));
	assert_int_equal(sensed_qerr(r, 0), 1);
	assert_good(select_qerr(r, 3));
	assert_int_equal(sensed_qerr(r, 0), 3);
	assert_int_equal(sensed_qerr(r, 2), 0);
	rig_free(r);
}

static void qerr_10b_is_reserved(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_good(select_qerr(r, 1));
	assert_bad_list(select_qerr(r, 2), 4 + 3);
	assert_int_equal(sensed_qerr(r, 0), 1);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aca_is_refused_in_the_control_byte_of_every_length),
		cmocka_unit_test(inquiry_says_that_there_is_no_aca),
		cmocka_unit_test(qerr_is_0_and_may_be_01b_or_11b),
		cmocka_unit_test(qerr_10b_is_reserved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
