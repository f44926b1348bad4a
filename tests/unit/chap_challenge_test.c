/* SPDX-License-Identifier: BSD-2-Clause */
/* Challenges: that they are new, that ours are known again, and that nobody can push one out. */
#include "chap/challenge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "chap_faults.h"

static struct challenge issue(struct challenge_memory *m)
{
	struct challenge c;

	assert_int_equal(challenge_issue(m, CHAP_SHA256, &c), CHALLENGE_OK);
	return c;
}

/* What the initiator got to see of it. */
struct seen {
	uint8_t bytes[CHALLENGE_MAX];
	size_t len;
};

static struct seen look(const struct challenge *c)
{
	struct seen s = { .len = c->len };

	memcpy(s.bytes, c->bytes, c->len);
	return s;
}

static bool ours(struct challenge_memory *m, const struct seen *s)
{
	return challenge_was_ours(m, s->bytes, s->len);
}

static void a_challenge_is_as_long_as_the_digest_and_at_least_16_bytes(void **state)
{
	struct challenge_memory *m = challenge_memory_new(4, 4);
	struct challenge md5, sha1, sha256, sha3;

	(void)state;
	assert_int_equal(challenge_issue(m, CHAP_MD5, &md5), CHALLENGE_OK);
	assert_int_equal(challenge_issue(m, CHAP_SHA1, &sha1), CHALLENGE_OK);
	assert_int_equal(challenge_issue(m, CHAP_SHA256, &sha256), CHALLENGE_OK);
	assert_int_equal(challenge_issue(m, CHAP_SHA3_256, &sha3), CHALLENGE_OK);
	assert_int_equal(md5.len, 16);
	assert_int_equal(sha1.len, 20);
	assert_int_equal(sha256.len, 32);
	assert_int_equal(sha3.len, 32);
	challenge_memory_free(m);
}

static void an_outstanding_challenge_is_ours(void **state)
{
	struct challenge_memory *m = challenge_memory_new(4, 4);
	struct challenge c = issue(m);

	(void)state;
	assert_true(challenge_was_ours(m, c.bytes, c.len));
	challenge_memory_free(m);
}

static void an_ended_challenge_is_still_ours(void **state)
{
	struct challenge_memory *m = challenge_memory_new(4, 4);
	struct challenge c = issue(m);
	struct seen s = look(&c);

	(void)state;
	challenge_end(m, &c);
	assert_true(ours(m, &s));
	challenge_memory_free(m);
}

static void another_challenge_or_a_part_of_one_is_not_ours(void **state)
{
	struct challenge_memory *m = challenge_memory_new(4, 4);
	struct challenge c = issue(m);
	struct seen s = look(&c);
	uint8_t longer[CHALLENGE_MAX + 1] = { 0 };

	(void)state;
	memcpy(longer, s.bytes, s.len);
	assert_false(challenge_was_ours(m, s.bytes, s.len - 1));
	assert_false(challenge_was_ours(m, longer, s.len + 1));
	s.bytes[31] ^= 1;
	assert_false(ours(m, &s));
	challenge_memory_free(m);
}

static void ending_wipes_and_may_be_repeated(void **state)
{
	static const struct challenge none;
	struct challenge_memory *m = challenge_memory_new(4, 4);
	struct challenge c = issue(m);

	(void)state;
	assert_int_equal(challenge_outstanding(m), 1);
	challenge_end(m, &c);
	assert_memory_equal(&c, &none, sizeof(c));
	challenge_end(m, &c);
	assert_int_equal(challenge_outstanding(m), 0);
	challenge_memory_free(m);
}

static void no_number_of_logins_pushes_out_an_outstanding_challenge(void **state)
{
	struct challenge_memory *m = challenge_memory_new(2, 8);
	struct challenge victim = issue(m);

	(void)state;
	for (int i = 0; i < 10000; i++) {
		struct challenge c = issue(m);

		challenge_end(m, &c);
	}
	assert_true(challenge_was_ours(m, victim.bytes, victim.len));
	challenge_memory_free(m);
}

