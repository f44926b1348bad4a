/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random PERSISTENT RESERVE OUT and IN beside a model that was written from SPC-4 5.12 alone: after
 * each command the status, the sense, the data, the unit attentions and what READ and WRITE are
 * allowed must be the model's. A failure prints seed and step: SEED=n runs that one again.
 */
#include <stdio.h>

#include "tests/unit/scsi_support.h"

#define BYTES(...) ((const uint8_t[]){ __VA_ARGS__ })
#define ID_LEN     52u
#define NEXUSES    3
#define ROWS       8

enum { REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_ABORT, REGISTER_ANYHOW, MOVE };
enum { SPEC_I_PT = 0x08, ALL_TG_PT = 0x04 };
enum { PREEMPTED = 0x2a03, RELEASED = 0x2a04, UNREGISTERED = 0x2a05 };
enum { CONFLICT = 1, BAD_LIST, BAD_RELEASE, BAD_CDB }; /* instead of GOOD */

/* Two initiator ports; the first comes through two target ports. */
static const struct {
	int host, port;
} nexuses[NEXUSES] = { { 0, 1 }, { 1, 1 }, { 0, 2 } };
static const char *const hosts[] = { "iqn.2026-11.com.example:host1,i,0x00023d000000",
	"iqn.2026-11.com.example:host2,i,0x00023d000001" };

/* --- the model ----------------------------------------------------------------------- */

/* A registration; port 0: through every port. */
struct row {
	int host, port;
	uint64_t key;
	bool used, holds;
};

struct model {
	struct row row[ROWS];
	uint32_t generation;
	int type;
	int acts;                     /* the nexus whose command it is: it is told nothing */
	unsigned attentions[NEXUSES]; /* bits: 1 PREEMPTED, 2 RELEASED, 4 UNREGISTERED */
};

static struct row *row_of(struct model *m, int host, int port)
{
	for (int i = 0; i < ROWS; i++) {
		struct row *r = &m->row[i];

		if (r->used && r->host == host && (!r->port || r->port == port))
			return r;
	}
	return NULL;
}

static unsigned count(const struct model *m)
{
	unsigned n = 0;

	for (int i = 0; i < ROWS; i++)
		n += m->row[i].used;
	return n;
}

static struct row *new_row(struct model *m, int host, int port, uint64_t key)
{
	int i = 0;

	while (m->row[i].used)
		i++;
	m->row[i] = (struct row){ .host = host, .port = port, .key = key, .used = true };
	return &m->row[i];
}

static void inform(struct model *m, const struct row *who, uint16_t what)
{
	for (int i = 0; i < NEXUSES; i++)
		if (i != m->acts && nexuses[i].host == who->host &&
			(!who->port || who->port == nexuses[i].port))
			m->attentions[i] |= 1u << (what - PREEMPTED);
}

static void inform_others(struct model *m, uint16_t what)
{
	for (int i = 0; i < ROWS; i++)
		if (m->row[i].used)
			inform(m, &m->row[i], what);
}

static bool all_hold(const struct model *m)
{
	return m->type == 7 || m->type == 8;
}

static bool is_holder(const struct model *m, const struct row *r)
{
	return m->type && r && (all_hold(m) || r->holds);
}

static void nothing_reserved(struct model *m)
{
	m->type = 0;
	for (int i = 0; i < ROWS; i++)
		m->row[i].holds = false;
}

static void hold(struct model *m, struct row *r, int type)
{
	nothing_reserved(m);
	m->type = type;
	r->holds = !all_hold(m);
}

static void widen(struct model *m, struct row *r)
{
	for (int i = 0; i < ROWS; i++) {
		struct row *other = &m->row[i];

		if (!other->used || other == r || other->host != r->host)
			continue;
		r->holds |= other->holds;
		other->used = false;
	}
	r->port = 0;
}

/* SPC-4 5.12.11.3: what goes with a registration. */
static void leave(struct model *m, struct row *r)
{
	bool ends = is_holder(m, r) && (!all_hold(m) || count(m) == 1);
	int type = m->type;

	r->used = false;
	if (!ends)
		return;
	nothing_reserved(m);
	if (type >= 5)
		inform_others(m, RELEASED);
}

struct command {
	int nexus, action, type, flags;
	uint64_t key, next;
	int host, port; /* whom SPEC_I_PT or REGISTER AND MOVE names */
	bool unregister;
};

