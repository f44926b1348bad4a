/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SECURITY PROTOCOL IN and OUT with protocol 20h, tape data encryption (SSC-4 4.2.24, 8.5): one key
 * for all I_T nexuses, AES-256-GCM, in the clear as stenc and backup programs send it. It is lost
 * with the process, and where the host wants that with the cartridge (CKOD).
 */
#include <string.h>

#include "scsi/ssc.h"

enum { INFORMATION = 0x00, TAPE_ENCRYPTION = 0x20 };
enum {
	IN_SUPPORT = 0x00,
	OUT_SUPPORT = 0x01,
	CAPABILITIES = 0x10,
	KEY_FORMATS = 0x11,
	MANAGEMENT = 0x12,
	STATUS = 0x20,
	NEXT_BLOCK = 0x21,
};
enum { SET_ENCRYPTION = 0x10 };
enum { SCOPE_PUBLIC, SCOPE_LOCAL, SCOPE_ALL };
enum { UKAD = 0, AKAD = 1 };

#define ALGORITHM      1          /* its index */
#define AES_256_GCM    0x00010014 /* its security algorithm code (SPC-5) */
#define KEY_AT         20         /* in Set Data Encryption */
#define CKOD           0x04
#define LIST_MAX       1024u
#define REPLY_MAX      512u

/* --- what blocks are encrypted with --------------------------------------------------------- */

const struct cartridge_key *tape_write_key(const struct tape *tape)
{
	return tape->encryption.encrypt ? &tape->encryption.key : NULL;
}

/* A block that was not encrypted is an error where only encrypted ones are wanted: it is not passed
 * over. */
static bool in_the_clear(const struct tape *tape, struct cartridge *c)
{
	struct cartridge_block next;

	return tape->encryption.decrypt == TAPE_DECRYPT &&
	       cartridge_peek(c, &next) == CARTRIDGE_OK && !next.encrypted;
}

enum cartridge_result tape_read(struct scsi_task *t, struct cartridge *c, void *buf, size_t size,
	struct cartridge_block *got)
{
	struct tape *tape = tape_of(t);
	const struct cartridge_key *key =
		tape->encryption.decrypt ? &tape->encryption.key : NULL;

	tape->clear = in_the_clear(tape, c);
	return tape->clear ? CARTRIDGE_NO_KEY : cartridge_read(c, buf, size, key, got);
}

static void forget(struct tape *tape)
{
	uint32_t instance = tape->encryption.instance;

	explicit_bzero(&tape->encryption, sizeof(tape->encryption));
	tape->encryption.instance = instance;
}

void tape_demounted(struct tape *tape)
{
	if (tape->encryption.until_demount)
		forget(tape);
}

/* --- SECURITY PROTOCOL IN ------------------------------------------------------------------- */

/* Pages begin with their code and length. */
static void begin(struct wr *w, uint16_t page)
{
	wr_be16(w, page);
	wr_be16(w, 0);
}

static void wr_codes(struct wr *w, const uint16_t *code, size_t n)
{
	for (size_t i = 0; i < n; i++)
		wr_be16(w, code[i]);
}

/* What can be done: one algorithm, in hardware as far as anybody can tell (SSC-4 table 182). */
static void wr_capabilities(struct wr *w, bool mounted)
{
	wr_u8(w, 0x01); /* CFG_P: the configuration may not be prevented */
	wr_zero(w, 15);
	wr_u8(w, ALGORITHM);
	wr_u8(w, 0);
	wr_be16(w, 20);
	wr_u8(w, (uint8_t)((mounted ? 0x80 : 0) | 0x20 | 0x10 | 0x08 | 0x02)); /* MAC_C, DELB_C */
	wr_u8(w, 0x10);        /* NONCE_C: made by the device; KADs of any length */
	wr_be16(w, CARTRIDGE_KAD_MAX); /* unauthenticated */
	wr_be16(w, CARTRIDGE_KAD_MAX); /* authenticated */
	wr_be16(w, CARTRIDGE_KEY_SIZE);
	wr_zero(w, 8);
	wr_be32(w, AES_256_GCM);
}

static void wr_kad(
	struct wr *w, uint8_t type, uint8_t authenticated, const uint8_t *kad, uint8_t len)
{
	if (!len)
		return;
	wr_u8(w, type);
	wr_u8(w, authenticated);
	wr_be16(w, len);
	wr_bytes(w, kad, len);
}

static void wr_status(struct wr *w, const struct tape *tape)
{
	const struct tape_encryption *e = &tape->encryption;
	bool on = e->encrypt || e->decrypt;

	wr_u8(w, on ? SCOPE_ALL << 5 | SCOPE_ALL : 0);
	wr_u8(w, e->encrypt ? 2 : 0);
	wr_u8(w, e->decrypt);
	wr_u8(w, on ? ALGORITHM : 0);
	wr_be32(w, e->instance);
	wr_zero(w, 12);
	wr_kad(w, UKAD, 0, e->key.ukad, e->key.ukad_len);
	wr_kad(w, AKAD, 0, e->key.akad, e->key.akad_len);
}

