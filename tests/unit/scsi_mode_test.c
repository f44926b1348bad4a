/* SPDX-License-Identifier: BSD-2-Clause */
/* Mode pages: what is told, what can be changed, what that does, and lists that are wrong. */
#include "tests/unit/scsi_support.h"

#define SENSE6(dbd, pc, page, sub) 0x1a, (dbd) << 3, (uint8_t)((pc) << 6 | (page)), sub, 255, 0
#define SENSE10(flags, pc, page, sub) \
	0x5a, flags, (uint8_t)((pc) << 6 | (page)), sub, 0, 0, 0, BE2(512), 0
#define SELECT6(len)  0x15, 0x10, 0, 0, len, 0
#define SELECT10(len) 0x55, 0x10, 0, 0, 0, 0, 0, BE2(len), 0

/* The control page as it is by default, with its changeable bytes. */
#define CONTROL(d_sense, swp, tas) \
	0x0a, 0x0a, 0x02 | (d_sense) << 2, 0x10, (swp) << 3, (tas) << 6, 0, 0, 0xff, 0xff, 0, 0

static struct rig *rig;
static uint8_t block[512];

static int setup(void **state)
{
	rig = rig_create((struct rig_cfg){ .faulty = true });
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_free(rig);
	return 0;
}

static void the_header_tells_dpofua_and_the_block_descriptor(void **state)
{
	struct result res = RUN(rig, 0, NULL, 255, SENSE6(0, 0, 0x08, 0));

	(void)state;
	assert_good(res);
	assert_int_equal(res.in_len, 4 + 8 + 20);
	assert_memory_equal(rig_in, ((const uint8_t[]){ 31, 0, 0x10, 8, BE4(4096), BE4(512) }), 12);
	assert_memory_equal(rig_in + 12, ((const uint8_t[]){ 0x08, 0x12, 0x04 }), 3);
}

static void dbd_leaves_the_block_descriptor_out(void **state)
{
	(void)state;
	assert_int_equal(RUN(rig, 0, NULL, 255, SENSE6(1, 0, 0x08, 0)).in_len, 4 + 20);
	assert_int_equal(rig_in[3], 0);
}

static void llbaa_gives_the_long_block_descriptor(void **state)
{
	struct result res = RUN(rig, 0, NULL, 512, SENSE10(0x10, 0, 0x0a, 0));

	(void)state;
	assert_int_equal(res.in_len, 8 + 16 + 12);
	assert_memory_equal(rig_in,
		((const uint8_t[]){ BE2(34), 0, 0x10, 1, 0, BE2(16), BE8(4096), BE4(0), BE4(512) }),
		24);
}

static void all_pages_are_those_without_subpages(void **state)
{
	struct result res = RUN(rig, 0, NULL, 512, SENSE10(8, 0, 0x3f, 0));

	(void)state;
	assert_int_equal(res.in_len, 8 + 12 + 16 + 20 + 12 + 40 + 12);
	assert_int_equal(rig_in[8], 0x01);
	res = RUN(rig, 0, NULL, 512, SENSE10(8, 0, 0x3f, 0xff));
	assert_int_equal(res.in_len, 8 + 12 + 16 + 20 + 12 + 32 + 40 + 12);
	res = RUN(rig, 0, NULL, 512, SENSE10(8, 0, 0x0a, 0xff));
	assert_int_equal(res.in_len, 8 + 12 + 32);
	res = RUN(rig, 0, NULL, 512, SENSE10(8, 0, 0x0a, 0x01));
	assert_int_equal(res.in_len, 8 + 32);
}

static void the_whole_fits_into_mode_sense_6(void **state)
{
	(void)state;
	assert_true(RUN(rig, 0, NULL, 255, SENSE6(0, 0, 0x3f, 0xff)).in_len < 255);
}

static void changeable_values_are_masks(void **state)
{
	(void)state;
	assert_good(RUN(rig, 0, NULL, 255, SENSE6(1, 1, 0x0a, 0)));
	assert_memory_equal(rig_in + 4,
		((const uint8_t[]){ 0x0a, 0x0a, 0x04, 0x06, 0x08, 0x40, 0, 0, 0, 0, 0, 0 }), 12);
}

static void pages_that_are_not_there_are_refused(void **state)
{
	(void)state;
	assert_bad_cdb(RUN(rig, 0, NULL, 255, SENSE6(0, 0, 0x03, 0)), 2);
	assert_bad_cdb(RUN(rig, 0, NULL, 255, SENSE6(0, 0, 0x0a, 2)), 2);
}

static void saved_values_are_not_there(void **state)
{
	(void)state;
	assert_check(RUN(rig, 0, NULL, 255, SENSE6(0, 3, 0x0a, 0)), SENSE_ILLEGAL_REQUEST, 0x3900);
}

