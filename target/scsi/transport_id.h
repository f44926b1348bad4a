/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TransportIDs of iSCSI (SPC-5 7.6.4.6): names of initiators, or of their ports, on the wire.
 */
#ifndef SCSI_TRANSPORT_ID_H
#define SCSI_TRANSPORT_ID_H

#include "base/bytes.h"

/* Writes the TransportID of an initiator port ("iqn.…,i,0x00023d000001"). */
void transport_id_write(struct wr *w, const char *port_name);
size_t transport_id_len(const char *port_name);

/* Reads one. The name, lower case, goes to `name` (at least 256 bytes); it has ",i,0x" and an ISID
 * when *port, and is that of a whole device otherwise. False: it is malformed, or of another
 * transport. */
bool transport_id_read(struct rd *r, char *name, bool *port);

#endif
