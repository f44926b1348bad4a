/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The framer: PDUs come out as they were put in, whatever the pieces they arrive in, and a
 * digest that does not fit is told.
 */
#include "iscsi/framer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "iscsi/crc.h"

#define MAX_DATA 65536u

/* --- streams, built by hand --------------------------------------------------------------- */

struct stream_of {
	uint8_t bytes[4096];
	size_t len;
};

static void add(struct stream_of *s, const void *p, size_t n)
{
	assert_true(s->len + n <= sizeof(s->bytes));
	memcpy(s->bytes + s->len, p, n);
	s->len += n;
}

static void add_digest(struct stream_of *s, size_t from)
{
	uint8_t d[DIGEST_SIZE];

	crc_store(d, crc_add(CRC_START, s->bytes + from, s->len - from));
	add(s, d, sizeof(d));
}

enum { HEADER_DIGEST = 1, DATA_DIGEST = 2 };

/* One PDU: its opcode, ahs_words of additional header, len bytes of data counting up from 1. */
static void add_pdu(
	struct stream_of *s, uint8_t opcode, uint8_t ahs_words, uint32_t len, unsigned digests)
{
	static const uint8_t zeros[4];
	uint8_t bhs[BHS_SIZE] = { opcode };
	size_t from = s->len;

	bhs[4] = ahs_words;
	put_be24(bhs + 5, len);
	add(s, bhs, sizeof(bhs));
	for (unsigned i = 0; i < 4u * ahs_words; i++)
		add(s, &(uint8_t){ 0xa5 }, 1);
	if (digests & HEADER_DIGEST)
		add_digest(s, from);
	from = s->len;
	for (uint32_t i = 0; i < len; i++)
		add(s, &(uint8_t){ (uint8_t)(i + 1) }, 1);
	add(s, zeros, -len & 3);
	if (digests & DATA_DIGEST && len)
		add_digest(s, from);
}

/* --- what came out -------------------------------------------------------------------------- */

struct seen {
	unsigned pdus;
	struct {
		uint8_t opcode;
		uint32_t ahs_len, data_len, got;
		bool data_ok, in_order;
	} pdu[8];
	bool refused;
	enum frame_refusal refusal;
};

static void see_data(struct seen *seen, const struct framer *f)
{
	for (size_t i = 0; i < f->chunk_len; i++) {
		if (f->chunk[i] != (uint8_t)(seen->pdu[seen->pdus].got + 1))
			seen->pdu[seen->pdus].in_order = false;
		seen->pdu[seen->pdus].got++;
	}
}

static void see(struct seen *seen, struct framer *f)
{
	enum frame_event e;

	while ((e = framer_next(f)) != FRAME_MORE) {
		switch (e) {
		case FRAME_HEADER:
			seen->pdu[seen->pdus].opcode = f->bhs[0];
			seen->pdu[seen->pdus].ahs_len = f->ahs_len;
			seen->pdu[seen->pdus].data_len = f->data_left;
			seen->pdu[seen->pdus].in_order = true;
			for (uint32_t i = 0; i < f->ahs_len; i++)
				assert_int_equal(f->ahs[i], 0xa5);
			break;
		case FRAME_DATA: see_data(seen, f); break;
		case FRAME_END: seen->pdu[seen->pdus++].data_ok = f->data_ok; break;
		default:
			seen->refused = true;
			seen->refusal = (enum frame_refusal)f->refusal;
			return;
		}
	}
}

static struct framer new_framer(unsigned digests)
{
	struct framer f;

	framer_init(&f, MAX_DATA);
	f.header_digest = digests & HEADER_DIGEST;
	f.data_digest = digests & DATA_DIGEST;
	return f;
}

/* Gives the stream in pieces of `step` bytes, each in memory of its own size, so that a sanitizer
 * sees what reads beyond it. */
static struct seen feed(struct framer *f, const struct stream_of *s, size_t step)
{
	struct seen seen = { 0 };

	for (size_t at = 0; at < s->len && !seen.refused; at += step) {
		size_t n = s->len - at < step ? s->len - at : step;
		uint8_t *piece = malloc(n);

		assert_non_null(piece);
		memcpy(piece, s->bytes + at, n);
		framer_input(f, piece, n);
		see(&seen, f);
		free(piece);
	}
	return seen;
}

