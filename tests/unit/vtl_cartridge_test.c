/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cartridge as a tape: what each operation answers, and where the tape stands then. Random
 * sequences are in vtl_cartridge_model_test.c, accidents in vtl_cartridge_crash_test.c and
 * vtl_cartridge_damage_test.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "support_vtl.h"

#define MIB VTL_MIB

/* -- Making and opening -- */

static void new_cartridge_is_blank_and_at_its_beginning(void **state)
{
	struct vtl *v = *state;
	struct cartridge_usage u;

	vtl_new(v, 64 * MIB);
	vtl_at(v, 0, 0);
	vtl_expect_no_block(v, CARTRIDGE_EOD);
	assert_int_equal(cartridge_usage(v->c, 0, &u), CARTRIDGE_OK);
	assert_int_equal(u.capacity, 64 * MIB);
	assert_int_equal(u.used, 0);
	assert_int_equal(u.objects, 0);
}

static void cartridge_keeps_what_it_was_made_with(void **state)
{
	struct vtl *v = *state;

	vtl_new_from(v, (struct cartridge_cfg){ .barcode = "WORM07LX", .media = media_generation(7),
		.capacity = 5 * MIB, .worm = true });
	vtl_reopen(v);
	const struct cartridge_info *i = cartridge_info(v->c);
	assert_string_equal(i->barcode, "WORM07LX");
	assert_int_equal(strlen(i->serial), 10);
	assert_ptr_equal(i->media, media_generation(7));
	assert_int_equal(i->capacity, 5 * MIB);
	assert_true(i->worm);
	assert_false(i->cleaning);
	assert_false(i->write_protect);
	assert_int_equal(i->partitions, 1);
	assert_int_equal(i->partition_capacity[0], 5 * MIB);
}

static void capacity_is_native_unless_told(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, 0);
	assert_int_equal(cartridge_info(v->c)->capacity, 2500000000000u);
}

static void create_refuses_a_path_that_is_taken(void **state)
{
	struct vtl *v = *state;
	struct cartridge_cfg cfg = { .barcode = "TEST01L6", .media = media_generation(6) };

	vtl_new(v, MIB);
	vtl_write(v, 100, 1);
	assert_int_equal(cartridge_create(v->path, &cfg), -EEXIST);
	vtl_go(v, 0);
	vtl_expect(v, 100, 1);
}

static void create_refuses_what_cannot_be(void **state)
{
	struct vtl *v = *state;
	struct cartridge_cfg small = { .barcode = "T1L6", .media = media_generation(6),
		.capacity = MIB - 1 };
	struct cartridge_cfg nameless = { .barcode = "", .media = media_generation(6) };
	struct cartridge_cfg odd = { .barcode = "A B", .media = media_generation(6) };
	struct cartridge_cfg long_name = { .barcode = "123456789012345678901234567890123",
		.media = media_generation(6) };

	assert_int_equal(cartridge_create(v->path, &small), -EINVAL);
	assert_int_equal(cartridge_create(v->path, &nameless), -EINVAL);
	assert_int_equal(cartridge_create(v->path, &odd), -EINVAL);
	assert_int_equal(cartridge_create(v->path, &long_name), -EINVAL);
	assert_int_equal(access(v->path, F_OK), -1);
}

static void open_refuses_what_is_no_cartridge(void **state)
{
	struct vtl *v = *state;
	struct cartridge_opening how = { .drive = NULL };

	assert_int_equal(cartridge_open(v->path, &how, &v->c), -ENOENT);
	assert_int_equal(mkdir(v->path, 0700), 0);
	assert_int_equal(cartridge_open(v->path, &how, &v->c), -EBADMSG);
	assert_null(v->c);
}

static void cartridge_has_one_user_at_a_time(void **state)
{
	struct vtl *v = *state;
	struct cartridge_opening look = { .read_only = true }, take = { .read_only = false };
	struct cartridge *other;

	vtl_new(v, MIB);
	assert_int_equal(cartridge_open(v->path, &take, &other), -EBUSY);
	assert_int_equal(cartridge_open(v->path, &look, &other), -EBUSY);
	assert_int_equal(cartridge_remove(v->path), -EBUSY);
	vtl_close(v);
	assert_int_equal(cartridge_open(v->path, &look, &v->c), 0);
	assert_int_equal(cartridge_open(v->path, &look, &other), 0);
	assert_int_equal(cartridge_close(other), 0);
}

static void removed_cartridge_is_gone(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, MIB);
	vtl_close(v);
	assert_int_equal(cartridge_remove(v->path), 0);
	assert_int_equal(access(v->path, F_OK), -1);
	assert_int_equal(cartridge_remove(v->path), -ENOENT);
}

static void remove_leaves_a_directory_that_is_no_cartridge(void **state)
{
	struct vtl *v = *state;

	assert_int_equal(cartridge_remove(v->dir), -EBADMSG);
	assert_int_equal(access(v->dir, F_OK), 0);
}

