/* SPDX-License-Identifier: BSD-2-Clause */
/* What a change asks for, held against the volumes that there are and the configuration. */
#include "registry/volume_op.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "config/made.h"

static const struct volume *attached_to(const struct volumes *vs, const char *target)
{
	for (size_t i = 0; i < vs->n; i++)
		if (vs->v[i].attached && !strcmp(vs->v[i].target, target))
			return &vs->v[i];
	return NULL;
}

static bool is_taken(const struct volumes *vs, const char *target, uint32_t lun)
{
	for (size_t i = 0; i < vs->n; i++)
		if (vs->v[i].attached && vs->v[i].lun == lun && !strcmp(vs->v[i].target, target))
			return true;
	return false;
}

static enum registry_volume_result choose_lun(const struct volume_op *op, struct volume *v)
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

static enum registry_volume_result choose_place(const struct volume_op *op, struct volume *v)
{
	if (op->target && !registry_initiator_name(op->target, v->target))
		return VOLUME_BAD_TARGET;
	if (!*v->target)
		return VOLUME_BAD_TARGET;
	if (config_declares_target(op->r->now.cfg, v->target))
		return VOLUME_DECLARED;
	if (op->what.alone && attached_to(op->r->volumes, v->target))
		return VOLUME_TARGET_TAKEN;
	if (op->portal && !volumes_has_portal(op->r->now.cfg, op->portal))
		return VOLUME_NO_PORTAL;
	if (op->portal)
		snprintf(v->portal, sizeof(v->portal), "%s", op->portal);
	v->attached = true;
	return choose_lun(op, v);
}

static enum registry_volume_result check_size(
	const struct volume_op *op, const struct config_pool *pool, const struct volume *v)
{
	const struct volumes *vs = op->r->volumes;
	uint64_t others = 0;

	if (!v->size || v->size % v->block_size || v->size > INT64_MAX)
		return VOLUME_BAD_SIZE;
	for (size_t i = 0; i < vs->n; i++)
		if (!strcmp(vs->v[i].pool, v->pool) && strcmp(vs->v[i].id, v->id) != 0)
			others += vs->v[i].size;
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
	} while (volumes_find(vs, v->id));
	return true;
}

static enum registry_volume_result check_pool(struct volume_op *op, struct volume *v)
{
	const struct config_pool *pool = volumes_pool(op->r->now.cfg, op->pool);

	if (!pool)
		return VOLUME_NO_POOL;
	v->size = op->what.size;
	snprintf(v->pool, sizeof(v->pool), "%s", pool->name);
	return check_size(op, pool, v);
}

static bool is_on(const struct volumes *vs, const char *disk)
{
	for (size_t i = 0; i < vs->n; i++)
		if (!strcmp(vs->v[i].disk, disk))
			return true;
	return false;
}

static enum registry_volume_result check_disk(struct volume_op *op, struct volume *v)
{
	const struct config *cfg = op->r->now.cfg;
	const char *path = volumes_disk(cfg, op->disk);

	if (!path || !registry_disk_size(path, &v->size))
		return VOLUME_NO_DISK;
	if (is_on(op->r->volumes, op->disk) || config_declares_path(cfg, path))
		return VOLUME_DISK_TAKEN;
	v->preserved = op->what.preserve;
	snprintf(v->disk, sizeof(v->disk), "%s", op->disk);
	return v->size && v->size % v->block_size == 0 ? VOLUME_DONE : VOLUME_BAD_SIZE;
}

static enum registry_volume_result check_create(struct volume_op *op)
{
	struct volumes *vs = op->r->volumes;
	struct volume *v = &op->is;
	enum registry_volume_result result;

	if (op->what.most && vs->n >= op->what.most)
		return VOLUME_TOO_MANY;
	v->block_size = op->what.block_size ? op->what.block_size : 512;
	v->created = (int64_t)time(NULL);
	snprintf(v->gateway, sizeof(v->gateway), "%s", op->gateway ? op->gateway : "");
	if (v->block_size != 512 && v->block_size != 4096)
		return VOLUME_BAD_BLOCK;
	result = op->disk ? check_disk(op, v) : check_pool(op, v);
	if (!result)
		result = choose_place(op, v);
	if (!result && (!volumes_make_room(vs) || !choose_id(vs, v)))
		result = VOLUME_NO_MEMORY;
	if (!result && !op->disk)
		snprintf(v->file, sizeof(v->file), "%.31s.img", v->id);
	return result;
}

static enum registry_volume_result check_resize(struct volume_op *op)
{
	const struct config_pool *pool = volumes_pool(op->r->now.cfg, op->is.pool);

	if (!volume_op_has_file(op))
		return VOLUME_ON_DISK;
	if (!pool)
		return VOLUME_NO_POOL;
	op->is.size = op->what.size;
	if (op->is.size < op->was.size)
		return VOLUME_SHRINKS;
	return check_size(op, pool, &op->is);
}

static bool in_use(const struct volume_op *op)
{
	return op->was.attached && !op->what.force && registry_sessions_of(op->r, op->was.target);
}

enum registry_volume_result volume_op_check(struct volume_op *op)
{
	const struct volume *v;

	if (op->what.verb == VOLUME_CREATE)
		return check_create(op);
	v = volumes_find(op->r->volumes, op->id);
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
