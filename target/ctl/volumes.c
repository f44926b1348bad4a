/* SPDX-License-Identifier: BSD-2-Clause */
/* Volumes: made, made larger, moved and removed while the server runs. */
#include "ctl/volumes.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ctl/ask.h"
#include "ctl/number.h"

const struct command_option volume_create_options[] = {
	{ "pool", "NAME", "where its file is to be; the first pool unless given" },
	{ "lun", "N", "the lowest that is free unless given" },
	{ "block-size", "BYTES", "512 or 4096; 512 unless given" },
	{ 0 },
};
const struct command_option volume_attach_options[] = {
	{ "lun", "N", "the lowest that is free unless given" },
	{ 0 },
};
const struct command_option volume_force_options[] = {
	{ "force", NULL, "also while initiators are logged in" },
	{ 0 },
};

/* Adds the value of an option, if it was given, as the member of a body. */
static bool add_option(const struct session *s, json_t *body, const char *option, const char *member)
{
	const char *value = command_value(s, option);
	int64_t n;

	if (!value)
		return true;
	return number_read(value, false, &n) &&
	       !json_object_set_new(body, member, json_integer(n));
}

/* --- looking -------------------------------------------------------------------------------- */

static const char *const titles[] = { "VOLUME", "STATE", "TARGET", ">LUN", ">SIZE", ">BLOCK",
	"POOL OR DISK", "TROUBLE", NULL };

static void add_volume(struct grid *g, const json_t *v)
{
	struct grid_text t;

	grid_add(g, ask_text(v, "id"));
	grid_add(g, ask_text(v, "state"));
	grid_add(g, ask_text(v, "target"));
	grid_add(g, grid_number(ask_number(v, "lun"), &t));
	grid_add(g, grid_size(ask_number(v, "size"), &t));
	grid_add(g, grid_number(ask_number(v, "block_size"), &t));
	grid_add(g, ask_text(v, ask_text(v, "pool") ? "pool" : "disk"));
	grid_add(g, ask_text(v, "trouble") ? ask_text(v, "trouble") : "");
}

enum exit_status volume_list(const struct session *s, char **args, int n)
{
	(void)args;
	(void)n;
	return ask_list(s, "/v1/volumes",
		&(struct ask_list){ "volumes", titles, add_volume, "there are no volumes" });
}

/* --- changing ------------------------------------------------------------------------------- */

static void print_volume(const json_t *v, const char *what)
{
	struct grid_text size;

	printf("volume %s %s: LUN %u of %s, %s\n", ask_text(v, "id"), what,
		(unsigned)ask_number(v, "lun"), ask_text(v, "target"),
		grid_size(ask_number(v, "size"), &size));
}

/* A target that came with the volume is open, which may not be what was meant. */
static void warn_of_open(const struct session *s, const char *target)
{
	char path[ASK_PATH_MAX] = "";
	const char *auth;
	json_t *b = NULL;

	if (!target || !ask_path(path, "/v1/targets/", target))
		return;
	ask_server(s, "GET", path, NULL, &b);
	auth = b ? ask_text(b, "auth") : NULL;
	if (auth && !strcmp(auth, "none"))
		printf("anybody may log in to %s until it has a credential:\n"
		       "    countersignctl credentials set --generate %s INITIATOR\n",
			target, target);
	json_decref(b);
}

/* Asks, and says what has been done. `body` is taken over. */
static enum exit_status ask(const struct session *s, const char *method, const char *path,
	json_t *body, const char *what)
{
	json_t *b;
	enum exit_status status = ask_server(s, method, path, body, &b);

	json_decref(body);
	if (b)
		print_volume(b, what);
	if (b && !strcmp(what, "made"))
		warn_of_open(s, ask_text(b, "target"));
	json_decref(b);
	return status;
}

