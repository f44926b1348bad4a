/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: what reaches stderr, in which form, and what never does.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* stderr, turned into a file for the time of a test. */
struct capture {
	int saved, fd;
	char text[8192];
};

static void capture_begin(struct capture *c)
{
	c->saved = dup(STDERR_FILENO);
	c->fd = memfd_create("stderr", 0);
	assert_true(c->saved >= 0 && c->fd >= 0);
	assert_true(dup2(c->fd, STDERR_FILENO) >= 0);
	log_setup(LOG_TO_STDERR, LOG_INFO);
}

static const char *capture_end(struct capture *c)
{
	ssize_t n = pread(c->fd, c->text, sizeof(c->text) - 1, 0);

	dup2(c->saved, STDERR_FILENO);
	close(c->saved);
	close(c->fd);
	assert_true(n >= 0);
	c->text[n] = '\0';
	return c->text;
}

/* The part of a plain line behind its time: "notice: text\n". */
static const char *after_time(const char *line)
{
	assert_true(strlen(line) > 24);
	assert_int_equal(line[4], '-');
	assert_int_equal(line[13], ':');
	assert_int_equal(line[19], '.');
	return line + 24;
}

static void a_line_has_time_priority_and_text(void **state)
{
	struct capture c;

	(void)state;
	capture_begin(&c);
	log_msg(LOG_WARNING, "portal %s: %d left", "a", 3);
	assert_string_equal(after_time(capture_end(&c)), "warning: portal a: 3 left\n");
}

static void a_line_above_the_level_is_not_written(void **state)
{
	struct capture c;

	(void)state;
	capture_begin(&c);
	assert_false(log_on(LOG_DEBUG));
	assert_true(log_on(LOG_INFO));
	log_msg(LOG_DEBUG, "no");
	log_setup(LOG_TO_STDERR, LOG_DEBUG);
	log_msg(LOG_DEBUG, "yes");
	assert_string_equal(after_time(capture_end(&c)), "debug: yes\n");
}

static void the_journal_gets_a_priority_and_no_time(void **state)
{
	struct capture c;
	struct stat st;
	char stream[64];

	(void)state;
	capture_begin(&c);
	fstat(c.fd, &st);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_setup(LOG_TO_STDERR, LOG_INFO);
	log_msg(LOG_ERR, "gone");
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(capture_end(&c), "<3>gone\n");
}

static void a_stderr_that_is_not_the_journals_gets_plain_lines(void **state)
{
	struct capture c;

	(void)state;
	setenv("JOURNAL_STREAM", "1:1", 1);
	capture_begin(&c);
	log_msg(LOG_NOTICE, "here");
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(after_time(capture_end(&c)), "notice: here\n");
}

static void control_characters_never_pass(void **state)
{
	struct capture c;

	(void)state;
	capture_begin(&c);
	log_msg(LOG_INFO, "%s", "a\nb\x1b[2J\x7f\xc2\x9b\xff");
	assert_string_equal(
		after_time(capture_end(&c)), "info: a\\x0ab\\x1b[2J\\x7f\\xc2\\x9b\\xff\n");
}

static void other_characters_of_utf8_pass(void **state)
{
	struct capture c;

	(void)state;
	capture_begin(&c);
	log_msg(LOG_INFO, "%s", "/srv/Bänder/日本 \xf0\x9f\x93\xbc");
	assert_string_equal(
		after_time(capture_end(&c)), "info: /srv/Bänder/日本 \xf0\x9f\x93\xbc\n");
}

static void a_broken_character_at_the_end_is_escaped(void **state)
{
	struct capture c;

	(void)state;
	capture_begin(&c);
	log_msg(LOG_INFO, "%s", "x\xe6\x97");
	assert_string_equal(after_time(capture_end(&c)), "info: x\\xe6\\x97\n");
}

static void a_long_line_is_cut_and_says_so(void **state)
{
	struct capture c;
	char long_text[5001];
	const char *line;

	(void)state;
	memset(long_text, '\t', 5000);
	long_text[5000] = '\0';
	capture_begin(&c);
	log_msg(LOG_INFO, "%s", long_text);
	line = capture_end(&c);
	assert_in_range(strlen(line), 2000, 2200);
	assert_string_equal(line + strlen(line) - 8, "\\x09...\n");
}

