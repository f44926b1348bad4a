/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logical units and the nexuses that reach them.
 *
 *   struct lu       one logical unit: shared by all loops, counted references
 *   struct lun_map  which unit stands behind which LUN of a target: immutable, counted
 *   struct nexus    one I_T nexus (SAM-5 4.7): lives in the transport's session, on one loop
 *   struct itl      one I_T_L nexus: unit attentions, reservations as this initiator sees them
 *
 * What is read on the path of a READ or a WRITE is immutable or atomic. Everything
 * else of a unit stands behind its mutex, which is held for short stretches only and
 * never across I/O.
 */
#ifndef SCSI_LU_H
#define SCSI_LU_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bufs.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/work.h"
#include "scsi/task.h"
#include "store/store.h"

struct lu;

/* --- logical units: made, found and ended by the main thread ------------------------ */

/* What is to be kept of a unit's persistent reservations over a restart (APTPL, SPC-5 5.14.6). */
struct lu_registrant {
	const char *initiator; /* port name: "iqn.…,i,0x00023d000001" */
	uint16_t port;         /* relative target port identifier; 0: all of them */
	bool holder;
	uint64_t key;
};
struct lu_reservation {
	uint32_t generation;
	uint8_t type, scope; /* type 0: nothing is reserved */
	const struct lu_registrant *registrants;
	unsigned n; /* 0: nothing is to be kept */
};

struct lu_keep {
	struct loop *loop;
	void (*done)(struct lu_keep *k, int err); /* on loop, later, once; 0 or -errno */
	struct loop_msg msg;                      /* the keeper's, until then; err too */
	int err;
};
struct lu_keeper {
	/* Replaces what is kept of a unit; done when that is durable. Of two calls for one unit
	 * the later wins. Any thread, under the unit's lock: it must not call back into the
	 * unit. Borrows the reservation for the call, the keep until done. */
	void (*keep)(struct lu_keeper *kr, struct lu_keep *k, const uint8_t naa[16],
		const struct lu_reservation *r);
};

/* What initiators have saved of a unit's mode pages (MODE SELECT with SP=1, SPC-5 6.14): the bits
 * that are not as by default. All others follow the defaults, wherever these go. */
#define LU_SAVED_PAGES    16
#define LU_MODE_PAGE_SIZE 40 /* the longest page, with its header */

struct lu_saved_page {
	uint8_t code, subpage;
	uint8_t len; /* of the whole page, and of what follows */
	uint8_t mask[LU_MODE_PAGE_SIZE], value[LU_MODE_PAGE_SIZE];
};
struct lu_saved {
	unsigned n; /* 0: nothing is to be kept */
	struct lu_saved_page pages[LU_SAVED_PAGES];
};

struct lu_mode_keeper {
	/* As lu_keeper's keep(). A unit asks again only when it has been told how this one ended. */
	void (*keep)(struct lu_mode_keeper *kr, struct lu_keep *k, const uint8_t naa[16],
		const struct lu_saved *s);
};

/* Whether a SANITIZE or FORMAT UNIT of a unit has begun and not succeeded: what is left of its data
 * is then kept from hosts until another one succeeds, also over a restart (SBC-4 4.11.4, 5.6). */
enum lu_wiped {
	LU_WIPED,            /* none, or it has */
	LU_WIPE_FAILED,      /* a SANITIZE; another one helps */
	LU_WIPE_FAILED_AUSE, /* likewise; EXIT FAILURE MODE helps as well */
	LU_FORMAT_FAILED,    /* a FORMAT UNIT; another one helps, or a SANITIZE */
};

struct lu_wipe_keeper {
	/* As lu_keeper's keep(), but not under the unit's lock. It is kept of the data, too: by
	 * store_medium(). */
	void (*keep)(struct lu_wipe_keeper *kr, struct lu_keep *k, const uint8_t naa[16],
		uint64_t medium, enum lu_wiped is);
};

