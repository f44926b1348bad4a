/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A library: its directories, drives and robot.
 *
 * It lives while a set or a unit holds it. Its end has two steps: the robot finishes what it has
 * begun, then the drives close their cartridges, on a thread that may block. A library that has
 * another's name or directories loads after that one's end.
 */
#include "registry/library.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/log.h"
#include "registry/fault.h"
#include "registry/library_private.h"
#include "registry/naa.h"

#define RELOAD_MS 5000

struct library_settling {
	struct served_library *s;
	struct drive_job job;
};

/* --- traits --------------------------------------------------------------------------------- */

static enum changer_model_id model_of(enum config_changer c)
{
	switch (c) {
	case CONFIG_CHANGER_AWS_GATEWAY_VTL: return CHANGER_AWS_GATEWAY_VTL;
	case CONFIG_CHANGER_IBM_03584L32: return CHANGER_IBM_03584L32;
	default: return CHANGER_STK_L700;
	}
}

static enum changer_model_id model_for(
	const struct libraries_env *env, const struct config_library *row)
{
	enum changer_model_id id;

	return changer_choices_find(&env->choices, row->name, &id) ? id : model_of(row->changer);
}

void library_traits_free(struct library_traits *t)
{
	free(t->name);
	free(t->path);
	free(t->archive);
	free(t->serial);
	free(t->place);
}

/* Ten digits and letters of a hash over what makes the library this one. */
static char *derive_serial(const struct libraries_env *env, const char *name)
{
	char *what = NULL, *serial = NULL;
	uint8_t h[32];

	if (asprintf(&what, "library\n%s", name) < 0)
		return NULL;
	if (!naa_hash(env->identity, what, h) ||
		asprintf(&serial, "CS%02X%02X%02X%02X", h[0], h[1], h[2], h[3]) < 0)
		serial = NULL;
	free(what);
	return serial;
}

static char *archive_of(const struct config_library *row)
{
	char *path = NULL;

	if (row->archive)
		return strdup(row->archive);
	return asprintf(&path, "%s/archive", row->path) < 0 ? NULL : path;
}

bool library_traits_of(
	const struct libraries_env *env, const struct config_library *row, struct library_traits *t)
{
	*t = (struct library_traits){
		.name = strdup(row->name),
		.path = strdup(row->path),
		.archive = archive_of(row),
		.serial = row->serial ? strdup(row->serial) : derive_serial(env, row->name),
		.place = strdup(
			row->layout == CONFIG_LAYOUT_LUNS ? row->target : row->target_prefix),
		.model = model_for(env, row),
		.generation = (uint32_t)row->drive,
		.drives = row->drives,
		.slots = row->slots,
		.mail_slots = row->import_export,
	};
	if (t->name && t->path && t->archive && t->serial && t->place)
		return true;
	library_traits_free(t);
	return false;
}

bool library_traits_same(const struct library_traits *a, const struct library_traits *b)
{
	return !strcmp(a->name, b->name) && !strcmp(a->path, b->path) &&
	       !strcmp(a->archive, b->archive) && !strcmp(a->serial, b->serial) &&
	       !strcmp(a->place, b->place) && a->model == b->model &&
	       a->generation == b->generation && a->drives == b->drives && a->slots == b->slots &&
	       a->mail_slots == b->mail_slots;
}

bool served_library_shares(const struct served_library *a, const struct served_library *b)
{
	return a->path_lock == b->path_lock || a->path_lock == b->archive_lock ||
	       a->archive_lock == b->path_lock || a->archive_lock == b->archive_lock;
}

/* Whether both would have the same cartridges. */
static bool collide(const struct served_library *a, const struct served_library *b)
{
	return !strcmp(a->traits.name, b->traits.name) || !strcmp(a->traits.path, b->traits.path) ||
	       !strcmp(a->traits.archive, b->traits.archive) || served_library_shares(a, b);
}

/* --- the end -------------------------------------------------------------------------------- */

static void start_next(struct libraries_env *env);

static void close_drives(struct served_library *s)
{
	for (uint32_t i = 0; s->drives && i < s->traits.drives; i++)
		drive_free(s->drives[i]);
}

/* Whatever of it there is; the robot and the cartridges are closed. */
static void forget(struct served_library *s)
{
	served_library_tapes_free(s);
	loop_timer_clear(&s->again);
	library_lock_give(s->archive_lock);
	library_lock_give(s->path_lock);
	free(s->drives);
	free(s->serials);
	library_traits_free(&s->traits);
	free(s);
}

static void on_drives_closing(struct work *w)
{
	close_drives(container_of(w, struct served_library, work));
}

static void on_drives_closed(struct work *w)
{
	struct served_library *s = container_of(w, struct served_library, work);
	struct libraries_env *env = s->env;

	list_del(&s->link);
	forget(s);
	env->closing--;
	start_next(env);
	libraries_tell(env);
}

static void on_robot_closed(void *arg)
{
	struct served_library *s = arg;

	s->robot = NULL;
	s->work = (struct work){
		.run = on_drives_closing, .done = on_drives_closed, .home = s->env->loop
	};
	work_submit(s->env->pool, &s->work);
}