/* ENCRYPTION STATUS (SSC-4 table 198), and COMPRESSION STATUS before it. */
enum { UNKNOWN = 1, NO_BLOCK, PLAIN, OTHER_ALGORITHM, DECIPHERABLE, INDECIPHERABLE };

static void wr_next_block(struct wr *w, const struct tape *tape, struct cartridge *c)
{
	const struct tape_encryption *e = &tape->encryption;
	struct cartridge_position at = { 0 };
	struct cartridge_block b = { 0 };
	enum cartridge_result r = CARTRIDGE_EOD;
	uint8_t status = NO_BLOCK;

	if (c) {
		cartridge_position(c, &at);
		r = cartridge_peek(c, &b);
	}
	if (r == CARTRIDGE_OK && !b.encrypted)
		status = PLAIN;
	else if (r == CARTRIDGE_OK)
		status = cartridge_try_key(c, e->decrypt ? &e->key : NULL) == CARTRIDGE_OK
				 ? DECIPHERABLE
				 : INDECIPHERABLE;
	else if (r == CARTRIDGE_CORRUPT)
		status = UNKNOWN;
	wr_be64(w, at.object);
	wr_u8(w, (uint8_t)((status > NO_BLOCK ? b.compressed ? 4 : 3 : status) << 4 | status));
	wr_u8(w, b.encrypted ? ALGORITHM : 0);
	wr_be16(w, 0);
	wr_kad(w, UKAD, 0, b.ukad, b.ukad_len);
	wr_kad(w, AKAD, 1, b.akad, b.akad_len); /* 1: to be authenticated when it is read */
}

static bool wr_page(struct wr *w, const struct tape *tape, struct cartridge *c, uint16_t page)
{
	static const uint16_t in[] = { IN_SUPPORT, OUT_SUPPORT, CAPABILITIES, KEY_FORMATS,
		MANAGEMENT, STATUS, NEXT_BLOCK };
	static const uint16_t out[] = { SET_ENCRYPTION };

	begin(w, page);
	switch (page) {
	case IN_SUPPORT: wr_codes(w, in, sizeof(in) / sizeof(in[0])); break;
	case OUT_SUPPORT: wr_codes(w, out, 1); break;
	case CAPABILITIES: wr_capabilities(w, c); break;
	case KEY_FORMATS: wr_u8(w, 0); break; /* plain text */
	case MANAGEMENT: /* CKOD_C; AITN_C, PUBLIC_C */
		wr_bytes(w, (const uint8_t[]){ 0, CKOD, 0, 0x05 }, 4);
		wr_zero(w, 8);
		break;
	case STATUS: wr_status(w, tape); break;
	case NEXT_BLOCK: wr_next_block(w, tape, c); break;
	default: return false;
	}
	put_be16(w->buf + 2, (uint16_t)(w->len - 4));
	return true;
}

/* Protocol 00h (SPC-5 7.7.1): which protocols there are; no certificate. */
static bool wr_information(struct wr *w, uint16_t page)
{
	if (page > 1)
		return false;
	if (page == 0) {
		wr_zero(w, 6);
		wr_be16(w, 2);
		wr_u8(w, INFORMATION);
		wr_u8(w, TAPE_ENCRYPTION);
	} else {
		wr_zero(w, 4);
	}
	return true;
}

static uint32_t length(const struct scsi_task *t)
{
	uint32_t n = be32(t->cdb + 6);

	if (!(t->cdb[4] & 0x80)) /* INC_512 */
		return n;
	return n > UINT32_MAX / 512 ? UINT32_MAX : n * 512;
}

/* The answer has been opened on the loop. */
static void in_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	struct wr w = wr_of(t->buf, REPLY_MAX);
	uint16_t page = be16(t->cdb + 2);

	(void)j;
	if (t->cdb[1] == INFORMATION ? wr_information(&w, page)
				     : wr_page(&w, tape_of(t), c, page))
		reply_close(t, &w, length(t));
	else
		task_bad_cdb(t, 2, -1);
}

/* SECURITY PROTOCOL IN (SPC-5 6.40). */
static enum scsi_next protocol_in(struct scsi_task *t)
{
	struct tape_job *j = tape_job(t);
	struct wr w;

	if (!j)
		return SCSI_DONE;
	if (t->cdb[1] != INFORMATION && t->cdb[1] != TAPE_ENCRYPTION)
		return task_bad_cdb(t, 1, -1);
	j->without = true;
	if (!reply_open(t, &w, REPLY_MAX))
		return SCSI_DONE;
	return tape_submit(t, in_run);
}

/* --- SECURITY PROTOCOL OUT ------------------------------------------------------------------ */

/* Key-associated data behind the key. Byte at which something is wrong, or 0. */
static unsigned take_kads(struct rd *r, size_t len, struct cartridge_key *key)
{
	while (r->left) {
		unsigned at = (unsigned)(len - r->left);
		uint8_t type = rd_u8(r);
		uint16_t n = (rd_u8(r), rd_be16(r));
		const uint8_t *kad = rd_bytes(r, n);

		if (!kad || type > AKAD || n > CARTRIDGE_KAD_MAX)
			return at;
		memcpy(type == UKAD ? key->ukad : key->akad, kad, n);
		*(type == UKAD ? &key->ukad_len : &key->akad_len) = (uint8_t)n;
	}
	return 0;
}

