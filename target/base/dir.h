/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names in directories that have to be there, or gone, after a crash. What touches the disk blocks:
 * on no reactor. Calls give 0 or -errno.
 */
#ifndef BASE_DIR_H
#define BASE_DIR_H

/* Makes what was done to the names in a directory durable: fsync(2) of it. */
int dir_sync(const char *path);

/* The directory that a path stands in; the caller frees it, NULL is out of memory. A slash at the
 * end of the path does not count. */
char *dir_parent(const char *path);
/* dir_sync() of it. */
int dir_sync_parent(const char *path);

/* Gives a file or directory a name that is free, or -EEXIST. Where the file system cannot refuse by
 * itself, it is asked before: then two that do this at once may both succeed. Not yet durable. */
int dir_rename(const char *from, const char *to);

#endif
