/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration file as plain structs, which load.h fills. Keys, types, ranges and defaults
 * stand in settings.c, one row each; countersign.conf(5) says what they mean to a user.
 *
 * A struct config is immutable once loaded and owns all it points to: strings are NUL-terminated
 * UTF-8, absent ones are NULL, arrays come with their length in n_NAME (NULL when that is 0).
 * Paths are absolute, or relative to the working directory when the file's own path was. All sizes
 * are in bytes, all times in seconds unless the name says otherwise.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chap/secret.h"

enum config_log_level {
	CONFIG_LOG_ERROR,
	CONFIG_LOG_WARNING,
	CONFIG_LOG_NOTICE,
	CONFIG_LOG_INFO,
	CONFIG_LOG_DEBUG,
};

/* One listener. (address, port) is unique; a wildcard never overlaps another portal. */
struct config_portal {
	char *address; /* numeric IPv4 or IPv6, without brackets; "0.0.0.0" and "::" are wildcards */
	uint32_t port;
	uint32_t group;  /* target portal group tag, 1..65535 */
	char *advertise; /* "host:port" for TargetAddress, IPv6 in brackets; NULL: as reached */
};

/* ---- iSCSI ---------------------------------------------------------------------------------- */

/* What we make of an initiator's list of digests. */
enum config_digest {
	CONFIG_DIGEST_OPTIONAL, /* the first of its list that we know: None or CRC32C */
	CONFIG_DIGEST_NEVER,    /* only None */
	CONFIG_DIGEST_REQUIRED, /* only CRC32C */
};

/* What this side offers in the operational negotiation (RFC 7143 section 13). */
struct config_iscsi {
	uint64_t max_recv_data_segment_length;
	uint64_t max_burst_length;
	uint64_t first_burst_length; /* never above max_burst_length */
	uint32_t max_outstanding_r2t;
	uint32_t max_connections; /* per session */
	bool initial_r2t;
	bool immediate_data;
	enum config_digest header_digest;
	enum config_digest data_digest;
	uint32_t default_time2wait;
	uint32_t default_time2retain;
	uint32_t nop_interval; /* silence before we ping; 0: never */
	uint32_t nop_timeout;  /* silence after the ping before the connection is dropped */
};

struct config_limits {
	uint32_t login_timeout;             /* from accept to full feature phase */
	uint32_t max_half_open;             /* connections not yet logged in: all, */
	uint32_t max_half_open_per_address; /* and from one address */
	uint32_t max_sessions;
};

/* The values are the algorithm numbers on the wire (RFC 7143 12.1.3 and the IANA registry). */
enum config_chap_algorithm {
	CONFIG_CHAP_MD5 = 5,
	CONFIG_CHAP_SHA1 = 6,
	CONFIG_CHAP_SHA256 = 7,
	CONFIG_CHAP_SHA3_256 = 8,
};

struct config_chap {
	enum config_chap_algorithm *algorithms; /* most wanted first, none twice, at least one */
	size_t n_algorithms;
	bool strict; /* the management APIs refuse secrets under 12 bytes too */
};

enum config_auth { CONFIG_AUTH_CHAP, CONFIG_AUTH_NONE };

/* Within one list no initiator has two rows, and at most one row is for any initiator. */
struct config_credential {
	char *initiator; /* NULL: any initiator that knows user and secret */
	char *user; /* CHAP_N of the initiator; never NULL, as the initiator's name if not given */
	struct secret_view secret; /* proves the initiator; always there; lives as long as cfg */
	char *target_user;         /* CHAP_N of the target; NULL: the target's name */
	struct secret_view target_secret; /* proves the target; bytes NULL: one-way CHAP */
};

struct config_discovery {
	enum config_auth auth;
	struct config_credential *credentials; /* here target_user is set if target_secret is */
	size_t n_credentials;
};

/* ---- disks ---------------------------------------------------------------------------------- */

enum config_store { CONFIG_STORE_RAM, CONFIG_STORE_FILE };
/* A file lists disks alone; the other two are the devices of libraries (see config/made.h). */
enum config_lun_type { CONFIG_LUN_DISK, CONFIG_LUN_CHANGER, CONFIG_LUN_DRIVE };

/*
 * A row of a target's LUN table: it declares a unit, or with same_as it is another way to a unit
 * that is declared elsewhere. Of such a row only the first three members mean anything.
 */
