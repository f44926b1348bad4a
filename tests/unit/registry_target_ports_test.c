/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of target ports: whose is whose, how long, and what is done when there are no more. */
#include "catalog_support.h"

#include "catalog/port.h"
#include "registry/reservations.h"
#include "registry/target_ports.h"
#include "registry_support.h"

#define A "iqn.2026-11.com.example:a"
#define B "iqn.2026-11.com.example:b"

struct fixture {
	struct place place;
	struct rig *rig;
	struct target_ports *ports;
};

static void load(struct fixture *f)
{
	assert_int_equal(
		target_ports_load(f->rig->catalog, f->rig->loop, &f->ports, &f->rig->why), 0);
}

static int begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || place_begin(&f->place) || rig_begin_open((void **)&f->rig))
		return -1;
	load(f);
	*state = f;
	return 0;
}

/* As when the server ends: what is on its way arrives, and says so. */
static void stop(struct fixture *f)
{
	rig_close(f->rig);
	while (loop_step(f->rig->loop))
		;
	target_ports_free(f->ports);
}

static int end(void **state)
{
	struct fixture *f = *state;
	int err;

	stop(f);
	err = rig_end((void **)&f->rig) || place_end(&f->place);
	free(f);
	return err;
}

static void restart(struct fixture *f)
{
	stop(f);
	assert_int_equal(rig_open(f->rig), 0);
	load(f);
}

#define TWO_GROUPS \
	"state_dir = \"state\"; portals = ( { address = \"127.0.0.1\"; port = 3260; group = 2; }," \
	" { address = \"127.0.0.1\"; port = 3261; group = 7; }," \
	" { address = \"127.0.0.1\"; port = 3262; group = 2; } );\n"
#define TARGET(name, more) "{ name = \"" name "\"; auth = \"none\"; luns = (); " more " }"

static void assign(struct fixture *f, const char *targets)
{
	char text[1024];
	struct config *cfg;

	snprintf(text, sizeof(text), TWO_GROUPS "targets = ( %s );\n", targets);
	cfg = configured(&f->place, text);
	assert_int_equal(target_ports_assign(f->ports, cfg), 0);
	config_free(cfg);
}

static void every_target_in_every_group_has_a_number_of_its_own(void **state)
{
	struct fixture *f = *state;

	assign(f, TARGET(B, "") "," TARGET(A, ""));
	assert_int_equal(target_ports_find(f->ports, B, 2), 1);
	assert_int_equal(target_ports_find(f->ports, B, 7), 2);
	assert_int_equal(target_ports_find(f->ports, A, 2), 3);
	assert_int_equal(target_ports_find(f->ports, A, 7), 4);
}

static void a_target_has_numbers_in_its_own_groups_alone(void **state)
{
	struct fixture *f = *state;

	assign(f, TARGET(A, "portal_groups = ( 7 );") "," TARGET(B, ""));
	assert_int_equal(target_ports_find(f->ports, A, 7), 1);
	assert_int_equal(target_ports_find(f->ports, B, 2), 2);
	assert_int_equal(target_ports_find(f->ports, A, 2), 2); /* not a port: the group's number */
}

static void a_number_stays_over_changes_and_restarts(void **state)
{
	struct fixture *f = *state;

	assign(f, TARGET(A, "portal_groups = ( 2 );") "," TARGET(B, "portal_groups = ( 2 );"));
	assign(f, TARGET(B, ""));
	assert_int_equal(target_ports_find(f->ports, B, 2), 2);
	assert_int_equal(target_ports_find(f->ports, B, 7), 3);
	restart(f);
	assign(f, TARGET(B, "") "," TARGET(A, ""));
	assert_int_equal(target_ports_find(f->ports, A, 2), 1);
	assert_int_equal(target_ports_find(f->ports, B, 2), 2);
	assert_int_equal(target_ports_find(f->ports, B, 7), 3);
	assert_int_equal(target_ports_find(f->ports, A, 7), 4);
}

static void without_a_catalog_a_port_goes_by_its_group(void **state)
{
	(void)state;
	assert_int_equal(target_ports_find(NULL, A, 7), 7);
}

/* All numbers from `first` on belong to targets that are gone. */
static int fill(struct catalog_tx *tx, void *arg)
{
	char name[64];
	int err = 0;

	for (unsigned id = *(unsigned *)arg; !err && id <= 65535; id++) {
		struct catalog_port p = { name, 2, (uint16_t)id };

		snprintf(name, sizeof(name), "iqn.2026-11.com.example:gone-%u", id);
		err = catalog_port_add(tx, &p);
	}
	return err;
}

static void numbers_of_targets_that_are_gone_are_taken_when_no_other_is_left(void **state)
{
	struct fixture *f = *state;
	unsigned first = 3;

	assign(f, TARGET(A, "portal_groups = ( 2 );"));
	assert_int_equal(rig_run(f->rig, fill, &first), 0);
	restart(f);
	assign(f, TARGET(A, "portal_groups = ( 2 );") "," TARGET(B, "portal_groups = ( 2 );"));
	assert_int_equal(target_ports_find(f->ports, B, 2), 2);
	assert_int_equal(target_ports_find(f->ports, "iqn.2026-11.com.example:gone-5", 2), 5);
	assign(f, TARGET(A, "") "," TARGET(B, "portal_groups = ( 2 );"));
	assert_int_equal(target_ports_find(f->ports, A, 2), 1);
	assert_int_equal(target_ports_find(f->ports, A, 7), 3);
	restart(f);
	assert_int_equal(target_ports_find(f->ports, B, 2), 2);
	assert_int_equal(target_ports_find(f->ports, "iqn.2026-11.com.example:gone-5", 2), 2);
}

/* --- reservations of before ----------------------------------------------------------------- */

static void a_registration_by_group_becomes_one_for_each_port_of_it(void **state)
{
	const struct lu_registrant regs[] = { { "iqn.a,i,0x01", 1, true, 0xa },
		{ "iqn.b,i,0x01", 2, false, 0xb }, { "iqn.c,i,0x01", 0, false, 0xc } };
	const struct reservation old = { .is = { 5, 1, 0, regs, 3 }, .by_group = true };
	const struct target_port ports[] = { { 1, 11 }, { 1, 12 }, { 2, 21 } };
	const struct reservation *now = reservation_by_port(&old, ports, 3);
	const struct lu_registrant *r;

	(void)state;
	assert_non_null(now);
	r = now->is.registrants;
	assert_int_equal(now->is.n, 4);
	assert_int_equal(now->is.generation, 5);
	assert_true(r[0].port == 11 && r[0].holder && r[0].key == 0xa);
	assert_true(r[1].port == 12 && !r[1].holder && r[1].key == 0xa);
	assert_true(r[2].port == 21 && r[2].key == 0xb);
	assert_true(r[3].port == 0 && r[3].key == 0xc);
	assert_string_equal(r[1].initiator, "iqn.a,i,0x01");
	reservation_unref(now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
		TEST(every_target_in_every_group_has_a_number_of_its_own),
		TEST(a_target_has_numbers_in_its_own_groups_alone),
		TEST(a_number_stays_over_changes_and_restarts),
		TEST(without_a_catalog_a_port_goes_by_its_group),
		TEST(numbers_of_targets_that_are_gone_are_taken_when_no_other_is_left),
		cmocka_unit_test(a_registration_by_group_becomes_one_for_each_port_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
