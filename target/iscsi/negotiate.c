/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of keys, and the engine that walks it. An offer is parsed when it comes, judged when
 * the request is complete, and answered in the order in which it came.
 */
#include "iscsi/negotiate.h"

#include <assert.h>
#include <string.h>

#define BIT(id) (UINT64_C(1) << (id))

static_assert(KEY_COUNT <= 64, "sets of keys are 64 bits");

/* --- the table ------------------------------------------------------------------------------ */

#define IN_LOGIN   (KEY_IN_SECURITY | KEY_IN_OPERATIONAL)
#define IN_ALL     (IN_LOGIN | KEY_IN_FULL_FEATURE)
#define BY_BOTH    (KEY_BY_INITIATOR | KEY_BY_TARGET)
/* "Use: LO, Senders: Initiator and Target, Scope: SW". */
#define LO_SW      (KEY_IN_OPERATIONAL | BY_BOTH | KEY_LEADING_ONLY | KEY_SESSION_WIDE)
/* "Use: IO, Senders: Initiator and Target, Scope: CO". */
#define IO_CO      (KEY_IN_OPERATIONAL | BY_BOTH)
/* "Irrelevant when: SessionType=Discovery". */
#define NO_DISC    KEY_NOT_IN_DISCOVERY
/* What the login machine declares and compares; kinds KEY_DECLARED_TEXT. */
#define WHO        (KEY_SESSION_WIDE | KEY_REPEATABLE)
#define LENGTH_MAX DATA_SEGMENT_MAX

