/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tape cartridge: a directory with a log of blocks and filemarks for each partition, a label
 * (identity, counters, attributes), and the tape's rules over them. The format of the files is
 * countersign-cartridge(5). What is a drive's business (sense data, fixed and variable blocks,
 * early warning, keys) is not here; every call says what happened, and where the tape now stands.
 *
 * All calls block. A cartridge has one user at a time, on whatever thread; two cartridges have
 * nothing in common. Everything in the files is checked before it is believed: a hostile cartridge
 * costs its own data and nothing else.
 *
 * Objects are blocks and filemarks, numbered together from 0 in each partition, as the logical
 * object identifiers of SSC-4 are; `file` counts the filemarks before the position (the logical
 * file identifier). Position n is in front of object n.
 */
#ifndef VTL_CARTRIDGE_H
#define VTL_CARTRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "vtl/media.h"

#define CARTRIDGE_BLOCK_MAX     (8u << 20) /* bytes of a block */
#define CARTRIDGE_PARTITIONS    4          /* at most; media.h says how many a generation has */
#define CARTRIDGE_BARCODE_SIZE  33         /* text with its NUL */
#define CARTRIDGE_DRIVE_SIZE    41         /* with NUL: vendor in 8, serial number in 32 */
#define CARTRIDGE_CAPACITY_MIN  (1u << 20) /* bytes of a partition */
#define CARTRIDGE_KEY_SIZE      32
#define CARTRIDGE_KAD_MAX       60         /* bytes of either key-associated data */

struct cartridge;

/* What became of an operation on the tape. Where nothing else is said, the tape did not move and
 * nothing was changed unless the result is OK. */
#define CARTRIDGE_RESULTS(X) \
	X(CARTRIDGE_OK, "done") \
	X(CARTRIDGE_FILEMARK, "a filemark was met") \
	X(CARTRIDGE_EOD, "end of data was met") \
	X(CARTRIDGE_BOP, "beginning of partition was met") \
	X(CARTRIDGE_FULL, "end of partition was met") \
	X(CARTRIDGE_NO_SPACE, "the file system is full") \
	X(CARTRIDGE_PROTECTED, "the cartridge is write-protected") \
	X(CARTRIDGE_WORM, "what is written on a WORM cartridge stays") \
	X(CARTRIDGE_CORRUPT, "the record is damaged") \
	X(CARTRIDGE_NO_KEY, "the block is encrypted and there is no key") \
	X(CARTRIDGE_WRONG_KEY, "the block is encrypted under another key") \
	X(CARTRIDGE_INVALID, "no such partition, length or value") \
	X(CARTRIDGE_NO_MEMORY, "out of memory") \
	X(CARTRIDGE_IO, "the file system failed")

#define CARTRIDGE_AS_ENUM(id, text) id,
enum cartridge_result { CARTRIDGE_RESULTS(CARTRIDGE_AS_ENUM) };

/* For log lines; never NULL. */
const char *cartridge_result_text(enum cartridge_result r);

/* -- Making, opening, removing: 0 or -errno ------------------------------------------------- */

struct cartridge_cfg {
	const char *barcode;       /* barcode.h says which are valid */
	const struct media *media; /* generation */
	uint64_t capacity;         /* bytes, CARTRIDGE_CAPACITY_MIN or more; 0: native */
	bool worm;                 /* -EINVAL where the generation has none */
	bool cleaning;             /* holds no data: every write is INVALID */
};

/* Makes a blank cartridge with one partition as the directory `path`, durable and whole or not at
 * all. -EEXIST when there is something already. */
int cartridge_create(const char *path, const struct cartridge_cfg *cfg);

struct cartridge_opening {
	bool write_protect; /* the tab is set; counters and host attributes are still kept */
	bool read_only;     /* change nothing in the directory (a tool looks); implies the tab */
	const char *drive;  /* for "device at last load": vendor in 8 columns, serial number;
			     * NULL: no load is counted (a tool works) */
};

/* Opens, and repairs: an append that a crash interrupted is cut off, a missing index is rebuilt.
 * The position is the beginning of partition 0. On a read-only file system, or without the right to
 * write, the tab is as if set. -EBUSY when someone else has it open, -ENOENT, -EBADMSG when it
 * is no cartridge or its partitions belong to another, -ENOTSUP when its format is newer than this
 * program. Takes a few milliseconds, after a crash up to the time to read what had not been synced.
 * *out is set only on success; give it back with cartridge_close(). */
