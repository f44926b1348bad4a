/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The iSCSI server (server.h). What concerns every reactor goes round as one message
 * to each, and is over when the last has answered.
 */
#include "iscsi/server.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "chap/challenge.h"
#include "chap/digest.h"
#include "iscsi/conn.h"
#include "iscsi/full.h"
#include "iscsi/login.h"
#include "iscsi/reactor.h"
#include "iscsi/session.h"
#include "iscsi/shared.h"
#include "net/guard.h"

struct iscsi_server {
	struct loop *main_loop;
	struct shared shared;
	unsigned n;
	struct reactor *reactors[];
};

/* --- rounds: one message to every reactor, one answer when all have acted ------------------- */

struct round;

struct round_part {
	struct loop_msg msg;
	struct round *round;
	struct reactor *r;
};

struct round {
	/* On each reactor; calls part_done() at once or later, on the same thread. */
	void (*act)(struct round_part *p);
	/* On the main loop, when every reactor has acted; frees what is around the round. */
	void (*over)(struct round *d);
	struct loop_msg msg;
	struct iscsi_server *server;
	_Atomic unsigned left;
	struct round_part parts[];
};

static void part_run(struct loop_msg *m)
{
	struct round_part *p = container_of(m, struct round_part, msg);

	p->round->act(p);
}

static void round_over(struct loop_msg *m)
{
	struct round *d = container_of(m, struct round, msg);

	d->over(d);
}

static void part_done(struct round_part *p)
{
	struct round *d = p->round;

	if (atomic_fetch_sub(&d->left, 1) > 1)
		return;
	d->msg.run = round_over;
	loop_post(d->server->main_loop, &d->msg);
}

/* Acts once more in the next round of the loop, when connections closed in this one are gone. */
static void part_later(struct round_part *p, void (*run)(struct loop_msg *m))
{
	p->msg.run = run;
	loop_post(p->r->loop, &p->msg);
}

static size_t round_size(const struct iscsi_server *s)
{
	return sizeof(struct round) + s->n * sizeof(struct round_part);
}

static void round_start(struct iscsi_server *s, struct round *d)
{
	d->server = s;
	d->left = s->n;
	for (unsigned i = 0; i < s->n; i++) {
		d->parts[i].round = d;
		d->parts[i].r = s->reactors[i];
		d->parts[i].msg.run = part_run;
	}
	for (unsigned i = 0; i < s->n; i++)
		loop_post(s->reactors[i]->loop, &d->parts[i].msg);
}

/* A round with something around it: `type` has a `struct round round` as its LAST member. */
#define ROUND_NEW(server, type) ((type *)calloc(1, offsetof(type, round) + round_size(server)))

/* --- beginning and end ---------------------------------------------------------------------- */

static void destroy(struct iscsi_server *s)
{
	for (unsigned i = 0; i < s->n; i++)
		reactor_free(s->reactors[i]);
	sessions_free(s->shared.sessions);
	guard_free(s->shared.guard);
	challenge_memory_free(s->shared.challenges);
	chap_digests_free(s->shared.digests);
	free(s);
}

/* Challenges that can be outstanding: the most that max_half_open may ever be set to. */
#define CHALLENGES_MAX 65536u

/* Data buffers may take a quarter of the memory; on a reactor at least what two sessions may. */
static size_t bufs_limit(unsigned reactors)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	size_t part = pages > 0 && page > 0 ? (size_t)pages * (size_t)page / 4 / reactors : 0;

	return part > 2 * NEXUS_BUFFERS ? part : 2 * NEXUS_BUFFERS;
}

/* Those that this process may have: it raises its own limit to that. */
static unsigned descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_max > INT_MAX)
		return INT_MAX;
	return (unsigned)files.rlim_max;
}

/* Of the descriptors at most a quarter is for those who have not logged in, at most an eighth for
 * discovery, an eighth for sessions whose initiators have proved who they are, and what is left for
 * the others, too (join.c). */
static uint32_t share_of(unsigned descriptors, uint32_t part, uint32_t wanted)
{
	uint32_t most = descriptors / part;

	if (most >= wanted)
		return wanted;
	return most ? most : 1;
}

static uint32_t discovery_limit(const struct shared *h)
{
	return share_of(h->descriptors, 8, SESSIONS_DISCOVERY_MAX);
}

static uint32_t half_open_limit(struct shared *h, uint32_t wanted)
{
	uint32_t most = share_of(h->descriptors, 4, wanted);

	atomic_store(
		&h->strangers, h->descriptors - h->descriptors / 8 - discovery_limit(h) - most);
	return most;
}

