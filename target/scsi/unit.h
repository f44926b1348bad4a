/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of logical units and I_T_L nexuses: only files of this folder include this.
 *
 * Every I_T_L nexus has one word, its gate: unit attentions that wait to be told, and
 * conditions of the unit that keep some commands out (a reservation of somebody else, no
 * medium, write protection…). A command looks at the gate once, against the bits that
 * concern it (op.h), and goes straight on when none is set; so the ordinary READ or WRITE
 * pays one load for all of them. Whoever changes a condition holds the unit's lock and
 * writes it into the gates of all nexuses; unit attentions may be added from any thread.
 */
#ifndef SCSI_UNIT_H
#define SCSI_UNIT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/work.h"
#include "scsi/lu.h"
#include "scsi/pr.h"
#include "scsi/task.h"
#include "store/store.h"

struct scsi_op;

/* --- the gate ------------------------------------------------------------------------ */

/* Unit attentions in the order in which they are told (SAM-5 5.14.1): name, code, told once to a
 * nexus whatever the unit. */
#define UNIT_ATTENTIONS(X) \
	X(UA_POWER_ON, 0x2900)         /* POWER ON, RESET, OR BUS DEVICE RESET */ \
	X(UA_TARGET_RESET, 0x2902)     /* SCSI BUS RESET OCCURRED */ \
	X(UA_LU_RESET, 0x2903)         /* BUS DEVICE RESET FUNCTION OCCURRED */ \
	X(UA_NEXUS_LOSS, 0x2907)       /* I_T NEXUS LOSS OCCURRED */ \
	X(UA_COMMANDS_CLEARED, 0x2f00) /* COMMANDS CLEARED BY ANOTHER INITIATOR */ \
	X(UA_MEDIUM_CHANGED, 0x2800)   /* NOT READY TO READY CHANGE */ \
	X(UA_MAIL_CHANGED, 0x2801)     /* IMPORT OR EXPORT ELEMENT ACCESSED */ \
	X(UA_RESERVATIONS_PREEMPTED, 0x2a03) \
	X(UA_RESERVATIONS_RELEASED, 0x2a04) \
	X(UA_REGISTRATIONS_PREEMPTED, 0x2a05) \
	X(UA_ACCESS_STATE_CHANGED, 0x2a06) /* ASYMMETRIC ACCESS STATE CHANGED */ \
	X(UA_MODE_CHANGED, 0x2a01)         /* MODE PARAMETERS CHANGED */ \
	X(UA_LOG_CHANGED, 0x2a02)          /* LOG PARAMETERS CHANGED */ \
	X(UA_ENCRYPTION_CHANGED, 0x2a11)   /* DATA ENCRYPTION PARAMETERS CHANGED BY ANOTHER */ \
	X(UA_CAPACITY_CHANGED, 0x2a09)     /* CAPACITY DATA HAS CHANGED */ \
	X(UA_INQUIRY_CHANGED, 0x3f03)      /* INQUIRY DATA HAS CHANGED */ \
	X(UA_LUNS_CHANGED, 0x3f0e)         /* REPORTED LUNS DATA HAS CHANGED */

#define AS_NAME(name, asc) name,
enum ua { UNIT_ATTENTIONS(AS_NAME) UA_COUNT };
#undef AS_NAME

#define GATE_UA          UINT64_C(0x00000000ffffffff) /* any unit attention */
#define GATE_BIT(n)      (UINT64_C(1) << (32 + (n)))
#define GATE_RESERVED    GATE_BIT(0)  /* another nexus holds the unit by RESERVE (SPC-2) */
#define GATE_NO_READ     GATE_BIT(1)  /* a persistent reservation keeps this nexus from reading, */
#define GATE_NO_WRITE    GATE_BIT(2)  /* from changing anything */
#define GATE_SANITIZE    GATE_BIT(3)  /* a SANITIZE runs (wipe.c) */
#define GATE_FORMAT      GATE_BIT(4)  /* a FORMAT UNIT */
#define GATE_WIPE_FAILED GATE_BIT(5)  /* a SANITIZE has failed */
#define GATE_CORRUPT     GATE_BIT(6)  /* a FORMAT UNIT has failed */
#define GATE_NO_MEDIUM   GATE_BIT(7)  /* ejected */
#define GATE_PROTECTED   GATE_BIT(8)  /* read-only, or SWP in the control mode page */
#define GATE_STANDBY     GATE_BIT(9)  /* the port group's access state (ports.c) */
#define GATE_UNAVAILABLE GATE_BIT(10)
#define GATE_GUARD       GATE_BIT(11) /* ranges of the medium are taken: guard.h; stops nothing */
#define GATE_CONDITIONS  (~GATE_UA)
/* What is looked at once more when the data have come or a range is had: it may be new. */
#define GATE_WIPES       (GATE_SANITIZE | GATE_FORMAT)
#define GATE_AGAIN       (GATE_WIPES | GATE_NO_MEDIUM)

