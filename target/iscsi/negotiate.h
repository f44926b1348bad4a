/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Negotiation of the operational keys, RFC 7143 sections 6.2, 6.3 and 13.
 *
 * Every key there is stands in one table. Keys come in any order, also those that decide how
 * others are to be answered (SessionType, InitialR2T), so a request is taken in whole before it
 * is answered:
 *
 *	negotiate_init(&n, policy, …);
 *	for each complete request (C = 0):
 *		for each pair: negotiate_key(&n, …, out)        noted; unknown keys answered
 *		negotiate_reply(&n, out)                        the other answers
 *		on to full feature: negotiate_finish(&n, out)   cross-key rules; our own offers
 *
 * Pure: no sockets, no memory of its own. A negotiation belongs to one connection.
 */
#ifndef ISCSI_NEGOTIATE_H
#define ISCSI_NEGOTIATE_H

#include <stdbool.h>
#include <stdint.h>

#include "iscsi/directory.h"
#include "iscsi/keys.h"
#include "iscsi/wire.h"

/* --- the table ------------------------------------------------------------------------------ */

enum key_class {
	KEY_LOGIN,       /* who and what: the login machine's */
	KEY_SECURITY,    /* AuthMethod and those of CHAP: only in the security stage */
	KEY_OPERATIONAL, /* negotiated here */
	KEY_TEXT,        /* SendTargets: a question, in full feature phase only */
};

enum key_kind {
	KEY_BOOL_AND,        /* 6.2.2: Yes if both sides say so */
	KEY_BOOL_OR,         /* … if either does */
	KEY_NUMBER_MIN,      /* 6.2.2, within the key's range: the smaller */
	KEY_NUMBER_MAX,      /* … the larger */
	KEY_LIST,            /* 6.2.1: the first of the offered values that we take */
	KEY_DECLARED_NUMBER, /* 6.2: no answer */
	KEY_DECLARED_TEXT,
	KEY_MARKER,          /* 13.25: obsolete, a boolean that is always No */
	KEY_MARKER_INTERVAL, /* 13.25: obsolete, always Reject */
};

/* One bit for each key in sets. */
/* clang-format off */
enum key_id {
	KEY_INITIATOR_NAME, KEY_INITIATOR_ALIAS, KEY_TARGET_NAME, KEY_TARGET_ALIAS,
	KEY_TARGET_ADDRESS, KEY_TARGET_PORTAL_GROUP_TAG, KEY_SESSION_TYPE,
	KEY_AUTH_METHOD, KEY_CHAP_A, KEY_CHAP_I, KEY_CHAP_C, KEY_CHAP_N, KEY_CHAP_R,
	KEY_SEND_TARGETS,
	KEY_HEADER_DIGEST, KEY_DATA_DIGEST, KEY_MAX_CONNECTIONS, KEY_INITIAL_R2T,
	KEY_IMMEDIATE_DATA, KEY_MAX_RECV_DATA_SEGMENT_LENGTH, KEY_MAX_BURST_LENGTH,
	KEY_FIRST_BURST_LENGTH, KEY_DEFAULT_TIME2WAIT, KEY_DEFAULT_TIME2RETAIN,
	KEY_MAX_OUTSTANDING_R2T, KEY_DATA_PDU_IN_ORDER, KEY_DATA_SEQUENCE_IN_ORDER,
	KEY_ERROR_RECOVERY_LEVEL, KEY_TASK_REPORTING, KEY_ISCSI_PROTOCOL_LEVEL,
	KEY_IF_MARKER, KEY_OF_MARKER, KEY_IF_MARK_INT, KEY_OF_MARK_INT,
	KEY_COUNT,
};
/* clang-format on */

/* Where a key may be used, by whom, and when it has no meaning (the "Use", "Senders", "Scope" and
 * "Irrelevant when" lines of section 13). */
enum {
	KEY_IN_SECURITY = 1 << 0,
	KEY_IN_OPERATIONAL = 1 << 1,
	KEY_IN_FULL_FEATURE = 1 << 2,
	KEY_BY_INITIATOR = 1 << 3,
	KEY_BY_TARGET = 1 << 4,
	KEY_LEADING_ONLY = 1 << 5,     /* on the first connection of a session */
	KEY_SESSION_WIDE = 1 << 6,     /* else of one connection */
	KEY_NOT_IN_DISCOVERY = 1 << 7, /* Irrelevant in discovery sessions */
	KEY_REPEATABLE = 1 << 8,       /* may come again: whoever acts on it compares */
};

struct key_rule {
	const char *name;
	enum key_class class;
	enum key_kind kind;
	uint16_t flags;
	uint16_t value_max;         /* bytes of its value */
	uint32_t min, max, initial; /* of a number or boolean; `initial` holds until negotiated */
};

