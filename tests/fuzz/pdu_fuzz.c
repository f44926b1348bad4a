/* SPDX-License-Identifier: BSD-2-Clause */
/* Header segments: 48 bytes of BHS through every decoder, what follows as its AHS. */
#include "iscsi/pdu.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void decode_data_path(const uint8_t *bhs)
{
	struct scsi_cmd cmd;
	struct data_out data;

	if (scsi_cmd_decode(bhs, &cmd)) {
		must(cmd.itt != TAG_NONE && (cmd.final || cmd.write));
		must(cmd.write ? cmd.data_len <= cmd.expect : !cmd.data_len);
	}
	if (data_out_decode(bhs, &data))
		must(data.offset + data.data_len >= data.offset);
}

static void decode_others(const uint8_t *bhs)
{
	struct login_req login;
	struct text_req text;
	struct nop_out nop;
	struct tmf_req tmf;
	struct logout_req logout;

	if (login_req_decode(bhs, &login)) {
		must(login.csg <= STAGE_OPERATIONAL && !(login.transit && login.cont));
		must(!login.transit || (login.nsg > login.csg && login.nsg != 2));
	}
	if (text_req_decode(bhs, &text))
		must(text.itt != TAG_NONE && !(text.final && text.cont));
	if (nop_out_decode(bhs, &nop))
		must(nop.immediate || nop.itt != TAG_NONE);
	if (tmf_req_decode(bhs, &tmf))
		must(tmf.itt != TAG_NONE && tmf.function < 0x80);
	if (logout_req_decode(bhs, &logout))
		must(logout.reason <= LOGOUT_RECOVERY);
}

static void decode_ahs(const uint8_t *p, size_t len)
{
	struct ahs ahs;
	volatile uint8_t sink = 0;

	if (!ahs_decode(p, len, &ahs) || !ahs.cdb_rest)
		return;
	must(ahs.cdb_rest_len && ahs.cdb_rest >= p + 4);
	must(ahs.cdb_rest + ahs.cdb_rest_len <= p + len);
	for (size_t i = 0; i < ahs.cdb_rest_len; i++)
		sink = (uint8_t)(sink ^ ahs.cdb_rest[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < BHS_SIZE)
		return 0;
	must(opcode_name(data[0] & BHS_OPCODE) != NULL);
	decode_data_path(data);
	decode_others(data);
	decode_ahs(data + BHS_SIZE, size - BHS_SIZE);
	return 0;
}
