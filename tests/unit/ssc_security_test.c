/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tape data encryption by SECURITY PROTOCOL IN and OUT (SSC-4 8.5).
 */
#include "tests/unit/ssc_support.h"

static struct result in(struct tape_rig *rig, uint8_t protocol, uint16_t page)
{
	return TAPE(rig, NULL, 1024, 0xa2, protocol, BE2(page), 0, 0, BE4(1024), 0, 0);
}

/* Set Data Encryption with a key of 32 times the same byte, and a UKAD. */
static struct result set_key(struct tape_rig *rig, uint8_t encrypt, uint8_t decrypt, uint8_t key,
	uint8_t ckod)
{
	uint8_t list[20 + 32 + 8] = { 0x00, 0x10, 0, 56, 0x40, ckod, encrypt, decrypt, 1, 0, 0,
		[19] = 32, [52] = 0, 0, 0, 4, 'k', 'e', 'y', '1' };

	memset(list + 20, key, 32);
	return TAPE(rig, list, sizeof(list), 0xb5, 0x20, BE2(0x10), 0, 0, BE4(sizeof(list)), 0, 0);
}

static struct result clear_key(struct tape_rig *rig)
{
	const uint8_t list[20] = { 0x00, 0x10, 0, 16, 0x40 };

	return TAPE(rig, list, 20, 0xb5, 0x20, BE2(0x10), 0, 0, BE4(20), 0, 0);
}

static struct result read_block(struct tape_rig *rig)
{
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	return TAPE(rig, NULL, 1000, TAPE_READ(1000));
}

/* --- what there is --------------------------------------------------------------------------- */

static void the_protocols_and_pages_are_listed(void **state)
{
	const uint8_t protocols[] = { 0, 0, 0, 0, 0, 0, 0, 2, 0x00, 0x20 };
	const uint8_t pages[] = { 0, 0, 0, 14, 0, 0, 0, 1, 0, 0x10, 0, 0x11, 0, 0x12, 0, 0x20, 0,
		0x21 };
	const uint8_t out[] = { 0, 1, 0, 2, 0, 0x10 };
	struct tape_rig *rig = tape_rig_blank(state);

	assert_memory_equal(in(rig, 0, 0).in, protocols, sizeof(protocols));
	assert_memory_equal(in(rig, 0x20, 0).in, pages, sizeof(pages));
	assert_memory_equal(in(rig, 0x20, 1).in, out, sizeof(out));
	assert_bad_cdb(in(rig, 0x21, 0), 1);
	assert_bad_cdb(in(rig, 0x20, 0x99), 2);
	tape_rig_free(rig);
}

static void the_algorithm_is_aes_256_gcm(void **state)
{
	const uint8_t algorithm[24] = { 1, 0, 0, 20, 0xba, 0x10, 0, 60, 0, 60, 0, 32, [20] = 0x00,
		0x01, 0x00, 0x14 };
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res = in(rig, 0x20, 0x10);

	assert_int_equal(res.in_len, 20 + 24);
	assert_int_equal(be16(res.in + 2), 40);
	assert_memory_equal(res.in + 20, algorithm, 24);
	tape_rig_free(rig);
}

/* --- keys ----------------------------------------------------------------------------------- */

static void a_block_is_read_with_its_key_alone(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(set_key(rig, 2, 2, 0x11, 0));
	assert_good(tape_write(rig, 1000, 7));
	res = read_block(rig);
	assert_good(res);
	tape_expect_data(res, 1000, 7);
	assert_good(set_key(rig, 2, 2, 0x22, 0));
	assert_tape(read_block(rig), SENSE_DATA_PROTECT, 0x7403, 1000);
	tape_at(rig, 0, 0);
	assert_good(clear_key(rig));
	assert_tape(read_block(rig), SENSE_DATA_PROTECT, 0x7401, 1000);
	tape_at(rig, 0, 0);
	assert_good(set_key(rig, 0, 3, 0x11, 0));
	assert_good(read_block(rig));
	tape_rig_free(rig);
}

static void a_block_in_the_clear_is_an_error_unless_both_are_wanted(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(tape_write(rig, 1000, 7));
	assert_good(set_key(rig, 2, 2, 0x11, 0));
	assert_tape(read_block(rig), SENSE_DATA_PROTECT, 0x7402, 1000);
	tape_at(rig, 0, 0);
	assert_good(set_key(rig, 2, 3, 0x11, 0));
	assert_good(read_block(rig));
	tape_rig_free(rig);
}

