/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tape library, without SCSI: elements (slots, mail slots, drives), the cartridges in them and in
 * the archive, and the robot that moves them.
 *
 * What is where stands in the catalog, and in memory, where any thread may look at it. Changes are
 * requests, from any thread, and are carried out one after the other: what is asked for is checked,
 * the drive that is taken from unloads, the catalog takes down where the cartridges are from now
 * on, then memory does, and the drive that is brought to loads. A cartridge is in exactly one
 * place, whenever the server is killed; a drive that held one has it again after the next start.
 *
 * Elements have two names: the address that the personality gives them (SMC-3), and a place, as the
 * catalog has it: the kind, and the number among those of its kind, from 0.
 *
 * A cartridge is the directory PATH/BARCODE, in the archive ARCHIVE/BARCODE, whose content belongs
 * to cartridge.h.
 */
#ifndef VTL_LIBRARY_H
#define VTL_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/loop.h"
#include "base/work.h"
#include "catalog/catalog.h"
#include "catalog/tape.h"
#include "vtl/barcode.h"
#include "vtl/changer_model.h"
#include "vtl/drive.h"

struct library;

/* --- making one: the main thread, which runs cfg.loop ------------------------------ */

#define LIBRARY_DRIVES_MAX 99
#define LIBRARY_SLOTS_MAX  32000 /* mail slots, too */

/* Text is copied. */
struct library_cfg {
	const char *name; /* in the catalog, and in log lines */
	enum changer_model_id model;
	struct drive *const *drives; /* copied; the drives live longer than the library */
	unsigned int ndrives;        /* 1…LIBRARY_DRIVES_MAX */
	unsigned int generation; /* LTO, of the drives: that of cartridges that do not say theirs */
	unsigned int slots;      /* 1…LIBRARY_SLOTS_MAX */
	unsigned int mail_slots; /* 0…LIBRARY_SLOTS_MAX */
	const char *path;        /* directories that are there */
	const char *archive;     /* may be on another file system */
	struct catalog *catalog;
	struct work_pool *pool;
	struct loop *loop;
	/* Optional: a host has put a cartridge into a mail slot. On the loop; may submit
	 * requests. */
	void (*exported)(void *arg, const char *barcode);
	void *arg;
};

/* An empty library that takes no requests yet. 0, -EINVAL, -ENOMEM. Opens no file. */
int library_create(const struct library_cfg *cfg, struct library **out);

/*
 * Takes up what the catalog has under the library's name, looks at the files of all cartridges,
 * puts cartridges back into the drives that held them, and finishes what was interrupted. A
 * cartridge in a place that is there no longer (the library has shrunk) goes to a free slot, or
 * else to the archive's books, and a log line says so. loaded() is called on the loop, once: 0, or
 * -errno of the catalog with a sentence; the library is then still empty, and may be asked to load
 * again.
 */
void library_load(
	struct library *l, void (*loaded)(void *arg, int err, const char *why), void *arg);

/* Refuses new requests, carries out those that it has, then calls closed() on the loop and is gone;
 * in place when there is nothing to wait for. Cartridges stay in their drives; what is on its way
 * to or from the archive goes on after the next start. No listener may be left by then. */
void library_close(struct library *l, void (*closed)(void *arg), void *arg);

/* --- looking: any thread ----------------------------------------------------------- */

const char *library_name(const struct library *l);
const struct changer_model *library_model(const struct library *l);

/* Elements of a kind: how many, and the first address; they follow each other. */
struct library_range {
	uint16_t first;
	uint16_t count;
};
struct library_range library_range(const struct library *l, enum catalog_place_kind kind);

/* Whether the cartridges have been taken up: before that, all elements are empty. */
bool library_loaded(struct library *l);

/* The address of a place, or false; and back. Nothing in the vault has an address. */
bool library_address(const struct library *l, struct catalog_place place, uint16_t *address);
bool library_place(const struct library *l, uint16_t address, struct catalog_place *place);

struct library_element {
	uint16_t address;
	struct catalog_place place;
	struct drive *drive; /* of a drive; borrowed */
	bool kept;           /* empty, but for a cartridge that comes from the archive */
	bool full;           /* all below: only then */
	bool imported;       /* in a mail slot: an operator has put it there, not the robot */
	bool sourced;        /* `source` is known */
	uint16_t source;     /* the slot or mail slot that it came from last */
	bool cleaning, worm, write_protect;
	uint16_t generation;
	char barcode[BARCODE_SIZE];
};

/* False when there is no such address. */
bool library_element(struct library *l, uint16_t address, struct library_element *out);

