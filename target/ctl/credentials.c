/* SPDX-License-Identifier: BSD-2-Clause */
/* Credentials: who may log in, and the secrets by which they prove it. */
#include "ctl/credentials.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/ask.h"
#include "ctl/prompt.h"

const struct command_option credentials_set_options[] = {
	{ "user", "NAME", "the user name to expect; default the initiator's own" },
	{ "secret-file", "FILE", "the initiator's secret is in it; - is standard input" },
	{ "mutual", NULL, "the target proves itself, too, by a secret of its own" },
	{ "target-user", "NAME", "the user name that it does so under; default its own" },
	{ "target-secret-file", "FILE", "the target's secret is in it" },
	{ "generate", NULL, "the server makes the secrets, and they are printed once" },
	{ "address", "RANGE", "log in from here alone; may be repeated" },
	{ "type", "WORD", "chap, or none or deny, which take no secret" },
	{ 0 },
};

const struct command_option credentials_rotate_options[] = {
	{ "mutual", NULL, "a new secret of the target, too" },
	{ "grace", "TIME",
		"take the old secrets, too, for so long (90s, 5m, 2h, 1d);\n"
		"connections stay then" },
	{ 0 },
};

/* --- paths ---------------------------------------------------------------------------------- */

/* The path of a scope, or of a row in it, or of a verb of that row (each may be NULL from there on).
 * False after a word on what is wrong. */
static bool path_to(char *path, const char *scope, const char *initiator, const char *verb)
{
	bool ok = true;

	path[0] = '\0';
	if (!strcmp(scope, "discovery"))
		ok = ask_path(path, "/v1/discovery", "");
	else if (!strncmp(scope, "svm:", 4) && scope[4])
		ok = ask_path(path, "/v1/svms/", scope + 4);
	else if (*scope && strncmp(scope, "svm:", 4) != 0)
		ok = ask_path(path, "/v1/targets/", scope);
	else
		ok = false;
	ok = ok && ask_path(path, "/credentials", "");
	if (initiator)
		ok = ok && *initiator && ask_path(path, "/", initiator);
	if (verb)
		ok = ok && ask_path(path, "/", verb);
	if (!ok)
		ask_usage("a credential is named by a scope (a target, svm:NAME or discovery) and "
			  "an initiator");
	return ok;
}

/* --- list ----------------------------------------------------------------------------------- */

static const char *const titles[] = { "SCOPE", "INITIATOR", "TYPE", "USER", "TARGET USER",
	"ADDRESSES", "GRACE", "FROM", "BY", NULL };

static char *joined(const json_t *list)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	for (size_t i = 0; to && i < json_array_size(list); i++)
		fprintf(to, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
	if (to)
		fclose(to);
	return text;
}

static void scope_text(const json_t *row, char *out, size_t size)
{
	const char *scope = ask_text(row, "scope"), *name = ask_text(row, "name");
	bool svm = scope && !strcmp(scope, "svm");

	snprintf(out, size, "%s%s", svm ? "svm:" : "", name ? name : "discovery");
}

static void add_row(struct grid *g, const json_t *row)
{
	bool mutual = json_is_true(json_object_get(row, "mutual"));
	char *addresses = joined(json_object_get(row, "addresses"));
	uint64_t until = ask_number(row, "grace_until"), now = (uint64_t)time(NULL);
	struct grid_text t;
	char scope[320];

	scope_text(row, scope, sizeof(scope));
	grid_add(g, scope);
	grid_add(g, ask_text(row, "initiator"));
	grid_add(g, mutual ? "mutual chap" : ask_text(row, "type"));
	grid_add(g, ask_text(row, "user"));
	grid_add(g, ask_text(row, "target_user"));
	grid_add(g, addresses && *addresses ? addresses : NULL);
	grid_add(g, until > now ? grid_time((until - now) * 1000, &t) : NULL);
	grid_add(g, ask_text(row, "origin"));
	grid_add(g, ask_text(row, "written_by"));
	free(addresses);
}

enum exit_status credentials_list(const struct session *s, char **args, int n)
{
	char path[ASK_PATH_MAX] = "/v1/credentials";

	if (n && !path_to(path, args[0], NULL, NULL))
		return EXIT_USAGE;
	return ask_list(s, path,
		&(struct ask_list){ "credentials", titles, add_row, "there are no credentials" });
}

/* --- what came of a change ------------------------------------------------------------------ */

static void print_until(const json_t *row)
{
	time_t until = (time_t)ask_number(row, "grace_until");
	struct tm local;
	char when[32];

	if (!until || !localtime_r(&until, &local) ||
		!strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &local))
		return;
	printf("%-15suntil %s the old secrets are taken, too\n", "grace", when);
}

static enum exit_status print_change(enum exit_status status, json_t *b, const char *what)
{
	unsigned closed = (unsigned)ask_number(b, "connections_closed");

	if (!b)
		return status;
	if (ask_text(b, "secret"))
		ask_line("secret", ask_text(b, "secret"));
	if (ask_text(b, "target_secret"))
		ask_line("target secret", ask_text(b, "target_secret"));
	print_until(json_object_get(b, "credential"));
	printf("%s, %u connection%s closed\n", what, closed, closed == 1 ? "" : "s");
	json_decref(b);
	return EXIT_DONE;
}

/* --- set ------------------------------------------------------------------------------------ */

