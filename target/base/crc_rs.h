/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Reed-Solomon CRC of ECMA-319, by which tape drives and hosts protect blocks between them
 * (SSC-4 4.2.29): what is left of the bytes, as a polynomial over GF(256), when it is divided by
 * x⁴ + α²⁰¹x³ + α²⁴⁶x² + α²⁰¹x + 1, where α is a root of x⁸ + x⁴ + x³ + x² + 1. Pure; any thread.
 *
 * Bytes followed by their checksum, most significant byte first, have the checksum 0.
 */
#ifndef BASE_CRC_RS_H
#define BASE_CRC_RS_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of what came before (0: nothing) and len more bytes. */
uint32_t crc_rs(uint32_t crc, const void *p, size_t len);

#endif
