/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compression and encryption of blocks, through the cartridge: what is smaller, what is hidden, and
 * what a wrong key gets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include <cmocka.h>

#include "support_vtl.h"
#include "vtl/payload.h"

#define MIB VTL_MIB

static const struct cartridge_key right = { .key = "the right key, of 32 bytes......",
	.akad_len = 3, .akad = "abc", .ukad_len = 60,
	.ukad = "012345678901234567890123456789012345678901234567890123456789" };
static const struct cartridge_key wrong = { .key = "some other key, of 32 bytes....." };

static const struct cartridge_write_how plain = { .compress = false };
static const struct cartridge_write_how squeezed = { .compress = true };
static const struct cartridge_write_how hidden = { .key = &right };
static const struct cartridge_write_how both = { .compress = true, .key = &right };

static void compressible_block_takes_less_room(void **state)
{
	struct vtl *v = *state;
	struct cartridge_block got;

	vtl_new(v, 64 * MIB);
	vtl_write_how(v, 100000, 1, squeezed);
	vtl_go(v, 0);
	assert_int_equal(cartridge_peek(v->c, &got), CARTRIDGE_OK);
	assert_int_equal(got.length, 100000);
	assert_true(got.compressed);
	assert_true(got.stored < 60000);
	vtl_expect(v, 100000, 1);
}

static void incompressible_block_is_stored_as_it_is(void **state)
{
	struct vtl *v = *state;
	uint8_t noise[5000], buf[5000];
	struct iovec iov = { noise, sizeof(noise) };
	struct cartridge_block got;
	size_t done;

	vtl_new(v, 64 * MIB);
	assert_int_equal(RAND_bytes(noise, sizeof(noise)), 1);
	assert_int_equal(cartridge_write(v->c, &iov, 1, sizeof(noise), 1, &squeezed, &done),
		CARTRIDGE_OK);
	vtl_go(v, 0);
	assert_int_equal(cartridge_read(v->c, buf, sizeof(buf), NULL, &got), CARTRIDGE_OK);
	assert_false(got.compressed);
	assert_int_equal(got.stored, sizeof(noise));
	assert_memory_equal(buf, noise, sizeof(noise));
}

static void smallest_and_largest_blocks_can_be_compressed_and_encrypted(void **state)
{
	static const size_t lengths[] = { 1, 2, 3, 31, CARTRIDGE_BLOCK_MAX };
	struct vtl *v = *state;

	vtl_new(v, 64 * MIB);
	for (size_t i = 0; i < 5; i++) {
		vtl_write_how(v, lengths[i], i, squeezed);
		vtl_write_how(v, lengths[i], i, both);
	}
	vtl_reopen(v);
	for (size_t i = 0; i < 5; i++) {
		vtl_expect(v, lengths[i], i);
		vtl_expect_key(v, lengths[i], i, &right);
	}
}

static void encrypted_block_needs_the_right_key(void **state)
{
	struct vtl *v = *state;
	struct cartridge_block got;
	uint8_t buf[1000];

	vtl_new(v, 64 * MIB);
	vtl_write_how(v, 1000, 1, hidden);
	vtl_write_how(v, 1000, 2, both);
	for (uint64_t i = 0; i < 2; i++) {
		vtl_go(v, i);
		assert_int_equal(
			cartridge_read(v->c, buf, 1000, NULL, &got), CARTRIDGE_NO_KEY);
		assert_true(got.encrypted);
		assert_int_equal(got.length, 1000);
		vtl_at(v, i, 0);
		assert_int_equal(
			cartridge_read(v->c, buf, 1000, &wrong, &got), CARTRIDGE_WRONG_KEY);
		vtl_at(v, i, 0);
		vtl_expect_key(v, 1000, i + 1, &right);
	}
}

static void key_can_be_tried_without_moving(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, 64 * MIB);
	vtl_write_how(v, 1000, 1, both);
	vtl_write(v, 1000, 2);
	vtl_go(v, 0);
	assert_int_equal(cartridge_try_key(v->c, NULL), CARTRIDGE_NO_KEY);
	assert_int_equal(cartridge_try_key(v->c, &wrong), CARTRIDGE_WRONG_KEY);
	assert_int_equal(cartridge_try_key(v->c, &right), CARTRIDGE_OK);
	vtl_at(v, 0, 0);
	vtl_go(v, 1);
	assert_int_equal(cartridge_try_key(v->c, NULL), CARTRIDGE_OK);
	vtl_go(v, 2);
	assert_int_equal(cartridge_try_key(v->c, &right), CARTRIDGE_EOD);
}

static void key_associated_data_can_be_read_without_a_key(void **state)
{
	struct vtl *v = *state;
	struct cartridge_block got;

	vtl_new(v, 64 * MIB);
	vtl_write_how(v, 1000, 1, hidden);
	vtl_go(v, 0);
	assert_int_equal(cartridge_peek(v->c, &got), CARTRIDGE_OK);
	assert_true(got.encrypted);
	assert_int_equal(got.akad_len, 3);
	assert_memory_equal(got.akad, "abc", 3);
	assert_int_equal(got.ukad_len, 60);
	assert_memory_equal(got.ukad, right.ukad, 60);
	assert_int_equal(cartridge_verify(v->c, &got), CARTRIDGE_OK);
	assert_int_equal(got.ukad_len, 60);
	vtl_at(v, 1, 0);
}

