/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a drive refuses, with the byte that is wrong, and what it says of cartridges that are not for
 * it.
 */
#include <errno.h>
#include <sys/resource.h>

#include "scsi/op.h"
#include "tests/unit/ssc_support.h"

/* --- fields of commands --------------------------------------------------------------------- */

static void a_field_that_cannot_be_met_is_pointed_at(void **state)
{
	static const struct { uint8_t cdb[16]; unsigned byte; } rows[] = {
		{ { 0x04, 0, 3 }, 2 },              /* FORMAT MEDIUM: FORMAT */
		{ { 0x04, 0, 0, 0, 12 }, 3 },       /* …: a list */
		{ { 0x08, 0x03, 0, 0, 1 }, 1 },     /* READ: FIXED and SILI */
		{ { 0x08, 0x01, 0, 0, 1 }, 1 },     /* …: FIXED without a length of blocks */
		{ { 0x0a, 0, 0x80, 0, 1 }, 2 },     /* WRITE: more than 8 MiB */
		{ { 0x8a, [12] = 0x80, [14] = 1 }, 12 },
		{ { 0x10, 0x02 }, 1 },              /* WRITE FILEMARKS: WSMK */
		{ { 0x11, 0x04 }, 1 },              /* SPACE: setmarks */
		{ { 0x91, [12] = 1 }, 12 },         /* …: a list */
		{ { 0x13, 0x0a, 0, 0, 1 }, 1 },     /* VERIFY: VBF and BYTCMP */
		{ { 0x13, 0x21, 0, 0, 1 }, 1 },     /* …: VTE and FIXED */
		{ { 0x13, 0x28, 0, 0, 1 }, 1 },     /* …: VTE and VBF */
		{ { 0x13, 0x02, 0x80, 0, 1 }, 2 },  /* …: BYTCMP of more than 8 MiB */
		{ { 0x1b, 0, 0, 0, 0x05 }, 4 },     /* LOAD UNLOAD: LOAD and EOT */
		{ { 0x34, 0x02 }, 1 },              /* READ POSITION: SERVICE ACTION */
		{ { 0x4d, 0x01, 0x42 }, 1 },        /* LOG SENSE: SP */
		{ { 0x4d, 0, 0x7e }, 2 },           /* …: PAGE CODE */
		{ { 0x4d, 0, 0x42, 0x01 }, 3 },     /* …: SUBPAGE CODE */
		{ { 0x82, 0, 3 }, 2 },              /* ALLOW OVERWRITE */
		{ { 0x8c, 0x04 }, 1 },              /* READ ATTRIBUTE: SERVICE ACTION */
		{ { 0x8c, [5] = 1 }, 5 },           /* …: LOGICAL VOLUME NUMBER */
		{ { 0x8c, [7] = 1, [13] = 4 }, 7 }, /* …: PARTITION NUMBER */
		{ { 0x8d, [5] = 1 }, 5 },           /* WRITE ATTRIBUTE, likewise */
		{ { 0x8d, [10] = 1 }, 10 },         /* …: a list of 16 MiB */
		{ { 0x92, 0x10 }, 1 },              /* LOCATE: DEST_TYPE */
		{ { 0x2b, 0x02, [8] = 1 }, 8 },     /* …: PARTITION */
		{ { 0x92, 0x02, [3] = 1 }, 3 },
		{ { 0xa2, 0x21 }, 1 },              /* SECURITY PROTOCOL IN: SECURITY PROTOCOL */
		{ { 0xa2, 0x20, 0, 0x99 }, 2 },     /* …: SECURITY PROTOCOL SPECIFIC */
		{ { 0xa2, 0x00, 0, 0x02 }, 2 },
		{ { 0xb5, 0x00 }, 1 },              /* …OUT */
		{ { 0xb5, 0x20, 0, 0x11 }, 2 },
		{ { 0xb5, 0x20, 0, 0x10, [8] = 0x10 }, 6 },
	};
	struct tape_rig *rig = tape_rig_blank(state);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_bad_cdb(rig_run(&rig->r->nexus[0], 0, rows[i].cdb,
			op_cdb_len(rows[i].cdb[0]), NULL, 512), rows[i].byte);
	tape_rig_free(rig);
}

