/* SPDX-License-Identifier: BSD-2-Clause */
/* Tape libraries: what is where, and changes by an operator. */
#include "ctl/tapes.h"

#include <stdio.h>
#include <string.h>

#include "ctl/ask.h"
#include "ctl/number.h"
#include "vtl/media.h"

const struct command_option tapes_create_options[] = {
	{ "library", "NAME", "where it is to be, if there are several libraries" },
	{ "size", "SIZE", "what it holds; as its generation does unless given" },
	{ "generation", "N", "LTO; as the end of its barcode says, or the drives, unless given" },
	{ "worm", NULL, "what is written on it stays" },
	{ "cleaning", NULL,
		"a cleaning cartridge, as CLN at the beginning of a barcode says, too" },
	{ "existing", NULL, "take up the cartridge of that name in the library's path" },
	{ "mail", NULL, "put it into a mail slot, not a slot" },
	{ "pool", "NAME", "it is archived when it comes into a mail slot" },
	{ 0 },
};
const struct command_option tapes_retrieve_options[] = {
	{ "write-protect", NULL, "with its tab set" },
	{ 0 },
};

/* --- words ---------------------------------------------------------------------------------- */

static bool is_set(const json_t *o, const char *name)
{
	return json_is_true(json_object_get(o, name));
}

struct words {
	char text[64];
};

/* "slot 3", "drive 1", "archive". */
static const char *place_words(const json_t *tape, struct words *out)
{
	const json_t *place = json_object_get(tape, "place");
	const char *kind = ask_text(place, "kind");
	unsigned number = (unsigned)ask_number(place, "number");

	if (number)
		snprintf(out->text, sizeof(out->text), "%s %u", kind ? kind : "-", number);
	else
		snprintf(out->text, sizeof(out->text), "%s", kind ? kind : "-");
	return out->text;
}

/* "AVAILABLE", "ARCHIVING 40%". */
static const char *state_words(const json_t *tape, struct words *out)
{
	const json_t *progress = json_object_get(tape, "progress");

	if (json_is_integer(progress))
		snprintf(out->text, sizeof(out->text), "%s %u%%", ask_text(tape, "state"),
			(unsigned)json_integer_value(progress));
	else
		snprintf(out->text, sizeof(out->text), "%s", ask_text(tape, "state"));
	return out->text;
}

/* A server that does not say it is an older one. */
static bool is_unreadable(const json_t *tape)
{
	return json_is_false(json_object_get(tape, "readable"));
}

/* "worm, write-protected". */
static const char *tape_words(const json_t *tape, struct words *out)
{
	const char *const words[] = {
		is_set(tape, "cleaning") ? "cleaning" : NULL,
		is_set(tape, "worm") ? "worm" : NULL,
		is_set(tape, "write_protect") ? "write-protected" : NULL,
		is_unreadable(tape) ? "no drive reads it" : NULL,
	};
	size_t n = 0;

	*out->text = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i])
			n += (size_t)snprintf(out->text + n, sizeof(out->text) - n, "%s%s",
				n ? ", " : "", words[i]);
	return out->text;
}

/* --- libraries ------------------------------------------------------------------------------ */

static const char *const library_titles[] = { "LIBRARY", "CHANGER", ">DRIVES", ">SLOTS", ">MAIL",
	">TAPES", ">ARCHIVED", ">MOVES", "STATE", "TARGET", NULL };

static void add_library(struct grid *g, const json_t *l)
{
	struct grid_text t;

	grid_add(g, ask_text(l, "name"));
	grid_add(g, ask_text(l, "changer"));
	grid_add(g, grid_number(ask_number(l, "drives"), &t));
	grid_add(g, grid_number(ask_number(l, "slots"), &t));
	grid_add(g, grid_number(ask_number(l, "mail_slots"), &t));
	grid_add(g, grid_number(ask_number(l, "tapes"), &t));
	grid_add(g, grid_number(ask_number(l, "archived"), &t));
	grid_add(g, grid_number(ask_number(l, "moves"), &t));
	grid_add(g, !is_set(l, "ready")   ? "getting ready"
		    : is_set(l, "locked") ? "locked"
					  : "ready");
	grid_add(g, ask_text(l, "target"));
}

