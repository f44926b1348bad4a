/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking the command line apart, word by word. getopt(3) would have to know the options of all
 * commands at once.
 */
#include "ctl/line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/near.h"

// clang-format off
const struct line_option line_options[] = {
	{ 's', "socket", "FILE", "the server's management socket; else $COUNTERSIGN_SOCKET,\n"
	                         "or /run/countersign/ctl.sock, or /var/lib/countersign/ctl.sock" },
	{ 'j', "json", NULL, "print what the server answers as it is" },
	{ 'V', "version", NULL, "print the version and exit" },
	{ 'h', "help", NULL, "print this, or of one command what is of it, and exit" },
	{ 0 },
};
// clang-format on

/* Where the parsing is. */
struct parser {
	struct line *line;
	char **argv;
	int argc, at;
	int words;  /* of the command, at the front of line->args */
	bool help;  /* was the first word */
	bool ended; /* by "--": no more options */
};

static enum line_result wrong(struct parser *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static enum line_result wrong(struct parser *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->line->why, sizeof(p->line->why), fmt, ap);
	va_end(ap);
	return LINE_WRONG;
}

/* The nearest so far to a word that there is not. */
struct guess {
	const char *word;
	const char *meant; /* what to say, so many bytes of it; NULL: none is near enough */
	int len;
	unsigned distance;
};

static void guess(struct guess *g, const char *candidate, const char *say, size_t len)
{
	unsigned distance = near_distance(g->word, candidate);

	if (!near_enough(distance, candidate) || (g->meant && distance >= g->distance))
		return;
	g->meant = say;
	g->len = (int)len;
	g->distance = distance;
}

/* Behind what wrong() has said. */
static enum line_result suggest(struct parser *p, const char *before, const struct guess *g)
{
	char *why = p->line->why;
	size_t used = strlen(why);

	if (g->meant)
		snprintf(why + used, sizeof(p->line->why) - used, "; did you mean %s%.*s?", before,
			g->len, g->meant);
	return LINE_WRONG;
}

/* Whether `text`, which may go on with "=VALUE", is this option. */
static bool is_named(const char *text, const char *name)
{
	size_t len = strcspn(text, "=");

	return strlen(name) == len && !memcmp(text, name, len);
}

/* The value behind an option: after "=", or the next word. NULL: there is none. */
static const char *value_of(struct parser *p, const char *text)
{
	const char *equals = strchr(text, '=');

	if (equals)
		return equals + 1;
	return p->at + 1 < p->argc ? p->argv[++p->at] : NULL;
}

/* --- options for all ------------------------------------------------------------------------ */

static enum line_result take(struct parser *p, char letter, const char *value)
{
	switch (letter) {
	case 's': p->line->session.socket = value; return LINE_COMMAND;
	case 'j': p->line->session.json = true; return LINE_COMMAND;
	case 'V': return LINE_VERSION;
	default: return LINE_HELP;
	}
}

static enum line_result take_general(struct parser *p, const struct line_option *o)
{
	const char *word = p->argv[p->at], *value = NULL;

	if (!o->value && strchr(word, '='))
		return wrong(p, "--%s takes no value", o->name);
	if (o->value && !(value = value_of(p, word)))
		return wrong(p, "an argument is missing after %s", word);
	return take(p, o->letter, value);
}

/* "-j", "-sFILE", "-s FILE", "-js FILE". */
static enum line_result take_letters(struct parser *p)
{
	const char *word = p->argv[p->at];
	enum line_result result = LINE_COMMAND;

	for (const char *l = word + 1; *l && result == LINE_COMMAND; l++) {
		const struct line_option *o = line_options;

		while (o->letter && o->letter != *l)
			o++;
		if (!o->letter)
			return wrong(p, "there is no option %s", word);
		if (!o->value) {
			result = take(p, *l, NULL);
			continue;
		}
		if (l[1])
			return take(p, *l, l + 1);
		if (p->at + 1 == p->argc)
			return wrong(p, "an argument is missing after %s", word);
		return take(p, *l, p->argv[++p->at]);
	}
	return result;
}

/* --- options of the command ----------------------------------------------------------------- */

static enum line_result take_own(struct parser *p, const struct command_option *o)
{
	const char *word = p->argv[p->at], *value = NULL;
	struct session *s = &p->line->session;

	if (!o->value && strchr(word, '='))
		return wrong(p, "--%s takes no value", o->name);
	if (o->value && !(value = value_of(p, word)))
		return wrong(p, "an argument is missing after %s", word);
	if (s->n_given == COMMAND_GIVEN_MAX)
		return wrong(p, "too many options");
	s->given[s->n_given++] = (struct command_given){ .name = o->name, .value = value };
	return LINE_COMMAND;
}

