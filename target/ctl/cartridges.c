/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cartridges without a server. What is found is a JSON object first, as the server's answers are,
 * and then printed as one of them is.
 */
#include "ctl/cartridges.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/number.h"
#include "vtl/barcode.h"
#include "vtl/simh.h"

#define DAMAGED_LISTED 1000 /* of a partition, one by one */

const struct command_option cartridges_export_options[] = {
	{ "key-file", "FILE", "32 bytes that open encrypted blocks" },
	{ 0 },
};
const struct command_option cartridges_import_options[] = {
	{ "create", NULL, "make the cartridge; the last part of PATH is its barcode" },
	{ "size", "SIZE", "of the cartridge to make; that of its generation unless given" },
	{ 0 },
};

/* --- opening -------------------------------------------------------------------------------- */

static const char *reason(int err)
{
	switch (err) {
	case -EBUSY: return "it is in use";
	case -EBADMSG: return "it is no cartridge, or its label is damaged";
	case -ENOTSUP: return "its format is newer than this program";
	default: return strerror(-err);
	}
}

static enum exit_status refuse(const char *path, const char *why)
{
	fputs("countersignctl: ", stderr);
	grid_puts(path, stderr);
	fprintf(stderr, ": %s\n", why);
	return EXIT_REFUSED;
}

static struct cartridge *open_at(const char *path, bool to_write)
{
	const struct cartridge_opening how = { .read_only = !to_write };
	struct cartridge *c = NULL;
	int err = cartridge_open(path, &how, &c);

	if (err)
		refuse(path, reason(err));
	return c;
}

/* --- describing ----------------------------------------------------------------------------- */

static json_t *describe(const struct cartridge *c)
{
	const struct cartridge_info *info = cartridge_info(c);
	struct cartridge_counters life;

	cartridge_counters(c, &life, NULL);
	return json_pack("{s:s, s:s, s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:[]}", "barcode",
		info->barcode, "serial", info->serial, "medium", info->media->name, "worm",
		info->worm, "cleaning", info->cleaning, "size", (json_int_t)info->capacity,
		"created", (json_int_t)info->created, "loads", (json_int_t)life.loads,
		"bytes_written", (json_int_t)life.host_written, "bytes_read",
		(json_int_t)life.host_read, "partitions");
}

static void print_cartridge(const json_t *b)
{
	struct grid_text size, n;
	char text[160];

	snprintf(text, sizeof(text), "%s%s of %s", ask_text(b, "medium"),
		json_is_true(json_object_get(b, "cleaning")) ? " cleaning"
		: json_is_true(json_object_get(b, "worm"))   ? " WORM"
							     : "",
		grid_size(ask_number(b, "size"), &size));
	ask_line("cartridge", ask_text(b, "barcode"));
	ask_line("medium", text);
	ask_line("serial", ask_text(b, "serial"));
	ask_line("loads", grid_number(ask_number(b, "loads"), &n));
}

/* --- walking along the tape ----------------------------------------------------------------- */

/* One partition, from its beginning to end of data. */
struct walk {
	struct cartridge *c;
	json_t *runs; /* NULL: they are not listed */
	json_t *run;  /* the last of them; borrowed */
	json_t *damaged;
	uint64_t object, blocks, filemarks, bytes, n_damaged;
};

/* What can be told of an object; equal ones in a row are one run. */
static json_t *traits(enum cartridge_result res, const struct cartridge_block *got)
{
	if (res == CARTRIDGE_FILEMARK)
		return json_pack("{s:s}", "kind", "filemark");
	if (res == CARTRIDGE_CORRUPT)
		return json_pack("{s:s}", "kind", "damaged");
	return json_pack("{s:s, s:I, s:b, s:b}", "kind", "block", "length", (json_int_t)got->length,
		"compressed", got->compressed, "encrypted", got->encrypted);
}

static bool add_run(struct walk *w, enum cartridge_result res, const struct cartridge_block *got)
{
	json_t *is = traits(res, got), *was = w->run ? json_object_get(w->run, "is") : NULL;
	json_int_t n = json_integer_value(json_object_get(w->run, "count"));

	if (was && json_equal(was, is)) {
		json_decref(is);
		return !json_object_set_new(w->run, "count", json_integer(n + 1));
	}
	w->run = json_pack("{s:I, s:I, s:o}", "object", (json_int_t)w->object, "count",
		(json_int_t)1, "is", is);
	return w->run && !json_array_append_new(w->runs, w->run);
}

