/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking stock: whether cartridges have their files, and how much is on them. Both may have changed
 * behind the library's back, by an operator with countersignctl. What is found is not written to
 * the catalog: it is looked for again at the next start.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "vtl/library_private.h"

/* Nobody keeps the tapes from being looked at meanwhile: what is found goes in under the lock. */
static void note(struct library *l, const char *barcode, bool missing, const uint64_t *used)
{
	struct inventory_tape *t;

	pthread_mutex_lock(&l->lock);
	t = inventory_find(&l->inv, barcode);
	t->missing = missing;
	if (used && t->row.used != *used) {
		t->row.used = *used;
		l->generation_number++;
	}
	pthread_mutex_unlock(&l->lock);
}

static bool is_in(const char *shelf, const char *barcode)
{
	char path[SHELF_PATH_MAX];

	return shelf_path(shelf, barcode, path, sizeof(path)) && !access(path, F_OK);
}

/* A cartridge without files keeps its place, as somebody may bring them back. */
void library_look_at(struct library *l, const struct inventory_tape *t)
{
	const char *barcode = t->row.barcode;
	const char *shelf = is_in(l->path, barcode)      ? l->path
			    : is_in(l->archive, barcode) ? l->archive
							 : NULL;
	uint64_t used;

	if (!shelf && !t->missing)
		log_msg(LOG_WARNING, "library %s: cartridge %s has no files in %s", l->name,
			barcode, library_shelf(l, &t->row));
	note(l, barcode, !shelf, shelf && !shelf_used(shelf, barcode, &used) ? &used : NULL);
}

/* Those on their way are between two places, and of those in drives the drives know. */
static bool at_rest(const struct inventory_tape *t)
{
	return !t->under_way && t->row.place.kind != CATALOG_IN_DRIVE;
}

static void look_run(struct work *w)
{
	struct library *l = library_of_work(w);
	const char *wanted = l->job.r->barcode;

	for (size_t i = 0; i < l->inv.n; i++) {
		const struct inventory_tape *t = l->inv.tapes[i];

		if (wanted ? !strcmp(wanted, t->row.barcode) && at_rest(t)
			   : at_rest(t) && t->row.place.kind != CATALOG_IN_VAULT)
			library_look_at(l, t);
	}
}

static void look_done(struct work *w)
{
	library_end(library_of_work(w), LIBRARY_OK, 0);
}

void library_look(struct library *l)
{
	const char *wanted = l->job.r->barcode;

	if (wanted && !inventory_find(&l->inv, wanted))
		library_end(l, LIBRARY_NO_TAPE, 0);
	else
		library_work(l, look_run, look_done);
}
