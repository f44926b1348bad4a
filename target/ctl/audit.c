/* SPDX-License-Identifier: BSD-2-Clause */
/* What was changed, and by whom. */
#include "ctl/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/ask.h"

const struct command_option audit_options[] = {
	{ "limit", "N", "at most so many entries; default 100, at most 1000" },
	{ "before", "ID", "only those before this one" },
	{ "of", "SCOPE", "only those of this target, SVM or the like" },
	{ 0 },
};

struct when {
	char text[32];
};

/* "2026-11-21 08:47:18", as it is here, or with another character in its middle. */
static struct when when_of(int64_t seconds, char between)
{
	time_t at = (time_t)seconds;
	struct when w = { "-" };
	struct tm local;

	if (localtime_r(&at, &local) &&
		strftime(w.text, sizeof(w.text), "%Y-%m-%d %H:%M:%S", &local))
		*strchr(w.text, ' ') = between;
	return w;
}

/* "initiator=iqn… type=chap": what the detail says, in its order. */
static char *detail_text(const json_t *detail)
{
	/* Iterating takes an object that could be changed; this one is not. */
	json_t *object = (json_t *)detail, *value;
	const char *name;
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	json_object_foreach(object, name, value)
	{
		fprintf(to, "%s%s=", ftell(to) ? " " : "", name);
		if (json_is_string(value))
			fputs(json_string_value(value), to);
		else if (!strcmp(name, "grace_until") && json_is_integer(value))
			fputs(when_of(json_integer_value(value), 'T').text, to);
		else
			json_dumpf(value, to, JSON_COMPACT | JSON_ENCODE_ANY);
	}
	fclose(to);
	return text;
}

static const char *const titles[] = { ">ID", "TIME", "WHO", "WHAT", "OF", "DETAIL", NULL };

static void add_entry(struct grid *g, const json_t *entry)
{
	struct when when = when_of((int64_t)ask_number(entry, "time"), ' ');
	char *detail = detail_text(json_object_get(entry, "detail"));
	const char *object = ask_text(entry, "object");
	struct grid_text t;

	grid_add(g, grid_number(ask_number(entry, "id"), &t));
	grid_add(g, when.text);
	grid_add(g, ask_text(entry, "who"));
	grid_add(g, ask_text(entry, "what"));
	grid_add(g, object && *object ? object : NULL);
	grid_add(g, detail && *detail ? detail : NULL);
	free(detail);
}

/* Adds "?name=value" or "&name=value", if the option was given. */
static bool add_query(char *path, const struct session *s, const char *option, const char *name)
{
	const char *value = command_value(s, option);
	char lead[32];

	snprintf(lead, sizeof(lead), "%c%s=", strchr(path, '?') ? '&' : '?', name);
	return !value || ask_path(path, lead, value);
}

enum exit_status audit_list(const struct session *s, char **args, int n)
{
	char path[ASK_PATH_MAX] = "/v1/audit";

	(void)args;
	(void)n;
	if (!add_query(path, s, "limit", "limit") || !add_query(path, s, "before", "before") ||
		!add_query(path, s, "of", "object"))
		return ask_usage("that is too long");
	return ask_list(s, path,
		&(struct ask_list){ "audit", titles, add_entry, "nothing has been changed" });
}

enum exit_status audit_rekey(const struct session *s, char **args, int n)
{
	json_t *b;
	enum exit_status status = ask_server(s, "POST", "/v1/rekey", NULL, &b);

	(void)args;
	(void)n;
	if (b)
		puts("the stored secrets are under a new key");
	json_decref(b);
	return status;
}
