/* SPDX-License-Identifier: BSD-2-Clause */
/* Structs by their rows: see object.h. */
#include "config/object.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chap/secret.h"
#include "config/blob.h"
#include "config/input.h"

_Static_assert(sizeof(enum setting_type) == sizeof(int), "enum members are set as int");

/* ---- members -------------------------------------------------------------------------------- */

size_t object_member_size(const struct setting *row)
{
	switch (row->type) {
	case SETTING_BOOL: return sizeof(bool);
	case SETTING_INT:
	case SETTING_MODE: return sizeof(uint32_t);
	case SETTING_SIZE: return sizeof(uint64_t);
	case SETTING_CHOICE: return sizeof(int);
	case SETTING_SECRET:
	case SETTING_SECRET_FILE: return sizeof(struct secret_view);
	case SETTING_GROUP:
	case SETTING_GROUPS: return row->section->size;
	default: return sizeof(char *);
	}
}

static bool is_list(const struct setting *row)
{
	return row->type == SETTING_GROUPS || (row->flags & SETTING_LIST);
}

/* The array pointer behind a list has its own type in its struct, so it is copied as bytes. */
static void *array_of(const struct setting *row, const void *object)
{
	void *array;

	memcpy(&array, (const char *)object + row->offset, sizeof(array));
	return array;
}

static size_t length_of(const struct setting *row, const void *object)
{
	size_t n;

	memcpy(&n, (const char *)object + row->offset_n, sizeof(n));
	return n;
}

static void *element_of(const struct setting *row, const void *object, size_t i)
{
	return (char *)array_of(row, object) + i * object_member_size(row);
}

void *object_member(const struct setting *row, void *object, size_t i)
{
	return is_list(row) ? element_of(row, object, i) : (char *)object + row->offset;
}

bool object_resize(const struct setting *row, void *object, size_t n)
{
	void *array = n ? calloc(n, object_member_size(row)) : NULL;

	if (n && !array)
		return false;
	memcpy((char *)object + row->offset, &array, sizeof(array));
	memcpy((char *)object + row->offset_n, &n, sizeof(n));
	return true;
}

/* ---- setting -------------------------------------------------------------------------------- */

static bool wrong_kind(const struct setting *row, const struct scalar *value, struct why *why)
{
	static const char *const is[] = { "true or false", "a number", "text", NULL };
	char right[SETTING_DESCRIPTION];
	struct setting plain = *row;

	plain.flags = 0;
	plain.fallback = NULL;
	return because(why, "this is %s; right is: %s%s",
		value->kind == SCALAR_OTHER ? value->other : is[value->kind],
		setting_describe(&plain, right),
		row->type == SETTING_INT || row->type == SETTING_BOOL ||
				row->type == SETTING_MODE || row->type == SETTING_GROUP ||
				row->type == SETTING_GROUPS
			? ""
			: ", in quotes");
}

static bool set_int(const struct setting *row, uint32_t *to, long long n, struct why *why)
{
	if (n < 0 || (uint64_t)n < row->min || (uint64_t)n > row->max)
		return because(why, "%lld is out of range; it can be %" PRIu64 " to %" PRIu64, n,
			row->min, row->max);
	*to = (uint32_t)n;
	return true;
}

static bool set_size(
	const struct setting *row, uint64_t *to, const struct scalar *value, struct why *why)
{
	char low[VALUE_SIZE_TEXT], high[VALUE_SIZE_TEXT];
	uint64_t n = value->number < 0 ? 0 : (uint64_t)value->number;

	if (value->kind == SCALAR_TEXT && !value_size(value->text, &n))
		return because(why,
			"\"%.40s\" is not a size; write a whole number and K, M, G or T, as in "
			"\"512M\"",
			value->text);
	if (n < row->min || n > row->max)
		return because(why, "it is out of range; it can be %s to %s",
			value_size_text(row->min, low), value_size_text(row->max, high));
	*to = n;
	return true;
}

static bool set_choice(const struct setting *row, int *to, const char *text, struct why *why)
{
	char right[SETTING_DESCRIPTION];
	struct setting plain = { .type = SETTING_CHOICE, .choices = row->choices };

	for (const struct setting_choice *c = row->choices; c->name; c++) {
		if (!strcmp(c->name, text)) {
			*to = c->value;
			return true;
		}
	}
	return because(
		why, "\"%.80s\" is unknown; it can be %s", text, setting_describe(&plain, right));
}

