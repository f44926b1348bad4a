/* SPDX-License-Identifier: BSD-2-Clause */
/* EXTENDED COPY and what there is to learn of it; who may copy what; lists that are wrong. */
#include <errno.h>

#include "tests/unit/scsi_copy_support.h"

#define XCOPY(len)           0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, BE4(len), 0, 0
#define RECEIVE(service, id) 0x84, service, id, 0, 0, 0, 0, 0, 0, 0, BE4(1024), 0, 0
#define BLOCKS               0x02
#define BYTES                0x0a

static uint8_t list[8192];

/* --- parameter lists ------------------------------------------------------------------- */

static uint32_t header(uint8_t id, uint8_t usage)
{
	memset(list, 0, sizeof(list));
	list[0] = id;
	list[1] = (uint8_t)(usage << 3);
	return 16;
}

/* An identification descriptor with an NAA designator, as ESXi and sg_xcopy send it. */
static uint32_t cscd(uint32_t at, const uint8_t naa[16])
{
	static const uint8_t head[8] = { 0xe4, 0, 0, 0, 1, 3, 0, 16 };

	memcpy(list + at, head, 8);
	memcpy(list + at + 8, naa, 16);
	list[at + 30] = 2; /* 512 */
	put_be16(list + 2, (uint16_t)(be16(list + 2) + 32));
	return at + 32;
}

static uint32_t segment(
	uint32_t at, uint16_t from, uint16_t to, uint16_t n, uint64_t lba, uint64_t to_lba)
{
	const uint8_t d[28] = { BLOCKS, 0, BE2(24), BE2(from), BE2(to), 0, 0, BE2(n), BE8(lba),
		BE8(to_lba) };

	memcpy(list + at, d, sizeof(d));
	put_be32(list + 8, be32(list + 8) + 28);
	return at + 28;
}

static uint32_t segment_bytes(
	uint32_t at, uint32_t n, uint64_t lba, uint16_t off, uint64_t to_lba, uint16_t to_off)
{
	const uint8_t d[32] = { BYTES, 0, BE2(28), BE2(0), BE2(1), BE4(n), BE8(lba), BE8(to_lba),
		BE2(off), BE2(to_off) };

	memcpy(list + at, d, sizeof(d));
	put_be32(list + 8, be32(list + 8) + 32);
	return at + 32;
}

/* From LUN 0 to LUN 1: the ordinary list. */
static uint32_t ordinary(uint16_t n, uint64_t lba, uint64_t to_lba)
{
	uint32_t at = cscd(cscd(header(1, 0), naas[0]), naas[1]);

	return segment(at, 0, 1, n, lba, to_lba);
}

static struct result copy(struct disks *d, unsigned nexus, uint32_t len)
{
	return ON(d, nexus, 0, list, len, XCOPY(len));
}

static void assert_untouched(struct disks *d, unsigned lun)
{
	assert_good(ON(d, 1, lun, NULL, 2048 * 512, READ10(0, 2048)));
	for (unsigned i = 0; i < 2048 * 512; i++)
		assert_int_equal(rig_in[i], 0);
}

/* --- what it does ---------------------------------------------------------------------- */

static void blocks_are_copied_from_one_unit_to_another(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ .faulty = *state != NULL });

	fill(d, 7, 2000);
	assert_good(copy(d, 0, ordinary(2000, 7, 100)));
	assert_blocks(d, 1, 100, 2000);
	disks_free(d);
}

static void a_copy_goes_on_after_many_pieces(void **state)
{
	struct disks *d =
		disks_create((struct rig_cfg){ .faulty = *state != NULL, .blocks = 65536 });

	fill(d, 0, 2000);
	fill(d, 30000, 2000);
	assert_good(copy(d, 0, ordinary(32000, 0, 33000)));
	assert_blocks(d, 1, 33000, 2000);
	assert_blocks(d, 1, 63000, 2000);
	disks_free(d);
}

/* Then ranges are taken, and the pieces go through a buffer. */
static void a_long_copy_is_whole_soon_after_a_compare_and_write(void **state)
{
	static const uint8_t zeros[1024];
	struct disks *d =
		disks_create((struct rig_cfg){ .faulty = *state != NULL, .blocks = 65536 });

	assert_good(ON(d, 0, 0, zeros, 1024, 0x89, 0, BE8(0), 0, 0, 0, 1, 0, 0));
	fill(d, 0, 2000);
	fill(d, 30000, 2000);
	assert_good(copy(d, 0, ordinary(32000, 0, 33000)));
	assert_blocks(d, 1, 33000, 2000);
	assert_blocks(d, 1, 63000, 2000);
	disks_free(d);
}

