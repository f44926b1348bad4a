/* SPDX-License-Identifier: BSD-2-Clause */
/* The target's half of the wire tests: made, changed, watched and ended by a test (wire.h). */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <time.h>

#include "base/log.h"
#include "chap/table_edit.h"

void wire_sleep_ms(unsigned ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

/* --- memory of initiators ------------------------------------------------------------------- */

struct block {
	struct list link;
	_Alignas(16) uint8_t bytes[];
};

static struct block *block_of(void *p)
{
	return container_of(p, struct block, bytes);
}

void *wire_alloc(struct wire *w, void *old, size_t size)
{
	struct block *b = old ? block_of(old) : NULL;

	if (b)
		list_del(&b->link);
	b = realloc(b, sizeof(*b) + size);
	assert_non_null(b);
	list_push(&w->blocks, &b->link);
	return b->bytes;
}

void wire_free(void *p)
{
	if (!p)
		return;
	list_del(&block_of(p)->link);
	free(block_of(p));
}

static void free_blocks(struct wire *w)
{
	struct list *l;

	while ((l = list_pop(&w->blocks)))
		free(container_of(l, struct block, link));
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* --- disks ---------------------------------------------------------------------------------- */

static void disk_gone(void *arg)
{
	__atomic_fetch_sub((int *)arg, 1, __ATOMIC_RELAXED);
}

/* A RAM disk behind a fault store, alone in a LUN map. */
static struct lun_map *disk_map(struct wire *w, unsigned index)
{
	struct store_cfg store = {
		.kind = "ram", .size = (uint64_t)WIRE_BLOCK * WIRE_BLOCKS, .block_size = WIRE_BLOCK
	};
	struct disk_cfg disk = { .block_size = WIRE_BLOCK,
		.thin = true,
		.long_cdbs = true,
		.gone = disk_gone,
		.arg = &w->disks,
		.naa = { 0x60, [15] = (uint8_t)index } };
	struct store_error err;
	struct lun_entry e = { .lun = 0 };
	struct store *ram;
	struct lun_map *map;

	assert_int_equal(store_open(&store, &ram, &err), 0);
	if (w->plain)
		disk.store = ram;
	else
		assert_int_equal(fault_wrap(ram, &disk.store), 0);
	w->disk[index] = disk.store;
	assert_int_equal(disk_create(&disk, &e.lu), 0);
	__atomic_fetch_add(&w->disks, 1, __ATOMIC_RELAXED);
	assert_int_equal(lun_map_create(&e, 1, &map), 0);
	lu_unref(e.lu);
	return map;
}

struct iscsi_target *wire_add_target(struct wire *w, const char *name)
{
	assert_in_range(w->ntargets, 0, WIRE_TARGETS - 1);
	w->target[w->ntargets] = (struct iscsi_target){ .name = name };
	return &w->target[w->ntargets++];
}

/* --- snapshots -------------------------------------------------------------------------------- */

static const struct table *rows(const struct wire *w)
{
	struct table_edit *e;

	assert_int_equal(table_edit_begin(NULL, &e), TABLE_OK);
	for (unsigned i = 0; i < w->nrows; i++)
		assert_int_equal(table_edit_put(e, &w->row[i], NULL), TABLE_OK);
	return table_edit_commit(e);
}

static struct directory *snapshot(struct wire *w)
{
	const struct table *table = rows(w);
	struct target_set *set;
	struct directory *d;

	for (unsigned i = 0; i < w->ntargets; i++) {
		if (!w->target[i].luns)
			w->target[i].luns = disk_map(w, i);
	}
	assert_int_equal(target_set_create(w->target, w->ntargets, &set), 0);
	d = directory_create(set, table, w->portal, w->nportals, &w->policy);
	assert_non_null(d);
	target_set_unref(set);
	table_unref(table);
	return d;
}

void wire_start(struct wire *w)
{
	struct directory *d = snapshot(w);

	assert_int_equal(iscsi_server_create(&w->cfg, d, &w->server), 0);
	directory_unref(d);
}

/* --- the main loop -------------------------------------------------------------------------- */

void wire_wait(struct wire *w, const bool *flag)
{
	uint64_t end = now_ms() + WIRE_LIMIT_MS;

	while (!*flag) {
		if (now_ms() > end)
			fail_msg("the target did not call back");
		if (!loop_step(w->loop))
			wire_sleep_ms(1);
	}
}

static void set_flag(void *arg)
{
	*(bool *)arg = true;
}

void wire_publish(struct wire *w)
{
	struct directory *d = snapshot(w);
	bool done = false;

	iscsi_server_publish(w->server, d, set_flag, &done);
	directory_unref(d);
	wire_wait(w, &done);
}

struct closed {
	bool done;
	unsigned n;
};

static void set_closed(void *arg, unsigned n)
{
	*(struct closed *)arg = (struct closed){ true, n };
}

unsigned wire_close(struct wire *w, const char *target, uint16_t tsih)
{
	struct closed c = { 0 };

	iscsi_server_close(w->server, target, tsih, "the test says so", set_closed, &c);
	wire_wait(w, &c.done);
	return c.n;
}

void wire_stop(struct wire *w, uint32_t grace_ms)
{
	bool done = false;

	iscsi_server_stop(w->server, grace_ms, set_flag, &done);
	wire_wait(w, &done);
	iscsi_server_free(w->server);
	w->server = NULL;
}

/* --- watching ------------------------------------------------------------------------------- */

struct iscsi_counters wire_counters(struct wire *w)
{
	struct iscsi_counters c;

	iscsi_server_counters(w->server, &c);
	return c;
}

static void expect_count(struct wire *w, const char *what, uint64_t n,
	uint64_t (*get)(const struct iscsi_counters *c))
{
	uint64_t end = now_ms() + WIRE_LIMIT_MS;
	struct iscsi_counters c = wire_counters(w);

	while (get(&c) != n) {
		if (now_ms() > end)
			fail_msg("%lu %s, not %lu", (unsigned long)get(&c), what, (unsigned long)n);
		loop_step(w->loop);
		wire_sleep_ms(1);
		c = wire_counters(w);
	}
}

static uint64_t get_sessions(const struct iscsi_counters *c)
{
	return c->sessions;
}

static uint64_t get_connections(const struct iscsi_counters *c)
{
	return c->connections;
}

void wire_expect_sessions(struct wire *w, uint64_t n)
{
	expect_count(w, "sessions", n, get_sessions);
}

void wire_expect_connections(struct wire *w, uint64_t n)
{
	expect_count(w, "connections", n, get_connections);
}

static uint64_t get_logins(const struct iscsi_counters *c)
{
	return c->logins;
}

void wire_expect_logins(struct wire *w, uint64_t n)
{
	expect_count(w, "logins", n, get_logins);
}

static uint64_t get_all(const struct iscsi_counters *c)
{
	return c->sessions + c->connections + c->half_open;
}

void wire_expect_idle(struct wire *w)
{
	expect_count(w, "sessions and connections", 0, get_all);
}

/* --- from setup to teardown ----------------------------------------------------------------- */

/* Refusals are what these tests are about: their lines are written only when asked for. */
static void quiet(void)
{
	const char *v = getenv("WIRE_LOG");

	log_setup(LOG_TO_STDERR, v ? LOG_DEBUG : LOG_EMERG);
}

int wire_setup(void **state)
{
	struct wire *w = calloc(1, sizeof(*w));

	if (!w || loop_create(0, &w->loop) != 0)
		return -1;
	quiet();
	list_init(&w->blocks);
	w->policy = iscsi_policy_default;
	w->portal[w->nportals++] = (struct iscsi_portal){ .port = 3260, .group = 1 };
	wire_add_target(w, OPEN);
	wire_add_target(w, LOCKED)->chap = true;
	w->row[w->nrows++] = (struct credential_spec){
		.scope = CREDENTIAL_OF_TARGET,
		.scope_name = LOCKED,
		.initiator = HOST,
		.type = CREDENTIAL_CHAP,
		.in_secret = { (const uint8_t *)SECRET, strlen(SECRET) },
		.out_secret = { (const uint8_t *)TARGET_SECRET, strlen(TARGET_SECRET) },
	};
	w->cfg = (struct iscsi_server_cfg){
		.main_loop = w->loop,
		.reactors = 1,
		.max_half_open = 256,
		.max_half_open_per_address = 256,
	};
	*state = w;
	return 0;
}

int wire_setup_started(void **state)
{
	if (wire_setup(state) != 0)
		return -1;
	wire_start(*state);
	return 0;
}

int wire_setup_plain(void **state)
{
	struct wire *w;

	if (wire_setup(state) != 0)
		return -1;
	w = *state;
	w->plain = true;
	wire_start(w);
	return 0;
}

int wire_teardown(void **state)
{
	struct wire *w = *state;

	if (w->server)
		wire_stop(w, 0);
	for (unsigned i = 0; i < WIRE_TARGETS; i++)
		lun_map_unref(w->target[i].luns);
	loop_free(w->loop);
	free_blocks(w);
	if (w->disks)
		print_error("%d disks are still held by somebody\n", w->disks);
	int rc = w->disks ? -1 : 0;
	free(w);
	return rc;
}