/* Calls fn for the elements of a kind (CATALOG_IN_VAULT: of all kinds) with an address of `first`
 * or more, in the order of addresses, at most `max` of them, as they are at one moment. Gives how
 * many there were. fn is called under the library's lock: it is quick, and makes no calls of it. */
size_t library_elements(struct library *l, enum catalog_place_kind kind, uint16_t first, size_t max,
	void (*fn)(const struct library_element *e, void *arg), void *arg);

/* The same for cartridges, those in the archive too, by their rows in the catalog (borrowed for the
 * call), in the order of barcodes; until fn gives false. */
void library_tapes(
	struct library *l, bool (*fn)(const struct catalog_tape *t, void *arg), void *arg);
/* For one of them; false when there is none of that barcode. fn may be NULL. */
bool library_tape(struct library *l, const char *barcode,
	void (*fn)(const struct catalog_tape *t, void *arg), void *arg);

/* How much of a cartridge that is on its way to or from the archive is there, in percent; 0 also
 * for one that is not on its way. On the loop. */
unsigned int library_progress(const struct library *l, const char *barcode);

struct library_status {
	unsigned int tapes;    /* in elements */
	unsigned int archived; /* in the archive, or on the way to or from it */
	unsigned int missing;  /* of both: no files were there when they were last looked for */
	uint64_t moves;        /* since the start */
	uint64_t failures;     /* moves that were asked for rightly, and failed */
	uint64_t generation;   /* changes whenever an element or a cartridge does */
	bool locked;           /* a host prevents operators from opening the mail slots */
	bool loading;          /* library_load() has not ended well yet */
};
void library_status(struct library *l, struct library_status *out);

/* --- how requests end --------------------------------------------------------------- */

#define LIBRARY_RESULTS(X) \
	X(LIBRARY_OK, "done") \
	X(LIBRARY_NO_ELEMENT, "there is no such element") \
	X(LIBRARY_EMPTY, "the source is empty") \
	X(LIBRARY_MOVED, "the cartridge has been moved meanwhile") \
	X(LIBRARY_FULL, "the destination is full") \
	X(LIBRARY_KEPT, "the destination is kept for a cartridge that comes from the archive") \
	X(LIBRARY_NO_ROOM, "no slot is free") \
	X(LIBRARY_PREVENTED, "a host prevents the drive from giving the cartridge away") \
	X(LIBRARY_LOCKED, "a host has locked the mail slots") \
	X(LIBRARY_NO_TAPE, "there is no such cartridge") \
	X(LIBRARY_EXISTS, "the barcode is or was in use") \
	X(LIBRARY_INVALID, "a value is not valid") \
	X(LIBRARY_IN_DRIVE, "the cartridge is in a drive") \
	X(LIBRARY_ARCHIVED, "the cartridge is in the archive") \
	X(LIBRARY_NOT_ARCHIVED, "the cartridge is not in the archive") \
	X(LIBRARY_SETTLED, "the cartridge is not on its way to or from the archive") \
	X(LIBRARY_NO_SPACE, "the file system is full") \
	X(LIBRARY_FAILED, "the file system or the catalog failed") \
	X(LIBRARY_DRIVE_FAILED, "the drive failed to unload") \
	X(LIBRARY_NO_MEMORY, "out of memory") \
	X(LIBRARY_CLOSING, "the library is not in service")

#define LIBRARY_AS_ENUM(id, text) id,
enum library_result { LIBRARY_RESULTS(LIBRARY_AS_ENUM) };

/* For people; never NULL. */
const char *library_result_text(enum library_result r);

/* --- being told -------------------------------------------------------------------- */

enum library_event {
	LIBRARY_INVENTORY_CHANGED, /* an operator put cartridges in or took some out: 28h/00h */
	LIBRARY_MAIL_CHANGED,      /* … in a mail slot: 28h/01h */
	LIBRARY_LOADED,            /* library_load() has ended well: 28h/00h */
};

struct library_listener {
	/* On the loop, without the library's lock. */
	void (*changed)(struct library_listener *ls, enum library_event event);
	/* Optional: MOVE or EXCHANGE is about to be answered so, whoever asked for it; whether a
	 * drive had a part in it. On the loop, without the library's lock. */
	void (*moved)(struct library_listener *ls, enum library_result result, bool drives);
	/* Whether a host prevents operators from opening the mail slots now (PREVENT ALLOW MEDIUM
	 * REMOVAL at the changer). Any thread. */
	bool (*locked)(struct library_listener *ls);
	struct list link; /* private */
};
/* Any thread. No call is made any more once library_unlisten() has returned; it waits for one that
 * is under way, and is not called from one. */
