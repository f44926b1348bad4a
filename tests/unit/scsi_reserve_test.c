/* SPDX-License-Identifier: BSD-2-Clause */
/* RESERVE and RELEASE of SPC-2: who is kept out of what, and when it ends. */
#include "tests/unit/scsi_support.h"

#define RESERVE6  0x16, 0, 0, 0, 0, 0
#define RELEASE6  0x17, 0, 0, 0, 0, 0
#define RESERVE10 0x56, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define RELEASE10 0x57, 0, 0, 0, 0, 0, 0, 0, 0, 0

static struct rig *rig;
static uint8_t block[512];

static int setup(void **state)
{
	rig = rig_create((struct rig_cfg){ .removable = true });
	*state = rig;
	return 0;
}

static void assert_conflict(struct result res)
{
	assert_int_equal(res.status, SCSI_RESERVATION_CONFLICT);
}

static void the_holder_goes_on_and_others_do_not(void **state)
{
	(void)state;
	assert_good(RUN(rig, 0, NULL, 0, RESERVE6));
	assert_good(RUN(rig, 0, NULL, 512, READ10(0, 1)));
	assert_good(RUN(rig, 0, block, 512, WRITE10(0, 1)));
	assert_conflict(RUN(rig, 1, NULL, 512, READ10(0, 1)));
	assert_conflict(RUN(rig, 1, block, 512, WRITE10(0, 1)));
	assert_conflict(RUN(rig, 1, NULL, 0, TUR));
	assert_conflict(RUN(rig, 1, NULL, 255, 0x1a, 0, 0x3f, 0, 255, 0));
	assert_conflict(RUN(rig, 1, NULL, 0, RESERVE6));
}

static void what_only_asks_is_allowed_to_all(void **state)
{
	(void)state;
	assert_good(RUN(rig, 0, NULL, 0, RESERVE6));
	assert_good(RUN(rig, 1, NULL, 96, 0x12, 0, 0, BE2(96), 0));
	assert_good(RUN(rig, 1, NULL, 64, 0xa0, 0, 0, 0, 0, 0, BE4(64), 0, 0));
	assert_good(RUN(rig, 1, NULL, 18, 0x03, 0, 0, 0, 18, 0));
	assert_good(RUN(rig, 1, NULL, 8, 0x25, 0, BE4(0), 0, 0, 0, 0));
}

static void who_holds_it_may_reserve_again(void **state)
{
	(void)state;
	assert_good(RUN(rig, 0, NULL, 0, RESERVE6));
	assert_good(RUN(rig, 0, NULL, 0, RESERVE10));
}

static void only_the_holder_releases(void **state)
{
	(void)state;
	assert_good(RUN(rig, 0, NULL, 0, RESERVE10));
	assert_good(RUN(rig, 1, NULL, 0, RELEASE6));
	assert_conflict(RUN(rig, 1, NULL, 0, TUR));
	assert_good(RUN(rig, 0, NULL, 0, RELEASE10));
	assert_good(RUN(rig, 1, NULL, 0, RESERVE6));
}

static void a_nexus_that_is_lost_holds_nothing(void **state)
{
	(void)state;
	assert_good(RUN(rig, 0, NULL, 0, RESERVE6));
	rig_nexus_close(rig, 0);
	assert_good(RUN(rig, 1, NULL, 0, RESERVE6));
}

static void a_nexus_that_comes_finds_the_reservation(void **state)
{
	(void)state;
	rig_nexus_close(rig, 1);
	assert_good(RUN(rig, 0, NULL, 0, RESERVE6));
	rig_nexus_open(rig, 1);
	assert_check(RUN(rig, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2900);
	assert_conflict(RUN(rig, 1, NULL, 0, TUR));
}

static void allowing_and_starting_are_possible_for_all(void **state)
{
	(void)state;
	assert_good(RUN(rig, 0, NULL, 0, RESERVE6));
	assert_good(RUN(rig, 1, NULL, 0, 0x1e, 0, 0, 0, 0, 0));
	assert_conflict(RUN(rig, 1, NULL, 0, 0x1e, 0, 0, 0, 1, 0));
	assert_good(RUN(rig, 1, NULL, 0, 0x1b, 0, 0, 0, 1, 0));
	assert_conflict(RUN(rig, 1, NULL, 0, 0x1b, 0, 0, 0, 2, 0));
}

static void third_parties_and_extents_are_refused(void **state)
{
	(void)state;
	assert_bad_cdb(RUN(rig, 0, NULL, 0, 0x16, 0x10, 0, 0, 0, 0), 1);
	assert_bad_cdb(RUN(rig, 0, NULL, 0, 0x16, 0x01, 0, 0, 0, 0), 1);
	assert_bad_cdb(RUN(rig, 0, NULL, 0, 0x56, 0x10, 0, 0, 0, 0, 0, 0, 0, 0), 1);
}

static void a_release_for_third_parties_and_of_extents_is_refused(void **state)
{
	(void)state;
	assert_good(RUN(rig, 0, NULL, 0, RESERVE6));
	assert_bad_cdb(RUN(rig, 0, NULL, 0, 0x17, 0x10, 0, 0, 0, 0), 1);
	assert_bad_cdb(RUN(rig, 0, NULL, 0, 0x17, 0x01, 0, 0, 0, 0), 1);
	assert_bad_cdb(RUN(rig, 0, NULL, 0, 0x57, 0x10, 0, 0, 0, 0, 0, 0, 0, 0), 1);
	assert_conflict(RUN(rig, 1, NULL, 0, TUR));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_holder_goes_on_and_others_do_not),
		T(what_only_asks_is_allowed_to_all),
		T(who_holds_it_may_reserve_again),
		T(only_the_holder_releases),
		T(a_nexus_that_is_lost_holds_nothing),
		T(a_nexus_that_comes_finds_the_reservation),
		T(allowing_and_starting_are_possible_for_all),
		T(third_parties_and_extents_are_refused),
		T(a_release_for_third_parties_and_of_extents_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
