/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A media changer's commands, clause by clause of SMC-3.
 */
#include "smc_support.h"

/* --- who it is --------------------------------------------------------------------- */

#define INQUIRY(evpd, page) 0x12, evpd, page, BE2(255), 0

static void inquiry_tells_the_personality(void **state)
{
	struct smc *m = *state;

	assert_good(RUN(m, 0, NULL, 255, INQUIRY(0, 0)));
	assert_int_equal(smc_in[0], 0x08); /* media changer */
	assert_int_equal(smc_in[1], 0x80); /* removable */
	assert_memory_equal(smc_in + 8, "STK     L700            0104", 28);
	assert_int_equal(smc_in[55], 0x01);              /* reads bar codes */
	assert_int_equal(be16(smc_in + 58 + 6), 0x0480); /* SMC-3 */
	m->shop->cfg.model = CHANGER_AWS_GATEWAY_VTL;
	smc_restart(m);
	assert_good(RUN(m, 0, NULL, 255, INQUIRY(0, 0)));
	assert_memory_equal(smc_in + 8, "AWS     Gateway-VTL     ", 24);
	m->shop->cfg.model = CHANGER_IBM_03584L32;
	smc_restart(m);
	assert_good(RUN(m, 0, NULL, 255, INQUIRY(0, 0)));
	assert_memory_equal(smc_in + 8, "IBM     03584L32        0402", 28);
}

static void inquiry_has_the_serial_number(void **state)
{
	struct smc *m = *state;

	assert_good(RUN(m, 0, NULL, 255, INQUIRY(1, 0x80)));
	assert_memory_equal(smc_in, ((uint8_t[]){ 0x08, 0x80, 0, 7 }), 4);
	assert_memory_equal(smc_in + 4, "LIB0001", 7);
	assert_good(RUN(m, 0, NULL, 255, INQUIRY(1, 0x83)));
	assert_int_equal(smc_in[4], 0x01); /* binary */
	assert_int_equal(smc_in[5], 0x03); /* NAA */
	assert_int_equal(smc_in[7], 16);
	assert_good(RUN(m, 0, NULL, 255, INQUIRY(1, 0x00)));
	assert_memory_equal(
		smc_in, ((uint8_t[]){ 0x08, 0, 0, 6, 0, 0x80, 0x83, 0x86, 0x87, 0x88 }), 10);
}

static void names_given_go_before_the_personalitys(void **state)
{
	struct smc *m = *state;
	struct changer_cfg cfg = smc_cfg;

	smc_close(m);
	cfg.vendor = "ACME";
	cfg.product = "Robot";
	cfg.revision = "7";
	smc_open(m, cfg);
	assert_good(RUN(m, 0, NULL, 255, INQUIRY(0, 0)));
	assert_memory_equal(smc_in + 8, "ACME    Robot           7   ", 28);
	assert_string_equal(lu_kind(m->lu), "changer");
}

static void texts_that_do_not_fit_are_refused(void **state)
{
	struct smc *m = *state;
	struct changer_cfg cfg = smc_cfg;
	struct lu *lu;

	cfg.library = m->shop->l;
	cfg.vendor = "far too long";
	assert_int_equal(changer_create(&cfg, &lu), -EINVAL);
}

static void report_luns_and_supported_codes_know_the_changer(void **state)
{
	struct smc *m = *state;
	struct result res;
	bool move = false, write = false;

	assert_good(RUN(m, 0, NULL, 16, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0));
	assert_int_equal(be32(smc_in), 8);
	res = RUN(m, 0, NULL, 4096, 0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0);
	assert_good(res);
	for (uint32_t at = 4; at + 8 <= res.in_len; at += 8) {
		move = move || smc_in[at] == 0xa5;
		write = write || smc_in[at] == 0x2a;
	}
	assert_true(move);
	assert_false(write);
}

/* --- mode pages -------------------------------------------------------------------- */

#define MODE_SENSE(page) 0x1a, 0x08, page, 0, 255, 0

