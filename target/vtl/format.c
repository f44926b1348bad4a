/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of a cartridge's files. Offsets are written as figures, beside those of the manual
 * page.
 */
#include "vtl/format.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc.h"

#define RECORD_MAGIC 0x52545343u /* "CSTR" */
#define SLOT_MAGIC   0x54545343u /* "CSTT" */
static const uint8_t header_magic[8] = { 'C', 'S', 'T', 'R', 'E', 'E', 'L', '\n' };

#define FLAG_WORM       1u
#define FLAG_CLEANING   2u
#define FLAG_FORMATTING 4u

#define FLAG_PROTECTED 1u

/* The checksum of all but the last four bytes, which hold it. */
static void seal(uint8_t *p, size_t len)
{
	put_le32(p + len - 4, crc_end(crc_add(CRC_START, p, len - 4)));
}

static bool sealed(const uint8_t *p, size_t len)
{
	return le32(p + len - 4) == crc_end(crc_add(CRC_START, p, len - 4));
}

void identity_encode(const struct identity *i, uint8_t out[static IDENTITY_BYTES])
{
	memset(out, 0, IDENTITY_BYTES);
	memcpy(out, i->id, IDENTITY_ID);
	memcpy(out + 16, i->barcode, 32);
	memcpy(out + 48, i->serial, 32);
	put_le32(out + 80, i->media->generation);
	put_le32(out + 84, (i->worm ? FLAG_WORM : 0) | (i->cleaning ? FLAG_CLEANING : 0) |
		(i->formatting ? FLAG_FORMATTING : 0));
	put_le64(out + 88, i->capacity);
	put_le64(out + 96, (uint64_t)i->created);
	put_le32(out + 104, i->formats);
	put_le32(out + 108, i->partitions);
	for (unsigned int k = 0; k < i->partitions; k++) {
		put_le64(out + 112 + 16 * k, i->partition[k].capacity);
		put_le32(out + 120 + 16 * k, i->partition[k].log_id);
	}
	put_le64(out + 176, i->limit);
}

/* Printable ASCII, padded with NULs. */
static bool text_decode(const uint8_t *in, char out[static 33])
{
	size_t n = 0;

	memcpy(out, in, 32);
	out[32] = '\0';
	while (out[n] > ' ' && out[n] <= '~')
		n++;
	for (size_t k = n; k < 32; k++)
		if (out[k])
			return false;
	return n > 0;
}

static bool partitions_decode(const uint8_t *in, struct identity *out)
{
	uint64_t left = out->capacity;

	for (unsigned int k = 0; k < out->partitions; k++) {
		uint64_t capacity = le64(in + 16 * k);

		if (capacity < CARTRIDGE_CAPACITY_MIN || capacity > left)
			return false;
		left -= capacity;
		out->partition[k].capacity = capacity;
		out->partition[k].log_id = le32(in + 16 * k + 8);
	}
	return true;
}

bool identity_decode(const uint8_t in[static IDENTITY_BYTES], struct identity *out)
{
	uint32_t flags = le32(in + 84);

	*out = (struct identity){
		.media = media_generation(le32(in + 80)),
		.worm = flags & FLAG_WORM,
		.cleaning = flags & FLAG_CLEANING,
		.formatting = flags & FLAG_FORMATTING,
		.capacity = le64(in + 88),
		.created = (int64_t)le64(in + 96),
		.formats = le32(in + 104),
		.partitions = le32(in + 108),
		.limit = le64(in + 176),
	};
	memcpy(out->id, in, IDENTITY_ID);
	return text_decode(in + 16, out->barcode) && text_decode(in + 48, out->serial) &&
	       out->media && out->partitions >= 1 && out->partitions <= out->media->partitions &&
	       out->capacity <= INT64_MAX / 2 && out->limit <= out->capacity &&
	       partitions_decode(in + 112, out);
}

void header_encode(
	const struct identity *i, unsigned int partition, uint8_t out[static FORMAT_BLOCK])
{
	struct identity made = *i;

	made.formatting = false;
	memset(out, 0, FORMAT_BLOCK);
	memcpy(out, header_magic, sizeof(header_magic));
	put_le32(out + 8, FORMAT_VERSION);
	put_le32(out + 12, partition);
	identity_encode(&made, out + 16);
	seal(out, FORMAT_BLOCK);
}

