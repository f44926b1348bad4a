/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of the configuration as lines for people: see registry/reload.h. */
#include "registry/reload.h"

#include <stdio.h>

#include "base/log.h"
#include "config/value.h"

/* A line about a change; gives its level. Hosts see another size at once: a smaller one is seldom
 * what was meant. */
static int size_change(const struct config_change *c, char *text, size_t room)
{
	uint64_t was = c->old_lun->unit->size, is = c->new_lun->unit->size;
	char before[VALUE_SIZE_TEXT], after[VALUE_SIZE_TEXT];

	if (!was || !is) {
		snprintf(text, room, "LUN resized: %u of %s", c->new_lun->lun, c->new_target->name);
		return LOG_NOTICE;
	}
	snprintf(text, room, "LUN %s: %u of %s, from %s to %s", is < was ? "shrunk" : "grown",
		c->new_lun->lun, c->new_target->name, value_size_text(was, before),
		value_size_text(is, after));
	return is < was ? LOG_WARNING : LOG_NOTICE;
}

/* A line about any other change; gives its level. */
static int change_text(const struct config_change *c, char *text, size_t room)
{
	const char *what = config_change_text(c->kind);
	const struct config_target *t = c->new_target ? c->new_target : c->old_target;
	const struct config_lun *lun = c->new_lun ? c->new_lun : c->old_lun;
	const struct config_portal *p = c->new_portal ? c->new_portal : c->old_portal;
	const struct config_library *l = c->new_library ? c->new_library : c->old_library;

	if (c->kind == CONFIG_RESTART)
		snprintf(text, room, "%s: takes effect at the next start", c->setting);
	else if (*c->setting)
		snprintf(text, room, "%s: %s", what, c->setting);
	else if (lun)
		snprintf(text, room, "%s: %u of %s", what, lun->lun, t->name);
	else if (t)
		snprintf(text, room, "%s: %s", what, t->name);
	else if (p)
		snprintf(text, room, "%s: %s port %u", what, p->address, p->port);
	else
		snprintf(text, room, "%s: %s", what, l ? l->name : "discovery");
	if (c->kind == CONFIG_RESTART)
		return LOG_WARNING;
	return *c->setting ? LOG_INFO : LOG_NOTICE;
}

void reload_say(
	const struct config_changes *changes, void (*say)(void *arg, const char *change), void *arg)
{
	for (size_t i = 0; i < changes->n; i++) {
		char text[512];
		const struct config_change *c = &changes->v[i];
		int level = c->kind == CONFIG_LUN_RESIZED ? size_change(c, text, sizeof(text))
							  : change_text(c, text, sizeof(text));

		log_msg(level, "reload: %s", text);
		if (say)
			say(arg, text);
	}
}
