/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a body asks for of a credential, and what becomes of a row by it: decoded here whole, and
 * laid over the row when the turn of the change has come. Pure.
 */
#ifndef MGMT_ONTAP_WISH_H
#define MGMT_ONTAP_WISH_H

#include "mgmt/ontap_address.h"
#include "mgmt/ontap_call.h"

/* One direction of CHAP. */
struct wish_side {
	bool cleared;     /* an empty object, or null */
	const char *user; /* NULL: not given */
	bool has_password;
	struct secret password;
};

struct wish {
	char initiator[CREDENTIAL_NAME_MAX + 1];
	const char *svm_uuid, *svm_name; /* NULL: not given */
	bool has_type;
	enum credential_type type;
	struct wish_side in, out;
	bool has_addresses;
	struct address_list addresses;
	char *source_text; /* of the row that wish_apply() has made */
};

enum wish_mode { WISH_REPLACES, WISH_ADDS, WISH_REMOVES };

/* Reads the body of a POST, or one of its records: a new row. Texts are borrowed from it. With
 * `strict` a password of less than 96 bits is refused. False, and *why; wish_free() in any case. */
bool wish_read_new(const json_t *body, bool strict, struct wish *out, struct ontap_fault *why);
/* The same of a PATCH; `initiator` is of the path, shorter than a name may be. */
bool wish_read_change(const json_t *body, const char *initiator, bool strict, struct wish *out,
	struct ontap_fault *why);
void wish_free(struct wish *w);

/* What `was` becomes; *row borrows from both. False, and *why: it cannot be. */
bool wish_apply(struct wish *w, enum wish_mode mode, const struct credential_spec *was,
	struct credential_spec *row, struct ontap_fault *why);

#endif