static void overlapping_ranges_are_copied_as_if_at_once(void **state)
{
	struct disks *d =
		disks_create((struct rig_cfg){ .faulty = *state != NULL, .blocks = 16384 });
	uint32_t at;

	fill(d, 0, 2000);
	fill(d, 4000, 2000);
	at = segment(cscd(header(1, 0), naas[0]), 0, 0, 6000, 0, 100);
	assert_good(copy(d, 0, at));
	assert_blocks(d, 0, 100, 2000);
	assert_blocks(d, 0, 4100, 2000);
	at = segment(cscd(header(1, 0), naas[0]), 0, 0, 6000, 100, 0);
	assert_good(copy(d, 0, at));
	assert_blocks(d, 0, 0, 2000);
	assert_blocks(d, 0, 4000, 2000);
	disks_free(d);
}

static void zeros_keep_their_space_on_a_thick_unit(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ .faulty = true, .thick = true });

	(void)state;
	fault_set(d->store[1], &(struct fault_cfg){ .ops = 1u << STORE_DISCARD });
	assert_good(copy(d, 0, ordinary(64, 0, 0)));
	assert_int_equal(fault_seen(d->store[1]), 0);
	disks_free(d);
}

static void segments_are_copied_in_their_order(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });
	uint32_t at = cscd(cscd(header(1, 0), naas[0]), naas[1]);

	(void)state;
	fill(d, 0, 8);
	at = segment(at, 0, 1, 8, 0, 8);
	at = segment(at, 1, 0, 8, 8, 1000);
	assert_good(copy(d, 0, at));
	assert_blocks(d, 0, 1000, 8);
	disks_free(d);
}

static void lengths_and_offsets_in_bytes_are_whole_blocks(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });
	uint32_t at = cscd(cscd(header(1, 0), naas[0]), naas[1]);

	(void)state;
	fill(d, 3, 16);
	assert_good(copy(d, 0, segment_bytes(at, 16 * 512, 2, 512, 4, 1024)));
	assert_blocks(d, 1, 6, 16);
	at = cscd(cscd(header(1, 0), naas[0]), naas[1]);
	assert_check(copy(d, 0, segment_bytes(at, 100, 0, 0, 0, 0)), SENSE_COPY_ABORTED, 0x260a);
	at = cscd(cscd(header(1, 0), naas[0]), naas[1]);
	assert_check(copy(d, 0, segment_bytes(at, 512, 0, 1, 0, 0)), SENSE_COPY_ABORTED, 0x260a);
	disks_free(d);
}

static void the_unit_itself_needs_no_descriptor(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	fill(d, 0, 8);
	assert_good(copy(d, 0, segment(header(0, 3), 0xffff, 0xffff, 8, 0, 64)));
	assert_blocks(d, 0, 64, 8);
	disks_free(d);
}

static void nothing_to_copy_is_no_error(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	assert_good(ON(d, 0, 0, NULL, 0, XCOPY(0)));
	assert_good(copy(d, 0, header(1, 0)));
	assert_good(copy(d, 0, ordinary(0, 0, 0)));
	assert_untouched(d, 1);
	disks_free(d);
}

/* What ESXi 7 sends for a clone: LIST ID USAGE 2, two NAA designators, 4 MiB at a time, and reads
 * the operating parameters first. */
static void the_sequence_of_esxi_copies_in_pieces_of_4_mib(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ .blocks = 65536 });
	uint32_t at;

	(void)state;
	assert_good(ON(d, 0, 0, NULL, 1024, RECEIVE(3, 0)));
	assert_true(be16(rig_in + 8) >= 2 && be16(rig_in + 10) >= 1);
	assert_true(be32(rig_in + 16) >= 4 << 20);
	for (uint32_t i = 0; i < 4; i++) {
		fill(d, i * 8192 + 8000, 192);
		at = cscd(cscd(header((uint8_t)i, 2), naas[0]), naas[1]);
		assert_good(copy(d, 0, segment(at, 0, 1, 8192, i * 8192, i * 8192)));
		assert_blocks(d, 1, i * 8192 + 8000, 192);
	}
	disks_free(d);
}

