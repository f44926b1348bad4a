/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any CDBs with any data, one after the other, at a media changer over a library with two drives, a
 * few cartridges and a catalog, all in a scratch directory. Each input is a list of commands:
 *
 *   flags (bit 0: which nexus, 1 and 2: direction, 3: abort while it waits)
 *   expected length / 64, length of the data that follow, 1 byte each
 *   CDB, 12 bytes
 *   data
 *
 * The library is made once. What an input did to reservations ends with its nexuses; where the
 * cartridges are is the next one's starting point, as making all anew would take too long.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/log.h"
#include "tests/fuzz/host.h"
#include "vtl/library.h"

#define DRIVES     2
#define SLOTS      4
#define MAIL       2
#define CARTRIDGES 3
#define NEXUSES    2
#define HEAD       15
#define COMMANDS   32 /* of one input */

static struct world {
	char dir[64];
	struct loop *loop;
	struct bufs *bufs;
	struct work_pool *pool;
	struct state_dir *state;
	struct catalog *catalog;
	struct drive *drives[DRIVES];
	struct library *library;
	struct nexus nexus[NEXUSES];
	bool flag;
} world;

static void wait_for(struct world *w)
{
	while (!w->flag)
		loop_step(w->loop);
	w->flag = false;
}

static void loaded(void *arg, int err, const char *why)
{
	(void)why;
	must(err);
	((struct world *)arg)->flag = true;
}

static void closed(void *arg)
{
	((struct world *)arg)->flag = true;
}

static void added(struct library_request *r)
{
	must(r->result != LIBRARY_OK);
	world.flag = true;
}

static void add(struct world *w, const char *barcode)
{
	struct library_request r = { .op = LIBRARY_ADD,
		.barcode = barcode,
		.add.size = CARTRIDGE_CAPACITY_MIN,
		.done = added,
		.home = w->loop };

	library_submit(w->library, &r);
	wait_for(w);
}

static void world_close(void)
{
	struct world *w = &world;
	char command[96];

	library_close(w->library, closed, w);
	wait_for(w);
	for (unsigned i = 0; i < DRIVES; i++)
		drive_free(w->drives[i]);
	work_pool_free(w->pool);
	catalog_close(w->catalog);
	state_dir_close(w->state);
	bufs_free(w->bufs);
	loop_free(w->loop);
	snprintf(command, sizeof(command), "rm -rf %.63s", w->dir);
	if (system(command))
		fprintf(stderr, "%s: cannot be removed\n", w->dir);
}

static void open_catalog(struct world *w)
{
	struct catalog_config cfg = { .dir = NULL };
	struct catalog_error why;
	struct state_error no_dir;
	char path[96];

	snprintf(path, sizeof(path), "%s/state", w->dir);
	must(state_dir_open(path, NULL, &w->state, &no_dir));
	cfg.dir = w->state;
	must(catalog_open(&cfg, &w->catalog, &why));
}

static void open_library(struct world *w)
{
	struct library_cfg cfg = { .name = "fuzz",
		.model = CHANGER_STK_L700,
		.drives = w->drives,
		.ndrives = DRIVES,
		.generation = 5,
		.slots = SLOTS,
		.mail_slots = MAIL,
		.catalog = w->catalog,
		.pool = w->pool,
		.loop = w->loop };
	char path[96], archive[96];

	snprintf(path, sizeof(path), "%s/tapes", w->dir);
	snprintf(archive, sizeof(archive), "%s/archive", w->dir);
	if (mkdir(path, 0700) || mkdir(archive, 0700))
		abort();
	cfg.path = path;
	cfg.archive = archive;
	must(library_create(&cfg, &w->library));
	library_load(w->library, loaded, w);
	wait_for(w);
}

static void world_open(struct world *w)
{
	static const char *const barcodes[CARTRIDGES] = { "AAA001L5", "AAA002LV", "CLNU01L1" };
	struct stat st;

	log_setup(LOG_TO_STDERR, -1);
	strcpy(w->dir, stat("/dev/shm", &st) ? "/tmp/smc-fuzz-XXXXXX" : "/dev/shm/smc-fuzz-XXXXXX");
	if (!mkdtemp(w->dir))
		abort();
	must(loop_create(0, &w->loop));
	must(bufs_create(NULL, 1 << 20, &w->bufs));
	must(work_pool_create(4, &w->pool));
	open_catalog(w);
	for (unsigned i = 0; i < DRIVES; i++)
		must(drive_create(
			&(struct drive_cfg){
				.generation = 5, .serial = i ? "D2" : "D1", .pool = w->pool },
			&w->drives[i]));
	open_library(w);
	for (unsigned i = 0; i < CARTRIDGES; i++)
		add(w, barcodes[i]);
	atexit(world_close);
}

static void one(struct world *w, const uint8_t head[static HEAD], const uint8_t *data, uint32_t len)
{
	struct scsi_task t;
	enum scsi_next next;

	memset(&t, 0xa5, sizeof(t));
	t.nexus = &w->nexus[head[0] & 1];
	t.done = host_done;
	t.lun = 0;
	memset(t.cdb, 0, sizeof(t.cdb));
	memcpy(t.cdb, head + 3, 12);
	t.cdb_len = 12;
	t.attr = TASK_SIMPLE;
	t.dir = head[0] >> 1 & 3;
	t.expect = (uint32_t)head[1] * 64;
	next = scsi_task_start(&t);
	if (next == SCSI_WANT_DATA)
		next = scsi_task_data(&t, host_give(&t, data, len));
	if (next == SCSI_PENDING && head[0] & 0x08)
		scsi_task_abort(&t);
	host_take(&t, next);
	scsi_task_release(&t);
}

static void count(const struct library_element *e, void *arg)
{
	*(unsigned *)arg += e->full;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct changer_cfg cfg = { .naa = { 0x60 } };
	struct rd r = rd_of(data, size);
	struct lun_entry e = { .lun = 0 };
	struct world *w = &world;
	struct lun_map *map;
	unsigned full = 0;

	if (!w->library)
		world_open(w);
	cfg.library = w->library;
	must(changer_create(&cfg, &e.lu));
	must(lun_map_create(&e, 1, &map));
	for (unsigned i = 0; i < NEXUSES; i++)
		host_open(&w->nexus[i], i, 1, w->loop, w->bufs, map);
	for (unsigned i = 0; i < COMMANDS && r.left >= HEAD; i++) {
		const uint8_t *head = rd_bytes(&r, HEAD);
		uint32_t len = less(head[2], (uint32_t)r.left);

		one(w, head, rd_bytes(&r, len), len);
	}
	for (unsigned i = 0; i < NEXUSES; i++)
		host_close(&w->nexus[i]);
	lun_map_unref(map);
	lu_unref(e.lu);
	library_elements(w->library, CATALOG_IN_VAULT, 0, SIZE_MAX, count, &full);
	if (full != CARTRIDGES)
		abort();
	return 0;
}
