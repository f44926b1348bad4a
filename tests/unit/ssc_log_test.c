/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LOG SENSE of tapes, and the memory in the cartridge.
 */
#include "tests/unit/ssc_support.h"

static struct result page(struct tape_rig *rig, uint8_t code)
{
	return TAPE(rig, NULL, 4096, 0x4d, 0, 0x40 | code, 0, 0, 0, 0, 0x10, 0, 0);
}

/* A parameter of a log page, or NULL. */
static const uint8_t *param(struct result res, uint16_t code)
{
	for (uint32_t at = 4; at + 4 <= res.in_got; at += 4u + res.in[at + 3])
		if (be16(res.in + at) == code)
			return res.in + at + 4;
	return NULL;
}

static uint64_t number(struct result res, uint16_t code)
{
	const uint8_t *p = param(res, code);
	uint64_t v = 0;

	assert_non_null(p);
	for (unsigned i = 0; i < p[-1]; i++)
		v = v << 8 | p[i];
	return v;
}

/* --- LOG SENSE ----------------------------------------------------------------------------- */

static void page_0_lists_the_pages(void **state)
{
	const uint8_t list[] = { 0x00, 0, 0, 13, 0x00, 0x02, 0x03, 0x0c, 0x11, 0x12, 0x14, 0x17, 0x1b,
		0x2e, 0x30, 0x31, 0x32 };
	struct tape_rig *rig = tape_rig_new(*state, 5);
	struct result res = page(rig, 0);

	assert_good(res);
	assert_int_equal(res.in_len, sizeof(list));
	assert_memory_equal(res.in, list, sizeof(list));
	assert_bad_cdb(page(rig, 0x2f), 2);
	tape_rig_free(rig);
}

static void every_page_is_a_list_of_parameters(void **state)
{
	static const uint8_t codes[] = { 0x02, 0x03, 0x0c, 0x11, 0x12, 0x14, 0x17, 0x1b, 0x2e, 0x30,
		0x31, 0x32 };

	for (int loaded = 0; loaded < 2; loaded++) {
		struct tape_rig *rig = loaded ? tape_rig_blank(state) : tape_rig_new(*state, 5);

		for (unsigned i = 0; i < sizeof(codes); i++) {
			struct result res = page(rig, codes[i]);
			uint32_t at = 4;

			assert_good(res);
			assert_int_equal(res.in[0], codes[i]);
			assert_int_equal(be16(res.in + 2), res.in_len - 4);
			while (at < res.in_len)
				at += 4u + res.in[at + 3];
			assert_int_equal(at, res.in_len);
		}
		tape_rig_free(rig);
	}
}

static void a_page_is_cut_to_the_allocation_length(void **state)
{
	struct tape_rig *rig = tape_rig_new(*state, 5);
	struct result res = TAPE(rig, NULL, 4096, 0x4d, 0, 0x40 | 0x2e, 0, 0, 0, 0, 0, 4, 0);

	assert_int_equal(res.in_len, 4);
	assert_int_equal(be16(res.in + 2), 64 * 5);
	tape_rig_free(rig);
}

static void the_parameter_pointer_leaves_out_what_comes_before(void **state)
{
	struct tape_rig *rig = tape_rig_new(*state, 5);
	struct result res = TAPE(rig, NULL, 4096, 0x4d, 0, 0x40 | 0x2e, 0, 0, 0, 60, 0x10, 0, 0);

	assert_int_equal(res.in_len, 4 + 5 * 5);
	assert_int_equal(be16(res.in + 4), 60);
	tape_rig_free(rig);
}

static void what_was_written_and_read_is_counted(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_write(rig, 40000, 1));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	assert_good(TAPE(rig, NULL, 40000, TAPE_READ(40000)));
	assert_int_equal(number(page(rig, 0x0c), 0), 40000);
	assert_int_equal(number(page(rig, 0x0c), 3), 40000);
	assert_true(number(page(rig, 0x0c), 1) < 40000); /* compressed */
	assert_true(number(page(rig, 0x32), 1) > 100);   /* percent */
	assert_int_equal(number(page(rig, 0x02), 5), 40000);
	tape_rig_free(rig);
}

static void the_volume_is_described(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res = page(rig, 0x17);

	assert_int_equal(number(res, 0), 1);
	assert_memory_equal(param(res, 0x42), "TEST01L5                        ", 32);
	assert_int_equal(number(res, 1), 2); /* loads: where it was made, and here */
	assert_int_equal(number(page(rig, 0x31), 1), 4); /* MiB that remain */
	tape_rig_free(rig);
}

