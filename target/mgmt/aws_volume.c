/* SPDX-License-Identifier: BSD-2-Clause */
/* Volumes. */
#include "mgmt/aws_volume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mgmt/aws_gateway.h"
#include "mgmt/aws_operations.h"
#include "mgmt/native_json.h"
#include "registry/volumes.h"

/* --- all there are -------------------------------------------------------------------------- */

struct gathering {
	const struct aws_request *q;
	struct portal_list portals;
	struct aws_volumes *out;
};

/* Whether initiators without a row of their own have to prove themselves, too. */
static bool default_is_chap(const struct aws_request *q, const char *svm)
{
	const struct credential *row = table_find(
		registry_credentials(q->registry), CREDENTIAL_OF_SVM, svm, CREDENTIAL_DEFAULT);

	return row && row->spec.type == CREDENTIAL_CHAP;
}

static struct aws_volume *add(struct aws_volumes *vs)
{
	struct aws_volume *grown = vs->v;

	/* At 1, 2, 4, 8 … volumes the room is full. */
	if (!(vs->n & (vs->n - 1)))
		grown = reallocarray(vs->v, vs->n ? 2 * vs->n : 1, sizeof(*grown));
	if (!grown) {
		vs->failed = true;
		return NULL;
	}
	vs->v = grown;
	vs->v[vs->n] = (struct aws_volume){ 0 };
	return &vs->v[vs->n++];
}

static void add_lun(
	struct gathering *g, const struct registry_target *t, const struct registry_lun *lun)
{
	const struct portal_at *portal = portal_in_groups(&g->portals, t->groups, t->n_groups);
	struct aws_volume *v = add(g->out);

	if (!v)
		return;
	aws_volume_id(aws_gateway(g->q), t->name, lun->lun, v->id);
	v->target = strdup(t->name);
	v->path = lun->path ? strdup(lun->path) : NULL;
	v->lun = lun->lun;
	v->size = lun->size;
	v->chap = t->chap || default_is_chap(g->q, t->svm);
	v->attached = true;
	v->preserved = true;
	if (portal)
		v->portal = *portal;
	if (!v->target || (lun->path && !v->path))
		g->out->failed = true;
}

static void on_target(void *arg, const struct registry_target *t)
{
	struct gathering *g = arg;

	for (size_t i = 0; !t->made && i < t->n_luns && !g->out->failed; i++)
		if (!strcmp(t->luns[i].kind, "disk"))
			add_lun(g, t, &t->luns[i]);
}

/* --- those that were made ------------------------------------------------------------------- */

static struct portal_at portal_of(const struct gathering *g, const char *address)
{
	const struct portal_at *any = portal_in_groups(&g->portals, NULL, 0);
	struct portal_at p = any ? *any : (struct portal_at){ 0 };

	for (size_t i = 0; address && i < g->portals.n; i++)
		if (!strcmp(g->portals.v[i].host, address))
			return g->portals.v[i];
	if (address)
		snprintf(p.host, sizeof(p.host), "%.63s", address);
	return p;
}

static bool is_closed(const struct aws_request *q, const char *target)
{
	const struct config_ontap *ontap = &registry_config(q->registry)->management.ontap;

	return table_closed(registry_credentials(q->registry), target) ||
	       default_is_chap(q, ontap->svm);
}

static bool copy(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to;
}

static void on_volume(void *arg, const struct registry_volume *made)
{
	struct gathering *g = arg;
	struct aws_volume *v = g->out->failed ? NULL : add(g->out);

	if (!v)
		return;
	snprintf(v->id, sizeof(v->id), "%s", made->id);
	v->lun = made->lun;
	v->size = made->size;
	v->made = true;
	v->attached = made->attached;
	v->trouble = made->trouble;
	v->preserved = made->preserved;
	v->created = made->created;
	v->chap = is_closed(g->q, made->target);
	v->portal = portal_of(g, made->portal);
	if (!copy(&v->target, made->target) || !copy(&v->path, made->path) ||
		!copy(&v->disk, made->disk))
		g->out->failed = true;
}

/* --- the whole ------------------------------------------------------------------------------ */

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct aws_volume *)a)->id, ((const struct aws_volume *)b)->id);
}

struct aws_volumes aws_volumes_begin(const struct aws_request *q)
{
	struct aws_volumes vs = { 0 };
	struct gathering g = { q, portal_list_begin(q->registry), &vs };

	vs.failed |= g.portals.failed;
	if (!registry_targets(q->registry, on_target, &g))
		vs.failed = true;
	registry_volumes(q->registry, on_volume, &g);
	portal_list_end(&g.portals);
	if (vs.failed) {
		aws_volumes_end(&vs);
		vs.failed = true;
	} else if (vs.n) {
		qsort(vs.v, vs.n, sizeof(*vs.v), compare);
	}
	return vs;
}

