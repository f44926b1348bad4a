/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers and sizes. */
#include "ctl/number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool number_read(const char *text, bool units, int64_t *out)
{
	static const char letters[] = "KMGT";
	char *end;
	long long n;
	const char *unit;
	unsigned shift = 0;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoll(text, &end, 10);
	unit = units && *end ? strchr(letters, *end >= 'a' ? *end - 'a' + 'A' : *end) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - letters + 1);
		end++;
	}
	if (errno || *end || n > INT64_MAX >> shift)
		return false;
	*out = n << shift;
	return true;
}
