/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Libraries of the configuration.
 *
 *   set ──▶ served_library ──▶ library (vtl/): robot, elements
 *              ▲      └──────▶ drives
 *   units of its devices
 *
 * A library lives while a set or a unit holds it. Its end has two steps: the robot finishes what it
 * has begun, then the drives close their cartridges, on a thread that may block. A library that has
 * another's name or directories loads after that one's end.
 */
#include "registry_libraries.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "registry_fault.h"
#include "registry_library_lock.h"
#include "vtl/drive.h"

#define SERIAL_SIZE       16 /* of a device: that of the library in 10, and two digits */
#define RELOAD_MS         5000
#define TRANSIT_MS        3000 /* in which a cartridge may be taken out of its mail slot again */

#define LIBRARY_NAME_SIZE 65

struct changer_choice {
	char library[LIBRARY_NAME_SIZE];
	char model[24]; /* "": none */
};

/* What makes a library this one: where it differs, there is another. */
struct library_traits {
	char *name, *path, *archive, *serial, *place;
	enum changer_model_id model;
	uint32_t generation, drives, slots, mail_slots;
};

/* Cartridges that are declared, being made one after the other. */
struct library_making {
	struct config_tape *tapes; /* copies */
	size_t n, next;
	struct library_request request;
	bool busy;
};

/* The one way to the archive: what has a pool and lies in a mail slot. */
struct library_transit {
	struct loop_timer timer;
	struct library_request request;
	char barcode[BARCODE_SIZE];
	bool busy;
};

struct library_settling {
	struct served_library *s;
	struct drive_job job;
};

struct served_library {
	struct libraries_env *env;
	struct list link; /* env->open, the oldest in front */
	struct library_traits traits;
	unsigned holds;    /* sets and units, and what is under way */
	unsigned settling; /* drives */
	struct library_lock *path_lock, *archive_lock;
	bool made_path, made_archive, committed, started, loaded, failed, closing;
	struct library *robot;
	struct drive **drives;
	char (*serials)[SERIAL_SIZE]; /* of the devices */
	struct library_making making;
	struct loop_timer again; /* when the catalog could not be read */
	struct library_transit transit;
	struct work work;
};

struct libraries {
	struct libraries_env *env;
	const struct config *cfg;
	struct served_library **v; /* as the rows of cfg */
	size_t n;
};

void libraries_env_init(struct libraries_env *env)
{
	list_init(&env->open);
	list_init(&env->locks);
	env->closing = 0;
}

bool libraries_open(const struct libraries_env *env)
{
	return !list_empty(&env->open);
}

bool libraries_settled(const struct libraries_env *env)
{
	list_for_each(l, &env->open) {
		const struct served_library *s = container_of(l, struct served_library, link);

		if (!s->failed && (!s->loaded || s->making.busy))
			return false;
	}
	return true;
}

static enum changer_model_id model_of(enum config_changer c)
{
	switch (c) {
	case CONFIG_CHANGER_AWS_GATEWAY_VTL: return CHANGER_AWS_GATEWAY_VTL;
	case CONFIG_CHANGER_IBM_03584L32: return CHANGER_IBM_03584L32;
	default: return CHANGER_STK_L700;
	}
}

/* --- changers that were chosen while the server ran ----------------------------------------- */

#define CHOICES "library-changer/" /* settings: this and the name of the library */

static struct changer_choice *find_choice(const struct libraries_env *env, const char *library)
{
	for (size_t i = 0; i < env->n_choices; i++)
		if (!strcmp(env->choices[i].library, library))
			return &env->choices[i];
	return NULL;
}

/* NULL: the configuration's. */
static const char *choice_of(const struct libraries_env *env, const char *library)
{
	const struct changer_choice *c = find_choice(env, library);

	return c && *c->model ? c->model : NULL;
}

bool libraries_choose(struct libraries_env *env, const char *library, const char *model)
{
	struct changer_choice *c = find_choice(env, library), *grown;

	if (model && !changer_model_named(model))
		return false;
	if (!c) {
		grown = reallocarray(env->choices, env->n_choices + 1, sizeof(*grown));
		if (!grown)
			return false;
		env->choices = grown;
		c = &grown[env->n_choices++];
		snprintf(c->library, sizeof(c->library), "%s", library);
	}
	snprintf(c->model, sizeof(c->model), "%s", model ? model : "");
	return true;
}

int libraries_choice_store(struct catalog_tx *tx, const char *library, const char *model)
{
	char name[sizeof(CHOICES) + LIBRARY_NAME_SIZE];

	snprintf(name, sizeof(name), CHOICES "%s", library);
	return model ? catalog_setting_put(tx, name, model) : catalog_setting_remove(tx, name);
}