static void close_of_nothing_is_fine(void **state)
{
	(void)state;
	assert_int_equal(cartridge_close(NULL), 0);
}

/* -- Writing and reading -- */

static void blocks_and_filemarks_come_back_in_order(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, 64 * MIB);
	vtl_write(v, 1, 1);
	vtl_write(v, 63, 2);
	vtl_marks(v, 2);
	vtl_write(v, 8 * MIB, 3);
	vtl_at(v, 5, 2);
	vtl_reopen(v);
	vtl_expect(v, 1, 1);
	vtl_expect(v, 63, 2);
	vtl_expect_no_block(v, CARTRIDGE_FILEMARK);
	vtl_at(v, 3, 1);
	vtl_expect_no_block(v, CARTRIDGE_FILEMARK);
	vtl_expect(v, 8 * MIB, 3);
	vtl_expect_no_block(v, CARTRIDGE_EOD);
	vtl_at(v, 5, 2);
}

static void several_blocks_are_written_from_pieces(void **state)
{
	struct vtl *v = *state;
	uint8_t data[300];
	/* Three blocks of 100 bytes in pieces of 1, 0, 149 and 150. */
	struct iovec iov[] = { { data, 1 }, { NULL, 0 }, { data + 1, 149 }, { data + 150, 150 } };
	struct cartridge_write_how how = { .compress = false };
	struct cartridge_block got;
	uint8_t buf[100];
	size_t done;

	vtl_new(v, MIB);
	vtl_fill(data, sizeof(data), 7);
	assert_int_equal(cartridge_write(v->c, iov, 4, 100, 3, &how, &done), CARTRIDGE_OK);
	assert_int_equal(done, 3);
	vtl_at(v, 3, 0);
	vtl_go(v, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(cartridge_read(v->c, buf, 100, NULL, &got), CARTRIDGE_OK);
		assert_int_equal(got.length, 100);
		assert_memory_equal(buf, data + 100 * i, 100);
	}
}

static void block_in_very_many_pieces_is_written(void **state)
{
	struct vtl *v = *state;
	enum { PIECES = 3000, LEN = PIECES * 7 };
	struct iovec iov[PIECES];
	struct cartridge_write_how how = { .compress = false };
	uint8_t data[LEN];
	size_t done;

	vtl_new(v, MIB);
	vtl_write(v, 10, 1);
	vtl_fill(data, LEN, 2);
	for (size_t i = 0; i < PIECES; i++)
		iov[i] = (struct iovec){ data + 7 * i, 7 };
	assert_int_equal(cartridge_write(v->c, iov, PIECES, LEN, 1, &how, &done), CARTRIDGE_OK);
	vtl_go(v, 0);
	vtl_expect(v, 10, 1);
	vtl_expect(v, LEN, 2);
}

static void short_buffer_gets_the_beginning_and_the_true_length(void **state)
{
	struct vtl *v = *state;
	struct cartridge_block got;
	uint8_t want[1000], buf[11] = { 0 };

	vtl_new(v, MIB);
	vtl_write(v, 1000, 5);
	vtl_write_how(v, 1000, 6, (struct cartridge_write_how){ .compress = true });
	vtl_go(v, 0);
	for (uint64_t seed = 5; seed <= 6; seed++) {
		vtl_fill(want, 1000, seed);
		assert_int_equal(cartridge_read(v->c, buf, 10, NULL, &got), CARTRIDGE_OK);
		assert_int_equal(got.length, 1000);
		assert_memory_equal(buf, want, 10);
		assert_int_equal(buf[10], 0);
		vtl_at(v, seed - 4, 0);
	}
}

static void read_without_a_buffer_passes_the_block(void **state)
{
	struct vtl *v = *state;
	struct cartridge_block got;

	vtl_new(v, MIB);
	vtl_write(v, 1000, 5);
	vtl_go(v, 0);
	assert_int_equal(cartridge_read(v->c, NULL, 0, NULL, &got), CARTRIDGE_OK);
	assert_int_equal(got.length, 1000);
	vtl_at(v, 1, 0);
}

static void lengths_that_are_none_are_refused(void **state)
{
	struct vtl *v = *state;
	struct cartridge_write_how how = { .compress = false };
	struct iovec iov = { NULL, 0 };
	size_t done = 9;

	vtl_new(v, 64 * MIB);
	assert_int_equal(cartridge_write(v->c, &iov, 1, 0, 1, &how, &done), CARTRIDGE_INVALID);
	assert_int_equal(done, 0);
	assert_int_equal(vtl_try_write(v, CARTRIDGE_BLOCK_MAX + 1, 1), CARTRIDGE_INVALID);
	vtl_at(v, 0, 0);
}

