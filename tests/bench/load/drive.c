/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data path of the load (drive.h). Requests are gathered in one buffer per connection and
 * leave in one write; one read takes whatever has come.
 */
#include "tests/bench/load/drive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "iscsi/crc.h"
#include "tests/bench/load/clock.h"
#include "tests/bench/load/die.h"
#include "tests/bench/load/stamp.h"

#define INPUT      (4u << 20)
#define OUTPUT_MIN ((size_t)1 << 20)

struct task {
	uint64_t lba;
	uint64_t issued;
	uint32_t left; /* bytes of Data-In to come */
	bool busy, write;
};

struct conn {
	struct link link;
	unsigned inflight;
	struct task task[DEPTH_MAX];
	uint64_t next_slot; /* of a sequential run */
	uint64_t ops;
	uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t out_at, out_len, out_size;
	bool wants_write;
};

struct load {
	const struct plan *plan;
	struct conn *conns;
	int ep;
	enum work work;
	bool sequential;
	uint64_t to_issue; /* commands that may still be issued */
	uint32_t block_size;
	uint32_t step;  /* blocks of one command */
	uint64_t slots; /* places on the disk for one */
	uint64_t rng;
	uint8_t *payload; /* bytes of one command */
	struct drive_result *out;
};

/* xorshift64 */
static uint64_t random_next(struct load *l)
{
	l->rng ^= l->rng << 13;
	l->rng ^= l->rng >> 7;
	l->rng ^= l->rng << 17;
	return l->rng;
}

/* --- output ---------------------------------------------------------------------------------- */

static void make_room(struct conn *c, size_t n)
{
	if (c->out_at) {
		memmove(c->out, c->out + c->out_at, c->out_len - c->out_at);
		c->out_len -= c->out_at;
		c->out_at = 0;
	}
	while (c->out_len + n > c->out_size) {
		c->out_size *= 2;
		c->out = realloc(c->out, c->out_size);
		if (!c->out)
			die_errno("memory");
	}
}

static void put(struct conn *c, const void *p, size_t n)
{
	if (c->out_len + n > c->out_size)
		make_room(c, n);
	memcpy(c->out + c->out_len, p, n);
	c->out_len += n;
}

static void put_crc(struct conn *c, uint32_t crc)
{
	uint8_t digest[DIGEST_SIZE];

	crc_store(digest, crc);
	put(c, digest, sizeof(digest));
}

static void put_pdu(struct conn *c, uint8_t bhs[static BHS_SIZE], const uint8_t *data, uint32_t len)
{
	static const uint8_t zero[4];

	put_be24(bhs + 5, len);
	put(c, bhs, BHS_SIZE);
	if (c->link.header_digest)
		put_crc(c, crc_add(CRC_START, bhs, BHS_SIZE));
	if (!len)
		return;
	put(c, data, len);
	if (len & 3)
		put(c, zero, -len & 3);
	if (c->link.data_digest)
		put_crc(c, crc_add_padding(crc_add(CRC_START, data, len), len));
}

static void flush(const struct load *l, struct conn *c)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
	bool wants;

	while (c->out_at < c->out_len) {
		ssize_t n = write(c->link.fd, c->out + c->out_at, c->out_len - c->out_at);

		if (n < 0 && errno != EAGAIN)
			die_errno("write");
		if (n < 0)
			break;
		c->out_at += (size_t)n;
	}
	if (c->out_at == c->out_len)
		c->out_at = c->out_len = 0;
	wants = c->out_len > 0;
	if (wants == c->wants_write)
		return;
	e.events |= wants ? EPOLLOUT : 0;
	epoll_ctl(l->ep, EPOLL_CTL_MOD, c->link.fd, &e);
	c->wants_write = wants;
}

/* --- commands -------------------------------------------------------------------------------- */

static const uint8_t *data_of(const struct load *l, const struct task *t)
{
	if (l->plan->verify)
		stamp(l->payload, l->plan->bytes, t->lba, l->block_size);
	return l->payload;
}

