/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Relative target port identifiers (SPC-5 7.7.6.9): the number that a target port, which is a target
 * in a portal group, has once been given. Persistent reservations name ports by it.
 */
#ifndef CATALOG_PORT_H
#define CATALOG_PORT_H

#include "catalog/catalog.h"

struct catalog_port {
	const char *target; /* iSCSI name */
	uint16_t group;     /* target portal group tag */
	uint16_t id;        /* no two ports have the same */
};

/* All: inside a request's run(). */

/* 0, -EEXIST when the port has an identifier or another port has this one, or -errno. */
int catalog_port_add(struct catalog_tx *tx, const struct catalog_port *p);
/* Takes an identifier back. 0 also when no port has it, or -errno. */
int catalog_port_remove(struct catalog_tx *tx, uint16_t id);
/* Calls row() for each port until it gives another value than 0, which is then what this gives. */
int catalog_port_load(
	struct catalog_tx *tx, int (*row)(const struct catalog_port *p, void *arg), void *arg);

#endif
