/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks that say which they are: every eight bytes hold the block's number and their own place in
 * it, so that a block from elsewhere, an old one, or a shifted one is found out.
 */
#ifndef BENCH_STAMP_H
#define BENCH_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fills whole blocks, from number lba on. len is a multiple of block_size, and that of eight. */
void stamp(uint8_t *p, size_t len, uint64_t lba, uint32_t block_size);

/* Whether len bytes are what stamp() puts at byte `off` of the blocks from lba on. */
bool stamp_holds(const uint8_t *p, size_t len, uint64_t lba, uint32_t off, uint32_t block_size);

#endif
