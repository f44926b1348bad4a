/* SPDX-License-Identifier: BSD-2-Clause */
/* Attaching, detaching and deleting volumes. Those that the configuration declares stay as they are. */
#include "mgmt/aws_volume_change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "mgmt/aws_gateway.h"
#include "mgmt/aws_operations.h"
#include "mgmt/aws_volume.h"
#include "net/addr.h"

struct aws_target_text aws_target_of(const char *name)
{
	struct aws_target_text t;

	snprintf(t.text, sizeof(t.text), AWS_TARGET_PREFIX "%.200s", name);
	return t;
}

/* --- what can be wrong ---------------------------------------------------------------------- */

static enum aws_code code_of(enum registry_volume_result result)
{
	switch (result) {
	case VOLUME_DONE: return AWS_OK;
	case VOLUME_NOT_FOUND: return AWS_VOLUME_NOT_FOUND;
	case VOLUME_NO_POOL: return AWS_NO_DISKS;
	case VOLUME_NO_DISK: return AWS_NO_DISK;
	case VOLUME_DISK_TAKEN: return AWS_DISK_ALLOCATED;
	case VOLUME_NO_PORTAL: return AWS_NETWORK_CHANGED;
	case VOLUME_BAD_TARGET: return AWS_TARGET_INVALID;
	case VOLUME_NO_ROOM: return AWS_NO_ROOM;
	case VOLUME_TOO_MANY: return AWS_TOO_MANY_VOLUMES;
	case VOLUME_TARGET_TAKEN:
	case VOLUME_LUN_TAKEN:
	case VOLUME_DECLARED: return AWS_TARGET_EXISTS;
	case VOLUME_ATTACHED:
	case VOLUME_IN_USE: return AWS_VOLUME_IN_USE;
	case VOLUME_DETACHED: return AWS_VOLUME_NOT_READY;
	case VOLUME_NOT_MADE: return AWS_STORAGE_FAILURE;
	case VOLUME_NOT_STORED:
	case VOLUME_NOT_SERVED: return AWS_GATEWAY_ERROR;
	case VOLUME_NO_MEMORY:
	case VOLUME_STOPPING: return AWS_SERVICE_UNAVAILABLE;
	default: return AWS_INVALID_PARAMETERS;
	}
}

void aws_refuse_volume(struct aws_request *q, const struct registry_volume_outcome *o)
{
	aws_refuse_because(q, code_of(o->result), o->text);
}