/* clang-format off */
static const struct key_rule rules[KEY_COUNT] = {
	/* RFC 7143 13.3 to 13.9, 13.21 */
	[KEY_INITIATOR_NAME] = { "InitiatorName", KEY_LOGIN, KEY_DECLARED_TEXT,
		IN_LOGIN | KEY_BY_INITIATOR | WHO, KEY_VALUE_MAX, 0, 0, 0 },
	[KEY_INITIATOR_ALIAS] = { "InitiatorAlias", KEY_LOGIN, KEY_DECLARED_TEXT,
		IN_ALL | KEY_BY_INITIATOR | WHO, KEY_VALUE_MAX, 0, 0, 0 },
	[KEY_TARGET_NAME] = { "TargetName", KEY_LOGIN, KEY_DECLARED_TEXT,
		IN_LOGIN | BY_BOTH | WHO, KEY_VALUE_MAX, 0, 0, 0 },
	[KEY_TARGET_ALIAS] = { "TargetAlias", KEY_LOGIN, KEY_DECLARED_TEXT,
		IN_ALL | KEY_BY_TARGET | WHO, KEY_VALUE_MAX, 0, 0, 0 },
	[KEY_TARGET_ADDRESS] = { "TargetAddress", KEY_LOGIN, KEY_DECLARED_TEXT,
		IN_ALL | KEY_BY_TARGET | WHO, KEY_VALUE_MAX, 0, 0, 0 },
	[KEY_TARGET_PORTAL_GROUP_TAG] = { "TargetPortalGroupTag", KEY_LOGIN, KEY_DECLARED_NUMBER,
		IN_LOGIN | KEY_BY_TARGET | WHO, KEY_VALUE_MAX, 0, 65535, 0 },
	[KEY_SESSION_TYPE] = { "SessionType", KEY_LOGIN, KEY_DECLARED_TEXT,
		IN_LOGIN | KEY_BY_INITIATOR | WHO, KEY_VALUE_MAX, 0, 0, 0 },
	[KEY_SEND_TARGETS] = { "SendTargets", KEY_TEXT, KEY_DECLARED_TEXT,
		KEY_IN_FULL_FEATURE | KEY_BY_INITIATOR | KEY_SESSION_WIDE, KEY_VALUE_MAX, 0, 0, 0 },

	/* 12.1 */
	[KEY_AUTH_METHOD] = { "AuthMethod", KEY_SECURITY, KEY_LIST,
		KEY_IN_SECURITY | BY_BOTH | KEY_REPEATABLE, KEY_VALUE_MAX, 0, 0, 0 },
	[KEY_CHAP_A] = { "CHAP_A", KEY_SECURITY, KEY_LIST,
		KEY_IN_SECURITY | BY_BOTH, KEY_VALUE_MAX, 0, 0, 0 },
	[KEY_CHAP_I] = { "CHAP_I", KEY_SECURITY, KEY_DECLARED_NUMBER,
		KEY_IN_SECURITY | BY_BOTH, KEY_VALUE_MAX, 0, 255, 0 },
	[KEY_CHAP_C] = { "CHAP_C", KEY_SECURITY, KEY_DECLARED_TEXT,
		KEY_IN_SECURITY | BY_BOTH, KEY_BINARY_MAX, 0, 0, 0 },
	[KEY_CHAP_N] = { "CHAP_N", KEY_SECURITY, KEY_DECLARED_TEXT,
		KEY_IN_SECURITY | BY_BOTH, KEY_VALUE_MAX, 0, 0, 0 },
	[KEY_CHAP_R] = { "CHAP_R", KEY_SECURITY, KEY_DECLARED_TEXT,
		KEY_IN_SECURITY | BY_BOTH, KEY_BINARY_MAX, 0, 0, 0 },

	/* 13.1, 13.2, 13.10 to 13.20, 13.23, 13.24 */
	[KEY_HEADER_DIGEST] = { "HeaderDigest", KEY_OPERATIONAL, KEY_LIST,
		IO_CO, KEY_VALUE_MAX, 0, 0, 0 },
	[KEY_DATA_DIGEST] = { "DataDigest", KEY_OPERATIONAL, KEY_LIST,
		IO_CO, KEY_VALUE_MAX, 0, 0, 0 },
	[KEY_MAX_CONNECTIONS] = { "MaxConnections", KEY_OPERATIONAL, KEY_NUMBER_MIN,
		LO_SW | NO_DISC, KEY_VALUE_MAX, 1, 65535, 1 },
	[KEY_INITIAL_R2T] = { "InitialR2T", KEY_OPERATIONAL, KEY_BOOL_OR,
		LO_SW | NO_DISC, KEY_VALUE_MAX, 0, 1, true },
	[KEY_IMMEDIATE_DATA] = { "ImmediateData", KEY_OPERATIONAL, KEY_BOOL_AND,
		LO_SW | NO_DISC, KEY_VALUE_MAX, 0, 1, true },
	[KEY_MAX_RECV_DATA_SEGMENT_LENGTH] = {
		"MaxRecvDataSegmentLength", KEY_OPERATIONAL, KEY_DECLARED_NUMBER,
		KEY_IN_OPERATIONAL | KEY_IN_FULL_FEATURE | BY_BOTH,
		KEY_VALUE_MAX, 512, LENGTH_MAX, 8192 },
	[KEY_MAX_BURST_LENGTH] = { "MaxBurstLength", KEY_OPERATIONAL, KEY_NUMBER_MIN,
		LO_SW | NO_DISC, KEY_VALUE_MAX, 512, LENGTH_MAX, 262144 },
	[KEY_FIRST_BURST_LENGTH] = { "FirstBurstLength", KEY_OPERATIONAL, KEY_NUMBER_MIN,
		LO_SW | NO_DISC, KEY_VALUE_MAX, 512, LENGTH_MAX, 65536 },
	[KEY_DEFAULT_TIME2WAIT] = { "DefaultTime2Wait", KEY_OPERATIONAL, KEY_NUMBER_MAX,
		LO_SW, KEY_VALUE_MAX, 0, 3600, 2 },
	[KEY_DEFAULT_TIME2RETAIN] = { "DefaultTime2Retain", KEY_OPERATIONAL, KEY_NUMBER_MIN,
		LO_SW, KEY_VALUE_MAX, 0, 3600, 20 },
	[KEY_MAX_OUTSTANDING_R2T] = { "MaxOutstandingR2T", KEY_OPERATIONAL, KEY_NUMBER_MIN,
		LO_SW | NO_DISC, KEY_VALUE_MAX, 1, 65535, 1 },
	[KEY_DATA_PDU_IN_ORDER] = { "DataPDUInOrder", KEY_OPERATIONAL, KEY_BOOL_OR,
		LO_SW | NO_DISC, KEY_VALUE_MAX, 0, 1, true },
	[KEY_DATA_SEQUENCE_IN_ORDER] = { "DataSequenceInOrder", KEY_OPERATIONAL, KEY_BOOL_OR,
		LO_SW | NO_DISC, KEY_VALUE_MAX, 0, 1, true },
	[KEY_ERROR_RECOVERY_LEVEL] = { "ErrorRecoveryLevel", KEY_OPERATIONAL, KEY_NUMBER_MIN,
		LO_SW, KEY_VALUE_MAX, 0, 2, 0 },
	[KEY_TASK_REPORTING] = { "TaskReporting", KEY_OPERATIONAL, KEY_LIST,
		LO_SW | NO_DISC, KEY_VALUE_MAX, 0, 0, 0 },
	[KEY_ISCSI_PROTOCOL_LEVEL] = { "iSCSIProtocolLevel", KEY_OPERATIONAL, KEY_NUMBER_MIN,
		LO_SW | NO_DISC, KEY_VALUE_MAX, 0, 31, 1 },

	/* 13.25 */
	[KEY_IF_MARKER] = { "IFMarker", KEY_OPERATIONAL, KEY_MARKER,
		IO_CO, KEY_VALUE_MAX, 0, 1, false },
	[KEY_OF_MARKER] = { "OFMarker", KEY_OPERATIONAL, KEY_MARKER,
		IO_CO, KEY_VALUE_MAX, 0, 1, false },
	[KEY_IF_MARK_INT] = { "IFMarkInt", KEY_OPERATIONAL, KEY_MARKER_INTERVAL,
		IO_CO, KEY_VALUE_MAX, 0, 0, 0 },
	[KEY_OF_MARK_INT] = { "OFMarkInt", KEY_OPERATIONAL, KEY_MARKER_INTERVAL,
		IO_CO, KEY_VALUE_MAX, 0, 0, 0 },
};
/* clang-format on */

