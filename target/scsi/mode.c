/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MODE SENSE and MODE SELECT (SPC-5 6.14 to 6.17, 7.5).
 */
#include "scsi/mode.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "scsi/op.h"
#include "scsi/reply.h"
#include "scsi/sbc.h"

enum { PC_CURRENT, PC_CHANGEABLE, PC_DEFAULT, PC_SAVED };

#define ALL_PAGES    0x3f
#define ALL_SUBPAGES 0xff
#define PS           0x80
#define SPF          0x40
#define SP           0x01

/* Device-specific parameter of disks (SBC-4 6.5.1). */
#define WP           0x80
#define DPOFUA       0x10

/* --- what the values mean ------------------------------------------------------------ */

static int find_page(const struct lu *lu, uint8_t code, uint8_t subpage)
{
	const struct mode_page *p = lu->model->modes;

	for (unsigned i = 0; p[i].len; i++)
		if (p[i].code == code && p[i].subpage == subpage)
			return (int)i;
	return -1;
}

uint8_t *mode_values(struct lu *lu, uint8_t code, uint8_t subpage)
{
	int i = find_page(lu, code, subpage);

	return i < 0 ? NULL : lu->mode[i];
}

/* QErr 10b is reserved. */
static bool reserved_qerr(const struct mode_page *p, const uint8_t *v)
{
	return p->code == 0x0a && !p->subpage && (v[3] >> 1 & 3) == QERR_RESERVED;
}

static bool select_disk_page(struct scsi_task *t, const struct mode_page *p, const uint8_t *now,
	uint8_t *next, unsigned start)
{
	(void)now;
	if (reserved_qerr(p, next))
		return task_bad_list(t, start + 3, 2), false;
	return true;
}

static const struct mode_rules disk_rules = {
	.block_descriptor = 8, .select_page = select_disk_page
};

static const struct mode_rules *rules_of(const struct lu *lu)
{
	return lu->model->mode_rules ? lu->model->mode_rules : &disk_rules;
}

static bool is_disk(const struct lu *lu)
{
	return rules_of(lu) == &disk_rules;
}

/* Copies out what commands ask on their way. */
static void take_effect(struct lu *lu)
{
	const uint8_t *control = mode_values(lu, 0x0a, 0), *caching = mode_values(lu, 0x08, 0);

	atomic_store(&lu->descriptor_sense, control && control[2] & 0x04);
	lu->protected = control && control[4] & 0x08;
	atomic_store(&lu->tas, control && control[5] & 0x40);
	atomic_store(&lu->qerr, (uint8_t)(control ? control[3] >> 1 & 0x03 : QERR_NOTHING));
	atomic_store(&lu->write_through, caching && !(caching[2] & 0x04));
	if (rules_of(lu)->changed)
		rules_of(lu)->changed(lu);
	lu_update_gates(lu);
}

static bool savable(const struct lu *lu, const struct mode_page *p)
{
	static const uint8_t nothing[MODE_PAGE_SIZE];

	return lu->mode_keeper && memcmp(p->changeable, nothing, sizeof(nothing)) != 0;
}

/* The default values of the model's i-th page, as this unit has them. */
static void copy_defaults(const struct lu *lu, unsigned i, uint8_t out[static MODE_PAGE_SIZE])
{
	const struct mode_page *p = &lu->model->modes[i];

	memcpy(out, p->defaults, p->len);
	if (p->code == 0x08 && !p->subpage && lu->has & LU_WRITE_THROUGH)
		out[2] &= (uint8_t)~0x04; /* WCE */
	if (rules_of(lu)->defaults)
		rules_of(lu)->defaults(lu, p, out);
}

/* What a reset brings back. */
static void copy_saved(const struct lu *lu, unsigned i, uint8_t out[static MODE_PAGE_SIZE])
{
	if (lu->mode_keeper)
		memcpy(out, lu->saved[i], MODE_PAGE_SIZE);
	else
		copy_defaults(lu, i, out);
}