/* --- who may ------------------------------------------------------------------------------ */

static void a_unit_that_the_nexus_does_not_see_cannot_be_named(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });
	uint32_t at;

	(void)state;
	fill(d, 0, 8);
	at = segment(cscd(cscd(header(1, 0), naas[0]), naas[2]), 0, 1, 8, 0, 0);
	assert_check(copy(d, 0, at), SENSE_COPY_ABORTED, 0x0804);
	assert_untouched(d, 2);
	at = segment(cscd(cscd(header(1, 0), naas[2]), naas[1]), 0, 1, 8, 0, 0);
	assert_check(copy(d, 0, at), SENSE_COPY_ABORTED, 0x0804);
	at = segment(cscd(cscd(header(1, 0), naas[0]), naas[2]), 0, 1, 8, 0, 0);
	assert_good(copy(d, 1, at)); /* who sees it may */
	assert_blocks(d, 2, 0, 8);
	disks_free(d);
}

static void a_unit_taken_from_the_map_can_be_named_no_more(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });
	struct lun_entry e = { 0, d->lu[0] };
	struct lun_map *less;

	(void)state;
	assert_int_equal(lun_map_create(&e, 1, &less), 0);
	assert_int_equal(nexus_remap(&d->r->nexus[0], less), 0);
	lun_map_unref(less);
	ON(d, 0, 0, NULL, 0, TUR);
	assert_check(copy(d, 0, ordinary(8, 0, 0)), SENSE_COPY_ABORTED, 0x0804);
	disks_free(d);
}

static void reservations_are_obeyed_on_both_sides(void **state)
{
	static const uint8_t key[24] = { [15] = 1 };
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	fill(d, 0, 8);
	/* Nexus 1 registers with LUN 1 and reserves it: write exclusive. */
	assert_good(ON(d, 1, 1, key, 24, 0x5f, 0, 0, 0, 0, BE4(24), 0));
	assert_good(ON(d, 1, 1, (const uint8_t[24]){ [7] = 1 }, 24, 0x5f, 1, 1, 0, 0, BE4(24), 0));
	assert_check(copy(d, 0, ordinary(8, 0, 0)), SENSE_COPY_ABORTED, 0x0d02);
	assert_untouched(d, 1);
	/* Reading is allowed … */
	assert_good(copy(d, 0, segment(cscd(cscd(header(1, 0), naas[0]), naas[1]), 1, 0, 8, 8, 8)));
	/* … but for exclusive access. */
	assert_good(ON(d, 1, 1, (const uint8_t[24]){ [7] = 1 }, 24, 0x5f, 2, 1, 0, 0, BE4(24), 0));
	assert_good(ON(d, 1, 1, (const uint8_t[24]){ [7] = 1 }, 24, 0x5f, 1, 3, 0, 0, BE4(24), 0));
	assert_check(copy(d, 0, segment(cscd(cscd(header(1, 0), naas[0]), naas[1]), 1, 0, 8, 8, 8)),
		SENSE_COPY_ABORTED, 0x0d02);
	assert_good(copy(d, 1, ordinary(8, 0, 0)));
	disks_free(d);
}

static void a_read_only_unit_is_no_destination(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ .read_only = true });

	(void)state;
	assert_check(copy(d, 0, ordinary(8, 0, 0)), SENSE_COPY_ABORTED, 0x0d01);
	disks_free(d);
}

static void a_port_group_in_standby_is_obeyed(void **state)
{
	static const struct lu_port ports[] = { { 1, "iqn.2026-11.com.example:disk" } };
	struct lu_port_group g = { 1, LU_STANDBY, ports, 1 };
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	fill(d, 0, 8);
	assert_int_equal(lu_set_port_groups(d->lu[1], &g, 1), 0);
	assert_check(copy(d, 0, ordinary(8, 0, 0)), SENSE_COPY_ABORTED, 0x0d02);
	disks_free(d);
}

