/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Barcodes: what is one, and new ones as the Storage Gateway makes them.
 */
#ifndef VTL_BARCODE_H
#define VTL_BARCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BARCODE_MIN        5  /* characters: those of CreateTapeWithBarcode */
#define BARCODE_MAX        16
#define BARCODE_SIZE       (BARCODE_MAX + 1)
#define BARCODE_PREFIX_MIN 1
#define BARCODE_PREFIX_MAX 4

/* BARCODE_MIN to BARCODE_MAX upper-case letters and digits. Such a text is also safe as a file
 * name. */
bool barcode_valid(const char *text);

/* BARCODE_PREFIX_MIN to BARCODE_PREFIX_MAX upper-case letters. */
bool barcode_prefix_valid(const char *text);

/*
 * The prefix and six hexadecimal digits, of which the first byte XOR the last is A5h, as in all
 * that the gateway is known to have made ("TEST38A29D"). `number` says which one: 0 to
 * BARCODE_NUMBERS - 1 give different ones, so that a caller that starts anywhere and counts finds
 * each. Returns false when the prefix is not valid or the number too high.
 */
#define BARCODE_NUMBERS 65536u
bool barcode_generate(const char *prefix, uint32_t number, char out[static BARCODE_SIZE]);

/* The same with a number from the system's generator; false also when that fails. */
bool barcode_random(const char *prefix, char out[static BARCODE_SIZE]);

#endif
