/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Self-tests and logs of a unit that has no parts which could fail by themselves: SEND DIAGNOSTIC,
 * RECEIVE DIAGNOSTIC RESULTS, LOG SENSE.
 */
#include "scsi/log.h"
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

enum { SUPPORTED = 0x00, SELF_TESTS = 0x10, EXCEPTIONS = 0x2f };

static const uint8_t pages[] = { SUPPORTED, SELF_TESTS, EXCEPTIONS };

/* Self-test results: twenty parameters of tests that were not made. */
static void self_tests(struct wr *w)
{
	for (uint16_t i = 1; i <= 20; i++) {
		log_param(w, i, LOG_BINARY, 16);
		wr_zero(w, 16);
	}
}

/* Informational exceptions: one parameter, nothing to report, no temperature. */
static void exceptions(struct wr *w)
{
	log_param(w, 0, LOG_BINARY, 4);
	wr_bytes(w, (const uint8_t[]){ 0, 0, 0xff, 0 }, 4);
}

static enum scsi_next log_sense(struct scsi_task *t)
{
	struct wr w;

	if (!log_asked(t, pages, sizeof(pages)) || !reply_open(t, &w, 512))
		return SCSI_DONE;
	log_open(&w, t->cdb);
	switch (LOG_PAGE(t->cdb)) {
	case SELF_TESTS: self_tests(&w); break;
	case EXCEPTIONS: exceptions(&w); break;
	default: log_list(&w, pages, sizeof(pages), LOG_SUBPAGE(t->cdb));
	}
	return log_close(t, &w);
}

// clang-format off
const struct scsi_op diag_ops[] = {
	{ 0x1c, NO_SERVICE, .name = "RECEIVE DIAGNOSTIC RESULTS", .start = receive_diagnostic,
	  .stops = STOPS_LOOK, .usage = { 0x1c, 0x01, FF2, 0xff, 0x04 } },
	{ 0x1d, NO_SERVICE, .name = "SEND DIAGNOSTIC", .start = send_diagnostic,
	  .stops = STOPS_CHANGE | STOPS_READY, .usage = { 0x1d, 0xf7, 0, FF2, 0x04 } },
	{ 0x4d, NO_SERVICE, .name = "LOG SENSE", .start = log_sense,
	  .stops = STOPS_UA, .usage = { 0x4d, 0x03, FF2, 0, FF4, 0x04 } },
	{ .name = NULL },
};
// clang-format on