/* The maker of the medium is that of its memory; drives call its kind like this. */
static void the_volume_has_a_maker_and_a_personality(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res = page(rig, 0x17);

	assert_memory_equal(param(res, 0x43), "CSIGN   ", 8);
	assert_memory_equal(param(res, 0x45), "Ultrium-5", 9);
	tape_rig_free(rig);
}

/* SSC-4 8.2.5: 000Ch would be power cycles; hard errors are 000Eh and 000Fh. */
static void the_device_statistics_have_their_own_codes(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res = page(rig, 0x14);

	assert_int_equal(number(res, 0x0000), 1);
	assert_int_equal(number(res, 0x000d), 1);
	assert_int_equal(number(res, 0x000e), 0);
	assert_int_equal(number(res, 0x000f), 0);
	assert_null(param(res, 0x0004));
	assert_null(param(res, 0x000c));
	assert_memory_equal(param(res, 0x0041), "1068000001", 10);
	tape_rig_free(rig);
}

/* Flags 17 and 60. */
static void a_cartridge_that_can_only_be_read_is_told_by_an_alert(void **state)
{
	struct tape_rig *rig;

	vtl_new_from(*state, (struct cartridge_cfg){ .barcode = "TEST01L3",
		.media = media_generation(3), .capacity = TAPE_CAPACITY });
	vtl_close(*state);
	rig = tape_rig_new(*state, 5);
	assert_int_equal(tape_in_job(rig, tape_do_insert), 0);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	assert_int_equal(number(page(rig, 0x12), 0), UINT64_C(1) << (64 - 17));
	assert_int_equal(tape_in_job(rig, tape_do_eject), 0);
	assert_int_equal(number(page(rig, 0x12), 0), 0);
	tape_rig_free(rig);
}

static void writing_over_a_worm_cartridge_is_told_by_an_alert(void **state)
{
	struct tape_rig *rig = tape_rig_loaded(*state, (struct cartridge_cfg){
		.barcode = "TEST01LV", .media = media_generation(5), .capacity = TAPE_CAPACITY,
		.worm = true });

	assert_good(tape_write(rig, 500, 1));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	assert_int_equal(number(page(rig, 0x2e), 60), 0);
	assert_check(tape_write(rig, 500, 2), SENSE_DATA_PROTECT, 0x300c);
	assert_int_equal(number(page(rig, 0x2e), 60), 1);
	tape_rig_free(rig);
}

static void the_device_status_says_that_a_cartridge_is_mounted(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_memory_equal(param(page(rig, 0x11), 0), "\x31\x17\0\0", 4);
	assert_int_equal(tape_in_job(rig, tape_do_eject), 0);
	assert_memory_equal(param(page(rig, 0x11), 0), "\x11\0\0\0", 4);
	tape_rig_free(rig);
}

static void a_tape_alert_is_told_once(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(TAPE(rig, NULL, 0, 0x1e, 0, 0, 0, 1, 0));
	assert_check(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0, 0), SENSE_ILLEGAL_REQUEST, 0x5302);
	assert_int_equal(number(page(rig, 0x12), 0), UINT64_C(1) << 54);
	assert_int_equal(number(page(rig, 0x2e), 10), 1);
	assert_int_equal(number(page(rig, 0x2e), 10), 0);
	tape_rig_free(rig);
}

static void a_tape_alert_is_told_to_each_host(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(TAPE(rig, NULL, 0, 0x1e, 0, 0, 0, 1, 0));
	for (unsigned i = 0; i < 2; i++) {
		assert_check(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0, 0), SENSE_ILLEGAL_REQUEST, 0x5302);
		assert_int_equal(number(page(rig, 0x2e), 10), 1);
		assert_int_equal(number(page(rig, 0x2e), 10), 0);
		assert_int_equal(number(RUN(rig->r, 1, NULL, 2000, 0x4d, 0, 0x6e, 0, 0, 0, 0,
			BE2(2000), 0), 10), 1);
	}
	tape_rig_free(rig);
}

/* SPC-5 6.8: INVALID FIELD IN CDB for a PARAMETER POINTER beyond the last one, and for PPC. */
static void what_log_sense_cannot_do_is_refused(void **state)
{
	struct tape_rig *rig = tape_rig_new(*state, 5);

	assert_bad_cdb(TAPE(rig, NULL, 4096, 0x4d, 0, 0x40 | 0x2e, 0, 0, 0, 65, 0x10, 0, 0), 5);
	assert_bad_cdb(TAPE(rig, NULL, 4096, 0x4d, 1, 0x40 | 0x2e, 0, 0, 0, 0, 0x10, 0, 0), 1);
	assert_bad_cdb(TAPE(rig, NULL, 4096, 0x4d, 2, 0x40 | 0x2e, 0, 0, 0, 0, 0x10, 0, 0), 1);
	tape_rig_free(rig);
}