int cartridge_open(const char *path, const struct cartridge_opening *how, struct cartridge **out);

/* Syncs, gives back the room of what was written over, saves counters where that is possible,
 * frees. 0, or -errno of the sync: what was not synced may be lost. */
int cartridge_close(struct cartridge *c); /* NULL is fine */

/* Removes a cartridge that nobody has open: -EBUSY, -ENOENT, -EBADMSG when it is none. */
int cartridge_remove(const char *path);

struct cartridge_info {
	char barcode[CARTRIDGE_BARCODE_SIZE];
	char serial[33];           /* of the medium: unique, made up when the cartridge was */
	const struct media *media;
	uint64_t capacity;         /* bytes, as made */
	uint64_t usable;           /* of them, by partitions: less after SET CAPACITY */
	int64_t created;           /* seconds since 1970 */
	bool worm, cleaning;
	bool write_protect;        /* for whatever reason */
	unsigned int partitions;
	uint64_t partition_capacity[CARTRIDGE_PARTITIONS]; /* bytes */
};

/* Borrowed until the next call that formats or closes. */
const struct cartridge_info *cartridge_info(const struct cartridge *c);

/* -- Where the tape stands -------------------------------------------------------------------- */

struct cartridge_position {
	unsigned int partition;
	uint64_t object; /* the next */
	uint64_t file;   /* filemarks before it */
	bool bop;        /* object is 0 */
	bool eod;        /* nothing follows in this partition */
};

/* In the present partition. */
void cartridge_position(const struct cartridge *c, struct cartridge_position *out);

/* A partition's use. Records count with their headers and as they are stored, so that the files
 * never outgrow the capacity (but for filemarks, which find a little room behind it). */
struct cartridge_usage {
	uint64_t capacity;
	uint64_t used;    /* from the beginning to end of data */
	uint64_t before;  /* from the beginning to the position; for other partitions as `used` */
	uint64_t objects; /* before end of data */
	uint64_t files;   /* filemarks before end of data */
};

/* What the file system has left for it, in bytes, with what it has been given already and may write
 * over; UINT64_MAX where that does not say. Asks it. */
uint64_t cartridge_free_space(const struct cartridge *c);

/* INVALID for a partition that is not there. capacity - before (0 when that is negative) is what
 * can be written from here: a drive compares it with its early warnings after each write. */
enum cartridge_result cartridge_usage(
	const struct cartridge *c, unsigned int partition, struct cartridge_usage *out);

/* -- Moving ----------------------------------------------------------------------------------- */

/* To the beginning of the partition that the tape is in. */
enum cartridge_result cartridge_rewind(struct cartridge *c);

/* To an object of a partition; to the first object of a file (behind its filemark); to end of data.
 * OK; EOD when there is no such one: the tape then stands there. INVALID: no such partition.
 * Milliseconds on a full tape. */
enum cartridge_result cartridge_locate(
	struct cartridge *c, unsigned int partition, uint64_t object);
enum cartridge_result cartridge_locate_file(
	struct cartridge *c, unsigned int partition, uint64_t file);
enum cartridge_result cartridge_locate_eod(struct cartridge *c, unsigned int partition);

/*
 * SPACE as of SSC-4, with a count of either sign (0 moves nothing), in the current partition.
 * OK        the tape moved over `count`.
 * FILEMARK  (blocks only) a filemark was met; the tape stands behind it as seen in the direction of
 *           the movement: forwards on its end-of-partition side, backwards on its beginning side.
 * EOD, BOP  met before the count was through; the tape stands there.
 * *residual: what is left of the count, as a positive number; 0 when OK. For blocks it does not
 * count the filemark that was met.
 */
enum cartridge_result cartridge_space_blocks(
	struct cartridge *c, int64_t count, uint64_t *residual);
enum cartridge_result cartridge_space_filemarks(
	struct cartridge *c, int64_t count, uint64_t *residual);
/* To behind (forwards) or in front of (backwards) the next run of at least |count| filemarks in a
 * row, of which |count| have been passed. *residual is |count| unless OK. */
enum cartridge_result cartridge_space_sequential_filemarks(
	struct cartridge *c, int64_t count, uint64_t *residual);

/* -- Reading ---------------------------------------------------------------------------------- */

