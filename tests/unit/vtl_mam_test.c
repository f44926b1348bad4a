/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Medium auxiliary memory: what a cartridge tells of itself, and what a host leaves on it.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "support_vtl.h"
#include "vtl/label.h"
#include "vtl/mam.h"

#define MIB VTL_MIB

static struct cartridge_attribute get(struct vtl *v, unsigned int partition, uint16_t id)
{
	struct cartridge_attribute a;

	assert_int_equal(cartridge_attribute_get(v->c, partition, id, &a), CARTRIDGE_OK);
	assert_int_equal(a.id, id);
	return a;
}

static uint64_t number(struct vtl *v, uint16_t id)
{
	struct cartridge_attribute a = get(v, 0, id);
	uint64_t n = 0;

	assert_int_equal(a.format, CARTRIDGE_BINARY);
	assert_true(a.read_only);
	for (unsigned int i = 0; i < a.len; i++)
		n = n << 8 | a.value[i];
	return n;
}

static void expect_text(struct vtl *v, uint16_t id, const char *want, size_t len)
{
	struct cartridge_attribute a = get(v, 0, id);
	char padded[64];

	snprintf(padded, sizeof(padded), "%-*s", (int)len, want);
	assert_int_equal(a.format, CARTRIDGE_ASCII);
	assert_int_equal(a.len, len);
	assert_memory_equal(a.value, padded, len);
}

static enum cartridge_result set(struct vtl *v, unsigned int partition, uint16_t id,
	enum cartridge_attribute_format format, const char *value)
{
	return cartridge_attribute_set(v->c, partition, id, format, value, strlen(value));
}

static void medium_tells_what_it_is(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, 64 * MIB);
	assert_int_equal(number(v, 0x0405), 0x5a);
	assert_int_equal(number(v, 0x0006), 0x5a);
	assert_int_equal(number(v, 0x0402), 846);
	assert_int_equal(number(v, 0x0403), 127);
	assert_int_equal(number(v, 0x0407), 16384);
	assert_int_equal(number(v, 0x0408), 0);
	expect_text(v, 0x0404, "LTO-CVE", 8);
	expect_text(v, 0x0401, cartridge_info(v->c)->serial, 32);
	struct cartridge_attribute date = get(v, 0, 0x0406);
	assert_int_equal(date.len, 8);
	assert_memory_equal(date.value, "20", 2);
}

static void medium_type_tells_worm_and_cleaning(void **state)
{
	struct vtl *v = *state;

	vtl_new_from(v, (struct cartridge_cfg){ .barcode = "WORM01LW",
		.media = media_generation(6), .worm = true });
	assert_int_equal(number(v, 0x0408), 0x80);
	vtl_close(v);
	assert_int_equal(cartridge_remove(v->path), 0);
	vtl_new_from(v, (struct cartridge_cfg){ .barcode = "CLN001L6",
		.media = media_generation(6), .cleaning = true });
	assert_int_equal(number(v, 0x0408), 0x01);
	assert_int_equal(number(v, 0x0409), 50);
}

static void capacity_and_use_are_told_in_mebibytes(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, 64 * MIB);
	assert_int_equal(number(v, 0x0000), 64);
	assert_int_equal(number(v, 0x0001), 64);
	vtl_write(v, 4 * MIB, 1);
	assert_int_equal(number(v, 0x0000), 59);
	assert_int_equal(number(v, 0x0220), 4);
	assert_int_equal(number(v, 0x0222), 4);
	vtl_reopen(v);
	assert_int_equal(number(v, 0x0220), 4);
	assert_int_equal(number(v, 0x0222), 0);
	vtl_expect(v, 4 * MIB, 1);
	assert_int_equal(number(v, 0x0223), 4);
}

