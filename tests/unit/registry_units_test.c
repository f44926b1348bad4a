/* SPDX-License-Identifier: BSD-2-Clause */
/* Units and stores from one configuration to the next: what is carried over, what is made, what is
 * left behind. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "registry/units.h"
#include "registry_support.h"

struct fixture {
	struct place place;
	struct units_env env;
	struct config *cfg[4];
	unsigned n_cfg;
};

static int begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || place_begin(&f->place))
		return -1;
	*state = f;
	units_env_init(&f->env);
	f->env.loop = f->place.loop;
	memset(f->env.identity, 0x11, sizeof(f->env.identity));
	if (work_pool_create(2, &f->env.pool))
		return -1;
	return store_engine_create(f->env.pool, STORE_ENGINE_THREADS, &f->env.engine);
}

/* Everything that was let go of must be closed by now, or soon. */
static void settle(struct fixture *f)
{
	for (int i = 0; i < 10000; i++)
		if (!loop_step(f->place.loop) && !f->env.closing)
			break;
		else if (f->env.closing)
			poll(NULL, 0, 1);
	assert_int_equal(f->env.closing, 0);
}

static int end(void **state)
{
	struct fixture *f = *state;
	int err;

	settle(f);
	work_pool_free(f->env.pool);
	store_engine_free(f->env.engine);
	for (unsigned i = 0; i < f->n_cfg; i++)
		config_free(f->cfg[i]);
	err = place_end(&f->place);
	free(f);
	return err;
}

static const struct config *cfg_of(struct fixture *f, const char *text)
{
	f->cfg[f->n_cfg] = configured(&f->place, text);
	return f->cfg[f->n_cfg++];
}

static struct units *prepared(struct fixture *f, const struct config *cfg, struct units *old)
{
	struct units *u = NULL;
	int err = units_prepare(&f->env, cfg, NULL, old, &u, &f->place.faults);

	if (!err)
		err = units_enlarge(u, &f->place.faults);
	must(&f->place, err);
	return u;
}

/* The unit of LUN j of target i. */
static struct lu *unit(const struct units *u, const struct config *cfg, size_t i, size_t j)
{
	return units_find(u, &cfg->targets[i].luns[j]);
}

#define TARGET(name, luns) \
	"{ name = \"iqn.2026-11.com.example:" name "\"; auth = \"none\"; luns = (" luns "); }"
#define TARGETS(list) HEAD "targets = (" list ");\n"
#define RAM(n, more)  "{ lun = " n "; type = \"disk\"; store = \"ram\"; size = \"1M\"; " more " }"
#define FILE_OF(n, path, more) \
	"{ lun = " n "; type = \"disk\"; store = \"file\"; path = \"" path "\"; " more " }"
#define NEW "create = true; size = \"1M\";"

/* --- identity ------------------------------------------------------------------------------- */

static void an_identity_is_naa_6_with_an_assigned_company(void **state)
{
	struct fixture *f = *state;
	const struct config *cfg = cfg_of(f, TARGETS(TARGET("a", RAM("0", ""))));
	struct units *u = prepared(f, cfg, NULL);
	const uint8_t *naa = lu_naa(unit(u, cfg, 0, 0));

	assert_int_equal(naa[0], 0x60);
	assert_int_equal(naa[1], 0x24);
	assert_int_equal(naa[2], 0x35);
	assert_int_equal(naa[3] >> 4, 0x3);
	units_free(u);
}

static void an_identity_is_the_same_whenever_it_is_derived(void **state)
{
	struct fixture *f = *state;
	const struct config *cfg = cfg_of(f, TARGETS(TARGET("a", RAM("0", ""))));
	struct units *u = prepared(f, cfg, NULL);
	/* SHA-256 of sixteen bytes 11h and "iqn.2026-11.com.example:a\n0\n", computed elsewhere. */
	static const uint8_t expected[12] = { 0xa0, 0x7f, 0x13, 0x89, 0x5c, 0xe4, 0x5d, 0xba, 0x22,
		0xef, 0x8e, 0xed };
	uint8_t first[16];

	memcpy(first, lu_naa(unit(u, cfg, 0, 0)), sizeof(first));
	assert_memory_equal(first + 4, expected, sizeof(expected));
	units_free(u);
	settle(f);
	u = prepared(f, cfg, NULL);
	assert_memory_equal(lu_naa(unit(u, cfg, 0, 0)), first, sizeof(first));
	units_free(u);
}

