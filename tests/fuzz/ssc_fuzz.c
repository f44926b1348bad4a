/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any CDBs with any data, one after the other, at an LTO-5 drive with a small blank cartridge, made
 * anew for each input. Its first byte says what that is (bit 0: WORM, 1: write-protected); the rest
 * is a list of commands:
 *
 *   flags (bit 0: which nexus, 1 and 2: direction, 3: abort while it waits, 4: an operator takes
 *   the cartridge out, or puts it back, before the command, 5: its data are late, and the next
 *   command comes before them)
 *   expected length / 64, length of the data that follow / 4, 1 byte each
 *   CDB, 16 bytes
 *   data
 *
 * Whatever came, the cartridge is whole afterwards.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/log.h"
#include "tests/fuzz/host.h"
#include "vtl/drive.h"

#define NEXUSES  2
#define HEAD     19
#define COMMANDS 48 /* of one input */
#define CAPACITY (2u * CARTRIDGE_CAPACITY_MIN)

#define WORM      0x01
#define PROTECTED 0x02

static struct world {
	char dir[64], path[80];
	struct loop *loop;
	struct bufs *bufs;
	struct work_pool *pool;
	struct drive *drive;
	struct nexus nexus[NEXUSES];
	bool protected;
} world;

static void remove_all(const char *path)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf %.80s", path);
	if (system(command))
		fprintf(stderr, "%s: cannot be removed\n", path);
}

static void world_close(void)
{
	struct world *w = &world;

	drive_free(w->drive);
	work_pool_free(w->pool);
	bufs_free(w->bufs);
	loop_free(w->loop);
	remove_all(w->dir);
}

static void world_open(struct world *w)
{
	struct drive_cfg cfg = { .generation = 5, .serial = "FUZZ000001" };
	struct stat st;

	log_setup(LOG_TO_STDERR, -1);
	strcpy(w->dir, stat("/dev/shm", &st) ? "/tmp/ssc-fuzz-XXXXXX" : "/dev/shm/ssc-fuzz-XXXXXX");
	if (!mkdtemp(w->dir))
		abort();
	snprintf(w->path, sizeof(w->path), "%.63s/FUZZ01", w->dir);
	/* It would clean up before the threads have gone. */
	must(!OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL));
	must(loop_create(0, &w->loop));
	must(bufs_create(NULL, 1 << 20, &w->bufs));
	must(work_pool_create(2, &w->pool));
	cfg.pool = w->pool;
	must(drive_create(&cfg, &w->drive));
	atexit(world_close);
}

/* --- what the changer does ----------------------------------------------------------------- */

struct call {
	struct drive_job job;
	void (*fn)(struct world *w);
	bool over;
};

static void call_run(struct drive *d, struct drive_job *job)
{
	(void)d;
	container_of(job, struct call, job)->fn(&world);
}

static void call_done(struct drive_job *job)
{
	container_of(job, struct call, job)->over = true;
}

static void in_job(struct world *w, void (*fn)(struct world *w))
{
	struct call c = { .job = { .run = call_run, .done = call_done, .home = w->loop }, .fn = fn };

	drive_submit(w->drive, &c.job);
	while (!c.over)
		loop_step(w->loop);
}

static void insert(struct world *w)
{
	must(drive_insert(w->drive, w->path, w->protected));
}

/* A host may prevent it; then it stays. */
static void take_or_put(struct world *w)
{
	if (!drive_full(w->drive))
		insert(w);
	else
		drive_eject(w->drive);
}

static void take_out(struct world *w)
{
	must(drive_eject(w->drive));
}

/* Every object of every partition can be read. */
static void check_whole(struct world *w)
{
	const struct cartridge_opening how = { .read_only = true };
	struct cartridge_block got;
	struct cartridge *c;
	enum cartridge_result r;

	must(cartridge_open(w->path, &how, &c));
	for (unsigned i = 0; i < cartridge_info(c)->partitions; i++) {
		r = cartridge_locate(c, i, 0);
		while (r == CARTRIDGE_OK || r == CARTRIDGE_FILEMARK)
			r = cartridge_verify(c, &got);
		must(r != CARTRIDGE_EOD);
	}
	must(cartridge_close(c));
}