/* --- LOG SELECT (SPC-5 6.7) ---------------------------------------------------------------- */

static struct result reset(struct tape_rig *rig, uint8_t code)
{
	return TAPE(rig, NULL, 0, 0x4c, 0x02, 0x40 | code, 0, 0, 0, 0, 0, 0, 0);
}

static void log_select_begins_the_counters_of_one_page_anew(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_write(rig, 40000, 1));
	assert_good(reset(rig, 0x02));
	assert_int_equal(number(page(rig, 0x02), 5), 0);
	assert_int_equal(number(page(rig, 0x0c), 0), 40000);
	assert_good(tape_write(rig, 1000, 2));
	assert_int_equal(number(page(rig, 0x02), 5), 1000);
	assert_int_equal(number(page(rig, 0x0c), 0), 41000);
	tape_rig_free(rig);
}

static void log_select_of_page_0_begins_all_that_can_be_anew(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_write(rig, 2000000, 1));
	assert_good(reset(rig, 0x00));
	assert_int_equal(number(page(rig, 0x02), 5), 0);
	assert_int_equal(number(page(rig, 0x0c), 0), 0);
	assert_int_equal(number(page(rig, 0x1b), 6), 0);
	assert_int_equal(number(page(rig, 0x32), 6), 0);
	assert_int_equal(number(page(rig, 0x17), 0x10), 2); /* megabytes of its life */
	assert_int_equal(number(page(rig, 0x30), 2), 1);
	tape_rig_free(rig);
}

/* PC=11b stands for the same without PCR: the default cumulative values. */
static void log_select_of_default_values_resets(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_write(rig, 40000, 1));
	assert_good(TAPE(rig, NULL, 0, 0x4c, 0, 0x40 | 0x02, 0, 0, 0, 0, 0, 0, 0));
	assert_int_equal(number(page(rig, 0x02), 5), 40000);
	assert_good(TAPE(rig, NULL, 0, 0x4c, 0, 0xc0 | 0x02, 0, 0, 0, 0, 0, 0, 0));
	assert_int_equal(number(page(rig, 0x02), 5), 0);
	tape_rig_free(rig);
}

static void counters_of_another_cartridge_begin_at_zero(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_write(rig, 40000, 1));
	assert_good(reset(rig, 0x00));
	assert_int_equal(tape_in_job(rig, tape_do_eject), 0);
	assert_int_equal(tape_in_job(rig, tape_do_insert), 0);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	assert_int_equal(number(page(rig, 0x0c), 0), 0);
	assert_int_equal(number(page(rig, 0x02), 5), 0);
	tape_rig_free(rig);
}

static void log_select_takes_alerts_down_and_tells_others(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(TAPE(rig, NULL, 0, 0x1e, 0, 0, 0, 1, 0));
	assert_check(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0, 0), SENSE_ILLEGAL_REQUEST, 0x5302);
	assert_good(reset(rig, 0x2e));
	assert_int_equal(number(page(rig, 0x12), 0), 0);
	assert_int_equal(number(page(rig, 0x2e), 10), 0);
	assert_check(RUN(rig->r, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a02);
	tape_rig_free(rig);
}

static void log_select_keeps_its_hands_off_what_is_counted_for_life(void **state)
{
	static const uint8_t codes[] = { 0x11, 0x12, 0x14, 0x17, 0x30, 0x31, 0x2f };
	struct tape_rig *rig = tape_rig_new(*state, 5);

	for (unsigned i = 0; i < sizeof(codes); i++)
		assert_bad_cdb(reset(rig, codes[i]), 2);
	tape_rig_free(rig);
}

static void log_select_takes_no_list_and_saves_nothing(void **state)
{
	const uint8_t list[] = { 0x02, 0, 0, 8, 0, 0, 3, 4, 0, 0, 0, 0 };
	struct tape_rig *rig = tape_rig_new(*state, 5);

	assert_bad_cdb(TAPE(rig, list, 12, 0x4c, 0, 0x40, 0, 0, 0, 0, 0, 12, 0), 7);
	assert_bad_cdb(TAPE(rig, list, 12, 0x4c, 2, 0x40, 0, 0, 0, 0, 0, 12, 0), 7);
	assert_bad_cdb(TAPE(rig, NULL, 0, 0x4c, 1, 0x42, 0, 0, 0, 0, 0, 0, 0), 1);
	tape_rig_free(rig);
}

/* --- attributes (SPC-5 6.19, 6.49, 7.4) ----------------------------------------------------- */

