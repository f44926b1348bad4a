/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index: the marks in memory, and how few reads lead to any place of a tape with very many
 * objects. This program has its own preadv(), which counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "support_vtl.h"
#include "vtl/cartridge_private.h"

#define OBJECTS  400000u
#define PER_FILE 1000u /* objects, the last of which is the filemark */
#define LEN      16u
/* Of 1562 checkpoints: as many steps as that has bits, two reads each, and a few for the record. */
#define FEW 30u

static unsigned int reads;

/* In place of the C library's. */
ssize_t preadv(int fd, const struct iovec *iov, int cnt, off_t off)
{
	reads++;
	return syscall(SYS_preadv, fd, iov, cnt, (unsigned long)off, 0ul);
}

static void level_j_is_the_last_multiple_of_2_to_the_j(void **state)
{
	struct marks m = { .ordinal = 0 };

	(void)state;
	assert_int_equal(marks_levels(0), 0);
	for (uint64_t k = 1; k < 5000; k++) {
		marks_add(&m, (struct mark){ k * 64, k });
		assert_int_equal(m.ordinal, k);
		for (unsigned int j = 0; (uint64_t)1 << j <= k; j++) {
			assert_true(j < marks_levels(k));
			assert_int_equal(marks_ordinal(&m, j), k >> j << j);
			assert_int_equal(m.level[j].files, k >> j << j);
		}
	}
}

static void span_tells_offsets_and_filemarks(void **state)
{
	struct tail t;

	(void)state;
	tail_start(&t, 0);
	assert_true(tail_object(&t, 128, false));
	assert_true(tail_object(&t, 64, true));
	assert_true(tail_object(&t, 8 << 20, false));
	assert_int_equal(t.objects, 3);
	assert_int_equal(t.files, 1);
	assert_int_equal(span_offset(&t.span, 2), LOG_START + 192);
	assert_true(span_is_filemark(&t.span, 1));
	assert_false(span_is_filemark(&t.span, 2));
	assert_int_equal(span_files(&t.span, 1), 0);
	assert_int_equal(span_files(&t.span, 3), 1);
}

static void entry_that_would_be_too_far_is_refused(void **state)
{
	struct tail t;

	(void)state;
	tail_start(&t, 0);
	t.off = LOG_START + ((uint64_t)64 << 31);
	assert_false(tail_object(&t, 64, false));
	assert_int_equal(t.objects, 0);
}

/* Many objects, once for all tests of the group. */
static int make_tape(void **state)
{
	uint8_t data[PER_FILE - 1][LEN];
	struct iovec iov = { data, sizeof(data) };
	struct cartridge_write_how how = { .compress = false };
	struct vtl *v;
	size_t done;

	if (vtl_setup(state))
		return -1;
	v = *state;
	vtl_new(v, 1024 * VTL_MIB);
	for (uint64_t i = 0; i < OBJECTS; i += PER_FILE) {
		for (uint64_t k = 0; k < PER_FILE - 1; k++)
			vtl_fill(data[k], LEN, i + k);
		if (cartridge_write(v->c, &iov, 1, LEN, PER_FILE - 1, &how, &done))
			return -1;
		vtl_marks(v, 1);
	}
	vtl_reopen(v);
	return 0;
}

static void any_object_is_found_with_few_reads(void **state)
{
	struct vtl *v = *state;
	unsigned int rng = 1;

	for (unsigned int i = 0; i < 2000; i++) {
		uint64_t to = (uint64_t)rand_r(&rng) % OBJECTS;

		reads = 0;
		assert_int_equal(cartridge_locate(v->c, 0, to), CARTRIDGE_OK);
		assert_true(reads <= FEW);
		vtl_at(v, to, to / PER_FILE);
		if (to % PER_FILE == PER_FILE - 1)
			vtl_expect_no_block(v, CARTRIDGE_FILEMARK);
		else
			vtl_expect(v, LEN, to);
	}
}

