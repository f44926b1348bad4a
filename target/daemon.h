/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The running server: its start in the right order, signals, reloads, and its end.
 */
#ifndef DAEMON_H
#define DAEMON_H

#include "options.h"

/*
 * Starts, serves until a signal asks it to stop, and stops. Gives the exit status of the program.
 * What keeps it from starting is printed on standard error; nothing is left half started then.
 * Without opts->foreground it becomes a daemon on the way, and the process that called does not
 * return from here (see background.h).
 */
int daemon_main(const struct options *opts);

/* Only looks: prints every fault of the configuration. Gives the exit status of the program. */
int daemon_check(const struct options *opts);

#endif
