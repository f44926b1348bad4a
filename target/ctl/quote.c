/* SPDX-License-Identifier: BSD-2-Clause */
/* Quoting for shells and the like. */
#include "ctl/quote.h"

#include <string.h>

static const char *give(struct quoted *out, char *end)
{
	*end = '\0';
	return out->text;
}

const char *quote_shell(const char *text, struct quoted *out)
{
	static const char bare[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789_./:=@%+,-";
	size_t len = strlen(text);
	char *at = out->text;

	if (len > QUOTE_MAX)
		return give(out, at);
	if (len && strspn(text, bare) == len)
		return give(out, stpcpy(at, text));
	*at++ = '\'';
	for (; *text; text++)
		if (*text == '\'')
			at = stpcpy(at, "'\\''");
		else
			*at++ = *text;
	*at++ = '\'';
	return give(out, at);
}

/* How many bytes PowerShell takes for a single quote here: the typographic ones (U+2018 to U+201B)
 * are as good to it as the plain one. */
static size_t powershell_quote(const char *p)
{
	if (*p == '\'')
		return 1;
	return !strncmp(p, "\xe2\x80", 2) && p[2] >= '\x98' && p[2] <= '\x9b' ? 3 : 0;
}

const char *quote_powershell(const char *text, struct quoted *out)
{
	char *at = out->text;

	if (strlen(text) > QUOTE_MAX)
		return give(out, at);
	*at++ = '\'';
	while (*text) {
		size_t quote = powershell_quote(text), len = quote ? quote : 1;

		for (int i = 0; i < (quote ? 2 : 1); i++)
			at = mempcpy(at, text, len);
		text += len;
	}
	*at++ = '\'';
	return give(out, at);
}

const char *quote_qemu(const char *text, struct quoted *out)
{
	char *at = out->text;

	if (strlen(text) > QUOTE_MAX)
		return give(out, at);
	for (; *text; text++) {
		*at++ = *text;
		if (*text == ',')
			*at++ = ',';
	}
	return give(out, at);
}
