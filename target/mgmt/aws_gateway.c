/* SPDX-License-Identifier: BSD-2-Clause */
/* The gateway itself: there is one, which waits for its activation key where the configuration gives
 * it one. */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/aws_arn.h"
#include "mgmt/aws_gateway.h"
#include "mgmt/aws_operations.h"
#include "mgmt/aws_tag.h"
#include "mgmt/native_json.h"
#include "mgmt/portal.h"
#include "registry/gateway.h"

static const char *const types[] = {
	[CONFIG_GATEWAY_CACHED] = "CACHED",
	[CONFIG_GATEWAY_STORED] = "STORED",
	[CONFIG_GATEWAY_VTL] = "VTL",
};

static bool is_active(const struct aws_request *q)
{
	return !aws_gateway(q)->activation_key || registry_gateway(q->registry).active;
}

bool aws_is_gateway(struct aws_request *q)
{
	const char *arn = aws_member_text(q, "GatewayARN");
	enum aws_code code = arn ? aws_arn_is_gateway(aws_gateway(q), arn) : AWS_OK;

	if (!is_active(q))
		code = AWS_GATEWAY_NOT_FOUND;
	if (code)
		aws_refuse(q, code);
	return !code;
}

/* What both operations tell. */
static struct object identity(const struct config_aws *g)
{
	struct object o = object_begin();

	object_put(&o, "GatewayId", json_string(g->gateway));
	object_put(&o, "GatewayARN", json_string(aws_gateway_arn(g).text));
	object_put(&o, "GatewayType", json_string(types[g->gateway_type]));
	object_put(&o, "GatewayName", json_of_text(g->gateway_name ? g->gateway_name : g->gateway));
	object_put(&o, "HostEnvironment", json_string("OTHER"));
	return o;
}

/* --- list ----------------------------------------------------------------------------------- */

static json_t *gateway_info(const struct config_aws *g)
{
	struct object o = identity(g);

	object_put(&o, "GatewayOperationalState", json_string("ACTIVE"));
	return object_end(&o);
}

void aws_list_gateways(struct aws_request *q)
{
	json_t *list = json_array(), *page = NULL;
	const char *next = NULL;

	if (!is_active(q) || !json_array_append_new(list, gateway_info(aws_gateway(q))))
		page = aws_page(q, list, "GatewayARN", &next);
	aws_reply(q, json_pack("{s:o, s:s*}", "Gateways", page, "Marker", next));
	json_decref(list);
}

/* --- describe ------------------------------------------------------------------------------- */

static bool is_told(const struct portal_list *p, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(p->v[j].host, p->v[i].host))
			return true;
	return false;
}

static json_t *interfaces(const struct registry *r)
{
	struct portal_list p = portal_list_begin(r);
	json_t *list = p.failed ? NULL : json_array();

	for (size_t i = 0; list && i < p.n; i++)
		if (!is_told(&p, i))
			json_array_append_new(list,
				json_pack("{s:s}", p.v[i].ipv6 ? "Ipv6Address" : "Ipv4Address",
					p.v[i].host));
	portal_list_end(&p);
	return list;
}

static json_t *gateway_information(const struct aws_request *q)
{
	const struct config_aws *g = aws_gateway(q);
	const struct registry_gateway now = registry_gateway(q->registry);
	struct object o = identity(g);

	object_put(&o, "GatewayState", json_string(now.stopped ? "SHUTDOWN" : "RUNNING"));
	if (now.capacity)
		object_put(&o, "GatewayCapacity", json_of_text(now.capacity));
	object_put(&o, "GatewayTimezone", json_of_text(g->timezone));
	object_put(&o, "GatewayNetworkInterfaces", interfaces(q->registry));
	object_put(&o, "EndpointType", json_string("STANDARD"));
	return object_end(&o);
}

static void add_tags(struct aws_request *q, json_t *tags)
{
	json_t *answer = q->answer;

	q->answer = NULL;
	if (json_object_set_new(answer, "Tags", tags)) {
		json_decref(answer);
		answer = NULL;
	}
	aws_reply(q, answer);
}

