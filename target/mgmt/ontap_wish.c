/* SPDX-License-Identifier: BSD-2-Clause */
/* Bodies of credentials. No refusal quotes a value that may be a password. */
#include "mgmt/ontap_wish.h"

#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "mgmt/native_json.h"
#include "mgmt/ontap_name.h"

#define USER_MAX 128 /* characters */

/* --- members -------------------------------------------------------------------------------- */

static bool bad(struct ontap_fault *why, const char *field)
{
	return ontap_fault(
		why, HTTP_BADREQUEST, "262185", field, "Invalid value for field \"%s\".", field);
}

static bool missing(struct ontap_fault *why, const char *field)
{
	return ontap_fault(
		why, HTTP_BADREQUEST, "262278", field, "Field \"%s\" is required.", field);
}

/* Whether the object has members of these names alone. */
static bool has_only(const json_t *object, const char *const names[], struct ontap_fault *why)
{
	const char *stranger = json_stranger(object, names);

	return !stranger || ontap_fault(why, HTTP_BADREQUEST, "262179", NULL,
				    "Unexpected argument \"%.100s\".", stranger);
}

static bool is_given(const json_t *j)
{
	return j && !json_is_null(j);
}

static size_t characters(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* The digits behind "0x", as bytes. */
static bool read_hex(const char *digits, struct secret *out)
{
	uint8_t bytes[SECRET_MAX];
	size_t n = strlen(digits);
	bool ok = n && n % 2 == 0 && n / 2 <= sizeof(bytes);

	for (size_t i = 0; ok && i < n; i += 2) {
		int high = hex_digit(digits[i]), low = hex_digit(digits[i + 1]);

		ok = high >= 0 && low >= 0;
		bytes[i / 2] = (uint8_t)(ok ? high << 4 | low : 0);
	}
	ok = ok && secret_set(out, bytes, n / 2);
	explicit_bzero(bytes, sizeof(bytes));
	return ok;
}

static bool read_password(const json_t *j, const char *field, bool strict, struct wish_side *out,
	struct ontap_fault *why)
{
	const char *text = json_string_value(j);

	if (!is_given(j))
		return true;
	if (!text || !*text || strlen(text) > SECRET_MAX)
		return bad(why, field);
	if (text[0] == '0' && (text[1] | 0x20) == 'x') {
		if (!read_hex(text + 2, &out->password))
			return ontap_fault(why, HTTP_BADREQUEST, "5374145", field,
				"The iSCSI security password must contain an even number of "
				"valid hex digits.");
	} else if (!secret_set(&out->password, text, strlen(text))) {
		return bad(why, field);
	}
	if (strict && out->password.len < SECRET_STRONG)
		return ontap_fault(why, HTTP_BADREQUEST, "2", field,
			"The password must have at least %d bytes.", SECRET_STRONG);
	out->has_password = true;
	return true;
}

static bool read_user(
	const json_t *j, const char *field, struct wish_side *out, struct ontap_fault *why)
{
	const char *text = json_string_value(j);

	if (!is_given(j))
		return true;
	if (!text || !*text || characters(text) > USER_MAX)
		return bad(why, field);
	out->user = text;
	return true;
}

static bool read_side(const json_t *chap, const char *name, const char *const fields[3],
	bool strict, struct wish_side *out, struct ontap_fault *why)
{
	static const char *const members[] = { "user", "password", NULL };
	const json_t *j = json_object_get(chap, name);

	if (!j)
		return true;
	if (!json_is_object(j) && !json_is_null(j))
		return bad(why, fields[0]);
	out->cleared = !json_object_size(j);
	return has_only(j, members, why) &&
	       read_user(json_object_get(j, "user"), fields[1], out, why) &&
	       read_password(json_object_get(j, "password"), fields[2], strict, out, why);
}

static bool read_chap(const json_t *j, bool strict, struct wish *w, struct ontap_fault *why)
{
	static const char *const in[] = { "chap.inbound", "chap.inbound.user",
		"chap.inbound.password" };
	static const char *const out[] = { "chap.outbound", "chap.outbound.user",
		"chap.outbound.password" };
	static const char *const members[] = { "inbound", "outbound", NULL };

	if (!is_given(j))
		return true;
	if (!json_is_object(j))
		return bad(why, "chap");
	return has_only(j, members, why) && read_side(j, "inbound", in, strict, &w->in, why) &&
	       read_side(j, "outbound", out, strict, &w->out, why);
}

static bool read_type(const json_t *j, struct wish *w, struct ontap_fault *why)
{
	static const char *const words[] = {
		[CREDENTIAL_CHAP] = "chap", [CREDENTIAL_NONE] = "none", [CREDENTIAL_DENY] = "deny"
	};
	const char *text = json_string_value(j);

	if (!is_given(j))
		return true;
	if (!text)
		return bad(why, "authentication_type");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) != 0)
			continue;
		w->has_type = true;
		w->type = (enum credential_type)i;
		return true;
	}
	return ontap_fault(why, HTTP_BADREQUEST, "262197", "authentication_type",
		"The value \"%.64s\" is invalid for field \"authentication_type\".", text);
}