/* --- what hosts do ------------------------------------------------------------------------- */

/* What is missing of the data is zeros. */
static enum scsi_next give(struct scsi_task *t, const uint8_t *data, uint32_t len)
{
	uint32_t room = less(t->out.len, t->expect), n = less(room, len);

	if (n)
		memcpy(t->out.iov[0].iov_base, data, n);
	if (room > n)
		memset((uint8_t *)t->out.iov[0].iov_base + n, 0, room - n);
	return scsi_task_data(t, room);
}

/* What is still to come. */
struct script {
	struct rd r;
	unsigned left; /* commands */
};

static void play_one(struct world *w, struct script *s);

static void run(struct world *w, const uint8_t head[static HEAD], const uint8_t *data, uint32_t len,
	struct script *s)
{
	struct scsi_task t;
	enum scsi_next next;

	memset(&t, 0xa5, sizeof(t));
	t.nexus = &w->nexus[head[0] & 1];
	t.done = host_done;
	t.lun = 0;
	memcpy(t.cdb, head + 3, 16);
	t.cdb_len = 16;
	t.attr = TASK_SIMPLE;
	t.dir = head[0] >> 1 & 3;
	t.expect = (uint32_t)head[1] * 64;
	next = scsi_task_start(&t);
	if (next == SCSI_WANT_DATA && head[0] & 0x20)
		play_one(w, s);
	if (next == SCSI_WANT_DATA)
		next = give(&t, data, len);
	if (next == SCSI_PENDING && head[0] & 0x08)
		scsi_task_abort(&t);
	host_take(&t, next);
	scsi_task_release(&t);
}

/* Both hosts know that there is a cartridge. */
static void calm(struct world *w)
{
	static const uint8_t head[NEXUSES][HEAD] = { { 0 }, { 1 } };

	for (unsigned i = 0; i < 2 * NEXUSES; i++)
		run(w, head[i % NEXUSES], NULL, 0, NULL);
}

static void play_one(struct world *w, struct script *s)
{
	const uint8_t *head;
	uint32_t len;

	if (!s->left || s->r.left < HEAD)
		return;
	s->left--;
	head = rd_bytes(&s->r, HEAD);
	len = less(head[2] * 4u, (uint32_t)s->r.left);
	if (head[0] & 0x10)
		in_job(w, take_or_put);
	run(w, head, rd_bytes(&s->r, len), len, s);
}

static void play(struct world *w, struct rd r)
{
	struct script s = { r, COMMANDS };

	while (s.left && s.r.left >= HEAD)
		play_one(w, &s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cartridge_cfg blank = { .barcode = "FUZZ01", .media = media_generation(5),
		.capacity = CAPACITY };
	struct tape_cfg cfg = { .naa = { 0x60 } };
	struct rd r = rd_of(data, size);
	struct lun_entry e = { .lun = 0 };
	struct world *w = &world;
	uint8_t what = rd_u8(&r);
	struct lun_map *map;

	if (!w->loop)
		world_open(w);
	blank.worm = what & WORM;
	w->protected = what & PROTECTED;
	must(cartridge_create(w->path, &blank));
	cfg.drive = w->drive;
	must(tape_create(&cfg, &e.lu));
	must(lun_map_create(&e, 1, &map));
	for (unsigned i = 0; i < NEXUSES; i++)
		host_open(&w->nexus[i], i, 1, w->loop, w->bufs, map);
	in_job(w, insert);
	calm(w);
	play(w, r);
	for (unsigned i = 0; i < NEXUSES; i++)
		host_close(&w->nexus[i]);
	in_job(w, take_out);
	lun_map_unref(map);
	lu_unref(e.lu);
	check_whole(w);
	must(cartridge_remove(w->path));
	return 0;
}
