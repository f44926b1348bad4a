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

#include "ctl/ask.h"
#include "ctl/audit.h"
#include "ctl/cartridges.h"
#include "ctl/connect.h"
#include "ctl/credentials.h"
#include "ctl/port_groups.h"
#include "ctl/stats.h"
#include "ctl/tapes.h"
#include "ctl/volumes.h"

/* --- status --------------------------------------------------------------------------------- */

static void print_portals(const json_t *portals)
{
	for (size_t i = 0; i < json_array_size(portals); i++) {
		const json_t *p = json_array_get(portals, i);
		const char *advertised = ask_text(p, "advertised");
		char text[512];

		snprintf(text, sizeof(text), "%s, group %u%s%s", ask_text(p, "address"),
			(unsigned)ask_number(p, "group"), advertised ? ", advertised as " : "",
			advertised ? advertised : "");
		ask_line(i ? "" : "portals", text);
	}
}

/* Where management is, beside this socket. */
static void print_http(const json_t *http)
{
	for (size_t i = 0; i < json_array_size(http); i++) {
		const json_t *h = json_array_get(http, i);
		const char *address = ask_text(h, "address");
		bool ipv6 = address && strchr(address, ':');
		char text[128];

		snprintf(text, sizeof(text), "http%s://%s%.80s%s:%u",
			json_is_true(json_object_get(h, "tls")) ? "s" : "", ipv6 ? "[" : "",
			address ? address : "-", ipv6 ? "]" : "", (unsigned)ask_number(h, "port"));
		ask_line(i ? "" : "management", text);
	}
}

static void print_gateway(const json_t *gateway)
{
	const char *state = ask_text(gateway, "state");

	if (state)
		printf("%-15s%s, %s%s\n", "gateway", ask_text(gateway, "id"), state,
			strcmp(state, "shut down") ? "" : ": nobody can log in");
}

static enum exit_status run_status(const struct session *s, char **args, int n)
{
	struct grid_text up;
	json_t *b;
	enum exit_status status = ask_server(s, "GET", "/v1/status", NULL, &b);

	(void)args;
	(void)n;
	if (!b)
		return status;
	printf("%-15s%s\n", "version", ask_text(b, "version"));
	printf("%-15s%u, up %s\n", "process", (unsigned)ask_number(b, "pid"),
		grid_time(ask_number(b, "uptime_ms"), &up));
	ask_line("configuration", ask_text(b, "config"));
	ask_line("state", ask_text(b, "state_dir"));
	print_portals(json_object_get(b, "portals"));
	print_http(json_object_get(b, "http"));
	print_gateway(json_object_get(b, "gateway"));
	printf("%-15s%u, with %u logical unit%s\n", "targets", (unsigned)ask_number(b, "targets"),
		(unsigned)ask_number(b, "units"), ask_number(b, "units") == 1 ? "" : "s");
	printf("%-15s%u, polling for up to %u us\n", "reactors",
		(unsigned)ask_number(b, "reactors"), (unsigned)ask_number(b, "poll_us"));
	ask_line("file I/O", ask_text(b, "file_io"));
	stats_print_traffic(json_object_get(b, "iscsi"));
	json_decref(b);
	return EXIT_DONE;
}

/* --- targets -------------------------------------------------------------------------------- */

static void add_lun(struct grid *g, const json_t *target, const json_t *lun, bool first)
{
	struct grid_text a, b;
	bool read_only = json_is_true(json_object_get(lun, "read_only"));
	const char *store = ask_text(lun, "store");

	grid_add(g, first ? ask_text(target, "name") : "");
	grid_add(g, first ? ask_text(target, "auth") : "");
	grid_add(g, grid_number(ask_number(lun, "lun"), &a));
	grid_add(g, ask_text(lun, "kind"));
	grid_add(g, store ? store : "");
	grid_add(g, store ? grid_size(ask_number(lun, "size"), &a) : "");
	grid_add(g, store ? grid_number(ask_number(lun, "block_size"), &b) : "");
	grid_add(g, read_only ? "read-only" : "");
	grid_add(g, ask_text(lun, "path") ? ask_text(lun, "path") : "");
}

