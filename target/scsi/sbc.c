/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk: its making, its pages, and the commands that are not about the data themselves.
 */
#include "scsi/sbc.h"

#include <errno.h>
#include <stdlib.h>

#include "scsi/copy.h"
#include "scsi/identity.h"
#include "scsi/mode.h"
#include "scsi/op.h"
#include "scsi/vpd.h"

#define QUERIES 4 /* threads that may look for holes of one disk at a time */

/* --- SYNCHRONIZE CACHE --------------------------------------------------------------- */

static enum scsi_next flushed(struct scsi_task *t, int err)
{
	return err ? task_store_error(t, err) : SCSI_DONE;
}

static enum scsi_next flush(struct scsi_task *t, task_then *then)
{
	t->io.op = STORE_FLUSH;
	t->io.flags = 0;
	t->io.off = t->io.len = 0;
	return task_submitted(t, task_submit(t, then), then);
}

enum scsi_next sbc_flush(struct scsi_task *t)
{
	return flush(t, flushed);
}

enum scsi_next sbc_written(struct scsi_task *t, int err)
{
	if (err)
		return task_store_error(t, err);
	return !t->fua && sbc_write_through(t->itl->lu) ? sbc_flush(t) : SCSI_DONE;
}

/* SYNCHRONIZE CACHE(10), (16) (SBC-4 5.35): of the whole unit, whatever the range. With IMMED,
 * too, status comes when it is done: the initiator may go on meanwhile anyway, and learns of an
 * error. */
static enum scsi_next synchronize_cache(struct scsi_task *t)
{
	uint64_t lba = cdb_lba(t->cdb);
	uint32_t blocks = cdb_blocks(t->cdb);

	if (!sbc_in_range(t->itl->lu, lba, blocks))
		return task_lba_out_of_range(t);
	return sbc_flush(t);
}

/* --- START STOP UNIT ------------------------------------------------------------------- */

static enum scsi_next move_medium(struct scsi_task *t, bool load)
{
	struct lu *lu = t->itl->lu;

	pthread_mutex_lock(&lu->lock);
	if (lu->ejected != load) {
		/* It is there already. */
	} else if (lu_prevented(lu)) {
		task_check(t, SENSE_ILLEGAL_REQUEST, ASC_MEDIUM_REMOVAL_PREVENTED);
	} else {
		lu->ejected = !load;
		if (load)
			lu_attention(lu, t->itl, UA_MEDIUM_CHANGED);
		lu_update_gates(lu);
	}
	pthread_mutex_unlock(&lu->lock);
	return SCSI_DONE;
}

static enum scsi_next eject_flushed(struct scsi_task *t, int err)
{
	return err ? task_store_error(t, err) : move_medium(t, false);
}

/* START STOP UNIT (SBC-4 5.34). There is no motor and no power condition: what changes is a
 * removable medium. What is stopped, or in whatever power condition, may be switched off; it is
 * flushed before. Starting is allowed beside reservations, the rest is not. */
static enum scsi_next start_stop(struct scsi_task *t)
{
	bool start = t->cdb[4] & 0x01, loej = t->cdb[4] & 0x02, no_flush = t->cdb[4] & 0x04;
	bool power = t->cdb[4] & 0xf0;

	if ((!start || power) && task_stopped(t, GATE_RESERVED | GATE_NO_WRITE))
		return SCSI_DONE;
	if (!loej || power)
		return (start && !power) || no_flush ? task_good(t) : sbc_flush(t);
	if (!(t->itl->lu->has & LU_REMOVABLE))
		return task_bad_cdb(t, 4, 1);
	return start ? move_medium(t, true) : flush(t, eject_flushed);
}

/* --- pages --------------------------------------------------------------------------- */

/* B0h, block limits (SBC-4 6.6.4). */
static void vpd_limits(struct wr *w, const struct itl *itl)
{
	const struct lu *lu = itl->lu;
	bool thin = lu->has & LU_THIN;
	uint32_t page = SBC_PAGE >> lu->block_shift;
	/* A granularity of one block goes without saying. QEMU (7.2 at least) would keep a map
	 * of it that it asks GET LBA STATUS for, and abort, as it counts in 512 bytes there. */
	bool grain = thin && page > 1;
	bool atomic = lu->has & LU_ATOMIC;
	uint32_t part = atomic && lu->physical_exponent ? sbc_atomic_part(lu) : 0;

	wr_u8(w, thin ? 0x01 : 0); /* WSNZ: see write_same() */
	wr_u8(w, SBC_COMPARE_BLOCKS);
	/* OPTIMAL TRANSFER LENGTH GRANULARITY: more than a physical block would be part of a stripe to
	 * file systems (mkfs.xfs), which then miss the length of a whole one. */
	wr_be16(w, (uint16_t)(1u << lu->physical_exponent));
	wr_be32(w, lu->max_blocks);
	wr_be32(w, 0); /* OPTIMAL TRANSFER LENGTH: none is better */
	wr_be32(w, 0); /* MAXIMUM PREFETCH LENGTH */
	wr_be32(w, thin ? SBC_UNMAP_BLOCKS : 0);
	wr_be32(w, thin ? SBC_UNMAP_DESCRIPTORS : 0);
	wr_be32(w, grain ? page : 0);              /* OPTIMAL UNMAP GRANULARITY */
	wr_be32(w, grain ? UINT32_C(1) << 31 : 0); /* UGAVALID, alignment 0 */
	wr_be64(w, SBC_SAME_BLOCKS);               /* MAXIMUM WRITE SAME LENGTH */
	wr_be32(w, atomic ? SBC_ATOMIC_BLOCKS : 0); /* MAXIMUM ATOMIC TRANSFER LENGTH */
	wr_be32(w, part);                          /* ATOMIC ALIGNMENT */
	wr_be32(w, part);                          /* ATOMIC TRANSFER LENGTH GRANULARITY */
	wr_zero(w, 64 - 56);                       /* no atomic boundary */
}

