/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The classic daemon (daemon(7)): two forks, so that the daemon leads no session and never gets a
 * terminal, and a pipe by which the first process learns how the start went.
 */
#include "background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char serves = '.';

static int open_null(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

/* Points descriptors first..last to /dev/null. */
static void silence(int first, int last)
{
	int null = open_null();

	for (int fd = first; null >= 0 && fd <= last; fd++)
		dup2(null, fd);
	if (null > last)
		close(null);
}

__attribute__((noreturn)) static void wait_for_report(int from)
{
	char c = 0;
	ssize_t n;

	do
		n = read(from, &c, 1);
	while (n < 0 && errno == EINTR);
	_exit(n == 1 && c == serves ? 0 : 1);
}

int background_enter(int *report)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0) {
		int err = -errno;

		close(ends[0]);
		close(ends[1]);
		return err;
	}
	if (pid > 0) {
		close(ends[1]);
		wait_for_report(ends[0]);
	}
	close(ends[0]);
	setsid();
	pid = fork();
	if (pid < 0)
		dprintf(STDERR_FILENO, "countersignd: %s\n", strerror(errno));
	if (pid != 0)
		_exit(pid < 0);
	silence(STDIN_FILENO, STDOUT_FILENO);
	*report = ends[1];
	return 0;
}

void background_ready(int report)
{
	ssize_t n;

	do
		n = write(report, &serves, 1);
	while (n < 0 && errno == EINTR);
	close(report);
	silence(STDERR_FILENO, STDERR_FILENO);
}
