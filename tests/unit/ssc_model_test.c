/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random commands to a tape drive, beside a tape that is an array and does what SSC-4 says: status,
 * sense, residual, data and position have to be equal all the way. SSC_MODEL_SECONDS says how long
 * (3), SSC_MODEL_SEED which sequence.
 */
#include <stdio.h>
#include <time.h>

#include "tests/unit/ssc_support.h"

#define OBJECTS    1500
#define PARTITIONS 2
#define BLOCK_MAX  20000u

struct object {
	uint32_t len; /* 0: a filemark */
	uint64_t seed;
};

struct model {
	struct tape_rig *rig;
	unsigned rng;
	unsigned partitions, partition;
	size_t at;
	size_t n[PARTITIONS];
	struct object tape[PARTITIONS][OBJECTS];
	uint32_t block_len;
	uint64_t seed;
	/* What the command has to end with. */
	bool check, valid;
	enum sense_key key;
	uint16_t asc;
	unsigned bits;
	int64_t left;
	uint32_t data; /* bytes of wanted[] */
};

static uint8_t wanted[16 << 20];

static unsigned pick(struct model *m, unsigned n)
{
	return (unsigned)rand_r(&m->rng) % n;
}

static struct object *tape(struct model *m)
{
	return m->tape[m->partition];
}

static size_t end(struct model *m)
{
	return m->n[m->partition];
}

static bool is_mark(struct model *m, size_t i)
{
	return !tape(m)[i].len;
}

static uint64_t files_before(struct model *m, size_t at)
{
	uint64_t n = 0;

	for (size_t i = 0; i < at; i++)
		n += is_mark(m, i);
	return n;
}

/* --- what has to come ------------------------------------------------------------------------ */

static void expect_good(struct model *m)
{
	m->check = false;
	m->data = 0;
}

static void expect(struct model *m, enum sense_key key, uint16_t asc, unsigned bits, int64_t left)
{
	m->check = m->valid = true;
	m->key = key;
	m->asc = asc;
	m->bits = bits;
	m->left = left;
}

static void compare(struct model *m, struct result res, const char *what)
{
	bool check = res.status == SCSI_CHECK_CONDITION;

	if (check != m->check || (check && (res.sense.key != m->key || res.sense.asc != m->asc)))
		fail_msg("%s at %zu of %zu: %x %x/%04x, not %x/%04x", what, m->at, end(m),
			res.status, res.sense.key, res.sense.asc, m->check ? m->key : 0,
			m->check ? m->asc : 0);
	if (m->check) {
		assert_bits(res, m->bits);
		assert_int_equal(res.sense.info_valid, m->valid);
		if (m->valid)
			assert_int_equal(res.sense.info, m->left);
	}
	assert_int_equal(res.in_got, m->data);
	assert_memory_equal(res.in, wanted, m->data);
	res = TAPE(m->rig, NULL, 32, TAPE_POSITION);
	assert_good(res);
	assert_int_equal(res.in[0], m->at ? 0 : 0x80);
	assert_int_equal(be32(res.in + 4), m->partition);
	assert_int_equal(be64(res.in + 8), m->at);
	assert_int_equal(be64(res.in + 16), files_before(m, m->at));
}

/* --- writing -------------------------------------------------------------------------------- */

static void append(struct model *m, uint32_t len, uint64_t seed)
{
	tape(m)[m->at++] = (struct object){ len, seed };
	m->n[m->partition] = m->at;
}

static void write_variable(struct model *m)
{
	uint32_t len = 1 + pick(m, BLOCK_MAX);

	tape_fill(tape_data, len, ++m->seed);
	append(m, len, m->seed);
	expect_good(m);
	compare(m, TAPE(m->rig, tape_data, len, TAPE_WRITE(len)), "WRITE");
}

static void write_fixed(struct model *m)
{
	uint32_t n = pick(m, 6);

	if (!m->block_len)
		return;
	for (uint32_t i = 0; i < n; i++) {
		tape_fill(tape_data + i * m->block_len, m->block_len, ++m->seed);
		append(m, m->block_len, m->seed);
	}
	expect_good(m);
	compare(m, TAPE(m->rig, n ? tape_data : NULL, n * m->block_len, TAPE_WRITE_FIXED(n)),
		"WRITE of fixed blocks");
}

static void write_marks(struct model *m)
{
	uint32_t n = pick(m, 4);
	uint8_t immed = (uint8_t)pick(m, 2);

	for (uint32_t i = 0; i < n; i++)
		append(m, 0, 0);
	expect_good(m);
	compare(m, TAPE(m->rig, NULL, 0, 0x10, immed, BE3(n), 0), "WRITE FILEMARKS");
}

