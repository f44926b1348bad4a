/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making volumes: cached ones are sparse files in the pool, stored ones are disks that the
 * configuration offers. Each has a target of its own, with LUN 0.
 *
 * A request with a ClientToken may be repeated, as when its answer was lost: what was answered is
 * kept in the transaction of the volume, for a week, and given again. Another request with the same
 * token is refused.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/aws_gateway.h"
#include "mgmt/aws_operations.h"
#include "mgmt/aws_tag.h"
#include "mgmt/aws_token.h"
#include "mgmt/aws_volume.h"
#include "mgmt/aws_volume_change.h"

#define GIB         (UINT64_C(1) << 30)
#define ANSWER_SIZE (2 * AWS_ARN_MAX + 100)

struct creation {
	struct aws_request *q;
	struct aws_token token;
	struct aws_arn gateway, target_arn;
	struct aws_target_text target;
	struct registry_volume_change what;

	struct catalog_request request; /* looks for the token */

	enum registry_volume_result result; /* 0: not tried yet */
	char text[256];
};

static void creation_free(struct creation *c)
{
	aws_token_free(&c->token);
	free(c);
}

static void refuse(struct creation *c, enum aws_code code)
{
	aws_refuse(c->q, code);
	creation_free(c);
}

/* --- tokens --------------------------------------------------------------------------------- */

/* On the catalog's thread. */
static int run_find(struct catalog_request *r, struct catalog_tx *tx)
{
	struct creation *c = container_of(r, struct creation, request);

	return aws_token_find(&c->token, tx);
}

static int keep_answer(const struct creation *c, struct catalog_tx *tx, const char *id)
{
	char answer[ANSWER_SIZE];

	snprintf(answer, sizeof(answer),
		"{\"VolumeARN\":\"%.300s/volume/%s\",\"TargetARN\":\"%s\"}", c->gateway.text, id,
		c->target_arn.text);
	return aws_token_keep(&c->token, tx, answer);
}

/* --- the transaction ------------------------------------------------------------------------ */

/* On the catalog's thread, in the transaction of the volume. */
static int also(void *arg, struct catalog_tx *tx, const char *id, bool undo)
{
	const struct creation *c = arg;
	char arn[AWS_ARN_MAX + 64];
	int err;

	snprintf(arn, sizeof(arn), "%s/volume/%s", c->gateway.text, id);
	err = undo ? catalog_tag_remove_all(tx, arn) : aws_tags_put(c->q, tx, arn);
	if (err || !c->token.token)
		return err;
	return undo ? aws_token_forget(&c->token, tx) : keep_answer(c, tx, id);
}

/* --- the way of a request ------------------------------------------------------------------- */

static void look_for_token(struct creation *c);

/* The configuration may be another one than when the request came. */
static void make(struct creation *c)
{
	const struct config_aws *g = aws_gateway(c->q);

	c->what.pool = g->pool;
	c->what.gateway = g->gateway;
	c->what.most = g->max_volumes;
	registry_volume_change(c->q->registry, &c->what);
}

static void reply_made(struct creation *c, const struct registry_volume *v)
{
	json_t *body = json_pack("{s:o, s:s}", "VolumeARN",
		json_sprintf("%s/volume/%s", c->gateway.text, v->id), "TargetARN",
		c->target_arn.text);

	if (!c->token.token && body)
		json_object_set_new(body, "VolumeSizeInBytes", json_integer((json_int_t)v->size));
	aws_reply(c->q, body);
	creation_free(c);
}

static void reply_again(struct creation *c)
{
	aws_reply(c->q, json_loads(c->token.answer, 0, NULL));
	creation_free(c);
}

static void reply_failed(struct creation *c)
{
	const struct registry_volume_outcome o = { .result = c->result, .text = c->text };

	aws_refuse_volume(c->q, &o);
	creation_free(c);
}

/* What was refused may have been made by the same request, sent twice and faster than this one. */
static void on_made(void *arg, const struct registry_volume_outcome *o)
{
	struct creation *c = arg;

	c->result = o->result;
	snprintf(c->text, sizeof(c->text), "%s", o->text);
	if (!o->result)
		reply_made(c, o->volume);
	else if (c->token.token && !aws_is_over(c->q))
		look_for_token(c);
	else
		reply_failed(c);
}

static void refuse_token(struct creation *c)
{
	aws_blame(c->q, "ClientToken %s was used for another request",
		aws_member_text(c->q, "ClientToken"));
	refuse(c, AWS_INVALID_PARAMETERS);
}

