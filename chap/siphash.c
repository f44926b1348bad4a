/* SPDX-License-Identifier: BSD-2-Clause */
/* SipHash-2-4-128, as the paper has it: two rounds per word, four at each end. */
#include "chap/siphash.h"

#include <endian.h>
#include <string.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static uint64_t load_le64(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return le64toh(x);
}

static void rounds(struct state *s, int n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v1 = rotl(s->v1, 13) ^ s->v0;
		s->v0 = rotl(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotl(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotl(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotl(s->v1, 17) ^ s->v2;
		s->v2 = rotl(s->v2, 32);
	}
}

static void absorb(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	rounds(s, 2);
	s->v0 ^= word;
}

static uint64_t squeeze(struct state *s)
{
	rounds(s, 4);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

struct siphash_tag siphash(const struct siphash_key *key, const void *data, size_t len)
{
	uint64_t k0 = load_le64(key->bytes), k1 = load_le64(key->bytes + 8);
	struct state s = {
		.v0 = k0 ^ 0x736f6d6570736575,
		.v1 = k1 ^ 0x646f72616e646f6d ^ 0xee,
		.v2 = k0 ^ 0x6c7967656e657261,
		.v3 = k1 ^ 0x7465646279746573,
	};
	const uint8_t *p = data;
	uint64_t last = (uint64_t)len << 56;
	struct siphash_tag tag;

	for (; len >= 8; p += 8, len -= 8)
		absorb(&s, load_le64(p));
	while (len-- > 0)
		last |= (uint64_t)p[len] << 8 * len;
	absorb(&s, last);
	s.v2 ^= 0xee;
	tag.w[0] = squeeze(&s);
	s.v1 ^= 0xdd;
	tag.w[1] = squeeze(&s);
	return tag;
}
