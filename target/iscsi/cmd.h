/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A SCSI command of an iSCSI session: the task, the data that it still waits for
 * (unsolicited, or asked for by R2T), and the data and status that go back.
 */
#ifndef ISCSI_CMD_H
#define ISCSI_CMD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "iscsi/pdu.h"
#include "iscsi/tx.h"
#include "scsi/task.h"

struct conn;
struct reactor;
struct session;

enum cmd_state {
	CMD_NEEDS_DATA, /* Data-Out is on its way */
	CMD_RUNS,       /* in the unit's hands */
	CMD_DRAINS,     /* over; unsolicited data are still to come before it is answered */
	CMD_ANSWERS,    /* in the output queue */
	CMD_ABORTED,    /* in the unit's hands, and nobody waits for the answer */
};

/* Where a scatter list was left. */
struct sg_pos {
	int i;
	size_t off;
};

struct cmd {
	struct scsi_task task;
	struct tx_item tx;
	struct list link; /* in session->cmds; in reactor->spare */
	struct cmd *next_in_hash;
	struct session *s;
	struct conn *c; /* its connection: allegiance (RFC 7143 4.2.2) */
	uint8_t state;  /* enum cmd_state */
	bool immediate;
	bool placed;  /* takes a place in the command window */
	bool started; /* the unit knows the task, and is to release it */
	bool hashed;
	bool told;        /* aborted, and the initiator is told: TASK ABORTED */
	bool unsolicited; /* unsolicited Data-Out PDUs are still to come */
	uint16_t spoiled; /* its data are not whole: it takes the rest, and fails with this ASC */
	uint16_t id;      /* high half of its Target Transfer Tags */
	uint32_t itt;

	/* Data-Out. Offsets in bytes from the start of the command's data. */
	uint32_t want;               /* bytes that will be taken: min(task.out.len, expected) */
	uint32_t came;               /* bytes that came, in order; beyond `want` they are dropped */
	uint32_t poured;             /* bytes that are where they belong, or staged */
	uint32_t asked;              /* end of what was sent unasked, or asked for */
	uint32_t burst_end;          /* end of the sequence that is coming now */
	uint32_t datasn;             /* of the next Data-Out of the sequence, or the next Data-In */
	uint32_t r2t_sent, r2t_done; /* R2Ts, and those answered in full */
	struct sg_pos pos;           /* in task.out, or task.in */
	uint8_t *stage;              /* a block of a medium that has not come whole */
	uint32_t staged;

	/* Data-In. */
	uint32_t send; /* bytes to send: min(task.in.len, expected) */
	uint32_t sent;
	uint32_t bidi_read; /* expected by a bidirectional command, which gets nothing */
	void *copy;         /* a stable copy of live data, under a data digest */
	uint8_t sense[2 + SENSE_MAX];
};

/* A SCSI Command PDU whose turn (CmdSN) has come: makes the command and starts it. Gives the
 * command when it takes the PDU's immediate data (cmd_pour(), cmd_place(), cmd_data_end()), or NULL
 * when the PDU's data segment, if any, is to be dropped. */
struct cmd *cmd_start(struct conn *c, const struct scsi_cmd *p, const uint8_t *ahs);

/* A Data-Out PDU for the command: checks its place in the sequence (RFC 7143 11.7, 4.5). False: a
 * protocol error, and *why says which. The PDU's data follow, then cmd_data_end(). When a PDU was
 * lost, or there are more or less data than a sequence should have, the command fails when all that
 * was asked for has come, and nothing more of it is kept. */
bool cmd_data_out(struct cmd *cmd, const struct data_out *p, const char **why);

/* Data of the PDU being received, in order: into the command's buffers, or onto the medium. */
void cmd_pour(struct cmd *cmd, const uint8_t *p, size_t n);
/* Where the next bytes may be received in place: at most `max` pieces of at most n bytes together.
 * Gives how many bytes they hold, or 0 when it is better to pour. On a medium they are whole
 * blocks, no more than `available` bytes, which are certain to come. */
size_t cmd_place(struct cmd *cmd, size_t n, size_t available, struct iovec *iov, int max, int *cnt);
/* The first n of those bytes have come. */
void cmd_placed(struct cmd *cmd, size_t n);
/* Whether data must be verified before they are poured: they go straight onto the medium. */
bool cmd_is_live(const struct cmd *cmd);
/* Whether they are to be wiped wherever they passed. */
bool cmd_is_secret(const struct cmd *cmd);

/* A PDU with data for the command has come whole; `final` is its F bit. The command may run and be
 * answered now. */
void cmd_data_end(struct cmd *cmd, bool final);

/* Nobody waits for its answer any more, or (tell) it is answered with TASK ABORTED. It ends now, or
 * when the unit lets go of it; session_cmd_ended() is told. */
void cmd_abort(struct cmd *cmd, bool tell);

/* Gives back the reactor's spare commands. */
void cmd_trim(struct reactor *r);

#endif
