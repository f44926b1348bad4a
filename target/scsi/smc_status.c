/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * READ ELEMENT STATUS, and how elements are described (SMC-3 6.11).
 */
#include <stdlib.h>
#include <string.h>

#include "scsi/smc.h"

/* Byte 1 of a page's header. */
#define PVOLTAG 0x80

/* Flags of descriptors (SMC-3 tables 32 to 35). */
#define FULL    0x01
#define IMPEXP  0x02
#define ACCESS  0x08
#define EXENAB  0x10
#define INENAB  0x20
#define SVALID  0x80

/* MEDIUM TYPE (SMC-3 table 36). */
enum { MEDIUM_DATA = 1, MEDIUM_CLEANING = 2, MEDIUM_WORM = 4 };

#define HEADER        8
#define PAGE_HEADER   8
#define DESCRIPTOR    16u /* without volume tag and device identifier */
#define DEVICE_ID_MAX (8 + 16 + 32)

/* A report in the making. */
struct writer {
	const struct smc_report *r;
	struct wr w;
	size_t id_size; /* room for device identifiers */
	uint16_t first, n;
	unsigned pages;
	struct {
		size_t start;
		enum catalog_place_kind type;
		size_t descriptor;
	} page[4];
};

/* --- descriptors ------------------------------------------------------------------- */

static uint8_t flags_of(const struct library_element *e)
{
	uint8_t full = e->full ? FULL : 0;

	switch (e->place.kind) {
	case CATALOG_IN_TRANSPORT: return full;
	case CATALOG_IN_MAIL_SLOT:
		return (uint8_t)(full | ACCESS | EXENAB | INENAB | (e->imported ? IMPEXP : 0));
	default: return full | ACCESS;
	}
}

static uint8_t medium_type(const struct library_element *e)
{
	if (!e->full)
		return 0;
	return e->cleaning ? MEDIUM_CLEANING : e->worm ? MEDIUM_WORM : MEDIUM_DATA;
}

/* The volume identifier with spaces behind it, or nothing but zeros (SMC-3 7.1). */
static void wr_volume_tag(struct wr *w, const struct library_element *e)
{
	uint8_t tag[VOLUME_TAG_SIZE] = { 0 };

	if (e->full) {
		memset(tag, ' ', VOLUME_ID_SIZE);
		memcpy(tag, e->barcode, strlen(e->barcode));
	}
	wr_bytes(w, tag, sizeof(tag));
}

/* Text in a field with spaces behind it. */
static void wr_padded(struct wr *w, const char *text, size_t width)
{
	size_t n = strlen(text);

	wr_bytes(w, text, n < width ? n : width);
	for (; n < width; n++)
		wr_u8(w, ' ');
}

/* The drive's own T10 vendor identification, as its page 83h has it. */
static void wr_device_id(struct wr *w, const struct library_element *e, size_t room)
{
	size_t serial = e->drive && room ? strlen(drive_serial(e->drive)) : 0;

	if (!serial) {
		wr_zero(w, 4 + room);
		return;
	}
	wr_u8(w, 0x02); /* ASCII */
	wr_u8(w, 0x01); /* T10 vendor ID based */
	wr_u8(w, 0);
	wr_u8(w, (uint8_t)(8 + 16 + serial));
	wr_padded(w, drive_vendor(e->drive), 8);
	wr_padded(w, drive_product(e->drive), 16);
	wr_bytes(w, drive_serial(e->drive), serial);
	wr_zero(w, room - 24 - serial);
}

static void wr_element(struct wr *w, const struct library_element *e, const struct writer *to)
{
	wr_be16(w, e->address);
	wr_u8(w, flags_of(e));
	wr_zero(w, 6); /* no exception; no address on a bus */
	wr_u8(w, (uint8_t)(medium_type(e) | (e->full && e->sourced ? SVALID : 0)));
	wr_be16(w, e->full && e->sourced ? e->source : 0);
	if (to->r->volume_tags)
		wr_volume_tag(w, e);
	wr_device_id(w, e, e->place.kind == CATALOG_IN_DRIVE ? to->id_size : 0);
}

/* --- pages ------------------------------------------------------------------------- */

/* Begins a page where another type of elements begins. */
static void open_page(struct writer *to, enum catalog_place_kind type)
{
	size_t len = DESCRIPTOR + (to->r->volume_tags ? VOLUME_TAG_SIZE : 0) +
		     (type == CATALOG_IN_DRIVE ? to->id_size : 0);

	to->page[to->pages].start = to->w.len;
	to->page[to->pages].type = type;
	to->page[to->pages].descriptor = len;
	to->pages++;
	wr_u8(&to->w, (uint8_t)type);
	wr_u8(&to->w, to->r->volume_tags ? PVOLTAG : 0);
	wr_be16(&to->w, (uint16_t)len);
	wr_zero(&to->w, 4);
}

