/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that writes a tape is killed, again and again: what stood before the last filemark whose
 * status came is there, and what follows it, if anything, is what was written. SSC_KILL_ROUNDS says
 * how often (12).
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/ssc_support.h"

/* Block n has a length and content of its own; each tenth object is a filemark. */
static bool is_mark(uint64_t n)
{
	return n % 10 == 9;
}

static uint32_t length_of(uint64_t n)
{
	return (uint32_t)(1 + n * 7919 % 60000);
}

static struct tape_rig *attach(struct vtl *v)
{
	struct tape_rig *rig = tape_rig_new(v, 5);

	assert_int_equal(tape_in_job(rig, tape_do_insert), 0);
	assert_check(TAPE(rig, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	return rig;
}

/* The child: appends from where the tape ends, and tells how far it is durable. */
static void write_until_killed(struct vtl *v, int tell)
{
	struct tape_rig *rig = attach(v);
	uint64_t n;

	assert_good(TAPE(rig, NULL, 0, TAPE_SPACE(3, 0)));
	n = be64(TAPE(rig, NULL, 32, TAPE_POSITION).in + 8);
	for (;; n++) {
		if (!is_mark(n)) {
			assert_good(tape_write(rig, length_of(n), n));
			continue;
		}
		assert_good(tape_marks(rig, 1));
		n++;
		if (write(tell, &n, sizeof(n)) != sizeof(n))
			_exit(1);
		n--;
	}
}

/* Starts one, kills it some time after it has said the first, and gives what it last said to be durable. */
static uint64_t durable_after_kill(struct vtl *v, useconds_t pause)
{
	uint64_t n, last = 0;
	int fd[2];
	pid_t child;

	assert_int_equal(pipe(fd), 0);
	child = fork();
	if (!child) {
		close(fd[0]);
		write_until_killed(v, fd[1]);
		_exit(1);
	}
	close(fd[1]);
	assert_int_equal(read(fd[0], &last, sizeof(last)), sizeof(last));
	usleep(pause);
	kill(child, SIGKILL);
	while (read(fd[0], &n, sizeof(n)) == sizeof(n))
		last = n;
	close(fd[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	return last;
}

/* Reads everything; gives how many objects there are. */
static uint64_t read_all(struct vtl *v)
{
	struct tape_rig *rig = attach(v);
	uint64_t n;

	for (n = 0;; n++) {
		struct result res = TAPE(rig, NULL, 65536, TAPE_READ_SILI(65536));

		if (res.status && res.sense.key == SENSE_BLANK_CHECK)
			break;
		if (is_mark(n)) {
			assert_tape(res, SENSE_NO_SENSE, 0x0001, 65536);
			continue;
		}
		assert_good(res);
		tape_expect_data(res, length_of(n), n);
	}
	tape_rig_free(rig);
	return n;
}

static void what_a_filemark_has_acknowledged_survives_kills(void **state)
{
	struct vtl *v = *state;
	const char *text = getenv("SSC_KILL_ROUNDS");
	unsigned rounds = text && *text ? (unsigned)atoi(text) : 12;
	uint64_t durable = 0;

	vtl_new_from(v, (struct cartridge_cfg){ .barcode = "TEST01L5",
		.media = media_generation(5), .capacity = 4096 * VTL_MIB });
	vtl_close(v);
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t n = durable_after_kill(v, (useconds_t)(i * 13001 % 100000)), found;

		durable = n > durable ? n : durable;
		found = read_all(v);
		if (found < durable)
			fail_msg("%lu objects of %lu are left", (unsigned long)found,
				(unsigned long)durable);
	}
	assert_true(durable > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_a_filemark_has_acknowledged_survives_kills,
			vtl_setup, vtl_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
