/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding the way in a log. Each step from checkpoint to checkpoint goes to a lower ordinal, so a
 * walk ends, whatever the marks say.
 */
#include "vtl/seek.h"

#include <errno.h>

#include "vtl/recover.h"

/* What a checkpoint knows: what was before it. */
struct checkpoint {
	struct marks marks;
	struct span span;
};

static int load(struct reel *r, uint64_t off, uint64_t ordinal, struct checkpoint *out)
{
	struct tail tail;
	int err = recover_checkpoint(r, off, ordinal, &out->marks, &out->span);

	if (err != -EBADMSG)
		return err;
	err = recover_span(r, off, ordinal - 1, &tail);
	out->marks = tail.marks;
	out->span = tail.span;
	return err;
}

/* The highest level whose checkpoint does not lie before the one that is sought; there is one. */
static unsigned int level_for_ordinal(const struct marks *m, uint64_t ordinal)
{
	unsigned int j = 0;

	while (j + 1 < marks_levels(m->ordinal) && marks_ordinal(m, j + 1) >= ordinal)
		j++;
	return j;
}

static unsigned int level_for_files(const struct marks *m, uint64_t files)
{
	unsigned int j = 0;

	while (j + 1 < marks_levels(m->ordinal) && m->level[j + 1].files > files)
		j++;
	return j;
}

/* Checkpoint `ordinal`: 1 to the tail's. */
static int find_checkpoint(struct reel *r, uint64_t ordinal, struct checkpoint *out)
{
	out->marks = r->tail.marks;
	while (out->marks.ordinal >= ordinal) {
		unsigned int j = level_for_ordinal(&out->marks, ordinal);
		uint64_t at = marks_ordinal(&out->marks, j);
		int err = load(r, out->marks.level[j].offset, at, out);

		if (err)
			return err;
	}
	return 0;
}

/* Span `ordinal`: borrowed until the next call here. */
static int find_span(struct reel *r, uint64_t ordinal, const struct span **out)
{
	struct checkpoint c;
	int err;

	*out = &r->tail.span;
	if (ordinal == r->tail.span.ordinal)
		return 0;
	*out = &r->cache;
	if (r->cached && r->cache.ordinal == ordinal)
		return 0;
	err = find_checkpoint(r, ordinal + 1, &c);
	if (err)
		return err;
	r->cache = c.span;
	r->cached = true;
	return 0;
}

int seek_object(struct reel *r, uint64_t n, struct place *out)
{
	const struct span *s;
	unsigned int i = n % SPAN_OBJECTS;

	*out = (struct place){ n, r->tail.off, r->tail.files };
	if (n == r->tail.objects)
		return 0;
	int err = find_span(r, n / SPAN_OBJECTS, &s);
	if (!err)
		*out = (struct place){ n, span_offset(s, i), span_files(s, i) };
	return err;
}

int seek_is_filemark(struct reel *r, uint64_t n, bool *out)
{
	const struct span *s;
	int err = find_span(r, n / SPAN_OBJECTS, &s);

	*out = !err && span_is_filemark(s, n % SPAN_OBJECTS);
	return err;
}

static bool span_has(const struct span *s, uint64_t files)
{
	return s->files <= files && files < span_files(s, s->n);
}

/* The span in which the filemark is that has so many before it. */
static int find_file_span(struct reel *r, uint64_t files, const struct span **out)
{
	struct checkpoint c;

	*out = &r->tail.span;
	if (r->tail.span.files <= files)
		return 0;
	*out = &r->cache;
	if (r->cached && span_has(&r->cache, files))
		return 0;
	c.marks = r->tail.marks;
	while (c.marks.ordinal && c.marks.level[0].files > files) {
		unsigned int j = level_for_files(&c.marks, files);
		uint64_t at = marks_ordinal(&c.marks, j);
		int err = load(r, c.marks.level[j].offset, at, &c);

		if (err)
			return err;
	}
	r->cache = c.span;
	r->cached = true;
	return 0;
}

int seek_filemark(struct reel *r, uint64_t files, uint64_t *object)
{
	const struct span *s;
	int err = find_file_span(r, files, &s);

	if (err)
		return err;
	uint64_t seen = s->files;
	for (unsigned int i = 0; i < s->n; i++) {
		if (span_is_filemark(s, i) && seen++ == files) {
			*object = s->ordinal * SPAN_OBJECTS + i;
			return 0;
		}
	}
	return -EBADMSG;
}

/* The marks up to the checkpoint that begins the span. */
static int find_marks(struct reel *r, const struct span *s, struct marks *out)
{
	struct checkpoint c = { .marks.ordinal = 0 };
	int err = 0;

	if (s->ordinal == r->tail.span.ordinal) {
		*out = r->tail.marks;
		return 0;
	}
	if (s->ordinal) {
		err = find_checkpoint(r, s->ordinal, &c);
		marks_add(&c.marks, (struct mark){ s->base, s->files });
	}
	*out = c.marks;
	return err;
}

int seek_tail(struct reel *r, uint64_t n, struct tail *out)
{
	const struct span *s, *next;
	int err;

	if (n == r->tail.objects) {
		*out = r->tail;
		return 0;
	}
	tail_start(out, r->tail.epoch);
	if (!n)
		return 0;
	err = find_span(r, (n - 1) / SPAN_OBJECTS, &s);
	if (err)
		return err;
	out->span = *s;
	out->span.n = (unsigned int)((n - 1) % SPAN_OBJECTS) + 1;
	err = find_marks(r, &out->span, &out->marks);
	if (!err)
		err = find_span(r, n / SPAN_OBJECTS, &next);
	if (err)
		return err;
	/* What stands before an object that begins a span is a checkpoint, which goes as well. */
	out->off = n % SPAN_OBJECTS ? span_offset(next, n % SPAN_OBJECTS) : next->base;
	out->last = span_offset(&out->span, out->span.n - 1);
	out->objects = n;
	out->files = span_files(&out->span, out->span.n);
	return 0;
}
