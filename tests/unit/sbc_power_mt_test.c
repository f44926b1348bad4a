/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk in a file whose machine loses power: what was acknowledged with FUA, without a write cache
 * or before a SYNCHRONIZE CACHE that ended well is there, and all else is as it was at some time
 * since then. Random commands, several at a time, on a medium that may also fail or be full.
 *
 * The calls that write and sync are this program's own. They keep, of each sector, all that the
 * medium may hold if the power went now: what was last synced, and whatever was written since, of
 * which a kernel may have brought any to the medium and any not, each sector by itself. What failed
 * to come there, in a sync or in the background, no later sync brings there: Linux counts it as clean,
 * and tells each opening of the file once.
 *
 * The commands keep, of each sector, all that it may hold as far as the initiator was told. After
 * each command and each call the one is to be within the other, so that every moment is a crash.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/work.h"
#include "store/engine.h"
#include "tests/unit/scsi_support.h"

#define SECTOR  512u
#define SECTORS 512u
#define SEEN    256u /* contents of a sector that count at a time */
#define TASKS   6u   /* at a time, each in its own part of the disk */
#define PART    (SECTORS / TASKS / 16 * 16)
#define FDS     64u
#define ROUNDS  60u /* of each life */

/* A sector holds one word again and again. */
struct content {
	uint64_t word;
	unsigned told; /* of the commands: when the initiator was told that it is there; 0: not */
};

struct sector {
	struct content is[SEEN]; /* the last is in the page cache */
	unsigned n;
	bool clean; /* of the medium: no sync brings it there any more */
};

static struct {
	pthread_mutex_t lock; /* of all that follows */
	struct sector medium[SECTORS], disk[SECTORS];
	int fd;               /* of the file, to look at it */
	unsigned failures;    /* of writing back */
	unsigned told[FDS];   /* of those, by descriptor */
	unsigned rng;         /* of the calls */
	unsigned eio, enospc; /* one call in so many fails so; 0: none */
	unsigned commands;    /* so many were sent */
} power = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* --- contents ------------------------------------------------------------------------------- */

/* For any thread, where cmocka's are for that of the test alone. */
static void must(bool so, const char *what, unsigned sector)
{
	if (so)
		return;
	fprintf(stderr, "sector %u: %s\n", sector, what);
	abort();
}

static void add(struct sector *s, struct content c)
{
	must(s->n < SEEN, "more contents than there is room for", 0);
	s->is[s->n++] = c;
}

/* Forgets what was before. */
static void keep_from(struct sector *s, unsigned i)
{
	s->n -= i;
	memmove(s->is, s->is + i, s->n * sizeof(s->is[0]));
}

static bool holds(const struct sector *s, uint64_t word)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->is[i].word == word)
			return true;
	return false;
}

static void print(const char *what, const struct sector *s)
{
	fprintf(stderr, "%s:", what);
	for (unsigned i = 0; i < s->n; i++)
		fprintf(stderr, " %llu", (unsigned long long)s->is[i].word);
	fprintf(stderr, "%s\n", s->clean ? ", and is not synced" : "");
}

static void expect_nothing_lost_of(unsigned i)
{
	const struct sector *medium = &power.medium[i], *disk = &power.disk[i];

	for (unsigned j = 0; j < medium->n; j++) {
		if (holds(disk, medium->is[j].word))
			continue;
		print("the medium may hold", medium);
		print("it was acknowledged as", disk);
		must(false, "what was acknowledged may not be there", i);
	}
}

/* Under the lock. */
static void expect_nothing_lost(void)
{
	for (unsigned i = 0; i < SECTORS; i++)
		expect_nothing_lost_of(i);
}

/* 0 once in n times; never where n is 0. Under the lock. */
static unsigned chance(unsigned n)
{
	return n ? (unsigned)rand_r(&power.rng) % n : 1;
}

/* --- the calls ------------------------------------------------------------------------------ */