static void no_blocks_and_no_filemarks_change_nothing(void **state)
{
	struct vtl *v = *state;
	struct cartridge_write_how how = { .compress = false };
	struct iovec iov = { NULL, 0 };
	size_t done;

	vtl_new(v, MIB);
	vtl_write(v, 100, 1);
	vtl_go(v, 0);
	assert_int_equal(cartridge_write(v->c, &iov, 1, 100, 0, &how, &done), CARTRIDGE_OK);
	vtl_marks(v, 0);
	vtl_expect(v, 100, 1);
}

static void write_makes_what_follows_unreadable(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, 64 * MIB);
	for (uint64_t i = 0; i < 10; i++)
		vtl_write(v, 1000, i);
	vtl_marks(v, 1);
	vtl_go(v, 4);
	vtl_write(v, 10, 100);
	vtl_at(v, 5, 0);
	vtl_expect_no_block(v, CARTRIDGE_EOD);
	vtl_reopen(v);
	for (uint64_t i = 0; i < 4; i++)
		vtl_expect(v, 1000, i);
	vtl_expect(v, 10, 100);
	vtl_expect_no_block(v, CARTRIDGE_EOD);
}

static void overwriting_works_on_either_side_of_a_checkpoint(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, 64 * MIB);
	for (uint64_t at = 254; at <= 258; at++) {
		vtl_go(v, 0);
		for (uint64_t i = 0; i < 600; i++)
			vtl_write(v, 10, i);
		vtl_go(v, at);
		vtl_write(v, 20, at);
		for (uint64_t i = at + 1; i < 600; i++)
			vtl_write(v, 10, i);
		vtl_reopen(v);
		for (uint64_t i = 0; i < 600; i++)
			vtl_expect(v, i == at ? 20 : 10, i);
		vtl_expect_no_block(v, CARTRIDGE_EOD);
	}
}

static void erase_ends_the_data_at_the_position(void **state)
{
	struct vtl *v = *state;
	struct stat before, after;
	char path[128];

	vtl_new(v, 64 * MIB);
	vtl_write(v, 1000, 1);
	vtl_write(v, MIB, 2);
	snprintf(path, sizeof(path), "%s/p0", v->path);
	assert_int_equal(stat(path, &before), 0);
	vtl_go(v, 1);
	assert_int_equal(cartridge_erase(v->c), CARTRIDGE_OK);
	vtl_at(v, 1, 0);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_size <= before.st_size - (off_t)MIB);
	vtl_reopen(v);
	vtl_expect(v, 1000, 1);
	vtl_expect_no_block(v, CARTRIDGE_EOD);
	assert_int_equal(cartridge_erase(v->c), CARTRIDGE_OK);
}

/* They may stay in the file to be written over, but not for somebody who wants them gone. */
static void erase_at_end_of_data_ends_what_was_written_over(void **state)
{
	struct vtl *v = *state;
	struct stat st;
	char path[128];

	vtl_new(v, 64 * MIB);
	vtl_write(v, MIB, 1);
	vtl_write(v, MIB, 2);
	vtl_sync(v);
	vtl_go(v, 0);
	vtl_write(v, 1000, 3);
	snprintf(path, sizeof(path), "%s/p0", v->path);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > (off_t)MIB);
	assert_int_equal(cartridge_erase(v->c), CARTRIDGE_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < (off_t)MIB);
	vtl_at(v, 1, 0);
	vtl_go(v, 0);
	vtl_expect(v, 1000, 3);
	vtl_expect_no_block(v, CARTRIDGE_EOD);
}

