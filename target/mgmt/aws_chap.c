/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CHAP credentials: rows of a target's scope in the one table that all dialects share.
 *
 * An answer to a change is sent when it is on stable storage, in force, and the target's
 * connections are closed. Secrets that were entrusted through this API are told by it, but not to a key
 * that may only read; those that came by another way are not told at all.
 */
#include <stdlib.h>
#include <string.h>

#include "mgmt/aws_arn.h"
#include "mgmt/aws_operations.h"
#include "mgmt/native_json.h"

/* The target that a request names. */
struct target_name {
	char text[REGISTRY_NAME_SIZE];
};

static void refuse_arn(struct aws_request *q, enum aws_code code)
{
	struct aws_arn gateway = aws_gateway_arn(aws_gateway(q));
	const char *arn = aws_member_text(q, "TargetARN");

	if (code == AWS_TARGET_NOT_FOUND)
		aws_blame(q, "there is no target of TargetARN %s", arn);
	else
		aws_blame(q, "TargetARN is none of ours, which are %s/target/NAME: %s",
			gateway.text, arn);
	aws_refuse(q, code);
}

/* False when the request has been refused. */
static bool find_target(struct aws_request *q, struct target_name *out)
{
	const char *name;
	enum aws_code code = aws_arn_target(aws_gateway(q), aws_member_text(q, "TargetARN"), &name);

	if (!code && !registry_initiator_name(name, out->text))
		code = AWS_TARGET_INVALID;
	if (!code && !registry_svm_of(q->registry, out->text))
		code = AWS_TARGET_NOT_FOUND;
	if (code)
		refuse_arn(q, code);
	return !code;
}

/* The pattern has been checked; "default" is a word of others for their rows. */
static bool is_initiator(const char *name)
{
	return !strncmp(name, "iqn.", 4) || !strncmp(name, "eui.", 4) || !strncmp(name, "naa.", 4);
}

/* --- describe ------------------------------------------------------------------------------- */

static json_t *secret_json(struct secret_view s)
{
	return json_stringn((const char *)s.bytes, s.len);
}

static json_t *chap_info(const char *arn, const struct credential_spec *row, bool with_secrets)
{
	struct object o = object_begin();

	object_put(&o, "TargetARN", json_string(arn));
	object_put(&o, "InitiatorName", json_of_text(row->initiator));
	if (with_secrets)
		object_put(&o, "SecretToAuthenticateInitiator", secret_json(row->in_secret));
	if (with_secrets && row->out_secret.bytes)
		object_put(&o, "SecretToAuthenticateTarget", secret_json(row->out_secret));
	return object_end(&o);
}

/* Of all rows those that say how one initiator proves itself. */
static bool is_shown(const struct credential_spec *row)
{
	return row->type == CREDENTIAL_CHAP && strcmp(row->initiator, CREDENTIAL_DEFAULT) != 0;
}

/* Adds the rows of a scope; of an SVM only those that the target has none of its own for. */
static int add_rows(const struct aws_request *q, json_t *list, enum credential_scope scope,
	const char *name, const char *target)
{
	const char *arn = aws_member_text(q, "TargetARN");
	bool trusted = !call_is_read_only(q->call);
	struct registry_rows rows;
	int err = registry_rows_of(q->registry, scope, name, &rows);

	if (err)
		return err;
	for (size_t i = 0; i < rows.n; i++) {
		const struct credential_spec *row = &rows.row[i]->spec;

		if (!is_shown(row) ||
			(scope == CREDENTIAL_OF_SVM &&
				table_find(registry_credentials(q->registry), CREDENTIAL_OF_TARGET,
					target, row->initiator)))
			continue;
		err |= json_array_append_new(list,
			chap_info(arn, row, trusted && row->origin == CREDENTIAL_FROM_AWS));
	}
	registry_rows_end(&rows);
	return err;
}

void aws_describe_chap_credentials(struct aws_request *q)
{
	struct target_name target;
	json_t *list;

	if (!find_target(q, &target))
		return;
	list = json_array();
	if (add_rows(q, list, CREDENTIAL_OF_TARGET, target.text, target.text) ||
		add_rows(q, list, CREDENTIAL_OF_SVM, registry_svm_of(q->registry, target.text),
			target.text)) {
		json_decref(list);
		aws_reply(q, NULL);
		return;
	}
	aws_reply(q, json_pack("{s:o}", "ChapCredentials", list));
}

/* --- changes -------------------------------------------------------------------------------- */

/* A change that somebody waits for. The request's body holds all texts. */
struct chap_change {
	struct aws_request *request;
	struct target_name target;
	const char *initiator;
	bool removes;
	bool denied; /* the plan has met a row that forbids */
};

static struct secret_view secret_of(const struct aws_request *q, const char *name)
{
	const json_t *j = aws_member(q, name);

	return (struct secret_view){ (const uint8_t *)json_string_value(j), json_string_length(j) };
}

/* A row that another dialect wrote for this initiator goes, but not what it says of addresses. One
 * that forbids stays: whoever set it has to take it back. */