static void last_loads_are_remembered(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, MIB);
	for (int i = 1; i <= 5; i++) {
		char drive[CARTRIDGE_DRIVE_SIZE];

		vtl_close(v);
		snprintf(drive, sizeof(drive), "IBM     %d", i);
		struct cartridge_opening how = { .drive = drive };
		assert_int_equal(cartridge_open(v->path, &how, &v->c), 0);
	}
	assert_int_equal(number(v, 0x0003), 6);
	expect_text(v, 0x020a, "IBM     5", 40);
	expect_text(v, 0x020b, "IBM     4", 40);
	expect_text(v, 0x020d, "IBM     2", 40);
}

static void tool_that_looks_is_no_load(void **state)
{
	struct vtl *v = *state;
	struct cartridge_opening how = { .drive = NULL };

	vtl_new(v, 64 * MIB);
	vtl_write(v, 2 * MIB, 1);
	vtl_close(v);
	assert_int_equal(cartridge_open(v->path, &how, &v->c), 0);
	assert_int_equal(number(v, 0x0003), 1);
	assert_int_equal(number(v, 0x0222), 2);
	expect_text(v, 0x020a, "IBM     0123456789", 40);
}

static void alerts_last(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, MIB);
	cartridge_set_alerts(v->c, (uint64_t)1 << 63 | 1);
	vtl_reopen(v);
	assert_true(number(v, 0x0002) == ((uint64_t)1 << 63 | 1));
}

static void host_attributes_last(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, MIB);
	assert_int_equal(set(v, 0, 0x0806, CARTRIDGE_ASCII, "TEST01L6"), CARTRIDGE_OK);
	assert_int_equal(set(v, 0, 0x0803, CARTRIDGE_TEXT, "a label"), CARTRIDGE_OK);
	assert_int_equal(set(v, 0, 0x1400, CARTRIDGE_BINARY, "mine"), CARTRIDGE_OK);
	assert_int_equal(cartridge_attributes_save(v->c), CARTRIDGE_OK);
	vtl_drop(v);
	vtl_open(v);
	struct cartridge_attribute a = get(v, 0, 0x0803);
	assert_int_equal(a.format, CARTRIDGE_TEXT);
	assert_false(a.read_only);
	assert_int_equal(a.len, 7);
	assert_memory_equal(a.value, "a label", 7);
	assert_int_equal(get(v, 0, 0x0806).len, 8);
	assert_int_equal(get(v, 0, 0x1400).len, 4);
}

static void host_attribute_can_be_changed_and_removed(void **state)
{
	struct vtl *v = *state;
	struct cartridge_attribute a;

	vtl_new(v, MIB);
	assert_int_equal(set(v, 0, 0x0808, CARTRIDGE_TEXT, "pool"), CARTRIDGE_OK);
	assert_int_equal(set(v, 0, 0x0808, CARTRIDGE_TEXT, "another"), CARTRIDGE_OK);
	assert_int_equal(get(v, 0, 0x0808).len, 7);
	assert_int_equal(set(v, 0, 0x0808, CARTRIDGE_TEXT, ""), CARTRIDGE_OK);
	assert_int_equal(cartridge_attribute_get(v->c, 0, 0x0808, &a), CARTRIDGE_EOD);
	assert_int_equal(set(v, 0, 0x0808, CARTRIDGE_TEXT, ""), CARTRIDGE_OK);
}

