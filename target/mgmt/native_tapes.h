/* SPDX-License-Identifier: BSD-2-Clause */
/* /v1/libraries and /v1/tapes: tape libraries, their drives and cartridges. */
#ifndef MGMT_NATIVE_TAPES_H
#define MGMT_NATIVE_TAPES_H

#include "mgmt/native.h"

void native_get_libraries(struct call *c);
void native_get_library(struct call *c);
void native_change_library(struct call *c);
void native_get_all_drives(struct call *c);
void native_get_drives(struct call *c);
void native_get_drive(struct call *c);
void native_get_library_tapes(struct call *c);
void native_create_tape(struct call *c);
void native_get_tapes(struct call *c);
void native_get_tape(struct call *c);
void native_change_tape(struct call *c);
void native_delete_tape(struct call *c);
void native_move_tape(struct call *c);
void native_unload_tape(struct call *c);
void native_look_at_tape(struct call *c);
void native_archive_tape(struct call *c);
void native_retrieve_tape(struct call *c);
void native_cancel_tape(struct call *c);

#endif
