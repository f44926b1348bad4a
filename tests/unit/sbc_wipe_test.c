/* SPDX-License-Identifier: BSD-2-Clause */
/* SANITIZE and FORMAT UNIT: what is left of the data, who is kept out meanwhile, what outlives
 * what. */
#include <errno.h>

#include "scsi/guard.h"
#include "scsi/unit.h"
#include "tests/unit/scsi_support.h"

#define SANITIZE(flags, sa, len) 0x48, (uint8_t)((flags) | (sa)), 0, 0, 0, 0, 0, BE2(len), 0
#define FORMAT(bits)             0x04, bits, 0, 0, 0, 0
#define IMMED                    0x80
#define AUSE                     0x20
enum { OVERWRITE = 1, ERASE = 2, CRYPTO_ERASE = 3, LEAVE_FAILURE = 0x1f };

static uint8_t data[64 * 512];

static void fill(struct rig *r)
{
	memset(data, 'a', sizeof(data));
	assert_good(RUN(r, 0, data, sizeof(data), WRITE10(0, 64)));
	assert_good(RUN(r, 0, data, sizeof(data), WRITE10(4096 - 64, 64)));
}

/* Steps until the wiping is over. */
static void wait_ready(struct rig *r)
{
	struct result res;

	do {
		loop_step(r->loop);
		res = RUN(r, 0, NULL, 0, TUR);
	} while (res.status == SCSI_CHECK_CONDITION && res.sense.key == SENSE_NOT_READY);
	assert_good(res);
}

static void assert_all(struct rig *r, uint8_t byte)
{
	assert_good(RUN(r, 0, NULL, 4096 * 512, READ10(0, 4096)));
	for (unsigned i = 0; i < 4096 * 512; i++)
		if (rig_in[i] != byte)
			fail_msg("byte %u is %02x", i, rig_in[i]);
}

static void erasing_leaves_zeros(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = *state != NULL });

	fill(r);
	assert_good(RUN(r, 0, NULL, 0, SANITIZE(0, ERASE, 0)));
	assert_all(r, 0);
	assert_good(RUN(r, 1, data, 512, WRITE10(0, 1)));
	rig_free(r);
}

static void cryptographic_erasing_leaves_nothing_to_read(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = *state != NULL });

	fill(r);
	assert_good(RUN(r, 0, NULL, 0, SANITIZE(0, CRYPTO_ERASE, 0)));
	assert_all(r, 0);
	rig_free(r);
}

static void overwriting_leaves_the_pattern(void **state)
{
	static const uint8_t list[] = { 1, 0, 0, 1, 0xaa };
	struct rig *r = rig_create((struct rig_cfg){ .faulty = *state != NULL });

	fill(r);
	assert_good(RUN(r, 0, list, 5, SANITIZE(0, OVERWRITE, 5)));
	assert_all(r, 0xaa);
	rig_free(r);
}

/* So that the last one is not: of two passes the first, of three the second (SBC-4 5.32.2). */
static void every_other_pass_is_the_complement(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });

	(void)state;
	for (uint8_t passes = 1; passes <= 3; passes++) {
		const uint8_t list[] = { 0x80 | passes, 0, 0, 1, 0xf0 };

		for (uint8_t written = 0; written <= passes; written++) {
			fault_set(r->store, &(struct fault_cfg){ .ops = 1u << STORE_WRITE,
						    .nth = 2 * written + 1u,
						    .err = -EIO });
			RUN(r, 0, list, 5, SANITIZE(AUSE, OVERWRITE, 5));
			assert_good(RUN(r, 0, NULL, 0, SANITIZE(0, LEAVE_FAILURE, 0)));
			if (written)
				assert_all(r, (passes - written) % 2 ? 0x0f : 0xf0);
		}
	}
	rig_free(r);
}

static void a_pattern_is_repeated_in_each_block(void **state)
{
	static const uint8_t list[] = { 1, 0, 0, 3, 'x', 'y', 'z' };
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_good(RUN(r, 0, list, 7, SANITIZE(0, OVERWRITE, 7)));
	assert_good(RUN(r, 0, NULL, 512, READ10(4095, 1)));
	for (unsigned i = 0; i < 512; i++)
		assert_int_equal(rig_in[i], "xyz"[i % 3]);
	rig_free(r);
}

