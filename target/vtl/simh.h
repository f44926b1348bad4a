/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIMH tape images (.tap): each block between two copies of its length, as four bytes with the
 * least significant first; 0 is a filemark, ffffffffh the end of the medium. Blocks of odd length
 * are followed by a zero byte. Some programs leave that out ("E11" images); the reader finds out
 * which kind it has.
 */
#ifndef VTL_SIMH_H
#define VTL_SIMH_H

#include "vtl/cartridge.h"

/* What was copied, also when it did not end well. */
struct simh_report {
	uint64_t blocks, filemarks; /* copied */
	uint64_t bad;               /* damaged blocks: marked as such where the format can */
	uint64_t offset;            /* in the image, when it is the image that is wrong */
};

/* Writes partition 0 from its beginning to end of data to a descriptor, and leaves the tape at end
 * of data. Encrypted blocks need `key` (NULL: none). A damaged block becomes an empty record with
 * the error flag. OK, NO_KEY, WRONG_KEY, NO_SPACE, IO of either side. */
enum cartridge_result simh_export(struct cartridge *c, int fd, const struct cartridge_key *key,
	struct simh_report *out);

/* Reads an image from a descriptor (a pipe will do) and appends it at the position; syncs at its
 * end. Records with the error flag are counted as bad and left out. INVALID: no image, a block over
 * CARTRIDGE_BLOCK_MAX, or an end in the middle: out->offset tells where; what came before is on the
 * tape. Else as cartridge_write(). */
enum cartridge_result simh_import(struct cartridge *c, int fd,
	const struct cartridge_write_how *how, struct simh_report *out);

#endif