static void identities_differ_by_target_by_lun_and_by_owner(void **state)
{
	struct fixture *f = *state;
	const struct config *cfg = cfg_of(f,
		TARGETS(TARGET("a", RAM("0", "") "," RAM("1", "")) "," TARGET("b", RAM("0", ""))));
	struct units *u = prepared(f, cfg, NULL), *other;

	assert_memory_not_equal(lu_naa(unit(u, cfg, 0, 0)), lu_naa(unit(u, cfg, 0, 1)), 16);
	assert_memory_not_equal(lu_naa(unit(u, cfg, 0, 0)), lu_naa(unit(u, cfg, 1, 0)), 16);
	f->env.identity[15] ^= 1;
	other = prepared(f, cfg, NULL);
	assert_memory_not_equal(lu_naa(unit(u, cfg, 0, 0)), lu_naa(unit(other, cfg, 0, 0)), 16);
	units_free(u);
	units_free(other);
}

static void an_identity_that_is_given_is_taken(void **state)
{
	static const uint8_t long_one[16] = { 0x60, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
		0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f };
	static const uint8_t short_one[16] = { 0x3f, 0xff, 0x01 };
	struct fixture *f = *state;
	const struct config *cfg = cfg_of(f,
		TARGETS(TARGET("a", RAM("0", "naa = \"600102030405060708090a0b0c0d0e0f\";") "," RAM(
					    "1", "naa = \"3fff010000000000\";"))));
	struct units *u = prepared(f, cfg, NULL);

	assert_memory_equal(lu_naa(unit(u, cfg, 0, 0)), long_one, 16);
	assert_memory_equal(lu_naa(unit(u, cfg, 0, 1)), short_one, 16);
	units_free(u);
}

static void two_luns_of_one_unit_are_one(void **state)
{
	struct fixture *f = *state;
	const struct config *cfg =
		cfg_of(f, TARGETS(TARGET("a", RAM("0", "name = \"x\";")) "," TARGET(
				  "b", "{ lun = 7; same_as = \"x\"; }")));
	struct units *u = prepared(f, cfg, NULL);

	assert_int_equal(units_count(u), 1);
	assert_ptr_equal(unit(u, cfg, 0, 0), unit(u, cfg, 1, 0));
	units_free(u);
}

/* --- from one to the next ------------------------------------------------------------------- */

static struct units *go_over(struct fixture *f, struct units *old, const struct config *next)
{
	struct units *u = prepared(f, next, old);

	units_commit(u, NULL, NULL);
	units_free(old);
	settle(f);
	return u;
}

static void what_did_not_change_is_carried_over(void **state)
{
	struct fixture *f = *state;
	const struct config *before = cfg_of(f, TARGETS(TARGET("a", RAM("0", "")))),
			    *after = cfg_of(f, TARGETS(TARGET("b", RAM("0", "")) "," TARGET(
						       "a", RAM("5", "") "," RAM("0", ""))));
	struct units *u = prepared(f, before, NULL);
	struct lu *lu = unit(u, before, 0, 0);

	u = go_over(f, u, after);
	assert_ptr_equal(unit(u, after, 1, 1), lu);
	assert_ptr_not_equal(unit(u, after, 0, 0), lu);
	units_free(u);
}

static void another_attribute_makes_another_unit_over_the_same_data(void **state)
{
	struct fixture *f = *state;
	const struct config *before = cfg_of(f, TARGETS(TARGET("a", RAM("0", "")))),
			    *after = cfg_of(
				    f, TARGETS(TARGET("a", RAM("0", "vendor = \"OTHER\";"))));
	struct units *u = prepared(f, before, NULL);
	struct lu *lu = unit(u, before, 0, 0);
	struct store *st = lu_store(lu);
	struct iovec iov;

	assert_int_equal(store_map(st, 4096, 4096, &iov, 1), 1);
	memset(iov.iov_base, 0x5a, 4096);
	u = go_over(f, u, after);
	assert_ptr_equal(lu_store(unit(u, after, 0, 0)), st);
	assert_int_equal(store_map(st, 4096, 4096, &iov, 1), 1);
	assert_int_equal(((const uint8_t *)iov.iov_base)[4095], 0x5a);
	units_free(u);
}

