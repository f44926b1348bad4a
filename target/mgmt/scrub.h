/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is overwritten before it is given back. Requests and answers hold secrets, and the
 * libraries that take them apart (libevent, jansson) copy and free them where we do not see it. With
 * this no secret stays behind in freed memory, and so in none that a core dump would show.
 */
#ifndef MGMT_SCRUB_H
#define MGMT_SCRUB_H

/* Gives both libraries an allocator that scrubs. Before any other use of them, and once. */
void scrub_libraries(void);

/* For text that jansson has made: overwrites and frees. NULL is fine. */
void scrub_free(void *p);

#endif