static void any_file_is_found_with_few_reads(void **state)
{
	struct vtl *v = *state;
	uint64_t residual;

	for (uint64_t file = 1; file <= OBJECTS / PER_FILE; file++) {
		reads = 0;
		assert_int_equal(cartridge_locate_file(v->c, 0, file), CARTRIDGE_OK);
		/* The filemark, and the object behind it. */
		assert_true(reads <= 2 * FEW);
		vtl_at(v, file * PER_FILE, file);
	}
	assert_int_equal(cartridge_rewind(v->c), CARTRIDGE_OK);
	reads = 0;
	assert_int_equal(cartridge_space_filemarks(v->c, 300, &residual), CARTRIDGE_OK);
	assert_true(reads <= 2 * FEW);
	vtl_at(v, 300 * PER_FILE, 300);
	reads = 0;
	assert_int_equal(cartridge_space_blocks(v->c, -1, &residual), CARTRIDGE_FILEMARK);
	assert_true(reads <= 2 * FEW);
}

static void end_of_data_needs_no_read_at_all(void **state)
{
	struct vtl *v = *state;

	assert_int_equal(cartridge_rewind(v->c), CARTRIDGE_OK);
	reads = 0;
	assert_int_equal(cartridge_locate_eod(v->c, 0), CARTRIDGE_OK);
	assert_int_equal(reads, 0);
	vtl_at(v, OBJECTS, OBJECTS / PER_FILE);
}

static void opening_does_not_read_the_log(void **state)
{
	struct vtl *v = *state;

	vtl_close(v);
	reads = 0;
	vtl_open(v);
	assert_true(reads <= FEW);
	assert_int_equal(vtl_objects(v), OBJECTS);
}

static void reading_on_takes_one_read_for_a_block(void **state)
{
	struct vtl *v = *state;

	assert_int_equal(cartridge_locate(v->c, 0, 123 * PER_FILE), CARTRIDGE_OK);
	vtl_expect(v, LEN, 123 * PER_FILE);
	reads = 0;
	for (uint64_t i = 1; i < PER_FILE - 1; i++)
		vtl_expect(v, LEN, 123 * PER_FILE + i);
	/* And one more for each checkpoint on the way. */
	assert_true(reads >= PER_FILE - 2 && reads <= PER_FILE + 5);
}

static void memory_is_small_whatever_is_on_the_tape(void **state)
{
	(void)state;
	assert_true(sizeof(struct cartridge) <= 128u << 10);
}

/* Last, because it shortens the tape. */
static void overwriting_early_costs_few_reads(void **state)
{
	struct vtl *v = *state;

	assert_int_equal(cartridge_locate(v->c, 0, 70000), CARTRIDGE_OK);
	reads = 0;
	vtl_write(v, LEN, 1);
	assert_true(reads <= 3 * FEW);
	assert_int_equal(vtl_objects(v), 70001);
	for (uint64_t i = 70001; i < 90000; i++)
		vtl_write(v, LEN, i);
	vtl_go(v, 80000);
	vtl_expect(v, LEN, 80000);
	vtl_go(v, 60001);
	vtl_expect(v, LEN, 60001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(level_j_is_the_last_multiple_of_2_to_the_j),
		cmocka_unit_test(span_tells_offsets_and_filemarks),
		cmocka_unit_test(entry_that_would_be_too_far_is_refused),
		cmocka_unit_test(any_object_is_found_with_few_reads),
		cmocka_unit_test(any_file_is_found_with_few_reads),
		cmocka_unit_test(end_of_data_needs_no_read_at_all),
		cmocka_unit_test(opening_does_not_read_the_log),
		cmocka_unit_test(reading_on_takes_one_read_for_a_block),
		cmocka_unit_test(memory_is_small_whatever_is_on_the_tape),
		cmocka_unit_test(overwriting_early_costs_few_reads),
	};

	return cmocka_run_group_tests(tests, make_tape, vtl_teardown);
}