enum exit_status tapes_libraries(const struct session *s, char **args, int n)
{
	(void)args;
	(void)n;
	return ask_list(s, "/v1/libraries",
		&(struct ask_list){
			"libraries", library_titles, add_library, "there are no libraries" });
}

static bool path_of(
	char path[static ASK_PATH_MAX], const char *base, const char *name, const char *tail)
{
	*path = '\0';
	return *name && ask_path(path, base, name) && ask_path(path, tail, "");
}

static void print_library(const json_t *l)
{
	struct grid_text a, b;
	char text[200];

	snprintf(text, sizeof(text), "%s %s, revision %s, serial number %s", ask_text(l, "vendor"),
		ask_text(l, "product"), ask_text(l, "revision"), ask_text(l, "serial"));
	ask_line("library", ask_text(l, "name"));
	ask_line("changer", text);
	ask_line("target", ask_text(l, "target"));
	ask_line("path", ask_text(l, "path"));
	ask_line("archive", ask_text(l, "archive"));
	printf("%-15s%u drives, %u slots, %u mail slots\n", "places",
		(unsigned)ask_number(l, "drives"), (unsigned)ask_number(l, "slots"),
		(unsigned)ask_number(l, "mail_slots"));
	printf("%-15s%u, and %u in the archive\n", "cartridges", (unsigned)ask_number(l, "tapes"),
		(unsigned)ask_number(l, "archived"));
	printf("%-15s%s, and %s failed\n", "moves", grid_number(ask_number(l, "moves"), &a),
		grid_number(ask_number(l, "failures"), &b));
	if (!is_set(l, "ready"))
		ask_line("state", "getting ready");
	else
		ask_line("mail slots", is_set(l, "locked") ? "locked by a host" : "open");
}

/* What is on its cartridges, those in the archive too, and what they hold at most. */
static void print_space(const struct session *s, const char *library)
{
	char path[ASK_PATH_MAX];
	uint64_t used = 0, size = 0;
	struct grid_text a, b;
	const json_t *tapes;
	json_t *answer = NULL;

	if (!path_of(path, "/v1/libraries/", library, "/tapes") ||
		ask_server(s, "GET", path, NULL, &answer) != EXIT_DONE)
		return;
	tapes = json_object_get(answer, "tapes");
	for (size_t i = 0; i < json_array_size(tapes); i++) {
		used += ask_number(json_array_get(tapes, i), "used");
		size += ask_number(json_array_get(tapes, i), "size");
	}
	printf("%-15s%s used of %s\n", "space", grid_size(used, &a), grid_size(size, &b));
	json_decref(answer);
}

enum exit_status tapes_library_status(const struct session *s, char **args, int n)
{
	char path[ASK_PATH_MAX];
	enum exit_status status;

	(void)n;
	if (!path_of(path, "/v1/libraries/", args[0], ""))
		return ask_usage("that is not the name of a library");
	status = ask_show(s, path, print_library);
	if (status == EXIT_DONE && !s->json)
		print_space(s, args[0]);
	return status;
}

/* --- drives --------------------------------------------------------------------------------- */

static enum exit_status list_drives(const struct session *s, const char *const *titles, char **args,
	int n, void (*add)(struct grid *g, const json_t *drive))
{
	char path[ASK_PATH_MAX] = "/v1/drives";

	if (n && !path_of(path, "/v1/libraries/", args[0], "/drives"))
		return ask_usage("that is not the name of a library");
	return ask_list(
		s, path, &(struct ask_list){ "drives", titles, add, "there are no drives" });
}

static const char *const drive_titles[] = { "LIBRARY", ">DRIVE", "STATE", "TAPE", "PRODUCT",
	"SERIAL", ">LUN", "TARGET", NULL };

