/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A registry that serves: with a catalog, reactor threads and ports of this machine. To be included
 * after cmocka.h.
 */
#ifndef TESTS_REGISTRY_SERVER_H
#define TESTS_REGISTRY_SERVER_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "registry/registry.h"
#include "registry_support.h"

struct fixture {
	struct place place;
	struct state_dir *state;
	struct registry *r;        /* NULL after fixture_stop() */
	unsigned port, other_port; /* were free a moment ago */
	unsigned done, closed;     /* how often what was asked for has been told */
};

/* Counts in an unsigned how often it is called. */
static inline void tell(void *arg)
{
	++*(unsigned *)arg;
}

static inline void find_ports(struct fixture *f)
{
	unsigned *out[] = { &f->port, &f->other_port };
	int fd[2];

	for (int i = 0; i < 2; i++) {
		struct sockaddr_in at = { .sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		socklen_t len = sizeof(at);

		fd[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(bind(fd[i], (const struct sockaddr *)&at, len), 0);
		assert_int_equal(getsockname(fd[i], (struct sockaddr *)&at, &len), 0);
		*out[i] = ntohs(at.sin_port);
	}
	close(fd[0]);
	close(fd[1]);
}

static inline void fixture_open(struct fixture *f)
{
	struct state_error why;

	assert_int_equal(state_dir_open(in(&f->place, "state"), NULL, &f->state, &why), 0);
	assert_int_equal(registry_create(f->place.loop, &f->r), 0);
}

/* Also after fixture_stop(). The configuration is the registry's from here on. */
static inline void fixture_start(struct fixture *f, struct config *cfg)
{
	if (!f->r)
		fixture_open(f);
	must(&f->place, registry_bind(f->r, cfg, NULL, 0, &f->place.faults));
	must(&f->place, registry_start(f->r, cfg, f->state, &f->place.faults));
}

/* Also one that was not started. */
static inline void fixture_stop(struct fixture *f)
{
	unsigned stopped = 0;

	if (registry_config(f->r)) {
		must(&f->place, registry_stop(f->r, 0, tell, &stopped));
		wait_for(&f->place, &stopped, 1);
	}
	registry_free(f->r);
	state_dir_close(f->state);
	f->r = NULL;
	f->state = NULL;
}

/* For cmocka: open, and not started. */
static inline int fixture_begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || place_begin(&f->place))
		return -1;
	*state = f;
	find_ports(f);
	fixture_open(f);
	return 0;
}

static inline int fixture_end(void **state)
{
	struct fixture *f = *state;
	int err;

	if (f->r)
		fixture_stop(f);
	err = place_end(&f->place);
	free(f);
	return err;
}

#endif