static void data_out(const struct load *l, struct conn *c, uint32_t itt, uint32_t ttt, uint32_t off,
	uint32_t len)
{
	const uint8_t *data = data_of(l, &c->task[itt]);
	uint32_t datasn = 0;

	for (uint32_t done = 0, n; done < len; done += n) {
		uint8_t bhs[BHS_SIZE] = { OP_DATA_OUT };

		n = len - done < c->link.max_send ? len - done : c->link.max_send;
		bhs[1] = done + n == len ? BHS_FINAL : 0;
		put_be32(bhs + 16, itt);
		put_be32(bhs + 20, ttt);
		put_be32(bhs + 28, c->link.expstatsn);
		put_be32(bhs + 36, datasn++);
		put_be32(bhs + 40, off + done);
		put_pdu(c, bhs, data + off + done, n);
	}
}

static uint64_t choose_lba(struct load *l, struct conn *c)
{
	uint64_t slot;

	if (!l->sequential)
		return random_next(l) % l->slots * l->step;
	slot = c->next_slot++;
	if (c->next_slot == l->slots)
		c->next_slot = 0;
	return slot * l->step;
}

static bool choose_write(struct load *l)
{
	if (l->work == WORK_MIX)
		return (random_next(l) & 7) < 3;
	return l->work == WORK_WRITE;
}

static uint32_t at_most(uint32_t n, uint32_t limit)
{
	return n < limit ? n : limit;
}

static void issue(struct load *l, struct conn *c, uint32_t itt)
{
	struct task *t = &c->task[itt];
	uint32_t bytes = l->plan->bytes, immediate = 0, unasked = 0;
	uint8_t bhs[BHS_SIZE] = { OP_SCSI_CMD };

	t->write = choose_write(l);
	t->lba = choose_lba(l, c);
	if (t->write && c->link.immediate)
		immediate = at_most(at_most(bytes, c->link.max_send), c->link.first_burst);
	if (t->write && !c->link.initial_r2t)
		unasked = at_most(bytes, c->link.first_burst) - immediate;
	bhs[1] = (uint8_t)((unasked ? 0 : BHS_FINAL) | (t->write ? CMD_WRITE : CMD_READ) | 1);
	bhs[9] = l->plan->lun;
	put_be32(bhs + 16, itt);
	put_be32(bhs + 20, bytes);
	put_be32(bhs + 24, c->link.cmdsn++);
	put_be32(bhs + 28, c->link.expstatsn);
	bhs[32] = t->write ? 0x8a : 0x88;
	put_be64(bhs + 34, t->lba);
	put_be32(bhs + 42, l->step);
	put_pdu(c, bhs, immediate ? data_of(l, t) : NULL, immediate);
	if (unasked)
		data_out(l, c, itt, TAG_NONE, immediate, unasked);
	t->issued = now();
	t->left = t->write ? 0 : bytes;
	t->busy = true;
	c->inflight++;
	l->to_issue--;
}

static void fill(struct load *l, struct conn *c)
{
	for (uint32_t i = 0; i < l->plan->depth && c->inflight < l->plan->depth; i++) {
		if (c->task[i].busy)
			continue;
		if ((int32_t)(c->link.cmdsn - c->link.maxcmdsn) > 0 || !l->to_issue)
			return;
		issue(l, c, i);
	}
}

/* --- input ----------------------------------------------------------------------------------- */

static struct task *task_of(const struct load *l, struct conn *c, uint32_t itt)
{
	if (itt >= l->plan->depth || !c->task[itt].busy)
		die("an answer to nothing, with task tag %x", itt);
	return &c->task[itt];
}

static void finish(struct load *l, struct conn *c, const uint8_t *bhs, uint8_t status, uint64_t t)
{
	struct task *k = task_of(l, c, be32(bhs + 16));

	link_status(&c->link, bhs);
	if (status || k->left)
		l->out->errors++;
	k->busy = false;
	c->inflight--;
	c->ops++;
	histogram_add(&l->out->latency, t - k->issued);
}