/* --- I_T_L nexuses ------------------------------------------------------------------- */

struct itl {
	_Atomic uint64_t gate;
	_Atomic uint32_t
		writes; /* tasks on the free road: guard.h; changed by the nexus's loop only */
	struct lu *lu;
	struct nexus *nexus;
	uint32_t lun;
	uint32_t active;  /* tasks under way (order.h); this and the next three: its loop only */
	uint32_t ordered; /* ORDERED ones, under way or in the queue */
	bool barrier;     /* an ORDERED one is under way */
	struct list queue;
	uint32_t aborts;   /* tasks that were ended by their transport; the nexus's loop only */
	bool joined;       /* in lu->itls; likewise */
	struct list in_lu; /* under lu->lock */
	bool prevents;     /* PREVENT ALLOW MEDIUM REMOVAL, under lu->lock */
	bool echoes;       /* it has written to the echo buffer; its loop only */
	bool preempted;    /* its tasks are to be ended by PREEMPT AND ABORT, under lu->lock */
	uint64_t alerts_told; /* TapeAlert flags that it has read (alert.h), under lu->lock */
	unsigned pins;     /* copies that work on it (copy.h); this and the rest: its loop only */
	bool orphan;       /* its nexus has lost it; it goes with the last pin */
	bool halted;       /* they are to end: somebody in `enders` waits for that */
	struct list enders; /* struct lu_abort: see function.c */
	struct list copies; /* asked for through it: struct copy, the oldest first */
};

/* The I_T_L nexus behind a LUN field (SAM-5 4.7.7), or NULL. */
struct itl *nexus_itl(const struct nexus *n, uint64_t field);

/* Adds a unit attention. Any thread that keeps the itl alive. */
void itl_attention(struct itl *itl, enum ua ua);
/* Takes the foremost unit attention out and gives its additional sense code, or 0. */
uint16_t itl_take_attention(struct itl *itl);

/* --- logical units ------------------------------------------------------------------- */

/* What a unit is able to; commands, pages and bits depend on it. */
enum {
	LU_THIN = 1, /* UNMAP gives space back */
	LU_REMOVABLE = 2,
	LU_WRITE_THROUGH = 4, /* WCE is 0 by default */
	LU_LONG_CDBS = 8,     /* commands of 32 bytes */
	LU_ATOMIC = 16,       /* WRITE ATOMIC: all of it or nothing, also over a crash */
};

/* QErr (SPC-5 table 462); 10b is reserved. */
enum { QERR_NOTHING = 0, QERR_ALL = 1, QERR_RESERVED = 2, QERR_OWN = 3 };

struct mode_rules;

/* How long hosts should wait for a command (SPC-5 6.35.4). */
struct op_timeout {
	uint8_t code;
	uint16_t seconds;
};

/* A kind of device. */
struct lu_model {
	const char *kind;    /* lu_kind() */
	uint8_t device_type; /* PERIPHERAL DEVICE TYPE (SPC-5 6.7.2) */
	bool protects;       /* PROTECT: there is protection information */
	const struct scsi_op *const
		*ops;                  /* lists of rows, each ends with an empty one; NULL ends */
	const struct vpd_page *pages;  /* sorted by code, ends with an empty one */
	const struct mode_page *modes; /* sorted by code, ends with an empty one */
	const struct mode_rules *mode_rules; /* mode.h; NULL: those of disks */
	const struct op_timeout *timeouts;   /* optional; the last, of code 0, is for all others */
	void (*end)(struct lu *lu);    /* optional: with the last reference; frees all but lu */
	/* Optional: bytes 36 to 55 of the INQUIRY data, which are zero and the vendor's. */
	void (*inquiry)(const struct lu *lu, uint8_t bytes[static 20]);
	uint16_t versions[8];          /* version descriptors of INQUIRY (SPC-5 6.7.4) */
};

#define MODE_PAGES     LU_SAVED_PAGES /* at most so many in a model */
#define MODE_PAGE_SIZE LU_MODE_PAGE_SIZE

/* What stands before the pages: the header and the block descriptor. */
struct mode_head {
	uint8_t medium, device; /* MEDIUM TYPE, DEVICE-SPECIFIC PARAMETER without WP */
	uint8_t density;
	uint32_t block_len;
};