/* As on a file system that is full: a robot must still get the cartridge out of its drive. */
static void counters_that_cannot_be_saved_are_no_reason_to_stay_open(void **state)
{
	struct vtl *v = *state;
	char path[128];

	vtl_new(v, 64 * MIB);
	vtl_write(v, 1000, 1);
	snprintf(path, sizeof(path), "%s/label.new", v->path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(cartridge_close(v->c), 0);
	v->c = NULL;
	assert_int_equal(rmdir(path), 0);
	vtl_open(v);
	vtl_expect(v, 1000, 1);
}

static void peek_tells_and_does_not_move(void **state)
{
	struct vtl *v = *state;
	struct cartridge_block got;

	vtl_new(v, MIB);
	vtl_write_how(v, 1000, 1,
		(struct cartridge_write_how){ .compress = true, .protected = true });
	vtl_marks(v, 1);
	vtl_go(v, 0);
	assert_int_equal(cartridge_peek(v->c, &got), CARTRIDGE_OK);
	assert_int_equal(got.length, 1000);
	assert_true(got.stored < 1000);
	assert_true(got.compressed);
	assert_true(got.protected);
	assert_false(got.encrypted);
	vtl_at(v, 0, 0);
	vtl_go(v, 1);
	assert_int_equal(cartridge_peek(v->c, &got), CARTRIDGE_FILEMARK);
	vtl_at(v, 1, 0);
	vtl_go(v, 2);
	assert_int_equal(cartridge_peek(v->c, &got), CARTRIDGE_EOD);
}

static void verify_reads_on_without_data(void **state)
{
	struct vtl *v = *state;
	struct cartridge_block got;

	vtl_new(v, MIB);
	vtl_write(v, 1000, 1);
	vtl_marks(v, 1);
	vtl_go(v, 0);
	assert_int_equal(cartridge_verify(v->c, &got), CARTRIDGE_OK);
	assert_int_equal(got.length, 1000);
	assert_int_equal(cartridge_verify(v->c, &got), CARTRIDGE_FILEMARK);
	assert_int_equal(cartridge_verify(v->c, &got), CARTRIDGE_EOD);
	vtl_at(v, 2, 1);
}

/* -- Capacity -- */

static void usage_counts_what_is_before_and_behind_the_position(void **state)
{
	struct vtl *v = *state;
	struct cartridge_usage u;

	vtl_new(v, 64 * MIB);
	vtl_write(v, 4096, 1);
	vtl_write(v, 4096, 2);
	vtl_marks(v, 1);
	vtl_go(v, 1);
	assert_int_equal(cartridge_usage(v->c, 0, &u), CARTRIDGE_OK);
	assert_int_equal(u.before, 4096 + 64);
	assert_int_equal(u.used, 2 * (4096 + 64) + 64);
	assert_int_equal(u.objects, 3);
	assert_int_equal(u.files, 1);
	assert_int_equal(cartridge_usage(v->c, 1, &u), CARTRIDGE_INVALID);
}

static void full_partition_takes_no_block_but_filemarks(void **state)
{
	struct vtl *v = *state;
	uint64_t n = 0;

	vtl_new(v, MIB);
	while (vtl_try_write(v, 65536, n) == CARTRIDGE_OK)
		n++;
	assert_int_equal(n, MIB / (65536 + 64));
	assert_int_equal(vtl_try_write(v, 65536, n), CARTRIDGE_FULL);
	vtl_at(v, n, 0);
	vtl_marks(v, 2);
	vtl_reopen(v);
	for (uint64_t i = 0; i < n; i++)
		vtl_expect(v, 65536, i);
	vtl_expect_no_block(v, CARTRIDGE_FILEMARK);
}

static void files_never_outgrow_the_capacity(void **state)
{
	struct vtl *v = *state;
	struct cartridge_usage u;
	uint64_t done;

	vtl_new(v, MIB);
	assert_int_equal(cartridge_write_filemarks(v->c, 1 << 24, &done), CARTRIDGE_FULL);
	assert_int_equal(cartridge_usage(v->c, 0, &u), CARTRIDGE_OK);
	assert_int_equal(u.objects, done);
	assert_true(u.used <= MIB + 65536);
	assert_true(u.used > MIB);
}

static void write_of_several_blocks_stops_at_the_last_that_fits(void **state)
{
	struct vtl *v = *state;
	static uint8_t data[40][65536];
	struct iovec iov = { data, sizeof(data) };
	struct cartridge_write_how how = { .compress = false };
	size_t done;

	vtl_new(v, MIB);
	vtl_fill(data, sizeof(data), 1);
	assert_int_equal(cartridge_write(v->c, &iov, 1, 65536, 40, &how, &done), CARTRIDGE_FULL);
	assert_int_equal(done, MIB / (65536 + 64));
	vtl_at(v, done, 0);
}

static void block_that_does_not_fit_destroys_nothing(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, MIB);
	vtl_write(v, 100, 1);
	vtl_write(v, 100, 2);
	vtl_go(v, 1);
	assert_int_equal(vtl_try_write(v, MIB, 3), CARTRIDGE_FULL);
	vtl_expect(v, 100, 2);
}

/* -- Moving -- */

/* B B M B M M B B, as objects 0 to 7. */
static void write_sample(struct vtl *v)
{
	vtl_new(v, 64 * MIB);
	vtl_write(v, 100, 0);
	vtl_write(v, 100, 1);
	vtl_marks(v, 1);
	vtl_write(v, 100, 3);
	vtl_marks(v, 2);
	vtl_write(v, 100, 6);
	vtl_write(v, 100, 7);
}

static void space(struct vtl *v,
	enum cartridge_result (*how)(struct cartridge *, int64_t, uint64_t *), uint64_t from,
	int64_t count, enum cartridge_result want, uint64_t object, uint64_t residual)
{
	struct cartridge_position p;
	uint64_t left = 99;

	vtl_go(v, from);
	assert_int_equal(how(v->c, count, &left), want);
	assert_int_equal(left, residual);
	cartridge_position(v->c, &p);
	assert_int_equal(p.object, object);
}