/* A disk (SBC). Strings are borrowed for the call; empty or NULL ones get defaults. */
struct disk_cfg {
	struct store *store;          /* given away on success: closed with the last reference */
	uint32_t block_size;          /* 512 or 4096 */
	uint32_t physical_block_size; /* what initiators are told to align to; 0: block_size */
	bool read_only, removable, thin;
	bool write_through; /* WCE is 0 unless an initiator turns it on: see mode page 08h */
	bool long_cdbs;     /* READ(32) and WRITE(32) are known */
	const char *vendor; /* at most 8, 16, 4 and 64 printable ASCII characters */
	const char *product;
	const char *revision;
	const char *serial;       /* VPD 80h; default: hex of the NAA identifier's low part */
	uint8_t naa[16];          /* VPD 83h, stable for this unit for ever: 16 bytes if the first
	                                digit is 6, the first 8 of them if it is 2, 3 or 5 */
	struct work_pool *pool;   /* for what may block besides I/O; NULL: it is done in place */
	struct lu_keeper *keeper; /* NULL: nothing is kept, and APTPL is refused */
	const struct lu_reservation *kept; /* what was kept; NULL: nothing. Borrowed for the call */
	struct lu_mode_keeper *mode_keeper; /* NULL: mode pages cannot be saved */
	const struct lu_saved *saved;       /* what was saved; likewise */
	struct lu_wipe_keeper *wipe_keeper; /* NULL: a restart forgets it all. Memory has none:
	                                       there is nothing left of it after that */
	enum lu_wiped wiped;                /* what was kept */
	void (*gone)(void *arg); /* optional: called once the last reference has been dropped */
	void *arg;
};
/* 0 and *out with one reference, or -ENOMEM, -EINVAL. */
int disk_create(const struct disk_cfg *cfg, struct lu **out);

/* A tape drive (SSC). Text as in disk_cfg; what is not given is the drive's. */
struct drive;
struct tape_cfg {
	struct drive *drive; /* borrowed: lives until gone() */
	const char *vendor;
	const char *product;
	const char *revision;
	const char *serial;
	uint8_t naa[16];
	struct work_pool *pool;
	struct lu_keeper *keeper;
	const struct lu_reservation *kept;
	void (*gone)(void *arg);
	void *arg;
};
/* 0 and *out with one reference, or -ENOMEM, -EINVAL. */
int tape_create(const struct tape_cfg *cfg, struct lu **out);

/* A media changer (SMC): the robot of a library. Strings as above; NULL or empty: as its model. */
struct library;
struct changer_cfg {
	struct library *library; /* borrowed: lives until gone() */
	const char *vendor;
	const char *product;
	const char *revision;
	const char *serial;
	uint8_t naa[16];
	struct work_pool *pool;
	struct lu_keeper *keeper;
	const struct lu_reservation *kept;
	void (*gone)(void *arg);
	void *arg;
};
/* 0 and *out with one reference, or -ENOMEM, -EINVAL. */
int changer_create(const struct changer_cfg *cfg, struct lu **out);

struct lu *lu_ref(struct lu *lu); /* any thread */
void lu_unref(struct lu *lu);     /* any thread; NULL is fine. The last one closes the store
                                            (which may block: the transport's last reference is
                                            dropped after the unit left every map) */

/* Takes up a changed size of the store; CAPACITY DATA HAS CHANGED for every nexus. */
void lu_resized(struct lu *lu);
/* `to` is to take the place of `from`, the same unit with other properties: it has its persistent
 * reservation, which no initiator has let go of, and its registrants, and over the same data needs
 * a SANITIZE or FORMAT UNIT if that does. PERSISTENT RESERVE OUT and SANITIZE through `from`, of
 * which `to` would not know, are BUSY from now on. Main thread. 0, or -errno, and nothing has
 * changed: no memory, or -EBUSY where a SANITIZE or FORMAT UNIT is under way. */