static int expect_register(struct model *m, const struct command *c)
{
	int host = nexuses[c->nexus].host, port = nexuses[c->nexus].port;
	struct row *r = row_of(m, host, port), *other = NULL;

	if (c->flags & SPEC_I_PT && c->action == REGISTER_ANYHOW)
		return BAD_LIST;
	if (c->action == REGISTER && c->key != (r ? r->key : 0))
		return CONFLICT;
	if (c->flags & SPEC_I_PT && r)
		return BAD_LIST;
	if (!r && !c->next)
		return 0;
	for (int at = 1; c->flags & SPEC_I_PT && at <= 2; at++)
		if ((at == port || c->flags & ALL_TG_PT) && row_of(m, c->host, at))
			return BAD_LIST;
	m->generation++;
	if (!c->next) {
		leave(m, r);
		return 0;
	}
	if (!r)
		r = new_row(m, host, port, c->next);
	r->key = c->next;
	if (c->flags & SPEC_I_PT) {
		other = row_of(m, c->host, port); /* itself, named once more */
		if (!other)
			other = new_row(m, c->host, port, c->next);
	}
	if (c->flags & ALL_TG_PT) {
		widen(m, r);
		if (other && other != r)
			widen(m, other);
	}
	return 0;
}

static int expect_preempt(struct model *m, const struct command *c, struct row *own)
{
	bool known = false, takes = all_hold(m) && !c->next;
	int before = m->type;

	for (int i = 0; c->next && i < ROWS; i++)
		if (m->row[i].used && m->row[i].key == c->next) {
			known = true;
			takes |= m->row[i].holds;
		}
	if (!c->next && !takes)
		return BAD_LIST;
	if (c->next && !known)
		return CONFLICT;
	m->generation++;
	for (int i = 0; i < ROWS; i++) {
		struct row *r = &m->row[i];

		if (!r->used || (c->next && r->key != c->next) || (r == own && takes))
			continue;
		inform(m, r, UNREGISTERED);
		r->used = false;
	}
	if (takes) {
		hold(m, own, c->type);
		if (before != c->type)
			inform_others(m, RELEASED);
	} else if (!count(m)) {
		nothing_reserved(m);
	}
	return 0;
}

static int expect_move(struct model *m, const struct command *c, struct row *own)
{
	struct row *to;

	if (c->host == nexuses[c->nexus].host)
		return BAD_LIST;
	if (own && !m->type)
		return BAD_CDB;
	if (!own || own->key != c->key || !is_holder(m, own) || all_hold(m))
		return CONFLICT;
	to = row_of(m, c->host, c->port);
	if (!c->next || to == own)
		return BAD_LIST;
	m->generation++;
	if (!to)
		to = new_row(m, c->host, c->port, c->next);
	to->key = c->next;
	hold(m, to, m->type);
	if (c->unregister)
		own->used = false;
	return 0;
}

static int expect_release(struct model *m, const struct command *c, struct row *own)
{
	if (!is_holder(m, own))
		return 0;
	if (m->type != c->type)
		return BAD_RELEASE;
	nothing_reserved(m);
	if (c->type >= 5)
		inform_others(m, RELEASED);
	return 0;
}

static int expect(struct model *m, const struct command *c)
{
	struct row *own = row_of(m, nexuses[c->nexus].host, nexuses[c->nexus].port);

	m->acts = c->nexus;
	if (c->action == REGISTER || c->action == REGISTER_ANYHOW)
		return expect_register(m, c);
	if (c->action == MOVE)
		return expect_move(m, c, own);
	if (!own || own->key != c->key)
		return CONFLICT;
	switch (c->action) {
	case RESERVE:
		if (m->type)
			return is_holder(m, own) && m->type == c->type ? 0 : CONFLICT;
		hold(m, own, c->type);
		return 0;
	case RELEASE: return expect_release(m, c, own);
	case CLEAR:
		inform_others(m, PREEMPTED);
		memset(m->row, 0, sizeof(m->row));
		m->type = 0;
		m->generation++;
		return 0;
	default: return expect_preempt(m, c, own);
	}
}

/* SPC-4 table 48 and 49: the types 1, 5 and 7 let everybody read. */
static bool lets_in(struct model *m, int nexus, bool writes)
{
	struct row *own = row_of(m, nexuses[nexus].host, nexuses[nexus].port);

	if (!m->type || is_holder(m, own) || (own && m->type >= 5))
		return true;
	return !writes && (m->type == 1 || m->type == 5 || m->type == 7);
}

/* --- the unit ------------------------------------------------------------------------ */

struct bench {
	struct rig *r;
	struct nexus third;
	struct model m;
	uint32_t random;
	int step;
};

static uint32_t dice(struct bench *b, uint32_t sides)
{
	b->random = b->random * 1664525u + 1013904223u;
	return (b->random >> 8) % sides;
}

