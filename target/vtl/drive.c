/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The drive. Its queue is a list of jobs of which the first is with the pool: whoever ends hands
 * the next one in. The cartridge belongs to the job that runs; the copy of what it is belongs to
 * the lock.
 */
#include "vtl/drive.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define SERIAL_MAX 32

struct drive {
	unsigned int generation;
	char vendor[9], product[17], revision[5], serial[SERIAL_MAX + 1];
	struct work_pool *pool;

	/* The job's that runs. */
	char *path; /* of the cartridge that is in it, or NULL */
	bool tab;   /* its write protect tab */
	struct cartridge *cartridge;

	pthread_mutex_t lock;
	struct list queue; /* jobs that wait */
	bool running;
	unsigned int visits; /* that wait, or are under way */
	struct drive_status status;
	struct cartridge_counters before; /* of earlier loads */

	pthread_mutex_t listening;
	struct list listeners;
};

/* --- making one ------------------------------------------------------------------------------ */

static bool text_valid(const char *text, size_t max)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return n <= max;
}

/* Vendor, product and revision are fields of INQUIRY. */
static bool describe(struct drive *d, const struct drive_cfg *cfg)
{
	char product[17];
	const char *v = cfg->vendor && *cfg->vendor ? cfg->vendor : "IBM";
	const char *p = cfg->product && *cfg->product ? cfg->product : product;
	const char *r = cfg->revision && *cfg->revision ? cfg->revision : "J5S0";

	snprintf(product, sizeof(product), "ULT3580-TD%u", cfg->generation % 10);
	if (!cfg->serial || !*cfg->serial || !text_valid(cfg->serial, SERIAL_MAX) ||
		!text_valid(v, 8) || !text_valid(p, 16) || !text_valid(r, 4))
		return false;
	snprintf(d->vendor, sizeof(d->vendor), "%s", v);
	snprintf(d->product, sizeof(d->product), "%s", p);
	snprintf(d->revision, sizeof(d->revision), "%s", r);
	snprintf(d->serial, sizeof(d->serial), "%s", cfg->serial);
	d->generation = cfg->generation;
	return true;
}

int drive_create(const struct drive_cfg *cfg, struct drive **out)
{
	struct drive *d;

	if (!media_generation(cfg->generation) || !cfg->pool)
		return -EINVAL;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	if (!describe(d, cfg)) {
		free(d);
		return -EINVAL;
	}
	d->pool = cfg->pool;
	if (cfg->starting)
		d->status.medium.state = DRIVE_STARTING;
	pthread_mutex_init(&d->lock, NULL);
	pthread_mutex_init(&d->listening, NULL);
	list_init(&d->queue);
	list_init(&d->listeners);
	*out = d;
	return 0;
}

static int close_cartridge(struct drive *d);

