/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The credential table: who may log in to what, and how they prove it.
 *
 * A struct table is an immutable snapshot. Any number of threads may read one without a lock while
 * it is referenced. A change is made by an edit: begin it on a snapshot (or on nothing), put and
 * remove rows, commit it to a new snapshot. The two share all that did not change, so an edit
 * costs the same in a table of ten rows and in one of 100,000; so does a lookup.
 *
 * Names of scopes and initiators are compared in lower case (ASCII), as iSCSI names are normalised
 * (RFC 3722); the table keeps the lower-case form. User names are compared as they are.
 */
#ifndef CHAP_TABLE_H
#define CHAP_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chap/secret.h"
#include "chap/source.h"

#define TABLE_NAME_MAX      255       /* bytes of a scope, initiator, user or writer name */
#define TABLE_SOURCES_MAX   1024      /* address ranges of one row */
#define TABLE_ANY_INITIATOR "default" /* the initiator of a row for all without their own */

/* What a row is about. */
enum table_scope {
	TABLE_TARGET,    /* one target, by its iSCSI name */
	TABLE_SVM,       /* a group of targets, by its name */
	TABLE_DISCOVERY, /* discovery sessions; the scope's name is "" */
};

enum credential_type {
	CREDENTIAL_CHAP,
	CREDENTIAL_NONE, /* no authentication */
	CREDENTIAL_DENY, /* no login */
};

/* Which dialect wrote the row; each may change only its own. */
enum credential_origin {
	CREDENTIAL_FROM_CONFIG,
	CREDENTIAL_FROM_NATIVE,
	CREDENTIAL_FROM_AWS,
	CREDENTIAL_FROM_ONTAP,
};

/* What a row says. Given to table_edit_put() it is borrowed and copied; inside a struct credential
 * it belongs to the row and lives as long. Given text may be NULL, which means ""; a row's is not.
 */
struct credential_spec {
	enum table_scope scope;
	const char *scope_name;
	const char *initiator; /* a name, or TABLE_ANY_INITIATOR */

	enum credential_type type;
	const char *in_user;           /* the CHAP_N to expect; "": the initiator's own name */
	struct secret_view in_secret;  /* proves the initiator; present in every CHAP row */
	struct secret_view old_secret; /* also accepted until old_until; absent: none */
	int64_t old_until;             /* seconds since 1970; that second is already too late */
	const char *out_user;          /* the CHAP_N we send; "": the target's name */
	struct secret_view out_secret; /* proves the target; absent: one-way only */

	const struct source_range *sources; /* the initiator's address must be in one of them ... */
	size_t source_count;                /* ... unless this is 0 */

	enum credential_origin origin;
	const char *written_by; /* the user or file that did, for people to read */
};

/* A row. Immutable, referenced by every snapshot that contains it and every exchange that uses it;
 * its memory is wiped when the last reference goes. */
struct credential {
	atomic_uint refs; /* credential_ref() and credential_unref() only */
	uint32_t size;    /* of the whole, for the wiping */
	uint32_t key_len;
	const char *key; /* internal to the table */
	struct credential_spec spec;
};

/* Takes one more reference and returns c; NULL is fine. Any thread that holds a reference, or a
 * table in which c is. */
const struct credential *credential_ref(const struct credential *c);

/* Gives one back. NULL is fine. Any thread. */
void credential_unref(const struct credential *c);

struct table;

const struct table *table_ref(const struct table *t);

/* Gives one reference back; the last one frees what no other snapshot shares. NULL is fine. Any
 * thread, but prefer one that may take its time: the last snapshot frees every row. */
void table_unref(const struct table *t);

size_t table_count(const struct table *t);

/* The row with exactly this key, or NULL. Valid while t is referenced. */
const struct credential *table_find(const struct table *t, enum table_scope scope,
	const char *scope_name, const char *initiator);

/* Calls fn for every row, in no particular order, until it returns false. */
void table_each(
	const struct table *t, bool (*fn)(const struct credential *c, void *arg), void *arg);

/* Does the target have a CHAP row, so that nobody gets in without proof? (`closed` below) */
bool table_closed(const struct table *t, const char *target);

enum table_verdict {
	TABLE_FORBIDDEN, /* refuse: iSCSI login status 0x0202 */
	TABLE_NO_SECRET, /* CHAP is required and there is no secret to prove: 0x0201. To give away
			  * nothing, run the exchange without a row, which fails at its end. */
	TABLE_OPEN,      /* no authentication */
	TABLE_CHAP,      /* CHAP with the row */
};

struct table_answer {
	enum table_verdict verdict;
	const struct credential *row; /* TABLE_CHAP only; valid while the table is referenced */
	uint8_t rule;                 /* 1..7: which of the rules below decided, for the log */
};

