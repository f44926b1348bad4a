/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wire tests' two halves: a whole target in this process, and a small initiator at the
 * other end of a socketpair.
 *
 * The initiator shares no code with the target but loads and stores of integers, so that a
 * misreading of the RFC on one side is not repeated on the other. It blocks, with a time limit
 * that fails the test. What holds of every PDU that a target sends (numbering, lengths, digests,
 * padding) is checked on every PDU that is received, and need not be checked by tests.
 *
 * Everything here is called by the thread of the test, which is the target's main thread.
 */
#ifndef WIRE_H
#define WIRE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/list.h"
#include "chap/credential.h"
#include "iscsi/directory.h"
#include "iscsi/server.h"
#include "iscsi/status.h"
#include "iscsi/wire.h"
#include "store/store.h"
#include "tests/fault.h"

/* --- the target ------------------------------------------------------------------------------- */

#define OPEN          "iqn.2026-11.com.example:open"   /* its first target: no CHAP, LUN 0 */
#define LOCKED        "iqn.2026-11.com.example:locked" /* its second one: CHAP, LUN 0 */
#define HOST          "iqn.2026-11.com.example:host1"  /* may log in there, as itself */
#define SECRET        "initiator-111111"               /* proves HOST */
#define TARGET_SECRET "target---2222222"               /* proves LOCKED to HOST */

#define WIRE_BLOCK    512u
#define WIRE_BLOCKS   8192u /* of each disk */
#define WIRE_LIMIT_MS 20000 /* nothing takes so long */

enum { WIRE_TARGETS = 8, WIRE_ROWS = 8, WIRE_PORTALS = 4 };

struct wire {
	/* To be changed before wire_start(), or before wire_publish(). */
	struct iscsi_policy policy;
	struct iscsi_portal portal[WIRE_PORTALS];
	struct iscsi_target target[WIRE_TARGETS]; /* without luns: a disk of its own is made */
	struct credential_spec row[WIRE_ROWS];
	unsigned nportals, ntargets, nrows;
	bool plain;                  /* disks of memory alone, without a fault store */
	struct iscsi_server_cfg cfg; /* before wire_start() only */
	/* Results. */
	struct iscsi_server *server;
	struct loop *loop;                /* the main thread's */
	struct store *disk[WIRE_TARGETS]; /* of the target of this index: a fault store */
	struct list blocks;               /* private: memory of initiators */
	int disks;                        /* that are there now */
};

/* For cmocka: *state is a struct wire, not started: one reactor; OPEN and LOCKED; one wildcard portal
 * of group 1. Teardown stops it, if it was started, and fails when anything is left. */
int wire_setup(void **state);
int wire_setup_started(void **state);
int wire_setup_plain(void **state); /* started; `plain` disks */
int wire_teardown(void **state);

/* A test that finds the target started; one that starts it itself, when it has said what is to be
 * different; and one of `plain` disks, which take and give their data in place, past every buffer. */
#define TEST(f)           cmocka_unit_test_setup_teardown(f, wire_setup_started, wire_teardown)
#define TEST_UNSTARTED(f) cmocka_unit_test_setup_teardown(f, wire_setup, wire_teardown)
#define TEST_PLAIN(f) \
	{ \
		.name = #f " (in place)", .test_func = f, .setup_func = wire_setup_plain, \
		.teardown_func = wire_teardown \
	}

void wire_start(struct wire *w);

/* Adds a target with a disk of its own; gives its row, for changes. */
struct iscsi_target *wire_add_target(struct wire *w, const char *name);

/* Publishes targets, rows, portals and policy as they now are; returns when done() was called. */
void wire_publish(struct wire *w);

/* iscsi_server_close(), iscsi_server_stop(), waiting for their end. */
unsigned wire_close(struct wire *w, const char *target, uint16_t tsih);
void wire_stop(struct wire *w, uint32_t grace_ms);