static bool put_text(json_t *body, const char *name, const char *text)
{
	return !text || !json_object_set_new(body, name, json_string(text));
}

static bool put_addresses(json_t *body, const struct session *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n_given; i++)
		if (!strcmp(s->given[i].name, "address") &&
			json_array_append_new(list, json_string(s->given[i].value))) {
			json_decref(list);
			return false;
		}
	return !json_object_set_new(body, "addresses", list);
}

static bool put_secret(json_t *body, const char *name, const struct prompt_secret *secret)
{
	json_t *j = json_stringn(secret->bytes, secret->len);

	if (!j)
		fputs("countersignctl: a secret is UTF-8 text\n", stderr);
	return j && !json_object_set_new(body, name, j);
}

/* From the file, if there is one; else from the terminal; else a line of standard input. */
static bool get_secret(const char *file, const char *what, struct prompt_secret *out)
{
	if (file)
		return prompt_file(file, out);
	return isatty(STDIN_FILENO) ? prompt_ask(what, out) : prompt_line(what, out);
}

static bool put_secrets(json_t *body, const struct session *s)
{
	const char *file = command_value(s, "secret-file"),
		   *target_file = command_value(s, "target-secret-file");
	bool mutual = target_file || command_has(s, "mutual");
	struct prompt_secret secret;
	bool ok = get_secret(file, "secret of the initiator", &secret) &&
		  put_secret(body, "secret", &secret);

	if (ok && mutual)
		ok = get_secret(target_file, "secret of the target", &secret) &&
		     put_secret(body, "target_secret", &secret);
	prompt_wipe(&secret);
	return ok;
}

/* What the server is to make of it; false after a word on what is wrong. */
static bool fill_body(json_t *body, const struct session *s)
{
	const char *type = command_value(s, "type");

	if (!put_text(body, "type", type) || !put_text(body, "user", command_value(s, "user")) ||
		!put_text(body, "target_user", command_value(s, "target-user")) ||
		!put_addresses(body, s)) {
		fputs("countersignctl: names and addresses are UTF-8 text\n", stderr);
		return false;
	}
	if (command_has(s, "generate"))
		return !json_object_set_new(body, "generate", json_true()) &&
		       !json_object_set_new(body, "mutual", json_boolean(command_has(s, "mutual")));
	return (type && strcmp(type, "chap") != 0) || put_secrets(body, s);
}

static const char *contradiction(const struct session *s)
{
	const char *type = command_value(s, "type");
	bool files = command_has(s, "secret-file") || command_has(s, "target-secret-file");

	if (type && (files || command_has(s, "mutual") || command_has(s, "generate"))) {
		if (!strcmp(type, "none"))
			return "--type none takes no secret: it lets the initiator in without one";
		if (!strcmp(type, "deny"))
			return "--type deny takes no secret";
	}
	if (command_has(s, "generate") && files)
		return "--generate makes the secrets: no file is read for them";
	if (command_value(s, "secret-file") && command_value(s, "target-secret-file") &&
		!strcmp(command_value(s, "secret-file"), "-") &&
		!strcmp(command_value(s, "target-secret-file"), "-"))
		return "standard input cannot be both secrets; without either option it gives them "
		       "line by line";
	return NULL;
}

enum exit_status credentials_set(const struct session *s, char **args, int n)
{
	const char *wrong = contradiction(s);
	char path[ASK_PATH_MAX];
	enum exit_status status = EXIT_USAGE;
	json_t *b = NULL, *body;

	(void)n;
	if (wrong)
		return ask_usage("%s", wrong);
	if (!path_to(path, args[0], args[1], NULL))
		return EXIT_USAGE;
	body = json_object();
	if (fill_body(body, s))
		status = ask_server(s, "PUT", path, body, &b);
	json_decref(body);
	return print_change(status, b, "set");
}

enum exit_status credentials_delete(const struct session *s, char **args, int n)
{
	char path[ASK_PATH_MAX];
	enum exit_status status;
	json_t *b;

	(void)n;
	if (!path_to(path, args[0], args[1], NULL))
		return EXIT_USAGE;
	status = ask_server(s, "DELETE", path, NULL, &b);
	return print_change(status, b, "deleted");
}

/* --- rotate --------------------------------------------------------------------------------- */

bool credentials_seconds(const char *text, long *out)
{
	static const struct {
		char unit;
		long seconds;
	} units[] = { { '\0', 1 }, { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t digits = strspn(text, "0123456789");
	long n;

	if (digits == 0 || digits > 9 || (text[digits] && text[digits + 1]))
		return false;
	n = strtol(text, NULL, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].unit != text[digits])
			continue;
		*out = n * units[i].seconds;
		return true;
	}
	return false;
}

enum exit_status credentials_rotate(const struct session *s, char **args, int n)
{
	const char *text = command_value(s, "grace");
	char path[ASK_PATH_MAX];
	enum exit_status status;
	long grace = 0;
	json_t *b, *body;

	(void)n;
	if (text && (!credentials_seconds(text, &grace) || !grace))
		return ask_usage("--grace takes a time, as 90s, 5m, 2h or 1d");
	if (!path_to(path, args[0], args[1], "rotate"))
		return EXIT_USAGE;
	body = json_pack(
		"{s:b, s:I}", "mutual", (int)command_has(s, "mutual"), "grace", (json_int_t)grace);
	status = ask_server(s, "POST", path, body, &b);
	json_decref(body);
	return print_change(status, b, "rotated");
}
