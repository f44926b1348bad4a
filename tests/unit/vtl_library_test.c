/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tape library: cartridges come, move and go. Its archive and restarts are vtl_library_archive_test.c's.
 */
#include "library_support.h"

/* --- moving ------------------------------------------------------------------------ */

static void cartridge_moves_from_slot_to_slot(void **state)
{
	struct shop *s = *state;

	assert_int_equal(shop_add(s, "AAA001L5", SLOT(0)), LIBRARY_OK);
	assert_int_equal(shop_move(s, SLOT(0), SLOT(3)), LIBRARY_OK);
	assert_at(s, SLOT(0), "");
	assert_at(s, SLOT(3), "AAA001L5");
	assert_true(shop_element(s, SLOT(3)).sourced);
	assert_int_equal(shop_element(s, SLOT(3)).source, SLOT(0));
}

static void drive_loads_what_is_moved_to_it(void **state)
{
	struct shop *s = *state;

	shop_add(s, "AAA001L5", SLOT(0));
	assert_int_equal(shop_move(s, SLOT(0), DRIVE(1)), LIBRARY_OK);
	assert_true(vtl_loaded(s->drives[1]));
	assert_false(drive_full(s->drives[0]));
	assert_int_equal(shop_element(s, DRIVE(1)).source, SLOT(0));
	assert_int_equal(shop_move(s, DRIVE(1), DRIVE(0)), LIBRARY_OK);
	assert_true(vtl_loaded(s->drives[0]));
	assert_false(drive_full(s->drives[1]));
	assert_int_equal(shop_element(s, DRIVE(0)).source, SLOT(0));
	assert_int_equal(shop_move(s, DRIVE(0), SLOT(5)), LIBRARY_OK);
	assert_false(drive_full(s->drives[0]));
	assert_at(s, SLOT(5), "AAA001L5");
}

static void wrong_moves_are_refused_and_change_nothing(void **state)
{
	struct shop *s = *state;

	shop_add(s, "AAA001L5", SLOT(0));
	shop_add(s, "AAA002L5", SLOT(1));
	assert_int_equal(shop_move(s, SLOT(2), SLOT(3)), LIBRARY_EMPTY);
	assert_int_equal(shop_move(s, SLOT(0), SLOT(1)), LIBRARY_FULL);
	assert_int_equal(shop_move(s, SLOT(0), SLOT(0)), LIBRARY_FULL);
	assert_int_equal(shop_move(s, SLOT(0), SLOT(SHOP_SLOTS)), LIBRARY_NO_ELEMENT);
	assert_int_equal(shop_move(s, DRIVE(SHOP_DRIVES), SLOT(2)), LIBRARY_NO_ELEMENT);
	assert_int_equal(shop_move(s, 0, SLOT(2)), LIBRARY_NO_ELEMENT);
	assert_int_equal(shop_move(s, SLOT(0), 0), LIBRARY_NO_ELEMENT);
	assert_at(s, SLOT(0), "AAA001L5");
	assert_at(s, SLOT(1), "AAA002L5");
}

static void operators_move_goes_for_one_cartridge_alone(void **state)
{
	struct shop *s = *state;
	struct library_request move = {
		.op = LIBRARY_MOVE, .barcode = "AAA001L5", .from = SLOT(0), .to = SLOT(3)
	};

	shop_add(s, "AAA001L5", SLOT(0));
	shop_add(s, "AAA002L5", SLOT(1));
	shop_move(s, SLOT(0), SLOT(2));
	assert_int_equal(shop_ask(s, move).result, LIBRARY_MOVED);
	shop_move(s, SLOT(1), SLOT(0));
	assert_int_equal(shop_ask(s, move).result, LIBRARY_MOVED);
	assert_at(s, SLOT(0), "AAA002L5");
	move.from = SLOT(2);
	assert_int_equal(shop_ask(s, move).result, LIBRARY_OK);
	assert_at(s, SLOT(3), "AAA001L5");
}

static enum library_result exchange(struct shop *s, uint16_t from, uint16_t to, uint16_t then)
{
	return shop_ask(s, (struct library_request){ .op = LIBRARY_EXCHANGE,
				   .host = true,
				   .from = from,
				   .to = to,
				   .then = then })
		.result;
}

