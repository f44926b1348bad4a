/* SPDX-License-Identifier: BSD-2-Clause */
/* Unit attentions: each once, the foremost first, to whom they concern; maps that change. */
#include <errno.h>

#include "tests/unit/scsi_support.h"

#define REPORT_LUNS(select) 0xa0, 0, select, 0, 0, 0, BE4(256), 0, 0
#define REQUEST_SENSE       0x03, 0, 0, 0, 18, 0

/* Puts another map up; for the nexus i alone. */
static void remap(struct rig *r, unsigned i, const struct lun_entry *e, unsigned n)
{
	struct lun_map *m;

	assert_int_equal(lun_map_create(e, n, &m), 0);
	assert_int_equal(nexus_remap(&r->nexus[i], m), 0);
	lun_map_unref(m);
}

static void first_contact_is_told_once_to_each_nexus(void **state)
{
	struct rig *r = rig_create_quietly((struct rig_cfg){ 0 });

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		assert_check(RUN(r, i, NULL, 512, READ10(0, 1)), SENSE_UNIT_ATTENTION, 0x2900);
		assert_good(RUN(r, i, NULL, 512, READ10(0, 1)));
	}
	rig_free(r);
}

static void some_commands_leave_an_attention_where_it_is(void **state)
{
	struct rig *r = rig_create_quietly((struct rig_cfg){ 0 });

	(void)state;
	assert_good(RUN(r, 0, NULL, 96, 0x12, 0, 0, BE2(96), 0));
	assert_good(RUN(r, 0, NULL, 96, REPORT_LUNS(0)));
	assert_check(RUN(r, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2900);
	rig_free(r);
}

static void request_sense_takes_an_attention_as_data(void **state)
{
	struct rig *r = rig_create_quietly((struct rig_cfg){ 0 });

	(void)state;
	assert_good(RUN(r, 0, NULL, 18, REQUEST_SENSE));
	assert_int_equal(rig_in[2], SENSE_UNIT_ATTENTION);
	assert_int_equal(be16(rig_in + 12), 0x2900);
	assert_good(RUN(r, 0, NULL, 0, TUR));
	assert_good(RUN(r, 0, NULL, 18, REQUEST_SENSE));
	assert_int_equal(rig_in[2], SENSE_NO_SENSE);
	rig_free(r);
}

static void request_sense_speaks_in_the_format_asked_for(void **state)
{
	struct rig *r = rig_create_quietly((struct rig_cfg){ 0 });

	(void)state;
	assert_int_equal(RUN(r, 0, NULL, 64, 0x03, 1, 0, 0, 64, 0).in_len, 8);
	assert_memory_equal(rig_in, ((const uint8_t[]){ 0x72, 6, 0x29, 0 }), 4);
	rig_free(r);
}

static void an_unknown_command_is_told_the_attention_first(void **state)
{
	struct rig *r = rig_create_quietly((struct rig_cfg){ 0 });

	(void)state;
	assert_check(RUN(r, 0, NULL, 0, 0xff), SENSE_UNIT_ATTENTION, 0x2900);
	assert_check(RUN(r, 0, NULL, 0, 0xff), SENSE_ILLEGAL_REQUEST, 0x2000);
	rig_free(r);
}

static void a_resize_is_told_to_every_nexus_once(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 4096 });

	(void)state;
	assert_int_equal(store_resize(r->store, 8192 * 512), 0);
	lu_resized(r->lu);
	lu_resized(r->lu);
	for (unsigned i = 0; i < 2; i++) {
		assert_check(RUN(r, i, NULL, 512, READ10(8191, 1)), SENSE_UNIT_ATTENTION, 0x2a09);
		assert_good(RUN(r, i, NULL, 512, READ10(8191, 1)));
	}
	assert_int_equal(lu_size(r->lu), 8192 * 512);
	rig_free(r);
}

