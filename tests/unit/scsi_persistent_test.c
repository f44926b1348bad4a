/* SPDX-License-Identifier: BSD-2-Clause */
/* PERSISTENT RESERVE IN and OUT as commands: lists, access, attentions, what is kept. */
#include <errno.h>
#include <stdio.h>

#include "tests/unit/scsi_support.h"

#define PR_IN(sa, alloc)       0x5e, sa, 0, 0, 0, 0, 0, BE2(alloc), 0
#define PR_OUT(sa, type, len)  0x5f, sa, type, 0, 0, BE4(len), 0
#define LIST(key, next, flags) BE8(key), BE8(next), BE4(0), flags, 0, 0, 0
#define BYTES(...)             ((const uint8_t[]){ __VA_ARGS__ })

/* Runs an action with the basic list through nexus i. */
#define OUT(r, i, sa, type, key, next, flags) \
	RUN(r, i, BYTES(LIST(key, next, flags)), 24, PR_OUT(sa, type, 24))

enum { REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_ABORT, REGISTER_ANYHOW, MOVE };
enum { WE = 1, EA = 3, WERO = 5, EARO = 6, WEAR = 7, EAAR = 8 };

/* The TransportIDs of the rig's nexuses. */
#define NAME0  "iqn.2026-11.com.example:host1,i,0x00023d000000"
#define NAME1  "iqn.2026-11.com.example:host2,i,0x00023d000001"
#define ID_LEN 52u

static size_t put_id(uint8_t *p, const char *name)
{
	memset(p, 0, ID_LEN);
	p[0] = 0x45;
	put_be16(p + 2, ID_LEN - 4);
	memcpy(p + 4, name, strlen(name));
	return ID_LEN;
}

static const uint8_t block[512];

static void assert_conflict(struct result res)
{
	assert_int_equal(res.status, SCSI_RESERVATION_CONFLICT);
}

static void keys_are_read_with_their_whole_length(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_int_equal(RUN(r, 0, NULL, 8192, PR_IN(0, 8192)).in_len, 8);
	assert_good(OUT(r, 0, REGISTER, 0, 0, 0x1122334455667788, 0));
	assert_good(OUT(r, 1, REGISTER_ANYHOW, 0, 0x99, 0xb, 0));
	assert_int_equal(RUN(r, 0, NULL, 8192, PR_IN(0, 8192)).in_len, 24);
	assert_memory_equal(rig_in, BYTES(BE4(2), BE4(16), BE8(0x1122334455667788), BE8(0xb)), 24);
	assert_int_equal(RUN(r, 0, NULL, 8192, PR_IN(0, 8)).in_len, 8);
	assert_int_equal(be32(rig_in + 4), 16);
	rig_free(r);
}

static void the_reservation_is_read(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_good(OUT(r, 0, REGISTER, 0, 0, 0xa, 0));
	assert_int_equal(RUN(r, 1, NULL, 64, PR_IN(1, 64)).in_len, 8);
	assert_good(OUT(r, 0, RESERVE, EA, 0xa, 0, 0));
	assert_int_equal(RUN(r, 1, NULL, 64, PR_IN(1, 64)).in_len, 24);
	assert_memory_equal(rig_in, BYTES(BE4(1), BE4(16), BE8(0xa), BE4(0), 0, EA, 0, 0), 24);
	assert_good(OUT(r, 0, RELEASE, EA, 0xa, 0, 0));
	assert_good(OUT(r, 0, RESERVE, EAAR, 0xa, 0, 0));
	RUN(r, 1, NULL, 64, PR_IN(1, 64));
	assert_int_equal(be64(rig_in + 8), 0);
	rig_free(r);
}

static void the_full_status_names_the_ports(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	uint8_t id[ID_LEN];

	(void)state;
	assert_good(OUT(r, 0, REGISTER, 0, 0, 0xa, 0));
	assert_good(OUT(r, 0, RESERVE, WE, 0xa, 0, 0));
	assert_int_equal(RUN(r, 0, NULL, 512, PR_IN(3, 512)).in_len, 8 + 24 + ID_LEN);
	assert_memory_equal(
		rig_in + 8, BYTES(BE8(0xa), BE4(0), 1, WE, 0, 0, 0, 0, BE2(1), BE4(ID_LEN)), 24);
	put_id(id, NAME0);
	assert_memory_equal(rig_in + 32, id, ID_LEN);
	rig_free(r);
}