static void space_over_blocks_stops_behind_a_filemark(void **state)
{
	struct vtl *v = *state;

	write_sample(v);
	space(v, cartridge_space_blocks, 0, 2, CARTRIDGE_OK, 2, 0);
	space(v, cartridge_space_blocks, 0, 3, CARTRIDGE_FILEMARK, 3, 1);
	space(v, cartridge_space_blocks, 0, 100, CARTRIDGE_FILEMARK, 3, 98);
	space(v, cartridge_space_blocks, 4, 1, CARTRIDGE_FILEMARK, 5, 1);
	space(v, cartridge_space_blocks, 6, 2, CARTRIDGE_OK, 8, 0);
	space(v, cartridge_space_blocks, 6, 5, CARTRIDGE_EOD, 8, 3);
	space(v, cartridge_space_blocks, 3, 0, CARTRIDGE_OK, 3, 0);
}

static void space_back_over_blocks_stops_before_a_filemark(void **state)
{
	struct vtl *v = *state;

	write_sample(v);
	space(v, cartridge_space_blocks, 8, -2, CARTRIDGE_OK, 6, 0);
	space(v, cartridge_space_blocks, 8, -3, CARTRIDGE_FILEMARK, 5, 1);
	space(v, cartridge_space_blocks, 5, -1, CARTRIDGE_FILEMARK, 4, 1);
	space(v, cartridge_space_blocks, 4, -9, CARTRIDGE_FILEMARK, 2, 8);
	space(v, cartridge_space_blocks, 2, -2, CARTRIDGE_OK, 0, 0);
	space(v, cartridge_space_blocks, 2, -5, CARTRIDGE_BOP, 0, 3);
	space(v, cartridge_space_blocks, 0, INT64_MIN, CARTRIDGE_BOP, 0, (uint64_t)1 << 63);
}

static void space_over_filemarks_counts_them(void **state)
{
	struct vtl *v = *state;

	write_sample(v);
	space(v, cartridge_space_filemarks, 0, 1, CARTRIDGE_OK, 3, 0);
	space(v, cartridge_space_filemarks, 0, 3, CARTRIDGE_OK, 6, 0);
	space(v, cartridge_space_filemarks, 0, 5, CARTRIDGE_EOD, 8, 2);
	space(v, cartridge_space_filemarks, 6, 1, CARTRIDGE_EOD, 8, 1);
	space(v, cartridge_space_filemarks, 8, -1, CARTRIDGE_OK, 5, 0);
	space(v, cartridge_space_filemarks, 8, -3, CARTRIDGE_OK, 2, 0);
	space(v, cartridge_space_filemarks, 8, -4, CARTRIDGE_BOP, 0, 1);
	space(v, cartridge_space_filemarks, 1, -1, CARTRIDGE_BOP, 0, 1);
	space(v, cartridge_space_filemarks, 5, 0, CARTRIDGE_OK, 5, 0);
}

static void space_over_sequential_filemarks_wants_them_in_a_row(void **state)
{
	struct vtl *v = *state;

	write_sample(v);
	space(v, cartridge_space_sequential_filemarks, 0, 1, CARTRIDGE_OK, 3, 0);
	space(v, cartridge_space_sequential_filemarks, 0, 2, CARTRIDGE_OK, 6, 0);
	space(v, cartridge_space_sequential_filemarks, 0, 3, CARTRIDGE_EOD, 8, 3);
	space(v, cartridge_space_sequential_filemarks, 5, 2, CARTRIDGE_EOD, 8, 2);
	space(v, cartridge_space_sequential_filemarks, 8, -2, CARTRIDGE_OK, 4, 0);
	space(v, cartridge_space_sequential_filemarks, 8, -3, CARTRIDGE_BOP, 0, 3);
	space(v, cartridge_space_sequential_filemarks, 2, 0, CARTRIDGE_OK, 2, 0);
}

static void locate_finds_objects_files_and_the_end(void **state)
{
	struct vtl *v = *state;

	write_sample(v);
	assert_int_equal(cartridge_locate(v->c, 0, 7), CARTRIDGE_OK);
	vtl_at(v, 7, 3);
	assert_int_equal(cartridge_locate(v->c, 0, 8), CARTRIDGE_OK);
	assert_int_equal(cartridge_locate(v->c, 0, 9), CARTRIDGE_EOD);
	vtl_at(v, 8, 3);
	assert_int_equal(cartridge_locate_file(v->c, 0, 0), CARTRIDGE_OK);
	vtl_at(v, 0, 0);
	assert_int_equal(cartridge_locate_file(v->c, 0, 1), CARTRIDGE_OK);
	vtl_at(v, 3, 1);
	assert_int_equal(cartridge_locate_file(v->c, 0, 3), CARTRIDGE_OK);
	vtl_at(v, 6, 3);
	assert_int_equal(cartridge_locate_file(v->c, 0, 4), CARTRIDGE_EOD);
	vtl_at(v, 8, 3);
	assert_int_equal(cartridge_rewind(v->c), CARTRIDGE_OK);
	vtl_at(v, 0, 0);
	assert_int_equal(cartridge_locate_eod(v->c, 0), CARTRIDGE_OK);
	vtl_at(v, 8, 3);
	assert_int_equal(cartridge_locate(v->c, 1, 0), CARTRIDGE_INVALID);
	assert_int_equal(cartridge_locate_file(v->c, 1, 0), CARTRIDGE_INVALID);
	assert_int_equal(cartridge_locate_eod(v->c, 1), CARTRIDGE_INVALID);
	vtl_at(v, 8, 3);
}