static void mode_page_1d_tells_where_elements_are(void **state)
{
	struct smc *m = *state;
	static const uint8_t want[] = { 0x1d, 0x12, BE2(0), BE2(1), BE2(1000), BE2(SHOP_SLOTS),
		BE2(10), BE2(SHOP_MAIL), BE2(500), BE2(SHOP_DRIVES), 0, 0 };

	assert_int_equal(RUN(m, 0, NULL, 255, MODE_SENSE(0x1d)).in_len, 24);
	assert_memory_equal(smc_in, ((uint8_t[]){ 23, 0, 0, 0 }), 4);
	assert_memory_equal(smc_in + 4, want, sizeof(want));
	/* No block descriptor, whatever DBD says. */
	assert_int_equal(RUN(m, 0, NULL, 255, 0x1a, 0, 0x1d, 0, 255, 0).in_len, 24);
	assert_memory_equal(smc_in + 4, want, sizeof(want));
	/* Likewise in the long form. */
	assert_int_equal(RUN(m, 0, NULL, 255, 0x5a, 0, 0x1d, 0, 0, 0, 0, 0, 255, 0).in_len, 28);
	assert_memory_equal(smc_in + 8, want, sizeof(want));
}

static void mode_page_1d_follows_the_personality(void **state)
{
	struct smc *m = *state;
	static const uint8_t want[] = { 0x1d, 0x12, BE2(1), BE2(1), BE2(1025), BE2(1600),
		BE2(33100), BE2(1600), BE2(257), BE2(SHOP_DRIVES), 0, 0 };

	m->shop->cfg.model = CHANGER_IBM_03584L32;
	m->shop->cfg.slots = m->shop->cfg.mail_slots = 1600;
	smc_restart(m);
	RUN(m, 0, NULL, 0, TUR);
	assert_good(RUN(m, 0, NULL, 255, MODE_SENSE(0x1d)));
	assert_memory_equal(smc_in + 4, want, sizeof(want));
}

static void mode_pages_1e_1f_tell_what_the_robot_can(void **state)
{
	struct smc *m = *state;

	assert_good(RUN(m, 0, NULL, 255, MODE_SENSE(0x1e)));
	assert_memory_equal(smc_in + 4, ((uint8_t[]){ 0x1e, 2, 0, 0 }), 4);
	assert_good(RUN(m, 0, NULL, 255, MODE_SENSE(0x1f)));
	assert_memory_equal(smc_in + 4,
		((uint8_t[]){ 0x1f, 0x12, 0x0e, 0, 0, 0x0e, 0x0e, 0x0e, 0, 0, 0, 0, 0, 0x0e, 0x0e,
			0x0e, 0, 0, 0, 0 }),
		20);
	assert_int_equal(
		RUN(m, 0, NULL, 255, MODE_SENSE(0x3f)).in_len, 4 + 16 + 12 + 12 + 20 + 4 + 20);
	assert_bad_cdb(RUN(m, 0, NULL, 255, MODE_SENSE(0x08)), 2);
}

/* --- MOVE MEDIUM, EXCHANGE MEDIUM -------------------------------------------------- */

static void move_medium_loads_a_drive(void **state)
{
	struct smc *m = *state;

	shop_add(m->shop, "AAA001L5", SLOT(0));
	RUN(m, 0, NULL, 0, TUR);
	assert_good(RUN(m, 0, NULL, 0, MOVE(SLOT(0), DRIVE(0))));
	assert_true(vtl_loaded(m->shop->drives[0]));
	assert_at(m->shop, DRIVE(0), "AAA001L5");
	assert_good(RUN(m, 0, NULL, 0, MOVE(DRIVE(0), SLOT(2))));
	assert_at(m->shop, SLOT(2), "AAA001L5");
}

