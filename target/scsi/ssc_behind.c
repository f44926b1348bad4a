/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing behind: buffered mode 1 of SSC-4 4.2.12. While a host appends block after block, the
 * status of a WRITE comes when its data are here, and they are written while the next are on their
 * way.
 *
 * That is done only where nothing can have to be told with the status: the command before was a
 * write of the same nexus that went well, no other waits, and early warnings (also that of a file
 * system that is nearly full) are further away than all that is still to be written. What fails
 * nevertheless (the file system) is told by the nexus's next command, as a deferred error; its
 * writes that were accepted in between are not done. Nothing is durable before a synchronizing
 * command has said so, and that one waits for its turn behind all of these. A robot that comes for
 * the cartridge does, too; what is sent after that waits for it.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "scsi/nexus.h"
#include "scsi/ssc.h"

#define BEHIND_MAX ((uint64_t)16 << 20) /* bytes */
#define MARGIN     ((uint64_t)4 << 20)  /* what else a log may need */
#define OVERHEAD   128u                 /* of a block */
#define CROWDED    ((uint64_t)32 << 20) /* bytes that a file system keeps for the end of a write */
#define ASK_AFTER  ((uint64_t)256 << 20)

struct behind {
	struct drive_job job;
	struct tape *tape;    /* whose unit is referenced */
	struct nexus *nexus;  /* held: its loop, and where the buffer came from */
	const struct itl *itl; /* only compared */
	uint8_t *buf;
	uint32_t buf_len;
	size_t len, count;    /* blocks */
	uint64_t charge;
};

/* --- in jobs -------------------------------------------------------------------------------- */

static void crowd_ask(struct tape_crowd *crowd, struct cartridge *c, uint64_t at)
{
	uint64_t space = cartridge_free_space(c), room = space > CROWDED ? space - CROWDED : 0;

	if (!room && !crowd->told)
		log_msg(LOG_WARNING,
			"cartridge %s: its file system has %" PRIu64
			" MiB left: hosts are told that the tape ends soon",
			cartridge_info(c)->barcode, space >> 20);
	*crowd = (struct tape_crowd){
		.from = at,
		.until = at + (room / 16 < ASK_AFTER ? room / 16 : ASK_AFTER),
		.end = room < UINT64_MAX - at ? at + room : UINT64_MAX,
		.told = !room,
	};
}

/* Bytes before the file system is nearly full. It is asked the more often, the less it has, as we
 * are not the only ones who write there. */
static uint64_t crowd_room(struct tape *tape, struct cartridge *c)
{
	struct tape_crowd *crowd = &tape->crowd;
	struct cartridge_position at;
	struct cartridge_usage u = { 0 };

	cartridge_position(c, &at);
	cartridge_usage(c, at.partition, &u);
	if (u.before < crowd->from || u.before >= crowd->until)
		crowd_ask(crowd, c, u.before);
	return crowd->end - u.before;
}

void tape_appended(
	struct tape *tape, const struct itl *itl, struct cartridge *c, struct tape_place *out)
{
	uint64_t room;

	tape_place_within(tape, c, crowd_room(tape, c), out);
	room = out->to_programmed ? out->to_programmed : out->to_early;
	atomic_store(&tape->appender, itl);
	atomic_store(&tape->room, tape->deferred.deferred ? 0 : room);
}

static enum cartridge_result append(struct behind *b, struct cartridge *c)
{
	struct tape *tape = b->tape;
	struct cartridge_write_how how = { .compress = atomic_load(&tape->compress),
		.key = tape_write_key(tape) };
	struct iovec iov = { b->buf, b->buf_len };
	size_t done;
	enum cartridge_result r = cartridge_write(c, &iov, 1, b->len, b->count, &how, &done);
	struct tape_place p;

	tape->dirty = tape->dirty || done;
	tape_appended(tape, b->itl, c, &p);
	return r;
}

static void run(struct drive *d, struct drive_job *job)
{
	struct behind *b = container_of(job, struct behind, job);
	struct tape *tape = b->tape;
	struct cartridge *c = drive_cartridge(d);
	struct sense s = { .key = SENSE_MEDIUM_ERROR, .asc = ASC_WRITE_ERROR };
	enum cartridge_result r = CARTRIDGE_OK;

	if (tape_owes(tape, b->nexus))
		goto out;
	if (c)
		r = append(b, c);
	/* Blocks that the host has done with are lost: at an end of partition it would go on with
	 * the next cartridge behind them. */
	if (r != CARTRIDGE_OK)
		tape_sense_of(tape, r == CARTRIDGE_NO_SPACE ? CARTRIDGE_IO : r, true, &s);
	if (!c || r != CARTRIDGE_OK)
		tape_defer(tape, b->nexus, &s);
out:
	atomic_fetch_sub(&tape->behind, b->charge);
}

/* --- on the loop ---------------------------------------------------------------------------- */

static void done(struct drive_job *job)
{
	struct behind *b = container_of(job, struct behind, job);
	struct lu *lu = &b->tape->lu;

	nexus_buffer_put(b->nexus, b->buf, b->buf_len);
	nexus_unhold(b->nexus);
	free(b);
	lu_unref(lu);
}

static bool runs_ahead(struct tape *tape, const struct itl *itl, uint64_t charge)
{
	uint64_t behind;

	if (atomic_load(&tape->unbuffered) || atomic_load(&tape->append_only) ||
		atomic_load(&tape->pending) || atomic_load(&tape->appender) != itl)
		return false;
	behind = atomic_fetch_add(&tape->behind, charge) + charge;
	if (behind <= BEHIND_MAX && behind + MARGIN < atomic_load(&tape->room))
		return true;
	atomic_fetch_sub(&tape->behind, charge);
	return false;
}

bool tape_write_behind(struct scsi_task *t, const struct tape_job *j)
{
	struct tape *tape = tape_of(t);
	size_t count = j->fixed ? j->len : 1;
	uint64_t charge = t->buf_len + (uint64_t)count * OVERHEAD;
	struct behind *b;

	if (j->at_object || j->guard_write || t->attr > TASK_SIMPLE || !tape_same_mount(t, j) ||
		!runs_ahead(tape, t->itl, charge))
		return false;
	b = malloc(sizeof(*b));
	if (!b) {
		atomic_fetch_sub(&tape->behind, charge);
		return false;
	}
	*b = (struct behind){
		.job = { .run = run, .done = done, .home = t->nexus->loop },
		.tape = tape,
		.nexus = t->nexus,
		.itl = t->itl,
		.buf = t->buf,
		.buf_len = t->buf_len,
		.len = j->fixed ? j->block_len : j->len,
		.count = count,
		.charge = charge,
	};
	lu_ref(&tape->lu);
	nexus_hold(t->nexus);
	if (!drive_submit_unless_visited(tape->drive, &b->job)) {
		nexus_unhold(t->nexus);
		lu_unref(&tape->lu);
		atomic_fetch_sub(&tape->behind, charge);
		free(b);
		return false;
	}
	t->buf = NULL;
	return true;
}
