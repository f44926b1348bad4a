/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The framer over any bytes: the events are the same whether the stream comes at once, in
 * pieces, or with data segments that bypass the framer.
 *
 * The first byte of the input is the settings (bit 0 header digest, bit 1 data digest, bit 2
 * bypass), the second the size of the pieces, the rest the stream.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "iscsi/framer.h"

#define MAX_DATA 8192u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a stream came to: every event in order, the data as bytes whatever their pieces. */
struct story {
	uint64_t hash;
	unsigned pdus;
	bool refused;
};

static void tell(struct story *s, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		s->hash = (s->hash ^ b[i]) * 0x100000001b3u;
}

static void tell_event(struct story *s, const struct framer *f, enum frame_event e)
{
	switch (e) {
	case FRAME_HEADER:
		tell(s, f->bhs, BHS_SIZE);
		tell(s, f->ahs, f->ahs_len);
		break;
	case FRAME_DATA: tell(s, f->chunk, f->chunk_len); break;
	case FRAME_END:
		tell(s, f->data_ok ? "ok" : "no", 2);
		s->pdus++;
		break;
	default:
		tell(s, &f->refusal, 1);
		s->refused = true;
		break;
	}
}

static struct framer new_framer(uint8_t settings)
{
	struct framer f;

	framer_init(&f, MAX_DATA);
	f.header_digest = settings & 1;
	f.data_digest = settings & 2;
	return f;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Gives `n` bytes, in memory of their own, so that the sanitizer sees what reads beyond. */
static void give(struct framer *f, const uint8_t *p, size_t n, struct story *s)
{
	uint8_t *piece = malloc(n);
	enum frame_event e;

	if (!piece)
		abort();
	memcpy(piece, p, n);
	framer_input(f, piece, n);
	while (!s->refused && (e = framer_next(f)) != FRAME_MORE)
		tell_event(s, f, e);
	free(piece);
}

/* Up to n bytes of a data segment, past the framer. Gives how many. */
static size_t bypass(struct framer *f, const uint8_t *p, size_t n, struct story *s)
{
	enum frame_event e;

	n = smaller(n, f->data_left);
	tell(s, p, n);
	framer_bypass(f, p, n);
	while (!s->refused && (e = framer_next(f)) != FRAME_MORE)
		tell_event(s, f, e);
	return n;
}

static struct story run(uint8_t settings, size_t step, const uint8_t *p, size_t n)
{
	struct story s = { .hash = 0xcbf29ce484222325u };
	struct framer f = new_framer(settings);

	for (size_t at = 0; at < n && !s.refused;) {
		size_t len = smaller(step, n - at);

		if (framer_need(&f) == 0)
			abort();
		if (settings & 4 && framer_midway(&f) && f.bhs && f.data_left) {
			at += bypass(&f, p + at, len, &s);
			continue;
		}
		give(&f, p + at, len, &s);
		at += len;
	}
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct story whole, pieces;

	if (size < 3)
		return 0;
	whole = run(data[0] & 3, size, data + 2, size - 2);
	pieces = run(data[0], data[1] ? data[1] : 1, data + 2, size - 2);
	if (whole.hash != pieces.hash || whole.pdus != pieces.pdus ||
		whole.refused != pieces.refused)
		abort();
	return 0;
}
