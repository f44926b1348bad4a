/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directory: what is put in is found again, is a copy, and lives as long as anybody holds
 * the snapshot.
 */
#include "iscsi/directory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "chap/table_edit.h"
#include "store/store.h"

static void gone(void *arg)
{
	++*(int *)arg;
}

/* A disk of one megabyte behind LUN 0; *ended counts when it goes. */
static struct lun_map *one_disk(int *ended)
{
	struct store_cfg store = { .kind = "ram", .size = 1 << 20, .block_size = 512 };
	struct disk_cfg disk = { .block_size = 512, .naa = { 0x60 }, .gone = gone, .arg = ended };
	struct store_error err;
	struct lun_entry e = { .lun = 0 };
	struct lun_map *map;

	assert_int_equal(store_open(&store, &disk.store, &err), 0);
	assert_int_equal(disk_create(&disk, &e.lu), 0);
	assert_int_equal(lun_map_create(&e, 1, &map), 0);
	lu_unref(e.lu);
	return map;
}

static struct lun_map *no_disks(void)
{
	struct lun_map *map;

	assert_int_equal(lun_map_create(NULL, 0, &map), 0);
	return map;
}

static struct target_set *set_of(const struct iscsi_target *t, unsigned n)
{
	struct target_set *s;

	assert_int_equal(target_set_create(t, n, &s), 0);
	return s;
}

/* --- targets ---------------------------------------------------------------------------------- */

static void an_empty_set_finds_nothing(void **state)
{
	struct target_set *s = set_of(NULL, 0);

	(void)state;
	assert_int_equal(target_set_count(s), 0);
	assert_null(target_set_find(s, "iqn.2026-11.com.example:a"));
	target_set_unref(s);
}

static void every_one_of_many_targets_is_found_by_its_name(void **state)
{
	enum { MANY = 1000 };
	static char name[MANY][40];
	static struct iscsi_target t[MANY];
	struct lun_map *map = no_disks();
	struct target_set *s;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(name[i], sizeof(name[i]), "iqn.2026-11.com.example:t%d", i);
		t[i] = (struct iscsi_target){ .name = name[i], .luns = map };
	}
	s = set_of(t, MANY);
	assert_int_equal(target_set_count(s), MANY);
	for (unsigned i = 0; i < MANY; i++) {
		const struct iscsi_target *found = target_set_find(s, name[i]);

		assert_non_null(found);
		assert_ptr_equal(found, target_set_at(s, i));
		assert_string_equal(found->name, name[i]);
	}
	assert_null(target_set_find(s, "iqn.2026-11.com.example:t1000"));
	target_set_unref(s);
	lun_map_unref(map);
}

static void two_targets_of_one_name_are_refused(void **state)
{
	struct lun_map *map = no_disks();
	struct iscsi_target t[] = {
		{ .name = "iqn.2026-11.com.example:a", .luns = map },
		{ .name = "iqn.2026-11.com.example:b", .luns = map },
		{ .name = "iqn.2026-11.com.example:a", .luns = map },
	};
	struct target_set *s = NULL;

	(void)state;
	assert_int_equal(target_set_create(t, 3, &s), -EEXIST);
	assert_null(s);
	lun_map_unref(map);
}

static void a_set_is_a_copy(void **state)
{
	char name[] = "iqn.2026-11.com.example:a", alias[] = "first", svm[] = "svm1";
	char to[] = "192.0.2.9:3260,2";
	uint16_t groups[] = { 1, 7 };
	struct target_port ports[] = { { 7, 300 } };
	struct lun_map *map = no_disks();
	struct iscsi_target t = { .name = name,
		.alias = alias,
		.svm = svm,
		.luns = map,
		.chap = true,
		.groups = groups,
		.ngroups = 2,
		.ports = ports,
		.nports = 1,
		.max_sessions = 4,
		.redirect = TARGET_MOVED_PERMANENTLY,
		.redirect_to = to };
	struct target_set *s = set_of(&t, 1);
	const struct iscsi_target *c;

	(void)state;
	name[0] = alias[0] = svm[0] = to[0] = 'X';
	groups[1] = 9;
	ports[0].id = 1;
	c = target_set_find(s, "iqn.2026-11.com.example:a");
	assert_non_null(c);
	assert_string_equal(c->alias, "first");
	assert_string_equal(c->svm, "svm1");
	assert_string_equal(c->redirect_to, "192.0.2.9:3260,2");
	assert_int_equal(c->redirect, TARGET_MOVED_PERMANENTLY);
	assert_true(c->chap);
	assert_int_equal(c->max_sessions, 4);
	assert_true(target_in_group(c, 7));
	assert_false(target_in_group(c, 9));
	assert_int_equal(target_port_id(c, 7), 300);
	assert_int_equal(target_port_id(c, 1), 1); /* not listed */
	target_set_unref(s);
	lun_map_unref(map);
}

static void a_target_without_groups_is_in_all_of_them(void **state)
{
	struct iscsi_target t = { .name = "iqn.2026-11.com.example:a" };

	(void)state;
	assert_true(target_in_group(&t, 1));
	assert_true(target_in_group(&t, 65535));
}