static bool read_initiator(const json_t *j, struct wish *w, struct ontap_fault *why)
{
	const char *text = json_string_value(j);
	enum name_fault fault;

	if (!is_given(j))
		return missing(why, "initiator");
	if (!text)
		return bad(why, "initiator");
	if (!strcmp(text, CREDENTIAL_DEFAULT)) {
		strcpy(w->initiator, text);
		return true;
	}
	fault = name_check(text, w->initiator);
	return !fault || ontap_fault(why, HTTP_BADREQUEST, name_fault_code(fault), "initiator",
				 "%s", name_fault_text(fault));
}

static bool read_svm(const json_t *j, struct wish *w, struct ontap_fault *why)
{
	static const char *const members[] = { "uuid", "name", "_links", NULL };
	const json_t *uuid = json_object_get(j, "uuid"), *name = json_object_get(j, "name");

	if (!is_given(j))
		return true;
	if (!json_is_object(j))
		return bad(why, "svm");
	if (!has_only(j, members, why))
		return false;
	w->svm_uuid = json_string_value(uuid);
	w->svm_name = json_string_value(name);
	if (is_given(uuid) && !w->svm_uuid)
		return bad(why, "svm.uuid");
	return !is_given(name) || w->svm_name || bad(why, "svm.name");
}

static bool read_addresses(const json_t *j, struct wish *w, struct ontap_fault *why)
{
	struct address_fault fault;

	if (!j)
		return true;
	w->has_addresses = true;
	if (address_read(j, &w->addresses, &fault))
		return true;
	return fault.code &&
	       ontap_fault(why, HTTP_BADREQUEST, fault.code, fault.target, "%s", fault.text);
}

/* --- bodies --------------------------------------------------------------------------------- */

static bool check_members(const json_t *body, bool is_new, struct ontap_fault *why)
{
	static const char *const members[] = { "authentication_type", "chap", "initiator_address",
		"_links", "initiator", "svm", NULL };

	if (!is_new && json_object_get(body, "initiator"))
		return ontap_fault(why, HTTP_BADREQUEST, "262196", "initiator",
			"Field \"initiator\" cannot be set in this operation");
	return has_only(body, members, why);
}

static bool read_common(const json_t *body, bool strict, struct wish *w, struct ontap_fault *why)
{
	return read_type(json_object_get(body, "authentication_type"), w, why) &&
	       read_chap(json_object_get(body, "chap"), strict, w, why) &&
	       read_addresses(json_object_get(body, "initiator_address"), w, why);
}

bool wish_read_new(const json_t *body, bool strict, struct wish *out, struct ontap_fault *why)
{
	*out = (struct wish){ 0 };
	if (!json_is_object(body))
		return bad(why, "records");
	if (!check_members(body, true, why) || !read_svm(json_object_get(body, "svm"), out, why) ||
		!read_initiator(json_object_get(body, "initiator"), out, why) ||
		!read_common(body, strict, out, why))
		return false;
	return out->has_type || missing(why, "authentication_type");
}

bool wish_read_change(const json_t *body, const char *initiator, bool strict, struct wish *out,
	struct ontap_fault *why)
{
	*out = (struct wish){ 0 };
	strcpy(out->initiator, initiator);
	return check_members(body, false, why) &&
	       read_svm(json_object_get(body, "svm"), out, why) &&
	       read_common(body, strict, out, why);
}