static void capabilities_tell_all_types(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_int_equal(RUN(r, 0, NULL, 64, PR_IN(2, 64)).in_len, 8);
	assert_memory_equal(rig_in, BYTES(0, 8, 0x0c, 0xb0, 0xea, 0x01, 0, 0), 8);
	rig_free(r);
}

static void other_service_actions_are_refused(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	for (uint8_t sa = 4; sa < 0x20; sa++)
		assert_bad_cdb(RUN(r, 0, NULL, 64, PR_IN(sa, 64)), 1);
	assert_bad_cdb(OUT(r, 0, 8, 0, 0, 0, 0), 1);
	rig_free(r);
}

/* Through the gate: what a WRITE EXCLUSIVE and an EXCLUSIVE ACCESS of another let pass. */
static void types_keep_commands_out(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_good(OUT(r, 0, REGISTER, 0, 0, 0xa, 0));
	assert_good(OUT(r, 0, RESERVE, WE, 0xa, 0, 0));
	assert_good(RUN(r, 0, block, 512, WRITE10(0, 1)));
	assert_good(RUN(r, 1, NULL, 512, READ10(0, 1)));
	assert_good(RUN(r, 1, NULL, 255, 0x1a, 0, 0x3f, 0, 255, 0));
	assert_conflict(RUN(r, 1, block, 512, WRITE10(0, 1)));
	assert_conflict(RUN(r, 1, NULL, 0, 0x35, 0, BE4(0), 0, BE2(0), 0));
	assert_good(OUT(r, 0, RELEASE, WE, 0xa, 0, 0));
	assert_good(RUN(r, 1, block, 512, WRITE10(0, 1)));
	assert_good(OUT(r, 0, RESERVE, EA, 0xa, 0, 0));
	assert_conflict(RUN(r, 1, NULL, 512, READ10(0, 1)));
	assert_good(RUN(r, 1, NULL, 0, TUR));
	assert_good(RUN(r, 1, NULL, 8, 0x25, 0, BE4(0), 0, 0, 0, 0));
	assert_good(RUN(r, 1, NULL, 96, 0x12, 0, 0, BE2(96), 0));
	rig_free(r);
}

static void registering_lets_in_where_the_type_says_so(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_good(OUT(r, 0, REGISTER, 0, 0, 0xa, 0));
	assert_good(OUT(r, 0, RESERVE, EARO, 0xa, 0, 0));
	assert_conflict(RUN(r, 1, NULL, 512, READ10(0, 1)));
	assert_good(OUT(r, 1, REGISTER, 0, 0, 0xb, 0));
	assert_good(RUN(r, 1, block, 512, WRITE10(0, 1)));
	assert_good(OUT(r, 1, REGISTER, 0, 0xb, 0, 0));
	assert_conflict(RUN(r, 1, block, 512, WRITE10(0, 1)));
	rig_free(r);
}