static bool fits_form(const struct setting_form *form, const char *text, struct why *why)
{
	size_t len = strlen(text);

	if (len >= form->min && len <= form->max)
		return true;
	if (!len)
		return because(why, "it is empty");
	return because(
		why, "it has %zu characters; right is %zu to %zu", len, form->min, form->max);
}

/* Passwords are never quoted in what is said of them. */
static bool set_text(const struct setting *row, char **to, const char *text, struct why *why)
{
	struct why reason = { .no_memory = false };
	char *copy;

	if (!fits_form(row->form, text, &reason))
		return because(why, "%s", reason.text);
	copy = strdup(text);
	if (!copy)
		return no_memory(why);
	if (!row->form->check(&copy, &reason)) {
		if (row->type == SETTING_TEXT && !reason.no_memory)
			because(why, "\"%.250s\": %s", text, reason.text);
		else
			*why = reason;
		explicit_bzero(copy, strlen(copy));
		free(copy);
		return false;
	}
	*to = copy;
	return true;
}

static bool set_path(
	const struct setting *row, char **to, const char *text, const char *dir, struct why *why)
{
	char *path;

	if (!fits_form(row->form, text, why))
		return false;
	path = path_from(dir ? dir : ".", text);
	if (!path)
		return no_memory(why);
	if (!row->form->check(&path, why)) {
		free(path);
		return false;
	}
	*to = path;
	return true;
}

static bool set_secret(struct secret_view *to, const char *bytes, size_t len, struct why *why)
{
	enum secret_fault fault = secret_check(len, SECRET_RULE_STRONG);
	uint8_t *copy;

	if (fault == SECRET_EMPTY)
		return because(why, "%s", secret_fault_text(fault));
	if (fault != SECRET_OK)
		return because(why, "%s; it has %zu", secret_fault_text(fault), len);
	copy = malloc(len);
	if (!copy)
		return no_memory(why);
	memcpy(copy, bytes, len);
	*to = (struct secret_view){ copy, len };
	/* cppcheck-suppress memleak ; the view owns it, see clear_secret() */
	return true;
}

/* ---- secrets in files ----------------------------------------------------------------------- */

