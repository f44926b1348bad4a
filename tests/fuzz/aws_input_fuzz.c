/* SPDX-License-Identifier: BSD-2-Clause */
/* Any body at a table with every kind of member: what is said of it must be text that can be sent. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/aws_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// clang-format off
static const struct aws_member members[] = {
	{ "Name",   AWS_TEXT,   AWS_REQUIRED,                 1, 255, &aws_iqn_pattern },
	{ "Secret", AWS_TEXT,   AWS_REQUIRED | AWS_SENSITIVE, 1, 100, NULL },
	{ "Limit",  AWS_NUMBER, 0,                            1, 10,  NULL },
	{ "Flag",   AWS_BOOL,   0,                            0, 0,   NULL },
	{ "ARNs",   AWS_TEXTS,  0,                            5, 50,  NULL },
	{ "Tags",   AWS_TAGS,   0,                            0, 0,   NULL },
};
// clang-format on
#define N (sizeof(members) / sizeof(members[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *body = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL), *shown;
	char text[AWS_INPUT_TEXT] = "";

	if (json_is_object(body) && aws_input_types(members, N, body)) {
		bool good = aws_input_check(members, N, body, text);

		if (good != !*text)
			abort();
		shown = json_string(text);
		if (!shown)
			abort();
		json_decref(shown);
	}
	json_decref(body);
	return 0;
}