static struct nexus *nexus_of(struct bench *b, int i)
{
	return i == 2 ? &b->third : &b->r->nexus[i];
}

static size_t put_id(uint8_t *p, int host)
{
	memset(p, 0, ID_LEN);
	p[0] = 0x45;
	put_be16(p + 2, ID_LEN - 4);
	memcpy(p + 4, hosts[host], strlen(hosts[host]));
	return ID_LEN;
}

static struct result run(struct bench *b, const struct command *c)
{
	uint8_t list[128] = { 0 };
	uint32_t len = 24;

	put_be64(list, c->key);
	put_be64(list + 8, c->next);
	if (c->action == MOVE) {
		list[17] = c->unregister ? 2 : 0;
		put_be16(list + 18, (uint16_t)c->port);
		put_be32(list + 20, ID_LEN);
		len = 24 + (uint32_t)put_id(list + 24, c->host);
	} else {
		list[20] = (uint8_t)c->flags;
	}
	if (c->flags & SPEC_I_PT) {
		put_be32(list + 24, ID_LEN);
		len = 28 + (uint32_t)put_id(list + 28, c->host);
	}
	return rig_run(nexus_of(b, c->nexus), 0,
		BYTES(0x5f, (uint8_t)c->action, (uint8_t)c->type, 0, 0, BE4(len), 0), 10, list,
		len);
}

static struct command any(struct bench *b)
{
	static const int types[] = { 1, 3, 5, 6, 7, 8 };
	struct command c = { .nexus = (int)dice(b, NEXUSES),
		.action = (int)dice(b, 8),
		.type = types[dice(b, 6)],
		.key = dice(b, 4),
		.next = dice(b, 4),
		.host = (int)dice(b, 2),
		.port = 1 + (int)dice(b, 2),
		.unregister = dice(b, 2) };
	const struct row *own = row_of(&b->m, nexuses[c.nexus].host, nexuses[c.nexus].port);

	if (dice(b, 4)) /* the key is right more often than not */
		c.key = own ? own->key : 0;
	if (c.action == RELEASE && dice(b, 2) && b->m.type)
		c.type = b->m.type;
	if (c.action == REGISTER || c.action == REGISTER_ANYHOW)
		c.flags = (dice(b, 3) ? 0 : SPEC_I_PT) | (dice(b, 4) ? 0 : ALL_TG_PT);
	return c;
}

#define SAME(b, is, is_to_be, what) \
	do { \
		uint64_t is_ = (uint64_t)(is), be_ = (uint64_t)(is_to_be); \
		if (is_ != be_) \
			fail_msg("step %d: %s: %#llx, not %#llx", (b)->step, what, \
				(unsigned long long)is_, (unsigned long long)be_); \
	} while (0)

static void same_end(struct bench *b, const struct command *c, struct result res, int wanted)
{
	static const uint16_t asc[] = { 0, 0, 0x2600, 0x2604, 0x2400 };
	char what[96];

	snprintf(what, sizeof(what), "nexus %d action %d type %d flags %d key %d next %d", c->nexus,
		c->action, c->type, c->flags, (int)c->key, (int)c->next);
	SAME(b, res.status,
		wanted == CONFLICT ? SCSI_RESERVATION_CONFLICT
		: wanted           ? SCSI_CHECK_CONDITION
				   : SCSI_GOOD,
		what);
	if (wanted > CONFLICT) {
		SAME(b, res.sense.key, SENSE_ILLEGAL_REQUEST, what);
		SAME(b, res.sense.asc, asc[wanted], what);
	}
}

/* Each is told once, and nothing else is. */
static void same_attentions(struct bench *b)
{
	for (int i = 0; i < NEXUSES; i++) {
		unsigned told = 0;
		struct result res;

		while ((res = rig_run(nexus_of(b, i), 0, BYTES(TUR), 6, NULL, 0)).status) {
			SAME(b, res.sense.key, SENSE_UNIT_ATTENTION, "sense key");
			SAME(b, res.sense.asc & ~7u, 0x2a00, "attention");
			SAME(b, told >> (res.sense.asc - PREEMPTED) & 1, 0, "told twice");
			told |= 1u << (res.sense.asc - PREEMPTED);
		}
		SAME(b, told, b->m.attentions[i], "attentions");
		b->m.attentions[i] = 0;
	}
}