/* -- Protection and WORM -- */

static void protected_cartridge_takes_no_data(void **state)
{
	struct vtl *v = *state;
	struct cartridge_opening how = { .write_protect = true };
	uint64_t done, capacity = MIB;

	vtl_new(v, MIB);
	vtl_write(v, 100, 1);
	vtl_close(v);
	assert_int_equal(cartridge_open(v->path, &how, &v->c), 0);
	assert_true(cartridge_info(v->c)->write_protect);
	assert_int_equal(vtl_try_write(v, 100, 2), CARTRIDGE_PROTECTED);
	assert_int_equal(cartridge_write_filemarks(v->c, 1, &done), CARTRIDGE_PROTECTED);
	assert_int_equal(cartridge_erase(v->c), CARTRIDGE_PROTECTED);
	assert_int_equal(cartridge_format(v->c, &capacity, 1), CARTRIDGE_PROTECTED);
	vtl_expect(v, 100, 1);
}

static void read_only_opening_changes_no_file(void **state)
{
	struct vtl *v = *state;
	struct cartridge_opening how = { .read_only = true, .drive = "IBM     1" };
	size_t len, len2;

	vtl_new(v, MIB);
	vtl_write(v, 100, 1);
	vtl_close(v);
	uint8_t *before = vtl_file(v, "label", &len);
	assert_int_equal(cartridge_open(v->path, &how, &v->c), 0);
	assert_int_equal(vtl_try_write(v, 100, 2), CARTRIDGE_PROTECTED);
	assert_int_equal(cartridge_attribute_set(v->c, 0, 0x0806, CARTRIDGE_ASCII, "X", 1),
		CARTRIDGE_OK);
	assert_int_equal(cartridge_attributes_save(v->c), CARTRIDGE_PROTECTED);
	vtl_close(v);
	uint8_t *after = vtl_file(v, "label", &len2);
	assert_int_equal(len, len2);
	assert_memory_equal(before, after, len);
	free(before);
	free(after);
}

static void new_worm(struct vtl *v)
{
	vtl_new_from(v, (struct cartridge_cfg){ .barcode = "WORM01LW",
		.media = media_generation(6), .capacity = 8 * MIB, .worm = true });
}

static void worm_is_written_at_its_end_only(void **state)
{
	struct vtl *v = *state;
	uint64_t done;

	new_worm(v);
	vtl_write(v, 100, 1);
	vtl_write(v, 100, 2);
	vtl_go(v, 1);
	assert_int_equal(vtl_try_write(v, 100, 3), CARTRIDGE_WORM);
	assert_int_equal(cartridge_write_filemarks(v->c, 1, &done), CARTRIDGE_WORM);
	assert_int_equal(cartridge_erase(v->c), CARTRIDGE_WORM);
	vtl_go(v, 2);
	assert_int_equal(cartridge_erase(v->c), CARTRIDGE_OK);
	vtl_write(v, 100, 3);
	vtl_go(v, 0);
	for (uint64_t i = 1; i <= 3; i++)
		vtl_expect(v, 100, i);
}

static void worm_filemarks_at_the_end_may_be_overwritten_but_the_first(void **state)
{
	struct vtl *v = *state;

	new_worm(v);
	vtl_write(v, 100, 0);
	vtl_marks(v, 2);
	vtl_go(v, 1);
	assert_int_equal(vtl_try_write(v, 100, 1), CARTRIDGE_WORM);
	vtl_go(v, 2);
	vtl_write(v, 100, 2);
	vtl_marks(v, 2);
	vtl_go(v, 4);
	vtl_write(v, 100, 4);
	vtl_go(v, 3);
	assert_int_equal(vtl_try_write(v, 100, 3), CARTRIDGE_WORM);
}

static void worm_with_data_is_not_formatted(void **state)
{
	struct vtl *v = *state;
	uint64_t capacity[2] = { MIB, MIB };

	new_worm(v);
	assert_int_equal(cartridge_format(v->c, capacity, 2), CARTRIDGE_OK);
	assert_int_equal(cartridge_locate(v->c, 1, 0), CARTRIDGE_OK);
	vtl_write(v, 100, 1);
	assert_int_equal(cartridge_format(v->c, capacity, 1), CARTRIDGE_WORM);
	assert_int_equal(cartridge_set_capacity(v->c, MIB), CARTRIDGE_WORM);
	vtl_go(v, 0);
	vtl_expect(v, 100, 1);
}

