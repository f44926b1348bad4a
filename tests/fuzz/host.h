/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the fuzzers of logical units share: hosts, of which each is a nexus, and what becomes of
 * their commands. Whatever must not happen ends the process.
 */
#ifndef TESTS_FUZZ_HOST_H
#define TESTS_FUZZ_HOST_H

#include <stdlib.h>
#include <string.h>

#include "scsi/lu.h"
#include "scsi/task.h"

static inline void must(int err)
{
	if (err)
		abort();
}

static inline uint32_t less(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline void host_aborts_none(struct nexus *n, struct lu_abort *a)
{
	(void)n;
	lu_abort_done(a);
}

/* Host 0 or 1, at a target port. */
static inline void host_open(struct nexus *n, unsigned i, uint16_t port, struct loop *loop,
	struct bufs *bufs, struct lun_map *map)
{
	static const struct nexus_ops ops = { .abort_tasks = host_aborts_none };

	*n = (struct nexus){ .loop = loop,
		.bufs = bufs,
		.ops = &ops,
		.initiator = i ? "iqn.2026-11.com.example:b" : "iqn.2026-11.com.example:a",
		.target = "iqn.2026-11.com.example:t",
		.tpgt = 1,
		.rel_port = port };
	must(nexus_open(n, map));
}

static inline void host_is_closed(struct nexus *n)
{
	n->initiator = NULL;
}

static inline void host_close(struct nexus *n)
{
	nexus_close(n, host_is_closed);
	while (n->initiator)
		loop_step(n->loop);
}

/* A task that is over has no done(). */
static inline void host_done(struct scsi_task *t)
{
	t->done = NULL;
}

/* Gives the data that there are; what the command wants beyond is missing. How much that was. */
static inline uint32_t host_give(struct scsi_task *t, const uint8_t *data, uint32_t len)
{
	uint32_t give = less(less(t->out.len, t->expect), len), at = 0;

	if (t->out_unit)
		give -= give % t->out_unit;
	for (int i = 0; at < give; i++) {
		uint32_t n;

		if (i >= t->out.cnt)
			abort();
		n = less(give - at, (uint32_t)t->out.iov[i].iov_len);
		memcpy(t->out.iov[i].iov_base, data + at, n);
		at += n;
	}
	return give;
}

/* Waits for the end, and reads all that would leave, so that a sanitizer sees whether it is there
 * and defined. */
static inline void host_take(struct scsi_task *t, enum scsi_next next)
{
	uint8_t sense[SENSE_MAX];
	uint32_t left, sum = 0;

	while (next == SCSI_PENDING && t->done)
		loop_step(t->nexus->loop);
	if (t->status == SCSI_CHECK_CONDITION && scsi_task_sense(t, sense) > SENSE_MAX)
		abort();
	left = less(t->in.len, t->expect);
	for (int i = 0; left; i++) {
		uint32_t n;
		const uint8_t *p;

		if (i >= t->in.cnt)
			abort();
		n = less(left, (uint32_t)t->in.iov[i].iov_len);
		p = t->in.iov[i].iov_base;
		for (uint32_t k = 0; k < n; k++)
			sum += p[k];
		left -= n;
	}
	if (sum == UINT32_MAX)
		abort();
}

#endif