static void a_registration_outlives_its_nexus(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_good(OUT(r, 0, REGISTER, 0, 0, 0xa, 0));
	assert_good(OUT(r, 0, RESERVE, EA, 0xa, 0, 0));
	rig_nexus_close(r, 0);
	assert_conflict(RUN(r, 1, NULL, 512, READ10(0, 1)));
	rig_nexus_open(r, 0);
	assert_check(RUN(r, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2900);
	assert_good(RUN(r, 0, block, 512, WRITE10(0, 1)));
	rig_free(r);
}

static void whom_it_concerns_is_told_once(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_good(OUT(r, 0, REGISTER, 0, 0, 0xa, 0));
	assert_good(OUT(r, 1, REGISTER, 0, 0, 0xb, 0));
	assert_good(OUT(r, 0, RESERVE, WERO, 0xa, 0, 0));
	assert_good(OUT(r, 0, RELEASE, WERO, 0xa, 0, 0));
	assert_check(RUN(r, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a04);
	assert_good(OUT(r, 1, PREEMPT, EA, 0xb, 0xa, 0));
	assert_check(RUN(r, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a05);
	assert_good(OUT(r, 0, REGISTER, 0, 0, 0xa, 0));
	assert_good(OUT(r, 1, CLEAR, 0, 0xb, 0, 0));
	assert_check(RUN(r, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a03);
	assert_good(RUN(r, 0, NULL, 0, TUR));
	assert_good(RUN(r, 1, NULL, 0, TUR));
	rig_free(r);
}

static void reserve_and_persistent_reserve_exclude_each_other(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_good(RUN(r, 0, NULL, 0, 0x16, 0, 0, 0, 0, 0));
	assert_conflict(OUT(r, 0, REGISTER, 0, 0, 0xa, 0));
	assert_conflict(RUN(r, 0, NULL, 64, PR_IN(0, 64)));
	assert_good(RUN(r, 0, NULL, 0, 0x17, 0, 0, 0, 0, 0));
	assert_good(OUT(r, 0, REGISTER, 0, 0, 0xa, 0));
	assert_conflict(RUN(r, 0, NULL, 0, 0x16, 0, 0, 0, 0, 0));
	assert_conflict(RUN(r, 1, NULL, 0, 0x17, 0, 0, 0, 0, 0));
	rig_free(r);
}

static void the_type_and_scope_are_checked(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_bad_cdb(OUT(r, 0, RESERVE, 0, 0, 0, 0), 2);
	assert_bad_cdb(OUT(r, 0, RESERVE, 2, 0, 0, 0), 2);
	assert_bad_cdb(OUT(r, 0, RESERVE, 9, 0, 0, 0), 2);
	assert_bad_cdb(OUT(r, 0, PREEMPT, 0x11, 0, 0, 0), 2);
	rig_free(r);
}

static void an_invalid_release_has_its_own_code(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_good(OUT(r, 0, REGISTER, 0, 0, 0xa, 0));
	assert_good(OUT(r, 0, RESERVE, WE, 0xa, 0, 0));
	assert_check(OUT(r, 0, RELEASE, EA, 0xa, 0, 0), SENSE_ILLEGAL_REQUEST, 0x2604);
	assert_bad_list(OUT(r, 0, PREEMPT, EA, 0xa, 0, 0), 8);
	rig_free(r);
}

/* Cut anywhere, or longer than it says, a list is of the wrong length; nothing is registered. */
static void lists_of_the_wrong_length_are_refused(void **state)
{
	static const uint8_t list[28] = { LIST(0, 0xa, 0) };
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	for (uint32_t len = 0; len < 24; len++) {
		assert_check(RUN(r, 0, list, len, PR_OUT(REGISTER, 0, len)), SENSE_ILLEGAL_REQUEST,
			0x1a00);
		assert_check(RUN(r, 0, list, len, PR_OUT(REGISTER, 0, 24)), SENSE_ILLEGAL_REQUEST,
			0x1a00);
	}
	assert_check(RUN(r, 0, list, 28, PR_OUT(REGISTER, 0, 28)), SENSE_ILLEGAL_REQUEST, 0x1a00);
	assert_check(RUN(r, 0, list, 24, PR_OUT(REGISTER, 0, 0x7fffffff)), SENSE_ILLEGAL_REQUEST,
		0x1a00);
	RUN(r, 0, NULL, 64, PR_IN(0, 64));
	assert_int_equal(be32(rig_in + 4), 0);
	rig_free(r);
}

/* --- SPEC_I_PT, ALL_TG_PT, REGISTER AND MOVE ------------------------------------------- */

static size_t spec_list(uint8_t *list, uint64_t next, const char *name)
{
	memcpy(list, BYTES(LIST(0, next, 0x08)), 24);
	put_be32(list + 24, ID_LEN);
	return 28 + put_id(list + 28, name);
}

static void others_are_registered_by_their_transport_id(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	uint8_t list[256];
	uint32_t len = (uint32_t)spec_list(list, 0xa, NAME1);

	(void)state;
	assert_good(RUN(r, 0, list, len, PR_OUT(REGISTER, 0, len)));
	RUN(r, 0, NULL, 64, PR_IN(0, 64));
	assert_int_equal(be32(rig_in + 4), 16);
	assert_good(OUT(r, 1, RESERVE, EA, 0xa, 0, 0));
	rig_free(r);
}

static void a_device_name_stands_for_its_ports_that_are_here(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	uint8_t list[256];
	uint32_t len = (uint32_t)spec_list(list, 0xa, "iqn.2026-11.COM.example:host2");

	(void)state;
	list[28] = 0x05;
	assert_good(RUN(r, 0, list, len, PR_OUT(REGISTER, 0, len)));
	assert_good(OUT(r, 1, RESERVE, EA, 0xa, 0, 0));
	assert_good(OUT(r, 1, CLEAR, 0, 0xa, 0, 0));
	assert_check(RUN(r, 0, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a03);
	len = (uint32_t)spec_list(list, 0xa, "iqn.2026-11.com.example:nobody");
	list[28] = 0x05;
	assert_bad_list(RUN(r, 0, list, len, PR_OUT(REGISTER, 0, len)), 28);
	rig_free(r);
}

static void transport_ids_that_are_wrong_are_pointed_at(void **state)
{
	static const char *const names[] = { "iqn.x,i,0x00023d00000", "iqn.x,i,0x00023d00000g",
		",i,0x00023d000000", "" };
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	uint8_t list[256];
	uint32_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		len = (uint32_t)spec_list(list, 0xa, names[i]);
		assert_bad_list(RUN(r, 0, list, len, PR_OUT(REGISTER, 0, len)), 28);
	}
	len = (uint32_t)spec_list(list, 0xa, NAME1);
	list[28] = 0x46; /* SAS */
	assert_bad_list(RUN(r, 0, list, len, PR_OUT(REGISTER, 0, len)), 28);
	len = (uint32_t)spec_list(list, 0xa, NAME1);
	memset(list + 32, 'x', ID_LEN - 4); /* no NUL */
	assert_bad_list(RUN(r, 0, list, len, PR_OUT(REGISTER, 0, len)), 28);
	len = (uint32_t)spec_list(list, 0xa, NAME1);
	put_be16(list + 30, 0xffff); /* longer than there is */
	assert_bad_list(RUN(r, 0, list, len, PR_OUT(REGISTER, 0, len)), 28);
	for (uint32_t cut = 25; cut < len; cut++)
		assert_check(RUN(r, 0, list, cut, PR_OUT(REGISTER, 0, cut)), SENSE_ILLEGAL_REQUEST,
			0x1a00);
	RUN(r, 0, NULL, 64, PR_IN(0, 64));
	assert_int_equal(be32(rig_in + 4), 0);
	rig_free(r);
}

static void who_is_registered_registers_nobody_else(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	uint8_t list[256];
	uint32_t len = (uint32_t)spec_list(list, 0xa, NAME1);

	(void)state;
	assert_bad_list(RUN(r, 0, list, len, PR_OUT(REGISTER_ANYHOW, 0, len)), 20);
	assert_good(OUT(r, 0, REGISTER, 0, 0, 0xa, 0));
	assert_conflict(RUN(r, 0, list, len, PR_OUT(REGISTER, 0, len)));
	put_be64(list, 0xa);
	assert_bad_list(RUN(r, 0, list, len, PR_OUT(REGISTER, 0, len)), 20);
	rig_free(r);
}

static void who_is_registered_is_registered_by_nobody_else(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	uint8_t list[256];
	uint32_t len = (uint32_t)spec_list(list, 0xa, NAME1);

	(void)state;
	assert_good(OUT(r, 1, REGISTER, 0, 0, 0xb, 0));
	assert_bad_list(RUN(r, 0, list, len, PR_OUT(REGISTER, 0, len)), 28);
	RUN(r, 0, NULL, 64, PR_IN(0, 64));
	assert_int_equal(be32(rig_in + 4), 8);
	assert_int_equal(be64(rig_in + 8), 0xb);
	rig_free(r);
}

static void all_target_ports_are_one_registrant(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_good(OUT(r, 0, REGISTER, 0, 0, 0xa, 0x04));
	RUN(r, 0, NULL, 512, PR_IN(3, 512));
	assert_int_equal(rig_in[8 + 12], 0x02);
	r->nexus[1].initiator = r->nexus[0].initiator; /* the same initiator port … */
	memcpy(r->nexus[1].isid, r->nexus[0].isid, 6);
	r->nexus[1].rel_port = 2; /* … through another target port */
	assert_good(OUT(r, 1, RESERVE, EA, 0xa, 0, 0));
	rig_free(r);
}

/* An initiator port that is registered through all target ports and acts through the first of
 * them. */
static struct rig *wide(void)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	r->nexus[1].initiator = r->nexus[0].initiator;
	memcpy(r->nexus[1].isid, r->nexus[0].isid, 6);
	r->nexus[1].rel_port = 2;
	assert_good(OUT(r, 0, REGISTER, 0, 0, 0xa, 0x04));
	assert_good(OUT(r, 0, RESERVE, EARO, 0xa, 0, 0));
	return r;
}

static void a_release_is_told_at_the_registrants_other_ports(void **state)
{
	struct rig *r = wide();

	(void)state;
	assert_good(OUT(r, 0, RELEASE, EARO, 0xa, 0, 0));
	assert_good(RUN(r, 0, NULL, 0, TUR));
	assert_check(RUN(r, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a04);
	assert_good(RUN(r, 1, NULL, 0, TUR));
	rig_free(r);
}

static void a_clear_is_told_at_the_registrants_other_ports(void **state)
{
	struct rig *r = wide();

	(void)state;
	assert_good(OUT(r, 0, CLEAR, 0, 0xa, 0, 0));
	assert_good(RUN(r, 0, NULL, 0, TUR));
	assert_check(RUN(r, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a03);
	assert_good(RUN(r, 1, NULL, 0, TUR));
	rig_free(r);
}

static void who_preempts_itself_tells_its_other_ports(void **state)
{
	struct rig *r = wide();

	(void)state;
	assert_good(OUT(r, 0, RELEASE, EARO, 0xa, 0, 0));
	assert_check(RUN(r, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a04);
	assert_good(OUT(r, 0, PREEMPT, EARO, 0xa, 0xa, 0));
	assert_good(RUN(r, 0, NULL, 0, TUR));
	assert_check(RUN(r, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a05);
	rig_free(r);
}

static size_t move_list(
	uint8_t *list, uint64_t key, uint64_t next, uint8_t flags, uint16_t port, const char *name)
{
	memcpy(list, BYTES(BE8(key), BE8(next), 0, flags, BE2(port), BE4(ID_LEN)), 24);
	return 24 + put_id(list + 24, name);
}

static void a_reservation_is_moved(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	uint8_t list[128];
	uint32_t len = (uint32_t)move_list(list, 0xa, 0xb, 0x02, 1, NAME1);

	(void)state;
	assert_conflict(RUN(r, 0, list, len, PR_OUT(MOVE, 0, len)));
	assert_good(OUT(r, 0, REGISTER, 0, 0, 0xa, 0));
	assert_bad_cdb(RUN(r, 0, list, len, PR_OUT(MOVE, 0, len)), 1); /* nothing is reserved */
	assert_good(OUT(r, 0, RESERVE, EA, 0xa, 0, 0));
	assert_good(RUN(r, 0, list, len, PR_OUT(MOVE, 0, len)));
	assert_good(RUN(r, 1, NULL, 512, READ10(0, 1)));
	assert_conflict(RUN(r, 0, NULL, 512, READ10(0, 1)));
	assert_conflict(OUT(r, 0, RELEASE, EA, 0xa, 0, 0));
	rig_free(r);
}

static void a_reservation_is_moved_to_a_port_that_nobody_is_at(void **state)
{
	static const struct lu_port ports[] = { { 1, "iqn.2026-11.com.example:disk" },
		{ 77, "iqn.2026-11.com.example:other" } };
	const struct lu_port_group group = { 1, LU_ACTIVE_OPTIMIZED, ports, 2 };
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	uint8_t list[128];
	uint32_t len = (uint32_t)move_list(list, 0xa, 0xb, 0, 77, NAME1);

	(void)state;
	assert_int_equal(lu_set_port_groups(r->lu, &group, 1), 0);
	assert_good(OUT(r, 0, REGISTER, 0, 0, 0xa, 0));
	assert_good(OUT(r, 0, RESERVE, EA, 0xa, 0, 0));
	assert_good(RUN(r, 0, list, len, PR_OUT(MOVE, 0, len)));
	assert_conflict(RUN(r, 0, NULL, 512, READ10(0, 1)));
	rig_free(r);
}

static void moving_is_checked(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });
	uint8_t list[128];
	uint32_t len = (uint32_t)move_list(list, 0xa, 0xb, 0, 1, NAME0);

	(void)state;
	assert_good(OUT(r, 0, REGISTER, 0, 0, 0xa, 0));
	assert_good(OUT(r, 0, RESERVE, EA, 0xa, 0, 0));
	assert_bad_list(RUN(r, 0, list, len, PR_OUT(MOVE, 0, len)), 24); /* to itself */
	move_list(list, 0xa, 0xb, 0, 2, NAME0);
	assert_bad_list(RUN(r, 0, list, len, PR_OUT(MOVE, 0, len)), 24); /* at any port */
	move_list(list, 0xa, 0xb, 0, 77, NAME1);
	assert_bad_list(RUN(r, 0, list, len, PR_OUT(MOVE, 0, len)), 18); /* no such port */
	move_list(list, 0xa, 0, 0, 1, NAME1);
	assert_bad_list(RUN(r, 0, list, len, PR_OUT(MOVE, 0, len)), 8); /* no key */
	move_list(list, 0xa, 0xb, 0, 1, "iqn.2026-11.com.example:host2");
	list[24] = 0x05; /* a device, and not one of its ports */
	assert_bad_list(RUN(r, 0, list, len, PR_OUT(MOVE, 0, len)), 24);
	move_list(list, 0xa, 0xb, 0, 1, NAME1);
	for (uint32_t cut = 24; cut < len; cut++)
		assert_check(
			RUN(r, 0, list, cut, PR_OUT(MOVE, 0, cut)), SENSE_ILLEGAL_REQUEST, 0x1a00);
	rig_free(r);
}

/* --- APTPL --------------------------------------------------------------------------- */

/* A keeper that writes down what it is told, and says that it is done when it is let. */
static struct {
	struct lu_keeper keeper;
	struct lu_keep *k;
	char text[512];
	int err;
} book;

static void note(struct lu_keeper *kr, struct lu_keep *k, const uint8_t naa[16],
	const struct lu_reservation *r)
{
	int n;

	assert_ptr_equal(kr, &book.keeper);
	assert_int_equal(naa[0], 0x60);
	n = snprintf(book.text, sizeof(book.text), "%u type %u", r->generation, r->type);
	for (unsigned i = 0; i < r->n; i++)
		n += snprintf(book.text + n, sizeof(book.text) - (size_t)n, " %s/%u=%x%s",
			r->registrants[i].initiator, r->registrants[i].port,
			(unsigned)r->registrants[i].key, r->registrants[i].holder ? "*" : "");
	book.k = k;
}

static void say_done(struct loop_timer *t)
{
	(void)t;
	book.k->done(book.k, book.err);
}

/* Runs an action whose answer waits for the keeper. */
static struct result kept_out(struct rig *r, unsigned i, uint8_t sa, uint8_t type, uint64_t key,
	uint64_t next, uint8_t flags)
{
	struct loop_timer timer;
	struct result res;

	loop_timer_init(r->loop, &timer, say_done);
	loop_timer_set(&timer, 1);
	res = OUT(r, i, sa, type, key, next, flags);
	loop_timer_clear(&timer);
	return res;
}

static void what_is_to_outlive_a_restart_is_kept_before_the_answer(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .keeper = &book.keeper });

	(void)state;
	book.keeper.keep = note;
	book.err = 0;
	assert_good(OUT(r, 1, REGISTER, 0, 0, 0xb, 0));
	assert_string_equal(book.text, "");
	assert_good(kept_out(r, 0, REGISTER, 0, 0, 0xa, 1));
	assert_string_equal(book.text, "2 type 0 " NAME1 "/1=b " NAME0 "/1=a");
	assert_good(kept_out(r, 0, RESERVE, WE, 0xa, 0, 0));
	assert_string_equal(book.text, "2 type 1 " NAME1 "/1=b " NAME0 "/1=a*");
	assert_good(kept_out(r, 0, CLEAR, 0, 0xa, 0, 0));
	assert_string_equal(book.text, "3 type 0");
	rig_free(r);
}

static void a_registration_without_aptpl_ends_the_keeping(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .keeper = &book.keeper });

	(void)state;
	book.keeper.keep = note;
	book.err = 0;
	assert_good(kept_out(r, 0, REGISTER, 0, 0, 0xa, 1));
	assert_good(kept_out(r, 0, REGISTER, 0, 0xa, 0xaa, 0));
	assert_string_equal(book.text, "2 type 0");
	book.text[0] = 0;
	assert_good(OUT(r, 0, RESERVE, EA, 0xaa, 0, 0));
	assert_string_equal(book.text, "");
	rig_free(r);
}

static void a_move_with_aptpl_is_kept_before_the_answer(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .keeper = &book.keeper });
	struct loop_timer timer;
	uint8_t list[128];
	uint32_t len = (uint32_t)move_list(list, 0xa, 0xb, 0x01, 1, NAME1);

	(void)state;
	book.keeper.keep = note;
	book.err = 0;
	book.text[0] = 0;
	assert_good(OUT(r, 0, REGISTER, 0, 0, 0xa, 0));
	assert_good(OUT(r, 0, RESERVE, EA, 0xa, 0, 0));
	assert_string_equal(book.text, "");
	loop_timer_init(r->loop, &timer, say_done);
	loop_timer_set(&timer, 1);
	assert_good(RUN(r, 0, list, len, PR_OUT(MOVE, 0, len)));
	loop_timer_clear(&timer);
	assert_string_equal(book.text, "2 type 3 " NAME0 "/1=a " NAME1 "/1=b*");
	rig_free(r);
}

