/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of attributes (SPC-4 tables 343 to 348), and the store of host attributes: small enough
 * that a walk from its beginning is all the index it needs.
 */
#include "vtl/mam.h"

#include <string.h>

#include "base/bytes.h"

#define HOST_FIRST   0x0800
#define HOST_LAST    0x0bff
#define VENDOR_FIRST 0x1400
#define VENDOR_LAST  0x17ff

// clang-format off
static const struct mam_row rows[] = {
	{ 0x0000, CARTRIDGE_BINARY,   8, false, true,  "remaining capacity in partition" },
	{ 0x0001, CARTRIDGE_BINARY,   8, false, true,  "maximum capacity in partition" },
	{ 0x0002, CARTRIDGE_BINARY,   8, false, false, "TapeAlert flags" },
	{ 0x0003, CARTRIDGE_BINARY,   8, false, false, "load count" },
	{ 0x0004, CARTRIDGE_BINARY,   8, false, false, "MAM space remaining" },
	{ 0x0005, CARTRIDGE_ASCII,    8, false, false, "assigning organization" },
	{ 0x0006, CARTRIDGE_BINARY,   1, false, false, "formatted density code" },
	{ 0x0007, CARTRIDGE_BINARY,   2, false, false, "initialization count" },
	{ 0x0008, CARTRIDGE_ASCII,   32, false, false, "volume identifier" },
	{ 0x0009, CARTRIDGE_BINARY,   4, false, false, "volume change reference" },
	{ 0x020a, CARTRIDGE_ASCII,   40, false, false, "device at last load" },
	{ 0x020b, CARTRIDGE_ASCII,   40, false, false, "device at load-1" },
	{ 0x020c, CARTRIDGE_ASCII,   40, false, false, "device at load-2" },
	{ 0x020d, CARTRIDGE_ASCII,   40, false, false, "device at load-3" },
	{ 0x0220, CARTRIDGE_BINARY,   8, false, false, "MB written in medium life" },
	{ 0x0221, CARTRIDGE_BINARY,   8, false, false, "MB read in medium life" },
	{ 0x0222, CARTRIDGE_BINARY,   8, false, false, "MB written in last load" },
	{ 0x0223, CARTRIDGE_BINARY,   8, false, false, "MB read in last load" },
	{ 0x0400, CARTRIDGE_ASCII,    8, false, false, "medium manufacturer" },
	{ 0x0401, CARTRIDGE_ASCII,   32, false, false, "medium serial number" },
	{ 0x0402, CARTRIDGE_BINARY,   4, false, false, "medium length" },
	{ 0x0403, CARTRIDGE_BINARY,   4, false, false, "medium width" },
	{ 0x0404, CARTRIDGE_ASCII,    8, false, false, "assigning organization" },
	{ 0x0405, CARTRIDGE_BINARY,   1, false, false, "medium density code" },
	{ 0x0406, CARTRIDGE_ASCII,    8, false, false, "medium manufacture date" },
	{ 0x0407, CARTRIDGE_BINARY,   8, false, false, "MAM capacity" },
	{ 0x0408, CARTRIDGE_BINARY,   1, false, false, "medium type" },
	{ 0x0409, CARTRIDGE_BINARY,   2, false, false, "medium type information" },
	{ 0x0800, CARTRIDGE_ASCII,    8, false, false, "application vendor" },
	{ 0x0801, CARTRIDGE_ASCII,   32, false, false, "application name" },
	{ 0x0802, CARTRIDGE_ASCII,    8, false, false, "application version" },
	{ 0x0803, CARTRIDGE_TEXT,   160, true,  false, "user medium text label" },
	{ 0x0804, CARTRIDGE_ASCII,   12, false, false, "date and time last written" },
	{ 0x0805, CARTRIDGE_BINARY,   1, false, false, "text localization identifier" },
	{ 0x0806, CARTRIDGE_ASCII,   32, true,  false, "barcode" },
	{ 0x0807, CARTRIDGE_TEXT,    80, true,  false, "owning host textual name" },
	{ 0x0808, CARTRIDGE_TEXT,   160, true,  false, "media pool" },
	{ 0x0809, CARTRIDGE_ASCII,   16, true,  true,  "partition user text label" },
	{ 0x080a, CARTRIDGE_BINARY,   1, false, true,  "load/unload at partition" },
	{ 0x080b, CARTRIDGE_ASCII,   16, true,  false, "application format version" },
	{ 0x080c, CARTRIDGE_BINARY, 1023, true, true,  "volume coherency information" },
	{ 0x0820, CARTRIDGE_BINARY,  36, true,  false, "medium globally unique identifier" },
	{ 0x0821, CARTRIDGE_BINARY,  36, true,  false, "media pool globally unique identifier" },
};
// clang-format on

const struct mam_row *mam_row_from(uint16_t id)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].id >= id)
			return &rows[i];
	return NULL;
}

static bool of_vendor(uint16_t id)
{
	return id >= VENDOR_FIRST && id <= VENDOR_LAST;
}

