/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Medium auxiliary memory (SPC-4 7.4): which attributes there are, and the store of those that a
 * host has set. What the device and the medium say of themselves is computed in
 * cartridge_attribute.c.
 */
#ifndef VTL_MAM_H
#define VTL_MAM_H

#include "vtl/cartridge.h"

#define MAM_BYTES_MAX 32768u /* the largest memory of any generation */

#define MAM_CHANGE_REFERENCE 0x0009 /* see cartridge_change_told() */

/* What is known of an attribute. */
struct mam_row {
	uint16_t id;
	enum cartridge_attribute_format format;
	uint16_t len;        /* of its value; at most, where `shorter` */
	bool shorter;
	bool per_partition;  /* each partition has its own */
	const char *name;
};

/* The row, or NULL for what is not known. Vendor-specific host attributes (1400h to 17FFh) have one
 * that allows any value of any format. */
const struct mam_row *mam_row(uint16_t id);
/* The first row with this identifier or a higher one, or NULL. */
const struct mam_row *mam_row_from(uint16_t id);

/* Whether the attribute is known and can have a value of that format, which may be any number, and
 * length. */
bool mam_fits(uint16_t id, unsigned int format, size_t len);

/* Whether a host may set it. */
bool mam_of_host(uint16_t id);

/* Host attributes, one behind the other in the order of identifier and partition, as they stand in
 * the label: identifier (2), partition (1), format (1), length (2), zero (2), value. */
struct mam {
	size_t len;
	uint8_t bytes[MAM_BYTES_MAX];
};

#define MAM_HEAD 8u

/* Whether the bytes are what mam_set() leaves; a label's are asked before they are used. */
bool mam_valid(const struct mam *m);

/* The attribute with this identifier or, with `next`, the first that has it or a higher one. False
 * when there is none. */
bool mam_find(const struct mam *m, unsigned int partition, uint16_t id, bool next,
	struct cartridge_attribute *out);

/* Sets one, or removes it with len 0; `room` is the size of the memory. INVALID, PROTECTED, FULL:
 * as cartridge_attribute_set(). The partition has been checked. */
enum cartridge_result mam_set(struct mam *m, size_t room, unsigned int partition, uint16_t id,
	enum cartridge_attribute_format format, const void *value, size_t len);

/* Forgets what belongs to partitions (FORMAT MEDIUM). */
void mam_forget_partitions(struct mam *m);

#endif
