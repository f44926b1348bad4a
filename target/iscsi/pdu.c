/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoders and encoders of the PDUs that are off the data path. The offsets are those of the
 * figures in RFC 7143 section 11.
 */
#include "iscsi/pdu.h"

const char *opcode_name(uint8_t opcode)
{
	switch (opcode) {
	case OP_NOP_OUT: return "NOP-Out";
	case OP_SCSI_CMD: return "SCSI Command";
	case OP_TMF_REQ: return "Task Management Function Request";
	case OP_LOGIN_REQ: return "Login Request";
	case OP_TEXT_REQ: return "Text Request";
	case OP_DATA_OUT: return "SCSI Data-Out";
	case OP_LOGOUT_REQ: return "Logout Request";
	case OP_SNACK_REQ: return "SNACK Request";
	case OP_NOP_IN: return "NOP-In";
	case OP_SCSI_RSP: return "SCSI Response";
	case OP_TMF_RSP: return "Task Management Function Response";
	case OP_LOGIN_RSP: return "Login Response";
	case OP_TEXT_RSP: return "Text Response";
	case OP_DATA_IN: return "SCSI Data-In";
	case OP_LOGOUT_RSP: return "Logout Response";
	case OP_R2T: return "Ready To Transfer";
	case OP_ASYNC: return "Asynchronous Message";
	case OP_REJECT: return "Reject";
	}
	return "unknown opcode";
}

/* --- requests ------------------------------------------------------------------------------- */

static bool login_stages_valid(const struct login_req *r)
{
	if (r->csg != STAGE_SECURITY && r->csg != STAGE_OPERATIONAL)
		return false;
	if (!r->transit)
		return true;
	return r->nsg > r->csg && (r->nsg == STAGE_OPERATIONAL || r->nsg == STAGE_FULL_FEATURE);
}

bool login_req_decode(const uint8_t bhs[static BHS_SIZE], struct login_req *out)
{
	bool transit = bhs[1] & LOGIN_TRANSIT;

	*out = (struct login_req){
		.transit = transit,
		.cont = bhs[1] & LOGIN_CONTINUE,
		.csg = bhs[1] >> 2 & 3,
		.nsg = transit ? bhs[1] & 3 : 0,
		.version_max = bhs[2],
		.version_min = bhs[3],
		.data_len = be24(bhs + 5),
		.isid = be64(bhs + 8) >> 16,
		.tsih = be16(bhs + 14),
		.itt = be32(bhs + 16),
		.cid = be16(bhs + 20),
		.cmdsn = be32(bhs + 24),
		.expstatsn = be32(bhs + 28),
	};
	return login_stages_valid(out) && !(out->transit && out->cont) && bhs[4] == 0;
}

bool text_req_decode(const uint8_t bhs[static BHS_SIZE], struct text_req *out)
{
	*out = (struct text_req){
		.immediate = bhs[0] & BHS_IMMEDIATE,
		.final = bhs[1] & TEXT_FINAL,
		.cont = bhs[1] & TEXT_CONTINUE,
		.data_len = be24(bhs + 5),
		.lun = be64(bhs + 8),
		.itt = be32(bhs + 16),
		.ttt = be32(bhs + 20),
		.cmdsn = be32(bhs + 24),
		.expstatsn = be32(bhs + 28),
	};
	return !(out->final && out->cont) && out->itt != TAG_NONE;
}

bool nop_out_decode(const uint8_t bhs[static BHS_SIZE], struct nop_out *out)
{
	*out = (struct nop_out){
		.immediate = bhs[0] & BHS_IMMEDIATE,
		.data_len = be24(bhs + 5),
		.lun = be64(bhs + 8),
		.itt = be32(bhs + 16),
		.ttt = be32(bhs + 20),
		.cmdsn = be32(bhs + 24),
		.expstatsn = be32(bhs + 28),
	};
	return out->immediate || out->itt != TAG_NONE;
}

bool tmf_req_decode(const uint8_t bhs[static BHS_SIZE], struct tmf_req *out)
{
	*out = (struct tmf_req){
		.immediate = bhs[0] & BHS_IMMEDIATE,
		.function = bhs[1] & 0x7f,
		.lun = be64(bhs + 8),
		.itt = be32(bhs + 16),
		.rtt = be32(bhs + 20),
		.cmdsn = be32(bhs + 24),
		.expstatsn = be32(bhs + 28),
		.refcmdsn = be32(bhs + 32),
		.expdatasn = be32(bhs + 36),
	};
	return out->itt != TAG_NONE;
}

bool logout_req_decode(const uint8_t bhs[static BHS_SIZE], struct logout_req *out)
{
	*out = (struct logout_req){
		.immediate = bhs[0] & BHS_IMMEDIATE,
		.reason = bhs[1] & 0x7f,
		.cid = be16(bhs + 20),
		.itt = be32(bhs + 16),
		.cmdsn = be32(bhs + 24),
		.expstatsn = be32(bhs + 28),
	};
	return out->reason <= LOGOUT_RECOVERY && out->itt != TAG_NONE;
}

/* --- additional header segments ------------------------------------------------------------- */

/* 11.2.2.3: AHSLength is the length of the CDB less 15, since it counts a reserved byte. */
static bool ahs_take_cdb(struct ahs *out, const uint8_t *specific, size_t len)
{
	if (out->cdb_rest || len < 2)
		return false;
	out->cdb_rest = specific + 1;
	out->cdb_rest_len = (uint16_t)(len - 1);
	return true;
}