void mode_reset(struct lu *lu)
{
	for (unsigned i = 0; lu->model->modes[i].len; i++)
		copy_saved(lu, i, lu->mode[i]);
	if (rules_of(lu)->head_defaults)
		rules_of(lu)->head_defaults(lu, &lu->mode_head);
	take_effect(lu);
}

void mode_reset_page(struct lu *lu, uint8_t code, uint8_t subpage)
{
	int i = find_page(lu, code, subpage);

	if (i >= 0)
		copy_saved(lu, (unsigned)i, lu->mode[i]);
	take_effect(lu);
}

/* --- what is saved ------------------------------------------------------------------- */

/* What mode_select() would not have taken is not taken from a catalog either. */
static void restore_page(struct lu *lu, const struct lu_saved_page *from)
{
	int i = find_page(lu, from->code, from->subpage);
	const struct mode_page *p = i < 0 ? NULL : &lu->model->modes[i];
	uint8_t *v = i < 0 ? NULL : lu->saved[i];

	if (!p || p->len != from->len)
		return;
	for (unsigned b = 0; b < p->len; b++) {
		uint8_t bits = from->mask[b] & p->changeable[b];

		v[b] = (uint8_t)((v[b] & ~bits) | (from->value[b] & bits));
	}
	if (reserved_qerr(p, v))
		copy_defaults(lu, (unsigned)i, v);
}

void mode_restore(struct lu *lu, struct lu_mode_keeper *keeper, const struct lu_saved *saved)
{
	lu->mode_keeper = keeper;
	for (unsigned i = 0; lu->model->modes[i].len; i++)
		copy_defaults(lu, i, lu->saved[i]);
	for (unsigned i = 0; keeper && saved && i < saved->n; i++)
		restore_page(lu, &saved->pages[i]);
	mode_reset(lu);
}

/* What is to be kept so that these values come back: nothing of pages that are as by default. */
static void gather(const struct lu *lu, uint8_t mode[][MODE_PAGE_SIZE], struct lu_saved *out)
{
	out->n = 0;
	for (unsigned i = 0; lu->model->modes[i].len; i++) {
		const struct mode_page *p = &lu->model->modes[i];
		struct lu_saved_page *to = &out->pages[out->n];
		uint8_t defaults[MODE_PAGE_SIZE];

		copy_defaults(lu, i, defaults);
		if (!savable(lu, p) || !memcmp(mode[i], defaults, p->len))
			continue;
		*to = (struct lu_saved_page){ p->code, p->subpage, p->len, { 0 }, { 0 } };
		memcpy(to->value, mode[i], p->len);
		for (unsigned b = 0; b < p->len; b++)
			to->mask[b] = mode[i][b] ^ defaults[b];
		out->n++;
	}
}

/* --- MODE SENSE ---------------------------------------------------------------------- */

struct sense_req {
	uint8_t page, subpage, control;
	bool ten, no_block, long_lba;
};

static bool wanted(const struct mode_page *p, const struct sense_req *r)
{
	if (r->page != ALL_PAGES && r->page != p->code)
		return false;
	return r->subpage == ALL_SUBPAGES || r->subpage == p->subpage;
}

static void wr_page(struct wr *w, const struct lu *lu, unsigned i, uint8_t control)
{
	const struct mode_page *p = &lu->model->modes[i];
	unsigned header = p->subpage ? 4 : 2;
	uint8_t v[MODE_PAGE_SIZE];

	switch (control) {
	case PC_CURRENT:
		memcpy(v, lu->mode[i], p->len);
		if (p->state) {
			assert(rules_of(lu)->state);
			v[p->state] = rules_of(lu)->state(lu, p);
		}
		break;
	case PC_CHANGEABLE:
		memcpy(v, p->changeable, p->len);
		memcpy(v, p->defaults, header);
		break;
	case PC_SAVED: copy_saved(lu, i, v); break;
	default: copy_defaults(lu, i, v);
	}
	v[0] |= savable(lu, p) ? PS : 0;
	wr_bytes(w, v, p->len);
}

