/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Eight hosts, each on a thread of its own, move cartridges at random and look where they are. At
 * every moment every cartridge is in one place; in the end memory, the catalog and the drives
 * agree.
 */
#include <pthread.h>

#include "smc_support.h"

#define HOSTS      8
#define CARTRIDGES 5
#define ROUNDS     60

struct host {
	pthread_t thread;
	struct loop *loop;
	struct bufs *bufs;
	struct lun_map *map;
	struct nexus nexus;
	unsigned number;
	unsigned moved, refused;
	const char *wrong; /* what it saw that cannot be */
	uint8_t in[4096];
};

static const uint16_t places[] = { SLOT(0), SLOT(1), SLOT(2), SLOT(3), SLOT(4), SLOT(5), MAIL(0),
	MAIL(1), DRIVE(0), DRIVE(1) };
#define PLACES (sizeof(places) / sizeof(places[0]))

static uint16_t pick(unsigned *seed)
{
	return places[(unsigned)rand_r(seed) % PLACES];
}

static struct result command(struct host *h, const uint8_t *cdb, size_t len, uint32_t expect)
{
	return smc_run_into(&h->nexus, cdb, len, NULL, expect, h->in);
}

/* A refusal has to be one of those that other hosts' moves explain. */
static void move_one(struct host *h, unsigned *seed)
{
	uint16_t a = pick(seed), b = pick(seed), c = pick(seed);
	const uint8_t move[] = { MOVE(a, b) }, exchange[] = { EXCHANGE(a, b, c) };
	struct result res = rand_r(seed) % 3 ? command(h, move, sizeof(move), 0)
					     : command(h, exchange, sizeof(exchange), 0);

	if (res.status == SCSI_GOOD)
		h->moved++;
	else if (res.status == SCSI_CHECK_CONDITION && res.sense.key == SENSE_ILLEGAL_REQUEST &&
		 (res.sense.asc == 0x3b0d || res.sense.asc == 0x3b0e))
		h->refused++;
	else
		h->wrong = "a move ended otherwise";
}

/* Descriptors of 52 bytes in pages: how often each cartridge is there. */
static void look(struct host *h)
{
	const uint8_t cdb[] = { STATUS(VOLTAG, 0, 0xffff, 0, sizeof(h->in)) };
	struct result res = command(h, cdb, sizeof(cdb), sizeof(h->in));
	unsigned times[CARTRIDGES] = { 0 };

	if (res.status != SCSI_GOOD)
		h->wrong = "READ ELEMENT STATUS failed";
	for (uint32_t at = 8; at < res.in_len;) {
		uint32_t end = at + 8 + be24(h->in + at + 5);

		for (at += 8; at < end; at += 52)
			if (h->in[at + 2] & 0x01)
				times[h->in[at + 12 + 5] - '1']++;
	}
	for (unsigned i = 0; i < CARTRIDGES; i++)
		if (times[i] != 1)
			h->wrong = "a cartridge is in no place, or in two";
}

static void closed(struct nexus *n)
{
	n->initiator = NULL;
}

static void *run(void *arg)
{
	struct host *h = arg;
	unsigned seed = h->number + 1;
	const uint8_t tur[] = { TUR };

	command(h, tur, sizeof(tur), 0); /* the attention of the first contact */
	for (unsigned i = 0; i < ROUNDS && !h->wrong; i++) {
		move_one(h, &seed);
		look(h);
	}
	nexus_close(&h->nexus, closed);
	while (h->nexus.initiator)
		loop_step(h->loop);
	return NULL;
}

static void start(struct host *h, struct smc *m, unsigned i)
{
	h->number = i;
	assert_int_equal(loop_create(0, &h->loop), 0);
	assert_int_equal(bufs_create(h->loop, 1 << 20, &h->bufs), 0);
	smc_nexus(&h->nexus, h->loop, h->bufs, m->map, i);
	assert_int_equal(pthread_create(&h->thread, NULL, run, h), 0);
}

/* This thread is the library's loop meanwhile. */
static void run_hosts(struct smc *m, struct host *hosts)
{
	for (unsigned i = 0; i < HOSTS; i++)
		start(&hosts[i], m, i);
	for (unsigned i = 0; i < HOSTS; i++) {
		while (pthread_tryjoin_np(hosts[i].thread, NULL))
			loop_step(m->shop->rig.loop);
		bufs_free(hosts[i].bufs);
		loop_free(hosts[i].loop);
	}
}

struct whereabouts {
	char barcode[CARTRIDGES][BARCODE_SIZE];
	uint16_t address[CARTRIDGES];
	unsigned n;
};

static void note(const struct library_element *e, void *arg)
{
	struct whereabouts *w = arg;

	if (!e->full)
		return;
	assert_true(w->n < CARTRIDGES);
	strcpy(w->barcode[w->n], e->barcode);
	w->address[w->n++] = e->address;
}

static struct whereabouts whereabouts(struct smc *m)
{
	struct whereabouts w = { .n = 0 };

	library_elements(m->shop->l, CATALOG_IN_VAULT, 0, SIZE_MAX, note, &w);
	assert_int_equal(w.n, CARTRIDGES);
	return w;
}

static void drives_hold_what_the_library_says(struct smc *m)
{
	for (unsigned i = 0; i < SHOP_DRIVES; i++) {
		struct drive_medium medium;

		drive_medium(m->shop->drives[i], &medium);
		assert_string_equal(medium.barcode, shop_element(m->shop, DRIVE(i)).barcode);
	}
}

static void eight_hosts_lose_no_cartridge(void **state)
{
	struct smc *m = *state;
	struct host *hosts = calloc(HOSTS, sizeof(*hosts));
	char barcode[] = "AAA001L5";
	struct whereabouts before, after;
	unsigned moved = 0;

	assert_non_null(hosts);
	for (unsigned i = 0; i < CARTRIDGES; i++, barcode[5]++)
		assert_int_equal(shop_add(m->shop, barcode, SLOT(i)), LIBRARY_OK);
	run_hosts(m, hosts);
	for (unsigned i = 0; i < HOSTS; i++) {
		if (hosts[i].wrong)
			fail_msg("host %u: %s", i, hosts[i].wrong);
		assert_int_equal(hosts[i].moved + hosts[i].refused, ROUNDS);
		moved += hosts[i].moved;
	}
	assert_true(moved > ROUNDS / 2);
	drives_hold_what_the_library_says(m);
	before = whereabouts(m);
	smc_restart(m); /* as the catalog has it */
	after = whereabouts(m);
	assert_memory_equal(&before, &after, sizeof(before));
	free(hosts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(eight_hosts_lose_no_cartridge, smc_begin, smc_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
