/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands: each asks the server one thing and prints the answer. Members that an older server
 * does not send come out as "-" or 0.
 */
#include "ctl/command.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/grid.h"

static const char *str(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static uint64_t num(const json_t *o, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(o, name));

	return n > 0 ? (uint64_t)n : 0;
}

/* --- asking --------------------------------------------------------------------------------- */

static void print_faults(const json_t *body)
{
	const json_t *faults = json_object_get(json_object_get(body, "error"), "faults");

	for (size_t i = 0; i < json_array_size(faults); i++) {
		const json_t *f = json_array_get(faults, i);
		const char *file = str(f, "file"), *text = str(f, "text");

		grid_puts(file ? file : "-", stderr);
		if (num(f, "line"))
			fprintf(stderr, ":%u", (unsigned)num(f, "line"));
		fputs(": ", stderr);
		grid_puts(text ? text : "-", stderr);
		fputc('\n', stderr);
	}
}

/* Asks, and prints the answer where it is not to be read by people, or is a refusal. On EXIT_DONE
 * *body is the caller's to print, if it is not NULL, and to json_decref(). */
static enum exit_status ask(
	const struct session *s, const char *method, const char *path, json_t **body)
{
	struct client_answer a;

	client_ask(s->socket, method, path, NULL, &a);
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
	} else if (!s->json) {
		*body = json_incref(a.body);
	}
	json_decref(a.body);
	if (a.result == CLIENT_DONE)
		return EXIT_DONE;
	return a.result == CLIENT_REFUSED ? EXIT_REFUSED : EXIT_UNREACHABLE;
}

/* A path with a name in it that may hold anything: percent-encoded (RFC 3986 2.1). */
static bool path_of(char *out, size_t size, const char *prefix, const char *name)
{
	int n = snprintf(out, size, "%s", prefix);
	size_t len = (size_t)n;

	for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
		bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			     (*p >= '0' && *p <= '9') || strchr("-._~:", *p);

		if (len + 4 > size)
			return false;
		len += (size_t)snprintf(out + len, size - len, plain ? "%c" : "%%%02X", *p);
	}
	return true;
}

static enum exit_status print_grid(struct grid *g, const char *nothing)
{
	bool ok = grid_print(g, nothing, stdout);

	grid_free(g);
	if (!ok)
		fputs("countersignctl: out of memory\n", stderr);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}

/* --- status --------------------------------------------------------------------------------- */

static void print_line(const char *title, const char *text)
{
	printf("%-15s", title);
	grid_puts(text ? text : "-", stdout);
	putchar('\n');
}

static void print_portals(const json_t *portals)
{
	for (size_t i = 0; i < json_array_size(portals); i++) {
		const json_t *p = json_array_get(portals, i);
		const char *advertised = str(p, "advertised");
		char text[512];

		snprintf(text, sizeof(text), "%s, group %u%s%s", str(p, "address"),
			(unsigned)num(p, "group"), advertised ? ", advertised as " : "",
			advertised ? advertised : "");
		print_line(i ? "" : "portals", text);
	}
}

static void print_traffic(const json_t *n)
{
	struct grid_text a, b;

	printf("%-15s%u, and %u not logged in yet\n", "connections",
		(unsigned)(num(n, "connections") - num(n, "half_open")),
		(unsigned)num(n, "half_open"));
	print_line("sessions", grid_number(num(n, "sessions"), &a));
	printf("%-15s%s, and %s refused\n", "logins", grid_number(num(n, "logins"), &a),
		grid_number(num(n, "logins_refused"), &b));
	print_line("commands", grid_number(num(n, "commands"), &a));
	print_line("written", grid_size(num(n, "bytes_in"), &a));
	print_line("read", grid_size(num(n, "bytes_out"), &a));
}

static enum exit_status run_status(const struct session *s, char **args, int n)
{
	struct grid_text up;
	json_t *b;
	enum exit_status status = ask(s, "GET", "/v1/status", &b);