static bool share(struct iscsi_server *s, const struct iscsi_server_cfg *cfg)
{
	struct shared *h = &s->shared;

	h->server = s;
	h->loop_ends = cfg->loop_ends;
	h->arg = cfg->arg;
	h->bufs_limit = bufs_limit(cfg->reactors);
	h->descriptors = descriptors();
	h->sessions = sessions_new(discovery_limit(h));
	h->guard =
		guard_new(half_open_limit(h, cfg->max_half_open), cfg->max_half_open_per_address);
	h->challenges = challenge_memory_new(CHALLENGES_MAX, CHALLENGE_RECENT);
	h->digests = chap_digests_new();
	return h->sessions && h->guard && h->challenges && h->digests;
}

int iscsi_server_create(
	const struct iscsi_server_cfg *cfg, struct directory *dir, struct iscsi_server **out)
{
	struct iscsi_server *s = calloc(1, sizeof(*s) + cfg->reactors * sizeof(struct reactor *));
	int err = -ENOMEM;

	if (!s)
		return err;
	s->main_loop = cfg->main_loop;
	if (!share(s, cfg))
		goto fail;
	for (; s->n < cfg->reactors; s->n++) {
		err = reactor_create(&s->shared, s->n, cfg->poll_ns, dir, &s->reactors[s->n]);
		if (err)
			goto fail;
	}
	for (unsigned i = 0; i < s->n; i++)
		if ((err = reactor_start(s->reactors[i])) != 0)
			goto fail;
	*out = s;
	return 0;
fail:
	destroy(s);
	return err;
}

void iscsi_server_free(struct iscsi_server *s)
{
	if (s)
		destroy(s);
}

/* --- accepting ------------------------------------------------------------------------------ */

static void refuse(struct shared *h, const struct stream *stream, const char *why)
{
	struct addr_text text;

	if (log_rate_pass(&h->lines, clock_ns(CLOCK_MONOTONIC), LINES_OF_ALL))
		log_msg(LOG_NOTICE, "%s: connection refused: %s", addr_text(&stream->peer, &text),
			why);
	close(stream->fd);
}

/* On the reactor's thread. */
static void enter(struct reactor *r, const struct stream *stream, uint16_t group)
{
	if (!r->stopping && conn_open(r, stream, group))
		return;
	atomic_fetch_sub_explicit(&r->assigned, 1, memory_order_relaxed);
	guard_leave(r->shared->guard, &stream->peer);
	refuse(r->shared, stream,
		r->stopping ? "the server is stopping" : "out of memory or descriptors");
}

struct arrival {
	struct loop_msg msg;
	struct reactor *r;
	struct stream stream;
	uint16_t group;
};

static void arrive(struct loop_msg *m)
{
	struct arrival *a = container_of(m, struct arrival, msg);

	enter(a->r, &a->stream, a->group);
	free(a);
}

static void send_to(struct reactor *r, const struct stream *stream, uint16_t group)
{
	struct arrival *a = malloc(sizeof(*a));

	if (!a) {
		atomic_fetch_sub_explicit(&r->assigned, 1, memory_order_relaxed);
		guard_leave(r->shared->guard, &stream->peer);
		refuse(r->shared, stream, "out of memory");
		return;
	}
	*a = (struct arrival){ .msg.run = arrive, .r = r, .stream = *stream, .group = group };
	loop_post(r->loop, &a->msg);
}

static bool is_own(const struct reactor *r)
{
	return pthread_equal(r->thread, pthread_self());
}

static unsigned assigned_to(const struct reactor *r)
{
	return atomic_load_explicit(&r->assigned, memory_order_relaxed);
}

/* Of several, the caller's own. */
static struct reactor *idlest(const struct iscsi_server *s)
{
	struct reactor *best = s->reactors[0];
	unsigned least = assigned_to(best);

	for (unsigned i = 1; i < s->n; i++) {
		struct reactor *r = s->reactors[i];
		unsigned n = assigned_to(r);

		if (n < least || (n == least && is_own(r)))
			best = r;
		least = n < least ? n : least;
	}
	return best;
}

static const char *not_admitted(struct iscsi_server *s, const struct addr *peer)
{
	switch (guard_admit(s->shared.guard, peer)) {
	case GUARD_TOO_MANY: return "too many connections that have not logged in";
	case GUARD_TOO_MANY_FROM_ADDRESS:
		return "too many connections from this address that have not logged in";
	default: return NULL;
	}
}