struct config_lun {
	uint32_t lun;
	char *same_as; /* name of the unit that this LUN shows; NULL: this row declares it */
	const struct config_lun *unit; /* the declaring row: this one unless same_as is set */
	char *name;                    /* label that same_as refers to; NULL: none */
	enum config_lun_type type;
	enum config_store store;
	char *path;          /* of a file or block device; NULL for RAM */
	uint64_t size;       /* multiple of block_size; 0: as large as the file is */
	bool create;         /* make the file, or extend it to size, which is set then */
	uint32_t block_size; /* 512 or 4096 */
	uint32_t physical_block_size; /* a power of two from block_size on; 0: block_size */
	bool read_only;
	bool removable;
	bool thin;        /* UNMAP gives space back, and unwritten blocks take none */
	bool write_cache; /* WCE: acknowledge before the data are on stable storage */
	bool long_cdbs;   /* READ(32) and WRITE(32) are known */
	char *vendor;     /* INQUIRY: at most 8, 16 and 4 printable ASCII characters */
	char *product;
	char *revision;
	char *serial; /* VPD 80h, at most 36 characters; NULL: derived */
	char *naa;    /* VPD 83h, 16 or 32 lower-case hex digits; NULL: derived */
	const struct config_library *library; /* whose device it is; NULL: a disk */
	uint32_t device; /* of the library: 0 is the changer, the drives follow */
};

enum config_redirect_type { CONFIG_REDIRECT_TEMPORARY, CONFIG_REDIRECT_PERMANENT };

struct config_target {
	char *name; /* normalised iSCSI name, unique in the file, libraries included */
	char *alias;
	enum config_auth auth;   /* NONE with credentials is as CHAP: see config_chap_needed */
	uint32_t *portal_groups; /* groups that show this target; n 0: all */
	size_t n_portal_groups;
	struct config_lun *luns; /* numbers are unique */
	size_t n_luns;
	struct config_credential *credentials;
	size_t n_credentials;
	char *redirect; /* "host:port", IPv6 in brackets: answer logins with 01xx; NULL: serve it */
	enum config_redirect_type redirect_type;
	uint32_t max_sessions; /* 0: only the limit over all targets */
	char *svm;             /* that it is in; NULL: management.ontap.svm; see config_svm_of() */
	bool made; /* not in the file: see config/made.h. Such targets follow those of the file */
};

/* ---- tape ----------------------------------------------------------------------------------- */

enum config_layout {
	CONFIG_LAYOUT_TARGETS, /* each device a target: PREFIX-mediachanger, PREFIX-tapedrive-01 ... */
	CONFIG_LAYOUT_LUNS,    /* one target: changer LUN 0, drives from LUN 1 */
};

enum config_changer {
	CONFIG_CHANGER_STK_L700,
	CONFIG_CHANGER_AWS_GATEWAY_VTL,
	CONFIG_CHANGER_IBM_03584L32,
};

/* The value is the LTO generation. */
enum config_drive {
	CONFIG_DRIVE_TD5 = 5,
	CONFIG_DRIVE_TD6 = 6,
	CONFIG_DRIVE_TD7 = 7,
	CONFIG_DRIVE_TD8 = 8,
};

struct config_tape {
	char *barcode; /* 5 to 16 of A-Z and 0-9; unique in the file */
	uint64_t size;
	bool worm;
};

struct config_library {
	char *name; /* unique */
	enum config_layout layout;
	char *target_prefix; /* set for CONFIG_LAYOUT_TARGETS only */
	char *target;        /* set for CONFIG_LAYOUT_LUNS only */
	enum config_auth auth;
	uint32_t *portal_groups;
	size_t n_portal_groups;
	struct config_credential *credentials; /* hold for every target of the library */
	size_t n_credentials;
	enum config_changer changer;
	enum config_drive drive;
	uint32_t drives; /* at least 1 */
	uint32_t slots;
	uint32_t import_export;
	char *path;    /* directory of the cartridges */
	char *archive; /* directory of archived cartridges; NULL: "archive" below path */
	char *serial;  /* NULL: derived */
	struct config_tape *tapes; /* no more than slots and drives hold; made if absent */
	size_t n_tapes;
};