/* How many volumes of the list a target has; the id of the last of them. */
static size_t volumes_of(const json_t *list, const char *target, char *id, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);

		if (!ask_text(v, "target") || !ask_text(v, "id") ||
			strcasecmp(ask_text(v, "target"), target) != 0)
			continue;
		snprintf(id, room, "%s", ask_text(v, "id"));
		n++;
	}
	return n;
}

/* The path of a volume, which goes by the name of its target as well, if that has no other. What is
 * wrong is said. */
static enum exit_status path_of(
	const struct session *s, char path[static ASK_PATH_MAX], const char *name)
{
	struct session quiet = *s;
	char id[64] = "";
	json_t *b = NULL;
	size_t n = 0;

	*path = '\0';
	quiet.json = false;
	if (strchr(name, '.') && ask_server(&quiet, "GET", "/v1/volumes", NULL, &b) == EXIT_DONE) {
		n = volumes_of(json_object_get(b, "volumes"), name, id, sizeof(id));
		json_decref(b);
	}
	if (n > 1)
		return ask_usage("%s has %zu volumes: say which, as `countersignctl volume list` "
				 "names them",
			name, n);
	if (!*name || !ask_path(path, "/v1/volumes/", n ? id : name))
		return ask_usage("that is not the name of a volume");
	return EXIT_DONE;
}

static enum exit_status bad_option(json_t *body)
{
	json_decref(body);
	return ask_usage("--lun and --block-size take a number");
}

enum exit_status volume_create(const struct session *s, char **args, int n)
{
	const char *pool = command_value(s, "pool");
	int64_t size;
	json_t *body;

	(void)n;
	if (!ask_size(args[1], &size))
		return EXIT_USAGE;
	body = json_pack("{s:s, s:I, s:s*}", "target", args[0], "size", (json_int_t)size, "pool", pool);
	if (!body)
		return ask_usage("the names are not UTF-8");
	if (!add_option(s, body, "lun", "lun") || !add_option(s, body, "block-size", "block_size"))
		return bad_option(body);
	return ask(s, "POST", "/v1/volumes", body, "made");
}

enum exit_status volume_resize(const struct session *s, char **args, int n)
{
	char path[ASK_PATH_MAX];
	int64_t size;
	enum exit_status status;

	(void)n;
	if (!ask_size(args[1], &size))
		return EXIT_USAGE;
	status = path_of(s, path, args[0]);
	if (status)
		return status;
	return ask(s, "PATCH", path, json_pack("{s:I}", "size", (json_int_t)size), "resized");
}

enum exit_status volume_attach(const struct session *s, char **args, int n)
{
	char path[ASK_PATH_MAX];
	enum exit_status status = path_of(s, path, args[0]);
	json_t *body;

	if (status)
		return status;
	body = json_pack("{s:s*}", "target", n > 1 ? args[1] : NULL);
	if (!body || !ask_path(path, "/attach", "")) {
		json_decref(body);
		return ask_usage("the names are too long, or not UTF-8");
	}
	if (!add_option(s, body, "lun", "lun"))
		return bad_option(body);
	return ask(s, "POST", path, body, "attached");
}

enum exit_status volume_detach(const struct session *s, char **args, int n)
{
	char path[ASK_PATH_MAX];
	enum exit_status status = path_of(s, path, args[0]);

	(void)n;
	if (status)
		return status;
	if (!ask_path(path, "/detach", ""))
		return ask_usage("that is not the name of a volume");
	return ask(s, "POST", path, json_pack("{s:b}", "force", command_has(s, "force")),
		"detached");
}

enum exit_status volume_delete(const struct session *s, char **args, int n)
{
	char path[ASK_PATH_MAX];
	enum exit_status status = path_of(s, path, args[0]);

	(void)n;
	if (status)
		return status;
	if (command_has(s, "force") && !ask_path(path, "?force=true", ""))
		return ask_usage("that is not the name of a volume");
	return ask(s, "DELETE", path, NULL, "deleted");
}
