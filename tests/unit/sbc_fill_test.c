/* SPDX-License-Identifier: BSD-2-Clause */
/* UNMAP and WRITE SAME: what they leave on the medium, their limits, and lists that are wrong. */
#include <errno.h>

#include "tests/unit/scsi_support.h"

#define UNMAP(len)                  0x42, 0, 0, 0, 0, 0, 0, BE2(len), 0
#define WRITE_SAME10(flags, lba, n) 0x41, flags, BE4(lba), 0, BE2(n), 0
#define WRITE_SAME16(flags, lba, n) 0x93, flags, BE8(lba), BE4(n), 0, 0
#define DESCRIPTOR(lba, n)          BE8(lba), BE4(n), BE4(0)
#define UNMAP_BIT                   0x08

static uint8_t data[1 << 20];

/* Fills the first blocks with 'a'. */
static void fill(struct rig *r, uint16_t blocks)
{
	memset(data, 'a', sizeof(data));
	assert_good(RUN(r, 0, data, (uint32_t)blocks * 512, WRITE10(0, blocks)));
}

static uint8_t first_byte(struct rig *r, uint32_t lba)
{
	assert_good(RUN(r, 0, NULL, 512, READ10(lba, 1)));
	for (unsigned i = 1; i < 512; i++)
		assert_int_equal(rig_in[i], rig_in[0]);
	return rig_in[0];
}

static void unmapped_blocks_read_as_zeros_and_others_stay(void **state)
{
	static const uint8_t list[] = { BE2(38), BE2(32), BE4(0), DESCRIPTOR(2, 3),
		DESCRIPTOR(20, 10) };
	struct rig *r = rig_create((struct rig_cfg){ .faulty = *state != NULL });

	fill(r, 64);
	assert_good(RUN(r, 0, list, sizeof(list), UNMAP(sizeof(list))));
	for (uint32_t lba = 0; lba < 64; lba++) {
		bool unmapped = (lba >= 2 && lba < 5) || (lba >= 20 && lba < 30);

		assert_int_equal(first_byte(r, lba), unmapped ? 0 : 'a');
	}
	rig_free(r);
}

static void unmap_waits_for_every_descriptor(void **state)
{
	static uint8_t list[8 + 256 * 16] = { BE2(6 + 256 * 16), BE2(256 * 16) };
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });

	(void)state;
	fill(r, 256);
	for (unsigned i = 0; i < 256; i++) {
		put_be64(list + 8 + i * 16, i);
		put_be32(list + 8 + i * 16 + 8, i % 2);
	}
	fault_set(r->store, &(struct fault_cfg){ .delay_ms = 1, .ops = 1u << STORE_DISCARD });
	assert_good(RUN(r, 0, list, sizeof(list), UNMAP(sizeof(list))));
	assert_int_equal(fault_seen(r->store), 128);
	assert_int_equal(first_byte(r, 254), 'a');
	assert_int_equal(first_byte(r, 255), 0);
	rig_free(r);
}

static void unmapping_nothing_is_no_error(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 4096 });

	(void)state;
	assert_good(RUN(r, 0, NULL, 0, UNMAP(0)));
	assert_good(RUN(r, 0, ((const uint8_t[]){ BE2(6), BE2(0), BE4(0) }), 8, UNMAP(8)));
	assert_good(RUN(r, 0, ((const uint8_t[]){ BE2(22), BE2(16), BE4(0), DESCRIPTOR(4096, 0) }),
		24, UNMAP(24)));
	rig_free(r);
}

static void a_part_of_a_descriptor_is_ignored(void **state)
{
	static const uint8_t list[] = { BE2(6 + 31), BE2(31), BE4(0), DESCRIPTOR(0, 1),
		DESCRIPTOR(1, 1) };
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	fill(r, 2);
	assert_good(RUN(r, 0, list, sizeof(list), UNMAP(sizeof(list))));
	assert_int_equal(first_byte(r, 0), 0);
	assert_int_equal(first_byte(r, 1), 'a');
	rig_free(r);
}

