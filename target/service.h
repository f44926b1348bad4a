/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service manager: what we tell it (sd_notify(3)), and the sockets that it hands over
 * (sd_listen_fds(3)). Without one, all of this does nothing.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <stddef.h>

/* It serves, or serves again after service_reloading(). */
void service_ready(void);
void service_reloading(void);
void service_stopping(void);

/* Sockets that were handed over; whoever takes one sets its place to -1. */
struct service_fds {
	int *fd;
	size_t n;
};

/* Takes them out of the environment. 0, or -errno. Once, before any thread starts. */
int service_take_fds(struct service_fds *out);
/* Closes, with a line in the log, those that nobody took, and frees the list. */
void service_close_fds(struct service_fds *fds);

#endif
