/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the iSCSI layer needs to know of its surroundings: targets, portals,
 * credentials and policy, as one immutable snapshot with counted references.
 *
 * The main thread builds a snapshot and publishes it (server.h); every reactor holds
 * one and reads it without a lock. A login works on the snapshot that it began with.
 * The parts that change at different rates are counted by themselves, so that a new
 * credential does not copy ten thousand targets.
 */
#ifndef ISCSI_DIRECTORY_H
#define ISCSI_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "chap/digest.h"
#include "chap/table.h"
#include "scsi/lu.h"

/* --- targets --------------------------------------------------------------------------- */

enum target_redirect { TARGET_SERVED, TARGET_MOVED_TEMPORARILY, TARGET_MOVED_PERMANENTLY };

/* A target in a portal group is a target port (RFC 7143 4.4.1). */
struct target_port {
	uint16_t group;
	uint16_t id; /* relative target port identifier, 1… */
};

struct iscsi_target {
	const char *name;  /* iSCSI name, normalised */
	const char *alias; /* or NULL */
	const char *svm;   /* scope of its credentials besides its own; or NULL */
	struct lun_map *luns;
	bool chap;              /* nobody gets in without CHAP */
	bool stopped;           /* logins are answered with 0x0301, service unavailable */
	const uint16_t *groups; /* portal groups that show it; ngroups 0: all */
	unsigned ngroups;
	const struct target_port *ports; /* may be none: see target_port_id() */
	unsigned nports;
	enum target_redirect redirect;
	const char *redirect_to; /* "host:port[,tag]" where redirect says so */
	uint32_t max_sessions;   /* 0: no limit of its own */
};

struct target_set;

/* Copies everything and takes references on the LUN maps. Names must differ (-EEXIST).
 * 0 and *out with one reference, or -errno. */
int target_set_create(const struct iscsi_target *targets, unsigned n, struct target_set **out);
struct target_set *target_set_ref(struct target_set *s);
void target_set_unref(struct target_set *s);
/* By normalised name; NULL when there is none. Borrowed from the set. Constant time. */
const struct iscsi_target *target_set_find(const struct target_set *s, const char *name);
unsigned target_set_count(const struct target_set *s);
/* In the order given to target_set_create(). */
const struct iscsi_target *target_set_at(const struct target_set *s, unsigned i);

/* --- portals ---------------------------------------------------------------------------- */

struct iscsi_portal {
	/* "192.0.2.1:3260", "[2001:db8::1]:3260": as TargetAddress has it; NULL for a wildcard: the
	 * address that the initiator reached, if port and family are the portal's, is told. */
	const char *address;
	uint16_t port;
	bool ipv6;      /* family of a wildcard */
	uint16_t group; /* target portal group tag, 1…65535 */
};

/* --- policy ------------------------------------------------------------------------------- */

enum digest_policy { DIGEST_OPTIONAL, DIGEST_NEVER, DIGEST_REQUIRED };

struct iscsi_policy {
	/* Discovery. */
	bool discovery_chap; /* discovery sessions must prove themselves */
	/* CHAP. */
	struct chap_prefs chap; /* algorithms, most wanted first */
	bool chap_strict;       /* never answer with a secret under 96 bits */
	/* Login and session limits. */
	uint32_t login_timeout_ms;
	uint32_t logout_timeout_ms; /* how long a logout waits for commands; no setting */
	uint32_t max_sessions;
	/* What we offer (RFC 7143 section 13). */
	uint32_t max_recv_data_segment_length;
	uint32_t max_burst_length, first_burst_length;
	uint16_t max_outstanding_r2t, max_connections;
	bool initial_r2t, immediate_data;
	enum digest_policy header_digest, data_digest;
	uint16_t time2wait, time2retain;
	/* Pings: after this much silence we ask (0: never); after that much more we hang up. */
	uint32_t ping_interval_ms, ping_timeout_ms;
	uint32_t queue_depth; /* commands that a session may have outstanding */
};

/* Defaults as countersign.conf(5) tells them. */
extern const struct iscsi_policy iscsi_policy_default;

/* --- the snapshot -------------------------------------------------------------------------- */

struct directory {
	_Atomic unsigned refs; /* private */
	struct target_set *targets;
	const struct table *credentials;    /* may be NULL: no rows at all */
	const struct iscsi_portal *portals; /* copied */
	unsigned nportals;
	struct iscsi_policy policy;
};

/* References are taken on targets and credentials; portals and policy are copied. NULL when
 * memory is out. */
struct directory *directory_create(struct target_set *targets, const struct table *credentials,
	const struct iscsi_portal *portals, unsigned nportals, const struct iscsi_policy *policy);
struct directory *directory_ref(struct directory *d);
void directory_unref(struct directory *d); /* any thread; NULL is fine */

/* Whether connections on this portal group may see the target. */
bool target_in_group(const struct iscsi_target *t, uint16_t group);

/* The relative target port identifier; that of a port that is not listed is the group's number. */
uint16_t target_port_id(const struct iscsi_target *t, uint16_t group);

#endif