void iscsi_server_take(struct iscsi_server *s, const struct stream *stream, uint16_t group)
{
	const char *why = not_admitted(s, &stream->peer);
	struct reactor *r;

	if (why) {
		refuse(&s->shared, stream, why);
		return;
	}
	r = idlest(s);
	atomic_fetch_add_explicit(&r->assigned, 1, memory_order_relaxed);
	if (is_own(r))
		enter(r, stream, group);
	else
		send_to(r, stream, group);
}

void iscsi_server_accept(struct iscsi_server *s, int fd, uint16_t group)
{
	struct stream stream;
	int err = stream_init(&stream, fd);

	if (err) {
		log_msg(LOG_NOTICE, "connection refused: %s", strerror(-err));
		close(fd);
		return;
	}
	iscsi_server_take(s, &stream, group);
}

struct loop *iscsi_server_loop(const struct iscsi_server *s, unsigned i)
{
	return s->reactors[i % s->n]->loop;
}

/* --- a new directory ------------------------------------------------------------------------ */

struct publication {
	struct directory *dir;
	void (*done)(void *arg);
	void *arg;
	struct round round;
};

static void check_logins(struct reactor *r)
{
	list_for_each_safe(l, &r->conns) {
		struct conn *c = container_of(l, struct conn, link);

		if (c->login && !login_take_directory(c, r->dir))
			conn_close(c, LOG_NOTICE,
				"login refused: its target or credential has changed meanwhile");
	}
}

static void check_sessions(struct reactor *r)
{
	list_for_each_safe(l, &r->sessions) {
		struct session *s = container_of(l, struct session, link);

		if (s->target && !s->closing)
			session_take_directory(s, r->dir);
	}
}

static void publish_act(struct round_part *p)
{
	struct publication *pub = container_of(p->round, struct publication, round);
	struct directory *old = p->r->dir;

	p->r->dir = directory_ref(pub->dir);
	check_logins(p->r);
	check_sessions(p->r);
	directory_unref(old);
	part_done(p);
}

static void publish_over(struct round *d)
{
	struct publication *pub = container_of(d, struct publication, round);

	directory_unref(pub->dir);
	if (pub->done)
		pub->done(pub->arg);
	free(pub);
}

int iscsi_server_publish(
	struct iscsi_server *s, struct directory *dir, void (*done)(void *arg), void *arg)
{
	struct publication *pub = ROUND_NEW(s, struct publication);

	if (!pub)
		return -ENOMEM;
	pub->dir = directory_ref(dir);
	pub->done = done;
	pub->arg = arg;
	pub->round.act = publish_act;
	pub->round.over = publish_over;
	round_start(s, &pub->round);
	return 0;
}

struct poll_change {
	uint64_t poll_ns;
	struct round round;
};

static void poll_act(struct round_part *p)
{
	loop_set_poll(p->r->loop, container_of(p->round, struct poll_change, round)->poll_ns);
	part_done(p);
}

static void poll_over(struct round *d)
{
	free(container_of(d, struct poll_change, round));
}

void iscsi_server_set_poll(struct iscsi_server *s, uint64_t poll_ns)
{
	struct poll_change *c = ROUND_NEW(s, struct poll_change);

	if (!c)
		return;
	c->poll_ns = poll_ns;
	c->round.act = poll_act;
	c->round.over = poll_over;
	round_start(s, &c->round);
}

void iscsi_server_set_limits(
	struct iscsi_server *s, uint32_t max_half_open, uint32_t max_half_open_per_address)
{
	guard_limits(s->shared.guard, half_open_limit(&s->shared, max_half_open),
		max_half_open_per_address);
}

/* --- who is here ---------------------------------------------------------------------------- */

/* One session, with its strings, on its way to the main thread. */
struct card {
	struct card *next;
	struct session_info info;
	struct addr_text peer, local;
	char text[];
};

struct census {
	void (*each)(void *arg, const struct session_info *info);
	void (*end)(void *arg);
	void *arg;
	_Atomic(struct card *) cards;
	struct round round;
};