static void erase(struct model *m)
{
	m->n[m->partition] = m->at;
	expect_good(m);
	compare(m, TAPE(m->rig, NULL, 0, 0x19, (uint8_t)pick(m, 2), 0, 0, 0, 0), "ERASE");
}

/* --- reading -------------------------------------------------------------------------------- */

/* A filemark or the end of data instead of a block. */
static bool stopped(struct model *m, int64_t left)
{
	if (m->at == end(m)) {
		expect(m, SENSE_BLANK_CHECK, 0x0005, 0, left);
		return true;
	}
	if (!is_mark(m, m->at))
		return false;
	m->at++;
	expect(m, SENSE_NO_SENSE, 0x0001, FM, left);
	return true;
}

static void read_variable(struct model *m)
{
	uint32_t len = 1 + pick(m, BLOCK_MAX);
	bool sili = pick(m, 2);
	const struct object *o = &tape(m)[m->at];

	if (m->at < end(m) && !is_mark(m, m->at) && pick(m, 2))
		len = o->len;
	expect_good(m);
	if (!stopped(m, len)) {
		m->at++;
		m->data = o->len < len ? o->len : len;
		tape_fill(wanted, m->data, o->seed);
		if (o->len != len && (!sili || (o->len > len && m->block_len)))
			expect(m, SENSE_NO_SENSE, 0, ILI, (int64_t)len - (int64_t)o->len);
	}
	compare(m, TAPE(m->rig, NULL, len, 0x08, sili ? 2 : 0, BE3(len), 0), "READ");
}

static void read_fixed(struct model *m)
{
	uint32_t n = pick(m, 8), i;

	if (!m->block_len)
		return;
	expect_good(m);
	for (i = 0; i < n && !stopped(m, (int64_t)n - i); i++) {
		const struct object *o = &tape(m)[m->at++];

		if (o->len != m->block_len) {
			expect(m, SENSE_NO_SENSE, 0, ILI, (int64_t)n - i);
			break;
		}
		tape_fill(wanted + i * m->block_len, m->block_len, o->seed);
	}
	m->data = i * m->block_len;
	compare(m, TAPE(m->rig, NULL, n * m->block_len, TAPE_READ_FIXED(n)), "READ of fixed blocks");
}

static void verify(struct model *m)
{
	uint32_t len = 1 + pick(m, BLOCK_MAX);
	const struct object *o = &tape(m)[m->at];

	expect_good(m);
	if (!stopped(m, len)) {
		m->at++;
		if (o->len != len)
			expect(m, SENSE_NO_SENSE, 0, ILI, (int64_t)len - (int64_t)o->len);
	}
	compare(m, TAPE(m->rig, NULL, 0, 0x13, 0, BE3(len), 0), "VERIFY");
}

/* --- moving --------------------------------------------------------------------------------- */

static void space_blocks(struct model *m)
{
	int count = (int)pick(m, 30) - 15, step = count < 0 ? -1 : 1;
	int left = count < 0 ? -count : count;

	expect_good(m);
	for (; left; left--) {
		if (step > 0 && stopped(m, left))
			break;
		if (step < 0 && !m->at) {
			expect(m, SENSE_NO_SENSE, 0x0004, EOM, left);
			break;
		}
		if (step < 0 && is_mark(m, m->at - 1)) {
			m->at--;
			expect(m, SENSE_NO_SENSE, 0x0001, FM, left);
			break;
		}
		m->at += (size_t)step;
	}
	compare(m, TAPE(m->rig, NULL, 0, TAPE_SPACE(0, (uint32_t)count & 0xffffff)),
		"SPACE over blocks");
}

static void space_marks(struct model *m)
{
	int count = (int)pick(m, 10) - 5, left = count < 0 ? -count : count;

	expect_good(m);
	while (left) {
		if (count > 0 && m->at == end(m)) {
			expect(m, SENSE_BLANK_CHECK, 0x0005, 0, left);
			break;
		}
		if (count < 0 && !m->at) {
			expect(m, SENSE_NO_SENSE, 0x0004, EOM, left);
			break;
		}
		left -= is_mark(m, count > 0 ? m->at++ : --m->at);
	}
	compare(m, TAPE(m->rig, NULL, 0, TAPE_SPACE(1, (uint32_t)count & 0xffffff)),
		"SPACE over filemarks");
}

static void go_to_end(struct model *m)
{
	m->at = end(m);
	expect_good(m);
	compare(m, TAPE(m->rig, NULL, 0, TAPE_SPACE(3, 0)), "SPACE to end of data");
}

static void rewind_tape(struct model *m)
{
	m->at = 0;
	expect_good(m);
	compare(m, TAPE(m->rig, NULL, 0, TAPE_REWIND), "REWIND");
}

static void beyond(struct model *m, bool is)
{
	expect_good(m);
	if (!is)
		return;
	m->at = end(m);
	expect(m, SENSE_BLANK_CHECK, 0x0005, 0, 0);
	m->valid = false;
}

