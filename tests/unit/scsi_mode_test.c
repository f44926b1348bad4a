/* SPDX-License-Identifier: BSD-2-Clause */
/* Mode pages: what is told, what can be changed, what that does, and lists that are wrong. */
#include "tests/unit/scsi_support.h"

#define SENSE6(dbd, pc, page, sub) 0x1a, (dbd) << 3, (uint8_t)((pc) << 6 | (page)), sub, 255, 0
#define SENSE10(flags, pc, page, sub) \
	0x5a, flags, (uint8_t)((pc) << 6 | (page)), sub, 0, 0, 0, BE2(512), 0
#define SELECT6(len)  0x15, 0x10, 0, 0, len, 0
#define SELECT10(len) 0x55, 0x10, 0, 0, 0, 0, 0, BE2(len), 0

/* The control page as it is by default, with its changeable bytes. */
#define CONTROL(d_sense, swp, tas) \
	0x0a, 0x0a, 0x02 | (d_sense) << 2, 0x10, (swp) << 3, (tas) << 6, 0, 0, 0xff, 0xff, 0, 0

static struct rig *rig;
static uint8_t block[512];

static int setup(void **state)
{
	rig = rig_create((struct rig_cfg){ .faulty = true });
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_free(rig);
	return 0;
}

static void the_header_tells_dpofua_and_the_block_descriptor(void **state)
{
	struct result res = RUN(rig, 0, NULL, 255, SENSE6(0, 0, 0x08, 0));

	(void)state;
	assert_good(res);
	assert_int_equal(res.in_len, 4 + 8 + 20);
	assert_memory_equal(rig_in, ((const uint8_t[]){ 31, 0, 0x10, 8, BE4(4096), BE4(512) }), 12);
	assert_memory_equal(rig_in + 12, ((const uint8_t[]){ 0x08, 0x12, 0x04 }), 3);
}

static void dbd_leaves_the_block_descriptor_out(void **state)
{
	(void)state;
	assert_int_equal(RUN(rig, 0, NULL, 255, SENSE6(1, 0, 0x08, 0)).in_len, 4 + 20);
	assert_int_equal(rig_in[3], 0);
}

static void llbaa_gives_the_long_block_descriptor(void **state)
{
	struct result res = RUN(rig, 0, NULL, 512, SENSE10(0x10, 0, 0x0a, 0));

	(void)state;
	assert_int_equal(res.in_len, 8 + 16 + 12);
	assert_memory_equal(rig_in,
		((const uint8_t[]){ BE2(34), 0, 0x10, 1, 0, BE2(16), BE8(4096), BE4(0), BE4(512) }),
		24);
}

static void all_pages_are_those_without_subpages(void **state)
{
	struct result res = RUN(rig, 0, NULL, 512, SENSE10(8, 0, 0x3f, 0));

	(void)state;
	assert_int_equal(res.in_len, 8 + 12 + 16 + 20 + 12 + 40 + 12);
	assert_int_equal(rig_in[8], 0x01);
	res = RUN(rig, 0, NULL, 512, SENSE10(8, 0, 0x3f, 0xff));
	assert_int_equal(res.in_len, 8 + 12 + 16 + 20 + 12 + 32 + 40 + 12);
	res = RUN(rig, 0, NULL, 512, SENSE10(8, 0, 0x0a, 0xff));
	assert_int_equal(res.in_len, 8 + 12 + 32);
	res = RUN(rig, 0, NULL, 512, SENSE10(8, 0, 0x0a, 0x01));
	assert_int_equal(res.in_len, 8 + 32);
}

static void the_whole_fits_into_mode_sense_6(void **state)
{
	(void)state;
	assert_true(RUN(rig, 0, NULL, 255, SENSE6(0, 0, 0x3f, 0xff)).in_len < 255);
}

static void changeable_values_are_masks(void **state)
{
	(void)state;
	assert_good(RUN(rig, 0, NULL, 255, SENSE6(1, 1, 0x0a, 0)));
	assert_memory_equal(rig_in + 4,
		((const uint8_t[]){ 0x0a, 0x0a, 0x04, 0x06, 0x08, 0x40, 0, 0, 0, 0, 0, 0 }), 12);
}

