/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rounds of a loop. One round calls what is ready, then runs the messages
 * that came, then what was deferred. How it finds out what is ready is its pace:
 *
 *   ASK    calls the few watches that did work a moment ago, without asking the
 *          kernel whether they are readable: a receive that finds nothing costs
 *          less than an epoll_wait that finds something. Every LOOK_NS the next
 *          pace is taken instead, so that nothing else starves;
 *   LOOK   asks the kernel about everything, without sleeping;
 *   SLEEP  the same, and sleeps until something happens.
 *
 * Other threads see two things: the inbox, and whether the loop sleeps. A poster
 * puts its message in and then looks whether the loop sleeps; the loop says that
 * it sleeps and then looks into the inbox. Both in sequentially consistent order,
 * so that at least one sees the other: no wake-up is lost, and a loop that is
 * awake is never written to.
 */
#include "base/loop.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/polling.h"

#define FEW       4               /* so many hot watches are asked one by one */
#define LOOK_NS   UINT64_C(16000) /* the longest time without asking the kernel, while awake */
#define DRAIN_MAX 100             /* passes at the end, where work leads to more work */
#define QUEUES    32              /* distinct lengths of timers that have a queue */

enum pace { ASK, LOOK, SLEEP };

struct timer_queue {
	uint32_t ms;
	const struct timeval *tv; /* names the queue; owned by the base */
};

struct loop {
	struct event_base *base;
	uint64_t now;
	struct polling polling;
	uint64_t look_at;    /* ASK until then at most */
	uint64_t window_end; /* of the polling window, once a round found nothing */
	bool awaiting;       /* see loop_await() */
	bool hoping;         /* there was work since the last sleep: polling may pay */
	bool worked;         /* a watch or a message did work in this round */
	bool acted;          /* the same, or a timer or deferred work ran */
	bool sleeping;       /* no callback yet since the kernel was asked */
	struct list hot;     /* watches, in the order in which they stop being hot */
	struct list fresh;   /* those that did work in this round */
	unsigned nhot;       /* in both lists */
	struct list deferred;
	unsigned nqueues;
	struct timer_queue queues[QUEUES];
	int wake_fd;
	struct event wake;

	/* What other threads touch, apart from the rest. */
	_Alignas(64) _Atomic(struct loop_msg *) inbox; /* last posted first */
	_Atomic unsigned posters;                      /* threads inside loop_post() */
	atomic_bool asleep;
	atomic_bool stop;
};

/* Called first in every callback: the first one after a sleep reads the clock anew, and spares
 * posters the write that wakes. */
static void awake(struct loop *loop)
{
	if (!loop->sleeping)
		return;
	loop->sleeping = false;
	atomic_store_explicit(&loop->asleep, false, memory_order_relaxed);
	loop->now = clock_ns(CLOCK_MONOTONIC);
}

/* --- descriptors -------------------------------------------------------------------- */

static void heat(struct loop_watch *w)
{
	struct loop *loop = w->loop;

	if (!loop->polling.window_ns)
		return;
	if (list_linked(&w->hot))
		list_del(&w->hot);
	else
		loop->nhot++;
	list_push(&loop->fresh, &w->hot);
}

static void cool(struct loop_watch *w)
{
	if (!list_linked(&w->hot))
		return;
	list_del(&w->hot);
	w->loop->nhot--;
}

static void call(struct loop_watch *w, unsigned conditions)
{
	struct loop *loop = w->loop;

	if (!w->ready(w, conditions))
		return;
	loop->worked = true;
	if (w->on && !w->never_hot)
		heat(w);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct loop_watch *w = arg;

	(void)fd;
	(void)what;
	awake(w->loop);
	call(w, LOOP_READ);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct loop_watch *w = arg;

	(void)fd;
	(void)what;
	awake(w->loop);
	call(w, LOOP_WRITE);
}

static int change(struct loop_watch *w, struct event *ev, unsigned condition, unsigned want)
{
	int rc;

	if (!((w->want ^ want) & condition))
		return 0;
	errno = 0;
	rc = (want & condition) ? event_add(ev, NULL) : event_del(ev);
	if (rc != 0)
		return errno ? -errno : -EIO;
	w->want ^= condition;
	return 0;
}

