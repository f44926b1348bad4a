/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tape drive without a transport: an LTO-5 drive, a small cartridge in it, two nexuses. Commands
 * are run to their end by what scsi_support.h has for disks.
 */
#ifndef TESTS_SSC_SUPPORT_H
#define TESTS_SSC_SUPPORT_H

#include <semaphore.h>

#include "tests/unit/scsi_support.h"
#include "tests/unit/support_vtl.h"
#include "vtl/drive.h"

struct tape_rig {
	struct vtl vtl;
	struct rig *r;
	struct work_pool *pool;
	struct drive *drive;
};

#define TAPE_CAPACITY (4 * VTL_MIB)

/* What runs as a job of the drive, besides commands. */
struct tape_call {
	struct drive_job job;
	struct tape_rig *rig;
	int (*fn)(struct tape_rig *rig);
	int result;
	bool over;
};

static inline void tape_call_run(struct drive *d, struct drive_job *job)
{
	struct tape_call *c = container_of(job, struct tape_call, job);

	(void)d;
	c->result = c->fn(c->rig);
}

static inline void tape_call_done(struct drive_job *job)
{
	container_of(job, struct tape_call, job)->over = true;
}

static inline int tape_in_job(struct tape_rig *rig, int (*fn)(struct tape_rig *rig))
{
	struct tape_call c = { .job = { .run = tape_call_run, .done = tape_call_done,
			.home = rig->r->loop }, .rig = rig, .fn = fn };

	drive_submit(rig->drive, &c.job);
	while (!c.over)
		loop_step(rig->r->loop);
	return c.result;
}

static inline int tape_do_insert(struct tape_rig *rig)
{
	return drive_insert(rig->drive, rig->vtl.path, false);
}

static inline int tape_do_insert_protected(struct tape_rig *rig)
{
	return drive_insert(rig->drive, rig->vtl.path, true);
}

static inline int tape_do_eject(struct tape_rig *rig)
{
	return drive_eject(rig->drive);
}