void aws_describe_gateway_information(struct aws_request *q)
{
	if (!aws_is_gateway(q))
		return;
	q->answer = gateway_information(q);
	aws_tags_load(q, aws_gateway_arn(aws_gateway(q)).text, add_tags);
}

/* --- change --------------------------------------------------------------------------------- */

static void reply_changed(struct aws_request *q)
{
	const struct config_aws *g = aws_gateway(q);
	const char *arn = aws_member_text(q, "GatewayARN");

	if (q->operation->run == aws_update_gateway_information)
		aws_reply(q, json_pack("{s:s, s:s}", "GatewayARN", arn, "GatewayName",
				     g->gateway_name ? g->gateway_name : g->gateway));
	else
		aws_reply(q, json_pack("{s:s}", "GatewayARN", arn ? arn : aws_gateway_arn(g).text));
}

static void on_changed(void *arg, int err)
{
	struct aws_request *q = arg;

	if (err == -EBUSY)
		aws_refuse(q, AWS_GATEWAY_BUSY);
	else if (err == -ENOMEM || aws_is_over(q))
		aws_refuse(q, AWS_SERVICE_UNAVAILABLE);
	else if (err)
		aws_refuse(q, AWS_GATEWAY_ERROR);
	else
		reply_changed(q);
}

static void change(struct aws_request *q, enum registry_gateway_act act, const char *what)
{
	registry_gateway_change(
		q->registry, &(struct registry_gateway_change){
				     .name = aws_member_text(q, "GatewayName"),
				     .timezone = aws_member_text(q, "GatewayTimezone"),
				     .capacity = aws_member_text(q, "GatewayCapacity"),
				     .act = act,
				     .who = call_who(q->call),
				     .what = what,
				     .done = on_changed,
				     .arg = q,
			     });
}

/* Events are in the log of this machine and nowhere else. */
void aws_update_gateway_information(struct aws_request *q)
{
	const char *log_group = aws_member_text(q, "CloudWatchLogGroupARN");

	if (!aws_is_gateway(q))
		return;
	if (log_group && *log_group)
		aws_refuse_because(q, AWS_NOT_SUPPORTED, "there are no CloudWatch log groups");
	else
		change(q, GATEWAY_STAYS, "update gateway");
}

/* Targets take no logins any more, and sessions end, before this is answered. */
void aws_shutdown_gateway(struct aws_request *q)
{
	if (aws_is_gateway(q))
		change(q, GATEWAY_STOPPED, "shut down gateway");
}

void aws_start_gateway(struct aws_request *q)
{
	if (aws_is_gateway(q))
		change(q, GATEWAY_STARTED, "start gateway");
}

static bool is_key(const char *key, const char *given)
{
	size_t len = strlen(key);

	return strlen(given) == len && !CRYPTO_memcmp(key, given, len);
}

/* The key is for one gateway, once. Its kind is the configuration's to say. */
void aws_activate_gateway(struct aws_request *q)
{
	const struct config_aws *g = aws_gateway(q);
	const char *type = aws_member_text(q, "GatewayType");
	json_t *tags = json_object_get(q->body, "Tags");

	if (is_active(q) || !is_key(g->activation_key, aws_member_text(q, "ActivationKey")))
		aws_refuse(q, AWS_ACTIVATION_KEY_INVALID);
	else if (strcmp(aws_member_text(q, "GatewayRegion"), g->region) != 0)
		aws_refuse(q, AWS_REGION_INVALID);
	else if (type && strcmp(type, types[g->gateway_type]) != 0)
		aws_refuse_because(q, AWS_INVALID_PARAMETERS,
			"GatewayType is not management.aws.gateway_type");
	else if (json_array_size(tags))
		aws_refuse_with(q, AWS_NOT_SUPPORTED,
			"The specified operation is not supported. The reason: tags are added to "
			"a gateway that is active.");
	else
		change(q, GATEWAY_ACTIVATED, "activate gateway");
}

/* --- tape ----------------------------------------------------------------------------------- */