static void check_digest(const struct conn *c, const uint8_t *data, uint32_t len)
{
	const uint8_t *digest = data + ((len + 3) & ~3u);

	if (c->link.data_digest && len &&
		!crc_matches(digest, crc_add_padding(crc_add(CRC_START, data, len), len)))
		die("data digest error");
}

static void data_in(struct load *l, struct conn *c, const uint8_t *bhs, const uint8_t *data,
	uint32_t len, uint64_t t)
{
	struct task *k = task_of(l, c, be32(bhs + 16));

	k->left -= len;
	if (l->plan->verify && !stamp_holds(data, len, k->lba, be32(bhs + 40), l->block_size))
		l->out->corrupt++;
	if (bhs[1] & DATA_IN_STATUS)
		finish(l, c, bhs, bhs[3], t);
}

static void pong(struct conn *c, const uint8_t *ping)
{
	uint8_t bhs[BHS_SIZE];

	memcpy(bhs, ping, BHS_SIZE);
	if (link_pong(&c->link, bhs))
		put_pdu(c, bhs, NULL, 0);
}

static void take(struct load *l, struct conn *c, const uint8_t *bhs, const uint8_t *data,
	uint32_t len, uint64_t t)
{
	switch (bhs[0] & BHS_OPCODE) {
	case OP_DATA_IN: data_in(l, c, bhs, data, len, t); break;
	case OP_SCSI_RSP: finish(l, c, bhs, bhs[3] | bhs[2], t); break;
	case OP_R2T:
		c->link.maxcmdsn = be32(bhs + 32);
		data_out(l, c, be32(bhs + 16), be32(bhs + 20), be32(bhs + 40), be32(bhs + 44));
		break;
	case OP_NOP_IN:
		c->link.maxcmdsn = be32(bhs + 32);
		pong(c, bhs);
		break;
	default: die("opcode %02x", bhs[0]);
	}
}

/* Takes the whole PDUs of the input. */
static void parse(struct load *l, struct conn *c)
{
	uint32_t head = BHS_SIZE + (c->link.header_digest ? DIGEST_SIZE : 0);
	uint32_t tail = c->link.data_digest ? DIGEST_SIZE : 0;
	uint64_t t = now();
	size_t at = 0;

	while (c->in_len - at >= BHS_SIZE) {
		const uint8_t *bhs = c->in + at;
		uint32_t len = be24(bhs + 5), before = head + 4u * bhs[4];
		uint32_t size = before + ((len + 3) & ~3u) + (len ? tail : 0);

		if (c->in_len - at < size)
			break;
		check_digest(c, bhs + before, len);
		take(l, c, bhs, bhs + before, len, t);
		at += size;
	}
	if (!at)
		return;
	c->in_len -= at;
	memmove(c->in, c->in + at, c->in_len);
}

static void input(struct load *l, struct conn *c)
{
	ssize_t n;

	do {
		n = read(c->link.fd, c->in + c->in_len, INPUT - c->in_len);
		if (n == 0)
			die("the target closed the connection");
		if (n < 0 && errno != EAGAIN)
			die_errno("read");
		if (n < 0)
			return;
		c->in_len += (size_t)n;
		parse(l, c);
	} while ((size_t)n >= INPUT / 2);
}

/* --- runs ------------------------------------------------------------------------------------ */

/* Every session has unit attentions to get over, and is told the size of the disk. */
static void measure_disk(struct load *l, struct conn *c)
{
	uint64_t blocks;

	link_capacity(&c->link, l->plan->lun, &blocks, &l->block_size);
	l->step = l->plan->bytes / l->block_size;
	if (!l->step || l->plan->bytes % l->block_size)
		die("%u bytes are not whole blocks of %u", l->plan->bytes, l->block_size);
	l->slots = blocks / l->step;
	if (!l->slots)
		die("the disk is smaller than one command");
}

