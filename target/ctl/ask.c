/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking, and telling what came of it. */
#include "ctl/ask.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/number.h"

const char *ask_text(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

uint64_t ask_number(const json_t *o, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(o, name));

	return n > 0 ? (uint64_t)n : 0;
}

static void print_faults(const json_t *body)
{
	const json_t *faults = json_object_get(json_object_get(body, "error"), "faults");

	for (size_t i = 0; i < json_array_size(faults); i++) {
		const json_t *f = json_array_get(faults, i);
		const char *file = ask_text(f, "file"), *text = ask_text(f, "text");

		grid_puts(file ? file : "-", stderr);
		if (ask_number(f, "line"))
			fprintf(stderr, ":%u", (unsigned)ask_number(f, "line"));
		fputs(": ", stderr);
		grid_puts(text ? text : "-", stderr);
		fputc('\n', stderr);
	}
}

/* Where something is named that there is not: what lists those that there are. */
static void print_next(const json_t *body)
{
	static const struct {
		const char *code, *command;
	} lists[] = {
		{ "no_such_target", "targets" },
		{ "no_such_credential", "credentials list" },
		{ "no_such_volume", "volume list" },
		{ "no_such_group", "port-group list" },
		{ "no_such_library", "library list" },
		{ "no_such_drive", "drive list" },
		{ "no_such_tape", "tape list" },
		{ "no_such_session", "sessions" },
	};
	const char *code = ask_text(json_object_get(body, "error"), "code");

	for (size_t i = 0; code && i < sizeof(lists) / sizeof(lists[0]); i++)
		if (!strcmp(code, lists[i].code))
			fprintf(stderr, "countersignctl: `countersignctl %s` lists what there is\n",
				lists[i].command);
}

enum exit_status ask_server(const struct session *s, const char *method, const char *path,
	const json_t *in, json_t **body)
{
	struct client_answer a;

	client_ask(s->socket, method, path, in, &a);
	*body = NULL;
	if (s->json && a.body) {
		json_dumpf(a.body, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	if (a.result != CLIENT_DONE) {
		print_faults(a.body);
		fputs("countersignctl: ", stderr);
		grid_puts(a.why, stderr);
		fputc('\n', stderr);
		print_next(a.body);
	} else if (!s->json) {
		*body = json_incref(a.body);
	}
	json_decref(a.body);
	if (a.result == CLIENT_DONE)
		return EXIT_DONE;
	return a.result == CLIENT_REFUSED ? EXIT_REFUSED : EXIT_UNREACHABLE;
}

static bool is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       strchr("-._~:", c);
}

bool ask_path(char *path, const char *text, const char *name)
{
	size_t len = strlen(path);
	int n = snprintf(path + len, ASK_PATH_MAX - len, "%s", text);

	len += (size_t)n;
	for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
		if (len + 4 > ASK_PATH_MAX)
			return false;
		len += (size_t)snprintf(
			path + len, ASK_PATH_MAX - len, is_plain(*p) ? "%c" : "%%%02X", *p);
	}
	return len < ASK_PATH_MAX;
}

enum exit_status ask_print(struct grid *g, const char *nothing)
{
	bool ok = grid_print(g, nothing, stdout);

	grid_free(g);
	if (!ok)
		fputs("countersignctl: out of memory\n", stderr);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}

enum exit_status ask_show(
	const struct session *s, const char *path, void (*print)(const json_t *thing))
{
	json_t *b;
	enum exit_status status = ask_server(s, "GET", path, NULL, &b);

	if (b)
		print(b);
	json_decref(b);
	return status;
}

enum exit_status ask_list(const struct session *s, const char *path, const struct ask_list *l)
{
	json_t *b;
	enum exit_status status = ask_server(s, "GET", path, NULL, &b);
	const json_t *list = json_object_get(b, l->name);
	struct grid *g = b ? grid_new(l->titles) : NULL;

	if (!b)
		return status;
	for (size_t i = 0; i < json_array_size(list); i++)
		l->add(g, json_array_get(list, i));
	json_decref(b);
	return ask_print(g, l->nothing);
}

void ask_line(const char *title, const char *text)
{
	printf("%-15s", title);
	grid_puts(text ? text : "-", stdout);
	putchar('\n');
}

enum exit_status ask_usage(const char *fmt, ...)
{
	va_list ap;

	fputs("countersignctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

bool ask_size(const char *text, int64_t *out)
{
	if (number_read(text, true, out))
		return true;
	ask_usage("%s: a size is a number of bytes, or one with K, M, G or T behind it, as 10G",
		text);
	return false;
}