static void partitions_have_attributes_of_their_own(void **state)
{
	struct vtl *v = *state;
	uint64_t capacity[2] = { MIB, 2 * MIB };
	struct cartridge_attribute a;

	vtl_new(v, 4 * MIB);
	assert_int_equal(cartridge_format(v->c, capacity, 2), CARTRIDGE_OK);
	assert_int_equal(set(v, 1, 0x080c, CARTRIDGE_BINARY, "coherent"), CARTRIDGE_OK);
	assert_int_equal(set(v, 1, 0x0803, CARTRIDGE_TEXT, "of the medium"), CARTRIDGE_OK);
	assert_int_equal(cartridge_attribute_get(v->c, 0, 0x080c, &a), CARTRIDGE_EOD);
	assert_int_equal(get(v, 1, 0x080c).len, 8);
	assert_int_equal(get(v, 0, 0x0803).len, 13);
	assert_int_equal(get(v, 1, 0x0001).value[7], 2);
	assert_int_equal(set(v, 2, 0x080c, CARTRIDGE_BINARY, "x"), CARTRIDGE_INVALID);
	assert_int_equal(cartridge_attribute_get(v->c, 2, 0, &a), CARTRIDGE_INVALID);
	assert_int_equal(cartridge_format(v->c, capacity, 2), CARTRIDGE_OK);
	assert_int_equal(cartridge_attribute_get(v->c, 1, 0x080c, &a), CARTRIDGE_EOD);
	assert_int_equal(get(v, 1, 0x0803).len, 13);
}

/* As a crash leaves it that comes when the label tells of a format that has not been done. */
static void say_formatting(struct vtl *v)
{
	struct label *l = malloc(sizeof(*l));
	int dir = open(v->path, O_RDONLY | O_DIRECTORY);

	assert_int_equal(label_load(dir, l), 0);
	l->identity.formatting = true;
	l->identity.formats++;
	assert_int_equal(label_save(dir, l), 0);
	close(dir);
	free(l);
}

static void attributes_of_partitions_go_when_a_format_is_done_after_a_crash(void **state)
{
	struct vtl *v = *state;
	struct cartridge_attribute a;

	vtl_new(v, 4 * MIB);
	assert_int_equal(set(v, 0, 0x080c, CARTRIDGE_BINARY, "coherent"), CARTRIDGE_OK);
	assert_int_equal(set(v, 0, 0x0803, CARTRIDGE_TEXT, "of the medium"), CARTRIDGE_OK);
	vtl_close(v);
	say_formatting(v);
	vtl_open(v);
	assert_int_equal(cartridge_attribute_get(v->c, 0, 0x080c, &a), CARTRIDGE_EOD);
	assert_int_equal(get(v, 0, 0x0803).len, 13);
}

static void set_refuses_what_is_not_the_hosts(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, MIB);
	assert_int_equal(set(v, 0, 0x0401, CARTRIDGE_ASCII, "forged"), CARTRIDGE_PROTECTED);
	assert_int_equal(set(v, 0, 0x0003, CARTRIDGE_BINARY, "12345678"), CARTRIDGE_PROTECTED);
	assert_int_equal(set(v, 0, 0x0c00, CARTRIDGE_BINARY, "x"), CARTRIDGE_INVALID);
	assert_int_equal(set(v, 0, 0x0899, CARTRIDGE_ASCII, "unknown"), CARTRIDGE_INVALID);
	assert_int_equal(set(v, 0, 0xffff, CARTRIDGE_BINARY, "x"), CARTRIDGE_INVALID);
}

static void set_refuses_wrong_formats_and_lengths(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, MIB);
	assert_int_equal(set(v, 0, 0x0806, CARTRIDGE_BINARY, "TEST01L6"), CARTRIDGE_INVALID);
	assert_int_equal(set(v, 0, 0x0800, CARTRIDGE_ASCII, "vendor"), CARTRIDGE_INVALID);
	assert_int_equal(set(v, 0, 0x0800, CARTRIDGE_ASCII, "vendor  "), CARTRIDGE_OK);
	assert_int_equal(set(v, 0, 0x0809, CARTRIDGE_ASCII, "more than sixteen"),
		CARTRIDGE_INVALID);
}

/* 0009h, by which LTFS knows whether what it has noted of a volume still holds. */
static void change_reference_is_another_one_with_the_first_change_of_a_load(void **state)
{
	struct vtl *v = *state;
	uint64_t first;

	vtl_new(v, 64 * MIB);
	assert_int_equal(number(v, 0x0009), 0);
	vtl_write(v, 100, 1);
	first = number(v, 0x0009);
	assert_true(first > 0);
	vtl_write(v, 100, 2);
	vtl_reopen(v);
	vtl_expect(v, 100, 1);
	assert_int_equal(number(v, 0x0009), first);
	vtl_marks(v, 1);
	assert_true(number(v, 0x0009) > first);
}

