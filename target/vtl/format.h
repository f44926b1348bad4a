/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of a cartridge's files, as countersign-cartridge(5) describes them: explicit
 * little-endian, checksums over everything. Encoders and decoders only; nothing here sees a file.
 * Decoders check all that can be checked without the rest of the file, whoever made the bytes.
 */
#ifndef VTL_FORMAT_H
#define VTL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vtl/cartridge.h"
#include "vtl/index.h"

#define FORMAT_VERSION 1

/* -- The cartridge as such: in the label, and once more at the head of each partition -- */

#define IDENTITY_BYTES 256u
#define IDENTITY_ID    16u

struct identity {
	uint8_t id[IDENTITY_ID];
	char barcode[CARTRIDGE_BARCODE_SIZE];
	char serial[33];
	const struct media *media;
	bool worm, cleaning;
	bool formatting;  /* the partitions are being made anew: finish that first */
	uint64_t capacity;
	uint64_t limit; /* what SET CAPACITY has left of it for partitions; 0: all */
	int64_t created;
	uint32_t formats; /* times that it has been formatted */
	unsigned int partitions;
	struct {
		uint64_t capacity;
		uint32_t log_id; /* random; in every record of the partition */
	} partition[CARTRIDGE_PARTITIONS];
};

/* False: not what identity_encode() makes; then *out is undefined. */
void identity_encode(const struct identity *i, uint8_t out[static IDENTITY_BYTES]);
bool identity_decode(const uint8_t in[static IDENTITY_BYTES], struct identity *out);

/* -- A partition file: a header, two slots for the log's end, then the log -- */

#define FORMAT_BLOCK 4096u
#define SLOTS        2u
#define LOG_START    ((1 + SLOTS) * FORMAT_BLOCK)

/* A header says nothing of formatting under way: only the label's flag comes and goes with it. */
void header_encode(
	const struct identity *i, unsigned int partition, uint8_t out[static FORMAT_BLOCK]);
/* 0, -EBADMSG, or -ENOTSUP when a later version wrote it. */
int header_decode(const uint8_t in[static FORMAT_BLOCK], struct identity *out,
	unsigned int *partition);

/* The log's end as it was at a sync. The slot with the higher sequence number counts. */
void slot_encode(const struct tail *t, uint32_t log_id, uint64_t seq,
	uint8_t out[static FORMAT_BLOCK]);
bool slot_decode(const uint8_t in[static FORMAT_BLOCK], uint32_t log_id, struct tail *t,
	uint64_t *seq);

/* -- Records: a header, then what is stored, then zeros up to the alignment -- */

#define RECORD_ALIGN  64u
#define RECORD_HEADER 64u

enum record_type { RECORD_BLOCK = 1, RECORD_FILEMARK = 2, RECORD_CHECKPOINT = 3 };
enum record_compression { RECORD_PLAIN = 0, RECORD_ZSTD = 1 };
enum record_encryption { RECORD_CLEAR = 0, RECORD_AES_256_GCM = 1 };

struct record {
	enum record_type type;
	enum record_compression compression;
	enum record_encryption encryption;
	bool protected;
	uint32_t log_id, epoch;
	uint64_t offset;     /* its own, in the file */
	uint64_t object;     /* its own number; of a checkpoint: that of the next object */
	uint64_t files;      /* filemarks before it */
	uint32_t prev;       /* bytes back to the record before; 0: none */
	uint32_t checkpoint; /* bytes back to the last checkpoint before; 0: none */
	uint32_t length;     /* of a block, as the host sees it */
	uint32_t stored;     /* bytes that follow the header, without padding */
	uint32_t crc;        /* over these */
};

/* What stands before an encrypted block's bytes, and the most that it can be. */
#define SEAL_BYTES 32u
#define SEAL_MAX   (SEAL_BYTES + 2 * CARTRIDGE_KAD_MAX)

void record_encode(const struct record *r, uint8_t out[static RECORD_HEADER]);
bool record_decode(const uint8_t in[static RECORD_HEADER], struct record *out);
/* Bytes in the file, a multiple of RECORD_ALIGN. */
uint64_t record_size(const struct record *r);
/* Whether these bytes can be a header at all: a quick look for those who search. */
bool record_looks_like(const uint8_t in[static RECORD_HEADER]);

/* -- What a checkpoint stores: the marks and the span before it -- */

#define CHECKPOINT_MAX (8 + 16 * MARK_LEVELS + 4 * SPAN_OBJECTS)

size_t checkpoint_encode(const struct tail *t, uint8_t out[static CHECKPOINT_MAX]);
/* `r` is the checkpoint's own record. */
bool checkpoint_decode(const struct record *r, const uint8_t *in, struct marks *marks,
	struct span *span);

#endif
