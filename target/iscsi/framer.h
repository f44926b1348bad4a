/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The framer: bytes of a connection in, PDUs out (RFC 7143 section 11.1, 11.2).
 *
 * It owns no data buffer. Headers are taken where they lie in the caller's input, or
 * are collected in the framer itself when they arrive in pieces; data segments are
 * handed on piece by piece, and may also be received past the framer, straight to
 * their destination. Digests (CRC32C) are checked on the way.
 *
 *	framer_input(f, bytes, n);
 *	while ((e = framer_next(f)) != FRAME_MORE)
 *		FRAME_HEADER   f->bhs is a whole header (and f->ahs); its data segment begins
 *		FRAME_DATA     f->chunk, f->chunk_len: the next piece of it
 *		FRAME_END      the PDU is over; f->data_ok tells what its data digest said
 *		FRAME_REFUSED  f->refusal says why; the stream is of no use any more
 */
#ifndef ISCSI_FRAMER_H
#define ISCSI_FRAMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iscsi/wire.h"

/* Longest additional header segments that are taken: an extended CDB of 260 bytes and a
 * bidirectional read length (RFC 7143 11.2.2). */
#define FRAMER_AHS_MAX 280

enum frame_event { FRAME_MORE, FRAME_HEADER, FRAME_DATA, FRAME_END, FRAME_REFUSED };

enum frame_refusal {
	FRAME_AHS_TOO_LONG,
	FRAME_DATA_TOO_LONG,      /* above max_data; f->bhs is valid */
	FRAME_HEADER_DIGEST,      /* the header digest is wrong: nothing in it can be believed */
};

struct framer {
	/* Results; borrowed until the next call. */
	const uint8_t *bhs;       /* 48 bytes */
	const uint8_t *ahs;
	uint32_t ahs_len;
	const uint8_t *chunk;
	size_t chunk_len;
	uint32_t data_left;       /* of the data segment, still to come, without padding */
	bool data_ok;
	uint8_t refusal;          /* enum frame_refusal */

	/* Settings, changed between PDUs: after FRAME_END, or before the first input. */
	bool header_digest, data_digest;
	uint32_t max_data;        /* longest data segment: what we declared as our limit */

	/* Private. */
	uint8_t state;
	uint8_t tail_len, tail_want;   /* padding and data digest */
	uint16_t head_len;             /* bytes collected in `head` */
	uint32_t crc;
	const uint8_t *in;
	size_t in_len;
	uint8_t tail[8];
	uint8_t head[BHS_SIZE + FRAMER_AHS_MAX + 4];
};

/* A framer for a new connection: no digests, data segments of at most max_data bytes. */
void framer_init(struct framer *f, uint32_t max_data);

/* Gives it more bytes, borrowed until framer_next() has said FRAME_MORE (then all are used up). */
void framer_input(struct framer *f, const uint8_t *p, size_t n);

/* The next event; see above. After FRAME_REFUSED it says the same for ever. */
enum frame_event framer_next(struct framer *f);

/* Within a data segment and with no input left: n bytes of it (1…data_left) were received by
 * other ways and lie at p. */
void framer_bypass(struct framer *f, const uint8_t *p, size_t n);

/* Bytes that are certainly still missing for the next event: what is worth waiting for. */
size_t framer_need(const struct framer *f);

/* Whether a PDU has begun and is not over. */
bool framer_midway(const struct framer *f);

#endif