const struct mam_row *mam_row(uint16_t id)
{
	static const struct mam_row vendor = { .format = CARTRIDGE_BINARY,
		.len = CARTRIDGE_ATTRIBUTE_MAX, .shorter = true, .name = "vendor-specific" };

	const struct mam_row *row = mam_row_from(id);

	if (row && row->id == id)
		return row;
	return of_vendor(id) ? &vendor : NULL;
}

bool mam_fits(uint16_t id, unsigned int format, size_t len)
{
	const struct mam_row *row = mam_row(id);

	if (!row || (of_vendor(id) ? format > CARTRIDGE_TEXT : format != (unsigned int)row->format))
		return false;
	return len == row->len || (row->shorter && len < row->len);
}

bool mam_of_host(uint16_t id)
{
	return (id >= HOST_FIRST && id <= HOST_LAST) || of_vendor(id);
}

static size_t entry_size(const uint8_t *p)
{
	return MAM_HEAD + le16(p + 4);
}

/* Identifier and partition as one figure, by which entries are ordered. */
static uint32_t entry_key(const uint8_t *p)
{
	return (uint32_t)le16(p) << 8 | p[2];
}

static uint32_t key_of(const struct mam_row *row, unsigned int partition, uint16_t id)
{
	return (uint32_t)id << 8 | (row && row->per_partition ? partition & 0xff : 0);
}

bool mam_valid(const struct mam *m)
{
	uint32_t before = 0;

	for (size_t at = 0; at < m->len;) {
		const uint8_t *p = m->bytes + at;

		if (m->len - at < MAM_HEAD || m->len - at < entry_size(p) ||
			entry_key(p) < before || !mam_of_host(le16(p)) ||
			p[2] >= CARTRIDGE_PARTITIONS ||
			p[3] > CARTRIDGE_TEXT || !le16(p + 4) ||
			le16(p + 4) > CARTRIDGE_ATTRIBUTE_MAX)
			return false;
		before = entry_key(p) + 1;
		at += entry_size(p);
	}
	return true;
}

/* Where the first entry with this key or a higher one is, or would be. */
static size_t lower_bound(const struct mam *m, uint32_t key)
{
	size_t at = 0;

	while (at < m->len && entry_key(m->bytes + at) < key)
		at += entry_size(m->bytes + at);
	return at;
}

static void give(const uint8_t *p, struct cartridge_attribute *out)
{
	*out = (struct cartridge_attribute){
		.id = le16(p),
		.format = (enum cartridge_attribute_format)p[3],
		.len = le16(p + 4),
	};
	memcpy(out->value, p + MAM_HEAD, out->len);
}

bool mam_find(const struct mam *m, unsigned int partition, uint16_t id, bool next,
	struct cartridge_attribute *out)
{
	size_t at = lower_bound(m, (uint32_t)id << 8);

	for (; at < m->len; at += entry_size(m->bytes + at)) {
		const uint8_t *p = m->bytes + at;

		if (le16(p) != id && !next)
			break;
		if (entry_key(p) == key_of(mam_row(le16(p)), partition, le16(p))) {
			give(p, out);
			return true;
		}
	}
	return false;
}

static void remove_at(struct mam *m, size_t at)
{
	size_t size = entry_size(m->bytes + at);

	memmove(m->bytes + at, m->bytes + at + size, m->len - at - size);
	m->len -= size;
}

static void insert_at(struct mam *m, size_t at, uint32_t key, uint8_t format, const void *value,
	size_t len)
{
	uint8_t *p = m->bytes + at;

	memmove(p + MAM_HEAD + len, p, m->len - at);
	m->len += MAM_HEAD + len;
	put_le16(p, (uint16_t)(key >> 8));
	p[2] = (uint8_t)key;
	p[3] = format;
	put_le16(p + 4, (uint16_t)len);
	put_le16(p + 6, 0);
	memcpy(p + MAM_HEAD, value, len);
}

enum cartridge_result mam_set(struct mam *m, size_t room, unsigned int partition, uint16_t id,
	enum cartridge_attribute_format format, const void *value, size_t len)
{
	const struct mam_row *row = mam_row(id);
	uint32_t key = key_of(row, partition, id);
	size_t at = lower_bound(m, key), old = 0;

	if (!mam_of_host(id))
		return row ? CARTRIDGE_PROTECTED : CARTRIDGE_INVALID;
	if (len && !mam_fits(id, format, len))
		return CARTRIDGE_INVALID;
	if (at < m->len && entry_key(m->bytes + at) == key)
		old = entry_size(m->bytes + at);
	if (len && m->len - old + MAM_HEAD + len > (room < MAM_BYTES_MAX ? room : MAM_BYTES_MAX))
		return CARTRIDGE_FULL;
	if (old)
		remove_at(m, at);
	if (len)
		insert_at(m, at, key, (uint8_t)format, value, len);
	return CARTRIDGE_OK;
}

void mam_forget_partitions(struct mam *m)
{
	for (size_t at = 0; at < m->len;) {
		const struct mam_row *row = mam_row(le16(m->bytes + at));

		if (row && row->per_partition)
			remove_at(m, at);
		else
			at += entry_size(m->bytes + at);
	}
}
