/* SPDX-License-Identifier: BSD-2-Clause */
/* INQUIRY and its pages, and what a LUN says behind which there is no unit. */
#include "tests/unit/scsi_support.h"

#define INQUIRY(evpd, page, alloc) 0x12, evpd, page, BE2(alloc), 0

static struct rig *rig;

static int setup(void **state)
{
	rig = rig_create((struct rig_cfg){ 0 });
	*state = rig;
	return 0;
}

static void standard_data_name_the_disk(void **state)
{
	struct result res = RUN(rig, 0, NULL, 255, INQUIRY(0, 0, 255));

	(void)state;
	assert_good(res);
	assert_int_equal(res.in_len, 96);
	assert_int_equal(rig_in[0], 0x00);
	assert_int_equal(rig_in[2], 0x06);
	assert_int_equal(rig_in[3] & 0x0f, 2);
	assert_int_equal(rig_in[4], 96 - 5);
	assert_memory_equal(rig_in + 8, "CNTRSIGNDisk            1   ", 28);
}

static void standard_data_claim_spc4_sbc3_and_iscsi(void **state)
{
	(void)state;
	RUN(rig, 0, NULL, 255, INQUIRY(0, 0, 255));
	assert_int_equal(be16(rig_in + 58), 0x00a0);
	assert_int_equal(be16(rig_in + 60), 0x0960);
	assert_int_equal(be16(rig_in + 62), 0x0460);
	assert_int_equal(be16(rig_in + 64), 0x04c0);
}

static void the_allocation_length_cuts_and_changes_nothing_else(void **state)
{
	struct result res = RUN(rig, 0, NULL, 255, INQUIRY(0, 0, 5));

	(void)state;
	assert_int_equal(res.in_len, 5);
	assert_int_equal(rig_in[4], 96 - 5);
	assert_int_equal(RUN(rig, 0, NULL, 255, INQUIRY(0, 0, 0)).in_len, 0);
	assert_int_equal(RUN(rig, 0, NULL, 512, INQUIRY(0, 0, 512)).in_len, 96);
}

static void a_page_without_evpd_is_refused(void **state)
{
	(void)state;
	assert_bad_cdb(RUN(rig, 0, NULL, 255, INQUIRY(0, 1, 255)), 2);
	assert_bad_cdb(RUN(rig, 0, NULL, 255, INQUIRY(1, 0xc0, 255)), 2);
	assert_bad_cdb(RUN(rig, 0, NULL, 255, INQUIRY(2, 0, 255)), 1);
}

static void every_page_that_is_listed_is_there(void **state)
{
	uint8_t list[64];
	struct result res = RUN(rig, 0, NULL, 255, INQUIRY(1, 0, 255));

	(void)state;
	assert_good(res);
	assert_int_equal(be16(rig_in + 2) + 4, res.in_len);
	memcpy(list, rig_in, res.in_len);
	assert_memory_equal(list + 4,
		((const uint8_t[]){
			0, 0x80, 0x83, 0x86, 0x87, 0x88, 0x8f, 0xb0, 0xb1, 0xb2, 0xb6 }),
		11);
	for (unsigned i = 4; i < res.in_len; i++) {
		struct result page = RUN(rig, 0, NULL, 255, INQUIRY(1, list[i], 255));

		assert_good(page);
		assert_int_equal(rig_in[1], list[i]);
		assert_true(i == 4 || list[i] > list[i - 1]);
	}
}

static void the_serial_number_comes_from_the_identifier(void **state)
{
	struct result res = RUN(rig, 0, NULL, 255, INQUIRY(1, 0x80, 255));

	(void)state;
	assert_int_equal(res.in_len, 20);
	assert_memory_equal(rig_in,
		"\0\x80\0\x10"
		"08090a0b0c0d0e0f",
		20);
}

/* The designators, one after the other: code set, association and type, length. */
static void the_identification_page_names_unit_port_and_target(void **state)
{
	static const uint8_t heads[][3] = {
		{ 0x01, 0x03, 16 },
		{ 0x02, 0x01, 40 },
		{ 0x51, 0x94, 4 },
		{ 0x51, 0x95, 4 },
		{ 0x53, 0x98, 40 },
		{ 0x53, 0xa8, 32 },
	};
	struct result res = RUN(rig, 0, NULL, 1024, INQUIRY(1, 0x83, 1024));
	uint8_t *p = rig_in + 4;

	(void)state;
	assert_int_equal(be16(rig_in + 2) + 4, res.in_len);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		assert_int_equal(p[0], heads[i][0]);
		assert_int_equal(p[1], heads[i][1]);
		assert_int_equal(p[3], heads[i][2]);
		p += 4 + p[3];
	}
	assert_ptr_equal(p, rig_in + res.in_len);
	assert_memory_equal(rig_in + 8, "\x60\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf", 16);
	assert_string_equal(
		(char *)rig_in + 8 + 16 + 44 + 8 + 8 + 4, "iqn.2026-11.com.example:disk,t,0x0001");
}