static void pages_that_are_not_there_are_refused(void **state)
{
	(void)state;
	assert_bad_cdb(RUN(rig, 0, NULL, 255, SENSE6(0, 0, 0x03, 0)), 2);
	assert_bad_cdb(RUN(rig, 0, NULL, 255, SENSE6(0, 0, 0x0a, 2)), 2);
}

static void without_a_keeper_saved_values_are_not_there(void **state)
{
	(void)state;
	assert_check(RUN(rig, 0, NULL, 255, SENSE6(0, 3, 0x0a, 0)), SENSE_ILLEGAL_REQUEST, 0x3900);
}

static void swp_protects_the_disk(void **state)
{
	(void)state;
	assert_good(
		RUN(rig, 0, ((const uint8_t[]){ 0, 0, 0, 0, CONTROL(0, 1, 1) }), 16, SELECT6(16)));
	assert_check(RUN(rig, 0, block, 512, WRITE10(0, 1)), SENSE_DATA_PROTECT, 0x2700);
	assert_good(RUN(rig, 0, NULL, 512, READ10(0, 1)));
	RUN(rig, 0, NULL, 255, SENSE6(1, 0, 0x0a, 0));
	assert_int_equal(rig_in[2], 0x90);
	assert_int_equal(rig_in[8], 0x08);
	assert_good(
		RUN(rig, 0, ((const uint8_t[]){ 0, 0, 0, 0, CONTROL(0, 0, 1) }), 16, SELECT6(16)));
	assert_good(RUN(rig, 0, block, 512, WRITE10(0, 1)));
}

static void d_sense_changes_the_format_of_sense_data(void **state)
{
	uint8_t buf[SENSE_MAX];
	struct scsi_task t;

	(void)state;
	assert_good(
		RUN(rig, 0, ((const uint8_t[]){ 0, 0, 0, 0, CONTROL(1, 0, 1) }), 16, SELECT6(16)));
	rig_task(&t, &rig->nexus[0], 0, (const uint8_t[]){ READ10(9999, 1) }, 10, SCSI_DIR_IN, 512);
	assert_int_equal(scsi_task_start(&t), SCSI_DONE);
	assert_int_equal(scsi_task_sense(&t, buf), 8);
	assert_int_equal(buf[0], 0x72);
	scsi_task_release(&t);
}

static const uint8_t wce_off[] = { 0, 0, 0, 0, 0x08, 0x12, 0, [23] = 0 };
static const uint8_t wce_on[] = { 0, 0, 0, 0, 0x08, 0x12, 0x04, [23] = 0 };

static void without_wce_every_write_is_durable(void **state)
{
	struct scsi_task t;

	(void)state;
	rig_task(&t, &rig->nexus[0], 0, (const uint8_t[]){ WRITE10(0, 1) }, 10, SCSI_DIR_OUT, 512);
	assert_good(rig_finish(&t, block));
	assert_int_equal(t.io.flags, 0);
	assert_good(RUN(rig, 0, wce_off, sizeof(wce_off), SELECT6(sizeof(wce_off))));
	rig_task(&t, &rig->nexus[0], 0, (const uint8_t[]){ WRITE10(0, 1) }, 10, SCSI_DIR_OUT, 512);
	assert_good(rig_finish(&t, block));
	assert_int_equal(t.io.flags, STORE_FUA);
}

static void count_flushes(struct rig *r, uint64_t nth, uint32_t delay_ms)
{
	fault_set(r->store, &(struct fault_cfg){ .ops = 1u << STORE_FLUSH, .nth = nth, .err = -EIO,
				    .delay_ms = delay_ms, .seed = 1 });
}