const struct key_rule *key_rule_find(const char *name)
{
	for (size_t id = 0; id < KEY_COUNT; id++) {
		if (rules[id].name[0] == name[0] && !strcmp(rules[id].name, name))
			return &rules[id];
	}
	return NULL;
}

enum key_id key_id_of(const struct key_rule *rule)
{
	return (enum key_id)(rule - rules);
}

const struct key_rule *key_rule_at(enum key_id id)
{
	return &rules[id];
}

/* --- parameters ----------------------------------------------------------------------------- */

/* The `initial` column of the table, told once more where a struct wants it. */
const struct params params_default = {
	.max_burst_length = 262144,
	.first_burst_length = 65536,
	.max_outstanding_r2t = 1,
	.max_connections = 1,
	.time2wait = 2,
	.time2retain = 20,
	.initial_r2t = true,
	.immediate_data = true,
	.data_pdu_in_order = true,
	.data_sequence_in_order = true,
	.protocol_level = 1,
	.send_max = 8192,
	.recv_max = 8192,
};

/* Items of the lists, in the places that a list's offer counts from one. */
static const char *const digest_items[] = { "None", "CRC32C" };
static const char *const reporting_items[] = { "RFC3720", "ResponseFence", "FastAbort" };
enum { ITEM_NONE = 1, ITEM_CRC32C = 2, ITEM_RFC3720 = 1 };

struct items {
	const char *const *name;
	uint32_t count;
};

static struct items items_of(enum key_id id)
{
	if (id == KEY_TASK_REPORTING)
		return (struct items){ reporting_items, 3 };
	return (struct items){ digest_items, 2 };
}

static void params_set(struct params *p, enum key_id id, uint32_t v)
{
	switch (id) {
	case KEY_HEADER_DIGEST: p->header_digest = v == ITEM_CRC32C; break;
	case KEY_DATA_DIGEST: p->data_digest = v == ITEM_CRC32C; break;
	case KEY_MAX_CONNECTIONS: p->max_connections = (uint16_t)v; break;
	case KEY_INITIAL_R2T: p->initial_r2t = v; break;
	case KEY_IMMEDIATE_DATA: p->immediate_data = v; break;
	case KEY_MAX_RECV_DATA_SEGMENT_LENGTH: p->send_max = v; break;
	case KEY_MAX_BURST_LENGTH: p->max_burst_length = v; break;
	case KEY_FIRST_BURST_LENGTH: p->first_burst_length = v; break;
	case KEY_DEFAULT_TIME2WAIT: p->time2wait = (uint16_t)v; break;
	case KEY_DEFAULT_TIME2RETAIN: p->time2retain = (uint16_t)v; break;
	case KEY_MAX_OUTSTANDING_R2T: p->max_outstanding_r2t = (uint16_t)v; break;
	case KEY_DATA_PDU_IN_ORDER: p->data_pdu_in_order = v; break;
	case KEY_DATA_SEQUENCE_IN_ORDER: p->data_sequence_in_order = v; break;
	case KEY_ERROR_RECOVERY_LEVEL: p->error_recovery_level = (uint8_t)v; break;
	case KEY_ISCSI_PROTOCOL_LEVEL: p->protocol_level = (uint8_t)v; break;
	default: break; /* keeps no parameter */
	}
}

