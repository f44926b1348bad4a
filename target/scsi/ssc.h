/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tape drives (SSC-4): what the files ssc*.c share.
 *
 * A command that touches the cartridge is decoded on its loop into a struct tape_job, which runs as
 * a job of the drive: one at a time, on a thread of the pool. There it sets the task's answer; the
 * loop ends the task. What belongs to jobs alone needs no lock; what MODE SELECT sets is atomic.
 */
#ifndef SCSI_SSC_H
#define SCSI_SSC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "scsi/mode.h"
#include "scsi/nexus.h"
#include "scsi/op.h"
#include "scsi/reply.h"
#include "scsi/unit.h"
#include "vtl/cartridge.h"
#include "vtl/drive.h"

/* SECURITY PROTOCOL OUT's: ssc_security.c. */
enum { TAPE_AS_IT_IS = 0, TAPE_DECRYPT = 2, TAPE_MIXED = 3 }; /* DECRYPTION MODE */
struct tape_encryption {
	struct cartridge_key key;
	bool encrypt;
	uint8_t decrypt;
	bool until_demount; /* CKOD */
	uint32_t instance;  /* KEY INSTANCE COUNTER */
};

#define TAPE_ZEROES       5
#define TAPE_DRIVE_ZEROES 2

struct tape {
	struct lu lu; /* the first: freed as such */
	struct drive *drive;
	struct drive_listener listener;

	/* From the mode parameters. */
	_Atomic uint32_t block_len;     /* 0: blocks of variable length only */
	_Atomic bool unbuffered;        /* status comes when data are durable */
	_Atomic bool compress;
	_Atomic bool report_early;      /* REW: early warning is told when reading, too */
	/* Logical block protection, ssc_guard.c: enum tape_guard of each direction. */
	_Atomic uint8_t guard_write, guard_read;
	_Atomic bool append_only;       /* WRITE MODE: see ssc_format.c */
	_Atomic uint64_t pews;          /* programmable early warning: bytes before early warning */

	_Atomic uint8_t partition; /* that the tape is in, as of the last job */
	_Atomic unsigned mounts; /* goes up with each cartridge, and each load by a host */

	/* Of writing behind: ssc_behind.c. */
	_Atomic unsigned pending; /* commands that are with the drive, or wait for it */
	_Atomic uint64_t behind;  /* bytes that are still to be written */
	_Atomic uint64_t room;    /* before anything has to be told; 0: not appending */
	_Atomic(const struct itl *) appender; /* who is; only compared */

	/* Of jobs alone. */
	struct sense deferred;        /* with `deferred` set: still to be told */
	struct port_name deferred_to; /* to this initiator port */
	bool dirty;    /* something was written since the last sync */
	bool past_pew; /* the programmable early warning has been told */
	struct tape_crowd {
		uint64_t from, until; /* in the partition: where this holds */
		uint64_t end;         /* from where on the file system is nearly full */
		bool told;            /* that is so now, and the log has it */
	} crowd;
	struct tape_encryption encryption;
	bool clear; /* the block that was not read was not encrypted */
	uint8_t allowed; /* by ALLOW OVERWRITE, and where */
	unsigned allowed_partition;
	uint64_t allowed_object;
	/* Where the counters of log pages began: ssc_log.c. The first two are the drive's, the
	 * others the cartridge's. */
	struct cartridge_counters zero[TAPE_ZEROES];
};

/* TapeAlert flags (SSC-4 annex A) that are ever raised. */
enum {
	ALERT_HARD_ERROR = 3,
	ALERT_MEDIUM = 4,
	ALERT_READ_FAILURE = 5,
	ALERT_WRITE_FAILURE = 6,
	ALERT_NO_REMOVAL = 10,
	ALERT_CLEANING_MEDIUM = 11,
	ALERT_UNSUPPORTED_FORMAT = 12,
	ALERT_READ_ONLY_FORMAT = 17,
	ALERT_WORM_OVERWRITE = 60,
};
/* In a job: raises one, and has the cartridge's memory remember it. */
void tape_alert(struct tape *tape, unsigned flag);

static inline struct tape *tape_of(const struct scsi_task *t)
{
	return container_of(t->itl->lu, struct tape, lu);
}

/* --- commands as jobs: ssc_job.c ------------------------------------------------------------- */

struct tape_job;
struct tape_place;
/* In a job. c is the cartridge; NULL only for those that asked for it. */
typedef void tape_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c);

struct tape_job {
	struct drive_job job;
	struct scsi_task *t;
	tape_run *run;
	atomic_bool aborted; /* nobody waits for it: what takes long may end */
	unsigned mounts; /* the tape's, when the command came */
	bool without;    /* runs also where no cartridge is loaded */
	bool fixed, sili, immed, at_object, compare;
	uint8_t code, partition;
	uint32_t len;       /* TRANSFER LENGTH: bytes, or blocks where fixed */
	/* Of the mode parameters, as they were when the command came: data that are on their way
	 * do not change what they are. */
	uint32_t block_len;
	uint8_t guard_write, guard_read;
	int64_t count;
	uint64_t object;
	uint8_t page[MODE_PAGE_SIZE]; /* medium partition mode page */
};

/* The job of a task, made when it is first asked for, all zero. NULL: the status is BUSY. It goes
 * with the task. */
struct tape_job *tape_job(struct scsi_task *t);
/* Hands it to the drive. SCSI_PENDING. */
enum scsi_next tape_submit(struct scsi_task *t, tape_run *fn);
/* For rows: an abort takes back a job that waits, and tells one that runs. */
bool tape_cancel(struct scsi_task *t);
/* In a job: whether the cartridge is still the one that the command was sent to. Its data may have
 * been long in coming, and a unit attention that came up meanwhile stops only the next command. */
