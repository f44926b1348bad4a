/* SPDX-License-Identifier: BSD-2-Clause */
/* READ and WRITE: data, ranges, residuals, errors of the store; mapped and through a buffer. */
#include <errno.h>

#include "tests/unit/scsi_support.h"

static uint8_t data[1 << 20];

static void write_then_read_gives_the_data_back(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = *state != NULL });

	rig_fill(data, 4096, 3);
	assert_good(RUN(r, 0, data, 4096, WRITE10(7, 8)));
	assert_good(RUN(r, 0, NULL, 4096, READ16(7, 8)));
	assert_memory_equal(rig_in, data, 4096);
	rig_free(r);
}

static void every_length_of_cdb_reads_the_same_blocks(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	rig_fill(data, 512, 9);
	assert_good(RUN(r, 0, data, 512, 0x0a, 0, 0x01, 0x02, 1, 0));
	assert_good(RUN(r, 0, NULL, 512, 0x08, 0, 0x01, 0x02, 1, 0));
	assert_memory_equal(rig_in, data, 512);
	assert_good(RUN(r, 0, NULL, 512, READ10(0x102, 1)));
	assert_memory_equal(rig_in, data, 512);
	assert_good(RUN(r, 0, NULL, 512, 0xa8, 0, BE4(0x102), BE4(1), 0, 0));
	assert_memory_equal(rig_in, data, 512);
	assert_good(RUN(r, 0, NULL, 512, READ16(0x102, 1)));
	assert_memory_equal(rig_in, data, 512);
	rig_fill(data, 512, 10);
	assert_good(RUN(r, 0, data, 512, 0xaa, 0, BE4(0x102), BE4(1), 0, 0));
	assert_good(RUN(r, 0, data, 512, WRITE16(0x103, 1)));
	assert_good(RUN(r, 0, NULL, 1024, READ10(0x102, 2)));
	assert_memory_equal(rig_in, data, 512);
	assert_memory_equal(rig_in + 512, data, 512);
	rig_free(r);
}

#define RW32(service, flags, lba, n) \
	0x7f, 0, 0, 0, 0, 0, 0, 0x18, BE2(service), flags, 0, BE8(lba), BE8(UINT64_MAX), BE4(n)
#define READ32(lba, n)  RW32(0x09, 0x18, lba, n)
#define WRITE32(lba, n) RW32(0x0b, 0x18, lba, n)

static void the_longest_cdb_reads_and_writes_too(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .long_cdbs = true });

	(void)state;
	rig_fill(data, 1024, 11);
	assert_good(RUN(r, 0, data, 1024, WRITE32(0x102, 2)));
	assert_good(RUN(r, 0, NULL, 1024, READ16(0x102, 2)));
	assert_memory_equal(rig_in, data, 1024);
	assert_good(RUN(r, 0, NULL, 512, READ32(0x103, 1)));
	assert_memory_equal(rig_in, data + 512, 512);
	rig_free(r);
}

static void the_longest_cdb_is_checked_as_others_are(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .long_cdbs = true });

	(void)state;
	assert_check(RUN(r, 0, NULL, 512, READ32(4096, 1)), SENSE_ILLEGAL_REQUEST, 0x2100);
	assert_check(RUN(r, 0, data, 512, WRITE32(UINT64_MAX, 1)), SENSE_ILLEGAL_REQUEST, 0x2100);
	assert_bad_cdb(RUN(r, 0, NULL, 512, RW32(0x09, 0x20, 0, 1)), 10);
	assert_bad_cdb(RUN(r, 0, NULL, 512, RW32(0x0d, 0, 0, 1)), 8);
	assert_bad_cdb(RUN(r, 0, NULL, 512, 0x7f, 0, 0, 0, 0, 0, 0, 0x18, BE2(9), 0, 0, BE4(0)), 7);
	assert_bad_cdb(RUN(r, 0, NULL, 512, 0x7f, 0, 0, 0, 0, 0, 0, 0x10, BE2(9), 0, 0, BE8(0),
			       BE8(0), BE4(1)),
		7);
	assert_bad_cdb(RUN(r, 0, NULL, 512, 0x7f, 4, 0, 0, 0, 0, 0, 0x18, BE2(9), 0, 0, BE8(0),
			       BE8(0), BE4(1)),
		1); /* NACA */
	rig_free(r);
}

