/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * READ ELEMENT STATUS and the search for volume tags: field by field as SMC-3 6.11 and 6.13 to 6.14
 * have them.
 */
#include <time.h>

#include "smc_support.h"

/* Spaces behind a barcode of eight characters, up to 32. */
#define PAD24 "                        "

static struct result status(
	struct smc *m, uint8_t bits, uint16_t start, uint16_t n, uint8_t flags, uint32_t alloc)
{
	memset(smc_in, 0xee, 1024);
	return RUN(m, 0, NULL, sizeof(smc_in), STATUS(bits, start, n, flags, alloc));
}

/* --- fields ------------------------------------------------------------------------ */

static void storage_elements_are_described(void **state)
{
	struct smc *m = *state;
	static const uint8_t head[] = { BE2(1001), BE2(2), 0, BE3(8 + 2 * 16) };
	static const uint8_t page[] = { 2, 0, BE2(16), 0, BE3(2 * 16) };
	static const uint8_t full[] = { BE2(1001), 0x09, 0, 0, 0, 0, 0, 0, 0x81, BE2(1000), 0, 0, 0,
		0 };
	static const uint8_t empty[] = { BE2(1002), 0x08, 0, 0, 0, 0, 0, 0, 0, BE2(0), 0, 0, 0, 0 };

	shop_add(m->shop, "AAA001L5", SLOT(0));
	shop_move(m->shop, SLOT(0), SLOT(1));
	RUN(m, 0, NULL, 0, TUR);
	assert_int_equal(status(m, 2, 1001, 2, 0, 4096).in_len, 16 + 32);
	assert_memory_equal(smc_in, head, 8);
	assert_memory_equal(smc_in + 8, page, 8);
	assert_memory_equal(smc_in + 16, full, 16);
	assert_memory_equal(smc_in + 32, empty, 16);
}

static void volume_tags_are_told_when_asked_for(void **state)
{
	struct smc *m = *state;
	static const uint8_t page[] = { 2, 0x80, BE2(52), 0, BE3(2 * 52) };
	static const uint8_t nothing[36] = { 0 };

	shop_add(m->shop, "AAA001L5", SLOT(0));
	RUN(m, 0, NULL, 0, TUR);
	assert_int_equal(status(m, VOLTAG | 2, 1000, 2, 0, 4096).in_len, 16 + 2 * 52);
	assert_memory_equal(smc_in + 8, page, 8);
	assert_memory_equal(smc_in + 16 + 12, "AAA001L5" PAD24 "\0\0\0\0", 36);
	assert_memory_equal(smc_in + 16 + 48, nothing, 4); /* no device identifier */
	assert_int_equal(smc_in[16 + 52 + 2], 0x08);
	assert_memory_equal(smc_in + 16 + 52 + 12, nothing, 36);
}

static void medium_types_are_told_apart(void **state)
{
	struct smc *m = *state;

	shop_add(m->shop, "AAA001L5", SLOT(0));
	shop_add(m->shop, "AAA002LV", SLOT(1));
	shop_add(m->shop, "CLNU01L1", SLOT(2));
	RUN(m, 0, NULL, 0, TUR);
	assert_good(status(m, 2, 1000, 4, 0, 4096));
	assert_int_equal(smc_in[16 + 9], 0x01);          /* data */
	assert_int_equal(smc_in[16 + 16 + 9], 0x04);     /* WORM */
	assert_int_equal(smc_in[16 + 2 * 16 + 9], 0x02); /* cleaning */
	assert_int_equal(smc_in[16 + 3 * 16 + 9], 0x00);
}

static void mail_slots_say_who_filled_them(void **state)
{
	struct smc *m = *state;

	shop_add(m->shop, "AAA001L5", MAIL(0)); /* an operator */
	shop_add(m->shop, "AAA002L5", SLOT(0));
	RUN(m, 0, NULL, 0, TUR);
	RUN(m, 0, NULL, 0, TUR);
	assert_good(RUN(m, 0, NULL, 0, MOVE(SLOT(0), MAIL(1)))); /* the robot */
	assert_good(status(m, 3, 0, 9, 0, 4096));
	assert_int_equal(smc_in[8], 3);
	assert_int_equal(smc_in[16 + 2], 0x3b); /* INENAB, EXENAB, ACCESS, IMPEXP, FULL */
	assert_int_equal(smc_in[32 + 2], 0x39);
	assert_int_equal(be16(smc_in + 32 + 10), 1000);
	assert_good(RUN(m, 0, NULL, 0, MOVE(MAIL(0), SLOT(3))));
	assert_good(status(m, 3, 0, 9, 0, 4096));
	assert_int_equal(smc_in[16 + 2], 0x38);
}

