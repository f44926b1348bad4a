/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What well-known initiators send, in their order and with their habits, and that they are given
 * nothing that makes them give up. Each says how sure it is of what is replayed:
 *
 *	read      the initiator's source was read
 *	captured  taken from a packet capture
 *	reported  as documents and other targets' sources tell of it
 *	unsure    made up to fit what is reported; no source or capture was at hand
 */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

static uint8_t out[65536], in[65536];

/* Declarations are not answered; every other key is, once, and by nothing that makes an initiator give
 * up. */
static void assert_all_answered(const struct ini *i, const char *keys)
{
	static const char *const declared[] = { "InitiatorName", "InitiatorAlias", "TargetName",
		"SessionType", "CHAP_N", "CHAP_R", "CHAP_I", "CHAP_C" };
	char name[64];

	for (const char *p = keys; *p; p = strchr(p, '\n') + 1) {
		size_t len = strcspn(p, "=");
		bool skip = false;

		memcpy(name, p, len);
		name[len] = '\0';
		for (size_t k = 0; k < sizeof(declared) / sizeof(declared[0]); k++)
			skip |= strcmp(declared[k], name) == 0;
		if (skip)
			continue;
		if (answers(i, name) != 1)
			fail_msg("%s was answered %u times", name, answers(i, name));
		if (strcmp(answer(i, name), "Reject") == 0 ||
			strcmp(answer(i, name), "NotUnderstood") == 0)
			fail_msg("%s was answered %s", name, answer(i, name));
	}
}

/* One request that must succeed, whose answer must have these flags. */
static void step(struct ini *i, unsigned flags, const char *keys, unsigned answer_flags)
{
	unsigned status = login(i, flags, keys);

	if (status != LOGIN_SUCCESS)
		fail_msg("login refused: 0x%04x", status);
	assert_int_equal(login_flags(i), answer_flags);
}

/* What any of them does first with a disk. */
static void use_the_disk(struct ini *i)
{
	unit_ready(i);
	fill(out, sizeof(out), 21);
	disk_write(i, 64, 128, out);
	disk_read(i, 64, 128, in);
	assert_memory_equal(in, out, sizeof(out));
}

/* --- Linux: open-iscsi (read) --------------------------------------------------------------- */

#define OPEN_ISCSI_OPERATIONAL \
	"HeaderDigest=None\nDataDigest=None\nDefaultTime2Wait=2\nDefaultTime2Retain=0\n" \
	"IFMarker=No\nOFMarker=No\nErrorRecoveryLevel=0\nInitialR2T=No\nImmediateData=Yes\n" \
	"MaxBurstLength=16776192\nFirstBurstLength=262144\nMaxOutstandingR2T=1\n" \
	"MaxConnections=1\nDataPDUInOrder=Yes\nDataSequenceInOrder=Yes\n" \
	"MaxRecvDataSegmentLength=262144\n"

static void open_iscsi_logs_in_without_authentication(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	memcpy(i.isid, "\x00\x02\x3d\x00\x00\x01", 6);
	step(&i, SEC | TO_OP,
		"InitiatorName=iqn.1993-08.org.debian:01:5fcb8a2a2a2\n"
		"InitiatorAlias=linux-host\nTargetName=" OPEN
		"\nSessionType=Normal\nAuthMethod=None\n",
		SEC | TO_OP);
	assert_answer(&i, "AuthMethod", "None");
	assert_answer(&i, "TargetPortalGroupTag", "1");
	step(&i, OP | TO_FFP, OPEN_ISCSI_OPERATIONAL, OP | TO_FFP);
	assert_all_answered(&i, OPEN_ISCSI_OPERATIONAL);
	assert_answer(&i, "IFMarker", "No");
	use_the_disk(&i);
	logout(&i);
	ini_close(&i);
}

