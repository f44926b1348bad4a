/* SPDX-License-Identifier: BSD-2-Clause */
/* Random UUIDs (RFC 9562 5.4). */
#ifndef MGMT_UUID_H
#define MGMT_UUID_H

#include <stdbool.h>

#define UUID_SIZE 37 /* of the text form, NUL included */

/* Makes one up, in lower case. False: there are no random numbers. */
bool uuid_make(char out[static UUID_SIZE]);

/* Whether a text has the form of one, in either case. */
bool uuid_check(const char *text);

#endif
