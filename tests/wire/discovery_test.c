/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Discovery sessions and SendTargets, RFC 7143 4.3, 4.4, 6.3 and appendix C: who learns of which
 * targets, at which addresses, in how many PDUs.
 */
#include "wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/skip.h"

static void discover(struct ini *i, struct wire *w, const char *what)
{
	char keys[512];

	ini_open(i, w);
	ini_login_discovery(i);
	snprintf(keys, sizeof(keys), "SendTargets=%s\n", what);
	text(i, keys);
}

/* Whether i->keys tell of the target. */
static bool tells(const struct ini *i, const char *target)
{
	char pair[300];

	snprintf(pair, sizeof(pair), "TargetName=%s", target);
	for (uint32_t at = 0; at < i->keys_len; at += (uint32_t)strlen(i->keys + at) + 1) {
		if (strcmp(i->keys + at, pair) == 0)
			return true;
	}
	return false;
}

/* --- the session ---------------------------------------------------------------------------- */

static void a_discovery_session_needs_no_target(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(login(&i, SEC | TO_OP,
				 "InitiatorName=" HOST "\nSessionType=Discovery\n"
				 "AuthMethod=None\n"),
		LOGIN_SUCCESS);
	assert_null(answer(&i, "TargetPortalGroupTag"));
	assert_int_equal(login(&i, OP | TO_FFP, ""), LOGIN_SUCCESS);
	logout(&i);
	ini_close(&i);
}

static void keys_without_meaning_in_discovery_are_irrelevant(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(
		login(&i, OP | TO_FFP,
			"InitiatorName=" HOST "\nSessionType=Discovery\n"
			"HeaderDigest=None\nDataDigest=None\nMaxConnections=1\nInitialR2T=No\n"
			"ImmediateData=Yes\nMaxBurstLength=16776192\nFirstBurstLength=262144\n"
			"DefaultTime2Wait=0\nDefaultTime2Retain=0\nMaxOutstandingR2T=1\n"
			"DataPDUInOrder=Yes\nDataSequenceInOrder=Yes\nErrorRecoveryLevel=0\n"
			"IFMarker=No\nOFMarker=No\nMaxRecvDataSegmentLength=32768\n"),
		LOGIN_SUCCESS);
	assert_answer(&i, "HeaderDigest", "None");
	assert_answer(&i, "MaxConnections", "Irrelevant");
	assert_answer(&i, "InitialR2T", "Irrelevant");
	assert_answer(&i, "ImmediateData", "Irrelevant");
	assert_answer(&i, "MaxBurstLength", "Irrelevant");
	assert_answer(&i, "FirstBurstLength", "Irrelevant");
	assert_answer(&i, "MaxOutstandingR2T", "Irrelevant");
	assert_answer(&i, "DataPDUInOrder", "Irrelevant");
	assert_answer(&i, "DataSequenceInOrder", "Irrelevant");
	assert_answer(&i, "DefaultTime2Wait", "2");
	assert_answer(&i, "ErrorRecoveryLevel", "0");
	assert_answer(&i, "IFMarker", "No");
	ini_close(&i);
}

static void a_discovery_session_knows_text_and_logout_only(void **state)
{
	static const uint8_t opcodes[] = { OP_NOP_OUT, OP_SCSI_CMD, OP_TMF_REQ, OP_DATA_OUT,
		OP_SNACK_REQ };

	for (size_t k = 0; k < sizeof(opcodes); k++) {
		struct ini i;
		struct pdu p;

		ini_open(&i, *state);
		ini_login_discovery(&i);
		p = pdu_nop(&i, NULL, 0);
		p.bhs[0] = opcodes[k];
		ini_send(&i, &p);
		ini_expect_reject(&i, &p, REJECT_PROTOCOL_ERROR);
		ini_close(&i);
	}
}

static void a_discovery_session_is_logged_out_as_a_whole_only(void **state)
{
	struct ini i;
	struct pdu p;

	ini_open(&i, *state);
	ini_login_discovery(&i);
	p = pdu_logout(&i, LOGOUT_CONNECTION, 0);
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_PROTOCOL_ERROR);
	logout(&i);
	ini_close(&i);
}

/* --- discovery authentication --------------------------------------------------------------- */

