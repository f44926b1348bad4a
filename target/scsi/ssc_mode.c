/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mode parameters of tapes (SSC-4 8.3). Density, medium type, partitions and WORM are the
 * cartridge's; block length, buffering, compression and warnings are the unit's, and stay when
 * cartridges change.
 */
#include "scsi/mode.h"

#include <string.h>

#include "scsi/ssc.h"

#define COMPRESSION    0x0f
#define DEVICE         0x10
#define PARTITION      0x11
#define CONTROL        0x0a
#define PROTECTION     0xf0 /* its subpage: logical block protection */
#define CONFIGURATION  0x1d

#define DCE            0x80 /* data compression page, byte 2 */
#define REW            0x01 /* device configuration page, byte 8 */
#define SWP            0x04 /* …, byte 10 */
#define COMPRESS_AT    14   /* SELECT DATA COMPRESSION ALGORITHM */
#define LBP_W          0x80
#define LBP_R          0x40
#define BUFFERED_MODE  0x70 /* of the device-specific parameter */
#define BUFFERED_ONCE  0x10
#define DENSITY_SAME   0x7f

/* PARTITION UNITS of page 11h, powers of ten: as LTO drives count, and what small tapes need. */
#define GIGABYTES 9
#define MEGABYTES 6

static const struct tape *tape_in(const struct lu *lu)
{
	return (const struct tape *)(const void *)lu;
}

/* --- default values ------------------------------------------------------------------------- */

static void partition_defaults(
	const struct mode_page *p, const struct drive_medium *in, uint8_t *page)
{
	unsigned most = p->defaults[2];
	uint64_t total = 0, unit;

	for (unsigned i = 0; i < in->partitions; i++)
		total += in->partition_capacity[i];
	page[6] = total && total < UINT64_C(60000000000) ? MEGABYTES : GIGABYTES;
	unit = page[6] == MEGABYTES ? 1000000 : 1000000000;
	page[3] = (uint8_t)(in->partitions ? in->partitions - 1 : 0);
	for (unsigned i = 0; i < in->partitions && i <= most && most; i++) {
		uint64_t n = in->partition_capacity[i] / unit;

		put_be16(page + 8 + 2 * i, n > UINT16_MAX ? UINT16_MAX : (uint16_t)n);
	}
}

static void defaults(const struct lu *lu, const struct mode_page *p, uint8_t *page)
{
	struct drive_medium in;

	if (p->code != PARTITION && p->code != CONFIGURATION)
		return;
	drive_medium(tape_in(lu)->drive, &in);
	if (p->code == PARTITION)
		partition_defaults(p, &in, page);
	else
		page[2] = in.worm; /* WORMM */
}

static void head_defaults(const struct lu *lu, struct mode_head *h)
{
	struct drive_medium in;

	drive_medium(tape_in(lu)->drive, &in);
	*h = (struct mode_head){ .device = BUFFERED_ONCE };
	if (!in.media)
		return;
	h->medium = in.worm ? in.media->worm_medium_type : in.media->medium_type;
	h->density = in.media->density;
}

static uint8_t active_partition(const struct lu *lu, const struct mode_page *p)
{
	(void)p;
	return atomic_load_explicit(&tape_in(lu)->partition, memory_order_relaxed);
}

/* --- MODE SELECT ---------------------------------------------------------------------------- */

/* Blocks of any length; the density is the cartridge's (SSC-4 8.3.2, 8.3.3). */
static bool select_head(struct scsi_task *t, const struct mode_head *now, struct mode_head *next,
	unsigned at)
{
	unsigned device_at = t->cdb[0] == 0x55 ? 3 : 2;

	if (next->device & 0x0f || (next->device & BUFFERED_MODE) > BUFFERED_ONCE)
		return task_bad_list(t, device_at, 6), false;
	if (next->density && next->density != DENSITY_SAME && next->density != now->density)
		return task_bad_list(t, at, -1), false;
	next->density = now->density;
	if (next->block_len > CARTRIDGE_BLOCK_MAX)
		return task_bad_list(t, at + 5, -1), false;
	return true;
}

/* The two places where compression is switched follow each other: whichever came last counts. */
static bool select_page(struct scsi_task *t, const struct mode_page *p, const uint8_t *now,
	uint8_t *next, unsigned at)
{
	(void)now;
	if (p->code == DEVICE && !p->subpage && next[COMPRESS_AT] > 1)
		return task_bad_list(t, at + COMPRESS_AT, -1), false;
	if (p->code == DEVICE && p->subpage && next[5] >> 4 > 1)
		return task_bad_list(t, at + 5, 7), false;
	if (p->code == CONTROL && p->subpage && next[4] > TAPE_GUARD_CRC32C)
		return task_bad_list(t, at + 4, -1), false;
	if (p->code == CONTROL && p->subpage && next[4] && (next[5] & 0x3f) != TAPE_GUARD)
		return task_bad_list(t, at + 5, 5), false;
	if (p->code == PARTITION && next[3] > p->defaults[2])
		return task_bad_list(t, at + 3, -1), false;
	return true;
}

/* Page 0Fh, or the field of page 10h when only that has changed. */
static bool compression(struct lu *lu, bool was)
{
	uint8_t *page = mode_values(lu, COMPRESSION, 0), *device = mode_values(lu, DEVICE, 0);
	bool by_page = page[2] & DCE, by_device = device[COMPRESS_AT], on;

	on = by_page != was ? by_page : by_device;
	page[2] = (uint8_t)(on ? page[2] | DCE : page[2] & ~DCE);
	device[COMPRESS_AT] = on;
	return on;
}