static void a_short_identifier_has_eight_bytes(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .short_naa = true });

	(void)state;
	RUN(r, 0, NULL, 1024, INQUIRY(1, 0x83, 1024));
	assert_memory_equal(rig_in + 4, "\x01\x03\x00\x08\x30\1\2\3\4\5\6\7\x02\x01", 14);
	RUN(r, 0, NULL, 255, INQUIRY(1, 0x80, 255));
	assert_memory_equal(rig_in + 4, "3001020304050607", 16);
	rig_free(r);
}

static void block_limits_tell_what_is_obeyed(void **state)
{
	struct result res = RUN(rig, 0, NULL, 255, INQUIRY(1, 0xb0, 255));

	(void)state;
	assert_int_equal(res.in_len, 64);
	assert_int_equal(rig_in[4], 1);               /* WSNZ */
	assert_int_equal(be32(rig_in + 8), 16384);    /* MAXIMUM TRANSFER LENGTH */
	assert_int_equal(be32(rig_in + 20), 1 << 20); /* MAXIMUM UNMAP LBA COUNT */
	assert_int_equal(be32(rig_in + 24), 256);
	assert_int_equal(be32(rig_in + 28), 8);     /* OPTIMAL UNMAP GRANULARITY */
	assert_int_equal(be64(rig_in + 36), 32768); /* MAXIMUM WRITE SAME LENGTH */
}

/* QEMU would abort when it reads such a disk. */
static void a_granularity_of_one_block_is_not_told(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .block_size = 4096 });

	(void)state;
	RUN(r, 0, NULL, 255, INQUIRY(1, 0xb0, 255));
	assert_int_equal(be32(rig_in + 28), 0); /* OPTIMAL UNMAP GRANULARITY */
	assert_int_equal(rig_in[32] & 0x80, 0); /* UGAVALID */
	assert_int_not_equal(be32(rig_in + 20), 0);
	rig_free(r);
}

/* Of more, and no OPTIMAL TRANSFER LENGTH, mkfs.xfs would say that the stripes are invalid. */
static void transfers_are_best_in_physical_blocks(void **state)
{
	static const uint32_t sizes[][3] = { { 512, 0, 1 }, { 512, 4096, 8 }, { 4096, 0, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct rig *r = rig_create(
			(struct rig_cfg){ .block_size = sizes[i][0], .physical = sizes[i][1] });

		RUN(r, 0, NULL, 255, INQUIRY(1, 0xb0, 255));
		assert_int_equal(be32(rig_in + 12), 0);          /* OPTIMAL TRANSFER LENGTH */
		assert_int_equal(be16(rig_in + 6), sizes[i][2]); /* and its GRANULARITY */
		rig_free(r);
	}
}

static void the_characteristics_tell_of_memory_that_reads_after_erasing(void **state)
{
	static const uint8_t rest[64 - 9];

	(void)state;
	assert_int_equal(RUN(rig, 0, NULL, 255, INQUIRY(1, 0xb1, 255)).in_len, 64);
	assert_memory_equal(
		rig_in, ((const uint8_t[]){ 0, 0xb1, 0, 0x3c, 0x00, 0x01, 0, 0x50, 0x02 }), 9);
	assert_memory_equal(rig_in + 9, rest, sizeof(rest));
}

static void nothing_is_told_of_zones(void **state)
{
	static const uint8_t rest[64 - 20];

	(void)state;
	assert_int_equal(RUN(rig, 0, NULL, 255, INQUIRY(1, 0xb6, 255)).in_len, 64);
	assert_memory_equal(rig_in, ((const uint8_t[]){ 0, 0xb6, 0, 0x3c, 0x01, 0, 0, 0 }), 8);
	assert_memory_equal(rig_in + 8,
		((const uint8_t[]){ BE4(UINT32_MAX), BE4(UINT32_MAX), BE4(UINT32_MAX) }), 12);
	assert_memory_equal(rig_in + 20, rest, sizeof(rest));
}

static void the_extended_page_tells_of_attributes_and_a_cache(void **state)
{
	static const uint8_t rest[64 - 8];

	(void)state;
	assert_int_equal(RUN(rig, 0, NULL, 255, INQUIRY(1, 0x86, 255)).in_len, 64);
	/* HEADSUP, ORDSUP, SIMPSUP; V_SUP; LUICLR */
	assert_memory_equal(
		rig_in, ((const uint8_t[]){ 0, 0x86, 0, 0x3c, 0, 0x07, 0x01, 0x01 }), 8);
	assert_memory_equal(rig_in + 8, rest, sizeof(rest));
}

static void a_thick_disk_does_not_speak_of_unmapping(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .thick = true });

	(void)state;
	assert_bad_cdb(RUN(r, 0, NULL, 255, INQUIRY(1, 0xb2, 255)), 2);
	RUN(r, 0, NULL, 255, INQUIRY(1, 0xb0, 255));
	assert_int_equal(be32(rig_in + 20), 0);
	assert_int_equal(be32(rig_in + 24), 0);
	RUN(r, 0, NULL, 32, 0x9e, 0x10, BE8(0), BE4(32), 0, 0);
	assert_int_equal(rig_in[14], 0);
	rig_free(r);
}