static void exchange_swaps_two_cartridges(void **state)
{
	struct shop *s = *state;

	shop_add(s, "AAA001L5", SLOT(0));
	shop_add(s, "AAA002L5", SLOT(1));
	shop_move(s, SLOT(0), DRIVE(0));
	assert_int_equal(exchange(s, SLOT(1), DRIVE(0), SLOT(1)), LIBRARY_OK);
	assert_at(s, DRIVE(0), "AAA002L5");
	assert_at(s, SLOT(1), "AAA001L5");
	struct drive_medium m;
	drive_medium(s->drives[0], &m);
	assert_string_equal(m.barcode, "AAA002L5");
}

static void exchange_frees_a_drive_for_another_cartridge(void **state)
{
	struct shop *s = *state;

	shop_add(s, "AAA001L5", SLOT(0));
	shop_add(s, "AAA002L5", SLOT(1));
	shop_move(s, SLOT(0), DRIVE(0));
	assert_int_equal(exchange(s, SLOT(1), DRIVE(0), SLOT(4)), LIBRARY_OK);
	assert_at(s, SLOT(1), "");
	assert_at(s, SLOT(4), "AAA001L5");
	assert_int_equal(exchange(s, SLOT(4), SLOT(2), SLOT(3)), LIBRARY_EMPTY);
	assert_int_equal(exchange(s, SLOT(2), SLOT(4), SLOT(3)), LIBRARY_EMPTY);
	shop_add(s, "AAA003L5", SLOT(5));
	assert_int_equal(exchange(s, SLOT(4), DRIVE(0), SLOT(5)), LIBRARY_FULL);
}

static void drive_keeps_what_a_host_holds(void **state)
{
	struct shop *s = *state;
	struct drive_listener ls = host_that_holds;

	shop_add(s, "AAA001L5", SLOT(0));
	shop_add(s, "AAA002L5", SLOT(1));
	shop_move(s, SLOT(0), DRIVE(0));
	shop_move(s, SLOT(1), DRIVE(1));
	drive_listen(s->drives[0], &ls);
	assert_int_equal(shop_move(s, DRIVE(0), SLOT(0)), LIBRARY_PREVENTED);
	/* The first drive has unloaded by then, and loads again. */
	assert_int_equal(exchange(s, DRIVE(1), DRIVE(0), SLOT(2)), LIBRARY_PREVENTED);
	drive_unlisten(s->drives[0], &ls);
	assert_true(vtl_loaded(s->drives[0]));
	assert_true(vtl_loaded(s->drives[1]));
	assert_at(s, DRIVE(0), "AAA001L5");
	assert_at(s, DRIVE(1), "AAA002L5");
	assert_int_equal(shop_move(s, DRIVE(0), SLOT(0)), LIBRARY_OK);
}

static void cartridge_without_files_sits_in_its_drive(void **state)
{
	struct shop *s = *state;
	char command[128];

	shop_add(s, "AAA001L5", SLOT(0));
	snprintf(command, sizeof(command), "rm -rf %s/AAA001L5", s->path);
	assert_int_equal(system(command), 0);
	assert_int_equal(shop_move(s, SLOT(0), DRIVE(0)), LIBRARY_OK);
	assert_at(s, DRIVE(0), "AAA001L5");
	assert_true(drive_full(s->drives[0]));
	assert_false(vtl_loaded(s->drives[0]));
	assert_int_equal(shop_move(s, DRIVE(0), SLOT(0)), LIBRARY_OK);
}

static void host_is_not_told_of_its_own_moves(void **state)
{
	struct shop *s = *state;
	unsigned int before;

	shop_add(s, "AAA001L5", SLOT(0));
	assert_int_equal(s->inventory_changes, 1);
	before = s->inventory_changes;
	shop_move(s, SLOT(0), SLOT(1));
	assert_int_equal(s->inventory_changes, before);
	assert_int_equal(shop_ask(s,
				 (struct library_request){
					 .op = LIBRARY_MOVE, .from = SLOT(1), .to = SLOT(0) })
				 .result,
		LIBRARY_OK);
	assert_int_equal(s->inventory_changes, before + 1);
	assert_int_equal(s->mail_changes, 0);
}

static void registry_learns_of_what_a_host_exports(void **state)
{
	struct shop *s = *state;

	shop_add(s, "AAA001L5", SLOT(0));
	assert_int_equal(shop_move(s, SLOT(0), MAIL(1)), LIBRARY_OK);
	assert_string_equal(s->exported, "AAA001L5");
	s->exported[0] = '\0';
	assert_int_equal(shop_move(s, MAIL(1), MAIL(0)), LIBRARY_OK);
	assert_string_equal(s->exported, "");
}

