/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a change of a cartridge was refused: a sentence that names what it is about. */
#ifndef REGISTRY_TAPE_REASON_H
#define REGISTRY_TAPE_REASON_H

#include "registry/tapes.h"

#define TAPE_REASON_SIZE 256

/*
 * Writes the sentence for the administrator. It looks at what is where now, so it is asked for as
 * soon as the change has been refused. `result` is not TAPE_DONE; `library` is the one that the
 * change was about, or NULL where it has not been found. Text that a request gave is quoted as it
 * is. Main thread.
 */
void tape_reason(const struct registry *r, const struct registry_tape_change *what,
	const char *library, enum registry_tape_result result, char out[static TAPE_REASON_SIZE]);

#endif
