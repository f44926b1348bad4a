/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tape drive as a logical unit: its making, its pages, and what becomes of it when a cartridge
 * comes or goes.
 */
#include "scsi/ssc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scsi/alert.h"
#include "scsi/identity.h"
#include "scsi/mode.h"
#include "scsi/vpd.h"

/* --- cartridges come and go ----------------------------------------------------------------- */

/* A tool has the cartridge open, or this machine lacks memory, descriptors or space: the cartridge
 * is as good as before, and can be loaded when that has ended. */
static bool undamaged(const struct drive_medium *in)
{
	switch (in->state == DRIVE_UNREADABLE ? in->err : 0) {
	case -EBUSY:
	case -ENOMEM:
	case -EMFILE:
	case -ENFILE:
	case -ENOSPC:
	case -EDQUOT: return true;
	default: return false;
	}
}

/* Sense key << 16 | asc of what TEST UNIT READY says while no cartridge is loaded. */
static uint32_t absence(const struct drive_medium *in)
{
	if (undamaged(in))
		return SENSE_NOT_READY << 16 | ASC_LOAD_OR_EJECT_FAILED;
	switch (in->state) {
	case DRIVE_HELD: return SENSE_NOT_READY << 16 | ASC_MEDIUM_NOT_PRESENT_MAM_ACCESSIBLE;
	case DRIVE_CLEANING: return SENSE_NOT_READY << 16 | ASC_CLEANING_CARTRIDGE_INSTALLED;
	case DRIVE_INCOMPATIBLE: return SENSE_MEDIUM_ERROR << 16 | ASC_INCOMPATIBLE_MEDIUM;
	case DRIVE_UNREADABLE: return SENSE_MEDIUM_ERROR << 16 | ASC_MEDIUM_FORMAT_CORRUPTED;
	case DRIVE_STARTING: return SENSE_NOT_READY << 16 | ASC_BECOMING_READY;
	default: return SENSE_NOT_READY << 16 | ASC_MEDIUM_NOT_PRESENT;
	}
}

/* Takes up what the drive has now. Under the lock. */
static void refresh(struct tape *tape)
{
	struct lu *lu = &tape->lu;
	struct drive_medium in;
	struct mode_head h;

	drive_medium(tape->drive, &in);
	lu->ejected = in.state != DRIVE_LOADED;
	lu->tab = in.write_protect;
	atomic_store(&lu->absent, absence(&in));
	ssc_mode_rules.head_defaults(lu, &h);
	lu->mode_head.medium = h.medium;
	lu->mode_head.density = h.density;
	mode_reset_page(lu, 0x11, 0);
	mode_reset_page(lu, 0x1d, 0);
}

/* Flags are the cartridge's, and go with it. */
static void begin_alerts(struct tape *tape)
{
	struct drive_medium in;

	alert_clear(&tape->lu, UINT64_MAX);
	drive_medium(tape->drive, &in);
	if (in.state == DRIVE_CLEANING)
		tape_alert(tape, ALERT_CLEANING_MEDIUM);
	if (in.state == DRIVE_INCOMPATIBLE)
		tape_alert(tape, ALERT_UNSUPPORTED_FORMAT);
	if (in.state == DRIVE_UNREADABLE && !undamaged(&in))
		tape_alert(tape, ALERT_MEDIUM);
	if (in.state == DRIVE_LOADED && !media_writes(drive_generation(tape->drive), in.media))
		tape_alert(tape, ALERT_READ_ONLY_FORMAT);
}

