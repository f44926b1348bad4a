/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/load/hold.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests/bench/load/clock.h"
#include "tests/bench/load/die.h"

struct crowd {
	const struct plan *plan;
	struct link *links;
	int ep;
	uint32_t block_size;
	uint64_t blocks;
	unsigned gone;
	uint8_t *buf;
};

static void log_in_all(struct crowd *w, const struct login_kit *kit)
{
	for (unsigned i = 0; i < w->plan->conns; i++) {
		struct link *l = &w->links[i];
		struct epoll_event e = { .events = EPOLLIN, .data.ptr = l };

		login(kit, l, i);
		link_capacity(l, w->plan->lun, &w->blocks, &w->block_size);
		if (epoll_ctl(w->ep, EPOLL_CTL_ADD, l->fd, &e) != 0)
			die_errno("epoll");
	}
}

static void drop(struct crowd *w, struct link *l)
{
	link_close(l);
	w->gone++;
}

/* A session spoke first: a ping, or its end. */
static void listen_to(struct crowd *w, struct link *l)
{
	uint8_t bhs[BHS_SIZE];
	ssize_t n = read(l->fd, bhs, BHS_SIZE);

	if (n == BHS_SIZE && l->header_digest)
		n -= read(l->fd, (uint8_t[DIGEST_SIZE]){ 0 }, DIGEST_SIZE) - DIGEST_SIZE;
	if (n != BHS_SIZE || (bhs[0] & BHS_OPCODE) != OP_NOP_IN || be24(bhs + 5))
		drop(w, l);
	else if (link_pong(l, bhs))
		link_send(l, bhs, NULL, 0);
}

static void listen_until(struct crowd *w, uint64_t until)
{
	struct epoll_event ev[64];

	for (uint64_t t = now(); t < until; t = now()) {
		int n = epoll_wait(w->ep, ev, 64, (int)((until - t + 999999) / 1000000));

		for (int i = 0; i < n; i++)
			listen_to(w, ev[i].data.ptr);
	}
}

static uint8_t ask(struct crowd *w, struct link *l)
{
	uint8_t cdb[16] = { 0x88 };

	put_be64(cdb + 2, (uint64_t)random() % w->blocks);
	put_be32(cdb + 10, 1);
	return link_command(l, w->plan->lun, cdb, w->block_size, w->buf);
}

static void ask_any(struct crowd *w, struct histogram *latency)
{
	struct link *l = &w->links[(unsigned long)random() % w->plan->conns];
	uint64_t t = now();

	if (l->fd < 0)
		return;
	if (ask(w, l))
		die("a read over an idle session has failed");
	histogram_add(latency, now() - t);
}

static void wait_and_ask(struct crowd *w, struct histogram *latency)
{
	uint64_t end = now() + (uint64_t)(w->plan->seconds * 1e9);
	uint64_t pace = (uint64_t)(w->plan->every * 1e9), next = now() + pace;

	while (pace && next < end) {
		listen_until(w, next);
		ask_any(w, latency);
		next += pace;
	}
	listen_until(w, end);
}

static void log_out_all(struct crowd *w)
{
	listen_until(w, now() + 1);
	for (unsigned i = 0; i < w->plan->conns; i++) {
		if (w->links[i].fd < 0)
			continue;
		if (ask(w, &w->links[i]))
			die("session %u does not read any more", i);
		logout(&w->links[i]);
	}
}

void hold(const struct login_kit *kit, struct hold_result *out)
{
	struct crowd w = { .plan = kit->plan, .ep = epoll_create1(0) };
	uint64_t t = now();

	*out = (struct hold_result){ .held = kit->plan->conns };
	w.links = calloc(kit->plan->conns, sizeof(*w.links));
	if (!w.links || w.ep < 0)
		die_errno("memory");
	log_in_all(&w, kit);
	out->login_seconds = (double)(now() - t) * 1e-9;
	w.buf = malloc(w.block_size);
	if (!w.buf)
		die_errno("memory");
	puts("holding");
	fflush(stdout);
	wait_and_ask(&w, &out->latency);
	log_out_all(&w);
	out->dropped = w.gone;
	free(w.buf);
	free(w.links);
	close(w.ep);
}
