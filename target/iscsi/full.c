/* SPDX-License-Identifier: BSD-2-Clause */
/* Full feature phase (full.h): a table of opcodes, and what each begins and ends with. */
#include "iscsi/full.h"

#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "iscsi/cmd.h"
#include "iscsi/conn.h"
#include "iscsi/early.h"
#include "iscsi/logout.h"
#include "iscsi/pdu.h"
#include "iscsi/reactor.h"
#include "iscsi/session.h"
#include "iscsi/text.h"
#include "iscsi/tmf.h"

/* Immediate commands that a session may have under way; they are outside the command window. */
#define IMMEDIATE_MAX 16u

static void out_of_memory(struct conn *c)
{
	conn_close(c, LOG_ERR, "closing: out of memory");
}

/* --- Reject, 11.17 -------------------------------------------------------------------------- */

static struct tx_pdu *reject_new(struct conn *c, enum reject_reason reason)
{
	struct tx_pdu *p = tx_pdu_new(BHS_SIZE);

	if (!p) {
		out_of_memory(c);
		return NULL;
	}
	reject_encode(p->bhs, &(struct reject){ .reason = (uint8_t)reason, .data_len = BHS_SIZE });
	memcpy(p->data, c->bhs, BHS_SIZE);
	p->takes_statsn = true;
	return p;
}

static void reject(struct conn *c, enum reject_reason reason, const char *why)
{
	struct tx_pdu *p = reject_new(c, reason);

	conn_log(c, LOG_NOTICE, "%s rejected: %s", opcode_name(c->bhs[0] & BHS_OPCODE), why);
	if (p)
		tx_pdu_send(c, p);
}

static void close_after(struct conn *c, void *why)
{
	conn_close(c, LOG_NOTICE, "closing: %s", (const char *)why);
}

/* At error recovery level 0 what cannot be repeated ends the connection. */
static void reject_and_close(struct conn *c, enum reject_reason reason, const char *why)
{
	struct tx_pdu *p = reject_new(c, reason);

	if (!p)
		return;
	p->after = close_after;
	p->arg = (void *)(uintptr_t)why;
	c->sink.kind = SINK_NOTHING;
	conn_doom(c);
	tx_pdu_send(c, p);
}

/* --- SCSI Command and Data-Out -------------------------------------------------------------- */

static void take_data(struct conn *c, struct cmd *cmd)
{
	if (cmd_is_live(cmd) && c->data_digest && !conn_gather(c))
		return;
	if (c->sink.kind != SINK_GATHER)
		c->sink.kind = SINK_COMMAND;
	c->sink.cmd = cmd;
}

/* Gives the command that takes the PDU's data, or NULL: they are to be dropped. */
static struct cmd *scsi_start(struct conn *c, const uint8_t *ahs)
{
	struct scsi_cmd p;

	if (!scsi_cmd_decode(c->bhs, &p))
		reject(c, REJECT_INVALID_FIELD, "flags, length and data contradict each other");
	else if (session_find(c->s, p.itt))
		reject(c, REJECT_TASK_IN_PROGRESS, "its task tag is in use");
	else if (p.immediate && c->s->immediate >= IMMEDIATE_MAX)
		reject(c, REJECT_TOO_MANY_IMMEDIATE, "too many immediate commands");
	else
		return cmd_start(c, &p, ahs);
	return NULL;
}

static void scsi_begin(struct conn *c, const uint8_t *ahs)
{
	struct cmd *cmd = scsi_start(c, ahs);

	if (cmd)
		take_data(c, cmd);
}

/* The command that the Data-Out PDU is for, if it is in its place. NULL: its data are dropped,
 * since data of a command that was aborted, or refused at once, may still be on their way. */
static struct cmd *data_out_cmd(struct conn *c)
{
	struct data_out p;
	struct cmd *cmd;
	const char *why;

	if (!data_out_decode(c->bhs, &p)) {
		reject_and_close(c, REJECT_INVALID_FIELD, "Data-Out with a reserved task tag");
		return NULL;
	}
	cmd = session_find(c->s, p.itt);
	if (!cmd || cmd->c != c)
		return NULL;
	if ((cmd->state == CMD_RUNS || cmd->state == CMD_ABORTED) && !cmd->unsolicited)
		return NULL;
	if (cmd_data_out(cmd, &p, &why))
		return cmd;
	conn_log(c, LOG_NOTICE, "Data-Out refused: %s", why);
	reject_and_close(c, REJECT_PROTOCOL_ERROR, "protocol error in Data-Out");
	return NULL;
}

static void early_begin(struct conn *c, const uint8_t *ahs);
static void early_data_end(struct conn *c);

