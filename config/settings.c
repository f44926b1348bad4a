/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of settings: see settings.h. A new key is a row here, a member in config.h, and a
 * paragraph in countersign.conf(5); rules between keys stand in check_*.c. */
#include "config/settings.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/near.h"
#include "config/config.h"

#define REQUIRED SETTING_REQUIRED
#define RESTART  SETTING_RESTART
#define KIB      ((uint64_t)1 << 10)
#define GIB      ((uint64_t)1 << 30)
#define TIB      ((uint64_t)1 << 40)
#define SIZE_TOP (8192 * TIB)

// clang-format off
#define MEMBER(S, f)  .name = #f, .offset = offsetof(struct S, f)
#define MEMBERS(S, f) MEMBER(S, f), .offset_n = offsetof(struct S, n_##f)

#define BOOL(S, f, def, h) \
	{ MEMBER(S, f), .type = SETTING_BOOL, .fallback = def, .help = h }
#define INT(S, f, flag, lo, hi, def, h) \
	{ MEMBER(S, f), .type = SETTING_INT, .flags = flag, .min = lo, .max = hi, .fallback = def, .help = h }
#define INTS(S, f, lo, hi, h) \
	{ MEMBERS(S, f), .type = SETTING_INT, .flags = SETTING_LIST, .min = lo, .max = hi, .help = h }
#define SIZE(S, f, flag, lo, hi, def, h) \
	{ MEMBER(S, f), .type = SETTING_SIZE, .flags = flag, .min = lo, .max = hi, .fallback = def, .help = h }
#define CHOICE(S, f, which, def, h) \
	{ MEMBER(S, f), .type = SETTING_CHOICE, .choices = which, .fallback = def, .help = h }
#define CHOICES(S, f, which, def, h) \
	{ MEMBERS(S, f), .type = SETTING_CHOICE, .flags = SETTING_LIST, .choices = which, .fallback = def, .help = h }
#define TEXT(S, f, flag, which, def, h) \
	{ MEMBER(S, f), .type = SETTING_TEXT, .flags = flag, .form = &which, .fallback = def, .help = h }
#define TEXTS(S, f, which, h) \
	{ MEMBERS(S, f), .type = SETTING_TEXT, .flags = SETTING_LIST, .form = &which, .help = h }
#define PATH(S, f, flag, h) \
	{ MEMBER(S, f), .type = SETTING_PATH, .flags = flag, .form = &path, .help = h }
#define PASSWORD(S, f, which, h) \
	{ MEMBER(S, f), .type = SETTING_PASSWORD, .form = &which, .help = h }, \
	{ .name = #f "_file", .offset = offsetof(struct S, f), .type = SETTING_PASSWORD_FILE, \
	  .form = &which, .help = "the same, from a file that only its owner can read" }
#define SECRET(S, f, h) \
	{ MEMBER(S, f), .type = SETTING_SECRET, .help = h }, \
	{ .name = #f "_file", .offset = offsetof(struct S, f), .type = SETTING_SECRET_FILE, \
	  .help = "the same, from a file that only its owner can read" }
#define GROUP(S, f, which, h) \
	{ MEMBER(S, f), .type = SETTING_GROUP, .section = &which, .help = h }
#define OPTIONAL_GROUP(S, f, which, h) \
	{ MEMBER(S, f), .type = SETTING_GROUP, .flags = SETTING_PRESENCE, .section = &which, \
	  .offset_n = offsetof(struct S, f.enabled), .help = h }
#define GROUPS(S, f, flag, which, h) \
	{ MEMBERS(S, f), .type = SETTING_GROUPS, .flags = flag, .section = &which, .help = h }