static void locate(struct model *m)
{
	uint8_t to = (uint8_t)pick(m, m->partitions);
	size_t object;

	m->partition = to;
	object = pick(m, (unsigned)end(m) + 3);
	m->at = object;
	beyond(m, object > end(m));
	compare(m, TAPE(m->rig, NULL, 0, 0x2b, 0x02, 0, BE4(object), 0, to, 0), "LOCATE");
}

static void locate_file(struct model *m)
{
	uint64_t files = files_before(m, end(m)), file = pick(m, (unsigned)files + 2);

	for (m->at = 0; m->at < end(m) && files_before(m, m->at) < file;)
		m->at++;
	beyond(m, file > files);
	compare(m, TAPE(m->rig, NULL, 0, 0x92, 1 << 3, 0, 0, BE8(file), 0, 0, 0, 0),
		"LOCATE of a file");
}

/* --- what changes the rest ------------------------------------------------------------------ */

static void set_block(struct model *m)
{
	m->block_len = pick(m, 3) ? 1 + pick(m, 3000) : 0;
	expect_good(m);
	compare(m, tape_set_block(m->rig, m->block_len), "MODE SELECT");
}

static void unload_and_load(struct model *m)
{
	assert_good(TAPE(m->rig, NULL, 0, 0x1b, 0, 0, 0, 0, 0));
	m->partition = 0;
	m->at = 0;
	expect_good(m);
	compare(m, TAPE(m->rig, NULL, 0, 0x1b, 0, 0, 0, 1, 0), "LOAD");
}

static void change(struct model *m)
{
	assert_int_equal(tape_in_job(m->rig, tape_do_eject), 0);
	assert_int_equal(tape_in_job(m->rig, tape_do_insert), 0);
	m->partition = 0;
	m->at = 0;
	expect(m, SENSE_UNIT_ATTENTION, 0x2800, 0, 0);
	m->valid = false;
	m->data = 0;
	compare(m, TAPE(m->rig, NULL, 0, TUR), "TEST UNIT READY");
}

static void format(struct model *m)
{
	uint8_t more = (uint8_t)pick(m, 2);
	const uint8_t list[16] = { 0, 0, 0x10, 0, 0x11, 0x0a, 0x01, more, 0x5c, 0x03, 9 };

	assert_good(TAPE(m->rig, list, 16, 0x15, 0x10, 0, 0, 16, 0));
	assert_good(TAPE(m->rig, NULL, 0, 0x92, 0x02, 0, 0, BE8(0), 0, 0, 0, 0));
	m->partitions = more + 1u;
	m->partition = 0;
	m->at = 0;
	memset(m->n, 0, sizeof(m->n));
	expect_good(m);
	compare(m, TAPE(m->rig, NULL, 0, 0x04, 0, 1, 0, 0, 0), "FORMAT MEDIUM");
}

// clang-format off
static const struct {
	void (*run)(struct model *m);
	unsigned share;
} steps[] = {
	{ write_variable, 30 }, { write_fixed, 12 }, { write_marks, 14 }, { erase, 1 },
	{ read_variable, 40 }, { read_fixed, 20 }, { verify, 5 },
	{ space_blocks, 12 }, { space_marks, 12 }, { go_to_end, 12 }, { rewind_tape, 3 },
	{ locate, 12 }, { locate_file, 4 },
	{ set_block, 4 }, { unload_and_load, 1 }, { change, 1 }, { format, 1 },
};
// clang-format on

static void step(struct model *m)
{
	unsigned total = 0, at;

	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		total += steps[i].share;
	at = pick(m, total);
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); at -= steps[i++].share) {
		if (at >= steps[i].share)
			continue;
		steps[i].run(m);
		break;
	}
	if (m->at > OBJECTS - 10) {
		rewind_tape(m);
		erase(m);
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long setting(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? atol(text) : otherwise;
}

static void random_commands_do_what_the_model_does(void **state)
{
	struct model *m = calloc(1, sizeof(*m));
	unsigned seed = (unsigned)setting("SSC_MODEL_SEED", (long)time(NULL));
	double until = now() + (double)setting("SSC_MODEL_SECONDS", 3);
	unsigned long done = 0;

	assert_non_null(m);
	m->rig = tape_rig_loaded(*state, (struct cartridge_cfg){ .barcode = "TEST01L5",
		.media = media_generation(5), .capacity = 4096 * VTL_MIB });
	m->rng = seed;
	m->partitions = 1;
	print_message("SSC_MODEL_SEED=%u\n", seed);
	for (; now() < until; done++)
		step(m);
	print_message("%lu commands\n", done);
	assert_true(done > 10);
	tape_rig_free(m->rig);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			random_commands_do_what_the_model_does, vtl_setup, vtl_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