static void move_medium_says_why_it_did_not(void **state)
{
	struct smc *m = *state;

	shop_add(m->shop, "AAA001L5", SLOT(0));
	shop_add(m->shop, "AAA002L5", SLOT(1));
	RUN(m, 0, NULL, 0, TUR);
	assert_check(RUN(m, 0, NULL, 0, MOVE(SLOT(0), SLOT(1))), SENSE_ILLEGAL_REQUEST, 0x3b0d);
	assert_check(RUN(m, 0, NULL, 0, MOVE(SLOT(2), SLOT(3))), SENSE_ILLEGAL_REQUEST, 0x3b0e);
	assert_check(RUN(m, 0, NULL, 0, MOVE(SLOT(0), 999)), SENSE_ILLEGAL_REQUEST, 0x2101);
	assert_check(RUN(m, 0, NULL, 0, MOVE(499, SLOT(3))), SENSE_ILLEGAL_REQUEST, 0x2101);
	/* The robot is no place to stay at; there is no second one; media have one side. */
	assert_check(RUN(m, 0, NULL, 0, MOVE(SLOT(0), 0)), SENSE_ILLEGAL_REQUEST, 0x2101);
	assert_check(RUN(m, 0, NULL, 0, 0xa5, 0, 0, 1, BE2(SLOT(0)), BE2(SLOT(3)), 0, 0, 0, 0),
		SENSE_ILLEGAL_REQUEST, 0x2101);
	assert_bad_cdb(
		RUN(m, 0, NULL, 0, 0xa5, 0, 0, 0, BE2(SLOT(0)), BE2(SLOT(3)), 0, 0, 1, 0), 10);
	assert_at(m->shop, SLOT(0), "AAA001L5");
}

static void move_medium_respects_the_drives_prevention(void **state)
{
	struct smc *m = *state;
	struct drive_listener ls = host_that_holds;

	shop_add(m->shop, "AAA001L5", SLOT(0));
	RUN(m, 0, NULL, 0, TUR);
	assert_good(RUN(m, 0, NULL, 0, MOVE(SLOT(0), DRIVE(0))));
	drive_listen(m->shop->drives[0], &ls);
	assert_check(RUN(m, 0, NULL, 0, MOVE(DRIVE(0), SLOT(0))), SENSE_ILLEGAL_REQUEST, 0x5302);
	drive_unlisten(m->shop->drives[0], &ls);
	assert_good(RUN(m, 0, NULL, 0, MOVE(DRIVE(0), SLOT(0))));
}

static void exchange_medium_swaps(void **state)
{
	struct smc *m = *state;

	shop_add(m->shop, "AAA001L5", SLOT(0));
	shop_add(m->shop, "AAA002L5", SLOT(1));
	RUN(m, 0, NULL, 0, TUR);
	assert_good(RUN(m, 0, NULL, 0, MOVE(SLOT(0), DRIVE(0))));
	assert_good(RUN(m, 0, NULL, 0, EXCHANGE(SLOT(1), DRIVE(0), SLOT(0))));
	assert_at(m->shop, DRIVE(0), "AAA002L5");
	assert_at(m->shop, SLOT(0), "AAA001L5");
	assert_check(RUN(m, 0, NULL, 0, EXCHANGE(SLOT(1), DRIVE(0), SLOT(2))),
		SENSE_ILLEGAL_REQUEST, 0x3b0e);
	assert_bad_cdb(
		RUN(m, 0, NULL, 0, 0xa6, 0, 0, 0, BE2(SLOT(0)), BE2(DRIVE(0)), BE2(SLOT(1)), 2, 0),
		10);
}

static void aborted_move_is_carried_out_all_the_same(void **state)
{
	struct smc *m = *state;
	const uint8_t cdb[] = { MOVE(SLOT(0), SLOT(1)) };
	struct scsi_task t;

	shop_add(m->shop, "AAA001L5", SLOT(0));
	RUN(m, 0, NULL, 0, TUR);
	smc_task(&t, &m->host[0], cdb, sizeof(cdb), NULL, 0);
	assert_int_equal(scsi_task_start(&t), SCSI_PENDING);
	assert_false(scsi_task_abort(&t));
	while (t.done)
		loop_step(m->shop->rig.loop);
	scsi_task_release(&t);
	assert_at(m->shop, SLOT(1), "AAA001L5");
}