/* What the page cache has there now. Under the lock, as the next two. */
static void note(off_t off, size_t len)
{
	uint64_t words[SECTOR / 8];

	for (unsigned i = (unsigned)(off / SECTOR); len; i++, len -= SECTOR) {
		long n = syscall(SYS_pread64, power.fd, words, SECTOR, (off_t)i * SECTOR);

		must(n == SECTOR && !memcmp(words, words + 1, SECTOR - 8), "is a mixture", i);
		add(&power.medium[i], (struct content){ .word = words[0] });
		power.medium[i].clean = false;
	}
	expect_nothing_lost();
}

/* A part is written back, or tried to. False: this, or something before, has failed. */
static bool write_back(int fd, off_t off, size_t len)
{
	bool fails = !chance(power.eio);
	unsigned *told = &power.told[fd];

	power.failures += fails;
	for (unsigned i = (unsigned)(off / SECTOR); len; i++, len -= SECTOR) {
		struct sector *s = &power.medium[i];

		if (fails)
			s->clean = s->clean || s->n > 1;
		else if (!s->clean)
			keep_from(s, s->n - 1);
	}
	expect_nothing_lost();
	if (!fd || *told == power.failures)
		return true;
	*told = power.failures;
	errno = chance(2) ? EIO : ENOSPC;
	return false;
}

static bool full(void)
{
	if (chance(power.enospc))
		return false;
	errno = ENOSPC;
	return true;
}

/* A sync does not end at once, and others may go on meanwhile. */
static void unlock(bool sync)
{
	struct timespec moment = { .tv_nsec = chance(10) * 50 * 1000 };
	int err = errno;

	pthread_mutex_unlock(&power.lock);
	if (sync)
		nanosleep(&moment, NULL);
	errno = err;
}

/* In pieces of whole sectors, as it comes. Under the lock. */
static ssize_t write_some(int fd, const struct iovec *iov, off_t off, bool sync)
{
	struct iovec some = *iov;
	ssize_t n;

	if (full())
		return -1;
	if (!chance(8))
		some.iov_len = SECTOR * (1 + chance((unsigned)(some.iov_len / SECTOR)));
	n = syscall(SYS_pwritev2, fd, &some, 1L, off, 0L, 0L);
	must(n > 0, "cannot be written", (unsigned)(off / SECTOR));
	note(off, (size_t)n);
	if (!chance(8))
		write_back(0, 0, SECTORS * SECTOR);
	return !sync || write_back(fd, off, (size_t)n) ? n : -1;
}

ssize_t pwritev2(int fd, const struct iovec *iov, int cnt, off_t off, int flags)
{
	ssize_t n = -1;

	must(cnt == 1, "comes in pieces", (unsigned)(off / SECTOR));
	pthread_mutex_lock(&power.lock);
	if (!(flags & RWF_NOWAIT) || chance(2))
		n = write_some(fd, iov, off, flags & RWF_DSYNC);
	else
		errno = EAGAIN;
	unlock(flags & RWF_DSYNC);
	return n;
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t off)
{
	struct iovec iov = { (void *)(uintptr_t)buf, len };

	return pwritev2(fd, &iov, 1, off, 0);
}

/* Covers what was written before it began. */
int fdatasync(int fd)
{
	bool done;

	pthread_mutex_lock(&power.lock);
	done = write_back(fd, 0, SECTORS * SECTOR);
	unlock(true);
	return done ? 0 : -1;
}

/* Some file systems do not know all of it. */
int fallocate(int fd, int mode, off_t off, off_t len)
{
	long r = -1;

	pthread_mutex_lock(&power.lock);
	errno = EOPNOTSUPP;
	if (off >= (off_t)(SECTORS * SECTOR) || (chance(4) && !full()))
		r = syscall(SYS_fallocate, fd, (long)mode, off, len);
	if (!r && off < (off_t)(SECTORS * SECTOR))
		note(off, (size_t)len);
	pthread_mutex_unlock(&power.lock);
	return (int)r;
}

ssize_t copy_file_range(int from, off64_t *in, int to, off64_t *out, size_t len, unsigned flags)
{
	off_t at = *out;
	ssize_t n = -1;

	pthread_mutex_lock(&power.lock);
	if (!full())
		n = syscall(SYS_copy_file_range, from, in, to, out, len, (unsigned long)flags);
	if (n > 0)
		note(at, (size_t)n);
	pthread_mutex_unlock(&power.lock);
	return n;
}