static void same_access(struct bench *b)
{
	static const uint8_t block[512];

	for (int i = 0; i < NEXUSES; i++) {
		SAME(b, rig_run(nexus_of(b, i), 0, BYTES(READ10(0, 1)), 10, NULL, 512).status,
			lets_in(&b->m, i, false) ? SCSI_GOOD : SCSI_RESERVATION_CONFLICT, "READ");
		SAME(b, rig_run(nexus_of(b, i), 0, BYTES(WRITE10(0, 1)), 10, block, 512).status,
			lets_in(&b->m, i, true) ? SCSI_GOOD : SCSI_RESERVATION_CONFLICT, "WRITE");
	}
}

static struct result in(struct bench *b, uint8_t action)
{
	struct nexus *n = nexus_of(b, (int)dice(b, NEXUSES));

	return rig_run(n, 0, BYTES(0x5e, action, 0, 0, 0, 0, 0, BE2(4096), 0), 10, NULL, 4096);
}

/* READ FULL STATUS: the order of registrations is the unit's own affair. */
static void same_full_status(struct bench *b)
{
	struct model left = b->m;

	assert_good(in(b, 3));
	SAME(b, be32(rig_in), b->m.generation, "PRGENERATION");
	SAME(b, be32(rig_in + 4), count(&b->m) * (24 + ID_LEN), "length of the full status");
	for (unsigned i = 0; i < count(&b->m); i++) {
		const uint8_t *d = rig_in + 8 + i * (24 + ID_LEN);
		uint8_t id[2][ID_LEN];
		struct row *r = NULL;

		for (int h = 0; h < 2; h++)
			if (put_id(id[h], h) && !memcmp(d + 24, id[h], ID_LEN))
				for (int k = 0; k < ROWS; k++)
					if (left.row[k].used && left.row[k].host == h &&
						left.row[k].port == be16(d + 18))
						r = &left.row[k];
		SAME(b, r != NULL, true, "a registration that is there");
		SAME(b, be64(d), r->key, "its key");
		SAME(b, d[12], (!r->port) << 1 | is_holder(&b->m, r), "ALL_TG_PT and R_HOLDER");
		SAME(b, d[13], is_holder(&b->m, r) ? b->m.type : 0, "its type");
		r->used = false;
	}
}

static void same_reservation(struct bench *b)
{
	uint64_t key = 0;

	for (int i = 0; i < ROWS; i++)
		if (b->m.row[i].used && b->m.row[i].holds)
			key = b->m.row[i].key;
	assert_good(in(b, 1));
	SAME(b, be32(rig_in), b->m.generation, "PRGENERATION");
	SAME(b, be32(rig_in + 4), b->m.type ? 16 : 0, "length of the reservation");
	if (!b->m.type)
		return;
	SAME(b, be64(rig_in + 8), key, "the holder's key");
	SAME(b, rig_in[21], b->m.type, "type");
}

static void same_keys(struct bench *b)
{
	uint64_t is = 0, wanted = 0;

	assert_good(in(b, 0));
	SAME(b, be32(rig_in + 4), 8 * count(&b->m), "length of the keys");
	for (int i = 0; i < ROWS; i++)
		wanted += b->m.row[i].used ? UINT64_C(1) << (8 * b->m.row[i].key) : 0;
	for (unsigned i = 0; i < count(&b->m); i++)
		is += UINT64_C(1) << (8 * be64(rig_in + 8 + 8 * i));
	SAME(b, is, wanted, "keys");
}

static void step(struct bench *b)
{
	struct command c = any(b);
	struct result res = run(b, &c);

	same_end(b, &c, res, expect(&b->m, &c));
	same_attentions(b);
	same_access(b);
	same_keys(b);
	same_reservation(b);
	same_full_status(b);
}

static void no_operation_of_ten_thousand_differs_from_the_model(void **state)
{
	const char *seed = getenv("SEED");
	struct bench b = { .random = seed ? (uint32_t)strtoul(seed, NULL, 0) : 20261121u };

	(void)state;
	b.r = rig_create((struct rig_cfg){ 0 });
	b.third = (struct nexus){ .loop = b.r->loop,
		.bufs = b.r->bufs,
		.ops = &rig_ops,
		.initiator = b.r->nexus[0].initiator,
		.isid = { 0, 2, 0x3d, 0, 0, 0 },
		.target = b.r->nexus[0].target,
		.tpgt = 2,
		.rel_port = 2 };
	assert_int_equal(nexus_open(&b.third, b.r->map), 0);
	assert_check(rig_run(&b.third, 0, BYTES(TUR), 6, NULL, 0), SENSE_UNIT_ATTENTION, 0x2900);
	print_message("seed %u\n", b.random);
	for (b.step = 0; b.step < 10000; b.step++)
		step(&b);
	nexus_close(&b.third, rig_nexus_closed);
	rig_free(b.r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_operation_of_ten_thousand_differs_from_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
