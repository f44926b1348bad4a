/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The numbers of RFC 7143 section 11: opcodes, flag bits, reasons and responses.
 * Names and values only; what may stand where is pdu.h's.
 */
#ifndef ISCSI_WIRE_H
#define ISCSI_WIRE_H

#define BHS_SIZE         48       /* 11.2.1: every PDU begins with this */
#define DATA_SEGMENT_MAX 0xffffff /* 11.2.1.6: DataSegmentLength has 24 bits */
#define DIGEST_SIZE      4
#define TAG_NONE         0xffffffffu /* the reserved Initiator or Target Transfer Tag */
#define ISCSI_VERSION    0x00        /* 11.12.4, the only one there is */
#define ISCSI_PORT       3260

/* 11.2.1: first byte. */
enum { BHS_IMMEDIATE = 0x40, BHS_OPCODE = 0x3f };

enum opcode { /* 11.2.1.2 */
	OP_NOP_OUT = 0x00,
	OP_SCSI_CMD = 0x01,
	OP_TMF_REQ = 0x02,
	OP_LOGIN_REQ = 0x03,
	OP_TEXT_REQ = 0x04,
	OP_DATA_OUT = 0x05,
	OP_LOGOUT_REQ = 0x06,
	OP_SNACK_REQ = 0x10,

	OP_NOP_IN = 0x20,
	OP_SCSI_RSP = 0x21,
	OP_TMF_RSP = 0x22,
	OP_LOGIN_RSP = 0x23,
	OP_TEXT_RSP = 0x24,
	OP_DATA_IN = 0x25,
	OP_LOGOUT_RSP = 0x26,
	OP_R2T = 0x31,
	OP_ASYNC = 0x32,
	OP_REJECT = 0x3f,
};

/* Second byte. */
enum { BHS_FINAL = 0x80 };                                   /* of most PDUs */
enum { CMD_READ = 0x40, CMD_WRITE = 0x20, CMD_ATTR = 0x07 }; /* 11.3.1 */
enum {                                                       /* 11.4.1, SCSI Response */
	RSP_BIDI_OVERFLOW = 0x10,
	RSP_BIDI_UNDERFLOW = 0x08,
	RSP_OVERFLOW = 0x04,
	RSP_UNDERFLOW = 0x02,
};
enum { /* 11.7.1, Data-In */
	DATA_IN_FINAL = 0x80,
	DATA_IN_ACK = 0x40,
	DATA_IN_OVERFLOW = 0x04,
	DATA_IN_UNDERFLOW = 0x02,
	DATA_IN_STATUS = 0x01,
};
enum { TEXT_FINAL = 0x80, TEXT_CONTINUE = 0x40 };     /* 11.10, 11.11 */
enum { LOGIN_TRANSIT = 0x80, LOGIN_CONTINUE = 0x40 }; /* 11.12 */

enum ahs_type { AHS_EXTENDED_CDB = 1, AHS_BIDI_READ_LENGTH = 2 }; /* 11.2.2.1 */

enum login_stage { /* 11.12.3: CSG, NSG */
	STAGE_SECURITY = 0,
	STAGE_OPERATIONAL = 1,
	STAGE_FULL_FEATURE = 3,
};

enum scsi_response { /* 11.4.3 */
	RESPONSE_COMPLETED = 0x00,
	RESPONSE_TARGET_FAILURE = 0x01,
};

enum tmf_function { /* 11.5.1; from 9 on RFC 7144, 5.1 */
	TMF_ABORT_TASK = 1,
	TMF_ABORT_TASK_SET = 2,
	TMF_CLEAR_ACA = 3,
	TMF_CLEAR_TASK_SET = 4,
	TMF_LUN_RESET = 5,
	TMF_TARGET_WARM_RESET = 6,
	TMF_TARGET_COLD_RESET = 7,
	TMF_TASK_REASSIGN = 8,
	TMF_QUERY_TASK = 9,
	TMF_QUERY_TASK_SET = 10,
	TMF_NEXUS_RESET = 11,
	TMF_QUERY_ASYNC_EVENT = 12,
};

enum tmf_response { /* 11.6.1 */
	TMF_COMPLETE = 0,
	TMF_NO_TASK = 1,
	TMF_NO_LUN = 2,
	TMF_STILL_ALLEGIANT = 3,
	TMF_NO_REASSIGNMENT = 4,
	TMF_NOT_SUPPORTED = 5,
	TMF_NOT_AUTHORIZED = 6,
	TMF_REJECTED = 255,
};

enum logout_reason { /* 11.14.1 */
	LOGOUT_SESSION = 0,
	LOGOUT_CONNECTION = 1,
	LOGOUT_RECOVERY = 2,
};

enum logout_response { /* 11.15.1 */
	LOGOUT_DONE = 0,
	LOGOUT_NO_CID = 1,
	LOGOUT_NO_RECOVERY = 2,
	LOGOUT_FAILED = 3,
};

enum async_event { /* 11.9.1 */
	ASYNC_SCSI = 0,
	ASYNC_LOGOUT_REQUEST = 1,   /* parameter 3: seconds to do it in */
	ASYNC_CONNECTION_DROP = 2,  /* parameter 1: CID; 2, 3: Time2Wait, Time2Retain */
	ASYNC_SESSION_DROP = 3,     /* 2, 3: Time2Wait, Time2Retain */
	ASYNC_NEGOTIATE = 4,        /* parameter 3: seconds to do it in */
	ASYNC_TASKS_TERMINATED = 5, /* of the LUN field's unit */
	ASYNC_VENDOR = 255,
};

enum reject_reason { /* 11.17.1 */
	REJECT_DATA_DIGEST = 0x02,
	REJECT_SNACK = 0x03,
	REJECT_PROTOCOL_ERROR = 0x04,
	REJECT_NOT_SUPPORTED = 0x05,
	REJECT_TOO_MANY_IMMEDIATE = 0x06,
	REJECT_TASK_IN_PROGRESS = 0x07,
	REJECT_INVALID_DATA_ACK = 0x08,
	REJECT_INVALID_FIELD = 0x09,
	REJECT_OUT_OF_RESOURCES = 0x0a,
	REJECT_WAITING_FOR_LOGOUT = 0x0c,
};

#endif
