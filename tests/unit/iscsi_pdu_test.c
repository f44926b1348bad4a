/* SPDX-License-Identifier: BSD-2-Clause */
/* Basic and additional header segments against the figures of RFC 7143 section 11. */
#include "iscsi/pdu.h"
#include "iscsi/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Bytes stand here as in the figures of the RFC, a row for two words. */
/* clang-format off */

/* --- every PDU ------------------------------------------------------------------------------ */

static void every_opcode_has_a_name(void **state)
{
	(void)state;
	static const uint8_t known[] = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x10, 0x20,
					 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x31, 0x32, 0x3f };
	for (size_t i = 0; i < sizeof(known); i++)
		assert_string_not_equal(opcode_name(known[i]), "unknown opcode");
	assert_string_equal(opcode_name(0x07), "unknown opcode");
	assert_string_equal(opcode_name(0x1e), "unknown opcode");
}

/* --- SCSI Command, 11.3 --------------------------------------------------------------------- */

static void scsi_command_is_decoded(void **state)
{
	(void)state;
	const uint8_t bhs[48] = {
		0x41, 0xa1, 0,    0,    0x01, 0x00, 0x10, 0x00, /* I; F, W, simple; AHS; 4096 bytes */
		0x00, 0x05, 0,    0,    0,    0,    0,    0,    /* LUN */
		0x11, 0x22, 0x33, 0x44, 0x00, 0x02, 0x00, 0x00, /* ITT, 128 KiB expected */
		0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, /* CmdSN, ExpStatSN */
		0x2a, 0x00, 0x00, 0x00, 0x00, 0x64, 0x00, 0x01, /* CDB */
		0x00, 0x00, 0,    0,    0,    0,    0,    0xff,
	};
	struct scsi_cmd c;
	assert_true(scsi_cmd_decode(bhs, &c));
	assert_true(c.immediate && c.final && c.write);
	assert_false(c.read);
	assert_int_equal(c.attr, 1);
	assert_int_equal(c.ahs_len, 4);
	assert_int_equal(c.data_len, 4096);
	assert_int_equal(c.lun, UINT64_C(0x0005000000000000));
	assert_int_equal(c.itt, 0x11223344);
	assert_int_equal(c.expect, 0x20000);
	assert_int_equal(c.cmdsn, 0x01020304);
	assert_int_equal(c.expstatsn, 0x05060708);
	assert_memory_equal(c.cdb, bhs + 32, 16);
}

static bool command(uint8_t flags, uint32_t data_len, uint32_t expect)
{
	uint8_t bhs[48] = { 0x01, flags };
	struct scsi_cmd c;

	put_be24(bhs + 5, data_len);
	put_be32(bhs + 20, expect);
	return scsi_cmd_decode(bhs, &c);
}

static void scsi_command_that_moves_no_data_is_fine(void **state)
{
	(void)state;
	assert_true(command(0x80, 0, 0));
}

static void scsi_command_refuses_not_final_without_write(void **state)
{
	(void)state;
	assert_false(command(0x00, 0, 0));      /* 11.3.1: W and F both 0 is an error */
	assert_false(command(0x40, 0, 512));
	assert_true(command(0xc0, 0, 512));
}

static void scsi_command_refuses_data_without_write(void **state)
{
	(void)state;
	assert_false(command(0x80, 512, 512));
	assert_false(command(0xc0, 512, 512));
}

static void scsi_command_refuses_to_expect_data_in_no_direction(void **state)
{
	(void)state;
	assert_false(command(0x80, 0, 512));    /* 11.3.1: R or W, or both */
}

static void scsi_command_refuses_more_data_than_it_expects_to_move(void **state)
{
	(void)state;
	assert_true(command(0xa0, 512, 512));
	assert_false(command(0xa0, 513, 512));
	assert_true(command(0xa0, 0, 512));
}

static void scsi_command_with_all_its_data_must_be_final(void **state)
{
	(void)state;
	assert_false(command(0x20, 512, 512));  /* 11.3.4: nothing will follow, F must be 1 */
	assert_true(command(0x20, 512, 1024));
	assert_false(command(0x20, 0, 0));
}

static void scsi_command_refuses_the_reserved_tag(void **state)
{
	(void)state;
	const uint8_t bhs[48] = { 0x01, 0x80, [16] = 0xff, 0xff, 0xff, 0xff };
	struct scsi_cmd c;
	assert_false(scsi_cmd_decode(bhs, &c));
}

