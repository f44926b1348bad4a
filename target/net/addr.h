/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses of sockets: IPv4 and IPv6, in numbers only (no name is ever looked
 * up), in 28 bytes. An address that is neither, such as an end of a socketpair,
 * is kept as "local". An IPv4 address mapped into IPv6 is kept as IPv4, so that
 * one host compares equal to itself whichever listener it came in by.
 */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct addr {
	union {
		struct sockaddr sa; /* AF_INET, AF_INET6, or AF_UNSPEC for "local" */
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
};

/* Room for the text of an address; the functions below write into one and give its text. */
struct addr_text {
	char text[80];
};

/* Reads "192.0.2.1", "2001:db8::1", "[2001:db8::1]" or "fe80::1%eth0". 0 or -EINVAL. */
int addr_parse(struct addr *out, const char *host, uint16_t port);
/* Reads the same with an optional ":PORT" behind it (IPv6 then in brackets); without one the
 * port is default_port. 0 or -EINVAL. */
int addr_parse_port(struct addr *out, const char *text, uint16_t default_port);
/* Takes over what accept(2), getsockname(2) and the like gave. */
void addr_from(struct addr *out, const struct sockaddr *sa, socklen_t len);
/* The own and the other end of a socket; "local" where it has none. */
void addr_local(struct addr *out, int fd);
void addr_peer(struct addr *out, int fd);

/* How many bytes of &a->sa a system call is to be given; 0 for "local". */
socklen_t addr_len(const struct addr *a);
uint16_t addr_port(const struct addr *a);
void addr_set_port(struct addr *a, uint16_t port);

/* "192.0.2.1" or "2001:db8::1" or "fe80::1%eth0". */
const char *addr_host(const struct addr *a, struct addr_text *t);
/* "192.0.2.1:3260" or "[2001:db8::1]:3260". */
const char *addr_text(const struct addr *a, struct addr_text *t);
/* A TargetAddress (RFC 7143 13.8): "192.0.2.1:3260,1"; a scope, which means nothing on
 * another host, is left out. */
const char *addr_portal(const struct addr *a, uint16_t tpgt, struct addr_text *t);

/* Whether it stands for every address of the machine: 0.0.0.0 or [::]. */
bool addr_is_wildcard(const struct addr *a);
/* Whether it is this machine itself: 127.0.0.0/8 or [::1]. */
bool addr_is_loopback(const struct addr *a);
/* The same host, port and scope. */
bool addr_same(const struct addr *a, const struct addr *b);
/* The same host; the port does not count. */
bool addr_same_host(const struct addr *a, const struct addr *b);
/* Whether the host lies in net/prefix (bits). False for a prefix that is too long. */
bool addr_in_net(const struct addr *a, const struct addr *net, unsigned prefix);

#endif
