/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PERSISTENT RESERVE IN (SPC-5 6.16).
 */
#include "scsi/nexus.h"
#include "scsi/op.h"
#include "scsi/reply.h"
#include "scsi/transport_id.h"

/* What a reservation of all registrants, or of one, has in the key field. */
static uint64_t holder_key(const struct pr *pr)
{
	for (unsigned i = 0; i < pr->n; i++)
		if (pr->regs[i].holder)
			return pr->regs[i].key;
	return 0;
}

/* PRGENERATION, and the length of what follows. */
static void wr_head(struct wr *w, const struct pr *pr, size_t len)
{
	wr_be32(w, pr->generation);
	wr_be32(w, (uint32_t)len);
}

static void wr_keys(struct wr *w, const struct pr *pr)
{
	wr_head(w, pr, pr->n * 8);
	for (unsigned i = 0; i < pr->n; i++)
		wr_be64(w, pr->regs[i].key);
}

static void wr_reservation(struct wr *w, const struct pr *pr)
{
	wr_head(w, pr, pr->type ? 16 : 0);
	if (!pr->type)
		return;
	wr_be64(w, holder_key(pr));
	wr_zero(w, 5);
	wr_u8(w, pr->type); /* SCOPE 0: the logical unit */
	wr_zero(w, 2);
}

static size_t full_status_len(const struct pr *pr)
{
	size_t len = 0;

	for (unsigned i = 0; i < pr->n; i++)
		len += 24 + transport_id_len(pr->regs[i].initiator);
	return len;
}

static void wr_registrant(struct wr *w, const struct pr *pr, const struct pr_reg *reg)
{
	bool holds = pr_holds(pr, reg);

	wr_be64(w, reg->key);
	wr_zero(w, 4);
	wr_u8(w, (uint8_t)(!reg->port << 1 | holds)); /* ALL_TG_PT, R_HOLDER */
	wr_u8(w, holds ? pr->type : 0);
	wr_zero(w, 4);
	wr_be16(w, reg->port);
	wr_be32(w, (uint32_t)transport_id_len(reg->initiator));
	transport_id_write(w, reg->initiator);
}

static void wr_full_status(struct wr *w, const struct pr *pr)
{
	wr_head(w, pr, full_status_len(pr));
	for (unsigned i = 0; i < pr->n; i++)
		wr_registrant(w, pr, &pr->regs[i]);
}

/* The lengths in the data tell of all there is, however much of it is asked for. Nobody changes the
 * state between the measuring and the writing. */
static enum scsi_next report(struct scsi_task *t, void (*write)(struct wr *w, const struct pr *pr))
{
	struct lu *lu = t->itl->lu;
	uint16_t alloc = be16(t->cdb + 7);
	struct wr w = { 0 };
	bool ok = true;

	pthread_mutex_lock(&lu->lock);
	if (lu->reserved) { /* RESERVE and this exclude each other */
		task_status(t, SCSI_RESERVATION_CONFLICT);
		ok = false;
	} else {
		write(&w, &lu->pr); /* counts */
		ok = reply_open(t, &w, w.len);
		if (ok)
			write(&w, &lu->pr);
	}
	pthread_mutex_unlock(&lu->lock);
	return ok ? reply_close(t, &w, alloc) : SCSI_DONE;
}

static enum scsi_next read_keys(struct scsi_task *t)
{
	return report(t, wr_keys);
}

static enum scsi_next read_reservation(struct scsi_task *t)
{
	return report(t, wr_reservation);
}

static enum scsi_next read_full_status(struct scsi_task *t)
{
	return report(t, wr_full_status);
}

/* REPORT CAPABILITIES: SIP_C, ATP_C, PTPL_C; TMV, ALLOW COMMANDS 011b (TEST UNIT READY beside all
 * types, MODE SENSE and such beside WRITE EXCLUSIVE), PTPL_A; all six types. */
static enum scsi_next report_capabilities(struct scsi_task *t)
{
	struct lu *lu = t->itl->lu;
	uint8_t data[8] = { 0, 8, 0x0c, 0x80 | 0x30, 0xea, 0x01, 0, 0 };

	pthread_mutex_lock(&lu->lock);
	data[2] |= lu->keeper ? 0x01 : 0;
	data[3] |= lu->pr.aptpl ? 0x01 : 0;
	pthread_mutex_unlock(&lu->lock);
	return reply_bytes(t, data, sizeof(data), be16(t->cdb + 7));
}

// clang-format off
#define PR_IN(sa, n, f) \
	{ 0x5e, sa, .name = "PERSISTENT RESERVE IN, " n, .start = f, .stops = STOPS_QUERY, \
	  .usage = { 0x5e, sa, 0, 0, 0, 0, 0, FF2, 0x04 } }

const struct scsi_op pr_in_ops[] = {
	PR_IN(0, "READ KEYS", read_keys),
	PR_IN(1, "READ RESERVATION", read_reservation),
	PR_IN(2, "REPORT CAPABILITIES", report_capabilities),
	PR_IN(3, "READ FULL STATUS", read_full_status),
	{ .name = NULL },
};
// clang-format on
