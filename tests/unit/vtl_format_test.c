/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of a cartridge's files, as countersign-cartridge(5) has them. tests/unit/data/cartridge
 * is a cartridge of format version 1: every later program has to read it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/crc.h"
#include "support_vtl.h"
#include "vtl/format.h"

#define GOLDEN "tests/unit/data/cartridge"

/* The first record of the golden cartridge. */
static const uint8_t block_header[RECORD_HEADER] = {
	'C', 'S', 'T', 'R', 1, 1, 0, 0, /* a block, protected, plain, clear */
	0x04, 0x03, 0x02, 0x01,         /* log */
	0, 0, 0, 0,                     /* epoch */
	0x00, 0x30, 0, 0, 0, 0, 0, 0,   /* offset 12288 */
	0, 0, 0, 0, 0, 0, 0, 0,         /* object */
	0, 0, 0, 0, 0, 0, 0, 0,         /* filemarks before */
	0, 0, 0, 0,                     /* no record before */
	0, 0, 0, 0,                     /* no checkpoint before */
	11, 0, 0, 0,                    /* length */
	11, 0, 0, 0,                    /* stored */
	0xce, 0x62, 0x44, 0xd8,         /* checksum of "plain block" */
	0x7c, 0xa6, 0x53, 0x52,         /* checksum of this */
};

static void checksum_is_crc32c(void **state)
{
	(void)state;
	/* RFC 3720 B.4, and the usual check value. */
	static const uint8_t zeros[32];
	assert_int_equal(crc_end(crc_add(CRC_START, zeros, 32)), 0x8a9136aa);
	assert_int_equal(crc_end(crc_add(CRC_START, "123456789", 9)), 0xe3069283);
	assert_int_equal(crc_end(crc_add(crc_add(CRC_START, "1234", 4), "56789", 5)), 0xe3069283);
}

static void record_header_has_its_documented_bytes(void **state)
{
	struct record r = { .type = RECORD_BLOCK, .protected = true, .log_id = 0x01020304,
		.offset = 12288, .length = 11, .stored = 11, .crc = 0xd84462ce };
	uint8_t out[RECORD_HEADER];

	(void)state;
	record_encode(&r, out);
	assert_memory_equal(out, block_header, RECORD_HEADER);
}

static void record_header_is_read_back(void **state)
{
	struct record want = { .type = RECORD_BLOCK, .compression = RECORD_ZSTD,
		.encryption = RECORD_AES_256_GCM, .log_id = 0x81828384, .epoch = 0xf1f2f3f4,
		.offset = 0x123456789ac0, .object = 0x1122334455, .files = 0x1122334454,
		.prev = 0x80000040, .checkpoint = 0x90000040, .length = 8 << 20, .stored = 777,
		.crc = 0xdeadbeef };
	uint8_t bytes[RECORD_HEADER];
	struct record r;

	(void)state;
	record_encode(&want, bytes);
	assert_true(record_decode(bytes, &r));
	assert_int_equal(r.type, want.type);
	assert_int_equal(r.compression, want.compression);
	assert_int_equal(r.encryption, want.encryption);
	assert_false(r.protected);
	assert_int_equal(r.log_id, want.log_id);
	assert_int_equal(r.epoch, want.epoch);
	assert_int_equal(r.offset, want.offset);
	assert_int_equal(r.object, want.object);
	assert_int_equal(r.files, want.files);
	assert_int_equal(r.prev, want.prev);
	assert_int_equal(r.checkpoint, want.checkpoint);
	assert_int_equal(r.length, want.length);
	assert_int_equal(r.stored, want.stored);
	assert_int_equal(r.crc, want.crc);
}

static void record_header_with_any_bit_turned_over_is_refused(void **state)
{
	struct record r;

	(void)state;
	for (unsigned int bit = 0; bit < 8 * RECORD_HEADER; bit++) {
		uint8_t bytes[RECORD_HEADER];

		memcpy(bytes, block_header, sizeof(bytes));
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(record_decode(bytes, &r));
	}
}

