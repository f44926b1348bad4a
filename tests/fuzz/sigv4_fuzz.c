/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any value of Authorization and X-Amz-Date (the first line, and the rest): nothing that the fuzzer
 * does not know the secret of may be right.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/sigv4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const char *authorization, const char *date)
{
	static const char *const must[] = { "host", "x-amz-date", "x-amz-target" };
	const struct sigv4_header headers[] = {
		{ "Host", "127.0.0.1:8080" },
		{ "Content-Type", "application/x-amz-json-1.1" },
		{ "X-Amz-Target", "StorageGateway_20130630.ListGateways" },
		{ "Authorization", authorization },
		{ "X-Amz-Date", date },
	};
	const struct sigv4_request r = {
		.method = "POST",
		.target = "/",
		.headers = headers,
		.n_headers = sizeof(headers) / sizeof(headers[0]),
		.body = (const uint8_t *)"{}",
		.body_len = 2,
	};
	struct sigv4_rule rule = {
		.secret = "a secret that no input holds",
		.region = "us-east-1",
		.service = "storagegateway",
		.must = must,
		.n_must = 3,
	};
	struct sigv4_claim claim;
	struct sigv4_why why = { "" };
	enum sigv4_fault fault = sigv4_read(&r, &claim, &why);

	if (!fault) {
		rule.now = claim.seconds;
		fault = sigv4_check(&r, &claim, &rule, &why);
	}
	if (!fault || !*why.text)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char *date;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	date = strchr(text, '\n');
	if (date)
		*date++ = '\0';
	judge(text, date ? date : "");
	free(text);
	return 0;
}
