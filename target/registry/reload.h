/* SPDX-License-Identifier: BSD-2-Clause */
/* What a reload has changed, told to whoever keeps the log and to whoever asked for it. */
#ifndef REGISTRY_RELOAD_H
#define REGISTRY_RELOAD_H

#include "config/diff.h"

/* Logs a line for each change, and gives it to say(arg), which may be NULL. Both configurations that
 * the changes come from must still be there. */
void reload_say(const struct config_changes *changes, void (*say)(void *arg, const char *change),
	void *arg);

#endif
