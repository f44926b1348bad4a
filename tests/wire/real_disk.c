/* SPDX-License-Identifier: BSD-2-Clause */
#include "real_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "scsi/lu.h"

static void loop_ends(void *arg, struct loop *loop)
{
	store_engine_detach(((struct real_disk *)arg)->engine, loop);
}

static struct lun_map *make_disk(
	const struct real_disk *d, const char *kind, uint64_t size, uint32_t block)
{
	struct store_cfg cfg = {
		.kind = kind, .size = size, .block_size = block, .create = true, .engine = d->engine
	};
	struct disk_cfg disk = {
		.block_size = block, .naa = { 0x60, 1 }, .thin = true, .pool = d->pool
	};
	struct lun_entry e = { .lun = 0 };
	struct lun_map *map;
	struct store_error why;
	char path[64];

	snprintf(path, sizeof(path), "%s/disk", d->folder);
	cfg.path = strcmp(kind, "ram") ? path : NULL;
	assert_int_equal(store_open(&cfg, &disk.store, &why), 0);
	unlink(path);
	assert_int_equal(disk_create(&disk, &e.lu), 0);
	assert_int_equal(lun_map_create(&e, 1, &map), 0);
	lu_unref(e.lu);
	return map;
}

void real_disk_begin(struct real_disk *d, struct wire *w, const char *kind, uint64_t size,
	uint32_t block, enum store_engine_want want)
{
	*d = (struct real_disk){ .folder = "/tmp/wire-XXXXXX" };
	assert_non_null(mkdtemp(d->folder));
	assert_int_equal(work_pool_create(4, &d->pool), 0);
	assert_int_equal(store_engine_create(d->pool, want, &d->engine), 0);
	w->cfg.loop_ends = loop_ends;
	w->cfg.arg = d;
	w->target[0].luns = make_disk(d, kind, size, block);
}

void real_disk_end(struct real_disk *d, void **state)
{
	assert_int_equal(wire_teardown(state), 0);
	*state = NULL;
	store_engine_free(d->engine);
	work_pool_free(d->pool);
	assert_int_equal(rmdir(d->folder), 0);
}