void served_library_hold(struct served_library *s)
{
	s->holds++;
}

void served_library_release(struct served_library *s)
{
	if (!s || --s->holds)
		return;
	s->closing = true;
	s->env->closing++;
	loop_timer_clear(&s->again);
	served_library_tapes_stop(s);
	library_close(s->robot, on_robot_closed, s);
}

/* --- making --------------------------------------------------------------------------------- */

static int make_directory(const char *path, bool *made)
{
	if (!mkdir(path, 0700)) {
		*made = true;
		/* Where we may not open that, the system's own time will do. */
		dir_sync_parent(path);
		return 0;
	}
	if (errno != EEXIST)
		return -errno;
	return access(path, R_OK | W_OK | X_OK) ? -errno : 0;
}

void served_library_unmake(const struct served_library *s)
{
	if (s->made_archive)
		rmdir(s->traits.archive);
	if (s->made_path)
		rmdir(s->traits.path);
}

static int make_directories(struct served_library *s, const struct config *cfg,
	const struct config_library *row, struct faults *faults)
{
	const struct library_traits *t = &s->traits;
	int err = make_directory(t->path, &s->made_path);

	if (err)
		return registry_fault(faults, cfg, &row->path, err, "library %s: %s: %s", t->name,
			t->path, strerror(-err));
	err = make_directory(t->archive, &s->made_archive);
	if (!err)
		return 0;
	return registry_fault(faults, cfg, row->archive ? &row->archive : &row->path, err,
		"library %s: %s: %s", t->name, t->archive, strerror(-err));
}

static int lock_directory(struct served_library *s, const struct config *cfg, const void *member,
	const char *path, struct library_lock **out, struct faults *faults)
{
	char who[128];
	int err = library_lock_take(&s->env->locks, path, out, who, sizeof(who));

	if (err == -EBUSY)
		return registry_fault(faults, cfg, member, err, "library %s: %s is in use by %s",
			s->traits.name, path, *who ? who : "another server");
	return !err ? 0
		    : registry_fault(faults, cfg, member, err, "library %s: %s: %s", s->traits.name,
			      path, strerror(-err));
}

static int lock_directories(struct served_library *s, const struct config *cfg,
	const struct config_library *row, struct faults *faults)
{
	int err = lock_directory(s, cfg, &row->path, s->traits.path, &s->path_lock, faults);

	return err ? err
		   : lock_directory(s, cfg, row->archive ? &row->archive : &row->path,
			     s->traits.archive, &s->archive_lock, faults);
}

static int make_drive(struct served_library *s, uint32_t i)
{
	const struct drive_cfg cfg = {
		.generation = s->traits.generation,
		.serial = s->serials[i + 1],
		.pool = s->env->pool,
		.starting = true,
	};

	return drive_create(&cfg, &s->drives[i]);
}

static int make_drives(struct served_library *s)
{
	uint32_t n = s->traits.drives;
	int err = 0;

	s->drives = calloc(n, sizeof(struct drive *));
	s->serials = calloc(n + 1, sizeof(*s->serials));
	if (!s->drives || !s->serials)
		return -ENOMEM;
	snprintf(s->serials[0], SERIAL_SIZE, "%s", s->traits.serial);
	for (uint32_t i = 1; i <= n; i++)
		snprintf(s->serials[i], SERIAL_SIZE, "%.10s%02" PRIu32, s->traits.serial, i);
	for (uint32_t i = 0; !err && i < n; i++)
		err = make_drive(s, i);
	return err;
}

static void on_exported(void *arg, const char *barcode)
{
	(void)barcode;
	served_library_mail_changed(arg);
}

static int make_robot(struct served_library *s)
{
	const struct library_traits *t = &s->traits;
	const struct library_cfg cfg = {
		.name = t->name,
		.model = t->model,
		.drives = s->drives,
		.ndrives = t->drives,
		.generation = t->generation,
		.slots = t->slots,
		.mail_slots = t->mail_slots,
		.path = t->path,
		.archive = t->archive,
		.catalog = s->env->catalog,
		.pool = s->env->pool,
		.loop = s->env->loop,
		.exported = on_exported,
		.arg = s,
	};

	return library_create(&cfg, &s->robot);
}

static void on_again(struct loop_timer *t);

int served_library_open(struct libraries_env *env, const struct config *cfg,
	const struct config_library *row, struct library_traits *traits,
	struct served_library **out, struct faults *faults)
{
	struct served_library *s = calloc(1, sizeof(*s));
	int err;

	if (!s) {
		library_traits_free(traits);
		return registry_fault(faults, cfg, row, -ENOMEM, "out of memory");
	}
	s->env = env;
	s->traits = *traits;
	s->holds = 1;
	loop_timer_init(env->loop, &s->again, on_again);
	served_library_tapes_init(s);
	err = make_directories(s, cfg, row, faults);
	if (!err)
		err = lock_directories(s, cfg, row, faults);
	if (!err) {
		err = make_drives(s);
		if (!err)
			err = make_robot(s);
		if (err)
			registry_fault(
				faults, cfg, row, err, "library %s: %s", row->name, strerror(-err));
	}
	if (err) {
		served_library_unmake(s);
		close_drives(s);
		forget(s);
		return err;
	}
	list_push(&env->open, &s->link);
	*out = s;
	return 0;
}