/* Runs the main loop until *flag; fails the test when that takes too long. */
void wire_wait(struct wire *w, const bool *flag);

struct iscsi_counters wire_counters(struct wire *w);
/* Waits until so many sessions, or connections, are there. */
void wire_expect_sessions(struct wire *w, uint64_t n);
void wire_expect_connections(struct wire *w, uint64_t n);
void wire_expect_logins(struct wire *w, uint64_t n); /* since the start */
/* Waits until nothing is there, on its way in or half-open. */
void wire_expect_idle(struct wire *w);

void wire_sleep_ms(unsigned ms);

/* realloc() and free() for initiators: what a test that failed has left is given back by teardown. */
void *wire_alloc(struct wire *w, void *old, size_t size);
void wire_free(void *p);

/* --- PDUs ------------------------------------------------------------------------------------- */

/* One to be sent. TotalAHSLength and DataSegmentLength are filled in by ini_send(). */
struct pdu {
	uint8_t bhs[BHS_SIZE];
	const void *ahs;
	uint32_t ahs_len;
	const void *data;
	uint32_t len;
};

static inline uint32_t pdu_itt(const struct pdu *p)
{
	return be32(p->bhs + 16);
}

/* --- the initiator -------------------------------------------------------------------------- */

struct ini {
	struct wire *w;
	int fd;           /* -1: closed */
	const char *name; /* InitiatorName; HOST */
	uint8_t isid[6];
	uint16_t tsih, cid;
	uint32_t next_itt, cmdsn, expstatsn;
	bool numbered;               /* expstatsn is known */
	uint32_t expcmdsn, maxcmdsn; /* as last heard */
	/* Negotiated, as initiator and target said: RFC 7143 section 13's defaults before. */
	bool header_digest, data_digest, initial_r2t, immediate_data;
	uint32_t max_send, max_recv, max_burst, first_burst, max_r2t;
	bool full;                                     /* in full feature phase */
	bool discovery;                                /* in a discovery session */
	bool broken_header_digest, broken_data_digest; /* of the next PDU to be sent */
	/* The PDU received last. */
	uint8_t bhs[BHS_SIZE];
	uint8_t *data; /* and a NUL */
	uint32_t len;
	/* The answers of a login or text request, NUL-separated; the keys sent last. */
	char *keys, *sent;
	uint32_t keys_len;
};

/* Connects by a socketpair, through a portal of group 1 or of another. */
void ini_open(struct ini *i, struct wire *w);
void ini_open_group(struct ini *i, struct wire *w, uint16_t group);
/* Connects by TCP over loopback, to group 1: `to` is "127.0.0.1" or "::1", `from` is of the same family,
 * and any of 127.0.0.0/8. */
void ini_open_tcp(struct ini *i, struct wire *w, const char *to, const char *from);
/* Another connection of i's session, not logged in: same names and ISID, TSIH, next CID. */
void ini_open_more(struct ini *more, const struct ini *i, uint16_t cid);
/* The socket is closed without a word; harmless twice. */
void ini_close(struct ini *i);

/* Gives p a data segment of text: each newline of `keys` becomes a NUL. It lives until the next one. */
void ini_put_keys(struct ini *i, struct pdu *p, const char *keys);
/* Adds the data segment of the PDU received last to i->keys. */
void ini_gather(struct ini *i);

/* Sends whole PDUs, or raw bytes. False, when `may_fail`, if the target has closed. */
void ini_send(struct ini *i, const struct pdu *p);
bool ini_send_may_fail(struct ini *i, const struct pdu *p);
/* Whether the socket takes something within so many milliseconds. */
bool ini_can_send(struct ini *i, unsigned ms);
bool ini_send_bytes(struct ini *i, const void *p, size_t n, bool may_fail);

/* The next PDU, into i; fails the test after WIRE_LIMIT_MS, at the end of the stream, or when its
 * opcode is another. */