static void add_target(struct grid *g, const json_t *target)
{
	const json_t *luns = json_object_get(target, "luns");
	const char *redirect = ask_text(target, "redirect");

	for (size_t i = 0; i < json_array_size(luns); i++)
		add_lun(g, target, json_array_get(luns, i), i == 0);
	if (json_array_size(luns))
		return;
	grid_add(g, ask_text(target, "name"));
	grid_add(g, ask_text(target, "auth"));
	for (int i = 0; i < 6; i++)
		grid_add(g, NULL);
	grid_add(g, redirect ? redirect : "");
}

static const char *const target_titles[] = { "TARGET", "AUTH", ">LUN", "KIND", "STORE", ">SIZE",
	">BLOCK", "MODE", "PATH", NULL };

static enum exit_status list_targets(const struct session *s)
{
	return ask_list(s, "/v1/targets",
		&(struct ask_list){ "targets", target_titles, add_target, "there are no targets" });
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
	const char *kind = ask_text(lun, "kind"), *store = ask_text(lun, "store");
	char title[16], text[80];
	struct grid_text size;

	snprintf(title, sizeof(title), "LUN %u", (unsigned)ask_number(lun, "lun"));
	snprintf(text, sizeof(text), "%s of %s in blocks of %u%s", kind,
		grid_size(ask_number(lun, "size"), &size), (unsigned)ask_number(lun, "block_size"),
		json_is_true(json_object_get(lun, "read_only")) ? ", read-only" : "");
	ask_line(title, store ? text : kind);
	if (store)
		ask_line("  store", ask_text(lun, "path") ? ask_text(lun, "path") : store);
	ask_line("  NAA", ask_text(lun, "naa"));
}

static enum exit_status show_target(const struct session *s, const char *name)
{
	char path[ASK_PATH_MAX] = "";
	json_t *b, *luns;
	enum exit_status status;

	if (!*name || !ask_path(path, "/v1/targets/", name))
		return ask_usage("that is not the name of a target");
	status = ask_server(s, "GET", path, NULL, &b);
	if (!b)
		return status;
	ask_line("target", ask_text(b, "name"));
	if (ask_text(b, "alias"))
		ask_line("alias", ask_text(b, "alias"));
	ask_line("authentication", ask_text(b, "auth"));
	print_groups(json_object_get(b, "portal_groups"));
	if (ask_text(b, "redirect"))
		ask_line("redirected to", ask_text(b, "redirect"));
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

static const char *const session_titles[] = { ">TSIH", "TARGET", "INITIATOR", "ADDRESS", "PORTAL",
	"AUTH", "USER", ">CONN", ">AGE", ">IDLE", ">WRITTEN", ">READ", NULL };

static void add_session(struct grid *g, const json_t *s)
{
	bool discovery = ask_text(s, "type") && !strcmp(ask_text(s, "type"), "discovery");
	const char *algorithm = ask_text(s, "algorithm");
	struct grid_text t;
	char auth[64];

	snprintf(auth, sizeof(auth), "%s%s%s", ask_text(s, "auth") ? ask_text(s, "auth") : "-",
		algorithm ? ", " : "", algorithm ? algorithm : "");
	grid_add(g, discovery ? "-" : grid_number(ask_number(s, "tsih"), &t));
	grid_add(g, discovery ? "(discovery)" : ask_text(s, "target"));
	grid_add(g, ask_text(s, "initiator"));
	grid_add(g, ask_text(s, "peer"));
	grid_add(g, ask_text(s, "local"));
	grid_add(g, auth);
	grid_add(g, ask_text(s, "user"));
	grid_add(g, grid_number(ask_number(s, "connections"), &t));
	grid_add(g, grid_time(ask_number(s, "age_ms"), &t));
	grid_add(g, grid_time(ask_number(s, "idle_ms"), &t));
	grid_add(g, grid_size(ask_number(s, "bytes_in"), &t));
	grid_add(g, grid_size(ask_number(s, "bytes_out"), &t));
}

static enum exit_status run_sessions(const struct session *s, char **args, int n)
{
	(void)args;
	(void)n;
	return ask_list(s, "/v1/sessions",
		&(struct ask_list){
			"sessions", session_titles, add_session, "there are no sessions" });
}

static enum exit_status run_drop(const struct session *s, char **args, int n)
{
	char path[ASK_PATH_MAX] = "";
	json_t *b;
	enum exit_status status;
	unsigned connections;