static void lists_that_are_wrong_are_refused(void **state)
{
	static uint8_t list[520] = { 1, 0, 2, 0 };
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	for (uint16_t len = 0; len < 5; len++)
		assert_bad_cdb(RUN(r, 0, len ? list : NULL, len, SANITIZE(0, OVERWRITE, len)), 7);
	assert_bad_cdb(RUN(r, 0, list, 517, SANITIZE(0, OVERWRITE, 517)), 7);
	list[0] = 0; /* no passes */
	assert_bad_list(RUN(r, 0, list, 516, SANITIZE(0, OVERWRITE, 516)), 0);
	list[0] = 1;
	put_be16(list + 2, 0);
	assert_bad_list(RUN(r, 0, list, 516, SANITIZE(0, OVERWRITE, 516)), 2);
	put_be16(list + 2, 513);
	assert_bad_list(RUN(r, 0, list, 516, SANITIZE(0, OVERWRITE, 516)), 2);
	put_be16(list + 2, 512);
	assert_check(
		RUN(r, 0, list, 300, SANITIZE(0, OVERWRITE, 516)), SENSE_ILLEGAL_REQUEST, 0x1a00);
	assert_bad_cdb(RUN(r, 0, list, 8, SANITIZE(0, ERASE, 8)), 7);
	assert_bad_cdb(RUN(r, 0, list, 8, SANITIZE(0, LEAVE_FAILURE, 8)), 7);
	rig_free(r);
}

static void reserved_bits_and_other_actions_are_refused(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_bad_cdb(RUN(r, 0, NULL, 0, SANITIZE(0x40, ERASE, 0)), 1);
	for (uint8_t i = 2; i < 7; i++) {
		uint8_t cdb[10] = { SANITIZE(0, ERASE, 0) };

		cdb[i] = i;
		assert_bad_cdb(rig_run(&r->nexus[0], 0, cdb, 10, NULL, 0), i);
	}
	for (uint8_t sa = 0; sa < 0x1f; sa++)
		if (sa != OVERWRITE && sa != ERASE && sa != CRYPTO_ERASE)
			assert_bad_cdb(RUN(r, 0, NULL, 0, SANITIZE(0, sa, 0)), 1);
	rig_free(r);
}

static void meanwhile_others_are_told_how_far_it_is(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true, .removable = true });
	struct result res;

	(void)state;
	fault_set(r->store, &(struct fault_cfg){ .delay_ms = 50, .seed = 1 });
	assert_good(RUN(r, 0, NULL, 0, SANITIZE(IMMED, ERASE, 0)));
	res = RUN(r, 1, NULL, 0, TUR);
	assert_check(res, SENSE_NOT_READY, 0x041b);
	assert_int_equal(res.sense.sks[0], 0x80);
	assert_check(RUN(r, 1, NULL, 512, READ10(0, 1)), SENSE_NOT_READY, 0x041b);
	assert_check(RUN(r, 1, NULL, 0, 0x1b, 0, 0, 0, 2, 0), SENSE_NOT_READY, 0x041b);
	assert_check(RUN(r, 1, NULL, 0, SANITIZE(0, ERASE, 0)), SENSE_NOT_READY, 0x041b);
	assert_check(RUN(r, 1, NULL, 0, SANITIZE(0, LEAVE_FAILURE, 0)), SENSE_NOT_READY, 0x041b);
	assert_good(RUN(r, 1, NULL, 96, 0x12, 0, 0, BE2(96), 0));
	assert_good(RUN(r, 1, NULL, 18, 0x03, 0, 0, 0, 18, 0));
	assert_int_equal(be16(rig_in + 12), 0x041b);
	assert_int_equal(rig_in[15], 0x80);
	wait_ready(r);
	rig_free(r);
}

static void how_far_it_is_is_told_also_of_slices_that_take_time(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 8 << 20, .faulty = true });
	unsigned progress = 0;

	(void)state;
	fault_set(r->store, &(struct fault_cfg){ .delay_ms = 3, .seed = 1 });
	assert_good(RUN(r, 0, NULL, 0, SANITIZE(IMMED, ERASE, 0)));
	for (;;) {
		loop_step(r->loop);
		assert_good(RUN(r, 1, NULL, 18, 0x03, 0, 0, 0, 18, 0));
		if (be16(rig_in + 12) != 0x041b)
			break;
		assert_true(be16(rig_in + 16) >= progress);
		progress = be16(rig_in + 16);
	}
	assert_true(progress >= 0xe000);
	rig_free(r);
}