/* A key, and what is stored beside each block that is encrypted with it (SSC-4 key-associated
 * data), so that whoever reads finds the key again. */
struct cartridge_key {
	uint8_t key[CARTRIDGE_KEY_SIZE]; /* AES-256-GCM */
	uint8_t akad_len, ukad_len;      /* at most CARTRIDGE_KAD_MAX each */
	uint8_t akad[CARTRIDGE_KAD_MAX]; /* authenticated */
	uint8_t ukad[CARTRIDGE_KAD_MAX]; /* not */
};

/* What is known of a block without its data. */
struct cartridge_block {
	uint32_t length;     /* as the host wrote it, in bytes */
	uint32_t stored;     /* bytes in the log, without the header */
	bool compressed;
	bool encrypted;
	bool protected;      /* written with logical block protection; a flag for the drive */
	uint8_t akad_len, ukad_len;
	uint8_t akad[CARTRIDGE_KAD_MAX], ukad[CARTRIDGE_KAD_MAX];
};

/*
 * Reads the next object and moves behind it.
 * OK        a block: min(got->length, size) bytes of it are in buf, and got is filled. Its checksum
 *           was right over the whole block, also where buf is shorter.
 * FILEMARK  the tape moved behind it.
 * EOD       nothing there; the tape did not move.
 * CORRUPT   the tape moved behind it; what follows can be read. buf's content is undefined, and
 *           got->length is 0 when not even that is known.
 * NO_KEY, WRONG_KEY  got is filled, but nothing is in buf; the tape did not move. A key that does
 *           not fit is one under which the block does not authenticate. A block that is not
 *           encrypted is read whatever the key.
 * key may be NULL. size 0 with any buf reads and checks but keeps nothing.
 */
enum cartridge_result cartridge_read(struct cartridge *c, void *buf, size_t size,
	const struct cartridge_key *key, struct cartridge_block *got);

/* Like cartridge_read() without the data and the key: checks what is stored (VERIFY, tools), never
 * NO_KEY or WRONG_KEY. */
enum cartridge_result cartridge_verify(struct cartridge *c, struct cartridge_block *got);

/* What cartridge_read() would find; the tape does not move, the data are not looked at. OK for a
 * block, FILEMARK, EOD, CORRUPT when the header is damaged. */
enum cartridge_result cartridge_peek(struct cartridge *c, struct cartridge_block *got);

/* Whether `key` opens the next block: OK, NO_KEY (NULL), WRONG_KEY, or as cartridge_peek(). Reads
 * the block; the tape does not move. */
enum cartridge_result cartridge_try_key(struct cartridge *c, const struct cartridge_key *key);

/* -- Writing ----------------------------------------------------------------------------------
 * A write makes everything behind the position unreadable and leaves the tape at end of data. What
 * it cut off may take up room, to be written over, until the cartridge is closed.
 * Nothing is durable before cartridge_sync(), except that a sync happens by itself now and then. */

struct cartridge_write_how {
	bool compress; /* zstd, where it makes the block smaller */
	bool protected;
	const struct cartridge_key *key; /* NULL: not encrypted. Borrowed for the call */
};

/*
 * Writes `count` blocks of `len` bytes each, one behind the other in iov, which holds len * count
 * bytes. *done (never NULL) counts those written, also when not OK: they are on the tape.
 * FULL         the next one does not fit into the partition.
 * NO_SPACE, IO the file system said so; the tape stands behind the last one that was written.
 * WORM         there is something behind the position, other than filemarks (see below).
 * PROTECTED, INVALID (len 0 or over CARTRIDGE_BLOCK_MAX, or a cleaning cartridge).
 */
enum cartridge_result cartridge_write(struct cartridge *c, const struct iovec *iov, int iovcnt,
	size_t len, size_t count, const struct cartridge_write_how *how, size_t *done);

/* Writes filemarks; otherwise as cartridge_write(). 0 of them change nothing. Does not sync. */
enum cartridge_result cartridge_write_filemarks(
	struct cartridge *c, uint64_t count, uint64_t *done);

/* Makes everything that was written durable, in all partitions: what stood on the tape when this
 * gives OK survives kill -9 and power loss. IO once is IO for good until the cartridge is opened
 * anew, because nobody knows what the kernel has dropped. */
enum cartridge_result cartridge_sync(struct cartridge *c);

