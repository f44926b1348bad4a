/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Volumes. A change goes this way, and the next begins when it has arrived:
 *
 *   check     what can be refused is refused
 *   file      a new volume's is made, and is on the disk before anything speaks of it
 *   catalog   the row and its audit entry, in one transaction
 *   apply     a configuration with the new list of volumes takes the road of a reload
 *   done      a deleted volume's file is removed; the maker is told
 *
 * Killed before the catalog has it, a change has not been; a file may be left then that is nobody's.
 * Killed behind, the next start serves it. Where the configuration cannot be applied, for want of
 * memory or descriptors, the row is put back as it was.
 */
#include "registry_volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "catalog/volume.h"
#include "config/made.h"
#include "iscsi/name.h"
#include "registry_private.h"

#define ID_SIZE 32

struct volume {
	char id[ID_SIZE], file[ID_SIZE + 8];
	char pool[72], gateway[40];
	char target[REGISTRY_NAME_SIZE];
	uint64_t size;
	uint32_t block_size, lun;
	bool attached;
	int64_t created;
	char trouble[160];
};

struct op {
	struct list link;
	struct registry *r;
	struct registry_volume_change what;
	char *id, *pool, *target, *gateway, *who;
	struct volume was, is;
	bool undo; /* the row is on its way back */
	struct catalog_request request;
	enum registry_volume_result result;
	char text[400];
};

struct volumes {
	struct volume *v; /* by id */
	size_t n;
	struct list queue;
	struct op *now;
	bool running; /* the queue is being walked further up the stack */
	bool stopped;
};

/* --- the list ------------------------------------------------------------------------------- */

int volumes_create(struct volumes **out)
{
	struct volumes *vs = calloc(1, sizeof(*vs));

	if (!vs)
		return -ENOMEM;
	list_init(&vs->queue);
	*out = vs;
	return 0;
}

static struct volume *find(struct volumes *vs, const char *id)
{
	for (size_t i = 0; id && i < vs->n; i++)
		if (!strcmp(vs->v[i].id, id))
			return &vs->v[i];
	return NULL;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct volume *)a)->id, ((const struct volume *)b)->id);
}

/* There is room for one more at any time, so that what has been stored can be taken in. */
static bool make_room(struct volumes *vs)
{
	struct volume *grown = reallocarray(vs->v, vs->n + 1, sizeof(*grown));

	if (grown)
		vs->v = grown;
	return grown;
}

static void put(struct volumes *vs, const struct volume *v)
{
	struct volume *at = find(vs, v->id);

	if (!at)
		at = &vs->v[vs->n++];
	*at = *v;
	qsort(vs->v, vs->n, sizeof(*vs->v), by_id);
}

static void take_out(struct volumes *vs, const char *id)
{
	struct volume *at = find(vs, id);

	if (!at)
		return;
	memmove(at, at + 1, (size_t)(vs->v + --vs->n - at) * sizeof(*at));
}

static int load_row(const struct catalog_volume *c, void *arg)
{
	struct volumes *vs = arg;
	struct volume v = { .size = c->size,
		.block_size = c->block_size,
		.lun = c->lun,
		.attached = c->attached,
		.created = c->created };

	if (c->kind != CATALOG_VOLUME_POOL)
		return 0;
	if (!make_room(vs))
		return -ENOMEM;
	snprintf(v.id, sizeof(v.id), "%s", c->id);
	snprintf(v.file, sizeof(v.file), "%s", c->file);
	snprintf(v.pool, sizeof(v.pool), "%s", c->pool);
	snprintf(v.gateway, sizeof(v.gateway), "%s", c->gateway);
	snprintf(v.target, sizeof(v.target), "%s", c->target);
	put(vs, &v);
	return 0;
}

static int load_all(struct catalog_tx *tx, void *arg)
{
	return catalog_volume_load(tx, load_row, arg);
}

int volumes_load(struct registry *r, struct catalog_error *why)
{
	r->volumes->n = 0;
	return catalog_run(r->catalog, load_all, r->volumes, why);
}

/* --- places --------------------------------------------------------------------------------- */

/* With NULL: the first. */
static const struct config_pool *find_pool(const struct config *cfg, const char *name)
{
	for (size_t i = 0; cfg && i < cfg->n_pools; i++)
		if (!name || !strcmp(cfg->pools[i].name, name))
			return &cfg->pools[i];
	return NULL;
}

