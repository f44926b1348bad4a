/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The common part of all stores: the table of kinds, and the checks that every
 * request passes, so that a kind sees only what is inside, aligned and allowed.
 */
#include "store/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/kind.h"

static const struct store_kind *const kinds[] = { &store_ram, &store_file };

int store_refuse(struct store_error *why, int err, const char *fmt, ...)
{
	va_list ap;

	why->err = err;
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return err;
}

const char *store_size_print(uint64_t size, struct store_size_text *t)
{
	static const char unit[] = "KMGTPE";
	size_t u = 0;
	uint64_t n = size;

	while (n && n % 1024 == 0 && u < sizeof(unit) - 1) {
		n /= 1024;
		u++;
	}
	if (u)
		snprintf(t->text, sizeof(t->text), "%llu%c", (unsigned long long)n, unit[u - 1]);
	else
		snprintf(t->text, sizeof(t->text), "%llu bytes", (unsigned long long)n);
	return t->text;
}

static const struct store_kind *kind_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i]->name, name))
			return kinds[i];
	return NULL;
}

int store_open(const struct store_cfg *cfg, struct store **out, struct store_error *why)
{
	const struct store_kind *kind = kind_by_name(cfg->kind);
	struct store_size_text t;
	int err;

	if (!kind)
		return store_refuse(why, -EINVAL, "there is no store of kind \"%s\"", cfg->kind);
	if (cfg->block_size != 512 && cfg->block_size != 4096)
		return store_refuse(
			why, -EINVAL, "a block is 512 or 4096 bytes, not %u", cfg->block_size);
	if (cfg->size > STORE_SIZE_MAX || cfg->size % cfg->block_size)
		return store_refuse(why, -EINVAL,
			"the size, %s, is not a multiple of the block size %u below 8E",
			store_size_print(cfg->size, &t), cfg->block_size);
	err = kind->open(cfg, out, why);
	if (!err)
		(*out)->kind = kind;
	return err;
}

struct store *store_ref(struct store *st)
{
	atomic_fetch_add_explicit(&st->shared, 1, memory_order_relaxed);
	return st;
}

void store_close(struct store *st)
{
	if (st && atomic_fetch_sub_explicit(&st->shared, 1, memory_order_acq_rel) == 0)
		st->kind->close(st);
}

uint64_t store_size(const struct store *st)
{
	return atomic_load_explicit(&st->size, memory_order_relaxed);
}

bool store_read_only(const struct store *st)
{
	return st->read_only;
}

bool store_thin(const struct store *st)
{
	return st->thin;
}

const char *store_kind(const struct store *st)
{
	return st->kind->name;
}

uint64_t store_medium(const struct store *st)
{
	return st->medium;
}

static bool inside(const struct store *st, uint64_t off, uint64_t len)
{
	uint64_t size = store_size(st);

	return off <= size && len <= size - off;
}

int store_resize(struct store *st, uint64_t size)
{
	if (!size || size > STORE_SIZE_MAX || size % st->block_size)
		return -EINVAL;
	if (size == store_size(st))
		return 0;
	return st->kind->resize(st, size);
}

uint64_t store_room(struct store *st)
{
	uint64_t room = st->kind->room ? st->kind->room(st) : 0;

	return room - room % st->block_size;
}

bool store_astray(struct store *st)
{
	return st->kind->astray && st->kind->astray(st);
}

/* A COPY between stores that know each other: kinds see nothing else. 0 or -errno. */
static int copyable(const struct store *st, const struct store_io *io)
{
	const struct store *from = io->from;

	if (io->from_off & (from->block_size - 1) || !inside(from, io->from_off, io->len))
		return -EINVAL;
	if (from->kind != st->kind)
		return -EOPNOTSUPP;
	if (from == st && (io->off < io->from_off ? io->from_off - io->off < io->len
						  : io->off - io->from_off < io->len))
		return -EOPNOTSUPP;
	return 0;
}

int store_submit(struct store *st, struct store_io *io)
{
	int err;

	if (st->read_only && (io->op == STORE_WRITE || io->op >= STORE_DISCARD))
		return -EROFS;
	if (io->op == STORE_FLUSH)
		return st->read_only ? 0 : st->kind->submit(st, io);
	if (((io->off | io->len) & (st->block_size - 1)) || !inside(st, io->off, io->len))
		return -EINVAL;
	if (!io->len)
		return 0;
	if (io->op == STORE_COPY && (err = copyable(st, io)))
		return err;
	return st->kind->submit(st, io);
}

int store_map(struct store *st, uint64_t off, uint64_t len, struct iovec *iov, int max)
{
	if (!st->kind->map || max < 1 || !inside(st, off, len))
		return 0;
	return st->kind->map(st, off, len, iov, max);
}

void store_soon(struct store *st, uint64_t off, uint64_t len)
{
	if (st->kind->soon)
		st->kind->soon(st, off, len);
}

int store_extent(struct store *st, uint64_t off, uint64_t *len, bool *mapped)
{
	if (off >= store_size(st) || off & (st->block_size - 1))
		return -EINVAL;
	return st->kind->extent(st, off, len, mapped);
}