/* --- Data-Out, 11.7 ------------------------------------------------------------------------- */

static void data_out_is_decoded(void **state)
{
	(void)state;
	const uint8_t bhs[48] = {
		0x05, 0x80, 0,    0,    0,    0x00, 0x20, 0x00, /* F, 8192 bytes */
		0x00, 0x01, 0,    0,    0,    0,    0,    0,
		0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, /* ITT, TTT */
		0,    0,    0,    0,    0x05, 0x06, 0x07, 0x08, /* ExpStatSN */
		0,    0,    0,    0,    0x00, 0x00, 0x00, 0x03, /* DataSN */
		0x00, 0x01, 0x00, 0x00, 0,    0,    0,    0,    /* offset */
	};
	struct data_out d;
	assert_true(data_out_decode(bhs, &d));
	assert_true(d.final);
	assert_int_equal(d.data_len, 8192);
	assert_int_equal(d.lun, UINT64_C(0x0001000000000000));
	assert_int_equal(d.itt, 0x11223344);
	assert_int_equal(d.ttt, 0x55667788);
	assert_int_equal(d.expstatsn, 0x05060708);
	assert_int_equal(d.datasn, 3);
	assert_int_equal(d.offset, 0x10000);
}

static void data_out_refuses_to_go_beyond_32_bits(void **state)
{
	(void)state;
	uint8_t bhs[48] = { 0x05, 0x80, [5] = 0x00, 0x00, 0x10, [40] = 0xff, 0xff, 0xff, 0xef };
	struct data_out d;
	assert_true(data_out_decode(bhs, &d));
	bhs[43] = 0xf0;
	assert_false(data_out_decode(bhs, &d));
}

static void data_out_refuses_the_reserved_tag(void **state)
{
	(void)state;
	const uint8_t bhs[48] = { 0x05, 0x80, [16] = 0xff, 0xff, 0xff, 0xff };
	struct data_out d;
	assert_false(data_out_decode(bhs, &d));
}

/* --- Login Request, 11.12 ------------------------------------------------------------------- */

static void login_request_is_decoded(void **state)
{
	(void)state;
	const uint8_t bhs[48] = {
		0x43, 0x87, 0x02, 0x01, 0,    0x00, 0x01, 0x23, /* T, 1 -> 3; versions; data */
		0x00, 0x02, 0x3d, 0x01, 0x02, 0x03, 0x12, 0x34, /* ISID, TSIH */
		0x11, 0x22, 0x33, 0x44, 0x00, 0x07, 0,    0,    /* ITT, CID */
		0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, /* CmdSN, ExpStatSN */
	};
	struct login_req r;
	assert_true(login_req_decode(bhs, &r));
	assert_true(r.transit);
	assert_false(r.cont);
	assert_int_equal(r.csg, STAGE_OPERATIONAL);
	assert_int_equal(r.nsg, STAGE_FULL_FEATURE);
	assert_int_equal(r.version_max, 2);
	assert_int_equal(r.version_min, 1);
	assert_int_equal(r.data_len, 0x123);
	assert_int_equal(r.isid, UINT64_C(0x00023d010203));
	assert_int_equal(r.tsih, 0x1234);
	assert_int_equal(r.itt, 0x11223344);
	assert_int_equal(r.cid, 7);
	assert_int_equal(r.cmdsn, 0x01020304);
	assert_int_equal(r.expstatsn, 0x05060708);
}

static bool login(uint8_t flags)
{
	const uint8_t bhs[48] = { 0x43, flags };
	struct login_req r;

	return login_req_decode(bhs, &r);
}

static void login_refuses_transit_with_continue(void **state)
{
	(void)state;
	assert_false(login(0xc1));      /* T, C, 0 -> 1 */
	assert_true(login(0x81));
	assert_true(login(0x40));
}

static void login_moves_from_0_to_1_from_0_to_3_and_from_1_to_3(void **state)
{
	(void)state;
	for (uint8_t csg = 0; csg < 4; csg++) {
		for (uint8_t nsg = 0; nsg < 4; nsg++) {
			bool right = (csg == 0 && nsg == 1) || (csg < 2 && nsg == 3);
			assert_int_equal(login((uint8_t)(0x80 | csg << 2 | nsg)), right);
		}
	}
}