static void cleaning_cartridge_holds_no_data(void **state)
{
	struct vtl *v = *state;
	uint64_t done, capacity = MIB;

	vtl_new_from(v, (struct cartridge_cfg){ .barcode = "CLN001L6",
		.media = media_generation(6), .cleaning = true });
	assert_true(cartridge_info(v->c)->cleaning);
	assert_int_equal(vtl_try_write(v, 100, 1), CARTRIDGE_INVALID);
	assert_int_equal(cartridge_write_filemarks(v->c, 1, &done), CARTRIDGE_INVALID);
	assert_int_equal(cartridge_format(v->c, &capacity, 1), CARTRIDGE_INVALID);
	vtl_expect_no_block(v, CARTRIDGE_EOD);
}

/* -- Partitions -- */

static void partitions_are_tapes_of_their_own(void **state)
{
	struct vtl *v = *state;
	uint64_t capacity[2] = { 2 * MIB, 62 * MIB };
	struct cartridge_position p;

	vtl_new(v, 64 * MIB);
	vtl_write(v, 100, 1);
	assert_int_equal(cartridge_format(v->c, capacity, 2), CARTRIDGE_OK);
	vtl_at(v, 0, 0);
	vtl_expect_no_block(v, CARTRIDGE_EOD);
	vtl_write(v, 100, 2);
	assert_int_equal(cartridge_locate(v->c, 1, 0), CARTRIDGE_OK);
	vtl_write(v, 100, 3);
	vtl_marks(v, 1);
	vtl_reopen(v);
	assert_int_equal(cartridge_info(v->c)->partitions, 2);
	assert_int_equal(cartridge_info(v->c)->partition_capacity[1], 62 * MIB);
	vtl_expect(v, 100, 2);
	vtl_expect_no_block(v, CARTRIDGE_EOD);
	assert_int_equal(cartridge_locate_file(v->c, 1, 1), CARTRIDGE_OK);
	cartridge_position(v->c, &p);
	assert_int_equal(p.partition, 1);
	assert_int_equal(cartridge_rewind(v->c), CARTRIDGE_OK);
	vtl_expect(v, 100, 3);
}

static void each_partition_has_its_own_capacity(void **state)
{
	struct vtl *v = *state;
	uint64_t capacity[2] = { MIB, 3 * MIB };

	vtl_new(v, 4 * MIB);
	assert_int_equal(cartridge_format(v->c, capacity, 2), CARTRIDGE_OK);
	assert_int_equal(vtl_try_write(v, 2 * MIB, 1), CARTRIDGE_FULL);
	assert_int_equal(cartridge_locate(v->c, 1, 0), CARTRIDGE_OK);
	vtl_write(v, 2 * MIB, 1);
}

static void format_refuses_what_the_medium_has_no_room_for(void **state)
{
	struct vtl *v = *state;
	uint64_t too_much[2] = { 33 * MIB, 32 * MIB }, too_small[2] = { MIB - 1, MIB };
	uint64_t too_many[5] = { MIB, MIB, MIB, MIB, MIB }, all[4] = { MIB, MIB, MIB, MIB };

	vtl_new(v, 64 * MIB);
	vtl_write(v, 100, 1);
	assert_int_equal(cartridge_format(v->c, too_much, 2), CARTRIDGE_INVALID);
	assert_int_equal(cartridge_format(v->c, too_small, 2), CARTRIDGE_INVALID);
	assert_int_equal(cartridge_format(v->c, too_many, 5), CARTRIDGE_INVALID);
	assert_int_equal(cartridge_format(v->c, NULL, 0), CARTRIDGE_INVALID);
	vtl_go(v, 0);
	vtl_expect(v, 100, 1);
	assert_int_equal(cartridge_format(v->c, all, 4), CARTRIDGE_OK);
	vtl_reopen(v);
	assert_int_equal(cartridge_info(v->c)->partitions, 4);
	assert_int_equal(cartridge_format(v->c, all, 1), CARTRIDGE_OK);
	vtl_reopen(v);
	assert_int_equal(cartridge_info(v->c)->partitions, 1);
}

