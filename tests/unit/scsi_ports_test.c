/* SPDX-License-Identifier: BSD-2-Clause */
/* Target port groups: what is told of them, what their states keep out, who is told of a change. */
#include "tests/unit/scsi_support.h"

#define REPORT(format, alloc) 0xa3, 0x0a | (format), 0, 0, 0, 0, BE4(alloc), 0, 0

#define A                     "iqn.2026-11.com.example:a"
#define B                     "iqn.2026-11.com.example:b"

static const struct lu_port port1[] = { { 1, A } }, ports2[] = { { 2, A }, { 3, B } };

/* The rig's nexuses come through group 1. */
static void set(struct rig *r, enum lu_access first, enum lu_access second)
{
	const struct lu_port_group groups[] = { { 1, first, port1, 1 }, { 2, second, ports2, 2 } };

	assert_int_equal(lu_set_port_groups(r->lu, groups, 2), 0);
}

static void inquiry_says_that_there_are_groups(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	RUN(r, 0, NULL, 96, 0x12, 0, 0, BE2(96), 0);
	assert_int_equal(rig_in[5] >> 4 & 3, 1);
	rig_free(r);
}

static void without_a_table_the_askers_group_is_told(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_int_equal(RUN(r, 0, NULL, 512, REPORT(0, 512)).in_len, 16);
	assert_memory_equal(
		rig_in, ((const uint8_t[]){ BE4(12), 0, 0x0f, 0, 1, 0, 2, 0, 1, 0, 0, 0, 1 }), 16);
	rig_free(r);
}

static void the_table_is_told_whatever_is_asked_for(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	set(r, LU_ACTIVE_OPTIMIZED, LU_ACTIVE_NON_OPTIMIZED);
	assert_int_equal(RUN(r, 0, NULL, 512, REPORT(0, 512)).in_len, 4 + 12 + 16);
	assert_memory_equal(rig_in + 16,
		((const uint8_t[]){ 1, 0x0f, 0, 2, 0, 2, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3 }), 16);
	assert_int_equal(RUN(r, 0, NULL, 512, REPORT(0, 4)).in_len, 4);
	assert_int_equal(be32(rig_in), 28);
	assert_int_equal(RUN(r, 0, NULL, 512, REPORT(0x20, 512)).in_len, 8 + 12 + 16);
	assert_int_equal(rig_in[4], 0x10);
	assert_bad_cdb(RUN(r, 0, NULL, 512, REPORT(0x40, 512)), 1);
	rig_free(r);
}

static void the_scsi_ports_page_names_every_port(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	const uint8_t third[] = { 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4 + 36, 0x53, 0x98, 0, 36 };

	(void)state;
	set(r, LU_ACTIVE_OPTIMIZED, LU_STANDBY);
	assert_int_equal(RUN(r, 0, NULL, 512, 0x12, 1, 0x88, BE2(512), 0).in_len, 4 + 3 * 52);
	assert_memory_equal(rig_in, ((const uint8_t[]){ 0, 0x88, BE2(3 * 52) }), 4);
	assert_memory_equal(rig_in + 4 + 2 * 52, third, sizeof(third));
	assert_string_equal((char *)rig_in + 4 + 2 * 52 + 16, B ",t,0x0002");
	rig_free(r);
}

static void without_a_table_the_scsi_ports_page_names_the_askers(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	RUN(r, 0, NULL, 512, 0x12, 1, 0x88, BE2(512), 0);
	assert_int_equal(be16(rig_in + 6), 1);
	assert_string_equal((char *)rig_in + 20, "iqn.2026-11.com.example:disk,t,0x0001");
	rig_free(r);
}

static void ports_that_find_no_room_in_the_page_are_left_out(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	struct lu_port many[300];
	struct lu_port_group g = { 1, LU_ACTIVE_OPTIMIZED, many, 300 };
	struct result res;

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		many[i] = (struct lu_port){ (uint16_t)(i + 1), A };
	assert_int_equal(lu_set_port_groups(r->lu, &g, 1), 0);
	res = RUN(r, 0, NULL, 4096, 0x12, 1, 0x88, BE2(4096), 0);
	assert_good(res);
	assert_int_equal((res.in_len - 4) % 52, 0);
	assert_int_equal(be16(rig_in + 2) + 4, res.in_len);
	assert_int_equal(RUN(r, 0, NULL, 4096, REPORT(0, 4096)).in_len, 4 + 8 + 4 * 255);
	assert_int_equal(rig_in[4 + 7], 255);
	rig_free(r);
}