static void login_is_never_in_stage_2_or_3(void **state)
{
	(void)state;
	assert_true(login(0 << 2));
	assert_true(login(1 << 2));
	assert_false(login(2 << 2));
	assert_false(login(3 << 2));
}

static void login_ignores_the_next_stage_without_transit(void **state)
{
	(void)state;
	const uint8_t bhs[48] = { 0x43, 0x01 << 2 | 0x02 };
	struct login_req r;
	assert_true(login_req_decode(bhs, &r));
	assert_int_equal(r.nsg, 0);
}

static void login_refuses_an_ahs(void **state)
{
	(void)state;
	const uint8_t bhs[48] = { 0x43, 0x87, [4] = 1 };
	struct login_req r;
	assert_false(login_req_decode(bhs, &r));
}

static void a_refused_login_is_decoded_all_the_same(void **state)
{
	(void)state;
	const uint8_t bhs[48] = { 0x43, 0xcf, [13] = 9, [16] = 1, 2, 3, 4 };
	struct login_req r;
	assert_false(login_req_decode(bhs, &r));
	assert_int_equal(r.itt, 0x01020304);
	assert_int_equal(r.isid, 9);
}

/* --- the other requests --------------------------------------------------------------------- */

static const uint8_t numbered[48] = {
	0x00, 0x80, 0,    0,    0,    0x00, 0x01, 0x00,
	0x00, 0x03, 0,    0,    0,    0,    0,    0,
	0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
	0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28,
	0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38,
};

static void text_request_is_decoded(void **state)
{
	(void)state;
	struct text_req r;
	assert_true(text_req_decode(numbered, &r));
	assert_true(r.final);
	assert_false(r.cont || r.immediate);
	assert_int_equal(r.data_len, 256);
	assert_int_equal(r.lun, UINT64_C(0x0003000000000000));
	assert_int_equal(r.itt, 0x11223344);
	assert_int_equal(r.ttt, 0x55667788);
	assert_int_equal(r.cmdsn, 0x01020304);
	assert_int_equal(r.expstatsn, 0x05060708);
}

static void text_request_refuses_final_with_continue(void **state)
{
	(void)state;
	const uint8_t both[48] = { 0x04, 0xc0 }, cont[48] = { 0x04, 0x40 }, open[48] = { 0x04 };
	struct text_req r;
	assert_false(text_req_decode(both, &r));
	assert_true(text_req_decode(cont, &r));
	assert_true(text_req_decode(open, &r));
}

static void nop_out_is_decoded(void **state)
{
	(void)state;
	struct nop_out r;
	assert_true(nop_out_decode(numbered, &r));
	assert_int_equal(r.data_len, 256);
	assert_int_equal(r.lun, UINT64_C(0x0003000000000000));
	assert_int_equal(r.itt, 0x11223344);
	assert_int_equal(r.ttt, 0x55667788);
	assert_int_equal(r.cmdsn, 0x01020304);
	assert_int_equal(r.expstatsn, 0x05060708);
}

static void nop_out_without_tag_must_be_immediate(void **state)
{
	(void)state;
	uint8_t bhs[48] = { 0x40, 0x80, [16] = 0xff, 0xff, 0xff, 0xff };
	struct nop_out r;
	assert_true(nop_out_decode(bhs, &r));
	assert_true(r.immediate);
	bhs[0] = 0x00;
	assert_false(nop_out_decode(bhs, &r)); /* 11.18.1 */
}

static void task_management_request_is_decoded(void **state)
{
	(void)state;
	uint8_t bhs[48];
	memcpy(bhs, numbered, 48);
	bhs[0] = 0x42;
	bhs[1] = 0x80 | TMF_LUN_RESET;
	struct tmf_req r;
	assert_true(tmf_req_decode(bhs, &r));
	assert_true(r.immediate);
	assert_int_equal(r.function, TMF_LUN_RESET);
	assert_int_equal(r.lun, UINT64_C(0x0003000000000000));
	assert_int_equal(r.itt, 0x11223344);
	assert_int_equal(r.rtt, 0x55667788);
	assert_int_equal(r.cmdsn, 0x01020304);
	assert_int_equal(r.expstatsn, 0x05060708);
	assert_int_equal(r.refcmdsn, 0x21222324);
	assert_int_equal(r.expdatasn, 0x25262728);
}