static void a_unit_attention_of_the_destination_is_left_for_its_commands(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	assert_int_equal(store_resize(d->store[1], 8192 * 512), 0);
	lu_resized(d->lu[1]);
	assert_good(copy(d, 0, ordinary(8, 0, 8000)));
	assert_check(ON(d, 0, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a09);
	disks_free(d);
}

/* A COMPARE AND WRITE that has read and not yet written is not overtaken: else what is copied would
 * be lost under what it writes. */
static void a_copy_waits_for_a_compare_and_write_of_the_same_blocks(void **state)
{
	static const uint8_t cdb[16] = { 0x89, 0, BE8(100), 0, 0, 0, 1, 0, 0 };
	struct disks *d = disks_create((struct rig_cfg){ .faulty = true });
	uint8_t both[1024] = { 0 };
	struct scsi_task t;

	(void)state;
	fill(d, 0, 8);
	memset(both + 512, 'c', 512);
	fault_set(d->store[1], &(struct fault_cfg){ .delay_ms = 20 });
	rig_task(&t, &d->r->nexus[1], lun_field(1), cdb, 16, SCSI_DIR_OUT, 1024);
	assert_int_equal(scsi_task_start(&t), SCSI_WANT_DATA);
	assert_int_equal(scsi_task_data(&t, rig_put(&t, both)), SCSI_PENDING);
	assert_good(copy(d, 0, ordinary(8, 0, 100)));
	assert_null(t.done); /* it ended first */
	assert_int_equal(t.status, SCSI_GOOD);
	scsi_task_release(&t);
	assert_blocks(d, 1, 100, 8);
	disks_free(d);
}

/* --- results ------------------------------------------------------------------------------- */

static void the_result_can_be_asked_for_by_who_copied(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	assert_bad_cdb(ON(d, 0, 0, NULL, 1024, RECEIVE(0, 1)), 2);
	fill(d, 0, 8);
	assert_good(copy(d, 0, ordinary(8, 0, 0)));
	assert_int_equal(ON(d, 0, 0, NULL, 1024, RECEIVE(0, 1)).in_len, 12);
	assert_memory_equal(rig_in, ((const uint8_t[]){ BE4(8), 1, BE2(1), 0, BE4(8 * 512) }), 12);
	assert_bad_cdb(ON(d, 1, 0, NULL, 1024, RECEIVE(0, 1)), 2); /* somebody else's */
	assert_bad_cdb(ON(d, 0, 0, NULL, 1024, RECEIVE(0, 2)), 2);
	disks_free(d);
}

static void results_that_are_not_to_be_held_are_not(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	assert_good(copy(d, 0, segment(cscd(header(5, 2), naas[0]), 0, 0, 8, 0, 8)));
	assert_bad_cdb(ON(d, 0, 0, NULL, 1024, RECEIVE(0, 5)), 2);
	assert_bad_list(copy(d, 0, header(5, 3)), 0); /* no list identifier, and yet one */
	disks_free(d);
}

static void failure_details_are_told_once(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ .faulty = true });

	(void)state;
	fault_set(d->store[1],
		&(struct fault_cfg){ .nth = 1, .err = -EIO, .ops = 1u << STORE_WRITE });
	fill(d, 0, 8);
	assert_check(copy(d, 0, ordinary(8, 0, 0)), SENSE_COPY_ABORTED, 0x0d01);
	assert_good(ON(d, 0, 0, NULL, 1024, RECEIVE(0, 1)));
	assert_int_equal(rig_in[4], 2);
	assert_int_equal(ON(d, 0, 0, NULL, 1024, RECEIVE(4, 1)).in_len, 60 + 18);
	assert_int_equal(be32(rig_in), 56 + 18);
	assert_int_equal(rig_in[56], SCSI_CHECK_CONDITION);
	assert_int_equal(be16(rig_in + 58), 18);
	assert_int_equal(rig_in[60 + 2], SENSE_COPY_ABORTED);
	assert_bad_cdb(ON(d, 0, 0, NULL, 1024, RECEIVE(4, 1)), 2);
	disks_free(d);
}

static void old_results_give_way(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	for (unsigned id = 0; id < 200; id++)
		assert_good(
			copy(d, 0, segment(cscd(header((uint8_t)id, 0), naas[0]), 0, 0, 1, 0, 8)));
	assert_good(ON(d, 0, 0, NULL, 1024, RECEIVE(0, 199)));
	assert_bad_cdb(ON(d, 0, 0, NULL, 1024, RECEIVE(0, 0)), 2);
	disks_free(d);
}