static void open_iscsi_logs_in_with_mutual_chap(void **state)
{
	static const char *const lists[] = { "5", "8,7,6,5" };

	for (int k = 0; k < 2; k++) {
		struct chap c = chap_host1();
		char chap_a[32];
		struct ini i;

		c.algs = lists[k];
		c.our_len = k ? 32 : 16; /* as long as its digest */
		ini_open(&i, *state);
		step(&i, SEC,
			"InitiatorName=" HOST "\nInitiatorAlias=linux-host\nTargetName=" LOCKED
			"\nSessionType=Normal\nAuthMethod=CHAP,None\n",
			SEC);
		assert_answer(&i, "AuthMethod", "CHAP");
		snprintf(chap_a, sizeof(chap_a), "CHAP_A=%s\n", c.algs);
		step(&i, SEC, chap_a, SEC);
		/* Unexpected keys make it give up: these three and no more. */
		chap_take_challenge(&i, &c);
		assert_int_equal(answers(&i, "CHAP_N") + answers(&i, "CHAP_R"), 0);
		step(&i, SEC | TO_OP, chap_response(&c), SEC | TO_OP);
		assert_true(chap_proves_target(&i, &c));
		step(&i, OP | TO_FFP, OPEN_ISCSI_OPERATIONAL, OP | TO_FFP);
		assert_all_answered(&i, OPEN_ISCSI_OPERATIONAL);
		use_the_disk(&i);
		ini_close(&i);
	}
}

static void open_iscsi_discovers(void **state)
{
	static const char keys[] =
		"HeaderDigest=None\nDataDigest=None\nDefaultTime2Wait=2\n"
		"DefaultTime2Retain=0\nIFMarker=No\nOFMarker=No\nErrorRecoveryLevel=0\n"
		"MaxRecvDataSegmentLength=32768\n";
	struct ini i;

	ini_open_tcp(&i, *state, "127.0.0.1", "127.0.0.1");
	step(&i, SEC | TO_OP,
		"InitiatorName=" HOST "\nInitiatorAlias=linux-host\n"
		"SessionType=Discovery\nAuthMethod=None\n",
		SEC | TO_OP);
	step(&i, OP | TO_FFP, keys, OP | TO_FFP);
	assert_all_answered(&i, keys);
	text(&i, "SendTargets=All\n");
	assert_int_equal(answers(&i, "TargetName"), 2);
	assert_answer(&i, "TargetAddress", "127.0.0.1:3260,1");
	logout(&i);
	ini_close(&i);
}

static void open_iscsi_discovers_from_the_security_stage_at_once(void **state)
{
	struct ini i;

	ini_open_tcp(&i, *state, "127.0.0.1", "127.0.0.1");
	step(&i, SEC | TO_FFP, "InitiatorName=" HOST "\nSessionType=Discovery\nAuthMethod=None\n",
		SEC | TO_FFP);
	text(&i, "SendTargets=All\n");
	assert_int_equal(answers(&i, "TargetName"), 2);
	ini_close(&i);
}

static void open_iscsi_pings_every_few_seconds(void **state)
{
	struct ini i;

	ini_begin(&i, *state, "");
	for (int k = 0; k < 300; k++) {
		struct pdu p = pdu_nop(&i, NULL, 0);

		pdu_make_immediate(&i, &p);
		ini_send(&i, &p);
		ini_recv(&i, OP_NOP_IN);
		assert_int_equal(be32(i.bhs + 16), pdu_itt(&p));
	}
	ini_close(&i);
}

/* --- libiscsi, as in QEMU and the iscsi-* tools (read) -------------------------------------- */

#define LIBISCSI_OPERATIONAL \
	"HeaderDigest=None,CRC32C\nDataDigest=None\nInitialR2T=No\nImmediateData=Yes\n" \
	"MaxBurstLength=262144\nFirstBurstLength=262144\nMaxRecvDataSegmentLength=262144\n" \
	"DataPDUInOrder=Yes\nDefaultTime2Wait=2\nDefaultTime2Retain=0\nIFMarker=No\n" \
	"OFMarker=No\nMaxConnections=1\nMaxOutstandingR2T=1\nErrorRecoveryLevel=0\n" \
	"DataSequenceInOrder=Yes\n"