static void add_drive(struct grid *g, const json_t *d)
{
	struct grid_text t;

	grid_add(g, ask_text(d, "library"));
	grid_add(g, grid_number(ask_number(d, "drive"), &t));
	grid_add(g, ask_text(d, "state"));
	grid_add(g, ask_text(d, "barcode") ? ask_text(d, "barcode") : "");
	grid_add(g, ask_text(d, "product"));
	grid_add(g, ask_text(d, "serial"));
	grid_add(g, grid_number(ask_number(d, "lun"), &t));
	grid_add(g, ask_text(d, "target"));
}

enum exit_status tapes_drives(const struct session *s, char **args, int n)
{
	return list_drives(s, drive_titles, args, n, add_drive);
}

static const char *const stats_titles[] = { "LIBRARY", ">DRIVE", ">LOADS", ">WRITTEN", ">ON TAPE",
	">READ", ">BLOCKS WRITTEN", ">BLOCKS READ", ">FILEMARKS", ">ERRORS", NULL };

static void add_stats(struct grid *g, const json_t *d)
{
	const json_t *total = json_object_get(d, "total");
	struct grid_text t;

	grid_add(g, ask_text(d, "library"));
	grid_add(g, grid_number(ask_number(d, "drive"), &t));
	grid_add(g, grid_number(ask_number(d, "loads"), &t));
	grid_add(g, grid_size(ask_number(total, "host_written"), &t));
	grid_add(g, grid_size(ask_number(total, "medium_written"), &t));
	grid_add(g, grid_size(ask_number(total, "host_read"), &t));
	grid_add(g, grid_number(ask_number(total, "blocks_written"), &t));
	grid_add(g, grid_number(ask_number(total, "blocks_read"), &t));
	grid_add(g, grid_number(ask_number(total, "filemarks_written"), &t));
	grid_add(
		g, grid_number(ask_number(total, "write_errors") + ask_number(total, "read_errors"),
			   &t));
}

enum exit_status tapes_drive_stats(const struct session *s, char **args, int n)
{
	return list_drives(s, stats_titles, args, n, add_stats);
}

static void print_position(const json_t *p)
{
	struct grid_text object, file, used, capacity;

	printf("%-15spartition %u, object %s, behind %s filemarks\n", "position",
		(unsigned)ask_number(p, "partition"), grid_number(ask_number(p, "object"), &object),
		grid_number(ask_number(p, "file"), &file));
	printf("%-15s%s of %s\n", "used", grid_size(ask_number(p, "used"), &used),
		grid_size(ask_number(p, "capacity"), &capacity));
}

static void print_drive(const json_t *d)
{
	const json_t *load = json_object_get(d, "load");
	struct grid_text written, medium, read;
	char text[200];

	snprintf(text, sizeof(text), "%u of library %s", (unsigned)ask_number(d, "drive"),
		ask_text(d, "library"));
	ask_line("drive", text);
	snprintf(text, sizeof(text), "%s %s, revision %s, serial number %s", ask_text(d, "vendor"),
		ask_text(d, "product"), ask_text(d, "revision"), ask_text(d, "serial"));
	ask_line("product", text);
	snprintf(text, sizeof(text), "%s, LUN %u", ask_text(d, "target"),
		(unsigned)ask_number(d, "lun"));
	ask_line("target", text);
	ask_line("state", ask_text(d, "state"));
	ask_line("cartridge", ask_text(d, "barcode"));
	ask_line("removal", is_set(d, "prevented") ? "prevented by a host" : "allowed");
	ask_line("compression", is_set(d, "compression") ? "on" : "off");
	if (!json_is_object(load))
		return;
	ask_line("writing", is_set(d, "write_protect") ? "protected" : "allowed");
	print_position(json_object_get(d, "position"));
	printf("%-15s%s written, %s of them on tape; %s read\n", "since load",
		grid_size(ask_number(load, "host_written"), &written),
		grid_size(ask_number(load, "medium_written"), &medium),
		grid_size(ask_number(load, "host_read"), &read));
}

static bool drive_path(char path[static ASK_PATH_MAX], char **args)
{
	return path_of(path, "/v1/libraries/", args[0], "/drives/") && *args[1] &&
	       ask_path(path, "", args[1]);
}