static bool is_private(const char *path, int fd, struct why *why)
{
	struct stat st;

	if (fstat(fd, &st))
		return because(why, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return because(why, "%s is a directory", path);
	if (st.st_mode & 077)
		return because(why, "%s can be read or written by others (mode %04o); chmod 600 it",
			path, (unsigned)st.st_mode & 07777);
	return true;
}

/* All but one newline at the end, so that an editor or echo can write the file. */
static void drop_newline(struct blob *b)
{
	if (b->len && b->data[b->len - 1] == '\n')
		b->data[--b->len] = '\0';
	if (b->len && b->data[b->len - 1] == '\r')
		b->data[--b->len] = '\0';
}

static bool read_private(const char *path, struct blob *out, struct why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int err;
	bool fine;

	if (fd < 0)
		return because(why, "%s: %s", path, strerror(errno));
	fine = is_private(path, fd, why);
	if (fine && (err = blob_read(out, fd)))
		fine = err == -ENOMEM ? no_memory(why)
				      : because(why, "%s: %s", path, strerror(-err));
	close(fd);
	drop_newline(out);
	return fine;
}

static bool set_bytes(const struct setting *row, void *to, const struct blob *b, const char *path,
	struct why *why)
{
	struct why reason = { .no_memory = false };

	if (row->type == SETTING_PASSWORD_FILE && strlen(b->data) != b->len)
		return because(why, "%s: there is a NUL character in it", path);
	if (row->type == SETTING_PASSWORD_FILE ? set_text(row, to, b->data, &reason)
					       : set_secret(to, b->data, b->len, &reason))
		return true;
	if (reason.no_memory)
		return no_memory(why);
	return because(why, "%s: %s", path, reason.text);
}

static bool set_from_file(
	const struct setting *row, void *to, const char *text, const char *dir, struct why *why)
{
	struct blob bytes = { 0 };
	char *path;
	bool fine;

	if (!dir)
		return because(why, "files cannot be named here");
	path = path_from(dir, text);
	if (!path)
		return no_memory(why);
	fine = read_private(path, &bytes, why) && set_bytes(row, to, &bytes, path, why);
	blob_free(&bytes);
	free(path);
	return fine;
}

/* ---- by type -------------------------------------------------------------------------------- */

static bool right_kind(const struct setting *row, enum scalar_kind kind)
{
	switch (row->type) {
	case SETTING_BOOL: return kind == SCALAR_BOOL;
	case SETTING_INT: return kind == SCALAR_INT;
	case SETTING_SIZE: return kind == SCALAR_INT || kind == SCALAR_TEXT;
	case SETTING_GROUP:
	case SETTING_GROUPS: return false;
	default: return kind == SCALAR_TEXT;
	}
}

bool object_set(const struct setting *row, void *object, size_t i, const struct scalar *value,
	const char *dir, struct why *why)
{
	void *to = object_member(row, object, i);

	if (!right_kind(row, value->kind))
		return wrong_kind(row, value, why);
	switch (row->type) {
	case SETTING_BOOL: *(bool *)to = value->number; return true;
	case SETTING_INT: return set_int(row, to, value->number, why);
	case SETTING_SIZE: return set_size(row, to, value, why);
	case SETTING_MODE:
		return value_mode(value->text, to) ||
		       because(why,
			       "\"%.40s\" is not a mode; write permission bits in "
			       "octal, as in \"0660\"",
			       value->text);
	case SETTING_CHOICE: return set_choice(row, to, value->text, why);
	case SETTING_TEXT:
	case SETTING_PASSWORD: return set_text(row, to, value->text, why);
	case SETTING_PATH: return set_path(row, to, value->text, dir, why);
	case SETTING_SECRET: return set_secret(to, value->text, strlen(value->text), why);
	case SETTING_PASSWORD_FILE:
	case SETTING_SECRET_FILE: return set_from_file(row, to, value->text, dir, why);
	default: return wrong_kind(row, value, why);
	}
}

/* ---- defaults ------------------------------------------------------------------------------- */

static struct scalar fallback_scalar(const struct setting *row, const char *text)
{
	struct scalar value = { .kind = SCALAR_TEXT, .text = text };

	if (row->type == SETTING_BOOL) {
		value.kind = SCALAR_BOOL;
		value.number = !strcmp(text, "true");
	} else if (row->type == SETTING_INT) {
		value.kind = SCALAR_INT;
		value.number = strtoll(text, NULL, 10);
	}
	return value;
}

static bool default_list(const struct setting *row, void *object)
{
	size_t n = 1, i = 0;
	char *copy = strdup(row->fallback);
	char *save = NULL;
	bool fine;

	for (const char *p = row->fallback; *p; p++)
		n += *p == ',';
	fine = copy && object_resize(row, object, n);
	for (char *part = fine ? strtok_r(copy, ", ", &save) : NULL; part && fine;
		part = strtok_r(NULL, ", ", &save)) {
		struct scalar value = fallback_scalar(row, part);
		struct why why;

		fine = object_set(row, object, i++, &value, NULL, &why);
	}
	free(copy);
	return fine;
}

bool object_defaults(const struct section *section, void *object)
{
	for (size_t i = 0; i < section->n_rows; i++)
		if (!object_default(&section->rows[i], object))
			return false;
	return true;
}

bool object_default(const struct setting *row, void *object)
{
	struct scalar value;
	struct why why;

	if (row->type == SETTING_GROUP)
		return object_defaults(row->section, (char *)object + row->offset);
	if (!row->fallback)
		return true;
	if (row->flags & SETTING_LIST)
		return default_list(row, object);
	value = fallback_scalar(row, row->fallback);
	return object_set(row, object, 0, &value, NULL, &why);
}

/* ---- comparing ------------------------------------------------------------------------------ */

static bool equal_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool equal_secret(const struct secret_view *a, const struct secret_view *b)
{
	return (!a->bytes && !b->bytes) || secret_equal(*a, *b);
}

static bool equal_element(const struct setting *row, const void *a, const void *b)
{
	switch (row->type) {
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_PASSWORD:
	case SETTING_PASSWORD_FILE: return equal_text(*(char *const *)a, *(char *const *)b);
	case SETTING_SECRET:
	case SETTING_SECRET_FILE: return equal_secret(a, b);
	case SETTING_GROUP:
	case SETTING_GROUPS: return object_equal(row->section, a, b);
	default: return !memcmp(a, b, object_member_size(row));
	}
}

bool object_equal_row(const struct setting *row, const void *a, const void *b)
{
	size_t n;

	if ((row->flags & SETTING_PRESENCE) &&
		memcmp((const char *)a + row->offset_n, (const char *)b + row->offset_n,
			sizeof(bool)))
		return false;
	if (!is_list(row))
		return equal_element(
			row, (const char *)a + row->offset, (const char *)b + row->offset);
	n = length_of(row, a);
	if (length_of(row, b) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!equal_element(row, element_of(row, a, i), element_of(row, b, i)))
			return false;
	return true;
}

bool object_equal(const struct section *section, const void *a, const void *b)
{
	for (size_t i = 0; i < section->n_rows; i++)
		if (!object_equal_row(&section->rows[i], a, b))
			return false;
	return true;
}

/* ---- copying -------------------------------------------------------------------------------- */

static bool copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to;
}

