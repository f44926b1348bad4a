/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A media changer: its making, its pages, and the commands that move nothing.
 */
#include "scsi/smc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scsi/identity.h"
#include "scsi/mode.h"
#include "scsi/vpd.h"

/* --- INITIALIZE ELEMENT STATUS, POSITION TO ELEMENT -------------------------------- */

/* INITIALIZE ELEMENT STATUS (SMC-3 6.4): what is where is always known; what is on it may have
 * changed behind the library's back. */
static enum scsi_next initialize(struct scsi_task *t)
{
	return smc_ask(t, (struct library_request){ .op = LIBRARY_LOOK });
}

/* INITIALIZE ELEMENT STATUS WITH RANGE (SMC-3 6.5), by either of its codes. */
static enum scsi_next initialize_range(struct scsi_task *t)
{
	struct catalog_place place;

	if (t->cdb[1] & 0x01 && !library_place(changer_of(t)->library, be16(t->cdb + 2), &place))
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INVALID_ELEMENT_ADDRESS);
	return initialize(t);
}

/* POSITION TO ELEMENT (SMC-3 6.8): the robot is everywhere at once. It cannot turn media over. */
static enum scsi_next position(struct scsi_task *t)
{
	const struct changer *c = changer_of(t);
	struct catalog_place place;

	if (t->cdb[8] & 0x01)
		return task_bad_cdb(t, 8, 0);
	if (!smc_transport_valid(c, be16(t->cdb + 2)) ||
		!library_place(c->library, be16(t->cdb + 4), &place))
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INVALID_ELEMENT_ADDRESS);
	return task_good(t);
}

/* --- being told -------------------------------------------------------------------- */

/* A library that has not taken up its cartridges looks empty: hosts have to wait, lest they take
 * them for lost. LOGICAL UNIT IS IN PROCESS OF BECOMING READY. Under the lock. */
static void set_ready(struct lu *lu, bool ready)
{
	atomic_store(&lu->absent, SENSE_NOT_READY << 16 | ASC_BECOMING_READY);
	lu->ejected = !ready;
	lu_update_gates(lu);
}

static void changed(struct library_listener *ls, enum library_event event)
{
	struct lu *lu = &container_of(ls, struct changer, listener)->lu;

	pthread_mutex_lock(&lu->lock);
	if (event == LIBRARY_LOADED)
		set_ready(lu, true);
	lu_attention(lu, NULL, event == LIBRARY_MAIL_CHANGED ? UA_MAIL_CHANGED : UA_MEDIUM_CHANGED);
	pthread_mutex_unlock(&lu->lock);
}

static void moved(struct library_listener *ls, enum library_result result, bool drives)
{
	smc_moved(&container_of(ls, struct changer, listener)->lu, result, drives);
}

static bool locked(struct library_listener *ls)
{
	struct lu *lu = &container_of(ls, struct changer, listener)->lu;
	bool prevented;

	pthread_mutex_lock(&lu->lock);
	prevented = lu_prevented(lu);
	pthread_mutex_unlock(&lu->lock);
	return prevented;
}

/* --- pages ------------------------------------------------------------------------- */

/* Element address assignment (SMC-3 7.3.4): first addresses and numbers. */
static void address_assignment(const struct library *l, uint8_t *values)
{
	static const enum catalog_place_kind order[] = { CATALOG_IN_TRANSPORT, CATALOG_IN_SLOT,
		CATALOG_IN_MAIL_SLOT, CATALOG_IN_DRIVE };

	for (unsigned i = 0; i < 4; i++) {
		struct library_range r = library_range(l, order[i]);

		put_be16(values + 2 + 4 * i, r.first);
		put_be16(values + 4 + 4 * i, r.count);
	}
}

static void mode_defaults(const struct lu *lu, const struct mode_page *p, uint8_t *values)
{
	if (p->code == 0x1d)
		address_assignment(container_of(lu, struct changer, lu)->library, values);
}

static const struct mode_rules changer_rules = { .any_format = true, .defaults = mode_defaults };

/* 86h: tasks of all attributes; there is no cache that could lose anything. */
static void vpd_extended_changer(struct wr *w, const struct itl *itl)
{
	(void)itl;
	wr_u8(w, 0);
	wr_u8(w, 0x07); /* HEADSUP, ORDSUP, SIMPSUP */
	wr_u8(w, 0);
	wr_u8(w, 0x01); /* LUICLR */
	wr_zero(w, 60 - 4);
}

// clang-format off
static const struct vpd_page changer_pages[] = {
	{ 0x80, 0, vpd_serial },
	{ 0x83, 0, vpd_identification },
	{ 0x86, 0, vpd_extended_changer },
	{ 0x87, 0, vpd_mode_policy },
	{ 0x88, 0, vpd_scsi_ports },
	{ .write = NULL },
};

/* What may be moved from a slot, a mail slot or a drive: anywhere but to the robot. */
#define TO_ALL 0x0e /* DT, IE, ST */