static void a_disk_that_grows_meanwhile_is_wiped_to_its_new_end(void **state)
{
	static const uint8_t list[] = { 1, 0, 0, 1, 0xaa };
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });

	(void)state;
	fault_set(r->store, &(struct fault_cfg){ .delay_ms = 3, .seed = 1 });
	assert_good(RUN(r, 0, list, 5, SANITIZE(IMMED, OVERWRITE, 5)));
	assert_int_equal(store_resize(r->store, 8192 * 512), 0);
	lu_resized(r->lu);
	assert_check(RUN(r, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a09);
	wait_ready(r);
	assert_good(RUN(r, 0, NULL, 512, READ10(8191, 1)));
	assert_int_equal(rig_in[0], 0xaa);
	rig_free(r);
}

static void a_write_that_was_under_way_comes_before_or_not_at_all(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });
	struct scsi_task w;

	(void)state;
	rig_task(&w, &r->nexus[1], 0, (const uint8_t[]){ WRITE10(0, 1) }, 10, SCSI_DIR_OUT, 512);
	assert_int_equal(scsi_task_start(&w), SCSI_WANT_DATA);
	fault_set(r->store, &(struct fault_cfg){ .delay_ms = 5, .seed = 1 });
	assert_good(RUN(r, 0, NULL, 0, SANITIZE(IMMED, ERASE, 0)));
	memset(data, 'w', 512);
	assert_int_equal(scsi_task_data(&w, rig_put(&w, data)), SCSI_DONE);
	assert_int_equal(w.status, SCSI_CHECK_CONDITION);
	assert_int_equal(w.sense.asc, 0x041b);
	scsi_task_release(&w);
	wait_ready(r);
	assert_all(r, 0);
	rig_free(r);
}

static enum scsi_next never(struct scsi_task *t, int err)
{
	(void)t;
	(void)err;
	fail();
	return SCSI_DONE;
}

/* The wiping begins between a writer's look at the gate and its taking of the range. */
static void a_write_that_has_just_passed_the_gate_is_turned_back(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });
	struct scsi_task w;

	(void)state;
	rig_task(&w, &r->nexus[1], 0, (const uint8_t[]){ WRITE10(0, 1) }, 10, SCSI_DIR_OUT, 512);
	assert_int_equal(scsi_task_start(&w), SCSI_WANT_DATA);
	r->lu->wiping = WIPING_SANITIZE;
	lu_update_gates(r->lu);
	assert_false(guard_write(&w, 0, 512, never));
	rig_wait(&w);
	assert_int_equal(w.status, SCSI_CHECK_CONDITION);
	assert_int_equal(w.sense.asc, 0x041b);
	scsi_task_release(&w);
	r->lu->wiping = WIPING_NOT;
	rig_free(r);
}

static void it_waits_for_writes_into_the_medium(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	struct scsi_task w, s;

	(void)state;
	rig_task(&w, &r->nexus[1], 0, (const uint8_t[]){ WRITE10(0, 1) }, 10, SCSI_DIR_OUT, 512);
	assert_int_equal(scsi_task_start(&w), SCSI_WANT_DATA);
	rig_task(&s, &r->nexus[0], 0, (const uint8_t[]){ SANITIZE(0, ERASE, 0) }, 10, 0, 0);
	assert_int_equal(scsi_task_start(&s), SCSI_PENDING);
	memset(data, 'w', 512);
	rig_put(&w, data);
	scsi_task_data(&w, 512);
	scsi_task_release(&w);
	rig_wait(&s);
	assert_int_equal(s.status, SCSI_GOOD);
	scsi_task_release(&s);
	assert_all(r, 0);
	rig_free(r);
}

static void an_abort_while_it_waits_ends_it(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	struct scsi_task w, s;

	(void)state;
	rig_task(&w, &r->nexus[1], 0, (const uint8_t[]){ WRITE10(0, 1) }, 10, SCSI_DIR_OUT, 512);
	assert_int_equal(scsi_task_start(&w), SCSI_WANT_DATA);
	rig_task(&s, &r->nexus[0], 0, (const uint8_t[]){ SANITIZE(0, ERASE, 0) }, 10, 0, 0);
	assert_int_equal(scsi_task_start(&s), SCSI_PENDING);
	assert_true(scsi_task_abort(&s));
	scsi_task_release(&s);
	assert_good(RUN(r, 0, NULL, 0, TUR));
	scsi_task_release(&w);
	rig_free(r);
}