static void swp_protects_the_disk(void **state)
{
	(void)state;
	assert_good(
		RUN(rig, 0, ((const uint8_t[]){ 0, 0, 0, 0, CONTROL(0, 1, 1) }), 16, SELECT6(16)));
	assert_check(RUN(rig, 0, block, 512, WRITE10(0, 1)), SENSE_DATA_PROTECT, 0x2700);
	assert_good(RUN(rig, 0, NULL, 512, READ10(0, 1)));
	RUN(rig, 0, NULL, 255, SENSE6(1, 0, 0x0a, 0));
	assert_int_equal(rig_in[2], 0x90);
	assert_int_equal(rig_in[8], 0x08);
	assert_good(
		RUN(rig, 0, ((const uint8_t[]){ 0, 0, 0, 0, CONTROL(0, 0, 1) }), 16, SELECT6(16)));
	assert_good(RUN(rig, 0, block, 512, WRITE10(0, 1)));
}

static void d_sense_changes_the_format_of_sense_data(void **state)
{
	uint8_t buf[SENSE_MAX];
	struct scsi_task t;

	(void)state;
	assert_good(
		RUN(rig, 0, ((const uint8_t[]){ 0, 0, 0, 0, CONTROL(1, 0, 1) }), 16, SELECT6(16)));
	rig_task(&t, &rig->nexus[0], 0, (const uint8_t[]){ READ10(9999, 1) }, 10, SCSI_DIR_IN, 512);
	assert_int_equal(scsi_task_start(&t), SCSI_DONE);
	assert_int_equal(scsi_task_sense(&t, buf), 8);
	assert_int_equal(buf[0], 0x72);
	scsi_task_release(&t);
}

static void without_wce_every_write_is_durable(void **state)
{
	static const uint8_t off[] = { 0, 0, 0, 0, 0x08, 0x12, 0, [23] = 0 };
	struct scsi_task t;

	(void)state;
	rig_task(&t, &rig->nexus[0], 0, (const uint8_t[]){ WRITE10(0, 1) }, 10, SCSI_DIR_OUT, 512);
	assert_good(rig_finish(&t, block));
	assert_int_equal(t.io.flags, 0);
	assert_good(RUN(rig, 0, off, sizeof(off), SELECT6(sizeof(off))));
	rig_task(&t, &rig->nexus[0], 0, (const uint8_t[]){ WRITE10(0, 1) }, 10, SCSI_DIR_OUT, 512);
	assert_good(rig_finish(&t, block));
	assert_int_equal(t.io.flags, STORE_FUA);
}

static void a_disk_without_a_write_cache_says_so_and_writes_through(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true, .write_through = true });
	struct scsi_task t;

	(void)state;
	for (unsigned control = 0; control <= 2; control += 2) { /* current, default */
		RUN(r, 0, NULL, 255, SENSE6(1, control, 0x08, 0));
		assert_memory_equal(rig_in + 4, ((const uint8_t[]){ 0x08, 0x12, 0x00 }), 3);
	}
	rig_task(&t, &r->nexus[0], 0, (const uint8_t[]){ WRITE10(0, 1) }, 10, SCSI_DIR_OUT, 512);
	assert_good(rig_finish(&t, block));
	assert_int_equal(t.io.flags, STORE_FUA);
	rig_free(r);
}