/*
 * Who may log in to `target`, which belongs to `svm` (NULL or "": to none), as `initiator` from
 * `source`? With E = row(SVM, initiator); A = row(target, initiator), or else row(target, default);
 * D = row(SVM, default); closed = `requires_chap`, or the target has at least one CHAP row:
 *
 *	1  E or A denies                                        -> forbidden
 *	2  E or A has addresses, and source is not among them   -> forbidden
 *	3  A is CHAP                                            -> CHAP with A
 *	4  E is CHAP                                            -> CHAP with E
 *	5  closed                                               -> no secret
 *	6  E or A is "none"                                     -> open
 *	7  D denies -> forbidden; is CHAP -> CHAP with D; is "none" or absent -> open
 *
 * The narrower scope wins for secrets (3 before 4), a prohibition or address list is never passed
 * by (1, 2), and once CHAP is on for a target nobody gets in without a secret of their own or of
 * the target's default row (5 before 6 and 7).
 * An initiator that calls itself "default" has no row of its own.
 */
struct table_answer table_resolve(const struct table *t, const char *target, const char *svm,
	const char *initiator, const struct source *source, bool requires_chap);

/* The same for a discovery session: A is a row of TABLE_DISCOVERY, and there is no SVM. */
struct table_answer table_resolve_discovery(const struct table *t, const char *initiator,
	const struct source *source, bool requires_chap);

#define TABLE_FAULTS(X) \
	X(TABLE_OK, "done") \
	X(TABLE_NO_MEMORY, "out of memory") \
	X(TABLE_NO_RANDOM, "the random number generator failed") \
	X(TABLE_NOT_FOUND, "there is no such row") \
	X(TABLE_BAD_NAME, "a name is missing or longer than 255 bytes") \
	X(TABLE_BAD_SECRET, "a secret is empty or longer than 512 bytes") \
	X(TABLE_SECRET_MISSING, "CHAP needs a secret for the initiator") \
	X(TABLE_SECRET_UNUSED, "a user or secret makes no sense without CHAP") \
	X(TABLE_USER_UNUSED, "a user for the target makes no sense without its secret") \
	X(TABLE_USER_MISSING, "a row for any initiator needs the user name to expect") \
	X(TABLE_OUT_USER_MISSING, "discovery has no target name to answer with: user needed") \
	X(TABLE_BAD_SOURCES, "an address range is malformed, or there are too many") \
	X(TABLE_DEFAULT_SOURCES, "the default row of an SVM takes no addresses") \
	X(TABLE_SAME_SECRET, "the initiator's and the target's secret are the same") \
	X(TABLE_IN_USED_OUT, "the initiator's secret already proves a target elsewhere") \
	X(TABLE_OUT_USED_IN, "the target's secret already proves an initiator elsewhere")

#define TABLE_AS_ENUM(id, text) id,
enum table_fault { TABLE_FAULTS(TABLE_AS_ENUM) };

/* A sentence for the administrator; never NULL, never quotes a secret. */
const char *table_fault_text(enum table_fault fault);

/* A change being made; one thread at a time. */
struct table_edit;

/* Begins with the rows of base, or with none if it is NULL; base is unharmed and may be
 * unreferenced meanwhile. *out is set only on TABLE_OK; end it by commit or abandon.
 * Faults: NO_MEMORY, NO_RANDOM. */
enum table_fault table_edit_begin(const struct table *base, struct table_edit **out);

/*
 * Adds a row, or replaces the one with the same scope and initiator. Either all of it is done or,
 * on any fault, nothing. The whole table is held to this rule (RFC 7143 9.2.1): no secret proves
 * an initiator in one place and a target in another. For IN_USED_OUT and OUT_USED_IN *other is a
 * row that stands in the way, valid until the next call on this edit; otherwise NULL. other itself
 * may be NULL.
 */
enum table_fault table_edit_put(
	struct table_edit *e, const struct credential_spec *spec, const struct credential **other);

/* Faults: NOT_FOUND, NO_MEMORY. */
enum table_fault table_edit_remove(struct table_edit *e, enum table_scope scope,
	const char *scope_name, const char *initiator);

/* The row as the edit has it now, or NULL; valid until the next call on this edit. */
const struct credential *table_edit_find(const struct table_edit *e, enum table_scope scope,
	const char *scope_name, const char *initiator);

/* Turns the edit into a snapshot with one reference, the caller's. Cannot fail; e is gone. */
const struct table *table_edit_commit(struct table_edit *e);

/* Forgets the edit. NULL is fine. */
void table_edit_abandon(struct table_edit *e);

#endif