/* Our side of a boolean or number. Data in order and error recovery level 0 are all that we do, and
 * protocol level 1 is RFC 7143 without the task management of RFC 7144. */
static uint32_t own_value(const struct iscsi_policy *p, enum key_id id)
{
	switch (id) {
	case KEY_MAX_CONNECTIONS: return p->max_connections;
	case KEY_INITIAL_R2T: return p->initial_r2t;
	case KEY_IMMEDIATE_DATA: return p->immediate_data;
	case KEY_MAX_BURST_LENGTH: return p->max_burst_length;
	case KEY_FIRST_BURST_LENGTH: return p->first_burst_length;
	case KEY_DEFAULT_TIME2WAIT: return p->time2wait;
	case KEY_DEFAULT_TIME2RETAIN: return p->time2retain;
	case KEY_MAX_OUTSTANDING_R2T: return p->max_outstanding_r2t;
	default: return rules[id].initial;
	}
}

/* In discovery there are no data to protect, so a digest is never required there. */
static enum digest_policy digest_wanted(const struct negotiation *n, enum key_id id)
{
	const struct iscsi_policy *p = n->policy;
	enum digest_policy want = id == KEY_HEADER_DIGEST ? p->header_digest : p->data_digest;

	return want == DIGEST_REQUIRED && n->discovery ? DIGEST_OPTIONAL : want;
}

/* Whether we take this item of a list. */
static bool item_allowed(const struct negotiation *n, enum key_id id, uint32_t item)
{
	if (id == KEY_TASK_REPORTING)
		return item == ITEM_RFC3720;
	return digest_wanted(n, id) != (item == ITEM_NONE ? DIGEST_REQUIRED : DIGEST_NEVER);
}

/* --- values --------------------------------------------------------------------------------- */

/* 6.1: a decimal constant without leading zeros, or a hexadecimal one. What does not fit into 32
 * bits becomes UINT32_MAX, which is beyond every range. */
static bool number_parse(const char *text, uint32_t *out)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	uint64_t v = 0;

	if (!*digits || digits[strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789")] ||
		(!hex && text[0] == '0' && text[1]))
		return false;
	for (const char *p = digits; *p; p++) {
		uint64_t d = *p <= '9' ? (uint64_t)(*p - '0') : (uint64_t)((*p | 0x20) - 'a') + 10;
		v = v * (hex ? 16 : 10) + d;
		if (v > UINT32_MAX)
			v = UINT32_MAX;
	}
	*out = (uint32_t)v;
	return true;
}

static bool bool_parse(const char *text, uint32_t *out)
{
	*out = !strcmp(text, "Yes");
	return *out || !strcmp(text, "No");
}

/* A list becomes its known items, most wanted first, one in each nibble from the lowest on. Items
 * that nobody knows are passed over (6.2.1), and so are repeated ones. */
static bool list_parse(struct items known, const char *text, uint32_t *out)
{
	uint32_t places = 0, seen = 0;

	*out = 0;
	for (;;) {
		size_t len = strcspn(text, ",");
		if (!len)
			return false;
		for (uint32_t i = 0; i < known.count; i++) {
			if (seen & 1u << i || strlen(known.name[i]) != len ||
				memcmp(known.name[i], text, len) != 0)
				continue;
			*out |= (i + 1) << 4 * places++;
			seen |= 1u << i;
		}
		if (!text[len])
			return true;
		text += len + 1;
	}
}

