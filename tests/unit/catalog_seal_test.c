/* SPDX-License-Identifier: BSD-2-Clause */
/* Sealed values: they open in their place, with their key, unaltered, and never otherwise. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/seal.h"

static const struct seal_place place = {
	.table = "credential", .row = { "0", "iqn.x:t", "iqn.x:h" }, .column = "in_secret"
};

static const uint8_t key_bytes[SEAL_KEY_SIZE] = { 1, 2, 3 };

#define VALUE "sixteen letters!"
#define LEN   (sizeof(VALUE) - 1)

struct sealed {
	struct seal_ring ring;
	uint8_t bytes[LEN + SEAL_OVERHEAD];
	uint8_t plain[LEN];
	size_t len;
};

static struct sealed *make(void)
{
	struct sealed *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_int_equal(seal_key_set(&s->ring.keys[0], key_bytes), 0);
	s->ring.n = 1;
	assert_int_equal(seal(&s->ring.keys[0], &place, VALUE, LEN, s->bytes), 0);
	return s;
}

static int open_at(struct sealed *s, const struct seal_place *at, size_t len)
{
	memset(s->plain, 0x55, sizeof(s->plain));
	return unseal(&s->ring, at, s->bytes, len, s->plain, &s->len);
}

static void a_value_opens_in_its_place(void **state)
{
	struct sealed *s = make();

	(void)state;
	assert_int_equal(open_at(s, &place, sizeof(s->bytes)), 0);
	assert_int_equal(s->len, LEN);
	assert_memory_equal(s->plain, VALUE, LEN);
	free(s);
}

static void an_empty_value_opens_empty(void **state)
{
	struct sealed *s = make();

	(void)state;
	assert_int_equal(seal(&s->ring.keys[0], &place, NULL, 0, s->bytes), 0);
	assert_int_equal(open_at(s, &place, SEAL_OVERHEAD), 0);
	assert_int_equal(s->len, 0);
	free(s);
}

static void the_same_value_never_looks_the_same(void **state)
{
	struct sealed *a = make(), *b = make();

	(void)state;
	assert_memory_not_equal(a->bytes + 9, b->bytes + 9, 12);
	assert_memory_not_equal(a->bytes + 21, b->bytes + 21, LEN);
	assert_null(memmem(a->bytes, sizeof(a->bytes), VALUE, 4));
	free(a);
	free(b);
}

static void a_value_opens_in_no_other_place(void **state)
{
	const struct seal_place others[] = {
		{ "audit", { "0", "iqn.x:t", "iqn.x:h" }, "in_secret" },
		{ "credential", { "1", "iqn.x:t", "iqn.x:h" }, "in_secret" },
		{ "credential", { "0", "iqn.x:u", "iqn.x:h" }, "in_secret" },
		{ "credential", { "0", "iqn.x:ti", "qn.x:h" }, "in_secret" },
		{ "credential", { "0", "iqn.x:t", "iqn.x:g" }, "in_secret" },
		{ "credential", { "0", "iqn.x:t", "iqn.x:h" }, "old_secret" },
	};
	struct sealed *s = make();

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(open_at(s, &others[i], sizeof(s->bytes)), -EBADMSG);
	free(s);
}

static void a_value_with_any_bit_flipped_does_not_open(void **state)
{
	static const uint8_t nothing[LEN];
	struct sealed *s = make();

	(void)state;
	for (size_t bit = 0; bit < 8 * sizeof(s->bytes); bit++) {
		int err;

		s->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		err = open_at(s, &place, sizeof(s->bytes));
		assert_int_equal(err, bit >= 8 && bit < 72 ? -ENOKEY : -EBADMSG);
		if (bit >= 72)
			assert_memory_equal(s->plain, nothing, LEN);
		s->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	free(s);
}

static void a_value_cut_short_does_not_open(void **state)
{
	struct sealed *s = make();

	(void)state;
	for (size_t len = 0; len < sizeof(s->bytes); len++)
		assert_int_equal(open_at(s, &place, len), -EBADMSG);
	free(s);
}

static void a_value_needs_its_key(void **state)
{
	struct sealed *s = make();

	(void)state;
	assert_int_equal(seal_key_generate(&s->ring.keys[0]), 0);
	assert_int_equal(open_at(s, &place, sizeof(s->bytes)), -ENOKEY);
	assert_int_equal(seal_key_set(&s->ring.keys[1], key_bytes), 0);
	s->ring.n = 2;
	assert_int_equal(open_at(s, &place, sizeof(s->bytes)), 0);
	free(s);
}

/* Computed with sha256sum: the catalog's files name keys by it. */
static void a_fingerprint_is_the_same_everywhere(void **state)
{
	static const uint8_t id[SEAL_ID_SIZE] = { 0x60, 0xc2, 0x6c, 0x7d, 0xfa, 0x79, 0xdb, 0xfc };
	struct seal_key k;

	(void)state;
	assert_int_equal(seal_key_set(&k, key_bytes), 0);
	assert_memory_equal(k.id, id, sizeof(id));
}

/* Computed independently (NIST SP 800-38D by another implementation): values written by one
 * version open in the next. */
static void a_value_of_an_older_server_opens(void **state)
{
	static const uint8_t golden[] = {
		0x01,
		0x60,
		0xc2,
		0x6c,
		0x7d,
		0xfa,
		0x79,
		0xdb,
		0xfc,
		0xa0,
		0xa1,
		0xa2,
		0xa3,
		0xa4,
		0xa5,
		0xa6,
		0xa7,
		0xa8,
		0xa9,
		0xaa,
		0xab,
		0xaa,
		0x14,
		0xd0,
		0x2d,
		0x8e,
		0x0e,
		0xe4,
		0xd8,
		0xa3,
		0xaf,
		0x01,
		0x07,
		0x0d,
		0x9c,
		0xb8,
		0x01,
		0xfe,
		0x81,
		0x17,
		0xeb,
		0x25,
		0xce,
		0x43,
		0xd1,
		0x98,
		0x14,
		0x61,
		0xd0,
		0x6f,
		0x6d,
		0x19,
		0x54,
	};
	struct sealed *s = make();

	(void)state;
	memcpy(s->bytes, golden, sizeof(golden));
	assert_int_equal(sizeof(golden), sizeof(s->bytes));
	assert_int_equal(open_at(s, &place, sizeof(golden)), 0);
	assert_memory_equal(s->plain, VALUE, LEN);
	free(s);
}

static void a_wiped_ring_has_no_keys(void **state)
{
	static const struct seal_ring nothing;
	struct sealed *s = make();

	(void)state;
	seal_ring_wipe(&s->ring);
	assert_memory_equal(&s->ring, &nothing, sizeof(nothing));
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_opens_in_its_place),
		cmocka_unit_test(an_empty_value_opens_empty),
		cmocka_unit_test(the_same_value_never_looks_the_same),
		cmocka_unit_test(a_value_opens_in_no_other_place),
		cmocka_unit_test(a_value_with_any_bit_flipped_does_not_open),
		cmocka_unit_test(a_value_cut_short_does_not_open),
		cmocka_unit_test(a_value_needs_its_key),
		cmocka_unit_test(a_fingerprint_is_the_same_everywhere),
		cmocka_unit_test(a_value_of_an_older_server_opens),
		cmocka_unit_test(a_wiped_ring_has_no_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