/* Who sees that there is no write cache sends no SYNCHRONIZE CACHE any more. */
static void switching_the_write_cache_off_empties_it(void **state)
{
	(void)state;
	assert_good(RUN(rig, 0, block, 512, WRITE10(0, 1)));
	count_flushes(rig, 0, 0);
	assert_good(RUN(rig, 0, wce_off, sizeof(wce_off), SELECT6(sizeof(wce_off))));
	assert_int_equal(fault_seen(rig->store), 1);
	count_flushes(rig, 1, 0);
	assert_check(RUN(rig, 0, wce_off, sizeof(wce_off), SELECT6(sizeof(wce_off))),
		SENSE_MEDIUM_ERROR, 0x0c00);
}

static void a_write_under_way_when_the_cache_goes_off_is_durable_too(void **state)
{
	struct scsi_task t;

	(void)state;
	count_flushes(rig, 0, 5);
	rig_task(&t, &rig->nexus[0], 0, (const uint8_t[]){ WRITE10(0, 1) }, 10, SCSI_DIR_OUT, 512);
	assert_int_equal(scsi_task_start(&t), SCSI_WANT_DATA);
	assert_int_equal(scsi_task_data(&t, rig_put(&t, block)), SCSI_PENDING);
	assert_good(RUN(rig, 0, wce_off, sizeof(wce_off), SELECT6(sizeof(wce_off))));
	rig_wait(&t);
	assert_int_equal(t.status, SCSI_GOOD);
	assert_int_equal(fault_seen(rig->store), 2);
	scsi_task_release(&t);
}

static void so_is_any_other_command_that_writes(void **state)
{
	static const uint8_t cdbs[][16] = {
		{ 0x89, 0, BE8(0), 0, 0, 0, 1 }, /* COMPARE AND WRITE */
		{ 0x8b, 0, BE8(0), BE4(2) },     /* ORWRITE */
		{ 0x93, 0, BE8(0), BE4(4096) },  /* WRITE SAME */
		{ 0x93, 0x09, BE8(0), BE4(8) },  /* of zeros */
	};
	static const uint32_t lens[] = { 1024, 1024, 512, 0 };
	static uint8_t two[1024];
	struct scsi_task t;

	(void)state;
	memset(two + 512, 'x', 512);
	for (unsigned i = 0; i < 4; i++) {
		const uint8_t *out = i < 2 ? two : two + 512;
		enum scsi_next next;

		assert_good(RUN(rig, 0, wce_on, sizeof(wce_on), SELECT6(sizeof(wce_on))));
		assert_good(RUN(rig, 0, two, 1024, WRITE10(0, 2)));
		count_flushes(rig, 0, 5);
		rig_task(&t, &rig->nexus[0], 0, cdbs[i], 16, lens[i] ? SCSI_DIR_OUT : 0, lens[i]);
		next = scsi_task_start(&t);
		if (next == SCSI_WANT_DATA)
			next = scsi_task_data(&t, rig_put(&t, out));
		assert_int_equal(next, SCSI_PENDING);
		assert_good(RUN(rig, 0, wce_off, sizeof(wce_off), SELECT6(sizeof(wce_off))));
		rig_wait(&t);
		assert_int_equal(t.status, SCSI_GOOD);
		assert_int_equal(fault_seen(rig->store), 2);
		scsi_task_release(&t);
	}
}

static void a_disk_without_a_write_cache_says_so_and_writes_through(void **state)
{
	struct rig *r = rig_create((struct rig_cfg){ .faulty = true, .write_through = true });
	struct scsi_task t;

	(void)state;
	for (unsigned control = 0; control <= 2; control += 2) { /* current, default */
		RUN(r, 0, NULL, 255, SENSE6(1, control, 0x08, 0));
		assert_memory_equal(rig_in + 4, ((const uint8_t[]){ 0x08, 0x12, 0x00 }), 3);
	}
	rig_task(&t, &r->nexus[0], 0, (const uint8_t[]){ WRITE10(0, 1) }, 10, SCSI_DIR_OUT, 512);
	assert_good(rig_finish(&t, block));
	assert_int_equal(t.io.flags, STORE_FUA);
	rig_free(r);
}