static void a_bad_descriptor_keeps_the_others_from_being_obeyed(void **state)
{
	static const uint8_t list[] = { BE2(38), BE2(32), BE4(0), DESCRIPTOR(0, 1),
		DESCRIPTOR(4095, 2) };
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 4096 });

	(void)state;
	fill(r, 1);
	assert_check(
		RUN(r, 0, list, sizeof(list), UNMAP(sizeof(list))), SENSE_ILLEGAL_REQUEST, 0x2100);
	assert_int_equal(first_byte(r, 0), 'a');
	rig_free(r);
}

static void a_descriptor_that_wraps_is_out_of_range(void **state)
{
	static const uint8_t list[] = { BE2(22), BE2(16), BE4(0), DESCRIPTOR(UINT64_MAX, 2) };
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_check(
		RUN(r, 0, list, sizeof(list), UNMAP(sizeof(list))), SENSE_ILLEGAL_REQUEST, 0x2100);
	rig_free(r);
}

static void a_list_that_is_cut_or_lies_about_its_length_is_too_short(void **state)
{
	static const uint8_t list[] = { BE2(22), BE2(16), BE4(0), DESCRIPTOR(0, 1) };
	static const uint8_t longer[] = { BE2(38), BE2(32), BE4(0), DESCRIPTOR(0, 1) };
	static const uint8_t less[] = { BE2(6), BE2(16), BE4(0), DESCRIPTOR(0, 1) };
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	fill(r, 1);
	for (uint32_t len = 1; len < sizeof(list); len++) {
		assert_check(RUN(r, 0, list, len, UNMAP(len)), SENSE_ILLEGAL_REQUEST, 0x1a00);
		assert_check(
			RUN(r, 0, list, len, UNMAP(sizeof(list))), SENSE_ILLEGAL_REQUEST, 0x1a00);
	}
	assert_check(RUN(r, 0, longer, sizeof(longer), UNMAP(sizeof(longer))),
		SENSE_ILLEGAL_REQUEST, 0x1a00);
	assert_check(
		RUN(r, 0, less, sizeof(less), UNMAP(sizeof(less))), SENSE_ILLEGAL_REQUEST, 0x1a00);
	assert_int_equal(first_byte(r, 0), 'a');
	rig_free(r);
}

static void too_many_descriptors_or_blocks_are_refused(void **state)
{
	static uint8_t many[8 + 257 * 16] = { BE2(6 + 257 * 16), BE2(257 * 16) };
	static const uint8_t large[] = { BE2(22), BE2(16), BE4(0), DESCRIPTOR(0, (1 << 20) + 1) };
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 2 << 20 });

	(void)state;
	assert_bad_list(RUN(r, 0, many, sizeof(many), UNMAP(sizeof(many))), 2);
	assert_bad_list(RUN(r, 0, large, sizeof(large), UNMAP(sizeof(large))), 16);
	rig_free(r);
}

static void unmap_and_write_same_do_not_anchor(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_bad_cdb(RUN(r, 0, data, 24, 0x42, 1, 0, 0, 0, 0, 0, BE2(24), 0), 1);
	assert_bad_cdb(RUN(r, 0, data, 512, WRITE_SAME16(0x10, 0, 1)), 1);
	assert_bad_cdb(RUN(r, 0, data, 512, WRITE_SAME16(0x18, 0, 1)), 1);
	rig_free(r);
}

static void a_failing_store_ends_unmap(void **state)
{
	static const uint8_t list[] = { BE2(38), BE2(32), BE4(0), DESCRIPTOR(0, 1),
		DESCRIPTOR(1, 1) };
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });

	(void)state;
	fault_set(r->store, &(struct fault_cfg){ .nth = 2, .err = -EIO });
	assert_check(
		RUN(r, 0, list, sizeof(list), UNMAP(sizeof(list))), SENSE_MEDIUM_ERROR, 0x0c00);
	rig_free(r);
}

