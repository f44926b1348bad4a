/* SPDX-License-Identifier: BSD-2-Clause */
/* Each kind of row: what is put comes back, also after a restart; what must not be is refused. */
#include "catalog_support.h"

#include "catalog/audit.h"
#include "catalog/credential.h"
#include "catalog/mode.h"
#include "catalog/port.h"
#include "catalog/reservation.h"
#include "catalog/setting.h"
#include "catalog/tag.h"
#include "catalog/tape.h"
#include "catalog/token.h"
#include "catalog/volume.h"

/* What load() shows, as one text. */
static char shown[4096];

__attribute__((format(printf, 1, 2))) static void show(const char *fmt, ...)
{
	size_t have = strlen(shown);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(shown + have, sizeof(shown) - have, fmt, ap);
	va_end(ap);
}

static void assert_shown(
	struct rig *rig, int (*load)(struct catalog_tx *tx, void *arg), const char *text)
{
	shown[0] = '\0';
	assert_int_equal(rig_run(rig, load, NULL), 0);
	assert_string_equal(shown, text);
}

#define SECRET(text) \
	{ \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}

/* --- credentials ---------------------------------------------------------------------------- */

static void show_secret(const char *name, const struct catalog_secret *s)
{
	if (s->bytes)
		show(" %s=%.*s", name, (int)s->len, (const char *)s->bytes);
}

static int show_credential(const struct catalog_credential *c, void *arg)
{
	(void)arg;
	show("%d %s %s %d", (int)c->scope, c->scope_name, c->initiator, (int)c->type);
	show_secret("in", &c->in_secret);
	show_secret("old", &c->old_secret);
	show_secret("oldout", &c->old_out_secret);
	show_secret("out", &c->out_secret);
	show(" %s|%s|%s|%d|%s|%ld,%ld,%ld\n", c->in_user, c->out_user, c->sources, (int)c->origin,
		c->written_by, (long)c->old_until, (long)c->created, (long)c->changed);
	return 0;
}

static int load_credentials(struct catalog_tx *tx, void *arg)
{
	return catalog_credential_load(tx, show_credential, arg);
}

static int put_credential(struct catalog_tx *tx, void *arg)
{
	return catalog_credential_put(tx, arg);
}

static void a_credential_comes_back_after_a_restart_with_its_secrets(void **state)
{
	struct rig *rig = *state;
	struct catalog_credential c = { .scope = CATALOG_OF_SVM,
		.scope_name = "svm1",
		.initiator = "iqn.x:h",
		.in_user = "u",
		.in_secret = SECRET("in-secret-01"),
		.old_secret = SECRET("old-secret-0"),
		.old_out_secret = SECRET("older-secret"),
		.out_secret = SECRET("out-secret-0"),
		.old_until = 7,
		.out_user = "t",
		.sources = "10.0.0.1-10.0.0.9",
		.origin = CATALOG_FROM_ONTAP,
		.written_by = "admin",
		.created = 5,
		.changed = 6 };

	assert_int_equal(rig_run(rig, put_credential, &c), 0);
	rig_reopen(rig);
	assert_shown(rig, load_credentials,
		"1 svm1 iqn.x:h 0 in=in-secret-01 old=old-secret-0 oldout=older-secret "
		"out=out-secret-0 "
		"u|t|10.0.0.1-10.0.0.9|3|admin|7,5,6\n");
}

static void a_credential_that_is_put_again_is_replaced_but_for_its_birthday(void **state)
{
	struct rig *rig = *state;
	struct catalog_credential c = { .scope_name = "t",
		.initiator = "i",
		.created = 5,
		.in_secret = SECRET("first-secret"),
		.out_secret = SECRET("other-secret"),
		.origin = CATALOG_FROM_AWS,
		.changed = 5 };

	assert_int_equal(rig_run(rig, put_credential, &c), 0);
	c.in_secret = (struct catalog_secret)SECRET("second-secret");
	c.out_secret.bytes = NULL;
	c.created = c.changed = 9;
	assert_int_equal(rig_run(rig, put_credential, &c), 0);
	assert_shown(rig, load_credentials, "0 t i 0 in=second-secret |||2||0,5,9\n");
}

static void credentials_without_chap_have_no_secrets(void **state)
{
	struct rig *rig = *state;
	struct catalog_credential c = { .scope = CATALOG_OF_DISCOVERY,
		.initiator = "default",
		.type = CATALOG_DENY,
		.origin = CATALOG_FROM_NATIVE };

	assert_int_equal(rig_run(rig, put_credential, &c), 0);
	assert_shown(rig, load_credentials, "2  default 2 |||1||0,0,0\n");
}