void ini_recv(struct ini *i, uint8_t opcode);
/* Like that, of any kind; false: nothing came for so long. */
bool ini_recv_within(struct ini *i, unsigned ms);
/* Whether there is anything to read, the end of the stream included; and reads it away, whatever it is:
 * false at the end. */
bool ini_readable(struct ini *i, unsigned ms);
bool ini_drain(struct ini *i);
/* The target closes without another PDU. */
void ini_expect_closed(struct ini *i);
/* The target closes, whatever it says before. */
void ini_expect_closed_at_last(struct ini *i);
/* Nothing comes for so long, and the connection stays open. */
void ini_expect_silence(struct ini *i, unsigned ms);
/* A ping, or in a discovery session an empty text, is answered: the connection lives, and everything
 * sent before was taken in. */
void ini_expect_alive(struct ini *i);
/* A Reject for that reason, which quotes p. */
void ini_expect_reject(struct ini *i, const struct pdu *p, uint8_t reason);

/* --- login ---------------------------------------------------------------------------------- */

/* The names in the first request of a normal session of HOST. */
#define NAMES_TO(target) "InitiatorName=" HOST "\nTargetName=" target "\nSessionType=Normal\n"

/* Byte 1 of a login request: SEC or OP, with one of the others. */
enum { SEC = 0x00, OP = 0x04, TO_OP = 0x81, TO_FFP = 0x83, CONT = 0x40 };

/* A login request. Each of `keys` ends with a newline, which becomes a NUL; "" is none. The PDU's data
 * live until the next login or text request of this initiator is made. */
struct pdu pdu_login(struct ini *i, unsigned flags, const char *keys);
/* Sends one and receives the answer, into i->keys; gives the status. Answers in several PDUs (C bit) are
 * gathered. What the answers say is in force for i from then on. */
unsigned login(struct ini *i, unsigned flags, const char *keys);
/* Receives the answer only. */
unsigned login_answer(struct ini *i);
/* What byte 1 of the last answer said: T, CSG, NSG. */
unsigned login_flags(const struct ini *i);

/* The value of a key in i->keys, or NULL; and how often it stands there. */
const char *answer(const struct ini *i, const char *key);
unsigned answers(const struct ini *i, const char *key);
#define assert_answer(i, key, value) \
	do { \
		assert_non_null(answer(i, key)); \
		assert_string_equal(answer(i, key), value); \
	} while (0)

/* Whole logins that must succeed. Keys in `more` are sent in the operational stage; "" is none. */
void ini_login(struct ini *i, const char *target, const char *more);
void ini_login_discovery(struct ini *i);
/* ini_open(), then ini_login(). */
void ini_begin(struct ini *i, struct wire *w, const char *more);

/* --- CHAP, computed apart from the target's ------------------------------------------------- */

/* H(id, secret, challenge) of CHAP algorithm 5, 6, 7 or 8; gives its length. */
size_t chap_hash(unsigned alg, uint8_t id, const char *secret, const uint8_t *challenge, size_t len,
	uint8_t out[static 64]);

/* What an initiator knows, and what the target told it. */
struct chap {
	const char *algs; /* CHAP_A, as it is sent */
	const char *name, *secret;
	const char *target_name, *target_secret; /* NULL: one-way */
	unsigned alg;
	uint8_t id, our_id;
	uint8_t challenge[64], ours[64];
	size_t len, our_len;
	char text[2048];
};

/* HOST's, mutual. */
struct chap chap_host1(void);
/* The two requests before the response: AuthMethod (with names), CHAP_A; the challenge goes into c. */
void chap_begin(struct ini *i, struct chap *c, const char *target);
/* Reads CHAP_A, CHAP_I, CHAP_C from the last answer. */
void chap_take_challenge(struct ini *i, struct chap *c);
/* "CHAP_N=…\nCHAP_R=…\n" and, if mutual, "CHAP_I=…\nCHAP_C=…\n", into c->text. */
const char *chap_response(struct chap *c);
/* Whether the last answer's CHAP_N and CHAP_R prove the target. */
bool chap_proves_target(const struct ini *i, const struct chap *c);
/* The whole of a login with CHAP into full feature phase; gives the last status. */
unsigned chap_login(struct ini *i, struct chap *c, const char *target, const char *more);

