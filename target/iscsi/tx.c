/* SPDX-License-Identifier: BSD-2-Clause */
/* Output of a connection: batches of PDUs, one sendmsg() each (tx.h). */
#include "iscsi/tx.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "iscsi/conn.h"
#include "iscsi/crc.h"
#include "iscsi/pdu.h"
#include "iscsi/reactor.h"
#include "iscsi/session.h"

/* Header and header digest; padding and data digest: what is not data, of one PDU. */
struct tx_frame {
	uint8_t head[BHS_SIZE + DIGEST_SIZE];
	uint8_t tail[3 + DIGEST_SIZE];
};

struct tx_batch {
	unsigned npdus, npieces;
	size_t bytes;
	unsigned head_at;            /* the piece that is the header of the PDU being written */
	uint32_t data_len;           /* of that PDU */
	struct list over;            /* items that end with this batch */
	struct iovec piece[TX_PIECES];
	struct tx_frame frame[TX_PDUS];
};

/* A batch that the socket took in part: what is left of it. */
struct tx_rest {
	struct list over;
	unsigned at, n;              /* pieces, the first one that is left and their count */
	struct iovec piece[TX_PIECES];
	struct tx_frame frame[];     /* copies: the batch is reused meanwhile */
};

struct tx_batch *tx_batch_new(void)
{
	struct tx_batch *b = malloc(sizeof(*b));

	if (b)
		list_init(&b->over);
	return b;
}

void tx_batch_free(struct tx_batch *b)
{
	free(b);
}

/* --- writing PDUs ------------------------------------------------------------------------ */

/* Beyond this a batch is sent even where it has room: what is sent early is received early. */
#define BATCH_BYTES ((size_t)2 << 20)

bool tx_room(const struct tx_batch *b, unsigned pieces)
{
	/* Two pieces more: the header, and padding with the data digest. */
	return b->npdus < TX_PDUS && b->npieces + pieces + 2 <= TX_PIECES &&
	       b->bytes < BATCH_BYTES;
}

static void add_piece(struct tx_batch *b, const void *p, size_t n)
{
	b->piece[b->npieces++] = (struct iovec){ .iov_base = (void *)(uintptr_t)p, .iov_len = n };
	b->bytes += n;
}

uint8_t *tx_bhs(struct tx_batch *b)
{
	struct tx_frame *f = &b->frame[b->npdus++];

	b->head_at = b->npieces;
	b->data_len = 0;
	add_piece(b, f->head, BHS_SIZE);
	return f->head;
}

void tx_data(struct tx_batch *b, const void *p, size_t n)
{
	b->data_len += (uint32_t)n;
	add_piece(b, p, n);
}

static uint32_t data_crc(const struct tx_batch *b)
{
	unsigned first = b->head_at + 1;

	return crc_add_iov(CRC_START, b->piece + first, (int)(b->npieces - first), 0, b->data_len);
}

void tx_end(struct tx_batch *b, struct conn *c)
{
	struct tx_frame *f = &b->frame[b->npdus - 1];
	size_t tail = -b->data_len & 3;

	put_be24(f->head + 5, b->data_len);
	if (c->header_digest) {
		crc_store(f->head + BHS_SIZE, crc_add(CRC_START, f->head, BHS_SIZE));
		b->piece[b->head_at].iov_len += DIGEST_SIZE;
		b->bytes += DIGEST_SIZE;
	}
	if (!b->data_len)
		return;
	memset(f->tail, 0, 3);
	if (c->data_digest) {
		crc_store(f->tail + tail, crc_add_padding(data_crc(b), b->data_len));
		tail += DIGEST_SIZE;
	}
	if (tail)
		add_piece(b, f->tail, tail);
}

/* Small PDUs in the queue beyond which nothing more is read from the connection. A long one, as the
 * answer to a ping may be, counts for several. */
#define SMALL_MAX  64
#define SMALL_SIZE 4096

/* --- the queue ----------------------------------------------------------------------------- */

void tx_init(struct tx *tx)
{
	*tx = (struct tx){ 0 };
	list_init(&tx->queue);
}

bool tx_idle(const struct conn *c)
{
	return !c->tx.rest && list_empty(&c->tx.queue);
}

void tx_push(struct conn *c, struct tx_item *it)
{
	list_push(&c->tx.queue, &it->link);
	loop_defer(c->r->loop, &c->flush);
}

static void end_items(struct conn *c, struct list *items)
{
	struct list *l;

	while ((l = list_pop(items))) {
		struct tx_item *it = container_of(l, struct tx_item, link);

		if (it->ops->over)
			it->ops->over(it, c);
	}
}

static void rest_free(struct conn *c)
{
	struct tx_rest *rest = c->tx.rest;

	c->tx.rest = NULL;
	if (!rest)
		return;
	end_items(c, &rest->over);
	free(rest);
}

void tx_drop(struct conn *c)
{
	rest_free(c);
	end_items(c, &c->tx.queue);
}

/* Lets queued items write themselves until the batch is full or nothing is left. */
static void fill(struct conn *c, struct tx_batch *b)
{
	struct tx *tx = &c->tx;

	b->npdus = b->npieces = 0;
	b->bytes = 0;
	while (!list_empty(&tx->queue)) {
		struct tx_item *it = container_of(tx->queue.next, struct tx_item, link);

		if (!it->ops->emit(it, c, b))
			break;
		list_del(&it->link);
		if (it->ops->over)
			list_push(&b->over, &it->link);
	}
}