static void the_longest_secret_is_kept_and_a_longer_one_refused(void **state)
{
	struct rig *rig = *state;
	static const uint8_t bytes[CATALOG_SECRET_MAX + 1] = { 0 };
	struct catalog_credential c = { .scope_name = "t",
		.initiator = "i",
		.in_secret = { bytes, sizeof(bytes) },
		.origin = CATALOG_FROM_AWS };

	assert_int_equal(rig_run(rig, put_credential, &c), -EINVAL);
	c.in_secret.len = CATALOG_SECRET_MAX;
	assert_int_equal(rig_run(rig, put_credential, &c), 0);
	rig_close(rig);
	assert_int_equal(
		rig_sql(rig, "SELECT length(in_secret) FROM credential"), CATALOG_SECRET_MAX + 37);
}

static void a_scope_that_does_not_exist_is_refused(void **state)
{
	struct catalog_credential c = {
		.scope = (enum catalog_scope)3, .initiator = "i", .origin = CATALOG_FROM_AWS
	};

	assert_int_equal(rig_run(*state, put_credential, &c), -EINVAL);
}

static int remove_one(struct catalog_tx *tx, void *arg)
{
	return catalog_credential_remove(tx, CATALOG_OF_TARGET, "t", arg);
}

static void put_three(struct rig *rig)
{
	static const char *const rows[3][2] = { { "t", "a" }, { "t", "b" }, { "u", "a" } };

	for (size_t i = 0; i < 3; i++) {
		struct catalog_credential c = { .scope_name = rows[i][0],
			.initiator = rows[i][1],
			.type = CATALOG_NONE,
			.origin = CATALOG_FROM_NATIVE };

		assert_int_equal(rig_run(rig, put_credential, &c), 0);
	}
}

static void one_credential_is_removed_and_then_not_there(void **state)
{
	put_three(*state);
	assert_int_equal(rig_run(*state, remove_one, (char[]){ "a" }), 0);
	assert_int_equal(rig_run(*state, remove_one, (char[]){ "a" }), -ENOENT);
	assert_shown(*state, load_credentials, "0 t b 1 |||1||0,0,0\n0 u a 1 |||1||0,0,0\n");
}

static int stop_at_first(const struct catalog_credential *c, void *arg)
{
	(void)c;
	++*(int *)arg;
	return -ECANCELED;
}

static int load_stopping(struct catalog_tx *tx, void *arg)
{
	return catalog_credential_load(tx, stop_at_first, arg);
}

static void a_row_function_can_stop_the_loading(void **state)
{
	int calls = 0;

	put_three(*state);
	assert_int_equal(rig_run(*state, load_stopping, &calls), -ECANCELED);
	assert_int_equal(calls, 1);
}

/* --- audit ---------------------------------------------------------------------------------- */

static int show_audit(const struct catalog_audit *a, void *arg)
{
	(void)arg;
	show("%ld %ld %s %s %s %s %s\n", (long)a->id, (long)a->time, a->who, a->what, a->object,
		a->detail, a->result);
	return 0;
}

static int list_audit(struct catalog_tx *tx, void *arg)
{
	static const struct catalog_audit_query all;

	return catalog_audit_list(tx, arg ? arg : &all, show_audit, NULL);
}

static int add_audit(struct catalog_tx *tx, void *arg)
{
	return catalog_audit_add(tx, arg);
}

static void put_audit(struct rig *rig, int64_t time, const char *object)
{
	struct catalog_audit a = { .time = time,
		.who = "uid 0",
		.what = "put",
		.object = object,
		.detail = "{}",
		.result = "done" };

	assert_int_equal(rig_run(rig, add_audit, &a), 0);
}

static void the_audit_is_listed_newest_first(void **state)
{
	put_audit(*state, 50, "a");
	put_audit(*state, 40, "b");
	rig_reopen(*state);
	assert_shown(*state, list_audit, "2 40 uid 0 put b {} done\n1 50 uid 0 put a {} done\n");
}

