/* SPDX-License-Identifier: BSD-2-Clause */
/* Full feature phase: what the PDUs of a logged-in connection mean (RFC 7143 section 11). */
#ifndef ISCSI_FULL_H
#define ISCSI_FULL_H

#include <stdint.h>

struct conn;

/* A header has come (c->bhs; `ahs` lies behind it for this call): decides where its data go, and
 * starts what can be started. */
void full_begin(struct conn *c, const uint8_t *ahs);

/* The PDU has come whole. */
void full_end(struct conn *c);

/* Asks the session to log out within so many seconds (Async Message 1). */
void full_ask_logout(struct conn *c, uint16_t seconds);

#endif
