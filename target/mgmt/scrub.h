/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests and answers hold secrets, in memory of libevent and jansson. */
#ifndef MGMT_SCRUB_H
#define MGMT_SCRUB_H

/* Gives both libraries the allocator of base/scrub.h. Before any other use of them, and once. */
void scrub_libraries(void);

#endif