static void drive_changed(struct drive_listener *ls, enum drive_event event)
{
	struct tape *tape = container_of(ls, struct tape, listener);
	struct lu *lu = &tape->lu;

	tape->dirty = false;
	/* Before the gate lets anything in. */
	if (event == DRIVE_INSERTED || event == DRIVE_HOST_LOADED)
		atomic_fetch_add(&tape->mounts, 1);
	atomic_store(&tape->room, 0);
	atomic_store(&tape->partition, 0);
	tape->past_pew = false;
	tape->allowed = 0;
	if (event != DRIVE_FORMATTED) {
		begin_alerts(tape);
		memset(tape->zero + TAPE_DRIVE_ZEROES, 0,
			(TAPE_ZEROES - TAPE_DRIVE_ZEROES) * sizeof(tape->zero[0]));
	}
	if (event == DRIVE_EJECTED || event == DRIVE_HOST_UNLOADED)
		tape_demounted(tape);
	pthread_mutex_lock(&lu->lock);
	refresh(tape);
	if (event == DRIVE_INSERTED && !lu->ejected)
		lu_attention(lu, NULL, UA_MEDIUM_CHANGED);
	pthread_mutex_unlock(&lu->lock);
}

static bool prevents(struct drive_listener *ls)
{
	struct lu *lu = &container_of(ls, struct tape, listener)->lu;
	bool prevented;

	pthread_mutex_lock(&lu->lock);
	prevented = lu_prevented(lu);
	pthread_mutex_unlock(&lu->lock);
	return prevented;
}

/* --- pages ---------------------------------------------------------------------------------- */

/* B0h, sequential-access device capabilities (SSC-4 8.6.3): WORM. */
static void vpd_capabilities(struct wr *w, const struct itl *itl)
{
	(void)itl;
	wr_u8(w, 0x01);
	wr_u8(w, 0);
}

/* B5h, logical block protection (SSC-5 8.6.6): both methods, of four bytes, LBP_W_C and LBP_R_C. */
static void vpd_protection(struct wr *w, const struct itl *itl)
{
	(void)itl;
	wr_zero(w, 4);
	wr_bytes(w, (const uint8_t[]){ 3, TAPE_GUARD_RS, TAPE_GUARD, 0xc0 }, 4);
	wr_bytes(w, (const uint8_t[]){ 3, TAPE_GUARD_CRC32C, TAPE_GUARD, 0xc0 }, 4);
}

/* 86h, extended INQUIRY data: that of all units, but SPT = 001b, a tape's way to protect blocks,
 * and no volatile cache that commands could be about (V_SUP). */
static void vpd_tape_extended(struct wr *w, const struct itl *itl)
{
	size_t at = w->len;

	vpd_extended(w, itl);
	if (!wr_fits(w))
		return;
	w->buf[at] |= 0x08;
	w->buf[at + 2] &= 0xfe;
}

/* B1h, the manufacturer's serial number, and B3h, what the library calls the device: both are the
 * serial number. */
static const struct vpd_page tape_pages[] = {
	{ 0x80, 0, vpd_serial },
	{ 0x83, 0, vpd_identification },
	{ 0x86, 0, vpd_tape_extended },
	{ 0x87, 0, vpd_mode_policy },
	{ 0x88, 0, vpd_scsi_ports },
	{ 0xb0, 0, vpd_capabilities },
	{ 0xb1, 0, vpd_serial },
	{ 0xb3, 0, vpd_serial },
	{ 0xb5, 0, vpd_protection },
	{ .write = NULL },
};

static const struct scsi_op *const tape_ops[] = {
	ssc_rw_ops, ssc_move_ops, ssc_medium_ops, ssc_verify_ops, ssc_format_ops, ssc_log_ops,
	ssc_attribute_ops, ssc_security_ops, spc_ops, mode_ops, diag_ops, buffer_ops, opcodes_ops,
	reserve_ops, removal_ops, pr_in_ops, pr_out_ops, NULL,
};

/* As long as hosts wait for LTO drives: nothing moves here, but a file system may be busy. There
 * are programs that take these for all that they send, and 0 for a time. */
