/* SPDX-License-Identifier: BSD-2-Clause */
/* A short queue of streams, and one timer for all of them (parting.h). */
#include "iscsi/parting.h"

#include <unistd.h>

static void close_oldest(struct parting *p)
{
	close(p->fd[p->first]);
	p->first = (p->first + 1) % PARTING_MAX;
	p->n--;
}

static void close_all(struct loop_timer *t)
{
	struct parting *p = container_of(t, struct parting, timer);

	while (p->n)
		close_oldest(p);
}

void parting_init(struct parting *p, struct loop *loop)
{
	*p = (struct parting){ 0 };
	loop_timer_init(loop, &p->timer, close_all);
}

void parting_add(struct parting *p, struct stream *s)
{
	if (s->fd < 0)
		return;
	if (p->n == PARTING_MAX)
		close_oldest(p);
	p->fd[(p->first + p->n++) % PARTING_MAX] = s->fd;
	s->fd = -1;
	loop_timer_set(&p->timer, PARTING_MS);
}

void parting_end(struct parting *p)
{
	loop_timer_clear(&p->timer);
	close_all(&p->timer);
}
