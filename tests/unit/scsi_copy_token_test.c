/* SPDX-License-Identifier: BSD-2-Clause */
/* POPULATE TOKEN, WRITE USING TOKEN and their results; whose tokens are good for what. */
#include <errno.h>

#include "tests/unit/scsi_copy_support.h"

#define ID            7
#define POPULATE(len) 0x83, 0x10, 0, 0, 0, 0, BE4(ID), BE4(len), 0, 0
#define USE(len)      0x83, 0x11, 0, 0, 0, 0, BE4(ID), BE4(len), 0, 0
#define ABORT         0x83, 0x1c, BE4(ID), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define INFORMATION   0x84, 0x07, BE4(ID), 0, 0, 0, 0, BE4(1024), 0, 0
#define ALL_TOKENS    0x84, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, BE4(16384), 0, 0
#define IMMED         1
#define DELETE        2

static uint8_t list[4096], token[512];

static uint32_t range(uint32_t at, uint32_t head, uint64_t lba, uint32_t n)
{
	put_be64(list + at, lba);
	put_be32(list + at + 8, n);
	put_be16(list + head - 2, (uint16_t)(be16(list + head - 2) + 16));
	put_be16(list, (uint16_t)(at + 16 - 2));
	return at + 16;
}

static uint32_t populate_head(void)
{
	memset(list, 0, sizeof(list));
	list[1] = 14;
	return 16;
}

static uint32_t use_head(uint8_t flags, uint64_t offset)
{
	memset(list, 0, sizeof(list));
	put_be16(list, 534);
	list[2] = flags;
	put_be64(list + 8, offset);
	memcpy(list + 16, token, sizeof(token));
	return 536;
}

static struct result populate(struct disks *d, unsigned nexus, unsigned lun, uint32_t len)
{
	return ON(d, nexus, lun, list, len, POPULATE(len));
}

static struct result use(struct disks *d, unsigned nexus, unsigned lun, uint32_t len)
{
	return ON(d, nexus, lun, list, len, USE(len));
}

/* A token of LUN 0, fetched as Windows does. */
static void take_token(struct disks *d, unsigned nexus, unsigned lun, uint64_t lba, uint32_t n)
{
	assert_good(populate(d, nexus, lun, range(populate_head(), 16, lba, n)));
	assert_int_equal(ON(d, nexus, lun, NULL, 1024, INFORMATION).in_len, 32 + 4 + 514);
	assert_int_equal(rig_in[4], 0x10);
	assert_int_equal(rig_in[5], 0x01);
	assert_int_equal(rig_in[15], 0xf1);
	assert_int_equal(be64(rig_in + 16), n);
	assert_int_equal(be32(rig_in + 32), 514);
	memcpy(token, rig_in + 38, sizeof(token));
}

static void poll_until_over(struct disks *d, unsigned nexus, unsigned lun)
{
	do {
		loop_step(d->r->loop);
		assert_good(ON(d, nexus, lun, NULL, 1024, INFORMATION));
	} while (rig_in[5] == 0x12);
}

/* Windows Server: POPULATE TOKEN with IMMED and an inactivity timeout, RECEIVE ROD TOKEN
 * INFORMATION, WRITE USING TOKEN with IMMED in pieces of 256 KiB further into the token, polling
 * after each. */
static void the_sequence_of_windows_copies_a_file(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ .faulty = *state != NULL });
	uint32_t at = populate_head();

	fill(d, 0, 2000);
	list[2] = IMMED;
	put_be32(list + 4, 60);
	at = range(at, 16, 0, 1024);
	assert_good(populate(d, 0, 0, range(at, 16, 1024, 976)));
	assert_good(ON(d, 0, 0, NULL, 1024, INFORMATION));
	memcpy(token, rig_in + 38, sizeof(token));
	assert_int_equal(be64(rig_in + 16), 2000);
	for (uint32_t lba = 0; lba < 2000; lba += 512) {
		uint32_t n = 2000 - lba < 512 ? 2000 - lba : 512;

		assert_good(use(d, 0, 1, range(use_head(IMMED, lba), 536, 2048 + lba, n)));
		poll_until_over(d, 0, 1);
		assert_int_equal(rig_in[4], 0x11);
		assert_int_equal(rig_in[5], 0x01);
		assert_int_equal(be64(rig_in + 16), n);
		assert_int_equal(be32(rig_in + 32), 0);
	}
	assert_blocks(d, 1, 2048, 2000);
	disks_free(d);
}

