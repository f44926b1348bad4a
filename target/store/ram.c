/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RAM store: one anonymous mapping. Memory is taken page by page as it is
 * written, unwritten bytes read as zeros, and a discard gives pages back.
 *
 * Address space for growth is reserved when the store is opened, so that the
 * places which store_map() has given out stay valid when it grows: the size again
 * and 1 GiB, which costs nothing but page-table entries that are never made. A
 * store that has used its reservation up refuses to grow (-ENOSPC) until it is
 * opened anew. Where the reservation cannot be had (RLIMIT_AS) the store works
 * and does not grow.
 *
 * A shrink gives the memory back and leaves the places: commands that are under way read zeros
 * there, and what they write is dropped when the store grows again.
 *
 * Pages are taken at the ordinary size. Huge ones from the start (MADV_HUGEPAGE) take
 * 180 us instead of 2 for the first write into each 2 MiB, and with 1 % of the blocks
 * written, scattered, all 512 MiB of a store instead of 6. So they are made where
 * everything was written and is used (huge.h). Where a discard hits a part of one the
 * kernel splits it, and has the memory back when it looks for some.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cold.h"
#include "store/engine.h"
#include "store/huge.h"
#include "store/kind.h"

enum { PAGE = 4096 };

/* A discard longer than this is done in steps, one a round, so that giving back a large store
 * does not keep the loop from its other connections: 8 MiB take about half a millisecond. */
#define STEP_MAX ((uint64_t)8 << 20)

/* How far store_extent() looks at a time, for the same reason. */
enum { EXTENT_PAGES = 2048 };

struct ram {
	struct store store;
	uint8_t *base;
	uint64_t reserved; /* bytes of address space at base, in whole pages */
	struct huge *huge; /* NULL: no huge pages */
};

/* A discard under way. */
struct ram_step {
	struct loop_msg msg;
	struct ram *ram;
	struct store_io *io;
	uint64_t off, left;
};
_Static_assert(sizeof(struct ram_step) <= STORE_IO_PRIVATE, "a step fits into a request");

