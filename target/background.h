/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Becoming a daemon: the command that was typed returns only when the daemon serves, or with the
 * error that kept it from serving.
 */
#ifndef BACKGROUND_H
#define BACKGROUND_H

/*
 * Forks. In the daemon: 0, in a session of its own, with a descriptor in *report, standard input
 * and output on /dev/null, and standard error still the caller's, so that errors of the start are
 * seen. The process that was called does not return: it exits with 0 after background_ready(), and
 * with 1 when the daemon ends before. -errno (in the caller) when it cannot be done. Before any
 * thread is started or lock taken.
 */
int background_enter(int *report);

/* The daemon serves: lets the first process go and turns standard error to /dev/null too. */
void background_ready(int report);

#endif
