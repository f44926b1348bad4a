/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving: everything is a matter of figures and of where the filemarks are, which the index knows.
 */
#include <errno.h>

#include "vtl/cartridge_private.h"

enum cartridge_result cartridge_go(struct cartridge *c, unsigned int partition, uint64_t object)
{
	struct place place;
	int err = seek_object(&c->reel[partition], object, &place);

	if (err)
		return cartridge_result_of(err);
	c->partition = partition;
	c->at = place;
	return CARTRIDGE_OK;
}

/* Goes there and tells why: `why`, unless that fails. */
static enum cartridge_result stop_at(
	struct cartridge *c, uint64_t object, enum cartridge_result why)
{
	enum cartridge_result res = cartridge_go(c, c->partition, object);

	return res == CARTRIDGE_OK ? why : res;
}

enum cartridge_result cartridge_rewind(struct cartridge *c)
{
	return cartridge_go(c, c->partition, 0);
}

enum cartridge_result cartridge_locate_eod(struct cartridge *c, unsigned int partition)
{
	if (partition >= c->info.partitions)
		return CARTRIDGE_INVALID;
	return cartridge_go(c, partition, c->reel[partition].tail.objects);
}

enum cartridge_result cartridge_locate(
	struct cartridge *c, unsigned int partition, uint64_t object)
{
	enum cartridge_result res;

	if (partition >= c->info.partitions)
		return CARTRIDGE_INVALID;
	if (object <= c->reel[partition].tail.objects)
		return cartridge_go(c, partition, object);
	res = cartridge_locate_eod(c, partition);
	return res == CARTRIDGE_OK ? CARTRIDGE_EOD : res;
}

enum cartridge_result cartridge_locate_file(
	struct cartridge *c, unsigned int partition, uint64_t file)
{
	enum cartridge_result res;
	uint64_t object = 0;
	int err = 0;

	if (partition >= c->info.partitions)
		return CARTRIDGE_INVALID;
	if (file > c->reel[partition].tail.files) {
		res = cartridge_locate_eod(c, partition);
		return res == CARTRIDGE_OK ? CARTRIDGE_EOD : res;
	}
	if (file)
		err = seek_filemark(&c->reel[partition], file - 1, &object);
	if (err)
		return cartridge_result_of(err);
	return cartridge_go(c, partition, file ? object + 1 : 0);
}

/* How far a count of either sign goes. */
static uint64_t distance(int64_t count)
{
	return count < 0 ? -(uint64_t)count : (uint64_t)count;
}

static enum cartridge_result blocks_forward(
	struct cartridge *c, uint64_t count, uint64_t *residual)
{
	const struct tail *t = &cartridge_reel(c)->tail;
	uint64_t room = t->objects - c->at.object, mark;

	if (c->at.files < t->files) {
		int err = seek_filemark(cartridge_reel(c), c->at.files, &mark);

		if (!err && mark < c->at.object)
			err = -EBADMSG;
		if (err)
			return cartridge_result_of(err);
		if (mark - c->at.object < count) {
			*residual = count - (mark - c->at.object);
			return stop_at(c, mark + 1, CARTRIDGE_FILEMARK);
		}
	}
	if (count > room) {
		*residual = count - room;
		return stop_at(c, t->objects, CARTRIDGE_EOD);
	}
	return stop_at(c, c->at.object + count, CARTRIDGE_OK);
}

static enum cartridge_result blocks_back(struct cartridge *c, uint64_t count, uint64_t *residual)
{
	uint64_t room = c->at.object, mark;

	if (c->at.files) {
		int err = seek_filemark(cartridge_reel(c), c->at.files - 1, &mark);

		if (!err && mark >= c->at.object)
			err = -EBADMSG;
		if (err)
			return cartridge_result_of(err);
		room -= mark + 1;
		if (count > room) {
			*residual = count - room;
			return stop_at(c, mark, CARTRIDGE_FILEMARK);
		}
	}
	if (count > room) {
		*residual = count - room;
		return stop_at(c, 0, CARTRIDGE_BOP);
	}
	return stop_at(c, c->at.object - count, CARTRIDGE_OK);
}

enum cartridge_result cartridge_space_blocks(
	struct cartridge *c, int64_t count, uint64_t *residual)
{
	*residual = 0;
	return count < 0 ? blocks_back(c, distance(count), residual) :
			   blocks_forward(c, distance(count), residual);
}

enum cartridge_result cartridge_space_filemarks(
	struct cartridge *c, int64_t count, uint64_t *residual)
{
	const struct tail *t = &cartridge_reel(c)->tail;
	uint64_t n = distance(count), mark;
	uint64_t room = count < 0 ? c->at.files : t->files - c->at.files;

	*residual = n > room ? n - room : 0;
	if (!n)
		return CARTRIDGE_OK;
	if (*residual)
		return count < 0 ? stop_at(c, 0, CARTRIDGE_BOP) :
				   stop_at(c, t->objects, CARTRIDGE_EOD);
	int err = seek_filemark(cartridge_reel(c),
		count < 0 ? c->at.files - n : c->at.files + n - 1, &mark);
	if (err)
		return cartridge_result_of(err);
	return stop_at(c, count < 0 ? mark : mark + 1, CARTRIDGE_OK);
}

/* Looks for n filemarks in a row among the files behind (or before) the position: the last of them
 * in *mark. -ENOENT when there are none. */
static int find_run(struct cartridge *c, uint64_t n, bool back, uint64_t *mark)
{
	const struct tail *t = &cartridge_reel(c)->tail;
	uint64_t left = back ? c->at.files : t->files - c->at.files;
	uint64_t file = back ? c->at.files - 1 : c->at.files;
	uint64_t run = 0, before = 0;

	for (; left; left--, file += back ? UINT64_MAX : 1) {
		int err = seek_filemark(cartridge_reel(c), file, mark);

		if (err)
			return err;
		run = run && *mark == (back ? before - 1 : before + 1) ? run + 1 : 1;
		if (run == n)
			return 0;
		before = *mark;
	}
	return -ENOENT;
}

enum cartridge_result cartridge_space_sequential_filemarks(
	struct cartridge *c, int64_t count, uint64_t *residual)
{
	uint64_t n = distance(count), mark;
	bool back = count < 0;

	*residual = 0;
	if (!n)
		return CARTRIDGE_OK;
	int err = find_run(c, n, back, &mark);
	if (!err)
		return stop_at(c, back ? mark : mark + 1, CARTRIDGE_OK);
	*residual = n;
	if (err != -ENOENT)
		return cartridge_result_of(err);
	return back ? stop_at(c, 0, CARTRIDGE_BOP) :
		      stop_at(c, cartridge_reel(c)->tail.objects, CARTRIDGE_EOD);
}
