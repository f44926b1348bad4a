/* SPDX-License-Identifier: BSD-2-Clause */
/* SCSI commands of a session: their data in both directions and their end (cmd.h). */
#include "iscsi/cmd.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cold.h"
#include "base/log.h"
#include "iscsi/conn.h"
#include "iscsi/reactor.h"
#include "iscsi/session.h"

static void cmd_done(struct scsi_task *t);
static void answer(struct cmd *cmd);

/* --- birth and death ------------------------------------------------------------------------ */

#define SPARE_MAX 4096

static struct cmd *cmd_new(struct conn *c, const struct scsi_cmd *p)
{
	struct reactor *r = c->r;
	struct list *l = list_pop(&r->spare);
	struct cmd *cmd;

	if (l) {
		cmd = container_of(l, struct cmd, link);
		r->nspare--;
	} else if (!(cmd = malloc(sizeof(*cmd)))) {
		return NULL;
	}
	memset((char *)cmd + sizeof(cmd->task), 0, offsetof(struct cmd, sense) - sizeof(cmd->task));
	cmd->s = c->s;
	cmd->c = c;
	cmd->itt = p->itt;
	cmd->immediate = p->immediate;
	cmd->placed = !p->immediate;
	if (cmd->placed)
		session_place_taken(c->s);
	list_init(&cmd->tx.link);
	list_push(&c->s->cmds, &cmd->link);
	c->s->ncmds++;
	c->s->immediate += p->immediate;
	conn_hold(c);
	return cmd;
}

static void stage_free(struct cmd *cmd)
{
	if (cmd->stage)
		bufs_put(cmd->c->r->bufs, cmd->stage, cmd->task.out_unit);
	cmd->stage = NULL;
}

/* With the answer, or with the end of a command that gets none. */
static void leave_place(struct cmd *cmd)
{
	if (cmd->placed)
		session_place_free(cmd->s);
	cmd->placed = false;
}

/* The command is over, and its answer, if there was one, is out. */
static void cmd_end(struct cmd *cmd)
{
	struct session *s = cmd->s;
	struct conn *c = cmd->c;
	struct reactor *r = c->r;

	leave_place(cmd);
	conn_forget(c, cmd);
	if (cmd->hashed)
		session_unhash(s, cmd);
	if (cmd->copy)
		nexus_buffer_put(&s->nexus, cmd->copy, cmd->send);
	stage_free(cmd);
	if (cmd->started)
		scsi_task_release(&cmd->task);
	list_del(&cmd->tx.link);
	list_del(&cmd->link);
	s->ncmds--;
	s->immediate -= cmd->immediate;
	if (r->nspare < SPARE_MAX) {
		list_push_front(&r->spare, &cmd->link);
		r->nspare++;
	} else {
		free(cmd);
	}
	session_cmd_ended(s);
	conn_release(c);
}

void cmd_trim(struct reactor *r)
{
	struct list *l;

	while ((l = list_pop(&r->spare)))
		free(container_of(l, struct cmd, link));
	r->nspare = 0;
}

static void remember(struct cmd *cmd)
{
	if (!cmd->hashed)
		session_hash(cmd->s, cmd);
}

/* --- answers --------------------------------------------------------------------------------- */

/* Ends a task that the unit never saw. */
static void refuse(struct cmd *cmd, uint8_t key, uint16_t asc)
{
	struct scsi_task *t = &cmd->task;

	t->status = SCSI_CHECK_CONDITION;
	t->sense = (struct sense){ .key = key, .asc = asc };
	t->in = t->out = (struct sg){ 0 };
	t->in_live = false;
	t->out_unit = 0;
	t->itl = NULL;
	answer(cmd);
}

/* What the command moved, and what the initiator expected, RFC 7143 11.4.5: flags and residual. */
static uint8_t residual(const struct cmd *cmd, uint32_t *count)
{
	const struct scsi_task *t = &cmd->task;
	uint32_t actual = t->in.len ? t->in.len : t->out.len;

	*count = actual > t->expect ? actual - t->expect : t->expect - actual;
	if (actual == t->expect)
		return 0;
	return actual > t->expect ? RSP_OVERFLOW : RSP_UNDERFLOW;
}

static struct sn take_sn(struct cmd *cmd)
{
	leave_place(cmd);
	return (struct sn){ cmd->c->statsn++, cmd->s->exp_cmdsn, cmd->s->max_cmdsn };
}