static void drives_tell_their_identifiers_when_asked_for(void **state)
{
	struct smc *m = *state;
	static const uint8_t page[] = { 4, 0x80, BE2(52 + 30), 0, BE3(2 * 82) };
	static const uint8_t id[] = { 0x02, 0x01, 0, 30 };

	shop_add(m->shop, "AAA001L5", SLOT(4));
	RUN(m, 0, NULL, 0, TUR);
	assert_good(RUN(m, 0, NULL, 0, MOVE(SLOT(4), DRIVE(1))));
	assert_int_equal(status(m, VOLTAG | 4, 0, 99, DVCID | CURDATA, 4096).in_len, 16 + 2 * 82);
	assert_memory_equal(smc_in + 8, page, 8);
	assert_int_equal(be16(smc_in + 16), 500);
	assert_int_equal(smc_in[16 + 2], 0x08);
	assert_memory_equal(smc_in + 16 + 48, id, 4);
	assert_memory_equal(smc_in + 16 + 52, "IBM     ULT3580-TD5     DRIVE1", 30);
	assert_int_equal(smc_in[98 + 2], 0x09);
	assert_int_equal(smc_in[98 + 9], 0x81);
	assert_int_equal(be16(smc_in + 98 + 10), 1004);
	assert_memory_equal(smc_in + 98 + 12, "AAA001L5" PAD24, 32);
	assert_memory_equal(smc_in + 98 + 52, "IBM     ULT3580-TD5     DRIVE2", 30);
	/* Elements that are no devices have none. */
	assert_int_equal(status(m, 2, 0, 1, DVCID, 4096).in_len, 32);
	assert_int_equal(smc_in[16 + 15], 0);
}

static void all_types_come_in_pages_by_address(void **state)
{
	struct smc *m = *state;
	static const uint8_t types[] = { 1, 3, 4, 2 };
	static const unsigned counts[] = { 1, SHOP_MAIL, SHOP_DRIVES, SHOP_SLOTS };
	uint32_t at = 8;

	assert_good(status(m, 0, 0, 0xffff, 0, 4096));
	assert_int_equal(be16(smc_in), 0);
	assert_int_equal(be16(smc_in + 2), 1 + SHOP_MAIL + SHOP_DRIVES + SHOP_SLOTS);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(smc_in[at], types[i]);
		assert_int_equal(be24(smc_in + at + 5), counts[i] * 16);
		at += 8 + counts[i] * 16;
	}
	assert_int_equal(be24(smc_in + 5), at - 8);
	assert_int_equal(smc_in[16 + 2], 0); /* the robot holds nothing */
}

static void number_of_elements_limits_the_report_over_all_pages(void **state)
{
	struct smc *m = *state;

	assert_good(status(m, 0, 500, 3, 0, 4096));
	assert_int_equal(be16(smc_in), 500);
	assert_int_equal(be16(smc_in + 2), 3);
	assert_int_equal(smc_in[8], 4);
	assert_int_equal(be24(smc_in + 13), 32);
	assert_int_equal(smc_in[48], 2);
	assert_int_equal(be24(smc_in + 53), 16);
	assert_int_equal(be24(smc_in + 5), 64);
}

static void starting_address_need_not_be_an_element(void **state)
{
	struct smc *m = *state;

	assert_good(status(m, 0, 600, 1, 0, 4096));
	assert_int_equal(be16(smc_in), 1000);
	assert_int_equal(status(m, 0, 2000, 1, 0, 4096).in_len, 8);
	assert_memory_equal(smc_in, ((uint8_t[8]){ 0 }), 8);
	assert_int_equal(status(m, 2, 0, 0, 0, 4096).in_len, 8);
	assert_memory_equal(smc_in, ((uint8_t[8]){ 0 }), 8);
}

static void unknown_element_type_is_refused(void **state)
{
	struct smc *m = *state;

	assert_bad_cdb(status(m, 5, 0, 1, 0, 4096), 1);
	assert_bad_cdb(status(m, VOLTAG | 15, 0, 1, 0, 4096), 1);
}

