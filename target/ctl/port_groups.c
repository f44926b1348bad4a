/* SPDX-License-Identifier: BSD-2-Clause */
/* Port groups: which of the paths to its disks a host is to take. */
#include "ctl/port_groups.h"

#include <stdio.h>
#include <string.h>

#include "ctl/ask.h"

static const char *const titles[] = { ">GROUP", "STATE", "PORTALS", NULL };

/* "192.0.2.1:3260, 192.0.2.2:3260" */
static void join_portals(const json_t *portals, char *out, size_t size)
{
	size_t len = 0;

	*out = '\0';
	for (size_t i = 0; i < json_array_size(portals) && len < size; i++) {
		const char *text = json_string_value(json_array_get(portals, i));

		len += (size_t)snprintf(
			out + len, size - len, "%s%s", i ? ", " : "", text ? text : "-");
	}
}

static void add_group(struct grid *g, const json_t *group)
{
	struct grid_text t;
	char portals[1024];

	join_portals(json_object_get(group, "portals"), portals, sizeof(portals));
	grid_add(g, grid_number(ask_number(group, "group"), &t));
	grid_add(g, ask_text(group, "state"));
	grid_add(g, portals);
}

enum exit_status port_group_list(const struct session *s, char **args, int n)
{
	(void)args;
	(void)n;
	return ask_list(s, "/v1/port-groups",
		&(struct ask_list){ "port_groups", titles, add_group, "there are no portals" });
}

enum exit_status port_group_set(const struct session *s, char **args, int n)
{
	json_t *body = json_pack("{s:s}", "state", args[1]), *b;
	char path[ASK_PATH_MAX] = "";
	enum exit_status status;

	(void)n;
	if (!body || !*args[0] || !ask_path(path, "/v1/port-groups/", args[0])) {
		json_decref(body);
		return ask_usage("port-group set takes the number of a portal group and a state");
	}
	status = ask_server(s, "PATCH", path, body, &b);
	json_decref(body);
	if (b)
		printf("port group %u is %s\n", (unsigned)ask_number(b, "group"),
			ask_text(b, "state"));
	json_decref(b);
	return status;
}
