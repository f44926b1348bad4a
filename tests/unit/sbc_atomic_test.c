/* SPDX-License-Identifier: BSD-2-Clause */
/* COMPARE AND WRITE, ORWRITE, WRITE ATOMIC, WRITE AND VERIFY; and who waits for whom. */
#include <errno.h>

#include "tests/unit/scsi_support.h"

#define COMPARE_AND_WRITE(lba, n)      0x89, 0, BE8(lba), 0, 0, 0, n, 0, 0
#define ORWRITE(lba, n)                0x8b, 0, BE8(lba), BE4(n), 0, 0
#define WRITE_ATOMIC(lba, boundary, n) 0x9c, 0, BE8(lba), BE2(boundary), BE2(n), 0, 0
#define WRITE_SAME16(lba, n)           0x93, 0, BE8(lba), BE4(n), 0, 0
#define WRITE_VERIFY10(bytchk, lba, n) 0x2e, (uint8_t)((bytchk) << 1), BE4(lba), 0, BE2(n), 0

static uint8_t data[4 << 20];

static uint8_t first_byte(struct rig *r, uint32_t lba)
{
	assert_good(RUN(r, 1, NULL, 512, READ10(lba, 1)));
	return rig_in[0];
}

static void equal_blocks_are_replaced(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = *state != NULL });

	memset(data, 'a', 255 * 512);
	assert_good(RUN(r, 0, data, 255 * 512, WRITE10(3, 255)));
	memset(data + 255 * 512, 'b', 255 * 512);
	assert_good(RUN(r, 0, data, 2 * 255 * 512, COMPARE_AND_WRITE(3, 255)));
	assert_good(RUN(r, 0, NULL, 255 * 512, READ10(3, 255)));
	assert_memory_equal(rig_in, data + 255 * 512, 255 * 512);
	rig_free(r);
}

static void different_blocks_stay_and_the_first_difference_is_told(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = *state != NULL });
	struct result res;

	memset(data, 0, 1024);
	data[777] = 1;
	memset(data + 1024, 'b', 1024);
	res = RUN(r, 0, data, 2048, COMPARE_AND_WRITE(3, 2));
	assert_check(res, SENSE_MISCOMPARE, 0x1d00);
	assert_true(res.sense.info_valid);
	assert_int_equal(res.sense.info, 777);
	assert_int_equal(first_byte(r, 3), 0);
	rig_free(r);
}

static void compare_and_write_wants_its_data_exactly(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	memset(data, 0, 4096);
	assert_bad_cdb(RUN(r, 0, data, 2048, COMPARE_AND_WRITE(0, 1)), 13);
	assert_bad_cdb(RUN(r, 0, data, 2048, COMPARE_AND_WRITE(0, 3)), 13);
	assert_bad_cdb(RUN(r, 0, data, 2048, COMPARE_AND_WRITE(0, 0)), 13);
	assert_good(RUN(r, 0, NULL, 0, COMPARE_AND_WRITE(0, 0)));
	assert_check(
		RUN(r, 0, data, 2048, COMPARE_AND_WRITE(4095, 2)), SENSE_ILLEGAL_REQUEST, 0x2100);
	assert_bad_cdb(RUN(r, 0, data, 1024, 0x89, 0x20, BE8(0), 0, 0, 0, 1, 0, 0), 1);
	rig_free(r);
}

static void orwrite_sets_bits(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 16384, .faulty = *state != NULL });

	rig_fill(data, sizeof(data), 3);
	assert_good(RUN(r, 0, data, sizeof(data), WRITE16(8, 8192)));
	memset(data, 0x81, sizeof(data));
	assert_good(RUN(r, 0, data, sizeof(data), ORWRITE(8, 8192)));
	rig_fill(data, sizeof(data), 3);
	assert_good(RUN(r, 0, NULL, sizeof(data), READ16(8, 8192)));
	for (size_t i = 0; i < sizeof(data); i++)
		if (rig_in[i] != (data[i] | 0x81))
			fail_msg("byte %zu", i);
	rig_free(r);
}

static void orwrite_is_checked_as_a_write(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 4096 });

	(void)state;
	assert_good(RUN(r, 0, NULL, 0, ORWRITE(0, 0)));
	assert_check(RUN(r, 0, NULL, 0, ORWRITE(4097, 0)), SENSE_ILLEGAL_REQUEST, 0x2100);
	assert_check(RUN(r, 0, data, 200, ORWRITE(0, 1)), SENSE_ILLEGAL_REQUEST, 0x0e03);
	assert_bad_cdb(RUN(r, 0, data, 512, 0x8b, 0x20, BE8(0), BE4(1), 0, 0), 1);
	rig_free(r);
}

