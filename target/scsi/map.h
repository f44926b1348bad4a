/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What only this folder asks a LUN map.
 */
#ifndef SCSI_MAP_H
#define SCSI_MAP_H

#include <stdint.h>

#include "scsi/lu.h"

/* The index of a LUN among the entries, or -1. */
int lun_map_find(const struct lun_map *m, uint32_t lun);

#endif
