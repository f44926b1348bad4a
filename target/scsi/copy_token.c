/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copying by tokens (SBC-4 5.20, 5.43, 5.25; what Windows calls ODX): POPULATE TOKEN makes a token
 * that stands for ranges of a unit, WRITE USING TOKEN writes them elsewhere, RECEIVE ROD TOKEN
 * INFORMATION tells what came of both.
 *
 * A token is access upon reference: it stands for the blocks, and not for what was in them when
 * it was made. It carries 32 random bytes, which are the right to use it. Whoever shows it must
 * also see the unit in its own LUN map and be allowed to read there itself at that moment; so a
 * token that got into wrong hands opens nothing, and one that was handed from host to host (as
 * clusters do) works. Nothing in a token is believed: it is compared with those that the units
 * have made.
 */
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "scsi/copy.h"
#include "scsi/reply.h"
#include "scsi/sbc.h"

#define RANGE          16u
#define POPULATE_HEAD  16u
#define USE_HEAD       536u
#define AT_TOKEN       16u

#define TYPE_REFERENCE UINT32_C(0x00010000) /* access upon reference */
#define TYPE_ZERO      UINT32_C(0xffff0001) /* block device zero ROD token */
#define MANAGEMENT     96u                  /* the part of a token that everybody may know */
#define AT_CREATOR     16u                  /* an identification descriptor of the unit */
#define AT_BYTES       48u                  /* how much it stands for; 16 bytes */
#define AT_SECRET      128u
#define SECRET         32u

struct range {
	uint64_t off, len; /* bytes */
};

struct token {
	struct list in_lu;
	uint64_t until; /* loop_now() */
	uint32_t seconds;
	unsigned n;
	uint8_t bytes[COPY_TOKEN_LEN];
	struct range ranges[COPY_RANGES];
};

static struct token *token_of(struct list *l)
{
	return container_of(l, struct token, in_lu);
}

/* --- the tokens of a unit: under its lock -------------------------------------------------- */

static void token_drop(struct lu *lu, struct token *k)
{
	list_del(&k->in_lu);
	lu->ntokens--;
	OPENSSL_cleanse(k->bytes, sizeof(k->bytes));
	free(k);
}

void copy_tokens_free(struct lu *lu)
{
	list_for_each_safe(it, &lu->tokens)
		token_drop(lu, token_of(it));
}

static void tokens_expire(struct lu *lu, uint64_t now)
{
	list_for_each_safe(it, &lu->tokens)
		if (now > token_of(it)->until)
			token_drop(lu, token_of(it));
}

static void token_renew(struct token *k, uint64_t now)
{
	k->until = now + (uint64_t)k->seconds * 1000 * 1000 * 1000;
}

static bool token_add(struct lu *lu, struct token *k, uint64_t now)
{
	bool room;

	token_renew(k, now);
	pthread_mutex_lock(&lu->lock);
	tokens_expire(lu, now);
	room = lu->ntokens < COPY_TOKENS;
	if (room) {
		list_push(&lu->tokens, &k->in_lu);
		lu->ntokens++;
	}
	pthread_mutex_unlock(&lu->lock);
	return room;
}

/* Copies the ranges of the token that these bytes are. 0: the unit has made no such token. */
static unsigned token_take(
	struct lu *lu, const uint8_t *bytes, uint64_t now, bool delete, struct range *out)
{
	unsigned n = 0;

	pthread_mutex_lock(&lu->lock);
	tokens_expire(lu, now);
	list_for_each_safe(it, &lu->tokens) {
		struct token *k = token_of(it);

		if (CRYPTO_memcmp(k->bytes, bytes, COPY_TOKEN_LEN))
			continue;
		n = k->n;
		memcpy(out, k->ranges, n * sizeof(*out));
		token_renew(k, now);
		if (delete)
			token_drop(lu, k);
		break;
	}
	pthread_mutex_unlock(&lu->lock);
	return n;
}

/* --- lists of ranges ----------------------------------------------------------------------- */

/* The ranges that follow a header of `head` bytes: none is empty or overlaps another. False: the
 * task has its status. Gives the sum of their lengths. */
static bool ranges_read(
	struct scsi_task *t, unsigned head, struct range *out, unsigned *n, uint64_t *sum)
{
	const uint8_t *list = t->buf;
	const struct lu *lu = t->itl->lu;