static void logout_request_is_decoded(void **state)
{
	(void)state;
	uint8_t bhs[48];
	memcpy(bhs, numbered, 48);
	bhs[1] = 0x80 | LOGOUT_CONNECTION;
	struct logout_req r;
	assert_true(logout_req_decode(bhs, &r));
	assert_int_equal(r.reason, LOGOUT_CONNECTION);
	assert_int_equal(r.cid, 0x5566);
	assert_int_equal(r.itt, 0x11223344);
	assert_int_equal(r.cmdsn, 0x01020304);
	assert_int_equal(r.expstatsn, 0x05060708);
}

static void logout_request_refuses_reasons_that_are_none(void **state)
{
	(void)state;
	for (unsigned reason = 0; reason < 0x80; reason++) {
		const uint8_t bhs[48] = { 0x06, (uint8_t)(0x80 | reason) };
		struct logout_req r;
		assert_int_equal(logout_req_decode(bhs, &r), reason <= 2);
	}
}

static void requests_refuse_the_reserved_tag(void **state)
{
	(void)state;
	const uint8_t bhs[48] = { 0x40, 0x80, [16] = 0xff, 0xff, 0xff, 0xff };
	struct text_req text;
	struct tmf_req tmf;
	struct logout_req logout;
	assert_false(text_req_decode(bhs, &text));
	assert_false(tmf_req_decode(bhs, &tmf));
	assert_false(logout_req_decode(bhs, &logout));
}

/* --- additional header segments, 11.2.2 ----------------------------------------------------- */

/* From a block of exactly that many bytes, so that ASan sees the first one too many. */
static bool ahs(const uint8_t *bytes, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct ahs a;

	assert_non_null(exact);
	memcpy(exact, bytes, len);
	bool ok = ahs_decode(exact, len, &a);
	free(exact);
	return ok;
}
#define AHS(...) ahs((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void no_ahs_is_an_empty_one(void **state)
{
	(void)state;
	struct ahs a;
	assert_true(ahs_decode(NULL, 0, &a));
	assert_null(a.cdb_rest);
	assert_false(a.bidi);
}

static void extended_cdb_gives_the_bytes_from_the_17th_on(void **state)
{
	(void)state;
	const uint8_t bytes[20] = { 0, 17, 1, 0, [4] = 0xa0, [19] = 0xaf }; /* CDB of 32 bytes */
	struct ahs a;
	assert_true(ahs_decode(bytes, sizeof(bytes), &a));
	assert_int_equal(a.cdb_rest_len, 16);
	assert_int_equal(a.cdb_rest[0], 0xa0);
	assert_int_equal(a.cdb_rest[15], 0xaf);
}

static void bidirectional_read_length_is_decoded(void **state)
{
	(void)state;
	const uint8_t bytes[8] = { 0, 5, 2, 0, 0x00, 0x01, 0x02, 0x03 };
	struct ahs a;
	assert_true(ahs_decode(bytes, sizeof(bytes), &a));
	assert_true(a.bidi);
	assert_int_equal(a.bidi_read, 0x010203);
}

static void both_kinds_may_come_in_either_order(void **state)
{
	(void)state;
	const uint8_t bidi_first[16] = { 0, 5, 2, 0, 0, 0, 2, 0, 0, 3, 1, 0, 0xa0, 0xa1 };
	const uint8_t cdb_first[16] = { 0, 3, 1, 0, 0xa0, 0xa1, 0, 0, 0, 5, 2, 0, 0, 0, 2, 0 };
	const uint8_t *both[] = { bidi_first, cdb_first };
	for (int i = 0; i < 2; i++) {
		struct ahs a;
		assert_true(ahs_decode(both[i], 16, &a));
		assert_int_equal(a.cdb_rest_len, 2);
		assert_memory_equal(a.cdb_rest, "\xa0\xa1", 2);
		assert_int_equal(a.bidi_read, 512);
	}
}

static void an_ahs_that_leaves_its_segment_is_refused(void **state)
{
	(void)state;
	assert_false(AHS(0, 6, 1, 0, 0xa0, 0xa1, 0xa2, 0xa3));  /* its data */
	assert_false(AHS(0, 18, 1, 0, 0xa0, 0, 0, 0));
	assert_false(AHS(0xff, 0xff, 1, 0));
	assert_false(AHS(0, 2, 1, 0, 0xa0));                    /* its padding */
	assert_false(AHS(0, 5));                                /* its head */
}