static void a_full_memory_refuses_the_newcomer_until_one_ends(void **state)
{
	static const struct challenge none;
	struct challenge_memory *m = challenge_memory_new(2, 0);
	struct challenge a = issue(m), b = issue(m), c = a;

	(void)state;
	assert_int_equal(challenge_issue(m, CHAP_MD5, &c), CHALLENGE_FULL);
	assert_memory_equal(&c, &none, sizeof(c));
	challenge_end(m, &a);
	assert_int_equal(challenge_issue(m, CHAP_MD5, &c), CHALLENGE_OK);
	assert_true(challenge_was_ours(m, b.bytes, b.len));
	assert_true(challenge_was_ours(m, c.bytes, c.len));
	challenge_memory_free(m);
}

static void the_latest_ended_ones_are_remembered_and_the_oldest_forgotten_first(void **state)
{
	enum { OUTSTANDING = 3, RECENT = 5, ROOM = OUTSTANDING + RECENT, ISSUED = 100 };
	struct challenge_memory *m = challenge_memory_new(OUTSTANDING, RECENT);
	struct seen seen[ISSUED];

	(void)state;
	for (int i = 0; i < ISSUED; i++) {
		struct challenge c = issue(m);

		seen[i] = look(&c);
		challenge_end(m, &c);
	}
	for (int i = 0; i < ISSUED; i++)
		assert_int_equal(ours(m, &seen[i]), i >= ISSUED - ROOM);
	challenge_memory_free(m);
}

static void as_many_as_promised_are_remembered_while_all_others_are_outstanding(void **state)
{
	enum { OUTSTANDING = 3, RECENT = 5 };
	struct challenge_memory *m = challenge_memory_new(OUTSTANDING, RECENT);
	struct challenge held[OUTSTANDING];
	struct seen seen[20];

	(void)state;
	for (int i = 0; i < OUTSTANDING - 1; i++)
		held[i] = issue(m);
	for (int i = 0; i < 20; i++) {
		struct challenge c = issue(m);

		seen[i] = look(&c);
		challenge_end(m, &c);
	}
	held[OUTSTANDING - 1] = issue(m);
	for (int i = 0; i < 20; i++)
		assert_int_equal(ours(m, &seen[i]), i >= 20 - RECENT);
	for (int i = 0; i < OUTSTANDING; i++)
		assert_true(challenge_was_ours(m, held[i].bytes, held[i].len));
	challenge_memory_free(m);
}

static void challenges_may_end_in_any_order(void **state)
{
	struct challenge_memory *m = challenge_memory_new(64, 64);
	struct challenge c[64];
	struct seen seen[64];

	(void)state;
	for (int i = 0; i < 64; i++) {
		c[i] = issue(m);
		seen[i] = look(&c[i]);
	}
	for (int i = 0; i < 64; i++)
		challenge_end(m, &c[i * 37 % 64]);
	assert_int_equal(challenge_outstanding(m), 0);
	for (int i = 0; i < 64; i++)
		assert_true(ours(m, &seen[i]));
	challenge_memory_free(m);
}

static void no_challenge_is_issued_without_randomness(void **state)
{
	static const struct challenge none;
	struct challenge_memory *m = challenge_memory_new(4, 4);
	struct challenge c;

	(void)state;
	memset(&c, 0xaa, sizeof(c));
	faults.no_random = true;
	assert_int_equal(challenge_issue(m, CHAP_MD5, &c), CHALLENGE_NO_RANDOM);
	faults_clear();
	assert_memory_equal(&c, &none, sizeof(c));
	assert_int_equal(challenge_outstanding(m), 0);
	challenge_memory_free(m);
}

static void a_generator_that_repeats_itself_issues_no_second_challenge(void **state)
{
	struct challenge_memory *m = challenge_memory_new(4, 4);
	struct challenge a, b;

	(void)state;
	faults.constant_random = true;
	assert_int_equal(challenge_issue(m, CHAP_MD5, &a), CHALLENGE_OK);
	assert_int_equal(challenge_issue(m, CHAP_MD5, &b), CHALLENGE_NO_RANDOM);
	challenge_end(m, &a);
	assert_int_equal(challenge_issue(m, CHAP_MD5, &b), CHALLENGE_NO_RANDOM);
	faults_clear();
	challenge_memory_free(m);
}

static void a_memory_needs_room_and_not_too_much_of_it(void **state)
{
	(void)state;
	assert_null(challenge_memory_new(0, 100));
	assert_null(challenge_memory_new(CHALLENGE_SLOTS, 1));
	assert_null(challenge_memory_new(UINT32_MAX, UINT32_MAX));
	challenge_memory_free(NULL);
}

