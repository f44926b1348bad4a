/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What differs between two configurations, as a list of things to do: the running server walks it
 * and leaves alone whatever it does not name.
 */
#ifndef CONFIG_DIFF_H
#define CONFIG_DIFF_H

#include "config/config.h"

/*
 * In the order in which they are listed: what goes comes first, so that what it held (a path, a
 * name, a port) is free for what comes.
 */
enum config_change_kind {
	CONFIG_LUN_REMOVED,     /* old_target, new_target, old_lun */
	CONFIG_TARGET_REMOVED,  /* old_target; its LUNs are not listed one by one */
	CONFIG_LIBRARY_REMOVED, /* old_library */
	CONFIG_PORTAL_REMOVED,  /* old_portal */
	CONFIG_RESTART,         /* setting: no effect before a restart */
	CONFIG_SETTING,         /* setting: a scalar, or all of a list that has no row below */
	CONFIG_PORTAL_ADDED,    /* new_portal */
	CONFIG_PORTAL_CHANGED,  /* both: same address and port, other group or advertised name */
	CONFIG_CREDENTIALS,     /* both targets, or both libraries; all NULL: those of discovery */
	CONFIG_TARGET_CHANGED, /* both targets: SVM, or anything of its own but LUNs, credentials */
	CONFIG_TARGET_ADDED,   /* new_target, with all its LUNs */
	CONFIG_LUN_ADDED,      /* both targets, new_lun */
	CONFIG_LUN_RESIZED,    /* both targets and LUNs: another size of the same store, no more */
	CONFIG_LUN_CHANGED,    /* both targets and LUNs: attributes, perhaps size too; same store */
	CONFIG_LUN_REPLACED,   /* both targets and LUNs: another store or block size */
	CONFIG_LIBRARY_CHANGED, /* both libraries; its tapes and credentials aside */
	CONFIG_TAPES,           /* both libraries: another list of tapes */
	CONFIG_LIBRARY_ADDED,   /* new_library */
};

/* Members that a kind does not name are NULL. All is borrowed from the two configurations. */
struct config_change {
	enum config_change_kind kind;
	char setting[64]; /* as "iscsi.nop_interval" */
	const struct config_portal *old_portal, *new_portal;
	const struct config_target *old_target, *new_target;
	const struct config_lun *old_lun, *new_lun;
	const struct config_library *old_library, *new_library;
};

struct config_changes {
	struct config_change *v;
	size_t n;
};

/*
 * 0 and *out to be freed with config_changes_free, or -ENOMEM. Equal configurations give an empty
 * list. Targets and libraries are matched by name, LUNs by number, portals by address and port.
 * A LUN with same_as has changed if its unit has.
 */
int config_diff(
	const struct config *before, const struct config *after, struct config_changes *out);
void config_changes_free(struct config_changes *changes);

/* "target removed", "portal added" ... for a log line. */
const char *config_change_text(enum config_change_kind kind);

#endif