static void the_status_tells_modes_and_counts_keys(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res = in(rig, 0x20, 0x20);

	assert_int_equal(res.in_len, 24);
	assert_memory_equal(res.in, "\0\x20\0\x14\0\0\0\0\0\0\0\0", 12);
	assert_good(set_key(rig, 2, 3, 0x11, 0));
	res = in(rig, 0x20, 0x20);
	assert_memory_equal(res.in + 4, "\x42\x02\x03\x01\0\0\0\x01", 8);
	assert_memory_equal(res.in + 24, "\0\0\0\x04key1", 8);
	assert_int_equal(res.in_len, 32);
	tape_rig_free(rig);
}

static void the_status_tells_of_a_drive_that_encrypts_and_does_not_decrypt(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(set_key(rig, 2, 0, 0x11, 0));
	res = in(rig, 0x20, 0x20);
	assert_memory_equal(res.in + 4, "\x42\x02\x00\x01", 4);
	tape_rig_free(rig);
}

static void the_next_block_tells_the_key_it_needs(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);
	struct result res;

	assert_good(set_key(rig, 2, 2, 0x11, 0));
	assert_good(tape_write(rig, 1000, 7));
	assert_good(tape_marks(rig, 1));
	assert_good(TAPE(rig, NULL, 0, TAPE_REWIND));
	res = in(rig, 0x20, 0x21);
	assert_int_equal(res.in[12] & 0x0f, 5);
	assert_int_equal(res.in[13], 1);
	assert_memory_equal(res.in + 16, "\0\0\0\x04key1", 8);
	assert_good(set_key(rig, 2, 2, 0x22, 0));
	assert_int_equal(in(rig, 0x20, 0x21).in[12] & 0x0f, 6);
	assert_good(TAPE(rig, NULL, 0, TAPE_LOCATE(1)));
	res = in(rig, 0x20, 0x21);
	assert_int_equal(res.in[12], 0x22); /* a filemark */
	assert_int_equal(be64(res.in + 4), 1);
	tape_rig_free(rig);
}

static void a_key_goes_with_the_cartridge_where_that_is_asked_for(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(set_key(rig, 2, 2, 0x11, 0x04));
	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0, 0));
	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 1, 0));
	assert_int_equal(in(rig, 0x20, 0x20).in[5], 0);
	assert_good(set_key(rig, 2, 2, 0x11, 0));
	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 0, 0));
	assert_good(TAPE(rig, NULL, 0, 0x1b, 0, 0, 0, 1, 0));
	assert_int_equal(in(rig, 0x20, 0x20).in[5], 2);
	tape_rig_free(rig);
}

static void a_key_that_is_to_go_with_a_cartridge_does_not_come_to_the_next(void **state)
{
	const uint8_t list[52] = { 0x00, 0x10, 0, 48, 0x40, 0x04, 2, 2, 1, [19] = 32, [20] = 0x11 };
	const uint8_t cdb[12] = { 0xb5, 0x20, BE2(0x10), 0, 0, BE4(sizeof(list)) };
	struct tape_rig *rig = tape_rig_blank(state);
	struct scsi_task t;

	rig_task(&t, &rig->r->nexus[0], 0, cdb, 12, SCSI_DIR_OUT, sizeof(list));
	assert_int_equal(scsi_task_start(&t), SCSI_WANT_DATA);
	assert_int_equal(tape_in_job(rig, tape_do_eject), 0);
	assert_int_equal(tape_in_job(rig, tape_do_insert), 0);
	assert_int_equal(scsi_task_data(&t, rig_put(&t, list)), SCSI_PENDING);
	rig_wait(&t);
	assert_int_equal(t.status, SCSI_CHECK_CONDITION);
	assert_int_equal(t.sense.key, SENSE_NOT_READY);
	scsi_task_release(&t);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	assert_memory_equal(in(rig, 0x20, 0x20).in + 4, "\0\0\0\0", 4);
	tape_rig_free(rig);
}

