/* SPDX-License-Identifier: BSD-2-Clause */
/* What everything hangs on where tests of the catalog have it fail: one number, put in two places. */
#ifndef TESTS_CATALOG_NUMBER_H
#define TESTS_CATALOG_NUMBER_H

#include "catalog/credential.h"
#include "catalog/setting.h"
#include "catalog_support.h"

/* Into a credential, sealed, and into a setting. For rig_run(), with the number as text. */
static inline int put_number(struct catalog_tx *tx, void *arg)
{
	const char *text = arg;
	struct catalog_credential c = { .scope_name = "t",
		.initiator = "i",
		.in_secret = { arg, strlen(text) },
		.origin = CATALOG_FROM_AWS };
	int err = catalog_credential_put(tx, &c);

	return err ? err : catalog_setting_put(tx, "number", text);
}

struct numbers {
	char secret[16], setting[16];
};

static inline int get_secret(const struct catalog_credential *c, void *arg)
{
	snprintf(arg, 16, "%.*s", (int)c->in_secret.len, (const char *)c->in_secret.bytes);
	return 0;
}

static inline int get_setting(const char *name, const char *value, void *arg)
{
	if (!strcmp(name, "number"))
		snprintf(arg, 16, "%s", value);
	return 0;
}

/* For rig_run(), with struct numbers of which what is not there stays as it is. */
static inline int get_numbers(struct catalog_tx *tx, void *arg)
{
	struct numbers *n = arg;
	int err = catalog_credential_load(tx, get_secret, n->secret);

	return err ? err : catalog_setting_load(tx, "", get_setting, n->setting);
}

#endif