static bool plan_put(struct chap_change *ch, struct registry_plan *p)
{
	const struct aws_request *q = ch->request;
	const struct credential *was =
		registry_plan_find(p, CREDENTIAL_OF_TARGET, ch->target.text, ch->initiator);
	const struct credential_spec row = {
		.scope = CREDENTIAL_OF_TARGET,
		.scope_name = ch->target.text,
		.initiator = ch->initiator,
		.type = CREDENTIAL_CHAP,
		.in_secret = secret_of(q, "SecretToAuthenticateInitiator"),
		.out_secret = secret_of(q, "SecretToAuthenticateTarget"),
		.source_text = was ? was->spec.source_text : NULL,
	};

	ch->denied = was && was->spec.type == CREDENTIAL_DENY;
	if (ch->denied)
		return false;
	registry_plan_put(p, &row);
	return true;
}

/* What is not shown cannot be deleted either. */
static bool plan_remove(struct chap_change *ch, struct registry_plan *p)
{
	const struct credential *was =
		registry_plan_find(p, CREDENTIAL_OF_TARGET, ch->target.text, ch->initiator);

	if (was && !is_shown(&was->spec))
		return false;
	registry_plan_remove(p, CREDENTIAL_OF_TARGET, ch->target.text, ch->initiator);
	return true;
}

static bool plan(void *arg, struct registry_plan *p)
{
	struct chap_change *ch = arg;

	return ch->removes ? plan_remove(ch, p) : plan_put(ch, p);
}

static void refuse_outcome(struct chap_change *ch, const struct registry_outcome *outcome)
{
	struct aws_request *q = ch->request;
	char text[1024];

	switch (outcome->result) {
	case REGISTRY_NO_ROW: aws_refuse(q, AWS_INITIATOR_NOT_FOUND); break;
	case REGISTRY_NO_SCOPE: aws_refuse(q, AWS_TARGET_NOT_FOUND); break;
	case REGISTRY_FAULTY: aws_refuse_because(q, AWS_INVALID_PARAMETERS, outcome->text); break;
	case REGISTRY_DECLINED:
		if (ch->denied)
			aws_refuse_with(q, AWS_NOT_SUPPORTED,
				"The specified operation is not supported: the initiator is "
				"denied this target.");
		else
			aws_refuse(q, AWS_INITIATOR_NOT_FOUND);
		break;
	case REGISTRY_DECLARED:
		snprintf(text, sizeof(text), "%s The reason: %s.", aws_code_text(AWS_NOT_SUPPORTED),
			outcome->text);
		aws_refuse_with(q, AWS_NOT_SUPPORTED, text);
		break;
	case REGISTRY_NO_MEMORY:
	case REGISTRY_STOPPING: aws_refuse(q, AWS_SERVICE_UNAVAILABLE); break;
	default: aws_refuse(q, AWS_INTERNAL_ERROR);
	}
}

static void done(void *arg, const struct registry_outcome *outcome)
{
	struct chap_change *ch = arg;
	struct aws_request *q = ch->request;

	if (outcome->result == REGISTRY_DONE)
		aws_reply(q, json_pack("{s:s, s:s}", "TargetARN", aws_member_text(q, "TargetARN"),
				     "InitiatorName", ch->initiator));
	else
		refuse_outcome(ch, outcome);
	free(ch);
}

/* Equal secrets, and those that serve the other direction somewhere, are the table's to refuse. */
static bool are_secrets(const struct aws_request *q)
{
	struct secret_view in = secret_of(q, "SecretToAuthenticateInitiator"),
			   out = secret_of(q, "SecretToAuthenticateTarget");

	return !secret_check(in.len, SECRET_RULE_PORTABLE) &&
	       (!out.bytes || !secret_check(out.len, SECRET_RULE_PORTABLE));
}

/* Makes the change, unless what it is about cannot be. */
static void change(struct aws_request *q, bool removes)
{
	struct target_name target;
	const char *initiator = aws_member_text(q, "InitiatorName");
	struct chap_change *ch;

	if (!find_target(q, &target))
		return;
	if (!is_initiator(initiator)) {
		aws_refuse_because(q, AWS_INITIATOR_INVALID,
			"InitiatorName begins with none of iqn., eui. and naa.");
		return;
	}
	if (!removes && !are_secrets(q)) {
		aws_refuse_because(q, AWS_INVALID_PARAMETERS, "a secret has 12 to 16 bytes");
		return;
	}
	ch = calloc(1, sizeof(*ch));
	if (!ch) {
		aws_reply(q, NULL);
		return;
	}
	*ch = (struct chap_change){ q, target, initiator, removes, false };
	registry_change(q->registry, &(struct registry_change){
					     .origin = CREDENTIAL_FROM_AWS,
					     .who = call_who(q->call),
					     .plan = plan,
					     .done = done,
					     .arg = ch,
				     });
}

void aws_update_chap_credentials(struct aws_request *q)
{
	change(q, false);
}

void aws_delete_chap_credentials(struct aws_request *q)
{
	change(q, true);
}
