/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of a library; only library*.c include this.
 *
 * One request is carried out at a time, in steps on the library's loop that wait for drives, the
 * catalog and the pool. Memory is changed on the loop alone, under the lock; so the loop reads it
 * without, and so do a catalog's run() and a work's run() while the loop waits for them.
 */
#ifndef VTL_LIBRARY_PRIVATE_H
#define VTL_LIBRARY_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "vtl/inventory.h"
#include "vtl/library.h"
#include "vtl/shelf.h"

/* Beside enum library_op: what is to be done when a cartridge's files have arrived. */
#define LIBRARY_SETTLE ((enum library_op)(LIBRARY_LOOK + 1))

#define LIBRARY_MOVES  2 /* cartridges of one request */

/* A drive that gives its cartridge away, or takes one. */
struct library_visit {
	unsigned int drive;
	unsigned int move; /* which of the moves it belongs to */
	const struct inventory_tape *tape;
};

struct library_job {
	struct library_request *r;
	enum library_result result; /* that it ends with, and why */
	int err;

	/* Moves. */
	struct catalog_tape_move moves[LIBRARY_MOVES];
	uint64_t used[LIBRARY_MOVES]; /* bytes; those of cartridges that come from drives */
	bool used_known[LIBRARY_MOVES];
	size_t nmoves;
	struct library_visit unload[LIBRARY_MOVES], load[LIBRARY_MOVES];
	unsigned int nunload, unloaded, nload, loaded;
	struct drive_job visit;
	int visit_err;
	bool exported;

	/* The others. */
	struct inventory_tape *next; /* the row as it will be; NULL once memory has it */
	enum { LIBRARY_NEW_ROW, LIBRARY_CHANGED_ROW, LIBRARY_NO_ROW } change;
	struct shelf_found found;
	struct library_carrier *carrier; /* that starts when the job is done */
	struct list *others;             /* requests that end with this one; NULL: none */
	enum catalog_place_kind left;    /* the kind of place that an operator reached into */
	struct work work;
	int work_err;

	struct catalog_request commit;
	void (*committed)(struct library *l, int err);
};

/* A cartridge on its way to or from the archive. */
struct library_carrier {
	struct library *l;
	struct list link;       /* in ways */
	struct list cancellers; /* requests that wait for the way back */
	struct shelf_way way;
	struct library_request settle;
	struct work work;
	struct catalog_place place; /* that is kept for it; vault: it goes to the archive */
	int err;
	char barcode[BARCODE_SIZE];
};

struct library {
	/* Does not change. */
	const struct changer_model *model;
	char *name, *path, *archive;
	struct drive **drives;
	unsigned int ndrives, generation;
	struct catalog *catalog;
	struct work_pool *pool;
	struct loop *loop;
	void (*exported)(void *arg, const char *barcode);
	void *arg;

	pthread_mutex_t lock;
	struct inventory inv; /* changed by the loop alone */
	struct list queue;
	bool loaded, closing, kicked;
	uint64_t moves, failures, generation_number;
	struct loop_msg kick;

	pthread_mutex_t listeners_lock; /* held while they are called */
	struct list listeners;

	/* The loop's. */
	struct library_job job;
	bool busy, pumping;
	unsigned int carriers; /* and reloads of drives */
	struct list ways;      /* carriers */
	void (*closed)(void *arg);
	void *closed_arg;
};

/* --- requests (library.c) ---------------------------------------------------------- */

/* The request under way has ended; the next one begins. */
void library_end(struct library *l, enum library_result result, int err);
/* Gives a request its answer: for those that waited beside the queue. */
void library_answer(struct library_request *r, enum library_result result, int err);
/* The request under way waits beside the queue: the next one begins. */
void library_set_aside(struct library *l);
/* Copies on the way to and from the archive end. */
void library_stop_ways(struct library *l);
/* The result that stands for -errno. */
enum library_result library_result_of(int err);
/* Begins what waits, unless one is under way. */
void library_pump(struct library *l);

/* Makes what the job says durable (moves, or `next` and `change`, and the request's also()), then,
 * if that went well, true in memory; then calls then(). */
void library_commit(struct library *l, void (*then)(struct library *l, int err));
/* A copy of a cartridge's row for the job to change; false: no memory, and the request has
 * ended. */
bool library_prepare(struct library *l, const struct catalog_tape *row);

/* Calls run() on the pool, and done() on the loop. */
void library_work(struct library *l, void (*run)(struct work *w), void (*done)(struct work *w));
static inline struct library *library_of_work(struct work *w)
{
	return container_of(container_of(w, struct library_job, work), struct library, job);
}

/* The directory that has a cartridge, or had it last when its files are on their way. */
const char *library_shelf(const struct library *l, const struct catalog_tape *row);

void library_tell(struct library *l, enum library_event event);
/* Whether the files of a cartridge are missed, as has just been found. */
void library_miss(struct library *l, const char *barcode, bool missing);
/* On the pool, while the loop waits: looks for the files of a cartridge, and how much is on it. */
void library_look_at(struct library *l, const struct inventory_tape *t);
/* Tells the listeners that an operator changed something at a place. */
void library_notify(struct library *l, enum catalog_place_kind kind);
/* Whether a host keeps operators from a place. */
bool library_locked(struct library *l, enum catalog_place_kind kind);
/* Where a request wants a cartridge to be. LIBRARY_OK, NO_ELEMENT, FULL, NO_ROOM. */
enum library_result library_choose(
	struct library *l, const struct library_request *r, struct catalog_place *place);

/* --- what requests begin with: each ends in library_end() -------------------------- */

void library_move(struct library *l); /* MOVE, EXCHANGE: library_move.c */
void library_look(struct library *l); /* library_look.c */
void library_add(struct library *l);  /* library_tape.c, and the next three */
void library_remove(struct library *l);
void library_protect(struct library *l);
void library_assign(struct library *l);
void library_archive(struct library *l); /* library_archive.c, and the next three */
void library_retrieve(struct library *l);
void library_cancel(struct library *l);
void library_settle(struct library *l);

/* Goes on with what an earlier run left on its way. */
void library_resume(struct library *l);
/* Brings the cartridges that are in drives back into them. */
void library_reload(struct library *l);

#endif