/* The caller's to free; NULL: no such pool, or no memory. */
static char *path_of(const struct config *cfg, const struct volume *v)
{
	const struct config_pool *pool = find_pool(cfg, v->pool);
	char *path = NULL;

	if (!pool || asprintf(&path, "%s/%s", pool->path, v->file) < 0)
		return NULL;
	return path;
}

/* An identifier that goes with the volume wherever it is attached; of the form that units have that
 * the file declares without one. */
static bool naa_of(const struct registry *r, const struct volume *v, char naa[static 33])
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
		  EVP_DigestUpdate(ctx, r->env.identity, sizeof(r->env.identity)) &&
		  EVP_DigestUpdate(ctx, v->id, strlen(v->id)) &&
		  EVP_DigestFinal_ex(ctx, hash, NULL);
	int n = snprintf(naa, 33, "6024353");

	EVP_MD_CTX_free(ctx);
	for (size_t i = 0; ok && i < 13; i++)
		n += snprintf(naa + n, (size_t)(33 - n), "%02x", hash[i]);
	naa[32] = '\0';
	return ok;
}

/* --- serving -------------------------------------------------------------------------------- */

static bool in_trouble(struct volume *v, const char *text)
{
	if (strcmp(v->trouble, text) != 0)
		log_msg(LOG_ERR, "volume %s is not served: %s", v->id, text);
	snprintf(v->trouble, sizeof(v->trouble), "%s", text);
	return true;
}

/* What stands in the way of a volume. A file that is not there is never made anew: its file system
 * may not be mounted, and hosts would see an empty disk. */
static bool has_trouble(const struct config *cfg, struct volume *v, const char *path)
{
	struct stat st;

	if (!find_pool(cfg, v->pool))
		return in_trouble(v, "the configuration file has its pool no more");
	if (config_declares_target(cfg, v->target))
		return in_trouble(v, "the configuration file declares its target");
	if (config_declares_path(cfg, path))
		return in_trouble(v, "the configuration file declares a LUN on its file");
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return in_trouble(v, "its file is not there");
	*v->trouble = '\0';
	return false;
}

static int add_one(struct registry *r, struct config *cfg, struct volume *v, const char *path)
{
	char naa[33];
	const struct config_made made = { .target = v->target,
		.lun = v->lun,
		.path = path,
		.naa = naa,
		.size = v->size,
		.block_size = v->block_size };

	if (has_trouble(cfg, v, path))
		return 0;
	return naa_of(r, v, naa) && config_make(cfg, &made) ? 0 : -ENOMEM;
}

int volumes_add(struct registry *r, struct config *cfg)
{
	int err = 0;

	for (size_t i = 0; !err && i < r->volumes->n; i++) {
		struct volume *v = &r->volumes->v[i];
		char *path = path_of(cfg, v);

		*v->trouble = v->attached ? *v->trouble : '\0';
		if (v->attached)
			err = path || !find_pool(cfg, v->pool) ? add_one(r, cfg, v, path)
							       : -ENOMEM;
		free(path);
	}
	return err;
}

/* --- looking -------------------------------------------------------------------------------- */

static struct registry_volume view(const struct volume *v, const char *path)
{
	return (struct registry_volume){ .id = v->id,
		.pool = v->pool,
		.path = path,
		.target = v->target,
		.lun = v->lun,
		.size = v->size,
		.block_size = v->block_size,
		.attached = v->attached,
		.trouble = *v->trouble ? v->trouble : NULL,
		.created = v->created };
}

void registry_volumes(const struct registry *r,
	void (*each)(void *arg, const struct registry_volume *volume), void *arg)
{
	for (size_t i = 0; i < r->volumes->n; i++) {
		char *path = path_of(r->now.cfg, &r->volumes->v[i]);
		struct registry_volume v = view(&r->volumes->v[i], path);

		each(arg, &v);
		free(path);
	}
}

/* --- the end of a change -------------------------------------------------------------------- */

static void walk(struct registry *r);

static const char *result_text(enum registry_volume_result result)
{
	static const char *const texts[] = {
#define AS_TEXT(id, text) [id] = (text),
		REGISTRY_VOLUME_RESULTS(AS_TEXT)
#undef AS_TEXT
	};

	return texts[result];
}

static void op_free(struct op *op)
{
	free(op->id);
	free(op->pool);
	free(op->target);
	free(op->gateway);
	free(op->who);
	free(op);
}

