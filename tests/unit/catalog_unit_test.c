/* SPDX-License-Identifier: BSD-2-Clause */
/* What units keep: the identifiers of their ports, reservations, saved mode pages. */
#include "catalog_rows.h"

#include "catalog/mode.h"
#include "catalog/port.h"
#include "catalog/reservation.h"

/* --- target ports --------------------------------------------------------------------------- */

static int show_port(const struct catalog_port *p, void *arg)
{
	(void)arg;
	show("%s %u: %u\n", p->target, p->group, p->id);
	return 0;
}

static int load_ports(struct catalog_tx *tx, void *arg)
{
	return catalog_port_load(tx, show_port, arg);
}

static int add_port(struct catalog_tx *tx, void *arg)
{
	return catalog_port_add(tx, arg);
}

static int remove_port(struct catalog_tx *tx, void *arg)
{
	return catalog_port_remove(tx, ((const struct catalog_port *)arg)->id);
}

static void a_ports_identifier_comes_back_after_a_restart(void **state)
{
	struct catalog_port last = { "iqn.b", 1, 65535 }, first = { "iqn.a", 2, 7 };

	assert_int_equal(rig_run(*state, add_port, &last), 0);
	assert_int_equal(rig_run(*state, add_port, &first), 0);
	rig_reopen(*state);
	assert_shown(*state, load_ports, "iqn.a 2: 7\niqn.b 1: 65535\n");
	assert_int_equal(rig_run(*state, remove_port, &first), 0);
	assert_shown(*state, load_ports, "iqn.b 1: 65535\n");
}

static void no_two_ports_have_the_same_identifier(void **state)
{
	struct catalog_port one = { "iqn.a", 1, 7 }, other = { "iqn.b", 1, 7 },
			    again = { "iqn.a", 1, 8 };

	assert_int_equal(rig_run(*state, add_port, &one), 0);
	assert_int_equal(rig_run(*state, add_port, &other), -EEXIST);
	assert_int_equal(rig_run(*state, add_port, &again), -EEXIST);
	assert_shown(*state, load_ports, "iqn.a 1: 7\n");
}

/* --- reservations --------------------------------------------------------------------------- */

static int show_reservation(const struct catalog_reservation *r, void *arg)
{
	(void)arg;
	show("%02x%02x gen %u type %u scope %u:", r->unit[0], r->unit[15], r->generation, r->type,
		r->scope);
	for (size_t i = 0; i < r->n_registrants; i++)
		show(" %s/%u/%02x%02x%s", r->registrants[i].initiator, r->registrants[i].port,
			r->registrants[i].key[0], r->registrants[i].key[7],
			r->registrants[i].holder ? "*" : "");
	show("\n");
	return 0;
}

static int load_reservations(struct catalog_tx *tx, void *arg)
{
	return catalog_reservation_load(tx, show_reservation, arg);
}

static int put_reservation(struct catalog_tx *tx, void *arg)
{
	return catalog_reservation_put(tx, arg);
}

static const struct catalog_registrant two[] = {
	{ .initiator = "iqn.a,i,0x01", .port = 1, .key = { 0xab, [7] = 0xcd }, .holder = true },
	{ .initiator = "iqn.b,i,0x02", .port = 65535, .key = { [7] = 1 } },
};

static void a_units_reservation_comes_back_after_a_restart(void **state)
{
	struct catalog_reservation r = { .unit = { 0x60, [15] = 0x01 },
		.generation = 4000000000u,
		.type = 5,
		.registrants = two,
		.n_registrants = 2 };
	struct catalog_reservation s = {
		.unit = { 0x60, [15] = 0x02 }, .registrants = two + 1, .n_registrants = 1
	};

	assert_int_equal(rig_run(*state, put_reservation, &s), 0);
	assert_int_equal(rig_run(*state, put_reservation, &r), 0);
	rig_reopen(*state);
	assert_shown(*state, load_reservations,
		"6001 gen 4000000000 type 5 scope 0: iqn.a,i,0x01/1/abcd* iqn.b,i,0x02/65535/0001\n"
		"6002 gen 0 type 0 scope 0: iqn.b,i,0x02/65535/0001\n");
}

static void a_units_reservation_is_replaced_as_a_whole(void **state)
{
	struct catalog_reservation r = { .unit = { 1 }, .registrants = two, .n_registrants = 2 };

	assert_int_equal(rig_run(*state, put_reservation, &r), 0);
	r.registrants++;
	r.n_registrants--;
	assert_int_equal(rig_run(*state, put_reservation, &r), 0);
	assert_shown(
		*state, load_reservations, "0100 gen 0 type 0 scope 0: iqn.b,i,0x02/65535/0001\n");
	r.n_registrants = 0;
	assert_int_equal(rig_run(*state, put_reservation, &r), 0);
	assert_shown(*state, load_reservations, "");
}

static int put_reservation_anyway(struct catalog_tx *tx, void *arg)
{
	assert_int_equal(catalog_reservation_put(tx, arg), -EEXIST);
	return 0;
}