static void a_memory_is_not_made_without_its_key_or_its_room(void **state)
{
	struct challenge_memory *m;
	unsigned n = 0;

	(void)state;
	faults.no_random = true;
	assert_null(challenge_memory_new(4, 4));
	faults_clear();
	do {
		faults.no_memory = ++n;
		m = challenge_memory_new(4, 4);
		faults_clear();
	} while (!m && n < 100);
	assert_int_equal(n, 4);
	challenge_memory_free(m);
}

#define ISSUED_BY_CHILD 64

/* The program run anew: prints some challenges and identifiers, and ends. */
static int print_challenges(void)
{
	struct challenge_memory *m = challenge_memory_new(ISSUED_BY_CHILD, 1);
	struct challenge c;

	for (int i = 0; i < ISSUED_BY_CHILD; i++) {
		if (!m || challenge_issue(m, CHAP_MD5, &c) != CHALLENGE_OK)
			return 1;
		for (int k = 0; k < 16; k++)
			printf("%02x", c.bytes[k]);
		printf(" %02x\n", c.id);
	}
	challenge_memory_free(m);
	return 0;
}

/* Starts the program anew; *out reads what it prints. */
static pid_t start_child(FILE **out)
{
	char path[4096] = "";
	int fds[2];
	pid_t pid;

	/* By its name: under valgrind /proc/self/exe itself would run valgrind. */
	assert_true(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		execl(path, path, "--print-challenges", NULL);
		_exit(127);
	}
	close(fds[1]);
	*out = fdopen(fds[0], "r");
	assert_non_null(*out);
	return pid;
}

static void no_restart_repeats_a_challenge_or_the_identifiers(void **state)
{
	enum { RESTARTS = 16, LINE = 36 };
	static char lines[RESTARTS * ISSUED_BY_CHILD][LINE + 1];

	(void)state;
	for (int r = 0; r < RESTARTS; r++) {
		FILE *out;
		pid_t child = start_child(&out);
		int status;

		for (int i = 0; i < ISSUED_BY_CHILD; i++)
			assert_non_null(fgets(lines[r * ISSUED_BY_CHILD + i], LINE + 1, out));
		fclose(out);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
	for (int a = 0; a < RESTARTS * ISSUED_BY_CHILD; a++) {
		for (int b = 0; b < a; b++)
			assert_memory_not_equal(lines[a], lines[b], 32);
	}
	for (int r = 1; r < RESTARTS; r++) {
		unsigned same = 0;

		/* A quarter of one is expected to be the same by chance. */
		for (int i = 0; i < ISSUED_BY_CHILD; i++)
			same += memcmp(lines[r * ISSUED_BY_CHILD + i] + 33, lines[i] + 33, 2) == 0;
		assert_true(same < 12);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_challenge_is_as_long_as_the_digest_and_at_least_16_bytes),
		cmocka_unit_test(an_outstanding_challenge_is_ours),
		cmocka_unit_test(an_ended_challenge_is_still_ours),
		cmocka_unit_test(another_challenge_or_a_part_of_one_is_not_ours),
		cmocka_unit_test(ending_wipes_and_may_be_repeated),
		cmocka_unit_test(no_number_of_logins_pushes_out_an_outstanding_challenge),
		cmocka_unit_test(a_full_memory_refuses_the_newcomer_until_one_ends),
		cmocka_unit_test(
			the_latest_ended_ones_are_remembered_and_the_oldest_forgotten_first),
		cmocka_unit_test(
			as_many_as_promised_are_remembered_while_all_others_are_outstanding),
		cmocka_unit_test(challenges_may_end_in_any_order),
		cmocka_unit_test(no_challenge_is_issued_without_randomness),
		cmocka_unit_test(a_generator_that_repeats_itself_issues_no_second_challenge),
		cmocka_unit_test(a_memory_needs_room_and_not_too_much_of_it),
		cmocka_unit_test(a_memory_is_not_made_without_its_key_or_its_room),
		cmocka_unit_test(no_restart_repeats_a_challenge_or_the_identifiers),
	};

	if (argc > 1 && strcmp(argv[1], "--print-challenges") == 0)
		return print_challenges();
	faults_install();
	return cmocka_run_group_tests_name("chap/challenge", tests, NULL, NULL);
}