	(void)args;
	(void)n;
	if (!b)
		return status;
	printf("%-15s%s\n", "version", str(b, "version"));
	printf("%-15s%u, up %s\n", "process", (unsigned)num(b, "pid"),
		grid_time(num(b, "uptime_ms"), &up));
	print_line("configuration", str(b, "config"));
	print_line("state", str(b, "state_dir"));
	print_portals(json_object_get(b, "portals"));
	printf("%-15s%u, with %u logical units\n", "targets", (unsigned)num(b, "targets"),
		(unsigned)num(b, "units"));
	printf("%-15s%u, polling for up to %u us\n", "reactors", (unsigned)num(b, "reactors"),
		(unsigned)num(b, "poll_us"));
	print_line("file I/O", str(b, "file_io"));
	print_traffic(json_object_get(b, "iscsi"));
	json_decref(b);
	return EXIT_DONE;
}

/* --- targets -------------------------------------------------------------------------------- */

static void add_lun(struct grid *g, const json_t *target, const json_t *lun, bool first)
{
	struct grid_text a, b;
	bool read_only = json_is_true(json_object_get(lun, "read_only"));

	grid_add(g, first ? str(target, "name") : "");
	grid_add(g, first ? str(target, "auth") : "");
	grid_add(g, grid_number(num(lun, "lun"), &a));
	grid_add(g, str(lun, "kind"));
	grid_add(g, str(lun, "store"));
	grid_add(g, grid_size(num(lun, "size"), &a));
	grid_add(g, grid_number(num(lun, "block_size"), &b));
	grid_add(g, read_only ? "read-only" : "");
	grid_add(g, str(lun, "path") ? str(lun, "path") : "");
}

static void add_target(struct grid *g, const json_t *target)
{
	const json_t *luns = json_object_get(target, "luns");
	const char *redirect = str(target, "redirect");

	for (size_t i = 0; i < json_array_size(luns); i++)
		add_lun(g, target, json_array_get(luns, i), i == 0);
	if (json_array_size(luns))
		return;
	grid_add(g, str(target, "name"));
	grid_add(g, str(target, "auth"));
	for (int i = 0; i < 6; i++)
		grid_add(g, NULL);
	grid_add(g, redirect ? redirect : "");
}

static const char *const target_titles[] = { "TARGET", "AUTH", ">LUN", "KIND", "STORE", ">SIZE",
	">BLOCK", "MODE", "PATH", NULL };

static enum exit_status list_targets(const struct session *s)
{
	json_t *b;
	enum exit_status status = ask(s, "GET", "/v1/targets", &b);
	const json_t *list = json_object_get(b, "targets");
	struct grid *g = b ? grid_new(target_titles) : NULL;

	if (!b)
		return status;
	for (size_t i = 0; i < json_array_size(list); i++)
		add_target(g, json_array_get(list, i));
	json_decref(b);
	return print_grid(g, "there are no targets");
}

static void print_groups(const json_t *groups)
{
	printf("%-15s", "portal groups");
	for (size_t i = 0; i < json_array_size(groups); i++)
		printf("%s%lld", i ? ", " : "",
			(long long)json_integer_value(json_array_get(groups, i)));
	puts(json_array_size(groups) ? "" : "all");
}

static void print_unit(const json_t *lun)
{
	char title[16], text[80];
	struct grid_text size;

	snprintf(title, sizeof(title), "LUN %u", (unsigned)num(lun, "lun"));
	snprintf(text, sizeof(text), "%s of %s in blocks of %u%s", str(lun, "kind"),
		grid_size(num(lun, "size"), &size), (unsigned)num(lun, "block_size"),
		json_is_true(json_object_get(lun, "read_only")) ? ", read-only" : "");
	print_line(title, text);
	print_line("  store", str(lun, "path") ? str(lun, "path") : str(lun, "store"));
	print_line("  NAA", str(lun, "naa"));
}

static enum exit_status show_target(const struct session *s, const char *name)
{
	char path[1024];
	json_t *b, *luns;
	enum exit_status status;

	if (!*name || !path_of(path, sizeof(path), "/v1/targets/", name)) {
		fputs("countersignctl: that is not the name of a target\n", stderr);
		return EXIT_USAGE;
	}
	status = ask(s, "GET", path, &b);
	if (!b)
		return status;
	print_line("target", str(b, "name"));
	if (str(b, "alias"))
		print_line("alias", str(b, "alias"));
	print_line("authentication", str(b, "auth"));
	print_groups(json_object_get(b, "portal_groups"));
	if (str(b, "redirect"))
		print_line("redirected to", str(b, "redirect"));
	luns = json_object_get(b, "luns");
	for (size_t i = 0; i < json_array_size(luns); i++)
		print_unit(json_array_get(luns, i));
	json_decref(b);
	return EXIT_DONE;
}