void aws_volumes_end(struct aws_volumes *vs)
{
	for (size_t i = 0; i < vs->n; i++) {
		free(vs->v[i].target);
		free(vs->v[i].path);
		free(vs->v[i].disk);
	}
	free(vs->v);
	*vs = (struct aws_volumes){ 0 };
}

const struct aws_volume *aws_volume_find(const struct aws_request *q, const struct aws_volumes *vs,
	const char *arn, enum aws_code *code)
{
	struct aws_volume key = { 0 };
	const struct aws_volume *found;
	const char *id;

	*code = aws_arn_volume(aws_gateway(q), arn, &id);
	if (*code)
		return NULL;
	snprintf(key.id, sizeof(key.id), "%s", strlen(id) < sizeof(key.id) ? id : "");
	found = vs->n ? bsearch(&key, vs->v, vs->n, sizeof(*vs->v), compare) : NULL;
	if (!found)
		*code = AWS_VOLUME_NOT_FOUND;
	return found;
}

/* --- telling -------------------------------------------------------------------------------- */

/* Volumes of a tape gateway, which the service has none of, are whole files as those that it calls
 * stored. */
bool aws_is_cached(const struct aws_request *q)
{
	return aws_gateway(q)->gateway_type == CONFIG_GATEWAY_CACHED;
}

static struct object identity(const struct aws_request *q, const struct aws_volume *v)
{
	struct object o = object_begin();

	object_put(&o, "VolumeARN", json_string(aws_volume_arn(aws_gateway(q), v->id).text));
	object_put(&o, "VolumeId", json_string(v->id));
	object_put(&o, "VolumeType", json_string(aws_is_cached(q) ? "CACHED" : "STORED"));
	object_put(&o, "VolumeSizeInBytes", json_of_number(v->size));
	object_put(
		&o, "VolumeAttachmentStatus", json_string(v->attached ? "ATTACHED" : "DETACHED"));
	return o;
}

static json_t *volume_info(const struct aws_request *q, const struct aws_volume *v)
{
	const struct config_aws *g = aws_gateway(q);
	struct object o = identity(q, v);

	object_put(&o, "GatewayARN", json_string(aws_gateway_arn(g).text));
	object_put(&o, "GatewayId", json_string(g->gateway));
	return object_end(&o);
}

static json_t *iscsi_attributes(const struct aws_request *q, const struct aws_volume *v)
{
	struct object o = object_begin();

	object_put(&o, "TargetARN", json_string(aws_target_arn(aws_gateway(q), v->target).text));
	if (*v->portal.host) {
		object_put(&o, "NetworkInterfaceId", json_string(v->portal.host));
		object_put(&o, "NetworkInterfacePort", json_of_number(v->portal.port));
	}
	object_put(&o, "LunNumber", json_of_number(v->lun));
	object_put(&o, "ChapEnabled", json_boolean(v->chap));
	return object_end(&o);
}

/* What follows the prefix that the service gives its targets, and that clients put in front of it.
 * Others have no such name; NULL. */
static const char *target_name(const char *iqn)
{
	size_t len = strlen(AWS_TARGET_PREFIX);

	return strncmp(iqn, AWS_TARGET_PREFIX, len) ? NULL : iqn + len;
}

static const char *disk_id(const struct aws_request *q, const char *path)
{
	const struct config_aws *g = aws_gateway(q);

	for (size_t i = 0; path && i < g->n_disks; i++)
		if (!strcmp(g->disks[i].path, path))
			return g->disks[i].id;
	return path;
}

/* Of a sparse file what is not written takes no space. */
static void put_used(struct object *o, const struct aws_volume *v)
{
	struct stat st;

	if (v->path && !stat(v->path, &st) && S_ISREG(st.st_mode))
		object_put(o, "VolumeUsedInBytes", json_of_number((uint64_t)st.st_blocks * 512));
}

static json_t *volume(const struct aws_request *q, const struct aws_volume *v)
{
	struct object o = identity(q, v);
	const char *disk = v->disk ? v->disk : disk_id(q, v->path);
	const char *name = target_name(v->target);

	object_put(&o, "VolumeStatus", json_string(v->trouble ? "IRRECOVERABLE" : "AVAILABLE"));
	if (v->attached) {
		object_put(&o, "VolumeiSCSIAttributes", iscsi_attributes(q, v));
		if (name)
			object_put(&o, "TargetName", json_string(name));
	}
	if (v->made)
		object_put(&o, "CreatedDate", json_integer(v->created));
	put_used(&o, v);
	if (!aws_is_cached(q)) {
		object_put(&o, "PreservedExistingData", json_boolean(v->preserved));
		if (disk)
			object_put(&o, "VolumeDiskId", json_of_text(disk));
	}
	return object_end(&o);
}

