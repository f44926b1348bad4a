/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The libraries that hosts can be shown: what they call themselves, and how they number their
 * elements.
 *
 *	                   transport  drives  mail slots  slots
 *	STK L700                   0     500          10   1000
 *	AWS Gateway-VTL            0     500          10   1000
 *	IBM 03584L32               1     257         769   1025
 *
 * Mail slots that do not fit in front of what follows (490, and 256 for the IBM) have their
 * addresses from 33,100 on, all of them, behind the longest row of slots.
 */
#ifndef VTL_CHANGER_MODEL_H
#define VTL_CHANGER_MODEL_H

#include <stdint.h>

enum changer_model_id {
	CHANGER_STK_L700,
	CHANGER_AWS_GATEWAY_VTL,
	CHANGER_IBM_03584L32,
};

struct changer_model {
	const char *name;   /* "STK-L700", as configurations and the AWS API have it */
	const char *vendor; /* INQUIRY: at most 8, 16 and 4 characters */
	const char *product;
	const char *revision;
	uint16_t transport, drives, mail_slots, slots; /* first addresses */
	uint16_t mail_room;                            /* mail slots that fit there */
};

#define CHANGER_FAR_MAIL_SLOTS 33100

/* The row, borrowed for good; NULL when there is none. */
const struct changer_model *changer_model(enum changer_model_id id);
/* By its name; NULL when there is none. */
const struct changer_model *changer_model_named(const char *name);

#endif