/* --- commands ------------------------------------------------------------------------------- */

enum kind { WRITE, WRITE_FUA, SAME, SAME_ZERO, UNMAP, COMPARE, WRITE_VERIFY, COPY, SYNC };

/* One command, and what it does: to all sectors of a stretch, or none. */
struct command {
	struct scsi_task task;
	enum kind kind;
	unsigned at, n, from; /* sectors */
	unsigned sent;        /* its number among all */
	bool durable;         /* what it says is durable when it says so */
	uint8_t data[2 * PART * SECTOR];
};

struct bench {
	struct rig *r;
	struct work_pool *pool;
	struct store_engine *engine;
	char path[32];
	unsigned block; /* sectors */
	unsigned rng;   /* of the commands */
	bool write_through;
};

static unsigned pick(struct bench *b, unsigned n)
{
	return (unsigned)rand_r(&b->rng) % n;
}

static uint64_t word_of(const struct command *c, unsigned i)
{
	switch (c->kind) {
	case SAME_ZERO:
	case UNMAP: return 0;
	case COPY: return power.medium[c->from + i].is[power.medium[c->from + i].n - 1].word;
	default: return c->sent;
	}
}

static void fill(uint8_t *to, const struct command *c)
{
	for (unsigned i = 0; i < c->n; i++)
		for (unsigned w = 0; w < SECTOR / 8; w++)
			memcpy(to + i * SECTOR + w * 8, &(uint64_t){ word_of(c, i) }, 8);
}

/* Under the lock. What is under way may be there, and so may what was before it. */
static void is_sent(struct command *c)
{
	for (unsigned i = 0; c->kind != SYNC && i < c->n; i++)
		add(&power.disk[c->at + i], (struct content){ .word = word_of(c, i) });
}

/* Of what the initiator was told before a command was sent the last is there from now on. */
static void flushed(unsigned sent)
{
	for (unsigned i = 0; i < SECTORS; i++)
		for (unsigned j = power.disk[i].n; j--;) {
			unsigned told = power.disk[i].is[j].told;

			if (!told || told >= sent)
				continue;
			keep_from(&power.disk[i], j);
			break;
		}
}

static void ended(struct command *c)
{
	bool good = c->task.status == SCSI_GOOD;

	pthread_mutex_lock(&power.lock);
	for (unsigned i = 0; good && c->kind != SYNC && i < c->n; i++) {
		struct sector *s = &power.disk[c->at + i];

		s->is[s->n - 1].told = power.commands;
		if (c->durable)
			keep_from(s, s->n - 1);
	}
	if (good && c->kind == SYNC)
		flushed(c->sent);
	must(good || power.eio || power.enospc, "is refused", c->at);
	expect_nothing_lost();
	pthread_mutex_unlock(&power.lock);
	scsi_task_release(&c->task);
}

static void start(struct bench *b, struct command *c, const uint8_t *cdb, size_t len, size_t out)
{
	enum scsi_next next;

	rig_task(&c->task, &b->r->nexus[0], 0, cdb, len, out ? SCSI_DIR_OUT : 0, (uint32_t)out);
	next = scsi_task_start(&c->task);
	if (next == SCSI_WANT_DATA)
		next = scsi_task_data(&c->task, rig_put(&c->task, c->data));
	if (next == SCSI_DONE)
		c->task.done = NULL;
}

#define START(out, ...) \
	start(b, c, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), out)

/* A stretch of it is compared with what the page cache has, all by itself. */
static void start_compare(struct bench *b, struct command *c, unsigned lba, unsigned n)
{
	size_t len = c->n * SECTOR;

	memmove(c->data + len, c->data, len);
	assert_int_equal(syscall(SYS_pread64, power.fd, c->data, len, (off_t)c->at * SECTOR), len);
	START(2 * len, 0x89, 0, BE8(lba), 0, 0, 0, (uint8_t)n, 0, 0);
}