static uint64_t page_up(uint64_t n)
{
	return (n + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

static struct ram *ram_of(struct store *st)
{
	return (struct ram *)st;
}

/* Address space that begins where a huge page can. */
static uint8_t *reserve(uint64_t len)
{
	static const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	uint8_t *p = mmap(NULL, len + HUGE_SIZE, PROT_NONE, flags, -1, 0);
	uint64_t before;

	if (p == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)p % HUGE_SIZE;
	if (before)
		munmap(p, before);
	munmap(p + before + len, HUGE_SIZE - before);
	return p + before;
}

/* A core file is not the place for what hosts have stored, nor for all of it; and the kernel is not
 * to make huge pages of what nobody has written. */
static void mark(uint8_t *p, uint64_t len)
{
	madvise(p, len, MADV_DONTDUMP);
	madvise(p, len, MADV_NOHUGEPAGE);
}

/* Makes [from, to) usable. Whole pages. */
static int ram_grant(struct ram *r, uint64_t from, uint64_t to)
{
	return mprotect(r->base + from, to - from, PROT_READ | PROT_WRITE) ? -errno : 0;
}

static void ram_close(struct store *st)
{
	struct ram *r = ram_of(st);

	huge_free(r->huge);
	if (r->base)
		munmap(r->base, r->reserved);
	free(r);
}

static int ram_place(struct ram *r, uint64_t size)
{
	uint64_t need = page_up(size);

	r->reserved = need <= STORE_SIZE_MAX / 4 ? 2 * need + ((uint64_t)1 << 30) : need;
	r->base = reserve(r->reserved);
	if (!r->base) {
		r->reserved = need;
		r->base = reserve(need);
	}
	if (!r->base)
		return -ENOMEM;
	mark(r->base, r->reserved);
	return ram_grant(r, 0, need);
}

static int ram_open(const struct store_cfg *cfg, struct store **out, struct store_error *why)
{
	struct store_size_text t;
	struct ram *r;
	int err;

	if (!cfg->size)
		return store_refuse(why, -EINVAL, "a ram store needs a size");
	r = calloc(1, sizeof(*r));
	if (!r)
		return store_refuse(why, -ENOMEM, "no memory");
	err = ram_place(r, cfg->size);
	if (err) {
		store_refuse(why, err,
			"a ram store of %s cannot be mapped: %s; give a smaller size",
			store_size_print(cfg->size, &t), strerror(-err));
		ram_close(&r->store);
		return err;
	}
	if (cfg->engine && cfg->size >= HUGE_SIZE)
		r->huge = huge_new(store_engine_pool(cfg->engine), r->base, r->reserved);
	atomic_init(&r->store.size, cfg->size);
	r->store.block_size = cfg->block_size;
	r->store.read_only = cfg->read_only;
	r->store.thin = true;
	*out = &r->store;
	return 0;
}

/* Zeros, but without taking memory where there is none: reading an unwritten page shows the
 * one page of zeros that all share, writing to it would make it ours. */
static void zero_edge(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (p[i]) {
			memset(p + i, 0, len - i);
			return;
		}
	}
}

/* Gives the whole pages inside back, and zeros what is left of the pages at both ends. */
static int ram_drop(struct ram *r, uint64_t off, uint64_t len)
{
	uint64_t end = off + len, first = page_up(off), last = end & ~(uint64_t)(PAGE - 1);

	if (first >= last) {
		/* In one page, or at the end of one and the start of the next. */
		zero_edge(r->base + off, len);
		return 0;
	}
	zero_edge(r->base + off, first - off);
	zero_edge(r->base + last, end - last);
	if (madvise(r->base + first, last - first, MADV_DONTNEED))
		return -errno;
	huge_dropped(r->huge, first, last - first);
	return 0;
}

/* All steps but the last end where a page ends: no page is left in halves between two. */
static void drop_step(struct loop_msg *m)
{
	struct ram_step *s = container_of(m, struct ram_step, msg);
	uint64_t most = STEP_MAX - s->off % PAGE, n = s->left < most ? s->left : most;
	int err = ram_drop(s->ram, s->off, n);

	s->off += n;
	s->left -= n;
	if (err || !s->left)
		s->io->done(s->io, err);
	else
		loop_post(s->io->loop, &s->msg);
}

static int ram_discard(struct ram *r, struct store_io *io)
{
	struct ram_step *s = (struct ram_step *)(void *)io->priv;

	if (io->len <= STEP_MAX)
		return ram_drop(r, io->off, io->len);
	*s = (struct ram_step){
		.msg.run = drop_step, .ram = r, .io = io, .off = io->off, .left = io->len
	};
	loop_post(io->loop, &s->msg);
	return STORE_PENDING;
}

static int ram_read(const struct ram *r, const struct store_io *io)
{
	const uint8_t *p = r->base + io->off;

	huge_used(r->huge, io->off, io->len);
	for (int i = 0; i < io->iovcnt; i++) {
		memcpy(io->iov[i].iov_base, p, io->iov[i].iov_len);
		p += io->iov[i].iov_len;
	}
	return 0;
}

static int ram_write(struct ram *r, const struct store_io *io)
{
	uint8_t *p = r->base + io->off;

	huge_used(r->huge, io->off, io->len);
	for (int i = 0; i < io->iovcnt; i++) {
		cold_copy(p, io->iov[i].iov_base, io->iov[i].iov_len);
		p += io->iov[i].iov_len;
	}
	return 0;
}

/* Page by page, so that a page of zeros takes no memory. Bytes at both ends are copied. */
static int ram_copy(struct ram *r, const struct store_io *io)
{
	const uint8_t *from = ram_of(io->from)->base + io->from_off;
	uint64_t at = 0;
	int err = 0;

	while (!err && at < io->len) {
		uint64_t left = io->len - at, page = PAGE - (io->off + at) % PAGE;
		uint64_t n = left < page ? left : page;
		const uint8_t *p = from + at;

		if (n == PAGE && io->flags & STORE_HOLES && !p[0] && !memcmp(p, p + 1, PAGE - 1))
			err = ram_drop(r, io->off + at, n);
		else
			memcpy(r->base + io->off + at, p, n);
		at += n;
	}
	return err;
}

static int ram_submit(struct store *st, struct store_io *io)
{
	struct ram *r = ram_of(st);

	switch (io->op) {
	case STORE_READ: return ram_read(r, io);
	case STORE_WRITE: return ram_write(r, io);
	case STORE_FLUSH: return 0;
	case STORE_DISCARD:
	case STORE_ZERO: /* no space is set aside for a block, so there is none to keep */
		return ram_discard(r, io);
	case STORE_COPY: return ram_copy(r, io);
	}
	return -EINVAL;
}

/* Zeros from `from` to `to`, of which the rest of the first page is kept and all others go. */
static int ram_clear(struct ram *r, uint64_t from, uint64_t to)
{
	uint64_t first = page_up(from), last = page_up(to);

	memset(r->base + from, 0, (first < to ? first : to) - from);
	if (first >= last)
		return 0;
	if (madvise(r->base + first, last - first, MADV_DONTNEED))
		return -errno;
	huge_dropped(r->huge, first, last - first);
	return 0;
}

/* Cleared once more: since the shrink, commands from before it may have written there. */
static int ram_grow(struct ram *r, uint64_t have, uint64_t want)
{
	int err;

	if (page_up(want) > r->reserved)
		return -ENOSPC;
	err = ram_clear(r, have, want);
	if (!err && page_up(want) > page_up(have))
		err = ram_grant(r, page_up(have), page_up(want));
	if (!err)
		atomic_store(&r->store.size, want);
	return err;
}

static int ram_shrink(struct ram *r, uint64_t have, uint64_t want)
{
	atomic_store(&r->store.size, want);
	return ram_clear(r, want, have);
}

static int ram_resize(struct store *st, uint64_t size)
{
	uint64_t have = store_size(st);

	return size > have ? ram_grow(ram_of(st), have, size) : ram_shrink(ram_of(st), have, size);
}

static int ram_map(struct store *st, uint64_t off, uint64_t len, struct iovec *iov, int max)
{
	struct ram *r = ram_of(st);

	(void)max;
	huge_used(r->huge, off, len);
	iov[0] = (struct iovec){ .iov_base = r->base + off, .iov_len = len };
	return 1;
}

/* So much of a read is fetched ahead; what comes behind it the processor finds by itself. */
enum { AHEAD = 4096, LINE = 64 };

/* Into the second cache, while the rest of a batch of commands is decoded. Only where huge pages are:
 * else each page would be looked for in the page tables first, which costs more than it gives. */
static void ram_soon(struct store *st, uint64_t off, uint64_t len)
{
	struct ram *r = ram_of(st);
	const uint8_t *p = r->base + off;

	if (!huge_made(r->huge, off))
		return;
	for (uint64_t at = 0; at < len && at < AHEAD; at += LINE)
		__builtin_prefetch(p + at, 0, 2);
}

/* --- extents ------------------------------------------------------------------------------
 *
 * Writes go straight to the mapping (store_map), so there is nobody to keep a bitmap; the
 * kernel is asked. mincore() will not do: it takes a page that is swapped out for one that was
 * never written. /proc/self/pagemap tells both apart without privilege. A page that was only
 * read is present there too (the shared page of zeros), so a present page that holds nothing
 * but zeros counts as a hole, which is what it reads as. Where pagemap cannot be opened, the
 * contents alone decide: right as well, only slower.
 */
struct pagemap {
	int fd;
	uint64_t first; /* page number of entry[0], within the store */
	uint64_t have;  /* entries that are valid */
	uint64_t entry[512];
};

enum { PAGEMAP_ENTRY = 8 };
#define PAGEMAP_PRESENT ((uint64_t)1 << 63)
#define PAGEMAP_SWAPPED ((uint64_t)1 << 62)

static void pagemap_fill(struct pagemap *pm, const struct ram *r, uint64_t page)
{
	uint64_t number = (uint64_t)(uintptr_t)r->base / PAGE + page;
	ssize_t n = pread(pm->fd, pm->entry, sizeof(pm->entry), (off_t)(number * PAGEMAP_ENTRY));

	pm->first = page;
	pm->have = n > 0 ? (uint64_t)n / PAGEMAP_ENTRY : 0;
}

/* Whether the page may hold something: false only when the kernel says that it is not there. */
static bool page_taken(struct pagemap *pm, const struct ram *r, uint64_t page)
{
	if (pm->fd < 0)
		return true;
	if (page - pm->first >= pm->have)
		pagemap_fill(pm, r, page);
	if (!pm->have)
		return true;
	return pm->entry[page - pm->first] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED);
}

static bool page_mapped(struct pagemap *pm, const struct ram *r, uint64_t page)
{
	const uint8_t *p = r->base + page * PAGE;

	/* All zeros when the first byte is, and every byte equals the one before. */
	return page_taken(pm, r, page) && (p[0] || memcmp(p, p + 1, PAGE - 1));
}

static int ram_extent(struct store *st, uint64_t off, uint64_t *len, bool *mapped)
{
	struct ram *r = ram_of(st);
	uint64_t size = store_size(st), page = off / PAGE, last = page_up(size) / PAGE;
	struct pagemap pm = { .fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC) };

	if (last - page > EXTENT_PAGES)
		last = page + EXTENT_PAGES;
	*mapped = page_mapped(&pm, r, page);
	do {
		page++;
	} while (page < last && page_mapped(&pm, r, page) == *mapped);
	*len = (page * PAGE < size ? page * PAGE : size) - off;
	if (pm.fd >= 0)
		close(pm.fd);
	return 0;
}

const struct store_kind store_ram = {
	.name = "ram",
	.open = ram_open,
	.close = ram_close,
	.submit = ram_submit,
	.resize = ram_resize,
	.map = ram_map,
	.soon = ram_soon,
	.extent = ram_extent,
};