static void the_pages_tell_of_third_party_copy(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });
	struct result res = ON(d, 0, 0, NULL, 1024, 0x12, 1, 0x8f, BE2(1024), 0);
	uint32_t at = 4;

	(void)state;
	assert_good(res);
	assert_int_equal(be16(rig_in + 2) + 4, res.in_len);
	while (at < res.in_len)
		at += 4u + be16(rig_in + at + 2);
	assert_int_equal(at, res.in_len);
	assert_good(ON(d, 0, 0, NULL, 96, 0x12, 0, 0, BE2(96), 0));
	assert_int_equal(rig_in[5] & 0x08, 0x08); /* 3PC */
	disks_free(d);
}

/* --- aborts and losses ----------------------------------------------------------------------- */

/* Starts a copy that takes its time. */
static void start_slowly(struct disks *d, struct scsi_task *t, uint32_t len)
{
	const uint8_t cdb[16] = { XCOPY(len) };

	rig_task(t, &d->r->nexus[0], 0, cdb, 16, SCSI_DIR_OUT, len);
	assert_int_equal(scsi_task_start(t), SCSI_WANT_DATA);
	assert_int_equal(scsi_task_data(t, rig_put(t, list)), SCSI_PENDING);
}

static void an_abort_ends_the_copy_when_what_is_in_flight_has_ended(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ .faulty = true });
	struct scsi_task t;

	(void)state;
	fill(d, 0, 8);
	fault_set(d->store[0], &(struct fault_cfg){ .delay_ms = 20 });
	start_slowly(d, &t, ordinary(8, 0, 0));
	assert_false(scsi_task_abort(&t));
	rig_wait(&t);
	scsi_task_release(&t);
	assert_untouched(d, 1);
	assert_good(ON(d, 0, 0, NULL, 1024, RECEIVE(0, 1)));
	assert_int_equal(rig_in[4], 2);
	disks_free(d);
}

#define PR_OUT(sa, type) 0x5f, sa, type, 0, 0, BE4(24), 0
#define KEYS(key, next)  ((const uint8_t[24]){ BE8(key), BE8(next) })

/* The copy came through LUN 0; who preempts its nexus at LUN 1 need not fear that it still writes
 * there. */
static void who_preempts_and_aborts_at_the_destination_waits_for_the_copy(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ .faulty = true });
	struct scsi_task t;

	(void)state;
	assert_good(ON(d, 0, 1, KEYS(0, 0xa), 24, PR_OUT(0, 0)));
	assert_good(ON(d, 1, 1, KEYS(0, 0xb), 24, PR_OUT(0, 0)));
	fill(d, 0, 2000);
	fault_set(d->store[0], &(struct fault_cfg){ .delay_ms = 20 });
	start_slowly(d, &t, ordinary(4000, 0, 0));
	assert_good(ON(d, 1, 1, KEYS(0xb, 0xa), 24, PR_OUT(5, 1)));
	assert_null(t.done);
	assert_check((struct result){ .status = t.status, .sense = t.sense }, SENSE_COPY_ABORTED,
		0x0000);
	scsi_task_release(&t);
	disks_free(d);
}

static void a_list_identifier_in_use_is_refused(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ .faulty = true });
	struct scsi_task t;

	(void)state;
	fault_set(d->store[0], &(struct fault_cfg){ .delay_ms = 20 });
	start_slowly(d, &t, ordinary(8, 0, 0));
	assert_check(copy(d, 0, ordinary(8, 0, 0)), SENSE_ILLEGAL_REQUEST, 0x0016);
	rig_wait(&t);
	scsi_task_release(&t);
	disks_free(d);
}

static void a_unit_that_leaves_the_map_in_the_midst_ends_the_copy(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ .faulty = true });
	struct lun_entry e = { 0, d->lu[0] };
	struct lun_map *less;
	struct scsi_task t;

	(void)state;
	fill(d, 0, 2000);
	fault_set(d->store[0], &(struct fault_cfg){ .delay_ms = 5 });
	start_slowly(d, &t, ordinary(4000, 0, 0));
	assert_int_equal(lun_map_create(&e, 1, &less), 0);
	assert_int_equal(nexus_remap(&d->r->nexus[0], less), 0);
	lun_map_unref(less);
	rig_wait(&t);
	assert_int_equal(t.status, SCSI_CHECK_CONDITION);
	assert_int_equal(t.sense.asc, 0x0d02);
	scsi_task_release(&t);
	disks_free(d);
}

/* --- lists that are wrong ------------------------------------------------------------------- */

