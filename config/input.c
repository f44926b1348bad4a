/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One text out of a file and its includes: see input.h. The scanner knows as much of libconfig's
 * syntax as it takes to tell strings and comments from the rest.
 */
#include "config/input.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_DEPTH 10

/* ---- paths ---------------------------------------------------------------------------------- */

char *path_directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

char *path_from(const char *dir, const char *path)
{
	size_t room = strlen(dir) + strlen(path) + 3;
	char *in = malloc(room);
	char *out = malloc(room);
	char *save = NULL;
	char *to = out;

	if (!in || !out) {
		free(in);
		free(out);
		return NULL;
	}
	snprintf(in, room, "%s/%s", path[0] == '/' ? "" : dir, path);
	if (in[0] == '/')
		*to++ = '/';
	for (char *part = strtok_r(in, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
		if (!strcmp(part, "."))
			continue;
		if (to != out && to[-1] != '/')
			*to++ = '/';
		to = stpcpy(to, part);
	}
	if (to == out)
		*to++ = '.';
	*to = '\0';
	free(in);
	return out;
}

/* ---- the scanner ---------------------------------------------------------------------------- */

struct scan {
	struct input *in;
	struct faults *faults;
	const char *file;
	const char *dir; /* NULL: no file may be opened */
	const char *p;
	const char *end;
	int line;
	int depth;
};

static int read_file(const struct input *in, const char *path, struct blob *data);
static int load_data(struct input *in, const char *path, const struct blob *data, int depth,
	struct faults *faults);

static int fault(const struct scan *s, int line, const char *what)
{
	faults_add(s->faults, s->file, line, "%s", what);
	return -EINVAL;
}

static int emit(struct input *in, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		in->lines += data[i] == '\n';
	return blob_append(&in->whole, data, len) ? 0 : -ENOMEM;
}

/* From here on the text comes from `line` of the file. Only where a line of the text begins. */
static int begin_span(struct input *in, size_t file, int line)
{
	struct input_span *spans = reallocarray(in->spans, in->n_spans + 1, sizeof(*spans));

	if (!spans)
		return -ENOMEM;
	in->spans = spans;
	spans[in->n_spans++] =
		(struct input_span){ .first = in->lines, .line = line, .file = file };
	return 0;
}

static int skip_block_comment(struct scan *s)
{
	int from = s->line;
	const char *close = memmem(s->p + 2, (size_t)(s->end - s->p - 2), "*/", 2);

	if (!close)
		return fault(s, from, "this comment is never closed: */ is missing");
	for (; s->p < close + 2; s->p++) {
		if (*s->p != '\n')
			continue;
		s->line++;
		if (emit(s->in, "\n", 1))
			return -ENOMEM;
	}
	return emit(s->in, " ", 1);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character that an escape stands for, and past it; what is no escape stands for itself. */
static char unescape(struct scan *s)
{
	static const char from[] = "nrtf\\\"", to[] = "\n\r\t\f\\\"";
	size_t left = (size_t)(s->end - s->p);
	const char *known;

	if (left >= 4 && tolower((unsigned char)s->p[1]) == 'x' && hex_digit(s->p[2]) >= 0 &&
		hex_digit(s->p[3]) >= 0) {
		s->p += 4;
		return (char)(hex_digit(s->p[-2]) << 4 | hex_digit(s->p[-1]));
	}
	if (left >= 2 && (known = memchr(from, s->p[1], sizeof(from) - 1))) {
		s->p += 2;
		return to[known - from];
	}
	s->p++;
	return '\\';
}

/* From an opening quote to past the closing one; the value goes to *out. */
static int scan_string(struct scan *s, struct blob *out)
{
	int from = s->line;

	for (s->p++; s->p < s->end && *s->p != '"';) {
		char c;

		s->line += *s->p == '\n';
		c = *s->p == '\\' ? unescape(s) : *s->p++;
		if (!c)
			return fault(s, s->line, "a string cannot hold the NUL character");
		if (!blob_append(out, &c, 1))
			return -ENOMEM;
	}
	if (s->p == s->end)
		return fault(s, from, "this string is never closed: \" is missing");
	s->p++;
	return 0;
}

static bool room_for_string(struct input *in)
{
	size_t *starts;

	if (in->n_starts & (in->n_starts - 1))
		return true;
	starts = reallocarray(in->starts, in->n_starts ? in->n_starts * 2 : 1, sizeof(*starts));
	if (starts)
		in->starts = starts;
	return starts != NULL;
}

static int take_string(struct scan *s)
{
	struct input *in = s->in;
	char reference[32];
	int err, from = s->line;
	int len = snprintf(reference, sizeof(reference), "\"%zu;\"", in->n_starts);

	if (!room_for_string(in))
		return -ENOMEM;
	in->starts[in->n_starts++] = in->strings.len;
	err = scan_string(s, &in->strings);
	if (!err && !blob_append(&in->strings, "", 1))
		err = -ENOMEM;
	if (!err)
		err = emit(in, reference, (size_t)len);
	for (; !err && from < s->line; from++)
		err = emit(in, "\n", 1);
	return err;
}

static int include(struct scan *s, const char *name)
{
	size_t file = s->in->spans[s->in->n_spans - 1].file;
	char *path = path_from(s->dir, name);
	struct blob data = { 0 };
	int err = path ? read_file(s->in, path, &data) : -ENOMEM;

	if (!err) {
		err = load_data(s->in, path, &data, s->depth + 1, s->faults);
	} else if (err != -ENOMEM) {
		faults_add(s->faults, s->file, s->line, "cannot include \"%s\": %s", path,
			strerror(-err));
		err = -EINVAL;
	}
	free(path);
	blob_free(&data);
	return err ? err : begin_span(s->in, file, s->line);
}

/* @include "file", on a line of which nothing has been seen yet. */
static int take_include(struct scan *s)
{
	struct blob name = { 0 };
	int err;

	if (!s->dir)
		return fault(s, s->line, "@include cannot be used here");
	if (s->depth == MAX_DEPTH)
		return fault(s, s->line, "@include goes too deep; does a file include itself?");
	s->p += strlen("@include");
	s->p += strspn(s->p, " \t");
	if (s->p == s->end || *s->p != '"')
		return fault(s, s->line, "@include needs a file name in double quotes");
	err = scan_string(s, &name);
	if (!err && !name.len)
		err = fault(s, s->line, "@include needs the name of a file");
	if (!err)
		err = emit(s->in, "\n", 1);
	if (!err)
		err = include(s, name.data);
	blob_free(&name);
	return err;
}

static bool starts_with(const struct scan *s, const char *what)
{
	size_t len = strlen(what);

	return (size_t)(s->end - s->p) >= len && !memcmp(s->p, what, len);
}

#define DIGITS "0123456789"
#define NAME   DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_*"

/*
 * libconfig cuts a decimal number to 32 bits without a word unless it ends in L, so a long one is
 * given its L here.
 */
static int take_number(struct scan *s)
{
	size_t len = strspn(s->p, DIGITS);
	bool plain = !s->p[len] || !strchr(NAME ".", s->p[len]);
	int err = emit(s->in, s->p, len);

	s->p += len;
	if (!err && plain && len > 9)
		err = emit(s->in, "L", 1);
	return err;
}

static int take_name(struct scan *s)
{
	size_t len = strspn(s->p, NAME);

	s->p += len;
	return emit(s->in, s->p - len, len);
}

static int take_plain(struct scan *s, bool *fresh)
{
	char c = *s->p;

	if (!c)
		return fault(s, s->line, "there is a NUL character in the file; is it a text?");
	*fresh = c == '\n' || (*fresh && (c == ' ' || c == '\t'));
	if (isdigit((unsigned char)c))
		return take_number(s);
	if (strchr(NAME, c) && c != '-')
		return take_name(s);
	s->line += c == '\n';
	s->p++;
	return emit(s->in, &c, 1);
}

static int end_line(struct input *in)
{
	bool ended = in->whole.len && in->whole.data[in->whole.len - 1] == '\n';

	return ended ? 0 : emit(in, "\n", 1);
}

static int scan_all(struct scan *s)
{
	bool fresh = true; /* only blanks since the line began */
	int err = 0;

	while (!err && s->p < s->end) {
		if (*s->p == '"') {
			err = take_string(s);
			fresh = false;
		} else if (*s->p == '#' || starts_with(s, "//")) {
			while (s->p < s->end && *s->p != '\n')
				s->p++;
		} else if (starts_with(s, "/*")) {
			err = skip_block_comment(s);
		} else if (fresh && starts_with(s, "@include")) {
			err = take_include(s);
			fresh = false;
		} else {
			err = take_plain(s, &fresh);
		}
	}
	return err ? err : end_line(s->in);
}

/* ---- loading -------------------------------------------------------------------------------- */

static int load_memory(struct input *in, const char *name, const char *data, size_t len,
	const char *dir, int depth, struct faults *faults)
{
	struct scan s = { .in = in,
		.faults = faults,
		.dir = dir,
		.p = data,
		.end = data + len,
		.line = 1,
		.depth = depth };
	char **files = reallocarray(in->files, in->n_files + 1, sizeof(*files));
	int err;

	if (!files)
		return -ENOMEM;
	in->files = files;
	s.file = files[in->n_files] = strdup(name);
	if (!s.file)
		return -ENOMEM;
	err = begin_span(in, in->n_files++, 1);
	return err ? err : scan_all(&s);
}

/* 0 or -errno. */
static int read_file(const struct input *in, const char *path, struct blob *data)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int err;

	if (fd < 0)
		return -errno;
	err = blob_read(data, fd);
	close(fd);
	return !err && in->whole.len + data->len > BLOB_MAX ? -EFBIG : err;
}

/* What has been read of a file, with includes seen from its directory. */
static int load_data(struct input *in, const char *path, const struct blob *data, int depth,
	struct faults *faults)
{
	char *dir = path_directory(path);
	int err = dir ? load_memory(in, path, data->data, data->len, dir, depth, faults) : -ENOMEM;

	free(dir);
	return err;
}

int input_load(struct input *in, const char *path, struct faults *faults)
{
	struct blob data = { 0 };
	int err = read_file(in, path, &data);

	if (!err) {
		err = load_data(in, path, &data, 0, faults);
	} else if (err != -ENOMEM) {
		faults_add(faults, path, 0, "cannot be read: %s", strerror(-err));
		err = -EINVAL;
	}
	blob_free(&data);
	return err;
}

int input_load_string(struct input *in, const char *name, const char *string, const char *dir,
	struct faults *faults)
{
	return load_memory(in, name, string, strlen(string), dir, 0, faults);
}

/* ---- looking up ----------------------------------------------------------------------------- */

const char *input_where(const struct input *in, size_t whole_line, int *line)
{
	size_t low = 0, high = in->n_spans;
	size_t at = whole_line ? whole_line - 1 : 0;

	if (at >= in->lines) /* the end of the file is found after its last line */
		at = in->lines - 1;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (in->spans[middle].first <= at)
			low = middle;
		else
			high = middle;
	}
	*line = in->spans[low].line + (int)(at - in->spans[low].first);
	return in->files[in->spans[low].file];
}

bool input_string(const struct input *in, const char *reference, struct blob *out)
{
	bool fine = blob_append(out, "", 0);

	while (fine && *reference) {
		char *end;
		size_t i = strtoul(reference, &end, 10);
		const char *value = i < in->n_starts ? in->strings.data + in->starts[i] : "";

		fine = blob_append(out, value, strlen(value));
		reference = *end ? end + 1 : end;
	}
	return fine;
}

void input_free(struct input *in)
{
	for (size_t i = 0; i < in->n_files; i++)
		free(in->files[i]);
	free(in->files);
	free(in->starts);
	free(in->spans);
	blob_free(&in->whole);
	blob_free(&in->strings);
	*in = (struct input){ 0 };
}