/* A directory in which the management APIs may make volumes. */
struct config_pool {
	char *name;
	char *path;
	uint64_t max_size; /* of all volumes together; 0: what the file system holds */
	enum config_auth auth; /* of the targets of its volumes; NONE with credentials as CHAP */
};

/* ---- management ----------------------------------------------------------------------------- */

struct config_http {
	char *address;
	uint32_t port;
	bool tls;
	char *cert; /* PEM; both NULL or both set; NULL with tls: self-signed, kept in state_dir */
	char *key;
};

struct config_token {
	char *name;
	char *token;
	bool read_only;
};

struct config_access_key {
	char *id;
	char *secret;
	bool read_only;
};

/* A file or device that ListLocalDisks shows and CreateStorediSCSIVolume takes. */
struct config_aws_disk {
	char *id;
	char *path;
};

enum config_gateway_type { CONFIG_GATEWAY_CACHED, CONFIG_GATEWAY_STORED, CONFIG_GATEWAY_VTL };

struct config_aws {
	bool enabled; /* the section is in the file */
	char *region;
	char *account;      /* 12 digits */
	char *gateway;      /* "sgw-" and 8 or 17 upper-case hex digits */
	char *gateway_name; /* NULL: as gateway */
	enum config_gateway_type gateway_type;
	char *timezone;
	char *activation_key; /* NULL: the gateway is active from the start */
	bool allow_unsigned;  /* requests without a signature, from loopback only */
	struct config_access_key *access_keys;
	size_t n_access_keys;
	char *pool;    /* name of the pool for volumes; NULL: the first */
	char *library; /* name of the library that the tape calls mean; NULL: the first */
	struct config_aws_disk *disks;
	size_t n_disks;
	uint32_t max_volumes;
	uint64_t min_tape_size;
	uint64_t max_tape_size;
};

struct config_user {
	char *name;
	char *password;
	bool read_only;
	char *svm; /* the only one that this user sees; NULL: all */
};

struct config_ontap {
	bool enabled; /* the section is in the file */
	char *svm;
	struct config_user *users;
	size_t n_users;
};

struct config_management {
	char *socket;         /* never NULL: state_dir/ctl.sock unless given */
	uint32_t socket_mode; /* permission bits */
	char **socket_users;  /* user names or numbers besides root and the server's own */
	size_t n_socket_users;
	struct config_http *http;
	size_t n_http;
	struct config_token *tokens; /* bearer tokens of the native API over HTTP */
	size_t n_tokens;
	struct config_aws aws;
	struct config_ontap ontap;
};

/* ---- the whole ------------------------------------------------------------------------------ */

struct config {
	char *path; /* the file, as it was given */
	char *state_dir;
	char *key_file;    /* 32 bytes that encrypt stored secrets; NULL: state_dir/key */
	uint32_t reactors; /* 0: one per processor */
	uint32_t poll_us;  /* longest polling before sleep; 0: none */
	char *user;        /* to become after binding when started as root; NULL: stay */
	enum config_log_level log_level;
	struct config_portal *portals; /* at least one */
	size_t n_portals;
	struct config_iscsi iscsi;
	struct config_limits limits;
	struct config_chap chap;
	struct config_discovery discovery;
	struct config_management management;
	struct config_pool *pools;
	size_t n_pools;
	struct config_target *targets;
	size_t n_targets;
	struct config_library *libraries;
	size_t n_libraries;
	struct config_places *places; /* for config_where() */
};

/*
 * Whether logins (to a target, to those of a library, or for discovery) must prove themselves:
 * auth = "chap", or any credential row.
 */
bool config_chap_needed(enum config_auth auth, size_t n_credentials);

/* The SVM that a target is in. */
const char *config_svm_of(const struct config *cfg, const struct config_target *t);
/* Whether targets of two configurations are in SVMs of one name. */
bool config_same_svm(const struct config *a, const struct config_target *in_a,
	const struct config *b, const struct config_target *in_b);
/* Gives each SVM once: first the one of management.ontap, then those that targets name, in their
 * order. Everywhere, names that differ in case alone are one. */
void config_svms(const struct config *cfg, void (*each)(void *arg, const char *svm), void *arg);
bool config_has_svm(const struct config *cfg, const char *svm);
/* Whether a portal is in this portal group. */
bool config_has_group(const struct config *cfg, uint64_t group);

#endif
