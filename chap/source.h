/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a login comes from: an IPv4 or IPv6 address without a port, and ranges of them.
 *
 * A credential may be limited to such ranges. An IPv4 address that arrives on an IPv6 socket
 * (::ffff:a.b.c.d) is the IPv4 address, so that one list serves both kinds of listener.
 */
#ifndef CHAP_SOURCE_H
#define CHAP_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

enum source_family {
	SOURCE_NONE, /* not an internet address (a Unix socket, a socketpair): in no range */
	SOURCE_IPV4,
	SOURCE_IPV6,
};

/* IPv4 uses the first 4 bytes and leaves the rest zero; network byte order. */
struct source {
	uint8_t family; /* enum source_family */
	uint8_t bytes[16];
};

/* Both ends belong to it. */
struct source_range {
	struct source first;
	struct source last;
};

struct source source_from_ipv4(const uint8_t bytes[static 4]);

/* An IPv4-mapped address becomes IPv4. */
struct source source_from_ipv6(const uint8_t bytes[static 16]);

/* Reads "192.0.2.1" or "2001:db8::1"; no port, brackets or zone. False leaves *out alone. */
bool source_parse(const char *text, struct source *out);

enum source_fault {
	SOURCE_OK,
	SOURCE_BAD_FAMILY, /* the ends are not of one family, or of none */
	SOURCE_BACKWARDS,  /* the first address is above the last */
	SOURCE_BAD_PREFIX, /* a prefix longer than the address */
};

enum source_fault source_range_check(const struct source_range *r);

/* The range of all addresses that share the first `prefix` bits of *a (0 to 32, or to 128).
 * *out is set only on SOURCE_OK. */
enum source_fault source_range_from_prefix(
	const struct source *a, unsigned prefix, struct source_range *out);

bool source_in_range(const struct source *a, const struct source_range *r);

#endif