static void what_cannot_be_kept_is_an_error(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .keeper = &book.keeper });

	(void)state;
	book.keeper.keep = note;
	book.err = -EIO;
	assert_check(kept_out(r, 0, REGISTER, 0, 0, 0xa, 1), SENSE_HARDWARE_ERROR, 0x4400);
	rig_free(r);
}

static void without_a_keeper_aptpl_is_refused(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_bad_list(OUT(r, 0, REGISTER, 0, 0, 0xa, 1), 20);
	rig_free(r);
}

static void what_was_kept_is_in_force(void **state)
{
	const struct lu_registrant regs[] = { { NAME1, 1, true, 0xb }, { NAME0, 1, false, 0xa } };
	const struct lu_reservation kept = {
		.generation = 7, .type = WE, .registrants = regs, .n = 2
	};
	struct rig *r = rig_create((struct rig_cfg){ .kept = &kept, .keeper = &book.keeper });

	(void)state;
	assert_conflict(RUN(r, 0, block, 512, WRITE10(0, 1)));
	assert_good(RUN(r, 1, block, 512, WRITE10(0, 1)));
	RUN(r, 0, NULL, 64, PR_IN(0, 64));
	assert_int_equal(be32(rig_in), 7);
	RUN(r, 0, NULL, 64, PR_IN(2, 64));
	assert_int_equal(rig_in[2] & 1, 1);
	assert_int_equal(rig_in[3] & 1, 1);
	rig_free(r);
}