/* What a newer version may have written is as if it were not there. */
static int load_choice(const char *name, const char *value, void *arg)
{
	if (changer_model_named(value))
		return libraries_choose(arg, name + strlen(CHOICES), value) ? 0 : -ENOMEM;
	return 0;
}

static int load_choices(struct catalog_tx *tx, void *arg)
{
	return catalog_setting_load(tx, CHOICES, load_choice, arg);
}

int libraries_load(struct libraries_env *env, struct catalog_error *why)
{
	return catalog_run(env->catalog, load_choices, env, why);
}

void libraries_env_end(struct libraries_env *env)
{
	free(env->choices);
	env->choices = NULL;
	env->n_choices = 0;
}

static enum changer_model_id model_for(
	const struct libraries_env *env, const struct config_library *row)
{
	const char *choice = choice_of(env, row->name);

	for (int id = CHANGER_STK_L700; choice && id <= CHANGER_IBM_03584L32; id++)
		if (!strcmp(changer_model((enum changer_model_id)id)->name, choice))
			return (enum changer_model_id)id;
	return model_of(row->changer);
}

/* --- traits --------------------------------------------------------------------------------- */

static void traits_free(struct library_traits *t)
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
	uint8_t hash[EVP_MAX_MD_SIZE] = { 0 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
		  EVP_DigestUpdate(ctx, env->identity, sizeof(env->identity)) &&
		  EVP_DigestUpdate(ctx, "library\n", 8) &&
		  EVP_DigestUpdate(ctx, name, strlen(name)) && EVP_DigestFinal_ex(ctx, hash, NULL);
	char *serial = NULL;

	EVP_MD_CTX_free(ctx);
	if (!ok || asprintf(&serial, "CS%02X%02X%02X%02X", hash[0], hash[1], hash[2], hash[3]) < 0)
		return NULL;
	return serial;
}

static char *archive_of(const struct config_library *row)
{
	char *path = NULL;

	if (row->archive)
		return strdup(row->archive);
	return asprintf(&path, "%s/archive", row->path) < 0 ? NULL : path;
}

static bool traits_of(
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
	traits_free(t);
	return false;
}

static bool same_traits(const struct library_traits *a, const struct library_traits *b)
{
	return !strcmp(a->name, b->name) && !strcmp(a->path, b->path) &&
	       !strcmp(a->archive, b->archive) && !strcmp(a->serial, b->serial) &&
	       !strcmp(a->place, b->place) && a->model == b->model &&
	       a->generation == b->generation && a->drives == b->drives && a->slots == b->slots &&
	       a->mail_slots == b->mail_slots;
}

/* Directories may be the same by different paths. */
static bool share_directory(const struct served_library *a, const struct served_library *b)
{
	return a->path_lock == b->path_lock || a->path_lock == b->archive_lock ||
	       a->archive_lock == b->path_lock || a->archive_lock == b->archive_lock;
}

/* Whether both would have the same cartridges. */
static bool collide(const struct served_library *a, const struct served_library *b)
{
	return !strcmp(a->traits.name, b->traits.name) || !strcmp(a->traits.path, b->traits.path) ||
	       !strcmp(a->traits.archive, b->traits.archive) || share_directory(a, b);
}

/* --- the end -------------------------------------------------------------------------------- */

static void start_next(struct libraries_env *env);

static void tell(struct libraries_env *env)
{
	if (env->changed)
		env->changed(env->arg);
}

static void making_clear(struct library_making *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->tapes[i].barcode);
	free(m->tapes);
	*m = (struct library_making){ 0 };
}

static void close_drives(struct served_library *s)
{
	for (uint32_t i = 0; s->drives && i < s->traits.drives; i++)
		drive_free(s->drives[i]);
}

/* Whatever of it there is; the robot and the cartridges are closed. */
static void forget(struct served_library *s)
{
	making_clear(&s->making);
	loop_timer_clear(&s->again);
	loop_timer_clear(&s->transit.timer);
	library_lock_give(s->archive_lock);
	library_lock_give(s->path_lock);
	free(s->drives);
	free(s->serials);
	traits_free(&s->traits);
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
	tell(env);
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
	loop_timer_clear(&s->transit.timer);
	library_close(s->robot, on_robot_closed, s);
}

/* --- making --------------------------------------------------------------------------------- */

static int make_directory(const char *path, bool *made)
{
	if (!mkdir(path, 0700)) {
		*made = true;
		return 0;
	}
	if (errno != EEXIST)
		return -errno;
	return access(path, R_OK | W_OK | X_OK) ? -errno : 0;
}

static void unmake_directories(const struct served_library *s)
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
static void on_transit(struct loop_timer *t);

/* Takes over the traits, also when it fails. */
static int open_library(struct libraries_env *env, const struct config *cfg,
	const struct config_library *row, struct library_traits *traits,
	struct served_library **out, struct faults *faults)
{
	struct served_library *s = calloc(1, sizeof(*s));
	int err;