int lu_succeed(struct lu *to, struct lu *from);
/* Whether one is. Any thread. */
bool lu_wiping(struct lu *lu);
/* It stays all the same. */
void lu_stay(struct lu *from);
/* The server ends, and so do its loops: none begins any more, and one that is under way goes no
 * further. Waits for what it has in flight. Main thread, while the loops run. */
void lu_end_wiping(struct lu *lu);

/* Asymmetric access (ALUA, SPC-5 5.18): the target port groups that lead to the unit. */
enum lu_access {
	LU_ACTIVE_OPTIMIZED = 0x0,
	LU_ACTIVE_NON_OPTIMIZED = 0x1,
	LU_STANDBY = 0x2,
	LU_UNAVAILABLE = 0x3,
};
struct lu_port {
	uint16_t id;        /* relative target port identifier, 1… */
	const char *target; /* iSCSI name: with the group it names the port (RFC 7143 4.2.7.1) */
};
struct lu_port_group {
	uint16_t group; /* = nexus.tpgt of those who come through it */
	enum lu_access access;
	const struct lu_port *ports;
	unsigned nports; /* of more than 255 REPORT TARGET PORT GROUPS leaves the rest out */
};
/* Takes a copy; any thread. ASYMMETRIC ACCESS STATE CHANGED for every nexus where that is so.
 * Until the first call every port is active, and the pages that tell of ports tell of the asker's.
 * 0 or -ENOMEM. */
int lu_set_port_groups(struct lu *lu, const struct lu_port_group *groups, unsigned n);
/* Changes the state of one of them; likewise. Commands that have begun go on. */
void lu_set_access(struct lu *lu, uint16_t group, enum lu_access access);

const char *lu_kind(const struct lu *lu); /* "disk", "tape", "changer" */
uint64_t lu_size(const struct lu *lu);    /* bytes */
uint32_t lu_block_size(const struct lu *lu);
struct store *lu_store(const struct lu *lu); /* NULL where there is none */
const uint8_t *lu_naa(const struct lu *lu);  /* 16 bytes */
bool lu_read_only(const struct lu *lu);

/* --- LUN maps: immutable ------------------------------------------------------------- */

#define LUN_MAX 16383 /* peripheral addressing to 255, flat addressing above (SAM-5 4.7.7) */

struct lun_map;
struct lun_entry {
	uint32_t lun; /* 0…LUN_MAX */
	struct lu *lu;
};
/* Copies the entries (sorted or not; LUNs must differ, -EEXIST) and takes references. */
int lun_map_create(const struct lun_entry *e, unsigned n, struct lun_map **out);
struct lun_map *lun_map_ref(struct lun_map *m); /* any thread */
void lun_map_unref(struct lun_map *m);          /* any thread; NULL is fine */
unsigned lun_map_entries(const struct lun_map *m, const struct lun_entry **out);

/* --- nexuses: all on the nexus's loop, unless it says otherwise ---------------------- */

/* A request to end every task that came over one I_T_L nexus. The transport calls lu_abort_done() once
 * none of them is left. */
struct lu_abort {
	struct loop_msg msg; /* private */
	struct list link;    /* the transport's, while it waits for tasks to end */
	struct nexus *nexus;
	struct lu *lu;
	uint32_t lun;          /* at which: a nexus may have one unit behind several LUNs */
	bool tell;             /* the initiator that sent them is told: TASK ABORTED (TAS=1) */
	bool after_check;      /* what has a status already keeps it: see lu_function_req */
	struct lu_abort *next; /* private, as is the rest */
	struct lu_function_all *all;
};
/* Whether a task with this LUN field is one of them. */
bool lu_abort_concerns(const struct lu_abort *a, uint64_t lun);
void lu_abort_done(struct lu_abort *a);

struct nexus_ops {
	/* End tasks as the request says, on the nexus's loop; lu_abort_done(a) at once or later. */
	void (*abort_tasks)(struct nexus *n, struct lu_abort *a);
};

/* The target port and the initiator port that a nexus joins; VPD 83h, TransportIDs and
 * reservations name them. */