void drive_free(struct drive *d)
{
	if (!d)
		return;
	assert(!d->running && list_empty(&d->queue) && list_empty(&d->listeners));
	close_cartridge(d);
	free(d->path);
	pthread_mutex_destroy(&d->listening);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

unsigned int drive_generation(const struct drive *d)
{
	return d->generation;
}

const char *drive_vendor(const struct drive *d)
{
	return d->vendor;
}

const char *drive_product(const struct drive *d)
{
	return d->product;
}

const char *drive_revision(const struct drive *d)
{
	return d->revision;
}

const char *drive_serial(const struct drive *d)
{
	return d->serial;
}

/* --- jobs ------------------------------------------------------------------------------------ */

static uint64_t used_of(const struct cartridge *c)
{
	struct cartridge_usage u;
	uint64_t sum = 0;

	for (unsigned int k = 0; cartridge_usage(c, k, &u) == CARTRIDGE_OK; k++)
		sum += u.used;
	return sum;
}

/* Takes down where the tape stands, for whoever asks. */
static void note_position(struct drive *d)
{
	struct drive_status s = { .usage = { 0 } };

	if (!d->cartridge)
		return;
	cartridge_position(d->cartridge, &s.position);
	cartridge_usage(d->cartridge, s.position.partition, &s.usage);
	s.used = used_of(d->cartridge);
	cartridge_counters(d->cartridge, NULL, &s.load);
	pthread_mutex_lock(&d->lock);
	d->status.position = s.position;
	d->status.usage = s.usage;
	d->status.used = s.used;
	d->status.used_known = true;
	d->status.load = s.load;
	pthread_mutex_unlock(&d->lock);
}

static void carry_out(struct work *w)
{
	struct drive_job *job = container_of(w, struct drive_job, work);
	struct drive *d = job->drive;
	struct drive_job *next = NULL;

	job->run(d, job);
	note_position(d);
	pthread_mutex_lock(&d->lock);
	d->visits -= job->visit;
	if (list_empty(&d->queue)) {
		d->running = false;
	} else {
		next = container_of(list_pop(&d->queue), struct drive_job, link);
		next->waiting = false;
	}
	pthread_mutex_unlock(&d->lock);
	if (next)
		work_submit(d->pool, &next->work);
}

static void tell(struct work *w)
{
	struct drive_job *job = container_of(w, struct drive_job, work);

	job->done(job);
}

/* Under the lock. Whether the job is to begin at once; else it may be over as soon as the lock is
 * released. */
static bool enqueue(struct drive *d, struct drive_job *job)
{
	bool first = !d->running;

	job->drive = d;
	job->work = (struct work){ .run = carry_out, .done = tell, .home = job->home };
	list_init(&job->link);
	job->waiting = !first;
	if (!first)
		list_push(&d->queue, &job->link);
	d->running = true;
	d->visits += job->visit;
	return first;
}

void drive_submit(struct drive *d, struct drive_job *job)
{
	bool first;

	pthread_mutex_lock(&d->lock);
	first = enqueue(d, job);
	pthread_mutex_unlock(&d->lock);
	if (first)
		work_submit(d->pool, &job->work);
}

bool drive_submit_unless_visited(struct drive *d, struct drive_job *job)
{
	bool first = false, visited;

	pthread_mutex_lock(&d->lock);
	visited = d->visits;
	if (!visited)
		first = enqueue(d, job);
	pthread_mutex_unlock(&d->lock);
	if (first)
		work_submit(d->pool, &job->work);
	return !visited;
}

bool drive_cancel(struct drive *d, struct drive_job *job)
{
	bool waiting;

	pthread_mutex_lock(&d->lock);
	waiting = job->waiting;
	if (waiting) {
		list_del(&job->link);
		d->visits -= job->visit;
	}
	job->waiting = false;
	pthread_mutex_unlock(&d->lock);
	return waiting;
}

/* --- being told ------------------------------------------------------------------------------ */

static void announce(struct drive *d, enum drive_event event)
{
	pthread_mutex_lock(&d->listening);
	list_for_each(it, &d->listeners) {
		struct drive_listener *ls = container_of(it, struct drive_listener, link);

		ls->changed(ls, event);
	}
	pthread_mutex_unlock(&d->listening);
}

void drive_listen(struct drive *d, struct drive_listener *ls)
{
	pthread_mutex_lock(&d->listening);
	list_push(&d->listeners, &ls->link);
	pthread_mutex_unlock(&d->listening);
}

void drive_unlisten(struct drive *d, struct drive_listener *ls)
{
	pthread_mutex_lock(&d->listening);
	list_del(&ls->link);
	pthread_mutex_unlock(&d->listening);
}

bool drive_removable(struct drive *d)
{
	bool prevented = false;

	pthread_mutex_lock(&d->listening);
	list_for_each(it, &d->listeners) {
		struct drive_listener *ls = container_of(it, struct drive_listener, link);

		prevented = prevented || (ls->prevents && ls->prevents(ls));
	}
	pthread_mutex_unlock(&d->listening);
	return !prevented;
}

/* --- cartridges ------------------------------------------------------------------------------ */

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void describe_medium(const struct drive *d, struct drive_medium *m)
{
	const struct cartridge_info *info = cartridge_info(d->cartridge);

	snprintf(m->barcode, sizeof(m->barcode), "%s", info->barcode);
	m->media = info->media;
	m->worm = info->worm;
	m->write_protect = info->write_protect || !media_writes(d->generation, info->media);
	m->partitions = info->partitions;
	memcpy(m->partition_capacity, info->partition_capacity, sizeof(m->partition_capacity));
}

static void set_state(struct drive *d, enum drive_state state, int err)
{
	struct drive_medium m = { .state = state, .err = err };

	if (d->path)
		snprintf(m.barcode, sizeof(m.barcode), "%.32s", last_component(d->path));
	if (d->cartridge)
		describe_medium(d, &m);
	pthread_mutex_lock(&d->lock);
	d->status.medium = m;
	pthread_mutex_unlock(&d->lock);
}

static int close_cartridge(struct drive *d)
{
	struct cartridge_counters load;
	int err;

	if (!d->cartridge)
		return 0;
	cartridge_counters(d->cartridge, NULL, &load);
	pthread_mutex_lock(&d->lock);
	cartridge_counters_add(&d->before, &load);
	d->status.load = (struct cartridge_counters){ 0 };
	d->status.position = (struct cartridge_position){ 0 };
	d->status.usage = (struct cartridge_usage){ 0 };
	pthread_mutex_unlock(&d->lock);
	err = cartridge_close(d->cartridge);
	d->cartridge = NULL;
	if (err)
		log_msg(LOG_ERR, "drive %s: closing %s: %s", d->serial, last_component(d->path),
			strerror(-err));
	return err;
}

/* What the drive makes of a cartridge that it could open. */
static enum drive_state judge(const struct drive *d)
{
	const struct cartridge_info *info = cartridge_info(d->cartridge);

	if (info->cleaning)
		return DRIVE_CLEANING;
	return media_reads(d->generation, info->media) ? DRIVE_LOADED : DRIVE_INCOMPATIBLE;
}

/* Opens the cartridge that is there. */
static int thread_medium(struct drive *d)
{
	char who[CARTRIDGE_DRIVE_SIZE];
	struct cartridge_opening how = { .write_protect = d->tab, .drive = who };
	enum drive_state state;
	int err;

	snprintf(who, sizeof(who), "%-8s%s", d->vendor, d->serial);
	err = cartridge_open(d->path, &how, &d->cartridge);
	if (err) {
		d->cartridge = NULL;
		log_msg(LOG_ERR, "drive %s: cannot read cartridge %s: %s", d->serial,
			last_component(d->path), strerror(-err));
		set_state(d, DRIVE_UNREADABLE, err);
		return err;
	}
	state = judge(d);
	if (state != DRIVE_LOADED)
		close_cartridge(d);
	pthread_mutex_lock(&d->lock);
	d->status.loads++;
	pthread_mutex_unlock(&d->lock);
	set_state(d, state, 0);
	return state == DRIVE_INCOMPATIBLE ? -EMEDIUMTYPE : 0;
}

int drive_insert(struct drive *d, const char *path, bool write_protect)
{
	int err;

	if (d->path)
		return -EEXIST;
	d->path = strdup(path);
	if (!d->path)
		return -ENOMEM;
	d->tab = write_protect;
	err = thread_medium(d);
	announce(d, DRIVE_INSERTED);
	return err;
}

void drive_settle(struct drive *d)
{
	if (d->status.medium.state != DRIVE_STARTING)
		return;
	set_state(d, DRIVE_EMPTY, 0);
	announce(d, DRIVE_SETTLED);
}

int drive_eject(struct drive *d)
{
	int err;

	if (!d->path)
		return 0;
	if (!drive_removable(d))
		return -EPERM;
	err = close_cartridge(d);
	free(d->path);
	d->path = NULL;
	pthread_mutex_lock(&d->lock);
	d->status.used_known = false;
	pthread_mutex_unlock(&d->lock);
	set_state(d, DRIVE_EMPTY, 0);
	announce(d, DRIVE_EJECTED);
	return err;
}

int drive_load(struct drive *d)
{
	int err;

	if (!d->path)
		return -ENOENT;
	if (drive_cartridge(d))
		return 0;
	close_cartridge(d); /* one that is held */
	err = thread_medium(d);
	announce(d, DRIVE_HOST_LOADED);
	return err;
}

int drive_unload(struct drive *d, bool hold)
{
	int err = 0;

	if (!d->cartridge && !(d->path && d->status.medium.state == DRIVE_CLEANING))
		return 0;
	if (!hold) {
		err = close_cartridge(d);
	} else if (d->cartridge) {
		err = cartridge_sync(d->cartridge) == CARTRIDGE_OK ? 0 : -EIO;
		cartridge_locate(d->cartridge, 0, 0);
	}
	set_state(d, d->cartridge ? DRIVE_HELD : DRIVE_UNLOADED, 0);
	announce(d, DRIVE_HOST_UNLOADED);
	return err;
}

/* The state is only ever changed by jobs, so that a job may look at it without the lock. */
struct cartridge *drive_cartridge(struct drive *d)
{
	return d->status.medium.state == DRIVE_LOADED ? d->cartridge : NULL;
}

struct cartridge *drive_memory(struct drive *d)
{
	return d->cartridge;
}

void drive_formatted(struct drive *d)
{
	set_state(d, d->status.medium.state, 0);
	announce(d, DRIVE_FORMATTED);
}

/* --- asking ---------------------------------------------------------------------------------- */

void drive_medium(struct drive *d, struct drive_medium *out)
{
	pthread_mutex_lock(&d->lock);
	*out = d->status.medium;
	pthread_mutex_unlock(&d->lock);
}

bool drive_full(struct drive *d)
{
	enum drive_state state;

	pthread_mutex_lock(&d->lock);
	state = d->status.medium.state;
	pthread_mutex_unlock(&d->lock);
	return state != DRIVE_EMPTY && state != DRIVE_STARTING;
}

void drive_status(struct drive *d, struct drive_status *out)
{
	bool removable = drive_removable(d);

	pthread_mutex_lock(&d->lock);
	*out = d->status;
	out->total = d->before;
	cartridge_counters_add(&out->total, &d->status.load);
	pthread_mutex_unlock(&d->lock);
	out->prevented = !removable;
}

void drive_note_compression(struct drive *d, bool on)
{
	pthread_mutex_lock(&d->lock);
	d->status.compression = on;
	pthread_mutex_unlock(&d->lock);
}