static struct result attributes(struct tape_rig *rig, uint8_t service, uint16_t first)
{
	return TAPE(rig, NULL, 65536, 0x8c, service, 0, 0, 0, 0, 0, 0, BE2(first), BE4(65536), 0, 0);
}

/* The value of an attribute in a list of them, or NULL. */
static const uint8_t *attribute(struct result res, uint16_t id)
{
	for (uint32_t at = 4; at + 5 <= res.in_got; at += 5u + be16(res.in + at + 3))
		if (be16(res.in + at) == id)
			return res.in + at + 5;
	return NULL;
}

static void the_memory_tells_of_the_medium(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res = attributes(rig, 0, 0);

	assert_good(res);
	assert_int_equal(be32(res.in), res.in_len - 4);
	assert_int_equal(be64(attribute(res, 0x0001)), 4); /* maximum capacity, MiB */
	assert_int_equal(attribute(res, 0x0405)[0], 0x58); /* density */
	assert_memory_equal(attribute(res, 0x020a), "IBM     1068000001", 18);
	tape_rig_free(rig);
}

static void attributes_begin_with_the_first_that_is_asked_for(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res = attributes(rig, 0, 0x0401);

	assert_int_equal(be16(res.in + 4), 0x0401);
	res = attributes(rig, 1, 0x0400);
	assert_int_equal(be16(res.in + 4), 0x0400);
	assert_int_equal(be16(res.in + 6), 0x0401);
	tape_rig_free(rig);
}

/* Who asks for one, as LTFS does, takes the first that comes for it. */
static void an_attribute_that_is_not_there_is_refused_and_not_the_next_one_given(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_bad_cdb(attributes(rig, 0, 0x080c), 8);
	assert_bad_cdb(attributes(rig, 0, 0x0302), 8);
	assert_bad_cdb(attributes(rig, 1, 0x080c), 8);
	assert_good(attributes(rig, 0, 0x0409)); /* the last that there is */
	tape_rig_free(rig);
}

static void a_host_attribute_is_written_read_and_removed(void **state)
{
	const uint8_t list[] = { 0, 0, 0, 13, 0x08, 0x00, 0x01, 0, 8, 'B', 'A', 'C', 'U', 'L', 'A',
		' ', ' ' };
	const uint8_t removal[] = { 0, 0, 0, 5, 0x08, 0x00, 0x01, 0, 0 };
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(TAPE(rig, list, sizeof(list), 0x8d, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		BE4(sizeof(list)), 0, 0));
	assert_memory_equal(attribute(attributes(rig, 0, 0x0800), 0x0800), "BACULA  ", 8);
	assert_good(TAPE(rig, removal, sizeof(removal), 0x8d, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		BE4(sizeof(removal)), 0, 0));
	assert_bad_cdb(attributes(rig, 0, 0x0800), 8);
	tape_rig_free(rig);
}

static void the_volume_change_reference_changes_with_the_first_write_after_it_was_read(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	uint32_t before, after;

	assert_good(tape_write(rig, 100, 0));
	before = be32(attribute(attributes(rig, 0, 0x0009), 0x0009));
	assert_int_equal(be32(attribute(attributes(rig, 0, 0x0009), 0x0009)), before);
	assert_good(tape_write(rig, 100, 1));
	assert_good(tape_write(rig, 100, 2));
	after = be32(attribute(attributes(rig, 0, 0x0000), 0x0009));
	assert_int_equal(after, before + 1);
	assert_good(tape_marks(rig, 1));
	assert_int_equal(be32(attribute(attributes(rig, 0, 0x0009), 0x0009)), after + 1);
	tape_rig_free(rig);
}

static void a_vendor_attribute_may_be_text_but_of_no_format_that_is_reserved(void **state)
{
	uint8_t list[] = { 0, 0, 0, 9, 0x14, 0x00, 0x02, 0, 4, 't', 'e', 'x', 't' };
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(TAPE(
		rig, list, sizeof(list), 0x8d, 0, 0, 0, 0, 0, 0, 0, 0, 0, BE4(sizeof(list)), 0, 0));
	res = attributes(rig, 0, 0x1400);
	assert_memory_equal(res.in + 4, "\x14\0\x02\0\x04text", 9);
	list[6] = 0x03;
	assert_bad_list(TAPE(rig, list, sizeof(list), 0x8d, 0, 0, 0, 0, 0, 0, 0, 0, 0,
				BE4(sizeof(list)), 0, 0),
		4);
	tape_rig_free(rig);
}