/* Whether a header is taken when it says this and its checksum is right. */
static bool taken(struct record r)
{
	uint8_t bytes[RECORD_HEADER];
	struct record out;

	record_encode(&r, bytes);
	return record_decode(bytes, &out);
}

static void record_header_that_makes_no_sense_is_refused(void **state)
{
	const struct record block = { .type = RECORD_BLOCK, .offset = LOG_START, .length = 100,
		.stored = 100 };
	const struct record mark = { .type = RECORD_FILEMARK, .offset = LOG_START };
	struct record r;

	(void)state;
	assert_true(taken(block));
	assert_true(taken(mark));
#define REFUSED(from, change) (r = (from), (change), assert_false(taken(r)))
	REFUSED(block, r.length = 0);
	REFUSED(block, r.length = r.stored = CARTRIDGE_BLOCK_MAX + 1);
	REFUSED(block, r.stored = 99);
	REFUSED(block, r.offset = LOG_START - 64);
	REFUSED(block, r.offset = LOG_START + 1);
	REFUSED(block, r.offset = (uint64_t)1 << 63);
	REFUSED(block, r.files = 1);
	REFUSED(block, r.type = (enum record_type)0);
	REFUSED(block, r.type = (enum record_type)4);
	REFUSED(block, r.compression = (enum record_compression)2);
	REFUSED(block, r.encryption = (enum record_encryption)2);
	REFUSED(block, (r.compression = RECORD_ZSTD, r.stored = 101));
	REFUSED(block, (r.encryption = RECORD_AES_256_GCM, r.stored = 100 + SEAL_MAX + 1));
	REFUSED(mark, r.length = 1);
	REFUSED(mark, r.stored = 1);
	REFUSED(mark, r.type = RECORD_CHECKPOINT);
	REFUSED(mark, (r.type = RECORD_CHECKPOINT, r.object = 255));
	REFUSED(mark, (r.type = RECORD_CHECKPOINT, r.object = 256, r.stored = CHECKPOINT_MAX + 1));
#undef REFUSED
}

static void records_are_aligned(void **state)
{
	(void)state;
	assert_int_equal(record_size(&(struct record){ .stored = 0 }), 64);
	assert_int_equal(record_size(&(struct record){ .stored = 1 }), 128);
	assert_int_equal(record_size(&(struct record){ .stored = 64 }), 128);
	assert_int_equal(record_size(&(struct record){ .stored = 262144 }), 262208);
}

static struct tail some_tail(void)
{
	struct tail t;

	tail_start(&t, 5);
	for (unsigned int i = 0; i < 1000; i++) {
		if (tail_wants_checkpoint(&t))
			tail_checkpoint(&t, 1920);
		assert_true(tail_object(&t, 64 + 64 * (i % 3), i % 3 == 0));
	}
	return t;
}

static void slot_is_read_back(void **state)
{
	struct tail t = some_tail(), out;
	uint8_t bytes[FORMAT_BLOCK];
	uint64_t seq;

	(void)state;
	slot_encode(&t, 7, 99, bytes);
	assert_true(slot_decode(bytes, 7, &out, &seq));
	assert_int_equal(seq, 99);
	assert_int_equal(out.off, t.off);
	assert_int_equal(out.last, t.last);
	assert_int_equal(out.objects, 1000);
	assert_int_equal(out.files, 334);
	assert_int_equal(out.epoch, 5);
	assert_int_equal(out.marks.ordinal, 3);
	assert_int_equal(out.marks.level[0].offset, t.marks.level[0].offset);
	assert_int_equal(out.marks.level[1].offset, t.marks.level[1].offset);
	assert_int_equal(out.span.n, 1000 - 768);
	assert_memory_equal(out.span.entry, t.span.entry, 4 * out.span.n);
	assert_int_equal(out.span.base, t.span.base);
	assert_int_equal(out.span.files, t.span.files);
	assert_false(slot_decode(bytes, 8, &out, &seq));
}