/* --- coming and going -------------------------------------------------------------- */

static void barcode_says_what_a_new_cartridge_is(void **state)
{
	struct shop *s = *state;

	shop_add(s, "AAA001L4", SLOT(0));
	shop_add(s, "AAA002LV", SLOT(1));
	shop_add(s, "CLNU01L1", SLOT(2));
	shop_add(s, "PLAIN123", SLOT(3));
	assert_int_equal(shop_row(s, "AAA001L4").medium, 4);
	assert_false(shop_row(s, "AAA001L4").worm);
	assert_int_equal(shop_row(s, "AAA002LV").medium, 5);
	assert_true(shop_row(s, "AAA002LV").worm);
	assert_true(shop_row(s, "CLNU01L1").cleaning);
	assert_true(shop_element(s, SLOT(2)).cleaning);
	assert_int_equal(shop_row(s, "PLAIN123").medium, 5);
	assert_int_equal(shop_row(s, "PLAIN123").size, SHOP_SIZE);
	assert_string_equal(shop_row(s, "PLAIN123").state, "AVAILABLE");
}

static void new_cartridge_finds_a_free_place(void **state)
{
	struct shop *s = *state;
	struct library_request r = { .op = LIBRARY_ADD, .add.size = SHOP_SIZE };
	char barcode[] = "AAA001L5";

	shop_add(s, "BBB001L5", SLOT(1));
	for (unsigned int i = 0; i < SHOP_SLOTS + SHOP_MAIL - 1; i++) {
		r.barcode = barcode;
		assert_int_equal(shop_ask(s, r).result, LIBRARY_OK);
		barcode[5]++;
	}
	assert_at(s, SLOT(0), "AAA001L5");
	assert_at(s, SLOT(2), "AAA002L5");
	assert_at(s, MAIL(0), "AAA006L5");
	assert_at(s, MAIL(1), "AAA007L5");
	assert_true(shop_element(s, MAIL(0)).imported);
	assert_int_equal(s->mail_changes, 2);
	assert_int_equal(shop_ask(s, r).result, LIBRARY_NO_ROOM);
}

static void wrong_new_cartridges_are_refused(void **state)
{
	struct shop *s = *state;

	assert_int_equal(shop_add(s, "AAA001L5", SLOT(0)), LIBRARY_OK);
	assert_int_equal(shop_add(s, "AAA001L5", SLOT(1)), LIBRARY_EXISTS);
	assert_int_equal(shop_add(s, "AAA002L5", SLOT(0)), LIBRARY_FULL);
	assert_int_equal(shop_add(s, "AAA002L5", DRIVE(0)), LIBRARY_NO_ELEMENT);
	assert_int_equal(shop_add(s, "../x", SLOT(1)), LIBRARY_INVALID);
	assert_int_equal(shop_add(s, "", SLOT(1)), LIBRARY_INVALID);
	assert_int_equal(shop_do(s, LIBRARY_ADD, NULL), LIBRARY_INVALID);
	assert_int_equal(shop_ask(s,
				 (struct library_request){
					 .op = LIBRARY_ADD, .barcode = "AAA002L5", .add.size = 5 })
				 .result,
		LIBRARY_INVALID);
	assert_false(shop_has(s, "tapes/AAA002L5"));
}

static void barcode_is_never_used_again(void **state)
{
	struct shop *s = *state;

	shop_add(s, "AAA001L5", SLOT(0));
	assert_int_equal(shop_do(s, LIBRARY_REMOVE, "AAA001L5"), LIBRARY_OK);
	assert_at(s, SLOT(0), "");
	assert_false(shop_has(s, "tapes/AAA001L5"));
	assert_false(shop_has(s, "tapes/.AAA001L5.removed"));
	assert_int_equal(shop_add(s, "AAA001L5", SLOT(0)), LIBRARY_EXISTS);
	assert_false(shop_has(s, "tapes/AAA001L5"));
	assert_int_equal(shop_do(s, LIBRARY_REMOVE, "AAA001L5"), LIBRARY_NO_TAPE);
}