bool tape_same_mount(const struct scsi_task *t, const struct tape_job *j);

/* In a job: what was written behind for this nexus has failed. Its next command tells that; another
 * nexus's does only when that initiator port has gone. */
void tape_defer(struct tape *tape, const struct nexus *n, const struct sense *s);
/* Whether that is still to be told to the nexus. */
bool tape_owes(const struct tape *tape, const struct nexus *n);

/* --- transfers: ssc_rw.c -------------------------------------------------------------------- */

/* The job of a CDB with FIXED, TRANSFER LENGTH and, of 16 bytes, the object to begin at. */
struct tape_job *tape_transfer(struct scsi_task *t);
/* Bytes that it moves at most. False: the task has its status. */
bool tape_total(struct scsi_task *t, const struct tape_job *j, uint32_t *bytes);
/* In a job: goes where a CDB of 16 bytes says. False: likewise. */
bool tape_go(struct scsi_task *t, const struct tape_job *j, struct cartridge *c);
/* cartridge_read() as the unit decrypts. NO_KEY may also mean that the block is not encrypted and
 * should be: tape->clear. */
enum cartridge_result tape_read(struct scsi_task *t, struct cartridge *c, void *buf, size_t size,
	struct cartridge_block *got);

/* --- logical block protection: ssc_guard.c, in jobs ----------------------------------------- */

#define TAPE_GUARD 4u /* bytes behind each block */

/* LOGICAL BLOCK PROTECTION METHOD (SSC-5 8.5.9): the Reed-Solomon CRC that LTO drives have, and
 * CRC32C, which they have had since LTO-7. */
enum tape_guard { TAPE_GUARD_NONE = 0, TAPE_GUARD_RS = 1, TAPE_GUARD_CRC32C = 2 };

/* Writes blocks that end with their guard, which is checked and not written. *wrong: the one behind
 * those that are done does not match. */
enum cartridge_result tape_write_guarded(struct cartridge *c, enum tape_guard method,
	const uint8_t *buf, size_t len, size_t count, const struct cartridge_write_how *how,
	size_t *done, bool *wrong);
/* Puts the guard behind a block of `len` bytes in a buffer that has `room`, as far as it goes. */
void tape_add_guard(enum tape_guard method, uint8_t *block, size_t len, size_t room);

/* In a job: the key to write with, or NULL; and what becomes of keys when the cartridge goes. */
const struct cartridge_key *tape_write_key(const struct tape *tape);
void tape_demounted(struct tape *tape);

/* In a job: after a write of this nexus that went well; gives where the tape stands. A file system
 * that is nearly full counts as early warning: hosts close what they write while there is room. */
void tape_appended(
	struct tape *tape, const struct itl *itl, struct cartridge *c, struct tape_place *out);
/* A WRITE of which all data have come: true when it has its status although they are still to be
 * written. */
bool tape_write_behind(struct scsi_task *t, const struct tape_job *j);

/* In a job: false, with a status, where the unit only appends and data follow (ssc_format.c). */
bool tape_may_overwrite(struct scsi_task *t, struct cartridge *c);

/* --- how they end: in jobs, too ------------------------------------------------------------- */

enum { TAPE_FILEMARK = 1, TAPE_EOM = 2, TAPE_ILI = 4 };

/* CHECK CONDITION with what the stream commands have to say; data that were read go out, too. */
void tape_check(struct scsi_task *t, enum sense_key key, uint16_t asc, unsigned flags);
/* The same with the INFORMATION field: what is left of the transfer length or count. */
void tape_check_left(
	struct scsi_task *t, enum sense_key key, uint16_t asc, unsigned flags, int64_t left);
/* What a result other than OK means where the command itself says nothing else. False: that the
 * unit is busy. */
bool tape_sense_of(struct tape *tape, enum cartridge_result r, bool writing, struct sense *s);
void tape_failed(struct scsi_task *t, enum cartridge_result r, bool writing);
/* The same with what is left of the transfer length or count, and at the end of data whether that
 * is past early warning (SSC-4 7.5, 7.17). */
void tape_stopped(struct scsi_task *t, const struct tape_job *j, struct cartridge *c,
	enum cartridge_result r, bool writing, uint64_t left);

/* Makes durable what was written. False: the task has its status. */
bool tape_settle(struct scsi_task *t, struct cartridge *c);

/* Where the tape stands in its partition. */
struct tape_place {
	struct cartridge_position at;
	bool early;        /* at or past early warning */
	bool programmed;   /* at or past the programmable one */
	uint64_t to_early, to_programmed; /* bytes before that */
};
void tape_place(const struct tape *tape, struct cartridge *c, struct tape_place *out);
/* The same where early warning comes after `room` bytes at the latest. */
void tape_place_within(
	const struct tape *tape, struct cartridge *c, uint64_t room, struct tape_place *out);

/* --- tables --------------------------------------------------------------------------------- */

#define TAPE_STOPS (STOPS_CHANGE | STOPS_READY)

extern const struct scsi_op ssc_rw_ops[], ssc_move_ops[], ssc_medium_ops[], ssc_log_ops[],
	ssc_attribute_ops[], ssc_verify_ops[], ssc_format_ops[], ssc_security_ops[];
extern const struct mode_rules ssc_mode_rules;
/* By the number of partitions that a medium of the drive's generation may have. */
extern const struct mode_page ssc_modes_1[], ssc_modes_2[], ssc_modes_4[];

#endif
