/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of tape libraries share: one with a catalog, directories and drives of its own,
 * whose loop is this thread's. It can be stopped, in good order or as if killed, and started again.
 */
#ifndef TESTS_LIBRARY_SUPPORT_H
#define TESTS_LIBRARY_SUPPORT_H

#include "catalog_support.h"
#include "tests/unit/support_vtl.h"
#include "vtl/library.h"
#include "vtl/shelf.h"

#define SHOP_DRIVES 2
#define SHOP_SLOTS  6
#define SHOP_MAIL   2
#define SHOP_SIZE   ((uint64_t)1 << 20) /* of cartridges */

/* Addresses, as the L700 has them. */
#define DRIVE(n)    ((uint16_t)(500 + (n)))
#define SLOT(n)     ((uint16_t)(1000 + (n)))
#define MAIL(n)     ((uint16_t)(10 + (n)))

struct shop {
	struct rig rig;
	char path[64], archive[64];
	struct work_pool *pool;
	struct drive *drives[SHOP_DRIVES];
	struct library *l;
	struct library_cfg cfg;
	struct library_listener ears;
	unsigned int inventory_changes, mail_changes;
	bool locked;
	char exported[BARCODE_SIZE];
	bool flag; /* something has happened */
	int err;
};

static inline void shop_loaded(void *arg, int err, const char *why)
{
	struct shop *s = arg;

	(void)why;
	s->err = err;
	s->flag = true;
}

static inline void shop_closed(void *arg)
{
	((struct shop *)arg)->flag = true;
}

static inline void shop_exported(void *arg, const char *barcode)
{
	strcpy(((struct shop *)arg)->exported, barcode);
}

static inline void shop_changed(struct library_listener *ls, enum library_event event)
{
	struct shop *s = container_of(ls, struct shop, ears);

	if (event == LIBRARY_MAIL_CHANGED)
		s->mail_changes++;
	else if (event == LIBRARY_INVENTORY_CHANGED)
		s->inventory_changes++;
}

static inline bool shop_locked(struct library_listener *ls)
{
	return container_of(ls, struct shop, ears)->locked;
}

static inline void shop_wait(struct shop *s)
{
	while (!s->flag)
		loop_step(s->rig.loop);
	s->flag = false;
}

/* Drives and a library over the catalog, loaded. */
static inline void shop_open(struct shop *s)
{
	for (unsigned int i = 0; i < SHOP_DRIVES; i++) {
		char serial[] = "DRIVE0";

		serial[5] = (char)('1' + i);
		assert_int_equal(drive_create(&(struct drive_cfg){ .generation = 5,
						      .serial = serial,
						      .pool = s->pool },
					 &s->drives[i]),
			0);
	}
	s->cfg.catalog = s->rig.catalog;
	assert_int_equal(library_create(&s->cfg, &s->l), 0);
	library_listen(s->l, &s->ears);
	library_load(s->l, shop_loaded, s);
	shop_wait(s);
	assert_int_equal(s->err, 0);
}

static inline void shop_close(struct shop *s)
{
	library_unlisten(s->l, &s->ears);
	library_close(s->l, shop_closed, s);
	shop_wait(s);
	s->l = NULL;
	for (unsigned int i = 0; i < SHOP_DRIVES; i++)
		drive_free(s->drives[i]);
}

/* All of it anew over the same files. */
static inline void shop_restart(struct shop *s)
{
	shop_close(s);
	rig_reopen(&s->rig);
	shop_open(s);
}

static inline int shop_begin(void **state)
{
	struct shop *s = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	log_setup(LOG_TO_STDERR, -1);
	strcpy(s->rig.folder, "/tmp/library-XXXXXX");
	if (!mkdtemp(s->rig.folder) || loop_create(0, &s->rig.loop) ||
		work_pool_create(8, &s->pool))
		return -1;
	snprintf(s->rig.path, sizeof(s->rig.path), "%s/state", s->rig.folder);
	snprintf(s->path, sizeof(s->path), "%s/tapes", s->rig.folder);
	snprintf(s->archive, sizeof(s->archive), "%s/archive", s->rig.folder);
	if (mkdir(s->path, 0700) || mkdir(s->archive, 0700) || rig_open(&s->rig))
		return -1;
	s->ears = (struct library_listener){ .changed = shop_changed, .locked = shop_locked };
	s->cfg = (struct library_cfg){ .name = "vtl0",
		.model = CHANGER_STK_L700,
		.drives = s->drives,
		.ndrives = SHOP_DRIVES,
		.generation = 5,
		.slots = SHOP_SLOTS,
		.mail_slots = SHOP_MAIL,
		.path = s->path,
		.archive = s->archive,
		.pool = s->pool,
		.loop = s->rig.loop,
		.exported = shop_exported,
		.arg = s };
	*state = s;
	shop_open(s);
	return 0;
}

