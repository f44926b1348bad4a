/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every step that the catalog takes on the disk, as something that can go wrong: the n-th kills the
 * process, or fails, or the disk has room for so many bytes only. To be included once in a test
 * program: it defines functions of the C library, and those of a program take precedence over
 * those of a shared library, also for SQLite.
 */
#ifndef TESTS_CATALOG_STEPS_H
#define TESTS_CATALOG_STEPS_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum step_fault { STEP_NO_FAULT, STEP_KILLS, STEP_FAILS_ONCE, STEP_FAILS_FROM_NOW_ON };

static struct {
	_Atomic bool counting;
	_Atomic enum step_fault fault;
	_Atomic int at;    /* the step that goes wrong, from 1 */
	_Atomic int error; /* what a failing step gives */
	_Atomic int taken;
	_Atomic long room; /* no file grows beyond so many bytes; 0: no limit */
} steps;

static inline void steps_begin(enum step_fault fault, int at, int error)
{
	steps.taken = 0;
	steps.at = at;
	steps.error = error;
	steps.fault = fault;
	steps.counting = true;
}

/* Whether the step that was to go wrong was reached. */
static inline bool steps_end(void)
{
	steps.counting = false;
	return steps.taken >= steps.at;
}

/* False, and errno, when this step fails. */
static inline bool step(void)
{
	int n;

	if (!steps.counting)
		return true;
	n = atomic_fetch_add(&steps.taken, 1) + 1;
	if (n < steps.at || (n > steps.at && steps.fault != STEP_FAILS_FROM_NOW_ON))
		return true;
	if (steps.fault == STEP_NO_FAULT)
		return true;
	if (steps.fault == STEP_KILLS)
		kill(getpid(), SIGKILL);
	errno = steps.error;
	return false;
}

static inline bool has_room(off_t end)
{
	if (!steps.room || end <= steps.room)
		return true;
	errno = ENOSPC;
	return false;
}

static inline bool is_file(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode);
}

/* What wakes loops is no step on the disk. */
ssize_t write(int fd, const void *buf, size_t n)
{
	return !is_file(fd) || step() ? syscall(SYS_write, fd, buf, n) : -1;
}

ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t off)
{
	if (!has_room(off + (off_t)n) || !step())
		return -1;
	return syscall(SYS_pwrite64, fd, buf, n, off);
}

int fsync(int fd)
{
	return step() ? (int)syscall(SYS_fsync, fd) : -1;
}

int fdatasync(int fd)
{
	return step() ? (int)syscall(SYS_fdatasync, fd) : -1;
}

int ftruncate64(int fd, off64_t len)
{
	return step() ? (int)syscall(SYS_ftruncate, fd, len) : -1;
}

int unlink(const char *path)
{
	return step() ? (int)syscall(SYS_unlink, path) : -1;
}

int unlinkat(int dir, const char *path, int flags)
{
	return step() ? (int)syscall(SYS_unlinkat, dir, path, flags) : -1;
}

int renameat(int from, const char *a, int to, const char *b)
{
	return step() ? (int)syscall(SYS_renameat2, from, a, to, b, 0) : -1;
}

#endif
