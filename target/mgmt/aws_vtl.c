/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices of the tape library. */
#include "mgmt/aws_vtl.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/aws_gateway.h"
#include "mgmt/aws_operations.h"
#include "mgmt/aws_tape.h"
#include "mgmt/native_json.h"
#include "mgmt/portal.h"

static struct aws_arn device_arn(const struct config_aws *g, const char *kind, unsigned number)
{
	struct aws_arn arn = aws_gateway_arn(g);
	size_t len = strlen(arn.text);
	char id[40];

	snprintf(id, sizeof(id), "%s", g->gateway);
	for (char *p = id; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	snprintf(arn.text + len, sizeof(arn.text) - len, "/device/AMZN_%s_%s_%05u", id, kind,
		number);
	return arn;
}

static struct aws_arn changer_arn(const struct config_aws *g)
{
	return device_arn(g, "MEDIACHANGER", 1);
}

struct aws_arn aws_drive_arn(const struct config_aws *gateway, unsigned number)
{
	return device_arn(gateway, "TAPEDRIVE", number);
}

/* --- describing ----------------------------------------------------------------------------- */

struct listing {
	const struct aws_request *q;
	const char *library;
	struct portal_list portals;
	json_t *list;
	bool failed;
};

struct attributes {
	const struct listing *l;
	json_t *made;
};

static void put_attributes(void *arg, const struct registry_target *t)
{
	struct attributes *a = arg;
	const struct portal_at *portal = portal_in_groups(&a->l->portals, t->groups, t->n_groups);
	struct object o = object_begin();

	object_put(
		&o, "TargetARN", json_string(aws_target_arn(aws_gateway(a->l->q), t->name).text));
	if (portal) {
		object_put(&o, "NetworkInterfaceId", json_string(portal->host));
		object_put(&o, "NetworkInterfacePort", json_of_number(portal->port));
	}
	object_put(&o, "ChapEnabled", json_boolean(t->chap));
	a->made = object_end(&o);
}

static void add(struct listing *l, const struct aws_arn *arn, const char *type, const char *vendor,
	const char *product, const char *target)
{
	struct attributes a = { .l = l };
	struct object o = object_begin();

	if (target)
		registry_target(l->q->registry, target, put_attributes, &a);
	object_put(&o, "VTLDeviceARN", json_string(arn->text));
	object_put(&o, "VTLDeviceType", json_string(type));
	object_put(&o, "VTLDeviceVendor", json_of_text(vendor));
	object_put(&o, "VTLDeviceProductIdentifier", json_of_text(product));
	object_put(&o, "DeviceiSCSIAttributes", a.made);
	if (json_array_append_new(l->list, object_end(&o)))
		l->failed = true;
}

static void add_library(void *arg, const struct registry_library *lib)
{
	struct listing *l = arg;
	struct aws_arn arn = changer_arn(aws_gateway(l->q));

	if (!strcmp(lib->name, l->library))
		add(l, &arn, "Medium Changer", lib->vendor, lib->product, lib->target);
}

static void add_drive(void *arg, const struct registry_drive *d)
{
	struct listing *l = arg;
	struct aws_arn arn = aws_drive_arn(aws_gateway(l->q), d->number);

	add(l, &arn, "Tape Drive", d->vendor, d->product, d->target);
}

/* The devices in the order of their ARNs: MEDIACHANGER comes before TAPEDRIVE. */
static json_t *devices(const struct aws_request *q)
{
	struct listing l = { .q = q,
		.library = aws_library(q),
		.list = json_array(),
		.portals = portal_list_begin(q->registry) };

	l.failed |= l.portals.failed;
	if (l.library) {
		registry_libraries(q->registry, add_library, &l);
		registry_drives(q->registry, l.library, add_drive, &l);
	}
	portal_list_end(&l.portals);
	if (!l.failed)
		return l.list;
	json_decref(l.list);
	return NULL;
}

static const json_t *find(const json_t *list, const json_t *arn)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);

		if (json_equal(json_object_get(row, "VTLDeviceARN"), arn))
			return row;
	}
	return NULL;
}

/* Leaves those that the request names, where it names any. False: there is no such device. */
static bool pick(const struct aws_request *q, json_t *list)
{
	const json_t *arns = aws_member(q, "VTLDeviceARNs");

	for (size_t i = 0; i < json_array_size(arns); i++)
		if (!find(list, json_array_get(arns, i)))
			return false;
	for (size_t i = json_array_size(arns) ? json_array_size(list) : 0; i-- > 0;) {
		const json_t *arn = json_object_get(json_array_get(list, i), "VTLDeviceARN");
		bool wanted = false;

		for (size_t k = 0; k < json_array_size(arns); k++)
			wanted |= json_equal(arn, json_array_get(arns, k));
		if (!wanted)
			json_array_remove(list, i);
	}
	return true;
}

void aws_describe_vtl_devices(struct aws_request *q)
{
	const char *next = NULL;
	json_t *list, *page;

	if (!aws_is_gateway(q))
		return;
	list = devices(q);
	if (list && !pick(q, list)) {
		json_decref(list);
		aws_refuse(q, AWS_INVALID_PARAMETERS);
		return;
	}
	page = list ? aws_page(q, list, "VTLDeviceARN", &next) : NULL;
	aws_reply(q, json_pack("{s:s, s:o, s:s*}", "GatewayARN", aws_member_text(q, "GatewayARN"),
			     "VTLDevices", page, "Marker", next));
	json_decref(list);
}

/* --- another changer ------------------------------------------------------------------------ */

static void on_changed(void *arg, enum registry_tape_result result, const char *text)
{
	struct aws_request *q = arg;

	if (result)
		aws_refuse_tape(
			q, &(struct registry_tape_outcome){ .result = result, .text = text });
	else
		aws_reply(
			q, json_pack("{s:s}", "VTLDeviceARN", aws_member_text(q, "VTLDeviceARN")));
}

/* The changer alone can be another one; of drives there is one type. */
void aws_update_vtl_device_type(struct aws_request *q)
{
	const char *arn = aws_member_text(q, "VTLDeviceARN");
	struct aws_arn changer = changer_arn(aws_gateway(q));

	if (!aws_library(q) || strcmp(arn, changer.text) != 0) {
		aws_refuse_because(
			q, AWS_INVALID_PARAMETERS, "VTLDeviceARN is not the medium changer's");
		return;
	}
	registry_changer_change(
		q->registry, &(struct registry_changer_change){ .library = aws_library(q),
				     .changer = aws_member_text(q, "DeviceType"),
				     .who = call_who(q->call),
				     .done = on_changed,
				     .arg = q });
}
