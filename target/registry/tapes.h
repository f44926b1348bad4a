/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tape libraries as the management sees them: what there is and where, and changes by an operator.
 * Hosts learn of these by unit attention.
 *
 * Places are counted as people count them: slots, mail slots and drives from 1 on.
 *
 * All calls are made, and all callbacks come, on the thread of the main loop.
 */
#ifndef REGISTRY_TAPES_H
#define REGISTRY_TAPES_H

#include "catalog/tape.h"
#include "registry/registry.h"

/* --- looking: text lives for the call of `each` --------------------------------------------- */

struct registry_library {
	const char *name;
	const char *changer; /* "STK-L700" */
	const char *vendor, *product, *revision, *serial;
	const char *target; /* of the changer; at LUN 0 */
	const char *path, *archive;
	unsigned drives, slots, mail_slots;
	unsigned tapes;           /* in these */
	unsigned archived;        /* in the archive, or on the way to or from it */
	uint64_t moves, failures; /* since the start */
	bool locked;              /* a host prevents the mail slots from being opened */
	bool ready;               /* its cartridges have been taken up */
};
/* In the order of the configuration. */
void registry_libraries(const struct registry *r,
	void (*each)(void *arg, const struct registry_library *library), void *arg);

struct registry_traffic {
	uint64_t host_written, host_read;     /* bytes as hosts have sent and got them */
	uint64_t medium_written, medium_read; /* as they are on the medium */
	uint64_t blocks_written, blocks_read, filemarks_written;
	uint64_t write_errors, read_errors;
};
struct registry_drive {
	const char *library;
	unsigned number;
	const char *target;
	uint32_t lun;
	const char *vendor, *product, *revision, *serial;
	const char *state;   /* "empty", "loaded", "unloaded", "cleaning" … */
	const char *barcode; /* NULL: empty */
	bool write_protect, compression;
	bool prevented;     /* a host keeps the cartridge from being taken out */
	uint64_t loads;     /* since the start */
	unsigned partition; /* where the tape stands, and of the partition; 0 unless it is loaded */
	uint64_t object, file, used, capacity;
	struct registry_traffic load;  /* since the cartridge was loaded */
	struct registry_traffic total; /* since the start */
};
/* All of a library, or of all. False: there is no such library. */
bool registry_drives(const struct registry *r, const char *library,
	void (*each)(void *arg, const struct registry_drive *drive), void *arg);

#define REGISTRY_PLACES(X) \
	X(REGISTRY_IN_SLOT, "slot") \
	X(REGISTRY_IN_MAIL_SLOT, "mail slot") \
	X(REGISTRY_IN_DRIVE, "drive") \
	X(REGISTRY_IN_ARCHIVE, "archive") \
	X(REGISTRY_IN_TRANSPORT, "transport")
#define REGISTRY_PLACE_AS_ENUM(id, text) id,
enum registry_place_kind { REGISTRY_PLACES(REGISTRY_PLACE_AS_ENUM) };
const char *registry_place_text(enum registry_place_kind kind);

struct registry_place {
	enum registry_place_kind kind;
	unsigned number; /* 0: any that is free; in the archive always */
};

struct registry_tape {
	const char *barcode, *library;
	struct registry_place place;
	uint16_t address;   /* of the element; 0 in the archive */
	const char *medium; /* "LTO-5" */
	bool readable;      /* the drives of its library take it */
	bool worm, cleaning, write_protect;
	uint64_t size, used; /* bytes */
	const char *state;   /* "AVAILABLE", "ARCHIVING", "ARCHIVED", "RETRIEVING", "RETRIEVED" */
	const char *pool;    /* "": none */
	const char *retrieved_to;                /* "": it was not */
	unsigned progress;                       /* percent, of ARCHIVING and RETRIEVING */
	bool in_transit;                         /* it is to go to the archive in a moment */
	int64_t created, archived, pool_entered; /* seconds since 1970; 0: never */
};
/* All of a library, or of all, in the order of barcodes. False: there is no such library. */
bool registry_tapes(const struct registry *r, const char *library,
	void (*each)(void *arg, const struct registry_tape *tape), void *arg);
/* False, and no call: there is none of this barcode. */
bool registry_tape(const struct registry *r, const char *barcode,
	void (*each)(void *arg, const struct registry_tape *tape), void *arg);

/* A new barcode as the Storage Gateway makes them: a prefix of 1 to 4 upper-case letters, and six
 * hexadecimal digits. Any thread. False: no such prefix, or no random numbers. */
#define REGISTRY_BARCODE_SIZE 17
bool registry_tape_barcode(const char *prefix, char out[static REGISTRY_BARCODE_SIZE]);

/* --- changing ------------------------------------------------------------------------------- */