struct nexus {
	/* Filled by the transport before nexus_open(). */
	struct loop *loop;
	struct bufs *bufs;
	size_t bufs_limit; /* bytes of bufs that all its nexuses together may hold; 0: any number */
	const struct nexus_ops *ops;
	const char *initiator; /* iSCSI name, lower case; lives as long as the nexus */
	uint8_t isid[6];
	const char *target; /* iSCSI name; likewise */
	uint16_t tpgt;      /* target portal group tag = target port group */
	uint16_t rel_port;  /* relative target port identifier, 1…: no two ports of a unit have
	                       the same, whichever targets they belong to */

	/* Private to scsi/. */
	size_t buffered;  /* bytes of bufs that its tasks hold */
	struct itl *lun0; /* LUN 0: the commonest one */
	struct lun_map *map;
	struct itl **itls;      /* in the order of the map */
	_Atomic unsigned holds; /* 1 while it is open, and messages on their way here */
	void (*closed)(struct nexus *n);
};

/* Joins the nexus to every unit of the map (one reference is taken); each I_T_L nexus starts
 * with the unit attention of a nexus's first contact (POWER ON OCCURRED, 29h/00h). 0 or -ENOMEM. */
int nexus_open(struct nexus *n, struct lun_map *map);
/* Takes up another map: units that left are gone for it, new ones are there, and the rest learn
 * REPORTED LUNS DATA HAS CHANGED. No task of a unit that left may be running: the transport
 * aborts them first (nexus_loses() tells which units). 0 or -ENOMEM (the old map stays). */
int nexus_remap(struct nexus *n, struct lun_map *map);
bool nexus_loses(const struct nexus *n, const struct lun_map *next, const struct lu *lu);
/* I_T nexus loss (SAM-5 6.3.4): no task of it may be left. closed(n) is called, in place or from
 * the loop, when nothing points at the nexus any more; until then it must live. */
void nexus_close(struct nexus *n, void (*closed)(struct nexus *n));

/* Buffers for data of the nexus's tasks, on its loop: an initiator that asks for much and takes
 * nothing must not have all of the memory. It has a share of NEXUS_BUFFERS bytes, and all nexuses of
 * the loop have bufs_limit. NULL: there is none now, and *status says why (BUSY, TASK SET FULL). */
#define NEXUS_BUFFERS ((size_t)128 << 20)
void *nexus_buffer(struct nexus *n, size_t len, enum scsi_status *status);
void nexus_buffer_put(struct nexus *n, void *buf, size_t len);

/* The unit behind a LUN field, or NULL. Borrowed. */
struct lu *nexus_lu(const struct nexus *n, uint64_t lun);

/* --- task management that reaches beyond one nexus ---------------------------------- */

enum lu_function {
	LU_ABORT_TASK_SET,  /* tasks of this nexus on the unit */
	LU_CLEAR_TASK_SET,  /* tasks of every nexus on the unit */
	LU_RESET,           /* … and mode pages, SPC-2 reservations, prevents (SAM-5 6.3.3) */
	LU_TARGET_RESET,    /* LU_RESET of every unit of the nexus's map */
	LU_PREEMPTED_TASKS, /* private to scsi/: PREEMPT AND ABORT */
};

struct lu_function_req {
	struct nexus *nexus; /* who asks; also where done() runs */
	uint64_t lun;        /* not for LU_TARGET_RESET */
	enum lu_function function;
	bool after_check; /* of QErr, after a CHECK CONDITION that is still to be sent */
	void (*done)(
		struct lu_function_req *r); /* once, when every task concerned has ended; may be
	                                              called in place */
	bool no_lun; /* answer: there is no such unit; done() was still called */
	bool failed; /* answer: memory ran out, not all of it was done; likewise */
};
/* Starts it; r is the caller's and must live until done(). Unit attentions go to the other
 * nexuses as SAM-5 table 44 says (COMMANDS CLEARED BY ANOTHER INITIATOR, BUS DEVICE RESET…). */
void lu_function(struct lu_function_req *r);

#endif