/* --- framing -------------------------------------------------------------------------------- */

static void several_pdus_of_one_read_come_out_one_by_one(void **state)
{
	struct stream_of s = { .len = 0 };
	struct framer f = new_framer(0);
	struct seen seen;

	(void)state;
	add_pdu(&s, 0x01, 0, 0, 0);
	add_pdu(&s, 0x05, 0, 512, 0);
	add_pdu(&s, 0x40, 0, 3, 0);
	seen = feed(&f, &s, s.len);
	assert_int_equal(seen.pdus, 3);
	assert_int_equal(seen.pdu[0].opcode, 0x01);
	assert_int_equal(seen.pdu[0].got, 0);
	assert_int_equal(seen.pdu[1].opcode, 0x05);
	assert_int_equal(seen.pdu[1].got, 512);
	assert_true(seen.pdu[1].in_order);
	assert_int_equal(seen.pdu[2].opcode, 0x40);
	assert_int_equal(seen.pdu[2].got, 3);
	assert_false(framer_midway(&f));
}

static void any_way_of_cutting_the_stream_gives_the_same_pdus(void **state)
{
	(void)state;
	for (unsigned digests = 0; digests < 4; digests++) {
		struct stream_of s = { .len = 0 };

		for (uint32_t len = 0; len < 6; len++)
			add_pdu(&s, (uint8_t)len, (uint8_t)(len % 3), len * len, digests);
		for (size_t step = 1; step <= s.len; step++) {
			struct framer f = new_framer(digests);
			struct seen seen = feed(&f, &s, step);

			assert_false(seen.refused);
			assert_int_equal(seen.pdus, 6);
			for (uint32_t len = 0; len < 6; len++) {
				assert_int_equal(seen.pdu[len].opcode, len);
				assert_int_equal(seen.pdu[len].ahs_len, len % 3 * 4);
				assert_int_equal(seen.pdu[len].got, len * len);
				assert_true(seen.pdu[len].in_order);
				assert_true(seen.pdu[len].data_ok);
			}
		}
	}
}

static void padding_is_not_data(void **state)
{
	struct stream_of s = { .len = 0 };
	struct framer f = new_framer(0);
	struct seen seen;

	(void)state;
	add_pdu(&s, 0x04, 0, 5, 0);
	assert_int_equal(s.len, 48 + 5 + 3);
	seen = feed(&f, &s, s.len);
	assert_int_equal(seen.pdus, 1);
	assert_int_equal(seen.pdu[0].got, 5);
}

static void a_pdu_is_not_over_before_its_padding_has_come(void **state)
{
	struct stream_of s = { .len = 0 };
	struct framer f = new_framer(0);
	struct seen seen;

	(void)state;
	add_pdu(&s, 0x04, 0, 5, 0);
	s.len -= 1;
	seen = feed(&f, &s, s.len);
	assert_int_equal(seen.pdus, 0);
	assert_int_equal(seen.pdu[0].got, 5);
	assert_true(framer_midway(&f));
	assert_int_equal(framer_need(&f), 1);
}

static void a_data_segment_at_the_limit_is_taken(void **state)
{
	struct stream_of s = { .len = 0 };
	struct framer f = new_framer(0);
	struct seen seen;

	(void)state;
	f.max_data = 512;
	add_pdu(&s, 0x04, 0, 512, 0);
	seen = feed(&f, &s, s.len);
	assert_false(seen.refused);
	assert_int_equal(seen.pdus, 1);
}

static void a_data_segment_above_the_limit_is_refused(void **state)
{
	struct stream_of s = { .len = 0 };
	struct framer f = new_framer(0);
	struct seen seen;

	(void)state;
	f.max_data = 512;
	add_pdu(&s, 0x04, 0, 513, 0);
	seen = feed(&f, &s, s.len);
	assert_true(seen.refused);
	assert_int_equal(seen.refusal, FRAME_DATA_TOO_LONG);
	assert_int_equal(seen.pdu[0].got, 0);
}