struct lu {
	/* Does not change, or is atomic. */
	const struct lu_model *model;
	const struct scsi_op *ops[256]; /* by operation code: the first row of it, never NULL */
	struct store *store;
	_Atomic uint64_t blocks;
	uint32_t block_size;
	unsigned block_shift;
	unsigned physical_exponent; /* logical blocks in a physical one, as a power of two */
	uint32_t max_blocks;        /* MAXIMUM TRANSFER LENGTH */
	uint32_t has;               /* LU_THIN… */
	bool read_only;
	_Atomic bool write_through;    /* WCE is off: every WRITE as with FUA */
	_Atomic bool descriptor_sense; /* D_SENSE */
	_Atomic bool tas;              /* TAS: other initiators learn TASK ABORTED */
	_Atomic uint8_t qerr;          /* QErr: what a CHECK CONDITION ends (function.c) */
	_Atomic unsigned progress;     /* of a wipe, of 65,536 */
	_Atomic uint32_t absent;       /* why there is no medium: sense key << 16 | asc; 0: 2, 3A00h */
	uint8_t naa[16];
	char vendor[9], product[17], revision[5], serial[65];

	_Atomic unsigned refs;
	void (*gone)(void *arg);
	void *arg;
	struct work_pool *pool;   /* NULL: what may block is done in place */
	struct work_lane lane;    /* of a disk's jobs in the pool */
	struct lu_keeper *keeper; /* of persistent reservations; NULL: APTPL is refused */
	struct lu_mode_keeper *mode_keeper; /* NULL: no page can be saved */
	struct lu_wipe_keeper *wipe_keeper; /* NULL: a SANITIZE is not kept */

	/* Under the lock. */
	pthread_mutex_t lock;
	struct list itls;
	struct itl *reserved;         /* who holds it by RESERVE */
	struct pr pr;                 /* persistent reservations */
	bool succeeded;               /* it goes: lu_succeed(), lu_end_wiping() */
	struct lu_port_group *groups; /* none: every port is active */
	unsigned ngroups;
	bool ejected, protected; /* protected: SWP */
	bool tab;                /* the medium is write-protected */
	enum { WIPING_NOT, WIPING_SANITIZE, WIPING_FORMAT } wiping;
	pthread_cond_t settled;      /* it is WIPING_NOT again */
	enum lu_wiped wiped;         /* how the last one ended */
	bool guarded, drained;       /* GATE_GUARD is up; no free writer is left */
	unsigned alone;              /* tasks in the two lists that want a range to themselves */
	uint64_t guard_until;        /* up at least until then */
	struct list ranges, waiting; /* tasks */
	struct list tokens;          /* that stand for blocks of it: copy_token.c */
	unsigned ntokens;
	uint8_t mode[MODE_PAGES][MODE_PAGE_SIZE]; /* current values, in the model's order */
	struct mode_head mode_head;               /* likewise; not of disks */
	uint8_t saved[MODE_PAGES][MODE_PAGE_SIZE]; /* where there is a mode_keeper */
	bool saving;                               /* a MODE SELECT waits for it */
	uint64_t alerts;                           /* TapeAlert flags that are up: alert.h */
	struct lu_buffer *buffer;                  /* of WRITE BUFFER: buffer.c */
};

/* Sets up what all models have in common; everything else is zero. -ENOMEM. */
int lu_init(struct lu *lu, const struct lu_model *model, uint32_t has);

/* The sense of a unit without a medium. */
struct sense lu_absence(const struct lu *lu);
/* Whether a nexus prevents the removal of the medium. Under the lock. */
bool lu_prevented(const struct lu *lu);

/* Writes the unit's conditions into all gates. Under the lock. */
void lu_update_gates(struct lu *lu);
/* A unit attention for all nexuses but one (which may be NULL). Under the lock. */
void lu_attention(struct lu *lu, const struct itl *except, enum ua ua);
/* What a reset of the unit undoes, but for its tasks (SAM-5 6.3.3). */
void lu_reset(struct lu *lu);
/* A nexus has left: its reservations, prevents and such end (SAM-5 6.3.4). Under the lock. */
void lu_nexus_left(struct lu *lu, struct itl *itl);

/* The access state of the port group that a nexus comes through. Under the lock. */
enum lu_access ports_access(const struct lu *lu, const struct nexus *n);
/* Whether a target port leads to the unit. Under the lock. */
bool ports_have(const struct lu *lu, uint16_t port);
void ports_free(struct lu *lu);

static inline uint64_t lu_blocks(const struct lu *lu)
{
	return atomic_load_explicit(&lu->blocks, memory_order_relaxed);
}

#endif
