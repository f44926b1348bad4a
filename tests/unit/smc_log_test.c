/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LOG SENSE and LOG SELECT of a media changer, and when which TapeAlert flag is up.
 */
#include <sys/stat.h>

#include "scsi/alert.h"
#include "scsi/smc.h"
#include "smc_support.h"

#define LOG_SENSE(page, pointer, alloc) 0x4d, 0, 0x40 | (page), 0, 0, BE2(pointer), BE2(alloc), 0
#define LOG_RESET(page)                 0x4c, 0x02, 0x40 | (page), 0, 0, 0, 0, 0, 0, 0

/* The TapeAlert flags that a host is told of, as bits: flag 1 is bit 1. */
static uint64_t flags(struct smc *m, unsigned host)
{
	uint64_t bits = 0;

	assert_good(RUN(m, host, NULL, 512, LOG_SENSE(0x2e, 0, 512)));
	assert_int_equal(be16(smc_in + 2), 64 * 5);
	for (unsigned i = 0; i < 64; i++) {
		const uint8_t *p = smc_in + 4 + 5 * i;

		assert_int_equal(be16(p), i + 1);
		if (p[4])
			bits |= UINT64_C(1) << (i + 1);
	}
	return bits;
}

#define FLAG(n) (UINT64_C(1) << (n))

/* --- pages ------------------------------------------------------------------------- */

static void the_pages_are_listed_with_their_subpages(void **state)
{
	struct smc *m = *state;

	assert_good(RUN(m, 0, NULL, 512, LOG_SENSE(0, 0, 512)));
	assert_memory_equal(smc_in, ((uint8_t[]){ 0, 0, 0, 2, 0x00, 0x2e }), 6);
	assert_good(RUN(m, 0, NULL, 512, 0x4d, 0, 0x40, 0xff, 0, 0, 0, 2, 0, 0));
	assert_memory_equal(smc_in,
		((uint8_t[]){ 0x40, 0xff, 0, 6, 0x00, 0, 0x00, 0xff, 0x2e, 0 }), 10);
	assert_bad_cdb(RUN(m, 0, NULL, 512, LOG_SENSE(0x02, 0, 512)), 2);
}

/* SPC-5 6.8: nothing is saved (SP), and nobody keeps what has changed (PPC). */
static void log_sense_refuses_sp_and_ppc(void **state)
{
	struct smc *m = *state;

	assert_bad_cdb(RUN(m, 0, NULL, 512, 0x4d, 0x01, 0x6e, 0, 0, 0, 0, 2, 0, 0), 1);
	assert_bad_cdb(RUN(m, 0, NULL, 512, 0x4d, 0x02, 0x6e, 0, 0, 0, 0, 2, 0, 0), 1);
}

/* SPC-5 6.8: INVALID FIELD IN CDB for a PARAMETER POINTER beyond the last one. */
static void the_parameter_pointer_may_go_to_the_last_flag(void **state)
{
	struct smc *m = *state;

	assert_int_equal(RUN(m, 0, NULL, 512, LOG_SENSE(0x2e, 64, 512)).in_len, 4 + 5);
	assert_memory_equal(smc_in, ((uint8_t[]){ 0x2e, 0, 0, 5, 0, 64, 3, 1, 0 }), 9);
	assert_bad_cdb(RUN(m, 0, NULL, 512, LOG_SENSE(0x2e, 65, 512)), 5);
}

/* --- flags ------------------------------------------------------------------------- */

static void of_a_library_in_order_no_flag_is_up(void **state)
{
	struct smc *m = *state;

	assert_int_equal(shop_add(m->shop, "TAPE01L5", SLOT(0)), LIBRARY_OK);
	RUN(m, 0, NULL, 0, TUR); /* that the inventory has changed */
	assert_good(RUN(m, 0, NULL, 0, MOVE(SLOT(0), DRIVE(0))));
	assert_int_equal(flags(m, 0), 0);
}

static void nothing(struct drive_listener *ls, enum drive_event event)
{
	(void)ls;
	(void)event;
}

static bool always(struct drive_listener *ls)
{
	(void)ls;
	return true;
}