static enum exit_status run_targets(const struct session *s, char **args, int n)
{
	return n ? show_target(s, args[0]) : list_targets(s);
}

/* --- sessions ------------------------------------------------------------------------------- */

static const char *const session_titles[] = { ">TSIH", "TARGET", "INITIATOR", "ADDRESS", "AUTH",
	"USER", ">CONN", ">AGE", ">IDLE", ">WRITTEN", ">READ", NULL };

static void add_session(struct grid *g, const json_t *s)
{
	bool discovery = str(s, "type") && !strcmp(str(s, "type"), "discovery");
	const char *algorithm = str(s, "algorithm");
	struct grid_text t;
	char auth[64];

	snprintf(auth, sizeof(auth), "%s%s%s", str(s, "auth") ? str(s, "auth") : "-",
		algorithm ? ", " : "", algorithm ? algorithm : "");
	grid_add(g, discovery ? "-" : grid_number(num(s, "tsih"), &t));
	grid_add(g, discovery ? "(discovery)" : str(s, "target"));
	grid_add(g, str(s, "initiator"));
	grid_add(g, str(s, "peer"));
	grid_add(g, auth);
	grid_add(g, str(s, "user"));
	grid_add(g, grid_number(num(s, "connections"), &t));
	grid_add(g, grid_time(num(s, "age_ms"), &t));
	grid_add(g, grid_time(num(s, "idle_ms"), &t));
	grid_add(g, grid_size(num(s, "bytes_in"), &t));
	grid_add(g, grid_size(num(s, "bytes_out"), &t));
}

static enum exit_status run_sessions(const struct session *s, char **args, int n)
{
	json_t *b;
	enum exit_status status = ask(s, "GET", "/v1/sessions", &b);
	const json_t *list = json_object_get(b, "sessions");
	struct grid *g = b ? grid_new(session_titles) : NULL;

	(void)args;
	(void)n;
	if (!b)
		return status;
	for (size_t i = 0; i < json_array_size(list); i++)
		add_session(g, json_array_get(list, i));
	json_decref(b);
	return print_grid(g, "there are no sessions");
}

static enum exit_status run_drop(const struct session *s, char **args, int n)
{
	char path[1024];
	json_t *b;
	enum exit_status status;
	unsigned connections;

	(void)n;
	if (!*args[0] || strspn(args[0], "0123456789") != strlen(args[0]) ||
		!path_of(path, sizeof(path), "/v1/sessions/", args[0])) {
		fputs("countersignctl: drop takes the TSIH of a session, as `countersignctl "
		      "sessions` shows it\n",
			stderr);
		return EXIT_USAGE;
	}
	status = ask(s, "DELETE", path, &b);
	if (!b)
		return status;
	connections = (unsigned)num(b, "connections");
	printf("session %s: %u connection%s closed\n", args[0], connections,
		connections == 1 ? "" : "s");
	json_decref(b);
	return EXIT_DONE;
}

/* --- reload --------------------------------------------------------------------------------- */

static enum exit_status run_reload(const struct session *s, char **args, int n)
{
	json_t *b;
	enum exit_status status = ask(s, "POST", "/v1/reload", &b);

	(void)args;
	(void)n;
	if (b)
		puts("the configuration has been reloaded");
	json_decref(b);
	return status;
}

// clang-format off
const struct command commands[] = {
	{ "status",   "",       0, 0, "how the server does", run_status },
	{ "targets",  "[NAME]", 0, 1, "the targets and their LUNs, or all about one", run_targets },
	{ "sessions", "",       0, 0, "who is logged in", run_sessions },
	{ "drop",     "TSIH",   1, 1, "close a session; its initiator may log in again", run_drop },
	{ "reload",   "",       0, 0, "have the configuration file read again", run_reload },
};
// clang-format on
const size_t command_count = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}
