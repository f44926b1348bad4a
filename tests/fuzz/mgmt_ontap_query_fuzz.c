/* SPDX-License-Identifier: BSD-2-Clause */
/* Any query, on a few records: no more is shown than there is, and its pages come to an end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/ontap_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// clang-format off
static const struct query_leaf leaves[] = {
	{ "id",        true,  true },
	{ "size",      false, false },
	{ "who.user",  false, false },
	{ "net.ip",    false, true },
};
// clang-format on
static const struct query_shape shape = { leaves, 4, 0 };
static const char *const keys[] = { "a", "b", "c" };
#define RECORDS (sizeof(keys) / sizeof(keys[0]))

static const char *key(void *arg, size_t i)
{
	(void)arg;
	return keys[i];
}

static json_t *record(void *arg, size_t i)
{
	(void)arg;
	return json_pack("{s:s, s:I, s:{s:s}, s:[{s:s}, {s:s}]}", "id", keys[i], "size",
		(json_int_t)i, "who", "user", "x|y", "net", "ip", "10.0.0.1", "ip", "::1");
}

/* Follows the pages from a query on. */
static void walk(const char *text)
{
	const struct query_source source = { .n = RECORDS, .key = key, .record = record };
	char *at = strdup(text);
	size_t pages = 0;

	while (at) {
		struct query_page page = { 0 };
		struct query_fault why;
		struct query *q;

		if (!query_parse(at, &shape, 0xff, &q, &why)) {
			if (pages)
				abort(); /* our own link is always a query */
			break;
		}
		if (!query_run(q, &source, &page) || page.n > RECORDS || ++pages > RECORDS + 1)
			abort();
		json_decref(page.records);
		query_free(q);
		free(at);
		at = page.next;
	}
	free(at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	walk(text);
	free(text);
	return 0;
}