/* SMC-3 annex A, flag 25: what is not allowed at this time, until something is moved again. */
static void a_move_that_a_drive_prevents_is_an_illegal_operation(void **state)
{
	struct smc *m = *state;
	struct drive_listener ls = { .changed = nothing, .prevents = always };

	assert_int_equal(shop_add(m->shop, "TAPE01L5", SLOT(0)), LIBRARY_OK);
	for (unsigned i = 0; i < SMC_HOSTS; i++)
		RUN(m, i, NULL, 0, TUR);
	assert_good(RUN(m, 0, NULL, 0, MOVE(SLOT(0), DRIVE(0))));
	drive_listen(m->shop->drives[0], &ls);
	assert_check(RUN(m, 0, NULL, 0, MOVE(DRIVE(0), SLOT(0))), SENSE_ILLEGAL_REQUEST, 0x5302);
	drive_unlisten(m->shop->drives[0], &ls);
	assert_int_equal(flags(m, 0), FLAG(25));
	assert_int_equal(flags(m, 0), 0); /* told once… */
	assert_int_equal(flags(m, 1), FLAG(25)); /* …to each */
	assert_good(RUN(m, 0, NULL, 0, MOVE(DRIVE(0), SLOT(0))));
	assert_int_equal(alert_flags(m->lu), 0);
}

/* Nothing is wrong with a library whose host asks for what is not there. */
static void a_move_from_an_empty_slot_raises_nothing(void **state)
{
	struct smc *m = *state;

	assert_check(RUN(m, 0, NULL, 0, MOVE(SLOT(0), DRIVE(0))), SENSE_ILLEGAL_REQUEST, 0x3b0e);
	assert_check(RUN(m, 0, NULL, 0, MOVE(9, DRIVE(0))), SENSE_ILLEGAL_REQUEST, 0x2101);
	assert_int_equal(flags(m, 0), 0);
}

/* Flag 1 goes when a drive has worked, flag 2 with any move. */
static void failures_of_drives_and_of_the_rest_are_told_apart(void **state)
{
	struct smc *m = *state;

	smc_moved(m->lu, LIBRARY_DRIVE_FAILED, true);
	smc_moved(m->lu, LIBRARY_FAILED, false);
	assert_int_equal(flags(m, 0), FLAG(1) | FLAG(2));
	smc_moved(m->lu, LIBRARY_OK, false);
	assert_int_equal(flags(m, 1), FLAG(1));
	smc_moved(m->lu, LIBRARY_OK, true);
	smc_moved(m->lu, LIBRARY_NO_SPACE, false);
	assert_int_equal(flags(m, 0), FLAG(2));
}

/* The directory of a cartridge gets another name, or its own again. */
static void misplace(struct smc *m, const char *barcode, bool gone)
{
	char here[96], there[96];

	snprintf(here, sizeof(here), "%s/%s", m->shop->path, barcode);
	snprintf(there, sizeof(there), "%s/.%s", m->shop->rig.folder, barcode);
	assert_int_equal(gone ? rename(here, there) : rename(there, here), 0);
}

/* SMC-3 annex A, flag 24: the inventory is not what it should be. */
static void a_cartridge_without_files_is_an_inventory_that_is_wrong(void **state)
{
	struct smc *m = *state;

	assert_int_equal(shop_add(m->shop, "TAPE01L5", SLOT(0)), LIBRARY_OK);
	assert_int_equal(shop_add(m->shop, "TAPE02L5", SLOT(1)), LIBRARY_OK);
	misplace(m, "TAPE01L5", true);
	smc_restart(m);
	RUN(m, 0, NULL, 0, TUR);
	assert_int_equal(flags(m, 0), FLAG(24));
	assert_int_equal(flags(m, 0), 0);
	misplace(m, "TAPE02L5", true); /* one more, which a move brings to light */
	assert_good(RUN(m, 0, NULL, 0, MOVE(SLOT(1), DRIVE(0))));
	assert_int_equal(flags(m, 0), FLAG(24));
	assert_good(RUN(m, 0, NULL, 0, MOVE(DRIVE(0), SLOT(1))));
	misplace(m, "TAPE01L5", false);
	misplace(m, "TAPE02L5", false);
	assert_good(RUN(m, 0, NULL, 0, MOVE(SLOT(0), DRIVE(0)))); /* the one is found by this, */
	assert_good(RUN(m, 0, NULL, 0, 0x07, 0, 0, 0, 0, 0));     /* the other one by that */
	RUN(m, 1, NULL, 0, TUR);
	assert_int_equal(flags(m, 1), 0);
}