#define SECTION(id, label, S) \
	static const struct section id = { label, id##_rows, sizeof(id##_rows) / sizeof(id##_rows[0]), sizeof(struct S) }

/* ---- forms and choices ---------------------------------------------------------------------- */

static const struct setting_form
	path           = { "path", value_user_text, 1, 4095 },
	label          = { "label", value_label, 1, 64 },
	text_255       = { "text", value_user_text, 1, 255 },
	account_name   = { "user", value_label, 1, 64 },
	target_name    = { "iSCSI name", value_target_name, 1, 4095 },
	target_prefix  = { "iSCSI name", value_target_name, 1, 4095 },
	initiator_name = { "iSCSI name", value_initiator_name, 1, 4095 },
	address        = { "address", value_address, 0, 255 },
	host_port      = { "host:port", value_host_port, 1, 255 },
	vendor         = { "ASCII text", value_ascii, 1, 8 },
	product        = { "ASCII text", value_ascii, 1, 16 },
	revision       = { "ASCII text", value_ascii, 1, 4 },
	serial         = { "ASCII text", value_ascii, 1, 36 },
	library_serial = { "ASCII text", value_ascii, 1, 10 },
	naa            = { "16 or 32 hex digits", value_naa, 1, 4095 },
	barcode        = { "barcode", value_barcode, 5, 16 },
	region         = { "region", value_region, 1, 25 },
	account        = { "account number", value_digits, 12, 12 },
	gateway        = { "gateway id", value_gateway, 1, 4095 },
	gateway_name   = { "ASCII text", value_ascii, 2, 255 },
	timezone       = { "ASCII text", value_ascii, 3, 10 },
	activation_key = { "ASCII text", value_ascii, 1, 50 },
	key_id         = { "key id", value_label, 16, 128 },
	key_secret     = { "text", value_ascii, 16, 128 },
	bearer_token   = { "text", value_ascii, 16, 512 },
	user_name      = { "text", value_user_text, 1, 64 },
	password       = { "text", value_user_text, 8, 512 },
	svm_name       = { "label", value_label, 1, 64 },
	disk_id        = { "text", value_user_text, 1, 300 };

static const struct setting_choice log_levels[] = {
	{ "error", CONFIG_LOG_ERROR }, { "warning", CONFIG_LOG_WARNING }, { "notice", CONFIG_LOG_NOTICE },
	{ "info", CONFIG_LOG_INFO }, { "debug", CONFIG_LOG_DEBUG }, { 0 } };
static const struct setting_choice auths[] = {
	{ "chap", CONFIG_AUTH_CHAP }, { "none", CONFIG_AUTH_NONE }, { 0 } };
static const struct setting_choice digests[] = {
	{ "optional", CONFIG_DIGEST_OPTIONAL }, { "never", CONFIG_DIGEST_NEVER },
	{ "required", CONFIG_DIGEST_REQUIRED }, { 0 } };
static const struct setting_choice algorithms[] = {
	{ "SHA3-256", CONFIG_CHAP_SHA3_256 }, { "SHA256", CONFIG_CHAP_SHA256 },
	{ "SHA1", CONFIG_CHAP_SHA1 }, { "MD5", CONFIG_CHAP_MD5 }, { 0 } };
static const struct setting_choice lun_types[] = { { "disk", CONFIG_LUN_DISK }, { 0 } };
static const struct setting_choice stores[] = {
	{ "ram", CONFIG_STORE_RAM }, { "file", CONFIG_STORE_FILE }, { 0 } };
static const struct setting_choice redirect_types[] = {
	{ "temporary", CONFIG_REDIRECT_TEMPORARY }, { "permanent", CONFIG_REDIRECT_PERMANENT }, { 0 } };
static const struct setting_choice layouts[] = {
	{ "targets", CONFIG_LAYOUT_TARGETS }, { "luns", CONFIG_LAYOUT_LUNS }, { 0 } };
static const struct setting_choice changers[] = {
	{ "STK-L700", CONFIG_CHANGER_STK_L700 }, { "AWS-Gateway-VTL", CONFIG_CHANGER_AWS_GATEWAY_VTL },
	{ "IBM-03584L32-0402", CONFIG_CHANGER_IBM_03584L32 }, { 0 } };
static const struct setting_choice drives[] = {
	{ "IBM-ULT3580-TD5", CONFIG_DRIVE_TD5 }, { "IBM-ULT3580-TD6", CONFIG_DRIVE_TD6 },
	{ "IBM-ULT3580-TD7", CONFIG_DRIVE_TD7 }, { "IBM-ULT3580-TD8", CONFIG_DRIVE_TD8 }, { 0 } };
static const struct setting_choice gateway_types[] = {
	{ "CACHED", CONFIG_GATEWAY_CACHED }, { "STORED", CONFIG_GATEWAY_STORED },
	{ "VTL", CONFIG_GATEWAY_VTL }, { 0 } };

/* ---- rows ----------------------------------------------------------------------------------- */

static const struct setting portals_rows[] = {
	TEXT(config_portal, address, REQUIRED, address, NULL, "where to listen; 0.0.0.0 and :: are all addresses"),
	INT(config_portal, port, 0, 1, 65535, "3260", "TCP port"),
	INT(config_portal, group, 0, 1, 65535, "1", "target portal group tag"),
	TEXT(config_portal, advertise, 0, host_port, NULL, "what discovery names instead of the address reached"),
};
SECTION(portals, "portals", config_portal);

static const struct setting iscsi_rows[] = {
	SIZE(config_iscsi, max_recv_data_segment_length, 0, 512, 16777215, "256K", "largest data segment that we take"),
	SIZE(config_iscsi, max_burst_length, 0, 512, 16777215, "1M", "most data of one R2T or Data-In sequence"),
	SIZE(config_iscsi, first_burst_length, 0, 512, 16777215, "256K", "most unsolicited data of a write"),
	INT(config_iscsi, max_outstanding_r2t, 0, 1, 65535, "16", "R2Ts open at once for one command"),
	INT(config_iscsi, max_connections, 0, 1, 65535, "8", "connections of one session"),
	BOOL(config_iscsi, initial_r2t, "false", "insist on an R2T before any data"),
	BOOL(config_iscsi, immediate_data, "true", "take data with the command"),
	CHOICE(config_iscsi, header_digest, digests, "optional", "CRC32C over headers"),
	CHOICE(config_iscsi, data_digest, digests, "optional", "CRC32C over data"),
	INT(config_iscsi, default_time2wait, 0, 0, 3600, "2", "seconds before a lost connection is tried again"),
	INT(config_iscsi, default_time2retain, 0, 0, 3600, "0", "seconds that a lost session is kept"),
	INT(config_iscsi, nop_interval, 0, 0, 3600, "30", "seconds of silence before a ping; 0: never"),
	INT(config_iscsi, nop_timeout, 0, 1, 3600, "30", "seconds of silence after a ping before the end"),
};
SECTION(iscsi, "iscsi", config_iscsi);

static const struct setting limits_rows[] = {
	INT(config_limits, login_timeout, 0, 1, 600, "15", "seconds for a whole login"),
	INT(config_limits, max_half_open, 0, 1, 1000000, "4096", "connections that have not logged in yet"),
	INT(config_limits, max_half_open_per_address, 0, 1, 1000000, "1024", "the same, of one address"),
	INT(config_limits, max_sessions, 0, 1, 65535, "16384", "sessions over all targets"),
};
SECTION(limits, "limits", config_limits);

static const struct setting chap_rows[] = {
	CHOICES(config_chap, algorithms, algorithms, "SHA3-256, SHA256, SHA1, MD5", "digests, most wanted first"),
	BOOL(config_chap, strict, "false", "management interfaces refuse secrets under 12 bytes too"),
};
SECTION(chap, "chap", config_chap);

static const struct setting credentials_rows[] = {
	TEXT(config_credential, initiator, 0, initiator_name, NULL, "who this is for; without it, any that knows user and secret"),
	TEXT(config_credential, user, 0, text_255, NULL, "CHAP_N of the initiator; its name unless given"),
	SECRET(config_credential, secret, "what the initiator proves that it knows"),
	TEXT(config_credential, target_user, 0, text_255, NULL, "CHAP_N of the target; its name unless given"),
	SECRET(config_credential, target_secret, "what the target proves that it knows"),
};
SECTION(credentials, "credentials", config_credential);

static const struct setting discovery_rows[] = {
	CHOICE(config_discovery, auth, auths, "none", "whether discovery asks for CHAP"),
	GROUPS(config_discovery, credentials, 0, credentials, "who may discover"),
};
SECTION(discovery, "discovery", config_discovery);

static const struct setting luns_rows[] = {
	INT(config_lun, lun, REQUIRED, 0, 16383, NULL, "logical unit number"),
	TEXT(config_lun, same_as, 0, label, NULL, "name of a unit declared elsewhere that this LUN shows"),
	TEXT(config_lun, name, 0, label, NULL, "name for same_as"),
	CHOICE(config_lun, type, lun_types, "disk", "device type"),
	CHOICE(config_lun, store, stores, "file", "where the data are"),
	PATH(config_lun, path, 0, "file or block device"),
	SIZE(config_lun, size, 0, 4096, SIZE_TOP, NULL, "size; that of the file unless given"),
	BOOL(config_lun, create, "false", "make the file if it is not there, extend it if it is too small"),
	INT(config_lun, block_size, 0, 512, 4096, "512", "logical block size, 512 or 4096"),
	INT(config_lun, physical_block_size, 0, 512, 65536, NULL, "what hosts align to"),
	BOOL(config_lun, read_only, "false", "refuse writes"),
	BOOL(config_lun, removable, "false", "medium can be ejected"),
	BOOL(config_lun, thin, "true", "give space back on UNMAP"),
	BOOL(config_lun, write_cache, "true", "answer writes before they are on stable storage"),
	BOOL(config_lun, long_cdbs, "false", "know READ(32) and WRITE(32)"),
	TEXT(config_lun, vendor, 0, vendor, "CSIGN", "INQUIRY vendor"),
	TEXT(config_lun, product, 0, product, "Countersign disk", "INQUIRY product"),
	TEXT(config_lun, revision, 0, revision, "1", "INQUIRY revision"),
	TEXT(config_lun, serial, 0, serial, NULL, "unit serial number; derived unless given"),
	TEXT(config_lun, naa, 0, naa, NULL, "NAA identifier; derived unless given"),
};
SECTION(luns, "luns", config_lun);

static const struct setting targets_rows[] = {
	TEXT(config_target, name, REQUIRED, target_name, NULL, "iSCSI name"),
	TEXT(config_target, alias, 0, text_255, NULL, "text for people"),
	CHOICE(config_target, auth, auths, "chap", "whether logins must prove themselves"),
	INTS(config_target, portal_groups, 1, 65535, "groups that show the target; all unless given"),
	GROUPS(config_target, luns, 0, luns, "its logical units"),
	GROUPS(config_target, credentials, 0, credentials, "who may log in"),
	TEXT(config_target, redirect, 0, host_port, NULL, "where to send initiators instead"),
	CHOICE(config_target, redirect_type, redirect_types, "temporary", "what they are told about it"),
	INT(config_target, max_sessions, 0, 0, 65535, "0", "sessions of this target; 0: as many as all may have"),
	TEXT(config_target, svm, 0, svm_name, NULL, "SVM that it is in; the one of management.ontap unless given"),
};
SECTION(targets, "targets", config_target);

static const struct setting tapes_rows[] = {
	TEXT(config_tape, barcode, REQUIRED, barcode, NULL, "its label"),
	SIZE(config_tape, size, REQUIRED, 1024 * KIB, 64 * TIB, NULL, "its capacity"),
	BOOL(config_tape, worm, "false", "written once only"),
};
SECTION(tapes, "tapes", config_tape);

static const struct setting libraries_rows[] = {
	TEXT(config_library, name, REQUIRED, label, NULL, "what commands call it"),
	CHOICE(config_library, layout, layouts, "targets", "each device a target, or one target for all"),
	TEXT(config_library, target_prefix, 0, target_prefix, NULL, "beginning of the target names, for layout targets"),
	TEXT(config_library, target, 0, target_name, NULL, "target name, for layout luns"),
	CHOICE(config_library, auth, auths, "none", "whether logins must prove themselves"),
	INTS(config_library, portal_groups, 1, 65535, "groups that show the targets; all unless given"),
	GROUPS(config_library, credentials, 0, credentials, "who may log in, to every target of the library"),
	CHOICE(config_library, changer, changers, "STK-L700", "which medium changer it is"),
	CHOICE(config_library, drive, drives, "IBM-ULT3580-TD5", "which tape drives it has"),
	INT(config_library, drives, 0, 1, 99, "10", "how many drives"),
	INT(config_library, slots, 0, 1, 32000, "1600", "how many storage slots"),
	INT(config_library, import_export, 0, 0, 32000, "1600", "how many import/export slots"),
	PATH(config_library, path, REQUIRED, "directory of the cartridges"),
	PATH(config_library, archive, 0, "directory of archived cartridges; archive below path unless given"),
	TEXT(config_library, serial, 0, library_serial, NULL, "serial number; derived unless given"),
	GROUPS(config_library, tapes, 0, tapes, "cartridges to make"),
};
SECTION(libraries, "libraries", config_library);

static const struct setting pools_rows[] = {
	TEXT(config_pool, name, REQUIRED, label, NULL, "what commands call it"),
	PATH(config_pool, path, REQUIRED, "directory of the volumes"),
	SIZE(config_pool, max_size, 0, 1024 * KIB, SIZE_TOP, NULL, "of all volumes together; no limit unless given"),
	CHOICE(config_pool, auth, auths, "none", "whether logins to its volumes must prove themselves"),
};
SECTION(pools, "pools", config_pool);

static const struct setting http_rows[] = {
	TEXT(config_http, address, REQUIRED, address, NULL, "where to listen"),
	INT(config_http, port, REQUIRED, 1, 65535, NULL, "TCP port"),
	BOOL(config_http, tls, "false", "HTTPS"),
	PATH(config_http, cert, 0, "certificate chain, PEM; self-signed and kept in state_dir unless given"),
	PATH(config_http, key, 0, "its private key, PEM"),
};
SECTION(http, "management.http", config_http);

static const struct setting tokens_rows[] = {
	TEXT(config_token, name, REQUIRED, user_name, NULL, "who is named in the audit table"),
	PASSWORD(config_token, token, bearer_token, "bearer token"),
	BOOL(config_token, read_only, "false", "may look, not change"),
};
SECTION(tokens, "management.tokens", config_token);

static const struct setting access_keys_rows[] = {
	TEXT(config_access_key, id, REQUIRED, key_id, NULL, "access key id"),
	PASSWORD(config_access_key, secret, key_secret, "secret access key"),
	BOOL(config_access_key, read_only, "false", "may look, not change"),
};
SECTION(access_keys, "management.aws.access_keys", config_access_key);

static const struct setting aws_disks_rows[] = {
	TEXT(config_aws_disk, id, REQUIRED, disk_id, NULL, "DiskId"),
	PATH(config_aws_disk, path, REQUIRED, "file or block device"),
};
SECTION(aws_disks, "management.aws.disks", config_aws_disk);

static const struct setting aws_rows[] = {
	TEXT(config_aws, region, 0, region, "us-east-1", "region in ARNs and signatures"),
	TEXT(config_aws, account, 0, account, "111122223333", "account in ARNs"),
	TEXT(config_aws, gateway, REQUIRED, gateway, NULL, "gateway id"),
	TEXT(config_aws, gateway_name, 0, gateway_name, NULL, "gateway name; as the id unless given"),
	CHOICE(config_aws, gateway_type, gateway_types, "CACHED", "what the gateway says that it is"),
	TEXT(config_aws, timezone, 0, timezone, "GMT", "time zone that the gateway reports"),
	TEXT(config_aws, activation_key, 0, activation_key, NULL, "gateway waits for ActivateGateway with this key"),
	BOOL(config_aws, allow_unsigned, "false", "take requests without a signature from loopback"),
	GROUPS(config_aws, access_keys, 0, access_keys, "who may call"),
	TEXT(config_aws, pool, 0, label, NULL, "pool for volumes; the first unless given"),
	TEXT(config_aws, library, 0, label, NULL, "library of the tape calls; the first unless given"),
	GROUPS(config_aws, disks, 0, aws_disks, "what ListLocalDisks shows"),
	INT(config_aws, max_volumes, 0, 1, 100000, "1024", "how many volumes may be made"),
	SIZE(config_aws, min_tape_size, 0, GIB, 64 * TIB, "100G", "smallest tape that may be made"),
	SIZE(config_aws, max_tape_size, 0, GIB, 64 * TIB, "15T", "largest tape that may be made"),
};
SECTION(aws, "management.aws", config_aws);

static const struct setting users_rows[] = {
	TEXT(config_user, name, REQUIRED, user_name, NULL, "user name"),
	PASSWORD(config_user, password, password, "password"),
	BOOL(config_user, read_only, "false", "may look, not change"),
	TEXT(config_user, svm, 0, svm_name, NULL, "the only SVM that this user sees; all unless given"),
};
SECTION(users, "management.ontap.users", config_user);

static const struct setting ontap_rows[] = {
	TEXT(config_ontap, svm, 0, svm_name, "svm1", "name of the SVM of targets that name none"),
	GROUPS(config_ontap, users, 0, users, "who may call"),
};
SECTION(ontap, "management.ontap", config_ontap);

static const struct setting management_rows[] = {
	PATH(config_management, socket, 0, "Unix socket of the native API; ctl.sock in state_dir unless given"),
	{ MEMBER(config_management, socket_mode), .type = SETTING_MODE, .fallback = "0600",
	  .help = "its permission bits" },
	TEXTS(config_management, socket_users, account_name, "users that may connect besides root and the server's own"),
	GROUPS(config_management, http, 0, http, "HTTP listeners"),
	GROUPS(config_management, tokens, 0, tokens, "who may call the native API over HTTP"),
	OPTIONAL_GROUP(config_management, aws, aws, "Storage Gateway API"),
	OPTIONAL_GROUP(config_management, ontap, ontap, "ONTAP REST API"),
};
SECTION(management, "management", config_management);

static const struct setting root_rows[] = {
	PATH(config, state_dir, REQUIRED | RESTART, "directory for what outlives a restart"),
	PATH(config, key_file, RESTART, "32 bytes that encrypt stored secrets; key in state_dir unless given"),
	INT(config, reactors, RESTART, 0, 1024, "0", "threads that serve connections; 0: one per processor"),
	INT(config, poll_us, 0, 0, 10000, "50", "microseconds of polling before sleep; 0: none"),
	TEXT(config, user, RESTART, account_name, NULL, "who to become after binding when started as root"),
	CHOICE(config, log_level, log_levels, "info", "least important line that is logged"),
	GROUPS(config, portals, REQUIRED, portals, "where iSCSI is served"),
	GROUP(config, iscsi, iscsi, "what is offered in login negotiation"),
	GROUP(config, limits, limits, "bounds on connections"),
	GROUP(config, chap, chap, "the CHAP exchange"),
	GROUP(config, discovery, discovery, "discovery sessions"),
	GROUP(config, management, management, "management interfaces"),
	GROUPS(config, pools, 0, pools, "directories in which volumes may be made"),
	GROUPS(config, targets, 0, targets, "iSCSI targets"),
	GROUPS(config, libraries, 0, libraries, "virtual tape libraries"),
};
const struct section all_settings = {
	"", root_rows, sizeof(root_rows) / sizeof(root_rows[0]), sizeof(struct config) };
// clang-format on

/* ---- finding -------------------------------------------------------------------------------- */

const struct setting *setting_find(const struct section *section, const char *name)
{
	for (size_t i = 0; i < section->n_rows; i++)
		if (!strcmp(section->rows[i].name, name))
			return &section->rows[i];
	return NULL;
}

bool setting_is_file_form(const struct setting *row)
{
	return row->type == SETTING_PASSWORD_FILE || row->type == SETTING_SECRET_FILE;
}

/* MaxBurstLength, as in tgt and LIO, is max_burst_length here. */
static bool same_letters(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (*a == '_' || *a == '-')
			a++;
		while (*b == '_')
			b++;
		if (tolower((unsigned char)*a) != *b)
			return false;
		if (!*a)
			return true;
	}
}