static bool value_parse(enum key_id id, const char *text, uint32_t *out)
{
	const struct key_rule *rule = &rules[id];

	switch (rule->kind) {
	case KEY_BOOL_AND:
	case KEY_BOOL_OR:
	case KEY_MARKER: return bool_parse(text, out);
	case KEY_NUMBER_MIN:
	case KEY_NUMBER_MAX:
	case KEY_DECLARED_NUMBER:
		return number_parse(text, out) && *out >= rule->min && *out <= rule->max;
	case KEY_LIST: return list_parse(items_of(id), text, out);
	case KEY_DECLARED_TEXT: return true;
	case KEY_MARKER_INTERVAL: return false;
	}
	return false;
}

/* The constants that answer a key and never offer one; 6.2. */
static bool is_refusal(const char *value)
{
	return !strcmp(value, "Reject") || !strcmp(value, "Irrelevant") ||
	       !strcmp(value, "NotUnderstood");
}

/* --- taking in ------------------------------------------------------------------------------ */

void negotiate_init(struct negotiation *n, const struct iscsi_policy *policy,
	enum login_stage stage, bool leading, const struct params *in_force)
{
	*n = (struct negotiation){
		.stage = stage,
		.leading = leading,
		.params = in_force ? *in_force : params_default,
		.culprit = KEY_COUNT,
		.policy = policy,
	};
	if (stage == STAGE_FULL_FEATURE)
		return;
	n->params.header_digest = params_default.header_digest;
	n->params.data_digest = params_default.data_digest;
	n->params.send_max = params_default.send_max;
	n->params.recv_max = params_default.recv_max;
}

static enum negotiate_result fail(
	struct negotiation *n, enum negotiate_result result, enum key_id id, const char *why)
{
	n->why = why;
	n->culprit = id;
	return result;
}

/* 6.2: to answer an answer could go on for ever, so a refusal of what we never said is let be. */
static enum negotiate_result take_unknown(
	struct negotiation *n, const struct key_pair *pair, struct key_out *out)
{
	if (n->unknown == NEGOTIATE_UNKNOWN_MAX)
		return fail(n, NEGOTIATE_ERROR, KEY_COUNT, "too many unknown keys");
	n->unknown++;
	if (!is_refusal(pair->value))
		key_put_text(out, pair->name, "NotUnderstood");
	return NEGOTIATE_OK;
}

static bool stage_fits(const struct negotiation *n, uint16_t flags)
{
	switch (n->stage) {
	case STAGE_SECURITY: return flags & KEY_IN_SECURITY;
	case STAGE_OPERATIONAL: return flags & KEY_IN_OPERATIONAL;
	case STAGE_FULL_FEATURE: return flags & KEY_IN_FULL_FEATURE;
	}
	return false;
}

/* A refusal is right as the answer to what we declared or offered. Aliases and tags are declared by
 * the login machine, so for a target's keys it is always taken. */
static enum negotiate_result take_refusal(struct negotiation *n, enum key_id id)
{
	bool asked = (n->declared | n->awaited) & BIT(id);

	if (!asked && rules[id].flags & KEY_BY_INITIATOR)
		return fail(n, NEGOTIATE_ERROR, id, "a reserved word as the value of an offer");
	n->awaited &= ~BIT(id);
	return NEGOTIATE_OK;
}

/* The answer to an offer of ours, which is a digest: what else it says leaves us without one. */
static enum negotiate_result take_answer(struct negotiation *n, enum key_id id, const char *value)
{
	n->awaited &= ~BIT(id);
	n->seen |= BIT(id);
	if (!strcmp(value, digest_items[ITEM_CRC32C - 1]))
		params_set(&n->params, id, ITEM_CRC32C);
	return NEGOTIATE_OK;
}

/* What breaks the negotiation, as against what is answered Reject. */
static const char *offer_fault(const struct negotiation *n, enum key_id id, size_t value_len)
{
	const struct key_rule *rule = &rules[id];

	if (!(rule->flags & KEY_BY_INITIATOR))
		return "a key that only targets send";
	if (value_len > rule->value_max)
		return "value too long";
	if (n->stage != STAGE_FULL_FEATURE && !stage_fits(n, rule->flags))
		return "key not allowed in this stage of the login";
	if (n->seen & BIT(id) && !(rule->flags & KEY_REPEATABLE))
		return "key sent twice";
	return NULL;
}