static void other_hosts_learn_of_another_key(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_good(set_key(rig, 2, 2, 0x11, 0));
	assert_check(RUN(rig->r, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a11);
	tape_rig_free(rig);
}

/* --- what is wrong -------------------------------------------------------------------------- */

/* One byte of a page that would be right is another. */
static void assert_refused(struct tape_rig *rig, unsigned at, uint8_t value, unsigned fault)
{
	uint8_t list[52] = { 0x00, 0x10, 0, 48, 0x40, 0, 2, 2, 1, 0, 0, [19] = 32 };

	list[at] = value;
	assert_bad_list(TAPE(rig, list, sizeof(list), 0xb5, 0x20, BE2(0x10), 0, 0,
		BE4(sizeof(list)), 0, 0), fault);
}

static void fields_that_cannot_be_met_are_refused(void **state)
{
	struct tape_rig *rig = tape_rig_blank(state);

	assert_refused(rig, 1, 0x11, 0);
	assert_refused(rig, 4, 0x20, 4); /* local */
	assert_refused(rig, 4, 0x41, 4); /* LOCK */
	assert_refused(rig, 5, 0x01, 5); /* CKORL */
	assert_refused(rig, 6, 1, 6);    /* external */
	assert_refused(rig, 7, 1, 7);    /* raw */
	assert_refused(rig, 8, 2, 8);
	assert_refused(rig, 9, 1, 9);
	assert_refused(rig, 19, 16, 18);
	assert_refused(rig, 19, 33, 18);
	assert_int_equal(in(rig, 0x20, 0x20).in[5], 0);
	tape_rig_free(rig);
}

static void a_list_of_another_length_is_refused(void **state)
{
	const uint8_t list[24] = { 0x00, 0x10, 0, 16, 0x40 };
	struct tape_rig *rig = tape_rig_blank(state);

	assert_check(TAPE(rig, list, 24, 0xb5, 0x20, BE2(0x10), 0, 0, BE4(24), 0, 0),
		SENSE_ILLEGAL_REQUEST, 0x1a00);
	assert_check(TAPE(rig, list, 8, 0xb5, 0x20, BE2(0x10), 0, 0, BE4(8), 0, 0),
		SENSE_ILLEGAL_REQUEST, 0x1a00);
	tape_rig_free(rig);
}

/* Whatever comes of the command, memory that others get has nothing of the key. */
static void a_key_that_never_came_to_the_drive_is_wiped(void **state)
{
	const uint8_t cdb[] = { 0xb5, 0x20, BE2(0x10), 0, 0, BE4(52), 0, 0 };
	struct tape_rig *rig = tape_rig_blank(state);
	struct jam jam = { .over = false };
	enum scsi_status full;
	struct scsi_task t;
	uint8_t *p;

	memset(tape_data, 'k', 52);
	jam_begin(rig, &jam);
	rig_task(&t, &rig->r->nexus[0], 0, cdb, sizeof(cdb), SCSI_DIR_OUT, 52);
	assert_int_equal(scsi_task_start(&t), SCSI_WANT_DATA);
	assert_int_equal(scsi_task_data(&t, rig_put(&t, tape_data)), SCSI_PENDING);
	assert_true(scsi_task_abort(&t));
	p = t.buf;
	scsi_task_release(&t);
	assert_ptr_equal(nexus_buffer(&rig->r->nexus[0], 52, &full), p);
	for (unsigned i = 16; i < 52; i++) /* the pool's own links stand in front */
		assert_int_equal(p[i], 0);
	nexus_buffer_put(&rig->r->nexus[0], p, 52);
	jam_end(rig, &jam);
	tape_rig_free(rig);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, vtl_setup, vtl_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_protocols_and_pages_are_listed),
		TEST(the_algorithm_is_aes_256_gcm),
		TEST(a_block_is_read_with_its_key_alone),
		TEST(a_block_in_the_clear_is_an_error_unless_both_are_wanted),
		TEST(the_status_tells_modes_and_counts_keys),
		TEST(the_status_tells_of_a_drive_that_encrypts_and_does_not_decrypt),
		TEST(the_next_block_tells_the_key_it_needs),
		TEST(a_key_goes_with_the_cartridge_where_that_is_asked_for),
		TEST(a_key_that_is_to_go_with_a_cartridge_does_not_come_to_the_next),
		TEST(other_hosts_learn_of_another_key),
		TEST(fields_that_cannot_be_met_are_refused),
		TEST(a_list_of_another_length_is_refused),
		TEST(a_key_that_never_came_to_the_drive_is_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
