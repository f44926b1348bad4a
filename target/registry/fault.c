/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults of the registry. */
#include "registry/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "config/places.h"

int registry_fault(struct faults *faults, const struct config *cfg, const void *member, int err,
	const char *fmt, ...)
{
	struct config_where where = { .file = cfg->path };
	char text[768];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (member)
		where = config_where(cfg, member);
	faults_add(faults, where.file, where.line, "%s", text);
	return err;
}

int registry_fault_errno(enum table_fault fault)
{
	return fault == TABLE_NO_MEMORY ? -ENOMEM : fault == TABLE_NO_RANDOM ? -EIO : -EINVAL;
}