static void a_list_that_is_cut_anywhere_is_too_short(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });
	uint32_t len = ordinary(8, 0, 0);

	(void)state;
	for (uint32_t n = 1; n < len; n++) {
		assert_check(copy(d, 0, n), SENSE_ILLEGAL_REQUEST, 0x1a00);
		assert_check(ON(d, 0, 0, list, n, XCOPY(len)), SENSE_ILLEGAL_REQUEST, 0x1a00);
	}
	assert_untouched(d, 1);
	disks_free(d);
}

static void lengths_that_wrap_are_refused(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });
	uint32_t len = ordinary(8, 0, 0);

	(void)state;
	put_be32(list + 8, UINT32_MAX);
	assert_check(copy(d, 0, len), SENSE_ILLEGAL_REQUEST, 0x1a00);
	put_be32(list + 8, UINT32_MAX - 63);
	assert_check(copy(d, 0, len), SENSE_ILLEGAL_REQUEST, 0x1a00);
	put_be16(list + 2, UINT16_MAX);
	assert_check(copy(d, 0, len), SENSE_ILLEGAL_REQUEST, 0x1a00);
	assert_check(ON(d, 0, 0, list, len, XCOPY(UINT32_MAX)), SENSE_ILLEGAL_REQUEST, 0x1a00);
	disks_free(d);
}

static void ranges_outside_the_units_are_refused_before_anything_is_copied(void **state)
{
	static const uint64_t lbas[] = { 4095, 4096, UINT64_MAX, UINT64_MAX - 7, INT64_MAX };
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	fill(d, 0, 8);
	for (unsigned i = 0; i < sizeof(lbas) / sizeof(lbas[0]); i++) {
		uint32_t at = ordinary(8, 0, 0);

		assert_check(
			copy(d, 0, segment(at, 0, 1, 8, lbas[i], 0)), SENSE_COPY_ABORTED, 0x0d02);
		assert_int_equal(ordinary(8, 0, 0), at);
		assert_check(
			copy(d, 0, segment(at, 0, 1, 8, 0, lbas[i])), SENSE_COPY_ABORTED, 0x0d02);
	}
	assert_untouched(d, 1);
	disks_free(d);
}

static void an_index_without_a_descriptor_is_unreachable(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	assert_check(copy(d, 0, segment(cscd(header(1, 0), naas[0]), 0, 1, 8, 0, 8)),
		SENSE_COPY_ABORTED, 0x0804);
	assert_check(copy(d, 0, segment(cscd(header(1, 0), naas[0]), 0x4000, 0, 8, 0, 8)),
		SENSE_COPY_ABORTED, 0x0804);
	disks_free(d);
}

static void other_descriptors_are_refused(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });
	uint32_t len = ordinary(8, 0, 0);

	(void)state;
	list[16] = 0xe0; /* by N_Port name */
	assert_check(copy(d, 0, len), SENSE_ILLEGAL_REQUEST, 0x2607);
	len = ordinary(8, 0, 0);
	list[80] = 0x03; /* stream to stream */
	assert_check(copy(d, 0, len), SENSE_ILLEGAL_REQUEST, 0x2609);
	len = ordinary(8, 0, 0);
	list[83] = 23;
	assert_bad_list(copy(d, 0, len), 82);
	len = ordinary(8, 0, 0);
	list[16 + 1] = 0x01; /* a tape */
	assert_check(copy(d, 0, len), SENSE_COPY_ABORTED, 0x0d03);
	len = ordinary(8, 0, 0);
	list[16 + 30] = 0x10;
	assert_bad_list(copy(d, 0, len), 16 + 29);
	len = ordinary(8, 0, 0);
	put_be32(list + 12, 1);
	assert_check(copy(d, 0, len), SENSE_ILLEGAL_REQUEST, 0x260b);
	disks_free(d);
}

static void each_segment_descriptor_is_looked_at(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });
	uint32_t at = ordinary(8, 0, 0);
	uint32_t len = segment(at, 0, 1, 8, 8, 8);

	(void)state;
	fill(d, 0, 16);
	list[at] = 0x03; /* stream to stream */
	assert_check(copy(d, 0, len), SENSE_ILLEGAL_REQUEST, 0x2609);
	list[at] = BLOCKS;
	list[at + 3] = 23;
	assert_bad_list(copy(d, 0, len), at + 2);
	assert_untouched(d, 1);
	disks_free(d);
}