/* Tells the maker. op is gone. */
static void finish(struct op *op, enum registry_volume_result result)
{
	char *path = path_of(op->r->now.cfg, &op->is);
	struct registry_volume v = view(&op->is, path);
	struct registry_volume_outcome o = { .result = result,
		.volume = result ? NULL : &v,
		.text = *op->text ? op->text : result_text(result) };

	op->what.done(op->what.arg, &o);
	free(path);
	op_free(op);
}

static void arrive(struct op *op, enum registry_volume_result result)
{
	struct registry *r = op->r;

	r->volumes->now = NULL;
	finish(op, result);
	walk(r);
}

/* --- the file ------------------------------------------------------------------------------- */

static int sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 || fsync(fd) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

static int make_file(const char *dir, const char *path, uint64_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int err;

	if (fd < 0)
		return -errno;
	err = ftruncate(fd, (off_t)size) || fsync(fd) ? -errno : sync_directory(dir);
	close(fd);
	if (err)
		unlink(path);
	return err;
}

static bool make_volume_file(struct op *op)
{
	const struct config *cfg = op->r->now.cfg;
	char *path = path_of(cfg, &op->is);
	int err = path ? make_file(find_pool(cfg, op->is.pool)->path, path, op->is.size) : -ENOMEM;

	if (err)
		snprintf(op->text, sizeof(op->text), "%s: %s", path ? path : op->is.pool,
			strerror(-err));
	free(path);
	return !err;
}

static void remove_file(const struct op *op)
{
	char *path = path_of(op->r->now.cfg, &op->is);

	if (path && unlink(path) && errno != ENOENT)
		log_msg(LOG_WARNING, "volume %s: %s stays: %s", op->is.id, path, strerror(errno));
	free(path);
}

/* --- the catalog ---------------------------------------------------------------------------- */

static const char *const verbs[] = {
	[VOLUME_CREATE] = "create volume",
	[VOLUME_RESIZE] = "resize volume",
	[VOLUME_ATTACH] = "attach volume",
	[VOLUME_DETACH] = "detach volume",
	[VOLUME_DELETE] = "delete volume",
};

static struct catalog_volume row_of(const struct volume *v)
{
	return (struct catalog_volume){ .id = v->id,
		.gateway = v->gateway,
		.kind = CATALOG_VOLUME_POOL,
		.pool = v->pool,
		.file = v->file,
		.size = v->size,
		.block_size = v->block_size,
		.target = v->target,
		.lun = v->lun,
		.attached = v->attached,
		.created = v->created };
}

static int write_row(const struct op *op, struct catalog_tx *tx)
{
	const struct catalog_volume is = row_of(&op->is), was = row_of(&op->was);

	switch (op->what.verb) {
	case VOLUME_CREATE:
		return op->undo ? catalog_volume_remove(tx, is.id) : catalog_volume_add(tx, &is);
	case VOLUME_DELETE:
		return op->undo ? catalog_volume_add(tx, &was) : catalog_volume_remove(tx, is.id);
	default: return catalog_volume_put(tx, op->undo ? &was : &is);
	}
}

/* On the catalog's thread. */
static int store(struct catalog_request *request, struct catalog_tx *tx)
{
	const struct op *op = container_of(request, struct op, request);
	char detail[400];
	const struct catalog_audit audit = { .who = op->who,
		.what = verbs[op->what.verb],
		.object = op->is.id,
		.detail = detail,
		.result = op->undo ? "undone: it could not be served" : "done" };
	int err = write_row(op, tx);

	/* Names are of letters, digits and the like: nothing that JSON would have to escape. */
	snprintf(detail, sizeof(detail), "{\"target\":\"%s\",\"lun\":%u,\"size\":%llu}",
		op->is.target, op->is.lun, (unsigned long long)op->is.size);
	return err ? err : catalog_audit_add(tx, &audit);
}

static void submit(struct op *op, void (*done)(struct catalog_request *request))
{
	op->request = (struct catalog_request){ .run = store, .done = done, .home = op->r->loop };
	catalog_submit(op->r->catalog, &op->request);
}

/* --- into force ----------------------------------------------------------------------------- */

