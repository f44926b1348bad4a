/* SPDX-License-Identifier: BSD-2-Clause */
/* Identifiers of units. The expected ones are reckoned elsewhere: another one would be another disk
 * to every host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "registry/naa.h"

static const uint8_t server[STATE_IDENTITY_SIZE] = { 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
	0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f };
static const uint8_t other_server[STATE_IDENTITY_SIZE] = { 0x11 };

static void the_identifier_of_a_place_is_for_ever(void **state)
{
	struct naa_text text;
	uint8_t naa[16];

	(void)state;
	assert_true(naa_of_place(server, "iqn.2026-11.com.example:disk1\n0\n", naa));
	assert_string_equal(naa_text(naa, &text), "6024353d1be66cee522e2f7cd4d2038e");
}

static void the_identifier_of_a_volume_is_for_ever(void **state)
{
	struct naa_text text;
	uint8_t naa[16];

	(void)state;
	assert_true(naa_of_volume(server, "vol-0123456789ABCDEF0", naa));
	assert_string_equal(naa_text(naa, &text), "60243537b65f7bb5172a41b054769334");
}

static void what_serial_numbers_are_made_of_is_for_ever(void **state)
{
	static const uint8_t first[4] = { 0x5e, 0x6a, 0xb8, 0x30 };
	uint8_t hash[32];

	(void)state;
	assert_true(naa_hash(server, "library\nvtl", hash));
	assert_memory_equal(hash, first, sizeof(first));
}

static void another_server_makes_another_identifier(void **state)
{
	uint8_t ours[16], theirs[16];

	(void)state;
	assert_true(naa_of_place(server, "iqn.2026-11.com.example:disk1\n0\n", ours));
	assert_true(naa_of_place(other_server, "iqn.2026-11.com.example:disk1\n0\n", theirs));
	assert_memory_not_equal(ours, theirs, sizeof(ours));
}

static void an_identifier_is_written_as_it_was_read(void **state)
{
	struct naa_text text;
	uint8_t naa[16];

	(void)state;
	naa_read("60243530000000000000000000abcdef", naa);
	assert_string_equal(naa_text(naa, &text), "60243530000000000000000000abcdef");
	naa_read("3024353000abcdef", naa);
	assert_string_equal(naa_text(naa, &text), "3024353000abcdef");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_identifier_of_a_place_is_for_ever),
		cmocka_unit_test(the_identifier_of_a_volume_is_for_ever),
		cmocka_unit_test(what_serial_numbers_are_made_of_is_for_ever),
		cmocka_unit_test(another_server_makes_another_identifier),
		cmocka_unit_test(an_identifier_is_written_as_it_was_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