static void a_set_keeps_the_units_of_its_targets(void **state)
{
	int ended = 0;
	struct lun_map *map = one_disk(&ended);
	struct iscsi_target t = { .name = "iqn.2026-11.com.example:a", .luns = map };
	struct target_set *s = set_of(&t, 1);

	(void)state;
	lun_map_unref(map);
	assert_int_equal(ended, 0);
	target_set_unref(s);
	assert_int_equal(ended, 1);
}

static void a_set_that_is_refused_keeps_nothing(void **state)
{
	int ended = 0;
	struct lun_map *map = one_disk(&ended);
	struct iscsi_target t[] = {
		{ .name = "iqn.2026-11.com.example:a", .luns = map },
		{ .name = "iqn.2026-11.com.example:a", .luns = map },
	};
	struct target_set *s;

	(void)state;
	assert_int_equal(target_set_create(t, 2, &s), -EEXIST);
	lun_map_unref(map);
	assert_int_equal(ended, 1);
}

/* --- snapshots ----------------------------------------------------------------------------- */

static const struct table *one_row(void)
{
	struct credential_spec row = { .scope = CREDENTIAL_OF_TARGET,
		.type = CREDENTIAL_CHAP,
		.scope_name = "iqn.2026-11.com.example:a",
		.initiator = "iqn.2026-11.com.example:h",
		.in_secret = { (const uint8_t *)"initiator-111111", 16 } };
	struct table_edit *e;

	assert_int_equal(table_edit_begin(NULL, &e), TABLE_OK);
	assert_int_equal(table_edit_put(e, &row, NULL), TABLE_OK);
	return table_edit_commit(e);
}

static void a_snapshot_copies_portals_and_policy(void **state)
{
	char address[] = "192.0.2.1:3260";
	struct iscsi_portal p[] = {
		{ .address = address, .port = 3260, .group = 1 },
		{ .address = NULL, .port = 3261, .ipv6 = true, .group = 2 },
	};
	struct iscsi_policy policy = iscsi_policy_default;
	struct target_set *s = set_of(NULL, 0);
	struct directory *d;

	(void)state;
	policy.login_timeout_ms = 1234;
	d = directory_create(s, NULL, p, 2, &policy);
	assert_non_null(d);
	policy.login_timeout_ms = 1;
	address[0] = 'X';
	p[1].group = 9;
	assert_int_equal(d->nportals, 2);
	assert_string_equal(d->portals[0].address, "192.0.2.1:3260");
	assert_null(d->portals[1].address);
	assert_true(d->portals[1].ipv6);
	assert_int_equal(d->portals[1].group, 2);
	assert_int_equal(d->policy.login_timeout_ms, 1234);
	assert_null(d->credentials);
	directory_unref(d);
	target_set_unref(s);
}

static void a_snapshot_lives_as_long_as_somebody_holds_it(void **state)
{
	int ended = 0;
	struct lun_map *map = one_disk(&ended);
	struct iscsi_target t = { .name = "iqn.2026-11.com.example:a", .luns = map };
	struct target_set *s = set_of(&t, 1);
	const struct table *rows = one_row();
	struct directory *d = directory_create(s, rows, NULL, 0, &iscsi_policy_default);

	(void)state;
	assert_non_null(d);
	lun_map_unref(map);
	target_set_unref(s);
	table_unref(rows);
	assert_ptr_equal(directory_ref(d), d);
	directory_unref(d);
	assert_int_equal(ended, 0);
	assert_non_null(target_set_find(d->targets, "iqn.2026-11.com.example:a"));
	assert_int_equal(table_count(d->credentials), 1);
	directory_unref(d);
	assert_int_equal(ended, 1);
}

static void two_snapshots_may_share_their_targets(void **state)
{
	int ended = 0;
	struct lun_map *map = one_disk(&ended);
	struct iscsi_target t = { .name = "iqn.2026-11.com.example:a", .luns = map };
	struct target_set *s = set_of(&t, 1);
	struct directory *old = directory_create(s, NULL, NULL, 0, &iscsi_policy_default);
	struct directory *next = directory_create(s, NULL, NULL, 0, &iscsi_policy_default);

	(void)state;
	lun_map_unref(map);
	target_set_unref(s);
	assert_ptr_equal(old->targets, next->targets);
	directory_unref(old);
	assert_int_equal(ended, 0);
	directory_unref(next);
	assert_int_equal(ended, 1);
}

static void giving_back_nothing_is_harmless(void **state)
{
	struct target_set *s = set_of(NULL, 0);

	(void)state;
	directory_unref(NULL);
	target_set_unref(NULL);
	assert_int_equal(target_set_count(s), 0);
	target_set_unref(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_set_finds_nothing),
		cmocka_unit_test(every_one_of_many_targets_is_found_by_its_name),
		cmocka_unit_test(two_targets_of_one_name_are_refused),
		cmocka_unit_test(a_set_is_a_copy),
		cmocka_unit_test(a_target_without_groups_is_in_all_of_them),
		cmocka_unit_test(a_set_keeps_the_units_of_its_targets),
		cmocka_unit_test(a_set_that_is_refused_keeps_nothing),
		cmocka_unit_test(a_snapshot_copies_portals_and_policy),
		cmocka_unit_test(a_snapshot_lives_as_long_as_somebody_holds_it),
		cmocka_unit_test(two_snapshots_may_share_their_targets),
		cmocka_unit_test(giving_back_nothing_is_harmless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