enum exit_status tapes_drive_status(const struct session *s, char **args, int n)
{
	char path[ASK_PATH_MAX];

	(void)n;
	return drive_path(path, args) ? ask_show(s, path, print_drive)
				      : ask_usage("say which library, and which of its drives");
}

/* --- cartridges ----------------------------------------------------------------------------- */

static const char *const tape_titles[] = { "TAPE", "LIBRARY", "PLACE", "STATE", "MEDIUM", ">SIZE",
	">USED", "POOL", "NOTES", NULL };

static void add_tape(struct grid *g, const json_t *t)
{
	struct grid_text size;
	struct words w;

	grid_add(g, ask_text(t, "barcode"));
	grid_add(g, ask_text(t, "library"));
	grid_add(g, place_words(t, &w));
	grid_add(g, state_words(t, &w));
	grid_add(g, ask_text(t, "medium"));
	grid_add(g, grid_size(ask_number(t, "size"), &size));
	grid_add(g, grid_size(ask_number(t, "used"), &size));
	grid_add(g, ask_text(t, "pool") ? ask_text(t, "pool") : "");
	grid_add(g, tape_words(t, &w));
}

enum exit_status tapes_list(const struct session *s, char **args, int n)
{
	char path[ASK_PATH_MAX] = "/v1/tapes";

	if (n && !path_of(path, "/v1/libraries/", args[0], "/tapes"))
		return ask_usage("that is not the name of a library");
	return ask_list(s, path,
		&(struct ask_list){ "tapes", tape_titles, add_tape, "there are no cartridges" });
}

static void print_tape(const json_t *t)
{
	struct grid_text size, used;
	struct words w;

	ask_line("cartridge", ask_text(t, "barcode"));
	ask_line("library", ask_text(t, "library"));
	ask_line("place", place_words(t, &w));
	ask_line("state", state_words(t, &w));
	ask_line("medium", ask_text(t, "medium"));
	ask_line("notes", *tape_words(t, &w) ? w.text : NULL);
	printf("%-15s%s of %s\n", "used", grid_size(ask_number(t, "used"), &used),
		grid_size(ask_number(t, "size"), &size));
	ask_line("pool", ask_text(t, "pool"));
}

enum exit_status tapes_show(const struct session *s, char **args, int n)
{
	char path[ASK_PATH_MAX];

	(void)n;
	return path_of(path, "/v1/tapes/", args[0], "") ? ask_show(s, path, print_tape)
							: ask_usage("that is not a barcode");
}

/* Asks for a change of a cartridge, and says where it is then. `body` is taken over. */
static enum exit_status change(const struct session *s, const char *method, const char *barcode,
	const char *tail, json_t *body)
{
	char path[ASK_PATH_MAX];
	enum exit_status status;
	struct words w, notes;
	json_t *b;

	if (!path_of(path, "/v1/tapes/", barcode, tail)) {
		json_decref(body);
		return ask_usage("that is not a barcode");
	}
	status = ask_server(s, method, path, body, &b);
	json_decref(body);
	if (b)
		printf("cartridge %s: %s, %s%s%s%s%s\n", ask_text(b, "barcode"), place_words(b, &w),
			ask_text(b, "state"), *tape_words(b, &notes) ? ", " : "", notes.text,
			ask_text(b, "pool") ? ", pool " : "",
			ask_text(b, "pool") ? ask_text(b, "pool") : "");
	json_decref(b);
	return status;
}

/* The library that is meant where none was named: the only one. False: that has been said. */
static bool find_library(const struct session *s, struct words *out, enum exit_status *status)
{
	const struct session quiet = { .socket = s->socket };
	const json_t *list;
	json_t *b;

	*status = ask_server(&quiet, "GET", "/v1/libraries", NULL, &b);
	list = json_object_get(b, "libraries");
	if (b && json_array_size(list) != 1)
		*status = ask_usage(
			"there is not one library, but %zu: say which", json_array_size(list));
	else if (b)
		snprintf(out->text, sizeof(out->text) - 1, "%s",
			ask_text(json_array_get(list, 0), "name"));
	json_decref(b);
	return *status == EXIT_DONE;
}

