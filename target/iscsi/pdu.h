/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Basic header segments, RFC 7143 section 11: what an initiator sends is decoded once, into host
 * order, and what we send is encoded from a struct; afterwards nobody touches raw bytes.
 *
 * A decoder gives false where the RFC calls the combination an error, or where nothing sensible
 * could be done with it; its comment says which. The opcode has been looked at by the caller.
 * Reserved fields are ignored, as 11.2 wants. Encoders write all 48 bytes, each two words as one
 * 64-bit store.
 *
 * Pure; any thread.
 */
#ifndef ISCSI_PDU_H
#define ISCSI_PDU_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "iscsi/wire.h"

/* Name of an opcode as the RFC writes it, for the log; "unknown opcode" otherwise. */
const char *opcode_name(uint8_t opcode);

/* --- requests: the data path ---------------------------------------------------------------- */

/* 11.3 */
struct scsi_cmd {
	bool immediate, final, read, write;
	uint8_t attr; /* enum task_attr of scsi/task.h */
	uint16_t ahs_len;
	uint32_t data_len; /* immediate data */
	uint64_t lun;      /* the eight bytes as a number */
	uint32_t itt;
	uint32_t expect; /* Expected Data Transfer Length */
	uint32_t cmdsn, expstatsn;
	uint8_t cdb[16]; /* what is longer stands in an AHS */
};

/* False: the reserved task tag (11.2.1.8); F = 0 without W, or something expected without R and W
 * (11.3.1); data without W, or more than is expected; F = 0 although nothing is left to send
 * (11.3.4). */
static inline bool scsi_cmd_decode(const uint8_t bhs[static BHS_SIZE], struct scsi_cmd *out)
{
	out->immediate = bhs[0] & BHS_IMMEDIATE;
	out->final = bhs[1] & BHS_FINAL;
	out->read = bhs[1] & CMD_READ;
	out->write = bhs[1] & CMD_WRITE;
	out->attr = bhs[1] & CMD_ATTR;
	out->ahs_len = (uint16_t)(bhs[4] * 4);
	out->data_len = be24(bhs + 5);
	out->lun = be64(bhs + 8);
	out->itt = be32(bhs + 16);
	out->expect = be32(bhs + 20);
	out->cmdsn = be32(bhs + 24);
	out->expstatsn = be32(bhs + 28);
	memcpy(out->cdb, bhs + 32, sizeof(out->cdb));
	if (out->itt == TAG_NONE)
		return false;
	if (!out->write)
		return out->final && !out->data_len && (out->read || !out->expect);
	return out->final ? out->data_len <= out->expect : out->data_len < out->expect;
}

/* 11.7 */
struct data_out {
	bool final;
	uint32_t data_len;
	uint64_t lun;      /* some initiators get it wrong: go by itt and ttt */
	uint32_t itt, ttt; /* ttt TAG_NONE: unsolicited */
	uint32_t expstatsn;
	uint32_t datasn, offset;
};

/* False: the reserved task tag (11.2.1.8); offset and length that go beyond 2^32. */
static inline bool data_out_decode(const uint8_t bhs[static BHS_SIZE], struct data_out *out)
{
	out->final = bhs[1] & BHS_FINAL;
	out->data_len = be24(bhs + 5);
	out->lun = be64(bhs + 8);
	out->itt = be32(bhs + 16);
	out->ttt = be32(bhs + 20);
	out->expstatsn = be32(bhs + 28);
	out->datasn = be32(bhs + 36);
	out->offset = be32(bhs + 40);
	return out->itt != TAG_NONE && out->data_len <= UINT32_MAX - out->offset;
}

/* --- requests: the others ------------------------------------------------------------------- */

/* 11.12 */
struct login_req {
	bool transit, cont;
	uint8_t csg, nsg; /* enum login_stage; nsg only with transit, else 0 */
	uint8_t version_max, version_min;
	uint32_t data_len;
	uint64_t isid; /* the six bytes as a number */
	uint16_t tsih, cid;
	uint32_t itt, cmdsn, expstatsn;
};
/* False: T and C together (11.12.2); a CSG that is not a stage of the login (11.12.3); with T an
 * NSG that is none, or not after CSG; an AHS. The fields are filled in all the same: the refusal
 * quotes them. */