static void start_conn(struct load *l, const struct login_kit *kit, unsigned i)
{
	struct conn *c = &l->conns[i];
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };

	login(kit, &c->link, i);
	measure_disk(l, c);
	c->in = malloc(INPUT);
	c->out_size = OUTPUT_MIN;
	c->out = malloc(c->out_size);
	if (!c->in || !c->out)
		die_errno("memory");
	c->next_slot = l->slots / l->plan->conns * i;
	if (fcntl(c->link.fd, F_SETFL, O_NONBLOCK) != 0 ||
		epoll_ctl(l->ep, EPOLL_CTL_ADD, c->link.fd, &e) != 0)
		die_errno("epoll");
}

static void round_of_events(struct load *l)
{
	struct epoll_event ev[64];
	int n = epoll_wait(l->ep, ev, 64, 100);

	for (int i = 0; i < n; i++) {
		struct conn *c = ev[i].data.ptr;

		if (ev[i].events & EPOLLIN) {
			input(l, c);
			fill(l, c);
		}
		flush(l, c);
	}
}

/* Writes every place once, over the first connection, and waits for the last answer. */
static void fill_disk(struct load *l)
{
	struct conn *c = &l->conns[0];

	l->work = WORK_WRITE;
	l->sequential = true;
	l->to_issue = l->slots;
	fill(l, c);
	flush(l, c);
	while (c->inflight)
		round_of_events(l);
}

static void start_counting(struct load *l)
{
	l->out->errors = l->out->corrupt = 0;
	l->out->latency = (struct histogram){ 0 };
	for (unsigned i = 0; i < l->plan->conns; i++)
		l->conns[i].ops = 0;
	l->out->cpu = cpu_of(l->plan->server);
}

static void stop_counting(const struct load *l, uint64_t ns)
{
	struct drive_result *r = l->out;

	r->cpu = cpu_of(l->plan->server) - r->cpu;
	r->seconds = (double)ns * 1e-9;
	r->least = UINT64_MAX;
	for (unsigned i = 0; i < l->plan->conns; i++) {
		uint64_t ops = l->conns[i].ops;

		r->ops += ops;
		r->least = ops < r->least ? ops : r->least;
		r->most = ops > r->most ? ops : r->most;
	}
	r->bytes = r->ops * l->plan->bytes;
}

static uint64_t run_for(struct load *l, double seconds)
{
	uint64_t start = now(), end = start + (uint64_t)(seconds * 1e9), t = start;

	while (t < end) {
		round_of_events(l);
		t = now();
	}
	return t - start;
}

static void run(struct load *l)
{
	uint64_t took;

	l->work = l->plan->work;
	l->sequential = l->plan->sequential;
	l->to_issue = UINT64_MAX;
	for (unsigned i = 0; i < l->plan->conns; i++) {
		fill(l, &l->conns[i]);
		flush(l, &l->conns[i]);
	}
	run_for(l, l->plan->warm);
	start_counting(l);
	took = run_for(l, l->plan->seconds);
	stop_counting(l, took);
}

void drive(const struct login_kit *kit, struct drive_result *out)
{
	const struct plan *p = kit->plan;
	struct load l = { .plan = p, .rng = 88172645463325252u, .out = out };

	*out = (struct drive_result){ 0 };
	l.ep = epoll_create1(0);
	l.conns = calloc(p->conns, sizeof(*l.conns));
	l.payload = malloc(p->bytes);
	if (l.ep < 0 || !l.conns || !l.payload)
		die_errno("memory");
	for (uint32_t i = 0; i < p->bytes; i++)
		l.payload[i] = (uint8_t)random_next(&l);
	for (unsigned i = 0; i < p->conns; i++)
		start_conn(&l, kit, i);
	if (p->fill)
		fill_disk(&l);
	run(&l);
	for (unsigned i = 0; i < p->conns; i++) {
		link_close(&l.conns[i].link);
		free(l.conns[i].in);
		free(l.conns[i].out);
	}
	free(l.conns);
	free(l.payload);
	close(l.ep);
}