/* Bytes as "0x…", NUL-terminated, 2n + 3 characters. */
char *to_hex(const uint8_t *p, size_t n, char *out);

/* --- full feature phase --------------------------------------------------------------------- */

/* Requests with the next ITT and, unless it is made immediate afterwards, the next CmdSN. */
struct pdu pdu_scsi(
	struct ini *i, unsigned flags, const uint8_t *cdb, size_t cdb_len, uint32_t expect);
struct pdu pdu_data_out(struct ini *i, uint32_t itt, uint32_t ttt, uint32_t datasn, uint32_t offset,
	const void *data, uint32_t len, bool final);
struct pdu pdu_nop(struct ini *i, const void *data, uint32_t len);
struct pdu pdu_text(struct ini *i, const char *keys);
struct pdu pdu_tmf(struct ini *i, uint8_t function, uint32_t rtt, uint32_t refcmdsn);
struct pdu pdu_logout(struct ini *i, uint8_t reason, uint16_t cid);
/* Takes the CmdSN back that the constructor took, and marks p immediate. */
void pdu_make_immediate(struct ini *i, struct pdu *p);

/* CDBs. */
struct cdb {
	uint8_t b[16];
	size_t len;
};
struct cdb cdb_test_unit_ready(void);
struct cdb cdb_inquiry(uint16_t alloc);
struct cdb cdb_report_luns(uint32_t alloc);
struct cdb cdb_read(uint32_t lba, uint16_t blocks);  /* READ(10) */
struct cdb cdb_write(uint32_t lba, uint16_t blocks); /* WRITE(10) */

/* A command, and what became of it. */
struct command {
	struct cdb cdb;
	uint64_t lun;
	uint8_t attr;
	bool immediate; /* I bit */
	bool read, write;
	uint32_t expect;
	const void *out;          /* write: `expect` bytes */
	void *in;                 /* read: room for `expect` bytes */
	uint32_t immediate_len;   /* write: how much goes with the command */
	uint32_t unsolicited_len; /* write: how much more follows unasked */
	/* Results. */
	uint32_t itt, got;
	uint8_t status, flags, sense_key;
	uint16_t asc;
	uint32_t residual, sense_len;
	unsigned data_pdus, r2ts, most_r2ts; /* Data-In PDUs; R2Ts, and outstanding at one time */
	bool collapsed;                      /* status came with the last Data-In */
	const uint8_t *bidi;
};
/* Sends it, and its unasked data. */
void command_send(struct ini *i, struct command *c);
/* Goes on to its end: answers R2Ts, gathers Data-In, takes the status; checks the order of both. */
void command_finish(struct ini *i, struct command *c);
void command_run(struct ini *i, struct command *c);

/* Shortest forms, which fail the test unless the status is GOOD. */
void disk_read(struct ini *i, uint32_t lba, uint16_t blocks, void *in);
void disk_write(struct ini *i, uint32_t lba, uint16_t blocks, const void *out);
/* Takes the unit attentions that a new nexus finds. */
void unit_ready(struct ini *i);
/* TEST UNIT READY gives this unit attention. */
void expect_unit_attention(struct ini *i, uint16_t asc);

/* n bytes that differ from place to place, and with the seed. */
void fill(uint8_t *p, size_t n, unsigned seed);

/* Sends a text request and gathers the answer, of as many PDUs as it takes, into i->keys. */
void text(struct ini *i, const char *keys);
/* Sends a task management request; gives the response. */
uint8_t tmf(struct ini *i, uint8_t function, uint32_t rtt, uint32_t refcmdsn);
/* Closes the session; the target then closes. */
void logout(struct ini *i);

#endif