int header_decode(const uint8_t in[static FORMAT_BLOCK], struct identity *out,
	unsigned int *partition)
{
	if (memcmp(in, header_magic, sizeof(header_magic)) || !sealed(in, FORMAT_BLOCK))
		return -EBADMSG;
	if (le32(in + 8) != FORMAT_VERSION)
		return -ENOTSUP;
	*partition = le32(in + 12);
	if (!identity_decode(in + 16, out) || *partition >= out->partitions)
		return -EBADMSG;
	out->formatting = false; /* older headers have the flag for good */
	return 0;
}

/* Marks and a span: the numbers of both, then the marks, then the entries. */
static size_t index_encode(const struct marks *marks, const struct span *span, uint8_t *out)
{
	unsigned int levels = marks_levels(marks->ordinal);
	uint8_t *p = out + 8;

	put_le32(out, levels);
	put_le32(out + 4, span->n);
	for (unsigned int j = 0; j < levels; j++, p += 16) {
		put_le64(p, marks->level[j].offset);
		put_le64(p + 8, marks->level[j].files);
	}
	for (unsigned int k = 0; k < span->n; k++, p += 4)
		put_le32(p, span->entry[k]);
	return (size_t)(p - out);
}

static bool marks_plausible(const struct marks *m, uint64_t off, uint64_t files)
{
	for (unsigned int j = 0; j < marks_levels(m->ordinal); j++) {
		const struct mark *mark = &m->level[j];

		if (mark->offset % RECORD_ALIGN || mark->offset < LOG_START || mark->offset > off ||
			mark->files > files)
			return false;
		off = mark->offset;
		files = mark->files;
	}
	return true;
}

static bool span_plausible(const struct span *s, uint64_t off, uint64_t files)
{
	uint32_t before = 0;

	for (unsigned int k = 0; k < s->n; k++) {
		if (s->entry[k] >> 1 < before || span_offset(s, k) > off)
			return false;
		before = s->entry[k] >> 1;
	}
	return span_files(s, s->n) == files;
}

/*
 * The opposite: the span is the ordinal-th and has n objects, and nothing may lie behind `off` or
 * count more filemarks than `files`. Gives the bytes that it took, or 0. That distances only grow
 * and never pass `off` is what keeps a walk along hostile figures finite.
 */
static size_t index_decode(const uint8_t *in, size_t len, uint64_t ordinal, unsigned int n,
	uint64_t off, uint64_t files, struct marks *marks, struct span *span)
{
	unsigned int levels = marks_levels(ordinal);
	const uint8_t *p = in + 8;
	size_t size = 8 + 16 * (size_t)levels + 4 * (size_t)n;

	if (len < size || le32(in) != levels || le32(in + 4) != n)
		return 0;
	marks->ordinal = ordinal;
	for (unsigned int j = 0; j < levels; j++, p += 16)
		marks->level[j] = (struct mark){ le64(p), le64(p + 8) };
	span->ordinal = ordinal;
	span->base = levels ? marks->level[0].offset : LOG_START;
	span->files = levels ? marks->level[0].files : 0;
	span->n = n;
	for (unsigned int k = 0; k < n; k++, p += 4)
		span->entry[k] = le32(p);
	return marks_plausible(marks, off, files) && span_plausible(span, off, files) ? size : 0;
}

void slot_encode(const struct tail *t, uint32_t log_id, uint64_t seq,
	uint8_t out[static FORMAT_BLOCK])
{
	memset(out, 0, FORMAT_BLOCK);
	put_le32(out, SLOT_MAGIC);
	put_le32(out + 4, log_id);
	put_le64(out + 8, seq);
	put_le64(out + 16, t->off);
	put_le64(out + 24, t->last);
	put_le64(out + 32, t->objects);
	put_le64(out + 40, t->files);
	put_le32(out + 48, t->epoch);
	index_encode(&t->marks, &t->span, out + 56);
	seal(out, FORMAT_BLOCK);
}