/* By name, case-sensitive as 6.1 wants; NULL: unknown. key_id_of() gives its place in the table. */
const struct key_rule *key_rule_find(const char *name);
enum key_id key_id_of(const struct key_rule *rule);
const struct key_rule *key_rule_at(enum key_id id); /* id < KEY_COUNT */

/* --- results -------------------------------------------------------------------------------- */

/* What is in force; params_default is what the RFC gives a session that negotiates nothing. */
struct params {
	/* Session-wide: of the leading connection's login. */
	uint32_t max_burst_length, first_burst_length;
	uint16_t max_outstanding_r2t, max_connections;
	uint16_t time2wait, time2retain; /* seconds */
	bool initial_r2t, immediate_data;
	bool data_pdu_in_order, data_sequence_in_order;
	uint8_t error_recovery_level, protocol_level;
	/* Of one connection. */
	bool header_digest, data_digest; /* CRC32C or none */
	uint32_t send_max;               /* the initiator's MaxRecvDataSegmentLength */
	uint32_t recv_max;               /* ours; 8192 until we have declared it */
};

extern const struct params params_default;

/* --- the engine ----------------------------------------------------------------------------- */

enum negotiate_result {
	NEGOTIATE_OK,
	NEGOTIATE_MORE,    /* from finish: we have asked something ourselves; stay in the stage */
	NEGOTIATE_ERROR,   /* login: LOGIN_INITIATOR_ERROR; full feature: REJECT_PROTOCOL_ERROR */
	NEGOTIATE_REFUSED, /* the outcome is none that our policy allows: LOGIN_INITIATOR_ERROR */
};

#define NEGOTIATE_UNKNOWN_MAX 1000 /* unknown keys in one negotiation */

struct negotiation {
	/* The caller's, changed as the login goes on. */
	enum login_stage stage; /* of the request that is being taken in */
	bool discovery;         /* known at the latest when negotiate_reply() is called */
	bool leading;           /* first connection of its session */
	/* Results. */
	struct params params; /* in force once negotiate_finish() has said OK */
	const char *why;      /* after ERROR or REFUSED: for the log; static text */
	enum key_id culprit;  /* … and the key that it is about, or KEY_COUNT */
	/* Private. */
	const struct iscsi_policy *policy;
	uint64_t seen;             /* offered or declared by the initiator in this negotiation */
	uint64_t declared;         /* sent by us without being asked */
	uint64_t awaited;          /* … as an offer whose answer is still to come */
	uint64_t agreed;           /* a result was answered */
	uint64_t unfit;            /* the value that was offered cannot be taken */
	uint32_t offer[KEY_COUNT]; /* … and else what it was; lists: see list_parse() */
	uint8_t order[KEY_COUNT];  /* keys that wait for negotiate_reply(), as they came */
	uint8_t waiting;
	uint16_t unknown;
};

/* Begins a negotiation in `stage`. `policy` must outlive it. `in_force` is what holds now: NULL
 * (params_default) for a leading login; the session's for another connection's login (its
 * connection-wide part is reset to the defaults); the connection's own in full feature phase. */
void negotiate_init(struct negotiation *n, const struct iscsi_policy *policy,
	enum login_stage stage, bool leading, const struct params *in_force);

/* Takes in one pair. KEY_LOGIN, KEY_SECURITY and KEY_TEXT keys, which the caller acts upon himself,
 * may be passed too: then stage, sender, length and, unless KEY_REPEATABLE, repetition are checked,
 * and nothing is answered. An unknown key is answered NotUnderstood at once. A value that does not
 * fit is answered Reject by negotiate_reply() and leaves the parameter as it is; so is a key that
 * has no place in full feature phase, or that belongs to the leading connection on another. A key
 * in a login stage that is not its own, a second offer and a reserved word that answers nothing are
 * protocol errors. OK or ERROR. */
enum negotiate_result negotiate_key(
	struct negotiation *n, const struct key_pair *pair, struct key_out *out);

/* Answers what was taken in, in the order it came, and in the operational stage declares our
 * MaxRecvDataSegmentLength, once. Call it for every complete request, also an empty one. */
void negotiate_reply(struct negotiation *n, struct key_out *out);

/* The initiator wants to go on to full feature phase (T = 1, NSG = 3), from whichever stage, or
 * ends a text negotiation (F = 1): checks what holds between keys, and asks for what the policy
 * requires and the initiator has not offered. OK: n->params is in force. */
enum negotiate_result negotiate_finish(struct negotiation *n, struct key_out *out);

#endif