static void set_capacity_lasts_and_leaves_the_tape_blank(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, 64 * MIB);
	vtl_write(v, 100, 1);
	assert_int_equal(cartridge_set_capacity(v->c, 65 * MIB), CARTRIDGE_INVALID);
	assert_int_equal(cartridge_set_capacity(v->c, 2 * MIB), CARTRIDGE_OK);
	vtl_reopen(v);
	assert_int_equal(cartridge_info(v->c)->capacity, 64 * MIB);
	assert_int_equal(cartridge_info(v->c)->usable, 2 * MIB);
	assert_int_equal(cartridge_info(v->c)->partition_capacity[0], 2 * MIB);
	assert_int_equal(cartridge_format(v->c, &(uint64_t){ 3 * MIB }, 1), CARTRIDGE_INVALID);
	assert_int_equal(vtl_objects(v), 0);
	assert_int_equal(cartridge_set_capacity(v->c, 64 * MIB), CARTRIDGE_OK);
}

/* -- Counters -- */

static void counters_tell_host_and_medium_apart_and_last(void **state)
{
	struct vtl *v = *state;
	struct cartridge_counters life, load;

	vtl_new(v, 64 * MIB);
	vtl_write_how(v, 10000, 1, (struct cartridge_write_how){ .compress = true });
	vtl_marks(v, 3);
	vtl_go(v, 0);
	vtl_expect(v, 10000, 1);
	vtl_sync(v);
	cartridge_counters(v->c, &life, &load);
	assert_int_equal(load.host_written, 10000);
	assert_true(load.medium_written < 10000);
	assert_int_equal(load.host_read, 10000);
	assert_int_equal(load.medium_read, load.medium_written);
	assert_int_equal(load.blocks_written, 1);
	assert_int_equal(load.blocks_read, 1);
	assert_int_equal(load.filemarks_written, 3);
	assert_int_equal(load.syncs, 1);
	vtl_reopen(v);
	cartridge_counters(v->c, &life, &load);
	assert_int_equal(load.loads, 1);
	assert_int_equal(load.host_written, 0);
	assert_int_equal(life.loads, 2);
	assert_int_equal(life.host_written, 10000);
}

static void results_have_texts(void **state)
{
	(void)state;
	assert_string_equal(cartridge_result_text(CARTRIDGE_EOD), "end of data was met");
	assert_string_equal(cartridge_result_text(CARTRIDGE_IO), "the file system failed");
	assert_string_equal(cartridge_result_text((enum cartridge_result)999), "unknown");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, vtl_setup, vtl_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(new_cartridge_is_blank_and_at_its_beginning),
		CASE(cartridge_keeps_what_it_was_made_with),
		CASE(capacity_is_native_unless_told),
		CASE(create_refuses_a_path_that_is_taken),
		CASE(create_refuses_what_cannot_be),
		CASE(open_refuses_what_is_no_cartridge),
		CASE(cartridge_has_one_user_at_a_time),
		CASE(removed_cartridge_is_gone),
		CASE(remove_leaves_a_directory_that_is_no_cartridge),
		CASE(close_of_nothing_is_fine),
		CASE(blocks_and_filemarks_come_back_in_order),
		CASE(several_blocks_are_written_from_pieces),
		CASE(block_in_very_many_pieces_is_written),
		CASE(short_buffer_gets_the_beginning_and_the_true_length),
		CASE(read_without_a_buffer_passes_the_block),
		CASE(lengths_that_are_none_are_refused),
		CASE(no_blocks_and_no_filemarks_change_nothing),
		CASE(write_makes_what_follows_unreadable),
		CASE(overwriting_works_on_either_side_of_a_checkpoint),
		CASE(erase_ends_the_data_at_the_position),
		CASE(erase_at_end_of_data_ends_what_was_written_over),
		CASE(counters_that_cannot_be_saved_are_no_reason_to_stay_open),
		CASE(peek_tells_and_does_not_move),
		CASE(verify_reads_on_without_data),
		CASE(usage_counts_what_is_before_and_behind_the_position),
		CASE(full_partition_takes_no_block_but_filemarks),
		CASE(files_never_outgrow_the_capacity),
		CASE(write_of_several_blocks_stops_at_the_last_that_fits),
		CASE(block_that_does_not_fit_destroys_nothing),
		CASE(space_over_blocks_stops_behind_a_filemark),
		CASE(space_back_over_blocks_stops_before_a_filemark),
		CASE(space_over_filemarks_counts_them),
		CASE(space_over_sequential_filemarks_wants_them_in_a_row),
		CASE(locate_finds_objects_files_and_the_end),
		CASE(protected_cartridge_takes_no_data),
		CASE(read_only_opening_changes_no_file),
		CASE(worm_is_written_at_its_end_only),
		CASE(worm_filemarks_at_the_end_may_be_overwritten_but_the_first),
		CASE(worm_with_data_is_not_formatted),
		CASE(cleaning_cartridge_holds_no_data),
		CASE(partitions_are_tapes_of_their_own),
		CASE(each_partition_has_its_own_capacity),
		CASE(format_refuses_what_the_medium_has_no_room_for),
		CASE(set_capacity_lasts_and_leaves_the_tape_blank),
		CASE(counters_tell_host_and_medium_apart_and_last),
		CASE(results_have_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