static void a_registrant_that_is_there_twice_changes_nothing(void **state)
{
	const struct catalog_registrant twice[] = { two[1], two[1] };
	struct catalog_reservation r = { .unit = { 1 }, .registrants = two, .n_registrants = 1 };

	assert_int_equal(rig_run(*state, put_reservation, &r), 0);
	r.registrants = twice;
	r.n_registrants = 2;
	assert_int_equal(rig_run(*state, put_reservation_anyway, &r), 0);
	assert_shown(
		*state, load_reservations, "0100 gen 0 type 0 scope 0: iqn.a,i,0x01/1/abcd*\n");
}

static int count_registrants(const struct catalog_reservation *r, void *arg)
{
	*(size_t *)arg += r->n_registrants;
	return 0;
}

static int load_counting(struct catalog_tx *tx, void *arg)
{
	return catalog_reservation_load(tx, count_registrants, arg);
}

static void a_unit_may_have_many_registrants(void **state)
{
	struct catalog_registrant many[300];
	struct catalog_reservation r = { .registrants = many, .n_registrants = 300 };
	size_t n = 0;

	for (uint16_t i = 0; i < 300; i++)
		many[i] = (struct catalog_registrant){ .initiator = "iqn.a,i,0x01", .port = i };
	assert_int_equal(rig_run(*state, put_reservation, &r), 0);
	assert_int_equal(rig_run(*state, load_counting, &n), 0);
	assert_int_equal(n, 300);
}

/* --- saved mode pages ----------------------------------------------------------------------- */

static int show_mode_page(const uint8_t *unit, const struct catalog_mode_page *p, void *arg)
{
	(void)arg;
	show("%02x%02x %02x/%u:", unit[0], unit[15], p->page, p->subpage);
	for (size_t i = 0; i < p->len; i++)
		show(" %02x/%02x", p->value[i], p->mask[i]);
	show("\n");
	return 0;
}

static int load_mode_pages(struct catalog_tx *tx, void *arg)
{
	return catalog_mode_load(tx, show_mode_page, arg);
}

struct saved_pages {
	uint8_t unit[CATALOG_UNIT_SIZE];
	struct catalog_mode_page v[2];
	size_t n;
};

static int put_mode_pages(struct catalog_tx *tx, void *arg)
{
	const struct saved_pages *s = arg;

	return catalog_mode_put(tx, s->unit, s->v, s->n);
}

#define MODE_PAGE(code, sub, v0, v1, m1) \
	{ \
		code, sub, (const uint8_t[]){ 0, m1 }, (const uint8_t[]){ v0, v1 }, 2 \
	}

static void saved_mode_pages_come_back_after_a_restart(void **state)
{
	struct saved_pages one = { { 0x60, [15] = 2 },
		{ MODE_PAGE(0x0a, 0, 0x0a, 6, 4), MODE_PAGE(0x08, 0, 8, 0, 4) }, 2 };
	struct saved_pages other = { { 0x60, [15] = 1 }, { MODE_PAGE(0x0a, 1, 0x4a, 1, 1) }, 1 };

	assert_int_equal(rig_run(*state, put_mode_pages, &one), 0);
	assert_int_equal(rig_run(*state, put_mode_pages, &other), 0);
	rig_reopen(*state);
	assert_shown(*state, load_mode_pages,
		"6001 0a/1: 4a/00 01/01\n6002 08/0: 08/00 00/04\n6002 0a/0: 0a/00 06/04\n");
}

static void a_units_saved_mode_pages_are_replaced_as_a_whole(void **state)
{
	struct saved_pages s = { { 1 },
		{ MODE_PAGE(0x0a, 0, 0x0a, 6, 4), MODE_PAGE(0x08, 0, 8, 0, 4) }, 2 };

	assert_int_equal(rig_run(*state, put_mode_pages, &s), 0);
	s.n = 1;
	assert_int_equal(rig_run(*state, put_mode_pages, &s), 0);
	assert_shown(*state, load_mode_pages, "0100 0a/0: 0a/00 06/04\n");
	s.v[1] = s.v[0];
	s.n = 2;
	assert_int_equal(rig_run(*state, put_mode_pages, &s), -EEXIST);
	assert_shown(*state, load_mode_pages, "0100 0a/0: 0a/00 06/04\n");
	s.n = 0;
	assert_int_equal(rig_run(*state, put_mode_pages, &s), 0);
	assert_shown(*state, load_mode_pages, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW_TEST(a_ports_identifier_comes_back_after_a_restart),
		ROW_TEST(no_two_ports_have_the_same_identifier),
		ROW_TEST(a_units_reservation_comes_back_after_a_restart),
		ROW_TEST(a_units_reservation_is_replaced_as_a_whole),
		ROW_TEST(a_registrant_that_is_there_twice_changes_nothing),
		ROW_TEST(a_unit_may_have_many_registrants),
		ROW_TEST(saved_mode_pages_come_back_after_a_restart),
		ROW_TEST(a_units_saved_mode_pages_are_replaced_as_a_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
