/* SPDX-License-Identifier: BSD-2-Clause */
/* /v1/stats. Sessions are asked on their reactors, and added up by target. */
#include "mgmt/native_stats.h"

#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "mgmt/native_json.h"
#include "registry/volumes.h"

json_t *native_traffic(const struct iscsi_counters *n)
{
	struct object o = object_begin();

	object_put(&o, "connections", json_of_number(n->connections));
	object_put(&o, "half_open", json_of_number(n->half_open));
	object_put(&o, "sessions", json_of_number(n->sessions));
	object_put(&o, "logins", json_of_number(n->logins));
	object_put(&o, "logins_refused", json_of_number(n->logins_refused));
	object_put(&o, "commands", json_of_number(n->commands));
	object_put(&o, "bytes_in", json_of_number(n->bytes_in));
	object_put(&o, "bytes_out", json_of_number(n->bytes_out));
	return object_end(&o);
}

/* --- the process ---------------------------------------------------------------------------- */

static uint64_t milliseconds(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000 + (uint64_t)t->tv_usec / 1000;
}

/* Memory that the process has in use, in bytes (proc(5), statm); 0: not known. */
static uint64_t resident(void)
{
	FILE *in = fopen("/proc/self/statm", "re");
	unsigned long long pages = 0;

	if (!in)
		return 0;
	if (fscanf(in, "%*u %llu", &pages) != 1)
		pages = 0;
	fclose(in);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static json_t *process_json(void)
{
	struct object o = object_begin();
	struct rusage used = { 0 };

	getrusage(RUSAGE_SELF, &used);
	object_put(&o, "user_ms", json_of_number(milliseconds(&used.ru_utime)));
	object_put(&o, "system_ms", json_of_number(milliseconds(&used.ru_stime)));
	object_put(&o, "resident_bytes", json_of_number(resident()));
	return object_end(&o);
}

/* --- pools ---------------------------------------------------------------------------------- */

struct pool_sum {
	const char *name;
	uint64_t volumes, bytes;
};

static void add_volume(void *arg, const struct registry_volume *v)
{
	struct pool_sum *sum = arg;

	if (!v->pool || strcmp(v->pool, sum->name) != 0)
		return;
	sum->volumes++;
	sum->bytes += v->size;
}

static json_t *pool_json(const struct registry *r, const struct config_pool *pool)
{
	struct pool_sum sum = { .name = pool->name };
	struct object o = object_begin();

	registry_volumes(r, add_volume, &sum);
	object_put(&o, "name", json_of_text(pool->name));
	object_put(&o, "path", json_of_text(pool->path));
	object_put(&o, "volumes", json_of_number(sum.volumes));
	object_put(&o, "size", json_of_number(sum.bytes));
	object_put(&o, "max_size", pool->max_size ? json_of_number(pool->max_size) : json_null());
	return object_end(&o);
}

static json_t *pools_json(const struct registry *r)
{
	const struct config *cfg = registry_config(r);
	json_t *list = json_array();

	for (size_t i = 0; i < cfg->n_pools; i++)
		json_array_append_new(list, pool_json(r, &cfg->pools[i]));
	return list;
}

/* --- targets -------------------------------------------------------------------------------- */

/* Of the sessions that a target has now. */
struct sum {
	char *name;
	uint64_t sessions, connections, commands, bytes_in, bytes_out;
};

struct stats {
	struct call *call;
	const struct registry *registry;
	struct sum *v; /* by name, once all targets are there */
	size_t n;
	bool failed;
};

static void stats_free(struct stats *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].name);
	free(s->v);
	free(s);
}

static void add_target(void *arg, const struct registry_target *t)
{
	struct stats *s = arg;
	struct sum *grown = s->v;

	/* At 1, 2, 4, 8 … targets the room is full. */
	if (!(s->n & (s->n - 1)))
		grown = reallocarray(s->v, s->n ? 2 * s->n : 1, sizeof(*grown));
	if (!grown) {
		s->failed = true;
		return;
	}
	s->v = grown;
	grown[s->n] = (struct sum){ .name = strdup(t->name) };
	s->failed |= !grown[s->n++].name;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct sum *)a)->name, ((const struct sum *)b)->name);
}

static void add_session(void *arg, const struct session_info *info)
{
	struct stats *s = arg;
	struct sum key = { .name = (char *)(uintptr_t)info->target }, *sum = NULL;

	if (info->target && s->n)
		sum = bsearch(&key, s->v, s->n, sizeof(*s->v), by_name);
	if (!sum)
		return; /* for discovery, or of a target that is gone by now */
	sum->sessions++;
	sum->connections += info->connections;
	sum->commands += info->commands;
	sum->bytes_in += info->bytes_in;
	sum->bytes_out += info->bytes_out;
}

static json_t *sum_json(const struct sum *sum)
{
	struct object o = object_begin();

	object_put(&o, "name", json_of_text(sum->name));
	object_put(&o, "sessions", json_of_number(sum->sessions));
	object_put(&o, "connections", json_of_number(sum->connections));
	object_put(&o, "commands", json_of_number(sum->commands));
	object_put(&o, "bytes_in", json_of_number(sum->bytes_in));
	object_put(&o, "bytes_out", json_of_number(sum->bytes_out));
	return object_end(&o);
}

static json_t *targets_json(const struct stats *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(list, sum_json(&s->v[i]));
	return list;
}

/* --- the whole ------------------------------------------------------------------------------ */

static json_t *stats_json(const struct stats *s)
{
	struct object o = object_begin();
	struct registry_status status;
	struct timespec now;

	registry_status(s->registry, &status);
	clock_gettime(CLOCK_REALTIME, &now);
	object_put(&o, "time_ms",
		json_of_number((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000));
	object_put(&o, "uptime_ms", json_of_number(status.uptime_ms));
	object_put(&o, "process", process_json());
	object_put(&o, "iscsi", native_traffic(&status.iscsi));
	object_put(&o, "pools", pools_json(s->registry));
	object_put(&o, "targets", targets_json(s));
	return object_end(&o);
}

static void reply(void *arg)
{
	struct stats *s = arg;

	if (registry_config(s->registry))
		call_reply(s->call, HTTP_OK, stats_json(s));
	else
		call_refuse(s->call, HTTP_SERVUNAVAIL, "stopping", "the server is stopping");
	stats_free(s);
}

void native_get_stats(struct call *c)
{
	struct registry *r = native_of(c)->registry;
	struct stats *s = calloc(1, sizeof(*s));

	if (s) {
		s->call = c;
		s->registry = r;
		s->failed = !registry_targets(r, add_target, s) || s->failed;
		if (!s->failed && s->n)
			qsort(s->v, s->n, sizeof(*s->v), by_name);
		if (!s->failed && !registry_sessions(r, add_session, reply, s))
			return;
		stats_free(s);
	}
	call_no_memory(c);
}
