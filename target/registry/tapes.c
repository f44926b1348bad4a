/* SPDX-License-Identifier: BSD-2-Clause */
/* The management's view of tape libraries. What is true is the library's; nothing is kept here. */
#include "registry/tapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/tapes_private.h"
#include "vtl/drive.h"
#include "vtl/media.h"

/* --- places --------------------------------------------------------------------------------- */

const char *registry_place_text(enum registry_place_kind kind)
{
	static const char *const texts[] = {
#define AS_TEXT(id, text) [id] = (text),
		REGISTRY_PLACES(AS_TEXT)
#undef AS_TEXT
	};

	return texts[kind];
}

enum catalog_place_kind tapes_kind_of(enum registry_place_kind kind)
{
	switch (kind) {
	case REGISTRY_IN_SLOT: return CATALOG_IN_SLOT;
	case REGISTRY_IN_MAIL_SLOT: return CATALOG_IN_MAIL_SLOT;
	case REGISTRY_IN_DRIVE: return CATALOG_IN_DRIVE;
	case REGISTRY_IN_TRANSPORT: return CATALOG_IN_TRANSPORT;
	default: return CATALOG_IN_VAULT;
	}
}

static struct registry_place place_view(struct catalog_place place)
{
	switch (place.kind) {
	case CATALOG_IN_SLOT: return (struct registry_place){ REGISTRY_IN_SLOT, place.number + 1 };
	case CATALOG_IN_MAIL_SLOT:
		return (struct registry_place){ REGISTRY_IN_MAIL_SLOT, place.number + 1 };
	case CATALOG_IN_DRIVE:
		return (struct registry_place){ REGISTRY_IN_DRIVE, place.number + 1 };
	case CATALOG_IN_TRANSPORT:
		return (struct registry_place){ REGISTRY_IN_TRANSPORT, place.number + 1 };
	default: return (struct registry_place){ .kind = REGISTRY_IN_ARCHIVE };
	}
}

/* --- libraries ------------------------------------------------------------------------------ */

/* Through which LUN of which target a device is reached. */
static const char *find_target(
	const struct config *cfg, const struct config_library *lib, unsigned device, uint32_t *lun)
{
	for (size_t i = 0; i < cfg->n_targets; i++) {
		const struct config_target *t = &cfg->targets[i];

		for (size_t k = 0; k < t->n_luns; k++)
			if (t->luns[k].library == lib && t->luns[k].device == device) {
				*lun = t->luns[k].lun;
				return t->name;
			}
	}
	return NULL;
}

static void give_library(const struct registry *r, const struct config_library *row,
	void (*each)(void *arg, const struct registry_library *library), void *arg)
{
	const struct served_library *s = libraries_find(r->now.libraries, row);
	struct library *robot = served_library_robot(s);
	struct library_status status;
	struct served_device changer;
	uint32_t lun;

	library_status(robot, &status);
	served_library_device(s, 0, &changer);
	each(arg, &(struct registry_library){
			  .name = row->name,
			  .changer = library_model(robot)->name,
			  .vendor = changer.vendor,
			  .product = changer.product,
			  .revision = changer.revision,
			  .serial = changer.serial,
			  .target = find_target(r->now.cfg, row, 0, &lun),
			  .path = row->path,
			  .archive = served_library_archive(s),
			  .drives = row->drives,
			  .slots = row->slots,
			  .mail_slots = row->import_export,
			  .tapes = status.tapes,
			  .archived = status.archived,
			  .moves = status.moves,
			  .failures = status.failures,
			  .locked = status.locked,
			  .ready = !status.loading,
		  });
}

/* Those of a name, or with NULL all. */
static bool each_row(const struct registry *r, const char *name,
	void (*fn)(const struct registry *r, const struct config_library *row, void *arg),
	void *arg)
{
	const struct config *cfg = r->now.cfg;
	bool found = !name;

	for (size_t i = 0; cfg && i < cfg->n_libraries; i++)
		if (!name || !strcmp(cfg->libraries[i].name, name)) {
			found = true;
			fn(r, &cfg->libraries[i], arg);
		}
	return found;
}

struct library_visitor {
	void (*each)(void *arg, const struct registry_library *library);
	void *arg;
};