static void cartridge_in_a_drive_is_left_alone(void **state)
{
	struct shop *s = *state;

	shop_add(s, "AAA001L5", SLOT(0));
	shop_move(s, SLOT(0), DRIVE(0));
	assert_int_equal(shop_do(s, LIBRARY_REMOVE, "AAA001L5"), LIBRARY_IN_DRIVE);
	assert_int_equal(shop_do(s, LIBRARY_ARCHIVE, "AAA001L5"), LIBRARY_IN_DRIVE);
	assert_int_equal(shop_do(s, LIBRARY_PROTECT, "AAA001L5"), LIBRARY_IN_DRIVE);
	assert_true(shop_has(s, "tapes/AAA001L5"));
}

static void existing_cartridge_is_taken_up_with_its_data(void **state)
{
	struct shop *s = *state;
	struct library_request r = {
		.op = LIBRARY_ADD, .barcode = "OLD001L5", .add.existing = true
	};
	struct iovec iov = { "hello", 5 };
	struct cartridge *c;
	char path[128];
	size_t done;

	assert_int_equal(shop_ask(s, r).result, LIBRARY_FAILED);
	snprintf(path, sizeof(path), "%s/OLD001L5", s->path);
	assert_int_equal(cartridge_create(path, &(struct cartridge_cfg){ .barcode = "OLD001L5",
							.media = media_generation(4),
							.capacity = SHOP_SIZE }),
		0);
	assert_int_equal(cartridge_open(path, &(struct cartridge_opening){ .drive = NULL }, &c), 0);
	assert_int_equal(
		cartridge_write(c, &iov, 1, 5, 1, &(struct cartridge_write_how){ 0 }, &done),
		CARTRIDGE_OK);
	assert_int_equal(cartridge_close(c), 0);
	assert_int_equal(shop_add(s, "OLD001L5", SLOT(0)), LIBRARY_EXISTS);
	assert_int_equal(shop_ask(s, r).result, LIBRARY_OK);
	assert_int_equal(shop_row(s, "OLD001L5").medium, 4);
	assert_true(shop_row(s, "OLD001L5").used > 0);
}

/* Behind the library's back, as countersignctl tape import does. */
static void write_hello(struct shop *s, const char *barcode)
{
	struct iovec iov = { "hello", 5 };
	struct cartridge *c;
	char path[128];
	size_t done;

	snprintf(path, sizeof(path), "%s/%s", s->path, barcode);
	assert_int_equal(cartridge_open(path, &(struct cartridge_opening){ .drive = NULL }, &c), 0);
	assert_int_equal(
		cartridge_write(c, &iov, 1, 5, 1, &(struct cartridge_write_how){ 0 }, &done),
		CARTRIDGE_OK);
	assert_int_equal(cartridge_close(c), 0);
}

static void used_bytes_are_known_after_unloading(void **state)
{
	struct shop *s = *state;

	shop_add(s, "AAA001L5", SLOT(0));
	write_hello(s, "AAA001L5");
	assert_int_equal(shop_row(s, "AAA001L5").used, 0);
	shop_move(s, SLOT(0), DRIVE(0));
	shop_move(s, DRIVE(0), SLOT(0));
	assert_true(shop_row(s, "AAA001L5").used >= 5);
	shop_restart(s);
	assert_true(shop_row(s, "AAA001L5").used >= 5);
}

static void used_bytes_are_looked_for_at_every_start(void **state)
{
	struct shop *s = *state;

	shop_add(s, "AAA001L5", SLOT(0));
	shop_close(s);
	write_hello(s, "AAA001L5");
	rig_reopen(&s->rig);
	shop_open(s);
	assert_true(shop_row(s, "AAA001L5").used >= 5);
}

static void taking_stock_finds_what_has_changed(void **state)
{
	struct shop *s = *state;
	struct library_status status;
	char command[256];

	shop_add(s, "AAA001L5", SLOT(0));
	shop_add(s, "AAA002L5", SLOT(1));
	write_hello(s, "AAA001L5");
	write_hello(s, "AAA002L5");
	assert_int_equal(shop_do(s, LIBRARY_LOOK, "AAA001L5"), LIBRARY_OK);
	assert_true(shop_row(s, "AAA001L5").used >= 5);
	assert_int_equal(shop_row(s, "AAA002L5").used, 0);
	snprintf(command, sizeof(command), "mv %s/AAA001L5 %s/.away", s->path, s->path);
	assert_int_equal(system(command), 0);
	assert_int_equal(shop_do(s, LIBRARY_LOOK, NULL), LIBRARY_OK);
	assert_true(shop_row(s, "AAA002L5").used >= 5);
	library_status(s->l, &status);
	assert_int_equal(status.missing, 1);
	snprintf(command, sizeof(command), "mv %s/.away %s/AAA001L5", s->path, s->path);
	assert_int_equal(system(command), 0);
	assert_int_equal(shop_do(s, LIBRARY_LOOK, NULL), LIBRARY_OK);
	library_status(s->l, &status);
	assert_int_equal(status.missing, 0);
	assert_int_equal(shop_do(s, LIBRARY_LOOK, "AAA003L5"), LIBRARY_NO_TAPE);
}