void library_listen(struct library *l, struct library_listener *ls);
void library_unlisten(struct library *l, struct library_listener *ls);

/* --- changing ---------------------------------------------------------------------- */

enum library_op {
	LIBRARY_MOVE,     /* `from` to `to`: element addresses */
	LIBRARY_EXCHANGE, /* `from` to `to`, and what was there to `then` (which may be `from`) */
	LIBRARY_ADD,      /* a new cartridge, or one whose directory is there already */
	LIBRARY_REMOVE,   /* the cartridge and all that is on it; not from a drive */
	LIBRARY_ARCHIVE,  /* from a slot or mail slot to the archive */
	LIBRARY_RETRIEVE, /* and back, into a free place */
	LIBRARY_CANCEL,   /* of one on its way: back to where it came from, or to any slot */
	LIBRARY_PROTECT,  /* sets or clears the write protect tab; not in a drive */
	LIBRARY_POOL,     /* assigns a pool */
	LIBRARY_LOOK,     /* at the files of a cartridge, or of all (NULL) that are in slots */
};

/* States of a cartridge, as the catalog's text. One that came back from the archive is RETRIEVED as
 * long as `retrieved_to` names a gateway, and else AVAILABLE again. */
#define LIBRARY_STATE_AVAILABLE  "AVAILABLE"
#define LIBRARY_STATE_ARCHIVING  "ARCHIVING" /* files are on their way; in no element any more */
#define LIBRARY_STATE_ARCHIVED   "ARCHIVED"
#define LIBRARY_STATE_RETRIEVING "RETRIEVING" /* likewise; in no element yet */
#define LIBRARY_STATE_RETRIEVED  "RETRIEVED"

enum library_where {
	LIBRARY_ANYWHERE, /* a free slot, or where there is none a free mail slot */
	LIBRARY_IN_SLOT,  /* a free slot */
	LIBRARY_IN_MAIL,  /* a free mail slot */
	LIBRARY_AT,       /* the element `to` */
};

#define LIBRARY_POOL_SIZE 101

struct library_request {
	/* Filled by whoever asks. Text is borrowed until done(). */
	enum library_op op;
	bool host; /* a changer's command: hosts know, and no unit attention is raised */
	uint16_t from, to, then;
	enum library_where where; /* ADD, RETRIEVE */
	/* Not EXCHANGE. MOVE, unless it is a host's or NULL: what has to be at `from`. LOOK: NULL
	 * is all of them. */
	const char *barcode;
	struct {
		uint64_t size; /* bytes; 0: native capacity of the generation */
		unsigned int
			generation; /* LTO; 0: as the barcode's suffix says, or as the drives */
		bool worm;          /* also where the barcode's suffix says so */
		bool cleaning;      /* also where the barcode begins with CLN */
		bool existing;      /* take up PATH/BARCODE, with what is on it */
	} add;
	bool write_protect;       /* PROTECT; RETRIEVE: the tab as it comes back, or left alone */
	const char *pool;         /* ADD, POOL; NULL: "" */
	const char *retrieved_to; /* RETRIEVE; NULL: "" */
	/* Optional: more that belongs into the transaction which makes the change durable (an audit
	 * row, a client token), with the row as it will be. On the catalog's thread, as
	 * catalog_request.run: 0, or -errno and nothing is changed. NULL row: it is removed. */
	int (*also)(
		struct library_request *r, struct catalog_tx *tx, const struct catalog_tape *row);
	void (*done)(struct library_request *r); /* on `home`, once */
	struct loop *home;

	/* Answers. */
	enum library_result result;
	int err; /* -errno behind FAILED, NO_SPACE, DRIVE_FAILED; also() gave it */
	struct catalog_place place; /* ADD, RETRIEVE: where it is */
	char why[320]; /* a sentence where there is more to say than the result; else "" */

	struct list link; /* private */
	struct loop_msg msg;
};

/*
 * Any thread; never fails, never calls done() in place. The request is the library's until done().
 * Those of one thread are carried out in their order, one at a time. ARCHIVE and RETRIEVE end when
 * the cartridge is on its way (its state says so, and is durable); its files follow in the
 * background, and when they are there the state says that. Meanwhile it can be neither moved nor
 * removed. CANCEL waits for the files to stop, while others are carried out, and ends when it is
 * durable that the cartridge is back, or, where it had arrived by then, on its way back.
 */
void library_submit(struct library *l, struct library_request *r);

#endif
