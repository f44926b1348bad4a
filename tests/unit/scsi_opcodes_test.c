/* SPDX-License-Identifier: BSD-2-Clause */
/* What the unit says it knows, against what it obeys; CDBs that no row covers. */
#include "tests/unit/scsi_support.h"

#define RSOC(options, code, service) 0xa3, 0x0c, options, code, BE2(service), BE4(65535), 0, 0

static struct rig *rig;

static int setup(void **state)
{
	rig = rig_create((struct rig_cfg){ .long_cdbs = true });
	*state = rig;
	return 0;
}

/* Every command in the list can be asked for alone, in the way that fits it, and only so. */
static void commands_that_are_listed_are_described(void **state)
{
	static uint8_t list[8192];
	struct result res = RUN(rig, 0, NULL, 65535, RSOC(0, 0, 0));

	(void)state;
	assert_good(res);
	assert_int_equal(be32(rig_in) + 4, res.in_len);
	assert_true(res.in_len > 8 * 20 && res.in_len < sizeof(list));
	memcpy(list, rig_in, res.in_len);
	for (uint8_t *d = list + 4; d < list + res.in_len; d += 8) {
		bool service = d[5] & 1;

		assert_true(service || !be16(d + 2));
		assert_good(RUN(rig, 0, NULL, 65535, RSOC(service ? 2 : 1, d[0], be16(d + 2))));
		assert_int_equal(rig_in[1], 3);
		assert_int_equal(be16(rig_in + 2), be16(d + 6));
		assert_int_equal(rig_in[4], d[0]);
		assert_bad_cdb(
			RUN(rig, 0, NULL, 65535, RSOC(service ? 1 : 2, d[0], be16(d + 2))), 2);
		assert_good(RUN(rig, 0, NULL, 65535, RSOC(3, d[0], be16(d + 2))));
		assert_int_equal(rig_in[1], 3);
	}
}

/* Whether the operation code and service action are refused as ones that do not exist. */
static bool refused(uint8_t code, uint16_t service)
{
	uint8_t cdb[32] = { code, (uint8_t)(code == 0x7f ? 0 : service), [7] = 0x18 };
	struct result res;

	if (code == 0x7f)
		put_be16(cdb + 8, service);
	else
		cdb[7] = 0;
	res = rig_run(&rig->nexus[0], 0, cdb, sizeof(cdb), NULL, 0);
	if (res.status != SCSI_CHECK_CONDITION)
		return false;
	return res.sense.asc == 0x2000 ||
	       (res.sense.asc == 0x2400 && be16(res.sense.sks + 1) == (code == 0x7f ? 8 : 1));
}

/* What is listed is carried out, or refused for another reason; what is not is not known. */
static void commands_are_known_if_they_are_listed(void **state)
{
	(void)state;
	for (unsigned code = 0; code < 256; code++) {
		bool services = RUN(rig, 0, NULL, 64, RSOC(1, (uint8_t)code, 0)).status ==
				SCSI_CHECK_CONDITION;

		for (uint16_t service = 0; service < (services ? 0x20 : 1); service++) {
			assert_good(RUN(rig, 0, NULL, 64, RSOC(3, (uint8_t)code, service)));
			assert_int_equal(refused((uint8_t)code, service), rig_in[1] == 1);
		}
	}
}

static void timeouts_are_there_when_asked_for(void **state)
{
	struct result res = RUN(rig, 0, NULL, 65535, RSOC(0x80, 0, 0));

	(void)state;
	assert_int_equal(res.in_len % 20, 4);
	for (uint8_t *d = rig_in + 4; d < rig_in + res.in_len; d += 20) {
		assert_int_equal(d[5] & 2, 2);
		assert_int_equal(be16(d + 8), 10);
	}
	assert_int_equal(RUN(rig, 0, NULL, 65535, RSOC(0x81, 0x28, 0)).in_len, 4 + 10 + 12);
	assert_int_equal(rig_in[1], 0x83);
}

static void usage_bits_of_read10_have_dpo_and_fua(void **state)
{
	(void)state;
	assert_good(RUN(rig, 0, NULL, 64, RSOC(1, 0x28, 0)));
	assert_memory_equal(rig_in + 4,
		((const uint8_t[]){ 0x28, 0x18, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0x04 }), 10);
}

static void a_command_that_is_not_there_is_not_supported(void **state)
{
	(void)state;
	assert_int_equal(RUN(rig, 0, NULL, 64, RSOC(1, 0xff, 0)).in_len, 4);
	assert_int_equal(rig_in[1], 1);
	assert_good(RUN(rig, 0, NULL, 64, RSOC(2, 0x9e, 0x1f)));
	assert_int_equal(rig_in[1], 1);
	assert_good(RUN(rig, 0, NULL, 64, RSOC(3, 0x28, 5)));
	assert_int_equal(rig_in[1], 1);
}