/* Pieces of `n` bytes of the answer's data, from where the last one ended. */
static void add_data(struct cmd *cmd, struct tx_batch *b, uint32_t n)
{
	const struct sg *in = &cmd->task.in;

	if (cmd->copy) {
		tx_data(b, (uint8_t *)cmd->copy + cmd->sent, n);
		return;
	}
	while (n) {
		const struct iovec *v = &in->iov[cmd->pos.i];
		size_t len = v->iov_len - cmd->pos.off;

		if (len > n)
			len = n;
		tx_data(b, (uint8_t *)v->iov_base + cmd->pos.off, len);
		n -= (uint32_t)len;
		cmd->pos.off += len;
		if (cmd->pos.off == v->iov_len)
			cmd->pos = (struct sg_pos){ .i = cmd->pos.i + 1 };
	}
}

/* Queues what the command has to say. What it said before is an R2T, which may have been answered
 * although other PDUs of its batch have not left yet; it needs nothing of the command any more. */
static void push(struct cmd *cmd, const struct tx_ops *ops)
{
	list_del(&cmd->tx.link);
	cmd->tx.ops = ops;
	tx_push(cmd->c, &cmd->tx);
}

/* Status may ride on the last Data-In (RFC 7143 4.5.3.1) when there is no sense data to tell. */
static bool collapses(const struct cmd *cmd)
{
	return cmd->task.status != SCSI_CHECK_CONDITION;
}

static void emit_data_in(struct cmd *cmd, struct tx_batch *b)
{
	uint32_t burst = cmd->s->params.max_burst_length;
	uint32_t n = cmd->send - cmd->sent, in_burst = burst - cmd->sent % burst;
	struct data_in d = { .itt = cmd->itt, .ttt = TAG_NONE, .datasn = cmd->datasn++,
			     .offset = cmd->sent };
	uint8_t *bhs = tx_bhs(b);

	if (n > cmd->c->max_send)
		n = cmd->c->max_send;
	if (n >= in_burst) {
		n = in_burst;
		d.flags = DATA_IN_FINAL;
	}
	add_data(cmd, b, n);
	cmd->sent += n;
	d.sn = (struct sn){ 0, cmd->s->exp_cmdsn, cmd->s->max_cmdsn };
	if (cmd->sent == cmd->send) {
		d.flags = DATA_IN_FINAL;
		if (collapses(cmd)) {
			d.flags |= DATA_IN_STATUS | residual(cmd, &d.residual);
			d.status = cmd->task.status;
			d.sn = take_sn(cmd);
		}
	}
	data_in_encode(bhs, &d);
	tx_end(b, cmd->c);
}

static void emit_response(struct cmd *cmd, struct tx_batch *b)
{
	struct scsi_rsp r = { .response = RESPONSE_COMPLETED, .status = cmd->task.status,
			      .itt = cmd->itt };
	uint8_t *bhs = tx_bhs(b);

	r.flags = residual(cmd, &r.residual);
	if (cmd->bidi_read) {
		r.flags |= RSP_BIDI_UNDERFLOW;
		r.bidi_residual = cmd->bidi_read;
	}
	r.expdatasn = cmd->send ? cmd->datasn : cmd->r2t_sent;
	r.sn = take_sn(cmd);
	scsi_rsp_encode(bhs, &r);
	if (cmd->task.status == SCSI_CHECK_CONDITION) {
		size_t n = scsi_task_sense(&cmd->task, cmd->sense + 2);

		put_be16(cmd->sense, (uint16_t)n);
		tx_data(b, cmd->sense, 2 + n);
	}
	tx_end(b, cmd->c);
}

static bool answer_emit(struct tx_item *it, struct conn *c, struct tx_batch *b)
{
	struct cmd *cmd = container_of(it, struct cmd, tx);
	unsigned pieces = cmd->copy ? 1 : (unsigned)cmd->task.in.cnt;

	(void)c;
	while (cmd->sent < cmd->send) {
		if (!tx_room(b, pieces))
			return false;
		emit_data_in(cmd, b);
	}
	if (cmd->send && collapses(cmd))
		return true;
	if (!tx_room(b, 1))
		return false;
	emit_response(cmd, b);
	return true;
}

static void answer_over(struct tx_item *it, struct conn *c)
{
	(void)c;
	cmd_end(container_of(it, struct cmd, tx));
}

static const struct tx_ops answer_ops = { answer_emit, answer_over };