static void write_atomic_writes_whole_physical_blocks(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .physical = 4096 });

	(void)state;
	assert_good(RUN(r, 0, data, 16 * 512, WRITE_ATOMIC(8, 0, 16)));
	assert_bad_cdb(RUN(r, 0, data, 8 * 512, WRITE_ATOMIC(1, 0, 8)), 2);
	assert_bad_cdb(RUN(r, 0, data, 512, WRITE_ATOMIC(8, 0, 1)), 12);
	RUN(r, 0, NULL, 255, 0x12, 1, 0xb0, 0, 255, 0);
	assert_int_equal(be32(rig_in + 44), 2048);
	assert_int_equal(be32(rig_in + 48), 8);
	assert_int_equal(be32(rig_in + 52), 8);
	rig_free(r);
}

static void write_atomic_writes_and_has_a_limit(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 4096 });

	(void)state;
	memset(data, 'x', 2049 * 512);
	assert_good(RUN(r, 0, data, 2048 * 512, WRITE_ATOMIC(7, 0, 2048)));
	assert_int_equal(first_byte(r, 7 + 2047), 'x');
	assert_int_equal(first_byte(r, 7 + 2048), 0);
	assert_bad_cdb(RUN(r, 0, data, 2049 * 512, WRITE_ATOMIC(0, 0, 2049)), 12);
	assert_bad_cdb(RUN(r, 0, data, 512, WRITE_ATOMIC(0, 8, 1)), 10);
	assert_good(RUN(r, 0, NULL, 0, WRITE_ATOMIC(0, 0, 0)));
	rig_free(r);
}

/* Half of a write may be there when it has failed, or after a crash. */
static void a_disk_that_is_not_memory_promises_no_atomic_writes(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true, .physical = 4096 });

	(void)state;
	assert_check(RUN(r, 0, data, 8 * 512, WRITE_ATOMIC(8, 0, 8)), SENSE_ILLEGAL_REQUEST, 0x2000);
	RUN(r, 0, NULL, 255, 0x12, 1, 0xb0, 0, 255, 0);
	assert_int_equal(be32(rig_in + 44), 0);
	assert_int_equal(be32(rig_in + 48), 0);
	assert_int_equal(be32(rig_in + 52), 0);
	rig_free(r);
}

static void write_and_verify_writes_durably_and_looks(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });

	(void)state;
	memset(data, 'v', 1024);
	for (unsigned bytchk = 0; bytchk < 2; bytchk++) {
		fault_set(r->store, &(struct fault_cfg){ .ops = 1u << STORE_READ });
		assert_good(RUN(r, 0, data, 1024, WRITE_VERIFY10(bytchk, bytchk * 2, 2)));
		assert_int_equal(fault_seen(r->store), 1);
		assert_int_equal(first_byte(r, bytchk * 2 + 1), 'v');
	}
	fault_set(r->store, &(struct fault_cfg){ .ops = 1u << STORE_READ, .nth = 1, .err = -EIO });
	assert_check(RUN(r, 0, data, 1024, WRITE_VERIFY10(0, 0, 2)), SENSE_MEDIUM_ERROR, 0x1100);
	rig_free(r);
}

static void write_and_verify_is_checked_as_a_write(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 4096 });

	(void)state;
	assert_good(RUN(r, 0, NULL, 0, WRITE_VERIFY10(1, 0, 0)));
	assert_good(RUN(r, 0, NULL, 0, WRITE_VERIFY10(1, 0, 1)));
	assert_check(RUN(r, 0, data, 200, WRITE_VERIFY10(1, 0, 1)), SENSE_ILLEGAL_REQUEST, 0x0e03);
	assert_check(
		RUN(r, 0, data, 512, WRITE_VERIFY10(1, 4096, 1)), SENSE_ILLEGAL_REQUEST, 0x2100);
	assert_bad_cdb(RUN(r, 0, data, 512, WRITE_VERIFY10(3, 0, 1)), 1);
	assert_bad_cdb(RUN(r, 0, data, 512, 0x2e, 0x20, BE4(0), 0, BE2(1), 0), 1);
	rig_free(r);
}

/* --- who waits for whom -------------------------------------------------------------- */

static void begin(
	struct scsi_task *t, struct rig *r, unsigned i, const uint8_t *cdb, uint32_t expect)
{
	rig_task(t, &r->nexus[i], 0, cdb, 16, SCSI_DIR_OUT, expect);
	assert_int_equal(scsi_task_start(t), SCSI_WANT_DATA);
}

