/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/load/discover.h"

#include <stdlib.h>
#include <string.h>

#include "tests/bench/load/clock.h"
#include "tests/bench/load/die.h"

#define SEGMENT (1u << 20) /* what we declare as MaxRecvDataSegmentLength */

static void request(struct link *l, uint32_t ttt, const char *text, uint32_t len)
{
	uint8_t bhs[BHS_SIZE] = { BHS_IMMEDIATE | OP_TEXT_REQ, TEXT_FINAL };

	put_be32(bhs + 16, 3);
	put_be32(bhs + 20, ttt);
	put_be32(bhs + 24, l->cmdsn);
	link_send(l, bhs, text, len);
}

/* Names that begin in these bytes. A key may be cut between two PDUs: the answer is searched as a
 * whole. */
static unsigned count_targets(const char *text, size_t len)
{
	static const char key[] = "TargetName=";
	unsigned n = 0;

	for (const char *p = text, *end = text + len; p < end;
		p += strnlen(p, (size_t)(end - p)) + 1)
		n += strncmp(p, key, sizeof(key) - 1) == 0;
	return n;
}

struct text {
	char *p;
	size_t len, size;
};

static void make_room(struct text *t)
{
	if (t->size - t->len > SEGMENT)
		return;
	t->size += 4 * (size_t)SEGMENT;
	t->p = realloc(t->p, t->size);
	if (!t->p)
		die_errno("memory");
}

static unsigned ask(struct link *l, struct text *t)
{
	static const char all[] = "SendTargets=All";
	unsigned parts = 0;
	uint8_t bhs[BHS_SIZE] = { 0 };

	t->len = 0;
	request(l, TAG_NONE, all, sizeof(all));
	for (;;) {
		make_room(t);
		t->len += link_recv(l, bhs, t->p + t->len, SEGMENT);
		if ((bhs[0] & BHS_OPCODE) != OP_TEXT_RSP)
			die("opcode %02x in answer to text", bhs[0]);
		link_status(l, bhs);
		parts++;
		if (bhs[1] & TEXT_FINAL)
			return parts;
		request(l, be32(bhs + 20), NULL, 0);
	}
}

void discover(const struct login_kit *kit, struct discover_result *out)
{
	uint64_t end = now() + (uint64_t)(kit->plan->seconds * 1e9), t;
	struct text text = { 0 };
	struct link l;

	*out = (struct discover_result){ 0 };
	login(kit, &l, 0);
	do {
		t = now();
		out->parts = ask(&l, &text);
		histogram_add(&out->latency, now() - t);
	} while (now() < end);
	out->targets = count_targets(text.p, text.len);
	logout(&l);
	free(text.p);
}