static void the_longest_sensible_ahs_is_taken(void **state)
{
	struct stream_of s = { .len = 0 };
	struct framer f = new_framer(0);
	struct seen seen;

	(void)state;
	add_pdu(&s, 0x01, FRAMER_AHS_MAX / 4, 0, 0);
	seen = feed(&f, &s, 7);
	assert_false(seen.refused);
	assert_int_equal(seen.pdu[0].ahs_len, FRAMER_AHS_MAX);
}

static void a_longer_ahs_is_refused_however_it_arrives(void **state)
{
	(void)state;
	for (size_t step = 1; step < 120; step++) {
		struct stream_of s = { .len = 0 };
		struct framer f = new_framer(0);
		struct seen seen;

		add_pdu(&s, 0x01, FRAMER_AHS_MAX / 4 + 1, 0, 0);
		seen = feed(&f, &s, step);
		assert_true(seen.refused);
		assert_int_equal(seen.refusal, FRAME_AHS_TOO_LONG);
	}
}

static void after_a_refusal_nothing_more_is_read(void **state)
{
	struct stream_of s = { .len = 0 };
	struct framer f = new_framer(0);
	struct seen seen;

	(void)state;
	add_pdu(&s, 0x01, 255, 0, 0);
	feed(&f, &s, s.len);
	s.len = 0;
	add_pdu(&s, 0x01, 0, 0, 0);
	seen = feed(&f, &s, s.len);
	assert_true(seen.refused);
	assert_int_equal(seen.pdus, 0);
}

/* --- digests -------------------------------------------------------------------------------- */

static void a_wrong_header_digest_refuses_the_stream(void **state)
{
	(void)state;
	/* Each byte of header, AHS and digest in turn. */
	for (size_t at = 0; at < 48 + 4 + 4; at++) {
		struct stream_of s = { .len = 0 };
		struct framer f = new_framer(HEADER_DIGEST);
		struct seen seen;

		if (at == 4)
			continue; /* TotalAHSLength: another header, which has not come whole */
		add_pdu(&s, 0x01, 1, 0, HEADER_DIGEST);
		s.bytes[at] ^= 0x10;
		seen = feed(&f, &s, s.len);
		assert_true(seen.refused);
		assert_int_equal(seen.refusal, FRAME_HEADER_DIGEST);
	}
}

static void a_wrong_data_digest_is_told_and_the_stream_goes_on(void **state)
{
	(void)state;
	/* Each byte of data, padding and digest in turn. */
	for (size_t at = 48; at < 48 + 5 + 3 + 4; at++) {
		struct stream_of s = { .len = 0 };
		struct framer f = new_framer(DATA_DIGEST);
		struct seen seen;

		add_pdu(&s, 0x05, 0, 5, DATA_DIGEST);
		add_pdu(&s, 0x05, 0, 8, DATA_DIGEST);
		s.bytes[at] ^= 0x01;
		seen = feed(&f, &s, 9);
		assert_false(seen.refused);
		assert_int_equal(seen.pdus, 2);
		assert_false(seen.pdu[0].data_ok);
		assert_true(seen.pdu[1].data_ok);
	}
}

static void a_pdu_without_data_has_no_data_digest(void **state)
{
	struct stream_of s = { .len = 0 };
	struct framer f = new_framer(DATA_DIGEST);
	struct seen seen;

	(void)state;
	add_pdu(&s, 0x01, 0, 0, DATA_DIGEST);
	assert_int_equal(s.len, 48);
	add_pdu(&s, 0x01, 0, 0, DATA_DIGEST);
	seen = feed(&f, &s, s.len);
	assert_int_equal(seen.pdus, 2);
	assert_true(seen.pdu[0].data_ok);
}

static void digests_that_are_switched_on_between_pdus_hold_from_the_next_one(void **state)
{
	struct stream_of plain = { .len = 0 }, with = { .len = 0 };
	struct framer f = new_framer(0);
	struct seen seen;

	(void)state;
	add_pdu(&plain, 0x43, 0, 10, 0);
	seen = feed(&f, &plain, plain.len);
	assert_int_equal(seen.pdus, 1);
	f.header_digest = f.data_digest = true;
	add_pdu(&with, 0x01, 0, 10, HEADER_DIGEST | DATA_DIGEST);
	seen = feed(&f, &with, 13);
	assert_int_equal(seen.pdus, 1);
	assert_true(seen.pdu[0].data_ok);
}