bool login_req_decode(const uint8_t bhs[static BHS_SIZE], struct login_req *out);

/* 11.10 */
struct text_req {
	bool immediate, final, cont;
	uint32_t data_len;
	uint64_t lun;
	uint32_t itt, ttt;
	uint32_t cmdsn, expstatsn;
};
/* False: F and C together (11.10.2); the reserved task tag. */
bool text_req_decode(const uint8_t bhs[static BHS_SIZE], struct text_req *out);

/* 11.18 */
struct nop_out {
	bool immediate;
	uint32_t data_len;
	uint64_t lun;
	uint32_t itt, ttt; /* itt TAG_NONE: no answer wanted; ttt other than TAG_NONE: an answer */
	uint32_t cmdsn, expstatsn;
};
/* False: the reserved task tag in a request that is not immediate (11.18.1). */
bool nop_out_decode(const uint8_t bhs[static BHS_SIZE], struct nop_out *out);

/* 11.5 */
struct tmf_req {
	bool immediate;
	uint8_t function; /* enum tmf_function, or one that is none: answer TMF_NOT_SUPPORTED */
	uint64_t lun;
	uint32_t itt, rtt; /* rtt: Referenced Task Tag */
	uint32_t cmdsn, expstatsn;
	uint32_t refcmdsn, expdatasn;
};
/* False: the reserved task tag. */
bool tmf_req_decode(const uint8_t bhs[static BHS_SIZE], struct tmf_req *out);

/* 11.14 */
struct logout_req {
	bool immediate;
	uint8_t reason; /* enum logout_reason */
	uint16_t cid;
	uint32_t itt;
	uint32_t cmdsn, expstatsn;
};
/* False: a reason that is none; the reserved task tag. */
bool logout_req_decode(const uint8_t bhs[static BHS_SIZE], struct logout_req *out);

/* --- additional header segments, 11.2.2 ----------------------------------------------------- */

struct ahs {
	const uint8_t *cdb_rest; /* CDB bytes from the 17th on, in the caller's buffer; or NULL */
	uint16_t cdb_rest_len;
	bool bidi;
	uint32_t bidi_read; /* with bidi: Expected Bidirectional Read Data Length */
};

/* Takes apart the `len` bytes that follow the BHS of a SCSI Command. False: a length that leaves the
 * segment, is too short or not the type's; a type that is none or comes twice. */
bool ahs_decode(const uint8_t *p, size_t len, struct ahs *out);

/* --- responses ------------------------------------------------------------------------------ */

/* The numbers that nearly every response carries; 11.4.8 to 11.4.10. */
struct sn {
	uint32_t statsn, expcmdsn, maxcmdsn;
};

/* Two words of the BHS. */
static inline void pdu_put(uint8_t *p, uint32_t first, uint32_t second)
{
	put_be64(p, (uint64_t)first << 32 | second);
}

/* The first two words: opcode, the three bytes after it, no AHS, and the length of the data. */
static inline void pdu_put_head(
	uint8_t *p, uint8_t opcode, uint8_t flags, uint8_t b2, uint8_t b3, uint32_t data_len)
{
	assert(data_len <= DATA_SEGMENT_MAX);
	pdu_put(p, (uint32_t)opcode << 24 | (uint32_t)flags << 16 | (uint32_t)b2 << 8 | b3,
		data_len);
}

static inline void pdu_put_sn(uint8_t *p, const struct sn *sn, uint32_t fourth)
{
	pdu_put(p, sn->statsn, sn->expcmdsn);
	pdu_put(p + 8, sn->maxcmdsn, fourth);
}

/* 11.4 */
struct scsi_rsp {
	uint8_t flags;     /* RSP_*, without F */
	uint8_t response;  /* enum scsi_response */
	uint8_t status;    /* SCSI status */
	uint32_t data_len; /* sense: two bytes of length and the sense data */
	uint32_t itt;
	struct sn sn;
	uint32_t expdatasn; /* Data-In and R2T PDUs that were sent for this command */
	uint32_t bidi_residual, residual;
};