static void start_unmap(struct bench *b, struct command *c, unsigned lba, unsigned n)
{
	const uint8_t list[24] = { BE2(22), BE2(16), 0, 0, 0, 0, BE8(lba), BE4(n) };

	memcpy(c->data, list, sizeof(list));
	START(sizeof(list), 0x42, 0, 0, 0, 0, 0, 0, 0, sizeof(list), 0);
}

/* EXTENDED COPY (LID1) of one segment, from the unit to itself. */
static void start_copy(struct bench *b, struct command *c, unsigned lba, unsigned n)
{
	unsigned from = c->from / b->block;
	uint8_t list[16 + 32 + 28] = { (uint8_t)(c->at / PART), 0x20, BE2(32), 0, 0, 0, 0, BE4(28),
		0, 0, 0, 0, 0xe4, 0, 0, 0, 1, 3, 0, 16, [48] = 0x02, 0, BE2(24), BE2(0), BE2(0), 0,
		0, BE2(n), BE8(from), BE8(lba) };

	memcpy(list + 24, lu_naa(b->r->lu), 16);
	put_be32(list + 44, b->block * SECTOR);
	memcpy(c->data, list, sizeof(list));
	START(sizeof(list), 0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, BE4(sizeof(list)), 0, 0);
}

static void issue(struct bench *b, struct command *c)
{
	unsigned lba = c->at / b->block, n = c->n / b->block;
	size_t len = c->n * SECTOR, one = b->block * SECTOR;

	pthread_mutex_lock(&power.lock);
	c->sent = ++power.commands;
	fill(c->data, c);
	is_sent(c);
	pthread_mutex_unlock(&power.lock);
	switch (c->kind) {
	case WRITE: START(len, WRITE10(lba, n)); break;
	case WRITE_FUA: START(len, 0x2a, 0x08, BE4(lba), 0, BE2(n), 0); break;
	case SAME: START(one, 0x93, 0, BE8(lba), BE4(n), 0, 0); break;
	case SAME_ZERO: START(one, 0x93, n % 2 ? 0 : 0x08, BE8(lba), BE4(n), 0, 0); break;
	case UNMAP: start_unmap(b, c, lba, n); break;
	case COMPARE: start_compare(b, c, lba, n); break;
	case WRITE_VERIFY: START(len, 0x2e, 0, BE4(lba), 0, BE2(n), 0); break;
	case COPY: start_copy(b, c, lba, n); break;
	default: START(0, 0x35, 0, BE4(0), 0, BE2(0), 0);
	}
}

/* Each in its own part of the disk; a copy from one half of it to the other. */
static void choose(struct bench *b, struct command *c, unsigned part)
{
	unsigned half = PART / 2, n = 1 + pick(b, half / b->block);

	c->kind = (enum kind)(pick(b, 3) ? pick(b, SYNC) : SYNC);
	c->n = n * b->block;
	c->from = part * PART + pick(b, half / b->block - n + 1) * b->block;
	c->at = part * PART + half + pick(b, half / b->block - n + 1) * b->block;
	if (c->kind != COPY && pick(b, 2))
		c->at -= half;
	c->durable = b->write_through || c->kind == WRITE_FUA || c->kind == WRITE_VERIFY;
}

static void run_some(struct bench *b)
{
	static struct command c[TASKS];
	unsigned n = 1 + pick(b, TASKS), left = n;

	for (unsigned i = 0; i < n; i++) {
		choose(b, &c[i], i);
		issue(b, &c[i]);
	}
	for (bool done[TASKS] = { false }; left;) {
		unsigned before = left;

		for (unsigned i = 0; i < n; i++) {
			if (done[i] || c[i].task.done)
				continue;
			ended(&c[i]);
			done[i] = true;
			left--;
		}
		if (left == before)
			loop_step(b->r->loop);
	}
}