int loop_rewatch(struct loop_watch *w, unsigned want)
{
	int err;

	if (!w->on || w->want == want)
		return 0;
	err = change(w, &w->readable, LOOP_READ, want);
	return err ? err : change(w, &w->writable, LOOP_WRITE, want);
}

int loop_watch(struct loop *loop, struct loop_watch *w, int fd, unsigned want, loop_ready *ready)
{
	int err;

	*w = (struct loop_watch){ .loop = loop, .ready = ready, .fd = fd, .on = true };
	list_init(&w->hot);
	event_assign(&w->readable, loop->base, fd, EV_READ | EV_PERSIST, on_readable, w);
	event_assign(&w->writable, loop->base, fd, EV_WRITE | EV_PERSIST, on_writable, w);
	err = loop_rewatch(w, want);
	if (err)
		loop_unwatch(w);
	return err;
}

void loop_unwatch(struct loop_watch *w)
{
	if (!w->on)
		return;
	w->on = false;
	w->want = 0;
	cool(w);
	event_del(&w->readable);
	event_del(&w->writable);
}

/* --- deferred work ------------------------------------------------------------------- */

void loop_defer_init(struct loop_defer *d, void (*run)(struct loop_defer *d))
{
	list_init(&d->link);
	d->run = run;
}

void loop_defer(struct loop *loop, struct loop_defer *d)
{
	if (!list_linked(&d->link))
		list_push(&loop->deferred, &d->link);
}

void loop_undefer(struct loop_defer *d)
{
	list_del(&d->link);
}

static void run_deferred(struct loop *loop)
{
	struct list todo, *l;

	list_init(&todo);
	list_splice(&todo, &loop->deferred);
	while ((l = list_pop(&todo))) {
		struct loop_defer *d = container_of(l, struct loop_defer, link);

		loop->acted = true;
		d->run(d);
	}
}

/* --- timers -------------------------------------------------------------------------- */

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = arg;

	(void)fd;
	(void)what;
	awake(t->loop);
	t->loop->acted = true;
	t->fire(t);
}

/* The queue of all timers of this length, or just the length where there are too many. */
static const struct timeval *queue_for(struct loop *loop, uint32_t ms, struct timeval *plain)
{
	const struct timeval *tv;

	for (unsigned i = 0; i < loop->nqueues; i++)
		if (loop->queues[i].ms == ms)
			return loop->queues[i].tv;
	plain->tv_sec = ms / 1000;
	plain->tv_usec = (suseconds_t)(ms % 1000) * 1000;
	if (loop->nqueues == QUEUES)
		return plain;
	tv = event_base_init_common_timeout(loop->base, plain);
	if (!tv)
		return plain;
	loop->queues[loop->nqueues++] = (struct timer_queue){ .ms = ms, .tv = tv };
	return tv;
}

void loop_timer_init(struct loop *loop, struct loop_timer *t, void (*fire)(struct loop_timer *t))
{
	t->loop = loop;
	t->fire = fire;
	event_assign(&t->ev, loop->base, -1, 0, on_timer, t);
}

void loop_timer_set(struct loop_timer *t, uint32_t ms)
{
	struct timeval plain;

	event_add(&t->ev, queue_for(t->loop, ms, &plain));
}

void loop_timer_clear(struct loop_timer *t)
{
	if (t->loop)
		event_del(&t->ev);
}

/* --- messages ------------------------------------------------------------------------ */