	if (!s) {
		traits_free(traits);
		return registry_fault(faults, cfg, row, -ENOMEM, "out of memory");
	}
	s->env = env;
	s->traits = *traits;
	s->holds = 1;
	loop_timer_init(env->loop, &s->again, on_again);
	loop_timer_init(env->loop, &s->transit.timer, on_transit);
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
		unmake_directories(s);
		close_drives(s);
		forget(s);
		return err;
	}
	list_push(&env->open, &s->link);
	*out = s;
	return 0;
}

/* --- cartridges that are declared ----------------------------------------------------------- */

static void make_next(struct served_library *s);

static void on_made(struct library_request *r)
{
	struct library_making *m = container_of(r, struct library_making, request);
	struct served_library *s = container_of(m, struct served_library, making);
	const char *barcode = m->tapes[m->next++].barcode;

	m->busy = false;
	if (r->result == LIBRARY_EXISTS)
		log_msg(LOG_NOTICE,
			"library %s: cartridge %s is declared and not made: its barcode "
			"was in use before",
			s->traits.name, barcode);
	else if (r->result != LIBRARY_OK && r->result != LIBRARY_CLOSING)
		log_msg(LOG_ERR, "library %s: cartridge %s is not made: %s%s%s", s->traits.name,
			barcode, library_result_text(r->result), *r->why ? ": " : "", r->why);
	make_next(s);
}

static bool is_there(const struct served_library *s, const char *barcode)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", s->traits.path, barcode);
	return !stat(path, &st);
}

static void make_next(struct served_library *s)
{
	struct library_making *m = &s->making;
	const struct config_tape *t;

	/* A library that closes has no robot any more. */
	while (!s->closing && m->next < m->n &&
		library_tape(s->robot, m->tapes[m->next].barcode, NULL, NULL))
		m->next++;
	if (m->next == m->n || s->closing) {
		making_clear(m);
		tell(s->env);
		return;
	}
	t = &m->tapes[m->next];
	m->request = (struct library_request){
		.op = LIBRARY_ADD,
		.where = LIBRARY_ANYWHERE,
		.barcode = t->barcode,
		.add = { .size = t->size, .worm = t->worm, .existing = is_there(s, t->barcode) },
		.done = on_made,
		.home = s->env->loop,
	};
	m->busy = true;
	library_submit(s->robot, &m->request);
}

/* Adds to what is to be made; what is there already is left out in its turn. */
static bool want_tapes(struct library_making *m, const struct config_library *row)
{
	struct config_tape *v = reallocarray(m->tapes, m->n + row->n_tapes + 1, sizeof(*v));

	if (!v)
		return false;
	m->tapes = v;
	for (size_t i = 0; i < row->n_tapes; i++) {
		v[m->n] = row->tapes[i];
		v[m->n].barcode = strdup(row->tapes[i].barcode);
		if (!v[m->n].barcode)
			return false;
		m->n++;
	}
	return true;
}

static void declare_tapes(struct served_library *s, const struct config_library *row)
{
	if (!want_tapes(&s->making, row))
		log_msg(LOG_ERR, "library %s: out of memory: not all its cartridges are made",
			s->traits.name);
	if (s->loaded && !s->making.busy)
		make_next(s);
}

/* --- taking up cartridges ------------------------------------------------------------------- */