static void end(struct scsi_task *t)
{
	if (t->busy)
		rig_wait(t);
	assert_int_equal(t->status, SCSI_GOOD);
	scsi_task_release(t);
}

static void the_first_one_waits_for_writes_into_the_medium(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	struct scsi_task w, c;

	(void)state;
	memset(data, 0, 512);
	memset(data + 512, 'c', 512);
	begin(&w, r, 0, (const uint8_t[16]){ WRITE10(9, 1) }, 512);
	assert_int_equal(w.out_unit, 512);
	begin(&c, r, 1, (const uint8_t[16]){ COMPARE_AND_WRITE(100, 1) }, 1024);
	assert_int_equal(scsi_task_data(&c, rig_put(&c, data)), SCSI_PENDING);
	assert_false(loop_step(r->loop));
	assert_int_equal(scsi_task_data(&w, rig_put(&w, data)), SCSI_DONE);
	end(&c);
	scsi_task_release(&w);
	assert_int_equal(first_byte(r, 100), 'c');
	rig_free(r);
}

static void an_atomic_write_waits_for_writes_into_the_medium(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	struct scsi_task w, a;

	(void)state;
	memset(data, 'a', 512);
	begin(&w, r, 0, (const uint8_t[16]){ WRITE10(9, 1) }, 512);
	assert_int_equal(w.out_unit, 512);
	begin(&a, r, 1, (const uint8_t[16]){ WRITE_ATOMIC(9, 0, 1) }, 512);
	assert_int_equal(scsi_task_data(&a, rig_put(&a, data)), SCSI_PENDING);
	memset(data, 'w', 512);
	assert_int_equal(scsi_task_data(&w, rig_put(&w, data)), SCSI_DONE);
	end(&a);
	scsi_task_release(&w);
	assert_int_equal(first_byte(r, 9), 'a');
	rig_free(r);
}

static void afterwards_writes_come_through_a_buffer(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	struct scsi_task w;

	(void)state;
	memset(data, 0, 1024);
	assert_good(RUN(r, 0, data, 1024, COMPARE_AND_WRITE(0, 1)));
	begin(&w, r, 0, (const uint8_t[16]){ WRITE10(0, 1) }, 512);
	assert_int_equal(w.out_unit, 0);
	assert_int_equal(RUN(r, 1, NULL, 512, READ10(0, 1)).in_live, false);
	assert_int_equal(scsi_task_data(&w, rig_put(&w, data)), SCSI_DONE);
	scsi_task_release(&w);
	rig_free(r);
}

static void a_write_that_has_no_data_yet_is_in_nobodys_way(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = *state != NULL });
	struct scsi_task w;

	memset(data, 0, 1024);
	assert_good(RUN(r, 0, data, 1024, COMPARE_AND_WRITE(0, 1)));
	begin(&w, r, 0, (const uint8_t[16]){ WRITE10(0, 1) }, 512);
	assert_good(RUN(r, 1, data, 1024, COMPARE_AND_WRITE(0, 1)));
	scsi_task_data(&w, rig_put(&w, data));
	end(&w);
	rig_free(r);
}

/* While one reads and writes slowly, others on its range wait in their order, and the rest goes
 * on. */
static void overlapping_ranges_take_their_turn(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });
	struct scsi_task c[3], w, elsewhere;

	(void)state;
	fault_set(r->store, &(struct fault_cfg){ .delay_ms = 3, .seed = 5 });
	for (unsigned i = 0; i < 3; i++) {
		memset(data, i ? 'a' + (int)i - 1 : 0, 512);
		memset(data + 512, 'a' + (int)i, 512);
		begin(&c[i], r, i % 2, (const uint8_t[16]){ COMPARE_AND_WRITE(4, 1) }, 1024);
		assert_int_equal(scsi_task_data(&c[i], rig_put(&c[i], data)), SCSI_PENDING);
	}
	memset(data, 'w', 512);
	begin(&w, r, 0, (const uint8_t[16]){ WRITE10(4, 1) }, 512);
	assert_int_equal(scsi_task_data(&w, rig_put(&w, data)), SCSI_PENDING);
	begin(&elsewhere, r, 0, (const uint8_t[16]){ WRITE10(5, 1) }, 512);
	assert_int_equal(scsi_task_data(&elsewhere, rig_put(&elsewhere, data)), SCSI_PENDING);
	end(&elsewhere);
	for (unsigned i = 0; i < 3; i++)
		end(&c[i]);
	end(&w);
	assert_int_equal(first_byte(r, 4), 'w');
	rig_free(r);
}

