/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log pages: how parameters are written, and what a LOG SENSE or LOG SELECT may ask for.
 */
#include "scsi/log.h"

#include <string.h>

#include "scsi/reply.h"

#define SP       0x01 /* byte 1 of the CDB, of both commands */
#define PPC      0x02 /* of LOG SENSE */
#define PCR      0x02 /* of LOG SELECT */
#define DEFAULTS 0x03 /* PC: default cumulative values */

/* --- parameters ----------------------------------------------------------------------------- */

void log_param(struct wr *w, uint16_t code, uint8_t control, size_t len)
{
	wr_be16(w, code);
	wr_u8(w, control);
	wr_u8(w, (uint8_t)len);
}

void log_number(struct wr *w, uint16_t code, uint64_t v, unsigned len)
{
	log_param(w, code, LOG_BINARY, len);
	if (len < 8 && v >> 8 * len)
		v = (UINT64_C(1) << 8 * len) - 1;
	for (unsigned i = len; i > 0; i--)
		wr_u8(w, (uint8_t)(v >> 8 * (i - 1)));
}

void log_text(struct wr *w, uint16_t code, const char *text, size_t width)
{
	char field[32];

	memset(field, ' ', sizeof(field));
	memcpy(field, text, strnlen(text, width));
	log_param(w, code, LOG_ASCII, width);
	wr_bytes(w, field, width);
}

/* --- LOG SENSE ------------------------------------------------------------------------------ */

static bool known(const uint8_t *codes, size_t n, uint8_t code)
{
	return memchr(codes, code, n);
}

bool log_asked(struct scsi_task *t, const uint8_t *codes, size_t n)
{
	uint8_t code = LOG_PAGE(t->cdb), subpage = LOG_SUBPAGE(t->cdb);

	if (t->cdb[1] & SP) /* nothing can be saved */
		return task_bad_cdb(t, 1, 0), false;
	if (t->cdb[1] & PPC) /* only what has changed: nobody remembers what each host has seen */
		return task_bad_cdb(t, 1, 1), false;
	if (!known(codes, n, code))
		return task_bad_cdb(t, 2, 5), false;
	if (subpage && (code || subpage != LOG_SUBPAGES))
		return task_bad_cdb(t, 3, -1), false;
	return true;
}

void log_list(struct wr *w, const uint8_t *codes, size_t n, uint8_t subpage)
{
	for (size_t i = 0; i < n; i++) {
		wr_u8(w, codes[i]);
		if (subpage)
			wr_u8(w, 0);
		if (subpage && !codes[i])
			wr_be16(w, LOG_SUBPAGES);
	}
}

void log_open(struct wr *w, const uint8_t *cdb)
{
	wr_u8(w, (uint8_t)(LOG_PAGE(cdb) | (LOG_SUBPAGE(cdb) ? 0x40 : 0)));
	wr_u8(w, LOG_SUBPAGE(cdb));
	wr_be16(w, 0);
}

/* Takes out the parameters before the PARAMETER POINTER. False: it is higher than all of them. */
static bool begin_at(struct wr *w, uint16_t pointer)
{
	size_t at = 4;

	while (at + 4 <= w->len && be16(w->buf + at) < pointer)
		at += 4 + w->buf[at + 3];
	if (pointer && at >= w->len)
		return false;
	memmove(w->buf + 4, w->buf + at, w->len - at);
	w->len -= at - 4;
	return true;
}

enum scsi_next log_close(struct scsi_task *t, struct wr *w)
{
	if (LOG_PAGE(t->cdb) && !begin_at(w, be16(t->cdb + 5)))
		return task_bad_cdb(t, 5, -1);
	put_be16(w->buf + 2, (uint16_t)(w->len - 4));
	return reply_close(t, w, be16(t->cdb + 7));
}

/* --- LOG SELECT ----------------------------------------------------------------------------- */

bool log_resets(const uint8_t *cdb)
{
	return cdb[1] & PCR || cdb[2] >> 6 == DEFAULTS;
}

bool log_select(struct scsi_task *t, const uint8_t *codes, size_t n)
{
	uint8_t code = LOG_PAGE(t->cdb);

	if (t->cdb[1] & SP)
		return task_bad_cdb(t, 1, 0), false;
	if (be16(t->cdb + 7))
		return task_bad_cdb(t, 7, -1), false;
	if (code && !known(codes, n, code))
		return task_bad_cdb(t, 2, 5), false;
	if (LOG_SUBPAGE(t->cdb))
		return task_bad_cdb(t, 3, -1), false;
	return true;
}
