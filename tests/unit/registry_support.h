/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the registry share: a folder that is gone after the test, a loop driven by
 * hand, and configurations from a string. To be included after cmocka.h.
 */
#ifndef TESTS_REGISTRY_SUPPORT_H
#define TESTS_REGISTRY_SUPPORT_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "config/load.h"

#define HEAD "state_dir = \"state\"; portals = ( { address = \"127.0.0.1\"; port = 3260; } );\n"

struct place {
	char folder[32];
	struct loop *loop;
	struct faults faults;
};

static inline int place_begin(struct place *p)
{
	strcpy(p->folder, "/tmp/registry-XXXXXX");
	return mkdtemp(p->folder) && !loop_create(0, &p->loop) ? 0 : -1;
}

static inline int place_end(struct place *p)
{
	char command[64];

	faults_free(&p->faults);
	loop_free(p->loop);
	snprintf(command, sizeof(command), "rm -rf %s", p->folder);
	return system(command);
}

/* The path of a name in the folder; valid until the next call. */
static inline const char *in(const struct place *p, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", p->folder, name);
	return path;
}

/* A configuration that must be right; paths are relative to the folder. */
static inline struct config *configured(struct place *p, const char *text)
{
	struct config *cfg = NULL;

	if (config_load_string("test.conf", text, p->folder, &cfg, &p->faults)) {
		faults_print(&p->faults, stderr);
		fail();
	}
	return cfg;
}

/* Exactly one fault, on that line, with that text in it; forgets it. */
static inline void assert_fault(struct place *p, int line, const char *text)
{
	if (p->faults.n != 1 || p->faults.v[0].line != line || !strstr(p->faults.v[0].text, text)) {
		faults_print(&p->faults, stderr);
		fail_msg("not one fault in line %d with \"%s\"", line, text);
	}
	faults_free(&p->faults);
}

/* Lets the loop run until *done, or for ten seconds. */
static inline void wait_for(struct place *p, const unsigned *done, unsigned wanted)
{
	for (int i = 0; i < 10000 && *done < wanted; i++)
		if (!loop_step(p->loop))
			poll(NULL, 0, 1);
	assert_int_equal(*done, wanted);
}

static inline void must(const struct place *p, int err)
{
	if (err) {
		faults_print(&p->faults, stderr);
		fail();
	}
}

#endif
