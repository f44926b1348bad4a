/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output of a connection: a queue of things to say, turned into PDUs when there is
 * room for them, and sent many at a time with one sendmsg().
 *
 * Items are asked to write themselves into a batch, which belongs to the reactor and
 * is reused for every connection, so an idle connection holds no output memory. What
 * the socket does not take at once is copied (headers) or stays where it lies (data)
 * until it does; items end when their last byte is in the socket's hands.
 */
#ifndef ISCSI_TX_H
#define ISCSI_TX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/list.h"
#include "base/loop.h"

struct conn;
struct tx_batch;
struct tx_item;

struct tx_ops {
	/* Writes (the rest of) the item into the batch: true when all of it is there, false when
	 * the batch is full (it is called again with the next one). */
	bool (*emit)(struct tx_item *it, struct conn *c, struct tx_batch *b);
	/* All of it was sent, or the connection has ended. Frees the item. NULL: nobody asks, and
	 * the item may be queued again as soon as it was emitted. */
	void (*over)(struct tx_item *it, struct conn *c);
};

struct tx_item {
	struct list link;
	const struct tx_ops *ops;
};

struct tx {
	struct list queue;    /* items not yet, or not wholly, in a batch */
	struct tx_rest *rest; /* what the socket did not take; goes out first */
	unsigned small;       /* items that no command window bounds, by weight */
};

void tx_init(struct tx *tx);
/* Ends every item; nothing is sent any more. */
void tx_drop(struct conn *c);

/* Queues an item; it leaves with the flush at the end of this round at the latest. */
void tx_push(struct conn *c, struct tx_item *it);
/* Sends what there is, as far as the socket takes it. False: the connection is broken (the
 * caller closes it). */
bool tx_flush(struct conn *c);
bool tx_idle(const struct conn *c);

/* --- for emitters ------------------------------------------------------------------------ */

/* PDUs and pieces of one batch. */
#define TX_PDUS   192
#define TX_PIECES (4 * TX_PDUS)

/* Room in the batch for one more PDU with so many pieces of data? */
bool tx_room(const struct tx_batch *b, unsigned pieces);
/* Begins a PDU: 48 bytes to be filled in by the caller, all of them. */
uint8_t *tx_bhs(struct tx_batch *b);
/* Adds a piece of its data segment; the memory must stay until over(). */
void tx_data(struct tx_batch *b, const void *p, size_t n);
/* Ends the PDU: header digest, padding, data digest, as the connection has them. The data
 * segment length in the BHS is written here. */
void tx_end(struct tx_batch *b, struct conn *c);

/* One batch for each reactor. NULL when memory is out. */
struct tx_batch *tx_batch_new(void);
void tx_batch_free(struct tx_batch *b);

/* --- small PDUs --------------------------------------------------------------------------- */

/* A PDU of its own: NOP-In, Reject, Text, Logout and Task Management Responses, Async Message,
 * Login Response. `data` follows the struct and has `len` bytes. StatSN, ExpCmdSN and MaxCmdSN are
 * written when it leaves. */
struct tx_pdu {
	struct tx_item item;
	bool takes_statsn; /* StatSN is this PDU's own, and counts on */
	uint32_t len;
	/* Optional: once it is out, or the connection has ended (c->phase is CONN_CLOSING then). */
	void (*after)(struct conn *c, void *arg);
	void *arg;
	uint8_t bhs[48];
	uint8_t data[];
};

/* Zeroed BHS, room for len bytes of data; NULL when memory is out. */
struct tx_pdu *tx_pdu_new(uint32_t len);
void tx_pdu_send(struct conn *c, struct tx_pdu *p);

#endif