static void a_removable_disk_says_so(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .removable = true });

	(void)state;
	RUN(r, 0, NULL, 255, INQUIRY(0, 0, 255));
	assert_int_equal(rig_in[1], 0x80);
	rig_free(r);
}

/* --- no unit ------------------------------------------------------------------------- */

#define LUN(n) ((uint64_t)(n) << 48)
#define RUN_AT(lun, expect, ...) \
	rig_run(&rig->nexus[0], lun, (const uint8_t[]){ __VA_ARGS__ }, \
		sizeof((const uint8_t[]){ __VA_ARGS__ }), NULL, expect)

static void a_lun_without_unit_says_so_in_inquiry(void **state)
{
	struct result res = RUN_AT(LUN(1), 96, INQUIRY(0, 0, 96));

	(void)state;
	assert_good(res);
	assert_int_equal(rig_in[0], 0x7f);
	assert_bad_cdb(RUN_AT(LUN(1), 96, INQUIRY(1, 0x83, 96)), 1);
}

static void a_lun_without_unit_lists_the_luns_that_there_are(void **state)
{
	struct result res = RUN_AT(LUN(5), 64, 0xa0, 0, 0, 0, 0, 0, BE4(64), 0, 0);

	(void)state;
	assert_good(res);
	assert_int_equal(res.in_len, 16);
	assert_int_equal(be32(rig_in), 8);
}

static void a_lun_without_unit_says_so_in_request_sense(void **state)
{
	struct result res = RUN_AT(LUN(1), 18, 0x03, 0, 0, 0, 18, 0);

	(void)state;
	assert_good(res);
	assert_int_equal(rig_in[2], SENSE_ILLEGAL_REQUEST);
	assert_int_equal(be16(rig_in + 12), 0x2500);
}

static void a_lun_without_unit_refuses_the_rest(void **state)
{
	(void)state;
	assert_check(RUN_AT(LUN(1), 0, TUR), SENSE_ILLEGAL_REQUEST, 0x2500);
	assert_check(RUN_AT(LUN(1), 512, READ10(0, 1)), SENSE_ILLEGAL_REQUEST, 0x2500);
	assert_check(RUN_AT(LUN(1), 0, 0xff), SENSE_ILLEGAL_REQUEST, 0x2500);
}

static void lun_0_has_a_peripheral_and_a_flat_form(void **state)
{
	(void)state;
	assert_good(RUN_AT(LUN(0), 0, TUR));
	assert_good(RUN_AT(LUN(0x4000), 0, TUR));
	assert_check(RUN_AT(LUN(0xc101), 0, TUR), SENSE_ILLEGAL_REQUEST, 0x2500);
	assert_check(RUN_AT(LUN(0x0100), 0, TUR), SENSE_ILLEGAL_REQUEST, 0x2500);
	assert_check(RUN_AT(1, 0, TUR), SENSE_ILLEGAL_REQUEST, 0x2500);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(standard_data_name_the_disk),
		T(standard_data_claim_spc4_sbc3_and_iscsi),
		T(the_allocation_length_cuts_and_changes_nothing_else),
		T(a_page_without_evpd_is_refused),
		T(every_page_that_is_listed_is_there),
		T(the_serial_number_comes_from_the_identifier),
		T(the_identification_page_names_unit_port_and_target),
		cmocka_unit_test(a_short_identifier_has_eight_bytes),
		T(block_limits_tell_what_is_obeyed),
		T(transfers_are_best_in_physical_blocks),
		T(a_granularity_of_one_block_is_not_told),
		T(the_characteristics_tell_of_memory_that_reads_after_erasing),
		T(nothing_is_told_of_zones),
		T(the_extended_page_tells_of_attributes_and_a_cache),
		cmocka_unit_test(a_thick_disk_does_not_speak_of_unmapping),
		cmocka_unit_test(a_removable_disk_says_so),
		T(a_lun_without_unit_says_so_in_inquiry),
		T(a_lun_without_unit_lists_the_luns_that_there_are),
		T(a_lun_without_unit_says_so_in_request_sense),
		T(a_lun_without_unit_refuses_the_rest),
		T(lun_0_has_a_peripheral_and_a_flat_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
