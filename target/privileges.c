/* SPDX-License-Identifier: BSD-2-Clause */
/* Users, limits, and what others may see of us. */
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sanitizer.h"

static int refuse(
	struct privileges_error *why, int err, const struct privileges_user *user, const char *what)
{
	snprintf(why->text, sizeof(why->text), "cannot become user %s: %s: %s", user->name, what,
		strerror(-err));
	return err;
}

static const struct passwd *look_up(const char *user)
{
	const struct passwd *found = getpwnam(user);
	unsigned long number;
	char *end;

	if (found)
		return found;
	errno = 0;
	number = strtoul(user, &end, 10);
	if (errno || end == user || *end || number > 0xfffffffeul)
		return NULL;
	return getpwuid((uid_t)number);
}

int privileges_find(const char *user, struct privileges_user *out, struct privileges_error *why)
{
	const struct passwd *found = look_up(user);

	if (!found) {
		snprintf(why->text, sizeof(why->text), "user \"%s\" does not exist on this machine",
			user);
		return -ENOENT;
	}
	*out = (struct privileges_user){ .uid = found->pw_uid, .gid = found->pw_gid };
	snprintf(out->name, sizeof(out->name), "%s", found->pw_name);
	return 0;
}

int privileges_become(const struct privileges_user *user, struct privileges_error *why)
{
	if (initgroups(user->name, user->gid))
		return refuse(why, -errno, user, "its groups");
	if (setresgid(user->gid, user->gid, user->gid))
		return refuse(why, -errno, user, "its group");
	if (setresuid(user->uid, user->uid, user->uid))
		return refuse(why, -errno, user, "its number");
	if (user->uid != 0 && (!setuid(0) || !seteuid(0)))
		return refuse(why, -EPERM, user, "the way back to root is open");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return 0;
}

void privileges_raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files))
		log_msg(LOG_WARNING, "the number of open files stays limited: %s", strerror(errno));
}

void privileges_hide_memory(void)
{
#ifndef WITH_SANITIZER /* which trace the process that they look into */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		log_msg(LOG_WARNING, "core dumps cannot be turned off: %s", strerror(errno));
#endif
}