static const char *put_text(char **at, const char *text)
{
	size_t size = text ? strlen(text) + 1 : 0;
	char *p = *at;

	if (!text)
		return NULL;
	memcpy(p, text, size);
	*at += size;
	return p;
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static void describe_conn(struct card *card, const struct conn *c)
{
	card->info.header_digest = c->header_digest;
	card->info.data_digest = c->data_digest;
	card->info.idle_ms = (loop_now(c->r->loop) - c->heard) / 1000000;
	card->info.peer = addr_text(&c->stream.peer, &card->peer);
	card->info.local = addr_text(&c->stream.local, &card->local);
}

static struct card *card_new(const struct session *s)
{
	struct card *card = calloc(1, sizeof(*card) + text_size(s->entry.target) +
					      text_size(s->entry.initiator) + text_size(s->alias) +
					      text_size(s->user));
	char *at;

	if (!card)
		return NULL;
	at = card->text;
	card->info = (struct session_info){ .tsih = s->entry.tsih,
		.discovery = s->discovery,
		.target = put_text(&at, s->entry.target),
		.initiator = put_text(&at, s->entry.initiator),
		.alias = put_text(&at, s->alias),
		.user = put_text(&at, s->user),
		.tpgt = s->entry.group,
		.reactor = s->r->index,
		.connections = s->nconns,
		.auth = s->auth,
		.algorithm = s->algorithm,
		.age_ms = (loop_now(s->r->loop) - s->born) / 1000000,
		.commands = s->commands,
		.bytes_in = s->bytes_in,
		.bytes_out = s->bytes_out };
	for (int i = 0; i < 6; i++)
		card->info.isid[i] = (uint8_t)(s->entry.isid >> (40 - 8 * i));
	if (!list_empty(&s->conns))
		describe_conn(card, container_of(s->conns.next, struct conn, in_session));
	return card;
}

static void census_act(struct round_part *p)
{
	struct census *c = container_of(p->round, struct census, round);

	list_for_each(l, &p->r->sessions) {
		struct session *s = container_of(l, struct session, link);
		struct card *card = s->entry.tsih && s->nconns ? card_new(s) : NULL;

		if (!card)
			continue;
		card->next = atomic_load(&c->cards);
		while (!atomic_compare_exchange_weak(&c->cards, &card->next, card))
			;
	}
	part_done(p);
}

static void census_over(struct round *d)
{
	struct census *c = container_of(d, struct census, round);
	struct card *card;

	while ((card = c->cards)) {
		c->cards = card->next;
		c->each(c->arg, &card->info);
		free(card);
	}
	c->end(c->arg);
	free(c);
}

int iscsi_server_sessions(struct iscsi_server *s,
	void (*each)(void *arg, const struct session_info *info), void (*end)(void *arg), void *arg)
{
	struct census *c = ROUND_NEW(s, struct census);

	if (!c)
		return -ENOMEM;
	c->each = each;
	c->end = end;
	c->arg = arg;
	c->round.act = census_act;
	c->round.over = census_over;
	round_start(s, &c->round);
	return 0;
}

static uint64_t get(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

void iscsi_server_counters(const struct iscsi_server *s, struct iscsi_counters *out)
{
	*out = (struct iscsi_counters){ .reactors = s->n,
		.half_open = guard_half_open(s->shared.guard) };
	for (unsigned i = 0; i < s->n; i++) {
		const struct reactor *r = s->reactors[i];

		out->connections += get(&r->connections);
		out->sessions += get(&r->nsessions);
		out->logins += get(&r->logins);
		out->logins_refused += get(&r->refused);
		out->commands += get(&r->commands);
		out->bytes_in += get(&r->bytes_in);
		out->bytes_out += get(&r->bytes_out);
	}
}

/* --- closing -------------------------------------------------------------------------------- */

struct closing {
	char *target;
	char *why;
	uint16_t tsih;
	bool forbidden; /* instead of target and tsih */
	_Atomic unsigned n;
	void (*done)(void *arg, unsigned n);
	void *arg;
	struct round round;
};

static bool concerns(const struct closing *k, const struct conn *c)
{
	const struct session *s = c->s;

	if (k->forbidden)
		return s && s->target &&
		       login_forbidden(
			       c->r->dir, s->target->name, s->entry.initiator, &c->stream.peer);
	if (!k->target)
		return s && s->entry.tsih == k->tsih;
	if (c->login)
		return strcmp(login_target(c->login), k->target) == 0;
	return s && s->entry.target && strcmp(s->entry.target, k->target) == 0;
}

static void closed(struct loop_msg *m)
{
	part_done(container_of(m, struct round_part, msg));
}

static void close_act(struct round_part *p)
{
	struct closing *k = container_of(p->round, struct closing, round);

	list_for_each_safe(l, &p->r->conns) {
		struct conn *c = container_of(l, struct conn, link);

		if (c->phase == CONN_CLOSING || !concerns(k, c))
			continue;
		k->n++;
		conn_close(c, LOG_NOTICE, "closing: %s", k->why);
	}
	part_later(p, closed);
}

static void close_over(struct round *d)
{
	struct closing *k = container_of(d, struct closing, round);

	if (k->done)
		k->done(k->arg, k->n);
	free(k->target);
	free(k->why);
	free(k);
}

/* Which connections are meant is the caller's to say, before round_start(). NULL: out of memory. */
static struct closing *closing_new(struct iscsi_server *s, const char *target, const char *why,
	void (*done)(void *arg, unsigned n), void *arg)
{
	struct closing *k = ROUND_NEW(s, struct closing);

	if (!k)
		return NULL;
	k->target = target ? strdup(target) : NULL;
	k->why = strdup(why);
	if ((target && !k->target) || !k->why) {
		free(k->target);
		free(k->why);
		free(k);
		return NULL;
	}
	k->done = done;
	k->arg = arg;
	k->round.act = close_act;
	k->round.over = close_over;
	return k;
}

int iscsi_server_close(struct iscsi_server *s, const char *target, uint16_t tsih, const char *why,
	void (*done)(void *arg, unsigned n), void *arg)
{
	struct closing *k = closing_new(s, target, why, done, arg);

	if (!k)
		return -ENOMEM;
	k->tsih = tsih;
	round_start(s, &k->round);
	return 0;
}

int iscsi_server_close_forbidden(
	struct iscsi_server *s, const char *why, void (*done)(void *arg, unsigned n), void *arg)
{
	struct closing *k = closing_new(s, NULL, why, done, arg);

	if (!k)
		return -ENOMEM;
	k->forbidden = true;
	round_start(s, &k->round);
	return 0;
}

unsigned iscsi_server_target_sessions(const struct iscsi_server *s, const char *target)
{
	return sessions_of_target(s->shared.sessions, target);
}

/* --- stopping ------------------------------------------------------------------------------- */

struct stopping {
	uint32_t grace_ms;
	void (*done)(void *arg);
	void *arg;
	struct round round;
};

static void drained(struct reactor *r)
{
	struct round_part *p = r->drained_arg;

	r->drained = NULL;
	loop_timer_clear(&r->grace);
	part_done(p);
}

static void close_all(struct reactor *r)
{
	list_for_each_safe(l, &r->conns)
		conn_close(container_of(l, struct conn, link), LOG_NOTICE,
			"closing: the server is stopping");
}

static void grace_over(struct loop_timer *t)
{
	close_all(container_of(t, struct reactor, grace));
}

static void ask_all(struct reactor *r, uint16_t seconds)
{
	list_for_each_safe(l, &r->conns) {
		struct conn *c = container_of(l, struct conn, link);

		if (c->phase == CONN_FULL)
			full_ask_logout(c, seconds);
		else if (c->phase == CONN_LOGIN)
			conn_close(c, LOG_NOTICE, "closing: the server is stopping");
	}
}

static void stop_act(struct round_part *p)
{
	struct stopping *st = container_of(p->round, struct stopping, round);
	struct reactor *r = p->r;

	if (r->stopping) {
		if (!st->grace_ms)
			close_all(r);
		part_done(p);
		return;
	}
	r->stopping = true;
	r->drained = drained;
	r->drained_arg = p;
	loop_timer_init(r->loop, &r->grace, grace_over);
	if (st->grace_ms) {
		ask_all(r, (uint16_t)(st->grace_ms / 1000 ? st->grace_ms / 1000 : 1));
		loop_timer_set(&r->grace, st->grace_ms);
	} else {
		close_all(r);
	}
	reactor_check_drained(r);
}

static void stop_over(struct round *d)
{
	struct stopping *st = container_of(d, struct stopping, round);

	if (st->done)
		st->done(st->arg);
	free(st);
}

int iscsi_server_stop(struct iscsi_server *s, uint32_t grace_ms, void (*done)(void *arg), void *arg)
{
	struct stopping *st = ROUND_NEW(s, struct stopping);

	if (!st)
		return -ENOMEM;
	st->grace_ms = grace_ms;
	st->done = done;
	st->arg = arg;
	st->round.act = stop_act;
	st->round.over = stop_over;
	round_start(s, &st->round);
	return 0;
}