/* The pages that were asked for; how many there are. */
static unsigned wr_pages(struct wr *w, struct lu *lu, const struct sense_req *r)
{
	unsigned n = 0;

	pthread_mutex_lock(&lu->lock);
	for (unsigned i = 0; lu->model->modes[i].len; i++) {
		if (!wanted(&lu->model->modes[i], r))
			continue;
		wr_page(w, lu, i, r->control);
		n++;
	}
	pthread_mutex_unlock(&lu->lock);
	return n;
}

/* Short or long LBA mode parameter block descriptor (SBC-4 6.5.2). */
static void wr_block(struct wr *w, const struct lu *lu, bool long_lba)
{
	uint64_t blocks = lu_blocks(lu);

	if (long_lba) {
		wr_be64(w, blocks);
		wr_zero(w, 4);
	} else {
		wr_be32(w, blocks > UINT32_MAX ? UINT32_MAX : (uint32_t)blocks);
	}
	wr_be32(w, lu->block_size);
}

/* Density, number of blocks (0: the rest of the medium) and their length (SSC-4 8.3.2). */
static void wr_density_block(struct wr *w, const struct mode_head *h)
{
	wr_u8(w, h->density);
	wr_be24(w, 0);
	wr_u8(w, 0);
	wr_be24(w, h->block_len);
}

/* Mode parameter header (SPC-5 7.5.5); its length field is filled when the length is known. */
static void wr_header(
	struct wr *w, const struct itl *itl, const struct mode_head *h, const struct sense_req *r)
{
	uint8_t device = is_disk(itl->lu) ? DPOFUA : h->device;
	uint8_t block = r->no_block ? 0 : r->long_lba ? 16 : 8;

	if (atomic_load_explicit(&itl->gate, memory_order_relaxed) & GATE_PROTECTED)
		device |= WP;
	if (r->ten) {
		wr_bytes(w, (const uint8_t[]){ 0, 0, h->medium, device, r->long_lba, 0, 0, block },
			8);
		return;
	}
	wr_bytes(w, (const uint8_t[]){ 0, h->medium, device, block }, 4);
}

static void wr_head(struct wr *w, const struct itl *itl, const struct sense_req *r)
{
	struct lu *lu = itl->lu;
	struct mode_head h;

	pthread_mutex_lock(&lu->lock);
	h = lu->mode_head;
	pthread_mutex_unlock(&lu->lock);
	wr_header(w, itl, &h, r);
	if (r->no_block)
		return;
	if (is_disk(lu))
		wr_block(w, lu, r->long_lba);
	else
		wr_density_block(w, &h);
}

static enum scsi_next mode_sense(struct scsi_task *t, struct sense_req *r, uint32_t alloc)
{
	struct lu *lu = t->itl->lu;
	const struct mode_rules *rules = rules_of(lu);
	struct wr w;

	if (r->control == PC_SAVED && !lu->mode_keeper)
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_SAVING_NOT_SUPPORTED);
	if (!reply_open(t, &w, 512))
		return SCSI_DONE;
	r->no_block = r->no_block || !rules->block_descriptor;
	r->long_lba = r->long_lba && !r->no_block && is_disk(lu);
	wr_head(&w, t->itl, r);
	if (!(rules->bare && !r->page && !r->subpage) && !wr_pages(&w, lu, r))
		return task_bad_cdb(t, 2, 5);
	if (r->ten)
		put_be16(w.buf, (uint16_t)(w.len - 2));
	else
		w.buf[0] = (uint8_t)(w.len - 1);
	return reply_close(t, &w, alloc);
}

static struct sense_req sense_req(const uint8_t *cdb)
{
	return (struct sense_req){
		.page = cdb[2] & 0x3f,
		.subpage = cdb[3],
		.control = cdb[2] >> 6,
		.no_block = cdb[1] & 0x08,
	};
}

