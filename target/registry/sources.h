/* SPDX-License-Identifier: BSD-2-Clause */
/* Address ranges as people write them, as ranges that a login is held against. */
#ifndef REGISTRY_SOURCES_H
#define REGISTRY_SOURCES_H

#include <stddef.h>

#include "chap/source.h"

/*
 * Reads "192.0.2.1", "192.0.2.1-192.0.2.9", "192.0.2.0/24", "192.0.2.0/255.255.255.0" and their
 * like in IPv6, between commas; spaces are ignored, and "" is none. 0 and *out, which the caller
 * frees, with *n ranges; -EINVAL for anything else or more than CREDENTIAL_SOURCES_MAX; -ENOMEM.
 */
int sources_parse(const char *text, struct source_range **out, size_t *n);

#endif