/* Live data may change between the digest and the sending: they are copied. */
static void make_stable(struct cmd *cmd)
{
	uint32_t at = 0;
	enum scsi_status full;
	uint8_t *p = nexus_buffer(&cmd->s->nexus, cmd->send, &full);

	if (!p) {
		cmd->send = cmd->task.in.len = 0;
		cmd->task.status = (uint8_t)full;
		return;
	}
	for (int i = 0; at < cmd->send; i++) {
		const struct iovec *v = &cmd->task.in.iov[i];
		size_t n = v->iov_len < cmd->send - at ? v->iov_len : cmd->send - at;

		memcpy(p + at, v->iov_base, n);
		at += (uint32_t)n;
	}
	cmd->copy = p;
}

static void answer(struct cmd *cmd)
{
	struct scsi_task *t = &cmd->task;

	cmd->state = CMD_DRAINS;
	if (cmd->unsolicited) {
		/* RFC 7143 11.4.2: not before the last of the data that are on their way. */
		remember(cmd);
		return;
	}
	if (t->status == SCSI_CHECK_CONDITION && cmd->started)
		scsi_task_failed(t);
	if (cmd->hashed)
		session_unhash(cmd->s, cmd);
	cmd->pos = (struct sg_pos){ 0 };
	cmd->datasn = 0;
	if (t->dir & SCSI_DIR_IN)
		cmd->send = t->in.len < t->expect ? t->in.len : t->expect;
	if (cmd->send && t->in_live && cmd->c->data_digest)
		make_stable(cmd);
	cmd->state = CMD_ANSWERS;
	push(cmd, &answer_ops);
}

static void advance(struct cmd *cmd, enum scsi_next next);

/* A task that was pending has ended. */
static void cmd_done(struct scsi_task *t)
{
	struct cmd *cmd = container_of(t, struct cmd, task);

	if (cmd->state == CMD_ABORTED && !cmd->told) {
		cmd_end(cmd);
		return;
	}
	if (cmd->state == CMD_ABORTED) {
		t->in.len = t->out.len = 0;
		t->status = SCSI_TASK_ABORTED;
	}
	advance(cmd, SCSI_DONE);
}

void cmd_abort(struct cmd *cmd, bool tell)
{
	struct scsi_task *t = &cmd->task;

	if (cmd->state == CMD_ANSWERS || cmd->state == CMD_ABORTED) {
		cmd->told &= tell;
		return;
	}
	list_del(&cmd->tx.link);        /* an R2T that has not left */
	cmd->told = tell;
	if (cmd->state == CMD_RUNS && !scsi_task_abort(t)) {
		cmd->state = CMD_ABORTED;
		return;
	}
	if (cmd->state == CMD_NEEDS_DATA)
		scsi_task_abort(t);
	stage_free(cmd);
	if (!tell) {
		cmd_end(cmd);
		return;
	}
	t->in.len = t->out.len = 0;
	t->status = SCSI_TASK_ABORTED;
	answer(cmd);
}

/* --- Data-Out -------------------------------------------------------------------------------- */

static bool r2t_emit(struct tx_item *it, struct conn *c, struct tx_batch *b)
{
	struct cmd *cmd = container_of(it, struct cmd, tx);
	const struct params *p = &cmd->s->params;

	while (cmd->asked < cmd->want && cmd->r2t_sent - cmd->r2t_done < p->max_outstanding_r2t) {
		uint32_t len = cmd->want - cmd->asked;
		struct r2t r = { .lun = cmd->task.lun, .itt = cmd->itt, .offset = cmd->asked };

		if (!tx_room(b, 0))
			return false;
		if (len > p->max_burst_length)
			len = p->max_burst_length;
		r.len = len;
		r.ttt = (uint32_t)cmd->id << 16 | (cmd->r2t_sent & 0xffff);
		r.r2tsn = cmd->r2t_sent++;
		r.sn = (struct sn){ c->statsn, cmd->s->exp_cmdsn, cmd->s->max_cmdsn };
		cmd->asked += len;
		r2t_encode(tx_bhs(b), &r);
		tx_end(b, c);
	}
	return true;
}

static const struct tx_ops r2t_ops = { r2t_emit, NULL };

/* Asks for the data that are missing: as many bursts as may be outstanding. */
static void ask(struct cmd *cmd)
{
	const struct params *p = &cmd->s->params;

	if (cmd->asked == cmd->want || cmd->r2t_sent - cmd->r2t_done >= p->max_outstanding_r2t)
		return;
	push(cmd, &r2t_ops);
}

