/* SPDX-License-Identifier: BSD-2-Clause */
/* What came of a SCSI command, and what it should have been: for units of every kind. */
#ifndef TESTS_SCSI_RESULT_H
#define TESTS_SCSI_RESULT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "scsi/task.h"

struct result {
	enum scsi_next first; /* what scsi_task_start() said */
	uint8_t status;
	struct sense sense;
	bool in_live;
	uint32_t out_unit;
	uint32_t in_len, out_len; /* what the command had to give, and wanted */
	uint8_t *in;              /* what of it the initiator got */
	uint32_t in_got;
};

static inline void assert_good(struct result res)
{
	if (res.status == SCSI_CHECK_CONDITION)
		fail_msg("CHECK CONDITION %x/%04x", res.sense.key, res.sense.asc);
	assert_int_equal(res.status, SCSI_GOOD);
}

static inline void assert_check(struct result res, enum sense_key key, uint16_t asc)
{
	assert_int_equal(res.status, SCSI_CHECK_CONDITION);
	assert_int_equal(res.sense.key, key);
	assert_int_equal(res.sense.asc, asc);
	assert_int_equal(res.in_len, 0);
}

/* INVALID FIELD IN CDB that points at a byte. */
static inline void assert_bad_cdb(struct result res, unsigned byte)
{
	assert_check(res, SENSE_ILLEGAL_REQUEST, 0x2400);
	assert_int_equal(res.sense.sks[0] & 0xc0, 0xc0);
	assert_int_equal(be16(res.sense.sks + 1), byte);
}

/* INVALID FIELD IN PARAMETER LIST, likewise. */
static inline void assert_bad_list(struct result res, unsigned byte)
{
	assert_check(res, SENSE_ILLEGAL_REQUEST, 0x2600);
	assert_int_equal(res.sense.sks[0] & 0xc0, 0x80);
	assert_int_equal(be16(res.sense.sks + 1), byte);
}

#endif