static void an_abort_does_not_end_what_has_begun(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });
	struct scsi_task s;

	(void)state;
	fill(r);
	fault_set(r->store, &(struct fault_cfg){ .delay_ms = 20, .seed = 1 });
	rig_task(&s, &r->nexus[0], 0, (const uint8_t[]){ SANITIZE(0, ERASE, 0) }, 10, 0, 0);
	assert_int_equal(scsi_task_start(&s), SCSI_PENDING);
	assert_true(scsi_task_abort(&s));
	scsi_task_release(&s);
	rig_nexus_close(r, 1);
	assert_check(RUN(r, 0, NULL, 0, TUR), SENSE_NOT_READY, 0x041b);
	wait_ready(r);
	assert_all(r, 0);
	rig_free(r);
}

static void a_failure_stays_until_it_is_left(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });

	(void)state;
	fault_set(
		r->store, &(struct fault_cfg){
				  .nth = 1, .count = 1, .err = -EIO, .ops = 1u << STORE_DISCARD });
	assert_check(RUN(r, 0, NULL, 0, SANITIZE(AUSE, ERASE, 0)), SENSE_MEDIUM_ERROR, 0x3103);
	assert_check(RUN(r, 0, NULL, 512, READ10(0, 1)), SENSE_MEDIUM_ERROR, 0x3103);
	assert_good(RUN(r, 0, NULL, 0, SANITIZE(0, LEAVE_FAILURE, 0)));
	assert_good(RUN(r, 0, NULL, 512, READ10(0, 1)));
	fault_set(
		r->store, &(struct fault_cfg){
				  .nth = 1, .count = 1, .err = -EIO, .ops = 1u << STORE_DISCARD });
	assert_check(RUN(r, 0, NULL, 0, SANITIZE(0, ERASE, 0)), SENSE_MEDIUM_ERROR, 0x3103);
	assert_bad_cdb(RUN(r, 0, NULL, 0, SANITIZE(0, LEAVE_FAILURE, 0)), 1);
	assert_bad_cdb(RUN(r, 0, NULL, 0, SANITIZE(AUSE, ERASE, 0)), 1);
	assert_good(RUN(r, 0, NULL, 0, SANITIZE(0, ERASE, 0)));
	assert_good(RUN(r, 0, NULL, 512, READ10(0, 1)));
	rig_free(r);
}

static void what_cannot_be_made_durable_has_failed(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });

	(void)state;
	fault_set(r->store, &(struct fault_cfg){ .nth = 1, .err = -EIO, .ops = 1u << STORE_FLUSH });
	assert_check(RUN(r, 0, NULL, 0, SANITIZE(0, ERASE, 0)), SENSE_MEDIUM_ERROR, 0x3103);
	rig_free(r);
}

/* Formatting is no SANITIZE that has succeeded, nor is one that did not begin. */
static void a_failure_is_left_in_no_other_way(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });
	struct scsi_task w, s;

	(void)state;
	rig_task(&w, &r->nexus[1], 0, (const uint8_t[]){ WRITE10(0, 1) }, 10, SCSI_DIR_OUT, 512);
	assert_int_equal(scsi_task_start(&w), SCSI_WANT_DATA);
	fault_set(
		r->store, &(struct fault_cfg){
				  .nth = 1, .count = 1, .err = -EIO, .ops = 1u << STORE_DISCARD });
	assert_check(RUN(r, 0, NULL, 0, SANITIZE(0, ERASE, 0)), SENSE_MEDIUM_ERROR, 0x3103);
	assert_check(RUN(r, 0, NULL, 0, FORMAT(0)), SENSE_MEDIUM_ERROR, 0x3103);
	assert_true(guard_write(&w, 0, 512, never));
	rig_task(&s, &r->nexus[0], 0, (const uint8_t[]){ SANITIZE(0, ERASE, 0) }, 10, 0, 0);
	assert_int_equal(scsi_task_start(&s), SCSI_PENDING);
	assert_true(scsi_task_abort(&s));
	scsi_task_release(&s);
	scsi_task_release(&w);
	assert_check(RUN(r, 0, NULL, 512, READ10(0, 1)), SENSE_MEDIUM_ERROR, 0x3103);
	rig_free(r);
}