static void slot_that_contradicts_itself_is_refused(void **state)
{
	/* Offset in the slot, and what is put there (8 bytes). */
	static const struct {
		size_t at;
		uint64_t value;
	} wrong[] = {
		{ 16, LOG_START - 64 },  /* ends before the log begins */
		{ 16, (uint64_t)1 << 63 },
		{ 16, LOG_START + 1000 },
		{ 24, (uint64_t)1 << 40 }, /* the last record behind the end */
		{ 32, 999 },             /* other numbers than the span has */
		{ 40, 335 },
		{ 40, 1001 },
		{ 56, 3 },               /* more levels than 1000 objects ask for */
		{ 64, (uint64_t)1 << 40 }, /* a mark behind the end */
		{ 64, 77 },
		{ 72, 400 },             /* more filemarks before a mark than there are */
		{ 96, (uint64_t)7 << 32 | 9 }, /* entries that go back */
	};
	struct tail t = some_tail(), out;
	uint8_t bytes[FORMAT_BLOCK];
	uint64_t seq;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		slot_encode(&t, 7, 1, bytes);
		put_le64(bytes + wrong[i].at, wrong[i].value);
		put_le32(bytes + FORMAT_BLOCK - 4,
			crc_end(crc_add(CRC_START, bytes, FORMAT_BLOCK - 4)));
		assert_false(slot_decode(bytes, 7, &out, &seq));
	}
}

static void checkpoint_is_read_back_and_checked(void **state)
{
	struct tail t = some_tail();
	uint8_t body[CHECKPOINT_MAX];
	struct marks marks;
	struct span span;

	(void)state;
	while (!tail_wants_checkpoint(&t))
		assert_true(tail_object(&t, 64, false));
	struct record r = { .type = RECORD_CHECKPOINT, .object = 1024, .files = t.files,
		.offset = t.off, .stored = (uint32_t)checkpoint_encode(&t, body) };
	assert_true(checkpoint_decode(&r, body, &marks, &span));
	assert_int_equal(marks.ordinal, 3);
	assert_int_equal(span.ordinal, 3);
	assert_int_equal(span.n, 256);
	assert_int_equal(span_offset(&span, 255), t.last);
	r.files++;
	assert_false(checkpoint_decode(&r, body, &marks, &span));
	r.files--;
	r.object = 1280;
	assert_false(checkpoint_decode(&r, body, &marks, &span));
	r.object = 1024;
	r.offset = t.last - 64;
	assert_false(checkpoint_decode(&r, body, &marks, &span));
	r.offset = t.off;
	r.stored--;
	assert_false(checkpoint_decode(&r, body, &marks, &span));
	r.stored = 4;
	assert_false(checkpoint_decode(&r, body, &marks, &span));
}

static struct identity some_identity(void)
{
	struct identity i = { .id = "0123456789abcde", .barcode = "TEST01L6", .serial = "1",
		.media = media_generation(6), .capacity = 10 << 20, .partitions = 2 };

	i.partition[0].capacity = 4 << 20;
	i.partition[1].capacity = 6 << 20;
	return i;
}

static void identity_that_makes_no_sense_is_refused(void **state)
{
	/* Offset in the identity, and what is put there (4 bytes). */
	static const struct {
		size_t at;
		uint32_t value;
	} wrong[] = {
		{ 16, 0 },                /* no barcode */
		{ 24, 'X' << 8 },         /* something behind the barcode's end */
		{ 16, 0x01414141 },       /* a barcode that cannot be printed */
		{ 80, 2 }, { 80, 10 },    /* no such generation */
		{ 108, 0 }, { 108, 5 },   /* no partition, too many */
		{ 112, 100 },             /* one that is too small */
		{ 128, 7 << 20 },         /* more than there is, together */
		{ 92, 0x80000000 },       /* a capacity that no file can have */
		{ 180, 1 },               /* more left by SET CAPACITY than there is */
	};
	struct identity i = some_identity(), out;
	uint8_t bytes[IDENTITY_BYTES];

	(void)state;
	identity_encode(&i, bytes);
	assert_true(identity_decode(bytes, &out));
	assert_string_equal(out.barcode, "TEST01L6");
	for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++) {
		identity_encode(&i, bytes);
		put_le32(bytes + wrong[k].at, wrong[k].value);
		assert_false(identity_decode(bytes, &out));
	}
}

