/* SPDX-License-Identifier: BSD-2-Clause */
/* Graces that were seen, by their rows. There are few at a time. */
#include "registry/grace.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

struct grace {
	struct grace *next;
	int64_t until; /* by the clock on the wall */
	int64_t end;   /* by grace_now() */
	enum credential_scope scope;
	const char *initiator; /* in names */
	char names[];          /* of the scope, and behind it of the initiator */
};

int64_t grace_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec;
}

static int64_t wall_left(const struct credential_spec *row)
{
	int64_t now = (int64_t)time(NULL);

	return row->old_until > now ? row->old_until - now : 0;
}

/* Where the row's is linked, or the end. */
static struct grace **place_of(struct grace **at, const struct credential_spec *row)
{
	while (*at && ((*at)->scope != row->scope || strcmp((*at)->names, row->scope_name) != 0 ||
			      strcasecmp((*at)->initiator, row->initiator) != 0))
		at = &(*at)->next;
	return at;
}

static void drop(struct grace **at)
{
	struct grace *g = *at;

	*at = g->next;
	free(g);
}

void grace_forget(struct graces_seen *seen, const struct credential_spec *row)
{
	struct grace **at = place_of(&seen->first, row);

	if (*at)
		drop(at);
}

void grace_forget_all(struct graces_seen *seen)
{
	while (seen->first)
		drop(&seen->first);
}

static struct grace *grace_new(const struct credential_spec *row)
{
	size_t scope = strlen(row->scope_name) + 1, initiator = strlen(row->initiator) + 1;
	struct grace *g = malloc(sizeof(*g) + scope + initiator);

	if (!g)
		return NULL;
	*g = (struct grace){
		.until = row->old_until,
		.end = grace_now() + wall_left(row),
		.scope = row->scope,
		.initiator = g->names + scope,
	};
	memcpy(g->names, row->scope_name, scope);
	memcpy(g->names + scope, row->initiator, initiator);
	return g;
}

void grace_see(struct graces_seen *seen, const struct credential_spec *row)
{
	struct grace **at = place_of(&seen->first, row), *g;

	if (*at && row->old_secret.bytes && (*at)->until == row->old_until)
		return;
	if (*at)
		drop(at);
	if (!row->old_secret.bytes)
		return;
	g = grace_new(row);
	if (!g)
		return;
	g->next = seen->first;
	seen->first = g;
}

int64_t grace_left(const struct graces_seen *seen, const struct credential_spec *row)
{
	struct grace *first = seen->first;
	const struct grace *g = *place_of(&first, row);
	int64_t wall = wall_left(row), now = grace_now();

	if (!g || g->until != row->old_until || g->end - now > wall)
		return wall;
	return g->end > now ? g->end - now : 0;
}