	*sum = 0;
	*n = be16(list + head - 2) / RANGE;
	if (be16(list) + 2u < head || t->got < be16(list) + 2u ||
		be16(list) + 2u - head < be16(list + head - 2))
		return task_list_too_short(t), false;
	if (!*n || *n > COPY_RANGES)
		return task_bad_list(t, head - 2, -1), false;
	for (unsigned i = 0; i < *n; i++) {
		const uint8_t *d = list + head + i * RANGE;
		uint32_t blocks = be32(d + 8);

		if (!sbc_in_range(lu, be64(d), blocks))
			return task_lba_out_of_range(t), false;
		if (!blocks)
			return task_bad_list(t, head + i * RANGE + 8, -1), false;
		out[i] = (struct range){ sbc_bytes(lu, be64(d)), sbc_bytes(lu, blocks) };
		*sum += out[i].len;
		for (unsigned k = 0; k < i; k++)
			if (out[k].off < out[i].off ? out[i].off - out[k].off < out[k].len
						    : out[k].off - out[i].off < out[i].len)
				return task_bad_list(t, head + i * RANGE, -1), false;
	}
	if (*sum > COPY_TOKEN_MAX)
		return task_bad_list(t, head - 2, -1), false;
	return true;
}

static enum scsi_next list_of(struct scsi_task *t, unsigned head)
{
	uint32_t len = be32(t->cdb + 10);

	if (!len)
		return task_good(t);
	if (len < head)
		return task_list_too_short(t);
	if (len > head + COPY_RANGES * RANGE)
		return task_bad_cdb(t, 10, -1);
	return list_wanted(t, len);
}

/* --- POPULATE TOKEN ------------------------------------------------------------------------ */

static bool token_write(struct token *k, const struct lu *lu, uint64_t sum)
{
	struct wr w = wr_of(k->bytes, sizeof(k->bytes));
	unsigned naa_len = lu->naa[0] >> 4 == 6 ? 16 : 8;

	memset(k->bytes, 0, sizeof(k->bytes));
	wr_be32(&w, TYPE_REFERENCE);
	wr_be16(&w, 0);
	wr_be16(&w, COPY_TOKEN_LEN - 8);
	if (RAND_bytes(k->bytes + 8, 8) != 1) /* its identifier, which is no secret */
		return false;
	w.len = AT_CREATOR;
	wr_bytes(&w, (const uint8_t[]){ 0xe4, 0, 0, 0, 1, 3, 0, (uint8_t)naa_len }, 8);
	wr_bytes(&w, lu->naa, naa_len);
	put_be64(k->bytes + AT_BYTES + 8, sum);
	return RAND_bytes(k->bytes + AT_SECRET, SECRET) == 1;
}

/* INACTIVITY TIMEOUT: 0 stands for the default. */
static bool token_timeout(struct scsi_task *t, uint32_t *seconds)
{
	*seconds = be32((const uint8_t *)t->buf + 4);
	if (*seconds > COPY_TIMEOUT_MAX)
		return task_bad_list(t, 4, -1), false;
	if (!*seconds)
		*seconds = COPY_TIMEOUT;
	return true;
}

static struct token *token_create(struct scsi_task *t)
{
	struct token *k = calloc(1, sizeof(*k));
	uint64_t sum;

	if (!k) {
		task_status(t, SCSI_BUSY);
		return NULL;
	}
	if (!token_timeout(t, &k->seconds) ||
		!ranges_read(t, POPULATE_HEAD, k->ranges, &k->n, &sum))
		goto refused;
	if (!token_write(k, t->itl->lu, sum)) {
		task_check(t, SENSE_HARDWARE_ERROR, ASC_INTERNAL_TARGET_FAILURE);
		goto refused;
	}
	return k;
refused:
	free(k);
	return NULL;
}

/* The result is there at once: nothing has to be copied to make a token. */
static enum scsi_next populated(struct scsi_task *t, struct copy *c, struct token *k)
{
	struct lu *lu = t->itl->lu;

	for (unsigned i = 0; i < k->n; i++)
		c->bytes += k->ranges[i].len;
	c->segments = (uint16_t)k->n;
	memcpy(c->token, k->bytes, COPY_TOKEN_LEN);
	if (!token_add(lu, k, loop_now(t->nexus->loop))) {
		free(k);
		copy_free(c);
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INSUFFICIENT_TOKEN_RESOURCES);
	}
	c->state = COPY_DONE;
	copy_keep(c);
	return task_good(t);
}

enum scsi_next copy_populate_data(struct scsi_task *t)
{
	uint32_t id = be32(t->cdb + 6);
	const uint8_t *list = t->buf;
	struct token *k;
	struct copy *c;