static void libiscsi_logs_in_without_a_user(void **state)
{
	static const char keys[] =
		"InitiatorName=iqn.2007-10.com.github:sahlberg:libiscsi:iscsi-inq\n"
		"InitiatorAlias=libiscsi\nTargetName=" OPEN
		"\nSessionType=Normal\n" LIBISCSI_OPERATIONAL;
	struct ini i;

	ini_open(&i, *state);
	i.cmdsn = 0x6b8b4567;
	i.next_itt = 0x327b23c6;
	step(&i, OP | TO_FFP, keys, OP | TO_FFP);
	assert_all_answered(&i, keys);
	use_the_disk(&i);
	logout(&i);
	ini_close(&i);
}

static void libiscsi_logs_in_with_a_user(void **state)
{
	for (int mutual = 0; mutual < 2; mutual++) {
		struct chap c = chap_host1();
		struct ini i;

		if (!mutual)
			c.target_name = NULL;
		ini_open(&i, *state);
		/* It sets T with every request, the ones that cannot be granted too. */
		step(&i, SEC | TO_OP,
			"InitiatorName=" HOST "\nInitiatorAlias=libiscsi\n"
			"TargetName=" LOCKED "\nSessionType=Normal\nAuthMethod=CHAP,None\n",
			SEC);
		step(&i, SEC | TO_OP, "CHAP_A=5\n", SEC);
		/* It reads nothing but hexadecimal. */
		assert_true(strncmp(answer(&i, "CHAP_C"), "0x", 2) == 0);
		chap_take_challenge(&i, &c);
		step(&i, SEC | TO_OP, chap_response(&c), SEC | TO_OP);
		if (mutual)
			assert_true(chap_proves_target(&i, &c));
		step(&i, OP | TO_FFP, LIBISCSI_OPERATIONAL, OP | TO_FFP);
		assert_all_answered(&i, LIBISCSI_OPERATIONAL);
		use_the_disk(&i);
		ini_close(&i);
	}
}

static void libiscsi_says_its_names_again_in_the_operational_stage(void **state)
{
	struct chap c = chap_host1();
	struct ini i;

	ini_open(&i, *state);
	chap_begin(&i, &c, LOCKED);
	step(&i, SEC | TO_OP, chap_response(&c), SEC | TO_OP);
	step(&i, OP | TO_FFP,
		"InitiatorName=" HOST "\nTargetName=" LOCKED
		"\nSessionType=Normal\n" LIBISCSI_OPERATIONAL,
		OP | TO_FFP);
	ini_expect_alive(&i);
	ini_close(&i);
}

static void libiscsi_discovers(void **state)
{
	static const char keys[] =
		"InitiatorName=iqn.2007-10.com.github:sahlberg:libiscsi:iscsi-ls\n"
		"SessionType=Discovery\n" LIBISCSI_OPERATIONAL;
	struct ini i;

	ini_open_tcp(&i, *state, "127.0.0.1", "127.0.0.1");
	step(&i, OP | TO_FFP, keys, OP | TO_FFP);
	text(&i, "SendTargets=All\n");
	assert_int_equal(answers(&i, "TargetName"), 2);
	logout(&i);
	ini_close(&i);
}

/* --- iPXE (read) ---------------------------------------------------------------------------- */

#define IPXE_OPERATIONAL \
	"HeaderDigest=None\nDataDigest=None\nMaxConnections=1\nInitialR2T=Yes\n" \
	"ImmediateData=No\nMaxRecvDataSegmentLength=8192\nMaxBurstLength=262144\n" \
	"FirstBurstLength=65536\nDefaultTime2Wait=0\nDefaultTime2Retain=0\n" \
	"MaxOutstandingR2T=1\nDataPDUInOrder=Yes\nDataSequenceInOrder=Yes\n" \
	"ErrorRecoveryLevel=0\n"

