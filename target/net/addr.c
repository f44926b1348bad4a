/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses as text and as numbers. inet_pton() does the reading of numbers, as
 * getaddrinfo() would also take "127.1" and octal, which no two tools read alike.
 */
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

static const char local_text[] = "local";

static bool is_v4(const struct addr *a)
{
	return a->sa.sa_family == AF_INET;
}

static bool is_v6(const struct addr *a)
{
	return a->sa.sa_family == AF_INET6;
}

static void set_v4(struct addr *out, const void *bytes, uint16_t port)
{
	*out = (struct addr){ .in = { .sin_family = AF_INET, .sin_port = htons(port) } };
	memcpy(&out->in.sin_addr, bytes, 4);
}

static void set_v6(struct addr *out, const struct in6_addr *bytes, uint16_t port, uint32_t scope)
{
	if (IN6_IS_ADDR_V4MAPPED(bytes)) {
		set_v4(out, bytes->s6_addr + 12, port);
		return;
	}
	*out = (struct addr){ .in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) } };
	out->in6.sin6_addr = *bytes;
	out->in6.sin6_scope_id = scope;
}

/* A number without sign, blanks or anything behind it. */
static bool parse_number(const char *text, unsigned long max, unsigned long *out)
{
	unsigned long n = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (unsigned long)(*text - '0');
		if (n > max)
			return false;
	}
	*out = n;
	return true;
}

/* An interface by its name or number. */
static bool parse_scope(const char *text, uint32_t *out)
{
	unsigned long n = if_nametoindex(text);

	if (n == 0 && !parse_number(text, UINT32_MAX, &n))
		return false;
	*out = (uint32_t)n;
	return n != 0;
}

/* "2001:db8::1" or "fe80::1%eth0". Cuts `host` at the percent sign. */
static int parse_v6(struct addr *out, char *host, uint16_t port)
{
	char *percent = strchr(host, '%');
	struct in6_addr bytes;
	uint32_t scope = 0;

	if (percent) {
		*percent = '\0';
		if (!parse_scope(percent + 1, &scope))
			return -EINVAL;
	}
	if (inet_pton(AF_INET6, host, &bytes) != 1)
		return -EINVAL;
	set_v6(out, &bytes, port, scope);
	return 0;
}

int addr_parse(struct addr *out, const char *host, uint16_t port)
{
	char copy[INET6_ADDRSTRLEN + IF_NAMESIZE + 3];
	size_t len = strlen(host);
	struct in_addr v4;

	if (inet_pton(AF_INET, host, &v4) == 1) {
		set_v4(out, &v4, port);
		return 0;
	}
	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	if (len >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, host, len);
	copy[len] = '\0';
	return parse_v6(out, copy, port);
}

/* The colon before the port, or NULL: behind the bracket, or the only one there is. */
static const char *port_colon(const char *text)
{
	const char *bracket = strchr(text, ']'), *colon = strchr(text, ':');

	if (text[0] == '[')
		return bracket && bracket[1] == ':' ? bracket + 1 : NULL;
	return colon && !strchr(colon + 1, ':') ? colon : NULL;
}

int addr_parse_port(struct addr *out, const char *text, uint16_t default_port)
{
	const char *colon = port_colon(text);
	unsigned long port = default_port;
	char host[sizeof(struct addr_text)];
	size_t len = colon ? (size_t)(colon - text) : strlen(text);

	if (len >= sizeof(host) || (colon && !parse_number(colon + 1, UINT16_MAX, &port)))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	return addr_parse(out, host, (uint16_t)port);
}

void addr_from(struct addr *out, const struct sockaddr *sa, socklen_t len)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	*out = (struct addr){ .sa.sa_family = AF_UNSPEC };
	if (len >= sizeof(in) && sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		set_v4(out, &in.sin_addr, ntohs(in.sin_port));
	} else if (len >= sizeof(in6) && sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		set_v6(out, &in6.sin6_addr, ntohs(in6.sin6_port), in6.sin6_scope_id);
	}
}

void addr_local(struct addr *out, int fd)
{
	struct sockaddr_storage s = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(s);

	if (getsockname(fd, (struct sockaddr *)&s, &len) != 0)
		len = 0;
	addr_from(out, (struct sockaddr *)&s, len);
}

void addr_peer(struct addr *out, int fd)
{
	struct sockaddr_storage s = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(s);

	if (getpeername(fd, (struct sockaddr *)&s, &len) != 0)
		len = 0;
	addr_from(out, (struct sockaddr *)&s, len);
}

