/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tape library that is served: its robot, its drives, and what hosts see of them. Where they come
 * from is the business of registry/libraries.h. Main thread.
 */
#ifndef REGISTRY_LIBRARY_H
#define REGISTRY_LIBRARY_H

#include "scsi/lu.h"
#include "vtl/library.h"

struct served_library;

struct library *served_library_robot(const struct served_library *s);
/* 1 is the first; NULL when there are fewer. */
struct drive *served_library_drive(const struct served_library *s, unsigned n);
const char *served_library_archive(const struct served_library *s); /* its directory */

/* Somebody has put cartridges into mail slots or taken some out: those that have a pool, and are
 * still there a few seconds later, go to the archive. */
void served_library_mail_changed(struct served_library *s);

/* What hosts see of a device: 0 is the changer, the drives follow. Text lives as long as the
 * library. `place` is what its identifier is derived from, and stays for ever. */
struct served_device {
	const char *vendor, *product, *revision, *serial;
	char place[96];
};
void served_library_device(
	const struct served_library *s, unsigned device, struct served_device *out);

struct device_cfg {
	uint8_t naa[16];
	struct lu_keeper *keeper; /* as disk_cfg has them, and what follows */
	const struct lu_reservation *kept;
	void (*gone)(void *arg);
	void *arg;
};
/* A logical unit for a device. It needs the library, so the caller holds it until gone(). 0 and
 * *out with one reference, or -ENOMEM, -EINVAL. */
int served_library_unit(
	struct served_library *s, unsigned device, const struct device_cfg *cfg, struct lu **out);

/* The library is closed when nobody holds it any more. */
void served_library_hold(struct served_library *s);
void served_library_release(struct served_library *s);

#endif