/* --- taking up cartridges ------------------------------------------------------------------- */

/* Drives have what they held, and the others are empty. */
static void on_drives_settled(struct served_library *s)
{
	s->loaded = true;
	served_library_tapes_ready(s);
}

static void settle_run(struct drive *d, struct drive_job *job)
{
	(void)job;
	drive_settle(d);
}

static void settle_done(struct drive_job *job)
{
	struct library_settling *one = container_of(job, struct library_settling, job);
	struct served_library *s = one->s;

	free(one);
	if (--s->settling == 0)
		on_drives_settled(s);
	served_library_release(s);
}

/* A drive does one thing after the other: behind this, the cartridge that the library gave it back
 * is in it. */
static void settle_drives(struct served_library *s)
{
	s->settling = 1;
	for (uint32_t i = 0; i < s->traits.drives; i++) {
		struct library_settling *one = calloc(1, sizeof(*one));

		if (!one) {
			log_msg(LOG_ERR, "library %s: out of memory: drive %u is not ready",
				s->traits.name, i + 1);
			continue;
		}
		one->s = s;
		one->job = (struct drive_job){
			.run = settle_run, .done = settle_done, .home = s->env->loop
		};
		s->settling++;
		served_library_hold(s);
		drive_submit(s->drives[i], &one->job);
	}
	if (--s->settling == 0)
		on_drives_settled(s);
}

static void on_loaded(void *arg, int err, const char *why)
{
	struct served_library *s = arg;
	struct library_status status;

	if (err) {
		log_msg(LOG_ERR, "library %s: its cartridges cannot be taken up: %s",
			s->traits.name, why && *why ? why : strerror(-err));
		if (!s->closing)
			loop_timer_set(&s->again, RELOAD_MS);
		s->failed = true;
		libraries_tell(s->env);
		return;
	}
	if (s->closing)
		return;
	library_status(s->robot, &status);
	log_msg(LOG_INFO, "library %s: found %u cartridges, and %u in the archive", s->traits.name,
		status.tapes, status.archived);
	settle_drives(s);
}

static void on_again(struct loop_timer *t)
{
	struct served_library *s = container_of(t, struct served_library, again);

	library_load(s->robot, on_loaded, s);
}

static bool must_wait(struct served_library *s)
{
	list_for_each(l, &s->env->open) {
		struct served_library *other = container_of(l, struct served_library, link);

		if (other == s)
			return false;
		if (collide(other, s))
			return true;
	}
	return false;
}

void served_library_start(struct served_library *s)
{
	if (!s->committed || s->started || s->closing || must_wait(s))
		return;
	s->started = true;
	library_load(s->robot, on_loaded, s);
}

static void start_next(struct libraries_env *env)
{
	list_for_each(l, &env->open)
		served_library_start(container_of(l, struct served_library, link));
}

/* --- devices -------------------------------------------------------------------------------- */

const char *served_library_archive(const struct served_library *s)
{
	return s->traits.archive;
}

struct library *served_library_robot(const struct served_library *s)
{
	return s->robot;
}

struct drive *served_library_drive(const struct served_library *s, unsigned n)
{
	return n && n <= s->traits.drives ? s->drives[n - 1] : NULL;
}

void served_library_device(
	const struct served_library *s, unsigned device, struct served_device *out)
{
	const struct changer_model *m = library_model(s->robot);
	const struct drive *d = served_library_drive(s, device);

	*out = (struct served_device){
		.vendor = d ? drive_vendor(d) : m->vendor,
		.product = d ? drive_product(d) : m->product,
		.revision = d ? drive_revision(d) : m->revision,
		.serial = s->serials[device],
	};
	snprintf(out->place, sizeof(out->place), "library\n%s\n%u\n", s->traits.name, device);
}

static int drive_unit(
	struct served_library *s, unsigned device, const struct device_cfg *cfg, struct lu **out)
{
	struct tape_cfg tape = {
		.drive = s->drives[device - 1],
		.keeper = cfg->keeper,
		.kept = cfg->kept,
		.pool = s->env->pool,
		.gone = cfg->gone,
		.arg = cfg->arg,
	};

	memcpy(tape.naa, cfg->naa, sizeof(tape.naa));
	return tape_create(&tape, out);
}

static int changer_unit(struct served_library *s, const struct device_cfg *cfg, struct lu **out)
{
	struct changer_cfg changer = {
		.library = s->robot,
		.serial = s->serials[0],
		.keeper = cfg->keeper,
		.kept = cfg->kept,
		.pool = s->env->pool,
		.gone = cfg->gone,
		.arg = cfg->arg,
	};

	memcpy(changer.naa, cfg->naa, sizeof(changer.naa));
	return changer_create(&changer, out);
}

int served_library_unit(
	struct served_library *s, unsigned device, const struct device_cfg *cfg, struct lu **out)
{
	return device ? drive_unit(s, device, cfg, out) : changer_unit(s, cfg, out);
}