/* Drives have what they held, and the others are empty. */
static void on_drives_settled(struct served_library *s)
{
	s->loaded = true;
	make_next(s);
	served_library_mail_changed(s);
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
		tell(s->env);
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

static void start(struct served_library *s)
{
	if (!s->committed || s->started || s->closing || must_wait(s))
		return;
	s->started = true;
	library_load(s->robot, on_loaded, s);
}

static void start_next(struct libraries_env *env)
{
	list_for_each(l, &env->open)
		start(container_of(l, struct served_library, link));
}

/* --- from mail slots to the archive --------------------------------------------------------- */

/* The first cartridge behind the last one that is to go. */
static bool find_leaving(const struct catalog_tape *t, void *arg)
{
	char *barcode = arg;

	if (t->place.kind != CATALOG_IN_MAIL_SLOT || !*t->pool || strcmp(t->barcode, barcode) <= 0)
		return true;
	snprintf(barcode, BARCODE_SIZE, "%s", t->barcode);
	return false;
}

static void archive_next(struct served_library *s);

static void on_archived(struct library_request *r)
{
	struct library_transit *t = container_of(r, struct library_transit, request);
	struct served_library *s = container_of(t, struct served_library, transit);

	t->busy = false;
	if (r->result == LIBRARY_LOCKED)
		served_library_mail_changed(s);
	else if (r->result)
		log_msg(LOG_WARNING, "library %s: cartridge %s is not archived: %s%s%s",
			s->traits.name, t->barcode, library_result_text(r->result),
			*r->why ? ": " : "", r->why);
	if (!s->closing)
		archive_next(s);
}

static void archive_next(struct served_library *s)
{
	struct library_transit *t = &s->transit;
	char last[BARCODE_SIZE];

	memcpy(last, t->barcode, sizeof(last));
	library_tapes(s->robot, find_leaving, t->barcode);
	if (!strcmp(last, t->barcode))
		return;
	t->request = (struct library_request){
		.op = LIBRARY_ARCHIVE,
		.barcode = t->barcode,
		.done = on_archived,
		.home = s->env->loop,
	};
	t->busy = true;
	library_submit(s->robot, &t->request);
}

static void on_transit(struct loop_timer *timer)
{
	struct library_transit *t = container_of(timer, struct library_transit, timer);
	struct served_library *s = container_of(t, struct served_library, transit);

	if (t->busy) {
		loop_timer_set(timer, TRANSIT_MS);
		return;
	}
	t->barcode[0] = '\0';
	archive_next(s);
}

void served_library_mail_changed(struct served_library *s)
{
	if (!s->closing)
		loop_timer_set(&s->transit.timer, TRANSIT_MS);
}

/* --- sets ----------------------------------------------------------------------------------- */

static struct served_library *find_same(const struct libraries *old, const struct library_traits *t)
{
	for (size_t i = 0; old && i < old->n; i++)
		if (same_traits(&old->v[i]->traits, t))
			return old->v[i];
	return NULL;
}

static int prepare_row(struct libraries *ls, const struct libraries *old,
	const struct config_library *row, struct faults *faults)
{
	struct served_library *s;
	struct library_traits t;
	int err = 0;

	if (!traits_of(ls->env, row, &t))
		return registry_fault(faults, ls->cfg, row, -ENOMEM, "out of memory");
	s = find_same(old, &t);
	if (s) {
		traits_free(&t);
		s->holds++;
	} else {
		err = open_library(ls->env, ls->cfg, row, &t, &s, faults);
	}
	if (err)
		return err;
	for (size_t i = 0; !err && i < ls->n; i++)
		if (share_directory(ls->v[i], s))
			err = registry_fault(faults, ls->cfg, &row->path, -EBUSY,
				"library %s: a directory of it is one of library %s, too",
				row->name, ls->v[i]->traits.name);
	ls->v[ls->n++] = s;
	return err;
}

int libraries_prepare(struct libraries_env *env, const struct config *cfg, struct libraries *old,
	struct libraries **out, struct faults *faults)
{
	struct libraries *ls = calloc(1, sizeof(*ls));
	int err = 0;

	if (ls)
		ls->v = calloc(cfg->n_libraries + 1, sizeof(struct served_library *));
	if (!ls || !ls->v) {
		free(ls);
		return registry_fault(faults, cfg, NULL, -ENOMEM, "out of memory");
	}
	ls->env = env;
	ls->cfg = cfg;
	for (size_t i = 0; err != -ENOMEM && i < cfg->n_libraries; i++) {
		int failed = prepare_row(ls, old, &cfg->libraries[i], faults);

		err = failed ? failed : err;
	}
	if (err)
		libraries_abandon(ls);
	else
		*out = ls;
	return err;
}

void libraries_abandon(struct libraries *ls)
{
	for (size_t i = 0; ls && i < ls->n; i++)
		if (!ls->v[i]->committed)
			unmake_directories(ls->v[i]);
	libraries_free(ls);
}

static void say_who_may_log_in(const struct config_library *row)
{
	if (!config_chap_needed(row->auth, row->n_credentials))
		log_msg(LOG_NOTICE,
			"library %s: any of its devices is open to all until it has a credential",
			row->name);
}

void libraries_commit(struct libraries *ls)
{
	for (size_t i = 0; i < ls->n; i++) {
		struct served_library *s = ls->v[i];
		const struct config_library *row = &ls->cfg->libraries[i];

		if (!s->committed)
			say_who_may_log_in(row);
		s->committed = true;
		declare_tapes(s, row);
		start(s);
	}
}

void libraries_free(struct libraries *ls)
{
	if (!ls)
		return;
	for (size_t i = 0; i < ls->n; i++)
		served_library_release(ls->v[i]);
	free(ls->v);
	free(ls);
}

struct served_library *libraries_find(const struct libraries *ls, const struct config_library *row)
{
	size_t i = (size_t)(row - ls->cfg->libraries);

	assert(i < ls->n);
	return ls->v[i];
}

struct served_library *libraries_named(const struct libraries *ls, const char *name)
{
	for (size_t i = 0; i < ls->n; i++)
		if (!strcmp(ls->v[i]->traits.name, name))
			return ls->v[i];
	return NULL;
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