static void next_burst(struct cmd *cmd)
{
	uint32_t left = cmd->want - cmd->came, burst = cmd->s->params.max_burst_length;

	cmd->burst_end = cmd->came + (left < burst ? left : burst);
	cmd->datasn = 0;
	remember(cmd);
	ask(cmd);
}

/* NULL, or why nobody has asked for these data. */
static const char *unasked(const struct cmd *cmd, const struct data_out *p)
{
	if (p->ttt == TAG_NONE && cmd->unsolicited)
		return NULL;
	if (p->ttt == TAG_NONE)
		return "unsolicited data after the last of them, or where none were agreed";
	if (cmd->unsolicited || cmd->r2t_done == cmd->r2t_sent ||
		p->ttt != ((uint32_t)cmd->id << 16 | (cmd->r2t_done & 0xffff)))
		return "no R2T has asked for these data";
	return NULL;
}

/* RFC 7143 11.4.7.2: more than the sequence may have, or less than was asked for. */
static bool wrong_amount(const struct cmd *cmd, const struct data_out *p)
{
	uint32_t left = cmd->burst_end - cmd->came;

	return p->data_len > left || (p->final && p->ttt != TAG_NONE && p->data_len < left);
}

static void spoil(struct cmd *cmd, uint16_t asc, const char *why)
{
	conn_log(cmd->c, LOG_NOTICE, "command fails: %s", why);
	list_del(&cmd->tx.link); /* an R2T that has not left */
	cmd->spoiled = asc;
}

/* RFC 7143 7.8 b: the command fails once all data that were asked for have come. */
static void fail_spoiled(struct cmd *cmd)
{
	struct scsi_task *t = &cmd->task;

	if (cmd->unsolicited || cmd->r2t_done < cmd->r2t_sent)
		return;
	scsi_task_abort(t);
	stage_free(cmd);
	t->in.len = t->out.len = 0;
	t->status = SCSI_CHECK_CONDITION;
	t->sense = (struct sense){ .key = SENSE_ABORTED_COMMAND, .asc = cmd->spoiled };
	answer(cmd);
}

bool cmd_data_out(struct cmd *cmd, const struct data_out *p, const char **why)
{
	*why = unasked(cmd, p);
	if (*why)
		return false;
	if (!cmd->spoiled && p->datasn != cmd->datasn) /* one was lost: 7.9 */
		spoil(cmd, ASC_PROTOCOL_SERVICE_CRC_ERROR, "DataSN is not the next one");
	cmd->datasn++;
	if (cmd->spoiled)
		return true;
	if (p->offset != cmd->came) {
		*why = "data out of order";
		return false;
	}
	if (wrong_amount(cmd, p))
		spoil(cmd, ASC_NOT_ENOUGH_UNSOLICITED_DATA,
			"more or less data than the sequence should have");
	return true;
}

bool cmd_is_live(const struct cmd *cmd)
{
	return cmd->state == CMD_NEEDS_DATA && cmd->task.out_unit && !cmd->spoiled;
}

bool cmd_is_secret(const struct cmd *cmd)
{
	return cmd->started && scsi_task_is_secret(&cmd->task);
}

/* To a buffer, which is looked at next, or to the medium, which is not. */
static void copy_out(const struct cmd *cmd, uint8_t *to, const uint8_t *from, size_t n)
{
	if (cmd->task.out_unit)
		cold_copy(to, from, n);
	else
		memcpy(to, from, n);
}

/* Copies n bytes to the place where the command's data go on. */
static void put(struct cmd *cmd, const uint8_t *p, size_t n)
{
	while (n) {
		const struct iovec *v = &cmd->task.out.iov[cmd->pos.i];
		size_t len = v->iov_len - cmd->pos.off;

		if (len > n)
			len = n;
		copy_out(cmd, (uint8_t *)v->iov_base + cmd->pos.off, p, len);
		p += len;
		n -= len;
		cmd->pos.off += len;
		if (cmd->pos.off == v->iov_len)
			cmd->pos = (struct sg_pos){ .i = cmd->pos.i + 1 };
	}
}

