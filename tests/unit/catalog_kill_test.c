/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The catalog and SIGKILL: what was acknowledged is there, what was not is there as a whole or not
 * at all, and a change of the key that was cut off at any step leaves every secret readable.
 */
#include "catalog_support.h"

#include <poll.h>
#include <sys/wait.h>
#include <time.h>

#include "catalog/audit.h"
#include "catalog/credential.h"
#include "catalog_steps.h"

#define ROUNDS  120
#define ASKERS  3   /* requests under way at a time */
#define A_ROUND 500 /* at most so many requests */
#define SECRET  "a-secret-of-ours"

/* --- a child that works until it is killed -------------------------------------------------- */

struct asker {
	struct catalog_request request;
	struct worker *worker;
	uint32_t number; /* of what is being put */
};

struct worker {
	struct catalog *catalog;
	struct loop *loop;
	int ack; /* where the numbers of what is durable go */
	uint32_t next, end;
	struct asker askers[ASKERS];
};

static int put_numbered(struct catalog_tx *tx, uint32_t number)
{
	char name[16];
	struct catalog_credential c = { .scope_name = "t",
		.initiator = name,
		.in_secret = { (const uint8_t *)SECRET, sizeof(SECRET) - 1 },
		.origin = CATALOG_FROM_AWS };
	struct catalog_audit a = { .object = name };
	int err;

	snprintf(name, sizeof(name), "%u", number);
	err = catalog_credential_put(tx, &c);
	return err ? err : catalog_audit_add(tx, &a);
}

static int asker_run(struct catalog_request *r, struct catalog_tx *tx)
{
	return put_numbered(tx, container_of(r, struct asker, request)->number);
}

static void ask(struct asker *a)
{
	if (a->worker->next == a->worker->end)
		return;
	a->number = a->worker->next++;
	catalog_submit(a->worker->catalog, &a->request);
}

static void asker_done(struct catalog_request *r)
{
	struct asker *a = container_of(r, struct asker, request);

	if (r->err || write(a->worker->ack, &a->number, sizeof(a->number)) != sizeof(a->number))
		_exit(1);
	ask(a);
}

_Noreturn static void work(struct rig *rig, int ack, uint32_t first)
{
	struct worker w = { .ack = ack, .next = first, .end = first + A_ROUND };

	if (rig_open(rig) || loop_create(0, &w.loop))
		_exit(1);
	w.catalog = rig->catalog;
	for (size_t i = 0; i < ASKERS; i++) {
		w.askers[i] = (struct asker){ .worker = &w,
			.request = { .run = asker_run, .done = asker_done, .home = w.loop } };
		ask(&w.askers[i]);
	}
	loop_run(w.loop);
	_exit(1);
}

/* --- what is found afterwards --------------------------------------------------------------- */

#define NUMBERS (ROUNDS * (A_ROUND + ASKERS) + 1)

struct found {
	uint8_t credential[NUMBERS], audit[NUMBERS];
};

static int find_credential(const struct catalog_credential *c, void *arg)
{
	struct found *f = arg;

	assert_int_equal(c->in_secret.len, sizeof(SECRET) - 1);
	assert_memory_equal(c->in_secret.bytes, SECRET, sizeof(SECRET) - 1);
	f->credential[strtoul(c->initiator, NULL, 10)] = 1;
	return 0;
}

static int find_audit(const struct catalog_audit *a, void *arg)
{
	struct found *f = arg;

	f->audit[strtoul(a->object, NULL, 10)] = 1;
	return 0;
}

static int find_all(struct catalog_tx *tx, void *arg)
{
	const struct catalog_audit_query all = { .limit = NUMBERS };
	int err = catalog_credential_load(tx, find_credential, arg);

	return err ? err : catalog_audit_list(tx, &all, find_audit, arg);
}

/* Kills the child at a moment between its first acknowledgement and 20 ms later; notes what it has
 * acknowledged and gives the highest number of those, or `last`. */
static uint32_t kill_while_working(struct rig *rig, uint32_t last, uint8_t *acked)
{
	int fds[2];
	pid_t child;
	uint32_t number;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child)
		work(rig, fds[1], last + 1);
	close(fds[1]);
	assert_int_equal(poll(&(struct pollfd){ .fd = fds[0], .events = POLLIN }, 1, 60000), 1);
	nanosleep(&(struct timespec){ .tv_nsec = rand() % 20000000 }, NULL);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	while (read(fds[0], &number, sizeof(number)) == sizeof(number)) {
		assert_true(number < NUMBERS);
		acked[number] = 1;
		last = number > last ? number : last;
	}
	close(fds[0]);
	return last;
}