static bool copy_secret(struct secret_view *to, const struct secret_view *from)
{
	uint8_t *bytes = from->bytes ? malloc(from->len + 1) : NULL;

	if (!bytes)
		return !from->bytes;
	memcpy(bytes, from->bytes, from->len);
	*to = (struct secret_view){ .bytes = bytes, .len = from->len };
	return true;
}

static bool copy_element(const struct setting *row, void *to, void *from)
{
	switch (row->type) {
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_PASSWORD: return copy_text(to, *(char *const *)from);
	case SETTING_SECRET: return copy_secret(to, from);
	case SETTING_GROUP:
	case SETTING_GROUPS: return object_copy(row->section, to, from);
	default: memcpy(to, from, object_member_size(row)); return true;
	}
}

static bool copy_row(const struct setting *row, void *to, void *from)
{
	size_t n = is_list(row) ? length_of(row, from) : 1;

	if (row->flags & SETTING_PRESENCE)
		memcpy((char *)to + row->offset_n, (char *)from + row->offset_n, sizeof(bool));
	if (is_list(row) && n && !object_resize(row, to, n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!copy_element(row, object_member(row, to, i), object_member(row, from, i)))
			return false;
	return true;
}

bool object_copy(const struct section *section, void *to, void *from)
{
	for (size_t r = 0; r < section->n_rows; r++)
		if (!setting_is_file_form(&section->rows[r]) &&
			!copy_row(&section->rows[r], to, from))
			return false;
	return true;
}

/* ---- freeing -------------------------------------------------------------------------------- */

static void clear_text(char **text, bool wipe)
{
	if (wipe && *text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static void clear_secret(struct secret_view *secret)
{
	uint8_t *bytes = (uint8_t *)(uintptr_t)secret->bytes; /* ours: made by set_secret() */

	if (bytes)
		explicit_bzero(bytes, secret->len);
	free(bytes);
	*secret = (struct secret_view){ 0 };
}

static void clear_element(const struct setting *row, void *at)
{
	switch (row->type) {
	case SETTING_TEXT:
	case SETTING_PATH: clear_text(at, false); break;
	case SETTING_PASSWORD:
	case SETTING_PASSWORD_FILE: clear_text(at, true); break;
	case SETTING_SECRET:
	case SETTING_SECRET_FILE: clear_secret(at); break;
	case SETTING_GROUP:
	case SETTING_GROUPS: object_clear(row->section, at); break;
	default: break;
	}
}

void object_clear(const struct section *section, void *object)
{
	for (size_t r = 0; r < section->n_rows; r++) {
		const struct setting *row = &section->rows[r];
		size_t n = is_list(row) ? length_of(row, object) : 1;

		for (size_t i = 0; i < n; i++)
			clear_element(row, object_member(row, object, i));
		if (is_list(row)) {
			free(array_of(row, object));
			object_resize(row, object, 0);
		}
	}
}