static void the_audit_is_listed_by_pages_and_objects(void **state)
{
	struct catalog_audit_query q = { .object = "a", .limit = 2 };

	for (int i = 1; i <= 7; i++)
		put_audit(*state, i, i % 2 ? "a" : "b");
	shown[0] = '\0';
	assert_int_equal(rig_run(*state, list_audit, &q), 0);
	show("--\n");
	q.before = 5;
	assert_int_equal(rig_run(*state, list_audit, &q), 0);
	assert_string_equal(shown, "7 7 uid 0 put a {} done\n5 5 uid 0 put a {} done\n--\n"
				   "3 3 uid 0 put a {} done\n1 1 uid 0 put a {} done\n");
}

static void the_audit_tells_the_time_itself(void **state)
{
	put_audit(*state, 0, "a");
	rig_close(*state);
	assert_true(rig_sql(*state, "SELECT time FROM audit") > 1600000000);
}

static void the_audit_keeps_so_many_rows_and_no_more(void **state)
{
	struct rig *rig = *state;

	rig_close(rig);
	rig->cfg.audit_rows = 3;
	assert_int_equal(rig_open(rig), 0);
	for (int i = 1; i <= 10; i++)
		put_audit(rig, i, "a");
	rig_close(rig);
	assert_int_equal(rig_sql(rig, "SELECT count(*) FROM audit"), 3);
	assert_int_equal(rig_sql(rig, "SELECT min(id) FROM audit"), 8);
}

struct audited {
	struct catalog_credential c;
	struct catalog_audit a;
	int outcome;
};

static int change_and_audit(struct catalog_tx *tx, void *arg)
{
	struct audited *both = arg;
	int err = catalog_credential_put(tx, &both->c);

	if (!err)
		err = catalog_audit_add(tx, &both->a);
	return err ? err : both->outcome;
}

static void a_change_that_fails_leaves_no_audit_row(void **state)
{
	struct audited both = { .c = { .scope_name = "t",
					.initiator = "i",
					.type = CATALOG_NONE,
					.origin = CATALOG_FROM_AWS },
		.a = { .who = "w" },
		.outcome = -ECANCELED };

	assert_int_equal(rig_run(*state, change_and_audit, &both), -ECANCELED);
	assert_shown(*state, load_credentials, "");
	assert_shown(*state, list_audit, "");
}

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

/* --- volumes and disks ---------------------------------------------------------------------- */

static int show_volume(const struct catalog_volume *v, void *arg)
{
	(void)arg;
	show("%s %s %d %s/%s %s %llu/%u %s,%u %s %d%d%d %ld\n", v->id, v->gateway, (int)v->kind,
		v->pool, v->file, v->disk, (unsigned long long)v->size, v->block_size, v->target,
		v->lun, v->portal, v->attached, v->read_only, v->preserved, (long)v->created);
	return 0;
}

static int load_volumes(struct catalog_tx *tx, void *arg)
{
	return catalog_volume_load(tx, show_volume, arg);
}

static int add_volume(struct catalog_tx *tx, void *arg)
{
	return catalog_volume_add(tx, arg);
}

static int put_volume(struct catalog_tx *tx, void *arg)
{
	return catalog_volume_put(tx, arg);
}

static int remove_volume(struct catalog_tx *tx, void *arg)
{
	return catalog_volume_remove(tx, arg);
}

static struct catalog_volume pool_volume(const char *id, const char *file, const char *target)
{
	return (struct catalog_volume){ .id = id,
		.gateway = "g",
		.pool = "p",
		.file = file,
		.size = 1 << 30,
		.block_size = 512,
		.target = target,
		.attached = true,
		.created = 3 };
}

static struct catalog_volume disk_volume(const char *id, const char *disk, const char *target)
{
	return (struct catalog_volume){ .id = id,
		.gateway = "g",
		.kind = CATALOG_VOLUME_DISK,
		.disk = disk,
		.size = 4096,
		.block_size = 512,
		.target = target,
		.attached = true };
}

static void a_volume_is_added_changed_and_removed(void **state)
{
	struct catalog_volume v = pool_volume("vol-1", "f", "iqn.x:t");

	assert_int_equal(rig_run(*state, put_volume, &v), -ENOENT);
	assert_int_equal(rig_run(*state, add_volume, &v), 0);
	v.size = (uint64_t)1 << 40;
	v.lun = 16383;
	v.portal = "10.0.0.1";
	v.read_only = true;
	assert_int_equal(rig_run(*state, put_volume, &v), 0);
	rig_reopen(*state);
	assert_shown(*state, load_volumes,
		"vol-1 g 0 p/f  1099511627776/512 iqn.x:t,16383 10.0.0.1 110 3\n");
	assert_int_equal(rig_run(*state, remove_volume, (char[]){ "vol-1" }), 0);
	assert_int_equal(rig_run(*state, remove_volume, (char[]){ "vol-1" }), -ENOENT);
	assert_shown(*state, load_volumes, "");
}