static void errno_is_shown_and_kept(void **state)
{
	struct capture c;

	(void)state;
	capture_begin(&c);
	errno = ENOENT;
	log_msg(LOG_INFO, "open: %m");
	assert_int_equal(errno, ENOENT);
	assert_string_equal(after_time(capture_end(&c)), "info: open: No such file or directory\n");
}

/* Fills a pipe that nobody reads, so that it takes no further line. */
static void fill(int fd)
{
	char block[4096];

	memset(block, '.', sizeof(block));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (write(fd, block, sizeof(block)) > 0)
		;
	fcntl(fd, F_SETFL, 0);
}

static void a_reader_that_has_stopped_costs_lines_and_is_told_how_many(void **state)
{
	struct capture c;
	int p[2];
	ssize_t n;
	char *line;

	(void)state;
	capture_begin(&c);
	assert_int_equal(pipe(p), 0);
	fill(p[1]);
	dup2(p[1], STDERR_FILENO);
	log_setup(LOG_TO_STDERR, LOG_INFO);
	log_msg(LOG_INFO, "first");
	log_msg(LOG_INFO, "second");
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	while (read(p[0], c.text, sizeof(c.text)) > 0)
		;
	log_msg(LOG_INFO, "third");
	n = read(p[0], c.text, sizeof(c.text) - 1);
	assert_true(n > 0);
	c.text[n] = '\0';
	close(p[0]);
	close(p[1]);
	line = strchr(c.text, '\n');
	assert_non_null(line);
	assert_non_null(strstr(c.text, "info: third\n"));
	assert_string_equal(after_time(line + 1),
		"warning: 2 lines of the log were lost: its reader had stopped\n");
	capture_end(&c);
}

static void peer_text_is_quoted(void **state)
{
	struct log_quoted q;

	(void)state;
	assert_string_equal(log_quote("bob", 3, &q), "\"bob\"");
	assert_string_equal(log_quote("", 0, &q), "\"\"");
	assert_string_equal(log_quote("a\n\t\"\\\0\x80", 7, &q), "\"a\\n\\x09\\\"\\\\\\x00\\x80\"");
}

static void long_peer_text_is_cut(void **state)
{
	char name[300];
	struct log_quoted q;

	(void)state;
	memset(name, 'n', sizeof(name));
	log_quote(name, LOG_QUOTE_MAX, &q);
	assert_int_equal(strlen(q.text), LOG_QUOTE_MAX + 2);
	log_quote(name, sizeof(name), &q);
	assert_int_equal(strlen(q.text), LOG_QUOTE_MAX + 5);
	assert_string_equal(q.text + LOG_QUOTE_MAX, "n\"...");
}

static void an_escape_that_does_not_fit_is_left_out_whole(void **state)
{
	char name[300];
	struct log_quoted q;

	(void)state;
	memset(name, 'n', LOG_QUOTE_MAX - 3);
	memset(name + LOG_QUOTE_MAX - 3, '\x01', 10);
	log_quote(name, LOG_QUOTE_MAX, &q);
	assert_string_equal(q.text + LOG_QUOTE_MAX - 3, "n\"...");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_time_priority_and_text),
		cmocka_unit_test(a_line_above_the_level_is_not_written),
		cmocka_unit_test(the_journal_gets_a_priority_and_no_time),
		cmocka_unit_test(a_stderr_that_is_not_the_journals_gets_plain_lines),
		cmocka_unit_test(control_characters_never_pass),
		cmocka_unit_test(other_characters_of_utf8_pass),
		cmocka_unit_test(a_broken_character_at_the_end_is_escaped),
		cmocka_unit_test(a_long_line_is_cut_and_says_so),
		cmocka_unit_test(errno_is_shown_and_kept),
		cmocka_unit_test(a_reader_that_has_stopped_costs_lines_and_is_told_how_many),
		cmocka_unit_test(peer_text_is_quoted),
		cmocka_unit_test(long_peer_text_is_cut),
		cmocka_unit_test(an_escape_that_does_not_fit_is_left_out_whole),
	};

	return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