static void a_change_is_told_to_the_other_initiators_once(void **state)
{
	(void)state;
	assert_good(
		RUN(rig, 0, ((const uint8_t[]){ 0, 0, 0, 0, CONTROL(1, 0, 1) }), 16, SELECT6(16)));
	assert_good(RUN(rig, 0, NULL, 0, TUR));
	assert_check(RUN(rig, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a01);
	assert_good(RUN(rig, 1, NULL, 0, TUR));
}

static void a_list_that_changes_nothing_is_not_told(void **state)
{
	(void)state;
	assert_good(
		RUN(rig, 0, ((const uint8_t[]){ 0, 0, 0, 0, CONTROL(0, 0, 1) }), 16, SELECT6(16)));
	assert_good(RUN(rig, 1, NULL, 0, TUR));
}

static void an_empty_list_is_no_error(void **state)
{
	(void)state;
	assert_good(RUN(rig, 0, NULL, 0, SELECT6(0)));
	assert_good(RUN(rig, 0, NULL, 0, SELECT10(0)));
}

static void a_block_descriptor_may_repeat_the_geometry(void **state)
{
	(void)state;
	assert_good(RUN(rig, 0,
		((const uint8_t[]){ 0, 0, 0, 8, BE4(4096), BE4(512), CONTROL(0, 0, 1) }), 24,
		SELECT6(24)));
	assert_good(
		RUN(rig, 0, ((const uint8_t[]){ 0, 0, 0, 8, BE4(0), BE4(512) }), 12, SELECT6(12)));
	assert_good(RUN(rig, 0,
		((const uint8_t[]){ 0, 0, 0, 0, 1, 0, BE2(16), BE8(4096), BE4(0), BE4(512) }), 24,
		SELECT10(24)));
	assert_bad_list(RUN(rig, 0, ((const uint8_t[]){ 0, 0, 0, 8, BE4(4096), BE4(1024) }), 12,
				SELECT6(12)),
		9);
	assert_bad_list(RUN(rig, 0, ((const uint8_t[]){ 0, 0, 0, 8, BE4(4095), BE4(512) }), 12,
				SELECT6(12)),
		4);
	assert_bad_list(
		RUN(rig, 0, ((const uint8_t[]){ 0, 0, 0, 7, BE4(0), BE4(512) }), 12, SELECT6(12)),
		3);
}

static void a_bit_that_cannot_change_is_pointed_at(void **state)
{
	static const uint8_t list[] = { 0, 0, 0, 0, 0x0a, 0x0a, 0x02, 0x11, 0, 0x40, 0, 0, 0xff,
		0xff, 0, 0 };
	struct result res = RUN(rig, 0, list, 16, SELECT6(16));

	(void)state;
	assert_bad_list(res, 7);
	assert_int_equal(res.sense.sks[0] & 0x0f, 0x08 | 0);
}

static void nothing_is_taken_of_a_list_with_an_error(void **state)
{
	static const uint8_t list[] = { 0, 0, 0, 0, CONTROL(1, 1, 1), 0x08, 0x12, 0x05, [35] = 0 };

	(void)state;
	assert_bad_list(RUN(rig, 0, list, 36, SELECT6(36)), 18);
	RUN(rig, 0, NULL, 255, SENSE6(1, 0, 0x0a, 0));
	assert_memory_equal(rig_in + 4, ((const uint8_t[]){ CONTROL(0, 0, 1) }), 12);
}

/* Cut anywhere inside, a list is too short; what came is less than what was announced, or the
 * announced length itself ends within a page. */
static void a_list_that_is_cut_is_too_short(void **state)
{
	static const uint8_t list[] = { 0, 0, 0, 8, BE4(4096), BE4(512), CONTROL(1, 0, 1) };

	(void)state;
	for (uint32_t len = 1; len < sizeof(list); len++) {
		if (len == 12)
			continue;
		assert_check(RUN(rig, 0, list, len, SELECT6((uint8_t)len)), SENSE_ILLEGAL_REQUEST,
			0x1a00);
		assert_check(RUN(rig, 0, list, len, SELECT6(sizeof(list))), SENSE_ILLEGAL_REQUEST,
			0x1a00);
	}
	RUN(rig, 0, NULL, 255, SENSE6(1, 0, 0x0a, 0));
	assert_int_equal(rig_in[6], 0x02);
}

static void a_page_of_the_wrong_length_is_refused(void **state)
{
	static const uint8_t list[] = { 0, 0, 0, 0, 0x0a, 0x09, 2, 0x10, 0, 0x40, 0, 0, 0xff, 0xff,
		0 };

	(void)state;
	assert_bad_list(RUN(rig, 0, list, 15, SELECT6(15)), 5);
}

static void without_a_keeper_saving_is_refused_as_foreign_formats_are(void **state)
{
	(void)state;
	assert_bad_cdb(RUN(rig, 0, block, 16, 0x15, 0x11, 0, 0, 16, 0), 1);
	assert_bad_cdb(RUN(rig, 0, block, 16, 0x15, 0x00, 0, 0, 16, 0), 1);
}

/* --- saved values ---------------------------------------------------------------------- */

#define SAVE6(len) 0x15, 0x11, 0, 0, len, 0

/* The control page with its PS bit. */
#define CONTROL_PS(d_sense, swp, tas) \
	0x8a, 0x0a, 0x02 | (d_sense) << 2, 0x10, (swp) << 3, (tas) << 6, 0, 0, 0xff, 0xff, 0, 0

/* A keeper that writes down what it is told, and says that it is done when it is let. */
static struct {
	struct lu_mode_keeper keeper;
	struct lu_keep *k;
	struct lu_saved what;
	int err;
	bool hold; /* it is not let */
} book;

static void say_done(struct loop_msg *m)
{
	struct lu_keep *k = container_of(m, struct lu_keep, msg);

	k->done(k, book.err);
}

static void note(struct lu_mode_keeper *kr, struct lu_keep *k, const uint8_t naa[16],
	const struct lu_saved *s)
{
	assert_ptr_equal(kr, &book.keeper);
	assert_int_equal(naa[0], 0x60);
	book.what = *s;
	book.k = k;
	k->msg.run = say_done;
	if (!book.hold)
		loop_post(k->loop, &k->msg);
}

/* A disk whose pages can be saved, and on which `saved` (NULL: nothing) was. */
static struct rig *saving_rig(const struct lu_saved *saved)
{
	memset(&book, 0, sizeof(book));
	book.keeper.keep = note;
	return rig_create((struct rig_cfg){ .mode_keeper = &book.keeper, .saved = saved });
}

static const uint8_t descriptors[] = { 0, 0, 0, 0, CONTROL(1, 0, 1) };

static void assert_control(struct rig *r, uint8_t pc, const uint8_t page[12])
{
	assert_good(RUN(r, 0, NULL, 255, SENSE6(1, pc, 0x0a, 0)));
	assert_memory_equal(rig_in + 4, page, 12);
}

static void pages_that_can_be_saved_say_so(void **state)
{
	struct rig *r = saving_rig(NULL);
	static const struct {
		uint8_t page, first;
	} pages[] = { { 0x01, 0x01 }, { 0x02, 0x02 }, { 0x08, 0x88 }, { 0x0a, 0x8a },
		{ 0x1a, 0x1a }, { 0x1c, 0x1c } };

	(void)state;
	for (uint8_t pc = 0; pc < 4; pc++)
		for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
			assert_good(RUN(r, 0, NULL, 255, SENSE6(1, pc, pages[i].page, 0)));
			assert_int_equal(rig_in[4], pages[i].first);
		}
	rig_free(r);
}