static void a_unit_outlives_its_set_as_long_as_somebody_has_it(void **state)
{
	struct fixture *f = *state;
	const struct config *cfg = cfg_of(f, TARGETS(TARGET("a", FILE_OF("0", "f.img", NEW)))),
			    *other = cfg_of(
				    f, TARGETS(TARGET("a",
					       FILE_OF("0", "f.img", NEW "block_size = 4096;"))));
	struct units *u = prepared(f, cfg, NULL), *second = NULL;
	struct lu *lu = lu_ref(unit(u, cfg, 0, 0));

	units_commit(u, NULL, NULL);
	units_free(u);
	settle(f);
	/* It is still open, so that it cannot be opened in another way. */
	assert_int_equal(units_prepare(&f->env, other, NULL, NULL, &second, &f->place.faults), -EBUSY);
	assert_fault(&f->place, 2, "already open");
	lu_unref(lu);
	settle(f);
	units_free(prepared(f, other, NULL));
}

static void a_store_that_somebody_still_has_comes_back(void **state)
{
	struct fixture *f = *state;
	const struct config *cfg = cfg_of(f, TARGETS(TARGET("a", FILE_OF("0", "f.img", NEW))));
	struct units *u = prepared(f, cfg, NULL);
	struct lu *lu = lu_ref(unit(u, cfg, 0, 0));

	units_commit(u, NULL, NULL);
	units_free(u);
	settle(f);
	u = prepared(f, cfg, NULL);
	assert_ptr_not_equal(unit(u, cfg, 0, 0), lu);
	assert_ptr_equal(lu_store(unit(u, cfg, 0, 0)), lu_store(lu));
	lu_unref(lu);
	units_free(u);
}

static void seen(struct units_wait *w)
{
	list_init(&w->link);
	w->run = NULL;
}

static void who_waits_for_stores_to_close_is_called_when_they_are(void **state)
{
	struct fixture *f = *state;
	const struct config *cfg = cfg_of(f, TARGETS(TARGET("a", FILE_OF("0", "f.img", NEW))));
	struct units_wait nothing = { .run = seen }, closed = { .run = seen };
	struct units *u = prepared(f, cfg, NULL);

	units_when_closed(&f->env, &nothing);
	assert_null(nothing.run);
	units_free(u);
	loop_step(f->place.loop);
	units_when_closed(&f->env, &closed);
	settle(f);
	assert_null(closed.run);
	units_free(prepared(f, cfg, NULL));
}

static void a_file_moves_with_its_store_open(void **state)
{
	struct fixture *f = *state;
	const struct config *before = cfg_of(f, TARGETS(TARGET("a", FILE_OF("0", "f.img", NEW)))),
			    *after = cfg_of(f, TARGETS(TARGET("b", FILE_OF("3", "f.img", NEW))));
	struct units *u = prepared(f, before, NULL);
	struct store *st = lu_store(unit(u, before, 0, 0));

	units_commit(u, NULL, NULL);
	u = go_over(f, u, after);
	assert_ptr_equal(lu_store(unit(u, after, 0, 0)), st);
	units_free(u);
}

static void a_store_that_must_be_opened_otherwise_cannot_change_hands(void **state)
{
	struct fixture *f = *state;
	const struct config *before = cfg_of(f, TARGETS(TARGET("a", FILE_OF("0", "f.img", NEW)))),
			    *after = cfg_of(
				    f, TARGETS(TARGET("a",
					       FILE_OF("0", "f.img", NEW "block_size = 4096;"))));
	struct units *u = prepared(f, before, NULL), *next = NULL;

	units_commit(u, NULL, NULL);
	assert_int_equal(units_prepare(&f->env, after, NULL, u, &next, &f->place.faults), -EBUSY);
	assert_null(next);
	assert_fault(&f->place, 2, "block_size");
	units_free(u);
}