	if (t->got < POPULATE_HEAD)
		return task_list_too_short(t);
	if (list[2] & 0x02 && be32(list + 8) != TYPE_REFERENCE) /* RTV */
		return task_bad_list(t, 8, -1);
	if (copy_id_busy(t, id, false))
		return SCSI_DONE;
	k = token_create(t);
	c = k ? copy_create(t, id, 0) : NULL;
	if (c)
		c->token = malloc(COPY_TOKEN_LEN);
	if (c && c->token)
		return populated(t, c, k);
	if (c)
		task_status(t, SCSI_BUSY);
	free(k);
	copy_free(c);
	return SCSI_DONE;
}

enum scsi_next copy_populate(struct scsi_task *t)
{
	return list_of(t, POPULATE_HEAD);
}

/* --- WRITE USING TOKEN --------------------------------------------------------------------- */

/* What is read: ranges of a unit, or zeros. */
struct source {
	struct itl *itl; /* NULL: zeros */
	struct range ranges[COPY_RANGES];
	unsigned n;
};

/* TOKEN UNKNOWN, whether there is none or it is not for this nexus. */
static bool source_find(struct scsi_task *t, const uint8_t *token, bool delete, struct source *s)
{
	uint64_t now = loop_now(t->nexus->loop);
	const struct lun_entry *e;
	unsigned count = lun_map_entries(t->nexus->map, &e);

	s->itl = NULL;
	s->n = 0;
	if (be16(token + 6) != COPY_TOKEN_LEN - 8)
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_INVALID_TOKEN_LENGTH), false;
	if (be32(token) == TYPE_ZERO && sbc_all_zero(token + 8, COPY_TOKEN_LEN - 8))
		return true;
	if (be32(token) != TYPE_REFERENCE)
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_UNSUPPORTED_TOKEN_TYPE), false;
	for (unsigned i = 0; i < count && !s->n; i++) {
		s->n = token_take(e[i].lu, token, now, delete, s->ranges);
		s->itl = t->nexus->itls[i];
	}
	if (!s->n)
		return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_TOKEN_UNKNOWN), false;
	return true;
}

/* Cuts the ranges of both sides into runs. Those of the source begin behind `skip` bytes. */
static unsigned runs_write(struct copy_run *run, const struct source *s, uint64_t skip,
	struct itl *to, const struct range *r, unsigned n)
{
	unsigned i = 0, k = 0, runs = 0;
	uint64_t at = skip, done = 0;

	while (k < n) {
		uint64_t left = r[k].len - done, there = left;

		while (s->itl && i < s->n && at >= s->ranges[i].len)
			at -= s->ranges[i++].len;
		if (s->itl && i == s->n)
			break;
		if (s->itl && s->ranges[i].len - at < left)
			there = s->ranges[i].len - at;
		run[runs++] = (struct copy_run){ .from = s->itl,
			.to = to,
			.from_off = s->itl ? s->ranges[i].off + at : 0,
			.to_off = r[k].off + done,
			.len = there,
			.segment = (uint16_t)k };
		at += there;
		done += there;
		if (done == r[k].len) {
			done = 0;
			k++;
		}
	}
	return runs;
}

/* The blocks of both units must fit each other, and the token's must still be there. */
static bool runs_fit(const struct copy *c)
{
	for (unsigned i = 0; i < c->n; i++) {
		const struct copy_run *r = &c->runs[i];
		uint64_t all = r->from_off | r->len, size;

		if (!r->from)
			continue;
		size = sbc_bytes(r->from->lu, lu_blocks(r->from->lu));
		if (r->from_off > size || r->len > size - r->from_off)
			return false;
		if (all & (r->to->lu->block_size - 1) ||
			(all | r->to_off) & (r->from->lu->block_size - 1))
			return false;
	}
	return true;
}

static enum scsi_next use(
	struct scsi_task *t, const struct source *s, const struct range *ranges, unsigned n)
{
	const uint8_t *list = t->buf;
	uint64_t offset = be64(list + 8), sum = 0;
	struct copy *c;