socklen_t addr_len(const struct addr *a)
{
	return is_v4(a) ? sizeof(a->in) : is_v6(a) ? sizeof(a->in6) : 0;
}

uint16_t addr_port(const struct addr *a)
{
	return is_v4(a) ? ntohs(a->in.sin_port) : is_v6(a) ? ntohs(a->in6.sin6_port) : 0;
}

void addr_set_port(struct addr *a, uint16_t port)
{
	if (is_v4(a))
		a->in.sin_port = htons(port);
	else if (is_v6(a))
		a->in6.sin6_port = htons(port);
}

/* The number alone, without scope or brackets. */
static void put_number(const struct addr *a, char out[static INET6_ADDRSTRLEN])
{
	const void *bytes = is_v4(a) ? (const void *)&a->in.sin_addr : &a->in6.sin6_addr;

	if (!addr_len(a) || !inet_ntop(a->sa.sa_family, bytes, out, INET6_ADDRSTRLEN))
		memcpy(out, local_text, sizeof(local_text));
}

/* "%eth0", or the number of an interface that is gone; empty for most addresses. */
static void put_scope(const struct addr *a, char out[static IF_NAMESIZE + 1])
{
	out[0] = '\0';
	if (!is_v6(a) || !a->in6.sin6_scope_id)
		return;
	out[0] = '%';
	if (!if_indextoname(a->in6.sin6_scope_id, out + 1))
		snprintf(out + 1, IF_NAMESIZE, "%u", (unsigned)a->in6.sin6_scope_id);
}

const char *addr_host(const struct addr *a, struct addr_text *t)
{
	char number[INET6_ADDRSTRLEN], scope[IF_NAMESIZE + 1];

	put_number(a, number);
	put_scope(a, scope);
	snprintf(t->text, sizeof(t->text), "%s%s", number, scope);
	return t->text;
}

const char *addr_text(const struct addr *a, struct addr_text *t)
{
	char number[INET6_ADDRSTRLEN], scope[IF_NAMESIZE + 1];

	put_number(a, number);
	put_scope(a, scope);
	if (is_v6(a))
		snprintf(t->text, sizeof(t->text), "[%s%s]:%u", number, scope, addr_port(a));
	else if (is_v4(a))
		snprintf(t->text, sizeof(t->text), "%s:%u", number, addr_port(a));
	else
		memcpy(t->text, local_text, sizeof(local_text));
	return t->text;
}

const char *addr_portal(const struct addr *a, uint16_t tpgt, struct addr_text *t)
{
	char number[INET6_ADDRSTRLEN];

	put_number(a, number);
	snprintf(t->text, sizeof(t->text), is_v6(a) ? "[%s]:%u,%u" : "%s:%u,%u", number,
		addr_port(a), tpgt);
	return t->text;
}

bool addr_is_wildcard(const struct addr *a)
{
	return is_v4(a) ? a->in.sin_addr.s_addr == htonl(INADDR_ANY)
			: is_v6(a) && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

/* The bytes of the host, first the highest; NULL for "local". */
static const uint8_t *host_bytes(const struct addr *a, size_t *len)
{
	*len = is_v4(a) ? 4 : is_v6(a) ? 16 : 0;
	if (is_v4(a))
		return (const uint8_t *)&a->in.sin_addr;
	return is_v6(a) ? a->in6.sin6_addr.s6_addr : NULL;
}

bool addr_same_host(const struct addr *a, const struct addr *b)
{
	size_t alen, blen;
	const uint8_t *ap = host_bytes(a, &alen), *bp = host_bytes(b, &blen);

	if (alen != blen || (alen && memcmp(ap, bp, alen) != 0))
		return false;
	return !is_v6(a) || a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

bool addr_is_loopback(const struct addr *a)
{
	if (a->sa.sa_family == AF_INET)
		return ntohl(a->in.sin_addr.s_addr) >> 24 == 127;
	return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

bool addr_same(const struct addr *a, const struct addr *b)
{
	return addr_port(a) == addr_port(b) && addr_same_host(a, b);
}

bool addr_in_net(const struct addr *a, const struct addr *net, unsigned prefix)
{
	size_t alen, nlen;
	const uint8_t *ap = host_bytes(a, &alen), *np = host_bytes(net, &nlen);
	unsigned whole = prefix / 8, bits = prefix % 8;

	if (!alen || alen != nlen || prefix > alen * 8 || memcmp(ap, np, whole) != 0)
		return false;
	return bits == 0 || (ap[whole] ^ np[whole]) >> (8 - bits) == 0;
}
