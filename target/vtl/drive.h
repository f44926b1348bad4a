/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tape drive, without SCSI: the cartridge that is in it, and the queue in front of it.
 *
 * Everything that touches the cartridge blocks, so it is done by jobs: functions that run on
 * threads of the pool, one at a time for each drive, in the order in which they were submitted.
 * What others want to know meanwhile (is there a cartridge, which, where does the tape stand) is
 * kept as a copy that any thread may read, and that is as of the end of the last job.
 *
 * A cartridge comes in by drive_insert() and goes by drive_eject(): that is the changer's side.
 * Between the two the host may unload and load it again as often as it likes.
 */
#ifndef VTL_DRIVE_H
#define VTL_DRIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/loop.h"
#include "base/work.h"
#include "vtl/cartridge.h"
#include "vtl/media.h"

struct drive;

/* --- making one: any thread ------------------------------------------------------------------ */

struct drive_cfg {
	unsigned int generation;  /* LTO: media.h */
	const char *vendor;       /* NULL or empty, here and below: as IBM's of that generation */
	const char *product;      /* at most 8, 16, 4 and 32 printable ASCII characters; copied */
	const char *revision;
	const char *serial;       /* must be given */
	struct work_pool *pool;   /* lives longer than the drive */
	bool starting;            /* it is not empty before drive_settle() */
};

/* An empty drive. 0 and *out, -EINVAL or -ENOMEM. */
int drive_create(const struct drive_cfg *cfg, struct drive **out);

/* Every job has been told done, nobody listens any more. Closes the cartridge that is in it (which
 * blocks): it stays the drive's in the catalog. NULL is fine. */
void drive_free(struct drive *d);

/* Borrowed from the drive, and never change; any thread. */
unsigned int drive_generation(const struct drive *d);
const char *drive_vendor(const struct drive *d);
const char *drive_product(const struct drive *d);
const char *drive_revision(const struct drive *d);
const char *drive_serial(const struct drive *d);

/* --- jobs: any thread ------------------------------------------------------------------------ */

struct drive_job {
	void (*run)(struct drive *d, struct drive_job *job); /* on a pool thread */
	void (*done)(struct drive_job *job); /* on `home`, once, after run() has returned */
	struct loop *home;
	bool visit;          /* it takes the cartridge away, or brings one */
	struct drive *drive; /* private, as is the rest */
	bool waiting;
	struct list link;
	struct work work;
};

/* The job is the drive's until done(), which is never called in place. Jobs begin in the order of
 * their submission; done() of two of them may be called in another order. */
void drive_submit(struct drive *d, struct drive_job *job);

/* The same for a job that is about the cartridge which is in the drive now: false, and nothing has
 * happened, when a visit waits or is under way. */
bool drive_submit_unless_visited(struct drive *d, struct drive_job *job);

/* Takes back a job that has not begun: true, then neither run() nor done() will be called. */
bool drive_cancel(struct drive *d, struct drive_job *job);

/* --- within a job: what is in the drive ------------------------------------------------------ */

enum drive_state {
	DRIVE_EMPTY,
	DRIVE_LOADED,       /* threaded: blocks can be read and written */
	DRIVE_HELD,         /* unloaded by the host with HOLD: its memory (MAM) can be read */
	DRIVE_UNLOADED,     /* unloaded by the host; the changer may take it */
	DRIVE_CLEANING,     /* a cleaning cartridge */
	DRIVE_INCOMPATIBLE, /* of a generation that the drive does not read */
	DRIVE_UNREADABLE,   /* damaged, the file system failed, or a tool has it open */
	DRIVE_STARTING,     /* whether a cartridge is in it nobody has said yet */
};

/*
 * The changer's side. A cartridge is in the drive whatever comes of loading it, unless -EEXIST:
 * there is one already. 0: loaded, or a cleaning cartridge; else -errno of cartridge_open(), or
 * -EMEDIUMTYPE for what the drive does not read.
 */
int drive_insert(struct drive *d, const char *path, bool write_protect);
/* There is none unless drive_insert() has said so: ends STARTING. */
void drive_settle(struct drive *d);
/* Unloads it if need be, and takes it out. 0, also when none is there; -EPERM when a host
 * prevents it: it stays then. Of the errors of closing it, the negative errno; it is out then. */
int drive_eject(struct drive *d);

/* The host's side: LOAD UNLOAD. As drive_insert(), for a cartridge that is there: -ENOENT if none
 * is. Nothing happens when it is loaded. */
int drive_load(struct drive *d);
/* Syncs, and unthreads it. With `hold` it stays open for its memory's sake. 0, also when it is
 * not loaded; -errno of the sync or of closing it: it is unloaded all the same. */
int drive_unload(struct drive *d, bool hold);

/* The cartridge while it is LOADED, or NULL; and while it is LOADED or HELD, for attributes. */
struct cartridge *drive_cartridge(struct drive *d);
struct cartridge *drive_memory(struct drive *d);

/* --- asking: any thread ---------------------------------------------------------------------- */

/* What is known of the cartridge in the drive. */
struct drive_medium {
	enum drive_state state;
	int err;                   /* UNREADABLE: -errno of cartridge_open() */
	char barcode[CARTRIDGE_BARCODE_SIZE]; /* "": none is in it */
	/* The rest: LOADED and HELD only. */
	const struct media *media;
	bool worm;
	bool write_protect;        /* the tab, or the drive only reads this generation */
	unsigned int partitions;
	uint64_t partition_capacity[CARTRIDGE_PARTITIONS];
};
void drive_medium(struct drive *d, struct drive_medium *out);

/* Whether a cartridge is in it, in whatever state. */
bool drive_full(struct drive *d);

/* Whether the changer may take the cartridge: false while a host prevents its removal. */
bool drive_removable(struct drive *d);

/* For management. */
struct drive_status {
	struct drive_medium medium;
	bool prevented;
	bool compression;                   /* what is written is compressed */
	uint64_t loads;                     /* since the start */
	struct cartridge_position position; /* LOADED only */
	struct cartridge_usage usage;       /* of the partition that the tape is in; likewise */
	bool used_known;                    /* since it was loaded, until it is ejected */
	uint64_t used;                      /* bytes, of all partitions; only then */
	struct cartridge_counters load;     /* since the cartridge was loaded; likewise */
	struct cartridge_counters total;    /* of this drive since the start */
};
void drive_status(struct drive *d, struct drive_status *out);

/* Told by the unit, for the status. */
void drive_note_compression(struct drive *d, bool on);

/* --- being told ------------------------------------------------------------------------------ */

enum drive_event {
	DRIVE_INSERTED,  /* by the changer, whatever state that left */
	DRIVE_EJECTED,   /* likewise */
	DRIVE_HOST_LOADED,
	DRIVE_HOST_UNLOADED,
	DRIVE_FORMATTED, /* drive_formatted() */
	DRIVE_SETTLED,   /* it is empty, as it turned out */
};

struct drive_listener {
	/* In a job, on a pool thread; makes no other calls of the drive than those for asking. */
	void (*changed)(struct drive_listener *ls, enum drive_event event);
	/* Whether a host prevents the removal of the medium now. Any thread. */
	bool (*prevents)(struct drive_listener *ls);
	struct list link; /* private */
};
/* Any thread. No call is made any more once drive_unlisten() has returned; it waits for one that
 * is under way, and is not called from one. */
void drive_listen(struct drive *d, struct drive_listener *ls);
void drive_unlisten(struct drive *d, struct drive_listener *ls);

/* Within a job: the cartridge has other partitions now. */
void drive_formatted(struct drive *d);

#endif
