/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the commands of a disk share: limits, and the checks of a range of blocks.
 */
#ifndef SCSI_SBC_H
#define SCSI_SBC_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "scsi/reply.h"
#include "scsi/unit.h"

/* Limits that VPD B0h tells; bytes where it is not said otherwise. */
#define SBC_TRANSFER_MAX      ((uint32_t)8 << 20) /* one READ or WRITE: what a buffer can hold */
#define SBC_PAGE              4096u /* a page of memory or cache: what UNMAP gives back */
#define SBC_UNMAP_BLOCKS      ((uint32_t)1 << 20) /* blocks of one UNMAP */
#define SBC_UNMAP_DESCRIPTORS 256u
#define SBC_SAME_BLOCKS       32768u /* blocks of one WRITE SAME */
#define SBC_COMPARE_BLOCKS    255u   /* blocks of one COMPARE AND WRITE */
#define SBC_ATOMIC_BLOCKS     2048u  /* blocks of one WRITE ATOMIC */

/* Bits of byte 1 of many CDBs. */
#define RDPROTECT_BITS        0xe0 /* also WRPROTECT, VRPROTECT */
#define FUA_BIT               0x08

/* WCE is off: every write as with FUA. */
static inline bool sbc_write_through(const struct lu *lu)
{
	return atomic_load_explicit(&lu->write_through, memory_order_relaxed);
}

static inline uint64_t sbc_bytes(const struct lu *lu, uint64_t blocks)
{
	return blocks << lu->block_shift;
}

/* The blocks [lba, lba+n) are there; an LBA behind the last block is out of range also when
 * there is nothing to transfer. */
static inline bool sbc_in_range(const struct lu *lu, uint64_t lba, uint64_t n)
{
	uint64_t blocks = lu_blocks(lu);

	return lba < blocks && n <= blocks - lba;
}

/* Fields of a CDB by its length. */
static inline uint64_t cdb_lba(const uint8_t *cdb)
{
	switch (cdb[0] >> 5) {
	case 3: return be64(cdb + 12);
	case 4: return be64(cdb + 2);
	default: return be32(cdb + 2);
	}
}

static inline uint32_t cdb_blocks(const uint8_t *cdb)
{
	switch (cdb[0] >> 5) {
	case 3: return be32(cdb + 28);
	case 4: return be32(cdb + 10);
	case 5: return be32(cdb + 6);
	default: return be16(cdb + 7);
	}
}

/* Where the number of blocks, and RDPROTECT and its like, stand in a CDB: for the field pointer. */
static inline unsigned cdb_blocks_at(uint8_t code)
{
	switch (code >> 5) {
	case 3: return 28;
	case 4: return 10;
	case 5: return 6;
	default: return 7;
	}
}

static inline unsigned cdb_flags_at(uint8_t code)
{
	return code >> 5 == 3 ? 10 : 1;
}

/* Whether all of it is zeros; len > 0. */
static inline bool sbc_all_zero(const uint8_t *p, size_t len)
{
	return !p[0] && !memcmp(p, p + 1, len - 1);
}

/* Where two ranges first differ, or len. */
static inline uint32_t sbc_first_difference(const uint8_t *a, const uint8_t *b, uint32_t len)
{
	uint32_t i = 0;

	if (!memcmp(a, b, len))
		return len;
	while (a[i] == b[i])
		i++;
	return i;
}

/* The initiator has less to send than the command takes, or says that it sends nothing (FCP-4
 * 9.4.2 says what iSCSI leaves open). True: the task has ended. False: whole blocks come.
 * t->out.len is what the command takes. */
bool sbc_ends_short(struct scsi_task *t);

/* STORE_FLUSH; everything written before is durable when the task ends. */
enum scsi_next sbc_flush(struct scsi_task *t);
/* The end of a command that changes the medium, with what came of the last of it. Where there is no
 * write cache nobody will ask for a flush, and it may have gone off meanwhile: what was not written
 * with FUA is flushed now. */
enum scsi_next sbc_written(struct scsi_task *t, int err);

/* Blocks that WRITE ATOMIC writes together: a physical block, unless that is more than one may
 * write. */
static inline uint32_t sbc_atomic_part(const struct lu *lu)
{
	uint32_t physical = UINT32_C(1) << lu->physical_exponent;

	return physical < SBC_ATOMIC_BLOCKS ? physical : SBC_ATOMIC_BLOCKS;
}

#endif