static void other_options_are_refused(void **state)
{
	(void)state;
	assert_bad_cdb(RUN(rig, 0, NULL, 64, RSOC(4, 0x28, 0)), 2);
}

static void a_thick_disk_does_not_know_unmap(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .thick = true });

	(void)state;
	assert_check(RUN(r, 0, NULL, 0, 0x42, 0, 0, 0, 0, 0, 0, BE2(0), 0), SENSE_ILLEGAL_REQUEST,
		0x2000);
	assert_good(RUN(r, 0, NULL, 64, RSOC(1, 0x42, 0)));
	assert_int_equal(rig_in[1], 1);
	rig_free(r);
}

static void task_management_functions_are_told(void **state)
{
	(void)state;
	assert_int_equal(RUN(rig, 0, NULL, 16, 0xa3, 0x0d, 0, 0, 0, 0, BE4(16), 0, 0).in_len, 4);
	assert_int_equal(rig_in[0], 0xda);
	assert_int_equal(
		RUN(rig, 0, NULL, 16, 0xa3, 0x0d, 0x80, 0, 0, 0, BE4(16), 0, 0).in_len, 16);
	assert_int_equal(rig_in[3], 12);
}

static void an_unknown_service_action_is_a_bad_field(void **state)
{
	(void)state;
	assert_bad_cdb(RUN(rig, 0, NULL, 0, 0x9e, 0x1f, BE8(0), BE4(0), 0, 0), 1);
}

static void a_command_that_wants_aca_is_refused(void **state)
{
	(void)state;
	assert_bad_cdb(RUN(rig, 0, NULL, 0, 0x00, 0, 0, 0, 0, 0x04), 5);
	assert_bad_cdb(RUN(rig, 0, NULL, 512, 0x28, 0, BE4(0), 0, BE2(1), 0x04), 9);
	assert_bad_cdb(RUN(rig, 0, NULL, 512, 0x88, 0, BE8(0), BE4(1), 0, 0x04), 15);
	assert_bad_cdb(RUN(rig, 0, NULL, 512, 0xa8, 0, BE4(0), BE4(1), 0, 0x04), 11);
}

#define LOG_SENSE(page, subpage) 0x4d, 0, 0x40 | (page), subpage, 0, 0, 0, BE2(512), 0

static void every_log_page_that_is_listed_is_there(void **state)
{
	uint8_t list[8];
	uint32_t n;

	(void)state;
	assert_good(RUN(rig, 0, NULL, 512, LOG_SENSE(0, 0)));
	n = be16(rig_in + 2);
	assert_in_range(n, 1, 8);
	memcpy(list, rig_in + 4, n);
	for (uint32_t i = 0; i < n; i++) {
		struct result res = RUN(rig, 0, NULL, 512, LOG_SENSE(list[i], 0));

		assert_good(res);
		assert_int_equal(rig_in[0], list[i]);
		assert_int_equal(be16(rig_in + 2) + 4, res.in_len);
	}
	assert_good(RUN(rig, 0, NULL, 512, LOG_SENSE(0, 0xff)));
	assert_memory_equal(rig_in, ((const uint8_t[]){ 0x40, 0xff }), 2);
	assert_bad_cdb(RUN(rig, 0, NULL, 512, LOG_SENSE(0x3f, 0)), 2);
	assert_bad_cdb(RUN(rig, 0, NULL, 512, LOG_SENSE(0, 1)), 3);
}

static void self_tests_pass_and_pages_are_not_sent(void **state)
{
	(void)state;
	assert_good(RUN(rig, 0, NULL, 0, 0x1d, 0x04, 0, BE2(0), 0));
	assert_good(RUN(rig, 0, NULL, 0, 0x1d, 0x20, 0, BE2(0), 0));
	assert_bad_cdb(RUN(rig, 0, NULL, 0, 0x1d, 0x24, 0, BE2(0), 0), 1);
	assert_bad_cdb(RUN(rig, 0, NULL, 0, 0x1d, 0x10, 0, BE2(8), 0), 3);
	assert_int_equal(RUN(rig, 0, NULL, 64, 0x1c, 1, 0, BE2(64), 0).in_len, 5);
	assert_bad_cdb(RUN(rig, 0, NULL, 64, 0x1c, 1, 0x40, BE2(64), 0), 2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(commands_that_are_listed_are_described),
		T(commands_are_known_if_they_are_listed),
		T(timeouts_are_there_when_asked_for),
		T(usage_bits_of_read10_have_dpo_and_fua),
		T(a_command_that_is_not_there_is_not_supported),
		T(other_options_are_refused),
		cmocka_unit_test(a_thick_disk_does_not_know_unmap),
		T(task_management_functions_are_told),
		T(an_unknown_service_action_is_a_bad_field),
		T(a_command_that_wants_aca_is_refused),
		T(every_log_page_that_is_listed_is_there),
		T(self_tests_pass_and_pages_are_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
