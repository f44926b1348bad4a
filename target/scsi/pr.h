/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Persistent reservations (SPC-5 5.14) as a state machine: registrants, at most one reservation,
 * and what each service action of PERSISTENT RESERVE OUT makes of them. It knows no tasks, no units
 * and no time; whom it has to tell something it tells through a callback. The caller guards it.
 */
#ifndef SCSI_PR_H
#define SCSI_PR_H

#include <stdbool.h>
#include <stdint.h>

/* An I_T nexus: the initiator port's name ("iqn.…,i,0x00023d000001", SPC-5 7.6.4.6) and the
 * relative target port identifier. As a registrant's, port 0 stands for every target port
 * (ALL_TG_PT). */
#define PR_NAME_MAX 256
struct pr_nexus {
	const char *initiator;
	uint16_t port;
};

struct pr_reg {
	char *initiator;
	uint16_t port;
	bool holder; /* of the reservation; of an all-registrants one everybody is */
	uint64_t key;
};

#define PR_REGS_MAX 1024

struct pr {
	uint32_t generation; /* PRGENERATION */
	uint8_t type;        /* enum pr_type of the reservation, or 0: there is none */
	bool aptpl;          /* it is to outlive a power loss */
	unsigned n;
	struct pr_reg *regs; /* room for n or more */
	unsigned room;
};

enum pr_type { /* SPC-5 table 206 */
	PR_NONE = 0,
	PR_WRITE_EXCLUSIVE = 1,
	PR_EXCLUSIVE_ACCESS = 3,
	PR_WRITE_EXCLUSIVE_REGISTRANTS = 5,
	PR_EXCLUSIVE_ACCESS_REGISTRANTS = 6,
	PR_WRITE_EXCLUSIVE_ALL = 7,
	PR_EXCLUSIVE_ACCESS_ALL = 8,
};

/* What an action ends in. */
enum pr_end {
	PR_DONE,
	PR_CONFLICT,     /* RESERVATION CONFLICT */
	PR_BAD_KEY,      /* INVALID FIELD IN PARAMETER LIST: the service action key */
	PR_REGISTERED,   /* likewise: one of the others is */
	PR_NOT_RESERVED, /* INVALID FIELD IN CDB: there is nothing to move */
	PR_BAD_RELEASE,  /* INVALID RELEASE OF PERSISTENT RESERVATION */
	PR_NO_ROOM,      /* INSUFFICIENT REGISTRATION RESOURCES */
};

/* What a nexus that did not do it itself is told by a unit attention. Of a registrant at every port
 * all nexuses but that one are told. */
enum pr_event {
	PR_RESERVATION_PREEMPTED,
	PR_RESERVATION_RELEASED,
	PR_REGISTRATION_PREEMPTED,
};
typedef void pr_tell(void *arg, const struct pr_reg *who, enum pr_event what);

/* Who hears of it. */
struct pr_ear {
	pr_tell *tell;
	void *arg;
};

void pr_init(struct pr *pr);
void pr_clear(struct pr *pr); /* forgets everything, frees */

/* Whether it is one of the types that there are: enum pr_type. */
bool pr_type_valid(uint8_t type);

/* Whether a registrant is the nexus. */
bool pr_is(const struct pr_reg *reg, const struct pr_nexus *n);
/* The registrant that a nexus is, or NULL. */
const struct pr_reg *pr_find(const struct pr *pr, const struct pr_nexus *n);
/* Whether a registrant (NULL: none) holds the reservation; of some types every one does. */
bool pr_holds(const struct pr *pr, const struct pr_reg *reg);
/* What the reservation keeps the nexus from (SPC-5 table 66, 67). */
bool pr_may_read(const struct pr *pr, const struct pr_nexus *n);
bool pr_may_write(const struct pr *pr, const struct pr_nexus *n);

/* What REGISTER, or REGISTER AND IGNORE EXISTING KEY, asks for (SPC-5 5.14.7). */
struct pr_request {
	uint64_t key;  /* what the nexus says it has; not looked at when `anyhow` */
	uint64_t next; /* what it wants; 0: to be registered no more */
	bool anyhow;
	bool all_ports;              /* ALL_TG_PT */
	const struct pr_nexus *more; /* SPEC_I_PT: others that are registered with it */
	unsigned nmore;
};
enum pr_end pr_register(struct pr *pr, const struct pr_nexus *n, const struct pr_request *req,
	const struct pr_ear *ear);
enum pr_end pr_reserve(struct pr *pr, const struct pr_nexus *n, uint64_t key, uint8_t type);
enum pr_end pr_release(struct pr *pr, const struct pr_nexus *n, uint64_t key, uint8_t type,
	const struct pr_ear *ear);
enum pr_end pr_clear_all(
	struct pr *pr, const struct pr_nexus *n, uint64_t key, const struct pr_ear *ear);
/* PREEMPT, and the first half of PREEMPT AND ABORT. */
enum pr_end pr_preempt(struct pr *pr, const struct pr_nexus *n, uint64_t key, uint64_t victim,
	uint8_t type, const struct pr_ear *ear);
/* REGISTER AND MOVE: to whom, with which key; `leave`: the nexus unregisters. */
enum pr_end pr_move(struct pr *pr, const struct pr_nexus *n, uint64_t key,
	const struct pr_nexus *to, uint64_t next, bool leave);

/* Adds a registrant as it was kept over a restart. False: no memory, or there twice. */
bool pr_restore(struct pr *pr, const struct pr_reg *reg);
/* Everything is as there. False: no memory, and nothing has changed. */
bool pr_copy(struct pr *pr, const struct pr *from);

#endif