static void a_volumes_id_file_and_target_are_taken(void **state)
{
	struct catalog_volume v = pool_volume("vol-1", "f", "iqn.x:t");
	struct catalog_volume same_id = pool_volume("vol-1", "g", "iqn.x:u");
	struct catalog_volume same_file = pool_volume("vol-2", "f", "iqn.x:u");
	struct catalog_volume same_target = pool_volume("vol-2", "g", "iqn.x:t");

	assert_int_equal(rig_run(*state, add_volume, &v), 0);
	assert_int_equal(rig_run(*state, add_volume, &same_id), -EEXIST);
	assert_int_equal(rig_run(*state, add_volume, &same_file), -EEXIST);
	assert_int_equal(rig_run(*state, add_volume, &same_target), -EEXIST);
	same_target.lun = 1;
	assert_int_equal(rig_run(*state, add_volume, &same_target), 0);
}

static void a_detached_volume_takes_no_target(void **state)
{
	struct catalog_volume v = pool_volume("vol-1", "f", "iqn.x:t");
	struct catalog_volume w = pool_volume("vol-2", "g", "iqn.x:t");

	v.attached = false;
	assert_int_equal(rig_run(*state, add_volume, &v), 0);
	assert_int_equal(rig_run(*state, add_volume, &w), 0);
	v.attached = true;
	assert_int_equal(rig_run(*state, put_volume, &v), -EEXIST);
}

static int show_disk(const struct catalog_disk *d, void *arg)
{
	(void)arg;
	show("%s %s %s\n", d->gateway, d->id, d->use);
	return 0;
}

static int load_disks(struct catalog_tx *tx, void *arg)
{
	return catalog_disk_load(tx, show_disk, arg);
}

static int allocate_disk(struct catalog_tx *tx, void *arg)
{
	return catalog_disk_allocate(
		tx, &(struct catalog_disk){ .gateway = "g", .id = arg, .use = "CACHE STORAGE" });
}

static int free_disk(struct catalog_tx *tx, void *arg)
{
	return catalog_disk_free(tx, "g", arg);
}

static void a_disk_serves_once(void **state)
{
	struct catalog_volume v = disk_volume("vol-1", "sdb", "iqn.x:t");
	struct catalog_volume w = disk_volume("vol-2", "sdb", "iqn.x:u");

	assert_int_equal(rig_run(*state, add_volume, &v), 0);
	assert_int_equal(rig_run(*state, add_volume, &w), -EEXIST);
	assert_int_equal(rig_run(*state, allocate_disk, (char[]){ "sdb" }), -EEXIST);
	assert_int_equal(rig_run(*state, free_disk, (char[]){ "sdb" }), -ENOENT);
	assert_int_equal(rig_run(*state, allocate_disk, (char[]){ "sdc" }), 0);
	assert_shown(*state, load_disks, "g sdc CACHE STORAGE\n");
}

static void a_disk_is_free_when_its_volume_is_gone(void **state)
{
	struct catalog_volume v = disk_volume("vol-1", "sdb", "iqn.x:t");

	assert_int_equal(rig_run(*state, add_volume, &v), 0);
	assert_int_equal(rig_run(*state, remove_volume, (char[]){ "vol-1" }), 0);
	assert_int_equal(rig_run(*state, allocate_disk, (char[]){ "sdb" }), 0);
	assert_int_equal(rig_run(*state, free_disk, (char[]){ "sdb" }), 0);
	assert_shown(*state, load_disks, "");
}

static int add_volume_or_another(struct catalog_tx *tx, void *arg)
{
	struct catalog_volume *v = arg;
	int err = catalog_volume_add(tx, v);

	if (err == -EEXIST) {
		v->disk = "sdc";
		err = catalog_volume_add(tx, v);
	}
	return err;
}

static void a_call_that_fails_leaves_nothing_in_its_transaction(void **state)
{
	struct catalog_volume v = disk_volume("vol-1", "sdb", "iqn.x:t");

	assert_int_equal(rig_run(*state, allocate_disk, (char[]){ "sdb" }), 0);
	assert_int_equal(rig_run(*state, add_volume_or_another, &v), 0);
	assert_shown(*state, load_volumes, "vol-1 g 1 / sdc 4096/512 iqn.x:t,0  100 0\n");
}

/* --- tags, tokens, settings ----------------------------------------------------------------- */