static void designators_that_name_nothing_are_unreachable(void **state)
{
	static const struct {
		uint8_t at, value;
	} odd[] = { { 5, 0x13 }, { 5, 0x23 }, { 5, 0x02 }, { 4, 0x02 }, { 7, 15 }, { 7, 0 },
		{ 7, 21 }, { 7, 255 } };
	struct disks *d = disks_create((struct rig_cfg){ 0 });

	(void)state;
	for (unsigned i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		uint32_t len = ordinary(8, 0, 0);

		list[16 + odd[i].at] = odd[i].value;
		assert_check(copy(d, 0, len), SENSE_COPY_ABORTED, 0x0804);
	}
	disks_free(d);
}

static void more_descriptors_than_promised_are_refused(void **state)
{
	struct disks *d = disks_create((struct rig_cfg){ 0 });
	uint32_t at = header(1, 0);

	(void)state;
	for (unsigned i = 0; i < 17; i++)
		at = cscd(at, naas[0]);
	assert_check(copy(d, 0, segment(at, 0, 0, 1, 0, 8)), SENSE_ILLEGAL_REQUEST, 0x2606);
	at = cscd(header(1, 0), naas[0]);
	for (unsigned i = 0; i < 65; i++)
		at = segment(at, 0, 0, 1, 0, 8);
	assert_check(copy(d, 0, at), SENSE_ILLEGAL_REQUEST, 0x2608);
	disks_free(d);
}

#define BOTH(f) \
	{ #f " (memory)", f, NULL, NULL, NULL }, \
	{ \
#f " (requests)", f, NULL, NULL, (void *)(uintptr_t)1 \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(blocks_are_copied_from_one_unit_to_another),
		BOTH(a_copy_goes_on_after_many_pieces),
		BOTH(a_long_copy_is_whole_soon_after_a_compare_and_write),
		BOTH(overlapping_ranges_are_copied_as_if_at_once),
		cmocka_unit_test(zeros_keep_their_space_on_a_thick_unit),
		cmocka_unit_test(segments_are_copied_in_their_order),
		cmocka_unit_test(lengths_and_offsets_in_bytes_are_whole_blocks),
		cmocka_unit_test(the_unit_itself_needs_no_descriptor),
		cmocka_unit_test(nothing_to_copy_is_no_error),
		cmocka_unit_test(the_sequence_of_esxi_copies_in_pieces_of_4_mib),
		cmocka_unit_test(a_unit_that_the_nexus_does_not_see_cannot_be_named),
		cmocka_unit_test(a_unit_taken_from_the_map_can_be_named_no_more),
		cmocka_unit_test(reservations_are_obeyed_on_both_sides),
		cmocka_unit_test(a_read_only_unit_is_no_destination),
		cmocka_unit_test(a_port_group_in_standby_is_obeyed),
		cmocka_unit_test(a_unit_attention_of_the_destination_is_left_for_its_commands),
		cmocka_unit_test(a_copy_waits_for_a_compare_and_write_of_the_same_blocks),
		cmocka_unit_test(the_result_can_be_asked_for_by_who_copied),
		cmocka_unit_test(results_that_are_not_to_be_held_are_not),
		cmocka_unit_test(failure_details_are_told_once),
		cmocka_unit_test(old_results_give_way),
		cmocka_unit_test(the_pages_tell_of_third_party_copy),
		cmocka_unit_test(an_abort_ends_the_copy_when_what_is_in_flight_has_ended),
		cmocka_unit_test(who_preempts_and_aborts_at_the_destination_waits_for_the_copy),
		cmocka_unit_test(a_list_identifier_in_use_is_refused),
		cmocka_unit_test(a_unit_that_leaves_the_map_in_the_midst_ends_the_copy),
		cmocka_unit_test(a_list_that_is_cut_anywhere_is_too_short),
		cmocka_unit_test(lengths_that_wrap_are_refused),
		cmocka_unit_test(ranges_outside_the_units_are_refused_before_anything_is_copied),
		cmocka_unit_test(an_index_without_a_descriptor_is_unreachable),
		cmocka_unit_test(other_descriptors_are_refused),
		cmocka_unit_test(each_segment_descriptor_is_looked_at),
		cmocka_unit_test(designators_that_name_nothing_are_unreachable),
		cmocka_unit_test(more_descriptors_than_promised_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
