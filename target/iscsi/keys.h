/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text of Login and Text PDUs (RFC 7143 6.1): key=value pairs, each ended by a NUL.
 *
 * Three parts: `key_buf` gathers the text of a request that comes in several PDUs (C bit), since
 * a pair may be cut anywhere; `key_reader` takes the gathered text apart; `key_out` is written
 * to key by key and sent in pieces as large as the initiator takes. All three are bounded.
 *
 * No thread of their own; each object belongs to one connection.
 */
#ifndef ISCSI_KEYS_H
#define ISCSI_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_NAME_MAX   63    /* 6.1: standard-label */
#define KEY_VALUE_MAX  255   /* 6.1: unless the key says otherwise */
#define KEY_BINARY_MAX 2050  /* 6.1: 1024 bytes as "0x" and hexadecimal digits */
#define KEY_TEXT_MAX   16384 /* of one request; 6.2 wants at least 8192 */

/* --- gathering ------------------------------------------------------------------------------ */

/* Begins as { 0 }; holds no memory until something is added. */
struct key_buf {
	char *text; /* KEY_TEXT_MAX + 1 bytes or NULL */
	size_t len;
};

/* Appends the data segment of one PDU; len 0 is fine. 0, -EMSGSIZE above KEY_TEXT_MAX (nothing is
 * added), -ENOMEM. */
int key_buf_add(struct key_buf *b, const void *p, size_t len);

/* Wipes and frees; the buffer is as new. */
void key_buf_free(struct key_buf *b);

/* --- reading -------------------------------------------------------------------------------- */

struct key_reader {
	char *p, *end;
};

struct key_pair {
	const char *name;  /* 1…KEY_NAME_MAX characters of the alphabet of 6.1 */
	const char *value; /* any bytes but NUL; may be empty */
	size_t value_len;  /* < KEY_TEXT_MAX; what a key allows is key_rule's to say */
};

/* What a buffer holds. Reading changes the text in place ('=' becomes NUL), so once only; pairs
 * point into the buffer and live as long as it does. */
struct key_reader key_reader_of(struct key_buf *b);

enum key_step { KEY_STEP_END, KEY_STEP_PAIR, KEY_STEP_BAD };

/* The next pair. Superfluous NULs are skipped, and the last pair may lack its NUL. BAD: no '=', or
 * a name that is empty, too long or out of the alphabet: a protocol error of the initiator.
 * After BAD nothing more may be read. */
enum key_step key_next(struct key_reader *r, struct key_pair *out);

/* --- writing -------------------------------------------------------------------------------- */

/* An answer that is being written and sent. `err` sticks: -EMSGSIZE when `cap` was reached,
 * -ENOMEM; nothing is written any more then, and the caller asks once, before sending. */
struct key_out {
	char *text;
	size_t len, size, cap;
	size_t sent;
	int err;
};

/* An empty answer of at most cap bytes; holds no memory yet. */
struct key_out key_out_of(size_t cap);
void key_out_free(struct key_out *o); /* wipes and frees; the same cap, empty, no error */

void key_put(struct key_out *o, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for what needs no format. */
void key_put_text(struct key_out *o, const char *name, const char *value);
void key_put_number(struct key_out *o, const char *name, uint32_t value);
void key_put_bool(struct key_out *o, const char *name, bool value); /* Yes or No */

/* The next piece to send, at most max bytes; gives its length, 0 at the end. The piece lives until
 * something is put or the answer is freed. Pairs may be cut (6.1): C is to be set while
 * key_out_left() is not 0. */
size_t key_out_take(struct key_out *o, size_t max, const char **piece);

static inline size_t key_out_left(const struct key_out *o)
{
	return o->len - o->sent;
}

#endif
