/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Negotiation of the operational keys as the text that an initiator sends and the text that it
 * gets. NULs are written as ';'.
 */
#ifndef TESTS_ISCSI_NEGOTIATE_SUPPORT_H
#define TESTS_ISCSI_NEGOTIATE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "iscsi/negotiate.h"

static const struct iscsi_policy usual = {
	.max_recv_data_segment_length = 262144,
	.max_burst_length = 1048576,
	.first_burst_length = 131072,
	.max_outstanding_r2t = 16,
	.max_connections = 4,
	.initial_r2t = false,
	.immediate_data = true,
	.header_digest = DIGEST_OPTIONAL,
	.data_digest = DIGEST_OPTIONAL,
	.time2wait = 2,
	.time2retain = 10,
};

struct talk {
	struct negotiation n;
	enum negotiate_result result; /* of the last request */
	char answer[KEY_TEXT_MAX + 1];
};

/* A login of the leading connection in the operational stage. */
static inline struct talk login_with(const struct iscsi_policy *policy)
{
	struct talk t = { .result = NEGOTIATE_OK };

	negotiate_init(&t.n, policy, STAGE_OPERATIONAL, true, NULL);
	t.n.declared = UINT64_C(1) << KEY_MAX_RECV_DATA_SEGMENT_LENGTH; /* said before */
	return t;
}

static inline struct talk login(void)
{
	return login_with(&usual);
}

static inline struct talk discovery(void)
{
	struct talk t = login();

	t.n.discovery = true;
	return t;
}

/* What is in `out`, with ';' for NUL. */
static inline void show(struct talk *t, struct key_out *out)
{
	const char *piece;
	size_t n = key_out_take(out, KEY_TEXT_MAX, &piece);

	assert_int_equal(out->err, 0);
	for (size_t i = 0; i < n; i++)
		t->answer[i] = piece[i] ? piece[i] : ';';
	t->answer[n] = '\0';
}

/* Says one whole request and gives the answer; with `last`, on to full feature phase. */
static inline const char *say(struct talk *t, const char *request, bool last)
{
	struct key_buf b = { 0 };
	struct key_out out = key_out_of(KEY_TEXT_MAX);
	struct key_pair pair;

	assert_int_equal(key_buf_add(&b, request, strlen(request)), 0);
	for (size_t i = 0; i < b.len; i++) {
		if (b.text[i] == ';')
			b.text[i] = '\0';
	}
	struct key_reader r = key_reader_of(&b);
	t->result = NEGOTIATE_OK;
	while (t->result == NEGOTIATE_OK && key_next(&r, &pair) == KEY_STEP_PAIR)
		t->result = negotiate_key(&t->n, &pair, &out);
	if (t->result == NEGOTIATE_OK) {
		negotiate_reply(&t->n, &out);
		if (last)
			t->result = negotiate_finish(&t->n, &out);
	}
	show(t, &out);
	key_buf_free(&b);
	key_out_free(&out);
	return t->answer;
}

#define ASSERT_ANSWER(t, request, want) assert_string_equal(say(t, request, false), want)
#define ASSERT_LAST(t, request, want, want_result) \
	do { \
		assert_string_equal(say(t, request, true), want); \
		assert_int_equal((t)->result, want_result); \
	} while (0)

#endif