static inline int shop_end(void **state)
{
	struct shop *s = *state;
	char command[64];
	int rc;

	if (s->l)
		shop_close(s);
	work_pool_free(s->pool);
	rig_close(&s->rig);
	loop_free(s->rig.loop);
	snprintf(command, sizeof(command), "rm -rf %s", s->rig.folder);
	rc = system(command);
	free(s);
	return rc;
}

/* The archive is another file system, where there is one. */
static inline int shop_begin_far(void **state)
{
	struct shop *s;

	if (shop_begin(state))
		return -1;
	s = *state;
	strcpy(s->archive, "/dev/shm/library-XXXXXX");
	if (!mkdtemp(s->archive))
		strcpy(s->archive, s->rig.folder);
	shop_restart(s);
	return 0;
}

static inline int shop_end_far(void **state)
{
	struct shop *s = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", s->archive);
	return system(command) || shop_end(state);
}

/* --- requests ---------------------------------------------------------------------- */

struct shop_request {
	struct library_request r;
	bool done;
};

static inline void shop_answered(struct library_request *r)
{
	container_of(r, struct shop_request, r)->done = true;
}

/* Carries out a request, and gives what it ended with. */
static inline struct library_request shop_ask(struct shop *s, struct library_request r)
{
	struct shop_request *q = calloc(1, sizeof(*q));

	assert_non_null(q);
	q->r = r;
	q->r.done = shop_answered;
	q->r.home = s->rig.loop;
	library_submit(s->l, &q->r);
	while (!q->done)
		loop_step(s->rig.loop);
	r = q->r;
	free(q);
	return r;
}

static inline enum library_result shop_move(struct shop *s, uint16_t from, uint16_t to)
{
	return shop_ask(s,
		(struct library_request){
			.op = LIBRARY_MOVE, .host = true, .from = from, .to = to })
		.result;
}

static inline enum library_result shop_add(struct shop *s, const char *barcode, uint16_t to)
{
	return shop_ask(s, (struct library_request){ .op = LIBRARY_ADD,
				   .barcode = barcode,
				   .where = LIBRARY_AT,
				   .to = to,
				   .add.size = SHOP_SIZE })
		.result;
}

static inline enum library_result shop_do(struct shop *s, enum library_op op, const char *barcode)
{
	return shop_ask(s, (struct library_request){ .op = op, .barcode = barcode }).result;
}

/* --- looking ----------------------------------------------------------------------- */

static inline struct library_element shop_element(struct shop *s, uint16_t address)
{
	struct library_element e;

	assert_true(library_element(s->l, address, &e));
	return e;
}

/* What is at an address: a barcode, or "" */
#define assert_at(s, address, text) assert_string_equal(shop_element(s, address).barcode, text)

static inline void shop_copy_state(const struct catalog_tape *t, void *arg)
{
	strcpy(arg, t->state);
}

static inline void shop_copy_row(const struct catalog_tape *t, void *arg)
{
	*(struct catalog_tape *)arg = *t;
}

/* What the catalog is told of a cartridge. */
static inline struct catalog_tape shop_row(struct shop *s, const char *barcode)
{
	struct catalog_tape t;

	assert_true(library_tape(s->l, barcode, shop_copy_row, &t));
	return t;
}

/* Waits until a cartridge has a state. */
static inline void shop_until(struct shop *s, const char *barcode, const char *state)
{
	char now[64] = "";

	while (strcmp(now, state) != 0) {
		loop_step(s->rig.loop);
		assert_true(library_tape(s->l, barcode, shop_copy_state, now));
	}
}

/* Whether there is a file or directory below the test's folder. */
static inline bool shop_has(const struct shop *s, const char *path)
{
	char whole[128];

	snprintf(whole, sizeof(whole), "%s/%s", s->rig.folder, path);
	return !access(whole, F_OK);
}

/* Whether the archive has the files of a cartridge. */
static inline bool shop_archived(const struct shop *s, const char *barcode)
{
	char whole[128];

	snprintf(whole, sizeof(whole), "%s/%s/p0", s->archive, barcode);
	return !access(whole, F_OK);
}

static inline bool host_prevents(struct drive_listener *ls)
{
	(void)ls;
	return true;
}

static inline void host_hears(struct drive_listener *ls, enum drive_event event)
{
	(void)ls;
	(void)event;
}

/* Of a drive whose cartridge is not to be taken out. */
static const struct drive_listener host_that_holds = { .changed = host_hears,
	.prevents = host_prevents };

#endif