static void change_reference_that_was_told_is_another_one_after_a_crash(void **state)
{
	struct vtl *v = *state;
	uint64_t told;

	vtl_new(v, 64 * MIB);
	vtl_write(v, 100, 1);
	told = number(v, 0x0009);
	cartridge_change_told(v->c);
	vtl_write(v, 100, 2);
	vtl_sync(v);
	vtl_drop(v);
	vtl_open(v);
	assert_true(number(v, 0x0009) > told);
}

/* As on a file system that is full until the cut has made room. */
static void change_reference_that_could_not_be_saved_is_saved_with_the_data(void **state)
{
	struct vtl *v = *state;
	char in_the_way[128];
	uint64_t told;

	snprintf(in_the_way, sizeof(in_the_way), "%.79s/label.new", v->path);
	vtl_new(v, 64 * MIB);
	vtl_write(v, 100, 1);
	told = number(v, 0x0009);
	cartridge_change_told(v->c);
	assert_int_equal(mkdir(in_the_way, 0700), 0);
	vtl_write(v, 100, 2);
	assert_int_equal(rmdir(in_the_way), 0);
	vtl_sync(v);
	vtl_drop(v);
	vtl_open(v);
	assert_true(number(v, 0x0009) > told);
}

static void change_reference_tells_of_erasing_and_formatting_and_of_nothing_else(void **state)
{
	struct vtl *v = *state;
	uint64_t capacity = 4 * MIB, told, done;

	vtl_new(v, 4 * MIB);
	vtl_write(v, 100, 1);
	told = number(v, 0x0009);
	cartridge_change_told(v->c);
	assert_int_equal(cartridge_write_filemarks(v->c, 0, &done), CARTRIDGE_OK);
	assert_int_equal(set(v, 0, 0x0803, CARTRIDGE_TEXT, "a label"), CARTRIDGE_OK);
	vtl_go(v, 0);
	vtl_expect(v, 100, 1);
	assert_int_equal(number(v, 0x0009), told);
	vtl_go(v, 0);
	assert_int_equal(cartridge_erase(v->c), CARTRIDGE_OK);
	assert_true(number(v, 0x0009) > told);
	told = number(v, 0x0009);
	assert_int_equal(cartridge_format(v->c, &capacity, 1), CARTRIDGE_OK);
	assert_true(number(v, 0x0009) > told);
}

static void vendor_attribute_has_whatever_format_it_is_given(void **state)
{
	struct vtl *v = *state;

	vtl_new(v, MIB);
	assert_int_equal(set(v, 0, 0x1400, CARTRIDGE_ASCII, "plain"), CARTRIDGE_OK);
	assert_int_equal(set(v, 0, 0x17ff, CARTRIDGE_TEXT,
				 "Gr\xc3\xbc\xc3\x9f"
				 "e"),
		CARTRIDGE_OK);
	assert_int_equal(cartridge_attributes_save(v->c), CARTRIDGE_OK);
	vtl_drop(v);
	vtl_open(v);
	assert_int_equal(get(v, 0, 0x1400).format, CARTRIDGE_ASCII);
	assert_int_equal(get(v, 0, 0x17ff).format, CARTRIDGE_TEXT);
	assert_int_equal(
		set(v, 0, 0x1400, (enum cartridge_attribute_format)3, "x"), CARTRIDGE_INVALID);
	assert_int_equal(set(v, 0, 0x1400, CARTRIDGE_BINARY, "x"), CARTRIDGE_OK);
	assert_int_equal(get(v, 0, 0x1400).format, CARTRIDGE_BINARY);
}

