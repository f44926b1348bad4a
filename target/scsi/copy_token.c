/* SPDX-License-Identifier: BSD-2-Clause */
/* Tokens. */
#include "scsi/copy.h"

void copy_tokens_free(struct lu *lu)
{
	(void)lu;
}