	for (unsigned i = 0; i < s->n; i++)
		sum += s->ranges[i].len;
	if (s->itl && offset >= sum >> t->itl->lu->block_shift) /* OFFSET INTO ROD */
		return task_bad_list(t, 8, -1);
	c = copy_create(t, be32(t->cdb + 6), s->n + n);
	if (!c)
		return SCSI_DONE;
	offset = s->itl ? sbc_bytes(t->itl->lu, offset) : 0;
	c->n = runs_write(c->runs, s, offset, t->itl, ranges, n);
	if (runs_fit(c))
		return copy_begin(c, !(list[2] & 0x01)); /* IMMED */
	copy_free(c);
	return task_check(t, SENSE_ILLEGAL_REQUEST, ASC_TOKEN_REVOKED);
}

enum scsi_next copy_use_data(struct scsi_task *t)
{
	const uint8_t *list = t->buf;
	struct range ranges[COPY_RANGES];
	struct source s;
	uint64_t sum;
	unsigned n;

	if (t->got < USE_HEAD)
		return task_list_too_short(t);
	if (!ranges_read(t, USE_HEAD, ranges, &n, &sum) || copy_id_busy(t, be32(t->cdb + 6), false))
		return SCSI_DONE;
	if (!source_find(t, list + AT_TOKEN, list[2] & 0x02, &s)) /* DEL_TKN */
		return SCSI_DONE;
	return use(t, &s, ranges, n);
}

enum scsi_next copy_use(struct scsi_task *t)
{
	return list_of(t, USE_HEAD);
}

/* --- RECEIVE ROD TOKEN INFORMATION --------------------------------------------------------- */

/* COPY OPERATION STATUS (SPC-4 table 192). */
static uint8_t status_code(const struct copy *c)
{
	switch (c->state) {
	case COPY_RUNS: return c->task ? 0x11 : 0x12; /* in the foreground, in the background */
	case COPY_DONE: return 0x01;
	case COPY_FAILED: return 0x02;
	case COPY_ABORTED: return 0x60;
	}
	return 0x02;
}

static void wr_result(struct wr *w, const struct copy *c)
{
	uint8_t sense[SENSE_MAX];
	size_t len = 0;

	if (c->state != COPY_RUNS && c->status == SCSI_CHECK_CONDITION)
		len = sense_encode(&c->sense, true, sense);
	wr_be32(w, 0); /* AVAILABLE DATA, later */
	wr_u8(w, c->service);
	wr_u8(w, status_code(c));
	wr_be16(w, 1);   /* OPERATION COUNTER */
	wr_be32(w, 100); /* ESTIMATED STATUS UPDATE DELAY: ms */
	wr_u8(w, c->state == COPY_RUNS ? 0 : c->status);
	wr_u8(w, (uint8_t)len);
	wr_u8(w, (uint8_t)len);
	wr_u8(w, 0xf1); /* TRANSFER COUNT is in logical blocks */
	wr_be64(w, c->bytes / c->block_size);
	wr_be16(w, c->segments);
	wr_zero(w, 6);
	wr_bytes(w, sense, len);
}

/* A token is told again when it is asked for again, as long as the result is kept. */
enum scsi_next copy_token_information(struct scsi_task *t)
{
	const struct copy *c = copy_find(t->itl, be32(t->cdb + 2), false);
	struct wr w;

	if (!c)
		return task_bad_cdb(t, 2, -1);
	if (!reply_open(t, &w, 32 + SENSE_MAX + 4 + 2 + COPY_TOKEN_LEN))
		return SCSI_DONE;
	wr_result(&w, c);
	wr_be32(&w, c->token ? 2 + COPY_TOKEN_LEN : 0);
	if (c->token) {
		wr_be16(&w, 0);
		wr_bytes(&w, c->token, COPY_TOKEN_LEN);
	}
	put_be32(w.buf, (uint32_t)(w.len - 4));
	return reply_close(t, &w, be32(t->cdb + 10));
}

/* REPORT ALL ROD TOKENS (SPC-4 6.31): those of this unit, without what makes them work. */
enum scsi_next copy_all_tokens(struct scsi_task *t)
{
	struct lu *lu = t->itl->lu;
	struct wr w;

	if (!reply_open(t, &w, 8 + COPY_TOKENS * MANAGEMENT))
		return SCSI_DONE;
	wr_be64(&w, 0);
	pthread_mutex_lock(&lu->lock);
	tokens_expire(lu, loop_now(t->nexus->loop));
	list_for_each(it, &lu->tokens)
		wr_bytes(&w, token_of(it)->bytes, MANAGEMENT);
	pthread_mutex_unlock(&lu->lock);
	put_be32(w.buf, (uint32_t)(w.len - 4));
	return reply_close(t, &w, be32(t->cdb + 10));
}
