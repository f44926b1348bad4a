/* SPDX-License-Identifier: BSD-2-Clause */
/* Saying why. */
#include "catalog/refuse.h"

#include <stdarg.h>
#include <stdio.h>

int refuse(struct catalog_error *why, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return err;
}
