/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local disks: the files and devices that the configuration offers. A disk may become a volume; or
 * it may be given to the cache, the upload buffer or the working storage, as the documentation of
 * the service has its users do: that is remembered, and told again, though nothing is cached here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "mgmt/aws_gateway.h"
#include "mgmt/aws_operations.h"
#include "mgmt/aws_volume.h"
#include "mgmt/native_json.h"
#include "registry/volumes.h"

/* --- what disks are used for ---------------------------------------------------------------- */

/* A use, as the catalog and ListLocalDisks name it. */
static const char cache[] = "CACHE STORAGE", upload_buffer[] = "UPLOAD BUFFER",
		  working_storage[] = "WORKING STORAGE";

/* What is done in the catalog for one request. */
struct usage {
	struct catalog_request request;
	struct aws_request *q;
	const char *use; /* NULL: all */
	char gateway[40];
	char *who;
	json_t *disks; /* ids of disks, and for what each is used */
	void (*then)(struct aws_request *q, const struct usage *u);
};

static void usage_free(struct usage *u)
{
	json_decref(u->disks);
	free(u->who);
	free(u);
}

/* On the catalog's thread. */
static int gather(const struct catalog_disk *d, void *arg)
{
	struct usage *u = arg;

	if (strcmp(d->gateway, u->gateway) != 0)
		return 0;
	return json_object_set_new(u->disks, d->id, json_string(d->use)) ? -ENOMEM : 0;
}

static int run_load(struct catalog_request *r, struct catalog_tx *tx)
{
	struct usage *u = container_of(r, struct usage, request);

	json_object_clear(u->disks);
	return catalog_disk_load(tx, gather, u);
}

static int run_add(struct catalog_request *r, struct catalog_tx *tx)
{
	struct usage *u = container_of(r, struct usage, request);
	const json_t *ids = json_object_get(u->q->body, "DiskIds");
	const struct catalog_audit audit = {
		.who = u->who, .what = "add disks", .object = u->gateway, .result = "done"
	};
	int err = 0;

	for (size_t i = 0; !err && i < json_array_size(ids); i++) {
		const struct catalog_disk d = { .gateway = u->gateway,
			.id = json_string_value(json_array_get(ids, i)),
			.use = u->use };

		err = catalog_disk_allocate(tx, &d);
	}
	return err ? err : catalog_audit_add(tx, &audit);
}

static void on_done(struct catalog_request *r)
{
	struct usage *u = container_of(r, struct usage, request);

	if (aws_is_over(u->q)) {
		aws_refuse(u->q, AWS_SERVICE_UNAVAILABLE);
	} else if (!r->err) {
		u->then(u->q, u);
	} else if (r->err == -EEXIST) {
		aws_refuse(u->q, AWS_DISK_ALLOCATED);
	} else {
		log_msg(LOG_ERR, "management: disks: %s",
			*r->why.text ? r->why.text : strerror(-r->err));
		aws_refuse(u->q, AWS_GATEWAY_ERROR);
	}
	usage_free(u);
}

static void submit(struct aws_request *q, const char *use,
	int (*run)(struct catalog_request *r, struct catalog_tx *tx),
	void (*then)(struct aws_request *q, const struct usage *u))
{
	struct catalog *catalog = registry_catalog(q->registry);
	struct usage *u = calloc(1, sizeof(*u));

	if (u) {
		u->who = strdup(call_who(q->call));
		u->disks = json_object();
	}
	if (!u || !u->who || !u->disks || !catalog) {
		if (u)
			usage_free(u);
		aws_refuse(q, AWS_SERVICE_UNAVAILABLE);
		return;
	}
	u->q = q;
	u->use = use;
	u->then = then;
	snprintf(u->gateway, sizeof(u->gateway), "%s", aws_gateway(q)->gateway);
	u->request = (struct catalog_request){ .run = run, .done = on_done, .home = q->aws->loop };
	catalog_submit(catalog, &u->request);
}