static void visit_library(const struct registry *r, const struct config_library *row, void *arg)
{
	const struct library_visitor *v = arg;

	give_library(r, row, v->each, v->arg);
}

void registry_libraries(const struct registry *r,
	void (*each)(void *arg, const struct registry_library *library), void *arg)
{
	each_row(r, NULL, visit_library, &(struct library_visitor){ each, arg });
}

/* --- drives --------------------------------------------------------------------------------- */

static const char *state_text(enum drive_state state)
{
	switch (state) {
	case DRIVE_EMPTY: return "empty";
	case DRIVE_LOADED: return "loaded";
	case DRIVE_HELD: return "held";
	case DRIVE_UNLOADED: return "unloaded";
	case DRIVE_CLEANING: return "cleaning";
	case DRIVE_INCOMPATIBLE: return "incompatible";
	case DRIVE_STARTING: return "starting";
	default: return "unreadable";
	}
}

static struct registry_traffic traffic_of(const struct cartridge_counters *c)
{
	return (struct registry_traffic){
		.host_written = c->host_written,
		.host_read = c->host_read,
		.medium_written = c->medium_written,
		.medium_read = c->medium_read,
		.blocks_written = c->blocks_written,
		.blocks_read = c->blocks_read,
		.filemarks_written = c->filemarks_written,
		.write_errors = c->write_errors,
		.read_errors = c->read_errors,
	};
}

struct drive_visitor {
	void (*each)(void *arg, const struct registry_drive *drive);
	void *arg;
};

static void give_drive(const struct registry *r, const struct config_library *row, unsigned n,
	const struct drive_visitor *v)
{
	struct drive *d = served_library_drive(libraries_find(r->now.libraries, row), n);
	struct registry_drive out = { .library = row->name, .number = n };
	struct drive_status s;

	drive_status(d, &s);
	out.target = find_target(r->now.cfg, row, n, &out.lun);
	out.vendor = drive_vendor(d);
	out.product = drive_product(d);
	out.revision = drive_revision(d);
	out.serial = drive_serial(d);
	out.state = state_text(s.medium.state);
	out.barcode = *s.medium.barcode ? s.medium.barcode : NULL;
	out.prevented = s.prevented;
	out.compression = s.compression;
	out.loads = s.loads;
	out.total = traffic_of(&s.total);
	if (s.medium.state == DRIVE_LOADED) {
		out.write_protect = s.medium.write_protect;
		out.partition = s.position.partition;
		out.object = s.position.object;
		out.file = s.position.file;
		out.used = s.usage.used;
		out.capacity = s.usage.capacity;
		out.load = traffic_of(&s.load);
	}
	v->each(v->arg, &out);
}

static void visit_drives(const struct registry *r, const struct config_library *row, void *arg)
{
	for (unsigned n = 1; n <= row->drives; n++)
		give_drive(r, row, n, arg);
}

bool registry_drives(const struct registry *r, const char *library,
	void (*each)(void *arg, const struct registry_drive *drive), void *arg)
{
	return each_row(r, library, visit_drives, &(struct drive_visitor){ each, arg });
}

/* --- cartridges ----------------------------------------------------------------------------- */

struct tape_visitor {
	void (*each)(void *arg, const struct registry_tape *tape);
	void *arg;
	struct served_library *s;
};

/* What is known of a cartridge that is, or has been, written there. */
static uint64_t used_in_drive(const struct served_library *s, unsigned drive, uint64_t otherwise)
{
	struct drive *d = served_library_drive(s, drive);
	struct drive_status status;

	if (!d)
		return otherwise;
	drive_status(d, &status);
	return status.used_known ? status.used : otherwise;
}

static bool readable(
	const struct served_library *s, const struct catalog_tape *t, const struct media *m)
{
	const struct drive *d = served_library_drive(s, 1);

	return !d || t->cleaning || (m && media_reads(drive_generation(d), m));
}