static void ipxe_boots_from_an_open_target(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	step(&i, SEC | TO_OP,
		"InitiatorName=iqn.2010-04.org.ipxe:host\nTargetName=" OPEN
		"\nSessionType=Normal\nAuthMethod=None\n",
		SEC | TO_OP);
	step(&i, OP | TO_FFP, IPXE_OPERATIONAL, OP | TO_FFP);
	assert_all_answered(&i, IPXE_OPERATIONAL); /* any Reject ends the boot */
	use_the_disk(&i);
	ini_close(&i);
}

static void ipxe_boots_with_mutual_chap(void **state)
{
	struct chap c = chap_host1();
	struct ini i;

	ini_open(&i, *state);
	step(&i, SEC | TO_OP,
		"InitiatorName=" HOST "\nTargetName=" LOCKED
		"\nSessionType=Normal\nAuthMethod=CHAP\n",
		SEC);
	step(&i, SEC | TO_OP, "CHAP_A=5\n", SEC);
	chap_take_challenge(&i, &c);
	step(&i, SEC | TO_OP, chap_response(&c), SEC | TO_OP);
	assert_true(chap_proves_target(&i, &c));
	step(&i, OP | TO_FFP, IPXE_OPERATIONAL, OP | TO_FFP);
	assert_all_answered(&i, IPXE_OPERATIONAL);
	use_the_disk(&i);
	ini_close(&i);
}

static void ipxe_is_kept_although_it_never_answers_a_ping(void **state)
{
	struct wire *w = *state;
	struct cdb tur = cdb_test_unit_ready();
	struct ini i;

	w->policy.ping_interval_ms = 50;
	w->policy.ping_timeout_ms = 500;
	wire_start(w);
	ini_begin(&i, w, "");
	for (int k = 0; k < 8; k++) {
		struct pdu p = pdu_scsi(&i, BHS_FINAL, tur.b, tur.len, 0);

		wire_sleep_ms(90);
		ini_send(&i, &p);
		do {
			assert_true(ini_recv_within(&i, WIRE_LIMIT_MS));
		} while (i.bhs[0] == OP_NOP_IN);
		assert_int_equal(i.bhs[0], OP_SCSI_RSP);
	}
	ini_close(&i);
}

static void ipxe_follows_a_redirection(void **state)
{
	struct wire *w = *state;
	struct ini i;

	w->target[0].redirect = TARGET_MOVED_TEMPORARILY;
	w->target[0].redirect_to = "192.0.2.9:3260,1";
	wire_start(w);
	ini_open(&i, w);
	assert_int_equal(login(&i, SEC | TO_OP,
				 "InitiatorName=iqn.2010-04.org.ipxe:host\n"
				 "TargetName=" OPEN "\nSessionType=Normal\nAuthMethod=None\n"),
		LOGIN_MOVED_TEMPORARILY);
	assert_answer(&i, "TargetAddress", "192.0.2.9:3260,1");
	ini_close(&i);
}

/* --- VMware ESXi: discovery (captured, an old release) -------------------------------------- */

static void esxi_discovers(void **state)
{
	static const char keys[] =
		"InitiatorName=iqn.1998-01.com.vmware:esx-4d2c\n"
		"SessionType=Discovery\nHeaderDigest=None\nDataDigest=None\nDefaultTime2Wait=0\n"
		"DefaultTime2Retain=0\nIFMarker=No\nOFMarker=No\nErrorRecoveryLevel=0\n"
		"MaxRecvDataSegmentLength=32768\n";
	struct ini i;
	struct pdu p;
	uint8_t bhs[48], data[512] = { 0 };

	ini_open_tcp(&i, *state, "127.0.0.1", "127.0.0.1");
	memcpy(i.isid, "\x00\x02\x3d\x00\x00\x00", 6);
	i.next_itt = 0;
	p = pdu_login(&i, OP | TO_FFP, keys);
	/* Header and data in TCP segments of their own. */
	memcpy(bhs, p.bhs, 48);
	put_be24(bhs + 5, p.len);
	memcpy(data, p.data, p.len);
	ini_send_bytes(&i, bhs, 48, false);
	wire_sleep_ms(5);
	ini_send_bytes(&i, data, (p.len + 3) & ~3u, false);
	assert_int_equal(login_answer(&i), LOGIN_SUCCESS);
	assert_all_answered(&i, keys);
	uint32_t before = i.expcmdsn;
	text(&i, "SendTargets=All\n");
	assert_int_equal(i.expcmdsn, before + 1);
	assert_int_equal(answers(&i, "TargetName"), 2);
	logout(&i);
	ini_close(&i);
}

