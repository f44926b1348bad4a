/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In the catalog as the settings "sanitize/NAA": "failed", "failed-may-exit" where the initiator
 * allowed EXIT FAILURE MODE, or "format-failed", and the medium in hexadecimal digits.
 */
#include "registry/wipes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "catalog/setting.h"

#define SETTINGS "sanitize/"

/* Of one unit. */
struct wipe {
	struct kept kept;
	uint64_t medium;
	enum lu_wiped is;
};

static const char *const names[] = {
	[LU_WIPE_FAILED] = "failed",
	[LU_WIPE_FAILED_AUSE] = "failed-may-exit",
	[LU_FORMAT_FAILED] = "format-failed",
};

static struct wipe *wipe_new(const uint8_t naa[static 16], uint64_t medium, enum lu_wiped is)
{
	struct wipe *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	kept_init(&w->kept, naa, is == LU_WIPED);
	w->medium = medium;
	w->is = is;
	return w;
}

enum lu_wiped wipes_find(struct wipes *w, const uint8_t naa[static 16], uint64_t medium)
{
	const struct kept *k = kept_set_find(&w->set, naa);
	const struct wipe *found = k ? container_of(k, const struct wipe, kept) : NULL;
	enum lu_wiped is = found && found->medium == medium ? found->is : LU_WIPED;

	kept_unref(k);
	return is;
}

void wipes_forget(struct wipes *w, const uint8_t naa[static 16])
{
	kept_set_forget(&w->set, naa);
}

/* --- to the catalog ------------------------------------------------------------------------- */

struct name {
	char text[sizeof(SETTINGS) + 32];
};

static struct name name_of(const uint8_t naa[static 16])
{
	struct name n;

	snprintf(n.text, sizeof(n.text), SETTINGS "%016llx%016llx", (unsigned long long)be64(naa),
		(unsigned long long)be64(naa + 8));
	return n;
}

int wipes_forget_stored(struct catalog_tx *tx, const uint8_t naa[static 16])
{
	return catalog_setting_remove(tx, name_of(naa).text);
}

static int store(struct catalog_tx *tx, const struct kept *k)
{
	const struct wipe *w = container_of(k, const struct wipe, kept);
	char value[48];

	if (w->is == LU_WIPED)
		return wipes_forget_stored(tx, k->naa);
	snprintf(value, sizeof(value), "%s %016llx", names[w->is], (unsigned long long)w->medium);
	return catalog_setting_put(tx, name_of(k->naa).text, value);
}

static void keep(struct lu_wipe_keeper *keeper, struct lu_keep *asked, const uint8_t naa[static 16],
	uint64_t medium, enum lu_wiped is)
{
	struct wipes *all = container_of(keeper, struct wipes, keeper);
	struct wipe *w = wipe_new(naa, medium, is);

	kept_set_hand_over(&all->set, w ? &w->kept : NULL, asked);
}

struct lu_wipe_keeper *wipes_keeper(struct wipes *w)
{
	return kept_set_loaded(&w->set) ? &w->keeper : NULL;
}

/* --- from the catalog ----------------------------------------------------------------------- */

/* False: it is no unit's name. */
static bool unit_named(const char *name, uint8_t naa[static 16])
{
	const char *digits = name + strlen(SETTINGS);

	if (strlen(digits) != 32)
		return false;
	for (unsigned i = 0; i < 16; i++) {
		int high = hex_digit(digits[2 * i]), low = hex_digit(digits[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		naa[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* What is none of ours is taken for the strictest. */
static enum lu_wiped by_name(const char *name)
{
	enum lu_wiped is = LU_FORMAT_FAILED;

	while (is > LU_WIPE_FAILED && strcmp(name, names[is]))
		is--;
	return is;
}

static void tell(const char *naa, bool format)
{
	log_msg(LOG_WARNING,
		"a %s of the disk naa.%s has failed, or the server ended before it did: while "
		"it is the same file, hosts can do nothing with it but %s it again",
		format ? "FORMAT UNIT" : "SANITIZE", naa, format ? "format" : "sanitize");
}

static int load_row(const char *name, const char *value, void *arg)
{
	unsigned long long medium;
	struct wipe *w;
	uint8_t naa[16];
	char is[16];

	if (!unit_named(name, naa) || sscanf(value, "%15s %llx", is, &medium) != 2)
		return 0;
	w = wipe_new(naa, medium, by_name(is));
	if (!w)
		return -ENOMEM;
	kept_set_put(arg, &w->kept);
	kept_unref(&w->kept);
	tell(name + strlen(SETTINGS), by_name(is) == LU_FORMAT_FAILED);
	return 0;
}

static int load(struct kept_set *s, struct catalog_tx *tx)
{
	return catalog_setting_load(tx, SETTINGS, load_row, s);
}

static const struct kept_kind kind = { .load = load, .store = store };

int wipes_load(struct wipes *w, struct catalog *c, struct catalog_error *why)
{
	w->keeper.keep = keep;
	return kept_set_load(&w->set, &kind, c, why);
}
