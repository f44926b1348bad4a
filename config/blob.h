/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that may hold a secret: they grow without leaving copies behind and are wiped at the end.
 */
#ifndef CONFIG_BLOB_H
#define CONFIG_BLOB_H

#include <stdbool.h>
#include <stddef.h>

#define BLOB_MAX ((size_t)64 << 20) /* of anything that is read for a configuration */

/* Begins as { 0 }. When data is not NULL it is terminated by a NUL beyond len. */
struct blob {
	char *data;
	size_t len;
	size_t room;
};

/* False when out of memory; the blob is as it was. */
bool blob_append(struct blob *b, const char *data, size_t len);

/* Appends a whole file: 0, -EFBIG if the blob would pass BLOB_MAX, or another -errno. */
int blob_read(struct blob *b, int fd);

/* Wipes and frees; the blob is empty. */
void blob_free(struct blob *b);

#endif