/* Some of it is zeros by now and some is old, and nobody knows which. */
static void assert_corrupt(struct rig *r)
{
	assert_check(RUN(r, 0, NULL, 0, TUR), SENSE_MEDIUM_ERROR, 0x3100);
	assert_check(RUN(r, 0, NULL, 512, READ10(0, 1)), SENSE_MEDIUM_ERROR, 0x3100);
	assert_check(RUN(r, 1, data, 512, WRITE10(0, 1)), SENSE_MEDIUM_ERROR, 0x3100);
	assert_good(RUN(r, 1, NULL, 96, 0x12, 0, 0, 0, 96, 0));
}

static void what_was_not_formatted_to_the_end_is_corrupt_until_it_is(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });
	enum store_op op = *state ? STORE_FLUSH : STORE_DISCARD;

	fault_set(r->store,
		&(struct fault_cfg){ .nth = 1, .count = 1, .err = -EIO, .ops = 1u << op });
	assert_check(RUN(r, 0, NULL, 0, FORMAT(0)), SENSE_MEDIUM_ERROR, 0x3101);
	assert_corrupt(r);
	assert_good(RUN(r, 0, NULL, 0, FORMAT(0)));
	assert_good(RUN(r, 0, NULL, 512, READ10(0, 1)));
	rig_free(r);
}

static void a_unit_that_is_taken_away_is_not_wiped_to_the_end(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .blocks = 8 << 20, .faulty = true });
	static const uint8_t list[] = { 1, 0, 0, 1, 0xaa };

	(void)state;
	assert_good(RUN(r, 0, list, 5, SANITIZE(IMMED, OVERWRITE, 5)));
	for (unsigned i = 0; i < 2; i++)
		rig_nexus_close(r, i);
	lun_map_unref(r->map);
	lu_unref(r->lu);
	while (!r->lu_gone)
		loop_step(r->loop);
	r->map = NULL;
	r->lu = NULL;
	rig_free(r);
}

/* What goes on would go on under the data of its successor. */
static void a_unit_has_no_successor_while_it_is_wiped(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });
	struct rig *next = rig_create((struct rig_cfg){ 0 });
	static const uint8_t list[] = { 1, 0, 0, 1, 0xaa };

	(void)state;
	assert_good(RUN(r, 0, list, 5, SANITIZE(IMMED, OVERWRITE, 5)));
	assert_true(lu_wiping(r->lu));
	assert_int_equal(lu_succeed(next->lu, r->lu), -EBUSY);
	wait_ready(r);
	assert_false(lu_wiping(r->lu));
	assert_int_equal(lu_succeed(next->lu, r->lu), 0);
	assert_int_equal(RUN(r, 0, NULL, 0, SANITIZE(0, ERASE, 0)).status, SCSI_BUSY);
	rig_free(next);
	rig_free(r);
}

static void a_failure_stays_with_the_successor(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true });
	struct rig *next = rig_create((struct rig_cfg){ 0 });

	(void)state;
	fault_set(r->store, &(struct fault_cfg){ .nth = 1, .count = 1, .err = -EIO });
	assert_check(RUN(r, 0, NULL, 0, SANITIZE(AUSE, ERASE, 0)), SENSE_MEDIUM_ERROR, 0x3103);
	assert_int_equal(lu_succeed(next->lu, r->lu), 0);
	assert_check(RUN(next, 0, NULL, 512, READ10(0, 1)), SENSE_MEDIUM_ERROR, 0x3103);
	assert_good(RUN(next, 0, NULL, 0, SANITIZE(0, LEAVE_FAILURE, 0)));
	assert_good(RUN(next, 0, NULL, 512, READ10(0, 1)));
	rig_free(next);
	rig_free(r);
}

static void a_protected_or_reserved_disk_is_not_wiped(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .read_only = true });

	(void)state;
	assert_check(RUN(r, 0, NULL, 0, SANITIZE(0, ERASE, 0)), SENSE_DATA_PROTECT, 0x2700);
	assert_check(RUN(r, 0, NULL, 0, FORMAT(0)), SENSE_DATA_PROTECT, 0x2700);
	assert_good(RUN(r, 1, NULL, 0, 0x16, 0, 0, 0, 0, 0));
	assert_int_equal(
		RUN(r, 0, NULL, 0, SANITIZE(0, ERASE, 0)).status, SCSI_RESERVATION_CONFLICT);
	rig_free(r);
}