/* --- VMware ESXi: a normal session (unsure: taken to be open-iscsi's, from its ISID) -------- */

static void esxi_scans_a_target(void **state)
{
	struct ini i;

	ini_open(&i, *state);
	memcpy(i.isid, "\x00\x02\x3d\x01\x00\x00", 6);
	step(&i, SEC | TO_OP,
		"InitiatorName=iqn.1998-01.com.vmware:esx-4d2c\nTargetName=" OPEN
		"\nSessionType=Normal\nAuthMethod=None\n",
		SEC | TO_OP);
	step(&i, OP | TO_FFP, OPEN_ISCSI_OPERATIONAL, OP | TO_FFP);
	struct command luns = {
		.cdb = cdb_report_luns(256), .read = true, .in = in, .expect = 256
	};
	command_run(&i, &luns);
	assert_int_equal(luns.status, 0);
	assert_int_equal(be32(in), 8);
	for (int k = 0; k < 18; k++) {
		struct command inquiry = {
			.cdb = cdb_inquiry(255), .read = true, .in = in, .expect = 255
		};

		command_run(&i, &inquiry);
		assert_int_equal(inquiry.status, 0);
	}
	use_the_disk(&i);
	ini_close(&i);
}

/*
 * --- Windows: what is sure of it --------------------------------------------------------------------
 *
 *	captured  the first request of a login without CHAP, its header fields included, the answer to it,
 *	          and REPORT LUNS for 16 bytes as the first of its kind: Windows Server 2003, in a packet
 *	          capture that public test suites quote. The ISID, 40 00 01 37 and a counter, is also in
 *	          listings of Windows Server 2012 and later.
 *	reported  names, 12 to 16 bytes of secret, MD5 in one-way and mutual CHAP, hex or base64, None taken
 *	          at the security stage, the LUN of Data-Out, mode page 0, logins in bursts
 *	unsure    the operational keys, their order and most values; discovery; the order in CHAP
 */

#define WINDOWS_NAME "iqn.1991-05.com.microsoft:win-server.example.com"
#define WINDOWS_OPERATIONAL \
	"HeaderDigest=None,CRC32C\nDataDigest=None,CRC32C\nMaxRecvDataSegmentLength=65536\n" \
	"InitialR2T=No\nImmediateData=Yes\nMaxBurstLength=262144\nFirstBurstLength=65536\n" \
	"MaxConnections=1\nMaxOutstandingR2T=16\nDataPDUInOrder=Yes\nDataSequenceInOrder=Yes\n" \
	"ErrorRecoveryLevel=2\nDefaultTime2Wait=0\nDefaultTime2Retain=60\n"

/* Numbers as in the capture: all begin with 1, CID too. */
static void windows_opens(struct ini *i, struct wire *w)
{
	ini_open_tcp(i, w, "127.0.0.1", "127.0.0.1");
	i->name = WINDOWS_NAME;
	memcpy(i->isid, "\x40\x00\x01\x37\x00\x00", 6);
	i->cid = 1;
	i->next_itt = 1;
	i->cmdsn = 1;
	i->expstatsn = 0;
}

