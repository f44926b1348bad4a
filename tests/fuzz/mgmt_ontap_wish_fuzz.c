/* SPDX-License-Identifier: BSD-2-Clause */
/* Any body, as a new credential and as a change of one: what comes of it holds together. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/ontap_wish.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct credential_spec was = {
	.scope = CREDENTIAL_OF_SVM,
	.scope_name = "svm1",
	.initiator = "iqn.1995-08.com.example:host1",
	.type = CREDENTIAL_CHAP,
	.in_user = "user1",
	.in_secret = { (const uint8_t *)"111111111111", 12 },
	.out_user = "",
	.source_text = "10.0.0.1-10.0.0.5, 10.1.0.0/16",
};

static void check(const struct credential_spec *row)
{
	bool chap = row->type == CREDENTIAL_CHAP;

	if (chap != !!row->in_secret.bytes || (!chap && row->out_secret.bytes) ||
		secret_equal(row->in_secret, row->out_secret))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *body = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	struct credential_spec row;
	struct ontap_fault why = { 0 };
	struct wish w;

	if (json_is_object(body)) {
		if (wish_read_new(body, false, &w, &why) != !why.status)
			abort();
		wish_free(&w);
		for (int mode = WISH_REPLACES; mode <= WISH_REMOVES; mode++) {
			if (wish_read_change(body, was.initiator, false, &w, &why) &&
				wish_apply(&w, (enum wish_mode)mode, &was, &row, &why))
				check(&row);
			wish_free(&w);
		}
	}
	json_decref(body);
	return 0;
}