static void ranges_of_both_sides_are_cut_where_either_ends(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });
	uint32_t at;

	(void)state;
	fill(d, 0, 100);
	at = range(range(range(populate_head(), 16, 0, 30), 16, 30, 5), 16, 35, 65);
	assert_good(populate(d, 0, 0, at));
	ON(d, 0, 0, NULL, 1024, INFORMATION);
	memcpy(token, rig_in + 38, sizeof(token));
	at = range(range(use_head(0, 0), 536, 1000, 33), 536, 1033, 67);
	assert_good(use(d, 0, 1, at));
	assert_blocks(d, 1, 1000, 100);
	/* From the middle of the token, and no further than to its end. */
	assert_good(use(d, 0, 1, range(use_head(0, 90), 536, 2000, 100)));
	ON(d, 0, 1, NULL, 1024, INFORMATION);
	assert_int_equal(be64(rig_in + 16), 10);
	assert_good(ON(d, 0, 1, NULL, 512, READ10(2010, 1)));
	assert_int_equal(rig_in[0] | rig_in[511], 0);
	disks_free(d);
}

static void the_zero_token_writes_zeros(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ .thick = *state != NULL });

	fill(d, 0, 16);
	memset(token, 0, sizeof(token));
	put_be32(token, 0xffff0001);
	put_be16(token + 6, 504);
	assert_good(use(d, 0, 0, range(use_head(0, 0), 536, 4, 4)));
	memset(data + 4 * 512, 0, 4 * 512);
	assert_blocks(d, 0, 0, 16);
	disks_free(d);
}

static void a_token_works_for_every_nexus_that_sees_the_unit(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	fill(d, 0, 8);
	take_token(d, 0, 0, 0, 8);
	assert_good(use(d, 1, 1, range(use_head(0, 0), 536, 64, 8)));
	assert_blocks(d, 1, 64, 8);
	disks_free(d);
}

static void a_token_of_a_unit_that_the_nexus_does_not_see_is_unknown(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	take_token(d, 1, 2, 0, 8); /* LUN 2 is the second nexus's alone */
	assert_check(use(d, 0, 0, range(use_head(0, 0), 536, 0, 8)), SENSE_ILLEGAL_REQUEST, 0x2304);
	assert_good(use(d, 1, 0, range(use_head(0, 0), 536, 0, 8)));
	disks_free(d);
}

static void a_token_with_any_bit_changed_is_unknown(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	take_token(d, 0, 0, 0, 8);
	for (unsigned i = 8; i < 512; i++) {
		token[i] ^= 1;
		assert_check(use(d, 0, 1, range(use_head(0, 0), 536, 0, 8)), SENSE_ILLEGAL_REQUEST,
			0x2304);
		token[i] ^= 1;
	}
	token[0] = 0x80;
	assert_check(use(d, 0, 1, range(use_head(0, 0), 536, 0, 8)), SENSE_ILLEGAL_REQUEST, 0x2301);
	token[0] = 0;
	token[7] = 0;
	assert_check(use(d, 0, 1, range(use_head(0, 0), 536, 0, 8)), SENSE_ILLEGAL_REQUEST, 0x230a);
	disks_free(d);
}

static void two_tokens_of_the_same_blocks_have_nothing_secret_in_common(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });
	uint8_t first[512];

	(void)state;
	take_token(d, 0, 0, 0, 8);
	memcpy(first, token, sizeof(first));
	take_token(d, 0, 0, 0, 8);
	assert_memory_not_equal(first + 128, token + 128, 32);
	assert_int_equal(ON(d, 1, 0, NULL, 16384, ALL_TOKENS).in_len, 8 + 2 * 96);
	assert_memory_equal(rig_in + 8, first, 96); /* and the secret is not told */
	disks_free(d);
}