/* What changes how others are answered, or all of the disk, comes alone. */
static void run_one(struct bench *b)
{
	const uint8_t caching[24] = { 0, 0, 0, 0, 0x08, 0x12, b->write_through ? 0x04 : 0 };
	bool format = !power.eio && !pick(b, 3), stop = pick(b, 2);
	struct result res;

	pthread_mutex_lock(&power.lock);
	power.commands++;
	for (unsigned i = 0; format && i < SECTORS; i++)
		add(&power.disk[i], (struct content){ .word = 0 });
	pthread_mutex_unlock(&power.lock);
	if (format) /* one that fails is tried again, as nothing else goes until then */
		for (unsigned i = 0; i < 8 && (!i || res.status); i++)
			res = RUN(b->r, 0, NULL, 0, 0x04, 0, 0, 0, 0, 0);
	else if (stop)
		res = RUN(b->r, 0, NULL, 0, 0x1b, 0, 0, 0, 0, 0);
	else
		res = RUN(b->r, 0, caching, 24, 0x15, 0x10, 0, 0, 24, 0);
	pthread_mutex_lock(&power.lock);
	b->write_through ^= !format && !stop;
	for (unsigned i = 0; format && !res.status && i < SECTORS; i++)
		keep_from(&power.disk[i], power.disk[i].n - 1);
	if (!res.status && (stop || b->write_through))
		flushed(power.commands);
	expect_nothing_lost();
	pthread_mutex_unlock(&power.lock);
}

/* --- the disk ------------------------------------------------------------------------------- */

static void bench_open(struct bench *b, unsigned seed, uint32_t block_size)
{
	struct store_cfg cfg = { .kind = "file", .path = b->path, .block_size = block_size };
	struct rig_cfg rc = { .block_size = block_size };
	struct store_error why;

	*b = (struct bench){ .block = block_size / SECTOR, .rng = seed };
	power.rng = seed;
	power.eio = power.enospc = power.commands = power.failures = 0;
	memset(power.told, 0, sizeof(power.told));
	for (unsigned i = 0; i < SECTORS; i++)
		power.medium[i] = power.disk[i] = (struct sector){ .n = 1 };
	strcpy(b->path, "/tmp/power-XXXXXX");
	power.fd = mkstemp(b->path);
	assert_true(power.fd >= 0);
	assert_int_equal(ftruncate(power.fd, SECTORS * SECTOR), 0);
	assert_int_equal(work_pool_create(4, &b->pool), 0);
	assert_int_equal(store_engine_create(b->pool, STORE_ENGINE_THREADS, &b->engine), 0);
	cfg.engine = b->engine;
	assert_int_equal(store_open(&cfg, &rc.store, &why), 0);
	b->r = rig_create(rc);
}

static void bench_close(struct bench *b)
{
	rig_free(b->r);
	store_engine_free(b->engine);
	work_pool_free(b->pool);
	close(power.fd);
	unlink(b->path);
}

static unsigned seed(void)
{
	const char *text = getenv("SEED");
	unsigned n = text ? (unsigned)strtoul(text, NULL, 0) : (unsigned)time(NULL);

	print_message("SEED=%u\n", n);
	return n;
}

/* Many short lives rather than a long one, as a sync that has failed is never forgotten. */
static void live(unsigned lives, uint32_t block_size, unsigned eio, unsigned enospc)
{
	unsigned first = seed();

	for (unsigned n = 0; n < lives; n++) {
		struct bench b;

		bench_open(&b, first + n, block_size);
		power.eio = eio;
		power.enospc = enospc;
		for (unsigned i = 0; i < ROUNDS; i++)
			if (pick(&b, 8))
				run_some(&b);
			else
				run_one(&b);
		bench_close(&b);
	}
}

static void what_is_acknowledged_survives_the_loss_of_power(void **state)
{
	(void)state;
	live(6, 512, 0, 0);
}

static void so_it_does_in_large_blocks(void **state)
{
	(void)state;
	live(6, 4096, 0, 0);
}

static void so_it_does_on_a_medium_that_is_full_at_times(void **state)
{
	(void)state;
	live(6, 512, 0, 6);
}

static void what_a_failed_sync_may_have_lost_is_never_called_durable(void **state)
{
	(void)state;
	live(40, 512, 20, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_acknowledged_survives_the_loss_of_power),
		cmocka_unit_test(so_it_does_in_large_blocks),
		cmocka_unit_test(so_it_does_on_a_medium_that_is_full_at_times),
		cmocka_unit_test(what_a_failed_sync_may_have_lost_is_never_called_durable),
	};

	log_setup(LOG_TO_STDERR, -1); /* failures are told by statuses */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