static void data_out_begin(struct conn *c, const uint8_t *ahs)
{
	struct cmd *cmd;

	if (!list_empty(&c->s->early) && early_find(c->s, c, be32(c->bhs + 16)))
		early_begin(c, ahs);
	else if ((cmd = data_out_cmd(c)))
		take_data(c, cmd);
}

static void data_end(struct conn *c)
{
	struct cmd *cmd = c->sink.cmd;

	if (c->sink.kind == SINK_EARLY)
		early_data_end(c);
	if (!cmd)
		return;
	if (c->sink.kind == SINK_GATHER)
		cmd_pour(cmd, c->sink.buf, c->sink.len);
	cmd_data_end(cmd, c->bhs[1] & BHS_FINAL);
}

/* --- NOP-Out, 11.18 ------------------------------------------------------------------------- */

static void gather_begin(struct conn *c, const uint8_t *ahs)
{
	(void)ahs;
	conn_gather(c);
}

static void nop_end(struct conn *c)
{
	struct nop_out p;
	struct tx_pdu *out;
	uint32_t len = c->sink.len < c->max_send ? c->sink.len : c->max_send;

	if (!nop_out_decode(c->bhs, &p)) {
		reject(c, REJECT_INVALID_FIELD, "neither immediate nor with a task tag");
		return;
	}
	if (p.itt == TAG_NONE)
		return; /* no answer wanted; perhaps the answer to our ping */
	if (!(out = tx_pdu_new(len))) {
		out_of_memory(c);
		return;
	}
	nop_in_encode(out->bhs,
		&(struct nop_in){ .data_len = len, .lun = p.lun, .itt = p.itt, .ttt = TAG_NONE });
	if (len)
		memcpy(out->data, c->sink.buf, len);
	out->takes_statsn = true;
	tx_pdu_send(c, out);
}

/* --- Text, Task Management, Logout, SNACK --------------------------------------------------- */

static void text_end(struct conn *c)
{
	struct text_req p;
	const char *why;

	if (!text_req_decode(c->bhs, &p))
		reject(c, REJECT_INVALID_FIELD, "F and C together, or no task tag");
	else if ((why = text_request(c, &p, c->sink.buf, c->sink.len)))
		reject(c, REJECT_PROTOCOL_ERROR, why);
}

static void tmf_end(struct conn *c)
{
	struct tmf_req p;

	if (!tmf_req_decode(c->bhs, &p))
		reject(c, REJECT_INVALID_FIELD, "no task tag");
	else
		tmf_request(c, &p);
}

static void logout_end(struct conn *c)
{
	struct logout_req p;
	const char *why;

	if (!logout_req_decode(c->bhs, &p))
		reject(c, REJECT_INVALID_FIELD, "no such reason, or no task tag");
	else if ((why = logout_request(c, &p)))
		reject(c, REJECT_PROTOCOL_ERROR, why);
}

static void snack_end(struct conn *c)
{
	reject(c, REJECT_SNACK, "SNACK needs error recovery level 1");
}

static void login_again_end(struct conn *c)
{
	reject(c, REJECT_PROTOCOL_ERROR, "the connection has logged in already");
}

static void unknown_end(struct conn *c)
{
	reject(c, REJECT_NOT_SUPPORTED, "no such request");
}

/* --- dispatch ------------------------------------------------------------------------------- */

static void nothing_begin(struct conn *c, const uint8_t *ahs)
{
	(void)c;
	(void)ahs;
}

enum {
	NUMBERED = 1,     /* carries a CmdSN */
	NO_DISCOVERY = 2, /* not in discovery sessions (RFC 7143 4.3: text, logout only) */
};

struct request {
	void (*begin)(struct conn *c, const uint8_t *ahs);
	void (*end)(struct conn *c);
	unsigned flags;
};

/* clang-format off */
static const struct request requests[BHS_OPCODE + 1] = {
	[OP_NOP_OUT]    = { gather_begin,   nop_end,         NUMBERED | NO_DISCOVERY },
	[OP_SCSI_CMD]   = { scsi_begin,     data_end,        NUMBERED | NO_DISCOVERY },
	[OP_TMF_REQ]    = { nothing_begin,  tmf_end,         NUMBERED | NO_DISCOVERY },
	[OP_LOGIN_REQ]  = { nothing_begin,  login_again_end, 0 },
	[OP_TEXT_REQ]   = { gather_begin,   text_end,        NUMBERED },
	[OP_DATA_OUT]   = { data_out_begin, data_end,        NO_DISCOVERY },
	[OP_LOGOUT_REQ] = { nothing_begin,  logout_end,      NUMBERED },
	[OP_SNACK_REQ]  = { nothing_begin,  snack_end,       NO_DISCOVERY },
};
/* clang-format on */

/* --- requests ahead of their CmdSN ---------------------------------------------------------- */