static void the_longest_cdb_is_unknown_where_nobody_asked_for_it(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_check(RUN(r, 0, NULL, 512, READ32(0, 1)), SENSE_ILLEGAL_REQUEST, 0x2000);
	assert_check(RUN(r, 0, data, 512, WRITE32(0, 1)), SENSE_ILLEGAL_REQUEST, 0x2000);
	rig_free(r);
}

static void read6_of_no_blocks_is_256(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	struct result res = RUN(r, 0, NULL, 256 * 512, 0x08, 0, 0, 0, 0, 0);

	(void)state;
	assert_good(res);
	assert_int_equal(res.in_len, 256 * 512);
	rig_free(r);
}

static void a_read_of_memory_ends_in_place_without_a_copy(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	struct result res = RUN(r, 0, NULL, 4096, READ10(0, 8));

	(void)state;
	assert_int_equal(res.first, SCSI_DONE);
	assert_true(res.in_live);
	res = RUN(r, 0, data, 4096, WRITE10(0, 8));
	assert_int_equal(res.out_unit, 512);
	rig_free(r);
}

static void a_read_that_waits_for_the_store_is_not_live(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });
	struct result res;

	(void)state;
	fault_set(r->store, &(struct fault_cfg){ .delay_ms = 1 });
	res = RUN(r, 0, NULL, 4096, READ10(0, 8));
	assert_int_equal(res.first, SCSI_PENDING);
	assert_false(res.in_live);
	assert_good(res);
	rig_free(r);
}

static void a_block_behind_the_last_is_out_of_range(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 4096 });

	(void)state;
	assert_good(RUN(r, 0, NULL, 512, READ10(4095, 1)));
	assert_check(RUN(r, 0, NULL, 1024, READ10(4095, 2)), SENSE_ILLEGAL_REQUEST, 0x2100);
	assert_check(RUN(r, 0, NULL, 512, READ10(4096, 1)), SENSE_ILLEGAL_REQUEST, 0x2100);
	assert_check(RUN(r, 0, data, 512, WRITE10(4096, 1)), SENSE_ILLEGAL_REQUEST, 0x2100);
	rig_free(r);
}

static void a_range_that_wraps_is_out_of_range(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_check(RUN(r, 0, NULL, 512, READ16(UINT64_MAX, 1)), SENSE_ILLEGAL_REQUEST, 0x2100);
	assert_check(
		RUN(r, 0, NULL, 512, READ16(UINT64_MAX - 1, 4)), SENSE_ILLEGAL_REQUEST, 0x2100);
	assert_check(RUN(r, 0, NULL, 512, READ16(1, UINT32_MAX)), SENSE_ILLEGAL_REQUEST, 0x2100);
	rig_free(r);
}

static void no_blocks_are_read_where_there_are_blocks_only(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 4096 });

	(void)state;
	assert_good(RUN(r, 0, NULL, 0, READ10(4095, 0)));
	assert_check(RUN(r, 0, NULL, 0, READ10(4097, 0)), SENSE_ILLEGAL_REQUEST, 0x2100);
	assert_good(RUN(r, 0, NULL, 0, WRITE16(0, 0)));
	rig_free(r);
}

static void more_than_the_longest_transfer_is_refused(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 65536 });

	(void)state;
	assert_good(RUN(r, 0, NULL, 8 << 20, READ16(0, 16384)));
	assert_bad_cdb(RUN(r, 0, NULL, (8 << 20) + 512, READ16(0, 16385)), 10);
	assert_bad_cdb(RUN(r, 0, NULL, (8 << 20) + 512, READ10(0, 16385)), 7);
	rig_free(r);
}

static void protection_information_is_refused(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	for (unsigned p = 1; p < 8; p++) {
		assert_bad_cdb(
			RUN(r, 0, NULL, 512, 0x28, (uint8_t)(p << 5), BE4(0), 0, BE2(1), 0), 1);
		assert_bad_cdb(
			RUN(r, 0, data, 512, 0x2a, (uint8_t)(p << 5), BE4(0), 0, BE2(1), 0), 1);
	}
	rig_free(r);
}