static void add(const struct library_element *e, void *arg)
{
	struct writer *to = arg;

	if (to->n == to->r->max || (to->r->wanted && !to->r->wanted(e, to->r->arg)))
		return;
	if (!to->n++)
		to->first = e->address;
	if (!to->pages || to->page[to->pages - 1].type != e->place.kind)
		open_page(to, e->place.kind);
	wr_element(&to->w, e, to);
}

static size_t page_end(const struct writer *to, unsigned i)
{
	return i + 1 < to->pages ? to->page[i + 1].start : to->w.len;
}

/* The counts, which do not depend on the allocation length. */
static void finish(struct writer *to)
{
	put_be16(to->w.buf, to->first);
	put_be16(to->w.buf + 2, to->n);
	to->w.buf[4] = to->r->action;
	put_be24(to->w.buf + 5, (uint32_t)(to->w.len - HEADER));
	for (unsigned i = 0; i < to->pages; i++)
		put_be24(to->w.buf + to->page[i].start + 5,
			(uint32_t)(page_end(to, i) - to->page[i].start - PAGE_HEADER));
}

/* How much of it goes into the allocation length: whole headers and descriptors. */
static uint32_t whole(const struct writer *to, uint32_t alloc)
{
	size_t fits = HEADER;

	if (alloc < HEADER || to->w.len <= alloc)
		return alloc;
	for (unsigned i = 0; i < to->pages; i++) {
		size_t body = to->page[i].start + PAGE_HEADER, left;

		if (body > alloc)
			break;
		left = (page_end(to, i) < alloc ? page_end(to, i) : alloc) - body;
		fits = body + left / to->page[i].descriptor * to->page[i].descriptor;
		if (fits < page_end(to, i))
			break;
	}
	return (uint32_t)fits;
}

/* Room for the identifier of each drive. */
static void measure(const struct library_element *e, void *arg)
{
	size_t n = 8 + 16 + strlen(drive_serial(e->drive)), *most = arg;

	if (n > *most)
		*most = n < DEVICE_ID_MAX ? n : DEVICE_ID_MAX;
}

static size_t most_elements(const struct changer *c, const struct smc_report *r)
{
	size_t n = 0;

	for (unsigned type = CATALOG_IN_TRANSPORT; type < ELEMENT_TYPES_END; type++)
		if (r->type == CATALOG_IN_VAULT || r->type == type)
			n += library_range(c->library, (enum catalog_place_kind)type).count;
	return n < r->max ? n : r->max;
}

enum scsi_next smc_report(struct scsi_task *t, const struct smc_report *r, uint32_t alloc)
{
	const struct changer *c = changer_of(t);
	struct writer to = { .r = r };
	size_t each = DESCRIPTOR + VOLUME_TAG_SIZE + DEVICE_ID_MAX;

	if (r->device_ids)
		library_elements(c->library, CATALOG_IN_DRIVE, 0, SIZE_MAX, measure, &to.id_size);
	if (!reply_open(t, &to.w, HEADER + 4 * PAGE_HEADER + most_elements(c, r) * each))
		return SCSI_DONE;
	wr_zero(&to.w, HEADER);
	library_elements(c->library, r->type, r->start, r->wanted ? SIZE_MAX : r->max, add, &to);
	finish(&to);
	return reply_close(t, &to.w, whole(&to, alloc));
}

/* --- READ ELEMENT STATUS ----------------------------------------------------------- */

/* READ ELEMENT STATUS (SMC-3 6.11). With CURDATA the robot need not move, so that a reservation of
 * somebody else is no hindrance; here it never has to. */
static enum scsi_next read_element_status(struct scsi_task *t)
{
	uint8_t type = t->cdb[1] & 0x0f;
	struct smc_report r = {
		.type = (enum catalog_place_kind)type,
		.start = be16(t->cdb + 2),
		.max = be16(t->cdb + 4),
		.volume_tags = t->cdb[1] & 0x10,
		.device_ids = t->cdb[6] & 0x01,
	};

	if (type >= ELEMENT_TYPES_END)
		return task_bad_cdb(t, 1, 3);
	if (!(t->cdb[6] & 0x02) && task_stopped(t, GATE_RESERVED | GATE_NO_READ))
		return SCSI_DONE;
	return smc_report(t, &r, be24(t->cdb + 7));
}

// clang-format off
const struct scsi_op smc_status_ops[] = {
	{ 0xb8, NO_SERVICE, .name = "READ ELEMENT STATUS", .start = read_element_status,
	  .stops = STOPS_UA | STOPS_READY,
	  .usage = { 0xb8, 0x1f, FF4, 0x03, FF2, 0xff, 0, 0x04 } },
	{ .name = NULL },
};
// clang-format on