/* Fills up the block that is being collected; gives how many bytes that took. */
static size_t fill_stage(struct cmd *cmd, const uint8_t *p, size_t n)
{
	uint32_t unit = cmd->task.out_unit;
	size_t len = unit - cmd->staged;

	if (len > n)
		len = n;
	memcpy(cmd->stage + cmd->staged, p, len);
	cmd->staged += (uint32_t)len;
	if (cmd->staged == unit) {
		put(cmd, cmd->stage, unit);
		cmd->staged = 0;
	}
	return len;
}

/* Onto a medium: whole blocks only, so that a connection that ends in the middle of one leaves the
 * old block or the new one, never a mixture. */
static void pour_live(struct cmd *cmd, const uint8_t *p, size_t n)
{
	uint32_t unit = cmd->task.out_unit;
	size_t whole, used;

	if (cmd->staged) {
		used = fill_stage(cmd, p, n);
		p += used;
		n -= used;
	}
	whole = n - n % unit;
	put(cmd, p, whole);
	if (n == whole)
		return;
	if (!cmd->stage && !(cmd->stage = bufs_get(cmd->c->r->bufs, unit))) {
		conn_close(cmd->c, LOG_ERR, "out of memory");
		return;
	}
	fill_stage(cmd, p + whole, n - whole);
}

void cmd_pour(struct cmd *cmd, const uint8_t *p, size_t n)
{
	uint32_t room = cmd->want - cmd->poured;

	cmd->came += (uint32_t)n;
	cmd->s->bytes_in += n;
	if (cmd->state != CMD_NEEDS_DATA || cmd->spoiled)
		return;
	if (n > room)
		n = room;
	cmd->poured += (uint32_t)n;
	if (cmd->task.out_unit)
		pour_live(cmd, p, n);
	else
		put(cmd, p, n);
}

size_t cmd_place(struct cmd *cmd, size_t n, size_t available, struct iovec *iov, int max, int *cnt)
{
	struct sg_pos pos = cmd->pos;
	size_t total = 0;

	if (cmd->state != CMD_NEEDS_DATA || cmd->staged || cmd->spoiled)
		return 0;
	if (n > cmd->want - cmd->poured)
		n = cmd->want - cmd->poured;
	if (cmd->task.out_unit) {
		n = n < available ? n : available;
		n -= n % cmd->task.out_unit;
	}
	for (*cnt = 0; total < n && *cnt < max; pos = (struct sg_pos){ .i = pos.i + 1 }) {
		const struct iovec *v = &cmd->task.out.iov[pos.i];
		size_t len = v->iov_len - pos.off;

		if (len > n - total)
			len = n - total;
		iov[(*cnt)++] = (struct iovec){ (uint8_t *)v->iov_base + pos.off, len };
		total += len;
	}
	return total;
}

void cmd_placed(struct cmd *cmd, size_t n)
{
	cmd->came += (uint32_t)n;
	cmd->poured += (uint32_t)n;
	cmd->s->bytes_in += n;
	while (n) {
		const struct iovec *v = &cmd->task.out.iov[cmd->pos.i];
		size_t len = v->iov_len - cmd->pos.off;

		if (len > n) {
			cmd->pos.off += n;
			return;
		}
		n -= len;
		cmd->pos = (struct sg_pos){ .i = cmd->pos.i + 1 };
	}
}

static void run(struct cmd *cmd)
{
	cmd->state = CMD_RUNS;
	stage_free(cmd);
	advance(cmd, scsi_task_data(&cmd->task, cmd->poured - cmd->staged));
}

void cmd_data_end(struct cmd *cmd, bool final)
{
	if (!final) {
		remember(cmd);
		return;
	}
	if (cmd->r2t_done < cmd->r2t_sent) {
		cmd->r2t_done++;
	} else {
		/* The end of what comes unasked, which may be less than it might have been. */
		cmd->unsolicited = false;
		cmd->asked = cmd->came < cmd->want ? cmd->came : cmd->want;
	}
	if (cmd->state == CMD_DRAINS)
		answer(cmd);
	else if (cmd->state == CMD_NEEDS_DATA && cmd->spoiled)
		fail_spoiled(cmd);
	else if (cmd->state == CMD_NEEDS_DATA && cmd->came >= cmd->want)
		run(cmd);
	else if (cmd->state == CMD_NEEDS_DATA)
		next_burst(cmd);
}

/* --- the beginning ---------------------------------------------------------------------------- */

/* Where a step of the unit has led. */
static void advance(struct cmd *cmd, enum scsi_next next)
{
	switch (next) {
	case SCSI_DONE:
		answer(cmd);
		return;
	case SCSI_PENDING:
		cmd->state = CMD_RUNS;
		remember(cmd);
		return;
	case SCSI_WANT_DATA:
		cmd->state = CMD_NEEDS_DATA;
		return;
	}
}

