/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes on the wire: big- and little-endian loads and stores, hexadecimal digits, and
 * two cursors.
 *
 * Fixed layouts (a BHS, a CDB; little-endian: the header of a file) are read with
 * be16() and friends at offsets that the caller has already checked. Variable layouts
 * (parameter lists, descriptors) are read through `struct rd`, which remembers the
 * first read past the end: read freely, then ask once with rd_ok(). `struct wr` does
 * the same for writing: it never writes past its buffer, and keeps counting, so that
 * a reply knows the length that it would have had.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be24(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t be32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static inline uint64_t be64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}

static inline void put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put_be24(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 16);
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)v;
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void put_be64(uint8_t *p, uint64_t v)
{
	v = __builtin_bswap64(v);
	memcpy(p, &v, sizeof(v));
}

static inline uint16_t le16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static inline uint32_t le32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline uint64_t le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static inline void put_le16(uint8_t *p, uint16_t v)
{
	v = htole16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void put_le32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void put_le64(uint8_t *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

/* The value of a hexadecimal digit of either case, or -1. */
static inline int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A reading cursor. Once `bad`, every read gives zero and moves nothing. */
struct rd {
	const uint8_t *p;
	size_t left;
	bool bad;
};

static inline struct rd rd_of(const void *p, size_t len)
{
	return (struct rd){ .p = p, .left = len };
}

/* The next n bytes, borrowed from the buffer, or NULL (and bad). */
static inline const uint8_t *rd_bytes(struct rd *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || r->left < n) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

static inline uint8_t rd_u8(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 1);

	return p ? p[0] : 0;
}

static inline uint16_t rd_be16(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 2);

	return p ? be16(p) : 0;
}

static inline uint32_t rd_be24(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 3);

	return p ? be24(p) : 0;
}

static inline uint32_t rd_be32(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 4);

	return p ? be32(p) : 0;
}

static inline uint64_t rd_be64(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 8);

	return p ? be64(p) : 0;
}

/* True when nothing was read past the end (leftovers are the caller's question: r->left). */
static inline bool rd_ok(const struct rd *r)
{
	return !r->bad;
}

/* A writing cursor: `len` counts what was asked for, also where it did not fit. */
struct wr {
	uint8_t *buf;
	size_t size;
	size_t len;
};

static inline struct wr wr_of(void *buf, size_t size)
{
	return (struct wr){ .buf = buf, .size = size };
}

static inline void wr_bytes(struct wr *w, const void *p, size_t n)
{
	if (n && w->len < w->size) {
		size_t room = w->size - w->len;

		memcpy(w->buf + w->len, p, n < room ? n : room);
	}
	w->len += n;
}

static inline void wr_zero(struct wr *w, size_t n)
{
	if (n && w->len < w->size) {
		size_t room = w->size - w->len;

		memset(w->buf + w->len, 0, n < room ? n : room);
	}
	w->len += n;
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
	wr_bytes(w, &v, 1);
}

static inline void wr_be16(struct wr *w, uint16_t v)
{
	uint8_t b[2];

	put_be16(b, v);
	wr_bytes(w, b, sizeof(b));
}

static inline void wr_be24(struct wr *w, uint32_t v)
{
	uint8_t b[3];

	put_be24(b, v);
	wr_bytes(w, b, sizeof(b));
}

static inline void wr_be32(struct wr *w, uint32_t v)
{
	uint8_t b[4];

	put_be32(b, v);
	wr_bytes(w, b, sizeof(b));
}

static inline void wr_be64(struct wr *w, uint64_t v)
{
	uint8_t b[8];

	put_be64(b, v);
	wr_bytes(w, b, sizeof(b));
}

/* True while everything written so far has fitted. */
static inline bool wr_fits(const struct wr *w)
{
	return w->len <= w->size;
}

#endif