static int show_tag(const char *resource, const char *key, const char *value, void *arg)
{
	(void)arg;
	show("%s %s=%s\n", resource, key, value);
	return 0;
}

static int load_tags(struct catalog_tx *tx, void *arg)
{
	return catalog_tag_load(tx, arg, show_tag, NULL);
}

static int put_tags(struct catalog_tx *tx, void *arg)
{
	(void)arg;
	assert_int_equal(catalog_tag_put(tx, "arn:b", "k", "1"), 0);
	assert_int_equal(catalog_tag_put(tx, "arn:a", "z", "2"), 0);
	assert_int_equal(catalog_tag_put(tx, "arn:a", "k", "3"), 0);
	return catalog_tag_put(tx, "arn:a", "k", "4");
}

static int remove_tag(struct catalog_tx *tx, void *arg)
{
	return catalog_tag_remove(tx, "arn:a", arg);
}

static int remove_tags(struct catalog_tx *tx, void *arg)
{
	return catalog_tag_remove_all(tx, arg);
}

static void tags_are_set_listed_and_removed_by_resource(void **state)
{
	assert_int_equal(rig_run(*state, put_tags, NULL), 0);
	rig_reopen(*state);
	assert_shown(*state, load_tags, "arn:a k=4\narn:a z=2\narn:b k=1\n");
	shown[0] = '\0';
	assert_int_equal(rig_run(*state, load_tags, (char[]){ "arn:b" }), 0);
	assert_string_equal(shown, "arn:b k=1\n");
	assert_int_equal(rig_run(*state, remove_tag, (char[]){ "k" }), 0);
	assert_int_equal(rig_run(*state, remove_tag, (char[]){ "k" }), 0);
	assert_int_equal(rig_run(*state, remove_tags, (char[]){ "arn:b" }), 0);
	assert_shown(*state, load_tags, "arn:a z=2\n");
}

static const struct catalog_token token = { .scope = "CreateTapes",
	.token = "12345",
	.hash = { 1, [31] = 2 },
	.answer = "{\"a\":1}",
	.expires = 100 };

static int add_token(struct catalog_tx *tx, void *arg)
{
	return catalog_token_add(tx, arg);
}

static int find_token_before_its_end(struct catalog_tx *tx, void *arg)
{
	return catalog_token_find(tx, "CreateTapes", "12345", 99, (uint8_t *)shown, arg);
}

static int find_token_at_its_end(struct catalog_tx *tx, void *arg)
{
	return catalog_token_find(tx, "CreateTapes", "12345", 100, (uint8_t *)shown, arg);
}

static int find_token_elsewhere(struct catalog_tx *tx, void *arg)
{
	return catalog_token_find(tx, "CreateVolume", "12345", 99, (uint8_t *)shown, arg);
}

static int expire_tokens(struct catalog_tx *tx, void *arg)
{
	(void)arg;
	return catalog_token_expire(tx, 100);
}

static int remove_token(struct catalog_tx *tx, void *arg)
{
	(void)arg;
	return catalog_token_remove(tx, "CreateTapes", "12345");
}

static void a_token_that_is_removed_may_be_used_again(void **state)
{
	char *answer = NULL;

	assert_int_equal(rig_run(*state, remove_token, NULL), 0);
	assert_int_equal(rig_run(*state, add_token, (void *)&token), 0);
	assert_int_equal(rig_run(*state, remove_token, NULL), 0);
	assert_int_equal(rig_run(*state, find_token_before_its_end, &answer), -ENOENT);
	assert_int_equal(rig_run(*state, add_token, (void *)&token), 0);
}

static void a_token_gives_the_answer_until_it_expires(void **state)
{
	char *answer = NULL;

	assert_int_equal(rig_run(*state, add_token, (void *)&token), 0);
	rig_reopen(*state);
	assert_int_equal(rig_run(*state, find_token_at_its_end, &answer), -ENOENT);
	assert_int_equal(rig_run(*state, find_token_elsewhere, &answer), -ENOENT);
	assert_int_equal(rig_run(*state, find_token_before_its_end, &answer), 0);
	assert_string_equal(answer, "{\"a\":1}");
	assert_memory_equal(shown, token.hash, sizeof(token.hash));
	free(answer);
}

static void a_token_can_be_used_again_when_the_old_ones_are_gone(void **state)
{
	assert_int_equal(rig_run(*state, add_token, (void *)&token), 0);
	assert_int_equal(rig_run(*state, add_token, (void *)&token), -EEXIST);
	assert_int_equal(rig_run(*state, expire_tokens, NULL), 0);
	assert_int_equal(rig_run(*state, add_token, (void *)&token), 0);
}

