/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of whatever runs on a loop share. */
#ifndef TESTS_LOOP_SUPPORT_H
#define TESTS_LOOP_SUPPORT_H

#include "base/loop.h"

static inline void stop_loop(struct loop_timer *t)
{
	loop_stop(t->loop);
}

/* Lets the loop run for so long. */
static inline void run_for(struct loop *loop, uint32_t ms)
{
	struct loop_timer t;

	loop_timer_init(loop, &t, stop_loop);
	loop_timer_set(&t, ms);
	loop_run(loop);
	loop_timer_clear(&t);
}

#endif