static void a_size_changes_in_both_directions(void **state)
{
	struct fixture *f = *state;
	const struct config *small = cfg_of(f, TARGETS(TARGET("a", FILE_OF("0", "f.img", NEW)))),
			    *large = cfg_of(f,
				    TARGETS(TARGET("a", FILE_OF("0", "f.img",
								"create = true; size = \"3M\";"))));
	struct units *u = prepared(f, small, NULL);
	struct lu *lu = unit(u, small, 0, 0);

	units_commit(u, NULL, NULL);
	u = go_over(f, u, large);
	assert_ptr_equal(unit(u, large, 0, 0), lu);
	assert_int_equal(lu_size(lu), 3 << 20);
	u = go_over(f, u, small);
	assert_int_equal(lu_size(lu), 1 << 20);
	units_free(u);
}

/* --- what comes to nothing ------------------------------------------------------------------ */

static void a_set_that_is_abandoned_leaves_the_other_as_it_was(void **state)
{
	struct fixture *f = *state;
	const struct config *before = cfg_of(f, TARGETS(TARGET("a", RAM("0", "")))),
			    *after = cfg_of(
				    f, TARGETS(TARGET("a",
					       "{ lun = 0; type = \"disk\"; store = \"ram\"; size "
					       "= \"2M\"; }," FILE_OF("1", "f.img", NEW))));
	struct units *u = prepared(f, before, NULL), *next;
	struct lu *lu = unit(u, before, 0, 0);

	units_commit(u, NULL, NULL);
	next = prepared(f, after, u);
	assert_int_equal(access(in(&f->place, "f.img"), F_OK), 0);
	assert_int_equal(lu_size(lu), 1 << 20);
	units_abandon(next);
	settle(f);
	assert_int_equal(access(in(&f->place, "f.img"), F_OK), -1);
	assert_int_equal(store_size(lu_store(lu)), 1 << 20);
	units_free(u);
}

static void a_file_that_was_there_is_never_removed(void **state)
{
	struct fixture *f = *state;
	const struct config *cfg = cfg_of(f, TARGETS(TARGET("a", FILE_OF("0", "f.img", NEW))));
	struct units *u = prepared(f, cfg, NULL);

	units_commit(u, NULL, NULL);
	units_free(u);
	settle(f);
	units_abandon(prepared(f, cfg, NULL));
	settle(f);
	assert_int_equal(access(in(&f->place, "f.img"), F_OK), 0);
}

static void every_unit_that_cannot_be_is_a_fault_and_no_file_is_left(void **state)
{
	struct fixture *f = *state;
	const struct config *cfg =
		cfg_of(f, HEAD "targets = (\n" TARGET(
				  "a", FILE_OF("0", "new.img", NEW) ",\n" FILE_OF("1", "one.img",
					       "") ",\n" FILE_OF("2", "two.img", "")) ");\n");
	struct units *u = NULL;

	assert_int_equal(units_prepare(&f->env, cfg, NULL, NULL, &u, &f->place.faults), -ENOENT);
	assert_null(u);
	assert_int_equal(f->place.faults.n, 2);
	assert_int_equal(f->place.faults.v[0].line + f->place.faults.v[1].line, 4 + 5);
	settle(f);
	assert_int_equal(access(in(&f->place, "new.img"), F_OK), -1);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(an_identity_is_naa_6_with_an_assigned_company),
		TEST(an_identity_is_the_same_whenever_it_is_derived),
		TEST(identities_differ_by_target_by_lun_and_by_owner),
		TEST(an_identity_that_is_given_is_taken),
		TEST(two_luns_of_one_unit_are_one),
		TEST(what_did_not_change_is_carried_over),
		TEST(another_attribute_makes_another_unit_over_the_same_data),
		TEST(a_unit_outlives_its_set_as_long_as_somebody_has_it),
		TEST(a_store_that_somebody_still_has_comes_back),
		TEST(who_waits_for_stores_to_close_is_called_when_they_are),
		TEST(a_file_moves_with_its_store_open),
		TEST(a_store_that_must_be_opened_otherwise_cannot_change_hands),
		TEST(a_size_changes_in_both_directions),
		TEST(a_set_that_is_abandoned_leaves_the_other_as_it_was),
		TEST(a_file_that_was_there_is_never_removed),
		TEST(every_unit_that_cannot_be_is_a_fault_and_no_file_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