/* --- list ----------------------------------------------------------------------------------- */

static json_t *volume_infos(const struct aws_request *q)
{
	struct aws_volumes vs = aws_volumes_begin(q);
	json_t *list = vs.failed ? NULL : json_array();

	for (size_t i = 0; list && i < vs.n; i++) {
		if (json_array_append_new(list, volume_info(q, &vs.v[i]))) {
			json_decref(list);
			list = NULL;
		}
	}
	aws_volumes_end(&vs);
	return list;
}

void aws_list_volumes(struct aws_request *q)
{
	json_t *list, *page;
	const char *next = NULL, *arn = aws_member_text(q, "GatewayARN");

	if (!aws_is_gateway(q))
		return;
	list = volume_infos(q);
	page = list ? aws_page(q, list, "VolumeARN", &next) : NULL;
	aws_reply(q, json_pack("{s:s*, s:o, s:s*}", "GatewayARN", arn, "VolumeInfos", page,
			     "Marker", next));
	json_decref(list);
}

/* --- describe ------------------------------------------------------------------------------- */

/* The volumes that the request names, in the order of their ARNs and each once. NULL and *code;
 * AWS_OK there stands for memory that ran out. */
static json_t *describe(
	const struct aws_request *q, const struct aws_volumes *vs, enum aws_code *code)
{
	const json_t *arns = aws_member(q, "VolumeARNs");
	bool *wanted = calloc(vs->n + 1, sizeof(*wanted));
	json_t *list = wanted ? json_array() : NULL;

	*code = AWS_OK;
	for (size_t i = 0; list && !*code && i < json_array_size(arns); i++) {
		const struct aws_volume *v =
			aws_volume_find(q, vs, json_string_value(json_array_get(arns, i)), code);

		if (v)
			wanted[v - vs->v] = true;
	}
	for (size_t i = 0; list && !*code && i < vs->n; i++)
		if (wanted[i])
			json_array_append_new(list, volume(q, &vs->v[i]));
	free(wanted);
	if (*code) {
		json_decref(list);
		list = NULL;
	}
	return list;
}

static void describe_volumes(struct aws_request *q, bool cached, const char *member)
{
	struct aws_volumes vs = aws_volumes_begin(q);
	enum aws_code code = AWS_OK;
	json_t *list = vs.failed ? NULL : describe(q, &vs, &code);

	aws_volumes_end(&vs);
	if (!code && list && cached != aws_is_cached(q)) {
		json_decref(list);
		code = AWS_WRONG_GATEWAY_TYPE;
	}
	if (code)
		aws_refuse(q, code);
	else
		aws_reply(q, json_pack("{s:o}", member, list));
}

void aws_describe_stored_volumes(struct aws_request *q)
{
	describe_volumes(q, false, "StorediSCSIVolumes");
}

void aws_describe_cached_volumes(struct aws_request *q)
{
	describe_volumes(q, true, "CachediSCSIVolumes");
}

/* --- who is connected ----------------------------------------------------------------------- */

struct initiators {
	struct aws_request *request;
	json_t *list;
	char target[REGISTRY_NAME_SIZE];
	bool failed;
};

static void on_session(void *arg, const struct session_info *s)
{
	struct initiators *in = arg;

	if (s->target && s->peer && !strcmp(s->target, in->target) &&
		json_array_append_new(in->list, json_string(s->peer)))
		in->failed = true;
}

static void on_sessions_end(void *arg)
{
	struct initiators *in = arg;

	if (in->failed) {
		json_decref(in->list);
		in->list = NULL;
	}
	aws_reply(in->request, json_pack("{s:o}", "Initiators", in->list));
	free(in);
}

/* The target of the volume that the request names. False: the request has been answered. */
static bool target_of(struct aws_request *q, char name[static REGISTRY_NAME_SIZE])
{
	struct aws_volumes vs = aws_volumes_begin(q);
	enum aws_code code = AWS_OK;
	const struct aws_volume *v =
		vs.failed ? NULL : aws_volume_find(q, &vs, aws_member_text(q, "VolumeARN"), &code);

	if (v)
		snprintf(name, REGISTRY_NAME_SIZE, "%s", v->target);
	else if (code)
		aws_refuse(q, code);
	else
		aws_reply(q, NULL);
	aws_volumes_end(&vs);
	return v;
}

void aws_list_volume_initiators(struct aws_request *q)
{
	struct initiators *in = calloc(1, sizeof(*in));

	if (!in) {
		aws_reply(q, NULL);
		return;
	}
	in->request = q;
	if (!target_of(q, in->target)) {
		free(in);
		return;
	}
	in->list = json_array();
	if (!in->list || registry_sessions(q->registry, on_session, on_sessions_end, in)) {
		json_decref(in->list);
		free(in);
		aws_reply(q, NULL);
	}
}