static void a_cartridge_that_is_missed_stays_so_when_its_row_changes(void **state)
{
	struct smc *m = *state;

	assert_int_equal(shop_add(m->shop, "TAPE01L5", SLOT(0)), LIBRARY_OK);
	misplace(m, "TAPE01L5", true);
	smc_restart(m);
	assert_int_equal(shop_ask(m->shop, (struct library_request){ .op = LIBRARY_PROTECT,
		.barcode = "TAPE01L5", .write_protect = true }).result, LIBRARY_OK);
	RUN(m, 0, NULL, 0, TUR);
	assert_int_equal(flags(m, 0), FLAG(24));
}

/* --- LOG SELECT (SPC-5 6.7) -------------------------------------------------------- */

static void log_select_takes_flags_down_and_tells_others(void **state)
{
	struct smc *m = *state;

	smc_moved(m->lu, LIBRARY_FAILED, false);
	assert_good(RUN(m, 0, NULL, 0, LOG_RESET(0x2e)));
	assert_int_equal(flags(m, 0), 0);
	assert_check(RUN(m, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a02);
	assert_int_equal(flags(m, 1), 0);
	smc_moved(m->lu, LIBRARY_FAILED, false);
	assert_good(RUN(m, 0, NULL, 0, LOG_RESET(0x00)));
	assert_int_equal(alert_flags(m->lu), 0);
}

static void log_select_without_a_reset_changes_nothing(void **state)
{
	struct smc *m = *state;

	smc_moved(m->lu, LIBRARY_FAILED, false);
	assert_good(RUN(m, 0, NULL, 0, 0x4c, 0, 0x6e, 0, 0, 0, 0, 0, 0, 0));
	assert_good(RUN(m, 1, NULL, 0, TUR));
	assert_int_equal(flags(m, 0), FLAG(2));
}

static void log_select_refuses_lists_saving_and_what_there_is_not(void **state)
{
	struct smc *m = *state;
	const uint8_t list[9] = { 0x2e, 0, 0, 5, 0, 1, 3, 1, 0 };

	assert_bad_cdb(RUN(m, 0, list, 9, 0x4c, 0, 0x40, 0, 0, 0, 0, 0, 9, 0), 7);
	assert_bad_cdb(RUN(m, 0, list, 9, 0x4c, 0x02, 0x40, 0, 0, 0, 0, 0, 9, 0), 7);
	assert_bad_cdb(RUN(m, 0, NULL, 0, 0x4c, 0x01, 0x6e, 0, 0, 0, 0, 0, 0, 0), 1);
	assert_bad_cdb(RUN(m, 0, NULL, 0, LOG_RESET(0x02)), 2);
	assert_bad_cdb(RUN(m, 0, NULL, 0, 0x4c, 0x02, 0x6e, 1, 0, 0, 0, 0, 0, 0), 3);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, smc_begin, smc_end)
	const struct CMUnitTest tests[] = {
		T(the_pages_are_listed_with_their_subpages),
		T(log_sense_refuses_sp_and_ppc),
		T(the_parameter_pointer_may_go_to_the_last_flag),
		T(of_a_library_in_order_no_flag_is_up),
		T(a_move_that_a_drive_prevents_is_an_illegal_operation),
		T(a_move_from_an_empty_slot_raises_nothing),
		T(failures_of_drives_and_of_the_rest_are_told_apart),
		T(a_cartridge_without_files_is_an_inventory_that_is_wrong),
		T(a_cartridge_that_is_missed_stays_so_when_its_row_changes),
		T(log_select_takes_flags_down_and_tells_others),
		T(log_select_without_a_reset_changes_nothing),
		T(log_select_refuses_lists_saving_and_what_there_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