static bool offer_unfit(const struct negotiation *n, enum key_id id)
{
	uint16_t flags = rules[id].flags;

	return !stage_fits(n, flags) || (flags & KEY_LEADING_ONLY && !n->leading);
}

static enum negotiate_result take_offer(
	struct negotiation *n, enum key_id id, const struct key_pair *pair)
{
	const char *fault = offer_fault(n, id, pair->value_len);

	if (fault)
		return fail(n, NEGOTIATE_ERROR, id, fault);
	bool again = n->seen & BIT(id);
	bool unfit = offer_unfit(n, id);
	n->seen |= BIT(id);
	if (rules[id].class == KEY_OPERATIONAL)
		unfit = unfit || !value_parse(id, pair->value, &n->offer[id]);
	else if (!unfit || again)
		return NEGOTIATE_OK; /* the caller's to judge */
	if (unfit)
		n->unfit |= BIT(id);
	n->order[n->waiting++] = (uint8_t)id;
	return NEGOTIATE_OK;
}

enum negotiate_result negotiate_key(
	struct negotiation *n, const struct key_pair *pair, struct key_out *out)
{
	const struct key_rule *rule = key_rule_find(pair->name);

	if (!rule)
		return take_unknown(n, pair, out);
	enum key_id id = key_id_of(rule);
	if (is_refusal(pair->value))
		return take_refusal(n, id);
	if (n->awaited & BIT(id))
		return take_answer(n, id, pair->value);
	return take_offer(n, id, pair);
}

/* --- answering ------------------------------------------------------------------------------ */

/* 13.14, besides discovery: no unsolicited data at all. */
static bool first_burst_irrelevant(const struct params *p)
{
	return p->initial_r2t && !p->immediate_data;
}

static bool irrelevant(const struct negotiation *n, enum key_id id)
{
	return (n->discovery && rules[id].flags & KEY_NOT_IN_DISCOVERY) ||
	       (id == KEY_FIRST_BURST_LENGTH && first_burst_irrelevant(&n->params));
}

