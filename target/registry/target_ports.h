/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Target ports, and their relative target port identifiers. A port is a target in a portal group;
 * its number is what persistent reservations know it by. So no two ports have the same, as a unit
 * may stand behind several targets, and a port that has a number keeps it: over reloads, restarts,
 * and while its target is not in the configuration.
 *
 * Main thread.
 */
#ifndef REGISTRY_TARGET_PORTS_H
#define REGISTRY_TARGET_PORTS_H

#include "catalog/catalog.h"
#include "config/config.h"

/* The portal groups that show a target, ascending: *n of them in an array that the caller frees.
 * NULL: no memory. */
uint16_t *target_groups(const struct config *cfg, const struct config_target *t, unsigned *n);

struct target_ports;

/* Reads what the catalog has, which must live as long as numbers are given; `home` is where it
 * tells how that went. 0 and *out, or -errno with *why filled. Blocks. */
int target_ports_load(
	struct catalog *c, struct loop *home, struct target_ports **out, struct catalog_error *why);
void target_ports_free(struct target_ports *tp); /* NULL is fine */

/*
 * Gives every port of cfg's targets a number that has none. It is on its way to the catalog when
 * this returns, in front of whatever is handed to the catalog later: what is kept there never names
 * a number that could be another port's after a restart. When all 65,535 are given, those of ports
 * that the configuration has no more are taken back. 0 or -ENOMEM.
 */
int target_ports_assign(struct target_ports *tp, const struct config *cfg);

/* The number of a port. One that has none, as there are too many or tp is NULL, has its group's. */
uint16_t target_ports_find(const struct target_ports *tp, const char *target, uint16_t group);

#endif