static void an_extended_cdb_of_no_bytes_is_refused(void **state)
{
	(void)state;
	assert_false(AHS(0, 0, 1, 0));
	assert_false(AHS(0, 1, 1, 0));
	assert_true(AHS(0, 2, 1, 0, 0xa0, 0, 0, 0));
}

static void a_bidirectional_read_length_of_another_size_is_refused(void **state)
{
	(void)state;
	assert_false(AHS(0, 4, 2, 0, 0, 0, 0, 0));
	assert_false(AHS(0, 6, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0));
}

static void an_ahs_type_that_comes_twice_is_refused(void **state)
{
	(void)state;
	assert_false(AHS(0, 5, 2, 0, 0, 0, 2, 0, 0, 5, 2, 0, 0, 0, 2, 0));
	assert_false(AHS(0, 2, 1, 0, 0xa0, 0, 0, 0, 0, 2, 1, 0, 0xa0, 0, 0, 0));
}

static void unknown_ahs_types_are_refused(void **state)
{
	(void)state;
	assert_false(AHS(0, 5, 0, 0, 0, 0, 0, 0));
	assert_false(AHS(0, 5, 3, 0, 0, 0, 0, 0));
	assert_false(AHS(0, 5, 60, 0, 0, 0, 0, 0));
}

/* --- responses ------------------------------------------------------------------------------ */

static const struct sn sn = { .statsn = 0x01020304, .expcmdsn = 0x05060708, .maxcmdsn = 0x090a0b0c };
/* Starts from noise, so that a byte that is not written shows. */
#define ASSERT_ENCODES(encode, value, ...) \
	do { \
		uint8_t bhs_[48]; \
		const uint8_t want_[48] = __VA_ARGS__; \
		memset(bhs_, 0xee, sizeof(bhs_)); \
		encode(bhs_, value); \
		assert_memory_equal(bhs_, want_, 48); \
	} while (0)
#define SN_BYTES [24] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
#define ITT_BYTES [16] = 0x11, 0x22, 0x33, 0x44
#define TTT_BYTES [20] = 0x55, 0x66, 0x77, 0x88
#define LUN_BYTES [8] = 0, 3

static void scsi_response_is_encoded(void **state)
{
	(void)state;
	const struct scsi_rsp r = { .flags = RSP_UNDERFLOW, .status = 0x02, .data_len = 20,
		.itt = 0x11223344, .sn = sn, .expdatasn = 4, .bidi_residual = 5, .residual = 0x200 };
	ASSERT_ENCODES(scsi_rsp_encode, &r,
		{ 0x21, 0x82, 0, 2, 0, 0, 0, 20, ITT_BYTES, SN_BYTES, [39] = 4, [43] = 5, [46] = 2 });
}

static void scsi_response_tells_a_target_failure(void **state)
{
	(void)state;
	const struct scsi_rsp r = { .response = RESPONSE_TARGET_FAILURE, .itt = 0x11223344, .sn = sn };
	ASSERT_ENCODES(scsi_rsp_encode, &r, { 0x21, 0x80, 1, 0, ITT_BYTES, SN_BYTES });
}

static void data_in_is_encoded(void **state)
{
	(void)state;
	const struct data_in d = { .flags = DATA_IN_ACK, .data_len = 0x010203,
		.lun = UINT64_C(0x0003000000000000), .itt = 0x11223344, .ttt = 0x55667788, .sn = sn,
		.datasn = 7, .offset = 0x10000 };
	ASSERT_ENCODES(data_in_encode, &d, { 0x25, 0x40, 0, 0, 0, 1, 2, 3, LUN_BYTES, ITT_BYTES,
		TTT_BYTES, SN_BYTES, [39] = 7, [41] = 1 });
}

static void data_in_carries_status_and_residual(void **state)
{
	(void)state;
	const struct data_in d = { .flags = DATA_IN_FINAL | DATA_IN_STATUS | DATA_IN_UNDERFLOW,
		.status = 0x08, .data_len = 512, .itt = 0x11223344, .ttt = TAG_NONE, .sn = sn,
		.residual = 0x600 };
	ASSERT_ENCODES(data_in_encode, &d, { 0x25, 0x83, 0, 8, 0, 0, 2, 0, ITT_BYTES,
		0xff, 0xff, 0xff, 0xff, SN_BYTES, [46] = 6 });
}