static void wake(struct loop *loop)
{
	static const uint64_t one = 1;

	if (!atomic_load(&loop->asleep) || !atomic_exchange(&loop->asleep, false))
		return;
	while (write(loop->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* The descriptor is edge-triggered: it wakes by each write and is never read. */
static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	awake(arg);
}

/* The message may end what kept the loop alive before its poster is through: see loop_free(). */
void loop_post(struct loop *loop, struct loop_msg *m)
{
	atomic_fetch_add_explicit(&loop->posters, 1, memory_order_relaxed);
	m->next = atomic_load_explicit(&loop->inbox, memory_order_relaxed);
	while (!atomic_compare_exchange_weak(&loop->inbox, &m->next, m))
		;
	wake(loop);
	atomic_fetch_sub_explicit(&loop->posters, 1, memory_order_release);
}

struct errand {
	struct loop_msg msg;
	void (*fn)(void *arg);
	void *arg;
	sem_t done;
};

static void run_errand(struct loop_msg *m)
{
	struct errand *e = container_of(m, struct errand, msg);

	e->fn(e->arg);
	sem_post(&e->done);
}

void loop_call(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct errand e = { .msg.run = run_errand, .fn = fn, .arg = arg };

	sem_init(&e.done, 0, 0);
	loop_post(loop, &e.msg);
	while (sem_wait(&e.done) != 0) /* EINTR */
		;
	sem_destroy(&e.done);
}

void loop_stop(struct loop *loop)
{
	atomic_store(&loop->stop, true);
	wake(loop);
}

static bool has_messages(struct loop *loop)
{
	return atomic_load_explicit(&loop->inbox, memory_order_relaxed) != NULL;
}

static struct loop_msg *reversed(struct loop_msg *m)
{
	struct loop_msg *first = NULL;

	while (m) {
		struct loop_msg *next = m->next;

		m->next = first;
		first = m;
		m = next;
	}
	return first;
}

static void run_messages(struct loop *loop)
{
	struct loop_msg *m;

	if (!has_messages(loop))
		return;
	m = reversed(atomic_exchange_explicit(&loop->inbox, NULL, memory_order_acquire));
	loop->worked = true;
	while (m) {
		struct loop_msg *next = m->next;

		m->run(m);
		m = next;
	}
}

/* --- rounds -------------------------------------------------------------------------- */

/* Begins a round: what did work in the last one is hot from now on, for one polling window;
 * what has been hot for so long without work is no longer. */
static void settle(struct loop *loop)
{
	struct list *l;

	loop->now = clock_ns(CLOCK_MONOTONIC);
	while ((l = list_pop(&loop->fresh))) {
		struct loop_watch *w = container_of(l, struct loop_watch, hot);

		w->hot_until = loop->now + loop->polling.window_ns;
		list_push(&loop->hot, l);
	}
	while (!list_empty(&loop->hot)) {
		struct loop_watch *w = container_of(loop->hot.next, struct loop_watch, hot);

		if (w->hot_until > loop->now)
			break;
		cool(w);
	}
}

/* Whether to go on without sleeping in the hope of more work. The window opens with the first
 * round that finds nothing: until then no time was wasted, and nothing was learned. */
static bool hope(struct loop *loop)
{
	struct polling *p = &loop->polling;

	if (loop->worked) {
		if (loop->window_end)
			polling_paid(p);
		loop->window_end = 0;
		loop->hoping = polling_window(p) > 0;
	} else if (loop->hoping && !loop->window_end) {
		loop->window_end = loop->now + polling_window(p);
	} else if (loop->hoping && loop->now >= loop->window_end) {
		polling_unpaid(p);
		loop->window_end = 0;
		loop->hoping = false;
	}
	return loop->hoping;
}

/* Whether asking the hot watches can tell all there is to know: they are few, and all of them
 * wait for input. */
static bool can_ask(struct loop *loop)
{
	if (loop->nhot == 0 || loop->nhot > FEW || loop->now >= loop->look_at)
		return false;
	list_for_each(l, &loop->hot) {
		if (container_of(l, struct loop_watch, hot)->want & LOOP_WRITE)
			return false;
	}
	return true;
}

static enum pace choose_pace(struct loop *loop)
{
	bool hoping = hope(loop);

	if (hoping && can_ask(loop))
		return ASK;
	if (hoping || has_messages(loop) || !list_empty(&loop->deferred))
		return LOOK;
	return SLEEP;
}

static void ask(struct loop *loop)
{
	struct list todo, *l;

	list_init(&todo);
	list_splice(&todo, &loop->hot);
	while ((l = list_pop(&todo))) {
		struct loop_watch *w = container_of(l, struct loop_watch, hot);

		list_push(&loop->hot, l);
		if (w->want & LOOP_READ)
			call(w, LOOP_READ);
	}
}

static void look(struct loop *loop)
{
	event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	loop->look_at = loop->now + LOOK_NS;
}

static void sleep_until_woken(struct loop *loop)
{
	bool stay;

	loop->sleeping = true;
	atomic_store(&loop->asleep, true);
	stay = atomic_load(&loop->inbox) || atomic_load(&loop->stop);
	event_base_loop(loop->base, EVLOOP_ONCE | (stay ? EVLOOP_NONBLOCK : 0));
	loop->sleeping = false;
	atomic_store_explicit(&loop->asleep, false, memory_order_relaxed);
}

static void finish_round(struct loop *loop)
{
	run_messages(loop);
	run_deferred(loop);
}

static void run_round(struct loop *loop)
{
	enum pace pace;
	uint64_t began;

	settle(loop);
	began = loop->now;
	pace = choose_pace(loop);
	loop->worked = false;
	if (pace == ASK)
		ask(loop);
	else if (pace == LOOK)
		look(loop);
	else
		sleep_until_woken(loop);
	finish_round(loop);
	if (pace == SLEEP && loop->worked)
		polling_slept(&loop->polling, loop->now - began);
}

bool loop_step(struct loop *loop)
{
	settle(loop);
	loop->worked = false;
	loop->acted = false;
	look(loop);
	finish_round(loop);
	return loop->worked || loop->acted;
}

/* What is under way comes to its end: messages, deferred work, and what these lead to, unless
 * it leads to more for ever. */
static void drain(struct loop *loop)
{
	for (int i = 0; i < DRAIN_MAX; i++) {
		if (!has_messages(loop) && list_empty(&loop->deferred))
			break;
		finish_round(loop);
	}
}

void loop_run(struct loop *loop)
{
	while (!atomic_load(&loop->stop))
		run_round(loop);
	atomic_store(&loop->stop, false);
	drain(loop);
}

/* --- the loop itself ----------------------------------------------------------------- */

static void libevent_log(int severity, const char *text)
{
	static const int priority[] = { LOG_DEBUG, LOG_DEBUG, LOG_WARNING, LOG_ERR };

	log_msg(priority[severity & 3], "libevent: %s", text);
}

/* One thread alone touches the base, so it needs no locks; timers need no more than the coarse
 * clock, where a finer one would cost a system call a round. */
static struct event_base *new_base(void)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base = NULL;

	if (cfg && event_config_require_features(cfg, EV_FEATURE_ET) == 0 &&
		event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK) == 0 &&
		event_config_set_flag(cfg, EVENT_BASE_FLAG_IGNORE_ENV) == 0)
		base = event_base_new_with_config(cfg);
	if (cfg)
		event_config_free(cfg);
	return base;
}

