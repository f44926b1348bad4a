/* SPDX-License-Identifier: BSD-2-Clause */
/* countersignd: an iSCSI target in which both sides prove themselves. */
#include <stdio.h>
#include <stdlib.h>

#include "daemon.h"
#include "options.h"

int main(int argc, char **argv)
{
	struct options opts;

	switch (options_parse(argc, argv, &opts, stdout, stderr)) {
	case OPTIONS_SHOWN: return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	case OPTIONS_WRONG: return 2;
	default: return opts.check ? daemon_check(&opts) : daemon_main(&opts);
	}
}