/* MODE SENSE(6), SPC-5 6.16. */
static enum scsi_next mode_sense6(struct scsi_task *t)
{
	struct sense_req r = sense_req(t->cdb);

	return mode_sense(t, &r, t->cdb[4]);
}

/* MODE SENSE(10), SPC-5 6.17. */
static enum scsi_next mode_sense10(struct scsi_task *t)
{
	struct sense_req r = sense_req(t->cdb);

	r.ten = true;
	r.long_lba = t->cdb[1] & 0x10;
	return mode_sense(t, &r, be16(t->cdb + 7));
}

/* --- MODE SELECT --------------------------------------------------------------------- */

/* The new values, and where in the list the page under the cursor begins. */
struct select {
	struct lu *lu;
	struct rd rd;
	size_t len;
	struct mode_head head;
	uint8_t mode[MODE_PAGES][MODE_PAGE_SIZE];
};

static unsigned at(const struct select *s)
{
	return (unsigned)(s->len - s->rd.left);
}

/* One page: known, of the right length, and nothing in it changed that may not be. False: the
 * task has its status. */
static bool select_page(struct scsi_task *t, struct select *s)
{
	unsigned start = at(s);
	uint8_t first = rd_u8(&s->rd);
	uint8_t subpage = first & SPF ? rd_u8(&s->rd) : 0;
	unsigned len = first & SPF ? rd_be16(&s->rd) : rd_u8(&s->rd);
	unsigned header = at(s) - start;
	int i = find_page(s->lu, first & 0x3f, subpage);
	const struct mode_rules *rules = rules_of(s->lu);
	const struct mode_page *p;
	const uint8_t *v;

	if (!rd_ok(&s->rd))
		return task_list_too_short(t), false;
	if (i < 0)
		return task_bad_list(t, start, 5), false;
	p = &s->lu->model->modes[i];
	if (header + len != p->len || !(first & SPF) != !p->subpage)
		return task_bad_list(t, start + header - 1, -1), false;
	v = rd_bytes(&s->rd, len);
	if (!v)
		return task_list_too_short(t), false;
	for (unsigned b = 0; b < len; b++) {
		uint8_t *now = &s->mode[i][header + b];
		unsigned odd =
			(unsigned)(v[b] ^ *now) & ~(unsigned)p->changeable[header + b] & 0xff;

		if (p->state && header + b == p->state)
			continue;
		if (odd)
			return task_bad_list(t, start + header + b, 31 - __builtin_clz(odd)), false;
		*now = v[b];
	}
	return !rules->select_page ||
	       rules->select_page(t, p, s->lu->mode[i], s->mode[i], start);
}

/* The block descriptor may repeat what the unit has, and cannot change it. */
static bool select_block(struct scsi_task *t, struct select *s, unsigned len, bool long_lba)
{
	unsigned start = at(s);
	uint64_t have = lu_blocks(s->lu), blocks;
	uint32_t size;

	if (!len)
		return true;
	if (len != (long_lba ? 16 : 8))
		return task_bad_list(t, start - 1, -1), false;
	blocks = long_lba ? rd_be64(&s->rd) : rd_be32(&s->rd);
	if (long_lba)
		rd_be32(&s->rd);
	size = long_lba ? rd_be32(&s->rd) : rd_be32(&s->rd) & 0xffffff;
	if (!rd_ok(&s->rd))
		return task_list_too_short(t), false;
	if (blocks && blocks != have && !(!long_lba && blocks == UINT32_MAX && have > UINT32_MAX))
		return task_bad_list(t, start, -1), false;
	if (size != s->lu->block_size)
		return task_bad_list(t, start + (long_lba ? 12 : 5), -1), false;
	return true;
}