/* captured, but for the operational stage */
static void windows_logs_in_and_takes_none_in_the_security_stage(void **state)
{
	struct ini i;

	windows_opens(&i, *state);
	step(&i, SEC | TO_OP,
		"InitiatorName=" WINDOWS_NAME "\nSessionType=Normal\nTargetName=" OPEN
		"\nAuthMethod=None\n",
		SEC | TO_OP);
	assert_answer(&i, "TargetPortalGroupTag", "1");
	assert_answer(&i, "AuthMethod", "None");
	step(&i, OP | TO_FFP, WINDOWS_OPERATIONAL, OP | TO_FFP);
	assert_all_answered(&i, WINDOWS_OPERATIONAL);
	assert_answer(&i, "ErrorRecoveryLevel", "0");
	use_the_disk(&i);
	logout(&i);
	ini_close(&i);
}

/* captured: 16 bytes, of which the list's length tells how many the next one asks for */
static void windows_asks_for_luns_in_two_steps(void **state)
{
	struct command first = { .read = true, .in = in, .expect = 16 }, second;
	struct ini i;

	first.cdb = cdb_report_luns(16);
	second = first;
	ini_begin(&i, *state, "");
	command_run(&i, &first);
	assert_int_equal(first.status, 0);
	assert_int_equal(first.residual, 0);
	assert_int_equal(be32(in), 8);
	second.expect = 8 + be32(in);
	second.cdb = cdb_report_luns(second.expect);
	command_run(&i, &second);
	assert_int_equal(second.status, 0);
	assert_int_equal(second.got, 16);
	ini_close(&i);
}

/* unsure */
static void windows_discovers(void **state)
{
	struct ini i;

	windows_opens(&i, *state);
	step(&i, SEC | TO_OP,
		"InitiatorName=" WINDOWS_NAME "\nSessionType=Discovery\nAuthMethod=None\n",
		SEC | TO_OP);
	assert_answer(&i, "AuthMethod", "None");
	step(&i, OP | TO_FFP, WINDOWS_OPERATIONAL, OP | TO_FFP);
	assert_all_answered(&i, WINDOWS_OPERATIONAL);
	text(&i, "SendTargets=All\n");
	assert_int_equal(answers(&i, "TargetName"), 2);
	assert_answer(&i, "TargetAddress", "127.0.0.1:3260,1");
	logout(&i);
	ini_close(&i);
}

/* The row of LOCKED is for Windows; gives what it knows, with secrets of 16 bytes, all it takes. */
static struct chap windows_chap(struct wire *w)
{
	struct chap c = chap_host1();

	w->row[0].initiator = WINDOWS_NAME;
	wire_start(w);
	assert_int_equal(strlen(c.secret), 16);
	c.name = WINDOWS_NAME;
	return c;
}

/* reported, but for the order of the keys */
static void windows_chap_login(struct wire *w, struct chap *c)
{
	struct ini i;

	windows_opens(&i, w);
	step(&i, SEC,
		"InitiatorName=" WINDOWS_NAME "\nSessionType=Normal\nTargetName=" LOCKED
		"\nAuthMethod=CHAP\n",
		SEC);
	step(&i, SEC, "CHAP_A=5\n", SEC);
	chap_take_challenge(&i, c);
	step(&i, SEC | TO_OP, chap_response(c), SEC | TO_OP);
	assert_true(!c->target_name || chap_proves_target(&i, c));
	step(&i, OP | TO_FFP, WINDOWS_OPERATIONAL, OP | TO_FFP);
	use_the_disk(&i);
	logout(&i);
	ini_close(&i);
}

static void windows_logs_in_with_chap_and_sixteen_bytes_of_secret(void **state)
{
	struct chap c = windows_chap(*state);

	c.target_name = NULL; /* one-way, although a target secret is set */
	windows_chap_login(*state, &c);
}

static void windows_logs_in_with_mutual_chap(void **state)
{
	struct chap c = windows_chap(*state);

	windows_chap_login(*state, &c);
}

/* reported: the values of the published guide, which examples/windows sets */
static void windows_is_given_the_sizes_that_it_was_told_to_ask_for(void **state)
{
	struct ini i;

	windows_opens(&i, *state);
	step(&i, OP | TO_FFP,
		"InitiatorName=" WINDOWS_NAME "\nSessionType=Normal\nTargetName=" OPEN
		"\nMaxRecvDataSegmentLength=262144\nMaxBurstLength=1048576\n"
		"FirstBurstLength=262144\n",
		OP | TO_FFP);
	assert_answer(&i, "MaxBurstLength", "1048576");
	assert_answer(&i, "FirstBurstLength", "262144");
	use_the_disk(&i);
	ini_close(&i);
}

