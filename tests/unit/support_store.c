/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rig of the store tests.
 */
#include "support_store.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int rig_make(void **state, enum store_engine_want want)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	const char *tmp = getenv("TMPDIR");

	if (!rig)
		return -1;
	*state = rig;
	snprintf(rig->dir, sizeof(rig->dir), "%s/store-XXXXXX",
		tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	if (!mkdtemp(rig->dir) || loop_create(0, &rig->loop) || work_pool_create(4, &rig->pool))
		return -1;
	if (want == STORE_ENGINE_URING && store_engine_create(rig->pool, want, &rig->engine))
		want = STORE_ENGINE_THREADS;
	return rig->engine ? 0 : store_engine_create(rig->pool, want, &rig->engine);
}

int rig_auto(void **state)
{
	return rig_make(state, STORE_ENGINE_AUTO);
}

int rig_uring(void **state)
{
	return rig_make(state, STORE_ENGINE_URING);
}

int rig_threads(void **state)
{
	return rig_make(state, STORE_ENGINE_THREADS);
}

static void remove_dir(const char *path)
{
	char name[sizeof(((struct rig *)0)->dir) + sizeof(((struct dirent *)0)->d_name)];
	DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if (e->d_name[0] != '.' && unlink(name))
			rmdir(name);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

int rig_teardown(void **state)
{
	struct rig *rig = *state;

	store_engine_detach(rig->engine, rig->loop);
	store_engine_free(rig->engine);
	work_pool_free(rig->pool);
	loop_free(rig->loop);
	remove_dir(rig->dir);
	free(rig);
	return 0;
}

const char *rig_path(struct rig *rig, const char *name)
{
	static char path[sizeof(rig->dir) + 64];

	snprintf(path, sizeof(path), "%s/%s", rig->dir, name);
	return path;
}

struct store *rig_open(struct rig *rig, struct store_cfg cfg)
{
	struct store *st = NULL;

	cfg.engine = rig->engine;
	rig->why = (struct store_error){ 0 };
	return store_open(&cfg, &st, &rig->why) ? NULL : st;
}

static void on_done(struct store_io *io, int err)
{
	struct asked *a = container_of(io, struct asked, io);

	a->pending = false;
	a->err = err;
}

void ask(struct rig *rig, struct store *st, struct asked *a, enum store_op op, uint64_t off,
	void *buf, size_t len, unsigned flags)
{
	a->iov = (struct iovec){ .iov_base = buf, .iov_len = len };
	a->io = (struct store_io){ .op = op,
		.flags = flags,
		.off = off,
		.len = len,
		.iov = &a->iov,
		.iovcnt = 1,
		.loop = rig->loop,
		.done = on_done };
	a->pending = true;
	a->err = store_submit(st, &a->io);
	if (a->err != STORE_PENDING)
		a->pending = false;
}

int answer(struct rig *rig, struct asked *a)
{
	while (a->pending)
		loop_step(rig->loop);
	return a->err;
}

int request(struct rig *rig, struct store *st, enum store_op op, uint64_t off, void *buf,
	size_t len, unsigned flags)
{
	struct asked a;

	ask(rig, st, &a, op, off, buf, len, flags);
	return answer(rig, &a);
}

void pattern(void *buf, size_t len, unsigned seed)
{
	uint8_t *p = buf;
	uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = (uint8_t)(x >> 24 | 1); /* never 0, so never taken for a hole */
	}
}

bool zeros(const void *buf, size_t len)
{
	const uint8_t *p = buf;

	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}