/* --- receiving past the framer ---------------------------------------------------------------- */

static void data_that_bypass_the_framer_count_and_are_digested(void **state)
{
	struct stream_of s = { .len = 0 };
	struct framer f = new_framer(DATA_DIGEST);

	(void)state;
	add_pdu(&s, 0x05, 0, 100, DATA_DIGEST);
	framer_input(&f, s.bytes, 48 + 30);
	assert_int_equal(framer_next(&f), FRAME_HEADER);
	assert_int_equal(framer_next(&f), FRAME_DATA);
	assert_int_equal(f.chunk_len, 30);
	assert_int_equal(framer_next(&f), FRAME_MORE);
	assert_int_equal(framer_need(&f), 70);
	framer_bypass(&f, s.bytes + 48 + 30, 50);
	assert_int_equal(f.data_left, 20);
	assert_int_equal(framer_next(&f), FRAME_MORE);
	framer_bypass(&f, s.bytes + 48 + 80, 20);
	assert_int_equal(framer_next(&f), FRAME_MORE);
	assert_int_equal(framer_need(&f), 4);
	framer_input(&f, s.bytes + 48 + 100, 4);
	assert_int_equal(framer_next(&f), FRAME_END);
	assert_true(f.data_ok);
}

static void a_bypass_to_the_end_of_the_segment_ends_a_pdu_without_a_tail(void **state)
{
	struct stream_of s = { .len = 0 };
	struct framer f = new_framer(0);

	(void)state;
	add_pdu(&s, 0x05, 0, 64, 0);
	framer_input(&f, s.bytes, 48);
	assert_int_equal(framer_next(&f), FRAME_HEADER);
	assert_int_equal(framer_next(&f), FRAME_MORE);
	framer_bypass(&f, s.bytes + 48, 64);
	assert_int_equal(framer_next(&f), FRAME_END);
	assert_false(framer_midway(&f));
}

static void what_is_needed_is_never_more_than_what_is_to_come(void **state)
{
	struct stream_of s = { .len = 0 };
	struct framer f = new_framer(HEADER_DIGEST | DATA_DIGEST);
	struct seen seen = { 0 };

	(void)state;
	add_pdu(&s, 0x01, 3, 11, HEADER_DIGEST | DATA_DIGEST);
	for (size_t at = 0; at < s.len; at++) {
		assert_true(framer_need(&f) > 0);
		assert_true(framer_need(&f) <= s.len - at);
		framer_input(&f, s.bytes + at, 1);
		see(&seen, &f);
	}
	assert_int_equal(seen.pdus, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_pdus_of_one_read_come_out_one_by_one),
		cmocka_unit_test(any_way_of_cutting_the_stream_gives_the_same_pdus),
		cmocka_unit_test(padding_is_not_data),
		cmocka_unit_test(a_pdu_is_not_over_before_its_padding_has_come),
		cmocka_unit_test(a_data_segment_at_the_limit_is_taken),
		cmocka_unit_test(a_data_segment_above_the_limit_is_refused),
		cmocka_unit_test(the_longest_sensible_ahs_is_taken),
		cmocka_unit_test(a_longer_ahs_is_refused_however_it_arrives),
		cmocka_unit_test(after_a_refusal_nothing_more_is_read),
		cmocka_unit_test(a_wrong_header_digest_refuses_the_stream),
		cmocka_unit_test(a_wrong_data_digest_is_told_and_the_stream_goes_on),
		cmocka_unit_test(a_pdu_without_data_has_no_data_digest),
		cmocka_unit_test(digests_that_are_switched_on_between_pdus_hold_from_the_next_one),
		cmocka_unit_test(data_that_bypass_the_framer_count_and_are_digested),
		cmocka_unit_test(a_bypass_to_the_end_of_the_segment_ends_a_pdu_without_a_tail),
		cmocka_unit_test(what_is_needed_is_never_more_than_what_is_to_come),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