static int show_setting(const char *name, const char *value, void *arg)
{
	(void)arg;
	show("%s=%s\n", name, value);
	return 0;
}

static int load_settings(struct catalog_tx *tx, void *arg)
{
	return catalog_setting_load(tx, arg ? arg : "", show_setting, NULL);
}

static int put_settings(struct catalog_tx *tx, void *arg)
{
	(void)arg;
	assert_int_equal(catalog_setting_put(tx, "alua/2", "standby"), 0);
	assert_int_equal(catalog_setting_put(tx, "alua_3", "x"), 0);
	assert_int_equal(catalog_setting_put(tx, "gateway/name", "n"), 0);
	return catalog_setting_put(tx, "alua/2", "optimised");
}

static int remove_setting(struct catalog_tx *tx, void *arg)
{
	return catalog_setting_remove(tx, arg);
}

static void settings_are_set_listed_and_removed_by_name(void **state)
{
	assert_int_equal(rig_run(*state, put_settings, NULL), 0);
	rig_reopen(*state);
	shown[0] = '\0';
	assert_int_equal(rig_run(*state, load_settings, (char[]){ "alua/" }), 0);
	assert_string_equal(shown, "alua/2=optimised\n");
	assert_int_equal(rig_run(*state, remove_setting, (char[]){ "alua/2" }), 0);
	assert_int_equal(rig_run(*state, remove_setting, (char[]){ "alua/2" }), 0);
	assert_shown(*state, load_settings, "alua_3=x\ngateway/name=n\n");
}

/* --- tapes ---------------------------------------------------------------------------------- */

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

#define ROW_TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin_open, rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW_TEST(a_credential_comes_back_after_a_restart_with_its_secrets),
		ROW_TEST(a_credential_that_is_put_again_is_replaced_but_for_its_birthday),
		ROW_TEST(credentials_without_chap_have_no_secrets),
		ROW_TEST(the_longest_secret_is_kept_and_a_longer_one_refused),
		ROW_TEST(a_scope_that_does_not_exist_is_refused),
		ROW_TEST(one_credential_is_removed_and_then_not_there),
		ROW_TEST(a_row_function_can_stop_the_loading),
		ROW_TEST(the_audit_is_listed_newest_first),
		ROW_TEST(the_audit_is_listed_by_pages_and_objects),
		ROW_TEST(the_audit_tells_the_time_itself),
		ROW_TEST(the_audit_keeps_so_many_rows_and_no_more),
		ROW_TEST(a_change_that_fails_leaves_no_audit_row),
		ROW_TEST(a_ports_identifier_comes_back_after_a_restart),
		ROW_TEST(no_two_ports_have_the_same_identifier),
		ROW_TEST(a_units_reservation_comes_back_after_a_restart),
		ROW_TEST(a_units_reservation_is_replaced_as_a_whole),
		ROW_TEST(a_registrant_that_is_there_twice_changes_nothing),
		ROW_TEST(a_unit_may_have_many_registrants),
		ROW_TEST(saved_mode_pages_come_back_after_a_restart),
		ROW_TEST(a_units_saved_mode_pages_are_replaced_as_a_whole),
		ROW_TEST(a_volume_is_added_changed_and_removed),
		ROW_TEST(a_volumes_id_file_and_target_are_taken),
		ROW_TEST(a_detached_volume_takes_no_target),
		ROW_TEST(a_disk_serves_once),
		ROW_TEST(a_disk_is_free_when_its_volume_is_gone),
		ROW_TEST(a_call_that_fails_leaves_nothing_in_its_transaction),
		ROW_TEST(tags_are_set_listed_and_removed_by_resource),
		ROW_TEST(a_token_gives_the_answer_until_it_expires),
		ROW_TEST(a_token_that_is_removed_may_be_used_again),
		ROW_TEST(a_token_can_be_used_again_when_the_old_ones_are_gone),
		ROW_TEST(settings_are_set_listed_and_removed_by_name),
		ROW_TEST(a_cartridge_is_added_changed_and_removed),
		ROW_TEST(a_barcode_is_never_used_again),
		ROW_TEST(a_place_holds_one_cartridge_and_the_vault_many),
		ROW_TEST(two_cartridges_change_places_at_once),
		ROW_TEST(a_move_to_where_another_stays_moves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