/* --- PREEMPT AND ABORT ---------------------------------------------------------------- */

static void a_unit_that_takes_the_place_of_another_has_its_reservation(void **state)
{
	struct rig *was = rig_create((struct rig_cfg){ 0 }), *is = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_good(OUT(was, 0, REGISTER, 0, 0, 0xa, 0));
	assert_good(OUT(was, 0, RESERVE, WE, 0xa, 0, 0));
	assert_int_equal(lu_succeed(is->lu, was->lu), 0);
	assert_conflict(RUN(is, 1, block, 512, WRITE10(0, 1)));
	assert_good(RUN(is, 0, block, 512, WRITE10(0, 1)));
	assert_int_equal(OUT(was, 0, RELEASE, WE, 0xa, 0, 0).status, SCSI_BUSY);
	assert_conflict(RUN(was, 1, block, 512, WRITE10(0, 1)));
	lu_stay(was->lu);
	assert_good(OUT(was, 0, RELEASE, WE, 0xa, 0, 0));
	assert_good(OUT(is, 0, RELEASE, WE, 0xa, 0, 0));
	rig_free(was);
	rig_free(is);
}

static struct scsi_task victim;
static unsigned victims;

static void end_victim(struct nexus *n, struct lu_abort *a)
{
	(void)n;
	assert_true(scsi_task_abort(&victim));
	scsi_task_release(&victim);
	victims++;
	lu_abort_done(a);
}

