/* SPDX-License-Identifier: BSD-2-Clause */
/* The service manager, by libsystemd. */
#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/addr.h"

void service_ready(void)
{
	sd_notify(0, "READY=1");
}

/* Type=notify-reload wants to know when the reload began, in microseconds (systemd.service(5)). */
void service_reloading(void)
{
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		(unsigned long long)clock_ns(CLOCK_MONOTONIC) / 1000);
}

void service_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

int service_take_fds(struct service_fds *out)
{
	int n = sd_listen_fds(1);
	int *fd;

	*out = (struct service_fds){ 0 };
	if (n <= 0)
		return n;
	fd = calloc((size_t)n, sizeof(*fd));
	if (!fd)
		return -ENOMEM;
	for (int i = 0; i < n; i++)
		fd[i] = SD_LISTEN_FDS_START + i;
	*out = (struct service_fds){ .fd = fd, .n = (size_t)n };
	return 0;
}

void service_close_fds(struct service_fds *fds)
{
	for (size_t i = 0; i < fds->n; i++) {
		struct addr at;
		struct addr_text t;

		if (fds->fd[i] < 0)
			continue;
		addr_local(&at, fds->fd[i]);
		log_msg(LOG_WARNING,
			"a socket that was passed in (%s) fits no portal of the "
			"configuration; closed",
			addr_text(&at, &t));
		close(fds->fd[i]);
	}
	free(fds->fd);
	*fds = (struct service_fds){ 0 };
}
