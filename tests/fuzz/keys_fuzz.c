/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Key text: gathered in PDUs of the length that the first byte tells, taken apart, written again,
 * and sent in pieces. What was read must come out as it was written.
 */
#include "iscsi/keys.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void gather(struct key_buf *b, const uint8_t *p, size_t len, size_t step)
{
	while (len) {
		size_t n = len < step ? len : step;
		if (key_buf_add(b, p, n))
			return;
		p += n;
		len -= n;
	}
}

/* Writes every pair of b to o. */
static void copy_pairs(struct key_buf *b, struct key_out *o)
{
	struct key_reader r = key_reader_of(b);
	struct key_pair pair;
	enum key_step step;

	while ((step = key_next(&r, &pair)) == KEY_STEP_PAIR) {
		must(*pair.name && strlen(pair.name) <= KEY_NAME_MAX);
		must(strlen(pair.value) == pair.value_len);
		key_put(o, pair.name, "%s", pair.value);
	}
	must(key_next(&r, &pair) == KEY_STEP_END);
}

/* Sends o in pieces of at most `step` bytes into a new buffer. */
static void send_pieces(struct key_out *o, struct key_buf *to, size_t step)
{
	const char *piece;
	size_t n;

	while ((n = key_out_take(o, step, &piece))) {
		must(n <= step);
		must(key_buf_add(to, piece, n) == 0);
	}
	must(to->len == o->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct key_buf in = { 0 }, back = { 0 };
	struct key_out first = key_out_of(KEY_TEXT_MAX), again = key_out_of(KEY_TEXT_MAX);

	if (!size)
		return 0;
	size_t step = (size_t)data[0] + 1;
	gather(&in, data + 1, size - 1, step);
	copy_pairs(&in, &first);
	must(first.len <= KEY_TEXT_MAX);
	send_pieces(&first, &back, step);
	copy_pairs(&back, &again);
	must(again.len == first.len);
	must(!first.len || !memcmp(again.text, first.text, first.len));
	key_buf_free(&in);
	key_buf_free(&back);
	key_out_free(&first);
	key_out_free(&again);
	return 0;
}
