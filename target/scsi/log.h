/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log pages (SPC-5 7.3): what LOG SENSE of all units, and LOG SELECT of drives and changers, share.
 */
#ifndef SCSI_LOG_H
#define SCSI_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "scsi/task.h"

/* --- parameters ----------------------------------------------------------------------------- */

/* FORMAT AND LINKING of the control byte: a number or list in binary; a list in ASCII. */
#define LOG_BINARY 0x03
#define LOG_ASCII  0x01

/* The head of a parameter whose value has `len` bytes. */
void log_param(struct wr *w, uint16_t code, uint8_t control, size_t len);
/* A number of 1…8 bytes; one that does not fit is the highest that does. */
void log_number(struct wr *w, uint16_t code, uint64_t v, unsigned len);
/* Text of at most `width` (1…32) bytes, padded with spaces. */
void log_text(struct wr *w, uint16_t code, const char *text, size_t width);

/* --- LOG SENSE (SPC-5 6.8) ------------------------------------------------------------------ */

/* The page that a CDB of either command is about, and its subpage. */
#define LOG_PAGE(cdb)    ((uint8_t)((cdb)[2] & 0x3f))
#define LOG_SUBPAGE(cdb) ((cdb)[3])
#define LOG_SUBPAGES     0xff /* of page 00h: the list of pages with their subpages */

/* Whether the page is among `n` codes, which are in ascending order, and the rest of the CDB is
 * what units do that save nothing and count all their parameters. False: the task has its
 * status. */
bool log_asked(struct scsi_task *t, const uint8_t *codes, size_t n);
/* The list of pages, in either form: a whole page 00h without its header. */
void log_list(struct wr *w, const uint8_t *codes, size_t n, uint8_t subpage);
/* The header of the page; log_close() fills in its length, leaves out what comes before the
 * PARAMETER POINTER, and cuts to the allocation length. */
void log_open(struct wr *w, const uint8_t *cdb);
enum scsi_next log_close(struct scsi_task *t, struct wr *w);

/* --- LOG SELECT (SPC-5 6.7) ----------------------------------------------------------------- */

/* Whether the CDB is one that resets, or leaves as they are, parameters of one of the pages (or, by
 * page 00h, of all that can be reset). Lists of values are refused: counters can be set to zero,
 * and to nothing else. False: the task has its status. */
bool log_select(struct scsi_task *t, const uint8_t *codes, size_t n);
/* Whether it resets any. */
bool log_resets(const uint8_t *cdb);

#endif
