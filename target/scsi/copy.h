/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copying between units on behalf of an initiator (SPC-4 5.16): what EXTENDED COPY and the commands
 * with ROD tokens have in common.
 *
 * A copy is a list of runs. It works as a task of its own (`side`), which is not in the task set of
 * any unit, through the I_T_L nexuses of the initiator that asked: before every piece it obeys
 * their gates, and it takes ranges as other readers and writers do. So nobody reads or writes through a
 * copy what the same nexus could not read or write by itself, and units are named in no other way
 * than by what stands in the LUN map of the asking nexus.
 *
 * All of it on the loop of the nexus.
 */
#ifndef SCSI_COPY_H
#define SCSI_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/list.h"
#include "scsi/op.h"
#include "scsi/task.h"
#include "scsi/unit.h"

/* Limits, as RECEIVE COPY OPERATING PARAMETERS and VPD 8Fh tell them. */
#define COPY_CSCDS         16u
#define COPY_SEGMENTS      64u
#define COPY_LIST_MAX      2560u                 /* bytes of descriptors */
#define COPY_SEGMENT_MAX   ((uint32_t)256 << 20) /* bytes */
#define COPY_RUNNING       32u                   /* at once for an I_T_L nexus */
#define COPY_KEPT          64u                   /* results that are kept for it */
#define COPY_RANGES        64u                   /* of a token, or written with one */
#define COPY_TOKEN_MAX     ((uint64_t)4 << 30)   /* bytes that a token stands for */
#define COPY_TOKEN_OPTIMAL ((uint64_t)64 << 20)
#define COPY_TOKENS        128u /* of a unit */
#define COPY_TIMEOUT       60u  /* seconds that a token lives unused, by default */
#define COPY_TIMEOUT_MAX   600u

/* One stretch of bytes. */
struct copy_run {
	struct itl *from; /* NULL: zeros */
	struct itl *to;
	uint64_t from_off, to_off, len;
	uint16_t segment;
};

enum copy_state { COPY_RUNS, COPY_DONE, COPY_FAILED, COPY_ABORTED };

#define COPY_TOKEN_LEN 512

struct copy {
	struct list in_itl; /* itl->copies */
	struct itl *itl; /* through which it was asked for; NULL: that is gone, or it is not kept */

	/* Who asked, and what there is to tell. */
	uint8_t service; /* of operation code 83h */
	uint32_t id;     /* list identifier */
	bool keep;       /* the result, until somebody asks for it */
	bool third;      /* failures are told as COPY ABORTED */
	enum copy_state state;
	uint64_t bytes; /* copied */
	uint16_t segments;
	uint32_t block_size; /* in which `bytes` is told */
	struct sense sense;
	uint8_t status;
	uint8_t *token; /* COPY_TOKEN_LEN bytes that POPULATE TOKEN has made */

	/* While it runs. */
	struct scsi_task *task; /* waits for the end; NULL: nobody does */
	bool stop;
	struct lu *lu;   /* itl->lu, referenced */
	struct scsi_task side;
	uint8_t *buf;
	unsigned step, doing;
	bool slow;     /* the stores cannot copy among themselves */
	uint64_t done; /* of the run */
	uint32_t len;  /* of the piece in flight */
	uint64_t from_off, to_off;
	unsigned at, n;
	struct copy_run runs[];
};

/* A copy of n runs, still to be filled in, which goes away by copy_begin() or copy_free(). NULL: no
 * memory, or too many of them run; the task has its status. */
struct copy *copy_create(struct scsi_task *t, uint32_t id, unsigned n);
void copy_free(struct copy *c);

/* Begins. With `wait` the task ends when the copy does, else at once. Gives what the command's
 * handler returns. */
enum scsi_next copy_begin(struct copy *c, bool wait);
/* One that has ended before it began: its result is kept. */
void copy_keep(struct copy *c);
bool copy_cancel(struct scsi_task *t);

/* A copy asked for through the I_T_L nexus, or NULL; lid1: by EXTENDED COPY(LID1). */
struct copy *copy_find(struct itl *itl, uint32_t id, bool lid1);
/* The task has its status when one of that list identifier runs. */
bool copy_id_busy(struct scsi_task *t, uint32_t id, bool lid1);
/* The I_T_L nexus is about to go. */
void copy_forget(struct itl *itl);

/* COPY ABORTED, about a segment. */
enum scsi_next copy_refused(struct scsi_task *t, uint16_t asc, unsigned segment);

/* The commands, row by row. */
enum scsi_next copy_lid1(struct scsi_task *t);
enum scsi_next copy_lid1_data(struct scsi_task *t);
enum scsi_next copy_populate(struct scsi_task *t);
enum scsi_next copy_populate_data(struct scsi_task *t);
enum scsi_next copy_use(struct scsi_task *t);
enum scsi_next copy_use_data(struct scsi_task *t);
enum scsi_next copy_token_information(struct scsi_task *t);
enum scsi_next copy_all_tokens(struct scsi_task *t);
void copy_tokens_free(struct lu *lu);

extern const struct scsi_op copy_ops[];
void vpd_third_party_copy(struct wr *w, const struct itl *itl); /* 8Fh */

#endif