static void discovery_may_require_chap(void **state)
{
	struct wire *w = *state;
	struct chap c = chap_host1();
	struct ini i;

	w->policy.discovery_chap = true;
	w->row[1] = (struct credential_spec){ .scope = CREDENTIAL_OF_DISCOVERY,
		.initiator = CREDENTIAL_DEFAULT,
		.type = CREDENTIAL_CHAP,
		.in_user = "visitor",
		.in_secret = { (const uint8_t *)"discovery-secret", 16 } };
	w->nrows = 2;
	wire_start(w);
	ini_open(&i, w);
	assert_int_equal(login(&i, OP | TO_FFP, "InitiatorName=" HOST "\nSessionType=Discovery\n"),
		LOGIN_AUTH_FAILED);
	ini_expect_closed(&i);
	ini_close(&i);
	ini_open(&i, w);
	assert_int_equal(
		login(&i, SEC | TO_OP,
			"InitiatorName=" HOST "\nSessionType=Discovery\nAuthMethod=None\n"),
		LOGIN_AUTH_FAILED);
	ini_close(&i);
	c.name = "visitor";
	c.secret = "discovery-secret";
	c.target_name = NULL;
	ini_open(&i, w);
	assert_int_equal(chap_login(&i, &c, NULL, ""), LOGIN_SUCCESS);
	text(&i, "SendTargets=All\n");
	assert_true(tells(&i, OPEN));
	ini_close(&i);
}

static void an_initiator_that_may_prove_itself_is_let_discover_without(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	assert_int_equal(
		login(&i, SEC | TO_OP,
			"InitiatorName=" HOST "\nSessionType=Discovery\nAuthMethod=CHAP,None\n"),
		LOGIN_SUCCESS);
	assert_answer(&i, "AuthMethod", "None");
	ini_close(&i);
}

/* --- SendTargets ---------------------------------------------------------------------------- */

static void all_tells_every_target(void **state)
{
	struct ini i;

	discover(&i, *state, "All");
	assert_true(tells(&i, OPEN));
	assert_true(tells(&i, LOCKED));
	assert_int_equal(answers(&i, "TargetName"), 2);
	ini_close(&i);
}

static void a_name_tells_that_target_only(void **state)
{
	struct ini i;

	discover(&i, *state, LOCKED);
	assert_true(tells(&i, LOCKED));
	assert_int_equal(answers(&i, "TargetName"), 1);
	ini_close(&i);
}

static void an_unknown_name_tells_nothing(void **state)
{
	struct ini i;

	discover(&i, *state, "iqn.2026-11.com.example:nothing");
	assert_int_equal(i.keys_len, 0);
	ini_close(&i);
}

static void nothing_means_nothing_in_a_discovery_session(void **state)
{
	struct ini i;
	struct pdu p;

	ini_open(&i, *state);
	ini_login_discovery(&i);
	p = pdu_text(&i, "SendTargets=\n");
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_PROTOCOL_ERROR);
	ini_close(&i);
}

static void a_normal_session_may_ask_for_its_own_target(void **state)
{
	struct ini i;

	ini_begin(&i, *state, "");
	text(&i, "SendTargets=\n");
	assert_true(tells(&i, OPEN));
	assert_int_equal(answers(&i, "TargetName"), 1);
	text(&i, "SendTargets=" OPEN "\n");
	assert_true(tells(&i, OPEN));
	ini_close(&i);
}

static void a_normal_session_is_not_told_of_other_targets(void **state)
{
	struct ini i;

	ini_begin(&i, *state, "");
	text(&i, "SendTargets=All\n");
	assert_false(tells(&i, LOCKED));
	text(&i, "SendTargets=" LOCKED "\n");
	assert_false(tells(&i, LOCKED));
	ini_close(&i);
}

static void the_request_need_not_be_immediate_and_moves_expcmdsn(void **state)
{
	struct ini i;
	uint32_t before;

	ini_open(&i, *state);
	ini_login_discovery(&i);
	before = i.expcmdsn;
	text(&i, "SendTargets=All\n");
	assert_int_equal(i.expcmdsn, before + 1);
	ini_close(&i);
}

/* --- addresses: 13.8 ------------------------------------------------------------------------ */

static void portals_are_told_with_their_group(void **state)
{
	struct wire *w = *state;
	struct ini i;

	w->portal[0] = (struct iscsi_portal){ .address = "192.0.2.1:3260", .group = 1 };
	w->portal[1] = (struct iscsi_portal){ .address = "[2001:db8::1]:3261", .group = 2 };
	w->nportals = 2;
	wire_start(w);
	discover(&i, w, OPEN);
	assert_int_equal(answers(&i, "TargetAddress"), 2);
	assert_answer(&i, "TargetAddress", "192.0.2.1:3260,1");
	assert_non_null(memmem(i.keys, i.keys_len, "TargetAddress=[2001:db8::1]:3261,2", 34));
	ini_close(&i);
}

