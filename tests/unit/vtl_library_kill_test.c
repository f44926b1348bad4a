/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tape library and SIGKILL: what was acknowledged has happened, what was not has happened whole
 * or not at all, and every cartridge is in one place, with its files, whatever it was cut off at.
 */
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "library_support.h"

#define ROUNDS     40
#define CARTRIDGES 6

/* What the child says of each request: before it asks, and when it has the answer. */
struct note {
	enum library_op op;
	enum library_result result;
	bool answered;
	char barcode[BARCODE_SIZE];
};

/* What is known of the cartridges. */
struct known {
	struct {
		char barcode[BARCODE_SIZE];
		bool unsure; /* it was being added or removed when the child was killed */
	} tape[1000];
	size_t n;
	unsigned next; /* number of the next new one */
	unsigned answers;
};

static void barcode_of(unsigned number, char out[static BARCODE_SIZE])
{
	snprintf(out, BARCODE_SIZE, "K%05uL5", number % 100000);
}

/* --- the child --------------------------------------------------------------------- */

static uint16_t pick(unsigned *seed)
{
	static const uint16_t places[] = { SLOT(0), SLOT(1), SLOT(2), SLOT(3), SLOT(4), SLOT(5),
		MAIL(0), MAIL(1), DRIVE(0), DRIVE(1) };

	return places[(unsigned)rand_r(seed) % (sizeof(places) / sizeof(places[0]))];
}

struct choice {
	unsigned n, pick;
	char barcode[BARCODE_SIZE];
};

static bool choose(const struct catalog_tape *t, void *arg)
{
	struct choice *c = arg;

	if (c->n++ == c->pick)
		strcpy(c->barcode, t->barcode);
	return true;
}

static struct library_request random_request(
	struct shop *s, unsigned *seed, unsigned *next, char barcode[static BARCODE_SIZE])
{
	struct library_request r = { .host = true,
		.from = pick(seed),
		.to = pick(seed),
		.then = pick(seed),
		.add.size = SHOP_SIZE };
	struct choice c = { .pick = UINT_MAX };

	library_tapes(s->l, choose, &c);
	c = (struct choice){ .pick = (unsigned)rand_r(seed) % c.n }; /* never 0: see REMOVE */
	library_tapes(s->l, choose, &c);
	strcpy(barcode, c.barcode);
	r.barcode = barcode;
	switch (rand_r(seed) % 8) {
	case 0: r.op = LIBRARY_EXCHANGE; break;
	case 1: r.op = LIBRARY_ARCHIVE; break;
	case 2: r.op = LIBRARY_RETRIEVE; break;
	case 3: r.op = c.n > 2 ? LIBRARY_REMOVE : LIBRARY_MOVE; break;
	case 4:
		r.op = LIBRARY_ADD;
		if (c.n >= CARTRIDGES)
			r.op = LIBRARY_MOVE;
		else
			barcode_of((*next)++, barcode);
		break;
	case 5: r.op = LIBRARY_CANCEL; break;
	default: r.op = LIBRARY_MOVE;
	}
	return r;
}

static void say(int to, const struct library_request *r, bool answered)
{
	struct note n = { .op = r->op, .result = r->result, .answered = answered };

	strcpy(n.barcode, r->barcode);
	if (write(to, &n, sizeof(n)) != sizeof(n))
		_exit(1);
}

_Noreturn static void work(struct shop *s, int to, unsigned seed, unsigned next)
{
	if (loop_create(0, &s->rig.loop) || work_pool_create(8, &s->pool) || rig_open(&s->rig))
		_exit(1);
	s->cfg.pool = s->pool;
	s->cfg.loop = s->rig.loop;
	shop_open(s);
	for (unsigned i = 0; i < 100000; i++) {
		char barcode[BARCODE_SIZE];
		struct library_request r = random_request(s, &seed, &next, barcode);

		say(to, &r, false);
		r = shop_ask(s, r);
		say(to, &r, true);
		if (r.result == LIBRARY_FAILED || r.result == LIBRARY_DRIVE_FAILED)
			_exit(3);
	}
	_exit(2); /* it is to be killed before */
}

/* --- the parent -------------------------------------------------------------------- */

static size_t find(const struct known *k, const char *barcode)
{
	size_t i = 0;

	while (i < k->n && strcmp(k->tape[i].barcode, barcode) != 0)
		i++;
	return i;
}

static void forget(struct known *k, const char *barcode)
{
	size_t i = find(k, barcode);

	if (i < k->n)
		k->tape[i] = k->tape[--k->n];
}

static void note(struct known *k, const struct note *n)
{
	size_t i = find(k, n->barcode);

	k->answers += n->answered;
	if (n->op == LIBRARY_ADD && !n->answered) {
		assert_int_equal(i, k->n);
		strcpy(k->tape[k->n].barcode, n->barcode);
		k->tape[k->n++].unsure = true;
		k->next++;
	} else if (n->op == LIBRARY_ADD) {
		if (n->result)
			forget(k, n->barcode);
		else
			k->tape[i].unsure = false;
	} else if (n->op == LIBRARY_REMOVE && !n->answered) {
		assert_true(i < k->n);
		k->tape[i].unsure = true;
	} else if (n->op == LIBRARY_REMOVE) {
		if (n->result)
			k->tape[i].unsure = false;
		else
			forget(k, n->barcode);
	}
}

