/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A command as a row: its name, what runs it, what keeps it out and which bits of its CDB
 * count. REPORT SUPPORTED OPERATION CODES is read from the same rows that are obeyed.
 */
#ifndef SCSI_OP_H
#define SCSI_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "scsi/task.h"
#include "scsi/unit.h"

#define NO_SERVICE (-1)

/* Bytes of usage data that count in all their bits. */
#define FF2        0xff, 0xff
#define FF4        FF2, FF2

struct scsi_op {
	uint8_t code;     /* operation code */
	int8_t service;   /* service action, or NO_SERVICE */
	bool strict;      /* a reserved bit that is set is refused */
	uint8_t needs;    /* LU_… : units without that do not know the command */
	bool secret;      /* its data are wiped from memory, whatever came of it */
	const char *name; /* NULL: the end of a list */
	enum scsi_next (*start)(struct scsi_task *t);
	enum scsi_next (*data)(struct scsi_task *t); /* t->got bytes are in t->out */
	bool (*cancel)(struct scsi_task *t);         /* an abort while busy: true, it has let go */
	uint64_t stops;                              /* bits of the gate that keep it out */
	/* The CDB usage data (SPC-5 6.35.3): bits that count; but the operation code and the
	 * service action stand there themselves. */
	uint8_t usage[SCSI_CDB_MAX];
};

/* What keeps a command out (SPC-5 table 67, SBC-4 table 14 for reservations). */
#define STOPS_FREE   UINT64_C(0) /* allowed always */
#define STOPS_UA     GATE_UA     /* allowed but for unit attentions */
#define STOPS_QUERY  (GATE_UA | GATE_RESERVED | GATE_UNAVAILABLE) /* beside persistent ones */
#define STOPS_LOOK   (STOPS_QUERY | GATE_NO_READ)  /* allowed beside WRITE EXCLUSIVE */
#define STOPS_CHANGE (STOPS_QUERY | GATE_NO_WRITE) /* conflicts with all of them */
#define STOPS_WIPE   (GATE_WIPES | GATE_WIPE_FAILED | GATE_CORRUPT)
#define STOPS_READY  (GATE_STANDBY | GATE_UNAVAILABLE | STOPS_WIPE | GATE_NO_MEDIUM)
#define STOPS_READ   (STOPS_LOOK | STOPS_READY)
#define STOPS_WRITE  (STOPS_CHANGE | STOPS_READY | GATE_PROTECTED)

/* The vendor specific code with which changers took stock of a range before SMC-2, and Windows and
 * others still have them do it. */
#define OP_INITIALIZE_RANGE 0xe7

/* Length of a CDB by its operation code (SPC-5 4.2.5.1). */
unsigned op_cdb_len(uint8_t code);

/* Fills the table of a unit from its model's lists. */
void op_table(const struct lu_model *model, uint32_t has, const struct scsi_op *table[256]);

/* Of the rows that begin with op, which have the same operation code: the one of a service
 * action that the unit has, or a row that refuses the service action. */
const struct scsi_op *op_service(const struct lu *lu, const struct scsi_op *op, uint16_t service);

#define VARIABLE_CDB 0x7f

/* The service action of a CDB whose operation code has them (SPC-5 4.2.5.2, 4.2.5.3). */
static inline uint16_t op_service_of(const uint8_t *cdb)
{
	return cdb[0] == VARIABLE_CDB ? be16(cdb + 8) : cdb[1] & 0x1f;
}

/* A command for a LUN behind which there is no unit (SPC-5 5.11). */
enum scsi_next missing_start(struct scsi_task *t);

/* REPORT TARGET PORT GROUPS, which stands beside others that share its operation code. */
enum scsi_next ports_report(struct scsi_task *t);

/* Rows that all models share, and those of disks. */
extern const struct scsi_op spc_ops[], mode_ops[], opcodes_ops[], reserve_ops[], removal_ops[],
	pr_in_ops[], pr_out_ops[], diag_ops[], buffer_ops[];
extern const struct scsi_op sbc_ops[], sbc_rw_ops[], sbc_verify_ops[], sbc_fill_ops[],
	sbc_atomic_ops[], sbc_query_ops[], sbc_wipe_ops[];

#endif
