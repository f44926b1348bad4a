/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes that may hold a secret: see blob.h. */
#include "config/blob.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* realloc() would leave the old bytes where they were. */
static bool reserve(struct blob *b, size_t more)
{
	size_t room = b->room ? b->room : 64;
	char *data;

	while (room - b->len <= more)
		room *= 2;
	if (room == b->room)
		return true;
	data = malloc(room);
	if (!data)
		return false;
	if (b->data) {
		memcpy(data, b->data, b->len + 1);
		explicit_bzero(b->data, b->room);
		free(b->data);
	}
	b->data = data;
	b->room = room;
	return true;
}

bool blob_append(struct blob *b, const char *data, size_t len)
{
	if (!reserve(b, len))
		return false;
	memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return true;
}

int blob_read(struct blob *b, int fd)
{
	for (;;) {
		size_t want = 64 * 1024;
		ssize_t got;

		if (!reserve(b, want))
			return -ENOMEM;
		got = read(fd, b->data + b->len, want);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		b->len += (size_t)got;
		b->data[b->len] = '\0';
		if (got == 0)
			return 0;
		if (b->len > BLOB_MAX)
			return -EFBIG;
	}
}

void blob_free(struct blob *b)
{
	if (b->data)
		explicit_bzero(b->data, b->room);
	free(b->data);
	*b = (struct blob){ 0 };
}