struct new_tape {
	const char *barcode;
	int64_t size, generation; /* 0: as it comes */
};

/* A label for a generation that is not known, such as L2 or M8 for "LTO-5". */
static bool is_misread(const char *barcode)
{
	const char *end = barcode + strlen(barcode) - 2;
	bool worm;

	return !media_suffix(end, &worm) &&
	       (!strcmp(end, "M8") || (end[0] == 'L' && end[1] >= '0' && end[1] <= '9'));
}

static void warn(const json_t *made, const struct new_tape *asked)
{
	const char *medium = ask_text(made, "medium"), *barcode = ask_text(made, "barcode");

	if (is_unreadable(made))
		fprintf(stderr, "countersignctl: no drive of library %s reads %s\n",
			ask_text(made, "library"), medium);
	if (!asked->generation && !is_set(made, "cleaning") && is_misread(barcode))
		fprintf(stderr,
			"countersignctl: %s is of no generation that is known: this is %s\n",
			barcode + strlen(barcode) - 2, medium);
}

static enum exit_status create_in(
	const struct session *s, const char *library, const struct new_tape *tape)
{
	char path[ASK_PATH_MAX];
	enum exit_status status;
	struct grid_text size;
	struct words w;
	json_t *b, *body = json_pack("{s:s, s:I, s:I, s:b, s:b, s:b, s:s, s:s*}", "barcode",
			   tape->barcode, "size", (json_int_t)tape->size, "generation",
			   (json_int_t)tape->generation, "worm", command_has(s, "worm"), "cleaning",
			   command_has(s, "cleaning"), "existing", command_has(s, "existing"), "to",
			   command_has(s, "mail") ? "mail slot" : "slot", "pool",
			   command_value(s, "pool"));

	if (!body || !path_of(path, "/v1/libraries/", library, "/tapes")) {
		json_decref(body);
		return ask_usage("that is not the name of a library");
	}
	status = ask_server(s, "POST", path, body, &b);
	json_decref(body);
	if (b)
		printf("cartridge %s made: %s of %s, %s of library %s\n", ask_text(b, "barcode"),
			ask_text(b, "medium"), grid_size(ask_number(b, "size"), &size),
			place_words(b, &w), ask_text(b, "library"));
	if (b)
		warn(b, tape);
	json_decref(b);
	return status;
}

enum exit_status tapes_create(const struct session *s, char **args, int n)
{
	const char *library = command_value(s, "library"), *size = command_value(s, "size");
	const char *generation = command_value(s, "generation");
	struct new_tape tape = { .barcode = args[0] };
	enum exit_status status = EXIT_DONE;
	struct words found = { "" };

	(void)n;
	if (size && !ask_size(size, &tape.size))
		return EXIT_USAGE;
	if (generation && !number_read(generation, false, &tape.generation))
		return ask_usage("a generation is a number, as 5 for LTO-5");
	if (!library && !find_library(s, &found, &status))
		return status;
	return create_in(s, library ? library : found.text, &tape);
}

enum exit_status tapes_delete(const struct session *s, char **args, int n)
{
	char path[ASK_PATH_MAX];
	enum exit_status status;
	json_t *b;

	(void)n;
	if (!path_of(path, "/v1/tapes/", args[0], ""))
		return ask_usage("that is not a barcode");
	status = ask_server(s, "DELETE", path, NULL, &b);
	if (b)
		printf("cartridge %s deleted\n", args[0]);
	json_decref(b);
	return status;
}

/* --- moving --------------------------------------------------------------------------------- */

static enum exit_status move_to(
	const struct session *s, const char *barcode, const char *kind, const char *number)
{
	int64_t n = 0;

	if (number && (!number_read(number, false, &n) || !n))
		return ask_usage("places are counted from 1 on");
	return change(s, "POST", barcode, "/move",
		json_pack("{s:s, s:I}", "to", kind, "number", (json_int_t)n));
}

