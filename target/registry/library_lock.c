/* SPDX-License-Identifier: BSD-2-Clause */
/* Locks on directories, and whose they are: the kernel tells that in /proc/locks (proc_locks(5)). */
#include "registry/library_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

/* A server that was killed is gone a moment later. */
#define TRIES     50
#define TRY_AFTER 10 /* ms */

static void name_of(long pid, char *out, size_t size)
{
	char path[64], name[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	f = fopen(path, "re");
	if (f && fgets(name, sizeof(name), f))
		name[strcspn(name, "\n")] = '\0';
	if (f)
		fclose(f);
	snprintf(out, size, "process %ld%s%s%s", pid, *name ? " (" : "", name, *name ? ")" : "");
}

/* Some file systems give stat() another device than the kernel has here: then nobody is found. */
static void find_holder(const struct stat *st, char *out, size_t size)
{
	FILE *f = fopen("/proc/locks", "re");
	char line[256];

	*out = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		unsigned major, minor;
		unsigned long ino;
		long pid;

		if (sscanf(line, "%*s FLOCK %*s WRITE %ld %x:%x:%lu", &pid, &major, &minor, &ino) !=
			4)
			continue;
		if (pid > 0 && makedev(major, minor) == st->st_dev && ino == st->st_ino) {
			name_of(pid, out, size);
			break;
		}
	}
	if (f)
		fclose(f);
}

static int lock_directory(int fd)
{
	static const struct timespec moment = { .tv_nsec = TRY_AFTER * 1000000L };
	int err = 0;

	for (int i = 0; i < TRIES; i++) {
		err = flock(fd, LOCK_EX | LOCK_NB) ? -errno : 0;
		if (err != -EWOULDBLOCK)
			break;
		nanosleep(&moment, NULL);
	}
	return err;
}

static struct library_lock *find(struct list *held, const struct stat *st)
{
	list_for_each(l, held) {
		struct library_lock *lock = container_of(l, struct library_lock, link);

		if (lock->dev == st->st_dev && lock->ino == st->st_ino)
			return lock;
	}
	return NULL;
}

static int take_new(struct list *held, const char *path, int fd, const struct stat *st,
	struct library_lock **out, char *who, size_t size)
{
	struct library_lock *lock = malloc(sizeof(*lock));
	int err = lock ? lock_directory(fd) : -ENOMEM;

	if (err == -EWOULDBLOCK)
		find_holder(st, who, size);
	if (err == -EWOULDBLOCK || err == -ENOMEM) {
		free(lock);
		return err == -ENOMEM ? err : -EBUSY;
	}
	if (err)
		log_msg(LOG_WARNING, "%s: cannot be locked (%s); let no other server use it", path,
			strerror(-err));
	*lock = (struct library_lock){ .dev = st->st_dev, .ino = st->st_ino, .fd = fd, .holds = 1 };
	list_push(held, &lock->link);
	*out = lock;
	return 0;
}

int library_lock_take(
	struct list *held, const char *path, struct library_lock **out, char *who, size_t size)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;
	struct library_lock *shared;
	struct stat st;

	*who = '\0';
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st)) {
		err = -errno;
		close(fd);
		return err;
	}
	shared = find(held, &st);
	if (shared) {
		close(fd);
		shared->holds++;
		*out = shared;
		return 0;
	}
	err = take_new(held, path, fd, &st, out, who, size);
	if (err)
		close(fd);
	return err;
}

void library_lock_give(struct library_lock *lock)
{
	if (!lock || --lock->holds)
		return;
	list_del(&lock->link);
	close(lock->fd);
	free(lock);
}
