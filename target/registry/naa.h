/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NAA identifiers (SPC-5 7.7.6.6): by them hosts know a unit again, so what was made of the same
 * words once is made of them for ever. Any thread.
 */
#ifndef REGISTRY_NAA_H
#define REGISTRY_NAA_H

#include <stdbool.h>
#include <stdint.h>

#include "catalog/state_dir.h"

/* SHA-256 over whose something is (state_dir_identity()) and what it is. False: out of memory. */
bool naa_hash(const uint8_t identity[static STATE_IDENTITY_SIZE], const char *what,
	uint8_t hash[static 32]);

/* The identifier of a unit that goes with its place in the configuration, or with its volume,
 * wherever that is attached. False: out of memory. */
bool naa_of_place(const uint8_t identity[static STATE_IDENTITY_SIZE], const char *place,
	uint8_t naa[static 16]);
bool naa_of_volume(
	const uint8_t identity[static STATE_IDENTITY_SIZE], const char *id, uint8_t naa[static 16]);

/* As a configuration has it: 16 or 32 lower-case hex digits, which has been checked. */
void naa_read(const char *text, uint8_t naa[static 16]);

struct naa_text {
	char text[33];
};
/* As naa_read() takes it: 32 digits of NAA 6h, else 16. Gives out->text. */
const char *naa_text(const uint8_t naa[static 16], struct naa_text *out);

#endif