static void header_of_a_partition_that_is_not_there_is_refused(void **state)
{
	struct identity i = some_identity(), out;
	uint8_t bytes[FORMAT_BLOCK];
	unsigned int partition;

	(void)state;
	header_encode(&i, 1, bytes);
	assert_int_equal(header_decode(bytes, &out, &partition), 0);
	assert_int_equal(partition, 1);
	header_encode(&i, 2, bytes);
	assert_int_equal(header_decode(bytes, &out, &partition), -EBADMSG);
	bytes[100] ^= 1;
	assert_int_equal(header_decode(bytes, &out, &partition), -EBADMSG);
}

static void golden_cartridge_is_read(void **state)
{
	struct cartridge_key key = { .key = "golden key" };
	struct cartridge_opening look = { .read_only = true };
	struct cartridge_attribute a;
	struct cartridge_block got;
	struct cartridge *c;
	uint8_t buf[1000];

	(void)state;
	assert_int_equal(cartridge_open(GOLDEN, &look, &c), 0);
	assert_string_equal(cartridge_info(c)->barcode, "GOLD01L5");
	assert_string_equal(cartridge_info(c)->serial, "0102030405");
	assert_int_equal(cartridge_info(c)->created, 1700000000);
	assert_int_equal(cartridge_attribute_get(c, 0, 0x0806, &a), CARTRIDGE_OK);
	assert_memory_equal(a.value, "GOLD01L5", 8);

	assert_int_equal(cartridge_read(c, buf, sizeof(buf), NULL, &got), CARTRIDGE_OK);
	assert_int_equal(got.length, 11);
	assert_true(got.protected);
	assert_memory_equal(buf, "plain block", 11);
	assert_int_equal(cartridge_read(c, buf, 0, NULL, &got), CARTRIDGE_FILEMARK);
	assert_int_equal(cartridge_read(c, buf, sizeof(buf), NULL, &got), CARTRIDGE_OK);
	assert_int_equal(got.length, 1000);
	assert_true(got.compressed);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(buf[i], 0);
	assert_int_equal(cartridge_read(c, buf, sizeof(buf), &key, &got), CARTRIDGE_OK);
	assert_int_equal(got.length, 15);
	assert_true(got.encrypted);
	assert_memory_equal(got.akad, "ab", 2);
	assert_memory_equal(got.ukad, "xyz", 3);
	assert_memory_equal(buf, "encrypted block", 15);
	for (int i = 0; i < 256; i++)
		assert_int_equal(cartridge_read(c, buf, 0, NULL, &got), CARTRIDGE_FILEMARK);
	/* Another block was here before. */
	assert_int_equal(cartridge_read(c, buf, sizeof(buf), NULL, &got), CARTRIDGE_OK);
	assert_int_equal(got.length, 10);
	assert_memory_equal(buf, "last block", 10);
	assert_int_equal(cartridge_read(c, buf, sizeof(buf), NULL, &got), CARTRIDGE_EOD);
	assert_int_equal(cartridge_close(c), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksum_is_crc32c),
		cmocka_unit_test(record_header_has_its_documented_bytes),
		cmocka_unit_test(record_header_is_read_back),
		cmocka_unit_test(record_header_with_any_bit_turned_over_is_refused),
		cmocka_unit_test(record_header_that_makes_no_sense_is_refused),
		cmocka_unit_test(records_are_aligned),
		cmocka_unit_test(slot_is_read_back),
		cmocka_unit_test(slot_that_contradicts_itself_is_refused),
		cmocka_unit_test(checkpoint_is_read_back_and_checked),
		cmocka_unit_test(identity_that_makes_no_sense_is_refused),
		cmocka_unit_test(header_of_a_partition_that_is_not_there_is_refused),
		cmocka_unit_test(golden_cartridge_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