static void preempt_and_abort_ends_the_tasks_first(void **state)
{
	static const struct nexus_ops ops = { .abort_tasks = end_victim };
	struct rig *r = rig_create((struct rig_cfg){ 0 });

	(void)state;
	assert_good(OUT(r, 0, REGISTER, 0, 0, 0xa, 0));
	assert_good(OUT(r, 1, REGISTER, 0, 0, 0xb, 0));
	r->nexus[1].ops = &ops;
	victims = 0;
	rig_task(&victim, &r->nexus[1], 0, BYTES(WRITE10(0, 1)), 10, SCSI_DIR_OUT, 512);
	assert_int_equal(scsi_task_start(&victim), SCSI_WANT_DATA);
	assert_good(OUT(r, 0, PREEMPT_ABORT, EA, 0xa, 0xb, 0));
	assert_int_equal(victims, 1);
	assert_check(RUN(r, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a05);
	assert_good(RUN(r, 0, NULL, 0, TUR));
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_read_with_their_whole_length),
		cmocka_unit_test(the_reservation_is_read),
		cmocka_unit_test(the_full_status_names_the_ports),
		cmocka_unit_test(capabilities_tell_all_types),
		cmocka_unit_test(other_service_actions_are_refused),
		cmocka_unit_test(types_keep_commands_out),
		cmocka_unit_test(registering_lets_in_where_the_type_says_so),
		cmocka_unit_test(a_registration_outlives_its_nexus),
		cmocka_unit_test(whom_it_concerns_is_told_once),
		cmocka_unit_test(reserve_and_persistent_reserve_exclude_each_other),
		cmocka_unit_test(the_type_and_scope_are_checked),
		cmocka_unit_test(an_invalid_release_has_its_own_code),
		cmocka_unit_test(lists_of_the_wrong_length_are_refused),
		cmocka_unit_test(others_are_registered_by_their_transport_id),
		cmocka_unit_test(a_device_name_stands_for_its_ports_that_are_here),
		cmocka_unit_test(transport_ids_that_are_wrong_are_pointed_at),
		cmocka_unit_test(who_is_registered_registers_nobody_else),
		cmocka_unit_test(who_is_registered_is_registered_by_nobody_else),
		cmocka_unit_test(all_target_ports_are_one_registrant),
		cmocka_unit_test(a_reservation_is_moved),
		cmocka_unit_test(a_release_is_told_at_the_registrants_other_ports),
		cmocka_unit_test(a_clear_is_told_at_the_registrants_other_ports),
		cmocka_unit_test(who_preempts_itself_tells_its_other_ports),
		cmocka_unit_test(a_reservation_is_moved_to_a_port_that_nobody_is_at),
		cmocka_unit_test(moving_is_checked),
		cmocka_unit_test(what_is_to_outlive_a_restart_is_kept_before_the_answer),
		cmocka_unit_test(a_registration_without_aptpl_ends_the_keeping),
		cmocka_unit_test(a_move_with_aptpl_is_kept_before_the_answer),
		cmocka_unit_test(what_cannot_be_kept_is_an_error),
		cmocka_unit_test(without_a_keeper_aptpl_is_refused),
		cmocka_unit_test(what_was_kept_is_in_force),
		cmocka_unit_test(a_unit_that_takes_the_place_of_another_has_its_reservation),
		cmocka_unit_test(preempt_and_abort_ends_the_tasks_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
