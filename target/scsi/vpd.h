/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vital product data pages as rows (SPC-5 7.7). A model lists its own behind those that all have.
 */
#ifndef SCSI_VPD_H
#define SCSI_VPD_H

#include <stdint.h>

#include "base/bytes.h"
#include "scsi/unit.h"

struct vpd_page {
	uint8_t code;
	uint8_t needs; /* LU_… : units without that do not have the page */
	void (*write)(struct wr *w, const struct itl *itl); /* what follows the header; NULL ends */
};

/* Room for the longest page: two names of 223 bytes and a few designators; of target ports (88h) 15
 * with the longest names, or some 50 with usual ones. */
#define VPD_MAX 4096

/* Builds a page with its header. False: the unit does not have it. */
bool vpd_write(struct wr *w, const struct itl *itl, uint8_t code);

/* Pages of all models. */
void vpd_serial(struct wr *w, const struct itl *itl);         /* 80h */
void vpd_identification(struct wr *w, const struct itl *itl); /* 83h */
void vpd_extended(struct wr *w, const struct itl *itl);       /* 86h */
void vpd_mode_policy(struct wr *w, const struct itl *itl);    /* 87h */
void vpd_scsi_ports(struct wr *w, const struct itl *itl);     /* 88h */

#endif
