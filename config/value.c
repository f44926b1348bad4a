/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts with a form of their own: see value.h. */
#include "config/value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ISCSI_NAME_MAX 223 /* RFC 7143 4.2.7.1 */
#define ISCSI_PORT     3260

#define DIGITS         "0123456789"
#define LOWER          "abcdefghijklmnopqrstuvwxyz"
#define UPPER          "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool because(struct why *why, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why->text, sizeof(why->text), format, ap);
	va_end(ap);
	return false;
}

bool no_memory(struct why *why)
{
	why->no_memory = true;
	return because(why, "out of memory");
}

static bool replace(char **text, char *by, struct why *why)
{
	if (!by)
		return no_memory(why);
	free(*text);
	*text = by;
	return true;
}

/* The first character that is not one of these; NULL if all are. */
static const char *stranger(const char *text, const char *allowed)
{
	const char *at = text + strspn(text, allowed);

	return *at ? at : NULL;
}

/* A single character as it can be shown: "'x'", or "the byte 0x80". */
static const char *show(char c, char out[static 16])
{
	if (isprint((unsigned char)c))
		snprintf(out, 16, "'%c'", c);
	else
		snprintf(out, 16, "byte 0x%02x", (unsigned char)c);
	return out;
}

/* ---- numbers -------------------------------------------------------------------------------- */