/* The Set Data Encryption page (SSC-4 table 203), of which the fixed part is there. Byte at which
 * something is wrong, or 0. */
static unsigned take(const uint8_t *p, size_t len, struct tape_encryption *e)
{
	uint8_t scope = p[4] >> 5, encrypt = p[6], decrypt = p[7];
	uint16_t key_len = be16(p + 18);
	struct rd r = rd_of(p + KEY_AT, len - KEY_AT);
	const uint8_t *key;

	if (p[4] & 0x01 || scope == SCOPE_LOCAL || scope > SCOPE_ALL) /* LOCK */
		return 4;
	if (p[5] & 0x0b) /* SDK; CKORP, CKORL: keys do not hang on reservations */
		return 5;
	if (encrypt != 0 && encrypt != 2)
		return 6;
	if (decrypt != TAPE_AS_IT_IS && decrypt != TAPE_DECRYPT && decrypt != TAPE_MIXED)
		return 7;
	if (!encrypt && !decrypt)
		return 0;
	if (scope == SCOPE_PUBLIC)
		return 4;
	if (p[8] != ALGORITHM)
		return 8;
	if (p[9] || p[10])
		return p[9] ? 9 : 10;
	key = rd_bytes(&r, key_len);
	if (key_len != CARTRIDGE_KEY_SIZE || !key)
		return 18;
	memcpy(e->key.key, key, CARTRIDGE_KEY_SIZE);
	e->encrypt = encrypt;
	e->decrypt = decrypt;
	e->until_demount = p[5] & CKOD;
	return take_kads(&r, len, &e->key);
}

/* DATA ENCRYPTION PARAMETERS CHANGED BY ANOTHER I_T NEXUS. */
static void tell_others(struct scsi_task *t)
{
	struct lu *lu = t->itl->lu;

	pthread_mutex_lock(&lu->lock);
	lu_attention(lu, t->itl, UA_ENCRYPTION_CHANGED);
	pthread_mutex_unlock(&lu->lock);
}

/* Demounting clears a key only where there is a cartridge: CKOD asks for one, the one that was
 * there when the command came. */
static void out_run(struct scsi_task *t, struct tape_job *j, struct cartridge *c)
{
	struct tape *tape = tape_of(t);
	struct tape_encryption e = { .encrypt = false };
	const uint8_t *p = t->buf;
	unsigned fault;

	if (t->got < KEY_AT || (size_t)4 + be16(p + 2) != t->got) {
		task_list_too_short(t);
		goto out;
	}
	fault = be16(p) != SET_ENCRYPTION ? 0 : take(p, t->got, &e);
	if (be16(p) != SET_ENCRYPTION || fault || (e.until_demount && !c)) {
		task_bad_list(t, fault ? fault : e.until_demount ? 5 : 0, -1);
		goto out;
	}
	if (e.until_demount && !tape_same_mount(t, j)) {
		task_check(t, SENSE_NOT_READY, ASC_MEDIUM_NOT_PRESENT);
		goto out;
	}
	e.instance = tape->encryption.instance + 1;
	tape->encryption = e;
	tell_others(t);
out:
	explicit_bzero(&e, sizeof(e));
}

static enum scsi_next protocol_out_data(struct scsi_task *t)
{
	return tape_submit(t, out_run);
}

/* SECURITY PROTOCOL OUT (SPC-5 6.41). */
static enum scsi_next protocol_out(struct scsi_task *t)
{
	struct tape_job *j = tape_job(t);
	uint32_t len = length(t);

	if (!j)
		return SCSI_DONE;
	if (t->cdb[1] != TAPE_ENCRYPTION)
		return task_bad_cdb(t, 1, -1);
	if (be16(t->cdb + 2) != SET_ENCRYPTION)
		return task_bad_cdb(t, 2, -1);
	if (!len)
		return task_good(t);
	if (len > LIST_MAX)
		return task_bad_cdb(t, 6, -1);
	j->without = true;
	return list_wanted(t, len);
}

// clang-format off
const struct scsi_op ssc_security_ops[] = {
	{ 0xa2, NO_SERVICE, .name = "SECURITY PROTOCOL IN", .start = protocol_in,
	  .cancel = tape_cancel, .stops = STOPS_LOOK,
	  .usage = { 0xa2, 0xff, FF2, 0x80, 0, FF4, 0, 0x04 } },
	{ 0xb5, NO_SERVICE, .secret = true, .name = "SECURITY PROTOCOL OUT",
	  .start = protocol_out, .data = protocol_out_data, .cancel = tape_cancel,
	  .stops = STOPS_CHANGE,
	  .usage = { 0xb5, 0xff, FF2, 0x80, 0, FF4, 0, 0x04 } },
	{ .name = NULL },
};
// clang-format on