static bool count(struct walk *w, enum cartridge_result res, const struct cartridge_block *got)
{
	if (res == CARTRIDGE_OK) {
		w->blocks++;
		w->bytes += got->length;
	} else if (res == CARTRIDGE_FILEMARK) {
		w->filemarks++;
	} else if (w->n_damaged++ < DAMAGED_LISTED &&
		   json_array_append_new(w->damaged, json_integer((json_int_t)w->object))) {
		return false;
	}
	return true;
}

static enum cartridge_result walk(struct walk *w)
{
	for (;;) {
		struct cartridge_block got = { 0 };
		enum cartridge_result res = cartridge_verify(w->c, &got);

		if (res == CARTRIDGE_EOD)
			return CARTRIDGE_OK;
		if (res != CARTRIDGE_OK && res != CARTRIDGE_FILEMARK && res != CARTRIDGE_CORRUPT)
			return res;
		if (!count(w, res, &got) || (w->runs && !add_run(w, res, &got)))
			return CARTRIDGE_NO_MEMORY;
		w->object++;
	}
}

static enum cartridge_result walk_partition(
	struct cartridge *c, unsigned partition, bool list, json_t *into)
{
	struct walk w = { .c = c, .damaged = json_array(), .runs = list ? json_array() : NULL };
	enum cartridge_result res = cartridge_locate(c, partition, 0);
	struct cartridge_usage use = { 0 };
	json_t *found;

	/* A blank partition has its end at its beginning. */
	if (res == CARTRIDGE_OK || res == CARTRIDGE_EOD)
		res = walk(&w);
	cartridge_usage(c, partition, &use);
	found = json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o*}", "partition",
		(int)partition, "capacity", (json_int_t)use.capacity, "used", (json_int_t)use.used,
		"blocks", (json_int_t)w.blocks, "filemarks", (json_int_t)w.filemarks, "bytes",
		(json_int_t)w.bytes, "damaged", (json_int_t)w.n_damaged, "damaged_objects",
		w.damaged, "runs", w.runs);
	if (json_array_append_new(into, found) && res == CARTRIDGE_OK)
		return CARTRIDGE_NO_MEMORY;
	return res;
}

static void print_partition(const json_t *p)
{
	const json_t *objects = json_object_get(p, "damaged_objects");
	uint64_t damaged = ask_number(p, "damaged");
	struct grid_text blocks, marks, bytes, used, capacity;
	char title[32];

	snprintf(title, sizeof(title), "partition %u", (unsigned)ask_number(p, "partition"));
	printf("%-15s%s blocks with %s, %s filemarks; %s of %s in use\n", title,
		grid_number(ask_number(p, "blocks"), &blocks),
		grid_size(ask_number(p, "bytes"), &bytes),
		grid_number(ask_number(p, "filemarks"), &marks),
		grid_size(ask_number(p, "used"), &used),
		grid_size(ask_number(p, "capacity"), &capacity));
	for (size_t i = 0; i < json_array_size(objects); i++)
		printf("%-15sobject %lld\n", i ? "" : "  damaged",
			(long long)json_integer_value(json_array_get(objects, i)));
	if (damaged > json_array_size(objects))
		printf("%-15sand %llu more\n", "",
			(unsigned long long)(damaged - json_array_size(objects)));
}

static const char *const run_titles[] = { ">PARTITION", ">OBJECT", ">COUNT", "KIND", ">LENGTH",
	"STORED", NULL };

static void add_runs(struct grid *g, const json_t *p)
{
	const json_t *runs = json_object_get(p, "runs");
	struct grid_text t;

	for (size_t i = 0; i < json_array_size(runs); i++) {
		const json_t *run = json_array_get(runs, i), *is = json_object_get(run, "is");
		bool encrypted = json_is_true(json_object_get(is, "encrypted"));
		bool compressed = json_is_true(json_object_get(is, "compressed"));

		grid_add(g, grid_number(ask_number(p, "partition"), &t));
		grid_add(g, grid_number(ask_number(run, "object"), &t));
		grid_add(g, grid_number(ask_number(run, "count"), &t));
		grid_add(g, ask_text(is, "kind"));
		grid_add(g, json_object_get(is, "length")
				    ? grid_number(ask_number(is, "length"), &t)
				    : "");
		grid_add(g, encrypted && compressed ? "encrypted, compressed"
			    : encrypted             ? "encrypted"
			    : compressed            ? "compressed"
						    : "");
	}
}

