/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cartridges by their labels: SEND VOLUME TAG asks, REQUEST VOLUME ELEMENT ADDRESS gets the answer.
 * Each nexus has a question of its own; the last few nexuses that asked are remembered.
 */
#include <stdlib.h>
#include <string.h>

#include "scsi/smc.h"

/* SEND ACTION CODE (SMC-3 table 41): search all tags, the primary ones, or the alternate ones, with
 * a look at sequence numbers or without. Labels cannot be changed. */
static bool searches(uint8_t action)
{
	return action <= 2 || (action >= 4 && action <= 6);
}

/* Which of them look at primary tags, the only ones that there are. */
static bool looks_at_primary(uint8_t action)
{
	return (action & 3) != 2;
}

#define LIST_LEN 40

static struct volume_search *find(struct changer *c, const struct itl *itl)
{
	for (unsigned i = 0; i < VOLUME_SEARCHES; i++)
		if (c->search[i].itl == itl)
			return &c->search[i];
	return NULL;
}

/* That of the nexus, or the one that was used least of late. */
static struct volume_search *place_for(struct changer *c, const struct itl *itl)
{
	struct volume_search *s = find(c, itl), *oldest = &c->search[0];

	if (s)
		return s;
	for (unsigned i = 1; i < VOLUME_SEARCHES; i++)
		if (c->search[i].order < oldest->order)
			oldest = &c->search[i];
	return oldest;
}

/* SEND VOLUME TAG (SMC-3 6.14). */
static enum scsi_next send_volume_tag_data(struct scsi_task *t)
{
	struct changer *c = changer_of(t);
	struct rd rd = list_cursor(t);
	const uint8_t *pattern = rd_bytes(&rd, VOLUME_ID_SIZE);
	struct volume_search *s;

	if (t->got < LIST_LEN || !pattern)
		return task_list_too_short(t);
	pthread_mutex_lock(&c->lu.lock);
	s = place_for(c, t->itl);
	*s = (struct volume_search){
		.itl = t->itl,
		.action = t->cdb[5] & 0x1f,
		.type = t->cdb[1] & 0x0f,
		.start = be16(t->cdb + 2),
		.order = ++c->searches,
	};
	memcpy(s->pattern, pattern, VOLUME_ID_SIZE);
	pthread_mutex_unlock(&c->lu.lock);
	return task_good(t);
}

static enum scsi_next send_volume_tag(struct scsi_task *t)
{
	if ((t->cdb[1] & 0x0f) >= ELEMENT_TYPES_END)
		return task_bad_cdb(t, 1, 3);
	if (!searches(t->cdb[5] & 0x1f))
		return task_bad_cdb(t, 5, 4);
	if (be16(t->cdb + 8) != LIST_LEN)
		return task_bad_cdb(t, 8, -1);
	return list_wanted(t, LIST_LEN);
}

/* A template, padded with spaces or NULs, against a barcode: ? is any character, * is any number of
 * them (SMC-3 6.14). */
static bool matches(const uint8_t *pattern, size_t n, const char *text)
{
	const uint8_t *again = NULL;
	const char *from = text;
	const uint8_t *end = pattern + n;

	while (*text) {
		if (pattern < end && *pattern == '*') {
			again = ++pattern;
			from = text;
		} else if (pattern < end && (*pattern == '?' || *pattern == (uint8_t)*text)) {
			pattern++;
			text++;
		} else if (again) { /* the last asterisk takes one more */
			pattern = again;
			text = ++from;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

static size_t trimmed(const uint8_t *pattern)
{
	size_t n = VOLUME_ID_SIZE;

	while (n && (pattern[n - 1] == ' ' || !pattern[n - 1]))
		n--;
	return n;
}

static bool wanted(const struct library_element *e, const void *arg)
{
	const struct volume_search *s = arg;

	return e->full && looks_at_primary(s->action) &&
	       matches(s->pattern, trimmed(s->pattern), e->barcode);
}

/* REQUEST VOLUME ELEMENT ADDRESS (SMC-3 6.13): of those that the search found, what the CDB asks
 * for. */
static enum scsi_next request_volume_element_address(struct scsi_task *t)
{
	struct changer *c = changer_of(t);
	uint8_t type = t->cdb[1] & 0x0f;
	struct volume_search s = { .itl = NULL };
	const struct volume_search *asked;
	struct smc_report r = {
		.max = be16(t->cdb + 4),
		.volume_tags = t->cdb[1] & 0x10,
		.wanted = wanted,
		.arg = &s,
	};

	if (type >= ELEMENT_TYPES_END)
		return task_bad_cdb(t, 1, 3);
	pthread_mutex_lock(&c->lu.lock);
	asked = find(c, t->itl);
	if (asked)
		s = *asked;
	pthread_mutex_unlock(&c->lu.lock);
	if (!s.itl || (s.type && type && s.type != type))
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_COMMAND_SEQUENCE_ERROR);
	r.action = s.action;
	r.type = (enum catalog_place_kind)(type ? type : s.type);
	r.start = s.start > be16(t->cdb + 2) ? s.start : be16(t->cdb + 2);
	return smc_report(t, &r, be24(t->cdb + 7));
}

// clang-format off
const struct scsi_op smc_volume_ops[] = {
	{ 0xb5, NO_SERVICE, .name = "REQUEST VOLUME ELEMENT ADDRESS",
	  .start = request_volume_element_address, .stops = STOPS_LOOK | STOPS_READY,
	  .usage = { 0xb5, 0x1f, FF4, 0, FF2, 0xff, 0, 0x04 } },
	{ 0xb6, NO_SERVICE, .name = "SEND VOLUME TAG", .start = send_volume_tag,
	  .data = send_volume_tag_data, .stops = STOPS_LOOK | STOPS_READY,
	  .usage = { 0xb6, 0x0f, FF2, 0, 0x1f, 0, 0, FF2, 0, 0x04 } },
	{ .name = NULL },
};
// clang-format on