static void robot_positions_itself_and_takes_stock(void **state)
{
	struct smc *m = *state;

	assert_good(RUN(m, 0, NULL, 0, 0x2b, 0, 0, 0, BE2(SLOT(0)), 0, 0, 0, 0));
	assert_check(RUN(m, 0, NULL, 0, 0x2b, 0, 0, 0, BE2(2000), 0, 0, 0, 0),
		SENSE_ILLEGAL_REQUEST, 0x2101);
	assert_bad_cdb(RUN(m, 0, NULL, 0, 0x2b, 0, 0, 0, BE2(SLOT(0)), 0, 0, 1, 0), 8);
	assert_good(RUN(m, 0, NULL, 0, 0x07, 0, 0, 0, 0, 0));
	assert_good(RUN(m, 0, NULL, 0, 0x37, 1, BE2(SLOT(0)), 0, 0, BE2(3), 0, 0));
	assert_check(RUN(m, 0, NULL, 0, 0x37, 1, BE2(9), 0, 0, BE2(3), 0, 0), SENSE_ILLEGAL_REQUEST,
		0x2101);
	assert_good(RUN(m, 0, NULL, 0, 0x37, 0, BE2(9), 0, 0, BE2(3), 0, 0));
	assert_good(RUN(m, 0, NULL, 0, 0xe7, 1, BE2(SLOT(0)), 0, 0, BE2(3), 0, 0));
	assert_check(RUN(m, 0, NULL, 0, 0xe7, 1, BE2(9), 0, 0, BE2(3), 0, 0), SENSE_ILLEGAL_REQUEST,
		0x2101);
	/* Asked about the code, it gives all ten bytes of its usage. */
	assert_good(RUN(m, 0, NULL, 64, 0xa3, 0x0c, 1, 0xe7, 0, 0, 0, 0, 0, 64, 0, 0));
	assert_int_equal(be16(smc_in + 2), 10);
}

/* --- who is told, and who is kept out ---------------------------------------------- */