bool slot_decode(const uint8_t in[static FORMAT_BLOCK], uint32_t log_id, struct tail *t,
	uint64_t *seq)
{
	if (le32(in) != SLOT_MAGIC || le32(in + 4) != log_id || !sealed(in, FORMAT_BLOCK))
		return false;
	*seq = le64(in + 8);
	*t = (struct tail){
		.off = le64(in + 16), .last = le64(in + 24),
		.objects = le64(in + 32), .files = le64(in + 40), .epoch = le32(in + 48),
	};
	uint64_t ordinal = t->objects ? (t->objects - 1) / SPAN_OBJECTS : 0;
	unsigned int n = (unsigned int)(t->objects - ordinal * SPAN_OBJECTS);

	return t->off >= LOG_START && t->off <= INT64_MAX && t->off % RECORD_ALIGN == 0 &&
	       t->last < t->off && t->files <= t->objects &&
	       index_decode(in + 56, FORMAT_BLOCK - 60, ordinal, n, t->off, t->files, &t->marks,
		       &t->span);
}

void record_encode(const struct record *r, uint8_t out[static RECORD_HEADER])
{
	put_le32(out, RECORD_MAGIC);
	out[4] = (uint8_t)r->type;
	out[5] = r->protected ? FLAG_PROTECTED : 0;
	out[6] = (uint8_t)r->compression;
	out[7] = (uint8_t)r->encryption;
	put_le32(out + 8, r->log_id);
	put_le32(out + 12, r->epoch);
	put_le64(out + 16, r->offset);
	put_le64(out + 24, r->object);
	put_le64(out + 32, r->files);
	put_le32(out + 40, r->prev);
	put_le32(out + 44, r->checkpoint);
	put_le32(out + 48, r->length);
	put_le32(out + 52, r->stored);
	put_le32(out + 56, r->crc);
	seal(out, RECORD_HEADER);
}

bool record_looks_like(const uint8_t in[static RECORD_HEADER])
{
	return le32(in) == RECORD_MAGIC;
}

/* Whether the lengths are ones that a writer gives to this type. */
static bool lengths_plausible(const struct record *r)
{
	switch (r->type) {
	case RECORD_BLOCK:
		if (!r->length || r->length > CARTRIDGE_BLOCK_MAX || !r->stored)
			return false;
		if (r->compression == RECORD_PLAIN && r->encryption == RECORD_CLEAR)
			return r->stored == r->length;
		return r->stored <= r->length + (r->encryption == RECORD_CLEAR ? 0 : SEAL_MAX);
	case RECORD_FILEMARK: return !r->length && !r->stored;
	case RECORD_CHECKPOINT:
		return !r->length && r->stored <= CHECKPOINT_MAX && r->object &&
		       r->object % SPAN_OBJECTS == 0;
	}
	return false;
}

bool record_decode(const uint8_t in[static RECORD_HEADER], struct record *out)
{
	if (!record_looks_like(in) || !sealed(in, RECORD_HEADER))
		return false;
	*out = (struct record){
		.type = (enum record_type)in[4], .protected = in[5] & FLAG_PROTECTED,
		.compression = (enum record_compression)in[6],
		.encryption = (enum record_encryption)in[7],
		.log_id = le32(in + 8), .epoch = le32(in + 12),
		.offset = le64(in + 16), .object = le64(in + 24), .files = le64(in + 32),
		.prev = le32(in + 40), .checkpoint = le32(in + 44),
		.length = le32(in + 48), .stored = le32(in + 52), .crc = le32(in + 56),
	};
	return in[6] <= RECORD_ZSTD && in[7] <= RECORD_AES_256_GCM && lengths_plausible(out) &&
	       out->offset >= LOG_START && out->offset <= INT64_MAX / 2 &&
	       out->offset % RECORD_ALIGN == 0 && out->files <= out->object;
}

uint64_t record_size(const struct record *r)
{
	return (RECORD_HEADER + (uint64_t)r->stored + RECORD_ALIGN - 1) / RECORD_ALIGN *
	       RECORD_ALIGN;
}

size_t checkpoint_encode(const struct tail *t, uint8_t out[static CHECKPOINT_MAX])
{
	return index_encode(&t->marks, &t->span, out);
}

bool checkpoint_decode(const struct record *r, const uint8_t *in, struct marks *marks,
	struct span *span)
{
	uint64_t ordinal = r->object / SPAN_OBJECTS - 1;

	return r->stored >= 8 && index_decode(in, r->stored, ordinal, SPAN_OBJECTS, r->offset,
		r->files, marks, span) == r->stored;
}