static void r2t_is_encoded(void **state)
{
	(void)state;
	const struct r2t r = { .lun = UINT64_C(0x0003000000000000), .itt = 0x11223344,
		.ttt = 0x55667788, .sn = sn, .r2tsn = 1, .offset = 0x10000, .len = 0x20000 };
	ASSERT_ENCODES(r2t_encode, &r, { 0x31, 0x80, LUN_BYTES, ITT_BYTES, TTT_BYTES, SN_BYTES,
		[39] = 1, [41] = 1, [45] = 2 });
}

static void login_response_is_encoded(void **state)
{
	(void)state;
	const struct login_rsp r = { .transit = true, .csg = STAGE_OPERATIONAL,
		.nsg = STAGE_FULL_FEATURE, .data_len = 100, .isid = UINT64_C(0x00023d010203),
		.tsih = 0x1234, .itt = 0x11223344, .sn = sn, .status = LOGIN_SUCCESS };
	ASSERT_ENCODES(login_rsp_encode, &r, { 0x23, 0x87, 0, 0, 0, 0, 0, 100, 0x00, 0x02, 0x3d, 1,
		2, 3, 0x12, 0x34, ITT_BYTES, SN_BYTES });
}

static void login_response_tells_class_and_detail(void **state)
{
	(void)state;
	const struct login_rsp r = { .cont = true, .itt = 0x11223344, .sn = sn,
		.status = LOGIN_INVALID_REQUEST };
	ASSERT_ENCODES(login_rsp_encode, &r,
		{ 0x23, 0x40, ITT_BYTES, SN_BYTES, [36] = 0x02, 0x0b });
}

static void text_response_is_encoded(void **state)
{
	(void)state;
	const struct text_rsp open = { .cont = true, .data_len = 512,
		.lun = UINT64_C(0x0003000000000000), .itt = 0x11223344, .ttt = 0x55667788, .sn = sn };
	const struct text_rsp last = { .final = true, .itt = 0x11223344, .ttt = TAG_NONE, .sn = sn };
	ASSERT_ENCODES(text_rsp_encode, &open, { 0x24, 0x40, 0, 0, 0, 0, 2, 0, LUN_BYTES, ITT_BYTES,
		TTT_BYTES, SN_BYTES });
	ASSERT_ENCODES(text_rsp_encode, &last,
		{ 0x24, 0x80, ITT_BYTES, 0xff, 0xff, 0xff, 0xff, SN_BYTES });
}

static void nop_in_is_encoded(void **state)
{
	(void)state;
	const struct nop_in n = { .data_len = 4, .lun = UINT64_C(0x0003000000000000),
		.itt = 0x11223344, .ttt = 0x55667788, .sn = sn };
	ASSERT_ENCODES(nop_in_encode, &n, { 0x20, 0x80, 0, 0, 0, 0, 0, 4, LUN_BYTES, ITT_BYTES,
		TTT_BYTES, SN_BYTES });
}

static void task_management_response_is_encoded(void **state)
{
	(void)state;
	const struct tmf_rsp r = { .response = TMF_REJECTED, .itt = 0x11223344, .sn = sn };
	ASSERT_ENCODES(tmf_rsp_encode, &r, { 0x22, 0x80, 0xff, 0, ITT_BYTES, SN_BYTES });
}

static void logout_response_is_encoded(void **state)
{
	(void)state;
	const struct logout_rsp r = { .response = LOGOUT_NO_CID, .itt = 0x11223344, .sn = sn,
		.time2wait = 2, .time2retain = 0x0114 };
	ASSERT_ENCODES(logout_rsp_encode, &r,
		{ 0x26, 0x80, 1, 0, ITT_BYTES, SN_BYTES, [41] = 2, 0x01, 0x14 });
}

static void reject_is_encoded(void **state)
{
	(void)state;
	const struct reject r = { .reason = REJECT_PROTOCOL_ERROR, .data_len = 48, .sn = sn,
		.datasn = 9 };
	ASSERT_ENCODES(reject_encode, &r, { 0x3f, 0x80, 4, 0, 0, 0, 0, 48,
		[16] = 0xff, 0xff, 0xff, 0xff, SN_BYTES, [39] = 9 });
}