static const struct config_aws_disk *find_disk(const struct config_aws *g, const char *id)
{
	for (size_t i = 0; i < g->n_disks; i++)
		if (!strcmp(g->disks[i].id, id))
			return &g->disks[i];
	return NULL;
}

/* --- list ----------------------------------------------------------------------------------- */

static const struct aws_volume *user_of(
	const struct aws_volumes *vs, const struct config_aws_disk *d)
{
	for (size_t i = 0; i < vs->n; i++)
		if ((vs->v[i].disk && !strcmp(vs->v[i].disk, d->id)) ||
			(vs->v[i].path && !strcmp(vs->v[i].path, d->path)))
			return &vs->v[i];
	return NULL;
}

/* targetIqn::LUN::region-volumeId */
static json_t *resource(const struct aws_request *q, const struct aws_volume *v)
{
	return json_sprintf(
		"%s::%u::%s-%s", v->target, (unsigned)v->lun, aws_gateway(q)->region, v->id);
}

static json_t *disk_json(const struct aws_request *q, const struct config_aws_disk *d,
	size_t number, const struct aws_volume *user, const char *use)
{
	uint64_t size = 0;
	bool present = registry_disk_size(d->path, &size);
	struct object o = object_begin();

	object_put(&o, "DiskId", json_of_text(d->id));
	object_put(&o, "DiskPath", json_of_text(d->path));
	object_put(&o, "DiskNode", json_sprintf("SCSI(0:%zu)", number));
	object_put(&o, "DiskStatus", json_string(present ? "present" : "missing"));
	object_put(&o, "DiskSizeInBytes", json_of_number(size));
	object_put(&o, "DiskAllocationType",
		json_string(user  ? "STORED iSCSI VOLUME"
			    : use ? use
				  : "AVAILABLE"));
	if (user)
		object_put(&o, "DiskAllocationResource", resource(q, user));
	object_put(&o, "DiskAttributeList", json_array());
	return object_end(&o);
}

static void reply_list(struct aws_request *q, const struct usage *u)
{
	const struct config_aws *g = aws_gateway(q);
	struct aws_volumes vs = aws_volumes_begin(q);
	json_t *list = vs.failed ? NULL : json_array();

	for (size_t i = 0; list && i < g->n_disks; i++)
		json_array_append_new(list,
			disk_json(q, &g->disks[i], i, user_of(&vs, &g->disks[i]),
				json_string_value(json_object_get(u->disks, g->disks[i].id))));
	aws_volumes_end(&vs);
	aws_reply(q, json_pack("{s:s, s:o}", "GatewayARN", aws_member_text(q, "GatewayARN"),
			     "Disks", list));
}

void aws_list_local_disks(struct aws_request *q)
{
	if (aws_is_gateway(q))
		submit(q, NULL, run_load, reply_list);
}

/* --- add ------------------------------------------------------------------------------------ */

static void reply_gateway(struct aws_request *q, const struct usage *u)
{
	(void)u;
	aws_reply(q, json_pack("{s:s}", "GatewayARN", aws_member_text(q, "GatewayARN")));
}

static enum aws_code check_disks(struct aws_request *q)
{
	const json_t *ids = aws_member(q, "DiskIds");
	struct aws_volumes vs = aws_volumes_begin(q);
	enum aws_code code = vs.failed ? AWS_SERVICE_UNAVAILABLE : AWS_OK;
	uint64_t size;

	if (!code && !json_array_size(ids)) {
		aws_blame(q, "DiskIds is empty");
		code = AWS_INVALID_PARAMETERS;
	}
	for (size_t i = 0; !code && i < json_array_size(ids); i++) {
		const char *id = json_string_value(json_array_get(ids, i));
		const struct config_aws_disk *d = find_disk(aws_gateway(q), id);

		if (!d || !registry_disk_size(d->path, &size))
			code = AWS_NO_DISK;
		else if (user_of(&vs, d))
			code = AWS_DISK_ALLOCATED;
		if (code)
			aws_blame(q, "disk %s %s", id,
				code == AWS_DISK_ALLOCATED ? "is a volume"
				: d                        ? "has a path that cannot be opened"
							   : "is not in management.aws.disks");
	}
	aws_volumes_end(&vs);
	return code;
}