static void a_change_is_told_to_the_other_initiators_once(void **state)
{
	(void)state;
	assert_good(
		RUN(rig, 0, ((const uint8_t[]){ 0, 0, 0, 0, CONTROL(1, 0, 1) }), 16, SELECT6(16)));
	assert_good(RUN(rig, 0, NULL, 0, TUR));
	assert_check(RUN(rig, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a01);
	assert_good(RUN(rig, 1, NULL, 0, TUR));
}

static void a_list_that_changes_nothing_is_not_told(void **state)
{
	(void)state;
	assert_good(
		RUN(rig, 0, ((const uint8_t[]){ 0, 0, 0, 0, CONTROL(0, 0, 1) }), 16, SELECT6(16)));
	assert_good(RUN(rig, 1, NULL, 0, TUR));
}

static void an_empty_list_is_no_error(void **state)
{
	(void)state;
	assert_good(RUN(rig, 0, NULL, 0, SELECT6(0)));
	assert_good(RUN(rig, 0, NULL, 0, SELECT10(0)));
}

static void a_block_descriptor_may_repeat_the_geometry(void **state)
{
	(void)state;
	assert_good(RUN(rig, 0,
		((const uint8_t[]){ 0, 0, 0, 8, BE4(4096), BE4(512), CONTROL(0, 0, 1) }), 24,
		SELECT6(24)));
	assert_good(
		RUN(rig, 0, ((const uint8_t[]){ 0, 0, 0, 8, BE4(0), BE4(512) }), 12, SELECT6(12)));
	assert_good(RUN(rig, 0,
		((const uint8_t[]){ 0, 0, 0, 0, 1, 0, BE2(16), BE8(4096), BE4(0), BE4(512) }), 24,
		SELECT10(24)));
	assert_bad_list(RUN(rig, 0, ((const uint8_t[]){ 0, 0, 0, 8, BE4(4096), BE4(1024) }), 12,
				SELECT6(12)),
		9);
	assert_bad_list(RUN(rig, 0, ((const uint8_t[]){ 0, 0, 0, 8, BE4(4095), BE4(512) }), 12,
				SELECT6(12)),
		4);
	assert_bad_list(
		RUN(rig, 0, ((const uint8_t[]){ 0, 0, 0, 7, BE4(0), BE4(512) }), 12, SELECT6(12)),
		3);
}

static void a_bit_that_cannot_change_is_pointed_at(void **state)
{
	static const uint8_t list[] = { 0, 0, 0, 0, 0x0a, 0x0a, 0x02, 0x11, 0, 0x40, 0, 0, 0xff,
		0xff, 0, 0 };
	struct result res = RUN(rig, 0, list, 16, SELECT6(16));

	(void)state;
	assert_bad_list(res, 7);
	assert_int_equal(res.sense.sks[0] & 0x0f, 0x08 | 0);
}

static void nothing_is_taken_of_a_list_with_an_error(void **state)
{
	static const uint8_t list[] = { 0, 0, 0, 0, CONTROL(1, 1, 1), 0x08, 0x12, 0x05, [35] = 0 };

	(void)state;
	assert_bad_list(RUN(rig, 0, list, 36, SELECT6(36)), 18);
	RUN(rig, 0, NULL, 255, SENSE6(1, 0, 0x0a, 0));
	assert_memory_equal(rig_in + 4, ((const uint8_t[]){ CONTROL(0, 0, 1) }), 12);
}

/* Cut anywhere inside, a list is too short; what came is less than what was announced, or the
 * announced length itself ends within a page. */
static void a_list_that_is_cut_is_too_short(void **state)
{
	static const uint8_t list[] = { 0, 0, 0, 8, BE4(4096), BE4(512), CONTROL(1, 0, 1) };

	(void)state;
	for (uint32_t len = 1; len < sizeof(list); len++) {
		if (len == 12)
			continue;
		assert_check(RUN(rig, 0, list, len, SELECT6((uint8_t)len)), SENSE_ILLEGAL_REQUEST,
			0x1a00);
		assert_check(RUN(rig, 0, list, len, SELECT6(sizeof(list))), SENSE_ILLEGAL_REQUEST,
			0x1a00);
	}
	RUN(rig, 0, NULL, 255, SENSE6(1, 0, 0x0a, 0));
	assert_int_equal(rig_in[6], 0x02);
}

static void a_page_of_the_wrong_length_is_refused(void **state)
{
	static const uint8_t list[] = { 0, 0, 0, 0, 0x0a, 0x09, 2, 0x10, 0, 0x40, 0, 0, 0xff, 0xff,
		0 };

	(void)state;
	assert_bad_list(RUN(rig, 0, list, 15, SELECT6(15)), 5);
}

static void saving_and_foreign_formats_are_refused(void **state)
{
	(void)state;
	assert_bad_cdb(RUN(rig, 0, block, 16, 0x15, 0x11, 0, 0, 16, 0), 1);
	assert_bad_cdb(RUN(rig, 0, block, 16, 0x15, 0x00, 0, 0, 16, 0), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_header_tells_dpofua_and_the_block_descriptor),
		T(dbd_leaves_the_block_descriptor_out),
		T(llbaa_gives_the_long_block_descriptor),
		T(all_pages_are_those_without_subpages),
		T(the_whole_fits_into_mode_sense_6),
		T(changeable_values_are_masks),
		T(pages_that_are_not_there_are_refused),
		T(saved_values_are_not_there),
		T(swp_protects_the_disk),
		T(d_sense_changes_the_format_of_sense_data),
		T(without_wce_every_write_is_durable),
		cmocka_unit_test(a_disk_without_a_write_cache_says_so_and_writes_through),
		T(a_change_is_told_to_the_other_initiators_once),
		T(a_list_that_changes_nothing_is_not_told),
		T(an_empty_list_is_no_error),
		T(a_block_descriptor_may_repeat_the_geometry),
		T(a_bit_that_cannot_change_is_pointed_at),
		T(nothing_is_taken_of_a_list_with_an_error),
		T(a_list_that_is_cut_is_too_short),
		T(a_page_of_the_wrong_length_is_refused),
		T(saving_and_foreign_formats_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
