/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a load that makes no sense any more. */
#ifndef BENCH_DIE_H
#define BENCH_DIE_H

/* Says why on stderr and exits with status 1. */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, with the text of errno. */
_Noreturn void die_errno(const char *what);

#endif