static void dpo_and_fua_are_taken(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = *state != NULL });

	assert_good(RUN(r, 0, NULL, 512, 0x28, 0x18, BE4(0), 0, BE2(1), 0));
	assert_good(RUN(r, 0, data, 512, 0x2a, 0x18, BE4(0), 0, BE2(1), 0));
	rig_free(r);
}

static void a_read_tells_its_length_whatever_is_expected(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = *state != NULL });
	struct result res;

	rig_fill(data, 1024, 1);
	assert_good(RUN(r, 0, data, 1024, WRITE10(0, 2)));
	res = RUN(r, 0, NULL, 200, READ10(0, 2));
	assert_good(res);
	assert_int_equal(res.in_len, 1024);
	assert_int_equal(res.in_got, 200);
	assert_memory_equal(rig_in, data, 200);
	res = RUN(r, 0, NULL, 0, READ10(0, 2));
	assert_good(res);
	assert_int_equal(res.in_len, 1024);
	res = RUN(r, 0, NULL, 10000, READ10(0, 1));
	assert_int_equal(res.in_len, 512);
	rig_free(r);
}

static void a_write_with_no_data_writes_nothing(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = *state != NULL });
	struct result res;

	rig_fill(data, 512, 1);
	assert_good(RUN(r, 0, data, 512, WRITE10(0, 1)));
	res = RUN(r, 0, NULL, 0, WRITE10(0, 1));
	assert_good(res);
	assert_int_equal(res.out_len, 512);
	assert_good(RUN(r, 0, NULL, 512, READ10(0, 1)));
	assert_memory_equal(rig_in, data, 512);
	rig_free(r);
}

static void a_write_with_fewer_blocks_writes_those(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = *state != NULL });
	struct result res;

	memset(data, 'a', 1024);
	assert_good(RUN(r, 0, data, 1024, WRITE10(0, 2)));
	memset(data, 'b', 1024);
	res = RUN(r, 0, data, 512, WRITE10(0, 2));
	assert_good(res);
	assert_int_equal(res.out_len, 1024);
	assert_good(RUN(r, 0, NULL, 1024, READ10(0, 2)));
	assert_int_equal(rig_in[511], 'b');
	assert_int_equal(rig_in[512], 'a');
	rig_free(r);
}

static void a_write_with_a_part_of_a_block_writes_nothing(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = *state != NULL });
	struct result res;

	memset(data, 'a', 512);
	assert_good(RUN(r, 0, data, 512, WRITE10(0, 1)));
	memset(data, 'b', 512);
	res = RUN(r, 0, data, 200, WRITE10(0, 1));
	assert_check(res, SENSE_ILLEGAL_REQUEST, 0x0e03);
	assert_int_equal(res.out_len, 512);
	assert_good(RUN(r, 0, NULL, 512, READ10(0, 1)));
	assert_int_equal(rig_in[0], 'a');
	rig_free(r);
}

static void a_write_that_the_initiator_takes_for_a_read_is_refused(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_check(RUN(r, 0, NULL, 512, WRITE10(0, 1)), SENSE_ILLEGAL_REQUEST, 0x0e03);
	rig_free(r);
}

static void blocks_of_4096_bytes_work_too(void **state)
{
	struct rig *r = rig_create(
		(struct rig_cfg){ .block_size = 4096, .blocks = 1024, .faulty = *state != NULL });

	rig_fill(data, 8192, 3);
	assert_good(RUN(r, 0, data, 8192, WRITE10(1022, 2)));
	assert_good(RUN(r, 0, NULL, 8192, READ10(1022, 2)));
	assert_memory_equal(rig_in, data, 8192);
	assert_check(RUN(r, 0, NULL, 4096, READ10(1024, 1)), SENSE_ILLEGAL_REQUEST, 0x2100);
	rig_free(r);
}