void wish_free(struct wish *w)
{
	secret_wipe(&w->in.password);
	secret_wipe(&w->out.password);
	address_free(&w->addresses);
	free(w->source_text);
	w->source_text = NULL;
}

/* --- laying it over a row ------------------------------------------------------------------- */

static bool touches(const struct wish_side *side)
{
	return side->user || side->has_password;
}

static void drop_chap(struct credential_spec *row)
{
	static const struct secret_view none;

	row->in_user = row->out_user = "";
	row->in_secret = row->out_secret = row->old_secret = row->old_out_secret = none;
	row->old_until = 0;
}

static bool needs_inbound(struct ontap_fault *why)
{
	return ontap_fault(why, HTTP_BADREQUEST, "5374149", "chap.inbound",
		"The inbound user and password properties are required for CHAP authentication.");
}

/* A password that is not given stays, as long as it is the same user's. */
static bool apply_inbound(
	const struct wish *w, struct credential_spec *row, struct ontap_fault *why)
{
	bool had = row->in_secret.bytes;
	const char *stored = *row->in_user ? row->in_user : row->initiator;
	const char *user = w->in.user ? w->in.user : had ? stored : NULL;

	if (!user)
		return needs_inbound(why);
	if (w->in.has_password) {
		row->in_secret = secret_view(&w->in.password);
		row->old_secret = row->old_out_secret = (struct secret_view){ 0 };
		row->old_until = 0;
	} else if (!had || strcmp(user, stored) != 0) {
		return needs_inbound(why);
	}
	row->in_user = user;
	return true;
}

static bool apply_outbound(
	const struct wish *w, struct credential_spec *row, struct ontap_fault *why)
{
	if (w->out.cleared) {
		row->out_user = "";
		row->out_secret = (struct secret_view){ 0 };
		return true;
	}
	if (!touches(&w->out))
		return true;
	if (w->out.user)
		row->out_user = w->out.user;
	if (w->out.has_password)
		row->out_secret = secret_view(&w->out.password);
	if (!row->out_secret.bytes)
		return ontap_fault(why, HTTP_BADREQUEST, "5374150", "chap.outbound.password",
			"Outbound CHAP authentication requires an outbound password.");
	return *row->out_user || missing(why, "chap.outbound.user");
}

static bool apply_chap(const struct wish *w, struct credential_spec *row, struct ontap_fault *why)
{
	if (row->type != CREDENTIAL_CHAP) {
		drop_chap(row);
		if (touches(&w->in) || touches(&w->out))
			return ontap_fault(why, HTTP_BADREQUEST, "5374900", "chap",
				"Setting the CHAP authentication properties are not supported with "
				"authentication types none or deny.");
		return true;
	}
	if (!apply_inbound(w, row, why) || !apply_outbound(w, row, why))
		return false;
	return !secret_equal(row->in_secret, row->out_secret) ||
	       ontap_fault(why, HTTP_BADREQUEST, "5374147", "chap.outbound.password",
		       "The CHAP inbound and outbound passwords must be different.");
}

static bool apply_addresses(
	struct wish *w, enum wish_mode mode, struct credential_spec *row, struct ontap_fault *why)
{
	struct address_list list;
	bool ok;

	if (!w->has_addresses)
		return true;
	if (w->addresses.n && !strcasecmp(row->initiator, CREDENTIAL_DEFAULT))
		return ontap_fault(why, HTTP_BADREQUEST, "5374155", "initiator_address",
			"The functionality is not supported for the default security credential.");
	*why = (struct ontap_fault){ 0 };
	ok = address_parse(row->source_text, &list);
	if (ok && mode == WISH_REMOVES)
		address_remove(&list, &w->addresses);
	else if (ok)
		ok = mode == WISH_ADDS ? address_add(&list, &w->addresses)
				       : address_replace(&list, &w->addresses);
	if (ok)
		w->source_text = address_text(&list);
	address_free(&list);
	row->source_text = w->source_text;
	return ok && w->source_text;
}

bool wish_apply(struct wish *w, enum wish_mode mode, const struct credential_spec *was,
	struct credential_spec *row, struct ontap_fault *why)
{
	*row = *was;
	if (w->has_type)
		row->type = w->type;
	return apply_chap(w, row, why) && apply_addresses(w, mode, row, why);
}