/* A drive without a cartridge; both nexuses have been told of the power on. */
static inline struct tape_rig *tape_rig_new(struct vtl *v, unsigned generation)
{
	struct tape_rig *rig = calloc(1, sizeof(*rig));
	struct drive_cfg dc = { .generation = generation, .serial = "1068000001" };
	struct tape_cfg tc = { .naa = { 0x60, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
		.gone = rig_lu_gone };
	struct rig *r = calloc(1, sizeof(*r));
	struct lun_entry e = { .lun = 0 };

	assert_non_null(rig);
	assert_non_null(r);
	rig->vtl = *v;
	rig->r = r;
	assert_int_equal(loop_create(0, &r->loop), 0);
	assert_int_equal(bufs_create(r->loop, 1 << 20, &r->bufs), 0);
	assert_int_equal(work_pool_create(2, &rig->pool), 0);
	dc.pool = rig->pool;
	assert_int_equal(drive_create(&dc, &rig->drive), 0);
	tc.drive = rig->drive;
	tc.arg = r;
	assert_int_equal(tape_create(&tc, &r->lu), 0);
	e.lu = r->lu;
	assert_int_equal(lun_map_create(&e, 1, &r->map), 0);
	for (unsigned i = 0; i < RIG_NEXUSES; i++) {
		rig_nexus_open(r, i);
		assert_check(RUN(r, i, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2900);
	}
	return rig;
}

/* The same with a blank cartridge, which both nexuses know of. */
static inline struct tape_rig *tape_rig_loaded(struct vtl *v, struct cartridge_cfg cfg)
{
	struct tape_rig *rig;

	vtl_new_from(v, cfg);
	vtl_close(v);
	rig = tape_rig_new(v, cfg.media->generation);
	assert_int_equal(tape_in_job(rig, tape_do_insert), 0);
	for (unsigned i = 0; i < RIG_NEXUSES; i++)
		assert_check(RUN(rig->r, i, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2800);
	return rig;
}

static inline struct tape_rig *tape_rig_blank(void **state)
{
	return tape_rig_loaded(*state, (struct cartridge_cfg){ .barcode = "TEST01L5",
		.media = media_generation(5), .capacity = TAPE_CAPACITY });
}

/* A host leaves; blocks that were written behind may still have to be told done. */
static inline void tape_rig_leave(struct tape_rig *rig, unsigned i)
{
	struct nexus *n = &rig->r->nexus[i];

	if (n->initiator)
		nexus_close(n, rig_nexus_closed);
	while (n->initiator)
		loop_step(rig->r->loop);
}

static inline void tape_rig_free(struct tape_rig *rig)
{
	for (unsigned i = 0; i < RIG_NEXUSES; i++)
		tape_rig_leave(rig, i);
	rig_free(rig->r);
	drive_free(rig->drive);
	work_pool_free(rig->pool);
	free(rig);
}

/* A job that keeps the drive busy until it is let go, and may eject the cartridge then. */
struct jam {
	struct drive_job job;
	sem_t go;
	bool eject, over;
};

static inline void jam_run(struct drive *d, struct drive_job *job)
{
	struct jam *jam = container_of(job, struct jam, job);

	sem_wait(&jam->go);
	if (jam->eject)
		drive_eject(d);
}

static inline void jam_done(struct drive_job *job)
{
	container_of(job, struct jam, job)->over = true;
}

static inline void jam_begin(struct tape_rig *rig, struct jam *jam)
{
	jam->job = (struct drive_job){ .run = jam_run, .done = jam_done, .home = rig->r->loop };
	sem_init(&jam->go, 0, 0);
	drive_submit(rig->drive, &jam->job);
}

static inline void jam_end(struct tape_rig *rig, struct jam *jam)
{
	sem_post(&jam->go);
	while (!jam->over)
		loop_step(rig->r->loop);
	sem_destroy(&jam->go);
}

/* --- commands ------------------------------------------------------------------------ */

#define BE3(v)             (uint8_t)((v) >> 16), BE2(v)
#define TAPE_READ(n)       0x08, 0, BE3(n), 0
#define TAPE_READ_SILI(n)  0x08, 0x02, BE3(n), 0
#define TAPE_READ_FIXED(n) 0x08, 0x01, BE3(n), 0
#define TAPE_WRITE(n)      0x0a, 0, BE3(n), 0
#define TAPE_WRITE_FIXED(n) 0x0a, 0x01, BE3(n), 0
#define TAPE_MARKS(n)      0x10, 0, BE3(n), 0
#define TAPE_REWIND        0x01, 0, 0, 0, 0, 0
#define TAPE_SPACE(code, n) 0x11, code, BE3(n), 0
#define TAPE_LOCATE(n)     0x2b, 0, 0, BE4(n), 0, 0, 0
#define TAPE_POSITION      0x34, 0x06, 0, 0, 0, 0, 0, 0, 0, 0

/* Runs a command through the first nexus. */
#define TAPE(rig, out, expect, ...) RUN((rig)->r, 0, out, expect, __VA_ARGS__)

static uint8_t tape_data[16 << 20];

/* Bytes that tell their seed and place, and do not depend on how many there are. */
static inline void tape_fill(uint8_t *p, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(seed * 37 + i + i / 251 * 5);
}

/* Writes a block that tells its seed. */
static inline struct result tape_write(struct tape_rig *rig, uint32_t len, uint64_t seed)
{
	tape_fill(tape_data, len, seed);
	return TAPE(rig, tape_data, len, TAPE_WRITE(len));
}

static inline struct result tape_marks(struct tape_rig *rig, uint32_t n)
{
	return TAPE(rig, NULL, 0, TAPE_MARKS(n));
}

/* `len` bytes that the last command gave are those of the seed. */
static inline void tape_expect_data(struct result res, uint32_t len, uint64_t seed)
{
	assert_int_equal(res.in_got, len);
	tape_fill(tape_data, len, seed);
	assert_memory_equal(res.in, tape_data, len);
}

/* Sense of a tape: key, code, what is left (VALID), and the bits. */
static inline void assert_tape(struct result res, enum sense_key key, uint16_t asc, int64_t left)
{
	assert_int_equal(res.status, SCSI_CHECK_CONDITION);
	assert_int_equal(res.sense.key, key);
	assert_int_equal(res.sense.asc, asc);
	assert_true(res.sense.info_valid);
	assert_int_equal(res.sense.info, left);
}

enum { FM = 1, EOM = 2, ILI = 4 };

static inline void assert_bits(struct result res, unsigned bits)
{
	assert_int_equal(res.sense.filemark << 0 | res.sense.eom << 1 | res.sense.ili << 2, bits);
}

/* Whether the tape stands there: object and file, by the long form of READ POSITION. */
static inline void tape_at(struct tape_rig *rig, uint64_t object, uint64_t file)
{
	struct result res = TAPE(rig, NULL, 32, TAPE_POSITION);

	assert_good(res);
	assert_int_equal(res.in_got, 32);
	assert_int_equal(be64(res.in + 8), object);
	assert_int_equal(be64(res.in + 16), file);
}

/* MODE SELECT(6) as Linux' st driver sets a block length. */
static inline struct result tape_set_block(struct tape_rig *rig, uint32_t len)
{
	const uint8_t list[12] = { 0, 0, 0x10, 8, 0, 0, 0, 0, 0, BE3(len) };

	return TAPE(rig, list, 12, 0x15, 0x10, 0, 0, 12, 0);
}

/* A cartridge that has room for what writes leave behind. */
static inline struct tape_rig *roomy(void **state)
{
	return tape_rig_loaded(*state, (struct cartridge_cfg){ .barcode = "TEST01L5",
					       .media = media_generation(5),
					       .capacity = 64 * VTL_MIB });
}

/* Starts a WRITE and gives it its data; whether it has its status then. */
static inline bool write_has_status(
	struct tape_rig *rig, struct scsi_task *t, uint32_t len, uint64_t seed)
{
	const uint8_t cdb[] = { TAPE_WRITE(len) };

	rig_task(t, &rig->r->nexus[0], 0, cdb, 6, SCSI_DIR_OUT, len);
	assert_int_equal(scsi_task_start(t), SCSI_WANT_DATA);
	tape_fill(tape_data, len, seed);
	return scsi_task_data(t, rig_put(t, tape_data)) == SCSI_DONE;
}

#endif
