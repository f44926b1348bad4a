/* SPDX-License-Identifier: BSD-2-Clause */
/* Cartridges: each in one place, and no barcode twice, ever. */
#include "catalog_rows.h"

#include "catalog/tape.h"

static int show_tape(const struct catalog_tape *t, void *arg)
{
	(void)arg;
	show("%s %s %d:%u from %d:%u %s\n", t->barcode, t->library, (int)t->place.kind,
		t->place.number, (int)t->source.kind, t->source.number, t->state);
	return 0;
}

static int load_tapes(struct catalog_tx *tx, void *arg)
{
	return catalog_tape_load(tx, show_tape, arg);
}

static int add_tape(struct catalog_tx *tx, void *arg)
{
	return catalog_tape_add(tx, arg);
}

static int put_tape(struct catalog_tx *tx, void *arg)
{
	return catalog_tape_put(tx, arg);
}

static int remove_tape(struct catalog_tx *tx, void *arg)
{
	return catalog_tape_remove(tx, arg);
}

static struct catalog_tape tape_in_slot(const char *barcode, uint32_t slot)
{
	return (struct catalog_tape){ .barcode = barcode,
		.library = "l",
		.medium = 5,
		.place = { CATALOG_IN_SLOT, slot },
		.size = 100,
		.state = "AVAILABLE" };
}

static void a_cartridge_is_added_changed_and_removed(void **state)
{
	struct catalog_tape t = tape_in_slot("AAA001", 1);

	assert_int_equal(rig_run(*state, put_tape, &t), -ENOENT);
	assert_int_equal(rig_run(*state, add_tape, &t), 0);
	t.place = (struct catalog_place){ CATALOG_IN_VAULT, 0 };
	t.source = (struct catalog_place){ CATALOG_IN_SLOT, 1 };
	t.state = "ARCHIVED";
	assert_int_equal(rig_run(*state, put_tape, &t), 0);
	rig_reopen(*state);
	assert_shown(*state, load_tapes, "AAA001 l 0:0 from 2:1 ARCHIVED\n");
	assert_int_equal(rig_run(*state, remove_tape, (char[]){ "AAA001" }), 0);
	assert_int_equal(rig_run(*state, remove_tape, (char[]){ "AAA001" }), -ENOENT);
}

static int barcode_used(struct catalog_tx *tx, void *arg)
{
	bool used;
	int err = catalog_tape_barcode_used(tx, arg, &used);

	return err ? err : used;
}

static void a_barcode_is_never_used_again(void **state)
{
	struct catalog_tape t = tape_in_slot("AAA001", 1);

	assert_int_equal(rig_run(*state, add_tape, &t), 0);
	assert_int_equal(rig_run(*state, remove_tape, (char[]){ "AAA001" }), 0);
	assert_int_equal(rig_run(*state, add_tape, &t), -EEXIST);
	assert_true(rig_run(*state, barcode_used, (char[]){ "AAA001" }));
	assert_false(rig_run(*state, barcode_used, (char[]){ "AAA002" }));
}

static void a_place_holds_one_cartridge_and_the_vault_many(void **state)
{
	struct catalog_tape a = tape_in_slot("AAA001", 1), b = tape_in_slot("AAA002", 1);

	assert_int_equal(rig_run(*state, add_tape, &a), 0);
	assert_int_equal(rig_run(*state, add_tape, &b), -EEXIST);
	assert_false(rig_run(*state, barcode_used, (char[]){ "AAA002" }));
	b.library = "other";
	assert_int_equal(rig_run(*state, add_tape, &b), 0);
	a.place = b.place = (struct catalog_place){ CATALOG_IN_VAULT, 0 };
	b.library = "l";
	assert_int_equal(rig_run(*state, put_tape, &a), 0);
	assert_int_equal(rig_run(*state, put_tape, &b), 0);
	assert_shown(*state, load_tapes,
		"AAA001 l 0:0 from 0:0 AVAILABLE\nAAA002 l 0:0 from 0:0 AVAILABLE\n");
}

struct moves {
	struct catalog_tape_move v[2];
	size_t n;
};

static int move_tapes(struct catalog_tx *tx, void *arg)
{
	struct moves *m = arg;

	return catalog_tape_move(tx, m->v, m->n);
}

static void two_cartridges_change_places_at_once(void **state)
{
	struct catalog_tape a = tape_in_slot("AAA001", 1), b = tape_in_slot("AAA002", 2);
	struct moves m = { { { "AAA001", { CATALOG_IN_SLOT, 2 }, { CATALOG_IN_SLOT, 1 } },
				   { "AAA002", { CATALOG_IN_SLOT, 1 }, { CATALOG_IN_SLOT, 2 } } },
		2 };

	assert_int_equal(rig_run(*state, add_tape, &a), 0);
	assert_int_equal(rig_run(*state, add_tape, &b), 0);
	assert_int_equal(rig_run(*state, move_tapes, &m), 0);
	assert_shown(*state, load_tapes,
		"AAA001 l 2:2 from 2:1 AVAILABLE\nAAA002 l 2:1 from 2:2 AVAILABLE\n");
}

static void a_move_to_where_another_stays_moves_nothing(void **state)
{
	struct catalog_tape a = tape_in_slot("AAA001", 1), b = tape_in_slot("AAA002", 2);
	struct moves taken = { { { "AAA001", { CATALOG_IN_SLOT, 2 }, { CATALOG_IN_SLOT, 1 } } },
		1 };
	struct moves unknown = { { { "AAA003", { CATALOG_IN_DRIVE, 0 }, { 0 } } }, 1 };

	assert_int_equal(rig_run(*state, add_tape, &a), 0);
	assert_int_equal(rig_run(*state, add_tape, &b), 0);
	assert_int_equal(rig_run(*state, move_tapes, &taken), -EEXIST);
	assert_int_equal(rig_run(*state, move_tapes, &unknown), -ENOENT);
	assert_shown(*state, load_tapes,
		"AAA001 l 2:1 from 0:0 AVAILABLE\nAAA002 l 2:2 from 0:0 AVAILABLE\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW_TEST(a_cartridge_is_added_changed_and_removed),
		ROW_TEST(a_barcode_is_never_used_again),
		ROW_TEST(a_place_holds_one_cartridge_and_the_vault_many),
		ROW_TEST(two_cartridges_change_places_at_once),
		ROW_TEST(a_move_to_where_another_stays_moves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
