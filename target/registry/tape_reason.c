/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a change of a cartridge was refused. */
#include "registry/tape_reason.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vtl/barcode.h"
#include "vtl/library.h"

struct reason {
	const struct registry *r;
	const struct registry_tape_change *what;
	const char *library;
	enum registry_tape_result result;
	char *text;
};

static void say(struct reason *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct reason *to, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(to->text, TAPE_REASON_SIZE, fmt, ap);
	va_end(ap);
}

/* --- about the cartridge -------------------------------------------------------------------- */

struct words {
	char text[64];
};

/* "in slot 3", "in the archive", "on its way to the archive". */
static const char *whereabouts(const struct registry_tape *t, struct words *out)
{
	if (!strcmp(t->state, "ARCHIVING"))
		snprintf(out->text, sizeof(out->text), "on its way to the archive");
	else if (!strcmp(t->state, "RETRIEVING"))
		snprintf(out->text, sizeof(out->text), "on its way from the archive");
	else if (t->place.kind == REGISTRY_IN_ARCHIVE)
		snprintf(out->text, sizeof(out->text), "in the archive");
	else
		snprintf(out->text, sizeof(out->text), "in %s %u",
			registry_place_text(t->place.kind), t->place.number);
	return out->text;
}

static void about_tape(void *arg, const struct registry_tape *t)
{
	struct reason *to = arg;
	struct words where;

	whereabouts(t, &where);
	switch (to->result) {
	case TAPE_EXISTS:
		say(to, "cartridge %s is there already: %s of library %s", t->barcode, where.text,
			t->library);
		break;
	case TAPE_PREVENTED:
		say(to, "a host prevents drive %u of library %s from giving cartridge %s away",
			t->place.number, t->library, t->barcode);
		break;
	case TAPE_NOT_LOADED:
		say(to, "cartridge %s is in no drive, but %s", t->barcode, where.text);
		break;
	case TAPE_NOT_ARCHIVED:
		say(to, "cartridge %s is not in the archive, but %s", t->barcode, where.text);
		break;
	case TAPE_SETTLED:
		say(to, "cartridge %s is not on its way to or from the archive, but %s", t->barcode,
			where.text);
		break;
	case TAPE_MOVED:
		say(to, "cartridge %s has been moved meanwhile: it is %s", t->barcode, where.text);
		break;
	case TAPE_IN_DRIVE:
	case TAPE_ARCHIVED: say(to, "cartridge %s is %s", t->barcode, where.text); break;
	default: break;
	}
}

/* --- about the place ------------------------------------------------------------------------ */

static void about_library(void *arg, const struct registry_library *l)
{
	struct reason *to = arg;
	enum registry_place_kind kind = to->what->place.kind;
	unsigned n = kind == REGISTRY_IN_SLOT        ? l->slots
		     : kind == REGISTRY_IN_MAIL_SLOT ? l->mail_slots
						     : l->drives;
	const char *text = registry_place_text(kind);

	if (!to->library || strcmp(l->name, to->library) != 0)
		return;
	if (to->what->verb != TAPE_MOVE && kind == REGISTRY_IN_DRIVE)
		say(to, "a cartridge comes to a slot or a mail slot first");
	else if (n)
		say(to, "there is no %s %u: library %s has %u", text, to->what->place.number,
			l->name, n);
	else
		say(to, "library %s has no %ss", l->name, text);
}

static void about_occupant(void *arg, const struct registry_tape *t)
{
	struct reason *to = arg;
	const struct registry_place *wanted = &to->what->place;

	if (t->place.kind == wanted->kind && t->place.number == wanted->number)
		say(to, "%s %u is taken: cartridge %s is there", registry_place_text(wanted->kind),
			wanted->number, t->barcode);
}

static void about_full_place(struct reason *to)
{
	const struct registry_place *wanted = &to->what->place;

	say(to, "%s %u is kept for a cartridge that comes from the archive",
		registry_place_text(wanted->kind), wanted->number);
	registry_tapes(to->r, to->library, about_occupant, to);
}

/* --- about what was asked for --------------------------------------------------------------- */

static void about_values(struct reason *to)
{
	const struct registry_tape_change *what = to->what;

	if (what->pool && strlen(what->pool) >= LIBRARY_POOL_SIZE)
		say(to, "the name of a pool has %d bytes at most", LIBRARY_POOL_SIZE - 1);
	else if (what->verb != TAPE_CREATE)
		return;
	else if (!what->barcode || !barcode_valid(what->barcode))
		say(to, "a barcode has %d to %d upper-case letters and digits", BARCODE_MIN,
			BARCODE_MAX);
	else
		say(to, "there is no cartridge of this size and generation: LTO-3 to LTO-9, and "
			"1 MiB or more");
}

void tape_reason(const struct registry *r, const struct registry_tape_change *what,
	const char *library, enum registry_tape_result result, char out[static TAPE_REASON_SIZE])
{
	struct reason to = { r, what, library, result, out };

	say(&to, "%s", registry_tape_result_text(result));
	switch (result) {
	case TAPE_NO_LIBRARY:
		if (what->library)
			say(&to, "there is no library %s", what->library);
		break;
	case TAPE_NOT_FOUND: say(&to, "there is no cartridge %s", what->barcode); break;
	case TAPE_NO_PLACE: registry_libraries(r, about_library, &to); break;
	case TAPE_PLACE_FULL:
		if (what->place.number)
			about_full_place(&to);
		break;
	case TAPE_NO_ROOM:
		say(&to, "library %s has no free %s", library,
			registry_place_text(what->place.kind));
		break;
	case TAPE_INVALID: about_values(&to); break;
	case TAPE_EXISTS:
		say(&to, "barcode %s was in use once, and is not given again: choose another",
			what->barcode);
		registry_tape(r, what->barcode, about_tape, &to);
		break;
	default: registry_tape(r, what->barcode, about_tape, &to);
	}
}
