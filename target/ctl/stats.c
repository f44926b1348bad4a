/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures: what has been done since the start, what it cost, and by which target. */
#include "ctl/stats.h"

#include <stdio.h>

#include "ctl/ask.h"

void stats_print_traffic(const json_t *n)
{
	struct grid_text a, b;

	printf("%-15s%u, and %u not logged in yet\n", "connections",
		(unsigned)(ask_number(n, "connections") - ask_number(n, "half_open")),
		(unsigned)ask_number(n, "half_open"));
	ask_line("sessions", grid_number(ask_number(n, "sessions"), &a));
	printf("%-15s%s, and %s refused\n", "logins", grid_number(ask_number(n, "logins"), &a),
		grid_number(ask_number(n, "logins_refused"), &b));
	ask_line("commands", grid_number(ask_number(n, "commands"), &a));
	ask_line("written", grid_size(ask_number(n, "bytes_in"), &a));
	ask_line("read", grid_size(ask_number(n, "bytes_out"), &a));
}

static void print_process(const json_t *b)
{
	const json_t *p = json_object_get(b, "process");
	struct grid_text up, text;

	ask_line("up", grid_time(ask_number(b, "uptime_ms"), &up));
	printf("%-15s%.2f s, of which %.2f s in the kernel\n", "processor",
		(double)(ask_number(p, "user_ms") + ask_number(p, "system_ms")) / 1000,
		(double)ask_number(p, "system_ms") / 1000);
	ask_line("memory", grid_size(ask_number(p, "resident_bytes"), &text));
}

static void print_pools(const json_t *pools)
{
	for (size_t i = 0; i < json_array_size(pools); i++) {
		const json_t *p = json_array_get(pools, i);
		struct grid_text a, b;
		uint64_t most = ask_number(p, "max_size");

		printf("%-15s%s: %u volumes of %s%s%s\n", i ? "" : "pools", ask_text(p, "name"),
			(unsigned)ask_number(p, "volumes"), grid_size(ask_number(p, "size"), &a),
			most ? ", at most " : "", most ? grid_size(most, &b) : "");
	}
}

static const char *const titles[] = { "TARGET", ">SESSIONS", ">COMMANDS", ">WRITTEN", ">READ",
	NULL };

static void add_target(struct grid *g, const json_t *t)
{
	struct grid_text text;

	grid_add(g, ask_text(t, "name"));
	grid_add(g, grid_number(ask_number(t, "sessions"), &text));
	grid_add(g, grid_number(ask_number(t, "commands"), &text));
	grid_add(g, grid_size(ask_number(t, "bytes_in"), &text));
	grid_add(g, grid_size(ask_number(t, "bytes_out"), &text));
}

enum exit_status stats_show(const struct session *s, char **args, int n)
{
	json_t *b;
	enum exit_status status = ask_server(s, "GET", "/v1/stats", NULL, &b);
	const json_t *targets = json_object_get(b, "targets");
	struct grid *g = b ? grid_new(titles) : NULL;

	(void)args;
	(void)n;
	if (!b)
		return status;
	print_process(b);
	stats_print_traffic(json_object_get(b, "iscsi"));
	print_pools(json_object_get(b, "pools"));
	for (size_t i = 0; i < json_array_size(targets); i++)
		add_target(g, json_array_get(targets, i));
	json_decref(b);
	return ask_print(g, "there are no targets");
}