static inline void scsi_rsp_encode(uint8_t bhs[static BHS_SIZE], const struct scsi_rsp *r)
{
	pdu_put_head(bhs, OP_SCSI_RSP, BHS_FINAL | r->flags, r->response, r->status, r->data_len);
	put_be64(bhs + 8, 0);
	pdu_put(bhs + 16, r->itt, 0); /* no SNACK Tag: no data are ever sent again */
	pdu_put_sn(bhs + 24, &r->sn, r->expdatasn);
	pdu_put(bhs + 40, r->bidi_residual, r->residual);
}

/* 11.7. Status, sn.statsn and residual mean something with DATA_IN_STATUS only; a SCSI status other
 * than GOOD with sense data cannot be told this way. */
struct data_in {
	uint8_t flags; /* DATA_IN_* */
	uint8_t status;
	uint32_t data_len;
	uint64_t lun;      /* with DATA_IN_ACK */
	uint32_t itt, ttt; /* ttt: TAG_NONE without DATA_IN_ACK */
	struct sn sn;
	uint32_t datasn, offset, residual;
};

static inline void data_in_encode(uint8_t bhs[static BHS_SIZE], const struct data_in *d)
{
	pdu_put_head(bhs, OP_DATA_IN, d->flags, 0, d->status, d->data_len);
	put_be64(bhs + 8, d->lun);
	pdu_put(bhs + 16, d->itt, d->ttt);
	pdu_put_sn(bhs + 24, &d->sn, d->datasn);
	pdu_put(bhs + 40, d->offset, d->residual);
}

/* 11.8. sn.statsn is the next one, which it does not use up. */
struct r2t {
	uint64_t lun;
	uint32_t itt, ttt;
	struct sn sn;
	uint32_t r2tsn, offset, len; /* len: Desired Data Transfer Length, 1…MaxBurstLength */
};
void r2t_encode(uint8_t bhs[static BHS_SIZE], const struct r2t *r);

/* 11.13. Everything but the versions and the status is as in the request, unless it succeeded. */
struct login_rsp {
	bool transit, cont;
	uint8_t csg, nsg;
	uint32_t data_len;
	uint64_t isid;
	uint16_t tsih;
	uint32_t itt;
	struct sn sn;
	uint16_t status; /* enum login_status of status.h */
};
void login_rsp_encode(uint8_t bhs[static BHS_SIZE], const struct login_rsp *r);

/* 11.11 */
struct text_rsp {
	bool final, cont;
	uint32_t data_len;
	uint64_t lun;
	uint32_t itt, ttt; /* ttt: TAG_NONE when final */
	struct sn sn;
};
void text_rsp_encode(uint8_t bhs[static BHS_SIZE], const struct text_rsp *r);

/* 11.19. A ping of ours has itt TAG_NONE; an answer has ttt TAG_NONE. */
struct nop_in {
	uint32_t data_len;
	uint64_t lun;
	uint32_t itt, ttt;
	struct sn sn;
};
void nop_in_encode(uint8_t bhs[static BHS_SIZE], const struct nop_in *n);

/* 11.6 */
struct tmf_rsp {
	uint8_t response; /* enum tmf_response */
	uint32_t itt;
	struct sn sn;
};
void tmf_rsp_encode(uint8_t bhs[static BHS_SIZE], const struct tmf_rsp *r);

/* 11.15 */
struct logout_rsp {
	uint8_t response; /* enum logout_response */
	uint32_t itt;
	struct sn sn;
	uint16_t time2wait, time2retain; /* seconds */
};
void logout_rsp_encode(uint8_t bhs[static BHS_SIZE], const struct logout_rsp *r);

/* 11.17. The data segment is the BHS that is refused. */
struct reject {
	uint8_t reason; /* enum reject_reason */
	uint32_t data_len;
	struct sn sn;
	uint32_t datasn; /* R2TSN or DataSN, for REJECT_PROTOCOL_ERROR on a SNACK; else 0 */
};
void reject_encode(uint8_t bhs[static BHS_SIZE], const struct reject *r);

/* 11.9 */
struct async_msg {
	uint8_t event, vendor_code; /* enum async_event */
	uint16_t param1, param2, param3;
	uint32_t data_len;
	uint64_t lun;
	struct sn sn;
};
void async_msg_encode(uint8_t bhs[static BHS_SIZE], const struct async_msg *m);

#endif
