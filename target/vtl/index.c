/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index in memory. An entry of a span is the distance from its base in units of a record's
 * alignment, shifted by one, and the lowest bit says that the object is a filemark.
 */
#include "vtl/index.h"

#include "vtl/format.h"

#define ENTRY_MAX (UINT32_MAX >> 1)

unsigned int marks_levels(uint64_t ordinal)
{
	unsigned int levels = 0;

	for (; ordinal; ordinal >>= 1)
		levels++;
	return levels < MARK_LEVELS ? levels : MARK_LEVELS;
}

uint64_t marks_ordinal(const struct marks *m, unsigned int level)
{
	return m->ordinal >> level << level;
}

void marks_add(struct marks *m, struct mark mark)
{
	m->ordinal++;
	for (unsigned int j = 0; j < marks_levels(m->ordinal); j++)
		if (marks_ordinal(m, j) == m->ordinal)
			m->level[j] = mark;
}

uint64_t span_offset(const struct span *s, unsigned int i)
{
	return s->base + (uint64_t)(s->entry[i] >> 1) * RECORD_ALIGN;
}

bool span_is_filemark(const struct span *s, unsigned int i)
{
	return s->entry[i] & 1;
}

uint64_t span_files(const struct span *s, unsigned int i)
{
	uint64_t files = s->files;

	for (unsigned int k = 0; k < i; k++)
		files += span_is_filemark(s, k);
	return files;
}

void tail_start(struct tail *t, uint32_t epoch)
{
	*t = (struct tail){ .off = LOG_START, .epoch = epoch, .span.base = LOG_START };
}

bool tail_wants_checkpoint(const struct tail *t)
{
	return t->span.n == SPAN_OBJECTS;
}

void tail_checkpoint(struct tail *t, uint64_t size)
{
	marks_add(&t->marks, (struct mark){ t->off, t->files });
	t->span.ordinal = t->marks.ordinal;
	t->span.base = t->last = t->off;
	t->span.files = t->files;
	t->span.n = 0;
	t->off += size;
}

bool tail_object(struct tail *t, uint64_t size, bool filemark)
{
	uint64_t units = (t->off - t->span.base) / RECORD_ALIGN;

	if (units > ENTRY_MAX)
		return false;
	t->span.entry[t->span.n++] = (uint32_t)units << 1 | filemark;
	t->objects++;
	t->files += filemark;
	t->last = t->off;
	t->off += size;
	return true;
}