static void of_a_list_with_a_fault_nothing_is_written(void **state)
{
	const uint8_t list[] = { 0, 0, 0, 27, 0x08, 0x00, 0x01, 0, 8, 'B', 'A', 'C', 'U', 'L', 'A',
		' ', ' ', 0x00, 0x01, 0x00, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0 };
	struct tape_rig *rig = tape_rig_blank(state);

	assert_bad_list(TAPE(rig, list, sizeof(list), 0x8d, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		BE4(sizeof(list)), 0, 0), 17);
	assert_bad_cdb(attributes(rig, 0, 0x0800), 8);
	tape_rig_free(rig);
}

static void a_list_that_ends_early_is_too_short(void **state)
{
	const uint8_t list[] = { 0, 0, 0, 13, 0x08, 0x00, 0x01, 0, 8, 'B' };
	struct tape_rig *rig = tape_rig_blank(state);

	assert_check(TAPE(rig, list, sizeof(list), 0x8d, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		BE4(sizeof(list)), 0, 0), SENSE_ILLEGAL_REQUEST, 0x1a00);
	tape_rig_free(rig);
}

static void there_is_one_volume_and_one_partition(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_memory_equal(attributes(rig, 2, 0).in, "\0\2\0\1", 4);
	assert_memory_equal(attributes(rig, 3, 0).in, "\0\2\0\1", 4);
	assert_bad_cdb(attributes(rig, 4, 0), 1);
	tape_rig_free(rig);
}

static void what_is_held_can_be_asked_and_what_is_unloaded_cannot(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0x08, 0));
	assert_good(attributes(rig, 0, 0));
	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0x00, 0));
	assert_check(attributes(rig, 0, 0), SENSE_NOT_READY, 0x3a00);
	tape_rig_free(rig);
}

static void the_volume_that_is_held_is_the_one_that_was_loaded(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result loaded, held;
	uint8_t before[4096];

	assert_good(tape_write(rig, 5000, 1));
	assert_good(tape_write(rig, 5000, 2));
	loaded = page(rig, 0x17);
	memcpy(before, loaded.in, loaded.in_got);
	assert_int_equal(number(loaded, 0x0002), 2); /* blocks written */
	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0x08, 0));
	held = page(rig, 0x17);
	assert_int_equal(held.in_got, loaded.in_got);
	assert_memory_equal(held.in, before, held.in_got);
	assert_int_equal(number(page(rig, 0x31), 3), TAPE_CAPACITY >> 20);
	tape_rig_free(rig);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, vtl_setup, vtl_teardown)
	const struct CMUnitTest tests[] = {
		TEST(page_0_lists_the_pages),
		TEST(every_page_is_a_list_of_parameters),
		TEST(a_page_is_cut_to_the_allocation_length),
		TEST(the_parameter_pointer_leaves_out_what_comes_before),
		TEST(what_was_written_and_read_is_counted),
		TEST(the_volume_is_described),
		TEST(the_device_status_says_that_a_cartridge_is_mounted),
		TEST(the_volume_has_a_maker_and_a_personality),
		TEST(the_device_statistics_have_their_own_codes),
		TEST(a_cartridge_that_can_only_be_read_is_told_by_an_alert),
		TEST(writing_over_a_worm_cartridge_is_told_by_an_alert),
		TEST(a_tape_alert_is_told_once),
		TEST(a_tape_alert_is_told_to_each_host),
		TEST(what_log_sense_cannot_do_is_refused),
		TEST(log_select_begins_the_counters_of_one_page_anew),
		TEST(log_select_of_page_0_begins_all_that_can_be_anew),
		TEST(log_select_of_default_values_resets),
		TEST(counters_of_another_cartridge_begin_at_zero),
		TEST(log_select_takes_alerts_down_and_tells_others),
		TEST(log_select_keeps_its_hands_off_what_is_counted_for_life),
		TEST(log_select_takes_no_list_and_saves_nothing),
		TEST(the_memory_tells_of_the_medium),
		TEST(attributes_begin_with_the_first_that_is_asked_for),
		TEST(an_attribute_that_is_not_there_is_refused_and_not_the_next_one_given),
		TEST(a_host_attribute_is_written_read_and_removed),
		TEST(the_volume_change_reference_changes_with_the_first_write_after_it_was_read),
		TEST(a_vendor_attribute_may_be_text_but_of_no_format_that_is_reserved),
		TEST(of_a_list_with_a_fault_nothing_is_written),
		TEST(a_list_that_ends_early_is_too_short),
		TEST(there_is_one_volume_and_one_partition),
		TEST(what_is_held_can_be_asked_and_what_is_unloaded_cannot),
		TEST(the_volume_that_is_held_is_the_one_that_was_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