static void the_foremost_attention_comes_first(void **state)
{
	struct rig *r = rig_create_quietly((struct rig_cfg){ 0 });

	(void)state;
	assert_int_equal(store_resize(r->store, 8192 * 512), 0);
	lu_resized(r->lu);
	assert_check(RUN(r, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2900);
	assert_check(RUN(r, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a09);
	assert_good(RUN(r, 0, NULL, 0, TUR));
	rig_free(r);
}

static void another_map_is_told_once_to_the_nexus_by_whichever_unit(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	struct lun_entry e[] = { { 0, r->lu }, { 3, r->lu } };

	(void)state;
	remap(r, 0, e, 2);
	assert_check(RUN(r, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x3f0e);
	assert_good(RUN(r, 0, NULL, 0, TUR));
	/* The new one: its own first contact, and not the map again. */
	assert_check(rig_run(&r->nexus[0], UINT64_C(3) << 48, (const uint8_t[]){ TUR }, 6, NULL, 0),
		SENSE_UNIT_ATTENTION, 0x2900);
	assert_good(rig_run(&r->nexus[0], UINT64_C(3) << 48, (const uint8_t[]){ TUR }, 6, NULL, 0));
	assert_good(RUN(r, 1, NULL, 0, TUR));
	rig_free(r);
}

static void who_lists_the_luns_needs_not_be_told(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	struct lun_entry e[] = { { 0, r->lu }, { 3, r->lu } };

	(void)state;
	remap(r, 0, e, 2);
	assert_int_equal(RUN(r, 0, NULL, 256, REPORT_LUNS(0)).in_len, 24);
	assert_good(RUN(r, 0, NULL, 0, TUR));
	rig_free(r);
}

static void the_same_map_is_not_told(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	struct lun_entry e[] = { { 0, r->lu } };

	(void)state;
	remap(r, 0, e, 1);
	assert_good(RUN(r, 0, NULL, 0, TUR));
	rig_free(r);
}

static void a_unit_that_left_is_gone_for_the_nexus(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	struct lun_entry e[] = { { 1, r->lu } };
	struct lun_map *m;

	(void)state;
	assert_int_equal(lun_map_create(e, 1, &m), 0);
	assert_true(nexus_loses(&r->nexus[0], m, r->lu));
	lun_map_unref(m);
	remap(r, 0, e, 1);
	assert_check(RUN(r, 0, NULL, 0, TUR), SENSE_ILLEGAL_REQUEST, 0x2500);
	assert_null(nexus_lu(&r->nexus[0], 0));
	assert_ptr_equal(nexus_lu(&r->nexus[0], UINT64_C(1) << 48), r->lu);
	remap(r, 0, NULL, 0);
	assert_null(nexus_lu(&r->nexus[0], UINT64_C(1) << 48));
	assert_int_equal(RUN(r, 0, NULL, 256, REPORT_LUNS(0)).in_len, 8);
	rig_free(r);
}

static void report_luns_lists_by_number_in_both_forms(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	struct lun_entry e[] = { { LUN_MAX, r->lu }, { 255, r->lu }, { 256, r->lu }, { 0, r->lu } };

	(void)state;
	remap(r, 0, e, 4);
	assert_int_equal(RUN(r, 0, NULL, 256, REPORT_LUNS(2)).in_len, 40);
	assert_memory_equal(rig_in,
		((const uint8_t[]){ BE4(32), BE4(0), BE8(0), BE2(0x00ff), BE2(0), BE4(0),
			BE2(0x4100), BE2(0), BE4(0), BE2(0x7fff), BE2(0), BE4(0) }),
		40);
	assert_ptr_equal(nexus_lu(&r->nexus[0], UINT64_C(0x7fff) << 48), r->lu);
	rig_free(r);
}

static void report_luns_knows_its_selections(void **state)
{
	static const uint8_t all[] = { 0x00, 0x02, 0x11 }, none[] = { 0x01, 0x10, 0x12 };
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(RUN(r, 0, NULL, 256, REPORT_LUNS(all[i])).in_len, 16);
		assert_int_equal(RUN(r, 0, NULL, 256, REPORT_LUNS(none[i])).in_len, 8);
	}
	assert_bad_cdb(RUN(r, 0, NULL, 256, REPORT_LUNS(0x03)), 2);
	assert_bad_cdb(RUN(r, 0, NULL, 256, REPORT_LUNS(0xff)), 2);
	rig_free(r);
}

static void luns_of_a_map_differ_and_have_a_limit(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	struct lun_entry twice[] = { { 7, r->lu }, { 7, r->lu } };
	struct lun_entry high[] = { { LUN_MAX + 1, r->lu } };
	struct lun_map *m = NULL;

	(void)state;
	assert_int_equal(lun_map_create(twice, 2, &m), -EEXIST);
	assert_int_equal(lun_map_create(high, 1, &m), -EINVAL);
	assert_null(m);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_contact_is_told_once_to_each_nexus),
		cmocka_unit_test(some_commands_leave_an_attention_where_it_is),
		cmocka_unit_test(request_sense_takes_an_attention_as_data),
		cmocka_unit_test(request_sense_speaks_in_the_format_asked_for),
		cmocka_unit_test(an_unknown_command_is_told_the_attention_first),
		cmocka_unit_test(a_resize_is_told_to_every_nexus_once),
		cmocka_unit_test(the_foremost_attention_comes_first),
		cmocka_unit_test(another_map_is_told_once_to_the_nexus_by_whichever_unit),
		cmocka_unit_test(who_lists_the_luns_needs_not_be_told),
		cmocka_unit_test(the_same_map_is_not_told),
		cmocka_unit_test(a_unit_that_left_is_gone_for_the_nexus),
		cmocka_unit_test(report_luns_lists_by_number_in_both_forms),
		cmocka_unit_test(report_luns_knows_its_selections),
		cmocka_unit_test(luns_of_a_map_differ_and_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
