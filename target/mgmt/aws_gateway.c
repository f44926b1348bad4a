/* SPDX-License-Identifier: BSD-2-Clause */
/* The gateway itself: there is one, and it is active. */
#include <string.h>

#include "mgmt/aws_arn.h"
#include "mgmt/aws_gateway.h"
#include "mgmt/aws_operations.h"
#include "mgmt/aws_portal.h"
#include "mgmt/aws_tag.h"
#include "mgmt/native_json.h"

static const char *const types[] = {
	[CONFIG_GATEWAY_CACHED] = "CACHED",
	[CONFIG_GATEWAY_STORED] = "STORED",
	[CONFIG_GATEWAY_VTL] = "VTL",
};

bool aws_is_gateway(struct aws_request *q)
{
	const char *arn = aws_member_text(q, "GatewayARN");
	enum aws_code code = arn ? aws_arn_is_gateway(aws_gateway(q), arn) : AWS_OK;

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

	if (!json_array_append_new(list, gateway_info(aws_gateway(q))))
		page = aws_page(q, list, "GatewayARN", &next);
	aws_reply(q, json_pack("{s:o, s:s*}", "Gateways", page, "Marker", next));
	json_decref(list);
}

/* --- describe ------------------------------------------------------------------------------- */

static bool is_told(const struct aws_portals *p, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(p->v[j].host, p->v[i].host))
			return true;
	return false;
}

static json_t *interfaces(const struct registry *r)
{
	struct aws_portals p = aws_portals_begin(r);
	json_t *list = p.failed ? NULL : json_array();

	for (size_t i = 0; list && i < p.n; i++)
		if (!is_told(&p, i))
			json_array_append_new(list,
				json_pack("{s:s}", p.v[i].ipv6 ? "Ipv6Address" : "Ipv4Address",
					p.v[i].host));
	aws_portals_end(&p);
	return list;
}

static json_t *gateway_information(const struct aws_request *q)
{
	const struct config_aws *g = aws_gateway(q);
	struct object o = identity(g);

	object_put(&o, "GatewayState", json_string("RUNNING"));
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

/* --- tape ----------------------------------------------------------------------------------- */

/* Libraries are not served yet. */
void aws_describe_vtl_devices(struct aws_request *q)
{
	if (aws_is_gateway(q))
		aws_reply(q, json_pack("{s:s, s:[]}", "GatewayARN",
				     aws_member_text(q, "GatewayARN"), "VTLDevices"));
}