/* B1h, block device characteristics (SBC-4 6.6.2): does not rotate. */
static void vpd_characteristics(struct wr *w, const struct itl *itl)
{
	wr_be16(w, 0x0001);
	wr_u8(w, 0);
	/* WABEREQ and WACEREQ 01b: READ works after BLOCK ERASE and CRYPTOGRAPHIC ERASE. */
	wr_u8(w, itl->lu->has & LU_THIN ? 0x50 : 0);
	wr_u8(w, 0x02); /* FUAB: SYNCHRONIZE CACHE and FUA mean what they say */
	wr_zero(w, 64 - 9);
}

/* B2h, logical block provisioning (SBC-4 6.6.6). */
static void vpd_provisioning(struct wr *w, const struct itl *itl)
{
	(void)itl;
	wr_u8(w, 0);
	wr_u8(w, 0x80 | 0x40 | 0x20 | 0x04); /* LBPU, LBPWS, LBPWS10, LBPRZ=001b */
	wr_u8(w, 0x02);                      /* thin */
	wr_u8(w, 0);
}

/* B6h, zoned block device characteristics (ZBC-2 6.5.2): there are no zones, so that nothing is in
 * the way of reads (URSWRZ), and none of the numbers is reported. */
static void vpd_zones(struct wr *w, const struct itl *itl)
{
	(void)itl;
	wr_u8(w, 0x01);
	wr_zero(w, 3);
	wr_be32(w, UINT32_MAX); /* OPTIMAL NUMBER OF OPEN SEQUENTIAL WRITE PREFERRED ZONES */
	wr_be32(w, UINT32_MAX); /* … OF NON-SEQUENTIALLY WRITTEN ONES */
	wr_be32(w, UINT32_MAX); /* MAXIMUM NUMBER OF OPEN … REQUIRED ONES: no limit */
	wr_zero(w, 64 - 20);
}

// clang-format off
static const struct vpd_page disk_pages[] = {
	{ 0x80, 0, vpd_serial },
	{ 0x83, 0, vpd_identification },
	{ 0x86, 0, vpd_extended },
	{ 0x87, 0, vpd_mode_policy },
	{ 0x88, 0, vpd_scsi_ports },
	{ 0x8f, 0, vpd_third_party_copy },
	{ 0xb0, 0, vpd_limits },
	{ 0xb1, 0, vpd_characteristics },
	{ 0xb2, LU_THIN, vpd_provisioning },
	{ 0xb6, 0, vpd_zones },
	{ .write = NULL },
};

static const struct mode_page disk_modes[] = {
	/* Read-write error recovery (SBC-4 6.5.10): AWRE, ARRE. */
	{ 0x01, 0, 12, .defaults = { 0x01, 0x0a, 0xc0 } },
	/* Disconnect-reconnect (SPC-5 7.5.10). */
	{ 0x02, 0, 16, .defaults = { 0x02, 0x0e } },
	/* Caching (SBC-4 6.5.6): WCE may be switched off, then every WRITE is as with FUA. */
	{ 0x08, 0, 20, .defaults = { 0x08, 0x12, 0x04 }, .changeable = { [2] = 0x04 } },
	/* Control (SPC-5 7.5.9): GLTSD, unrestricted reordering, TAS, busy timeout unlimited;
	 * D_SENSE, QErr, SWP and TAS may be changed. */
	{ 0x0a, 0, 12, .defaults = { 0x0a, 0x0a, 0x02, 0x10, 0, 0x40, [8] = FF2 },
	  .changeable = { [2] = 0x04, 0x06, 0x08, 0x40 } },
	/* Control extension (SPC-5 7.5.10). */
	{ 0x0a, 1, 32, .defaults = { 0x4a, 0x01, 0, 0x1c } },
	/* Power condition (SPC-5 7.5.15): there are none. */
	{ 0x1a, 0, 40, .defaults = { 0x1a, 0x26 } },
	/* Informational exceptions control (SBC-4 6.5.8): DEXCPT, there are none to report. */
	{ 0x1c, 0, 12, .defaults = { 0x1c, 0x0a, 0x08 } },
	{ .len = 0 },
};
_Static_assert(sizeof(disk_modes) / sizeof(disk_modes[0]) - 1 <= MODE_PAGES, "pages fit");