/* Which kinds of gateway have what, as it is documented. */
static bool has(const struct aws_request *q, const char *use)
{
	enum config_gateway_type type = aws_gateway(q)->gateway_type;

	if (use == cache)
		return type != CONFIG_GATEWAY_STORED;
	return use == upload_buffer || type == CONFIG_GATEWAY_STORED;
}

static void add(struct aws_request *q, const char *use)
{
	enum aws_code code;

	if (!aws_is_gateway(q))
		return;
	code = has(q, use) ? check_disks(q) : AWS_WRONG_GATEWAY_TYPE;
	if (code)
		aws_refuse(q, code);
	else
		submit(q, use, run_add, reply_gateway);
}

void aws_add_cache(struct aws_request *q)
{
	add(q, cache);
}

void aws_add_upload_buffer(struct aws_request *q)
{
	add(q, upload_buffer);
}

void aws_add_working_storage(struct aws_request *q)
{
	add(q, working_storage);
}

/* --- describe ------------------------------------------------------------------------------- */

/* What all three have in common: the disks that are there, and how large they are together. */
static struct object describe(const struct aws_request *q, const struct usage *u, uint64_t *size)
{
	const struct config_aws *g = aws_gateway(q);
	json_t *ids = json_array();
	struct object o = object_begin();

	*size = 0;
	for (size_t i = 0; i < g->n_disks; i++) {
		const char *use = json_string_value(json_object_get(u->disks, g->disks[i].id));
		uint64_t one = 0;

		if (!use || strcmp(use, u->use) != 0)
			continue;
		registry_disk_size(g->disks[i].path, &one);
		*size += one;
		json_array_append_new(ids, json_string(g->disks[i].id));
	}
	object_put(&o, "GatewayARN", json_string(aws_member_text(q, "GatewayARN")));
	object_put(&o, "DiskIds", ids);
	return o;
}

static void reply_cache(struct aws_request *q, const struct usage *u)
{
	uint64_t size;
	struct object o = describe(q, u, &size);

	object_put(&o, "CacheAllocatedInBytes", json_of_number(size));
	object_put(&o, "CacheUsedPercentage", json_real(0));
	object_put(&o, "CacheDirtyPercentage", json_real(0));
	object_put(&o, "CacheHitPercentage", json_real(0));
	object_put(&o, "CacheMissPercentage", json_real(0));
	aws_reply(q, object_end(&o));
}

static void reply_upload_buffer(struct aws_request *q, const struct usage *u)
{
	uint64_t size;
	struct object o = describe(q, u, &size);

	object_put(&o, "UploadBufferUsedInBytes", json_of_number(0));
	object_put(&o, "UploadBufferAllocatedInBytes", json_of_number(size));
	aws_reply(q, object_end(&o));
}

static void reply_working_storage(struct aws_request *q, const struct usage *u)
{
	uint64_t size;
	struct object o = describe(q, u, &size);

	object_put(&o, "WorkingStorageUsedInBytes", json_of_number(0));
	object_put(&o, "WorkingStorageAllocatedInBytes", json_of_number(size));
	aws_reply(q, object_end(&o));
}

static void describe_use(struct aws_request *q, const char *use,
	void (*then)(struct aws_request *q, const struct usage *u))
{
	if (!aws_is_gateway(q))
		return;
	if (has(q, use))
		submit(q, use, run_load, then);
	else
		aws_refuse(q, AWS_WRONG_GATEWAY_TYPE);
}

void aws_describe_cache(struct aws_request *q)
{
	describe_use(q, cache, reply_cache);
}

void aws_describe_upload_buffer(struct aws_request *q)
{
	describe_use(q, upload_buffer, reply_upload_buffer);
}

void aws_describe_working_storage(struct aws_request *q)
{
	describe_use(q, working_storage, reply_working_storage);
}