enum exit_status tapes_move(const struct session *s, char **args, int n)
{
	static const char *const kinds[] = { "slot", "drive", "mail" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(args[1], kinds[i]))
			return move_to(s, args[0], i == 2 ? "mail slot" : kinds[i],
				n > 2 ? args[2] : NULL);
	return ask_usage("a cartridge goes to a slot, a drive or mail");
}

enum exit_status tapes_load(const struct session *s, char **args, int n)
{
	return move_to(s, args[0], "drive", n > 1 ? args[1] : NULL);
}

enum exit_status tapes_unload(const struct session *s, char **args, int n)
{
	(void)n;
	return change(s, "POST", args[0], "/unload", NULL);
}

enum exit_status tapes_library_import(const struct session *s, char **args, int n)
{
	(void)n;
	return move_to(s, args[0], "slot", NULL);
}

enum exit_status tapes_library_export(const struct session *s, char **args, int n)
{
	(void)n;
	return move_to(s, args[0], "mail slot", NULL);
}

enum exit_status tapes_drive_load(const struct session *s, char **args, int n)
{
	const struct session quiet = { .socket = s->socket };
	char path[ASK_PATH_MAX];
	enum exit_status status;
	json_t *b;

	(void)n;
	if (!path_of(path, "/v1/tapes/", args[2], ""))
		return ask_usage("that is not a barcode");
	status = ask_server(&quiet, "GET", path, NULL, &b);
	if (b && strcmp(ask_text(b, "library"), args[0]) != 0)
		status =
			ask_usage("cartridge %s is in library %s", args[2], ask_text(b, "library"));
	else if (b)
		status = move_to(s, args[2], "drive", args[1]);
	json_decref(b);
	return status;
}

enum exit_status tapes_drive_unload(const struct session *s, char **args, int n)
{
	const struct session quiet = { .socket = s->socket };
	char path[ASK_PATH_MAX];
	enum exit_status status;
	json_t *b;

	(void)n;
	if (!drive_path(path, args))
		return ask_usage("say which library, and which of its drives");
	status = ask_server(&quiet, "GET", path, NULL, &b);
	if (b && ask_text(b, "barcode"))
		status = change(s, "POST", ask_text(b, "barcode"), "/unload", NULL);
	else if (b)
		status = ask_usage("drive %s of library %s is empty", args[1], args[0]);
	json_decref(b);
	return status;
}

enum exit_status tapes_archive(const struct session *s, char **args, int n)
{
	(void)n;
	return change(s, "POST", args[0], "/archive", NULL);
}

enum exit_status tapes_retrieve(const struct session *s, char **args, int n)
{
	(void)n;
	return change(s, "POST", args[0], "/retrieve",
		json_pack("{s:b}", "write_protect", command_has(s, "write-protect")));
}

enum exit_status tapes_protect(const struct session *s, char **args, int n)
{
	bool on = !strcmp(args[1], "on");

	(void)n;
	if (!on && strcmp(args[1], "off") != 0)
		return ask_usage("write protection is on or off");
	return change(s, "PATCH", args[0], "", json_pack("{s:b}", "write_protect", on));
}

enum exit_status tapes_cancel(const struct session *s, char **args, int n)
{
	(void)n;
	return change(s, "POST", args[0], "/cancel", NULL);
}

enum exit_status tapes_pool(const struct session *s, char **args, int n)
{
	const char *pool = strcmp(args[1], "none") != 0 ? args[1] : "";

	(void)n;
	return change(s, "PATCH", args[0], "", json_pack("{s:s}", "pool", pool));
}

/* --- another changer ------------------------------------------------------------------------ */

enum exit_status tapes_library_changer(const struct session *s, char **args, int n)
{
	char path[ASK_PATH_MAX];
	enum exit_status status;
	json_t *b, *body;

	(void)n;
	if (!path_of(path, "/v1/libraries/", args[0], ""))
		return ask_usage("that is not the name of a library");
	body = json_pack("{s:s}", "changer", args[1]);
	status = ask_server(s, "PATCH", path, body, &b);
	json_decref(body);
	if (b)
		printf("library %s has changer %s\n", ask_text(b, "name"), ask_text(b, "changer"));
	json_decref(b);
	return status;
}