static const struct mode_page changer_modes[] = {
	/* Disconnect-reconnect (SPC-5 7.5.10). */
	{ 0x02, 0, 16, .defaults = { 0x02, 0x0e } },
	/* Control (SPC-5 7.5.9): D_SENSE and TAS may be changed. */
	{ 0x0a, 0, 12, .defaults = { 0x0a, 0x0a, 0x02, 0x10, 0, 0x40, [8] = FF2 },
	  .changeable = { [2] = 0x04, [5] = 0x40 } },
	/* Informational exceptions control: DEXCPT, there are none to report. */
	{ 0x1c, 0, 12, .defaults = { 0x1c, 0x0a, 0x08 } },
	/* Element address assignment (SMC-3 7.3.4): see mode_defaults(). */
	{ 0x1d, 0, 20, .defaults = { 0x1d, 0x12 } },
	/* Transport geometry (SMC-3 7.3.5): one robot, which cannot turn media over. */
	{ 0x1e, 0, 4, .defaults = { 0x1e, 0x02 } },
	/* Device capabilities (SMC-3 7.3.2): what stores, what is moved where, what is
	 * exchanged. */
	{ 0x1f, 0, 20, .defaults = { 0x1f, 0x12, TO_ALL, 0, 0, TO_ALL, TO_ALL, TO_ALL,
	  [13] = TO_ALL, TO_ALL, TO_ALL } },
	{ .len = 0 },
};
_Static_assert(sizeof(changer_modes) / sizeof(changer_modes[0]) - 1 <= MODE_PAGES, "pages fit");

static const struct scsi_op *const changer_ops[] = {
	smc_move_ops, smc_status_ops, smc_volume_ops, smc_ops, smc_log_ops, spc_ops, mode_ops,
	diag_ops, buffer_ops, opcodes_ops, reserve_ops, removal_ops, pr_in_ops, pr_out_ops, NULL,
};

const struct scsi_op smc_ops[] = {
	{ 0x07, NO_SERVICE, .name = "INITIALIZE ELEMENT STATUS", .start = initialize,
	  .stops = STOPS_CHANGE | STOPS_READY, .usage = { 0x07, 0, 0, 0, 0, 0x04 } },
	{ 0x2b, NO_SERVICE, .name = "POSITION TO ELEMENT", .start = position,
	  .stops = STOPS_CHANGE | STOPS_READY,
	  .usage = { 0x2b, 0, FF4, 0, 0, 0x01, 0x04 } },
	{ 0x37, NO_SERVICE, .name = "INITIALIZE ELEMENT STATUS WITH RANGE",
	  .start = initialize_range, .stops = STOPS_CHANGE | STOPS_READY,
	  .usage = { 0x37, 0x03, FF2, 0, 0, FF2, 0, 0x04 } },
	{ OP_INITIALIZE_RANGE, NO_SERVICE, .name = "INITIALIZE ELEMENT STATUS WITH RANGE",
	  .start = initialize_range, .stops = STOPS_CHANGE | STOPS_READY,
	  .usage = { OP_INITIALIZE_RANGE, 0x01, FF2, 0, 0, FF2, 0, 0x84 } }, /* NBL */
	{ .name = NULL },
};
// clang-format on

/* --- making one -------------------------------------------------------------------- */

static void end(struct lu *lu)
{
	struct changer *c = container_of(lu, struct changer, lu);

	library_unlisten(c->library, &c->listener);
}

/* A drive that gives a cartridge away writes down what it has; one that takes one may have to find
 * its end. Taking stock looks at every cartridge. */
static const struct op_timeout changer_timeouts[] = {
	{ 0x07, 1800 }, { 0x37, 1800 }, { OP_INITIALIZE_RANGE, 1800 },
	{ 0xa5, 1800 }, /* MOVE MEDIUM */
	{ 0xa6, 3600 }, /* EXCHANGE MEDIUM */
	{ 0, 60 },
};

/* Byte 55 of the INQUIRY data, which is the vendor's: there is a bar code scanner. */
static void scanner(const struct lu *lu, uint8_t bytes[static 20])
{
	(void)lu;
	bytes[55 - 36] = 0x01;
}

static const struct lu_model changer_model_rows = {
	.kind = "changer",
	.device_type = 0x08,
	.ops = changer_ops,
	.pages = changer_pages,
	.modes = changer_modes,
	.mode_rules = &changer_rules,
	.timeouts = changer_timeouts,
	.end = end,
	.inquiry = scanner,
	.versions = { 0x00a0, 0x0960, 0x0460, 0x0480 }, /* SAM-5, iSCSI, SPC-4, SMC-3 */
};

static const char *text_or(const char *text, const char *otherwise)
{
	return text && *text ? text : otherwise;
}

int changer_create(const struct changer_cfg *cfg, struct lu **out)
{
	const struct changer_model *m = library_model(cfg->library);
	struct lu_identity id = {
		.vendor = text_or(cfg->vendor, m->vendor),
		.product = text_or(cfg->product, m->product),
		.revision = text_or(cfg->revision, m->revision),
		.serial = cfg->serial,
		.naa = cfg->naa,
	};
	struct changer *c = calloc(1, sizeof(*c));
	int err = -EINVAL;

	if (!c)
		return -ENOMEM;
	c->library = cfg->library;
	c->listener =
		(struct library_listener){ .changed = changed, .moved = moved, .locked = locked };
	if (!lu_identify(&c->lu, &id))
		goto out;
	err = lu_init(&c->lu, &changer_model_rows, LU_REMOVABLE);
	if (err)
		goto out;
	c->lu.gone = cfg->gone;
	c->lu.arg = cfg->arg;
	c->lu.keeper = cfg->keeper;
	c->lu.pool = cfg->pool;
	if (cfg->kept && !lu_restore(&c->lu, cfg->kept)) {
		pthread_mutex_destroy(&c->lu.lock);
		err = -EINVAL;
		goto out;
	}
	library_listen(c->library, &c->listener);
	pthread_mutex_lock(&c->lu.lock);
	set_ready(&c->lu, library_loaded(c->library));
	pthread_mutex_unlock(&c->lu.lock);
	*out = &c->lu;
	c = NULL;
out:
	free(c);
	return err;
}