static void a_thick_disk_is_not_erased_and_can_be_overwritten(void **state)
{
	static const uint8_t list[] = { 1, 0, 0, 1, 0xaa };
	struct rig *r = rig_create((struct rig_cfg){ .thick = true });

	(void)state;
	assert_bad_cdb(RUN(r, 0, NULL, 0, SANITIZE(0, ERASE, 0)), 1);
	assert_good(RUN(r, 0, list, 5, SANITIZE(0, OVERWRITE, 5)));
	rig_free(r);
}

static void formatting_leaves_zeros(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .thick = *state != NULL });

	fill(r);
	assert_good(RUN(r, 0, NULL, 0, FORMAT(0)));
	assert_all(r, 0);
	fill(r);
	assert_good(RUN(r, 0, ((const uint8_t[]){ 0, 0x02, 0, 0 }), 4, FORMAT(0x10)));
	wait_ready(r);
	assert_all(r, 0);
	rig_free(r);
}

static void formats_that_are_not_there_are_refused(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_bad_cdb(RUN(r, 0, NULL, 0, FORMAT(0x80)), 1);
	assert_bad_cdb(RUN(r, 0, NULL, 0, FORMAT(0x20)), 1);
	assert_bad_list(RUN(r, 0, ((const uint8_t[]){ 1, 0, 0, 0 }), 4, FORMAT(0x10)), 0);
	assert_bad_list(RUN(r, 0, ((const uint8_t[]){ 0, 8, 0, 0 }), 4, FORMAT(0x10)), 1);
	assert_bad_list(RUN(r, 0, ((const uint8_t[]){ 0, 0, 0, 8 }), 4, FORMAT(0x10)), 2);
	assert_bad_list(
		RUN(r, 0, ((const uint8_t[]){ 0, 0, 0, 0, 0, 0, 0, 8 }), 8, FORMAT(0x30)), 4);
	for (uint32_t len = 1; len < 4; len++)
		assert_check(RUN(r, 0, ((const uint8_t[]){ 0, 0, 0, 0 }), len, FORMAT(0x10)),
			SENSE_ILLEGAL_REQUEST, 0x1a00);
	rig_free(r);
}

/* --- what outlives a restart ------------------------------------------------------------------ */

/* A keeper that writes down what it is told, and says later how that went. */
struct book {
	struct lu_wipe_keeper keeper;
	struct rig *rig;
	unsigned n;
	enum lu_wiped is[4];
	uint64_t slices[4]; /* that the store had been asked for until then */
	unsigned fails;     /* so many succeed before one fails, from 1 on */
};

static void book_done(struct loop_msg *m)
{
	struct lu_keep *k = container_of(m, struct lu_keep, msg);

	k->done(k, k->err);
}

static void book_keep(struct lu_wipe_keeper *kr, struct lu_keep *k, const uint8_t naa[16],
	uint64_t medium, enum lu_wiped is)
{
	struct book *b = container_of(kr, struct book, keeper);

	assert_memory_equal(naa, lu_naa(b->rig->lu), 16);
	assert_int_equal(medium, store_medium(b->rig->store));
	assert_true(b->n < 4);
	b->slices[b->n] = fault_seen(b->rig->store);
	b->is[b->n++] = is;
	k->err = b->fails == b->n ? -EIO : 0;
	k->msg.run = book_done;
	loop_post(k->loop, &k->msg);
}

static struct rig *kept_rig(struct book *b, enum lu_wiped is)
{
	*b = (struct book){ .keeper.keep = book_keep };
	b->rig = rig_create_quietly(
		(struct rig_cfg){ .faulty = true, .wipe_keeper = &b->keeper, .wiped = is });
	for (unsigned i = 0; i < RIG_NEXUSES; i++)
		RUN(b->rig, i, NULL, 0, TUR);
	fault_set(b->rig->store, &(struct fault_cfg){ 0 });
	return b->rig;
}

