/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Readers on many threads while one thread changes the table, as reactors read while the main
 * thread publishes. How a snapshot is handed over is not the table's business: here a mutex does it.
 */
#include "chap/table.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "chap/table_edit.h"

#define TARGET "iqn.2026-11.com.example:t1"

enum { READERS = 6, ROWS = 64, CHANGES = 500 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct table *published;
static atomic_bool stop;

static const struct table *current(void)
{
	const struct table *t;

	pthread_mutex_lock(&lock);
	t = table_ref(published);
	pthread_mutex_unlock(&lock);
	return t;
}

static void publish(const struct table *t)
{
	const struct table *old;

	pthread_mutex_lock(&lock);
	old = published;
	published = t;
	pthread_mutex_unlock(&lock);
	table_unref(old);
}

static void put(struct table_edit *e, unsigned row, unsigned version)
{
	char name[64], in[32], out[32];
	struct credential_spec spec = {
		.scope = CREDENTIAL_OF_TARGET,
		.scope_name = TARGET,
		.initiator = name,
		.in_user = in,
		.out_user = in,
	};

	snprintf(name, sizeof(name), "iqn.2026-11.com.example:h%u", row);
	snprintf(in, sizeof(in), "in-%u-%u", row, version);
	snprintf(out, sizeof(out), "out-%u-%u", row, version);
	spec.in_secret = (struct secret_view){ (const uint8_t *)in, strlen(in) };
	spec.out_secret = (struct secret_view){ (const uint8_t *)out, strlen(out) };
	assert_int_equal(table_edit_put(e, &spec, NULL), TABLE_OK);
}

/* Looks rows up, holds one beyond its snapshot, and checks that each is whole: user and secret are
 * of one version. Returns the number of faults seen. */
static void *read_rows(void *arg)
{
	const struct credential *held = NULL;
	struct source from = { 0 };
	uintptr_t faults = 0;

	(void)arg;
	for (unsigned i = 0; !atomic_load(&stop); i++) {
		const struct table *t = current();
		struct table_answer a;
		char name[64];

		snprintf(name, sizeof(name), "iqn.2026-11.com.example:h%u", i % ROWS);
		a = table_resolve(t, TARGET, NULL, name, &from, true);
		credential_unref(held);
		held = credential_ref(a.row);
		table_unref(t);
		if (!held)
			continue;
		faults += strlen(held->spec.in_user) != held->spec.in_secret.len ||
			  memcmp(held->spec.in_user, held->spec.in_secret.bytes,
				  held->spec.in_secret.len) != 0;
	}
	credential_unref(held);
	return (void *)faults;
}

static void readers_always_see_whole_rows_while_the_table_changes(void **state)
{
	pthread_t readers[READERS];
	struct table_edit *e = NULL;

	(void)state;
	assert_int_equal(table_edit_begin(NULL, &e), TABLE_OK);
	for (unsigned row = 0; row < ROWS; row++)
		put(e, row, 0);
	publish(table_edit_commit(e));
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_rows, NULL), 0);
	for (unsigned change = 1; change <= CHANGES; change++) {
		unsigned row = change * 7 % ROWS;

		assert_int_equal(table_edit_begin(published, &e), TABLE_OK);
		put(e, row, change);
		if (change % 5 == 0) {
			char name[64];

			snprintf(name, sizeof(name), "iqn.2026-11.com.example:h%u", row);
			assert_int_equal(
				table_edit_remove(e, CREDENTIAL_OF_TARGET, TARGET, name), TABLE_OK);
		}
		publish(table_edit_commit(e));
	}
	atomic_store(&stop, true);
	for (int i = 0; i < READERS; i++) {
		void *faults;

		assert_int_equal(pthread_join(readers[i], &faults), 0);
		assert_null(faults);
	}
	publish(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_always_see_whole_rows_while_the_table_changes),
	};

	return cmocka_run_group_tests_name("chap/table, threads", tests, NULL, NULL);
}
