/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * READ BUFFER and WRITE BUFFER (SPC-5 6.17, 6.49): memory of a unit by which hosts try their way to
 * it. There is one data buffer, for all of them, and an echo buffer, which tells whose it is. There
 * is no microcode to download, and none to be read.
 */
#include "scsi/buffer.h"

#include <stdlib.h>
#include <string.h>

#include "scsi/op.h"
#include "scsi/reply.h"

/* MODE; bits 7 to 5 of the byte belong to modes that there are not. */
enum { COMBINED = 0x00, DATA = 0x02, DESCRIPTOR = 0x03, ECHO = 0x0a, ECHO_DESCRIPTOR = 0x0b };

#define MODE(cdb) ((cdb)[1] & 0x1f)
#define HEADER    4u /* of the combined form: reserved, capacity */
#define CAPACITY  0x10000u
#define ECHO_MAX  0x1000u
#define EBOS      0x01 /* a host learns that another has overwritten the echo buffer */

struct lu_buffer {
	uint8_t data[CAPACITY];
	uint8_t echo[ECHO_MAX];
	uint32_t echoed;          /* bytes of it */
	const struct itl *echoer; /* who wrote them; only compared */
};

/* Under the lock. Made when it is first written. */
static struct lu_buffer *buffer_of(struct lu *lu)
{
	if (!lu->buffer)
		lu->buffer = calloc(1, sizeof(*lu->buffer));
	return lu->buffer;
}

void buffer_free(struct lu *lu)
{
	free(lu->buffer);
	lu->buffer = NULL;
}

/* --- READ BUFFER ----------------------------------------------------------------------------- */

/* The data buffer from an offset; what nobody has written is zero. */
static enum scsi_next read_data(struct scsi_task *t, uint32_t offset, uint32_t alloc)
{
	bool combined = MODE(t->cdb) == COMBINED;
	struct lu *lu = t->itl->lu;
	struct wr w;

	if (!reply_open(t, &w, HEADER + CAPACITY))
		return SCSI_DONE;
	if (combined)
		wr_be32(&w, CAPACITY);
	pthread_mutex_lock(&lu->lock);
	if (lu->buffer)
		wr_bytes(&w, lu->buffer->data + offset, CAPACITY - offset);
	else
		wr_zero(&w, CAPACITY - offset);
	pthread_mutex_unlock(&lu->lock);
	return reply_close(t, &w, alloc);
}

/* COMMAND SEQUENCE ERROR for who has written none; ECHO BUFFER OVERWRITTEN. */
static enum scsi_next read_echo(struct scsi_task *t, uint32_t alloc)
{
	struct lu *lu = t->itl->lu;
	bool mine = false;
	struct wr w;

	if (!t->itl->echoes)
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_COMMAND_SEQUENCE_ERROR);
	if (!reply_open(t, &w, ECHO_MAX))
		return SCSI_DONE;
	pthread_mutex_lock(&lu->lock);
	if (lu->buffer && lu->buffer->echoer == t->itl) {
		wr_bytes(&w, lu->buffer->echo, lu->buffer->echoed);
		mine = true;
	}
	pthread_mutex_unlock(&lu->lock);
	return mine ? reply_close(t, &w, alloc)
		    : task_check(t, SENSE_ABORTED_COMMAND, ASC_ECHO_BUFFER_OVERWRITTEN);
}

/* Of buffers that there are not, all is zero. Offsets may be any. */
static enum scsi_next read_descriptor(struct scsi_task *t, uint32_t alloc)
{
	uint8_t descriptor[4] = { 0 };

	if (!t->cdb[2])
		put_be24(descriptor + 1, CAPACITY);
	return reply_bytes(t, descriptor, sizeof(descriptor), alloc);
}

static enum scsi_next read_echo_descriptor(struct scsi_task *t, uint32_t alloc)
{
	uint8_t descriptor[4] = { EBOS };

	put_be16(descriptor + 2, ECHO_MAX);
	return reply_bytes(t, descriptor, sizeof(descriptor), alloc);
}

static enum scsi_next read_buffer(struct scsi_task *t)
{
	uint32_t offset = be24(t->cdb + 3), alloc = be24(t->cdb + 6);

	switch (MODE(t->cdb)) {
	case COMBINED: return read_data(t, 0, alloc);
	case DATA:
		if (t->cdb[2])
			return task_bad_cdb(t, 2, -1);
		if (offset > CAPACITY)
			return task_bad_cdb(t, 3, -1);
		return read_data(t, offset, alloc);
	case DESCRIPTOR: return read_descriptor(t, alloc);
	case ECHO: return read_echo(t, alloc);
	case ECHO_DESCRIPTOR: return read_echo_descriptor(t, alloc);
	default: return task_bad_cdb(t, 1, 4);
	}
}

/* --- WRITE BUFFER ---------------------------------------------------------------------------- */

/* Microcode, by whichever of its modes, is refused as any mode that there is not. */
static enum scsi_next write_buffer(struct scsi_task *t)
{
	uint32_t offset = be24(t->cdb + 3), len = be24(t->cdb + 6), room;

	switch (MODE(t->cdb)) {
	case COMBINED: room = HEADER + CAPACITY; break;
	case DATA:
		if (t->cdb[2])
			return task_bad_cdb(t, 2, -1);
		if (offset > CAPACITY)
			return task_bad_cdb(t, 3, -1);
		room = CAPACITY - offset;
		break;
	case ECHO: room = ECHO_MAX; break;
	default: return task_bad_cdb(t, 1, 4);
	}
	if (len > room)
		return task_bad_cdb(t, 6, -1);
	return len ? list_wanted(t, len) : task_good(t);
}

/* Under the lock. */
static void keep(struct scsi_task *t, struct lu_buffer *b)
{
	const uint8_t *from = t->buf;

	switch (MODE(t->cdb)) {
	case COMBINED:
		if (t->got > HEADER)
			memcpy(b->data, from + HEADER, t->got - HEADER);
		break;
	case DATA: memcpy(b->data + be24(t->cdb + 3), from, t->got); break;
	default:
		memcpy(b->echo, from, t->got);
		b->echoed = t->got;
		b->echoer = t->itl;
		t->itl->echoes = true;
	}
}

static enum scsi_next write_buffer_data(struct scsi_task *t)
{
	struct lu *lu = t->itl->lu;
	struct lu_buffer *b;

	if (t->got < be24(t->cdb + 6))
		return task_list_too_short(t);
	pthread_mutex_lock(&lu->lock);
	b = buffer_of(lu);
	if (b)
		keep(t, b);
	pthread_mutex_unlock(&lu->lock);
	return b ? task_good(t) : task_status(t, SCSI_BUSY);
}

// clang-format off
const struct scsi_op buffer_ops[] = {
	{ 0x3b, NO_SERVICE, .name = "WRITE BUFFER", .start = write_buffer,
	  .data = write_buffer_data, .stops = STOPS_CHANGE,
	  .usage = { 0x3b, 0x1f, 0xff, 0xff, FF4, 0xff, 0x04 } },
	{ 0x3c, NO_SERVICE, .name = "READ BUFFER", .start = read_buffer, .stops = STOPS_CHANGE,
	  .usage = { 0x3c, 0x1f, 0xff, 0xff, FF4, 0xff, 0x04 } },
	{ .name = NULL },
};
// clang-format on