static void only_portals_of_the_groups_that_show_a_target_are_told(void **state)
{
	static const uint16_t second[] = { 2 };
	struct wire *w = *state;
	struct ini i;

	w->portal[0] = (struct iscsi_portal){ .address = "192.0.2.1:3260", .group = 1 };
	w->portal[1] = (struct iscsi_portal){ .address = "192.0.2.1:3261", .group = 2 };
	w->nportals = 2;
	w->target[0].groups = second;
	w->target[0].ngroups = 1;
	wire_start(w);
	discover(&i, w, OPEN);
	assert_int_equal(answers(&i, "TargetAddress"), 1);
	assert_answer(&i, "TargetAddress", "192.0.2.1:3261,2");
	ini_close(&i);
}

static void a_wildcard_portal_is_told_as_the_address_that_was_reached(void **state)
{
	struct wire *w = *state;
	struct ini i;

	ini_open_tcp(&i, w, "127.0.0.1", "127.0.0.1");
	ini_login_discovery(&i);
	text(&i, "SendTargets=" OPEN "\n");
	assert_answer(&i, "TargetAddress", "127.0.0.1:3260,1");
	ini_close(&i);
	ini_open_tcp(&i, w, "127.0.0.7", "127.0.0.1");
	ini_login_discovery(&i);
	text(&i, "SendTargets=" OPEN "\n");
	assert_answer(&i, "TargetAddress", "127.0.0.7:3260,1");
	ini_close(&i);
}

/* Without IPv6 on this machine there is nothing to reach. */
static bool have_ipv6(void)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool ok = fd >= 0 && bind(fd, (void *)&a, sizeof(a)) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static void an_ipv6_wildcard_is_told_in_brackets_to_those_who_came_by_ipv6(void **state)
{
	struct wire *w = *state;
	struct ini i;

	w->portal[1] = (struct iscsi_portal){ .port = 3266, .ipv6 = true, .group = 1 };
	w->nportals = 2;
	wire_start(w);
	ini_open_tcp(&i, w, "127.0.0.1", "127.0.0.1");
	ini_login_discovery(&i);
	text(&i, "SendTargets=" OPEN "\n");
	assert_int_equal(answers(&i, "TargetAddress"), 1);
	assert_answer(&i, "TargetAddress", "127.0.0.1:3260,1");
	ini_close(&i);
	if (!have_ipv6())
		skip_as("no IPv6 on this machine");
	ini_open_tcp(&i, w, "::1", "::1");
	ini_login_discovery(&i);
	text(&i, "SendTargets=" OPEN "\n");
	assert_int_equal(answers(&i, "TargetAddress"), 1);
	assert_answer(&i, "TargetAddress", "[::1]:3266,1");
	ini_close(&i);
}

/* --- long answers: 11.11 -------------------------------------------------------------------- */

/* Eight portals' worth of addresses for each of eight targets: more than one PDU of 512 bytes. */
static void many(struct wire *w)
{
	static char names[WIRE_TARGETS][64];

	for (unsigned k = w->ntargets; k < WIRE_TARGETS; k++) {
		snprintf(names[k], sizeof(names[k]), "iqn.2026-11.com.example:number-%u", k);
		wire_add_target(w, names[k]);
	}
	w->nportals = WIRE_PORTALS;
	for (unsigned k = 0; k < WIRE_PORTALS; k++)
		w->portal[k] = (struct iscsi_portal){ .address = "[2001:db8:1:2:3:4:5:6]:32600",
			.group = (uint16_t)(k + 1) };
	wire_start(w);
}

static void a_long_answer_comes_in_pieces_that_the_initiator_asks_for(void **state)
{
	struct wire *w = *state;
	struct ini i;
	unsigned pieces = 0;
	struct pdu p;
	uint32_t itt;
	bool more = true;

	many(w);
	ini_open(&i, w);
	assert_int_equal(login(&i, OP | TO_FFP,
				 "InitiatorName=" HOST "\nSessionType=Discovery\n"
				 "MaxRecvDataSegmentLength=512\n"),
		LOGIN_SUCCESS);
	p = pdu_text(&i, "SendTargets=All\n");
	itt = pdu_itt(&p);
	while (more) {
		ini_send(&i, &p);
		ini_recv(&i, OP_TEXT_RSP);
		assert_true(i.len <= 512);
		pieces++;
		more = !(i.bhs[1] & TEXT_FINAL);
		assert_int_equal(i.bhs[1] & TEXT_CONTINUE, more ? TEXT_CONTINUE : 0);
		p = pdu_text(&i, "");
		put_be32(p.bhs + 16, itt);
		memcpy(p.bhs + 20, i.bhs + 20, 4);
	}
	assert_in_range(pieces, 3, 10);
	i.cmdsn--; /* the request that was not sent */
	text(&i, "SendTargets=All\n");
	assert_int_equal(answers(&i, "TargetName"), WIRE_TARGETS);
	assert_int_equal(answers(&i, "TargetAddress"), WIRE_TARGETS * WIRE_PORTALS);
	ini_close(&i);
}