/* End of data is here, from now on; what followed is gone from the disk (ERASE, short or long).
 * PROTECTED, WORM unless nothing follows, NO_SPACE, IO. */
enum cartridge_result cartridge_erase(struct cartridge *c);

/* WORM as SSC-4's mode page 1Dh calls it: no label may be overwritten, and any number of filemarks
 * right before end of data may, but for the first filemark of the partition. */

/* All data are gone; the cartridge has n partitions of these capacities, which together are not
 * more than info->usable, and stands at the beginning of partition 0. WORM: only while blank.
 * INVALID: more partitions than the generation has, or one smaller than CARTRIDGE_CAPACITY_MIN.
 * Host attributes of partitions are gone, those of the medium stay. */
enum cartridge_result cartridge_format(
	struct cartridge *c, const uint64_t *capacity, unsigned int n);

/* As cartridge_format() with one partition of this capacity, at most info->capacity, which is
 * usable from now on: for the command SET CAPACITY. */
enum cartridge_result cartridge_set_capacity(struct cartridge *c, uint64_t capacity);

/* -- Counters --------------------------------------------------------------------------------- */

struct cartridge_counters {
	uint64_t loads;
	uint64_t host_written, host_read;     /* bytes as the host sees them */
	uint64_t medium_written, medium_read; /* bytes as stored, without headers */
	uint64_t blocks_written, blocks_read;
	uint64_t filemarks_written;
	uint64_t write_errors, read_errors;   /* IO and NO_SPACE; CORRUPT and IO */
	uint64_t syncs;
};

/* Adds `more` to each of `to`. */
void cartridge_counters_add(struct cartridge_counters *to, const struct cartridge_counters *more);

/* Over the cartridge's life, and since it was opened. Either may be NULL. */
void cartridge_counters(const struct cartridge *c, struct cartridge_counters *life,
	struct cartridge_counters *load);

/* -- Attributes (medium auxiliary memory, SPC-4 7.4) ------------------------------------------ */

#define CARTRIDGE_ATTRIBUTE_MAX 1023 /* bytes of a value: what volume coherency information takes */

/* The values are SPC-4's FORMAT field. */
enum cartridge_attribute_format { CARTRIDGE_BINARY = 0, CARTRIDGE_ASCII = 1, CARTRIDGE_TEXT = 2 };

struct cartridge_attribute {
	uint16_t id;
	enum cartridge_attribute_format format;
	bool read_only;
	uint16_t len;
	uint8_t value[CARTRIDGE_ATTRIBUTE_MAX]; /* as it goes on the wire: numbers are big-endian */
};

/* The attribute with this identifier, or the first with a higher one. OK, EOD when there is none,
 * or INVALID for the partition. Those of the device and of the medium are computed here; host
 * attributes are there when they have been set. */
enum cartridge_result cartridge_attribute_get(const struct cartridge *c, unsigned int partition,
	uint16_t id, struct cartridge_attribute *out);
enum cartridge_result cartridge_attribute_next(const struct cartridge *c, unsigned int partition,
	uint16_t id, struct cartridge_attribute *out);

/* Sets a host attribute, or removes it with len 0. INVALID: not a host attribute, a format or
 * length that it does not have, or the partition; PROTECTED: cannot be changed by a host; FULL: the
 * memory is full. Works on a write-protected cartridge, as the chip does. In memory only, until: */
enum cartridge_result cartridge_attribute_set(struct cartridge *c, unsigned int partition,
	uint16_t id, enum cartridge_attribute_format format, const void *value, size_t len);
/* Makes attributes durable, and counters with them. OK, NO_SPACE, IO, PROTECTED when read_only. */
enum cartridge_result cartridge_attributes_save(struct cartridge *c);

/* A copy of the host attributes, to be freed, or NULL (no memory); and those of a copy in place of
 * what has been set since. In memory only, likewise. */
struct mam;
struct mam *cartridge_attributes_copy(const struct cartridge *c);
void cartridge_attributes_restore(struct cartridge *c, const struct mam *copy);

/* A host knows attribute 0009h, the volume change reference, as it is now: the next change of the
 * tape makes it another one, durably and before anything is changed. So does the first one after
 * opening. */
void cartridge_change_told(struct cartridge *c);

/* TapeAlert flags for attribute 0002h: the drive's, flag 1 is the highest bit. */
void cartridge_set_alerts(struct cartridge *c, uint64_t flags);

#endif
