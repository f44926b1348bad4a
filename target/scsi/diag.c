/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Self-tests and logs of a unit that has no parts which could fail by themselves: SEND DIAGNOSTIC,
 * RECEIVE DIAGNOSTIC RESULTS, LOG SENSE.
 */
#include "scsi/op.h"
#include "scsi/reply.h"

/* --- diagnostics (SPC-5 6.32, 6.42) ---------------------------------------------------- */

/* SELF-TEST CODE: none, background short and extended, abort, foreground short and extended. */
static bool self_test_known(uint8_t code)
{
	return code != 3 && code != 7;
}

/* SEND DIAGNOSTIC: self-tests pass; there are no pages to send. */
static enum scsi_next send_diagnostic(struct scsi_task *t)
{
	uint8_t code = t->cdb[1] >> 5;

	if (!self_test_known(code) || (code && t->cdb[1] & 0x04))
		return task_bad_cdb(t, 1, 7);
	if (be16(t->cdb + 3))
		return task_bad_cdb(t, 3, -1);
	return task_good(t);
}

/* RECEIVE DIAGNOSTIC RESULTS: the page of supported pages. */
static enum scsi_next receive_diagnostic(struct scsi_task *t)
{
	uint16_t alloc = be16(t->cdb + 3);

	if (t->cdb[1] & 0x01 && t->cdb[2])
		return task_bad_cdb(t, 2, -1);
	return reply_bytes(t, (const uint8_t[]){ 0x00, 0, 0, 1, 0x00 }, 5, alloc);
}

/* --- LOG SENSE (SPC-5 6.8, 7.3) -------------------------------------------------------- */

struct log_page {
	uint8_t code;
	void (*write)(struct wr *w); /* what follows the header; NULL ends the list */
};

static void log_supported(struct wr *w);

/* Informational exceptions: one parameter, nothing to report, no temperature. */
static void log_exceptions(struct wr *w)
{
	wr_bytes(w, (const uint8_t[]){ 0, 0, 0x03, 4, 0, 0, 0xff, 0 }, 8);
}

/* Self-test results: twenty parameters of tests that were not made. */
static void log_self_tests(struct wr *w)
{
	for (uint8_t i = 1; i <= 20; i++) {
		wr_bytes(w, (const uint8_t[]){ 0, i, 0x03, 16 }, 4);
		wr_zero(w, 16);
	}
}

static const struct log_page log_pages[] = {
	{ 0x00, log_supported },
	{ 0x10, log_self_tests },
	{ 0x2f, log_exceptions },
	{ .write = NULL },
};

static void log_supported(struct wr *w)
{
	for (const struct log_page *p = log_pages; p->write; p++)
		wr_u8(w, p->code);
}

static void log_supported_subpages(struct wr *w)
{
	for (const struct log_page *p = log_pages; p->write; p++) {
		wr_u8(w, p->code);
		wr_u8(w, 0);
	}
	wr_bytes(w, (const uint8_t[]){ 0x00, 0xff }, 2);
}

static enum scsi_next log_sense(struct scsi_task *t)
{
	uint8_t code = t->cdb[2] & 0x3f, subpage = t->cdb[3];

	if (t->cdb[1] & 0x01) /* SP: nothing can be saved */
		return task_bad_cdb(t, 1, 0);
	if (!code && subpage == 0xff)
		return reply_log_page(t, code, subpage, log_supported_subpages);
	if (subpage)
		return task_bad_cdb(t, 3, -1);
	for (const struct log_page *p = log_pages; p->write; p++)
		if (p->code == code)
			return reply_log_page(t, code, 0, p->write);
	return task_bad_cdb(t, 2, 5);
}

// clang-format off
const struct scsi_op diag_ops[] = {
	{ 0x1c, NO_SERVICE, .name = "RECEIVE DIAGNOSTIC RESULTS", .start = receive_diagnostic,
	  .stops = STOPS_LOOK, .usage = { 0x1c, 0x01, FF2, 0xff, 0x04 } },
	{ 0x1d, NO_SERVICE, .name = "SEND DIAGNOSTIC", .start = send_diagnostic,
	  .stops = STOPS_CHANGE | STOPS_READY, .usage = { 0x1d, 0xf7, 0, FF2, 0x04 } },
	{ 0x4d, NO_SERVICE, .name = "LOG SENSE", .start = log_sense,
	  .stops = STOPS_UA, .usage = { 0x4d, 0x01, FF2, 0, FF4, 0x04 } },
	{ .name = NULL },
};
// clang-format on
