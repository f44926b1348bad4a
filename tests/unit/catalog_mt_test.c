/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests from several loops at once: each is told at its own, in its own order, and all are
 * kept. To be run under ThreadSanitizer as well. */
#include "catalog_support.h"

#include <pthread.h>

#include "catalog/credential.h"
#include "catalog/setting.h"

#define LOOPS    3
#define REQUESTS 200 /* of each loop */
#define AT_ONCE  8

struct user;

struct call {
	struct catalog_request request;
	struct user *user;
	unsigned number;
};

struct user {
	struct catalog *catalog;
	struct loop *loop;
	pthread_t thread;
	unsigned who, next, told, failed;
	bool out_of_order, elsewhere;
	struct call calls[AT_ONCE];
};

/* Every seventh is refused. */
static int call_run(struct catalog_request *r, struct catalog_tx *tx)
{
	struct call *c = container_of(r, struct call, request);
	char name[32];
	struct catalog_credential row = { .scope_name = "t",
		.initiator = name,
		.in_secret = { (const uint8_t *)"a-secret-of-ours", 16 },
		.origin = CATALOG_FROM_AWS };
	int err;

	snprintf(name, sizeof(name), "%u/%u", c->user->who, c->number);
	err = catalog_credential_put(tx, &row);
	if (!err)
		err = catalog_setting_put(tx, name, "1");
	return err ? err : c->number % 7 == 6 ? -ECANCELED : 0;
}

static void ask(struct call *c)
{
	if (c->user->next == REQUESTS)
		return;
	c->number = c->user->next++;
	catalog_submit(c->user->catalog, &c->request);
}

static void call_done(struct catalog_request *r)
{
	struct call *c = container_of(r, struct call, request);
	struct user *u = c->user;

	u->elsewhere |= !pthread_equal(pthread_self(), u->thread);
	u->out_of_order |= c->number != u->told;
	u->failed += r->err == -ECANCELED;
	if (++u->told == REQUESTS)
		loop_stop(u->loop);
	ask(c);
}

static void *use(void *arg)
{
	struct user *u = arg;

	u->thread = pthread_self();
	for (size_t i = 0; i < AT_ONCE; i++) {
		u->calls[i] = (struct call){ .user = u,
			.request = { .run = call_run, .done = call_done, .home = u->loop } };
		ask(&u->calls[i]);
	}
	loop_run(u->loop);
	return NULL;
}

static int count_setting(const char *name, const char *value, void *arg)
{
	(void)name;
	(void)value;
	++*(unsigned *)arg;
	return 0;
}

static int count_settings(struct catalog_tx *tx, void *arg)
{
	return catalog_setting_load(tx, "", count_setting, arg);
}

static void three_loops_share_the_catalog(void **state)
{
	struct rig *rig = *state;
	struct user *users = calloc(LOOPS, sizeof(*users));
	pthread_t threads[LOOPS];
	unsigned count = 0;

	assert_non_null(users);
	for (unsigned i = 0; i < LOOPS; i++) {
		users[i] = (struct user){ .who = i, .catalog = rig->catalog };
		assert_int_equal(loop_create(0, &users[i].loop), 0);
		assert_int_equal(pthread_create(&threads[i], NULL, use, &users[i]), 0);
	}
	for (unsigned i = 0; i < LOOPS; i++) {
		pthread_join(threads[i], NULL);
		assert_false(users[i].out_of_order);
		assert_false(users[i].elsewhere);
		assert_int_equal(users[i].failed, REQUESTS / 7);
	}
	assert_int_equal(rig_run(rig, count_settings, &count), 0);
	assert_int_equal(count, LOOPS * (REQUESTS - REQUESTS / 7));
	rig_close(rig);
	for (unsigned i = 0; i < LOOPS; i++)
		loop_free(users[i].loop);
	free(users);
}

struct change {
	struct catalog_request request;
	struct loop *loop;
	struct catalog *catalog;
	unsigned left, failed;
};

static void change_done(struct catalog_request *r)
{
	struct change *c = container_of(r, struct change, request);

	c->failed += r->err != 0;
	if (--c->left == 0)
		loop_stop(c->loop);
	else
		catalog_rekey(c->catalog, r);
}

static int see(const struct catalog_credential *c, void *arg)
{
	*(unsigned *)arg += c->in_secret.len == 16;
	return 0;
}

static int see_all(struct catalog_tx *tx, void *arg)
{
	return catalog_credential_load(tx, see, arg);
}

static void the_key_changes_while_a_loop_writes(void **state)
{
	struct rig *rig = *state;
	struct user *user = calloc(1, sizeof(*user));
	struct change c = { .request = { .done = change_done, .home = rig->loop },
		.catalog = rig->catalog,
		.loop = rig->loop,
		.left = 20 };
	pthread_t thread;
	unsigned count = 0;

	assert_non_null(user);
	user->catalog = rig->catalog;
	assert_int_equal(loop_create(0, &user->loop), 0);
	assert_int_equal(pthread_create(&thread, NULL, use, user), 0);
	catalog_rekey(rig->catalog, &c.request);
	loop_run(c.loop);
	pthread_join(thread, NULL);
	assert_int_equal(c.failed, 0);
	rig_close(rig);
	loop_free(user->loop);
	free(user);
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig_run(rig, see_all, &count), 0);
	assert_int_equal(count, REQUESTS - REQUESTS / 7);
}

#define MT_TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin_open, rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MT_TEST(three_loops_share_the_catalog),
		MT_TEST(the_key_changes_while_a_loop_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