static void a_reservation_that_came_later_keeps_the_token_from_reading(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	take_token(d, 0, 0, 0, 8);
	assert_good(ON(d, 1, 0, (const uint8_t[24]){ [15] = 1 }, 24, 0x5f, 0, 0, 0, 0, BE4(24), 0));
	assert_good(ON(d, 1, 0, (const uint8_t[24]){ [7] = 1 }, 24, 0x5f, 1, 3, 0, 0, BE4(24), 0));
	assert_int_equal(
		use(d, 0, 1, range(use_head(0, 0), 536, 0, 8)).status, SCSI_RESERVATION_CONFLICT);
	disks_free(d);
}

static void a_deleted_token_is_unknown(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	take_token(d, 0, 0, 0, 8);
	assert_good(use(d, 0, 1, range(use_head(DELETE, 0), 536, 0, 8)));
	assert_check(use(d, 0, 1, range(use_head(0, 0), 536, 0, 8)), SENSE_ILLEGAL_REQUEST, 0x2304);
	disks_free(d);
}

static void a_unit_that_shrank_revokes_what_is_gone(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	take_token(d, 0, 0, 4000, 8);
	assert_int_equal(store_resize(d->store[0], 2048 * 512), 0);
	lu_resized(d->lu[0]);
	assert_check(use(d, 0, 1, range(use_head(0, 0), 536, 0, 8)), SENSE_ILLEGAL_REQUEST, 0x2306);
	disks_free(d);
}

static void a_unit_that_shrank_into_a_token_revokes_it(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	take_token(d, 0, 0, 2044, 8);
	assert_int_equal(store_resize(d->store[0], 2048 * 512), 0);
	lu_resized(d->lu[0]);
	assert_check(use(d, 0, 1, range(use_head(0, 0), 536, 0, 8)), SENSE_ILLEGAL_REQUEST, 0x2306);
	disks_free(d);
}

static void there_are_no_more_tokens_than_promised(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	for (unsigned i = 0; i < 128; i++)
		take_token(d, 0, 0, i, 1);
	assert_check(
		populate(d, 0, 0, range(populate_head(), 16, 0, 1)), SENSE_ILLEGAL_REQUEST, 0x550d);
	disks_free(d);
}

static void results_belong_to_the_nexus_that_asked(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	take_token(d, 0, 0, 0, 8);
	assert_bad_cdb(ON(d, 1, 0, NULL, 1024, INFORMATION), 2);
	assert_bad_cdb(ON(d, 0, 1, NULL, 1024, INFORMATION), 2);
	disks_free(d);
}

static void a_failure_in_the_background_is_told_with_its_sense(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ .faulty = true });

	(void)state;
	fill(d, 0, 8);
	take_token(d, 0, 0, 0, 8);
	fault_set(d->store[0], &(struct fault_cfg){ .nth = 1, .err = -EIO });
	assert_good(use(d, 0, 1, range(use_head(IMMED, 0), 536, 0, 8)));
	poll_until_over(d, 0, 1);
	assert_int_equal(rig_in[5], 0x02);
	assert_int_equal(rig_in[12], SCSI_CHECK_CONDITION);
	assert_int_equal(rig_in[32 + 1], SENSE_MEDIUM_ERROR);
	disks_free(d);
}

/* One that takes its time, in the background. */
static void start_slowly(struct disks *d)
{
	fill(d, 0, 2000);
	take_token(d, 0, 0, 0, 4000);
	fault_set(d->store[0], &(struct fault_cfg){ .delay_ms = 20 });
	assert_good(use(d, 0, 1, range(use_head(IMMED, 0), 536, 0, 4000)));
	assert_good(ON(d, 0, 1, NULL, 1024, INFORMATION));
	assert_int_equal(rig_in[5], 0x12);
}

static void a_copy_in_the_background_can_be_aborted(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ .faulty = true });

	(void)state;
	assert_bad_cdb(ON(d, 0, 1, NULL, 0, ABORT), 2);
	start_slowly(d);
	assert_check(use(d, 0, 1, range(use_head(0, 0), 536, 0, 8)), SENSE_ILLEGAL_REQUEST, 0x0016);
	assert_good(ON(d, 0, 1, NULL, 0, ABORT));
	poll_until_over(d, 0, 1);
	assert_int_equal(rig_in[5], 0x60);
	disks_free(d);
}

