/* SPDX-License-Identifier: BSD-2-Clause */
/* The framer: bytes of a connection in, PDUs out (framer.h). */
#include "iscsi/framer.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "iscsi/crc.h"

enum { AT_HEAD, IN_DATA, IN_TAIL, REFUSED };

void framer_init(struct framer *f, uint32_t max_data)
{
	*f = (struct framer){ .max_data = max_data, .data_ok = true };
}

void framer_input(struct framer *f, const uint8_t *p, size_t n)
{
	assert(f->in_len == 0);
	f->in = p;
	f->in_len = n;
}

static void consume(struct framer *f, size_t n)
{
	f->in += n;
	f->in_len -= n;
}

static enum frame_event refuse(struct framer *f, enum frame_refusal why)
{
	f->state = REFUSED;
	f->refusal = (uint8_t)why;
	f->in_len = 0;
	return FRAME_REFUSED;
}

/* Length of the whole header that starts at p (at least 48 bytes there), digest included. */
static size_t header_len(const struct framer *f, const uint8_t *p)
{
	return BHS_SIZE + 4u * p[4] + (f->header_digest ? DIGEST_SIZE : 0);
}

/* A whole header, contiguous. The bytes at `head` stay where they are until the next call. */
static enum frame_event take_header(struct framer *f, const uint8_t *head)
{
	uint32_t ahs_len = 4u * head[4], data_len = be24(head + 5);
	size_t covered = BHS_SIZE + ahs_len;

	if (f->header_digest && !crc_matches(head + covered, crc_add(CRC_START, head, covered)))
		return refuse(f, FRAME_HEADER_DIGEST);
	f->bhs = head;
	if (data_len > f->max_data)
		return refuse(f, FRAME_DATA_TOO_LONG);
	f->ahs = head + BHS_SIZE;
	f->ahs_len = ahs_len;
	f->data_left = data_len;
	f->data_ok = true;
	f->tail_len = 0;
	f->tail_want = (uint8_t)(-data_len & 3);
	if (f->data_digest && data_len) {
		f->tail_want = (uint8_t)(f->tail_want + 4);
		f->crc = CRC_START;
	}
	f->head_len = 0;
	f->state = data_len ? IN_DATA : IN_TAIL;
	return FRAME_HEADER;
}

/* A header in pieces: up to `want` bytes are brought together in f->head. */
static bool collect(struct framer *f, size_t want)
{
	size_t n = want - f->head_len;

	if (n > f->in_len)
		n = f->in_len;
	memcpy(f->head + f->head_len, f->in, n);
	f->head_len = (uint16_t)(f->head_len + n);
	consume(f, n);
	return f->head_len == want;
}

static enum frame_event next_header(struct framer *f)
{
	size_t len;

	if (f->head_len == 0 && f->in_len >= BHS_SIZE) {
		len = header_len(f, f->in);
		if (4u * f->in[4] > FRAMER_AHS_MAX)
			return refuse(f, FRAME_AHS_TOO_LONG);
		if (f->in_len >= len) {
			const uint8_t *head = f->in;

			consume(f, len);
			return take_header(f, head);
		}
	}
	if (f->in_len == 0)
		return FRAME_MORE;
	if (f->head_len < BHS_SIZE && !collect(f, BHS_SIZE))
		return FRAME_MORE;
	if (4u * f->head[4] > FRAMER_AHS_MAX)
		return refuse(f, FRAME_AHS_TOO_LONG);
	if (!collect(f, header_len(f, f->head)))
		return FRAME_MORE;
	return take_header(f, f->head);
}

static void account(struct framer *f, const uint8_t *p, size_t n)
{
	if (f->data_digest)
		f->crc = crc_add(f->crc, p, n);
	f->data_left -= (uint32_t)n;
	if (f->data_left == 0)
		f->state = IN_TAIL;
}

static enum frame_event next_data(struct framer *f)
{
	size_t n = f->data_left < f->in_len ? f->data_left : f->in_len;

	if (n == 0)
		return FRAME_MORE;
	f->chunk = f->in;
	f->chunk_len = n;
	consume(f, n);
	account(f, f->chunk, n);
	return FRAME_DATA;
}

static bool tail_ok(struct framer *f)
{
	uint8_t pad = (uint8_t)(f->tail_want & 3);

	if (f->tail_want < 4)
		return true;
	return crc_matches(f->tail + pad, crc_add(f->crc, f->tail, pad));
}

static enum frame_event next_tail(struct framer *f)
{
	size_t n = (size_t)(f->tail_want - f->tail_len);

	if (n > f->in_len)
		n = f->in_len;
	if (n) {
		memcpy(f->tail + f->tail_len, f->in, n);
		consume(f, n);
		f->tail_len = (uint8_t)(f->tail_len + n);
	}
	if (f->tail_len < f->tail_want)
		return FRAME_MORE;
	f->data_ok = tail_ok(f);
	f->state = AT_HEAD;
	return FRAME_END;
}

enum frame_event framer_next(struct framer *f)
{
	switch (f->state) {
	case AT_HEAD:
		return next_header(f);
	case IN_DATA:
		return next_data(f);
	case IN_TAIL:
		return next_tail(f);
	default:
		f->in_len = 0;
		return FRAME_REFUSED;
	}
}

void framer_bypass(struct framer *f, const uint8_t *p, size_t n)
{
	assert(f->state == IN_DATA && f->in_len == 0 && n <= f->data_left);
	account(f, p, n);
}

size_t framer_need(const struct framer *f)
{
	switch (f->state) {
	case AT_HEAD:
		if (f->head_len < BHS_SIZE)
			return (size_t)BHS_SIZE - f->head_len + (f->header_digest ? 4 : 0);
		return header_len(f, f->head) - f->head_len;
	case IN_DATA:
		return f->data_left;
	case IN_TAIL:
		return (size_t)(f->tail_want - f->tail_len);
	default:
		return 0;
	}
}

bool framer_midway(const struct framer *f)
{
	return f->state != AT_HEAD || f->head_len != 0;
}