/* reported of Windows 2000: a vendor's page, which a disk without one refuses in good order */
static void windows_asks_for_mode_page_0(void **state)
{
	struct command c = { .cdb = { .b = { 0x1a, 0, 0, 0, 192 }, .len = 6 },
		.read = true,
		.in = in,
		.expect = 192 };
	struct ini i;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_run(&i, &c);
	assert_int_equal(c.status, 2);
	assert_int_equal(c.sense_key, 5);
	assert_int_equal(c.asc, 0x2400);
	use_the_disk(&i);
	ini_close(&i);
}

/* reported */
static void windows_sends_data_with_another_lun_than_the_commands(void **state)
{
	struct command c = {
		.cdb = cdb_write(0, 1), .write = true, .out = out, .expect = WIRE_BLOCK
	};
	struct ini i;
	struct pdu p;

	ini_begin(&i, *state, "");
	unit_ready(&i);
	command_send(&i, &c);
	ini_recv(&i, OP_R2T);
	p = pdu_data_out(&i, c.itt, be32(i.bhs + 20), 0, 0, out, WIRE_BLOCK, true);
	put_be64(p.bhs + 8, 0x0003000000000000);
	ini_send(&i, &p);
	ini_recv(&i, OP_SCSI_RSP);
	assert_int_equal(i.bhs[3], 0);
	ini_close(&i);
}

/* reported */
static void windows_logs_in_again_and_again_after_a_restart(void **state)
{
	struct wire *w = *state;
	struct ini i[8];

	/* Session reinstatement in a burst: eight logins with one ISID at once. The last one stays. */
	for (int k = 0; k < 8; k++) {
		struct pdu p;

		ini_open(&i[k], w);
		p = pdu_login(&i[k], OP | TO_FFP,
			"InitiatorName=" WINDOWS_NAME "\nTargetName=" OPEN
			"\nSessionType=Normal\n");
		ini_send(&i[k], &p);
	}
	wire_expect_connections(w, 1);
	wire_expect_sessions(w, 1);
	for (int k = 0; k < 8; k++)
		ini_close(&i[k]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(open_iscsi_logs_in_without_authentication),
		TEST(open_iscsi_logs_in_with_mutual_chap),
		TEST(open_iscsi_discovers),
		TEST(open_iscsi_discovers_from_the_security_stage_at_once),
		TEST(open_iscsi_pings_every_few_seconds),
		TEST(libiscsi_logs_in_without_a_user),
		TEST(libiscsi_logs_in_with_a_user),
		TEST(libiscsi_says_its_names_again_in_the_operational_stage),
		TEST(libiscsi_discovers),
		TEST(ipxe_boots_from_an_open_target),
		TEST(ipxe_boots_with_mutual_chap),
		TEST_UNSTARTED(ipxe_is_kept_although_it_never_answers_a_ping),
		TEST_UNSTARTED(ipxe_follows_a_redirection),
		TEST(esxi_discovers),
		TEST(esxi_scans_a_target),
		TEST(windows_logs_in_and_takes_none_in_the_security_stage),
		TEST(windows_asks_for_luns_in_two_steps),
		TEST(windows_discovers),
		TEST_UNSTARTED(windows_logs_in_with_chap_and_sixteen_bytes_of_secret),
		TEST_UNSTARTED(windows_logs_in_with_mutual_chap),
		TEST(windows_is_given_the_sizes_that_it_was_told_to_ask_for),
		TEST(windows_asks_for_mode_page_0),
		TEST(windows_sends_data_with_another_lun_than_the_commands),
		TEST(windows_logs_in_again_and_again_after_a_restart),
	};
	return cmocka_run_group_tests_name("initiators", tests, NULL, NULL);
}