/* The first item of the initiator's list that we take, or 0. */
static uint32_t list_choose(const struct negotiation *n, enum key_id id)
{
	for (uint32_t list = n->offer[id]; list; list >>= 4) {
		if (item_allowed(n, id, list & 15))
			return list & 15;
	}
	return 0;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* What comes of an offer and our own value: 6.2.1 for lists, 6.2.2 for the others. */
static uint32_t result_of(const struct negotiation *n, enum key_id id)
{
	uint32_t theirs = n->offer[id], ours = own_value(n->policy, id);

	switch (rules[id].kind) {
	case KEY_BOOL_AND: return theirs && ours;
	case KEY_BOOL_OR: return theirs || ours;
	case KEY_NUMBER_MIN: return smaller(theirs, ours);
	case KEY_NUMBER_MAX: return theirs > ours ? theirs : ours;
	case KEY_LIST: return list_choose(n, id);
	case KEY_MARKER: return false;
	case KEY_DECLARED_NUMBER:
	case KEY_DECLARED_TEXT:
	case KEY_MARKER_INTERVAL: break;
	}
	return theirs;
}

/* Puts the result of one key in force, if it has one; afterwards n->offer[id] is the result. */
static void settle(struct negotiation *n, enum key_id id)
{
	if (n->unfit & BIT(id) || irrelevant(n, id))
		return;
	uint32_t v = result_of(n, id);
	if (id == KEY_FIRST_BURST_LENGTH)
		v = smaller(v, n->params.max_burst_length);
	n->offer[id] = v;
	if (rules[id].kind == KEY_LIST && !v) {
		n->unfit |= BIT(id); /* nothing in it that we take */
		return;
	}
	n->agreed |= BIT(id);
	params_set(&n->params, id, v);
}

static void answer(const struct negotiation *n, enum key_id id, struct key_out *out)
{
	const struct key_rule *rule = &rules[id];

	if (n->unfit & BIT(id)) {
		key_put_text(out, rule->name, "Reject");
		return;
	}
	if (irrelevant(n, id)) {
		key_put_text(out, rule->name, "Irrelevant");
		return;
	}
	switch (rule->kind) {
	case KEY_BOOL_AND:
	case KEY_BOOL_OR:
	case KEY_MARKER: key_put_bool(out, rule->name, n->offer[id]); break;
	case KEY_NUMBER_MIN:
	case KEY_NUMBER_MAX: key_put_number(out, rule->name, n->offer[id]); break;
	case KEY_LIST:
		/* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): no offer of a list is 0 */
		key_put_text(out, rule->name, items_of(id).name[n->offer[id] - 1]);
		break;
	case KEY_DECLARED_NUMBER:
	case KEY_DECLARED_TEXT:
	case KEY_MARKER_INTERVAL: break;
	}
}

/* 13.12: declared by both sides, whenever the operational stage is used. */
static void declare_recv_max(struct negotiation *n, struct key_out *out)
{
	enum key_id id = KEY_MAX_RECV_DATA_SEGMENT_LENGTH;

	if (n->stage != STAGE_OPERATIONAL || n->declared & BIT(id))
		return;
	n->declared |= BIT(id);
	n->params.recv_max = n->policy->max_recv_data_segment_length;
	key_put_number(out, rules[id].name, n->params.recv_max);
}

void negotiate_reply(struct negotiation *n, struct key_out *out)
{
	/* FirstBurstLength depends on three others, so it is settled after them. */
	bool first_burst = false;

	for (uint8_t i = 0; i < n->waiting; i++) {
		enum key_id id = n->order[i];
		if (id == KEY_FIRST_BURST_LENGTH)
			first_burst = true;
		else
			settle(n, id);
	}
	if (first_burst)
		settle(n, KEY_FIRST_BURST_LENGTH);
	for (uint8_t i = 0; i < n->waiting; i++)
		answer(n, n->order[i], out);
	n->waiting = 0;
	declare_recv_max(n, out);
}

/* --- the end -------------------------------------------------------------------------------- */

/* A digest that the policy requires: agreed on, still to be asked for, or not to be had. */
static enum negotiate_result demand_digest(
	struct negotiation *n, enum key_id id, struct key_out *out)
{
	bool have = id == KEY_HEADER_DIGEST ? n->params.header_digest : n->params.data_digest;

	if (have || digest_wanted(n, id) != DIGEST_REQUIRED)
		return NEGOTIATE_OK;
	if (n->stage != STAGE_OPERATIONAL || (n->seen | n->declared) & BIT(id))
		return fail(n, NEGOTIATE_REFUSED, id, "a digest is required here");
	key_put_text(out, rules[id].name, digest_items[ITEM_CRC32C - 1]);
	n->declared |= BIT(id);
	n->awaited |= BIT(id);
	return NEGOTIATE_MORE;
}

static enum negotiate_result demand_digests(struct negotiation *n, struct key_out *out)
{
	enum negotiate_result header = demand_digest(n, KEY_HEADER_DIGEST, out);
	if (header == NEGOTIATE_REFUSED)
		return header;
	enum negotiate_result data = demand_digest(n, KEY_DATA_DIGEST, out);
	return data == NEGOTIATE_OK ? header : data;
}

/* 13.14: FirstBurstLength must not exceed MaxBurstLength. Agreed in one request it does not; the
 * default gives way; but an initiator that lowers MaxBurstLength below what it has had answered
 * contradicts itself. */
static enum negotiate_result check_bursts(struct negotiation *n)
{
	struct params *p = &n->params;

	if (p->first_burst_length <= p->max_burst_length)
		return NEGOTIATE_OK;
	if (n->agreed & BIT(KEY_FIRST_BURST_LENGTH))
		return fail(n, NEGOTIATE_ERROR, KEY_FIRST_BURST_LENGTH,
			"FirstBurstLength exceeds MaxBurstLength");
	p->first_burst_length = p->max_burst_length;
	return NEGOTIATE_OK;
}

enum negotiate_result negotiate_finish(struct negotiation *n, struct key_out *out)
{
	if (n->awaited)
		return fail(n, NEGOTIATE_ERROR, (enum key_id)__builtin_ctzll(n->awaited),
			"our offer was not answered");
	if (n->stage == STAGE_FULL_FEATURE)
		return NEGOTIATE_OK;
	enum negotiate_result result = check_bursts(n);
	return result == NEGOTIATE_OK ? demand_digests(n, out) : result;
}
