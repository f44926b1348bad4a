/* SPDX-License-Identifier: BSD-2-Clause */
/* Guessing at syntax errors: see hint.h. Strings are numbers in quotes here, and comments gone. */
#include "config/hint.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t\r\n"

/* From its first byte to past its last one. */
struct span {
	const char *at, *end;
};

static struct span line_of(const char *text, size_t line)
{
	struct span s = { text, text };

	while (line-- > 1 && (s.at = strchr(s.at, '\n')))
		s.at++;
	if (!s.at)
		s.at = text + strlen(text);
	s.end = s.at + strcspn(s.at, "\n");
	return s;
}

/* The line above one that is not the first. */
static struct span line_above(const char *text, struct span s)
{
	const char *end = s.at - 1;
	const char *newline = memrchr(text, '\n', (size_t)(end - text));

	return (struct span){ newline ? newline + 1 : text, end };
}

static bool is_blank(struct span s)
{
	return s.at + strspn(s.at, " \t\r") >= s.end;
}

/* The last character before p that is no blank; '\0': there is none. */
static char before(const char *text, const char *p)
{
	while (p > text && strchr(BLANKS, p[-1]))
		p--;
	return p > text ? p[-1] : '\0';
}

static bool is_word(struct span s, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(s.end - s.at) == len && !strncasecmp(s.at, word, len);
}

static bool is_number(struct span s)
{
	static const char *const characters[] = { "0123456789L", "0123456789.eE+-",
		"xX0123456789abcdefABCDEFL" };
	size_t len = (size_t)(s.end - s.at), sign = strspn(s.at, "+-");

	for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++)
		if (sign + strspn(s.at + sign, characters[i]) >= len)
			return !memchr(s.at, '.', len) ||
			       memchr(s.at, '.', len) == memrchr(s.at, '.', len);
	return false;
}

/* Of a value that begins at p, in front of which there are only blanks. */
static const char *about_value(const char *p)
{
	static const char *const booleans[] = { "yes", "no", "on", "off" };
	struct span s;

	p += strspn(p, " \t");
	s = (struct span){ p, p + strcspn(p, BLANKS ";,(){}[]\"") };
	if (s.at == s.end || is_number(s) || is_word(s, "true") || is_word(s, "false"))
		return NULL;
	for (size_t i = 0; i < sizeof(booleans) / sizeof(booleans[0]); i++)
		if (is_word(s, booleans[i]))
			return "syntax error: yes and no are written true and false";
	return "syntax error: text stands in double quotes, and so does a size with a unit, as in "
	       "\"10G\"";
}

static const char *about_bracket(const char *text, const char *p)
{
	char was = before(text, p);

	if ((*p == ')' || *p == ']') && was == ',')
		return "syntax error: there is a comma too many before the closing bracket";
	if (*p == '{' && was == '}')
		return "syntax error: a comma is missing between } and {";
	if (*p == '{' && was == '[')
		return "syntax error: a list of groups stands in ( ... ), not in [ ... ]";
	return NULL;
}

/* ':' is as good as '=', which YAML and JSON have in common with libconfig. */
static const char *about_assignment(const char *text, const char *p)
{
	if (before(text, p) == '"')
		return "syntax error: the name of a setting stands without quotes";
	return about_value(p + 1);
}

static const char *about_array(const char *text, const char *p)
{
	char was = before(text, p);

	if (was && strchr("=:([,", was))
		return about_value(p + 1);
	return "syntax error: there are no [sections]; a group of settings is NAME = { ... };";
}

static const char *about_line(const char *text, struct span s)
{
	const char *hint = NULL;

	for (const char *p = s.at; !hint && p < s.end; p++) {
		if (*p == '=' || *p == ':')
			hint = about_assignment(text, p);
		else if (*p == '[')
			hint = about_array(text, p);
		else
			hint = about_bracket(text, p);
	}
	return hint;
}

const char *hint_syntax(const char *text, size_t *line)
{
	struct span s = line_of(text, *line);
	size_t up = 0;
	const char *hint = about_line(text, s);

	if (hint)
		return hint;
	while (s.at > text && (!up || is_blank(s))) {
		s = line_above(text, s);
		up++;
	}
	hint = about_line(text, s);
	if (hint)
		*line -= up;
	return hint;
}
