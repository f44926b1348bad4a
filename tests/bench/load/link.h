/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection to a target as long as one PDU is under way at a time: logins, and commands outside
 * of what is measured. Everything blocks, and what goes wrong ends the program.
 */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "iscsi/wire.h"
#include "tests/bench/load/plan.h"

struct link {
	int fd;
	uint32_t cmdsn, expstatsn, maxcmdsn;
	uint16_t tsih;
	/* What was agreed on in login. */
	uint32_t max_send, first_burst;
	bool immediate, initial_r2t;
	bool header_digest, data_digest;
};

/* Connects, with the values that hold before a login. */
void link_open(struct link *l, const struct plan *p);
void link_close(struct link *l);

/* Sends a PDU; the data segment length and ExpStatSN are filled in here. */
void link_send(struct link *l, uint8_t bhs[static BHS_SIZE], const void *data, uint32_t len);

/* Receives one, data into at most `size` bytes. Gives their number. Pings are answered in between. */
uint32_t link_recv(struct link *l, uint8_t bhs[static BHS_SIZE], void *data, uint32_t size);

/* One command that reads `want` bytes (0: none). Gives its status. */
uint8_t link_command(
	struct link *l, uint8_t lun, const uint8_t cdb[static 16], uint32_t want, void *data);

/* TEST UNIT READY until unit attentions are over, and READ CAPACITY(16). */
void link_capacity(struct link *l, uint8_t lun, uint64_t *blocks, uint32_t *block_size);

/* Fills in what a NOP-Out in answer to a ping has; *bhs is the NOP-In and becomes the NOP-Out. False:
 * it wants no answer. */
bool link_pong(const struct link *l, uint8_t bhs[static BHS_SIZE]);

/* Takes the numbers of a PDU that carries a status. */
static inline void link_status(struct link *l, const uint8_t *bhs)
{
	l->expstatsn = be32(bhs + 24) + 1;
	l->maxcmdsn = be32(bhs + 32);
}

#endif