static void plaintext_is_not_in_the_file(void **state)
{
	struct vtl *v = *state;
	char secret[64] = "what nobody who holds the file may read, in 64 bytes";
	struct iovec iov = { secret, sizeof(secret) };
	size_t done, len;

	vtl_new(v, 64 * MIB);
	assert_int_equal(cartridge_write(v->c, &iov, 1, 64, 1, &hidden, &done), CARTRIDGE_OK);
	vtl_close(v);
	uint8_t *bytes = vtl_file(v, "p0", &len);
	assert_null(memmem(bytes, len, secret, 16));
	assert_null(memmem(bytes, len, right.key, 16));
	free(bytes);
}

static void equal_blocks_do_not_look_equal(void **state)
{
	struct vtl *v = *state;
	size_t len;

	vtl_new(v, 64 * MIB);
	vtl_write_how(v, 640, 1, hidden);
	vtl_write_how(v, 640, 1, hidden);
	vtl_close(v);
	uint8_t *bytes = vtl_file(v, "p0", &len);
	size_t size = (len - LOG_START) / 2;
	assert_memory_not_equal(
		bytes + LOG_START + 200, bytes + LOG_START + size + 200, 400);
	free(bytes);
}

/* A block as it is stored, to be changed. */
static struct payload *stored_block(struct record *rec, uint8_t *out)
{
	struct payload *p = payload_new();
	uint8_t block[500];

	assert_non_null(p);
	vtl_fill(block, sizeof(block), 1);
	*rec = (struct record){ .type = RECORD_BLOCK, .object = 7 };
	const uint8_t *stored = payload_encode(p, block, sizeof(block), true, &right, rec);
	assert_non_null(stored);
	memcpy(out, stored, rec->stored);
	return p;
}

static void changed_ciphertext_does_not_authenticate(void **state)
{
	uint8_t stored[1000], copy[1000], buf[500];
	struct record rec;
	struct payload *p = stored_block(&rec, stored);

	(void)state;
	for (size_t i = 0; i < rec.stored; i++) {
		/* The unauthenticated data and two unused bytes may be anything. */
		if (i == 30 || i == 31 || (i >= 32 + 3 && i < 32 + 63))
			continue;
		memcpy(copy, stored, sizeof(copy));
		copy[i] ^= 0x40;
		enum cartridge_result res = payload_decode(p, &rec, copy, &right, buf, 500);
		assert_true(res == CARTRIDGE_WRONG_KEY || res == CARTRIDGE_CORRUPT);
	}
	assert_int_equal(payload_decode(p, &rec, stored, &right, buf, 500), CARTRIDGE_OK);
	payload_free(p);
}

static void block_does_not_authenticate_in_another_place(void **state)
{
	uint8_t stored[1000], copy[1000], buf[500];
	struct record rec;
	struct payload *p = stored_block(&rec, stored);

	(void)state;
	rec.object = 8;
	memcpy(copy, stored, sizeof(copy));
	assert_int_equal(payload_decode(p, &rec, copy, &right, buf, 500), CARTRIDGE_WRONG_KEY);
	rec.object = 7;
	rec.length = 499;
	memcpy(copy, stored, sizeof(copy));
	assert_int_equal(payload_decode(p, &rec, copy, &right, buf, 500), CARTRIDGE_WRONG_KEY);
	payload_free(p);
}

static void key_with_too_much_data_beside_it_is_refused(void **state)
{
	struct cartridge_key key = right;
	struct payload *p = payload_new();
	struct record rec = { .object = 0 };

	(void)state;
	assert_non_null(p);
	key.ukad_len = CARTRIDGE_KAD_MAX + 1;
	assert_null(payload_encode(p, (const uint8_t *)"block", 5, false, &key, &rec));
	payload_free(p);
}

static void overwritten_block_may_be_of_another_kind(void **state)
{
	struct vtl *v = *state;
	const struct cartridge_write_how *ways[] = { &plain, &squeezed, &hidden, &both };

	vtl_new(v, 64 * MIB);
	for (uint64_t i = 0; i < 16; i++) {
		vtl_go(v, i / 4);
		vtl_write_how(v, 3000, i, *ways[i % 4]);
		vtl_go(v, i / 4);
		vtl_expect_key(v, 3000, i, &right);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, vtl_setup, vtl_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(compressible_block_takes_less_room),
		CASE(incompressible_block_is_stored_as_it_is),
		CASE(smallest_and_largest_blocks_can_be_compressed_and_encrypted),
		CASE(encrypted_block_needs_the_right_key),
		CASE(key_can_be_tried_without_moving),
		CASE(key_associated_data_can_be_read_without_a_key),
		CASE(plaintext_is_not_in_the_file),
		CASE(equal_blocks_do_not_look_equal),
		CASE(changed_ciphertext_does_not_authenticate),
		CASE(block_does_not_authenticate_in_another_place),
		CASE(key_with_too_much_data_beside_it_is_refused),
		CASE(overwritten_block_may_be_of_another_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
