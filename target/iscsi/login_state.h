/* SPDX-License-Identifier: BSD-2-Clause */
/* What a login knows: shared by login.c and join.c, and nobody else's. */
#ifndef ISCSI_LOGIN_STATE_H
#define ISCSI_LOGIN_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "chap/exchange.h"
#include "iscsi/directory.h"
#include "iscsi/keys.h"
#include "iscsi/login.h"
#include "iscsi/name.h"
#include "iscsi/negotiate.h"
#include "iscsi/pdu.h"
#include "iscsi/status.h"

struct session;

enum auth_method { METHOD_OPEN, METHOD_NONE, METHOD_CHAP };

/* Values of the login's own keys in the present request; they point into its text. */
struct login_given {
	const char *initiator, *target, *type, *alias, *auth;
};

struct login {
	struct directory *dir;              /* the snapshot that this login sees */
	struct login_req req;               /* the last request */
	unsigned requests;
	uint8_t stage;                      /* enum login_stage: where the two sides are */
	bool identified;                    /* the members below are known */
	bool answering;                     /* an answer is being sent in pieces … */
	bool leaving;                       /* … and the stage is left with its last */
	bool joining;                       /* join.c has it */
	bool over;                          /* refused; the connection closes */
	bool refusing;                      /* … after a while */
	enum login_status status;           /* why it is over */
	uint16_t tsih;                      /* given at the end */

	/* Who, and with whom. */
	struct login_given given;
	struct iscsi_name initiator;
	char chap_initiator[ISCSI_NAME_MAX + 1];   /* as it was spelled */
	char *alias;
	bool discovery;
	const struct iscsi_target *target;  /* in dir; NULL: discovery */

	/* Proof. */
	enum table_verdict verdict;
	const struct credential *row;       /* a reference; NULL: none fits */
	enum auth_method method;
	struct exchange chap;
	bool mutual;
	char *user;                         /* CHAP_N, once proved */

	/* Text. */
	struct key_buf in;
	struct key_out out;
	const char *last;                   /* piece of `out` that goes with the last response */
	uint32_t last_len;
	struct negotiation n;

	/* The end. */
	struct conn *conn;
	struct loop_timer refusal;
	struct session *session;            /* made for a new session, not joined yet */
};

/* Refuses: one log line, one response, and the connection closes behind it. `why` may be NULL. */
void login_refuse(struct conn *c, enum login_status status, const char *why);

/* Sends the last response of a login that has succeeded; l->tsih is set. False: out of memory. */
bool login_succeed(struct conn *c);

#endif