const struct setting *setting_nearest(const struct section *section, const char *name)
{
	const struct setting *best = NULL;
	unsigned best_distance = 0;

	for (size_t i = 0; i < section->n_rows; i++) {
		const struct setting *row = &section->rows[i];
		unsigned d = same_letters(name, row->name) ? 0 : near_distance(name, row->name);

		if (near_enough(d, row->name) && (!best || d < best_distance)) {
			best = row;
			best_distance = d;
		}
	}
	return best;
}

/* ---- describing ----------------------------------------------------------------------------- */

struct words {
	char *out;
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void say(struct words *w, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(w->out + w->used, SETTING_DESCRIPTION - w->used, format, ap);
	va_end(ap);
	if (n > 0)
		w->used += (size_t)n;
	if (w->used >= SETTING_DESCRIPTION)
		w->used = SETTING_DESCRIPTION - 1;
}

static void say_choices(struct words *w, const struct setting *row)
{
	for (const struct setting_choice *c = row->choices; c->name; c++)
		say(w, "%s%s", c == row->choices ? "" : (c[1].name ? ", " : " or "), c->name);
}

static void say_form(struct words *w, const struct setting_form *form)
{
	say(w, "%s", form->noun);
	if (form->max >= 4095 || !strcmp(form->noun, "address") || !strcmp(form->noun, "host:port"))
		return;
	if (form->min == form->max)
		say(w, " of %zu characters", form->max);
	else if (form->min > 1)
		say(w, " of %zu to %zu characters", form->min, form->max);
	else
		say(w, " of at most %zu characters", form->max);
}

static void say_type(struct words *w, const struct setting *row)
{
	char low[VALUE_SIZE_TEXT], high[VALUE_SIZE_TEXT];

	switch (row->type) {
	case SETTING_BOOL: say(w, "true or false"); break;
	case SETTING_INT: say(w, "integer from %" PRIu64 " to %" PRIu64, row->min, row->max); break;
	case SETTING_SIZE:
		say(w, "size from %s to %s", value_size_text(row->min, low),
			value_size_text(row->max, high));
		break;
	case SETTING_MODE: say(w, "octal permission bits in quotes"); break;
	case SETTING_CHOICE: say_choices(w, row); break;
	case SETTING_TEXT:
	case SETTING_PASSWORD: say_form(w, row->form); break;
	case SETTING_PATH:
	case SETTING_PASSWORD_FILE:
	case SETTING_SECRET_FILE: say(w, "path"); break;
	case SETTING_SECRET: say(w, "secret of %d to %d bytes", SECRET_STRONG, SECRET_MAX); break;
	case SETTING_GROUP: say(w, "group %s", row->section->name); break;
	case SETTING_GROUPS: say(w, "list of groups %s", row->section->name); break;
	}
}

const char *setting_describe(const struct setting *row, char out[static SETTING_DESCRIPTION])
{
	struct words w = { .out = out };

	out[0] = '\0';
	if (row->flags & SETTING_LIST)
		say(&w, "list of: ");
	say_type(&w, row);
	if (row->flags & SETTING_REQUIRED)
		say(&w, "; required");
	if (row->fallback)
		say(&w, "; default %s", row->fallback);
	if (row->flags & SETTING_RESTART)
		say(&w, "; needs a restart");
	return out;
}