static void asynchronous_message_is_encoded(void **state)
{
	(void)state;
	const struct async_msg m = { .event = ASYNC_CONNECTION_DROP, .vendor_code = 6, .param1 = 0x0102,
		.param2 = 0x0304, .param3 = 0x0506, .lun = UINT64_C(0x0003000000000000), .sn = sn };
	ASSERT_ENCODES(async_msg_encode, &m, { 0x32, 0x80, LUN_BYTES, [16] = 0xff, 0xff, 0xff, 0xff,
		SN_BYTES, [36] = 2, 6, 1, 2, 3, 4, 5, 6 });
}

static void login_statuses_have_class_detail_and_text(void **state)
{
	(void)state;
	assert_int_equal(LOGIN_AUTH_FAILED, 0x0201);
	assert_int_equal(LOGIN_OUT_OF_RESOURCES, 0x0302);
	assert_string_equal(login_status_text(LOGIN_NO_TARGET), "target not found");
	assert_string_equal(login_status_text((enum login_status)0x0999), "unknown status");
}

/* clang-format on */

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_opcode_has_a_name),
		cmocka_unit_test(scsi_command_is_decoded),
		cmocka_unit_test(scsi_command_that_moves_no_data_is_fine),
		cmocka_unit_test(scsi_command_refuses_not_final_without_write),
		cmocka_unit_test(scsi_command_refuses_data_without_write),
		cmocka_unit_test(scsi_command_refuses_to_expect_data_in_no_direction),
		cmocka_unit_test(scsi_command_refuses_more_data_than_it_expects_to_move),
		cmocka_unit_test(scsi_command_with_all_its_data_must_be_final),
		cmocka_unit_test(scsi_command_refuses_the_reserved_tag),
		cmocka_unit_test(data_out_is_decoded),
		cmocka_unit_test(data_out_refuses_to_go_beyond_32_bits),
		cmocka_unit_test(data_out_refuses_the_reserved_tag),
		cmocka_unit_test(login_request_is_decoded),
		cmocka_unit_test(login_refuses_transit_with_continue),
		cmocka_unit_test(login_moves_from_0_to_1_from_0_to_3_and_from_1_to_3),
		cmocka_unit_test(login_is_never_in_stage_2_or_3),
		cmocka_unit_test(login_ignores_the_next_stage_without_transit),
		cmocka_unit_test(login_refuses_an_ahs),
		cmocka_unit_test(a_refused_login_is_decoded_all_the_same),
		cmocka_unit_test(text_request_is_decoded),
		cmocka_unit_test(text_request_refuses_final_with_continue),
		cmocka_unit_test(nop_out_is_decoded),
		cmocka_unit_test(nop_out_without_tag_must_be_immediate),
		cmocka_unit_test(task_management_request_is_decoded),
		cmocka_unit_test(logout_request_is_decoded),
		cmocka_unit_test(logout_request_refuses_reasons_that_are_none),
		cmocka_unit_test(requests_refuse_the_reserved_tag),
		cmocka_unit_test(no_ahs_is_an_empty_one),
		cmocka_unit_test(extended_cdb_gives_the_bytes_from_the_17th_on),
		cmocka_unit_test(bidirectional_read_length_is_decoded),
		cmocka_unit_test(both_kinds_may_come_in_either_order),
		cmocka_unit_test(an_ahs_that_leaves_its_segment_is_refused),
		cmocka_unit_test(an_extended_cdb_of_no_bytes_is_refused),
		cmocka_unit_test(a_bidirectional_read_length_of_another_size_is_refused),
		cmocka_unit_test(an_ahs_type_that_comes_twice_is_refused),
		cmocka_unit_test(unknown_ahs_types_are_refused),
		cmocka_unit_test(scsi_response_is_encoded),
		cmocka_unit_test(scsi_response_tells_a_target_failure),
		cmocka_unit_test(data_in_is_encoded),
		cmocka_unit_test(data_in_carries_status_and_residual),
		cmocka_unit_test(r2t_is_encoded),
		cmocka_unit_test(login_response_is_encoded),
		cmocka_unit_test(login_response_tells_class_and_detail),
		cmocka_unit_test(text_response_is_encoded),
		cmocka_unit_test(nop_in_is_encoded),
		cmocka_unit_test(task_management_response_is_encoded),
		cmocka_unit_test(logout_response_is_encoded),
		cmocka_unit_test(reject_is_encoded),
		cmocka_unit_test(asynchronous_message_is_encoded),
		cmocka_unit_test(login_statuses_have_class_detail_and_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