	(void)n;
	if (!*args[0] || strspn(args[0], "0123456789") != strlen(args[0]) ||
		!ask_path(path, "/v1/sessions/", args[0]))
		return ask_usage("drop takes the TSIH of a session, as `countersignctl sessions` "
				 "shows it");
	status = ask_server(s, "DELETE", path, NULL, &b);
	if (!b)
		return status;
	connections = (unsigned)ask_number(b, "connections");
	printf("session %s: %u connection%s closed\n", args[0], connections,
		connections == 1 ? "" : "s");
	json_decref(b);
	return EXIT_DONE;
}

/* --- reload --------------------------------------------------------------------------------- */

static enum exit_status run_reload(const struct session *s, char **args, int n)
{
	json_t *b, *changes;
	size_t n_changes;
	enum exit_status status = ask_server(s, "POST", "/v1/reload", NULL, &b);

	(void)args;
	(void)n;
	if (!b)
		return status;
	changes = json_object_get(b, "changes");
	n_changes = json_array_size(changes);
	for (size_t i = 0; i < n_changes; i++)
		puts(json_string_value(json_array_get(changes, i)));
	printf("the configuration has been reloaded%s\n",
		changes && !n_changes ? ": nothing in it has changed" : "");
	json_decref(b);
	return EXIT_DONE;
}

// clang-format off
const struct command commands[] = {
	{ "status",   "",       0, 0, "how the server does", run_status, NULL },
	{ "stats",    "",       0, 0, "what was done, at what cost, and by which target",
	  stats_show, NULL },
	{ "targets",  "[NAME]", 0, 1, "the targets and their LUNs, or all about one",
	  run_targets, NULL },
	{ "connect",  "TARGET", 1, 1, "what to type on a host to log in to a target",
	  connect_run, connect_options },
	{ "sessions", "",       0, 0, "who is logged in", run_sessions, NULL },
	{ "drop",     "TSIH",   1, 1, "close a session; its initiator may log in again",
	  run_drop, NULL },
	{ "credentials list",   "[SCOPE]",         0, 1, "who may log in where; never a secret",
	  credentials_list, NULL },
	{ "credentials set",    "SCOPE INITIATOR", 2, 2, "add a credential, or replace it",
	  credentials_set, credentials_set_options },
	{ "credentials delete", "SCOPE INITIATOR", 2, 2, "remove a credential",
	  credentials_delete, NULL },
	{ "credentials rotate", "SCOPE INITIATOR", 2, 2, "give it new secrets, and print them",
	  credentials_rotate, credentials_rotate_options },
	{ "volume list",   "",              0, 0, "the volumes made while the server ran",
	  volume_list, NULL },
	{ "volume create", "TARGET SIZE",   2, 2, "make a volume and serve it",
	  volume_create, volume_create_options },
	{ "volume resize", "VOLUME SIZE",   2, 2, "make a volume larger", volume_resize, NULL },
	{ "volume attach", "VOLUME [TARGET]", 1, 2, "serve a volume again",
	  volume_attach, volume_attach_options },
	{ "volume detach", "VOLUME",        1, 1, "serve a volume no longer, and keep it",
	  volume_detach, volume_force_options },
	{ "volume delete", "VOLUME",        1, 1, "remove a volume and all that is on it",
	  volume_delete, volume_force_options },
	{ "library list",   "",             0, 0, "the tape libraries", tapes_libraries, NULL },
	{ "library status", "NAME",         1, 1, "all about one", tapes_library_status, NULL },
	{ "library import", "TAPE",         1, 1, "move a cartridge from a mail slot to a slot",
	  tapes_library_import, NULL },
	{ "library export", "TAPE",         1, 1, "move a cartridge to a mail slot",
	  tapes_library_export, NULL },
	{ "library changer", "NAME CHANGER", 2, 2, "show hosts another model of media changer",
	  tapes_library_changer, NULL },
	{ "drive list",    "[LIBRARY]",     0, 1, "the tape drives", tapes_drives, NULL },
	{ "drive status",  "LIBRARY DRIVE", 2, 2, "all about one", tapes_drive_status, NULL },
	{ "drive stats",   "[LIBRARY]",     0, 1, "what they have read and written",
	  tapes_drive_stats, NULL },
	{ "drive load",    "LIBRARY DRIVE TAPE", 3, 3, "move a cartridge to the drive",
	  tapes_drive_load, NULL },
	{ "drive unload",  "LIBRARY DRIVE", 2, 2, "move what is in it back to its slot",
	  tapes_drive_unload, NULL },
	{ "tape list",     "[LIBRARY]",     0, 1, "the cartridges, and where they are",
	  tapes_list, NULL },
	{ "tape show",     "TAPE",          1, 1, "all about one", tapes_show, NULL },
	{ "tape create",   "TAPE",          1, 1, "make a cartridge of this barcode",
	  tapes_create, tapes_create_options },
	{ "tape delete",   "TAPE",          1, 1, "remove a cartridge and all that is on it",
	  tapes_delete, NULL },
	{ "tape load",     "TAPE [DRIVE]",  1, 2, "move it to a drive", tapes_load, NULL },
	{ "tape unload",   "TAPE",          1, 1, "move it from its drive back to its slot",
	  tapes_unload, NULL },
	{ "tape move",     "TAPE PLACE [NUMBER]", 2, 3, "move it: slot, drive or mail",
	  tapes_move, NULL },
	{ "tape archive",  "TAPE",          1, 1, "take it to the archive", tapes_archive, NULL },
	{ "tape retrieve", "TAPE",          1, 1, "bring it back from there",
	  tapes_retrieve, tapes_retrieve_options },
	{ "tape cancel",   "TAPE",          1, 1, "turn it back on its way to or from there",
	  tapes_cancel, NULL },
	{ "tape pool",     "TAPE POOL|none", 2, 2, "archive it when it comes into a mail slot",
	  tapes_pool, NULL },
	{ "tape protect",  "TAPE on|off",   2, 2, "set or clear its write protection",
	  tapes_protect, NULL },
	{ "tape verify",   "PATH...",       1, COMMAND_WORDS_MAX,
	  "read all that is on a cartridge no server has, and check it", cartridges_verify, NULL },
	{ "tape dump",     "PATH...",       1, COMMAND_WORDS_MAX,
	  "list its blocks and filemarks", cartridges_dump, NULL },
	{ "tape export",   "PATH FILE",     2, 2, "write it as a SIMH image (.tap)",
	  cartridges_export, cartridges_export_options },
	{ "tape import",   "PATH FILE",     2, 2, "append a SIMH image to it",
	  cartridges_import, cartridges_import_options },
	{ "port-group list", "",            0, 0, "the portal groups and their access states",
	  port_group_list, NULL },
	{ "port-group set", "GROUP STATE",  2, 2, "make a portal group active or passive",
	  port_group_set, NULL },
	{ "audit",    "",       0, 0, "who changed what, newest first", audit_list, audit_options },
	{ "rekey",    "",       0, 0, "encrypt the stored secrets under a new key", audit_rekey, NULL },
	{ "reload",   "",       0, 0, "have the configuration file read again", run_reload, NULL },
};
// clang-format on
const size_t command_count = sizeof(commands) / sizeof(commands[0]);

/* How many bytes of a command's name the words make; 0: they make another one. */
static size_t begins_with(const char *name, char **words, int n)
{
	const char *at = name;

	for (int i = 0; i < n; i++) {
		size_t len = strlen(words[i]);

		if (i && *at++ != ' ')
			return 0;
		if (!len || strncmp(at, words[i], len) != 0 || (at[len] && at[len] != ' '))
			return 0;
		at += len;
	}
	return (size_t)(at - name);
}

const struct command *command_find(char **words, int n)
{
	for (size_t i = 0; i < command_count; i++)
		if (begins_with(commands[i].name, words, n) == strlen(commands[i].name))
			return &commands[i];
	return NULL;
}

bool command_begins(char **words, int n)
{
	for (size_t i = 0; i < command_count; i++)
		if (begins_with(commands[i].name, words, n))
			return true;
	return false;
}

bool command_is_of(const struct command *c, char **words, int n)
{
	return !n || begins_with(c->name, words, n);
}

static const struct command_given *given(const struct session *s, const char *option)
{
	for (size_t i = s->n_given; i > 0; i--)
		if (!strcmp(s->given[i - 1].name, option))
			return &s->given[i - 1];
	return NULL;
}

bool command_has(const struct session *s, const char *option)
{
	return given(s, option);
}

const char *command_value(const struct session *s, const char *option)
{
	const struct command_given *g = given(s, option);

	return g ? g->value : NULL;
}