/* Gives how it ended. */
static int run_child(struct shop *s, struct known *k, unsigned seed)
{
	struct timespec life = { .tv_nsec = (20 + seed * 37 % 180) * 1000000L };
	int pipes[2], status;
	struct note n;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(pipes[0]);
		work(s, pipes[1], seed, k->next);
	}
	close(pipes[1]);
	nanosleep(&life, NULL);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	while (read(pipes[0], &n, sizeof(n)) == sizeof(n))
		note(k, &n);
	close(pipes[0]);
	return status;
}

/* Which of the two a cartridge that is on no way belongs to, or NULL. */
struct home {
	const struct shop *s;
	const char *dir;
};

static void find_home(const struct catalog_tape *t, void *arg)
{
	struct home *h = arg;

	if (!strcmp(t->state, LIBRARY_STATE_ARCHIVED))
		h->dir = h->s->archive;
	else if (strcmp(t->state, LIBRARY_STATE_ARCHIVING) != 0 &&
		 strcmp(t->state, LIBRARY_STATE_RETRIEVING) != 0)
		h->dir = h->s->path;
}

static bool exists(const char *dir, const char *barcode)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s/p0", dir, barcode);
	return !access(path, F_OK);
}

/* A cartridge that is known to be there is in one place, with its files. */
static void look_at(struct shop *s, const char *barcode)
{
	struct home home = { .s = s };

	while (library_tape(s->l, barcode, find_home, &home) && !home.dir)
		loop_step(s->rig.loop);
	assert_non_null(home.dir);
	assert_int_equal(exists(s->path, barcode) + exists(s->archive, barcode), 1);
	assert_true(exists(home.dir, barcode));
}

static void count_full(const struct library_element *e, void *arg)
{
	*(unsigned *)arg += e->full;
}

static void look(struct shop *s, struct known *k)
{
	struct library_status st;
	unsigned full = 0;

	for (size_t i = 0; i < k->n; i++) {
		bool there = library_tape(s->l, k->tape[i].barcode, NULL, NULL);

		if (k->tape[i].unsure && !there) {
			assert_false(exists(s->archive, k->tape[i].barcode));
			k->tape[i--] = k->tape[--k->n];
			continue;
		}
		if (!there)
			fail_msg("cartridge %s is lost", k->tape[i].barcode);
		k->tape[i].unsure = false;
		look_at(s, k->tape[i].barcode);
	}
	library_status(s->l, &st);
	library_elements(s->l, CATALOG_IN_VAULT, 0, SIZE_MAX, count_full, &full);
	assert_int_equal(st.tapes + st.archived, k->n);
	assert_int_equal(full, st.tapes);
	for (unsigned i = 0; i < SHOP_DRIVES; i++) {
		struct library_element e = shop_element(s, DRIVE(i));
		uint16_t to;

		/* The drive takes the cartridge up by itself; what is asked for comes after
		 * that. */
		for (to = SLOT(0); e.full && to < SLOT(SHOP_SLOTS); to++)
			if (!shop_element(s, to).full && !shop_move(s, DRIVE(i), to))
				break;
		if (e.full && to < SLOT(SHOP_SLOTS))
			assert_at(s, to, e.barcode);
	}
}

static void close_all(struct shop *s)
{
	shop_close(s);
	rig_close(&s->rig);
	work_pool_free(s->pool);
	loop_free(s->rig.loop);
}

static void open_all(struct shop *s)
{
	assert_int_equal(loop_create(0, &s->rig.loop), 0);
	assert_int_equal(work_pool_create(8, &s->pool), 0);
	assert_int_equal(rig_open(&s->rig), 0);
	s->cfg.pool = s->pool;
	s->cfg.loop = s->rig.loop;
	shop_open(s);
}

static void no_cartridge_is_lost_whenever_it_is_killed(void **state)
{
	struct shop *s = *state;
	struct known *k = calloc(1, sizeof(*k));

	assert_non_null(k);
	for (; k->n < 4; k->n++) {
		barcode_of(k->next++, k->tape[k->n].barcode);
		assert_int_equal(shop_add(s, k->tape[k->n].barcode, SLOT(k->n)), LIBRARY_OK);
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		int status;

		close_all(s);
		status = run_child(s, k, round);
		open_all(s);
		if (!WIFSIGNALED(status))
			fail_msg("round %u: the library failed: %d", round, WEXITSTATUS(status));
		look(s, k);
	}
	print_message("%u requests were answered\n", k->answers);
	free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "no_cartridge_is_lost_whenever_it_is_killed",
			no_cartridge_is_lost_whenever_it_is_killed, shop_begin, shop_end, NULL },
		{ "no_cartridge_is_lost_on_its_way_to_another_file_system",
			no_cartridge_is_lost_whenever_it_is_killed, shop_begin_far, shop_end_far,
			NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