bool value_size(const char *text, uint64_t *out)
{
	static const char units[] = "KMGT";
	uint64_t n = 0;
	unsigned shift = 0;
	const char *unit;

	if (!isdigit((unsigned char)*text))
		return false;
	for (; isdigit((unsigned char)*text); text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (n > ((uint64_t)INT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (*text) {
		unit = strchr(units, toupper((unsigned char)*text));
		if (!unit || text[1])
			return false;
		shift = 10 * (unsigned)(unit - units + 1);
	}
	if (n > (uint64_t)INT64_MAX >> shift)
		return false;
	*out = n << shift;
	return true;
}

const char *value_size_text(uint64_t size, char out[static VALUE_SIZE_TEXT])
{
	static const char *const units[] = { "", "K", "M", "G", "T" };
	unsigned u = 0;

	while (size && size % 1024 == 0 && u < 4) {
		size /= 1024;
		u++;
	}
	snprintf(out, VALUE_SIZE_TEXT, "%" PRIu64 "%s", size, units[u]);
	return out;
}

bool value_mode(const char *text, uint32_t *out)
{
	size_t len = strlen(text);

	if (len < 3 || len > 4 || stranger(text, "01234567") || (len == 4 && text[0] != '0'))
		return false;
	*out = (uint32_t)strtoul(text, NULL, 8);
	return true;
}

/* ---- text ----------------------------------------------------------------------------------- */

/* Length of the UTF-8 sequence at p, 0 if there is none (Unicode 15 table 3-7). */
static size_t utf8_length(const unsigned char *p)
{
	static const struct {
		unsigned char first, last, low, high;
		size_t len;
	} forms[] = {
		{ 0x01, 0x7f, 0x00, 0xff, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (p[0] < forms[i].first || p[0] > forms[i].last)
			continue;
		if (forms[i].len > 1 && (p[1] < forms[i].low || p[1] > forms[i].high))
			return 0;
		for (size_t k = 2; k < forms[i].len; k++)
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].len;
	}
	return 0;
}

/* No overlong forms, no surrogates, nothing beyond U+10FFFF. */
static bool is_utf8(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p) {
		size_t len = utf8_length(p);

		if (!len)
			return false;
		p += len;
	}
	return true;
}

bool value_user_text(char **text, struct why *why)
{
	if (!is_utf8(*text))
		return because(why, "it is not valid UTF-8");
	for (const char *p = *text; *p; p++)
		if (iscntrl((unsigned char)*p))
			return because(
				why, "it holds a control character; only text is right here");
	return true;
}

bool value_ascii(char **text, struct why *why)
{
	for (const char *p = *text; *p; p++)
		if (*p < ' ' || *p > '~')
			return because(why, "only printable ASCII characters are right here");
	return true;
}

static bool only(const char *text, const char *allowed, const char *allowed_text, struct why *why)
{
	const char *at = stranger(text, allowed);
	char shown[16];

	if (!at)
		return true;
	return because(why, "%s cannot be part of it; %s can", show(*at, shown), allowed_text);
}

bool value_label(char **text, struct why *why)
{
	return only(*text, LOWER UPPER DIGITS "._-", "letters, digits, '.', '_' and '-'", why);
}

bool value_barcode(char **text, struct why *why)
{
	return only(*text, UPPER DIGITS, "A to Z and 0 to 9", why);
}

bool value_digits(char **text, struct why *why)
{
	return only(*text, DIGITS, "digits", why);
}

bool value_region(char **text, struct why *why)
{
	return only(*text, LOWER DIGITS "-", "a to z, digits and '-'", why);
}

bool value_gateway(char **text, struct why *why)
{
	size_t len = strlen(*text);

	if (strncmp(*text, "sgw-", 4) || (len != 12 && len != 21) ||
		stranger(*text + 4, DIGITS "ABCDEF"))
		return because(why, "a gateway is named sgw- and 8 or 17 upper-case hex digits, "
				    "such as sgw-12A3456B");
	return true;
}

static void lower(char *text)
{
	for (; *text; text++)
		*text = (char)tolower((unsigned char)*text);
}

bool value_naa(char **text, struct why *why)
{
	const char *digits = strncasecmp(*text, "naa.", 4) ? *text : *text + 4;
	char *copy = strdup(digits);
	size_t len = strlen(digits);
	bool fine;

	if (!copy)
		return no_memory(why);
	lower(copy);
	fine = !stranger(copy, DIGITS "abcdef");
	if (!fine || !((len == 16 && strchr("235", copy[0])) || (len == 32 && copy[0] == '6'))) {
		free(copy);
		return because(why, "an NAA identifier is 16 hex digits that begin with 2, 3 or 5, "
				    "or 32 that begin with 6");
	}
	return replace(text, copy, why);
}

/* ---- iSCSI names ---------------------------------------------------------------------------- */

/* "yyyy-mm" */
static bool is_date(const char *p)
{
	for (int i = 0; i < 7; i++)
		if (i == 4 ? p[i] != '-' : !isdigit((unsigned char)p[i]))
			return false;
	return (p[5] == '0' && p[6] != '0') || (p[5] == '1' && p[6] <= '2');
}

/* "iqn.yyyy-mm.reversed.domain[:anything]" */
static bool iqn_form(const char *name, struct why *why)
{
	const char *domain = name + 12;
	size_t len;

	if (strlen(name) < 13 || !is_date(name + 4) || name[11] != '.')
		return because(why, "after iqn. comes the year and month in which you owned the "
				    "domain, as in iqn.2026-11.com.example:disk1");
	len = strcspn(domain, ":");
	if (!len || !isalnum((unsigned char)domain[0]) || !isalnum((unsigned char)domain[len - 1]))
		return because(why, "after the date comes your domain, reversed, as in "
				    "iqn.2026-11.com.example:disk1");
	if (domain[len] == ':' && !domain[len + 1])
		return because(why, "nothing follows the ':'; leave it out or name the device, as "
				    "in iqn.2026-11.com.example:disk1");
	return true;
}

static bool hex_form(const char *name, size_t len, bool long_too, struct why *why)
{
	if (!stranger(name + 4, DIGITS "abcdef") && (len == 20 || (long_too && len == 36)))
		return true;
	return because(why, "after %.4s come 16 %shex digits", name, long_too ? "or 32 " : "");
}

static bool iscsi_name(const char *name, const char *allowed, struct why *why)
{
	size_t len = strlen(name);
	const char *at;
	char shown[16];

	for (at = name; *at; at++) {
		char small[ISCSI_NAME_MAX + 2];

		if (!isupper((unsigned char)*at))
			continue;
		snprintf(small, sizeof(small), "%s", name);
		lower(small);
		return because(why, "iSCSI names are lower case; write \"%s\"", small);
	}
	if (len > ISCSI_NAME_MAX)
		return because(why, "it has %zu characters; an iSCSI name has at most 223", len);
	at = stranger(name, allowed);
	if (at)
		return because(why,
			"%s cannot be part of an iSCSI name; a to z, digits, '-', '.' and ':' can",
			show(*at, shown));
	if (!strncmp(name, "iqn.", 4))
		return iqn_form(name, why);
	if (!strncmp(name, "eui.", 4))
		return hex_form(name, len, false, why);
	if (!strncmp(name, "naa.", 4))
		return hex_form(name, len, true, why);
	return because(why, "an iSCSI name begins with iqn., eui. or naa., as in "
			    "iqn.2026-11.com.example:disk1");
}

bool value_target_name(char **text, struct why *why)
{
	return iscsi_name(*text, LOWER DIGITS "-.:", why);
}

bool value_initiator_name(char **text, struct why *why)
{
	return iscsi_name(*text, LOWER DIGITS "-.:_", why);
}

/* ---- addresses ------------------------------------------------------------------------------ */

static bool is_ipv4(const char *text)
{
	struct in_addr a;

	return inet_pton(AF_INET, text, &a) == 1;
}

static bool is_ipv4_with_port(const char *text)
{
	char address[INET_ADDRSTRLEN];
	size_t len = strcspn(text, ":");

	if (!text[len] || len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	return is_ipv4(address);
}

/* With or without a zone, as in fe80::1%eth0. */
static bool is_ipv6(const char *text, struct in6_addr *a)
{
	char address[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "%");

	if (len >= sizeof(address) ||
		(text[len] && (!text[len + 1] || strlen(text + len) > IFNAMSIZ)))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	return inet_pton(AF_INET6, address, a) == 1;
}

/* An IPv6 address can be written in many ways; equal ones are to look equal. */
static bool normal_ipv6(char **text, const struct in6_addr *a, struct why *why)
{
	char address[INET6_ADDRSTRLEN];
	char *normal;

	inet_ntop(AF_INET6, a, address, sizeof(address));
	if (asprintf(&normal, "%s%s", address, *text + strcspn(*text, "%")) < 0)
		normal = NULL;
	return replace(text, normal, why);
}

bool value_address(char **text, struct why *why)
{
	struct in6_addr ipv6;

	if (is_ipv4(*text))
		return true;
	if (is_ipv6(*text, &ipv6))
		return normal_ipv6(text, &ipv6, why);
	if ((*text)[0] == '[')
		return because(why, "an IPv6 address stands without brackets here, as in \"::1\"");
	if (is_ipv4_with_port(*text))
		return because(why, "the port stands by itself, as in port = 3260");
	if (!strcmp(*text, "*") || !**text)
		return because(
			why, "write \"0.0.0.0\" for all IPv4 addresses, \"::\" for all IPv6");
	return because(why, "it is neither an IPv4 nor an IPv6 address (names are not looked up)");
}

/* Digits alone, 1 to 65535; 0 for anything else. */
static unsigned long port_number(const char *text)
{
	size_t len = strlen(text);
	unsigned long port = strtoul(text, NULL, 10);

	return !len || len > 5 || stranger(text, DIGITS) || port > 65535 ? 0 : port;
}

static bool is_host(const char *text)
{
	return isalnum((unsigned char)*text) && strlen(text) <= 253 &&
	       !stranger(text, LOWER UPPER DIGITS ".-");
}

bool value_host_port(char **text, struct why *why)
{
	char host[256], *at = host, *rest, *joined = NULL;
	unsigned long port = ISCSI_PORT;
	bool bracket = (*text)[0] == '[';
	struct in6_addr ipv6;

	if (strlen(*text) >= sizeof(host))
		return because(why, "it is too long");
	memcpy(host, *text, strlen(*text) + 1);
	rest = host + strcspn(host, bracket ? "]" : ":");
	if (bracket && *rest) {
		at = host + 1;
		*rest++ = '\0';
	}
	if (*rest == ':') {
		*rest++ = '\0';
		port = port_number(rest);
		rest += strlen(rest);
	}
	if (*rest || !port || !(bracket ? is_ipv6(at, &ipv6) : is_host(at)))
		return because(
			why, "write it as \"host\", \"host:port\" or \"[IPv6 address]:port\"");
	if (asprintf(&joined, bracket ? "[%s]:%lu" : "%s:%lu", at, port) < 0)
		joined = NULL;
	return replace(text, joined, why);
}
