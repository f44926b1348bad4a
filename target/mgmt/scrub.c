/* SPDX-License-Identifier: BSD-2-Clause */
/* Libraries whose memory is scrubbed. */
#include "mgmt/scrub.h"

#include <event2/event.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/scrub.h"

void scrub_libraries(void)
{
	event_set_mem_functions(malloc, scrub_realloc, scrub_free);
	json_set_alloc_funcs(malloc, scrub_free);
}