/* --- WRITE SAME ---------------------------------------------------------------------- */

static void write_same_repeats_the_block(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 65536, .faulty = *state != NULL });

	fill(r, 16);
	rig_fill(data, 512, 77);
	assert_good(RUN(r, 0, data, 512, WRITE_SAME16(0, 8, 30000)));
	assert_int_equal(first_byte(r, 7), 'a');
	for (uint32_t lba = 8; lba < 30008; lba += 1999) {
		assert_good(RUN(r, 0, NULL, 512, READ10(lba, 1)));
		assert_memory_equal(rig_in, data, 512);
	}
	assert_good(RUN(r, 0, NULL, 512, READ10(30007, 1)));
	assert_memory_equal(rig_in, data, 512);
	assert_int_equal(first_byte(r, 30008), 0);
	rig_free(r);
}

static void write_same_of_zeros_or_without_data_zeros(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = *state != NULL });

	for (unsigned unmap = 0; unmap <= UNMAP_BIT; unmap += UNMAP_BIT) {
		fill(r, 16);
		memset(data, 0, 512);
		assert_good(RUN(r, 0, data, 512, WRITE_SAME10((uint8_t)unmap, 1, 2)));
		assert_good(RUN(r, 0, NULL, 0, WRITE_SAME16((uint8_t)(unmap | 1), 5, 2)));
		assert_int_equal(first_byte(r, 0), 'a');
		assert_int_equal(first_byte(r, 1), 0);
		assert_int_equal(first_byte(r, 2), 0);
		assert_int_equal(first_byte(r, 3), 'a');
		assert_int_equal(first_byte(r, 5), 0);
		assert_int_equal(first_byte(r, 7), 'a');
	}
	rig_free(r);
}

static void write_same_that_may_unmap_writes_what_is_not_zero(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	memset(data, 'x', 512);
	assert_good(RUN(r, 0, data, 512, WRITE_SAME16(UNMAP_BIT, 3, 2)));
	assert_int_equal(first_byte(r, 4), 'x');
	rig_free(r);
}

static void write_same_of_no_blocks_is_refused_by_a_thin_unit(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_bad_cdb(RUN(r, 0, data, 512, WRITE_SAME16(0, 0, 0)), 10);
	assert_bad_cdb(RUN(r, 0, data, 512, WRITE_SAME10(0, 0, 0)), 7);
	rig_free(r);
}

static void write_same_of_no_blocks_goes_to_the_end_of_a_thick_unit(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 40000, .thick = true });

	(void)state;
	memset(data, 'x', 512);
	assert_good(RUN(r, 0, data, 512, WRITE_SAME16(0, 39000, 0)));
	assert_good(RUN(r, 0, NULL, 1024, READ10(38999, 2)));
	assert_int_equal(rig_in[511], 0);
	assert_int_equal(rig_in[512], 'x');
	assert_good(RUN(r, 0, NULL, 512, READ10(39999, 1)));
	assert_int_equal(rig_in[511], 'x');
	memset(data, 'y', 512);
	assert_good(RUN(r, 0, data, 512, WRITE_SAME10(0, 39999, 0)));
	assert_good(RUN(r, 0, NULL, 512, READ10(39999, 1)));
	assert_int_equal(rig_in[0], 'y');
	rig_free(r);
}

static void write_same_of_no_blocks_has_the_limit_of_others(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 40000, .thick = true });

	(void)state;
	assert_bad_cdb(RUN(r, 0, data, 512, WRITE_SAME16(0, 0, 0)), 10);
	assert_bad_cdb(RUN(r, 0, data, 512, WRITE_SAME10(0, 40000 - 32769, 0)), 7);
	assert_check(
		RUN(r, 0, data, 512, WRITE_SAME16(0, 40000, 0)), SENSE_ILLEGAL_REQUEST, 0x2100);
	assert_check(RUN(r, 0, data, 512, WRITE_SAME16(0, UINT64_MAX, 0)), SENSE_ILLEGAL_REQUEST,
		0x2100);
	rig_free(r);
}