/* Zeros are no less a write for being none that is sent. */
static void write_same_of_zeros_takes_its_turn(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });
	struct scsi_task c, zeros;

	(void)state;
	fault_set(r->store, &(struct fault_cfg){ .delay_ms = 3, .seed = 5 });
	memset(data, 0, 512);
	memset(data + 512, 'c', 512);
	begin(&c, r, 0, (const uint8_t[16]){ COMPARE_AND_WRITE(4, 1) }, 1024);
	assert_int_equal(scsi_task_data(&c, rig_put(&c, data)), SCSI_PENDING);
	begin(&zeros, r, 1, (const uint8_t[16]){ WRITE_SAME16(4, 1) }, 512);
	assert_int_equal(scsi_task_data(&zeros, rig_put(&zeros, data)), SCSI_PENDING);
	end(&c);
	end(&zeros);
	assert_int_equal(first_byte(r, 4), 0);
	rig_free(r);
}

static void two_orwrites_of_a_block_set_the_bits_of_both(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });
	struct scsi_task w[2];

	(void)state;
	fault_set(r->store, &(struct fault_cfg){ .delay_ms = 3, .seed = 5 });
	for (unsigned i = 0; i < 2; i++) {
		memset(data, 1 << i, 512);
		begin(&w[i], r, i, (const uint8_t[16]){ ORWRITE(4, 1) }, 512);
		assert_int_equal(scsi_task_data(&w[i], rig_put(&w[i], data)), SCSI_PENDING);
	}
	end(&w[0]);
	end(&w[1]);
	assert_int_equal(first_byte(r, 4), 3);
	rig_free(r);
}

static void one_that_waits_is_aborted_at_once(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	struct scsi_task w, c, next;

	(void)state;
	memset(data, 0, 1024);
	begin(&w, r, 0, (const uint8_t[16]){ WRITE10(9, 1) }, 512);
	begin(&c, r, 1, (const uint8_t[16]){ COMPARE_AND_WRITE(0, 1) }, 1024);
	begin(&next, r, 1, (const uint8_t[16]){ COMPARE_AND_WRITE(0, 1) }, 1024);
	assert_int_equal(scsi_task_data(&c, rig_put(&c, data)), SCSI_PENDING);
	assert_int_equal(scsi_task_data(&next, rig_put(&next, data)), SCSI_PENDING);
	assert_true(scsi_task_abort(&c));
	scsi_task_release(&c);
	assert_true(scsi_task_abort(&w));
	scsi_task_release(&w);
	end(&next);
	rig_free(r);
}

static void an_aborted_one_gives_its_range_back(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });
	struct scsi_task c;

	(void)state;
	memset(data, 0, 1024);
	fault_set(r->store, &(struct fault_cfg){ .delay_ms = 3, .seed = 5 });
	begin(&c, r, 1, (const uint8_t[16]){ COMPARE_AND_WRITE(0, 1) }, 1024);
	assert_int_equal(scsi_task_data(&c, rig_put(&c, data)), SCSI_PENDING);
	assert_false(scsi_task_abort(&c));
	rig_wait(&c);
	scsi_task_release(&c);
	assert_good(RUN(r, 0, data, 1024, COMPARE_AND_WRITE(0, 1)));
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_STORES(equal_blocks_are_replaced),
		BOTH_STORES(different_blocks_stay_and_the_first_difference_is_told),
		cmocka_unit_test(compare_and_write_wants_its_data_exactly),
		BOTH_STORES(orwrite_sets_bits),
		cmocka_unit_test(orwrite_is_checked_as_a_write),
		cmocka_unit_test(write_atomic_writes_and_has_a_limit),
		cmocka_unit_test(write_atomic_writes_whole_physical_blocks),
		cmocka_unit_test(a_disk_that_is_not_memory_promises_no_atomic_writes),
		cmocka_unit_test(write_and_verify_writes_durably_and_looks),
		cmocka_unit_test(write_and_verify_is_checked_as_a_write),
		cmocka_unit_test(the_first_one_waits_for_writes_into_the_medium),
		cmocka_unit_test(an_atomic_write_waits_for_writes_into_the_medium),
		cmocka_unit_test(afterwards_writes_come_through_a_buffer),
		BOTH_STORES(a_write_that_has_no_data_yet_is_in_nobodys_way),
		cmocka_unit_test(overlapping_ranges_take_their_turn),
		cmocka_unit_test(write_same_of_zeros_takes_its_turn),
		cmocka_unit_test(two_orwrites_of_a_block_set_the_bits_of_both),
		cmocka_unit_test(one_that_waits_is_aborted_at_once),
		cmocka_unit_test(an_aborted_one_gives_its_range_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
