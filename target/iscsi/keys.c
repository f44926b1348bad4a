/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gathering, reading and writing of key=value text. Text may hold the proofs of a login, so what
 * is freed is wiped.
 */
#include "iscsi/keys.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- gathering ------------------------------------------------------------------------------ */

int key_buf_add(struct key_buf *b, const void *p, size_t len)
{
	if (!len)
		return 0;
	if (len > KEY_TEXT_MAX - b->len)
		return -EMSGSIZE;
	if (!b->text && !(b->text = malloc(KEY_TEXT_MAX + 1)))
		return -ENOMEM;
	memcpy(b->text + b->len, p, len);
	b->len += len;
	return 0;
}

void key_buf_free(struct key_buf *b)
{
	if (b->text)
		explicit_bzero(b->text, b->len);
	free(b->text);
	*b = (struct key_buf){ 0 };
}

/* --- reading -------------------------------------------------------------------------------- */

struct key_reader key_reader_of(struct key_buf *b)
{
	if (!b->text)
		return (struct key_reader){ 0 };
	b->text[b->len] = '\0'; /* the last pair may lack its own */
	return (struct key_reader){ .p = b->text, .end = b->text + b->len };
}

/* The alphabet of standard-label, and '#', which RFC 3720 had in extension keys ("X#"). A label
 * that does not begin with a capital is let through: as any unknown key it is NotUnderstood. */
static bool name_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c && strchr(".-+@_#", c));
}

static bool name_valid(const char *name, size_t len)
{
	if (!len || len > KEY_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!name_char(name[i]))
			return false;
	}
	return true;
}

enum key_step key_next(struct key_reader *r, struct key_pair *out)
{
	while (r->p < r->end && !*r->p)
		r->p++;
	if (r->p == r->end)
		return KEY_STEP_END;

	char *pair = r->p;
	size_t len = strlen(pair);
	char *equals = memchr(pair, '=', len);
	r->p = pair + len;
	if (!equals || !name_valid(pair, (size_t)(equals - pair))) {
		r->p = r->end;
		return KEY_STEP_BAD;
	}
	*equals = '\0';
	*out = (struct key_pair){
		.name = pair,
		.value = equals + 1,
		.value_len = (size_t)(r->p - equals) - 1,
	};
	return KEY_STEP_PAIR;
}

/* --- writing -------------------------------------------------------------------------------- */

#define KEY_OUT_START 512

struct key_out key_out_of(size_t cap)
{
	return (struct key_out){ .cap = cap };
}

void key_out_free(struct key_out *o)
{
	if (o->text)
		explicit_bzero(o->text, o->len);
	free(o->text);
	*o = key_out_of(o->cap);
}

/* Moves the text into a larger block, at least doubled, so that `need` more bytes fit. */
static int key_out_grow(struct key_out *o, size_t need)
{
	size_t size = o->size ? o->size : KEY_OUT_START;

	while (size - o->len < need)
		size *= 2;
	if (size > o->cap)
		size = o->cap;
	char *text = malloc(size);
	if (!text)
		return -ENOMEM;
	if (o->text) {
		memcpy(text, o->text, o->len);
		explicit_bzero(o->text, o->len);
		free(o->text);
	}
	o->text = text;
	o->size = size;
	return 0;
}

static bool key_out_reserve(struct key_out *o, size_t need)
{
	if (o->err)
		return false;
	if (need > o->cap - o->len)
		o->err = -EMSGSIZE;
	else if (need > o->size - o->len)
		o->err = key_out_grow(o, need);
	return !o->err;
}

/* "NAME=", with room for value_size bytes behind it. False: there is none. */
static bool key_out_name(struct key_out *o, const char *name, size_t value_size)
{
	size_t name_len = strlen(name);

	if (!key_out_reserve(o, name_len + 1 + value_size))
		return false;
	memcpy(o->text + o->len, name, name_len);
	o->len += name_len;
	o->text[o->len++] = '=';
	return true;
}

void key_put(struct key_out *o, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		o->err = o->err ? o->err : -EINVAL;
		return;
	}
	size_t value_size = (size_t)n + 1;
	if (!key_out_name(o, name, value_size))
		return;
	va_start(ap, fmt);
	vsnprintf(o->text + o->len, value_size, fmt, ap);
	va_end(ap);
	o->len += value_size; /* with the NUL that ends the pair */
}

void key_put_text(struct key_out *o, const char *name, const char *value)
{
	size_t value_size = strlen(value) + 1;

	if (!key_out_name(o, name, value_size))
		return;
	memcpy(o->text + o->len, value, value_size);
	o->len += value_size;
}

void key_put_number(struct key_out *o, const char *name, uint32_t value)
{
	char digits[11];
	char *p = digits + sizeof(digits) - 1;

	*p = '\0';
	do {
		*--p = (char)('0' + value % 10);
	} while (value /= 10);
	key_put_text(o, name, p);
}

void key_put_bool(struct key_out *o, const char *name, bool value)
{
	key_put_text(o, name, value ? "Yes" : "No");
}

size_t key_out_take(struct key_out *o, size_t max, const char **piece)
{
	size_t n = key_out_left(o);

	if (n > max)
		n = max;
	*piece = n ? o->text + o->sent : NULL;
	o->sent += n;
	return n;
}