static void write_protect_tab_is_set_and_cleared(void **state)
{
	struct shop *s = *state;
	struct library_request r = {
		.op = LIBRARY_PROTECT, .barcode = "AAA001L5", .write_protect = true
	};
	struct drive_medium m;

	shop_add(s, "AAA001L5", SLOT(0));
	assert_int_equal(shop_ask(s, r).result, LIBRARY_OK);
	assert_true(shop_element(s, SLOT(0)).write_protect);
	shop_restart(s);
	shop_move(s, SLOT(0), DRIVE(0));
	drive_medium(s->drives[0], &m);
	assert_true(m.write_protect);
	shop_move(s, DRIVE(0), SLOT(0));
	r.write_protect = false;
	assert_int_equal(shop_ask(s, r).result, LIBRARY_OK);
	shop_move(s, SLOT(0), DRIVE(0));
	drive_medium(s->drives[0], &m);
	assert_false(m.write_protect);
}

static void locked_mail_slots_are_the_hosts_own(void **state)
{
	struct shop *s = *state;

	shop_add(s, "AAA001L5", MAIL(0));
	s->locked = true;
	assert_int_equal(shop_add(s, "AAA002L5", MAIL(1)), LIBRARY_LOCKED);
	assert_int_equal(shop_do(s, LIBRARY_REMOVE, "AAA001L5"), LIBRARY_LOCKED);
	assert_int_equal(shop_do(s, LIBRARY_ARCHIVE, "AAA001L5"), LIBRARY_LOCKED);
	assert_int_equal(shop_add(s, "AAA002L5", SLOT(0)), LIBRARY_OK);
	assert_int_equal(shop_move(s, MAIL(0), SLOT(1)), LIBRARY_OK);
	assert_int_equal(shop_ask(s, (struct library_request){ .op = LIBRARY_ARCHIVE,
					     .host = true,
					     .barcode = "AAA001L5" })
				 .result,
		LIBRARY_OK);
}

static void pool_is_assigned(void **state)
{
	struct shop *s = *state;

	shop_add(s, "AAA001L5", SLOT(0));
	assert_int_equal(shop_row(s, "AAA001L5").pool_entered, 0);
	assert_int_equal(shop_ask(s, (struct library_request){ .op = LIBRARY_POOL,
					     .barcode = "AAA001L5",
					     .pool = "GLACIER" })
				 .result,
		LIBRARY_OK);
	assert_string_equal(shop_row(s, "AAA001L5").pool, "GLACIER");
	assert_true(shop_row(s, "AAA001L5").pool_entered > 0);
	assert_at(s, SLOT(0), "AAA001L5");
}

static int refuse(struct library_request *r, struct catalog_tx *tx, const struct catalog_tape *row)
{
	(void)tx;
	assert_string_equal(row->barcode, "AAA001L5");
	assert_int_equal(
		row->place.kind, r->op == LIBRARY_MOVE ? CATALOG_IN_DRIVE : CATALOG_IN_SLOT);
	return -EACCES;
}

static void move_that_cannot_be_remembered_has_not_happened(void **state)
{
	struct shop *s = *state;
	struct library_request r = {
		.op = LIBRARY_ADD, .barcode = "AAA001L5", .also = refuse, .add.size = SHOP_SIZE
	};

	assert_int_equal(shop_ask(s, r).result, LIBRARY_FAILED);
	assert_false(shop_has(s, "tapes/AAA001L5"));
	shop_add(s, "AAA001L5", SLOT(0));
	shop_move(s, SLOT(0), DRIVE(0));
	r = shop_ask(
		s, (struct library_request){
			   .op = LIBRARY_MOVE, .from = DRIVE(0), .to = DRIVE(1), .also = refuse });
	assert_int_equal(r.result, LIBRARY_FAILED);
	assert_int_equal(r.err, -EACCES);
	assert_true(vtl_loaded(s->drives[0]));
	assert_false(drive_full(s->drives[1]));
	assert_at(s, DRIVE(0), "AAA001L5");
}