static void a_new_request_gives_up_an_answer_that_is_half_told(void **state)
{
	struct wire *w = *state;
	struct ini i;
	struct pdu p;
	uint8_t ttt[4];
	uint32_t itt;

	many(w);
	ini_open(&i, w);
	assert_int_equal(login(&i, OP | TO_FFP,
				 "InitiatorName=" HOST "\nSessionType=Discovery\n"
				 "MaxRecvDataSegmentLength=512\n"),
		LOGIN_SUCCESS);
	p = pdu_text(&i, "SendTargets=All\n");
	itt = pdu_itt(&p);
	ini_send(&i, &p);
	ini_recv(&i, OP_TEXT_RSP);
	memcpy(ttt, i.bhs + 20, 4);
	text(&i, "SendTargets=" LOCKED "\n");
	assert_int_equal(answers(&i, "TargetName"), 1);
	/* The old tag means nothing any more. */
	p = pdu_text(&i, "");
	put_be32(p.bhs + 16, itt);
	memcpy(p.bhs + 20, ttt, 4);
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_PROTOCOL_ERROR);
	ini_close(&i);
}

static void a_tag_that_was_never_given_is_rejected(void **state)
{
	struct ini i;
	struct pdu p;

	ini_open(&i, *state);
	ini_login_discovery(&i);
	p = pdu_text(&i, "");
	put_be32(p.bhs + 20, 0x12345678);
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_PROTOCOL_ERROR);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void a_request_may_come_in_pieces(void **state)
{
	struct ini i;
	struct pdu p;
	uint32_t itt;

	ini_open(&i, *state);
	ini_login_discovery(&i);
	p = pdu_text(&i, "SendTar");
	p.bhs[1] = TEXT_CONTINUE;
	itt = pdu_itt(&p);
	ini_send(&i, &p);
	ini_recv(&i, OP_TEXT_RSP);
	assert_int_equal(i.bhs[1], 0);
	assert_int_equal(i.len, 0);
	p = pdu_text(&i, "gets=All\n");
	put_be32(p.bhs + 16, itt);
	memcpy(p.bhs + 20, i.bhs + 20, 4);
	ini_send(&i, &p);
	ini_recv(&i, OP_TEXT_RSP);
	assert_int_equal(i.bhs[1], TEXT_FINAL);
	assert_non_null(memmem(i.data, i.len, "TargetName=" OPEN, strlen("TargetName=" OPEN)));
	ini_close(&i);
}

static void a_piece_under_another_tag_is_rejected(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	ini_login_discovery(&i);
	for (uint32_t k = 0; k < 2; k++) {
		struct pdu p = pdu_text(&i, "SendTar");
		uint32_t itt = pdu_itt(&p);

		p.bhs[1] = TEXT_CONTINUE;
		ini_send(&i, &p);
		ini_recv(&i, OP_TEXT_RSP);
		p = pdu_text(&i, "gets=All\n");
		put_be32(p.bhs + 16, itt + k);
		put_be32(p.bhs + 20, be32(i.bhs + 20) + !k);
		ini_send(&i, &p);
		ini_expect_reject(&i, &p, REJECT_PROTOCOL_ERROR);
	}
	ini_expect_alive(&i);
	ini_close(&i);
}

static void an_exchange_without_end_holds_no_more_than_one_answer(void **state)
{
	/* Longer answers than any can be, 64 MiB, together; each to a thousand unknown keys. */
	static char keys[15001];
	struct ini i;
	struct pdu p;
	uint32_t itt = 0, told = 0;

	for (size_t k = 0; k < 1000; k++)
		memcpy(keys + 15 * k, "unknown.key.9=\n", 15);
	ini_open(&i, *state);
	assert_int_equal(login(&i, OP | TO_FFP,
				 "InitiatorName=" HOST "\nSessionType=Discovery\n"
				 "MaxRecvDataSegmentLength=65536\n"),
		LOGIN_SUCCESS);
	while (told < 66 << 20) {
		p = pdu_text(&i, keys);
		p.bhs[1] = 0;
		if (told) {
			put_be32(p.bhs + 16, itt);
			memcpy(p.bhs + 20, i.bhs + 20, 4);
		}
		itt = pdu_itt(&p);
		ini_send(&i, &p);
		ini_recv(&i, OP_TEXT_RSP);
		assert_in_range(i.len, 20000, 65536);
		told += i.len;
	}
	ini_close(&i);
}