static void a_length_of_nothing_is_no_error(void **state)
{
	static const uint8_t cdbs[][16] = {
		{ 0x08 }, { 0x0a }, { 0x13 }, { 0x88 }, { 0x8a }, { 0x8f }, { 0x11 },
		{ 0x8d }, { 0xb5, 0x20, 0, 0x10 }, { 0x15, 0x10 },
	};
	struct tape_rig *rig = tape_rig_blank(state);

	for (size_t i = 0; i < sizeof(cdbs) / sizeof(cdbs[0]); i++)
		assert_good(rig_run(&rig->r->nexus[0], 0, cdbs[i], op_cdb_len(cdbs[i][0]), NULL, 0));
	tape_at(rig, 0, 0);
	tape_rig_free(rig);
}

/* INVALID FIELD IN COMMAND INFORMATION UNIT. */
static void a_block_that_does_not_come_whole_is_refused(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_write(rig, 100, 0));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	assert_check(TAPE(rig, tape_data, 99, TAPE_WRITE(100)), SENSE_ILLEGAL_REQUEST, 0x0e03);
	assert_check(TAPE(rig, NULL, 100, TAPE_WRITE(100)), SENSE_ILLEGAL_REQUEST, 0x0e03);
	assert_check(TAPE(rig, tape_data, 99, 0x13, 0x02, BE3(100), 0), SENSE_ILLEGAL_REQUEST, 0x0e03);
	assert_check(TAPE(rig, NULL, 100, 0x13, 0x02, BE3(100), 0), SENSE_ILLEGAL_REQUEST, 0x0e03);
	tape_at(rig, 0, 0);
	tape_rig_free(rig);
}

/* --- fields of mode pages ------------------------------------------------------------------- */

#define SELECT(rig, list) TAPE(rig, list, sizeof(list), 0x15, 0x10, 0, 0, sizeof(list), 0)

static void mode_parameters_that_cannot_be_met_are_pointed_at(void **state)
{
	const uint8_t speed[4] = { 0, 0, 0x11, 0 }, buffered[4] = { 0, 0, 0x20, 0 };
	const uint8_t algorithm[20] = { 0, 0, 0x10, 0, 0x10, 0x0e, [12] = 0x40, [14] = 0x18, [18] = 2 };
	const uint8_t partitions[16] = { 0, 0, 0x10, 0, 0x11, 0x0a, 1, 2, 0x3c, 3, 6 };
	uint8_t mode[36] = { 0, 0, 0x10, 0, 0x50, 0x01, 0, 0x1c, 0, 0x22 };
	struct tape_rig *rig = tape_rig_blank(state);

	assert_bad_list(SELECT(rig, speed), 2);
	assert_bad_list(SELECT(rig, buffered), 2);
	assert_bad_list(SELECT(rig, algorithm), 18);
	assert_bad_list(SELECT(rig, partitions), 7);
	assert_bad_list(SELECT(rig, mode), 9);
	mode[9] = 0x13; /* SHORT ERASE MODE cannot be changed */
	assert_bad_list(SELECT(rig, mode), 9);
	tape_rig_free(rig);
}

/* --- attributes and logs -------------------------------------------------------------------- */

static void every_attribute_that_can_be_is_listed(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res = TAPE(rig, NULL, 4096, 0x8c, 0x05, 0, 0, 0, 0, 0, 0, BE2(0), BE4(4096), 0, 0);

	assert_int_equal(be32(res.in), res.in_len - 4);
	for (uint32_t at = 6; at < res.in_len; at += 2)
		assert_true(be16(res.in + at) > be16(res.in + at - 2));
	assert_int_equal(be16(res.in + 4), 0x0000);
	tape_rig_free(rig);
}