/* --- seeing ------------------------------------------------------------------------ */

struct seen {
	uint16_t first, last;
	size_t n, full;
};

static void see(const struct library_element *e, void *arg)
{
	struct seen *seen = arg;

	if (!seen->n++)
		seen->first = e->address;
	else
		assert_true(e->address > seen->last);
	seen->last = e->address;
	seen->full += e->full;
}

static void elements_come_in_the_order_of_their_addresses(void **state)
{
	struct shop *s = *state;
	struct seen all = { .n = 0 }, some = { .n = 0 }, drives = { .n = 0 };

	shop_add(s, "AAA001L5", SLOT(0));
	assert_int_equal(library_elements(s->l, CATALOG_IN_VAULT, 0, SIZE_MAX, see, &all),
		1 + SHOP_DRIVES + SHOP_SLOTS + SHOP_MAIL);
	assert_int_equal(all.first, 0);
	assert_int_equal(all.last, SLOT(SHOP_SLOTS - 1));
	assert_int_equal(all.full, 1);
	assert_int_equal(library_elements(s->l, CATALOG_IN_VAULT, DRIVE(1), 3, see, &some), 3);
	assert_int_equal(some.first, DRIVE(1));
	assert_int_equal(some.last, SLOT(1));
	assert_int_equal(
		library_elements(s->l, CATALOG_IN_DRIVE, 0, 10, see, &drives), SHOP_DRIVES);
}

static void models_number_their_elements(void **state)
{
	struct shop *s = *state;
	struct library_range r;

	s->cfg.model = CHANGER_IBM_03584L32;
	shop_restart(s);
	r = library_range(s->l, CATALOG_IN_TRANSPORT);
	assert_int_equal(r.first, 1);
	r = library_range(s->l, CATALOG_IN_DRIVE);
	assert_int_equal(r.first, 257);
	r = library_range(s->l, CATALOG_IN_MAIL_SLOT);
	assert_int_equal(r.first, 769);
	r = library_range(s->l, CATALOG_IN_SLOT);
	assert_int_equal(r.first, 1025);
	s->cfg.mail_slots = 257;
	shop_restart(s);
	r = library_range(s->l, CATALOG_IN_MAIL_SLOT);
	assert_int_equal(r.first, 33100);
	assert_int_equal(r.count, 257);
}

static void status_counts(void **state)
{
	struct shop *s = *state;
	struct library_status st;

	shop_add(s, "AAA001L5", SLOT(0));
	shop_add(s, "AAA002L5", SLOT(1));
	shop_move(s, SLOT(0), DRIVE(0));
	shop_do(s, LIBRARY_ARCHIVE, "AAA002L5");
	shop_until(s, "AAA002L5", LIBRARY_STATE_ARCHIVED);
	library_status(s->l, &st);
	assert_int_equal(st.tapes, 1);
	assert_int_equal(st.archived, 1);
	assert_int_equal(st.moves, 1);
	assert_int_equal(st.failures, 0);
	assert_false(st.locked);
	assert_false(st.loading);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, shop_begin, shop_end)
	const struct CMUnitTest tests[] = {
		T(cartridge_moves_from_slot_to_slot),
		T(drive_loads_what_is_moved_to_it),
		T(wrong_moves_are_refused_and_change_nothing),
		T(operators_move_goes_for_one_cartridge_alone),
		T(exchange_swaps_two_cartridges),
		T(exchange_frees_a_drive_for_another_cartridge),
		T(drive_keeps_what_a_host_holds),
		T(cartridge_without_files_sits_in_its_drive),
		T(host_is_not_told_of_its_own_moves),
		T(registry_learns_of_what_a_host_exports),
		T(barcode_says_what_a_new_cartridge_is),
		T(new_cartridge_finds_a_free_place),
		T(wrong_new_cartridges_are_refused),
		T(barcode_is_never_used_again),
		T(cartridge_in_a_drive_is_left_alone),
		T(existing_cartridge_is_taken_up_with_its_data),
		T(used_bytes_are_known_after_unloading),
		T(used_bytes_are_looked_for_at_every_start),
		T(taking_stock_finds_what_has_changed),
		T(write_protect_tab_is_set_and_cleared),
		T(locked_mail_slots_are_the_hosts_own),
		T(pool_is_assigned),
		T(move_that_cannot_be_remembered_has_not_happened),
		T(elements_come_in_the_order_of_their_addresses),
		T(models_number_their_elements),
		T(status_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