static void print_report(const json_t *b, bool list)
{
	const json_t *partitions = json_object_get(b, "partitions");
	struct grid *g = list ? grid_new(run_titles) : NULL;

	print_cartridge(b);
	for (size_t i = 0; i < json_array_size(partitions); i++) {
		const json_t *p = json_array_get(partitions, i);

		print_partition(p);
		if (g)
			add_runs(g, p);
	}
	if (g)
		ask_print(g, "nothing has been written on it");
}

static bool is_whole(const json_t *b)
{
	const json_t *partitions = json_object_get(b, "partitions");

	for (size_t i = 0; i < json_array_size(partitions); i++)
		if (ask_number(json_array_get(partitions, i), "damaged"))
			return false;
	return true;
}

static enum exit_status report(const struct session *s, const char *path, bool list)
{
	struct cartridge *c = open_at(path, false);
	json_t *b = c ? describe(c) : NULL;
	enum cartridge_result res = b ? CARTRIDGE_OK : CARTRIDGE_NO_MEMORY;
	bool whole;

	for (unsigned i = 0; res == CARTRIDGE_OK && i < cartridge_info(c)->partitions; i++)
		res = walk_partition(c, i, list, json_object_get(b, "partitions"));
	whole = is_whole(b);
	if (b && s->json) {
		json_dumpf(b, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (b) {
		print_report(b, list);
	}
	json_decref(b);
	if (c && res != CARTRIDGE_OK)
		refuse(path, cartridge_result_text(res));
	cartridge_close(c);
	return c && res == CARTRIDGE_OK && whole ? EXIT_DONE : EXIT_REFUSED;
}

static enum exit_status report_all(const struct session *s, char **args, int n, bool list)
{
	enum exit_status status = EXIT_DONE;

	for (int i = 0; i < n; i++)
		if (report(s, args[i], list))
			status = EXIT_REFUSED;
	return status;
}

enum exit_status cartridges_verify(const struct session *s, char **args, int n)
{
	return report_all(s, args, n, false);
}

enum exit_status cartridges_dump(const struct session *s, char **args, int n)
{
	return report_all(s, args, n, true);
}

/* --- SIMH images ---------------------------------------------------------------------------- */

static bool read_key(const char *path, struct cartridge_key *key)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t more;
	ssize_t n = fd < 0 ? -1 : read(fd, key->key, sizeof(key->key));
	bool ok = n == (ssize_t)sizeof(key->key) && !read(fd, &more, 1);

	if (n < 0)
		refuse(path, strerror(errno));
	else if (!ok)
		refuse(path, "a key has 32 bytes");
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool is_standard(const char *path)
{
	return !strcmp(path, "-");
}

static void say_copied(const struct session *s, const char *barcode, const struct simh_report *r)
{
	if (s->json)
		printf("{\"barcode\": \"%s\", \"blocks\": %llu, \"filemarks\": %llu, "
		       "\"damaged\": %llu}\n",
			barcode, (unsigned long long)r->blocks, (unsigned long long)r->filemarks,
			(unsigned long long)r->bad);
	else
		printf("cartridge %s: %llu blocks and %llu filemarks copied, %llu damaged\n",
			barcode, (unsigned long long)r->blocks, (unsigned long long)r->filemarks,
			(unsigned long long)r->bad);
}

static enum exit_status export_to(const struct session *s, struct cartridge *c, const char *image,
	const struct cartridge_key *key)
{
	bool standard = is_standard(image);
	int fd = standard ? STDOUT_FILENO
			  : open(image, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	struct simh_report r = { 0 };
	enum cartridge_result res;
	bool ended;

	if (fd < 0)
		return refuse(image, strerror(errno));
	res = simh_export(c, fd, key, &r);
	ended = standard || !close(fd);
	if (res != CARTRIDGE_OK)
		return refuse(image, cartridge_result_text(res));
	if (!ended)
		return refuse(image, strerror(errno));
	if (!standard)
		say_copied(s, cartridge_info(c)->barcode, &r);
	return r.bad ? EXIT_REFUSED : EXIT_DONE;
}

enum exit_status cartridges_export(const struct session *s, char **args, int n)
{
	const char *key_file = command_value(s, "key-file");
	struct cartridge_key key = { 0 };
	enum exit_status status = EXIT_REFUSED;
	struct cartridge *c = NULL;

	(void)n;
	if (!key_file || read_key(key_file, &key))
		c = open_at(args[0], false);
	if (c)
		status = export_to(s, c, args[1], key_file ? &key : NULL);
	cartridge_close(c);
	OPENSSL_cleanse(&key, sizeof(key));
	return status;
}

static enum exit_status make_cartridge(const struct session *s, const char *path)
{
	const char *slash = strrchr(path, '/'), *size = command_value(s, "size");
	const char *barcode = slash ? slash + 1 : path;
	struct cartridge_cfg cfg = { .barcode = barcode };
	int64_t capacity = 0;
	size_t len = strlen(barcode);
	int err;

	if (size && !ask_size(size, &capacity))
		return EXIT_USAGE;
	if (!barcode_valid(barcode) || !(cfg.media = media_suffix(barcode + len - 2, &cfg.worm)))
		return ask_usage("the last part of PATH is no barcode with a generation at its "
				 "end, as in TEST01L5");
	cfg.capacity = (uint64_t)capacity;
	err = cartridge_create(path, &cfg);
	return err ? refuse(path,
			     err == -EINVAL ? "a cartridge cannot have this size" : reason(err))
		   : EXIT_DONE;
}

static enum exit_status say_import(const struct session *s, struct cartridge *c, const char *image,
	enum cartridge_result res, const struct simh_report *r)
{
	say_copied(s, cartridge_info(c)->barcode, r);
	if (res == CARTRIDGE_OK)
		return EXIT_DONE;
	if (res != CARTRIDGE_INVALID)
		return refuse(image, cartridge_result_text(res));
	fputs("countersignctl: ", stderr);
	grid_puts(image, stderr);
	fprintf(stderr, ": at byte %llu it is no tape image\n", (unsigned long long)r->offset);
	return EXIT_REFUSED;
}

static enum exit_status import_from(
	const struct session *s, struct cartridge *c, const char *image, int fd)
{
	const struct cartridge_write_how how = { .compress = true };
	struct simh_report r = { 0 };
	enum cartridge_result res = cartridge_locate_eod(c, 0);

	if (res == CARTRIDGE_OK || res == CARTRIDGE_EOD)
		res = simh_import(c, fd, &how, &r);
	return say_import(s, c, image, res, &r);
}

/* A server that has the cartridge in a library looks at it again. Where there is none, or it knows no
 * such barcode, nobody has to be told: it looks when it starts. */
static void tell_server(const struct session *s, const char *cartridge)
{
	struct client_answer a = { 0 };
	char path[ASK_PATH_MAX] = "";

	if (ask_path(path, "/v1/tapes/", cartridge) && ask_path(path, "/look", ""))
		client_ask(s->socket, "POST", path, NULL, &a);
	json_decref(a.body);
}

enum exit_status cartridges_import(const struct session *s, char **args, int n)
{
	int fd = is_standard(args[1]) ? STDIN_FILENO : open(args[1], O_RDONLY | O_CLOEXEC);
	enum exit_status status = EXIT_DONE;
	char barcode[CARTRIDGE_BARCODE_SIZE] = "";
	struct cartridge *c = NULL;
	int err;

	(void)n;
	if (fd < 0)
		return refuse(args[1], strerror(errno));
	if (command_has(s, "create"))
		status = make_cartridge(s, args[0]);
	if (!status && !(c = open_at(args[0], true)))
		status = EXIT_REFUSED;
	if (c)
		snprintf(barcode, sizeof(barcode), "%s", cartridge_info(c)->barcode);
	if (!status)
		status = import_from(s, c, args[1], fd);
	err = cartridge_close(c);
	if (*barcode)
		tell_server(s, barcode);
	if (err)
		status = refuse(args[0], strerror(-err));
	if (fd != STDIN_FILENO)
		close(fd);
	return status;
}
