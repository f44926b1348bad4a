/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iSCSI names (RFC 7143 4.2.7): "iqn.", "eui." and "naa." names, checked and brought into the one
 * form in which they are compared, stored and shown.
 *
 * The stringprep profile of RFC 3722 is applied to ASCII: upper case is mapped to lower case, and
 * what is not a letter, a digit, '-', '.', ':' or (of Windows hosts) '_' is refused. Bytes from
 * 0x80 on must be well-formed UTF-8; they are kept as they came.
 *
 * Pure; any thread.
 */
#ifndef ISCSI_NAME_H
#define ISCSI_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define ISCSI_NAME_MAX 223 /* bytes, 4.2.7.2 */

/* A normalised name, NUL-terminated. */
struct iscsi_name {
	char text[ISCSI_NAME_MAX + 1];
};

/* Checks `len` bytes and writes their normal form. False (and *out untouched) unless it is
 *   iqn.YYYY-MM.REVERSED-DOMAIN[:ANYTHING], month 01 to 12; or
 *   eui. and 16 hexadecimal digits; or
 *   naa. and 16 or 32 hexadecimal digits.
 * A NUL among the bytes is refused like any other control character. */
bool name_parse(const char *text, size_t len, struct iscsi_name *out);

/* Whether two normalised names are the same. */
bool name_equal(const struct iscsi_name *a, const struct iscsi_name *b);

#endif