static void write_same_has_a_limit(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 65536 });

	(void)state;
	memset(data, 0, 512);
	assert_good(RUN(r, 0, data, 512, WRITE_SAME16(0, 0, 32768)));
	assert_bad_cdb(RUN(r, 0, data, 512, WRITE_SAME16(0, 0, 32769)), 10);
	rig_free(r);
}

static void write_same_stays_in_range(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 4096 });

	(void)state;
	assert_check(RUN(r, 0, data, 512, WRITE_SAME16(0, 4095, 2)), SENSE_ILLEGAL_REQUEST, 0x2100);
	assert_check(RUN(r, 0, data, 512, WRITE_SAME16(0, 4097, 1)), SENSE_ILLEGAL_REQUEST, 0x2100);
	assert_check(RUN(r, 0, data, 512, WRITE_SAME16(0, UINT64_MAX, 1)), SENSE_ILLEGAL_REQUEST,
		0x2100);
	rig_free(r);
}

static void write_same_wants_one_block_no_less_no_more(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	memset(data, 'x', 1024);
	assert_check(RUN(r, 0, data, 256, WRITE_SAME16(0, 0, 1)), SENSE_ILLEGAL_REQUEST, 0x0e03);
	assert_check(RUN(r, 0, data, 1024, WRITE_SAME16(0, 0, 1)), SENSE_ILLEGAL_REQUEST, 0x0e03);
	assert_int_equal(first_byte(r, 0), 0);
	rig_free(r);
}

static void flags_that_are_not_there_are_refused(void **state)
{
	struct rig *thick = rig_create((struct rig_cfg){ .thick = true });

	(void)state;
	assert_bad_cdb(RUN(thick, 0, data, 512, WRITE_SAME16(UNMAP_BIT, 0, 1)), 1);
	assert_bad_cdb(RUN(thick, 0, data, 512, WRITE_SAME16(0x20, 0, 1)), 1);
	assert_bad_cdb(RUN(thick, 0, data, 512, WRITE_SAME16(0x02, 0, 1)), 1);
	assert_bad_cdb(RUN(thick, 0, data, 512, WRITE_SAME10(0x01, 0, 1)), 1);
	rig_free(thick);
}

static void a_protected_disk_is_not_unmapped(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .read_only = true });

	(void)state;
	assert_check(RUN(r, 0, data, 24, UNMAP(24)), SENSE_DATA_PROTECT, 0x2700);
	assert_check(RUN(r, 0, data, 512, WRITE_SAME10(0, 0, 1)), SENSE_DATA_PROTECT, 0x2700);
	assert_check(
		RUN(r, 0, NULL, 0, WRITE_SAME16(UNMAP_BIT | 1, 0, 1)), SENSE_DATA_PROTECT, 0x2700);
	rig_free(r);
}

static void write_same_without_space_says_so(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });

	(void)state;
	memset(data, 'x', 512);
	for (unsigned i = 0; i < 3; i++) {
		fault_set(r->store, &(struct fault_cfg){ .nth = 1,
					    .err = (int[]){ -ENOSPC, -EDQUOT, -EFBIG }[i] });
		assert_check(
			RUN(r, 0, data, 512, WRITE_SAME16(0, 0, 4096)), SENSE_DATA_PROTECT, 0x2707);
	}
	rig_free(r);
}

/* Hosts that see no write cache send no SYNCHRONIZE CACHE, and blocks that read as zeros must not be
 * what they were before when the power is back. */