/* An address that a socket can be bound to is ours. */
static bool is_ours(struct addr *at)
{
	int fd = socket(at->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ours = fd >= 0 && !bind(fd, &at->sa, addr_len(at));

	if (fd >= 0)
		close(fd);
	return ours;
}

bool aws_is_interface(struct aws_request *q, enum aws_code *code)
{
	const char *text = aws_member_text(q, "NetworkInterfaceId");
	struct addr at;

	*code = AWS_OK;
	if (addr_parse(&at, text, 0) || addr_is_wildcard(&at)) {
		aws_blame(q, "NetworkInterfaceId %s is not one address, as 192.0.2.7 is", text);
		*code = AWS_INVALID_PARAMETERS;
	} else if (!is_ours(&at)) {
		aws_blame(q, "NetworkInterfaceId %s is no address of this machine", text);
		*code = AWS_NETWORK_CHANGED;
	}
	return !*code;
}

/* --- a change ------------------------------------------------------------------------------- */

struct volume_change {
	struct aws_request *q;
	struct registry_volume_change what;
	struct aws_arn arn; /* as we give it, under which tags are kept */
	struct aws_arn gateway;
	char id[AWS_VOLUME_ID_SIZE];
	char target[REGISTRY_NAME_SIZE];
};

static void reply_arn(struct aws_request *q)
{
	aws_reply(q, json_pack("{s:s}", "VolumeARN", aws_member_text(q, "VolumeARN")));
}

/* A stored volume is attached with its disk. */
static bool is_other_disk(const struct aws_request *q, const struct aws_volume *v)
{
	const char *disk = aws_member_text(q, "DiskId");

	return disk && (!v->disk || strcmp(v->disk, disk) != 0);
}

/* The volume that the request names, if it can be changed. False: the request has been answered. */
static bool find(struct volume_change *ch)
{
	struct aws_request *q = ch->q;
	struct aws_volumes vs = aws_volumes_begin(q);
	enum aws_code code = vs.failed ? AWS_SERVICE_UNAVAILABLE : AWS_OK;
	const struct aws_volume *v =
		vs.failed ? NULL : aws_volume_find(q, &vs, aws_member_text(q, "VolumeARN"), &code);
	bool made = v && v->made;

	if (made && is_other_disk(q, v)) {
		aws_blame(
			q, "DiskId %s is not the disk of the volume", aws_member_text(q, "DiskId"));
		made = false;
		v = NULL;
		code = AWS_NO_DISK;
	}
	if (made) {
		snprintf(ch->id, sizeof(ch->id), "%s", v->id);
		snprintf(ch->target, sizeof(ch->target), "%s", v->target);
		ch->arn = aws_volume_arn(aws_gateway(q), v->id);
		ch->gateway = aws_gateway_arn(aws_gateway(q));
		ch->what.id = ch->id;
	} else if (v) {
		aws_refuse_with(q, AWS_NOT_SUPPORTED,
			"The specified operation is not supported. The reason: the volume is "
			"declared in the configuration file.");
	} else {
		aws_refuse(q, code);
	}
	aws_volumes_end(&vs);
	return made;
}

/* `what` without its id, of which the request tells the volume. */
static void begin(struct aws_request *q, const struct registry_volume_change *what)
{
	struct volume_change *ch = calloc(1, sizeof(*ch));

	if (!ch) {
		aws_refuse(q, AWS_SERVICE_UNAVAILABLE);
		return;
	}
	ch->q = q;
	ch->what = *what;
	if (!find(ch)) {
		free(ch);
		return;
	}
	ch->what.who = call_who(q->call);
	ch->what.arg = ch;
	registry_volume_change(q->registry, &ch->what);
}

/* --- delete --------------------------------------------------------------------------------- */

/* On the catalog's thread. What is taken back is put back as it was by nobody: a volume that cannot be
 * taken out of service, which only happens without memory, has lost its tags. */
static int forget_tags(void *arg, struct catalog_tx *tx, const char *id, bool undo)
{
	const struct volume_change *ch = arg;

	(void)id;
	return undo ? 0 : catalog_tag_remove_all(tx, ch->arn.text);
}

/* Its rows, but for those of the configuration file. */
static bool plan_forget(void *arg, struct registry_plan *p)
{
	const struct volume_change *ch = arg;
	struct registry_rows rows;
	bool any = false;

	if (registry_svm_of(ch->q->registry, ch->target) ||
		registry_rows_of(ch->q->registry, CREDENTIAL_OF_TARGET, ch->target, &rows))
		return false;
	for (size_t i = 0; i < rows.n; i++) {
		if (rows.row[i]->spec.origin == CREDENTIAL_FROM_CONFIG)
			continue;
		any = true;
		registry_plan_remove(
			p, CREDENTIAL_OF_TARGET, ch->target, rows.row[i]->spec.initiator);
	}
	registry_rows_end(&rows);
	return any;
}

static void on_forgotten(void *arg, const struct registry_outcome *o)
{
	struct volume_change *ch = arg;

	if (o->result != REGISTRY_DONE && o->result != REGISTRY_DECLINED)
		log_msg(LOG_WARNING, "volume %s is deleted, but credentials for %s stay: %s",
			ch->id, ch->target, o->text);
	reply_arn(ch->q);
	free(ch);
}

/* Credentials go last, by another change: while there is a target, its door stays shut. */
static void on_deleted(void *arg, const struct registry_volume_outcome *o)
{
	struct volume_change *ch = arg;

	if (o->result || aws_is_over(ch->q)) {
		if (o->result)
			aws_refuse_volume(ch->q, o);
		else
			reply_arn(ch->q);
		free(ch);
		return;
	}
	registry_change(ch->q->registry, &(struct registry_change){
						 .origin = CREDENTIAL_FROM_AWS,
						 .who = call_who(ch->q->call),
						 .what = "delete credentials of a deleted volume",
						 .plan = plan_forget,
						 .done = on_forgotten,
						 .arg = ch,
					 });
}

void aws_delete_volume(struct aws_request *q)
{
	begin(q, &(struct registry_volume_change){
			 .verb = VOLUME_DELETE, .also = forget_tags, .done = on_deleted });
}

/* --- attach, detach ------------------------------------------------------------------------- */

static void on_detached(void *arg, const struct registry_volume_outcome *o)
{
	struct volume_change *ch = arg;

	if (o->result)
		aws_refuse_volume(ch->q, o);
	else
		reply_arn(ch->q);
	free(ch);
}

void aws_detach_volume(struct aws_request *q)
{
	begin(q, &(struct registry_volume_change){ .verb = VOLUME_DETACH,
			 .force = aws_member_true(q, "ForceDetach"),
			 .done = on_detached });
}

static void on_attached(void *arg, const struct registry_volume_outcome *o)
{
	struct volume_change *ch = arg;
	struct aws_request *q = ch->q;

	if (o->result)
		aws_refuse_volume(q, o);
	else
		aws_reply(q,
			json_pack("{s:s, s:o}", "VolumeARN", aws_member_text(q, "VolumeARN"),
				"TargetARN",
				json_sprintf("%s/target/%s", ch->gateway.text, o->volume->target)));
	free(ch);
}

void aws_attach_volume(struct aws_request *q)
{
	const char *name = aws_member_text(q, "TargetName");
	struct aws_target_text target = aws_target_of(name ? name : "");
	enum aws_code code;

	if (!aws_is_gateway(q))
		return;
	if (!aws_is_interface(q, &code)) {
		aws_refuse(q, code);
		return;
	}
	begin(q, &(struct registry_volume_change){ .verb = VOLUME_ATTACH,
			 .target = name ? target.text : NULL,
			 .portal = aws_member_text(q, "NetworkInterfaceId"),
			 .alone = true,
			 .done = on_attached });
}