static const struct op_timeout tape_timeouts[] = {
	{ 0x01, 600 }, /* REWIND */
	{ 0x04, 1560 }, /* FORMAT MEDIUM */
	{ 0x08, 1500 }, { 0x88, 1500 }, /* READ */
	{ 0x0a, 1500 }, { 0x8a, 1500 }, /* WRITE */
	{ 0x0b, 780 }, /* SET CAPACITY */
	{ 0x10, 1620 }, { 0x80, 1620 }, /* WRITE FILEMARKS */
	{ 0x11, 2040 }, { 0x91, 2040 }, /* SPACE */
	{ 0x13, 16920 }, { 0x8f, 16920 }, /* VERIFY */
	{ 0x19, 16380 }, { 0x93, 16380 }, /* ERASE */
	{ 0x1b, 780 }, /* LOAD UNLOAD */
	{ 0x2b, 2040 }, { 0x92, 2040 }, /* LOCATE */
	{ 0, 60 },
};

static void tape_end(struct lu *lu)
{
	struct tape *tape = container_of(lu, struct tape, lu);

	drive_unlisten(tape->drive, &tape->listener);
	explicit_bzero(&tape->encryption, sizeof(tape->encryption));
}

/* SAM-5, iSCSI, SPC-4, SSC-4 */
#define TAPE_MODEL(pages_of_modes) { \
	.kind = "tape", \
	.device_type = 0x01, \
	.protects = true, \
	.ops = tape_ops, \
	.pages = tape_pages, \
	.modes = pages_of_modes, \
	.mode_rules = &ssc_mode_rules, \
	.timeouts = tape_timeouts, \
	.end = tape_end, \
	.versions = { 0x00a0, 0x0960, 0x0460, 0x0520 }, \
}

static const struct lu_model models[] = {
	TAPE_MODEL(ssc_modes_1), TAPE_MODEL(ssc_modes_2), TAPE_MODEL(ssc_modes_4),
};

static const struct lu_model *model_of(const struct drive *d)
{
	unsigned partitions = media_generation(drive_generation(d))->partitions;

	return &models[partitions > 2 ? 2 : partitions > 1 ? 1 : 0];
}

/* --- making one ----------------------------------------------------------------------------- */

static const char *or_else(const char *text, const char *otherwise)
{
	return text && *text ? text : otherwise;
}

static bool describe(struct lu *lu, const struct tape_cfg *cfg)
{
	return lu_identify(lu, &(struct lu_identity){
		.vendor = or_else(cfg->vendor, drive_vendor(cfg->drive)),
		.product = or_else(cfg->product, drive_product(cfg->drive)),
		.revision = or_else(cfg->revision, drive_revision(cfg->drive)),
		.serial = or_else(cfg->serial, drive_serial(cfg->drive)),
		.naa = cfg->naa,
	});
}

int tape_create(const struct tape_cfg *cfg, struct lu **out)
{
	struct tape *tape = calloc(1, sizeof(*tape));
	int err = -EINVAL;

	if (!tape)
		return -ENOMEM;
	tape->drive = cfg->drive;
	if (!describe(&tape->lu, cfg))
		goto out;
	atomic_init(&tape->compress, true);
	err = lu_init(&tape->lu, model_of(cfg->drive), LU_REMOVABLE);
	if (err)
		goto out;
	tape->lu.gone = cfg->gone;
	tape->lu.arg = cfg->arg;
	tape->lu.keeper = cfg->keeper;
	tape->lu.pool = cfg->pool;
	if (cfg->kept && !lu_restore(&tape->lu, cfg->kept)) {
		pthread_mutex_destroy(&tape->lu.lock);
		err = -EINVAL;
		goto out;
	}
	tape->listener = (struct drive_listener){ .changed = drive_changed, .prevents = prevents };
	drive_listen(cfg->drive, &tape->listener);
	pthread_mutex_lock(&tape->lu.lock);
	refresh(tape);
	pthread_mutex_unlock(&tape->lu.lock);
	*out = &tape->lu;
	tape = NULL;
out:
	free(tape);
	return err;
}