/* Each: an error of the store, and what reading and writing with it ends in. */
static void errors_of_the_store_become_sense(void **state)
{
	static const struct {
		int err;
		uint8_t status, key;
		uint16_t asc;
	} expected[] = {
		{ -ENOSPC, SCSI_CHECK_CONDITION, SENSE_DATA_PROTECT, 0x2707 },
		{ -EIO, SCSI_CHECK_CONDITION, SENSE_MEDIUM_ERROR, 0x0c00 },
		{ -ENOMEM, SCSI_BUSY, 0, 0 },
		{ -EROFS, SCSI_CHECK_CONDITION, SENSE_DATA_PROTECT, 0x2700 },
		{ -ENXIO, SCSI_CHECK_CONDITION, SENSE_HARDWARE_ERROR, 0x4400 },
	};
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });
	struct result res;

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		fault_set(r->store, &(struct fault_cfg){ .nth = 1, .err = expected[i].err });
		res = RUN(r, 0, data, 512, WRITE10(0, 1));
		assert_int_equal(res.status, expected[i].status);
		assert_int_equal(res.sense.key, expected[i].key);
		assert_int_equal(res.sense.asc, expected[i].asc);
	}
	fault_set(r->store, &(struct fault_cfg){ .nth = 1, .err = -EIO });
	assert_check(RUN(r, 0, NULL, 512, READ10(0, 1)), SENSE_MEDIUM_ERROR, 0x1100);
	rig_free(r);
}

static void a_read_only_disk_reads_and_does_not_write(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .read_only = true });

	(void)state;
	assert_good(RUN(r, 0, NULL, 512, READ10(0, 1)));
	assert_check(RUN(r, 0, data, 512, WRITE10(0, 1)), SENSE_DATA_PROTECT, 0x2700);
	assert_check(RUN(r, 0, data, 512, WRITE16(0, 1)), SENSE_DATA_PROTECT, 0x2700);
	rig_free(r);
}

static void an_aborted_write_ends_when_the_store_has_ended(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });
	struct scsi_task t;

	(void)state;
	fault_set(r->store, &(struct fault_cfg){ .delay_ms = 5, .seed = 1 });
	rig_task(&t, &r->nexus[0], 0, (const uint8_t[]){ WRITE10(0, 1) }, 10, SCSI_DIR_OUT, 512);
	assert_int_equal(scsi_task_start(&t), SCSI_WANT_DATA);
	assert_int_equal(scsi_task_data(&t, rig_put(&t, data)), SCSI_PENDING);
	assert_false(scsi_task_abort(&t));
	rig_wait(&t);
	scsi_task_release(&t);
	rig_free(r);
}

static void a_write_that_waits_for_data_is_aborted_at_once(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = *state != NULL });
	struct scsi_task t;

	rig_task(&t, &r->nexus[0], 0, (const uint8_t[]){ WRITE10(0, 1) }, 10, SCSI_DIR_OUT, 512);
	assert_int_equal(scsi_task_start(&t), SCSI_WANT_DATA);
	assert_true(scsi_task_abort(&t));
	scsi_task_release(&t);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_STORES(write_then_read_gives_the_data_back),
		cmocka_unit_test(every_length_of_cdb_reads_the_same_blocks),
		cmocka_unit_test(the_longest_cdb_reads_and_writes_too),
		cmocka_unit_test(the_longest_cdb_is_checked_as_others_are),
		cmocka_unit_test(the_longest_cdb_is_unknown_where_nobody_asked_for_it),
		cmocka_unit_test(read6_of_no_blocks_is_256),
		cmocka_unit_test(a_read_of_memory_ends_in_place_without_a_copy),
		cmocka_unit_test(a_read_that_waits_for_the_store_is_not_live),
		cmocka_unit_test(a_block_behind_the_last_is_out_of_range),
		cmocka_unit_test(a_range_that_wraps_is_out_of_range),
		cmocka_unit_test(no_blocks_are_read_where_there_are_blocks_only),
		cmocka_unit_test(more_than_the_longest_transfer_is_refused),
		cmocka_unit_test(protection_information_is_refused),
		BOTH_STORES(dpo_and_fua_are_taken),
		BOTH_STORES(a_read_tells_its_length_whatever_is_expected),
		BOTH_STORES(a_write_with_no_data_writes_nothing),
		BOTH_STORES(a_write_with_fewer_blocks_writes_those),
		BOTH_STORES(a_write_with_a_part_of_a_block_writes_nothing),
		cmocka_unit_test(a_write_that_the_initiator_takes_for_a_read_is_refused),
		BOTH_STORES(blocks_of_4096_bytes_work_too),
		cmocka_unit_test(errors_of_the_store_become_sense),
		cmocka_unit_test(a_read_only_disk_reads_and_does_not_write),
		cmocka_unit_test(an_aborted_write_ends_when_the_store_has_ended),
		BOTH_STORES(a_write_that_waits_for_data_is_aborted_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
