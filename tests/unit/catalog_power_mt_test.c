/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The catalog of a machine that loses power: what was acknowledged is there, with the key that it is
 * sealed with, and of what was under way all or nothing.
 *
 * The fsync() and fdatasync() of this program keep what the medium is known to hold: a file as it is
 * when it is synced, and a directory's names likewise. At any write, and at each answer, the power
 * may go: that leaves a state directory whose files are mixtures, page by page, of what was synced
 * and what has been written since, and whose names are as before or as now, each by itself.
 */
#include "catalog_number.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>

#define FILES   64
#define IMAGES  150u
#define CHANGES 60
#define PAGE    4096u

enum { PATH_SIZE = sizeof(((struct rig *)NULL)->path) };

struct bytes {
	uint8_t *at;
	size_t len;
};

/* A file that was synced, or whose name was. */
struct file {
	ino_t inode;   /* 0: it has lost its last name, and another file may get the number */
	char name[32]; /* on the medium; empty: it has none there */
	struct bytes is;
};

static struct {
	pthread_mutex_t lock;
	bool on;          /* something is kept */
	const char *path; /* the state directory */
	unsigned rng;
	struct file files[FILES];
	unsigned n;
	unsigned images;
	int acked, is_at_least[IMAGES];
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* For any thread, where cmocka's are for that of the test alone. Under the lock, as all that
 * follows. */
static void must(bool so, const char *what)
{
	if (so)
		return;
	perror(what);
	abort();
}

static unsigned chance(unsigned n)
{
	return (unsigned)rand_r(&disk.rng) % n;
}

/* --- what is on the medium ------------------------------------------------------------------ */

static struct file *file_of(ino_t inode)
{
	for (unsigned i = 0; i < disk.n; i++)
		if (disk.files[i].inode == inode)
			return &disk.files[i];
	must(disk.n < FILES, "more files than there is room for");
	disk.files[disk.n] = (struct file){ .inode = inode };
	return &disk.files[disk.n++];
}

/* No bytes where there is no such file. */
static struct bytes contents(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct bytes b = { NULL, 0 };
	struct stat st;

	if (fd < 0)
		return b;
	must(!fstat(fd, &st), "fstat");
	b.len = (size_t)st.st_size;
	b.at = malloc(b.len + 1);
	must(b.at && pread(fd, b.at, b.len, 0) == (ssize_t)b.len, "pread");
	close(fd);
	return b;
}

static void names_synced(void)
{
	DIR *d = opendir(disk.path);
	struct dirent *e;

	must(d, "opendir");
	for (unsigned i = 0; i < disk.n; i++)
		disk.files[i].name[0] = '\0';
	while ((e = readdir(d)))
		if (e->d_type == DT_REG)
			snprintf(file_of(e->d_ino)->name, sizeof(disk.files[0].name), "%.31s",
				e->d_name);
	closedir(d);
}

static void file_synced(int fd, ino_t inode)
{
	struct file *f = file_of(inode);
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	free(f->is.at);
	f->is = contents(path);
}

static int synced(int fd)
{
	struct stat st, dir;

	pthread_mutex_lock(&disk.lock);
	must(!fstat(fd, &st), "fstat");
	if (disk.on && S_ISREG(st.st_mode))
		file_synced(fd, st.st_ino);
	else if (disk.on && !stat(disk.path, &dir) && dir.st_ino == st.st_ino)
		names_synced();
	pthread_mutex_unlock(&disk.lock);
	return 0;
}

static void name_lost(int dir, const char *path)
{
	struct stat st;

	pthread_mutex_lock(&disk.lock);
	if (disk.on && !fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW))
		file_of(st.st_ino)->inode = 0;
	pthread_mutex_unlock(&disk.lock);
}

int unlink(const char *path)
{
	name_lost(AT_FDCWD, path);
	return (int)syscall(SYS_unlink, path);
}

int unlinkat(int dir, const char *path, int flags)
{
	name_lost(dir, path);
	return (int)syscall(SYS_unlinkat, dir, path, flags);
}

int renameat(int from, const char *a, int to, const char *b)
{
	name_lost(to, b);
	return (int)syscall(SYS_renameat2, from, a, to, b, 0);
}

int fsync(int fd)
{
	return synced(fd);
}

int fdatasync(int fd)
{
	return synced(fd);
}

/* --- the power goes ------------------------------------------------------------------------- */

static void write_mixture(const char *path, struct bytes old, struct bytes now)
{
	size_t len = chance(2) ? old.len : now.len;
	FILE *f = fopen(path, "w");

	must(f, path);
	for (size_t at = 0; at < len; at += PAGE) {
		static const uint8_t zeros[PAGE];
		struct bytes b = chance(2) ? old : now;
		size_t want = len - at < PAGE ? len - at : PAGE, have;

		have = at >= b.len ? 0 : b.len - at < want ? b.len - at : want;
		must(!have || fwrite(b.at + at, 1, have, f) == have, "fwrite");
		must(fwrite(zeros, 1, want - have, f) == want - have, "fwrite");
	}
	fclose(f);
}