static void on_in_force(void *arg)
{
	struct op *op = arg;
	struct log_quoted who;

	if (op->what.verb == VOLUME_DELETE)
		remove_file(op);
	log_msg(LOG_NOTICE, "%s %s (LUN %u of %s) by %s", verbs[op->what.verb], op->is.id,
		op->is.lun, op->is.target, log_quote(op->who, strlen(op->who), &who));
	arrive(op, VOLUME_DONE);
}

static void on_undone(struct catalog_request *request)
{
	struct op *op = container_of(request, struct op, request);

	if (request->err)
		log_msg(LOG_ERR, "volume %s: %s: what could not be served is still in the catalog",
			op->is.id, request->why.text);
	else if (op->what.verb == VOLUME_CREATE)
		remove_file(op);
	arrive(op, VOLUME_NOT_SERVED);
}

static void take_in(struct op *op, bool undo)
{
	struct volumes *vs = op->r->volumes;

	if (op->what.verb == (undo ? VOLUME_CREATE : VOLUME_DELETE))
		take_out(vs, op->is.id);
	else
		put(vs, undo ? &op->was : &op->is);
}

/* The row is stored: there has to be a world with it. */
static int apply(struct op *op)
{
	struct config *next = config_copy_declared(op->r->now.cfg);
	struct faults faults = { 0 };
	int err = next ? registry_apply(op->r, next, on_in_force, op, &faults) : -ENOMEM;

	if (err) {
		snprintf(op->text, sizeof(op->text), "%s",
			faults.n ? faults.v[0].text : strerror(-err));
		config_free(next);
	}
	faults_free(&faults);
	return err;
}

static void on_stored(struct catalog_request *request)
{
	struct op *op = container_of(request, struct op, request);

	if (request->err) {
		snprintf(op->text, sizeof(op->text), "%s", request->why.text);
		if (op->what.verb == VOLUME_CREATE)
			remove_file(op);
		arrive(op, VOLUME_NOT_STORED);
		return;
	}
	take_in(op, false);
	if (op->r->volumes->stopped) {
		on_in_force(op); /* nobody is left to see it; the next start serves it */
		return;
	}
	if (apply(op)) {
		take_in(op, true);
		op->undo = true;
		submit(op, on_undone);
	}
}

/* --- checks --------------------------------------------------------------------------------- */

static bool is_taken(const struct volumes *vs, const char *target, uint32_t lun)
{
	for (size_t i = 0; i < vs->n; i++)
		if (vs->v[i].attached && vs->v[i].lun == lun && !strcmp(vs->v[i].target, target))
			return true;
	return false;
}

static enum registry_volume_result choose_lun(const struct op *op, struct volume *v)
{
	int64_t lun = op->what.lun;

	if (lun == VOLUME_ANY_LUN)
		for (lun = 0; lun <= VOLUME_LUN_MAX; lun++)
			if (!is_taken(op->r->volumes, v->target, (uint32_t)lun))
				break;
	if (lun < 0 || lun > VOLUME_LUN_MAX || is_taken(op->r->volumes, v->target, (uint32_t)lun))
		return VOLUME_LUN_TAKEN;
	v->lun = (uint32_t)lun;
	return VOLUME_DONE;
}

static enum registry_volume_result choose_place(const struct op *op, struct volume *v)
{
	if (op->target && !registry_initiator_name(op->target, v->target))
		return VOLUME_BAD_TARGET;
	if (!*v->target)
		return VOLUME_BAD_TARGET;
	if (config_declares_target(op->r->now.cfg, v->target))
		return VOLUME_DECLARED;
	v->attached = true;
	return choose_lun(op, v);
}

static enum registry_volume_result check_size(
	const struct op *op, const struct config_pool *pool, const struct volume *v)
{
	uint64_t others = 0;

	if (!v->size || v->size % v->block_size || v->size > INT64_MAX)
		return VOLUME_BAD_SIZE;
	for (size_t i = 0; i < op->r->volumes->n; i++)
		if (!strcmp(op->r->volumes->v[i].pool, v->pool) &&
			strcmp(op->r->volumes->v[i].id, v->id) != 0)
			others += op->r->volumes->v[i].size;
	if (pool->max_size && (others > pool->max_size || v->size > pool->max_size - others))
		return VOLUME_NO_ROOM;
	return VOLUME_DONE;
}

static bool choose_id(struct volumes *vs, struct volume *v)
{
	uint32_t n;

	do {
		if (RAND_bytes((unsigned char *)&n, sizeof(n)) != 1)
			return false;
		snprintf(v->id, sizeof(v->id), "vol-%08X", n);
	} while (find(vs, v->id));
	snprintf(v->file, sizeof(v->file), "%s.img", v->id);
	return true;
}

