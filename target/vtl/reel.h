/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A partition's log in its file: reading a record, appending, cutting, making durable. What the log
 * holds is known from its tail; finding that at opening is vtl/recover.h's, finding an object
 * within it vtl/seek.h's.
 *
 * Errors are 0 or -errno. -EBADMSG means that the bytes are there but wrong, or end too early:
 * damage to a record, which others survive. All else is the file system's. The thread is the
 * cartridge's.
 */
#ifndef VTL_REEL_H
#define VTL_REEL_H

#include "vtl/format.h"
#include "vtl/index.h"
#include "vtl/slices.h"

struct reel {
	int fd;
	bool writable;
	bool ragged;       /* the file goes on behind the tail: cut it before appending */
	bool unsynced;     /* something was written since the last sync */
	int failed;        /* -errno of a sync or cut that failed, for good */
	const char *name;  /* borrowed, for the log: the barcode */
	unsigned int partition;
	uint32_t log_id;
	uint64_t limit;    /* no record ends behind this: the tail; in recovery, the file's end */
	uint64_t spare;    /* the file ends here, behind the tail: data to write over; 0: none */
	uint64_t synced;   /* the tail at the last sync */
	uint64_t started;  /* the kernel has been told to write up to here */
	uint64_t slot_seq;
	struct tail tail;
	struct span cache; /* vtl/seek.h's */
	bool cached;
	uint64_t ahead_off; /* of the header that was read with the record before it; 0: none */
	uint8_t ahead[RECORD_HEADER];
};

/* Makes the file blank for its partition: header, slots, nothing else; durable. */
int reel_blank(int fd, const struct identity *id, unsigned int partition);

/* Reads len bytes at off. -EBADMSG when the file ends before. */
int reel_pread(const struct reel *r, void *buf, size_t len, uint64_t off);

/* The record at off, if there is one that belongs there: its log, its offset, its checksum. */
int reel_record(struct reel *r, uint64_t off, struct record *rec);

/* What a record stores, rec->stored bytes, checked against its checksum. The next record's header
 * is read along, as the one that is likely to be asked for next. */
int reel_stored(struct reel *r, const struct record *rec, void *buf);

/*
 * Appending: begin, add records, commit. Nothing is part of the log before reel_commit(), which
 * writes what has been added at once; when it fails, nothing is. What is added is borrowed until
 * then. reel_full() says when to commit before adding more.
 */
#define BATCH_RECORDS 64u
#define BATCH_IOV     512u

struct batch {
	struct reel *reel;
	struct tail tail;  /* as it will be */
	uint64_t off;      /* where iov goes */
	int err;
	unsigned int records;
	unsigned int n;
	struct iovec iov[BATCH_IOV];
	uint8_t header[BATCH_RECORDS][RECORD_HEADER];
	uint8_t checkpoint[RECORD_HEADER + CHECKPOINT_MAX];
};

void reel_begin(struct reel *r, struct batch *b);
bool reel_full(const struct batch *b);
/* A block: type, place and checksum in *rec are filled in here. Takes rec->stored bytes. */
void reel_add_block(struct batch *b, struct record *rec, struct slices *data);
void reel_add_filemark(struct batch *b);
int reel_commit(struct batch *b);
/* Bytes of a log with this tail once a record that stores so many is added. */
uint64_t reel_size_with(const struct tail *t, size_t stored);

/* Ends the log at this tail, which seek_tail() gave: what follows is gone from the log. Not by
 * itself durable, but never undone by half: after a crash the log ends there or where it ended
 * before. It may stay in the file as room for what is written next. */
int reel_cut(struct reel *r, const struct tail *at);

/* The bytes of that room, and giving it back: the file ends where the log does. */
uint64_t reel_spare(const struct reel *r);
int reel_release(struct reel *r);

/* Makes all of the log durable, and notes its end. */
int reel_sync(struct reel *r);

#endif