/* RFC 7143 11.4.7.2: data that were not agreed on. */
static const char *unagreed(const struct cmd *cmd, const struct scsi_cmd *p)
{
	const struct params *params = &cmd->s->params;

	if (p->data_len && !params->immediate_data)
		return "immediate data, with ImmediateData=No";
	if (!p->final && params->initial_r2t)
		return "unsolicited data, with InitialR2T=Yes";
	if (p->data_len > params->first_burst_length)
		return "more immediate data than FirstBurstLength";
	return NULL;
}

/* The CDB, and what additional header segments add to it. False: this command cannot be. */
static bool take_cdb(struct cmd *cmd, const struct scsi_cmd *p, const uint8_t *ahs)
{
	struct scsi_task *t = &cmd->task;
	struct ahs a = { 0 };

	memcpy(t->cdb, p->cdb, 16);
	memset(t->cdb + 16, 0, sizeof(t->cdb) - 16);
	t->cdb_len = 16;
	if (p->ahs_len && !ahs_decode(ahs, p->ahs_len, &a))
		return false;
	cmd->bidi_read = a.bidi_read;
	/* No unit here knows a bidirectional command. */
	if (a.bidi || (p->read && p->write) || a.cdb_rest_len > sizeof(t->cdb) - 16)
		return false;
	if (a.cdb_rest)
		memcpy(t->cdb + 16, a.cdb_rest, a.cdb_rest_len);
	t->cdb_len = (uint8_t)(16 + a.cdb_rest_len);
	return true;
}

static void take_task(struct cmd *cmd, const struct scsi_cmd *p)
{
	struct scsi_task *t = &cmd->task;

	t->nexus = &cmd->s->nexus;
	t->done = cmd_done;
	t->lun = p->lun;
	t->attr = p->attr;
	t->dir = (uint8_t)((p->read ? SCSI_DIR_IN : 0) | (p->write ? SCSI_DIR_OUT : 0));
	t->expect = p->expect;
}

/* The command waits for data: so much, and so much of that unasked. */
static void expect_data(struct cmd *cmd, const struct scsi_cmd *p)
{
	const struct params *params = &cmd->s->params;
	uint32_t expect = p->write ? p->expect : 0, first = params->first_burst_length;

	if (cmd->state == CMD_NEEDS_DATA)
		cmd->want = cmd->task.out.len < expect ? cmd->task.out.len : expect;
	if (++cmd->s->next_id == UINT16_MAX)
		cmd->s->next_id = 1;
	cmd->id = cmd->s->next_id;
	cmd->burst_end = p->data_len;
	if (cmd->unsolicited)
		cmd->burst_end = expect < first ? expect : first;
}

static void start(struct cmd *cmd, const struct scsi_cmd *p, const uint8_t *ahs)
{
	const char *why = unagreed(cmd, p);

	take_task(cmd, p);
	if (why) {
		conn_log(cmd->c, LOG_NOTICE, "command refused: %s", why);
		refuse(cmd, SENSE_ABORTED_COMMAND, ASC_UNEXPECTED_UNSOLICITED_DATA);
	} else if (!take_cdb(cmd, p, ahs)) {
		refuse(cmd, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPERATION_CODE);
	} else if (session_is_leaving(cmd->s, p->lun)) {
		refuse(cmd, SENSE_ILLEGAL_REQUEST,
			ASC_LU_NOT_SUPPORTED); /* the unit is not there any more */
	} else {
		cmd->started = true;
		advance(cmd, scsi_task_start(&cmd->task));
	}
}

struct cmd *cmd_start(struct conn *c, const struct scsi_cmd *p, const uint8_t *ahs)
{
	struct cmd *cmd = cmd_new(c, p);

	if (!cmd) {
		conn_close(c, LOG_ERR, "out of memory");
		return NULL;
	}
	count(&c->r->commands, 1);
	c->s->commands++;
	cmd->unsolicited = !p->final;
	start(cmd, p, ahs);
	if (cmd->state != CMD_NEEDS_DATA && !cmd->unsolicited)
		return NULL;    /* answered, or running without data */
	expect_data(cmd, p);
	if (p->data_len)
		return cmd;
	cmd_data_end(cmd, p->final);
	return NULL;
}
