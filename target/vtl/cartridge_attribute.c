/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attributes: those of the device and of the medium are computed from what is known of the
 * cartridge, those of the host are looked up. Numbers are big-endian and text is padded with
 * blanks, as READ ATTRIBUTE gives them.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "vtl/cartridge_private.h"

#define MIB_SHIFT      20
#define CLEANING_USES  50
#define MEDIUM_DATA     0x00
#define MEDIUM_CLEANING 0x01
#define MEDIUM_WORM     0x80

static void give_number(struct cartridge_attribute *out, uint64_t v)
{
	for (unsigned int i = 0; i < out->len; i++)
		out->value[i] = (uint8_t)(v >> 8 * (out->len - 1u - i));
}

static void give_text(struct cartridge_attribute *out, const char *text)
{
	size_t n = strnlen(text, out->len);

	memset(out->value, ' ', out->len);
	memcpy(out->value, text, n);
}

static void give_date(struct cartridge_attribute *out, int64_t when)
{
	char text[16] = "";
	time_t t = (time_t)when;
	struct tm tm;

	if (gmtime_r(&t, &tm))
		strftime(text, sizeof(text), "%Y%m%d", &tm);
	give_text(out, text);
}

static uint64_t remaining(const struct cartridge *c, unsigned int partition)
{
	uint64_t used = c->reel[partition].tail.off - LOG_START;
	uint64_t capacity = c->info.partition_capacity[partition];

	return used < capacity ? capacity - used : 0;
}

static uint64_t mam_left(const struct cartridge *c)
{
	uint32_t room = c->info.media->mam;

	return c->label.mam.len < room ? room - c->label.mam.len : 0;
}

/* This load's figures if a drive has the cartridge, else the last one's. */
static const struct cartridge_counters *last_load(const struct cartridge *c)
{
	return c->counts_load ? &c->load : &c->label.last;
}

/* What the device and the medium say; `out` has the identifier, length and format. */
static void compute(
	const struct cartridge *c, unsigned int partition, struct cartridge_attribute *out)
{
	const struct media *m = c->info.media;
	const struct label *l = &c->label;

	switch (out->id) {
	case 0x0000: give_number(out, remaining(c, partition) >> MIB_SHIFT); break;
	case 0x0001:
		give_number(out, c->info.partition_capacity[partition] >> MIB_SHIFT);
		break;
	case 0x0002: give_number(out, l->alerts); break;
	case 0x0003: give_number(out, l->life.loads); break;
	case 0x0004: give_number(out, mam_left(c)); break;
	case 0x0005:
	case 0x0404: give_text(out, "LTO-CVE"); break;
	case 0x0006:
	case 0x0405: give_number(out, m->density); break;
	case 0x0007: give_number(out, l->identity.formats); break;
	case 0x0008: give_text(out, c->info.barcode); break;
	case MAM_CHANGE_REFERENCE: give_number(out, l->changes); break;
	case 0x020a:
	case 0x020b:
	case 0x020c:
	case 0x020d: give_text(out, l->drive[out->id - 0x020a]); break;
	case 0x0220: give_number(out, l->life.medium_written >> MIB_SHIFT); break;
	case 0x0221: give_number(out, l->life.medium_read >> MIB_SHIFT); break;
	case 0x0222: give_number(out, last_load(c)->medium_written >> MIB_SHIFT); break;
	case 0x0223: give_number(out, last_load(c)->medium_read >> MIB_SHIFT); break;
	case 0x0400: give_text(out, "CSIGN"); break;
	case 0x0401: give_text(out, c->info.serial); break;
	case 0x0402: give_number(out, m->length); break;
	case 0x0403: give_number(out, m->width); break;
	case 0x0406: give_date(out, c->info.created); break;
	case 0x0407: give_number(out, m->mam); break;
	case 0x0408:
		give_number(out, c->info.cleaning ? MEDIUM_CLEANING :
			c->info.worm ? MEDIUM_WORM : MEDIUM_DATA);
		break;
	case 0x0409: give_number(out, c->info.cleaning ? CLEANING_USES : 0); break;
	default: break;
	}
}

enum cartridge_result cartridge_attribute_next(const struct cartridge *c, unsigned int partition,
	uint16_t id, struct cartridge_attribute *out)
{
	const struct mam_row *row = mam_row_from(id);

	if (partition >= c->info.partitions)
		return CARTRIDGE_INVALID;
	/* All of the host's come behind all of the device's and the medium's. */
	if (!row || mam_of_host(row->id))
		return mam_find(&c->label.mam, partition, id, true, out) ? CARTRIDGE_OK :
									   CARTRIDGE_EOD;
	*out = (struct cartridge_attribute){
		.id = row->id, .format = row->format, .read_only = true, .len = row->len };
	compute(c, partition, out);
	return CARTRIDGE_OK;
}

enum cartridge_result cartridge_attribute_get(const struct cartridge *c, unsigned int partition,
	uint16_t id, struct cartridge_attribute *out)
{
	enum cartridge_result res = cartridge_attribute_next(c, partition, id, out);

	return res == CARTRIDGE_OK && out->id != id ? CARTRIDGE_EOD : res;
}

enum cartridge_result cartridge_attribute_set(struct cartridge *c, unsigned int partition,
	uint16_t id, enum cartridge_attribute_format format, const void *value, size_t len)
{
	if (partition >= c->info.partitions)
		return CARTRIDGE_INVALID;
	enum cartridge_result res =
		mam_set(&c->label.mam, c->info.media->mam, partition, id, format, value, len);
	if (res == CARTRIDGE_OK)
		c->label_dirty = true;
	return res;
}

struct mam *cartridge_attributes_copy(const struct cartridge *c)
{
	struct mam *copy = malloc(sizeof(*copy));

	if (copy)
		*copy = c->label.mam;
	return copy;
}

void cartridge_attributes_restore(struct cartridge *c, const struct mam *copy)
{
	c->label.mam = *copy;
	c->label_dirty = true;
}

void cartridge_set_alerts(struct cartridge *c, uint64_t flags)
{
	c->label_dirty = c->label_dirty || c->label.alerts != flags;
	c->label.alerts = flags;
}