static void a_request_of_endless_pieces_is_rejected(void **state)
{
	static char filler[4000];
	struct ini i;
	struct pdu p;
	uint32_t itt = 0;
	unsigned n;

	memset(filler, 'k', sizeof(filler) - 1);
	ini_open(&i, *state);
	ini_login_discovery(&i);
	for (n = 0; n < 100; n++) {
		p = pdu_text(&i, filler);
		p.bhs[1] = TEXT_CONTINUE;
		if (n == 0)
			itt = pdu_itt(&p);
		else
			memcpy(p.bhs + 20, i.bhs + 20, 4);
		put_be32(p.bhs + 16, itt);
		ini_send(&i, &p);
		assert_true(ini_recv_within(&i, WIRE_LIMIT_MS));
		if (i.bhs[0] == OP_REJECT)
			break;
	}
	assert_in_range(n, 2, 20);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void text_that_makes_no_sense_is_rejected(void **state)
{
	struct ini i;
	struct pdu p;

	ini_open(&i, *state);
	ini_login_discovery(&i);
	p = pdu_text(&i, "no key and no value\n");
	ini_send(&i, &p);
	ini_expect_reject(&i, &p, REJECT_PROTOCOL_ERROR);
	text(&i, "SendTargets=All\n");
	assert_true(tells(&i, OPEN));
	ini_close(&i);
}

static void an_empty_text_request_is_answered_with_nothing(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	ini_login_discovery(&i);
	text(&i, "");
	assert_int_equal(i.keys_len, 0);
	ini_close(&i);
}

static void an_empty_text_request_with_continue_is_asked_for_more(void **state)
{
	struct ini i;
	struct pdu p;

	ini_open(&i, *state);
	ini_login_discovery(&i);
	p = pdu_text(&i, "");
	p.bhs[1] = TEXT_CONTINUE;
	ini_send(&i, &p);
	ini_recv(&i, OP_TEXT_RSP);
	assert_int_equal(i.bhs[1], 0);
	assert_int_not_equal(be32(i.bhs + 20), TAG_NONE);
	ini_expect_alive(&i);
	ini_close(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_discovery_session_needs_no_target),
		TEST(keys_without_meaning_in_discovery_are_irrelevant),
		TEST(a_discovery_session_knows_text_and_logout_only),
		TEST(a_discovery_session_is_logged_out_as_a_whole_only),
		TEST_UNSTARTED(discovery_may_require_chap),
		TEST(an_initiator_that_may_prove_itself_is_let_discover_without),
		TEST(all_tells_every_target),
		TEST(a_name_tells_that_target_only),
		TEST(an_unknown_name_tells_nothing),
		TEST(nothing_means_nothing_in_a_discovery_session),
		TEST(a_normal_session_may_ask_for_its_own_target),
		TEST(a_normal_session_is_not_told_of_other_targets),
		TEST(the_request_need_not_be_immediate_and_moves_expcmdsn),
		TEST_UNSTARTED(portals_are_told_with_their_group),
		TEST_UNSTARTED(only_portals_of_the_groups_that_show_a_target_are_told),
		TEST(a_wildcard_portal_is_told_as_the_address_that_was_reached),
		TEST_UNSTARTED(an_ipv6_wildcard_is_told_in_brackets_to_those_who_came_by_ipv6),
		TEST_UNSTARTED(a_long_answer_comes_in_pieces_that_the_initiator_asks_for),
		TEST_UNSTARTED(a_new_request_gives_up_an_answer_that_is_half_told),
		TEST(a_tag_that_was_never_given_is_rejected),
		TEST(a_request_may_come_in_pieces),
		TEST(a_piece_under_another_tag_is_rejected),
		TEST(an_exchange_without_end_holds_no_more_than_one_answer),
		TEST(a_request_of_endless_pieces_is_rejected),
		TEST(text_that_makes_no_sense_is_rejected),
		TEST(an_empty_text_request_is_answered_with_nothing),
		TEST(an_empty_text_request_with_continue_is_asked_for_more),
	};
	return cmocka_run_group_tests_name("discovery", tests, NULL, NULL);
}