/* Steps over n sent bytes; gives the first piece that is left. */
static unsigned advance(struct iovec *piece, unsigned at, size_t n)
{
	while (n && n >= piece[at].iov_len)
		n -= piece[at++].iov_len;
	if (n) {
		piece[at].iov_base = (uint8_t *)piece[at].iov_base + n;
		piece[at].iov_len -= n;
	}
	return at;
}

/* Keeps what is left of the batch from piece `at` on. The frames are copied, and the pieces that
 * point at them are moved; data stay where they lie. */
static bool keep_rest(struct conn *c, struct tx_batch *b, unsigned at)
{
	size_t frames = b->npdus * sizeof(struct tx_frame);
	struct tx_rest *rest = malloc(sizeof(*rest) + frames);
	uintptr_t from = (uintptr_t)b->frame, to;

	if (!rest)
		return false;
	rest->at = 0;
	rest->n = b->npieces - at;
	memcpy(rest->frame, b->frame, frames);
	to = (uintptr_t)rest->frame;
	for (unsigned i = 0; i < rest->n; i++) {
		uintptr_t p = (uintptr_t)b->piece[at + i].iov_base;

		rest->piece[i] = b->piece[at + i];
		if (p - from < frames)
			rest->piece[i].iov_base = (void *)(p - from + to);
	}
	list_init(&rest->over);
	list_splice(&rest->over, &b->over);
	c->tx.rest = rest;
	return true;
}

static void sent(struct conn *c, size_t n)
{
	count(&c->r->bytes_out, n);
	if (c->s)
		c->s->bytes_out += n;
}

enum { SENT_ALL, SENT_PART, SENT_NOTHING_MORE };

/* Sends the rest of an earlier batch. */
static int send_rest(struct conn *c)
{
	struct tx_rest *rest = c->tx.rest;
	ssize_t n = stream_send(&c->stream, rest->piece + rest->at, (int)(rest->n - rest->at));

	if (n == -EAGAIN)
		return SENT_PART;
	if (n < 0)
		return SENT_NOTHING_MORE;
	sent(c, (size_t)n);
	rest->at = advance(rest->piece, rest->at, (size_t)n);
	if (rest->at < rest->n)
		return SENT_PART;
	rest_free(c);
	return SENT_ALL;
}

static int send_batch(struct conn *c, struct tx_batch *b)
{
	ssize_t n = stream_send(&c->stream, b->piece, (int)b->npieces);
	unsigned at;

	if (n < 0 && n != -EAGAIN) {
		end_items(c, &b->over);
		return SENT_NOTHING_MORE;
	}
	if (n > 0)
		sent(c, (size_t)n);
	at = advance(b->piece, 0, n > 0 ? (size_t)n : 0);
	if (at == b->npieces) {
		end_items(c, &b->over);
		return SENT_ALL;
	}
	if (keep_rest(c, b, at))
		return SENT_PART;
	end_items(c, &b->over);
	return SENT_NOTHING_MORE;
}

bool tx_flush(struct conn *c)
{
	struct tx_batch *b = c->r->batch;
	int done = SENT_ALL;

	loop_undefer(&c->flush);
	while (done == SENT_ALL && !tx_idle(c)) {
		if (c->tx.rest) {
			done = send_rest(c);
			continue;
		}
		fill(c, b);
		done = send_batch(c, b);
	}
	if (done == SENT_NOTHING_MORE)
		return false;
	/* Commands are bounded by their window; those who ping and do not read are not. */
	loop_rewatch(&c->watch, (!c->doomed && c->tx.small < SMALL_MAX ? LOOP_READ : 0) |
					(done == SENT_PART ? LOOP_WRITE : 0));
	return true;
}

/* --- small PDUs ---------------------------------------------------------------------------- */

static struct sn next_sn(struct conn *c, bool takes)
{
	struct sn sn = { .statsn = c->statsn };

	if (takes)
		c->statsn++;
	if (c->s) {
		sn.expcmdsn = c->s->exp_cmdsn;
		sn.maxcmdsn = c->s->max_cmdsn;
	}
	return sn;
}

static bool pdu_emit(struct tx_item *it, struct conn *c, struct tx_batch *b)
{
	struct tx_pdu *p = container_of(it, struct tx_pdu, item);
	struct sn sn;
	uint8_t *bhs;

	if (!tx_room(b, 1))
		return false;
	sn = next_sn(c, p->takes_statsn);
	bhs = tx_bhs(b);
	memcpy(bhs, p->bhs, BHS_SIZE);
	put_be32(bhs + 24, sn.statsn);
	if (c->s) {
		put_be32(bhs + 28, sn.expcmdsn);
		put_be32(bhs + 32, sn.maxcmdsn);
	}
	if (p->len)
		tx_data(b, p->data, p->len);
	tx_end(b, c);
	return true;
}

static unsigned weight(const struct tx_pdu *p)
{
	return 1 + p->len / SMALL_SIZE;
}

static void pdu_over(struct tx_item *it, struct conn *c)
{
	struct tx_pdu *p = container_of(it, struct tx_pdu, item);

	c->tx.small -= weight(p);
	if (p->after)
		p->after(c, p->arg);
	free(p);
}

static const struct tx_ops pdu_ops = { pdu_emit, pdu_over };

struct tx_pdu *tx_pdu_new(uint32_t len)
{
	struct tx_pdu *p = malloc(sizeof(*p) + len);

	if (p) {
		memset(p, 0, sizeof(*p));
		p->len = len;
		p->item.ops = &pdu_ops;
	}
	return p;
}

void tx_pdu_send(struct conn *c, struct tx_pdu *p)
{
	c->tx.small += weight(p);
	tx_push(c, &p->item);
}