static void operators_are_told_to_every_host(void **state)
{
	struct smc *m = *state;

	shop_add(m->shop, "AAA001L5", SLOT(0));
	assert_check(RUN(m, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	assert_check(RUN(m, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	shop_add(m->shop, "AAA002L5", MAIL(0));
	assert_check(RUN(m, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2801);
	assert_check(RUN(m, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2801);
	assert_good(RUN(m, 0, NULL, 0, MOVE(MAIL(0), SLOT(1))));
	assert_good(RUN(m, 0, NULL, 0, TUR));
	assert_good(RUN(m, 1, NULL, 0, TUR));
}

static void prevention_keeps_operators_from_mail_slots(void **state)
{
	struct smc *m = *state;
	struct library_status st;

	assert_good(RUN(m, 0, NULL, 0, 0x1e, 0, 0, 0, 1, 0));
	library_status(m->shop->l, &st);
	assert_true(st.locked);
	assert_int_equal(shop_add(m->shop, "AAA001L5", MAIL(0)), LIBRARY_LOCKED);
	assert_good(RUN(m, 1, NULL, 0, 0x1e, 0, 0, 0, 0, 0)); /* another's does not count */
	assert_int_equal(shop_add(m->shop, "AAA001L5", MAIL(0)), LIBRARY_LOCKED);
	assert_good(RUN(m, 0, NULL, 0, 0x1e, 0, 0, 0, 0, 0));
	assert_int_equal(shop_add(m->shop, "AAA001L5", MAIL(0)), LIBRARY_OK);
}

static void reserved_changer_moves_nothing_for_others(void **state)
{
	struct smc *m = *state;

	shop_add(m->shop, "AAA001L5", SLOT(0));
	RUN(m, 0, NULL, 0, TUR);
	RUN(m, 1, NULL, 0, TUR);
	assert_good(RUN(m, 0, NULL, 0, 0x16, 0, 0, 0, 0, 0));
	assert_int_equal(
		RUN(m, 1, NULL, 0, MOVE(SLOT(0), SLOT(1))).status, SCSI_RESERVATION_CONFLICT);
	assert_int_equal(
		RUN(m, 1, NULL, 64, STATUS(0, 0, 1, 0, 64)).status, SCSI_RESERVATION_CONFLICT);
	assert_good(RUN(m, 1, NULL, 64, STATUS(0, 0, 1, CURDATA, 64)));
	assert_good(RUN(m, 0, NULL, 0, MOVE(SLOT(0), SLOT(1))));
	assert_good(RUN(m, 0, NULL, 0, 0x17, 0, 0, 0, 0, 0));
	assert_good(RUN(m, 1, NULL, 0, MOVE(SLOT(1), SLOT(0))));
}

static void persistent_reservation_keeps_others_from_moving(void **state)
{
	struct smc *m = *state;
	const uint8_t registered[24] = { [15] = 1 }, holder[24] = { [7] = 1 };

	shop_add(m->shop, "AAA001L5", SLOT(0));
	RUN(m, 0, NULL, 0, TUR);
	RUN(m, 1, NULL, 0, TUR);
	assert_good(RUN(m, 0, registered, 24, 0x5f, 0, 0, 0, 0, 0, 0, 0, 24, 0));
	assert_good(RUN(m, 0, holder, 24, 0x5f, 1, 1, 0, 0, 0, 0, 0, 24, 0)); /* WRITE EXCLUSIVE */
	assert_int_equal(
		RUN(m, 1, NULL, 0, MOVE(SLOT(0), SLOT(1))).status, SCSI_RESERVATION_CONFLICT);
	assert_good(RUN(m, 1, NULL, 64, STATUS(0, 0, 1, 0, 64)));
	assert_good(RUN(m, 0, NULL, 0, MOVE(SLOT(0), SLOT(1))));
}

static void library_that_is_not_loaded_is_becoming_ready(void **state)
{
	struct smc *m = *state;
	struct library *loaded = m->shop->l;

	smc_close(m);
	assert_int_equal(library_create(&m->shop->cfg, &m->shop->l), 0);
	smc_open(m, smc_cfg);
	assert_check(RUN(m, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2900);
	assert_check(RUN(m, 0, NULL, 0, TUR), SENSE_NOT_READY, 0x0401);
	assert_check(RUN(m, 0, NULL, 0, MOVE(SLOT(0), SLOT(1))), SENSE_NOT_READY, 0x0401);
	/* All of it would look empty. */
	assert_check(RUN(m, 0, NULL, 64, STATUS(0, 0, 1, 0, 64)), SENSE_NOT_READY, 0x0401);
	assert_good(RUN(m, 0, NULL, 255, MODE_SENSE(0x1d)));
	library_load(m->shop->l, shop_loaded, m->shop);
	shop_wait(m->shop);
	assert_check(RUN(m, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	assert_good(RUN(m, 0, NULL, 64, STATUS(0, 0, 1, 0, 64)));
	smc_close(m);
	library_close(m->shop->l, shop_closed, m->shop);
	shop_wait(m->shop);
	m->shop->l = loaded;
	smc_open(m, smc_cfg);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, smc_begin, smc_end)
	const struct CMUnitTest tests[] = {
		T(inquiry_tells_the_personality),
		T(inquiry_has_the_serial_number),
		T(names_given_go_before_the_personalitys),
		T(texts_that_do_not_fit_are_refused),
		T(report_luns_and_supported_codes_know_the_changer),
		T(mode_page_1d_tells_where_elements_are),
		T(mode_page_1d_follows_the_personality),
		T(mode_pages_1e_1f_tell_what_the_robot_can),
		T(move_medium_loads_a_drive),
		T(move_medium_says_why_it_did_not),
		T(move_medium_respects_the_drives_prevention),
		T(exchange_medium_swaps),
		T(aborted_move_is_carried_out_all_the_same),
		T(robot_positions_itself_and_takes_stock),
		T(operators_are_told_to_every_host),
		T(prevention_keeps_operators_from_mail_slots),
		T(reserved_changer_moves_nothing_for_others),
		T(persistent_reservation_keeps_others_from_moving),
		T(library_that_is_not_loaded_is_becoming_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
