/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text requests in full feature phase (RFC 7143 11.10, 11.11): SendTargets
 * (Appendix C) and what little may be negotiated after login. A long answer is sent
 * in pieces, each asked for with the Target Transfer Tag of the last.
 */
#ifndef ISCSI_TEXT_H
#define ISCSI_TEXT_H

#include <stdint.h>

#include "iscsi/pdu.h"

struct conn;
struct text;

/* A Text Request whose turn has come, with its data segment. NULL; or why the caller is to reject
 * it: any exchange under way is over then. */
const char *text_request(
	struct conn *c, const struct text_req *p, const uint8_t *data, uint32_t len);

/* Forgets an exchange under way. NULL is fine. */
void text_forget(struct text *t);

#endif