/* What was cut short is nearer than anything: --secret is --secret-file. */
static void guess_option(struct guess *g, const char *name)
{
	size_t len = strlen(g->word);

	if (len < 4 || strncmp(g->word, name, len) != 0) {
		guess(g, name, name, strlen(name));
		return;
	}
	g->meant = name;
	g->len = (int)strlen(name);
	g->distance = 0;
}

static enum line_result no_option(struct parser *p, const struct command *c)
{
	const char *word = p->argv[p->at];
	int len = (int)strcspn(word, "=");
	char name[64];
	struct guess g = { .word = name };

	snprintf(name, sizeof(name), "%.*s", len - 2, word + 2);
	for (const struct line_option *o = line_options; o->name; o++)
		guess_option(&g, o->name);
	for (const struct command_option *o = c ? c->options : NULL; o && o->name; o++)
		guess_option(&g, o->name);
	wrong(p, "there is no option %.*s", len, word);
	return suggest(p, "--", &g);
}

static enum line_result take_option(struct parser *p)
{
	const char *word = p->argv[p->at];
	const struct command *c = p->line->command;

	if (word[1] != '-')
		return take_letters(p);
	for (const struct line_option *o = line_options; o->name; o++)
		if (is_named(word + 2, o->name))
			return take_general(p, o);
	for (const struct command_option *o = c ? c->options : NULL; o && o->name; o++)
		if (is_named(word + 2, o->name))
			return take_own(p, o);
	return no_option(p, c);
}

/* --- words ---------------------------------------------------------------------------------- */

static enum line_result no_first_word(struct parser *p)
{
	struct guess g = { .word = p->line->args[0] };

	for (size_t i = 0; i < command_count; i++) {
		const char *name = commands[i].name;
		size_t len = strcspn(name, " ");
		char first[32];

		snprintf(first, sizeof(first), "%.*s", (int)len, name);
		guess(&g, first, name, len);
	}
	wrong(p, "there is no command %s", g.word);
	return suggest(p, "", &g);
}

static enum line_result no_second_word(struct parser *p)
{
	char **words = p->line->args;
	struct guess g = { .word = words[1] };

	for (size_t i = 0; i < command_count; i++) {
		const char *name = commands[i].name, *space = strchr(name, ' ');

		if (space && command_is_of(&commands[i], words, 1))
			guess(&g, space + 1, name, strlen(name));
	}
	wrong(p, "there is no command %s %s", words[0], words[1]);
	return suggest(p, "", &g);
}

static enum line_result take_word(struct parser *p)
{
	struct line *line = p->line;

	if (!line->n && !p->help && !strcmp(p->argv[p->at], "help")) {
		p->help = true;
		return LINE_COMMAND;
	}
	line->args[line->n++] = p->argv[p->at];
	if (line->command)
		return LINE_COMMAND;
	line->command = command_find(line->args, line->n);
	p->words = line->n;
	if (line->command || command_begins(line->args, line->n)) {
		line->topic = line->args[0];
		return LINE_COMMAND;
	}
	return line->n == 1 ? no_first_word(p) : no_second_word(p);
}

static enum line_result finish(struct parser *p)
{
	struct line *line = p->line;
	const struct command *c = line->command;

	if (p->help)
		return LINE_HELP;
	if (!c && line->n)
		return wrong(p, "say what to do with %s", line->args[0]);
	if (!c)
		return wrong(p, "say what to do");
	line->args += p->words;
	line->n -= p->words;
	if (line->n < c->least || line->n > c->most)
		return wrong(p, "usage: countersignctl %s%s%s%s", c->name, *c->arguments ? " " : "",
			c->arguments, c->options ? " [OPTION...]" : "");
	return LINE_COMMAND;
}

enum line_result line_parse(int argc, char **argv, struct line *out)
{
	struct parser p = { .line = out, .argv = argv, .argc = argc, .at = 1 };
	enum line_result result = LINE_COMMAND;

	/* Words move to the front of argv, over options that have been read. */
	*out = (struct line){ .args = argv };
	for (; result == LINE_COMMAND && p.at < argc; p.at++) {
		if (!p.ended && !strcmp(argv[p.at], "--"))
			p.ended = true;
		else if (!p.ended && argv[p.at][0] == '-' && argv[p.at][1])
			result = take_option(&p);
		else
			result = take_word(&p);
	}
	if (result == LINE_COMMAND)
		result = finish(&p);
	if (result == LINE_HELP && out->n > p.words)
		out->n = p.words; /* of the command alone, and not what it would have been given */
	return result;
}