/* --- allocation length ------------------------------------------------------------- */

static void only_whole_headers_and_descriptors_are_transferred(void **state)
{
	struct smc *m = *state;
	static const struct {
		uint32_t alloc, len;
	} cases[] = { { 0, 0 }, { 5, 5 }, { 8, 8 }, { 15, 8 }, { 16, 16 }, { 31, 16 }, { 32, 32 },
		/* The mail slots' page begins at 32, the first of them ends at 56. */
		{ 39, 32 }, { 40, 40 }, { 55, 40 }, { 56, 56 }, { 71, 56 }, { 72, 72 }, { 79, 72 },
		{ 4096, 8 + 4 * 8 + 11 * 16 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct result res = status(m, 0, 0, 0xffff, 0, cases[i].alloc);

		assert_good(res);
		assert_int_equal(res.in_len, cases[i].len);
		if (res.in_len < 8)
			continue;
		/* The counts are those of the whole report. */
		assert_int_equal(be16(smc_in + 2), 11);
		assert_int_equal(be24(smc_in + 5), 4 * 8 + 11 * 16);
		if (res.in_len >= 40)
			assert_int_equal(be24(smc_in + 32 + 5), SHOP_MAIL * 16);
	}
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void status_of_3200_slots_takes_milliseconds(void **state)
{
	struct smc *m = *state;
	uint64_t best = UINT64_MAX;

	m->shop->cfg.slots = m->shop->cfg.mail_slots = 1600;
	smc_restart(m);
	RUN(m, 0, NULL, 0, TUR);
	for (unsigned i = 0; i < 5; i++) {
		uint64_t start = now_ns(), took;

		assert_int_equal(status(m, VOLTAG, 0, 0xffff, DVCID, 0xffffff).in_len,
			8 + 4 * 8 + 3201 * 52 + SHOP_DRIVES * 82);
		took = now_ns() - start;
		best = took < best ? took : best;
	}
	print_message("3,200 slots in %u us\n", (unsigned)(best / 1000));
	/* Under 5 ms; a sanitizer on a busy machine is given ten times that. */
	assert_true(best < 50 * 1000000ull);
}

static void largest_library_fits_into_one_report(void **state)
{
	struct smc *m = *state;

	m->shop->cfg.slots = m->shop->cfg.mail_slots = LIBRARY_SLOTS_MAX;
	smc_restart(m);
	RUN(m, 0, NULL, 0, TUR);
	assert_int_equal(status(m, VOLTAG, 0, 0xffff, DVCID, 0xffffff).in_len,
		8 + 4 * 8 + 64001 * 52 + SHOP_DRIVES * 82);
	assert_int_equal(be16(smc_in + 2), 64001 + SHOP_DRIVES);
}

/* --- SEND VOLUME TAG, REQUEST VOLUME ELEMENT ADDRESS ------------------------------- */

#define SEND_TAG(type, start, action)  0xb6, type, BE2(start), 0, action, 0, 0, BE2(40), 0, 0
#define REQUEST(bits, start, n, alloc) 0xb5, bits, BE2(start), BE2(n), 0, BE3(alloc), 0, 0

static struct result search(struct smc *m, unsigned host, const char *template, uint8_t type,
	uint16_t start, uint8_t action)
{
	uint8_t list[40] = { 0 };

	memset(list, ' ', 32);
	memcpy(list, template, strlen(template));
	return RUN(m, host, list, sizeof(list), SEND_TAG(type, start, action));
}

/* The first element found, 0 when none is. */
static uint16_t found(struct smc *m, unsigned host)
{
	assert_good(RUN(m, host, NULL, 4096, REQUEST(VOLTAG, 0, 99, 4096)));
	return be16(smc_in);
}

static void three_cartridges(struct smc *m)
{
	shop_add(m->shop, "AAA001L5", SLOT(0));
	shop_add(m->shop, "AAA002L5", SLOT(1));
	shop_add(m->shop, "BBB001L5", MAIL(0));
	for (unsigned host = 0; host < SMC_HOSTS; host++)
		for (unsigned i = 0; i < 2; i++)
			RUN(m, host, NULL, 0, TUR);
}

static void cartridges_are_found_by_their_tags(void **state)
{
	struct smc *m = *state;

	three_cartridges(m);
	assert_good(search(m, 0, "AAA002L5", 0, 0, 0x05));
	assert_int_equal(RUN(m, 0, NULL, 4096, REQUEST(VOLTAG, 0, 99, 4096)).in_len, 16 + 52);
	assert_memory_equal(smc_in, ((uint8_t[]){ BE2(1001), BE2(1), 0x05, BE3(8 + 52) }), 8);
	assert_memory_equal(smc_in + 16 + 12, "AAA002L5", 8);
	assert_good(search(m, 0, "NOTTHERE", 0, 0, 0x05));
	assert_int_equal(found(m, 0), 0);
	assert_int_equal(be16(smc_in + 2), 0);
}

static void templates_have_wildcards(void **state)
{
	static const struct {
		const char *template;
		unsigned n;
	} cases[] = { { "*", 3 }, { "", 0 }, { "AAA*", 2 }, { "*L5", 3 }, { "*01*", 2 },
		{ "AAA", 0 }, { "???001L5", 2 }, { "????????", 3 }, { "?????????", 0 },
		{ "*A*2*5", 1 }, { "*5*", 3 }, { "AAA001L5*", 1 }, { "A*L6", 0 }, { "**B**", 1 } };
	struct smc *m = *state;

	three_cartridges(m);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_good(search(m, 0, cases[i].template, 0, 0, 0x05));
		found(m, 0);
		assert_int_equal(be16(smc_in + 2), cases[i].n);
	}
}

static void search_is_limited_by_type_and_address(void **state)
{
	struct smc *m = *state;

	three_cartridges(m);
	assert_good(search(m, 0, "*", 2, 0, 0x01));
	assert_int_equal(found(m, 0), 1000);
	assert_int_equal(be16(smc_in + 2), 2);
	assert_good(search(m, 0, "*", 0, 1001, 0x01));
	assert_int_equal(found(m, 0), 1001);
	assert_good(search(m, 0, "*", 0, 0, 0x02)); /* alternate tags: there are none */
	assert_int_equal(found(m, 0), 0);
	assert_good(search(m, 0, "*", 0, 0, 0x04));
	assert_good(RUN(m, 0, NULL, 4096, REQUEST(3, 0, 99, 4096)));
	assert_int_equal(be16(smc_in), 10);
	assert_good(RUN(m, 0, NULL, 4096, REQUEST(0, 0, 2, 4096)));
	assert_int_equal(be16(smc_in + 2), 2);
}

static void each_host_has_its_own_search(void **state)
{
	struct smc *m = *state;

	three_cartridges(m);
	assert_check(RUN(m, 1, NULL, 4096, REQUEST(0, 0, 9, 4096)), SENSE_ILLEGAL_REQUEST, 0x2c00);
	assert_good(search(m, 0, "AAA001L5", 0, 0, 0x05));
	assert_good(search(m, 1, "BBB001L5", 0, 0, 0x05));
	assert_int_equal(found(m, 0), 1000);
	assert_int_equal(found(m, 1), 10);
}

static void labels_cannot_be_changed(void **state)
{
	struct smc *m = *state;
	uint8_t list[40] = { 0 };

	for (uint8_t action = 0x08; action <= 0x0d; action++)
		assert_bad_cdb(search(m, 0, "*", 0, 0, action), 5);
	assert_bad_cdb(search(m, 0, "*", 5, 0, 0), 1);
	assert_bad_cdb(RUN(m, 0, list, 39, 0xb6, 0, 0, 0, 0, 0, 0, 0, BE2(39), 0, 0), 8);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, smc_begin, smc_end)
	const struct CMUnitTest tests[] = {
		T(storage_elements_are_described),
		T(volume_tags_are_told_when_asked_for),
		T(medium_types_are_told_apart),
		T(mail_slots_say_who_filled_them),
		T(drives_tell_their_identifiers_when_asked_for),
		T(all_types_come_in_pages_by_address),
		T(number_of_elements_limits_the_report_over_all_pages),
		T(starting_address_need_not_be_an_element),
		T(unknown_element_type_is_refused),
		T(only_whole_headers_and_descriptors_are_transferred),
		T(status_of_3200_slots_takes_milliseconds),
		T(largest_library_fits_into_one_report),
		T(cartridges_are_found_by_their_tags),
		T(templates_have_wildcards),
		T(search_is_limited_by_type_and_address),
		T(each_host_has_its_own_search),
		T(labels_cannot_be_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
