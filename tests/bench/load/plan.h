/* SPDX-License-Identifier: BSD-2-Clause */
/* What one run of the load is to do, as the command line says. */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "chap/digest.h"

enum work { WORK_READ, WORK_WRITE, WORK_MIX, WORK_LOGIN, WORK_HOLD, WORK_DISCOVER, WORK_TAPE,
	WORK_ELEMENTS };

struct plan {
	const char *host, *target;
	uint16_t port;
	uint8_t lun;
	enum work work;
	const char *work_name;
	uint32_t bytes; /* of one command */
	unsigned depth, conns;
	double seconds, warm; /* measured, after so many that are not */
	double every;         /* hold: seconds between requests; 0: none */
	bool sequential;
	bool fill;   /* write every block once, before */
	bool verify; /* blocks hold their own number, and are checked */
	bool digests;
	pid_t server; /* whose processor time is measured; 0: nobody's */

	/* CHAP, mutual where target_user is set; algorithm CHAP_ALG_NONE: AuthMethod=None. */
	enum chap_alg algorithm;
	const char *user, *secret, *target_user, *target_secret;
};

#endif