static void it_is_kept_from_before_the_first_block_until_the_last_is_durable(void **state)
{
	struct book b;
	struct rig *r = kept_rig(&b, LU_WIPED);

	(void)state;
	assert_good(RUN(r, 0, NULL, 0, SANITIZE(0, ERASE, 0)));
	assert_int_equal(b.n, 2);
	assert_int_equal(b.is[0], LU_WIPE_FAILED);
	assert_int_equal(b.slices[0], 0);
	assert_int_equal(b.is[1], LU_WIPED);
	assert_int_equal(b.slices[1], 2);
	b.n = 0;
	assert_good(RUN(r, 0, NULL, 0, SANITIZE(AUSE | IMMED, ERASE, 0)));
	wait_ready(r);
	assert_int_equal(b.n, 2);
	assert_int_equal(b.is[0], LU_WIPE_FAILED_AUSE);
	assert_int_equal(b.is[1], LU_WIPED);
	rig_free(r);
}

static void so_is_formatting(void **state)
{
	struct book b;
	struct rig *r = kept_rig(&b, LU_WIPED);

	(void)state;
	assert_good(RUN(r, 0, NULL, 0, FORMAT(0)));
	assert_int_equal(b.n, 2);
	assert_int_equal(b.is[0], LU_FORMAT_FAILED);
	assert_int_equal(b.slices[0], 0);
	assert_int_equal(b.is[1], LU_WIPED);
	assert_int_equal(b.slices[1], 2);
	rig_free(r);
}

static void one_that_was_cut_off_has_failed(void **state)
{
	struct book b;
	struct rig *r = kept_rig(&b, LU_WIPE_FAILED);

	(void)state;
	assert_check(RUN(r, 0, NULL, 512, READ10(0, 1)), SENSE_MEDIUM_ERROR, 0x3103);
	assert_bad_cdb(RUN(r, 0, NULL, 0, SANITIZE(0, LEAVE_FAILURE, 0)), 1);
	assert_bad_cdb(RUN(r, 0, NULL, 0, SANITIZE(AUSE, ERASE, 0)), 1);
	assert_int_equal(b.n, 0);
	assert_good(RUN(r, 0, NULL, 0, SANITIZE(0, ERASE, 0)));
	assert_good(RUN(r, 0, NULL, 512, READ10(0, 1)));
	rig_free(r);
}

static void formatting_that_was_cut_off_has_failed(void **state)
{
	struct book b;
	struct rig *r = kept_rig(&b, LU_FORMAT_FAILED);

	assert_corrupt(r);
	assert_good(RUN(r, 0, NULL, 0, SANITIZE(0, LEAVE_FAILURE, 0)));
	assert_corrupt(r);
	assert_int_equal(b.n, 0);
	if (*state)
		assert_good(RUN(r, 0, NULL, 0, SANITIZE(AUSE, ERASE, 0)));
	else
		assert_good(RUN(r, 0, NULL, 0, FORMAT(0)));
	assert_int_equal(b.is[1], LU_WIPED);
	assert_good(RUN(r, 0, NULL, 512, READ10(0, 1)));
	rig_free(r);
}

static void leaving_a_failure_is_kept_before_it_is_answered(void **state)
{
	struct book b;
	struct rig *r = kept_rig(&b, LU_WIPE_FAILED_AUSE);

	(void)state;
	b.fails = 1;
	assert_check(RUN(r, 0, NULL, 0, SANITIZE(0, LEAVE_FAILURE, 0)), SENSE_MEDIUM_ERROR, 0x3103);
	assert_check(RUN(r, 0, NULL, 512, READ10(0, 1)), SENSE_MEDIUM_ERROR, 0x3103);
	assert_good(RUN(r, 0, NULL, 0, SANITIZE(0, LEAVE_FAILURE, 0)));
	assert_good(RUN(r, 0, NULL, 512, READ10(0, 1)));
	assert_int_equal(b.n, 2);
	assert_int_equal(b.is[0] | b.is[1], LU_WIPED);
	assert_int_equal(b.slices[1], 0);
	assert_good(RUN(r, 0, NULL, 0, SANITIZE(0, LEAVE_FAILURE, 0)));
	assert_int_equal(b.n, 2);
	rig_free(r);
}