/* The same for units that have a density, and blocks of a length that may be chosen. */
static bool select_density(struct scsi_task *t, struct select *s, unsigned len)
{
	const struct mode_rules *rules = rules_of(s->lu);
	unsigned start = at(s);

	if (len && len != rules->block_descriptor)
		return task_bad_list(t, start - 1, -1), false;
	if (len) {
		s->head.density = rd_u8(&s->rd);
		rd_be32(&s->rd); /* number of blocks: all of them, whatever it says */
		s->head.block_len = rd_be24(&s->rd);
	}
	if (!rd_ok(&s->rd))
		return task_list_too_short(t), false;
	return !rules->select_head ||
	       rules->select_head(t, &s->lu->mode_head, &s->head, len ? start : 0);
}

/* Header, block descriptor, pages. Under the unit's lock. */
static bool select_list(struct scsi_task *t, struct select *s, bool ten)
{
	bool long_lba = false;
	unsigned block;

	rd_bytes(&s->rd, ten ? 3 : 2); /* mode data length (reserved), medium */
	s->head.device = rd_u8(&s->rd) & (uint8_t)~WP;
	if (ten) {
		long_lba = rd_u8(&s->rd) & 1;
		rd_u8(&s->rd);
	}
	block = ten ? rd_be16(&s->rd) : rd_u8(&s->rd);
	if (!rd_ok(&s->rd))
		return task_list_too_short(t), false;
	if (is_disk(s->lu) ? !select_block(t, s, block, long_lba) : !select_density(t, s, block))
		return false;
	while (s->rd.left)
		if (!select_page(t, s))
			return false;
	return true;
}

static bool differs(const struct lu *lu, const struct select *s)
{
	const struct mode_head *a = &lu->mode_head, *b = &s->head;

	return memcmp(s->mode, lu->mode, sizeof(s->mode)) ||
	       (!is_disk(lu) && (a->device != b->device || a->density != b->density ||
					a->block_len != b->block_len));
}

static void put_in_force(const struct itl *itl, const struct select *s)
{
	struct lu *lu = s->lu;

	if (!differs(lu, s))
		return;
	memcpy(lu->mode, s->mode, sizeof(s->mode));
	lu->mode_head = s->head;
	take_effect(lu);
	lu_attention(lu, itl, UA_MODE_CHANGED);
}

/* Where WCE is off from now on nobody will ask for what was acknowledged before to be flushed. */
static enum scsi_next done(struct scsi_task *t)
{
	const struct lu *lu = t->itl->lu;

	return is_disk(lu) && sbc_write_through(lu) ? sbc_flush(t) : task_good(t);
}

/* A MODE SELECT with SP=1 that waits. */
struct save {
	struct scsi_task *task;
	struct select select;
	struct lu_keep keep;
};

/* What is answered must be what is saved: INTERNAL TARGET FAILURE if that could not be. */
static enum scsi_next saved(struct scsi_task *t, int err)
{
	return err ? task_check(t, SENSE_HARDWARE_ERROR, ASC_INTERNAL_TARGET_FAILURE) : done(t);
}

/* Durable values are in force also when nobody waits for the answer any more: they would be after
 * the next reset. Those that are not never are, or an initiator that was refused could go on with a
 * write cache of which it does not know. */
static void kept(struct lu_keep *k, int err)
{
	struct save *save = container_of(k, struct save, keep);
	struct lu *lu = save->select.lu;

	pthread_mutex_lock(&lu->lock);
	lu->saving = false;
	if (!err) {
		memcpy(lu->saved, save->select.mode, sizeof(lu->saved));
		put_in_force(save->task->itl, &save->select);
	}
	pthread_mutex_unlock(&lu->lock);
	task_go_on(save->task, err);
}

/* SP=1: all pages that can be saved are, also those that the list has not brought. */
static enum scsi_next keep(struct scsi_task *t, const struct select *s)
{
	struct save *save = malloc(sizeof(*save));
	struct lu *lu = s->lu;
	struct lu_saved what;

