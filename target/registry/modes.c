/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A unit hands over one change at a time; what is in memory follows when the catalog has it, before
 * the unit learns.
 */
#include "registry/modes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/mode.h"

/* What one unit has saved. */
struct saved {
	struct kept kept;
	struct lu_saved is;
};

static struct saved *saved_new(const uint8_t naa[static 16], const struct lu_saved *is)
{
	struct saved *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	kept_init(&s->kept, naa, !is->n);
	s->is = *is;
	return s;
}

bool modes_find(struct modes *m, const uint8_t naa[static 16], struct lu_saved *out)
{
	const struct kept *k = kept_set_find(&m->set, naa);

	if (!k)
		return false;
	*out = container_of(k, const struct saved, kept)->is;
	kept_unref(k);
	return true;
}

void modes_forget(struct modes *m, const uint8_t naa[static 16])
{
	kept_set_forget(&m->set, naa);
}

/* --- to the catalog ------------------------------------------------------------------------- */

int modes_forget_stored(struct catalog_tx *tx, const uint8_t naa[static 16])
{
	return catalog_mode_put(tx, naa, NULL, 0);
}

static int store(struct catalog_tx *tx, const struct kept *k)
{
	const struct lu_saved *is = &container_of(k, const struct saved, kept)->is;
	struct catalog_mode_page rows[LU_SAVED_PAGES];

	for (unsigned i = 0; i < is->n; i++) {
		const struct lu_saved_page *p = &is->pages[i];

		rows[i] = (struct catalog_mode_page){ .page = p->code,
			.subpage = p->subpage,
			.mask = p->mask,
			.value = p->value,
			.len = p->len };
	}
	return catalog_mode_put(tx, k->naa, rows, is->n);
}

static void keep(struct lu_mode_keeper *keeper, struct lu_keep *asked, const uint8_t naa[static 16],
	const struct lu_saved *is)
{
	struct modes *m = container_of(keeper, struct modes, keeper);
	struct saved *s = saved_new(naa, is);

	kept_set_hand_over(&m->set, s ? &s->kept : NULL, asked);
}

struct lu_mode_keeper *modes_keeper(struct modes *m)
{
	return kept_set_loaded(&m->set) ? &m->keeper : NULL;
}

/* --- from the catalog ----------------------------------------------------------------------- */

/* Adds a page to those that a unit has saved; false: no memory. Nobody else looks yet. */
static bool add_page(struct kept_set *set, const uint8_t *unit, const struct lu_saved_page *page)
{
	struct kept *k = kept_set_find(set, unit);
	struct saved *s = k ? container_of(k, struct saved, kept) : NULL;

	if (!s) {
		s = saved_new(unit, &(struct lu_saved){ .n = 1, .pages = { *page } });
		if (!s)
			return false;
		kept_set_put(set, &s->kept);
	} else if (s->is.n < LU_SAVED_PAGES) {
		s->is.pages[s->is.n++] = *page;
	}
	kept_unref(&s->kept);
	return true;
}

/* Pages that no unit can have are of a newer server, or somebody has written in the database. */
static int load_row(const uint8_t *unit, const struct catalog_mode_page *row, void *arg)
{
	struct lu_saved_page page = { .code = row->page, .subpage = row->subpage };

	if (row->len > LU_MODE_PAGE_SIZE)
		return 0;
	page.len = (uint8_t)row->len;
	memcpy(page.mask, row->mask, row->len);
	memcpy(page.value, row->value, row->len);
	return add_page(arg, unit, &page) ? 0 : -ENOMEM;
}

static int load(struct kept_set *s, struct catalog_tx *tx)
{
	return catalog_mode_load(tx, load_row, s);
}

static const struct kept_kind kind = { .load = load, .store = store };

int modes_load(struct modes *m, struct catalog *c, struct catalog_error *why)
{
	m->keeper.keep = keep;
	return kept_set_load(&m->set, &kind, c, why);
}