/* 11.2.2.4: a reserved byte and four of length. */
static bool ahs_take_bidi(struct ahs *out, const uint8_t *specific, size_t len)
{
	if (out->bidi || len != 5)
		return false;
	out->bidi = true;
	out->bidi_read = be32(specific + 1);
	return true;
}

static bool ahs_take(struct ahs *out, uint8_t type, const uint8_t *specific, size_t len)
{
	switch (type & 0x3f) {
	case AHS_EXTENDED_CDB: return ahs_take_cdb(out, specific, len);
	case AHS_BIDI_READ_LENGTH: return ahs_take_bidi(out, specific, len);
	}
	return false;
}

bool ahs_decode(const uint8_t *p, size_t len, struct ahs *out)
{
	struct rd r = rd_of(p, len);

	*out = (struct ahs){ 0 };
	while (r.left) {
		size_t n = rd_be16(&r);
		uint8_t type = rd_u8(&r);
		const uint8_t *specific = rd_bytes(&r, n);
		rd_bytes(&r, -(n + 3) & 3); /* each is padded to whole words */
		if (!rd_ok(&r) || !ahs_take(out, type, specific, n))
			return false;
	}
	return true;
}

/* --- responses ------------------------------------------------------------------------------ */

void r2t_encode(uint8_t bhs[static BHS_SIZE], const struct r2t *r)
{
	pdu_put_head(bhs, OP_R2T, BHS_FINAL, 0, 0, 0);
	put_be64(bhs + 8, r->lun);
	pdu_put(bhs + 16, r->itt, r->ttt);
	pdu_put_sn(bhs + 24, &r->sn, r->r2tsn);
	pdu_put(bhs + 40, r->offset, r->len);
}

void login_rsp_encode(uint8_t bhs[static BHS_SIZE], const struct login_rsp *r)
{
	uint8_t flags =
		(uint8_t)((r->transit ? LOGIN_TRANSIT : 0) | (r->cont ? LOGIN_CONTINUE : 0) |
			  (r->csg & 3) << 2 | (r->nsg & 3));

	pdu_put_head(bhs, OP_LOGIN_RSP, flags, ISCSI_VERSION, ISCSI_VERSION, r->data_len);
	put_be64(bhs + 8, r->isid << 16 | r->tsih);
	pdu_put(bhs + 16, r->itt, 0);
	pdu_put_sn(bhs + 24, &r->sn, (uint32_t)r->status << 16);
	put_be64(bhs + 40, 0);
}

void text_rsp_encode(uint8_t bhs[static BHS_SIZE], const struct text_rsp *r)
{
	uint8_t flags = (uint8_t)((r->final ? TEXT_FINAL : 0) | (r->cont ? TEXT_CONTINUE : 0));

	pdu_put_head(bhs, OP_TEXT_RSP, flags, 0, 0, r->data_len);
	put_be64(bhs + 8, r->lun);
	pdu_put(bhs + 16, r->itt, r->ttt);
	pdu_put_sn(bhs + 24, &r->sn, 0);
	put_be64(bhs + 40, 0);
}

void nop_in_encode(uint8_t bhs[static BHS_SIZE], const struct nop_in *n)
{
	pdu_put_head(bhs, OP_NOP_IN, BHS_FINAL, 0, 0, n->data_len);
	put_be64(bhs + 8, n->lun);
	pdu_put(bhs + 16, n->itt, n->ttt);
	pdu_put_sn(bhs + 24, &n->sn, 0);
	put_be64(bhs + 40, 0);
}

void tmf_rsp_encode(uint8_t bhs[static BHS_SIZE], const struct tmf_rsp *r)
{
	pdu_put_head(bhs, OP_TMF_RSP, BHS_FINAL, r->response, 0, 0);
	put_be64(bhs + 8, 0);
	pdu_put(bhs + 16, r->itt, 0);
	pdu_put_sn(bhs + 24, &r->sn, 0);
	put_be64(bhs + 40, 0);
}

void logout_rsp_encode(uint8_t bhs[static BHS_SIZE], const struct logout_rsp *r)
{
	pdu_put_head(bhs, OP_LOGOUT_RSP, BHS_FINAL, r->response, 0, 0);
	put_be64(bhs + 8, 0);
	pdu_put(bhs + 16, r->itt, 0);
	pdu_put_sn(bhs + 24, &r->sn, 0);
	pdu_put(bhs + 40, (uint32_t)r->time2wait << 16 | r->time2retain, 0);
}

void reject_encode(uint8_t bhs[static BHS_SIZE], const struct reject *r)
{
	pdu_put_head(bhs, OP_REJECT, BHS_FINAL, r->reason, 0, r->data_len);
	put_be64(bhs + 8, 0);
	pdu_put(bhs + 16, TAG_NONE, 0);
	pdu_put_sn(bhs + 24, &r->sn, r->datasn);
	put_be64(bhs + 40, 0);
}

void async_msg_encode(uint8_t bhs[static BHS_SIZE], const struct async_msg *m)
{
	pdu_put_head(bhs, OP_ASYNC, BHS_FINAL, 0, 0, m->data_len);
	put_be64(bhs + 8, m->lun);
	pdu_put(bhs + 16, TAG_NONE, 0);
	pdu_put_sn(bhs + 24, &m->sn,
		(uint32_t)m->event << 24 | (uint32_t)m->vendor_code << 16 | m->param1);
	pdu_put(bhs + 40, (uint32_t)m->param2 << 16 | m->param3, 0);
}
