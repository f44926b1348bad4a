/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of initiators: from the front, so that the first part that is wrong is the one named. */
#include "mgmt/ontap_name.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyz"

static bool is_date(const char *p)
{
	return strspn(p, DIGITS) == 4 && p[4] == '-' && strspn(p + 5, DIGITS) == 2 &&
	       ((p[5] == '0' && p[6] != '0') || (p[5] == '1' && p[6] <= '2')) &&
	       (!p[7] || p[7] == '.');
}

/* What comes after "iqn.". */
static enum name_fault check_iqn(const char *p)
{
	const char *authority, *colon;

	if (!*p)
		return NAME_NO_QUALIFIER;
	if (!is_date(p))
		return NAME_BAD_DATE;
	authority = p[7] ? p + 8 : p + 7;
	if (authority[strspn(authority, DIGITS LETTERS ".:-")])
		return NAME_BAD_CHARACTER;
	colon = strchr(authority, ':');
	return !*authority || *authority == ':' || (colon && !colon[1]) ? NAME_NO_QUALIFIER
									: NAME_OK;
}

static enum name_fault check_eui(const char *p)
{
	return strlen(p) == 16 && strspn(p, DIGITS "abcdefABCDEF") == 16 ? NAME_OK
									 : NAME_BAD_DIGITS;
}

static enum name_fault check(const char *text)
{
	if (strlen(text) > NAME_MAX_BYTES)
		return NAME_INVALID;
	if (!strncmp(text, "iqn.", 4))
		return check_iqn(text + 4);
	if (!strncmp(text, "eui.", 4))
		return check_eui(text + 4);
	if (!strncasecmp(text, "iqn", 3))
		return NAME_BAD_IQN;
	return strncasecmp(text, "eui", 3) ? NAME_INVALID : NAME_BAD_EUI;
}

enum name_fault name_check(const char *text, char name[static NAME_MAX_BYTES + 1])
{
	enum name_fault fault = check(text);
	size_t i = 0;

	for (; !fault && text[i]; i++)
		name[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 'a' - 'A' : text[i]);
	if (!fault)
		name[i] = '\0';
	return fault;
}

const char *name_fault_code(enum name_fault fault)
{
#define NAME_AS_CODE(id, code, text) [id] = code,
	static const char *const codes[] = { NAME_FAULTS(NAME_AS_CODE) };

	return codes[fault];
}

const char *name_fault_text(enum name_fault fault)
{
#define NAME_AS_TEXT(id, code, text) [id] = text,
	/* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): long texts are in two parts */
	static const char *const texts[] = { NAME_FAULTS(NAME_AS_TEXT) };

	return texts[fault];
}
