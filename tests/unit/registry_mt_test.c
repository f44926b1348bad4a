/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registry as a whole, with reactor threads: start, change, stop. What sessions notice of it is
 * tested from outside, with initiators.
 */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/log.h"
#include "registry_server.h"

#define A "iqn.2026-11.com.example:a"
#define B "iqn.2026-11.com.example:b"
#define FILE_WITH(more) \
	"{ lun = 0; type = \"disk\"; store = \"file\"; path = \"f.img\";" \
	"size = \"1M\"; create = true; " more " }"
#define RAM "{ lun = 0; type = \"disk\"; store = \"ram\"; size = \"1M\"; }"

static bool accepts(unsigned port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool yes = !connect(fd, (const struct sockaddr *)&at, sizeof(at));

	close(fd);
	return yes;
}

enum portals { ONE, BOTH };

static struct config *cfg_of(struct fixture *f, enum portals portals, const char *targets)
{
	char text[4096], other[64] = "";

	if (portals == BOTH)
		snprintf(other, sizeof(other),
			", { address = \"127.0.0.1\"; port = %u; group = 2; }", f->other_port);
	snprintf(text, sizeof(text),
		"state_dir = \"state\"; reactors = 2; "
		"portals = ( { address = \"127.0.0.1\"; port = %u; }%s );\ntargets = ( %s );\n",
		f->port, other, targets);
	return configured(&f->place, text);
}

#define TARGET(name, luns, rows) \
	"{ name = \"" name "\"; auth = \"none\"; luns = (" luns ");" \
	"credentials = (" rows "); }"

static void apply(struct fixture *f, struct config *cfg)
{
	must(&f->place, registry_apply(f->r, cfg, NULL, tell, &f->done, &f->place.faults));
}

struct list_of_names {
	unsigned n;
	char name[4][64];
	unsigned luns[4];
};

static void take_name(void *arg, const struct registry_target *t)
{
	struct list_of_names *l = arg;

	snprintf(l->name[l->n], sizeof(l->name[0]), "%s", t->name);
	l->luns[l->n++] = (unsigned)t->n_luns;
}

/* --- start ---------------------------------------------------------------------------------- */

static void a_started_registry_listens_and_knows_its_targets(void **state)
{
	struct fixture *f = *state;
	struct list_of_names l = { 0 };
	struct registry_status s;

	fixture_start(f, cfg_of(f, BOTH, TARGET(A, RAM, "") "," TARGET(B, "", "")));
	assert_true(accepts(f->port) && accepts(f->other_port));
	assert_true(registry_targets(f->r, take_name, &l));
	assert_int_equal(l.n, 2);
	assert_string_equal(l.name[0], A);
	assert_int_equal(l.luns[0], 1);
	assert_int_equal(l.luns[1], 0);
	registry_status(f->r, &s);
	assert_int_equal(s.targets, 2);
	assert_int_equal(s.units, 1);
	assert_int_equal(s.iscsi.reactors, 2);
}

static void one_target_is_found_by_its_name(void **state)
{
	struct fixture *f = *state;
	struct list_of_names l = { 0 };

	fixture_start(f, cfg_of(f, ONE, TARGET(A, RAM, "") "," TARGET(B, "", "")));
	assert_true(registry_target(f->r, B, take_name, &l));
	assert_string_equal(l.name[0], B);
	assert_false(registry_target(f->r, "iqn.2026-11.com.example:c", take_name, &l));
	assert_int_equal(l.n, 1);
}

static void a_bound_registry_that_never_starts_goes_quietly(void **state)
{
	struct fixture *f = *state;
	struct config *cfg = cfg_of(f, BOTH, "");

	must(&f->place, registry_bind(f->r, cfg, NULL, 0, &f->place.faults));
	assert_true(accepts(f->port));
	registry_free(f->r);
	assert_false(accepts(f->port));
	assert_int_equal(registry_create(f->place.loop, &f->r), 0);
	config_free(cfg);
}

static void a_start_that_fails_leaves_the_configuration_to_the_caller(void **state)
{
	struct fixture *f = *state;
	struct config *cfg = cfg_of(f, ONE,
		TARGET(A, "{ lun = 0; type = \"disk\"; store = \"file\"; path = \"none.img\"; }",
			""));

	must(&f->place, registry_bind(f->r, cfg, NULL, 0, &f->place.faults));
	assert_int_equal(registry_start(f->r, cfg, f->state, &f->place.faults), -ENOENT);
	assert_fault(&f->place, 2, "none.img");
	assert_null(registry_config(f->r));
	config_free(cfg);
}