static void an_attribute_of_a_partition_that_is_not_there_is_refused(void **state)
{
	const uint8_t list[4 + 5 + 8] = { 0, 0, 0, 13, 0x08, 0x00, 0x01, 0, 8, 'A', 'C', 'M', 'E' };
	struct tape_rig *rig = tape_rig_blank(state);

	assert_bad_cdb(TAPE(rig, list, sizeof(list), 0x8d, 0, 0, 0, 0, 0, 0, 1, 0, 0,
		BE4(sizeof(list)), 0, 0), 7);
	assert_good(TAPE(rig, list, sizeof(list), 0x8d, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		BE4(sizeof(list)), 0, 0));
	tape_rig_free(rig);
}

/* AUXILIARY MEMORY OUT OF SPACE: of 8,192 bytes there are not enough for ten of 1,023. */
static void of_attributes_that_do_not_fit_none_is_kept(void **state)
{
	static uint8_t list[4 + 10 * (5 + 1023)];
	struct tape_rig *rig = tape_rig_blank(state);

	put_be32(list, sizeof(list) - 4);
	for (unsigned i = 0; i < 10; i++) {
		uint8_t *p = list + 4 + i * (5 + 1023);

		put_be16(p, (uint16_t)(0x1400 + i));
		put_be16(p + 3, 1023);
		memset(p + 5, 'x', 1023);
	}
	assert_check(TAPE(rig, list, sizeof(list), 0x8d, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		BE4(sizeof(list)), 0, 0), SENSE_ILLEGAL_REQUEST, 0x5506);
	assert_bad_cdb(
		TAPE(rig, NULL, 4096, 0x8c, 0, 0, 0, 0, 0, 0, 0, BE2(0x1400), BE4(4096), 0, 0), 8);
	tape_rig_free(rig);
}

static void the_list_of_log_pages_comes_with_subpages_too(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res = TAPE(rig, NULL, 64, 0x4d, 0, 0x40, 0xff, 0, 0, 0, BE2(64), 0);

	assert_good(res);
	assert_memory_equal(res.in, "\x40\xff\0", 3);
	assert_int_equal(res.in[3], res.in_len - 4);
	assert_memory_equal(res.in + 4, "\0\0\0\xff\x02\0\x03\0\x0c\0", 10);
	assert_memory_equal(res.in + res.in_len - 2, "\x32\0", 2);
	tape_rig_free(rig);
}

/* --- cartridges that are not for the drive -------------------------------------------------- */

static struct tape_rig *with_another(void **state, const char *barcode, unsigned generation)
{
	struct vtl *v = *state;
	struct tape_rig *rig;

	vtl_new_from(v, (struct cartridge_cfg){ .barcode = barcode,
		.media = media_generation(generation), .capacity = TAPE_CAPACITY });
	vtl_close(v);
	rig = tape_rig_new(v, 5);
	tape_in_job(rig, tape_do_insert);
	return rig;
}

/* INCOMPATIBLE MEDIUM INSTALLED, and TapeAlert flag 12. */
static void a_cartridge_of_a_newer_generation_is_not_read(void **state)
{
	struct tape_rig *rig = with_another(state, "TEST01L6", 6);

	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_MEDIUM_ERROR, 0x3000);
	assert_check(TAPE(rig, NULL, 100, TAPE_READ(100)), SENSE_MEDIUM_ERROR, 0x3000);
	assert_int_equal(be64(TAPE(rig, NULL, 64, 0x4d, 0, 0x52, 0, 0, 0, 0, BE2(64), 0).in + 8),
		UINT64_C(1) << (64 - 12));
	assert_int_equal(tape_in_job(rig, tape_do_eject), 0);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_NOT_READY, 0x3a00);
	tape_rig_free(rig);
}