static void late_close(struct nexus *n)
{
	n->initiator = NULL;
}

static void on_reset(struct lu_function_req *q)
{
	q->nexus = NULL;
}

/* Done from the second nexus, to its end. */
static void run_function(struct disks *d, unsigned lun, enum lu_function function)
{
	struct lu_function_req q = { .nexus = &d->r->nexus[1],
		.lun = lun_field(lun),
		.function = function,
		.done = on_reset };

	lu_function(&q);
	while (q.nexus)
		loop_step(d->r->loop);
}

static void a_reset_of_the_unit_ends_copies_in_the_background(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ .faulty = true });

	(void)state;
	start_slowly(d);
	run_function(d, 1, LU_RESET);
	/* Nothing of it is in flight any more. */
	assert_check(ON(d, 0, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2903);
	assert_good(ON(d, 0, 1, NULL, 1024, INFORMATION));
	assert_int_equal(rig_in[5], 0x60);
	disks_free(d);
}

static void a_reset_of_the_unit_they_read_from_ends_copies_too(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ .faulty = true });

	(void)state;
	start_slowly(d);
	run_function(d, 0, LU_RESET);
	assert_good(ON(d, 0, 1, NULL, 1024, INFORMATION));
	assert_int_equal(rig_in[5], 0x60);
	disks_free(d);
}

static void clearing_the_task_set_leaves_copies_in_the_background_alone(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ .faulty = true });

	(void)state;
	start_slowly(d);
	run_function(d, 1, LU_CLEAR_TASK_SET);
	poll_until_over(d, 0, 1);
	assert_int_equal(rig_in[5], 0x01);
	disks_free(d);
}

/* The nexus has gone meanwhile, and its copy still has something in flight. */
static void a_reset_waits_for_a_copy_whose_nexus_has_gone(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ .faulty = true });

	(void)state;
	start_slowly(d);
	nexus_close(&d->r->nexus[0], late_close);
	assert_non_null(d->r->nexus[0].initiator);
	run_function(d, 1, LU_RESET);
	assert_null(d->r->nexus[0].initiator);
	disks_free(d);
}

static void a_nexus_that_closes_ends_its_copies_and_goes_after_them(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ .faulty = true });

	(void)state;
	start_slowly(d);
	nexus_close(&d->r->nexus[0], late_close);
	while (d->r->nexus[0].initiator)
		loop_step(d->r->loop);
	disks_free(d);
}

/* --- lists that are wrong -------------------------------------------------------------- */

static void lists_that_are_cut_anywhere_are_too_short(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });
	uint32_t len = range(populate_head(), 16, 0, 8);

	(void)state;
	for (uint32_t n = 1; n < len; n++) {
		assert_check(populate(d, 0, 0, n), SENSE_ILLEGAL_REQUEST, 0x1a00);
		assert_check(ON(d, 0, 0, list, n, POPULATE(len)), SENSE_ILLEGAL_REQUEST, 0x1a00);
	}
	take_token(d, 0, 0, 0, 8);
	len = range(use_head(0, 0), 536, 0, 8);
	for (uint32_t n = 1; n < len; n++) {
		assert_check(use(d, 0, 1, n), SENSE_ILLEGAL_REQUEST, 0x1a00);
		assert_check(ON(d, 0, 1, list, n, USE(len)), SENSE_ILLEGAL_REQUEST, 0x1a00);
	}
	assert_good(populate(d, 0, 0, 0));
	assert_good(use(d, 0, 0, 0));
	disks_free(d);
}

static void lengths_that_lie_are_refused(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });
	uint32_t len = range(populate_head(), 16, 0, 8);

	(void)state;
	put_be16(list, UINT16_MAX);
	assert_check(populate(d, 0, 0, len), SENSE_ILLEGAL_REQUEST, 0x1a00);
	put_be16(list, 0);
	assert_check(populate(d, 0, 0, len), SENSE_ILLEGAL_REQUEST, 0x1a00);
	put_be16(list, 30);
	put_be16(list + 14, UINT16_MAX);
	assert_check(populate(d, 0, 0, len), SENSE_ILLEGAL_REQUEST, 0x1a00);
	put_be16(list + 14, 15); /* not one whole range */
	assert_bad_list(populate(d, 0, 0, len), 14);
	assert_bad_cdb(ON(d, 0, 0, list, len, POPULATE(UINT32_MAX)), 10);
	disks_free(d);
}