static int listening(unsigned port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static void an_inherited_socket_is_taken_by_its_portal(void **state)
{
	struct fixture *f = *state;
	struct config *cfg = cfg_of(f, BOTH, "");
	int fds[] = { listening(f->other_port), dup(1) };

	must(&f->place, registry_bind(f->r, cfg, fds, 2, &f->place.faults));
	assert_int_equal(fds[0], -1);
	assert_true(fds[1] > 0);
	close(fds[1]);
	must(&f->place, registry_start(f->r, cfg, f->state, &f->place.faults));
	assert_true(accepts(f->other_port));
}

/* --- changes -------------------------------------------------------------------------------- */

static void a_change_is_told_when_it_is_in_force(void **state)
{
	struct fixture *f = *state;
	struct list_of_names l = { 0 };

	fixture_start(f, cfg_of(f, ONE, TARGET(A, RAM, "")));
	apply(f, cfg_of(f, BOTH, TARGET(B, RAM, "")));
	wait_for(&f->place, &f->done, 1);
	assert_true(registry_targets(f->r, take_name, &l));
	assert_int_equal(l.n, 1);
	assert_string_equal(l.name[0], B);
	assert_true(accepts(f->other_port));
}

static void several_changes_may_be_under_way(void **state)
{
	struct fixture *f = *state;

	fixture_start(f, cfg_of(f, ONE, TARGET(A, RAM, "")));
	for (int i = 0; i < 10; i++)
		apply(f, cfg_of(f, i % 2 ? ONE : BOTH,
				 i % 2 ? TARGET(A, RAM, "") : TARGET(B, RAM, "")));
	wait_for(&f->place, &f->done, 10);
	assert_false(accepts(f->other_port));
}

static void a_change_under_way_is_told_at_the_latest_at_the_end(void **state)
{
	struct fixture *f = *state;
	unsigned stopped = 0;

	fixture_start(f,
		cfg_of(f, ONE,
			TARGET(A, RAM, "{ initiator = \"" A "\"; secret = \"initiator-111\"; }")));
	apply(f, cfg_of(f, ONE, TARGET(A, RAM, "")));
	must(&f->place, registry_stop(f->r, 0, tell, &stopped));
	wait_for(&f->place, &stopped, 1);
	registry_free(f->r);
	assert_int_equal(f->done, 1);
	assert_int_equal(registry_create(f->place.loop, &f->r), 0);
}

static void a_change_that_fails_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct config *next;
	int taken;

	fixture_start(f, cfg_of(f, ONE, TARGET(A, RAM, "")));
	next = cfg_of(f, BOTH, TARGET(B, RAM, ""));
	taken = listening(f->other_port);
	assert_int_equal(
		registry_apply(f->r, next, NULL, tell, &f->done, &f->place.faults), -EADDRINUSE);
	assert_fault(&f->place, 1, "address already in use");
	assert_string_equal(registry_config(f->r)->targets[0].name, A);
	assert_true(accepts(f->port));
	close(taken);
	apply(f, next);
	wait_for(&f->place, &f->done, 1);
}

static void what_one_reload_removed_the_next_may_have(void **state)
{
	struct fixture *f = *state;

	fixture_start(f, cfg_of(f, ONE, TARGET(A, FILE_WITH("block_size = 512;"), "")));
	apply(f, cfg_of(f, ONE, ""));
	wait_for(&f->place, &f->done, 1);
	apply(f, cfg_of(f, ONE, TARGET(A, FILE_WITH("block_size = 4096;"), "")));
	wait_for(&f->place, &f->done, 2);
}

/* --- sessions ------------------------------------------------------------------------------- */

static void count_closed(void *arg, unsigned n)
{
	struct fixture *f = arg;

	f->closed = n;
	f->done++;
}

static void a_session_that_is_not_there_has_no_connections(void **state)
{
	struct fixture *f = *state;

	f->closed = 99;
	fixture_start(f, cfg_of(f, ONE, ""));
	assert_int_equal(registry_drop(f->r, 77, "test", count_closed, f), 0);
	wait_for(&f->place, &f->done, 1);
	assert_int_equal(f->closed, 0);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_begin, fixture_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_started_registry_listens_and_knows_its_targets),
		TEST(one_target_is_found_by_its_name),
		TEST(a_bound_registry_that_never_starts_goes_quietly),
		TEST(a_start_that_fails_leaves_the_configuration_to_the_caller),
		TEST(an_inherited_socket_is_taken_by_its_portal),
		TEST(a_change_is_told_when_it_is_in_force),
		TEST(several_changes_may_be_under_way),
		TEST(a_change_under_way_is_told_at_the_latest_at_the_end),
		TEST(a_change_that_fails_changes_nothing),
		TEST(what_one_reload_removed_the_next_may_have),
		TEST(a_session_that_is_not_there_has_no_connections),
	};

	log_setup(LOG_TO_STDERR, LOG_WARNING);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