static void give_tape(const struct catalog_tape *t, void *arg)
{
	const struct tape_visitor *v = arg;
	const struct media *m = media_generation(t->medium);
	struct registry_tape out = {
		.barcode = t->barcode,
		.library = t->library,
		.place = place_view(t->place),
		.medium = m ? m->name : "unknown",
		.readable = readable(v->s, t, m),
		.worm = t->worm,
		.cleaning = t->cleaning,
		.write_protect = t->write_protect,
		.size = t->size,
		.used = t->used,
		.state = t->state,
		.pool = t->pool,
		.retrieved_to = t->retrieved_to,
		.in_transit = t->place.kind == CATALOG_IN_MAIL_SLOT && *t->pool,
		.created = t->created,
		.archived = t->archived,
		.pool_entered = t->pool_entered,
	};

	out.progress = library_progress(served_library_robot(v->s), t->barcode);
	library_address(served_library_robot(v->s), t->place, &out.address);
	if (t->place.kind == CATALOG_IN_DRIVE)
		out.used = used_in_drive(v->s, t->place.number + 1, t->used);
	v->each(v->arg, &out);
}

/* The library's lock is held while rows are given, and a visitor asks the library: so the barcodes
 * are taken down first. */
struct barcodes {
	char (*v)[BARCODE_SIZE];
	size_t n, room;
	bool failed;
};

static bool take_barcode(const struct catalog_tape *t, void *arg)
{
	struct barcodes *b = arg;

	if (b->n == b->room) {
		size_t room = b->room ? 2 * b->room : 64;
		char(*grown)[BARCODE_SIZE] = reallocarray(b->v, room, sizeof(*grown));

		b->failed |= !grown;
		if (!grown)
			return false;
		b->v = grown;
		b->room = room;
	}
	snprintf(b->v[b->n++], BARCODE_SIZE, "%s", t->barcode);
	return true;
}

void tape_copy_take(const struct catalog_tape *t, void *arg)
{
	struct tape_copy *c = arg;

	c->row = *t;
	snprintf(c->barcode, sizeof(c->barcode), "%s", t->barcode);
	snprintf(c->library, sizeof(c->library), "%s", t->library);
	snprintf(c->state, sizeof(c->state), "%s", t->state);
	snprintf(c->pool, sizeof(c->pool), "%s", t->pool);
	snprintf(c->to, sizeof(c->to), "%s", t->retrieved_to);
	c->row.barcode = c->barcode;
	c->row.library = c->library;
	c->row.state = c->state;
	c->row.pool = c->pool;
	c->row.retrieved_to = c->to;
}

static bool give_one(struct served_library *s, const char *barcode, const struct tape_visitor *v)
{
	struct tape_visitor with = { v->each, v->arg, s };
	struct tape_copy copy;

	if (!library_tape(served_library_robot(s), barcode, tape_copy_take, &copy))
		return false;
	give_tape(&copy.row, &with);
	return true;
}

static void visit_tapes(const struct registry *r, const struct config_library *row, void *arg)
{
	struct served_library *s = libraries_find(r->now.libraries, row);
	struct barcodes b = { 0 };

	library_tapes(served_library_robot(s), take_barcode, &b);
	for (size_t i = 0; i < b.n; i++)
		give_one(s, b.v[i], arg);
	free(b.v);
}

bool registry_tapes(const struct registry *r, const char *library,
	void (*each)(void *arg, const struct registry_tape *tape), void *arg)
{
	return each_row(r, library, visit_tapes, &(struct tape_visitor){ each, arg, NULL });
}

struct served_library *tapes_library_of(const struct registry *r, const char *barcode)
{
	const struct config *cfg = r->now.cfg;

	for (size_t i = 0; cfg && barcode && i < cfg->n_libraries; i++) {
		struct served_library *s = libraries_find(r->now.libraries, &cfg->libraries[i]);

		if (library_tape(served_library_robot(s), barcode, NULL, NULL))
			return s;
	}
	return NULL;
}

bool registry_tape(const struct registry *r, const char *barcode,
	void (*each)(void *arg, const struct registry_tape *tape), void *arg)
{
	struct served_library *s = tapes_library_of(r, barcode);

	return s && give_one(s, barcode, &(struct tape_visitor){ each, arg, NULL });
}

bool registry_tape_barcode(const char *prefix, char out[static REGISTRY_BARCODE_SIZE])
{
	return barcode_random(prefix, out);
}