static const struct scsi_op *const disk_ops[] = {
	sbc_rw_ops, sbc_ops, sbc_verify_ops, sbc_fill_ops, sbc_atomic_ops, sbc_query_ops,
	sbc_wipe_ops, copy_ops, spc_ops, mode_ops, diag_ops, opcodes_ops, reserve_ops,
	removal_ops, pr_in_ops, pr_out_ops, NULL,
};

static const struct lu_model disk_model = {
	.kind = "disk",
	.device_type = 0x00,
	.ops = disk_ops,
	.pages = disk_pages,
	.modes = disk_modes,
	.versions = { 0x00a0, 0x0960, 0x0460, 0x04c0 },    /* SAM-5, iSCSI, SPC-4, SBC-3 */
};

const struct scsi_op sbc_ops[] = {
	{ 0x1b, NO_SERVICE, .name = "START STOP UNIT", .start = start_stop,
	  .stops = STOPS_UA | STOPS_WIPE, .usage = { 0x1b, 0x01, 0, 0x0f, 0xf7, 0x04 } },
	{ 0x35, NO_SERVICE, .name = "SYNCHRONIZE CACHE(10)", .start = synchronize_cache,
	  .stops = STOPS_CHANGE | STOPS_READY,
	  .usage = { 0x35, 0x02, FF4, 0, FF2, 0x04 } },
	{ 0x91, NO_SERVICE, .name = "SYNCHRONIZE CACHE(16)", .start = synchronize_cache,
	  .stops = STOPS_CHANGE | STOPS_READY,
	  .usage = { 0x91, 0x02, FF4, FF4, FF4, 0, 0x04 } },
	{ .name = NULL },
};
// clang-format on

/* --- making one ---------------------------------------------------------------------- */

static bool describe(struct lu *lu, const struct disk_cfg *cfg)
{
	return lu_identify(lu, &(struct lu_identity){
		.vendor = cfg->vendor && *cfg->vendor ? cfg->vendor : "CNTRSIGN",
		.product = cfg->product && *cfg->product ? cfg->product : "Disk",
		.revision = cfg->revision && *cfg->revision ? cfg->revision : "1",
		.serial = cfg->serial,
		.naa = cfg->naa,
	});
}

static bool geometry(struct lu *lu, const struct disk_cfg *cfg)
{
	uint32_t physical = cfg->physical_block_size ? cfg->physical_block_size : cfg->block_size;

	if (cfg->block_size != 512 && cfg->block_size != 4096)
		return false;
	if (physical < cfg->block_size || physical & (physical - 1) || physical > SBC_TRANSFER_MAX)
		return false;
	lu->block_size = cfg->block_size;
	lu->block_shift = (unsigned)__builtin_ctz(cfg->block_size);
	lu->physical_exponent = (unsigned)__builtin_ctz(physical) - lu->block_shift;
	lu->max_blocks = SBC_TRANSFER_MAX >> lu->block_shift;
	atomic_init(&lu->blocks, store_size(cfg->store) >> lu->block_shift);
	return lu_blocks(lu);
}

/* It has no errors, and does not outlive a crash. Databases that are promised atomic writes (SBC-4
 * 4.29) keep no second copy of what they write: a file system keeps that promise for no more than a
 * page, as a crash, or an error half-way, leaves old and new blocks. */
static bool is_memory(const struct disk_cfg *cfg)
{
	struct iovec iov;

	return store_map(cfg->store, 0, cfg->block_size, &iov, 1);
}

int disk_create(const struct disk_cfg *cfg, struct lu **out)
{
	uint32_t has = (cfg->thin && store_thin(cfg->store) ? LU_THIN : 0) |
		       (cfg->removable ? LU_REMOVABLE : 0) |
		       (cfg->write_through ? LU_WRITE_THROUGH : 0) |
		       (cfg->long_cdbs ? LU_LONG_CDBS : 0) | (is_memory(cfg) ? LU_ATOMIC : 0);
	struct lu *lu = calloc(1, sizeof(*lu));
	int err = -EINVAL;

	if (!lu)
		return -ENOMEM;
	if (!describe(lu, cfg) || !geometry(lu, cfg))
		goto out;
	lu->read_only = cfg->read_only || store_read_only(cfg->store);
	err = lu_init(lu, &disk_model, has);
	if (err)
		goto out;
	lu->store = cfg->store;
	lu->gone = cfg->gone;
	lu->arg = cfg->arg;
	lu->keeper = cfg->keeper;
	mode_restore(lu, cfg->mode_keeper, cfg->saved);
	lu->wipe_keeper = has & LU_ATOMIC ? NULL : cfg->wipe_keeper;
	lu->wiped = lu->wipe_keeper ? cfg->wiped : LU_WIPED;
	lu->pool = cfg->pool;
	work_lane_init(&lu->lane, QUERIES);
	if (cfg->kept && !lu_restore(lu, cfg->kept)) {
		pthread_mutex_destroy(&lu->lock);
		err = -EINVAL;
		goto out;
	}
	*out = lu;
	lu = NULL;
out:
	free(lu);
	return err;
}
