/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What somebody types on a host, and sets there, to log in to a target: texts for people, whose
 * commands work as they stand. What they are made of comes from the server (GET
 * /v1/targets/NAME/connect).
 */
#ifndef CTL_GUIDE_H
#define CTL_GUIDE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* How a login, or discovery, is proved. */
struct guide_proof {
	bool chap;
	bool closed; /* there is none for this initiator: discovery only */
	const char *user;
	const char *secret; /* a word that stands for it where it is not to be shown */
	const char *target_user;
	const char *target_secret; /* NULL: the target does not prove itself */
};

struct guide_portal {
	const char *address;
	unsigned port;
	char text[272]; /* "192.0.2.1:3260", "[2001:db8::1]:3260" */
};

struct guide_lun {
	uint64_t lun;
	const char *kind; /* "disk", "tape", "changer" */
};

#define GUIDE_PORTALS_MAX 16
#define GUIDE_LUNS_MAX    64

/* Texts are borrowed from the answer that it was made of. */
struct guide {
	const char *target;
	const char *initiator; /* NULL: any */
	struct guide_proof login, discovery;
	struct guide_portal portals[GUIDE_PORTALS_MAX];
	size_t n_portals; /* at least one */
	struct guide_lun luns[GUIDE_LUNS_MAX];
	size_t n_luns;
	bool md5;     /* the server takes this digest */
	bool secrets; /* they are shown */
};

/* Fills *g from what the server said. NULL, or what is missing, in a sentence. */
const char *guide_read(struct guide *g, const json_t *answer);

/* The first disk, or LUN 0 where there is none. */
uint64_t guide_disk(const struct guide *g);
/* Whether there is a unit of this kind; a disk is taken to be there where no unit is. */
bool guide_has(const struct guide *g, const char *kind);

/* A kind of host, and the text for it. The table ends with one without a name. */
struct guide_host {
	const char *name;
	void (*print)(const struct guide *g, FILE *to);
};
extern const struct guide_host guide_hosts[];

/* NULL: there is none of this name. */
const struct guide_host *guide_host_find(const char *name);

/* The texts: guide_HOST.c each. */
void guide_linux(const struct guide *g, FILE *to);
void guide_windows(const struct guide *g, FILE *to);
void guide_qemu(const struct guide *g, FILE *to);
void guide_libiscsi(const struct guide *g, FILE *to);
void guide_ipxe(const struct guide *g, FILE *to);
void guide_esxi(const struct guide *g, FILE *to);

#endif