static void standby_keeps_medium_access_out(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	set(r, LU_STANDBY, LU_ACTIVE_OPTIMIZED);
	assert_check(RUN(r, 0, NULL, 512, READ10(0, 1)), SENSE_NOT_READY, 0x040b);
	assert_check(RUN(r, 0, NULL, 0, TUR), SENSE_NOT_READY, 0x040b);
	assert_good(RUN(r, 0, NULL, 255, 0x1a, 0, 0x3f, 0, 255, 0));
	assert_good(RUN(r, 0, NULL, 512, REPORT(0, 512)));
	assert_good(RUN(r, 0, NULL, 64, 0x5e, 0, 0, 0, 0, 0, 0, BE2(64), 0));
	rig_free(r);
}

static void unavailable_keeps_more_out(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	set(r, LU_UNAVAILABLE, LU_ACTIVE_OPTIMIZED);
	assert_check(RUN(r, 0, NULL, 512, READ10(0, 1)), SENSE_NOT_READY, 0x040c);
	assert_check(RUN(r, 0, NULL, 255, 0x1a, 0, 0x3f, 0, 255, 0), SENSE_NOT_READY, 0x040c);
	assert_good(RUN(r, 0, NULL, 512, REPORT(0, 512)));
	assert_good(RUN(r, 0, NULL, 96, 0x12, 0, 0, BE2(96), 0));
	assert_good(RUN(r, 0, NULL, 64, 0xa0, 0, 0, 0, 0, 0, BE4(64), 0, 0));
	rig_free(r);
}

static void a_change_is_told_to_every_nexus_once(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	set(r, LU_ACTIVE_OPTIMIZED, LU_STANDBY);
	assert_good(RUN(r, 0, NULL, 0, TUR));
	set(r, LU_ACTIVE_NON_OPTIMIZED, LU_ACTIVE_OPTIMIZED);
	set(r, LU_ACTIVE_NON_OPTIMIZED, LU_ACTIVE_OPTIMIZED);
	for (unsigned i = 0; i < 2; i++) {
		assert_check(RUN(r, i, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a06);
		assert_good(RUN(r, i, NULL, 0, TUR));
	}
	rig_free(r);
}

static void one_groups_state_is_changed_and_told_once(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	set(r, LU_ACTIVE_OPTIMIZED, LU_ACTIVE_OPTIMIZED);
	lu_set_access(r->lu, 1, LU_STANDBY);
	lu_set_access(r->lu, 1, LU_STANDBY);
	lu_set_access(r->lu, 9, LU_STANDBY); /* does not lead here */
	for (unsigned i = 0; i < 2; i++) {
		assert_check(RUN(r, i, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a06);
		assert_check(RUN(r, i, NULL, 0, TUR), SENSE_NOT_READY, 0x040b);
	}
	RUN(r, 0, NULL, 512, REPORT(0, 512));
	assert_int_equal(rig_in[4], LU_STANDBY);
	assert_int_equal(rig_in[16], LU_ACTIVE_OPTIMIZED);
	lu_set_access(r->lu, 2, LU_UNAVAILABLE);
	assert_check(RUN(r, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a06);
	rig_free(r);
}

static void no_initiator_sets_states(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	const uint8_t list[8] = { 0, 0, 0, 0, LU_STANDBY, 0, BE2(1) };

	(void)state;
	set(r, LU_ACTIVE_OPTIMIZED, LU_ACTIVE_OPTIMIZED);
	/* SET TARGET PORT GROUPS; TPGS of INQUIRY says that there is none. */
	assert_check(RUN(r, 0, list, 8, 0xa4, 0x0a, 0, 0, 0, 0, BE4(8), 0, 0),
		SENSE_ILLEGAL_REQUEST, 0x2000);
	RUN(r, 0, NULL, 512, REPORT(0, 512));
	assert_int_equal(rig_in[4], LU_ACTIVE_OPTIMIZED);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inquiry_says_that_there_are_groups),
		cmocka_unit_test(without_a_table_the_askers_group_is_told),
		cmocka_unit_test(the_table_is_told_whatever_is_asked_for),
		cmocka_unit_test(the_scsi_ports_page_names_every_port),
		cmocka_unit_test(without_a_table_the_scsi_ports_page_names_the_askers),
		cmocka_unit_test(ports_that_find_no_room_in_the_page_are_left_out),
		cmocka_unit_test(standby_keeps_medium_access_out),
		cmocka_unit_test(unavailable_keeps_more_out),
		cmocka_unit_test(a_change_is_told_to_every_nexus_once),
		cmocka_unit_test(one_groups_state_is_changed_and_told_once),
		cmocka_unit_test(no_initiator_sets_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