	if (!save)
		return task_status(t, SCSI_BUSY);
	save->task = t;
	save->select = *s;
	save->keep = (struct lu_keep){ .loop = t->nexus->loop, .done = kept };
	t->more = save;
	t->then = saved;
	t->busy = true;
	lu->saving = true;
	gather(lu, save->select.mode, &what);
	lu->mode_keeper->keep(lu->mode_keeper, &save->keep, lu->naa, &what);
	return SCSI_PENDING;
}

/* Under the unit's lock. Others wait until what is being saved is in force, as it is made of what
 * was in force when it began. */
static enum scsi_next select_locked(struct scsi_task *t, struct select *s, bool listed)
{
	struct lu *lu = s->lu;

	if (lu->saving)
		return task_status(t, SCSI_BUSY);
	s->head = lu->mode_head;
	memcpy(s->mode, lu->mode, sizeof(s->mode));
	if (listed && !select_list(t, s, t->cdb[0] == 0x55))
		return SCSI_DONE;
	if (t->cdb[1] & SP)
		return keep(t, s);
	put_in_force(t->itl, s);
	return SCSI_DONE;
}

/* Takes the whole list or nothing of it. */
static enum scsi_next select_values(struct scsi_task *t, struct select *s, bool listed)
{
	enum scsi_next next;

	pthread_mutex_lock(&s->lu->lock);
	next = select_locked(t, s, listed);
	pthread_mutex_unlock(&s->lu->lock);
	return next == SCSI_DONE && t->status == SCSI_GOOD ? done(t) : next;
}

static enum scsi_next mode_select_data(struct scsi_task *t)
{
	struct select s = { .lu = t->itl->lu, .rd = list_cursor(t), .len = t->got };

	return select_values(t, &s, true);
}

/* Without a list nothing changes, but the current values may be saved. */
static enum scsi_next mode_select_nothing(struct scsi_task *t)
{
	struct select s = { .lu = t->itl->lu };

	return t->cdb[1] & SP ? select_values(t, &s, false) : task_good(t);
}

static enum scsi_next mode_select(struct scsi_task *t, uint32_t len)
{
	if (t->cdb[1] & SP && !t->itl->lu->mode_keeper)
		return task_bad_cdb(t, 1, 0);
	if (!len)
		return mode_select_nothing(t);
	if (!(t->cdb[1] & 0x10) && !rules_of(t->itl->lu)->any_format) /* a vendor's own format */
		return task_bad_cdb(t, 1, 4);
	return list_wanted(t, len);
}

/* MODE SELECT(6), SPC-5 6.14. */
static enum scsi_next mode_select6(struct scsi_task *t)
{
	return mode_select(t, t->cdb[4]);
}

/* MODE SELECT(10), SPC-5 6.15. */
static enum scsi_next mode_select10(struct scsi_task *t)
{
	return mode_select(t, be16(t->cdb + 7));
}

// clang-format off
const struct scsi_op mode_ops[] = {
	{ 0x15, NO_SERVICE, .name = "MODE SELECT(6)", .start = mode_select6,
	  .data = mode_select_data, .stops = STOPS_CHANGE,
	  .usage = { 0x15, 0x11, 0, 0, 0xff, 0x04 } },
	{ 0x1a, NO_SERVICE, .name = "MODE SENSE(6)", .start = mode_sense6,
	  .stops = STOPS_LOOK, .usage = { 0x1a, 0x08, FF2, 0xff, 0x04 } },
	{ 0x55, NO_SERVICE, .name = "MODE SELECT(10)", .start = mode_select10,
	  .data = mode_select_data, .stops = STOPS_CHANGE,
	  .usage = { 0x55, 0x11, 0, 0, 0, 0, 0, FF2, 0x04 } },
	{ 0x5a, NO_SERVICE, .name = "MODE SENSE(10)", .start = mode_sense10,
	  .stops = STOPS_LOOK, .usage = { 0x5a, 0x18, FF2, 0, 0, 0, FF2, 0x04 } },
	{ .name = NULL },
};
// clang-format on
