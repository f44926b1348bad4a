/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One row of the credential table: who, for what, from where, with which secrets.
 *
 * A row never changes once made. Snapshots of the table and exchanges under way share it by
 * reference, and whoever lets go of it last wipes it.
 */
#ifndef CHAP_CREDENTIAL_H
#define CHAP_CREDENTIAL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "chap/secret.h"
#include "chap/source.h"

#define CREDENTIAL_NAME_MAX    255       /* bytes of a scope, initiator, user or writer name */
#define CREDENTIAL_SOURCES_MAX 1024      /* address ranges of one row */
#define CREDENTIAL_DEFAULT     "default" /* the initiator of a row for all without their own */

/* What a row is about. */
enum credential_scope {
	CREDENTIAL_OF_TARGET,    /* one target, by its iSCSI name */
	CREDENTIAL_OF_SVM,       /* a group of targets, by its name */
	CREDENTIAL_OF_DISCOVERY, /* discovery sessions; the scope's name is "" */
};

enum credential_type {
	CREDENTIAL_CHAP,
	CREDENTIAL_NONE, /* no authentication */
	CREDENTIAL_DENY, /* no login */
};

/* "target", "chap": as people, APIs and the audit write them. */
const char *credential_scope_text(enum credential_scope scope);
const char *credential_type_text(enum credential_type type);

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
	enum credential_scope scope;
	const char *scope_name;
	const char *initiator; /* a name, or CREDENTIAL_DEFAULT */

	enum credential_type type;
	const char *in_user;           /* the CHAP_N to expect; "": the initiator's own name */
	struct secret_view in_secret;  /* proves the initiator; present in every CHAP row */
	struct secret_view old_secret; /* also accepted until old_until; absent: none */
	int64_t old_until;             /* seconds since 1970; that second is already too late */
	/* What one who proves itself so is answered with; absent: as all others. */
	struct secret_view old_out_secret;
	const char *out_user;          /* the CHAP_N we send; "": the target's name */
	struct secret_view out_secret; /* proves the target; absent: one-way only */

	const struct source_range *sources; /* the initiator's address must be in one of them ... */
	size_t source_count;                /* ... unless this is 0 */
	const char *source_text;            /* the same as somebody wrote them, to be shown again */

	enum credential_origin origin;
	const char *written_by; /* the user or file that did, for people to read */
};

/* A row. Immutable, referenced by every snapshot that contains it and every exchange that uses it;
 * its memory is wiped when the last reference goes. */
struct credential {
	atomic_uint refs; /* credential_ref() and credential_unref() only */
	uint32_t size;    /* of the whole, for the wiping */
	struct credential_spec spec;
};

/* Makes a row with one reference, the caller's. Copies all of *spec, the names of scope and
 * initiator in lower case. NULL when memory is short. The rules for rows are table_edit_put()'s
 * business. */
struct credential *credential_new(const struct credential_spec *spec);

/* Takes one more reference and returns c; NULL is fine. Any thread that holds a reference, or a
 * table in which c is. */
const struct credential *credential_ref(const struct credential *c);

/* Gives one back. NULL is fine. Any thread. */
void credential_unref(const struct credential *c);

#endif