static void without_a_write_cache_all_of_it_is_durable_at_the_end(void **state)
{
	static const uint8_t list[] = { BE2(22), BE2(16), BE4(0), DESCRIPTOR(0, 8) };
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true, .write_through = true });
	const struct fault_cfg flushes = { .ops = 1u << STORE_FLUSH };

	(void)state;
	memset(data, 'x', 512);
	fault_set(r->store, &flushes);
	assert_good(RUN(r, 0, list, sizeof(list), UNMAP(sizeof(list))));
	assert_int_equal(fault_seen(r->store), 1);
	assert_good(RUN(r, 0, NULL, 0, WRITE_SAME16(UNMAP_BIT | 1, 0, 8)));
	assert_int_equal(fault_seen(r->store), 2);
	assert_good(RUN(r, 0, data, 512, WRITE_SAME16(0, 0, 4096)));
	assert_int_equal(fault_seen(r->store), 3);
	fault_set(r->store, &(struct fault_cfg){ .ops = 1u << STORE_FLUSH, .nth = 1, .err = -EIO });
	assert_check(
		RUN(r, 0, list, sizeof(list), UNMAP(sizeof(list))), SENSE_MEDIUM_ERROR, 0x0c00);
	rig_free(r);
}

static void an_aborted_write_same_goes_no_further(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 65536, .faulty = true });
	struct scsi_task t;

	(void)state;
	memset(data, 'x', 512);
	fault_set(r->store, &(struct fault_cfg){ .delay_ms = 2, .seed = 3 });
	rig_task(&t, &r->nexus[0], 0, (const uint8_t[]){ WRITE_SAME16(0, 0, 32768) }, 16,
		SCSI_DIR_OUT, 512);
	assert_int_equal(scsi_task_start(&t), SCSI_WANT_DATA);
	assert_int_equal(scsi_task_data(&t, rig_put(&t, data)), SCSI_PENDING);
	assert_false(scsi_task_abort(&t));
	rig_wait(&t);
	scsi_task_release(&t);
	assert_int_equal(fault_seen(r->store), 1);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_STORES(unmapped_blocks_read_as_zeros_and_others_stay),
		cmocka_unit_test(unmap_waits_for_every_descriptor),
		cmocka_unit_test(unmapping_nothing_is_no_error),
		cmocka_unit_test(a_part_of_a_descriptor_is_ignored),
		cmocka_unit_test(a_bad_descriptor_keeps_the_others_from_being_obeyed),
		cmocka_unit_test(a_descriptor_that_wraps_is_out_of_range),
		cmocka_unit_test(a_list_that_is_cut_or_lies_about_its_length_is_too_short),
		cmocka_unit_test(too_many_descriptors_or_blocks_are_refused),
		cmocka_unit_test(unmap_and_write_same_do_not_anchor),
		cmocka_unit_test(a_failing_store_ends_unmap),
		BOTH_STORES(write_same_repeats_the_block),
		BOTH_STORES(write_same_of_zeros_or_without_data_zeros),
		cmocka_unit_test(write_same_that_may_unmap_writes_what_is_not_zero),
		cmocka_unit_test(write_same_of_no_blocks_is_refused_by_a_thin_unit),
		cmocka_unit_test(write_same_of_no_blocks_goes_to_the_end_of_a_thick_unit),
		cmocka_unit_test(write_same_of_no_blocks_has_the_limit_of_others),
		cmocka_unit_test(write_same_has_a_limit),
		cmocka_unit_test(write_same_stays_in_range),
		cmocka_unit_test(write_same_wants_one_block_no_less_no_more),
		cmocka_unit_test(flags_that_are_not_there_are_refused),
		cmocka_unit_test(a_protected_disk_is_not_unmapped),
		cmocka_unit_test(write_same_without_space_says_so),
		cmocka_unit_test(without_a_write_cache_all_of_it_is_durable_at_the_end),
		cmocka_unit_test(an_aborted_write_same_goes_no_further),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