static void memory_gets_full(void **state)
{
	struct vtl *v = *state;
	static const uint8_t value[CARTRIDGE_ATTRIBUTE_MAX];
	uint16_t id = 0x1400;

	vtl_new(v, MIB);
	while (cartridge_attribute_set(v->c, 0, id, CARTRIDGE_BINARY, value, sizeof(value)) ==
		CARTRIDGE_OK)
		id++;
	assert_int_equal(id - 0x1400, 16384 / (MAM_HEAD + CARTRIDGE_ATTRIBUTE_MAX));
	assert_int_equal(cartridge_attribute_set(v->c, 0, id, CARTRIDGE_BINARY, value,
		sizeof(value)), CARTRIDGE_FULL);
	assert_int_equal(number(v, 0x0004), 16384 - 15 * (MAM_HEAD + CARTRIDGE_ATTRIBUTE_MAX));
	/* What is there can still be replaced. */
	assert_int_equal(cartridge_attribute_set(v->c, 0, 0x1400, CARTRIDGE_BINARY, value,
		sizeof(value)), CARTRIDGE_OK);
	vtl_reopen(v);
	assert_int_equal(get(v, 0, id - 1).len, sizeof(value));
}

static void walk_gives_all_in_order(void **state)
{
	struct vtl *v = *state;
	struct cartridge_attribute a;
	unsigned int n = 0;
	uint16_t id = 0;

	vtl_new(v, MIB);
	assert_int_equal(set(v, 0, 0x1401, CARTRIDGE_BINARY, "b"), CARTRIDGE_OK);
	assert_int_equal(set(v, 0, 0x1400, CARTRIDGE_BINARY, "a"), CARTRIDGE_OK);
	assert_int_equal(set(v, 0, 0x0803, CARTRIDGE_TEXT, "x"), CARTRIDGE_OK);
	for (; cartridge_attribute_next(v->c, 0, id, &a) == CARTRIDGE_OK; n++) {
		assert_true(a.id >= id);
		id = (uint16_t)(a.id + 1);
	}
	assert_int_equal(id, 0x1402);
	assert_int_equal(n, 28 + 3);
}

static void store_that_is_not_in_order_is_not_valid(void **state)
{
	static struct mam m;
	static const uint8_t two[] = { 0x01, 0x14, 0, 0, 1, 0, 0, 0, 'b',
		0x00, 0x14, 0, 0, 1, 0, 0, 0, 'a' };

	(void)state;
	memcpy(m.bytes, two, sizeof(two));
	m.len = sizeof(two);
	assert_false(mam_valid(&m));
	m.len = 9;
	assert_true(mam_valid(&m));
	m.len = 8;
	assert_false(mam_valid(&m));
	m.len = 9;
	m.bytes[2] = CARTRIDGE_PARTITIONS;
	assert_false(mam_valid(&m));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, vtl_setup, vtl_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(medium_tells_what_it_is),
		CASE(medium_type_tells_worm_and_cleaning),
		CASE(capacity_and_use_are_told_in_mebibytes),
		CASE(last_loads_are_remembered),
		CASE(tool_that_looks_is_no_load),
		CASE(alerts_last),
		CASE(host_attributes_last),
		CASE(host_attribute_can_be_changed_and_removed),
		CASE(partitions_have_attributes_of_their_own),
		CASE(attributes_of_partitions_go_when_a_format_is_done_after_a_crash),
		CASE(set_refuses_what_is_not_the_hosts),
		CASE(set_refuses_wrong_formats_and_lengths),
		CASE(change_reference_is_another_one_with_the_first_change_of_a_load),
		CASE(change_reference_that_was_told_is_another_one_after_a_crash),
		CASE(change_reference_that_could_not_be_saved_is_saved_with_the_data),
		CASE(change_reference_tells_of_erasing_and_formatting_and_of_nothing_else),
		CASE(vendor_attribute_has_whatever_format_it_is_given),
		CASE(memory_gets_full),
		CASE(walk_gives_all_in_order),
		CASE(store_that_is_not_in_order_is_not_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