static void one_of_two_generations_before_is_only_read(void **state)
{
	struct tape_rig *rig = with_another(state, "TEST01L3", 3);

	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	assert_int_equal(TAPE(rig, NULL, 255, 0x1a, 0, 0, 0, 255, 0).in[2] & 0x80, 0x80); /* WP */
	assert_check(tape_write(rig, 100, 0), SENSE_DATA_PROTECT, 0x2700);
	assert_tape(TAPE(rig, NULL, 100, TAPE_READ(100)), SENSE_BLANK_CHECK, 0x0005, 100);
	tape_rig_free(rig);
}

/* MEDIA LOAD OR EJECT FAILED: a host that took it for damaged would never use it again. */
static void a_cartridge_that_somebody_else_has_open_is_not_damaged(void **state)
{
	struct vtl *v = *state;
	struct vtl tool;
	struct tape_rig *rig;

	vtl_new_from(v, (struct cartridge_cfg){ .barcode = "TEST01L5",
				.media = media_generation(5),
				.capacity = TAPE_CAPACITY });
	tool = *v;
	v->c = NULL;
	rig = tape_rig_new(v, 5);
	assert_int_equal(tape_in_job(rig, tape_do_insert), -EBUSY);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_NOT_READY, 0x5300);
	assert_int_equal(
		be64(TAPE(rig, NULL, 64, 0x4d, 0, 0x52, 0, 0, 0, 0, BE2(64), 0).in + 8), 0);
	vtl_close(&tool);
	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 1, 0));
	assert_good(TAPE(rig, NULL, 0, TUR));
	tape_rig_free(rig);
}

static void a_cartridge_that_there_is_no_descriptor_for_is_not_damaged(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct rlimit before;

	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0, 0));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 0, before.rlim_max }), 0);
	assert_check(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 1, 0), SENSE_NOT_READY, 0x5300);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_NOT_READY, 0x5300);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(
		be64(TAPE(rig, NULL, 64, 0x4d, 0, 0x52, 0, 0, 0, 0, BE2(64), 0).in + 8), 0);
	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 1, 0));
	assert_good(TAPE(rig, NULL, 0, TUR));
	tape_rig_free(rig);
}

static void a_load_that_holds_leaves_the_tape_unthreaded(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0x00, 0));
	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0x09, 0));
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_NOT_READY, 0x3a04);
	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0x01, 0));
	assert_good(TAPE(rig, NULL, 0, TUR));
	tape_rig_free(rig);
}

static void an_empty_drive_has_nothing_to_unload_or_load(void **state)
{
	struct tape_rig *rig = tape_rig_new(*state, 5);

	assert_check(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0, 0), SENSE_NOT_READY, 0x3a00);
	assert_check(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 1, 0), SENSE_NOT_READY, 0x3a00);
	tape_rig_free(rig);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, vtl_setup, vtl_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_field_that_cannot_be_met_is_pointed_at),
		TEST(a_length_of_nothing_is_no_error),
		TEST(a_block_that_does_not_come_whole_is_refused),
		TEST(mode_parameters_that_cannot_be_met_are_pointed_at),
		TEST(every_attribute_that_can_be_is_listed),
		TEST(an_attribute_of_a_partition_that_is_not_there_is_refused),
		TEST(of_attributes_that_do_not_fit_none_is_kept),
		TEST(the_list_of_log_pages_comes_with_subpages_too),
		TEST(a_cartridge_of_a_newer_generation_is_not_read),
		TEST(one_of_two_generations_before_is_only_read),
		TEST(a_cartridge_that_somebody_else_has_open_is_not_damaged),
		TEST(a_cartridge_that_there_is_no_descriptor_for_is_not_damaged),
		TEST(a_load_that_holds_leaves_the_tape_unthreaded),
		TEST(an_empty_drive_has_nothing_to_unload_or_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
