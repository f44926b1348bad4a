/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iSCSI names: one pass that maps and checks the characters, then the rules of each type.
 */
#include "iscsi/name.h"

#include <stdint.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* --- characters ----------------------------------------------------------------------------- */

/* Length of the well-formed UTF-8 sequence of several bytes at p (RFC 3629: shortest form, no
 * surrogates, up to U+10FFFF), or 0. */
static size_t utf8_sequence(const char *text, size_t left)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

	if (p[0] < 0xc2 || p[0] > 0xf4 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

/* The mapping of RFC 3722 for ASCII; NUL for a character that it prohibits. The underscore, which
 * it prohibits too, is taken: Windows makes an initiator's name from that of the host. */
static char ascii_mapped(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	if ((c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '.' || c == ':' ||
		c == '_')
		return c;
	return '\0';
}

static bool name_map(const char *text, size_t len, struct iscsi_name *out)
{
	size_t i = 0;

	while (i < len) {
		size_t n = 1;
		out->text[i] = ascii_mapped(text[i]);
		if ((uint8_t)text[i] >= 0x80) {
			n = utf8_sequence(text + i, len - i);
			memcpy(out->text + i, text + i, n);
		}
		if (!n || !out->text[i])
			return false;
		i += n;
	}
	out->text[len] = '\0';
	return true;
}

/* --- types ---------------------------------------------------------------------------------- */

/* "YYYY-MM." */
static bool date_valid(const char *p)
{
	static const char form[] = "dddd-dd.";

	for (size_t i = 0; form[i]; i++) {
		if (form[i] == 'd' ? !is_digit(p[i]) : p[i] != form[i])
			return false;
	}
	int month = (p[5] - '0') * 10 + (p[6] - '0');
	return month >= 1 && month <= 12;
}

/* A reversed domain name up to ':' or the end: labels, none of them empty. */
static bool domain_valid(const char *p)
{
	bool empty = true;

	for (; *p && *p != ':'; p++) {
		if (*p == '.' && empty)
			return false;
		empty = *p == '.';
	}
	return !empty;
}

/* 4.2.7.4 */
static bool iqn_valid(const char *p)
{
	return date_valid(p) && domain_valid(p + 8);
}

/* 4.2.7.5 (EUI-64) and 4.2.7.6 (NAA of 64 or 128 bits); the mapping has made it lower case. */
static bool hex_valid(const char *p, size_t len)
{
	return strlen(p) == len && strspn(p, "0123456789abcdef") == len;
}

bool name_parse(const char *text, size_t len, struct iscsi_name *out)
{
	struct iscsi_name name;
	bool valid = false;

	if (len < 4 || len > ISCSI_NAME_MAX || !name_map(text, len, &name))
		return false;
	const char *rest = name.text + 4;
	if (!strncmp(name.text, "iqn.", 4))
		valid = iqn_valid(rest);
	else if (!strncmp(name.text, "eui.", 4))
		valid = hex_valid(rest, 16);
	else if (!strncmp(name.text, "naa.", 4))
		valid = hex_valid(rest, 16) || hex_valid(rest, 32);
	if (valid)
		memcpy(out->text, name.text, len + 1);
	return valid;
}

bool name_equal(const struct iscsi_name *a, const struct iscsi_name *b)
{
	return !strcmp(a->text, b->text);
}