static void on_found(struct catalog_request *r)
{
	struct creation *c = container_of(r, struct creation, request);

	if (aws_is_over(c->q))
		refuse(c, AWS_SERVICE_UNAVAILABLE);
	else if (!r->err && c->token.repeats)
		reply_again(c);
	else if (!r->err)
		refuse_token(c);
	else if (r->err != -ENOENT)
		refuse(c, AWS_GATEWAY_ERROR);
	else if (c->result)
		reply_failed(c);
	else
		make(c);
}

static void look_for_token(struct creation *c)
{
	struct catalog *catalog = registry_catalog(c->q->registry);

	if (!catalog) {
		refuse(c, AWS_SERVICE_UNAVAILABLE);
		return;
	}
	c->request = (struct catalog_request){
		.run = run_find, .done = on_found, .home = c->q->aws->loop
	};
	catalog_submit(catalog, &c->request);
}

/* --- what can be refused at once ------------------------------------------------------------ */

/* The service makes volumes of snapshots and under keys; we do not. */
static enum aws_code check(struct aws_request *q, bool cached)
{
	enum aws_code code;

	if (cached != aws_is_cached(q) || aws_gateway(q)->gateway_type == CONFIG_GATEWAY_VTL)
		return AWS_WRONG_GATEWAY_TYPE;
	if (aws_member(q, "SnapshotId") || aws_member(q, "SourceVolumeARN") ||
		aws_member(q, "KMSKey") || aws_member_true(q, "KMSEncrypted")) {
		aws_blame(q, "there are no snapshots, no copies of volumes and no KMS keys");
		return AWS_NOT_SUPPORTED;
	}
	if (!aws_tags_allowed(q))
		return AWS_INVALID_PARAMETERS;
	return aws_is_interface(q, &code) ? AWS_OK : code;
}

static enum aws_code check_disk(struct aws_request *q)
{
	const struct config_aws *g = aws_gateway(q);
	const char *id = aws_member_text(q, "DiskId");
	uint64_t size;

	for (size_t i = 0; i < g->n_disks; i++) {
		if (strcmp(g->disks[i].id, id) != 0)
			continue;
		if (!registry_disk_size(g->disks[i].path, &size)) {
			aws_blame(q, "disk %s: %s cannot be opened", id, g->disks[i].path);
			return AWS_NO_DISK;
		}
		return size && size % GIB == 0 ? AWS_OK : AWS_DISK_NOT_ALIGNED;
	}
	aws_blame(q, "management.aws.disks has no %s", id);
	return AWS_NO_DISK;
}

static struct creation *creation_new(struct aws_request *q)
{
	struct creation *c = calloc(1, sizeof(*c));
	const struct config_aws *g = aws_gateway(q);

	if (!c)
		return NULL;
	c->q = q;
	c->gateway = aws_gateway_arn(g);
	c->target = aws_target_of(aws_member_text(q, "TargetName"));
	c->target_arn = aws_target_arn(g, c->target.text);
	c->what = (struct registry_volume_change){ .verb = VOLUME_CREATE,
		.target = c->target.text,
		.lun = 0,
		.portal = aws_member_text(q, "NetworkInterfaceId"),
		.alone = true,
		.who = call_who(q->call),
		.also = also,
		.done = on_made,
		.arg = c };
	return c;
}

void aws_create_cached_volume(struct aws_request *q)
{
	int64_t size = aws_member_number(q, "VolumeSizeInBytes", 0);
	enum aws_code code;
	struct creation *c;

	if (!aws_is_gateway(q))
		return;
	code = check(q, true);
	c = code ? NULL : creation_new(q);
	if (!c || !aws_token_of(&c->token, q, "CreateCachediSCSIVolume")) {
		free(c);
		aws_refuse(q, code ? code : AWS_SERVICE_UNAVAILABLE);
		return;
	}
	c->what.size = size > 0 ? (uint64_t)size : 0;
	look_for_token(c);
}

void aws_create_stored_volume(struct aws_request *q)
{
	enum aws_code code;
	struct creation *c;

	if (!aws_is_gateway(q))
		return;
	code = check(q, false);
	if (!code)
		code = check_disk(q);
	c = code ? NULL : creation_new(q);
	if (!c) {
		aws_refuse(q, code ? code : AWS_SERVICE_UNAVAILABLE);
		return;
	}
	c->what.disk = aws_member_text(q, "DiskId");
	c->what.preserve = aws_member_true(q, "PreserveExistingData");
	make(c);
}