static void what_cannot_be_kept_does_not_begin(void **state)
{
	struct book b;
	struct rig *r = kept_rig(&b, LU_WIPED);

	fill(r);
	b.fails = 1;
	assert_check(RUN(r, 0, NULL, 0, SANITIZE(*state ? IMMED : 0, ERASE, 0)),
		SENSE_HARDWARE_ERROR, 0x4400);
	assert_good(RUN(r, 0, NULL, 512, READ10(0, 1)));
	assert_int_equal(rig_in[0], 'a');
	rig_free(r);
}

static void one_that_cannot_be_forgotten_has_failed(void **state)
{
	struct book b;
	struct rig *r = kept_rig(&b, LU_WIPED);

	(void)state;
	b.fails = 2;
	assert_check(RUN(r, 0, NULL, 0, SANITIZE(0, ERASE, 0)), SENSE_MEDIUM_ERROR, 0x3103);
	assert_check(RUN(r, 0, NULL, 512, READ10(0, 1)), SENSE_MEDIUM_ERROR, 0x3103);
	rig_free(r);
}

static void an_abort_while_it_is_being_kept_does_not_end_it(void **state)
{
	struct scsi_task s;
	struct book b;
	struct rig *r = kept_rig(&b, LU_WIPED);

	(void)state;
	fill(r);
	rig_task(&s, &r->nexus[0], 0, (const uint8_t[]){ SANITIZE(0, ERASE, 0) }, 10, 0, 0);
	assert_int_equal(scsi_task_start(&s), SCSI_PENDING);
	assert_int_equal(b.n, 1);
	assert_true(scsi_task_abort(&s));
	scsi_task_release(&s);
	wait_ready(r);
	assert_int_equal(b.n, 2);
	assert_all(r, 0);
	rig_free(r);
}

static void of_memory_nothing_is_kept(void **state)
{
	struct book b = { .keeper.keep = book_keep };
	struct rig *r =
		rig_create((struct rig_cfg){ .wipe_keeper = &b.keeper, .wiped = LU_WIPE_FAILED });

	(void)state;
	assert_good(RUN(r, 0, NULL, 0, SANITIZE(0, ERASE, 0)));
	assert_int_equal(b.n, 0);
	rig_free(r);
}

#define T(f) cmocka_unit_test(f)
#define BOTH(f) \
	{ #f " (one)", f, NULL, NULL, NULL }, \
	{ \
#f " (other)", f, NULL, NULL, (void *)1 \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(erasing_leaves_zeros),
		BOTH(cryptographic_erasing_leaves_nothing_to_read),
		BOTH(overwriting_leaves_the_pattern),
		T(every_other_pass_is_the_complement),
		T(a_pattern_is_repeated_in_each_block),
		T(lists_that_are_wrong_are_refused),
		T(reserved_bits_and_other_actions_are_refused),
		T(meanwhile_others_are_told_how_far_it_is),
		T(how_far_it_is_is_told_also_of_slices_that_take_time),
		T(a_disk_that_grows_meanwhile_is_wiped_to_its_new_end),
		T(a_write_that_was_under_way_comes_before_or_not_at_all),
		T(a_write_that_has_just_passed_the_gate_is_turned_back),
		T(it_waits_for_writes_into_the_medium),
		T(an_abort_while_it_waits_ends_it),
		T(an_abort_does_not_end_what_has_begun),
		T(a_failure_stays_until_it_is_left),
		T(what_cannot_be_made_durable_has_failed),
		T(a_failure_is_left_in_no_other_way),
		BOTH(what_was_not_formatted_to_the_end_is_corrupt_until_it_is),
		T(a_unit_that_is_taken_away_is_not_wiped_to_the_end),
		T(a_unit_has_no_successor_while_it_is_wiped),
		T(a_failure_stays_with_the_successor),
		T(a_protected_or_reserved_disk_is_not_wiped),
		T(a_thick_disk_is_not_erased_and_can_be_overwritten),
		BOTH(formatting_leaves_zeros),
		T(formats_that_are_not_there_are_refused),
		T(it_is_kept_from_before_the_first_block_until_the_last_is_durable),
		T(so_is_formatting),
		T(one_that_was_cut_off_has_failed),
		BOTH(formatting_that_was_cut_off_has_failed),
		T(leaving_a_failure_is_kept_before_it_is_answered),
		BOTH(what_cannot_be_kept_does_not_begin),
		T(one_that_cannot_be_forgotten_has_failed),
		T(an_abort_while_it_is_being_kept_does_not_end_it),
		T(of_memory_nothing_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