/* A name that leads to one file on the medium (NULL: to none) and to one in the directory now (0: to
 * none), which may be the same. */
static void write_name(const char *image, const char *name, const struct file *old, ino_t now)
{
	bool same = now && old && old->inode == now, as_before = !same && chance(2);
	char path[160], to[160];
	struct bytes current;

	snprintf(path, sizeof(path), "%s/%s", disk.path, name);
	snprintf(to, sizeof(to), "%s/%s", image, name);
	if (as_before && old) { /* it has lost its name since, and stays as it was */
		write_mixture(to, old->is, old->is);
	} else if (!as_before && now) {
		current = contents(path);
		write_mixture(to, file_of(now)->is, current);
		free(current.at);
	}
}

static const struct file *synced_as(const char *name)
{
	for (unsigned i = 0; i < disk.n; i++)
		if (!strcmp(disk.files[i].name, name))
			return &disk.files[i];
	return NULL;
}

static void image_path(char out[static PATH_SIZE], unsigned n)
{
	snprintf(out, PATH_SIZE, "%.48s-%u", disk.path, n);
}

static void lose_power(void)
{
	DIR *d = disk.images < IMAGES ? opendir(disk.path) : NULL;
	struct dirent *e;
	char image[PATH_SIZE];

	if (!d)
		return;
	image_path(image, disk.images);
	must(!mkdir(image, 0700), image);
	while ((e = readdir(d)))
		if (e->d_type == DT_REG && !strstr(e->d_name, "-shm"))
			write_name(image, e->d_name, synced_as(e->d_name), e->d_ino);
	for (unsigned i = 0; i < disk.n; i++) {
		char path[160];

		snprintf(path, sizeof(path), "%s/%s", disk.path, disk.files[i].name);
		if (*disk.files[i].name && access(path, F_OK))
			write_name(image, disk.files[i].name, &disk.files[i], 0);
	}
	closedir(d);
	disk.is_at_least[disk.images++] = disk.acked;
}

/* Before and after a write is all the same: the next one shows the other. */
ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t off)
{
	pthread_mutex_lock(&disk.lock);
	if (disk.on && !chance(12))
		lose_power();
	pthread_mutex_unlock(&disk.lock);
	return syscall(SYS_pwrite64, fd, buf, n, off);
}

/* --- what the catalog keeps ----------------------------------------------------------------- */

static void put(struct rig *rig, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	assert_int_equal(rig_run(rig, put_number, text), 0);
	pthread_mutex_lock(&disk.lock);
	disk.acked = number;
	lose_power();
	pthread_mutex_unlock(&disk.lock);
}

static void look_at_image(struct rig *rig, unsigned n)
{
	struct numbers found = { .secret = "0", .setting = "0" };
	int number;

	image_path(rig->path, n);
	if (rig_open(rig))
		fail_msg("image %u: %s", n, rig->why.text);
	if (rig_run(rig, get_numbers, &found))
		fail_msg("image %u: %s", n, rig->why.text);
	rig_close(rig);
	assert_string_equal(found.secret, found.setting);
	number = atoi(found.setting);
	if (number < disk.is_at_least[n] || number > disk.is_at_least[n] + 1)
		fail_msg(
			"image %u has %d, and %d was acknowledged", n, number, disk.is_at_least[n]);
}

static void what_was_acknowledged_survives_the_loss_of_power(void **state)
{
	struct rig *rig = *state;
	const char *seed = getenv("SEED");
	char path[PATH_SIZE];

	strcpy(path, rig->path);
	disk.rng = seed ? (unsigned)strtoul(seed, NULL, 0) : (unsigned)time(NULL);
	print_message("SEED=%u\n", disk.rng);
	disk.path = path;
	disk.on = true;
	assert_int_equal(rig_open(rig), 0);
	for (int i = 1; i <= CHANGES; i++) {
		put(rig, i);
		if (i % 20 == 0)
			assert_int_equal(rig_rekey(rig, NULL), 0);
		if (i % 15 == 0)
			rig_reopen(rig);
	}
	rig_close(rig);
	disk.on = false;
	for (unsigned n = 0; n < disk.images; n++)
		look_at_image(rig, n);
	strcpy(rig->path, path);
	assert_int_equal(rig_open(rig), 0);
	for (unsigned i = 0; i < disk.n; i++)
		free(disk.files[i].is.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_was_acknowledged_survives_the_loss_of_power, rig_begin, rig_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
