/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Negotiation: two bytes choose the policy and the situation, the rest is text. A line feed ends
 * a request, which is answered; a form feed ends it and asks for full feature phase. Whatever is
 * said, the parameters in force stay within the RFC's ranges and our limits.
 */
#include "iscsi/negotiate.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static struct iscsi_policy policy_of(uint8_t choice)
{
	return (struct iscsi_policy){
		.max_recv_data_segment_length = 262144,
		.max_burst_length = choice & 1 ? 16776192 : 32768,
		.first_burst_length = 32768,
		.max_outstanding_r2t = 16,
		.max_connections = 4,
		.initial_r2t = choice & 2,
		.immediate_data = choice & 4,
		.header_digest = (enum digest_policy)((choice >> 3 & 3) % 3),
		.data_digest = (enum digest_policy)((choice >> 5 & 3) % 3),
		.time2wait = 2,
		.time2retain = 20,
	};
}

static void check_params(const struct params *p, const struct iscsi_policy *policy)
{
	must(p->max_burst_length >= 512 && p->max_burst_length <= DATA_SEGMENT_MAX);
	must(p->first_burst_length >= 512 && p->first_burst_length <= p->max_burst_length);
	must(p->max_outstanding_r2t >= 1 && p->max_outstanding_r2t <= policy->max_outstanding_r2t);
	must(p->max_connections >= 1 && p->max_connections <= policy->max_connections);
	must(p->time2wait <= 3600 && p->time2retain <= 3600);
	must(p->send_max >= 512 && p->send_max <= DATA_SEGMENT_MAX);
	must(p->recv_max == 8192 || p->recv_max == policy->max_recv_data_segment_length);
	must(p->data_pdu_in_order && p->data_sequence_in_order && !p->error_recovery_level);
	must(policy->header_digest != DIGEST_NEVER || !p->header_digest);
	must(policy->data_digest != DIGEST_NEVER || !p->data_digest);
}

/* What we say must be text that we could read, and no longer than the keys that we know, the
 * unknown ones that we count and their names allow. */
static void check_answer(struct key_out *out)
{
	struct key_buf b = { 0 };
	struct key_pair pair;
	const char *piece;
	enum key_step step;

	must(out->err == 0);
	size_t n = key_out_take(out, KEY_TEXT_MAX, &piece);
	must(key_buf_add(&b, piece, n) == 0);
	struct key_reader r = key_reader_of(&b);
	while ((step = key_next(&r, &pair)) == KEY_STEP_PAIR)
		must(pair.value_len && pair.value_len <= KEY_VALUE_MAX);
	must(step == KEY_STEP_END);
	key_buf_free(&b);
	key_out_free(out);
}

/* One request; false ends the negotiation. */
static bool request(struct negotiation *n, const uint8_t *text, size_t len, bool last)
{
	struct key_out out = key_out_of(KEY_TEXT_MAX);
	struct key_buf b = { 0 };
	struct key_pair pair;
	enum negotiate_result result = NEGOTIATE_OK;

	if (key_buf_add(&b, text, len) == 0) {
		struct key_reader r = key_reader_of(&b);
		while (result == NEGOTIATE_OK && key_next(&r, &pair) == KEY_STEP_PAIR)
			result = negotiate_key(n, &pair, &out);
	}
	key_buf_free(&b);
	if (result == NEGOTIATE_OK) {
		negotiate_reply(n, &out);
		if (last)
			result = negotiate_finish(n, &out);
		if (last && result == NEGOTIATE_OK)
			check_params(&n->params, n->policy);
	}
	must(result == NEGOTIATE_OK || result == NEGOTIATE_MORE || n->why);
	check_answer(&out);
	return result == NEGOTIATE_OK || result == NEGOTIATE_MORE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum login_stage stages[] = { STAGE_OPERATIONAL, STAGE_OPERATIONAL,
		STAGE_SECURITY, STAGE_FULL_FEATURE };
	struct negotiation n;

	if (size < 2)
		return 0;
	struct iscsi_policy policy = policy_of(data[0]);
	struct params in_force = params_default;
	in_force.first_burst_length = in_force.max_burst_length = 32768;
	negotiate_init(
		&n, &policy, stages[data[1] & 3], data[1] & 4, data[1] & 8 ? &in_force : NULL);
	n.discovery = data[1] & 16;
	data += 2;
	size -= 2;
	for (;;) {
		size_t len = 0;
		while (len < size && data[len] != '\n' && data[len] != '\f')
			len++;
		if (!request(&n, data, len, len == size || data[len] == '\f') || len == size)
			return 0;
		data += len + 1;
		size -= len + 1;
	}
}