static void what_is_saved_is_kept_before_the_answer_and_told(void **state)
{
	struct rig *r = saving_rig(NULL);
	struct result res;

	(void)state;
	assert_control(r, 3, (const uint8_t[]){ CONTROL_PS(0, 0, 1) });
	res = RUN(r, 0, descriptors, sizeof(descriptors), SAVE6(sizeof(descriptors)));
	assert_good(res);
	assert_int_equal(book.what.n, 1);
	assert_int_equal(book.what.pages[0].code, 0x0a);
	assert_int_equal(book.what.pages[0].subpage, 0);
	assert_int_equal(book.what.pages[0].len, 12);
	assert_memory_equal(book.what.pages[0].mask, ((const uint8_t[12]){ [2] = 0x04 }), 12);
	assert_memory_equal(book.what.pages[0].value, descriptors + 4, 12);
	assert_control(r, 0, (const uint8_t[]){ CONTROL_PS(1, 0, 1) });
	assert_control(r, 3, (const uint8_t[]){ CONTROL_PS(1, 0, 1) });
	assert_control(r, 2, (const uint8_t[]){ CONTROL_PS(0, 0, 1) });
	assert_check(RUN(r, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a01);
	rig_free(r);
}

static void without_sp_nothing_is_saved(void **state)
{
	struct rig *r = saving_rig(NULL);

	(void)state;
	assert_good(RUN(r, 0, descriptors, sizeof(descriptors), SELECT6(sizeof(descriptors))));
	assert_null(book.k);
	assert_control(r, 0, (const uint8_t[]){ CONTROL_PS(1, 0, 1) });
	assert_control(r, 3, (const uint8_t[]){ CONTROL_PS(0, 0, 1) });
	rig_free(r);
}

static void saving_without_a_list_saves_what_is_current(void **state)
{
	static const uint8_t off[] = { 0, 0, 0, 0, 0x08, 0x12, 0, [23] = 0 };
	struct rig *r = saving_rig(NULL);

	(void)state;
	assert_good(RUN(r, 0, off, sizeof(off), SELECT6(sizeof(off))));
	assert_good(RUN(r, 0, NULL, 0, SAVE6(0)));
	assert_int_equal(book.what.n, 1);
	assert_int_equal(book.what.pages[0].code, 0x08);
	assert_good(RUN(r, 0, NULL, 255, SENSE6(1, 3, 0x08, 0)));
	assert_memory_equal(rig_in + 4, ((const uint8_t[]){ 0x88, 0x12, 0x00 }), 3);
	rig_free(r);
}

static void defaults_that_are_saved_leave_nothing_to_keep(void **state)
{
	static const uint8_t list[] = { 0, 0, 0, 0, CONTROL(0, 0, 1) };
	struct rig *r = saving_rig(NULL);

	(void)state;
	assert_good(RUN(r, 0, descriptors, sizeof(descriptors), SAVE6(sizeof(descriptors))));
	assert_good(RUN(r, 0, list, sizeof(list), SAVE6(sizeof(list))));
	assert_int_equal(book.what.n, 0);
	assert_control(r, 3, (const uint8_t[]){ CONTROL_PS(0, 0, 1) });
	rig_free(r);
}

static void what_cannot_be_saved_is_not_in_force(void **state)
{
	struct rig *r = saving_rig(NULL);

	(void)state;
	book.err = -EIO;
	assert_check(RUN(r, 0, descriptors, sizeof(descriptors), SAVE6(sizeof(descriptors))),
		SENSE_HARDWARE_ERROR, 0x4400);
	assert_control(r, 0, (const uint8_t[]){ CONTROL_PS(0, 0, 1) });
	assert_control(r, 3, (const uint8_t[]){ CONTROL_PS(0, 0, 1) });
	assert_good(RUN(r, 1, NULL, 0, TUR));
	book.err = 0;
	assert_good(RUN(r, 0, descriptors, sizeof(descriptors), SAVE6(sizeof(descriptors))));
	rig_free(r);
}

static void a_wrong_list_is_not_saved(void **state)
{
	static const uint8_t list[] = { 0, 0, 0, 0, 0x0a, 0x0a, 0x02, 0x11, 0, 0x40, 0, 0, 0xff,
		0xff, 0, 0 };
	struct rig *r = saving_rig(NULL);

	(void)state;
	assert_bad_list(RUN(r, 0, list, 16, SAVE6(16)), 7);
	assert_check(RUN(r, 0, list, 0, SAVE6(16)), SENSE_ILLEGAL_REQUEST, 0x1a00);
	assert_null(book.k);
	rig_free(r);
}

static struct scsi_task held;

static void begin_to_save(struct rig *r)
{
	book.hold = true;
	rig_task(&held, &r->nexus[0], 0, (const uint8_t[]){ SAVE6(sizeof(descriptors)) }, 6,
		SCSI_DIR_OUT, sizeof(descriptors));
	assert_int_equal(scsi_task_start(&held), SCSI_WANT_DATA);
	memcpy(held.out.iov[0].iov_base, descriptors, sizeof(descriptors));
	assert_int_equal(scsi_task_data(&held, sizeof(descriptors)), SCSI_PENDING);
}

static void end_saving(struct rig *r)
{
	loop_post(r->loop, &book.k->msg);
	loop_step(r->loop);
	scsi_task_release(&held);
	book.hold = false;
}

static void a_change_during_a_save_is_told_to_come_again(void **state)
{
	static const uint8_t protect[] = { 0, 0, 0, 0, CONTROL(0, 1, 1) };
	struct rig *r = saving_rig(NULL);

	(void)state;
	begin_to_save(r);
	assert_int_equal(
		RUN(r, 1, protect, sizeof(protect), SELECT6(sizeof(protect))).status, SCSI_BUSY);
	assert_int_equal(
		RUN(r, 1, protect, sizeof(protect), SAVE6(sizeof(protect))).status, SCSI_BUSY);
	assert_control(r, 0, (const uint8_t[]){ CONTROL_PS(0, 0, 1) });
	end_saving(r);
	assert_control(r, 0, (const uint8_t[]){ CONTROL_PS(1, 0, 1) });
	assert_check(RUN(r, 1, NULL, 0, TUR), SENSE_UNIT_ATTENTION, 0x2a01);
	assert_good(RUN(r, 1, protect, sizeof(protect), SAVE6(sizeof(protect))));
	rig_free(r);
}

static void what_is_durable_is_in_force_though_nobody_waits(void **state)
{
	struct rig *r = saving_rig(NULL);

	(void)state;
	begin_to_save(r);
	assert_false(scsi_task_abort(&held));
	end_saving(r);
	assert_control(r, 0, (const uint8_t[]){ CONTROL_PS(1, 0, 1) });
	assert_control(r, 3, (const uint8_t[]){ CONTROL_PS(1, 0, 1) });
	rig_free(r);
}

static void reset_done(struct lu_function_req *req)
{
	(void)req;
}

static void a_reset_brings_back_what_is_saved(void **state)
{
	static const uint8_t list[] = { 0, 0, 0, 0, CONTROL(0, 0, 0) };
	struct rig *r = saving_rig(NULL);
	struct lu_function_req req = {
		.nexus = &r->nexus[0], .lun = 0, .function = LU_RESET, .done = reset_done
	};

	(void)state;
	assert_good(RUN(r, 0, descriptors, sizeof(descriptors), SAVE6(sizeof(descriptors))));
	assert_good(RUN(r, 0, list, sizeof(list), SELECT6(sizeof(list))));
	assert_control(r, 0, (const uint8_t[]){ CONTROL_PS(0, 0, 0) });
	lu_function(&req);
	while (loop_step(r->loop))
		;
	RUN(r, 0, NULL, 0, TUR);
	assert_control(r, 0, (const uint8_t[]){ CONTROL_PS(1, 0, 1) });
	rig_free(r);
}

static void what_was_saved_is_in_force(void **state)
{
	const struct lu_saved was = { 2,
		{ { 0x08, 0, 20, { [2] = 0x04 }, { 0x08, 0x12 } },
			{ 0x0a, 0, 12, { [4] = 0x08 }, { CONTROL(1, 1, 0) } } } };
	struct rig *r = saving_rig(&was);

	(void)state;
	assert_control(r, 0, (const uint8_t[]){ CONTROL_PS(0, 1, 1) });
	assert_control(r, 3, (const uint8_t[]){ CONTROL_PS(0, 1, 1) });
	assert_control(r, 2, (const uint8_t[]){ CONTROL_PS(0, 0, 1) });
	assert_check(RUN(r, 0, block, 512, WRITE10(0, 1)), SENSE_DATA_PROTECT, 0x2700);
	assert_good(RUN(r, 0, NULL, 255, SENSE6(1, 0, 0x08, 0)));
	assert_int_equal(rig_in[6], 0);
	rig_free(r);
}

/* A page that is not there, one of another length, bits that do not change, a QErr that is none. */
static void what_no_initiator_could_save_is_left_alone(void **state)
{
	struct lu_saved was = { 3,
		{ { 0x3e, 0, 12, { [2] = 0xff }, { [2] = 0xff } },
			{ 0x08, 0, 12, { [2] = 0xff }, { [2] = 0 } },
			{ 0x0a, 0, 12, { [2] = 0xff, [7] = 0xff }, { [2] = 0xff, [7] = 0xff } } } };
	struct rig *r = saving_rig(&was);

	(void)state;
	assert_control(r, 0, (const uint8_t[]){ CONTROL_PS(1, 0, 1) });
	assert_good(RUN(r, 0, NULL, 255, SENSE6(1, 0, 0x08, 0)));
	assert_int_equal(rig_in[6], 0x04);
	rig_free(r);
	was.pages[2].mask[3] = was.pages[2].value[3] = 0x04; /* 10b */
	r = saving_rig(&was);
	assert_control(r, 0, (const uint8_t[]){ CONTROL_PS(0, 0, 1) });
	rig_free(r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_header_tells_dpofua_and_the_block_descriptor),
		T(dbd_leaves_the_block_descriptor_out),
		T(llbaa_gives_the_long_block_descriptor),
		T(all_pages_are_those_without_subpages),
		T(the_whole_fits_into_mode_sense_6),
		T(changeable_values_are_masks),
		T(pages_that_are_not_there_are_refused),
		T(without_a_keeper_saved_values_are_not_there),
		T(swp_protects_the_disk),
		T(d_sense_changes_the_format_of_sense_data),
		T(without_wce_every_write_is_durable),
		T(switching_the_write_cache_off_empties_it),
		T(a_write_under_way_when_the_cache_goes_off_is_durable_too),
		T(so_is_any_other_command_that_writes),
		cmocka_unit_test(a_disk_without_a_write_cache_says_so_and_writes_through),
		T(a_change_is_told_to_the_other_initiators_once),
		T(a_list_that_changes_nothing_is_not_told),
		T(an_empty_list_is_no_error),
		T(a_block_descriptor_may_repeat_the_geometry),
		T(a_bit_that_cannot_change_is_pointed_at),
		T(nothing_is_taken_of_a_list_with_an_error),
		T(a_list_that_is_cut_is_too_short),
		T(a_page_of_the_wrong_length_is_refused),
		T(without_a_keeper_saving_is_refused_as_foreign_formats_are),
		cmocka_unit_test(pages_that_can_be_saved_say_so),
		cmocka_unit_test(what_is_saved_is_kept_before_the_answer_and_told),
		cmocka_unit_test(without_sp_nothing_is_saved),
		cmocka_unit_test(saving_without_a_list_saves_what_is_current),
		cmocka_unit_test(defaults_that_are_saved_leave_nothing_to_keep),
		cmocka_unit_test(what_cannot_be_saved_is_not_in_force),
		cmocka_unit_test(a_wrong_list_is_not_saved),
		cmocka_unit_test(a_change_during_a_save_is_told_to_come_again),
		cmocka_unit_test(what_is_durable_is_in_force_though_nobody_waits),
		cmocka_unit_test(a_reset_brings_back_what_is_saved),
		cmocka_unit_test(what_was_saved_is_in_force),
		cmocka_unit_test(what_no_initiator_could_save_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