#define REGISTRY_TAPE_RESULTS(X) \
	X(TAPE_DONE, "done") \
	X(TAPE_NO_LIBRARY, "there is no such library") \
	X(TAPE_NOT_FOUND, "there is no such cartridge") \
	X(TAPE_NO_PLACE, "there is no such place") \
	X(TAPE_EXISTS, "the barcode is or was in use") \
	X(TAPE_INVALID, "a value is not valid") \
	X(TAPE_PLACE_FULL, "the place is taken") \
	X(TAPE_NO_ROOM, "no place is free") \
	X(TAPE_PREVENTED, "a host prevents the drive from giving the cartridge away") \
	X(TAPE_LOCKED, "a host has locked the mail slots") \
	X(TAPE_IN_DRIVE, "the cartridge is in a drive") \
	X(TAPE_NOT_LOADED, "the cartridge is in no drive") \
	X(TAPE_ARCHIVED, "the cartridge is in the archive, or on its way there or back") \
	X(TAPE_NOT_ARCHIVED, "the cartridge is not in the archive") \
	X(TAPE_SETTLED, "the cartridge is not on its way to or from the archive") \
	X(TAPE_MOVED, "the cartridge has been moved meanwhile") \
	X(TAPE_NO_SPACE, "the file system is full") \
	X(TAPE_FAILED, "the file system, the drive or the catalog failed") \
	X(TAPE_NO_MEMORY, "out of memory") \
	X(TAPE_STOPPING, "the library is not in service")

#define REGISTRY_TAPE_AS_ENUM(id, text) id,
enum registry_tape_result { REGISTRY_TAPE_RESULTS(REGISTRY_TAPE_AS_ENUM) };
/* In general terms; outcomes have sentences that name what they are about. */
const char *registry_tape_result_text(enum registry_tape_result result);

/* Unless result is TAPE_DONE nothing has changed. */
struct registry_tape_outcome {
	enum registry_tape_result result;
	const struct registry_tape *tape; /* as it is now; NULL: failed, or it is no more */
	const char *text; /* a sentence for the administrator; borrowed for the call */
};

enum registry_tape_verb {
	TAPE_CREATE, /* library, barcode, size, generation, worm, cleaning, existing, pool, place */
	TAPE_DELETE,
	TAPE_MOVE,   /* place; one that is there already, as in any slot, stays where it is */
	TAPE_UNLOAD, /* back to where it came from, or to any slot */
	TAPE_ARCHIVE,
	TAPE_RETRIEVE, /* retrieved_to, write_protect, place */
	TAPE_PROTECT,  /* write_protect */
	TAPE_ASSIGN,   /* pool */
	TAPE_CANCEL,   /* turns back from its way to the archive, or from there */
	TAPE_LOOK,     /* at its files, which somebody else has changed; nothing is written down */
};

struct registry_tape_change {
	enum registry_tape_verb verb;
	const char *library; /* TAPE_CREATE; NULL: the only one */
	const char *barcode;
	struct registry_place place;
	uint64_t size;       /* bytes; 0: native capacity */
	unsigned generation; /* LTO; 0: as the barcode says, or as the drives */
	bool worm, cleaning;
	bool existing; /* the cartridge's directory is there already, and is taken up as it is */
	bool write_protect;
	const char *pool, *retrieved_to;
	const char *who; /* for audit and log */
	/* Optional: more that belongs into the transaction of the change, on the catalog's thread; 0,
	 * or -errno and nothing has happened. May be called again. */
	int (*also)(void *arg, struct catalog_tx *tx);
	/* Called once, perhaps before registry_tape_change() returns. */
	void (*done)(void *arg, const struct registry_tape_outcome *outcome);
	void *arg;
};

/*
 * Changes of a library are made one after the other, those of hosts among them. When done() is told
 * TAPE_DONE the change is on stable storage; for TAPE_ARCHIVE and TAPE_RETRIEVE this means that the
 * cartridge is on its way, and for TAPE_CANCEL that it is on its way back, or there. A cartridge
 * with a pool that lies in a mail slot goes to the archive after some seconds. *what is copied with
 * its text.
 */
void registry_tape_change(struct registry *r, const struct registry_tape_change *what);

struct registry_changer_change {
	const char *library;
	const char *changer; /* "STK-L700", "AWS-Gateway-VTL" or "IBM-03584L32-0402" */
	const char *who;     /* for audit and log */
	void (*done)(void *arg, enum registry_tape_result result, const char *text);
	void *arg;
};
/* Shows hosts another medium changer than the configuration says, from now on: its logical unit is
 * another one, and cartridges stay where they are. Otherwise as registry_tape_change(). */
void registry_changer_change(struct registry *r, const struct registry_changer_change *what);

#endif