static void early_begin(struct conn *c, const uint8_t *ahs)
{
	struct early *e = early_new(c, ahs, c->framer.ahs_len, c->framer.data_left);

	if (!e) {
		out_of_memory(c);
		return;
	}
	c->sink.kind = SINK_EARLY;
	c->sink.early = e;
	c->sink.buf = e->bytes + e->ahs_len;
}

static void early_complete(struct conn *c)
{
	early_keep(c->s, c->sink.early);
	c->sink = (struct sink){ 0 };
}

/* Does with a kept PDU what would have been done on its arrival. Its connection may be in the
 * middle of another one. */
static void replay(const struct early *e)
{
	struct conn *c = e->c;
	struct sink aside = c->sink, *outer = c->aside;
	uint8_t bhs[BHS_SIZE], opcode = e->bhs[0] & BHS_OPCODE;

	if (c->phase != CONN_FULL || c->doomed)
		return;
	memcpy(bhs, c->bhs, BHS_SIZE);
	memcpy(c->bhs, e->bhs, BHS_SIZE);
	c->aside = &aside;
	c->sink = (struct sink){ .kind = SINK_GATHER,
		.buf = (uint8_t *)(uintptr_t)e->bytes + e->ahs_len,
		.len = e->data_len };
	if (opcode == OP_SCSI_CMD)
		c->sink.cmd = scsi_start(c, e->bytes);
	else if (opcode == OP_DATA_OUT)
		c->sink.cmd = data_out_cmd(c);
	requests[opcode].end(c);
	memcpy(c->bhs, bhs, BHS_SIZE);
	c->sink = aside;
	c->aside = outer;
}

/* A kept request has its turn, and so have the data that came for it. */
static void early_run(struct early *e)
{
	struct list *l;

	replay(e);
	while ((l = list_pop(&e->outs))) {
		struct early *out = container_of(l, struct early, link);

		replay(out);
		early_end(out);
	}
}

/* Data of a request that waits for its turn, or has just had it. */
static void early_data_end(struct conn *c)
{
	struct early *out = c->sink.early, *e = early_find(c->s, c, be32(out->bhs + 16));

	c->sink = (struct sink){ 0 };
	if (!e) {
		replay(out);
		early_end(out);
	} else if (!early_add(e, out, c->s->params.first_burst_length)) {
		early_end(out);
		reject_and_close(c, REJECT_PROTOCOL_ERROR, "more unsolicited data than agreed on");
	}
}

static void run_early(struct session *s)
{
	struct early *e;

	while ((e = early_next(s))) {
		early_run(e);
		early_end(e);
	}
}

/* --- the PDUs that are none of these -------------------------------------------------------- */

static void drop_end(struct conn *c)
{
	(void)c;
}

static void not_in_discovery_end(struct conn *c)
{
	reject(c, REJECT_PROTOCOL_ERROR, "not in a discovery session");
}

static const struct request unknown = { nothing_begin, unknown_end, 0 };
static const struct request dropped = { nothing_begin, drop_end, 0 };
static const struct request early = { early_begin, early_complete, 0 };
static const struct request undiscovered = { nothing_begin, not_in_discovery_end, 0 };

static const struct request *choose(struct conn *c)
{
	uint8_t opcode = c->bhs[0] & BHS_OPCODE;
	const struct request *q = &requests[opcode];
	enum cmdsn_verdict verdict = CMDSN_NOW;

	if (c->phase == CONN_LOGOUT)
		return &dropped;
	if (!q->end)
		return &unknown;
	if (q->flags & NUMBERED)
		verdict = session_cmdsn(c->s, be32(c->bhs + 24), c->bhs[0] & BHS_IMMEDIATE);
	if (verdict == CMDSN_IGNORE)
		return &dropped;
	if (q->flags & NO_DISCOVERY && c->s->discovery)
		return &undiscovered;
	return verdict == CMDSN_EARLY ? &early : q;
}

void full_begin(struct conn *c, const uint8_t *ahs)
{
	c->request = choose(c);
	c->request->begin(c, ahs);
}

void full_end(struct conn *c)
{
	struct session *s = c->s;

	if (!c->framer.data_ok) {
		conn_log(c, LOG_NOTICE, "data digest error in %s",
			opcode_name(c->bhs[0] & BHS_OPCODE));
		reject_and_close(c, REJECT_DATA_DIGEST, "data digest error");
		return;
	}
	c->request->end(c);
	if (!list_empty(&s->early))
		run_early(s);
	if (!list_empty(&s->tmfs))
		tmf_turn(s);
}

void full_ask_logout(struct conn *c, uint16_t seconds)
{
	struct tx_pdu *p = tx_pdu_new(0);

	if (!p)
		return;
	async_msg_encode(
		p->bhs, &(struct async_msg){ .event = ASYNC_LOGOUT_REQUEST, .param3 = seconds });
	p->takes_statsn = true;
	tx_pdu_send(c, p);
}