static enum registry_volume_result check_create(struct op *op)
{
	const struct config_pool *pool = find_pool(op->r->now.cfg, op->pool);
	struct volume *v = &op->is;
	enum registry_volume_result result;

	if (!pool)
		return VOLUME_NO_POOL;
	v->size = op->what.size;
	v->block_size = op->what.block_size ? op->what.block_size : 512;
	v->created = (int64_t)time(NULL);
	snprintf(v->pool, sizeof(v->pool), "%s", pool->name);
	snprintf(v->gateway, sizeof(v->gateway), "%s", op->gateway ? op->gateway : "");
	if (v->block_size != 512 && v->block_size != 4096)
		return VOLUME_BAD_BLOCK;
	result = check_size(op, pool, v);
	if (!result)
		result = choose_place(op, v);
	if (!result && (!make_room(op->r->volumes) || !choose_id(op->r->volumes, v)))
		result = VOLUME_NO_MEMORY;
	if (!result && !make_volume_file(op))
		result = VOLUME_NOT_MADE;
	return result;
}

static enum registry_volume_result check_resize(struct op *op)
{
	const struct config_pool *pool = find_pool(op->r->now.cfg, op->is.pool);

	if (!pool)
		return VOLUME_NO_POOL;
	op->is.size = op->what.size;
	if (op->is.size < op->was.size)
		return VOLUME_SHRINKS;
	return check_size(op, pool, &op->is);
}

static bool in_use(const struct op *op)
{
	return op->was.attached && !op->what.force &&
	       registry_sessions_of(op->r, op->was.target);
}

static enum registry_volume_result check(struct op *op)
{
	const struct volume *v;

	if (op->what.verb == VOLUME_CREATE)
		return check_create(op);
	v = find(op->r->volumes, op->id);
	if (!v)
		return VOLUME_NOT_FOUND;
	op->was = op->is = *v;
	switch (op->what.verb) {
	case VOLUME_RESIZE: return check_resize(op);
	case VOLUME_ATTACH: return v->attached ? VOLUME_ATTACHED : choose_place(op, &op->is);
	case VOLUME_DETACH:
		op->is.attached = false;
		*op->is.trouble = '\0';
		return !v->attached ? VOLUME_DETACHED : in_use(op) ? VOLUME_IN_USE : VOLUME_DONE;
	default: return in_use(op) ? VOLUME_IN_USE : VOLUME_DONE;
	}
}

/* --- one after the other -------------------------------------------------------------------- */

static void begin(struct op *op)
{
	enum registry_volume_result result =
		op->r->volumes->stopped ? VOLUME_STOPPING : check(op);

	if (result) {
		arrive(op, result);
		return;
	}
	submit(op, on_stored);
}

static void walk(struct registry *r)
{
	struct volumes *vs = r->volumes;

	if (vs->running)
		return;
	vs->running = true;
	while (!vs->now && !list_empty(&vs->queue)) {
		struct list *first = vs->queue.next;

		list_del(first);
		vs->now = container_of(first, struct op, link);
		begin(vs->now);
	}
	vs->running = false;
}

static bool copy(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to;
}

void registry_volume_change(struct registry *r, const struct registry_volume_change *what)
{
	struct op *op = calloc(1, sizeof(*op));
	struct registry_volume_outcome failed = { .result = VOLUME_NO_MEMORY,
		.text = result_text(VOLUME_NO_MEMORY) };

	if (!op || !copy(&op->id, what->id) || !copy(&op->pool, what->pool) ||
		!copy(&op->target, what->target) || !copy(&op->gateway, what->gateway) ||
		!copy(&op->who, what->who)) {
		if (op)
			op_free(op);
		what->done(what->arg, &failed);
		return;
	}
	op->r = r;
	op->what = *what;
	list_push(&r->volumes->queue, &op->link);
	walk(r);
}

/* --- the end -------------------------------------------------------------------------------- */

void volumes_stop(struct registry *r)
{
	r->volumes->stopped = true;
	walk(r);
}

void volumes_free(struct registry *r)
{
	if (r->volumes->now)
		finish(r->volumes->now, VOLUME_DONE);
	free(r->volumes->v);
	free(r->volumes);
	r->volumes = NULL;
}