static void changed(struct lu *lu)
{
	struct tape *tape = (struct tape *)(void *)lu;
	const uint8_t *device = mode_values(lu, DEVICE, 0);
	const uint8_t *extension = mode_values(lu, DEVICE, 1);
	const uint8_t *protection = mode_values(lu, CONTROL, PROTECTION);
	bool on = compression(lu, atomic_load(&tape->compress));

	atomic_store(&tape->block_len, lu->mode_head.block_len);
	atomic_store(&tape->unbuffered, !(lu->mode_head.device & BUFFERED_MODE));
	atomic_store(&tape->compress, on);
	atomic_store(&tape->report_early, device[8] & REW);
	atomic_store(&tape->guard_write, protection[6] & LBP_W ? protection[4] : TAPE_GUARD_NONE);
	atomic_store(&tape->guard_read, protection[6] & LBP_R ? protection[4] : TAPE_GUARD_NONE);
	atomic_store(&tape->append_only, extension[5] >> 4 == 1);
	atomic_store(&tape->pews, (uint64_t)be16(extension + 6) * 1000000);
	lu->protected = lu->protected || device[10] & SWP;
	drive_note_compression(tape->drive, on);
}

const struct mode_rules ssc_mode_rules = {
	.block_descriptor = 8,
	.bare = true,
	.any_format = true,
	.defaults = defaults,
	.head_defaults = head_defaults,
	.state = active_partition,
	.select_head = select_head,
	.select_page = select_page,
	.changed = changed,
};

/* --- the pages ------------------------------------------------------------------------------ */

// clang-format off
/* Before the medium partition page. */
#define PAGES_BEFORE \
	/* Read-write error recovery: retry counts are taken, and mean nothing. */ \
	{ 0x01, 0, 12, .defaults = { 0x01, 0x0a, 0, 0x03, [8] = 0x03 }, \
	  .changeable = { [2] = 0x2f, [3] = 0xff, [8] = 0xff } }, \
	/* Disconnect-reconnect. */ \
	{ 0x02, 0, 16, .defaults = { 0x02, 0x0e } }, \
	/* Control: D_SENSE and TAS may be changed. */ \
	{ 0x0a, 0, 12, .defaults = { 0x0a, 0x0a, 0x02, 0, 0, 0x40, [8] = FF2 }, \
	  .changeable = { [2] = 0x04, [5] = 0x40 } }, \
	/* Control data protection: method, length of the guard; LBP_W, LBP_R. */ \
	{ 0x0a, 0xf0, 32, .defaults = { 0x4a, 0xf0, 0, 0x1c }, \
	  .changeable = { [4] = 0xff, [5] = 0x3f, [6] = 0xc0 } }, \
	/* Data compression: DCE, DCC; DDE; algorithm 1. */ \
	{ 0x0f, 0, 16, .defaults = { 0x0f, 0x0e, 0xc0, 0x80, [7] = 0x01, [11] = 0x01 }, \
	  .changeable = { [2] = 0x80 } }, \
	/* Device configuration: ACTIVE PARTITION; LOIS; EEG, SEW; compression. */ \
	{ 0x10, 0, 16, .defaults = { 0x10, 0x0e, [8] = 0x40, [10] = 0x18, [14] = 0x01 }, \
	  .changeable = { [8] = 0x01, [10] = 0x04, [14] = 0xff }, .state = 3 }, \
	/* Device configuration extension: write mode, short erase mode 2; PEWS. */ \
	{ 0x10, 1, 32, .defaults = { 0x50, 0x01, 0, 0x1c, [5] = 0x02 }, \
	  .changeable = { [5] = 0xf0, [6] = FF2 } }

/* And behind it. */
#define PAGES_AFTER \
	/* Informational exceptions: nothing is reported but by TapeAlert. */ \
	{ 0x1c, 0, 12, .defaults = { 0x1c, 0x0a, 0x08 } }, \
	/* Medium configuration: WORMM is the cartridge's; labels stay, filemarks before end of \
	 * data may be overwritten. */ \
	{ 0x1d, 0, 32, .defaults = { 0x1d, 0x1e, [4] = 0x01, [5] = 0x02 } }, \
	{ .len = 0 }

/* Medium partition: FDP, SDP, IDP, sizes in PSUM's unit, POFM; formats are recognized. */
#define PARTITIONS(n, sizes) \
	{ 0x11, 0, 8 + 2 * (sizes), \
	  .defaults = { 0x11, 6 + 2 * (sizes), (n) - 1, 0, 0x1c, 0x03, GIGABYTES }, \
	  .changeable = { [3] = 0xff, [4] = 0xf8, [6] = 0x0f, [8] = FF4, FF4 } }

const struct mode_page ssc_modes_1[] = { PAGES_BEFORE, PARTITIONS(1, 0), PAGES_AFTER };
const struct mode_page ssc_modes_2[] = { PAGES_BEFORE, PARTITIONS(2, 2), PAGES_AFTER };
const struct mode_page ssc_modes_4[] = { PAGES_BEFORE, PARTITIONS(4, 4), PAGES_AFTER };
// clang-format on
_Static_assert(sizeof(ssc_modes_4) / sizeof(ssc_modes_4[0]) - 1 <= MODE_PAGES, "pages fit");
