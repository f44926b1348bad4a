/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LOG SENSE and LOG SELECT of a media changer: the pages that there are, and TapeAlert.
 */
#include "scsi/alert.h"
#include "scsi/log.h"
#include "scsi/smc.h"

/* TapeAlert flags (SMC-3 annex A) that are ever raised. Nothing in this library wears or sticks,
 * and there is no door: what is left is what happens to moves, and to files behind its back. */
enum {
	ALERT_DRIVE = 1,      /* Library hardware A: a drive did not give its cartridge away */
	ALERT_MECHANISM = 2,  /* Library hardware B: file system or catalog failed in a move */
	ALERT_INVENTORY = 24, /* Library inventory: a cartridge is not where it should be */
	ALERT_ILLEGAL = 25,   /* Library illegal operation: what is not allowed at this time */
};

static const uint8_t pages[] = { 0x00, ALERT_PAGE }, alert_pages[] = { ALERT_PAGE };

/* --- flags ------------------------------------------------------------------------- */

void smc_moved(struct lu *lu, enum library_result result, bool drives)
{
	switch (result) {
	case LIBRARY_OK:
		alert_clear(lu, ALERT_BIT(ALERT_MECHANISM) | ALERT_BIT(ALERT_ILLEGAL) |
					(drives ? ALERT_BIT(ALERT_DRIVE) : 0));
		break;
	case LIBRARY_DRIVE_FAILED: alert_raise(lu, ALERT_DRIVE); break;
	case LIBRARY_FAILED:
	case LIBRARY_NO_SPACE: alert_raise(lu, ALERT_MECHANISM); break;
	case LIBRARY_PREVENTED:
	case LIBRARY_KEPT: alert_raise(lu, ALERT_ILLEGAL); break;
	default: break;
	}
}

/* Raised anew whenever one more cartridge is missed, and up until none is. */
static void take_stock(struct changer *c)
{
	struct library_status status;
	unsigned before;

	library_status(c->library, &status);
	before = atomic_exchange(&c->missing, status.missing);
	if (status.missing > before)
		alert_raise(&c->lu, ALERT_INVENTORY);
	if (!status.missing)
		alert_clear(&c->lu, ALERT_BIT(ALERT_INVENTORY));
}

/* --- commands ---------------------------------------------------------------------- */

/* LOG SENSE (SPC-5 6.8). Flags that this host has read are told it no more. */
static enum scsi_next log_sense(struct scsi_task *t)
{
	uint64_t flags;
	struct wr w;

	if (!log_asked(t, pages, sizeof(pages)) || !reply_open(t, &w, 512))
		return SCSI_DONE;
	take_stock(changer_of(t));
	flags = alert_untold(t->itl);
	log_open(&w, t->cdb);
	if (LOG_PAGE(t->cdb) == ALERT_PAGE)
		alert_page(&w, flags);
	else
		log_list(&w, pages, sizeof(pages), LOG_SUBPAGE(t->cdb));
	log_close(t, &w);
	if (LOG_PAGE(t->cdb) == ALERT_PAGE && t->status == SCSI_GOOD)
		alert_told(t->itl, flags);
	return SCSI_DONE;
}

/* LOG SELECT (SPC-5 6.7): flags go down, and come up again when what they tell of is next met. */
static enum scsi_next select_pages(struct scsi_task *t)
{
	struct lu *lu = t->itl->lu;

	if (!log_select(t, alert_pages, sizeof(alert_pages)))
		return SCSI_DONE;
	if (!log_resets(t->cdb))
		return task_good(t);
	take_stock(changer_of(t));
	alert_clear(lu, UINT64_MAX);
	pthread_mutex_lock(&lu->lock);
	lu_attention(lu, t->itl, UA_LOG_CHANGED);
	pthread_mutex_unlock(&lu->lock);
	return task_good(t);
}

// clang-format off
const struct scsi_op smc_log_ops[] = {
	{ 0x4c, NO_SERVICE, .name = "LOG SELECT", .start = select_pages,
	  .stops = STOPS_CHANGE, .usage = { 0x4c, 0x03, FF2, 0, 0, 0, FF2, 0x04 } },
	{ 0x4d, NO_SERVICE, .name = "LOG SENSE", .start = log_sense,
	  .stops = STOPS_UA, .usage = { 0x4d, 0x03, FF2, 0, FF4, 0x04 } },
	{ .name = NULL },
};
// clang-format on
