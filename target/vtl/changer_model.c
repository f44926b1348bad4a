/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The libraries that hosts can be shown, as rows.
 */
#include "vtl/changer_model.h"

#include <stddef.h>
#include <string.h>

// clang-format off
static const struct changer_model models[] = {
	[CHANGER_STK_L700] = { "STK-L700", "STK", "L700", "0104",
		.transport = 0, .drives = 500, .mail_slots = 10, .slots = 1000, .mail_room = 490 },
	[CHANGER_AWS_GATEWAY_VTL] = { "AWS-Gateway-VTL", "AWS", "Gateway-VTL", "0104",
		.transport = 0, .drives = 500, .mail_slots = 10, .slots = 1000, .mail_room = 490 },
	[CHANGER_IBM_03584L32] = { "IBM-03584L32-0402", "IBM", "03584L32", "0402",
		.transport = 1, .drives = 257, .mail_slots = 769, .slots = 1025, .mail_room = 256 },
};
// clang-format on

#define MODELS (sizeof(models) / sizeof(models[0]))

const struct changer_model *changer_model(enum changer_model_id id)
{
	return (size_t)id < MODELS ? &models[id] : NULL;
}

const struct changer_model *changer_model_named(const char *name)
{
	for (size_t i = 0; i < MODELS; i++)
		if (!strcmp(models[i].name, name))
			return &models[i];
	return NULL;
}