static void what_was_acknowledged_survives_sigkill(void **state)
{
	struct rig *rig = *state;
	struct found *found = calloc(1, sizeof(*found));
	uint8_t *acked = calloc(1, NUMBERS);
	uint32_t last = 0;

	assert_true(found && acked);
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t before = last;
		unsigned more = 0;

		last = kill_while_working(rig, last, acked);
		assert_true(last > before);
		memset(found, 0, sizeof(*found));
		assert_int_equal(rig_open(rig), 0);
		assert_int_equal(rig_run(rig, find_all, found), 0);
		rig_close(rig);
		for (uint32_t i = 0; i < NUMBERS; i++) {
			assert_int_equal(found->credential[i], found->audit[i]);
			assert_false(acked[i] && !found->credential[i]);
			more += i > before && found->credential[i] && !acked[i];
			last = found->credential[i] && i > last ? i : last;
		}
		assert_true(more <= ASKERS);
	}
	free(found);
	free(acked);
}

/* --- cut off at each step ------------------------------------------------------------------- */

/* What a child does between counting its steps. */
typedef int deed(struct rig *rig);

static int no_more(struct catalog_tx *tx, void *arg)
{
	(void)tx;
	(void)arg;
	return 0;
}

static int open_first(struct rig *rig)
{
	return rig_open(rig);
}

static int open_and_rekey(struct rig *rig)
{
	int err = rig_open(rig);

	if (!err)
		err = rig_rekey(rig, NULL);
	if (!err)
		err = rig_run(rig, no_more, NULL);
	rig_close(rig);
	return err;
}

/* Ends a child. By another program, since what a copy of this one leaves behind at its exit is no leak
 * of its own, and valgrind would say so. */
static _Noreturn void leave(bool well)
{
	execl(well ? "/bin/true" : "/bin/false", "leave", (char *)NULL);
	_exit(1);
}

/* In a child that dies at step n; whether it did. */
static bool dies_at(struct rig *rig, deed *what, int n)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		if (loop_create(0, &rig->loop)) /* of its own: a loop does not survive a fork */
			_exit(1);
		steps_begin(STEP_KILLS, n, 0);
		leave(what(rig) == 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return true;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return false;
}

static int put_some(struct catalog_tx *tx, void *arg)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < *(uint32_t *)arg; i++)
		err = put_numbered(tx, i);
	return err;
}

static void assert_all_there(struct rig *rig, uint32_t n)
{
	struct found *found = calloc(1, sizeof(*found));

	assert_non_null(found);
	if (rig_open(rig))
		fail_msg("%s", rig->why.text);
	assert_int_equal(rig_run(rig, find_all, found), 0);
	rig_close(rig);
	for (uint32_t i = 0; i < n; i++)
		assert_true(found->credential[i]);
	free(found);
}

static void a_first_start_that_is_killed_at_any_step_can_be_repeated(void **state)
{
	struct rig *rig = *state;
	char command[128];
	int n = 1;

	snprintf(command, sizeof(command), "rm -rf %s", rig->path);
	while (dies_at(rig, open_first, n)) {
		assert_all_there(rig, 0);
		assert_int_equal(system(command), 0);
		n++;
	}
	assert_true(n > 10);
}

static void a_change_of_key_that_is_killed_at_any_step_loses_nothing(void **state)
{
	struct rig *rig = *state;
	uint32_t rows = 100;
	int n = 1;

	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig_run(rig, put_some, &rows), 0);
	rig_close(rig);
	while (dies_at(rig, open_and_rekey, n)) {
		assert_all_there(rig, rows);
		n++;
	}
	assert_true(n > 20);
}

/* The start that finishes such a change may itself be cut off. */
static void finishing_a_change_of_key_may_be_killed_at_any_step(void **state)
{
	struct rig *rig = *state;
	uint32_t rows = 100;
	bool died = true;
	uint8_t key[32], both[64] = { 0 };
	int fd;

	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig_run(rig, put_some, &rows), 0);
	rig_close(rig);
	for (int n = 1; died; n++) {
		fd = open(rig_file(rig, "key"), O_RDWR);
		assert_int_equal(read(fd, key, 32), 32);
		memset(both, n, 32);
		memcpy(both + 32, key, 32);
		assert_int_equal(pwrite(fd, both, 64, 0), 64);
		close(fd);
		died = dies_at(rig, open_first, n);
		assert_all_there(rig, rows);
		fd = open(rig_file(rig, "key"), O_RDONLY);
		assert_int_equal(read(fd, both, 64), 32);
		assert_int_equal(both[0], n);
		close(fd);
	}
}

#define KILL_TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin, rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KILL_TEST(what_was_acknowledged_survives_sigkill),
		KILL_TEST(a_first_start_that_is_killed_at_any_step_can_be_repeated),
		KILL_TEST(a_change_of_key_that_is_killed_at_any_step_loses_nothing),
		KILL_TEST(finishing_a_change_of_key_may_be_killed_at_any_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