static void ranges_must_be_there_and_apart(void **state)
{
	static const uint64_t lbas[] = { 4095, 4096, UINT64_MAX, UINT64_MAX - 7 };
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	for (unsigned i = 0; i < sizeof(lbas) / sizeof(lbas[0]); i++)
		assert_check(populate(d, 0, 0, range(populate_head(), 16, lbas[i], 8)),
			SENSE_ILLEGAL_REQUEST, 0x2100);
	assert_bad_list(populate(d, 0, 0, range(range(populate_head(), 16, 8, 8), 16, 15, 1)), 32);
	assert_bad_list(populate(d, 0, 0, range(range(populate_head(), 16, 8, 8), 16, 0, 9)), 32);
	assert_bad_list(populate(d, 0, 0, range(populate_head(), 16, 0, 0)), 24);
	take_token(d, 0, 0, 0, 8);
	assert_bad_list(use(d, 0, 1, range(use_head(0, 8), 536, 0, 1)), 8);
	assert_bad_list(use(d, 0, 1, range(use_head(0, UINT64_MAX), 536, 0, 1)), 8);
	disks_free(d);
}

static void timeouts_and_types_beyond_ours_are_refused(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });
	uint32_t len = range(populate_head(), 16, 0, 8);

	(void)state;
	put_be32(list + 4, 601);
	assert_bad_list(populate(d, 0, 0, len), 4);
	put_be32(list + 4, 0);
	list[2] = 0x02;
	put_be32(list + 8, 0x00800000);
	assert_bad_list(populate(d, 0, 0, len), 8);
	disks_free(d);
}

#define BOTH(f) \
	{ #f " (one way)", f, NULL, NULL, NULL }, \
	{ \
#f " (the other)", f, NULL, NULL, (void *)(uintptr_t)1 \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(the_sequence_of_windows_copies_a_file),
		cmocka_unit_test(ranges_of_both_sides_are_cut_where_either_ends),
		BOTH(the_zero_token_writes_zeros),
		cmocka_unit_test(a_token_works_for_every_nexus_that_sees_the_unit),
		cmocka_unit_test(a_token_of_a_unit_that_the_nexus_does_not_see_is_unknown),
		cmocka_unit_test(a_token_with_any_bit_changed_is_unknown),
		cmocka_unit_test(two_tokens_of_the_same_blocks_have_nothing_secret_in_common),
		cmocka_unit_test(a_reservation_that_came_later_keeps_the_token_from_reading),
		cmocka_unit_test(a_deleted_token_is_unknown),
		cmocka_unit_test(a_unit_that_shrank_revokes_what_is_gone),
		cmocka_unit_test(a_unit_that_shrank_into_a_token_revokes_it),
		cmocka_unit_test(there_are_no_more_tokens_than_promised),
		cmocka_unit_test(results_belong_to_the_nexus_that_asked),
		cmocka_unit_test(a_failure_in_the_background_is_told_with_its_sense),
		cmocka_unit_test(a_copy_in_the_background_can_be_aborted),
		cmocka_unit_test(a_reset_of_the_unit_ends_copies_in_the_background),
		cmocka_unit_test(a_reset_of_the_unit_they_read_from_ends_copies_too),
		cmocka_unit_test(clearing_the_task_set_leaves_copies_in_the_background_alone),
		cmocka_unit_test(a_reset_waits_for_a_copy_whose_nexus_has_gone),
		cmocka_unit_test(a_nexus_that_closes_ends_its_copies_and_goes_after_them),
		cmocka_unit_test(lists_that_are_cut_anywhere_are_too_short),
		cmocka_unit_test(lengths_that_lie_are_refused),
		cmocka_unit_test(ranges_must_be_there_and_apart),
		cmocka_unit_test(timeouts_and_types_beyond_ours_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
