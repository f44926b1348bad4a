/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and ranges of them, compared as big-endian numbers. */
#include "chap/source.h"

#include <arpa/inet.h>
#include <string.h>

struct source source_from_ipv4(const uint8_t bytes[static 4])
{
	struct source s = { .family = SOURCE_IPV4 };

	memcpy(s.bytes, bytes, 4);
	return s;
}

struct source source_from_ipv6(const uint8_t bytes[static 16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct source s = { .family = SOURCE_IPV6 };

	if (memcmp(bytes, mapped, sizeof(mapped)) == 0)
		return source_from_ipv4(bytes + sizeof(mapped));
	memcpy(s.bytes, bytes, 16);
	return s;
}

bool source_parse(const char *text, struct source *out)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		*out = source_from_ipv4(bytes);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		*out = source_from_ipv6(bytes);
	else
		return false;
	return true;
}

static unsigned address_bits(const struct source *a)
{
	return a->family == SOURCE_IPV4 ? 32 : a->family == SOURCE_IPV6 ? 128 : 0;
}

enum source_fault source_range_check(const struct source_range *r)
{
	if (r->first.family != r->last.family || address_bits(&r->first) == 0)
		return SOURCE_BAD_FAMILY;
	if (memcmp(r->first.bytes, r->last.bytes, sizeof(r->first.bytes)) > 0)
		return SOURCE_BACKWARDS;
	return SOURCE_OK;
}

enum source_fault source_range_from_prefix(
	const struct source *a, unsigned prefix, struct source_range *out)
{
	unsigned bits = address_bits(a);

	if (bits == 0)
		return SOURCE_BAD_FAMILY;
	if (prefix > bits)
		return SOURCE_BAD_PREFIX;
	*out = (struct source_range){ *a, *a };
	for (unsigned bit = prefix; bit < bits; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		out->first.bytes[bit / 8] &= (uint8_t)~mask;
		out->last.bytes[bit / 8] |= mask;
	}
	return SOURCE_OK;
}

bool source_in_range(const struct source *a, const struct source_range *r)
{
	return a->family == r->first.family &&
	       memcmp(a->bytes, r->first.bytes, sizeof(a->bytes)) >= 0 &&
	       memcmp(a->bytes, r->last.bytes, sizeof(a->bytes)) <= 0;
}
