/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data buffers by class. Free ones are threaded through their own first bytes,
 * last in first out, so that the one handed out is the one that is still in the
 * processor's cache. Each class remembers how few free ones it had since the last
 * trim: so many were of no use, and go back to the system at the next. Once none
 * are kept, the timer stops.
 *
 * Under AddressSanitizer each buffer is a heap block of its own, poisoned while it
 * is free and beyond the length that was asked for.
 */
#include "base/bufs.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/sanitizer.h"

#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#define SMALLEST_SHIFT 12
#define CLASSES        13 /* 4 KiB << 12 = BUFS_MAX */

struct free_buf {
	struct free_buf *next;
};

struct size_class {
	struct free_buf *first;
	size_t free;   /* in the list */
	size_t unused; /* the fewest that were free since the last trim */
};

struct bufs {
	struct loop *loop;
	size_t keep, kept; /* bytes of free buffers: limit, now */
	size_t in_use;
	bool trim_armed;
	struct loop_timer trim;
	struct size_class classes[CLASSES];
};

static unsigned class_of(size_t len)
{
	unsigned c = 0;

	while (((size_t)1 << (SMALLEST_SHIFT + c)) < len)
		c++;
	return c;
}

static size_t class_size(unsigned c)
{
	return (size_t)1 << (SMALLEST_SHIFT + c);
}

#ifdef WITH_ASAN
static void *system_take(size_t size)
{
	return aligned_alloc(class_size(0), size);
}

static bool system_give(void *p, size_t size)
{
	ASAN_UNPOISON_MEMORY_REGION(p, size);
	free(p);
	return true;
}
#else
static void *system_take(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* False where the kernel refuses, as cutting a mapping in two may need one more than allowed. */
static bool system_give(void *p, size_t size)
{
	return munmap(p, size) == 0;
}
#endif

static void push(struct bufs *b, unsigned c, void *p)
{
	struct size_class *k = &b->classes[c];
	struct free_buf *f = p;

	f->next = k->first;
	k->first = f;
	k->free++;
	b->kept += class_size(c);
	ASAN_POISON_MEMORY_REGION(f + 1, class_size(c) - sizeof(*f));
}

static void *pop(struct bufs *b, unsigned c)
{
	struct size_class *k = &b->classes[c];
	struct free_buf *f = k->first;

	if (!f)
		return NULL;
	ASAN_UNPOISON_MEMORY_REGION(f, class_size(c));
	k->first = f->next;
	k->free--;
	if (k->unused > k->free)
		k->unused = k->free;
	b->kept -= class_size(c);
	return f;
}

/* Gives back the n free buffers of a class that were used longest ago. */
static void give_back(struct bufs *b, unsigned c, size_t n)
{
	struct size_class *k = &b->classes[c];
	struct free_buf **last = &k->first;

	for (size_t stay = k->free - n; stay; stay--)
		last = &(*last)->next;
	while (*last) {
		struct free_buf *next = (*last)->next;

		if (!system_give(*last, class_size(c)))
			break;
		*last = next;
		k->free--;
		b->kept -= class_size(c);
	}
}

static void arm_trim(struct bufs *b)
{
	if (!b->loop || b->trim_armed || b->kept == 0)
		return;
	b->trim_armed = true;
	loop_timer_set(&b->trim, BUFS_TRIM_MS);
}

static void on_trim(struct loop_timer *t)
{
	struct bufs *b = container_of(t, struct bufs, trim);

	b->trim_armed = false;
	for (unsigned c = 0; c < CLASSES; c++) {
		give_back(b, c, b->classes[c].unused);
		b->classes[c].unused = b->classes[c].free;
	}
	arm_trim(b);
}

int bufs_create(struct loop *loop, size_t keep, struct bufs **out)
{
	struct bufs *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->loop = loop;
	b->keep = keep;
	if (loop)
		loop_timer_init(loop, &b->trim, on_trim);
	*out = b;
	return 0;
}

void bufs_free(struct bufs *b)
{
	if (!b)
		return;
	assert(b->in_use == 0);
	loop_timer_clear(&b->trim);
	for (unsigned c = 0; c < CLASSES; c++)
		give_back(b, c, b->classes[c].free);
	free(b);
}

void *bufs_get(struct bufs *b, size_t len)
{
	unsigned c = class_of(len);
	void *p;

	assert(len > 0 && len <= BUFS_MAX);
	p = pop(b, c);
	if (!p)
		p = system_take(class_size(c));
	if (!p)
		return NULL;
	b->in_use += class_size(c);
	ASAN_POISON_MEMORY_REGION((char *)p + len, class_size(c) - len);
	return p;
}

void bufs_put(struct bufs *b, void *p, size_t len)
{
	unsigned c = class_of(len);

	assert(len > 0 && len <= BUFS_MAX);
	b->in_use -= class_size(c);
	ASAN_UNPOISON_MEMORY_REGION(p, class_size(c));
	if (b->kept + class_size(c) > b->keep && system_give(p, class_size(c)))
		return;
	push(b, c, p);
	arm_trim(b);
}

size_t bufs_in_use(const struct bufs *b)
{
	return b->in_use;
}

size_t bufs_kept(const struct bufs *b)
{
	return b->kept;
}