int loop_create(uint64_t poll_ns, struct loop **out)
{
	struct loop *loop = aligned_alloc(_Alignof(struct loop), sizeof(*loop));
	int err = -ENOMEM;

	if (!loop)
		return err;
	*loop = (struct loop){ .wake_fd = -1 };
	list_init(&loop->hot);
	list_init(&loop->fresh);
	list_init(&loop->deferred);
	polling_set(&loop->polling, poll_ns);
	event_set_log_callback(libevent_log);
	loop->base = new_base();
	if (!loop->base)
		goto out;
	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->wake_fd < 0) {
		err = -errno;
		goto out;
	}
	event_assign(&loop->wake, loop->base, loop->wake_fd, EV_READ | EV_PERSIST | EV_ET, on_wake,
		loop);
	if (event_add(&loop->wake, NULL) != 0)
		goto out;
	loop->now = clock_ns(CLOCK_MONOTONIC);
	*out = loop;
	loop = NULL; /* the caller owns it now */
	err = 0;
out:
	loop_free(loop);
	return err;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	drain(loop);
	while (atomic_load_explicit(&loop->posters, memory_order_acquire))
		sched_yield();
	if (loop->base)
		event_base_free(loop->base);
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	free(loop);
}

void loop_set_poll(struct loop *loop, uint64_t poll_ns)
{
	polling_set(&loop->polling, poll_ns);
	polling_await(&loop->polling, loop->awaiting);
}

void loop_await(struct loop *loop, bool something)
{
	loop->awaiting = something;
	polling_await(&loop->polling, something);
}

uint64_t loop_now(const struct loop *loop)
{
	return loop->now;
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}
