/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When polling pays: see the header. The numbers are small because a wrong guess
 * is cheap either way: a window costs microseconds of a processor, a sleep some
 * tens of microseconds of latency.
 */
#include "base/polling.h"

#define CREDIT_FULL  8  /* unpaid windows in a row before giving up */
#define CREDIT_TRIAL 2  /* after short sleeps have raised hope */
#define PROBE_SLEEPS 64 /* without hope, one window after so many sleeps */
#define NEAR_MAX     64
#define SLEEP_NS_MIN 3000 /* less was a look at the kernel that found something waiting */

static uint64_t cut(uint64_t ns)
{
	return ns < POLLING_NS_MAX ? ns : POLLING_NS_MAX;
}

void polling_set(struct polling *p, uint64_t window_ns)
{
	*p = (struct polling){
		.plain_ns = cut(window_ns),
		.window_ns = cut(window_ns),
		.credit = window_ns ? CREDIT_FULL : 0,
		.near_wanted = 1,
	};
}

void polling_await(struct polling *p, bool something)
{
	p->window_ns = something ? cut(p->plain_ns * POLLING_PATIENCE) : p->plain_ns;
}

void polling_paid(struct polling *p)
{
	p->credit = p->window_ns ? CREDIT_FULL : 0;
	p->near_wanted = 1;
}

void polling_unpaid(struct polling *p)
{
	if (p->credit == 0 || --p->credit > 0)
		return;
	p->sleeps = 0;
	p->near = 0;
	if (p->near_wanted < NEAR_MAX)
		p->near_wanted *= 2;
}

void polling_slept(struct polling *p, uint64_t slept_ns)
{
	if (p->credit || !p->window_ns || slept_ns < SLEEP_NS_MIN)
		return;
	p->near = slept_ns < p->window_ns ? p->near + 1 : 0;
	if (p->near >= p->near_wanted)
		p->credit = CREDIT_TRIAL;
	else if (++p->sleeps >= PROBE_SLEEPS)
		p->credit = 1;
}
